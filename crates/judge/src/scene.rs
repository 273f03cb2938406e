//! The scene: everything that readers understood in the answers, read once.
//!
//! `ask` says what must still be looked at, `read` builds the scene from what was
//! answered. Guard, check and investigate share it.

use std::collections::BTreeMap;

use coroner_model::session::Session;
use coroner_model::{Answers, Citation, CouldNotLook, Document, Probe};
use coroner_read::{compose, docker};
use jiff::Timestamp;

/// What is known of the case.
#[derive(Clone, Debug, Default)]
pub struct Scene {
    /// The clock for "how old": the casefile's, else the live one's answer to `host date`.
    pub now: Option<Timestamp>,
    /// Paths that configuration protects from deletion.
    pub protected: Vec<String>,
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
    /// Inodes of bind sources: container, path, host's, container's (`None`: not there).
    pub mount_inodes: Vec<MountInode>,
    pub filesystems: Vec<Filesystem>,
    pub listeners: Vec<Listener>,
    pub sessions: Vec<Session>,
    pub commits: Vec<Commit>,
    pub exchanges: Vec<Exchange>,
    /// Logs with the component that wrote them.
    pub logs: Vec<Log>,
    /// Upstreams that proxy configuration files name.
    pub upstreams: Vec<Upstream>,
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

/// A default that source text gives to an environment variable.
#[derive(Clone, Debug, PartialEq)]
pub struct SettingDefault {
    pub variable: String,
    /// The value used when the variable is absent.
    pub default: String,
    pub at: Citation,
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

/// Inodes of a mounted path, on the host and as the container sees it.
#[derive(Clone, Debug, PartialEq)]
pub struct MountInode {
    pub container: String,
    pub path: String,
    pub host: Option<u64>,
    pub inside: Option<u64>,
    pub at: Citation,
}

/// One line of `df -P -B1`.
#[derive(Clone, Debug, PartialEq)]
pub struct Filesystem {
    pub mount: String,
    pub bytes: u64,
    pub used: u64,
    pub available: u64,
    /// Whole percent, rounded up as `df` does.
    pub used_percent: u8,
    pub at: Citation,
}

/// Something that listens.
#[derive(Clone, Debug, PartialEq)]
pub struct Listener {
    pub protocol: String,
    pub address: String,
    pub port: u16,
    pub process: String,
    /// Container name where known.
    pub container: Option<String>,
    pub at: Citation,
}

/// One commit and the files that it changed.
#[derive(Clone, Debug, PartialEq)]
pub struct Commit {
    pub id: String,
    pub at: Option<Timestamp>,
    pub author: String,
    pub subject: String,
    pub files: Vec<String>,
    pub cited: Citation,
}

/// One HTTP exchange with its chain.
#[derive(Clone, Debug, PartialEq)]
pub struct Exchange {
    pub at: Option<Timestamp>,
    pub method: String,
    pub url: String,
    pub responses: Vec<Response>,
    pub error: Option<String>,
    pub cited: Citation,
}

/// One answer of a chain.
#[derive(Clone, Debug, PartialEq)]
pub struct Response {
    pub url: String,
    pub status: u16,
    pub headers: Vec<(String, String)>,
    /// Bounded, redacted.
    pub body: String,
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
    /// Which proxy: a service, a container or a kind (`nginx`).
    pub proxy: String,
    /// Public host or route, where the configuration says so.
    pub route: String,
    pub host: String,
    pub port: Option<u16>,
    pub at: Citation,
}

/// What the scene is wanted for; each goal asks for no more than it needs.
#[derive(Clone, Debug, PartialEq)]
pub enum Goal {
    /// Everything that `check` compares.
    Check,
    /// Everything that may explain a symptom in a window.
    Investigate { since: Option<Timestamp>, until: Option<Timestamp> },
    /// Only these: live data and its owners, compose projects, env files.
    Guard,
}

impl Scene {
    /// What must still be looked at; empty when enough is known. At most four rounds.
    pub fn ask(_goal: &Goal, _answers: &Answers) -> Vec<Probe> {
        Vec::new()
    }

    /// Reads all answers into a scene.
    pub fn read(answers: &Answers) -> Scene {
        Scene { could_not_look: answers.could_not_look(), ..Scene::default() }
    }

    /// The container of that name, service or id.
    pub fn container(&self, name: &str) -> Option<&docker::Container> {
        self.containers
            .iter()
            .find(|c| c.name == name)
            .or_else(|| self.containers.iter().find(|c| c.answers_to(name)))
    }
}
