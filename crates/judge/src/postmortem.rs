//! The draft of a post-mortem: every factual sentence cites evidence, or it is not written.

use std::collections::BTreeMap;
use std::fmt::Write;

use coroner_model::incident::{Incident, IncidentStatus};
use coroner_model::investigation::{Change, Coverage, Hypothesis, Investigation, LookalikeVerdict, Status};
use coroner_model::{Category, Citation, EvidenceId, IncidentId, Source};
use jiff::Timestamp;

use crate::investigate::timeline::moment;
use crate::pattern::{AntiPattern, Library};

/// Most events in a post-mortem; those nearest to the onset stay.
pub const EVENTS_MAX: usize = 30;
/// Longest slug of an incident's id.
const SLUG_CHARS_MAX: usize = 60;

/// Drafts the incident of an investigation; `given` names the investigation.
///
/// Summary, root cause and lesson are fields of the incident; its body holds the rest.
pub fn draft(given: &str, report: &Investigation, library: &Library) -> Incident {
    let mut sources = Sources::default();
    let first = report.hypotheses.iter().find(|h| h.status != Status::Open);
    let pattern = first.and_then(|h| h.pattern.as_ref()).and_then(|id| library.get(id));
    let happened = summary(report, first, &mut sources);
    let proven = first.filter(|h| h.status == Status::Confirmed);
    let root_cause = proven.map(|h| cause(h, &mut sources)).filter(|c| !c.is_empty());
    let body = body(given, report, first, pattern, &mut sources);
    let title = first.map_or_else(|| report.symptom.observed.clone(), |h| h.title.clone());
    let change = first.and_then(|h| h.explained_by.as_ref());
    let began = change.and_then(|c| c.at).or(report.symptom.onset);
    let date = began.map(|at| at.strftime("%Y-%m-%d").to_string());
    Incident {
        id: IncidentId(format!("{}-{}", date.as_deref().unwrap_or("undated"), slug(&title))),
        title,
        date: began.map(|at| at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()),
        severity: pattern.map(|p| p.header.severity),
        status: IncidentStatus::Open,
        category: pattern.map(|p| p.header.category),
        sessions: change.and_then(|c| c.session.clone()).into_iter().collect(),
        what_happened: Some(happened).filter(|t| !t.is_empty()),
        root_cause,
        lesson: pattern.map(|p| p.header.lesson.clone()),
        patterns: pattern.map(|p| p.id.clone()).into_iter().collect(),
        evidence: sources.list,
        body,
        ..Incident::default()
    }
}

/// Evidence in the order in which it is first cited.
#[derive(Default)]
struct Sources {
    numbers: BTreeMap<EvidenceId, usize>,
    list: Vec<Citation>,
}

impl Sources {
    /// The references to some citations: `[E1] [E2]`.
    fn cite(&mut self, citations: &[Citation]) -> String {
        /// Most references behind one sentence.
        const REFERENCES_MAX: usize = 4;
        let numbers: Vec<String> = citations
            .iter()
            .take(REFERENCES_MAX)
            .map(|c| {
                let next = self.list.len() + 1;
                let number = *self.numbers.entry(c.id.clone()).or_insert(next);
                if number == next {
                    self.list.push(c.clone());
                }
                format!("[E{number}]")
            })
            .collect();
        numbers.join(" ")
    }

    /// A sentence with its references; nothing where there is no evidence.
    fn sentence(&mut self, text: &str, citations: &[Citation]) -> Option<String> {
        if citations.is_empty() {
            return None;
        }
        Some(format!("{} {}.", text.trim().trim_end_matches('.'), self.cite(citations)))
    }
}

