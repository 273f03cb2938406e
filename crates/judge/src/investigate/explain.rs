//! The change that explains a state: the latest one before the onset that touched its subjects.

use std::collections::BTreeMap;

use coroner_model::investigation::{Change, ChangeKind};
use coroner_model::{Citation, Source};
use coroner_read::docker::Container;
use coroner_read::shell::Word;
use jiff::{SignedDuration, Timestamp};

use super::Case;
use super::change::{Act, agent_of, cite, edited, id_of, may_have_acted};
use super::topology::under;
use crate::effect::{ComposeTarget, Effects, Planned, Target};
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
    let touches = |act: &&Act<'_>| may_have_acted(act.call) && touches(case, fact, act);
    let before = |act: &&Act<'_>| until.is_none_or(|u| act.call.at.is_none_or(|at| at <= u));
    let acts = || case.acts.all.iter();
    // An older trouble of another cause can make the onset too early; then the first
    // change after it is the better guess than none.
    let act = acts().rev().filter(before).find(touches).or_else(|| acts().find(touches))?;
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

/// Whether a call touched what the fact is about, in a way that can bring it about.
fn touches(case: &Case<'_>, fact: &Fact, act: &Act<'_>) -> bool {
    let effects = case.acts.effects(act);
    fact.subjects.iter().any(|subject| match subject {
        Subject::Path(path) => match fact.kind {
            FactKind::MountSourceMissing => effects.destroys(path).is_some(),
            FactKind::DiskUsage => false,
            _ => edited(act.call).is_some_and(|e| e == path) || writes(effects, path),
        },
        Subject::Container(name) | Subject::Service(name) => touches_container(case, fact, effects, name),
        Subject::Volume(name) => removes_volume(case, fact, effects, name),
        Subject::Variable(_) => false,
    })
}

/// Whether a command wrote, moved or removed one file.
fn writes(effects: &Effects, path: &str) -> bool {
    effects.writes(path) || effects.destroys(path).is_some()
}

fn touches_container(case: &Case<'_>, fact: &Fact, effects: &Effects, name: &str) -> bool {
    let container = case.scene.container(name);
    let service = container.and_then(Container::service);
    let image = container.map(|c| c.image.as_str()).filter(|i| !i.is_empty());
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
        let by_name = names.iter().copied().chain(image).collect::<Vec<_>>();
        effects.runs(&by_name).is_some()
    };
    let recreated = || effects.recreates(&names).is_some_and(own_project);
    let restarted = || effects.restarts(&names).is_some_and(own_project);
    match fact.kind {
        FactKind::EnvDrift => restarted(),
        FactKind::CredentialFallback | FactKind::CredentialStale | FactKind::BackendPort => recreated() || hand_made(),
        FactKind::ProxyUnreachable => hand_made() || recreated() || leaves_network(effects, &names),
        FactKind::MountSourceMissing | FactKind::DiskUsage => false,
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

fn removes_volume(case: &Case<'_>, fact: &Fact, effects: &Effects, name: &str) -> bool {
    if fact.kind != FactKind::MountSourceMissing {
        return false;
    }
    let holder = case.scene.containers.iter().find(|c| c.mounts.iter().any(|m| m.name == name));
    effects.removes_volume(name).is_some_and(|planned| match &planned.target {
        Target::Compose(target) => same_project(target, holder),
        _ => true,
    })
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
    let cited = Citation::new(Source::Docker, format!("docker/inspect.json#/{}/Config/Image", container.index), text);
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
