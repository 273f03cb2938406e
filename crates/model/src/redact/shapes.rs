//! The shapes of secrets: known prefixes, passwords in URLs, assignments to secret-sounding names.
//!
//! Hand-written scanners over bytes: this runs on every byte that is read and on
//! the hook path, where compiling regular expressions would cost more than the scan.

use std::ops::Range;

/// Byte ranges of secret values, in order of their start; ranges may overlap.
pub(super) fn find(text: &str) -> Vec<Range<usize>> {
    let mut spans = Vec::new();
    private_keys(text, &mut spans);
    known_prefixes(text, &mut spans);
    url_passwords(text, &mut spans);
    assignments(text, &mut spans);
    bearer_headers(text, &mut spans);
    spans.retain(|span| {
        let value = &text[span.clone()];
        !super::is_token(value) && !value.starts_with("hmac:")
    });
    spans.sort_by_key(|s| (s.start, s.end));
    spans
}

/// A prefix that only its issuer writes, and how long the rest must at least be.
struct Prefix {
    text: &'static str,
    rest_bytes_min: usize,
}

/// From the issuers' documentation of their key formats.
const PREFIXES: &[Prefix] = &[
    Prefix { text: "AKIA", rest_bytes_min: 16 },
    Prefix { text: "ASIA", rest_bytes_min: 16 },
    Prefix { text: "ghp_", rest_bytes_min: 30 },
    Prefix { text: "gho_", rest_bytes_min: 30 },
    Prefix { text: "ghs_", rest_bytes_min: 30 },
    Prefix { text: "ghu_", rest_bytes_min: 30 },
    Prefix { text: "ghr_", rest_bytes_min: 30 },
    Prefix { text: "github_pat_", rest_bytes_min: 30 },
    Prefix { text: "glpat-", rest_bytes_min: 16 },
    Prefix { text: "glsa_", rest_bytes_min: 24 },
    Prefix { text: "glc_", rest_bytes_min: 24 },
    Prefix { text: "AIza", rest_bytes_min: 30 },
    Prefix { text: "sk-ant-", rest_bytes_min: 20 },
    Prefix { text: "sk-proj-", rest_bytes_min: 20 },
    Prefix { text: "sk-", rest_bytes_min: 32 },
    Prefix { text: "sk_live_", rest_bytes_min: 16 },
    Prefix { text: "sk_test_", rest_bytes_min: 16 },
    Prefix { text: "rk_live_", rest_bytes_min: 16 },
    Prefix { text: "xoxb-", rest_bytes_min: 16 },
    Prefix { text: "xoxp-", rest_bytes_min: 16 },
    Prefix { text: "xoxa-", rest_bytes_min: 16 },
    Prefix { text: "xapp-", rest_bytes_min: 16 },
    Prefix { text: "npm_", rest_bytes_min: 30 },
    Prefix { text: "pypi-", rest_bytes_min: 40 },
    Prefix { text: "hf_", rest_bytes_min: 30 },
    Prefix { text: "SG.", rest_bytes_min: 40 },
    Prefix { text: "dop_v1_", rest_bytes_min: 40 },
    Prefix { text: "AGE-SECRET-KEY-1", rest_bytes_min: 50 },
];

fn is_key_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.')
}

/// Keys that their prefix gives away, and JSON web tokens.
fn known_prefixes(text: &str, spans: &mut Vec<Range<usize>>) {
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        if !bytes[at].is_ascii_alphanumeric() || (at > 0 && is_key_byte(bytes[at - 1])) {
            at += 1;
            continue;
        }
        let end = at + bytes[at..].iter().take_while(|b| is_key_byte(**b)).count();
        let word = &bytes[at..end];
        let issued = PREFIXES.iter().any(|p| {
            word.starts_with(p.text.as_bytes())
                && word.len() >= p.text.len() + p.rest_bytes_min
                && word[p.text.len()..].iter().any(u8::is_ascii_digit)
        });
        if issued || is_jwt(word) {
            spans.push(at..trim_dots(bytes, at, end));
        }
        at = end.max(at + 1);
    }
}

