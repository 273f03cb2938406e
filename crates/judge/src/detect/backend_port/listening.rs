//! On which ports a part listens, and how that is known.

use std::sync::LazyLock;

use coroner_model::Citation;
use coroner_read::log;
use regex::Regex;

use crate::detect::part::Part;
use crate::detect::routing::Route;
use crate::scene::Scene;

/// How a port is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Known {
    /// A listener was seen, or the program said that it listens.
    Seen,
    /// Its health check or environment says so.
    Stated,
    /// It is exposed or published.
    Declared,
}

/// A port with what tells it.
#[derive(Clone, Debug)]
pub(super) struct Port {
    pub number: u16,
    pub known: Known,
    /// Only the part itself can reach it.
    pub loopback: bool,
    /// Verb that fits before "on PORT".
    pub says: &'static str,
    pub at: Citation,
}

/// Last lines of a log that are searched.
const LOG_LINES_MAX: usize = 20_000;

/// `Listening on http://0.0.0.0:9000`, `server started on port 9000`, `serving at :9000`.
static LISTENS: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r"(?i)\b(?:listen(?:ing|s)?|running|started|serving|bound|binding|accepting connections|ready)\b[^\n]{0,60}?(?:\bport[ =:]+|(?P<host>[\w.\-]*|\[[0-9a-f:]*\]|\*):)(?P<port>[0-9]{2,5})\b",
    )
    .ok()
});

/// Everything that tells on which ports a part listens.
pub(super) fn ports(scene: &Scene, part: &Part) -> Vec<Port> {
    let mut all = from_listeners(scene, part);
    if all.is_empty() {
        all.extend(from_log(scene, part));
    }
    all.extend(from_environment(part));
    all.extend(from_healthcheck(part));
    all.extend(declared(part));
    all
}

fn is_loopback(address: &str) -> bool {
    address.starts_with("127.") || matches!(address, "localhost" | "::1" | "[::1]")
}

fn from_listeners(scene: &Scene, part: &Part) -> Vec<Port> {
    let Some(container) = part.container else { return Vec::new() };
    let of_part = scene.listeners.iter().filter(|l| l.protocol.starts_with("tcp"));
    of_part
        .filter(|l| l.container.as_deref().is_some_and(|c| container.name == c || container.service() == Some(c)))
        // The engine's own resolver listens inside every container.
        .filter(|l| l.address != "127.0.0.11")
        .map(|l| Port {
            number: l.port,
            known: Known::Seen,
            loopback: is_loopback(&l.address),
            says: "listens",
            at: l.at.clone(),
        })
        .collect()
}

/// What the program said since it was last started.
fn from_log(scene: &Scene, part: &Part) -> Vec<Port> {
    let Some(container) = part.container else { return Vec::new() };
    let mut found: Vec<Port> = Vec::new();
    for entry in scene.logs.iter().filter(|l| l.component == container.component() || l.component == container.name) {
        let text = entry.document.text.as_str();
        let total = text.lines().count();
        for (index, raw) in text.lines().enumerate().skip(total.saturating_sub(LOG_LINES_MAX)) {
            let line = log::line(raw, scene.now);
            if line.at.is_some_and(|at| container.state.started_at.is_some_and(|start| at < start)) {
                continue;
            }
            let Some(captures) = LISTENS.as_ref().and_then(|r| r.captures(&line.message)) else { continue };
            let Some(number) = captures.name("port").and_then(|p| p.as_str().parse().ok()) else { continue };
            let loopback = captures.name("host").is_some_and(|h| is_loopback(h.as_str()) && h.as_str() != "localhost");
            let at = entry.document.cite_text_at(entry.document.first_line + index as u64, raw);
            found.retain(|p| p.number != number);
            found.push(Port { number, known: Known::Seen, loopback, says: "says that it listens", at });
        }
    }
    found
}

/// Variables that mean the port a program listens on, by their whole name.
const PORT_VARIABLES: [&str; 7] =
    ["PORT", "HTTP_PORT", "APP_PORT", "SERVER_PORT", "LISTEN_PORT", "NITRO_PORT", "UVICORN_PORT"];

fn from_environment(part: &Part) -> Vec<Port> {
    let own = PORT_VARIABLES.iter().filter_map(|name| part.variable(name));
    own.filter_map(|value| {
        let number = value.text.trim().parse().ok()?;
        Some(Port { number, known: Known::Stated, loopback: false, says: "is told to listen", at: value.at })
    })
    .collect()
}

fn from_healthcheck(part: &Part) -> Vec<Port> {
    let (words, at) = match (part.container, part.service) {
        (Some(c), _) if !c.healthcheck.is_empty() => {
            (&c.healthcheck, part.cite_state("/Config/Healthcheck", &c.healthcheck.join(" ")))
        }
        (_, Some(s)) => (&s.healthcheck, s.at.clone()),
        _ => return Vec::new(),
    };
    let Some(at) = at else { return Vec::new() };
    let text = words.join(" ");
    let mut found = Vec::new();
    for host in ["localhost:", "127.0.0.1:", "[::1]:", "0.0.0.0:"] {
        for (place, _) in text.match_indices(host) {
            let digits: String = text[place + host.len()..].chars().take_while(char::is_ascii_digit).collect();
            if let Ok(number) = digits.parse() {
                found.push(Port { number, known: Known::Stated, loopback: false, says: "is checked", at: at.clone() });
            }
        }
    }
    found
}

fn declared(part: &Part) -> Vec<Port> {
    let mut found = Vec::new();
    if let (Some(container), Some(at)) = (part.container, part.cite_state("/Config/ExposedPorts", "exposed ports")) {
        let numbers =
            container.exposed_ports.iter().copied().chain(container.published.iter().map(|p| p.container_port));
        found.extend(numbers.map(|number| Port {
            number,
            known: Known::Declared,
            loopback: false,
            says: "exposes what listens",
            at: at.clone(),
        }));
    }
    if let Some((service, at)) = part.service.and_then(|s| Some((s, s.at.clone()?))) {
        let numbers = service.expose.iter().copied().chain(service.ports.iter().map(|p| p.container_port));
        found.extend(numbers.map(|number| Port {
            number,
            known: Known::Declared,
            loopback: false,
            says: "exposes what listens",
            at: at.clone(),
        }));
    }
    found
}

/// A log line that says that a connection to the backend's port was refused.
pub(super) fn refused(scene: &Scene, route: &Route, port: u16) -> Option<(String, Citation)> {
    let container = route.backend.container?;
    let addresses: Vec<String> = container
        .networks
        .values()
        .map(|n| n.ip.clone())
        .chain([container.name.clone(), route.backend.name().to_owned()])
        .filter(|a| !a.is_empty())
        .map(|a| format!("{a}:{port}"))
        .collect();
    for entry in &scene.logs {
        let hit = entry.document.text.as_str().lines().enumerate().filter(|(_, raw)| {
            let lower = raw.to_ascii_lowercase();
            lower.contains("refused") && addresses.iter().any(|a| raw.contains(a.as_str()))
        });
        let last = hit.last().filter(|(_, raw)| {
            let at = log::line(raw, scene.now).at;
            at.is_none_or(|at| container.state.started_at.is_none_or(|start| at > start))
        });
        if let Some((index, raw)) = last {
            let at = entry.document.cite_text_at(entry.document.first_line + index as u64, raw);
            return Some((format!("connections to port {port} of {} are refused", route.backend.name()), at));
        }
    }
    None
}
