//! `git clean`, `checkout -- .`, `restore`, `reset --hard`, `stash drop`: work that is not committed.

use coroner_model::effect::EffectKind;
use coroner_read::shell::{Word, join};

use super::options::{Options, Order};
use super::path::{CleanFilter, Extent, Filter};
use super::{Place, Plan, Target};

/// Uncommitted work that would be lost.
#[derive(Clone, Debug, PartialEq)]
pub struct Discard {
    /// The directory that git works in.
    pub directory: Word,
    /// Paths that are named, absolute; empty: everything.
    pub paths: Vec<Word>,
    pub what: Lost,
    pub place: Place,
}

/// Which part of the work goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lost {
    /// Changes to tracked files.
    Tracked,
    /// Files that git does not track.
    Untracked,
    /// What was stashed.
    Stashed,
}

const GLOBAL: &[&str] = &["-C", "-c", "--git-dir", "--work-tree", "--namespace", "--exec-path", "--config-env"];

pub(super) fn plan(out: &mut Plan<'_>) {
    let call = out.call;
    let globals = Options::read(&call.argv[1..], GLOBAL, Order::First);
    let Some((verb, rest)) = globals.operands.split_first() else { return };
    let directory = globals.values(&["-C"]).fold(call.cwd.clone(), |at, next| join(&at, next));
    let named = |words: &[Word]| words.iter().map(|w| join(&directory, w)).collect::<Vec<_>>();
    let split = rest.iter().position(|w| w.as_literal() == Some("--"));
    let after: &[Word] = split.map_or(&[], |at| &rest[at + 1..]);
    let before = &rest[..split.unwrap_or(rest.len())];
    let place = out.place();
    let mut lose = |what, paths| {
        let discard = Discard { directory: directory.clone(), paths, what, place: place.clone() };
        out.push(EffectKind::DiscardWork, Target::Discard(discard));
    };
    let options = Options::read(before, &["-e", "--exclude", "-b", "-B", "--source", "-s", "-m"], Order::Mixed);
    match verb.as_literal().unwrap_or_default() {
        "clean" => clean(out, &options, after, &directory),
        "reset" if options.has(&["--hard"]) => lose(Lost::Tracked, Vec::new()),
        "checkout" => {
            let dots: Vec<Word> = options
                .operands
                .iter()
                .filter(|w| matches!(w.as_literal(), Some("." | "./" | ":/")))
                .cloned()
                .collect();
            if split.is_some() && !after.is_empty() {
                lose(Lost::Tracked, named(after));
            } else if !dots.is_empty() || options.has(&["-f", "--force"]) {
                lose(Lost::Tracked, named(&dots));
            }
        }
        "switch" if options.has(&["-f", "--force", "--discard-changes"]) => lose(Lost::Tracked, Vec::new()),
        "restore" if !options.has(&["--staged", "-S"]) || options.has(&["--worktree", "-W"]) => {
            let paths: Vec<Word> = options.operands.iter().chain(after).cloned().collect();
            lose(Lost::Tracked, named(&paths));
        }
        "stash" if matches!(options.operands.first().and_then(Word::as_literal), Some("drop" | "clear")) => {
            lose(Lost::Stashed, Vec::new());
        }
        _ => {}
    }
}

/// `git clean` deletes only with `-f`, and shows with `-n`.
fn clean(out: &mut Plan<'_>, options: &Options, after: &[Word], directory: &Word) {
    if !options.has(&["-f", "--force"]) || options.has(&["-n", "--dry-run"]) || options.has(&["-i", "--interactive"]) {
        return;
    }
    let roots: Vec<Word> = options.operands.iter().chain(after).map(|w| join(directory, w)).collect();
    let roots = if roots.is_empty() { vec![directory.clone()] } else { roots };
    let filter = CleanFilter {
        directories: options.has(&["-d"]),
        ignored: options.has(&["-x", "-X"]),
        excludes: options.values(&["-e", "--exclude"]).map(Word::show).collect(),
    };
    for root in &roots {
        out.paths(EffectKind::Delete, root, Extent::Contents, Some(Filter::Clean(filter.clone())));
    }
    if !options.has(&["-X"]) {
        let place = out.place();
        let discard = Discard { directory: directory.clone(), paths: roots, what: Lost::Untracked, place };
        out.push(EffectKind::DiscardWork, Target::Discard(discard));
    }
}
