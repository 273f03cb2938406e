//! Makes a snapshot: walks what is about to be lost and keeps it, cheapest way first.

use std::collections::BTreeMap;
use std::fs::{self, File, Metadata};
use std::io::Read;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::git::{self, RefWanted};
use super::manifest::{self, Entry, Head, How, Kind, LeftOut, Name, Owner, Ref, Stored, UNDO_SCHEMA};
use super::{Bounds, UNFINISHED, UndoError, disk_percent, open_area, prune};

/// Most names that one walk looks at.
const STEPS_MAX: usize = 200_000;
/// Most names of things left out that a head lists.
const LEFT_OUT_MAX: usize = 50;

/// What happens to one path of a walk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Take {
    Keep,
    /// Not itself, but perhaps what lies in it.
    Pass,
    /// Neither it nor anything in it.
    Leave,
}

/// A place from which something is about to be lost.
pub struct Wanted<'a> {
    /// Absolute; need not be there.
    pub root: PathBuf,
    /// The names go and the contents stay as they are: then another name is as good as a copy.
    pub removes: bool,
    pub takes: &'a dyn Fn(&Path, bool) -> Take,
}

/// Keeps what is wanted; `None` where there is nothing to keep.
///
/// `head` brings what is known of the command; ids, counts and lists are filled in here.
pub fn keep(
    area: &Path,
    head: Head,
    wanted: &[Wanted<'_>],
    refs: &[RefWanted],
    bounds: &Bounds,
) -> Result<Option<Head>, UndoError> {
    // Nothing is written before there is something to keep.
    if !wanted.iter().any(|w| fs::symlink_metadata(&w.root).is_ok()) && refs.is_empty() {
        return Ok(None);
    }
    let mut found = Vec::new();
    let mut out = Keeper::new(area, bounds);
    for one in wanted {
        out.walk(one, &mut found);
    }
    if found.iter().all(|f| f.meta.is_dir()) && refs.is_empty() && out.left_out_count == 0 {
        return Ok(None);
    }
    let began = begin(area, head.at)?;
    out.folder.clone_from(&began.folder);
    let entries = out.store(found);
    let refs = out.hold(&began.id, refs);
    if entries.iter().all(|e| e.kind == Kind::Directory) && refs.is_empty() {
        let left = (out.left_out, out.left_out_count);
        let _ = fs::remove_dir_all(&began.folder);
        return Ok((left.1 > 0).then_some(Head { left_out: left.0, left_out_count: left.1, files: 0, ..head }));
    }
    let head = Head {
        schema: UNDO_SCHEMA.to_owned(),
        id: began.id.clone(),
        roots: wanted.iter().map(|w| Name::from(w.root.as_path())).take(LEFT_OUT_MAX).collect(),
        files: entries.iter().filter(|e| e.kind != Kind::Directory).count(),
        bytes: entries.iter().map(|e| e.bytes).sum(),
        bytes_copied: out.copied,
        refs,
        left_out: out.left_out,
        left_out_count: out.left_out_count,
        ..head
    };
    finish(area, &began, &head, &entries, bounds)?;
    Ok(Some(head))
}

/// Keeps whose each path is before it is given to another.
pub fn keep_owners(
    area: &Path,
    head: Head,
    owners: &[(PathBuf, Owner, Owner, u32)],
    bounds: &Bounds,
) -> Result<Head, UndoError> {
    let entries: Vec<Entry> = owners
        .iter()
        .map(|(path, old, given, mode)| Entry {
            path: Name::from(path.as_path()),
            kind: Kind::Owner,
            removed: false,
            mode: *mode,
            uid: old.uid,
            gid: old.gid,
            mtime: (0, 0),
            bytes: 0,
            stored: None,
            link: None,
            given: Some(*given),
        })
        .collect();
    let began = begin(area, head.at)?;
    let head = Head { schema: UNDO_SCHEMA.to_owned(), id: began.id.clone(), files: entries.len(), ..head };
    finish(area, &began, &head, &entries, bounds)?;
    Ok(head)
}

struct Began {
    id: String,
    folder: PathBuf,
}

/// A folder that is not listed yet.
fn begin(area: &Path, now: Timestamp) -> Result<Began, UndoError> {
    open_area(area)?;
    let time = now.strftime("%Y%m%d-%H%M%S").to_string();
    let mut number = (now.subsec_nanosecond().unsigned_abs() / 1_000) ^ std::process::id();
    loop {
        let id = format!("{time}-{:04x}", number & 0xffff);
        let folder = area.join(format!("{id}{UNFINISHED}"));
        let taken = area.join(&id).exists();
        match fs::DirBuilder::new().mode(0o700).create(&folder) {
            Ok(()) if !taken => return Ok(Began { id, folder }),
            Ok(()) => drop(fs::remove_dir(&folder)),
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(because) => return Err(UndoError::Write { path: folder, because }),
        }
        number = number.wrapping_add(1);
    }
}

/// Lists the snapshot: from here on it is whole. Old ones make room for it.
fn finish(area: &Path, began: &Began, head: &Head, entries: &[Entry], bounds: &Bounds) -> Result<(), UndoError> {
    manifest::write(&began.folder, head, entries)?;
    let to = area.join(&began.id);
    fs::rename(&began.folder, &to).map_err(|because| UndoError::Write { path: to, because })?;
    prune(area, bounds, head.at).map(drop)
}

/// A path of the walk that is to be kept.
struct Found {
    /// As it lies, links on the way resolved.
    path: PathBuf,
    meta: Metadata,
    removes: bool,
    /// Only there so that what lies in it has a place.
    holds_only: bool,
}

struct Keeper<'b> {
    area: PathBuf,
    folder: PathBuf,
    bounds: &'b Bounds,
    steps: usize,
    copied: u64,
    /// Device and inode of content that is kept already.
    inodes: BTreeMap<(u64, u64), Stored>,
    numbers: usize,
    disk_full: Option<u64>,
    left_out: Vec<LeftOut>,
    left_out_count: usize,
}

