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

fn fixture(name: &str) -> Page {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name);
    read(&std::fs::read_to_string(&path).expect("fixture"), name).expect("a failure page")
}

#[test]
fn our_own_page_as_text() {
    let page = fixture("failure-page.txt");
    let ids: Vec<&str> = page.incidents.iter().map(|i| i.id.as_str()).collect();
    assert_eq!(ids, [
        "2026-03-14-mirror-job-emptied-the-photo-archive",
        "2026-03-20-offsite-copies-stopped-2-weeks",
        "2026-01-05-booking-form-unreachable-after-a-hand-made-container",
        "undated-new-routes-ignored-until-the-proxy-restarts",
        "2026-04-02-price-page-shipped-with-last-year-s-numbers",
    ]);
    let first = &page.incidents[0];
    assert!(first.what_happened.as_deref().is_some_and(|t| t.ends_with("Root cause: was first thought to be the disk.")));
    assert_eq!(first.root_cause.as_deref(), Some("The ignore rule matched no path, and nothing warned about that."));
    let second = &page.incidents[1];
    assert_eq!(second.root_cause.as_deref(), Some("One failed deletion ended the script before the copy. Fix attempts were made by hand."));
    assert_eq!((second.sessions.clone(), second.pattern_numbers.clone()), (vec!["33-B".to_owned()], vec![12]));
    let want = [("contradiction", 1), ("count-mismatch", 1), ("order", 1), ("status-as-severity", 1), ("undated", 1)];
    assert_eq!(kinds(&page), BTreeMap::from(want));
}

#[test]
fn html_gives_what_its_text_gives() {
    assert_eq!(fixture("failure-page.html"), fixture("failure-page.txt"));
}

#[test]
fn markdown_with_other_labels_gives_the_same_records() {
    let (markdown, text) = (fixture("failure-page.md"), fixture("failure-page.txt"));
    assert_eq!(markdown.incidents, text.incidents);
    assert_eq!(kinds(&markdown), kinds(&text));
}

/// What must be the same in an incident of the page and its counterpart in the casebook.
type Facts = (Option<String>, Option<coroner_model::Severity>, Option<coroner_model::Category>, Vec<String>, bool, Vec<u32>, bool);

fn facts(incidents: &[coroner_model::incident::Incident]) -> Vec<Facts> {
    let mut facts: Vec<Facts> = incidents
        .iter()
        .map(|i| (i.date.clone(), i.severity, i.category, i.sessions.clone(), i.recurring, i.pattern_numbers.clone(), i.data_lost.is_some()))
        .collect();
    facts.sort();
    facts
}

#[test]
fn the_casebook_keeps_the_facts_of_the_page_and_none_of_its_sentences() {
    let Some(text) = outside("seed/forensics.txt") else {
        println!("skipped: CORONER_FIXTURES is not set");
        return;
    };
    let page = read(&text, "forensics.txt").expect("a failure page");
    let book = coroner_read::casebook::incidents().expect("the casebook reads");
    assert_eq!(facts(&book), facts(&page.incidents));
    let words = |text: &str| text.split_whitespace().map(str::to_lowercase).collect::<Vec<_>>().join(" ");
    let source = words(&text);
    for incident in &book {
        let told = [&incident.what_happened, &incident.root_cause, &incident.data_lost, &incident.fix, &incident.lesson];
        for told in told.into_iter().flatten() {
            let told: Vec<String> = words(told).split(' ').map(str::to_owned).collect();
            for run in told.windows(8) {
                assert!(!source.contains(&run.join(" ")), "{}: copied: {}", incident.id, run.join(" "));
            }
        }
    }
}
