//! Where a store lies: the database and the files beside it, written whole or not at all.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::error::{Result, StoreError};

/// Name of the database file in a store's folder.
pub const DATABASE_NAME: &str = "coroner.db";
/// Longest wait for another process, in seconds.
pub(crate) const WAIT_SECONDS_MAX: u64 = 20;
const LOCK_POLL: Duration = Duration::from_millis(3);
/// Largest file beside the database that is read, in bytes.
const BESIDE_BYTES_MAX: u64 = 64 * 1024;

/// The files of one store.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub(crate) folder: PathBuf,
    pub(crate) database: PathBuf,
    /// The newest checkpoint, kept outside the database.
    pub(crate) head: PathBuf,
    pub(crate) signing_key: PathBuf,
    pub(crate) redaction_key: PathBuf,
    /// Other limits than the default ones, where a person wrote them down.
    pub(crate) limits: PathBuf,
    lock: PathBuf,
}

impl Place {
    /// The store in a folder, or the one whose database file is named (`*.db`).
    pub(crate) fn at(path: &Path) -> Place {
        let names_file = path.is_file() || (path.extension().is_some_and(|e| e == "db") && !path.is_dir());
        let (folder, name) = match (names_file, path.parent(), path.file_name()) {
            (true, Some(parent), Some(name)) => (parent.to_path_buf(), name.to_string_lossy().into_owned()),
            _ => (path.to_path_buf(), DATABASE_NAME.to_owned()),
        };
        // Two databases in one folder must not share a head or a key.
        let prefix = match name.strip_suffix(".db") {
            Some("coroner") | None => String::new(),
            Some(stem) => format!("{stem}."),
        };
        let beside = |name: &str| folder.join(format!("{prefix}{name}"));
        Place {
            database: folder.join(&name),
            head: beside("head.json"),
            signing_key: beside("signing.key"),
            redaction_key: beside("redaction.key"),
            limits: beside("limits.toml"),
            lock: beside("lock"),
            folder,
        }
    }

    /// Makes the folder, readable by its owner only.
    pub(crate) fn make_folder(&self) -> Result<()> {
        if self.folder.as_os_str().is_empty() || self.folder.is_dir() {
            return Ok(());
        }
        DirBuilder::new().recursive(true).mode(0o700).create(&self.folder).map_err(file_error("write", &self.folder))
    }

    /// Waits for the lock that lets one process write at a time.
    ///
    /// Commit and head are two files; the lock keeps a slower process from
    /// putting an older head over a newer one.
    pub(crate) fn lock(&self) -> Result<File> {
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(0o600)
            .open(&self.lock)
            .map_err(file_error("lock", &self.lock))?;
        let deadline = Instant::now() + Duration::from_secs(WAIT_SECONDS_MAX);
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(file),
                Err(TryLockError::WouldBlock) if Instant::now() < deadline => std::thread::sleep(LOCK_POLL),
                Err(TryLockError::WouldBlock) => return Err(StoreError::Busy { seconds: WAIT_SECONDS_MAX }),
                Err(TryLockError::Error(because)) => return Err(file_error("lock", &self.lock)(because)),
            }
        }
    }
}

/// Reads a small file; `None` where there is none.
pub(crate) fn read_small(path: &Path) -> Result<Option<Vec<u8>>> {
    use std::io::Read;
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(file_error("read", path)(error)),
    };
    let mut bytes = Vec::new();
    file.take(BESIDE_BYTES_MAX).read_to_end(&mut bytes).map_err(file_error("read", path))?;
    Ok(Some(bytes))
}

/// Puts a file in place at once: whoever reads sees the old one or the new one.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> Result<()> {
    let mut next = path.as_os_str().to_owned();
    next.push(".next");
    let next = PathBuf::from(next);
    let write = || -> std::io::Result<()> {
        let mut file = OpenOptions::new().create(true).write(true).truncate(true).mode(0o600).open(&next)?;
        file.set_permissions(std::fs::Permissions::from_mode(0o600))?;
        file.write_all(bytes)?;
        file.sync_all()?;
        std::fs::rename(&next, path)?;
        match path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => File::open(parent)?.sync_all(),
            _ => File::open(".")?.sync_all(),
        }
    };
    write().map_err(file_error("write", path))
}

/// Makes a file that only its owner reads, if it is not there yet.
pub(crate) fn touch_private(path: &Path) -> Result<()> {
    OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .mode(0o600)
        .open(path)
        .map(drop)
        .map_err(file_error("write", path))
}

/// Wraps an I/O error with what was tried on which file.
pub(crate) fn file_error(verb: &'static str, path: &Path) -> impl Fn(std::io::Error) -> StoreError {
    let path = path.to_path_buf();
    move |because| StoreError::File { verb, path: path.clone(), because }
}
