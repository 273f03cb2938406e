//! `git log --stat --date=iso-strict`, within a window and a bound.

use gix::bstr::{BStr, ByteSlice};
use gix::diff::blob::{Algorithm, Diff, InternedInput};
use gix::object::tree::diff::ChangeDetached;
use gix::traverse::commit::simple::CommitTimeOrder;

use super::Window;
use crate::casefile::git_path;
use crate::limits::Limits;
use crate::seen::Seen;
use coroner_model::probe::GitTable;

/// Bytes of a file whose changed lines are counted.
const COUNTED_BYTES_MAX: usize = 1024 * 1024;
/// Changed files that are listed of one commit.
const FILES_MAX: usize = 2_000;
/// Signs that draw the share of added and removed lines.
const SIGNS_MAX: u32 = 40;

/// Commits of the current branch, newest first.
pub(super) fn log(repository: &gix::Repository, window: Window, limits: &Limits) -> Result<Seen, gix::Error> {
    let mut seen = Seen::text(git_path(GitTable::Log), "");
    // A branch without commits has no history, which is an answer.
    let Ok(head) = repository.head_id() else { return Ok(seen) };
    let order = CommitTimeOrder::NewestFirst;
    let sorting = match window.since {
        Some(since) => gix::revision::walk::Sorting::ByCommitTimeCutoff { order, seconds: since.as_second() },
        None => gix::revision::walk::Sorting::ByCommitTime(order),
    };
    let mut out = String::new();
    let mut shown = 0;
    for info in repository.rev_walk([head]).sorting(sorting).all()? {
        let Ok(info) = info else { break };
        let commit = info.object()?;
        if window.until.is_some_and(|until| commit.time().is_ok_and(|time| time.seconds > until.as_second())) {
            continue;
        }
        if shown == limits.commits_max || out.len() as u64 > limits.log_bytes_max {
            seen.bytes_left_out = 1;
            break;
        }
        if shown > 0 {
            out.push('\n');
        }
        shown += 1;
        out.push_str(&one(repository, &commit)?);
    }
    seen.raw = out.into_bytes();
    Ok(seen)
}

fn one(repository: &gix::Repository, commit: &gix::Commit<'_>) -> Result<String, gix::Error> {
    let parents: Vec<gix::Id<'_>> = commit.parent_ids().collect();
    let author = commit.author()?;
    let mut out = format!("commit {}\n", commit.id());
    if parents.len() > 1 {
        let short: Vec<String> = parents.iter().map(|id| id.to_hex_with_len(7).to_string()).collect();
        out.push_str(&format!("Merge: {}\n", short.join(" ")));
    }
    let time =
        author.time().ok().map(|time| time.format_or_unix(gix::date::time::format::ISO8601_STRICT)).unwrap_or_default();
    out.push_str(&format!(
        "Author: {} <{}>\nDate:   {time}\n\n",
        author.name.to_str_lossy(),
        author.email.to_str_lossy()
    ));
    for line in commit.message_raw_sloppy().to_str_lossy().trim_end().lines() {
        out.push_str(&format!("    {line}\n"));
    }
    if parents.len() < 2 {
        let old = parents.first().and_then(|parent| parent.object().ok()?.try_into_commit().ok()?.tree().ok());
        out.push_str(&stat(repository, old.as_ref(), &commit.tree()?)?);
    }
    Ok(out)
}

/// Which files a commit changed, and by how many lines.
fn stat(repository: &gix::Repository, old: Option<&gix::Tree<'_>>, new: &gix::Tree<'_>) -> Result<String, gix::Error> {
    let changes = repository.diff_tree_to_tree(old, Some(new), gix::diff::Options::default())?;
    let mut rows: Vec<(String, Option<(u32, u32)>)> = Vec::new();
    for change in changes.iter().filter(|change| !mode_of(change).is_tree()).take(FILES_MAX) {
        let (path, before, after) = sides(change);
        rows.push((path.to_str_lossy().into_owned(), lines(repository, before, after)));
    }
    if rows.is_empty() {
        return Ok(String::new());
    }
    rows.sort();
    let most = rows.iter().filter_map(|(_, counts)| counts.map(|(added, removed)| added + removed)).max().unwrap_or(0);
    let width = rows.iter().map(|(path, _)| path.chars().count()).max().unwrap_or(0);
    let mut out = String::from("\n");
    let (mut added_all, mut removed_all) = (0, 0);
    for (path, counts) in &rows {
        match counts {
            Some((added, removed)) => {
                added_all += added;
                removed_all += removed;
                let signs = format!("{}{}", "+".repeat(share(*added, most)), "-".repeat(share(*removed, most)));
                out.push_str(format!(" {path:width$} | {} {signs}", added + removed).trim_end());
            }
            None => out.push_str(&format!(" {path:width$} | Bin")),
        }
        out.push('\n');
    }
    out.push_str(&summary(rows.len(), added_all, removed_all));
    Ok(out)
}

fn summary(files: usize, added: u32, removed: u32) -> String {
    let many = |count: usize| if count == 1 { "" } else { "s" };
    let mut out = format!(" {files} file{} changed", many(files));
    if added > 0 || removed == 0 {
        out.push_str(&format!(", {added} insertion{}(+)", many(added as usize)));
    }
    if removed > 0 || added == 0 {
        out.push_str(&format!(", {removed} deletion{}(-)", many(removed as usize)));
    }
    out.push('\n');
    out
}

fn share(lines: u32, most: u32) -> usize {
    match most > SIGNS_MAX {
        true if lines > 0 => (lines * SIGNS_MAX / most).max(1) as usize,
        _ => lines as usize,
    }
}

fn mode_of(change: &ChangeDetached) -> gix::objs::tree::EntryMode {
    match change {
        ChangeDetached::Addition { entry_mode, .. }
        | ChangeDetached::Deletion { entry_mode, .. }
        | ChangeDetached::Modification { entry_mode, .. }
        | ChangeDetached::Rewrite { entry_mode, .. } => *entry_mode,
    }
}

/// Path, old blob and new blob of a change.
fn sides(change: &ChangeDetached) -> (&BStr, Option<gix::ObjectId>, Option<gix::ObjectId>) {
    match change {
        ChangeDetached::Addition { location, id, .. } => (location.as_bstr(), None, Some(*id)),
        ChangeDetached::Deletion { location, id, .. } => (location.as_bstr(), Some(*id), None),
        ChangeDetached::Modification { location, previous_id, id, .. } => {
            (location.as_bstr(), Some(*previous_id), Some(*id))
        }
        ChangeDetached::Rewrite { location, source_id, id, .. } => (location.as_bstr(), Some(*source_id), Some(*id)),
    }
}

/// Added and removed lines; `None` where they cannot be counted.
fn lines(
    repository: &gix::Repository,
    before: Option<gix::ObjectId>,
    after: Option<gix::ObjectId>,
) -> Option<(u32, u32)> {
    let text = |id: Option<gix::ObjectId>| -> Option<Vec<u8>> {
        let Some(id) = id else { return Some(Vec::new()) };
        let size = repository.find_header(id).ok()?.size();
        if usize::try_from(size).ok()? > COUNTED_BYTES_MAX {
            return None;
        }
        let data = repository.find_object(id).ok()?.data.clone();
        (!data.contains(&0)).then_some(data)
    };
    let (before, after) = (text(before)?, text(after)?);
    let input = InternedInput::new(before.as_slice(), after.as_slice());
    let diff = Diff::compute(Algorithm::Histogram, &input);
    Some((diff.count_additions(), diff.count_removals()))
}
