//! What a record's header says: session, date, severity, status, category, in any order on any line.

use std::ops::Range;

use coroner_model::category::{Category, Severity};
use coroner_model::incident::IncidentStatus;

use super::date::{self, Found, SlashOrder};
use super::label::{Key, Label, classify};
use super::pattern::pattern;

/// What stands where a severity is expected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Graded {
    /// The word as the page has it.
    pub word: String,
    pub grade: Grade,
    /// Whether a label such as *Severity* says that it is meant as one.
    pub labelled: bool,
}

/// What a word in a severity's place turns out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grade {
    Severity(Severity),
    /// A status, wrongly used as a severity.
    Status(IncidentStatus),
    Unknown,
}

/// The facts of a record's header, each as far as it is given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Meta {
    pub title: Option<String>,
    pub number: Option<u32>,
    pub date: Option<Found>,
    /// Text under a date label that is no date, such as `unknown`.
    pub date_text: Option<String>,
    pub sessions: Vec<String>,
    pub recurring: bool,
    pub severity: Option<Graded>,
    /// A status under its own label.
    pub status: Option<IncidentStatus>,
    /// A status word that stands alone, where others have a severity.
    pub bare_status: Option<(String, IncidentStatus)>,
    pub category: Option<String>,
}

impl Meta {
    /// Whether it places a record: only records have a date or session in front.
    pub fn places(&self) -> bool {
        self.date.is_some() || !self.sessions.is_empty() || self.recurring || self.date_text.is_some()
    }

    /// Whether nothing was found.
    pub fn is_empty(&self) -> bool {
        *self == Meta::default()
    }

    /// Takes over what is not yet known.
    pub fn absorb(&mut self, other: Meta) {
        self.title = self.title.take().or(other.title);
        self.number = self.number.or(other.number);
        self.date = self.date.take().or(other.date);
        self.date_text = self.date_text.take().or(other.date_text);
        for session in other.sessions {
            if !self.sessions.contains(&session) {
                self.sessions.push(session);
            }
        }
        self.recurring |= other.recurring;
        self.severity = self.severity.take().or(other.severity);
        self.status = self.status.or(other.status);
        self.bare_status = self.bare_status.take().or(other.bare_status);
        self.category = self.category.take().or(other.category);
    }

    /// Whether the other says something that this one already has.
    pub fn clashes(&self, other: &Meta) -> bool {
        self.date.is_some() && other.date.is_some()
            || !self.sessions.is_empty() && !other.sessions.is_empty()
            || self.severity.is_some() && other.severity.is_some()
            || self.title.is_some() && other.title.is_some()
            || self.recurring && other.recurring
    }
}

/// Severity words in use elsewhere, mapped to ours; the first three map to themselves.
const SEVERITIES: &[(&str, Severity)] = &[
    ("critical", Severity::Critical),
    ("major", Severity::Major),
    ("minor", Severity::Minor),
    ("catastrophic", Severity::Critical),
    ("catastrophe", Severity::Critical),
    ("disaster", Severity::Critical),
    ("blocker", Severity::Critical),
    ("fatal", Severity::Critical),
    ("emergency", Severity::Critical),
    ("severe", Severity::Critical),
    ("urgent", Severity::Critical),
    ("crit", Severity::Critical),
    ("high", Severity::Major),
    ("serious", Severity::Major),
    ("important", Severity::Major),
    ("significant", Severity::Major),
    ("medium", Severity::Minor),
    ("moderate", Severity::Minor),
    ("low", Severity::Minor),
    ("trivial", Severity::Minor),
    ("negligible", Severity::Minor),
    ("cosmetic", Severity::Minor),
];

pattern!(LEVEL, r"(?i)^(?:sev(?:erity)?|s|p|prio(?:rity)?|level|tier)[ -]?([0-5])$");

