//! Reads env files by the rules of compose v2: export, quotes, escapes, comments, interpolation.

use std::collections::BTreeMap;

use crate::compose::interpolate::{Interpolated, interpolate};

/// One assignment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assignment {
    pub name: String,
    /// Empty where only the name stands there and nothing else gives it a value.
    pub value: String,
    /// 1-based line of the name.
    pub line: u64,
    /// What interpolation met, for values that can hold variables.
    pub met: Interpolated,
    /// Only the name stands there: the value is taken from the environment.
    pub inherited: bool,
}

/// A line that is no assignment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issue {
    pub line: u64,
    pub reason: String,
}

/// An env file as read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EnvText {
    pub assignments: Vec<Assignment>,
    pub issues: Vec<Issue>,
}

impl EnvText {
    /// Values by name; of several assignments the last counts.
    pub fn values(&self) -> BTreeMap<String, String> {
        self.assignments
            .iter()
            .filter(|a| !a.inherited || !a.value.is_empty())
            .map(|a| (a.name.clone(), a.value.clone()))
            .collect()
    }
}

/// Reads an env file; `outside` is the environment that variables are looked up in
/// first, before what the file itself sets further up.
pub fn read(text: &str, outside: &dyn Fn(&str) -> Option<String>) -> EnvText {
    let normal = text.trim_start_matches('\u{feff}').replace("\r\n", "\n");
    let mut out = EnvText::default();
    let mut rest = Rest { text: &normal, line: 1 };
    while rest.skip_blank() {
        let line = rest.line;
        let before = out.values();
        let lookup = |name: &str| outside(name).or_else(|| before.get(name).cloned());
        match assignment(&mut rest, &lookup) {
            Ok(found) => out.assignments.push(found),
            Err(reason) => {
                out.issues.push(Issue { line, reason });
                rest.skip_line();
            }
        }
    }
    out
}

/// Reads an env file whose `format` is `raw`: a line is a name, `=` and the value as it stands.
pub fn read_raw(text: &str) -> EnvText {
    let mut out = EnvText::default();
    for (line, raw) in (1..).zip(text.lines()) {
        let raw = raw.strip_suffix('\r').unwrap_or(raw);
        if raw.trim_start().is_empty() || raw.trim_start().starts_with('#') {
            continue;
        }
        match raw.split_once('=') {
            Some((name, value)) => out.assignments.push(Assignment {
                name: name.trim_start().to_owned(),
                value: value.to_owned(),
                line,
                met: Interpolated::default(),
                inherited: false,
            }),
            None => out.issues.push(Issue { line, reason: "no `=` in it".to_owned() }),
        }
    }
    out
}

/// The text that is still to be read, and its line.
struct Rest<'a> {
    text: &'a str,
    line: u64,
}

impl Rest<'_> {
    fn advance(&mut self, bytes: usize) {
        let (done, rest) = self.text.split_at(bytes.min(self.text.len()));
        self.line += done.matches('\n').count() as u64;
        self.text = rest;
    }

    fn skip_line(&mut self) {
        self.advance(self.text.find('\n').map_or(self.text.len(), |i| i + 1));
    }

    /// Skips blank lines and comment lines; false at the end.
    fn skip_blank(&mut self) -> bool {
        loop {
            let blank = self.text.len() - self.text.trim_start().len();
            self.advance(blank);
            match self.text.chars().next() {
                None => return false,
                Some('#') => self.skip_line(),
                Some(_) => return true,
            }
        }
    }

    fn line_text(&self) -> &str {
        self.text.split('\n').next().unwrap_or("")
    }
}

fn assignment(rest: &mut Rest, lookup: &dyn Fn(&str) -> Option<String>) -> Result<Assignment, String> {
    if let Some(after) = rest.text.strip_prefix("export")
        && after.starts_with([' ', '\t'])
    {
        let skipped = rest.text.len() - after.trim_start_matches([' ', '\t']).len();
        rest.advance(skipped);
    }
    let line = rest.line;
    let whole = rest.line_text();
    let length = whole
        .bytes()
        .take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-' | b'[' | b']'))
        .count();
    let name = whole[..length].to_owned();
    let after = whole[length..].trim_start_matches([' ', '\t']);
    if name.is_empty() {
        return Err("no name of a variable".to_owned());
    }
    if after.is_empty() || (after.starts_with('#') && after.len() < whole.len() - length) {
        rest.skip_line();
        let value = lookup(&name).unwrap_or_default();
        return Ok(Assignment { name, value, line, met: Interpolated::default(), inherited: true });
    }
    if !after.starts_with(['=', ':']) {
        return Err(format!("`{name}` is followed by something that is no `=`"));
    }
    let value_at = whole.len() - after.len() + 1;
    let gap = whole[value_at..].len() - whole[value_at..].trim_start_matches([' ', '\t']).len();
    rest.advance(value_at + gap);
    let (value, met) = match rest.text.chars().next() {
        Some(quote @ ('"' | '\'')) => quoted(rest, quote, lookup)?,
        _ => {
            let raw = rest.line_text();
            let raw = if raw.starts_with('#') && gap > 0 { "" } else { raw.split(" #").next().unwrap_or("") };
            let met = interpolate(raw.trim_end(), lookup);
            rest.skip_line();
            (met.value.clone(), met)
        }
    };
    Ok(Assignment { name, value, line, met, inherited: false })
}

