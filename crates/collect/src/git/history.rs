//! Commits and moves of HEAD that a repository gained since it was last looked at.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use gix::bstr::ByteSlice;
use gix::object::tree::diff::ChangeDetached;
use gix::traverse::commit::simple::CommitTimeOrder;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Commits that are read at once, the newest.
const COMMITS_MAX: usize = 5_000;
/// References whose commits are read.
const REFS_MAX: usize = 2_000;
/// Changed files that are named of one commit.
const FILES_MAX: usize = 300;
/// Longest message, in bytes; the rest is left out.
const MESSAGE_BYTES_MAX: usize = 16 * 1024;

/// What was known of a repository; its commits are those that these lead to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Tips {
    /// Ids of commits that references name, in hex.
    pub commits: BTreeSet<String>,
}

/// One commit as `git log --name-status --date=iso-strict` prints it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commit {
    /// In hex.
    pub id: String,
    /// When its author made it.
    pub at: Option<Timestamp>,
    pub text: String,
}

/// What is new.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct History {
    /// Oldest first.
    pub commits: Vec<Commit>,
    pub tips: Tips,
    /// Whether older commits were left out: only the newest 5,000 are read at once.
    pub is_cut: bool,
}

/// The folders of the repository that holds a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Of this worktree; HEAD and its moves lie there.
    pub folder: PathBuf,
    /// Of all worktrees; commits lie there.
    pub common: PathBuf,
}

/// A repository that could not be read.
#[derive(Debug, thiserror::Error)]
#[error("git in {path}: {because}")]
pub struct HistoryError {
    path: PathBuf,
    because: Box<dyn std::error::Error + Send + Sync>,
}

fn failed<'p, E: Into<Box<dyn std::error::Error + Send + Sync>>>(path: &'p Path) -> impl Fn(E) -> HistoryError + 'p {
    move |because| HistoryError { path: path.to_owned(), because: because.into() }
}

/// The top of the repository that holds a path; `None` where there is none.
pub fn top(path: &Path) -> Option<PathBuf> {
    path.ancestors().find(|folder| folder.join(".git").exists()).map(Path::to_owned)
}

fn open(top: &Path) -> Result<gix::Repository, HistoryError> {
    let options = gix::open::Options::isolated().lossy_config(true).strict_config(false);
    gix::open_opts(top, options).map_err(failed(top))
}

/// Where a repository keeps what it holds.
pub fn place(top: &Path) -> Result<Place, HistoryError> {
    let repository = open(top)?;
    Ok(Place { folder: repository.git_dir().to_owned(), common: repository.common_dir().to_owned() })
}

/// What references lead to now and the known ones did not.
pub fn since(top: &Path, known: &Tips) -> Result<History, HistoryError> {
    let repository = open(top)?;
    let tips = tips(&repository).map_err(failed(top))?;
    let names = Tips { commits: tips.iter().map(ToString::to_string).collect() };
    if names == *known {
        return Ok(History { tips: names, ..History::default() });
    }
    // One that was collected as garbage hides nothing.
    let hidden: Vec<gix::ObjectId> = known
        .commits
        .iter()
        .filter_map(|id| gix::ObjectId::from_hex(id.as_bytes()).ok())
        .filter(|id| repository.has_object(*id))
        .collect();
    let sorting = gix::revision::walk::Sorting::ByCommitTime(CommitTimeOrder::NewestFirst);
    let walk = repository.rev_walk(tips).sorting(sorting).with_hidden(hidden).all().map_err(failed(top))?;
    let mut history = History { tips: names, ..History::default() };
    // A shallow clone ends where its history was cut off.
    for info in walk.map_while(Result::ok) {
        if history.commits.len() == COMMITS_MAX {
            history.is_cut = true;
            break;
        }
        let commit = info.object().map_err(failed(top))?;
        history.commits.push(one(&repository, &commit).map_err(failed(top))?);
    }
    history.commits.reverse();
    Ok(history)
}

