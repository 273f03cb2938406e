//! Gemini CLI transcripts: one JSON document, or lines of JSON that later lines amend.

use std::collections::BTreeMap;

use coroner_model::entry::{About, Call, CallResult, Entry, ExitKnown, Note, Origin, RawPlace, Said, ToolKind};
use coroner_model::session::{CallStatus, Role};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::batch::{Batch, JsonLines};
use super::{id, time, tool, whole};

/// Sections that stand after the output in what the shell tool answers.
const SECTIONS: &[&str] = &["Error", "Exit Code", "Signal", "Background PIDs", "Process Group PGID"];

/// Reads the records of one file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Gemini {
    session: String,
    cwd: String,
    model: String,
}

/// Reads a file that is one JSON document.
pub fn whole(stem: &str, text: &str) -> Batch {
    whole::read(text, "messages", |fields| {
        let mut reader = Gemini::new(stem);
        let about = reader.head(fields);
        (reader, about)
    })
}

/// The entries with each message once, as it was written last; tool calls of all its versions stay.
pub fn settled(entries: Vec<Entry>) -> Vec<Entry> {
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    let mut kept: Vec<Entry> = Vec::new();
    for entry in entries {
        match places.get(&entry.id).and_then(|place| kept.get_mut(*place)) {
            Some(earlier) if !entry.id.is_empty() => amend(earlier, entry),
            _ => {
                places.insert(entry.id.clone(), kept.len());
                kept.push(entry);
            }
        }
    }
    kept
}

fn amend(earlier: &mut Entry, mut later: Entry) {
    let mut calls = std::mem::take(&mut earlier.calls);
    for call in std::mem::take(&mut later.calls) {
        match calls.iter_mut().find(|c| !c.id.is_empty() && c.id == call.id) {
            Some(same) => *same = call,
            None => calls.push(call),
        }
    }
    later.about = later.about.or(earlier.about.take());
    *earlier = Entry { calls, ..later };
}

impl Gemini {
    /// A reader for the file of that name, without folder and extension.
    pub fn new(stem: &str) -> Gemini {
        Gemini { session: stem.to_owned(), ..Gemini::default() }
    }

    /// What metadata say of the session.
    fn head(&mut self, fields: &Map<String, Value>) -> About {
        let text = |key: &str| fields.get(key).and_then(Value::as_str).map(str::to_owned);
        if let Some(session) = text("sessionId").filter(|session| !session.is_empty()) {
            self.session = session;
        }
        let folder = fields.get("directories").and_then(|list| list.get(0)).and_then(Value::as_str);
        if let Some(folder) = folder {
            folder.clone_into(&mut self.cwd);
        }
        About {
            title: text("summary"),
            cwd: folder.map(str::to_owned),
            subagent: text("kind").filter(|kind| kind != "main"),
            started: time(fields.get("startTime")),
            ..About::default()
        }
    }

    fn metadata(&mut self, fields: &Map<String, Value>, entry: &mut Entry) {
        let about = self.head(fields);
        entry.session.clone_from(&self.session);
        entry.about = (about != About::default()).then(|| Box::new(about));
    }

    fn message(&mut self, record: &Value, mut entry: Entry) -> Entry {
        entry.id = id(record.get("id"));
        entry.at = time(record.get("timestamp"));
        let model = record.get("model").and_then(Value::as_str).filter(|model| *model != self.model);
        if let Some(model) = model.map(str::to_owned) {
            self.model.clone_from(&model);
            entry.about = Some(Box::new(About { model: Some(model), ..About::default() }));
        }
        let (role, origin) = match record.get("type").and_then(Value::as_str) {
            Some("gemini") => (Role::Assistant, Origin::Typed),
            Some("user") => (Role::User, Origin::Typed),
            _ => (Role::System, Origin::Injected),
        };
        let mut text = parts(record.get("content"));
        let shown = parts(record.get("displayContent"));
        if role == Role::User && !shown.is_empty() && shown != text {
            // The program put files and the like into what a person typed.
            let full = std::mem::replace(&mut text, shown);
            entry.notes.push(Note { origin: Origin::Injected, text: full });
        }
        if record["type"] == "error" {
            entry.errors.push(text.clone());
        }
        let thinking = thoughts(record.get("thoughts"));
        let calls = record.get("toolCalls").and_then(Value::as_array);
        entry.calls = calls.into_iter().flatten().map(|call| self.call(call)).collect();
        entry.message = Some(Said { role, origin, text, thinking });
        entry
    }

