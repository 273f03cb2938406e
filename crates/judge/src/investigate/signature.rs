//! Signatures: which anti-patterns the logs speak of.
//!
//! All traces of the library run as one expression over the whole text first; a
//! line is taken apart, and each trace tried on its message, only where that hits.

use std::collections::BTreeMap;

use coroner_model::investigation::Reason;
use coroner_model::{Citation, PatternId, Source};
use coroner_read::log;
use jiff::Timestamp;
use regex::{Regex, RegexSet};

use super::Case;
use super::logs::{Log, matching_lines};
use super::window::Window;
use crate::pattern::Library;

/// Most lines of one log that are taken apart for signatures.
pub const SIGNATURE_LINES_MAX: usize = 200_000;

/// One anti-pattern's signature in one component's logs.
#[derive(Clone, Debug)]
pub struct Sighting {
    pub pattern: PatternId,
    pub component: String,
    /// The first line's message.
    pub message: String,
    pub first: Option<Timestamp>,
    pub last: Option<Timestamp>,
    pub count: u64,
    /// The first line, and the last where it is another.
    pub cited: Vec<Citation>,
    /// Whether the symptom's own words hold it.
    pub in_symptom: bool,
}

impl Sighting {
    /// The sighting as a reason.
    pub fn reason(&self) -> Reason {
        let who = if self.component.is_empty() { "the log" } else { &self.component };
        let (times, since) =
            if self.count == 1 { ("once".to_owned(), "at") } else { (format!("{} times", self.count), "since") };
        let when = self.first.map(|at| format!(" {since} {}", super::timeline::moment(at))).unwrap_or_default();
        let text = if self.in_symptom && self.count == 0 {
            format!("the symptom itself says: {}", shortened(&self.message))
        } else {
            format!("{who} says {times}{when}: {}", shortened(&self.message))
        };
        Reason { text, evidence: self.cited.clone(), count: (self.count > 1).then_some(self.count) }
    }
}

/// The first words of a message.
pub fn shortened(message: &str) -> String {
    const CHARS_MAX: usize = 120;
    let line = message.lines().next().unwrap_or("").trim();
    if line.chars().count() <= CHARS_MAX {
        line.to_owned()
    } else {
        line.chars().take(CHARS_MAX).collect::<String>() + "…"
    }
}

/// The traces of a library, compiled once a run.
struct Traces {
    /// Pattern and sources of each row.
    rows: Vec<(PatternId, Vec<Source>)>,
    set: RegexSet,
    /// Any of them, over raw text.
    any: Regex,
}

impl Traces {
    fn of(library: &Library) -> Option<Traces> {
        let mut rows = Vec::new();
        let mut expressions = Vec::new();
        for pattern in library.iter() {
            for row in &pattern.header.trace {
                rows.push((pattern.id.clone(), row.source.clone()));
                expressions.push(row.matches.clone());
            }
        }
        let any = expressions.iter().map(|e| format!("(?:{})", over_raw_text(e))).collect::<Vec<_>>().join("|");
        if any.is_empty() {
            return None;
        }
        // Expressions were compiled when the library was read, so only their sum can be too large.
        let any = regex::RegexBuilder::new(&any).multi_line(true).size_limit(64 << 20).build().ok()?;
        let set = regex::RegexSetBuilder::new(&expressions).size_limit(64 << 20).build().ok()?;
        Some(Traces { rows, set, any })
    }

    /// Patterns whose trace a message bears.
    fn of_message(&self, message: &str, source: Source) -> Vec<&PatternId> {
        let accepts = |sources: &[Source]| sources.is_empty() || sources.contains(&source) || source == Source::Log;
        let mut found: Vec<&PatternId> = self
            .set
            .matches(message)
            .into_iter()
            .filter_map(|index| self.rows.get(index))
            .filter(|(_, sources)| accepts(sources))
            .map(|(pattern, _)| pattern)
            .collect();
        found.dedup();
        found
    }
}

