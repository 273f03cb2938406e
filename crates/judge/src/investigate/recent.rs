//! What merely happened shortly before: listed as open, never as a cause.

use coroner_model::investigation::{Change, Hypothesis, Reason, Status};
use jiff::SignedDuration;

use super::Case;
use super::symptom::{Focus, cite_state};
use super::timeline::moment;
use super::topology::Relation;

/// How long before the onset a restart is still worth a line.
const RECENT: SignedDuration = SignedDuration::from_hours(1);
/// Most of them in a report.
const RECENT_MAX: usize = 4;

/// Containers that were started or made shortly before the onset and that no hypothesis explains.
pub fn open(case: &Case<'_>, focus: &Focus, known: &[Hypothesis]) -> Vec<Hypothesis> {
    let Some(onset) = focus.report.onset.filter(|_| focus.seen) else { return Vec::new() };
    let mut all = Vec::new();
    for container in &case.scene.containers {
        let component = container.component();
        if known.iter().any(|h| h.component == component) || all.len() >= RECENT_MAX {
            continue;
        }
        let made = container.created.map(|at| (at, "was made"));
        let started = container.state.started_at.map(|at| (at, "was started"));
        let recent = started.into_iter().chain(made).min_by_key(|(at, _)| onset.duration_since(*at).abs());
        let Some((at, verb)) = recent else { continue };
        let before = onset.duration_since(at);
        if before < SignedDuration::ZERO || before > RECENT {
            continue;
        }
        let relation = case.topology.relation(&focus.components, component);
        let reason = Reason {
            text: format!("{component} {verb} {}, {} before the onset", moment(at), minutes(before)),
            evidence: vec![cite_state(container)],
            count: None,
        };
        let against = match relation {
            Relation::Same | Relation::Dependency(_) | Relation::Unfocused => {
                "no state or signature speaks for it".to_owned()
            }
            other => other.words().to_owned(),
        };
        all.push(Hypothesis {
            rank: 0,
            pattern: None,
            title: format!("{component} {verb} {} before the onset", minutes(before)),
            status: Status::Open,
            score: -100 - before.as_mins(),
            component: component.to_owned(),
            because: vec![reason],
            against: vec![Reason { text: against, evidence: Vec::new(), count: None }],
            explained_by: None::<Change>,
            lookalikes: Vec::new(),
            remedy: String::new(),
        });
    }
    all
}

fn minutes(span: SignedDuration) -> String {
    match span.as_secs() {
        0..120 => format!("{} s", span.as_secs()),
        _ => format!("{} min", span.as_mins()),
    }
}
