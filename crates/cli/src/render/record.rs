//! What was recorded, as text.

use coroner_verbs::ingest::{IngestReport, State};

/// Most sources that are named one by one.
const SOURCES_SHOWN_MAX: usize = 20;

/// Counts of the run, what the store holds, and what could not be read.
pub fn report(report: &IngestReport) {
    println!(
        "{} sources: {} read, {} unchanged, {} skipped, {} failed",
        report.files, report.parsed, report.unchanged, report.skipped, report.failed
    );
    if report.parsed > 0 {
        println!(
            "Read {} lines: {} messages, {} tool calls; {} were held already; {} secrets replaced",
            report.lines, report.messages, report.tool_calls, report.duplicates, report.redactions
        );
    }
    for (agent, count) in by_agent(report) {
        println!("  {agent:<14} {count} sources");
    }
    if report.gone > 0 {
        println!("{} sources are gone; what was recorded of them stays", report.gone);
    }
    println!(
        "The store holds {} sessions, {} messages, {} tool calls, {} records of evidence",
        report.held.sessions, report.held.messages, report.held.tool_calls, report.held.evidence
    );
    could_not_read(report);
}

fn by_agent(report: &IngestReport) -> std::collections::BTreeMap<&str, usize> {
    let mut counts = std::collections::BTreeMap::new();
    for source in report.sources.iter().filter(|s| matches!(s.state, State::Parsed | State::Unchanged)) {
        let name = match source.agent.as_str() {
            "" if source.kind == "transcript" => "unnamed",
            "" => source.kind,
            agent => agent,
        };
        *counts.entry(name).or_default() += 1;
    }
    counts
}

fn could_not_read(report: &IngestReport) {
    let noted = report.sources.iter().filter(|s| s.state == State::Parsed && !s.why.is_empty());
    for source in noted.take(SOURCES_SHOWN_MAX) {
        println!("{}: {}", source.path, source.why);
    }
    let failed = report.sources.iter().filter(|s| s.state == State::Failed);
    for source in failed.take(SOURCES_SHOWN_MAX) {
        println!("Could not read {}: {}", source.path, source.why);
    }
    let skipped: Vec<_> = report.sources.iter().filter(|s| s.state == State::Skipped).collect();
    for source in skipped.iter().take(SOURCES_SHOWN_MAX) {
        println!("Skipped {}: {}", source.path, source.why);
    }
    if skipped.len() > SOURCES_SHOWN_MAX {
        println!("and {} more were skipped", skipped.len() - SOURCES_SHOWN_MAX);
    }
    let broken: Vec<_> = report.sources.iter().filter(|s| s.parse_issues > 0).collect();
    for source in broken.iter().take(SOURCES_SHOWN_MAX) {
        let first = source.issues.first().map_or("", |issue| issue.reason.as_str());
        println!("{} records of {} could not be parsed: {first}", source.parse_issues, source.path);
    }
    if report.unknown > 0 {
        println!("{} records are of a type that no reader knows; they are kept as they stand", report.unknown);
    }
}