impl Keeper<'_> {
    fn new<'b>(area: &Path, bounds: &'b Bounds) -> Keeper<'b> {
        let there = area.ancestors().find(|a| a.exists()).unwrap_or(Path::new("/"));
        let percent = disk_percent(there);
        Keeper {
            area: fs::canonicalize(area).unwrap_or_else(|_| area.to_path_buf()),
            folder: PathBuf::new(),
            bounds,
            steps: 0,
            copied: 0,
            inodes: BTreeMap::new(),
            numbers: 0,
            disk_full: (percent >= bounds.disk_percent_max).then_some(percent),
            left_out: Vec::new(),
            left_out_count: 0,
        }
    }

    fn leave_out(&mut self, path: &Path, why: impl Into<String>) {
        self.left_out_count += 1;
        if self.left_out.len() < LEFT_OUT_MAX {
            self.left_out.push(LeftOut { path: Name::from(path), why: why.into() });
        }
    }

    /// Finds what is wanted below one root.
    fn walk(&mut self, wanted: &Wanted<'_>, found: &mut Vec<Found>) {
        let Ok(meta) = fs::symlink_metadata(&wanted.root) else { return };
        let resolved = if meta.is_symlink() && !wanted.removes {
            // What is written through a link lies where it leads.
            fs::canonicalize(&wanted.root).ok()
        } else {
            real(&wanted.root)
        };
        let Some(real_root) = resolved else { return };
        let Ok(meta) = fs::symlink_metadata(&real_root) else { return };
        let device = meta.dev();
        let mut open = vec![(wanted.root.clone(), real_root, meta)];
        while let Some((named, path, meta)) = open.pop() {
            self.steps += 1;
            if self.steps > STEPS_MAX || found.len() >= self.bounds.entries_max {
                self.leave_out(&path, "there are more names than one snapshot takes");
                return;
            }
            if path.starts_with(&self.area) || meta.dev() != device {
                continue;
            }
            let is_dir = meta.is_dir();
            let take = (wanted.takes)(&named, is_dir);
            if take == Take::Leave || (take == Take::Pass && !is_dir) {
                continue;
            }
            let removes = wanted.removes;
            if !is_dir {
                found.push(Found { path, meta, removes, holds_only: false });
                continue;
            }
            let at = found.len();
            found.push(Found { path: path.clone(), meta, removes, holds_only: true });
            let Ok(entries) = fs::read_dir(&path) else {
                self.leave_out(&path, "it cannot be read");
                continue;
            };
            let mut inside: Vec<PathBuf> = entries.flatten().map(|e| e.path()).collect();
            if inside.is_empty() && take == Take::Keep && removes {
                found[at].holds_only = false;
            }
            inside.sort();
            for child in inside.into_iter().rev() {
                let (Some(name), Ok(meta)) = (child.file_name(), fs::symlink_metadata(&child)) else { continue };
                open.push((named.join(name), child.clone(), meta));
            }
        }
    }

    /// Keeps the contents; the entries come back in the order of the walk.
    fn store(&mut self, found: Vec<Found>) -> Vec<Entry> {
        let needed = directories_in_use(&found);
        let mut entries: Vec<Entry> = Vec::new();
        let mut seen = std::collections::BTreeSet::new();
        for (one, needed) in found.into_iter().zip(needed) {
            if (one.holds_only && !needed) || !seen.insert(one.path.clone()) {
                continue;
            }
            let mut entry = entry_of(&one);
            match entry.kind {
                Kind::File => match self.content(&one) {
                    Ok(stored) => entry.stored = Some(stored),
                    Err(why) => {
                        self.leave_out(&one.path, why);
                        continue;
                    }
                },
                Kind::Link => entry.link = fs::read_link(&one.path).ok().map(|to| Name::from(to.as_path())),
                Kind::Directory | Kind::Owner => {}
            }
            let special = !one.meta.is_file() && !one.meta.is_dir() && !one.meta.is_symlink();
            if special {
                self.leave_out(&one.path, "it is no file, directory or link");
                continue;
            }
            entries.push(entry);
        }
        entries
    }

    /// Keeps the content of one file: by another name, a clone, or a copy.
    fn content(&mut self, one: &Found) -> Result<Stored, String> {
        if !one.meta.is_file() {
            return Err("it is no file, directory or link".to_owned());
        }
        let inode = (one.meta.dev(), one.meta.ino());
        if let Some(stored) = self.inodes.get(&inode) {
            return Ok(stored.clone());
        }
        let number = self.numbers;
        let to = self.folder.join(number.to_string());
        let how = if one.removes && one.meta.nlink() == 1 && fs::hard_link(&one.path, &to).is_ok() {
            How::HardLink
        } else {
            self.copy(one, &to)?
        };
        self.numbers += 1;
        let stored = Stored { number, how };
        self.inodes.insert(inode, stored.clone());
        Ok(stored)
    }

    fn copy(&mut self, one: &Found, to: &Path) -> Result<How, String> {
        let shown = |e: std::io::Error| e.to_string();
        let no_follow = (rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK).bits().cast_signed();
        let from = File::options().read(true).custom_flags(no_follow).open(&one.path).map_err(shown)?;
        let meta = from.metadata().map_err(shown)?;
        if (meta.dev(), meta.ino()) != (one.meta.dev(), one.meta.ino()) {
            return Err("it was replaced while it was looked at".to_owned());
        }
        let into = File::options().write(true).create_new(true).mode(0o600).open(to).map_err(shown)?;
        if rustix::fs::ioctl_ficlone(&into, &from).is_ok() {
            return Ok(How::Clone);
        }
        let result = self.copy_bytes(&meta, from, into);
        if result.is_err() {
            let _ = fs::remove_file(to);
        }
        result.map(|()| How::Copy)
    }

    fn copy_bytes(&mut self, meta: &Metadata, from: File, mut into: File) -> Result<(), String> {
        let bytes = meta.len();
        if let Some(percent) = self.disk_full {
            return Err(format!("the disk is {percent} % full"));
        }
        if bytes > self.bounds.file_bytes_max {
            return Err(format!("{bytes} bytes are more than one file may have"));
        }
        if self.copied.saturating_add(bytes) > self.bounds.snapshot_bytes_max {
            return Err("the snapshot holds as many bytes as it may".to_owned());
        }
        let copied = std::io::copy(&mut from.take(bytes), &mut into).map_err(|e| e.to_string())?;
        if copied != bytes {
            return Err("it became shorter while it was copied".to_owned());
        }
        self.copied += bytes;
        Ok(())
    }

    fn hold(&mut self, id: &str, wanted: &[RefWanted]) -> Vec<Ref> {
        let mut refs = Vec::new();
        for (number, one) in wanted.iter().enumerate() {
            match git::hold(id, number, one) {
                Ok(kept) => refs.push(kept),
                Err(why) => self.leave_out(&one.repository.join(&one.name), why),
            }
        }
        refs
    }
}

