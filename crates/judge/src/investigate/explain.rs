//! The change that explains a state: the latest one before the onset that touched its subjects.

use std::collections::BTreeMap;

use coroner_model::effect::EffectKind;
use coroner_model::investigation::{Change, ChangeKind};
use coroner_model::{Citation, Source};
use coroner_read::docker::Container;
use coroner_read::shell::Word;
use jiff::{SignedDuration, Timestamp};

use super::Case;
use super::change::{Act, agent_of, cite, edited, id_of, may_have_acted};
use super::topology::under;
use crate::effect::docker::{RunSpec, VolumeScope};
use crate::effect::{ComposeTarget, Effects, Hit, Planned, Target};
use crate::fact::{Fact, FactKind, Subject};

/// How much later than its effect a change may be written down.
const SLACK: SignedDuration = SignedDuration::from_secs(5);
/// A file's time this close after a call is that call's doing.
const SAME_CHANGE: SignedDuration = SignedDuration::from_secs(120);

/// What explains a fact that was seen at `seen`; nothing where no change is known.
pub fn explain(case: &Case<'_>, fact: &Fact, seen: Option<Timestamp>) -> Option<Change> {
    let until = bound(case, fact, seen).and_then(|at| at.checked_add(SLACK).ok());
    let command = command(case, fact, until);
    let mut other: Vec<Change> = commits(case, fact).chain(files(case, fact)).collect();
    other.retain(|c| until.is_none_or(|u| c.at.is_none_or(|at| at <= u)));
    let latest = other.into_iter().filter(|c| c.at.is_some()).max_by_key(|c| (c.at, c.kind == ChangeKind::Commit));
    match (command, latest) {
        (Some(command), Some(latest)) => match (command.at, latest.at) {
            (Some(done), Some(at)) if at.duration_since(done) > SAME_CHANGE => Some(latest),
            _ => Some(command),
        },
        (command, latest) => command.or(latest).or_else(|| image(case, fact)),
    }
}

/// What explains a signature alone: a call that removed what its component has mounted, where nobody
/// could look whether it is still there.
pub fn explain_signature(
    case: &Case<'_>,
    component: &str,
    kinds: &[FactKind],
    seen: Option<Timestamp>,
) -> Option<Change> {
    let container = case.scene.container(component).filter(|_| kinds.contains(&FactKind::MountSourceMissing))?;
    let unseen = |source: &str| !case.scene.paths.contains_key(source);
    let mut subjects: Vec<Subject> = Vec::new();
    for mount in container.mounts.iter().filter(|m| unseen(&m.source)) {
        subjects.push(Subject::Path(mount.source.clone()));
        subjects.extend((mount.kind == "volume").then(|| Subject::Volume(mount.name.clone())));
    }
    let until = seen.and_then(|at| at.checked_add(SLACK).ok());
    command(case, &Fact::unseen(FactKind::MountSourceMissing, component, subjects), until)
}

/// Until when a change can have caused the fact.
fn bound(case: &Case<'_>, fact: &Fact, seen: Option<Timestamp>) -> Option<Timestamp> {
    if fact.kind != FactKind::EnvDrift {
        return [fact.onset, seen].into_iter().flatten().min();
    }
    // The files change first; the restart that kept the old environment comes later, and
    // the process that runs now began with it.
    let started = case.scene.container(&fact.component).and_then(|c| c.state.started_at);
    let later = seen.filter(|s| fact.onset.is_none_or(|o| o < *s));
    if fact.is == "restarted" { started.or(later) } else { later }
}

