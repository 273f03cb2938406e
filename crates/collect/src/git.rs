//! What git says of a repository, printed as `git` prints it and read without running it.
//!
//! No filter, hook or diff driver that a repository names is ever started.

pub mod blame;
mod bundle;
pub mod copy;
pub mod history;
mod log;
pub(crate) mod objects;
mod refs;
mod status;

use std::path::Path;

use coroner_model::probe::GitTable;
use coroner_model::{CouldNotLook, Why};
use gix::bstr::ByteSlice;
use jiff::Timestamp;

use crate::casefile::{git_path, obstacle};
use crate::limits::Limits;
use crate::seen::Seen;

pub(crate) use bundle::unbundle;

/// Stashes that are listed.
const STASHES_MAX: usize = 200;

/// The part of history that is asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Window {
    pub since: Option<Timestamp>,
    pub until: Option<Timestamp>,
}

/// Answers from the repository that holds a path.
pub(crate) fn of_worktree(path: &Path, table: GitTable, window: Window, limits: &Limits) -> Result<Seen, CouldNotLook> {
    let absent = || obstacle(Why::Absent, format!("no git repository holds {}", path.display()));
    let top = path.ancestors().find(|directory| directory.join(".git").exists()).ok_or_else(absent)?;
    answer(top, table, window, limits)
}

/// Answers from a repository at exactly this place.
pub(crate) fn answer(at: &Path, table: GitTable, window: Window, limits: &Limits) -> Result<Seen, CouldNotLook> {
    let failed = |error: gix::Error| obstacle(Why::Unreadable, format!("git in {}: {error}", at.display()));
    let options = gix::open::Options::isolated().lossy_config(true).strict_config(false);
    let repository = gix::open_opts(at, options).map_err(failed)?;
    let path = git_path(table);
    match table {
        GitTable::Log => log::log(&repository, window, limits).map_err(failed),
        GitTable::Status => status::status(&repository, limits).map_err(failed),
        GitTable::Stash => stashes(&repository).map(|text| Seen::text(path, text)).map_err(failed),
        GitTable::Refs => refs::refs(&repository, limits).map_err(failed),
        GitTable::Worktrees => worktrees(&repository).map(|text| Seen::text(path, text)).map_err(failed),
    }
}

/// `git stash list`.
fn stashes(repository: &gix::Repository) -> Result<String, gix::Error> {
    let mut out = String::new();
    let Some(stash) = repository.try_find_reference("refs/stash")? else { return Ok(out) };
    let mut platform = stash.log_iter();
    let Ok(Some(entries)) = platform.rev() else { return Ok(out) };
    for (number, entry) in entries.take(STASHES_MAX).enumerate() {
        let Ok(entry) = entry else { break };
        out.push_str(&format!("stash@{{{number}}}: {}\n", entry.message.to_str_lossy()));
    }
    Ok(out)
}

/// `git worktree list`.
fn worktrees(repository: &gix::Repository) -> Result<String, gix::Error> {
    let mut out = String::new();
    for tree in repository.worktrees_including_main()? {
        let Ok(tree) = tree else { continue };
        let place = tree.workdir().unwrap_or_else(|| tree.git_dir()).display().to_string();
        let head = tree.head_id().map(|id| id.to_hex_with_len(7).to_string()).unwrap_or_else(|_| "0000000".into());
        let branch = match tree.head_name() {
            Ok(Some(name)) => format!("[{}]", name.shorten()),
            _ => "(detached HEAD)".to_owned(),
        };
        out.push_str(&format!("{place}  {head} {branch}\n"));
    }
    Ok(out)
}
