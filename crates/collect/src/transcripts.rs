//! Where agents keep their transcripts, and those that lie in databases.
//!
//! A file is found here and read elsewhere, line by line. A database is read here,
//! row by row, and only what changed since it was last read.

mod cursor;
mod database;
mod find;
mod named;
mod opencode;
mod opencode_tree;
mod retention;
mod under;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use coroner_model::entry::{Entry, RawPlace};
use coroner_read::transcript::batch::Batch;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use cursor::cursor;
pub use find::{aider_in, find, folders, folders_under, open_code_folder};
pub use named::folders_named;
pub use opencode::opencode;
pub use opencode_tree::opencode_tree;
pub use retention::{CLAUDE_RETENTION_DAYS, Retention, retention};
pub use under::find_under;

/// Messages of one batch.
const BATCH_MESSAGES_MAX: u64 = 128;
/// Bytes of JSON text of one batch, but for a single message that is longer.
const BATCH_BYTES_MAX: u64 = 4 * 1024 * 1024;
/// Longest value of a row that is read, in bytes.
const ROW_BYTES_MAX: u64 = 256 * 1024 * 1024;

/// One source of transcripts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    pub path: PathBuf,
    /// The agent's word (`claude`, `codex`, …); empty where it is not known.
    pub agent: &'static str,
    pub form: Form,
    /// In bytes, with what belongs to it.
    pub size: u64,
    pub modified: Option<Timestamp>,
    /// The path below the folder in which it was looked for.
    pub name: String,
}

/// How a source is to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Form {
    /// A file of lines, or one document.
    File,
    /// A file under zstd.
    Compressed,
    OpenCodeDatabase,
    /// The folder `storage` of the older layout.
    OpenCodeTree,
    CursorDatabase,
    /// What a person typed into a shell.
    ShellHistory,
    /// A report of a test runner, by its name and place.
    TestResults,
    /// `docker/logs/NAME.log`, as a casefile holds it.
    ContainerLog,
    /// `journalctl --output json`.
    Journal,
    /// Whatever it was when it was read before.
    Known,
    /// Nothing that can be read, and why.
    Skipped(&'static str),
}

/// What was there when a database was read; small, kept between two reads.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct DbState {
    /// Length and time of the database and of its log; empty where they may have changed unseen.
    pub stamp: Vec<(u64, i128)>,
    pub sessions: BTreeMap<String, Mark>,
}

/// How far a session had come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// Newest time of its rows, in milliseconds since 1970.
    pub updated_ms: i64,
    /// Number of its rows.
    pub rows: u64,
    /// Length of what is cheap to measure, in bytes.
    pub bytes: u64,
}

/// Why a database was not read.
#[derive(Debug, thiserror::Error)]
pub enum CollectError {
    #[error("{path} cannot be read: {reason}")]
    Unreadable { path: PathBuf, reason: String },
    #[error("{path} holds no table of {expected}")]
    Foreign { path: PathBuf, expected: &'static str },
    #[error("{path} changed while it was read")]
    Changed { path: PathBuf },
}

impl CollectError {
    /// What helps.
    pub fn hint(&self) -> &'static str {
        match self {
            CollectError::Unreadable { .. } => "check that the file is yours to read, and that its disk is well",
            CollectError::Foreign { .. } => "name the agent's own database",
            CollectError::Changed { .. } => "run it again",
        }
    }

    fn unreadable(path: &Path, reason: impl std::fmt::Display) -> CollectError {
        CollectError::Unreadable { path: path.to_owned(), reason: reason.to_string() }
    }
}

/// Sources in the order in which they are read: a resumed copy comes after its original.
fn sort(found: &mut [Found]) {
    found.sort_by(|a, b| (a.modified, &a.path).cmp(&(b.modified, &b.path)));
}

/// Entries on the way to the caller, handed over in bounded parts.
struct Outbox<'a> {
    each: &'a mut dyn FnMut(Batch),
    batch: Batch,
    bytes: u64,
}

impl<'a> Outbox<'a> {
    fn new(each: &'a mut dyn FnMut(Batch)) -> Outbox<'a> {
        Outbox { each, batch: Default::default(), bytes: 0 }
    }

    /// Says that a message was added, with that much text.
    fn added(&mut self, bytes: u64) {
        self.bytes += bytes;
        if self.bytes >= BATCH_BYTES_MAX || self.batch.entries.len() as u64 >= BATCH_MESSAGES_MAX {
            self.send();
        }
    }

    fn send(&mut self) {
        self.bytes = 0;
        let batch = std::mem::take(&mut self.batch);
        if batch != Default::default() {
            (self.each)(batch);
        }
    }
}

/// Counts a row whose text cannot be had, and says why.
fn unreadable(outbox: &mut Outbox<'_>, session: &str, id: &str, raw: RawPlace, reason: &str) {
    let entry = Entry { session: session.to_owned(), id: id.to_owned(), raw, ..Entry::default() };
    outbox.batch.counts.lines += 1;
    outbox.batch.issue(entry, reason, "");
}

fn too_long(outbox: &mut Outbox<'_>, session: &str, id: &str, bytes: u64, number: u64) {
    let raw = RawPlace { offset: 0, len: bytes, line: number };
    unreadable(outbox, session, id, raw, &format!("a row of {bytes} bytes is longer than what is read"));
}
