//! Transcripts of agents as they lie on disk, subagents included.

use std::io::Read;
use std::path::Path;

use coroner_model::Why;
use jiff::Timestamp;

use super::{Inner, Raw};
use crate::casefile::{obstacle, read_bounded};
use crate::named_log;
use crate::seen::Seen;
use crate::transcripts::{self, Form, Found};

/// Bytes at the beginning of a transcript in which its first time must stand.
const HEAD_BYTES_MAX: u64 = 256 * 1024;

/// Every transcript with a line inside the window, newest first within the bound.
pub(super) fn transcripts(inner: &Inner, since: Option<Timestamp>, until: Option<Timestamp>) -> Raw {
    let root = super::files::project_root(&inner.settings.cwd);
    let mut found = transcripts::find(&inner.settings.home, &inner.settings.env, &[root]);
    // What lies in a database has no lines that a case could hold.
    found.retain(|one| matches!(one.form, Form::File | Form::Compressed));
    if found.is_empty() {
        let detail = format!("no transcripts of an agent under {}", inner.settings.home.display());
        return Err(obstacle(Why::Absent, detail));
    }
    found.truncate(inner.limits.entries_max);
    // A file that was last written before the window holds no line of it.
    found.retain(|one| since.is_none_or(|since| one.modified.is_none_or(|at| at >= since)));
    let mut left = inner.limits.answer_bytes_max;
    let newest_first = found.iter().rev().filter(|one| begins_before(&one.path, until));
    let mut seen: Vec<Seen> = newest_first.map(|one| read(inner, one, &mut left)).collect();
    seen.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(seen)
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

/// The casefile path of a transcript; those of Claude Code have none of the agent's name in it.
fn name(found: &Found) -> String {
    let name = found.name.strip_suffix(".zst").filter(|_| found.form == Form::Compressed).unwrap_or(&found.name);
    match found.agent {
        "claude" => format!("sessions/{name}"),
        agent => format!("sessions/{agent}/{name}"),
    }
}

fn read(inner: &Inner, found: &Found, left: &mut u64) -> Seen {
    let name = name(found);
    let unread = Seen { path: name.clone(), bytes_left_out: found.size.max(1), ..Seen::text("", "") };
    if found.size.min(inner.limits.log_bytes_max) > *left {
        return unread;
    }
    let seen = match found.form {
        Form::Compressed => unpacked(&found.path, inner.limits.log_bytes_max.min(*left)),
        _ => named_log::read(&found.path.to_string_lossy(), &inner.limits).ok(),
    };
    let Some(mut seen) = seen else { return unread };
    *left = left.saturating_sub(seen.raw.len() as u64);
    seen.path = name;
    seen
}

fn unpacked(path: &Path, bytes_max: u64) -> Option<Seen> {
    let decoder = zstd::Decoder::new(std::fs::File::open(path).ok()?).ok()?;
    let (raw, more) = read_bounded(decoder, bytes_max).ok()?;
    // How much more there was is not known without reading it.
    Some(Seen { raw, bytes_left_out: u64::from(more), first_line: 1, ..Seen::default() })
}
