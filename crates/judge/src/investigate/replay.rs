//! A replay: the state behind a proven cause, cut down to what matters, as files of a casefile.
//!
//! It is what an anti-pattern learned from the incident is tested against, so it
//! must still show the fact and be small enough to be read by a person.

use std::collections::{BTreeMap, BTreeSet};

use coroner_model::probe::DockerTable;
use coroner_model::{Citation, Document, Probe};
use coroner_read::docker::Container;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::Case;
use super::change::Act;
use super::topology::under;
use crate::detect::credential_stale::is_marker;
use crate::fact::{Fact, Subject};
use crate::pattern::header::name_of;

/// Largest file that is taken whole, in bytes; of a larger one only the cited lines.
const WHOLE_BYTES_MAX: usize = 6_000;
/// Most files of a replay.
const FILES_MAX: usize = 16;

/// The state and the command behind one hypothesis.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Replay {
    /// Rank of the hypothesis in its report.
    pub rank: u32,
    /// The fact's kind and form, as anti-patterns name them.
    pub fact: String,
    pub is: String,
    pub component: String,
    /// The command that explains it and where it ran.
    pub command: Option<String>,
    pub cwd: String,
    /// Directories of running services that the fact is about.
    pub live_data: Vec<String>,
    /// Path in a casefile → text.
    pub files: BTreeMap<String, String>,
}

/// Cuts the state behind a fact.
pub fn cut(case: &Case<'_>, fact: &Fact, act: Option<&Act<'_>>) -> Replay {
    let cited: Vec<&Citation> =
        fact.because.iter().chain(&fact.against).chain(&fact.ruled_out).flat_map(|r| &r.evidence).collect();
    let mut wanted: BTreeMap<String, BTreeSet<u64>> = BTreeMap::new();
    for citation in &cited {
        let (path, line) = place(&citation.locator);
        wanted.entry(path.to_owned()).or_default().extend(line);
    }
    for path in related_files(case, fact) {
        wanted.entry(format!("files{path}")).or_default();
    }
    let mut files = BTreeMap::new();
    for (path, lines) in &wanted {
        let told = ["sessions/", "http/"].iter().any(|folder| path.starts_with(folder));
        let remade = matches!(path.as_str(), "docker/inspect.json" | "host/tree.tsv");
        if told || remade || files.len() >= FILES_MAX {
            continue;
        }
        if let Some(document) = document(case, path) {
            files.insert(path.clone(), cut_text(document, lines));
        }
    }
    if let Some(text) = containers(case, fact) {
        files.insert("docker/inspect.json".to_owned(), text);
    }
    if let Some(text) = tree(case, fact) {
        files.insert("host/tree.tsv".to_owned(), text);
    }
    files.insert("casefile.toml".to_owned(), header(case));
    let cwd = act.map(|a| if a.call.cwd.is_empty() { a.session.cwd.clone() } else { a.call.cwd.clone() });
    Replay {
        rank: 0,
        fact: name_of(fact.kind),
        is: fact.is.to_owned(),
        component: fact.component.clone(),
        command: act.and_then(|a| a.call.command.clone()),
        cwd: cwd.unwrap_or_default(),
        live_data: live_data(case, fact),
        files,
    }
}

/// Path and line of a locator.
fn place(locator: &str) -> (&str, Option<u64>) {
    let path = locator.split('#').next().unwrap_or(locator);
    match path.rsplit_once(':') {
        Some((path, line)) => match line.split('-').next().and_then(|l| l.parse().ok()) {
            Some(line) => (path, Some(line)),
            None => (locator, None),
        },
        None => (path, None),
    }
}

fn document<'a>(case: &'a Case<'_>, path: &str) -> Option<&'a Document> {
    case.answers.iter().filter_map(|(_, a)| a.as_ref().ok()).flatten().find(|d| d.path == path)
}

