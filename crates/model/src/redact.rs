//! Redacted text, and the redactor that alone can make it.
//!
//! A secret becomes `hmac:<16 hex>` under a key, so equal values stay equal and
//! nothing can be read back. Well-known placeholders stay readable: being a
//! default is the finding. A value recognised once is replaced everywhere.

mod assigned;
mod code;
mod dummy;
mod hidden;
mod rule;
mod shapes;
mod spelling;

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::OnceLock;

use aho_corasick::{AhoCorasick, MatchKind};
use serde::{Deserialize, Serialize};

pub use rule::Level;

/// Text from which secrets were taken out. Only [`Redactor::redact`] makes it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Redacted(String);

impl Redacted {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Several texts as one, with `between` them; what is redacted stays so.
    pub fn joined<'r>(parts: impl IntoIterator<Item = &'r Redacted>, between: char) -> Redacted {
        let mut out = String::new();
        for part in parts.into_iter().filter(|part| !part.is_empty()) {
            if !out.is_empty() {
                out.push(between);
            }
            out.push_str(&part.0);
        }
        Redacted(out)
    }

    /// The beginning of the first line that is not blank; what is redacted stays so.
    pub fn first_line(&self, chars_max: usize) -> Redacted {
        Redacted(self.0.trim_start().lines().next().unwrap_or("").trim_end().chars().take(chars_max).collect())
    }

    /// Whether nothing is there.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl std::fmt::Display for Redacted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// Shortest learned value, in bytes, that is replaced wherever it occurs.
/// Shorter ones are replaced only where they were recognised.
pub const LEARNED_BYTES_MIN: usize = 8;
/// Fewest digits of Base64 by which a learned value is known.
const BASE64_DIGITS_MIN: usize = 14;
/// Most spellings of values remembered in one run.
pub const LEARNED_COUNT_MAX: usize = 20_000;

/// Finds secrets and replaces them by keyed hashes.
#[derive(Clone)]
pub struct Redactor {
    key: [u8; 32],
    /// Spellings of learned values, each with the value itself.
    learned: BTreeMap<String, Learned>,
    /// Finds all learned spellings in one pass; made when first needed.
    finder: OnceLock<Option<Finder>>,
}

/// What a spelling stands for.
#[derive(Clone)]
struct Learned {
    value: String,
    /// The spelling is a part of a word in Base64, so the whole word goes.
    part_of_word: bool,
}

/// Searches for learned values.
#[derive(Clone)]
struct Finder {
    spellings: AhoCorasick,
    /// What each spelling stands for, in the order of the patterns.
    learned: Vec<Learned>,
    /// Values that may be spelled with escapes, for texts whose escapes were taken off.
    escapable: Option<(AhoCorasick, Vec<String>)>,
}

impl std::fmt::Debug for Redactor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Redactor").field("learned", &self.learned.len()).finish_non_exhaustive()
    }
}

impl Redactor {
    /// A redactor under a key; equal values stay equal under the same key.
    pub fn new(key: [u8; 32]) -> Redactor {
        Redactor { key, learned: BTreeMap::new(), finder: OnceLock::new() }
    }

    /// Remembers the secrets of a text, so that they are replaced in every other.
    pub fn learn(&mut self, raw: &str) {
        for span in spans(raw) {
            if self.learned.len() >= LEARNED_COUNT_MAX {
                return;
            }
            let value = spelling::plain(&raw[span.clone()]).into_owned();
            if self.learned.get(&raw[span.clone()]).is_some_and(|known| known.value == value) {
                continue;
            }
            let whole = [
                raw[span].to_owned(),
                value.clone(),
                spelling::in_json(&value),
                spelling::in_url(&value),
                spelling::in_form(&value),
            ];
            for spelled in whole.into_iter().filter(|s| s.len() >= LEARNED_BYTES_MIN) {
                self.remember(spelled, &value, false);
            }
            for digits in spelling::in_base64(&value).into_iter().filter(|d| d.len() >= BASE64_DIGITS_MIN) {
                self.remember(digits, &value, true);
            }
        }
    }

    fn remember(&mut self, spelled: String, value: &str, part_of_word: bool) {
        let learned = Learned { value: value.to_owned(), part_of_word };
        if self.learned.insert(spelled, learned).is_none() {
            self.finder = OnceLock::new();
        }
    }

    /// The text with each secret replaced.
    pub fn redact(&self, raw: &str) -> Redacted {
        self.redact_counted(raw).0
    }