/// A path whose directory is free of links, as a command would reach it.
fn real(path: &Path) -> Option<PathBuf> {
    match (path.parent(), path.file_name()) {
        (Some(parent), Some(name)) => Some(fs::canonicalize(parent).ok()?.join(name)),
        _ => fs::canonicalize(path).ok(),
    }
}

/// For each found path, whether something kept lies in it.
fn directories_in_use(found: &[Found]) -> Vec<bool> {
    let mut used: Vec<bool> = found.iter().map(|f| !f.holds_only).collect();
    // The walk goes down, so what lies in a directory stands behind it.
    let mut open: Vec<usize> = Vec::new();
    for at in 0..found.len() {
        while open.last().is_some_and(|top| !found[at].path.starts_with(&found[*top].path)) {
            open.pop();
        }
        if used[at] {
            for above in &open {
                used[*above] = true;
            }
        }
        if found[at].meta.is_dir() {
            open.push(at);
        }
    }
    used
}

fn entry_of(one: &Found) -> Entry {
    let meta = &one.meta;
    let kind = match meta {
        m if m.is_dir() => Kind::Directory,
        m if m.is_symlink() => Kind::Link,
        _ => Kind::File,
    };
    Entry {
        path: Name::from(one.path.as_path()),
        kind,
        removed: one.removes && !one.holds_only,
        mode: meta.mode() & 0o7777,
        uid: meta.uid(),
        gid: meta.gid(),
        mtime: (meta.mtime(), meta.mtime_nsec()),
        bytes: if meta.is_file() { meta.len() } else { 0 },
        stored: None,
        link: None,
        given: None,
    }
}
