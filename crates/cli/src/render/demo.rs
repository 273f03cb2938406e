//! The demo as text: what a person would have typed, and what came back, to be read in a minute.

use coroner_model::permission::Permission;
use coroner_verbs::demo::DemoReport;

use crate::render::{investigate, quoted};

/// Lines of a post-mortem that are shown.
const DRAFT_LINES_MAX: usize = 14;

/// The whole story; `program` is how Coroner was called.
pub fn plain(report: &DemoReport, program: &str) -> String {
    let mut out = String::new();
    let mut say = |text: &str| out.push_str(&investigate::wrapped(0, text));
    say("A recorded case: a real PostgreSQL, and a page over it. An agent was asked to bring the release \
        folder up to date and handed it to a subagent. Since then the page answers with an error.");
    out.push_str(&symptom(report));
    out.push_str(&post_mortem(report));
    out.push_str(&lesson(report));
    out.push_str(&repeat(report));
    out.push_str(&next(report, program));
    out
}

fn typed(number: usize, what: &str, command: &str) -> String {
    format!("\n── {number} {what}\n$ coroner {command}\n")
}

fn symptom(report: &DemoReport) -> String {
    let command = format!("investigate {}", report.symptom);
    typed(1, "What broke, and what proves it", &command) + &investigate::first(&report.investigation.investigation)
}

fn post_mortem(report: &DemoReport) -> String {
    let mut out = typed(2, "The post-mortem: no evidence, no sentence", "incident draft");
    let incident = &report.draft.incident;
    let fields = [
        ("What happened", &incident.what_happened),
        ("Root cause", &incident.root_cause),
        ("Lesson", &incident.lesson),
    ];
    let mut lines = Vec::new();
    for (label, text) in fields {
        let Some(text) = text else { continue };
        lines.push(format!(" {label}"));
        let paragraphs = text.lines().filter(|l| !l.trim().is_empty()).map(|l| investigate::wrapped(3, l));
        lines.extend(paragraphs.flat_map(|p| p.lines().map(str::to_owned).collect::<Vec<_>>()));
    }
    let more = lines.len().saturating_sub(DRAFT_LINES_MAX);
    lines.truncate(DRAFT_LINES_MAX);
    lines.iter().for_each(|line| out.push_str(&format!("{line}\n")));
    let rest = match more {
        0 => String::new(),
        more => format!("{more} more lines of it, "),
    };
    out.push_str(&format!(" … and {rest}the timeline, what was ruled out, {} citations\n", incident.evidence.len()));
    out
}

fn lesson(report: &DemoReport) -> String {
    let learned = &report.learned;
    let mut out = typed(3, "The lesson becomes a file that is tested by its own examples", "incident learn");
    let wrote = if learned.written { "Wrote" } else { "Is there already:" };
    out.push_str(&format!(" {wrote} {}\n", learned.path.display()));
    out.push_str(&format!(" {} examples from the evidence were tried, and hold\n", learned.tried));
    out
}

fn repeat(report: &DemoReport) -> String {
    let (command, answer) = &report.repeat;
    let mut out =
        typed(4, "The repeat is stopped, its harmless neighbour is not", &format!("guard -- {}", quoted(command)));
    for line in answer.reason.lines() {
        out.push_str(&investigate::wrapped(1, line));
    }
    let (command, answer) = &report.neighbour;
    out.push_str(&format!("$ coroner guard -- {}\n", quoted(command)));
    let word = match answer.permission {
        Permission::Allow => " Allowed: nothing known speaks against it.",
        Permission::Ask => " Asks a person first.",
        Permission::Deny => " Denied.",
    };
    out.push_str(&format!("{word}\n"));
    out
}

fn next(report: &DemoReport, program: &str) -> String {
    format!(
        "\n── Next\n Read it in a browser ({} incidents, evidence, patterns):  {program} serve --demo\n \
         Look at your own system:  {program} investigate https://your.host/path\n",
        report.incidents
    )
}
