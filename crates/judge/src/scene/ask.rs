//! Which probes a goal needs, round by round: each looks at what the last one named.

use std::collections::BTreeSet;

use coroner_model::probe::{DockerTable, FileClass, GitTable, HostTable, Why};
use coroner_model::{Answers, CouldNotLook, Probe};
use coroner_read::docker::Container;
use coroner_read::{compose, proxy_config, settings};

use super::{Goal, Scene, code, project, read};
use crate::detect::{credential_stale, log_unbounded, within};

/// Most source texts that are read.
const CODE_FILES_MAX: usize = 300;
/// Most env and proxy files that are read beyond those that a project names.
const LISTED_FILES_MAX: usize = 60;
/// Most paths whose state is looked at.
const STATS_MAX: usize = 200;
/// Most containers whose log is read.
const LOGS_MAX: usize = 20;

/// The probes that are still unanswered.
pub(super) fn ask(goal: &Goal, answers: &Answers) -> Vec<Probe> {
    let mut wanted = first_round(goal);
    if wanted.iter().all(|p| answers.has(p)) {
        later_rounds(goal, answers, &mut wanted);
    }
    wanted.retain(|p| !answers.has(p));
    wanted.into_iter().collect()
}

fn first_round(goal: &Goal) -> BTreeSet<Probe> {
    let mut wanted: BTreeSet<Probe> = BTreeSet::new();
    let docker = [DockerTable::Inspect, DockerTable::Networks, DockerTable::Volumes];
    wanted.insert(Probe::Config);
    wanted.extend(docker.map(Probe::Docker));
    let roots: Vec<Option<String>> = match goal {
        Goal::CheckPaths(paths) => paths.iter().map(|p| Some(directory_of(p))).collect(),
        _ => vec![None],
    };
    for root in &roots {
        wanted.insert(Probe::Files { root: root.clone(), class: FileClass::Compose });
    }
    if *goal == Goal::Guard {
        return wanted;
    }
    for root in &roots {
        for class in [FileClass::Env, FileClass::Proxy, FileClass::Code] {
            wanted.insert(Probe::Files { root: root.clone(), class });
        }
    }
    let host = [HostTable::Df, HostTable::Date, HostTable::Listeners, HostTable::Whoami];
    wanted.extend(host.map(Probe::Host));
    if matches!(goal, Goal::Check | Goal::CheckPaths(_)) {
        wanted.insert(Probe::Secrets);
    }
    wanted.extend(
        [DockerTable::Images, DockerTable::Inodes, DockerTable::Samples, DockerTable::Context].map(Probe::Docker),
    );
    if let Goal::Investigate { since, until } = goal {
        wanted.insert(Probe::Sessions { since: *since, until: *until });
        wanted.insert(Probe::HttpRecorded);
        wanted.insert(Probe::Logs);
    }
    wanted
}

/// The directory of a named file; a directory itself.
fn directory_of(path: &str) -> String {
    let name = path.rsplit('/').next().unwrap_or(path);
    let is_file = name.contains('.') && name.len() > 1 && !name.starts_with('.');
    if is_file { path.rsplit_once('/').map_or("/", |(d, _)| d).to_owned() } else { path.to_owned() }
}

