//! The neutral session format, `coroner/session/v1`, for any other agent.

use coroner_model::entry::{About, CallResult, Entry, ExitKnown, RawPlace, Said};
use coroner_model::session::{CallStatus, Role};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::batch::{Batch, JsonLines};
use super::{id, time, tool};

/// Reads the lines of one file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Neutral {
    session: String,
    cwd: String,
}

impl Neutral {
    /// A reader for the file of that name, without folder and extension.
    pub fn new(stem: &str) -> Neutral {
        Neutral { session: stem.to_owned(), cwd: String::new() }
    }

    fn head(&mut self, record: &Value, entry: &mut Entry) {
        if record.get("session").is_some() {
            self.session = id(record.get("session"));
            entry.session.clone_from(&self.session);
        }
        let text = |key: &str| record.get(key).and_then(Value::as_str).map(str::to_owned);
        self.cwd = text("cwd").unwrap_or_default();
        entry.about = Some(Box::new(About {
            title: text("title"),
            cwd: text("cwd"),
            branch: text("branch"),
            version: text("version"),
            model: text("model"),
            agent: text("agent"),
            parent: text("parent"),
            machine: text("machine"),
            started: time(record.get("started")),
            ..About::default()
        }));
    }

    fn call(&self, record: &Value, entry: &mut Entry) {
        let text = |key: &str| record.get(key).and_then(Value::as_str).map(str::to_owned);
        let name = text("tool").unwrap_or_default();
        let input = record.get("input").cloned().unwrap_or(Value::Null);
        let mut call = tool::call(id(record.get("tool_call")), &name, input);
        if let Some(command) = text("command") {
            call.command = Some(command);
        }
        call.cwd = text("cwd").or(call.cwd).or_else(|| Some(self.cwd.clone()).filter(|cwd| !cwd.is_empty()));
        let exit_code = record.get("exit_code").and_then(Value::as_i64);
        let status = match (record.get("status").and_then(Value::as_str), exit_code) {
            (Some("rejected" | "denied" | "cancelled"), _) => CallStatus::Rejected,
            (Some("interrupted"), _) => CallStatus::Interrupted,
            (Some("background"), _) => CallStatus::Background,
            (Some("error" | "failed"), _) => CallStatus::Error,
            (Some("ok" | "success" | "completed"), None) | (_, Some(0)) => CallStatus::Ok,
            (_, Some(_)) => CallStatus::Error,
            _ => CallStatus::Unknown,
        };
        call.result = Some(Box::new(CallResult {
            call: call.id.clone(),
            status,
            exit_code,
            known: if exit_code.is_some() { ExitKnown::Reported } else { ExitKnown::Unknown },
            output: text("output").unwrap_or_default(),
            at: time(record.get("ended")),
        }));
        entry.parent = id(record.get("message"));
        entry.calls.push(call);
    }
}

impl JsonLines for Neutral {
    fn record(&mut self, record: Value, text: &str, raw: RawPlace, batch: &mut Batch) {
        let at = time(record.get("at"));
        let mut entry = Entry { session: self.session.clone(), raw, at, ..Entry::default() };
        if record.get("schema").is_some() {
            self.head(&record, &mut entry);
        } else if record.get("tool_call").is_some() {
            entry.id = id(record.get("tool_call"));
            self.call(&record, &mut entry);
        } else if record.get("message").is_some() || record.get("role").is_some() {
            entry.id = id(record.get("message"));
            entry.message = Some(Said {
                role: role(record.get("role").and_then(Value::as_str).unwrap_or("")),
                origin: coroner_model::entry::Origin::default(),
                text: record.get("text").and_then(Value::as_str).unwrap_or("").to_owned(),
                thinking: None,
            });
        } else {
            return batch.unknown(entry, "neither a message nor a tool call", text);
        }
        batch.add(entry);
    }

    fn session(&self) -> &str {
        &self.session
    }
}

/// Who speaks, by the words of the common formats.
pub(super) fn role(word: &str) -> Role {
    match word {
        "assistant" | "model" => Role::Assistant,
        "system" | "developer" => Role::System,
        "tool" => Role::Tool,
        _ => Role::User,
    }
}
