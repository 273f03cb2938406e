//! `coroner guard`: would this command end badly here?

use clap::{Args, Subcommand};
use coroner_model::permission::{Permission, PermissionAnswer, PermissionRequest};
use coroner_verbs::guard::{self, Guard};

use crate::args::{Format, Global};
use crate::command::over_guard;
use crate::context;
use crate::fail::{Exit, Failure};
use crate::render;

/// Judges a command before it runs, by what it would do and to what.
///
/// Nothing of the command is run. `--batch` reads one JSON request a line and answers each with one JSON line; requests
/// of the same session see each other.
///
/// Example: coroner guard -- rsync -a --delete ./ /opt/shop/
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct GuardArgs {
    #[command(subcommand)]
    verb: Option<GuardVerb>,
    /// Read requests as JSON Lines from standard input.
    #[arg(long, conflicts_with = "command")]
    batch: bool,
    /// Judge as if it ran in this directory.
    #[arg(long, value_name = "DIR")]
    cwd: Option<String>,
    /// Judge as part of this session of an agent.
    #[arg(long, value_name = "ID")]
    session: Option<String>,
    /// The command: its words, or one word that is a whole shell text.
    #[arg(last = true, value_name = "COMMAND")]
    command: Vec<String>,
}

/// What a person says to the guard.
#[derive(Debug, Subcommand)]
enum GuardVerb {
    /// Let one denied command run once, within a quarter of an hour.
    ///
    /// Without an id it lists what was denied. It asks on the terminal for the passphrase, or is run by the
    /// administrator for another user's home; an agent can do neither.
    ///
    /// Example: coroner guard override 3f2a91
    Override {
        /// The denial, by its id.
        id: Option<String>,
    },
    /// Set the passphrase by which a person answers.
    ///
    /// It is read from the terminal only and is not kept: what is kept can check it and no more.
    ///
    /// Example: coroner guard passphrase
    Passphrase,
}

/// Runs `guard`.
pub fn run(global: &Global, args: GuardArgs) -> anyhow::Result<Exit> {
    match args.verb {
        Some(GuardVerb::Override { id: None }) => return over_guard::list(global),
        Some(GuardVerb::Override { id: Some(id) }) => return over_guard::lift(global, &id),
        Some(GuardVerb::Passphrase) => return over_guard::passphrase(global),
        None => {}
    }
    let mut guard = Guard::open(context::request(global)?).map_err(|e| context::failed(&e))?;
    if args.batch {
        guard::batch(&mut guard, std::io::stdin().lock(), std::io::stdout().lock())?;
        return Ok(Exit::Clean);
    }
    if args.command.is_empty() {
        return Err(Failure::usage(
            "there is no command to judge",
            "write it after two dashes: coroner guard -- rm -rf build",
        ));
    }
    let answer = guard.judge(PermissionRequest {
        command: Some(text(&args.command)),
        cwd: args.cwd.unwrap_or_default(),
        session: args.session,
        ..PermissionRequest::default()
    });
    match global.format {
        Format::Json => render::json(&answer)?,
        _ => plain(&answer),
    }
    Ok(if answer.permission == Permission::Allow { Exit::Clean } else { Exit::Found })
}

/// One word is shell text; several are the words of one command.
pub fn text(words: &[String]) -> String {
    match words {
        [whole] => whole.clone(),
        words => words.iter().map(|w| typed(w)).collect::<Vec<_>>().join(" "),
    }
}

/// A word as it has to be typed.
pub fn typed(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:@%+,".contains(c);
    if !word.is_empty() && word.chars().all(plain) { word.to_owned() } else { render::quoted(word) }
}

pub fn plain(answer: &PermissionAnswer) {
    if answer.reason.is_empty() {
        println!("Allowed: nothing known speaks against it.");
    } else {
        println!("{}", answer.reason);
    }
    let others: Vec<&str> =
        answer.findings.iter().filter(|f| f.reason != answer.reason).map(|f| f.pattern.as_str()).collect();
    if !others.is_empty() {
        println!("Also met: {}", others.join(", "));
    }
    if !answer.evidence.is_empty() {
        println!("\nEvidence");
        for entry in &answer.evidence {
            println!("  {}  {}", entry.text, entry.locator);
        }
    }
    render::could_not_look(&answer.could_not_look);
}
