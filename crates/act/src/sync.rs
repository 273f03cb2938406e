//! Runs the real rsync with rules that were shown: first dry, for what it would do, then for real.

use std::ffi::OsString;
use std::io::Read;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Most bytes of rsync's answer that are read.
const ANSWER_BYTES_MAX: u64 = 256 * 1024 * 1024;

/// What is copied where, under which rules.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SyncRules {
    /// Absolute directories; the contents of the first go into the second.
    pub source: PathBuf,
    pub destination: PathBuf,
    /// Anchored patterns of what is left alone on both sides.
    pub excludes: Vec<String>,
    /// Whether the destination loses what the source does not have.
    pub deletes: bool,
}

/// What rsync says that it would do, paths relative to the destination.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Told {
    pub added: Vec<PathBuf>,
    pub changed: Vec<PathBuf>,
    pub deleted: Vec<PathBuf>,
}

/// Why rsync gave no answer.
#[derive(Debug, thiserror::Error)]
pub enum SyncError {
    #[error("rsync cannot be run: {because}")]
    Absent { because: std::io::Error },
    #[error("rsync ended with {status}: {said}")]
    Failed { status: String, said: String },
    #[error("rsync says more than {ANSWER_BYTES_MAX} bytes")]
    TooMuch,
}

impl SyncRules {
    /// The words after `rsync`; without the dry run they are what is run.
    pub fn arguments(&self, dry: bool) -> Vec<OsString> {
        let mut words: Vec<OsString> = vec!["--archive".into()];
        if dry {
            words.extend([
                "--dry-run".into(),
                "--itemize-changes".into(),
                "--out-format=%i %n".into(),
                "--8-bit-output".into(),
            ]);
        }
        if self.deletes {
            words.push("--delete".into());
        }
        words.extend(self.excludes.iter().map(|rule| format!("--exclude={rule}").into()));
        words.push("--".into());
        for path in [&self.source, &self.destination] {
            let mut word = path.as_os_str().to_owned();
            word.push("/");
            words.push(word);
        }
        words
    }

    /// What the real rsync would do; changes nothing.
    pub fn ask(&self) -> Result<Told, SyncError> {
        Ok(read(&run(&self.arguments(true))?))
    }

    /// Does it.
    pub fn apply(&self) -> Result<(), SyncError> {
        run(&self.arguments(false)).map(drop)
    }
}

fn run(words: &[OsString]) -> Result<Vec<u8>, SyncError> {
    let mut child = Command::new("rsync")
        .args(words)
        // Options of the environment would be rules that nobody was shown.
        .env_remove("RSYNC_RSH")
        .env_remove("RSYNC_PARTIAL_DIR")
        .env("LC_ALL", "C")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|because| SyncError::Absent { because })?;
    let errors = child.stderr.take();
    let said = std::thread::spawn(move || {
        let mut text = Vec::new();
        if let Some(errors) = errors {
            let _ = errors.take(ANSWER_BYTES_MAX).read_to_end(&mut text);
        }
        text
    });
    let mut answer = Vec::new();
    if let Some(out) = child.stdout.take() {
        out.take(ANSWER_BYTES_MAX).read_to_end(&mut answer).map_err(|because| SyncError::Absent { because })?;
    }
    if answer.len() as u64 >= ANSWER_BYTES_MAX {
        let _ = child.kill();
        let _ = child.wait();
        return Err(SyncError::TooMuch);
    }
    let status = child.wait().map_err(|because| SyncError::Absent { because })?;
    let said = String::from_utf8_lossy(&said.join().unwrap_or_default()).trim().to_owned();
    match status.success() {
        true => Ok(answer),
        false => Err(SyncError::Failed { status: status.to_string(), said }),
    }
}

/// Reads `%i %n` lines: `>f+++++++++ path`, `>f.st...... path`, `*deleting   path`.
fn read(answer: &[u8]) -> Told {
    let mut told = Told::default();
    for line in answer.split(|b| *b == b'\n') {
        let (Some(item), Some(rest)) = (line.get(..11), line.get(12..)) else { continue };
        // Some of what rsync has to say to a person stands between the lines.
        if item != b"*deleting  " && !b"fdLDS".contains(&item[1]) {
            continue;
        }
        let path = path_of(rest);
        if path.as_os_str().is_empty() || path == Path::new(".") {
            continue;
        }
        match item {
            b"*deleting  " => told.deleted.push(path),
            // A directory whose time alone differs is no change of what it holds.
            [b'.' | b'c', b'd', b'.', ..] => {}
            [b'c' | b'>' | b'<' | b'h', kind, b'+', ..] if *kind != b'd' => told.added.push(path),
            [b'c', b'd', b'+', ..] => told.added.push(path),
            [b'>' | b'<' | b'c' | b'h', ..] => told.changed.push(path),
            // Owner, mode or time of a file.
            [b'.', _, ..] if item[2..].iter().any(|b| b.is_ascii_alphabetic()) => told.changed.push(path),
            _ => {}
        }
    }
    told.added.sort();
    told.changed.sort();
    told.deleted.sort();
    told
}

/// A name as rsync prints it: `\#012` for a line feed and the like.
fn path_of(printed: &[u8]) -> PathBuf {
    let mut out = Vec::with_capacity(printed.len());
    let mut at = 0;
    while at < printed.len() {
        let digits = printed.get(at + 2..at + 5).filter(|d| d.iter().all(|b| (b'0'..=b'7').contains(b)));
        let number = digits.and_then(|d| u8::from_str_radix(std::str::from_utf8(d).ok()?, 8).ok());
        match (printed[at..].starts_with(b"\\#"), number) {
            (true, Some(byte)) => {
                out.push(byte);
                at += 5;
            }
            _ => {
                out.push(printed[at]);
                at += 1;
            }
        }
    }
    while out.len() > 1 && out.last() == Some(&b'/') {
        out.pop();
    }
    PathBuf::from(OsString::from_vec(out))
}

/// A path below the root of a transfer as an anchored rule that means it alone.
pub fn anchored(relative: &str) -> String {
    let special = relative.contains(['*', '?', '[']);
    let mut rule = String::from("/");
    for c in relative.trim_matches('/').chars() {
        if special && matches!(c, '*' | '?' | '[' | '\\') {
            rule.push('\\');
        }
        rule.push(c);
    }
    rule
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_kinds_are_read() {
        let told = read(b">f+++++++++ new file\n>f.st...... old\n*deleting   gone/\n.d..t...... ./\ncd+++++++++ dir/\n.f...p..... mode\ncL+++++++++ link -> x\n>f+++++++++ a\\#012b\ncannot delete non-empty directory: data\n");
        assert_eq!(told.deleted, [PathBuf::from("gone")]);
        assert!(!told.changed.iter().any(|p| p.to_string_lossy().contains("directory")));
        assert_eq!(told.changed, [PathBuf::from("mode"), PathBuf::from("old")]);
        assert!(told.added.contains(&PathBuf::from("a\nb")) && told.added.contains(&PathBuf::from("dir")));
    }

    #[test]
    fn a_rule_means_one_path() {
        assert_eq!(anchored("a/b c"), "/a/b c");
        assert_eq!(anchored("a*[b"), "/a\\*\\[b");
        assert_eq!(anchored("a\\b"), "/a\\b");
    }
}
