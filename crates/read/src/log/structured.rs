//! Lines that are records: JSON objects and logfmt pairs.

use std::borrow::Cow;

use serde_json::Value;

use super::{Level, Line, moment};

/// Keys under which loggers put the message, the time and the level.
const MESSAGE_KEYS: [&str; 6] = ["msg", "message", "MESSAGE", "event", "log", "error"];
const TIME_KEYS: [&str; 7] = ["time", "ts", "timestamp", "@timestamp", "t", "asctime", "date"];
const LEVEL_KEYS: [&str; 5] = ["level", "lvl", "severity", "levelname", "log.level"];
const COMPONENT_KEYS: [&str; 4] = ["SYSLOG_IDENTIFIER", "CONTAINER_NAME", "component", "service"];
/// Keys whose text belongs to the message: the reason often stands there only.
const REASON_KEYS: [&str; 6] = ["error", "err", "exception", "exc_info", "stack", "reason"];

/// The record that a whole line is, or `None`.
pub fn read(text: &str) -> Option<Line<'static>> {
    let trimmed = text.trim();
    if trimmed.starts_with('{') {
        return json(trimmed);
    }
    logfmt(trimmed)
}

fn json(text: &str) -> Option<Line<'static>> {
    let value: Value = serde_json::from_str(text).ok()?;
    let record = value.as_object()?;
    let first = |keys: &[&str]| keys.iter().find_map(|k| record.get(*k));
    let mut message = first(&MESSAGE_KEYS).map(plain)?.trim_end().to_owned();
    for key in REASON_KEYS {
        let reason = record.get(key).map(plain).unwrap_or_default();
        if !reason.is_empty() && !message.contains(&reason) {
            message = format!("{message}: {reason}");
        }
    }
    let level = first(&LEVEL_KEYS).and_then(|v| match v {
        Value::Number(n) => n.as_i64().map(numbered_level),
        other => other.as_str().and_then(Level::parse),
    });
    let level = level.or_else(|| {
        let priority = record.get("PRIORITY").map(plain)?.parse::<u8>().ok()?;
        Some(if priority <= 2 {
            Level::Fatal
        } else if priority == 3 {
            Level::Error
        } else if priority == 4 {
            Level::Warning
        } else {
            Level::Info
        })
    });
    Some(Line { at: time(record), level, component: first(&COMPONENT_KEYS).map(plain), message: Cow::Owned(message) })
}

fn time(record: &serde_json::Map<String, Value>) -> Option<jiff::Timestamp> {
    if let Some(micros) = record.get("__REALTIME_TIMESTAMP").map(plain).and_then(|t| t.parse::<f64>().ok()) {
        return moment::epoch(micros);
    }
    TIME_KEYS.iter().find_map(|k| record.get(*k)).and_then(|v| match v {
        Value::Number(n) => n.as_f64().and_then(moment::epoch),
        other => other.as_str().and_then(|t| moment::leading(t, None)).and_then(|(at, _)| at),
    })
}

/// Levels of the loggers that count in tens (pino, bunyan).
fn numbered_level(number: i64) -> Level {
    match number {
        ..30 => Level::Debug,
        30..40 => Level::Info,
        40..50 => Level::Warning,
        50..60 => Level::Error,
        _ => Level::Fatal,
    }
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

/// `time="…" level=error msg="…" key=value`: a logfmt line has a level and a message.
fn logfmt(text: &str) -> Option<Line<'static>> {
    if !text.contains("level=") || !text.contains("msg=") && !text.contains("message=") {
        return None;
    }
    let mut line = Line::default();
    let mut message = String::new();
    let mut rest_pairs = String::new();
    let mut rest = text;
    while let Some((key, value, raw, after)) = pair(rest) {
        match key {
            "time" | "ts" | "timestamp" => line.at = moment::leading(&value, None).and_then(|(at, _)| at),
            "level" => line.level = Level::parse(&value),
            "msg" | "message" => message = value,
            _ => {
                rest_pairs.push(' ');
                rest_pairs.push_str(raw);
            }
        }
        rest = after.trim_start();
    }
    if message.is_empty() || line.level.is_none() || !rest.is_empty() {
        return None;
    }
    line.message = Cow::Owned(message + &rest_pairs);
    Some(line)
}

/// The first pair: key, value, both as written, and what follows.
fn pair(text: &str) -> Option<(&str, String, &str, &str)> {
    let equals = text.find('=')?;
    let key = &text[..equals];
    if key.is_empty() || !key.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-' | '@')) {
        return None;
    }
    let after = &text[equals + 1..];
    if !after.starts_with('"') {
        let end = after.find(' ').unwrap_or(after.len());
        return Some((key, after[..end].to_owned(), &text[..equals + 1 + end], &after[end..]));
    }
    let mut value = String::new();
    let mut escaped = false;
    for (at, c) in after.char_indices().skip(1) {
        match c {
            _ if escaped => {
                value.push(if c == 'n' { '\n' } else { c });
                escaped = false;
            }
            '\\' => escaped = true,
            '"' => return Some((key, value, &text[..equals + 1 + at + 1], &after[at + 1..])),
            _ => value.push(c),
        }
    }
    None
}
