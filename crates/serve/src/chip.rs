//! Evidence chips: a small number that opens the raw excerpt in place.

use std::collections::BTreeMap;

use askama::Template;
use coroner_model::redact::is_token;
use coroner_model::{Citation, EvidenceId};
use coroner_verbs::book::Trace;

/// Length of the token that stands for a secret.
const TOKEN_BYTES: usize = "hmac:".len() + 16;

/// One piece of evidence on a page.
#[derive(Clone, Debug, Template)]
#[template(path = "chip.html")]
pub struct Chip {
    pub number: usize,
    pub id: String,
    pub source: &'static str,
    pub locator: String,
    /// The excerpt in pieces, so that what was taken out is seen.
    pub pieces: Vec<Piece>,
    /// When and where it was seen, and the mark of its hash, as far as they are known.
    pub marks: Vec<String>,
}

/// A piece of an excerpt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    pub text: String,
    /// Whether it stands for a secret that was taken out.
    pub redacted: bool,
}

/// Numbers the evidence of one page: the same evidence has the same number.
pub struct Chips<'a> {
    kept: &'a BTreeMap<EvidenceId, Trace>,
    numbers: BTreeMap<EvidenceId, usize>,
}

impl<'a> Chips<'a> {
    /// No number given yet; `kept` is what the store knows of the evidence.
    pub fn new(kept: &'a BTreeMap<EvidenceId, Trace>) -> Chips<'a> {
        Chips { kept, numbers: BTreeMap::new() }
    }

    /// The chip of one citation.
    pub fn chip(&mut self, citation: &Citation) -> Chip {
        let next = self.numbers.len() + 1;
        let number = *self.numbers.entry(citation.id.clone()).or_insert(next);
        let trace = self.kept.get(&citation.id);
        Chip {
            number,
            id: citation.id.to_string(),
            source: citation.source.as_str(),
            locator: citation.locator.clone(),
            pieces: match trace.and_then(|t| t.taken_out.as_ref()) {
                Some(why) => vec![Piece { text: format!("taken out: {why}"), redacted: true }],
                None => pieces(&citation.text),
            },
            marks: trace.map(marks).unwrap_or_default(),
        }
    }

    /// The chips of several citations.
    pub fn all(&mut self, citations: &[Citation]) -> Vec<Chip> {
        citations.iter().map(|c| self.chip(c)).collect()
    }
}

fn marks(trace: &Trace) -> Vec<String> {
    let mut marks = Vec::new();
    marks.extend(trace.observed_at.map(|at| format!("seen {}", crate::page::time(at))));
    if !trace.host.is_empty() {
        marks.push(format!("on {}", trace.host));
    }
    if !trace.hash.is_empty() {
        marks.push(shortened(&trace.hash));
    }
    marks
}

/// The kind of a hash and its first digits; the store has the rest.
fn shortened(hash: &str) -> String {
    match hash.split_once(' ') {
        Some((kind, digits)) => format!("{kind} {}…", digits.get(..12).unwrap_or(digits)),
        None => hash.to_owned(),
    }
}

/// Takes an excerpt apart at the tokens that stand for secrets.
fn pieces(text: &str) -> Vec<Piece> {
    let mut pieces: Vec<Piece> = Vec::new();
    let mut rest = text;
    let mut plain = String::new();
    while let Some(at) = rest.find("hmac:") {
        plain.push_str(&rest[..at]);
        let after = &rest[at..];
        match after.get(..TOKEN_BYTES).filter(|t| is_token(t)) {
            Some(token) => {
                if !plain.is_empty() {
                    pieces.push(Piece { text: std::mem::take(&mut plain), redacted: false });
                }
                pieces.push(Piece { text: token.to_owned(), redacted: true });
                rest = &after[TOKEN_BYTES..];
            }
            None => {
                plain.push_str("hmac:");
                rest = &after["hmac:".len()..];
            }
        }
    }
    plain.push_str(rest);
    if !plain.is_empty() {
        pieces.push(Piece { text: plain, redacted: false });
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_taken_out_is_not_shown_from_the_citation() {
        let citation = Citation::new(coroner_model::Source::Log, "a:1".into(), "once in the open".into());
        let trace = Trace { taken_out: Some("held a token".into()), hash: "taken out".into(), ..Trace::default() };
        let kept = BTreeMap::from([(citation.id.clone(), trace)]);
        let html = Chips::new(&kept).chip(&citation).to_string();
        assert!(
            html.contains("taken out: held a token") && !html.contains("open<") && !html.contains("once in"),
            "{html}"
        );
    }

    #[test]
    fn redactions_are_pieces_of_their_own() {
        let found = pieces("password=hmac:0123456789abcdef; hmac: is no token, hmac:é");
        let seen: Vec<_> = found.iter().map(|p| (p.text.as_str(), p.redacted)).collect();
        assert_eq!(
            seen,
            [("password=", false), ("hmac:0123456789abcdef", true), ("; hmac: is no token, hmac:é", false)]
        );
    }
}
