//! Transcripts in the ledger: each entry one record, each source with how far it was read.
//!
//! Whoever reads and redacts prepares records on its own threads; one transaction
//! takes several parts of sources, each with its new state, so that a process killed
//! at any moment leaves sources that are read on from where they were kept.

mod derive;

use std::collections::BTreeMap;

use coroner_model::entry::Entry;
use coroner_model::source::SourceState;
use coroner_model::{ContentHash, Evidence, Redacted, Source};
use jiff::Timestamp;
use rusqlite::{OptionalExtension, params};
use serde::{Deserialize, Serialize};

use crate::Store;
use crate::chain::Kind;
use crate::error::Result;
use crate::evidence;
use crate::ledger::{self, Growth, instant};

pub(crate) use derive::Derived;

/// Where entries come from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Provenance {
    pub agent: String,
    /// Absolute path of the source.
    pub path: String,
    pub machine: String,
}

/// What a record of an entry holds beside its header.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RecordedEntry {
    #[serde(flatten)]
    pub from: Provenance,
    /// Stands for the raw bytes of the entry.
    pub hash: ContentHash,
    pub entry: Entry<Redacted>,
}

/// An entry that is ready to be kept; made off the writing thread.
#[derive(Clone, Debug)]
pub struct Prepared {
    pub(crate) recorded: RecordedEntry,
    /// What identifies the entry in its source.
    pub(crate) key: [u8; 16],
    /// What it says, under the key of the store.
    pub(crate) content: [u8; 8],
    id: String,
    body: Vec<u8>,
}

impl Prepared {
    /// Makes a record of a redacted entry; `hash` stands for its raw bytes.
    ///
    /// An entry with an id of its own is the same one wherever it is copied to; one
    /// without is known by its session, its moment (or its line) and what it says.
    pub fn new(from: &Provenance, entry: Entry<Redacted>, hash: ContentHash) -> Result<Prepared> {
        let recorded = RecordedEntry { from: from.clone(), hash, entry };
        let body = serde_json::to_vec(&recorded)?;
        let entry = &recorded.entry;
        let said = blake3::hash(&serde_json::to_vec(&(&entry.message, &entry.calls, &entry.results, &entry.errors))?);
        let mut identity = blake3::Hasher::new();
        let mut part = |text: &str| {
            identity.update(&(text.len() as u64).to_le_bytes());
            identity.update(text.as_bytes());
        };
        part(&from.agent);
        part(&entry.subagent);
        if entry.id.is_empty() {
            part(&entry.session);
            match entry.at {
                Some(at) => part(&instant(at)),
                None => part(&format!("{}:{}", from.path, entry.raw.line)),
            }
            part(said.to_hex().as_str());
            part(&serde_json::to_string(&(&entry.about, &entry.notes, &entry.unread))?);
        } else {
            part(if entry.message.is_some() { "message" } else { "entry" });
            part(&entry.id);
        }
        let key = first(identity.finalize().as_bytes());
        let content = first(said.as_bytes());
        let id = blake3::hash(&[&key[..], &content[..]].concat()).to_hex().as_str()[..12].to_owned();
        Ok(Prepared { recorded, key, content, id, body })
    }

    fn into_record(self) -> (ledger::Entry, RecordedEntry) {
        let entry = &self.recorded.entry;
        let record = ledger::Entry {
            source: Source::Session.as_str().to_owned(),
            locator: format!("{}:{}", self.recorded.from.path, entry.raw.line),
            observed_at: entry.at.map(instant).unwrap_or_default(),
            host: self.recorded.from.machine.clone(),
            ..ledger::Entry::new(Kind::Evidence, &self.id, self.body)
        };
        (record, self.recorded)
    }
}

fn first<const N: usize>(bytes: &[u8; 32]) -> [u8; N] {
    std::array::from_fn(|at| bytes[at])
}

/// A part of a source: entries, and how far the source was read with them.
#[derive(Clone, Debug)]
pub struct Part {
    pub state: SourceState,
    pub entries: Vec<Prepared>,
    /// What a source that is no transcript showed.
    pub evidence: Vec<Evidence>,
}

/// What keeping did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recorded {
    /// Entries that are new to the store, or say something else than before.
    pub added: u64,
    /// Entries that the store held already.
    pub duplicates: u64,
    /// Rows of every table that were written.
    pub rows_written: u64,
}

