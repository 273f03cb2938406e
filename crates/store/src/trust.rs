//! Files of a project that a person trusts, by the hash of what they held then.

use std::fs::{DirBuilder, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::journal::JOURNAL_FOLDER;
use crate::person::Person;
use crate::place::{file_error, read_small};

/// One trusted file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trusted {
    /// Absolute.
    pub path: String,
    /// BLAKE3 of its bytes, in hex.
    pub hash: String,
    pub at: Timestamp,
    /// Signature of the person, where one set a passphrase.
    #[serde(default)]
    pub signature: String,
}

impl Trusted {
    /// A file as it is now.
    pub fn of(path: &str, bytes: &[u8], at: Timestamp) -> Trusted {
        Trusted { path: path.to_owned(), hash: blake3::hash(bytes).to_hex().to_string(), at, signature: String::new() }
    }

    /// What is signed.
    pub fn message(&self) -> String {
        format!("coroner/trust/v1\n{}\n{}\n{}", self.path, self.hash, self.at)
    }
}

fn place(home: &Path) -> PathBuf {
    home.join(JOURNAL_FOLDER).join("trust.jsonl")
}

/// Every file that is trusted; where a person set a passphrase, only what is signed with it counts.
pub fn trusted(home: &Path) -> Result<Vec<Trusted>> {
    let Some(bytes) = read_small(&place(home))? else { return Ok(Vec::new()) };
    let person = Person::read(home)?;
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let all = text.lines().filter_map(|line| serde_json::from_str::<Trusted>(line).ok());
    Ok(all.filter(|t| person.as_ref().is_none_or(|p| p.signed(&t.message(), &t.signature))).collect())
}

/// Whether a file with these bytes is trusted; a changed file is not.
pub fn is_trusted(home: &Path, path: &str, bytes: &[u8]) -> bool {
    let hash = blake3::hash(bytes).to_hex();
    trusted(home).is_ok_and(|all| all.iter().any(|t| t.path == path && t.hash == hash.as_str()))
}

/// Keeps that a file is trusted.
pub fn trust(home: &Path, file: &Trusted) -> Result<()> {
    let path = place(home);
    let failed = |error| file_error("write", &path)(error);
    if let Some(folder) = path.parent() {
        DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(failed)?;
    }
    let mut line = serde_json::to_vec(file)?;
    line.push(b'\n');
    let mut out = OpenOptions::new().create(true).append(true).mode(0o600).open(&path).map_err(failed)?;
    out.write_all(&line).map_err(failed)?;
    out.sync_data().map_err(failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_changed_file_and_an_unsigned_word_are_not_trusted() {
        let home = tempfile::tempdir().unwrap();
        let at = Timestamp::UNIX_EPOCH;
        assert!(!is_trusted(home.path(), "/a", b"x"));
        trust(home.path(), &Trusted::of("/a", b"x", at)).unwrap();
        assert!(is_trusted(home.path(), "/a", b"x"));
        assert!(!is_trusted(home.path(), "/a", b"y") && !is_trusted(home.path(), "/b", b"x"));
        let person = Person::set(home.path(), "correct horse").unwrap();
        assert!(!is_trusted(home.path(), "/a", b"x"), "an unsigned word no longer counts");
        let mut file = Trusted::of("/a", b"x", at);
        file.signature = person.sign("correct horse", &file.message()).unwrap();
        trust(home.path(), &file).unwrap();
        assert!(is_trusted(home.path(), "/a", b"x"));
    }
}
