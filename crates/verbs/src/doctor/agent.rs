//! One agent: which hook would run for a shell call, what it answers, and what would become of a call without it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use coroner_act::canary::{self as run, Line};
use coroner_collect::place::{self, Text};
use coroner_model::Agent;
use coroner_read::agent_hooks::{self, AgentSettings, HookEntry};
use serde_json::Value;

use super::canary::{self, Outcome};
use super::{Check, DoctorRequest, Health, check, note, ok, problem};
use crate::agents::{Scope, Surroundings};
use crate::workspace::WorkspaceRequest;

/// Largest file of settings that is read, in bytes.
const SETTINGS_BYTES_MAX: u64 = 16 * 1024 * 1024;
/// Longest time that a hook is waited for, in milliseconds.
const HOOK_MS_MAX: u64 = 10_000;

/// One hook with the file that names it.
struct Named {
    entry: HookEntry,
    path: PathBuf,
    scope: Scope,
}

/// Everything that is to be said of an agent.
pub(super) fn checks(request: &DoctorRequest, around: Surroundings<'_>, agent: Agent) -> Vec<Check> {
    let mut out = Vec::new();
    let hooks = match agent {
        Agent::OpenCode => plugins(around),
        _ => read_all(around, agent, &request.workspace, &mut out),
    };
    let help = format!("coroner init --hooks {}", agent.word());
    let command = canary_command(&request.workspace.home);
    let (events, tool) = agent_hooks::shell_event(agent);
    // Cursor matches the command itself.
    let tool = if agent == Agent::Cursor { command.as_str() } else { tool };
    let wired: Vec<&Named> = hooks
        .iter()
        .filter(|named| events.contains(&named.entry.event.as_str()) && named.entry.calls_coroner())
        .collect();
    let (runs, missed): (Vec<&Named>, Vec<&Named>) =
        wired.into_iter().partition(|named| named.entry.runs_for(agent, tool));
    for named in &missed {
        let matcher = named.entry.matcher.as_deref().unwrap_or_default();
        let text = format!("the matcher {matcher:?} in {} does not take shell calls in", named.path.display());
        out.push(check(agent.word(), if runs.is_empty() { Health::Problem } else { Health::Note }, text, Some(&help)));
    }
    if runs.is_empty() {
        let text = format!("no hook of {} calls Coroner before a shell command", agent.name());
        out.push(problem(agent.word(), text, &help));
        return out;
    }
    for named in &runs {
        out.extend(of_hook(request, agent, named, &command, &help));
    }
    let runs: Vec<&Named> = runs;
    out.extend(untaken(agent, &hooks, &help));
    out.extend(trust(around, agent, &runs));
    out
}

/// Deletes a file that Coroner made for it and that no agent may touch.
fn canary_command(home: &Path) -> String {
    format!("rm -rf {}", coroner_judge::guard::quote(&canary_folder(home).display().to_string()))
}

fn canary_folder(home: &Path) -> PathBuf {
    home.join("canary/.coroner")
}

/// The hooks of every settings file; what keeps them from running is told.
fn read_all(around: Surroundings<'_>, agent: Agent, workspace: &WorkspaceRequest, out: &mut Vec<Check>) -> Vec<Named> {
    let mut hooks = Vec::new();
    let mut managed_only = false;
    let mut retention = None;
    for file in around.settings_files(agent) {
        let shown = file.path.display().to_string();
        let text = match place::text(&file.path, SETTINGS_BYTES_MAX) {
            Text::Absent => continue,
            Text::Held(text) => text,
            Text::Unreadable(why) => {
                out.push(check(agent.word(), Health::CouldNotLook, format!("{shown}: {why}"), None));
                continue;
            }
        };
        let settings = match file.path.extension().is_some_and(|end| end == "toml") {
            true => agent_hooks::read_codex_config(&text),
            false => agent_hooks::read(agent, &text),
        };
        let AgentSettings { off, problems, .. } = &settings;
        for why in problems {
            out.push(problem(agent.word(), format!("{shown} is passed over: {why}"), "repair the file"));
        }
        if let Some(off) = off {
            out.push(problem(agent.word(), format!("{shown}: {off}, so that no hook runs"), "take that setting out"));
        }
        managed_only |= settings.managed_only && file.scope == Scope::Administrator;
        retention = retention.or(settings.retention_days);
        // A file that the agent refuses gives it no hooks.
        if problems.is_empty() {
            let named = |entry| Named { entry, path: file.path.clone(), scope: file.scope };
            hooks.extend(settings.hooks.into_iter().map(named));
        }
    }
    if managed_only {
        let before = hooks.len();
        hooks.retain(|named| named.scope == Scope::Administrator);
        if hooks.len() < before {
            let text = "allowManagedHooksOnly is set: only hooks of the administrator's settings run";
            out.push(problem(agent.word(), text, "have the administrator add the hook"));
        }
    }
    if agent == Agent::Claude {
        out.push(super::retention::check(around, workspace, retention));
    }
    hooks
}

