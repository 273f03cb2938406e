//! A container runs with another environment than its files give.
//!
//! Restarting a container keeps the environment that it was created with. Only keys
//! that files manage are compared, and no value is ever shown.

use std::collections::BTreeMap;

use coroner_model::finding::Confidence;
use coroner_model::session::CallStatus;
use coroner_model::{Citation, Source};
use coroner_read::docker::Container;
use jiff::Timestamp;

use crate::detect::credential::{Sameness, compare};
use crate::detect::part::{self, Part};
use crate::detect::{listed, reason};
use crate::fact::{Fact, FactKind, Subject};
use crate::scene::{EnvFile, Scene};

/// Finds it; a scene in order gives nothing.
pub fn detect(scene: &Scene) -> Vec<Fact> {
    let parts = part::parts(scene);
    let mut facts = Vec::new();
    for part in &parts {
        let up = |c: &&Container| c.listed_at.is_none() && (c.is_running() || c.state.status == "restarting");
        // Of a scaled service the first container that drifted speaks for all.
        facts.extend(instances(scene, part).into_iter().filter(up).find_map(|container| {
            let part = Part { container: Some(container), ..*part };
            let drifted = match part.service {
                Some(_) => of_service(scene, &part).into_iter().chain(removed(scene, &part)).collect(),
                None => of_run(scene, container),
            };
            (!drifted.is_empty()).then(|| fact(scene, &part, container, &drifted))
        }));
    }
    facts
}

/// The containers of a part.
fn instances<'s>(scene: &'s Scene, part: &Part<'s>) -> Vec<&'s Container> {
    match (part.project, part.service) {
        (Some(project), Some(service)) => scene.containers_of(project, service),
        _ => part.container.into_iter().collect(),
    }
}

/// How a key differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum How {
    /// The container has another value.
    Changed,
    /// The container lacks it.
    Missing,
    /// The container still has it, and no file gives it any more.
    Removed,
}

/// A key whose value in the files is not the one in the container.
struct Drifted {
    key: String,
    how: How,
    /// The line that gives the new value.
    at: Citation,
    /// Absolute path of the file of that line.
    path: String,
}

/// Keys of a compose service that differ.
fn of_service(scene: &Scene, part: &Part) -> Vec<Drifted> {
    let (Some(service), Some(container), Some(project)) = (part.service, part.container, part.project) else {
        return Vec::new();
    };
    let mut drifted = Vec::new();
    for (key, declared) in &service.environment {
        let running = container.variable(key);
        let same = running.map(|r| compare(r, &declared.value));
        if matches!(same, Some(Sameness::Same | Sameness::Unknown)) || (running.is_none() && declared.value.is_empty())
        {
            continue;
        }
        let path = file_of(&declared.at);
        // The shell that ran compose may have given another value than its files.
        let sources: Vec<String> = std::iter::once(path.clone()).chain(interpolated_from(project, declared)).collect();
        let changed = sources.iter().filter_map(|p| scene.changed(p)).max();
        let newer = changed.is_some_and(|c| container.created.is_some_and(|made| c > made));
        let older = changed.is_some_and(|c| container.created.is_some_and(|made| c <= made));
        let from_shell = !declared.is_settled() || declared.from.iter().any(|f| !project.variables.contains_key(f));
        if (from_shell || older && !declared.from.is_empty()) && !newer {
            continue;
        }
        let newest = sources.into_iter().max_by_key(|p| scene.changed(p)).unwrap_or(path);
        let at = project.variables.values().find(|v| {
            file_of(&v.at) == newest
                && declared.from.iter().any(|f| project.variables.get(f).is_some_and(|o| o.at == v.at))
        });
        let at = at.map_or(&declared.at, |v| &v.at);
        let how = if running.is_none() { How::Missing } else { How::Changed };
        drifted.push(Drifted { key: key.clone(), how, at: masked(at, key), path: newest });
    }
    drifted
}

