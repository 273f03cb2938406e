//! The command line: its doc comments are the help.

use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};

use crate::command;

/// Finds out what broke a system, proves it, and stops the repeat.
///
/// Coroner investigates production systems that AI coding agents operate. It works offline, changes nothing on the
/// host when it looks, and cites evidence for everything it says.
#[derive(Debug, Parser)]
#[command(name = "coroner", version, max_term_width = 100, after_help = "Exit codes: 0 looked, nothing wrong · 1 found something · 2 wrong usage · 3 could not look")]
pub struct Args {
    #[command(flatten)]
    pub global: Global,
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// Options that every verb honours.
#[derive(Clone, Debug, clap::Args)]
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    Plain,
    Json,
    Sarif,
    Markdown,
}

/// The verbs.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Checks files and live state against the anti-patterns.
    Check(command::check::CheckArgs),
    /// Lists, shows, verifies, exports and redacts kept evidence.
    Evidence(command::evidence::EvidenceArgs),
    /// Judges a command before it runs.
    Guard(command::guard::GuardArgs),
    /// Speaks the protocol of an agent's hooks.
    Hook(command::hook::HookArgs),
    /// Keeps, lists, imports and exports incidents, and learns from them.
    Incident(command::incident::IncidentArgs),
    /// Finds the cause of a failure and proves it.
    Investigate(command::investigate::InvestigateArgs),
    /// Lists, shows, explains, starts and tests anti-patterns.
    Pattern(command::pattern::PatternArgs),
    /// Writes what can be seen of this host as a casefile.
    Record(command::record::RecordArgs),
    /// Shows incidents, investigations and anti-patterns in a browser.
    Serve(command::serve::ServeArgs),
}
