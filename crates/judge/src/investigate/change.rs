//! What agents did: their calls in the order of time, with what each would do.

use std::cell::OnceCell;
use std::collections::BTreeMap;

use coroner_model::session::{CallStatus, Session, ToolCall};
use coroner_model::{Answers, Citation, Document, Probe, Source};
use coroner_read::shell::Context;
use jiff::Timestamp;

use crate::effect::{self, Effects};
use crate::scene::Scene;

/// Longest command in a citation, in characters.
const COMMAND_CHARS_MAX: usize = 400;

/// One call of an agent; its effects are understood when they are asked for.
#[derive(Debug)]
pub struct Act<'a> {
    pub session: &'a Session,
    pub call: &'a ToolCall,
    effects: OnceCell<Effects>,
}

/// All calls of a case with the texts of the scripts that they may have run.
#[derive(Debug, Default)]
pub struct Acts<'a> {
    /// Oldest first; calls without a time come before all others, in their own order.
    pub all: Vec<Act<'a>>,
    scripts: BTreeMap<String, String>,
}

impl<'a> Acts<'a> {
    /// The calls of all sessions, subagents included.
    pub fn of(scene: &'a Scene, answers: &Answers) -> Acts<'a> {
        let mut all: Vec<Act<'a>> = scene
            .sessions
            .iter()
            .flat_map(|session| session.calls.iter().map(move |call| Act { session, call, effects: OnceCell::new() }))
            .collect();
        all.sort_by_key(|a| (a.call.at, &a.session.path, a.call.line));
        let mut scripts: BTreeMap<String, String> = answers
            .iter()
            .filter_map(|(probe, answer)| match (probe, answer) {
                (Probe::File { path }, Ok(documents)) => Some((path.clone(), text_of(documents.first()?))),
                _ => None,
            })
            .collect();
        // A script that an agent wrote is known from the call that wrote it.
        for act in &all {
            if let (Some(path), Some(text)) = (edited(act.call), act.call.input.get("content").and_then(|c| c.as_str()))
            {
                scripts.entry(path.to_owned()).or_insert_with(|| text.to_owned());
            }
        }
        Acts { all, scripts }
    }

    /// What a call would do.
    pub fn effects<'s>(&'s self, act: &'s Act<'_>) -> &'s Effects {
        act.effects.get_or_init(|| match &act.call.command {
            Some(command) => {
                let env = BTreeMap::new();
                let context = Context { cwd: cwd_of(act), env: &env, files: &self.scripts };
                effect::of_command_with(command, &context)
            }
            None => Effects::default(),
        })
    }
}

fn cwd_of<'s>(act: &'s Act<'_>) -> &'s str {
    if act.call.cwd.is_empty() { &act.session.cwd } else { &act.call.cwd }
}

fn text_of(document: &Document) -> String {
    document.text.as_str().to_owned()
}

/// The file that an editing tool changed.
pub fn edited(call: &ToolCall) -> Option<&str> {
    let edits = matches!(
        call.tool.as_str(),
        "Write" | "Edit" | "MultiEdit" | "NotebookEdit" | "write_file" | "replace" | "edit" | "write"
    );
    let path = ["file_path", "path", "notebook_path", "filePath"].iter().find_map(|k| call.input.get(*k)?.as_str());
    path.filter(|_| edits)
}

/// Whether a call changes anything, as far as its text says.
pub fn acts(effects: &Effects) -> bool {
    use coroner_read::shell::RedirectKind;
    !effects.planned.is_empty()
        || effects.script.invocations.iter().any(|i| {
            i.redirects.iter().any(|r| r.kind != RedirectKind::Read && !r.target.prefix().starts_with("/dev/"))
        })
}

/// Whether a call may have changed something: one that was refused never ran, and one
/// that failed before it reached its target changed nothing.
pub fn may_have_acted(call: &ToolCall) -> bool {
    match call.status {
        CallStatus::Rejected => false,
        CallStatus::Error => !failed_before_acting(call),
        _ => true,
    }
}

