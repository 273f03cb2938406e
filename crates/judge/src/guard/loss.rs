//! What an allowed command would take from where it is, so that a copy can be kept first.
//!
//! Only what lies on this host and is known by its place: what is moved is still there, and
//! a path that could not be resolved cannot be kept.

use coroner_model::Answers;
use coroner_model::effect::EffectKind;
use coroner_read::shell::{Word, join};

use super::view::View;
use super::{Case, action, effects_of, scripts};
use crate::effect::options::{Options, Order};
use crate::effect::path::{Relation, below, relation};
use crate::effect::{Effects, Extent, Filter, Paths, Place, Planned, Target, git};

/// Something that would be lost.
#[derive(Clone, Debug, PartialEq)]
pub enum Lost {
    /// Paths; `removes` where the names go and the contents stay as they are.
    Paths { paths: Paths, removes: bool },
    /// Changes to tracked files of the repository, at or below the paths (none: all).
    Changes { directory: String, paths: Vec<String> },
    /// Files of a directory that lie where those of a copied one go; absolute.
    Overlay { source: String, destination: String, into: Landing },
    /// Local branches.
    Branches { directory: String, names: Vec<String> },
    /// The stash of that number, or all.
    Stashes { directory: String, number: Option<usize> },
    /// The commit that the repository is at.
    Tip { directory: String },
}

/// Where the contents of a copied directory go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Landing {
    /// Into the destination itself.
    Itself,
    /// Into a directory of the source's name, if the destination is there.
    Named,
}

/// One loss.
#[derive(Clone, Debug, PartialEq)]
pub struct Loss {
    pub what: Lost,
}

impl Loss {
    /// Where a walk for it begins; none where it is no path, or not known.
    pub fn root(&self) -> Option<String> {
        let Lost::Paths { paths, .. } = &self.what else { return None };
        if let Some(path) = paths.path.as_literal() {
            let path = if path.len() > 1 { path.trim_end_matches('/') } else { path };
            return path.starts_with('/').then(|| path.to_owned());
        }
        if paths.is_unresolved() {
            return None;
        }
        let (directory, _) = paths.path.prefix().rsplit_once('/')?;
        Some(if directory.is_empty() { "/".to_owned() } else { directory.to_owned() }).filter(|d| d.starts_with('/'))
    }

    /// Whether a path would be lost.
    pub fn takes(&self, path: &str) -> bool {
        let Lost::Paths { paths, .. } = &self.what else { return false };
        match &paths.filter {
            // Which of them git does not track is not known here.
            Some(Filter::Clean(_)) => self.root().is_some_and(|root| below(path, &root).is_some()),
            Some(_) => paths.hits(path, &[path]).is_some(),
            None => matches!(
                (relation(&paths.path, path), paths.extent),
                (Relation::Same, Extent::Itself | Extent::Tree) | (Relation::Above, Extent::Tree | Extent::Contents)
            ),
        }
    }

    /// Whether something in a directory may be lost.
    pub fn enters(&self, directory: &str) -> bool {
        let Lost::Paths { paths, .. } = &self.what else { return false };
        if paths.filter.is_some() {
            return true;
        }
        match relation(&paths.path, directory) {
            Relation::Below => true,
            Relation::Same | Relation::Above => paths.extent != Extent::Itself,
            Relation::Apart => false,
        }
    }

    /// Whether only what git does not track is meant; `true` inside where ignored paths are meant as well.
    pub fn untracked_only(&self) -> Option<bool> {
        match &self.what {
            Lost::Paths { paths, .. } => match &paths.filter {
                Some(Filter::Clean(clean)) => Some(clean.ignored),
                _ => None,
            },
            _ => None,
        }
    }
}

/// Programs whose words alone say more than their effects do.
const BY_WORDS: [&str; 4] = ["git", "mv", "cp", "rsync"];

/// Everything that the request would lose, as far as it is known.
pub fn losses(case: &Case<'_>, answers: &Answers) -> Vec<Loss> {
    let Some(command) = action(case.request).as_shell() else { return Vec::new() };
    let files = scripts(case, answers);
    let effects = effects_of(case, &command, &files);
    if effects.planned.is_empty() && !effects.script.invocations.iter().any(|c| BY_WORDS.contains(&c.program())) {
        return Vec::new();
    }
    let view = View::new(case, answers, &effects);
    let mut out: Vec<Loss> = Vec::new();
    for planned in &effects.planned {
        out.extend(of_planned(&view, planned));
    }
    out.extend(of_invocations(&effects));
    let mut kept: Vec<Loss> = Vec::new();
    for one in out {
        if !kept.contains(&one) {
            kept.push(one);
        }
    }
    kept
}

