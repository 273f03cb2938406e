//! Facts: typed bad states that detectors found in a scene, with their evidence.
//!
//! An anti-pattern names facts in its `[[when.*]]` and `[[confirm]]` rows. To add
//! a kind: one file under `detect/` and one variant here.

use coroner_model::finding::{Confidence, Location};
use coroner_model::investigation::Reason;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::detect;
use crate::scene::Scene;

/// A kind of bad state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum FactKind {
    /// A service runs, or would run, with a default credential because the
    /// variable that should replace it does not reach it.
    CredentialFallback,
    /// The variable reaches the service, but the server was set up with another
    /// credential and keeps it.
    CredentialStale,
    /// A container runs with another environment than its files give.
    EnvDrift,
    /// What a container has mounted is gone, or was replaced under it.
    MountSourceMissing,
    /// A proxy routes to a service that it shares no network with.
    ProxyUnreachable,
    /// A proxy reaches the service's network, but nothing answers on the port.
    BackendPort,
    /// A filesystem is fuller than its limits.
    DiskUsage,
    /// A secret stands in a file that others get, or in the history of a repository.
    SecretInFile,
    /// A health check asks `localhost` with a tool of BusyBox, which tries IPv6 alone.
    HealthcheckLocalhost,
    /// A service's log has no bound.
    LogUnbounded,
    /// Copies of the same secrets do not agree.
    SecretCopiesDiffer,
    /// A proxy does not read, or drops, routes that stand in files.
    RouteNotLoaded,
    /// An image's major version needs what its project lacks.
    DependencyMissing,
    /// A service is told to call another on a port or path that it does not have.
    CallerPort,
    /// A server's data directory is mounted read-only.
    ReadOnlyData,
}

/// Which table of an anti-pattern a fact belongs to: `[[when.<layer>]]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Layer {
    Compose,
    Env,
    Container,
    Host,
    File,
}

impl FactKind {
    /// Every kind.
    pub const ALL: [FactKind; 15] = [
        FactKind::CredentialFallback,
        FactKind::CredentialStale,
        FactKind::EnvDrift,
        FactKind::MountSourceMissing,
        FactKind::ProxyUnreachable,
        FactKind::BackendPort,
        FactKind::DiskUsage,
        FactKind::SecretInFile,
        FactKind::HealthcheckLocalhost,
        FactKind::LogUnbounded,
        FactKind::SecretCopiesDiffer,
        FactKind::RouteNotLoaded,
        FactKind::DependencyMissing,
        FactKind::CallerPort,
        FactKind::ReadOnlyData,
    ];

    /// The tables of an anti-pattern that may name it.
    pub fn layers(self) -> &'static [Layer] {
        match self {
            FactKind::CredentialFallback | FactKind::CredentialStale => &[Layer::Env],
            FactKind::EnvDrift => &[Layer::Env, Layer::Container],
            FactKind::MountSourceMissing => &[Layer::Container],
            FactKind::ProxyUnreachable | FactKind::BackendPort => &[Layer::Compose, Layer::Container],
            FactKind::DiskUsage => &[Layer::Host],
            FactKind::SecretInFile => &[Layer::File],
            FactKind::HealthcheckLocalhost => &[Layer::Compose, Layer::Container, Layer::File],
            FactKind::LogUnbounded => &[Layer::Compose],
            FactKind::SecretCopiesDiffer => &[Layer::Env],
            FactKind::RouteNotLoaded => &[Layer::Compose, Layer::File],
            FactKind::DependencyMissing => &[Layer::Compose],
            FactKind::CallerPort => &[Layer::Compose, Layer::Env],
            FactKind::ReadOnlyData => &[Layer::Compose],
        }
    }

    /// The words that `is = [...]` may hold for it.
    pub fn words(self) -> &'static [&'static str] {
        match self {
            // absent: nothing gives it · misspelt: a near name is given · elsewhere:
            // another service gets it · not-loaded: a file gives it that the service does not load
            FactKind::CredentialFallback => &["absent", "misspelt", "elsewhere", "not-loaded"],
            // older-volume: the data directory is older than the password in the files
            FactKind::CredentialStale => &["older-volume", "differs"],
            // restarted: it was restarted after the change and kept the old environment
            FactKind::EnvDrift => &["restarted", "not-recreated"],
            // gone: no such path · replaced: another directory lies there now
            FactKind::MountSourceMissing => &["gone", "replaced"],
            FactKind::ProxyUnreachable => &["no-shared-network"],
            FactKind::BackendPort => &["wrong-port", "not-listening", "not-running"],
            FactKind::DiskUsage => &["warn", "block"],
            // present: in a file as it is · history: in a commit, whether deleted later or not
            // · allowed: a comment beside it says that it may stand there
            FactKind::SecretInFile => &["present", "history", "allowed", "identifier"],
            FactKind::HealthcheckLocalhost => &["busybox"],
            // no-max-size: a file driver without a size · left-out: its neighbours have a bound
            FactKind::LogUnbounded => &["no-max-size", "left-out"],
            // declared: configuration names them copies · copies: most of their secrets are equal
            FactKind::SecretCopiesDiffer => &["declared", "copies"],
            FactKind::RouteNotLoaded => &["undefined-service", "unknown-entrypoint", "syntax", "not-read"],
            FactKind::DependencyMissing => &["major"],
            // published-port: the one on the host, which containers do not use
            FactKind::CallerPort => &["published-port", "wrong-port", "wrong-path"],
            FactKind::ReadOnlyData => &["data-directory"],
        }
    }

    /// Whether writing a file can bring it about; some states only things that run can be in.
    pub fn can_be_written(self) -> bool {
        !matches!(self, FactKind::EnvDrift | FactKind::MountSourceMissing | FactKind::DiskUsage)
    }

    /// The detector that finds it; a state that is fine gives no fact.
    pub fn detector(self) -> fn(&Scene) -> Vec<Fact> {
        match self {
            FactKind::CredentialFallback => detect::credential_fallback::detect,
            FactKind::CredentialStale => detect::credential_stale::detect,
            FactKind::EnvDrift => detect::env_drift::detect,
            FactKind::MountSourceMissing => detect::mount_source_missing::detect,
            FactKind::ProxyUnreachable => detect::proxy_unreachable::detect,
            FactKind::BackendPort => detect::backend_port::detect,
            FactKind::DiskUsage => detect::disk_usage::detect,
            FactKind::SecretInFile => detect::secret_in_file::detect,
            FactKind::HealthcheckLocalhost => detect::healthcheck_localhost::detect,
            FactKind::LogUnbounded => detect::log_unbounded::detect,
            FactKind::SecretCopiesDiffer => detect::secret_copies::detect,
            FactKind::RouteNotLoaded => detect::route_not_loaded::detect,
            FactKind::DependencyMissing => detect::dependency_missing::detect,
            FactKind::CallerPort => detect::caller_port::detect,
            FactKind::ReadOnlyData => detect::read_only_data::detect,
        }
    }
}

