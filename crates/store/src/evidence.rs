//! Evidence in the ledger: each observation once, by its id.

use std::collections::BTreeMap;

use coroner_model::{ContentHash, Evidence, EvidenceId, Redacted, Source};
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};
use serde::{Deserialize, Serialize};

use crate::chain::{COLUMNS, Kind, Row};
use crate::error::{Result, StoreError};
use crate::ledger::{Batch, Entry, Growth, instant};
use crate::{REDACTED_MARK, RecordedEntry, Store};

/// Most records that one listing gives.
pub const EVIDENCE_COUNT_MAX: usize = 100_000;

/// What an append did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Appended {
    /// New to the store.
    pub added: u64,
    /// Already there, also where its content was taken out since.
    pub known: u64,
}

/// Which evidence to list; what is `None` does not narrow.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EvidenceFilter {
    /// Only from these kinds of place; empty for all.
    pub sources: Vec<Source>,
    /// Only what was observed (or, where nobody knows, recorded) at or after.
    pub since: Option<Timestamp>,
    /// Only what was observed (or recorded) before.
    pub until: Option<Timestamp>,
    /// Most records given, the newest of them.
    pub limit: Option<usize>,
}

/// A piece of evidence as the store keeps it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptEvidence {
    /// Number of the record in the chain, from 1.
    pub record: u64,
    pub id: EvidenceId,
    pub source: Source,
    pub locator: String,
    pub observed_at: Option<Timestamp>,
    pub recorded_at: Option<Timestamp>,
    pub host: String,
    #[serde(flatten)]
    pub content: Content,
}

impl KeptEvidence {
    /// The redacted text, or the words of its tombstone.
    pub fn text(&self) -> &str {
        match &self.content {
            Content::Kept { text, .. } => text.as_str(),
            Content::Removed(removed) => &removed.reason,
        }
    }

    /// The kind of hash and its digits.
    pub fn hash_text(&self) -> String {
        match &self.content {
            Content::Kept { hash: ContentHash::Sha256(digits), .. } => format!("sha256 {digits}"),
            Content::Kept { hash: ContentHash::Hmac(digits), .. } => format!("hmac {digits} (something was redacted)"),
            Content::Removed(_) => "taken out".to_owned(),
        }
    }
}

/// The content of a piece of evidence, or what became of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "state")]
pub enum Content {
    /// As it was recorded.
    Kept {
        text: Redacted,
        #[serde(flatten)]
        hash: ContentHash,
    },
    /// Taken out; a tombstone says so.
    Removed(Removed),
}

/// Why a content is gone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Removed {
    /// Stands where the content stood.
    pub text: String,
    pub why: Removal,
    /// What the person who took it out said.
    pub reason: String,
    pub at: Option<Timestamp>,
    /// Number of the tombstone's record.
    pub tombstone: u64,
}

/// Who took a content out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Removal {
    /// A person, because a secret was in it.
    Redacted,
    /// The limits of the store.
    Expired,
    /// Nobody who said so: `verify` names it.
    Unexplained,
}

impl KeptEvidence {
    /// The evidence as it was appended; `None` where its content is gone.
    pub fn evidence(&self) -> Option<Evidence> {
        let Content::Kept { text, hash } = &self.content else { return None };
        Some(Evidence {
            id: self.id.clone(),
            source: self.source,
            locator: self.locator.clone(),
            observed_at: self.observed_at,
            host: self.host.clone(),
            hash: hash.clone(),
            content: text.clone(),
        })
    }
}

/// The part of a piece of evidence that a redaction takes away.
#[derive(Serialize, Deserialize)]
pub(crate) struct Body {
    pub(crate) content: Redacted,
    pub(crate) hash: ContentHash,
}

/// The text of a kept body and the hash of what it was; an entry of a transcript is told as text.
pub(crate) fn read_body(bytes: &[u8], source: &str) -> serde_json::Result<Body> {
    if source == Source::Session.as_str()
        && let Ok(recorded) = serde_json::from_slice::<RecordedEntry>(bytes)
    {
        return Ok(Body { content: recorded.entry.told(), hash: recorded.hash });
    }
    serde_json::from_slice(bytes)
}

