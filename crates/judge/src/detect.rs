//! Detectors: one file each, from a scene to facts of one kind.

pub mod backend_port;
pub mod credential;
pub mod credential_fallback;
pub mod credential_stale;
pub mod disk_usage;
pub mod env_drift;
pub mod mount_source_missing;
pub mod part;
pub mod proxy_unreachable;
mod reading;
pub(crate) mod routing;
pub mod secret_in_file;

pub(crate) use reading::within;

use coroner_model::Citation;
use coroner_model::investigation::Reason;

/// A reason with its evidence.
pub(crate) fn reason(text: impl Into<String>, evidence: impl IntoIterator<Item = Citation>) -> Reason {
    Reason { text: text.into(), evidence: evidence.into_iter().collect(), count: None }
}

/// `a`, `a and b`, `a, b and c`.
pub(crate) fn listed<S: AsRef<str>>(names: &[S]) -> String {
    match names {
        [] => String::new(),
        [one] => one.as_ref().to_owned(),
        [front @ .., last] => {
            let front: Vec<&str> = front.iter().map(AsRef::as_ref).collect();
            format!("{} and {}", front.join(", "), last.as_ref())
        }
    }
}
