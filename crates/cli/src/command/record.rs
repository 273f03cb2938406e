//! `coroner record`: a host as a casefile.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use coroner_verbs::record::{self, RecordRequest};
use jiff::Timestamp;

use crate::args::{Format, Global};
use crate::context;
use crate::fail::{Exit, Failure};
use crate::render::{self, progress::Progress};

/// Writes what can be seen of this host as a casefile.
///
/// A casefile is a folder (or .tar.zst) of raw command outputs from which every verb can answer, elsewhere and later:
/// `--casefile` examines it. Secrets are replaced by keyed hashes under a key that is thrown away.
///
/// Example: coroner record --to monday.tar.zst --url https://shop.example.org/
#[derive(Debug, Args)]
pub struct RecordArgs {
    /// The casefile to write: a folder, or a name that ends in .tar.zst
    #[arg(long, value_name = "PATH")]
    to: Option<PathBuf>,
    /// A URL to be fetched (GET) and kept with it.
    #[arg(long, value_name = "URL")]
    url: Vec<String>,
    /// Only transcripts and commits from then on (RFC 3339).
    #[arg(long, value_name = "TIME")]
    since: Option<Timestamp>,
    #[arg(long, value_name = "TIME")]
    until: Option<Timestamp>,
    #[command(subcommand)]
    verb: Option<RecordCommand>,
}

#[derive(Debug, Subcommand)]
enum RecordCommand {
    /// Prints a POSIX shell script that collects a casefile on a host without Coroner.
    Script,
}

/// Runs `record`.
pub fn run(global: &Global, args: RecordArgs) -> anyhow::Result<Exit> {
    if let Some(RecordCommand::Script) = args.verb {
        print!("{}", record::script());
        return Ok(Exit::Clean);
    }
    let Some(to) = args.to else {
        return Err(Failure::usage("nothing says where to write", "give a path: coroner record --to monday.tar.zst"));
    };
    let ws = context::workspace_for_export(global)?;
    let progress = Progress::start();
    let request = RecordRequest { to, urls: args.url, since: args.since, until: args.until };
    let report = record::record(&ws, &request, &|what| progress.say(what))
        .map_err(|e| Failure::usage(e.to_string(), e.hint()))?;
    progress.end();
    if global.format == Format::Json {
        render::json(&report)?;
    } else {
        println!("Wrote {} files ({} bytes) to {}", report.files, report.bytes, report.path.display());
        render::could_not_look(&report.could_not_look);
        println!("Examine it anywhere: coroner investigate --casefile {}", report.path.display());
    }
    Ok(Exit::Clean)
}
