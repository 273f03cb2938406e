//! Hits of `recall`, as text.

use coroner_verbs::recall::RecallReport;

/// Each hit with what leads to it; the first line marks the whole as a result of recall.
pub fn report(report: &RecallReport) {
    println!("coroner recall: {} hits", report.hits.len());
    for hit in &report.hits {
        let session = hit.session.as_deref().unwrap_or("");
        let at = hit.at.map(|at| at.to_string()).unwrap_or_default();
        let agent = hit.agent.as_deref().unwrap_or("");
        println!();
        println!("{}. {}  {at}  {agent} {session}", hit.rank, hit.kind.as_str());
        if let Some(title) = &hit.title {
            println!("   {title}");
        }
        let status = hit.status.as_deref().map(|status| match hit.exit_code {
            Some(code) => format!("{status}, exit code {code}"),
            None => status.to_owned(),
        });
        if let Some(status) = status {
            println!("   {status}");
        }
        if let Some(later) = &hit.standing.superseded_by {
            println!("   superseded by evidence {later}");
        }
        if hit.standing.stale {
            println!("   stale: a file that it names was changed since");
        }
        for line in hit.text.lines().take(8) {
            println!("   | {line}");
        }
        if let Some(file) = &hit.raw.file {
            println!("   {file} at byte {} (evidence {})", hit.raw.offset.unwrap_or(0), hit.evidence);
        } else {
            println!("   evidence {}", hit.evidence);
        }
        for turn in &hit.context {
            let first = turn.text.lines().next().unwrap_or("");
            println!("     {} {first}", turn.role);
        }
    }
    for what in &report.could_not_look {
        println!("Could not look: {what}");
    }
}
