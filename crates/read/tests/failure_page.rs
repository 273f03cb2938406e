//! Whole pages through the reader: what they hold, and what they get wrong.

use std::collections::BTreeMap;

use coroner_model::incident::{IncidentStatus, ProblemKind};
use coroner_read::failure_page::{Page, read};

/// A file of the outside material, or `None` with a line that says so.
fn outside(path: &str) -> Option<String> {
    let root = std::env::var_os("CORONER_FIXTURES")?;
    std::fs::read_to_string(std::path::Path::new(&root).join(path)).ok()
}

fn kinds(page: &Page) -> BTreeMap<&'static str, usize> {
    let mut counts = BTreeMap::new();
    for problem in &page.problems {
        let name = match problem.kind {
            ProblemKind::StatusAsSeverity => "status-as-severity",
            ProblemKind::Undated => "undated",
            ProblemKind::Contradiction => "contradiction",
            ProblemKind::CountMismatch => "count-mismatch",
            ProblemKind::Order => "order",
            ProblemKind::Unreadable => "unreadable",
        };
        *counts.entry(name).or_default() += 1;
    }
    counts
}

#[test]
fn the_page_that_the_project_was_made_from() {
    let Some(text) = outside("seed/forensics.txt") else {
        println!("skipped: CORONER_FIXTURES is not set");
        return;
    };
    let page = read(&text, "forensics.txt").expect("a failure page");
    assert_eq!(page.incidents.len(), 29);
    for incident in &page.incidents {
        for field in [&incident.what_happened, &incident.root_cause, &incident.fix, &incident.lesson] {
            let field = field.as_deref().unwrap_or_else(|| panic!("{}: a label is missing", incident.id));
            assert!(text.contains(field), "{}: not on the page: {field}", incident.id);
        }
        assert!(text.contains(&incident.title) && incident.category.is_some() && !incident.sessions.is_empty());
        assert_eq!(incident.body, "");
    }
    assert_eq!(page.incidents.iter().filter(|i| i.data_lost.is_some()).count(), 1);
    assert_eq!(page.incidents.iter().filter(|i| i.recurring && i.date.is_none() && i.sessions == ["Multiple"]).count(), 2);
    let ungraded: Vec<_> = page.incidents.iter().filter(|i| i.severity.is_none()).collect();
    assert_eq!((ungraded.len(), ungraded[0].status), (1, IncidentStatus::Resolved));
    let want = [("contradiction", 1), ("count-mismatch", 2), ("order", 1), ("status-as-severity", 1), ("undated", 2)];
    assert_eq!(kinds(&page), BTreeMap::from(want));
}
