//! Unpacks a `.tar` or `.tar.zst` from a stranger into one spool file: no name
//! of the archive ever becomes a name on this machine.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::Path;

use tar::{Archive, Entry, EntryType, PaxExtensions};

use super::OpenError;
use super::shelf::{Node, Place, Shelf, open_regular, read_bounded};
use crate::limits::Limits;

/// Bytes of a long name or an extended header.
const HEADER_BYTES_MAX: u64 = 64 * 1024;
/// First bytes of a Zstandard frame.
const ZSTD_MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
/// What lies at the top of a casefile.
const TOP: &[&str] = &[
    "files",
    "host",
    "docker",
    "logs",
    "proxy",
    "prometheus",
    "postgres",
    "http",
    "backups",
    "git",
    "sessions",
    "tests",
    "claims",
];

/// Unpacks an archive. Notes say which entries were refused.
pub(super) fn of_archive(path: &Path, limits: &Limits, notes: &mut Vec<String>) -> Result<Shelf, OpenError> {
    let unreadable = |error: io::Error| OpenError::Unreadable { path: path.to_path_buf(), error };
    let file = File::from(
        rustix::fs::open(path, rustix::fs::OFlags::RDONLY | rustix::fs::OFlags::CLOEXEC, rustix::fs::Mode::empty())
            .map_err(|e| unreadable(e.into()))?,
    );
    of_reader(file, path, limits, notes)
}

/// The same from bytes that come from `path`, or from the program itself.
pub(super) fn of_reader(
    mut file: impl Read + Seek + 'static,
    path: &Path,
    limits: &Limits,
    notes: &mut Vec<String>,
) -> Result<Shelf, OpenError> {
    let unreadable = |error: io::Error| OpenError::Unreadable { path: path.to_path_buf(), error };
    let mut magic = [0u8; 4];
    let got = file.read(&mut magic).map_err(unreadable)?;
    file.seek(SeekFrom::Start(0)).map_err(unreadable)?;
    let reader: Box<dyn Read> = if got == 4 && magic == ZSTD_MAGIC {
        Box::new(zstd::Decoder::new(file).map_err(unreadable)?)
    } else {
        Box::new(BufReader::new(file))
    };
    let mut unpacker = Unpacker {
        nodes: BTreeMap::new(),
        spool: BufWriter::new(tempfile::tempfile().map_err(unreadable)?),
        bytes: 0,
        limits,
        notes,
    };
    unpacker.run(reader).map_err(|failure| match failure {
        Failure::Io(error) => unreadable(error),
        Failure::TooMuch(what) => OpenError::TooMuch { path: path.to_path_buf(), what },
    })?;
    let spool = unpacker.spool.into_inner().map_err(|e| unreadable(e.into_error()))?;
    Ok(Shelf::new(without_wrapper(unpacker.nodes), Some(spool)))
}

enum Failure {
    Io(io::Error),
    TooMuch(String),
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Failure {
        Failure::Io(error)
    }
}

/// What the headers before an entry said about it.
#[derive(Default)]
struct Pending {
    path: Option<String>,
    link: Option<String>,
}

struct Unpacker<'a> {
    nodes: BTreeMap<String, Node>,
    spool: BufWriter<File>,
    bytes: u64,
    limits: &'a Limits,
    notes: &'a mut Vec<String>,
}

