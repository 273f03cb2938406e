//! `evidence`: lists, shows, verifies, exports and redacts what the store keeps.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;

use coroner_model::{Answers, Citation, ContentHash, Document, Evidence, EvidenceId, Redactor, Source};
pub use coroner_store::{Appended, CustodyReport, KeptEvidence, Redaction};
use coroner_store::{EvidenceFilter, Store, StoreError};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::workspace::Workspace;

/// The schema that a list of evidence carries.
pub const EVIDENCE_SCHEMA: &str = "coroner/evidence/v1";
/// Pieces of evidence that a list gives unless asked for more.
pub const LIST_COUNT_DEFAULT: usize = 100;
/// Ids named where the first digits fit several.
const CANDIDATE_COUNT_MAX: usize = 5;

/// What `evidence list` is asked for.
#[derive(Clone, Debug, Default)]
pub struct EvidenceListRequest {
    /// Only from these kinds of place; empty for all.
    pub sources: Vec<Source>,
    pub since: Option<Timestamp>,
    pub until: Option<Timestamp>,
    /// The newest so many; [`LIST_COUNT_DEFAULT`] where absent.
    pub limit: Option<usize>,
}

/// What `evidence list` and `evidence show` answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EvidenceList {
    pub schema: String,
    /// Pieces of evidence in the store, listed or not.
    pub total: u64,
    /// In the order in which they were recorded.
    pub evidence: Vec<KeptEvidence>,
}

/// What `evidence redact` answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RedactReport {
    pub schema: String,
    #[serde(flatten)]
    pub redaction: Redaction,
}

/// Why an evidence verb cannot answer.
#[derive(Debug, thiserror::Error)]
pub enum EvidenceError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("no evidence has the id {id}")]
    Unknown { id: String },
    #[error("several pieces of evidence begin with {id}: {}", candidates.join(", "))]
    Ambiguous { id: String, candidates: Vec<String> },
}

impl EvidenceError {
    /// What a person can do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            EvidenceError::Store(error) => error.hint().unwrap_or_default(),
            EvidenceError::Unknown { .. } => "`coroner evidence list` shows the ids",
            EvidenceError::Ambiguous { .. } => "give more digits",
        }
    }
}

/// Keeps what a report cites, so that it can be looked up when the log is long gone.
///
/// What is known by its id is left as it is.
pub fn keep(ws: &Workspace, answers: &Answers, citations: &[Citation]) -> Result<Appended, EvidenceError> {
    let redactor = ws.world.redactor();
    let documents: BTreeMap<&str, &Document> =
        answers.iter().filter_map(|(_, answer)| answer.as_ref().ok()).flatten().map(|d| (d.path.as_str(), d)).collect();
    let evidence: Vec<Evidence> = citations
        .iter()
        .map(|citation| backing(citation, document_of(&documents, &citation.locator), &redactor))
        .collect();
    Ok(ws.store.append(&evidence, ws.now)?)
}

/// The evidence behind a citation.
fn backing(citation: &Citation, document: Option<&Document>, redactor: &Redactor) -> Evidence {
    // A text from no document stands for itself; it may hold tokens, so its hash is keyed.
    let own_hash = || ContentHash::hmac(redactor.hash_key(), citation.text.as_bytes());
    Evidence {
        id: citation.id.clone(),
        source: citation.source,
        locator: citation.locator.clone(),
        observed_at: document.and_then(|d| d.observed_at),
        host: document.map(|d| d.host.clone()).unwrap_or_default(),
        hash: document.map_or_else(own_hash, |d| d.hash.clone()),
        content: redactor.rewrap(&citation.text),
    }
}

/// The document that `path`, `path:line` or `path#/pointer` names; the longest path wins.
fn document_of<'d>(documents: &BTreeMap<&str, &'d Document>, locator: &str) -> Option<&'d Document> {
    let ends = locator.char_indices().filter(|(_, c)| matches!(c, ':' | '#')).map(|(at, _)| at);
    let mut ends: Vec<usize> = ends.chain([locator.len()]).collect();
    ends.reverse();
    ends.into_iter().find_map(|end| documents.get(&locator[..end]).copied())
}

/// Lists evidence, the newest pieces of it.
pub fn list(store: &Store, request: &EvidenceListRequest) -> Result<EvidenceList, EvidenceError> {
    let filter = EvidenceFilter {
        sources: request.sources.clone(),
        since: request.since,
        until: request.until,
        limit: Some(request.limit.unwrap_or(LIST_COUNT_DEFAULT)),
    };
    let evidence = store.list_evidence(&filter)?;
    Ok(EvidenceList { schema: EVIDENCE_SCHEMA.to_owned(), total: store.evidence_count()?, evidence })
}

/// Shows one piece of evidence, by its id or the first digits of it.
pub fn show(store: &Store, id: &str) -> Result<EvidenceList, EvidenceError> {
    let unknown = || EvidenceError::Unknown { id: id.to_owned() };
    let evidence = store.evidence(&resolve(store, id)?)?.ok_or_else(unknown)?;
    Ok(EvidenceList { schema: EVIDENCE_SCHEMA.to_owned(), total: store.evidence_count()?, evidence: vec![evidence] })
}

/// Verifies the store at a path, also one that is too damaged to be opened.
pub fn verify(path: &Path) -> Result<CustodyReport, EvidenceError> {
    Ok(coroner_store::custody::verify(path)?)
}

