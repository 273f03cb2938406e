//! Gives a tree to its owner, all but what is another's on purpose.
//!
//! Everything is reached through open directories, never by a path that somebody could put a
//! link into; the walk stays on one file system and below its root.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::io::Read;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, Dir, FileType, Gid, Mode, OFlags, ResolveFlags, Stat, Uid};

pub use crate::undo::Owner;
use crate::undo::{self, Bounds, Head, UndoError};

/// Most paths of one tree.
pub const PATHS_MAX: usize = 1_000_000;
/// Largest list of accounts that is read, in bytes.
const ACCOUNTS_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// Who should own a tree, and what in it is left alone.
#[derive(Clone, Debug, Default)]
pub struct Wish {
    pub root: PathBuf,
    pub owner: Option<Owner>,
    /// Absolute; neither these nor what lies in them is touched.
    pub exceptions: Vec<PathBuf>,
    /// Names of files that are left alone wherever they lie, if only their owner may read them.
    pub private_names: Vec<String>,
}

/// One path that would change hands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Relative to the root; empty for the root itself.
    pub path: PathBuf,
    pub from: Owner,
    pub mode: u32,
    device: u64,
    inode: u64,
}

/// What giving the tree to its owner would change.
#[derive(Clone, Debug)]
pub struct OwnPlan {
    pub root: PathBuf,
    pub to: Owner,
    pub changes: Vec<Change>,
    /// Paths that are left alone, and why.
    pub kept: Vec<(PathBuf, String)>,
    /// Paths that were looked at.
    pub looked: usize,
    /// Whether there are more than are looked at.
    pub cut: bool,
}

/// What was done.
#[derive(Clone, Debug, Default)]
pub struct Owned {
    pub changed: usize,
    /// The snapshot of the owners before.
    pub undo: Option<String>,
    pub failed: Vec<String>,
}

/// Why a tree cannot be given to anybody.
#[derive(Debug, thiserror::Error)]
pub enum OwnError {
    #[error("cannot open {path}: {because}")]
    Open { path: PathBuf, because: String },
    #[error("the account {name} is not known on this host")]
    Account { name: String },
    #[error("the tree holds more than {PATHS_MAX} paths")]
    TooMuch,
    #[error("the owners before could not be kept")]
    Undo(#[from] UndoError),
}

impl OwnError {
    /// What a person can do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            OwnError::Open { .. } => "name a directory that exists, and run it as a user who may change owners",
            OwnError::Account { .. } => "give numbers, as in 1000:1000",
            OwnError::TooMuch => "name a smaller tree",
            OwnError::Undo(error) => error.hint(),
        }
    }
}

/// The numbers of `user:group`, `user` or `1000:1000`; without a group it is that of the user.
pub fn resolve(text: &str) -> Result<Owner, OwnError> {
    let unknown = |name: &str| OwnError::Account { name: name.to_owned() };
    let (user, group) = text.split_once(':').map_or((text, None), |(u, g)| (u, Some(g)));
    let accounts = accounts("/etc/passwd");
    let row = accounts.iter().find(|row| row.first().is_some_and(|n| n == user));
    let number = |text: &str| text.parse::<u32>().ok();
    let uid = number(user).or_else(|| number(row?.get(2)?)).ok_or_else(|| unknown(user))?;
    let gid = match group.filter(|g| !g.is_empty()) {
        Some(group) => {
            let groups = self::accounts("/etc/group");
            let row = groups.iter().find(|row| row.first().is_some_and(|n| n == group));
            number(group).or_else(|| number(row?.get(2)?)).ok_or_else(|| unknown(group))?
        }
        None => {
            let own = row.or_else(|| accounts.iter().find(|r| r.get(2).and_then(|n| number(n)) == Some(uid)));
            own.and_then(|row| number(row.get(3)?)).unwrap_or(uid)
        }
    };
    Ok(Owner { uid, gid })
}

/// An owner as a person reads it.
pub fn shown(owner: Owner) -> String {
    let name = |file: &str, id: u32| {
        let found = accounts(file).into_iter().find(|row| row.get(2).and_then(|n| n.parse().ok()) == Some(id));
        found.and_then(|row| row.into_iter().next()).unwrap_or_else(|| id.to_string())
    };
    format!("{}:{}", name("/etc/passwd", owner.uid), name("/etc/group", owner.gid))
}

fn accounts(file: &str) -> Vec<Vec<String>> {
    let mut text = String::new();
    let opened = std::fs::File::open(file);
    if let Ok(file) = opened {
        // What is no text names no account.
        let _ = file.take(ACCOUNTS_BYTES_MAX).read_to_string(&mut text);
    }
    text.lines().map(|line| line.split(':').map(str::to_owned).collect()).collect()
}

