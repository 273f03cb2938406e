//! Reads what the container engine says of its objects: `docker inspect` arrays.
//!
//! Unknown keys are ignored and missing ones are empty: engines of ten years
//! print these objects, and each leaves out something else.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::Value;

/// One container as `docker inspect` prints it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Container {
    /// Place in the array, for pointers such as `#/3/State`.
    pub index: usize,
    pub id: String,
    /// Without the leading slash.
    pub name: String,
    /// The reference that it was started from: `shop/api:1.4`.
    /// Its line in a mere listing, which knows neither its environment nor its addresses.
    pub listed_at: Option<u64>,
    pub image: String,
    /// The image that it was made from, by its content.
    pub image_id: String,
    pub created: Option<Timestamp>,
    pub state: State,
    /// `NAME=value`, in order; the index is that of `Config.Env`.
    pub env: Vec<(String, String)>,
    pub entrypoint: Vec<String>,
    pub cmd: Vec<String>,
    pub working_dir: String,
    pub user: String,
    pub labels: BTreeMap<String, String>,
    pub mounts: Vec<Mount>,
    /// Networks by name.
    pub networks: BTreeMap<String, Attachment>,
    /// `host`, `bridge`, `none`, `container:…` or a network's name.
    pub network_mode: String,
    /// Ports that the image or configuration exposes (TCP).
    pub exposed_ports: Vec<u16>,
    pub published: Vec<Published>,
    pub restart_policy: String,
    /// `Config.Healthcheck.Test`.
    pub healthcheck: Vec<String>,
    pub log_driver: String,
    pub log_options: BTreeMap<String, String>,
}

/// What a container is doing.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct State {
    /// `running`, `exited`, `restarting`, `created`, `paused`, `dead`; empty where unknown.
    pub status: String,
    pub exit_code: Option<i64>,
    pub oom_killed: bool,
    pub error: String,
    pub pid: Option<i64>,
    pub started_at: Option<Timestamp>,
    pub finished_at: Option<Timestamp>,
    pub restart_count: u64,
    /// `healthy`, `unhealthy`, `starting`, or empty where there is no health check.
    pub health: String,
    /// Output of the last health checks, newest last.
    pub health_log: Vec<String>,
}

/// One mount of a container.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Mount {
    /// `bind`, `volume` or `tmpfs`.
    pub kind: String,
    /// Volume name; empty for a bind mount.
    pub name: String,
    /// Path on the host.
    pub source: String,
    /// Path in the container.
    pub destination: String,
    pub writable: bool,
}

/// A container's place in a network.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Attachment {
    pub ip: String,
    pub aliases: Vec<String>,
}

/// A port published on the host.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Published {
    pub host_ip: String,
    pub host_port: u16,
    pub container_port: u16,
    pub protocol: String,
}

impl Container {
    /// The compose service that it is an instance of.
    pub fn service(&self) -> Option<&str> {
        self.label("com.docker.compose.service")
    }

    /// The compose project that it belongs to.
    pub fn project(&self) -> Option<&str> {
        self.label("com.docker.compose.project")
    }

    /// Compose files that it was made from, absolute.
    pub fn config_files(&self) -> Vec<String> {
        self.files_of("com.docker.compose.project.config_files")
    }

    /// Files that a label lists; compose version 1 writes them relative to the project's directory.
    fn files_of(&self, label: &str) -> Vec<String> {
        let base = self.working_directory().unwrap_or("").trim_end_matches('/');
        let files = self.label(label).unwrap_or("").split(',').map(str::trim).filter(|f| !f.is_empty());
        let absolute = |file: &str| match file.strip_prefix("./").unwrap_or(file) {
            rooted if rooted.starts_with('/') || base.is_empty() => rooted.to_owned(),
            relative => format!("{base}/{relative}"),
        };
        files.map(absolute).collect()
    }

    /// The project's directory.
    pub fn working_directory(&self) -> Option<&str> {
        self.label("com.docker.compose.project.working_dir")
    }

