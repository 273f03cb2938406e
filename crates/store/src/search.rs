//! The search index: disposable, beside the database, made again from the ledger.
//!
//! Two full-text databases, one for what was said and done and one for outputs of
//! tools, so that two threads build them and a question about words does not wade
//! through logs. Each knows the number of the last record it holds.

mod decided;
mod docs;
mod edits;
mod query;
mod rank;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use rusqlite::{Connection, OptionalExtension, params};

use crate::error::{Result, StoreError};
use crate::place::{Place, file_error, touch_private};
use crate::{RecordedEntry, Store, schema, wait_max};

pub(crate) use decided::{Matter, matter, of_entry as decisions_of};
pub use docs::DocKind;
pub use query::{Exit, Query, QueryError};
pub use rank::{Found, Hit};

/// Version of the form of the index; another one is thrown away and made anew.
const FORM: i64 = 3;
/// Most records that wait for an index thread.
const WAITING_COUNT_MAX: usize = 256;
/// Bytes of text after which an index commits.
const COMMIT_BYTES: u64 = 48 << 20;
/// Bytes of terms that the full-text engine gathers before it writes a segment.
const GATHERED_BYTES: u32 = 6 << 20;

/// Which of the two databases.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shard {
    /// Messages, commands, edits, decisions, errors, incidents.
    Said,
    /// What tools printed.
    Output,
}

impl Shard {
    pub(crate) const ALL: [Shard; 2] = [Shard::Said, Shard::Output];

    fn name(self) -> &'static str {
        match self {
            Shard::Said => "said.db",
            Shard::Output => "output.db",
        }
    }
}

/// Writes one shard.
pub(crate) struct Writer {
    shard: Shard,
    connection: Connection,
    /// Number of the last record that the index holds.
    last: u64,
    /// Bytes since the last commit.
    bytes: u64,
    rows: u64,
    /// Documents that the index holds and does not count yet.
    uncounted: u64,
    undeciding: decided::Undeciding,
}

/// Feeds both shards on threads of their own.
pub struct Indexer {
    senders: Vec<SyncSender<(u64, Arc<RecordedEntry>)>>,
    threads: Vec<JoinHandle<Result<u64>>>,
    _lock: std::fs::File,
}

/// The record of a row of the index, and which of its documents of one kind it is.
pub(crate) fn record_and_part(row: i64) -> (u64, usize) {
    let (seq, _, part) = docs::of_row(row);
    (seq, part.unsigned_abs() as usize)
}

fn folder(place: &Place) -> PathBuf {
    let mut name = place.database.as_os_str().to_owned();
    name.push(".search");
    PathBuf::from(name)
}

/// Makes the folder of the index, readable by its owner only.
fn make_folder(folder: &Path) -> Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    match std::fs::DirBuilder::new().mode(0o700).create(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => Err(file_error("write", folder)(error)),
        _ => Ok(()),
    }
}

impl Store {
    /// Brings the index up to the ledger and keeps it open for more.
    ///
    /// `None` while another process does that; whoever searches next brings it up.
    pub fn indexer(&self) -> Result<Option<Indexer>> {
        let folder = folder(&self.place);
        make_folder(&folder)?;
        let path = folder.join("lock");
        let lock = std::fs::File::create(&path).map_err(file_error("write", &path))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(std::fs::TryLockError::WouldBlock) => return Ok(None),
            Err(std::fs::TryLockError::Error(error)) => return Err(file_error("lock", &path)(error)),
        }
        let (mut senders, mut threads) = (Vec::new(), Vec::new());
        for shard in Shard::ALL {
            let writer = Writer::open(&folder, shard)?;
            let place = self.place.clone();
            let (sender, receiver) = sync_channel(WAITING_COUNT_MAX);
            senders.push(sender);
            threads.push(std::thread::spawn(move || feed(writer, &place, &receiver)));
        }
        Ok(Some(Indexer { senders, threads, _lock: lock }))
    }

    /// The index that holds decisions, to be read; `None` where none was made.
    pub(crate) fn decided_index(&self) -> Result<Option<Connection>> {
        let path = folder(&self.place).join(DocKind::Decision.shard().name());
        if !path.is_file() {
            return Ok(None);
        }
        let index = Connection::open_with_flags(
            &path,
            rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY | rusqlite::OpenFlags::SQLITE_OPEN_NO_MUTEX,
        )?;
        index.busy_timeout(wait_max())?;
        let form: i64 = index.query_row("PRAGMA user_version", [], |row| row.get(0))?;
        Ok((form == FORM).then_some(index))
    }

    /// Takes records out of the index; for what was redacted or expired.
    pub(crate) fn unindex(&self, ranges: &[(u64, u64)]) -> Result<()> {
        let folder = folder(&self.place);
        for shard in Shard::ALL.into_iter().filter(|shard| folder.join(shard.name()).is_file()) {
            let writer = Writer::open(&folder, shard)?;
            for &(from, to) in ranges {
                writer.connection.execute(
                    "DELETE FROM doc WHERE rowid >= ?1 AND rowid < ?2",
                    params![docs::row(from, 0, 0), docs::row(to + 1, 0, 0)],
                )?;
            }
            decided::forget(&writer.connection, ranges)?;
            writer.connection.execute_batch("INSERT INTO doc(doc) VALUES ('optimize')")?;
        }
        Ok(())
    }

    /// Throws the index away; the next use makes it again.
    pub fn drop_index(&self) -> Result<()> {
        let folder = folder(&self.place);
        match std::fs::remove_dir_all(&folder) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(file_error("write", &folder)(error)),
            _ => Ok(()),
        }
    }
}

