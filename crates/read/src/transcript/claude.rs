//! Claude Code transcripts (JSON Lines), of both layouts, subagents included.

use std::collections::BTreeMap;

use coroner_model::entry::{About, CallResult, Entry, ExitKnown, Note, Origin, RawPlace, Said, ToolKind};
use coroner_model::session::{CallStatus, Role};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::batch::{Batch, JsonLines};
use super::{id, time, tool};

/// Most calls without a result that are remembered.
const PENDING_COUNT_MAX: usize = 500;
/// Stands for the subagents of the oldest layout, which marks their lines and does not name them.
const SIDECHAIN: &str = "sidechain";
/// Elements that the program puts into a text that a person typed.
const INJECTED: &[&str] = &[
    "system-reminder",
    "command-name",
    "command-message",
    "command-args",
    "local-command-stdout",
    "local-command-stderr",
    "local-command-caveat",
    "bash-input",
    "bash-stdout",
    "bash-stderr",
    "task-notification",
    "ide_opened_file",
    "ide_selection",
    "ide_diagnostics",
    "user-prompt-submit-hook",
];
/// Types of lines that say nothing which is kept.
const SILENT: &[&str] = &[
    "last-prompt",
    "mode",
    "permission-mode",
    "pr-link",
    "agent-name",
    "agent-color",
    "agent-setting",
    "tag",
    "worktree-state",
];

/// Reads the lines of one file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Claude {
    /// Session of the last line; at first the name of the file.
    session: String,
    /// Subagent whose own file this is; empty for a session's file.
    agent: String,
    cwd: String,
    branch: String,
    version: String,
    /// Calls whose result is not read yet.
    pending: BTreeMap<String, Pending>,
}

/// What of a call is needed to understand its result.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Pending {
    is_shell: bool,
    in_background: bool,
    /// Kind of the subagent that it starts.
    subagent: String,
}

impl Claude {
    /// A reader for the file of that name, without folder and extension.
    pub fn new(stem: &str) -> Claude {
        let agent = stem.strip_prefix("agent-").unwrap_or("").to_owned();
        Claude { session: stem.to_owned(), agent, ..Claude::default() }
    }

    /// Which subagent a line belongs to; empty for the session itself.
    fn agent_of(&self, record: &Value) -> String {
        if let Some(id) = record.get("agentId").and_then(Value::as_str) {
            return id.to_owned();
        }
        if !self.agent.is_empty() {
            return self.agent.clone();
        }
        let aside = record.get("isSidechain").and_then(Value::as_bool) == Some(true);
        if aside { SIDECHAIN.to_owned() } else { String::new() }
    }

    fn entry(&mut self, record: &Value, raw: RawPlace) -> Entry {
        if let Some(session) = record.get("sessionId").and_then(Value::as_str) {
            session.clone_into(&mut self.session);
        }
        let parent = ["parentUuid", "logicalParentUuid"].iter().find_map(|key| record.get(*key)?.as_str());
        Entry {
            session: self.session.clone(),
            subagent: self.agent_of(record),
            id: id(record.get("uuid")),
            parent: parent.unwrap_or("").to_owned(),
            raw,
            at: time(record.get("timestamp")),
            about: self.about(record).map(Box::new),
            ..Entry::default()
        }
    }

    /// What the envelope says anew of the session.
    fn about(&mut self, record: &Value) -> Option<About> {
        let about = About {
            cwd: fresh(&mut self.cwd, record.get("cwd")),
            branch: fresh(&mut self.branch, record.get("gitBranch")),
            version: fresh(&mut self.version, record.get("version")),
            ..About::default()
        };
        (about != About::default()).then_some(about)
    }