/// A quoted value, which may go over several lines.
fn quoted(
    rest: &mut Rest,
    quote: char,
    lookup: &dyn Fn(&str) -> Option<String>,
) -> Result<(String, Interpolated), String> {
    let body = &rest.text[1..];
    let bytes = body.as_bytes();
    let mut at = 0;
    while at < bytes.len() && bytes[at] != quote as u8 {
        at += if bytes[at] == b'\\' { 2 } else { 1 };
    }
    if at >= bytes.len() {
        return Err(format!("a value that {quote} opens is never closed"));
    }
    let raw = body[..at].to_owned();
    rest.advance(at + 2);
    rest.skip_line();
    if quote == '\'' {
        return Ok((raw.replace("\\'", "'"), Interpolated::default()));
    }
    let met = interpolate(&unescape(&raw), lookup);
    Ok((met.value.clone(), met))
}

/// Resolves the escapes of a double-quoted value; an escaped dollar sign stays one.
fn unescape(raw: &str) -> String {
    let mut out = String::with_capacity(raw.len());
    let mut chars = raw.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        match chars.next() {
            Some('n') => out.push('\n'),
            Some('r') => out.push('\r'),
            Some('t') => out.push('\t'),
            Some('a') => out.push('\u{7}'),
            Some('b') => out.push('\u{8}'),
            Some('f') => out.push('\u{c}'),
            Some('v') => out.push('\u{b}'),
            Some('$') => out.push_str("$$"),
            Some(quote @ ('"' | '\\')) => out.push(quote),
            Some(other) => {
                out.push('\\');
                out.push(other);
            }
            None => out.push('\\'),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(text: &str) -> Option<String> {
        read(text, &|n| (n == "HOME").then(|| "/root".to_owned())).values().remove("A")
    }

    #[test]
    fn values_follow_the_documented_table() {
        for (text, expected) in [
            ("A=b", "b"),
            ("A=b c  ", "b c"),
            ("A = b", "b"),
            ("A: b", "b"),
            ("export A=b", "b"),
            ("export\tA=b", "b"),
            ("A=b # comment", "b"),
            ("A=b# no comment", "b# no comment"),
            ("A=b#c", "b#c"),
            ("A=", ""),
            ("A= # comment", ""),
            ("A='b # c' # d", "b # c"),
            ("A=\"b # c\"", "b # c"),
            ("A='$HOME'", "$HOME"),
            ("A=\"$HOME\"", "/root"),
            ("A=${HOME}/x", "/root/x"),
            ("A=${NO:-d}", "d"),
            ("A=\"a\\tb\\nc\"", "a\tb\nc"),
            ("A='a\\tb'", "a\\tb"),
            ("A='Let\\'s go'", "Let's go"),
            ("A=\"{\\\"k\\\": \\\"v\\\"}\"", "{\"k\": \"v\"}"),
            ("A=\"\\$HOME\"", "$HOME"),
            ("A=b\r\nB=c\r\n", "b"),
            ("\u{feff}A=b", "b"),
            ("A=\"x\ny\"\nB=1", "x\ny"),
            ("A=1\nA=2", "2"),
            ("B=1\nA=$B$B", "11"),
            ("A=a=b", "a=b"),
            ("#A=1\nA=2", "2"),
            ("A=postgresql://u:p@db:5432/x?sslmode=disable", "postgresql://u:p@db:5432/x?sslmode=disable"),
        ] {
            assert_eq!(value(text).as_deref(), Some(expected), "{text:?}");
        }
    }

    #[test]
    fn a_raw_file_is_taken_as_it_stands() {
        let read = read_raw("# c\nA='b' $C # d\r\nB=\n");
        let values: Vec<_> = read.assignments.iter().map(|a| (a.name.as_str(), a.value.as_str(), a.line)).collect();
        assert_eq!(values, [("A", "'b' $C # d", 2), ("B", "", 3)]);
    }

    #[test]
    fn lines_count_on_past_multi_line_values() {
        let read = read("A=\"x\ny\"\n\n# c\nB=1\nHOME\nNOTHING\n", &|n| (n == "HOME").then(|| "h".into()));
        let lines: Vec<_> = read.assignments.iter().map(|a| (a.name.as_str(), a.line)).collect();
        assert_eq!(lines, [("A", 1), ("B", 5), ("HOME", 6), ("NOTHING", 7)]);
        assert_eq!(read.values().get("HOME").map(String::as_str), Some("h"));
        assert!(!read.values().contains_key("NOTHING"));
    }

    #[test]
    fn a_line_that_is_none_is_told_and_the_rest_is_read() {
        let read = read("A=1\nthis is prose\n=x\nB=\"open\nC=2\n", &|_| None);
        assert_eq!(read.issues.len(), 3, "{:?}", read.issues);
        assert_eq!(read.values().get("C").map(String::as_str), Some("2"));
    }
}