/// An expression for a message, loosened so that it also finds the message in a raw line:
/// a header may stand before it, and a record may have escaped its quotes.
fn over_raw_text(expression: &str) -> String {
    let mut out = String::new();
    let mut in_class = false;
    let mut chars = expression.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\\' => {
                let next = chars.next().unwrap_or('\\');
                // Anchors at text bounds mean the message's bounds.
                if !matches!(next, 'A' | 'z') {
                    out.push('\\');
                    out.push(next);
                }
            }
            '[' if !in_class => {
                in_class = true;
                out.push('[');
                while let Some(lead) = chars.next_if(|n| matches!(n, '^' | ']')) {
                    out.push(lead);
                }
            }
            ']' if in_class => {
                in_class = false;
                out.push(']');
            }
            '^' | '$' if !in_class => {}
            '"' if !in_class => out.push_str(r#"\\?""#),
            other => out.push(other),
        }
    }
    out
}

/// Scans all logs, and the symptom's own words, for the library's traces.
pub fn scan(case: &Case<'_>) -> Vec<Sighting> {
    let Some(traces) = Traces::of(case.library) else { return Vec::new() };
    let mut found: BTreeMap<(PatternId, String), Sighting> = BTreeMap::new();
    let window = Window { from: case.request.since, to: case.request.until };
    for log in &case.logs {
        scan_log(log, &traces, window, &mut found);
    }
    for (index, raw) in case.request.given.lines().enumerate() {
        let message = log::line(raw, case.scene.now).message.into_owned();
        for pattern in traces.of_message(&message, Source::Log) {
            // A person quotes what a log says: the words strengthen each place that says them.
            let mut seen = false;
            for ((id, _), sighting) in &mut found {
                if id == pattern {
                    sighting.in_symptom = true;
                    seen = true;
                }
            }
            if !seen {
                let cited = Citation::new(Source::Note, format!("symptom:{}", index + 1), raw.trim().to_owned());
                let sighting = Sighting {
                    pattern: pattern.clone(),
                    component: String::new(),
                    message: message.trim().to_owned(),
                    first: None,
                    last: None,
                    count: 0,
                    cited: vec![cited],
                    in_symptom: true,
                };
                found.insert((pattern.clone(), String::new()), sighting);
            }
        }
    }
    found.into_values().collect()
}

fn scan_log(log: &Log<'_>, traces: &Traces, window: Window, found: &mut BTreeMap<(PatternId, String), Sighting>) {
    // Only what is cited is hashed: the first line at once, the last one at the end.
    let mut last_lines: BTreeMap<(PatternId, String), (u64, &str)> = BTreeMap::new();
    for (number, raw) in matching_lines(log.document, &traces.any).take(SIGNATURE_LINES_MAX) {
        let line = log::line(raw, log.reference);
        if !window.holds(line.at) {
            continue;
        }
        let component = match (&line.component, log.component.is_empty()) {
            (Some(named), true) => named.clone(),
            _ => log.component.clone(),
        };
        for pattern in traces.of_message(&line.message, log.source) {
            let key = (pattern.clone(), component.clone());
            match found.get_mut(&key) {
                Some(known) => {
                    known.count += 1;
                    known.last = known.last.max(line.at);
                    known.first = [known.first, line.at].into_iter().flatten().min();
                    last_lines.insert(key, (number, raw));
                }
                None => {
                    let sighting = Sighting {
                        pattern: pattern.clone(),
                        component: component.clone(),
                        message: line.message.trim().to_owned(),
                        first: line.at,
                        last: line.at,
                        count: 1,
                        cited: vec![log.cite(number, raw)],
                        in_symptom: false,
                    };
                    found.insert(key, sighting);
                }
            }
        }
    }
    for (key, (number, raw)) in last_lines {
        if let Some(known) = found.get_mut(&key) {
            known.cited.truncate(1);
            known.cited.push(log.cite(number, raw));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expression_for_messages_finds_them_in_raw_lines() {
        let raw = r#"{"msg":"failed for user \"ink\" now"}"#;
        for expression in [r#"^failed for user "[^"]+""#, r#"user "ink" now$"#] {
            assert!(Regex::new(&over_raw_text(expression)).unwrap().is_match(raw), "{expression}");
        }
        assert!(Regex::new(&over_raw_text(r"[]^$]x\^")).unwrap().is_match("$x^"));
    }
}