    /// Env files that were given to compose itself, absolute.
    pub fn environment_files(&self) -> Vec<String> {
        self.files_of("com.docker.compose.project.environment_file")
    }

    /// A label's value.
    pub fn label(&self, name: &str) -> Option<&str> {
        self.labels.get(name).map(String::as_str).filter(|v| !v.is_empty())
    }

    /// The value of an environment variable that it runs with.
    pub fn variable(&self, name: &str) -> Option<&str> {
        self.env.iter().rev().find(|(n, _)| n == name).map(|(_, v)| v.as_str())
    }

    /// The name that people use: the compose service, else the container's own name.
    pub fn component(&self) -> &str {
        self.service().unwrap_or(&self.name)
    }

    /// Where a part of what the engine says of it is found, by its pointer.
    pub fn locator(&self, pointer: &str) -> String {
        match self.listed_at {
            Some(line) => format!("docker/ps.jsonl:{line}"),
            None => format!("docker/inspect.json#/{}{pointer}", self.index),
        }
    }

    /// Whether it runs now.
    pub fn is_running(&self) -> bool {
        self.state.status == "running"
    }

    /// Names under which others reach it inside a network.
    pub fn answers_to(&self, name: &str) -> bool {
        self.name == name
            || self.service() == Some(name)
            || self.id.starts_with(name) && name.len() >= 12
            || self.networks.values().any(|n| n.aliases.iter().any(|a| a == name))
    }
}

/// Containers of a `docker inspect` array, or the reason why the text is none.
pub fn containers(text: &str) -> Result<Vec<Container>, serde_json::Error> {
    let values = objects(text)?;
    Ok(values
        .iter()
        .enumerate()
        .filter(|(_, v)| v.get("State").is_some() || v.get("Config").is_some())
        .map(|(index, v)| container(index, v))
        .collect())
}

/// A network of a `docker network inspect` array.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Network {
    pub index: usize,
    pub name: String,
    pub driver: String,
    /// Names of the containers in it.
    pub containers: Vec<String>,
}

/// Networks of a `docker network inspect` array.
pub fn networks(text: &str) -> Result<Vec<Network>, serde_json::Error> {
    Ok(objects(text)?
        .iter()
        .enumerate()
        .map(|(index, v)| Network {
            index,
            name: string(v, "/Name"),
            driver: string(v, "/Driver"),
            containers: v
                .get("Containers")
                .and_then(Value::as_object)
                .map(|all| all.values().map(|c| string(c, "/Name")).collect())
                .unwrap_or_default(),
        })
        .collect())
}

/// A volume of a `docker volume inspect` array.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Volume {
    pub index: usize,
    pub name: String,
    pub mountpoint: String,
    pub created: Option<Timestamp>,
    pub labels: BTreeMap<String, String>,
}

/// Volumes of a `docker volume inspect` array.
pub fn volumes(text: &str) -> Result<Vec<Volume>, serde_json::Error> {
    Ok(objects(text)?
        .iter()
        .enumerate()
        .map(|(index, v)| Volume {
            index,
            name: string(v, "/Name"),
            mountpoint: string(v, "/Mountpoint"),
            created: time(&string(v, "/CreatedAt")),
            labels: string_map(v.get("Labels")),
        })
        .collect())
}

/// An image of a `docker image inspect` array.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Image {
    pub id: String,
    pub tags: Vec<String>,
    pub env: Vec<(String, String)>,
    pub entrypoint: Vec<String>,
    pub cmd: Vec<String>,
    pub exposed_ports: Vec<u16>,
}

/// Images of a `docker image inspect` array.
pub fn images(text: &str) -> Result<Vec<Image>, serde_json::Error> {
    Ok(objects(text)?
        .iter()
        .map(|v| Image {
            id: string(v, "/Id"),
            tags: strings(v.pointer("/RepoTags")),
            env: env(v.pointer("/Config/Env")),
            entrypoint: strings(v.pointer("/Config/Entrypoint")),
            cmd: strings(v.pointer("/Config/Cmd")),
            exposed_ports: exposed(v.pointer("/Config/ExposedPorts")),
        })
        .collect())
}

