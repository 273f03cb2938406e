//! Keeps evidence and incidents: append-only, hash-chained, searchable.
//!
//! All that is kept is a record of one ledger. A record is hashed after the one
//! before it; each batch is signed in its own transaction, and the newest
//! signature lies beside the database too. So `verify` can name what was
//! changed, removed, swapped, inserted or cut off, and a process killed at any
//! moment leaves a store that verifies and holds all that was acknowledged.

mod action;
mod chain;
pub mod custody;
pub mod decisions;
mod diagnose;
pub mod disk;
mod error;
mod evidence;
mod export;
mod incident;
mod investigation;
pub mod journal;
mod key;
mod ledger;
pub mod mishap;
pub mod person;
mod place;
mod quote;
mod recording;
mod redact;
mod retain;
mod retold;
mod schema;
pub mod search;
pub mod trust;
pub mod wish;

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

pub use custody::{CUSTODY_SCHEMA, CustodyProblem, CustodyReport};
pub use error::{Result, StoreError};
pub use evidence::{Appended, Content, EvidenceFilter, KeptEvidence, Removal, Removed};
pub use export::EXPORT_SCHEMA;
pub use incident::{Kept, Revision};
pub use investigation::KeptInvestigation;
pub use key::random as fresh_key;
pub use place::DATABASE_NAME;
pub use recording::{Held, Part, Prepared, Provenance, Recorded, RecordedEntry};
pub use redact::{REDACTED_MARK, Redaction};
pub use retain::{Limits, Retained};

use chain::Checkpoint;
use place::Place;

/// How long opening waits for readers of old pages.
const SCRUB_WAIT_AT_OPEN: Duration = Duration::from_millis(50);

/// A hash over several texts, in hex; which text ends where counts.
pub fn hash_of(parts: &[&str]) -> String {
    let mut hasher = blake3::Hasher::new();
    for part in parts {
        hasher.update(&(part.len() as u64).to_le_bytes());
        hasher.update(part.as_bytes());
    }
    hasher.finalize().to_hex().as_str()[..32].to_owned()
}

/// What a store was opened for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Access {
    ReadWrite,
    ReadOnly,
}

/// An open store.
#[derive(Debug)]
pub struct Store {
    place: Place,
    connection: Mutex<Connection>,
    access: Access,
    signing_key: Option<[u8; 32]>,
    redaction_key: [u8; 32],
    limits: Limits,
    /// Open search indexes, by the name of their file.
    indexes: Mutex<std::collections::BTreeMap<&'static str, Connection>>,
}

impl Store {
    /// Opens the store in a folder (or the `*.db` file named); makes it at first use.
    ///
    /// `limits.toml` beside the database may set other limits than the default ones.
    pub fn open(path: &Path) -> Result<Store> {
        Store::open_with(path, Limits::of(&Place::at(path))?)
    }

    /// Opens the store under other limits than the default ones.
    pub fn open_with(path: &Path, limits: Limits) -> Result<Store> {
        let place = Place::at(path);
        let connection = match schema::open_ready(&place)? {
            Some(connection) => connection,
            None => make(&place, &limits)?,
        };
        key::keep_private(&place.signing_key)?;
        key::keep_private(&place.redaction_key)?;
        let store = Store {
            connection: Mutex::new(connection),
            access: Access::ReadWrite,
            signing_key: key::read(&place.signing_key)?,
            redaction_key: redaction_key(&place)?,
            limits,
            indexes: Mutex::default(),
            place,
        };
        store.finish_scrub_at_once()?;
        Ok(store)
    }

    /// Opens the store for reading; works on a full or read-only filesystem.
    pub fn open_read_only(path: &Path) -> Result<Store> {
        let place = Place::at(path);
        if !place.database.is_file() {
            return Err(StoreError::NotFound { path: place.database });
        }
        let connection = schema::open_to_read(&place)?;
        Ok(Store {
            connection: Mutex::new(connection),
            access: Access::ReadOnly,
            signing_key: key::read(&place.signing_key)?,
            // Tokens of a lost key match nothing any more, so a passing one does no harm.
            redaction_key: key::read(&place.redaction_key)?.map_or_else(key::random, Ok)?,
            limits: Limits::default(),
            indexes: Mutex::default(),
            place,
        })
    }

    /// The key under which secrets become tokens; it is never exported.
    pub fn redaction_key(&self) -> [u8; 32] {
        self.redaction_key
    }

    /// Path of the database file.
    pub fn path(&self) -> PathBuf {
        self.place.database.clone()
    }

    /// Waits so long for another process instead of the default.
    pub fn set_wait(&self, wait: Duration) -> Result<()> {
        Ok(self.connection().busy_timeout(wait)?)
    }

    /// Whether it was opened for reading only.
    pub fn is_read_only(&self) -> bool {
        self.access == Access::ReadOnly
    }

    /// Finishes a redaction that was interrupted, unless somebody is in the way.
    ///
    /// Whoever opens the store must not wait for that; until it is done, `verify` says so.
    fn finish_scrub_at_once(&self) -> Result<()> {
        if !self.is_scrub_pending()? {
            return Ok(());
        }
        self.set_wait(SCRUB_WAIT_AT_OPEN)?;
        self.finish_scrub().ok();
        self.set_wait(wait_max())
    }

    fn connection(&self) -> MutexGuard<'_, Connection> {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Makes what is missing of a store: keys, then head, then database.
///
/// In this order a database never stands without a head, so a head that is
/// missing later was taken away.
fn make(place: &Place, limits: &Limits) -> Result<Connection> {
    place.make_folder()?;
    disk::refuse_if_full(&place.folder, limits.disk_used_percent_max)?;
    let _lock = place.lock()?;
    let is_empty = std::fs::metadata(&place.database).map_or(true, |found| found.len() == 0);
    let is_new = is_empty && !place.head.exists();
    if is_new {
        let secret = key::read_or_make(&place.signing_key)?;
        let genesis = chain::genesis(&key::public(&secret));
        place::replace(&place.head, &Checkpoint::sign(&secret, 0, &genesis, "").to_json()?)?;
    }
    let secret = key::read(&place.signing_key)?;
    let Some(secret) = secret else {
        return Err(StoreError::KeyMissing { path: place.signing_key.clone() });
    };
    place::touch_private(&place.database)?;
    let mut connection = Connection::open_with_flags(&place.database, schema::WRITE_FLAGS)?;
    schema::settle(&connection)?;
    schema::migrate(&mut connection, &key::public(&secret), place)?;
    Ok(connection)
}

/// Reads the key for tokens, or makes it while nobody else does.
///
/// Two processes with a key of their own each would give one secret two tokens.
fn redaction_key(place: &Place) -> Result<[u8; 32]> {
    if let Some(key) = key::read(&place.redaction_key)? {
        return Ok(key);
    }
    let _lock = place.lock()?;
    key::read_or_make(&place.redaction_key)
}

/// Flags under which a file is opened for reading, by its path as a URI.
fn read_flags() -> OpenFlags {
    OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI | OpenFlags::SQLITE_OPEN_NO_MUTEX
}

/// How long a statement waits for another process.
fn wait_max() -> Duration {
    Duration::from_secs(place::WAIT_SECONDS_MAX)
}
