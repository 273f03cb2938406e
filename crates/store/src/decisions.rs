//! Decisions that are kept: which are still in force, and whose files have changed since.

use coroner_model::Redacted;
use coroner_model::entry::About;
use coroner_read::decision::Decision;
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params, params_from_iter};
use serde::Serialize;

use crate::Store;
use crate::error::Result;
use crate::search::{self, Matter, matter};

/// Other decisions about the same that are compared with one.
const OTHERS_COUNT_MAX: usize = 500;
/// Changes of files of one name that are looked at.
const CHANGES_COUNT_MAX: usize = 500;

/// Which decisions are wanted; empty fields want all.
#[derive(Clone, Debug, Default)]
pub struct DecisionFilter {
    /// The agent's own id of the session, or its beginning.
    pub session: Option<String>,
    /// Folder that the session worked in.
    pub project: Option<String>,
    /// Part of a path that the decision names.
    pub path: Option<String>,
    /// Most decisions; the newest are given.
    pub limit: usize,
}

/// A decision with its place and what became of it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct KeptDecision {
    /// Id of the record in the store.
    pub evidence: String,
    pub session: String,
    /// Folder that the session worked in; empty where unknown.
    pub project: String,
    pub at: Option<Timestamp>,
    pub decision: Decision,
    #[serde(flatten)]
    pub standing: Standing,
}

/// Whether a decision is still in force.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Standing {
    /// Id of the record of the later decision that took its place.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub superseded_by: Option<String>,
    /// Whether a file that it names was changed since.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub stale: bool,
}

/// Where a record stands among sessions.
struct Place {
    session: i64,
    native: String,
    project: String,
    /// Microseconds since the epoch.
    at: Option<i64>,
}

impl Place {
    fn is_same_project(&self, other: &Place) -> bool {
        self.session == other.session
            || self.native == other.native && !self.native.is_empty()
            || !self.project.is_empty() && self.project == other.project
    }

    /// Whether another record is later: by the clock, else by when it was recorded.
    fn is_before(&self, own: u64, other: &Place, seq: u64) -> bool {
        match (self.at, other.at) {
            (Some(a), Some(b)) if a != b => a < b,
            _ => own < seq,
        }
    }
}

impl Store {
    /// The decisions that the index holds, the newest first.
    pub fn decisions(&self, filter: &DecisionFilter) -> Result<Vec<KeptDecision>> {
        let Some(index) = self.decided_index()? else { return Ok(Vec::new()) };
        let rows: Vec<i64> = {
            let mut statement = index.prepare("SELECT row FROM decided ORDER BY row DESC")?;
            statement.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?
        };
        let mut found = Vec::new();
        for row in rows {
            let (seq, part) = search::record_and_part(row);
            let Some(place) = place(&self.connection(), seq)? else { continue };
            let fits = filter.session.as_ref().is_none_or(|id| place.native.starts_with(id.as_str()))
                && filter.project.as_ref().is_none_or(|project| place.project == *project);
            if !fits {
                continue;
            }
            let Some((evidence, decision)) = self.decision(seq, part)? else { continue };
            if filter.path.as_ref().is_some_and(|part| !decision.paths.iter().any(|path| path.contains(part.as_str())))
            {
                continue;
            }
            let standing = self.standing(seq, &decision)?;
            let at = place.at.and_then(|micros| Timestamp::from_microsecond(micros).ok());
            found.push(KeptDecision {
                evidence,
                session: place.native,
                project: place.project,
                at,
                decision,
                standing,
            });
            if found.len() >= filter.limit {
                break;
            }
        }
        Ok(found)
    }

    /// Whether a decision is still in force, and whether its files have changed since.
    pub(crate) fn standing(&self, seq: u64, decision: &Decision) -> Result<Standing> {
        let Some(index) = self.decided_index()? else { return Ok(Standing::default()) };
        let connection = self.connection();
        let Some(own) = place(&connection, seq)? else { return Ok(Standing::default()) };
        let later = superseding(&index, &connection, (seq, &own), &matter(decision))?;
        let superseded_by = match later {
            Some(later) => connection
                .query_row("SELECT id FROM record WHERE seq = ?1", [later as i64], |row| row.get(0))
                .optional()?,
            None => None,
        };
        let stale = is_stale(&index, &connection, (seq, &own), &decision.paths)?;
        Ok(Standing { superseded_by, stale })
    }

