//! The three files that pages need, compiled in.

use axum::http::header;
use axum::response::{IntoResponse, Response};

use crate::page;

const CSS: &str = include_str!("../assets/coroner.css");
const KEYS: &str = include_str!("../assets/keys.js");
const ICON: &str = include_str!("../assets/icon.svg");

/// Answers with the file of that name; names are compared, never opened.
pub fn answer(name: &str) -> Response {
    let (kind, text) = match name {
        "coroner.css" => ("text/css; charset=utf-8", CSS),
        "keys.js" => ("text/javascript; charset=utf-8", KEYS),
        "icon.svg" => ("image/svg+xml", ICON),
        _ => return page::not_found("There is no such file."),
    };
    ([(header::CONTENT_TYPE, kind)], text).into_response()
}