/// Keys of a container that neither its image nor any file gives, since a file was changed.
///
/// Without the image's own environment nobody can tell; compose hands the proxies of the
/// client's configuration to every container.
fn removed(scene: &Scene, part: &Part) -> Vec<Drifted> {
    let (Some(service), Some(container), Some(project)) = (part.service, part.container, part.project) else {
        return Vec::new();
    };
    let image = scene.images.iter().find(|i| !i.id.is_empty() && i.id == container.image_id);
    let unread = project.wanted.iter().any(|w| service.env_files.contains(&w.path) || project.files.contains(&w.path));
    let Some(image) = image.filter(|_| !unread) else { return Vec::new() };
    let files = service.env_files.iter().chain(&project.env_files).chain(&project.files);
    let newer = files.filter(|f| scene.changed(f).is_some_and(|at| container.created.is_some_and(|made| at > made)));
    let Some(newest) = newer.max_by_key(|f| scene.changed(f)) else { return Vec::new() };
    let given = |key: &str| {
        service.environment.contains_key(key)
            || service.passed_through.contains_key(key)
            || image.env.iter().any(|(name, _)| name == key)
            || key.to_ascii_lowercase().ends_with("_proxy")
    };
    let mut keys: Vec<&str> = container.env.iter().map(|(key, _)| key.as_str()).filter(|key| !given(key)).collect();
    keys.sort_unstable();
    keys.dedup();
    let cited = |key: &str| Citation::new(Source::File, format!("files{newest}"), format!("no {key}"));
    keys.into_iter()
        .map(|key| Drifted { key: key.to_owned(), how: How::Removed, at: cited(key), path: newest.clone() })
        .collect()
}

/// Cites the environment that a container's image gives.
fn cite_image(scene: &Scene, container: &Container) -> Option<Citation> {
    let index = scene.images.iter().position(|i| !i.id.is_empty() && i.id == container.image_id)?;
    let text = format!("{} names", scene.images[index].env.len());
    Some(Citation::new(Source::Docker, format!("docker/images.json#/{index}/Config/Env"), text))
}

/// Files of the variables that a value was interpolated from.
fn interpolated_from(
    project: &coroner_read::compose::Project,
    declared: &coroner_read::compose::Variable,
) -> Vec<String> {
    declared.from.iter().filter_map(|name| project.variables.get(name)).map(|v| file_of(&v.at)).collect()
}

fn file_of(at: &Citation) -> String {
    let path = part::location_of(at).path;
    path.strip_prefix("files").map_or(path.clone(), str::to_owned)
}

/// The same place without the value that stands there.
fn masked(at: &Citation, key: &str) -> Citation {
    Citation::new(at.source, at.locator.clone(), format!("{key}=…"))
}

/// Keys of an env file that a recorded `docker run --env-file` gave to a container.
fn of_run(scene: &Scene, container: &Container) -> Vec<Drifted> {
    let Some(file) = run_env_file(scene, container).and_then(|path| scene.env_files.get(&path)) else {
        return Vec::new();
    };
    let newer = file.changed.is_none_or(|c| container.created.is_none_or(|made| c > made));
    if !newer {
        return Vec::new();
    }
    let last: BTreeMap<&str, (&str, &Citation)> =
        file.variables.iter().map(|(n, v, at)| (n.as_str(), (v.as_str(), at))).collect();
    last.into_iter()
        .filter_map(|(key, (value, at))| {
            let running = container.variable(key);
            let differs = running.is_none_or(|r| compare(r, value) == Sameness::Different);
            differs.then(|| Drifted {
                key: key.to_owned(),
                how: if running.is_none() { How::Missing } else { How::Changed },
                at: masked(at, key),
                path: file.path.clone(),
            })
        })
        .collect()
}

/// The env file of the last `docker run` or `create` that named a container.
fn run_env_file(scene: &Scene, container: &Container) -> Option<String> {
    let mut found: Option<(Option<Timestamp>, String)> = None;
    for call in scene.sessions.iter().flat_map(|s| &s.calls) {
        let Some(command) = call.command.as_deref().filter(|c| c.contains("--env-file")) else { continue };
        if matches!(call.status, CallStatus::Rejected) {
            continue;
        }
        for (argv, cwd) in crate::scene::commands(command, &call.cwd) {
            let run =
                argv.len() > 2 && argv[0].ends_with("docker") && argv[1..].iter().any(|w| w == "run" || w == "create");
            let value = |flag: &str| option(&argv, flag);
            if run
                && value("--name").as_deref() == Some(container.name.as_str())
                && let Some(path) = value("--env-file")
            {
                let path = if path.starts_with('/') {
                    path
                } else {
                    format!("{}/{}", cwd.trim_end_matches('/'), path.trim_start_matches("./"))
                };
                if found.as_ref().is_none_or(|(at, _)| *at <= call.at) {
                    found = Some((call.at, path));
                }
            }
        }
    }
    found.map(|(_, path)| path)
}