fn later_rounds(goal: &Goal, answers: &Answers, wanted: &mut BTreeSet<Probe>) {
    // A listing of the containers is better than nothing.
    let unrecorded = |e: &CouldNotLook| e.why == Why::NotRecorded;
    if answers.get(&Probe::Docker(DockerTable::Inspect)).is_some_and(|a| a.as_ref().is_err_and(unrecorded)) {
        wanted.insert(Probe::Docker(DockerTable::Ps));
        if !answers.has(&Probe::Docker(DockerTable::Ps)) {
            return;
        }
    }
    let containers = read::containers(answers);
    let sessions = read::sessions(answers);
    let plans = project::plans(answers, &containers, &sessions);
    let projects = project::projects(answers, &plans);
    files_of_projects(&plans, &projects, wanted);
    if *goal == Goal::Guard {
        stats(&containers, &projects, wanted);
        return;
    }
    stats(&containers, &projects, wanted);
    let markers = containers.iter().flat_map(credential_stale::markers);
    wanted.extend(markers.take(STATS_MAX).map(|path| Probe::Stat { path }));
    listed_files(answers, &containers, &projects, wanted);
    route_files(answers, &projects, wanted);
    if projects.iter().any(log_unbounded::matters) {
        wanted.insert(Probe::File { path: log_unbounded::ENGINE_SETTINGS.to_owned() });
    }
    for path in read::config(answers).0.secret_copies().concat() {
        wanted.extend([Probe::Stat { path: path.clone() }, Probe::File { path }]);
    }
    code_files(answers, &containers, &projects, wanted);
    if let Goal::Investigate { since, until } = goal {
        let mut repositories: Vec<String> = projects.iter().map(|p| p.directory.clone()).collect();
        repositories.extend(read::config(answers).0.root.split_whitespace().map(str::to_owned));
        repositories.sort();
        repositories.dedup();
        if repositories.is_empty() {
            repositories.push("/".to_owned());
        }
        for repository in repositories {
            wanted.insert(Probe::Git { repository, table: GitTable::Log, since: *since, until: *until });
        }
    }
    logs(&containers, &projects, wanted);
}

fn files_of_projects(plans: &[project::Plan], projects: &[compose::Project], wanted: &mut BTreeSet<Probe>) {
    let file = |path: &String| Probe::File { path: path.clone() };
    for plan in plans {
        wanted.extend(plan.files.iter().map(file));
        wanted.extend(plan.env_files.iter().flatten().map(file));
    }
    for project in projects {
        wanted.extend(project.wanted.iter().map(|w| Probe::File { path: w.path.clone() }));
    }
}

/// State of what containers mount and of the files that make their environment.
fn stats(containers: &[Container], projects: &[compose::Project], wanted: &mut BTreeSet<Probe>) {
    let mut paths: BTreeSet<String> = BTreeSet::new();
    for container in containers {
        paths.extend(container.mounts.iter().filter(|m| m.kind == "bind").map(|m| m.source.clone()));
        paths.extend(
            container
                .mounts
                .iter()
                .filter(|m| m.kind == "volume" && m.source.starts_with('/'))
                .map(|m| m.source.clone()),
        );
    }
    for project in projects {
        paths.extend(project.files.iter().chain(&project.env_files).cloned());
        for service in &project.services {
            paths.extend(service.env_files.iter().cloned());
            paths.extend(
                service
                    .volumes
                    .iter()
                    .filter(|v| v.kind == "bind" && v.source.starts_with('/'))
                    .map(|v| v.source.clone()),
            );
        }
    }
    // When the entry left its directory, the directory changed.
    let parents: Vec<String> = paths
        .iter()
        .filter_map(|p| p.rsplit_once('/'))
        .filter(|(d, _)| !d.is_empty())
        .map(|(d, _)| d.to_owned())
        .collect();
    paths.extend(parents);
    wanted.extend(paths.into_iter().take(STATS_MAX).map(|path| Probe::Stat { path }));
}

/// Env and proxy files that a listing showed.
fn listed_files(
    answers: &Answers,
    containers: &[Container],
    projects: &[compose::Project],
    wanted: &mut BTreeSet<Probe>,
) {
    for class in [FileClass::Env, FileClass::Proxy] {
        let paths: Vec<String> = project::listed(answers, class).into_iter().take(LISTED_FILES_MAX).collect();
        for path in paths {
            if class == FileClass::Env {
                wanted.insert(Probe::Stat { path: path.clone() });
            }
            wanted.insert(Probe::File { path });
        }
    }
    // Configuration that is mounted into a proxy under any name.
    for source in read::mounted_into_proxies(containers, projects).filter(|path| may_hold_routes(path)) {
        if is_proxy_file(source) {
            wanted.insert(Probe::File { path: source.to_owned() });
            continue;
        }
        let listing = Probe::Files { root: Some(source.to_owned()), class: FileClass::Code };
        let text = answers.document(&listing).map_or("", |d| d.text.as_str());
        let below = text.lines().map(str::trim).filter(|path| is_proxy_file(path)).take(LISTED_FILES_MAX);
        wanted.extend(below.map(|path| Probe::File { path: path.to_owned() }));
        wanted.insert(listing);
    }
}

