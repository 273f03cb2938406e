//! The scene: everything that readers understood in the answers, read once.
//!
//! `ask` says what must still be looked at, `read` builds the scene from what was
//! answered. Guard, check and investigate share it.

mod ask;
mod code;
mod project;
mod read;

pub(crate) use project::commands;

use std::collections::{BTreeMap, BTreeSet};

use coroner_model::secret::SecretPlace;
use coroner_model::session::Session;
use coroner_model::{Answers, Citation, CouldNotLook, Document, Probe};
use coroner_read::{compose, docker};
use jiff::Timestamp;

pub use coroner_read::config::Config;
pub use coroner_read::df::Filesystem;
pub use coroner_read::exchange::{Exchange, Response};
pub use coroner_read::git_log::Commit;
pub use coroner_read::listeners::Listener;
pub use coroner_read::samples::{MountInode, Sample};

/// What is known of the case.
#[derive(Clone, Debug, Default)]
pub struct Scene {
    /// The clock for "how old": the casefile's, else the live one's answer to `host date`.
    pub now: Option<Timestamp>,
    /// Paths that configuration protects from deletion.
    pub protected: Vec<String>,
    /// Tables of the casefile's and the project's configuration.
    pub config: Config,
    /// Whether the engine's containers were listed, so that an absent one is not there.
    pub containers_known: bool,
    /// Whether the engine's volumes were listed.
    pub volumes_known: bool,
    pub containers: Vec<docker::Container>,
    pub networks: Vec<docker::Network>,
    pub volumes: Vec<docker::Volume>,
    pub images: Vec<docker::Image>,
    pub projects: Vec<compose::Project>,
    /// Env and secrets files that were read, by absolute path.
    pub env_files: BTreeMap<String, EnvFile>,
    /// Defaults of settings in source text.
    pub settings: Vec<SettingDefault>,
    /// State of paths, by absolute path.
    pub paths: BTreeMap<String, PathState>,
    /// Paths of which a listing says neither that they are there nor that they are not.
    pub unlisted: BTreeSet<String>,
    /// Inodes of bind sources: container, path, host's, container's (`None`: not there).
    pub mount_inodes: Vec<MountInode>,
    /// State of containers over time.
    pub samples: Vec<Sample>,
    pub filesystems: Vec<Filesystem>,
    /// Secrets that stand in files and commits.
    pub secrets: Vec<SecretPlace>,
    pub listeners: Vec<Listener>,
    pub sessions: Vec<Session>,
    pub commits: Vec<Commit>,
    pub exchanges: Vec<Exchange>,
    /// Logs with the component that wrote them.
    pub logs: Vec<Log>,
    /// Upstreams that proxy configuration files name.
    pub upstreams: Vec<Upstream>,
    /// What proxies are told of the engine's containers in their own files.
    pub docker_providers: Vec<DockerProvider>,
    /// Dockerfiles with their text, by absolute path.
    pub dockerfiles: BTreeMap<String, (coroner_read::dockerfile::Dockerfile, Document)>,
    /// Files in which a proxy could find routes, by absolute path.
    pub route_files: BTreeMap<String, RouteFile>,
    /// Whether the engine's own settings bound every log; `None`: not known.
    pub engine_bounds_logs: Option<bool>,
    /// What was asked and could not be looked at or read.
    pub could_not_look: Vec<CouldNotLook>,
}

/// An env file and its assignments in order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct EnvFile {
    pub path: String,
    pub variables: Vec<(String, String, Citation)>,
    pub changed: Option<Timestamp>,
}

/// A place of source text that reads an environment variable.
#[derive(Clone, Debug, PartialEq)]
pub struct SettingDefault {
    pub variable: String,
    /// The value used when the variable is absent; `None`: there is none.
    pub default: Option<String>,
    pub at: Citation,
    /// Reached only where a condition asks for a development environment.
    pub development_only: bool,
    /// The variable's name counts in any case.
    pub any_case: bool,
    /// The default is also used where the variable is set and empty.
    pub when_empty: bool,
    /// Its file loads variables from a `.env` file by itself.
    pub loads_dotenv: bool,
    /// The default is an `ENV` of the image.
    pub in_image: bool,
    /// Absolute path on the host, or inside the container named next.
    pub path: String,
    /// The container whose own file this is; `None` for a file of the host.
    pub container: Option<String>,
}

