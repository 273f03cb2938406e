//! Transcripts of Claude Code as they lie on disk, subagents included.

use std::io::Read;
use std::path::{Path, PathBuf};

use coroner_model::Why;
use ignore::WalkBuilder;
use jiff::Timestamp;

use super::{Inner, Raw, blocked};
use crate::casefile::obstacle;
use crate::named_log;
use crate::seen::Seen;

/// Levels below `projects`: project, session, `subagents`, `workflows`, its id.
const LEVELS_MAX: usize = 7;
/// Bytes at the beginning of a transcript in which its first time must stand.
const HEAD_BYTES_MAX: u64 = 256 * 1024;

struct Transcript {
    path: PathBuf,
    modified: Timestamp,
}

/// Every transcript with a line inside the window, newest first within the bound.
pub(super) fn transcripts(inner: &Inner, since: Option<Timestamp>, until: Option<Timestamp>) -> Raw {
    let base = inner.env("CLAUDE_CONFIG_DIR").map_or_else(|| inner.settings.home.join(".claude"), PathBuf::from);
    let projects = base.join("projects");
    if let Err(error) = std::fs::read_dir(&projects) {
        return Err(match error.kind() {
            std::io::ErrorKind::NotFound => {
                obstacle(Why::Absent, format!("no transcripts: {} is not there", projects.display()))
            }
            _ => blocked(&projects, &error),
        });
    }
    let mut found = find(inner, &projects, since);
    found.sort_by(|a, b| b.modified.cmp(&a.modified).then_with(|| a.path.cmp(&b.path)));
    let mut left = inner.limits.answer_bytes_max;
    let mut seen = Vec::new();
    for transcript in found.iter().filter(|transcript| begins_before(&transcript.path, until)) {
        seen.push(read(inner, &projects, &transcript.path, &mut left));
    }
    seen.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(seen)
}

fn find(inner: &Inner, projects: &Path, since: Option<Timestamp>) -> Vec<Transcript> {
    let walk =
        WalkBuilder::new(projects).standard_filters(false).follow_links(false).max_depth(Some(LEVELS_MAX)).build();
    walk.flatten()
        .take(inner.limits.entries_max)
        .filter(|entry| is_transcript(entry.path()))
        .filter_map(|entry| {
            let modified = Timestamp::try_from(entry.metadata().ok()?.modified().ok()?).ok()?;
            // A file that was last written before the window holds no line of it.
            since.is_none_or(|since| modified >= since).then(|| Transcript { path: entry.into_path(), modified })
        })
        .collect()
}

/// A transcript, or the note beside a subagent's that says what kind it is.
fn is_transcript(path: &Path) -> bool {
    let name = path.file_name().map(|n| n.to_string_lossy()).unwrap_or_default();
    name.ends_with(".jsonl") || name.ends_with(".meta.json")
}

/// Whether the first time in a transcript lies before the end of the window.
fn begins_before(path: &Path, until: Option<Timestamp>) -> bool {
    let Some(until) = until else { return true };
    first_time(path).is_none_or(|first| first <= until)
}

fn first_time(path: &Path) -> Option<Timestamp> {
    let mut head = Vec::new();
    std::fs::File::open(path).ok()?.take(HEAD_BYTES_MAX).read_to_end(&mut head).ok()?;
    let text = String::from_utf8_lossy(&head);
    let key = "\"timestamp\":\"";
    let start = text.find(key)? + key.len();
    text[start..].split('"').next()?.parse().ok()
}

fn read(inner: &Inner, projects: &Path, path: &Path, left: &mut u64) -> Seen {
    let name = format!("sessions/{}", path.strip_prefix(projects).unwrap_or(path).display());
    let bytes = std::fs::metadata(path).map_or(0, |meta| meta.len());
    let unread = Seen { path: name.clone(), bytes_left_out: bytes.max(1), ..Seen::text("", "") };
    if bytes.min(inner.limits.log_bytes_max) > *left {
        return unread;
    }
    match named_log::read(&path.to_string_lossy(), &inner.limits) {
        Ok(mut seen) => {
            *left = left.saturating_sub(seen.raw.len() as u64);
            seen.path = name;
            seen
        }
        Err(_) => unread,
    }
}