    /// The text with each secret replaced, and how many places were.
    pub fn redact_counted(&self, raw: &str) -> (Redacted, u64) {
        let mut spans: Vec<(Range<usize>, Option<&str>)> = spans(raw).into_iter().map(|s| (s, None)).collect();
        if let Some(finder) = self.finder() {
            spans.extend(finder.find(raw));
        }
        spans.sort_by_key(|(s, value)| (s.start, std::cmp::Reverse(s.end), value.is_none()));
        let mut out = String::with_capacity(raw.len());
        let mut done = 0;
        let mut count = 0;
        for (span, value) in spans {
            if span.start < done {
                // What reaches beyond the one before it must not show its end.
                done = done.max(span.end);
                continue;
            }
            out.push_str(&raw[done..span.start]);
            out.push_str(&self.token(value.unwrap_or(&raw[span.clone()])));
            count += 1;
            done = span.end;
        }
        out.push_str(&raw[done..]);
        (Redacted(out), count)
    }

    /// A text that is redacted already, without values that were learned since; and how many went.
    pub fn without_learned(&self, text: Redacted) -> (Redacted, u64) {
        match self.finder() {
            Some(finder) if !finder.find(&text.0).is_empty() => self.redact_counted(&text.0),
            _ => (text, 0),
        }
    }

    /// Whether the text holds something that would be replaced.
    pub fn holds_secret(&self, raw: &str) -> bool {
        !spans(raw).is_empty() || self.finder().is_some_and(|finder| !finder.find(raw).is_empty())
    }

    fn finder(&self) -> Option<&Finder> {
        self.finder.get_or_init(|| Finder::new(&self.learned)).as_ref()
    }

    /// Takes redacted text apart for a reader and wraps a part of it again.
    ///
    /// `part` must be a piece of text that this or another redactor made; it is
    /// looked over once more, since cutting can bring a secret's edge to light.
    pub fn rewrap(&self, part: &str) -> Redacted {
        self.redact(part)
    }

    /// Key for hashes of raw bytes from which something was redacted.
    pub fn hash_key(&self) -> &[u8; 32] {
        &self.key
    }

    /// What stands for a secret value: `hmac:` and 16 hex digits.
    ///
    /// The same value has the same token however it is spelled: plain in an env
    /// file, escaped in JSON, percent-encoded in a URL. Without that a copy in
    /// another file would look like another secret.
    pub fn token(&self, value: &str) -> String {
        let hash = blake3::keyed_hash(&self.key, spelling::plain(value).as_bytes()).to_hex();
        format!("hmac:{}", &hash.as_str()[..16])
    }
}

impl Finder {
    fn new(learned: &BTreeMap<String, Learned>) -> Option<Finder> {
        if learned.is_empty() {
            return None;
        }
        let spellings = searcher(learned.keys())?;
        let special = |value: &&String| value.bytes().any(|b| !b.is_ascii_alphanumeric() && !b"-._~".contains(&b));
        let mut values: Vec<String> = learned
            .values()
            .map(|l| &l.value)
            .filter(|v| v.len() >= LEARNED_BYTES_MIN)
            .filter(special)
            .cloned()
            .collect();
        values.sort();
        values.dedup();
        let escapable = if values.is_empty() { None } else { searcher(values.iter()).map(|found| (found, values)) };
        Some(Finder { spellings, learned: learned.values().cloned().collect(), escapable })
    }

    /// Where learned values stand in a text, each with its value.
    fn find<'a>(&'a self, raw: &str) -> Vec<(Range<usize>, Option<&'a str>)> {
        let spelled = |hit: aho_corasick::Match| {
            let learned = &self.learned[hit.pattern().as_usize()];
            if !learned.part_of_word {
                return (hit.range(), Some(learned.value.as_str()));
            }
            let word = spelling::base64_word(raw, hit.range());
            let is_value = spelling::of_base64(&raw[word.clone()]).is_some_and(|plain| plain == learned.value);
            (word, is_value.then_some(learned.value.as_str()))
        };
        let mut found: Vec<_> = self.spellings.find_iter(raw).map(spelled).collect();
        if let Some((finder, values)) = &self.escapable {
            let value = |hit: &aho_corasick::Match| Some(values[hit.pattern().as_usize()].as_str());
            let mut start = 0;
            // Line by line, so that the map of places stays small.
            for line in raw.split_inclusive('\n') {
                if let Some((text, places)) = spelling::decoded(line) {
                    let place = |hit: &aho_corasick::Match| start + places[hit.start()]..start + places[hit.end()];
                    found.extend(finder.find_iter(&text).map(|hit| (place(&hit), value(&hit))));
                }
                start += line.len();
            }
        }
        found
    }
}

