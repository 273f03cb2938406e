//! `record`: what agents and people did, into the store, redacted, each line accounted for.
//!
//! Two or more threads read, parse and redact; one keeps; two more write the search
//! index. What did not change is not opened, what grew is read from where it ended.

mod beside;
pub mod follow;
mod read;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};

use coroner_collect::transcripts::{self, Found};
use coroner_model::source::{SourceCounts, SourceIssue, SourceState};
use coroner_store::{Held, Part, Recorded, Store, StoreError};
use jiff::Timestamp;
use serde::Serialize;

use beside::{Around, Beside};

/// Parts that wait to be kept; each holds about a megabyte.
const WAITING_PARTS_MAX: usize = 6;
/// Entries after which what was read so far is kept.
const ENTRIES_PER_COMMIT: usize = 6_000;

/// What is recorded.
#[derive(Clone, Debug, Default)]
pub struct IngestRequest {
    /// Folders and files; empty for wherever agents keep their transcripts.
    pub from: Vec<PathBuf>,
    /// The agent that wrote them, where nothing in them says so.
    pub agent: Option<String>,
    /// Containers whose logs are recorded, beside those of the project.
    pub containers: Vec<String>,
    /// The machine that they were found on.
    pub machine: String,
    pub cwd: PathBuf,
    /// Folder of the person whose agents are looked for.
    pub home: PathBuf,
    pub env: BTreeMap<String, String>,
    pub now: Timestamp,
    /// Set by whoever wants it to end early: no further source is begun, what was read is kept.
    pub is_ended: Arc<AtomicBool>,
}

/// What was recorded (`coroner/record/v1`); counts are of this run.
#[derive(Clone, Debug, Default, Serialize)]
pub struct IngestReport {
    pub schema: String,
    pub files: u64,
    pub parsed: u64,
    pub unchanged: u64,
    pub skipped: u64,
    pub failed: u64,
    pub lines: u64,
    pub messages: u64,
    pub tool_calls: u64,
    /// Records of a type that no reader knows.
    pub unknown: u64,
    /// Entries that the store held already.
    pub duplicates: u64,
    pub parse_issues: u64,
    /// Rows of every table, the search index included.
    pub rows_written: u64,
    /// Bytes of sources that were parsed.
    pub bytes: u64,
    pub redactions: u64,
    /// Sources that are not there any more; what was recorded of them stays.
    pub gone: u64,
    pub held: Held,
    pub sources: Vec<SourceReport>,
}

/// What became of one source.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct SourceReport {
    pub path: String,
    pub agent: String,
    /// `transcript`, `shell-history`, `git`, `reflog`, `container-log`, `journal` or `test-results`.
    pub kind: &'static str,
    pub state: State,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub why: String,
    pub lines: u64,
    pub messages: u64,
    pub tool_calls: u64,
    pub unknown: u64,
    pub parse_issues: u64,
    pub issues: Vec<SourceIssue>,
    /// What was read in this run.
    #[serde(skip)]
    now: SourceCounts,
    #[serde(skip)]
    bytes: u64,
    #[serde(skip)]
    redactions: u64,
}

/// Each source is in exactly one state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    Parsed,
    Unchanged,
    #[default]
    Skipped,
    Failed,
}

/// What the reading threads hand over.
enum Handed {
    Part(Box<Part>),
    Done(Box<SourceReport>),
}

/// Records what is new; `progress` hears how far it is.
pub fn ingest(store: &Store, request: &IngestRequest, progress: &dyn Fn(&str)) -> Result<IngestReport, StoreError> {
    let mut report = IngestReport { schema: "coroner/record/v1".to_owned(), ..IngestReport::default() };
    let known = store.sources()?;
    let around = Around::new(store, request);
    let sources = sources(&around, request, &known);
    store.make_room(request.now)?;
    let mut keeping = Keeping {
        store,
        now: request.now,
        parts: Vec::new(),
        entries: 0,
        recorded: Recorded::default(),
        indexer: None,
    };
    let (sender, receiver) = sync_channel(WAITING_PARTS_MAX);
    let next = AtomicUsize::new(0);
    let readers = std::thread::available_parallelism().map_or(2, usize::from).clamp(1, 8);
    let mut kept: Result<(), StoreError> = Ok(());
    std::thread::scope(|scope| {
        for _ in 0..readers {
            let sender = sender.clone();
            let (next, sources, known, around) = (&next, &sources, &known, &around);
            scope.spawn(move || read_sources(store, request, around, sources, known, next, &sender));
        }
        drop(sender);
        for handed in receiver {
            match handed {
                Handed::Part(part) if kept.is_ok() => kept = keeping.take(*part),
                Handed::Part(_) => {}
                Handed::Done(source) => {
                    report.add(*source);
                    progress(&format!("{} of {} sources, {} messages", report.files, sources.len(), report.messages));
                }
            }
        }
    });
    kept?;
    report.gone = keeping.mark_gone(request, &known)?;
    let recorded = keeping.finish()?;
    report.duplicates = recorded.duplicates;
    report.rows_written = recorded.rows_written;
    report.held = store.held()?;
    report.sources.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(report)
}

fn read_sources(
    store: &Store,
    request: &IngestRequest,
    around: &Around<'_>,
    sources: &[Named],
    known: &BTreeMap<String, SourceState>,
    next: &AtomicUsize,
    sender: &SyncSender<Handed>,
) {
    while let Some(named) = sources.get(next.fetch_add(1, Ordering::Relaxed)) {
        if request.is_ended.load(Ordering::Relaxed) {
            break;
        }
        let hand = &mut |part| {
            // Nobody receives any more where keeping has failed.
            sender.send(Handed::Part(Box::new(part))).ok();
        };
        let done = match named {
            Named::Transcript(found) => {
                read::Reader::new(store, request, found, known.get(&*found.path.to_string_lossy())).run(hand)
            }
            Named::Beside(source) => beside::run(around, source, known.get(&source.name()), hand),
        };
        sender.send(Handed::Done(Box::new(done))).ok();
    }
}

