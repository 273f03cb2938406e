//! `coroner incident`: what broke before, and what was learned of it.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use coroner_model::incident::{Incident, IncidentStatus};
use coroner_model::{Category, Severity};
use coroner_verbs::incident::{self, ExportForm, IncidentError, IncidentFilter};
use coroner_verbs::incident_learn::LearnRequest;
use coroner_verbs::workspace;

use crate::args::{Format, Global};
use crate::command::action::{self, ActionCommand};
use crate::command::learn;
use crate::context;
use crate::fail::{Exit, Failure};
use crate::render;

/// Largest page that is imported, in bytes.
const PAGE_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// Keeps, lists, imports and exports incidents, and learns from them.
///
/// Incidents live in the store; Markdown and JSON are the forms in which they come and go.
///
/// Example: coroner incident import failures.md
#[derive(Debug, Args)]
pub struct IncidentArgs {
    #[command(subcommand)]
    verb: IncidentCommand,
}

#[derive(Debug, Subcommand)]
enum IncidentCommand {
    /// Lists incidents, with what their pages got wrong about themselves.
    List(Filter),
    /// One incident, by its id or a part of it.
    Show { id: String },
    /// Keeps a new incident.
    New(Box<New>),
    /// Changes an incident: prints its text, or takes the changed text back.
    ///
    /// Example: coroner incident edit ID > a.md; edit a.md; coroner incident edit ID --from a.md
    Edit {
        id: String,
        /// The changed text; `-` is standard input.
        #[arg(long, value_name = "FILE")]
        from: Option<PathBuf>,
    },
    /// Reads a failure page, a failure log, a list of post-mortems, or an export.
    Import {
        /// Text, Markdown, HTML or JSON; `-` is standard input.
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
    /// Prints all incidents as JSON (or Markdown), in a form that imports as it is.
    Export {
        #[command(flatten)]
        filter: Filter,
        /// Write one Markdown file an incident into this folder instead.
        #[arg(long, value_name = "FOLDER")]
        to: Option<PathBuf>,
    },
    /// Adds the sample incidents that come with Coroner.
    Casebook,
    /// Drafts the post-mortem of an investigation: every factual sentence cites evidence.
    ///
    /// Example: coroner incident draft 3c81 > post-mortem.md
    Draft {
        /// Id of the investigation or its first digits; the newest one where absent.
        #[arg(default_value = "", hide_default_value = true)]
        investigation: String,
    },
    /// What is still to be done: pushed secrets whose keys must be dead.
    #[command(subcommand)]
    Action(ActionCommand),
    /// Drafts an anti-pattern from a proven cause, tests it, and writes it into the project.
    ///
    /// Example: coroner incident learn 3c81
    Learn {
        /// Id of the investigation or its first digits; the newest one where absent.
        #[arg(default_value = "", hide_default_value = true)]
        investigation: String,
        /// Learn from the cause of this rank; the first proven one where absent.
        #[arg(long)]
        rank: Option<u32>,
        /// Show the file and write nothing.
        #[arg(long)]
        dry_run: bool,
    },
}

#[derive(Debug, Args)]
struct Filter {
    /// Words that all must occur.
    query: Vec<String>,
    #[arg(long, value_parser = severity)]
    severity: Vec<Severity>,
    #[arg(long, value_parser = status)]
    status: Vec<IncidentStatus>,
    #[arg(long, value_parser = category)]
    category: Vec<Category>,
    /// A session as written, such as 23-B.
    #[arg(long)]
    session: Option<String>,
    /// From this day on (2026-01-23).
    #[arg(long, value_name = "DAY", value_parser = day)]
    since: Option<String>,
    #[arg(long, value_name = "DAY", value_parser = day)]
    until: Option<String>,
}

#[derive(Debug, Args)]
struct New {
    title: String,
    #[arg(long, value_parser = severity)]
    severity: Option<Severity>,
    #[arg(long, value_parser = status)]
    status: Option<IncidentStatus>,
    #[arg(long, value_parser = category)]
    category: Option<Category>,
    /// RFC 3339 day or time.
    #[arg(long)]
    date: Option<String>,
    #[arg(long)]
    session: Vec<String>,
    #[arg(long)]
    what_happened: Option<String>,
    #[arg(long)]
    root_cause: Option<String>,
    #[arg(long)]
    data_lost: Option<String>,
    #[arg(long)]
    fix: Option<String>,
    #[arg(long)]
    lesson: Option<String>,
}

/// Runs `incident`.
pub fn run(global: &Global, args: IncidentArgs) -> anyhow::Result<Exit> {
    match args.verb {
        IncidentCommand::Draft { investigation } => learn::draft(global, &investigation),
        IncidentCommand::Learn { investigation, rank, dry_run } => {
            learn::learn(global, &LearnRequest { investigation, rank, dry_run })
        }
        IncidentCommand::Action(verb) => action::run(global, verb),
        kept => of_store(global, kept),
    }
}

/// The verbs that need nothing but the store.
fn of_store(global: &Global, verb: IncidentCommand) -> anyhow::Result<Exit> {
    let request = context::request(global)?;
    let (store, _) = workspace::open_store(&request).map_err(|e| context::failed(&e))?;
    let json = global.format == Format::Json;
    match verb {
        IncidentCommand::Draft { .. } | IncidentCommand::Learn { .. } | IncidentCommand::Action(_) => {}
        IncidentCommand::List(filter) => {
            let list = incident::list(&store, &filter.into()).map_err(failure)?;
            if json { render::json(&list)? } else { render::incident::list(&list) }
        }
        IncidentCommand::Show { id } => {
            let report = incident::show(&store, &id).map_err(failure)?;
            if json { render::json(&report)? } else { print!("{}", incident::edit_form(&store, &id).map_err(failure)?) }
        }
        IncidentCommand::New(new) => {
            let report = incident::new(&store, (*new).into(), request.now).map_err(failure)?;
            if json { render::json(&report)? } else { println!("Kept as {}", report.incident.id) }
        }
        IncidentCommand::Edit { id, from: None } => print!("{}", incident::edit_form(&store, &id).map_err(failure)?),
        IncidentCommand::Edit { id, from: Some(path) } => {
            let report = incident::edit(&store, &id, &read(&path)?, request.now).map_err(failure)?;
            if json { render::json(&report)? } else { println!("Kept the new text of {}", report.incident.id) }
        }
        IncidentCommand::Import { files } => {
            for path in files {
                let name = path.display().to_string();
                let report = incident::import(&store, &read(&path)?, &name, request.now).map_err(failure)?;
                if json { render::json(&report)? } else { render::incident::import(&report) }
            }
        }
        IncidentCommand::Export { filter, to: Some(folder) } => {
            let files = incident::export_files(&store, &filter.into()).map_err(failure)?;
            let written = incident::write_files(&folder, files).map_err(failure)?;
            println!("Wrote {written} files to {}", folder.display());
        }
        IncidentCommand::Export { filter, to: None } => {
            let form = if global.format == Format::Markdown { ExportForm::Markdown } else { ExportForm::Json };
            print!("{}", incident::export(&store, &filter.into(), form).map_err(failure)?);
        }
        IncidentCommand::Casebook => {
            let added = incident::load_casebook(&store, request.now).map_err(failure)?;
            println!("Added {added} sample incidents; coroner serve shows them");
        }
    }
    Ok(Exit::Clean)
}

/// A file's text, lossy where it is not UTF-8, bounded.
fn read(path: &Path) -> anyhow::Result<String> {
    use std::io::Read;
    let cannot = |e: std::io::Error| {
        Failure::could_not_look(
            format!("cannot read {}", path.display()),
            e.to_string(),
            "give a file that is there and yours",
        )
    };
    let reader: Box<dyn Read> = if path == Path::new("-") {
        Box::new(std::io::stdin())
    } else {
        Box::new(std::fs::File::open(path).map_err(cannot)?)
    };
    let mut bytes = Vec::new();
    reader.take(PAGE_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(cannot)?;
    if bytes.len() as u64 > PAGE_BYTES_MAX {
        let hint = "split it, or give the page itself";
        return Err(Failure::usage(format!("{} is larger than {PAGE_BYTES_MAX} bytes", path.display()), hint));
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

impl From<Filter> for IncidentFilter {
    fn from(filter: Filter) -> IncidentFilter {
        let query = filter.query.join(" ");
        IncidentFilter {
            severities: filter.severity,
            statuses: filter.status,
            categories: filter.category,
            session: filter.session,
            since: filter.since,
            until: filter.until,
            query: (!query.is_empty()).then_some(query),
        }
    }
}

impl From<New> for Incident {
    fn from(new: New) -> Incident {
        Incident {
            title: new.title,
            severity: new.severity,
            status: new.status.unwrap_or_default(),
            category: new.category,
            date: new.date,
            sessions: new.session,
            what_happened: new.what_happened,
            root_cause: new.root_cause,
            data_lost: new.data_lost,
            fix: new.fix,
            lesson: new.lesson,
            ..Incident::default()
        }
    }
}

/// A day, or a time of which the day counts; anything else would match nothing without a word.
fn day(word: &str) -> Result<String, String> {
    let day = word.parse::<jiff::civil::Date>().is_ok() || word.parse::<jiff::Timestamp>().is_ok();
    if day { Ok(word.to_owned()) } else { Err("a day such as 2026-01-23".to_owned()) }
}

fn severity(word: &str) -> Result<Severity, String> {
    Severity::parse(word).ok_or_else(|| "critical, major or minor".to_owned())
}

fn status(word: &str) -> Result<IncidentStatus, String> {
    IncidentStatus::parse(word).ok_or_else(|| "open, mitigated or resolved".to_owned())
}

fn category(word: &str) -> Result<Category, String> {
    Category::parse(word).ok_or_else(|| Category::ALL.map(Category::as_str).join(", "))
}

fn failure(error: IncidentError) -> anyhow::Error {
    let hint = error.hint();
    Failure::usage(error.to_string(), hint)
}
