//! How often the hook itself failed, since when, and why last: one small file that a hook replaces.

use std::fs::DirBuilder;
use std::io::Read;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::place::{file_error, replace};

/// Largest file that is read, in bytes.
const BYTES_MAX: u64 = 16 * 1024;
/// Longest reason that is kept, in characters.
const WHY_CHARS_MAX: usize = 200;

/// Failures of the hook that nobody has looked after.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mishaps {
    pub count: u64,
    pub since: Timestamp,
    pub last: Timestamp,
    /// Whose protocol was spoken.
    pub agent: String,
    pub why: String,
}

fn file(home: &Path) -> PathBuf {
    home.join("guard").join("failures.json")
}

/// What is on record; nothing where the hook never failed.
pub fn read(home: &Path) -> Option<Mishaps> {
    let mut text = String::new();
    std::fs::File::open(file(home)).ok()?.take(BYTES_MAX).read_to_string(&mut text).ok()?;
    serde_json::from_str(&text).ok()
}

/// Counts one more; two hooks that fail at the same moment may count as one.
pub fn add(home: &Path, agent: &str, why: &str, now: Timestamp) -> Result<()> {
    let path = file(home);
    if let Some(folder) = path.parent() {
        DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(file_error("write", folder))?;
    }
    let known = read(home);
    let all = Mishaps {
        count: known.as_ref().map_or(0, |k| k.count).saturating_add(1),
        since: known.map_or(now, |k| k.since),
        last: now,
        agent: agent.to_owned(),
        why: why.chars().take(WHY_CHARS_MAX).collect(),
    };
    replace(&path, &serde_json::to_vec(&all)?)
}

/// Forgets them.
pub fn forget(home: &Path) -> Result<()> {
    match std::fs::remove_file(file(home)) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(file_error("remove", &file(home))(error)),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_are_counted_until_forgotten() {
        let home = tempfile::tempdir().unwrap();
        assert_eq!(read(home.path()), None);
        let at = |second| Timestamp::from_second(second).unwrap();
        add(home.path(), "claude", "a", at(10)).unwrap();
        add(home.path(), "codex", &"b".repeat(900), at(20)).unwrap();
        let known = read(home.path()).unwrap();
        assert_eq!((known.count, known.since, known.last, known.agent.as_str()), (2, at(10), at(20), "codex"));
        assert_eq!(known.why.len(), WHY_CHARS_MAX);
        forget(home.path()).unwrap();
        forget(home.path()).unwrap();
        assert_eq!(read(home.path()), None);
    }
}
