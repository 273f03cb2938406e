//! Ranking: rare words first, then what really stands in the text.
//!
//! The index says quickly which documents hold which words. The best of these are read
//! from the ledger and scored anew, by BM25 over their own text, by exact matches, and
//! by the turns beside them.

use std::collections::HashMap;

use coroner_model::ContentHash;
use jiff::Timestamp;
use rusqlite::{Connection, OpenFlags, OptionalExtension, params};
use serde::Serialize;

use super::docs::{self, DocKind, of_row};
use super::query::{Exit, Query, Term, terms};
use super::{FORM, QueryError, Shard, folder};
use crate::error::Result;
use crate::{Store, wait_max};

/// Documents whose text is read and scored.
const CANDIDATES_COUNT_MAX: usize = 240;
/// A word in so many documents is only counted where a rarer one stands too.
const COMMON_COUNT: usize = 12_000;
/// Most documents of one word that the engine itself ranks.
const RANKED_COUNT_MAX: usize = 6_000;
/// Longest excerpt of a hit, in bytes.
const EXCERPT_BYTES_MAX: usize = 700;
/// BM25: how soon more of the same word counts less, and how much length counts.
const SATURATION: f64 = 1.2;
const LENGTH_SHARE: f64 = 0.6;
/// Length of an average document, in bytes.
const AVERAGE_BYTES: f64 = 900.0;
/// Share of its score that a turn lends to the one beside it.
const NEIGHBOUR_SHARE: f64 = 0.2;
/// Records between two turns that still stand beside each other.
const NEIGHBOUR_RECORDS: u64 = 3;

/// One hit.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Hit {
    /// From 1.
    pub rank: usize,
    pub score: f64,
    pub kind: DocKind,
    pub session: Option<String>,
    pub title: Option<String>,
    /// The transcript's own id of the message.
    pub message: Option<String>,
    pub tool_call: Option<String>,
    pub at: Option<Timestamp>,
    pub machine: Option<String>,
    pub agent: Option<String>,
    pub subagent: Option<String>,
    pub exit_code: Option<i64>,
    pub status: Option<String>,
    /// An excerpt around the best match.
    pub text: String,
    pub path: Option<String>,
    pub raw: RawHit,
    /// Id of the record in the store, for `evidence show`.
    pub evidence: String,
    /// Turns around the hit, where they were asked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub context: Vec<Turn>,
    /// Number of the record.
    #[serde(skip)]
    pub record: u64,
}

/// The exact place of a hit in its source.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct RawHit {
    pub file: Option<String>,
    /// In bytes.
    pub offset: Option<u64>,
    /// In bytes.
    pub len: Option<u64>,
    pub sha256: Option<String>,
    /// Stands instead of `sha256` where something was redacted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hmac: Option<String>,
}

/// A turn beside a hit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Turn {
    pub message: String,
    pub at: Option<Timestamp>,
    pub role: String,
    pub text: String,
}

/// What a search found.
#[derive(Clone, Debug, Default)]
pub struct Found {
    pub hits: Vec<Hit>,
    /// Records that the index does not hold yet.
    pub behind: u64,
}

/// A document that may be a hit.
struct Candidate {
    row: i64,
    /// Sum of the weights of the words that it holds.
    weight: f64,
    /// Which words, one bit each.
    holds: u32,
}

