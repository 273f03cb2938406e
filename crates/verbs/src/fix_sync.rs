//! `fix sync`: one directory made like another, without what it must not lose.
//!
//! What would happen is computed twice, by the simulator and by the real rsync's dry run; where
//! they disagree, nothing is done.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use coroner_act::sync::{self, SyncError, SyncRules};
use coroner_act::undo::{self, Take, UndoError, Wanted};
use coroner_collect::{World, place};
use coroner_judge::guard;
use coroner_judge::scene::Goal;
use coroner_judge::simulate::rsync::{self, SourceTree, TreeEntry};
use coroner_model::{CouldNotLook, Probe, Why};
use jiff::Timestamp;

use crate::look;

/// Most paths of one side.
pub const PATHS_MAX: usize = 500_000;
/// Most paths that a disagreement names.
const NAMED_MAX: usize = 20;

/// What is to be made like what.
#[derive(Clone, Debug, Default)]
pub struct SyncRequest {
    pub source: PathBuf,
    pub destination: PathBuf,
    /// Whether what only the destination has goes.
    pub deletes: bool,
}

/// What would be done, both ways of finding out agreed.
#[derive(Clone, Debug)]
pub struct SyncPlan {
    pub rules: SyncRules,
    /// Each exclude with why it is there.
    pub spared: Vec<(String, String)>,
    pub told: sync::Told,
    pub could_not_look: Vec<CouldNotLook>,
}

/// What was done.
#[derive(Clone, Debug, Default)]
pub struct Synced {
    pub undo: Option<String>,
    /// What still differs afterwards.
    pub left: Vec<PathBuf>,
}

/// Why nothing is done.
#[derive(Debug, thiserror::Error)]
pub enum FixSyncError {
    #[error("{path} is no directory that can be read: {because}")]
    Directory { path: PathBuf, because: String },
    #[error("{inner} lies in {outer}")]
    Nested { inner: PathBuf, outer: PathBuf },
    #[error("the disk of {path} is {percent} % full")]
    DiskFull { path: PathBuf, percent: u64 },
    #[error("what the rules say and what rsync says differ on {count} paths: {}", .paths.join(", "))]
    Disagree { count: usize, paths: Vec<String> },
    #[error("{path} holds more than {PATHS_MAX} paths")]
    TooMuch { path: PathBuf },
    #[error("what would be replaced or deleted cannot be kept first: {why}")]
    NotKept { why: String },
    #[error("it is not as it was when the plan was shown")]
    Changed,
    #[error(transparent)]
    Sync(#[from] SyncError),
    #[error(transparent)]
    Undo(#[from] UndoError),
}

impl FixSyncError {
    /// What a person can do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            FixSyncError::Directory { .. } => "name two directories of this host that exist",
            FixSyncError::Nested { .. } => "name two directories beside each other",
            FixSyncError::DiskFull { .. } => "make room first: what is replaced has to be kept as well",
            FixSyncError::Disagree { .. } => "nothing was done; look at these paths by hand",
            FixSyncError::TooMuch { .. } => "sync a smaller directory",
            FixSyncError::NotKept { .. } => "raise the bounds of [undo] in your own coroner.toml, or sync in parts",
            FixSyncError::Changed => "run it again and read the new plan",
            FixSyncError::Sync(_) => "install rsync, and check that both directories can be read",
            FixSyncError::Undo(error) => error.hint(),
        }
    }
}

/// Names that a copy of a project must not lose, wherever it lies.
fn is_kept_by_name(name: &str) -> Option<&'static str> {
    match name {
        ".git" => Some("history of git"),
        ".env" => Some("environment of this place"),
        "acme.json" => Some("certificates of this place"),
        ".coroner" => Some("configuration of Coroner"),
        // An example is part of the source.
        name if name.starts_with(".env.")
            && !["example", "sample", "template", "dist"].iter().any(|e| name.ends_with(e)) =>
        {
            Some("environment of this place")
        }
        _ => None,
    }
}

/// Looks what would be done; changes nothing.
pub fn plan(world: &World, request: &SyncRequest) -> Result<SyncPlan, FixSyncError> {
    let source = directory(&request.source)?;
    let destination = directory(&request.destination)?;
    for (inner, outer) in [(&source, &destination), (&destination, &source)] {
        if inner.starts_with(outer) {
            return Err(FixSyncError::Nested { inner: inner.clone(), outer: outer.clone() });
        }
    }
    let percent = undo::disk_percent(&destination);
    if percent >= undo::DISK_PERCENT_MAX {
        return Err(FixSyncError::DiskFull { path: destination, percent });
    }
    let answers = look::look(world, &Goal::Guard, vec![Probe::Config, Probe::Backups]);
    let mut spared: Vec<(String, String)> = Vec::new();
    for one in guard::spared(&answers) {
        let path = place::resolved(Path::new(&one.path));
        if let Ok(below) = path.strip_prefix(&destination) {
            if below.as_os_str().is_empty() {
                return Err(FixSyncError::Directory { path: destination, because: format!("it is {}", one.why) });
            }
            spared.push((below.to_string_lossy().into_owned(), one.why));
        } else if destination.starts_with(&path) && one.why != "backups" {
            return Err(FixSyncError::Directory { path: destination, because: format!("it lies in {}", one.why) });
        }
    }
    let there = listing(&destination)?;
    let here = listing(&source)?;
    for entry in &there {
        let name = entry.path.rsplit('/').next().unwrap_or(&entry.path);
        if let Some(why) = is_kept_by_name(name).or_else(|| keeps_backups(entry, name)) {
            spared.push((entry.path.clone(), why.to_owned()));
        }
    }
    // A rule for what lies in a spared directory says nothing more.
    let tops: Vec<String> = spared.iter().map(|(path, _)| path.clone()).collect();
    spared.retain(|(path, _)| !tops.iter().any(|top| path != top && Path::new(path).starts_with(top)));
    spared.sort();
    spared.dedup_by(|b, a| a.0 == b.0);
    let spared: Vec<(String, String)> = spared.into_iter().map(|(path, why)| (sync::anchored(&path), why)).collect();
    let excludes = spared.iter().map(|(rule, _)| rule.clone()).collect();
    let rules = SyncRules { source, destination, excludes, deletes: request.deletes };
    let told = rules.ask()?;
    agree(&rules, &told, &here, &there)?;
    let mut could_not_look = answers.could_not_look();
    could_not_look.retain(|why| why.why != Why::Absent);
    Ok(SyncPlan { rules, spared, told, could_not_look })
}

