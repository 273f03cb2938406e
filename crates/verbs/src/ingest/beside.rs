//! Sources that are no transcripts: what a person typed, git, logs, results of tests.
//!
//! Each is read on its own: what one cannot be read for never stops another.

mod git;
mod history;
mod log;
mod test_report;

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use coroner_collect::live::{Live, LiveSettings};
use coroner_collect::transcripts::{Form, Found};
use coroner_collect::{Limits, git::history as repository, shell_histories, test_files};
use coroner_model::source::{SourceCounts, SourceState};
use coroner_model::{Citation, ContentHash, CouldNotLook, Evidence, Redactor, Source};
use coroner_store::{Part, Prepared, Store};
use jiff::Timestamp;

use super::{IngestRequest, SourceReport, State};
use crate::look;

/// Names of files by which compose is known; where there is one, the engine is asked.
const COMPOSE_NAMES: [&str; 4] = ["compose.yml", "compose.yaml", "docker-compose.yml", "docker-compose.yaml"];
/// Folders of a project in which such a file is looked for.
const COMPOSE_FOLDERS_MAX: usize = 200;

/// One such source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Beside {
    ShellHistory(PathBuf),
    TestResults(PathBuf),
    /// Commits of the repository whose top this is.
    Git(PathBuf),
    /// Moves of its HEAD.
    Reflog(PathBuf),
    ContainerLog(PathBuf),
    Journal(PathBuf),
    /// A container of the engine, by name.
    Container(String),
    /// What could not even be asked.
    Blocked {
        form: &'static str,
        what: String,
        why: String,
    },
}

impl Beside {
    /// The word by which states and reports name the kind.
    pub(super) fn form(&self) -> &'static str {
        match self {
            Beside::ShellHistory(_) => "shell-history",
            Beside::TestResults(_) => "test-results",
            Beside::Git(_) => "git",
            Beside::Reflog(_) => "reflog",
            Beside::ContainerLog(_) | Beside::Container(_) => "container-log",
            Beside::Journal(_) => "journal",
            Beside::Blocked { form, .. } => form,
        }
    }

    /// What it is called in reports and in the store.
    pub(super) fn name(&self) -> String {
        match self {
            Beside::ShellHistory(path)
            | Beside::TestResults(path)
            | Beside::Git(path)
            | Beside::Reflog(path)
            | Beside::ContainerLog(path)
            | Beside::Journal(path) => path.to_string_lossy().into_owned(),
            Beside::Container(name) => format!("docker/logs/{name}.log"),
            Beside::Blocked { what, .. } => what.clone(),
        }
    }

    /// The source that was handed over by name, where it is one of these.
    pub(super) fn of_found(found: &Found, known: Option<&SourceState>) -> Option<Beside> {
        let path = || found.path.clone();
        match (found.form, known.map_or("", |known| known.form.as_str())) {
            (Form::ShellHistory, _) | (Form::Known, "shell-history") => Some(Beside::ShellHistory(path())),
            (Form::TestResults, _) | (Form::Known, "test-results") => Some(Beside::TestResults(path())),
            (Form::ContainerLog, _) | (Form::Known, "container-log") => Some(Beside::ContainerLog(path())),
            (Form::Journal, _) | (Form::Known, "journal") => Some(Beside::Journal(path())),
            (Form::Known, "reflog") => Some(Beside::Reflog(path())),
            _ => None,
        }
    }
}

/// What the sources stand in, opened when the first of them needs it.
pub(super) struct Around<'a> {
    request: &'a IngestRequest,
    key: [u8; 32],
    live: OnceLock<Live>,
}

