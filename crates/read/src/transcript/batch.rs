//! What a part of a transcript gave: entries, what could not be parsed, and counts.

use coroner_model::entry::{Entry, RawPlace, Unread};
use serde_json::Value;

/// Longest text of a record that is kept although no reader understands it, in bytes.
pub const UNREAD_BYTES_MAX: usize = 64 * 1024;

/// A record that could not be parsed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issue {
    pub raw: RawPlace,
    pub reason: String,
}

/// How much a source holds, before copies are dropped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Lines that are not blank; where the format knows no lines, its records.
    pub lines: u64,
    pub messages: u64,
    pub tool_calls: u64,
    /// Records of a type that is not known.
    pub unknown: u64,
}

/// What was read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Batch {
    pub entries: Vec<Entry>,
    pub issues: Vec<Issue>,
    pub counts: Counts,
}

impl Batch {
    /// Adds an entry that says something, and counts what it holds.
    pub fn add(&mut self, entry: Entry) {
        self.counts.messages += u64::from(entry.message.is_some());
        self.counts.tool_calls += entry.calls.len() as u64;
        let says = entry.message.is_some()
            || entry.about.is_some()
            || !(entry.calls.is_empty() && entry.results.is_empty())
            || !(entry.errors.is_empty() && entry.notes.is_empty());
        if says {
            self.entries.push(entry);
        }
    }

    /// Keeps a record of a type that no reader knows.
    pub fn unknown(&mut self, entry: Entry, why: &str, text: &str) {
        self.counts.unknown += 1;
        self.keep(entry, why, text);
    }

    /// Keeps a record that could not be parsed.
    pub fn issue(&mut self, entry: Entry, reason: &str, text: &str) {
        self.issues.push(Issue { raw: entry.raw, reason: reason.to_owned() });
        self.keep(entry, reason, text);
    }

    fn keep(&mut self, entry: Entry, why: &str, text: &str) {
        let text = super::start(text, UNREAD_BYTES_MAX).to_owned();
        self.entries.push(Entry { unread: Some(Unread { why: why.to_owned(), text }), ..entry });
    }
}

/// A format whose records stand in lines of JSON. It keeps what later lines need,
/// so that a file that grew is read from where it ended.
pub trait JsonLines {
    /// Reads one record.
    fn record(&mut self, record: Value, text: &str, raw: RawPlace, batch: &mut Batch);

    /// The session that a line belongs to which could not be parsed.
    fn session(&self) -> &str;
}

/// Reads one line that is not blank.
pub fn line(reader: &mut dyn JsonLines, text: &str, raw: RawPlace, batch: &mut Batch) {
    batch.counts.lines += 1;
    match parsed(text) {
        Ok(record) => reader.record(record, text, raw, batch),
        Err(error) => {
            let entry = Entry { session: reader.session().to_owned(), raw, ..Entry::default() };
            batch.issue(entry, &error.to_string(), text);
        }
    }
}

/// A JSON text, also where it holds halves of characters, which stand for no character and become U+FFFD.
pub(super) fn parsed(text: &str) -> Result<Value, serde_json::Error> {
    serde_json::from_str(text).or_else(|error| match without_halves(text) {
        Some(mended) => serde_json::from_str(&mended),
        None => Err(error),
    })
}

/// The text with each escape of a lone surrogate replaced; `None` where there is none.
fn without_halves(text: &str) -> Option<String> {
    let mut mended = String::new();
    let (mut copied, mut at) = (0, 0);
    while let Some(found) = text[at..].find('\\') {
        at += found;
        match (unit(text, at), unit(text, at + 6)) {
            (Some(0xD800..=0xDBFF), Some(0xDC00..=0xDFFF)) => at += 12,
            (Some(0xD800..=0xDFFF), _) => {
                mended.push_str(&text[copied..at]);
                mended.push_str("\\ufffd");
                at += 6;
                copied = at;
            }
            (Some(_), _) => at += 6,
            // Another escape: the character after the backslash belongs to it.
            (None, _) => at += 1 + text[at + 1..].chars().next().map_or(0, char::len_utf8),
        }
    }
    (copied > 0).then(|| mended + &text[copied..])
}

/// The number in an escape `\uXXXX` that begins there.
fn unit(text: &str, at: usize) -> Option<u32> {
    let digits = text.get(at..)?.strip_prefix("\\u")?.get(..4)?;
    u32::from_str_radix(digits, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_a_character_does_not_cost_the_record() {
        let value = parsed(r#"{"a":"x\ud83d y \ud83d\ude00 \\ud83d \u00e9"}"#).unwrap();
        assert_eq!(value["a"], "x\u{fffd} y \u{1f600} \\ud83d \u{e9}");
        assert!(parsed(r#"{"a":"\ud83d"#).is_err());
    }
}
