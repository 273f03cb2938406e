//! What of a project is worth writing down: its data, backups, secrets, public addresses and owners.

use std::collections::{BTreeMap, BTreeSet};

use coroner_model::{Answers, Probe};
use coroner_read::{proxy_config, tree};

use crate::guard::backup::is_kept_copy;
use crate::guard::spared;
use crate::scene::{PathState, Scene};

/// Levels below the root that are looked through for backups.
const TREE_DEPTH_MAX: u32 = 5;
/// Levels below a folder of backups outside of the project.
const BACKUP_DEPTH_MAX: u32 = 2;
/// Most entries of one kind.
const ENTRIES_MAX: usize = 50;
/// Equal secret names by which two files are copies of each other.
const EQUAL_NAMES_MIN: usize = 2;

/// What was found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Found {
    /// Compose projects: name and files.
    pub projects: Vec<(String, Vec<String>)>,
    /// Paths in which services keep their data, with whose they are.
    pub data: Vec<(String, String)>,
    /// Backups: a name and the pattern of their files.
    pub backups: Vec<(String, String)>,
    /// Files that hold the same secrets.
    pub secret_copies: Vec<Vec<String>>,
    pub secret_files: Vec<String>,
    /// Addresses that people use.
    pub urls: Vec<String>,
    pub ownership: Option<Owned>,
}

/// Whose the project's tree is.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Owned {
    pub root: String,
    pub owner: String,
    /// Paths of others, relative to the root where they lie in it: path, owner, mode where it is private.
    pub exceptions: Vec<(String, String, Option<String>)>,
}

/// What is looked at beside the scene of a check.
pub fn ask(root: &str, home: Option<&str>) -> Vec<Probe> {
    let mut probes =
        vec![Probe::Stat { path: root.to_owned() }, Probe::Tree { root: root.to_owned(), depth_max: TREE_DEPTH_MAX }];
    let outside = home.into_iter().map(|home| format!("{home}/backups"));
    let usual = ["/srv/backups", "/opt/backups", "/backups", "/backup", "/mnt/backups", "/var/backups"];
    let folders = outside.chain(usual.map(str::to_owned));
    probes.extend(folders.map(|root| Probe::Tree { root, depth_max: BACKUP_DEPTH_MAX }));
    probes
}

/// Reads the answers to a check and to [`ask`].
pub fn found(root: &str, answers: &Answers) -> Found {
    let scene = Scene::read(answers);
    let listed: Vec<tree::Entry> = answers
        .iter()
        .filter(|(probe, _)| matches!(probe, Probe::Tree { .. }))
        .filter_map(|(_, answer)| answer.as_ref().ok())
        .flatten()
        .flat_map(tree::read)
        .collect();
    let data = data(answers);
    let mut out = Found {
        projects: scene.projects.iter().map(|p| (p.name.clone(), p.files.clone())).collect(),
        backups: backups(&listed),
        urls: urls(&scene),
        ownership: ownership(root, &scene, &listed, &data),
        data,
        ..Found::default()
    };
    (out.secret_files, out.secret_copies) = secrets(&scene);
    out.projects.retain(|(_, files)| !files.is_empty());
    out
}

/// Bind mounts only: volumes are known by their name.
fn data(answers: &Answers) -> Vec<(String, String)> {
    let engine = ["/var/lib/docker/", "/var/lib/containers/", "/run/", "/var/run/"];
    let mut data: Vec<(String, String)> = spared(answers)
        .into_iter()
        .filter(|one| one.why.starts_with("data of ") && !engine.iter().any(|top| one.path.starts_with(top)))
        .map(|one| (one.path, one.why))
        .collect();
    data.truncate(ENTRIES_MAX);
    data
}

