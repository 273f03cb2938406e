//! `coroner evidence`: what the store keeps, and the proof that nobody changed it.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use coroner_model::Source;
use coroner_verbs::evidence::{self, EvidenceError, EvidenceListRequest};
use coroner_verbs::workspace;
use jiff::Timestamp;

use crate::args::{Format, Global};
use crate::context;
use crate::fail::{Exit, Failure};
use crate::render;

/// Lists, shows, verifies, exports and redacts kept evidence.
///
/// Evidence is appended and chained; `verify` names any record that was changed, removed, swapped or cut off.
///
/// Example: coroner evidence verify
#[derive(Debug, Args)]
pub struct EvidenceArgs {
    #[command(subcommand)]
    verb: EvidenceCommand,
}

#[derive(Debug, Subcommand)]
enum EvidenceCommand {
    /// The newest pieces of evidence.
    List {
        /// Only from this kind of place, such as `container-log` or `session`.
        #[arg(long, value_parser = source)]
        source: Vec<Source>,
        #[arg(long, value_name = "TIME")]
        since: Option<Timestamp>,
        #[arg(long, value_name = "TIME")]
        until: Option<Timestamp>,
        #[arg(long, value_name = "N")]
        limit: Option<usize>,
    },
    /// One piece of evidence, by its id or the first digits of it.
    Show { id: String },
    /// Recomputes the chain and its signatures.
    Verify,
    /// Writes all evidence with its chain as JSON Lines.
    Export {
        /// The file to write; standard output where absent.
        #[arg(long, value_name = "FILE")]
        to: Option<PathBuf>,
    },
    /// Takes out a secret that was missed; a tombstone stays.
    Redact {
        id: String,
        /// Why, as the tombstone will say.
        #[arg(long, default_value = "a secret that was missed")]
        reason: String,
    },
}

/// Runs `evidence`.
pub fn run(global: &Global, args: EvidenceArgs) -> anyhow::Result<Exit> {
    let request = context::request(global)?;
    let json = global.format == Format::Json;
    if let EvidenceCommand::Verify = args.verb {
        let path = workspace::store_path(&request).map_err(|e| context::failed(&e))?;
        let report = evidence::verify(&path).map_err(failure)?;
        if json {
            render::json(&report)?
        } else {
            render::evidence::verify(&report)
        }
        return Ok(if report.problems.is_empty() { Exit::Clean } else { Exit::Found });
    }
    let (store, _) = workspace::open_store(&request).map_err(|e| context::failed(&e))?;
    match args.verb {
        EvidenceCommand::List { source, since, until, limit } => {
            let list = evidence::list(&store, &EvidenceListRequest { sources: source, since, until, limit })
                .map_err(failure)?;
            if json { render::json(&list)? } else { render::evidence::list(&list) }
        }
        EvidenceCommand::Show { id } => {
            let list = evidence::show(&store, &id).map_err(failure)?;
            if json { render::json(&list)? } else { render::evidence::show(&list) }
        }
        EvidenceCommand::Export { to } => {
            let records = match &to {
                Some(path) => {
                    let mut file = std::io::BufWriter::new(create(path)?);
                    let records = evidence::export(&store, &mut file).map_err(failure)?;
                    std::io::Write::flush(&mut file)?;
                    records
                }
                None => evidence::export(&store, &mut std::io::stdout().lock()).map_err(failure)?,
            };
            eprintln!("{records} records exported");
        }
        EvidenceCommand::Redact { id, reason } => {
            let report = evidence::redact(&store, &id, &reason, request.now).map_err(failure)?;
            if json { render::json(&report)? } else { render::evidence::redacted(&report) }
        }
        EvidenceCommand::Verify => {}
    }
    Ok(Exit::Clean)
}

/// A new file; nothing is overwritten.
fn create(path: &Path) -> anyhow::Result<std::fs::File> {
    std::fs::File::create_new(path).map_err(|error| {
        let hint = "give a name that is not taken, in a folder that is there and yours";
        Failure::usage(format!("cannot write {}: {error}", path.display()), hint)
    })
}

fn source(word: &str) -> Result<Source, String> {
    serde_json::from_value(serde_json::Value::String(word.to_owned())).map_err(|e| e.to_string())
}

fn failure(error: EvidenceError) -> anyhow::Error {
    let hint = error.hint();
    Failure::usage(error.to_string(), hint)
}
