//! `investigate`: from a symptom to ranked causes, kept with the evidence that they cite.

use std::collections::BTreeMap;

use coroner_collect::World;
use coroner_judge::investigate::replay::Replay;
use coroner_judge::investigate::{self as reason, Judged, Request, Scope, ask, symptom};
use coroner_judge::pattern::Library;
use coroner_judge::postmortem;
use coroner_model::investigation::{Change, Hypothesis, Investigation};
use coroner_model::{Answers, Citation, ContentHash, EvidenceId, InvestigationId, Probe};
use coroner_store::{Store, StoreError};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::evidence::{self, EvidenceError};
use crate::look;
use crate::workspace::Workspace;

/// Digits of an investigation's id.
const ID_DIGITS: usize = 8;

/// What a person wants explained.
#[derive(Clone, Debug, Default)]
pub struct InvestigateRequest {
    /// A URL, a service, an error text, a log file, a time, or nothing.
    pub symptom: String,
    /// Logs to read; `-` is standard input.
    pub logs: Vec<String>,
    pub since: Option<Timestamp>,
    pub until: Option<Timestamp>,
    /// Look at nothing but the named logs.
    pub logs_only: bool,
}

/// An investigation with the id that it is kept under.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InvestigateReport {
    pub id: InvestigationId,
    #[serde(flatten)]
    pub investigation: Investigation,
    /// The states of the proven causes, as `incident learn` replays them; kept, not printed.
    #[serde(default, skip_serializing)]
    pub replays: Vec<Replay>,
    /// Why it could not be kept, where it could not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_kept: Option<String>,
}

/// Why nothing could be investigated.
#[derive(Debug, thiserror::Error)]
pub enum InvestigateError {
    #[error("the report cannot be written as JSON: {0}")]
    Json(#[from] serde_json::Error),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Evidence(#[from] EvidenceError),
    #[error("no investigation has the id {id}")]
    Unknown { id: String },
    #[error("several investigations begin with {id}")]
    Ambiguous { id: String },
    #[error("the report of {id} was taken out of the store")]
    Removed { id: String },
}

impl InvestigateError {
    /// What a person can do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            InvestigateError::Json(_) => "report this as a bug, with the casefile if you can",
            InvestigateError::Store(error) => error.hint().unwrap_or_default(),
            InvestigateError::Evidence(error) => error.hint(),
            InvestigateError::Unknown { .. } => "`coroner investigate` prints the id of each investigation at its end",
            InvestigateError::Ambiguous { .. } => "give more digits",
            InvestigateError::Removed { .. } => "investigate again",
        }
    }
}

/// Investigates and keeps what it found.
///
/// That it cannot be kept (a full disk) never hides what was found.
pub fn investigate(ws: &Workspace, request: &InvestigateRequest) -> Result<InvestigateReport, InvestigateError> {
    let (judged, answers) = look(&ws.world, &ws.patterns, request);
    let Judged { report: mut investigation, replays } = judged;
    let notes = ws.notes.iter().chain(ws.world.notes());
    investigation.could_not_look.extend(notes.cloned());
    investigation.could_not_look.sort();
    investigation.could_not_look.dedup();
    let id = id_of(&investigation)?;
    let mut report = InvestigateReport { id, investigation, replays, not_kept: None };
    report.not_kept = keep(ws, &report, &answers).err().map(|e| e.to_string());
    Ok(report)
}

/// Asks, looks and judges, at most four rounds; keeps nothing.
pub fn look(world: &World, patterns: &Library, request: &InvestigateRequest) -> (Judged, Answers) {
    let mut answers = Answers::new();
    let redactor = world.redactor();
    let mut question = Request {
        given: redactor.redact(&request.symptom).as_str().to_owned(),
        since: request.since,
        until: request.until,
        logs: request.logs.clone(),
        scope: if request.logs_only { Scope::Logs } else { Scope::Everything },
    };
    take_log_file(world, request, &mut question, &mut answers);
    look::rounds(world, &mut answers, Vec::new(), |answers| ask(&question, answers));
    (reason::judge(&question, &answers, patterns), answers)
}

/// A symptom that is the name of a readable file is a log.
fn take_log_file(world: &World, request: &InvestigateRequest, question: &mut Request, answers: &mut Answers) {
    let name = request.symptom.trim();
    let file_like = !name.is_empty() && name != "-" && !name.contains(char::is_whitespace) && name.contains(['/', '.']);
    if !file_like || name.contains("://") || symptom::time_of(name).is_some() {
        return;
    }
    let probe = Probe::LogFile { path: name.to_owned() };
    let answer = world.answer(&probe);
    if answer.as_ref().is_ok_and(|documents| !documents.is_empty()) {
        answers.insert(probe, answer);
        question.logs.push(name.to_owned());
        question.given = String::new();
    }
}

