//! Secrets behind a word that announces them: HTTP headers, addresses of webhooks,
//! flags of programs that take a password, directives of configuration files.

use std::ops::Range;

use super::{address, looks_issued, push_value};

#[derive(Clone, Copy)]
enum Kind {
    /// `Authorization: SCHEME value`.
    Authorization,
    /// `Cookie: a=b; c=d` and `Set-Cookie: a=b; Path=/`.
    Cookie,
    /// An address whose rest is the key to it, after so many parts of its path.
    Address(usize),
    /// A command and the flags that take a password.
    Program(&'static [Flag]),
    /// A directive whose value is the next word.
    Directive,
    /// The scheme of a login in a header.
    Scheme,
    /// What an address begins with.
    Login,
    /// What a key begins with, which is read as a whole elsewhere.
    Key,
}

/// How a flag takes its password.
#[derive(Clone, Copy)]
enum Flag {
    /// `-a value` and `-avalue`.
    Value(&'static str),
    /// `-pvalue` only.
    Glued(&'static str),
    /// `-u user:value`.
    Pair(&'static str),
}

use Flag::{Glued, Pair, Value};

const MYSQL: &[Flag] = &[Glued("-p")];
const CURL: &[Flag] = &[Pair("-u"), Pair("--user"), Pair("-U"), Pair("--proxy-user"), Value("--oauth2-bearer")];
/// The words stand in `announcers.txt` as well, from which the index of keywords is made.
const ANCHORS: &[(&str, Kind)] = &[
    ("authorization", Kind::Authorization),
    ("cookie", Kind::Cookie),
    ("hooks.slack.com/services/", Kind::Address(2)),
    ("/api/webhooks/", Kind::Address(1)),
    ("webhook.office.com/webhookb2/", Kind::Address(0)),
    ("api.telegram.org/bot", Kind::Address(0)),
    ("curl", Kind::Program(CURL)),
    ("mysql", Kind::Program(MYSQL)),
    ("mysqldump", Kind::Program(MYSQL)),
    ("mysqladmin", Kind::Program(MYSQL)),
    ("mariadb", Kind::Program(MYSQL)),
    ("mariadb-dump", Kind::Program(MYSQL)),
    ("sshpass", Kind::Program(&[Value("-p")])),
    ("redis-cli", Kind::Program(&[Value("-a")])),
    ("docker login", Kind::Program(&[Value("-p")])),
    ("mongosh", Kind::Program(&[Value("-p")])),
    ("mongodump", Kind::Program(&[Value("-p")])),
    ("ldapsearch", Kind::Program(&[Value("-w")])),
    ("requirepass", Kind::Directive),
    ("masterauth", Kind::Directive),
    ("login", Kind::Directive),
    ("bearer ", Kind::Scheme),
    ("basic ", Kind::Scheme),
    ("://", Kind::Login),
    ("-----begin ", Kind::Key),
];

/// Longest stretch behind an anchor that is read, in bytes.
const REACH_BYTES_MAX: usize = 8 * 1024;

/// Values that announcing words say are secret; `hits` are the places of those words.
pub(super) fn announced(text: &str, hits: &[Range<usize>], spans: &mut Vec<Range<usize>>) {
    for hit in hits {
        let found = ANCHORS.iter().find(|(word, _)| text[hit.clone()].eq_ignore_ascii_case(word));
        let Some((_, kind)) = found else { continue };
        let end = line_end(text, hit.end);
        let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let glued = text[..hit.start].ends_with(is_word) || text[hit.end..].starts_with(is_word);
        match *kind {
            Kind::Address(parts) => webhook(text, hit.end..end, parts, spans),
            Kind::Login => address::user_information(text, hit.start, spans),
            Kind::Scheme if !text[..hit.start].ends_with(is_word) => scheme(text, hit.clone(), spans),
            _ if glued => {}
            Kind::Scheme | Kind::Key => {}
            Kind::Authorization => authorization(text, hit.end..end, spans),
            Kind::Cookie => cookies(text, hit.end..end, spans),
            Kind::Program(flags) => program(text, hit.end..end, flags, spans),
            Kind::Directive => directive(text, hit.start, hit.end..end, spans),
        }
    }
}

/// `Bearer …` and `Basic …`.
fn scheme(text: &str, hit: Range<usize>, spans: &mut Vec<Range<usize>>) {
    let start = hit.end;
    let is_value = |b: &&u8| super::is_key_byte(**b) || matches!(b, b'+' | b'/' | b'=' | b'~');
    let end = start + text.as_bytes()[start..].iter().take_while(is_value).count();
    let value = &text[start..end];
    // "basic authentication" is prose: what is meant holds a name and a password.
    let prose = text[hit].eq_ignore_ascii_case("basic ") && !super::is_credentials(value);
    if value.len() >= 16 && looks_issued(value) && !prose {
        push_value(text, start..end, spans);
    }
}

fn line_end(text: &str, from: usize) -> usize {
    let mut reach = text.len().min(from + REACH_BYTES_MAX);
    while !text.is_char_boundary(reach) {
        reach -= 1;
    }
    text[from..reach].find('\n').map_or(reach, |at| from + at)
}

/// Where a header's value begins: behind a colon, an equals sign, or the comma of a JSON pair.
fn header_value(text: &str, rest: Range<usize>) -> Option<usize> {
    let mut at = rest.start;
    let mut separated = false;
    for c in text[rest].chars() {
        match c {
            ' ' | '"' | '\'' | '\\' | '[' => {}
            ':' | '=' | ',' if !separated => separated = true,
            _ => break,
        }
        at += c.len_utf8();
    }
    separated.then_some(at)
}

fn ends_value(c: char) -> bool {
    c.is_whitespace() || matches!(c, '"' | '\'' | ',' | '\\' | ';' | '<' | '`' | ')' | ']' | '}')
}

/// The end of the word that begins at `at`.
fn word_end(text: &str, at: usize, limit: usize) -> usize {
    text[at..limit].find(ends_value).map_or(limit, |length| at + length)
}

fn authorization(text: &str, rest: Range<usize>, spans: &mut Vec<Range<usize>>) {
    let Some(first) = header_value(text, rest.clone()) else { return };
    let first_end = word_end(text, first, rest.end);
    let second = first_end + text[first_end..rest.end].len() - text[first_end..rest.end].trim_start_matches(' ').len();
    let second_end = word_end(text, second, rest.end);
    let value = if second > first_end && second_end > second { second..second_end } else { first..first_end };
    if looks_issued(&text[value.clone()]) {
        push_value(text, value, spans);
    }
}

/// Values of cookies that look issued; a theme or a language stays readable.
fn cookies(text: &str, rest: Range<usize>, spans: &mut Vec<Range<usize>>) {
    let Some(start) = header_value(text, rest.clone()) else { return };
    let end = text[start..rest.end].find(['"', '\n', '\\']).map_or(rest.end, |length| start + length);
    let mut at = start;
    for part in text[start..end].split(';') {
        if let Some(equals) = part.find('=') {
            let value = part[equals + 1..].trim_end().trim_end_matches(['\'', ']']);
            let from = at + equals + 1;
            let attribute = ["path", "domain", "expires", "max-age", "samesite"]
                .contains(&part[..equals].trim().to_ascii_lowercase().as_str());
            if !attribute && looks_issued(value) && !value.contains(char::is_whitespace) {
                push_value(text, from..from + value.len(), spans);
            }
        }
        at += part.len() + 1;
    }
}

fn webhook(text: &str, rest: Range<usize>, parts: usize, spans: &mut Vec<Range<usize>>) {
    let mut at = rest.start;
    for _ in 0..parts {
        let Some(slash) = text[at..rest.end].find('/') else { return };
        at += slash + 1;
    }
    let stops = |c: char| ends_value(c) || matches!(c, '/' | '?' | '#');
    let end = text[at..rest.end].find(stops).map_or(rest.end, |length| at + length);
    if looks_issued(&text[at..end]) {
        push_value(text, at..end, spans);
    }
}

/// The words of a command with their places, written for a shell or as a JSON list, up to its end.
fn words(text: &str, rest: Range<usize>) -> Vec<Range<usize>> {
    let mut out = Vec::new();
    let mut at = rest.start;
    while at < rest.end {
        let tail = &text[at..rest.end];
        let skipped = tail.len() - tail.trim_start_matches([' ', '\t', '"', '\'', ',', '\\']).len();
        let tail = &tail[skipped..];
        if tail.is_empty() || tail.starts_with([';', '|', '&', ']', '\r']) {
            break;
        }
        // A quoted word may hold what ends a bare one.
        let quote = text[..at + skipped].chars().next_back().filter(|c| matches!(c, '"' | '\''));
        let stop = |c: char| match quote {
            Some(quote) => c == quote,
            None => c.is_whitespace() || matches!(c, ';' | '|' | '"' | '\'' | '\\'),
        };
        let length = tail.find(stop).unwrap_or(tail.len()).max(1);
        let length = (length..=tail.len()).find(|l| tail.is_char_boundary(*l)).unwrap_or(tail.len());
        out.push(at + skipped..at + skipped + length);
        at += skipped + length;
    }
    out
}

fn program(text: &str, rest: Range<usize>, flags: &[Flag], spans: &mut Vec<Range<usize>>) {
    let words = words(text, rest);
    for (n, word) in words.iter().enumerate() {
        let value = |flag: &str| -> Option<Range<usize>> {
            let own = text[word.clone()].strip_prefix(flag)?;
            match own.strip_prefix('=').unwrap_or(own) {
                "" => words.get(n + 1).cloned(),
                glued if !flag.starts_with("--") || own.starts_with('=') => Some(word.end - glued.len()..word.end),
                _ => None,
            }
        };
        for flag in flags {
            let found = match *flag {
                Value(name) => value(name),
                // Digits and colons are a port.
                Glued(name) => value(name)
                    .filter(|v| v.start < word.end)
                    .filter(|v| !text[v.clone()].bytes().all(|b| b.is_ascii_digit() || matches!(b, b':' | b'.'))),
                Pair(name) => value(name).and_then(|pair| {
                    let colon = text[pair.clone()].find(':')?;
                    Some(pair.start + colon + 1..pair.end)
                }),
            };
            if let Some(found) = found.filter(|f| !f.is_empty() && !text[f.clone()].starts_with('-')) {
                push_value(text, found, spans);
            }
        }
    }
}

/// `requirepass value`, and `login name password value` as in a netrc file.
fn directive(text: &str, start: usize, rest: Range<usize>, spans: &mut Vec<Range<usize>>) {
    let words = words(text, rest);
    let named = |n: usize, word: &str| words.get(n).is_some_and(|w| &text[w.clone()] == word);
    if text[start..].starts_with("login") {
        if let Some(value) = words.get(2).filter(|_| named(1, "password")) {
            push_value(text, value.clone(), spans);
        }
        return;
    }
    let begins_line = text[..start].rsplit('\n').next().is_some_and(|lead| lead.trim().is_empty());
    if let Some(value) = words.first().filter(|_| begins_line && words.len() == 1) {
        push_value(text, value.clone(), spans);
    }
}

#[cfg(test)]
mod tests {
    use super::ANCHORS;

    #[test]
    fn the_list_of_words_is_the_same_in_both_places() {
        let words: Vec<&str> = include_str!("announcers.txt").lines().collect();
        assert_eq!(words, ANCHORS.iter().map(|(word, _)| *word).collect::<Vec<_>>());
    }
}
