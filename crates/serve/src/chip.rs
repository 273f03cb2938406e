//! Evidence chips: a small number that opens the raw excerpt in place.

use std::collections::BTreeMap;

use askama::Template;
use coroner_model::redact::is_token;
use coroner_model::{Citation, ContentHash, Evidence, EvidenceId};

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
    kept: &'a BTreeMap<EvidenceId, Evidence>,
    numbers: BTreeMap<EvidenceId, usize>,
}

impl<'a> Chips<'a> {
    /// No number given yet; `kept` is what the store knows of the evidence.
    pub fn new(kept: &'a BTreeMap<EvidenceId, Evidence>) -> Chips<'a> {
        Chips { kept, numbers: BTreeMap::new() }
    }

    /// The chip of one citation.
    pub fn chip(&mut self, citation: &Citation) -> Chip {
        let next = self.numbers.len() + 1;
        let number = *self.numbers.entry(citation.id.clone()).or_insert(next);
        Chip {
            number,
            id: citation.id.to_string(),
            source: citation.source.as_str(),
            locator: citation.locator.clone(),
            pieces: pieces(&citation.text),
            marks: self.kept.get(&citation.id).map(marks).unwrap_or_default(),
        }
    }

    /// The chips of several citations.
    pub fn all(&mut self, citations: &[Citation]) -> Vec<Chip> {
        citations.iter().map(|c| self.chip(c)).collect()
    }
}

fn marks(evidence: &Evidence) -> Vec<String> {
    let (kind, hash) = match &evidence.hash {
        ContentHash::Sha256(hash) => ("sha256", hash),
        ContentHash::Hmac(hash) => ("keyed hash", hash),
    };
    let mut marks = Vec::new();
    marks.extend(evidence.observed_at.map(|at| format!("seen {}", crate::page::time(at))));
    if !evidence.host.is_empty() {
        marks.push(format!("on {}", evidence.host));
    }
    marks.push(format!("{kind} {}", hash.get(..16).unwrap_or(hash)));
    marks
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
    fn redactions_are_pieces_of_their_own() {
        let found = pieces("password=hmac:0123456789abcdef; hmac: is no token, hmac:é");
        let seen: Vec<_> = found.iter().map(|p| (p.text.as_str(), p.redacted)).collect();
        assert_eq!(
            seen,
            [("password=", false), ("hmac:0123456789abcdef", true), ("; hmac: is no token, hmac:é", false)]
        );
    }
}
