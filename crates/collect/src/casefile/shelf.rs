//! The entries of a casefile, from a folder or an archive, and links resolved inside its root.
//!
//! Links are resolved on this index, never by the kernel: whatever a stranger's
//! casefile points at, nothing outside of it is opened.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

/// Links followed in one resolution.
const LINK_HOPS_MAX: usize = 40;
/// Bytes read at once.
const CHUNK_BYTES: usize = 64 * 1024;

/// One entry.
#[derive(Clone, Debug)]
pub(super) enum Node {
    Dir,
    File { place: Place, bytes: u64 },
    Link(String),
}

/// Where the bytes of a file lie.
#[derive(Clone, Debug)]
pub(super) enum Place {
    Disk(PathBuf),
    /// Offset in the spool that an archive was unpacked into.
    Spool(u64),
}

/// A part of a file.
#[derive(Debug, Default)]
pub(super) struct Piece {
    pub bytes: Vec<u8>,
    pub left_out: u64,
    pub first_line: u64,
}

/// All entries by their path relative to the root of the casefile.
#[derive(Debug, Default)]
pub(super) struct Shelf {
    nodes: BTreeMap<String, Node>,
    spool: Option<File>,
}

impl Shelf {
    /// A shelf over unpacked entries.
    pub(super) fn new(nodes: BTreeMap<String, Node>, spool: Option<File>) -> Shelf {
        let mut shelf = Shelf { nodes, spool };
        let files: Vec<String> = shelf.nodes.keys().cloned().collect();
        for path in files {
            let mut at = path.as_str();
            while let Some((parent, _)) = at.rsplit_once('/') {
                if shelf.nodes.contains_key(parent) {
                    break;
                }
                shelf.nodes.insert(parent.to_owned(), Node::Dir);
                at = parent;
            }
        }
        shelf
    }

    /// The real place of a path, links followed inside the root; `None` where nothing is.
    pub(super) fn resolve(&self, path: &str) -> Option<String> {
        let mut done = String::new();
        let mut rest: Vec<String> = path.split('/').rev().map(str::to_owned).collect();
        let mut hops = 0;
        while let Some(part) = rest.pop() {
            match part.as_str() {
                "" | "." => continue,
                ".." => {
                    done = parent_inside(&done);
                    continue;
                }
                _ => {}
            }
            let next = if done.is_empty() { part } else { format!("{done}/{part}") };
            match self.nodes.get(&next)? {
                Node::Link(target) => {
                    hops += 1;
                    if hops > LINK_HOPS_MAX {
                        return None;
                    }
                    if target.starts_with('/') {
                        done = root_of(&next).to_owned();
                    }
                    rest.extend(target.split('/').rev().map(str::to_owned));
                }
                _ => done = next,
            }
        }
        (done.is_empty() || self.nodes.contains_key(&done)).then_some(done)
    }

    /// The entry itself, a link not followed at its end.
    pub(super) fn entry(&self, path: &str) -> Option<&Node> {
        let path = path.trim_matches('/');
        let (parent, name) = path.rsplit_once('/').unwrap_or(("", path));
        let parent = self.resolve(parent)?;
        self.nodes.get(&if parent.is_empty() { name.to_owned() } else { format!("{parent}/{name}") })
    }

    /// Whether a path leads to a directory.
    pub(super) fn is_dir(&self, path: &str) -> bool {
        self.resolve(path).is_some_and(|real| real.is_empty() || matches!(self.nodes.get(&real), Some(Node::Dir)))
    }

    /// Size of the file that a path leads to.
    pub(super) fn file_bytes(&self, path: &str) -> Option<u64> {
        match self.nodes.get(&self.resolve(path)?)? {
            Node::File { bytes, .. } => Some(*bytes),
            _ => None,
        }
    }

