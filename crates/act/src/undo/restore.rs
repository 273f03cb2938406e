//! Restores a snapshot: what would be done is shown first, and what it replaces is kept as another snapshot.

use std::collections::BTreeMap;
use std::fs::{self, File, Metadata};
use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt;
use std::path::{Component, Path, PathBuf};

use rustix::fs::{AtFlags, CWD, Gid, Mode, OFlags, RenameFlags, ResolveFlags, Timestamps, Uid};

use super::git;
use super::keep::{Take, Wanted, keep};
use super::manifest::{self, Entry, Head, How, Kind, Name, Owner};
use super::{Bounds, UndoError};
use crate::own;

/// Seconds after a snapshot in which a changed file is taken for the work of its command.
const OF_THE_COMMAND_SECONDS_MAX: i64 = 600;

/// What of a snapshot is to be restored, and where.
#[derive(Clone, Debug, Default)]
pub struct Choice {
    /// Another folder than the places of origin.
    pub to: Option<PathBuf>,
    /// Only these paths and what lies in them; empty: everything.
    pub paths: Vec<PathBuf>,
    /// Replaces what was made or changed since.
    pub force: bool,
}

/// What restoring would do.
#[derive(Clone, Debug)]
pub struct RestorePlan {
    pub head: Head,
    pub items: Vec<Item>,
    /// One line for each commit that a name would lead to again.
    pub refs: Vec<(manifest::Ref, State)>,
}

/// One entry and what would become of it.
#[derive(Clone, Debug)]
pub struct Item {
    pub entry: Entry,
    /// Where it goes.
    pub to: PathBuf,
    pub state: State,
}

/// How an entry stands to what is there now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// Nothing is there: it comes back.
    Missing,
    /// It is as it was.
    Same,
    /// The command changed it: it is replaced.
    Changed,
    /// Why it is not replaced without force.
    Blocked(String),
    /// Why it cannot be restored at all.
    Broken(String),
}

/// What was restored.
#[derive(Clone, Debug, Default)]
pub struct Restored {
    pub done: usize,
    pub same: usize,
    pub refs: usize,
    /// The snapshot of what was replaced.
    pub replaced: Option<String>,
    pub failed: Vec<String>,
}

/// Looks what restoring a snapshot would do; changes nothing.
pub fn plan(area: &Path, head: &Head, choice: &Choice) -> Result<RestorePlan, UndoError> {
    let folder = area.join(&head.id);
    let common = common_parent(head);
    let elsewhere = choice.to.as_ref().map(|to| fs::canonicalize(to).unwrap_or_else(|_| to.clone()));
    let mut items = Vec::new();
    for entry in manifest::entries(&folder)? {
        let path = entry.path.path();
        if !choice.paths.is_empty() && !choice.paths.iter().any(|p| path.starts_with(p)) {
            // The directories above a chosen path come along.
            let above = entry.kind == Kind::Directory && choice.paths.iter().any(|p| p.starts_with(&path));
            if !above {
                continue;
            }
        }
        let to = match &elsewhere {
            Some(other) => other.join(path.strip_prefix(&common).unwrap_or_else(|_| rootless(&path))),
            None => path,
        };
        let state = state(&folder, head, &entry, &to);
        items.push(Item { entry, to, state });
    }
    let refs = if choice.paths.is_empty() && choice.to.is_none() {
        head.refs.iter().map(|r| (r.clone(), state_of_ref(head, r))).collect()
    } else {
        Vec::new()
    };
    Ok(RestorePlan { head: head.clone(), items, refs })
}

/// Does what was planned. Refuses as a whole where something is in the way and no force was given.
pub fn restore(
    area: &Path,
    plan: &RestorePlan,
    choice: &Choice,
    replaces: Head,
    bounds: &Bounds,
) -> Result<Restored, UndoError> {
    let blocked: Vec<String> = plan
        .items
        .iter()
        .filter_map(|i| why_not(&i.state, choice.force).map(|w| (&i.to, w)))
        .map(|(to, why)| format!("{}: {why}", Name::from(to.as_path())))
        .chain(plan.refs.iter().filter_map(|(r, s)| why_not(s, choice.force).map(|w| format!("{}: {w}", r.name))))
        .collect();
    if !blocked.is_empty() {
        return Err(UndoError::Blocked { wanted: plan.items.len() + plan.refs.len(), blocked });
    }
    let mut out = Restored { replaced: keep_replaced(area, plan, replaces, bounds)?, ..Restored::default() };
    let folder = area.join(&plan.head.id);
    // The first name of each content: what were hard links of each other become so again.
    let mut names: BTreeMap<usize, PathBuf> = BTreeMap::new();
    for item in &plan.items {
        if item.state == State::Same {
            out.same += 1;
            continue;
        }
        match bring_back(&folder, item, &names) {
            Ok(()) => {
                out.done += 1;
                if let Some(stored) = &item.entry.stored {
                    names.entry(stored.number).or_insert_with(|| item.to.clone());
                }
            }
            Err(why) => out.failed.push(format!("{}: {why}", Name::from(item.to.as_path()))),
        }
    }
    // What was written into a directory changed its time: directories are finished last, deepest first.
    for item in plan.items.iter().rev().filter(|i| i.entry.kind == Kind::Directory && i.state != State::Same) {
        if let Err(why) = finish_directory(item) {
            out.failed.push(format!("{}: {why}", Name::from(item.to.as_path())));
        }
    }
    for (kept, state) in &plan.refs {
        if *state == State::Same {
            out.same += 1;
            continue;
        }
        match git::bring_back(&plan.head.id, kept) {
            Ok(()) => out.refs += 1,
            Err(why) => out.failed.push(why),
        }
    }
    Ok(out)
}

