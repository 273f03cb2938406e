//! Incidents with their revisions, what a page got wrong, and drafts of anti-patterns.

use coroner_model::IncidentId;
use coroner_model::incident::{Incident, PatternDraft, Problem};
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::Store;
use crate::chain::Kind;
use crate::error::{Result, StoreError};
use crate::ledger::{Batch, Entry, Growth};

/// What became of something that was handed over to be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kept {
    /// It was not known.
    Added,
    /// It differs from what was known; the earlier one stays as a revision.
    Revised,
    /// It was known as it is.
    Unchanged,
}

/// One state of an incident.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revision {
    /// Number of the record in the chain.
    pub record: u64,
    pub at: Option<Timestamp>,
    /// `None` where it was taken out.
    pub incident: Option<Incident>,
}

impl Store {
    /// Keeps incidents; one that differs from what is known becomes a new revision.
    ///
    /// The answers stand in the order of the incidents.
    pub fn put_incidents(&self, incidents: &[Incident], at: Timestamp) -> Result<Vec<Kept>> {
        let mut entries = Vec::new();
        for incident in incidents {
            entries.push(Entry::new(Kind::Incident, incident.id.as_str(), serde_json::to_vec(incident)?));
        }
        self.put(entries, at)
    }

    /// Keeps one incident.
    pub fn put_incident(&self, incident: &Incident, at: Timestamp) -> Result<Kept> {
        let kept = self.put_incidents(std::slice::from_ref(incident), at)?;
        Ok(kept.first().copied().unwrap_or(Kept::Unchanged))
    }

    /// The newest revision of each incident, in the order in which they came.
    pub fn incidents(&self) -> Result<Vec<Incident>> {
        self.newest(Kind::Incident)
    }

    /// The newest revision of one incident.
    pub fn incident(&self, id: &IncidentId) -> Result<Option<Incident>> {
        Ok(self.incident_revisions(id)?.into_iter().rev().find_map(|r| r.incident))
    }

    /// All states of an incident, oldest first.
    pub fn incident_revisions(&self, id: &IncidentId) -> Result<Vec<Revision>> {
        let connection = self.connection();
        let mut statement = connection
            .prepare("SELECT seq, recorded_at, body FROM record WHERE kind = 'incident' AND id = ?1 ORDER BY seq")?;
        let rows = statement.query_map([id.as_str()], |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?, row.get::<_, Option<Vec<u8>>>(2)?))
        })?;
        let mut revisions = Vec::new();
        for row in rows {
            let (seq, at, body) = row?;
            let record = seq.unsigned_abs();
            let incident = body.map(|body| understood(record, &body)).transpose()?;
            revisions.push(Revision { record, at: at.parse().ok(), incident });
        }
        Ok(revisions)
    }

    /// Keeps what pages got wrong about themselves; each once.
    pub fn put_problems(&self, problems: &[Problem], at: Timestamp) -> Result<u64> {
        let mut entries = Vec::new();
        for problem in problems {
            let body = serde_json::to_vec(problem)?;
            entries.push(Entry::new(Kind::Problem, &name_of(&body), body));
        }
        Ok(added(&self.put(entries, at)?))
    }

    /// What pages got wrong about themselves, in the order in which it was found.
    pub fn problems(&self) -> Result<Vec<Problem>> {
        self.newest(Kind::Problem)
    }

    /// Keeps drafts of anti-patterns; each once.
    pub fn put_drafts(&self, drafts: &[PatternDraft], at: Timestamp) -> Result<u64> {
        let mut entries = Vec::new();
        for draft in drafts {
            let name = name_of(format!("{:?} {}", draft.number, draft.title).as_bytes());
            entries.push(Entry::new(Kind::Draft, &name, serde_json::to_vec(draft)?));
        }
        Ok(added(&self.put(entries, at)?))
    }

    /// Drafts of anti-patterns, in the order in which they came.
    pub fn drafts(&self) -> Result<Vec<PatternDraft>> {
        self.newest(Kind::Draft)
    }

    /// Incidents in which every word occurs (or begins a word), best first.
    pub fn search_incidents(&self, query: &str, limit: usize) -> Result<Vec<IncidentId>> {
        let words: Vec<String> = query
            .split(|c: char| !c.is_alphanumeric())
            .filter(|w| !w.is_empty())
            .map(|w| format!("\"{w}\"*"))
            .collect();
        if words.is_empty() {
            return Ok(Vec::new());
        }
        let connection = self.connection();
        let mut statement = connection
            .prepare("SELECT id FROM incident_search WHERE incident_search MATCH ?1 ORDER BY bm25(incident_search, 0, 4, 1), id LIMIT ?2")?;
        let ids = statement.query_map(params![words.join(" "), limit as i64], |row| row.get::<_, String>(0))?;
        Ok(ids.map(|id| id.map(IncidentId::new)).collect::<rusqlite::Result<_>>()?)
    }

    /// Makes the search index anew from the ledger.
    pub fn rebuild_search(&self, at: Timestamp) -> Result<()> {
        self.write(Growth::Shrinks, at, |batch| rebuild_search(&batch.transaction))
    }

    /// Appends what differs from the newest record of its kind and id.
    pub(crate) fn put(&self, entries: Vec<Entry>, at: Timestamp) -> Result<Vec<Kept>> {
        let entries = self.without_redacted(entries)?;
        let mut all_known = true;
        for entry in &entries {
            all_known &= newest_body(&self.connection(), entry)?.flatten().as_ref() == Some(&entry.body);
        }
        if all_known {
            return Ok(vec![Kept::Unchanged; entries.len()]);
        }
        self.write(Growth::Grows, at, |batch| entries.into_iter().map(|entry| put_one(batch, entry)).collect())
    }

    pub(crate) fn newest<T: DeserializeOwned>(&self, kind: Kind) -> Result<Vec<T>> {
        let connection = self.connection();
        newest_bodies(&connection, kind)?.into_iter().map(|(seq, body)| understood(seq, &body)).collect()
    }
}