fn body(
    given: &str,
    report: &Investigation,
    first: Option<&Hypothesis>,
    pattern: Option<&AntiPattern>,
    sources: &mut Sources,
) -> String {
    let mut out = String::new();
    section(&mut out, "Impact", impact(report, sources));
    section(&mut out, "Timeline", timeline(report, sources));
    match first {
        None => section(&mut out, "Cause", "Not established.".to_owned()),
        Some(h) if h.status != Status::Confirmed => {
            section(&mut out, "Likely cause, not proven by a state", cause(h, sources))
        }
        Some(_) => {}
    }
    section(&mut out, "What was ruled out", ruled_out(report, first, sources));
    section(&mut out, "Proposed fix", first.map(|h| h.remedy.trim().to_owned()).unwrap_or_default());
    section(&mut out, "Open actions", actions(given, first, pattern));
    section(&mut out, "Coverage", coverage(report, sources));
    section(&mut out, "Could not look", could_not_look(report));
    section(&mut out, "Evidence", evidence(sources));
    out
}

fn section(out: &mut String, title: &str, text: String) {
    if !text.trim().is_empty() {
        let _ = write!(out, "## {title}\n\n{}\n\n", text.trim());
    }
}

fn summary(report: &Investigation, first: Option<&Hypothesis>, sources: &mut Sources) -> String {
    let mut sentences = Vec::new();
    let since = report.symptom.onset.map(|at| format!(", since {}", moment(at))).unwrap_or_default();
    sentences.extend(sources.sentence(&format!("{}{since}", report.symptom.observed), &report.symptom.evidence));
    if let Some(h) = first {
        let proof: Vec<Citation> = h.because.iter().flat_map(|r| r.evidence.clone()).take(2).collect();
        let text = match h.status {
            Status::Confirmed => h.title.clone(),
            _ => format!("likely, but not proven: {}", h.title),
        };
        sentences.extend(sources.sentence(&text, &proof));
        sentences.extend(h.explained_by.as_ref().and_then(|c| sources.sentence(&change(c), &c.evidence)));
    }
    sentences.join(" ")
}

/// The change that brought it about, in words.
fn change(change: &Change) -> String {
    let at = change.at.map(|at| format!("At {}, ", moment(at))).unwrap_or_default();
    match (&change.command, &change.commit, &change.path) {
        (Some(command), _, _) => {
            let who = change.agent.as_deref().unwrap_or("somebody");
            let session = change.session.as_ref().map(|s| format!(" in session {s}")).unwrap_or_default();
            let call = change.tool_call.as_ref().map(|c| format!(" (tool call {c})")).unwrap_or_default();
            let one_line: Vec<&str> = command.lines().map(str::trim).filter(|l| !l.is_empty()).collect();
            format!("{at}{who}{session}{call} ran `{}`", one_line.join(" ⏎ "))
        }
        (None, Some(commit), path) => {
            let path = path.as_ref().map(|p| format!(" changed {p}")).unwrap_or_default();
            format!("{at}commit {commit}{path}")
        }
        (None, None, Some(path)) => format!("{at}{path} was changed"),
        _ => format!("{at}{}", change.evidence.first().map(|e| e.text.as_str()).unwrap_or_default()),
    }
}

fn impact(report: &Investigation, sources: &mut Sources) -> String {
    let mut lines = Vec::new();
    lines.extend(sources.sentence(&report.symptom.observed, &report.symptom.evidence));
    let mut seen: Vec<&str> = vec![&report.symptom.observed];
    for event in report.timeline.iter().filter(|e| e.source == "http" && !e.text.ends_with("(fine)")) {
        if !seen.contains(&event.text.as_str()) {
            seen.push(&event.text);
            lines.extend(sources.sentence(&event.text, &event.evidence));
        }
    }
    bullets(lines)
}

fn bullets(lines: Vec<String>) -> String {
    lines.into_iter().map(|l| format!("- {l}")).collect::<Vec<_>>().join("\n")
}