/// What programs print when they gave up before doing anything.
const GAVE_UP: [&str; 14] = [
    "command not found",
    "Cannot connect to the Docker daemon",
    "permission denied while trying to connect to the Docker daemon",
    "No such container",
    "no such service",
    "unrecognized option",
    "invalid option",
    "unknown option",
    "unknown shorthand flag",
    "unknown flag",
    "syntax error near",
    "a password is required",
    "a terminal is required",
    "no configuration file provided",
];
/// What `rm`, `mv` and `find` print for each path that stays.
const STAYED: [&str; 3] = ["Operation not permitted", "Permission denied", "Read-only file system"];

fn failed_before_acting(call: &ToolCall) -> bool {
    if matches!(call.exit_code, Some(126 | 127)) {
        return true;
    }
    let lines: Vec<&str> =
        call.output.lines().map(str::trim).filter(|l| !l.is_empty() && !l.starts_with("Exit code")).collect();
    let Some(first) = lines.first() else { return false };
    // A chain may have done its first part; only when all that was printed is the refusal did nothing happen.
    let refused = |line: &&str| GAVE_UP.iter().chain(&STAYED).any(|words| line.contains(words));
    lines.iter().all(refused) || lines.len() <= 6 && GAVE_UP.iter().any(|words| first.contains(words))
}

/// The agent as reports name it; a subagent after a slash.
pub fn agent_of(session: &Session) -> String {
    let agent = if session.agent.is_empty() { "agent" } else { &session.agent };
    match &session.subagent {
        Some(sub) if !sub.kind.is_empty() => format!("{agent}/{}", sub.kind),
        Some(sub) => format!("{agent}/{}", sub.id),
        None => agent.to_owned(),
    }
}

/// Cites a call where the transcript holds it.
pub fn cite(session: &Session, call: &ToolCall) -> Citation {
    let what = match (&call.command, edited(call)) {
        (Some(command), _) => command.trim().to_owned(),
        (None, Some(path)) => format!("{} {path}", call.tool),
        (None, None) => call.tool.clone(),
    };
    let mut text: String = what.chars().take(COMMAND_CHARS_MAX).collect();
    if text.len() < what.len() {
        text.push('…');
    }
    Citation::new(Source::Session, format!("{}:{}", session.path, call.line), text)
}

/// Where the transcript holds a call, as its citation says it.
pub fn place_of(act: &Act<'_>) -> String {
    format!("{}:{}", act.session.path, act.call.line)
}

/// The id of a call: its own, else its place in the transcript.
pub fn id_of(call: &ToolCall) -> String {
    if call.id.as_str().is_empty() { call.number.to_string() } else { call.id.to_string() }
}

/// Scripts that recorded commands ran and whose text is not at hand.
pub fn wanted_scripts(scene: &Scene, answers: &Answers, until: Option<Timestamp>) -> Vec<String> {
    /// Most scripts that are asked for.
    const SCRIPTS_MAX: usize = 20;
    let acts = Acts::of(scene, answers);
    let mut wanted: Vec<String> = Vec::new();
    for act in acts.all.iter().rev().filter(|a| may_have_acted(a.call)) {
        if until.is_some_and(|u| act.call.at.is_some_and(|at| at > u)) {
            continue;
        }
        for script in &acts.effects(act).script.wanted {
            if !wanted.contains(&script.path) && script.path.starts_with('/') {
                wanted.push(script.path.clone());
            }
        }
        if wanted.len() >= SCRIPTS_MAX {
            break;
        }
    }
    wanted.truncate(SCRIPTS_MAX);
    wanted.sort();
    wanted
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(status: CallStatus, exit_code: Option<i64>, output: &str) -> ToolCall {
        ToolCall { status, exit_code, output: output.to_owned(), ..ToolCall::default() }
    }

    #[test]
    fn a_call_that_never_reached_its_target_is_no_cause() {
        assert!(!may_have_acted(&call(CallStatus::Rejected, None, "")));
        assert!(!may_have_acted(&call(CallStatus::Error, Some(127), "bash: rsyn: command not found")));
        assert!(!may_have_acted(&call(
            CallStatus::Error,
            Some(1),
            "Exit code 1\nrm: cannot remove '/x': Permission denied"
        )));
        assert!(may_have_acted(&call(CallStatus::Error, Some(23), "deleting a\nrsync: some files vanished")));
        assert!(may_have_acted(&call(
            CallStatus::Error,
            Some(1),
            "removed '/x/a'\nrm: cannot remove '/x/b': Permission denied"
        )));
        assert!(may_have_acted(&call(CallStatus::Interrupted, None, "")));
    }
}
