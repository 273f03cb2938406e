//! `coroner incident action`: what is still to be done, and the probe that closes it.

use clap::Subcommand;
use coroner_model::action::{Action, ActionStatus};
use coroner_verbs::action::{self, ActionError, ValueRequest, ValueSource};
use coroner_verbs::workspace;

use crate::args::{Format, Global};
use crate::context;
use crate::fail::{Exit, Failure};
use crate::render;
use crate::terminal::{self, Answer};

/// What is done with actions.
#[derive(Debug, Subcommand)]
pub enum ActionCommand {
    /// Lists actions, open ones and closed ones.
    List,
    /// Asks the issuer of a pushed secret whether its key is dead, and closes the action where it is.
    ///
    /// The value is read where you say, must be the one that was found, and goes to its issuer only, in one request
    /// that changes nothing, after you agreed to that at the terminal. It is not kept. An issuer that you run yourself
    /// stands in issuers.toml below CORONER_HOME: [gitlab], address = "https://git.example.org".
    ///
    /// Example: coroner incident action probe 3f2a91c0 --value-from commit
    Probe {
        /// The action, by its id or its first digits.
        id: String,
        /// Where the value is: env:NAME, file:PATH, file:PATH:LINE, or commit.
        #[arg(long, value_name = "PLACE")]
        value_from: String,
    },
    /// Closes an action on a person's word, which is shown as that.
    ///
    /// Example: coroner incident action accept 3f2a91c0 --by "Ada Lovelace"
    Accept {
        /// The action, by its id or its first digits.
        id: String,
        /// Who answers for it.
        #[arg(long, value_name = "NAME")]
        by: String,
    },
}

/// Runs `incident action`.
pub fn run(global: &Global, verb: ActionCommand) -> anyhow::Result<Exit> {
    let request = context::request(global)?;
    let (store, _) = workspace::open_store(&request).map_err(|e| context::failed(&e))?;
    let json = global.format == Format::Json;
    match verb {
        ActionCommand::List => {
            let list = action::list(&store).map_err(failure)?;
            if json {
                render::json(&list)?;
            } else if list.actions.is_empty() {
                println!("No action was ever opened.");
            }
            if !json {
                list.actions.iter().for_each(|action| println!("{}", line(action)));
            }
            Ok(if list.actions.iter().any(Action::is_open) { Exit::Found } else { Exit::Clean })
        }
        ActionCommand::Probe { id, value_from } => {
            let source: ValueSource = value_from.parse().map_err(failure)?;
            let plan = action::plan(&request.home, action::find(&store, &id).map_err(failure)?).map_err(failure)?;
            let place = ValueRequest { source: &source, cwd: &request.cwd, env: &request.env };
            let value = action::value(&store, &plan.action, place).map_err(failure)?;
            agree(&format!(
                "{}\nThe value goes to {host}, as `{} {}`, and nowhere else ({}).\nWas this key made at {host}, and may it be sent there once?",
                line(&plan.action),
                plan.method,
                plan.address,
                plan.document,
                host = plan.host,
            ))?;
            let report = action::probe(&store, &plan, value, request.now).map_err(failure)?;
            match (json, report.key) {
                (true, _) => render::json(&report)?,
                (_, "dead") => println!(
                    "The key is dead: {} refused it ({}). The action is closed.",
                    report.host, report.http_status
                ),
                (_, "alive") => {
                    println!("The key is ALIVE: {} took it. Make it dead there; the action stays open.", report.host)
                }
                _ => println!(
                    "{} answered {}, which says neither; the action stays open.",
                    report.host, report.http_status
                ),
            }
            Ok(match report.key {
                "dead" => Exit::Clean,
                "alive" => Exit::Found,
                _ => Exit::CouldNotLook,
            })
        }
        ActionCommand::Accept { id, by } => {
            let found = action::find(&store, &id).map_err(failure)?;
            agree(&format!("{}\nNothing shows that this key is dead. Close it as accepted by {by}?", line(&found)))?;
            let closed = action::accept(&store, found, &by, request.now).map_err(failure)?;
            if json {
                render::json(&closed)?
            } else {
                println!("{}", line(&closed))
            }
            Ok(Exit::Clean)
        }
    }
}

/// Asks the person at the terminal; nobody else can agree.
fn agree(question: &str) -> anyhow::Result<()> {
    let hint = "run it yourself in a terminal, and answer yes";
    match terminal::ask(&terminal::tame(question)) {
        Answer::Yes => Ok(()),
        Answer::No => Err(Failure::usage("nothing was sent and nothing closed", hint)),
        Answer::Nobody => Err(Failure::usage("there is no terminal to ask on", hint)),
    }
}

/// One action in a line.
pub fn line(action: &Action) -> String {
    let place = &action.place;
    let commit = place.commit.as_deref().and_then(|id| id.get(..12)).unwrap_or("no commit");
    let state = match &action.status {
        ActionStatus::Open => "open".to_owned(),
        ActionStatus::Dead { host, http_status, at } => format!("closed: {host} refused the key ({http_status}) {at}"),
        ActionStatus::Accepted { by, at } => format!("accepted by {by} {at}, not shown to be dead"),
    };
    let what = format!("{} pushed in {commit}, {}:{}", place.description, place.path, place.line);
    terminal::tame(&format!("{}  {state}  {what}  [{} {}]  {}", action.id, place.kind, place.token, action.repository))
}

fn failure(error: ActionError) -> anyhow::Error {
    let hint = error.hint();
    match error {
        ActionError::Look(_) => Failure::could_not_look(error.to_string(), "it gave no answer", hint),
        _ => Failure::usage(error.to_string(), hint),
    }
}