fn why_not(state: &State, force: bool) -> Option<&str> {
    match state {
        State::Broken(why) => Some(why),
        State::Blocked(why) if !force => Some(why),
        _ => None,
    }
}

/// Keeps what is there now and would be replaced.
fn keep_replaced(area: &Path, plan: &RestorePlan, head: Head, bounds: &Bounds) -> Result<Option<String>, UndoError> {
    let replaced: Vec<&Item> = plan
        .items
        .iter()
        .filter(|i| i.entry.kind != Kind::Owner && i.entry.kind != Kind::Directory)
        .filter(|i| matches!(i.state, State::Changed | State::Blocked(_)))
        .collect();
    let everything = |_: &Path, _: bool| Take::Keep;
    let wanted: Vec<Wanted<'_>> = replaced
        .iter()
        // The new content comes under a new inode, so the old one could stay by another name;
        // somebody may hold it open for writing, though.
        .map(|i| Wanted { root: i.to.clone(), removes: false, takes: &everything })
        .collect();
    let kept = keep(area, head, &wanted, &[], bounds)?;
    match kept {
        Some(head) if head.left_out_count > 0 => {
            let first = head.left_out.first().map(|l| format!("{}: {}", l.path, l.why)).unwrap_or_default();
            Err(UndoError::Blocked {
                wanted: plan.items.len(),
                blocked: vec![format!("what is there now cannot be kept first ({first})")],
            })
        }
        kept => Ok(kept.map(|h| h.id)),
    }
}

/// The deepest directory that holds everything that the command named.
fn common_parent(head: &Head) -> PathBuf {
    let mut common: Option<PathBuf> = None;
    for root in &head.roots {
        let path = root.path();
        let parent = path.parent().unwrap_or(Path::new("/")).to_path_buf();
        let parent = fs::canonicalize(&parent).unwrap_or(parent);
        common = Some(match common {
            None => parent,
            Some(so_far) => {
                so_far.components().zip(parent.components()).take_while(|(a, b)| a == b).map(|(a, _)| a).collect()
            }
        });
    }
    common.unwrap_or_else(|| PathBuf::from("/"))
}

fn rootless(path: &Path) -> &Path {
    path.strip_prefix("/").unwrap_or(path)
}

fn state(folder: &Path, head: &Head, entry: &Entry, to: &Path) -> State {
    if entry.kind == Kind::Owner {
        return state_of_owner(entry, to);
    }
    if let Some(why) = damage(folder, entry) {
        return State::Broken(why);
    }
    let Ok(meta) = fs::symlink_metadata(to) else { return State::Missing };
    match entry.kind {
        Kind::Directory if meta.is_dir() => return State::Same,
        Kind::Directory => return State::Broken("something that is no directory is there now".to_owned()),
        _ if meta.is_dir() => return State::Broken("a directory is there now".to_owned()),
        _ => {}
    }
    if is_same(folder, entry, to, &meta) {
        return State::Same;
    }
    let soon = meta.mtime() <= head.at.as_second() + OF_THE_COMMAND_SECONDS_MAX;
    match (entry.removed, soon) {
        (true, _) => State::Blocked("a new one was made since".to_owned()),
        (false, true) => State::Changed,
        (false, false) => State::Blocked("it was changed again since".to_owned()),
    }
}

fn state_of_owner(entry: &Entry, to: &Path) -> State {
    let Ok(meta) = fs::symlink_metadata(to) else { return State::Broken("it is not there any more".to_owned()) };
    let now = Owner { uid: meta.uid(), gid: meta.gid() };
    if now == (Owner { uid: entry.uid, gid: entry.gid }) {
        return State::Same;
    }
    if Some(now) == entry.given { State::Changed } else { State::Blocked("it was given to another since".to_owned()) }
}

