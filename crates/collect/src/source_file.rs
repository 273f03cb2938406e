//! A file that grows: whether it changed since it was read, and its lines from a place on.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use coroner_model::evidence::hex;
use coroner_model::source::{SourceState, Stamp};

/// Bytes before the place where reading ended whose hash says that the file only grew.
const TAIL_BYTES: u64 = 4 * 1024;
/// Longest line that is read, in bytes; a longer one is passed over and reported.
pub const LINE_BYTES_MAX: usize = 64 << 20;
/// Bytes at the beginning of a file by which its format is recognised.
pub const BEGINNING_BYTES_MAX: u64 = 64 * 1024;
/// Bytes read at once.
const BUFFER_BYTES: usize = 256 * 1024;

/// What became of a file since it was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    Unchanged,
    /// What was read still stands, and more may follow.
    Grown,
    /// Something before the place where reading ended is another.
    Rewritten,
}

/// Compares a file with what is known of it.
pub fn change(path: &Path, stamp: &Stamp, state: &SourceState) -> std::io::Result<Change> {
    if *stamp == state.stamp {
        return Ok(Change::Unchanged);
    }
    if is_compressed(path) || stamp.size < state.offset || stamp.inode != state.stamp.inode && state.offset == 0 {
        return Ok(Change::Rewritten);
    }
    Ok(if tail(path, state.offset)? == state.tail { Change::Grown } else { Change::Rewritten })
}

/// What the filesystem says of a file; a link is followed.
pub fn stamp(path: &Path) -> std::io::Result<Stamp> {
    let meta = std::fs::metadata(path)?;
    Ok(Stamp {
        size: meta.len(),
        modified_ns: meta.mtime().saturating_mul(1_000_000_000).saturating_add(meta.mtime_nsec()),
        inode: meta.ino(),
        device: meta.dev(),
    })
}

/// Hash of the last bytes before a place, in hex.
pub fn tail(path: &Path, offset: u64) -> std::io::Result<String> {
    let mut file = File::open(path)?;
    let from = offset.saturating_sub(TAIL_BYTES);
    file.seek(SeekFrom::Start(from))?;
    let mut bytes = Vec::new();
    file.take(offset - from).read_to_end(&mut bytes)?;
    Ok(hex(&blake3::hash(&bytes).as_bytes()[..16]))
}

/// The beginning of a file, decompressed where it is compressed.
pub fn beginning(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    open(path)?.take(BEGINNING_BYTES_MAX).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// All of a file, at most `bytes_max`; `None` where it holds more.
pub fn whole(path: &Path, bytes_max: u64) -> std::io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    open(path)?.take(bytes_max + 1).read_to_end(&mut bytes)?;
    Ok((bytes.len() as u64 <= bytes_max).then_some(bytes))
}

/// Whether the name says that the file is compressed by zstd.
pub fn is_compressed(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "zst")
}

fn open(path: &Path) -> std::io::Result<Box<dyn Read>> {
    let file = File::open(path)?;
    if is_compressed(path) { Ok(Box::new(zstd::Decoder::new(file)?)) } else { Ok(Box::new(file)) }
}

/// One line of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LinePlace {
    /// In bytes, of the decompressed text.
    pub offset: u64,
    /// In bytes, without the end of the line.
    pub len: u64,
    /// Whether a line feed ended it; the last line of a file that is being written may lack one.
    pub is_ended: bool,
    /// Longer than [`LINE_BYTES_MAX`]: its text is not given.
    pub is_too_long: bool,
}

/// Reads the lines of a file from a place on.
pub struct Lines {
    reader: BufReader<Box<dyn Read>>,
    offset: u64,
}

impl Lines {
    /// Opens a file at a byte of its (decompressed) text.
    pub fn open(path: &Path, from: u64) -> std::io::Result<Lines> {
        let reader: Box<dyn Read> = if is_compressed(path) {
            let mut reader = open(path)?;
            std::io::copy(&mut (&mut reader).take(from), &mut std::io::sink())?;
            reader
        } else {
            let mut file = File::open(path)?;
            file.seek(SeekFrom::Start(from))?;
            Box::new(file)
        };
        Ok(Lines { reader: BufReader::with_capacity(BUFFER_BYTES, reader), offset: from })
    }

    /// The next line into `line`; `None` at the end.
    pub fn next(&mut self, line: &mut Vec<u8>) -> std::io::Result<Option<LinePlace>> {
        line.clear();
        let read = (&mut self.reader).take(LINE_BYTES_MAX as u64).read_until(b'\n', line)? as u64;
        if read == 0 {
            return Ok(None);
        }
        let mut place = LinePlace { offset: self.offset, len: read, is_ended: true, is_too_long: false };
        if line.last() != Some(&b'\n') {
            let rest = if read == LINE_BYTES_MAX as u64 { self.skip_line()? } else { None };
            place.is_ended = rest.is_some();
            place.is_too_long = read == LINE_BYTES_MAX as u64;
            place.len += rest.unwrap_or(0);
        }
        self.offset += place.len;
        while line.last().is_some_and(|byte| matches!(byte, b'\n' | b'\r')) {
            line.pop();
            place.len -= 1;
        }
        if place.is_too_long {
            line.clear();
        }
        Ok(Some(place))
    }

    /// Where the next line begins.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// Passes over the rest of a line; gives its bytes where it is ended.
    fn skip_line(&mut self) -> std::io::Result<Option<u64>> {
        let mut skipped = 0;
        loop {
            let buffer = self.reader.fill_buf()?;
            if buffer.is_empty() {
                return Ok(None);
            }
            let end = buffer.iter().position(|byte| *byte == b'\n');
            let used = end.map_or(buffer.len(), |at| at + 1);
            self.reader.consume(used);
            skipped += used as u64;
            if end.is_some() {
                return Ok(Some(skipped));
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test panics where it fails")]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn a_file_is_unchanged_grown_or_rewritten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.jsonl");
        std::fs::write(&path, "one\ntwo\n").unwrap();
        let state = SourceState {
            stamp: stamp(&path).unwrap(),
            offset: 8,
            tail: tail(&path, 8).unwrap(),
            ..SourceState::default()
        };
        let now = |path: &Path| change(path, &stamp(path).unwrap(), &state).unwrap();
        assert_eq!(now(&path), Change::Unchanged);
        std::fs::OpenOptions::new().append(true).open(&path).unwrap().write_all(b"thr").unwrap();
        assert_eq!(now(&path), Change::Grown);
        std::fs::write(&path, "one\nTWO\nthree\n").unwrap();
        assert_eq!(now(&path), Change::Rewritten);
        std::fs::write(&path, "one\n").unwrap();
        assert_eq!(now(&path), Change::Rewritten);
    }

    #[test]
    fn lines_have_their_places_and_the_last_may_be_unfinished() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.jsonl");
        std::fs::write(&path, "one\r\n\nthree").unwrap();
        let mut lines = Lines::open(&path, 0).unwrap();
        let mut line = Vec::new();
        let mut seen = Vec::new();
        while let Some(place) = lines.next(&mut line).unwrap() {
            seen.push((String::from_utf8(line.clone()).unwrap(), place.offset, place.len, place.is_ended));
        }
        assert_eq!(
            seen,
            [("one".to_owned(), 0, 3, true), (String::new(), 5, 0, true), ("three".to_owned(), 6, 5, false)]
        );
    }
}
