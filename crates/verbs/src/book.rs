//! The book: everything that a reader may look up, as plain data read in one go.
//!
//! A face renders it and asks nothing else of the workspace, so the same book
//! gives the same pages.

pub mod filter;
pub mod method;
pub mod pattern;
pub mod shelf;
pub mod similar;

use std::collections::BTreeMap;

use coroner_model::incident::{Incident, PatternDraft, Problem};
use coroner_model::investigation::Investigation;
use coroner_model::{Category, EvidenceId, IncidentId, InvestigationId, PatternId};
use jiff::Timestamp;

pub use filter::{Facet, FacetCount, Filter, Loosened, Order, Shown};
pub use method::{STEPS, StepText};
pub use pattern::PatternEntry;
pub use shelf::Shelf;
pub use similar::{Similar, similar};

/// All that a workspace holds for reading.
#[derive(Clone, Debug, Default)]
pub struct Book {
    /// In any order; pages order them.
    pub incidents: Vec<Incident>,
    /// In the order of their ids.
    pub patterns: Vec<PatternEntry>,
    /// Newest first.
    pub investigations: Vec<Kept>,
    /// What the store knows of the evidence that is cited.
    pub evidence: BTreeMap<EvidenceId, Trace>,
    /// What pages got wrong about themselves.
    pub problems: Vec<Problem>,
    /// Entries of failure logs that became no anti-pattern yet.
    pub drafts: Vec<PatternDraft>,
    /// What could not be read while the book was made, in sentences.
    pub could_not_read: Vec<String>,
}

/// An investigation that was kept.
#[derive(Clone, Debug)]
pub struct Kept {
    pub id: InvestigationId,
    /// When it was made; `None` where the store does not say.
    pub at: Option<Timestamp>,
    pub report: Investigation,
}

/// When and where a piece of evidence was seen, and what became of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trace {
    pub observed_at: Option<Timestamp>,
    /// Empty where unknown.
    pub host: String,
    /// The kind of hash and its digits.
    pub hash: String,
    /// Why its content was taken out; it must not be shown from elsewhere either.
    pub taken_out: Option<String>,
}

impl Book {
    /// The incident of that id.
    pub fn incident(&self, id: &str) -> Option<&Incident> {
        self.incidents.iter().find(|i| i.id.as_str() == id)
    }

    /// The anti-pattern of that id.
    pub fn pattern(&self, id: &str) -> Option<&PatternEntry> {
        self.patterns.iter().find(|p| p.id.as_str() == id)
    }

    /// The kept investigation of that id.
    pub fn investigation(&self, id: &str) -> Option<&Kept> {
        self.investigations.iter().find(|k| k.id.as_str() == id)
    }

    /// Anti-patterns that list the incident, that it names by number, or that a person linked.
    pub fn patterns_of(&self, incident: &Incident) -> Vec<&PatternEntry> {
        self.patterns.iter().filter(|p| concerns(p, incident)).collect()
    }

    /// Incidents in which the anti-pattern happened, oldest first.
    pub fn incidents_of(&self, pattern: &PatternEntry) -> Vec<&Incident> {
        let mut found: Vec<_> = self.incidents.iter().filter(|i| concerns(pattern, i)).collect();
        found.sort_by(|a, b| filter::by_time(a, b));
        found
    }

    /// Ids that the pattern lists and no incident of the book has.
    pub fn absent_incidents<'a>(&self, pattern: &'a PatternEntry) -> Vec<&'a IncidentId> {
        pattern.incidents.iter().filter(|id| self.incident(id.as_str()).is_none()).collect()
    }

    /// Kept investigations in which a hypothesis names the pattern.
    pub fn investigations_of(&self, pattern: &PatternId) -> Vec<&Kept> {
        let names = |k: &&Kept| k.report.hypotheses.iter().any(|h| h.pattern.as_ref() == Some(pattern));
        self.investigations.iter().filter(names).collect()
    }

    /// The draft of a failure log under that number.
    pub fn draft(&self, number: u32) -> Option<&PatternDraft> {
        self.drafts.iter().find(|d| d.number == Some(number))
    }

    /// Incidents of a category, oldest first; `None`: those without one.
    pub fn incidents_in(&self, category: Option<Category>) -> Vec<&Incident> {
        let mut found: Vec<_> = self.incidents.iter().filter(|i| i.category == category).collect();
        found.sort_by(|a, b| filter::by_time(a, b));
        found
    }

    /// Anti-patterns of a category in the order of their ids.
    pub fn patterns_in(&self, category: Category) -> Vec<&PatternEntry> {
        self.patterns.iter().filter(|p| p.category == category).collect()
    }
}

/// Whether a pattern and an incident belong together, whichever side says so.
fn concerns(pattern: &PatternEntry, incident: &Incident) -> bool {
    pattern.incidents.contains(&incident.id)
        || incident.patterns.contains(&pattern.id)
        || pattern.number.is_some_and(|n| incident.pattern_numbers.contains(&n))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn either_side_can_hold_the_link() {
        let listed = PatternEntry { incidents: vec!["2026-01-02-a".into()], ..PatternEntry::made_up("p-one") };
        let numbered = PatternEntry { number: Some(59), ..PatternEntry::made_up("p-two") };
        let other = PatternEntry { number: Some(60), ..PatternEntry::made_up("p-three") };
        let incident = Incident { id: "2026-01-02-a".into(), pattern_numbers: vec![59], ..Incident::default() };
        let book = Book { patterns: vec![listed, numbered, other], incidents: vec![incident], ..Book::default() };
        let of = book.patterns_of(&book.incidents[0]);
        assert_eq!(of.iter().map(|p| p.id.as_str()).collect::<Vec<_>>(), ["p-one", "p-two"]);
        assert!(book.incidents_of(&book.patterns[2]).is_empty());
        assert!(book.absent_incidents(&book.patterns[0]).is_empty());
    }
}
