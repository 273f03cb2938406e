//! `coroner doctor`: is everything wired?

use clap::Args;
use coroner_verbs::doctor::{self, Check, DoctorRequest, Health};

use crate::args::{Format, Global};
use crate::command::hook::Host;
use crate::context;
use crate::fail::{Exit, Failure};
use crate::render;
use crate::terminal::tame;

/// Looks whether the hooks of your agents really stop a call.
///
/// For each agent it reads the settings that the agent reads, finds the hook that would run before a shell command, and
/// runs that very command line with an event that must be stopped: deleting a file that Coroner made for it. It says
/// what would become of calls if Coroner were gone, and how git's hooks, the store, the disk and the container engine
/// stand. Exit code 1 when something is not wired.
///
/// Example: coroner doctor claude
#[derive(Debug, Args)]
pub struct DoctorArgs {
    /// Only these agents; without a name all that are here.
    #[arg(value_enum, value_name = "AGENT")]
    agents: Vec<Host>,
    /// Forget the failures of the hook that are on record.
    #[arg(long)]
    forget_failures: bool,
}

/// Runs `doctor`.
pub fn run(global: &Global, args: DoctorArgs) -> anyhow::Result<Exit> {
    if global.casefile.is_some() {
        return Err(Failure::usage("hooks are looked at on this host only", "run it without --casefile"));
    }
    let workspace = context::request(global)?;
    if args.forget_failures {
        doctor::forget_failures(&workspace.home)?;
    }
    let agents = args.agents.into_iter().map(Into::into).collect();
    let report = doctor::doctor(&DoctorRequest { workspace, program: std::env::current_exe()?, agents });
    match global.format {
        Format::Json => render::json(&report)?,
        _ => report.checks.iter().for_each(line),
    }
    Ok(if report.has_problem() { Exit::Found } else { Exit::Clean })
}

fn line(check: &Check) {
    let mark = match check.health {
        Health::Ok => "ok",
        Health::Note => "note",
        Health::CouldNotLook => "unseen",
        Health::Problem => "PROBLEM",
    };
    println!("{mark:<8} {:<9} {}", check.subject, tame(&check.text));
    if let Some(help) = &check.help {
        println!("{:<18} help: {}", "", tame(help));
    }
}
