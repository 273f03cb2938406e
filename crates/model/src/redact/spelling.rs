//! One value in its spellings: plain, escaped in JSON, percent-encoded in a URL.

use std::borrow::Cow;

/// Layers of escapes that are taken off: a JSON text inside a JSON text, and one more.
const LAYERS_MAX: usize = 4;

/// A value with its escapes taken off, until none is left.
pub(super) fn plain(value: &str) -> Cow<'_, str> {
    let mut value = Cow::Borrowed(value);
    for _ in 0..LAYERS_MAX {
        let Some(next) = unescaped(&value).or_else(|| percent_decoded(&value)) else { break };
        value = Cow::Owned(next);
    }
    value
}

/// A value as an engine written in Go puts it into JSON: `&`, `<` and `>` by their numbers.
pub(super) fn in_json(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    for c in value.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '&' | '<' | '>' => out.push_str(&format!("\\u{:04x}", c as u32)),
            c => out.push(c),
        }
    }
    out
}

/// A value as it stands in a URL.
pub(super) fn in_url(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    for byte in value.bytes() {
        match byte {
            b if b.is_ascii_alphanumeric() || b"-._~".contains(&b) => out.push(char::from(b)),
            b => out.push_str(&format!("%{b:02X}")),
        }
    }
    out
}

/// The text of a JSON string; `None` where nothing is escaped.
fn unescaped(value: &str) -> Option<String> {
    value.contains('\\').then(|| serde_json::from_str::<String>(&format!("\"{value}\"")).ok()).flatten()
}

/// The text of a part of a URL; `None` where nothing is encoded.
fn percent_decoded(value: &str) -> Option<String> {
    let mut out = Vec::with_capacity(value.len());
    let mut rest = value.as_bytes();
    let mut any = false;
    while let Some((first, tail)) = rest.split_first() {
        let code = tail.get(..2).filter(|_| *first == b'%').and_then(|digits| {
            u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16)
                .ok()
                .filter(|_| digits.iter().all(u8::is_ascii_hexdigit))
        });
        match code {
            Some(byte) => {
                out.push(byte);
                rest = &tail[2..];
                any = true;
            }
            None => {
                out.push(*first);
                rest = tail;
            }
        }
    }
    any.then(|| String::from_utf8(out).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_comes_down_to_the_same_value() {
        for value in ["plain-value-1", "a&b<c>\"d\\e", "p@ss/w:rd 1", "back\\nslash", "ünï"] {
            let wanted = plain(value);
            assert_eq!(plain(&in_json(value)), wanted, "{value}");
            assert_eq!(plain(&in_json(&in_json(value))), wanted, "{value}");
            assert_eq!(plain(&in_url(value)), wanted, "{value}");
        }
    }

    #[test]
    fn what_is_not_encoded_stays() {
        for value in ["50%off", "100%", "%zz", "a b"] {
            assert_eq!(plain(value), value);
        }
    }
}
