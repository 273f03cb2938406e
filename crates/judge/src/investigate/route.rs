//! Which service stands behind a URL, as far as routes and published ports say.

use std::collections::{BTreeMap, BTreeSet};

use url::Url;

use super::topology::Topology;
use crate::scene::Scene;

/// The services behind a URL; empty where nobody says.
pub fn services(scene: &Scene, topology: &Topology, url: &Url) -> BTreeSet<String> {
    let host = url.host_str().unwrap_or("");
    if host == "localhost" || host.parse::<std::net::IpAddr>().is_ok() {
        let published = url.port_or_known_default().and_then(|port| topology.publisher(port));
        if let Some(component) = published {
            return behind_proxy(scene, topology, component, url);
        }
    }
    let routed = by_route(scene, topology, host, url.path());
    if !routed.is_empty() {
        return routed;
    }
    if let Some(component) = topology.component(host) {
        return BTreeSet::from([component.to_owned()]);
    }
    by_name(topology, host, url.path())
}

/// A published proxy: the service behind it by path, else the proxy itself.
fn behind_proxy(scene: &Scene, topology: &Topology, component: &str, url: &Url) -> BTreeSet<String> {
    if topology.is_proxy(component) {
        let routed = by_route(scene, topology, "", url.path());
        if !routed.is_empty() {
            return routed;
        }
    }
    BTreeSet::from([component.to_owned()])
}

/// Services whose routes take the host and path; the longest path wins.
fn by_route(scene: &Scene, topology: &Topology, host: &str, path: &str) -> BTreeSet<String> {
    let mut best: BTreeMap<usize, BTreeSet<String>> = BTreeMap::new();
    let containers = scene.containers.iter().map(|c| (c.component(), &c.labels));
    let services = scene.projects.iter().flat_map(|p| &p.services).map(|s| (s.name.as_str(), &s.labels));
    for (component, labels) in containers.chain(services) {
        for (_, rule) in labels.iter().filter(|(k, _)| k.contains(".routers.") && k.ends_with(".rule")) {
            if let Some(length) = rule_takes(rule, host, path) {
                best.entry(length).or_default().insert(component.to_owned());
            }
        }
        let plain = ["caddy", "VIRTUAL_HOST"].iter().filter_map(|k| labels.get(*k));
        if plain.flat_map(|v| v.split([',', ' '])).any(|name| !host.is_empty() && strip(name) == host) {
            best.entry(1).or_default().insert(component.to_owned());
        }
    }
    for container in &scene.containers {
        let hosts = container.variable("VIRTUAL_HOST").unwrap_or("");
        if !host.is_empty() && hosts.split(',').any(|name| name.trim() == host) {
            best.entry(1).or_default().insert(container.component().to_owned());
        }
    }
    for upstream in &scene.upstreams {
        if let Some(length) = upstream_takes(&upstream.route, host, path) {
            let target = topology.component(&upstream.host).unwrap_or(&upstream.host);
            best.entry(length).or_default().insert(target.to_owned());
        }
    }
    best.pop_last().map(|(_, found)| found).unwrap_or_default()
}

fn strip(name: &str) -> &str {
    name.trim().trim_start_matches("https://").trim_start_matches("http://").split(['/', ':']).next().unwrap_or("")
}

/// Whether a Traefik rule takes the host and path, and how many characters of the path it names.
fn rule_takes(rule: &str, host: &str, path: &str) -> Option<usize> {
    let mut best = None;
    // Alternatives that the rule joins by `||`; the parts of one must all hold.
    for alternative in rule.split("||") {
        let hosts = arguments(alternative, &["Host("]);
        let expressions = arguments(alternative, &["HostRegexp("]);
        let exact = arguments(alternative, &["Path("]);
        let prefixes = arguments(alternative, &["PathPrefix("]);
        let host_known = !hosts.is_empty() || !expressions.is_empty();
        let host_taken = hosts.iter().any(|h| h.eq_ignore_ascii_case(host))
            || expressions.iter().any(|e| regex::Regex::new(e).is_ok_and(|r| r.is_match(host)));
        if !host.is_empty() && host_known && !host_taken {
            continue;
        }
        let named: Vec<&String> = exact
            .iter()
            .filter(|p| p.as_str() == path)
            .chain(prefixes.iter().filter(|p| path.starts_with(p.as_str())))
            .collect();
        if (!exact.is_empty() || !prefixes.is_empty()) && named.is_empty() {
            continue;
        }
        if !host_known && named.is_empty() || alternative.contains("!Host") {
            continue;
        }
        let length = named.iter().map(|p| p.len()).max().unwrap_or(0) + 1;
        best = best.max(Some(length));
    }
    best
}

/// The quoted arguments of a matcher; `Path(` is not the tail of another name.
fn arguments(rule: &str, names: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    for name in names {
        for (at, _) in rule.match_indices(name) {
            if rule[..at].chars().next_back().is_some_and(|c| c.is_ascii_alphanumeric()) {
                continue;
            }
            let inside = rule[at + name.len()..].split(')').next().unwrap_or("");
            let quoted = inside.split(',').map(|a| a.trim().trim_matches(['`', '"', '\'']).to_owned());
            found.extend(quoted.filter(|a| !a.is_empty()));
        }
    }
    found
}

/// Whether an upstream's route, in whatever words, takes the host and path.
fn upstream_takes(route: &str, host: &str, path: &str) -> Option<usize> {
    if route.contains("Host(") || route.contains("Path") {
        return rule_takes(route, host, path);
    }
    let words: Vec<&str> = route.split([' ', ',']).map(str::trim).filter(|w| !w.is_empty()).collect();
    let mut named_host = false;
    let mut length = None;
    for word in words {
        let word_host = strip(word);
        let word_path = word.find('/').filter(|_| !word.contains("://")).map(|at| &word[at..]);
        if word_host.contains('.') {
            named_host = true;
            if !host.is_empty() && !word_host.eq_ignore_ascii_case(host) {
                continue;
            }
            length = length.max(Some(1));
        }
        let prefix = word_path.filter(|p| path.starts_with(p.trim_end_matches('*')));
        if let Some(prefix) = prefix.filter(|_| !named_host || length.is_some()) {
            length = length.max(Some(prefix.len() + 1));
        }
    }
    length
}

/// No route says: a label of the host name, or a segment of the path, that is a component's name.
fn by_name(topology: &Topology, host: &str, path: &str) -> BTreeSet<String> {
    let labels = host.split('.').take(host.matches('.').count().max(1));
    let segments = path.split('/').filter(|s| !s.is_empty()).take(2);
    segments.chain(labels).find_map(|word| topology.component(word)).map(str::to_owned).into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_take_hosts_and_paths() {
        assert_eq!(rule_takes("Host(`a.example`)", "a.example", "/"), Some(1));
        assert_eq!(rule_takes("Host(`a.example`)", "b.example", "/"), None);
        assert_eq!(rule_takes("Host(`a.example`) && PathPrefix(`/api`)", "a.example", "/api/x"), Some(5));
        assert_eq!(rule_takes("Host(`a.example`) && PathPrefix(`/api`)", "a.example", "/x"), None);
        assert_eq!(rule_takes("Host(`x.example`) || Host(`a.example`)", "a.example", "/"), Some(1));
        assert_eq!(upstream_takes("a.example /api", "a.example", "/api/x"), Some(5));
        assert_eq!(upstream_takes("b.example", "a.example", "/"), None);
    }
}
