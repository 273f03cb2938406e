//! `coroner incident draft` and `incident learn`: what becomes of an investigation.

use coroner_verbs::incident_draft::{self, DraftState};
use coroner_verbs::incident_learn::{self, LearnReport, LearnRequest, Outcome};

use crate::args::{Format, Global};
use crate::context;
use crate::fail::{Exit, Failure};
use crate::render::{self, quoted};

/// Drafts the post-mortem of an investigation and prints it.
pub fn draft(global: &Global, investigation: &str) -> anyhow::Result<Exit> {
    let ws = context::workspace(global)?;
    let report = incident_draft::draft(&ws, investigation).map_err(|e| Failure::usage(e.to_string(), e.hint()))?;
    if global.format == Format::Json {
        render::json(&report)?;
        return Ok(Exit::Clean);
    }
    print!("{}", report.markdown);
    match report.state {
        DraftState::Kept => eprintln!("Kept as {}", report.incident.id),
        DraftState::AlreadyThere => eprintln!("Kept before, and left as it is: {}", report.incident.id),
    }
    eprintln!("Change it: coroner incident edit {}", report.incident.id);
    Ok(Exit::Clean)
}

/// Drafts the anti-pattern of an investigation, tested, and writes it.
pub fn learn(global: &Global, request: &LearnRequest) -> anyhow::Result<Exit> {
    let ws = context::workspace(global)?;
    let report = incident_learn::learn(&ws, request).map_err(|e| Failure::usage(e.to_string(), e.hint()))?;
    if global.format == Format::Json {
        render::json(&report)?;
        return Ok(Exit::Clean);
    }
    if request.dry_run {
        print!("{}", report.text);
    }
    print!("{}", told(&report, request.dry_run));
    Ok(Exit::Clean)
}

/// The file, its test, and what happens to the next attempt.
fn told(report: &LearnReport, dry_run: bool) -> String {
    let mut out = match (report.written, dry_run) {
        (true, _) => format!("Wrote {}\n", report.path.display()),
        (false, true) => format!("Would write {}\n", report.path.display()),
        (false, false) => format!("Is there already: {}\n", report.path.display()),
    };
    out.push_str(&format!("Passes its test: {} examples tried\n", report.tried));
    if let Some(known) = &report.known {
        out.push_str(&format!(
            "The general rule {known} covers it too; this one keeps the case of {}\n",
            report.incident
        ));
    }
    out.push_str(&match &report.outcome {
        Outcome::Denied { command } => format!("The next attempt is denied: coroner guard -- {}\n", quoted(command)),
        Outcome::Asked { command } => {
            format!("The next attempt asks a person first: coroner guard -- {}\n", quoted(command))
        }
        Outcome::Reported => "The next time the state is reported: coroner check\n".to_owned(),
    });
    out
}
