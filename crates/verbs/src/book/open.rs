//! Opens the book of a workspace: what its store and anti-patterns hold now.

use coroner_model::investigation::Investigation;
use coroner_store::EvidenceFilter;

use crate::book::{Book, Kept, PatternEntry};
use crate::library;
use crate::workspace::{WorkspaceError, WorkspaceRequest, open_store};

/// Investigations that a book holds, newest first.
const INVESTIGATION_COUNT_MAX: usize = 100;
/// Pieces of evidence behind citations that a book holds, newest first.
const EVIDENCE_COUNT_MAX: usize = 20_000;

/// Reads everything that pages show; what cannot be read is said in the book.
pub fn open(request: &WorkspaceRequest) -> Result<Book, WorkspaceError> {
    let (store, note) = open_store(request)?;
    let patterns = library::open(&request.home, &request.cwd);
    let mut could_not_read: Vec<String> = note.iter().map(ToString::to_string).collect();
    could_not_read.extend(patterns.errors.iter().map(ToString::to_string));
    let mut investigations = Vec::new();
    for kept in store.investigations(INVESTIGATION_COUNT_MAX)? {
        match kept.report.as_deref().map(serde_json::from_str::<Investigation>) {
            Some(Ok(report)) => investigations.push(Kept { id: kept.id, at: kept.created_at, report }),
            Some(Err(error)) => could_not_read.push(format!("investigation {}: {error}", kept.id)),
            None => could_not_read.push(format!("investigation {} was taken out", kept.id)),
        }
    }
    let filter = EvidenceFilter { limit: Some(EVIDENCE_COUNT_MAX), ..EvidenceFilter::default() };
    let evidence = store.list_evidence(&filter)?.into_iter().filter_map(|kept| kept.evidence());
    Ok(Book {
        incidents: store.incidents()?,
        patterns: PatternEntry::all(&patterns),
        investigations,
        evidence: evidence.map(|e| (e.id.clone(), e)).collect(),
        could_not_read,
    })
}
