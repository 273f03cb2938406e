//! Writing to the ledger: one batch, one transaction, one signature, then the head.

use coroner_model::evidence::hex;
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};
use serde_json::json;

use crate::chain::{Checkpoint, Hash, Kind, Row, body_hash, genesis, unhex};
use crate::error::{Result, StoreError};
use crate::place::{Place, read_small, replace};
use crate::{Access, Store, disk, key};

/// Whether a batch makes the store larger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Growth {
    /// Refused on a full disk.
    Grows,
    /// Takes content away; allowed on a full disk.
    Shrinks,
}

/// One thing to be kept; a field that does not apply is empty.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) kind: Kind,
    pub(crate) id: String,
    pub(crate) source: String,
    pub(crate) locator: String,
    pub(crate) observed_at: String,
    pub(crate) host: String,
    pub(crate) body: Vec<u8>,
}

impl Entry {
    /// An entry that is all body.
    pub(crate) fn new(kind: Kind, id: &str, body: Vec<u8>) -> Entry {
        let empty = String::new;
        Entry { kind, id: id.to_owned(), source: empty(), locator: empty(), observed_at: empty(), host: empty(), body }
    }
}

/// An open transaction on the ledger.
pub(crate) struct Batch<'c> {
    pub(crate) transaction: Transaction<'c>,
    secret: [u8; 32],
    at: String,
    head: Head,
    tail: Option<Tail>,
    /// Numbers of records whose content the batch took away, first and last.
    pub(crate) taken_out: Vec<(u64, u64)>,
}

struct Tail {
    seq: u64,
    chain: Vec<u8>,
}

/// What lies outside the database.
#[derive(Clone, Debug)]
pub(crate) enum Head {
    Missing,
    Unreadable,
    Found(Checkpoint),
}

impl Store {
    /// Runs `work` in one transaction; what it appended is signed and acknowledged as a whole.
    pub(crate) fn write<T>(
        &self,
        growth: Growth,
        at: Timestamp,
        work: impl FnOnce(&mut Batch<'_>) -> Result<T>,
    ) -> Result<T> {
        if self.access == Access::ReadOnly {
            return Err(StoreError::ReadOnly);
        }
        let secret = self.signing_key.ok_or_else(|| StoreError::KeyMissing { path: self.place.signing_key.clone() })?;
        if growth == Growth::Grows {
            disk::refuse_if_full(&self.place.folder, self.limits.disk_used_percent_max)?;
        }
        let _lock = self.place.lock()?;
        let (result, checkpoint, taken_out) = {
            let mut connection = self.connection();
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let head = read_head(&self.place)?;
            let mut batch = Batch { transaction, secret, at: instant(at), head, tail: None, taken_out: Vec::new() };
            let result = work(&mut batch)?;
            let checkpoint = batch.checkpoint()?;
            let taken_out = std::mem::take(&mut batch.taken_out);
            batch.transaction.commit()?;
            (result, checkpoint, taken_out)
        };
        if let Some(checkpoint) = checkpoint {
            replace(&self.place.head, &checkpoint.to_json()?)?;
        }
        if !taken_out.is_empty() {
            self.unindex(&taken_out)?;
        }
        Ok(result)
    }
}

impl Batch<'_> {
    /// Appends one record and gives its number.
    pub(crate) fn append(&mut self, entry: Entry) -> Result<u64> {
        let tail = match self.tail.take() {
            Some(tail) => tail,
            None => self.begin()?,
        };
        let next = self.insert(&tail, entry)?;
        let seq = next.seq;
        self.tail = Some(next);
        Ok(seq)
    }

    /// Finds the end of the chain, and records it if the end is not what was signed.
    ///
    /// Without this the next signature would cover up that records are missing.
    fn begin(&mut self) -> Result<Tail> {
        let public = key::public(&self.secret);
        let tail = tail(&self.transaction, &genesis(&public))?;
        let Some(reason) = fault(&self.transaction, &tail, &self.head, &public)? else { return Ok(tail) };
        let body = serde_json::to_vec(&json!({ "reason": reason }))?;
        self.insert(&tail, Entry::new(Kind::Break, "", body))
    }

    fn insert(&self, tail: &Tail, entry: Entry) -> Result<Tail> {
        let salt = key::random()?;
        let columns =
            [entry.kind.as_str(), &entry.id, &self.at, &entry.source, &entry.locator, &entry.observed_at, &entry.host];
        let row = Row {
            seq: tail.seq + 1,
            header: columns.map(|c| c.as_bytes().to_vec()),
            body_hash: body_hash(&salt, &entry.body).to_vec(),
            prev: tail.chain.clone(),
            ..Row::default()
        };
        let link = row.link(&tail.chain);
        self.transaction
            .prepare_cached(
                "INSERT INTO record (kind, id, recorded_at, source, locator, observed_at, host, \
                 seq, salt, body, body_hash, prev, chain) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
            )?
            .execute(params![
                columns[0],
                columns[1],
                columns[2],
                columns[3],
                columns[4],
                columns[5],
                columns[6],
                row.seq as i64,
                salt.as_slice(),
                entry.body,
                row.body_hash,
                row.prev,
                link.as_slice(),
            ])?;
        Ok(Tail { seq: row.seq, chain: link.to_vec() })
    }

