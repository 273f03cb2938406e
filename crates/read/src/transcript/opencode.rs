//! OpenCode: the rows of its database, or the files of its older tree, which hold the same JSON.
//!
//! One entry stands for one message with all its parts. Rows change in place, so that
//! a message that is read again has the same id and may say more than before.

use coroner_model::entry::{About, Call, CallResult, Entry, ExitKnown, Note, Origin, RawPlace, Said, ToolKind};
use coroner_model::session::{CallStatus, Role};
use jiff::Timestamp;
use serde_json::Value;

use super::batch::Batch;
use super::{id, time, tool};

/// Parts that say nothing which is kept.
const SILENT: &[&str] = &["file", "snapshot", "step-start", "step-finish", "agent", "compaction"];

/// What is known of a session beside its messages.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OpenCodeSession {
    pub id: String,
    pub title: String,
    pub directory: String,
    /// Session that started this one; empty where there is none.
    pub parent: String,
    pub created: Option<Timestamp>,
}

impl OpenCodeSession {
    /// A session as a file of the older tree holds it.
    pub fn of_json(text: &str) -> Result<OpenCodeSession, String> {
        let value: Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
        let field = |key: &str| value.get(key).and_then(Value::as_str).unwrap_or("").to_owned();
        Ok(OpenCodeSession {
            id: field("id"),
            title: field("title"),
            directory: field("directory"),
            parent: field("parentID"),
            created: time(value.pointer("/time/created")),
        })
    }

    /// What stands first: title, folder and parent.
    pub fn entry(&self) -> Entry {
        let said = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let about = About {
            title: said(&self.title),
            cwd: said(&self.directory),
            parent: said(&self.parent),
            started: self.created,
            ..About::default()
        };
        Entry {
            session: self.id.clone(),
            id: self.id.clone(),
            at: self.created,
            about: (about != About::default()).then(|| Box::new(about)),
            ..Entry::default()
        }
    }
}

/// A row of `message` or `part`, or a file of the older tree.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OpenCodeRow {
    pub id: String,
    /// When it was made.
    pub at: Option<Timestamp>,
    pub json: String,
    /// 1-based place among the rows.
    pub number: u64,
}

impl OpenCodeRow {
    /// A database gives no byte place: the length of the JSON text is all there is.
    fn raw(&self) -> RawPlace {
        RawPlace { offset: 0, len: self.json.len() as u64, line: self.number }
    }
}

/// Reads one message with its parts; `message` is absent where only parts were left.
pub fn message(session: &str, message: Option<&OpenCodeRow>, parts: &[OpenCodeRow], batch: &mut Batch) {
    let first = message.or(parts.first());
    let mut entry = Entry {
        session: session.to_owned(),
        id: message.map(|row| row.id.clone()).unwrap_or_default(),
        raw: first.map(OpenCodeRow::raw).unwrap_or_default(),
        at: first.and_then(|row| row.at),
        ..Entry::default()
    };
    batch.counts.lines += message.is_some() as u64 + parts.len() as u64;
    let parsed = message.map(|row| serde_json::from_str::<Value>(&row.json).map_err(|error| error.to_string()));
    let record = parsed.as_ref().and_then(|parsed| parsed.as_ref().ok()).unwrap_or(&Value::Null);
    entry.at = time(record.pointer("/time/created")).or(entry.at);
    entry.parent = id(record.get("parentID"));
    let cwd = record.pointer("/path/cwd").and_then(Value::as_str);
    let mut words = Words { is_assistant: record["role"] == "assistant", ..Words::default() };
    for row in parts {
        part(row, cwd, &mut words, &mut entry, batch);
    }
    if let Some(model) = record.get("modelID").and_then(Value::as_str) {
        entry.about = Some(Box::new(About { model: Some(model.to_owned()), ..About::default() }));
    }
    entry.errors.extend(record.get("error").filter(|error| !error.is_null()).map(plain));
    if message.is_some() {
        entry.message = Some(words.said(role(record, &entry, &words)));
    } else {
        entry.notes.extend(words.texts.into_iter().map(|text| Note { origin: Origin::Injected, text }));
    }
    match (message, parsed) {
        // Its parts may still be readable, so that they are counted here.
        (Some(row), Some(Err(reason))) => {
            batch.counts.messages += 1;
            batch.counts.tool_calls += entry.calls.len() as u64;
            batch.issue(entry, &reason, &row.json);
        }
        _ => batch.add(entry),
    }
}

/// What the parts of one message say.
#[derive(Default)]
struct Words {
    is_assistant: bool,
    texts: Vec<String>,
    thinking: Vec<String>,
}