/// The objects of an array, of JSON lines, or of a single object.
fn objects(text: &str) -> Result<Vec<Value>, serde_json::Error> {
    if text.trim().is_empty() {
        return Ok(Vec::new());
    }
    let mut found = Vec::new();
    for value in serde_json::Deserializer::from_str(text).into_iter::<Value>() {
        match value? {
            Value::Array(all) => found.extend(all),
            one => found.push(one),
        }
    }
    Ok(found)
}

fn container(index: usize, v: &Value) -> Container {
    Container {
        index,
        listed_at: None,
        id: string(v, "/Id"),
        name: string(v, "/Name").trim_start_matches('/').to_owned(),
        image: string(v, "/Config/Image"),
        image_id: string(v, "/Image"),
        created: time(&string(v, "/Created")),
        state: state(v),
        env: env(v.pointer("/Config/Env")),
        entrypoint: strings(v.pointer("/Config/Entrypoint")),
        cmd: strings(v.pointer("/Config/Cmd")),
        working_dir: string(v, "/Config/WorkingDir"),
        user: string(v, "/Config/User"),
        labels: string_map(v.pointer("/Config/Labels")),
        mounts: v
            .get("Mounts")
            .and_then(Value::as_array)
            .map(|all| all.iter().map(mount).collect())
            .unwrap_or_default(),
        networks: v
            .pointer("/NetworkSettings/Networks")
            .and_then(Value::as_object)
            .map(|all| all.iter().map(|(name, n)| (name.clone(), attachment(n))).collect())
            .unwrap_or_default(),
        network_mode: string(v, "/HostConfig/NetworkMode"),
        exposed_ports: exposed(v.pointer("/Config/ExposedPorts")),
        published: published(v),
        restart_policy: string(v, "/HostConfig/RestartPolicy/Name"),
        healthcheck: strings(v.pointer("/Config/Healthcheck/Test")),
        log_driver: string(v, "/HostConfig/LogConfig/Type"),
        log_options: string_map(v.pointer("/HostConfig/LogConfig/Config")),
    }
}

fn state(v: &Value) -> State {
    State {
        status: match string(v, "/State/Status") {
            empty if empty.is_empty() => match v.pointer("/State/Running").and_then(Value::as_bool) {
                Some(true) => "running".to_owned(),
                Some(false) => "exited".to_owned(),
                None => String::new(),
            },
            known => known,
        },
        exit_code: v.pointer("/State/ExitCode").and_then(Value::as_i64),
        oom_killed: v.pointer("/State/OOMKilled").and_then(Value::as_bool).unwrap_or(false),
        error: string(v, "/State/Error"),
        pid: v.pointer("/State/Pid").and_then(Value::as_i64).filter(|pid| *pid > 0),
        started_at: time(&string(v, "/State/StartedAt")),
        finished_at: time(&string(v, "/State/FinishedAt")),
        restart_count: v.get("RestartCount").and_then(Value::as_u64).unwrap_or(0),
        health: string(v, "/State/Health/Status"),
        health_log: v
            .pointer("/State/Health/Log")
            .and_then(Value::as_array)
            .map(|all| all.iter().map(|entry| string(entry, "/Output")).collect())
            .unwrap_or_default(),
    }
}

fn mount(v: &Value) -> Mount {
    Mount {
        kind: string(v, "/Type"),
        name: string(v, "/Name"),
        source: string(v, "/Source"),
        destination: string(v, "/Destination"),
        writable: v.get("RW").and_then(Value::as_bool).unwrap_or(true),
    }
}

fn attachment(v: &Value) -> Attachment {
    let mut aliases = strings(v.get("Aliases"));
    aliases.extend(strings(v.get("DNSNames")));
    aliases.sort();
    aliases.dedup();
    Attachment { ip: string(v, "/IPAddress"), aliases }
}