/// Compose and env files of the projects that the fact's services belong to.
fn related_files(case: &Case<'_>, fact: &Fact) -> Vec<String> {
    let mut paths: Vec<String> = fact
        .subjects
        .iter()
        .filter_map(|s| if let Subject::Path(path) = s { Some(path.clone()) } else { None })
        .collect();
    let suffers = |name: &str| name == fact.component || fact.affects.iter().any(|a| a == name);
    for project in &case.scene.projects {
        let services: Vec<_> = project.services.iter().filter(|s| suffers(&s.name)).collect();
        if services.is_empty() {
            continue;
        }
        paths.extend(project.files.iter().cloned());
        paths.push(format!("{}/.env", project.directory.trim_end_matches('/')));
        paths.extend(services.iter().flat_map(|s| s.env_files.iter().cloned()));
    }
    for container in case.scene.containers.iter().filter(|c| suffers(c.component())) {
        paths.extend(container.environment_files());
    }
    paths.sort();
    paths.dedup();
    paths
}

/// A small text whole; of a large one the header of a table and the cited lines.
fn cut_text(document: &Document, lines: &BTreeSet<u64>) -> String {
    let text = document.text.as_str();
    // Of a log only the lines that prove the state: others would speak of other failures.
    let log = document.path.starts_with("docker/logs/") || document.path.starts_with("logs/");
    if text.len() <= WHOLE_BYTES_MAX && !log {
        return text.to_owned();
    }
    let table = document.path.ends_with(".tsv");
    let first = document.first_line.max(1);
    text.lines()
        .enumerate()
        .filter(|(index, _)| table && *index == 0 || lines.contains(&(*index as u64 + first)))
        .map(|(_, line)| format!("{line}\n"))
        .collect()
}

/// The containers that the fact is about.
fn concerned<'a>(case: &'a Case<'_>, fact: &Fact) -> Vec<&'a Container> {
    let names: BTreeSet<&str> = fact
        .subjects
        .iter()
        .filter_map(|s| match s {
            Subject::Container(name) | Subject::Service(name) => Some(name.as_str()),
            _ => None,
        })
        .chain([fact.component.as_str()])
        .chain(fact.affects.iter().map(String::as_str))
        .collect();
    let paths: Vec<&str> = live_paths(fact);
    let proxied = matches!(fact.kind, crate::fact::FactKind::ProxyUnreachable | crate::fact::FactKind::BackendPort);
    let cited = cited_containers(fact);
    case.scene
        .containers
        .iter()
        .filter(|c| {
            names.contains(c.component())
                || names.contains(c.name.as_str())
                || cited.contains(&c.index)
                || c.mounts.iter().any(|m| paths.iter().any(|p| under(&m.source, p) || under(p, &m.source)))
                || proxied && case.topology.is_proxy(c.component())
        })
        .collect()
}

/// Those containers with the keys that readers use.
fn containers(case: &Case<'_>, fact: &Fact) -> Option<String> {
    let document = case.answers.document(&Probe::Docker(DockerTable::Inspect))?;
    let all: Value = serde_json::from_str(document.text.as_str()).ok()?;
    let kept = concerned(case, fact).into_iter().filter_map(|c| all.get(c.index).map(trimmed));
    let lines: Vec<String> = kept.map(|c| c.to_string()).collect();
    Some(format!("[{}]\n", lines.join(",\n")))
}

/// Indices of containers that the reasons cite: `docker/inspect.json#/2/…`.
fn cited_containers(fact: &Fact) -> BTreeSet<usize> {
    let reasons = fact.because.iter().chain(&fact.against);
    reasons
        .flat_map(|r| &r.evidence)
        .filter_map(|c| c.locator.strip_prefix("docker/inspect.json#/")?.split('/').next()?.parse().ok())
        .collect()
}

fn live_paths(fact: &Fact) -> Vec<&str> {
    fact.subjects.iter().filter_map(|s| if let Subject::Path(path) = s { Some(path.as_str()) } else { None }).collect()
}

