//! `coroner check`: files and live state against everything that ever went wrong.

use clap::Args;
use coroner_verbs::check::{self, CheckRequest};

use crate::args::{Format, Global};
use crate::context;
use crate::fail::Exit;
use crate::render::{self, progress::Progress};

/// Checks files and live state against the anti-patterns.
///
/// Looks at compose files, env files, containers, mounts and disks, and reports the bad states that are known, each
/// with its evidence and what to do. Nothing is changed.
///
/// Example: coroner check /srv/shop --format sarif
#[derive(Debug, Args)]
pub struct CheckArgs {
    /// Files and directories; absent: everything that can be seen from here.
    paths: Vec<String>,
}

/// Runs `check`.
pub fn run(global: &Global, args: CheckArgs) -> anyhow::Result<Exit> {
    let ws = context::workspace(global)?;
    let progress = Progress::start();
    progress.say("looking at files and live state");
    let report = check::check(&ws, &CheckRequest { paths: args.paths });
    progress.end();
    match global.format {
        Format::Json => render::json(&report)?,
        Format::Sarif => render::json(&render::check::sarif(&report, &ws.patterns))?,
        _ => print!("{}", render::check::plain(&report)),
    }
    let blind = report.looked.is_empty() && !report.could_not_look.is_empty();
    Ok(match (report.findings.is_empty(), blind) {
        (false, _) => Exit::Found,
        (true, true) => Exit::CouldNotLook,
        (true, false) => Exit::Clean,
    })
}
