//! Tables made from the records of transcripts: sessions, entries, calls.

use std::collections::{BTreeMap, HashMap};

use coroner_model::Redacted;
use coroner_model::entry::{About, CallResult, Origin, Said};
use coroner_model::session::{CallStatus, Role};
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};

use super::RecordedEntry;
use crate::error::Result;

/// Longest title that is made of a prompt, in characters.
const TITLE_CHARS_MAX: usize = 100;

/// The newest record of an entry.
pub(crate) struct Known {
    pub(crate) content: [u8; 8],
    pub(crate) seq: u64,
}

/// Looks an entry up by what identifies it.
pub(crate) fn known(connection: &Connection, key: &[u8; 16]) -> Result<Option<Known>> {
    Ok(connection
        .prepare_cached("SELECT content, seq FROM known WHERE key = ?1")?
        .query_row([key.as_slice()], |row| {
            Ok(Known { content: row.get(0)?, seq: row.get::<_, i64>(1)?.unsigned_abs() })
        })
        .optional()?)
}

/// Remembers the newest record of an entry.
pub(crate) fn know(connection: &Connection, key: &[u8; 16], content: &[u8; 8], seq: u64) -> Result<u64> {
    let rows = connection
        .prepare_cached("INSERT OR REPLACE INTO known (key, content, seq) VALUES (?1, ?2, ?3)")?
        .execute(params![key.as_slice(), content.as_slice(), seq as i64])?;
    Ok(rows as u64)
}

/// Sessions touched by one transaction; their rows are written once, at its end.
pub(crate) struct Derived {
    sessions: HashMap<(String, String, String), Session>,
}

struct Session {
    id: i64,
    about: About<Redacted>,
    /// Microseconds since the epoch.
    started: Option<i64>,
    ended: Option<i64>,
    messages: i64,
    calls: i64,
    is_changed: bool,
}

impl Derived {
    pub(crate) fn new() -> Derived {
        Derived { sessions: HashMap::new() }
    }

    /// Adds a record, which may take the place of an older one; gives the rows written.
    pub(crate) fn add(
        &mut self,
        connection: &Connection,
        seq: u64,
        recorded: &RecordedEntry,
        replaced: Option<u64>,
    ) -> Result<u64> {
        let entry = &recorded.entry;
        let mut rows = 0;
        if let Some(old) = replaced {
            rows += connection.prepare_cached("DELETE FROM entry WHERE seq = ?1")?.execute([old as i64])? as u64;
        }
        let agent = entry.about.as_ref().and_then(|a| a.agent.as_ref()).map_or("", Redacted::as_str);
        let agent = if recorded.from.agent.is_empty() { agent } else { &recorded.from.agent };
        let session = self.session(connection, agent, &entry.session, &entry.subagent)?;
        let at = entry.at.map(Timestamp::as_microsecond);
        session.started = [session.started, at].into_iter().flatten().min();
        session.ended = session.ended.max(at);
        session.messages += i64::from(entry.message.is_some() && replaced.is_none());
        if session.about.title.is_none() {
            session.about.title = entry.message.as_ref().and_then(prompt);
        }
        session.is_changed = true;
        let id = session.id;
        let mut new_calls = 0;
        for call in &entry.calls {
            let result = call.result.as_deref();
            rows += called(connection, id, seq, &call.id, result, &mut new_calls)?;
        }
        for result in &entry.results {
            rows += answered(connection, id, seq, result)?;
        }
        if let Some(session) = self.sessions.values_mut().find(|s| s.id == id) {
            session.calls += new_calls;
        }
        if let Some(about) = entry.about.as_deref() {
            let own = about.subagent_id.as_ref().is_none_or(|of| *of == entry.subagent);
            let subagent = about.subagent_id.clone().unwrap_or_else(|| entry.subagent.clone());
            let about = about.clone();
            let target = self.session(connection, agent, &entry.session, &subagent)?;
            merge(target, about, own);
        }
        rows += connection
            .prepare_cached("INSERT INTO entry (seq, session, at) VALUES (?1, ?2, ?3)")?
            .execute(params![seq as i64, id, at])? as u64;
        Ok(rows)
    }

    fn session(&mut self, connection: &Connection, agent: &str, native: &str, subagent: &str) -> Result<&mut Session> {
        let key = (agent.to_owned(), native.to_owned(), subagent.to_owned());
        if !self.sessions.contains_key(&key) {
            let session = open(connection, agent, native, subagent)?;
            self.sessions.insert(key.clone(), session);
        }
        Ok(self.sessions.entry(key).or_insert_with(|| Session::new(0)))
    }