/// The severity that a word stands for: ours, a common synonym, or a level such as `SEV1`, `P2`.
pub fn severity(word: &str) -> Option<Severity> {
    let plain = word.trim().to_lowercase();
    if let Some((_, severity)) = SEVERITIES.iter().find(|(name, _)| *name == plain) {
        return Some(*severity);
    }
    match LEVEL.captures(&plain)?.get(1)?.as_str() {
        "0" | "1" => Some(Severity::Critical),
        "2" => Some(Severity::Major),
        _ => Some(Severity::Minor),
    }
}

/// The status that a word stands for.
pub fn status(word: &str) -> Option<IncidentStatus> {
    let plain = word.trim().to_lowercase();
    if let Some(status) = IncidentStatus::parse(&plain) {
        return Some(status);
    }
    match plain.as_str() {
        "ongoing" | "investigating" | "in progress" | "identified" | "unresolved" | "active" => {
            Some(IncidentStatus::Open)
        }
        "contained" | "monitoring" | "worked around" | "partially resolved" => Some(IncidentStatus::Mitigated),
        "done" | "complete" | "completed" | "solved" => Some(IncidentStatus::Resolved),
        _ => None,
    }
}

/// Word stems of group headings; where two match, the earlier row wins.
const CATEGORIES: &[(&[&str], Category)] = &[
    (&["hallucinat", "fabricat", "confabulat"], Category::Hallucination),
    (&["drift", "config", "configuration", "misconfig", "settings"], Category::ConfigDrift),
    (&["database", "databases", "migration", "schema", "postgres", "sql", "mysql"], Category::Database),
    (&["uncommitted", "unpushed"], Category::WorkLoss),
    (&["disk", "storage", "filesystem"], Category::Disk),
    (&["auth", "authentic", "authoriz", "login", "security", "secret", "credential"], Category::Auth),
    (&["permission", "ownership", "privilege"], Category::Permission),
    (&["docker", "container", "infrastructure", "kubernetes", "network"], Category::Docker),
    (&["deploy", "release", "rollout"], Category::Deploy),
    (&["cost", "billing", "spend", "quota"], Category::Cost),
    (&["evidence", "forensic"], Category::Evidence),
    (&["process", "cron", "scheduler"], Category::Process),
];

/// The category that a group heading or label names.
pub fn category(text: &str) -> Option<Category> {
    let lower = text.to_lowercase();
    let slug: String =
        lower.split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty()).collect::<Vec<_>>().join("-");
    if let Some(category) = Category::parse(&slug) {
        return Some(category);
    }
    let words: Vec<&str> = slug.split('-').collect();
    let has = |stem: &str| words.iter().any(|w| if stem.len() <= 4 { *w == stem } else { w.starts_with(stem) });
    let lost = ["loss", "lost", "deleted", "deletion", "destroyed", "wiped"].iter().any(|s| has(s));
    if lost && (has("data") || has("backup") || has("backups")) {
        return Some(Category::DataLoss);
    }
    if lost && (has("work") || has("code")) {
        return Some(Category::WorkLoss);
    }
    CATEGORIES.iter().find(|(stems, _)| stems.iter().any(|s| has(s))).map(|(_, category)| *category)
}

const SESSION_ID: &str = r"~?#?(?:\d+(?:[A-Za-z]\b)?(?:-[A-Za-z0-9]{1,8}\b)?|[0-9a-f]{4,12}(?:-[0-9a-f]{4,12})*\b)";
pattern!(
    SESSION,
    &format!(
        r"(?i)\b(?:sessions?|runs?|conversations?)\b[ :#]*({SESSION_ID}(?:(?:, ?| and | ?& ?| ?/ ?| ?\+ ?| ?[–—] ?){SESSION_ID})*|(?:multiple|several|various|many|recurring)\b)"
    )
);
pattern!(SESSION_ONE, &format!("(?i){SESSION_ID}"));
pattern!(
    RECURRING,
    r"(?i)\b(multiple|several|various)?\b[ /,·|-]*\b(recurring|recurrent|repeated(?:ly)?|ongoing series)\b"
);
pattern!(
    KEYED,
    r"(?i)\b(date|when|occurred|severity|priority|status|state|sessions?|category|type|title|number|level)\s*[:=]\s*"
);
pattern!(
    NO_DATE,
    r"(?i)^(?:unknown|undated|n/?a|none|not (?:known|recorded)|date unknown|unknown date|no date|various|multiple|tbd|\?+|-+|–|—)$"
);

