//! The shapes of secrets: known prefixes, passwords in URLs, assignments to secret-sounding names.
//!
//! Hand-written scanners over bytes: this runs on every byte that is read and on
//! the hook path, where compiling regular expressions would cost more than the scan.

mod address;
mod anchor;

use std::ops::Range;

/// Byte ranges of secret values, in order of their start; ranges may overlap. `announcers` are
/// the places of words that announce a secret.
pub(super) fn find(text: &str, announcers: &[Range<usize>]) -> Vec<Range<usize>> {
    let mut spans = Vec::new();
    if announcers.iter().any(|hit| text[hit.clone()].starts_with("-----")) {
        private_keys(text, &mut spans);
    }
    known_prefixes(text, &mut spans);
    anchor::announced(text, announcers, &mut spans);
    password_files(text, &mut spans);
    assignments(text, &mut spans);
    spans.retain(|span| {
        let value = &text[span.clone()];
        !super::is_token(value) && !value.starts_with("hmac:")
    });
    spans.sort_by_key(|s| (s.start, s.end));
    spans
}

/// Whether a value is an address whose password is left out: `postgresql://shop:...@db/shop`.
pub(super) fn hides_its_password(value: &str) -> bool {
    let Some((_, rest)) = value.split_once("://") else { return false };
    let user = rest.split('@').next().unwrap_or_default();
    user.split_once(':').is_some_and(|(_, password)| is_placeholder(password))
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

/// Shortest key that is known by its prefix, in bytes.
const ISSUED_BYTES_MIN: usize = 20;

fn is_key_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.')
}