    fn call(&self, record: &Value) -> Call {
        let name = record.get("name").and_then(Value::as_str).unwrap_or("");
        let input = record.get("args").cloned().unwrap_or(Value::Null);
        let mut call = tool::call(id(record.get("id")), name, input);
        call.cwd = call.cwd.or_else(|| Some(self.cwd.clone()).filter(|cwd| !cwd.is_empty()));
        let output = response(record);
        let (status, exit_code) = outcome(record, call.kind, &output);
        let known = if exit_code.is_some() { ExitKnown::InText } else { ExitKnown::Unknown };
        let at = time(record.get("timestamp"));
        call.result = Some(Box::new(CallResult { call: call.id.clone(), status, exit_code, known, output, at }));
        call
    }
}

impl JsonLines for Gemini {
    fn record(&mut self, record: Value, text: &str, raw: RawPlace, batch: &mut Batch) {
        let mut entry = Entry { session: self.session.clone(), raw, ..Entry::default() };
        let kind = record.get("type").and_then(Value::as_str);
        if let Some(Value::Object(fields)) = record.get("$set") {
            self.metadata(fields, &mut entry);
            batch.add(entry);
            for message in fields.get("messages").and_then(Value::as_array).into_iter().flatten() {
                let entry = Entry { session: self.session.clone(), raw, ..Entry::default() };
                batch.add(self.message(message, entry));
            }
            return;
        }
        if let Some(target) = record.get("$rewindTo") {
            // What was dropped from the conversation still happened.
            let text = format!("The conversation was taken back to message {}.", id(Some(target)));
            entry.notes.push(Note { origin: Origin::Injected, text });
        } else if let Some("user" | "gemini" | "info" | "error" | "warning") = kind {
            entry = self.message(&record, entry);
        } else if let (None, Some(fields), true) = (kind, record.as_object(), record.get("sessionId").is_some()) {
            self.metadata(fields, &mut entry);
        } else {
            let why = kind.map_or_else(|| "neither metadata nor a message".to_owned(), |k| format!("type {k:?}"));
            return batch.unknown(entry, &why, text);
        }
        batch.add(entry);
    }

    fn session(&self) -> &str {
        &self.session
    }
}

/// The text of a string or of a list of parts.
fn parts(content: Option<&Value>) -> String {
    let text = |part: &Value| part.as_str().or_else(|| part.get("text")?.as_str()).map(str::to_owned);
    match content {
        Some(Value::Array(parts)) => parts.iter().filter_map(text).collect::<Vec<_>>().join("\n"),
        Some(part) => text(part).unwrap_or_default(),
        None => String::new(),
    }
}

fn thoughts(list: Option<&Value>) -> Option<String> {
    let thought = |thought: &Value| {
        let text = |key: &str| thought.get(key).and_then(Value::as_str);
        match (text("subject"), text("description")) {
            (Some(subject), Some(more)) => Some(format!("{subject}: {more}")),
            (one, other) => one.or(other).map(str::to_owned),
        }
    };
    let all: Vec<String> = list?.as_array()?.iter().filter_map(thought).collect();
    (!all.is_empty()).then(|| all.join("\n"))
}

/// What a tool answered; where the transcript holds nothing of it, what the person was shown.
fn response(call: &Value) -> String {
    let answer = |part: &Value| {
        let response = part.pointer("/functionResponse/response")?;
        let value = ["output", "error"].iter().find_map(|key| response.get(*key)).unwrap_or(response);
        Some(value.as_str().map_or_else(|| value.to_string(), str::to_owned))
    };
    let answers: Vec<String> = match call.get("result") {
        Some(Value::Array(parts)) => parts.iter().filter_map(answer).collect(),
        Some(Value::String(text)) => vec![text.clone()],
        _ => Vec::new(),
    };
    if answers.is_empty() {
        return call.get("resultDisplay").and_then(Value::as_str).unwrap_or("").to_owned();
    }
    answers.join("\n")
}

