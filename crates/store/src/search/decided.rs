//! Decisions in the index: what each is about, and which files were changed when.

use std::collections::{BTreeSet, HashSet};

use coroner_model::Redacted;
use coroner_model::entry::{Call, Origin};
use coroner_model::session::{CallStatus, Role};
use coroner_read::decision::{Before, Decision, Source, concerns, decisions};
use rusqlite::{Connection, OptionalExtension, params};
use serde::{Deserialize, Serialize};

use super::docs::{self, DocKind};
use super::query::stem;
use crate::RecordedEntry;
use crate::error::Result;

/// Tables beside the documents: `decided` by row of the document, the words of its matter, changes by name of the file.
pub(super) const TABLES: &str = "CREATE TABLE decided (row INTEGER PRIMARY KEY, matter TEXT NOT NULL) STRICT; \
     CREATE TABLE subject (term TEXT NOT NULL, row INTEGER NOT NULL, PRIMARY KEY (term, row)) STRICT, WITHOUT ROWID; \
     CREATE TABLE changed (name TEXT NOT NULL, seq INTEGER NOT NULL, path TEXT NOT NULL, call TEXT NOT NULL, \
     PRIMARY KEY (name, seq, path)) STRICT, WITHOUT ROWID;";
/// Entries before a person's message among which the agent's last words are looked for.
const ENTRIES_BEFORE_MAX: i64 = 40;
/// Calls that are remembered as deciding nothing.
const UNDECIDING_COUNT_MAX: usize = 20_000;
/// Most words of what was chosen or rejected that tell what it is about.
const WORDS_MAX: usize = 8;
/// Words that tell nothing of what a decision is about.
const EMPTY: &[&str] = &[
    "the",
    "a",
    "an",
    "use",
    "using",
    "keep",
    "keeping",
    "put",
    "store",
    "go",
    "with",
    "to",
    "it",
    "its",
    "we",
    "our",
    "that",
    "this",
    "of",
    "and",
    "or",
    "be",
    "is",
    "are",
    "all",
    "only",
    "just",
    "take",
    "make",
    "write",
    "everywhere",
    "here",
    "now",
    "any",
    "more",
    "die",
    "der",
    "das",
    "den",
    "ein",
    "eine",
    "einen",
    "wir",
    "nur",
    "und",
];
/// After these comes where or what for something is chosen.
const SCOPES: &[&str] = &["for", "in", "as", "on", "inside", "into", "within", "für", "im", "bei", "als"];

/// What a decision is about, in stems.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Matter {
    pub(crate) chosen: BTreeSet<String>,
    pub(crate) rejected: Vec<BTreeSet<String>>,
    /// Where, or what for.
    pub(crate) scope: BTreeSet<String>,
    pub(crate) question: String,
    pub(crate) is_by_person: bool,
}

/// Calls that an index has just written, whose results need not be looked up: they decide nothing.
#[derive(Debug, Default)]
pub(super) struct Undeciding(HashSet<[u8; 16]>);

impl Undeciding {
    /// Notes the calls of an entry; one that may decide something is looked up as ever.
    pub(super) fn note(&mut self, recorded: &RecordedEntry) {
        for call in recorded.entry.calls.iter().filter(|call| !call.id.is_empty()) {
            let key = call_key(recorded, &call.id);
            if concerns(call) {
                self.0.remove(&key);
            } else {
                // Forgetting costs a look at the ledger, and nothing else.
                if self.0.len() >= UNDECIDING_COUNT_MAX {
                    self.0.clear();
                }
                self.0.insert(key);
            }
        }
    }
}

/// What tells a call from those of other sessions.
fn call_key(recorded: &RecordedEntry, call: &str) -> [u8; 16] {
    let entry = &recorded.entry;
    let hash = crate::hash_of(&[&recorded.from.agent, &entry.session, &entry.subagent, call]);
    std::array::from_fn(|at| hash.as_bytes()[at])
}

/// What the ledger holds before an entry.
struct Ledger<'c> {
    connection: &'c Connection,
    seq: u64,
    recorded: &'c RecordedEntry,
    undeciding: Option<&'c Undeciding>,
}

