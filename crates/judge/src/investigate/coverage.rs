//! Coverage: what was read, from when to when, and how much of it.

use coroner_model::investigation::Coverage;
use coroner_model::{Document, Probe, Source};
use coroner_read::log;
use jiff::Timestamp;

use super::Case;

/// Lines looked at on each end of a log for its span of time.
const END_LINES_MAX: usize = 50;

/// What was read; one entry a log or transcript, one a question for the rest.
pub fn of(case: &Case<'_>) -> Vec<Coverage> {
    let mut all = Vec::new();
    for log in &case.logs {
        let (from, to) = span(log.document, log.reference);
        all.push(Coverage {
            source: log.source,
            what: log.document.path.clone(),
            from,
            to,
            amount: lines(log.document),
        });
    }
    for session in &case.scene.sessions {
        let who = session
            .subagent
            .as_ref()
            .map(|s| format!(" (subagent {})", if s.kind.is_empty() { &s.id } else { &s.kind }));
        all.push(Coverage {
            source: Source::Session,
            what: format!("{}{}", session.path, who.unwrap_or_default()),
            from: session.started,
            to: session.ended,
            amount: format!("{} tool calls, {} messages", session.calls.len(), session.messages.len()),
        });
    }
    for (probe, answer) in case.answers.iter() {
        let Ok(documents) = answer else { continue };
        if matches!(
            probe,
            Probe::ContainerLog { .. }
                | Probe::Logs
                | Probe::LogFile { .. }
                | Probe::Sessions { .. }
                | Probe::File { .. }
                | Probe::Files { .. }
                | Probe::Stat { .. }
                | Probe::Config
        ) {
            continue;
        }
        let Some(first) = documents.first() else { continue };
        let moments = documents.iter().filter_map(|d| d.observed_at);
        let what = if documents.len() == 1 { first.path.clone() } else { probe.subject() };
        all.push(Coverage {
            source: first.source(),
            what,
            from: moments.clone().min(),
            to: moments.max(),
            amount: if documents.len() == 1 { lines(first) } else { format!("{} documents", documents.len()) },
        });
    }
    all.extend(files(case));
    all.sort();
    all.dedup();
    all
}

/// Files and states of paths, counted together: a list of hundreds would hide the rest.
fn files(case: &Case<'_>) -> Option<Coverage> {
    let read = |p: &Probe| matches!(p, Probe::File { .. });
    let stat = |p: &Probe| matches!(p, Probe::Stat { .. });
    let answered =
        |wanted: &dyn Fn(&Probe) -> bool| case.answers.iter().filter(|(p, a)| wanted(p) && a.is_ok()).count();
    let (texts, states) = (answered(&read), answered(&stat));
    (texts + states > 0).then(|| Coverage {
        source: Source::File,
        what: "files".to_owned(),
        from: None,
        to: None,
        amount: format!("{texts} read, state of {states} paths"),
    })
}

fn lines(document: &Document) -> String {
    let count = document.text.as_str().lines().count();
    let noun = if count == 1 { "line" } else { "lines" };
    match document.bytes_left_out {
        0 => format!("{count} {noun}"),
        left => format!("{count} {noun}, {left} bytes left out"),
    }
}

/// The first and the last time that a log names.
fn span(document: &Document, reference: Option<Timestamp>) -> (Option<Timestamp>, Option<Timestamp>) {
    let text = document.text.as_str();
    let at = |raw: &str| log::line(raw, reference).at;
    let first = text.lines().take(END_LINES_MAX).find_map(at);
    let last = text.lines().rev().take(END_LINES_MAX).find_map(at);
    // Lines of several writers need not be in order.
    let ends = || [first, last].into_iter().flatten();
    (ends().min(), ends().max())
}