fn of_planned(view: &View<'_>, planned: &Planned) -> Vec<Loss> {
    match &planned.target {
        Target::Paths(paths) => of_paths(view, planned, paths),
        Target::Discard(discard) if discard.place == Place::Host && discard.what == git::Lost::Tracked => {
            let Some(directory) = discard.directory.as_literal() else { return Vec::new() };
            let paths = discard.paths.iter().map(|p| p.as_literal().unwrap_or_else(|| p.prefix()).to_owned()).collect();
            vec![Loss { what: Lost::Changes { directory: directory.to_owned(), paths } }]
        }
        _ => Vec::new(),
    }
}

fn of_paths(view: &View<'_>, planned: &Planned, paths: &Paths) -> Vec<Loss> {
    let removes = match planned.kind {
        // What overwrites before it deletes leaves nothing under another name.
        EffectKind::Delete => !matches!(planned.program.as_str(), "shred" | "wipe" | "srm"),
        EffectKind::Overwrite | EffectKind::Truncate => false,
        _ => return Vec::new(),
    };
    let Some(here) = view.on_this_host(paths) else { return Vec::new() };
    if let (Some(Filter::Rsync(command)), Some(root)) = (&here.filter, here.path.as_literal()) {
        let plain = |path: String| Paths {
            path: Word::literal(path),
            place: Place::Host,
            extent: Extent::Tree,
            filter: None,
            narrowed: false,
        };
        let gone = view.simulated(command, root);
        // What lies in a directory that goes is said with it.
        let tops: Vec<&String> =
            gone.iter().filter(|p| !gone.iter().any(|q| below(p, q).is_some_and(|rest| !rest.is_empty()))).collect();
        return tops
            .into_iter()
            .map(|path| Loss { what: Lost::Paths { paths: plain(path.clone()), removes: true } })
            .collect();
    }
    vec![Loss { what: Lost::Paths { paths: here, removes } }]
}

/// What only the words of a command say: names of git, and what a directory takes in.
fn of_invocations(effects: &Effects) -> Vec<Loss> {
    let mut out = Vec::new();
    for call in effects.script.invocations.iter().filter(|c| c.is_local()) {
        match call.program() {
            "git" => out.extend(of_git(call)),
            "mv" => out.extend(into_directory(call)),
            "cp" => out.extend(copied(call)),
            "rsync" => out.extend(transferred(call)),
            _ => {}
        }
    }
    out
}

fn of_git(call: &coroner_read::shell::Invocation) -> Vec<Loss> {
    let Some((directory, verb, rest)) = git::verb_of(call) else { return Vec::new() };
    let Some(at) = directory.as_literal().filter(|d| d.starts_with('/')).map(str::to_owned) else { return Vec::new() };
    let options = Options::read(&rest, &[], Order::Mixed);
    let words: Vec<&str> = options.operands.iter().filter_map(Word::as_literal).collect();
    let loss = |what| vec![Loss { what }];
    match (verb.as_str(), words.as_slice()) {
        ("branch", names) => {
            let deletes = options.has(&["-D"]) || options.has(&["-d", "--delete"]) && options.has(&["-f", "--force"]);
            let moves = options.has(&["-M"]) || options.has(&["-f", "--force"]) && !options.has(&["-d", "--delete"]);
            // `-f` puts the first name elsewhere, `-M` lays over the last one.
            match (deletes || moves) && !options.has(&["-r", "--remotes"]) {
                true => loss(Lost::Branches { directory: at, names: names.iter().map(|n| (*n).to_owned()).collect() }),
                false => Vec::new(),
            }
        }
        ("update-ref", [name, ..]) if options.has(&["-d"]) => match name.strip_prefix("refs/heads/") {
            Some(branch) => loss(Lost::Branches { directory: at, names: vec![branch.to_owned()] }),
            None => Vec::new(),
        },
        ("stash", ["clear", ..]) => loss(Lost::Stashes { directory: at, number: None }),
        ("stash", ["drop" | "pop", entry @ ..]) => {
            let number =
                entry.first().map_or(Some(0), |e| e.trim_start_matches("stash@{").trim_end_matches('}').parse().ok());
            number.map_or_else(Vec::new, |n| loss(Lost::Stashes { directory: at, number: Some(n) }))
        }
        ("reset", [to, ..]) if options.has(&["--hard"]) && !matches!(*to, "HEAD" | "@") => {
            loss(Lost::Tip { directory: at })
        }
        ("worktree", ["remove", path, ..]) if options.has(&["-f", "--force"]) => {
            let paths = Paths {
                path: join(&directory, &Word::literal(*path)),
                place: Place::Host,
                extent: Extent::Tree,
                filter: None,
                narrowed: false,
            };
            loss(Lost::Paths { paths, removes: true })
        }
        _ => Vec::new(),
    }
}