fn searcher<'a>(words: impl Iterator<Item = &'a String>) -> Option<AhoCorasick> {
    AhoCorasick::builder().match_kind(MatchKind::LeftmostLongest).build(words).ok()
}

/// Whether a value is a well-known placeholder or default, which stays readable.
pub fn is_placeholder(value: &str) -> bool {
    shapes::is_placeholder(value)
}

/// A secret in a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Secret {
    /// The rule that found it, such as `github-pat`.
    pub kind: &'static str,
    /// What it is, in words.
    pub description: &'static str,
    pub level: Level,
    /// Bytes of the text that hold the value, or the word or pieces that it is hidden in.
    pub span: Range<usize>,
}

/// Secrets in a text beyond doubt, also in Base64 and in pieces; in the order of the text,
/// none within another.
///
/// Redaction takes out more than this: it may err on the side of caution, a denial may not.
pub fn secrets(raw: &str) -> Vec<Secret> {
    let mut found = Vec::new();
    direct(raw, &mut found);
    hidden::joined(raw, &mut found);
    hidden::encoded(raw, &mut found);
    found.retain(|secret| !is_token(&raw[secret.span.clone()]) && !code::is_template(raw, &secret.span));
    // Where several say what a place is, an issuer's rule knows best, then the longest.
    found.sort_by_key(|s| (s.level, s.span.start, std::cmp::Reverse(s.span.end)));
    let mut kept: Vec<Secret> = Vec::new();
    for secret in found {
        if !kept.iter().any(|k| k.span.start < secret.span.end && secret.span.start < k.span.end) {
            kept.push(secret);
        }
    }
    kept.sort_by_key(|s| s.span.start);
    kept
}

/// What rules match in a text, and where shapes see a value; an address whose password is left out is none.
fn candidates(raw: &str) -> (Vec<rule::Match>, Vec<Range<usize>>) {
    let mut matches = Vec::new();
    let announcers = rule::find(raw, &mut matches);
    let mut shaped = shapes::find(raw, &announcers);
    let hidden = |span: &Range<usize>| shapes::hides_its_password(&raw[span.clone()]);
    matches.retain(|one| !hidden(&one.span));
    shaped.retain(|span| !hidden(span));
    (matches, shaped)
}

/// The rules of which a whole text is one value, neither in pieces nor encoded.
pub fn rules_of_value(value: &str) -> Vec<&'static str> {
    let mut found = Vec::new();
    direct(value, &mut found);
    found.into_iter().filter(|secret| secret.span == (0..value.len())).map(|secret| secret.kind).collect()
}

/// Adds what stands in a text as it is.
fn direct(raw: &str, found: &mut Vec<Secret>) {
    let (matches, shaped) = candidates(raw);
    found.extend(matches.into_iter().map(|m| Secret {
        kind: m.rule.id(),
        description: m.rule.description(),
        level: m.rule.level,
        span: m.span,
    }));
    for span in shaped {
        let value = &raw[span.clone()];
        let (kind, description, level) = if value.contains("\n") || is_key_body(raw, span.start) {
            ("private-key", "Private key", Level::Secret)
        } else if raw[..span.start].rsplit(['\n', ' ', '"', '\'']).next().is_some_and(|lead| lead.contains("://")) {
            ("url-password", "Password or key in an address", Level::Generic)
        } else {
            ("assigned-secret", "Value of a name that says it is secret", Level::Generic)
        };
        let code = kind == "assigned-secret" && code::is_code(raw, &span);
        if !code && is_beyond_doubt(value, kind == "private-key") {
            found.push(Secret { kind, description, level, span });
        }
    }
}

/// Whether the body of a private key begins at a place.
fn is_key_body(raw: &str, start: usize) -> bool {
    let line = raw[..start].trim_end_matches(['\n', '\r', ' ', '\\', 'n']);
    line.ends_with("-----") && line.rfind("-----BEGIN ").is_some_and(|at| line.len() - at < 80)
}

