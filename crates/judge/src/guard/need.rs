//! Which state an effect needs to be known, as probes.

use coroner_model::effect::{EffectKind, TargetClass};
use coroner_model::probe::{DockerTable, FileClass, GitTable, HostTable};
use coroner_model::{Answers, Probe};
use coroner_read::shell::Word;

use super::Case;
use crate::effect::{Deciding, Effects, Extent, Filter, Paths, Place, Planned, Target};
use crate::scene::{Goal, Scene};
use crate::simulate::rsync;

/// Levels of a tree that is about to go, or to be compared.
const TREE_DEPTH_MAX: u32 = 5;
/// Slashes in the path of a mount point that is looked for, what is below it counted.
const MOUNT_DEPTH_MAX: usize = 4;
/// Most script files that one command makes the guard read.
const SCRIPTS_MAX: usize = 8;

/// Most files that one command makes the guard look up.
const LOOKED_UP_MAX: usize = 16;

/// Everything that the effects of a command need to be known.
pub(super) fn probes(case: &Case<'_>, effects: &Effects, answers: &Answers) -> Vec<Probe> {
    let mut out: Vec<Probe> = effects
        .script
        .wanted
        .iter()
        .filter(|wanted| is_text_path(&wanted.path))
        .take(SCRIPTS_MAX)
        .map(|wanted| Probe::File { path: wanted.path.clone() })
        .collect();
    out.extend(effects.unread.iter().take(SCRIPTS_MAX).map(|path| Probe::File { path: path.clone() }));
    out.extend(effects.looked_up.iter().take(LOOKED_UP_MAX).map(|path| Probe::File { path: path.clone() }));
    let mut services = false;
    for planned in &effects.planned {
        services |= of_planned(case, effects, planned, answers, &mut out);
        if super::engine::is_engines(planned) {
            super::engine::probes(&mut out);
        }
    }
    if case.request.session.is_some() && may_be_its_own(case, effects, answers) {
        out.push(Probe::Sessions { since: None, until: None });
    }
    if services {
        of_services(answers, &mut out);
    }
    out
}

/// Adds what says which services there are and what they hold.
pub(super) fn of_services(answers: &Answers, out: &mut Vec<Probe>) {
    out.extend([
        Probe::Config,
        Probe::Docker(DockerTable::Inspect),
        Probe::Docker(DockerTable::Volumes),
        Probe::Files { root: None, class: FileClass::Compose },
    ]);
    out.extend(Scene::ask(&Goal::Guard, answers));
}

/// Whether something would be lost that the session may have made itself.
fn may_be_its_own(case: &Case<'_>, effects: &Effects, answers: &Answers) -> bool {
    let asked = answers.iter().any(|(p, a)| matches!(p, Probe::Git { table: GitTable::Status, .. }) && a.is_ok());
    if !asked {
        return false;
    }
    let view = super::view::View::new(case, answers, effects);
    effects.planned.iter().flat_map(|planned| view.judge(planned)).any(|judged| {
        judged.effect.class.contains(&TargetClass::UntrackedIgnored)
            || judged.effect.class.contains(&TargetClass::Uncommitted)
    })
}

/// A path that may hold a script; system programs are no scripts to be read.
fn is_text_path(path: &str) -> bool {
    !["/usr/", "/bin/", "/sbin/", "/dev/", "/proc/"].iter().any(|top| path.starts_with(top))
}

/// Adds what one effect needs; true where it needs containers and compose projects.
fn of_planned(case: &Case<'_>, effects: &Effects, planned: &Planned, answers: &Answers, out: &mut Vec<Probe>) -> bool {
    match &planned.target {
        Target::Paths(paths) => {
            super::work::probes(case, planned, paths, answers, out);
            of_paths(case, effects, planned, paths, answers, out)
        }
        Target::Ownership(change) if change.paths.place == Place::Host => {
            if change.recursive
                && let Some(root) = change.paths.path.as_literal()
            {
                out.push(Probe::Tree { root: root.to_owned(), depth_max: TREE_DEPTH_MAX });
            }
            true
        }
        Target::Containers(containers) if planned.kind == EffectKind::RestartContainer => {
            restart(case, out);
            containers.place == Place::Host
        }
        Target::Compose(compose) if planned.kind == EffectKind::RestartContainer => {
            restart(case, out);
            compose.place == Place::Host
        }
        Target::Compose(compose) if super::view::makes(planned.kind) && compose.place == Place::Host => {
            super::space::engine_probes(out);
            true
        }
        Target::Compose(compose) => planned.kind == EffectKind::RemoveVolume && compose.place == Place::Host,
        Target::Volumes(volumes) => {
            out.extend([Probe::Backups, Probe::Host(HostTable::Date)]);
            volumes.place == Place::Host
        }
        Target::Run(spec) => {
            out.push(Probe::Docker(DockerTable::Networks));
            let stays = spec.detached && !spec.removed_after;
            (stays || !spec.volumes.is_empty()) && spec.place == Place::Host
        }
        Target::Named(named) => {
            if planned.kind == EffectKind::RepeatMutation && case.request.session.is_some() {
                out.extend([Probe::Sessions { since: None, until: None }, Probe::Host(HostTable::Date), Probe::Config]);
            }
            if matches!(named.deciding, Deciding::Local { .. }) && named.place == Place::Host {
                super::port::probes(case, out);
            }
            super::named::probes(named, out)
        }
        Target::Containers(containers) => {
            containers.forced && planned.kind == EffectKind::RemoveContainer && containers.place == Place::Host
        }
        Target::Discard(discard) if discard.place == Place::Host => {
            if let Some(directory) = discard.directory.as_literal() {
                out.extend([GitTable::Status, GitTable::Worktrees].map(|table| super::work::git(directory, table)));
            }
            false
        }
        _ => false,
    }
}

