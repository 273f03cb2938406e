//! Rules for the secrets of issuers, from `facts/secrets`.
//!
//! One pass over the text finds keywords; only where one stands is its rule tried, on that
//! line alone. The index of keywords is a table in the program, and an expression is compiled
//! when its keyword is met for the first time: text without keywords costs the pass and no more.

use std::ops::Range;
use std::sync::OnceLock;

use regex_lite::Regex;

use super::{assigned, code, dummy, spelling};

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

/// A piece of the text that all tables share: its place and its length, in bytes.
#[derive(Clone, Copy)]
struct Span(u32, u16);

impl Span {
    fn text(self) -> &'static str {
        let start = self.0 as usize;
        &TEXT[start..start + usize::from(self.1)]
    }

    fn bytes(self) -> &'static [u8] {
        let start = self.0 as usize;
        &TEXT.as_bytes()[start..start + usize::from(self.1)]
    }
}

/// A keyword, and the rule or the announcing word that it belongs to.
struct Keyword {
    word: Span,
    /// The class of its third byte, or [`ANY`].
    third: u8,
    owner: u16,
}

/// What a keyword of two bytes has as the class of its third.
const ANY: u8 = 32;

/// A stretch of the list that all tables share.
#[derive(Clone, Copy)]
struct List(u16, u16);

impl List {
    fn is_empty(self) -> bool {
        self.1 == 0
    }

    fn texts(self) -> impl Iterator<Item = &'static str> {
        let start = usize::from(self.0);
        LISTS[start..start + usize::from(self.1)].iter().map(|span| span.text())
    }
}

pub(super) struct Rule {
    id: Span,
    description: Span,
    shape: Shape,
    group: Option<usize>,
    entropy: f64,
    pub level: Level,
    content: Content,
    /// Texts of which one must stand where the rule is tried.
    near: List,
    allowed: List,
    stopwords: List,
}

impl Rule {
    pub fn id(&self) -> &'static str {
        self.id.text()
    }

    pub fn description(&self) -> &'static str {
        self.description.text()
    }
}

/// What a value must be beyond its form.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Content {
    Any,
    /// Base64 of a name and a password.
    Login,
    /// Not made of words.
    Random,
}

