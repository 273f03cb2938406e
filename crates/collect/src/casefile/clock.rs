//! The newest time seen in a casefile: the clock for "how old" where none was declared.

use jiff::Timestamp;
use serde_json::Value;

use super::shelf::Shelf;

/// Bytes looked through at the end of each file.
const TAIL_BYTES_MAX: u64 = 64 * 1024;
/// Bytes of a JSON file that is looked through.
const JSON_BYTES_MAX: u64 = 16 * 1024 * 1024;
/// Fields that hold the time of an observation; others may lie in the future.
const FIELDS: &[&str] = &["at", "timestamp", "Created", "StartedAt", "FinishedAt"];

/// The newest time at which something was observed.
pub(super) fn newest(shelf: &Shelf) -> Option<Timestamp> {
    shelf.files_under("").into_iter().filter_map(|path| newest_in(shelf, path)).max()
}

fn newest_in(shelf: &Shelf, path: &str) -> Option<Timestamp> {
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    match (path.split('/').next()?, path.rsplit('.').next()?) {
        ("docker" | "http", "json") => {
            let value: Value = serde_json::from_str(&text(shelf.head(path, JSON_BYTES_MAX).ok()?.bytes)).ok()?;
            newest_field(&value)
        }
        ("sessions" | "docker" | "host", "jsonl") => text(shelf.tail(path, TAIL_BYTES_MAX).ok()?.bytes)
            .lines()
            .filter_map(|line| newest_field(&serde_json::from_str(line).ok()?))
            .max(),
        ("docker" | "logs", "log") => {
            text(shelf.tail(path, TAIL_BYTES_MAX).ok()?.bytes).lines().filter_map(leading_time).max()
        }
        _ if matches!(path, "host/date" | "host/annotations.tsv") => {
            text(shelf.head(path, TAIL_BYTES_MAX).ok()?.bytes).lines().filter_map(leading_time).max()
        }
        _ => None,
    }
}

fn newest_field(value: &Value) -> Option<Timestamp> {
    match value {
        Value::Array(items) => items.iter().filter_map(newest_field).max(),
        Value::Object(fields) => fields
            .iter()
            .filter_map(|(name, field)| match field {
                Value::String(text) if FIELDS.contains(&name.as_str()) => text.parse().ok(),
                Value::Array(_) | Value::Object(_) => newest_field(field),
                _ => None,
            })
            .max(),
        _ => None,
    }
}

/// The time that a line begins with, where it names its offset.
fn leading_time(line: &str) -> Option<Timestamp> {
    line.split([' ', '\t']).next()?.parse().ok()
}
