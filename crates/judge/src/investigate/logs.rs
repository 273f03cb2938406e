//! The logs of a case with the component that wrote each, and their error lines folded.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use coroner_model::{Answers, Citation, Document, Probe, Source};
use coroner_read::log::{self, Level};
use jiff::Timestamp;
use regex::Regex;

use super::Request;
use super::window::Window;
use crate::scene::Scene;

/// Most error lines that are taken apart in one log.
pub const ERROR_LINES_MAX: usize = 20_000;
/// Most different kinds of error lines that are kept of one log.
pub const ERROR_KINDS_MAX: usize = 50;

/// One log and who wrote it.
#[derive(Clone, Debug)]
pub struct Log<'a> {
    /// Compose service, container, unit or file stem; empty where nobody says.
    pub component: String,
    /// `container-log`, `log` or `journal`.
    pub source: Source,
    pub document: &'a Document,
    /// What gives a year to headers without one.
    pub reference: Option<Timestamp>,
}

impl Log<'_> {
    /// Cites one line of it, 1-based as in the whole file.
    pub fn cite(&self, line: u64, text: &str) -> Citation {
        let cited = self.document.cite_text_at(line, text.trim_end());
        Citation::new(self.source, cited.locator, cited.text)
    }
}

/// Every log among the answers.
pub fn of<'a>(answers: &'a Answers, scene: &Scene) -> Vec<Log<'a>> {
    let mut logs = Vec::new();
    for (probe, answer) in answers.iter() {
        let Ok(documents) = answer else { continue };
        for document in documents {
            let reference = scene.now.or(document.observed_at);
            let (component, source) = match probe {
                Probe::ContainerLog { container } => (component_of(container, scene), Source::ContainerLog),
                Probe::Logs => (component_of(stem(&document.path), scene), Source::Log),
                Probe::LogFile { path } if path == "-" => (String::new(), Source::Log),
                Probe::LogFile { path } => (component_of(stem(path), scene), Source::Log),
                Probe::Host(coroner_model::probe::HostTable::Journal | coroner_model::probe::HostTable::Dmesg) => {
                    ("host".to_owned(), Source::Journal)
                }
                _ => continue,
            };
            logs.push(Log { component, source, document, reference });
        }
    }
    logs.sort_by(|a, b| a.document.path.cmp(&b.document.path));
    logs.dedup_by(|a, b| a.document.path == b.document.path && a.document.path != "-");
    logs
}

/// The component of a log named `<component>[.<n>].log`.
fn stem(path: &str) -> &str {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.split('.').next().unwrap_or(name)
}

fn component_of(name: &str, scene: &Scene) -> String {
    scene.container(name).map_or(name, |c| c.component()).to_owned()
}

/// Error lines of one component that say the same, folded.
#[derive(Clone, Debug)]
pub struct ErrorGroup {
    pub component: String,
    /// The first of them, without its header.
    pub message: String,
    pub first: Option<Timestamp>,
    pub last: Option<Timestamp>,
    pub count: u64,
    pub cited: Citation,
}

#[allow(clippy::expect_used, reason = "a constant expression, compiled in the tests")]
static SUSPECT: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r#"(?i)error|fatal|panic|critical|exception|traceback|emerg|\bERR\b|[" ]5\d\d "#)
        .expect("constant pattern")
});
#[allow(clippy::expect_used, reason = "a constant expression, compiled in the tests")]
static VARYING: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"[0-9a-f]{8,}(?:-[0-9a-f]{4,})*|\d+").expect("constant pattern"));

/// The error lines of all logs within the asked window, folded, first ones first.
pub fn errors(logs: &[Log<'_>], request: &Request) -> Vec<ErrorGroup> {
    let window = Window { from: request.since, to: request.until };
    let mut all: Vec<ErrorGroup> = logs.iter().flat_map(|log| errors_of(log, window)).collect();
    all.sort_by(|a, b| (a.first, &a.cited.locator).cmp(&(b.first, &b.cited.locator)));
    all
}

fn errors_of(log: &Log<'_>, window: Window) -> Vec<ErrorGroup> {
    let mut groups: BTreeMap<String, ErrorGroup> = BTreeMap::new();
    for (number, text) in matching_lines(log.document, &SUSPECT).take(ERROR_LINES_MAX) {
        let line = log::line(text, log.reference);
        if line.level.is_none_or(|l| l < Level::Error) || !window.holds(line.at) {
            continue;
        }
        let shape = VARYING.replace_all(&line.message, "#").into_owned();
        if let Some(known) = groups.get_mut(&shape) {
            known.count += 1;
            known.last = known.last.max(line.at);
        } else if groups.len() < ERROR_KINDS_MAX {
            groups.insert(
                shape,
                ErrorGroup {
                    component: log.component.clone(),
                    message: line.message.trim().to_owned(),
                    first: line.at,
                    last: line.at,
                    count: 1,
                    cited: log.cite(number, text),
                },
            );
        }
    }
    groups.into_values().collect()
}

/// The lines of a document that an expression matches, with their numbers.
///
/// The expression runs over the whole text; lines are counted only up to a match.
pub fn matching_lines<'a>(document: &'a Document, wanted: &Regex) -> impl Iterator<Item = (u64, &'a str)> {
    let text = document.text.as_str();
    let wanted = wanted.clone();
    let mut at = 0;
    let mut counted_to = 0;
    let mut number = document.first_line.max(1);
    std::iter::from_fn(move || {
        if at > text.len() {
            return None;
        }
        let found = wanted.find_at(text, at)?;
        let start = text[..found.start()].rfind('\n').map_or(0, |i| i + 1).max(counted_to.min(found.start()));
        let end = text[start..].find('\n').map_or(text.len(), |i| start + i);
        number += text.as_bytes()[counted_to..start].iter().filter(|b| **b == b'\n').count() as u64;
        counted_to = start;
        at = end + 1;
        Some((number, &text[start..end]))
    })
}
