//! Stand-ins for secrets: what documents, templates and tests write in their place.

use super::shapes;

/// Parts that no issued value holds, in lower case.
const PARTS: &[&str] = &[
    "example",
    "placeholder",
    "changeme",
    "change_me",
    "change-me",
    "changethis",
    "replace",
    "redacted",
    "dummy",
    "insert",
    "xxxx",
    "your",
    "fake",
    "notreal",
    "not-real",
    "not_real",
    "mysecret",
    "my-secret",
    "my_secret",
    "mypassword",
    "my_password",
    "secret-here",
    "_here",
    "-here",
    "sample",
    "....",
    "****",
    "foobar",
    "lorem",
    "notasecret",
    "not-a-secret",
    "not_a_secret",
    "invalid",
    "obfuscated",
    "sanitized",
    "masked",
    "hidden",
    // The set of characters that an expression allows.
    "a-za-z",
    "0-9a-",
    "a-z0-9",
    // "John Doe" in the body of a JSON web token that every document shows.
    "ikpvag4grg9l",
];

/// Examples that issuers print in their documents, by the first 16 hex digits of their BLAKE3 hash.
const DOCUMENTED: &str = include_str!("../../../../facts/secrets/documented.txt");

/// Most of a value that may be counting or repeating before it is a stand-in, in per cent.
const REGULAR_PERCENT_MAX: usize = 50;

/// Whether a value stands in for a secret.
pub(super) fn is_dummy(value: &str) -> bool {
    let value = value.trim();
    if shapes::is_placeholder(value) || is_reference(value) {
        return true;
    }
    let lower = value.to_ascii_lowercase();
    PARTS.iter().any(|part| lower.contains(part))
        || is_regular(tail(lower.as_bytes()))
        || is_words(&lower)
        || says_the_same(&lower)
        || is_encoded_dummy(value)
        || is_documented(value)
}

/// The part of a key behind its issuer's prefix.
fn tail(value: &[u8]) -> &[u8] {
    const PREFIX_BYTES_MAX: usize = 24;
    let head = &value[..value.len().min(PREFIX_BYTES_MAX)];
    match head.iter().rposition(|b| matches!(b, b'_' | b'-' | b'.')) {
        Some(at) if value.len() - at > 12 => &value[at + 1..],
        _ => value,
    }
}

/// Whether a value counts up, repeats itself, or has few different characters.
fn is_regular(value: &[u8]) -> bool {
    let mut regular = 0;
    let mut at = 0;
    while at + 1 < value.len() {
        let step = i16::from(value[at + 1]) - i16::from(value[at]);
        // From 9 on, people go on with 0.
        let follows = |pair: &[u8]| {
            let by = i16::from(pair[1]) - i16::from(pair[0]);
            by == step || step == 1 && pair == b"90"
        };
        let run = if step.abs() <= 1 { 1 + value[at..].windows(2).take_while(|pair| follows(pair)).count() } else { 1 };
        if run >= 4 {
            regular += run;
        }
        at += run.max(1);
    }
    regular * 100 > value.len() * REGULAR_PERCENT_MAX || repeats(value) || few(value)
}

fn repeats(value: &[u8]) -> bool {
    (1..=value.len() / 3).any(|period| value.len() >= 12 && value[period..] == value[..value.len() - period])
}

/// Whether many words are few different ones, as in the phrases of test wallets.
fn says_the_same(value: &str) -> bool {
    let words: Vec<&str> = value.split_whitespace().collect();
    let different: std::collections::BTreeSet<&&str> = words.iter().collect();
    words.len() >= 6 && different.len() <= 3
}

fn few(value: &[u8]) -> bool {
    let mut seen = [false; 256];
    value.iter().for_each(|b| seen[usize::from(*b)] = true);
    value.len() >= 10 && seen.iter().filter(|s| **s).count() <= 4
}

/// Whether a value is made of the words of stand-ins, also run together or with digits for letters.
fn is_words(lower: &str) -> bool {
    const VALUE_BYTES_MAX: usize = 40;
    if lower.len() > VALUE_BYTES_MAX {
        return false;
    }
    let letters: Vec<u8> = lower.bytes().filter(u8::is_ascii_alphabetic).collect();
    let told: Vec<u8> = lower
        .trim_end_matches(|c: char| !c.is_ascii_alphabetic())
        .bytes()
        .map(|b| match b {
            b'0' => b'o',
            b'1' => b'i',
            b'3' => b'e',
            b'4' | b'@' => b'a',
            b'5' | b'$' => b's',
            other => other,
        })
        .filter(u8::is_ascii_alphabetic)
        .collect();
    let digits = lower.bytes().filter(u8::is_ascii_digit).count();
    (letters.len() >= 4 && digits <= 6 && shapes::is_placeholder_text(&letters))
        || (told.len() >= 4 && shapes::is_placeholder_text(&told))
}

