//! Logs: their new lines, a bounded chunk of them one piece of evidence.

use std::path::Path;

use coroner_collect::live::Mark;
use coroner_collect::source_file::{self, Change};
use coroner_model::Source;
use coroner_model::source::SourceState;
use coroner_read::log;
use jiff::Timestamp;

use super::{Around, Beside, Reading, Seen};

/// Lines of one piece of evidence.
const CHUNK_LINES_MAX: u64 = 200;
/// Bytes of one, but for a single line that is longer.
const CHUNK_BYTES_MAX: usize = 32 * 1024;
/// Bytes of one log that are read in one run; the rest follows in the next.
const READ_BYTES_MAX: u64 = 64 << 20;
/// Longest line that is kept whole, in bytes.
const LINE_BYTES_MAX: usize = 64 * 1024;

/// What the lines of a file are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lines {
    Container,
    /// `journalctl --output json`.
    Journal,
    /// `.git/logs/HEAD`: each line a move of its own.
    Reflog,
}

impl Lines {
    fn source(self) -> Source {
        match self {
            Lines::Container => Source::ContainerLog,
            Lines::Journal => Source::Journal,
            Lines::Reflog => Source::Git,
        }
    }

    fn chunk_lines_max(self) -> u64 {
        if self == Lines::Reflog { 1 } else { CHUNK_LINES_MAX }
    }

    /// When a line was written, and its text.
    fn read(self, line: &str) -> (Option<Timestamp>, String) {
        let line = &line[..line.floor_char_boundary(LINE_BYTES_MAX)];
        match self {
            Lines::Container => (log::line(line, None).at, line.to_owned()),
            Lines::Reflog => (moved_at(line), line.to_owned()),
            Lines::Journal => {
                let read = log::line(line, None);
                let at = read.at.map_or(String::new(), |at| format!("{at} "));
                let by = read.component.map_or(String::new(), |name| format!("{name}: "));
                (read.at, format!("{at}{by}{}", read.message))
            }
        }
    }
}

/// `old new Name <mail> 1770000000 +0100<TAB>commit: words`.
fn moved_at(line: &str) -> Option<Timestamp> {
    let (_, after) = line.split('\t').next()?.rsplit_once('>')?;
    Timestamp::from_second(after.split_whitespace().next()?.parse().ok()?).ok()
}

/// Lines on their way into evidence.
struct Chunk {
    lines: Lines,
    /// What locators name.
    name: String,
    at: Option<Timestamp>,
    text: String,
    raw: Vec<u8>,
    first: u64,
    count: u64,
}

impl Chunk {
    fn new(lines: Lines, name: String, read: u64) -> Chunk {
        Chunk { lines, name, at: None, text: String::new(), raw: Vec::new(), first: read + 1, count: 0 }
    }

    fn add(&mut self, line: &str, reading: &mut Reading, around: &Around<'_>) {
        let (at, text) = self.lines.read(line);
        self.at = self.at.or(at);
        self.text.push_str(&text);
        self.text.push('\n');
        self.raw.extend_from_slice(line.as_bytes());
        self.raw.push(b'\n');
        self.count += 1;
        reading.now.lines += u64::from(!line.trim().is_empty());
        reading.bytes += line.len() as u64 + 1;
        reading.source.lines_read += 1;
        if self.count >= self.lines.chunk_lines_max() || self.text.len() >= CHUNK_BYTES_MAX {
            self.close(reading, around);
        }
    }

    fn close(&mut self, reading: &mut Reading, around: &Around<'_>) {
        let last = self.first + self.count.saturating_sub(1);
        if !self.text.trim().is_empty() {
            let locator = match self.count {
                1 => format!("{}:{last}", self.name),
                _ => format!("{}:{}-{last}", self.name, self.first),
            };
            let text = std::mem::take(&mut self.text);
            let seen = Seen { source: self.lines.source(), locator, at: self.at, text, raw: &self.raw };
            reading.show(&seen, &around.redactor(), around.request);
        }
        *self = Chunk::new(self.lines, std::mem::take(&mut self.name), last.max(self.first - 1));
    }
}

/// New lines of a file that grows.
pub(super) fn file(
    around: &Around<'_>,
    source: &Beside,
    path: &Path,
    known: Option<&SourceState>,
    lines: Lines,
) -> Result<Reading, String> {
    let told = |error: std::io::Error| error.to_string();
    let mut reading = Reading::new(source, known);
    let stamp = source_file::stamp(path).map_err(told)?;
    match source_file::change(path, &stamp, &reading.source).map_err(told)? {
        Change::Unchanged => {
            let state = reading.source.clone();
            return Ok(reading.unchanged(&state));
        }
        Change::Grown => {}
        Change::Rewritten => reading = Reading::new(source, None),
    }
    let from = reading.source.offset;
    let mut file = source_file::Lines::open(path, from).map_err(told)?;
    let mut chunk = Chunk::new(lines, source.name(), reading.source.lines_read);
    let mut line = Vec::new();
    let mut is_cut = false;
    while let Some(place) = file.next(&mut line).map_err(told)? {
        // The rest of a line that is being written comes with the next run.
        if !place.is_ended {
            break;
        }
        chunk.add(&String::from_utf8_lossy(&line), &mut reading, around);
        reading.source.offset = file.offset();
        is_cut = file.offset() - from > READ_BYTES_MAX;
        if is_cut {
            break;
        }
    }
    chunk.close(&mut reading, around);
    reading.source.counts += reading.now;
    // What was not read to its end is looked at again.
    reading.source.stamp = if is_cut { Default::default() } else { stamp };
    reading.source.tail = source_file::tail(path, reading.source.offset).map_err(told)?;
    Ok(reading)
}

/// New lines of a container, from the engine.
pub(super) fn container(
    around: &Around<'_>,
    source: &Beside,
    name: &str,
    known: Option<&SourceState>,
) -> Result<Reading, String> {
    let mut reading = Reading::new(source, known);
    let mark: Mark = serde_json::from_value(reading.source.reader.clone()).unwrap_or_default();
    let recent = around.live().recent_log(name, &mark).map_err(|why| why.detail)?;
    if let Some(known) = known.filter(|known| known.form == source.form() && recent.lines.is_empty()) {
        return Ok(reading.unchanged(known));
    }
    if recent.is_cut {
        reading.note = "more lines came than are kept of one run";
    }
    let mut chunk = Chunk::new(Lines::Container, source.name(), reading.source.lines_read);
    recent.lines.iter().for_each(|line| chunk.add(line, &mut reading, around));
    chunk.close(&mut reading, around);
    reading.source.counts += reading.now;
    reading.source.reader = serde_json::to_value(&recent.mark).map_err(|error| error.to_string())?;
    Ok(reading)
}
