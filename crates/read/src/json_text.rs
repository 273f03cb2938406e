//! JSON as it stands in a file: where each value is, so that one part can be changed and every other byte stays.

use std::ops::Range;

use serde_json::Value;

/// Deepest nesting that is read.
const DEPTH_MAX: usize = 64;

/// One value and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    pub span: Range<usize>,
    pub kind: Kind,
}

/// What a value holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    Object(Vec<Member>),
    Array(Vec<Node>),
    Scalar,
}

/// A key with its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    pub key: String,
    /// From the key's first quote to the end of the value.
    pub span: Range<usize>,
    pub value: Node,
}

/// Why a text cannot be changed in place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Problem {
    /// It holds comments or commas at the end of lists: JSON for people, which strict readers refuse.
    Commented,
    /// It is no JSON, and where: 1-based line.
    Malformed { line: usize, why: String },
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Problem::Commented => f.write_str("it holds comments, which a rewrite could lose"),
            Problem::Malformed { line, why } => write!(f, "it is no JSON: line {line}: {why}"),
        }
    }
}

/// Reads a text whole; its value comes with the places.
pub fn read(text: &str) -> Result<(Value, Node), Problem> {
    let value = match serde_json::from_str::<Value>(text) {
        Ok(value) => value,
        Err(_) if relaxed(text).is_some() => return Err(Problem::Commented),
        Err(error) => return Err(Problem::Malformed { line: error.line(), why: error.to_string() }),
    };
    let mut walk = Walk { text: text.as_bytes(), at: 0 };
    let node = walk.value(0).ok_or(Problem::Malformed { line: 1, why: "it nests too deep".to_owned() })?;
    Ok((value, node))
}

/// The value of a text with comments and trailing commas, as editors write it; `None` where it is none at all.
pub fn relaxed(text: &str) -> Option<Value> {
    let bytes = text.as_bytes();
    let mut out: Vec<u8> = Vec::with_capacity(bytes.len());
    let (mut at, mut in_string) = (0, false);
    while at < bytes.len() {
        let (byte, next) = (bytes[at], bytes.get(at + 1).copied());
        match (in_string, byte, next) {
            (true, b'\\', Some(escaped)) => {
                out.extend([byte, escaped]);
                at += 1;
            }
            (_, b'"', _) => {
                in_string = !in_string;
                out.push(byte);
            }
            (false, b'/', Some(b'/')) => {
                while at + 1 < bytes.len() && bytes[at + 1] != b'\n' {
                    at += 1;
                }
            }
            (false, b'/', Some(b'*')) => {
                let end = text.get(at + 2..)?.find("*/")?;
                at += end + 3;
            }
            (false, b'}' | b']', _) => {
                while out.last().is_some_and(u8::is_ascii_whitespace) {
                    out.pop();
                }
                if out.last() == Some(&b',') {
                    out.pop();
                }
                out.push(byte);
            }
            _ => out.push(byte),
        }
        at += 1;
    }
    serde_json::from_slice(&out).ok()
}

/// Walks a text that is known to be JSON.
struct Walk<'t> {
    text: &'t [u8],
    at: usize,
}

impl Walk<'_> {
    fn blank(&mut self) {
        while self.text.get(self.at).is_some_and(u8::is_ascii_whitespace) {
            self.at += 1;
        }
    }

    /// Whether the next sign is that one; then it is passed.
    fn passes(&mut self, sign: u8) -> bool {
        self.blank();
        let is = self.text.get(self.at) == Some(&sign);
        self.at += usize::from(is);
        is
    }

    fn value(&mut self, depth: usize) -> Option<Node> {
        self.blank();
        let start = self.at;
        if depth > DEPTH_MAX {
            return None;
        }
        let kind = match self.text.get(self.at)? {
            b'{' => {
                self.at += 1;
                let mut members = Vec::new();
                while !self.passes(b'}') {
                    self.passes(b',');
                    members.push(self.member(depth)?);
                }
                Kind::Object(members)
            }
            b'[' => {
                self.at += 1;
                let mut items = Vec::new();
                while !self.passes(b']') {
                    self.passes(b',');
                    items.push(self.value(depth + 1)?);
                }
                Kind::Array(items)
            }
            b'"' => {
                self.string()?;
                Kind::Scalar
            }
            _ => {
                while self.text.get(self.at).is_some_and(|b| !b",]}".contains(b) && !b.is_ascii_whitespace()) {
                    self.at += 1;
                }
                Kind::Scalar
            }
        };
        Some(Node { span: start..self.at, kind })
    }

    fn member(&mut self, depth: usize) -> Option<Member> {
        self.blank();
        let start = self.at;
        let key = self.string()?;
        self.passes(b':');
        let value = self.value(depth + 1)?;
        Some(Member { key, span: start..value.span.end, value })
    }

    fn string(&mut self) -> Option<String> {
        let start = self.at;
        self.at += 1;
        loop {
            match self.text.get(self.at)? {
                b'\\' => self.at += 2,
                b'"' => break,
                _ => self.at += 1,
            }
        }
        self.at += 1;
        serde_json::from_slice(self.text.get(start..self.at)?).ok()
    }
}

