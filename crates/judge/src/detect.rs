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
mod routing;