/// Words in a header line that carry nothing by themselves.
const FILLERS: &[&str] = &[
    "on", "at", "in", "of", "the", "utc", "gmt", "date", "date:", "dated", "undated", "id", "incident", "occurred",
    "approx", "approx.", "severity", "status", "session", "unknown", "no", "impact", "priority",
];

/// Reads a line that consists of header facts and nothing else; `None` for any other.
pub fn read(line: &str, slashes: SlashOrder) -> Option<Meta> {
    let (meta, rest) = take(line, slashes);
    let empty = rest
        .split(|c: char| c.is_whitespace() || is_separator(c))
        .all(|w| w.is_empty() || FILLERS.contains(&w.to_lowercase().as_str()));
    (empty && !meta.is_empty()).then_some(meta)
}

/// Reads the value that stands under a header label.
pub fn keyed(key: Key, value: &str, slashes: SlashOrder) -> Meta {
    let value = unmarked(value.trim());
    let mut meta = Meta::default();
    if value.is_empty() {
        return meta;
    }
    match key {
        Key::Title => meta.title = Some(value.to_owned()),
        Key::Number => meta.number = value.trim_start_matches('#').parse().ok(),
        Key::Category => meta.category = Some(value.to_owned()),
        Key::Date => {
            meta.date = date::find(value, slashes).into_iter().find(|f| f.day().is_some());
            meta.recurring = RECURRING.is_match(value);
            meta.date_text = meta.date.is_none().then(|| value.to_owned());
        }
        Key::Severity => meta.severity = Some(graded(value)),
        Key::Status => meta.status = status(value).or_else(|| words(value).find_map(status)),
        Key::Session => sessions(value, &mut meta),
    }
    meta
}

/// A value without the marks around it; a mark that closes a word inside stays.
fn unmarked(value: &str) -> &str {
    let inner = ["**", "__", "*", "_", "`"]
        .into_iter()
        .find_map(|mark| value.strip_prefix(mark)?.strip_suffix(mark).filter(|inner| !inner.contains(mark)));
    inner.map_or_else(|| if value.contains('`') { value } else { value.trim_matches(['*', '_']) }, unmarked).trim()
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| c.is_whitespace() || is_separator(c)).filter(|w| !w.is_empty())
}

fn graded(value: &str) -> Graded {
    let plain = value.trim_matches(|c: char| !c.is_alphanumeric());
    let found = severity(plain).or_else(|| {
        // "SEV1 - Critical", "High (customer facing)": the first word that is one.
        words(plain).find_map(severity)
    });
    let grade = match (found, status(plain)) {
        (Some(severity), _) => Grade::Severity(severity),
        (None, Some(status)) => Grade::Status(status),
        (None, None) => Grade::Unknown,
    };
    Graded { word: plain.to_owned(), grade, labelled: true }
}

fn sessions(value: &str, meta: &mut Meta) {
    if SESSION_ONE.find(value).is_some_and(|m| m.start() == 0) {
        for one in value.split([',', '&', '/', '+', ';']).flat_map(|p| p.split(" and ")) {
            let one = one.trim().trim_start_matches("Session ").trim_start_matches('#').trim();
            if !one.is_empty() {
                meta.sessions.push(one.to_owned());
            }
        }
        return;
    }
    meta.recurring = matches!(value.to_lowercase().as_str(), "multiple" | "recurring" | "several" | "various" | "many");
    meta.sessions.push(value.to_owned());
}

/// Separators between the facts of a header line.
fn is_separator(c: char) -> bool {
    matches!(
        c,
        '·' | '•'
            | '|'
            | '/'
            | ','
            | ';'
            | ':'
            | '–'
            | '—'
            | '-'
            | '('
            | ')'
            | '['
            | ']'
            | '*'
            | '_'
            | '`'
            | '#'
            | '…'
            | '→'
            | '\u{a0}'
            | '~'
            | '.'
            | '='
    ) || (c as u32) >= 0x1F000
        || matches!(c, '⚠' | '✅' | '\u{fe0f}' | '●' | '◆' | '▲' | '■')
}

