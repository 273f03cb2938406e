//! Custody: computes the whole chain again and names what does not fit.

use std::path::Path;

use coroner_model::evidence::hex;
use rusqlite::Connection;
use serde::{Deserialize, Serialize};

use crate::chain::{COLUMNS, Hash, Kind, Row, genesis, unhex};
use crate::diagnose::{self, Link};
use crate::error::{Result, StoreError};
use crate::evidence::{Tombstones, tombstones};
use crate::ledger::{Head, chain_at, checkpoint, head_fault, read_head};
use crate::place::{Place, read_small};
use crate::{Store, key, schema};

/// The schema that a report of custody carries.
pub const CUSTODY_SCHEMA: &str = "coroner/custody/v1";
/// Most problems that one report names.
pub const PROBLEM_COUNT_MAX: usize = 1000;
/// Most problems that the database's own check names.
const STRUCTURE_COUNT_MAX: usize = 20;

/// What `verify` found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CustodyReport {
    pub schema: String,
    /// Records in the chain, tombstones and revisions included.
    pub records: u64,
    /// How many of them are evidence.
    pub evidence: u64,
    /// How many lost their content to a redaction or a limit, as a tombstone says.
    pub removed: u64,
    /// When the newest record was signed; `None` for an empty store.
    pub signed_at: Option<String>,
    pub problems: Vec<CustodyProblem>,
    /// Problems beyond [`PROBLEM_COUNT_MAX`].
    pub problems_left_out: u64,
}

/// One thing that does not fit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CustodyProblem {
    /// Number of the record; `None` where it is about the store as a whole.
    pub record: Option<u64>,
    pub reason: String,
}

impl CustodyReport {
    fn new() -> CustodyReport {
        CustodyReport {
            schema: CUSTODY_SCHEMA.to_owned(),
            records: 0,
            evidence: 0,
            removed: 0,
            signed_at: None,
            problems: Vec::new(),
            problems_left_out: 0,
        }
    }

    fn add(&mut self, record: Option<u64>, reason: impl Into<String>) {
        let problem = CustodyProblem { record, reason: reason.into() };
        if self.problems.contains(&problem) {
            return;
        }
        if self.problems.len() < PROBLEM_COUNT_MAX {
            self.problems.push(problem);
        } else {
            self.problems_left_out += 1;
        }
    }

    fn names_one_of(&self, from: u64, to: u64) -> bool {
        self.problems.iter().any(|p| p.record.is_some_and(|record| (from..=to).contains(&record)))
    }

    /// Notes that a step could not be done; it must not pass for one that found nothing.
    fn step(&mut self, what: &str, result: Result<()>) {
        if let Err(error) = result {
            self.add(None, format!("{what} cannot be read: {error}"));
        }
    }
}

/// Verifies the store at a path, also one that is too damaged to be opened.
pub fn verify(path: &Path) -> Result<CustodyReport> {
    let place = Place::at(path);
    match Store::open_read_only(path) {
        Ok(store) => store.verify(),
        Err(error) if is_damaged(&error, &place) => {
            let mut report = CustodyReport::new();
            report.add(None, format!("the database cannot be read: {error}"));
            Ok(report)
        }
        Err(StoreError::NotFound { .. }) if is_unbegun(&place)? => Ok(CustodyReport::new()),
        Err(StoreError::NotFound { .. }) if place.head.is_file() => {
            let mut report = CustodyReport::new();
            report.add(None, "the database is missing, but its head file is there");
            Ok(report)
        }
        Err(error) => Err(error),
    }
}

/// Whether whoever made the store ended before its database: the head, which comes first, signs nothing.
fn is_unbegun(place: &Place) -> Result<bool> {
    let Some(secret) = key::read(&place.signing_key)? else { return Ok(false) };
    Ok(matches!(read_head(place)?, Head::Found(head) if head.count == 0 && head.is_signed_by(&key::public(&secret))))
}

fn is_damaged(error: &StoreError, place: &Place) -> bool {
    let is_ours = place.head.is_file();
    match error {
        StoreError::NotAStore { .. } => is_ours,
        StoreError::KeyUnreadable { .. } => true,
        StoreError::Database(_) => error.is_damage() || (is_ours && !schema::begins_as_database(&place.database)),
        _ => false,
    }
}

