//! What stands behind a verb of choosing: what is taken, what is left, and why.

use std::ops::Range;

use super::phrase::{is, phrase};
use super::sentence::Token;
use super::words::{Language, Role, Verb, Weight};

/// Places among the words of a sentence.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Parts {
    pub(super) chosen: Option<Range<usize>>,
    pub(super) rejected: Vec<Range<usize>>,
    pub(super) reason: Option<Range<usize>>,
    /// Whether it says against what.
    pub(super) has_contrast: bool,
    /// Whether it holds only if something is so.
    pub(super) is_conditional: bool,
    /// `from A to B`, right behind the verb.
    pub(super) is_adjacent: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Slot {
    Chosen,
    Rejected,
    Closed,
}

impl Parts {
    pub(super) fn is_empty(&self) -> bool {
        self.chosen.is_none() && self.rejected.is_empty()
    }

    /// What a negated verb chooses is rejected, and the other way round.
    pub(super) fn reverse(&mut self) {
        let chosen = self.chosen.take();
        let mut rejected = std::mem::take(&mut self.rejected).into_iter();
        self.chosen = rejected.next();
        self.rejected = chosen.into_iter().chain(rejected).collect();
    }

    /// In `X was chosen`, the subject is what the verb takes.
    pub(super) fn take_subject(&mut self, tokens: &[Token], verb: usize, language: &Language, role: Role) {
        let Some(being) = tokens[..verb].iter().rposition(|t| is(t, language.being)) else { return };
        let start = tokens[..being].iter().rposition(Token::is_mark).map_or(0, |place| place + 1);
        match role {
            Role::Reject if self.rejected.is_empty() => self.put(Slot::Rejected, start..being, tokens),
            Role::Choose => self.put(Slot::Chosen, start..being, tokens),
            _ => {}
        }
    }

    fn put(&mut self, slot: Slot, range: Range<usize>, tokens: &[Token]) {
        let start = range.start + tokens[range.clone()].iter().take_while(|t| t.is_mark()).count();
        let end = range.end - tokens[start..range.end].iter().rev().take_while(|t| t.is_mark()).count();
        if start >= end {
            return;
        }
        match slot {
            Slot::Chosen if self.chosen.is_none() => self.chosen = Some(start..end),
            Slot::Rejected => self.rejected.extend(listed(tokens, start..end)),
            _ => {}
        }
    }
}

/// Reads on from behind a verb.
pub(super) fn parts(tokens: &[Token], from: usize, verb: &Verb, language: &Language) -> Parts {
    let mut found = Parts::default();
    let change = verb.role == Role::Change;
    let mut slot = if verb.role == Role::Choose { Slot::Chosen } else { Slot::Rejected };
    let (mut begun, mut at) = (from, from);
    let (mut was_from, mut was_to) = (false, false);
    while at < tokens.len() {
        let token = &tokens[at];
        let contrast = phrase(tokens, at, language.contrasts);
        let compared = if verb.weight == Weight::Weak { 0 } else { phrase(tokens, at, language.comparing) };
        let favour = phrase(tokens, at, language.favours);
        let reason = reason(tokens, at, language, begun);
        if contrast > 0 || compared > 0 && at > from {
            found.put(slot, begun..at, tokens);
            slot = if verb.role == Role::Reject { Slot::Chosen } else { Slot::Rejected };
            found.has_contrast = true;
            at += contrast.max(compared);
            begun = at;
        } else if favour > 0 {
            found.put(slot, begun..at, tokens);
            (slot, found.has_contrast) = (Slot::Chosen, true);
            at += favour;
            begun = at;
        } else if reason > 0 {
            found.put(slot, begun..at, tokens);
            found.reason = Some(at + reason..tokens.len()).filter(|range| !range.is_empty());
            return found;
        } else if is(token, language.conditions) {
            found.is_conditional = true;
            at += 1;
        } else if change && is(token, language.from) && !was_from {
            found.put(slot, begun..at, tokens);
            was_from = true;
            found.is_adjacent |= at == from;
            (slot, begun, at) = (Slot::Rejected, at + 1, at + 1);
        } else if change && is(token, language.to) && !was_to {
            found.put(slot, begun..at, tokens);
            was_to = true;
            found.is_adjacent &= was_from;
            (slot, begun, at) = (Slot::Chosen, at + 1, at + 1);
        } else if token.is_mark() && at > begun || is(token, &["but", "aber"]) {
            found.put(slot, begun..at, tokens);
            (slot, begun, at) = (Slot::Closed, at + 1, at + 1);
        } else if is(token, &["instead", "stattdessen"]) {
            found.put(slot, begun..at, tokens);
            found.has_contrast = true;
            at += 1;
            begun = at;
        } else {
            at += 1;
        }
    }
    found.put(slot, begun..tokens.len(), tokens);
    found.is_adjacent &= was_from && was_to;
    found
}

/// How many words begin a reason here; a dash or a colon behind an object begins one too.
fn reason(tokens: &[Token], at: usize, language: &Language, begun: usize) -> usize {
    let words = phrase(tokens, at, language.reasons);
    let is_time = |place: usize| tokens.get(place).is_some_and(|t| t.word.starts_with(|c: char| c.is_ascii_digit()));
    if words > 0 && !(tokens[at].word == "since" && is_time(at + 1)) {
        return words;
    }
    let opens = !tokens[at].is_quoted && matches!(tokens[at].word.as_str(), "—" | ":" | ";" | "(") && at > begun;
    usize::from(opens && tokens.len() > at + 2)
}

/// The things of a short list.
fn listed(tokens: &[Token], range: Range<usize>) -> Vec<Range<usize>> {
    const WORDS_MAX: usize = 4;
    let pieces: Vec<Range<usize>> = {
        let mut pieces = Vec::new();
        let mut start = range.start;
        for at in range.clone() {
            if is(&tokens[at], &["or", "and", "nor", "oder", "und"]) && at > start {
                pieces.push(start..at);
                start = at + 1;
            }
        }
        pieces.push(start..range.end);
        pieces
    };
    if pieces.iter().all(|piece| !piece.is_empty() && piece.len() <= WORDS_MAX) { pieces } else { vec![range] }
}
