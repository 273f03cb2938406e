//! `coroner demo`: a recorded real case from start to end.

use clap::Args;
use coroner_verbs::demo;

use crate::args::Global;
use crate::context;
use crate::fail::{Exit, Failure};
use crate::render::{self, progress::Progress};

/// Plays a recorded real case: symptom, cause, post-mortem, and the denied repeat.
///
/// Everything happens in a workspace of its own, below CORONER_HOME; nothing else on this machine is looked at or
/// changed. `coroner serve --demo` shows what it leaves.
///
/// Example: coroner demo
#[derive(Debug, Args)]
pub struct DemoArgs {}

/// Runs `demo`.
pub fn run(global: &Global, _args: &DemoArgs) -> anyhow::Result<Exit> {
    let request = context::request(global)?;
    let progress = Progress::start();
    let report = demo::demo(&request, |step| progress.say(step));
    progress.end();
    let report = report.map_err(|e| Failure::usage(e.to_string(), e.hint()))?;
    print!("{}", render::demo::plain(&report, &program()));
    Ok(Exit::Clean)
}

/// How this program was called, so that the printed commands can be repeated.
fn program() -> String {
    std::env::args().next().filter(|a| !a.is_empty()).unwrap_or_else(|| "coroner".to_owned())
}
