//! Evidence as JSON Lines that somebody else can verify: chain, signatures, public key.

use std::io::Write;

use coroner_model::evidence::hex;
use rusqlite::Connection;
use serde_json::{Value, json};

use crate::chain::{COLUMNS, Kind, Row, genesis};
use crate::custody::head_bytes;
use crate::error::{Result, StoreError};
use crate::{Store, key};

/// The schema that the first line of an export carries.
pub const EXPORT_SCHEMA: &str = "coroner/evidence-export/v1";

impl Store {
    /// Writes every record with its links; the content of evidence and tombstones only.
    ///
    /// Other records (incidents, investigations) give their hashes, so that the
    /// chain can be followed without them. Keys are not part of an export.
    pub fn export(&self, out: &mut impl Write) -> Result<u64> {
        let head: Option<Value> = head_bytes(&self.place)?.and_then(|bytes| serde_json::from_slice(&bytes).ok());
        let mut connection = self.connection();
        let snapshot = connection.transaction()?;
        let public: Vec<u8> = match &self.signing_key {
            Some(secret) => key::public(secret).to_vec(),
            None => snapshot.query_row("SELECT value FROM meta WHERE name = 'public_key'", [], |row| row.get(0))?,
        };
        let begin = <[u8; 32]>::try_from(public.as_slice()).map(|p| hex(&genesis(&p))).unwrap_or_default();
        line(out, &json!({ "schema": EXPORT_SCHEMA, "public_key": hex(&public), "genesis": begin }))?;
        let records = records(&snapshot, out)?;
        checkpoints(&snapshot, out)?;
        line(out, &json!({ "head": head }))?;
        Ok(records)
    }
}

fn records(connection: &Connection, out: &mut impl Write) -> Result<u64> {
    let mut statement = connection.prepare(&format!("SELECT {COLUMNS} FROM record ORDER BY seq"))?;
    let mut rows = statement.query([])?;
    let mut records = 0;
    while let Some(row) = rows.next()? {
        let row = Row::read(row)?;
        let is_shown = row.is(Kind::Evidence) || row.is(Kind::Tombstone) || row.is(Kind::Break);
        let body = row.body.as_ref().filter(|_| is_shown).map(|b| String::from_utf8_lossy(b).into_owned());
        let salt = row.salt.as_ref().filter(|_| is_shown).map(|s| hex(s));
        line(
            out,
            &json!({
                "record": row.seq,
                "kind": row.text(0),
                "id": row.text(1),
                "recorded_at": row.text(2),
                "source": row.text(3),
                "locator": row.text(4),
                "observed_at": row.text(5),
                "host": row.text(6),
                "body": body,
                "salt": salt,
                "body_hash": hex(&row.body_hash),
                "prev": hex(&row.prev),
                "chain": hex(&row.chain),
            }),
        )?;
        records += 1;
    }
    Ok(records)
}

fn checkpoints(connection: &Connection, out: &mut impl Write) -> Result<()> {
    let mut statement = connection.prepare("SELECT count, chain, at, signature FROM checkpoint ORDER BY number")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (count, at) = (row.get::<_, i64>(0)?, row.get::<_, String>(2)?);
        let (chain, signature) = (row.get::<_, Vec<u8>>(1)?, row.get::<_, Vec<u8>>(3)?);
        line(out, &json!({ "checkpoint": count, "chain": hex(&chain), "at": at, "signature": hex(&signature) }))?;
    }
    Ok(())
}

fn line(out: &mut impl Write, value: &Value) -> Result<()> {
    let mut bytes = serde_json::to_vec(value)?;
    bytes.push(b'\n');
    out.write_all(&bytes).map_err(|because| StoreError::File { verb: "write", path: "the export".into(), because })
}
