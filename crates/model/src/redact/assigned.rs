//! A value given to a name, in whatever language: settings, code, markup, flags.

use std::ops::Range;

use super::{dummy, shapes};

/// A name and the value that stands behind it.
#[derive(Clone, Debug)]
pub(super) struct Given {
    /// The name with what stands between it and the value, such as its type.
    pub name: Range<usize>,
    /// The name alone.
    pub identifier: Range<usize>,
    pub value: Range<usize>,
    pub quoted: bool,
}

/// Longest part of a name on either side of a keyword, in bytes.
const NAME_BYTES_MAX: usize = 64;
/// Longest text of further words between a name and its value, in bytes.
const WORDS_BYTES_MAX: usize = 24;
/// Longest value, in bytes.
const VALUE_BYTES_MAX: usize = 4 * 1024;

fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.')
}

/// The value given to the name around a keyword.
pub(super) fn at(text: &str, hit: &Range<usize>) -> Option<Given> {
    let bytes = text.as_bytes();
    let back = bytes[..hit.start].iter().rev().take(NAME_BYTES_MAX).take_while(|b| is_name(**b)).count();
    let ahead = bytes[hit.end..].iter().take(NAME_BYTES_MAX).take_while(|b| is_name(**b)).count();
    let identifier = hit.start - back..hit.end + ahead;
    let mut at = identifier.end;
    if bytes.get(identifier.start) == Some(&b'-')
        && bytes.get(identifier.start + 1) == Some(&b'-')
        && bytes.get(at) == Some(&b' ')
    {
        let (value, quoted) = value_at(text, at + 1, false)?;
        return Some(Given { name: identifier.clone(), identifier, value, quoted });
    }
    at = past_words(bytes, at);
    let name = identifier.start..at;
    let (opened, after) = past_closers(bytes, at);
    let markup = identifier.start > 0 && bytes[identifier.start - 1] == b'<';
    // `:api-key "…"`, `password '…'`.
    if bytes.get(at) == Some(&b' ') && after == at + 2 && opened && at == identifier.end {
        let (value, quoted) =
            value_at(text, after - 1, false).filter(|(v, _)| !super::code::is_words(&text[v.clone()]))?;
        return Some(Given { name, identifier, value, quoted });
    }
    let beside = past_value_key(bytes, identifier.end);
    let mut at = beside.or_else(|| past_operator(bytes, after, opened, markup))?;
    if let Some(behind) = past_type(bytes, at) {
        at = behind;
    }
    let (value, quoted) = value_at(text, at, markup)?;
    Some(Given { name, identifier, value, quoted })
}

/// Past up to a few words that belong to a name or say its type: `shop api key =`, `token string =`.
fn past_words(bytes: &[u8], from: usize) -> usize {
    let mut at = from;
    while bytes.get(at) == Some(&b' ') && bytes.get(at + 1).is_some_and(|b| is_name(*b)) && at - from < WORDS_BYTES_MAX
    {
        at += 1 + bytes[at + 1..].iter().take(WORDS_BYTES_MAX).take_while(|b| is_name(**b)).count();
    }
    at
}

/// Past quotes, brackets and spaces that close a name; whether a quote was among them.
fn past_closers(bytes: &[u8], from: usize) -> (bool, usize) {
    let count = bytes[from..].iter().take(8).take_while(|b| b" \t\"'`\\])*".contains(b)).count();
    let quoted = bytes[from..from + count].iter().any(|b| b"\"'`".contains(b));
    (quoted, from + count)
}

/// Past what gives a value: `=`, `:`, `:=`, `=>`, `?=`, `.=`, `,` behind a quoted name, `>` of markup.
fn past_operator(bytes: &[u8], from: usize, quoted: bool, markup: bool) -> Option<usize> {
    let count = bytes[from..].iter().take(5).take_while(|b| b":=?|+.>~-<*".contains(b)).count();
    let operator = &bytes[from..from + count];
    let gives = operator.iter().any(|b| matches!(b, b'=' | b':')) && !operator.starts_with(b"::");
    // `::=` and `:::=` give, `a::b` does not.
    let gives = gives || operator.starts_with(b"::") && operator.ends_with(b"=");
    let arrow = matches!(operator, b"->" | b"-->" | b"<-" | b"||" | b"??");
    if gives || arrow || markup && operator.starts_with(b">") {
        return Some(if operator.starts_with(b">") { from + 1 } else { from + count });
    }
    let opens = |at: usize| bytes[at..].iter().take(4).find(|b| **b != b' ').is_some_and(|b| b"\"'`".contains(b));
    match bytes.get(from)? {
        b',' if quoted => Some(from + 1),
        b'(' if opens(from + 1) => Some(from + 1),
        _ => None,
    }
}

