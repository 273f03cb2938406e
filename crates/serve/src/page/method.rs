//! The six steps, with what was done at each in the newest investigation.

use askama::Template;
use axum::http::StatusCode;
use axum::response::Response;
use coroner_verbs::book::{Book, STEPS};

use super::{Here, Link};

#[derive(Template)]
#[template(path = "method.html")]
struct Method {
    here: Here,
    title: &'static str,
    newest: Option<Link>,
    steps: Vec<StepRow>,
}

struct StepRow {
    number: usize,
    title: &'static str,
    why: &'static str,
    command: &'static str,
    done: Vec<String>,
}

/// Renders the method.
pub fn page(book: &Book) -> Response {
    let newest = book.investigations.first();
    let steps = STEPS.iter().zip(1..).map(|(step, number)| StepRow {
        number,
        title: step.title,
        why: step.why,
        command: step.command,
        done: newest
            .into_iter()
            .flat_map(|k| &k.report.steps)
            .filter(|s| s.number as usize == number)
            .flat_map(|s| s.done.clone())
            .collect(),
    });
    let page = Method {
        here: Here::Method,
        title: "The six steps",
        newest: newest.map(super::investigation::link),
        steps: steps.collect(),
    };
    super::html(StatusCode::OK, &page)
}