impl Node {
    /// The member of that name; of several the last, which counts.
    pub fn member(&self, key: &str) -> Option<&Member> {
        match &self.kind {
            Kind::Object(members) => members.iter().rev().find(|m| m.key == key),
            _ => None,
        }
    }

    /// What lies in a list.
    pub fn items(&self) -> &[Node] {
        match &self.kind {
            Kind::Array(items) => items,
            _ => &[],
        }
    }
}

/// Puts a member at the end of an object, or replaces the one of that name.
pub fn with_member(text: &str, object: &Node, key: &str, value: &Value) -> String {
    if let Some(known) = object.member(key) {
        return with_value(text, &known.value, value);
    }
    let Kind::Object(members) = &object.kind else { return text.to_owned() };
    let key = Value::String(key.to_owned());
    let spans: Vec<Range<usize>> = members.iter().map(|m| m.span.clone()).collect();
    put_last(text, object, &spans, &|indent| format!("{key}: {}", pretty(text, value, indent)))
}

/// Puts a value at the end of a list.
pub fn with_item(text: &str, list: &Node, value: &Value) -> String {
    let spans: Vec<Range<usize>> = list.items().iter().map(|n| n.span.clone()).collect();
    put_last(text, list, &spans, &|indent| pretty(text, value, indent))
}

/// Puts another value in the place of one.
pub fn with_value(text: &str, node: &Node, value: &Value) -> String {
    let indent = indent_at(text, node.span.start);
    spliced(text, &node.span, &pretty(text, value, &indent))
}

/// Takes one of the things of a list or object out, with its comma.
pub fn without(text: &str, spans: &[Range<usize>], at: usize) -> String {
    let span = match (at.checked_sub(1).and_then(|before| spans.get(before)), spans.get(at + 1)) {
        (Some(before), _) => before.end..spans[at].end,
        (None, Some(after)) => spans[at].start..after.start,
        (None, None) => spans[at].clone(),
    };
    spliced(text, &span, "")
}

fn put_last(text: &str, whole: &Node, spans: &[Range<usize>], show: &dyn Fn(&str) -> String) -> String {
    let outer = indent_at(text, whole.span.start);
    match spans.last() {
        Some(last) => {
            let own_line = text[whole.span.start..last.end].contains('\n');
            let indent = if own_line { indent_at(text, last.start) } else { format!("{outer}{}", unit(text)) };
            let gap = if own_line { format!(",\n{indent}") } else { ", ".to_owned() };
            spliced(text, &(last.end..last.end), &format!("{gap}{}", show(&indent)))
        }
        None => {
            let indent = format!("{outer}{}", unit(text));
            let open = &text[whole.span.start..=whole.span.start];
            let close = if open == "{" { "}" } else { "]" };
            spliced(text, &whole.span, &format!("{open}\n{indent}{}\n{outer}{close}", show(&indent)))
        }
    }
}

fn spliced(text: &str, span: &Range<usize>, with: &str) -> String {
    format!("{}{with}{}", &text[..span.start], &text[span.end..])
}

