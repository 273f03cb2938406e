//! `undo`: copies of what an allowed command destroys, kept before it runs, listed and restored.
//!
//! Kept is what has no other copy: changes that are not committed, files that git does not
//! know, files outside git. What a tool makes anew, what is committed, and what lies in
//! temporary folders (unless the work itself is there) is not.

mod choose;

use std::path::{Path, PathBuf};

use coroner_act::undo::{self, Bounds, RefWanted};
pub use coroner_act::undo::{Choice, Entry, Head, Kind, RestorePlan, Restored, State, UndoError};
use coroner_collect::git::copy::{Tip, WorkTree};
use coroner_judge::guard::{Action, Loss, Lost, action};
use coroner_model::permission::{Permission, PermissionAnswer, PermissionRequest};
use coroner_read::config::{self, Undo};
use jiff::Timestamp;
use serde::Serialize;

use crate::guard::Guard;
use crate::library;

/// Characters of a command that the list shows.
const COMMAND_CHARS_MAX: usize = 200;
/// Largest configuration that is read, in bytes.
const CONFIG_BYTES_MAX: u64 = 256 * 1024;
/// How much further than the built-in bounds a project may go.
const RAISED_TIMES_MAX: u64 = 4;

/// Whether a call may still run after the guard asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IfAsked {
    MayRun,
    IsRefused,
}

/// Judges a request and keeps a copy of what it would lose, where it may run.
pub fn judge_and_keep(
    guard: &mut Guard,
    request: PermissionRequest,
    transcript: Option<&str>,
    asked: IfAsked,
) -> PermissionAnswer {
    guard.tell_losses();
    let mut answer = guard.judge_with(request.clone(), transcript);
    let losses = guard.take_losses();
    let runs = match answer.permission {
        Permission::Allow => true,
        Permission::Ask => asked == IfAsked::MayRun,
        Permission::Deny => false,
    };
    if runs && !losses.is_empty() {
        answer.notes.extend(keep(guard, &request, &losses).1);
    }
    answer
}

/// Keeps what the losses name; the snapshot's id, and what a person should know of what was not kept.
pub fn keep(guard: &Guard, request: &PermissionRequest, losses: &[Loss]) -> (Option<String>, Option<String>) {
    let around = guard.surroundings();
    let cwd = if request.cwd.is_empty() { around.cwd.clone() } else { PathBuf::from(&request.cwd) };
    if !choose::is_there(losses) {
        return (None, None);
    }
    let Some(bounds) = bounds(&around.home, &cwd) else { return (None, None) };
    let area = around.home.join(undo::FOLDER);
    let place = choose::Place::of(&cwd);
    let mut refs = Vec::new();
    let mut chosen = Vec::new();
    for loss in losses {
        match &loss.what {
            Lost::Paths { removes, .. } => chosen.extend(choose::Chosen::of_paths(&place, loss, *removes)),
            Lost::Changes { directory, paths } => chosen.extend(choose::Chosen::of_changes(&place, directory, paths)),
            Lost::Overlay { source, destination, into } => {
                chosen.extend(choose::Chosen::of_overlay(&place, source, destination, *into));
            }
            Lost::Branches { directory, names } => refs.extend(tips(directory, |tree| tree.branches(names))),
            Lost::Stashes { directory, number } => refs.extend(tips(directory, |tree| tree.stashes(*number))),
            Lost::Tip { directory } => refs.extend(tips(directory, |tree| tree.head().into_iter().collect())),
        }
    }
    let takes: Vec<_> = chosen.iter().map(|one| move |path: &Path, is_dir: bool| one.take(path, is_dir)).collect();
    let wanted: Vec<undo::Wanted<'_>> = chosen
        .iter()
        .zip(&takes)
        .map(|(one, takes)| undo::Wanted { root: one.root.clone(), removes: one.removes, takes })
        .collect();
    let head = head(guard, request, &cwd, around.now);
    match undo::keep(&area, head, &wanted, &refs, &bounds) {
        Ok(Some(kept)) => {
            let note = not_kept(&kept);
            ((!kept.id.is_empty()).then_some(kept.id), note)
        }
        Ok(None) => (None, None),
        Err(error) => (None, Some(format!("Coroner could keep no copy of what this takes away: {error}."))),
    }
}

fn not_kept(head: &Head) -> Option<String> {
    let first = head.left_out.first()?;
    let count = head.left_out_count;
    let what = if count == 1 { "1 path".to_owned() } else { format!("{count} paths") };
    Some(format!("`coroner undo` cannot bring back {what} of this: no copy of {} was kept, {}.", first.path, first.why))
}