/// The value of `--flag value` or `--flag=value`.
fn option(argv: &[String], flag: &str) -> Option<String> {
    let mut words = argv.iter();
    while let Some(word) = words.next() {
        if word == flag {
            return words.next().cloned();
        }
        if let Some(value) = word.strip_prefix(flag).and_then(|rest| rest.strip_prefix('=')) {
            return Some(value.to_owned());
        }
    }
    None
}

fn fact(scene: &Scene, part: &Part, container: &Container, drifted: &[Drifted]) -> Fact {
    let name = part.name();
    let changed = drifted.iter().filter_map(|d| scene.changed(&d.path)).max();
    let restarted = match (container.state.started_at, changed, container.created) {
        (Some(started), Some(changed), Some(created)) => started > changed && changed > created,
        _ => false,
    };
    let keys: Vec<&str> = drifted.iter().map(|d| d.key.as_str()).collect();
    let mut files: Vec<&str> = drifted.iter().map(|d| d.path.as_str()).collect();
    files.sort_unstable();
    files.dedup();
    let mut because: Vec<_> = drifted
        .iter()
        .map(|d| {
            let how = match d.how {
                How::Missing => format!("{name} runs without {}, which {} gives", d.key, d.path),
                How::Changed => format!("{name} runs with another {} than {} gives", d.key, d.path),
                How::Removed => format!("{name} still runs with {}, which neither its files nor its image give", d.key),
            };
            let index = container.env.iter().rposition(|(n, _)| *n == d.key);
            let pointer = index.map_or("/Config/Env".to_owned(), |i| format!("/Config/Env/{i}"));
            let running = part.cite_state(
                &pointer,
                &if d.how == How::Missing { format!("no {}", d.key) } else { format!("{}=…", d.key) },
            );
            let image = (d.how == How::Removed).then(|| cite_image(scene, container)).flatten();
            reason(how, running.into_iter().chain([d.at.clone()]).chain(image))
        })
        .collect();
    because.push(made_before(scene, part, container, changed, restarted));
    let mut subjects: Vec<Subject> = files.iter().map(|f| Subject::Path((*f).to_owned())).collect();
    subjects.push(Subject::Container(container.name.clone()));
    subjects.extend(part.service.map(|s| Subject::Service(s.name.clone())));
    subjects.extend(keys.iter().map(|k| Subject::Variable((*k).to_owned())));
    let how = if restarted {
        "was restarted after the change, which keeps the old environment"
    } else {
        "was not made anew since"
    };
    Fact {
        kind: FactKind::EnvDrift,
        is: if restarted { "restarted" } else { "not-recreated" },
        component: name.to_owned(),
        affects: Vec::new(),
        text: match drifted.iter().all(|d| d.how == How::Removed) {
            true => {
                format!("{name} still runs with {}, which {} gives no more: it {how}", listed(&keys), listed(&files))
            }
            false => format!("{name} does not run with {} of {}: it {how}", listed(&keys), listed(&files)),
        },
        because,
        against: Vec::new(),
        confidence: Confidence::High,
        location: drifted.first().map(|d| part::location_of(&d.at)).unwrap_or_default(),
        subjects,
        onset: changed,
        ruled_out: Vec::new(),
        remedy: remedy(part, container, &files),
    }
}

fn made_before(
    scene: &Scene,
    part: &Part,
    container: &Container,
    changed: Option<Timestamp>,
    restarted: bool,
) -> coroner_model::investigation::Reason {
    let created = container.created.map_or("earlier".to_owned(), |at| at.to_string());
    let started = container.state.started_at.map_or(String::new(), |at| format!(", started {at}"));
    let change = changed.map_or(String::new(), |at| format!("; the file was changed {at}"));
    let how = if restarted { " and restarted since" } else { "" };
    let of_file = scene
        .env_files
        .values()
        .filter(|f: &&EnvFile| f.changed.is_some() && f.changed == changed)
        .find_map(|f| scene.paths.get(&f.path)?.at.clone());
    let cited = part.cite_state("/Created", &format!("Created {created}{started}"));
    reason(format!("its container was created {created}{how}{change}"), cited.into_iter().chain(of_file))
}

fn remedy(part: &Part, container: &Container, files: &[&str]) -> String {
    match part.service {
        Some(_) => format!(
            "`{}` makes the container anew with what the files give; `docker restart` does not",
            part.up_command()
        ),
        None => {
            let file = files.first().copied().unwrap_or_default();
            format!(
                "Make it anew: `docker stop {0}`, `docker rename {0} {0}-old`, then `docker run -d --name {0} --env-file {file} {1}` with its other options",
                container.name, container.image
            )
        }
    }
}