    /// Paths of all files under a directory (and links to files), in order.
    pub(super) fn files_under(&self, directory: &str) -> Vec<&str> {
        let Some(real) = self.resolve(directory) else { return Vec::new() };
        let prefix = if real.is_empty() { String::new() } else { format!("{real}/") };
        self.nodes
            .range(prefix.clone()..)
            .take_while(|(path, _)| path.starts_with(&prefix))
            .filter(|(path, node)| match node {
                Node::File { .. } => true,
                Node::Link(_) => self.file_bytes(path).is_some(),
                Node::Dir => false,
            })
            .map(|(path, _)| path.as_str())
            .collect()
    }

    /// Links that lead to nothing in here. Under `files/` the host's own may.
    pub(super) fn dangling(&self) -> Vec<&str> {
        let is_lost = |path: &&String, node: &Node| {
            matches!(node, Node::Link(_)) && !path.starts_with("files/") && self.resolve(path).is_none()
        };
        self.nodes.iter().filter(|(path, node)| is_lost(path, node)).map(|(path, _)| path.as_str()).collect()
    }

    /// The first bytes of a file.
    pub(super) fn head(&self, path: &str, bytes_max: u64) -> io::Result<Piece> {
        let (source, bytes) = self.open(path)?;
        let mut piece = Piece { left_out: bytes.saturating_sub(bytes_max), first_line: 1, ..Piece::default() };
        source.read(0, bytes.min(bytes_max), |chunk| piece.bytes.extend_from_slice(chunk))?;
        Ok(piece)
    }

    /// The last lines of a file, and the number of the first of them.
    pub(super) fn tail(&self, path: &str, bytes_max: u64) -> io::Result<Piece> {
        let (source, bytes) = self.open(path)?;
        if bytes <= bytes_max {
            return self.head(path, bytes_max);
        }
        let skipped = bytes - bytes_max;
        let mut lines = 0u64;
        source.read(0, skipped, |chunk| lines += newlines(chunk))?;
        let mut piece = Piece { left_out: skipped, first_line: lines + 1, ..Piece::default() };
        source.read(skipped, bytes_max, |chunk| piece.bytes.extend_from_slice(chunk))?;
        // A line cut in half would be misread: begin with the next whole one.
        if let Some(end) = piece.bytes.iter().position(|b| *b == b'\n') {
            piece.bytes.drain(..=end);
            piece.left_out += end as u64 + 1;
            piece.first_line += 1;
        }
        Ok(piece)
    }

    fn open(&self, path: &str) -> io::Result<(Source<'_>, u64)> {
        let missing = || io::Error::from(io::ErrorKind::NotFound);
        let real = self.resolve(path).ok_or_else(missing)?;
        match self.nodes.get(&real).ok_or_else(missing)? {
            Node::File { place: Place::Disk(at), .. } => {
                let file = open_regular(at)?;
                let bytes = file.metadata()?.len();
                Ok((Source::Disk(file), bytes))
            }
            Node::File { place: Place::Spool(offset), bytes } => {
                Ok((Source::Spool(self.spool.as_ref().ok_or_else(missing)?, *offset), *bytes))
            }
            _ => Err(io::Error::from(io::ErrorKind::IsADirectory)),
        }
    }
}

enum Source<'a> {
    Disk(File),
    Spool(&'a File, u64),
}

impl Source<'_> {
    /// Reads `length` bytes from `from` on in chunks, or as many as there are.
    fn read(&self, from: u64, length: u64, mut each: impl FnMut(&[u8])) -> io::Result<()> {
        let (file, start) = match self {
            Source::Disk(file) => (file, from),
            Source::Spool(file, offset) => (*file, offset + from),
        };
        let mut buffer = vec![0u8; CHUNK_BYTES];
        let mut done = 0u64;
        while done < length {
            let want = usize::try_from(length - done).unwrap_or(CHUNK_BYTES).min(CHUNK_BYTES);
            let got = file.read_at(&mut buffer[..want], start + done)?;
            if got == 0 {
                break;
            }
            each(&buffer[..got]);
            done += got as u64;
        }
        Ok(())
    }
}