/// Commits that HEAD, branches, remote-tracking branches and tags name.
fn tips(repository: &gix::Repository) -> Result<BTreeSet<gix::ObjectId>, gix::Error> {
    let mut tips: BTreeSet<gix::ObjectId> = repository.head()?.id().map(gix::Id::detach).into_iter().collect();
    for reference in repository.references()?.all()?.take(REFS_MAX) {
        let Ok(mut reference) = reference else { continue };
        let name = reference.name().as_bstr().to_str_lossy().into_owned();
        let is_kept = ["refs/heads/", "refs/remotes/", "refs/tags/"].iter().any(|top| name.starts_with(top));
        let Some(id) = is_kept.then(|| reference.peel_to_id().ok()).flatten() else { continue };
        if id.header().is_ok_and(|header| header.kind() == gix::objs::Kind::Commit) {
            tips.insert(id.detach());
        }
    }
    Ok(tips)
}

fn one(repository: &gix::Repository, commit: &gix::Commit<'_>) -> Result<Commit, gix::Error> {
    let parents: Vec<gix::Id<'_>> = commit.parent_ids().collect();
    let author = commit.author()?;
    let time = author.time().ok();
    let mut text = format!("commit {}\n", commit.id());
    if parents.len() > 1 {
        let short: Vec<String> = parents.iter().map(|id| id.to_hex_with_len(7).to_string()).collect();
        text.push_str(&format!("Merge: {}\n", short.join(" ")));
    }
    let written = time.map(|time| time.format_or_unix(gix::date::time::format::ISO8601_STRICT)).unwrap_or_default();
    let (name, email) = (author.name.to_str_lossy(), author.email.to_str_lossy());
    text.push_str(&format!("Author: {name} <{email}>\nDate:   {written}\n\n"));
    let message = commit.message_raw_sloppy().to_str_lossy();
    let message = &message[..message.floor_char_boundary(MESSAGE_BYTES_MAX)];
    message.trim_end().lines().for_each(|line| text.push_str(&format!("    {line}\n")));
    if parents.len() < 2 {
        let old = parents.first().map(|parent| tree_of(*parent));
        // Without its parent (a shallow clone) nothing says what a commit changed.
        if !matches!(old, Some(None)) {
            text.push_str(&files(repository, old.flatten().as_ref(), &commit.tree()?)?);
        }
    }
    let at = time.and_then(|time| Timestamp::from_second(time.seconds).ok());
    Ok(Commit { id: commit.id().to_string(), at, text })
}

fn tree_of(commit: gix::Id<'_>) -> Option<gix::Tree<'_>> {
    commit.object().ok()?.try_into_commit().ok()?.tree().ok()
}

/// The changed files, each with the letter of what became of it.
fn files(repository: &gix::Repository, old: Option<&gix::Tree<'_>>, new: &gix::Tree<'_>) -> Result<String, gix::Error> {
    let changes = repository.diff_tree_to_tree(old, Some(new), gix::diff::Options::default())?;
    let mut rows: Vec<String> = changes.iter().filter_map(row).collect();
    rows.sort();
    let left_out = rows.len().saturating_sub(FILES_MAX);
    rows.truncate(FILES_MAX);
    if rows.is_empty() {
        return Ok(String::new());
    }
    let mut out = format!("\n{}\n", rows.join("\n"));
    if left_out > 0 {
        out.push_str(&format!("and {left_out} more files\n"));
    }
    Ok(out)
}

fn row(change: &ChangeDetached) -> Option<String> {
    let (letter, mode, path) = match change {
        ChangeDetached::Addition { location, entry_mode, .. } => ("A", entry_mode, location),
        ChangeDetached::Deletion { location, entry_mode, .. } => ("D", entry_mode, location),
        ChangeDetached::Modification { location, entry_mode, .. } => ("M", entry_mode, location),
        ChangeDetached::Rewrite { location, entry_mode, .. } => ("R", entry_mode, location),
    };
    (!mode.is_tree()).then(|| format!("{letter}\t{}", path.to_str_lossy()))
}
