//! The form of the database: its tables, its version, how a connection is set up.

use std::path::Path;

use rusqlite::{Connection, OpenFlags, TransactionBehavior};

use crate::error::{Result, StoreError, is_damage};
use crate::place::{Place, file_error};
use crate::{read_flags, wait_max};

/// One file for each step of the format; its place in the list is its version.
const MIGRATIONS: [&str; 2] =
    [include_str!("../migrations/0001_ledger.sql"), include_str!("../migrations/0002_sessions.sql")];
/// The newest format that this version knows.
pub(crate) const VERSION: i64 = MIGRATIONS.len() as i64;
/// Marks the file as a store of Coroner (`Coro`).
const APPLICATION_ID: i64 = 0x436f_726f;
/// First bytes of a database file that are looked at before it is opened.
const MAGIC: &[u8] = b"SQLite format 3\0";

pub(crate) const WRITE_FLAGS: OpenFlags = OpenFlags::SQLITE_OPEN_READ_WRITE.union(OpenFlags::SQLITE_OPEN_NO_MUTEX);

/// Opens a database that is already of the newest format; `None` where it must be made or brought up.
pub(crate) fn open_ready(place: &Place) -> Result<Option<Connection>> {
    let size = match std::fs::metadata(&place.database) {
        Ok(found) => found.len(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(file_error("read", &place.database)(error)),
    };
    if size == 0 {
        return Ok(None);
    }
    let connection = Connection::open_with_flags(&place.database, WRITE_FLAGS)?;
    connection.busy_timeout(wait_max())?;
    if version(&connection, place)? < VERSION {
        return Ok(None);
    }
    settle(&connection)?;
    Ok(Some(connection))
}

/// Opens a database for reading, also where no file can be written beside it.
pub(crate) fn open_to_read(place: &Place) -> Result<Connection> {
    let open = |query: &str| -> Result<Connection> {
        let uri = format!("file:{}?{query}", percent_encoded(&place.database));
        let connection = Connection::open_with_flags(uri, read_flags())?;
        connection.busy_timeout(wait_max())?;
        connection
            .execute_batch("PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON; PRAGMA temp_store = MEMORY;")?;
        match version(&connection, place)? {
            // Another process is making it, or was killed before it had made it.
            0 => Err(StoreError::NotFound { path: place.database.clone() }),
            _ => Ok(connection),
        }
    };
    match open("mode=ro") {
        // Without room for the shared index a log that is empty can be left aside.
        Err(StoreError::Database(error)) if !is_damage(&error) && log_is_empty(&place.database) => open("immutable=1"),
        other => other,
    }
}

/// The format of a database; refuses what is not a store or is newer.
///
/// All in one snapshot: a store that another process makes meanwhile would look half made.
fn version(connection: &Connection, place: &Place) -> Result<i64> {
    let _snapshot = connection.unchecked_transaction()?;
    let pragma = |name: &str| connection.query_row(&format!("PRAGMA {name}"), [], |row| row.get::<_, i64>(0));
    let (application, found) = (pragma("application_id")?, pragma("user_version")?);
    let is_empty = || connection.query_row("SELECT count(*) = 0 FROM sqlite_schema", [], |row| row.get(0));
    if application != APPLICATION_ID && !(application == 0 && found == 0 && is_empty()?) {
        return Err(StoreError::NotAStore { path: place.database.clone() });
    }
    if found > VERSION {
        return Err(StoreError::Newer { path: place.database.clone(), found, known: VERSION });
    }
    Ok(found)
}

/// Sets up a connection that writes.
///
/// `synchronous = FULL`: what was acknowledged survives a power cut too.
/// `secure_delete`: no page keeps what was taken out of it.
pub(crate) fn settle(connection: &Connection) -> Result<()> {
    connection.busy_timeout(wait_max())?;
    connection.execute_batch(
        "PRAGMA synchronous = FULL; PRAGMA secure_delete = ON; PRAGMA temp_store = MEMORY; \
         PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON; PRAGMA journal_size_limit = 4194304;",
    )?;
    Ok(())
}

/// Brings the database to the newest format, in one transaction.
///
/// The version lies in the file's own header: a table of migrations would be
/// one more thing that custody has to vouch for.
pub(crate) fn migrate(connection: &mut Connection, public: &[u8; 32], place: &Place) -> Result<()> {
    let mode: String = connection.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))?;
    debug_assert_eq!(mode, "wal");
    let from = version(connection, place)?;
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    for (step, sql) in MIGRATIONS.iter().enumerate().skip(from.unsigned_abs() as usize) {
        transaction.execute_batch(sql)?;
        if step == 0 {
            transaction.execute("INSERT INTO meta (name, value) VALUES ('public_key', ?1)", [public.as_slice()])?;
        }
    }
    transaction
        .execute_batch(&format!("PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {VERSION};"))?;
    transaction.commit()?;
    Ok(())
}

/// Where the tables differ from those that this version makes.
///
/// A trigger or view slipped into the file could rewrite what is kept later on.
pub(crate) fn differences(connection: &Connection) -> Result<Vec<String>> {
    let list = |connection: &Connection| -> rusqlite::Result<Vec<(String, String)>> {
        connection
            .prepare("SELECT type || ' ' || name, tbl_name || coalesce(sql, '') FROM sqlite_schema ORDER BY 1, 2")?
            .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
            .collect()
    };
    let pristine = Connection::open_in_memory()?;
    for sql in MIGRATIONS {
        pristine.execute_batch(sql)?;
    }
    let (wanted, found) = (list(&pristine)?, list(connection)?);
    let missing =
        wanted.iter().filter(|w| !found.contains(w)).map(|(name, _)| format!("the {name} is not as it was made"));
    let extra = found
        .iter()
        .filter(|(name, _)| wanted.iter().all(|(w, _)| w != name))
        .map(|(name, _)| format!("the {name} does not belong to a store"));
    Ok(missing.chain(extra).collect())
}

/// Whether the file begins as a database does.
pub(crate) fn begins_as_database(path: &Path) -> bool {
    use std::io::Read;
    let mut begin = [0; 16];
    std::fs::File::open(path).and_then(|mut f| f.read_exact(&mut begin)).is_ok() && begin == MAGIC
}

fn log_is_empty(database: &Path) -> bool {
    let mut log = database.as_os_str().to_owned();
    log.push("-wal");
    std::fs::metadata(log).map_or(true, |found| found.len() == 0)
}

fn percent_encoded(path: &Path) -> String {
    use std::fmt::Write;
    use std::os::unix::ffi::OsStrExt;
    path.as_os_str().as_bytes().iter().fold(String::new(), |mut out, &byte| {
        if byte.is_ascii_alphanumeric() || b"/-_.".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
        out
    })
}
