//! Taking out a secret that the redactor missed: from the record, from whatever
//! quotes it, and from the bytes of the files.

use coroner_model::EvidenceId;
use jiff::Timestamp;
use rusqlite::params;
use serde::{Deserialize, Serialize};

use crate::chain::Kind;
use crate::error::{Result, StoreError};
use crate::evidence::{Removal, Tombstone, read_body, tombstones};
use crate::ledger::{Batch, Entry, Growth};
use crate::quote::{INSIDE_BYTES_MIN, Search, escaped};
use crate::{Access, Store, incident};

/// What stands where a text was taken out.
pub const REDACTED_MARK: &str = "[redacted]";

/// What a redaction did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Redaction {
    pub id: EvidenceId,
    /// Number of the record whose content is gone.
    pub record: u64,
    /// Number of the tombstone; `None` where the content was gone before.
    pub tombstone: Option<u64>,
    /// Incidents, investigations and drafts that quoted it and do so no more.
    pub rewritten: Vec<String>,
    /// Other evidence in which the same text stands; not touched.
    pub also_in: Vec<EvidenceId>,
}

impl Store {
    /// Takes the content of a piece of evidence out and leaves a tombstone.
    ///
    /// When this returns, the bytes are in none of the files of the database.
    pub fn redact(&self, id: &EvidenceId, reason: &str, at: Timestamp) -> Result<Redaction> {
        let redaction = self.write(Growth::Shrinks, at, |batch| redact(batch, id, reason))?;
        self.finish_scrub()?;
        Ok(redaction)
    }

    /// Blanks citations of evidence that was redacted before.
    ///
    /// The log may still hold the secret, and who looks again would bring it back.
    pub(crate) fn without_redacted(&self, mut entries: Vec<Entry>) -> Result<Vec<Entry>> {
        let redacted = self.redacted_ids()?;
        for entry in &mut entries {
            for id in &redacted {
                if let Some(body) = Search::of_citations(id).without(&entry.body, entry.kind)? {
                    entry.body = body;
                }
            }
        }
        Ok(entries)
    }

    fn redacted_ids(&self) -> Result<Vec<EvidenceId>> {
        let connection = self.connection();
        let mut ids = Vec::new();
        for (tombstone, _) in tombstones(&connection)?.into_values() {
            if tombstone.why != Removal::Redacted {
                continue;
            }
            for (from, to) in tombstone.removed {
                let mut statement = connection
                    .prepare_cached("SELECT id FROM record WHERE seq BETWEEN ?1 AND ?2 AND kind = 'evidence'")?;
                let found = statement.query_map(params![from as i64, to as i64], |row| row.get::<_, String>(0))?;
                for id in found {
                    ids.push(EvidenceId::new(id?));
                }
            }
        }
        Ok(ids)
    }

    /// Wipes old pages, where a redaction has left that to do.
    ///
    /// A redaction that was killed half-way is finished when the store is opened next.
    pub(crate) fn finish_scrub(&self) -> Result<()> {
        if self.access == Access::ReadOnly || !self.is_scrub_pending()? {
            return Ok(());
        }
        let _lock = self.place.lock()?;
        let connection = self.connection();
        empty_log(&connection)?;
        match connection.execute_batch("VACUUM") {
            // No room for a second copy; the pages were overwritten in place all the same.
            Err(error) if error.sqlite_error_code() == Some(rusqlite::ErrorCode::DiskFull) => {}
            other => other?,
        }
        empty_log(&connection)?;
        connection.execute("DELETE FROM meta WHERE name = 'scrub'", [])?;
        Ok(())
    }

    pub(crate) fn is_scrub_pending(&self) -> Result<bool> {
        Ok(self.connection().query_row("SELECT count(*) FROM meta WHERE name = 'scrub'", [], |row| {
            row.get::<_, i64>(0).map(|count| count > 0)
        })?)
    }
}

/// Writes all pages of the log into the database and cuts it to nothing.
fn empty_log(connection: &rusqlite::Connection) -> Result<()> {
    let busy: i64 = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))?;
    if busy == 0 { Ok(()) } else { Err(StoreError::ScrubUnfinished) }
}

