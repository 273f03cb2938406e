//! What can go wrong with a store, and what a person can do about it.

use std::path::PathBuf;

use coroner_model::EvidenceId;

/// Why the store could not do what was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// There is no store at that place.
    #[error("there is no store at {}", path.display())]
    NotFound { path: PathBuf },
    /// The file is a database, but not one of Coroner.
    #[error("the file is not a store of Coroner: {}", path.display())]
    NotAStore { path: PathBuf },
    /// A newer Coroner made it.
    #[error("the store at {} has format {found}; this version knows {known}", path.display())]
    Newer { path: PathBuf, found: i64, known: i64 },
    /// A file beside the database could not be read or written.
    #[error("cannot {verb} {}: {because}", path.display())]
    File { verb: &'static str, path: PathBuf, because: std::io::Error },
    /// The database refused.
    #[error("the database refused: {0}")]
    Database(#[from] rusqlite::Error),
    /// The filesystem is too full to go on writing.
    #[error("the filesystem of {} is {used_percent} % full; the store stops growing at {used_percent_max} %", path.display())]
    DiskFull { path: PathBuf, used_percent: u64, used_percent_max: u64 },
    /// The store has reached its own limit and holds nothing that may go.
    #[error("the store holds {bytes} bytes; its limit is {bytes_max}, and incidents cite what is left")]
    StoreFull { bytes: u64, bytes_max: u64 },
    /// The file with the limits is wrong.
    #[error("cannot read the limits in {}: {because}", path.display())]
    LimitsUnreadable { path: PathBuf, because: String },
    /// It was opened for reading.
    #[error("the store was opened for reading only")]
    ReadOnly,
    /// The key that signs the chain is gone.
    #[error("the signing key is missing: {}", path.display())]
    KeyMissing { path: PathBuf },
    /// A key file does not hold a key.
    #[error("the key file does not hold 32 bytes: {}", path.display())]
    KeyUnreadable { path: PathBuf },
    /// Another process kept the store for too long.
    #[error("another process has held the store for {seconds} seconds")]
    Busy { seconds: u64 },
    /// No evidence has that id.
    #[error("no evidence has the id {0}")]
    NoSuchEvidence(EvidenceId),
    /// What was kept cannot be understood any more.
    #[error("record {record} cannot be read: {because}")]
    Unreadable { record: u64, because: String },
    /// A value could not be written as JSON.
    #[error("cannot write JSON: {0}")]
    Json(#[from] serde_json::Error),
    /// The content is gone from the records, but its bytes may still be in the file.
    #[error("the content was taken out, but other readers hold old pages of the file")]
    ScrubUnfinished,
    /// A defect: the thread ended otherwise than by its work.
    #[error("the thread that writes the search index stopped")]
    IndexFailed,
    /// The system gave no random bytes for a key.
    #[error("the system gave no random bytes: {0}")]
    Randomness(getrandom::Error),
}

impl StoreError {
    /// What a person can do, where there is something.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            StoreError::NotFound { .. } => {
                Some("check `--store` and CORONER_HOME, or run `coroner record` to begin a store")
            }
            StoreError::NotAStore { .. } => Some("give `--store` another path"),
            StoreError::Newer { .. } => Some("use the version of Coroner that wrote it, or a later one"),
            StoreError::DiskFull { .. } => {
                Some("free space on that filesystem, or give `--store` a path on another one")
            }
            StoreError::StoreFull { .. } => {
                Some("raise `bytes_max` in limits.toml beside the store, or begin a new store")
            }
            StoreError::LimitsUnreadable { .. } => {
                Some("it may set `disk_used_percent_max`, `bytes_max` and `age_days_max`, each a number")
            }
            StoreError::KeyMissing { .. } => {
                Some("put the key back from a backup, or begin a new store beside the old one")
            }
            StoreError::KeyUnreadable { .. } => Some("put the key back from a backup"),
            StoreError::Busy { .. } => Some("wait for the other `coroner` process, or end it"),
            StoreError::NoSuchEvidence(_) => Some("`coroner evidence list` shows the ids"),
            StoreError::Unreadable { .. } => Some("`coroner evidence verify` names what was changed"),
            StoreError::ScrubUnfinished => Some("close other `coroner` processes and run the same command again"),
            StoreError::Database(error) if is_damage(error) => {
                Some("`coroner evidence verify` names what was changed; put the file back from a backup")
            }
            StoreError::File { verb: "write" | "lock", .. } => {
                Some("check that you may write there, or give `--store` another path")
            }
            StoreError::File { .. } => Some("check that you may read it"),
            StoreError::ReadOnly => Some("free space, or check that you may write to the store's folder"),
            _ => None,
        }
    }

    /// Whether the database file itself is damaged.
    pub fn is_damage(&self) -> bool {
        matches!(self, StoreError::Database(error) if is_damage(error))
    }

    /// Whether reading may still work where writing does not.
    pub fn is_about_writing(&self) -> bool {
        use rusqlite::ErrorCode::{CannotOpen, DiskFull, PermissionDenied, ReadOnly, SystemIoFailure};
        match self {
            StoreError::DiskFull { .. } | StoreError::File { verb: "write" | "lock", .. } => true,
            StoreError::Database(error) => matches!(
                error.sqlite_error_code(),
                Some(CannotOpen | DiskFull | PermissionDenied | ReadOnly | SystemIoFailure)
            ),
            _ => false,
        }
    }
}

/// Whether an error of the database means that its file is damaged.
pub(crate) fn is_damage(error: &rusqlite::Error) -> bool {
    use rusqlite::ErrorCode::{DatabaseCorrupt, NotADatabase};
    matches!(error.sqlite_error_code(), Some(DatabaseCorrupt | NotADatabase))
}

/// Short for a result of the store.
pub type Result<T> = std::result::Result<T, StoreError>;
