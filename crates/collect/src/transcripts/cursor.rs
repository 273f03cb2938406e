//! The databases of Cursor's editor, global and of a workspace: `ItemTable` and `cursorDiskKV`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use coroner_model::entry::{Entry, RawPlace};
use coroner_read::transcript::batch::Batch;
use coroner_read::transcript::cursor_ide::{self, Bubble, Composer};
use rusqlite::Connection;

use super::database::{self, Database};
use super::opencode::text;
use super::{CollectError, DbState, Mark, Outbox, ROW_BYTES_MAX};
use crate::place::{self, Text};

type Sql<T> = Result<T, rusqlite::Error>;

const COMPOSER: &str = "composerData:";
const BUBBLE: &str = "bubbleId:";
/// Largest `workspace.json` that is read, in bytes.
const WORKSPACE_BYTES_MAX: u64 = 64 * 1024;

/// Reads the composers that changed since, one entry a bubble; of a workspace, which folder its composers belong to.
pub fn cursor(path: &Path, since: &DbState, each: &mut dyn FnMut(Batch)) -> Result<DbState, CollectError> {
    if !since.stamp.is_empty() && since.stamp == database::stamp(path) {
        return Ok(since.clone());
    }
    let database = Database::open(path)?;
    let failed = |error: rusqlite::Error| database.failed(&error);
    let mut state = DbState { stamp: database.kept_stamp(), ..DbState::default() };
    let (has_items, has_values) = (database.has(&["ItemTable"]), database.has(&["cursorDiskKV"]));
    if !has_items && !has_values {
        return Err(CollectError::Foreign { path: path.to_owned(), expected: "Cursor" });
    }
    let mut outbox = Outbox::new(each);
    if has_items {
        workspace(&database.connection, path, since, &mut state, &mut outbox).map_err(failed)?;
    }
    if has_values {
        composers(&database.connection, since, &mut state, &mut outbox).map_err(failed)?;
    }
    outbox.send();
    database.check()?;
    Ok(state)
}

/// Links the composers that a workspace names to its folder.
fn workspace(
    connection: &Connection,
    path: &Path,
    since: &DbState,
    state: &mut DbState,
    outbox: &mut Outbox<'_>,
) -> Sql<()> {
    let Some(folder) = folder_of(path) else { return Ok(()) };
    let list = value(connection, "ItemTable", "composer.composerData")?;
    let Value::Text(list) = list else { return Ok(()) };
    for id in cursor_ide::composers_of_workspace(&list) {
        let mark = Mark::default();
        if since.sessions.get(&id) != Some(&mark) {
            outbox.batch.add(Composer { id: id.clone(), ..Composer::default() }.entry(Some(&folder)));
        }
        state.sessions.insert(id, mark);
    }
    Ok(())
}

/// The folder that `workspace.json` beside the database names.
fn folder_of(path: &Path) -> Option<String> {
    let file = path.parent()?.join("workspace.json");
    let Text::Held(text) = place::text(&file, WORKSPACE_BYTES_MAX) else { return None };
    let value: serde_json::Value = serde_json::from_str(&text).ok()?;
    let uri = url::Url::parse(value.get("folder")?.as_str()?).ok()?;
    match uri.to_file_path() {
        Ok(path) => Some(path.to_string_lossy().into_owned()),
        Err(()) => Some(uri.to_string()),
    }
}

fn composers(connection: &Connection, since: &DbState, state: &mut DbState, outbox: &mut Outbox<'_>) -> Sql<()> {
    let with_bubbles = bubble_counts(connection)?;
    let named = keys(connection, COMPOSER)?;
    let ids: BTreeSet<&str> =
        named.iter().map(|key| &key[COMPOSER.len()..]).chain(with_bubbles.keys().map(String::as_str)).collect();
    for (index, id) in ids.into_iter().enumerate() {
        let number = index as u64 + 1;
        let own = value(connection, "cursorDiskKV", &format!("{COMPOSER}{id}"))?;
        let (composer, bytes) = match &own {
            Value::Text(json) => (Composer::of_json(id, json), json.len() as u64),
            Value::TooLong(bytes) => (Err("it is longer than what is read".to_owned()), *bytes),
            Value::Absent => (Ok(Composer { id: id.to_owned(), ..Composer::default() }), 0),
        };
        let updated_ms = composer.as_ref().map_or(0, |composer| composer.updated_ms);
        let mark = Mark { updated_ms, rows: with_bubbles.get(id).copied().unwrap_or_default(), bytes };
        if since.sessions.get(id) != Some(&mark) {
            let composer = composer.unwrap_or_else(|reason| broken(id, &own, &reason, number, outbox));
            read_composer(connection, &composer, outbox)?;
        }
        state.sessions.insert(id.to_owned(), mark);
    }
    Ok(())
}