    fn message(&mut self, record: &Value, entry: &mut Entry) {
        let is_assistant = record["type"] == "assistant";
        let mut said = Said {
            role: if is_assistant { Role::Assistant } else { Role::User },
            origin: origin(record),
            text: String::new(),
            thinking: None,
        };
        let mut texts: Vec<&str> = Vec::new();
        match record.pointer("/message/content") {
            Some(Value::String(text)) => texts.push(text),
            Some(Value::Array(blocks)) => {
                for block in blocks {
                    match block.get("type").and_then(Value::as_str).unwrap_or("") {
                        "text" => texts.extend(block.get("text").and_then(Value::as_str)),
                        "thinking" => {
                            let more = block.get("thinking").and_then(Value::as_str).unwrap_or("");
                            add(said.thinking.get_or_insert_default(), more);
                        }
                        "tool_use" | "server_tool_use" => entry.calls.push(self.call(block, record)),
                        "tool_result" => {
                            let result = self.result(record, block, entry.at);
                            self.subagent(record, block, entry);
                            entry.results.push(result);
                        }
                        _ => {}
                    }
                }
            }
            _ => {}
        }
        let text = texts.join("\n");
        let only_results = text.is_empty() && !entry.results.is_empty();
        if only_results {
            said.role = Role::Tool;
        }
        if is_assistant || said.origin == Origin::Injected {
            said.text = text;
        } else {
            said.text = typed(&text, &mut entry.notes);
            if said.text.is_empty() && !entry.notes.is_empty() {
                said.origin = Origin::Injected;
            }
        }
        if record.get("isApiErrorMessage").and_then(Value::as_bool) == Some(true) {
            entry.errors.push(said.text.clone());
        }
        if said.origin == Origin::Injected && !is_assistant && !only_results {
            said.role = Role::System;
        }
        said.thinking = said.thinking.filter(|text| !text.is_empty());
        entry.message = Some(said);
    }

    fn call(&mut self, block: &Value, record: &Value) -> coroner_model::entry::Call {
        let input = block.get("input").cloned().unwrap_or(Value::Null);
        let pending = Pending {
            is_shell: false,
            in_background: input.get("run_in_background").and_then(Value::as_bool) == Some(true),
            subagent: input.get("subagent_type").and_then(Value::as_str).unwrap_or("").to_owned(),
        };
        let name = block.get("name").and_then(Value::as_str).unwrap_or("");
        let mut call = tool::call(id(block.get("id")), name, input);
        call.cwd = call.cwd.or_else(|| record.get("cwd").and_then(Value::as_str).map(str::to_owned));
        if self.pending.len() < PENDING_COUNT_MAX {
            let is_shell = call.kind == ToolKind::Shell;
            self.pending.insert(call.id.clone(), Pending { is_shell, ..pending });
        }
        call
    }

    fn result(&mut self, record: &Value, block: &Value, at: Option<jiff::Timestamp>) -> CallResult {
        let call = id(block.get("tool_use_id"));
        let structured = record.get("toolUseResult").unwrap_or(&Value::Null);
        let output = result_text(block.get("content"));
        let is_error = block.get("is_error").and_then(Value::as_bool) == Some(true);
        let pending = self.pending.get(&call).cloned().unwrap_or_default();
        let (status, exit_code, known) = outcome(&pending, &output, is_error, structured);
        CallResult { call, status, exit_code, known, output, at }
    }

    /// A result of a `Task` call names the subagent that did it.
    fn subagent(&mut self, record: &Value, block: &Value, entry: &mut Entry) {
        let Some(pending) = self.pending.remove(&id(block.get("tool_use_id"))) else { return };
        if !pending.subagent.is_empty() {
            let agent = record.pointer("/toolUseResult/agentId").and_then(Value::as_str).unwrap_or(SIDECHAIN);
            name_subagent(entry, agent, pending.subagent);
        }
    }

    /// Progress of a subagent links its id to the `Task` call that started it.
    fn progress(&mut self, record: &Value, entry: &mut Entry) {
        let agent = record.pointer("/data/agentId").and_then(Value::as_str);
        let parent = record.get("parentToolUseID").or_else(|| record.get("toolUseID")).and_then(Value::as_str);
        if let (Some(agent), Some(pending)) = (agent, parent.and_then(|p| self.pending.get_mut(p)))
            && !pending.subagent.is_empty()
        {
            name_subagent(entry, agent, std::mem::take(&mut pending.subagent));
        }
    }
}

