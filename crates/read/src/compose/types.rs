//! The nouns of a compose project after merge, interpolation and profiles.

use std::collections::BTreeMap;

use coroner_model::Citation;

/// One compose project as its files declare it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Project {
    pub name: String,
    /// Absolute directory that relative paths start from.
    pub directory: String,
    /// Absolute paths of the files, in the order of merging.
    pub files: Vec<String>,
    /// Every service, also those whose profile is not active.
    pub services: Vec<Service>,
    /// Networks by their key, with the name that the engine knows them by.
    pub networks: BTreeMap<String, NetworkDeclaration>,
    /// Volumes by their key.
    pub volumes: BTreeMap<String, VolumeDeclaration>,
    /// Variables that interpolation used and that nothing sets, with the place.
    pub unset_variables: Vec<(String, Citation)>,
    /// Variables that interpolation could use (env files of compose itself and `.env`).
    pub variables: BTreeMap<String, Variable>,
    /// Absolute paths of the env files of compose itself (`.env` or `--env-file`) that were read.
    pub env_files: Vec<String>,
    /// Files that the project names and that were not at hand.
    pub wanted: Vec<Wanted>,
    /// Parts that could not be read; the rest is used.
    pub problems: Vec<Problem>,
}

/// A file that a project names.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Wanted {
    /// Absolute.
    pub path: String,
    /// Compose refuses to start without it.
    pub required: bool,
}

/// A part of a file that could not be read.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    pub path: String,
    /// 1-based; 0 where the whole file is meant.
    pub line: u64,
    pub reason: String,
}

/// A declared network.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NetworkDeclaration {
    /// `<project>_<key>`, the `name:` given, or the key where external.
    pub name: String,
    pub external: bool,
}

/// A declared volume.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct VolumeDeclaration {
    pub name: String,
    pub external: bool,
    /// Host path of a local volume with `device`/`o: bind`; empty otherwise.
    pub device: String,
}

/// One service after merging.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Service {
    pub name: String,
    /// The line that names it.
    pub at: Option<Citation>,
    pub image: String,
    /// Absolute build context; empty where there is none.
    pub build_context: String,
    /// `dockerfile`, absolute; empty where the context's own is used.
    pub dockerfile: String,
    pub container_name: String,
    /// Variables that its container would get: `environment` over `env_file`.
    pub environment: BTreeMap<String, Variable>,
    /// Variables that it names without a value and that nothing sets: they stay absent.
    pub passed_through: BTreeMap<String, Citation>,
    /// Absolute paths of `env_file`s, in order.
    pub env_files: Vec<String>,
    pub command: Vec<String>,
    pub entrypoint: Vec<String>,
    pub working_dir: String,
    pub ports: Vec<Port>,
    pub expose: Vec<u16>,
    /// Keys of the networks that it joins (`default` where it names none).
    pub networks: Vec<String>,
    /// Names by which others reach it, per network key.
    pub aliases: BTreeMap<String, Vec<String>>,
    pub network_mode: String,
    pub volumes: Vec<Mount>,
    pub labels: BTreeMap<String, String>,
    pub label_lines: BTreeMap<String, Citation>,
    pub profiles: Vec<String>,
    pub depends_on: Vec<String>,
    pub healthcheck: Vec<String>,
    pub restart: String,
    /// Names of `secrets` and `configs` that are mounted into it.
    pub secrets: Vec<String>,
    /// Arguments of its build.
    pub build_args: BTreeMap<String, String>,
    pub logging_driver: String,
    pub logging_options: BTreeMap<String, String>,
}

/// A variable with its value and where it was given.
#[derive(Clone, Debug, PartialEq)]
pub struct Variable {
    pub value: String,
    /// The line that gives it.
    pub at: Citation,
    /// A default of the compose file (`${X:-value}`) made it, since the named variable is unset.
    pub defaulted_from: Option<String>,
    /// Variables in the value that nothing sets and that have no default: whoever runs
    /// compose may set them, so that the real value is not known.
    pub unresolved: Vec<String>,
    /// Every variable whose value or absence shaped this one.
    pub from: Vec<String>,
}

impl Variable {
    /// Whether the value is what every run of compose would give, whatever its shell holds.
    pub fn is_settled(&self) -> bool {
        self.unresolved.is_empty() && self.defaulted_from.is_none()
    }
}

impl Project {
    /// The service of that name.
    pub fn service(&self, name: &str) -> Option<&Service> {
        self.services.iter().find(|s| s.name == name)
    }

    /// The engine's names of the networks that a service joins.
    pub fn network_names(&self, service: &Service) -> Vec<String> {
        let named = |key: &String| self.networks.get(key).map_or_else(|| key.clone(), |n| n.name.clone());
        service.networks.iter().map(named).collect()
    }
}

impl Service {
    /// Whether others reach it under that name inside a shared network.
    pub fn answers_to(&self, name: &str) -> bool {
        self.name == name
            || (!self.container_name.is_empty() && self.container_name == name)
            || self.aliases.values().any(|all| all.iter().any(|a| a == name))
    }

    /// Variables that its code could read, with those whose value is not known.
    pub fn gives(&self, name: &str) -> bool {
        self.environment.contains_key(name) || self.passed_through.contains_key(name)
    }
}

/// A published port.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Port {
    pub host_ip: String,
    /// 0 where the engine chooses.
    pub host_port: u16,
    pub container_port: u16,
    pub protocol: String,
}

/// A declared mount.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Mount {
    /// `bind`, `volume` or `tmpfs`.
    pub kind: String,
    /// Absolute host path, or the volume's key.
    pub source: String,
    pub destination: String,
    pub read_only: bool,
}
