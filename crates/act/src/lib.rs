//! The only crate that changes the host: a plan is shown, then done.
//!
//! Today it writes files that a person asked for (an anti-pattern, an export) and puts itself
//! in front of the hooks of git. It runs no command and deletes only what it made.

pub mod git_hook;
pub mod write;

pub use git_hook::{HookPlan, Side};
pub use write::{ActError, Existing, FileWrite, Plan};
