//! Snapshots of what is about to be lost: kept before, listed, restored, pruned.
//!
//! A snapshot is a folder of the private area that appears under its name only once it is
//! whole. Nothing of the command that is about to run is ever run here.

mod git;
mod keep;
mod manifest;
mod restore;

use std::fs;
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use jiff::Timestamp;

pub use git::RefWanted;
pub use keep::{Take, Wanted, keep, keep_owners};
pub use manifest::{Entry, Head, Kind, LeftOut, Name, Owner, Ref, Stored};
pub use restore::{Choice, Item, RestorePlan, Restored, State, plan, restore};

/// Folder of the area below Coroner's home.
pub const FOLDER: &str = "undo";
/// Largest single file that is copied, in bytes; links and clones need no space and are not bound by it.
pub const FILE_BYTES_MAX: u64 = 64 * 1024 * 1024;
/// Most bytes that one snapshot copies.
pub const SNAPSHOT_BYTES_MAX: u64 = 256 * 1024 * 1024;
/// Most bytes of all snapshots; the oldest go first.
pub const AREA_BYTES_MAX: u64 = 2 * 1024 * 1024 * 1024;
/// Most files, links and directories of one snapshot.
pub const ENTRIES_MAX: usize = 10_000;
/// Most snapshots in the area.
pub const SNAPSHOTS_MAX: usize = 500;
/// Age at which a snapshot is dropped, in days.
pub const AGE_DAYS_MAX: u32 = 14;
/// Percent of the disk in use from which nothing is copied any more.
pub const DISK_PERCENT_MAX: u64 = 90;
/// Age at which an unfinished snapshot is taken for abandoned, in seconds.
const UNFINISHED_SECONDS_MAX: i64 = 3_600;
/// Ending of a snapshot that is not whole yet.
const UNFINISHED: &str = ".part";

/// What a snapshot may cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    pub file_bytes_max: u64,
    pub snapshot_bytes_max: u64,
    pub area_bytes_max: u64,
    pub entries_max: usize,
    pub snapshots_max: usize,
    pub age_days_max: u32,
    pub disk_percent_max: u64,
}

impl Default for Bounds {
    fn default() -> Bounds {
        Bounds {
            file_bytes_max: FILE_BYTES_MAX,
            snapshot_bytes_max: SNAPSHOT_BYTES_MAX,
            area_bytes_max: AREA_BYTES_MAX,
            entries_max: ENTRIES_MAX,
            snapshots_max: SNAPSHOTS_MAX,
            age_days_max: AGE_DAYS_MAX,
            disk_percent_max: DISK_PERCENT_MAX,
        }
    }
}

/// Why a snapshot could not be made, read or restored.
#[derive(Debug, thiserror::Error)]
pub enum UndoError {
    #[error("cannot write {path}: {because}")]
    Write { path: PathBuf, because: std::io::Error },
    #[error("cannot read {path}: {because}")]
    Read { path: PathBuf, because: String },
    #[error("no snapshot is called {id}")]
    Unknown { id: String },
    #[error("{id} begins the names of {count} snapshots")]
    Ambiguous { id: String, count: usize },
    #[error("{} of {wanted} cannot be restored: {}", .blocked.len(), .blocked.join("; "))]
    Blocked { wanted: usize, blocked: Vec<String> },
}

impl UndoError {
    /// What a person can do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            UndoError::Write { .. } => "check that the folder is yours and that its disk has room",
            UndoError::Read { .. } => "the snapshot is damaged; `coroner undo` lists the others",
            UndoError::Unknown { .. } | UndoError::Ambiguous { .. } => "`coroner undo` lists the snapshots",
            UndoError::Blocked { .. } => {
                "add `--force` to replace what is there now (it is kept as another snapshot), or give `--to DIR`"
            }
        }
    }
}

/// Makes the area where it is not there: private, and marked for backup and index programs to leave out.
fn open_area(area: &Path) -> Result<(), UndoError> {
    let failed = |path: &Path| {
        let path = path.to_path_buf();
        move |because| UndoError::Write { path, because }
    };
    if !area.is_dir() {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(area).map_err(failed(area))?;
    }
    restrict(area).map_err(failed(area))?;
    let marks = [
        (
            "CACHEDIR.TAG",
            "Signature: 8a477f597d28d172789f06886806bc55\n# Copies that Coroner keeps for `coroner undo`.\n",
        ),
        (".nobackup", ""),
    ];
    for (name, text) in marks {
        let path = area.join(name);
        if !path.exists() {
            fs::write(&path, text).map_err(failed(&path))?;
        }
    }
    Ok(())
}

/// Takes the rights of everybody else.
fn restrict(folder: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let meta = fs::symlink_metadata(folder)?;
    if !meta.is_dir() {
        return Err(std::io::Error::other("it is no directory"));
    }
    if meta.permissions().mode() & 0o077 != 0 {
        fs::set_permissions(folder, fs::Permissions::from_mode(0o700))?;
    }
    Ok(())
}

