//! `coroner trust`: a person trusts a project's file as it is.

use std::path::PathBuf;

use clap::Args;
use coroner_verbs::trust::{self, TrustError};

use crate::args::Global;
use crate::context;
use crate::fail::{Exit, Failure};
use crate::terminal::Terminal;

/// Lets a project's file take the place of a pattern that is in force.
///
/// A project may add rules, but only a person may weaken them. What the file would change is shown, the terminal is
/// asked, and the file's hash is kept: once the file changes, it is not trusted any more.
///
/// Example: coroner trust .coroner/antipatterns/disk-need.md
#[derive(Debug, Args)]
pub struct TrustArgs {
    /// The file.
    #[arg(value_name = "PATH")]
    path: PathBuf,
}

/// Runs `trust`.
pub fn run(global: &Global, args: &TrustArgs) -> anyhow::Result<Exit> {
    let request = context::request(global)?;
    let view = trust::view(&request.home, &request.cwd, &args.path).map_err(|e| failed(&e))?;
    println!("{}", view.path);
    for line in &view.changes {
        println!("  {line}");
    }
    if view.trusted {
        println!("It is trusted as it is.");
        return Ok(Exit::Clean);
    }
    let mut terminal = Terminal::open()?;
    if terminal.ask("Trust this file as it is now? Type yes: ")?.trim() != "yes" {
        return Ok(Exit::Found);
    }
    let passphrase = match trust::needs_passphrase(&request.home).map_err(|e| failed(&e))? {
        true => Some(terminal.ask_hidden("Passphrase: ")?),
        false => None,
    };
    trust::keep(&request.home, &view, passphrase.as_deref(), request.now).map_err(|e| failed(&e))?;
    println!("Trusted until it changes.");
    Ok(Exit::Clean)
}

fn failed(error: &TrustError) -> anyhow::Error {
    Failure::usage(error.to_string(), error.hint())
}
