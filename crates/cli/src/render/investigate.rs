//! An investigation as text: 80 columns, the answer first, citations bare at the end of lines.

use coroner_model::investigation::{Change, Hypothesis, Investigation, Lookalike, LookalikeVerdict, Reason, Status};
use coroner_model::{Citation, CouldNotLook, Why};
use jiff::Timestamp;

/// Columns of a line, apart from citations, which are never broken.
const COLUMNS: usize = 80;
/// Columns of the labels `because`, `changed`, ….
const LABEL: usize = 14;
/// Most reasons, events and open hypotheses shown; the JSON holds all.
const REASONS_MAX: usize = 8;
const EVENTS_MAX: usize = 14;
const OPEN_MAX: usize = 3;

/// The report for a person.
pub fn plain(id: &str, report: &Investigation, not_kept: Option<&str>) -> String {
    let mut out = Page::default();
    head(&mut out, report);
    for hypothesis in report.hypotheses.iter().filter(|h| h.status != Status::Open) {
        whole(&mut out, hypothesis);
    }
    let open: Vec<&Hypothesis> = report.hypotheses.iter().filter(|h| h.status == Status::Open).collect();
    if !open.is_empty() {
        out.line("");
    }
    open.iter().take(OPEN_MAX).for_each(|h| brief(&mut out, h));
    if open.len() > OPEN_MAX {
        out.line(&format!("    and {} more that are open", open.len() - OPEN_MAX));
    }
    timeline(&mut out, report);
    coverage(&mut out, report);
    could_not_look(&mut out, &report.could_not_look);
    out.line("");
    match not_kept {
        Some(why) => out.wrapped(1, &format!("Not kept: {why}")),
        None => {
            out.line(&format!(" Kept as {id}"));
            if report.hypotheses.iter().any(|h| h.status != Status::Open) {
                out.line(&format!(" Post-mortem: coroner incident draft {id}"));
                out.line(&format!(" A rule that stops the repeat: coroner incident learn {id}"));
            }
        }
    }
    out.text
}

/// The answer alone: what was seen, and the first cause.
pub fn first(report: &Investigation) -> String {
    let mut out = Page::default();
    head(&mut out, report);
    if let Some(hypothesis) = report.hypotheses.first() {
        whole(&mut out, hypothesis);
    }
    out.text
}

/// Words in lines of at most [`COLUMNS`] columns under an indent.
pub fn wrapped(indent: usize, text: &str) -> String {
    let mut out = Page::default();
    out.wrapped(indent, text);
    out.text
}

fn head(out: &mut Page, report: &Investigation) {
    let symptom = &report.symptom;
    let mut first =
        if symptom.observed.is_empty() { "nothing was looked at".to_owned() } else { symptom.observed.clone() };
    if let Some(onset) = symptom.onset.filter(|_| !symptom.evidence.is_empty()) {
        first.push_str(&format!(", since {}", stamp(onset)));
    }
    out.wrapped(1, &first);
    let count = |status| report.hypotheses.iter().filter(|h| h.status == status).count();
    let verdict = match (count(Status::Confirmed), count(Status::Likely)) {
        (0, 0) => "no cause found".to_owned(),
        (0, n) => format!("nothing confirmed, {n} likely"),
        (n, 0) => format!("{n} confirmed"),
        (n, m) => format!("{n} confirmed, {m} likely"),
    };
    let unseen = match report.could_not_look.len() {
        0 => String::new(),
        n => format!(" · {n} could not look"),
    };
    out.line(&format!(" {verdict} · {} read{unseen} · times in UTC", plural(report.coverage.len(), "source")));
}