/// The decisions of an entry, with what the ledger holds before it.
pub(crate) fn of_entry(recorded: &RecordedEntry, seq: u64, connection: &Connection) -> Vec<Decision> {
    decisions(&recorded.entry, &Ledger { connection, seq, recorded, undeciding: None })
}

/// The same for an index that is being written, which knows the calls that it has just seen.
pub(super) fn of_next_entry(
    recorded: &RecordedEntry,
    seq: u64,
    connection: &Connection,
    undeciding: &Undeciding,
) -> Vec<Decision> {
    decisions(&recorded.entry, &Ledger { connection, seq, recorded, undeciding: Some(undeciding) })
}

impl Before for Ledger<'_> {
    fn call(&self, id: &str) -> Option<Call<Redacted>> {
        if self.undeciding.is_some_and(|calls| calls.0.contains(&call_key(self.recorded, id))) {
            return None;
        }
        // Most results decide nothing, so the call is parsed only where it may.
        let body: Vec<u8> = self
            .connection
            .prepare_cached(
                "SELECT record.body FROM entry JOIN call ON call.session = entry.session AND call.native = ?2 \
                 JOIN record ON record.seq = call.called WHERE entry.seq = ?1 AND record.body IS NOT NULL \
                 AND (instr(record.body, CAST('commit' AS BLOB)) > 0 \
                 OR instr(record.body, CAST('\"kind\":\"ask\"' AS BLOB)) > 0)",
            )
            .and_then(|mut statement| statement.query_row(params![self.seq as i64, id], |row| row.get(0)).optional())
            .ok()??;
        let recorded: RecordedEntry = serde_json::from_slice(&body).ok()?;
        recorded.entry.calls.into_iter().find(|call| call.id == id)
    }

    fn agent_said(&self) -> Option<String> {
        let mut statement = self
            .connection
            .prepare_cached(
                "SELECT record.body FROM entry AS own JOIN entry ON entry.session = own.session \
                 JOIN record ON record.seq = entry.seq WHERE own.seq = ?1 AND entry.seq < ?1 \
                 AND record.body IS NOT NULL ORDER BY entry.seq DESC LIMIT ?2",
            )
            .ok()?;
        let bodies =
            statement.query_map(params![self.seq as i64, ENTRIES_BEFORE_MAX], |row| row.get::<_, Vec<u8>>(0)).ok()?;
        let mut acted = false;
        for body in bodies.flatten() {
            let Ok(recorded) = serde_json::from_slice::<RecordedEntry>(&body) else { continue };
            acted |= !recorded.entry.calls.is_empty();
            match recorded.entry.message {
                Some(said) if said.role == Role::Assistant && !said.text.is_empty() => {
                    return Some(said.text.as_str().to_owned());
                }
                Some(said) if said.role == Role::User && said.origin != Origin::Injected => break,
                Some(said) => acted |= said.role == Role::Assistant,
                None => {}
            }
        }
        acted.then(String::new)
    }
}

/// Notes what an entry decides and which files it changes; gives the rows written.
pub(super) fn note(connection: &Connection, seq: u64, recorded: &RecordedEntry, decisions: &[Decision]) -> Result<u64> {
    let mut rows = 0;
    for (part, decision) in decisions.iter().enumerate() {
        let row = docs::row(seq, DocKind::Decision as i64, part as i64);
        let matter = matter(decision);
        rows += connection
            .prepare_cached("INSERT OR REPLACE INTO decided (row, matter) VALUES (?1, ?2)")?
            .execute(params![row, serde_json::to_string(&matter)?])?;
        let terms: BTreeSet<&str> = matter.terms().collect();
        for term in terms {
            rows += connection
                .prepare_cached("INSERT OR IGNORE INTO subject (term, row) VALUES (?1, ?2)")?
                .execute(params![term, row])?;
        }
        for path in decision.committed.iter().filter(|_| decision.source == Source::Commit) {
            rows += change(connection, seq, path, &decision.call)?;
        }
    }
    for call in &recorded.entry.calls {
        let is_done =
            call.result.as_deref().is_none_or(|r| !matches!(r.status, CallStatus::Error | CallStatus::Rejected));
        for change_of in call.changes.iter().filter(|_| is_done) {
            rows += change(connection, seq, change_of.path.as_str(), &call.id)?;
        }
    }
    Ok(rows as u64)
}

