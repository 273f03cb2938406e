//! Words of an answer: what would happen, why that is bad here, what to do instead.

use coroner_model::permission::Strength;

use super::Story;
use crate::pattern::AntiPattern;

/// Longest reason that an agent is given, in characters.
pub const REASON_CHARS_MAX: usize = 600;

/// The reason of an answer that a pattern decided.
pub(super) fn of_pattern(pattern: &AntiPattern, story: &Story, strength: Strength) -> String {
    let word = match strength {
        Strength::Deny => "Denied",
        Strength::Ask => "Needs a person",
        Strength::Note => "Note",
    };
    let would =
        if story.would.is_empty() { pattern.header.title.clone() } else { format!("this would {}.", story.would) };
    let why = if story.why.is_empty() { pattern.header.lesson.clone() } else { story.why.clone() };
    let mut tail = Vec::new();
    match story.instead.first() {
        Some(command) => tail.push(format!("Do instead: {command}")),
        None => tail.push(format!("Do instead: {}", pattern.do_instead_line())),
    }
    if let Some(preview) = &story.preview {
        tail.push(format!("Or see first what would go: {preview}"));
    }
    let happened = pattern.header.incidents.first().map(|i| format!(" · happened before: {i}")).unwrap_or_default();
    tail.push(format!("Pattern {}{happened}", pattern.id));
    fit(&format!("{word}: {would}"), &story.lines, &why, &tail)
}

/// The reason where a file would come into a state that a pattern knows.
pub fn of_written(pattern: &AntiPattern, path: &str, message: &str) -> String {
    let happened = pattern.header.incidents.first().map(|i| format!(" · happened before: {i}")).unwrap_or_default();
    let tail = [format!("Do instead: {}", pattern.do_instead_line()), format!("Pattern {}{happened}", pattern.id)];
    fit(&format!("Needs a person: after this write to {path}, {message}"), &[], &pattern.header.lesson, &tail)
}

/// The reason of an answer that asks because the deciding state is not known.
pub(super) fn undecided(story: &Story) -> String {
    let why = story.undecided.clone().unwrap_or_default();
    let tail: Vec<String> = story.preview.iter().map(|p| format!("See first what would go: {p}")).collect();
    fit(
        &format!("Needs a person: this would {}.", story.would),
        &story.lines,
        &format!("It cannot be judged: {why}."),
        &tail,
    )
}

/// Joins the parts; what does not fit goes, from the details upwards.
fn fit(head: &str, lines: &[String], why: &str, tail: &[String]) -> String {
    for kept_lines in (0..=lines.len()).rev() {
        for kept_tail in [tail.len(), tail.len().min(1)] {
            let mut parts = vec![head.to_owned()];
            parts.extend(lines[..kept_lines].iter().map(|l| format!("  {l}")));
            parts.extend(Some(why.to_owned()).filter(|w| !w.is_empty()));
            // The last line names the pattern; it always stays.
            parts.extend(tail[..kept_tail.min(tail.len().saturating_sub(1))].iter().cloned());
            parts.extend(tail.last().cloned());
            let text = parts.join("\n");
            if text.chars().count() < REASON_CHARS_MAX {
                return text;
            }
        }
    }
    let text = format!("{head}\n{why}\n{}", tail.last().map_or("", String::as_str));
    text.chars().take(REASON_CHARS_MAX - 1).collect()
}

/// The remedy of a pattern with the commands of the case.
pub(super) fn remedy(pattern: &AntiPattern, story: &Story) -> String {
    let own = remedy_of(story);
    let line = pattern.do_instead_line();
    // Paths of an example beside those of the case would mislead.
    let foreign = line.split('`').skip(1).step_by(2).any(|code| code.contains('/'));
    match (own.is_empty(), foreign) {
        (true, _) => pattern.do_instead.clone(),
        (false, true) => own,
        (false, false) => format!("{own}\n{line}"),
    }
}

/// Commands of the case as Markdown.
pub(super) fn remedy_of(story: &Story) -> String {
    let mut out = String::new();
    for command in story.instead.iter().chain(&story.preview) {
        out.push_str(&format!("```sh\n{command}\n```\n"));
    }
    out
}
