//! What a person saw go wrong: what kind of words, which services, since when.

use std::collections::BTreeSet;

use coroner_model::Citation;
use coroner_model::investigation::{Symptom, SymptomKind};
use coroner_read::log;
use jiff::Timestamp;
use url::Url;

use super::logs::ErrorGroup;
use super::signature::{Sighting, shortened};
use super::timeline::moment;
use super::topology::Topology;
use super::{Case, episode, route};
use crate::scene::{Exchange, Scene};

/// The symptom and what it points at.
#[derive(Clone, Debug, Default)]
pub struct Focus {
    pub report: Symptom,
    /// Components that are broken; empty where nobody said.
    pub components: BTreeSet<String>,
    /// Whether anything at all was seen to be broken.
    pub seen: bool,
    /// The named address was asked and answered well.
    pub answers: bool,
}

/// The kind of the words given.
pub fn kind(given: &str, topology: Option<&Topology>) -> SymptomKind {
    let given = given.trim();
    if given.is_empty() {
        return SymptomKind::None;
    }
    if url_of(given).is_some() {
        return SymptomKind::Url;
    }
    if time_of(given).is_some() {
        return SymptomKind::Time;
    }
    if given.lines().count() > 1 || log::line(given, None).at.is_some() {
        return SymptomKind::Log;
    }
    let one_word = !given.contains(char::is_whitespace);
    let known = topology.is_none_or(|t| t.component(given).is_some());
    if one_word && known { SymptomKind::Service } else { SymptomKind::Error }
}

/// A URL, also one whose scheme was left out.
pub fn url_of(given: &str) -> Option<Url> {
    if given.contains(char::is_whitespace) {
        return None;
    }
    if given.starts_with("http://") || given.starts_with("https://") {
        return Url::parse(given).ok();
    }
    let (host, rest) = given.split_once('/').map_or((given, ""), |(h, r)| (h, r));
    let name = host.split(':').next().unwrap_or("");
    let port = host.split_once(':').map(|(_, p)| p);
    let domain = name.contains('.')
        && name.rsplit('.').next().is_some_and(|tld| tld.len() >= 2 && tld.bytes().all(|b| b.is_ascii_alphabetic()));
    let local = name == "localhost" || name.parse::<std::net::Ipv4Addr>().is_ok();
    let file = rest.is_empty()
        && port.is_none()
        && ["log", "txt", "json", "jsonl", "yml", "yaml", "env", "gz"].iter().any(|e| name.ends_with(&format!(".{e}")));
    if file || !(domain || local) || port.is_some_and(|p| p.parse::<u16>().is_err()) {
        return None;
    }
    let scheme = if local || port.is_some() { "http" } else { "https" };
    Url::parse(&format!("{scheme}://{given}")).ok()
}

/// A moment: RFC 3339, or a date and a time without zone (UTC).
pub fn time_of(given: &str) -> Option<Timestamp> {
    if let Ok(at) = given.parse::<Timestamp>() {
        return Some(at);
    }
    let civil: jiff::civil::DateTime = given.replace('/', "-").parse().ok()?;
    jiff::tz::Offset::UTC.to_timestamp(civil).ok()
}

/// Reads the symptom out of the words given and of what was seen.
pub fn read(case: &Case<'_>, sightings: &[Sighting], errors: &[ErrorGroup]) -> Focus {
    let given = case.request.given.trim();
    let mut focus = Focus::default();
    focus.report.given = given.to_owned();
    focus.report.kind = kind(given, Some(&case.topology));
    match focus.report.kind {
        SymptomKind::Url => url(case, errors, &mut focus),
        SymptomKind::Service => service(case, given, sightings, errors, &mut focus),
        SymptomKind::Time => time(given, errors, &mut focus),
        SymptomKind::Error | SymptomKind::Log => words(case, given, sightings, errors, &mut focus),
        SymptomKind::None => nothing(case, sightings, errors, &mut focus),
    }
    if case.request.since.is_some_and(|since| focus.report.onset.is_some_and(|onset| onset < since)) {
        focus.report.onset = case.request.since;
    }
    focus
}

/// Whether an answer means that something is broken.
pub fn failed(exchange: &Exchange) -> bool {
    exchange.error.is_some() || exchange.responses.last().is_some_and(|r| r.status >= 500)
}

/// What an exchange ended with.
pub fn ended(exchange: &Exchange) -> String {
    match (&exchange.error, exchange.responses.last()) {
        (Some(error), _) => shortened(error),
        (None, Some(response)) => response.status.to_string(),
        (None, None) => "no answer".to_owned(),
    }
}