    /// Writes what became of the sessions.
    pub(crate) fn finish(self, connection: &Connection) -> Result<u64> {
        let mut rows = 0;
        // In one order, so that the same input gives the same bytes.
        let sessions: BTreeMap<i64, Session> = self.sessions.into_values().map(|s| (s.id, s)).collect();
        for session in sessions.into_values().filter(|s| s.is_changed) {
            rows += connection
                .prepare_cached(
                    "UPDATE session SET about = ?2, started = ?3, ended = ?4, messages = ?5, calls = ?6 WHERE id = ?1",
                )?
                .execute(params![
                    session.id,
                    serde_json::to_string(&session.about)?,
                    session.started,
                    session.ended,
                    session.messages,
                    session.calls
                ])? as u64;
        }
        Ok(rows)
    }
}

impl Session {
    fn new(id: i64) -> Session {
        Session { id, about: About::default(), started: None, ended: None, messages: 0, calls: 0, is_changed: true }
    }
}

/// The beginning of what a person typed: the title of a session that has none of its own.
fn prompt(said: &Said<Redacted>) -> Option<Redacted> {
    let is_typed = said.role == Role::User && said.origin != Origin::Injected;
    let text = said.text.first_line(TITLE_CHARS_MAX);
    (is_typed && !text.is_empty()).then_some(text)
}

fn open(connection: &Connection, agent: &str, native: &str, subagent: &str) -> Result<Session> {
    let found = connection
        .prepare_cached(
            "SELECT id, about, started, ended, messages, calls FROM session \
             WHERE agent = ?1 AND native = ?2 AND subagent = ?3",
        )?
        .query_row([agent, native, subagent], |row| {
            Ok(Session {
                id: row.get(0)?,
                about: serde_json::from_str(&row.get::<_, String>(1)?).unwrap_or_default(),
                started: row.get(2)?,
                ended: row.get(3)?,
                messages: row.get(4)?,
                calls: row.get(5)?,
                is_changed: false,
            })
        })
        .optional()?;
    if let Some(session) = found {
        return Ok(session);
    }
    connection
        .prepare_cached(
            "INSERT INTO session (agent, native, subagent, about, messages, calls) VALUES (?1, ?2, ?3, '{}', 0, 0)",
        )?
        .execute([agent, native, subagent])?;
    Ok(Session::new(connection.last_insert_rowid()))
}

/// What was said later wins, but for where the session began.
fn merge(session: &mut Session, new: About<Redacted>, own: bool) {
    let about = &mut session.about;
    let put = |old: &mut Option<Redacted>, new: Option<Redacted>| {
        if new.is_some() {
            *old = new;
        }
    };
    put(&mut about.subagent, new.subagent);
    if own {
        put(&mut about.title, new.title);
        if about.cwd.is_none() {
            about.cwd = new.cwd;
        }
        put(&mut about.branch, new.branch);
        put(&mut about.version, new.version);
        put(&mut about.model, new.model);
        put(&mut about.agent, new.agent);
        put(&mut about.parent, new.parent);
        put(&mut about.machine, new.machine);
        about.started = about.started.or(new.started);
    }
    session.is_changed = true;
}

fn called(
    connection: &Connection,
    session: i64,
    seq: u64,
    native: &str,
    result: Option<&CallResult<Redacted>>,
    new_calls: &mut i64,
) -> Result<u64> {
    let held: Option<bool> = connection
        .prepare_cached("SELECT called IS NOT NULL FROM call WHERE session = ?1 AND native = ?2")?
        .query_row(params![session, native], |row| row.get(0))
        .optional()?;
    *new_calls += i64::from(held != Some(true) || native.is_empty());
    let answered = result.map(|_| seq as i64);
    let status = result.map_or(CallStatus::Unknown, |r| r.status).as_str();
    let rows = connection
        .prepare_cached(
            "INSERT INTO call (session, native, called, answered, status, exit_code) VALUES (?1, ?2, ?3, ?4, ?5, ?6) \
             ON CONFLICT DO UPDATE SET called = excluded.called, answered = coalesce(excluded.answered, answered), \
             status = CASE WHEN excluded.answered IS NULL THEN status ELSE excluded.status END, \
             exit_code = coalesce(excluded.exit_code, exit_code)",
        )?
        .execute(params![session, native, seq as i64, answered, status, result.and_then(|r| r.exit_code)])?;
    Ok(rows as u64)
}

fn answered(connection: &Connection, session: i64, seq: u64, result: &CallResult<Redacted>) -> Result<u64> {
    let rows = connection
        .prepare_cached(
            "INSERT INTO call (session, native, answered, status, exit_code) VALUES (?1, ?2, ?3, ?4, ?5) \
             ON CONFLICT DO UPDATE SET answered = excluded.answered, status = excluded.status, \
             exit_code = excluded.exit_code",
        )?
        .execute(params![session, result.call, seq as i64, result.status.as_str(), result.exit_code])?;
    Ok(rows as u64)
}
