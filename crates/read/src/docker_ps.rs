//! `docker ps --format '{{json .}}'`: containers in short, where nobody inspected them.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::Value;

use crate::docker::{Attachment, Container, Mount, Published, State};

/// The containers of a listing, one a line; a line that is none is left out.
pub fn containers(text: &str) -> Vec<Container> {
    let lines = (1..).zip(text.lines());
    let parsed = lines.filter_map(|(line, text)| Some((line, serde_json::from_str::<Value>(text).ok()?)));
    parsed.enumerate().map(|(index, (line, value))| container(index, line, &value)).collect()
}

fn container(index: usize, line: u64, value: &Value) -> Container {
    let field = |name: &str| value.get(name).and_then(Value::as_str).unwrap_or("").trim();
    let labels = labels(field("Labels"));
    let networks: Vec<&str> = listed(field("Networks")).collect();
    let name = listed(field("Names")).next().unwrap_or("").trim_start_matches('/').to_owned();
    let aliases: Vec<String> = labels.get("com.docker.compose.service").cloned().into_iter().collect();
    let attached =
        |network: &&str| ((*network).to_owned(), Attachment { aliases: aliases.clone(), ..Attachment::default() });
    Container {
        index,
        listed_at: Some(line),
        id: field("ID").to_owned(),
        image: field("Image").to_owned(),
        created: moment(field("CreatedAt")),
        state: state(field("State"), field("Status")),
        cmd: field("Command").trim_matches('"').split_whitespace().map(str::to_owned).collect(),
        mounts: listed(field("Mounts")).map(mount).collect(),
        network_mode: networks.first().map_or(String::new(), |n| (*n).to_owned()),
        networks: networks.iter().map(attached).collect(),
        published: listed(field("Ports")).filter_map(published).collect(),
        name,
        labels,
        ..Container::default()
    }
}

fn listed(text: &str) -> impl Iterator<Item = &str> {
    text.split(',').map(str::trim).filter(|part| !part.is_empty())
}

/// Labels are joined by commas, which may stand in their values too: a piece that gives no
/// name goes on with the value before it.
fn labels(text: &str) -> BTreeMap<String, String> {
    let is_name =
        |name: &str| !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-/[]@".contains(&b));
    let mut all: Vec<(String, String)> = Vec::new();
    for piece in text.split(',') {
        match (piece.split_once('='), all.last_mut()) {
            (Some((name, value)), _) if is_name(name) => all.push((name.to_owned(), value.to_owned())),
            (_, Some((_, value))) => {
                value.push(',');
                value.push_str(piece);
            }
            (_, None) => {}
        }
    }
    all.into_iter().collect()
}

/// `2026-02-10 08:00:00 +0000 UTC`.
fn moment(text: &str) -> Option<Timestamp> {
    let mut words = text.split_whitespace();
    let (date, time, offset) = (words.next()?, words.next()?, words.next()?);
    let (hours, minutes) = offset.split_at_checked(3)?;
    format!("{date}T{time}{hours}:{minutes}").parse().ok()
}

/// `running` and `Exited (137) 5 minutes ago`; older engines print the latter only.
fn state(state: &str, status: &str) -> State {
    let word = if state.is_empty() { status.split_whitespace().next().unwrap_or("") } else { state };
    let code = status.split_once('(').and_then(|(_, rest)| rest.split(')').next());
    let health = code.filter(|c| matches!(*c, "healthy" | "unhealthy")).unwrap_or_default();
    State {
        status: if word == "Up" { "running".to_owned() } else { word.to_ascii_lowercase() },
        exit_code: code.and_then(|c| c.parse().ok()),
        health: health.to_owned(),
        ..State::default()
    }
}

fn mount(source: &str) -> Mount {
    let is_path = source.starts_with('/');
    Mount {
        kind: if is_path { "bind" } else { "volume" }.to_owned(),
        name: if is_path { String::new() } else { source.to_owned() },
        source: source.to_owned(),
        destination: String::new(),
        writable: true,
    }
}

/// `0.0.0.0:8080->80/tcp`.
fn published(text: &str) -> Option<Published> {
    let (host, inside) = text.split_once("->")?;
    let (address, host_port) = host.rsplit_once(':')?;
    let (port, protocol) = inside.split_once('/').unwrap_or((inside, "tcp"));
    Some(Published {
        host_ip: address.trim_matches(['[', ']']).to_owned(),
        host_port: host_port.parse().ok()?,
        container_port: port.parse().ok()?,
        protocol: protocol.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_a_container_in_short() {
        let text = concat!(
            r#"{"Names":"shop-api-1","ID":"abc","Image":"shop/api:1","State":"exited","Status":"Exited (137) 5 minutes ago","#,
            r#""CreatedAt":"2026-02-10 09:00:00 +0100 CET","Command":"\"node server.js\"","Networks":"edge,inner","#,
            r#""Labels":"com.docker.compose.service=api,traefik.http.routers.a.rule=Host(`a`,`b`),x.y=1","#,
            r#""Mounts":"/srv/a,data","Ports":"0.0.0.0:8080->80/tcp, 443/tcp"}"#,
            "\nno JSON\n"
        );
        let all = containers(text);
        assert_eq!(all.len(), 1);
        let one = &all[0];
        assert_eq!((one.name.as_str(), one.service(), one.state.exit_code), ("shop-api-1", Some("api"), Some(137)));
        assert_eq!(one.created, "2026-02-10T08:00:00Z".parse().ok());
        assert_eq!(one.label("traefik.http.routers.a.rule"), Some("Host(`a`,`b`)"));
        assert_eq!(one.networks.keys().collect::<Vec<_>>(), ["edge", "inner"]);
        assert_eq!(one.published[0].host_port, 8080);
        assert_eq!(one.locator("/State"), "docker/ps.jsonl:1");
        assert_eq!(containers(r#"{"Names":"a","Status":"Up 2 hours"}"#)[0].state.status, "running");
    }
}