/// What a tombstone says.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Tombstone {
    pub(crate) why: Removal,
    pub(crate) reason: String,
    /// Numbers of records, first and last.
    pub(crate) removed: Vec<(u64, u64)>,
}

impl Store {
    /// Appends evidence; what is known by its id is left as it is.
    ///
    /// When this returns, everything handed over survives a kill or a power cut.
    pub fn append(&self, evidence: &[Evidence], at: Timestamp) -> Result<Appended> {
        let unknown = self.unknown(evidence)?;
        if unknown.is_empty() {
            return Ok(Appended { added: 0, known: evidence.len() as u64 });
        }
        self.make_room(at)?;
        self.write(Growth::Grows, at, |batch| {
            let mut added = 0;
            for item in unknown {
                // Another process may have been faster.
                added += u64::from(append_new(batch, item)?);
            }
            Ok(Appended { added, known: evidence.len() as u64 - added })
        })
    }

    /// The evidence of that id.
    pub fn evidence(&self, id: &EvidenceId) -> Result<Option<KeptEvidence>> {
        let connection = self.connection();
        let sql = format!("SELECT {COLUMNS} FROM record WHERE kind = 'evidence' AND id = ?1 ORDER BY seq LIMIT 1");
        let row = connection.query_row(&sql, [id.as_str()], Row::read).optional()?;
        row.map(|row| kept(&row, &tombstones(&connection)?)).transpose()
    }

    /// Ids that begin so, at most `limit`; for people who type the first digits.
    pub fn evidence_ids(&self, prefix: &str, limit: usize) -> Result<Vec<EvidenceId>> {
        let connection = self.connection();
        let mut statement = connection.prepare(
            "SELECT DISTINCT id FROM record WHERE kind = 'evidence' AND id >= ?1 AND id < ?1 || '~' ORDER BY id LIMIT ?2",
        )?;
        let ids = statement.query_map(params![prefix, limit as i64], |row| row.get::<_, String>(0))?;
        Ok(ids.map(|id| id.map(EvidenceId::new)).collect::<rusqlite::Result<_>>()?)
    }

    /// Lists evidence in the order in which it was recorded.
    pub fn list_evidence(&self, filter: &EvidenceFilter) -> Result<Vec<KeptEvidence>> {
        let connection = self.connection();
        let words: Vec<&str> = filter.sources.iter().map(|s| s.as_str()).collect();
        let sql = format!(
            "SELECT {COLUMNS} FROM record NOT INDEXED WHERE kind = 'evidence' \
             AND (?1 = '' OR instr(?1, ' ' || source || ' ') > 0) \
             AND (?2 = '' OR coalesce(nullif(observed_at, ''), recorded_at) >= ?2) \
             AND (?3 = '' OR coalesce(nullif(observed_at, ''), recorded_at) < ?3) \
             ORDER BY seq DESC LIMIT ?4"
        );
        let sources = if words.is_empty() { String::new() } else { format!(" {} ", words.join(" ")) };
        let time = |t: Option<Timestamp>| t.map(instant).unwrap_or_default();
        let limit = filter.limit.unwrap_or(EVIDENCE_COUNT_MAX).min(EVIDENCE_COUNT_MAX);
        let rows: Vec<Row> = connection
            .prepare(&sql)?
            .query_map(params![sources, time(filter.since), time(filter.until), limit as i64], Row::read)?
            .collect::<rusqlite::Result<_>>()?;
        let removed = tombstones(&connection)?;
        rows.iter().rev().map(|row| kept(row, &removed)).collect()
    }

    /// How many pieces of evidence the store holds.
    pub fn evidence_count(&self) -> Result<u64> {
        let count: i64 =
            self.connection().query_row("SELECT count(*) FROM record WHERE kind = 'evidence'", [], |row| row.get(0))?;
        Ok(count.unsigned_abs())
    }

