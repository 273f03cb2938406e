//! Rules for the secrets of issuers, from `facts/secrets`.
//!
//! One pass over the text finds keywords; only where one stands is its rule tried, on that
//! line alone. The automaton is a table in the program, and an expression is compiled when
//! its keyword is met for the first time: text without keywords costs the pass and no more.

use std::ops::Range;
use std::sync::OnceLock;

use regex_lite::Regex;

use super::{assigned, dummy};

include!(concat!(env!("OUT_DIR"), "/secret_rules.rs"));

/// What a match of a rule is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Whoever has it can act with it.
    Secret,
    /// A name says that it is secret, and it looks issued.
    Generic,
    /// The public half of a pair.
    Identifier,
}

pub(super) struct Rule {
    pub id: &'static str,
    pub description: &'static str,
    shape: Shape,
    group: Option<usize>,
    entropy: f64,
    pub level: Level,
    allowed: &'static [&'static str],
    stopwords: &'static [&'static str],
}

enum Shape {
    Pattern {
        regex: &'static str,
        /// A match starts with one of these keywords, so it need not be searched for.
        begins: &'static [&'static str],
        /// A match may go on over the following lines.
        lines: bool,
    },
    /// A whole value given to a name that holds the keyword.
    Value { form: &'static str, names: &'static [&'static str] },
}

/// A match.
pub(super) struct Match {
    pub span: Range<usize>,
    pub rule: &'static Rule,
}

/// Bytes before a keyword in which a match may begin.
const BEFORE_BYTES_MAX: usize = 200;
/// Bytes behind a keyword in which a match may end.
const BEHIND_BYTES_MAX: usize = 4 * 1024;
/// Most matches in one text.
const MATCHES_MAX: usize = 10_000;

/// Words of which the name of an issuer's secret holds one.
const SECRET_WORDS: &[&str] = &[
    "key", "token", "secret", "pass", "pwd", "auth", "pat", "cred", "dsn", "api", "license", "licence", "hook", "sign",
    "cookie", "login", "bearer", "sid",
];
/// Words of which the name of an identifier holds one.
const IDENTIFIER_WORDS: &[&str] = &["id", "key", "token", "client", "pub"];

static EXPRESSIONS: [OnceLock<Option<Regex>>; RULES.len()] = [const { OnceLock::new() }; RULES.len()];

/// Adds all matches in a text.
pub(super) fn find(text: &str, found: &mut Vec<Match>) {
    // How far each rule has looked; most texts hold no keyword and need no list.
    let mut looked: Vec<usize> = Vec::new();
    keywords(text.as_bytes(), |end, ends| {
        for (length, rule) in ends {
            let hit = end - usize::from(*length)..end;
            let number = usize::from(*rule);
            if looked.is_empty() {
                looked.resize(RULES.len(), 0);
            }
            if looked[number] > hit.start || !may_begin(text, number, &hit) || found.len() >= MATCHES_MAX {
                continue;
            }
            looked[number] = try_rule(text, number, &hit, found);
        }
    });
}

/// Calls back with the end of each keyword and what ends there.
fn keywords(bytes: &[u8], mut hit: impl FnMut(usize, &[(u8, u16)])) {
    let mut state = 0usize;
    for (at, byte) in bytes.iter().enumerate() {
        let class = usize::from(CLASS[usize::from(*byte)]);
        state = usize::from(NEXT[state * CLASSES + class]);
        let list = usize::from(LIST[state]);
        if list != 0 {
            hit(at + 1, ENDS[list]);
        }
    }
}

/// Whether a match could begin at a keyword, for the rules of which matches do.
fn may_begin(text: &str, number: usize, hit: &Range<usize>) -> bool {
    let Shape::Pattern { begins, .. } = RULES[number].shape else { return true };
    let before = text.as_bytes()[..hit.start].last();
    begins.is_empty()
        || begins.contains(&&text[hit.clone()]) && !before.is_some_and(|b| b.is_ascii_alphanumeric() || *b == b'_')
}

/// Tries one rule at one keyword; answers up to where it need not be tried again.
fn try_rule(text: &str, number: usize, hit: &Range<usize>, found: &mut Vec<Match>) -> usize {
    let rule = &RULES[number];
    match rule.shape {
        Shape::Value { names, .. } => {
            if let Some(span) = value(text, number, names, hit) {
                let end = span.end;
                found.push(Match { span, rule });
                return end;
            }
            hit.start
        }
        Shape::Pattern { begins, .. } if !begins.is_empty() => {
            let window = hit.start..behind(text, hit.end, false);
            let Some(regex) = expression(number) else { return window.end };
            match regex.captures(&text[window.clone()]).and_then(|c| secret_of(rule, &c)) {
                Some(inner) => {
                    let span = window.start + inner.start..window.start + inner.end;
                    let end = span.end;
                    if accepts(rule, &text[span.clone()]) {
                        found.push(Match { span, rule });
                    }
                    end
                }
                None => hit.start,
            }
        }
        Shape::Pattern { lines, .. } => {
            let window = before(text, hit.start)..behind(text, hit.end, lines);
            let Some(regex) = expression(number) else { return window.end };
            let text = &text[..window.end];
            let mut at = window.start;
            while let Some(captures) = regex.captures_at(text, at) {
                at = captures.get(0).map_or(window.end, |whole| whole.end().max(at + 1));
                if let Some(span) = secret_of(rule, &captures)
                    && accepts(rule, &text[span.clone()])
                {
                    found.push(Match { span, rule });
                }
                if at >= window.end || !text.is_char_boundary(at) {
                    break;
                }
            }
            window.end
        }
    }
}

fn secret_of(rule: &Rule, captures: &regex_lite::Captures<'_>) -> Option<Range<usize>> {
    let group = rule.group.unwrap_or(usize::from(captures.len() > 1));
    captures.get(group).map(|m| m.range()).filter(|span| !span.is_empty())
}

/// The value that a name with the keyword is given, where its form is the rule's.
fn value(text: &str, number: usize, names: &[&str], hit: &Range<usize>) -> Option<Range<usize>> {
    let rule = &RULES[number];
    let given = assigned::at(text, hit)?;
    let value = &text[given.value.clone()];
    if rule.level == Level::Generic {
        return (assigned::is_secret(text, &given) && accepts(rule, value)).then_some(given.value);
    }
    let words = match (names, rule.level) {
        ([], Level::Identifier) => IDENTIFIER_WORDS,
        ([], _) => SECRET_WORDS,
        (names, _) => names,
    };
    let name = text[given.name.clone()].to_ascii_lowercase();
    let named = words.iter().any(|word| name.contains(word));
    let fits = named && expression(number)?.is_match(value);
    (fits && accepts(rule, value)).then_some(given.value)
}

/// Whether a value is random enough and no stand-in.
fn accepts(rule: &Rule, value: &str) -> bool {
    let stopped = rule.stopwords.iter().any(|word| value.contains(word));
    let allowed = || rule.allowed.iter().any(|regex| Regex::new(regex).is_ok_and(|r| r.is_match(value)));
    dummy::entropy(value) >= rule.entropy && !stopped && !dummy::is_dummy(value) && !allowed()
}

/// The expression of a rule; those of values cover the whole value, those that begin with a
/// keyword are tried where it stands.
fn expression(number: usize) -> Option<&'static Regex> {
    let compile = || match RULES[number].shape {
        Shape::Value { form, .. } => Regex::new(&format!("^(?:{form})$")).ok(),
        Shape::Pattern { regex, begins, .. } if !begins.is_empty() => Regex::new(&format!("^{regex}")).ok(),
        Shape::Pattern { regex, .. } => Regex::new(regex).ok(),
    };
    EXPRESSIONS[number].get_or_init(compile).as_ref()
}

/// Where the line of a keyword begins, or the reach before it.
fn before(text: &str, at: usize) -> usize {
    let mut reach = at.saturating_sub(BEFORE_BYTES_MAX);
    while !text.is_char_boundary(reach) {
        reach += 1;
    }
    text[reach..at].rfind('\n').map_or(reach, |newline| reach + newline + 1)
}

/// Where the line of a keyword ends, or the reach behind it.
fn behind(text: &str, at: usize, lines: bool) -> usize {
    let mut reach = text.len().min(at + BEHIND_BYTES_MAX);
    while !text.is_char_boundary(reach) {
        reach -= 1;
    }
    let newline = if lines { None } else { text.as_bytes()[at..reach].iter().position(|b| *b == b'\n') };
    newline.map_or(reach, |newline| at + newline)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_expression_compiles_and_has_its_keyword_in_reach() {
        for (number, rule) in RULES.iter().enumerate() {
            assert!(expression(number).is_some(), "{}: its expression does not compile", rule.id);
            for regex in rule.allowed {
                assert!(Regex::new(regex).is_ok(), "{}: {regex}", rule.id);
            }
        }
    }
}
