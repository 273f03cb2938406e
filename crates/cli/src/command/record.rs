//! `coroner record`: transcripts into the store, or a host as a casefile.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use coroner_verbs::ingest::{self, IngestRequest};
use coroner_verbs::record::{self, RecordRequest};
use coroner_verbs::workspace;
use jiff::Timestamp;

use crate::args::{Format, Global};
use crate::context;
use crate::fail::{Exit, Failure};
use crate::render::{self, progress::Progress};

/// Records what agents did, or writes what can be seen of this host as a casefile.
///
/// Without `--to`, transcripts of agents go into the store: found where agents keep them, or given by `--from`.
/// Secrets are replaced before anything is written, what did not change is not read, and what an agent deletes
/// later stays. With `--to`, everything that a verb could ask of this host is written as a casefile (a folder or
/// .tar.zst of raw command outputs), from which every verb can answer elsewhere and later.
///
/// Examples: coroner record · coroner record --from ~/.claude/projects · coroner record --to monday.tar.zst
#[derive(Debug, Args)]
pub struct RecordArgs {
    /// Transcripts to record: folders or files. Where none is given, agents' own folders are looked through.
    #[arg(long, value_name = "PATH", conflicts_with = "to")]
    from: Vec<PathBuf>,
    /// The agent that wrote them, where they do not say.
    #[arg(long, value_name = "AGENT", conflicts_with = "to")]
    agent: Option<String>,
    /// A container whose log is recorded, beside those that compose started from this project.
    #[arg(long, value_name = "NAME", conflicts_with = "to")]
    container: Vec<String>,
    /// Keep recording as transcripts grow, until Ctrl-C.
    #[arg(long, conflicts_with = "to")]
    follow: bool,
    /// The casefile to write: a folder, or a name that ends in .tar.zst
    #[arg(long, value_name = "PATH")]
    to: Option<PathBuf>,
    /// A URL to be fetched (GET) and kept with it.
    #[arg(long, value_name = "URL", requires = "to")]
    url: Vec<String>,
    /// Only transcripts and commits from then on (RFC 3339).
    #[arg(long, value_name = "TIME", requires = "to")]
    since: Option<Timestamp>,
    #[arg(long, value_name = "TIME", requires = "to")]
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
    let Some(to) = args.to else { return transcripts(global, args) };
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

/// Seconds between two looks while following.
const FOLLOW_SECONDS: u64 = 2;

/// Records transcripts, once or until a person ends it.
fn transcripts(global: &Global, args: RecordArgs) -> anyhow::Result<Exit> {
    if let Some(missing) = args.from.iter().find(|path| !path.exists()) {
        return Err(Failure::could_not_look(
            format!("cannot record {}", missing.display()),
            "there is no such file or folder",
            "give the folder in which the agent keeps its transcripts, such as ~/.claude/projects",
        ));
    }
    let request = context::request(global)?;
    let (store, note) = workspace::open_store(&request).map_err(|e| context::failed(&e))?;
    if let Some(note) = note {
        return Err(Failure::could_not_look("cannot record", note.to_string(), "make room, then record again"));
    }
    let mut asked = IngestRequest {
        from: args.from,
        agent: args.agent,
        containers: args.container,
        machine: workspace::machine(),
        home: request.env.get("HOME").map(PathBuf::from).unwrap_or_default(),
        env: request.env,
        cwd: request.cwd,
        now: request.now,
    };
    loop {
        let progress = Progress::start();
        let report = ingest::ingest(&store, &asked, &|what| progress.say(what)).map_err(context::store_failed)?;
        progress.end();
        let is_news = report.parsed > 0 || report.failed > 0;
        if global.format == Format::Json {
            if !args.follow || is_news {
                render::json(&report)?;
            }
        } else if !args.follow || is_news {
            render::record::report(&report);
        }
        if !args.follow {
            let looked_at_nothing = report.failed > 0 && report.failed == report.files;
            return Ok(if looked_at_nothing { Exit::CouldNotLook } else { Exit::Clean });
        }
        std::thread::sleep(std::time::Duration::from_secs(FOLLOW_SECONDS));
        asked.now = Timestamp::now();
    }
}
