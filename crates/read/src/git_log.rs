//! Reads `git log --stat --date=iso-strict`: commits with the files that each changed.

use coroner_model::{Citation, Document};
use jiff::Timestamp;

/// One commit.
#[derive(Clone, Debug, PartialEq)]
pub struct Commit {
    pub id: String,
    pub at: Option<Timestamp>,
    pub author: String,
    pub subject: String,
    /// Paths relative to the repository; of a rename the new one.
    pub files: Vec<String>,
    /// The line that names the commit.
    pub cited: Citation,
}

/// The commits of a log, in its order.
pub fn read(document: &Document) -> Vec<Commit> {
    let mut all: Vec<Commit> = Vec::new();
    for (index, line) in document.text.as_str().lines().enumerate() {
        if let Some(id) = commit_line(line) {
            let cited = document.cite_text_at(document.first_line + index as u64, line);
            all.push(Commit { id, at: None, author: String::new(), subject: String::new(), files: Vec::new(), cited });
            continue;
        }
        let Some(commit) = all.last_mut() else { continue };
        if let Some(author) = line.strip_prefix("Author:") {
            commit.author = author.trim().to_owned();
        } else if let Some(date) = line.strip_prefix("Date:").or_else(|| line.strip_prefix("CommitDate:")) {
            commit.at = date.trim().parse().ok();
        } else if let Some(message) = line.strip_prefix("    ") {
            if commit.subject.is_empty() {
                commit.subject = message.trim().to_owned();
            }
        } else if let Some(path) = stat_path(line) {
            commit.files.push(path);
        }
    }
    all
}

fn commit_line(line: &str) -> Option<String> {
    let id = line.strip_prefix("commit ")?.split_whitespace().next()?;
    (id.len() >= 7 && id.bytes().all(|b| b.is_ascii_hexdigit())).then(|| id.to_owned())
}

/// The path of a line such as ` src/{old => new}/a.rs | 3 ++-`.
fn stat_path(line: &str) -> Option<String> {
    let (path, change) = line.strip_prefix(' ')?.rsplit_once(" | ")?;
    let counted =
        change.trim_start().starts_with(|c: char| c.is_ascii_digit()) || change.trim_start().starts_with("Bin");
    if !counted {
        return None;
    }
    let path = path.trim();
    let Some((before, rest)) = path.split_once('{') else {
        return Some(path.rsplit(" => ").next().unwrap_or(path).to_owned());
    };
    let (inner, after) = rest.split_once('}')?;
    let new = inner.rsplit(" => ").next().unwrap_or(inner);
    Some(format!("{before}{new}{after}").replace("//", "/"))
}
