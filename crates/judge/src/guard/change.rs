//! What a write takes from a project: a variable that is needed, the bound of a log, the version of
//! a store. Only before and after together show it.

use std::collections::BTreeSet;

use coroner_model::Citation;
use coroner_model::effect::{Circumstance, Effect, EffectKind, TargetClass};
use coroner_model::permission::{Permission, PermissionAnswer};
use coroner_read::compose::{Project, Service};

use super::{Judged, Story, decide, meet, unique, upgrade};
use crate::detect::{dependency_missing, listed, log_unbounded};
use crate::pattern::Library;
use crate::scene::Scene;

/// Adds to an answer what its write takes from projects. `path` is the file that it writes.
pub fn weigh<'l>(
    before: &Scene,
    after: &Scene,
    path: &str,
    library: impl FnOnce() -> &'l Library,
    answer: &mut PermissionAnswer,
) {
    let judged = changes(before, after, path);
    if judged.is_empty() {
        return;
    }
    let met = meet(&judged, library());
    let mut own = PermissionAnswer::allow(answer.id.clone());
    decide(&mut own, &judged, &met);
    if answer.permission == Permission::Allow && own.permission != Permission::Allow {
        answer.permission = own.permission;
        answer.pattern = own.pattern;
        answer.reason = own.reason;
        answer.remedy = own.remedy;
    }
    let known: BTreeSet<_> = answer.findings.iter().map(|f| f.pattern.clone()).collect();
    answer.findings.extend(own.findings.into_iter().filter(|f| !known.contains(&f.pattern)));
    let effects = std::mem::take(&mut answer.effects);
    answer.effects = unique(effects.into_iter().chain(judged.iter().map(|j| j.effect.clone())));
    let evidence = std::mem::take(&mut answer.evidence);
    answer.evidence = unique(evidence.into_iter().chain(own.evidence));
}

fn changes(before: &Scene, after: &Scene, path: &str) -> Vec<Judged> {
    let mut all = Vec::new();
    for project in &after.projects {
        let Some(old) = before.projects.iter().find(|p| p.directory == project.directory && p.files == project.files)
        else {
            continue;
        };
        for service in &project.services {
            let Some(was) = old.service(&service.name) else { continue };
            all.extend(upgraded(was, service, path));
            all.extend(unbounded(after, was, service, path));
        }
        all.extend(lost(before, after, old, project, path));
    }
    all
}

/// A store that another major version would open.
fn upgraded(was: &Service, service: &Service, path: &str) -> Option<Judged> {
    let keeps = service.volumes.iter().any(|m| !m.read_only && !m.destination.ends_with(".sock"));
    if !keeps || was.image == service.image || dependency_missing::is_known(&service.image) {
        return None;
    }
    let why = upgrade::breaks(&was.image, &service.image)?;
    let mut effect = Effect::new(EffectKind::UpgradeMajor, service.name.as_str(), "");
    effect.add_class(TargetClass::LiveData);
    let story = Story {
        would: format!(
            "let \"{}\" start as {} over data that {} wrote ({path})",
            service.name, service.image, was.image
        ),
        why,
        evidence: service.at.clone().into_iter().collect(),
        ..Story::default()
    };
    Some(Judged { effect, story })
}

/// A log that had a bound.
fn unbounded(after: &Scene, was: &Service, service: &Service, path: &str) -> Option<Judged> {
    if after.engine_bounds_logs == Some(true) || !log_unbounded::loses_bound(was, service) {
        return None;
    }
    let mut effect = Effect::new(EffectKind::Overwrite, path, "");
    effect.add_circumstance(Circumstance::LogUnbounded);
    let story = Story {
        would: format!("take the bound from the log of {}", service.name),
        why: "What it writes then grows until the disk is full.".into(),
        evidence: service.at.clone().into_iter().collect(),
        ..Story::default()
    };
    Some(Judged { effect, story })
}

