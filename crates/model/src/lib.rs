//! The nouns of Coroner and the redactor: no I/O, no clock, no environment.
//!
//! One word, one meaning: GLOSSARY.md lists them. Everything here is plain data
//! that prints, serialises and compares; the reasoning lives in `coroner-judge`.

pub mod action;
pub mod agent;
pub mod category;
pub mod effect;
pub mod entry;
pub mod evidence;
pub mod finding;
pub mod id;
pub mod incident;
pub mod investigation;
pub mod journal;
pub mod permission;
pub mod probe;
pub mod redact;
pub mod secret;
pub mod session;
pub mod source;

pub use agent::Agent;
pub use category::{Category, Severity};
pub use evidence::{Citation, ContentHash, Document, Evidence, Source};
pub use finding::{Confidence, Finding, Location};
pub use id::{EvidenceId, IncidentId, InvestigationId, PatternId, SessionId, ToolCallId};
pub use probe::{Answer, Answers, CouldNotLook, Probe, Why};
pub use redact::{Redacted, Redactor};