/// Looks what would change; changes nothing.
pub fn plan(wish: &Wish) -> Result<OwnPlan, OwnError> {
    let failed = |because: String| OwnError::Open { path: wish.root.clone(), because };
    let real = std::fs::canonicalize(&wish.root).map_err(|e| failed(e.to_string()))?;
    let root = open_root(&real).map_err(|e| failed(e.to_string()))?;
    let stat = rustix::fs::fstat(&root).map_err(|e| failed(e.to_string()))?;
    let to = wish.owner.unwrap_or(owner_of(&stat));
    let mut walk = Walk {
        wish,
        exceptions: wish.exceptions.iter().filter_map(|e| below(&real, e)).collect(),
        device: stat.st_dev,
        to,
        out: OwnPlan { root: real, to, changes: Vec::new(), kept: Vec::new(), looked: 0, cut: false },
        names: BTreeMap::new(),
    };
    walk.look(PathBuf::new(), &stat);
    let mut open = vec![PathBuf::new()];
    while let Some(directory) = open.pop() {
        walk.directory(&root, &directory, &mut open);
        if walk.out.cut {
            break;
        }
    }
    let mut out = walk.finish();
    out.changes.sort_by(|a, b| a.path.cmp(&b.path));
    out.kept.sort();
    Ok(out)
}

/// Where an exception lies below the root, links on its way resolved.
fn below(root: &Path, exception: &Path) -> Option<PathBuf> {
    let real = match (exception.parent(), exception.file_name()) {
        (Some(parent), Some(name)) => std::fs::canonicalize(parent).map(|p| p.join(name)),
        _ => std::fs::canonicalize(exception),
    };
    let real = real.unwrap_or_else(|_| exception.to_path_buf());
    real.strip_prefix(root).ok().map(Path::to_path_buf)
}

struct Walk<'w> {
    wish: &'w Wish,
    exceptions: BTreeSet<PathBuf>,
    device: u64,
    to: Owner,
    out: OwnPlan,
    /// Names found so far of files that have several.
    names: BTreeMap<u64, (usize, Vec<usize>)>,
}

impl Walk<'_> {
    fn directory(&mut self, root: &OwnedFd, relative: &Path, open: &mut Vec<PathBuf>) {
        let opened = open_below(root, relative).and_then(|fd| Ok((Dir::read_from(&fd)?, fd)));
        let (entries, directory) = match opened {
            Ok(opened) => opened,
            Err(rustix::io::Errno::XDEV) => return self.keep(relative, "another file system".to_owned()),
            Err(error) => return self.keep(relative, format!("cannot be opened: {error}")),
        };
        for entry in entries.flatten() {
            let name = OsString::from_vec(entry.file_name().to_bytes().to_vec());
            if name == "." || name == ".." {
                continue;
            }
            let path = relative.join(&name);
            let Ok(stat) = rustix::fs::statat(&directory, name.as_os_str(), AtFlags::SYMLINK_NOFOLLOW) else {
                continue;
            };
            if self.out.looked >= PATHS_MAX {
                self.out.cut = true;
                return;
            }
            if self.exceptions.contains(&path) {
                self.keep(&path, format!("another's on purpose, {}", shown(owner_of(&stat))));
                continue;
            }
            if stat.st_dev != self.device {
                self.keep(&path, "another file system".to_owned());
                continue;
            }
            if self.look(path.clone(), &stat) && is_dir(&stat) {
                open.push(path);
            }
        }
    }

    /// Looks at one path; whether what lies in it is looked at as well.
    fn look(&mut self, path: PathBuf, stat: &Stat) -> bool {
        self.out.looked += 1;
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let only_owner = stat.st_mode & 0o077 == 0;
        if !is_dir(stat) && only_owner && self.wish.private_names.iter().any(|n| *n == name) {
            self.keep(&path, format!("private to {}", shown(owner_of(stat))));
            return false;
        }
        let from = owner_of(stat);
        let many = !is_dir(stat) && stat.st_nlink > 1;
        if from != self.to {
            let mode = stat.st_mode & 0o7777;
            let change = Change { path, from, mode, device: stat.st_dev, inode: stat.st_ino };
            self.out.changes.push(change);
            if many {
                let at = self.out.changes.len() - 1;
                let links = usize::try_from(stat.st_nlink).unwrap_or(usize::MAX);
                self.names.entry(stat.st_ino).or_insert_with(|| (links, Vec::new())).1.push(at);
            }
        }
        true
    }

    fn keep(&mut self, path: &Path, why: String) {
        self.out.kept.push((path.to_path_buf(), why));
    }

    /// A file that is also reached from outside, or through an exception, is not this tree's alone.
    fn finish(mut self) -> OwnPlan {
        let shared: BTreeSet<usize> =
            self.names.values().filter(|(links, at)| at.len() < *links).flat_map(|(_, at)| at.clone()).collect();
        for at in &shared {
            let path = self.out.changes[*at].path.clone();
            self.out.kept.push((path, "has another name outside of what is changed".to_owned()));
        }
        let mut at = 0;
        self.out.changes.retain(|_| {
            at += 1;
            !shared.contains(&(at - 1))
        });
        self.out
    }
}