fn outcome(call: &Value, kind: ToolKind, output: &str) -> (CallStatus, Option<i64>) {
    let exit_code = if kind == ToolKind::Shell { exit_code(output) } else { None };
    let status = match (call.get("status").and_then(Value::as_str), exit_code) {
        // A command that ran already when it was cancelled says so in its answer.
        (Some("cancelled"), _) if output.contains("cancelled by user before it could complete") => {
            CallStatus::Interrupted
        }
        (Some("cancelled"), _) => CallStatus::Rejected,
        (Some("error"), _) => CallStatus::Error,
        (Some("success"), None | Some(0)) => CallStatus::Ok,
        (Some("success"), Some(_)) => CallStatus::Error,
        _ => CallStatus::Unknown,
    };
    (status, exit_code)
}

/// The exit code among the sections after the output, so that a program cannot print it.
fn exit_code(output: &str) -> Option<i64> {
    let sections = output.lines().rev().map_while(|line| {
        let (name, value) = line.split_once(':')?;
        SECTIONS.contains(&name).then(|| (name, value.trim()))
    });
    sections.filter(|(name, _)| *name == "Exit Code").find_map(|(_, value)| value.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHELL: &str = r#"{"id":"c1","name":"run_shell_command","args":{"command":"make"},"result":[{"functionResponse":{"response":{"output":"Command: make\nOutput: Exit Code: 0\nmake: failed\nExit Code: 2\nSignal: (none)"}}}],"status":"success"}"#;

    #[test]
    fn a_document_gives_each_message_with_its_place_and_its_calls() {
        let text = format!(
            "{{\n\"messages\":[\n {{\"id\":\"m1\",\"type\":\"user\",\"content\":[{{\"text\":\"build it\"}}]}},\n {{\"id\":\"m2\",\"type\":\"gemini\",\"content\":\"\",\"model\":\"g\",\"toolCalls\":[{SHELL},{{\"id\":\"c2\",\"name\":\"write_file\",\"args\":{{\"file_path\":\"a\",\"content\":\"x\"}},\"status\":\"cancelled\"}}]}}],\n\"sessionId\":\"98-1\",\"summary\":\"Build\"}}"
        );
        let batch = whole("session-x", &text);
        assert_eq!((batch.counts.lines, batch.counts.messages, batch.counts.tool_calls), (5, 2, 2));
        let [head, user, model] = batch.entries.as_slice() else { panic!("{:?}", batch.entries) };
        assert_eq!((head.session.as_str(), head.about.as_ref().unwrap().title.as_deref()), ("98-1", Some("Build")));
        assert_eq!((user.id.as_str(), user.raw.line), ("m1", 3));
        let from = usize::try_from(user.raw.offset).unwrap();
        assert!(text[from..].starts_with("{\"id\":\"m1\""));
        let results: Vec<_> = model.calls.iter().map(|c| c.result.as_ref().unwrap()).collect();
        assert_eq!((results[0].status, results[0].exit_code), (CallStatus::Error, Some(2)));
        assert_eq!(results[1].status, CallStatus::Rejected);
    }

    #[test]
    fn a_message_written_again_is_one_message_with_all_its_calls() {
        let text = format!(
            "{{\"sessionId\":\"98-2\",\"projectHash\":\"1b\"}}\n{{\"id\":\"m1\",\"type\":\"gemini\",\"content\":\"\",\"toolCalls\":[{SHELL}]}}\n{{\"id\":\"m1\",\"type\":\"gemini\",\"content\":\"done\",\"toolCalls\":[{{\"id\":\"c9\",\"name\":\"glob\",\"args\":{{}},\"status\":\"success\"}}]}}\n{{\"$rewindTo\":\"m0\"}}\n{{\"$set\":{{\"summary\":\"T\"}}}}\n{{\"type\":\"hologram\"}}\n"
        );
        let mut reader = super::super::LineReader::Gemini(Gemini::new("x"));
        let batch = super::super::lines(&mut reader, &text, 1);
        assert_eq!((batch.counts.lines, batch.counts.messages, batch.counts.unknown), (6, 2, 1));
        let entries = settled(batch.entries);
        let message = entries.iter().find(|e| e.id == "m1").unwrap();
        assert_eq!((message.message.as_ref().unwrap().text.as_str(), message.calls.len()), ("done", 2));
        assert!(entries.iter().all(|e| e.session == "98-2"));
    }
}