fn redact(batch: &mut Batch<'_>, id: &EvidenceId, reason: &str) -> Result<Redaction> {
    let found: Vec<(i64, Option<Vec<u8>>, String)> = batch
        .transaction
        .prepare("SELECT seq, body, source FROM record WHERE kind = 'evidence' AND id = ?1 ORDER BY seq")?
        .query_map([id.as_str()], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
        .collect::<rusqlite::Result<_>>()?;
    let Some((seq, body, source)) = found.into_iter().next() else {
        return Err(StoreError::NoSuchEvidence(id.clone()));
    };
    let record = seq.unsigned_abs();
    let mut redaction =
        Redaction { id: id.clone(), record, tombstone: None, rewritten: Vec::new(), also_in: Vec::new() };
    let Some(body) = body else { return Ok(redaction) };
    let mut removed = vec![(record, record)];
    if let Ok(body) = read_body(&body, &source) {
        let search = Search::new(id, body.content.as_str());
        for quote in quotes(batch, &search)? {
            removed.push((quote.seq, quote.seq));
            if let Some(entry) = quote.rewritten {
                redaction.rewritten.push(entry.id.clone());
                batch.append(entry)?;
            }
        }
        redaction.also_in = also_in(batch, id, body.content.as_str())?;
    }
    redaction.tombstone = Some(take_out(batch, Removal::Redacted, reason, removed)?);
    batch.transaction.execute("INSERT OR REPLACE INTO meta (name, value) VALUES ('scrub', x'01')", [])?;
    incident::rebuild_search(&batch.transaction)?;
    Ok(redaction)
}

/// Removes the bodies of some records and appends the tombstone that says so.
pub(crate) fn take_out(batch: &mut Batch<'_>, why: Removal, reason: &str, removed: Vec<(u64, u64)>) -> Result<u64> {
    for &(from, to) in &removed {
        batch.transaction.execute(
            "UPDATE record SET body = NULL, salt = NULL WHERE seq BETWEEN ?1 AND ?2 AND kind <> 'tombstone'",
            params![from as i64, to as i64],
        )?;
    }
    batch.taken_out.extend(&removed);
    let tombstone = Tombstone { why, reason: reason.to_owned(), removed };
    batch.append(Entry::new(Kind::Tombstone, "", serde_json::to_vec(&tombstone)?))
}

/// A record that quotes what is taken out.
struct Quote {
    seq: u64,
    /// What takes its place; `None` for a revision that is not the newest.
    rewritten: Option<Entry>,
}

fn quotes(batch: &Batch<'_>, search: &Search) -> Result<Vec<Quote>> {
    let mut quotes = Vec::new();
    for kind in [Kind::Incident, Kind::Problem, Kind::Draft, Kind::Investigation, Kind::Action] {
        let mut statement = batch.transaction.prepare(
            "SELECT seq, id, body, seq = (SELECT max(seq) FROM record newest WHERE newest.kind = record.kind \
             AND newest.id = record.id) FROM record WHERE kind = ?1 AND body IS NOT NULL ORDER BY seq",
        )?;
        let rows = statement.query_map([kind.as_str()], |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?, row.get::<_, Vec<u8>>(2)?, row.get::<_, bool>(3)?))
        })?;
        for row in rows {
            let (seq, id, body, newest) = row?;
            let Some(body) = search.without(&body, kind)? else { continue };
            let rewritten = newest.then(|| Entry::new(kind, &id, body));
            quotes.push(Quote { seq: seq.unsigned_abs(), rewritten });
        }
    }
    Ok(quotes)
}

/// Other evidence in which the text stands too, at most a hundred.
fn also_in(batch: &Batch<'_>, id: &EvidenceId, content: &str) -> Result<Vec<EvidenceId>> {
    let text = content.trim();
    if text.len() < INSIDE_BYTES_MIN {
        return Ok(Vec::new());
    }
    let mut statement = batch.transaction.prepare(
        "SELECT DISTINCT id FROM record WHERE kind = 'evidence' AND id <> ?1 AND instr(body, ?2) > 0 ORDER BY seq LIMIT 100",
    )?;
    let ids = statement.query_map(params![id.as_str(), escaped(text).into_bytes()], |row| row.get::<_, String>(0))?;
    Ok(ids.map(|id| id.map(EvidenceId::new)).collect::<rusqlite::Result<_>>()?)
}
