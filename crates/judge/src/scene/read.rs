//! Reads every answer once.

use std::collections::BTreeSet;

use coroner_model::probe::{DockerTable, FileClass, HostTable, Why};
use coroner_model::session::Session;
use coroner_model::{Answers, CouldNotLook, Document, Probe};
use coroner_read::config::Config;
use coroner_read::docker::{self, Container};
use coroner_read::{
    df, docker_ps, dockerfile, dotenv, exchange, git_log, listeners, proxy_config, samples, secret_table, settings,
    transcript, tree,
};

use super::{DockerProvider, EnvFile, Log, PathState, RouteFile, Scene, SettingDefault, Upstream, code, project};
use crate::detect::credential_stale::is_marker;
use crate::detect::{log_unbounded, within};

/// Reads all answers into a scene.
pub(super) fn read(answers: &Answers) -> Scene {
    let (config, mut problems) = config(answers);
    let containers = containers(answers);
    let sessions = sessions(answers);
    let plans = project::plans(answers, &containers, &sessions);
    let projects = project::projects(answers, &plans);
    problems.extend(unreadable_tables(answers));
    for problem in projects.iter().flat_map(|p| &p.problems) {
        let line = if problem.line > 0 { format!(", line {}", problem.line) } else { String::new() };
        problems.push(obstacle(format!("file {}{line}", problem.path), &problem.reason));
    }
    let mut scene = Scene {
        now: now(answers, &config),
        protected: config.protect.paths.clone(),
        containers_known: [DockerTable::Inspect, DockerTable::Ps]
            .map(|table| matches!(answers.get(&Probe::Docker(table)), Some(Ok(_))))
            .contains(&true),
        volumes_known: matches!(answers.get(&Probe::Docker(DockerTable::Volumes)), Some(Ok(_))),
        networks: table(answers, DockerTable::Networks, docker::networks),
        volumes: table(answers, DockerTable::Volumes, docker::volumes),
        images: table(answers, DockerTable::Images, docker::images),
        logs: logs(answers, &containers),
        config,
        containers,
        projects,
        sessions,
        ..Scene::default()
    };
    for (probe, documents) in answers.iter().filter_map(|(p, a)| Some((p, a.as_ref().ok()?))) {
        for document in documents {
            take(&mut scene, probe, document, &mut problems);
        }
    }
    scene.unlisted = unlisted(answers);
    read_files(&mut scene, answers);
    scene.could_not_look = could_not_look(answers);
    scene.could_not_look.extend(problems);
    scene.could_not_look.sort();
    scene.could_not_look.dedup();
    scene
}

/// What one document of an answer adds.
fn take(scene: &mut Scene, probe: &Probe, document: &Document, problems: &mut Vec<CouldNotLook>) {
    match probe {
        Probe::Secrets => scene.secrets.extend(secret_table::read(document.text.as_str())),
        Probe::Host(HostTable::Df) => scene.filesystems.extend(df::read(document)),
        Probe::Host(HostTable::Listeners) => scene.listeners.extend(listeners::read(document)),
        Probe::Docker(DockerTable::Inodes) => scene.mount_inodes.extend(samples::inodes(document)),
        Probe::Docker(DockerTable::Samples) => {
            let (read, bad) = samples::read(document);
            scene.samples.extend(read);
            if bad > 0 {
                problems.push(obstacle(document.path.clone(), &format!("{bad} lines are no JSON")));
            }
        }
        Probe::Stat { path } => {
            let rows = tree::read(document);
            let state = rows.into_iter().find(|e| e.path == *path).map_or_else(PathState::default, path_state);
            scene.paths.insert(path.clone(), state);
        }
        Probe::Tree { .. } => {
            for entry in tree::read(document) {
                scene.paths.insert(entry.path.clone(), path_state(entry));
            }
        }
        Probe::Git { .. } => scene.commits.extend(git_log::read(document)),
        Probe::HttpGet { .. } | Probe::HttpRecorded => match exchange::read(document) {
            Ok(read) => scene.exchanges.extend(read),
            Err(error) => problems.push(obstacle(document.path.clone(), &error.to_string())),
        },
        _ => {}
    }
}

/// Paths whose state was asked for and on which the recorded listing is silent.
fn unlisted(answers: &Answers) -> BTreeSet<String> {
    let silent = |answer: &Result<Vec<Document>, CouldNotLook>| {
        answer.as_ref().is_err_and(|error| error.why == Why::NotRecorded)
    };
    answers
        .iter()
        .filter(|(_, answer)| silent(answer))
        .filter_map(|(probe, _)| match probe {
            Probe::Stat { path } => Some(path.clone()),
            _ => None,
        })
        .collect()
}