impl Store {
    /// Computes everything again and names each record that does not fit.
    ///
    /// What it cannot see: a whole store, keys and head included, put back from
    /// an older copy, or made anew by somebody who holds the signing key.
    pub fn verify(&self) -> Result<CustodyReport> {
        // The head first: records may be added while this runs, and a head that lags is in order.
        let head = read_head(&self.place)?;
        let mut connection = self.connection();
        let snapshot = connection.transaction()?;
        let mut report = CustodyReport::new();
        let result = structure(&snapshot, &mut report);
        report.step("the structure of the database", result);
        let public = self.public_key(&snapshot, &head, &mut report);
        let mut scan = Scan::new(genesis(&public));
        let result = scan.run(&snapshot, &mut report);
        let is_whole = result.is_ok();
        report.step(&format!("the ledger after record {}", scan.last), result);
        if scan.is_out_of_order {
            let result = out_of_order(&snapshot, &public, &mut report);
            report.step("the order of the records", result);
        }
        let result = checkpoints(&snapshot, &public, &scan, &mut report);
        report.step("the list of checkpoints", result);
        if is_whole {
            let result = compare_head(&snapshot, &scan, &head, &public, &mut report);
            report.step("the record that the head file names", result);
        }
        report.records = scan.records;
        drop(snapshot);
        drop(connection);
        if self.is_scrub_pending().unwrap_or(false) {
            report.add(
                None,
                "a redaction is not finished: old bytes may still be in the file; open the store for writing once",
            );
        }
        report.problems.sort_by_key(|p| p.record.unwrap_or(0));
        Ok(report)
    }

    /// The key that the chain must be signed with.
    fn public_key(&self, connection: &Connection, head: &Head, report: &mut CustodyReport) -> Hash {
        let noted: Option<Hash> = connection
            .query_row("SELECT value FROM meta WHERE name = 'public_key'", [], |row| row.get::<_, Vec<u8>>(0))
            .ok()
            .and_then(|bytes| bytes.try_into().ok());
        let own = self.signing_key.as_ref().map(key::public);
        match (own, noted) {
            (Some(own), Some(noted)) if own == noted => {}
            (Some(_), Some(_)) => report.add(None, "the signing key is not the one that this store was made with"),
            (Some(_), None) => report.add(None, "the database does not name the key that it was made with"),
            (None, _) => report.add(None, "the signing key is missing, so nobody vouches for the signatures"),
        }
        let from_head = || match head {
            Head::Found(head) => unhex(&head.public_key).and_then(|bytes| bytes.try_into().ok()),
            _ => None,
        };
        own.or(noted).or_else(from_head).unwrap_or_default()
    }
}

fn compare_head(
    connection: &Connection,
    scan: &Scan,
    head: &Head,
    public: &Hash,
    report: &mut CustodyReport,
) -> Result<()> {
    let Some(fault) = head_fault(connection, scan.last, &scan.chain, head, public)? else { return Ok(()) };
    let is_named = fault.record.is_some_and(|r| r <= scan.last && report.names_one_of(r, r));
    if !is_named {
        report.add(fault.record, fault.text);
    }
    Ok(())
}

fn structure(connection: &Connection, report: &mut CustodyReport) -> Result<()> {
    for difference in schema::differences(connection)? {
        report.add(None, format!("the structure of the database was changed: {difference}"));
    }
    let mut statement = connection.prepare(&format!("PRAGMA integrity_check({STRUCTURE_COUNT_MAX})"))?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let text: String = row.get(0)?;
        if text != "ok" {
            report.add(None, format!("the database file was changed: {}", text.replace('\n', " ")));
        }
    }
    Ok(())
}

/// One pass over the ledger in the order of its numbers.
struct Scan {
    /// Number of the last record.
    last: u64,
    /// Its chain value.
    chain: Vec<u8>,
    records: u64,
    is_out_of_order: bool,
}

impl Scan {
    fn new(genesis: Hash) -> Scan {
        Scan { last: 0, chain: genesis.to_vec(), records: 0, is_out_of_order: false }
    }

    fn run(&mut self, connection: &Connection, report: &mut CustodyReport) -> Result<()> {
        let tombstones = tombstones(connection)?;
        let gone = gone(&tombstones);
        let mut statement = connection.prepare(&format!("SELECT {COLUMNS} FROM record ORDER BY seq"))?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let row = Row::read(row)?;
            self.records += 1;
            let is_after_gap = row.seq != self.last + 1;
            if is_after_gap {
                report.add(Some(self.last + 1), missing(self.last + 1, row.seq));
            }
            self.body(&row, is_gone(&gone, row.seq), report);
            self.link(&row, is_after_gap, report);
            if row.is(Kind::Break) {
                report.add(Some(row.seq), said_by_break(&row));
            }
            report.evidence += u64::from(row.is(Kind::Evidence));
            self.last = row.seq;
        }
        Ok(())
    }

    fn body(&self, row: &Row, is_gone: bool, report: &mut CustodyReport) {
        match (row.body_fits(), is_gone) {
            (Some(true), false) => {}
            (None, true) => report.removed += 1,
            (Some(false), _) => report.add(Some(row.seq), "the content was changed"),
            (Some(true), true) => {
                report.add(Some(row.seq), "the content was taken out by a redaction, and is there again");
            }
            (None, false) => report.add(Some(row.seq), "the content was removed, and no tombstone says so"),
        }
    }

    fn link(&mut self, row: &Row, is_after_gap: bool, report: &mut CustodyReport) {
        let fits = row.link(&row.prev).as_slice() == row.chain;
        let follows = row.prev == self.chain;
        if !fits {
            report.add(Some(row.seq), "the record was changed: it does not give its own chain value");
        }
        // A record that was changed in place still stands where it stood.
        if !follows && !is_after_gap && (fits || row.link(&self.chain).as_slice() != row.chain) {
            self.is_out_of_order = true;
        }
        self.chain.clone_from(&row.chain);
    }
}