fn timeline(report: &Investigation, sources: &mut Sources) -> String {
    let mut events: Vec<_> = report.timeline.iter().collect();
    if events.len() > EVENTS_MAX {
        let middle = report.symptom.onset.unwrap_or(Timestamp::UNIX_EPOCH);
        events.sort_by_key(|e| e.at.duration_since(middle).abs());
        events.truncate(EVENTS_MAX);
        events.sort();
    }
    let mut lines = Vec::new();
    for event in events {
        let text = format!("{} {}: {}", moment(event.at), event.source, event.text);
        lines.extend(sources.sentence(&text, &event.evidence));
    }
    bullets(lines)
}

fn cause(h: &Hypothesis, sources: &mut Sources) -> String {
    let mut lines = Vec::new();
    for reason in &h.because {
        let count = reason.count.filter(|n| *n > 1 && !reason.text.contains(&n.to_string()));
        let text = count.map_or(reason.text.clone(), |n| format!("{} ({n} times)", reason.text));
        lines.extend(sources.sentence(&text, &reason.evidence));
    }
    lines.extend(h.explained_by.as_ref().and_then(|c| sources.sentence(&change(c), &c.evidence)));
    for reason in &h.against {
        lines.extend(sources.sentence(&format!("against it: {}", reason.text), &reason.evidence));
    }
    bullets(lines)
}

fn ruled_out(report: &Investigation, first: Option<&Hypothesis>, sources: &mut Sources) -> String {
    let mut lines = Vec::new();
    for lookalike in first.map(|h| h.lookalikes.as_slice()).unwrap_or_default() {
        let text = match lookalike.verdict {
            LookalikeVerdict::RuledOut => format!("not “{}”: {}", lookalike.title, lookalike.text),
            LookalikeVerdict::Holds => format!("“{}” holds as well: {}", lookalike.title, lookalike.text),
            LookalikeVerdict::Possible => continue,
        };
        lines.extend(sources.sentence(&text, &lookalike.evidence));
    }
    for other in report.hypotheses.iter().filter(|h| h.status == Status::Open) {
        let proof: Vec<Citation> = other.because.iter().flat_map(|r| r.evidence.clone()).collect();
        let why = other.against.first().map(|r| format!(", but {}", r.text)).unwrap_or_default();
        lines.extend(sources.sentence(&format!("{}{why}; it stays open", other.title), &proof));
    }
    bullets(lines)
}

/// What is to be done; nothing here says that it was.
fn actions(given: &str, first: Option<&Hypothesis>, pattern: Option<&AntiPattern>) -> String {
    let Some(h) = first else {
        return "- [ ] Look at what could not be looked at, then investigate again.".to_owned();
    };
    let mut lines =
        vec![format!("- [ ] Apply the fix to {}.", if h.component.is_empty() { "the service" } else { &h.component })];
    lines.push("- [ ] Investigate again; the state that proved the cause must be gone.".to_owned());
    if h.status == Status::Confirmed {
        lines.push(format!("- [ ] Stop the repeat: `coroner incident learn {given}`."));
    }
    if pattern.is_some_and(|p| p.header.category == Category::DataLoss) {
        lines.push("- [ ] State what was lost, and restore the newest backup that can be read.".to_owned());
    }
    for lookalike in h.lookalikes.iter().filter(|l| l.verdict == LookalikeVerdict::Possible) {
        lines.push(format!("- [ ] Tell it apart from “{}”: {}", lookalike.title, lookalike.text));
    }
    lines.join("\n")
}

fn coverage(report: &Investigation, sources: &mut Sources) -> String {
    let mut lines = Vec::new();
    for part in &report.coverage {
        let span = match (part.from, part.to) {
            (Some(from), Some(to)) if from != to => format!(", from {} to {}", moment(from), moment(to)),
            (Some(at), _) | (None, Some(at)) => format!(", at {}", moment(at)),
            (None, None) => String::new(),
        };
        lines.extend(sources.sentence(&format!("read: {}, {}{span}", part.what, part.amount), &[cite_coverage(part)]));
    }
    bullets(lines)
}

