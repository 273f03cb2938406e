//! The collector for a host without Coroner.

/// The POSIX `sh` script that `coroner record script` prints.
///
/// It writes an unredacted casefile: redaction happens at the first reading.
pub fn collector_script() -> &'static str {
    concat!(
        include_str!("script/start.sh"),
        include_str!("script/host.sh"),
        include_str!("script/docker.sh"),
        include_str!("script/projects.sh"),
        include_str!("script/trees.sh"),
        include_str!("script/sessions.sh"),
        include_str!("script/end.sh"),
    )
}
