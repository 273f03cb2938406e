//! Probes: typed read-only questions about the world, and their answers.
//!
//! `Probe` has no variant that writes. Each answer is one or more documents at
//! casefile paths, or [`CouldNotLook`], which is never "found nothing".

use std::collections::BTreeMap;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::evidence::Document;

/// One of the tables under `host/` in a casefile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HostTable {
    Df,
    DfInodes,
    Du,
    Growth,
    OpenFiles,
    Listeners,
    Units,
    Dns,
    Whoami,
    Id,
    Env,
    Date,
    Virt,
    Annotations,
    Journal,
    Dmesg,
    Ps,
    Packages,
    Versions,
}

/// One of the tables under `docker/` in a casefile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DockerTable {
    Ps,
    Inspect,
    Networks,
    Volumes,
    Images,
    /// `docker/context.json` and `docker/context`.
    Context,
    Sockets,
    /// Inodes of bind sources, on the host and as the container sees them.
    Inodes,
    Samples,
}

/// One of the proxy's API answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ProxyTable {
    Routers,
    Services,
    Entrypoints,
}

/// One of the answers of git about a repository.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GitTable {
    /// Commits with the files that each changed.
    Log,
    /// `git status --porcelain=v2 --branch --ignored`.
    Status,
    Stash,
    Worktrees,
    /// Branches and tags, with the commits that only they hold.
    Refs,
}

/// Which files a listing asks for; the walk itself is bounded by the collector.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FileClass {
    /// Compose files and their overrides.
    Compose,
    /// Env and secrets files.
    Env,
    /// Proxy configuration: Traefik, nginx, Caddy.
    Proxy,
    /// Source text that can hold defaults of settings.
    Code,
    /// Everything that `check` reads.
    All,
}

/// A typed read-only question. Paths are absolute paths of the host.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Probe {
    /// `casefile.toml`, or the project's `.coroner/coroner.toml`.
    Config,
    /// The text of one file. Answer path: `files/<path>`.
    File {
        path: String,
    },
    /// Absolute paths of files of a class under `root` (`None`: wherever the
    /// case has files). Answer path: `files/`, one path a line.
    Files {
        root: Option<String>,
        class: FileClass,
    },
    /// Type, mode, owner, size, times, inode and link target of one path, without
    /// following a link. Answer: `host/tree.tsv` with that one line; a path that
    /// does not exist is the header alone.
    Stat {
        path: String,
    },
    /// The same for everything under `root`, at most `depth_max` levels down.
    Tree {
        root: String,
        depth_max: u32,
    },
    Host(HostTable),
    Docker(DockerTable),
    /// `docker logs --timestamps` of one container, by name.
    ContainerLog {
        container: String,
    },
    /// The text of one file inside a container, by name. Answer path:
    /// `docker/files/<container>/<path>`.
    ContainerFile {
        container: String,
        path: String,
    },
    /// Every other log of the case: `logs/*`.
    Logs,
    /// One log given by name on the command line; `-` is standard input.
    LogFile {
        path: String,
    },
    Proxy(ProxyTable),
    /// One GET with its redirect chain and cookies. Answer path: `http/<n>.json`.
    HttpGet {
        url: String,
    },
    /// Every recorded exchange.
    HttpRecorded,
    /// What git says of the repository that holds `repository`.
    Git {
        repository: String,
        table: GitTable,
        since: Option<Timestamp>,
        until: Option<Timestamp>,
    },
    /// Agent transcripts whose lines fall into the window, subagents included.
    Sessions {
        since: Option<Timestamp>,
        until: Option<Timestamp>,
    },
    /// `backups/listing.tsv`.
    Backups,
    /// Secrets in files and commits that a search found. Answer path: `secrets.tsv`.
    Secrets,
}