fn whole(out: &mut Page, h: &Hypothesis) {
    out.line("");
    title(out, h);
    for (index, reason) in h.because.iter().take(REASONS_MAX).enumerate() {
        out.labelled(if index == 0 { "because" } else { "" }, &counted(reason), reason.evidence.first());
    }
    if h.because.len() > REASONS_MAX {
        out.labelled("", &format!("and {} more reasons", h.because.len() - REASONS_MAX), None);
    }
    reasons(out, "against", &h.against);
    verdicts(out, "ruled out", &h.lookalikes, LookalikeVerdict::RuledOut);
    verdicts(out, "also holds", &h.lookalikes, LookalikeVerdict::Holds);
    verdicts(out, "could be", &h.lookalikes, LookalikeVerdict::Possible);
    if let Some(change) = &h.explained_by {
        changed(out, change);
    }
    let steps = h.remedy.lines().filter(|l| !l.trim().is_empty() && !l.starts_with("```"));
    for (index, line) in steps.take(6).enumerate() {
        out.labelled(if index == 0 { "do" } else { "" }, line.trim(), None);
    }
}

fn brief(out: &mut Page, h: &Hypothesis) {
    let why = h.against.first().map(|r| format!(" ({})", r.text)).unwrap_or_default();
    let cited = h.because.first().and_then(|r| r.evidence.first());
    out.hanging(&format!(" {}  {:<10} ", h.rank, "OPEN"), &format!("{}{why}", h.title), cited);
}

fn title(out: &mut Page, h: &Hypothesis) {
    let status = match h.status {
        Status::Confirmed => "CONFIRMED",
        Status::Likely => "LIKELY",
        Status::Open => "OPEN",
    };
    out.hanging(&format!(" {}  {status:<10} ", h.rank), &h.title, None);
    if let Some(pattern) = &h.pattern {
        out.labelled("pattern", pattern.as_str(), None);
    }
}

fn reasons(out: &mut Page, label: &str, reasons: &[Reason]) {
    for (index, reason) in reasons.iter().take(REASONS_MAX).enumerate() {
        out.labelled(if index == 0 { label } else { "" }, &counted(reason), reason.evidence.first());
    }
}

/// The text with its count, where the text does not say it already.
fn counted(reason: &Reason) -> String {
    match reason.count {
        Some(count) if count > 1 && !reason.text.contains(&count.to_string()) => format!("{} ×{count}", reason.text),
        _ => reason.text.clone(),
    }
}

fn verdicts(out: &mut Page, label: &str, all: &[Lookalike], wanted: LookalikeVerdict) {
    for (index, one) in all.iter().filter(|l| l.verdict == wanted).enumerate() {
        let text = if one.text == one.title { one.title.clone() } else { format!("{}: {}", one.title, one.text) };
        out.labelled(if index == 0 { label } else { "" }, &text, one.evidence.first());
    }
}

fn changed(out: &mut Page, change: &Change) {
    let at = change.at.map(|at| format!("{} ", stamp(at))).unwrap_or_default();
    let who = match (&change.session, &change.agent) {
        (Some(session), Some(agent)) => {
            let call = change.tool_call.as_ref().map(|c| format!(", call {c}")).unwrap_or_default();
            format!("session {session} ({agent}){call}")
        }
        _ => match (&change.commit, &change.path) {
            (Some(commit), _) => format!("commit {}", commit.chars().take(10).collect::<String>()),
            (None, Some(path)) => format!("{path} was changed"),
            (None, None) => change.evidence.first().map(|e| e.text.clone()).unwrap_or_default(),
        },
    };
    out.labelled("changed", &format!("{at}{who}"), change.evidence.first());
    for line in change.command.iter().flat_map(|c| c.lines()).take(4) {
        out.labelled("", line.trim(), None);
    }
}

fn timeline(out: &mut Page, report: &Investigation) {
    let mut events: Vec<_> = report.timeline.iter().collect();
    if events.len() > EVENTS_MAX {
        if let Some(onset) = report.symptom.onset {
            events.sort_by_key(|e| e.at.duration_since(onset).abs());
        }
        events.truncate(EVENTS_MAX);
        events.sort();
    }
    let Some(first) = events.first() else { return };
    let day = first.at.strftime("%Y-%m-%d").to_string();
    let shown = match events.len() < report.timeline.len() {
        true => format!(", {} of {} events", events.len(), report.timeline.len()),
        false => String::new(),
    };
    out.line("");
    out.line(&format!(" Timeline {day}{shown}"));
    for event in events {
        let same_day = event.at.strftime("%Y-%m-%d").to_string() == day;
        let clock = event.at.strftime(if same_day { "%H:%M:%S" } else { "%m-%d %H:%M" });
        out.hanging(&format!("   {:<11} {:<7}", clock.to_string(), event.source), &event.text, None);
    }
}