fn url(case: &Case<'_>, errors: &[ErrorGroup], focus: &mut Focus) {
    let Some(url) = url_of(&focus.report.given) else { return };
    let host = url.host_str().unwrap_or("").to_owned();
    focus.components = route::services(case.scene, &case.topology, &url);
    let same = |e: &&Exchange| Url::parse(&e.url).is_ok_and(|u| u.host_str() == Some(&host) && u.path() == url.path());
    let same_host = |e: &&Exchange| Url::parse(&e.url).is_ok_and(|u| u.host_str() == Some(&host));
    let mut exchanges: Vec<&Exchange> = case.scene.exchanges.iter().filter(same).collect();
    if exchanges.is_empty() {
        exchanges = case.scene.exchanges.iter().filter(same_host).collect();
    }
    let broken: Vec<&Exchange> = exchanges.iter().copied().filter(|e| failed(e)).collect();
    let on_path = |e: &&ErrorGroup| {
        focus.components.contains(&e.component)
            || case.topology.is_proxy(&e.component) && e.message.contains(url.path())
    };
    let lines: Vec<&ErrorGroup> = errors.iter().filter(on_path).collect();
    let mut servers = focus.components.clone();
    servers.extend(errors.iter().map(|e| &e.component).filter(|c| case.topology.is_proxy(c)).cloned());
    // Errors before the episode are another one's.
    let began = episode::onset(&case.logs, &servers, url.path());
    let moments = broken.iter().filter_map(|e| e.at).chain(lines.iter().filter_map(|e| e.first)).chain(began);
    focus.report.onset = moments.filter(|at| began.is_none_or(|b| *at >= b)).min();
    focus.seen = !broken.is_empty() || !lines.is_empty();
    focus.answers = broken.is_empty() && !exchanges.is_empty();
    focus.report.observed = match (broken.first(), exchanges.first()) {
        (Some(e), _) => format!("{} {} answers {}", e.method, e.url, ended(e)),
        (None, Some(e)) if lines.is_empty() => format!("{} {} answers {}", e.method, e.url, ended(e)),
        (None, Some(e)) => format!("{} {} answers {}, with errors in the logs", e.method, e.url, ended(e)),
        (None, None) => format!("{url} was not walked: no exchange is recorded"),
    };
    let cited = broken.first().or(exchanges.first()).map(|e| e.cited.clone());
    focus.report.evidence = cited.into_iter().chain(lines.first().map(|e| e.cited.clone())).collect();
}

fn service(case: &Case<'_>, given: &str, sightings: &[Sighting], errors: &[ErrorGroup], focus: &mut Focus) {
    let component = case.topology.component(given).unwrap_or(given).to_owned();
    focus.components.insert(component.clone());
    let own: Vec<&ErrorGroup> = errors.iter().filter(|e| e.component == component).collect();
    let signed: Vec<&Sighting> = sightings.iter().filter(|s| s.component == component).collect();
    let moments = own.iter().filter_map(|e| e.first).chain(signed.iter().filter_map(|s| s.first));
    focus.report.onset = moments.min();
    let state = state_of(case.scene, &component);
    focus.report.observed = match (&state, own.first()) {
        (Some((text, _)), Some(e)) => format!("{component} {text} and logs errors: {}", shortened(&e.message)),
        (Some((text, _)), None) => format!("{component} {text}"),
        (None, Some(e)) => format!("{component} logs errors: {}", shortened(&e.message)),
        (None, None) => format!("{component} was named; its own log shows no error"),
    };
    focus.seen = state.is_some() || !own.is_empty() || !signed.is_empty();
    focus.report.evidence = state.map(|(_, c)| c).into_iter().chain(own.first().map(|e| e.cited.clone())).collect();
}

fn time(given: &str, errors: &[ErrorGroup], focus: &mut Focus) {
    let Some(at) = time_of(given) else { return };
    focus.report.onset = Some(at);
    let apart = |e: &&ErrorGroup| e.first.map(|first| first.duration_since(at).abs());
    let nearest = errors.iter().filter(|e| e.first.is_some()).min_by_key(apart);
    focus.seen = nearest.is_some();
    focus.report.observed = match nearest {
        Some(e) => format!("around {}: {} logs {}", moment(at), e.component, shortened(&e.message)),
        None => format!("no error line was read around {}", moment(at)),
    };
    focus.report.evidence = nearest.map(|e| e.cited.clone()).into_iter().collect();
}

fn words(case: &Case<'_>, given: &str, sightings: &[Sighting], errors: &[ErrorGroup], focus: &mut Focus) {
    let said: Vec<&Sighting> = sightings.iter().filter(|s| s.in_symptom).collect();
    let bare: Vec<String> =
        given.lines().map(|l| log::line(l, None).message.trim().to_lowercase()).filter(|m| m.len() >= 6).collect();
    let quoted = |e: &&ErrorGroup| {
        let message = e.message.to_lowercase();
        bare.iter().any(|b| message.contains(b.as_str()) || b.contains(message.as_str()))
    };
    let lines: Vec<&ErrorGroup> = errors.iter().filter(quoted).collect();
    let places =
        said.iter().map(|s| (&s.component, &s.message)).chain(lines.iter().map(|e| (&e.component, &e.message)));
    for (component, message) in places.filter(|(c, _)| !c.is_empty()) {
        // What a proxy complains of is the backend that it names.
        let backends = if case.topology.is_proxy(component) { case.topology.named(message) } else { BTreeSet::new() };
        match backends.is_empty() {
            true => focus.components.extend([component.clone()]),
            false => focus.components.extend(backends),
        }
    }
    focus.components.extend(case.topology.named(given));
    let moments = said.iter().filter_map(|s| s.first).chain(lines.iter().filter_map(|e| e.first));
    focus.report.onset = moments.min();
    focus.seen = true;
    let place = lines.first().map(|e| e.cited.clone()).or_else(|| said.first().and_then(|s| s.cited.first().cloned()));
    let count: u64 = lines.iter().map(|e| e.count).sum::<u64>().max(said.iter().map(|s| s.count).sum());
    focus.report.observed = match count {
        0 => format!("given: {}", shortened(given)),
        n => format!("{} says {n} times: {}", names(&focus.components), shortened(given)),
    };
    focus.report.evidence = place.into_iter().collect();
}

