//! Parts of a system: a compose service, its container, or a container of its own.
//!
//! Detectors look at parts, so that live state and files are judged alike: what
//! runs counts where it was seen, what is declared where it was not.

use coroner_model::{Citation, Source};
use coroner_read::compose::{Project, Service};
use coroner_read::docker::Container;
use coroner_read::proxy_config::{self, LabelRoute};

use crate::scene::Scene;

/// A service, its container, or both.
#[derive(Clone, Copy, Debug)]
pub struct Part<'s> {
    pub project: Option<&'s Project>,
    pub service: Option<&'s Service>,
    pub container: Option<&'s Container>,
}

/// A variable's value as a part has it.
#[derive(Clone, Debug)]
pub struct Value {
    pub text: String,
    pub at: Citation,
    /// Whether nothing outside the files can have changed it.
    pub settled: bool,
}

/// Every part of a scene: services first, then containers that belong to none.
pub fn parts(scene: &Scene) -> Vec<Part<'_>> {
    let mut all = Vec::new();
    for project in &scene.projects {
        for service in &project.services {
            let container = scene.containers_of(project, service).first().copied();
            all.push(Part { project: Some(project), service: Some(service), container });
        }
    }
    for container in &scene.containers {
        let known =
            all.iter().any(|p: &Part| p.container.is_some_and(|c| c.id == container.id && c.index == container.index));
        let scaled = scene.service_of(container).is_some();
        if !known && !scaled {
            all.push(Part { project: scene.project_of(container), service: None, container: Some(container) });
        }
    }
    all
}

