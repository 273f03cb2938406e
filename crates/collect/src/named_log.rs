//! A log that a person named on the command line, or gave on standard input.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};

use coroner_model::{CouldNotLook, Why};

use crate::casefile::{newlines, obstacle, read_bounded};
use crate::limits::Limits;
use crate::seen::Seen;

/// Reads the end of a log; `-` is standard input, of which the beginning is kept.
pub(crate) fn read(path: &str, limits: &Limits) -> Result<Seen, CouldNotLook> {
    let read = if path == "-" { standard_input(limits) } else { tail(path, limits) };
    let mut seen = read.map_err(|error| {
        let why = match error.kind() {
            io::ErrorKind::NotFound => Why::Absent,
            io::ErrorKind::PermissionDenied => Why::Denied,
            _ => Why::Unreadable,
        };
        obstacle(why, format!("{path}: {error}"))
    })?;
    seen.path = path.to_owned();
    Ok(seen)
}

fn standard_input(limits: &Limits) -> io::Result<Seen> {
    let (raw, more) = read_bounded(io::stdin().lock(), limits.log_bytes_max)?;
    // How much more there was is not known without reading it.
    Ok(Seen { raw, bytes_left_out: u64::from(more), first_line: 1, ..Seen::default() })
}

fn tail(path: &str, limits: &Limits) -> io::Result<Seen> {
    let mut file = File::open(path)?;
    let meta = file.metadata()?;
    if meta.is_dir() {
        return Err(io::Error::from(io::ErrorKind::IsADirectory));
    }
    if !meta.is_file() {
        let (raw, more) = read_bounded(file, limits.log_bytes_max)?;
        return Ok(Seen { raw, bytes_left_out: u64::from(more), first_line: 1, ..Seen::default() });
    }
    let skipped = meta.len().saturating_sub(limits.log_bytes_max);
    let mut first_line = 1;
    let mut buffer = vec![0u8; 64 * 1024];
    let mut ahead = (&file).take(skipped);
    loop {
        match ahead.read(&mut buffer)? {
            0 => break,
            got => first_line += newlines(&buffer[..got]),
        }
    }
    file.seek(SeekFrom::Start(skipped))?;
    let (mut raw, _) = read_bounded(&file, limits.log_bytes_max)?;
    let mut bytes_left_out = skipped;
    if let (true, Some(end)) = (skipped > 0, raw.iter().position(|b| *b == b'\n')) {
        raw.drain(..=end);
        bytes_left_out += end as u64 + 1;
        first_line += 1;
    }
    Ok(Seen { raw, bytes_left_out, first_line, ..Seen::default() })
}