/// How many lines end in a piece.
pub(crate) fn newlines(bytes: &[u8]) -> u64 {
    bytes.iter().filter(|b| **b == b'\n').count() as u64
}

/// Opens a regular file, refusing links and never waiting on a pipe.
pub(crate) fn open_regular(path: &Path) -> io::Result<File> {
    use rustix::fs::{Mode, OFlags, open};
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = File::from(open(path, flags, Mode::empty())?);
    match file.metadata()?.is_file() {
        true => Ok(file),
        false => Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file")),
    }
}

/// The part of a casefile that stands for `/`: copies of files have the host's own.
fn root_of(path: &str) -> &str {
    if path == "files" || path.starts_with("files/") { "files" } else { "" }
}

/// The parent of a resolved path, never above what stands for `/`.
fn parent_inside(path: &str) -> String {
    if path == root_of(path) {
        return path.to_owned();
    }
    path.rsplit_once('/').map(|(parent, _)| parent.to_owned()).unwrap_or_default()
}

/// Lists a folder, links as links, at most `entries_max` of them.
pub(super) fn of_folder(root: &Path, entries_max: usize, notes: &mut Vec<String>) -> io::Result<Shelf> {
    let mut nodes = BTreeMap::new();
    let mut queue = vec![(root.to_path_buf(), String::new())];
    while let Some((directory, prefix)) = queue.pop() {
        let entries = match std::fs::read_dir(&directory) {
            Ok(entries) => entries,
            Err(error) if prefix.is_empty() => return Err(error),
            Err(error) => {
                notes.push(format!("{prefix}: {error}"));
                continue;
            }
        };
        for entry in entries {
            let entry = entry?;
            let Ok(name) = entry.file_name().into_string() else {
                notes.push(format!("{prefix}: a name that is not UTF-8"));
                continue;
            };
            if nodes.len() >= entries_max {
                notes.push(format!("more than {entries_max} entries, the rest was not read"));
                return Ok(Shelf::new(nodes, None));
            }
            let path = if prefix.is_empty() { name } else { format!("{prefix}/{name}") };
            let kind = entry.file_type()?;
            let node = if kind.is_symlink() {
                Node::Link(std::fs::read_link(entry.path())?.to_string_lossy().into_owned())
            } else if kind.is_dir() {
                queue.push((entry.path(), path.clone()));
                Node::Dir
            } else if kind.is_file() {
                Node::File { place: Place::Disk(entry.path()), bytes: entry.metadata()?.len() }
            } else {
                notes.push(format!("{path}: neither file, directory nor link; refused"));
                continue;
            };
            nodes.insert(path, node);
        }
    }
    Ok(Shelf::new(nodes, None))
}

/// A shelf over texts by path, as an example in an anti-pattern file holds them.
pub(super) fn of_texts<'a>(texts: impl IntoIterator<Item = (&'a str, &'a str)>) -> io::Result<Shelf> {
    use std::io::Write;
    let mut spool = tempfile::tempfile()?;
    let mut nodes = BTreeMap::new();
    let mut offset = 0;
    for (path, text) in texts {
        spool.write_all(text.as_bytes())?;
        let bytes = text.len() as u64;
        nodes.insert(path.trim_matches('/').to_owned(), Node::File { place: Place::Spool(offset), bytes });
        offset += bytes;
    }
    Ok(Shelf::new(nodes, Some(spool)))
}

/// Reads at most `bytes_max` bytes; whether there was more is the second value.
pub(crate) fn read_bounded(reader: impl Read, bytes_max: u64) -> io::Result<(Vec<u8>, bool)> {
    let mut bytes = Vec::new();
    reader.take(bytes_max + 1).read_to_end(&mut bytes)?;
    let more = bytes.len() as u64 > bytes_max;
    bytes.truncate(usize::try_from(bytes_max).unwrap_or(usize::MAX));
    Ok((bytes, more))
}
