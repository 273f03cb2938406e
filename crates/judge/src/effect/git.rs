//! `git clean`, `checkout -- .`, `restore`, `reset --hard`: work that is not committed.
//!
//! History, pushes and hooks have files of their own beside this one.

use coroner_model::effect::EffectKind;
use coroner_read::shell::{Invocation, Word, join};

use super::named::{Deciding, Named};
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
    /// Whether the command is about files for sure; `git checkout NAME` may mean a branch.
    pub certain: bool,
    /// What `git clean` is told, where it is one.
    pub clean: Option<CleanFilter>,
}

/// Which part of the work goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lost {
    /// Changes to tracked files.
    Tracked,
    /// Files that git does not track.
    Untracked,
    /// Files that git is told to ignore.
    Ignored,
}

pub(super) const GLOBAL: &[&str] =
    &["-C", "-c", "--git-dir", "--work-tree", "--namespace", "--exec-path", "--config-env"];

/// The directory that a git command works in, its verb, and the words after it.
pub(crate) fn verb_of(call: &Invocation) -> Option<(Word, String, Vec<Word>)> {
    let mut globals = Options::read(call.argv.get(1..)?, GLOBAL, Order::First);
    if let Some(text) = alias(&globals).filter(|text| !text.starts_with('!')) {
        globals.operands.splice(0..1, text.split_whitespace().map(Word::literal));
    }
    let (verb, rest) = globals.operands.split_first()?;
    let directory = globals.values(&["-C"]).fold(call.cwd.clone(), |at, next| join(&at, next));
    Some((directory, verb.as_literal()?.to_owned(), rest.to_vec()))
}

pub(super) fn plan(out: &mut Plan<'_>) {
    let call = out.call;
    let mut globals = Options::read(&call.argv[1..], GLOBAL, Order::First);
    if unfold_alias(out, &mut globals) {
        return;
    }
    let Some((verb, rest)) = globals.operands.split_first() else { return };
    let directory = globals.values(&["-C"]).fold(call.cwd.clone(), |at, next| join(&at, next));
    let name = verb.as_literal().unwrap_or_default();
    if rest.iter().take_while(|w| w.as_literal() != Some("--")).any(|w| w.as_literal() == Some("--help")) {
        return;
    }
    super::git_hooks::plan(out, &globals, name, rest, &directory);
    super::git_signing::plan(out, &globals, name, rest, &directory);
    super::git_history::plan(out, name, rest, &directory);
    if name == "clone" {
        super::growth::fetched(out, &Word::literal("a repository"), None);
    }
    if matches!(name, "push" | "send-pack") {
        super::git_push::plan(out, &super::git_push::configured(&globals, rest), &directory);
    }
    let named = |words: &[Word]| words.iter().map(|w| join(&directory, &within(w))).collect::<Vec<_>>();
    let split = rest.iter().position(|w| w.as_literal() == Some("--"));
    let after: &[Word] = split.map_or(&[], |at| &rest[at + 1..]);
    let before = &rest[..split.unwrap_or(rest.len())];
    let place = out.place();
    let mut lose = |what, paths, certain| {
        let discard = Discard { directory: directory.clone(), paths, what, place: place.clone(), certain, clean: None };
        out.push(EffectKind::DiscardWork, Target::Discard(discard));
    };
    let options = Options::read(before, &["-e", "--exclude", "-b", "-B", "--source", "-s", "-m"], Order::Mixed);
    match name {
        "clean" => clean(out, &options, after, &directory),
        "reset" if options.has(&["--hard"]) => lose(Lost::Tracked, Vec::new(), true),
        "checkout" => {
            let dots: Vec<Word> = options
                .operands
                .iter()
                .filter(|w| matches!(w.as_literal(), Some("." | "./" | ":/")))
                .cloned()
                .collect();
            if split.is_some() && !after.is_empty() {
                lose(Lost::Tracked, named(after), true);
            } else if !dots.is_empty() || options.has(&["-f", "--force"]) {
                lose(Lost::Tracked, named(&dots), true);
            } else if !options.operands.is_empty() && !makes_branch(&options) {
                lose(Lost::Tracked, named(&options.operands), false);
            }
        }
        "switch" if options.has(&["-f", "--force", "--discard-changes"]) => lose(Lost::Tracked, Vec::new(), true),
        "restore" if !options.has(&["--staged", "-S"]) || options.has(&["--worktree", "-W"]) => {
            let paths: Vec<Word> = options.operands.iter().chain(after).cloned().collect();
            lose(Lost::Tracked, named(&paths), true);
        }
        "rm" if !options.has(&["--cached"]) && !options.has(&["-n", "--dry-run"]) => {
            let paths: Vec<Word> = options.operands.iter().chain(after).cloned().collect();
            if options.has(&["-f", "--force"]) {
                lose(Lost::Tracked, named(&paths), true);
            }
            let extent = if options.has(&["-r"]) { Extent::Tree } else { Extent::Itself };
            for path in &paths {
                out.paths(EffectKind::Delete, &join(&directory, path), extent, None);
            }
        }
        "add" | "stage" if options.has(&["-f", "--force"]) && !options.has(&["-n", "--dry-run"]) => {
            let everything = options.has(&["-A", "--all"]) && options.operands.is_empty() && after.is_empty();
            let pathspecs = options.operands.iter().chain(after).map(|w| join(&directory, w));
            for path in pathspecs.chain(everything.then(|| directory.clone())).map(|w| w.show()) {
                let named =
                    Named::of(path.clone(), format!("put {path} under version control against the ignore rules"));
                let deciding = Deciding::HoldsSecrets { path, directory: directory.clone() };
                out.named(EffectKind::WriteSecret, named.decided_by(deciding));
            }
        }
        "submodule" if options.has(&["-f", "--force"]) => {
            let named_ones = options.operands.split_first().filter(|(verb, _)| verb.as_literal() == Some("deinit"));
            if let Some((_, paths)) = named_ones.filter(|(_, paths)| !paths.is_empty()) {
                lose(Lost::Tracked, named(paths), true);
            }
        }
        "read-tree" if options.has(&["--reset"]) && options.has(&["-u"]) => lose(Lost::Tracked, Vec::new(), true),
        "checkout-index" if options.has(&["-f", "--force"]) => lose(Lost::Tracked, Vec::new(), true),
        _ => {}
    }
}