/// Files beside a project's proxy that may hold routes, read or not.
fn route_files(answers: &Answers, projects: &[compose::Project], wanted: &mut BTreeSet<Probe>) {
    let by_file = |word: &str| word.to_ascii_lowercase().starts_with("--providers.file.");
    let has_provider = |project: &&compose::Project| {
        project.services.iter().any(|s| s.command.iter().chain(&s.entrypoint).any(|w| by_file(w)))
    };
    let listed = project::listed(answers, FileClass::Code);
    for project in projects.iter().filter(has_provider) {
        let inside = listed.iter().filter(|p| within(p, &project.directory) && may_route(p));
        wanted.extend(inside.take(LISTED_FILES_MAX).map(|path| Probe::File { path: path.clone() }));
    }
}

/// Whether a file may hold routes by its name, or is the template of one that may.
pub(super) fn may_route(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path).to_ascii_lowercase();
    let name = TEMPLATES.iter().find_map(|end| name.strip_suffix(end)).unwrap_or(&name);
    let compose = name.split(['.', '-', '_']).any(|word| word == "compose");
    !compose && [".yml", ".yaml", ".toml"].iter().any(|end| name.ends_with(end))
}

/// Ends of the names of templates.
const TEMPLATES: [&str; 5] = [".j2", ".jinja", ".jinja2", ".tpl", ".tmpl"];

/// Whether what a proxy has mounted can be a file of its configuration or a folder of such.
fn may_hold_routes(path: &str) -> bool {
    let kernel = ["/proc", "/sys", "/dev", "/run", "/var/run", "/var/log", "/etc/ssl", "/etc/letsencrypt"];
    let under = |root: &str| path == root || path.starts_with(&format!("{root}/"));
    path.starts_with('/') && path != "/" && !kernel.iter().any(|root| under(root))
}

fn is_proxy_file(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    may_route(path)
        || [".conf", ".cfg", ".yml", ".yaml", ".toml"].iter().any(|e| name.ends_with(e))
        || name.eq_ignore_ascii_case("caddyfile")
}

/// Source texts that can hold defaults: under project directories, and inside containers.
fn code_files(
    answers: &Answers,
    containers: &[Container],
    projects: &[compose::Project],
    wanted: &mut BTreeSet<Probe>,
) {
    let mut roots: BTreeSet<String> = BTreeSet::new();
    for project in projects.iter().filter(|p| !p.services.is_empty()) {
        roots.insert(project.directory.clone());
        let contexts = project.services.iter().map(|s| s.build_context.clone());
        roots.extend(contexts.filter(|c| c.starts_with('/') && !c.starts_with(&format!("{}/", project.directory))));
    }
    let listed = project::listed(answers, FileClass::Code);
    for root in roots.into_iter().filter(|r| r != "/") {
        let covered = answers.has(&Probe::Files { root: None, class: FileClass::Code })
            && listed.iter().any(|path| path.starts_with(&format!("{root}/")));
        if !covered {
            wanted.insert(Probe::Files { root: Some(root), class: FileClass::Code });
        }
    }
    let texts = listed.into_iter().filter(|p| settings::is_source(p) && code::is_production(p));
    wanted.extend(texts.take(CODE_FILES_MAX).map(|path| Probe::File { path }));
    for container in containers {
        for path in code::scripts(container, answers) {
            wanted.insert(Probe::ContainerFile { container: container.name.clone(), path });
        }
    }
}

/// Logs that say what a backend listens on and whom a server refuses.
fn logs(containers: &[Container], projects: &[compose::Project], wanted: &mut BTreeSet<Probe>) {
    let upstream = |c: &Container| !proxy_config::of_labels(&c.labels, &|n| c.variable(n)).is_empty();
    let proxied = read::mounted_into_proxies(containers, projects).next().is_some()
        || containers.iter().any(|c| proxy_config::Kind::of_image(&c.image).is_some());
    let chosen = containers.iter().filter(|c| upstream(c) || proxied || credential_stale::is_server(c));
    wanted.extend(chosen.take(LOGS_MAX).map(|c| Probe::ContainerLog { container: c.name.clone() }));
}

impl Scene {
    /// Whether anything at all answered, so that an empty scene is not "found nothing".
    pub fn looked_at_something(answers: &Answers) -> bool {
        answers.iter().any(|(_, answer)| answer.is_ok())
    }
}
