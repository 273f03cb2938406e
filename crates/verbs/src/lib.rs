//! One file and one function per verb: workspace and request in, report out.

pub mod book;
pub mod check;
pub mod demo;
pub mod evidence;
pub mod guard;
pub mod hook;
pub mod incident;
pub mod incident_draft;
pub mod incident_learn;
pub mod investigate;
pub mod library;
pub mod look;
pub mod pattern;
pub mod record;
pub mod status;
pub mod trust;
pub mod workspace;
