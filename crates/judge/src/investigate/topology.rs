//! Who needs whom: the path from a symptom to a component.
//!
//! A neighbour in the same network is no dependency by itself: in a compose
//! project everything shares one, and an unrelated restart would look guilty.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use coroner_read::compose::Service;
use coroner_read::docker::Container;

use super::logs::ErrorGroup;
use crate::detect::routing;
use crate::scene::Scene;

/// How a component stands to what is broken; better ones first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Relation {
    /// It is what is broken.
    Same,
    /// What is broken needs it, over so many steps.
    Dependency(u32),
    /// It stands in front of what is broken.
    Proxy,
    /// The host below everything.
    Host,
    /// Nobody said what is broken.
    Unfocused,
    /// It needs what is broken.
    Dependent,
    /// Nothing but a network is shared.
    Network,
    /// Nothing is shared.
    Unrelated,
}

impl Relation {
    /// Whether a failure there can reach the symptom.
    pub fn on_path(self) -> bool {
        self <= Relation::Unfocused
    }

    /// The relation in words, for a report.
    pub fn words(self) -> &'static str {
        match self {
            Relation::Same => "the affected service itself",
            Relation::Dependency(_) => "a dependency of the affected service",
            Relation::Proxy => "the proxy before the affected service",
            Relation::Host => "the host below it",
            Relation::Unfocused => "no service was named",
            Relation::Dependent => "it needs the affected service, not the other way round",
            Relation::Network => "it only shares a network with the affected service",
            Relation::Unrelated => "no path to this symptom",
        }
    }
}

/// The dependencies between components.
#[derive(Clone, Debug, Default)]
pub struct Topology {
    /// Component by each name that it answers to.
    names: BTreeMap<String, String>,
    needs: BTreeMap<String, BTreeSet<String>>,
    networks: BTreeMap<String, BTreeSet<String>>,
    proxies: BTreeSet<String>,
    /// Component by the host port that it publishes.
    ports: BTreeMap<u16, String>,
}

/// Words in the image names of reverse proxies.
const PROXY_IMAGES: [&str; 6] = ["traefik", "nginx", "caddy", "haproxy", "envoy", "httpd"];

impl Topology {
    /// Reads the dependencies out of declarations, environments, defaults in source text,
    /// proxy configuration and the names that error lines mention.
    pub fn of(scene: &Scene, errors: &[ErrorGroup]) -> Topology {
        let mut topology = Topology::default();
        for container in &scene.containers {
            topology.name_container(container);
        }
        for service in scene.projects.iter().flat_map(|p| &p.services) {
            topology.name_service(service);
        }
        for container in &scene.containers {
            let from = container.component();
            for (name, value) in &container.env {
                topology.add_value(from, name, value);
            }
        }
        for service in scene.projects.iter().flat_map(|p| &p.services) {
            for needed in &service.depends_on {
                topology.add(&service.name, needed);
            }
            for (name, variable) in &service.environment {
                topology.add_value(&service.name, name, &variable.value);
            }
        }
        topology.add_settings(scene);
        for upstream in &scene.upstreams {
            let proxy = topology.names.get(&upstream.proxy).cloned().unwrap_or_else(|| upstream.proxy.clone());
            topology.proxies.insert(proxy.clone());
            topology.add_host(&proxy, &upstream.host, upstream.port);
        }
        for (proxy, backend) in routing::pairs(scene) {
            let proxy = topology.names.get(&proxy).cloned().unwrap_or(proxy);
            topology.proxies.insert(proxy.clone());
            topology.add(&proxy, &backend);
        }
        topology.add_routed(scene);
        for error in errors {
            topology.add_mentions(&error.component, &error.message);
        }
        topology
    }

    fn name_container(&mut self, container: &Container) {
        let component = container.component().to_owned();
        let aliases = container.networks.values().flat_map(|n| n.aliases.iter().cloned());
        for name in aliases.chain([container.name.clone(), component.clone()]) {
            self.names.entry(name).or_insert_with(|| component.clone());
        }
        for network in container.networks.keys() {
            self.networks.entry(network.clone()).or_default().insert(component.clone());
        }
        for port in &container.published {
            self.ports.entry(port.host_port).or_insert_with(|| component.clone());
        }
        let image = container.image.rsplit('/').next().unwrap_or("");
        let program = image.split([':', '@']).next().unwrap_or("");
        if PROXY_IMAGES.contains(&program) {
            self.proxies.insert(component);
        }
    }