fn path_state(entry: tree::Entry) -> PathState {
    PathState {
        exists: true,
        kind: entry.kind,
        mode: entry.mode,
        uid: entry.uid,
        gid: entry.gid,
        user: entry.user,
        group: entry.group,
        size: entry.size,
        changed: entry.changed,
        inode: entry.inode,
        dev: entry.dev,
        link_target: entry.link_target,
        at: entry.at,
    }
}

/// Env files, source texts and proxy files among the files that were read.
fn read_files(scene: &mut Scene, answers: &Answers) {
    let env_paths = project::listed(answers, FileClass::Env);
    let mut named: Vec<&String> = scene
        .projects
        .iter()
        .flat_map(|p| p.env_files.iter().chain(p.services.iter().flat_map(|s| &s.env_files)))
        .collect();
    named.extend(&env_paths);
    let copies = scene.config.secret_copies().concat();
    named.extend(&copies);
    let named: Vec<String> = named.into_iter().cloned().collect();
    let proxied = project::listed(answers, FileClass::Proxy);
    for (probe, answer) in answers.iter() {
        let (Ok(documents), Some(document)) = (answer, answer.as_ref().ok().and_then(|d| d.first())) else { continue };
        match probe {
            Probe::File { path } => {
                if named.contains(path) {
                    scene.env_files.insert(path.clone(), env_file(path, document));
                }
                if proxied.contains(path) || is_mounted_into_proxy(scene, path) {
                    scene.upstreams.extend(upstreams(path, document));
                    let told = proxy_config::docker_provider(document);
                    scene.docker_providers.extend(told.map(|told| DockerProvider { path: path.clone(), told }));
                }
                if dockerfile::is_dockerfile(path) {
                    let read = dockerfile::read(document.text.as_str());
                    scene.dockerfiles.insert(path.clone(), (read, document.clone()));
                }
                if *path == log_unbounded::ENGINE_SETTINGS {
                    scene.engine_bounds_logs = log_unbounded::engine_bounds(document.text.as_str());
                }
                if super::ask::may_route(path) {
                    let dynamic = proxy_config::traefik::dynamic(document);
                    let told = proxy_config::traefik::static_of_file(document);
                    scene.route_files.insert(path.clone(), RouteFile { document: document.clone(), dynamic, told });
                }
                if settings::is_source(path) && code::is_production(path) {
                    scene.settings.extend(documents.iter().flat_map(|d| setting_defaults(d, path, None)));
                }
            }
            Probe::ContainerFile { container, path } => {
                scene.settings.extend(documents.iter().flat_map(|d| setting_defaults(d, path, Some(container))));
            }
            _ => {}
        }
    }
    for (path, file) in &mut scene.env_files {
        file.changed = scene.paths.get(path).and_then(|p| p.changed);
    }
}

fn env_file(path: &str, document: &Document) -> EnvFile {
    let read = dotenv::read(document.text.as_str(), &|_| None);
    let variables = read.assignments.into_iter().filter(|a| !a.inherited);
    EnvFile {
        path: path.to_owned(),
        variables: variables.map(|a| (a.name, a.value, document.cite_line(a.line))).collect(),
        changed: None,
    }
}

fn is_mounted_into_proxy(scene: &Scene, path: &str) -> bool {
    mounted_into_proxies(&scene.containers, &scene.projects).any(|source| within(path, source))
}

/// Paths of the host that proxies have mounted.
pub(super) fn mounted_into_proxies<'a>(
    containers: &'a [Container],
    projects: &'a [coroner_read::compose::Project],
) -> impl Iterator<Item = &'a str> {
    let words = |entrypoint: &'a [String], command: &'a [String]| entrypoint.iter().chain(command).map(String::as_str);
    let running = containers
        .iter()
        .filter(move |c| proxy_config::Kind::of(&c.image, words(&c.entrypoint, &c.cmd)).is_some())
        .flat_map(|c| c.mounts.iter().filter(|m| m.kind == "bind").map(|m| m.source.as_str()));
    let declared = projects
        .iter()
        .flat_map(|p| &p.services)
        .filter(move |s| proxy_config::Kind::of(&s.image, words(&s.entrypoint, &s.command)).is_some())
        .flat_map(|s| s.volumes.iter().filter(|v| v.kind == "bind").map(|v| v.source.as_str()));
    running.chain(declared)
}

