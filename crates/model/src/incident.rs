//! Incidents and the report that lists them (`coroner/incidents/v1`).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::category::{Category, Severity};
use crate::evidence::Citation;
use crate::id::{IncidentId, PatternId};

/// The schema that a list of incidents carries.
pub const INCIDENTS_SCHEMA: &str = "coroner/incidents/v1";

/// Where an incident stands; apart from its severity.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum IncidentStatus {
    #[default]
    Open,
    Mitigated,
    Resolved,
}

impl IncidentStatus {
    /// The word as it stands in files and JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            IncidentStatus::Open => "open",
            IncidentStatus::Mitigated => "mitigated",
            IncidentStatus::Resolved => "resolved",
        }
    }

    /// The status of that name, in any case, or `None`.
    pub fn parse(word: &str) -> Option<IncidentStatus> {
        match word.trim().to_ascii_lowercase().as_str() {
            "open" => Some(IncidentStatus::Open),
            "mitigated" => Some(IncidentStatus::Mitigated),
            "resolved" | "closed" | "fixed" => Some(IncidentStatus::Resolved),
            _ => None,
        }
    }
}

/// One incident. A label that the source does not carry is `None`, never made up.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Incident {
    pub id: IncidentId,
    pub title: String,
    /// RFC 3339 date (`2026-01-23`) or date-time; `None` where undated.
    pub date: Option<String>,
    /// Whether the date is approximate.
    pub date_approximate: bool,
    pub severity: Option<Severity>,
    pub status: IncidentStatus,
    pub category: Option<Category>,
    /// As written: `23`, `23-B`, `~45`, `Multiple`.
    pub sessions: Vec<String>,
    /// Whether it happened again and again.
    pub recurring: bool,
    pub what_happened: Option<String>,
    pub root_cause: Option<String>,
    pub data_lost: Option<String>,
    pub fix: Option<String>,
    pub lesson: Option<String>,
    /// Numbers of the failure log that the text names (`#59`).
    pub pattern_numbers: Vec<u32>,
    /// Anti-patterns that a person linked; the built-in link lies in the pattern.
    pub patterns: Vec<PatternId>,
    /// Where the text contradicts itself, kept as such.
    pub contradictions: Vec<String>,
    pub evidence: Vec<Citation>,
    /// Further Markdown of the incident: timeline, actions, a post-mortem.
    pub body: String,
}

/// What a page got wrong about itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ProblemKind {
    StatusAsSeverity,
    Undated,
    Contradiction,
    CountMismatch,
    Order,
    /// A record or label that could not be read.
    Unreadable,
}

/// One thing that a page got wrong about itself.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Problem {
    pub kind: ProblemKind,
    pub incident: Option<IncidentId>,
    pub text: String,
}

/// Incidents as listed, exported and imported.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct IncidentList {
    pub schema: String,
    pub incidents: Vec<Incident>,
    pub problems: Vec<Problem>,
}

/// An entry of a failure log: a draft of an anti-pattern with its number.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct PatternDraft {
    pub number: Option<u32>,
    pub title: String,
    pub category: Option<Category>,
    pub severity: Option<Severity>,
    /// Labelled fields in their order, as written.
    pub fields: Vec<(String, String)>,
}
