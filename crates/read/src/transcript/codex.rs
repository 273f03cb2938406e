//! Codex CLI rollouts: JSON Lines in envelopes, the older bare lines, and the oldest single document.

mod outcome;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use coroner_model::entry::{About, Call, CallResult, Change, Entry, ExitKnown, Note, Origin, RawPlace, Said, ToolKind};
use coroner_model::session::{CallStatus, Role};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::batch::{Batch, JsonLines};
use super::{id, time, tool, whole};

/// Most calls without a result, and most running terminals, that are remembered.
const PENDING_COUNT_MAX: usize = 500;
/// Length of a UUID in text.
const UUID_CHARS: usize = 36;
/// Beginnings of texts in the user's name that no person typed.
const INJECTED: &[&str] = &["<environment_context>", "<user_instructions>", "<permissions", "# AGENTS.md"];
/// Events that repeat what response items say, or say nothing which is kept.
const SILENT: &[&str] = &[
    "user_message",
    "agent_message",
    "agent_reasoning",
    "token_count",
    "task_started",
    "turn_started",
    "task_complete",
    "turn_complete",
    "patch_apply_end",
    "mcp_tool_call_end",
    "web_search_end",
    "context_compacted",
    "entered_review_mode",
    "exited_review_mode",
    "sub_agent_activity",
];

/// Reads the records of one file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Codex {
    /// At first what the name of the file says.
    session: String,
    /// Whether the file's own metadata were read; later ones are copies of a parent's.
    is_named: bool,
    cwd: String,
    model: String,
    /// Calls whose result is not read yet.
    pending: BTreeMap<String, Pending>,
    /// The call that started the program in each terminal.
    terminals: BTreeMap<u64, String>,
}

/// What of a call is needed to understand its result.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Pending {
    kind: ToolKind,
    /// The terminal that the call writes to.
    terminal: Option<u64>,
}

/// Reads a file that is one JSON document.
pub fn whole(stem: &str, text: &str) -> Batch {
    whole::read(text, "items", |fields| {
        let mut reader = Codex::new(stem);
        let about = fields.get("session").and_then(|session| reader.metadata(session));
        (reader, about.unwrap_or_default())
    })
}

impl Codex {
    /// A reader for the file of that name, without folder and extension.
    pub fn new(stem: &str) -> Codex {
        // The name ends with the session's id, which counts where the metadata are cut off.
        let id = stem.len().checked_sub(UUID_CHARS).and_then(|from| stem.get(from..)).filter(|id| is_uuid(id));
        Codex { session: id.unwrap_or(stem).to_owned(), ..Codex::default() }
    }

    /// What metadata say; `None` for those of a parent whose turns were copied.
    fn metadata(&mut self, meta: &Value) -> Option<About> {
        let own = id(meta.get("id"));
        if self.is_named && own != self.session {
            return None;
        }
        if !own.is_empty() {
            self.session = own;
        }
        self.is_named = true;
        let text = |key: &str| meta.get(key).and_then(Value::as_str).filter(|t| !t.is_empty()).map(str::to_owned);
        let cwd = text("cwd");
        if let Some(cwd) = &cwd {
            self.cwd.clone_from(cwd);
        }
        Some(About {
            cwd,
            branch: meta.pointer("/git/branch").and_then(Value::as_str).map(str::to_owned),
            version: text("cli_version"),
            parent: text("forked_from_id").or_else(|| text("parent_thread_id")),
            subagent: meta.get("source").and_then(subagent),
            started: time(meta.get("timestamp")),
            ..About::default()
        })
    }

    /// What the context of a turn says anew.
    fn turn(&mut self, context: &Value) -> Option<Box<About>> {
        let fresh = |last: &mut String, key: &str| {
            let value = context.get(key)?.as_str().filter(|value| *value != last)?;
            value.clone_into(last);
            Some(value.to_owned())
        };
        let about =
            About { cwd: fresh(&mut self.cwd, "cwd"), model: fresh(&mut self.model, "model"), ..About::default() };
        (about != About::default()).then(|| Box::new(about))
    }

    fn item(&mut self, item: &Value, mut entry: Entry, text: &str, batch: &mut Batch) {
        entry.id = id(item.get("id"));
        match item.get("type").and_then(Value::as_str).unwrap_or("") {
            "message" => message(item, &mut entry),
            "reasoning" => {
                let thought = [item.get("summary"), item.get("content")].map(|part| texts(part).join("\n"));
                note(&mut entry, Origin::Typed, thought.join("\n").trim());
            }
            "agent_message" => {
                note(&mut entry, Origin::Injected, &texts(item.get("content").or(item.get("message"))).join("\n"));
            }
            "ghost_snapshot" | "compaction" | "context_compaction" => {}
            kind if kind.ends_with("_call") => self.call(kind, item, &mut entry),
            kind if kind.ends_with("_output") && item.get("call_id").is_some() => self.result(item, &mut entry),
            unknown => return batch.unknown(entry, &format!("an item of type {unknown:?}"), text),
        }
        batch.add(entry);
    }

