//! Where the book comes from: the store and the anti-patterns in force.
//!
//! A shelf keeps the book that it read last and reads it anew when a file behind
//! it has changed, so that each page shows the moment without reading everything.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use coroner_judge::pattern::Library;
use coroner_model::EvidenceId;
use coroner_model::investigation::Investigation;
use coroner_store::{Store, StoreError};

use super::{Book, Kept, PatternEntry, Trace};
use crate::library;
use crate::workspace::{WorkspaceError, WorkspaceRequest, open_store_to_read, store_path};

/// Most investigations that a book holds, the newest.
pub const INVESTIGATIONS_COUNT_MAX: usize = 200;
/// Most pieces of evidence that are looked up for a book.
pub const EVIDENCE_COUNT_MAX: usize = 20_000;

impl Book {
    /// Reads everything that a store and a library hold for reading.
    pub fn read(store: &Store, patterns: &Library) -> Result<Book, StoreError> {
        let mut book = Book::without_store(patterns);
        book.incidents = store.incidents()?;
        book.problems = store.problems()?;
        book.drafts = store.drafts()?;
        let kept = store.investigations(INVESTIGATIONS_COUNT_MAX)?;
        if kept.len() == INVESTIGATIONS_COUNT_MAX {
            book.could_not_read.push(format!("investigations before the newest {INVESTIGATIONS_COUNT_MAX}"));
        }
        for investigation in kept {
            // What was taken out has no report, and its id stays in the ledger alone.
            let Some(report) = investigation.report else { continue };
            match serde_json::from_str::<Investigation>(&report) {
                Ok(report) => {
                    book.investigations.push(Kept { id: investigation.id, at: investigation.created_at, report })
                }
                Err(error) => book.could_not_read.push(format!("investigation {}: {error}", investigation.id)),
            }
        }
        book.evidence = traces(store, &book.cited())?;
        Ok(book)
    }

    /// The anti-patterns alone, where no store was made yet.
    pub fn without_store(patterns: &Library) -> Book {
        Book {
            patterns: PatternEntry::all(patterns),
            could_not_read: patterns.errors.iter().map(|e| e.to_string()).collect(),
            ..Book::default()
        }
    }

    /// Every piece of evidence that an incident or investigation cites.
    fn cited(&self) -> BTreeSet<EvidenceId> {
        let of_incidents = self.incidents.iter().flat_map(|i| &i.evidence);
        let of_reports = self.investigations.iter().flat_map(|k| {
            let hypotheses = k.report.hypotheses.iter().flat_map(|h| {
                let reasons = h.because.iter().chain(&h.against).flat_map(|r| &r.evidence);
                let change = h.explained_by.iter().flat_map(|c| &c.evidence);
                reasons.chain(change).chain(h.lookalikes.iter().flat_map(|l| &l.evidence))
            });
            let timeline = k.report.timeline.iter().flat_map(|e| &e.evidence);
            hypotheses.chain(timeline).chain(&k.report.symptom.evidence)
        });
        of_incidents.chain(of_reports).map(|c| c.id.clone()).collect()
    }
}

/// What the store knows behind citations.
fn traces(store: &Store, ids: &BTreeSet<EvidenceId>) -> Result<BTreeMap<EvidenceId, Trace>, StoreError> {
    let mut traces = BTreeMap::new();
    for id in ids.iter().take(EVIDENCE_COUNT_MAX) {
        if let Some(kept) = store.evidence(id)? {
            let taken_out = kept.evidence().is_none().then(|| kept.text().to_owned());
            let trace = Trace { observed_at: kept.observed_at, hash: kept.hash_text(), host: kept.host, taken_out };
            traces.insert(id.clone(), trace);
        }
    }
    Ok(traces)
}

/// When a file or folder last changed, and its size.
type Stamp = Vec<(PathBuf, Option<(SystemTime, u64)>)>;

/// Hands over the book of the moment.
#[derive(Debug)]
pub struct Shelf {
    request: WorkspaceRequest,
    database: PathBuf,
    last: Mutex<Option<(Stamp, Arc<Book>)>>,
}

impl Shelf {
    /// A shelf over the store and the anti-patterns that a request names.
    pub fn new(request: WorkspaceRequest) -> Result<Shelf, WorkspaceError> {
        let path = store_path(&request)?;
        let is_file = path.extension().is_some_and(|e| e == "db");
        let database = if is_file { path } else { path.join(coroner_store::DATABASE_NAME) };
        Ok(Shelf { request, database, last: Mutex::new(None) })
    }