impl<'s> Part<'s> {
    /// The name that people use.
    pub fn name(&self) -> &'s str {
        match (self.service, self.container) {
            (Some(service), _) => &service.name,
            (None, Some(container)) => container.component(),
            (None, None) => "",
        }
    }

    /// The name to give to `docker`: the container's, else the service's.
    pub fn container_name(&self) -> &'s str {
        self.container.map_or(self.name(), |c| &c.name)
    }

    pub fn image(&self) -> &'s str {
        match (self.container, self.service) {
            (Some(container), _) if !container.image.is_empty() => &container.image,
            (_, Some(service)) => &service.image,
            _ => "",
        }
    }

    /// The words of its command, entry point first.
    pub fn words(&self) -> Vec<&'s str> {
        match (self.container, self.service) {
            (Some(c), _) => c.entrypoint.iter().chain(&c.cmd).map(String::as_str).collect(),
            (None, Some(s)) => s.entrypoint.iter().chain(&s.command).map(String::as_str).collect(),
            (None, None) => Vec::new(),
        }
    }

    /// Which proxy it is, if it is one.
    pub fn proxy_kind(&self) -> Option<proxy_config::Kind> {
        proxy_config::Kind::of(self.image(), self.words())
    }

    pub fn is_live(&self) -> bool {
        self.container.is_some()
    }

    /// Its container, where more than a line of a listing is known of it.
    pub fn inspected(&self) -> Option<&'s Container> {
        self.container.filter(|c| c.listed_at.is_none())
    }

    /// A variable of its effective environment: the running one, else the declared one.
    pub fn variable(&self, name: &str) -> Option<Value> {
        if let Some(container) = self.inspected() {
            let at = container.env.iter().rposition(|(n, _)| n == name)?;
            let pointer = container.locator(&format!("/Config/Env/{at}"));
            let cited = Citation::new(Source::Docker, pointer, format!("{name}=…"));
            return Some(Value { text: container.env[at].1.clone(), at: cited, settled: true });
        }
        let given = self.service?.environment.get(name)?;
        Some(Value { text: given.value.clone(), at: given.at.clone(), settled: given.is_settled() })
    }

    /// A variable whose name counts in any case.
    pub fn variable_in_any_case(&self, name: &str) -> Option<Value> {
        let wanted = self.names().into_iter().find(|n| n.eq_ignore_ascii_case(name))?;
        self.variable(wanted)
    }

    /// The names of its effective environment.
    pub fn names(&self) -> Vec<&'s str> {
        match (self.inspected(), self.service) {
            (Some(container), _) => container.env.iter().map(|(n, _)| n.as_str()).collect(),
            (None, Some(service)) => {
                service.environment.keys().chain(service.passed_through.keys()).map(String::as_str).collect()
            }
            (None, None) => Vec::new(),
        }
    }

    /// Whether its declared environment is only known in part: a file of it was not at hand.
    pub fn environment_is_partial(&self) -> bool {
        let seen = self.inspected().is_some();
        let (Some(project), Some(service)) = (self.project, self.service) else { return !seen };
        !seen && project.wanted.iter().any(|w| service.env_files.contains(&w.path))
    }

    /// Cites where its environment is given.
    pub fn cite_environment(&self, text: &str) -> Option<Citation> {
        match (self.inspected(), self.service) {
            (Some(c), _) => Some(Citation::new(Source::Docker, c.locator("/Config/Env"), text.to_owned())),
            (None, Some(service)) => service.at.clone(),
            (None, None) => None,
        }
    }

    /// Cites a place in what the engine says of its container.
    pub fn cite_state(&self, pointer: &str, text: &str) -> Option<Citation> {
        let container = self.container?;
        Some(Citation::new(Source::Docker, container.locator(pointer), text.to_owned()))
    }

    /// Names of the networks that it is in: the running ones, else the declared ones.
    pub fn networks(&self) -> Vec<String> {
        match (self.container, self.service, self.project) {
            (Some(container), ..) if !container.networks.is_empty() => container.networks.keys().cloned().collect(),
            (Some(container), ..) if container.is_running() => Vec::new(),
            // A container that stopped keeps no endpoint; what it would join is declared.
            (_, Some(service), Some(project)) => project.network_names(service),
            _ => Vec::new(),
        }
    }

    /// Paths of the host that it has mounted, with where they are inside.
    pub fn mounts(&self) -> Vec<(String, String)> {
        match (self.container, self.service) {
            (Some(container), _) => {
                let bound = container.mounts.iter().filter(|m| m.kind == "bind");
                bound.map(|m| (m.source.clone(), m.destination.clone())).collect()
            }
            (None, Some(service)) => {
                let bound = service.volumes.iter().filter(|v| v.kind == "bind");
                bound.map(|v| (v.source.clone(), v.destination.clone())).collect()
            }
            (None, None) => Vec::new(),
        }
    }

    /// Whether a path of the host is mounted into it.
    pub fn has_mounted(&self, path: &str) -> bool {
        let sources: Vec<&str> = match (self.container, self.service) {
            (Some(container), _) => container.mounts.iter().map(|m| m.source.as_str()).collect(),
            (None, Some(service)) => {
                service.volumes.iter().filter(|v| v.kind == "bind").map(|v| v.source.as_str()).collect()
            }
            (None, None) => Vec::new(),
        };
        sources.into_iter().any(|source| source.starts_with('/') && source != "/" && super::within(path, source))
    }

    /// Whether it uses the host's own network.
    pub fn is_on_host(&self) -> bool {
        match (self.container, self.service) {
            (Some(container), _) => container.network_mode == "host",
            (None, Some(service)) => service.network_mode == "host",
            (None, None) => false,
        }
    }

    /// Whether it shares the network of another part, so that its own is not known here.
    pub fn borrows_network(&self) -> bool {
        let mode = match (self.container, self.service) {
            (Some(container), _) => container.network_mode.as_str(),
            (None, Some(service)) => service.network_mode.as_str(),
            (None, None) => "",
        };
        mode.starts_with("container:") || mode.starts_with("service:")
    }

    /// Whether others reach it under that name inside a shared network.
    pub fn answers_to(&self, name: &str) -> bool {
        let live = self.container.is_some_and(|c| c.answers_to(name));
        let ip = self.container.is_some_and(|c| c.networks.values().any(|n| n.ip == name));
        live || ip || self.service.is_some_and(|s| s.answers_to(name))
    }

    /// The routes that it asks proxies for.
    pub fn routes(&self) -> Vec<LabelRoute> {
        let labels = match (self.container, self.service) {
            (Some(container), _) => &container.labels,
            (None, Some(service)) => &service.labels,
            (None, None) => return Vec::new(),
        };
        let lookup = |name: &str| match (self.container, self.service) {
            (Some(container), _) => container.variable(name),
            (None, Some(service)) => service.environment.get(name).map(|v| v.value.as_str()),
            (None, None) => None,
        };
        proxy_config::of_labels(labels, &lookup)
    }

    /// Cites a label or the variable that stands for one.
    pub fn cite_label(&self, key: &str) -> Option<Citation> {
        match (self.container, self.service) {
            (Some(container), _) => {
                let value = container.label(key).or_else(|| container.variable(key)).unwrap_or("");
                let pointer = format!("/Config/Labels/{}", key.replace('~', "~0").replace('/', "~1"));
                self.cite_state(&pointer, &format!("{key}={value}"))
            }
            (None, Some(service)) => service
                .label_lines
                .get(key)
                .cloned()
                .or_else(|| service.environment.get(key).map(|v| v.at.clone()))
                .or_else(|| service.at.clone()),
            (None, None) => None,
        }
    }

    /// Where a finding about it points: the line of its service, else the engine's answer.
    pub fn location(&self) -> coroner_model::Location {
        let at = self.service.and_then(|s| s.at.as_ref());
        match (at, self.container) {
            (Some(at), _) => location_of(at),
            (None, Some(container)) => coroner_model::Location { path: container.locator(""), line: 0, column: 0 },
            (None, None) => coroner_model::Location::default(),
        }
    }

    /// `docker compose … up -d NAME`, with the files and env files of its project.
    pub fn up_command(&self) -> String {
        let (Some(project), Some(service)) = (self.project, self.service) else {
            return format!("docker start {}", self.container_name());
        };
        format!("docker compose {}up -d {}", compose_options(project), service.name)
    }

    /// Whether both are the same part.
    pub fn is(&self, other: &Part) -> bool {
        let same_container = match (self.container, other.container) {
            (Some(a), Some(b)) => a.index == b.index,
            (None, None) => true,
            _ => false,
        };
        let same_service = match (self.service, other.service) {
            (Some(a), Some(b)) => std::ptr::eq(a, b),
            (None, None) => true,
            _ => false,
        };
        same_container && same_service
    }

    /// Whether both belong to one project; parts of none belong to each.
    pub fn shares_project(&self, other: &Part) -> bool {
        match (self.project, other.project) {
            (Some(a), Some(b)) => a.name == b.name && a.directory == b.directory,
            _ => true,
        }
    }
}

/// The options that choose a project's files, where compose would not find them by itself.
pub fn compose_options(project: &Project) -> String {
    let mut out = String::new();
    let default = format!("{}/.env", project.directory);
    for path in project.env_files.iter().filter(|p| **p != default) {
        out.push_str(&format!("--env-file {path} "));
    }
    for file in &project.files {
        out.push_str(&format!("-f {file} "));
    }
    out
}

/// The place that a citation names.
pub fn location_of(citation: &Citation) -> coroner_model::Location {
    let (path, line) = match citation.locator.rsplit_once(':') {
        Some((path, line)) => match line.split('-').next().unwrap_or(line).parse() {
            Ok(line) => (path, line),
            Err(_) => (citation.locator.as_str(), 0),
        },
        None => (citation.locator.as_str(), 0),
    };
    coroner_model::Location { path: path.to_owned(), line, column: 0 }
}