fn trim_dots(bytes: &[u8], start: usize, mut end: usize) -> usize {
    while end > start && bytes[end - 1] == b'.' {
        end -= 1;
    }
    end
}

fn is_jwt(word: &[u8]) -> bool {
    word.starts_with(b"eyJ") && word.split(|b| *b == b'.').filter(|part| part.len() >= 10).count() >= 3
}

/// The body of PEM private keys.
fn private_keys(text: &str, spans: &mut Vec<Range<usize>>) {
    let mut from = 0;
    while let Some(begin) = text[from..].find("-----BEGIN ") {
        let begin = from + begin;
        let Some(head_end) = text[begin + 11..].find("-----").map(|i| begin + 11 + i + 5) else {
            return;
        };
        from = head_end;
        if !text[begin..head_end].contains("PRIVATE KEY") {
            continue;
        }
        let end = text[head_end..].find("-----END ").map_or(text.len(), |i| head_end + i);
        let body = text[head_end..end].trim();
        if body.len() >= 16 {
            let start = head_end + text[head_end..end].find(body).unwrap_or(0);
            spans.push(start..start + body.len());
        }
        from = end;
    }
}

/// Passwords in `scheme://user:password@host`.
fn url_passwords(text: &str, spans: &mut Vec<Range<usize>>) {
    let bytes = text.as_bytes();
    for (at, _) in text.match_indices("://") {
        let start = at + 3;
        let end = start
            + bytes[start..]
                .iter()
                .take_while(|b| {
                    !b.is_ascii_whitespace() && !matches!(b, b'/' | b'"' | b'\'' | b'`' | b'<' | b'>' | b'?' | b'#')
                })
                .count();
        let Some(host_at) = text[start..end].rfind('@').map(|i| start + i) else { continue };
        let Some(colon) = text[start..host_at].find(':').map(|i| start + i + 1) else { continue };
        push_value(text, colon..host_at, spans);
    }
}

/// `Authorization: Bearer …` and `Basic …`.
fn bearer_headers(text: &str, spans: &mut Vec<Range<usize>>) {
    for scheme in ["Bearer ", "bearer ", "Basic "] {
        for (at, _) in text.match_indices(scheme) {
            let start = at + scheme.len();
            let end = start
                + text.as_bytes()[start..]
                    .iter()
                    .take_while(|b| is_key_byte(**b) || matches!(b, b'+' | b'/' | b'=' | b'~'))
                    .count();
            let value = &text[start..end];
            if value.len() >= 16 && value.bytes().any(|b| b.is_ascii_digit()) {
                push_value(text, start..end, spans);
            }
        }
    }
}

/// How strongly the syntax says that what follows is a value.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Syntax {
    /// `NAME=value` at the start of a line or word, JSON strings, quoted values.
    Certain,
    /// `name: value` inside prose or code: only what looks random counts.
    Weak,
}

/// Values given to names that sound secret: env files, YAML, JSON, flags, code.
fn assignments(text: &str, spans: &mut Vec<Range<usize>>) {
    let bytes = text.as_bytes();
    for (at, byte) in bytes.iter().enumerate() {
        if !matches!(byte, b'=' | b':') || matches!(bytes.get(at + 1), Some(b'=' | b':')) {
            continue;
        }
        let Some(name) = name_before(bytes, at) else { continue };
        if !is_secret_name(&text[name.clone()]) {
            continue;
        }
        if let Some((span, syntax)) = value_after(text, &name, at) {
            let value = &text[span.clone()];
            if syntax == Syntax::Certain || looks_random(value) {
                push_value(text, span, spans);
            }
        }
    }
    flag_values(text, spans);
}

