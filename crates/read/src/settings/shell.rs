//! Defaults in shell text: `${X:-d}`, `${X:=d}` and their forms without the colon.

use super::comments::{self, Style};
use super::{Found, asks_for_development, is_variable_name};

/// Finds the variables that a script reads with a default, or sets only when absent.
pub(super) fn read(raw: &str) -> Vec<Found> {
    let text = comments::blank(raw, Style::Hash);
    let mut found = Vec::new();
    for (at, _) in text.match_indices("${") {
        let inner = &text[at + 2..];
        let length = inner.bytes().take_while(|b| b.is_ascii_alphanumeric() || *b == b'_').count();
        let name = &inner[..length];
        if !is_variable_name(name) {
            continue;
        }
        let rest = &inner[length..];
        let operator = [":-", ":=", "-", "="].into_iter().find(|op| rest.starts_with(op));
        let default = operator.and_then(|op| {
            let word = &rest[op.len()..];
            closing(word).map(|end| unquoted(&word[..end]))
        });
        found.push(Found {
            variable: name.to_owned(),
            default,
            at,
            when_empty: operator.is_some_and(|op| op.starts_with(':')),
            development_only: in_development_branch(&text, at),
            ..Found::default()
        });
    }
    found
}

/// Offset of the brace that closes, past nested ones.
fn closing(word: &str) -> Option<usize> {
    let mut depth = 0usize;
    for (i, c) in word.char_indices() {
        match c {
            '\n' => return None,
            '{' => depth += 1,
            '}' if depth == 0 => return Some(i),
            '}' => depth -= 1,
            _ => {}
        }
    }
    None
}

fn unquoted(word: &str) -> String {
    let word = word.trim();
    let inner = word.strip_prefix(['"', '\'']).and_then(|w| w.strip_suffix(['"', '\'']));
    inner.unwrap_or(word).to_owned()
}

/// Whether the innermost `if` that is still open asks for development.
fn in_development_branch(text: &str, at: usize) -> bool {
    let mut open: Vec<&str> = Vec::new();
    for line in text[..at].lines() {
        let line = line.trim();
        if line.starts_with("if ") {
            open.push(line);
        }
        if line == "fi" || line.starts_with("fi ") || line.starts_with("fi;") || line.ends_with("; fi") {
            open.pop();
        }
    }
    open.iter().any(|condition| asks_for_development(condition))
}