/// Gathers parts and keeps them, several in one transaction.
struct Keeping<'s> {
    store: &'s Store,
    now: Timestamp,
    parts: Vec<Part>,
    entries: usize,
    recorded: Recorded,
    indexer: Option<coroner_store::search::Indexer>,
}

impl Keeping<'_> {
    fn take(&mut self, part: Part) -> Result<(), StoreError> {
        self.entries += part.entries.len() + part.evidence.len();
        self.parts.push(part);
        if self.entries >= ENTRIES_PER_COMMIT { self.keep() } else { Ok(()) }
    }

    fn keep(&mut self) -> Result<(), StoreError> {
        if self.parts.is_empty() {
            return Ok(());
        }
        if self.indexer.is_none() {
            self.indexer = self.store.indexer()?;
        }
        let mut added = Vec::with_capacity(self.entries);
        let parts = std::mem::take(&mut self.parts);
        self.recorded += self.store.record(self.now, parts, &mut |seq, entry| added.push((seq, entry)))?;
        self.entries = 0;
        // Only what is kept is indexed.
        if let Some(indexer) = &self.indexer {
            added.into_iter().for_each(|(seq, entry)| indexer.add(seq, entry));
        }
        Ok(())
    }

    /// Marks sources that were there and are not any more; nothing of theirs is deleted.
    fn mark_gone(&mut self, request: &IngestRequest, known: &BTreeMap<String, SourceState>) -> Result<u64, StoreError> {
        let within = |path: &str| {
            request.from.is_empty()
                || request.from.iter().any(|from| Path::new(path).starts_with(absolute(request, from)))
        };
        let gone: Vec<SourceState> = known
            .values()
            .filter(|state| state.gone_at.is_none() && within(&state.path) && is_gone(state))
            .map(|state| SourceState { gone_at: Some(self.now.to_string()), ..state.clone() })
            .collect();
        let count = gone.len() as u64;
        for state in gone {
            self.take(Part { state, entries: Vec::new(), evidence: Vec::new() })?;
        }
        Ok(count)
    }

    fn finish(mut self) -> Result<Recorded, StoreError> {
        self.keep()?;
        if let Some(indexer) = self.indexer.take() {
            self.recorded.rows_written += indexer.finish()?;
        }
        Ok(self.recorded)
    }
}

impl SourceReport {
    /// Tells what the source holds.
    fn told(&mut self, state: &SourceState) {
        let counts = state.counts;
        self.lines = counts.lines;
        self.messages = counts.messages;
        self.tool_calls = counts.tool_calls;
        self.unknown = counts.unknown;
        self.parse_issues = counts.parse_issues;
        self.issues.clone_from(&state.issues);
    }
}

impl IngestReport {
    fn add(&mut self, source: SourceReport) {
        self.files += 1;
        match source.state {
            State::Parsed => self.parsed += 1,
            State::Unchanged => self.unchanged += 1,
            State::Skipped => self.skipped += 1,
            State::Failed => self.failed += 1,
        }
        self.lines += source.now.lines;
        self.messages += source.now.messages;
        self.tool_calls += source.now.tool_calls;
        self.unknown += source.now.unknown;
        self.parse_issues += source.now.parse_issues;
        self.bytes += source.bytes;
        self.redactions += source.redactions;
        self.sources.push(source);
    }
}

/// Whether a source is not there any more; a container's log is no file, and its container may come back.
fn is_gone(state: &SourceState) -> bool {
    let path = Path::new(&state.path);
    let was_file = state.form.is_empty() && state.why.is_empty();
    path.is_absolute() && (!path.exists() || was_file && path.is_dir())
}

fn absolute(request: &IngestRequest, path: &Path) -> PathBuf {
    let joined = request.cwd.join(path);
    joined.canonicalize().unwrap_or(joined)
}

/// One source, by how it is read.
enum Named {
    Transcript(Found),
    Beside(Beside),
}

fn sources(around: &Around<'_>, request: &IngestRequest, known: &BTreeMap<String, SourceState>) -> Vec<Named> {
    let named = |found: Found| match Beside::of_found(&found, known.get(&*found.path.to_string_lossy())) {
        Some(source) => Named::Beside(source),
        None => Named::Transcript(found),
    };
    let transcripts = find(request, known).into_iter().map(named);
    transcripts.chain(around.find().into_iter().map(Named::Beside)).collect()
}

/// Transcripts that are to be read, the oldest first, so that a copy comes after what it repeats.
fn find(request: &IngestRequest, known: &BTreeMap<String, SourceState>) -> Vec<Found> {
    if request.from.is_empty() {
        let folders: Vec<PathBuf> = known
            .values()
            .filter(|state| state.agent == "aider")
            .filter_map(|state| Path::new(&state.path).parent().map(Path::to_owned))
            .chain([request.cwd.clone()])
            .collect();
        let mut found = transcripts::find(&request.home, &request.env, &folders);
        if known.is_empty() {
            found.extend(transcripts::aider_in(&transcripts::folders_named(&found)));
            found.sort_by(|a, b| (a.modified, &a.path).cmp(&(b.modified, &b.path)));
            found.dedup_by(|a, b| a.path == b.path);
        }
        return found;
    }
    let is_known = |path: &Path| known.contains_key(&*path.to_string_lossy());
    request.from.iter().flat_map(|from| transcripts::find_under(&absolute(request, from), &is_known)).collect()
}
