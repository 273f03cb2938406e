//! What the guard remembers of a session: calls that it denied, and those that a person let through once.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::effect::Effect;
use crate::id::PatternId;

/// Longest time for which a person lets a call through, in seconds.
pub const LIFT_SECONDS_MAX: i64 = 15 * 60;

/// One line of a session's journal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "entry", rename_all = "kebab-case")]
pub enum JournalEntry {
    Denied(Denial),
    Lifted(Lift),
    /// A lifted call was let through; the lift is spent.
    Used {
        id: String,
        at: Timestamp,
    },
    /// What was denied before may run now: what it would meet has changed.
    Allowed {
        id: String,
        at: Timestamp,
    },
    /// A denied call ran all the same: its host passed the denial over.
    Ran {
        id: String,
        at: Timestamp,
        shown: String,
    },
}

/// A call that was denied.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Denial {
    /// Six hex digits by which a person names it.
    pub id: String,
    pub at: Timestamp,
    pub session: String,
    #[serde(default)]
    pub agent: Option<String>,
    /// The subagent that made the call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent_type: Option<String>,
    pub pattern: PatternId,
    /// Hash over call, directory and session.
    pub call: String,
    pub cwd: String,
    /// The call as a person reads it, redacted and bounded.
    pub shown: String,
    /// What was offered instead, redacted and bounded.
    #[serde(default)]
    pub remedy: String,
    /// The effects for which it was denied.
    pub effects: Vec<Effect>,
}

/// A person's word that one denied call may run, once and soon.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lift {
    /// The denial's id.
    pub id: String,
    /// The denial's hash: no other call is let through.
    pub call: String,
    pub session: String,
    pub at: Timestamp,
    pub until: Timestamp,
    /// Ed25519 signature in hex under the person's key; empty where an administrator's file says it.
    #[serde(default)]
    pub signature: String,
}

impl Denial {
    /// The subagent as a person reads it; nothing where the session itself called.
    pub fn actor(&self) -> Option<String> {
        actor(self.agent_id.as_deref(), self.agent_type.as_deref())
    }
}

/// A subagent as a person reads it: its kind and its id.
pub fn actor(id: Option<&str>, kind: Option<&str>) -> Option<String> {
    match (kind, id) {
        (Some(kind), Some(id)) => Some(format!("subagent {kind} ({id})")),
        (Some(one), None) | (None, Some(one)) => Some(format!("subagent {one}")),
        (None, None) => None,
    }
}

impl Lift {
    /// What is signed.
    pub fn message(&self) -> String {
        format!("coroner/lift/v1\n{}\n{}\n{}\n{}\n{}", self.id, self.call, self.session, self.at, self.until)
    }

    /// Whether it holds for a call at a moment.
    pub fn holds(&self, call: &str, session: &str, now: Timestamp) -> bool {
        let long = self.until.duration_since(self.at).as_secs() > LIFT_SECONDS_MAX;
        self.call == call && self.session == session && self.at <= now && now < self.until && !long
    }
}
