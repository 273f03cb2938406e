//! `rsync`: what its destination would lose, by the simulator of its filter rules.

use std::collections::BTreeMap;

use coroner_model::effect::EffectKind;
use coroner_read::shell::{self, Word};

use super::path::{self, Extent, Filter, Hit, Paths, Place};
use super::{Plan, Target};
use crate::simulate::rsync::{self, RsyncCommand, SourceTree, TreeEntry};

/// What is known of the two sides of a transfer, and of the filter files.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sides {
    /// Absolute path to text.
    pub files: BTreeMap<String, String>,
    /// Listings of the sources, in their order; empty where one is not known.
    pub sources: Vec<SourceTree>,
    /// Everything below the destination; `None` where it is not known.
    pub destination: Option<Vec<TreeEntry>>,
}

pub(super) fn plan(out: &mut Plan<'_>) {
    let call = out.call;
    // A word that is not known could be anything; its known neighbours still count.
    let words: Vec<String> = call.argv[1..].iter().map(|w| w.as_pattern().unwrap_or_else(|| w.show())).collect();
    let mut command = rsync::parse(&words);
    command.cwd = call.cwd.as_literal().unwrap_or_default().to_owned();
    if command.dry_run || command.refused.is_some() {
        return;
    }
    if command.removes_source_files {
        for source in command.sources.clone() {
            if let rsync::Place::Local(text) = source {
                out.paths(EffectKind::Move, &Word::literal(text), Extent::Contents, None);
            }
        }
    }
    if !command.deletes || command.delete_max == Some(0) {
        return;
    }
    let kind = if command.backup.is_some() { EffectKind::Move } else { EffectKind::Delete };
    let Some(destination) = &command.destination else { return };
    let (word, place) = match destination {
        rsync::Place::Local(text) => (original(&call.argv, text), out.place()),
        rsync::Place::Remote { host, path, .. } => (Word::literal(path.clone()), Place::Remote { host: host.clone() }),
    };
    let path = shell::join(&call.cwd, &word);
    let filter = Some(Filter::Rsync(Box::new(command)));
    out.push(kind, Target::Paths(Paths { path, place, extent: Extent::Contents, filter, narrowed: false }));
}

/// The word that an argument was made from, with what is unknown in it.
fn original(argv: &[Word], text: &str) -> Word {
    let same = |w: &&Word| w.as_pattern().unwrap_or_else(|| w.show()) == text;
    argv.iter().rev().find(same).cloned().unwrap_or_else(|| Word::literal(text))
}

/// How a transfer would hit a path, from its rules alone.
pub(super) fn hits(command: &RsyncCommand, root: &str, path: &str) -> Option<Hit> {
    let none = |_: &str| None;
    let Some(rest) = path::below(path, root) else {
        // The destination lies inside the path: whatever the transfer deletes is a part of it.
        return path::below(root, path)
            .is_some_and(|_| rsync::deletable(command, &none, ANY_NAME, false))
            .then_some(Hit::Part);
    };
    let rest = rest.trim_matches('/');
    if rest.is_empty() {
        return rsync::deletable(command, &none, ANY_NAME, false).then_some(Hit::Part);
    }
    let mut above = String::new();
    for name in rest.split('/') {
        above = if above.is_empty() { name.to_owned() } else { format!("{above}/{name}") };
        if !rsync::deletable(command, &none, &above, true) {
            return None;
        }
    }
    Some(Hit::Whole)
}

/// Stands for an entry of which nothing is known.
const ANY_NAME: &str = "some-file-of-unknown-name";

/// What would go from the destination, as absolute paths; `None` where too little is known.
pub fn deletions(command: &RsyncCommand, root: &str, sides: &Sides) -> Option<Vec<String>> {
    let destination = sides.destination.as_ref()?;
    let files = |path: &str| sides.files.get(path).cloned();
    let gone = if sides.sources.len() == command.sources.len() {
        rsync::deletions(command, &files, &sides.sources, destination)
    } else {
        destination
            .iter()
            .filter(|e| rsync::deletable(command, &files, &e.path, e.is_dir))
            .map(|e| e.path.clone())
            .collect()
    };
    Some(gone.into_iter().map(|rest| format!("{}/{}", root.trim_end_matches('/'), rest)).collect())
}