/// An object of `docker inspect` with what readers use, the rest left out.
fn trimmed(value: &Value) -> Value {
    let pick = |from: &Value, keys: &[&str]| -> Value {
        let object: Map<String, Value> =
            keys.iter().filter_map(|k| Some(((*k).to_owned(), from.get(*k)?.clone()))).collect();
        Value::Object(object)
    };
    let at = |key: &str| value.get(key).cloned().unwrap_or(Value::Null);
    let mut config =
        pick(&at("Config"), &["Image", "Cmd", "Entrypoint", "Env", "ExposedPorts", "Labels", "WorkingDir"]);
    if let Some(env) = config.get_mut("Env").and_then(Value::as_array_mut) {
        env.retain(|v| v.as_str().is_none_or(|v| !v.starts_with("PATH=")));
    }
    if let Some(labels) = config.get_mut("Labels").and_then(Value::as_object_mut) {
        labels.retain(|k, _| !k.starts_with("org.opencontainers") && !k.starts_with("desktop."));
    }
    let networks: Map<String, Value> = value
        .pointer("/NetworkSettings/Networks")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
        .map(|(name, n)| (name.clone(), pick(n, &["Aliases", "IPAddress"])))
        .collect();
    let mounts: Vec<Value> = at("Mounts")
        .as_array()
        .into_iter()
        .flatten()
        .map(|m| pick(m, &["Type", "Name", "Source", "Destination", "RW"]))
        .collect();
    without_nothing(json!({
        "Id": at("Id"),
        "Name": at("Name"),
        "Created": at("Created"),
        "Image": at("Image"),
        "State": pick(&at("State"), &["Status", "Running", "Pid", "ExitCode", "StartedAt", "FinishedAt"]),
        "Config": config,
        "HostConfig": pick(&at("HostConfig"), &["NetworkMode", "RestartPolicy"]),
        "Mounts": mounts,
        "NetworkSettings": { "Networks": networks, "Ports": value.pointer("/NetworkSettings/Ports").cloned().unwrap_or(Value::Null) },
    }))
}

/// Leaves out keys that say nothing; lists stay, since an empty one is an answer.
fn without_nothing(value: Value) -> Value {
    match value {
        Value::Object(all) => {
            let kept = all.into_iter().filter(|(_, v)| !v.is_null() && v.as_str() != Some(""));
            Value::Object(kept.map(|(k, v)| (k, without_nothing(v))).collect())
        }
        other => other,
    }
}

/// State of the subjects, of what lies above them, and of what the containers have mounted:
/// a listing without these would say that they are gone.
fn tree(case: &Case<'_>, fact: &Fact) -> Option<String> {
    let subjects = live_paths(fact);
    let concerned = concerned(case, fact);
    let mounts: Vec<&str> = concerned.iter().flat_map(|c| &c.mounts).map(|m| m.source.as_str()).collect();
    let mut rows = String::new();
    for (path, state) in &case.scene.paths {
        let near = subjects.iter().any(|s| under(s, path) || s == path)
            || mounts.iter().any(|m| !m.is_empty() && (under(m, path) || path == m))
            || is_marker(path) && mounts.iter().any(|m| under(path, m));
        if !near || !state.exists || path == "/" {
            continue;
        }
        let kind = state.kind.unwrap_or('d');
        let mode = state.mode.map(|m| format!("{m:04o}")).unwrap_or_default();
        let inode = state.inode.map(|i| i.to_string()).unwrap_or_default();
        let changed = state.changed.map(|t| t.to_string()).unwrap_or_default();
        rows.push_str(&format!("{kind}\t{mode}\t{}\t{changed}\t{inode}\t{path}\n", state.size.unwrap_or(0)));
    }
    let known = !case.scene.paths.is_empty() && !subjects.is_empty();
    known.then(|| format!("type\tmode\tsize\tmtime\tinode\tpath\n{rows}"))
}

fn header(case: &Case<'_>) -> String {
    let mut text = "schema = \"coroner/casefile/v1\"\n".to_owned();
    if let Some(now) = case.scene.now {
        text.push_str(&format!("collected_at = \"{now}\"\n"));
    }
    text
}

/// Directories of the fact's subjects that containers have mounted.
fn live_data(case: &Case<'_>, fact: &Fact) -> Vec<String> {
    let mounted = |path: &&str| {
        case.scene.containers.iter().any(|c| c.mounts.iter().any(|m| m.source == **path && m.kind != "tmpfs"))
    };
    live_paths(fact).into_iter().filter(mounted).map(str::to_owned).collect()
}
