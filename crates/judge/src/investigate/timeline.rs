//! One timeline over all sources: agents, containers, commits, logs, files, requests, notes.

use coroner_model::investigation::{Change, ChangeKind, Event, Hypothesis, Status};
use coroner_model::session::CallStatus;
use coroner_model::{Citation, Source};
use jiff::Timestamp;

use super::Case;
use super::change::{self, Act, agent_of};
use super::logs::ErrorGroup;
use super::signature::{Sighting, shortened};
use super::symptom::{Focus, cite_state, ended, failed};
use super::window::Window;

/// Most events in a report.
pub const EVENTS_MAX: usize = 200;

/// A moment as reports spell it: UTC, without fractions.
pub fn moment(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%SZ").to_string()
}

/// All events of the window, sorted, bounded.
pub fn merge(
    case: &Case<'_>,
    focus: &Focus,
    hypotheses: &[Hypothesis],
    sightings: &[Sighting],
    errors: &[ErrorGroup],
) -> Vec<Event> {
    let cause = hypotheses.iter().filter(|h| h.status != Status::Open).find_map(|h| h.explained_by.as_ref());
    let asked = Window { from: case.request.since, to: case.request.until };
    let window = match (asked.from.or(asked.to), focus.report.onset) {
        (Some(_), _) | (None, None) => asked,
        (None, Some(onset)) => Window::around(onset, cause.and_then(|c| c.at)),
    };
    let mut events = Vec::new();
    let acts = case.acts.all.iter().filter(|act| window.holds(act.call.at));
    events.extend(acts.filter_map(|act| of_call(case, act)));
    of_containers(case, &mut events);
    of_commits(case, &mut events);
    of_logs(sightings, errors, &mut events);
    of_files(case, cause, &mut events);
    of_exchanges(case, &mut events);
    of_notes(case, &mut events);
    events.retain(|e| window.holds(Some(e.at)));
    events.sort();
    events.dedup();
    bound(events, focus.report.onset)
}

/// Keeps the events nearest to the onset.
fn bound(mut events: Vec<Event>, onset: Option<Timestamp>) -> Vec<Event> {
    if events.len() > EVENTS_MAX {
        let middle = onset.unwrap_or(events[events.len() - 1].at);
        events.sort_by_key(|e| (e.at.duration_since(middle).abs(), e.source.clone(), e.text.clone()));
        events.truncate(EVENTS_MAX);
        events.sort();
    }
    events
}

fn event(at: Timestamp, source: &str, text: String, evidence: Vec<Citation>) -> Event {
    Event { at, source: source.to_owned(), text, evidence }
}

/// A call that changed something, or tried to; reading is not on the timeline.
fn of_call(case: &Case<'_>, act: &Act<'_>) -> Option<Event> {
    let (session, call) = (act.session, act.call);
    let at = call.at?;
    let what = match &call.command {
        Some(command) if change::acts(case.acts.effects(act)) => command.trim().to_owned(),
        Some(_) => return None,
        None => format!("{} {}", call.tool, change::edited(call)?),
    };
    let outcome = match (call.status, call.exit_code) {
        (CallStatus::Rejected, _) => " (refused, never ran)".to_owned(),
        (CallStatus::Error, Some(code)) => format!(" (exit {code})"),
        (CallStatus::Error, None) => " (failed)".to_owned(),
        (CallStatus::Interrupted, _) => " (interrupted)".to_owned(),
        _ => String::new(),
    };
    let text = format!("{}: {}{outcome}", agent_of(session), shortened(&what));
    Some(event(at, "agent", text, vec![change::cite(session, call)]))
}

fn of_containers(case: &Case<'_>, events: &mut Vec<Event>) {
    for container in &case.scene.containers {
        let cited = || vec![cite_state(container)];
        let state = &container.state;
        if let Some(at) = container.created {
            events.push(event(at, "docker", format!("{} was made from {}", container.name, container.image), cited()));
        }
        if let Some(at) = state.started_at {
            events.push(event(at, "docker", format!("{} was started", container.name), cited()));
        }
        if let Some(at) = state.finished_at {
            let code = state.exit_code.map(|c| format!(" (exit {c})")).unwrap_or_default();
            let killed = if state.oom_killed { ", out of memory" } else { "" };
            events.push(event(at, "docker", format!("{} stopped{code}{killed}", container.name), cited()));
        }
    }
}

fn of_commits(case: &Case<'_>, events: &mut Vec<Event>) {
    for commit in &case.scene.commits {
        if let Some(at) = commit.at {
            let short: String = commit.id.chars().take(10).collect();
            events.push(event(
                at,
                "git",
                format!("{short} {}", shortened(&commit.subject)),
                vec![commit.cited.clone()],
            ));
        }
    }
}

fn of_logs(sightings: &[Sighting], errors: &[ErrorGroup], events: &mut Vec<Event>) {
    let folded = |count: u64| if count > 1 { format!(" ×{count}") } else { String::new() };
    let mut cited: Vec<&str> = Vec::new();
    for sighting in sightings {
        if let (Some(at), Some(first)) = (sighting.first, sighting.cited.first()) {
            cited.push(&first.locator);
            let text =
                format!("{} first says {}{}", sighting.component, shortened(&sighting.message), folded(sighting.count));
            events.push(event(at, "log", text, vec![first.clone()]));
        }
    }
    for error in errors {
        if let Some(at) = error.first.filter(|_| !cited.contains(&error.cited.locator.as_str())) {
            let text = format!("{} first says {}{}", error.component, shortened(&error.message), folded(error.count));
            events.push(event(at, "log", text, vec![error.cited.clone()]));
        }
    }
}

/// Changes of files that belong to services, and the one that explains the cause.
fn of_files(case: &Case<'_>, cause: Option<&Change>, events: &mut Vec<Event>) {
    for (path, state) in &case.scene.paths {
        let matters =
            case.scene.env_files.contains_key(path) || case.scene.projects.iter().any(|p| p.files.contains(path));
        if let (Some(at), Some(cited), true) = (state.changed, &state.at, matters) {
            events.push(event(at, "file", format!("{path} changed"), vec![cited.clone()]));
        }
    }
    if let Some(change) = cause.filter(|c| c.kind == ChangeKind::FileChange)
        && let (Some(at), Some(path)) = (change.at, &change.path)
    {
        events.push(event(at, "file", format!("{path} changed"), change.evidence.clone()));
    }
}

fn of_exchanges(case: &Case<'_>, events: &mut Vec<Event>) {
    for exchange in &case.scene.exchanges {
        if let Some(at) = exchange.at {
            let mark = if failed(exchange) { "" } else { " (fine)" };
            let text = format!("{} {} answers {}{mark}", exchange.method, exchange.url, ended(exchange));
            events.push(event(at, "http", text, vec![exchange.cited.clone()]));
        }
    }
}

/// What people noted while it happened.
fn of_notes(case: &Case<'_>, events: &mut Vec<Event>) {
    use coroner_model::Probe;
    use coroner_model::probe::HostTable;
    for document in case.answers.documents(&Probe::Host(HostTable::Annotations)) {
        for (index, line) in document.text.as_str().lines().enumerate() {
            let mut fields = line.split('\t');
            let Some(at) = fields.next().and_then(|t| t.parse::<Timestamp>().ok()) else { continue };
            let by = fields.next().unwrap_or("");
            let text = fields.collect::<Vec<_>>().join(" ");
            let cited = document.cite_line(index as u64 + document.first_line.max(1));
            let cited = Citation::new(Source::Note, cited.locator, cited.text);
            events.push(event(at, "note", format!("{by}: {text}"), vec![cited]));
        }
    }
}
