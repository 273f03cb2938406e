//! What a snapshot says of itself: a small head for the list, and one line an entry.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::UndoError;

/// The schema that a head carries.
pub const UNDO_SCHEMA: &str = "coroner/undo/v1";
/// Largest head that is read, in bytes.
const HEAD_BYTES_MAX: u64 = 4 * 1024 * 1024;
/// Largest list of entries that is read, in bytes.
const ENTRIES_BYTES_MAX: u64 = 64 * 1024 * 1024;
const HEAD: &str = "head.json";
const ENTRIES: &str = "entries.jsonl";

/// What the list shows of a snapshot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    pub schema: String,
    pub id: String,
    pub at: Timestamp,
    #[serde(default)]
    pub session: Option<String>,
    #[serde(default)]
    pub agent: Option<String>,
    /// The subagent whose call it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent_type: Option<String>,
    /// First line of the command, redacted.
    pub command: String,
    #[serde(default)]
    pub cwd: String,
    /// Paths that the command named, or that were found for it.
    pub roots: Vec<Name>,
    pub files: usize,
    /// Bytes of the kept content.
    pub bytes: u64,
    /// Bytes of it that take space of their own.
    pub bytes_copied: u64,
    #[serde(default)]
    pub refs: Vec<Ref>,
    /// What was not kept, and why; bounded.
    #[serde(default)]
    pub left_out: Vec<LeftOut>,
    /// How many were not kept.
    #[serde(default)]
    pub left_out_count: usize,
}

/// Something that was not kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftOut {
    pub path: Name,
    pub why: String,
}

/// A commit that is held by a reference of Coroner's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ref {
    /// The directory of the repository.
    pub repository: Name,
    /// What led to it: `refs/heads/NAME`, `refs/stash` or `HEAD`.
    pub name: String,
    pub commit: String,
    /// The reference that holds it now.
    pub kept_as: String,
    /// A stash's own words.
    #[serde(default)]
    pub message: String,
}

/// One path as it was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    pub path: Name,
    pub kind: Kind,
    /// Whether the command takes the name away; otherwise it changes what is in it.
    pub removed: bool,
    /// Permission bits with set-user-id, set-group-id and sticky.
    pub mode: u32,
    pub uid: u32,
    pub gid: u32,
    /// Seconds and nanoseconds of the last change.
    pub mtime: (i64, i64),
    pub bytes: u64,
    /// Where the content is; names that were hard links of each other share it.
    #[serde(default)]
    pub stored: Option<Stored>,
    /// Where a symbolic link leads.
    #[serde(default)]
    pub link: Option<Name>,
    /// The owner that was given instead, where only that changes.
    #[serde(default)]
    pub given: Option<Owner>,
}

/// Owner and group, by number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owner {
    pub uid: u32,
    pub gid: u32,
}

/// What an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    File,
    Directory,
    Link,
    /// Only its owner changes.
    Owner,
}

/// Kept content.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stored {
    /// Number of the file in the snapshot.
    pub number: usize,
    pub how: How,
}

/// How content is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum How {
    /// Another name of the same file; only where the name goes and the content stays.
    HardLink,
    /// A copy that shares blocks until one side changes.
    Clone,
    Copy,
}

/// A path that may be no UTF-8: plain text, or its bytes in hexadecimal digits.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Name {
    Text(String),
    Bytes { hex: String },
}

impl From<&Path> for Name {
    fn from(path: &Path) -> Name {
        match path.to_str() {
            Some(text) => Name::Text(text.to_owned()),
            None => Name::Bytes { hex: path.as_os_str().as_bytes().iter().map(|b| format!("{b:02x}")).collect() },
        }
    }
}

impl Name {
    /// The path; empty where the digits are none.
    pub fn path(&self) -> PathBuf {
        match self {
            Name::Text(text) => PathBuf::from(text),
            Name::Bytes { hex } => {
                let digit = |i: usize| hex.get(i..i + 2).and_then(|pair| u8::from_str_radix(pair, 16).ok());
                let bytes: Option<Vec<u8>> = (0..hex.len()).step_by(2).map(digit).collect();
                PathBuf::from(OsString::from_vec(bytes.unwrap_or_default()))
            }
        }
    }
}

impl std::fmt::Display for Name {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // A name may hold a line feed or an escape; a list must not be broken by it.
        let path = self.path();
        let text = path.to_string_lossy();
        f.write_str(&text.chars().map(|c| if c.is_control() { '?' } else { c }).collect::<String>())
    }
}

pub(super) fn write(folder: &Path, head: &Head, entries: &[Entry]) -> Result<(), UndoError> {
    let failed = |error: serde_json::Error| UndoError::Write { path: folder.to_path_buf(), because: error.into() };
    let mut lines = Vec::new();
    for entry in entries {
        serde_json::to_writer(&mut lines, entry).map_err(failed)?;
        lines.push(b'\n');
    }
    super::write_private(&folder.join(ENTRIES), &lines)?;
    super::write_private(&folder.join(HEAD), &serde_json::to_vec(head).map_err(failed)?)
}

pub(super) fn head(folder: &Path) -> Result<Head, UndoError> {
    let path = folder.join(HEAD);
    let failed = |because: String| UndoError::Read { path: path.clone(), because };
    let file = fs::File::open(&path).map_err(|e| failed(e.to_string()))?;
    let head: Head =
        serde_json::from_reader(BufReader::new(file.take(HEAD_BYTES_MAX))).map_err(|e| failed(e.to_string()))?;
    // The folder's own name is what everything else goes by.
    if folder.file_name() != Some(OsStr::new(&head.id)) {
        return Err(failed(format!("it calls itself {}", head.id)));
    }
    Ok(head)
}

pub(super) fn entries(folder: &Path) -> Result<Vec<Entry>, UndoError> {
    let path = folder.join(ENTRIES);
    let failed = |because: String| UndoError::Read { path: path.clone(), because };
    let file = fs::File::open(&path).map_err(|e| failed(e.to_string()))?;
    BufReader::new(file.take(ENTRIES_BYTES_MAX))
        .lines()
        .map(|line| {
            let line = line.map_err(|e| failed(e.to_string()))?;
            serde_json::from_str(&line).map_err(|e| failed(e.to_string()))
        })
        .collect()
}