fn coverage(out: &mut Page, report: &Investigation) {
    if report.coverage.is_empty() {
        return;
    }
    let from = report.coverage.iter().filter_map(|c| c.from).min();
    let to = report.coverage.iter().filter_map(|c| c.to).max();
    let span = match (from, to) {
        (Some(from), Some(to)) => format!(" from {} to {}", stamp(from), stamp(to)),
        _ => String::new(),
    };
    out.line("");
    out.wrapped(1, &format!("Read: {}{span}; --format json lists each", plural(report.coverage.len(), "source")));
}

fn could_not_look(out: &mut Page, all: &[CouldNotLook]) {
    if all.is_empty() {
        return;
    }
    // What a casefile simply does not hold needs no reason each.
    let (absent, failed): (Vec<_>, Vec<_>) = all.iter().partition(|c| c.why == Why::NotRecorded);
    if !failed.is_empty() {
        let failed: Vec<CouldNotLook> = failed.into_iter().cloned().collect();
        out.wrapped(1, &format!("Could not look: {}", super::grouped(&failed).join(" · ")));
    }
    if !absent.is_empty() {
        let words: Vec<&str> = absent.iter().map(|c| c.what.as_str()).collect();
        out.wrapped(1, &format!("Could not look, not in the casefile: {}", words.join(" · ")));
    }
}

fn stamp(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%S").to_string()
}

fn plural(count: usize, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}

/// Text that grows by lines of at most [`COLUMNS`] columns.
#[derive(Default)]
struct Page {
    text: String,
}

impl Page {
    fn line(&mut self, text: &str) {
        self.text.push_str(text.trim_end());
        self.text.push('\n');
    }

    /// Words under an indent.
    fn wrapped(&mut self, indent: usize, text: &str) {
        self.hanging(&" ".repeat(indent), text, None);
    }

    /// Words beside a label.
    fn labelled(&mut self, label: &str, text: &str, cited: Option<&Citation>) {
        self.hanging(&format!("    {label:<width$}", width = LABEL - 4), text, cited);
    }

    /// Words after a first column; further lines hang under the words. A citation ends a line bare.
    fn hanging(&mut self, first: &str, text: &str, cited: Option<&Citation>) {
        let indent = first.chars().count();
        let mut line = first.to_owned();
        let mut empty = true;
        for word in text.split_whitespace() {
            let width = line.chars().count() + usize::from(!empty) + word.chars().count();
            if width > COLUMNS && !empty {
                self.line(&line);
                line = " ".repeat(indent);
                empty = true;
            }
            if !empty {
                line.push(' ');
            }
            line.push_str(word);
            empty = false;
        }
        if let Some(citation) = cited {
            let width = line.chars().count() + 2 + citation.locator.chars().count();
            if width > COLUMNS && !empty {
                self.line(&line);
                line = " ".repeat(indent);
            } else if !empty {
                line.push_str("  ");
            }
            line.push_str(&citation.locator);
        }
        self.line(&line);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use coroner_model::Source;

    #[test]
    fn lines_stay_within_the_columns_and_citations_end_them() {
        let mut page = Page::default();
        let cited = Citation::new(Source::ContainerLog, "docker/logs/ledger.log:12".into(), "x".into());
        page.labelled("because", &"word ".repeat(40), Some(&cited));
        assert!(page.text.lines().all(|l| l.chars().count() <= COLUMNS), "{}", page.text);
        assert!(page.text.trim_end().ends_with("docker/logs/ledger.log:12"));
    }
}
