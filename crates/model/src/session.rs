//! What an agent did: sessions, messages, tool calls.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::id::{SessionId, ToolCallId};

/// One agent session, or one subagent's part of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    pub id: SessionId,
    /// Which agent wrote it: `claude`, `codex`, …
    pub agent: String,
    /// Casefile path of the transcript.
    pub path: String,
    /// The subagent's own id and kind, where it is one.
    pub subagent: Option<Subagent>,
    pub title: String,
    pub cwd: String,
    pub started: Option<Timestamp>,
    pub ended: Option<Timestamp>,
    pub messages: Vec<Message>,
    pub calls: Vec<ToolCall>,
    pub issues: Vec<ParseIssue>,
}

/// Which subagent of a session acted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subagent {
    pub id: String,
    /// Its kind or name where the transcript says so, else empty.
    pub kind: String,
}

/// Who speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    User,
    Assistant,
    System,
    Tool,
}

impl Role {
    /// The word as it stands in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Role::User => "user",
            Role::Assistant => "assistant",
            Role::System => "system",
            Role::Tool => "tool",
        }
    }
}

/// One message; its text is redacted because the document was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    pub id: String,
    pub role: Role,
    pub at: Option<Timestamp>,
    /// 1-based line of the transcript.
    pub line: u64,
    pub text: String,
}

/// What became of a tool call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CallStatus {
    Ok,
    /// It ran and failed.
    Error,
    /// It never ran: a person or a hook refused it, or the tool refused its input.
    Rejected,
    /// It may have run in part.
    Interrupted,
    Background,
    #[default]
    Unknown,
}

impl CallStatus {
    /// The word as it stands in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            CallStatus::Ok => "ok",
            CallStatus::Error => "error",
            CallStatus::Rejected => "rejected",
            CallStatus::Interrupted => "interrupted",
            CallStatus::Background => "background",
            CallStatus::Unknown => "unknown",
        }
    }
}

/// One tool call.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToolCall {
    pub id: ToolCallId,
    /// 1-based place among the calls of its transcript.
    pub number: u64,
    pub tool: String,
    /// Shell text, where the tool runs a shell.
    pub command: Option<String>,
    /// The raw input, redacted.
    pub input: serde_json::Value,
    pub cwd: String,
    pub at: Option<Timestamp>,
    pub ended: Option<Timestamp>,
    /// 1-based line of the transcript that holds the call.
    pub line: u64,
    pub status: CallStatus,
    pub exit_code: Option<i64>,
    /// Bounded, redacted.
    pub output: String,
}

/// A record that could not be parsed: counted and kept, never dropped.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ParseIssue {
    pub path: String,
    /// Byte offset in the document's text.
    pub offset: u64,
    /// Length in bytes.
    pub length: u64,
    pub reason: String,
}
