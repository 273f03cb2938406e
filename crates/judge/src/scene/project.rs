//! Which compose files form one project: what labels say, what an agent called, what lies in one directory.

use std::collections::{BTreeMap, BTreeSet};

use coroner_model::probe::FileClass;
use coroner_model::session::{CallStatus, Session};
use coroner_model::{Answers, Document, Probe};
use coroner_read::compose::{self, DEFAULT_FILES, OVERRIDE_FILES, Request};
use coroner_read::docker::Container;
use coroner_read::shell;

/// Most projects that are read.
pub const PROJECTS_MAX: usize = 100;

/// One set of files that compose would be called with.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Plan {
    pub directory: Option<String>,
    pub name: Option<String>,
    pub files: Vec<String>,
    pub env_files: Option<Vec<String>>,
}

/// The listed paths of a class.
pub(super) fn listed(answers: &Answers, class: FileClass) -> BTreeSet<String> {
    answers
        .iter()
        .filter(|(probe, _)| matches!(probe, Probe::Files { class: c, .. } if *c == class))
        .filter_map(|(_, answer)| answer.as_ref().ok())
        .flatten()
        .flat_map(|d| {
            d.text.as_str().lines().map(str::trim).filter(|l| l.starts_with('/')).map(str::to_owned).collect::<Vec<_>>()
        })
        .collect()
}

/// The plans of all projects that can be told.
pub(super) fn plans(answers: &Answers, containers: &[Container], sessions: &[Session]) -> Vec<Plan> {
    let mut plans: Vec<Plan> = Vec::new();
    for container in containers {
        let Some(name) = container.project() else { continue };
        let files = container.config_files();
        if files.is_empty() {
            continue;
        }
        let env_files = container.environment_files();
        let plan = Plan {
            directory: container.working_directory().map(str::to_owned),
            name: Some(name.to_owned()),
            files,
            env_files: (!env_files.is_empty()).then_some(env_files),
        };
        // Containers of one project can be made by different calls: the widest set of files counts.
        match plans.iter_mut().find(|p| p.name == plan.name && p.directory == plan.directory) {
            Some(held) if held.files.len() < plan.files.len() => *held = plan,
            Some(_) => {}
            None => plans.push(plan),
        }
    }
    let labelled: BTreeSet<String> = plans.iter().flat_map(|p| p.files.clone()).collect();
    let mut found = in_directories(answers, &labelled);
    for call in compose_calls(sessions) {
        for plan in plans.iter_mut().chain(&mut found) {
            call.refine(plan);
        }
    }
    plans.append(&mut found);
    plans.truncate(PROJECTS_MAX);
    plans
}

/// Projects of files that no label names: a default file with its override, or a file of another name alone.
fn in_directories(answers: &Answers, labelled: &BTreeSet<String>) -> Vec<Plan> {
    let mut directories: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let listed = listed(answers, FileClass::Compose);
    for path in &listed {
        let (directory, name) = path.rsplit_once('/').unwrap_or(("", path));
        directories.entry(directory).or_default().push(name);
    }
    let mut plans = Vec::new();
    for (directory, names) in directories {
        let at = |name: &str| format!("{directory}/{name}");
        if names.iter().any(|n| labelled.contains(&at(n))) {
            continue;
        }
        let base = DEFAULT_FILES.iter().find(|d| names.contains(d));
        match base {
            Some(base) => {
                let over = OVERRIDE_FILES.iter().find(|o| names.contains(o));
                let files = std::iter::once(base).chain(over).map(|n| at(n)).collect();
                plans.push(Plan { files, ..Plan::default() });
            }
            None => {
                let alone = names.iter().filter(|n| !OVERRIDE_FILES.contains(n) || names.len() == 1);
                plans.extend(alone.map(|n| Plan { files: vec![at(n)], ..Plan::default() }));
            }
        }
    }
    plans
}

/// Reads the project of each plan from the documents that are at hand.
pub(super) fn projects(answers: &Answers, plans: &[Plan]) -> Vec<compose::Project> {
    let documents: BTreeMap<&str, &Document> = answers
        .iter()
        .filter_map(|(probe, answer)| match (probe, answer) {
            (Probe::File { path }, Ok(documents)) => Some((path.as_str(), documents.first()?)),
            _ => None,
        })
        .collect();
    let get = |path: &str| documents.get(path).copied();
    plans
        .iter()
        .map(|plan| {
            compose::project(&Request {
                files: plan.files.clone(),
                directory: plan.directory.clone(),
                name: plan.name.clone(),
                env_files: plan.env_files.clone(),
                environment: BTreeMap::new(),
                get: &get,
            })
        })
        .collect()
}