enum Shape {
    Pattern {
        regex: Span,
        /// A match starts with one of these keywords, so it need not be searched for.
        begins: List,
        /// A match may go on over the following lines.
        lines: bool,
    },
    /// A whole value given to a name that holds the keyword.
    Value { form: Span, names: List },
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

/// Adds all matches in a text; answers where words stand that announce a secret.
pub(super) fn find(text: &str, found: &mut Vec<Match>) -> Vec<Range<usize>> {
    // How far each rule has looked; most texts hold no keyword and need no list.
    let mut looked: Vec<usize> = Vec::new();
    let mut announcers = Vec::new();
    keywords(text.as_bytes(), |hit, owner| {
        let number = usize::from(owner);
        if number >= RULES.len() {
            announcers.push(hit);
            return;
        }
        if looked.is_empty() {
            looked.resize(RULES.len(), 0);
        }
        if looked[number] > hit.start || !may_begin(text, number, &hit) || found.len() >= MATCHES_MAX {
            return;
        }
        looked[number] = try_rule(text, number, &hit, found);
    });
    announcers
}

/// Calls back with the place of each keyword and what it belongs to, in the order of their starts.
fn keywords(bytes: &[u8], mut hit: impl FnMut(Range<usize>, u16)) {
    let mut at = 0;
    while let Some((start, key)) = candidate(bytes, at) {
        at = start + 1;
        let rest = &bytes[start..];
        for keyword in &KEYWORDS[usize::from(STARTS[key >> 5])..usize::from(STARTS[(key >> 5) + 1])] {
            if usize::from(keyword.third) != key & 0x1f && keyword.third != ANY {
                continue;
            }
            let word = keyword.word.bytes();
            if rest.get(..word.len()).is_some_and(|text| text.eq_ignore_ascii_case(word)) {
                hit(start..start + word.len(), keyword.owner);
            }
        }
    }
}

/// The next place where three bytes begin like a keyword, and their classes, five bits each.
///
/// A function of its own: this loop runs over every byte and must stay in registers.
#[inline(never)]
fn candidate(bytes: &[u8], from: usize) -> Option<(usize, usize)> {
    let class = |byte: u8| usize::from(CLASS[usize::from(byte)]);
    let seen = |key: usize| SEEN[key / 64] >> (key % 64) & 1 == 1;
    let mut key = class(*bytes.get(from)?) << 5 | class(*bytes.get(from + 1)?);
    for (at, byte) in bytes[from + 2..].iter().enumerate() {
        key = (key << 5 | class(*byte)) & 0x7fff;
        if seen(key) {
            return Some((from + at, key));
        }
    }
    // At the end two bytes may be a keyword.
    key = key << 5 & 0x7fff;
    (seen(key)).then(|| (bytes.len() - 2, key))
}

/// Whether a match could begin at a keyword, for the rules of which matches do.
fn may_begin(text: &str, number: usize, hit: &Range<usize>) -> bool {
    let Shape::Pattern { begins, .. } = RULES[number].shape else { return true };
    if begins.is_empty() {
        return true;
    }
    let before = text.as_bytes()[..hit.start].last();
    !before.is_some_and(|b| b.is_ascii_alphanumeric() || *b == b'_')
        && begins.texts().any(|word| word == &text[hit.clone()])
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
                    if accepts(rule, &text[span.clone()]) && !code::is_code(text, &span) {
                        found.push(Match { span, rule });
                    }
                    end
                }
                None => hit.start,
            }
        }
        Shape::Pattern { lines, .. } => {
            let window = before(text, hit.start)..behind(text, hit.end, lines);
            let near = |word: &str| text[window.clone()].contains(word);
            if !rule.near.is_empty() && !rule.near.texts().any(near) {
                return window.end;
            }
            let Some(regex) = expression(number) else { return window.end };
            let text = &text[..window.end];
            let mut at = window.start;
            while let Some(captures) = regex.captures_at(text, at) {
                at = captures.get(0).map_or(window.end, |whole| whole.end().max(at + 1));
                if let Some(span) = secret_of(rule, &captures)
                    && accepts(rule, &text[span.clone()])
                    && !code::is_code(text, &span)
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
fn value(text: &str, number: usize, names: List, hit: &Range<usize>) -> Option<Range<usize>> {
    let rule = &RULES[number];
    let given = assigned::at(text, hit)?;
    let value = &text[given.value.clone()];
    if code::is_code(text, &given.value) {
        return None;
    }
    if rule.level == Level::Generic {
        return (assigned::is_secret(text, &given) && accepts(rule, value)).then_some(given.value);
    }
    let words = if rule.level == Level::Identifier { IDENTIFIER_WORDS } else { SECRET_WORDS };
    let name = text[given.name.clone()].to_ascii_lowercase();
    let named = match names.is_empty() {
        true => words.iter().any(|word| name.contains(word)),
        false => names.texts().any(|word| name.contains(word)),
    };
    let fits = named && expression(number)?.is_match(value);
    (fits && accepts(rule, value)).then_some(given.value)
}

/// Whether a value is random enough and no stand-in.
fn accepts(rule: &Rule, value: &str) -> bool {
    let stopped = rule.stopwords.texts().any(|word| value.contains(word));
    let allowed = || rule.allowed.texts().any(|regex| Regex::new(regex).is_ok_and(|r| r.is_match(value)));
    let fits = match rule.content {
        Content::Any => true,
        Content::Login => spelling::of_base64(value)
            .is_some_and(|login| login.split_once(':').is_some_and(|(_, word)| !dummy::is_dummy(word))),
        Content::Random => value.bytes().any(|b| !b.is_ascii_alphabetic()) && !code::is_words(value),
    };
    dummy::entropy(value) >= rule.entropy && !stopped && fits && !dummy::is_dummy(value) && !allowed()
}

/// The expression of a rule; those of values cover the whole value, those that begin with a
/// keyword are tried where it stands.
fn expression(number: usize) -> Option<&'static Regex> {
    let compile = || match RULES[number].shape {
        Shape::Value { form, .. } => Regex::new(&format!("^(?:{})$", form.text())).ok(),
        Shape::Pattern { regex, begins, .. } if !begins.is_empty() => Regex::new(&format!("^{}", regex.text())).ok(),
        Shape::Pattern { regex, .. } => Regex::new(regex.text()).ok(),
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
            assert!(expression(number).is_some(), "{}: its expression does not compile", rule.id());
            for regex in rule.allowed.texts() {
                assert!(Regex::new(regex).is_ok(), "{}: {regex}", rule.id());
            }
        }
    }
}
