//! Sources that hooks want recorded: one small file a wish, fulfilled by one process at a time.
//!
//! A hook must not wait and two recordings at once would be in each other's way, so it leaves a
//! wish and starts a process that fulfils all there are, unless one is at it already.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use crate::Store;
use crate::error::Result;
use crate::place::{Place, file_error, read_small, replace};

/// Folder of the wishes beside the database.
const FOLDER: &str = "wishes";
const LOCK: &str = "lock";
/// Ending of a wish that somebody has begun to fulfil.
const BEGUN: &str = "begun";
/// Most wishes that wait.
const WISHES_MAX: usize = 10_000;

fn folder(place: &Place) -> PathBuf {
    place.folder.join(FOLDER)
}

/// Leaves a wish for a source at the store of that path; the same wish twice is one.
pub fn add(store: &Path, source: &Path) -> Result<()> {
    let place = Place::at(store);
    let folder = folder(&place);
    fs::DirBuilder::new().recursive(true).mode(0o700).create(&folder).map_err(file_error("write", &folder))?;
    let bytes = source.as_os_str().as_bytes();
    replace(&folder.join(&blake3::hash(bytes).to_hex().as_str()[..32]), bytes)
}

/// The right to fulfil wishes; it ends with this value.
#[derive(Debug)]
pub struct Wishes {
    folder: PathBuf,
    _lock: File,
}

/// A source to be recorded.
#[derive(Clone, Debug)]
pub struct Wish {
    pub path: PathBuf,
    begun: PathBuf,
}

impl Store {
    /// Whether wishes wait.
    pub fn has_wishes(&self) -> bool {
        next(&folder(&self.place)).is_some()
    }

    /// The right to fulfil wishes; `None` while another process has it.
    pub fn wishes(&self) -> Result<Option<Wishes>> {
        let folder = folder(&self.place);
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&folder).map_err(file_error("write", &folder))?;
        let path = folder.join(LOCK);
        let mut options = OpenOptions::new();
        options.create(true).truncate(false).write(true).mode(0o600);
        let lock = options.open(&path).map_err(file_error("lock", &path))?;
        match lock.try_lock() {
            Ok(()) => Ok(Some(Wishes { folder, _lock: lock })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(file_error("lock", &path)(error)),
        }
    }
}

impl Wishes {
    /// The next wish; one that was begun and not fulfilled comes again.
    pub fn next(&self) -> Result<Option<Wish>> {
        let Some(file) = next(&self.folder) else { return Ok(None) };
        let begun = file.with_extension(BEGUN);
        // Taken away first: the same wish may be left again while this one is fulfilled.
        fs::rename(&file, &begun).map_err(file_error("write", &file))?;
        let bytes = read_small(&begun)?.unwrap_or_default();
        Ok(Some(Wish { path: PathBuf::from(OsString::from_vec(bytes)), begun }))
    }
}

impl Wish {
    /// Forgets the wish.
    pub fn fulfilled(self) {
        // One that stays is fulfilled again, which finds nothing new.
        fs::remove_file(self.begun).ok();
    }
}

fn next(folder: &Path) -> Option<PathBuf> {
    let entries = fs::read_dir(folder).ok()?.flatten().take(WISHES_MAX).map(|entry| entry.path());
    let is_wish = |path: &PathBuf| {
        let stem = path.file_stem().map_or(0, |stem| stem.len());
        stem == 32 && path.extension().is_none_or(|ending| ending == BEGUN)
    };
    entries.filter(is_wish).min()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wish_is_fulfilled_by_one_and_not_lost_when_he_dies() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        assert!(store.wishes().unwrap().unwrap().next().unwrap().is_none() && !store.has_wishes());
        add(folder.path(), Path::new("/a b")).unwrap();
        add(folder.path(), Path::new("/a b")).unwrap();
        let wishes = store.wishes().unwrap().unwrap();
        assert!(store.wishes().unwrap().is_none(), "two at once");
        let wish = wishes.next().unwrap().unwrap();
        assert_eq!(wish.path, Path::new("/a b"));
        // He dies here; the wish is left again too.
        drop(wishes);
        add(folder.path(), Path::new("/a b")).unwrap();
        let wishes = store.wishes().unwrap().unwrap();
        wishes.next().unwrap().unwrap().fulfilled();
        assert!(!store.has_wishes());
        add(folder.path(), Path::new("/c")).unwrap();
        assert_eq!(wishes.next().unwrap().unwrap().path, Path::new("/c"));
    }
}
