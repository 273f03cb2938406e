//! The command line: its doc comments are the help.

use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};

use crate::command;

/// Finds out what broke a system, proves it, and stops the repeat.
///
/// Coroner investigates production systems that AI coding agents operate. It works offline, changes nothing on the
/// host when it looks, and cites evidence for everything it says.
#[derive(Debug, Parser)]
#[command(
    name = "coroner",
    version,
    max_term_width = 100,
    after_help = "Exit codes: 0 looked, nothing wrong · 1 found something · 2 wrong usage · 3 could not look"
)]
pub struct Args {
    #[command(flatten)]
    pub global: Global,
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// Options that every verb honours.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct Global {
    /// Keep evidence and incidents in this folder instead of CORONER_HOME.
    #[arg(long, global = true, value_name = "PATH")]
    pub store: Option<PathBuf>,
    /// Look into this casefile (a folder or .tar.zst) and nowhere else.
    #[arg(long, global = true, value_name = "PATH")]
    pub casefile: Option<PathBuf>,
    /// How to print the report.
    #[arg(long, global = true, value_enum, default_value_t = Format::Plain)]
    pub format: Format,
}

/// Forms of a report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    #[default]
    Plain,
    Json,
    Sarif,
    Markdown,
}

/// The verbs.
#[derive(Debug, Subcommand)]
pub enum Command {
    Blame(command::blame::BlameArgs),
    Check(command::check::CheckArgs),
    Demo(command::demo::DemoArgs),
    Doctor(command::doctor::DoctorArgs),
    Evidence(command::evidence::EvidenceArgs),
    Exec(command::exec::ExecArgs),
    Fix(command::fix::FixArgs),
    Guard(command::guard::GuardArgs),
    Hook(command::hook::HookArgs),
    Incident(command::incident::IncidentArgs),
    Init(command::init::InitArgs),
    Investigate(command::investigate::InvestigateArgs),
    Pattern(command::pattern::PatternArgs),
    Recall(command::recall::RecallArgs),
    Record(command::record::RecordArgs),
    Serve(command::serve::ServeArgs),
    Undo(command::undo::UndoArgs),
    Trust(command::trust::TrustArgs),
}
