//! Which files of a work tree have another copy, in the commits of their repository.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use gix::bstr::{BStr, BString, ByteSlice};
use gix::index::entry::Stage;
use ignore::gitignore::Gitignore;

/// Changed paths that one question names.
const CHANGED_MAX: usize = 20_000;
/// Stashes that are looked through.
const STASHES_MAX: usize = 200;

/// A work tree with its index and its current commit.
pub struct WorkTree {
    /// The directory that holds `.git`.
    top: PathBuf,
    repository: gix::Repository,
    index: gix::worktree::IndexPersistedOrInMemory,
    committed: RefCell<BTreeMap<BString, bool>>,
    /// The rules of each directory, read once.
    rules: RefCell<BTreeMap<PathBuf, Gitignore>>,
}

impl std::fmt::Debug for WorkTree {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WorkTree").field("top", &self.top).finish_non_exhaustive()
    }
}

/// A commit by which name it is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tip {
    pub name: String,
    pub commit: String,
    pub message: String,
}

impl WorkTree {
    /// The work tree that holds a path; none where there is no repository or it cannot be read.
    pub fn holding(path: &Path) -> Option<WorkTree> {
        let top = path.ancestors().find(|directory| directory.join(".git").exists())?.to_path_buf();
        let options = gix::open::Options::isolated().lossy_config(true).strict_config(false);
        let repository = gix::open_opts(&top, options).ok()?;
        let index = repository.index_or_empty().ok()?;
        Some(WorkTree {
            top,
            index: gix::worktree::IndexPersistedOrInMemory::Persisted(index),
            repository,
            committed: RefCell::default(),
            rules: RefCell::default(),
        })
    }

    /// The directory that holds `.git`.
    pub fn top(&self) -> &Path {
        &self.top
    }

    pub(super) fn repository(&self) -> &gix::Repository {
        &self.repository
    }

    fn entry(&self, path: &Path) -> Option<&gix::index::Entry> {
        let below = path.strip_prefix(&self.top).ok()?;
        self.index.entry_by_path_and_stage(below.as_os_str().as_bytes().as_bstr(), Stage::Unconflicted)
    }

    /// Whether git tracks the path.
    pub fn is_tracked(&self, path: &Path) -> bool {
        self.entry(path).is_some()
    }

    /// Whether the file is, as it lies there, in the current commit.
    pub fn is_committed(&self, path: &Path) -> bool {
        let Some(entry) = self.entry(path) else { return false };
        super::status::changed(path, entry) == '.' && self.is_in_commit(entry)
    }

    fn is_in_commit(&self, entry: &gix::index::Entry) -> bool {
        let name = entry.path(&self.index).to_owned();
        if let Some(known) = self.committed.borrow().get(&name) {
            return *known;
        }
        let found = || {
            let tree = self.repository.head_tree().ok()?;
            let found = tree.lookup_entry_by_path(path_of(name.as_bstr())).ok()??;
            Some(found.object_id() == entry.id)
        };
        let known = found().unwrap_or(false);
        self.committed.borrow_mut().insert(name, known);
        known
    }

    /// Tracked files that are there and differ from the current commit, at or below these paths (none: all).
    pub fn changed(&self, paths: &[PathBuf]) -> Vec<PathBuf> {
        self.index
            .entries()
            .iter()
            .filter_map(|entry| {
                let path = self.top.join(path_of(entry.path(&self.index)));
                let meant = paths.is_empty() || paths.iter().any(|p| path.starts_with(p));
                let there = meant && std::fs::symlink_metadata(&path).is_ok();
                (there && (super::status::changed(&path, entry) != '.' || !self.is_in_commit(entry))).then_some(path)
            })
            .take(CHANGED_MAX)
            .collect()
    }

    /// Whether git ignores a path, by the rules from the top down to it.
    pub fn is_ignored(&self, path: &Path, is_dir: bool) -> bool {
        let mut rules = self.rules.borrow_mut();
        for directory in path.ancestors().skip(1).take_while(|d| d.starts_with(&self.top)) {
            let found = rules
                .entry(directory.to_path_buf())
                .or_insert_with(|| Gitignore::new(directory.join(".gitignore")).0)
                .matched_path_or_any_parents(path, is_dir);
            if !found.is_none() {
                return found.is_ignore();
            }
        }
        let exclude = rules.entry(self.top.join(".git/info/exclude")).or_insert_with(|| {
            let mut builder = ignore::gitignore::GitignoreBuilder::new(&self.top);
            builder.add(self.top.join(".git/info/exclude"));
            builder.build().unwrap_or_else(|_| Gitignore::empty())
        });
        exclude.matched_path_or_any_parents(path, is_dir).is_ignore()
    }

    /// Where local branches of these names end.
    pub fn branches(&self, names: &[String]) -> Vec<Tip> {
        names
            .iter()
            .filter_map(|name| {
                let full = format!("refs/heads/{name}");
                let commit = self.repository.find_reference(full.as_str()).ok()?.into_fully_peeled_id().ok()?;
                Some(Tip { name: full, commit: commit.to_string(), message: String::new() })
            })
            .collect()
    }

    /// The stash of that number, or all of them, oldest first, so that they stack up again as they were.
    pub fn stashes(&self, number: Option<usize>) -> Vec<Tip> {
        let found = || {
            let stash = self.repository.try_find_reference("refs/stash").ok()??;
            let mut log = stash.log_iter();
            let all = log.rev().ok()??;
            let mut tips: Vec<Tip> = all
                .take(STASHES_MAX)
                .filter_map(Result::ok)
                .map(|line| Tip {
                    name: "refs/stash".to_owned(),
                    commit: line.new_oid.to_string(),
                    message: line.message.to_str_lossy().into_owned(),
                })
                .collect();
            if let Some(number) = number {
                tips = tips.into_iter().skip(number).take(1).collect();
            }
            tips.reverse();
            Some(tips)
        };
        found().unwrap_or_default()
    }

    /// The current commit.
    pub fn head(&self) -> Option<Tip> {
        let commit = self.repository.head_id().ok()?;
        Some(Tip { name: "HEAD".to_owned(), commit: commit.to_string(), message: String::new() })
    }
}

fn path_of(name: &BStr) -> &Path {
    Path::new(OsStr::from_bytes(name))
}