/// The directory that a pathspec with a pattern or `:/` lies in: git matches across directories.
fn within(pathspec: &Word) -> Word {
    let Some(text) = pathspec.as_literal() else { return pathspec.clone() };
    let text = text.strip_prefix(":/").or_else(|| text.strip_prefix(":(top)")).unwrap_or(text);
    match text.find(['*', '?', '[']) {
        Some(at) => Word::literal(text[..at].rsplit_once('/').map_or(".", |(directory, _)| directory)),
        None if text.is_empty() => Word::literal("."),
        None => Word::literal(text),
    }
}

fn makes_branch(options: &Options) -> bool {
    ["-b", "-B", "--orphan", "--detach", "-t", "--track"].iter().any(|o| options.has(&[o]))
}

/// What the verb stands for by an alias that is given along.
fn alias(globals: &Options) -> Option<String> {
    let key = format!("alias.{}=", globals.operands.first()?.as_literal()?);
    globals.values(&["-c"]).find_map(|w| w.as_literal()?.strip_prefix(&key).map(str::to_owned))
}

/// `git -c alias.x='commit --no-verify' x` runs what the alias says, and so does an alias that
/// stands in the settings.
///
/// True where it is shell text, whose effects were added.
fn unfold_alias(out: &mut Plan<'_>, globals: &mut Options) -> bool {
    let standing = |out: &mut Plan<'_>| {
        let directory = globals.values(&["-C"]).fold(out.call.cwd.clone(), |at, next| join(&at, next));
        super::git_alias::standing(out, globals.operands.first()?, &directory)
    };
    let Some(text) = alias(globals).or_else(|| standing(out)) else { return false };
    if let Some(shell) = text.strip_prefix('!') {
        let inner = super::of_command(shell, &out.call.cwd.show(), &std::collections::BTreeMap::new());
        out.planned
            .extend(inner.planned.into_iter().map(|planned| super::Planned { invocation: out.index, ..planned }));
        return true;
    }
    let quotes = ['"', '\''];
    let words: Vec<Word> = text.split_whitespace().map(|w| Word::literal(w.trim_matches(quotes))).collect();
    // An alias may begin with options of its own.
    let mut own = Options::read(&words, GLOBAL, Order::First);
    own.operands.extend(globals.operands.drain(1..));
    globals.flags.append(&mut own.flags);
    globals.operands = own.operands;
    false
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
    let taken = [(Lost::Untracked, !options.has(&["-X"])), (Lost::Ignored, filter.ignored)];
    for (what, _) in taken.into_iter().filter(|(_, taken)| *taken) {
        let discard = Discard {
            directory: directory.clone(),
            paths: roots.clone(),
            what,
            place: out.place(),
            // What is ignored is mostly made anew.
            certain: what == Lost::Untracked,
            clean: Some(filter.clone()),
        };
        out.push(EffectKind::DiscardWork, Target::Discard(discard));
    }
}
