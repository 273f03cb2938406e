//! Detectors: one file each, from a scene to facts of one kind.

pub mod backend_port;
pub mod caller_port;
pub mod credential;
pub mod credential_fallback;
pub mod credential_stale;
pub mod dependency_missing;
pub mod disk_usage;
pub mod env_drift;
pub mod healthcheck_localhost;
pub mod log_unbounded;
pub mod mount_source_missing;
pub mod part;
pub mod proxy_unreachable;
pub mod read_only_data;
mod reading;
pub mod route_not_loaded;
pub(crate) mod routing;
pub mod secret_copies;
pub mod secret_in_file;

pub(crate) use reading::within;

use coroner_model::Citation;
use coroner_model::investigation::Reason;

use crate::fact::{Fact, FactKind};

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

/// A fact of what files declare, with what is the same in all of them.
pub(crate) fn declared(kind: FactKind, is: &'static str, component: &str, text: String, at: &Citation) -> Fact {
    Fact { is, text, location: part::location_of(at), ..Fact::unseen(kind, component, Vec::new()) }
}
