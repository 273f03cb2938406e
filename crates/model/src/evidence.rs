//! Evidence: one observed fact, where it was seen, when, on which host, with its hash.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::id::EvidenceId;
use crate::redact::Redacted;

/// What kind of place an observation came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Source {
    /// A file of the host or repository.
    File,
    /// Output of a container, as the engine keeps it.
    ContainerLog,
    /// Any other log.
    Log,
    /// The journal or kernel ring.
    Journal,
    /// What the container engine says of its objects.
    Docker,
    /// What the host says of itself: disk, listeners, mounts, users.
    Host,
    /// A request and its answer.
    Http,
    /// What a reverse proxy says of its routes.
    Proxy,
    /// Commits, status, stashes.
    Git,
    /// An agent's transcript.
    Session,
    /// Schema and counts of a database.
    Database,
    /// Output of a test run.
    Test,
    /// A listing of backups.
    Backup,
    /// Alert rules, series and states.
    Metrics,
    /// What a person noted.
    Note,
}

impl Source {
    /// The word as it stands in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Source::File => "file",
            Source::ContainerLog => "container-log",
            Source::Log => "log",
            Source::Journal => "journal",
            Source::Docker => "docker",
            Source::Host => "host",
            Source::Http => "http",
            Source::Proxy => "proxy",
            Source::Git => "git",
            Source::Session => "session",
            Source::Database => "database",
            Source::Test => "test",
            Source::Backup => "backup",
            Source::Metrics => "metrics",
            Source::Note => "note",
        }
    }

    /// The source of a casefile path such as `docker/logs/api.log`.
    pub fn of_path(path: &str) -> Source {
        let (top, rest) = path.split_once('/').unwrap_or((path, ""));
        match top {
            "docker" if rest.starts_with("logs/") => Source::ContainerLog,
            "docker" => Source::Docker,
            "logs" => Source::Log,
            "host" if rest == "journal.jsonl" || rest == "dmesg.txt" => Source::Journal,
            "host" if rest == "annotations.tsv" => Source::Note,
            "host" => Source::Host,
            "http" => Source::Http,
            "proxy" => Source::Proxy,
            "git" => Source::Git,
            "sessions" => Source::Session,
            "postgres" => Source::Database,
            "tests" => Source::Test,
            "backups" => Source::Backup,
            "prometheus" => Source::Metrics,
            _ => Source::File,
        }
    }
}

impl std::fmt::Display for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}

/// What stands for the raw bytes.
///
/// Where a secret was taken out the plain hash would let a weak secret be
/// guessed, so a keyed hash stands instead (the key never leaves the store).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ContentHash {
    /// SHA-256 of the raw bytes, 64 hex digits; nothing was redacted.
    Sha256(String),
    /// Keyed BLAKE3 of the raw bytes, 64 hex digits; something was redacted.
    Hmac(String),
}

impl ContentHash {
    /// SHA-256 of raw bytes in which nothing was redacted.
    pub fn sha256(raw: &[u8]) -> ContentHash {
        ContentHash::Sha256(hex(&Sha256::digest(raw)))
    }

    /// Keyed hash of raw bytes from which something was redacted.
    pub fn hmac(key: &[u8; 32], raw: &[u8]) -> ContentHash {
        ContentHash::Hmac(blake3::keyed_hash(key, raw).to_hex().to_string())
    }
}

/// Lower-case hex digits of some bytes.
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut out, byte| {
        let _ = write!(out, "{byte:02x}");
        out
    })
}

/// One answered probe: redacted text as it would lie at `path` in a casefile.
///
/// This is the hinge of the house. Whoever looked (a live collector or a
/// casefile), what was seen is text at a casefile path; readers turn it into
/// facts and reports cite it as `path:line`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Document {
    /// Casefile path, `-` for standard input, or the name a log was given by.
    pub path: String,
    /// When it was observed; `None` where the casefile does not say.
    pub observed_at: Option<Timestamp>,
    /// The host it was seen on; empty where unknown.
    pub host: String,
    /// The text, secrets taken out.
    pub text: Redacted,
    /// What stands for the raw bytes.
    pub hash: ContentHash,
    /// Bytes left out because a bound was hit; 0 where all was read.
    pub bytes_left_out: u64,
    /// 1-based number of the first line of `text` in the whole file, for tails.
    pub first_line: u64,
}

impl Document {
    /// The source that the path implies.
    pub fn source(&self) -> Source {
        Source::of_path(&self.path)
    }

    /// Cites one line, 1-based as in the whole file.
    pub fn cite_line(&self, line: u64) -> Citation {
        let index = line.saturating_sub(self.first_line) as usize;
        let text = self.text.as_str().lines().nth(index).unwrap_or("");
        self.cite_text_at(line, text)
    }

    /// Cites one line whose text is already at hand (a piece of this document).
    pub fn cite_text_at(&self, line: u64, text: &str) -> Citation {
        Citation::new(self.source(), format!("{}:{line}", self.path), excerpt(text))
    }

    /// Cites a place inside structured text: `docker/inspect.json#/0/State`.
    pub fn cite_pointer(&self, pointer: &str, text: &str) -> Citation {
        Citation::new(self.source(), format!("{}#{pointer}", self.path), excerpt(text))
    }

    /// Cites the document as a whole.
    pub fn cite_whole(&self, text: &str) -> Citation {
        Citation::new(self.source(), self.path.clone(), excerpt(text))
    }
}

/// Longest excerpt in a citation, in characters.
pub const EXCERPT_CHARS_MAX: usize = 400;

/// A bounded, single-line piece of text that is redacted already.
fn excerpt(text: &str) -> String {
    let clean: String = text.chars().map(|c| if c.is_control() && c != '\n' { ' ' } else { c }).collect();
    let clean = clean.trim_end();
    if clean.chars().count() <= EXCERPT_CHARS_MAX {
        return clean.to_owned();
    }
    let cut: String = clean.chars().take(EXCERPT_CHARS_MAX).collect();
    format!("{cut}…")
}

/// An evidence entry as every report shows it: where, and the redacted excerpt.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub struct Citation {
    /// Over source, locator and text: the same observation has the same id.
    pub id: EvidenceId,
    /// Kind of place.
    pub source: Source,
    /// `path:line`, `path:from-to`, `path#/pointer` or `path`.
    pub locator: String,
    /// The redacted excerpt, at most [`EXCERPT_CHARS_MAX`] characters.
    pub text: String,
}

impl Citation {
    /// Makes an entry; `text` must come out of redacted text.
    pub fn new(source: Source, locator: String, text: String) -> Citation {
        let mut hasher = blake3::Hasher::new();
        for part in [source.as_str(), &locator, &text] {
            hasher.update(part.as_bytes());
            hasher.update(&[0]);
        }
        let id = EvidenceId::new(&hasher.finalize().to_hex().as_str()[..12]);
        Citation { id, source, locator, text }
    }
}

/// One observed fact as the store keeps it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// Id of the citation that it backs.
    pub id: EvidenceId,
    /// Kind of place.
    pub source: Source,
    /// Where exactly.
    pub locator: String,
    /// When it was observed; `None` where nobody knows.
    pub observed_at: Option<Timestamp>,
    /// On which host; empty where unknown.
    pub host: String,
    /// What stands for the raw bytes of the document it is a part of.
    pub hash: ContentHash,
    /// The redacted content.
    pub content: Redacted,
}