    /// Signs what the batch appended, if it appended anything.
    fn checkpoint(&self) -> Result<Option<Checkpoint>> {
        let Some(tail) = &self.tail else { return Ok(None) };
        let checkpoint = Checkpoint::sign(&self.secret, tail.seq, &tail.chain, &self.at);
        self.transaction.execute(
            "INSERT INTO checkpoint (count, chain, at, signature) VALUES (?1, ?2, ?3, ?4)",
            params![tail.seq as i64, tail.chain, checkpoint.at, unhex(&checkpoint.signature)],
        )?;
        Ok(Some(checkpoint))
    }
}

/// A moment as the ledger writes it: of one width, so that text order is time order.
pub(crate) fn instant(at: Timestamp) -> String {
    format!("{at:.9}")
}

/// Reads the head that lies beside the database.
pub(crate) fn read_head(place: &Place) -> Result<Head> {
    let Some(bytes) = read_small(&place.head)? else { return Ok(Head::Missing) };
    Ok(match serde_json::from_slice::<Checkpoint>(&bytes) {
        // Written again it must be the same bytes, or somebody has edited it.
        Ok(head) if head.to_json().is_ok_and(|again| again == bytes) => Head::Found(head),
        _ => Head::Unreadable,
    })
}

fn tail(connection: &Connection, genesis: &Hash) -> Result<Tail> {
    let last = connection
        .query_row("SELECT seq, chain FROM record ORDER BY seq DESC LIMIT 1", [], |row| {
            Ok(Tail { seq: row.get::<_, i64>(0)?.unsigned_abs(), chain: row.get(1)? })
        })
        .optional()?;
    Ok(last.unwrap_or(Tail { seq: 0, chain: genesis.to_vec() }))
}

/// Why the end of the ledger is not what was signed last; `None` where it is.
fn fault(connection: &Connection, tail: &Tail, head: &Head, public: &[u8; 32]) -> Result<Option<String>> {
    if let Some(reason) = head_fault(connection, tail.seq, &tail.chain, head, public)? {
        return Ok(Some(reason.text));
    }
    let last = last_checkpoint(connection, public)?;
    let signed = last.as_ref().map_or(0, |c| c.count);
    Ok(match last {
        _ if tail.seq > signed => {
            Some(format!("records {} to {} were added without a signature", signed + 1, tail.seq))
        }
        Some(last) if last.count > tail.seq => Some(cut_off(tail.seq, last.count)),
        Some(last) if last.chain != hex(&tail.chain) => {
            Some(format!("record {} is not the one that was signed", tail.seq))
        }
        Some(last) if !last.is_signed_by(public) => Some("the last checkpoint carries a wrong signature".to_owned()),
        _ => None,
    })
}

/// What is wrong with the head, and at which record.
pub(crate) struct HeadFault {
    pub(crate) record: Option<u64>,
    pub(crate) text: String,
}

/// Compares the head with a ledger of `count` records.
///
/// A head that lags is in order: the process was killed between commit and
/// head, and the signed checkpoints in the database vouch for the rest.
pub(crate) fn head_fault(
    connection: &Connection,
    count: u64,
    end: &[u8],
    head: &Head,
    public: &[u8; 32],
) -> Result<Option<HeadFault>> {
    let fault = |record, text: String| Ok(Some(HeadFault { record, text }));
    let head = match head {
        Head::Missing => return fault(None, "the head file is missing".to_owned()),
        Head::Unreadable => return fault(None, "the head file was changed: it cannot be read".to_owned()),
        Head::Found(head) => head,
    };
    if head.public_key != hex(public) || !head.is_signed_by(public) {
        return fault(None, "the head file was changed: its signature is not of this store's key".to_owned());
    }
    if head.count > count {
        return fault(Some(count + 1), cut_off(count, head.count));
    }
    let chain = match head.count {
        0 => Some(genesis(public).to_vec()),
        at if at == count => Some(end.to_vec()),
        at => chain_at(connection, at)?,
    };
    if chain.is_some_and(|c| hex(&c) == head.chain) {
        return Ok(None);
    }
    fault(Some(head.count), format!("record {} is not the one that the head file names", head.count))
}

fn cut_off(count: u64, signed: u64) -> String {
    match signed - count {
        1 => format!("record {signed} was cut off"),
        _ => format!("records {} to {signed} were cut off", count + 1),
    }
}

/// The chain value that a record carries.
pub(crate) fn chain_at(connection: &Connection, seq: u64) -> Result<Option<Vec<u8>>> {
    Ok(connection.query_row("SELECT chain FROM record WHERE seq = ?1", [seq as i64], |row| row.get(0)).optional()?)
}

fn last_checkpoint(connection: &Connection, public: &[u8; 32]) -> Result<Option<Checkpoint>> {
    Ok(connection
        .query_row("SELECT count, chain, at, signature FROM checkpoint ORDER BY number DESC LIMIT 1", [], |row| {
            checkpoint(row, public)
        })
        .optional()?)
}

/// Reads count, chain, at and signature.
pub(crate) fn checkpoint(row: &rusqlite::Row<'_>, public: &[u8; 32]) -> rusqlite::Result<Checkpoint> {
    let mut found = Checkpoint::unsigned(row.get::<_, i64>(0)?.unsigned_abs(), public);
    found.chain = hex(&row.get::<_, Vec<u8>>(1)?);
    found.at = row.get(2)?;
    found.signature = hex(&row.get::<_, Vec<u8>>(3)?);
    Ok(found)
}