    fn name_service(&mut self, service: &Service) {
        let aliases = service.aliases.values().flatten().cloned();
        for name in aliases.chain([service.name.clone(), service.container_name.clone()]) {
            if !name.is_empty() {
                self.names.entry(name).or_insert_with(|| service.name.clone());
            }
        }
        for port in &service.ports {
            self.ports.entry(port.host_port).or_insert_with(|| service.name.clone());
        }
    }

    /// Defaults in source text count for the container that holds the file, else for
    /// the service that is built from the folder.
    fn add_settings(&mut self, scene: &Scene) {
        for setting in &scene.settings {
            let owners: Vec<String> = match &setting.container {
                Some(name) => self.names.get(name).cloned().into_iter().collect(),
                None => scene
                    .projects
                    .iter()
                    .flat_map(|p| &p.services)
                    .filter(|s| !s.build_context.is_empty() && under(&setting.path, &s.build_context))
                    .map(|s| s.name.clone())
                    .collect(),
            };
            for owner in owners {
                self.add_value(&owner, &setting.variable, setting.default.as_deref().unwrap_or_default());
            }
        }
    }

    /// A proxy that finds its backends by labels needs each that bears them.
    fn add_routed(&mut self, scene: &Scene) {
        let labelled =
            |labels: &BTreeMap<String, String>| labels.keys().any(|k| k.starts_with("traefik.http.routers."));
        let containers = scene.containers.iter().filter(|c| labelled(&c.labels)).map(|c| c.component().to_owned());
        let services =
            scene.projects.iter().flat_map(|p| &p.services).filter(|s| labelled(&s.labels)).map(|s| s.name.clone());
        let routed: BTreeSet<String> = containers.chain(services).collect();
        for proxy in self.proxies.clone() {
            routed.iter().for_each(|backend| self.add(&proxy, backend));
        }
    }

    /// The components that a text names.
    pub fn named(&self, text: &str) -> BTreeSet<String> {
        let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.')));
        words.filter_map(|w| self.names.get(w.trim_matches('.')).cloned()).collect()
    }

    fn add(&mut self, from: &str, to: &str) {
        let to = self.names.get(to).cloned().unwrap_or_else(|| to.to_owned());
        if from != to {
            self.needs.entry(from.to_owned()).or_default().insert(to);
        }
    }

    fn add_host(&mut self, from: &str, host: &str, port: Option<u16>) {
        if let Some(to) = self.host(host, port) {
            self.add(from, &to);
        }
    }

    /// The component behind a host name, or behind a published port of this host.
    fn host(&self, host: &str, port: Option<u16>) -> Option<String> {
        if matches!(host, "localhost" | "127.0.0.1" | "::1" | "host.docker.internal" | "0.0.0.0") {
            return port.and_then(|p| self.ports.get(&p).cloned());
        }
        self.names.get(host).cloned()
    }

    fn add_value(&mut self, from: &str, variable: &str, value: &str) {
        for (host, port) in hosts(variable, value) {
            self.add_host(from, &host, port);
        }
    }

    /// An error line that names another component as a host tells of a dependency.
    fn add_mentions(&mut self, from: &str, message: &str) {
        if from.is_empty() || self.proxies.contains(from) {
            return;
        }
        for to in self.named(message) {
            self.add(from, &to);
        }
    }

    /// The component of that name, alias or container.
    pub fn component(&self, name: &str) -> Option<&str> {
        self.names.get(name).map(String::as_str)
    }

    /// The component that publishes a port of the host.
    pub fn publisher(&self, port: u16) -> Option<&str> {
        self.ports.get(&port).map(String::as_str)
    }

    /// Every name that is known.
    pub fn names(&self) -> impl Iterator<Item = (&str, &str)> {
        self.names.iter().map(|(n, c)| (n.as_str(), c.as_str()))
    }

    /// Whether it forwards requests to others.
    pub fn is_proxy(&self, component: &str) -> bool {
        self.proxies.contains(component)
    }

