//! Log lines: what stands before the message (time, level, component) and the message.
//!
//! Signatures are looked for in messages only, so that a host name or a path in
//! a header never matches; scanning goes over raw text first and a header is
//! understood only where a line is of interest.

mod header;
mod moment;
mod structured;

pub use moment::epoch;

use std::borrow::Cow;

use jiff::Timestamp;

/// How grave a line calls itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    Debug,
    Info,
    Warning,
    Error,
    Fatal,
}

impl Level {
    /// The level that a word names, in any case and in the spellings of common loggers.
    pub fn parse(word: &str) -> Option<Level> {
        let word = word.trim_matches(|c: char| !c.is_ascii_alphabetic());
        match word.to_ascii_lowercase().as_str() {
            "trace" | "debug" | "dbg" | "trc" | "verbose" | "debug1" => Some(Level::Debug),
            "info" | "inf" | "notice" | "log" | "note" | "detail" | "hint" | "statement" | "context" => {
                Some(Level::Info)
            }
            "warn" | "warning" | "wrn" => Some(Level::Warning),
            "error" | "err" | "eror" | "severe" => Some(Level::Error),
            "fatal" | "ftl" | "panic" | "pnc" | "critical" | "crit" | "emerg" | "alert" | "emergency" => {
                Some(Level::Fatal)
            }
            _ => None,
        }
    }
}

/// One line, taken apart.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Line<'a> {
    /// The outermost time: what the engine wrote wins over what the program wrote.
    pub at: Option<Timestamp>,
    pub level: Option<Level>,
    /// Who wrote it, where the line says so (compose prefix, syslog program).
    pub component: Option<String>,
    /// What is left when every header is taken off.
    pub message: Cow<'a, str>,
}

/// Takes one line apart; `reference` gives the year to headers without one.
pub fn line<'a>(raw: &'a str, reference: Option<Timestamp>) -> Line<'a> {
    let mut read = Line { message: Cow::Borrowed(raw), ..Line::default() };
    let rest = header::outer(raw.trim_end_matches(['\r', '\n']), reference, &mut read);
    if let Some(inner) = structured::read(rest) {
        read.at = read.at.or(inner.at);
        read.level = read.level.or(inner.level);
        read.component = read.component.take().or(inner.component);
        read.message = inner.message;
        return read;
    }
    read.message = Cow::Borrowed(header::inner(rest, reference, &mut read));
    if read.level.is_none() {
        read.level = implied_level(&read.message);
    }
    read
}

/// Whether a line goes on with what the line before it began (a stack, a DETAIL).
pub fn continues(message: &str) -> bool {
    message.starts_with([' ', '\t']) || message.starts_with("Caused by:") || message.starts_with("...")
}

/// The level of a line that names none: a 5xx in an access log, a traceback, a panic.
fn implied_level(message: &str) -> Option<Level> {
    if let Some(status) = access_status(message) {
        return Some(if status >= 500 { Level::Error } else { Level::Info });
    }
    let first = message.split_whitespace().next().unwrap_or("");
    let named = first.trim_end_matches(':');
    let exception = named.len() > 5
        && (named.ends_with("Error") || named.ends_with("Exception"))
        && first.ends_with(':')
        && named.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_'));
    if message.starts_with("Traceback (most recent call last)") || message.starts_with("panic: ") || exception {
        return Some(Level::Error);
    }
    None
}

/// The status of an access-log line: what follows the quoted request.
pub fn access_status(message: &str) -> Option<u16> {
    let open = message.find('"')?;
    let close = open + 1 + message[open + 1..].find('"')?;
    let request = &message[open + 1..close];
    if !request.contains(" HTTP/") {
        return None;
    }
    let digits: String = message[close + 1..].trim_start().chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok().filter(|s| (100..600).contains(s))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Option<Timestamp> {
        Some(text.parse().unwrap())
    }

    fn check(raw: &str, when: Option<&str>, level: Option<Level>, message: &str) {
        let read = line(raw, at("2026-02-01T00:00:00Z"));
        assert_eq!(read.message, message, "{raw}");
        assert_eq!(read.at, when.and_then(at), "{raw}");
        assert_eq!(read.level, level, "{raw}");
    }

    #[test]
    fn headers_of_common_programs_come_off() {
        use Level::{Error, Fatal, Info, Warning};
        let t = Some("2026-01-13T13:01:58Z");
        for (raw, level, message) in [
            ("2026-01-13T13:01:58.000000000Z FATAL:  no role", Some(Fatal), "no role"),
            ("2026-01-13T13:01:58Z 2026-01-13 13:01:57.999 UTC [61] FATAL:  no role", Some(Fatal), "no role"),
            ("2026-01-13 13:01:58.000 UTC [61] ink@ledger ERROR:  no table", Some(Error), "no table"),
            ("db-1  | 2026-01-13 13:01:58.000 UTC [61] LOG:  ready", Some(Info), "ready"),
            ("1:M 13 Jan 2026 13:01:58.000 # Failed", Some(Warning), "Failed"),
            (
                "time=\"2026-01-13T13:01:58Z\" level=error msg=\"no \\\"x\\\"\" routerName=a",
                Some(Error),
                "no \"x\" routerName=a",
            ),
            ("2026-01-13T13:01:58Z ERR no net error=\"x y\"", Some(Error), "no net error=\"x y\""),
            (
                "{\"level\":\"warn\",\"ts\":\"2026-01-13T13:01:58Z\",\"msg\":\"say \\\"a\\\"\"}",
                Some(Warning),
                "say \"a\"",
            ),
            ("2026/01/13 13:01:58 [error] 29#29: *1 connect() failed", Some(Error), "connect() failed"),
            ("2026-01-13 13:01:58,000 - app.db - ERROR - lost", Some(Error), "lost"),
            ("2026-01-13 13:01:58,000 ERROR [app.db] lost", Some(Error), "lost"),
            ("[2026-01-13 13:01:58 +0000] [7] [ERROR] lost", Some(Error), "lost"),
            ("Jan 13 13:01:58 box kernel: lost", None, "lost"),
            ("[Tue Jan 13 13:01:58 2026] lost", None, "lost"),
            ("<11>1 2026-01-13T13:01:58Z box app 12 - - lost", None, "lost"),
        ] {
            check(raw, t, level, message);
        }
        check("ERROR:root:lost", None, Some(Error), "lost");
        check("INFO:     Started", None, Some(Info), "Started");
    }

    #[test]
    fn an_access_line_keeps_its_request_and_takes_its_level_from_the_status() {
        let read = line("10.0.0.1 - - [13/Jan/2026:13:01:58 +0000] \"GET /x HTTP/1.1\" 502 157", None);
        assert_eq!((read.at, read.level), (at("2026-01-13T13:01:58Z"), Some(Level::Error)));
        assert_eq!(access_status(&read.message), Some(502));
    }

    #[test]
    fn an_ordinary_sentence_stays_whole() {
        for raw in ["hello", "Error handling was improved", "", "10 items left", "error"] {
            check(raw, None, line(raw, None).level, raw);
        }
        assert_eq!(line("api-1  | up", None).component.as_deref(), Some("api-1"));
        assert_eq!(
            line("Jan 13 13:01:58 box sshd[9]: x", at("2026-02-01T00:00:00Z")).component.as_deref(),
            Some("sshd")
        );
    }
}
