//! `coroner record`: transcripts into the store, or a host as a casefile.

mod follow;

use std::path::PathBuf;

use clap::{Args, Subcommand};
use coroner_verbs::ingest::{self, IngestReport, IngestRequest};
use coroner_verbs::record::{self, RecordRequest};
use coroner_verbs::workspace::{self, Store};
use jiff::Timestamp;

use crate::args::{Format, Global};
use crate::context;
use crate::fail::{Exit, Failure};
use crate::render::{self, progress::Progress};
use follow::Follower;

/// Records what agents did, or writes what can be seen of this host as a casefile.
///
/// Without `--to`, transcripts of agents go into the store: found where agents keep them, or given by `--from`;
/// so do what you typed into shells, and of this project its commits, logs of its containers and reports of tests.
/// Secrets are replaced before anything is written, what did not change is not read, and what an agent deletes
/// later stays. With `--to`, everything that a verb could ask of this host is written as a casefile (a folder or
/// .tar.zst of raw command outputs), from which every verb can answer elsewhere and later.
///
/// Example: coroner record · coroner record --from ~/.claude/projects · coroner record --to monday.tar.zst
#[derive(Debug, Args)]
pub struct RecordArgs {
    /// Transcripts to record, histories of shells, reports of tests, logs of a casefile: folders or files. Where none
    /// is given, agents' own folders, your histories and this project are looked through.
    #[arg(long, value_name = "PATH", conflicts_with = "to")]
    from: Vec<PathBuf>,
    /// The agent that wrote them, where they do not say.
    #[arg(long, value_name = "AGENT", conflicts_with = "to")]
    agent: Option<String>,
    /// A container whose log is recorded, beside those that compose started from this project.
    #[arg(long, value_name = "NAME", conflicts_with = "to")]
    container: Vec<String>,
    /// Keep recording as they grow, until Ctrl-C; nothing is done while nothing changes.
    #[arg(long, conflicts_with = "to")]
    follow: bool,
    /// Record what hooks of agents wished for.
    #[arg(long, hide = true, conflicts_with_all = ["to", "from", "follow"])]
    wished: bool,
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
    let asked = IngestRequest {
        from: args.from,
        agent: args.agent,
        containers: args.container,
        machine: workspace::machine(),
        home: request.env.get("HOME").map(PathBuf::from).unwrap_or_default(),
        env: request.env,
        cwd: request.cwd,
        now: request.now,
        ..IngestRequest::default()
    };
    match (args.wished, args.follow) {
        (true, _) => wished(&store, asked),
        (_, true) => follow(global, &store, asked),
        _ => {
            let report = ingest_once(&store, &asked)?;
            show(global, &report)?;
            let looked_at_nothing = report.failed > 0 && report.failed == report.files;
            Ok(if looked_at_nothing { Exit::CouldNotLook } else { Exit::Clean })
        }
    }
}

fn ingest_once(store: &Store, asked: &IngestRequest) -> anyhow::Result<IngestReport> {
    let progress = Progress::start();
    let report = ingest::ingest(store, asked, &|what| progress.say(what)).map_err(context::store_failed);
    progress.end();
    report
}

fn show(global: &Global, report: &IngestReport) -> anyhow::Result<()> {
    match global.format {
        Format::Json => render::json(report)?,
        _ => render::record::report(report),
    }
    Ok(())
}

/// Records what changes until a person ends it.
fn follow(global: &Global, store: &Store, mut asked: IngestRequest) -> anyhow::Result<Exit> {
    let mut follower = Follower::start(asked.is_ended.clone());
    let mut shown = None;
    loop {
        // Watched first, so that nothing changes unseen between the look and the sleep.
        follower.watch(&ingest::follow::places(store, &asked));
        let report = ingest_once(store, &asked)?;
        if report.parsed > 0 || shown.is_some_and(|failed| failed != report.failed) {
            show(global, &report)?;
        }
        shown = Some(report.failed);
        if !follower.wait(ingest::follow::asks_an_engine(store, &asked)) {
            return Ok(Exit::Clean);
        }
        asked.now = Timestamp::now();
    }
}

/// Records what hooks wished for, unless somebody does so already: he sees these wishes too.
fn wished(store: &Store, mut asked: IngestRequest) -> anyhow::Result<Exit> {
    while let Some(wishes) = store.wishes().map_err(context::store_failed)? {
        while let Some(wish) = wishes.next().map_err(context::store_failed)? {
            asked.from = vec![wish.path.clone()];
            asked.now = Timestamp::now();
            ingest::ingest(store, &asked, &|_| {}).map_err(context::store_failed)?;
            wish.fulfilled();
        }
        // One that came after the last look and before the lock goes would wait for the next hook.
        drop(wishes);
        if !store.has_wishes() {
            break;
        }
    }
    Ok(Exit::Clean)
}