/// Shortest sealed value, in bytes.
const SEALED_BYTES_MIN: usize = 200;

/// Whether a value only says where the secret is kept.
pub(super) fn is_reference(value: &str) -> bool {
    const STARTS: &[&str] = &[
        "$",
        "%",
        "{",
        "<",
        "@",
        "&",
        "#{",
        "env:",
        "env.",
        "vault:",
        "arn:",
        "enc[",
        "enc(",
        "op://",
        "ref+",
        "ssm:",
        "secret:",
        "secretsmanager",
        "file:",
        "var.",
        "vars.",
        "local.",
        "data.",
        "module.",
        "secrets.",
        "process.env",
        "os.environ",
        "os.getenv",
        "system.getenv",
        "getenv",
        "!ref",
        "!sub",
        "!vault",
        "!env",
        "keyvault",
        "kv/",
        "projects/",
        "hmac:",
        "sha256:",
        "sha512-",
        "sha1-",
        "sha384-",
        "md5:",
        "{{",
        "http://",
        "https://",
        "ssh-",
        // An option of a program.
        "--",
    ];
    if is_password_hash(value) {
        return false;
    }
    // What a controller of a cluster sealed.
    if value.len() >= SEALED_BYTES_MIN && (value.starts_with("AgA") || value.starts_with("AgB")) {
        return true;
    }
    let lower = value.get(..value.len().min(24)).map(str::to_ascii_lowercase).unwrap_or_default();
    STARTS.iter().any(|start| lower.starts_with(start))
        || ["${", "{{", "$(", "<%", "process.env", "getenv", "environ"].iter().any(|part| value.contains(part))
}

/// Whether a value begins like the hash of a password, also with each `$` doubled.
fn is_password_hash(value: &str) -> bool {
    const SCHEMES: &[&str] = &["1$", "2a$", "2b$", "2x$", "2y$", "5$", "6$", "y$", "apr1$", "argon2"];
    let rest = value.trim_start_matches('$');
    rest.len() < value.len() && value.len() >= 30 && SCHEMES.iter().any(|scheme| rest.starts_with(scheme))
}

/// Whether a value is a stand-in in Base64, as a manifest holds it.
fn is_encoded_dummy(value: &str) -> bool {
    const ENCODED_BYTES_MAX: usize = 64;
    value.len() <= ENCODED_BYTES_MAX
        && value.len().is_multiple_of(4)
        && super::spelling::of_base64(value).is_some_and(|plain| {
            let words = plain.bytes().all(|b| b.is_ascii_graphic()) && plain.len() >= 4;
            words && (shapes::is_placeholder(&plain) || is_reference(&plain) || is_words(&plain.to_ascii_lowercase()))
        })
}

fn is_documented(value: &str) -> bool {
    let hash = blake3::hash(value.as_bytes()).to_hex();
    DOCUMENTED.lines().any(|line| line.starts_with(&hash.as_str()[..16]))
}

/// Bits a character of a value, by how often each byte stands in it.
pub(super) fn entropy(value: &str) -> f64 {
    let mut counts = [0u32; 256];
    value.bytes().for_each(|b| counts[usize::from(b)] += 1);
    let length = f64::from(u32::try_from(value.len()).unwrap_or(u32::MAX)).max(1.0);
    counts
        .iter()
        .filter(|n| **n > 0)
        .map(|n| {
            let share = f64::from(*n) / length;
            -share * share.log2()
        })
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stand_ins_are_known_and_random_values_are_not() {
        for value in [
            "changeme",
            "AKIAIOSFODNN7EXAMPLE",
            "ghp_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
            "ghp_1234567890abcdefghijklmnopqrstuvwxyz",
            "sk-1234567890abcdef1234567890abcdef",
            "00000000-0000-0000-0000-000000000000",
            "deadbeefdeadbeefdeadbeefdeadbeef",
            "P@ssw0rd123",
            "mysecretpassword",
            "super_secret_token_123",
            "abcdef0123456789abcdef0123456789",
            "${VAR}",
            "{{ token }}",
            "<TOKEN>",
        ] {
            assert!(is_dummy(value), "{value}");
        }
        let random: String = (0..32).map(|i| char::from(b"k3Vn8QzL5wRt2Yp7"[(i * 7 + i / 3) % 16])).collect();
        for value in [random.clone(), format!("sk_test_{random}"), format!("xoxb-{random}")] {
            assert!(!is_dummy(&value), "{value}");
        }
    }
}