fn change(connection: &Connection, seq: u64, path: &str, call: &str) -> Result<usize> {
    let name = path.trim_end_matches('/').rsplit('/').next().unwrap_or(path);
    Ok(connection
        .prepare_cached("INSERT OR IGNORE INTO changed (name, seq, path, call) VALUES (?1, ?2, ?3, ?4)")?
        .execute(params![name, seq as i64, path, call])?)
}

/// Takes out what stands of records between two numbers, both included.
pub(super) fn forget(connection: &Connection, ranges: &[(u64, u64)]) -> Result<()> {
    for &(from, to) in ranges {
        let rows = params![docs::row(from, 0, 0), docs::row(to + 1, 0, 0)];
        connection.execute("DELETE FROM decided WHERE row >= ?1 AND row < ?2", rows)?;
        connection.execute("DELETE FROM subject WHERE row >= ?1 AND row < ?2", rows)?;
        connection.execute("DELETE FROM changed WHERE seq >= ?1 AND seq <= ?2", params![from as i64, to as i64])?;
    }
    Ok(())
}

/// What a decision is about.
pub(crate) fn matter(decision: &Decision) -> Matter {
    let (chosen, scope) = about(&decision.chosen);
    let mut scopes = scope;
    let mut rejected = Vec::new();
    for one in &decision.rejected {
        let (what, scope) = about(&one.what);
        scopes.extend(scope);
        rejected.extend((!what.is_empty()).then_some(what));
    }
    let question = words(&decision.question).collect::<Vec<_>>().join(" ");
    Matter { chosen, rejected, scope: scopes, question, is_by_person: decision.is_by_person }
}

/// The words of a thing, and those of where or what for.
fn about(text: &str) -> (BTreeSet<String>, BTreeSet<String>) {
    let all: Vec<String> = words(text).collect();
    let cut = all.iter().position(|word| SCOPES.contains(&word.as_str())).filter(|at| *at > 0).unwrap_or(all.len());
    let told = |part: &[String]| {
        let told = part.iter().filter(|word| !EMPTY.contains(&word.as_str()) && !SCOPES.contains(&word.as_str()));
        told.take(WORDS_MAX).map(|word| stem(word)).collect()
    };
    (told(&all[..cut]), told(&all[cut..]))
}

fn words(text: &str) -> impl Iterator<Item = String> {
    let edge = |c: char| !c.is_alphanumeric() && c != '+' && c != '#';
    text.split(|c: char| c.is_whitespace() || matches!(c, ',' | '(' | ')' | '"' | '`'))
        .map(move |word| word.trim_matches(edge).to_lowercase())
        .filter(|word| !word.is_empty())
}

impl Matter {
    /// The words under which other decisions about the same are found.
    pub(crate) fn terms(&self) -> impl Iterator<Item = &str> {
        let question = (!self.question.is_empty()).then_some(self.question.as_str());
        self.chosen.iter().chain(self.rejected.iter().flatten()).map(String::as_str).chain(question)
    }

    /// Whether a later decision puts this one out of force.
    ///
    /// It must answer the same question otherwise, reject what this one chose, or choose
    /// what this one rejected; and the agent's own word never goes over a person's.
    pub(crate) fn is_superseded_by(&self, later: &Matter) -> bool {
        if self.is_by_person && !later.is_by_person || !later.chosen.is_empty() && later.chosen == self.chosen {
            return false;
        }
        if !self.question.is_empty() && self.question == later.question {
            return true;
        }
        if !self.scope.is_empty() && !later.scope.is_empty() && self.scope.is_disjoint(&later.scope) {
            return false;
        }
        later.rejected.iter().any(|rejected| is_same(rejected, &self.chosen))
            || self.rejected.iter().any(|rejected| is_same(rejected, &later.chosen))
    }
}

/// Whether one names the other, with at most as many words more.
fn is_same(a: &BTreeSet<String>, b: &BTreeSet<String>) -> bool {
    let (few, many) = if a.len() <= b.len() { (a, b) } else { (b, a) };
    !few.is_empty() && few.is_subset(many) && many.len() <= 2 * few.len()
}
