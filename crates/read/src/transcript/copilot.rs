//! GitHub Copilot CLI sessions (JSON Lines of events).

use std::collections::BTreeMap;

use coroner_model::entry::{About, CallResult, Entry, ExitKnown, Note, Origin, RawPlace, Said, ToolKind};
use coroner_model::session::{CallStatus, Role};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::batch::{Batch, JsonLines};
use super::{id, time, tool};

/// Most calls without a result that are remembered.
const PENDING_COUNT_MAX: usize = 500;
/// Events that say nothing which is kept.
const SILENT: &[&str] =
    &["assistant.turn_start", "assistant.turn_end", "session.truncation", "session.shutdown", "hook.start", "hook.end"];

/// Reads the events of one file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Copilot {
    session: String,
    cwd: String,
    /// What the calls are for whose result is not read yet.
    pending: BTreeMap<String, ToolKind>,
}

impl Copilot {
    /// A reader for the session of that name.
    pub fn new(session: &str) -> Copilot {
        Copilot { session: session.to_owned(), ..Copilot::default() }
    }

    fn start(&mut self, data: &Value, entry: &mut Entry) {
        let text = |place: &str| data.pointer(place).and_then(Value::as_str).map(str::to_owned);
        if let Some(session) = text("/sessionId") {
            self.session = session;
            entry.session.clone_from(&self.session);
        }
        let cwd = text("/context/cwd");
        if let Some(cwd) = &cwd {
            self.cwd.clone_from(cwd);
        }
        let about = About {
            cwd,
            branch: text("/context/branch"),
            version: text("/copilotVersion"),
            started: entry.at.filter(|_| data.get("sessionId").is_some()),
            ..About::default()
        };
        entry.about = (about != About::default()).then(|| Box::new(about));
    }

    fn call(&mut self, request: &Value, name: &str, entry: &mut Entry) {
        let input = request.get("arguments").cloned().unwrap_or(Value::Null);
        let input = input.as_str().and_then(|text| super::batch::parsed(text).ok()).unwrap_or(input);
        let tool = request.get(name).and_then(Value::as_str).unwrap_or("");
        let mut call = tool::call(id(request.get("toolCallId")), tool, input);
        call.cwd = call.cwd.or_else(|| Some(self.cwd.clone()).filter(|cwd| !cwd.is_empty()));
        if self.pending.len() < PENDING_COUNT_MAX {
            self.pending.insert(call.id.clone(), call.kind);
        }
        entry.calls.push(call);
    }

    fn assistant(&mut self, data: &Value, entry: &mut Entry) {
        let text = |key: &str| data.get(key).and_then(Value::as_str).unwrap_or("").to_owned();
        entry.message = Some(Said {
            role: Role::Assistant,
            origin: Origin::Typed,
            text: text("content"),
            thinking: Some(text("reasoningText")).filter(|text| !text.is_empty()),
        });
        for request in data.get("toolRequests").and_then(Value::as_array).into_iter().flatten() {
            self.call(request, "name", entry);
        }
    }

    fn result(&mut self, data: &Value, entry: &mut Entry) {
        let call = id(data.get("toolCallId"));
        let kind = self.pending.remove(&call).unwrap_or_default();
        let output = [data.pointer("/result/content"), data.get("error")].into_iter().flatten().find_map(said);
        let output = output.unwrap_or_default();
        let exit_code = if kind == ToolKind::Shell { exit_code(&output) } else { None };
        let status = match data.get("success").and_then(Value::as_bool) {
            Some(true) if exit_code.is_none_or(|code| code == 0) => CallStatus::Ok,
            Some(true) => CallStatus::Error,
            Some(false) if is_refusal(data) => CallStatus::Rejected,
            Some(false) => CallStatus::Error,
            None => CallStatus::Unknown,
        };
        let known = if exit_code.is_some() { ExitKnown::InText } else { ExitKnown::Unknown };
        entry.results.push(CallResult { call, status, exit_code, known, output, at: entry.at });
    }

    fn abort(&mut self, entry: &mut Entry) {
        let at = entry.at;
        let unfinished = |(call, _)| CallResult { call, status: CallStatus::Interrupted, at, ..CallResult::default() };
        entry.results = std::mem::take(&mut self.pending).into_iter().map(unfinished).collect();
        entry.notes.push(Note { origin: Origin::Injected, text: "The turn was aborted.".to_owned() });
    }
}

