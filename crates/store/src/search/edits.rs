//! Which recorded calls changed a file, or may have.

use rusqlite::{Connection, OpenFlags, OptionalExtension};

use super::docs::{DocKind, of_row};
use super::{Shard, folder};
use crate::error::Result;
use crate::{RecordedEntry, Store, wait_max};

/// Most records that are looked at for one file.
const RECORDS_COUNT_MAX: usize = 5_000;

impl Store {
    /// Records whose calls change a file of that name, or name it in a command, the newest first.
    pub fn touching(&self, path: &str) -> Result<Vec<(u64, RecordedEntry)>> {
        let file = folder(&self.place).join(Shard::Said.name());
        if !file.is_file() {
            return Ok(Vec::new());
        }
        let index =
            Connection::open_with_flags(&file, OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
        index.busy_timeout(wait_max())?;
        let name = path.rsplit('/').next().unwrap_or(path);
        let mut statement = index.prepare("SELECT rowid FROM doc WHERE doc MATCH ?1 ORDER BY rowid DESC")?;
        let phrase = format!("\"{}\"", name.replace('"', "\"\""));
        let rows = statement.query_map([&phrase], |row| row.get::<_, i64>(0))?;
        let mut records: Vec<u64> = Vec::new();
        for row in rows {
            let (seq, kind, _) = of_row(row?);
            if matches!(kind, DocKind::Edit | DocKind::Command) && records.last() != Some(&seq) {
                records.push(seq);
            }
            if records.len() >= RECORDS_COUNT_MAX {
                break;
            }
        }
        let mut found = Vec::new();
        for seq in records {
            if let Some(recorded) = self.recorded(seq)? {
                found.push((seq, recorded));
            }
        }
        Ok(found)
    }

    /// The last prompt that a person typed before a record of the same session.
    pub fn prompt_before(&self, seq: u64) -> Result<Option<(u64, RecordedEntry)>> {
        let seqs: Vec<i64> = {
            let connection = self.connection();
            let mut statement = connection.prepare(
                "SELECT e.seq FROM entry e JOIN entry h ON h.session = e.session WHERE h.seq = ?1 AND e.seq < ?1 \
                 ORDER BY e.seq DESC",
            )?;
            let rows = statement.query_map([seq as i64], |row| row.get(0))?;
            rows.collect::<rusqlite::Result<_>>()?
        };
        for seq in seqs {
            let Some(recorded) = self.recorded(seq.unsigned_abs())? else { continue };
            let is_typed = recorded.entry.message.as_ref().is_some_and(|said| {
                said.role == coroner_model::session::Role::User
                    && said.origin != coroner_model::entry::Origin::Injected
                    && !said.text.is_empty()
            });
            if is_typed {
                return Ok(Some((seq.unsigned_abs(), recorded)));
            }
        }
        Ok(None)
    }

    /// How a recorded call ended: its status and exit code.
    pub fn ended(&self, seq: u64, call: &str) -> Result<Option<(String, Option<i64>)>> {
        Ok(self
            .connection()
            .prepare_cached(
                "SELECT call.status, call.exit_code FROM call JOIN entry ON entry.session = call.session \
                 WHERE entry.seq = ?1 AND call.native = ?2",
            )?
            .query_row(rusqlite::params![seq as i64, call], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?)
    }
}
