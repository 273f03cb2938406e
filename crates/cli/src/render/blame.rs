//! Who changed a file, as text.

use coroner_verbs::blame::BlameReport;

/// The line, its commit, and the calls behind it.
pub fn report(report: &BlameReport) {
    match report.line {
        Some(line) => println!("{}:{line}", report.path),
        None => println!("{}", report.path),
    }
    if let Some(text) = &report.text {
        println!("  | {text}");
    }
    if let Some(commit) = &report.commit {
        let at = commit.at.map(|at| at.to_string()).unwrap_or_default();
        println!("commit  {}  {at}  {}  {}", commit.id.get(..12).unwrap_or(&commit.id), commit.author, commit.subject);
    }
    for call in &report.calls {
        let at = call.at.map(|at| at.to_string()).unwrap_or_default();
        println!();
        println!("{}  {at}  {} {} {}", call.what, call.agent, call.session, call.tool_call);
        if let Some(command) = &call.command {
            println!("  ran     {}", command.lines().next().unwrap_or(""));
        }
        if let Some(prompt) = &call.prompt {
            println!("  asked   {}", prompt.lines().next().unwrap_or(""));
        }
        if let Some(status) = &call.status {
            println!("  ended   {status}");
        }
        println!("  where   {}", call.evidence_place);
    }
    if report.calls.is_empty() {
        println!("No recorded call names this file; `coroner record` reads transcripts that are new");
    }
    for what in &report.could_not_look {
        println!("Could not look: {what}");
    }
}