impl std::ops::AddAssign for Recorded {
    fn add_assign(&mut self, other: Recorded) {
        self.added += other.added;
        self.duplicates += other.duplicates;
        self.rows_written += other.rows_written;
    }
}

/// What a store holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    pub sessions: u64,
    pub messages: u64,
    pub tool_calls: u64,
    pub evidence: u64,
}

impl Store {
    /// What is known of each source, by its path.
    pub fn sources(&self) -> Result<BTreeMap<String, SourceState>> {
        let connection = self.connection();
        let mut statement = connection.prepare("SELECT path, state FROM source")?;
        let rows = statement.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)))?;
        let mut sources = BTreeMap::new();
        for row in rows {
            let (path, state) = row?;
            // A state that cannot be read is no state: the source is read again.
            if let Ok(state) = serde_json::from_str(&state) {
                sources.insert(path, state);
            }
        }
        Ok(sources)
    }

    /// Keeps parts of sources in one transaction; `each` sees what was added, with its number.
    ///
    /// When this returns, everything handed over survives a kill or a power cut.
    pub fn record(
        &self,
        at: Timestamp,
        parts: Vec<Part>,
        each: &mut dyn FnMut(u64, RecordedEntry),
    ) -> Result<Recorded> {
        let mut recorded = Recorded::default();
        if parts.is_empty() {
            return Ok(recorded);
        }
        self.write(Growth::Grows, at, |batch| {
            let mut derived = Derived::new();
            for part in parts {
                for prepared in part.entries {
                    let (key, content) = (prepared.key, prepared.content);
                    let known = derive::known(&batch.transaction, &key)?;
                    if known.as_ref().is_some_and(|known| known.content == content) {
                        recorded.duplicates += 1;
                        continue;
                    }
                    let (record, entry) = prepared.into_record();
                    let seq = batch.append(record)?;
                    recorded.added += 1;
                    recorded.rows_written += 1;
                    let replaced = known.map(|known| known.seq);
                    recorded.rows_written += derived.add(&batch.transaction, seq, &entry, replaced)?;
                    recorded.rows_written += derive::know(&batch.transaction, &key, &content, seq)?;
                    each(seq, entry);
                }
                for item in &part.evidence {
                    if evidence::append_new(batch, item)? {
                        recorded.added += 1;
                        recorded.rows_written += 1;
                    } else {
                        recorded.duplicates += 1;
                    }
                }
                batch
                    .transaction
                    .prepare_cached("INSERT OR REPLACE INTO source (path, state) VALUES (?1, ?2)")?
                    .execute(params![part.state.path, serde_json::to_string(&part.state)?])?;
                recorded.rows_written += 1;
            }
            recorded.rows_written += derived.finish(&batch.transaction)?;
            Ok(())
        })?;
        recorded.rows_written += u64::from(recorded.added > 0);
        Ok(recorded)
    }

    /// Applies the limits of size and age before a recording; see [`Store::retain`].
    pub fn make_room(&self, at: Timestamp) -> Result<()> {
        crate::retain::make_room(self, at)
    }

    /// What the store holds now.
    pub fn held(&self) -> Result<Held> {
        let connection = self.connection();
        let (sessions, messages, tool_calls) = connection.query_row(
            "SELECT count(*), coalesce(sum(messages), 0), coalesce(sum(calls), 0) FROM session",
            [],
            |row| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?, row.get::<_, i64>(2)?)),
        )?;
        let evidence: i64 =
            connection.query_row("SELECT count(*) FROM record WHERE kind = 'evidence'", [], |row| row.get(0))?;
        Ok(Held {
            sessions: sessions.unsigned_abs(),
            messages: messages.unsigned_abs(),
            tool_calls: tool_calls.unsigned_abs(),
            evidence: evidence.unsigned_abs(),
        })
    }

    /// Reads the entry of a record; `None` where there is none, or its content was taken out.
    pub fn recorded(&self, seq: u64) -> Result<Option<RecordedEntry>> {
        let connection = self.connection();
        let body: Option<Option<Vec<u8>>> = connection
            .prepare_cached("SELECT body FROM record WHERE seq = ?1 AND kind = 'evidence' AND source = 'session'")?
            .query_row([seq as i64], |row| row.get(0))
            .optional()?;
        // What cannot be read is named by `verify`; here it is as good as gone.
        Ok(body.flatten().and_then(|body| serde_json::from_slice(&body).ok()))
    }
}
