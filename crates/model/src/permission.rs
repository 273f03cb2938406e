//! The guard's question and answer (`coroner/permission/v1`).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::effect::Effect;
use crate::evidence::Citation;
use crate::id::PatternId;
use crate::probe::CouldNotLook;

/// The schema that every answer carries.
pub const PERMISSION_SCHEMA: &str = "coroner/permission/v1";

/// Whether a command may run; the strictest of several wins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Permission {
    #[default]
    Allow,
    Ask,
    Deny,
}

/// What a pattern's row asks for: a permission, or a finding beside allow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Strength {
    Note,
    Ask,
    Deny,
}

impl Strength {
    /// The permission that the strength amounts to.
    pub fn permission(self) -> Permission {
        match self {
            Strength::Note => Permission::Allow,
            Strength::Ask => Permission::Ask,
            Strength::Deny => Permission::Deny,
        }
    }
}

/// One pattern that a command met.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PermissionFinding {
    pub pattern: PatternId,
    /// `note`, `ask` or `deny`.
    pub permission: Strength,
    pub reason: String,
}

/// The answer to one command or tool call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PermissionAnswer {
    pub schema: String,
    /// The request's own id, any JSON value; null where it had none.
    pub id: serde_json::Value,
    pub permission: Permission,
    /// The pattern that decided, or null.
    pub pattern: Option<PatternId>,
    pub findings: Vec<PermissionFinding>,
    pub reason: String,
    /// Markdown: what to do instead, commands in backticks or fences.
    pub remedy: String,
    pub effects: Vec<Effect>,
    pub evidence: Vec<Citation>,
    pub could_not_look: Vec<CouldNotLook>,
    /// What else is to be said beside the answer; no finding.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// The subagent that made the call; absent for the session's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent_type: Option<String>,
}

impl PermissionAnswer {
    /// An answer that allows and has nothing to say.
    pub fn allow(id: serde_json::Value) -> PermissionAnswer {
        PermissionAnswer {
            schema: PERMISSION_SCHEMA.to_owned(),
            id,
            permission: Permission::Allow,
            pattern: None,
            findings: Vec::new(),
            reason: String::new(),
            remedy: String::new(),
            effects: Vec::new(),
            evidence: Vec::new(),
            could_not_look: Vec::new(),
            notes: Vec::new(),
            agent_id: None,
            agent_type: None,
        }
    }

    /// An answer to a request that could not be understood, or to an own failure.
    pub fn ask(id: serde_json::Value, reason: impl Into<String>) -> PermissionAnswer {
        PermissionAnswer { permission: Permission::Ask, reason: reason.into(), ..PermissionAnswer::allow(id) }
    }
}

/// A command or tool call that is about to run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PermissionRequest {
    pub id: serde_json::Value,
    /// Shell text.
    pub command: Option<String>,
    /// Name of another tool than the shell.
    pub tool: Option<String>,
    /// That tool's input.
    pub input: serde_json::Value,
    /// Working directory, absolute; empty where unknown.
    pub cwd: String,
    pub session: Option<String>,
    pub agent: Option<String>,
    /// The subagent within the session, where the call is one's.
    pub agent_id: Option<String>,
    /// What kind of subagent it is.
    pub agent_type: Option<String>,
    /// Environment variables that the command would see, where known.
    pub env: std::collections::BTreeMap<String, String>,
}
