//! The neutral session format, `coroner/session/v1`, for any other agent.

use coroner_model::session::{CallStatus, Message, ParseIssue, Role, Session, ToolCall};
use coroner_model::{Document, SessionId, ToolCallId};
use serde_json::Value;

/// Reads it; every field may be absent.
pub fn read(document: &Document) -> Session {
    let mut session =
        Session { id: super::stem(&document.path).into(), path: document.path.clone(), ..Session::default() };
    let mut offset = 0;
    for (index, line) in document.text.as_str().split_inclusive('\n').enumerate() {
        let number = index as u64 + document.first_line.max(1);
        if !line.trim().is_empty() {
            match serde_json::from_str::<Value>(line) {
                Ok(record) => add(&mut session, &record, number),
                Err(error) => session.issues.push(ParseIssue {
                    path: document.path.clone(),
                    offset,
                    length: line.len() as u64,
                    reason: error.to_string(),
                }),
            }
        }
        offset += line.len() as u64;
    }
    let moments = session.calls.iter().filter_map(|c| c.at).chain(session.messages.iter().filter_map(|m| m.at));
    let (first, last) = moments.fold((None, None), |(first, last): (Option<_>, Option<_>), at| {
        (Some(first.map_or(at, |f: jiff::Timestamp| f.min(at))), Some(last.map_or(at, |l: jiff::Timestamp| l.max(at))))
    });
    session.started = session.started.or(first);
    session.ended = last;
    session
}

fn add(session: &mut Session, record: &Value, line: u64) {
    let text = |key: &str| record.get(key).and_then(Value::as_str).unwrap_or("").to_owned();
    if record.get("schema").is_some() {
        if record.get("session").is_some() {
            session.id = SessionId(super::id(record.get("session")));
        }
        session.agent = text("agent");
        session.title = text("title");
        session.cwd = text("cwd");
        session.started = super::time(record.get("started"));
    } else if record.get("tool_call").is_some() {
        session.calls.push(call(session, record, line));
    } else if record.get("message").is_some() || record.get("role").is_some() {
        session.messages.push(Message {
            id: super::id(record.get("message")),
            role: role(&text("role")),
            at: super::time(record.get("at")),
            line,
            text: text("text"),
        });
    }
}

fn call(session: &Session, record: &Value, line: u64) -> ToolCall {
    let text = |key: &str| record.get(key).and_then(Value::as_str).map(str::to_owned);
    let exit_code = record.get("exit_code").and_then(Value::as_i64);
    let input = record.get("input").cloned().unwrap_or(Value::Null);
    let command = text("command").or_else(|| input.get("command").and_then(Value::as_str).map(str::to_owned));
    ToolCall {
        id: ToolCallId(super::id(record.get("tool_call"))),
        number: session.calls.len() as u64 + 1,
        tool: text("tool").unwrap_or_default(),
        command,
        input,
        cwd: text("cwd").unwrap_or_else(|| session.cwd.clone()),
        at: super::time(record.get("at")),
        ended: super::time(record.get("ended")),
        line,
        status: match (record.get("status").and_then(Value::as_str), exit_code) {
            (Some("rejected" | "denied" | "cancelled"), _) => CallStatus::Rejected,
            (Some("interrupted"), _) => CallStatus::Interrupted,
            (Some("error" | "failed"), _) => CallStatus::Error,
            (Some("ok" | "success" | "completed"), None) | (_, Some(0)) => CallStatus::Ok,
            (_, Some(_)) => CallStatus::Error,
            _ => CallStatus::Unknown,
        },
        exit_code,
        output: super::bounded(&text("output").unwrap_or_default()),
    }
}

fn role(word: &str) -> Role {
    match word {
        "assistant" => Role::Assistant,
        "system" => Role::System,
        "tool" => Role::Tool,
        _ => Role::User,
    }
}
