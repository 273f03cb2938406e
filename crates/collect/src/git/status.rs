//! `git status --porcelain=v2 --branch --ignored`, from the index and the work tree alone.
//!
//! Content is compared as it lies there: a filter that the repository names is
//! never run, so a file behind one may show as changed.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

use coroner_model::probe::GitTable;
use gix::bstr::ByteSlice;
use gix::index::entry::{Mode, Stage};
use ignore::WalkBuilder;

use super::refs;
use crate::casefile::git_path;
use crate::limits::Limits;
use crate::seen::Seen;

/// Bytes of a file that is hashed to see whether it changed.
const HASHED_BYTES_MAX: u64 = 16 * 1024 * 1024;
/// Lines of the answer.
const LINES_MAX: usize = 5_000;

/// What is known of one path.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Blob {
    mode: Mode,
    id: gix::ObjectId,
}

/// Branch, changed, conflicting and untracked paths.
pub(super) fn status(repository: &gix::Repository, limits: &Limits) -> Result<Seen, gix::Error> {
    let mut lines = branch(repository, limits);
    let index = repository.index_or_empty()?;
    let committed = committed(repository)?;
    let mut tracked = BTreeSet::new();
    for entry in index.entries() {
        let path = entry.path(&index).to_str_lossy().into_owned();
        if entry.stage() != Stage::Unconflicted {
            if tracked.insert(path.clone()) {
                lines.push(format!("u UU N... 000000 000000 000000 000000 {0} {0} {0} {path}", null()));
            }
            continue;
        }
        tracked.insert(path.clone());
        let staged = Blob { mode: entry.mode, id: entry.id };
        let before = committed.get(&path).copied();
        let in_index = letter(before, Some(staged));
        let in_tree = repository.workdir().map_or('.', |top| changed(&top.join(&path), entry));
        if (in_index, in_tree) != ('.', '.') {
            lines.push(changed_line(in_index, in_tree, before, Some(staged), &path));
        }
    }
    for (path, blob) in committed.iter().filter(|(path, _)| !tracked.contains(*path)) {
        lines.push(changed_line('D', '.', Some(*blob), None, path));
    }
    if let Some(top) = repository.workdir() {
        let unknown = untracked(top, &tracked, limits);
        let ignored = ignored(top, &tracked, &unknown, limits);
        lines.extend(unknown.into_iter().map(|path| format!("? {path}")));
        lines.extend(ignored.into_iter().map(|path| format!("! {path}")));
    }
    let left_out: u64 = lines.iter().skip(LINES_MAX).map(|line| line.len() as u64 + 1).sum();
    lines.truncate(LINES_MAX);
    let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
    Ok(Seen { bytes_left_out: left_out, ..Seen::text(git_path(GitTable::Status), text) })
}

fn branch(repository: &gix::Repository, limits: &Limits) -> Vec<String> {
    let oid = repository.head_id().map(|id| id.to_string()).unwrap_or_else(|_| "(initial)".into());
    let name = match repository.head_name() {
        Ok(Some(name)) => name.shorten().to_string(),
        _ => "(detached)".into(),
    };
    let mut lines = vec![format!("# branch.oid {oid}"), format!("# branch.head {name}")];
    let Some(upstream) = refs::upstream(repository, &format!("refs/heads/{name}")) else { return lines };
    lines.push(format!("# branch.upstream {upstream}"));
    // An upstream that was never fetched has nothing to be compared with.
    let tip = |name: &str| repository.find_reference(name).ok()?.peel_to_id().ok().map(gix::Id::detach);
    let (Some(other), Some(own)) = (tip(&format!("refs/remotes/{upstream}")), repository.head_id().ok()) else {
        return lines;
    };
    let own = own.detach();
    let counts =
        refs::only_in(repository, own, vec![other], limits).zip(refs::only_in(repository, other, vec![own], limits));
    lines.extend(counts.map(|(ahead, behind)| format!("# branch.ab +{ahead} -{behind}")));
    lines
}

/// Every path of the current commit.
fn committed(repository: &gix::Repository) -> Result<BTreeMap<String, Blob>, gix::Error> {
    let Ok(tree) = repository.head_tree_id() else { return Ok(BTreeMap::new()) };
    let index = repository.index_from_tree(&tree)?;
    let entry = |entry: &gix::index::Entry| {
        (entry.path(&index).to_str_lossy().into_owned(), Blob { mode: entry.mode, id: entry.id })
    };
    Ok(index.entries().iter().map(entry).collect())
}

fn letter(before: Option<Blob>, after: Option<Blob>) -> char {
    match (before, after) {
        (None, Some(_)) => 'A',
        (Some(_), None) => 'D',
        (Some(old), Some(new)) if old != new => 'M',
        _ => '.',
    }
}