impl Words {
    fn said(&mut self, role: Role) -> Said {
        let thinking = std::mem::take(&mut self.thinking).join("\n");
        Said {
            role,
            origin: if role == Role::System { Origin::Injected } else { Origin::Typed },
            text: std::mem::take(&mut self.texts).join("\n"),
            thinking: (!thinking.is_empty()).then_some(thinking),
        }
    }
}

/// Who speaks; a message whose own row cannot be read is not laid into a person's mouth.
fn role(record: &Value, entry: &Entry, words: &Words) -> Role {
    match record.get("role").and_then(Value::as_str) {
        Some("assistant") => Role::Assistant,
        // What the program put in stands in the notes.
        Some("user") if words.texts.is_empty() && !entry.notes.is_empty() => Role::System,
        Some("user") => Role::User,
        _ if !entry.calls.is_empty() || !words.thinking.is_empty() => Role::Assistant,
        _ => Role::System,
    }
}

fn part(row: &OpenCodeRow, cwd: Option<&str>, words: &mut Words, entry: &mut Entry, batch: &mut Batch) {
    let own = |entry: &Entry| Entry {
        session: entry.session.clone(),
        id: row.id.clone(),
        parent: entry.id.clone(),
        raw: row.raw(),
        at: row.at,
        ..Entry::default()
    };
    let value: Value = match serde_json::from_str(&row.json) {
        Ok(value) => value,
        Err(error) => return batch.issue(own(entry), &error.to_string(), &row.json),
    };
    let text = || value.get("text").and_then(Value::as_str).filter(|text| !text.is_empty()).map(str::to_owned);
    match value.get("type").and_then(Value::as_str).unwrap_or("") {
        "text" if value["synthetic"] == true && !words.is_assistant => {
            entry.notes.extend(text().map(|text| Note { origin: Origin::Injected, text }));
        }
        "text" => words.texts.extend(text()),
        "reasoning" => words.thinking.extend(text()),
        "tool" => entry.calls.push(call(&value, cwd)),
        "retry" => entry.errors.extend(value.get("error").map(plain)),
        "patch" => entry.notes.extend(patch(&value)),
        silent if SILENT.contains(&silent) => {}
        unknown => batch.unknown(own(entry), &format!("a part of type {unknown:?}"), &row.json),
    }
}

/// The files that changed while the model worked, also by commands.
fn patch(value: &Value) -> Option<Note> {
    let files = value.get("files")?.as_array()?.iter().filter_map(Value::as_str);
    let text = files.collect::<Vec<_>>().join("\n");
    (!text.is_empty()).then(|| Note { origin: Origin::Injected, text: format!("changed files:\n{text}") })
}

fn call(value: &Value, cwd: Option<&str>) -> Call {
    let state = value.get("state").unwrap_or(&Value::Null);
    let name = value.get("tool").and_then(Value::as_str).unwrap_or("");
    let input = state.get("input").cloned().unwrap_or(Value::Null);
    let mut call = tool::call(id(value.get("callID")), name, input);
    call.cwd = call.cwd.or_else(|| cwd.map(str::to_owned));
    call.result = result(&call, state).map(Box::new);
    call
}

/// What became of a call; `None` while it waits or runs.
fn result(call: &Call, state: &Value) -> Option<CallResult> {
    let failed = match state.get("status").and_then(Value::as_str) {
        Some("completed") => false,
        Some("error") => true,
        _ => return None,
    };
    let text = if failed { state.get("error").or(state.get("output")) } else { state.get("output") };
    let output = text.map(plain).unwrap_or_default();
    let exit_code = state.pointer("/metadata/exit").and_then(Value::as_i64);
    let status = match exit_code {
        _ if failed && is_refused(&output) => CallStatus::Rejected,
        _ if failed => CallStatus::Error,
        // A call to a tool that does not exist is stored as one to `invalid`, which went well.
        _ if call.tool == "invalid" => CallStatus::Error,
        Some(0) => CallStatus::Ok,
        Some(_) => CallStatus::Error,
        // A shell that ran out of time leaves no exit code.
        None if call.kind == ToolKind::Shell && state.get("metadata").is_some_and(Value::is_object) => {
            CallStatus::Interrupted
        }
        None if call.kind == ToolKind::Shell => CallStatus::Unknown,
        None => CallStatus::Ok,
    };
    let known = if exit_code.is_some() { ExitKnown::Reported } else { ExitKnown::Unknown };
    let at = time(state.pointer("/time/end"));
    Some(CallResult { call: call.id.clone(), status, exit_code, known, output, at })
}