impl<'a> Around<'a> {
    pub(super) fn new(store: &Store, request: &'a IngestRequest) -> Around<'a> {
        Around { request, key: store.redaction_key(), live: OnceLock::new() }
    }

    fn live(&self) -> &Live {
        self.live.get_or_init(|| {
            let settings = LiveSettings {
                env: self.request.env.clone(),
                home: self.request.home.clone(),
                cwd: self.request.cwd.clone(),
                now: self.request.now,
                redaction_key: self.key,
            };
            Live::new(settings, Limits::default())
        })
    }

    /// Knows the secrets of the project's own settings, which logs and commands repeat without their names.
    fn redactor(&self) -> Arc<Redactor> {
        self.live().project_redactor()
    }

    /// The person's histories, and what the project holds; with `--container` those that are named.
    pub(super) fn find(&self) -> Vec<Beside> {
        let request = self.request;
        let mut all: Vec<Beside> = request.containers.iter().cloned().map(Beside::Container).collect();
        if request.from.is_empty() {
            all.extend(self.local());
            if is_composed(&look::project_root(&request.cwd)) {
                all.extend(self.containers());
            }
        }
        all
    }

    /// What lies on this machine's disk.
    fn local(&self) -> Vec<Beside> {
        let request = self.request;
        let histories = shell_histories::find(&request.home, &request.env).into_iter().map(Beside::ShellHistory);
        let mut all: Vec<Beside> = histories.collect();
        let root = look::project_root(&request.cwd);
        let top = repository::top(&request.cwd);
        // A folder that nothing marks as a project is none: the person's home is not walked.
        if top.is_some() || root.join(".coroner").exists() || is_composed(&root) && root != request.home {
            all.extend(test_files::find(&root).into_iter().map(Beside::TestResults));
        }
        all.extend(top.iter().flat_map(|top| of_repository(top)));
        all
    }

    /// Files whose change is news: histories, moves of HEAD, reports of tests.
    pub(super) fn files(&self) -> Vec<PathBuf> {
        let file = |source: Beside| match source {
            Beside::ShellHistory(path) | Beside::TestResults(path) | Beside::Reflog(path) => Some(path),
            _ => None,
        };
        self.local().into_iter().filter_map(file).collect()
    }

    /// Whether logs of containers are among the sources.
    pub(super) fn asks_an_engine(&self) -> bool {
        let request = self.request;
        !request.containers.is_empty() || request.from.is_empty() && is_composed(&look::project_root(&request.cwd))
    }

    fn containers(&self) -> Vec<Beside> {
        match self.live().project_containers() {
            Ok(names) => {
                let others = names.into_iter().filter(|name| !self.request.containers.contains(name));
                others.map(Beside::Container).collect()
            }
            // Without an engine there are no containers to log anything.
            Err(CouldNotLook { why: coroner_model::Why::Absent, .. }) => Vec::new(),
            Err(why) => {
                vec![Beside::Blocked { form: "container-log", what: "docker/logs".to_owned(), why: why.detail }]
            }
        }
    }
}

/// The commits and the moves of HEAD.
fn of_repository(top: &Path) -> Vec<Beside> {
    match repository::place(top) {
        Ok(place) => {
            let moves = place.folder.join("logs/HEAD");
            let moves = moves.is_file().then_some(Beside::Reflog(moves));
            std::iter::once(Beside::Git(place.common)).chain(moves).collect()
        }
        Err(error) => {
            let what = top.join(".git").to_string_lossy().into_owned();
            vec![Beside::Blocked { form: "git", what, why: error.to_string() }]
        }
    }
}

/// Whether compose files lie in a folder, or in one right below it.
fn is_composed(root: &Path) -> bool {
    let holds = |folder: &Path| COMPOSE_NAMES.iter().any(|name| folder.join(name).is_file());
    let below = || std::fs::read_dir(root).into_iter().flatten().flatten().take(COMPOSE_FOLDERS_MAX);
    holds(root) || below().any(|entry| holds(&entry.path()))
}

/// What reading a source gave.
pub(super) struct Reading {
    state: State,
    source: SourceState,
    entries: Vec<Prepared>,
    evidence: Vec<Evidence>,
    /// What was read in this run.
    now: SourceCounts,
    bytes: u64,
    redactions: u64,
    /// What a person should know of this run; empty where there is nothing.
    note: &'static str,
}

impl Reading {
    fn new(source: &Beside, known: Option<&SourceState>) -> Reading {
        let source = SourceState { path: source.name(), form: source.form().to_owned(), ..SourceState::default() };
        // Only what was read the same way is gone on with.
        let known = known.filter(|known| known.form == source.form && known.gone_at.is_none());
        Reading {
            state: State::Parsed,
            source: known.map_or(source, |known| SourceState { why: String::new(), ..known.clone() }),
            entries: Vec::new(),
            evidence: Vec::new(),
            now: SourceCounts::default(),
            bytes: 0,
            redactions: 0,
            note: "",
        }
    }

    fn unchanged(mut self, known: &SourceState) -> Reading {
        self.source = known.clone();
        self.state = if known.why.is_empty() { State::Unchanged } else { State::Skipped };
        self
    }

    fn skipped(mut self, why: &str) -> Reading {
        self.state = State::Skipped;
        why.clone_into(&mut self.source.why);
        self
    }

    /// Adds a piece of evidence, its secrets taken out.
    fn show(&mut self, seen: &Seen<'_>, redactor: &Redactor, request: &IngestRequest) {
        let (content, count) = redactor.redact_counted(&seen.text);
        let hash = match count {
            0 => ContentHash::sha256(seen.raw),
            _ => ContentHash::hmac(redactor.hash_key(), seen.raw),
        };
        let id = Citation::new(seen.source, seen.locator.clone(), content.as_str().to_owned()).id;
        self.redactions += count;
        self.evidence.push(Evidence {
            id,
            source: seen.source,
            locator: seen.locator.clone(),
            observed_at: seen.at,
            host: request.machine.clone(),
            hash,
            content,
        });
    }
}

/// What was seen, raw.
struct Seen<'r> {
    source: Source,
    locator: String,
    at: Option<Timestamp>,
    text: String,
    /// The bytes that the hash stands for.
    raw: &'r [u8],
}

/// Reads a source and hands over what is new.
pub(super) fn run(
    around: &Around<'_>,
    source: &Beside,
    known: Option<&SourceState>,
    hand: &mut dyn FnMut(Part),
) -> SourceReport {
    let form = source.form();
    let read = match source {
        Beside::ShellHistory(path) => history::read(around, source, path, known),
        Beside::TestResults(path) => test_report::read(around, source, path, known),
        Beside::Git(folder) => git::read(around, source, folder, known),
        Beside::Reflog(path) => log::file(around, source, path, known, log::Lines::Reflog),
        Beside::ContainerLog(path) => log::file(around, source, path, known, log::Lines::Container),
        Beside::Journal(path) => log::file(around, source, path, known, log::Lines::Journal),
        Beside::Container(name) => log::container(around, source, name, known),
        Beside::Blocked { why, .. } => Err(why.clone()),
    };
    let mut report = SourceReport { path: source.name(), kind: form, ..SourceReport::default() };
    match read {
        Ok(reading) => {
            report.state = reading.state;
            report.why = if reading.note.is_empty() { reading.source.why.clone() } else { reading.note.to_owned() };
            report.agent.clone_from(&reading.source.agent);
            report.told(&reading.source);
            (report.now, report.bytes, report.redactions) = (reading.now, reading.bytes, reading.redactions);
            let is_known = known == Some(&reading.source);
            if reading.state != State::Unchanged && !is_known {
                hand(Part { state: reading.source, entries: reading.entries, evidence: reading.evidence });
            }
        }
        Err(why) => {
            report.state = State::Failed;
            report.why = why;
        }
    }
    report
}