/// One call of compose that an agent made.
struct Call {
    directory: String,
    files: Vec<String>,
    env_files: Vec<String>,
}

impl Call {
    /// Uses what the call says of a project that it was made for.
    fn refine(&self, plan: &mut Plan) {
        let directory = plan
            .directory
            .clone()
            .or_else(|| plan.files.first().and_then(|f| f.rsplit_once('/')).map(|(d, _)| d.to_owned()));
        let same_files = !self.files.is_empty() && self.files.iter().any(|f| plan.files.contains(f));
        let same_place = self.files.is_empty() && directory.as_deref() == Some(self.directory.as_str());
        if (same_files || same_place) && !self.env_files.is_empty() && plan.env_files.is_none() {
            plan.env_files = Some(self.env_files.clone());
        }
        if same_files && self.files.len() > plan.files.len() && plan.name.is_none() {
            plan.files = self.files.clone();
        }
    }
}

/// Calls of `docker compose … up` and its like, newest first.
fn compose_calls(sessions: &[Session]) -> Vec<Call> {
    let mut calls: Vec<(Option<jiff::Timestamp>, Call)> = Vec::new();
    for call in sessions.iter().flat_map(|s| &s.calls) {
        let Some(command) = call.command.as_deref().filter(|c| c.contains("compose")) else { continue };
        if matches!(call.status, CallStatus::Rejected | CallStatus::Error) {
            continue;
        }
        for argv in commands(command, &call.cwd) {
            if let Some(read) = compose_call(&argv.0, &argv.1) {
                calls.push((call.at, read));
            }
        }
    }
    calls.sort_by_key(|(at, _)| std::cmp::Reverse(*at));
    calls.into_iter().map(|(_, call)| call).collect()
}

/// The words of each local command of a text, where all are known, with its directory.
pub(crate) fn commands(text: &str, cwd: &str) -> Vec<(Vec<String>, String)> {
    let nothing = BTreeMap::new();
    let context = shell::Context { cwd, env: &nothing, files: &nothing };
    shell::read(text, &context)
        .invocations
        .iter()
        .filter(|i| i.is_local())
        .filter_map(|i| {
            let words: Option<Vec<String>> = i.argv.iter().map(|w| w.as_literal().map(str::to_owned)).collect();
            Some((words?, i.cwd.as_literal().unwrap_or(cwd).to_owned()))
        })
        .collect()
}

fn compose_call(argv: &[String], cwd: &str) -> Option<Call> {
    let program = argv.first()?.rsplit('/').next()?;
    let rest = match program {
        "docker-compose" => &argv[1..],
        "docker" | "podman" => {
            let at = argv.iter().position(|w| w == "compose")?;
            &argv[at + 1..]
        }
        _ => return None,
    };
    let mut call = Call { directory: cwd.to_owned(), files: Vec::new(), env_files: Vec::new() };
    let mut words = rest.iter();
    while let Some(word) = words.next() {
        let (flag, attached) = match word.split_once('=') {
            Some((flag, value)) if flag.starts_with("--") => (flag, Some(value.to_owned())),
            _ => (word.as_str(), None),
        };
        let mut value = || attached.clone().or_else(|| words.next().cloned()).map(|v| absolute(&v, cwd));
        match flag {
            "-f" | "--file" => call.files.extend(value()),
            "--env-file" => call.env_files.extend(value()),
            "--project-directory" => call.directory = value()?,
            "-p" | "--project-name" | "--profile" | "--ansi" | "--progress" | "--parallel" => drop(value()),
            "up" | "create" | "run" | "restart" | "start" => return Some(call),
            flag if flag.starts_with('-') => {}
            _ => return None,
        }
    }
    None
}

fn absolute(path: &str, cwd: &str) -> String {
    let joined = if path.starts_with('/') { path.to_owned() } else { format!("{cwd}/{path}") };
    let mut parts: Vec<&str> = Vec::new();
    for part in joined.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            other => parts.push(other),
        }
    }
    format!("/{}", parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_of_compose_say_which_files() {
        let argv = |text: &str| commands(text, "/opt/shop").into_iter().find_map(|(a, d)| compose_call(&a, &d));
        let call = argv("cd sub && sudo docker compose --env-file=../new.env -f a.yml -f b.yml up -d api").unwrap();
        assert_eq!(call.env_files, ["/opt/shop/new.env"]);
        assert_eq!(call.files, ["/opt/shop/sub/a.yml", "/opt/shop/sub/b.yml"]);
        assert!(argv("docker compose ps").is_none());
        assert!(argv("docker-compose up -d").unwrap().files.is_empty());
    }
}
