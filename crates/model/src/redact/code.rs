//! Values that are code: names of things, calls and types stand where a secret could, and are none.

use std::ops::Range;

/// Letters that often follow each letter of the alphabet in the words of programs.
///
/// Issued values have no such habit: of their pairs of letters a third is among these, of
/// those of words nine in ten.
const FOLLOWING: [&str; 26] = [
    "bcdfgiklmnprstuvy",
    "aeilorsu",
    "acehiklorstu",
    "adeilorsu",
    "abcdefglmnprstvwx",
    "adefilorsu",
    "aehinorsu",
    "aeior",
    "abcdefglmnoprstvz",
    "",
    "eis",
    "adeilostuy",
    "abeimopsu",
    "acdefgiknostuv",
    "abcdfgilmnoprstuvw",
    "aehiloprstu",
    "u",
    "acdegiklmnoprstuy",
    "acehilopstuy",
    "acehiloprstuy",
    "abceilmnprst",
    "aei",
    "aei",
    "pt",
    "p",
    "e",
];

/// Least part of the pairs of letters in words that follow the habit, in per cent.
const USUAL_PERCENT_MIN: usize = 65;

/// Whether a text is made of words, in whatever case, with few digits.
pub(super) fn is_words(text: &str) -> bool {
    let (mut letters, mut words, mut digits, mut pairs, mut usual) = (0usize, 0usize, 0usize, 0usize, 0usize);
    let bytes = text.as_bytes();
    for (at, byte) in bytes.iter().enumerate() {
        digits += usize::from(byte.is_ascii_digit());
        if !byte.is_ascii_alphabetic() {
            continue;
        }
        letters += 1;
        let before = at.checked_sub(1).map(|at| bytes[at]).filter(u8::is_ascii_alphabetic);
        let after = bytes.get(at + 1).is_some_and(u8::is_ascii_lowercase);
        // `camelCase`, and the last capital of `HTTPHeader`.
        let begins = |b: u8| byte.is_ascii_uppercase() && (b.is_ascii_lowercase() || after);
        match before.filter(|b| !begins(*b)) {
            None => words += 1,
            Some(before) => {
                pairs += 1;
                let following = FOLLOWING[usize::from(before.to_ascii_lowercase() - b'a')];
                usual += usize::from(following.as_bytes().contains(&byte.to_ascii_lowercase()));
            }
        }
    }
    pairs > 0 && letters >= 3 * words && letters * 10 >= digits * 13 && usual * 100 >= pairs * USUAL_PERCENT_MIN
}

/// Whether a value at a place of a text is code rather than what a name is given as a secret.
pub(super) fn is_code(text: &str, span: &Range<usize>) -> bool {
    let value = &text[span.clone()];
    let before = &text.as_bytes()[..span.start];
    match before.last() {
        Some(b'"' | b'\'' | b'`') => is_constant(value),
        // A role of a document: `password: :class:...`.
        _ if value.starts_with(':') => true,
        last => {
            let shell = last == Some(&b'=');
            let rest = text[span.end..].trim_start_matches([' ', '\t']);
            is_expression(value, rest, shell)
        }
    }
}

/// Whether a value has a place that something else is put into: `sk_{name}`, `live_{hex:35}`.
pub(super) fn is_template(text: &str, span: &Range<usize>) -> bool {
    let behind = &text[span.end..];
    let end = behind.find(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '`')).unwrap_or(behind.len());
    let value = &text[span.start..span.end + end];
    value.match_indices('{').any(|(at, _)| {
        let Some((inner, _)) = value[at + 1..].split_once('}') else { return false };
        let (name, form) = inner.split_once(':').unwrap_or((inner, ""));
        let of_name = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.');
        name.len() >= 2
            && name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && name.bytes().all(of_name)
            && name.bytes().filter(u8::is_ascii_digit).count() <= 2
            && !form.contains('{')
    })
}

/// Words in names of secrets.
const SAYS: [&str; 6] = ["secret", "token", "password", "credential", "auth", "apikey"];

/// What code begins with when it speaks of a part of the thing at hand.
const OWN: [&str; 7] = ["self.", "this.", "cls.", "args.", "super.", "ctx.", "config."];

/// A name as texts hold names: `CLIENT_TRAFFIC_SECRET_0`, `subject_token_0`, `Jobs[-1].JobId`.
fn is_constant(value: &str) -> bool {
    let of_name = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'[' | b']' | b'.' | b'-');
    let one_case = !value.bytes().any(|b| b.is_ascii_lowercase()) || !value.bytes().any(|b| b.is_ascii_uppercase());
    let joined = value.contains('_') && one_case && !value.contains(['.', '-']) || value.contains('[');
    let digits = value.bytes().filter(u8::is_ascii_digit).count();
    // What says of itself that it is a secret is the name of one.
    let lower = value.to_ascii_lowercase();
    let says = SAYS.iter().any(|word| lower.contains(word));
    value.bytes().all(of_name) && (joined || says) && digits <= 2 && is_words(value)
}