impl Unpacker<'_> {
    fn run(&mut self, reader: impl Read) -> Result<(), Failure> {
        // Padding and headers are counted too: nothing is read beyond twice the bound.
        let mut archive = Archive::new(reader.take(self.limits.casefile_bytes_max.saturating_mul(2)));
        let mut pending = Pending::default();
        for entry in archive.entries()?.raw(true) {
            let mut entry = entry?;
            match entry.header().entry_type() {
                EntryType::GNULongName => pending.path = Some(name_from(&mut entry)?),
                EntryType::GNULongLink => pending.link = Some(name_from(&mut entry)?),
                EntryType::XHeader => extended(&mut entry, &mut pending)?,
                EntryType::XGlobalHeader => {}
                _ => self.keep(&mut entry, std::mem::take(&mut pending))?,
            }
        }
        Ok(())
    }

    fn keep(&mut self, entry: &mut Entry<'_, impl Read>, pending: Pending) -> Result<(), Failure> {
        let named = pending.path.unwrap_or_else(|| String::from_utf8_lossy(&entry.path_bytes()).into_owned());
        let Some(path) = inside(&named) else {
            self.notes.push(format!("{named}: leads out of the casefile; refused"));
            return Ok(());
        };
        if path.is_empty() {
            return Ok(());
        }
        if self.nodes.len() >= self.limits.entries_max {
            return Err(Failure::TooMuch(format!("more than {} entries", self.limits.entries_max)));
        }
        let link = || {
            pending
                .link
                .clone()
                .or_else(|| entry.link_name_bytes().map(|l| String::from_utf8_lossy(&l).into_owned()))
                .unwrap_or_default()
        };
        let node = match entry.header().entry_type() {
            EntryType::Directory => Node::Dir,
            EntryType::Symlink => Node::Link(link()),
            EntryType::Link => match inside(&link()).and_then(|target| self.nodes.get(&target).cloned()) {
                Some(node @ Node::File { .. }) => node,
                _ => {
                    self.notes.push(format!("{path}: hard link to nothing in the casefile; refused"));
                    return Ok(());
                }
            },
            EntryType::Regular | EntryType::Continuous => self.spool(entry)?,
            _ => {
                self.notes.push(format!("{path}: neither file, directory nor link; refused"));
                return Ok(());
            }
        };
        self.nodes.insert(path, node);
        Ok(())
    }

    fn spool(&mut self, entry: &mut Entry<'_, impl Read>) -> Result<Node, Failure> {
        let offset = self.bytes;
        let left = self.limits.casefile_bytes_max - offset;
        let bytes = io::copy(&mut entry.take(left + 1), &mut self.spool)?;
        if bytes > left {
            return Err(Failure::TooMuch(format!("unpacks to more than {} bytes", self.limits.casefile_bytes_max)));
        }
        self.spool.flush()?;
        self.bytes += bytes;
        Ok(Node::File { place: Place::Spool(offset), bytes })
    }
}

fn name_from(entry: &mut Entry<'_, impl Read>) -> Result<String, Failure> {
    let (bytes, more) = read_bounded(entry, HEADER_BYTES_MAX)?;
    if more {
        return Err(Failure::TooMuch(format!("a name of more than {HEADER_BYTES_MAX} bytes")));
    }
    Ok(String::from_utf8_lossy(&bytes).trim_end_matches('\0').to_owned())
}

fn extended(entry: &mut Entry<'_, impl Read>, pending: &mut Pending) -> Result<(), Failure> {
    let (bytes, more) = read_bounded(entry, HEADER_BYTES_MAX)?;
    if more {
        return Err(Failure::TooMuch(format!("an extended header of more than {HEADER_BYTES_MAX} bytes")));
    }
    for field in PaxExtensions::new(&bytes) {
        let field = field?;
        let value = String::from_utf8_lossy(field.value_bytes()).into_owned();
        match field.key_bytes() {
            b"path" => pending.path = Some(value),
            b"linkpath" => pending.link = Some(value),
            _ => {}
        }
    }
    Ok(())
}

/// A path relative to the root, or `None` where it climbs out.
fn inside(path: &str) -> Option<String> {
    let mut parts = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => return None,
            _ => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

/// Drops the one directory around everything, as `tar -cf x.tar casefile/` makes it.
fn without_wrapper(nodes: BTreeMap<String, Node>) -> BTreeMap<String, Node> {
    let mut tops: Vec<&str> = nodes.keys().map(|path| path.split('/').next().unwrap_or(path)).collect();
    tops.dedup();
    let [top] = tops[..] else { return nodes };
    let wraps = !TOP.contains(&top) && !matches!(nodes.get(top), Some(Node::File { .. } | Node::Link(_)));
    if !wraps {
        return nodes;
    }
    let prefix = format!("{top}/");
    nodes.into_iter().filter_map(|(path, node)| Some((path.strip_prefix(&prefix)?.to_owned(), node))).collect()
}

/// Whether a file begins like an archive that can be unpacked.
pub(super) fn is_archive(path: &Path) -> bool {
    let Ok(mut file) = open_regular(&path.canonicalize().unwrap_or_else(|_| path.to_path_buf())) else { return false };
    let mut start = [0u8; 262];
    let mut got = 0;
    while let Ok(n @ 1..) = file.read(&mut start[got..]) {
        got += n;
    }
    (got >= 4 && start[..4] == ZSTD_MAGIC) || (got == 262 && &start[257..262] == b"ustar")
}
