//! Which format a file has, by its beginning.

use serde_json::Value;

use super::{Format, LineReader, WholeReader, aider, claude, codex, copilot, cursor, gemini, neutral, stem, whole};

/// Most records looked at to recognise a format.
const RECORDS_LOOKED_AT_MAX: usize = 50;
/// Most bytes looked at of a document whose first line is no record of its own.
const BEGINNING_BYTES_MAX: usize = 64 * 1024;

/// The format of a file by its beginning, the name being a hint only where there is no content.
pub fn format(path: &str, beginning: &str) -> Format {
    let name = path.rsplit('/').next().unwrap_or("");
    if name.ends_with(".meta.json") {
        return Format::Meta;
    }
    if let Some(reader) = text_form(name, beginning) {
        return Format::Whole(reader);
    }
    if name.ends_with(".txt") {
        return Format::Commands;
    }
    if beginning.lines().find(|line| !line.trim().is_empty()).is_some_and(|line| line.trim() == "{") {
        return document_form(path, beginning);
    }
    let lines = beginning.lines().filter(|line| !line.trim().is_empty()).take(RECORDS_LOOKED_AT_MAX);
    let (mut is_first, mut is_json) = (true, false);
    for line in lines {
        match serde_json::from_str::<Value>(line) {
            Ok(record) => {
                is_json = true;
                if let Some(format) = record_form(path, &record) {
                    return format;
                }
            }
            // The line goes on behind the beginning, or the document behind the line.
            Err(_) if is_first => {
                if let Some(format) = cut_off(path, beginning) {
                    return format;
                }
            }
            Err(_) => {}
        }
        is_first = false;
    }
    match (is_first, is_json) {
        (true, _) => claude_form(path),
        (_, true) => Format::Unknown("a format that is not known"),
        _ if name.trim_end_matches(".zst").ends_with(".jsonl") => claude_form(path),
        _ => Format::Unknown("no JSON lines"),
    }
}

fn claude_form(path: &str) -> Format {
    Format::Lines(LineReader::Claude(claude::Claude::new(stem(path))))
}

/// Formats that are plain text.
fn text_form(name: &str, beginning: &str) -> Option<WholeReader> {
    let first = beginning.lines().map(str::trim_end).find(|line| !line.is_empty())?;
    if first.starts_with(aider::RUN) || name.ends_with("aider.chat.history.md") {
        Some(WholeReader::AiderChat)
    } else if aider::is_input(beginning) || name.ends_with("aider.input.history") {
        Some(WholeReader::AiderInput)
    } else if is_cursor_text(first, super::start(beginning, BEGINNING_BYTES_MAX)) {
        Some(WholeReader::CursorText)
    } else {
        None
    }
}

/// Whether two speakers have lines of their own; where the beginning is left out, the first line is none.
fn is_cursor_text(first: &str, beginning: &str) -> bool {
    let speaks = |word: &str| beginning.lines().any(|line| line.trim_end() == word);
    cursor::speaker(first).is_some() || speaks("user:") && speaks("assistant:")
}

/// The format of a document that is printed over several lines, whose inner lines tell nothing.
fn document_form(path: &str, beginning: &str) -> Format {
    match cut_off(path, beginning) {
        Some(Format::Whole(reader)) => Format::Whole(reader),
        Some(Format::Lines(LineReader::Gemini(_))) => Format::Whole(WholeReader::Gemini),
        _ => Format::Unknown("a JSON document that is not known"),
    }
}

/// The format of a record, or document, whose end is not among what can be seen.
fn cut_off(path: &str, beginning: &str) -> Option<Format> {
    let beginning = super::start(beginning, BEGINNING_BYTES_MAX);
    let (closed, _) = whole::closed(beginning);
    record_form(path, &serde_json::from_str(&closed).ok()?)
}

/// The format that a record belongs to.
fn record_form(path: &str, record: &Value) -> Option<Format> {
    let has = |key: &str| record.get(key).is_some();
    let is_list = |key: &str| record.get(key).is_some_and(Value::is_array);
    let first_of = |key: &str, is: fn(&Value) -> bool| record.get(key).and_then(|list| list.get(0)).is_some_and(is);
    let text = |key: &str| record.get(key).and_then(Value::as_str);
    let kind = text("type");
    let stem = stem(path);
    let reader = if text("schema") == Some("coroner/session/v1") {
        LineReader::Neutral(neutral::Neutral::new(stem))
    } else if is_list("messages") && (has("sessionId") || first_of("messages", is_gemini)) {
        return Some(Format::Whole(WholeReader::Gemini));
    } else if is_list("items") && (has("session") || first_of("items", is_codex)) {
        return Some(Format::Whole(WholeReader::Codex));
    } else if is_codex(record) {
        LineReader::Codex(codex::Codex::new(stem))
    } else if is_gemini(record) {
        LineReader::Gemini(gemini::Gemini::new(stem))
    } else if has("data") && kind.is_some_and(|kind| kind.contains('.') || kind == "abort") {
        LineReader::Copilot(copilot::Copilot::new(copilot_session(path)))
    } else if kind.is_none() && has("role") && record.pointer("/message/content").is_some() {
        LineReader::Cursor(cursor::Cursor::new(stem))
    } else if kind.is_some() && !has("payload") && (!has("data") || kind == Some("progress")) {
        return Some(claude_form(path));
    } else {
        return None;
    };
    Some(Format::Lines(reader))
}

/// A line in Codex's envelope, or one of its older bare lines.
fn is_codex(record: &Value) -> bool {
    let has = |key: &str| record.get(key).is_some();
    match record.get("type").and_then(Value::as_str) {
        Some("message") => has("role") && has("content"),
        Some("reasoning") => has("summary"),
        Some("function_call" | "function_call_output" | "custom_tool_call" | "local_shell_call") => has("call_id"),
        Some(_) => has("payload"),
        None => {
            has("record_type")
                || has("payload")
                || has("id") && has("timestamp") && (has("instructions") || has("git"))
                || has("session_id") && has("ts") && has("text")
        }
    }
}

/// A record of Gemini's lines: metadata, an amendment, or a message without an envelope.
fn is_gemini(record: &Value) -> bool {
    let has = |key: &str| record.get(key).is_some();
    match record.get("type").and_then(Value::as_str) {
        Some("gemini") => has("id"),
        Some("user" | "info" | "error" | "warning") => has("id") && has("content") && !has("uuid") && !has("message"),
        Some(_) => false,
        None => has("$set") || has("$rewindTo") || has("sessionId") && (has("projectHash") || has("startTime")),
    }
}

/// The folder that holds a file of events is named after the session; the file of the older layout is.
fn copilot_session(path: &str) -> &str {
    let folder = path.rsplit('/').nth(1);
    if stem(path) == "events" { folder.unwrap_or("events") } else { stem(path) }
}
