//! `coroner init`: the configuration of a project, and the hooks that call Coroner.

use std::path::Path;

use clap::{Args, ValueEnum};
use coroner_model::Agent;
use coroner_verbs::agents::{Scope, Surroundings};
use coroner_verbs::guard::lift::{self, LiftError};
use coroner_verbs::init::wire::{self, Caller, WirePlan, WireRequest, Wish};
use coroner_verbs::init::{self, InitPlan};

use crate::args::{Format, Global};
use crate::command::over_guard;
use crate::command::undo::confirmed;
use crate::context;
use crate::fail::{Exit, Failure};
use crate::render;
use crate::terminal::{self, Answer, tame};

/// Writes a project's configuration, and wires the hooks of agents.
///
/// Looks at compose projects, data, backups, secrets, public addresses and owners, shows a commented
/// .coroner/coroner.toml and writes it once you agree; a file that is there keeps every line. With `--hooks` it puts
/// Coroner into the hook settings of agents, of git or of your shell instead: each change is shown first, everything
/// else in the files stays, and `coroner undo` or `--remove-hooks` takes it back.
///
/// Example: coroner init --hooks claude git
#[derive(Debug, Args)]
pub struct InitArgs {
    /// Install hooks: for these agents, `git`, `shell` or `all`; without a name for every agent that is here.
    #[arg(long, value_enum, value_name = "CALLER", num_args = 0.., conflicts_with = "remove_hooks")]
    hooks: Option<Vec<Name>>,
    /// Take the hooks away again.
    #[arg(long, value_enum, value_name = "CALLER", num_args = 0..)]
    remove_hooks: Option<Vec<Name>>,
    /// The project's own hook settings instead of yours.
    #[arg(long)]
    project: bool,
    /// Do it without asking; for a person's script.
    #[arg(long)]
    yes: bool,
    /// Only show what would be done.
    #[arg(long, conflicts_with = "yes")]
    dry_run: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Name {
    Claude,
    Codex,
    Gemini,
    Cursor,
    Copilot,
    Opencode,
    Git,
    Shell,
    All,
}

impl Name {
    fn caller(self) -> Option<Caller> {
        Some(match self {
            Name::Claude => Caller::Agent(Agent::Claude),
            Name::Codex => Caller::Agent(Agent::Codex),
            Name::Gemini => Caller::Agent(Agent::Gemini),
            Name::Cursor => Caller::Agent(Agent::Cursor),
            Name::Copilot => Caller::Agent(Agent::Copilot),
            Name::Opencode => Caller::Agent(Agent::OpenCode),
            Name::Git => Caller::Git,
            Name::Shell => Caller::Shell,
            Name::All => return None,
        })
    }
}

/// Runs `init`.
pub fn run(global: &Global, args: InitArgs) -> anyhow::Result<Exit> {
    if global.casefile.is_some() {
        return Err(Failure::usage("a casefile is only looked at", "run it without --casefile"));
    }
    let (names, wish) = match (&args.hooks, &args.remove_hooks) {
        (Some(names), _) => (names, Wish::Install),
        (None, Some(names)) => (names, Wish::Remove),
        (None, None) => return project(global, &args),
    };
    hooks(global, &args, names, wish)
}

fn hooks(global: &Global, args: &InitArgs, names: &[Name], wish: Wish) -> anyhow::Result<Exit> {
    let request = context::request(global)?;
    let root = coroner_verbs::look::project_root(&request.cwd);
    let around = Surroundings { env: &request.env, project: &root };
    let callers = callers(names, around, wish);
    if callers.is_empty() {
        return Err(Failure::usage("no agent was found here", "name one: coroner init --hooks claude"));
    }
    let program = std::env::current_exe()?;
    let scope = if args.project { Scope::Project } else { Scope::Person };
    let plan = wire::plan(&WireRequest { around, program: &program, scope, callers: &callers, wish });
    if global.format == Format::Json {
        render::json(&plan)?;
    } else {
        show(&plan);
    }
    let refused = if plan.refused.is_empty() { Exit::Clean } else { Exit::Found };
    if plan.is_empty() || args.dry_run {
        return Ok(refused);
    }
    let question = if wish == Wish::Install { "Make these changes?" } else { "Take the hooks away?" };
    if !confirmed(args.yes, question) {
        return Ok(Exit::Found);
    }
    let done = wire::apply(&request.home, &plan, request.now).map_err(|e| Failure::usage(e.to_string(), e.hint()))?;
    if global.format != Format::Json {
        told(&done, wish, names);
    }
    Ok(refused)
}

/// Without a name, whoever is here; `all` adds git and the shell.
fn callers(names: &[Name], around: Surroundings<'_>, wish: Wish) -> Vec<Caller> {
    let here = || match wish {
        Wish::Install => around.agents(),
        Wish::Remove => Agent::ALL.to_vec(),
    };
    let agents = || here().into_iter().map(Caller::Agent).collect::<Vec<_>>();
    let mut callers = if names.is_empty() { agents() } else { Vec::new() };
    for name in names {
        match name.caller() {
            Some(caller) => callers.push(caller),
            None => callers.extend(agents().into_iter().chain([Caller::Git, Caller::Shell])),
        }
    }
    let mut seen = Vec::new();
    callers.retain(|caller| {
        let fresh = !seen.contains(caller);
        seen.push(*caller);
        fresh
    });
    callers
}

fn show(plan: &WirePlan) {
    for change in &plan.changes {
        println!("{}: {}", change.caller, tame(&change.path.display().to_string()));
        print!("{}", tame(&change.diff));
    }
    for line in plan.git.lines() {
        println!("git: {}", tame(&line));
    }
    for one in &plan.in_place {
        println!("in place: {}", tame(one));
    }
    for one in &plan.refused {
        println!("left alone: {}: {}: {}", one.caller, tame(&one.path.display().to_string()), tame(&one.why));
        if !one.snippet.is_empty() {
            println!("  put this into it yourself:");
            one.snippet.lines().for_each(|line| println!("    {}", tame(line)));
        }
    }
    for note in &plan.notes {
        println!("note: {}", tame(note));
    }
}

fn told(done: &wire::Wired, wish: Wish, names: &[Name]) {
    println!("Done.");
    if let Some(id) = &done.undo {
        println!("To take it back: coroner undo {id}");
    }
    if wish == Wish::Install {
        if !done.made.is_empty() {
            let word = |name: &Name| name.to_possible_value().map(|v| format!(" {}", v.get_name()));
            let names: String = names.iter().filter_map(word).collect();
            println!("Files that are new go with: coroner init --remove-hooks{names}");
        }
        println!("To see that it works: coroner doctor");
    }
}

fn project(global: &Global, args: &InitArgs) -> anyhow::Result<Exit> {
    let ws = context::workspace(global)?;
    let plan = init::plan(&ws).map_err(|e| failed(&e))?;
    if global.format == Format::Json {
        render::json(&plan)?;
    } else {
        show_project(&plan);
    }
    if args.dry_run {
        return Ok(Exit::Clean);
    }
    if plan.is_in_place() {
        if global.format != Format::Json {
            println!("{} is as it would be written.", plan.path.display());
        }
    } else {
        if !confirmed(args.yes, "Write this file?") {
            return Ok(Exit::Found);
        }
        let kept = init::apply(&ws.home, &plan, ws.now).map_err(|e| failed(&e))?;
        if global.format != Format::Json {
            println!("Wrote {}", plan.path.display());
            if let Some(id) = kept {
                println!("To take it back: coroner undo {id}");
            }
        }
    }
    if global.format != Format::Json && !plan.agents.is_empty() {
        println!("Agents here: {}. Let them ask first: coroner init --hooks", plan.agents.join(", "));
    }
    if !args.yes {
        offer_passphrase(global, &ws.home)?;
    }
    Ok(Exit::Clean)
}

fn show_project(plan: &InitPlan) {
    for line in &plan.found {
        println!("found: {}", tame(line));
    }
    if !plan.is_in_place() {
        println!("\n{}", plan.path.display());
        match plan.before {
            Some(_) => print!("{}", tame(&plan.diff)),
            None => plan.text.lines().for_each(|line| println!("  {}", tame(line))),
        }
        println!();
    }
    for line in &plan.not_written {
        println!("not written: {}", tame(line));
    }
    render::could_not_look(&plan.could_not_look);
}

/// A person who has none yet may set the passphrase that lets a denied call through.
fn offer_passphrase(global: &Global, home: &Path) -> anyhow::Result<()> {
    if !matches!(lift::proof(home), Err(LiftError::NoPassphrase)) {
        return Ok(());
    }
    let question = "Set a passphrase, so that you can let a denied call through once?";
    if terminal::ask(question) == Answer::Yes {
        over_guard::passphrase(global)?;
    } else {
        println!("A passphrase can be set later: coroner guard passphrase");
    }
    Ok(())
}

fn failed(error: &init::InitError) -> anyhow::Error {
    Failure::usage(error.to_string(), error.hint())
}
