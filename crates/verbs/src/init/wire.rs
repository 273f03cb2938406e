//! Installs the hooks by which agents, git and shells call Coroner, and takes them away again.

use std::path::{Path, PathBuf};

use coroner_act::undo::{Take, Wanted};
use coroner_act::{ActError, Existing, FileWrite, HookPlan, Plan, Side, git_hook as act_git, undo};
use coroner_collect::place::{self, Text};
use coroner_collect::secrets::GitPlace;
use coroner_model::{Agent, CouldNotLook};
use coroner_read::agent_hooks;
use jiff::Timestamp;
use serde::Serialize;

use super::merge;
use crate::agents::{Scope, Surroundings};
use crate::git_hook::{self, InstallError};

/// Largest file of settings that is changed, in bytes.
pub const SETTINGS_BYTES_MAX: u64 = 2 * 1024 * 1024;
/// Lines around a change that a diff shows.
const CONTEXT_LINES: usize = 3;

/// What calls Coroner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Caller {
    Agent(Agent),
    Git,
    Shell,
}

impl Caller {
    /// The word after `--hooks`.
    pub fn word(self) -> &'static str {
        match self {
            Caller::Agent(agent) => agent.word(),
            Caller::Git => "git",
            Caller::Shell => "shell",
        }
    }
}

/// Whether hooks come or go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    Install,
    Remove,
}

/// What is to be wired.
#[derive(Clone, Copy, Debug)]
pub struct WireRequest<'a> {
    pub around: Surroundings<'a>,
    /// Coroner's own program, absolute.
    pub program: &'a Path,
    pub scope: Scope,
    pub callers: &'a [Caller],
    pub wish: Wish,
}

/// One file that would change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FileChange {
    pub path: PathBuf,
    /// Whose hook it is.
    pub caller: String,
    #[serde(skip)]
    pub before: Option<String>,
    /// Absent: the file goes.
    #[serde(skip)]
    pub after: Option<String>,
    #[serde(skip)]
    pub mode: u32,
    /// What would change, line by line.
    pub diff: String,
}

/// A file that is left as it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Refused {
    pub path: PathBuf,
    pub caller: String,
    pub why: String,
    /// What a person can paste; empty where nothing is to be pasted.
    pub snippet: String,
}

/// What would be done.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct WirePlan {
    pub changes: Vec<FileChange>,
    pub refused: Vec<Refused>,
    /// What is in place already.
    pub in_place: Vec<String>,
    /// What a person has to do or know besides.
    pub notes: Vec<String>,
    /// Hooks of git: they move files as well.
    #[serde(skip)]
    pub git: HookPlan,
}

impl WirePlan {
    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty() && self.git.is_empty()
    }
}

/// What was done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wired {
    /// The snapshot of the files before; none where none was there.
    pub undo: Option<String>,
    /// Files that were made anew: taking the hooks away takes them away.
    pub made: Vec<PathBuf>,
}

/// Why nothing could be wired.
#[derive(Debug, thiserror::Error)]
pub enum WireError {
    #[error("{path} was changed since it was looked at")]
    Changed { path: PathBuf },
    #[error("the files before could not be kept")]
    Undo(#[from] undo::UndoError),
    #[error(transparent)]
    Act(#[from] ActError),
    #[error("{path} cannot be removed: {because}")]
    Remove { path: PathBuf, because: String },
}

impl WireError {
    /// What a person can do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            WireError::Changed { .. } => "run it again",
            WireError::Undo(error) => error.hint(),
            WireError::Act(error) => error.hint(),
            WireError::Remove { .. } => "check that the folder is yours",
        }
    }
}

/// Looks what would change; changes nothing.
pub fn plan(request: &WireRequest<'_>) -> WirePlan {
    let mut plan = WirePlan::default();
    for caller in request.callers {
        match caller {
            Caller::Agent(agent) => of_agent(request, *agent, &mut plan),
            Caller::Git => of_git(request, &mut plan),
            Caller::Shell => of_shells(request, &mut plan),
        }
    }
    plan
}

