//! The guard's journal: one file of JSON Lines a session, which only grows, bounded in bytes and age.
//!
//! A line is written in one call to a file that is open for appending, so hooks that run at the
//! same time do not cut each other's lines. A session without a denial has no file.

use std::fs::{DirBuilder, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use coroner_model::journal::{JournalEntry, Lift};
use jiff::{SignedDuration, Timestamp};

use crate::error::Result;
use crate::place::{file_error, replace};

/// Folder of the journals below Coroner's home.
pub const JOURNAL_FOLDER: &str = "guard";
/// Largest journal of one session, in bytes; beyond it the older half goes.
pub const JOURNAL_BYTES_MAX: u64 = 256 * 1024;
/// How long an entry counts, in hours.
pub const JOURNAL_HOURS_MAX: i64 = 7 * 24;
/// Most journals that are looked through for a person.
const JOURNALS_MAX: usize = 200;
/// Most files that are looked through for lifts of an administrator.
const SYSTEM_LIFTS_MAX: usize = 64;
/// Largest file of a lift, in bytes.
const LIFT_BYTES_MAX: u64 = 8 * 1024;

/// The journal of one session.
#[derive(Clone, Debug)]
pub struct Journal {
    path: PathBuf,
}

impl Journal {
    /// The journal of a session below Coroner's home; nothing is opened.
    pub fn of(home: &Path, session: &str) -> Journal {
        let name = blake3::hash(session.as_bytes()).to_hex();
        Journal { path: home.join(JOURNAL_FOLDER).join(format!("{}.jsonl", &name.as_str()[..32])) }
    }

    /// The entries that still count, oldest first; a line that is no entry is passed over.
    pub fn read(&self, now: Timestamp) -> Result<Vec<JournalEntry>> {
        let mut file = match std::fs::File::open(&self.path) {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(file_error("read", &self.path)(error)),
        };
        let failed = |error| file_error("read", &self.path)(error);
        let bytes = file.metadata().map_err(failed)?.len();
        file.seek(SeekFrom::Start(bytes.saturating_sub(2 * JOURNAL_BYTES_MAX))).map_err(failed)?;
        let mut raw = Vec::new();
        file.take(2 * JOURNAL_BYTES_MAX).read_to_end(&mut raw).map_err(failed)?;
        let text = String::from_utf8_lossy(&raw);
        let entries = text.lines().filter_map(|line| serde_json::from_str::<JournalEntry>(line).ok());
        Ok(entries.filter(|entry| is_fresh(entry, now)).collect())
    }

    /// Puts one entry at the end; when it returns, the entry is on disk.
    pub fn append(&self, entry: &JournalEntry) -> Result<()> {
        let failed = |error| file_error("write", &self.path)(error);
        if let Some(folder) = self.path.parent() {
            DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(failed)?;
        }
        let mut line = serde_json::to_vec(entry)?;
        line.push(b'\n');
        let mut file = OpenOptions::new().create(true).append(true).mode(0o600).open(&self.path).map_err(failed)?;
        if file.metadata().map_err(failed)?.len() > JOURNAL_BYTES_MAX {
            drop(file);
            self.shorten()?;
            file = OpenOptions::new().create(true).append(true).mode(0o600).open(&self.path).map_err(failed)?;
        }
        file.write_all(&line).map_err(failed)?;
        file.sync_data().map_err(failed)
    }

    /// Drops the older half; what a person let through and its use stay.
    fn shorten(&self) -> Result<()> {
        let text = std::fs::read_to_string(&self.path).map_err(|error| file_error("read", &self.path)(error))?;
        let lines: Vec<&str> = text.lines().collect();
        let half = lines.len() / 2;
        let kept = lines.iter().enumerate().filter(|(at, line)| *at >= half || !line.contains("\"entry\":\"denied\""));
        let text: String = kept.map(|(_, line)| format!("{line}\n")).collect();
        replace(&self.path, text.as_bytes())
    }
}

fn is_fresh(entry: &JournalEntry, now: Timestamp) -> bool {
    let at = match entry {
        JournalEntry::Denied(denial) => denial.at,
        JournalEntry::Lifted(lift) => lift.at,
        JournalEntry::Used { at, .. } | JournalEntry::Allowed { at, .. } | JournalEntry::Ran { at, .. } => *at,
    };
    now.duration_since(at) <= SignedDuration::from_hours(JOURNAL_HOURS_MAX)
}

/// The entries of all sessions that still count, for the person who looks at them.
pub fn all_entries(home: &Path, now: Timestamp) -> Result<Vec<JournalEntry>> {
    let folder = home.join(JOURNAL_FOLDER);
    let listed = match std::fs::read_dir(&folder) {
        Ok(listed) => listed,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(file_error("read", &folder)(error)),
    };
    let mut paths: Vec<PathBuf> = listed.filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.retain(|path| path.extension().is_some_and(|e| e == "jsonl"));
    paths.sort();
    paths.truncate(JOURNALS_MAX);
    let mut all = Vec::new();
    for path in paths {
        all.extend(Journal { path }.read(now)?);
    }
    Ok(all)
}

/// Whether a file may be taken for an administrator's word: his, in a folder of his, and nobody
/// else's to write; where everything runs as the administrator it proves nothing.
fn is_of_administrator(path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let owned = |path: &Path| {
        std::fs::symlink_metadata(path)
            .is_ok_and(|meta| meta.uid() == 0 && meta.mode() & 0o022 == 0 && !meta.is_symlink())
    };
    let folders = path.ancestors().skip(1).filter(|p| !p.as_os_str().is_empty());
    !rustix::process::geteuid().is_root() && owned(path) && folders.into_iter().all(owned)
}

/// Lifts that an administrator left in a folder of his own.
pub fn system_lifts(folder: &Path) -> Vec<Lift> {
    let Ok(listed) = std::fs::read_dir(folder) else { return Vec::new() };
    listed
        .filter_map(|entry| Some(entry.ok()?.path()))
        .take(SYSTEM_LIFTS_MAX)
        .filter(|path| is_of_administrator(path))
        .filter_map(|path| {
            let mut text = String::new();
            std::fs::File::open(path).ok()?.take(LIFT_BYTES_MAX).read_to_string(&mut text).ok()?;
            serde_json::from_str(&text).ok()
        })
        .collect()
}

/// Leaves a lift as the administrator, where another user's hooks find it.
pub fn leave_system_lift(folder: &Path, lift: &Lift) -> Result<()> {
    DirBuilder::new().recursive(true).mode(0o755).create(folder).map_err(file_error("write", folder))?;
    let path = folder.join(format!("{}.json", lift.id));
    replace(&path, &serde_json::to_vec(lift)?)?;
    // The other user has to read it.
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o644);
    std::fs::set_permissions(&path, mode).map_err(file_error("write", &path))
}

/// Whether this process runs as the administrator for a home that is another user's.
pub fn is_administrator_for(home: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    rustix::process::geteuid().is_root() && std::fs::metadata(home).is_ok_and(|meta| meta.uid() != 0)
}