/// Cites what was read as a whole.
pub fn cite_coverage(part: &Coverage) -> Citation {
    Citation::new(part.source, part.what.clone(), part.amount.clone())
}

fn could_not_look(report: &Investigation) -> String {
    bullets(report.could_not_look.iter().map(ToString::to_string).collect())
}

/// The list of evidence: number, place, text.
fn evidence(sources: &Sources) -> String {
    let mut out = String::new();
    for (index, citation) in sources.list.iter().enumerate() {
        let text = citation.text.replace('`', "'").replace('\n', " ");
        let kind = if citation.source == Source::Note { "note" } else { citation.source.as_str() };
        let _ = writeln!(out, "- [E{}] {kind} `{}`: `{}` ({})", index + 1, citation.locator, text.trim(), citation.id);
    }
    out
}

/// Lower-case words of a title, joined by hyphens.
pub fn slug(title: &str) -> String {
    let mut out = String::new();
    for word in title.split(|c: char| !c.is_ascii_alphanumeric()).filter(|w| !w.is_empty()) {
        if out.len() + word.len() + 1 > SLUG_CHARS_MAX {
            break;
        }
        if !out.is_empty() {
            out.push('-');
        }
        out.push_str(&word.to_ascii_lowercase());
    }
    if out.is_empty() { "incident".to_owned() } else { out }
}

#[cfg(test)]
mod tests {
    use super::*;
    use coroner_model::investigation::{Event, INVESTIGATION_SCHEMA, Reason, Symptom};

    fn cited(n: u32) -> Vec<Citation> {
        vec![Citation::new(Source::ContainerLog, format!("docker/logs/ledger.log:{n}"), format!("line {n}"))]
    }

    fn report() -> Investigation {
        Investigation {
            schema: INVESTIGATION_SCHEMA.into(),
            symptom: Symptom { observed: "desk answers 500".into(), evidence: cited(1), ..Symptom::default() },
            hypotheses: vec![Hypothesis {
                rank: 1,
                pattern: None,
                title: "desk uses a default password".into(),
                status: Status::Confirmed,
                score: 1,
                component: "desk".into(),
                because: vec![
                    Reason { text: "it has no variable".into(), evidence: cited(2), count: None },
                    Reason { text: "nobody saw this".into(), evidence: Vec::new(), count: None },
                ],
                against: Vec::new(),
                explained_by: None,
                lookalikes: Vec::new(),
                remedy: "Add the variable.".into(),
            }],
            timeline: vec![Event {
                at: Timestamp::UNIX_EPOCH,
                source: "log".into(),
                text: "first".into(),
                evidence: cited(1),
            }],
            steps: Vec::new(),
            coverage: Vec::new(),
            could_not_look: Vec::new(),
        }
    }

    #[test]
    fn every_sentence_cites_and_what_has_no_evidence_is_not_said() {
        let incident = draft("3c81", &report(), &Library::default());
        assert!(!incident.body.contains("nobody saw this"));
        let (facts, list) = incident.body.split_once("## Evidence").unwrap();
        assert!(incident.what_happened.unwrap().contains("[E1]") && incident.root_cause.unwrap().contains("[E2]"));
        for heading in ["Impact", "Timeline"] {
            let text = facts.split(&format!("## {heading}\n\n")).nth(1).unwrap().split("\n\n").next().unwrap();
            for line in text.lines() {
                assert!(line.contains("[E"), "{heading}: {line}");
            }
        }
        assert!(list.contains("[E1] container-log `docker/logs/ledger.log:1`: `line 1`"));
        assert_eq!(incident.evidence.len(), 2);
        assert_eq!(incident.body, draft("3c81", &report(), &Library::default()).body);
    }

    #[test]
    fn slugs_are_plain_words() {
        assert_eq!(slug("api: uses `X` — badly"), "api-uses-x-badly");
        assert_eq!(slug("«»"), "incident");
    }
}
