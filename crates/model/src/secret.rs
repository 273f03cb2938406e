//! Where a secret stands: never the value, only what stands for it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A secret in a file or a commit.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct SecretPlace {
    /// The path of the file; for a commit, the path in its tree or `(message)`.
    pub path: String,
    /// 1-based.
    pub line: u64,
    /// 1-based, in characters.
    pub column: u64,
    /// The rule that found it, such as `github-pat`.
    pub kind: String,
    /// What it is, in words.
    pub description: String,
    /// The token that stands for the value: equal values, equal tokens.
    pub token: String,
    /// The commit that brought it in, where a history was read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// When its author made that commit, as RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub date: Option<String>,
    pub standing: Standing,
    /// Why a list of the project allows it, where one does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allowed: Option<String>,
}

/// How much a place weighs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// A secret that its issuer's form gives away.
    #[default]
    Issued,
    /// A value that only its name gives away.
    Named,
    /// The public half of a pair.
    Identifier,
    /// A comment on its line, or a list that a person trusts, says that it may stand there.
    Allowed,
}

impl Standing {
    /// Whether a commit or a push with it is refused.
    pub fn refuses(self) -> bool {
        matches!(self, Standing::Issued | Standing::Named)
    }
}
