//! Kept investigations: the list, and one page each.

use askama::Template;
use axum::http::StatusCode;
use axum::response::Response;
use coroner_model::investigation::{Change, ChangeKind, Coverage, Event, Hypothesis, LookalikeVerdict, Reason, Status};
use coroner_verbs::book::{Book, Kept};
use jiff::Timestamp;

use super::{Badge, Here, Link};
use crate::chip::{Chip, Chips};
use crate::graph;
use crate::markdown::{self, Html};

/// Most moments of a timeline on a page; the rest is counted.
const EVENTS_COUNT_MAX: usize = 200;

#[derive(Template)]
#[template(path = "investigation.html")]
struct InvestigationPage<'a> {
    here: Here,
    title: String,
    id: &'a str,
    kept: Option<String>,
    given: &'a str,
    onset: Option<String>,
    observed: Vec<Chip>,
    graph: Option<Html>,
    causes: Vec<Cause>,
    /// Whether a state proves a cause, so that something can be learned from it.
    proven: bool,
    events: Vec<Moment>,
    events_left_out: usize,
    coverage: Vec<Covered>,
    could_not_look: Vec<(String, String)>,
    not_looked: usize,
}

struct Cause {
    rank: u32,
    title: String,
    status: Badge,
    component: String,
    pattern: Option<Link>,
    because: Vec<Said>,
    against: Vec<Said>,
    lookalikes: Vec<(Link, &'static str, Said)>,
    change: Option<Explained>,
    remedy: Html,
}

struct Said {
    text: Html,
    /// How many lines matched in all, where not all are cited.
    count: Option<u64>,
    chips: Vec<Chip>,
}

struct Explained {
    kind: &'static str,
    /// Who and when, as far as it is known.
    facts: Vec<String>,
    /// Command, commit or path.
    text: String,
    chips: Vec<Chip>,
}

struct Moment {
    /// The day, where another one begins.
    day: Option<String>,
    at: String,
    /// Before or after the onset.
    relative: String,
    source: String,
    text: String,
    /// Same words again, right after one another.
    times: usize,
    is_onset: bool,
    chips: Vec<Chip>,
}

struct Covered {
    source: &'static str,
    what: String,
    window: String,
    amount: String,
}

/// A link to a kept investigation.
pub fn link(kept: &Kept) -> Link {
    Link { href: format!("/investigations/{}", crate::query::segment(kept.id.as_str())), text: headline(kept) }
}

/// What was seen, or else what was asked.
fn headline(kept: &Kept) -> String {
    let symptom = &kept.report.symptom;
    let words = [&symptom.observed, &symptom.given].into_iter().find(|t| !t.is_empty());
    words.cloned().unwrap_or_else(|| format!("Investigation {}", kept.id))
}

/// The badge of a hypothesis.
pub fn status_badge(status: Status) -> Badge {
    let (shape, word) = match status {
        Status::Confirmed => ("●", "confirmed"),
        Status::Likely => ("◐", "likely"),
        Status::Open => ("○", "open"),
    };
    Badge { shape, word, class: word }
}

/// Renders the page of one investigation.
pub fn page(book: &Book, id: &str) -> Response {
    let Some(kept) = book.investigation(id) else {
        return super::not_found("No investigation is kept under this id.");
    };
    let report = &kept.report;
    let mut chips = Chips::new(&book.evidence);
    // In the order of the page, so that the numbers rise along it.
    let observed = chips.all(&report.symptom.evidence);
    let causes = report.hypotheses.iter().map(|h| cause(h, &mut chips)).collect();
    let (events, events_left_out) = moments(&report.timeline, report.symptom.onset, &mut chips);
    let page = InvestigationPage {
        here: Here::Investigations,
        title: headline(kept),
        id: kept.id.as_str(),
        kept: kept.at.map(super::time),
        given: &report.symptom.given,
        onset: report.symptom.onset.map(super::time),
        observed,
        graph: graph::draw(&headline(kept), &report.hypotheses),
        causes,
        proven: report.hypotheses.iter().any(|h| h.status == Status::Confirmed),
        events,
        events_left_out,
        coverage: report.coverage.iter().map(covered).collect(),
        could_not_look: report.could_not_look.iter().map(|c| (c.what.clone(), c.detail.clone())).collect(),
        not_looked: report.could_not_look.len(),
    };
    super::html(StatusCode::OK, &page)
}

fn cause(hypothesis: &Hypothesis, chips: &mut Chips) -> Cause {
    let h = hypothesis;
    Cause {
        rank: h.rank,
        title: h.title.clone(),
        status: status_badge(h.status),
        component: h.component.clone(),
        pattern: h.pattern.as_ref().map(|p| Link { href: super::pattern_href(p.as_str()), text: p.to_string() }),
        because: h.because.iter().map(|r| said(r, chips)).collect(),
        against: h.against.iter().map(|r| said(r, chips)).collect(),
        lookalikes: h
            .lookalikes
            .iter()
            .map(|l| {
                let verdict = match l.verdict {
                    LookalikeVerdict::RuledOut => "ruled out",
                    LookalikeVerdict::Possible => "possible",
                    LookalikeVerdict::Holds => "holds",
                };
                let link = Link { href: super::pattern_href(l.pattern.as_str()), text: l.title.clone() };
                (link, verdict, Said { text: markdown::line(&l.text), count: None, chips: chips.all(&l.evidence) })
            })
            .collect(),
        change: h.explained_by.as_ref().map(|c| explained(c, chips)),
        remedy: markdown::plain(&h.remedy),
    }
}

fn said(reason: &Reason, chips: &mut Chips) -> Said {
    Said { text: markdown::line(&reason.text), count: reason.count, chips: chips.all(&reason.evidence) }
}

fn explained(change: &Change, chips: &mut Chips) -> Explained {
    let kind = match change.kind {
        ChangeKind::Command => "command",
        ChangeKind::Commit => "commit",
        ChangeKind::FileChange => "file change",
        ChangeKind::ImageChange => "image change",
    };
    let mut facts = Vec::new();
    facts.extend(change.at.map(super::time));
    facts.extend(change.session.as_ref().map(|s| format!("session {s}")));
    facts.extend(change.agent.clone());
    facts.extend(change.tool_call.as_ref().map(|t| format!("tool call {t}")));
    let text = [&change.command, &change.commit, &change.path].into_iter().flatten().next();
    Explained { kind, facts, text: text.cloned().unwrap_or_default(), chips: chips.all(&change.evidence) }
}

/// Moments in order; the same words from the same source in a row become one.
fn moments(events: &[Event], onset: Option<Timestamp>, chips: &mut Chips) -> (Vec<Moment>, usize) {
    let mut moments: Vec<Moment> = Vec::new();
    let mut onset_marked = false;
    let mut today = String::new();
    for event in events {
        if let Some(last) = moments.last_mut().filter(|m| m.source == event.source && m.text == event.text) {
            last.times += 1;
            continue;
        }
        let is_onset = !onset_marked && onset.is_some_and(|o| event.at >= o);
        onset_marked |= is_onset;
        let day = event.at.strftime("%Y-%m-%d").to_string();
        let begins = (day != today).then(|| std::mem::replace(&mut today, day.clone())).map(|_| day);
        moments.push(Moment {
            day: begins,
            at: event.at.strftime("%H:%M:%S").to_string(),
            relative: onset.map(|o| relative(event.at.as_second() - o.as_second())).unwrap_or_default(),
            source: event.source.clone(),
            text: event.text.clone(),
            times: 1,
            is_onset,
            chips: chips.all(&event.evidence),
        });
    }
    let left_out = moments.len().saturating_sub(EVENTS_COUNT_MAX);
    moments.truncate(EVENTS_COUNT_MAX);
    (moments, left_out)
}

/// `−18 s`, `+4 min`, in the largest unit that keeps it short.
fn relative(seconds: i64) -> String {
    let sign = if seconds < 0 { "−" } else { "+" };
    let (value, unit) = match seconds.unsigned_abs() {
        s if s < 120 => (s, "s"),
        s if s < 2 * 3600 => (s / 60, "min"),
        s if s < 48 * 3600 => (s / 3600, "h"),
        s => (s / 86_400, "d"),
    };
    format!("{sign}{value} {unit}")
}

fn covered(coverage: &Coverage) -> Covered {
    let window = match (coverage.from, coverage.to) {
        (None, None) => String::new(),
        (Some(from), Some(to)) if from == to => format!("at {}", super::time(from)),
        (from, to) => {
            let text = |t: Option<Timestamp>| t.map_or("?".to_owned(), super::time);
            format!("{} to {}", text(from), text(to))
        }
    };
    Covered { source: coverage.source.as_str(), what: coverage.what.clone(), window, amount: coverage.amount.clone() }
}

#[derive(Template)]
#[template(path = "investigations.html")]
struct InvestigationsPage {
    here: Here,
    title: &'static str,
    rows: Vec<Row>,
}

struct Row {
    link: Link,
    id: String,
    at: Option<String>,
    best: Option<(Badge, String)>,
    hypotheses: String,
    not_looked: usize,
}

/// Renders the list of kept investigations, newest first.
pub fn list(book: &Book) -> Response {
    let row = |k: &Kept| Row {
        link: link(k),
        id: k.id.to_string(),
        at: k.at.map(super::time),
        best: k.report.hypotheses.first().map(|h| (status_badge(h.status), h.title.clone())),
        hypotheses: match k.report.hypotheses.len() {
            1 => "1 hypothesis".to_owned(),
            n => format!("{n} hypotheses"),
        },
        not_looked: k.report.could_not_look.len(),
    };
    let rows = book.investigations.iter().map(row).collect();
    super::html(StatusCode::OK, &InvestigationsPage { here: Here::Investigations, title: "Investigations", rows })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_told_from_the_onset() {
        assert_eq!(
            [relative(-18), relative(240), relative(7_300), relative(200_000)],
            ["−18 s", "+4 min", "+2 h", "+2 d"]
        );
        let at = |s: i64| Timestamp::from_second(1_770_000_000 + s).unwrap();
        let event = |s, text: &str| Event { at: at(s), source: "log".into(), text: text.into(), evidence: Vec::new() };
        let kept = std::collections::BTreeMap::new();
        let events = [event(-5, "a"), event(0, "b"), event(1, "b"), event(2, "c")];
        let (moments, _) = moments(&events, Some(at(0)), &mut Chips::new(&kept));
        assert_eq!(
            moments.iter().map(|m| (m.times, m.is_onset)).collect::<Vec<_>>(),
            [(1, false), (2, true), (1, false)]
        );
    }
}