impl Indexer {
    /// Hands a record over; waits while both threads are busy.
    pub fn add(&self, seq: u64, entry: RecordedEntry) {
        let entry = Arc::new(entry);
        for sender in &self.senders {
            // A thread that stopped says why when it is joined.
            sender.send((seq, Arc::clone(&entry))).ok();
        }
    }

    /// Writes what was handed over, and gives the rows written.
    pub fn finish(self) -> Result<u64> {
        drop(self.senders);
        let mut rows = 0;
        for thread in self.threads {
            rows += thread.join().map_err(|_| StoreError::IndexFailed)??;
        }
        Ok(rows)
    }
}

fn feed(mut writer: Writer, place: &Place, receiver: &Receiver<(u64, Arc<RecordedEntry>)>) -> Result<u64> {
    writer.catch_up(place, u64::MAX)?;
    let ledger = schema::open_to_read(place)?;
    for (seq, entry) in receiver {
        if seq <= writer.last {
            continue;
        }
        if seq > writer.last + 1 {
            writer.catch_up(place, seq)?;
        }
        writer.add_entry(seq, &entry, &ledger)?;
    }
    // Another process may have recorded meanwhile.
    writer.catch_up(place, u64::MAX)?;
    writer.commit()?;
    Ok(writer.rows)
}

