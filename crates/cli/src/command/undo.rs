//! `coroner undo`: what a command took away comes back.

use std::path::PathBuf;

use clap::Args;
use coroner_verbs::undo::{self, Choice, UndoError};
use jiff::Timestamp;

use crate::args::{Format, Global};
use crate::context;
use crate::fail::{Exit, Failure};
use crate::render;
use crate::terminal::{self, Answer};

/// Lists what was kept before commands took it away, and brings it back.
///
/// Before an allowed command deletes, discards or overwrites something that has no other copy, Coroner keeps one in a
/// private folder. Without an id the copies are listed, newest first; with one, what would be restored is shown and
/// asked for. What was made or changed since is not replaced without `--force`, and then kept as another copy.
///
/// Example: coroner undo last
#[derive(Debug, Args)]
pub struct UndoArgs {
    /// A copy's id, the beginning of one, or `last`.
    id: Option<String>,
    /// Restore only these paths and what lies in them.
    paths: Vec<PathBuf>,
    /// Restore into this folder instead of where it was.
    #[arg(long, value_name = "DIR")]
    to: Option<PathBuf>,
    /// Replace what was made or changed since.
    #[arg(long)]
    force: bool,
    /// Restore without asking.
    #[arg(long)]
    yes: bool,
    /// Only show what would be restored.
    #[arg(long, conflicts_with = "yes")]
    dry_run: bool,
    /// Drop what is past its bounds, or the copy of that id.
    #[arg(long, conflicts_with_all = ["to", "force"])]
    prune: bool,
}

/// Runs `undo`.
pub fn run(global: &Global, args: UndoArgs) -> anyhow::Result<Exit> {
    let around = context::request(global)?;
    if args.prune {
        return prune(&around.home, &around.cwd, args.id.as_deref(), around.now);
    }
    let Some(id) = &args.id else {
        let list = undo::list(&around.home);
        match global.format {
            Format::Json => render::json(&list)?,
            _ => render::undo::list(&list, around.now),
        }
        return Ok(Exit::Clean);
    };
    let absolute = |path: &PathBuf| context::absolute(&around.cwd, path);
    let choice = Choice {
        to: args.to.as_ref().map(absolute),
        paths: args.paths.iter().map(absolute).collect(),
        force: args.force,
    };
    let plan = undo::plan(&around.home, id, &choice).map_err(|e| failed(&e))?;
    render::undo::plan(&plan, choice.force);
    if args.dry_run || !render::undo::has_work(&plan) {
        return Ok(Exit::Clean);
    }
    if !confirmed(args.yes, "Restore this?") {
        return Ok(Exit::Found);
    }
    let done = undo::restore(&around.home, &plan, &choice, around.now).map_err(|e| failed(&e))?;
    render::undo::restored(&done);
    Ok(if done.failed.is_empty() { Exit::Clean } else { Exit::Found })
}

fn prune(home: &std::path::Path, cwd: &std::path::Path, id: Option<&str>, now: Timestamp) -> anyhow::Result<Exit> {
    if let Some(id) = id
        && terminal::ask(&format!("Drop the copy {id} for good?")) != Answer::Yes
    {
        println!("Nothing was dropped: a copy is dropped by a person at a terminal only.");
        return Ok(Exit::Found);
    }
    let gone = undo::prune(home, cwd, id, now).map_err(|e| failed(&e))?;
    println!("{} dropped", if gone.len() == 1 { "1 copy".to_owned() } else { format!("{} copies", gone.len()) });
    Ok(Exit::Clean)
}

/// Whether a person wants it; says what to do where nobody can be asked.
pub fn confirmed(yes: bool, question: &str) -> bool {
    if yes {
        return true;
    }
    match terminal::ask(question) {
        Answer::Yes => true,
        Answer::No => {
            println!("Nothing was changed.");
            false
        }
        Answer::Nobody => {
            println!("Nothing was changed: there is no terminal to ask at. A person can run it again with `--yes`.");
            false
        }
    }
}

fn failed(error: &UndoError) -> anyhow::Error {
    let exit = match error {
        UndoError::Unknown { .. } | UndoError::Ambiguous { .. } => Exit::Usage,
        UndoError::Blocked { .. } => Exit::Found,
        _ => Exit::CouldNotLook,
    };
    Failure { what: error.to_string(), because: Vec::new(), hint: error.hint().to_owned(), exit }.into()
}