fn head(guard: &Guard, request: &PermissionRequest, cwd: &Path, at: Timestamp) -> Head {
    let command = match action(request) {
        Action::Command(command) => command,
        _ => {
            let path = ["file_path", "path", "filePath", "notebook_path"];
            let path = path.iter().find_map(|key| request.input.get(key)?.as_str());
            [request.tool.as_deref(), path].into_iter().flatten().collect::<Vec<_>>().join(" ")
        }
    };
    let clean = guard.clean(&command);
    let line: String = clean.trim().lines().next().unwrap_or_default().chars().take(COMMAND_CHARS_MAX).collect();
    Head {
        cwd: cwd.display().to_string(),
        session: request.session.clone(),
        agent: request.agent.clone(),
        agent_id: request.agent_id.clone(),
        agent_type: request.agent_type.clone(),
        ..blank(at, line)
    }
}

/// A head of which only the moment and the words are known.
pub(crate) fn blank(at: Timestamp, command: String) -> Head {
    Head {
        schema: String::new(),
        id: String::new(),
        at,
        session: None,
        agent: None,
        agent_id: None,
        agent_type: None,
        command,
        cwd: String::new(),
        roots: Vec::new(),
        files: 0,
        bytes: 0,
        bytes_copied: 0,
        refs: Vec::new(),
        left_out: Vec::new(),
        left_out_count: 0,
    }
}

fn tips(directory: &str, of: impl Fn(&WorkTree) -> Vec<Tip>) -> Vec<RefWanted> {
    let Some(tree) = WorkTree::holding(Path::new(directory)) else { return Vec::new() };
    of(&tree)
        .into_iter()
        .map(|tip| RefWanted {
            repository: tree.top().to_path_buf(),
            name: tip.name,
            commit: tip.commit,
            message: tip.message,
        })
        .collect()
}

/// The bounds in force; none where the person switched snapshots off.
///
/// A project's file may raise them within reason; only the person's own may lower them.
pub(crate) fn bounds(home: &Path, cwd: &Path) -> Option<Bounds> {
    let person = read(&home.join("coroner.toml"));
    let project = library::project_root(cwd).map(|root| read(&root.join(".coroner/coroner.toml"))).unwrap_or_default();
    if person.enabled == Some(false) {
        return None;
    }
    let built_in = Bounds::default();
    let choose = |own: Option<u64>, projects: Option<u64>, usual: u64| {
        own.unwrap_or_else(|| projects.unwrap_or(usual).clamp(usual, usual.saturating_mul(RAISED_TIMES_MAX)))
    };
    let days =
        choose(person.age_days_max.map(u64::from), project.age_days_max.map(u64::from), built_in.age_days_max.into());
    Some(Bounds {
        file_bytes_max: choose(person.file_bytes_max, project.file_bytes_max, built_in.file_bytes_max),
        snapshot_bytes_max: choose(person.snapshot_bytes_max, project.snapshot_bytes_max, built_in.snapshot_bytes_max),
        area_bytes_max: choose(person.area_bytes_max, project.area_bytes_max, built_in.area_bytes_max),
        age_days_max: u32::try_from(days).unwrap_or(u32::MAX),
        ..built_in
    })
}

fn read(path: &Path) -> Undo {
    coroner_collect::own_files::text(path, CONFIG_BYTES_MAX)
        .and_then(|text| config::read(&text).ok())
        .map(|config| config.undo)
        .unwrap_or_default()
}

/// What the list shows.
#[derive(Clone, Debug, Serialize)]
pub struct UndoList {
    pub schema: String,
    pub snapshots: Vec<Head>,
    pub problems: Vec<String>,
}

/// Every snapshot, newest first.
pub fn list(home: &Path) -> UndoList {
    let (snapshots, broken) = undo::list(&home.join(undo::FOLDER));
    let problems = broken.iter().map(ToString::to_string).collect();
    UndoList { schema: "coroner/undo-list/v1".to_owned(), snapshots, problems }
}

/// What restoring would do.
pub fn plan(home: &Path, id: &str, choice: &Choice) -> Result<RestorePlan, UndoError> {
    let area = home.join(undo::FOLDER);
    let head = undo::find(&area, id)?;
    undo::plan(&area, &head, choice)
}

/// Restores as planned; what it replaces is kept as another snapshot.
pub fn restore(home: &Path, plan: &RestorePlan, choice: &Choice, now: Timestamp) -> Result<Restored, UndoError> {
    let replaces = blank(now, format!("coroner undo {}", plan.head.id));
    let bounds = bounds(home, Path::new("/")).unwrap_or_default();
    undo::restore(&home.join(undo::FOLDER), plan, choice, replaces, &bounds)
}

/// Drops what is past its bounds, or one snapshot by its id.
pub fn prune(home: &Path, cwd: &Path, id: Option<&str>, now: Timestamp) -> Result<Vec<String>, UndoError> {
    let area = home.join(undo::FOLDER);
    match id {
        Some(id) => {
            let head = undo::find(&area, id)?;
            undo::drop_snapshot(&area, &head)?;
            Ok(vec![head.id])
        }
        None => undo::prune(&area, &bounds(home, cwd).unwrap_or_default(), now),
    }
}

/// What a snapshot holds.
pub fn entries(home: &Path, head: &Head) -> Result<Vec<Entry>, UndoError> {
    undo::entries(&home.join(undo::FOLDER), head)
}