/// The id of a report: the same evidence has the same id.
fn id_of(investigation: &Investigation) -> Result<InvestigationId, InvestigateError> {
    let bytes = serde_json::to_vec(investigation)?;
    let hash = match ContentHash::sha256(&bytes) {
        ContentHash::Sha256(digits) | ContentHash::Hmac(digits) => digits,
    };
    Ok(InvestigationId::new(&hash[..ID_DIGITS]))
}

/// Keeps the cited evidence, then the report.
fn keep(ws: &Workspace, report: &InvestigateReport, answers: &Answers) -> Result<(), InvestigateError> {
    let cited = citations(&report.investigation);
    evidence::keep(ws, answers, &cited)?;
    let ids: Vec<EvidenceId> = cited.into_iter().map(|c| c.id).collect();
    let kept = Kept { investigation: report.investigation.clone(), replays: report.replays.clone() };
    ws.store.put_investigation(&report.id, &serde_json::to_string(&kept)?, &ids, ws.now)?;
    Ok(())
}

/// What the store keeps of an investigation: the report and, beside it, the replays.
#[derive(Serialize, Deserialize)]
struct Kept {
    #[serde(flatten)]
    investigation: Investigation,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    replays: Vec<Replay>,
}

/// Every citation of a report, each once, in a stable order.
pub fn citations(investigation: &Investigation) -> Vec<Citation> {
    let mut all: BTreeMap<EvidenceId, Citation> = BTreeMap::new();
    let mut add = |citations: &[Citation]| {
        for citation in citations {
            all.entry(citation.id.clone()).or_insert_with(|| citation.clone());
        }
    };
    add(&investigation.symptom.evidence);
    for hypothesis in &investigation.hypotheses {
        of_hypothesis(hypothesis, &mut add);
    }
    investigation.timeline.iter().for_each(|event| add(&event.evidence));
    investigation.coverage.iter().for_each(|part| add(&[postmortem::cite_coverage(part)]));
    all.into_values().collect()
}

fn of_hypothesis(hypothesis: &Hypothesis, add: &mut impl FnMut(&[Citation])) {
    hypothesis.because.iter().chain(&hypothesis.against).for_each(|reason| add(&reason.evidence));
    hypothesis.lookalikes.iter().for_each(|lookalike| add(&lookalike.evidence));
    if let Some(Change { evidence, .. }) = &hypothesis.explained_by {
        add(evidence);
    }
}

/// A kept investigation, by its id or the first digits of it; the newest for an empty id or `latest`.
pub fn kept(store: &Store, id: &str) -> Result<InvestigateReport, InvestigateError> {
    let id = if id.eq_ignore_ascii_case("latest") { "" } else { id };
    /// Most kept investigations that are looked through.
    const SEARCHED_MAX: usize = 1_000;
    let unknown = || InvestigateError::Unknown { id: id.to_owned() };
    let mut found: Vec<_> =
        store.investigations(SEARCHED_MAX)?.into_iter().filter(|k| k.id.as_str().starts_with(id)).collect();
    if id.is_empty() {
        found.truncate(1);
    }
    found.dedup_by(|a, b| a.id == b.id);
    if found.len() > 1 {
        return Err(InvestigateError::Ambiguous { id: id.to_owned() });
    }
    let one = found.pop().ok_or_else(unknown)?;
    let report = one.report.ok_or_else(|| InvestigateError::Removed { id: one.id.to_string() })?;
    let Kept { investigation, replays } = serde_json::from_str(&report)?;
    Ok(InvestigateReport { id: one.id, investigation, replays, not_kept: None })
}

/// A moment as people type it: RFC 3339, a date and time (UTC), or how long ago (`90m`, `2h`, `3d`).
pub fn moment(text: &str, now: Timestamp) -> Option<Timestamp> {
    let text = text.trim();
    if let Some(at) = symptom::time_of(text) {
        return Some(at);
    }
    let split = text.find(|c: char| !c.is_ascii_digit())?;
    let count: i64 = text[..split].parse().ok()?;
    let seconds = match text[split..].trim() {
        "s" | "sec" => 1,
        "m" | "min" => 60,
        "h" => 3_600,
        "d" => 86_400,
        _ => return None,
    };
    now.checked_sub(SignedDuration::from_secs(count.checked_mul(seconds)?)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_absolute_or_ago() {
        let now: Timestamp = "2026-03-04T10:00:00Z".parse().unwrap();
        assert_eq!(moment("2h", now), Some("2026-03-04T08:00:00Z".parse().unwrap()));
        assert_eq!(moment("2026-03-04T09:00:00Z", now), Some("2026-03-04T09:00:00Z".parse().unwrap()));
        assert_eq!(moment("2026-03-04 09:00", now), Some("2026-03-04T09:00:00Z".parse().unwrap()));
        assert_eq!(moment("soon", now), None);
    }
}
