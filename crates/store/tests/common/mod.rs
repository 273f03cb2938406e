//! Stores and evidence for the suites.
#![allow(dead_code, clippy::unwrap_used)]

use coroner_model::{Citation, ContentHash, Evidence, Redactor, Source};
use coroner_store::Store;
use jiff::Timestamp;

/// So many seconds after the beginning of 2026.
pub fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_767_225_600 + seconds).unwrap()
}

/// A new store in a folder of its own.
pub fn open() -> (tempfile::TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    (folder, store)
}

/// A log line, observed at second `n`.
pub fn evidence(n: usize) -> Evidence {
    with_text(n, &format!("line {n} of the worker says it is done"))
}

/// Evidence with a content of that many bytes.
pub fn sized(n: usize, bytes: usize) -> Evidence {
    with_text(n, &format!("{n:06} ").repeat(bytes / 7))
}

/// Evidence whose id is the same each time.
pub fn secretless() -> Evidence {
    evidence(999_999)
}

/// Evidence at line `n` with that text.
pub fn with_text(n: usize, text: &str) -> Evidence {
    let locator = format!("docker/logs/worker.log:{n}");
    let citation = Citation::new(Source::ContainerLog, locator.clone(), text.to_owned());
    Evidence {
        id: citation.id,
        source: Source::ContainerLog,
        locator,
        observed_at: Some(at(n as i64)),
        host: "box".into(),
        hash: ContentHash::sha256(text.as_bytes()),
        content: Redactor::new([7; 32]).redact(text),
    }
}