    fn unknown<'e>(&self, evidence: &'e [Evidence]) -> Result<Vec<&'e Evidence>> {
        let connection = self.connection();
        let mut unknown = Vec::new();
        for item in evidence {
            if number_of(&connection, Kind::Evidence, item.id.as_str())?.is_none() {
                unknown.push(item);
            }
        }
        Ok(unknown)
    }
}

/// Appends what is not there yet; says whether it was new.
pub(crate) fn append_new(batch: &mut Batch<'_>, item: &Evidence) -> Result<bool> {
    let is_new = number_of(&batch.transaction, Kind::Evidence, item.id.as_str())?.is_none();
    if is_new {
        batch.append(entry(item)?)?;
    }
    Ok(is_new)
}

fn entry(item: &Evidence) -> Result<Entry> {
    let body = Body { content: item.content.clone(), hash: item.hash.clone() };
    Ok(Entry {
        source: item.source.as_str().to_owned(),
        locator: item.locator.clone(),
        observed_at: item.observed_at.map(instant).unwrap_or_default(),
        host: item.host.clone(),
        ..Entry::new(Kind::Evidence, item.id.as_str(), serde_json::to_vec(&body)?)
    })
}

/// Number of the newest record of that kind and id.
pub(crate) fn number_of(connection: &Connection, kind: Kind, id: &str) -> Result<Option<u64>> {
    let number: Option<i64> = connection
        .prepare_cached("SELECT max(seq) FROM record WHERE kind = ?1 AND id = ?2")?
        .query_row([kind.as_str(), id], |row| row.get(0))?;
    Ok(number.map(i64::unsigned_abs))
}

/// Each tombstone by the number of its record.
pub(crate) type Tombstones = BTreeMap<u64, (Tombstone, Option<Timestamp>)>;

/// Reads all tombstones; one that cannot be read explains nothing.
pub(crate) fn tombstones(connection: &Connection) -> Result<Tombstones> {
    let mut statement = connection.prepare(&format!("SELECT {COLUMNS} FROM record WHERE kind = 'tombstone'"))?;
    let mut found = Tombstones::new();
    for row in statement.query_map([], Row::read)? {
        let row = row?;
        if let Some(tombstone) = row.body.as_ref().and_then(|b| serde_json::from_slice(b).ok()) {
            found.insert(row.seq, (tombstone, row.text(2).parse().ok()));
        }
    }
    Ok(found)
}

fn kept(row: &Row, tombstones: &Tombstones) -> Result<KeptEvidence> {
    let unreadable = |because: String| StoreError::Unreadable { record: row.seq, because };
    let content = match &row.body {
        Some(body) => {
            let body = read_body(body, &row.text(3)).map_err(|e| unreadable(e.to_string()))?;
            Content::Kept { text: body.content, hash: body.hash }
        }
        None => Content::Removed(removed(row.seq, tombstones)),
    };
    let source = serde_json::from_value(row.text(3).into()).map_err(|e| unreadable(e.to_string()))?;
    Ok(KeptEvidence {
        record: row.seq,
        id: EvidenceId::new(row.text(1)),
        source,
        locator: row.text(4),
        observed_at: row.text(5).parse().ok(),
        recorded_at: row.text(2).parse().ok(),
        host: row.text(6),
        content,
    })
}

fn removed(seq: u64, tombstones: &Tombstones) -> Removed {
    let covers = |t: &Tombstone| t.removed.iter().any(|&(from, to)| (from..=to).contains(&seq));
    let mark = |why: Removal| match why {
        Removal::Redacted => REDACTED_MARK.to_owned(),
        Removal::Expired => "[expired]".to_owned(),
        Removal::Unexplained => "[removed]".to_owned(),
    };
    match tombstones.iter().find(|(_, (tombstone, _))| covers(tombstone)) {
        Some((&number, (tombstone, at))) => Removed {
            text: mark(tombstone.why),
            why: tombstone.why,
            reason: tombstone.reason.clone(),
            at: *at,
            tombstone: number,
        },
        None => Removed {
            text: mark(Removal::Unexplained),
            why: Removal::Unexplained,
            reason: String::new(),
            at: None,
            tombstone: 0,
        },
    }
}
