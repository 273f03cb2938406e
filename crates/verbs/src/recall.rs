//! `recall`: one ranked question over everything that is kept.

use std::time::Instant;

use coroner_store::search::{DocKind, Exit, Hit, Query, QueryError};
use coroner_store::{Store, StoreError};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// The schema of an answer.
pub const RECALL_SCHEMA: &str = "coroner/recall/v1";

/// Hits that are given where no number is asked for.
const LIMIT: usize = 10;
/// Most hits of one query.
const LIMIT_MAX: usize = 1_000;

/// What the answer may be; the fields of a batch line carry the options' names.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Filters {
    pub limit: Option<usize>,
    /// Names of kinds; empty for all.
    #[serde(deserialize_with = "listed")]
    pub kind: Vec<String>,
    pub session: Option<String>,
    pub agent: Option<String>,
    pub machine: Option<String>,
    pub path: Option<String>,
    /// An exit code, `failed` or `ok`.
    pub exit: Option<String>,
    pub since: Option<Timestamp>,
    pub until: Option<Timestamp>,
    /// Turns before and after each hit.
    pub context: Option<usize>,
}

/// What was found.
#[derive(Clone, Debug, Serialize)]
pub struct RecallReport {
    pub schema: &'static str,
    pub query: String,
    /// `lexical`, or `hybrid` where meaning was compared too.
    pub mode: &'static str,
    pub hits: Vec<Hit>,
    /// What the answer may lack.
    pub could_not_look: Vec<String>,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum RecallError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Query(#[from] QueryError),
}

/// Answers a query; brings the search index up to the ledger first.
pub fn recall(store: &Store, query: &Query) -> Result<RecallReport, RecallError> {
    let mut found = store.search(query)??;
    if found.behind > 0
        && !store.is_read_only()
        && let Some(indexer) = store.indexer()?
    {
        indexer.finish()?;
        found = store.search(query)??;
    }
    let behind = match found.behind {
        0 => None,
        records => Some(format!("the search index lacks {records} records that another process is adding")),
    };
    Ok(RecallReport {
        schema: RECALL_SCHEMA,
        query: query.text.clone(),
        mode: "lexical",
        hits: found.hits,
        could_not_look: behind.into_iter().collect(),
    })
}

/// A query of a text and filters, or what is wrong with them.
pub fn query(text: String, filters: &Filters) -> Result<Query, String> {
    let exit = match filters.exit.as_deref() {
        None => None,
        Some("failed" | "error") => Some(Exit::Failed),
        Some("ok") => Some(Exit::Succeeded),
        Some(code) => Some(Exit::Code(
            code.parse().map_err(|_| format!("{code:?} is neither an exit code nor `failed` nor `ok`"))?,
        )),
    };
    Ok(Query {
        text,
        kinds: filters.kind.iter().map(|kind| kind.trim().parse::<DocKind>()).collect::<Result<_, _>>()?,
        session: filters.session.clone(),
        agent: filters.agent.clone(),
        machine: filters.machine.clone(),
        path: filters.path.clone(),
        exit,
        since: filters.since,
        until: filters.until,
        limit: filters.limit.unwrap_or(LIMIT).min(LIMIT_MAX),
        context: filters.context.unwrap_or(0),
    })
}

/// One line of a batch.
#[derive(Debug, Deserialize)]
struct Line {
    #[serde(default)]
    id: Value,
    query: String,
    #[serde(flatten)]
    filters: Filters,
}

/// Answers one line of a batch; a line that is no query is answered too.
pub fn answer_line(store: &Store, line: &str) -> Value {
    let begun = Instant::now();
    let (id, report) = match serde_json::from_str::<Line>(line) {
        Ok(asked) => {
            let query = query(asked.query, &asked.filters);
            (asked.id, query.and_then(|query| recall(store, &query).map_err(|error| error.to_string())))
        }
        Err(error) => {
            let id = serde_json::from_str::<Value>(line).ok().and_then(|value| value.get("id").cloned());
            (id.unwrap_or_default(), Err(error.to_string()))
        }
    };
    let answer = report.and_then(|report| serde_json::to_value(&report).map_err(|error| error.to_string()));
    let mut answer = answer.unwrap_or_else(
        |error| json!({ "schema": RECALL_SCHEMA, "mode": "lexical", "hits": [], "error": error, "could_not_look": [] }),
    );
    answer["id"] = id;
    answer["ms"] = json!((begun.elapsed().as_secs_f64() * 1e6).round() / 1e3);
    answer
}

/// Kinds as a list, or as one text with commas.
fn listed<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Kinds {
        None(()),
        One(String),
        Many(Vec<String>),
    }
    Ok(match Kinds::deserialize(deserializer)? {
        Kinds::None(()) => Vec::new(),
        Kinds::One(text) => text.split(',').filter(|kind| !kind.trim().is_empty()).map(str::to_owned).collect(),
        Kinds::Many(kinds) => kinds,
    })
}