/// Whether the words are those with which a permission is refused.
fn is_refused(error: &str) -> bool {
    let start = error.strip_prefix("Error: ").unwrap_or(error);
    start.starts_with("The user rejected permission to use this")
        || start.starts_with("The user has specified a rule which prevents you from using this")
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(id: &str, json: &str) -> OpenCodeRow {
        OpenCodeRow { id: id.into(), at: Timestamp::from_second(1_770_000_000).ok(), json: json.into(), number: 1 }
    }

    fn shell(state: &str) -> OpenCodeRow {
        row("p", &format!(r#"{{"type":"tool","tool":"bash","callID":"c","state":{state}}}"#))
    }

    fn read_one(parts: &[OpenCodeRow]) -> Batch {
        let mut batch = Batch::default();
        message("s", Some(&row("m", r#"{"role":"assistant","modelID":"large"}"#)), parts, &mut batch);
        batch
    }

    #[test]
    fn what_became_of_a_call_is_told_by_its_state() {
        let status = |state: &str| {
            let batch = read_one(&[shell(state)]);
            batch.entries[0].calls[0].result.as_ref().map(|r| (r.status, r.exit_code))
        };
        let input = r#""input":{"command":"make"}"#;
        let done = |rest: &str| format!(r#"{{"status":"completed",{input},"output":"o",{rest}}}"#);
        assert_eq!(status(&done(r#""metadata":{"exit":0}"#)), Some((CallStatus::Ok, Some(0))));
        assert_eq!(status(&done(r#""metadata":{"exit":2}"#)), Some((CallStatus::Error, Some(2))));
        assert_eq!(status(&done(r#""metadata":{"exit":null}"#)), Some((CallStatus::Interrupted, None)));
        assert_eq!(status(&format!(r#"{{"status":"running",{input}}}"#)), None);
        let failed = |why: &str| format!(r#"{{"status":"error",{input},"error":{why:?}}}"#);
        assert_eq!(status(&failed("spawn failed")), Some((CallStatus::Error, None)));
        let refusal = "The user rejected permission to use this specific tool call.";
        assert_eq!(status(&failed(refusal)), Some((CallStatus::Rejected, None)));
        let invalid = row(
            "p",
            r#"{"type":"tool","tool":"invalid","callID":"c","state":{"status":"completed","input":{"tool":"x"},"output":"no such tool"}}"#,
        );
        assert_eq!(read_one(&[invalid]).entries[0].calls[0].result.as_ref().unwrap().status, CallStatus::Error);
    }

    #[test]
    fn a_message_holds_its_parts_and_what_cannot_be_read_is_kept() {
        let parts = [
            row("p1", r#"{"type":"reasoning","text":"think"}"#),
            row("p2", r#"{"type":"text","text":"done"}"#),
            row("p3", r#"{"type":"hologram","x":1}"#),
            row("p4", r#"{"type":"text","te"#),
            row("p5", r#"{"type":"step-finish"}"#),
        ];
        let batch = read_one(&parts);
        let said = batch.entries.iter().find_map(|e| e.message.as_ref()).unwrap();
        assert_eq!((said.text.as_str(), said.thinking.as_deref()), ("done", Some("think")));
        assert_eq!((batch.counts.lines, batch.counts.messages, batch.counts.unknown), (6, 1, 1));
        assert_eq!(batch.issues.len(), 1);
        let kept: Vec<_> = batch.entries.iter().filter(|e| e.unread.is_some()).map(|e| e.id.as_str()).collect();
        assert_eq!(kept, ["p3", "p4"]);
    }

    #[test]
    fn a_broken_message_row_keeps_its_readable_parts_and_no_role_is_made_up() {
        let mut batch = Batch::default();
        let parts = [row("p1", r#"{"type":"text","text":"hello"}"#)];
        message("s", Some(&row("m", "{broken")), &parts, &mut batch);
        let entry = &batch.entries[0];
        assert_eq!((entry.message.as_ref().unwrap().role, entry.unread.is_some()), (Role::System, true));
        assert_eq!((batch.counts.messages, batch.issues.len()), (1, 1));
        // Text that the program put into a person's message is not the person's.
        let mut batch = Batch::default();
        let parts = [row("p1", r#"{"type":"text","text":"file content","synthetic":true}"#)];
        message("s", Some(&row("m", r#"{"role":"user"}"#)), &parts, &mut batch);
        let entry = &batch.entries[0];
        assert_eq!((entry.message.as_ref().unwrap().role, entry.notes.len()), (Role::System, 1));
    }
}