/// A composer whose own record cannot be read still has its bubbles.
fn broken(id: &str, own: &Value, reason: &str, number: u64, outbox: &mut Outbox<'_>) -> Composer {
    let (json, len) = match own {
        Value::Text(json) => (json.as_str(), json.len() as u64),
        Value::TooLong(bytes) => ("", *bytes),
        Value::Absent => ("", 0),
    };
    let raw = RawPlace { offset: 0, len, line: number };
    let entry = Entry { session: id.to_owned(), id: id.to_owned(), raw, ..Entry::default() };
    outbox.batch.issue(entry, reason, json);
    Composer { id: id.to_owned(), ..Composer::default() }
}

fn read_composer(connection: &Connection, composer: &Composer, outbox: &mut Outbox<'_>) -> Sql<()> {
    outbox.batch.add(composer.entry(None));
    let prefix = format!("{BUBBLE}{}:", composer.id);
    let stored: Vec<String> = keys(connection, &prefix)?.iter().map(|key| key[prefix.len()..].to_owned()).collect();
    let listed: BTreeSet<&String> = composer.bubbles.iter().collect();
    let mut there: BTreeSet<&String> = stored.iter().collect();
    let in_order = composer.bubbles.iter().filter(move |id| there.remove(id));
    // Those that the list does not name were taken back; they happened all the same.
    let beside = stored.iter().filter(|id| !listed.contains(id));
    let mut number = 0;
    for bubble in composer.inline.iter().filter(|_| stored.is_empty()) {
        number = bubble.number;
        add(composer, bubble.clone(), outbox);
    }
    for id in in_order.chain(beside) {
        number += 1;
        match value(connection, "cursorDiskKV", &format!("{prefix}{id}"))? {
            Value::Text(json) => add(composer, Bubble { id: id.clone(), json, number }, outbox),
            Value::TooLong(bytes) => super::too_long(outbox, &composer.id, id, bytes, number),
            Value::Absent => {}
        }
    }
    Ok(())
}

fn add(composer: &Composer, bubble: Bubble, outbox: &mut Outbox<'_>) {
    cursor_ide::bubble(&composer.id, &bubble, &mut outbox.batch);
    outbox.added(bubble.json.len() as u64);
}

/// How many bubbles each composer has; only the index of the keys is read.
fn bubble_counts(connection: &Connection) -> Sql<BTreeMap<String, u64>> {
    let mut counts: BTreeMap<String, u64> = BTreeMap::new();
    each_key(connection, BUBBLE, |key| {
        if let Some((composer, _)) = key[BUBBLE.len()..].split_once(':') {
            *counts.entry(composer.to_owned()).or_default() += 1;
        }
    })?;
    Ok(counts)
}

fn keys(connection: &Connection, prefix: &str) -> Sql<Vec<String>> {
    let mut keys = Vec::new();
    each_key(connection, prefix, |key| keys.push(key.to_owned()))?;
    Ok(keys)
}

fn each_key(connection: &Connection, prefix: &str, mut each: impl FnMut(&str)) -> Sql<()> {
    // `;` is the character after `:`, with which every prefix ends.
    let end = format!("{};", prefix.trim_end_matches(':'));
    let sql = "select key from cursorDiskKV where key >= ?1 and key < ?2 order by key";
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query([prefix, &end])?;
    while let Some(row) = rows.next()? {
        let key = text(row, 0)?;
        if key.starts_with(prefix) {
            each(&key);
        }
    }
    Ok(())
}

/// A value by its key.
enum Value {
    Text(String),
    /// Longer than what is read, in bytes.
    TooLong(u64),
    Absent,
}

fn value(connection: &Connection, table: &'static str, key: &str) -> Sql<Value> {
    let sql = format!(
        "select octet_length(value), case when octet_length(value) <= ?2 then value end from {table} where key = ?1"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query(rusqlite::params![key, ROW_BYTES_MAX as i64])?;
    let Some(row) = rows.next()? else { return Ok(Value::Absent) };
    let Some(bytes) = row.get::<_, Option<i64>>(0)? else { return Ok(Value::Absent) };
    Ok(if bytes as u64 > ROW_BYTES_MAX { Value::TooLong(bytes as u64) } else { Value::Text(text(row, 1)?) })
}