fn put_one(batch: &mut Batch<'_>, entry: Entry) -> Result<Kept> {
    let kept = match newest_body(&batch.transaction, &entry)? {
        Some(Some(body)) if body == entry.body => return Ok(Kept::Unchanged),
        Some(_) => Kept::Revised,
        None => Kept::Added,
    };
    if entry.kind == Kind::Incident {
        index(&batch.transaction, &understood(0, &entry.body)?)?;
    }
    batch.append(entry)?;
    Ok(kept)
}

/// The newest body of the entry's kind and id; `Some(None)` where it was taken out.
fn newest_body(connection: &Connection, entry: &Entry) -> Result<Option<Option<Vec<u8>>>> {
    Ok(connection
        .prepare_cached("SELECT body FROM record WHERE kind = ?1 AND id = ?2 ORDER BY seq DESC LIMIT 1")?
        .query_row([entry.kind.as_str(), &entry.id], |row| row.get(0))
        .optional()?)
}

/// Newest body of each id, by the number of the first record of that id.
fn newest_bodies(connection: &Connection, kind: Kind) -> Result<Vec<(u64, Vec<u8>)>> {
    let mut statement = connection.prepare(
        "SELECT newest.seq, newest.body FROM \
         (SELECT min(seq) AS first, max(seq) AS last FROM record WHERE kind = ?1 AND body IS NOT NULL GROUP BY id) \
         JOIN record newest ON newest.seq = last ORDER BY first",
    )?;
    let rows = statement.query_map([kind.as_str()], |row| Ok((row.get::<_, i64>(0)?.unsigned_abs(), row.get(1)?)))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

fn understood<T: DeserializeOwned>(record: u64, body: &[u8]) -> Result<T> {
    serde_json::from_slice(body).map_err(|e| StoreError::Unreadable { record, because: e.to_string() })
}

fn added(kept: &[Kept]) -> u64 {
    kept.iter().filter(|k| **k != Kept::Unchanged).count() as u64
}

/// A name for what has none: twelve hex digits over its bytes.
fn name_of(bytes: &[u8]) -> String {
    blake3::hash(bytes).to_hex().as_str()[..12].to_owned()
}

/// Empties the search index and fills it from the newest revisions.
pub(crate) fn rebuild_search(connection: &Connection) -> Result<()> {
    connection.execute("DELETE FROM incident_search", [])?;
    for (seq, body) in newest_bodies(connection, Kind::Incident)? {
        index(connection, &understood(seq, &body)?)?;
    }
    // Deleted rows leave their words in the index until it is built anew.
    connection.execute("INSERT INTO incident_search (incident_search) VALUES ('rebuild')", [])?;
    Ok(())
}

/// All that an incident says, as one text for the index.
pub(crate) fn told(incident: &Incident) -> String {
    let labels = [&incident.what_happened, &incident.root_cause, &incident.data_lost, &incident.fix, &incident.lesson];
    let mut text: Vec<&str> = vec![incident.id.as_str()];
    text.extend(labels.into_iter().flatten().map(String::as_str));
    text.extend(incident.sessions.iter().map(String::as_str));
    text.extend(incident.category.map(|c| c.as_str()));
    text.extend(incident.contradictions.iter().map(String::as_str));
    text.push(&incident.body);
    text.join("\n")
}

fn index(connection: &Connection, incident: &Incident) -> Result<()> {
    connection.execute("DELETE FROM incident_search WHERE id = ?1", [incident.id.as_str()])?;
    connection.execute(
        "INSERT INTO incident_search (id, title, text) VALUES (?1, ?2, ?3)",
        [incident.id.as_str(), &incident.title, &told(incident)],
    )?;
    Ok(())
}
