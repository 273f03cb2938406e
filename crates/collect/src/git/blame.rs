//! Which commit brought a line.

use std::path::Path;

use gix::bstr::ByteSlice;
use jiff::Timestamp;

use super::copy::WorkTree;

/// The commit that brought a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blamed {
    /// Hex.
    pub commit: String,
    pub author: String,
    pub at: Option<Timestamp>,
    /// First line of its message.
    pub subject: String,
}

impl WorkTree {
    /// The commit that brought a line of a file (1-based, as the file lies there); `None`
    /// where the line is in no commit, or the history cannot be read.
    pub fn blame(&self, path: &Path, line: u32) -> Option<Blamed> {
        let below = path.strip_prefix(self.top()).ok()?;
        let name = gix::bstr::BStr::new(below.as_os_str().as_encoded_bytes());
        let repository = self.repository();
        let head = repository.head_commit().ok()?;
        let tree = head.tree().ok()?;
        let blob = tree.lookup_entry_by_path(below).ok()??.object().ok()?;
        let line = committed_line(&std::fs::read(path).ok()?, &blob.data, line)?;
        let ranges = gix::blame::BlameRanges::from_one_based_inclusive_range(line..=line).ok()?;
        let options = gix::repository::blame_file::Options { ranges, ..Default::default() };
        let outcome = repository.blame_file(name, head.id, options).ok()?;
        let commit = repository.find_commit(outcome.entries.first()?.commit_id).ok()?;
        let author = commit.author().ok()?;
        let seconds = author.time().ok().map(|time| time.seconds);
        Some(Blamed {
            commit: commit.id.to_string(),
            author: author.name.to_str_lossy().into_owned(),
            at: seconds.and_then(|seconds| Timestamp::from_second(seconds).ok()),
            subject: commit.message().ok().map(|m| m.summary().to_str_lossy().into_owned()).unwrap_or_default(),
        })
    }
}

/// The number that a line of the work tree has in the commit: the same text, the nearest place.
fn committed_line(now: &[u8], committed: &[u8], line: u32) -> Option<u32> {
    let wanted = now.lines().nth(line.checked_sub(1)? as usize)?;
    let places = committed.lines().enumerate().filter(|(_, text)| *text == wanted);
    let numbers = places.filter_map(|(index, _)| u32::try_from(index + 1).ok());
    numbers.min_by_key(|number| number.abs_diff(line))
}