    fn call(&mut self, kind: &str, item: &Value, entry: &mut Entry) {
        let call_id = Some(id(item.get("call_id"))).filter(|id| !id.is_empty()).unwrap_or_else(|| entry.id.clone());
        if entry.id.is_empty() {
            entry.id.clone_from(&call_id);
        }
        let name = item.get("name").and_then(Value::as_str).unwrap_or_else(|| kind.trim_end_matches("_call"));
        let mut call = tool::call(call_id.clone(), name, input(item));
        call.cwd = call.cwd.or_else(|| Some(self.cwd.clone()).filter(|cwd| !cwd.is_empty()));
        if call.kind == ToolKind::Shell {
            call.changes = shell_patch(&call);
            call.paths = call.changes.iter().map(|change| change.path.clone()).collect();
        }
        if matches!(kind, "function_call" | "custom_tool_call" | "local_shell_call" | "tool_search_call") {
            let terminal = call.raw_input.as_ref().and_then(|input| input.get("session_id")?.as_u64());
            if self.pending.len() < PENDING_COUNT_MAX {
                self.pending.insert(call_id, Pending { kind: call.kind, terminal });
            }
        } else {
            // No output follows such a call: it says itself what became of it.
            let status = match item.get("status").and_then(Value::as_str) {
                Some("completed") => CallStatus::Ok,
                Some("failed") => CallStatus::Error,
                _ => CallStatus::Unknown,
            };
            call.result = Some(Box::new(CallResult { call: call_id, status, ..CallResult::default() }));
        }
        entry.calls.push(call);
    }

    fn result(&mut self, item: &Value, entry: &mut Entry) {
        let call = id(item.get("call_id"));
        let pending = self.pending.remove(&call).unwrap_or_default();
        let found = outcome::read(item.get("output").or_else(|| item.get("tools")), pending.kind);
        let at = entry.at;
        let mut result = CallResult {
            call,
            status: found.status,
            exit_code: found.exit_code,
            known: found.known,
            output: found.text,
            at,
        };
        match (found.terminal, pending.terminal) {
            (Some(terminal), None) if self.terminals.len() < PENDING_COUNT_MAX => {
                self.terminals.insert(terminal, result.call.clone());
            }
            (Some(_), Some(_)) => result.status = CallStatus::Ok,
            // The program has ended that an earlier call started: the outcome is that call's.
            (None, Some(terminal)) if result.exit_code.is_some() => {
                if let Some(call) = self.terminals.remove(&terminal) {
                    entry.results.push(CallResult { call, ..result.clone() });
                    result =
                        CallResult { status: CallStatus::Ok, exit_code: None, known: ExitKnown::Unknown, ..result };
                }
            }
            _ => {}
        }
        entry.results.push(result);
    }

    fn event(&mut self, event: &Value, mut entry: Entry, text: &str, batch: &mut Batch) {
        let said = |key: &str| event.get(key).and_then(Value::as_str).unwrap_or("");
        match said("type") {
            "error" | "stream_error" => entry.errors.push(said("message").to_owned()),
            "warning" => note(&mut entry, Origin::Injected, said("message")),
            "turn_aborted" => {
                let unfinished = |(call, _)| CallResult {
                    call,
                    status: CallStatus::Interrupted,
                    at: entry.at,
                    ..CallResult::default()
                };
                entry.results = std::mem::take(&mut self.pending).into_iter().map(unfinished).collect();
                note(&mut entry, Origin::Injected, &format!("The turn was aborted: {}", said("reason")));
            }
            // The turns left the model's context; what they did was done.
            "thread_rolled_back" => note(&mut entry, Origin::Injected, "Turns were rolled back."),
            silent if SILENT.contains(&silent) => {}
            unknown => return batch.unknown(entry, &format!("an event of type {unknown:?}"), text),
        }
        batch.add(entry);
    }

    /// A record of the older layout, which has no envelope.
    fn bare(&mut self, record: &Value, mut entry: Entry, text: &str, batch: &mut Batch) {
        if record.get("type").is_some() {
            return self.item(record, entry, text, batch);
        }
        if let (Some(session), Some(typed)) = (record.get("session_id"), record.get("text").and_then(Value::as_str)) {
            entry.session = id(Some(session));
            entry.at = time(record.get("ts"));
            note(&mut entry, Origin::Typed, typed);
        } else if record.get("id").is_some() {
            entry.about = self.metadata(record).map(Box::new);
            entry.session.clone_from(&self.session);
        } else if record.get("record_type").is_none() {
            return batch.unknown(entry, "neither an item nor metadata", text);
        }
        batch.add(entry);
    }
}

