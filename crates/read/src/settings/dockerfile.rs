//! `ENV` of a Dockerfile: the values that a container has when nothing else sets them.

use crate::compose::split_words;

use super::Found;

/// Finds the assignments of the last build stage that has any.
pub(super) fn read(text: &str) -> Vec<Found> {
    let mut found: Vec<Found> = Vec::new();
    let mut at = 0;
    let mut instruction: Option<(usize, String)> = None;
    for line in text.split_inclusive('\n') {
        let trimmed = line.trim();
        let start = at;
        at += line.len();
        if trimmed.starts_with('#') {
            continue;
        }
        let (from, mut whole) = instruction.take().unwrap_or((start, String::new()));
        if let Some(front) = trimmed.strip_suffix('\\') {
            whole.push_str(front);
            whole.push(' ');
            instruction = Some((from, whole));
            continue;
        }
        whole.push_str(trimmed);
        let (word, rest) = whole.trim().split_once(char::is_whitespace).unwrap_or((whole.trim(), ""));
        match word.to_ascii_uppercase().as_str() {
            "FROM" => found.clear(),
            "ENV" => found.extend(assignments(rest).into_iter().map(|(variable, value)| Found {
                variable,
                default: Some(value),
                at: from,
                in_image: true,
                ..Found::default()
            })),
            _ => {}
        }
    }
    found
}

/// `A=b C="d e"`, or the old form `A the rest of the line`.
fn assignments(rest: &str) -> Vec<(String, String)> {
    let words = split_words(rest);
    if words.first().is_some_and(|w| w.contains('=')) {
        return words.iter().filter_map(|w| w.split_once('=')).map(|(k, v)| (k.to_owned(), v.to_owned())).collect();
    }
    let (name, value) = rest.trim().split_once(char::is_whitespace).unwrap_or((rest, ""));
    vec![(name.to_owned(), value.trim().to_owned())]
}