    /// Reads a decision of a record again.
    fn decision(&self, seq: u64, part: usize) -> Result<Option<(String, Decision)>> {
        let Some(recorded) = self.recorded(seq)? else { return Ok(None) };
        let connection = self.connection();
        let id: String =
            connection.query_row("SELECT id FROM record WHERE seq = ?1", [seq as i64], |row| row.get(0))?;
        let decision = search::decisions_of(&recorded, seq, &connection).into_iter().nth(part);
        Ok(decision.map(|decision| (id, decision)))
    }
}

fn place(connection: &Connection, seq: u64) -> Result<Option<Place>> {
    let found: Option<(i64, String, String, Option<i64>)> = connection
        .prepare_cached(
            "SELECT session.id, session.native, session.about, entry.at FROM entry \
             JOIN session ON session.id = entry.session WHERE entry.seq = ?1",
        )?
        .query_row([seq as i64], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))
        .optional()?;
    Ok(found.map(|(session, native, about, at)| {
        let about: About<Redacted> = serde_json::from_str(&about).unwrap_or_default();
        let project = about.cwd.map(|cwd| cwd.as_str().trim_end_matches('/').to_owned()).unwrap_or_default();
        Place { session, native, project, at }
    }))
}

/// The record of the first later decision that takes the place of one.
fn superseding(
    index: &Connection,
    ledger: &Connection,
    (seq, own): (u64, &Place),
    matter: &Matter,
) -> Result<Option<u64>> {
    let terms: Vec<&str> = matter.terms().collect();
    if terms.is_empty() {
        return Ok(None);
    }
    let marks = vec!["?"; terms.len()].join(",");
    let mut statement = index.prepare_cached(&format!(
        "SELECT DISTINCT decided.row, decided.matter FROM subject JOIN decided ON decided.row = subject.row \
         WHERE subject.term IN ({marks}) ORDER BY decided.row DESC LIMIT {OTHERS_COUNT_MAX}"
    ))?;
    let rows =
        statement.query_map(params_from_iter(terms), |row| Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?)))?;
    let mut first: Option<(u64, Place)> = None;
    for row in rows {
        let (row, other) = row?;
        let other_seq = search::record_and_part(row).0;
        let Ok(other) = serde_json::from_str::<Matter>(&other) else { continue };
        if other_seq == seq || !matter.is_superseded_by(&other) {
            continue;
        }
        let Some(there) = place(ledger, other_seq)? else { continue };
        let is_later = own.is_before(seq, &there, other_seq) && own.is_same_project(&there);
        if is_later && first.as_ref().is_none_or(|(known, place)| there.is_before(other_seq, place, *known)) {
            first = Some((other_seq, there));
        }
    }
    Ok(first.map(|(seq, _)| seq))
}

/// Whether one of the files was changed later, by a call that did not fail.
fn is_stale(index: &Connection, ledger: &Connection, (seq, own): (u64, &Place), paths: &[String]) -> Result<bool> {
    for path in paths {
        let name = path.rsplit('/').next().unwrap_or(path);
        let mut statement =
            index.prepare_cached("SELECT seq, path, call FROM changed WHERE name = ?1 ORDER BY seq DESC LIMIT ?2")?;
        let rows = statement.query_map(params![name, CHANGES_COUNT_MAX as i64], |row| {
            Ok((row.get::<_, i64>(0)?.unsigned_abs(), row.get::<_, String>(1)?, row.get::<_, String>(2)?))
        })?;
        for row in rows {
            let (other, changed, call) = row?;
            if other == seq || !is_same_file(path, &changed) {
                continue;
            }
            let Some(there) = place(ledger, other)? else { continue };
            let is_ours = own.is_same_project(&there)
                || !own.project.is_empty()
                    && changed.strip_prefix(&own.project).is_some_and(|rest| rest.starts_with('/'));
            if own.is_before(seq, &there, other) && is_ours && !has_failed(ledger, there.session, &call)? {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

/// Whether two spellings may be one file: one ends with the other, whole folders compared.
fn is_same_file(a: &str, b: &str) -> bool {
    let bare = |path: &str| path.trim_start_matches("./").to_owned();
    let (a, b) = (bare(a), bare(b));
    a == b || a.ends_with(&format!("/{b}")) || b.ends_with(&format!("/{a}"))
}

fn has_failed(ledger: &Connection, session: i64, call: &str) -> Result<bool> {
    let status: Option<String> = ledger
        .prepare_cached("SELECT status FROM call WHERE session = ?1 AND native = ?2")?
        .query_row(params![session, call], |row| row.get(0))
        .optional()?;
    Ok(status.is_some_and(|status| status == "error" || status == "rejected"))
}