/// The ranges that tombstones cover, sorted and apart.
fn gone(tombstones: &Tombstones) -> Vec<(u64, u64)> {
    let mut ranges: Vec<(u64, u64)> = tombstones.values().flat_map(|(t, _)| t.removed.iter().copied()).collect();
    ranges.sort_unstable();
    ranges.dedup_by(|next, before| {
        let overlaps = next.0 <= before.1;
        if overlaps {
            before.1 = before.1.max(next.1);
        }
        overlaps
    });
    ranges
}

fn is_gone(gone: &[(u64, u64)], seq: u64) -> bool {
    let after = gone.partition_point(|&(from, _)| from <= seq);
    after > 0 && gone[after - 1].1 >= seq
}

fn missing(from: u64, next: u64) -> String {
    match next.saturating_sub(from) {
        1 => format!("record {from} was removed"),
        _ => format!("records {from} to {} were removed", next.saturating_sub(1)),
    }
}

fn said_by_break(row: &Row) -> String {
    let body: Option<serde_json::Value> = row.body.as_ref().and_then(|b| serde_json::from_slice(b).ok());
    let reason = body.as_ref().and_then(|b| b["reason"].as_str()).unwrap_or("the reason cannot be read");
    format!("when this record was written, the chain before it was not what had been signed: {reason}")
}

/// Names what was swapped, inserted or taken out with the numbers moved up.
fn out_of_order(connection: &Connection, public: &[u8; 32], report: &mut CustodyReport) -> Result<()> {
    let mut statement = connection.prepare(&format!("SELECT {COLUMNS} FROM record ORDER BY seq"))?;
    let mut links = Vec::new();
    let mut last = genesis(public).to_vec();
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let row = Row::read(row)?;
        let own = row.link(&row.prev).to_vec();
        let stands_after_last = own != row.chain && row.link(&last).as_slice() == row.chain;
        let prev = if stands_after_last { last } else { row.prev };
        last = row.chain.clone();
        links.push(Link { seq: row.seq, prev, chain: row.chain, own });
    }
    for (seq, reason) in diagnose::diagnose(&links, genesis(public).as_slice()) {
        report.add(Some(seq), reason);
    }
    Ok(())
}

fn checkpoints(connection: &Connection, public: &Hash, scan: &Scan, report: &mut CustodyReport) -> Result<()> {
    let mut statement =
        connection.prepare("SELECT count, chain, at, signature, number FROM checkpoint ORDER BY number")?;
    let mut rows = statement.query([])?;
    let (mut signed, mut is_good, mut number) = (0, true, 0);
    while let Some(row) = rows.next()? {
        number += 1;
        if row.get::<_, i64>(4)? != number {
            report.add(None, format!("checkpoint {number} was removed or renumbered"));
            number = row.get(4)?;
        }
        let found = match checkpoint(row, public) {
            Ok(found) => found,
            Err(error) => {
                report.add(None, format!("the checkpoint after record {signed} was changed: {error}"));
                continue;
            }
        };
        if !found.is_signed_by(public) {
            report.add(
                Some(found.count),
                format!("the checkpoint of record {} was changed: wrong signature", found.count),
            );
            continue;
        }
        let chain = chain_at(connection, found.count).ok().flatten();
        let fits = chain.is_some_and(|c| hex(&c) == found.chain);
        let from = signed + 1;
        if !fits && is_good && found.count <= scan.last && !report.names_one_of(from, found.count) {
            report.add(Some(from), format!("records {from} to {} are not those that were signed", found.count));
        }
        if found.count > scan.last {
            report.add(Some(scan.last + 1), missing(scan.last + 1, found.count + 1).replace("removed", "cut off"));
        }
        is_good &= fits;
        signed = found.count;
        report.signed_at = Some(found.at);
    }
    if signed < scan.last {
        let from = signed + 1;
        report.add(Some(from), format!("records {from} to {} carry no signature: they were inserted", scan.last));
    }
    Ok(())
}

/// Bytes of the head file as they lie beside the database; for an export.
pub(crate) fn head_bytes(place: &Place) -> Result<Option<Vec<u8>>> {
    read_small(&place.head)
}