fn of_agent(request: &WireRequest<'_>, agent: Agent, plan: &mut WirePlan) {
    let Some(named) = request.around.hook_file(agent, request.scope) else {
        plan.notes.push(format!("{}: HOME is not set, so its settings cannot be found", agent.name()));
        return;
    };
    let path = place::resolved(&named);
    let before = match place::text(&path, SETTINGS_BYTES_MAX) {
        Text::Absent => None,
        Text::Held(text) => Some(text),
        Text::Unreadable(why) => {
            let snippet = String::new();
            plan.refused.push(Refused { path, caller: agent.word().to_owned(), why, snippet });
            return;
        }
    };
    let merged = match (agent, request.wish, before.as_deref()) {
        (_, Wish::Remove, None) => Ok(None),
        (Agent::OpenCode, Wish::Install, _) => Ok(Some(merge::plugin(request.program))),
        // Whatever was put beside it, a plugin of another content is not Coroner's to remove.
        (Agent::OpenCode, Wish::Remove, Some(text)) => Ok((!is_own_plugin(text)).then(|| text.to_owned())),
        (_, Wish::Install, text) => merge::installed(agent, text, request.program).map(Some),
        (_, Wish::Remove, Some(text)) => merge::removed(agent, text),
    };
    let after = match merged {
        Ok(after) => after,
        Err(why) => {
            let snippet =
                if request.wish == Wish::Install { merge::snippet(agent, request.program) } else { String::new() };
            plan.refused.push(Refused { path, caller: agent.word().to_owned(), why: why.to_string(), snippet });
            return;
        }
    };
    if let (Agent::OpenCode, Wish::Install, Some(text)) = (agent, request.wish, &before)
        && !is_own_plugin(text)
    {
        let why = "another plugin lies there".to_owned();
        plan.refused.push(Refused {
            path,
            caller: agent.word().to_owned(),
            why,
            snippet: merge::plugin(request.program),
        });
        return;
    }
    if request.wish == Wish::Install {
        plan.notes.extend(besides(request, agent, before != after));
    }
    put(plan, path, agent.word(), before, after, request.scope);
}

fn is_own_plugin(text: &str) -> bool {
    text.contains("coroner hook --agent opencode") && text.contains("export const Coroner")
}

fn put(plan: &mut WirePlan, path: PathBuf, caller: &str, before: Option<String>, after: Option<String>, scope: Scope) {
    if before == after {
        plan.in_place.push(format!("{caller}: {}", path.display()));
        return;
    }
    let fresh = if scope == Scope::Project { 0o644 } else { 0o600 };
    let mode = place::access(&path).map_or(fresh, |access| access.mode);
    let diff = diff(before.as_deref().unwrap_or_default(), after.as_deref().unwrap_or_default());
    plan.changes.push(FileChange { path, caller: caller.to_owned(), before, after, mode, diff });
}

/// What a person has to know of an agent beside its file.
fn besides(request: &WireRequest<'_>, agent: Agent, changes: bool) -> Vec<String> {
    let mut notes = Vec::new();
    if agent == Agent::Codex && changes {
        notes.push("Codex runs no hook that was not reviewed: open `/hooks` in Codex and trust this one".to_owned());
    }
    if request.scope == Scope::Project && matches!(agent, Agent::Claude | Agent::Codex | Agent::Gemini) {
        notes.push(format!("{} runs hooks of a project only once the folder is trusted", agent.name()));
    }
    for file in request.around.settings_files(agent) {
        let Text::Held(text) = place::text(&file.path, SETTINGS_BYTES_MAX) else { continue };
        let read = match file.path.extension().is_some_and(|end| end == "toml") {
            true => agent_hooks::read_codex_config(&text),
            false if agent != Agent::OpenCode => agent_hooks::read(agent, &text),
            false => continue,
        };
        if let Some(off) = read.off {
            notes.push(format!("{}: {off}, so that no hook runs; take that out", file.path.display()));
        }
        if read.managed_only {
            notes.push(format!("{}: only hooks of the administrator run", file.path.display()));
        }
    }
    notes
}

fn of_git(request: &WireRequest<'_>, plan: &mut WirePlan) {
    let place = GitPlace { cwd: request.around.project, env: request.around.env };
    let planned = match request.wish {
        Wish::Install => git_hook::install(place, request.program, Side::Clone),
        Wish::Remove => git_hook::uninstall(place, Side::Clone),
    };
    match planned {
        Ok(git) if git.is_empty() => plan.in_place.push("git: the hooks of this repository".to_owned()),
        Ok(git) => plan.git = git,
        Err(error) => {
            let why = match &error {
                InstallError::Look(CouldNotLook { detail, .. }) => detail.clone(),
                InstallError::Act(act) => act.to_string(),
            };
            let path = request.around.project.to_path_buf();
            plan.refused.push(Refused { path, caller: "git".to_owned(), why, snippet: String::new() });
        }
    }
}

/// Start files of shells, each with the name that `exec --shell` knows it by.
const START_FILES: [(&str, &str); 2] = [(".bashrc", "bash"), (".zshrc", "zsh")];

