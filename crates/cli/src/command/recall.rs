//! `coroner recall`: one ranked question over everything that is kept.

use std::io::{BufRead, Write};

use clap::Args;
use coroner_verbs::recall::{self, Filters, RecallError};
use coroner_verbs::workspace;
use jiff::Timestamp;

use crate::args::{Format, Global};
use crate::context;
use crate::fail::{Exit, Failure};
use crate::render;

/// Finds what was said, run, printed, changed or decided before.
///
/// Words, "phrases", prefixes*, paths, flags and error codes are found as typed; rare words count most.
///
/// Example: coroner recall "connection refused" --kind error · coroner recall docker compose down --exit failed
#[derive(Debug, Args)]
pub struct RecallArgs {
    /// What to look for.
    // A flag or path may be looked for as it is typed; what follows it are options again.
    #[arg(value_name = "QUERY", required_unless_present = "batch", allow_hyphen_values = true)]
    query: Option<String>,
    /// More words of it.
    #[arg(value_name = "WORD")]
    more: Vec<String>,
    /// Reads one query a line from standard input, as JSON: {"id":1,"query":"…","limit":5}
    #[arg(long, conflicts_with = "query")]
    batch: bool,
    #[command(flatten)]
    filters: FilterArgs,
}

/// What the answer may be.
#[derive(Clone, Debug, Default, Args)]
struct FilterArgs {
    /// Most hits.
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
    /// message, command, output, error, edit, decision, incident, evidence; several with commas.
    #[arg(long, value_name = "KIND", value_delimiter = ',')]
    kind: Vec<String>,
    /// The agent's own id of a session, or its beginning.
    #[arg(long, value_name = "ID")]
    session: Option<String>,
    #[arg(long, value_name = "AGENT")]
    agent: Option<String>,
    #[arg(long, value_name = "NAME")]
    machine: Option<String>,
    /// A part of a path that the hit names or its session works in.
    #[arg(long, value_name = "PART")]
    path: Option<String>,
    /// How the call ended: an exit code, `failed` or `ok`.
    #[arg(long, value_name = "CODE")]
    exit: Option<String>,
    #[arg(long, value_name = "TIME")]
    since: Option<Timestamp>,
    #[arg(long, value_name = "TIME")]
    until: Option<Timestamp>,
    /// Turns before and after each hit.
    #[arg(long, value_name = "N")]
    context: Option<usize>,
}

/// Runs `recall`.
pub fn run(global: &Global, args: RecallArgs) -> anyhow::Result<Exit> {
    let request = context::request(global)?;
    let (store, _) = workspace::open_store(&request).map_err(|e| context::failed(&e))?;
    if args.batch {
        let mut out = std::io::stdout().lock();
        // Each line is answered before the next is read.
        for line in std::io::stdin().lock().lines() {
            let line = line?;
            if !line.trim().is_empty() {
                writeln!(out, "{}", recall::answer_line(&store, &line))?;
                out.flush()?;
            }
        }
        return Ok(Exit::Clean);
    }
    let words: Vec<String> = args.query.into_iter().chain(args.more).collect();
    let query = recall::query(words.join(" "), &args.filters.into())
        .map_err(|what| Failure::usage(what, "see coroner recall --help"))?;
    let report = recall::recall(&store, &query).map_err(failure)?;
    if global.format == Format::Json {
        render::json(&report)?;
    } else {
        render::recall::report(&report);
    }
    Ok(Exit::Clean)
}

impl From<FilterArgs> for Filters {
    fn from(args: FilterArgs) -> Filters {
        Filters {
            limit: args.limit,
            kind: args.kind,
            session: args.session,
            agent: args.agent,
            machine: args.machine,
            path: args.path,
            exit: args.exit,
            since: args.since,
            until: args.until,
            context: args.context,
        }
    }
}

fn failure(error: RecallError) -> anyhow::Error {
    match error {
        RecallError::Store(error) => context::store_failed(error),
        RecallError::Query(error) => Failure::usage(error.to_string(), "give at least one word, path or error code"),
    }
}