/// `--password value`: a flag whose value is the next word.
fn flag_values(text: &str, spans: &mut Vec<Range<usize>>) {
    let bytes = text.as_bytes();
    for (at, _) in text.match_indices("--") {
        let name_end = at + 2 + bytes[at + 2..].iter().take_while(|b| is_key_byte(**b)).count();
        if name_end == at + 2 || bytes.get(name_end) != Some(&b' ') || !is_secret_name(&text[at + 2..name_end]) {
            continue;
        }
        let start = name_end + 1;
        let quote = bytes.get(start).copied().filter(|b| matches!(b, b'"' | b'\''));
        let start = start + usize::from(quote.is_some());
        let length = bytes[start..]
            .iter()
            .take_while(|b| {
                quote.map_or(!b.is_ascii_whitespace() && !matches!(b, b';' | b'|' | b'&' | b'"' | b'\\'), |q| **b != q)
            })
            .count();
        let value = &text[start..start + length];
        if quote.is_some() || (looks_random(value) && !value.starts_with('-')) {
            push_value(text, start..start + length, spans);
        }
    }
}

/// The identifier that ends just before `at`, past spaces and closing quotes.
fn name_before(bytes: &[u8], at: usize) -> Option<Range<usize>> {
    let mut end = at;
    while end > 0 && matches!(bytes[end - 1], b' ' | b'"' | b'\'' | b'\\' | b']') {
        end -= 1;
    }
    let length =
        bytes[..end].iter().rev().take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.')).count();
    (length > 0 && at - end <= 3).then(|| end - length..end)
}

/// The value that starts just after the separator at `at`.
fn value_after(text: &str, name: &Range<usize>, at: usize) -> Option<(Range<usize>, Syntax)> {
    let bytes = text.as_bytes();
    let line_end = text[at..].find('\n').map_or(text.len(), |i| at + i);
    let mut start = at + 1;
    let gap = bytes[start..line_end].iter().take_while(|b| matches!(b, b' ' | b'\t')).count();
    start += gap;
    if start >= line_end {
        return None;
    }
    // A quoted value, also with its quotes escaped inside a JSON string.
    let escapes = bytes[start..line_end].iter().take_while(|b| **b == b'\\').count();
    if let Some(quote @ (b'"' | b'\'')) = bytes.get(start + escapes).copied() {
        let open = start + escapes + 1;
        let length = closing_quote(&bytes[open..line_end], quote, escapes)?;
        return Some((open..open + length, Syntax::Certain));
    }
    let shell_word = bytes[at] == b'=' && gap == 0;
    let opened_by = name.start.checked_sub(1).map(|i| bytes[i]);
    let line_start = text[..name.start].rfind('\n').map_or(0, |i| i + 1);
    let lead = text[line_start..name.start].trim_start();
    let own_line = matches!(lead, "" | "export " | "- ");
    // `"NAME=value"` as in the environment of an inspected container.
    if shell_word && matches!(opened_by, Some(b'"' | b'\'')) {
        let quote = opened_by?;
        let length = closing_quote(&bytes[start..line_end], quote, 0)?;
        return Some((start..start + length, Syntax::Certain));
    }
    if own_line && (shell_word || bytes[at] == b':') && (bytes[at] == b'=' || gap > 0) {
        let value = text[start..line_end].trim_end();
        let value = value.split(" #").next().unwrap_or(value).trim_end();
        let prose = bytes[at] == b':' && value.contains(' ');
        return (!prose).then_some((start..start + value.len(), Syntax::Certain));
    }
    let length = bytes[start..line_end]
        .iter()
        .take_while(|b| {
            !b.is_ascii_whitespace()
                && !matches!(b, b'"' | b'\'' | b',' | b';' | b'&' | b'|' | b')' | b'}' | b']' | b'<' | b'\\' | b'`')
        })
        .count();
    let syntax = if shell_word { Syntax::Certain } else { Syntax::Weak };
    (length > 0).then_some((start..start + length, syntax))
}

