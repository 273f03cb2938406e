//! `hook`: speaks an agent's own protocol and answers with the guard's permission.
//!
//! One file a protocol. Each has its own traps: what lets a call run by mistake is an exit
//! code, an empty reason, a word that the host does not know. A failure of our own asks, or
//! denies where the host has no ask.

mod after;
mod claude;
mod codex;
mod copilot;
mod cursor;
mod ended;
mod gemini;
mod opencode;
mod permission;
mod settings;
mod start;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

pub use coroner_model::Agent;
use coroner_model::permission::{Permission, PermissionAnswer, PermissionRequest};
use serde_json::Value;

use crate::guard::Guard;
use crate::lessons;
use crate::undo::{self, IfAsked};
pub use ended::Ended;
pub use opencode::PLUGIN as OPENCODE_PLUGIN;

/// Largest input that is read, in bytes.
pub const INPUT_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// What the agent is told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HookReply {
    /// One JSON object, or nothing: no opinion.
    pub stdout: String,
    pub stderr: String,
    pub exit: u8,
    /// Why Coroner itself failed, where it did.
    pub failure: Option<String>,
    /// What is to be recorded once this is said.
    pub ended: Option<Box<Ended>>,
}

impl HookReply {
    /// A JSON object and exit 0.
    fn json(value: &Value) -> HookReply {
        HookReply { stdout: value.to_string(), ..HookReply::default() }
    }
}

/// What an event asks for.
#[derive(Clone, Debug)]
enum Event {
    /// Nothing that the guard judges; the host may want an answer all the same.
    Other(HookReply),
    /// A call before it runs.
    Call { request: Box<PermissionRequest>, transcript: Option<String> },
    /// A person is about to be asked whether a call may run.
    Permission { request: Box<PermissionRequest>, transcript: Option<String> },
    /// A call that has run.
    Ran { request: Box<PermissionRequest> },
    /// The host's settings changed while a session runs.
    Settings { cwd: String, path: String },
    /// It should be a call and cannot be read, and why.
    Unreadable(String),
}

/// What the guard says, before a host's words are found for it.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Say {
    Allow,
    Note(String),
    Ask(String),
    Deny(String),
    /// Coroner itself failed; this is no judgement on the call.
    Failed(String),
}

/// Answers one event of an agent; `guard` is opened only for an event that needs it.
pub fn answer<E: std::fmt::Display>(agent: Agent, input: &[u8], guard: impl FnOnce() -> Result<Guard, E>) -> HookReply {
    let judged = catch_unwind(AssertUnwindSafe(|| judge(agent, input, guard)));
    judged.unwrap_or_else(|_| failed(agent, "Coroner failed while it judged this call; have a person look at it."))
}

/// The reply where the input itself could not be had.
pub fn failed(agent: Agent, why: &str) -> HookReply {
    say(agent, Say::Failed(why.to_owned()))
}

/// Counts a failure of the hook, for `coroner doctor` to tell.
pub fn record_failure(home: &Path, agent: Agent, why: &str, now: jiff::Timestamp) {
    // What cannot be written down was told to the host all the same.
    let _ = coroner_store::mishap::add(home, agent.word(), why, now);
}

/// Leaves a wish for each source and has a process of its own fulfil them; the caller waits for nothing.
///
/// `program` is Coroner's own. What goes wrong is nobody's who is here: the next event wishes the same.
pub fn record_in_background(program: &Path, store: &Path, sources: &[PathBuf], words: &[&str]) {
    let is_left = |source: &PathBuf| coroner_store::wish::add(store, source).is_ok();
    if sources.iter().filter(|source| is_left(source)).count() > 0 {
        let words = [words, &["record", "--wished"]].concat();
        coroner_act::background::start(program, &words).ok();
    }
}

fn judge<E: std::fmt::Display>(agent: Agent, input: &[u8], guard: impl FnOnce() -> Result<Guard, E>) -> HookReply {
    let text = String::from_utf8_lossy(input);
    let garbled = std::str::from_utf8(input).is_err();
    let Ok(event) = serde_json::from_str::<Value>(text.trim()) else {
        return failed(agent, "Coroner could not read what the hook was given; have a person look at the call.");
    };
    if !event.is_object() {
        return failed(agent, "Coroner was given no hook event; have a person look at the call.");
    }
    if let Some(cwd) = start::of(agent, &event) {
        // What cannot be told holds no session up.
        return guard().map(|guard| start::reply(agent, guard.surroundings(), cwd)).unwrap_or_default();
    }
    if let Some(ended) = ended::of(agent, &event) {
        return HookReply { ended: Some(Box::new(ended)), ..HookReply::default() };
    }
    let garbled_name = garbled && field(&event, "hook_event_name").contains('\u{fffd}');
    match read(agent, &event) {
        Event::Other(reply) if !garbled_name => reply,
        _ if garbled => failed(agent, "The tool call holds bytes that are no text; have a person look at it."),
        Event::Other(reply) => reply,
        Event::Unreadable(why) => failed(agent, &why),
        // A person is asked in any case, so a failure here lets nothing through.
        Event::Permission { request, transcript } => guard()
            .map(|mut guard| permission::reply(guard.judge_with(*request, transcript.as_deref())))
            .unwrap_or_default(),
        Event::Ran { request } => guard().map(|guard| after::reply(&guard, *request)).unwrap_or_default(),
        Event::Settings { cwd, path } => {
            guard().map(|guard| settings::reply(guard.surroundings(), &cwd, &path)).unwrap_or_default()
        }
        Event::Call { request, transcript } => match guard() {
            Ok(mut guard) => {
                let asked = runs_when_asked(agent);
                let mut answer = undo::judge_and_keep(&mut guard, *request, transcript.as_deref(), asked);
                lessons::recall(guard.surroundings(), &mut answer);
                let failure = guard.has_failed().then(|| answer.reason.clone());
                HookReply { failure, ..say(agent, said(&answer)) }
            }
            Err(error) => failed(agent, &format!("Coroner could not be opened: {error}")),
        },
    }
}

