//! One file and one function per verb: workspace and request in, report out.

pub mod book;
pub mod check;
pub mod demo;
pub mod evidence;
pub mod exec;
pub mod fix_ownership;
pub mod fix_sync;
pub mod git_hook;
pub mod guard;
pub mod hook;
pub mod incident;
pub mod incident_draft;
pub mod incident_learn;
pub mod investigate;
pub mod lessons;
pub mod library;
pub mod look;
pub mod pattern;
pub mod record;
pub mod secret;
pub mod status;
pub mod trust;
pub mod undo;
pub mod workspace;