/// OpenCode runs no command: its plugin names the program.
fn plugins(around: Surroundings<'_>) -> Vec<Named> {
    let mut hooks = Vec::new();
    for file in around.settings_files(Agent::OpenCode) {
        let Text::Held(text) = place::text(&file.path, SETTINGS_BYTES_MAX) else { continue };
        if !text.contains("tool.execute.before") || !text.contains("coroner") {
            continue;
        }
        let named = text.split_once("process.env.CORONER_BIN || \"").and_then(|(_, rest)| rest.split_once('"'));
        let program = around.env.get("CORONER_BIN").cloned().filter(|own| !own.is_empty());
        let program = program.unwrap_or_else(|| named.map_or("coroner", |(program, _)| program).to_owned());
        let entry = HookEntry {
            event: "tool.execute.before".to_owned(),
            command: program,
            args: Some(["hook", "--agent", "opencode"].map(str::to_owned).to_vec()),
            // It throws when there is no answer, and a throw stops the call.
            fails_closed: true,
            ..HookEntry::default()
        };
        hooks.push(Named { entry, path: file.path, scope: file.scope });
    }
    hooks
}

/// One hook: what it answers, and what becomes of a call when it fails.
fn of_hook(request: &DoctorRequest, agent: Agent, named: &Named, command: &str, help: &str) -> Vec<Check> {
    let word = agent.word();
    let entry = &named.entry;
    let place = named.path.display();
    let mut out = Vec::new();
    if entry.is_async {
        out.push(problem(word, format!("the hook in {place} is not waited for, so that it stops nothing"), help));
    }
    if let Some(condition) = &entry.condition {
        out.push(problem(word, format!("the hook in {place} runs only if {condition}"), help));
    }
    if let Some(odd) = entry.timeout.and_then(|timeout| agent_hooks::odd_timeout(agent, timeout)) {
        out.push(problem(word, format!("the hook in {place}: {odd}"), help));
    }
    let fired = match line_of(request, named) {
        Err(why) => problem(word, format!("the hook in {place} was not tried: {why}"), help),
        Ok(line) => fire(request, agent, named, &line, command, help),
    };
    out.push(fired);
    out.push(without_it(agent, entry, help));
    out
}

/// What is run: what a person's own settings say; of a project's, only Coroner itself.
fn line_of(request: &DoctorRequest, named: &Named) -> Result<Line, String> {
    let words = named.entry.plain_words();
    if named.scope == Scope::Project {
        let words = words.ok_or("a project's file wants a shell for it")?;
        let around = Surroundings { env: &request.workspace.env, project: &request.workspace.cwd };
        let given = words.first().cloned().unwrap_or_default();
        let program = if given.starts_with('/') { Some(PathBuf::from(&given)) } else { around.program(&given) };
        let program = program.ok_or(format!("the program {given} is not there"))?;
        let own = [Some(request.program.clone()), around.program("coroner")];
        let same = own.into_iter().flatten().any(|own| place::resolved(&own) == place::resolved(&program));
        if !same {
            return Err(format!("a project's file names {}, which is another program", program.display()));
        }
        return Ok(Line::Words(words));
    }
    match (&named.entry.args, words) {
        (Some(_), Some(words)) => Ok(Line::Words(words)),
        _ => Ok(Line::Text(named.entry.command.clone())),
    }
}

