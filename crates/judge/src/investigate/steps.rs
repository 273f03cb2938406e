//! The six steps of the method, and what was done at each.

use coroner_model::investigation::{Hypothesis, Status, Step};
use coroner_model::session::CallStatus;

use super::Case;
use super::signature::Sighting;
use super::symptom::{Focus, ended, failed};

/// The steps with what was done.
pub fn done(case: &Case<'_>, focus: &Focus, hypotheses: &[Hypothesis], sightings: &[Sighting]) -> Vec<Step> {
    let steps = [
        ("See what is broken", broken(case, focus)),
        ("Look at the state before believing anything", state(case)),
        ("Check what agents reported against what they ran", reports(case)),
        ("Read the logs for the cause", logs(case, sightings)),
        ("Walk the way that a user walks", walked(case)),
        ("Prove the repair", proof(case, hypotheses)),
    ];
    steps
        .into_iter()
        .enumerate()
        .map(|(index, (title, done))| Step { number: index as u32 + 1, title: title.to_owned(), done })
        .collect()
}

fn counted(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

fn broken(case: &Case<'_>, focus: &Focus) -> Vec<String> {
    let mut done = vec![focus.report.observed.clone()];
    let sick = case.scene.containers.iter().filter(|c| !c.is_running() || c.state.health == "unhealthy").count();
    if !case.scene.containers.is_empty() {
        let all = counted(case.scene.containers.len(), "container", "containers");
        done.push(format!("{all} looked at, {sick} not running or unhealthy"));
    }
    done
}

fn state(case: &Case<'_>) -> Vec<String> {
    let scene = case.scene;
    let mut done = Vec::new();
    if !scene.projects.is_empty() {
        let services = scene.projects.iter().map(|p| p.services.len()).sum();
        done.push(format!("{} compared with what runs", counted(services, "declared service", "declared services")));
    }
    if !scene.filesystems.is_empty() {
        let fullest = scene.filesystems.iter().map(|f| f.used_percent).max().unwrap_or(0);
        done.push(format!(
            "{} looked at, the fullest at {fullest} %",
            counted(scene.filesystems.len(), "filesystem", "filesystems")
        ));
    }
    if !scene.paths.is_empty() {
        done.push(format!("state of {} looked at", counted(scene.paths.len(), "path", "paths")));
    }
    done.push(match case.facts.len() {
        0 => "no bad state found".to_owned(),
        n => format!("{} found", counted(n, "bad state", "bad states")),
    });
    done
}

fn reports(case: &Case<'_>) -> Vec<String> {
    if case.scene.sessions.is_empty() {
        return vec!["no transcript was read".to_owned()];
    }
    let calls = || case.scene.sessions.iter().flat_map(|s| &s.calls);
    let refused = calls().filter(|c| c.status == CallStatus::Rejected).count();
    let subagents = case.scene.sessions.iter().filter(|s| s.subagent.is_some()).count();
    let read = format!(
        "{} of {} read ({subagents} by subagents)",
        counted(calls().count(), "tool call", "tool calls"),
        counted(case.scene.sessions.len(), "transcript", "transcripts"),
    );
    vec![read, format!("{refused} of them never ran and were left out")]
}

fn logs(case: &Case<'_>, sightings: &[Sighting]) -> Vec<String> {
    if case.logs.is_empty() {
        return vec!["no log was read".to_owned()];
    }
    let lines: usize = case.logs.iter().map(|l| l.document.text.as_str().lines().count()).sum();
    let mut done =
        vec![format!("{} of {} read", counted(lines, "line", "lines"), counted(case.logs.len(), "log", "logs"))];
    let seen: u64 = sightings.iter().map(|s| s.count).sum();
    done.push(match sightings.is_empty() {
        true => "no known signature in them".to_owned(),
        false => format!("{seen} lines bear a known signature"),
    });
    done
}

fn walked(case: &Case<'_>) -> Vec<String> {
    let exchanges = &case.scene.exchanges;
    if exchanges.is_empty() {
        return vec!["not walked: no HTTP exchange was made or recorded".to_owned()];
    }
    exchanges
        .iter()
        .take(5)
        .map(|e| format!("{} {} answers {}{}", e.method, e.url, ended(e), if failed(e) { "" } else { " (fine)" }))
        .collect()
}

fn proof(case: &Case<'_>, hypotheses: &[Hypothesis]) -> Vec<String> {
    let again = match case.request.given.is_empty() {
        true => "coroner investigate".to_owned(),
        false => format!("coroner investigate {}", super::signature::shortened(&case.request.given)),
    };
    match hypotheses.first().filter(|h| h.status == Status::Confirmed) {
        Some(_) => {
            vec![format!("still to be done: repair, then run `{again}` again; the confirmed state must be gone")]
        }
        None => vec!["still to be done: nothing is confirmed, so there is nothing to repair yet".to_owned()],
    }
}
