//! What compose files say: services with the environment, networks and mounts they would get.

pub mod types;

pub use types::*;
