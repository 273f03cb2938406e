//! Passwords and keys inside addresses: user information, and parameters of a query.

use std::ops::Range;

use super::{looks_random, push_value};

/// Names that mean a key only as a parameter of a query.
const PARAMETERS: &[&str] = &["key", "sig", "signature", "x-amz-signature", "x-goog-signature", "auth", "sid"];
/// Shortest user name that is a key by itself, as in `https://KEY@host`.
const KEY_AS_USER_BYTES_MIN: usize = 20;

/// Passwords in `scheme://user:password@host`, and keys in place of a user; `at` is the place
/// of `://`.
pub(super) fn user_information(text: &str, at: usize, spans: &mut Vec<Range<usize>>) {
    let start = at + 3;
    let rest = &text.as_bytes()[start..];
    let is_part = |b: &u8| !b.is_ascii_whitespace() && !matches!(b, b'"' | b'\'' | b'`');
    let authority = start + rest.iter().take_while(|b| is_part(b) && **b != b'/').count();
    let host_at = text[start..authority].rfind('@').map(|i| start + i);
    let end = || start + rest.iter().take_while(|b| is_part(b)).count();
    let Some(host_at) = host_at.or_else(|| behind_slashes(text, at, end())) else { return };
    if super::super::is_token(&text[start..host_at]) {
        return;
    }
    match text[start..host_at].find(':').map(|i| start + i + 1) {
        // "host:8080?to=me@example.org" holds a port and no password.
        Some(colon) if is_port(&text[colon..host_at]) => {}
        Some(colon) => push_value(text, colon..host_at, spans),
        None => {
            let user = &text[start..host_at];
            if user.len() >= KEY_AS_USER_BYTES_MIN && looks_random(user) {
                push_value(text, start..host_at, spans);
            }
        }
    }
}

fn is_port(value: &str) -> bool {
    let digits = value.bytes().take_while(u8::is_ascii_digit).count();
    digits > 0 && value[digits..].starts_with(['?', '#', '<', '>', ',', ')'])
}

/// The `@` behind a password that holds a slash, which only clients of databases let pass.
fn behind_slashes(text: &str, scheme_end: usize, end: usize) -> Option<usize> {
    let start = scheme_end + 3;
    let scheme = text[..scheme_end].rsplit(|c: char| !(c.is_ascii_alphanumeric() || c == '+')).next()?;
    let of_database =
        ["postgres", "mysql", "mariadb", "redis", "amqp", "mongodb"].iter().any(|s| scheme.starts_with(s));
    let colon = text[start..end].find(':').filter(|_| of_database)?;
    let slash = text[start..end].find('/')?;
    let port = text[start + colon + 1..start + slash.max(colon + 1)].bytes().all(|b| b.is_ascii_digit());
    let host_at = text[start + slash..end].rfind('@')?;
    (colon < slash && !port).then_some(start + slash + host_at)
}

/// `?key=value`: a parameter that is a key only there.
pub(super) fn is_key_parameter(text: &str, name: &Range<usize>) -> bool {
    text[..name.start].ends_with(['?', '&']) && PARAMETERS.contains(&text[name.clone()].to_ascii_lowercase().as_str())
}
