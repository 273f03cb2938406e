//! Requests to a port of this host, against what listens there and what is named like it.

use coroner_model::effect::{Effect, EffectKind};
use coroner_model::probe::{DockerTable, HostTable};
use coroner_model::{Citation, Probe};

use super::tool::action;
use super::view::View;
use super::{Case, Judged, Story};
use crate::effect::Planned;

/// Words that many services have in their addresses and names.
const COMMON: [&str; 40] = [
    "api",
    "app",
    "www",
    "web",
    "http",
    "https",
    "localhost",
    "curl",
    "wget",
    "health",
    "healthz",
    "status",
    "server",
    "service",
    "test",
    "json",
    "get",
    "post",
    "put",
    "delete",
    "head",
    "the",
    "and",
    "for",
    "with",
    "from",
    "echo",
    "jq",
    "grep",
    "version",
    "index",
    "html",
    "data",
    "application",
    "content",
    "type",
    "max",
    "time",
    "prod",
    "dev",
];

/// A service by the port that reaches it from this host.
struct Reached {
    name: String,
    port: u16,
    cited: Option<Citation>,
}

/// What must be looked at, where the words around the request may name a service.
pub(super) fn probes(case: &Case<'_>, out: &mut Vec<Probe>) {
    if !words_around(case).is_empty() {
        out.extend([Probe::Host(HostTable::Listeners), Probe::Docker(DockerTable::Inspect)]);
    }
}

/// Words of the request that may name a service: its text, and the line before where it is a comment.
fn words_around(case: &Case<'_>) -> Vec<String> {
    let text = action(case.request).as_shell().unwrap_or_default();
    parts(&text).filter(|word| !COMMON.contains(&word.as_str())).collect()
}

fn parts(text: &str) -> impl Iterator<Item = String> + '_ {
    text.split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|part| part.len() > 2 && part.chars().any(|c| c.is_ascii_alphabetic()))
        .map(str::to_ascii_lowercase)
}

impl View<'_> {
    pub(super) fn local_request(&self, planned: &Planned, port: u16) -> Vec<Judged> {
        let words = words_around(self.case);
        let services = self.reached();
        if words.is_empty() || services.is_empty() {
            return Vec::new();
        }
        let told = match services.iter().find(|s| s.port == port) {
            Some(there) => self.named_another(there, &services, &words),
            None => self.inside_only(port),
        };
        told.map(|(would, line, cited)| {
            let effect = Effect::new(EffectKind::HttpRequest, format!("127.0.0.1:{port}"), &planned.program);
            let why = "A request to the wrong one of two services answers oddly, and the answer misleads.".to_owned();
            Judged { effect, story: Story { would, lines: vec![line], why, evidence: cited, ..Story::default() } }
        })
        .into_iter()
        .collect()
    }

    /// A service that the words mean, where another one listens.
    fn named_another(
        &self,
        there: &Reached,
        all: &[Reached],
        words: &[String],
    ) -> Option<(String, String, Vec<Citation>)> {
        let own: Vec<String> = parts(&there.name).collect();
        let says = |name: &str| words.iter().any(|w| w == name);
        if own.iter().filter(|part| !COMMON.contains(&part.as_str())).any(|part| {
            says(part) && !all.iter().any(|other| other.port != there.port && parts(&other.name).any(|p| p == *part))
        }) {
            return None;
        }
        let meant = all.iter().filter(|other| other.port != there.port && is_similar(there, other)).find(|other| {
            let mut distinct =
                parts(&other.name).filter(|part| !own.contains(part) && !COMMON.contains(&part.as_str()));
            distinct.any(|part| says(&part))
        })?;
        Some((
            format!("ask port {}, which is {}", there.port, there.name),
            format!("{} is {}; {} is {}", there.port, there.name, meant.name, meant.port),
            there.cited.iter().chain(&meant.cited).cloned().collect(),
        ))
    }

    /// A port that only containers among themselves use.
    fn inside_only(&self, port: u16) -> Option<(String, String, Vec<Citation>)> {
        let known = matches!(self.answers.get(&Probe::Host(HostTable::Listeners)), Some(Ok(_)));
        if self.scene.listeners.iter().any(|l| l.port == port) || !known {
            return None;
        }
        let container = self
            .scene
            .containers
            .iter()
            .filter(|c| c.is_running())
            .find(|c| c.published.iter().any(|p| p.container_port == port && p.host_port != port))?;
        let outside = container.published.iter().find(|p| p.container_port == port)?.host_port;
        let name = container.component();
        Some((
            format!("ask port {port}, on which nothing listens here"),
            format!("{port} is the port of {name} inside its container; from this host it is {outside}"),
            self.cite(container, "HostConfig/PortBindings").into_iter().collect(),
        ))
    }

    /// Services by the ports that reach them.
    fn reached(&self) -> Vec<Reached> {
        let mut all: Vec<Reached> = Vec::new();
        for container in self.scene.containers.iter().filter(|c| c.is_running()) {
            for port in container.published.iter().filter(|p| p.host_port != 0) {
                all.push(Reached {
                    name: container.component().to_owned(),
                    port: port.host_port,
                    cited: self.cite(container, "HostConfig/PortBindings"),
                });
            }
        }
        for listener in &self.scene.listeners {
            let name = listener.container.clone().unwrap_or_else(|| listener.process.clone());
            if !name.is_empty() && name != "docker-proxy" && !all.iter().any(|s| s.port == listener.port) {
                all.push(Reached { name, port: listener.port, cited: Some(listener.at.clone()) });
            }
        }
        all
    }
}

/// Services that are easily taken for each other: a part of the name, or all but one digit of the port.
fn is_similar(a: &Reached, b: &Reached) -> bool {
    let shares = parts(&a.name).any(|part| parts(&b.name).any(|other| other == part));
    let (left, right) = (a.port.to_string(), b.port.to_string());
    let near = left.len() == right.len() && left.chars().zip(right.chars()).filter(|(x, y)| x != y).count() == 1;
    shares || near
}