impl JsonLines for Claude {
    fn record(&mut self, record: Value, text: &str, raw: RawPlace, batch: &mut Batch) {
        let kind = record.get("type").and_then(Value::as_str).unwrap_or("").to_owned();
        let mut entry = self.entry(&record, raw);
        let note = |text: Option<&Value>, origin| {
            text.and_then(Value::as_str).filter(|t| !t.is_empty()).map(|t| Note { origin, text: t.to_owned() })
        };
        match kind.as_str() {
            "user" | "assistant" => self.message(&record, &mut entry),
            "summary" => title(&mut entry, record.get("summary")),
            "custom-title" | "ai-title" => {
                title(&mut entry, ["title", "customTitle", "aiTitle"].iter().find_map(|key| record.get(*key)));
            }
            "progress" => self.progress(&record, &mut entry),
            "system" if record["subtype"] == "api_error" => {
                entry.errors.push(record.get("error").map(plain).unwrap_or_default());
            }
            "system" => {
                entry.notes.extend(note(record.get("content"), Origin::Injected));
                let hooks = record.get("hookErrors").and_then(Value::as_array);
                entry.errors.extend(hooks.into_iter().flatten().map(plain));
            }
            "attachment" => {
                let prompt = ["/attachment/prompt", "/attachment/content"].iter().find_map(|p| record.pointer(p));
                let queued = record.pointer("/attachment/type").and_then(Value::as_str) == Some("queued_command");
                let origin = if queued { Origin::Queued } else { Origin::Injected };
                entry.notes.extend(note(prompt, origin));
            }
            "queue-operation" if record["operation"] == "enqueue" => {
                entry.notes.extend(note(record.get("content"), Origin::Queued));
            }
            "queue-operation" | "file-history-snapshot" => {}
            silent if SILENT.contains(&silent) => {}
            unknown => {
                let why = format!("a line of type {unknown:?}");
                return batch.unknown(entry, &why, text);
            }
        }
        batch.add(entry);
    }

    fn session(&self) -> &str {
        &self.session
    }
}

/// The kind of a subagent by what stands beside its transcript, `agent-<id>.meta.json`.
pub fn meta(stem: &str, text: &str) -> Option<(String, String)> {
    let value = serde_json::from_str::<Value>(text).ok()?;
    let from_name = stem.strip_prefix("agent-").unwrap_or(stem);
    let id = value.get("agentId").and_then(Value::as_str).unwrap_or(from_name);
    let keys = ["agentType", "subagent_type", "subagentType", "agentName", "name", "type"];
    let kind = keys.iter().find_map(|key| value.get(*key).and_then(Value::as_str))?;
    (!id.is_empty()).then(|| (id.to_owned(), kind.to_owned()))
}

/// A value that differs from the last one.
fn fresh(last: &mut String, value: Option<&Value>) -> Option<String> {
    let value = value.and_then(Value::as_str).filter(|value| !value.is_empty() && *value != last.as_str())?;
    value.clone_into(last);
    Some(value.to_owned())
}

fn add(text: &mut String, more: &str) {
    if !text.is_empty() && !more.is_empty() {
        text.push('\n');
    }
    text.push_str(more);
}

fn title(entry: &mut Entry, value: Option<&Value>) {
    if let Some(text) = value.and_then(Value::as_str) {
        entry.about.get_or_insert_default().title = Some(text.to_owned());
    }
}

/// Says of a subagent what it is; the entry becomes the subagent's only where it says nothing else.
fn name_subagent(entry: &mut Entry, agent: &str, kind: String) {
    let about = entry.about.get_or_insert_default();
    about.subagent = Some(kind);
    about.subagent_id = Some(agent.to_owned());
}