/// The blanks before the first sign of the line that a place is in.
fn indent_at(text: &str, at: usize) -> String {
    let start = text[..at].rfind('\n').map_or(0, |line| line + 1);
    text[start..at].chars().take_while(|c| matches!(c, ' ' | '\t')).collect()
}

/// One step of indentation, as the text has it.
fn unit(text: &str) -> String {
    let first = text.lines().find(|line| line.starts_with([' ', '\t']));
    let blanks: String = first.unwrap_or_default().chars().take_while(|c| matches!(c, ' ' | '\t')).collect();
    if blanks.is_empty() { "  ".to_owned() } else { blanks }
}

/// A value over several lines, the later ones indented.
fn pretty(text: &str, value: &Value, indent: &str) -> String {
    let plain = serde_json::to_string_pretty(value).unwrap_or_default();
    let unit = unit(text);
    let line = |(number, line): (usize, &str)| {
        let steps = line.chars().take_while(|c| *c == ' ').count() / 2;
        let head = if number == 0 { String::new() } else { format!("\n{indent}") };
        format!("{head}{}{}", unit.repeat(steps), line.trim_start())
    };
    plain.lines().enumerate().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn node(text: &str) -> Node {
        read(text).unwrap().1
    }

    #[test]
    fn one_part_changes_and_the_rest_stays() {
        let text = "{\n\t\"b\": 1,\n\t\"a\": [ 1,2 ]\n}\n";
        let root = node(text);
        assert_eq!(
            with_member(text, &root, "c", &json!({"x": []})),
            "{\n\t\"b\": 1,\n\t\"a\": [ 1,2 ],\n\t\"c\": {\n\t\t\"x\": []\n\t}\n}\n"
        );
        let list = &root.member("a").unwrap().value;
        assert_eq!(with_item(text, list, &json!(3)), "{\n\t\"b\": 1,\n\t\"a\": [ 1,2, 3 ]\n}\n");
        assert_eq!(with_member(text, &root, "b", &json!("x")), "{\n\t\"b\": \"x\",\n\t\"a\": [ 1,2 ]\n}\n");
        assert_eq!(with_member("{}", &node("{}"), "k", &json!(1)), "{\n  \"k\": 1\n}");
        let spans: Vec<_> = list.items().iter().map(|n| n.span.clone()).collect();
        assert_eq!(without(text, &spans, 0), "{\n\t\"b\": 1,\n\t\"a\": [ 2 ]\n}\n");
        assert_eq!(without(text, &spans, 1), "{\n\t\"b\": 1,\n\t\"a\": [ 1 ]\n}\n");
    }

    #[test]
    fn every_change_of_odd_texts_is_json_again() {
        for text in [
            r#"{"a":"x}\"]{","b":{"c":[]},"ü":null}"#,
            "{ \"a\" : -1.5e3 , \"b\" : { } }",
            "{\r\n    \"a\": [\r\n        {\"b\": \"\\\\\"}\r\n    ]\r\n}\r\n",
            "[[],{\"k\":[{}]}]",
        ] {
            let (value, root) = read(text).unwrap();
            assert_eq!(text[root.span.clone()].parse::<Value>().unwrap(), value, "{text}");
            let changed = match &root.kind {
                Kind::Object(_) => with_member(text, &root, "new", &json!([{"x": 1}])),
                _ => with_item(text, &root, &json!({"x": 1})),
            };
            let again: Value = serde_json::from_str(&changed).unwrap();
            assert!(again != value && changed.contains('x'), "{changed}");
        }
    }

    #[test]
    fn comments_and_nonsense_are_told_apart() {
        for text in ["{ // why\n \"a\": 1 }", "{\"a\": [1,],}", "/* x */ {}"] {
            assert_eq!(read(text), Err(Problem::Commented), "{text}");
        }
        assert_eq!(relaxed("{\"u\": \"http://x/*\", }"), Some(json!({"u": "http://x/*"})));
        for text in ["{\n\"a\": 1\n\"b\": 2}", "", "{", "hooks: []", "{\"a\": 1}}"] {
            assert!(matches!(read(text), Err(Problem::Malformed { .. })), "{text}");
        }
        let deep = "[".repeat(200);
        assert!(matches!(read(&deep), Err(Problem::Malformed { .. })));
    }
}
