//! What of a record can be found: one document for each thing that it says or does.

use std::borrow::Cow;

use coroner_model::Redacted;
use coroner_model::entry::{Call, CallResult, Entry};
use coroner_model::incident::Incident;
use coroner_model::session::CallStatus;
use coroner_read::decision::Decision;
use rusqlite::{Connection, OptionalExtension, params};
use serde::{Deserialize, Serialize};

use super::Shard;
use crate::RecordedEntry;
use crate::error::Result;
use crate::evidence::read_body;

/// Longest text of a document, in bytes; the beginning and the end of a longer one are found.
const DOC_BYTES_MAX: usize = 512 * 1024;
/// Parts of one record that have a number of their own; the rest share the last.
const PARTS_MAX: usize = 255;
/// What the outputs of `recall` begin with or hold; they would find themselves.
const OWN_RESULTS: [&str; 2] = ["\"schema\":\"coroner/recall/v1\"", "coroner recall: "];

/// What a document is, as `recall --kind` names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[repr(u8)]
pub enum DocKind {
    Message = 0,
    Command = 1,
    Output = 2,
    Error = 3,
    Edit = 4,
    Decision = 5,
    Incident = 6,
    Evidence = 7,
}

impl DocKind {
    /// All kinds, by their number.
    pub const ALL: [DocKind; 8] = [
        DocKind::Message,
        DocKind::Command,
        DocKind::Output,
        DocKind::Error,
        DocKind::Edit,
        DocKind::Decision,
        DocKind::Incident,
        DocKind::Evidence,
    ];

    /// The word as it stands in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            DocKind::Message => "message",
            DocKind::Command => "command",
            DocKind::Output => "output",
            DocKind::Error => "error",
            DocKind::Edit => "edit",
            DocKind::Decision => "decision",
            DocKind::Incident => "incident",
            DocKind::Evidence => "evidence",
        }
    }

    pub(crate) fn shard(self) -> Shard {
        match self {
            DocKind::Output | DocKind::Evidence => Shard::Output,
            _ => Shard::Said,
        }
    }
}

impl std::str::FromStr for DocKind {
    type Err = String;

    fn from_str(word: &str) -> std::result::Result<DocKind, String> {
        DocKind::ALL.into_iter().find(|kind| kind.as_str() == word).ok_or_else(|| {
            let all: Vec<&str> = DocKind::ALL.iter().map(|kind| kind.as_str()).collect();
            format!("{word:?} is no kind; the kinds are {}", all.join(", "))
        })
    }
}

/// One thing that can be found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Doc<'a> {
    pub(crate) kind: DocKind,
    /// Which part of the record.
    pub(crate) part: i64,
    pub(crate) text: Cow<'a, str>,
    /// Paths and names that weigh more than a word of the text.
    pub(crate) place: String,
    /// The agent's own id of the call, where it is one's.
    pub(crate) call: Option<&'a str>,
    /// Put in by the agent's program, not said by anyone.
    pub(crate) is_injected: bool,
}

/// The row of a document: its record, kind and part.
pub(crate) fn row(seq: u64, kind: i64, part: i64) -> i64 {
    (seq as i64) << 12 | kind << 8 | part
}

/// The record, kind and part of a row.
pub(crate) fn of_row(row: i64) -> (u64, DocKind, i64) {
    let kind = DocKind::ALL[(row >> 8 & 0x7) as usize];
    ((row >> 12).unsigned_abs(), kind, row & 0xff)
}

/// The header of a record.
pub(crate) struct Kept<'a> {
    pub(crate) kind: &'a str,
    pub(crate) id: &'a str,
    pub(crate) source: &'a str,
    pub(crate) locator: &'a str,
}

/// The documents of an entry of a transcript.
pub(crate) fn of_entry(recorded: &RecordedEntry) -> Vec<Doc<'_>> {
    let entry = &recorded.entry;
    let mut docs = Docs { docs: Vec::new() };
    if let Some(said) = &entry.message {
        let text = match &said.thinking {
            Some(thinking) if said.text.is_empty() => Cow::Borrowed(thinking.as_str()),
            Some(thinking) => Cow::Owned(format!("{}\n{thinking}", said.text)),
            None => Cow::Borrowed(said.text.as_str()),
        };
        docs.add(DocKind::Message, text, String::new(), None);
    }
    for call in &entry.calls {
        docs.call(call);
    }
    for result in &entry.results {
        docs.result(result);
    }
    docs.rest(entry);
    docs.docs
}

