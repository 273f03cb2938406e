//! Redacted text, and the redactor that alone can make it.
//!
//! A secret becomes `hmac:<16 hex>` under a key, so equal values stay equal and
//! nothing can be read back. Well-known placeholders stay readable: being a
//! default is the finding. A value recognised once is replaced everywhere.

mod shapes;
mod spelling;

use std::collections::BTreeSet;
use std::sync::OnceLock;

use aho_corasick::{AhoCorasick, MatchKind};
use serde::{Deserialize, Serialize};

/// Text from which secrets were taken out. Only [`Redactor::redact`] makes it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Redacted(String);

impl Redacted {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
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
/// Most values remembered in one run.
pub const LEARNED_COUNT_MAX: usize = 10_000;

/// Finds secrets and replaces them by keyed hashes.
#[derive(Clone)]
pub struct Redactor {
    key: [u8; 32],
    learned: BTreeSet<String>,
    /// Finds all learned values in one pass; made when first needed.
    finder: OnceLock<Option<AhoCorasick>>,
}

impl std::fmt::Debug for Redactor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Redactor").field("learned", &self.learned.len()).finish_non_exhaustive()
    }
}

impl Redactor {
    /// A redactor under a key; equal values stay equal under the same key.
    pub fn new(key: [u8; 32]) -> Redactor {
        Redactor { key, learned: BTreeSet::new(), finder: OnceLock::new() }
    }

    /// Remembers the secrets of a text, so that they are replaced in every other.
    pub fn learn(&mut self, raw: &str) {
        for span in shapes::find(raw) {
            if self.learned.len() >= LEARNED_COUNT_MAX {
                return;
            }
            let plain = spelling::plain(&raw[span.clone()]);
            for spelled in [&raw[span], &plain, &spelling::in_json(&plain), &spelling::in_url(&plain)] {
                if spelled.len() >= LEARNED_BYTES_MIN && self.learned.insert(spelled.to_owned()) {
                    self.finder = OnceLock::new();
                }
            }
        }
    }

    /// The text with each secret replaced.
    pub fn redact(&self, raw: &str) -> Redacted {
        let mut spans = shapes::find(raw);
        if let Some(finder) = self.finder() {
            spans.extend(finder.find_iter(raw).map(|m| m.range()));
        }
        spans.sort_by_key(|s| (s.start, std::cmp::Reverse(s.end)));
        let mut out = String::with_capacity(raw.len());
        let mut done = 0;
        for span in spans {
            if span.start < done {
                continue;
            }
            out.push_str(&raw[done..span.start]);
            out.push_str(&self.token(&raw[span.clone()]));
            done = span.end;
        }
        out.push_str(&raw[done..]);
        Redacted(out)
    }

    /// Whether the text holds something that would be replaced.
    pub fn holds_secret(&self, raw: &str) -> bool {
        !shapes::find(raw).is_empty() || self.finder().is_some_and(|finder| finder.is_match(raw))
    }

    fn finder(&self) -> Option<&AhoCorasick> {
        let build = || AhoCorasick::builder().match_kind(MatchKind::LeftmostLongest).build(&self.learned).ok();
        self.finder.get_or_init(|| if self.learned.is_empty() { None } else { build() }).as_ref()
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

/// Whether a value is a well-known placeholder or default, which stays readable.
pub fn is_placeholder(value: &str) -> bool {
    shapes::is_placeholder(value)
}

/// Values in a text that are secrets beyond doubt: issued keys, tokens, private keys, and long
/// mixed values given to a name that sounds secret. Each once, in the order of the text.
///
/// Redaction takes out more than this: it may err on the side of caution, a denial may not.
pub fn plain_secrets(raw: &str) -> Vec<&str> {
    /// Shortest value that is taken for a secret because of its name alone, in bytes.
    const VALUE_BYTES_MIN: usize = 12;
    let mixed = |v: &str| v.bytes().any(|b| b.is_ascii_digit()) && v.bytes().any(|b| b.is_ascii_alphabetic());
    let mut found: Vec<&str> = Vec::new();
    for span in shapes::find(raw) {
        let value = &raw[span];
        let strong = value.len() >= VALUE_BYTES_MIN && mixed(value) && !value.contains(char::is_whitespace)
            || value.contains('\n') && value.len() > 64;
        if strong && !found.iter().any(|known| known.contains(value)) {
            found.push(value);
        }
    }
    found
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
        ] {
            let shown = redactor.redact(&text);
            assert!(shown.as_str().contains(&token) && !shown.as_str().contains(&fake()), "{text} -> {shown}");
        }
    }
}