fn state_of_ref(head: &Head, kept: &manifest::Ref) -> State {
    let repository = kept.repository.path();
    if git::commit_of(&repository, &kept.kept_as).as_deref() != Some(kept.commit.as_str()) {
        return State::Broken(format!("the repository {} does not hold the commit any more", kept.repository));
    }
    let name = match kept.name.as_str() {
        "HEAD" if git::commit_of(&repository, "HEAD").as_deref() == Some(kept.commit.as_str()) => return State::Same,
        "HEAD" => git::branch_of_head(&head.id),
        "refs/stash" => return State::Missing,
        name => name.to_owned(),
    };
    match git::commit_of(&repository, &name) {
        None => State::Missing,
        Some(now) if now == kept.commit => State::Same,
        Some(_) => State::Blocked("it leads to another commit now".to_owned()),
    }
}

/// Why kept content is not what it was.
fn damage(folder: &Path, entry: &Entry) -> Option<String> {
    let stored = entry.stored.as_ref()?;
    let path = folder.join(stored.number.to_string());
    let Ok(meta) = fs::symlink_metadata(&path) else { return Some("its copy is gone".to_owned()) };
    let changed =
        meta.len() != entry.bytes || (stored.how == How::HardLink && (meta.mtime(), meta.mtime_nsec()) != entry.mtime);
    changed.then(|| "its copy was changed, since the file was written to instead of removed".to_owned())
}

fn is_same(folder: &Path, entry: &Entry, to: &Path, meta: &Metadata) -> bool {
    match entry.kind {
        Kind::Link => meta.is_symlink() && fs::read_link(to).ok() == entry.link.as_ref().map(Name::path),
        Kind::File => {
            let Some(stored) = &entry.stored else { return false };
            let kept = folder.join(stored.number.to_string());
            let one_file = fs::symlink_metadata(&kept).is_ok_and(|k| (k.dev(), k.ino()) == (meta.dev(), meta.ino()));
            let attributes = meta.mode() & 0o7777 == entry.mode;
            meta.is_file() && attributes && meta.len() == entry.bytes && (one_file || same_content(&kept, to))
        }
        Kind::Directory | Kind::Owner => false,
    }
}

fn same_content(a: &Path, b: &Path) -> bool {
    use std::io::{BufRead, BufReader};
    let (Ok(a), Ok(b)) = (File::open(a), File::open(b)) else { return false };
    let (mut a, mut b) = (BufReader::with_capacity(64 * 1024, a), BufReader::with_capacity(64 * 1024, b));
    loop {
        let (Ok(left), Ok(right)) = (a.fill_buf(), b.fill_buf()) else { return false };
        let length = left.len().min(right.len());
        if length == 0 {
            return left.is_empty() && right.is_empty();
        }
        if left[..length] != right[..length] {
            return false;
        }
        a.consume(length);
        b.consume(length);
    }
}

/// Brings one entry back, whole or not at all.
fn bring_back(folder: &Path, item: &Item, names: &BTreeMap<usize, PathBuf>) -> Result<(), String> {
    let entry = &item.entry;
    let (Some(parent), Some(name)) = (item.to.parent(), item.to.file_name()) else {
        return Err("it has no directory".to_owned());
    };
    let shown = |e: rustix::io::Errno| e.to_string();
    let directory = open_directory(parent, entry.kind != Kind::Owner)?;
    match entry.kind {
        Kind::Directory => match rustix::fs::mkdirat(&directory, name, Mode::from_raw_mode(0o700)) {
            Ok(()) | Err(rustix::io::Errno::EXIST) => Ok(()),
            Err(error) => Err(shown(error)),
        },
        Kind::Owner => take_back(entry, &directory, Path::new(name)),
        Kind::Link | Kind::File => {
            let draft =
                format!(".coroner-undo-{}-{}", std::process::id(), entry.stored.as_ref().map_or(0, |s| s.number));
            let made = match entry.kind {
                Kind::Link => draft_link(&directory, &draft, entry),
                _ if first_name(entry, names).is_some_and(|first| draft_name(first, &directory, &draft)) => Ok(()),
                _ => draft_file(folder, &directory, &draft, entry),
            };
            let placed = made.and_then(|()| {
                let flags = match item.state {
                    State::Missing => RenameFlags::NOREPLACE,
                    _ => RenameFlags::empty(),
                };
                rustix::fs::renameat_with(&directory, draft.as_str(), &directory, name, flags).map_err(shown)
            });
            if placed.is_err() {
                let _ = rustix::fs::unlinkat(&directory, draft.as_str(), AtFlags::empty());
            }
            placed
        }
    }
}

/// Gives a path back to the owner that it had, if it is still the file that it was.
fn take_back(entry: &Entry, directory: &OwnedFd, name: &Path) -> Result<(), String> {
    let shown = |e: rustix::io::Errno| e.to_string();
    let path = own::hold(directory, name).map_err(shown)?;
    own::give(&path, Owner { uid: entry.uid, gid: entry.gid }, entry.mode).map_err(shown)
}

