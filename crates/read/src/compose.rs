//! What compose files say: services with the environment, networks and mounts they would get.
//!
//! The order is compose's own: each file is interpolated, its `extends` resolved and
//! its paths made absolute; then the files are merged; then services are read.

mod environment;
mod extends;
pub mod interpolate;
mod load;
mod merge;
mod service;
mod short;
pub mod types;

pub use load::{Request, project};
pub use short::split_words;
pub use types::*;

/// File names that compose looks for by itself, best first, each with its overrides.
pub const DEFAULT_FILES: [&str; 4] = ["compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml"];

/// Names of the override file that compose adds to a default file by itself.
pub const OVERRIDE_FILES: [&str; 4] =
    ["compose.override.yml", "compose.override.yaml", "docker-compose.override.yml", "docker-compose.override.yaml"];