fn upstreams(path: &str, document: &Document) -> Vec<Upstream> {
    proxy_config::read(document)
        .into_iter()
        .map(|u| Upstream {
            proxy: u.kind.as_str().to_owned(),
            path: path.to_owned(),
            kind: u.kind,
            route: u.route,
            host: u.host,
            port: u.port,
            at: u.at,
        })
        .collect()
}

fn setting_defaults(document: &Document, path: &str, container: Option<&str>) -> Vec<SettingDefault> {
    let loads_dotenv = settings::loads_dotenv(document);
    settings::read(document)
        .into_iter()
        .map(|r| SettingDefault {
            variable: r.variable,
            default: r.default,
            at: r.at,
            development_only: r.development_only,
            any_case: r.any_case,
            when_empty: r.when_empty,
            loads_dotenv,
            in_image: r.in_image,
            path: path.to_owned(),
            container: container.map(str::to_owned),
        })
        .collect()
}

/// The containers of the engine's answer; text that cannot be read gives none and is told elsewhere.
pub(super) fn containers(answers: &Answers) -> Vec<Container> {
    match answers.get(&Probe::Docker(DockerTable::Inspect)) {
        Some(Err(_)) => {
            let listing = answers.document(&Probe::Docker(DockerTable::Ps));
            listing.map(|d| docker_ps::containers(d.text.as_str())).unwrap_or_default()
        }
        _ => table(answers, DockerTable::Inspect, docker::containers),
    }
}

fn table<T>(answers: &Answers, table: DockerTable, parse: fn(&str) -> Result<Vec<T>, serde_json::Error>) -> Vec<T> {
    let document = answers.document(&Probe::Docker(table));
    document.and_then(|d| parse(d.text.as_str()).ok()).unwrap_or_default()
}

fn unreadable_tables(answers: &Answers) -> Vec<CouldNotLook> {
    let check = |table: DockerTable, error: Option<serde_json::Error>| {
        let document = answers.document(&Probe::Docker(table))?;
        Some(obstacle(document.path.clone(), &error?.to_string()))
    };
    let text = |table| answers.document(&Probe::Docker(table)).map_or("", |d| d.text.as_str());
    let mut all: Vec<CouldNotLook> = text_tables(answers);
    let docker = [
        check(DockerTable::Inspect, docker::containers(text(DockerTable::Inspect)).err()),
        check(DockerTable::Networks, docker::networks(text(DockerTable::Networks)).err()),
        check(DockerTable::Volumes, docker::volumes(text(DockerTable::Volumes)).err()),
        check(DockerTable::Images, docker::images(text(DockerTable::Images)).err()),
    ];
    all.extend(docker.into_iter().flatten());
    all
}

/// Tables of plain text that hold something, and no line of it can be read.
fn text_tables(answers: &Answers) -> Vec<CouldNotLook> {
    let check = |table: HostTable, is_row: fn(&str) -> bool, is_known: fn(&Document) -> bool| {
        let document = answers.document(&Probe::Host(table))?;
        let rows = document.text.as_str().lines().any(|line| !line.trim().is_empty() && is_row(line));
        let unread = rows && !is_known(document);
        unread.then(|| obstacle(document.path.clone(), "no line of it is what the command prints"))
    };
    // Filesystems without a size are rows too, and tell nothing.
    let df_row = |line: &str| !line.starts_with("Filesystem");
    let df_known = |d: &Document| {
        let sized = |line: &str| line.split_whitespace().any(|w| w == "-" || w.ends_with('%') && w.len() > 1);
        !df::read(d).is_empty() || d.text.as_str().lines().any(sized)
    };
    let any_row = |line: &str| !line.contains("port") && !line.starts_with("Netid");
    [check(HostTable::Df, df_row, df_known), check(HostTable::Listeners, any_row, |d| !listeners::read(d).is_empty())]
        .into_iter()
        .flatten()
        .collect()
}

/// The sessions of every answer that holds transcripts.
pub(super) fn sessions(answers: &Answers) -> Vec<Session> {
    let documents =
        answers.iter().filter(|(p, _)| matches!(p, Probe::Sessions { .. })).filter_map(|(_, a)| a.as_ref().ok());
    documents.flat_map(|d| transcript::read(d)).collect()
}

