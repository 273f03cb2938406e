//! `coroner check`: files and live state against everything that ever went wrong.

use clap::Args;
use coroner_model::finding::CheckReport;
use coroner_verbs::check::{self, CheckRequest};
use coroner_verbs::secret::{self, Scope};

use crate::args::{Format, Global};
use crate::context;
use crate::fail::Exit;
use crate::render::{self, progress::Progress};
use coroner_verbs::workspace::Workspace;

/// Checks files and live state against the anti-patterns.
///
/// Looks at compose files, env files, containers, mounts and disks, and reports the bad states that are known, each
/// with its evidence and what to do. Secrets in files are named by kind and
/// place, never shown. Nothing is changed.
///
/// Example: coroner check /srv/shop --format sarif
#[derive(Debug, Args)]
pub struct CheckArgs {
    /// Files and directories; absent: everything that can be seen from here.
    paths: Vec<String>,
    /// Search only what is staged for the next commit, for secrets.
    #[arg(long, conflicts_with_all = ["history", "casefile"])]
    staged: bool,
    /// Search every commit of the repository for secrets; a file that was deleted later is still there.
    #[arg(long, conflicts_with = "casefile")]
    history: bool,
}

/// Commits between two words of progress.
const PROGRESS_COMMITS: usize = 500;

/// Runs `check`.
pub fn run(global: &Global, args: CheckArgs) -> anyhow::Result<Exit> {
    let ws = context::workspace(global)?;
    let progress = Progress::start();
    let report = report(&ws, args, &progress);
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

fn report(ws: &Workspace, args: CheckArgs, progress: &Progress) -> CheckReport {
    let scope = match (args.staged, args.history) {
        (true, _) => Scope::Staged,
        (_, true) => Scope::History,
        _ => {
            progress.say("looking at files and live state");
            return check::check(ws, &CheckRequest { paths: args.paths });
        }
    };
    progress.say("searching for secrets");
    let tell = |done: usize, all: usize| {
        if done.is_multiple_of(PROGRESS_COMMITS) {
            progress.say(&format!("searching for secrets: {done} of {all} commits"));
        }
    };
    secret::search(ws, scope, &args.paths, &tell)
}
