//! The older tree of OpenCode: `storage/session`, `storage/message`, `storage/part`, a file for each row.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use coroner_model::entry::{Entry, RawPlace};
use coroner_read::transcript::batch::Batch;
use coroner_read::transcript::opencode::{OpenCodeRow, OpenCodeSession, message};
use jiff::Timestamp;

use super::{CollectError, DbState, Mark, Outbox, ROW_BYTES_MAX};

/// Reads the sessions of the folder `storage` that changed since, one entry a message.
pub fn opencode_tree(storage: &Path, since: &DbState, each: &mut dyn FnMut(Batch)) -> Result<DbState, CollectError> {
    let about = sessions(storage)?;
    let messages = storage.join("message");
    let mut state = DbState::default();
    let mut outbox = Outbox::new(each);
    let folders = names(&messages).map_err(|error| CollectError::unreadable(&messages, error))?;
    let mut ids: Vec<&String> = about.keys().chain(&folders).collect();
    ids.sort();
    ids.dedup();
    for id in ids {
        let tree = Tree::of(storage, id, about.get(id));
        state.sessions.insert(id.clone(), tree.mark);
        if since.sessions.get(id) != Some(&tree.mark) {
            tree.read(id, about.get(id), &mut outbox);
        }
    }
    outbox.send();
    Ok(state)
}

/// The files of one session.
struct Tree {
    messages: Vec<(PathBuf, Vec<PathBuf>)>,
    mark: Mark,
}

impl Tree {
    fn of(storage: &Path, session: &str, about: Option<&PathBuf>) -> Tree {
        let mut tree = Tree { messages: Vec::new(), mark: Mark::default() };
        if let Some(path) = about {
            tree.measure(path);
        }
        for path in files(&storage.join("message").join(session)) {
            tree.measure(&path);
            let stem = path.file_stem().unwrap_or_default().to_owned();
            let parts = files(&storage.join("part").join(stem));
            parts.iter().for_each(|part| tree.measure(part));
            tree.messages.push((path, parts));
        }
        tree
    }

    fn measure(&mut self, path: &Path) {
        let Ok(meta) = std::fs::metadata(path) else { return };
        let at = meta.modified().ok().and_then(|at| Timestamp::try_from(at).ok());
        self.mark.rows += 1;
        self.mark.bytes += meta.len();
        self.mark.updated_ms = self.mark.updated_ms.max(at.map_or(0, |at| at.as_millisecond()));
    }

    fn read(&self, session: &str, about: Option<&PathBuf>, outbox: &mut Outbox<'_>) {
        if let Some(path) = about {
            self.read_about(session, path, outbox);
        }
        let mut number = 0;
        for (path, parts) in &self.messages {
            let row = row(path, &mut number, session, outbox);
            let parts: Vec<OpenCodeRow> =
                parts.iter().filter_map(|path| self::row(path, &mut number, session, outbox)).collect();
            let bytes = row.iter().chain(&parts).map(|row| row.json.len() as u64).sum();
            if row.is_some() || !parts.is_empty() {
                message(session, row.as_ref(), &parts, &mut outbox.batch);
            }
            outbox.added(bytes);
        }
    }

    fn read_about(&self, session: &str, path: &Path, outbox: &mut Outbox<'_>) {
        let read = std::fs::read_to_string(path).map_err(|error| error.to_string());
        match read.and_then(|text| OpenCodeSession::of_json(&text)) {
            Ok(about) => outbox.batch.add(OpenCodeSession { id: session.to_owned(), ..about }.entry()),
            Err(reason) => {
                let entry = Entry { session: session.to_owned(), id: session.to_owned(), ..Entry::default() };
                outbox.batch.issue(entry, &reason, "");
            }
        }
    }
}

/// A file as a row; one that cannot be read is counted.
fn row(path: &Path, number: &mut u64, session: &str, outbox: &mut Outbox<'_>) -> Option<OpenCodeRow> {
    *number += 1;
    let id = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let len = std::fs::metadata(path).map_or(0, |meta| meta.len());
    if len > ROW_BYTES_MAX {
        super::too_long(outbox, session, &id, len, *number);
        return None;
    }
    match std::fs::read(path) {
        Ok(bytes) => {
            let json = String::from_utf8_lossy(&bytes).into_owned();
            Some(OpenCodeRow { id, at: None, json, number: *number })
        }
        Err(error) => {
            let raw = RawPlace { offset: 0, len, line: *number };
            super::unreadable(outbox, session, &id, raw, &error.to_string());
            None
        }
    }
}

/// Where each session's own file lies, by id.
fn sessions(storage: &Path) -> Result<BTreeMap<String, PathBuf>, CollectError> {
    let folder = storage.join("session");
    let projects = names(&folder).map_err(|error| CollectError::unreadable(&folder, error))?;
    let all = projects.iter().flat_map(|project| files(&folder.join(project)));
    Ok(all.map(|path| (path.file_stem().unwrap_or_default().to_string_lossy().into_owned(), path)).collect())
}

/// The JSON files of a folder, by name; an absent folder has none.
fn files(folder: &Path) -> Vec<PathBuf> {
    let all = names(folder).unwrap_or_default();
    all.iter().filter(|name| name.ends_with(".json")).map(|name| folder.join(name)).collect()
}

fn names(folder: &Path) -> std::io::Result<Vec<String>> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut names: Vec<String> = entries.flatten().map(|e| e.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    Ok(names)
}