/// State of one path; a field that the listing lacks is `None`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PathState {
    /// False: it was looked for and is not there.
    pub exists: bool,
    /// `f`, `d`, `l`, … as `find -printf %y` prints it.
    pub kind: Option<char>,
    pub mode: Option<u32>,
    pub uid: Option<u32>,
    pub gid: Option<u32>,
    pub user: Option<String>,
    pub group: Option<String>,
    pub size: Option<u64>,
    pub changed: Option<Timestamp>,
    pub inode: Option<u64>,
    pub dev: Option<String>,
    pub link_target: Option<String>,
    pub at: Option<Citation>,
}

/// One log and who wrote it.
#[derive(Clone, Debug, PartialEq)]
pub struct Log {
    /// Container, unit or file stem.
    pub component: String,
    pub document: Document,
}

/// `host:port` that a proxy's configuration forwards to.
#[derive(Clone, Debug, PartialEq)]
pub struct Upstream {
    /// Which proxy: a container, a service or a kind (`nginx`).
    pub proxy: String,
    /// Absolute path of the file that says so.
    pub path: String,
    pub kind: coroner_read::proxy_config::Kind,
    /// Public host or route, where the configuration says so.
    pub route: String,
    pub host: String,
    pub port: Option<u16>,
    pub at: Citation,
}

/// What a proxy's static file says of the containers that it finds by itself.
#[derive(Clone, Debug, PartialEq)]
pub struct DockerProvider {
    /// Absolute path of the file.
    pub path: String,
    pub told: coroner_read::proxy_config::DockerProvider,
}

/// A file that may hold routes of a proxy.
#[derive(Clone, Debug, PartialEq)]
pub struct RouteFile {
    pub document: Document,
    pub dynamic: coroner_read::proxy_config::traefik::Dynamic,
    /// What it tells the proxy of itself, where it is its static file.
    pub told: Option<coroner_read::proxy_config::traefik::Static>,
}

/// What the scene is wanted for; each goal asks for no more than it needs.
#[derive(Clone, Debug, PartialEq)]
pub enum Goal {
    /// Everything that `check` compares.
    Check,
    /// The same for files and directories that were named.
    CheckPaths(Vec<String>),
    /// Everything that may explain a symptom in a window.
    Investigate { since: Option<Timestamp>, until: Option<Timestamp> },
    /// Only these: live data and its owners, compose projects, env files.
    Guard,
}

impl Scene {
    /// What must still be looked at; empty when enough is known. At most four rounds.
    pub fn ask(goal: &Goal, answers: &Answers) -> Vec<Probe> {
        ask::ask(goal, answers)
    }

    /// Reads all answers into a scene.
    pub fn read(answers: &Answers) -> Scene {
        read::read(answers)
    }

    /// The container of that name, service or id.
    pub fn container(&self, name: &str) -> Option<&docker::Container> {
        self.containers.iter().find(|c| c.name == name).or_else(|| self.containers.iter().find(|c| c.answers_to(name)))
    }

    /// The project that a container belongs to, by its labels.
    pub fn project_of(&self, container: &docker::Container) -> Option<&compose::Project> {
        let name = container.project()?;
        let directory = container.working_directory();
        let named = || self.projects.iter().filter(|p| p.name == name);
        named().find(|p| directory == Some(p.directory.as_str())).or_else(|| named().next())
    }

    /// The service that a container is an instance of.
    pub fn service_of(&self, container: &docker::Container) -> Option<(&compose::Project, &compose::Service)> {
        let project = self.project_of(container)?;
        Some((project, project.service(container.service()?)?))
    }

    /// The containers of a service, newest first; one-off runs are none.
    pub fn containers_of(&self, project: &compose::Project, service: &compose::Service) -> Vec<&docker::Container> {
        let mut all: Vec<_> = self
            .containers
            .iter()
            .filter(|c| c.label("com.docker.compose.oneoff").is_none_or(|v| !v.eq_ignore_ascii_case("true")))
            .filter(|c| {
                self.service_of(c).is_some_and(|(p, s)| {
                    p.directory == project.directory && p.name == project.name && s.name == service.name
                })
            })
            .collect();
        all.sort_by_key(|c| std::cmp::Reverse(c.created));
        all
    }

    /// When a file was last changed, where a listing told.
    pub fn changed(&self, path: &str) -> Option<Timestamp> {
        self.paths.get(path).filter(|p| p.exists).and_then(|p| p.changed)
    }
}
