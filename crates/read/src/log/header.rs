//! Takes headers off: what an engine, syslog or compose put before a line, then
//! what the program's own logger put there.

use std::sync::LazyLock;

use jiff::Timestamp;
use regex::Regex;

use super::{Level, Line, moment};

#[allow(clippy::expect_used, reason = "a constant expression, compiled in the tests")]
fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("constant pattern")
}

static COMPOSE: LazyLock<Regex> = LazyLock::new(|| pattern(r"^([A-Za-z0-9][A-Za-z0-9_.-]*) +\| ?"));
static SYSLOG_NEW: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"^<\d{1,3}>1 (\S+) \S+ (\S+) \S+ \S+ (?:-|\[[^\]]*\]) ?"));
static PROGRAM: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"^ ?[A-Za-z0-9][A-Za-z0-9_.-]* ([A-Za-z][A-Za-z0-9_./@-]*)(?:\[\d+\])?: "));
static COLOUR: LazyLock<Regex> = LazyLock::new(|| pattern("^(?:\u{1b}\\[[0-9;]*m)+"));
/// Process numbers, thread names, connection numbers between time and message.
static DECORATION: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"^(?:\[\d+(?:-\d+)?\]|\(\d+\)|\d+#\d+:|\*\d+|\d+:[MSCX]|pid[ =:]\d+)[ :,-]*"));
static POSTGRES_USER: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"^[\w.\[\]-]+@[\w.\[\]-]+(?: \S+)?? (?:[A-Z]+[0-9]?:  )"));
/// `name - `, `[name] `, `name: ` of a logger that stands between two other headers.
static LOGGER: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"^(?:\[([A-Za-z][\w.:/-]*)\]|([A-Za-z_][\w.]*) -) *(?:- )?"));
static LEVEL: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"^(?:([A-Z]{4,8}):[A-Za-z_][\w.]*:|\[ ?([A-Za-z]{3,9}) ?\]|([A-Z]{3,9}):|([A-Z]{3,9}) -|([A-Z]{3,9})\b|level=([A-Za-z]+)|([a-z]{3,9}):)[ :|-]*",
    )
});

/// Strips what was put before the program's own line; fills `read`.
pub fn outer<'a>(raw: &'a str, reference: Option<Timestamp>, read: &mut Line<'_>) -> &'a str {
    let mut rest = uncoloured(raw);
    if let Some(c) = COMPOSE.captures(rest) {
        read.component = Some(c[1].to_owned());
        rest = &rest[c[0].len()..];
    }
    if let Some(c) = SYSLOG_NEW.captures(rest) {
        read.at = moment::leading(&c[1], reference).and_then(|(at, _)| at);
        read.component = read.component.take().or_else(|| Some(c[2].to_owned()));
        return &rest[c[0].len()..];
    }
    // Only a time followed by one space and then more header or text is an outer one.
    if let Some((at, length)) = moment::leading(rest, reference) {
        let after = &rest[length..];
        if let Some(c) = PROGRAM.captures(after) {
            read.at = at;
            read.component = read.component.take().or_else(|| Some(c[1].to_owned()));
            return &after[c[0].len()..];
        }
        if rest.as_bytes().get(10) == Some(&b'T') && after.starts_with(' ') {
            read.at = at;
            return &after[1..];
        }
    }
    rest
}

/// Strips the program's own header; fills what is still empty in `read`.
pub fn inner<'a>(raw: &'a str, reference: Option<Timestamp>, read: &mut Line<'_>) -> &'a str {
    let mut rest = uncoloured(raw);
    let mut headed = read.at.is_some();
    let mut logger_taken = false;
    for _ in 0..8 {
        let before = rest.len();
        rest = uncoloured(rest);
        rest = strip_time(rest, reference, read, &mut headed);
        rest = strip_redis(rest, reference, read, &mut headed);
        if let Some(c) = DECORATION.captures(rest).filter(|_| headed) {
            rest = &rest[c[0].len()..];
        }
        if let Some(c) = POSTGRES_USER.find(rest).filter(|_| headed) {
            let level = c.as_str().trim_end().rfind(' ').map_or(0, |i| i + 1);
            rest = &rest[level..];
        }
        rest = strip_level(rest, read, headed);
        if !logger_taken
            && (headed || read.level.is_some())
            && let Some(c) = LOGGER.captures(rest).filter(|c| logger_name(c))
        {
            logger_taken = true;
            rest = &rest[c[0].len()..];
        }
        if rest.len() == before {
            break;
        }
    }
    rest
}