impl Store {
    /// Answers a query, the best hit first.
    pub fn search(&self, query: &Query) -> Result<std::result::Result<Found, QueryError>> {
        let terms = match terms(&query.text) {
            Ok(terms) => terms,
            Err(error) => return Ok(Err(error)),
        };
        let mut candidates = Vec::new();
        let mut behind = 0;
        let newest = self.newest_record()?;
        let allowed = self.allowed(query)?;
        let kinds = |shard: Shard| {
            DocKind::ALL
                .into_iter()
                .filter(move |kind| kind.shard() == shard)
                .filter(|kind| query.kinds.is_empty() || query.kinds.contains(kind))
        };
        for shard in Shard::ALL.into_iter().filter(|shard| kinds(*shard).next().is_some()) {
            let path = folder(&self.place).join(shard.name());
            if !path.is_file() {
                behind = newest;
                continue;
            }
            let index =
                Connection::open_with_flags(&path, OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
            index.busy_timeout(wait_max())?;
            if index.query_row("PRAGMA user_version", [], |row| row.get::<_, i64>(0))? != FORM {
                behind = newest;
                continue;
            }
            let held: Option<i64> =
                index.query_row("SELECT value FROM meta WHERE name = 'last'", [], |row| row.get(0)).optional()?;
            behind = behind.max(newest.saturating_sub(held.unwrap_or(0).unsigned_abs()));
            let kinds: Vec<DocKind> = kinds(shard).collect();
            candidates.extend(of_shard(&index, &terms, &kinds, allowed.as_ref())?);
        }
        best(&mut candidates, CANDIDATES_COUNT_MAX);
        let hits = self.scored(query, &terms, candidates)?;
        Ok(Ok(Found { hits, behind }))
    }

    fn newest_record(&self) -> Result<u64> {
        let newest: i64 =
            self.connection().query_row("SELECT coalesce(max(seq), 0) FROM record", [], |row| row.get(0))?;
        Ok(newest.unsigned_abs())
    }

    /// The records that the filters leave; `None` where there is no filter on them.
    fn allowed(&self, query: &Query) -> Result<Option<std::collections::HashSet<u64>>> {
        let by_session = query.session.is_some() || query.agent.is_some() || query.machine.is_some();
        if !by_session && query.since.is_none() && query.until.is_none() {
            return Ok(None);
        }
        let connection = self.connection();
        let mut statement = connection.prepare(
            "SELECT record.seq FROM record LEFT JOIN entry ON entry.seq = record.seq \
             LEFT JOIN session ON session.id = entry.session \
             WHERE (?1 = '' OR session.native = ?1 OR substr(session.native, 1, length(?1)) = ?1) \
             AND (?2 = '' OR session.agent = ?2) AND (?3 = '' OR record.host = ?3) \
             AND (?4 = '' OR coalesce(nullif(record.observed_at, ''), record.recorded_at) >= ?4) \
             AND (?5 = '' OR coalesce(nullif(record.observed_at, ''), record.recorded_at) < ?5)",
        )?;
        let time = |at: Option<Timestamp>| at.map(crate::ledger::instant).unwrap_or_default();
        let text = |value: &Option<String>| value.clone().unwrap_or_default();
        let rows = statement.query_map(
            params![
                text(&query.session),
                text(&query.agent),
                text(&query.machine),
                time(query.since),
                time(query.until)
            ],
            |row| row.get::<_, i64>(0),
        )?;
        Ok(Some(rows.map(|seq| seq.map(i64::unsigned_abs)).collect::<rusqlite::Result<_>>()?))
    }

    fn scored(&self, query: &Query, terms: &[Term], candidates: Vec<Candidate>) -> Result<Vec<Hit>> {
        let whole = query.text.trim().trim_matches('"').to_lowercase();
        let weights = weights(terms, &candidates);
        let mut hits: Vec<Hit> = Vec::new();
        for candidate in &candidates {
            let (seq, kind, part) = of_row(candidate.row);
            let Some(hit) = self.hit(query, terms, &weights, &whole, (seq, kind, part), candidate)? else { continue };
            hits.push(hit);
        }
        lend(&mut hits);
        hits.sort_by(|a, b| b.score.total_cmp(&a.score).then(b.at.cmp(&a.at)).then(a.record.cmp(&b.record)));
        hits.truncate(query.limit);
        for (index, hit) in hits.iter_mut().enumerate() {
            hit.rank = index + 1;
            hit.score = (hit.score * 1000.0).round() / 1000.0;
            if query.context > 0 {
                hit.context = self.around(hit.record, query.context)?;
            }
        }
        Ok(hits)
    }

    fn hit(
        &self,
        query: &Query,
        terms: &[Term],
        weights: &[f64],
        whole: &str,
        (seq, kind, part): (u64, DocKind, i64),
        candidate: &Candidate,
    ) -> Result<Option<Hit>> {
        let Some(record) = self.record_of(seq)? else { return Ok(None) };
        let kept = docs::Kept { kind: &record.kind, id: &record.id, source: &record.source, locator: &record.locator };
        let recorded = (record.source == "session")
            .then(|| serde_json::from_slice::<crate::RecordedEntry>(&record.body).ok())
            .flatten();
        let all = match &recorded {
            Some(recorded) => docs::of_entry(recorded),
            None => docs::of_record(&kept, &record.body),
        };
        let Some(doc) = all.into_iter().find(|doc| doc.part == part && doc.kind == kind) else { return Ok(None) };
        let lower = doc.text.to_lowercase();
        if terms.iter().any(|term| term.is_required && !words_of(&lower).contains(&words_of(&term.text))) {
            return Ok(None);
        }
        let mut score = score(&lower, &doc.place.to_lowercase(), whole, terms, weights, candidate.holds);
        if doc.is_injected {
            score *= 0.4;
        }
        let mut hit = Hit {
            rank: 0,
            score,
            kind,
            session: None,
            title: None,
            message: None,
            tool_call: doc.call.map(str::to_owned),
            at: record.at,
            machine: Some(record.machine).filter(|m| !m.is_empty()),
            agent: None,
            subagent: None,
            exit_code: None,
            status: None,
            text: excerpt(&doc.text, &lower, whole, terms),
            path: Some(doc.place.clone()).filter(|place| !place.is_empty()),
            raw: RawHit::default(),
            evidence: record.id.clone(),
            context: Vec::new(),
            record: seq,
        };
        if let Some(recorded) = &recorded {
            self.fill(&mut hit, recorded, seq)?;
        }
        if kind == DocKind::Incident {
            hit.message = Some(record.id.clone());
        }
        Ok(passes(query, &hit).then_some(hit))
    }

    fn fill(&self, hit: &mut Hit, recorded: &crate::RecordedEntry, seq: u64) -> Result<()> {
        let entry = &recorded.entry;
        hit.session = Some(entry.session.clone()).filter(|s| !s.is_empty());
        hit.message = Some(entry.id.clone()).filter(|id| !id.is_empty());
        hit.agent = Some(recorded.from.agent.clone()).filter(|a| !a.is_empty());
        hit.subagent = Some(entry.subagent.clone()).filter(|s| !s.is_empty());
        let (sha256, hmac) = match &recorded.hash {
            ContentHash::Sha256(digits) => (Some(digits.clone()), None),
            ContentHash::Hmac(digits) => (None, Some(digits.clone())),
        };
        hit.raw = RawHit {
            file: Some(recorded.from.path.clone()),
            offset: Some(entry.raw.offset),
            len: Some(entry.raw.len),
            sha256,
            hmac,
        };
        let connection = self.connection();
        let session: Option<(i64, String, String)> = connection
            .prepare_cached(
                "SELECT session.id, session.about, session.agent FROM entry JOIN session ON session.id = entry.session \
                 WHERE entry.seq = ?1",
            )?
            .query_row([seq as i64], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
            .optional()?;
        let Some((id, about, agent)) = session else { return Ok(()) };
        let about: coroner_model::entry::About<coroner_model::Redacted> =
            serde_json::from_str(&about).unwrap_or_default();
        hit.title = about.title.map(|title| title.as_str().to_owned());
        hit.agent = hit.agent.take().or(Some(agent).filter(|a| !a.is_empty()));
        if hit.path.is_none() {
            hit.path = about.cwd.map(|cwd| cwd.as_str().to_owned());
        }
        if let Some(call) = &hit.tool_call {
            let ended: Option<(String, Option<i64>)> = connection
                .prepare_cached("SELECT status, exit_code FROM call WHERE session = ?1 AND native = ?2")?
                .query_row(params![id, call], |row| Ok((row.get(0)?, row.get(1)?)))
                .optional()?;
            if let Some((status, exit_code)) = ended {
                (hit.status, hit.exit_code) = (Some(status), exit_code);
            }
        }
        Ok(())
    }

    fn record_of(&self, seq: u64) -> Result<Option<Header>> {
        let connection = self.connection();
        let header = connection
            .prepare_cached("SELECT kind, id, source, locator, observed_at, host, body FROM record WHERE seq = ?1 AND body IS NOT NULL")?
            .query_row([seq as i64], |row| {
                Ok(Header {
                    kind: row.get(0)?,
                    id: row.get(1)?,
                    source: row.get(2)?,
                    locator: row.get(3)?,
                    at: row.get::<_, String>(4)?.parse().ok(),
                    machine: row.get(5)?,
                    body: row.get(6)?,
                })
            })
            .optional()?;
        Ok(header)
    }

    /// The turns around a record in its session.
    fn around(&self, seq: u64, count: usize) -> Result<Vec<Turn>> {
        let seqs: Vec<i64> = {
            let connection = self.connection();
            let mut statement = connection.prepare_cached(
                "SELECT seq FROM (SELECT e.seq AS seq FROM entry e JOIN entry h ON h.session = e.session \
                 WHERE h.seq = ?1 AND e.seq < ?1 ORDER BY e.seq DESC LIMIT ?2) \
                 UNION ALL SELECT seq FROM (SELECT e.seq AS seq FROM entry e JOIN entry h ON h.session = e.session \
                 WHERE h.seq = ?1 AND e.seq > ?1 ORDER BY e.seq LIMIT ?2) ORDER BY 1",
            )?;
            let rows = statement.query_map(params![seq as i64, count as i64], |row| row.get(0))?;
            rows.collect::<rusqlite::Result<_>>()?
        };
        let mut turns = Vec::new();
        for seq in seqs {
            let Some(recorded) = self.recorded(seq.unsigned_abs())? else { continue };
            let told = recorded.entry.told();
            let role = recorded.entry.message.as_ref().map(|said| said.role);
            turns.push(Turn {
                message: recorded.entry.id.clone(),
                at: recorded.entry.at,
                role: role.map_or("", coroner_model::session::Role::as_str).to_owned(),
                text: cut(told.as_str(), 0, EXCERPT_BYTES_MAX),
            });
        }
        Ok(turns)
    }
}

/// A record as ranking needs it.
struct Header {
    kind: String,
    id: String,
    source: String,
    locator: String,
    at: Option<Timestamp>,
    machine: String,
    body: Vec<u8>,
}

fn passes(query: &Query, hit: &Hit) -> bool {
    let path = query.path.as_ref().is_none_or(|part| {
        hit.path.as_ref().is_some_and(|path| path.contains(part.as_str())) || hit.text.contains(part.as_str())
    });
    let exit = match query.exit {
        None => true,
        Some(Exit::Code(code)) => hit.exit_code == Some(code),
        Some(Exit::Failed) => hit.status.as_deref() == Some("error") || hit.exit_code.is_some_and(|code| code != 0),
        Some(Exit::Succeeded) => hit.status.as_deref() == Some("ok"),
    };
    path && exit
}

/// The documents of one shard that hold the most of the rarest words.
fn of_shard(
    index: &Connection,
    terms: &[Term],
    kinds: &[DocKind],
    allowed: Option<&std::collections::HashSet<u64>>,
) -> Result<Vec<Candidate>> {
    let total: i64 = index.query_row("SELECT count(*) FROM doc", [], |row| row.get(0))?;
    let fits = |row: i64| {
        let (seq, kind, _) = of_row(row);
        kinds.contains(&kind) && allowed.is_none_or(|allowed| allowed.contains(&seq))
    };
    let mut lists: Vec<(usize, Vec<i64>)> = Vec::new();
    for (bit, term) in terms.iter().enumerate() {
        let mut statement = index.prepare_cached("SELECT rowid FROM doc WHERE doc MATCH ?1")?;
        let rows: Vec<i64> = statement.query_map([&term.search], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
        lists.push((bit, rows));
    }
    lists.sort_by_key(|(bit, rows)| (rows.len(), *bit));
    let mut candidates: HashMap<i64, Candidate> = HashMap::new();
    for (place, (bit, rows)) in lists.iter().enumerate() {
        let frequency = rows.len() as f64;
        let weight = (1.0 + (total as f64 - frequency + 0.5).max(0.0) / (frequency + 0.5)).ln();
        let is_common = rows.len() > COMMON_COUNT && place > 0 && !candidates.is_empty();
        for &row in rows {
            if is_common {
                if let Some(candidate) = candidates.get_mut(&row) {
                    candidate.weight += weight;
                    candidate.holds |= 1 << bit;
                }
            } else if fits(row) {
                let candidate = candidates.entry(row).or_insert(Candidate { row, weight: 0.0, holds: 0 });
                candidate.weight += weight;
                candidate.holds |= 1 << bit;
            }
        }
    }
    let mut found: Vec<Candidate> = candidates.into_values().collect();
    settle_ties(index, terms, &mut found)?;
    best(&mut found, CANDIDATES_COUNT_MAX);
    Ok(found)
}

/// Where more documents hold the same words than are read, the engine's own ranking decides.
fn settle_ties(index: &Connection, terms: &[Term], found: &mut [Candidate]) -> Result<()> {
    let Some(top) = found.iter().map(|c| c.weight).reduce(f64::max) else { return Ok(()) };
    let tied: Vec<&Candidate> = found.iter().filter(|c| c.weight >= top - 1e-9).collect();
    if tied.len() <= CANDIDATES_COUNT_MAX || tied.len() > RANKED_COUNT_MAX {
        return Ok(());
    }
    let holds = tied[0].holds;
    let words: Vec<&str> =
        terms.iter().enumerate().filter(|(bit, _)| holds & (1 << bit) != 0).map(|(_, t)| t.search.as_str()).collect();
    let mut statement = index.prepare("SELECT rowid FROM doc WHERE doc MATCH ?1 ORDER BY rank LIMIT ?2")?;
    let ranked = statement
        .query_map(params![words.join(" AND "), RANKED_COUNT_MAX as i64], |row| row.get::<_, i64>(0))?
        .collect::<rusqlite::Result<Vec<_>>>()?;
    let places: HashMap<i64, usize> = ranked.into_iter().enumerate().map(|(place, row)| (row, place)).collect();
    for candidate in found.iter_mut() {
        if let Some(place) = places.get(&candidate.row) {
            candidate.weight += 1e-3 / (1.0 + *place as f64);
        }
    }
    Ok(())
}

/// Keeps the candidates with the most weight, the newest of equals.
fn best(candidates: &mut Vec<Candidate>, count: usize) {
    let order = |a: &Candidate, b: &Candidate| b.weight.total_cmp(&a.weight).then(b.row.cmp(&a.row));
    if candidates.len() > count {
        candidates.select_nth_unstable_by(count, order);
        candidates.truncate(count);
    }
    candidates.sort_unstable_by(order);
}

/// How much each word tells, from how many of the candidates hold it.
fn weights(terms: &[Term], candidates: &[Candidate]) -> Vec<f64> {
    let total = candidates.len() as f64;
    (0..terms.len())
        .map(|bit| {
            let holding = candidates.iter().filter(|c| c.holds & (1 << bit) != 0).count() as f64;
            (1.0 + (total - holding + 0.5) / (holding + 0.5)).ln().max(0.2)
        })
        .collect()
}

fn score(lower: &str, place: &str, whole: &str, terms: &[Term], weights: &[f64], holds: u32) -> f64 {
    let length = 1.0 - LENGTH_SHARE + LENGTH_SHARE * (lower.len() as f64 / AVERAGE_BYTES).min(20.0);
    let mut sum = 0.0;
    let mut as_typed = 0.0;
    for (bit, term) in terms.iter().enumerate() {
        if holds & (1 << bit) == 0 {
            continue;
        }
        let count = lower.matches(term.stem.as_str()).take(50).count().max(1) as f64;
        sum += weights[bit] * count * (SATURATION + 1.0) / (count + SATURATION * length);
        if lower.contains(term.text.as_str()) {
            as_typed += weights[bit] * 0.3;
        }
        if place.contains(term.text.as_str()) {
            as_typed += weights[bit] * 0.5;
        }
    }
    let coverage = f64::from(holds.count_ones()) / terms.len().max(1) as f64;
    let mut score = (sum + as_typed) * (0.4 + 0.6 * coverage);
    if lower.contains(whole) {
        score += 4.0 * weights.iter().copied().fold(0.5, f64::max);
        score *= 1.5;
    }
    score
}

/// Turns beside each other lend each other a share of their score.
fn lend(hits: &mut [Hit]) {
    let before: Vec<(u64, Option<String>, f64)> =
        hits.iter().map(|hit| (hit.record, hit.session.clone(), hit.score)).collect();
    for hit in hits.iter_mut() {
        let near = before.iter().filter(|(record, session, _)| {
            *record != hit.record
                && session.is_some()
                && *session == hit.session
                && record.abs_diff(hit.record) <= NEIGHBOUR_RECORDS
        });
        let most = near.map(|(_, _, score)| *score).fold(0.0, f64::max);
        hit.score += NEIGHBOUR_SHARE * most.min(hit.score);
    }
}

/// The words of a text with one space between, for comparing phrases.
fn words_of(text: &str) -> String {
    let words: Vec<&str> = text.split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty()).collect();
    format!(" {} ", words.join(" "))
}

/// The text around the best match.
fn excerpt(text: &str, lower: &str, whole: &str, terms: &[Term]) -> String {
    // Places in the lower-case text fit the text itself only where no letter changed its length.
    let same = lower.len() == text.len();
    let place = same
        .then(|| {
            lower.find(whole).or_else(|| {
                let rarest = terms.iter().max_by_key(|term| term.text.len())?;
                lower.find(rarest.text.as_str()).or_else(|| lower.find(rarest.stem.as_str()))
            })
        })
        .flatten()
        .or_else(|| terms.iter().find_map(|term| text.to_lowercase().find(term.stem.as_str()).filter(|_| same)))
        .unwrap_or(0);
    cut(text, place.saturating_sub(EXCERPT_BYTES_MAX / 4), EXCERPT_BYTES_MAX)
}

fn cut(text: &str, from: usize, bytes_max: usize) -> String {
    if text.len() <= bytes_max {
        return text.to_owned();
    }
    let from = from.min(text.len() - bytes_max);
    let from = text.floor_char_boundary(from);
    let to = text.floor_char_boundary(from + bytes_max);
    let mut out = String::new();
    if from > 0 {
        out.push('…');
    }
    out.push_str(&text[from..to]);
    if to < text.len() {
        out.push('…');
    }
    out
}
