//! One value in its spellings: plain, escaped in JSON, percent-encoded in a URL.

use std::borrow::Cow;
use std::ops::Range;

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

/// A value as a form sends it: a space is a plus.
pub(super) fn in_form(value: &str) -> String {
    in_url(value).replace("%20", "+")
}

const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// The digits of Base64 that a value gives whatever stands before and behind it, for each
/// of the three places where it can begin.
pub(super) fn in_base64(value: &str) -> [String; 3] {
    [0, 1, 2].map(|offset| {
        let mut bytes = vec![0u8; offset];
        bytes.extend_from_slice(value.as_bytes());
        let bits = bytes.len() * 8;
        // Digits that hold a bit of what stands before or behind are no part of it.
        let (from, to) = ((offset * 8).div_ceil(6), bits / 6);
        (from..to).map(|digit| char::from(BASE64[base64_digit(&bytes, digit)])).collect()
    })
}

fn base64_digit(bytes: &[u8], digit: usize) -> usize {
    let bit = digit * 6;
    let byte = |at: usize| usize::from(bytes.get(at).copied().unwrap_or(0));
    let pair = byte(bit / 8) << 8 | byte(bit / 8 + 1);
    pair >> (10 - bit % 8) & 0x3f
}

/// The word of Base64 around a part of it.
pub(super) fn base64_word(text: &str, part: Range<usize>) -> Range<usize> {
    let digit = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'-' | b'_' | b'=');
    let bytes = text.as_bytes();
    let before = bytes[..part.start].iter().rev().take_while(|b| digit(b) && **b != b'=').count();
    let behind = bytes[part.end..].iter().take_while(|b| digit(b)).count();
    part.start - before..part.end + behind
}

/// A value in Base64.
#[cfg(test)]
pub(super) fn to_base64(bytes: &[u8]) -> String {
    let digits = (bytes.len() * 8).div_ceil(6);
    let mut out: String = (0..digits).map(|digit| char::from(BASE64[base64_digit(bytes, digit)])).collect();
    while !out.len().is_multiple_of(4) {
        out.push('=');
    }
    out
}

/// The text behind Base64; `None` where it is none, or one with control characters.
pub(super) fn of_base64(value: &str) -> Option<String> {
    of_base64_lines(value).filter(|text| !text.chars().any(char::is_control))
}

/// The text behind Base64, which may have lines; `None` where it is none.
pub(super) fn of_base64_lines(value: &str) -> Option<String> {
    let digits = value.trim_end_matches('=');
    let mut out = Vec::with_capacity(digits.len() * 3 / 4);
    let (mut held, mut bits) = (0usize, 0);
    for byte in digits.bytes() {
        held = held << 6 | digit_value(byte)?;
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            let byte = u8::try_from(held >> bits & 0xff).ok()?;
            // Most words are no Base64 of a text, which their first bytes tell.
            if byte < 0x20 && !byte.is_ascii_whitespace() {
                return None;
            }
            out.push(byte);
            held &= (1 << bits) - 1;
        }
    }
    String::from_utf8(out).ok()
}

fn digit_value(byte: u8) -> Option<usize> {
    match byte {
        b'A'..=b'Z' => Some(usize::from(byte - b'A')),
        b'a'..=b'z' => Some(usize::from(byte - b'a') + 26),
        b'0'..=b'9' => Some(usize::from(byte - b'0') + 52),
        b'+' | b'-' => Some(62),
        b'/' | b'_' => Some(63),
        _ => None,
    }
}

/// A text with its escapes taken off (percent, JSON and shell, HTML), and where in the
/// text each of its bytes came from; `None` where it holds none.
pub(super) fn decoded(text: &str) -> Option<(String, Vec<usize>)> {
    if !text.contains(['%', '\\', '&']) && !text.contains("''") {
        return None;
    }
    let mut out: Vec<u8> = Vec::with_capacity(text.len());
    let mut places = Vec::with_capacity(text.len() + 1);
    let mut at = 0;
    while at < text.len() {
        let run = text[at..].find(['%', '\\', '&', '\'']).unwrap_or(text.len() - at);
        out.extend_from_slice(&text.as_bytes()[at..at + run]);
        places.extend(at..at + run);
        at += run;
        let Some(first) = text[at..].chars().next() else { break };
        let (decoded, length) = decoded_at(&text[at..]).unwrap_or((first, 1));
        let mut buffer = [0; 4];
        let bytes = decoded.encode_utf8(&mut buffer).as_bytes();
        places.extend(std::iter::repeat_n(at, bytes.len()));
        out.extend_from_slice(bytes);
        at += length;
    }
    places.push(text.len());
    String::from_utf8(out).ok().map(|out| (out, places))
}

/// The character that an escape at the start of a text stands for, and how long the escape is.
fn decoded_at(text: &str) -> Option<(char, usize)> {
    const NAMED: &[(&str, char)] = &[
        ("&amp;", '&'),
        ("&lt;", '<'),
        ("&gt;", '>'),
        ("&quot;", '"'),
        ("&apos;", '\''),
        ("&#39;", '\''),
        ("&#x27;", '\''),
        ("&#34;", '"'),
    ];
    match text.as_bytes().first()? {
        b'%' => {
            let byte = u8::from_str_radix(text.get(1..3)?, 16).ok()?;
            byte.is_ascii().then(|| (char::from(byte), 3))
        }
        b'\'' => text.starts_with("''").then_some(('\'', 2)),
        b'&' => NAMED.iter().find(|(name, _)| text.starts_with(name)).map(|(name, c)| (*c, name.len())),
        _ => escape(text),
    }
}

/// `\"`, `\\u0026` and the like, with as many backslashes as texts lie inside texts.
fn escape(text: &str) -> Option<(char, usize)> {
    let slashes = text.len() - text.trim_start_matches('\\').len();
    let next = text[slashes..].chars().next()?;
    if next == 'u' {
        let code = u32::from_str_radix(text.get(slashes + 1..slashes + 5)?, 16).ok()?;
        return Some((char::from_u32(code)?, slashes + 5));
    }
    match next {
        c if c.is_ascii_punctuation() => Some((c, slashes + 1)),
        // A backslash of the value itself, written twice for each text around it.
        _ if slashes > 1 => Some(('\\', slashes)),
        _ => None,
    }
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