/// Variables that were given, are needed, and would be given no longer.
fn lost(before: &Scene, after: &Scene, old: &Project, project: &Project, path: &str) -> Option<Judged> {
    let mut names: BTreeSet<&str> = BTreeSet::new();
    let mut lines = Vec::new();
    let mut evidence: Vec<Citation> = Vec::new();
    for (name, at) in &project.unset_variables {
        let was_set = old.variables.get(name).is_some_and(|v| !v.value.is_empty());
        if was_set && !old.unset_variables.iter().any(|(n, _)| n == name) && names.insert(name) {
            lines.push(format!("{name} is needed by {}", at.locator.strip_prefix("files").unwrap_or(&at.locator)));
            evidence.push(at.clone());
        }
    }
    // Set, and to nothing, where it was something.
    for (name, given) in project.variables.iter().filter(|(_, given)| given.value.is_empty()) {
        let was_set = old.variables.get(name).is_some_and(|v| !v.value.is_empty());
        let mut uses = project.services.iter().flat_map(|s| s.environment.values());
        let used = uses.find(|v| v.from.contains(name) && v.defaulted_from.is_none());
        if let Some(used) = used.filter(|_| was_set && !names.contains(name.as_str())) {
            names.insert(name);
            lines.push(format!(
                "{name} is needed by {}",
                used.at.locator.strip_prefix("files").unwrap_or(&used.at.locator)
            ));
            evidence.push(given.at.clone());
        }
    }
    for service in &project.services {
        let Some(was) = old.service(&service.name) else { continue };
        for name in was.environment.iter().filter(|(_, v)| !v.value.is_empty()).map(|(name, _)| name) {
            let stays = service.environment.get(name).is_some_and(|v| !v.value.is_empty());
            if stays || names.contains(name.as_str()) {
                continue;
            }
            if let Some((who, at)) = needed(before, after, project, service, name) {
                names.insert(name);
                lines.push(format!("{name} of {} is needed by {who}", service.name));
                evidence.extend(at);
            }
        }
    }
    if names.is_empty() {
        return None;
    }
    let mut effect = Effect::new(EffectKind::Overwrite, path, "");
    effect.add_circumstance(Circumstance::KeyLost);
    let shown: Vec<&str> = names.into_iter().collect();
    let story = Story {
        would: format!("leave the project {} without {}", project.name, listed(&shown)),
        lines,
        why: "What reads it falls back to a default, gets an empty text, or does not start.".into(),
        evidence,
        ..Story::default()
    };
    Some(Judged { effect, story })
}

/// Who needs a variable of a service: its compose file, its code, or the sample of its env file.
fn needed(
    before: &Scene,
    after: &Scene,
    project: &Project,
    service: &Service,
    name: &str,
) -> Option<(String, Option<Citation>)> {
    if let Some(at) = service.passed_through.get(name) {
        return Some((at.locator.strip_prefix("files").unwrap_or(&at.locator).to_owned(), Some(at.clone())));
    }
    let inside = |path: &str| crate::detect::within(path, &project.directory);
    let code = after.settings.iter().find(|s| s.variable == name && s.default.is_none() && inside(&s.path));
    if let Some(code) = code.filter(|_| !reads_again(after, name)) {
        return Some((code.path.clone(), Some(code.at.clone())));
    }
    // A sample beside the file says what has to be in it.
    let beside = |sample: &str| {
        let directory = sample.rsplit_once('/').map_or("", |(d, _)| d);
        service.env_files.iter().any(|f| f.rsplit_once('/').map_or("", |(d, _)| d) == directory)
    };
    let sample = before
        .env_files
        .values()
        .find(|f| is_sample(&f.path) && beside(&f.path) && f.variables.iter().any(|(n, _, _)| n == name))?;
    let still = after.env_files.get(&sample.path).is_some_and(|f| f.variables.iter().any(|(n, _, _)| n == name));
    let at = sample.variables.iter().find(|(n, _, _)| n == name).map(|(_, _, at)| at.clone());
    still.then(|| (sample.path.clone(), at))
}

/// Whether the same variable has a default in another place, so that it can be absent.
fn reads_again(scene: &Scene, name: &str) -> bool {
    scene.settings.iter().any(|s| s.variable == name && s.default.is_some())
}

fn is_sample(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path).to_ascii_lowercase();
    ["example", "sample", "template", "dist"].iter().any(|w| name.split(['.', '-', '_']).any(|part| part == *w))
}
