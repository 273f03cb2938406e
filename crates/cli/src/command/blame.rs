//! `coroner blame`: who changed a file, and why.

use std::path::{Path, PathBuf};

use clap::Args;
use coroner_verbs::{blame, workspace};

use crate::args::{Format, Global};
use crate::context;
use crate::fail::{Exit, Failure};
use crate::render;

/// Names the commit, session, tool call and prompt behind a file or a line of it.
///
/// Example: coroner blame src/main.rs:42
#[derive(Debug, Args)]
pub struct BlameArgs {
    /// A file, or a line of it as PATH:LINE.
    #[arg(value_name = "PATH[:LINE]")]
    place: String,
}

/// Runs `blame`.
pub fn run(global: &Global, args: &BlameArgs) -> anyhow::Result<Exit> {
    let request = context::request(global)?;
    let (path, line) = place(&args.place, &request.cwd);
    if line == Some(0) {
        return Err(Failure::usage("there is no line 0", "lines are counted from 1: coroner blame src/main.rs:1"));
    }
    let (store, _) = workspace::open_store(&request).map_err(|e| context::failed(&e))?;
    let report = blame::blame(&store, &request.cwd, &path, line).map_err(context::store_failed)?;
    if global.format == Format::Json {
        render::json(&report)?
    } else {
        render::blame::report(&report)
    }
    let found_nothing = report.calls.is_empty() && report.commit.is_none() && !report.could_not_look.is_empty();
    Ok(if found_nothing { Exit::CouldNotLook } else { Exit::Clean })
}

/// The path and the line of a place; a file whose name ends so is meant itself.
fn place(text: &str, cwd: &Path) -> (PathBuf, Option<u32>) {
    if cwd.join(text).exists() {
        return (PathBuf::from(text), None);
    }
    match text.rsplit_once(':').and_then(|(path, line)| Some((path, line.parse().ok()?))) {
        Some((path, line)) => (PathBuf::from(path), Some(line)),
        None => (PathBuf::from(text), None),
    }
}
