//! `coroner pattern`: the anti-patterns in force.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use coroner_model::PatternId;
use coroner_verbs::library::Library;
use coroner_verbs::pattern::{self, PatternVerbError};

use crate::args::{Format, Global};
use crate::context;
use crate::fail::{Exit, Failure};
use crate::render;

/// Lists, shows, explains, starts and tests anti-patterns.
///
/// An anti-pattern is one Markdown file: it stops a known failure, recognises it afterwards, and carries the examples
/// that test it. Built-in ones are compiled in; a project's own lie in `.coroner/antipatterns/`.
///
/// Example: coroner pattern explain delete-live-data
#[derive(Debug, Args)]
pub struct PatternArgs {
    #[command(subcommand)]
    verb: PatternCommand,
}

#[derive(Debug, Subcommand)]
enum PatternCommand {
    /// All anti-patterns in force, one a line.
    List,
    /// One file as it stands.
    Show { id: String },
    /// Tests each file by its own examples, its remedy and its links.
    Test { id: Option<String> },
    /// Writes a file to start from into `.coroner/antipatterns/`.
    New { id: String },
    /// One anti-pattern in words; without an id, what rows can say.
    Explain {
        id: Option<String>,
        /// Print the JSON Schema of the header.
        #[arg(long)]
        schema: bool,
    },
}

/// Runs `pattern`.
pub fn run(global: &Global, args: PatternArgs) -> anyhow::Result<Exit> {
    let library = context::library(global)?;
    for error in &library.errors {
        eprintln!("warning: {error}\n  hint: {}", error.hint);
    }
    match args.verb {
        PatternCommand::List => {
            let rows = pattern::list(&library);
            match global.format {
                Format::Json => render::json(&rows)?,
                _ => {
                    rows.iter().for_each(|r| println!("{:<9} {:<13} {:<40} {}", r.severity, r.category, r.id, r.title))
                }
            }
        }
        PatternCommand::Show { id } => {
            print!("{}", pattern::show(&library, &PatternId::new(id)).map_err(failure)?.text)
        }
        PatternCommand::Explain { schema: true, .. } => render::json(&pattern::schema())?,
        PatternCommand::Explain { id: None, .. } => print!("{}", pattern::explain_vocabulary()),
        PatternCommand::Explain { id: Some(id), .. } => {
            print!("{}", pattern::explain(&library, &PatternId::new(id)).map_err(failure)?);
        }
        PatternCommand::New { id } => new(&id)?,
        PatternCommand::Test { id } => return test(global, &library, id.as_deref()),
    }
    Ok(if library.errors.is_empty() { Exit::Clean } else { Exit::Usage })
}

fn new(id: &str) -> anyhow::Result<()> {
    let path: PathBuf = pattern::create(id, &std::env::current_dir()?).map_err(|e| {
        let hint = e.hint();
        Failure::usage(e.to_string(), hint)
    })?;
    println!("Wrote {}", path.display());
    println!("Fill it in, then run: coroner pattern test {id}");
    Ok(())
}

fn test(global: &Global, library: &Library, id: Option<&str>) -> anyhow::Result<Exit> {
    let id = id.map(PatternId::new);
    if let Some(id) = &id {
        pattern::show(library, id).map_err(failure)?;
    }
    let report = pattern::test::test(library, id.as_ref(), &pattern::known_incidents(&context::request(global)?));
    match global.format {
        Format::Json => render::json(&report)?,
        _ => {
            for problem in &report.problems {
                println!("{}:{}: {}", problem.path, problem.line, problem.text);
            }
            println!(
                "{} anti-patterns, {} examples and remedies tried, {} problems",
                report.patterns,
                report.tried,
                report.problems.len()
            );
        }
    }
    let clean = report.problems.is_empty() && library.errors.is_empty();
    Ok(if clean { Exit::Clean } else { Exit::Found })
}

fn failure(error: PatternVerbError) -> anyhow::Error {
    let hint = error.hint();
    Failure::usage(error.to_string(), hint)
}