/// Writes all evidence with its chain and signatures as JSON Lines and gives the number of records.
pub fn export(store: &Store, out: &mut impl Write) -> Result<u64, EvidenceError> {
    Ok(store.export(out)?)
}

/// Takes a secret out that was missed: the content goes, a tombstone stays.
pub fn redact(store: &Store, id: &str, reason: &str, now: Timestamp) -> Result<RedactReport, EvidenceError> {
    let redaction = store.redact(&resolve(store, id)?, reason, now)?;
    Ok(RedactReport { schema: EVIDENCE_SCHEMA.to_owned(), redaction })
}

/// The one id that begins so.
fn resolve(store: &Store, id: &str) -> Result<EvidenceId, EvidenceError> {
    let unknown = || EvidenceError::Unknown { id: id.to_owned() };
    let prefix = id.trim().to_ascii_lowercase();
    if prefix.is_empty() {
        return Err(unknown());
    }
    let found = store.evidence_ids(&prefix, CANDIDATE_COUNT_MAX)?;
    match found.as_slice() {
        [] => Err(unknown()),
        [one] => Ok(one.clone()),
        several => match several.iter().find(|found| found.as_str() == prefix) {
            Some(exact) => Ok(exact.clone()),
            None => Err(EvidenceError::Ambiguous {
                id: id.to_owned(),
                candidates: several.iter().map(ToString::to_string).collect(),
            }),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn store_with(lines: &[&str]) -> (tempfile::TempDir, Store, Vec<EvidenceId>) {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let evidence: Vec<Evidence> = lines.iter().enumerate().map(|(n, text)| of_line(n, text)).collect();
        store.append(&evidence, Timestamp::UNIX_EPOCH).unwrap();
        let ids = evidence.into_iter().map(|e| e.id).collect();
        (folder, store, ids)
    }

    fn of_line(n: usize, text: &str) -> Evidence {
        let citation = Citation::new(Source::Log, format!("logs/app.log:{n}"), text.to_owned());
        Evidence {
            id: citation.id,
            source: citation.source,
            locator: citation.locator,
            observed_at: None,
            host: String::new(),
            hash: ContentHash::sha256(text.as_bytes()),
            content: Redactor::new([1; 32]).redact(text),
        }
    }

    fn document(path: &str, text: &str) -> Document {
        Document {
            path: path.to_owned(),
            observed_at: Some(Timestamp::UNIX_EPOCH),
            host: "box".to_owned(),
            text: Redactor::new([1; 32]).redact(text),
            hash: ContentHash::sha256(text.as_bytes()),
            bytes_left_out: 0,
            first_line: 1,
        }
    }

    #[test]
    fn a_citation_is_backed_by_the_document_that_it_names() {
        let (log, table) = (document("logs/a:b.log", "one\ntwo"), document("docker/inspect.json", "[]"));
        let documents = BTreeMap::from([(log.path.as_str(), &log), (table.path.as_str(), &table)]);
        for citation in [log.cite_line(2), log.cite_whole("all")] {
            assert_eq!(document_of(&documents, &citation.locator), Some(&log));
        }
        assert_eq!(document_of(&documents, "docker/inspect.json#/0/State:x"), Some(&table));
        assert_eq!(document_of(&documents, "docker/inspect"), None);
        let redactor = Redactor::new([1; 32]);
        let backed = backing(&log.cite_line(2), Some(&log), &redactor);
        assert_eq!((backed.content.as_str(), backed.host.as_str(), &backed.hash), ("two", "box", &log.hash));
        assert!(matches!(backing(&log.cite_line(1), None, &redactor).hash, ContentHash::Hmac(_)));
    }

    #[test]
    fn first_digits_are_enough_and_several_are_named() {
        let (_folder, store, ids) = store_with(&["one", "two"]);
        let shown = show(&store, &ids[0].as_str()[..8]).unwrap();
        assert_eq!((shown.evidence[0].id.clone(), shown.total), (ids[0].clone(), 2));
        assert!(matches!(show(&store, "").unwrap_err(), EvidenceError::Unknown { .. }));
        assert!(matches!(show(&store, "zzz").unwrap_err(), EvidenceError::Unknown { .. }));
    }

    #[test]
    fn a_list_is_bounded_and_says_how_many_there_are() {
        let (_folder, store, ids) = store_with(&["one", "two", "three"]);
        let listed = list(&store, &EvidenceListRequest { limit: Some(1), ..Default::default() }).unwrap();
        assert_eq!((listed.total, &listed.evidence[0].id), (3, &ids[2]));
        let json = serde_json::to_value(&listed).unwrap();
        assert_eq!(json["evidence"][0]["state"], "kept");
        assert_eq!(json["evidence"][0]["text"], "three");
    }

    #[test]
    fn a_redaction_verifies_and_says_what_else_holds_the_text() {
        let (folder, store, ids) = store_with(&["the same long text", "the same long text", "other"]);
        let report = redact(&store, ids[0].as_str(), "it names a person", Timestamp::UNIX_EPOCH).unwrap();
        assert_eq!(report.redaction.also_in, [ids[1].clone()]);
        let custody = verify(folder.path()).unwrap();
        assert_eq!((custody.problems.len(), custody.records, custody.removed), (0, 4, 1));
        let json = serde_json::to_value(&custody).unwrap();
        assert_eq!(json["schema"], "coroner/custody/v1");
        assert_eq!(
            serde_json::to_value(show(&store, ids[0].as_str()).unwrap()).unwrap()["evidence"][0]["why"],
            "redacted"
        );
    }
}