/// Whether the file differs from the index: `D`, `M`, `T` or `.`.
pub(super) fn changed(path: &Path, entry: &gix::index::Entry) -> char {
    if entry.mode == Mode::COMMIT || entry.mode == Mode::DIR {
        return '.';
    }
    let Ok(meta) = fs::symlink_metadata(path) else { return 'D' };
    if meta.is_dir() {
        return 'D';
    }
    if meta.is_symlink() != (entry.mode == Mode::SYMLINK) {
        return 'T';
    }
    let executable = !meta.is_symlink() && meta.permissions().mode() & 0o100 != 0;
    if !meta.is_symlink() && executable != (entry.mode == Mode::FILE_EXECUTABLE) {
        return 'M';
    }
    let untouched = u64::from(entry.stat.size) == meta.len() && i64::from(entry.stat.mtime.secs) == meta.mtime();
    if untouched && i64::from(entry.stat.mtime.nsecs) == meta.mtime_nsec() {
        return '.';
    }
    if meta.len() > HASHED_BYTES_MAX {
        return 'M';
    }
    let content = match meta.is_symlink() {
        true => fs::read_link(path).map(|target| target.as_os_str().as_encoded_bytes().to_vec()),
        false => fs::read(path),
    };
    let id =
        content.ok().and_then(|bytes| gix::objs::compute_hash(entry.id.kind(), gix::objs::Kind::Blob, &bytes).ok());
    if id == Some(entry.id) { '.' } else { 'M' }
}

fn changed_line(index: char, tree: char, before: Option<Blob>, staged: Option<Blob>, path: &str) -> String {
    let mode = |blob: Option<Blob>| blob.map_or(0, |blob| blob.mode.bits());
    let id = |blob: Option<Blob>| blob.map_or_else(null, |blob| blob.id.to_string());
    let in_tree = if tree == 'D' || staged.is_none() { 0 } else { mode(staged) };
    format!(
        "1 {index}{tree} N... {:06o} {:06o} {in_tree:06o} {} {} {path}",
        mode(before),
        mode(staged),
        id(before),
        id(staged)
    )
}

fn null() -> String {
    "0".repeat(40)
}

/// Paths that git does not know and does not ignore; a directory of them is one line.
fn untracked(top: &Path, tracked: &BTreeSet<String>, limits: &Limits) -> Vec<String> {
    let holds_tracked = |directory: &str| {
        tracked.range(format!("{directory}/")..).next().is_some_and(|path| path.starts_with(&format!("{directory}/")))
    };
    let walk = WalkBuilder::new(top)
        .standard_filters(false)
        .git_ignore(true)
        .git_exclude(true)
        .follow_links(false)
        .sort_by_file_name(|a, b| a.cmp(b))
        .filter_entry(|entry| entry.depth() == 0 || entry.file_name() != ".git")
        .build();
    let mut found: Vec<String> = Vec::new();
    for entry in walk.flatten().take(limits.entries_max).filter(|entry| entry.depth() > 0) {
        let Ok(path) = entry.path().strip_prefix(top) else { continue };
        let path = path.to_string_lossy().into_owned();
        if found.last().is_some_and(|last| last.ends_with('/') && path.starts_with(last.as_str())) {
            continue;
        }
        let is_dir = entry.file_type().is_some_and(|kind| kind.is_dir());
        if is_dir && !holds_tracked(&path) && holds_file(entry.path()) {
            found.push(format!("{path}/"));
        } else if !is_dir && !tracked.contains(&path) {
            found.push(path);
        }
    }
    found
}

/// Paths that git ignores; a directory that is ignored whole is one line and not entered.
fn ignored(top: &Path, tracked: &BTreeSet<String>, unknown: &[String], limits: &Limits) -> Vec<String> {
    let seen: BTreeSet<std::path::PathBuf> = WalkBuilder::new(top)
        .standard_filters(false)
        .git_ignore(true)
        .git_exclude(true)
        .follow_links(false)
        .filter_entry(|entry| entry.depth() == 0 || entry.file_name() != ".git")
        .build()
        .flatten()
        .take(limits.entries_max)
        .map(ignore::DirEntry::into_path)
        .collect();
    let mut found = Vec::new();
    let mut left = limits.entries_max;
    let mut open = vec![top.to_path_buf()];
    while let Some(directory) = open.pop() {
        let Ok(entries) = fs::read_dir(&directory) else { continue };
        for entry in entries.flatten() {
            left = left.saturating_sub(1);
            let path = entry.path();
            let Ok(name) = path.strip_prefix(top).map(|name| name.to_string_lossy().into_owned()) else { continue };
            let is_dir = entry.file_type().is_ok_and(|kind| kind.is_dir());
            if left == 0 || entry.file_name() == ".git" || tracked.contains(&name) {
                continue;
            }
            match (is_dir, seen.contains(&path)) {
                (true, true) => open.push(path),
                (false, true) => {}
                (true, false) => found.push(format!("{name}/")),
                (false, false) => found.push(name),
            }
        }
    }
    found.retain(|name| !unknown.iter().any(|other| other.ends_with('/') && name.starts_with(other.as_str())));
    found.sort();
    found
}

/// Whether there is anything in a directory that is not ignored.
fn holds_file(directory: &Path) -> bool {
    let walk =
        WalkBuilder::new(directory).standard_filters(false).git_ignore(true).git_exclude(true).parents(true).build();
    walk.flatten().any(|entry| entry.file_type().is_some_and(|kind| !kind.is_dir()))
}
