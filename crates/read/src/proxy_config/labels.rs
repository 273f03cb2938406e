//! Routes that a container or service asks for by labels or variables.

use std::collections::BTreeMap;

use super::Kind;

/// The variable that `nginx-proxy` looks for.
pub const VIRTUAL_HOST: &str = "VIRTUAL_HOST";

/// A route that a container asks a proxy for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LabelRoute {
    pub kind: Kind,
    /// `traefik.enable`; `None` where the proxy's own default decides.
    pub enabled: Option<bool>,
    /// Public hosts.
    pub hosts: Vec<String>,
    /// The port to reach it on; `None`: the proxy takes the exposed one.
    pub port: Option<u16>,
    /// The label or variable that names the port.
    pub port_from: Option<String>,
    /// The label or variable that makes the route.
    pub from: String,
    /// `traefik.docker.network`.
    pub network: Option<String>,
}

/// The routes that labels and environment ask for.
pub fn of_labels<'a>(labels: &BTreeMap<String, String>, variable: &dyn Fn(&str) -> Option<&'a str>) -> Vec<LabelRoute> {
    let mut routes: Vec<LabelRoute> = traefik(labels).into_iter().chain(caddy(labels)).collect();
    if let Some(hosts) = variable(VIRTUAL_HOST).filter(|h| !h.is_empty()) {
        let port = variable("VIRTUAL_PORT").and_then(|p| p.parse().ok());
        routes.push(LabelRoute {
            kind: Kind::NginxProxy,
            enabled: Some(true),
            hosts: hosts.split(',').map(|h| h.trim().to_owned()).collect(),
            port,
            port_from: port.map(|_| "VIRTUAL_PORT".to_owned()),
            from: VIRTUAL_HOST.to_owned(),
            network: None,
        });
    }
    routes
}

/// Traefik: a rule of a router, or `traefik.enable` alone (the default rule then names the host).
fn traefik(labels: &BTreeMap<String, String>) -> Option<LabelRoute> {
    let lower = |key: &str| key.to_ascii_lowercase();
    let find = |wanted: &str| labels.iter().find(|(k, _)| lower(k) == wanted).map(|(_, v)| v.as_str());
    let enabled = find("traefik.enable").map(|v| v.eq_ignore_ascii_case("true"));
    let rule = |key: &str| lower(key).starts_with("traefik.http.routers.") && lower(key).ends_with(".rule");
    let rules: Vec<(&String, &String)> = labels.iter().filter(|(k, _)| rule(k)).collect();
    let old_rule = labels.iter().find(|(k, _)| lower(k) == "traefik.frontend.rule");
    if rules.is_empty() && old_rule.is_none() && enabled != Some(true) {
        return None;
    }
    let ports: Vec<(&String, u16)> = labels
        .iter()
        .filter(|(k, _)| {
            let k = lower(k);
            (k.starts_with("traefik.http.services.") && k.ends_with(".loadbalancer.server.port")) || k == "traefik.port"
        })
        .filter_map(|(k, v)| Some((k, v.trim().parse().ok()?)))
        .collect();
    // Several services of one container may have several ports: then no single one is *the* port.
    let single = ports.iter().all(|(_, p)| *p == ports[0].1);
    let port = ports.first().filter(|_| single);
    let from = rules.first().map(|(k, _)| (*k).clone()).or_else(|| old_rule.map(|(k, _)| k.clone()));
    Some(LabelRoute {
        kind: Kind::Traefik,
        enabled,
        hosts: rules.iter().chain(old_rule.iter()).flat_map(|(_, v)| hosts(v)).collect(),
        port: port.map(|(_, p)| *p),
        port_from: port.map(|(k, _)| (*k).clone()),
        from: from.unwrap_or_else(|| "traefik.enable".to_owned()),
        network: find("traefik.docker.network").or_else(|| find("traefik.swarm.network")).map(str::to_owned),
    })
}

/// `caddy-docker-proxy`: `caddy: host` and `caddy.reverse_proxy: {{upstreams 8080}}`.
fn caddy(labels: &BTreeMap<String, String>) -> Option<LabelRoute> {
    let (key, proxied) = labels.iter().find(|(k, _)| k.starts_with("caddy") && k.ends_with(".reverse_proxy"))?;
    let host = key.strip_suffix(".reverse_proxy").and_then(|site| labels.get(site)).cloned().unwrap_or_default();
    let port = proxied.split(|c: char| !c.is_ascii_digit()).find_map(|d| d.parse().ok());
    Some(LabelRoute {
        kind: Kind::Caddy,
        enabled: Some(true),
        hosts: vec![host].into_iter().filter(|h| !h.is_empty()).collect(),
        port,
        port_from: port.map(|_| key.clone()),
        from: key.clone(),
        network: labels.get("caddy_ingress_network").cloned(),
    })
}

/// Hosts in ``Host(`a`, `b`)`` and `Host:a,b`.
pub(super) fn hosts(rule: &str) -> Vec<String> {
    if let Some(old) = rule.strip_prefix("Host:") {
        return old.split(';').next().unwrap_or(old).split(',').map(|h| h.trim().to_owned()).collect();
    }
    let mut all = Vec::new();
    for (at, word) in rule.match_indices("Host(").chain(rule.match_indices("HostSNI(")) {
        let inner = rule[at + word.len()..].split(')').next().unwrap_or("");
        all.extend(
            inner.split(',').map(|h| h.trim().trim_matches(['`', '"', '\'']).to_owned()).filter(|h| !h.is_empty()),
        );
    }
    all
}