/// The latest call that touched a subject.
fn command(case: &Case<'_>, fact: &Fact, until: Option<Timestamp>) -> Option<Change> {
    let before = |act: &&Act<'_>| until.is_none_or(|u| act.call.at.is_none_or(|at| at <= u));
    let touching: Vec<(&Act<'_>, Touch)> = case
        .acts
        .all
        .iter()
        .filter(|act| may_have_acted(act.call))
        .filter_map(|act| Some((act, touch(case, fact, act)?)))
        .collect();
    let surest = |acts: &[(&Act<'_>, Touch)]| acts.iter().map(|(_, touch)| *touch).max();
    let early: Vec<(&Act<'_>, Touch)> = touching.iter().copied().filter(|(act, _)| before(act)).collect();
    let latest = surest(&early).and_then(|best| early.iter().rev().find(|(_, touch)| *touch == best));
    // An older trouble of another cause can make the onset too early; then the first
    // change after it is the better guess than none.
    let first = || surest(&touching).and_then(|best| touching.iter().find(|(_, touch)| *touch == best));
    let (act, _) = latest.or_else(first)?;
    Some(Change {
        kind: ChangeKind::Command,
        at: act.call.at,
        session: Some(act.session.id.to_string()).filter(|s| !s.is_empty()),
        agent: Some(agent_of(act.session)),
        tool_call: Some(id_of(act.call)),
        command: act.call.command.clone().or_else(|| edited(act.call).map(|path| format!("{} {path}", act.call.tool))),
        commit: None,
        path: edited(act.call).map(str::to_owned),
        evidence: vec![cite(act.session, act.call)],
    })
}

/// How surely a call touched what a fact is about; the surest last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Touch {
    /// Something inside it.
    Part,
    /// It, where another host has the same path.
    Elsewhere,
    /// It.
    Itself,
}

/// Whether a call touched what the fact is about, in a way that can bring it about.
fn touch(case: &Case<'_>, fact: &Fact, act: &Act<'_>) -> Option<Touch> {
    let effects = case.acts.effects(act);
    let sure = |holds: bool| holds.then_some(Touch::Itself);
    let of = |subject: &Subject| match subject {
        Subject::Path(path) => match fact.kind {
            FactKind::MountSourceMissing => removes(case, effects, path),
            FactKind::DiskUsage | FactKind::SecretInFile => None,
            _ => sure(edited(act.call).is_some_and(|e| e == path) || writes(effects, path)),
        },
        Subject::Container(name) | Subject::Service(name) => sure(touches_container(case, fact, effects, name)),
        Subject::Volume(name) => removes_volume(case, fact, effects, name),
        Subject::Variable(_) => None,
    };
    fact.subjects.iter().filter_map(of).max()
}

/// Whether a command removes a mounted path: on this host, through a container that has it too, or from afar.
fn removes(case: &Case<'_>, effects: &Effects, path: &str) -> Option<Touch> {
    let here = effects.destroys(path).map(|(_, hit)| hit);
    if here == Some(Hit::Whole) {
        return Some(Touch::Itself);
    }
    let mounts = case.scene.containers.iter().flat_map(|c| {
        let names = [c.name.as_str(), c.component()];
        let own = c.mounts.iter().filter(|m| m.source.trim_end_matches('/') == path.trim_end_matches('/'));
        own.flat_map(move |m| names.map(|name| (name, m.destination.as_str())))
    });
    let seen_as: Vec<(&str, &str)> = mounts.collect();
    match effects.destroys_from_afar(path, &seen_as) {
        Some((_, Hit::Whole)) => Some(Touch::Elsewhere),
        Some((_, Hit::Part)) => Some(Touch::Part),
        None => here.map(|_| Touch::Part),
    }
}

/// Whether a command wrote, moved or removed one file.
fn writes(effects: &Effects, path: &str) -> bool {
    effects.writes(path) || effects.destroys(path).is_some()
}

fn touches_container(case: &Case<'_>, fact: &Fact, effects: &Effects, name: &str) -> bool {
    let container = case.scene.container(name);
    let service = container.and_then(Container::service);
    // What compose made was not made by hand, whoever else runs its image.
    let by_hand = container.filter(|c| c.project().is_none());
    let image = by_hand.map(|c| c.image.as_str()).filter(|i| !i.is_empty());
    let mut names = vec![name];
    names.extend(container.map(|c| c.name.as_str()));
    names.extend(service);
    names.extend(container.map(|c| c.id.as_str()).filter(|id| !id.is_empty()));
    names.sort_unstable();
    names.dedup();
    let own_project = |planned: &Planned| match &planned.target {
        Target::Compose(target) => same_project(target, container),
        _ => true,
    };
    let hand_made = || {
        // A name that was given and is another one is another container.
        let is_open = |spec: &RunSpec| spec.name.as_ref().is_none_or(|name| name.as_literal().is_none());
        let unnamed = |spec: &RunSpec| is_open(spec) && image.is_some_and(|i| spec.answers_to(&[i]));
        effects.planned.iter().any(|planned| match &planned.target {
            Target::Run(spec) => spec.is_named(&names) || unnamed(spec),
            _ => false,
        })
    };
    let recreated = || effects.recreates(&names).is_some_and(own_project);
    let restarted = || effects.restarts(&names).is_some_and(own_project);
    match fact.kind {
        FactKind::EnvDrift => restarted(),
        FactKind::CredentialFallback | FactKind::CredentialStale | FactKind::BackendPort => recreated() || hand_made(),
        FactKind::ProxyUnreachable => hand_made() || recreated() || leaves_network(effects, &names),
        FactKind::MountSourceMissing | FactKind::DiskUsage | FactKind::SecretInFile => false,
        // What files declare takes effect when the container is made.
        FactKind::HealthcheckLocalhost
        | FactKind::LogUnbounded
        | FactKind::DependencyMissing
        | FactKind::CallerPort
        | FactKind::ReadOnlyData => recreated(),
        FactKind::SecretCopiesDiffer | FactKind::RouteNotLoaded => false,
    }
}

/// `docker network connect|disconnect NETWORK CONTAINER`.
fn leaves_network(effects: &Effects, names: &[&str]) -> bool {
    effects.script.invocations.iter().any(|call| {
        let words: Vec<&str> = call.argv.iter().filter_map(Word::as_literal).collect();
        matches!(call.program(), "docker" | "podman")
            && words.get(1) == Some(&"network")
            && matches!(words.get(2), Some(&("connect" | "disconnect" | "rm")))
            && words.iter().skip(3).any(|w| names.contains(w))
    })
}

/// Whether a compose command is about the project that the container belongs to.
fn same_project(target: &ComposeTarget, container: Option<&Container>) -> bool {
    let Some(container) = container else { return true };
    let named = target.project.as_ref().and_then(Word::as_literal);
    if let (Some(named), Some(project)) = (named, container.project()) {
        return named == project;
    }
    let files = container.config_files();
    let by_file: Vec<&str> = target.files.iter().filter_map(Word::as_literal).collect();
    if !by_file.is_empty() && !files.is_empty() {
        return by_file.iter().any(|f| files.iter().any(|own| own == f));
    }
    match (target.directory.as_literal(), container.working_directory()) {
        (Some(directory), Some(home)) if !directory.is_empty() => under(directory, home),
        _ => true,
    }
}

/// Whether a command removes a volume: by its name, with its project, or as one that nobody used.
fn removes_volume(case: &Case<'_>, fact: &Fact, effects: &Effects, name: &str) -> Option<Touch> {
    let removals = effects.planned.iter().filter(|p| p.kind == EffectKind::RemoveVolume);
    let holder = case.scene.containers.iter().find(|c| c.mounts.iter().any(|m| m.name == name));
    let anonymous = name.len() == 64 && name.bytes().all(|b| b.is_ascii_hexdigit());
    let touch = |planned: &Planned| match &planned.target {
        Target::Compose(target) => same_project(target, holder).then_some(Touch::Itself),
        Target::Volumes(volumes) if volumes.names(name) => Some(Touch::Itself),
        Target::Volumes(volumes) => match volumes.scope {
            VolumeScope::Unused => Some(Touch::Part),
            VolumeScope::UnusedAnonymous | VolumeScope::AnonymousOf => anonymous.then_some(Touch::Part),
            VolumeScope::Named | VolumeScope::Every => None,
        },
        _ => None,
    };
    removals.filter_map(touch).max().filter(|_| fact.kind == FactKind::MountSourceMissing)
}

/// Commits that changed a file of the subjects.
fn commits<'a>(case: &'a Case<'_>, fact: &'a Fact) -> impl Iterator<Item = Change> + 'a {
    case.scene.commits.iter().filter_map(move |commit| {
        let path = paths(fact).find(|path| {
            commit.files.iter().any(|file| path.strip_suffix(file.as_str()).is_some_and(|rest| rest.ends_with('/')))
        })?;
        Some(Change {
            kind: ChangeKind::Commit,
            at: commit.at,
            session: None,
            agent: None,
            tool_call: None,
            command: None,
            commit: Some(commit.id.clone()),
            path: Some(path.to_owned()),
            evidence: vec![commit.cited.clone()],
        })
    })
}

/// Files of the subjects whose time is known.
fn files<'a>(case: &'a Case<'_>, fact: &'a Fact) -> impl Iterator<Item = Change> + 'a {
    // What is gone has no time, and a data directory's own time changes with each write.
    let tells = !matches!(fact.kind, FactKind::MountSourceMissing | FactKind::DiskUsage);
    paths(fact).filter(move |_| tells).filter_map(|path| {
        let state = case.scene.paths.get(path);
        let of_env = case.scene.env_files.get(path).and_then(|f| f.changed);
        let at = state.and_then(|s| s.changed).or(of_env)?;
        let cited = state.and_then(|s| s.at.clone());
        let cited = cited
            .unwrap_or_else(|| Citation::new(Source::Host, format!("files{path}"), format!("{path} changed {at}")));
        Some(Change {
            kind: ChangeKind::FileChange,
            at: Some(at),
            session: None,
            agent: None,
            tool_call: None,
            command: None,
            commit: None,
            path: Some(path.to_owned()),
            evidence: vec![cited],
        })
    })
}

fn paths(fact: &Fact) -> impl Iterator<Item = &str> {
    fact.subjects.iter().filter_map(|s| match s {
        Subject::Path(path) => Some(path.as_str()),
        _ => None,
    })
}

/// The container runs another image than its files name.
fn image(case: &Case<'_>, fact: &Fact) -> Option<Change> {
    let container = case.scene.container(&fact.component)?;
    let declared: BTreeMap<&str, &str> = case
        .scene
        .projects
        .iter()
        .flat_map(|p| &p.services)
        .filter(|s| !s.image.is_empty())
        .map(|s| (s.name.as_str(), s.image.as_str()))
        .collect();
    let wanted = declared.get(container.component())?;
    if *wanted == container.image || container.image.is_empty() {
        return None;
    }
    let text = format!("{} runs {}, its files name {wanted}", container.name, container.image);
    let cited = Citation::new(Source::Docker, container.locator("/Config/Image"), text);
    Some(Change {
        kind: ChangeKind::ImageChange,
        at: container.created,
        session: None,
        agent: None,
        tool_call: None,
        command: None,
        commit: None,
        path: None,
        evidence: vec![cited],
    })
}
