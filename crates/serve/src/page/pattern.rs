//! Anti-patterns: the list, and one page each.

use askama::Template;
use axum::http::StatusCode;
use axum::response::Response;
use coroner_model::Category;
use coroner_verbs::book::{Book, PatternEntry};

use super::{Badge, Here, Link};
use crate::markdown::{self, Html};

/// Most drafts that are listed.
const DRAFTS_COUNT_MAX: usize = 400;

/// An anti-pattern as it stands on its own page and under an incident.
pub struct Rule {
    pub href: String,
    pub id: String,
    pub title: String,
    pub number: Option<u32>,
    pub severity: Badge,
    pub category: Link,
    pub lesson: Html,
    pub speaks_in: String,
    pub why: Html,
    pub do_instead: Html,
    pub caught: Html,
    pub passed: Html,
    /// Path of the project's own file.
    pub path: Option<String>,
    pub incidents: Vec<(Link, Badge, String)>,
    /// Listed in the file, absent from the book.
    pub absent: Vec<String>,
    pub lookalikes: Vec<(Link, Html)>,
    /// Kept investigations that name it.
    pub investigations: Vec<Link>,
}

impl Rule {
    /// Everything of a pattern, rendered.
    pub fn of(book: &Book, pattern: &PatternEntry) -> Rule {
        let incidents = book.incidents_of(pattern);
        let lookalikes = pattern.lookalikes.iter().map(|(id, tells)| {
            let text = book.pattern(id.as_str()).map_or_else(|| id.to_string(), |p| p.title.clone());
            (Link { href: super::pattern_href(id.as_str()), text }, markdown::line(tells))
        });
        Rule {
            href: super::pattern_href(pattern.id.as_str()),
            id: pattern.id.to_string(),
            title: pattern.title.clone(),
            number: pattern.number,
            severity: Badge::severity(Some(pattern.severity)),
            category: Link { href: super::category_href(Some(pattern.category)), text: pattern.category.to_string() },
            lesson: markdown::line(&pattern.lesson),
            speaks_in: pattern.speaks_in.join(", "),
            why: markdown::plain(&pattern.why),
            do_instead: markdown::plain(&pattern.do_instead),
            caught: markdown::plain(&pattern.caught),
            passed: markdown::plain(&pattern.passed),
            path: pattern.path.clone(),
            incidents: incidents
                .iter()
                .map(|i| (Link::incident(i), Badge::severity(i.severity), super::date(i)))
                .collect(),
            absent: book.absent_incidents(pattern).iter().map(|id| id.to_string()).collect(),
            lookalikes: lookalikes.collect(),
            investigations: book.investigations_of(&pattern.id).iter().map(|k| super::investigation::link(k)).collect(),
        }
    }
}

#[derive(Template)]
#[template(path = "pattern.html")]
struct PatternPage<'a> {
    here: Here,
    title: &'a str,
    rule: Rule,
}

/// Renders the page of one anti-pattern.
pub fn page(book: &Book, id: &str) -> Response {
    let Some(pattern) = book.pattern(id) else {
        return super::not_found("No anti-pattern has this id.");
    };
    let page = PatternPage { here: Here::Patterns, title: &pattern.title, rule: Rule::of(book, pattern) };
    super::html(StatusCode::OK, &page)
}

#[derive(Template)]
#[template(path = "patterns.html")]
struct PatternsPage {
    here: Here,
    title: &'static str,
    total: usize,
    groups: Vec<(Category, Vec<Row>)>,
    /// Entries of failure logs: number, where there is one, and title.
    drafts: Vec<(String, String)>,
    drafts_left_out: usize,
}

struct Row {
    link: Link,
    id: String,
    severity: Badge,
    lesson: Html,
    incidents: String,
    speaks_in: String,
}

/// Renders the list of anti-patterns by category.
pub fn list(book: &Book) -> Response {
    let row = |p: &&PatternEntry| Row {
        link: Link { href: super::pattern_href(p.id.as_str()), text: p.title.clone() },
        id: p.id.to_string(),
        severity: Badge::severity(Some(p.severity)),
        lesson: markdown::line(&p.lesson),
        incidents: super::counted(book.incidents_of(p).len(), "incident"),
        speaks_in: p.speaks_in.join(", "),
    };
    let groups = Category::ALL.into_iter().map(|c| (c, book.patterns_in(c).iter().map(row).collect::<Vec<_>>()));
    let drafts = book
        .drafts
        .iter()
        .take(DRAFTS_COUNT_MAX)
        .map(|d| (d.number.map(|n| format!("#{n} ")).unwrap_or_default(), d.title.clone()));
    let page = PatternsPage {
        here: Here::Patterns,
        title: "Anti-patterns",
        total: book.patterns.len(),
        drafts: drafts.collect(),
        drafts_left_out: book.drafts.len().saturating_sub(DRAFTS_COUNT_MAX),
        groups: groups.filter(|(_, rows)| !rows.is_empty()).collect(),
    };
    super::html(StatusCode::OK, &page)
}