/// A call, an element, a type, or a name with a part that says whose it is.
fn is_expression(value: &str, rest: &str, shell: bool) -> bool {
    // Paths of types: no issuer writes two colons.
    if value.contains("::") {
        return true;
    }
    let head = &value[..value.find(|c| "([<{)]},;=".contains(c)).unwrap_or(value.len())];
    let name = head.trim_start_matches(['&', '*', '!', '$', '@', '_']);
    let of_name =
        |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b':' | b'$' | b'?' | b'!' | b'>' | b'-');
    if !name.starts_with(|c: char| c.is_ascii_alphabetic()) || !name.bytes().all(of_name) {
        return false;
    }
    let next = value[head.len()..].chars().next().or_else(|| rest.chars().next());
    let parts = name.contains(['.', '_']) || name.contains("->");
    let called = next == Some('(') && parts && name.bytes().filter(u8::is_ascii_digit).count() <= 5;
    // A call within a call: `bytes(row.get(8))`.
    let inside = value.get(head.len() + 1..).unwrap_or_default();
    let nested = next == Some('(') && inside.contains(['.', '(']) && !name.bytes().any(|b| b.is_ascii_digit());
    if OWN.iter().any(|own| name.starts_with(own)) || called || nested {
        return true;
    }
    if !is_words(name) {
        return false;
    }
    let opened = matches!(next, Some('(' | '[' | '<' | '{')) || next == Some('=') && head.len() + 1 < value.len();
    let closed = matches!(next, Some(',' | ';' | ')' | ']' | '}'));
    let digits = name.bytes().filter(u8::is_ascii_digit).count();
    let camel = name.as_bytes().windows(2).any(|pair| pair[0].is_ascii_lowercase() && pair[1].is_ascii_uppercase());
    opened || closed && (parts || camel || shell) || !shell && parts && digits <= 5
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_told_from_issued_values() {
        for text in [
            "x25519_generate_private_key",
            "PrivateKeyInfoRef",
            "CLIENT_TRAFFIC_SECRET_0",
            "poly1305::Context::from_key",
            "HTTPHeader",
            "subject_token_hint",
        ] {
            assert!(is_words(text), "{text}");
        }
        for text in ["h480djs93hd8", "k3Vn8QzL5wRt2Yp7", "mfrggzdfmztwq2lk", "kq7vzt2bxj9mwd4f", "2024", ""] {
            assert!(!is_words(text), "{text}");
        }
    }

    #[test]
    fn code_is_no_secret_and_values_are_no_code() {
        for (before, value, after) in [
            ("let mut unique_token = ", "Token(SERVER.0", ")"),
            ("    token: ", "node.dot2_token,", ""),
            ("client_auth: ", "Option<Vec<u8>>,", ""),
            ("encryption_key=", "TEST_ENCRYPTION_KEY1", ")"),
            ("passwd=", "credentials[1", "]"),
            ("private_key = ", "rsa.key.PrivateKey.load_pkcs1(key_bytes", ")"),
            ("password: ", "accounts.primary_secret2", ""),
            ("const TOKEN: ", "mio::Token", " = x"),
            ("salt: ", "bytes(row.get_ref(8", ")?),"),
        ] {
            let text = [before, value, after].concat();
            assert!(is_code(&text, &(before.len()..before.len() + value.len())), "{text}");
        }
        for (before, value, after) in [
            ("DB_PASSWORD=", "blue.river.42", ""),
            ("DB_PASSWORD=", "my_prod_pass22", ""),
            ("password: ", "Winter2024Berlin", ""),
            ("password: ", "k3Vn8QzL5w(Rt2Yp7", ""),
            ("TOKEN=", "kq7vzt2bxj9mwd4f", ""),
            ("token = '", "kq7vzt2b_xj9mwd4f", "'"),
        ] {
            let text = [before, value, after].concat();
            assert!(!is_code(&text, &(before.len()..before.len() + value.len())), "{text}");
        }
    }

    #[test]
    fn a_template_is_no_value() {
        for (text, template) in [
            ("sk_{name}", true),
            ("live_{hex:35}", true),
            ("{made:20}", true),
            ("https://{user}:{secret}@example.org", true),
            ("k3Vn8{QzL5wRt2Yp7", false),
            ("a{7}Kq2Zm9Xw4Rt8Lp", false),
        ] {
            assert_eq!(is_template(text, &(0..text.len().min(6))), template, "{text}");
        }
    }
}