/// Bytes up to the quote that closes a value, which may be escaped `escapes` times.
fn closing_quote(bytes: &[u8], quote: u8, escapes: usize) -> Option<usize> {
    let mut at = 0;
    while at < bytes.len() {
        let slashes = bytes[at..].iter().take_while(|b| **b == b'\\').count();
        if bytes.get(at + slashes) == Some(&quote) && slashes <= escapes {
            return Some(at);
        }
        at += slashes + 1;
    }
    None
}

fn looks_random(value: &str) -> bool {
    value.len() >= 8
        && value.bytes().any(|b| b.is_ascii_digit())
        && value.bytes().any(|b| b.is_ascii_alphabetic())
        && !value.contains('/')
}

/// Keeps a span unless its value is no secret by its form.
fn push_value(text: &str, span: Range<usize>, spans: &mut Vec<Range<usize>>) {
    let value = &text[span.clone()];
    let reference = value.starts_with(['$', '<', '/', '{', '%', '@', '*', '[', '(', '&'])
        || value.contains("://")
        || value.contains("${")
        || value.contains("{{");
    let code = value.ends_with('(')
        || value.contains("getenv")
        || value.contains("environ")
        || value.contains("process.env")
        || value.contains("()");
    if value.is_empty() || reference || code || is_placeholder(value) {
        return;
    }
    spans.push(span);
}

/// Words that end the name of a secret.
const SECRET_LAST: &[&str] = &[
    "password",
    "passwd",
    "passphrase",
    "pass",
    "pwd",
    "secret",
    "secrets",
    "token",
    "apikey",
    "credential",
    "credentials",
    "pgpassword",
    "dbpassword",
    "authtoken",
    "accesstoken",
    "requirepass",
];
/// Words that make a following `key` a secret one.
const KEY_BEFORE: &[&str] = &[
    "api",
    "access",
    "secret",
    "private",
    "auth",
    "encryption",
    "signing",
    "master",
    "admin",
    "service",
    "jwt",
    "session",
    "app",
    "license",
    "role",
    "client",
    "hmac",
    "aes",
    "fernet",
    "account",
    "deploy",
    "webhook",
    "ingest",
    "integration",
];

/// Whether a name's last word says that its value is a secret.
pub(super) fn is_secret_name(name: &str) -> bool {
    let words = words_of(name);
    let Some(last) = words.last() else { return false };
    if SECRET_LAST.contains(&last.as_str()) {
        return true;
    }
    last == "key" && words.len() >= 2 && KEY_BEFORE.contains(&words[words.len() - 2].as_str())
}

/// Lower-case words of a name in snake, kebab, dotted or camel case; trailing digits dropped.
fn words_of(name: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut previous_lower = false;
    let mut fresh = true;
    for c in name.chars() {
        if !c.is_ascii_alphabetic() {
            fresh = true;
            previous_lower = false;
            continue;
        }
        if fresh || (c.is_ascii_uppercase() && previous_lower) {
            words.push(String::new());
        }
        fresh = false;
        previous_lower = c.is_ascii_lowercase();
        if let Some(word) = words.last_mut() {
            word.push(c.to_ascii_lowercase());
        }
    }
    words
}

/// Words of which well-known defaults are made.
const PLACEHOLDER_WORDS: &[&str] = &[
    "change",
    "changeme",
    "changethis",
    "changeit",
    "me",
    "this",
    "it",
    "your",
    "yours",
    "my",
    "the",
    "a",
    "an",
    "password",
    "passwd",
    "pass",
    "pwd",
    "secret",
    "secrets",
    "key",
    "token",
    "here",
    "default",
    "example",
    "placeholder",
    "dummy",
    "test",
    "testing",
    "dev",
    "development",
    "local",
    "localhost",
    "insecure",
    "replace",
    "replaceme",
    "with",
    "please",
    "admin",
    "root",
    "user",
    "username",
    "postgres",
    "postgresql",
    "mysql",
    "mariadb",
    "redis",
    "mongo",
    "rabbitmq",
    "minio",
    "minioadmin",
    "guest",
    "demo",
    "sample",
    "not",
    "real",
    "fake",
    "none",
    "null",
    "nil",
    "true",
    "false",
    "todo",
    "tbd",
    "db",
    "app",
    "api",
    "in",
    "prod",
    "production",
    "for",
    "only",
    "set",
    "unset",
    "foo",
    "bar",
    "baz",
    "letmein",
    "hunter",
    "qwerty",
    "xxx",
    "xxxx",
    "xxxxx",
    "super",
    "very",
    "strong",
    "generate",
    "some",
    "value",
    "string",
    "str",
    "bytes",
    "optional",
    "empty",
    "undefined",
    "required",
    "redacted",
    "and",
    "or",
    "must",
    "be",
    "to",
];

