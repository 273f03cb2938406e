//! Reads recorded HTTP exchanges: one chain, or a flow of several.

use coroner_model::{Citation, Document};
use jiff::Timestamp;
use serde_json::Value;

/// Longest body that is kept of an answer, in characters.
pub const BODY_CHARS_MAX: usize = 4000;

/// One request with its chain of answers.
#[derive(Clone, Debug, PartialEq)]
pub struct Exchange {
    pub at: Option<Timestamp>,
    pub method: String,
    pub url: String,
    /// The origin that started the navigation, in flows.
    pub initiator: Option<String>,
    pub responses: Vec<Response>,
    /// Why there was no answer.
    pub error: Option<String>,
    pub cited: Citation,
}

/// One answer of a chain.
#[derive(Clone, Debug, PartialEq)]
pub struct Response {
    pub url: String,
    pub status: u16,
    pub headers: Vec<(String, String)>,
    /// Bounded, redacted.
    pub body: String,
    pub ms: Option<u64>,
}

/// The exchanges of a document, or why it holds none.
pub fn read(document: &Document) -> Result<Vec<Exchange>, serde_json::Error> {
    let value: Value = serde_json::from_str(document.text.as_str())?;
    Ok(match &value {
        Value::Array(all) => {
            all.iter().enumerate().filter_map(|(i, v)| exchange(document, v, &format!("/{i}"))).collect()
        }
        one => exchange(document, one, "").into_iter().collect(),
    })
}

fn exchange(document: &Document, value: &Value, pointer: &str) -> Option<Exchange> {
    let text = |pointer: &str| value.pointer(pointer).and_then(Value::as_str).unwrap_or("").to_owned();
    let url = text("/request/url");
    let responses: Vec<Response> =
        value.get("responses").and_then(Value::as_array).into_iter().flatten().map(|r| response(r, &url)).collect();
    if url.is_empty() && responses.is_empty() {
        return None;
    }
    let method = match text("/request/method") {
        empty if empty.is_empty() => "GET".to_owned(),
        given => given,
    };
    let error = value.get("error").and_then(Value::as_str).filter(|e| !e.is_empty()).map(str::to_owned);
    let outcome = match (responses.last(), &error) {
        (_, Some(error)) => error.clone(),
        (Some(last), None) => format!("{} {}", last.status, first_line(&last.body)),
        (None, None) => "no answer".to_owned(),
    };
    let line = format!("{method} {url} -> {outcome}");
    let cited = if pointer.is_empty() { document.cite_whole(&line) } else { document.cite_pointer(pointer, &line) };
    Some(Exchange {
        at: text("/at").parse().ok(),
        initiator: value.get("initiator").and_then(Value::as_str).map(str::to_owned),
        method,
        url,
        responses,
        error,
        cited,
    })
}

fn first_line(body: &str) -> &str {
    let line = body.lines().map(str::trim).find(|l| !l.is_empty()).unwrap_or("");
    &line[..line.floor_char_boundary(line.len().min(120))]
}

fn response(value: &Value, asked: &str) -> Response {
    let headers = value
        .get("headers")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(|pair| Some((pair.get(0)?.as_str()?.to_owned(), pair.get(1)?.as_str()?.to_owned())));
    let body = match value.get("body") {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Null) | None => String::new(),
        Some(other) => other.to_string(),
    };
    Response {
        url: value.get("url").and_then(Value::as_str).unwrap_or(asked).to_owned(),
        status: value.get("status").and_then(Value::as_u64).and_then(|s| u16::try_from(s).ok()).unwrap_or(0),
        headers: headers.collect(),
        body: body.chars().take(BODY_CHARS_MAX).collect(),
        ms: value.get("ms").and_then(Value::as_u64),
    }
}
