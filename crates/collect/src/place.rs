//! Single looks at paths of this host, for verbs that act on them right afterwards.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Whose a path is, by number, and its permission bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Access {
    pub uid: u32,
    pub gid: u32,
    pub mode: u32,
}

/// Whether anything is at a path, a dangling link included.
pub fn is_there(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok()
}

/// Whether a directory is at a path, a link not followed.
pub fn is_directory(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|meta| meta.is_dir())
}

/// The path without links; as it is where it cannot be resolved.
pub fn resolved(path: &Path) -> PathBuf {
    fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf())
}

/// A directory without links on its way.
pub fn directory(path: &Path) -> io::Result<PathBuf> {
    let real = fs::canonicalize(path)?;
    match real.is_dir() {
        true => Ok(real),
        false => Err(io::Error::from(io::ErrorKind::NotADirectory)),
    }
}

/// Whether two files hold the same bytes; `false` also where that takes more than `bytes_max` to tell.
pub fn same_content(a: &Path, b: &Path, bytes_max: u64) -> bool {
    let regular = |path: &Path| fs::symlink_metadata(path).ok().filter(fs::Metadata::is_file);
    match (regular(a), regular(b)) {
        (Some(left), Some(right)) if left.len() == right.len() && left.len() <= bytes_max => {
            matches!((fs::read(a), fs::read(b)), (Ok(left), Ok(right)) if left == right)
        }
        _ => false,
    }
}

/// Whose a path is, a link not followed.
pub fn access(path: &Path) -> Option<Access> {
    let meta = fs::symlink_metadata(path).ok()?;
    Some(Access { uid: meta.uid(), gid: meta.gid(), mode: meta.mode() & 0o7777 })
}

/// Whether a directory says of itself that it need not be kept.
pub fn is_cache(directory: &Path) -> bool {
    has_one_of(directory, &["CACHEDIR.TAG", ".nobackup"])
}

/// Whether one of these files lies in a directory.
pub fn has_one_of(directory: &Path, names: &[&str]) -> bool {
    names.iter().any(|name| directory.join(name).is_file())
}

/// Paths relative to a directory, and whether each is a directory itself.
pub type Listing = Vec<(PathBuf, bool)>;

/// Everything below a directory, each path relative to it and whether it is a directory; links are not followed.
///
/// `None` where there are more than `paths_max`; an error names the directory that cannot be read.
pub fn below(root: &Path, paths_max: usize) -> Result<Option<Listing>, (PathBuf, io::Error)> {
    let mut out = Vec::new();
    let mut open = vec![root.to_path_buf()];
    while let Some(directory) = open.pop() {
        let entries = fs::read_dir(&directory).map_err(|error| (directory.clone(), error))?;
        for entry in entries.flatten() {
            let path = entry.path();
            let is_dir = entry.file_type().is_ok_and(|kind| kind.is_dir());
            if let Ok(below) = path.strip_prefix(root) {
                out.push((below.to_path_buf(), is_dir));
            }
            if out.len() > paths_max {
                return Ok(None);
            }
            if is_dir {
                open.push(path);
            }
        }
    }
    out.sort();
    Ok(Some(out))
}

/// Most files of one folder that are named.
const FILES_OF_MAX: usize = 200;

/// Files of a folder with one of these endings, by name; a missing folder holds none.
pub fn files_of(folder: &Path, endings: &[&str]) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let ends = |path: &PathBuf| path.extension().is_some_and(|end| endings.iter().any(|wanted| end == *wanted));
    let mut found: Vec<PathBuf> =
        entries.map(|entry| entry.path()).filter(ends).filter(|path| path.is_file()).collect();
    found.sort();
    found.truncate(FILES_OF_MAX);
    found
}

/// Whether a file is there that may be run.
pub fn is_program(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|meta| meta.is_file() && meta.mode() & 0o111 != 0)
}

/// What a small text file holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Text {
    Absent,
    Held(String),
    /// Why it cannot be read.
    Unreadable(String),
}

/// The text of a file of at most that many bytes, links followed.
pub fn text(path: &Path, bytes_max: u64) -> Text {
    match fs::metadata(path) {
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            match is_there(path) {
                true => Text::Unreadable("it is a link that leads nowhere".to_owned()),
                false => Text::Absent,
            }
        }
        Err(error) => Text::Unreadable(error.to_string()),
        Ok(meta) if !meta.is_file() => Text::Unreadable("it is no file".to_owned()),
        Ok(meta) if meta.len() > bytes_max => Text::Unreadable(format!("it is larger than {bytes_max} bytes")),
        Ok(_) => match fs::read(path) {
            Err(error) => Text::Unreadable(error.to_string()),
            Ok(bytes) => {
                String::from_utf8(bytes).map_or_else(|_| Text::Unreadable("it is no text".to_owned()), Text::Held)
            }
        },
    }
}