    /// How a component stands to the broken ones.
    pub fn relation(&self, focus: &BTreeSet<String>, component: &str) -> Relation {
        if focus.is_empty() {
            return Relation::Unfocused;
        }
        let component = self.component(component).unwrap_or(component);
        if focus.contains(component) {
            return Relation::Same;
        }
        if let Some(steps) = focus.iter().filter_map(|f| self.steps(f, component)).min() {
            return Relation::Dependency(steps);
        }
        if self.proxies.contains(component) {
            return Relation::Proxy;
        }
        if component == "host" || component.starts_with('/') {
            return Relation::Host;
        }
        if focus.iter().any(|f| self.steps(component, f).is_some()) {
            return Relation::Dependent;
        }
        let shared = |f: &String| self.networks.values().any(|n| n.contains(f) && n.contains(component));
        if focus.iter().any(shared) { Relation::Network } else { Relation::Unrelated }
    }

    /// Steps from one component to another along what each needs.
    fn steps(&self, from: &str, to: &str) -> Option<u32> {
        let mut seen = BTreeSet::from([from]);
        let mut queue = VecDeque::from([(from, 0)]);
        while let Some((at, steps)) = queue.pop_front() {
            if at == to {
                return Some(steps);
            }
            // What a proxy forwards to is not what another service needs it for.
            if steps > 0 && self.proxies.contains(at) {
                continue;
            }
            for next in self.needs.get(at).into_iter().flatten() {
                if seen.insert(next) {
                    queue.push_back((next, steps + 1));
                }
            }
        }
        None
    }
}

/// Whether a path lies at or below a folder.
pub fn under(path: &str, folder: &str) -> bool {
    let folder = folder.trim_end_matches('/');
    path == folder || path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'))
}

/// Ends of variable names whose bare value is a host.
const HOST_VARIABLES: [&str; 6] = ["HOST", "HOSTNAME", "SERVER", "ADDR", "ADDRESS", "HOSTS"];

/// The hosts that a variable's value names, with their ports.
fn hosts(variable: &str, value: &str) -> Vec<(String, Option<u16>)> {
    let mut found = Vec::new();
    for part in value.split([',', ';', ' ']).filter(|p| !p.is_empty()) {
        let authority = match part.split_once("://") {
            Some((_, rest)) => rest.split(['/', '?', '#']).next().unwrap_or(""),
            None if part.contains('/') => continue,
            None => part.strip_prefix("host=").unwrap_or(part),
        };
        let host_port = authority.rsplit('@').next().unwrap_or(authority);
        let (host, port) = match host_port.rsplit_once(':') {
            Some((host, port)) if port.parse::<u16>().is_ok() => (host, port.parse().ok()),
            _ => (host_port, None),
        };
        let spelled = part.contains("://") || port.is_some() || part.starts_with("host=");
        let upper = variable.to_ascii_uppercase();
        if spelled || HOST_VARIABLES.iter().any(|end| upper.ends_with(end)) {
            found.push((host.trim_matches(['[', ']']).to_owned(), port));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_name_hosts_only_where_a_host_stands() {
        assert_eq!(hosts("DATABASE_URL", "postgres://u:p@ledger:5432/x"), [("ledger".to_owned(), Some(5432))]);
        assert_eq!(hosts("CACHE_HOST", "kv"), [("kv".to_owned(), None)]);
        assert_eq!(hosts("BROKERS", "a:1,b:2").len(), 2);
        assert!(hosts("APP_NAME", "ledger").is_empty());
    }

    #[test]
    fn a_shared_network_is_no_dependency() {
        let container = |name: &str, env: &[(&str, &str)]| Container {
            name: name.into(),
            env: env.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect(),
            networks: [("net".to_owned(), Default::default())].into(),
            ..Container::default()
        };
        let scene = Scene {
            containers: vec![
                container("web", &[("API", "http://app:80")]),
                container("app", &[("DB_HOST", "pg")]),
                container("pg", &[]),
                container("kv", &[]),
            ],
            ..Scene::default()
        };
        let t = Topology::of(&scene, &[]);
        let focus = BTreeSet::from(["web".to_owned()]);
        assert_eq!(t.relation(&focus, "pg"), Relation::Dependency(2));
        assert_eq!(t.relation(&focus, "kv"), Relation::Network);
        assert_eq!(t.relation(&BTreeSet::from(["pg".to_owned()]), "web"), Relation::Dependent);
        assert!(!t.relation(&focus, "kv").on_path());
    }
}
