//! A person's corrections: a message that negates and redirects.

use std::ops::Range;

use super::parts::{Parts, parts};
use super::phrase::{is, language, phrase};
use super::sentence::{Token, tokens};
use super::stated::Draft;
use super::words::{Language, Role, Verb, Weight};

/// Sentences in which the redirection must come.
const SENTENCES_MAX: usize = 3;
static ORDER: Verb =
    Verb { base: &[], ing: &[], past: &[], is_passive: false, role: Role::Choose, weight: Weight::Contrast };

/// The correction that the first sentences of a message make, and the words it is made of.
pub(super) fn correction(text: &str, sentences: &[Range<usize>]) -> Option<(Draft, Vec<Token>)> {
    let first = sentences.first()?;
    let last = sentences.iter().take(SENTENCES_MAX).take_while(|s| s.start <= first.end + 2).last()?;
    let whole = first.start..last.end;
    if sentences.iter().take(SENTENCES_MAX).any(|s| s.end <= whole.end && text[s.clone()].ends_with('?')) {
        return None;
    }
    let begins: Vec<usize> = sentences.iter().map(|s| s.start).collect();
    let tokens = tokens(text, whole);
    let language = language(&tokens);
    let start =
        tokens.iter().position(|t| !t.is_mark() && !is(t, &["hmm", "hm", "ah", "oh", "ok", "okay", "sorry", "but"]))?;
    let objection = phrase(&tokens, start, language.objections);
    let next = tokens.get(start + objection)?;
    if objection == 0 || is(next, language.courtesies) || tokens.iter().any(|t| is(t, language.conditions)) {
        return None;
    }
    let clause = Clauses { tokens: &tokens, begins: &begins, language };
    let order = (start + objection..tokens.len()).find(|at| clause.orders(*at, start + objection));
    let found = match order {
        Some(at) => clause.redirected(at, start),
        None => clause.opposed(start)?,
    };
    (!found.is_empty() && found.chosen.is_some()).then_some((Draft { parts: found, weight: Weight::Strong }, tokens))
}

/// Words before an object that order nothing.
const NO_ORDERS: &[&str] = &[
    "because", "since", "as", "it", "the", "i", "we", "you", "that", "this", "in", "on", "at", "with", "for", "by",
    "of", "to", "or", "when", "is", "was", "are", "not", "all", "both", "into", "from", "about", "only",
];

struct Clauses<'t> {
    tokens: &'t [Token],
    /// Where sentences begin, in bytes.
    begins: &'t [usize],
    language: &'t Language,
}

impl Clauses<'_> {
    /// Whether an order stands at the beginning of a clause.
    fn orders(&self, at: usize, objected: usize) -> bool {
        let token = &self.tokens[at];
        let negated = self.tokens.get(at + 1).is_some_and(|t| is(t, self.language.negations));
        let objects = self.tokens.get(at + 1).is_some_and(|t| is(t, &["it", "them", "the", "a", "an", "this"]));
        let plain = !token.is_mark() && !is(token, NO_ORDERS) && !is(token, self.language.openers);
        // After `don't …,` any word with an object behind it orders.
        let follows = at > objected && objects && plain && self.forbids(objected);
        if !is(token, self.language.imperatives) && !follows || negated {
            return false;
        }
        let free =
            |t: &Token| t.is_mark() || is(t, self.language.openers) || is(t, &["just", "better", "sondern", "let's"]);
        let before = &self.tokens[at - 1];
        let negates = is(before, self.language.negations) || at == objected && self.forbids(at);
        !negates && (self.is_begin(at) || free(before) || at == objected)
    }

    /// Whether what is said before a place forbids what follows: `don't use`, `stop using`.
    fn forbids(&self, at: usize) -> bool {
        at > 0 && is(&self.tokens[at - 1], &["n't", "not", "stop", "never", "nicht", "kein", "keine"])
    }

    fn is_begin(&self, at: usize) -> bool {
        self.begins.contains(&self.tokens[at].span.start)
    }

    /// What an order takes, and what was forbidden before it.
    fn redirected(&self, at: usize, start: usize) -> Parts {
        let mut found = parts(self.tokens, at, &ORDER, self.language);
        let negation = (start..at).rev().find(|place| {
            is(&self.tokens[*place], &["n't", "not", "stop", "never", "nicht", "kein", "keine", "keinen", "statt"])
        });
        if let Some(place) = negation
            && found.rejected.is_empty()
        {
            let ends = |p: &usize| self.tokens[*p].is_mark() || self.is_begin(*p);
            let end = (place + 1..at).find(ends).unwrap_or(at);
            let end = if is(&self.tokens[end - 1], &["and", "but", "und", "sondern"]) { end - 1 } else { end };
            found.rejected.extend((place + 1 < end).then_some(place + 1..end));
        }
        found
    }

    /// `it should be X, not Y`, `I said X, not Y`, `not X but Y`.
    fn opposed(&self, start: usize) -> Option<Parts> {
        let tokens = self.tokens;
        let must = [
            "should be",
            "must be",
            "has to be",
            "needs to be",
            "belongs",
            "belong",
            "go into",
            "goes into",
            "goes in",
            "lives in",
            "muss",
            "soll",
            "gehört",
        ];
        if let Some(at) = (start..tokens.len()).find(|at| phrase(tokens, *at, &must) > 0) {
            let found = parts(tokens, at + phrase(tokens, at, &must), &ORDER, self.language);
            return Some(found);
        }
        let says = phrase(tokens, start, &["i said", "i meant"]);
        if says > 0 {
            return Some(parts(tokens, start + says, &ORDER, self.language)).filter(|found| found.has_contrast);
        }
        let not = (start..tokens.len()).find(|at| is(&tokens[*at], &["not", "nicht", "kein", "keine"]))?;
        let but = not + tokens[not..].iter().position(|t| is(t, &["but", "sondern"]))?;
        let mut found = parts(tokens, but + 1, &ORDER, self.language);
        let end = but - usize::from(tokens[but - 1].is_mark());
        found.rejected.extend((not + 1 < end).then_some(not + 1..end));
        Some(found).filter(|found| !found.rejected.is_empty())
    }
}
