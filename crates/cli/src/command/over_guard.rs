//! `coroner guard override` and `coroner guard passphrase`: a person answers the guard.

use coroner_verbs::guard::lift::{self, LiftError, Proof};

use crate::args::{Format, Global};
use crate::context;
use crate::fail::{Exit, Failure};
use crate::render;
use crate::terminal::Terminal;

/// Most denials that are listed.
const LISTED_MAX: usize = 20;

/// Lists what was denied, newest first.
pub fn list(global: &Global) -> anyhow::Result<Exit> {
    let request = context::request(global)?;
    let denials = lift::denials(&request.home, request.now).map_err(|e| failed(&e))?;
    if global.format == Format::Json {
        render::json(&denials)?;
        return Ok(Exit::Clean);
    }
    if denials.is_empty() {
        println!("Nothing was denied in the last days.");
    }
    for denial in denials.iter().take(LISTED_MAX) {
        println!("{}  {}  {}\n  {}", denial.id, denial.at, denial.pattern, denial.shown);
    }
    Ok(Exit::Clean)
}

/// Lets one call through once.
pub fn lift(global: &Global, id: &str) -> anyhow::Result<Exit> {
    let request = context::request(global)?;
    let denial = lift::denial(&request.home, id, request.now).map_err(|e| failed(&e))?;
    let proof = lift::proof(&request.home).map_err(|e| failed(&e))?;
    let mut terminal = Terminal::open()?;
    terminal.say(&format!(
        "Denied at {} by {}, in {}:\n  {}\nIt may run once within 15 minutes, this call and no other.\n",
        denial.at, denial.pattern, denial.cwd, denial.shown
    ))?;
    let passphrase = match proof {
        Proof::Administrator => {
            if terminal.ask("Let it through? Type yes: ")?.trim() != "yes" {
                return Ok(Exit::Found);
            }
            None
        }
        Proof::Passphrase => Some(terminal.ask_hidden("Passphrase: ")?),
    };
    let lift = lift::lift(&request.home, &denial, passphrase.as_deref(), request.now).map_err(|e| failed(&e))?;
    println!("Lifted until {}.", lift.until);
    Ok(Exit::Clean)
}

/// Sets the passphrase.
pub fn passphrase(global: &Global) -> anyhow::Result<Exit> {
    let request = context::request(global)?;
    let mut terminal = Terminal::open()?;
    let old = match lift::proof(&request.home) {
        Ok(Proof::Passphrase) => Some(terminal.ask_hidden("Passphrase until now: ")?),
        _ => None,
    };
    let new = terminal.ask_hidden("New passphrase: ")?;
    if terminal.ask_hidden("The same again: ")? != new {
        return Err(Failure::usage("the two are not the same", "try again"));
    }
    lift::set_passphrase(&request.home, old.as_deref(), &new).map_err(|e| failed(&e))?;
    println!("The passphrase is set.");
    Ok(Exit::Clean)
}

fn failed(error: &LiftError) -> anyhow::Error {
    Failure::usage(error.to_string(), error.hint())
}