/// The documents of a record that is no entry of a transcript, from its body.
pub(crate) fn of_record(kept: &Kept<'_>, body: &[u8]) -> Vec<Doc<'static>> {
    let owned = |kind, text: String, place: String| Doc {
        kind,
        part: 0,
        text: Cow::Owned(text),
        place,
        call: None,
        is_injected: false,
    };
    match kept.kind {
        "evidence" => read_body(body, kept.source)
            .map(|body| vec![owned(DocKind::Evidence, body.content.as_str().to_owned(), kept.locator.to_owned())])
            .unwrap_or_default(),
        "incident" => serde_json::from_slice::<Incident>(body)
            .map(|incident| vec![owned(DocKind::Incident, crate::incident::told(&incident), incident.title.clone())])
            .unwrap_or_default(),
        _ => Vec::new(),
    }
}

/// The documents of the decisions of an entry: what was decided, and the sentences around.
pub(crate) fn of_decisions(decisions: &[Decision]) -> Vec<Doc<'_>> {
    let numbered = decisions.iter().take(PARTS_MAX).enumerate();
    let doc = |(part, decision): (usize, &'_ Decision)| Doc {
        kind: DocKind::Decision,
        part: part as i64,
        text: bounded(Cow::Owned(told(decision))),
        place: decision.paths.join(" "),
        call: None,
        is_injected: false,
    };
    numbered.map(doc).collect()
}

/// A decision as one text; what its own words hold stands once.
fn told(decision: &Decision) -> String {
    let mut text = decision.text.clone();
    let mut add = |label: &str, more: &str| {
        if !more.is_empty() && !text.contains(more) {
            text.push_str(&format!("\n{label}{more}"));
        }
    };
    add("Question: ", &decision.question);
    add("Chosen: ", &decision.chosen);
    for rejected in &decision.rejected {
        add("Rejected: ", &rejected.what);
        add("Because: ", &rejected.why);
    }
    add("Because: ", &decision.reason);
    add("", &decision.around);
    text
}

/// The older record that a record takes the place of.
pub(crate) fn replaces(kept: &Kept<'_>, ledger: &Connection, seq: u64) -> Result<Option<u64>> {
    if kept.kind != "incident" {
        return Ok(None);
    }
    let older: Option<i64> = ledger
        .prepare_cached("SELECT max(seq) FROM record WHERE kind = 'incident' AND id = ?1 AND seq < ?2")?
        .query_row(params![kept.id, seq as i64], |row| row.get(0))
        .optional()?
        .flatten();
    Ok(older.map(i64::unsigned_abs))
}

struct Docs<'a> {
    docs: Vec<Doc<'a>>,
}

impl<'a> Docs<'a> {
    /// Adds a document; what is empty keeps its number, so that numbers do not move.
    fn add(&mut self, kind: DocKind, text: Cow<'a, str>, place: String, call: Option<&'a str>) {
        let part = self.docs.len().min(PARTS_MAX) as i64;
        let text = if OWN_RESULTS.iter().any(|own| text.contains(own)) { Cow::Borrowed("") } else { bounded(text) };
        self.docs.push(Doc { kind, part, text, place, call, is_injected: false });
    }

    fn call(&mut self, call: &'a Call<Redacted>) {
        let paths: Vec<&str> = call.paths.iter().map(Redacted::as_str).collect();
        let call_id = Some(call.id.as_str());
        if call.changes.is_empty() {
            let mut text = call
                .command
                .as_ref()
                .map_or_else(|| format!("{} {}", call.tool, paths.join(" ")), |c| c.as_str().to_owned());
            if let Some(input) = &call.input {
                text.push('\n');
                text.push_str(input.as_str());
            }
            self.add(DocKind::Command, Cow::Owned(text), paths.join(" "), call_id);
        } else {
            let sides = call.changes.iter().flat_map(|c| [Some(&c.path), c.after.as_ref(), c.before.as_ref()]);
            let text = Redacted::joined(sides.flatten(), '\n').as_str().to_owned();
            self.add(DocKind::Edit, Cow::Owned(text), paths.join(" "), call_id);
        }
        if let Some(result) = &call.result {
            self.result(result);
        }
    }

    fn result(&mut self, result: &'a CallResult<Redacted>) {
        let failed = matches!(result.status, CallStatus::Error | CallStatus::Rejected);
        let kind = if failed { DocKind::Error } else { DocKind::Output };
        self.add(kind, Cow::Borrowed(result.output.as_str()), String::new(), Some(&result.call));
    }

    fn rest(&mut self, entry: &'a Entry<Redacted>) {
        for error in &entry.errors {
            self.add(DocKind::Error, Cow::Borrowed(error.as_str()), String::new(), None);
        }
        for note in &entry.notes {
            self.add(DocKind::Message, Cow::Borrowed(note.text.as_str()), String::new(), None);
            if let Some(doc) = self.docs.last_mut() {
                doc.is_injected = note.origin == coroner_model::entry::Origin::Injected;
            }
        }
        self.docs.retain(|doc| !doc.text.is_empty());
    }
}

fn bounded(text: Cow<'_, str>) -> Cow<'_, str> {
    if text.len() <= DOC_BYTES_MAX {
        return text;
    }
    let head = text.floor_char_boundary(DOC_BYTES_MAX / 2);
    let tail = text.ceil_char_boundary(text.len() - DOC_BYTES_MAX / 2);
    Cow::Owned(format!("{}\n…\n{}", &text[..head], &text[tail..]))
}