fn read(agent: Agent, event: &Value) -> Event {
    match agent {
        Agent::Claude => claude::read(event),
        Agent::Codex => codex::read(event),
        Agent::Gemini => gemini::read(event),
        Agent::Cursor => cursor::read(event),
        Agent::Copilot => copilot::read(event),
        Agent::OpenCode => opencode::read(event),
    }
}

fn say(agent: Agent, what: Say) -> HookReply {
    let failure = match &what {
        Say::Failed(why) => Some(why.clone()),
        _ => None,
    };
    HookReply { failure, ..in_words(agent, what) }
}

fn in_words(agent: Agent, what: Say) -> HookReply {
    match agent {
        Agent::Claude => claude::say(what),
        Agent::Codex => codex::say(what),
        Agent::Gemini => gemini::say(what),
        Agent::Cursor => cursor::say(what),
        Agent::Copilot => copilot::say(what),
        Agent::OpenCode => opencode::say(what),
    }
}

/// Whether a call may still run after an ask: the others are told no.
fn runs_when_asked(agent: Agent) -> IfAsked {
    match agent {
        Agent::Claude | Agent::Cursor | Agent::Copilot => IfAsked::MayRun,
        Agent::Codex | Agent::Gemini | Agent::OpenCode => IfAsked::IsRefused,
    }
}

/// The guard's answer; a reason is never empty, since an empty one does not block.
fn said(answer: &PermissionAnswer) -> Say {
    let reason = match answer.reason.trim() {
        "" => "Coroner has no reason to give; have a person look at it.".to_owned(),
        reason => reason.to_owned(),
    };
    match answer.permission {
        Permission::Deny => Say::Deny(reason),
        Permission::Ask => {
            Say::Ask(std::iter::once(&reason).chain(&answer.notes).cloned().collect::<Vec<_>>().join("\n"))
        }
        Permission::Allow if answer.findings.is_empty() && answer.notes.is_empty() => Say::Allow,
        Permission::Allow => {
            let findings = answer.findings.iter().map(|f| f.reason.as_str());
            let notes: Vec<&str> = findings.chain(answer.notes.iter().map(String::as_str)).collect();
            Say::Note(notes.join("\n"))
        }
    }
}

/// A text field of an event; empty where it is absent or no text.
fn field(event: &Value, name: &str) -> String {
    event.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn filled(text: String) -> Option<String> {
    Some(text).filter(|t| !t.is_empty())
}

/// A call in the field names that Claude Code, Codex and Gemini share.
fn call(event: &Value, agent: &str) -> Event {
    let Some(tool) = event.get("tool_name").and_then(Value::as_str) else {
        return Event::Unreadable("Coroner was given a tool call without a tool; have a person look at it.".to_owned());
    };
    let request = PermissionRequest {
        tool: Some(tool.to_owned()),
        input: event.get("tool_input").cloned().unwrap_or(Value::Null),
        cwd: field(event, "cwd"),
        session: filled(field(event, "session_id")),
        agent: Some(agent.to_owned()),
        agent_id: filled(field(event, "agent_id")),
        agent_type: filled(field(event, "agent_type")),
        ..PermissionRequest::default()
    };
    Event::Call { request: Box::new(request), transcript: filled(field(event, "transcript_path")) }
}

/// The name of an event; without one it cannot be told whether a call waits for an answer.
fn name(event: &Value) -> Result<&str, Event> {
    event.get("hook_event_name").and_then(Value::as_str).ok_or_else(|| {
        Event::Unreadable("Coroner was given an event without a name; have a person look at the call.".to_owned())
    })
}

/// The call of an event named `wanted`, or of one of the two around it; any other name is none of the guard's affair.
fn call_before(event: &Value, wanted: &str, agent: &str) -> Event {
    match name(event) {
        Ok(found) if found == wanted => call(event, agent),
        Ok("PermissionRequest") if wanted == "PreToolUse" => match call(event, agent) {
            Event::Call { request, transcript } => Event::Permission { request, transcript },
            // Whatever it is, a person is asked.
            _ => Event::Other(HookReply::default()),
        },
        Ok("PostToolUse" | "AfterTool") => match call(event, agent) {
            Event::Call { request, .. } => Event::Ran { request },
            _ => Event::Other(HookReply::default()),
        },
        Ok(_) => Event::Other(HookReply::default()),
        Err(unreadable) => unreadable,
    }
}

/// The input of a tool, which some versions give as JSON in a string.
fn input(event: &Value, key: &str) -> Value {
    match event.get(key) {
        Some(Value::String(text)) => serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.clone())),
        Some(value) => value.clone(),
        None => Value::Null,
    }
}

/// What a host without an ask is told instead of one.
fn ask_the_operator(reason: &str) -> String {
    format!("Ask the operator before running this. {reason}")
}
