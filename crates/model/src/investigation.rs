//! The report of `investigate` (`coroner/investigation/v1`).

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::evidence::{Citation, Source};
use crate::id::PatternId;
use crate::probe::CouldNotLook;

/// The schema that an investigation carries.
pub const INVESTIGATION_SCHEMA: &str = "coroner/investigation/v1";

/// What a person saw go wrong.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Symptom {
    /// The words as given; empty where nothing was given.
    pub given: String,
    /// `url`, `service`, `error`, `log`, `time` or `none`.
    pub kind: SymptomKind,
    /// What is broken, in one sentence, from what was seen.
    pub observed: String,
    /// When it began, where evidence says so.
    pub onset: Option<Timestamp>,
    pub evidence: Vec<Citation>,
}

/// What kind of words a symptom was given in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum SymptomKind {
    Url,
    Service,
    Error,
    Log,
    Time,
    #[default]
    None,
}

/// How far a hypothesis is proven; by rule, never by feeling.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// A state check holds.
    Confirmed,
    /// Only a signature speaks for it.
    Likely,
    /// Nothing is proven; never presented as a cause.
    Open,
}

/// One reason for or against a hypothesis.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Reason {
    pub text: String,
    pub evidence: Vec<Citation>,
    /// How many lines matched, where more did than are cited.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<u64>,
}

/// What kind of change explains a cause.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ChangeKind {
    Command,
    Commit,
    FileChange,
    ImageChange,
}

/// The change that explains a cause; what is not known is null.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Change {
    pub kind: ChangeKind,
    pub at: Option<Timestamp>,
    pub session: Option<String>,
    /// `claude`, `codex`, …; a subagent is named after a slash.
    pub agent: Option<String>,
    pub tool_call: Option<String>,
    pub command: Option<String>,
    pub commit: Option<String>,
    pub path: Option<String>,
    pub evidence: Vec<Citation>,
}

/// Another cause that would look the same, and what tells them apart.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Lookalike {
    pub pattern: PatternId,
    pub title: String,
    /// `ruled-out`, `possible` or `holds`.
    pub verdict: LookalikeVerdict,
    /// Why, or what would tell them apart.
    pub text: String,
    pub evidence: Vec<Citation>,
}

/// What became of a look-alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum LookalikeVerdict {
    RuledOut,
    Possible,
    Holds,
}

/// One ranked cause.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Hypothesis {
    /// From 1.
    pub rank: u32,
    /// Null where no anti-pattern names it.
    pub pattern: Option<PatternId>,
    pub title: String,
    pub status: Status,
    /// Weight of evidence; higher is stronger. Only the order has a meaning.
    pub score: i64,
    /// The service, container or host part that it is about.
    pub component: String,
    pub because: Vec<Reason>,
    pub against: Vec<Reason>,
    pub explained_by: Option<Change>,
    pub lookalikes: Vec<Lookalike>,
    /// Markdown.
    pub remedy: String,
}

/// One moment on the timeline.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Event {
    pub at: Timestamp,
    /// `agent`, `docker`, `git`, `log`, `file`, `http`, `host` or `note`.
    pub source: String,
    pub text: String,
    pub evidence: Vec<Citation>,
}

/// One thing that was read, from when to when.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Coverage {
    pub source: Source,
    /// What was read.
    pub what: String,
    pub from: Option<Timestamp>,
    pub to: Option<Timestamp>,
    /// Lines, objects or files, in words.
    pub amount: String,
}

/// Step of the method (the seed's six) and what was done at it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Step {
    /// From 1 to 6.
    pub number: u32,
    pub title: String,
    pub done: Vec<String>,
}

/// The whole report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Investigation {
    pub schema: String,
    pub symptom: Symptom,
    pub hypotheses: Vec<Hypothesis>,
    pub timeline: Vec<Event>,
    pub steps: Vec<Step>,
    pub coverage: Vec<Coverage>,
    pub could_not_look: Vec<CouldNotLook>,
}
