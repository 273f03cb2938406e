//! Traefik's file provider: routers and the servers of their services, in YAML or TOML.

use coroner_model::Document;

use super::{DockerProvider, Kind, Upstream, address, labels};
use crate::yaml::{self, Entry, Node, Value};

/// Reads the upstreams of a dynamic configuration file; another file has none.
pub(super) fn read(document: &Document) -> Vec<Upstream> {
    let tree = tree_of(document);
    let Some(http) = tree.as_ref().and_then(|t| t.get("http")) else { return Vec::new() };
    let mut found = Vec::new();
    for Entry { key: service, value, .. } in http.get("services").map(Node::entries).unwrap_or_default() {
        let servers = value.at(&["loadBalancer", "servers"]).map(Node::items).unwrap_or_default();
        for url in servers.iter().filter_map(|s| s.get("url")) {
            let Some((host, port)) = url.text().and_then(address) else { continue };
            let route = routes_of(http, service).join(", ");
            let at = document.cite_line(document.first_line + url.line.max(1) - 1);
            found.push(Upstream { kind: Kind::Traefik, route, host, port, at });
        }
    }
    found
}

fn tree_of(document: &Document) -> Option<Node> {
    let text = document.text.as_str();
    if document.path.ends_with(".toml") {
        return toml::from_str::<toml::Table>(text).ok().map(|table| from_toml(&toml::Value::Table(table), text));
    }
    yaml::document(text).ok().flatten()
}

/// Reads `providers.docker` of a static file.
pub(super) fn docker_provider(document: &Document) -> Option<DockerProvider> {
    let tree = tree_of(document)?;
    let docker = tree.at(&["providers", "docker"])?;
    let field = |name: &str| docker.entries().iter().find(|e| e.key.eq_ignore_ascii_case(name)).map(|e| &e.value);
    let network = field("network").and_then(|n| Some((n.text()?.to_owned(), n.line)));
    Some(DockerProvider {
        exposed_by_default: field("exposedByDefault").and_then(Node::text).map(|t| t.eq_ignore_ascii_case("true")),
        at: network.as_ref().map(|(_, line)| document.cite_line(document.first_line + (*line).max(1) - 1)),
        network: network.map(|(name, _)| name),
    })
}

/// Hosts of the routers that lead to a service.
fn routes_of(http: &Node, service: &str) -> Vec<String> {
    let routers = http.get("routers").map(Node::entries).unwrap_or_default();
    let leading = routers.iter().filter(|r| {
        let to = r.value.get("service").and_then(Node::text).unwrap_or("");
        to.split('@').next() == Some(service)
    });
    leading.flat_map(|r| labels::hosts(r.value.get("rule").and_then(Node::text).unwrap_or(""))).collect()
}

/// A TOML value as a tree; the line of a text is the first that holds it.
fn from_toml(value: &toml::Value, source: &str) -> Node {
    let line_of = |needle: &str| source.find(needle).map_or(1, |at| source[..at].matches('\n').count() as u64 + 1);
    let (line, value) = match value {
        toml::Value::String(text) => (line_of(text), Value::Scalar { text: text.clone(), plain: false }),
        toml::Value::Table(table) => {
            let entry = |(key, value): (&String, &toml::Value)| Entry {
                key: key.clone(),
                line: 1,
                value: from_toml(value, source),
            };
            (1, Value::Map(table.iter().map(entry).collect()))
        }
        toml::Value::Array(items) => (1, Value::List(items.iter().map(|i| from_toml(i, source)).collect())),
        other => (1, Value::Scalar { text: other.to_string(), plain: true }),
    };
    Node { line, file: 0, tag: None, value }
}
