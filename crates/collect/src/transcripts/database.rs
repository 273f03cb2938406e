//! Opens an agent's SQLite database without changing a byte beside it.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use rusqlite::{Connection, OpenFlags};
use tempfile::TempDir;

use super::CollectError;

/// Tries to copy a database that changes meanwhile.
const COPIES_MAX: usize = 3;
/// Longest wait for a writer, in milliseconds.
const BUSY_MS_MAX: u64 = 2_000;
/// A file that was written this lately may be written again within the same tick of the clock.
const SETTLED_MS: i64 = 2_000;
/// What stands first in every SQLite database.
const MAGIC: &[u8] = b"SQLite format 3\0";

/// An open database; a private copy goes when it is dropped.
pub(super) struct Database {
    pub connection: Connection,
    path: PathBuf,
    /// Length and time of the files when it was opened.
    stamp: Vec<(u64, i128)>,
    /// Whether SQLite was told that nobody writes.
    is_unlocked: bool,
    _copy: Option<TempDir>,
}

/// Whether the bytes are the beginning of a SQLite database.
pub(super) fn is_database(beginning: &[u8]) -> bool {
    beginning.starts_with(MAGIC)
}

/// A file that SQLite keeps beside a database: `-wal`, `-shm`, `-journal`.
pub(super) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// Length and time of the database and of its log.
pub(super) fn stamp(path: &Path) -> Vec<(u64, i128)> {
    let of = |path: &Path| {
        let meta = std::fs::metadata(path).ok()?;
        let at = Timestamp::try_from(meta.modified().ok()?).ok()?;
        Some((meta.len(), at.as_nanosecond()))
    };
    [path.to_owned(), beside(path, "-wal")].iter().map(|path| of(path).unwrap_or_default()).collect()
}

impl Database {
    /// Opens it read-only, or a private copy where that cannot be.
    pub fn open(path: &Path) -> Result<Database, CollectError> {
        let stamp = stamp(path);
        let opened = match way(path)? {
            Way::Copy => Err("it was left without its index of the log".to_owned()),
            Way::Live => connect(path, "mode=ro").map(|connection| (connection, false)),
            Way::Quiet => connect(path, "mode=ro&immutable=1").map(|connection| (connection, true)),
        };
        match opened {
            Ok((connection, is_unlocked)) => {
                Ok(Database { connection, path: path.to_owned(), stamp, is_unlocked, _copy: None })
            }
            Err(_) => copied(path),
        }
    }

    /// The stamp to keep; empty where a later write could leave the same one.
    pub fn kept_stamp(&self) -> Vec<(u64, i128)> {
        let newest = self.stamp.iter().map(|(_, at)| *at).max().unwrap_or_default();
        let age_ns = Timestamp::now().as_nanosecond() - newest;
        if age_ns >= i128::from(SETTLED_MS) * 1_000_000 { self.stamp.clone() } else { Vec::new() }
    }

    /// Fails where somebody wrote while nobody was expected to.
    pub fn check(&self) -> Result<(), CollectError> {
        if self.is_unlocked && stamp(&self.path) != self.stamp {
            return Err(CollectError::Changed { path: self.path.clone() });
        }
        Ok(())
    }

    /// Whether it has all these tables.
    pub fn has(&self, tables: &[&str]) -> bool {
        let sql = "select count(*) from sqlite_schema where type = 'table' and name = ?1";
        let has =
            |table: &&str| self.connection.query_row(sql, [table], |row| row.get::<_, i64>(0)).is_ok_and(|n| n > 0);
        tables.iter().all(has)
    }

    /// The failure of a statement, as this crate tells it.
    pub fn failed(&self, error: &rusqlite::Error) -> CollectError {
        CollectError::unreadable(&self.path, error)
    }
}

/// How a database can be looked at without leaving anything behind.
enum Way {
    /// Somebody has it open, or it keeps no log: SQLite's own locks do.
    Live,
    /// It keeps a log and nobody has it open. Opening it would make files beside it.
    Quiet,
    /// A log was left by a process that died, or by whoever copied the folder.
    Copy,
}

fn way(path: &Path) -> Result<Way, CollectError> {
    let mut head = [0u8; 20];
    let read = File::open(path).and_then(|mut file| file.read_exact(&mut head));
    read.map_err(|error| CollectError::unreadable(path, error))?;
    if !is_database(&head) {
        return Err(CollectError::unreadable(path, "it is no SQLite database"));
    }
    let keeps_log = head[18] == 2;
    let log_bytes = std::fs::metadata(beside(path, "-wal")).map_or(0, |meta| meta.len());
    Ok(match (keeps_log, beside(path, "-shm").exists(), log_bytes) {
        (false, _, _) | (true, true, _) => Way::Live,
        (true, false, 0) => Way::Quiet,
        (true, false, _) => Way::Copy,
    })
}

fn connect(path: &Path, mode: &str) -> Result<Connection, String> {
    let absolute = std::path::absolute(path).map_err(|error| error.to_string())?;
    let mut uri = url::Url::from_file_path(&absolute).map_err(|()| "its path cannot be named".to_owned())?;
    uri.set_query(Some(mode));
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(uri.as_str(), flags).map_err(|error| error.to_string())?;
    connection.busy_timeout(Duration::from_millis(BUSY_MS_MAX)).map_err(|error| error.to_string())?;
    // Opening is lazy: only a look at the schema shows whether it can be read.
    let looked = connection.query_row("select count(*) from sqlite_schema", [], |_| Ok(()));
    looked.map_err(|error| error.to_string())?;
    Ok(connection)
}

/// Opens a copy of the database with its log; SQLite plays the log back into the copy.
fn copied(path: &Path) -> Result<Database, CollectError> {
    let failed = |error: &dyn std::fmt::Display| CollectError::unreadable(path, error);
    for _ in 0..COPIES_MAX {
        let folder = tempfile::tempdir().map_err(|error| failed(&error))?;
        let copy = folder.path().join("copy.db");
        let before = stamp(path);
        std::fs::copy(path, &copy).map_err(|error| failed(&error))?;
        for suffix in ["-wal", "-journal"] {
            if beside(path, suffix).is_file() {
                std::fs::copy(beside(path, suffix), beside(&copy, suffix)).map_err(|error| failed(&error))?;
            }
        }
        if stamp(path) != before {
            continue;
        }
        let connection = Connection::open(&copy).map_err(|error| failed(&error))?;
        let looked = connection.query_row("select count(*) from sqlite_schema", [], |_| Ok(()));
        looked.map_err(|error| failed(&error))?;
        return Ok(Database {
            connection,
            path: path.to_owned(),
            stamp: before,
            is_unlocked: false,
            _copy: Some(folder),
        });
    }
    Err(CollectError::Changed { path: path.to_owned() })
}
