//! One incident: its fields, its evidence, and what would stop a repeat.

use askama::Template;
use axum::http::StatusCode;
use axum::response::Response;
use coroner_model::incident::Incident;
use coroner_verbs::book::filter::by_time;
use coroner_verbs::book::{Book, PatternEntry, similar};

use super::pattern::Rule;
use super::{Badge, Here, Link};
use crate::chip::{Chip, Chips};
use crate::markdown::{self, Html};

#[derive(Template)]
#[template(path = "incident.html")]
struct IncidentPage<'a> {
    here: Here,
    title: &'a str,
    id: &'a str,
    severity: Badge,
    status: Badge,
    date: String,
    sessions: String,
    recurring: bool,
    category: Link,
    /// Where it contradicts itself, and what its page got wrong.
    contradictions: Vec<&'a str>,
    sections: Vec<(&'static str, Html)>,
    /// Labels that the source does not carry.
    absent: Vec<&'static str>,
    body: Option<Html>,
    evidence: Vec<Chip>,
    rules: Vec<Rule>,
    /// Numbers of the failure log for which the library has no pattern, with the title of their draft.
    unknown_numbers: Vec<(u32, String)>,
    similar: Vec<(Link, Badge, String)>,
    earlier: Option<Link>,
    later: Option<Link>,
}

/// Renders the page of one incident.
pub fn page(book: &Book, id: &str) -> Response {
    let Some(incident) = book.incident(id) else {
        return super::not_found("No incident has this id.");
    };
    let mut chips = Chips::new(&book.evidence);
    // First, so that a chip has the number that a text calls its evidence by.
    let evidence = chips.all(&incident.evidence);
    let (sections, absent) = sections(incident, &mut chips);
    let body = further(incident);
    let body = (!body.trim().is_empty()).then(|| markdown::cited(&body, &incident.evidence, &mut chips));
    let patterns = book.patterns_of(incident);
    let (earlier, later) = neighbours(book, incident);
    let page = IncidentPage {
        here: Here::Incidents,
        title: &incident.title,
        id: incident.id.as_str(),
        severity: Badge::severity(incident.severity),
        status: Badge::status(incident.status),
        date: super::date(incident),
        sessions: super::sessions(incident),
        recurring: incident.recurring,
        category: Link {
            href: super::category_href(incident.category),
            text: super::category_name(incident.category).to_owned(),
        },
        contradictions: contradictions(book, incident),
        sections,
        absent,
        body,
        evidence,
        unknown_numbers: unknown_numbers(book, incident, &patterns),
        rules: patterns.iter().map(|p| Rule::of(book, p)).collect(),
        similar: alike(book, incident),
        earlier,
        later,
    };
    super::html(StatusCode::OK, &page)
}

type Sections = Vec<(&'static str, Html)>;

fn fields(incident: &Incident) -> [(&'static str, &Option<String>); 5] {
    [
        ("What happened", &incident.what_happened),
        ("Root cause", &incident.root_cause),
        ("Data lost", &incident.data_lost),
        ("Fix", &incident.fix),
        ("Lesson", &incident.lesson),
    ]
}

/// The body without what the page shows already: a field's words, or the list of evidence.
fn further(incident: &Incident) -> String {
    let is_field = |text: &str| fields(incident).iter().any(|(_, f)| f.as_ref().is_some_and(|f| f.trim() == text));
    let is_list = |title: &str| title.eq_ignore_ascii_case("evidence") && !incident.evidence.is_empty();
    markdown::without_sections(&incident.body, |title, text| is_field(text) || is_list(title))
}

fn sections(incident: &Incident, chips: &mut Chips) -> (Sections, Vec<&'static str>) {
    let (mut sections, mut absent) = (Vec::new(), Vec::new());
    for (label, text) in fields(incident) {
        match text {
            Some(text) => sections.push((label, markdown::cited(text, &incident.evidence, chips))),
            None => absent.push(label),
        }
    }
    (sections, absent)
}

/// What is wrong with the record, each said once.
fn contradictions<'a>(book: &'a Book, incident: &'a Incident) -> Vec<&'a str> {
    let mut said: Vec<&str> = incident.contradictions.iter().map(String::as_str).collect();
    let own = book.problems.iter().filter(|p| p.incident.as_ref() == Some(&incident.id));
    for problem in own {
        if !said.contains(&problem.text.as_str()) {
            said.push(&problem.text);
        }
    }
    said
}

fn unknown_numbers(book: &Book, incident: &Incident, patterns: &[&PatternEntry]) -> Vec<(u32, String)> {
    let known = |n: &u32| patterns.iter().any(|p| p.number == Some(*n));
    let title = |n: u32| book.draft(n).map(|d| d.title.clone()).unwrap_or_default();
    incident.pattern_numbers.iter().copied().filter(|n| !known(n)).map(|n| (n, title(n))).collect()
}

fn alike(book: &Book, incident: &Incident) -> Vec<(Link, Badge, String)> {
    let found = similar(book, incident);
    found
        .iter()
        .map(|s| (Link::incident(s.incident), Badge::severity(s.incident.severity), s.shared.join(", ")))
        .collect()
}

/// The incidents before and after in time.
fn neighbours(book: &Book, incident: &Incident) -> (Option<Link>, Option<Link>) {
    let mut all: Vec<&Incident> = book.incidents.iter().collect();
    all.sort_by(|a, b| by_time(a, b));
    let Some(at) = all.iter().position(|i| i.id == incident.id) else { return (None, None) };
    let link = |i: Option<&&Incident>| i.map(|i| Link::incident(i));
    (at.checked_sub(1).and_then(|before| link(all.get(before))), link(all.get(at + 1)))
}