impl JsonLines for Copilot {
    fn record(&mut self, record: Value, text: &str, raw: RawPlace, batch: &mut Batch) {
        let mut entry = Entry {
            session: self.session.clone(),
            id: id(record.get("id")),
            parent: id(record.get("parentId")),
            raw,
            at: time(record.get("timestamp")),
            ..Entry::default()
        };
        let data = record.get("data").unwrap_or(&Value::Null);
        match record.get("type").and_then(Value::as_str).unwrap_or("") {
            "session.start" | "session.resume" => self.start(data, &mut entry),
            "session.model_change" => {
                let model = data.get("newModel").and_then(Value::as_str).map(str::to_owned);
                entry.about = model.map(|model| Box::new(About { model: Some(model), ..About::default() }));
            }
            "user.message" => user(data, &mut entry),
            "assistant.message" => self.assistant(data, &mut entry),
            // The message that asked for the call holds it already, where there is one.
            "tool.execution_start" if !self.pending.contains_key(&id(data.get("toolCallId"))) => {
                self.call(data, "toolName", &mut entry);
            }
            "tool.execution_start" => {}
            "tool.execution_complete" => self.result(data, &mut entry),
            "abort" => self.abort(&mut entry),
            kind if SILENT.contains(&kind) || kind.starts_with("session.compaction_") => {}
            unknown => return batch.unknown(entry, &format!("an event of type {unknown:?}"), text),
        }
        batch.add(entry);
    }

    fn session(&self) -> &str {
        &self.session
    }
}

fn user(data: &Value, entry: &mut Entry) {
    let text = |key: &str| data.get(key).and_then(Value::as_str).unwrap_or("");
    let (typed, sent) = (text("content"), text("transformedContent"));
    if !sent.is_empty() && sent != typed {
        entry.notes.push(Note { origin: Origin::Injected, text: sent.to_owned() });
    }
    entry.message = Some(Said { role: Role::User, origin: Origin::Typed, text: typed.to_owned(), thinking: None });
}

/// A text, or the message of an object.
fn said(value: &Value) -> Option<String> {
    let text = value.as_str().or_else(|| value.get("message")?.as_str());
    text.map(str::to_owned).or_else(|| (!value.is_null()).then(|| value.to_string()))
}

/// Whether the error of a call says that a person or a rule kept it from running.
fn is_refusal(data: &Value) -> bool {
    let error = data.get("error");
    let code = error.and_then(|error| error.get("code")).and_then(Value::as_str).unwrap_or("");
    let text = error.and_then(said).unwrap_or_default().to_ascii_lowercase();
    let by_user = ["rejected by user", "denied by user", "user rejected", "user denied"];
    matches!(code, "rejected" | "denied") || by_user.iter().any(|words| text.contains(words))
}

/// The exit code in the last line of what a shell gave.
fn exit_code(output: &str) -> Option<i64> {
    let last = output.trim_end().lines().next_back()?;
    last.strip_prefix("<exited with exit code ")?.strip_suffix('>')?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn events_make_messages_calls_and_results() {
        let event = |kind: &str, data: Value| format!("{}\n", json!({"type": kind, "id": kind, "data": data}));
        let arguments = json!({"command": "make"});
        let text = [
            event("session.start", json!({"sessionId": "s", "context": {"cwd": "/opt", "branch": "main"}})),
            event("user.message", json!({"content": "go", "transformedContent": "<now> go"})),
            event(
                "assistant.message",
                json!({"content": "", "toolRequests": [
                    {"toolCallId": "c1", "name": "bash", "arguments": arguments},
                    {"toolCallId": "c2", "name": "bash", "arguments": arguments}]}),
            ),
            event("tool.execution_start", json!({"toolCallId": "c1", "toolName": "bash", "arguments": arguments})),
            event(
                "tool.execution_complete",
                json!({"toolCallId": "c1", "success": true, "result": {"content": "no\n<exited with exit code 2>"}}),
            ),
            event(
                "tool.execution_complete",
                json!({"toolCallId": "c2", "success": false, "error": {"code": "denied", "message": "no"}}),
            ),
            event("tool.execution_start", json!({"toolCallId": "c3", "toolName": "bash", "arguments": arguments})),
            event("abort", json!({})),
            event("hologram", json!({})),
        ]
        .concat();
        let batch = super::super::lines(&mut super::super::LineReader::Copilot(Copilot::new("x")), &text, 1);
        assert_eq!((batch.counts.messages, batch.counts.tool_calls, batch.counts.unknown), (2, 3, 1));
        let results = batch.entries.iter().flat_map(|e| &e.results);
        assert_eq!(
            results.map(|r| (r.call.as_str(), r.status, r.exit_code)).collect::<Vec<_>>(),
            [
                ("c1", CallStatus::Error, Some(2)),
                ("c2", CallStatus::Rejected, None),
                ("c3", CallStatus::Interrupted, None)
            ]
        );
        assert!(batch.entries.iter().all(|e| e.session == "s"));
        assert_eq!(batch.entries[1].message.as_ref().unwrap().text, "go");
    }
}