fn first_name<'n>(entry: &Entry, names: &'n BTreeMap<usize, PathBuf>) -> Option<&'n PathBuf> {
    names.get(&entry.stored.as_ref()?.number)
}

/// Another name of a file that was restored before; false where that cannot be had.
fn draft_name(first: &Path, directory: &OwnedFd, draft: &str) -> bool {
    rustix::fs::linkat(CWD, first, directory, draft, AtFlags::empty()).is_ok()
}

fn draft_link(directory: &OwnedFd, draft: &str, entry: &Entry) -> Result<(), String> {
    let shown = |e: rustix::io::Errno| e.to_string();
    let target = entry.link.as_ref().map(Name::path).unwrap_or_default();
    rustix::fs::symlinkat(target.as_path(), directory, draft).map_err(shown)?;
    let _ = rustix::fs::chownat(
        directory,
        draft,
        Some(Uid::from_raw(entry.uid)),
        Some(Gid::from_raw(entry.gid)),
        AtFlags::SYMLINK_NOFOLLOW,
    );
    let _ = rustix::fs::utimensat(directory, draft, &times(entry), AtFlags::SYMLINK_NOFOLLOW);
    Ok(())
}

fn draft_file(folder: &Path, directory: &OwnedFd, draft: &str, entry: &Entry) -> Result<(), String> {
    let shown = |e: rustix::io::Errno| e.to_string();
    let number = entry.stored.as_ref().map(|s| s.number).ok_or("its content was not kept")?;
    let mut from = File::open(folder.join(number.to_string())).map_err(|e| e.to_string())?;
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let into = rustix::fs::openat(directory, draft, flags, Mode::from_raw_mode(0o600)).map_err(shown)?;
    let mut into = File::from(into);
    if rustix::fs::ioctl_ficlone(&into, &from).is_err() {
        std::io::copy(&mut from, &mut into).map_err(|e| e.to_string())?;
    }
    // Owner first: a change of owner takes the set-user-id bit away.
    let _ = rustix::fs::fchown(&into, Some(Uid::from_raw(entry.uid)), Some(Gid::from_raw(entry.gid)));
    let mode = safe_mode(entry, &into);
    rustix::fs::fchmod(&into, Mode::from_raw_mode(mode)).map_err(shown)?;
    rustix::fs::futimens(&into, &times(entry)).map_err(shown)?;
    into.sync_all().map_err(|e| e.to_string())
}

/// The mode, without set-user-id and set-group-id where the owner could not be restored.
fn safe_mode(entry: &Entry, file: &File) -> u32 {
    let owned = file.metadata().is_ok_and(|m| m.uid() == entry.uid && m.gid() == entry.gid);
    if owned { entry.mode } else { entry.mode & 0o1777 }
}

fn finish_directory(item: &Item) -> Result<(), String> {
    let shown = |e: rustix::io::Errno| e.to_string();
    let entry = &item.entry;
    let directory = open_directory(&item.to, false)?;
    let _ = rustix::fs::fchown(&directory, Some(Uid::from_raw(entry.uid)), Some(Gid::from_raw(entry.gid)));
    rustix::fs::fchmod(&directory, Mode::from_raw_mode(entry.mode)).map_err(shown)?;
    rustix::fs::futimens(&directory, &times(entry)).map_err(shown)
}

fn times(entry: &Entry) -> Timestamps {
    let time = rustix::fs::Timespec { tv_sec: entry.mtime.0, tv_nsec: entry.mtime.1 };
    Timestamps { last_access: time, last_modification: time }
}

/// Opens a directory without following any link on the way; makes what is missing of it.
fn open_directory(path: &Path, make: bool) -> Result<OwnedFd, String> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let open = |path: &Path| rustix::fs::openat2(CWD, path, flags, Mode::empty(), ResolveFlags::NO_SYMLINKS);
    match open(path) {
        Ok(directory) => return Ok(directory),
        Err(rustix::io::Errno::NOENT) if make => {}
        Err(rustix::io::Errno::LOOP) => return Err("a link stands where a directory was".to_owned()),
        Err(error) => return Err(error.to_string()),
    }
    let mut at = open(Path::new("/")).map_err(|e| e.to_string())?;
    for part in path.components() {
        let Component::Normal(name) = part else { continue };
        let resolve = ResolveFlags::NO_SYMLINKS | ResolveFlags::BENEATH;
        let open = || rustix::fs::openat2(&at, name, flags, Mode::empty(), resolve);
        let next = match open() {
            Err(rustix::io::Errno::NOENT) => {
                rustix::fs::mkdirat(&at, name, Mode::from_raw_mode(0o755)).map_err(|e| e.to_string())?;
                open()
            }
            opened => opened,
        };
        at = next.map_err(|e| e.to_string())?;
    }
    Ok(at)
}