/// Keys that their prefix gives away, and JSON web tokens.
fn known_prefixes(text: &str, spans: &mut Vec<Range<usize>>) {
    let bytes = text.as_bytes();
    let mut at = 0;
    while at + ISSUED_BYTES_MIN <= bytes.len() {
        // A key of enough length has no other byte up to there, so most bytes are skipped.
        if let Some(stop) = bytes[at..at + ISSUED_BYTES_MIN].iter().rposition(|b| !is_key_byte(*b)) {
            at += stop + 1;
            continue;
        }
        let end = at + bytes[at..].iter().take_while(|b| is_key_byte(**b)).count();
        let word = &bytes[at..end];
        let issued = PREFIXES.iter().any(|p| {
            word.starts_with(p.text.as_bytes())
                && word.len() >= p.text.len() + p.rest_bytes_min
                && word[p.text.len()..].iter().any(u8::is_ascii_digit)
        });
        if issued || is_jwt(word) || is_bot_token(word) {
            spans.push(at..trim_dots(bytes, at, end));
        }
        at = end;
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

/// The token of a bot at Discord: its id in Base64, a time and a signature.
fn is_bot_token(word: &[u8]) -> bool {
    let mut parts = word.split(|b| *b == b'.');
    let (Some(id), Some(time), Some(signature), None) = (parts.next(), parts.next(), parts.next(), parts.next()) else {
        return false;
    };
    let mixed = |part: &[u8]| {
        part.iter().any(u8::is_ascii_digit)
            && part.iter().any(u8::is_ascii_lowercase)
            && part.iter().any(u8::is_ascii_uppercase)
    };
    matches!(id.first(), Some(b'M' | b'N' | b'O'))
        && (23..=28).contains(&id.len())
        && (6..=7).contains(&time.len())
        && (27..=38).contains(&signature.len())
        && mixed(id)
        && mixed(signature)
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

/// How strongly the syntax says that what follows is a value.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Syntax {
    /// `NAME=value` at the start of a line or word, JSON strings, quoted values.
    Certain,
    /// `name: value` inside prose or code: only what looks random counts.
    Weak,
}

/// Bytes behind which a value may stand.
static SIGNS: [bool; 256] = {
    let mut signs = [false; 256];
    let mut at = 0;
    while at < b"=:,>-$".len() {
        signs[b"=:,>-$"[at] as usize] = true;
        at += 1;
    }
    signs
};

/// Values behind a sign: given to names that sound secret (env files, YAML, JSON, flags, code),
/// and hashes of passwords.
fn assignments(text: &str, spans: &mut Vec<Range<usize>>) {
    let bytes = text.as_bytes();
    let mut crypted_to = 0;
    for (at, byte) in bytes.iter().enumerate() {
        if !SIGNS[usize::from(*byte)] {
            continue;
        }
        match byte {
            b'=' | b':' => assignment(text, at, spans),
            b'-' if bytes.get(at + 1) == Some(&b'-') => flag_value(text, at, spans),
            b'$' if at >= crypted_to => crypted_to = crypted(text, at, spans),
            b',' if at > 0 && matches!(bytes[at - 1], b'"' | b'\'') => spans_of_pair(text, at, spans),
            b'>' if at > 0 && bytes[at - 1].is_ascii_alphanumeric() => spans_of_pair(text, at, spans),
            _ => {}
        }
    }
}

fn assignment(text: &str, at: usize, spans: &mut Vec<Range<usize>>) {
    let bytes = text.as_bytes();
    if matches!(bytes.get(at + 1), Some(b'=' | b':')) {
        return;
    }
    // `'password' => 'value'`
    let arrow = bytes[at] == b'=' && bytes.get(at + 1) == Some(&b'>');
    let Some(name) = name_before(bytes, at) else { return };
    let key = address::is_key_parameter(text, &name);
    let named = if key { Some(Strength::Likely) } else { strength(&text[name.clone()]) };
    let Some(strength) = named else { return };
    if let Some((span, syntax)) = value_after(text, &name, at + usize::from(arrow)) {
        let value = &text[span.clone()];
        let certain = syntax == Syntax::Certain && strength == Strength::Sure;
        if certain || looks_random(value) || strength == Strength::Likely && is_credentials(value) {
            push_value(text, span, spans);
        }
    }
}

/// `["X-Api-Key", "value"]`, `["--requirepass", "value"]` and `<password>value</password>`.
fn spans_of_pair(text: &str, at: usize, spans: &mut Vec<Range<usize>>) {
    let bytes = text.as_bytes();
    let Some(name) = name_before(bytes, at) else { return };
    if strength(&text[name.clone()]) != Some(Strength::Sure) {
        return;
    }
    if bytes[at] == b'>' {
        let value = at + 1..at + 1 + text[at + 1..].find('<').unwrap_or(0);
        if text[..name.start].ends_with('<') && text[value.end..].starts_with("</") {
            push_value(text, value, spans);
        }
        return;
    }
    let opened = text[..name.start].trim_end_matches('\\');
    let quoted = opened.ends_with(['"', '\'']) && !text[name.end..at].trim().is_empty();
    let flag = text[name.clone()].starts_with("--");
    let pair = text[name.clone()].contains('-')
        && opened[..opened.len().saturating_sub(1)].trim_end_matches('\\').ends_with('[');
    if !quoted || !(flag || pair) {
        return;
    }
    let Some((value, Syntax::Certain)) = value_after(text, &name, at) else { return };
    let closed = text[value.end..].trim_start_matches(['\\', '"', '\'', ' ']).starts_with(']');
    if (flag || closed) && !text[value.clone()].starts_with('-') {
        push_value(text, value, spans);
    }
}

/// Passwords as `crypt` and its kin keep them: `$2y$05$…`, also with each `$` doubled. Answers
/// where the word at the dollar ends.
fn crypted(text: &str, at: usize, spans: &mut Vec<Range<usize>>) -> usize {
    const SCHEMES: &[&str] = &["1", "2a", "2b", "2y", "5", "6", "y", "apr1", "argon2i", "argon2id"];
    let is_part = |b: &&u8| b.is_ascii_alphanumeric() || matches!(b, b'$' | b'.' | b'/' | b'=' | b',' | b'+');
    let end = at + text.as_bytes()[at..].iter().take_while(is_part).count();
    let mut parts = text[at..end].split('$').filter(|part| !part.is_empty());
    let known = parts.next().is_some_and(|scheme| SCHEMES.contains(&scheme));
    if known && parts.clone().count() >= 2 && parts.next_back().is_some_and(|hash| hash.len() >= 22) {
        spans.push(at..end);
    }
    end
}

/// Largest file that may be one of passwords by line, in bytes.
const PASSWORD_FILE_BYTES_MAX: usize = 64 * 1024;

/// Lines of a `.pgpass` file: `host:port:database:user:password`.
fn password_files(text: &str, spans: &mut Vec<Range<usize>>) {
    if text.len() > PASSWORD_FILE_BYTES_MAX {
        return;
    }
    let mut start = 0;
    for line in text.split('\n') {
        let mut fields = line.splitn(5, ':');
        let head: Vec<&str> = fields.by_ref().take(4).collect();
        if let ([host, port, database, user], Some(password)) = (head.as_slice(), fields.next())
            && (*port == "*" || port.len() >= 4 && port.bytes().all(|b| b.is_ascii_digit()))
            && [*host, *database, *user].iter().all(|f| !f.is_empty() && !f.contains([' ', '/', '"', '=']))
            && !password.contains([' ', '"'])
        {
            let end = start + line.trim_end().len();
            push_value(text, end - password.trim_end().len()..end, spans);
        }
        start += line.len() + 1;
    }
}

/// `--password value`: a flag whose value is the next word.
fn flag_value(text: &str, at: usize, spans: &mut Vec<Range<usize>>) {
    let bytes = text.as_bytes();
    let name_end = at + 2 + bytes[at + 2..].iter().take_while(|b| is_key_byte(**b)).count();
    if name_end == at + 2 || bytes.get(name_end) != Some(&b' ') || !is_secret_name(&text[at + 2..name_end]) {
        return;
    }
    let start = name_end + 1;
    let quote = bytes.get(start).copied().filter(|b| matches!(b, b'"' | b'\''));
    let start = start + usize::from(quote.is_some());
    let ends = |b: &u8| b.is_ascii_whitespace() || matches!(b, b';' | b'|' | b'&' | b'"' | b'\\');
    let length = bytes[start..].iter().take_while(|b| quote.map_or(!ends(b), |q| **b != q)).count();
    let value = &text[start..start + length];
    // Plain lower-case words behind a flag are prose about it.
    let plain = value.bytes().all(|b| b.is_ascii_lowercase() || matches!(b, b'.' | b',' | b':' | b')'));
    let option = ["id=", "source=", "src=", "type=", "env="].iter().any(|key| value.starts_with(key));
    if quote.is_some() || !(plain || option || value.starts_with('-')) {
        push_value(text, start..start + length, spans);
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
    // `name = value` in a configuration file; code gives names and calls.
    let value = text[start..line_end].trim_end();
    let code = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'(' | b')' | b'[' | b']');
    if own_line && bytes[at] == b'=' && !value.contains([' ', '(', ',']) && !value.bytes().all(code) {
        return Some((start..start + value.len(), Syntax::Certain));
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

/// Whether a value looks like one that a program issued: no word of prose.
fn looks_issued(value: &str) -> bool {
    let has = |test: fn(&u8) -> bool| value.as_bytes().iter().skip(1).any(test);
    value.len() >= 8
        && (has(u8::is_ascii_digit) || has(u8::is_ascii_uppercase))
        && value.bytes().any(|b| b.is_ascii_alphabetic())
}

/// Whether a value is `user:password` in Base64, as a registry's login keeps it.
fn is_credentials(value: &str) -> bool {
    value.len() >= 12 && super::spelling::of_base64(value).is_some_and(|plain| plain.contains(':'))
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
    "salt",
    "community",
];
/// Words before `key` that make it a public one, or the key to an entry of a table.
const KEY_NOT_AFTER: &[&str] = &[
    "public",
    "pub",
    "publishable",
    "primary",
    "foreign",
    "cache",
    "sort",
    "partition",
    "hash",
    "idempotency",
    "anon",
    "site",
    "index",
    "map",
    "object",
    "translation",
    "lookup",
    "storage",
    "row",
    "item",
    "group",
    "registry",
    "host",
    "sitekey",
    "anonymous",
    "search",
    "file",
    "s",
    "i",
    "message",
    "routing",
    "dedup",
    "dedupe",
    "event",
    "content",
    "document",
    "lock",
    "query",
    "unique",
    "signature",
    "etag",
    "image",
    "blob",
    "build",
    "hot",
    "node",
    "dom",
];

/// Whether a name is that of a key which nothing says is public.
pub(super) fn is_key_name(name: &str) -> bool {
    let words = words_of(name);
    let [.., before, last] = words.as_slice() else { return false };
    (last == "key" || last == "certificate" && before == "app") && !KEY_NOT_AFTER.contains(&before.as_str())
}

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
    if !may_be_secret(name) {
        return false;
    }
    let words = words_of(name);
    let Some(last) = words.last() else { return false };
    is_secret_words(words.iter().map(String::as_str).collect::<Vec<_>>().as_slice(), last)
}

fn is_secret_words(words: &[&str], last: &str) -> bool {
    // Who names a secret that is there already gives no value.
    if words.len() >= 2 && words[words.len() - 2] == "existing" {
        return false;
    }
    SECRET_LAST.contains(&last) || last == "key" && words.len() >= 2 && KEY_BEFORE.contains(&words[words.len() - 2])
}

/// How surely a name says that its value is a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Strength {
    Sure,
    /// Only a value that looks like one counts.
    Likely,
}

/// Words behind the name of a secret that say which one it is.
const WHICH: &[&str] = &[
    "prod",
    "production",
    "live",
    "dev",
    "staging",
    "stage",
    "old",
    "new",
    "current",
    "previous",
    "next",
    "value",
    "primary",
    "secondary",
    "main",
    "backup",
    "base",
    "hash",
    "b",
    "base64",
    "v",
    "raw",
    "plain",
];

/// Pieces of which each name of a secret holds one; a name without any is not taken apart.
const PIECES: &[&[u8]] = &[b"pass", b"pwd", b"secret", b"token", b"key", b"credential", b"auth", b"salt", b"community"];

fn may_be_secret(name: &str) -> bool {
    let bytes = name.as_bytes();
    (0..bytes.len()).any(|at| match bytes[at] | 0x20 {
        b'p' | b's' | b't' | b'k' | b'c' | b'a' => {
            PIECES.iter().any(|piece| bytes[at..].get(..piece.len()).is_some_and(|b| b.eq_ignore_ascii_case(piece)))
        }
        _ => false,
    })
}

fn strength(name: &str) -> Option<Strength> {
    if !may_be_secret(name) {
        return None;
    }
    let words = words_of(name);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let (last, before) = words.split_last()?;
    if is_secret_words(&words, last) {
        return Some(Strength::Sure);
    }
    let which = WHICH.contains(last) && before.last().is_some_and(|last| is_secret_words(before, last));
    (which || *last == "auth" || *last == "masterauth").then_some(Strength::Likely)
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

/// Whether letters, run together, are nothing but the words of well-known placeholders.
pub(super) fn is_placeholder_text(letters: &[u8]) -> bool {
    let mut reached = vec![false; letters.len() + 1];
    reached[0] = true;
    for at in 0..letters.len() {
        if !reached[at] {
            continue;
        }
        for word in PLACEHOLDER_WORDS.iter().filter(|word| letters[at..].starts_with(word.as_bytes())) {
            reached[at + word.len()] = true;
        }
    }
    reached[letters.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<&str> {
        let announcers = super::super::rule::find(text, &mut Vec::new());
        find(text, &announcers).into_iter().map(|span| &text[span]).collect()
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
            format!("password = {}-x", value),
            format!("aws_secret_access_key = {value}/+x"),
            format!("postgresql://shop:{value}@x#y@db:5432/shop"),
            format!("postgresql://shop:{value}<x>@db:5432/shop"),
            format!("postgresql://shop:{value}/x@db/shop"),
            format!("https://{value}@errors.example.org/1"),
            format!("Authorization: Token {value}"),
            format!("[[\"X-Api-Key\",\"{value}\"]]"),
            format!("curl -sS -u admin:{value} https://a.example/"),
            format!("curl --user 'admin:{value}' https://a.example/"),
            format!("mysqldump -uroot -p{value} shop"),
            format!("[\"mysqldump\",\"-uroot\",\"-p{value}\"]"),
            format!("sshpass -p {value} ssh box"),
            format!("redis-cli -a {value} ping"),
            format!("tool --password Word-And-{value} run"),
            format!("Cookie: theme=dark; sid={value}; a=b"),
            format!("Set-Cookie: sid={value}; Path=/; HttpOnly"),
            format!("[\"set-cookie\",\"sid={value}; SameSite=Lax\"]"),
            format!("https://hooks.slack.com/services/T0AAAAAA1/B0AAAAAA1/{value}"),
            format!("https://discord.com/api/webhooks/123456789012345678/{value}"),
            format!("https://api.telegram.org/bot123456789:{value}/sendMessage"),
            format!("GET /v1?lang=de&key={value}&x=1"),
            format!("machine a.example login shop password {value}"),
            format!("db:5432:shop:shop:{value}"),
            format!("admin:$2y$05${value}{value}"),
            format!("requirepass {value}"),
            format!("[\"redis-server\",\"--requirepass\",\"{value}\"]"),
            format!("<password>{value}</password>"),
            format!("SECRET_KEY_BASE={value}"),
            format!("STRIPE_API_KEY_LIVE={value}"),
            format!("REDIS_AUTH={value}"),
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
            "password = settings.database_password",
            "http://host:8080?to=me@example.org",
            "<p>http://host:80<br>me@example.org</p>",
            "postgresql://user:<password>@host/db",
            "http://127.0.0.1:8080/users/a@example.org",
            "docker run -u 1000:1000 -p 5432:5432 postgres",
            "mysql -u root -p shop < dump.sql",
            "set it with --password or --token when asked",
            "docker build --secret id=npm,src=.npmrc .",
            "Cookie: theme=dark; lang=en-GB",
            "Set-Cookie: theme=dark; Path=/; SameSite=Strict; Expires=Wed, 21 Oct 2026 07:28:00 GMT",
            "authorization: required for all users",
            "the cookie is not sent: SameSite=Strict",
            "[\"password\",\"email\"]",
            "GET /list?key=name&sort=date",
            "ports: 127.0.0.1:8080:80",
            "echo $1 $2 $HOME",
            "auth: required",
            "<token>",
        ] {
            assert_eq!(found(text), Vec::<&str>::new(), "{text}");
        }
    }
}