/// Past the key of a value that stands beside a name: `name="X" value="…"`, `name: X`, `value: …`.
fn past_value_key(bytes: &[u8], from: usize) -> Option<usize> {
    const GAP_BYTES_MAX: usize = 40;
    let gap = |at: usize, set: &[u8]| bytes[at..].iter().take(GAP_BYTES_MAX).take_while(|b| set.contains(b)).count();
    let at = from + gap(from, b" \t\r\n\"',\\");
    if at == from || !bytes.get(at..at + 5)?.eq_ignore_ascii_case(b"value") {
        return None;
    }
    let closed = at + 5 + gap(at + 5, b"\"'\\ ");
    matches!(bytes.get(closed), Some(b':' | b'=')).then_some(closed + 1)
}

/// Past a type between a colon and an equals sign: `token: string = "…"`.
fn past_type(bytes: &[u8], from: usize) -> Option<usize> {
    let start = from + bytes[from..].iter().take(2).take_while(|b| **b == b' ').count();
    let of_type = |b: &u8| b.is_ascii_alphanumeric() || b"_.<>[]?|&*:' ".contains(b);
    let length = bytes[start..].iter().take(32).take_while(|b| of_type(b)).count();
    let equals = start + length;
    let letters = bytes.get(start).is_some_and(|b| b.is_ascii_alphabetic() || *b == b'&');
    let gives = bytes.get(equals) == Some(&b'=') && !matches!(bytes.get(equals + 1), Some(b'=' | b'>'));
    let spaced = length > 0 && bytes[equals - 1] == b' ';
    (letters && gives && spaced).then_some(equals + 1)
}

/// The value that begins at or just behind a place, and whether it was quoted.
fn value_at(text: &str, from: usize, markup: bool) -> Option<(Range<usize>, bool)> {
    let bytes = text.as_bytes();
    let mut at = from + bytes[from..].iter().take(16).take_while(|b| matches!(b, b' ' | b'\t' | b'(' | b'[')).count();
    let mut end = text.len().min(at + VALUE_BYTES_MAX);
    end = bytes[at..end].iter().position(|b| matches!(b, b'\n' | b'\r')).map_or(end, |length| at + length);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let slashes = bytes[at..end].iter().take_while(|b| **b == b'\\').count();
    let prefix = bytes[at + slashes..end].iter().take(2).take_while(|b| b"fbruFBRU@$".contains(b)).count();
    let prefix = if bytes.get(at + slashes + prefix).is_some_and(|b| b"\"'`".contains(b)) { prefix } else { 0 };
    let open = at + slashes + prefix;
    if let Some(quote) = bytes[..end].get(open).copied().filter(|b| b"\"'`".contains(b)) {
        let run = bytes[open..end].iter().take(3).take_while(|b| **b == quote).count();
        at = open + if run == 3 { 3 } else { 1 };
        let stop = |b: &u8| *b == quote || slashes > 0 && *b == b'\\';
        let length = bytes[at..end].iter().position(stop)?;
        return (length > 0).then_some((at..at + length, true));
    }
    let stops = |b: &u8| b.is_ascii_whitespace() || b"\"'`,;<>|)}]\\".contains(b) || *b == b'&' && !markup;
    let length = bytes[at..end].iter().position(stops).unwrap_or(end - at);
    // What a call or an index gives is code, but for a text that a call only wraps.
    if let Some(wrapped) = wrapped(bytes, at, end) {
        return Some((wrapped, true));
    }
    let code = matches!(bytes.get(at + length), Some(b'(' | b'['));
    (length > 0 && !code && text.is_char_boundary(at + length)).then_some((at..at + length, false))
}