/// One pattern for the files of a folder that end alike.
fn backups(listed: &[tree::Entry]) -> Vec<(String, String)> {
    let mut patterns: BTreeSet<(String, String)> = BTreeSet::new();
    for entry in listed.iter().filter(|entry| entry.kind == Some('f') && is_kept_copy(&entry.path)) {
        let Some((folder, name)) = entry.path.rsplit_once('/') else { continue };
        // The system's own lists of packages are none of the project's.
        if folder == "/var/backups" {
            continue;
        }
        let end = ["sql.gz", "sql.zst", "tar.gz", "tar.zst", "tar.xz", "dump.gz"]
            .into_iter()
            .find(|end| name.ends_with(&format!(".{end}")))
            .or_else(|| name.rsplit_once('.').map(|(_, end)| end));
        let Some(end) = end.filter(|end| !end.contains(['*', '?', '['])) else { continue };
        if !folder.contains(['*', '?', '[']) {
            patterns.insert((folder.to_owned(), end.to_owned()));
        }
    }
    let mut names: BTreeMap<String, usize> = BTreeMap::new();
    let name = |folder: &str, names: &mut BTreeMap<String, usize>| {
        let base = folder.rsplit('/').next().unwrap_or("backups").trim_start_matches('.').to_owned();
        let count = names.entry(base.clone()).or_default();
        *count += 1;
        if *count == 1 { base } else { format!("{base}-{count}") }
    };
    let patterns = patterns.into_iter().take(ENTRIES_MAX);
    patterns.map(|(folder, end)| (name(&folder, &mut names), format!("{folder}/*.{end}"))).collect()
}

/// Env files with secrets in them, and the groups that hold the same names.
fn secrets(scene: &Scene) -> (Vec<String>, Vec<Vec<String>>) {
    let mut held: Vec<(&String, BTreeSet<&str>)> = Vec::new();
    for (path, file) in &scene.env_files {
        let names: BTreeSet<&str> =
            file.variables.iter().map(|(name, _, _)| name.as_str()).filter(|name| is_secret_name(name)).collect();
        if !names.is_empty() && !is_sample(path) {
            held.push((path, names));
        }
    }
    let files = held.iter().map(|(path, _)| (*path).clone()).take(ENTRIES_MAX).collect();
    let mut groups: Vec<(Vec<String>, BTreeSet<&str>)> = Vec::new();
    for (path, names) in held {
        let alike = |group: &&mut (Vec<String>, BTreeSet<&str>)| {
            let equal = group.1.intersection(&names).count();
            equal >= EQUAL_NAMES_MIN && 2 * equal >= group.1.len().min(names.len())
        };
        match groups.iter_mut().find(alike) {
            Some(group) => group.0.push(path.clone()),
            None => groups.push((vec![path.clone()], names)),
        }
    }
    let copies = groups.into_iter().map(|(paths, _)| paths).filter(|paths| paths.len() > 1);
    (files, copies.take(ENTRIES_MAX).collect())
}

fn is_secret_name(name: &str) -> bool {
    let name = name.to_ascii_uppercase();
    ["SECRET", "TOKEN", "PASSWORD", "PASSWD", "API_KEY", "APIKEY", "PRIVATE_KEY", "ACCESS_KEY"]
        .iter()
        .any(|word| name.contains(word))
        || name.ends_with("_KEY")
}

fn is_sample(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    ["example", "sample", "template", "dist", "test", "ci"].iter().any(|word| name.split('.').any(|part| part == *word))
}

/// Hosts of proxy routes as addresses.
fn urls(scene: &Scene) -> Vec<String> {
    let mut hosts: BTreeSet<String> = BTreeSet::new();
    for container in &scene.containers {
        let routes = proxy_config::of_labels(&container.labels, &|name| container.variable(name));
        hosts.extend(routes.into_iter().filter(|r| r.enabled != Some(false)).flat_map(|r| r.hosts));
    }
    for service in scene.projects.iter().flat_map(|p| &p.services) {
        let variable = |name: &str| service.environment.get(name).map(|v| v.value.as_str());
        let routes = proxy_config::of_labels(&service.labels, &variable);
        hosts.extend(routes.into_iter().filter(|r| r.enabled != Some(false)).flat_map(|r| r.hosts));
    }
    hosts.extend(scene.upstreams.iter().map(|u| u.route.split('/').next().unwrap_or_default().to_owned()));
    hosts.into_iter().filter(|host| is_public(host)).take(ENTRIES_MAX).map(|host| format!("https://{host}/")).collect()
}

