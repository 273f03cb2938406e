//! The only crate that changes the host: a plan is shown, then done, and can be taken back.
//!
//! It writes files that a person asked for, puts itself in front of git's hooks, keeps copies
//! of what a command is about to destroy ([`undo`]), gives trees back to their owners, and
//! runs a sync or a command that was allowed.

pub mod background;
pub mod canary;
pub mod git_hook;
pub mod own;
pub mod run;
pub mod sync;
pub mod undo;
pub mod write;

pub use git_hook::{HookPlan, Side};
pub use write::{ActError, Existing, FileWrite, Plan};
