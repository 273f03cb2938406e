//! The database of OpenCode: `session`, `message`, `part`.

use std::collections::BTreeMap;
use std::path::Path;

use coroner_read::transcript::batch::Batch;
use coroner_read::transcript::opencode::{OpenCodeRow, OpenCodeSession, message};
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, types::ValueRef};

use super::database::{self, Database};
use super::{CollectError, DbState, Mark, Outbox, ROW_BYTES_MAX};

type Sql<T> = Result<T, rusqlite::Error>;

/// Reads the sessions that changed since, one entry a message.
///
/// A session that was deleted is no longer in the state that is given back; what was
/// read of it stays with the caller.
pub fn opencode(path: &Path, since: &DbState, each: &mut dyn FnMut(Batch)) -> Result<DbState, CollectError> {
    if !since.stamp.is_empty() && since.stamp == database::stamp(path) {
        return Ok(since.clone());
    }
    let database = Database::open(path)?;
    if !database.has(&["session", "message", "part"]) {
        return Err(CollectError::Foreign { path: path.to_owned(), expected: "OpenCode" });
    }
    // The marks are taken first: what is written meanwhile is read again the next time.
    let marks = marks(&database.connection).map_err(|error| database.failed(&error))?;
    let mut outbox = Outbox::new(each);
    for (session, mark) in &marks {
        if since.sessions.get(session) != Some(mark) {
            read_session(&database.connection, session, &mut outbox).map_err(|error| database.failed(&error))?;
        }
    }
    outbox.send();
    database.check()?;
    Ok(DbState { stamp: database.kept_stamp(), sessions: marks })
}

fn marks(connection: &Connection) -> Sql<BTreeMap<String, Mark>> {
    let mut marks: BTreeMap<String, Mark> = BTreeMap::new();
    for sql in [
        "select id, 1, time_updated from session",
        "select session_id, count(*), max(time_updated) from message group by session_id",
        "select session_id, count(*), max(time_updated) from part group by session_id",
    ] {
        let mut statement = connection.prepare(sql)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let mark = marks.entry(text(row, 0)?).or_default();
            mark.rows += row.get::<_, i64>(1)?.max(0) as u64;
            mark.updated_ms = mark.updated_ms.max(number(row, 2)?.unwrap_or_default());
        }
    }
    Ok(marks)
}

fn read_session(connection: &Connection, session: &str, outbox: &mut Outbox<'_>) -> Sql<()> {
    let about = about(connection, session)?;
    outbox.batch.add(about.entry());
    let mut parts = part_ids(connection, session)?;
    let mut ids = connection.prepare("select id from message where session_id = ?1 order by time_created, id")?;
    let ids = ids.query_map([session], |row| text(row, 0))?.collect::<Sql<Vec<String>>>()?;
    let mut number = 0;
    for id in ids {
        let Some(row) = one(connection, MESSAGE, &id, &mut number, outbox, session)? else { continue };
        let own = parts.remove(&id).unwrap_or_default();
        read_message(connection, session, Some(&row), &own, &mut number, outbox)?;
    }
    // Parts whose message is gone.
    for own in parts.into_values() {
        read_message(connection, session, None, &own, &mut number, outbox)?;
    }
    Ok(())
}

fn about(connection: &Connection, session: &str) -> Sql<OpenCodeSession> {
    let sql = "select title, directory, parent_id, time_created from session where id = ?1";
    let read = |row: &Row<'_>| {
        Ok(OpenCodeSession {
            id: session.to_owned(),
            title: text(row, 0)?,
            directory: text(row, 1)?,
            parent: text(row, 2)?,
            created: number(row, 3)?.and_then(at),
        })
    };
    let found = connection.prepare_cached(sql)?.query_row([session], read).optional()?;
    Ok(found.unwrap_or(OpenCodeSession { id: session.to_owned(), ..OpenCodeSession::default() }))
}

/// Ids of a session's parts by message; ids only, so that a long session stays small.
fn part_ids(connection: &Connection, session: &str) -> Sql<BTreeMap<String, Vec<String>>> {
    let mut by_message: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut statement =
        connection.prepare_cached("select message_id, id from part where session_id = ?1 order by id")?;
    let mut rows = statement.query([session])?;
    while let Some(row) = rows.next()? {
        by_message.entry(text(row, 0)?).or_default().push(text(row, 1)?);
    }
    Ok(by_message)
}

fn read_message(
    connection: &Connection,
    session: &str,
    row: Option<&OpenCodeRow>,
    ids: &[String],
    number: &mut u64,
    outbox: &mut Outbox<'_>,
) -> Sql<()> {
    let mut parts = Vec::new();
    for id in ids {
        parts.extend(one(connection, PART, id, number, outbox, session)?);
    }
    let bytes = row.into_iter().chain(&parts).map(|row| row.json.len() as u64).sum();
    if row.is_some() || !parts.is_empty() {
        message(session, row, &parts, &mut outbox.batch);
    }
    outbox.added(bytes);
    Ok(())
}

const MESSAGE: &str = "select time_created, octet_length(data), case when octet_length(data) <= ?2 then data end from message where id = ?1";
const PART: &str =
    "select time_created, octet_length(data), case when octet_length(data) <= ?2 then data end from part where id = ?1";

/// One row by its id; `None` where it went meanwhile or is longer than what is read.
fn one(
    connection: &Connection,
    sql: &str,
    id: &str,
    count: &mut u64,
    outbox: &mut Outbox<'_>,
    session: &str,
) -> Sql<Option<OpenCodeRow>> {
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query(rusqlite::params![id, ROW_BYTES_MAX as i64])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    *count += 1;
    let bytes = number(row, 1)?.unwrap_or_default();
    if bytes as u64 > ROW_BYTES_MAX {
        super::too_long(outbox, session, id, bytes as u64, *count);
        return Ok(None);
    }
    let at = number(row, 0)?.and_then(at);
    Ok(Some(OpenCodeRow { id: id.to_owned(), at, json: text(row, 2)?, number: *count }))
}

fn at(ms: i64) -> Option<Timestamp> {
    Timestamp::from_millisecond(ms).ok()
}

/// A column as text; null is empty, and bytes that are no UTF-8 are replaced.
pub(super) fn text(row: &Row<'_>, column: usize) -> Sql<String> {
    Ok(match row.get_ref(column)? {
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        ValueRef::Integer(number) => number.to_string(),
        ValueRef::Real(number) => number.to_string(),
        ValueRef::Null => String::new(),
    })
}

/// A column as a number, whichever way it was stored.
fn number(row: &Row<'_>, column: usize) -> Sql<Option<i64>> {
    Ok(match row.get_ref(column)? {
        ValueRef::Integer(number) => Some(number),
        ValueRef::Real(number) => Some(number as i64),
        ValueRef::Text(bytes) => std::str::from_utf8(bytes).ok().and_then(|text| text.trim().parse().ok()),
        _ => None,
    })
}