/// Whether a value by its form alone may deny a command: long and mixed, and no stand-in.
fn is_beyond_doubt(value: &str, key: bool) -> bool {
    /// Shortest value that is taken for a secret because of its name alone, in bytes.
    const VALUE_BYTES_MIN: usize = 12;
    /// Shortest body of a private key, in bytes.
    const KEY_BYTES_MIN: usize = 60;
    /// Shortest of the longest lines of its Base64, in bytes.
    const KEY_LINE_BYTES_MIN: usize = 30;
    let mixed = value.bytes().any(|b| b.is_ascii_digit()) && value.bytes().any(|b| b.is_ascii_alphabetic());
    if key {
        let digit = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/');
        let line = value.as_bytes().split(|b| !digit(*b)).map(<[u8]>::len).max().unwrap_or_default();
        let random = line >= KEY_LINE_BYTES_MIN && dummy::entropy(value) >= 3.5;
        return value.len() > KEY_BYTES_MIN && mixed && random && !value.contains("...");
    }
    let long = value.len() >= VALUE_BYTES_MIN && mixed && !value.contains(char::is_whitespace);
    (long || assigned::looks_secret(value, true)) && !dummy::is_dummy(value)
}

/// Everything in a text that is taken out of it.
fn spans(raw: &str) -> Vec<Range<usize>> {
    let (matches, mut spans) = candidates(raw);
    spans.extend(matches.into_iter().filter(|m| m.rule.level != Level::Identifier).map(|m| m.span));
    spans.retain(|span| !is_token(&raw[span.clone()]) && !raw[span.clone()].starts_with("hmac:"));
    spans.sort_by_key(|s| (s.start, s.end));
    spans.dedup();
    spans
}

/// Whether a value is a token that a redactor wrote.
pub fn is_token(value: &str) -> bool {
    value.strip_prefix("hmac:").is_some_and(|rest| rest.len() == 16 && rest.bytes().all(|b| b.is_ascii_hexdigit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A value with the entropy of a key, made here so that no key lies in the repository.
    fn fake() -> String {
        (0..24).map(|i| char::from(b"b8Jt3Wq6Zc1Vm5Xp"[(i * 5 + i / 2) % 16])).collect()
    }

    #[test]
    fn a_value_recognised_once_is_replaced_everywhere() {
        let value = fake();
        let mut redactor = Redactor::new([7; 32]);
        redactor.learn(&format!("DB_PASSWORD={value}\n"));
        let text = redactor.redact(&format!("tried with {value} and failed"));
        assert!(!text.as_str().contains(&value));
        assert_eq!(text.as_str(), format!("tried with {} and failed", redactor.token(&value)));
    }

    #[test]
    fn redacting_twice_changes_nothing_and_json_stays_json() {
        let redactor = Redactor::new([7; 32]);
        let raw = format!("{{\"Env\":[\"API_KEY={}\"],\"password\":\"{}\"}}", fake(), fake());
        let once = redactor.redact(&raw);
        assert_eq!(redactor.redact(once.as_str()), once);
        let json: serde_json::Value = serde_json::from_str(once.as_str()).unwrap();
        let token = redactor.token(&fake());
        assert_eq!(json["password"], token.as_str());
        assert_eq!(json["Env"][0], format!("API_KEY={token}"));
    }

    #[test]
    fn a_value_has_one_token_in_every_spelling_and_is_gone_in_each() {
        let mut redactor = Redactor::new([1; 32]);
        let secret = format!("{}&<x", fake());
        redactor.learn(&format!("DB_PASSWORD={secret}\n"));
        let token = redactor.token(&secret);
        let json = secret.replace('&', "\\u0026").replace('<', "\\u003c");
        let url = secret.replace('&', "%26").replace('<', "%3C");
        for text in [
            format!("[\"DB_PASSWORD={json}\"]"),
            format!("postgresql://shop:{url}@db:5432/shop"),
            format!("it is {json} there"),
            format!("it is {url} there"),
            format!("it is {} there", url.replace("%3C", "%3c")),
            format!("it is {} there", secret.replace('&', "%26")),
            format!("<p>{}</p>", secret.replace('&', "&amp;").replace('<', "&lt;")),
            format!("it is {} there", spelling::to_base64(secret.as_bytes())),
        ] {
            let shown = redactor.redact(&text);
            assert!(shown.as_str().contains(&token) && !shown.as_str().contains(&fake()), "{text} -> {shown}");
        }
        let login = spelling::to_base64(format!("shop:{secret}").as_bytes());
        assert!(!redactor.redact(&format!("it is {login} there")).as_str().contains(&login[..24]));
    }
}
