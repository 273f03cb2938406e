//! What a person has still to do after something went wrong, and how it was closed.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::secret::SecretPlace;

/// The schema that a list of actions carries.
pub const ACTIONS_SCHEMA: &str = "coroner/actions/v1";

/// Something to be done, which closes when a probe shows that it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Action {
    /// 8 hex digits over the kind and the token: one action a value, wherever it stands.
    pub id: String,
    pub kind: ActionKind,
    /// Where the value stands: rule, keyed hash, commit, path and line.
    pub place: SecretPlace,
    /// The repository in which it was found, as a path of this host.
    pub repository: String,
    pub opened_at: Timestamp,
    pub status: ActionStatus,
}

impl Action {
    /// Whether it is still to be done.
    pub fn is_open(&self) -> bool {
        self.status == ActionStatus::Open
    }
}

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ActionKind {
    /// A secret is in a commit that a remote has: its key must be made dead.
    PushedSecret,
}

/// How an action stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum ActionStatus {
    Open,
    /// The issuer refused the key.
    Dead {
        /// The host that was asked.
        host: String,
        /// The status of its answer.
        http_status: u16,
        at: Timestamp,
    },
    /// Nothing was shown: a person answers for it.
    Accepted {
        by: String,
        at: Timestamp,
    },
}

/// Actions in the order in which they were opened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ActionList {
    pub schema: String,
    pub actions: Vec<Action>,
}
