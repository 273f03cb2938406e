//! `coroner investigate`: from a symptom to ranked causes.

use clap::Args;
use coroner_model::investigation::Status;
use coroner_verbs::investigate::{self, InvestigateRequest};

use crate::args::{Format, Global};
use crate::context;
use crate::fail::{Exit, Failure};
use crate::render::{self, progress::Progress};

/// Finds the cause of a failure and proves it: ranked causes with cited evidence.
///
/// A symptom is a URL, a service, an error text, a log file, a time, or nothing: then what is plainly broken counts.
/// A cause is confirmed only where the state proves it; what merely looks like it is likely; the rest stays open.
///
/// Example: coroner investigate https://shop.example.org/api/session --casefile monday.tar.zst
#[derive(Debug, Args)]
pub struct InvestigateArgs {
    /// A URL, a service, an error text, a log file, or a time.
    #[arg(value_name = "SYMPTOM")]
    symptom: Vec<String>,
    /// Read this log too; `-` is standard input. Without a symptom or casefile nothing else is looked at.
    #[arg(long, value_name = "FILE")]
    log: Vec<String>,
    /// Only from then on: RFC 3339, `2026-01-13 13:00` (UTC), or how long ago, such as `2h`.
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// Only until then.
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
}

/// Runs `investigate`.
pub fn run(global: &Global, args: InvestigateArgs) -> anyhow::Result<Exit> {
    let ws = context::workspace(global)?;
    let clock = ws.world.clock().unwrap_or(ws.now);
    let moment = |text: &Option<String>| match text {
        None => Ok(None),
        Some(text) => investigate::moment(text, clock).map(Some).ok_or_else(|| {
            Failure::usage(format!("`{text}` is no time"), "write 2026-01-13T13:00:00Z, 2026-01-13 13:00, or 2h")
        }),
    };
    let symptom = args.symptom.join(" ");
    let request = InvestigateRequest {
        logs_only: global.casefile.is_none() && symptom.is_empty() && !args.log.is_empty(),
        symptom,
        since: moment(&args.since)?,
        until: moment(&args.until)?,
        logs: args.log,
    };
    let progress = Progress::start();
    progress.say("asking, looking and judging");
    let report = investigate::investigate(&ws, &request);
    progress.end();
    let report = report.map_err(|e| Failure::usage(e.to_string(), e.hint()))?;
    match global.format {
        Format::Json => render::json(&report)?,
        _ => print!(
            "{}",
            render::investigate::plain(report.id.as_str(), &report.investigation, report.not_kept.as_deref())
        ),
    }
    Ok(exit(&request, &report.investigation))
}

/// Found something, looked and found nothing, or could not look at what was named.
fn exit(request: &InvestigateRequest, report: &coroner_model::investigation::Investigation) -> Exit {
    if report.hypotheses.iter().any(|h| h.status != Status::Open) {
        return Exit::Found;
    }
    let unread = |log: &String| report.could_not_look.iter().any(|c| c.what == format!("log {log}"));
    if request.logs.iter().any(unread) || report.coverage.is_empty() { Exit::CouldNotLook } else { Exit::Clean }
}