/// Takes the header facts out of a line; what is left comes back with them.
pub fn take(line: &str, slashes: SlashOrder) -> (Meta, String) {
    let mut meta = Meta::default();
    let mut rest = line.to_owned();
    take_keyed(&mut rest, &mut meta, slashes);
    for found in date::find(&rest.clone(), slashes) {
        if found.day().is_some() && meta.date.is_none() {
            blank(&mut rest, found.span.clone());
            meta.date = Some(found);
        }
    }
    while let Some(hit) = SESSION.captures(&rest.clone()) {
        let (Some(all), Some(ids)) = (hit.get(0), hit.get(1)) else { break };
        let mut one = Meta::default();
        let id = ids.as_str();
        let a_word = !["multiple", "several", "various", "many", "recurring"].contains(&id.to_lowercase().as_str());
        if a_word && !id.contains(|c: char| c.is_ascii_digit()) {
            break;
        }
        if a_word {
            one.sessions.extend(SESSION_ONE.find_iter(id).map(|m| m.as_str().trim_start_matches('#').to_owned()));
        } else {
            sessions(id, &mut one);
        }
        meta.absorb(one);
        blank(&mut rest, all.range());
    }
    take_words(&mut rest, &mut meta);
    (meta, rest)
}

fn take_keyed(rest: &mut String, meta: &mut Meta, slashes: SlashOrder) {
    let keys: Vec<(Range<usize>, Key)> = KEYED
        .captures_iter(rest)
        .filter_map(|hit| {
            let key = match classify(hit.get(1)?.as_str()) {
                Some(Label::Key(key)) => key,
                _ => Key::Severity,
            };
            Some((hit.get(0)?.range(), key))
        })
        .collect();
    for (i, (span, key)) in keys.iter().enumerate().rev() {
        let end = keys.get(i + 1).map_or(rest.len(), |next| next.0.start);
        let inner = &rest[span.end..end];
        // "Severity: Critical. Session 21." goes on behind the full stop; "Jan. 23" does not end there.
        let stop = matches!(key, Key::Severity | Key::Status).then(|| inner.find(". ")).flatten();
        let value_end = inner.find(['|', '·', ';', '•']).into_iter().chain(stop).min().map_or(end, |at| span.end + at);
        let value = rest[span.end..value_end].trim().trim_end_matches([',', '-', '–', '—']).trim_end();
        let opened = value.contains(['(', '[']);
        let value = if opened { value } else { value.trim_end_matches([')', ']']).trim_end() }.to_owned();
        let mut one = keyed(*key, &value, slashes);
        std::mem::swap(meta, &mut one);
        meta.absorb(one);
        blank(rest, span.start..value_end);
    }
}

/// Takes severity, status and recurrence words that stand between separators.
fn take_words(rest: &mut String, meta: &mut Meta) {
    if let Some(hit) = RECURRING.captures(&rest.clone()) {
        meta.recurring = true;
        if let (Some(word), true) = (hit.get(1), meta.sessions.is_empty()) {
            meta.sessions.push(word.as_str().to_owned());
        }
        if let Some(all) = hit.get(0) {
            blank(rest, all.range());
        }
    }
    let copy = rest.clone();
    for (span, part) in parts(&copy) {
        if let Some(severity) = severity(part).filter(|_| meta.severity.is_none()) {
            meta.severity = Some(Graded { word: part.to_owned(), grade: Grade::Severity(severity), labelled: false });
            blank(rest, span);
        } else if let Some(status) = status(part).filter(|_| meta.bare_status.is_none()) {
            meta.bare_status = Some((part.to_owned(), status));
            blank(rest, span);
        } else if NO_DATE.is_match(part) && part.to_lowercase().contains("date") {
            meta.date_text = Some(part.to_owned());
            blank(rest, span);
        }
    }
}