fn published(v: &Value) -> Vec<Published> {
    let bound = v.pointer("/NetworkSettings/Ports").and_then(Value::as_object).filter(|ports| !ports.is_empty());
    let declared = v.pointer("/HostConfig/PortBindings").and_then(Value::as_object);
    let mut all = Vec::new();
    for (port, bindings) in bound.or(declared).into_iter().flatten() {
        let (number, protocol) = port.split_once('/').unwrap_or((port, "tcp"));
        let Ok(container_port) = number.parse() else { continue };
        for binding in bindings.as_array().into_iter().flatten() {
            all.push(Published {
                host_ip: string(binding, "/HostIp"),
                host_port: string(binding, "/HostPort").parse().unwrap_or(0),
                container_port,
                protocol: protocol.to_owned(),
            });
        }
    }
    all
}

fn exposed(value: Option<&Value>) -> Vec<u16> {
    let mut ports: Vec<u16> = value
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
        .filter_map(|(port, _)| port.strip_suffix("/tcp").unwrap_or(port).parse().ok())
        .collect();
    ports.sort_unstable();
    ports
}

fn env(value: Option<&Value>) -> Vec<(String, String)> {
    strings(value)
        .into_iter()
        .map(|entry| match entry.split_once('=') {
            Some((name, value)) => (name.to_owned(), value.to_owned()),
            // A bare name takes the variable away; it keeps its place, so that pointers hold.
            None => (String::new(), entry),
        })
        .collect()
}

fn string(v: &Value, pointer: &str) -> String {
    v.pointer(pointer).and_then(Value::as_str).unwrap_or("").to_owned()
}

/// A list of strings; a single string counts as a list of one.
fn strings(value: Option<&Value>) -> Vec<String> {
    match value {
        Some(Value::Array(all)) => all.iter().filter_map(|v| v.as_str().map(str::to_owned)).collect(),
        Some(Value::String(one)) => vec![one.clone()],
        _ => Vec::new(),
    }
}

fn string_map(value: Option<&Value>) -> BTreeMap<String, String> {
    value
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
        .map(|(k, v)| (k.clone(), v.as_str().map_or_else(|| v.to_string(), str::to_owned)))
        .collect()
}

/// A time as the engine writes it; its zero time (year 1) is none.
fn time(text: &str) -> Option<Timestamp> {
    text.parse::<Timestamp>().ok().filter(|t| t.as_second() > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_container_is_read_with_what_matters() {
        let text = r#"[{"Id":"0123456789abcdef","Name":"/shop-api-1","Created":"2026-01-13T13:01:50.1Z",
          "RestartCount":2,"State":{"Status":"running","Pid":77,"StartedAt":"2026-01-13T13:01:52Z","FinishedAt":"0001-01-01T00:00:00Z"},
          "Config":{"Image":"shop/api:1","Env":["A=b=c","PATH=/bin"],"ExposedPorts":{"8080/tcp":{}},
            "Labels":{"com.docker.compose.service":"api","com.docker.compose.project":"shop"}},
          "HostConfig":{"NetworkMode":"shop_default","RestartPolicy":{"Name":"always"}},
          "Mounts":[{"Type":"bind","Source":"/opt/data","Destination":"/data","RW":true}],
          "NetworkSettings":{"Ports":{"8080/tcp":[{"HostIp":"0.0.0.0","HostPort":"18080"}]},
            "Networks":{"shop_default":{"IPAddress":"172.18.0.3","Aliases":["api"]}}}}]"#;
        let all = containers(text).unwrap();
        let one = &all[0];
        assert_eq!(one.component(), "api");
        assert_eq!(one.variable("A"), Some("b=c"));
        assert_eq!(one.published[0].host_port, 18080);
        assert_eq!(one.state.finished_at, None);
        assert!(one.is_running() && one.answers_to("api") && one.answers_to("0123456789ab"));
    }

    #[test]
    fn empty_is_nothing_and_garbage_is_an_error() {
        assert_eq!(containers(" \n").unwrap(), Vec::new());
        assert!(containers("[{").is_err());
    }
}
