//! What is not an agent's: git's hooks, the store, the disk, the engine, the journal.

use std::path::Path;

use coroner_act::Side;
use coroner_act::undo::disk_percent;
use coroner_collect::place::{self, Text};
use coroner_collect::secrets::{self, GitPlace};
use coroner_collect::{Limits, World};
use coroner_model::Probe;
use coroner_model::probe::DockerTable;
use coroner_store::{Store, journal, mishap};

use super::{Check, Health, check, note, ok, problem};
use crate::action::open_words;
use crate::workspace::{WorkspaceRequest, store_path};

/// Largest hook of git that is read, in bytes.
const HOOK_BYTES_MAX: u64 = 1024 * 1024;
/// Percent of a disk from which nothing is kept any more, and from which that is near.
const DISK_PERCENTS: (u64, u64) = (90, 80);

pub(super) fn checks(around: &WorkspaceRequest, project: &Path) -> Vec<Check> {
    let mut out = git(around, project);
    out.push(store(around));
    out.extend(actions(around));
    out.push(disk(&around.home));
    out.push(engine(around));
    out.push(denials(around));
    out.extend(failures(around));
    out
}

fn git(around: &WorkspaceRequest, project: &Path) -> Vec<Check> {
    const HELP: &str = "coroner init --hooks git";
    let Ok(folder) = secrets::hooks_folder(GitPlace { cwd: project, env: &around.env }) else {
        return vec![note("git", "this is no repository, or it cannot be read", None)];
    };
    let usual = project.join(".git/hooks");
    let holds =
        |at: &Path, words: &str| matches!(place::text(at, HOOK_BYTES_MAX), Text::Held(text) if text.contains(words));
    // pre-commit calls the one behind its own; lefthook what its local file says.
    let local = project.join("lefthook-local.yml");
    let calls = |folder: &Path, name: &str| {
        let behind = folder.join(format!("{name}.legacy"));
        holds(&folder.join(name), "hook --git")
            || holds(&folder.join(name), "pre-commit") && holds(&behind, "hook --git") && place::is_program(&behind)
            || holds(&folder.join(name), "lefthook") && holds(&local, &format!("hook --git {name} "))
    };
    let names = Side::Clone.hooks();
    let folder =
        if folder.ends_with(".husky/_") { folder.parent().map(Path::to_path_buf).unwrap_or(folder) } else { folder };
    let missing: Vec<&str> = names.iter().copied().filter(|name| !calls(&folder, name)).collect();
    let mut out = Vec::new();
    if missing.len() == names.len() {
        let elsewhere = place::resolved(&folder) != place::resolved(&usual) && names.iter().any(|n| calls(&usual, n));
        if elsewhere {
            let text =
                format!("git takes its hooks from {}, those in {} do not run", folder.display(), usual.display());
            out.push(problem("git", text, HELP));
        } else {
            out.push(note("git", "no hook of this repository looks for secrets", Some(HELP)));
        }
        return out;
    }
    if !missing.is_empty() {
        out.push(problem("git", format!("these hooks do not call Coroner: {}", missing.join(", ")), HELP));
    }
    // husky calls its hooks by `sh`, executable or not.
    let idle: Vec<&str> = names
        .iter()
        .copied()
        .filter(|name| calls(&folder, name) && !folder.ends_with(".husky") && !place::is_program(&folder.join(name)))
        .collect();
    if !idle.is_empty() {
        let text = format!("git passes these hooks over, they are not executable: {}", idle.join(", "));
        out.push(problem("git", text, HELP));
    }
    if out.is_empty() {
        out.push(ok("git", format!("the hooks in {} look for secrets", folder.display())));
    }
    out
}

fn store(around: &WorkspaceRequest) -> Check {
    let path = match store_path(around) {
        Ok(path) => path,
        Err(error) => return problem("store", error.to_string(), error.hint()),
    };
    if !place::is_there(&path) {
        return note("store", format!("nothing was kept yet in {}", path.display()), None);
    }
    let opened = Store::open_read_only(&path).and_then(|store| store.evidence_count());
    match opened {
        Ok(count) => ok("store", format!("{count} pieces of evidence in {}", path.display())),
        Err(error) => {
            let hint = error.hint().unwrap_or("coroner evidence verify").to_owned();
            problem("store", format!("{} cannot be read: {error}", path.display()), &hint)
        }
    }
}

/// What is open after secrets were pushed.
fn actions(around: &WorkspaceRequest) -> Option<Check> {
    let store = Store::open_read_only(&store_path(around).ok()?).ok()?;
    let text = open_words(&store.actions().ok()?)?;
    Some(note("secrets", text, Some("coroner incident action list")))
}

fn disk(home: &Path) -> Check {
    let there = home.ancestors().find(|path| place::is_directory(path)).unwrap_or(Path::new("/"));
    let percent = disk_percent(there);
    let text = format!("{percent} % used where {} lies", home.display());
    match percent {
        0 => check("disk", Health::CouldNotLook, "how full the disk is cannot be told", None),
        p if p >= DISK_PERCENTS.0 => problem("disk", format!("{text}: nothing is kept any more"), "free space on it"),
        p if p >= DISK_PERCENTS.1 => note("disk", text, Some("free space on it")),
        _ => ok("disk", text),
    }
}

fn engine(around: &WorkspaceRequest) -> Check {
    let world = World::Live(coroner_collect::Live::new(
        coroner_collect::LiveSettings {
            env: around.env.clone(),
            home: around.env.get("HOME").map_or_else(|| around.home.clone(), Into::into),
            cwd: around.cwd.clone(),
            now: around.now,
            redaction_key: coroner_store::fresh_key().unwrap_or_default(),
        },
        Limits::before_a_command(),
    ));
    match world.answer(&Probe::Docker(DockerTable::Inspect)) {
        Ok(_) => ok("engine", "the container engine answers"),
        Err(why) => check("engine", Health::CouldNotLook, why.detail, None),
    }
}

fn denials(around: &WorkspaceRequest) -> Check {
    match journal::all_entries(&around.home, around.now) {
        Ok(entries) if entries.iter().any(|e| matches!(e, coroner_model::journal::JournalEntry::Ran { .. })) => {
            let ran = entries.iter().filter(|e| matches!(e, coroner_model::journal::JournalEntry::Ran { .. })).count();
            let text = format!(
                "{} that had been denied ran all the same: a host does not heed its hook",
                if ran == 1 { "a call".to_owned() } else { format!("{ran} calls") }
            );
            problem("journal", text, "update the agent, and look what its hook settings say")
        }
        Ok(entries) => {
            let denied = |e: &&coroner_model::journal::JournalEntry| {
                matches!(e, coroner_model::journal::JournalEntry::Denied(_))
            };
            ok("journal", format!("{} denials of the last days are on record", entries.iter().filter(denied).count()))
        }
        Err(error) => {
            problem("journal", format!("the journal cannot be read: {error}"), "check that CORONER_HOME is yours")
        }
    }
}

fn failures(around: &WorkspaceRequest) -> Option<Check> {
    let known = mishap::read(&around.home)?;
    let text = format!(
        "the hook failed {} since {}; last for {}: {}",
        times(known.count),
        known.since,
        known.agent,
        known.why
    );
    Some(note("hook", text, Some("coroner doctor --forget-failures, once it is repaired")))
}

fn times(count: u64) -> String {
    if count == 1 { "once".to_owned() } else { format!("{count} times") }
}