/// Something whose change would explain a fact.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subject {
    /// An absolute path of the host.
    Path(String),
    /// A container by name.
    Container(String),
    /// A compose service.
    Service(String),
    /// A volume by name.
    Volume(String),
    /// A variable's name.
    Variable(String),
}

/// One bad state with what proves it.
#[derive(Clone, Debug, PartialEq)]
pub struct Fact {
    pub kind: FactKind,
    /// Which form of it; one of [`FactKind::words`].
    pub is: &'static str,
    /// The service, container or host part that it is about.
    pub component: String,
    /// Services that suffer from it besides `component`.
    pub affects: Vec<String>,
    /// What is wrong, in one sentence, with names.
    pub text: String,
    pub because: Vec<Reason>,
    pub against: Vec<Reason>,
    /// High where live state shows it, medium where files do, low where half is unseen.
    pub confidence: Confidence,
    pub location: Location,
    /// What a change to would explain it.
    pub subjects: Vec<Subject>,
    /// Since when, where evidence says so.
    pub onset: Option<Timestamp>,
    /// Look-alikes that were checked for: name, and why they are out.
    pub ruled_out: Vec<Reason>,
    /// Markdown: what to do, with real names; commands in backticks.
    pub remedy: String,
}

impl Fact {
    /// A state that nobody could look at, to ask what would have brought it about.
    pub(crate) fn unseen(kind: FactKind, component: &str, subjects: Vec<Subject>) -> Fact {
        Fact {
            kind,
            is: kind.words().first().copied().unwrap_or_default(),
            component: component.to_owned(),
            affects: Vec::new(),
            text: String::new(),
            because: Vec::new(),
            against: Vec::new(),
            confidence: Confidence::Low,
            location: Location::default(),
            subjects,
            onset: None,
            ruled_out: Vec::new(),
            remedy: String::new(),
        }
    }
}

/// All facts of a scene, in a stable order.
pub fn all(scene: &Scene) -> Vec<Fact> {
    let mut facts: Vec<Fact> = FactKind::ALL.into_iter().flat_map(|kind| kind.detector()(scene)).collect();
    drop_kept_environments(&mut facts);
    facts.sort_by(|a, b| (a.kind, &a.component, a.is, &a.text).cmp(&(b.kind, &b.component, b.is, &b.text)));
    // The same state can be read in two places: the file on the host, and its copy in the container.
    facts.dedup_by(|later, first| {
        (later.kind, &later.component, later.is, &later.text) == (first.kind, &first.component, first.is, &first.text)
    });
    facts
}

/// Where the files gave a variable before a restart, the old environment that the restart kept is
/// the fault, and the variable's absence only what it looks like.
fn drop_kept_environments(facts: &mut Vec<Fact>) {
    let drifted: Vec<(String, Vec<Subject>)> = facts
        .iter()
        .filter(|f| f.kind == FactKind::EnvDrift && f.is == "restarted")
        .map(|f| (f.component.clone(), f.subjects.clone()))
        .collect();
    let kept = |fact: &Fact| {
        let variables = || fact.subjects.iter().filter(|s| matches!(s, Subject::Variable(_)));
        drifted.iter().any(|(component, subjects)| {
            *component == fact.component && variables().any(|variable| subjects.contains(variable))
        })
    };
    facts.retain(|fact| fact.kind != FactKind::CredentialFallback || !kept(fact));
}