/// Every whole snapshot, newest first, and those whose head cannot be read.
pub fn list(area: &Path) -> (Vec<Head>, Vec<UndoError>) {
    let (mut heads, mut broken) = (Vec::new(), Vec::new());
    for path in folders(area) {
        match manifest::head(&path) {
            Ok(head) => heads.push(head),
            Err(error) => broken.push(error),
        }
    }
    heads.sort_by(|a, b| (b.at, &b.id).cmp(&(a.at, &a.id)));
    (heads, broken)
}

/// Folders of whole snapshots.
fn folders(area: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(area) else { return Vec::new() };
    entries
        .flatten()
        .filter(|e| e.file_type().is_ok_and(|t| t.is_dir()) && !e.file_name().to_string_lossy().ends_with(UNFINISHED))
        .map(|e| e.path())
        .collect()
}

/// The snapshot of that id, of an id that begins so, or the newest for `last`.
pub fn find(area: &Path, id: &str) -> Result<Head, UndoError> {
    let (heads, _) = list(area);
    if id == "last" {
        return heads.into_iter().next().ok_or_else(|| UndoError::Unknown { id: id.to_owned() });
    }
    let mut found: Vec<Head> = heads.into_iter().filter(|h| h.id.starts_with(id) && !id.is_empty()).collect();
    if let Some(at) = found.iter().position(|h| h.id == id) {
        return Ok(found.swap_remove(at));
    }
    match found.len() {
        0 => Err(UndoError::Unknown { id: id.to_owned() }),
        1 => Ok(found.swap_remove(0)),
        count => Err(UndoError::Ambiguous { id: id.to_owned(), count }),
    }
}

/// What a snapshot holds.
pub fn entries(area: &Path, head: &Head) -> Result<Vec<Entry>, UndoError> {
    manifest::entries(&area.join(&head.id))
}

/// Drops what is too old, too many or too much, and abandoned beginnings; the ids that went.
pub fn prune(area: &Path, bounds: &Bounds, now: Timestamp) -> Result<Vec<String>, UndoError> {
    let (heads, _) = list(area);
    let oldest = now.as_second() - i64::from(bounds.age_days_max) * 86_400;
    let mut bytes = 0u64;
    let mut gone = Vec::new();
    for (count, head) in heads.iter().enumerate() {
        bytes = bytes.saturating_add(head.bytes_copied);
        let surplus = count >= bounds.snapshots_max || (count > 0 && bytes > bounds.area_bytes_max);
        if surplus || head.at.as_second() < oldest {
            bytes = bytes.saturating_sub(head.bytes_copied);
            drop_snapshot(area, head)?;
            gone.push(head.id.clone());
        }
    }
    abandon(area, now);
    Ok(gone)
}

/// Drops one snapshot with the references that it kept.
pub fn drop_snapshot(area: &Path, head: &Head) -> Result<(), UndoError> {
    for one in &head.refs {
        git::forget(one);
    }
    let from = area.join(&head.id);
    let to = area.join(format!("{}{UNFINISHED}", head.id));
    let failed = |because| UndoError::Write { path: from.clone(), because };
    // A snapshot that is half removed must not be listed as whole.
    fs::rename(&from, &to).map_err(failed)?;
    fs::remove_dir_all(&to).map_err(failed)
}

fn abandon(area: &Path, now: Timestamp) {
    let Ok(entries) = fs::read_dir(area) else { return };
    for entry in entries.flatten().filter(|e| e.file_name().to_string_lossy().ends_with(UNFINISHED)) {
        let Ok(meta) = entry.metadata() else { continue };
        let age =
            meta.modified().ok().and_then(|t| Timestamp::try_from(t).ok()).map(|t| now.as_second() - t.as_second());
        if meta.is_dir() && age.is_some_and(|age| age > UNFINISHED_SECONDS_MAX) {
            // What stays is tried again with the next snapshot.
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

/// Percent of the filesystem in use, counted as `df` counts it; 0 where it cannot be told.
pub fn disk_percent(path: &Path) -> u64 {
    let Ok(stat) = rustix::fs::statvfs(path) else { return 0 };
    let used = stat.f_blocks.saturating_sub(stat.f_bfree);
    let usable = used.saturating_add(stat.f_bavail);
    if usable == 0 { 0 } else { used.saturating_mul(100).div_ceil(usable) }
}

/// Writes a private file in whole.
fn write_private(path: &Path, bytes: &[u8]) -> Result<(), UndoError> {
    let failed = |because| UndoError::Write { path: path.to_path_buf(), because };
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map_err(failed)?;
    file.write_all(bytes).map_err(failed)?;
    file.sync_all().map_err(failed)
}
