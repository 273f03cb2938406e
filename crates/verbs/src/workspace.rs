//! The workspace: store, world and anti-patterns, opened once for a run.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use coroner_collect::live::{Live, LiveSettings};
use coroner_collect::{Casefile, Limits, OpenError, World};
use coroner_judge::pattern::Library;
use coroner_model::{CouldNotLook, Why};
pub use coroner_store::Store;
use coroner_store::StoreError;
use jiff::Timestamp;

use crate::library;

/// Folder of the store below Coroner's home.
pub const STORE_FOLDER: &str = "store";

/// What the caller knows of its surroundings; libraries read no environment themselves.
#[derive(Clone, Debug, Default)]
pub struct WorkspaceRequest {
    /// Where Coroner keeps its own things (`CORONER_HOME`).
    pub home: PathBuf,
    /// Another store than the one under `home`: a folder or a `*.db` file.
    pub store: Option<PathBuf>,
    /// Answers come from this casefile instead of the live host.
    pub casefile: Option<PathBuf>,
    pub cwd: PathBuf,
    pub env: BTreeMap<String, String>,
    pub now: Timestamp,
    /// Which key stands behind the tokens of a live look.
    pub tokens: Tokens,
}

/// Under which key secrets of the live host become tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tokens {
    /// The store's: equal values stay equal from run to run.
    #[default]
    OfStore,
    /// A fresh one that is forgotten: for a casefile that leaves the host.
    ThrownAway,
}

/// Everything that a verb works with.
#[derive(Debug)]
pub struct Workspace {
    pub store: Store,
    pub world: World,
    /// The folder that holds `.coroner`, from the working directory upwards.
    pub project: Option<PathBuf>,
    pub patterns: Library,
    pub home: PathBuf,
    pub cwd: PathBuf,
    pub env: BTreeMap<String, String>,
    pub now: Timestamp,
    /// What could not be opened as asked; a report lists it under *Could not look*.
    pub notes: Vec<CouldNotLook>,
}

/// Why a workspace could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum WorkspaceError {
    #[error("cannot open the store")]
    Store(#[from] StoreError),
    #[error("cannot open the casefile")]
    Casefile(#[from] OpenError),
    /// A database server instead of a path.
    #[error("the store {store} is no path; this version keeps its store in a file")]
    StoreIsNoPath { store: String },
    #[error("no random key can be had from this machine")]
    NoKey(#[source] StoreError),
}

impl WorkspaceError {
    /// What a person can do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            WorkspaceError::Store(error) => error.hint().unwrap_or_default(),
            WorkspaceError::Casefile(error) => error.hint(),
            WorkspaceError::StoreIsNoPath { .. } => "give `--store` a folder",
            WorkspaceError::NoKey(_) => "check that /dev/urandom can be read",
        }
    }
}

impl Workspace {
    /// Opens store, world and anti-patterns.
    pub fn open(request: WorkspaceRequest) -> Result<Workspace, WorkspaceError> {
        let (store, note) = open_store(&request)?;
        let world = match &request.casefile {
            Some(path) => World::Casefile(Casefile::open(path, Limits::default())?),
            None => World::Live(Live::new(live_settings(&request, &store)?, Limits::default())),
        };
        let patterns = library::open(&request.home, &request.cwd);
        Ok(Workspace {
            store,
            world,
            project: library::project_root(&request.cwd),
            patterns,
            home: request.home,
            cwd: request.cwd,
            env: request.env,
            now: request.now,
            notes: note.into_iter().collect(),
        })
    }

    /// The project's folder, else the working directory.
    pub fn root(&self) -> &Path {
        self.project.as_deref().unwrap_or(&self.cwd)
    }
}

fn live_settings(request: &WorkspaceRequest, store: &Store) -> Result<LiveSettings, WorkspaceError> {
    let home = request.env.get("HOME").map_or_else(|| request.home.clone(), PathBuf::from);
    let redaction_key = match request.tokens {
        Tokens::OfStore => store.redaction_key(),
        Tokens::ThrownAway => coroner_store::fresh_key().map_err(WorkspaceError::NoKey)?,
    };
    Ok(LiveSettings { env: request.env.clone(), home, cwd: request.cwd.clone(), now: request.now, redaction_key })
}

/// The name of this machine.
pub fn machine() -> String {
    coroner_collect::live::machine()
}

/// Where the store of a request lies.
pub fn store_path(request: &WorkspaceRequest) -> Result<PathBuf, WorkspaceError> {
    let Some(path) = &request.store else { return Ok(request.home.join(STORE_FOLDER)) };
    let text = path.to_string_lossy();
    if text.contains("://") {
        return Err(WorkspaceError::StoreIsNoPath { store: without_password(&text) });
    }
    Ok(path.clone())
}

/// Opens only the store, for verbs that look at nothing else.
///
/// Where nothing can be written any more (a full disk), what is kept can still
/// be read, and the note says so.
pub fn open_store(request: &WorkspaceRequest) -> Result<(Store, Option<CouldNotLook>), WorkspaceError> {
    let path = store_path(request)?;
    let error = match Store::open(&path) {
        Ok(store) => return Ok((store, None)),
        Err(error) => error,
    };
    if !error.is_about_writing() {
        return Err(error.into());
    }
    let Ok(store) = Store::open_read_only(&path) else { return Err(error.into()) };
    let note = CouldNotLook {
        what: "store".to_owned(),
        why: Why::Unreadable,
        detail: format!("opened for reading only: {error}"),
    };
    Ok((store, Some(note)))
}

/// Opens the store for reading; one that is absent is an error.
pub fn open_store_to_read(request: &WorkspaceRequest) -> Result<Store, WorkspaceError> {
    Ok(Store::open_read_only(&store_path(request)?)?)
}

/// A URL without what stands before its `@`.
fn without_password(url: &str) -> String {
    match (url.find("://"), url.rfind('@')) {
        (Some(scheme), Some(at)) if scheme < at => format!("{}{}", &url[..scheme + 3], &url[at + 1..]),
        _ => url.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(store: Option<&str>) -> WorkspaceRequest {
        WorkspaceRequest { home: "/h".into(), store: store.map(PathBuf::from), ..Default::default() }
    }

    #[test]
    fn a_store_lies_under_home_unless_named() {
        assert_eq!(store_path(&request(None)).unwrap(), Path::new("/h/store"));
        assert_eq!(store_path(&request(Some("/x/y.db"))).unwrap(), Path::new("/x/y.db"));
    }

    #[test]
    fn a_database_server_is_refused_without_repeating_its_password() {
        let password = ["hun", "ter2"].concat();
        let error = store_path(&request(Some(&format!("postgres://me:{password}@db/coroner")))).unwrap_err();
        assert!(!error.to_string().contains(&password), "{error}");
        assert!(error.to_string().contains("postgres://db/coroner"));
    }
}