fn origin(record: &Value) -> Origin {
    let flag = |key: &str| record.get(key).and_then(Value::as_bool) == Some(true);
    match record.get("promptSource").and_then(Value::as_str) {
        _ if flag("isMeta") || flag("isCompactSummary") => Origin::Injected,
        Some("queued") => Origin::Queued,
        Some("system") => Origin::Injected,
        _ => Origin::Typed,
    }
}

/// What a person typed in a text; what the program put in goes to the notes.
fn typed(text: &str, notes: &mut Vec<Note>) -> String {
    let mut rest = text;
    let mut own = String::new();
    while let Some((start, end)) = injected(rest) {
        own.push_str(&rest[..start]);
        notes.push(Note { origin: Origin::Injected, text: rest[start..end].to_owned() });
        rest = &rest[end..];
    }
    own.push_str(rest);
    let own = own.trim();
    if own.starts_with("Caveat: The messages below were generated") {
        notes.push(Note { origin: Origin::Injected, text: own.to_owned() });
        return String::new();
    }
    own.to_owned()
}

/// Where the first element stands that the program put in.
fn injected(text: &str) -> Option<(usize, usize)> {
    let mut from = 0;
    while let Some(at) = text[from..].find('<').map(|at| at + from) {
        let rest = &text[at + 1..];
        let name_len = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '-' && c != '_').unwrap_or(rest.len());
        let name = &rest[..name_len];
        if INJECTED.contains(&name)
            && let Some(close) = text[at..].find(&format!("</{name}>"))
        {
            return Some((at, at + close + name.len() + 3));
        }
        from = at + 1;
    }
    None
}

/// The text of a result: a string, or the text blocks of a list.
fn result_text(content: Option<&Value>) -> String {
    match content {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(blocks)) => {
            let texts: Vec<&str> = blocks.iter().filter_map(|b| b.get("text").and_then(Value::as_str)).collect();
            texts.join("\n")
        }
        _ => String::new(),
    }
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// What became of a call. There is no field for it: the flags and the first words say.
fn outcome(pending: &Pending, text: &str, is_error: bool, structured: &Value) -> (CallStatus, Option<i64>, ExitKnown) {
    let start = text.trim_start();
    let without = |status| (status, None, ExitKnown::Unknown);
    let refused_by_person = structured.as_str().is_some_and(|s| s.contains("User rejected tool use"))
        || is_error && start.starts_with("The user doesn't want to");
    let refused_by_hook = is_error
        && (start.starts_with("PreToolUse:")
            || start.starts_with("Hook PreToolUse")
            || start.contains("operation blocked by hook"));
    let refused_by_tool = start.starts_with("<tool_use_error>") && (is_error || structured.is_string());
    let refused_by_rule = is_error && start.starts_with("Permission to use") && start.contains("has been denied");
    if refused_by_person || refused_by_hook || refused_by_tool || refused_by_rule {
        return without(CallStatus::Rejected);
    }
    if structured.get("interrupted").and_then(Value::as_bool) == Some(true) || start.starts_with("[Request interrupted")
    {
        return without(CallStatus::Interrupted);
    }
    let background = structured.get("backgroundTaskId").is_some() || pending.in_background;
    if background && !is_error {
        return without(CallStatus::Background);
    }
    if is_error {
        let named = exit_code(start);
        return (CallStatus::Error, named, if named.is_some() { ExitKnown::InText } else { ExitKnown::Unknown });
    }
    if pending.is_shell && structured.get("returnCodeInterpretation").is_none() {
        return (CallStatus::Ok, Some(0), ExitKnown::Implied);
    }
    without(CallStatus::Ok)
}

fn exit_code(start: &str) -> Option<i64> {
    let rest = start.strip_prefix("Error: ").unwrap_or(start).strip_prefix("Exit code ")?;
    rest.split_whitespace().next()?.parse().ok()
}
