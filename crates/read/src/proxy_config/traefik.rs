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

/// A dynamic configuration file, as far as it says which routes there are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dynamic {
    pub routers: Vec<Router>,
    /// Names of the services that it defines, of HTTP, TCP and UDP.
    pub services: Vec<String>,
    /// Line and reason where it is no YAML or TOML.
    pub broken: Option<(u64, String)>,
}

/// One router of a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Router {
    pub name: String,
    pub service: String,
    pub entry_points: Vec<String>,
    /// 1-based.
    pub line: u64,
}

/// Reads the routers and services of a file; one without them has none.
pub fn dynamic(document: &Document) -> Dynamic {
    let text = document.text.as_str();
    let mut read = Dynamic::default();
    let tree = if document.path.ends_with(".toml") {
        match toml::from_str::<toml::Table>(text) {
            Ok(table) => Some(from_toml(&toml::Value::Table(table), text)),
            Err(error) => {
                let line = error.span().map_or(1, |s| text[..s.start.min(text.len())].matches('\n').count() as u64 + 1);
                read.broken = Some((line, error.message().to_owned()));
                None
            }
        }
    } else {
        match yaml::document(text) {
            Ok(tree) => tree,
            Err(error) => {
                read.broken = Some((error.line, error.reason));
                None
            }
        }
    };
    let Some(tree) = tree else { return read };
    for protocol in ["http", "tcp", "udp"] {
        let Some(part) = tree.get(protocol) else { continue };
        for Entry { key, line, value } in part.get("routers").map(Node::entries).unwrap_or_default() {
            let entry_points = value.get("entryPoints").or_else(|| value.get("entrypoints"));
            read.routers.push(Router {
                name: key.clone(),
                service: value.get("service").and_then(Node::text).unwrap_or("").to_owned(),
                entry_points: entry_points
                    .map(Node::texts)
                    .unwrap_or_default()
                    .into_iter()
                    .map(str::to_owned)
                    .collect(),
                line: *line,
            });
        }
        read.services.extend(part.get("services").map(Node::entries).unwrap_or_default().iter().map(|e| e.key.clone()));
    }
    read
}

/// What a proxy is told of itself: its entry points, and where its file provider looks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Static {
    pub entry_points: Vec<String>,
    /// Inside the container.
    pub directory: Option<String>,
    pub file: Option<String>,
}

/// Reads the flags of a command; they and a static file do not mix.
pub fn static_of_flags<'w>(words: impl IntoIterator<Item = &'w str>) -> Static {
    let mut read = Static::default();
    for word in words {
        let lower = word.to_ascii_lowercase();
        let Some(flag) = lower.strip_prefix("--") else { continue };
        let value = || word.split_once('=').map(|(_, v)| v.trim_matches('"').to_owned());
        if let Some(rest) = flag.strip_prefix("entrypoints.") {
            let name = rest.split(['.', '=']).next().unwrap_or(rest).to_owned();
            if !read.entry_points.contains(&name) {
                read.entry_points.push(name);
            }
        } else if flag.starts_with("providers.file.directory=") {
            read.directory = value();
        } else if flag.starts_with("providers.file.filename=") {
            read.file = value();
        }
    }
    read
}

/// Reads a static file; `None` where it names neither entry points nor a file provider.
pub fn static_of_file(document: &Document) -> Option<Static> {
    let tree = tree_of(document)?;
    let field = |node: &Node, name: &str| {
        node.entries().iter().find(|e| e.key.eq_ignore_ascii_case(name)).map(|e| e.value.clone())
    };
    let entry_points: Vec<String> = field(&tree, "entryPoints")
        .map(|points| points.entries().iter().map(|e| e.key.to_ascii_lowercase()).collect())
        .unwrap_or_default();
    let file = field(&tree, "providers").and_then(|p| field(&p, "file"));
    let text = |name: &str| file.as_ref().and_then(|f| field(f, name)).and_then(|n| n.text().map(str::to_owned));
    let read = Static { entry_points, directory: text("directory"), file: text("filename") };
    (read != Static::default()).then_some(read)
}