/// The parts of a line between separators, with their places.
fn parts(line: &str) -> Vec<(Range<usize>, &str)> {
    let mut out = Vec::new();
    let mut start = 0;
    let hard = |c: char| {
        matches!(c, '·' | '•' | '|' | '/' | ',' | ';' | ':' | '–' | '—' | '(' | ')' | '[' | ']' | '\u{a0}' | '*' | '`')
            || (c as u32) >= 0x1F000
    };
    let mut push = |from: usize, to: usize| {
        let part = &line[from..to];
        let inner = part.trim();
        if let Some(lead) = part.find(inner).filter(|_| !inner.is_empty()) {
            out.push((from + lead..from + lead + inner.len(), inner));
        }
    };
    for (at, c) in line.char_indices() {
        if hard(c) {
            push(start, at);
            start = at + c.len_utf8();
        }
    }
    push(start, line.len());
    // Between the gaps that dates and sessions left, words stand alone.
    out.into_iter()
        .flat_map(|(span, part)| match part.find("   ") {
            Some(_) => split_wide(span.start, part),
            None => vec![(span, part)],
        })
        .collect()
}

fn split_wide(start: usize, part: &str) -> Vec<(Range<usize>, &str)> {
    let mut out = Vec::new();
    let mut at = 0;
    for piece in part.split("   ") {
        let inner = piece.trim();
        if !inner.is_empty() {
            let lead = at + piece.len() - piece.trim_start().len();
            out.push((start + lead..start + lead + inner.len(), inner));
        }
        at += piece.len() + 3;
    }
    out
}

/// Puts spaces where something was taken, so that places stay right.
fn blank(text: &mut String, span: Range<usize>) {
    let spaces = " ".repeat(span.len());
    text.replace_range(span, &spaces);
}

/// Takes date, severity, status and session off the ends of a title.
///
/// Only what is set off by a bracket, a dash or a bar goes; a date within the
/// title's own sentence stays where it is, and its reading comes back too.
pub fn trim_title(title: &str, slashes: SlashOrder) -> (String, Meta) {
    let mut meta = Meta::default();
    let mut left = title.trim().to_owned();
    for _ in 0..4 {
        let Some((edge, rest)) = edge(&left, slashes) else { break };
        meta.absorb(edge);
        left = rest;
    }
    if meta.date.is_none() {
        let mut days = date::find(&left, slashes).into_iter().filter(|f| f.day().is_some());
        if let (Some(only), None) = (days.next(), days.next()) {
            meta.date = Some(only);
        }
    }
    (left, meta)
}

pattern!(EDGE_BRACKET, r"^\s*[\[(]([^\])]+)[\])]\s*[:–—-]?\s*|\s*[:–—-]?\s*[\[(]([^\])]+)[\])]\s*$");
pattern!(FRONT_DASH, r"^([^–—|:·]+?)\s*(?:[–—|·]|:\s| - )\s*");
pattern!(BACK_DASH, r"\s*(?:[–—|·]| - |, )\s*([^–—|·]+?)\s*$");

