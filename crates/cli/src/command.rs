//! One file a verb: its arguments, the call, the rendering.

pub mod action;
pub mod blame;
pub mod check;
pub mod demo;
pub mod doctor;
pub mod evidence;
pub mod exec;
pub mod fix;
pub mod guard;
pub mod hook;
pub mod incident;
pub mod init;
pub mod investigate;
mod learn;
mod over_guard;
pub mod pattern;
pub mod recall;
pub mod record;
pub mod serve;
pub mod trust;
pub mod undo;

use crate::args::{Args, Command, Format, Global};
use crate::fail::Exit;
use crate::{context, render};

/// Runs the verb that was asked for.
pub fn run(args: Args) -> anyhow::Result<Exit> {
    match args.command {
        Some(Command::Blame(blame)) => blame::run(&args.global, &blame),
        Some(Command::Check(check)) => check::run(&args.global, check),
        Some(Command::Demo(demo)) => demo::run(&args.global, &demo),
        Some(Command::Doctor(doctor)) => doctor::run(&args.global, doctor),
        Some(Command::Evidence(evidence)) => evidence::run(&args.global, evidence),
        Some(Command::Exec(exec)) => exec::run(&args.global, exec),
        Some(Command::Fix(fix)) => fix::run(&args.global, fix),
        Some(Command::Guard(guard)) => guard::run(&args.global, guard),
        Some(Command::Hook(hook)) => hook::run(&args.global, hook),
        Some(Command::Incident(incident)) => incident::run(&args.global, incident),
        Some(Command::Init(init)) => init::run(&args.global, init),
        Some(Command::Investigate(investigate)) => investigate::run(&args.global, investigate),
        Some(Command::Pattern(pattern)) => pattern::run(&args.global, pattern),
        Some(Command::Recall(recall)) => recall::run(&args.global, recall),
        Some(Command::Record(record)) => record::run(&args.global, record),
        Some(Command::Serve(serve)) => serve::run(&args.global, &serve),
        Some(Command::Undo(undo)) => undo::run(&args.global, undo),
        Some(Command::Trust(trust)) => trust::run(&args.global, &trust),
        None => status(&args.global),
    }
}

/// `coroner` alone: where things stand.
fn status(global: &Global) -> anyhow::Result<Exit> {
    let ws = context::workspace(global)?;
    let status = coroner_verbs::status::status(&ws)?;
    match global.format {
        Format::Json => render::json(&status)?,
        _ => render::status::status(&status),
    }
    Ok(Exit::Clean)
}
