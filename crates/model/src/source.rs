//! A source of transcripts, and what is known of it from the last time it was read.

use serde::{Deserialize, Serialize};

/// Most parse issues of one source that are listed; more are counted.
pub const ISSUES_COUNT_MAX: usize = 1_000;

/// How far a source was read, and how to see whether it changed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SourceState {
    /// Absolute path.
    pub path: String,
    /// Agent that wrote it, as `--agent` names it; empty where nobody knows.
    pub agent: String,
    /// How it is read, where it is no file of lines.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub form: String,
    pub stamp: Stamp,
    /// Bytes that were read.
    pub offset: u64,
    /// Lines that were read, blank ones included.
    pub lines_read: u64,
    /// Hash of the last bytes before `offset`, in hex.
    pub tail: String,
    /// What the reader remembers of what it read, as it wrote it.
    pub reader: serde_json::Value,
    pub counts: SourceCounts,
    /// At most [`ISSUES_COUNT_MAX`].
    pub issues: Vec<SourceIssue>,
    /// Why it is not read; empty where it is.
    pub why: String,
    /// When it was found to be gone, as RFC 3339.
    pub gone_at: Option<String>,
}

/// What the filesystem says of a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stamp {
    /// In bytes.
    pub size: u64,
    /// Nanoseconds since the epoch.
    pub modified_ns: i64,
    pub inode: u64,
    pub device: u64,
}

/// What a source holds, before copies are dropped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceCounts {
    /// Lines that are not blank; where the format knows no lines, its records.
    pub lines: u64,
    pub messages: u64,
    pub tool_calls: u64,
    /// Records of a type that is not known.
    pub unknown: u64,
    pub parse_issues: u64,
}

impl std::ops::AddAssign for SourceCounts {
    fn add_assign(&mut self, other: SourceCounts) {
        self.lines += other.lines;
        self.messages += other.messages;
        self.tool_calls += other.tool_calls;
        self.unknown += other.unknown;
        self.parse_issues += other.parse_issues;
    }
}

/// A record that could not be parsed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceIssue {
    /// In bytes from the beginning of the file.
    pub offset: u64,
    /// In bytes.
    pub len: u64,
    pub reason: String,
}
