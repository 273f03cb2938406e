//! Excludes that match nothing at the destination, and what they probably meant.

use super::chain::{Chain, Files, Perishable, Scope, Side};
use super::rule::{below, join};
use super::transfer::{Tree, command_path};
use super::{RsyncCommand, TreeEntry};

/// An exclude that protects nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdleExclude {
    /// The pattern as written.
    pub pattern: String,
    /// The unprotected path at the destination that it probably meant.
    pub nearest: Option<String>,
}

/// Finds the exclude patterns that match nothing below the destination.
///
/// Only rules that would protect there are looked at, and only paths that no
/// other rule protects are offered as what was meant.
pub fn idle_excludes(command: &RsyncCommand, files: Files, destination: &[TreeEntry]) -> Vec<IdleExclude> {
    let Some(place) = &command.destination else { return Vec::new() };
    let root = command_path(command, place);
    let root = root.trim_end_matches('/');
    let Ok(chain) = Chain::new(command, Side::Receiver, root, &place.host_prefix(), files) else { return Vec::new() };
    let scope = chain.scope_above("").unwrap_or_default();
    let mut open = Vec::new();
    unprotected(&chain, &scope, &Tree::new(destination), "", &mut open);
    let matches_none = |rule: &&super::rule::Rule| {
        !rule.flags.negate
            && !destination.iter().any(|entry| rule.matches(entry.path.trim_matches('/'), entry.is_dir, root))
    };
    let idle = chain.excluding_rules().filter(matches_none);
    idle.map(|rule| IdleExclude { pattern: rule.text.clone(), nearest: nearest(&rule.text, root, &open) }).collect()
}

/// Collects the paths that no rule protects, from the top down.
fn unprotected(chain: &Chain, scope: &Scope, tree: &Tree, dir: &str, open: &mut Vec<String>) {
    for (name, is_dir) in tree.entries(dir) {
        let path = join(dir, name);
        if chain.excludes(scope, &path, is_dir, Perishable::Honoured) {
            continue;
        }
        open.push(path.clone());
        if is_dir {
            unprotected(chain, scope, tree, &path, open);
        }
    }
}

/// The path that a pattern misses by a dot, a case, a letter, or a wrong anchor.
fn nearest(pattern: &str, root: &str, open: &[String]) -> Option<String> {
    let core = pattern.trim_end_matches('*').trim_end_matches('/');
    let absolute = below(root.trim_start_matches('/'), core.trim_start_matches('/')).filter(|_| core.starts_with('/'));
    let core = absolute.unwrap_or(core).trim_start_matches("**").trim_matches('/');
    if core.is_empty() || core.contains(['*', '?', '[']) {
        return None;
    }
    open.iter()
        .filter_map(|path| Some((distance(core, path)?, path.matches('/').count(), path)))
        .min()
        .map(|(_, _, path)| path.clone())
}

/// How far a path is from what a pattern says; `None` where it is something else.
fn distance(core: &str, path: &str) -> Option<usize> {
    if tail_of(core, path) || tail_of(path, core) {
        return Some(0);
    }
    let names = core.matches('/').count() + 1;
    let at = path.rmatch_indices('/').nth(names - 1).map_or(0, |(at, _)| at + 1);
    let tail = &path[at..];
    if tail.matches('/').count() + 1 != names {
        return None;
    }
    if !letters(core).is_empty() && letters(core) == letters(tail) {
        return Some(1);
    }
    let allowed = match core.chars().count() {
        0..=4 => 0,
        5..=8 => 1,
        _ => 2,
    };
    let edits = edits(&core.to_lowercase(), &tail.to_lowercase());
    (edits <= allowed).then_some(1 + edits)
}

/// Whether `whole` ends in the names of `tail`.
fn tail_of(tail: &str, whole: &str) -> bool {
    whole == tail || whole.strip_suffix(tail).is_some_and(|before| before.ends_with('/'))
}

/// What is left of a name without case and separators, slashes kept.
fn letters(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric() || *c == '/').flat_map(char::to_lowercase).collect()
}

/// The least number of letters to add, drop or change.
fn edits(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (at, from) in left.chars().enumerate() {
        let mut diagonal = at;
        row[0] = at + 1;
        for (column, to) in right.iter().enumerate() {
            let replaced = diagonal + usize::from(from != *to);
            diagonal = row[column + 1];
            row[column + 1] = replaced.min(diagonal + 1).min(row[column] + 1);
        }
    }
    row[right.len()]
}