fn of_shells(request: &WireRequest<'_>, plan: &mut WirePlan) {
    let Some(home) = request.around.home() else {
        plan.notes.push("shell: HOME is not set, so its start files cannot be found".to_owned());
        return;
    };
    let usual = request.around.env.get("SHELL").map(String::as_str).unwrap_or_default();
    let mut any = false;
    for (name, shell) in START_FILES {
        let path = place::resolved(&home.join(name));
        let before = match place::text(&path, SETTINGS_BYTES_MAX) {
            Text::Held(text) => Some(text),
            Text::Absent if request.wish == Wish::Install && usual.ends_with(shell) => None,
            Text::Absent => continue,
            Text::Unreadable(why) => {
                plan.refused.push(Refused {
                    path,
                    caller: "shell".to_owned(),
                    why,
                    snippet: shell_block(request.program, shell),
                });
                continue;
            }
        };
        any = true;
        let text = before.clone().unwrap_or_default();
        let rest = act_git::without_block(&text).unwrap_or_else(|| text.clone());
        let after = match request.wish {
            Wish::Remove => rest,
            Wish::Install if text.contains(&shell_block(request.program, shell)) => text.clone(),
            Wish::Install => {
                let gap = if rest.is_empty() || rest.ends_with('\n') { "" } else { "\n" };
                format!("{rest}{gap}{}", shell_block(request.program, shell))
            }
        };
        put(plan, path, "shell", before, Some(after), Scope::Person);
    }
    if !any && request.wish == Wish::Install {
        plan.notes.push("shell: no start file of bash or zsh is here".to_owned());
    }
}

/// Lines for a start file; a program that is gone must not break the shell.
fn shell_block(program: &Path, shell: &str) -> String {
    let program = coroner_judge::guard::quote(&program.display().to_string());
    act_git::marked(&format!("if [ -x {program} ]; then eval \"$({program} exec --shell {shell})\"; fi\n"))
}

/// What differs between two texts, as unified diffs show it.
pub fn diff(before: &str, after: &str) -> String {
    similar::TextDiff::from_lines(before, after).unified_diff().context_radius(CONTEXT_LINES).to_string()
}

/// Does what was planned; what the files held before is kept for `coroner undo`.
pub fn apply(home: &Path, plan: &WirePlan, now: Timestamp) -> Result<Wired, WireError> {
    for change in &plan.changes {
        let now = match place::text(&change.path, SETTINGS_BYTES_MAX) {
            Text::Held(text) => Some(text),
            Text::Absent => None,
            Text::Unreadable(_) => return Err(WireError::Changed { path: change.path.clone() }),
        };
        if now != change.before {
            return Err(WireError::Changed { path: change.path.clone() });
        }
    }
    let mut done = Wired { undo: keep(home, plan, now)?, ..Wired::default() };
    for change in &plan.changes {
        let path = change.path.clone();
        match &change.after {
            Some(text) => {
                let write = FileWrite { path, text: text.clone(), mode: change.mode, existing: Existing::Replace };
                Plan::of(write).apply()?;
                if change.before.is_none() {
                    done.made.push(change.path.clone());
                }
            }
            None => HookPlan { removals: vec![path], ..HookPlan::default() }.apply()?,
        }
    }
    plan.git.apply()?;
    Ok(done)
}

/// Keeps the files that are replaced or removed.
fn keep(home: &Path, plan: &WirePlan, now: Timestamp) -> Result<Option<String>, WireError> {
    let everything = |_: &Path, _: bool| Take::Keep;
    let there = plan.changes.iter().filter(|change| change.before.is_some());
    let git = plan.git.files.writes.iter().map(|write| (&write.path, false));
    let git = git.chain(plan.git.removals.iter().map(|path| (path, true)));
    let git = git.filter(|(path, _)| place::is_there(path) && !plan.git.moves.iter().any(|(from, _)| from == *path));
    let roots = there.map(|change| (&change.path, change.after.is_none())).chain(git);
    let wanted: Vec<Wanted<'_>> =
        roots.map(|(path, removes)| Wanted { root: path.clone(), removes, takes: &everything }).collect();
    if wanted.is_empty() {
        return Ok(None);
    }
    let head = crate::undo::blank(now, "coroner init --hooks".to_owned());
    let bounds = crate::undo::bounds(home, Path::new("/")).unwrap_or_default();
    let kept = undo::keep(&home.join(undo::FOLDER), head, &wanted, &[], &bounds)?;
    Ok(kept.map(|head| head.id).filter(|id| !id.is_empty()))
}