/// `mv a b/` lays `a` over `b/a`.
fn into_directory(call: &coroner_read::shell::Invocation) -> Vec<Loss> {
    let options = Options::read(&call.argv[1..], &["-t", "--target-directory", "-S", "--suffix"], Order::Mixed);
    if options.has(&["-n", "--no-clobber", "-b", "--backup"]) {
        return Vec::new();
    }
    let (directory, sources) = match (options.value(&["-t", "--target-directory"]), options.operands.split_last()) {
        (Some(directory), _) => (directory.clone(), options.operands.as_slice()),
        (None, Some((last, before))) => (last.clone(), before),
        _ => return Vec::new(),
    };
    sources
        .iter()
        .filter_map(|source| {
            let name = source.as_literal()?.trim_end_matches('/').rsplit('/').next().filter(|n| !n.is_empty())?;
            let path = join(&call.cwd, &join(&directory, &Word::literal(name)));
            let paths = Paths { path, place: Place::Host, extent: Extent::Itself, filter: None, narrowed: false };
            Some(Loss { what: Lost::Paths { paths, removes: false } })
        })
        .collect()
}

/// `cp -r a b` lays what is in `a` over what is in `b/a`, or in `b`.
fn copied(call: &coroner_read::shell::Invocation) -> Vec<Loss> {
    let valued = ["-t", "--target-directory", "-S", "--suffix"];
    let options = Options::read(&call.argv[1..], &valued, Order::Mixed);
    let recursive = options.has(&["-r", "-R", "--recursive", "-a", "--archive"]);
    if !recursive || options.has(&["-n", "--no-clobber", "-b", "--backup"]) {
        return Vec::new();
    }
    let (destination, sources) = match (options.value(&["-t", "--target-directory"]), options.operands.split_last()) {
        (Some(directory), _) => (directory, options.operands.as_slice()),
        (None, Some((last, before))) => (last, before),
        _ => return Vec::new(),
    };
    let plain = options.has(&["-T", "--no-target-directory"]);
    let overlay = |source: &Word| {
        let text = source.as_literal()?;
        let into = if plain || text.ends_with("/.") || text == "." { Landing::Itself } else { Landing::Named };
        overlay(join(&call.cwd, source).as_literal()?, join(&call.cwd, destination).as_literal()?, into)
    };
    sources.iter().filter_map(overlay).collect()
}

/// What a transfer writes over; its filters may spare some of it.
fn transferred(call: &coroner_read::shell::Invocation) -> Vec<Loss> {
    use crate::simulate::rsync::{self, Place};
    let words: Vec<String> = call.argv[1..].iter().map(|w| w.as_pattern().unwrap_or_else(|| w.show())).collect();
    let command = rsync::parse(&words);
    let keeps = command.dry_run || command.ignores_existing || command.backup.is_some() || command.refused.is_some();
    let Some(Place::Local(destination)) = command.destination.as_ref().filter(|_| !keeps && !command.relative) else {
        return Vec::new();
    };
    let at = |path: &str| join(&call.cwd, &Word::literal(path)).as_literal().map(str::to_owned);
    let overlay = |source: &Place| {
        let Place::Local(source) = source else { return None };
        let into = if source.ends_with('/') || source.ends_with("/.") { Landing::Itself } else { Landing::Named };
        overlay(&at(source)?, &at(destination)?, into)
    };
    command.sources.iter().filter_map(overlay).collect()
}

fn overlay(source: &str, destination: &str, into: Landing) -> Option<Loss> {
    let absolute = source.starts_with('/') && destination.starts_with('/');
    let (source, destination) = (source.to_owned(), destination.to_owned());
    absolute.then_some(Loss { what: Lost::Overlay { source, destination, into } })
}

/// Whether a tool makes something of that name anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MadeAnew {
    Yes,
    /// Where a build tool says so: the name alone may be anybody's.
    Perhaps,
    No,
}

/// Whether a file or directory of that name is made anew by the tool that made it.
pub fn made_anew(name: &str) -> MadeAnew {
    match name {
        "node_modules" | "__pycache__" | ".pytest_cache" | ".mypy_cache" | ".ruff_cache" | ".tox" | ".nox"
        | ".next" | ".nuxt" | ".turbo" | ".parcel-cache" | ".gradle" | ".terraform" | ".svelte-kit" | ".eggs"
        | "htmlcov" | ".npm" | ".hypothesis" | "bower_components" => MadeAnew::Yes,
        "target" | "build" | "dist" | "out" | "coverage" | "venv" | ".venv" | ".cache" | "_build" => MadeAnew::Perhaps,
        name if name.ends_with(".pyc") || name.ends_with(".egg-info") => MadeAnew::Yes,
        _ => MadeAnew::No,
    }
}