fn fire(request: &DoctorRequest, agent: Agent, named: &Named, line: &Line, command: &str, help: &str) -> Check {
    let word = agent.word();
    let folder = canary_folder(&request.workspace.home);
    let shown = named.entry.shown();
    if let Err(error) = run::set_out(&folder) {
        let text = format!("no canary can be set out in {}: {error}", folder.display());
        return check(word, Health::CouldNotLook, text, Some("check that CORONER_HOME can be written"));
    }
    let limit = named.entry.timeout.map(|timeout| if agent == Agent::Gemini { timeout } else { timeout * 1_000.0 });
    let ms = limit.map_or(HOOK_MS_MAX, |ms| (ms.max(0.0) as u64).min(HOOK_MS_MAX));
    let event = canary::event(agent, command, &request.workspace.cwd);
    let ran = run::run(line, &event, &request.workspace.cwd, Duration::from_millis(ms));
    let alive = run::take_in(&folder);
    if !alive {
        return problem(word, format!("the hook `{shown}` ran what it was to judge"), help);
    }
    let outcome = match ran {
        Ok(ran) => canary::outcome(agent, &ran),
        Err(error) => Outcome::Failed(format!("it cannot be started: {error}")),
    };
    match outcome {
        Outcome::Blocked => ok(word, format!("a canary was stopped by the hook in {}", named.path.display())),
        Outcome::Asked => problem(word, format!("a canary was only asked about by `{shown}`"), help),
        Outcome::Allowed => problem(word, format!("a canary was let through by `{shown}`"), help),
        Outcome::Failed(why) => {
            let then = if named.entry.fails_closed { "the call is stopped" } else { "the call runs all the same" };
            problem(word, format!("the hook `{shown}` failed: {why}; then {then}"), help)
        }
    }
}

/// What would happen if the program vanished, hung or crashed.
fn without_it(agent: Agent, entry: &HookEntry, help: &str) -> Check {
    let word = agent.word();
    let lost = "if the program were gone, hung or crashed";
    match agent {
        _ if entry.fails_closed => ok(word, format!("{lost}, calls would be stopped")),
        Agent::Claude => problem(word, format!("{lost}, calls would run: onFailure is not \"block\""), help),
        Agent::Cursor => problem(word, format!("{lost}, calls would run: failClosed is not true"), help),
        _ => {
            let text = format!("{lost}, calls would run: {} has no setting against that", agent.name());
            note(word, text, Some("run `coroner doctor` after each update"))
        }
    }
}

/// Tools that change things and that no hook of Coroner's takes in.
fn untaken(agent: Agent, hooks: &[Named], help: &str) -> Option<Check> {
    let (events, _) = agent_hooks::shell_event(agent);
    let tools: &[&str] = match agent {
        Agent::Claude => &["Write", "Edit", "MultiEdit", "NotebookEdit", "Read", "mcp__server__tool"],
        Agent::Codex => &["apply_patch", "mcp__server__tool"],
        Agent::Gemini => &["write_file", "replace", "mcp_server_tool"],
        Agent::Copilot => &["edit", "create"],
        Agent::Cursor => {
            let has = |event: &str| hooks.iter().any(|n| n.entry.event == event && n.entry.calls_coroner());
            let missing: Vec<&str> = ["beforeMCPExecution", "beforeReadFile"].into_iter().filter(|e| !has(e)).collect();
            return (!missing.is_empty())
                .then(|| problem(agent.word(), format!("nothing calls Coroner on {}", missing.join(", ")), help));
        }
        Agent::OpenCode => return None,
    };
    let taken = |tool: &str| {
        hooks.iter().any(|named| {
            let entry = &named.entry;
            events.contains(&entry.event.as_str()) && entry.calls_coroner() && entry.runs_for(agent, tool)
        })
    };
    let missing: Vec<&str> = tools.iter().copied().filter(|tool| !taken(tool)).collect();
    (!missing.is_empty()).then(|| problem(agent.word(), format!("the matcher leaves out {}", missing.join(", ")), help))
}

/// Whether the agent runs hooks of this place at all.
fn trust(around: Surroundings<'_>, agent: Agent, runs: &[&Named]) -> Option<Check> {
    if agent == Agent::Codex {
        let text = "Codex runs a hook only once it was trusted, which Coroner cannot see";
        return Some(note(agent.word(), text, Some("open `/hooks` in Codex and look that it is trusted")));
    }
    if !runs.iter().all(|named| named.scope == Scope::Project) {
        return None;
    }
    let root = around.project.display().to_string();
    let trusted = match agent {
        Agent::Claude => {
            let file = around.home()?.join(".claude.json");
            let Text::Held(text) = place::text(&file, SETTINGS_BYTES_MAX) else { return untrusted(agent) };
            let value: Value = serde_json::from_str(&text).unwrap_or_default();
            value.get("projects")?.get(&root).and_then(|p| p.get("hasTrustDialogAccepted")).and_then(Value::as_bool)
        }
        _ => None,
    };
    if trusted == Some(true) { None } else { untrusted(agent) }
}

fn untrusted(agent: Agent) -> Option<Check> {
    let text = format!("the hook is the project's, and {} may not trust this folder", agent.name());
    matches!(agent, Agent::Claude | Agent::Gemini).then(|| {
        note(agent.word(), text, Some("trust the folder when the agent asks, or install the hook for yourself"))
    })
}