/// Whether people reach a host by that name, and not only this machine or its network.
fn is_public(host: &str) -> bool {
    let plain = host.chars().all(|c| c.is_ascii_alphanumeric() || "-.".contains(c));
    let local = [".local", ".localhost", ".internal", ".lan", ".test", ".home", ".arpa", ".invalid"];
    let number = host.chars().all(|c| c.is_ascii_digit() || c == '.');
    plain && !number && host.contains('.') && !host.starts_with('.') && !local.iter().any(|end| host.ends_with(end))
}

fn ownership(root: &str, scene: &Scene, listed: &[tree::Entry], data: &[(String, String)]) -> Option<Owned> {
    let owner = |user: &Option<String>, uid: Option<u32>, group: &Option<String>, gid: Option<u32>| {
        let shown = |name: &Option<String>, id: Option<u32>| {
            name.clone()
                .filter(|n| !n.is_empty() && !n.contains(char::is_whitespace))
                .or_else(|| id.map(|id| id.to_string()))
        };
        Some(format!("{}:{}", shown(user, uid)?, shown(group, gid)?))
    };
    let of_state = |state: &PathState| owner(&state.user, state.uid, &state.group, state.gid);
    let of_entry = |entry: &tree::Entry| owner(&entry.user, entry.uid, &entry.group, entry.gid);
    let top = scene.paths.get(root).filter(|state| state.exists && state.kind == Some('d'))?;
    let whose = of_state(top)?;
    let below = |path: &str| path.strip_prefix(root)?.strip_prefix('/').map(str::to_owned);
    let mut exceptions: BTreeMap<String, (String, Option<String>)> = BTreeMap::new();
    for (path, _) in data {
        let known = scene.paths.get(path).filter(|s| s.exists).and_then(of_state);
        let known = known.or_else(|| listed.iter().find(|e| e.path == *path).and_then(of_entry));
        if let (Some(inside), Some(owner)) = (below(path), known.filter(|owner| *owner != whose)) {
            exceptions.insert(inside, (owner, None));
        }
    }
    for entry in listed.iter().filter(|entry| entry.kind == Some('f')) {
        let name = entry.path.rsplit('/').next().unwrap_or_default();
        let private = ["acme.json", "server.key"].contains(&name) && entry.mode.is_some_and(|mode| mode & 0o077 == 0);
        if let (true, Some(inside), Some(owner)) = (private, below(&entry.path), of_entry(entry)) {
            let mode = entry.mode.map(|mode| format!("{:04o}", mode & 0o7777));
            exceptions.insert(inside, (owner, mode));
        }
    }
    let exceptions =
        exceptions.into_iter().take(ENTRIES_MAX).map(|(path, (owner, mode))| (path, owner, mode)).collect();
    Some(Owned { root: root.to_owned(), owner: whose, exceptions })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_that_people_use() {
        for host in ["shop.example.org", "a-b.co"] {
            assert!(is_public(host), "{host}");
        }
        for host in ["localhost", "10.0.0.1", "db", "x.internal", "*.example.org", "{{host}}", "printer.lan", ""] {
            assert!(!is_public(host), "{host}");
        }
    }

    #[test]
    fn backups_make_one_pattern_a_folder_and_ending() {
        let entry = |path: &str| tree::Entry { path: path.into(), kind: Some('f'), ..tree::Entry::default() };
        let found = backups(&[
            entry("/srv/backups/a.sql.gz"),
            entry("/srv/backups/b.sql.gz"),
            entry("/srv/app/backups/x.dump"),
            entry("/var/backups/dpkg.status.1.gz"),
            entry("/srv/app/src/archive.tar"),
        ]);
        let wanted = [("backups", "/srv/app/backups/*.dump"), ("backups-2", "/srv/backups/*.sql.gz")];
        assert_eq!(found, wanted.map(|(a, b)| (a.to_owned(), b.to_owned())));
    }
}