impl JsonLines for Codex {
    fn record(&mut self, record: Value, text: &str, raw: RawPlace, batch: &mut Batch) {
        let at = time(record.get("timestamp"));
        let mut entry = Entry { session: self.session.clone(), raw, at, ..Entry::default() };
        let Some(payload) = record.get("payload") else { return self.bare(&record, entry, text, batch) };
        match record.get("type").and_then(Value::as_str).unwrap_or("") {
            "response_item" => return self.item(payload, entry, text, batch),
            "event_msg" => return self.event(payload, entry, text, batch),
            "session_meta" => {
                entry.about = self.metadata(payload).map(Box::new);
                entry.session.clone_from(&self.session);
            }
            "turn_context" => entry.about = self.turn(payload),
            "compacted" => {
                note(&mut entry, Origin::Injected, payload.get("message").and_then(Value::as_str).unwrap_or(""));
            }
            unknown => return batch.unknown(entry, &format!("a line of type {unknown:?}"), text),
        }
        batch.add(entry);
    }

    fn session(&self) -> &str {
        &self.session
    }
}

fn is_uuid(text: &str) -> bool {
    let fits = |(index, byte): (usize, u8)| match index {
        8 | 13 | 18 | 23 => byte == b'-',
        _ => byte.is_ascii_hexdigit(),
    };
    text.len() == UUID_CHARS && text.bytes().enumerate().all(fits)
}

fn note(entry: &mut Entry, origin: Origin, text: &str) {
    if !text.is_empty() {
        entry.notes.push(Note { origin, text: text.to_owned() });
    }
}

/// The texts of a string or of a list of content items.
fn texts(content: Option<&Value>) -> Vec<&str> {
    match content {
        Some(Value::String(text)) => vec![text],
        Some(Value::Array(items)) => {
            items.iter().filter_map(|item| item.as_str().or_else(|| item.get("text")?.as_str())).collect()
        }
        _ => Vec::new(),
    }
}

fn message(item: &Value, entry: &mut Entry) {
    let role = super::neutral::role(item.get("role").and_then(Value::as_str).unwrap_or(""));
    let is_injected = |text: &&str| INJECTED.iter().any(|start| text.trim_start().starts_with(start));
    let texts = texts(item.get("content"));
    let (injected, own): (Vec<&str>, Vec<&str>) =
        texts.into_iter().partition(|text| role == Role::User && is_injected(text));
    let said = |role, origin, texts: &[&str]| Some(Said { role, origin, text: texts.join("\n"), thinking: None });
    entry.message = match role {
        Role::System => said(role, Origin::Injected, &own),
        Role::User if own.is_empty() && !injected.is_empty() => said(Role::System, Origin::Injected, &injected),
        role => {
            injected.iter().for_each(|text| note(entry, Origin::Injected, text));
            said(role, Origin::Typed, &own)
        }
    };
}

/// The kind of a subagent, where the source of a session is no plain word.
fn subagent(source: &Value) -> Option<String> {
    let (name, inner) = source.as_object()?.iter().next()?;
    let (kind, _) = inner.as_object().and_then(|inner| inner.iter().next()).unzip();
    Some(inner.as_str().or(kind.map(String::as_str)).unwrap_or(name).to_owned())
}

/// The input of a call: JSON in a string, free text, or an action.
fn input(item: &Value) -> Value {
    let without_type = |fields: &Map<String, Value>| {
        Value::Object(fields.iter().filter(|(key, _)| *key != "type").map(|(k, v)| (k.clone(), v.clone())).collect())
    };
    match (item.get("arguments"), item.get("input"), item.get("action")) {
        (Some(Value::String(text)), ..) => super::batch::parsed(text).unwrap_or_else(|_| json!({ "arguments": text })),
        (Some(value), ..) | (None, Some(value), _) => value.clone(),
        (None, None, Some(Value::Object(fields))) => without_type(fields),
        _ => Value::Null,
    }
}

/// The changes of a patch that is applied by a shell command.
fn shell_patch(call: &Call) -> Vec<Change> {
    let Some(input) = &call.raw_input else { return Vec::new() };
    let words = ["command", "cmd"].iter().find_map(|key| input.get(*key));
    let text = texts(words).join("\n");
    let Some(start) = text.find("*** Begin Patch") else { return Vec::new() };
    let mut before = text[..start].split(|c: char| !c.is_alphanumeric() && c != '_');
    if !before.any(|word| matches!(word, "apply_patch" | "applypatch")) {
        return Vec::new();
    }
    let patch = &text[start..];
    tool::patch(&patch[..patch.find("*** End Patch").unwrap_or(patch.len())])
}
