//! `coroner hook`: the guard in the protocol of an agent's hooks.

use std::ffi::OsString;
use std::io::{Read, Write};

use clap::{Args, ValueEnum};
use coroner_verbs::git_hook::{self, GitHook, GitHookRequest};
use coroner_verbs::guard::Guard;
use coroner_verbs::hook::{self, Agent, Ended};
use coroner_verbs::workspace;

use crate::args::Global;
use crate::context;
use crate::fail::{Exit, Failure};

/// Answers one hook event of an agent on standard input and output.
///
/// A denial is spoken in the agent's own words. What cannot be read asks, or is denied where the agent has no ask; an
/// event of an unknown name gets no opinion.
///
/// Example: coroner hook --agent claude < event.json
#[derive(Debug, Args)]
pub struct HookArgs {
    /// Whose protocol to speak.
    #[arg(long, value_enum, required_unless_present = "git")]
    agent: Option<Host>,
    /// Answer as this hook of git: refuse what would bring a secret into the repository or out of it.
    #[arg(long, value_enum, value_name = "HOOK", conflicts_with_all = ["agent", "plugin"])]
    git: Option<Event>,
    /// Print the plugin that OpenCode needs, to be put into `.opencode/plugins/coroner.js`.
    #[arg(long)]
    plugin: bool,
    /// What git gives its hook.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, requires = "git")]
    rest: Vec<String>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Event {
    PreCommit,
    CommitMsg,
    PrePush,
    PreReceive,
    Update,
}

impl From<Event> for GitHook {
    fn from(event: Event) -> GitHook {
        match event {
            Event::PreCommit => GitHook::PreCommit,
            Event::CommitMsg => GitHook::CommitMsg,
            Event::PrePush => GitHook::PrePush,
            Event::PreReceive => GitHook::PreReceive,
            Event::Update => GitHook::Update,
        }
    }
}

/// An agent, as the command line names it.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Host {
    Claude,
    Codex,
    Gemini,
    Cursor,
    Copilot,
    Opencode,
}

impl From<Host> for Agent {
    fn from(host: Host) -> Agent {
        match host {
            Host::Claude => Agent::Claude,
            Host::Codex => Agent::Codex,
            Host::Gemini => Agent::Gemini,
            Host::Cursor => Agent::Cursor,
            Host::Copilot => Agent::Copilot,
            Host::Opencode => Agent::OpenCode,
        }
    }
}

/// Runs `hook`.
pub fn run(global: &Global, args: HookArgs) -> anyhow::Result<Exit> {
    if let Some(event) = args.git {
        return of_git(global, event.into(), &args.rest);
    }
    let Some(host) = args.agent else {
        return Err(Failure::usage("no agent is named", "name one with `--agent`"));
    };
    if args.plugin {
        let Host::Opencode = host else {
            return Err(Failure::usage(
                "only OpenCode needs a plugin",
                "name the program in the agent's own hook settings",
            ));
        };
        print!("{}", hook::OPENCODE_PLUGIN);
        return Ok(Exit::Clean);
    }
    answer(global, host.into())
}

/// The agent of the plain spelling `hook --agent NAME`, which hook settings hold; any other is left to the whole
/// command line.
pub fn only_agent(mut args: impl Iterator<Item = OsString>) -> Option<Agent> {
    let mut next = || args.next()?.into_string().ok();
    let (verb, option) = (next().and_then(|_| next())?, next()?);
    if verb != "hook" {
        return None;
    }
    let name = match option.strip_prefix("--agent=") {
        Some(name) => name.to_owned(),
        None if option == "--agent" => next()?,
        None => return None,
    };
    match args.next() {
        Some(_) => None,
        None => Host::from_str(&name, false).ok().map(Agent::from),
    }
}

/// Answers the event on standard input; ends the process itself where the protocol wants another exit code.
pub fn answer(global: &Global, agent: Agent) -> anyhow::Result<Exit> {
    let mut input = Vec::new();
    let read = std::io::stdin().lock().take(hook::INPUT_BYTES_MAX).read_to_end(&mut input);
    let reply = match read {
        Ok(_) => hook::answer(agent, &input, || Guard::open(context::request(global)?).map_err(anyhow::Error::from)),
        Err(error) => hook::failed(agent, &format!("Coroner could not read the hook's input: {error}")),
    };
    print!("{}", reply.stdout);
    eprint!("{}", reply.stderr);
    std::io::stdout().flush()?;
    if let Some(ended) = &reply.ended {
        record_later(global, ended)?;
    }
    if let Some(why) = &reply.failure {
        let around = context::request(global)?;
        hook::record_failure(&around.home, agent, why, around.now);
    }
    match reply.exit {
        0 => Ok(Exit::Clean),
        code => std::process::exit(i32::from(code)),
    }
}

/// Has what ended recorded by a process that the agent does not wait for.
fn record_later(global: &Global, ended: &Ended) -> anyhow::Result<()> {
    let around = context::request(global)?;
    let sources = ended.sources(&around.env);
    // A store that is elsewhere, or no file at all, is nothing that a hook tells its host.
    let (Ok(store), Ok(program)) = (workspace::store_path(&around), std::env::current_exe()) else { return Ok(()) };
    let named = global.store.as_ref().and_then(|store| store.to_str());
    let words: Vec<&str> = named.into_iter().flat_map(|store| ["--store", store]).collect();
    hook::record_in_background(&program, &store, &sources, &words);
    Ok(())
}

/// Largest message of a commit that is read, in bytes.
const MESSAGE_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// Answers git: what it reads on standard input depends on the hook.
fn of_git(global: &Global, hook: GitHook, rest: &[String]) -> anyhow::Result<Exit> {
    let mut input = String::new();
    if hook.reads_input() {
        std::io::stdin().lock().take(git_hook::INPUT_BYTES_MAX).read_to_string(&mut input)?;
    }
    let mut message = Vec::new();
    if let (GitHook::CommitMsg, Some(path)) = (hook, rest.first()) {
        std::fs::File::open(path)?.take(MESSAGE_BYTES_MAX).read_to_end(&mut message)?;
    }
    let message = String::from_utf8_lossy(&message);
    let known = context::request(global)?;
    let store = coroner_verbs::workspace::store_path(&known)?;
    let request = GitHookRequest {
        hook,
        args: rest,
        input: &input,
        message: Some(&message),
        cwd: &known.cwd,
        env: &known.env,
        home: &known.home,
        store: &store,
        now: known.now,
    };
    let reply = git_hook::answer(request);
    for line in &reply.lines {
        eprintln!("{line}");
    }
    Ok(if reply.refused { Exit::Found } else { Exit::Clean })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Option<Agent> {
        only_agent(line.split(' ').map(OsString::from))
    }

    #[test]
    fn only_the_plain_spelling_is_short_cut() {
        assert_eq!(read("coroner hook --agent claude"), Some(Agent::Claude));
        assert_eq!(read("/usr/bin/coroner hook --agent=opencode"), Some(Agent::OpenCode));
        for other in [
            "coroner",
            "coroner hook",
            "coroner hook --agent",
            "coroner hook --agent nobody",
            "coroner hook --agent opencode --plugin",
            "coroner --store /srv/x hook --agent claude",
            "coroner guard --agent claude",
        ] {
            assert_eq!(read(other), None, "{other}");
        }
    }
}
