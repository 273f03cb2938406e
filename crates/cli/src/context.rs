//! Reads what the libraries must not: environment, home, clock, working directory.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

use coroner_verbs::library::Library;
use coroner_verbs::workspace::{Tokens, Workspace, WorkspaceError, WorkspaceRequest};
use jiff::Timestamp;

use crate::args::Global;
use crate::fail::{Exit, Failure};

/// The environment as it was when the program started; values that are not UTF-8 are left out.
pub fn environment() -> BTreeMap<String, String> {
    std::env::vars_os().filter_map(|(k, v)| Some((k.into_string().ok()?, v.into_string().ok()?))).collect()
}

/// Where Coroner keeps its own things: CORONER_HOME, else the user's data folder.
pub fn home(env: &BTreeMap<String, String>) -> PathBuf {
    let var = |name: &str| env.get(name).filter(|v| !v.is_empty()).map(PathBuf::from);
    var("CORONER_HOME")
        .or_else(|| var("XDG_DATA_HOME").map(|p| p.join("coroner")))
        .or_else(|| var("HOME").map(|p| p.join(".local/share/coroner")))
        .unwrap_or_else(|| PathBuf::from(".coroner/home"))
}

/// The anti-patterns in force here: built in, the person's, the project's.
pub fn library(_global: &Global) -> anyhow::Result<Library> {
    let env = environment();
    let cwd = std::env::current_dir()?;
    Ok(coroner_verbs::library::open(&home(&env), &cwd))
}

/// What a workspace is opened with.
pub fn request(global: &Global) -> anyhow::Result<WorkspaceRequest> {
    let env = environment();
    Ok(WorkspaceRequest {
        home: home(&env),
        store: global.store.clone(),
        casefile: global.casefile.clone(),
        cwd: std::env::current_dir()?,
        env,
        now: Timestamp::now(),
        tokens: Tokens::OfStore,
    })
}

/// The workspace: store, world and anti-patterns.
pub fn workspace(global: &Global) -> anyhow::Result<Workspace> {
    open(request(global)?)
}

/// The same with tokens that nobody can compute again, for what leaves the host.
pub fn workspace_for_export(global: &Global) -> anyhow::Result<Workspace> {
    open(WorkspaceRequest { tokens: Tokens::ThrownAway, ..request(global)? })
}

fn open(request: WorkspaceRequest) -> anyhow::Result<Workspace> {
    let ws = Workspace::open(request).map_err(|e| failed(&e))?;
    for error in &ws.patterns.errors {
        eprintln!("warning: {error}\n  hint: {}", error.hint);
    }
    Ok(ws)
}

/// A workspace that cannot be opened, as a person reads it.
pub fn failed(error: &WorkspaceError) -> anyhow::Error {
    let mut because = Vec::new();
    let mut cause = std::error::Error::source(error);
    while let Some(next) = cause {
        because.push(next.to_string());
        cause = next.source();
    }
    Failure { what: error.to_string(), because, hint: error.hint().to_owned(), exit: Exit::CouldNotLook }.into()
}

/// The store refused, as a person reads it.
pub fn store_failed(error: impl Into<WorkspaceError>) -> anyhow::Error {
    failed(&error.into())
}

/// A path made absolute without looking, so that a name that is gone can still be meant.
pub fn absolute(cwd: &Path, path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for part in cwd.join(path).components() {
        match part {
            Component::ParentDir => drop(out.pop()),
            Component::CurDir => {}
            other => out.push(other),
        }
    }
    out
}