/// A directory whose name says that it holds copies.
fn keeps_backups(entry: &TreeEntry, name: &str) -> Option<&'static str> {
    let named = matches!(name.trim_start_matches('.'), "backup" | "backups" | "dumps" | "snapshots");
    (entry.is_dir && named).then_some("backups")
}

fn directory(path: &Path) -> Result<PathBuf, FixSyncError> {
    let failed = |because: String| FixSyncError::Directory { path: path.to_path_buf(), because };
    let real = place::directory(path).map_err(|e| failed(e.to_string()))?;
    if real == Path::new("/") {
        return Err(failed("it is the whole host".to_owned()));
    }
    Ok(real)
}

fn listing(root: &Path) -> Result<Vec<TreeEntry>, FixSyncError> {
    let found = place::below(root, PATHS_MAX)
        .map_err(|(path, error)| FixSyncError::Directory { path, because: error.to_string() })?;
    let found = found.ok_or_else(|| FixSyncError::TooMuch { path: root.to_path_buf() })?;
    Ok(found
        .into_iter()
        .map(|(path, is_dir)| TreeEntry { path: path.to_string_lossy().into_owned(), is_dir })
        .collect())
}

/// Compares what the simulator and the real rsync say of deletions and additions.
fn agree(rules: &SyncRules, told: &sync::Told, here: &[TreeEntry], there: &[TreeEntry]) -> Result<(), FixSyncError> {
    let words: Vec<String> = rules.arguments(false).iter().map(|w| w.to_string_lossy().into_owned()).collect();
    let command = rsync::parse(&words);
    let none = |_: &str| None;
    let simulated: BTreeSet<String> = match rules.deletes {
        true => rsync::deletions(&command, &none, &[SourceTree::Directory(here.to_vec())], there).into_iter().collect(),
        false => BTreeSet::new(),
    };
    let real: BTreeSet<String> = told.deleted.iter().map(|p| p.to_string_lossy().into_owned()).collect();
    let mut differ: Vec<String> = simulated.symmetric_difference(&real).cloned().collect();
    // Nothing that is spared may be written to either.
    let spared: Vec<&str> = rules.excludes.iter().map(|rule| rule.trim_start_matches('/')).collect();
    let written = told.added.iter().chain(&told.changed).map(|p| p.to_string_lossy().into_owned());
    differ.extend(written.filter(|path| spared.iter().any(|top| Path::new(path).starts_with(top))));
    if differ.is_empty() {
        return Ok(());
    }
    let count = differ.len();
    differ.truncate(NAMED_MAX);
    Err(FixSyncError::Disagree { count, paths: differ })
}

/// Does what was planned: keeps first what goes, runs exactly the rules that were shown, and looks again.
pub fn apply(home: &Path, plan: &SyncPlan, now: Timestamp) -> Result<Synced, FixSyncError> {
    // The world may have moved on while the plan was read.
    if plan.rules.ask()? != plan.told {
        return Err(FixSyncError::Changed);
    }
    let destination = &plan.rules.destination;
    let everything = |_: &Path, _: bool| Take::Keep;
    let itself =
        |path: &Path, is_dir: bool| match is_dir && plan.told.changed.iter().any(|c| destination.join(c) == path) {
            true => Take::Leave,
            false => Take::Keep,
        };
    let deleted: Vec<&PathBuf> = plan.told.deleted.iter().collect();
    let tops = deleted.iter().filter(|p| !deleted.iter().any(|q| p != &q && p.starts_with(q)));
    let mut wanted: Vec<Wanted<'_>> =
        tops.map(|path| Wanted { root: destination.join(path), removes: true, takes: &everything }).collect();
    // rsync puts a new file in the place of the old one; a change of owner or mode alone would reach through a link.
    wanted.extend(plan.told.changed.iter().map(|path| Wanted {
        root: destination.join(path),
        removes: false,
        takes: &itself,
    }));
    let bounds = crate::undo::bounds(home, destination).unwrap_or_default();
    let bounds = undo::Bounds { entries_max: PATHS_MAX, ..bounds };
    let mut head =
        crate::undo::blank(now, format!("coroner fix sync {} {}", plan.rules.source.display(), destination.display()));
    head.cwd = destination.display().to_string();
    let kept = undo::keep(&home.join(undo::FOLDER), head, &wanted, &[], &bounds)?;
    if let Some(left) = kept.as_ref().and_then(|head| head.left_out.first()) {
        return Err(FixSyncError::NotKept { why: format!("{}: {}", left.path, left.why) });
    }
    plan.rules.apply()?;
    let after = plan.rules.ask()?;
    let left = after.added.into_iter().chain(after.changed).chain(after.deleted).collect();
    Ok(Synced { undo: kept.map(|head| head.id), left })
}
