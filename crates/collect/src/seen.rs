//! What was seen, raw, and how it becomes a redacted [`Document`].
//!
//! Raw text lives only here: between looking and redacting.

use coroner_model::{ContentHash, Document, Redacted, Redactor};
use jiff::Timestamp;
use serde::de::IgnoredAny;
use serde_json::Value;

/// Raw bytes at a casefile path, before redaction.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen {
    pub path: String,
    pub raw: Vec<u8>,
    pub bytes_left_out: u64,
    pub first_line: u64,
}

impl Seen {
    /// A whole text.
    pub(crate) fn text(path: impl Into<String>, text: impl Into<String>) -> Seen {
        Seen { path: path.into(), raw: text.into().into_bytes(), bytes_left_out: 0, first_line: 1 }
    }

    /// Takes the secrets out. JSON stays JSON.
    pub(crate) fn into_document(self, redactor: &Redactor, host: &str, observed_at: Option<Timestamp>) -> Document {
        let raw = String::from_utf8_lossy(&self.raw);
        let text = redact(redactor, &self.path, &raw);
        let untouched = text.as_str().as_bytes() == self.raw.as_slice();
        let hash =
            if untouched { ContentHash::sha256(&self.raw) } else { ContentHash::hmac(redactor.hash_key(), &self.raw) };
        Document {
            path: self.path,
            observed_at,
            host: host.to_owned(),
            text,
            hash,
            bytes_left_out: self.bytes_left_out,
            first_line: self.first_line,
        }
    }
}

/// Redacts the text of a casefile path; what could be parsed as JSON before can be after.
pub(crate) fn redact(redactor: &Redactor, path: &str, raw: &str) -> Redacted {
    let plain = redactor.redact(raw);
    if plain.as_str() == raw {
        return plain;
    }
    if path.ends_with(".json") {
        return match is_json(plain.as_str()) || !is_json(raw) {
            true => plain,
            false => redact_json(redactor, raw),
        };
    }
    if path.ends_with(".jsonl") {
        return redact_lines(redactor, raw, plain);
    }
    plain
}

fn is_json(text: &str) -> bool {
    serde_json::from_str::<IgnoredAny>(text).is_ok()
}

/// Keeps each JSON line parseable; `plain` is the text redacted as a whole.
fn redact_lines(redactor: &Redactor, raw: &str, plain: Redacted) -> Redacted {
    let same_lines = raw.lines().count() == plain.as_str().lines().count();
    let whole = same_lines
        && raw.lines().zip(plain.as_str().lines()).all(|(was, is)| was == is || is_json(is) || !is_json(was));
    if whole {
        return plain;
    }
    let mut out = String::with_capacity(raw.len());
    for line in raw.split_inclusive('\n') {
        let text = redactor.redact(line);
        let kept = text.as_str() == line || is_json(text.as_str()) || !is_json(line);
        if kept {
            out.push_str(text.as_str());
        } else {
            out.push_str(redact_json(redactor, line).as_str());
            out.push('\n');
        }
    }
    redactor.rewrap(&out)
}

/// Redacts string by string, for the rare value that cannot be cut out of the text.
fn redact_json(redactor: &Redactor, raw: &str) -> Redacted {
    let Ok(mut value) = serde_json::from_str::<Value>(raw) else { return redactor.redact(raw) };
    redact_value(redactor, "", &mut value);
    let text = serde_json::to_string(&value).unwrap_or_default();
    let again = redactor.redact(&text);
    if is_json(again.as_str()) {
        return again;
    }
    // Nothing readable is left to keep: the whole is one secret.
    redactor.redact(&Value::String(redactor.token(raw)).to_string())
}

fn redact_value(redactor: &Redactor, key: &str, value: &mut Value) {
    match value {
        Value::String(text) => {
            let named = format!("{key}=\"{}\"", text.replace('"', ""));
            let inner = redactor.redact(text);
            *text = match inner.as_str() == text && !key.is_empty() && redactor.holds_secret(&named) {
                true => redactor.token(text),
                false => inner.as_str().to_owned(),
            };
        }
        Value::Array(items) => items.iter_mut().for_each(|item| redact_value(redactor, key, item)),
        Value::Object(fields) => fields.iter_mut().for_each(|(name, field)| redact_value(redactor, name, field)),
        _ => {}
    }
}
