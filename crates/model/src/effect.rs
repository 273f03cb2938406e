//! What a command would do, however it is spelled.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The vocabulary of effects (DESIGN section 5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum EffectKind {
    Delete,
    Overwrite,
    Truncate,
    Move,
    DiscardWork,
    RewriteHistory,
    ForcePush,
    BypassHook,
    ChangeOwner,
    ChangeMode,
    RunContainer,
    RestartContainer,
    RemoveContainer,
    RemoveVolume,
    Prune,
    DropData,
    ResetDatabase,
    Migrate,
    StampMigration,
    FlushCache,
    StopService,
    KillProcess,
    Install,
    Download,
    FillDisk,
    PrintSecret,
    InlineSecret,
    WriteSecret,
    HttpMutation,
    RepeatMutation,
    Publish,
    Deploy,
    InfrastructureDestroy,
    UpgradeMajor,
    ChangeFirewall,
    EditGuard,
    /// Tests, or jobs that run them, would say less.
    WeakenTests,
    /// A script or fetched text that could not be read.
    UnknownExecution,
    /// `compose up` and the like: containers made anew from the files.
    RecreateContainer,
    /// A request that reads, where something is to be said of whom it reaches.
    HttpRequest,
    /// What keeps others out or records what happened is switched off, or opened to everybody.
    WeakenProtection,
    /// A commit or tag without the signature that the settings of git ask for.
    LeaveUnsigned,
}

/// What state says of the thing that an effect would touch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum TargetClass {
    /// Bind mount or volume of a running or declared service.
    LiveData,
    Backup,
    /// No other copy is known.
    OnlyCopy,
    Uncommitted,
    UntrackedIgnored,
    Unpushed,
    OutsideWorkspace,
    /// Configured as never deletable.
    Protected,
    System,
    SecretStore,
    Production,
    /// Transcripts, Coroner's own store.
    Evidence,
    /// A variable or glob that could not be resolved.
    Unresolved,
    /// A link that leads out of the tree.
    LinkOut,
    /// Temporary folders, build output.
    Scratch,
}

/// A typed circumstance of an effect that a pattern may ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Circumstance {
    /// The effect goes down a whole tree.
    Recursive,
    /// The container stays in the background.
    Detached,
    /// The environment that the container would get from its files differs from
    /// the one that it has, so restarting keeps the old one.
    EnvChangePending,
    /// An image or name that a compose service of this host already has, or labels
    /// or ports that make it a service of its own.
    ResemblesService,
    /// The container would share no network with the reverse proxy.
    OffProxyNetwork,
    /// Paths with another owner or mode on purpose lie under the target.
    CrossesException,
    /// An exclude was given that matches nothing at the destination.
    ExcludeMatchesNothing,
    /// The running container would lose the directory that it has mounted, or itself go.
    InUse,
    /// Nothing brings back what goes.
    Irreversible,
    /// No part is spared: every row, key, container or process.
    Everything,
    /// Others work on it: a branch or commits that are published.
    Shared,
    /// Host, network or login go along with it.
    WholeHost,
    /// A whole disk or partition.
    Device,
    /// Anybody on the host could write there.
    OpensToAll,
    /// It needs more space than is free.
    ExceedsSpace,
    /// It goes to the container engine of another host.
    RemoteEngine,
    /// It goes to a container engine that does not answer.
    SilentEngine,
    /// A compose project names the file.
    Declared,
    /// A variable that a service needs would no longer be given.
    KeyLost,
    /// A log that had a bound would have none.
    LogUnbounded,
    /// The session was denied the same harm to the same thing before.
    DeniedBefore,
}

/// One effect of a command on one target.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Effect {
    /// What it does.
    pub kind: EffectKind,
    /// To what: an absolute path, a container or service name, a database, a host.
    pub target: String,
    /// What state says of the target; sorted, each once.
    pub class: Vec<TargetClass>,
    /// What else holds; sorted, each once.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub circumstance: Vec<Circumstance>,
    /// The program that does it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub program: String,
    /// Paths and volumes with live data that it would hit; sorted, each once.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub touches: Vec<String>,
}

impl Effect {
    /// An effect of which no state is known yet.
    pub fn new(kind: EffectKind, target: impl Into<String>, program: &str) -> Effect {
        Effect {
            kind,
            target: target.into(),
            class: Vec::new(),
            circumstance: Vec::new(),
            program: program.to_owned(),
            touches: Vec::new(),
        }
    }

    /// Adds a class, keeping order and uniqueness.
    pub fn add_class(&mut self, class: TargetClass) {
        if let Err(at) = self.class.binary_search(&class) {
            self.class.insert(at, class);
        }
    }

    /// Adds a circumstance, keeping order and uniqueness.
    pub fn add_circumstance(&mut self, circumstance: Circumstance) {
        if let Err(at) = self.circumstance.binary_search(&circumstance) {
            self.circumstance.insert(at, circumstance);
        }
    }
}
