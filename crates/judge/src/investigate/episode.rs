//! Since when a path fails: the beginning of the last episode of failures in access logs.
//!
//! A service that failed while it booted, or last week, was well in between; its first
//! error line says nothing of what is broken now.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use coroner_read::log;
use jiff::Timestamp;
use regex::Regex;

use super::logs::{Log, matching_lines};

/// Most requests that are looked at in one log, the last ones.
const REQUESTS_MAX: usize = 50_000;

/// `"GET /orders?x HTTP/1.1" 500` of the common log formats.
#[allow(clippy::expect_used, reason = "a constant expression, compiled in the tests")]
static REQUEST: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r#""[A-Z]{3,7} (?P<path>[^ "?]+)[^ "]* HTTP/[0-9.]+" (?P<status>[1-5]\d\d)\b"#)
        .expect("constant pattern")
});

/// When the last episode of failures of a path began, by the access logs of some components.
///
/// The episode is the longest end of the requests that begins with a failure and in which
/// more failed than were answered, so that a service that fails now and then is broken
/// from the first of these failures on.
pub(super) fn onset(logs: &[Log<'_>], components: &BTreeSet<String>, path: &str) -> Option<Timestamp> {
    let own = logs.iter().filter(|l| components.contains(&l.component));
    let mut requests: Vec<(Timestamp, bool)> = own.flat_map(|log| requests(log, path)).collect();
    requests.sort();
    let mut began = None;
    let mut balance = 0i64;
    for (at, failed) in requests.iter().rev() {
        balance += if *failed { 1 } else { -1 };
        if *failed && balance > 0 {
            began = Some(*at);
        }
    }
    began
}

fn requests(log: &Log<'_>, path: &str) -> Vec<(Timestamp, bool)> {
    let mut all: Vec<(Timestamp, bool)> = matching_lines(log.document, &REQUEST)
        .filter_map(|(_, text)| {
            let captures = REQUEST.captures(text)?;
            let same = captures.name("path")?.as_str().trim_end_matches('/') == path.trim_end_matches('/');
            let status: u16 = captures.name("status")?.as_str().parse().ok()?;
            let at = same.then(|| log::line(text, log.reference).at)??;
            Some((at, status >= 500))
        })
        .collect();
    all.drain(..all.len().saturating_sub(REQUESTS_MAX));
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use coroner_model::{ContentHash, Document, Redactor, Source};

    fn onset_of(statuses: &[u16]) -> Option<String> {
        let text: String = statuses
            .iter()
            .enumerate()
            .map(|(i, s)| format!("2026-02-01T10:00:{i:02}Z 10.0.0.9 - - \"GET /pay?id={i} HTTP/1.1\" {s} 12\n"))
            .collect();
        let document = Document {
            path: "docker/logs/till.log".into(),
            observed_at: None,
            host: String::new(),
            text: Redactor::new([7; 32]).redact(&text),
            hash: ContentHash::sha256(text.as_bytes()),
            bytes_left_out: 0,
            first_line: 1,
        };
        let log = Log { component: "till".into(), source: Source::ContainerLog, document: &document, reference: None };
        onset(&[log], &BTreeSet::from(["till".to_owned()]), "/pay").map(|at| at.to_string())
    }

    #[test]
    fn an_episode_begins_after_the_last_good_time() {
        assert_eq!(onset_of(&[500, 200, 200, 200, 502, 502]).as_deref(), Some("2026-02-01T10:00:04Z"));
        assert_eq!(onset_of(&[200, 200, 500, 200, 500, 200, 500]).as_deref(), Some("2026-02-01T10:00:02Z"));
        assert_eq!(onset_of(&[500, 200, 200]), None, "what recovered is no episode");
        assert_eq!(onset_of(&[200, 404]), None);
    }
}
