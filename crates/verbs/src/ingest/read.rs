//! Reads one source: what is new in it, redacted and ready to be kept.

use std::path::Path;

use coroner_collect::source_file::{self, Change, LinePlace, Lines};
use coroner_collect::transcripts::{self, DbState, Form, Found};
use coroner_model::entry::{Entry, RawPlace};
use coroner_model::source::{ISSUES_COUNT_MAX, SourceCounts, SourceIssue, SourceState};
use coroner_model::{ContentHash, Redacted, Redactor};
use coroner_read::transcript::batch::{Batch, Counts, Issue};
use coroner_read::transcript::{self, Format, LineReader};
use coroner_store::{Part, Prepared, Provenance, Store};

use super::{IngestRequest, SourceReport, State};

/// Bytes of a source after which what was read so far is handed over.
const PART_BYTES: u64 = 1 << 20;
/// Largest file that must be read as a whole, in bytes.
const WHOLE_BYTES_MAX: u64 = 256 << 20;

/// Reads one source.
pub(super) struct Reader<'a> {
    path: &'a Path,
    form: Form,
    known: Option<&'a SourceState>,
    redactor: Redactor,
    from: Provenance,
    state: SourceState,
    report: SourceReport,
    /// Entries since the last part was handed over, each with its raw bytes.
    pending: Vec<(Entry<Redacted>, u64, Vec<u8>)>,
    given_agent: Option<&'a str>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(
        store: &Store,
        request: &'a IngestRequest,
        found: &'a Found,
        known: Option<&'a SourceState>,
    ) -> Reader<'a> {
        let path = found.path.as_path();
        let name = path.to_string_lossy().into_owned();
        let from = Provenance { agent: String::new(), path: name.clone(), machine: request.machine.clone() };
        Reader {
            path,
            form: found.form,
            known,
            redactor: Redactor::new(store.redaction_key()),
            from,
            state: SourceState { path: name.clone(), ..SourceState::default() },
            report: SourceReport { path: name, kind: "transcript", ..SourceReport::default() },
            pending: Vec::new(),
            given_agent: request.agent.as_deref(),
        }
    }

    /// Reads what is new and hands it over in parts.
    pub(super) fn run(&mut self, hand: &mut dyn FnMut(Part)) -> SourceReport {
        if let Err(error) = self.read(hand) {
            self.report.state = State::Failed;
            self.report.why = error.to_string();
        }
        self.report.agent.clone_from(&self.state.agent);
        self.report.told(&self.state);
        std::mem::take(&mut self.report)
    }

    fn read(&mut self, hand: &mut dyn FnMut(Part)) -> std::io::Result<()> {
        match self.form {
            Form::Skipped(why) => {
                self.state.stamp = source_file::stamp(self.path).unwrap_or_default();
                return self.skip(why, hand);
            }
            Form::OpenCodeDatabase => return self.database("opencode-database", hand),
            Form::OpenCodeTree => return self.database("opencode-tree", hand),
            Form::CursorDatabase => return self.database("cursor-database", hand),
            Form::Known if self.known.is_some_and(|known| !known.form.is_empty()) => {
                let form = self.known.map(|known| known.form.clone()).unwrap_or_default();
                return self.database(&form, hand);
            }
            // The others are read elsewhere; what is no transcript is skipped below.
            _ => {}
        }
        let stamp = source_file::stamp(self.path)?;
        let change = match self.known {
            Some(known) => source_file::change(self.path, &stamp, known)?,
            None => Change::Rewritten,
        };
        match (change, self.known) {
            (Change::Unchanged, Some(known)) => {
                self.state = known.clone();
                self.report.state = if known.why.is_empty() { State::Unchanged } else { State::Skipped };
                self.report.why.clone_from(&known.why);
                return Ok(());
            }
            (Change::Grown, Some(known)) if known.why.is_empty() && known.offset > 0 => {
                if let Ok(reader) = serde_json::from_value::<LineReader>(known.reader.clone()) {
                    self.state = known.clone();
                    self.state.stamp = stamp;
                    self.report.state = State::Parsed;
                    return self.lines(reader, hand);
                }
            }
            _ => {}
        }
        self.state.stamp = stamp;
        self.anew(hand)
    }

    /// Reads the source from its beginning.
    fn anew(&mut self, hand: &mut dyn FnMut(Part)) -> std::io::Result<()> {
        let beginning = source_file::beginning(self.path)?;
        let name = self.from.path.trim_end_matches(".zst");
        let text = String::from_utf8_lossy(&beginning);
        match transcript::format(name, complete(&text)) {
            Format::Lines(reader) => {
                self.report.state = State::Parsed;
                self.lines(reader, hand)
            }
            Format::Meta => {
                self.report.state = State::Parsed;
                self.whole(hand, transcript::meta)
            }
            Format::Whole(reader) => {
                self.report.state = State::Parsed;
                self.name_agent(reader.agent());
                self.whole(hand, |path, text| reader.read(transcript::stem(path), text))
            }
            Format::Commands => self.skip("a plain text, no transcript", hand),
            Format::Unknown(why) => self.skip(why, hand),
        }
    }

    fn skip(&mut self, why: &str, hand: &mut dyn FnMut(Part)) -> std::io::Result<()> {
        self.report.state = State::Skipped;
        why.clone_into(&mut self.report.why);
        why.clone_into(&mut self.state.why);
        hand(Part { state: self.state.clone(), entries: Vec::new(), evidence: Vec::new() });
        Ok(())
    }

    /// Reads the sessions of a database that changed.
    fn database(&mut self, form: &str, hand: &mut dyn FnMut(Part)) -> std::io::Result<()> {
        let before: DbState =
            self.known.and_then(|known| serde_json::from_value(known.reader.clone()).ok()).unwrap_or_default();
        if let Some(known) = self.known.filter(|known| known.why.is_empty()) {
            self.state = known.clone();
        }
        form.clone_into(&mut self.state.form);
        self.state.stamp = source_file::stamp(self.path)?;
        let path = self.path;
        let agent = if form.starts_with("cursor") { "cursor" } else { "opencode" };
        self.name_agent(agent);
        let mut failed = None;
        let mut each = |mut batch: Batch| {
            for entry in batch.entries.drain(..) {
                let raw = serde_json::to_vec(&entry).unwrap_or_default();
                let (redacted, count) = entry.redact(&mut self.redactor);
                self.pending.push((redacted, count, raw));
            }
            self.count(&mut batch);
            // The state follows when all is read: until then what was read before still holds.
            let reader = serde_json::to_value(&before).unwrap_or_default();
            if let Err(error) = self.finish_part(reader, hand) {
                failed = Some(error);
            }
        };
        let read = match form {
            "cursor-database" => transcripts::cursor(path, &before, &mut each),
            "opencode-tree" => transcripts::opencode_tree(path, &before, &mut each),
            _ => transcripts::opencode(path, &before, &mut each),
        };
        let after = read.map_err(std::io::Error::other)?;
        if let Some(error) = failed {
            return Err(error);
        }
        let is_unchanged = after.sessions == before.sessions && self.known.is_some();
        self.report.state = if is_unchanged { State::Unchanged } else { State::Parsed };
        if !is_unchanged {
            self.report.bytes = self.state.stamp.size;
            self.state.reader = serde_json::to_value(&after).map_err(std::io::Error::other)?;
            hand(Part { state: self.state.clone(), entries: Vec::new(), evidence: Vec::new() });
        }
        Ok(())
    }

    /// Reads lines from where the state says.
    fn lines(&mut self, mut reader: LineReader, hand: &mut dyn FnMut(Part)) -> std::io::Result<()> {
        self.name_agent(reader.agent());
        let from = self.state.offset;
        // A line that was not finished last time is counted again now.
        self.forget_unfinished(from);
        let mut lines = Lines::open(self.path, from)?;
        let mut line = Vec::new();
        let mut batch = Batch::default();
        let mut part_from = from;
        while let Some(place) = lines.next(&mut line)? {
            if !place.is_ended && !is_whole(&line) {
                self.unfinished(place);
                break;
            }
            self.state.lines_read += 1;
            self.line(&mut reader, &line, place, &mut batch);
            self.state.offset = lines.offset();
            if self.state.offset - part_from > PART_BYTES {
                self.hand_over(&reader, &mut batch, hand)?;
                part_from = self.state.offset;
            }
        }
        self.report.bytes = self.state.offset - from;
        self.hand_over(&reader, &mut batch, hand)
    }

    fn line(&mut self, reader: &mut LineReader, line: &[u8], place: LinePlace, batch: &mut Batch) {
        let raw = RawPlace { offset: place.offset, len: place.len, line: self.state.lines_read };
        if place.is_too_long {
            batch.counts.lines += 1;
            batch.issue(Entry { raw, ..Entry::default() }, "the line is too long to be read", "");
        } else {
            let text = String::from_utf8_lossy(line);
            if text.trim().is_empty() {
                return;
            }
            reader.line(&text, raw, batch);
        }
        for entry in batch.entries.drain(..) {
            let (redacted, count) = entry.redact(&mut self.redactor);
            self.pending.push((redacted, count, line.to_vec()));
        }
    }

    /// Reads a source that makes sense only as a whole.
    fn whole(&mut self, hand: &mut dyn FnMut(Part), parse: impl FnOnce(&str, &str) -> Batch) -> std::io::Result<()> {
        let Some(bytes) = source_file::whole(self.path, WHOLE_BYTES_MAX)? else {
            return self.skip("too large to be read as a whole", hand);
        };
        let text = String::from_utf8_lossy(&bytes);
        let path = self.from.path.clone();
        let mut batch = parse(&path, &text);
        self.report.bytes = bytes.len() as u64;
        for entry in batch.entries.drain(..) {
            let (from, len) = (entry.raw.offset as usize, entry.raw.len as usize);
            let raw = bytes.get(from..from + len).unwrap_or(&bytes).to_vec();
            let (redacted, count) = entry.redact(&mut self.redactor);
            self.pending.push((redacted, count, raw));
        }
        self.count(&mut batch);
        self.state.offset = self.state.stamp.size;
        self.finish_part(serde_json::Value::Null, hand)
    }

    fn hand_over(&mut self, reader: &LineReader, batch: &mut Batch, hand: &mut dyn FnMut(Part)) -> std::io::Result<()> {
        self.count(batch);
        let reader = serde_json::to_value(reader).map_err(std::io::Error::other)?;
        self.finish_part(reader, hand)
    }

    fn finish_part(&mut self, reader: serde_json::Value, hand: &mut dyn FnMut(Part)) -> std::io::Result<()> {
        self.state.reader = self.redacted_state(reader);
        self.state.tail = match source_file::is_compressed(self.path) || !self.state.form.is_empty() {
            true => String::new(),
            false => source_file::tail(self.path, self.state.offset)?,
        };
        let mut entries = Vec::with_capacity(self.pending.len());
        for (entry, count, raw) in std::mem::take(&mut self.pending) {
            // What was recognised later in the part goes from its beginning too.
            let (entry, more) = entry.without_learned(&self.redactor);
            let hash = match count + more {
                0 => ContentHash::sha256(&raw),
                _ => ContentHash::hmac(self.redactor.hash_key(), &raw),
            };
            self.report.redactions += count + more;
            entries.push(Prepared::new(&self.from, entry, hash).map_err(std::io::Error::other)?);
        }
        hand(Part { state: self.state.clone(), entries, evidence: Vec::new() });
        Ok(())
    }

    /// What a reader remembers may hold words of the transcript.
    fn redacted_state(&self, reader: serde_json::Value) -> serde_json::Value {
        serde_json::from_str(self.redactor.redact(&reader.to_string()).as_str()).unwrap_or_default()
    }

    fn count(&mut self, batch: &mut Batch) {
        let Counts { lines, messages, tool_calls, unknown } = std::mem::take(&mut batch.counts);
        let parse_issues = batch.issues.len() as u64;
        let now = SourceCounts { lines, messages, tool_calls, unknown, parse_issues };
        self.state.counts += now;
        self.report.now += now;
        for Issue { raw, reason } in batch.issues.drain(..) {
            self.add_issue(SourceIssue { offset: raw.offset, len: raw.len, reason });
        }
    }

    fn add_issue(&mut self, issue: SourceIssue) {
        if self.state.issues.len() < ISSUES_COUNT_MAX {
            self.state.issues.push(issue);
        }
    }

    /// Accounts for a last line that is still being written, or was cut off.
    fn unfinished(&mut self, place: LinePlace) {
        let now = SourceCounts { lines: 1, parse_issues: 1, ..SourceCounts::default() };
        self.state.counts += now;
        self.report.now += now;
        let reason = "the last line is not finished".to_owned();
        self.add_issue(SourceIssue { offset: place.offset, len: place.len, reason });
    }

    fn forget_unfinished(&mut self, from: u64) {
        let before = self.state.issues.len();
        self.state.issues.retain(|issue| issue.offset < from || from == 0);
        let gone = (before - self.state.issues.len()) as u64;
        self.state.counts.lines -= gone.min(self.state.counts.lines);
        self.state.counts.parse_issues -= gone.min(self.state.counts.parse_issues);
    }

    fn name_agent(&mut self, by_format: &str) {
        let agent = if by_format.is_empty() { self.given_agent.unwrap_or("") } else { by_format };
        agent.clone_into(&mut self.state.agent);
        agent.clone_into(&mut self.from.agent);
    }
}

/// The lines of a beginning that are whole; all of it where it is one line.
fn complete(text: &str) -> &str {
    text.rfind('\n').map_or(text, |end| &text[..=end])
}

/// Whether a line without an end is a whole record all the same.
fn is_whole(line: &[u8]) -> bool {
    serde_json::from_slice::<serde::de::IgnoredAny>(line).is_ok()
}
