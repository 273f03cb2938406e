//! Reads one merged service.

use std::collections::BTreeMap;

use crate::compose::load::Loader;
use crate::compose::types::{Mount, Port, Service};
use crate::compose::{environment, short};
use crate::yaml::{Entry, Node, Value};

/// Reads a service; a node that is no mapping is none.
pub(super) fn read(loader: &mut Loader, entry: &Entry) -> Option<Service> {
    let node = &entry.value;
    if !matches!(node.value, Value::Map(_)) {
        return None;
    }
    let text = |key: &str| node.get(key).and_then(Node::text).unwrap_or("").to_owned();
    let environment = environment::of_service(loader, node);
    let context = node.at(&["build", "context"]).and_then(Node::text).unwrap_or("").to_owned();
    let dockerfile = node.at(&["build", "dockerfile"]).and_then(Node::text);
    let (networks, aliases) = networks(node);
    let (labels, label_lines) = labels(loader, node);
    Some(Service {
        at: loader.cite(node.file, entry.line),
        name: entry.key.clone(),
        image: text("image"),
        dockerfile: dockerfile.map(|d| short::absolute(d, &context)).unwrap_or_default(),
        build_context: context,
        container_name: text("container_name"),
        environment: environment.variables,
        passed_through: environment.passed_through,
        env_files: environment.files,
        command: words(node.get("command")),
        entrypoint: words(node.get("entrypoint")),
        working_dir: text("working_dir"),
        ports: ports(node),
        expose: node.get("expose").map(Node::texts).unwrap_or_default().iter().flat_map(|t| expose(t)).collect(),
        networks,
        aliases,
        network_mode: text("network_mode"),
        volumes: node.get("volumes").map(Node::items).unwrap_or_default().iter().map(mount).collect(),
        labels,
        label_lines,
        profiles: node.get("profiles").map(Node::texts).unwrap_or_default().into_iter().map(str::to_owned).collect(),
        depends_on: node
            .get("depends_on")
            .map(Node::entries)
            .unwrap_or_default()
            .iter()
            .map(|e| e.key.clone())
            .collect(),
        healthcheck: healthcheck(node),
        restart: text("restart"),
        secrets: ["secrets", "configs"].iter().flat_map(|key| mounted_names(node.get(key))).collect(),
        build_args: node.at(&["build", "args"]).map(pairs).unwrap_or_default(),
        logging_driver: node.at(&["logging", "driver"]).and_then(Node::text).unwrap_or("").to_owned(),
        logging_options: node.at(&["logging", "options"]).map(pairs).unwrap_or_default(),
    })
}

/// A command as a list of words, or as a string that is split by quoting rules.
fn words(node: Option<&Node>) -> Vec<String> {
    match node.map(|n| &n.value) {
        Some(Value::Scalar { text, .. }) => short::split_words(text),
        Some(Value::List(items)) => items.iter().filter_map(Node::text).map(str::to_owned).collect(),
        _ => Vec::new(),
    }
}

fn expose(text: &str) -> Vec<u16> {
    short::range(text.split('/').next().unwrap_or(text))
}

fn ports(node: &Node) -> Vec<Port> {
    let mut all = Vec::new();
    for item in node.get("ports").map(Node::items).unwrap_or_default() {
        if let Some(text) = item.text() {
            all.extend(short::ports(text));
            continue;
        }
        let text = |key: &str| item.get(key).and_then(Node::text).unwrap_or("");
        let Ok(container_port) = text("target").parse() else { continue };
        all.push(Port {
            host_ip: text("host_ip").to_owned(),
            host_port: text("published").parse().unwrap_or(0),
            container_port,
            protocol: if text("protocol").is_empty() { "tcp" } else { text("protocol") }.to_owned(),
        });
    }
    all
}

fn mount(node: &Node) -> Mount {
    if let Some(text) = node.text() {
        return short::mount(text);
    }
    let text = |key: &str| node.get(key).and_then(Node::text).unwrap_or("").to_owned();
    Mount {
        kind: if text("type").is_empty() { "volume".to_owned() } else { text("type") },
        source: text("source"),
        destination: text("target").trim_end_matches('/').to_owned(),
        read_only: text("read_only") == "true",
    }
}

fn networks(node: &Node) -> (Vec<String>, BTreeMap<String, Vec<String>>) {
    let declared = node.get("networks").map(Node::entries).unwrap_or_default();
    if declared.is_empty() {
        let joins_default = node.get("network_mode").is_none_or(Node::is_null);
        return (if joins_default { vec!["default".to_owned()] } else { Vec::new() }, BTreeMap::new());
    }
    let mut aliases = BTreeMap::new();
    for entry in declared {
        let names = entry.value.get("aliases").map(Node::texts).unwrap_or_default();
        if !names.is_empty() {
            aliases.insert(entry.key.clone(), names.into_iter().map(str::to_owned).collect());
        }
    }
    (declared.iter().map(|e| e.key.clone()).collect(), aliases)
}

fn labels(loader: &Loader, node: &Node) -> (BTreeMap<String, String>, BTreeMap<String, coroner_model::Citation>) {
    let mut lines = BTreeMap::new();
    let mut values = BTreeMap::new();
    for entry in node.get("labels").map(Node::entries).unwrap_or_default() {
        values.insert(entry.key.clone(), entry.value.text().unwrap_or("").to_owned());
        if let Some(at) = loader.cite(entry.value.file, entry.line) {
            lines.insert(entry.key.clone(), at);
        }
    }
    (values, lines)
}

fn healthcheck(node: &Node) -> Vec<String> {
    let Some(check) = node.get("healthcheck") else { return Vec::new() };
    if check.get("disable").and_then(Node::text) == Some("true") {
        return vec!["NONE".to_owned()];
    }
    match check.get("test").map(|t| &t.value) {
        Some(Value::Scalar { text, .. }) => vec!["CMD-SHELL".to_owned(), text.clone()],
        Some(Value::List(items)) => items.iter().filter_map(Node::text).map(str::to_owned).collect(),
        _ => Vec::new(),
    }
}

fn mounted_names(node: Option<&Node>) -> Vec<String> {
    let items = node.map(Node::items).unwrap_or_default();
    items.iter().filter_map(|i| i.text().or_else(|| i.get("source").and_then(Node::text))).map(str::to_owned).collect()
}

fn pairs(node: &Node) -> BTreeMap<String, String> {
    node.entries().iter().map(|e| (e.key.clone(), e.value.text().unwrap_or("").to_owned())).collect()
}
