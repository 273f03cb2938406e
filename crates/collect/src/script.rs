//! The collector for a host without Coroner.

/// The POSIX `sh` script that `coroner record script` prints.
///
/// It writes an unredacted casefile: redaction happens at the first reading.
pub fn collector_script() -> &'static str {
    include_str!("script.sh")
}
