//! The pages, one file each, and what they share.

pub mod incident;
pub mod investigation;
pub mod method;
pub mod pattern;
pub mod taxonomy;
pub mod timeline;

use askama::Template;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use coroner_model::incident::{Incident, IncidentStatus};
use coroner_model::{Category, Severity};
use coroner_verbs::book::{Facet, Filter};
use jiff::Timestamp;

use crate::query;

/// Which entry of the navigation a page belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Here {
    Incidents,
    Investigations,
    Patterns,
    Taxonomy,
    Method,
    Nowhere,
}

impl Here {
    /// Addresses and names of the navigation.
    pub const NAVIGATION: [(Here, &'static str, &'static str); 5] = [
        (Here::Incidents, "/incidents", "Incidents"),
        (Here::Investigations, "/investigations", "Investigations"),
        (Here::Patterns, "/patterns", "Patterns"),
        (Here::Taxonomy, "/taxonomy", "Taxonomy"),
        (Here::Method, "/method", "Method"),
    ];
}

/// A link with its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    pub href: String,
    pub text: String,
}

impl Link {
    /// The page of an incident.
    pub fn incident(incident: &Incident) -> Link {
        Link { href: incident_href(incident.id.as_str()), text: incident.title.clone() }
    }
}

/// A word with a shape and a colour, so that none of the three is needed alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Badge {
    pub shape: &'static str,
    pub word: &'static str,
    /// Class of the style sheet.
    pub class: &'static str,
}

impl Badge {
    /// The badge of a severity; `None` where the source gives none.
    pub fn severity(severity: Option<Severity>) -> Badge {
        let (shape, word, class) = match severity {
            Some(Severity::Critical) => ("●", "critical", "critical"),
            Some(Severity::Major) => ("◆", "major", "major"),
            Some(Severity::Minor) => ("▲", "minor", "minor"),
            None => ("○", Facet::Severity.none_word(), "unrated"),
        };
        Badge { shape, word, class }
    }

    /// The badge of a status.
    pub fn status(status: IncidentStatus) -> Badge {
        let (shape, class) = match status {
            IncidentStatus::Open => ("□", "open"),
            IncidentStatus::Mitigated => ("◧", "mitigated"),
            IncidentStatus::Resolved => ("■", "resolved"),
        };
        Badge { shape, word: status.as_str(), class }
    }
}

/// Renders a template as a page.
pub fn html(status: StatusCode, page: &impl Template) -> Response {
    match page.render() {
        Ok(text) => (status, [(header::CONTENT_TYPE, "text/html; charset=utf-8")], text).into_response(),
        Err(_) => (StatusCode::INTERNAL_SERVER_ERROR, "The page could not be rendered.\n").into_response(),
    }
}

#[derive(Template)]
#[template(path = "message.html")]
struct Message<'a> {
    here: Here,
    title: &'a str,
    text: &'a str,
    /// Offered as a way on.
    path: Option<String>,
    hint: &'a str,
}

/// 404: what was asked for is not here.
pub fn not_found(text: &str) -> Response {
    let page = Message { here: Here::Nowhere, title: "Not found", text, path: Some("/incidents".into()), hint: "" };
    html(StatusCode::NOT_FOUND, &page)
}

/// 403: the door does not let the request in.
pub fn refused(text: &str, path: Option<String>) -> Response {
    let hint = "These pages answer only a browser of this machine that was pointed here itself: by a typed address or a link of these pages.";
    html(StatusCode::FORBIDDEN, &Message { here: Here::Nowhere, title: "Refused", text, path, hint })
}

/// 500: the store or the library could not be read.
pub fn could_not_open(reason: &str) -> Response {
    let hint = "`coroner evidence verify` says whether the store is whole.";
    let page = Message { here: Here::Nowhere, title: "Could not look", text: reason, path: None, hint };
    html(StatusCode::INTERNAL_SERVER_ERROR, &page)
}

/// Address of an incident's page.
pub fn incident_href(id: &str) -> String {
    format!("/incidents/{}", query::segment(id))
}

/// Address of an anti-pattern's page.
pub fn pattern_href(id: &str) -> String {
    format!("/patterns/{}", query::segment(id))
}

/// Address of the timeline narrowed to a category.
pub fn category_href(category: Option<Category>) -> String {
    let value = category.map_or(Facet::Category.none_word(), Category::as_str);
    query::href(&Filter::default().toggled(Facet::Category, value))
}

/// The name of a category, also where there is none.
pub fn category_name(category: Option<Category>) -> &'static str {
    category.map_or(Facet::Category.none_word(), Category::as_str)
}

/// A moment, to the second, with its zone.
pub fn time(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}

/// The date of an incident with what is uncertain about it said.
pub fn date(incident: &Incident) -> String {
    let Some(date) = &incident.date else { return "undated".to_owned() };
    let text = match date.parse::<Timestamp>() {
        Ok(at) => at.strftime("%Y-%m-%d %H:%M UTC").to_string(),
        Err(_) => date.clone(),
    };
    if incident.date_approximate { format!("about {text}") } else { text }
}

/// `session 23`, `sessions 17, 18`, or nothing.
pub fn sessions(incident: &Incident) -> String {
    match incident.sessions.as_slice() {
        [] => String::new(),
        [one] => format!("session {one}"),
        many => format!("sessions {}", many.join(", ")),
    }
}

/// `1 incident`, `2 incidents`.
pub fn counted(count: usize, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}