/// Gives everything in the plan to its owner; whose it was is kept first.
pub fn apply(area: &Path, plan: &OwnPlan, head: Head, bounds: &Bounds) -> Result<Owned, OwnError> {
    if plan.cut {
        return Err(OwnError::TooMuch);
    }
    if plan.changes.is_empty() {
        return Ok(Owned::default());
    }
    let owners: Vec<(PathBuf, Owner, Owner, u32)> =
        plan.changes.iter().map(|c| (plan.root.join(&c.path), c.from, plan.to, c.mode)).collect();
    let kept = undo::keep_owners(area, head, &owners, bounds)?;
    let failed = |because: String| OwnError::Open { path: plan.root.clone(), because };
    let root = open_root(&plan.root).map_err(|e| failed(e.to_string()))?;
    let mut out = Owned { undo: Some(kept.id), ..Owned::default() };
    for change in &plan.changes {
        match give_one(&root, change, plan.to) {
            Ok(()) => out.changed += 1,
            Err(why) => out.failed.push(format!("{}: {why}", plan.root.join(&change.path).display())),
        }
    }
    Ok(out)
}

fn give_one(root: &OwnedFd, change: &Change, to: Owner) -> Result<(), String> {
    let shown = |e: rustix::io::Errno| e.to_string();
    let held = match (change.path.parent(), change.path.file_name()) {
        (Some(parent), Some(name)) => {
            let directory = open_below(root, parent).map_err(shown)?;
            hold(&directory, Path::new(name)).map_err(shown)?
        }
        _ => rustix::fs::openat(root, ".", OFlags::PATH | OFlags::CLOEXEC, Mode::empty()).map_err(shown)?,
    };
    let now = rustix::fs::fstat(&held).map_err(shown)?;
    let same = (now.st_dev, now.st_ino) == (change.device, change.inode);
    if same && owner_of(&now) == to {
        // Another name of the same file was first.
        return Ok(());
    }
    if !same || owner_of(&now) != change.from {
        return Err("it was changed since it was looked at".to_owned());
    }
    give(&held, to, change.mode).map_err(shown)
}

/// Holds the very thing that a name leads to now, a link itself included.
pub(crate) fn hold(directory: impl AsFd, name: &Path) -> rustix::io::Result<OwnedFd> {
    rustix::fs::openat(directory, name, OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC, Mode::empty())
}

/// Gives what is held to an owner. A change of owner takes set-user-id and set-group-id away: they are put back.
pub(crate) fn give(held: &OwnedFd, owner: Owner, mode: u32) -> rustix::io::Result<()> {
    let (uid, gid) = (Uid::from_raw(owner.uid), Gid::from_raw(owner.gid));
    rustix::fs::chownat(held, "", Some(uid), Some(gid), AtFlags::EMPTY_PATH)?;
    let now = rustix::fs::fstat(held)?;
    let link = FileType::from_raw_mode(now.st_mode) == FileType::Symlink;
    if !link && now.st_mode & 0o7777 != mode & 0o7777 {
        // A held path cannot be changed by its descriptor itself, only by the name that it has in /proc.
        let name = format!("/proc/self/fd/{}", held.as_raw_fd());
        rustix::fs::chmod(name.as_str(), Mode::from_raw_mode(mode))?;
    }
    Ok(())
}

fn open_root(path: &Path) -> rustix::io::Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    rustix::fs::openat2(CWD, path, flags, Mode::empty(), ResolveFlags::NO_SYMLINKS)
}

fn open_below(root: &OwnedFd, relative: &Path) -> rustix::io::Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let path = if relative.as_os_str().is_empty() { Path::new(".") } else { relative };
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_XDEV;
    rustix::fs::openat2(root, path, flags, Mode::empty(), resolve)
}

fn owner_of(stat: &Stat) -> Owner {
    Owner { uid: stat.st_uid, gid: stat.st_gid }
}

fn is_dir(stat: &Stat) -> bool {
    FileType::from_raw_mode(stat.st_mode) == FileType::Directory
}
