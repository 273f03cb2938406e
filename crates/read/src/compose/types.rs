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
    pub container_name: String,
    /// Variables that its container would get: `environment` over `env_file`.
    pub environment: BTreeMap<String, Variable>,
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
