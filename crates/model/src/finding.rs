//! Findings of `check` (`coroner/check/v1`).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::action::Action;
use crate::category::{Category, Severity};
use crate::evidence::Citation;
use crate::id::PatternId;
use crate::probe::CouldNotLook;

/// The schema that a check report carries.
pub const CHECK_SCHEMA: &str = "coroner/check/v1";

/// How sure a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Confidence {
    /// Only one of two truths could be seen.
    Low,
    /// Files say so.
    Medium,
    /// Live state says so too.
    High,
}

/// Where a finding points.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Location {
    /// As a citation names it: relative to the casefile, or the host's path.
    pub path: String,
    /// 1-based; 0 where the whole file or object is meant.
    pub line: u64,
    /// 1-based; 0 where the whole line is meant.
    pub column: u64,
}

/// One bad state, with its evidence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Finding {
    pub pattern: PatternId,
    pub category: Category,
    pub severity: Severity,
    pub confidence: Confidence,
    pub message: String,
    pub location: Location,
    pub evidence: Vec<Citation>,
    pub remedy: String,
}

/// What `check` found and what it could not look at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CheckReport {
    pub schema: String,
    pub findings: Vec<Finding>,
    /// What was read, one entry each.
    pub looked: Vec<String>,
    pub could_not_look: Vec<CouldNotLook>,
    /// What is open because of secrets that a remote already has.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub actions: Vec<Action>,
}
