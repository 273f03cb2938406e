//! A service is told to call another one on a port or path that the other does not have.

use std::collections::BTreeSet;

use coroner_model::Citation;
use coroner_model::finding::Confidence;
use coroner_read::compose::{Project, Service};

use crate::detect::{declared, listed, reason};
use crate::fact::{Fact, FactKind, Subject};
use crate::scene::Scene;

/// Last parts of paths that ask for health.
const HEALTH: [&str; 12] = [
    "health",
    "healthz",
    "healthcheck",
    "ready",
    "readyz",
    "live",
    "livez",
    "alive",
    "ping",
    "status",
    "up",
    "heartbeat",
];

/// Finds it; a scene in order gives nothing.
pub fn detect(scene: &Scene) -> Vec<Fact> {
    let mut facts: Vec<Fact> = Vec::new();
    for project in &scene.projects {
        for caller in &project.services {
            for (name, variable) in &caller.environment {
                let Some(call) = Call::read(&variable.value) else { continue };
                let Some(called) = project.services.iter().find(|s| s.name != caller.name && s.answers_to(&call.host))
                else {
                    continue;
                };
                facts.extend(judge(project, caller, called, name, &call, &variable.at));
            }
        }
    }
    facts
}

/// An address of HTTP, taken apart.
struct Call {
    host: String,
    port: u16,
    path: String,
}

impl Call {
    fn read(text: &str) -> Option<Call> {
        let (scheme, rest) = text.split_once("://")?;
        let default = match scheme {
            "http" | "ws" => 80,
            "https" | "wss" => 443,
            _ => return None,
        };
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        let authority = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
        if authority.contains(['$', '{', '[', ',', ' ']) {
            return None;
        }
        let (host, port) = match authority.split_once(':') {
            Some((host, port)) => (host, port.parse().ok()?),
            None => (authority, default),
        };
        let path = path.split(['?', '#', ' ', '"', '\'']).next().unwrap_or("").trim_end_matches('/').to_owned();
        Some(Call { host: host.to_owned(), port, path })
    }
}

fn judge(
    project: &Project,
    caller: &Service,
    called: &Service,
    variable: &str,
    call: &Call,
    at: &Citation,
) -> Option<Fact> {
    let checks = checks_of(called);
    let mut inside: BTreeSet<u16> = called.ports.iter().map(|p| p.container_port).collect();
    inside.extend(&called.expose);
    inside.extend(checks.iter().map(|c| c.port));
    let own = ["PORT", "HTTP_PORT", "SERVER_PORT", "APP_PORT", "LISTEN_PORT"];
    let told = own.iter().filter_map(|n| called.environment.get(*n)?.value.parse::<u16>().ok());
    let told: BTreeSet<u16> = told.collect();
    inside.extend(&told);
    // What is published alone need not be all that a program listens on.
    let stated = !told.is_empty() || !called.expose.is_empty() || !checks.is_empty();
    let published = called.ports.iter().any(|p| p.host_port == call.port && p.container_port != call.port);
    let names: Vec<String> = inside.iter().map(u16::to_string).collect();
    let (is, text) = if inside.contains(&call.port) {
        let check = checks.iter().find(|c| c.port == call.port && is_health(&c.path))?;
        if !is_health(&call.path) || call.path == check.path {
            return None;
        }
        let text = format!(
            "{} asks {} for /{} ({variable}), and its own health check is /{}",
            caller.name, called.name, call.path, check.path
        );
        ("wrong-path", text)
    } else if published {
        let text = format!(
            "{} calls {} on {} ({variable}), which is its port on the host; among containers it is {}",
            caller.name,
            called.name,
            call.port,
            listed(&names)
        );
        ("published-port", text)
    } else if stated {
        let text = format!(
            "{} calls {} on {} ({variable}), and {} is on {}",
            caller.name,
            called.name,
            call.port,
            called.name,
            listed(&names)
        );
        ("wrong-port", text)
    } else {
        return None;
    };
    let mut fact = declared(FactKind::CallerPort, is, &caller.name, text.clone(), at);
    fact.because = vec![reason(text, std::iter::once(at.clone()).chain(called.at.clone()))];
    fact.confidence = Confidence::Medium;
    fact.affects = vec![called.name.clone()];
    fact.subjects = vec![Subject::Service(caller.name.clone()), Subject::Variable(variable.to_owned())];
    fact.subjects.extend(project.files.iter().cloned().map(Subject::Path));
    if is != "wrong-path" {
        fact.remedy = format!("Write port {} into `{variable}` of `{}`.", names.first()?, caller.name);
    }
    Some(fact)
}

fn is_health(path: &str) -> bool {
    path.rsplit('/').next().is_some_and(|last| HEALTH.contains(&last))
}

/// What a service's own health check asks of itself.
fn checks_of(service: &Service) -> Vec<Call> {
    let text = service.healthcheck.join(" ");
    let addresses =
        text.split_whitespace().filter_map(|word| Call::read(word.trim_matches(['"', '\'', '(', ')', ';'])));
    addresses
        .filter(|c| matches!(c.host.as_str(), "localhost" | "127.0.0.1" | "0.0.0.0") || service.answers_to(&c.host))
        .collect()
}