fn uncoloured(text: &str) -> &str {
    COLOUR.find(text).map_or(text, |m| &text[m.end()..])
}

fn strip_time<'a>(text: &'a str, reference: Option<Timestamp>, read: &mut Line<'_>, headed: &mut bool) -> &'a str {
    let (body, close) = match text.strip_prefix('[') {
        Some(inside) => (inside, "]"),
        None => (text, ""),
    };
    let Some((at, length)) = moment::leading(body, reference) else {
        return access_time(text, reference, read);
    };
    let Some(after) = body[length..].strip_prefix(close) else { return text };
    if !after.is_empty() && !after.starts_with([' ', ':', ',', '|', '\t']) {
        return text;
    }
    read.at = read.at.or(at);
    *headed = true;
    after.trim_start_matches([' ', '\t', ':', ',', '|', '-'])
}

/// An access line keeps its text; only its time is taken from the brackets.
fn access_time<'a>(text: &'a str, reference: Option<Timestamp>, read: &mut Line<'_>) -> &'a str {
    if read.at.is_none()
        && super::access_status(text).is_some()
        && let Some(open) = text.find('[')
        && let Some((at, _)) = moment::leading(&text[open + 1..], reference)
    {
        read.at = at;
    }
    text
}

/// `1:M 13 Jan 2026 13:01:58.000 # `: the sign is the level.
fn strip_redis<'a>(text: &'a str, reference: Option<Timestamp>, read: &mut Line<'_>, headed: &mut bool) -> &'a str {
    let Some((pid, after)) = text.split_once(' ') else { return text };
    let numbered = pid.split_once(':').is_some_and(|(n, role)| {
        !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()) && matches!(role, "M" | "S" | "C" | "X")
    });
    if !numbered {
        return text;
    }
    let Some((at, length)) = moment::leading(after, reference) else { return text };
    let rest = after[length..].trim_start();
    let level = match rest.chars().next() {
        Some('#') => Level::Warning,
        Some('*' | '-') => Level::Info,
        Some('.') => Level::Debug,
        _ => return text,
    };
    read.at = read.at.or(at);
    read.level = Some(level);
    *headed = true;
    rest[1..].trim_start()
}

/// Takes a level word off, where it is spelled as one: `ERROR:`, `[error]`, or `ERR` behind a time.
fn strip_level<'a>(text: &'a str, read: &mut Line<'_>, headed: bool) -> &'a str {
    let Some(c) = LEVEL.captures(text) else { return text };
    let bare = c.get(5);
    let Some(word) = c.iter().skip(1).flatten().next() else { return text };
    let Some(level) = Level::parse(word.as_str()) else { return text };
    let lower_with_colon = c.get(7).is_some();
    if (bare.is_some() || lower_with_colon) && !headed && !followed_by_logger(&text[word.end()..]) {
        return text;
    }
    if read.level.is_none_or(|known| known < level) {
        read.level = Some(level);
    }
    &text[c[0].len()..]
}

/// `ERROR [alembic.util] …`: a bare level is one when a logger in brackets follows.
fn followed_by_logger(rest: &str) -> bool {
    rest.trim_start().starts_with('[')
}

/// Whether the capture names a logger rather than being the first word of a message.
fn logger_name(c: &regex::Captures<'_>) -> bool {
    c.get(1).or_else(|| c.get(2)).is_some_and(|name| Level::parse(name.as_str()).is_none())
}