impl Writer {
    fn open(folder: &Path, shard: Shard) -> Result<Writer> {
        let path = folder.join(shard.name());
        touch_private(&path)?;
        let mut connection = Connection::open(&path)?;
        connection.busy_timeout(wait_max())?;
        let form: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
        if form != FORM && form != 0 {
            drop(connection);
            for suffix in ["", "-wal", "-shm"] {
                let mut name = path.as_os_str().to_owned();
                name.push(suffix);
                std::fs::remove_file(&name).ok();
            }
            touch_private(&path)?;
            connection = Connection::open(&path)?;
        }
        // The index can be made again: it must never be torn, and may be a little behind.
        connection.execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA temp_store = MEMORY; \
             PRAGMA journal_size_limit = 4194304; PRAGMA secure_delete = ON; PRAGMA cache_size = -8192;",
        )?;
        if form != FORM {
            // At once: whoever searches meanwhile sees no index or a whole one.
            connection.execute_batch(&format!(
                "BEGIN IMMEDIATE; CREATE VIRTUAL TABLE doc USING fts5 (text, place, content = '', contentless_delete = 1, \
                 tokenize = 'porter unicode61 remove_diacritics 2'); \
                 INSERT INTO doc (doc, rank) VALUES ('secure-delete', 1); \
                 INSERT INTO doc (doc, rank) VALUES ('hashsize', {GATHERED_BYTES}); \
                 CREATE TABLE meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID; \
                 {} PRAGMA user_version = {FORM}; COMMIT;",
                decided::TABLES
            ))?;
        }
        let last: Option<i64> =
            connection.query_row("SELECT value FROM meta WHERE name = 'last'", [], |row| row.get(0)).optional()?;
        Ok(Writer {
            shard,
            connection,
            last: last.unwrap_or(0).unsigned_abs(),
            bytes: 0,
            rows: 0,
            uncounted: 0,
            undeciding: decided::Undeciding::default(),
        })
    }

    /// Adds the records of the ledger that the index lacks, up to `before`.
    fn catch_up(&mut self, place: &Place, before: u64) -> Result<()> {
        let ledger = schema::open_to_read(place)?;
        let mut statement = ledger.prepare(
            "SELECT seq, kind, id, source, locator, body FROM record WHERE seq > ?1 AND seq < ?2 ORDER BY seq",
        )?;
        let before = i64::try_from(before).unwrap_or(i64::MAX);
        let mut rows = statement.query(params![self.last as i64, before])?;
        while let Some(row) = rows.next()? {
            let seq = row.get::<_, i64>(0)?.unsigned_abs();
            let texts: [String; 4] = [row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?];
            let body: Option<Vec<u8>> = row.get(5)?;
            let kept = docs::Kept { kind: &texts[0], id: &texts[1], source: &texts[2], locator: &texts[3] };
            if kept.kind == "evidence" && kept.source == "session" {
                match body.and_then(|body| serde_json::from_slice::<RecordedEntry>(&body).ok()) {
                    Some(recorded) => self.add_entry(seq, &recorded, &ledger)?,
                    None => self.add(seq, &[])?,
                }
                continue;
            }
            let docs = body.map(|body| docs::of_record(&kept, &body)).unwrap_or_default();
            if let Some(older) = docs::replaces(&kept, &ledger, seq)? {
                self.forget(older)?;
            }
            self.add(seq, &docs)?;
        }
        Ok(())
    }

    fn forget(&self, seq: u64) -> Result<()> {
        self.connection.execute(
            "DELETE FROM doc WHERE rowid >= ?1 AND rowid < ?2",
            params![docs::row(seq, 0, 0), docs::row(seq + 1, 0, 0)],
        )?;
        Ok(())
    }

    fn add_entry(&mut self, seq: u64, recorded: &RecordedEntry, ledger: &Connection) -> Result<()> {
        let docs = docs::of_entry(recorded);
        if self.shard != DocKind::Decision.shard() {
            return self.add(seq, &docs);
        }
        let decisions = decided::of_next_entry(recorded, seq, ledger, &self.undeciding);
        self.undeciding.note(recorded);
        if !decisions.is_empty() || recorded.entry.calls.iter().any(|call| !call.changes.is_empty()) {
            self.begin()?;
            self.rows += decided::note(&self.connection, seq, recorded, &decisions)?;
        }
        let docs: Vec<docs::Doc<'_>> = docs.into_iter().chain(docs::of_decisions(&decisions)).collect();
        self.add(seq, &docs)
    }

    fn add(&mut self, seq: u64, docs: &[docs::Doc]) -> Result<()> {
        for doc in docs.iter().filter(|doc| doc.kind.shard() == self.shard) {
            self.begin()?;
            self.connection
                .prepare_cached("INSERT INTO doc (rowid, text, place) VALUES (?1, ?2, ?3)")?
                .execute(params![docs::row(seq, doc.kind as i64, doc.part), doc.text, doc.place])?;
            self.bytes += doc.text.len() as u64;
            self.rows += 1;
            self.uncounted += 1;
        }
        self.last = seq;
        if self.bytes > COMMIT_BYTES {
            self.commit()?;
        }
        Ok(())
    }

    fn begin(&self) -> Result<()> {
        if self.connection.is_autocommit() {
            self.connection.execute_batch("BEGIN IMMEDIATE")?;
        }
        Ok(())
    }

    fn commit(&mut self) -> Result<()> {
        let held: Option<i64> =
            self.connection.query_row("SELECT value FROM meta WHERE name = 'last'", [], |row| row.get(0)).optional()?;
        if held.map(i64::unsigned_abs) != Some(self.last) {
            self.begin()?;
            self.connection
                .execute("INSERT OR REPLACE INTO meta (name, value) VALUES ('last', ?1)", [self.last as i64])?;
            self.connection.execute(
                "INSERT INTO meta (name, value) VALUES ('docs', ?1) \
                 ON CONFLICT DO UPDATE SET value = value + excluded.value",
                [self.uncounted as i64],
            )?;
            self.uncounted = 0;
        }
        if !self.connection.is_autocommit() {
            self.connection.execute_batch("COMMIT")?;
        }
        self.bytes = 0;
        Ok(())
    }
}