/// Calls that give back the text that they are given, or as what is taken where nothing else is set.
const WRAPPERS: &[&[u8]] = &[
    b"from",
    b"new",
    b"str",
    b"String",
    b"Some",
    b"Ok",
    b"bytes",
    b"SecretStr",
    b"Secret",
    b"SecretString",
    b"Password",
    b"getenv",
    b"get",
    b"fetch",
    b"env",
    b"getOrDefault",
    b"getProperty",
    b"b64decode",
    b"strdup",
    b"toCharArray",
];

/// The text in `String::from("…")` or `env("NAME", "…")`: the only or the last argument of a call
/// that ends there.
fn wrapped(bytes: &[u8], from: usize, end: usize) -> Option<Range<usize>> {
    let rest = &bytes[from..end];
    let open = rest.iter().take(40).position(|b| *b == b'(')?;
    let callee = rest[..open].rsplit(|b| b".:<> ".contains(b)).next()?;
    if !WRAPPERS.contains(&callee) {
        return None;
    }
    let of_call = |b: &u8| b.is_ascii_alphanumeric() || b"_.:<>!".contains(b);
    let close = open + rest[open..].iter().take(VALUE_BYTES_MAX).position(|b| *b == b')')?;
    let quote = *rest[..close].last().filter(|b| matches!(b, b'"' | b'\''))?;
    let start = rest[open..close - 1].iter().rposition(|b| *b == quote)? + open + 1;
    let before = &rest[open + 1..start - 1];
    let first = before.is_empty() || before.ends_with(b", ") || before.ends_with(b",");
    (rest[..open].iter().all(of_call) && first && start < close - 1).then(|| from + start..from + close - 1)
}

/// Shortest value that is taken for a secret because of its name, in bytes.
const SECRET_BYTES_MIN: usize = 8;

/// Whether a name that says it is secret is given something that looks issued.
pub(super) fn is_secret(text: &str, given: &Given) -> bool {
    let value = &text[given.value.clone()];
    let name = &text[given.identifier.clone()];
    match shapes::is_secret_name(name) {
        true => looks_secret(value, given.quoted),
        false => shapes::is_key_name(name) && looks_issued(value),
    }
}

/// Whether a value is what programs issue: long, random, and no word, path or id in it.
fn looks_issued(value: &str) -> bool {
    const VALUE_BYTES_MIN: usize = 24;
    let digits = value.bytes().filter(u8::is_ascii_digit).count();
    let letters = value.bytes().filter(u8::is_ascii_alphabetic).count();
    let of_key = |b: u8| b.is_ascii_alphanumeric() || b"+/=_-".contains(&b);
    value.len() >= VALUE_BYTES_MIN
        && value.bytes().all(of_key)
        && digits >= 3
        && letters >= 3
        && dummy::entropy(value) >= 3.3
        && !super::code::is_words(value)
}

/// Whether a value by itself could be a secret: mixed, dense, and neither code nor a path.
pub(super) fn looks_secret(value: &str, quoted: bool) -> bool {
    if value.len() < SECRET_BYTES_MIN || value.contains(char::is_whitespace) || dummy::is_reference(value) {
        return false;
    }
    let count = |test: fn(&u8) -> bool| value.bytes().filter(test).count();
    let digits = count(u8::is_ascii_digit);
    let letters = count(u8::is_ascii_alphabetic);
    let symbols = count(u8::is_ascii_punctuation);
    let cases = usize::from(count(u8::is_ascii_lowercase) > 0) + usize::from(count(u8::is_ascii_uppercase) > 0);
    if digits == 0 || letters == 0 || value.contains(['(', '{', '[', '<']) || value.starts_with(['/', '.', '~']) {
        return false;
    }
    // Names in code are given with underscores and dots, and few digits.
    let word_like = value.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"_.-".contains(&b));
    let code = (value.contains(['_', '.']) || !quoted && symbols > 0) && word_like && digits <= 3;
    let random = digits >= 2 || quoted && !super::code::is_words(value);
    let dense = value.len() >= 12 || symbols > 0 || cases == 2 && random;
    let entropy_min = if value.len() < 10 { 2.5 } else { 2.8 };
    !code && dense && dummy::entropy(value) >= entropy_min
}