/// Nothing was given: what is plainly broken is the symptom.
fn nothing(case: &Case<'_>, sightings: &[Sighting], errors: &[ErrorGroup], focus: &mut Focus) {
    let mut observed: Vec<(String, Option<Timestamp>, Citation)> = Vec::new();
    for exchange in case.scene.exchanges.iter().filter(|e| failed(e)) {
        observed.push((
            format!("{} {} answers {}", exchange.method, exchange.url, ended(exchange)),
            exchange.at,
            exchange.cited.clone(),
        ));
    }
    for container in &case.scene.containers {
        if let Some((text, cited)) = state_of(case.scene, container.component()) {
            observed.push((format!("{} {text}", container.component()), None, cited));
        }
    }
    for error in errors.iter().filter(|e| !e.component.is_empty()).take(3) {
        observed.push((
            format!("{} logs {}", error.component, shortened(&error.message)),
            error.first,
            error.cited.clone(),
        ));
    }
    for sighting in sightings {
        if let Some(cited) = sighting.cited.first() {
            let who = if sighting.component.is_empty() { "the log" } else { &sighting.component };
            observed.push((format!("{who} says {}", shortened(&sighting.message)), sighting.first, cited.clone()));
        }
    }
    if !case.request.logs.is_empty() {
        focus.report.kind = SymptomKind::Log;
    }
    focus.seen = !observed.is_empty();
    focus.report.onset = observed.iter().filter_map(|(_, at, _)| *at).min();
    focus.report.observed = match observed.first() {
        Some((text, _, _)) => text.clone(),
        None => "nothing was seen to be broken".to_owned(),
    };
    focus.report.evidence = observed.into_iter().map(|(_, _, cited)| cited).take(5).collect();
}

/// What is wrong with a container's own state, with its citation.
fn state_of(scene: &Scene, component: &str) -> Option<(String, Citation)> {
    let container = scene.containers.iter().find(|c| c.component() == component || c.name == component)?;
    let state = &container.state;
    let once = container.restart_policy.is_empty() || container.restart_policy == "no";
    let text = match state.status.as_str() {
        "restarting" => "keeps restarting".to_owned(),
        "exited" | "dead" if state.exit_code != Some(0) || !once => {
            format!("is not running (exit code {})", state.exit_code.unwrap_or_default())
        }
        _ if state.oom_killed => "was killed for want of memory".to_owned(),
        _ if state.health == "unhealthy" => "is unhealthy".to_owned(),
        _ => return None,
    };
    Some((text, cite_state(container)))
}

/// Cites a container's state where `docker inspect` holds it.
pub fn cite_state(container: &coroner_read::docker::Container) -> Citation {
    let state = &container.state;
    let mut text = format!("{}: {}", container.name, if state.status.is_empty() { "unknown" } else { &state.status });
    if !state.health.is_empty() {
        text = format!("{text}, {}", state.health);
    }
    if let Some(at) = state.started_at {
        text = format!("{text}, started {}", moment(at));
    }
    Citation::new(coroner_model::Source::Docker, container.locator("/State"), text)
}

fn names(components: &BTreeSet<String>) -> String {
    match components.len() {
        0 => "the log".to_owned(),
        _ => components.iter().take(3).cloned().collect::<Vec<_>>().join(", "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_tell_their_kind() {
        for (given, expected) in [
            ("", SymptomKind::None),
            ("https://shop.example.org/api", SymptomKind::Url),
            ("shop.example.org/api", SymptomKind::Url),
            ("127.0.0.1:18080", SymptomKind::Url),
            ("2026-01-13T13:02:00Z", SymptomKind::Time),
            ("2026-01-13 13:02", SymptomKind::Time),
            ("api", SymptomKind::Service),
            ("password authentication failed", SymptomKind::Error),
            ("2026-01-13T13:02:00Z FATAL: no", SymptomKind::Log),
        ] {
            assert_eq!(kind(given, None), expected, "{given}");
        }
        assert_eq!(kind("ECONNREFUSED", Some(&Topology::default())), SymptomKind::Error);
    }
}