/// The configuration; of a table that both files have, the casefile's counts.
pub(super) fn config(answers: &Answers) -> (Config, Vec<CouldNotLook>) {
    let mut config = Config::default();
    let mut problems = Vec::new();
    for (index, document) in answers.documents(&Probe::Config).iter().enumerate() {
        match coroner_read::config::read(document.text.as_str()) {
            Ok(read) if index == 0 => config = read,
            Ok(read) => {
                config.protect.paths.extend(read.protect.paths);
                config.backups.extend(read.backups);
                config.ownership.extend(read.ownership);
                config.secrets.extend(read.secrets);
                config.urls.public.extend(read.urls.public);
            }
            Err(reason) => problems.push(obstacle(document.path.clone(), &reason)),
        }
    }
    (config, problems)
}

fn now(answers: &Answers, config: &Config) -> Option<jiff::Timestamp> {
    let configured = config.collected_at.as_ref().and_then(|t| t.moment());
    let date = || tree::time(answers.document(&Probe::Host(HostTable::Date))?.text.as_str().trim());
    configured.or_else(date)
}

/// Every log with the name that people use for whoever wrote it.
fn logs(answers: &Answers, containers: &[Container]) -> Vec<Log> {
    let mut logs: Vec<Log> = Vec::new();
    for (probe, answer) in answers.iter() {
        let Ok(documents) = answer else { continue };
        for document in documents {
            let component = match probe {
                Probe::ContainerLog { container } => {
                    let of = containers.iter().find(|c| c.name == *container || c.id.starts_with(container.as_str()));
                    of.map_or(container.as_str(), Container::component).to_owned()
                }
                Probe::Logs | Probe::LogFile { .. } => stem(&document.path),
                _ => continue,
            };
            if !logs.iter().any(|l| l.document.path == document.path) {
                logs.push(Log { component, document: document.clone() });
            }
        }
    }
    logs
}

/// The component of a log: its file name before the first dot.
fn stem(path: &str) -> String {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.split('.').next().unwrap_or(name).to_owned()
}

/// What could not be looked at and would have mattered: a guess that missed is left out.
fn could_not_look(answers: &Answers) -> Vec<CouldNotLook> {
    let mut all = Vec::new();
    for (probe, answer) in answers.iter() {
        let Err(error) = answer else { continue };
        let guess = match probe {
            Probe::ContainerFile { .. } => matches!(error.why, Why::Absent | Why::NotRecorded),
            Probe::File { path } => path.ends_with("/.env") && matches!(error.why, Why::Absent),
            Probe::Stat { path } => is_marker(path),
            Probe::Docker(DockerTable::Samples | DockerTable::Ps) | Probe::HttpRecorded | Probe::Logs => {
                error.why == Why::Unsupported
            }
            _ => false,
        };
        if !guess {
            all.push(error.clone());
        }
    }
    all
}

fn obstacle(what: String, detail: &str) -> CouldNotLook {
    CouldNotLook { what, why: Why::Unreadable, detail: detail.to_owned() }
}

#[cfg(test)]
mod tests {
    use coroner_model::{ContentHash, Redactor};

    use super::*;

    fn told(table: HostTable, path: &str, text: &str) -> usize {
        let document = Document {
            path: path.to_owned(),
            observed_at: None,
            host: String::new(),
            text: Redactor::new([0; 32]).redact(text),
            hash: ContentHash::sha256(text.as_bytes()),
            bytes_left_out: 0,
            first_line: 1,
        };
        let mut answers = Answers::new();
        answers.insert(Probe::Host(table), Ok(vec![document]));
        text_tables(&answers).len()
    }

    #[test]
    fn a_table_that_cannot_be_read_is_told_and_an_empty_one_is_not() {
        let df = "Filesystem 1-blocks Used Available Capacity Mounted on\n";
        for (text, count) in [
            ("df: command not found\n", 1),
            ("", 0),
            (df, 0),
            (&format!("{df}/dev/sda1 100 50 50 50% /\n"), 0),
            (&format!("{df}proc 0 0 0 - /proc\n"), 0),
        ] {
            assert_eq!(told(HostTable::Df, "host/df.txt", text), count, "{text}");
        }
        assert_eq!(told(HostTable::Listeners, "host/listeners.txt", "ss: not found\n"), 1);
        assert_eq!(told(HostTable::Listeners, "host/listeners.tsv", "proto\taddress\tport\n"), 0);
        assert_eq!(told(HostTable::Listeners, "host/listeners.tsv", "tcp\t*\t80\tnginx\t-\n"), 0);
    }
}
