//! HAProxy: the servers of `backend` and `listen` sections, and the hosts that lead to them.

use std::collections::BTreeMap;

use coroner_model::Document;

use super::{Kind, Upstream, address};

/// A line that forwards: section, address, line number.
struct Server {
    section: String,
    address: String,
    line: u64,
}

/// Reads the upstreams of an HAProxy configuration.
pub(super) fn read(document: &Document) -> Vec<Upstream> {
    let mut section = String::new();
    // Conditions by name, and hosts by backend.
    let mut conditions: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut hosts: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut servers: Vec<Server> = Vec::new();
    for (index, raw) in document.text.as_str().lines().enumerate() {
        let line = raw.split('#').next().unwrap_or(raw);
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            ["backend" | "listen" | "frontend" | "defaults" | "global" | "resolvers" | "peers", rest @ ..] => {
                section = rest.first().map_or(words[0], |name| *name).to_owned();
            }
            ["acl", name, condition @ ..] => {
                conditions.entry((*name).to_owned()).or_default().extend(hosts_of(condition));
            }
            ["use_backend", backend, condition @ ..] => {
                let named = condition.iter().filter_map(|w| conditions.get(*w)).flatten().cloned();
                let all: Vec<String> = hosts_of(condition).into_iter().chain(named).collect();
                hosts.entry((*backend).to_owned()).or_default().extend(all);
            }
            ["server" | "server-template", _, address, ..] => servers.push(Server {
                section: section.clone(),
                address: (*address).to_owned(),
                line: document.first_line + index as u64,
            }),
            _ => {}
        }
    }
    servers
        .into_iter()
        .filter_map(|server| {
            let (host, port) = address(&server.address)?;
            let route = hosts.get(&server.section).map(|h| h.join(", ")).unwrap_or_default();
            Some(Upstream { kind: Kind::HaProxy, route, host, port, at: document.cite_line(server.line) })
        })
        .collect()
}

/// The names that a condition on the `Host` header lists.
fn hosts_of(condition: &[&str]) -> Vec<String> {
    let asks_host = |word: &str| {
        let word = word.to_ascii_lowercase();
        word.contains("hdr(host")
            || word.contains("hdr_dom(host")
            || word.contains("hdr_beg(host")
            || word == "ssl_fc_sni"
    };
    let Some(at) = condition.iter().position(|w| asks_host(w)) else { return Vec::new() };
    let names = condition[at + 1..].iter().filter(|w| !w.starts_with('-'));
    names.take_while(|w| **w != "}" && **w != "or" && **w != "||").map(|w| (*w).to_owned()).collect()
}