fn edge(title: &str, slashes: SlashOrder) -> Option<(Meta, String)> {
    for shape in [&*EDGE_BRACKET, &*FRONT_DASH, &*BACK_DASH] {
        for hit in shape.captures_iter(title) {
            let (Some(all), Some(inner)) = (hit.get(0), hit.iter().skip(1).flatten().next()) else { continue };
            let Some(meta) = read(inner.as_str(), slashes) else { continue };
            let rest = format!("{}{}", &title[..all.start()], &title[all.end()..]).trim().to_owned();
            if rest.chars().any(char::is_alphabetic) {
                return Some((meta, rest));
            }
        }
    }
    // "2026-01-23 Title", with nothing between.
    let first = date::find(title, slashes).into_iter().next().filter(|f| f.span.start == 0 && f.day().is_some())?;
    let rest = title[first.span.end..].trim_start_matches([' ', ':', '-', '–', '—']).to_owned();
    (rest.chars().any(char::is_alphabetic)).then(|| (Meta { date: Some(first), ..Meta::default() }, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &str) -> Meta {
        read(text, SlashOrder::Unknown).unwrap_or_else(|| panic!("no header: {text}"))
    }

    #[test]
    fn header_lines_in_many_shapes() {
        let m = line("Session 23-B 2026-01-23");
        assert_eq!(
            (m.sessions, m.date.and_then(|d| d.rfc3339())),
            (vec!["23-B".to_owned()], Some("2026-01-23".to_owned()))
        );
        assert_eq!(line("Session ~45 · Feb 5, 2026 · High").sessions, ["~45"]);
        let m = line("Multiple Recurring");
        assert_eq!((m.sessions, m.recurring), (vec!["Multiple".to_owned()], true));
        assert_eq!(line("Sessions 12, 14-A and 20 | 2026-02-01").sessions, ["12", "14-A", "20"]);
        let m = line("Date: 23.01.2026 | Severity: SEV2 | Status: Resolved");
        assert_eq!(m.severity.map(|s| s.grade), Some(Grade::Severity(Severity::Major)));
        assert_eq!(m.status, Some(IncidentStatus::Resolved));
        assert!(m.date.is_some());
        let m = line("Severity: Critical. Session 21.");
        assert_eq!((m.sessions, m.severity.is_some()), (vec!["21".to_owned()], true));
        let title = |text: &str| keyed(Key::Title, text, SlashOrder::Unknown).title;
        assert_eq!(title("Lost after `kill -9`").as_deref(), Some("Lost after `kill -9`"));
        assert_eq!(title("**Disk full**").as_deref(), Some("Disk full"));
        assert_eq!(line("Severity: Purple").severity.map(|s| s.grade), Some(Grade::Unknown));
        assert_eq!(line("Critical").severity.map(|s| s.labelled), Some(false));
        assert_eq!(line("Resolved").bare_status, Some(("Resolved".to_owned(), IncidentStatus::Resolved)));
        let m = line("`Major` `2026/01/23` `Session 9`");
        assert_eq!((m.sessions, m.severity.is_some(), m.date.is_some()), (vec!["9".to_owned()], true, true));
        assert_eq!(line("[P1] 2026-01-02").severity.map(|s| s.grade), Some(Grade::Severity(Severity::Critical)));
    }

    #[test]
    fn titles_and_prose_are_no_header_lines() {
        for text in [
            "Data Loss",
            "Database down since 2026-01-23",
            "Critical bug in parser",
            "Session cookies lost",
            "1. Incident Timeline",
            "LOG-1",
            "The fix went out on 2026-01-23.",
        ] {
            assert_eq!(read(text, SlashOrder::Unknown), None, "{text}");
        }
    }

    #[test]
    fn titles_lose_only_what_is_set_off() {
        let (title, meta) = trim_title("[SEV1] API down for all — Jan 5, 2026", SlashOrder::Unknown);
        assert_eq!(title, "API down for all");
        assert!(meta.date.is_some() && meta.severity.is_some());
        let (title, meta) = trim_title("2026-01-23: rsync removed data (Critical)", SlashOrder::Unknown);
        assert_eq!((title.as_str(), meta.severity.is_some(), meta.date.is_some()), ("rsync removed data", true, true));
        let (title, _) = trim_title("Silent failure (4 Weeks) — nobody saw", SlashOrder::Unknown);
        assert_eq!(title, "Silent failure (4 Weeks) — nobody saw");
    }

    #[test]
    fn group_headings_name_categories() {
        for (text, want) in [
            ("Data Loss", Category::DataLoss),
            ("Disk Disasters", Category::Disk),
            ("Docker & Infrastructure", Category::Docker),
            ("Auth & Security", Category::Auth),
            ("Agent Hallucinations", Category::Hallucination),
            ("Config Drift", Category::ConfigDrift),
            ("Database Corruption", Category::Database),
            ("Deploy Failures", Category::Deploy),
            ("Permission Escalation", Category::Permission),
        ] {
            assert_eq!(category(text), Some(want), "{text}");
        }
        assert_eq!(category("Incident Timeline"), None);
    }
}