    /// The book as it is now; the one read last where nothing has changed since.
    pub fn book(&self) -> Result<Arc<Book>, WorkspaceError> {
        // Stamped before it is read: a change in between is then read once more, never missed.
        let stamp = self.stamp();
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, book)) = last.as_ref().filter(|(read, _)| *read == stamp) {
            return Ok(book.clone());
        }
        let patterns = library::open(&self.request.home, &self.request.cwd);
        let book = match open_store_to_read(&self.request) {
            Ok(store) => Book::read(&store, &patterns)?,
            Err(WorkspaceError::Store(StoreError::NotFound { .. })) => Book::without_store(&patterns),
            Err(error) => return Err(error),
        };
        let book = Arc::new(book);
        *last = Some((stamp, book.clone()));
        Ok(book)
    }

    /// The files behind the book with the state that they are in.
    fn stamp(&self) -> Stamp {
        let mut log = self.database.clone().into_os_string();
        log.push("-wal");
        let mut paths = vec![self.database.clone(), PathBuf::from(log)];
        let project = library::project_root(&self.request.cwd).map(|root| root.join(library::PROJECT_FOLDER));
        for folder in [Some(self.request.home.join("antipatterns")), project].into_iter().flatten() {
            let entries = std::fs::read_dir(&folder).into_iter().flatten().flatten();
            paths.extend(entries.map(|e| e.path()));
            paths.push(folder);
        }
        paths.sort();
        let state = |path: PathBuf| {
            let state = std::fs::metadata(&path).ok().and_then(|m| Some((m.modified().ok()?, m.len())));
            (path, state)
        };
        paths.into_iter().map(state).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use coroner_model::incident::Incident;
    use coroner_model::{Citation, ContentHash, Evidence, Redactor, Source};

    fn request(home: &std::path::Path) -> WorkspaceRequest {
        WorkspaceRequest { home: home.to_owned(), cwd: home.to_owned(), ..WorkspaceRequest::default() }
    }

    #[test]
    fn a_shelf_reads_what_changed_and_only_then() {
        let home = tempfile::tempdir().unwrap();
        let shelf = Shelf::new(request(home.path())).unwrap();
        let empty = shelf.book().unwrap();
        assert!(empty.incidents.is_empty() && !empty.patterns.is_empty());
        assert!(Arc::ptr_eq(&empty, &shelf.book().unwrap()));
        let store = Store::open(&home.path().join("store")).unwrap();
        let now = jiff::Timestamp::UNIX_EPOCH;
        for id in ["2026-01-01-a", "2026-01-02-b"] {
            let incident = Incident { id: id.into(), title: id.into(), ..Incident::default() };
            store.put_incident(&incident, now).unwrap();
            assert_eq!(shelf.book().unwrap().incidents.last().unwrap().title, id);
        }
        let folder = home.path().join("antipatterns");
        std::fs::create_dir(&folder).unwrap();
        std::fs::write(folder.join("broken.md"), "no header").unwrap();
        let book = shelf.book().unwrap();
        assert!(book.could_not_read[0].contains("broken.md"), "{:?}", book.could_not_read);
        assert_eq!(book.incidents.len(), 2);
    }

    #[test]
    fn evidence_that_was_taken_out_is_known_as_such() {
        let home = tempfile::tempdir().unwrap();
        let store = Store::open(&home.path().join("store")).unwrap();
        let now = jiff::Timestamp::UNIX_EPOCH;
        let citation = Citation::new(Source::Log, "logs/a.log:1".into(), "a line".into());
        let evidence = Evidence {
            id: citation.id.clone(),
            source: citation.source,
            locator: citation.locator.clone(),
            observed_at: None,
            host: "h".into(),
            hash: ContentHash::sha256(b"a line"),
            content: Redactor::new([1; 32]).redact("a line"),
        };
        store.append(&[evidence], now).unwrap();
        let incident = Incident { id: "x".into(), evidence: vec![citation.clone()], ..Incident::default() };
        store.put_incident(&incident, now).unwrap();
        let read = || Book::read(&store, &Library::default()).unwrap().evidence[&citation.id].clone();
        assert_eq!((read().taken_out, read().host.as_str()), (None, "h"));
        store.redact(&citation.id, "held a token", now).unwrap();
        assert_eq!(read().taken_out.as_deref(), Some("held a token"));
    }
}