fn restart(case: &Case<'_>, out: &mut Vec<Probe>) {
    if case.request.session.is_some() {
        out.push(Probe::Sessions { since: None, until: None });
    }
}

fn of_paths(
    case: &Case<'_>,
    effects: &Effects,
    planned: &Planned,
    paths: &Paths,
    answers: &Answers,
    out: &mut Vec<Probe>,
) -> bool {
    if let Place::Remote { .. } = paths.place {
        return false;
    }
    if planned.kind == EffectKind::Delete && may_be_filesystem(case, paths) {
        out.push(Probe::Host(HostTable::Df));
    }
    let Some(path) = paths.path.as_literal() else {
        let directory = literal_directory(&paths.path);
        let mut at = directory.as_deref().unwrap_or_default();
        while !at.is_empty() {
            out.push(Probe::Stat { path: at.to_owned() });
            at = at.rsplit_once('/').map_or("", |(above, _)| above);
        }
        out.extend(directory.map(|root| Probe::Tree { root, depth_max: 2 }));
        out.push(Probe::Backups);
        return true;
    };
    let lossy =
        matches!(planned.kind, EffectKind::Delete | EffectKind::Move | EffectKind::Truncate | EffectKind::Overwrite);
    if !lossy || super::delete::is_artefact(path) && !may_be_entered(effects, planned, path, answers, out) {
        return false;
    }
    if paths.place == Place::Host {
        let mut at = path;
        while !at.is_empty() {
            out.push(Probe::Stat { path: at.to_owned() });
            at = at.rsplit_once('/').map_or("", |(above, _)| above);
        }
    }
    match &paths.filter {
        Some(Filter::Rsync(command)) => sides(command, path, out),
        Some(_) => out.push(tree(path)),
        None if planned.kind == EffectKind::Delete => {
            out.extend([Probe::Backups, Probe::Host(HostTable::Date)]);
            // What the host lives on is known without a walk over all of it.
            if !super::delete::SYSTEM.contains(&path) {
                out.push(tree(path));
            }
            // A file is one of several, or the last: that shows beside it.
            if paths.extent == Extent::Itself
                && let Some((directory, _)) = path.rsplit_once('/').filter(|(d, _)| !d.is_empty())
            {
                out.push(Probe::Tree { root: directory.to_owned(), depth_max: 1 });
            }
        }
        None => {}
    }
    if planned.kind == EffectKind::Delete || planned.kind == EffectKind::Move {
        out.push(Probe::Host(HostTable::Du));
    }
    true
}

/// Whether all of what is deleted may be a filesystem of its own: near the root, and not where
/// the session works.
fn may_be_filesystem(case: &Case<'_>, paths: &Paths) -> bool {
    let shown = paths.path.show();
    let all = paths.extent != Extent::Itself || paths.filter.is_some() || paths.path.has_glob();
    let depth = shown.matches('/').count();
    let inside = crate::effect::path::below(&shown, &case.request.cwd).is_some();
    paths.place == Place::Host && all && depth <= MOUNT_DEPTH_MAX && !inside && !super::delete::is_scratch(&shown)
}

/// Whether a name of build output, with a slash behind it, is a link whose end would be emptied.
fn may_be_entered(effects: &Effects, planned: &Planned, path: &str, answers: &Answers, out: &mut Vec<Probe>) -> bool {
    let Some(call) = effects.script.invocations.get(planned.invocation) else { return false };
    let named = |w: &Word| coroner_read::shell::join(&call.cwd, w).as_literal() == Some(path);
    if !call.argv.iter().any(|w| w.suffix().ends_with('/') && named(w)) {
        return false;
    }
    let stat = Probe::Stat { path: path.to_owned() };
    let rows = answers.documents(&stat).iter().flat_map(coroner_read::tree::read);
    let is_link = rows.into_iter().any(|entry| entry.path == path && entry.kind == Some('l'));
    out.push(stat);
    is_link
}

fn tree(root: &str) -> Probe {
    Probe::Tree { root: root.to_owned(), depth_max: TREE_DEPTH_MAX }
}

/// Both sides of a transfer and the files that its rules are in.
fn sides(command: &rsync::RsyncCommand, destination: &str, out: &mut Vec<Probe>) {
    out.push(tree(destination));
    let mut roots = vec![destination.to_owned()];
    for source in &command.sources {
        if let rsync::Place::Local(path) = source {
            let path = command.absolute(path);
            let path = if path.len() > 1 { path.trim_end_matches('/').to_owned() } else { path };
            out.push(tree(&path));
            roots.push(path);
        }
    }
    out.extend(command.filter_files().into_iter().filter(|f| f != "-").map(|path| Probe::File { path }));
    for name in command.dir_merge_names() {
        out.extend(roots.iter().map(|root| Probe::File { path: format!("{root}/{name}") }));
    }
    out.push(Probe::Backups);
}

/// The directory above the first pattern or unknown part of a path.
fn literal_directory(word: &Word) -> Option<String> {
    let (directory, _) = word.prefix().rsplit_once('/')?;
    (directory.matches('/').count() > 0).then(|| directory.to_owned())
}

/// The text of a word where it is a plain absolute path.
pub(super) fn literal_path(word: &Word) -> Option<&str> {
    word.as_literal().filter(|p| p.starts_with('/'))
}
