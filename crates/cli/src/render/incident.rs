//! Incidents as text.

use coroner_model::incident::{IncidentList, Problem};
use coroner_verbs::incident::ImportReport;

/// One line an incident, then what the pages got wrong about themselves.
pub fn list(list: &IncidentList) {
    if list.incidents.is_empty() {
        println!("No incidents match.");
    }
    for incident in &list.incidents {
        let date = incident.date.as_deref().map_or("undated", |d| d.get(..10).unwrap_or(d));
        let severity = incident.severity.map_or("-", |s| s.as_str());
        println!("{date:<10}  {severity:<8}  {:<9}  {}  {}", incident.status.as_str(), incident.title, incident.id);
    }
    problems(&list.problems);
}

fn counted(count: usize, one: &str, several: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { several })
}

/// What an import added, and what the page got wrong about itself.
pub fn import(report: &ImportReport) {
    println!(
        "{}: {} ({} added, {} revised, {} unchanged), {} of a failure log ({} new)",
        report.file,
        counted(report.incidents, "incident", "incidents"),
        report.added.len(),
        report.revised.len(),
        report.unchanged,
        counted(report.drafts.len(), "entry", "entries"),
        report.drafts_added,
    );
    for id in &report.left {
        println!("Left as it was edited here: {id}");
    }
    if report.redactions > 0 {
        println!("A secret was taken out of {} texts", report.redactions);
    }
    problems(&report.problems);
}

fn problems(all: &[Problem]) {
    if all.is_empty() {
        return;
    }
    println!("\n{} that the page gets wrong about itself:", counted(all.len(), "thing", "things"));
    for problem in all {
        match &problem.incident {
            Some(id) => println!("  {}  {id}", problem.text),
            None => println!("  {}", problem.text),
        }
    }
}