impl Probe {
    /// What is looked at, as a report names it.
    pub fn subject(&self) -> String {
        fn word<T: Serialize>(value: &T) -> String {
            serde_json::to_value(value).ok().and_then(|v| v.as_str().map(str::to_owned)).unwrap_or_default()
        }
        match self {
            Probe::Config => "configuration".into(),
            Probe::File { path } => format!("file {path}"),
            Probe::Files { root, class } => {
                format!("{} files under {}", word(class), root.as_deref().unwrap_or("the case"))
            }
            Probe::Stat { path } => format!("state of {path}"),
            Probe::Tree { root, .. } => format!("tree under {root}"),
            Probe::Host(table) => format!("host {}", word(table)),
            Probe::Docker(table) => format!("docker {}", word(table)),
            Probe::ContainerLog { container } => format!("logs of container {container}"),
            Probe::ContainerFile { container, path } => format!("file {path} in container {container}"),
            Probe::Logs => "other logs".into(),
            Probe::LogFile { path } => format!("log {path}"),
            Probe::Proxy(table) => format!("proxy {}", word(table)),
            Probe::HttpGet { url } => format!("GET {url}"),
            Probe::HttpRecorded => "recorded HTTP exchanges".into(),
            Probe::Git { repository, table, .. } => format!("git {} of {repository}", word(table)),
            Probe::Sessions { .. } => "agent transcripts".into(),
            Probe::Backups => "listing of backups".into(),
            Probe::Secrets => "found secrets".into(),
        }
    }
}

/// Why something could not be looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Why {
    /// The casefile does not hold it.
    NotRecorded,
    /// The thing that would answer is not there: no engine, no such container.
    Absent,
    /// No permission.
    Denied,
    /// It did not answer in time.
    TimedOut,
    /// It answered with something that cannot be read.
    Unreadable,
    /// A bound was hit before it was reached.
    TooMuch,
    /// This kind of world cannot answer this question.
    Unsupported,
}

/// An answer that is none. Never the same as "found nothing".
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub struct CouldNotLook {
    /// What was to be looked at, as [`Probe::subject`] names it.
    pub what: String,
    /// The kind of obstacle.
    pub why: Why,
    /// The obstacle in words, redacted, with a hint where there is one.
    pub detail: String,
}

impl std::fmt::Display for CouldNotLook {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ({})", self.what, self.detail)
    }
}

/// What a probe brought back. An empty list of documents is an answer: there was nothing.
pub type Answer = Result<Vec<Document>, CouldNotLook>;

/// The answers so far, by probe. Judging reads them and asks for more.
#[derive(Clone, Debug, Default)]
pub struct Answers {
    by_probe: BTreeMap<Probe, Answer>,
}

impl Answers {
    /// No answer yet.
    pub fn new() -> Answers {
        Answers::default()
    }

    /// Keeps an answer; a second answer to the same probe replaces the first.
    pub fn insert(&mut self, probe: Probe, answer: Answer) {
        self.by_probe.insert(probe, answer);
    }

    /// The answer to a probe, or `None` if it was not asked.
    pub fn get(&self, probe: &Probe) -> Option<&Answer> {
        self.by_probe.get(probe)
    }

    /// The documents that answered a probe; nothing where it was not answered.
    pub fn documents(&self, probe: &Probe) -> &[Document] {
        match self.by_probe.get(probe) {
            Some(Ok(documents)) => documents,
            _ => &[],
        }
    }

    /// The first document that answered a probe.
    pub fn document(&self, probe: &Probe) -> Option<&Document> {
        self.documents(probe).first()
    }

    /// Whether a probe was asked.
    pub fn has(&self, probe: &Probe) -> bool {
        self.by_probe.contains_key(probe)
    }

    /// All answers in the order of their probes.
    pub fn iter(&self) -> impl Iterator<Item = (&Probe, &Answer)> {
        self.by_probe.iter()
    }

    /// Everything that could not be looked at, sorted, each once.
    pub fn could_not_look(&self) -> Vec<CouldNotLook> {
        let mut all: Vec<_> = self.by_probe.values().filter_map(|a| a.as_ref().err().cloned()).collect();
        all.sort();
        all.dedup();
        all
    }
}
