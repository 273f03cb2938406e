//! The only crate that changes the host: a plan is shown, then done.
//!
//! Today it writes files that a person asked for (an anti-pattern, an export).
//! It runs no command and deletes nothing.

pub mod write;

pub use write::{ActError, Existing, FileWrite, Plan};