/// Whether a value is a well-known placeholder: made of nothing but such words and a few digits.
pub(super) fn is_placeholder(value: &str) -> bool {
    let value = value.trim();
    if value.is_empty() || value.chars().all(|c| matches!(c, '*' | 'x' | 'X' | '.' | '-' | '_' | '…' | '?')) {
        return true;
    }
    let digits = value.bytes().filter(u8::is_ascii_digit).count();
    if digits == value.len() {
        return digits <= 6;
    }
    if digits > 4 || !value.is_ascii() {
        return false;
    }
    let mut words = words_of(value);
    let whole = value.to_ascii_lowercase();
    if PLACEHOLDER_WORDS.contains(&whole.trim_end_matches(|c: char| c.is_ascii_digit())) {
        return true;
    }
    words.dedup();
    !words.is_empty() && words.iter().all(|w| PLACEHOLDER_WORDS.contains(&w.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<&str> {
        find(text).into_iter().map(|span| &text[span]).collect()
    }

    /// A value with the entropy of a key, made here so that no key lies in the repository.
    fn fake(length: usize) -> String {
        (0..length).map(|i| char::from(b"a7Kq2Zm9Xw4Rt8Lp"[(i * 7 + i / 3) % 16])).collect()
    }

    #[test]
    fn secrets_are_found_where_people_put_them() {
        let value = fake(20);
        for text in [
            format!("POSTGRES_PASSWORD={value}"),
            format!("export API_KEY='{value}'"),
            format!("      - DB_PASSWORD={value}"),
            format!("  MYSQL_ROOT_PASSWORD: {value}"),
            format!("{{\"Env\":[\"APP_SECRET={value}\",\"A=b\"]}}"),
            format!("{{\"clientSecret\": \"{value}\"}}"),
            format!("postgresql://shop:{value}@db:5432/shop"),
            format!("curl -H 'Authorization: Bearer {value}' x"),
            format!("PGPASSWORD={value} psql -h db"),
            format!("tool --api-key {value} run"),
            format!("{{\"command\":\"export TOKEN=\\\"{value}\\\"\"}}"),
            format!("ghp_{}", fake(36)),
        ] {
            assert!(found(&text).iter().any(|f| f.contains(&value[..16])), "{text} -> {:?}", found(&text));
        }
    }

    #[test]
    fn neighbours_stay_readable() {
        for text in [
            "POSTGRES_PASSWORD=changeme",
            "POSTGRES_PASSWORD=${DB_PASSWORD:?missing}",
            "POSTGRES_PASSWORD_FILE=/run/secrets/db",
            "FATAL:  password authentication failed for user \"zen\"",
            "password: authentication failed",
            "TOKEN_EXPIRY=3600",
            "postgresql://zen:changeme@postgres:5432/zen",
            "task-output-waiting-1770927708311",
            "password = os.getenv(\"DB_PASSWORD\")",
            "primary_key: id",
            "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
            "http://127.0.0.1:8080/healthz",
            "2026-01-01 token: expected identifier",
        ] {
            assert_eq!(found(text), Vec::<&str>::new(), "{text}");
        }
    }
}
