//! Commits that a command made: their messages say what was decided, their paths of what.

use std::collections::BTreeMap;

use super::stated::{Speaker, stated};
use super::{Decision, Source, cut, drafted, paths, sentence};
use crate::shell::{self, Invocation, Stdin, Word};

/// Longest command that is read for commits, in bytes.
const COMMAND_BYTES_MAX: usize = 64 * 1024;
/// Longest message that is kept, in bytes.
const MESSAGE_BYTES_MAX: usize = 4_000;
/// Options of `git` itself that take a value.
const GIT_OPTIONS: &[&str] = &["-C", "-c", "--git-dir", "--work-tree", "--namespace"];
/// Options of `git commit` that take a value of their own.
const OPTIONS: &[&str] =
    &["-F", "--file", "-C", "-c", "-t", "--author", "--date", "--fixup", "--squash", "--cleanup", "--trailer"];

/// The commits of a command that ran.
pub(super) fn commits(command: &str) -> Vec<Decision> {
    if !command.contains("commit") || command.len() > COMMAND_BYTES_MAX {
        return Vec::new();
    }
    let (env, files) = (BTreeMap::new(), BTreeMap::new());
    let script = shell::read(command, &shell::Context { cwd: "", env: &env, files: &files });
    let mut staged: Vec<String> = Vec::new();
    let mut found = Vec::new();
    for invocation in script.invocations.iter().filter(|i| i.program() == "git") {
        let words = arguments(invocation);
        match words.split_first() {
            Some((first, rest)) if first == "add" || first == "rm" || first == "mv" => {
                staged.extend(rest.iter().filter(|word| !word.starts_with('-')).cloned());
            }
            Some((first, rest)) if first == "commit" => {
                let (message, named) = message(rest, &invocation.stdin);
                found.extend(message.and_then(|message| decision(&message, staged.iter().chain(&named), command)));
            }
            _ => {}
        }
    }
    found
}

/// The words behind `git` and its own options.
fn arguments(invocation: &Invocation) -> Vec<String> {
    let words: Vec<String> = invocation.argv.iter().skip(1).map(text).collect();
    let mut at = 0;
    while words.get(at).is_some_and(|word| word.starts_with('-')) {
        at += 1 + usize::from(GIT_OPTIONS.contains(&words[at].as_str()));
    }
    words.get(at..).unwrap_or_default().to_vec()
}

/// A word, or what a here-document gives it.
fn text(word: &Word) -> String {
    word.as_literal().map_or_else(|| word.show(), str::to_owned)
}

/// The message of a commit, and the paths that it names.
fn message(words: &[String], stdin: &Stdin) -> (Option<String>, Vec<String>) {
    let (mut parts, mut named) = (Vec::new(), Vec::new());
    let mut at = 0;
    while at < words.len() {
        let word = &words[at];
        at += 1;
        let next = words.get(at);
        let is_short = word.starts_with('-') && !word.starts_with("--");
        if word == "--message" || is_short && word.ends_with('m') {
            parts.extend(next.cloned());
            at += 1;
        } else if let Some(value) = word.strip_prefix("--message=") {
            parts.push(value.to_owned());
        } else if let Some(value) = word.strip_prefix("-m") {
            parts.push(value.to_owned());
        } else if let (true, Stdin::Text(input)) =
            ((word == "-F" || word == "--file") && next.is_some_and(|n| n == "-"), stdin)
        {
            parts.push(text(input));
            at += 1;
        } else if word == "--file=-" || word == "-F-" {
            if let Stdin::Text(input) = stdin {
                parts.push(text(input));
            }
        } else if OPTIONS.contains(&word.as_str()) {
            at += 1;
        } else if !word.starts_with('-') {
            named.push(word.clone());
        }
    }
    ((!parts.is_empty()).then(|| parts.join("\n\n")), named)
}

fn decision<'p>(message: &str, named: impl Iterator<Item = &'p String>, command: &str) -> Option<Decision> {
    let kept: Vec<&str> = message.trim().lines().take_while(|line| !is_trailer(line)).collect();
    let message = kept.join("\n");
    let message = cut(message.trim(), MESSAGE_BYTES_MAX);
    let (subject, body) = message.split_once('\n').unwrap_or((message, ""));
    let subject = subject.trim();
    if !subject.chars().any(char::is_alphabetic) || subject.contains("$(") {
        return None;
    }
    let start = command.find(subject).unwrap_or(0);
    let mut decision = Decision {
        text: message.to_owned(),
        chosen: subject.to_owned(),
        reason: body.trim().to_owned(),
        span: start..(start + subject.len()).min(command.len()),
        confidence_percent: 80,
        ..Decision::new(Source::Commit)
    };
    // `fix(cache): use X instead of Y` decides what stands behind the colon.
    let said = subject.split_once(": ").filter(|(kind, _)| !kind.contains(' ')).map_or(subject, |(_, rest)| rest);
    let said = sentence::sentences(said).into_iter().find_map(|range| {
        let draft = stated(said, range.clone(), Speaker::Commit)?;
        Some(drafted(said, range, &draft))
    });
    if let Some(said) = said {
        decision.rejected = said.rejected;
        if !said.chosen.is_empty() {
            decision.chosen = said.chosen;
        }
        decision.confidence_percent += 5;
    }
    decision.committed = named.filter(|path| !matches!(path.as_str(), "." | ":/" | "-")).cloned().collect();
    decision.paths = paths(message);
    decision.paths.extend(decision.committed.iter().cloned());
    decision.paths.sort();
    decision.paths.dedup();
    Some(decision)
}

fn is_trailer(line: &str) -> bool {
    let key = line.split_once(':').map(|(key, _)| key).unwrap_or_default();
    let is_key = key.contains('-') && key.ends_with("-by") | key.ends_with("-By") && !key.contains(' ');
    is_key || line.contains("Generated with")
}
