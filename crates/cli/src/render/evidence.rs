//! Evidence as text.

use coroner_verbs::evidence::{CustodyReport, EvidenceList, RedactReport};

/// One line a piece: id, source, place, excerpt.
pub fn list(list: &EvidenceList) {
    println!("{} of {} pieces of evidence", list.evidence.len(), list.total);
    for piece in &list.evidence {
        let first = piece.text().lines().next().unwrap_or("").chars().take(80).collect::<String>();
        println!("{}  {:<13} {}  {}", piece.id, piece.source, first.trim(), piece.locator);
    }
}

/// One piece with everything that is known of it.
pub fn show(list: &EvidenceList) {
    for piece in &list.evidence {
        println!("evidence   {}", piece.id);
        println!("record     {}", piece.record);
        println!("source     {}", piece.source);
        println!("locator    {}", piece.locator);
        if let Some(at) = piece.observed_at {
            println!("observed   {at}");
        }
        if !piece.host.is_empty() {
            println!("host       {}", piece.host);
        }
        println!("hash       {}", piece.hash_text());
        println!();
        println!("{}", piece.text());
    }
}

/// Whether the chain holds.
pub fn verify(report: &CustodyReport) {
    if report.problems.is_empty() {
        println!(
            "{} records verify; {} of them were taken out, each with its tombstone",
            report.records, report.removed
        );
        return;
    }
    println!("{} of {} records do not verify", report.problems.len(), report.records);
    for problem in &report.problems {
        let place = problem.record.map_or("the store".to_owned(), |record| format!("record {record}"));
        println!("  {place}: {}", problem.reason);
    }
    if report.problems_left_out > 0 {
        println!("  and {} more", report.problems_left_out);
    }
}

/// What became of a redacted piece.
pub fn redacted(report: &RedactReport) {
    let r = &report.redaction;
    println!("Taken out: {} (record {})", r.id, r.record);
    for name in &r.rewritten {
        println!("It was quoted, and is no more, in {name}");
    }
    for id in &r.also_in {
        println!("The same text stands in {id}");
    }
}
