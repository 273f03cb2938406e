//! The form of incidents in files: Markdown with a TOML header between `+++`, or JSON.
//!
//! What is written reads back as it was, so an export is a copy: `read(write(x)) == x`
//! for every incident whose texts are [`normal`]. A stream holds one incident after
//! another, headed by what the pages they came from got wrong.

use coroner_model::IncidentId;
use coroner_model::category::{Category, Severity};
use coroner_model::evidence::{Citation, Source};
use coroner_model::id::{EvidenceId, PatternId};
use coroner_model::incident::{INCIDENTS_SCHEMA, Incident, IncidentList, IncidentStatus, Problem};
use serde::Deserialize;
use toml::Spanned;

use crate::failure_page::id_of;

/// Why a file of ours could not be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FileError {
    #[error("{name}:{line}:{column}: {message}")]
    Malformed { name: String, line: usize, column: usize, message: String },
    #[error("{name}:{line}:{column}: {message}")]
    Json { name: String, line: usize, column: usize, message: String },
}

impl FileError {
    /// What a person can do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            FileError::Malformed { .. } => {
                "compare the header with one that `coroner incident export --format markdown` writes"
            }
            FileError::Json { .. } => "compare the file with what `coroner incident export --format json` writes",
        }
    }
}

/// The labelled sections, in the order in which they are written.
const SECTIONS: [&str; 5] = ["What happened", "Root cause", "Data lost", "Fix", "Lesson"];
/// The heading of a body that does not begin with a heading of its own.
const NOTES: &str = "Notes";
const FENCE: &str = "+++";

/// Brings the texts of an incident to the form in which they are kept.
pub fn normal(incident: &mut Incident) {
    incident.title = incident.title.split_whitespace().collect::<Vec<_>>().join(" ");
    for text in sections_mut(incident) {
        *text = text.take().map(|t| normal_text(&t)).filter(|t| !t.is_empty());
    }
    incident.body = normal_text(&incident.body);
}

fn normal_text(text: &str) -> String {
    text.replace("\r\n", "\n").replace('\r', "\n").trim().to_owned()
}

fn sections_mut(incident: &mut Incident) -> [&mut Option<String>; 5] {
    [
        &mut incident.what_happened,
        &mut incident.root_cause,
        &mut incident.data_lost,
        &mut incident.fix,
        &mut incident.lesson,
    ]
}

/// Writes one incident as Markdown.
pub fn write(incident: &Incident) -> String {
    let mut out = header(incident);
    let texts = [&incident.what_happened, &incident.root_cause, &incident.data_lost, &incident.fix, &incident.lesson];
    for (name, text) in SECTIONS.iter().zip(texts) {
        if let Some(text) = text {
            out.push_str(&format!("\n## {name}\n\n{}\n", escaped(text, ends_section)));
        }
    }
    if !incident.body.is_empty() {
        let own_heading = incident.body.lines().next().is_some_and(|l| l.starts_with("## ") && !is_reserved(l));
        let heading = if own_heading { String::new() } else { format!("## {NOTES}\n\n") };
        out.push_str(&format!("\n{heading}{}\n", escaped(&incident.body, is_reserved)));
    }
    out
}

/// Writes incidents as a Markdown stream, headed by the problems.
pub fn write_stream(list: &IncidentList) -> String {
    let mut out = format!("{FENCE}\nschema = {}\n", quoted(INCIDENTS_SCHEMA));
    for problem in &list.problems {
        let kind = serde_json::to_string(&problem.kind).unwrap_or_default();
        out.push_str(&format!("\n[[problems]]\nkind = {kind}\n"));
        if let Some(incident) = &problem.incident {
            out.push_str(&format!("incident = {}\n", quoted(incident.as_str())));
        }
        out.push_str(&format!("text = {}\n", quoted(&problem.text)));
    }
    out.push_str(&format!("{FENCE}\n"));
    for incident in &list.incidents {
        out.push('\n');
        out.push_str(&write(incident));
    }
    out
}

/// Writes incidents as JSON.
pub fn write_json(list: &IncidentList) -> Result<String, serde_json::Error> {
    Ok(serde_json::to_string_pretty(list)? + "\n")
}

fn header(incident: &Incident) -> String {
    let mut out = format!("{FENCE}\nid = {}\ntitle = {}\n", quoted(incident.id.as_str()), quoted(&incident.title));
    let mut line = |key: &str, value: Option<String>| {
        if let Some(value) = value {
            out.push_str(&format!("{key} = {value}\n"));
        }
    };
    let list = |texts: Vec<String>| (!texts.is_empty()).then(|| format!("[{}]", texts.join(", ")));
    line("date", incident.date.as_deref().map(quoted));
    line("date_approximate", incident.date_approximate.then(|| "true".to_owned()));
    line("severity", incident.severity.map(|s| quoted(s.as_str())));
    line("status", Some(quoted(incident.status.as_str())));
    line("category", incident.category.map(|c| quoted(c.as_str())));
    line("sessions", list(incident.sessions.iter().map(|s| quoted(s)).collect()));
    line("recurring", incident.recurring.then(|| "true".to_owned()));
    line("pattern_numbers", list(incident.pattern_numbers.iter().map(u32::to_string).collect()));
    line("patterns", list(incident.patterns.iter().map(|p| quoted(p.as_str())).collect()));
    line("contradictions", list(incident.contradictions.iter().map(|c| quoted(c)).collect()));
    for citation in &incident.evidence {
        out.push_str(&format!(
            "\n[[evidence]]\nid = {}\nsource = {}\nlocator = {}\ntext = {}\n",
            quoted(citation.id.as_str()),
            quoted(citation.source.as_str()),
            quoted(&citation.locator),
            quoted(&citation.text),
        ));
    }
    out + FENCE + "\n"
}

/// A TOML string on one line, so that no text can end the header.
fn quoted(text: &str) -> String {
    serde_json::to_string(text).unwrap_or_default().replace('\u{7f}', "\\u007f")
}

fn is_reserved(line: &str) -> bool {
    line.strip_prefix("## ").is_some_and(|name| SECTIONS.contains(&name) || name == NOTES)
}

fn ends_section(line: &str) -> bool {
    line.starts_with("## ")
}

/// Puts a backslash before each line that would be read as structure.
fn escaped(text: &str, structural: fn(&str) -> bool) -> String {
    let line = |line: &str| {
        let bare = line.trim_start_matches('\\');
        if structural(bare) || bare == FENCE { format!("\\{line}") } else { line.to_owned() }
    };
    text.split('\n').map(line).collect::<Vec<_>>().join("\n")
}

fn unescaped(line: &str, structural: fn(&str) -> bool) -> &str {
    let bare = line.trim_start_matches('\\');
    if structural(bare) || bare == FENCE { line.strip_prefix('\\').unwrap_or(line) } else { line }
}

/// Reads an export, Markdown or JSON; `None` where the text is none.
pub fn read(text: &str, name: &str) -> Result<Option<IncidentList>, FileError> {
    let start = text.trim_start();
    if start.starts_with('{') {
        return if start.contains("\"coroner/incidents/") { json(text, name).map(Some) } else { Ok(None) };
    }
    if start.lines().next().is_none_or(|l| l.trim_end() != FENCE) {
        return Ok(None);
    }
    stream(&text.replace("\r\n", "\n"), name).map(Some)
}

fn malformed(name: &str, line: usize, column: usize, message: impl Into<String>) -> FileError {
    FileError::Malformed { name: name.to_owned(), line, column, message: message.into() }
}

/// The header of one incident; what is not named here is an error.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    id: Option<Spanned<String>>,
    title: String,
    date: Option<Spanned<String>>,
    #[serde(default)]
    date_approximate: bool,
    severity: Option<Severity>,
    #[serde(default)]
    status: IncidentStatus,
    category: Option<Category>,
    #[serde(default)]
    sessions: Vec<String>,
    #[serde(default)]
    recurring: bool,
    #[serde(default)]
    pattern_numbers: Vec<u32>,
    #[serde(default)]
    patterns: Vec<PatternId>,
    #[serde(default)]
    contradictions: Vec<String>,
    #[serde(default)]
    evidence: Vec<Cited>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Cited {
    id: EvidenceId,
    source: Source,
    locator: String,
    text: String,
}

/// The head of a stream.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Head {
    schema: Spanned<String>,
    #[serde(default)]
    problems: Vec<Problem>,
}

/// One document of a stream: its header, where that starts, and what follows.
struct Part<'a> {
    header: String,
    /// 1-based line of the header's first line.
    line: usize,
    body: Vec<&'a str>,
}

fn stream(text: &str, name: &str) -> Result<IncidentList, FileError> {
    let mut list = IncidentList { schema: INCIDENTS_SCHEMA.to_owned(), incidents: Vec::new(), problems: Vec::new() };
    for (n, part) in parts(text, name)?.iter().enumerate() {
        let is_head = n == 0 && toml::from_str::<toml::Table>(&part.header).is_ok_and(|t| t.contains_key("schema"));
        if is_head {
            let head: Head = part.parse(name)?;
            if head.schema.get_ref() != INCIDENTS_SCHEMA {
                return Err(part.error(
                    name,
                    head.schema.span().start,
                    format!("the schema is not {INCIDENTS_SCHEMA}"),
                ));
            }
            list.problems = head.problems;
        } else {
            let incident = part.incident(name)?;
            if list.incidents.iter().any(|i| i.id == incident.id) {
                return Err(part.error(name, 0, format!("the id {} is taken by an incident before it", incident.id)));
            }
            list.incidents.push(incident);
        }
    }
    Ok(list)
}

fn parts<'a>(text: &'a str, name: &str) -> Result<Vec<Part<'a>>, FileError> {
    let mut out: Vec<Part<'a>> = Vec::new();
    let mut in_header = false;
    for (n, line) in text.split('\n').enumerate() {
        match (line.trim_end() == FENCE, out.last_mut()) {
            (true, Some(_)) if in_header => in_header = false,
            (true, _) => {
                out.push(Part { header: String::new(), line: n + 2, body: Vec::new() });
                in_header = true;
            }
            (false, Some(part)) if in_header => {
                part.header.push_str(line);
                part.header.push('\n');
            }
            (false, Some(part)) => part.body.push(line),
            (false, None) => {}
        }
    }
    match out.last() {
        Some(part) if in_header => {
            Err(malformed(name, part.line.saturating_sub(1), 1, "the header that begins here has no closing +++"))
        }
        _ => Ok(out),
    }
}

impl Part<'_> {
    fn parse<T: serde::de::DeserializeOwned>(&self, name: &str) -> Result<T, FileError> {
        toml::from_str(&self.header).map_err(|e| self.error(name, e.span().map_or(0, |s| s.start), e.message()))
    }

    /// An error at a byte of the header.
    fn error(&self, name: &str, at: usize, message: impl Into<String>) -> FileError {
        let before = &self.header[..at.min(self.header.len())];
        let column = before.rsplit('\n').next().map_or(0, |l| l.chars().count()) + 1;
        malformed(name, self.line + before.matches('\n').count(), column, message)
    }

    fn incident(&self, name: &str) -> Result<Incident, FileError> {
        let header: Header = self.parse(name)?;
        if let Some(date) = &header.date
            && !is_date(date.get_ref())
        {
            return Err(self.error(
                name,
                date.span().start,
                "this is no date such as 2026-01-23 or 2026-01-23T05:12:09Z",
            ));
        }
        if let Some(id) = &header.id
            && !is_id(id.get_ref())
        {
            return Err(self.error(
                name,
                id.span().start,
                "an id holds letters, digits, hyphens, dots and underscores, and begins with a letter or digit",
            ));
        }
        if header.title.trim().is_empty() {
            return Err(self.error(name, 0, "the title is empty"));
        }
        let date = header.date.map(Spanned::into_inner);
        let id = header.id.map_or_else(|| id_of(date.as_deref(), &header.title), |id| IncidentId::new(id.into_inner()));
        let mut incident = Incident {
            id,
            title: header.title,
            date,
            date_approximate: header.date_approximate,
            severity: header.severity,
            status: header.status,
            category: header.category,
            sessions: header.sessions,
            recurring: header.recurring,
            pattern_numbers: header.pattern_numbers,
            patterns: header.patterns,
            contradictions: header.contradictions,
            evidence: header
                .evidence
                .into_iter()
                .map(|c| Citation { id: c.id, source: c.source, locator: c.locator, text: c.text })
                .collect(),
            ..Incident::default()
        };
        self.fill(&mut incident);
        Ok(incident)
    }

    /// Reads the sections below the header; a heading that is none of ours begins the body.
    fn fill(&self, incident: &mut Incident) {
        let mut texts: [Option<String>; 5] = Default::default();
        let mut body = String::new();
        let mut section: Option<usize> = None;
        for line in &self.body {
            if is_reserved(line) {
                section = SECTIONS.iter().position(|s| line[3..] == **s);
                let text = section.map_or(&mut body, |s| texts[s].get_or_insert_default());
                text.push_str("\n\n");
                continue;
            }
            if section.is_some() && ends_section(line) {
                section = None;
                body.truncate(body.trim_end().len());
                body.push_str("\n\n");
            }
            let structural = if section.is_some() { ends_section } else { is_reserved };
            let text = section.map_or(&mut body, |s| texts[s].get_or_insert_default());
            text.push_str(unescaped(line, structural));
            text.push('\n');
        }
        for (field, text) in sections_mut(incident).into_iter().zip(texts) {
            *field = text;
        }
        incident.body = body;
        normal(incident);
    }
}

/// Whether a text is a date or a date-time of RFC 3339.
pub fn is_date(text: &str) -> bool {
    text.parse::<jiff::Timestamp>().is_ok() || text.len() == 10 && text.parse::<jiff::civil::Date>().is_ok()
}

/// Whether a text may be an id: it is a file name too.
pub fn is_id(text: &str) -> bool {
    text.chars().count() <= 200
        && text.starts_with(char::is_alphanumeric)
        && text.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | '.'))
}

fn wrong_json(name: &str, line: usize, column: usize, message: impl Into<String>) -> FileError {
    FileError::Json { name: name.to_owned(), line, column, message: message.into() }
}

fn json(text: &str, name: &str) -> Result<IncidentList, FileError> {
    let list: strict::List = serde_json::from_str(text).map_err(|e| {
        let message = e.to_string();
        let message = message.rsplit_once(" at line").map_or(message.as_str(), |(head, _)| head).to_owned();
        wrong_json(name, e.line(), e.column(), message)
    })?;
    if list.schema != INCIDENTS_SCHEMA {
        return Err(wrong_json(name, 1, 1, format!("the schema is {}, not {INCIDENTS_SCHEMA}", list.schema)));
    }
    let mut incidents: Vec<Incident> = Vec::new();
    for strict::Entry(mut incident) in list.incidents {
        let wrong = if incident.title.trim().is_empty() {
            Some("an incident has no title".to_owned())
        } else if incident.date.as_deref().is_some_and(|d| !is_date(d)) {
            Some(format!("the date of \"{}\" is none", incident.title))
        } else if !incident.id.as_str().is_empty() && !is_id(incident.id.as_str()) {
            Some(format!("{} cannot be an id", incident.id))
        } else {
            None
        };
        if let Some(message) = wrong {
            return Err(wrong_json(name, 1, 1, message));
        }
        if incident.id.as_str().is_empty() {
            incident.id = id_of(incident.date.as_deref(), &incident.title);
        }
        normal(&mut incident);
        incidents.push(incident);
    }
    Ok(IncidentList { schema: list.schema, incidents, problems: list.problems })
}

/// The same shapes as the report's, with unknown keys refused.
mod strict {
    use super::*;

    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    pub(super) struct List {
        pub schema: String,
        pub incidents: Vec<Entry>,
        #[serde(default)]
        pub problems: Vec<Problem>,
    }

    #[derive(Deserialize)]
    #[serde(transparent)]
    pub(super) struct Entry(#[serde(with = "Shape")] pub Incident);

    #[derive(Deserialize)]
    #[serde(remote = "Incident", deny_unknown_fields)]
    struct Shape {
        #[serde(default)]
        id: IncidentId,
        title: String,
        #[serde(default)]
        date: Option<String>,
        #[serde(default)]
        date_approximate: bool,
        #[serde(default)]
        severity: Option<Severity>,
        #[serde(default)]
        status: IncidentStatus,
        #[serde(default)]
        category: Option<Category>,
        #[serde(default)]
        sessions: Vec<String>,
        #[serde(default)]
        recurring: bool,
        #[serde(default)]
        what_happened: Option<String>,
        #[serde(default)]
        root_cause: Option<String>,
        #[serde(default)]
        data_lost: Option<String>,
        #[serde(default)]
        fix: Option<String>,
        #[serde(default)]
        lesson: Option<String>,
        #[serde(default)]
        pattern_numbers: Vec<u32>,
        #[serde(default)]
        patterns: Vec<PatternId>,
        #[serde(default)]
        contradictions: Vec<String>,
        #[serde(default)]
        evidence: Vec<Citation>,
        #[serde(default)]
        body: String,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use coroner_model::incident::ProblemKind;
    use proptest::prelude::*;

    fn tricky() -> impl Strategy<Value = String> {
        let line = prop_oneof![
            Just("## Fix".to_owned()),
            Just("## Timeline".to_owned()),
            Just("\\## Fix".to_owned()),
            Just("+++".to_owned()),
            Just("\\\\+++".to_owned()),
            Just("## Notes".to_owned()),
            Just("```sh\n## comment\n```".to_owned()),
            Just(String::new()),
            Just("- item \"quoted\" \u{7f}\t".to_owned()),
            "[ -~äß€]{0,20}",
        ];
        prop::collection::vec(line, 0..6).prop_map(|lines| lines.join("\n"))
    }

    prop_compose! {
        fn incident()(
            texts in prop::array::uniform5(prop::option::of(tricky())), body in tricky(), title in "[ -~ä]{1,20}x",
            sessions in prop::collection::vec("[~0-9A-Z\"-]{1,5}", 0..3), contradictions in prop::collection::vec(tricky(), 0..2),
            numbers in prop::collection::vec(0u32..200, 0..3), flags in prop::array::uniform2(any::<bool>()), cited in tricky(),
        ) -> Incident {
            let [what_happened, root_cause, data_lost, fix, lesson] = texts;
            let mut incident = Incident {
                id: IncidentId::new("2026-01-23-x"), title, date: flags[0].then(|| "2026-01-23".to_owned()), recurring: flags[1],
                severity: flags[1].then_some(Severity::Major), category: flags[0].then_some(Category::DataLoss), sessions, contradictions,
                pattern_numbers: numbers, patterns: vec![PatternId::new("p")], what_happened, root_cause, data_lost, fix, lesson, body,
                evidence: vec![Citation::new(Source::Git, "git/log.txt:1".into(), cited)], status: IncidentStatus::Mitigated, date_approximate: flags[0],
            };
            normal(&mut incident);
            incident
        }
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(one in incident(), two in incident()) {
            let mut two = two;
            two.id = IncidentId::new("other");
            let problems = vec![
                Problem { kind: ProblemKind::CountMismatch, incident: None, text: one.body.clone() },
                Problem { kind: ProblemKind::Undated, incident: Some(two.id.clone()), text: "\"x\" carries no date.".into() },
            ];
            let list = IncidentList { schema: INCIDENTS_SCHEMA.into(), incidents: vec![one, two], problems };
            let markdown = write_stream(&list);
            let back = read(&markdown, "x.md").expect("reads").expect("is ours");
            prop_assert_eq!(&back, &list, "{}", markdown);
            prop_assert_eq!(write_stream(&back), markdown);
            let json = write_json(&list).expect("JSON");
            prop_assert_eq!(read(&json, "x.json").expect("reads").expect("is ours"), list);
        }
    }

    fn error(text: &str) -> String {
        read(text, "x.md").expect_err("an error").to_string()
    }

    #[test]
    fn mistakes_are_shown_with_line_and_column() {
        assert_eq!(
            error("+++\ntitle = \"x\"\nseverty = \"major\"\n+++\n")
                .lines()
                .next()
                .map(|l| l.starts_with("x.md:3:1: unknown field `severty`")),
            Some(true)
        );
        assert!(error("+++\ntitle = \"x\"\ndate = \"23.01.2026\"\n+++\n").starts_with("x.md:3:8: this is no date"));
        assert!(error("+++\ntitle = \"x\"\nid = \"../x\"\n+++\n").starts_with("x.md:3:6: an id holds"));
        assert!(error("+++\ntitle = \"x\"\nseverity = \"high\"\n+++\n").starts_with("x.md:3:12: unknown variant"));
        assert!(error("+++\ntitle = \"x\"\n").starts_with("x.md:1:1: the header"));
        let json = "{\"schema\":\"coroner/incidents/v1\",\"incidents\":[\n{\"title\":\"x\",\"sever\":1}]}";
        assert!(error(json).starts_with("x.md:2:20: unknown field `sever`"), "{}", error(json));
    }

    #[test]
    fn a_file_written_by_hand_may_leave_most_out() {
        let text = "+++\ntitle = \"Disk full\"\ndate = \"2026-01-23\"\n+++\nAt night.\n\n## Fix\nFreed it.\n\n## Timeline\n- 02:00 full\n\n## Lesson\nLook.\n";
        let list = read(text, "x.md").expect("reads").expect("is ours");
        let incident = &list.incidents[0];
        assert_eq!(incident.id.as_str(), "2026-01-23-disk-full");
        assert_eq!((incident.fix.as_deref(), incident.lesson.as_deref()), (Some("Freed it."), Some("Look.")));
        assert_eq!(incident.body, "At night.\n\n## Timeline\n- 02:00 full");
    }

    #[test]
    fn other_files_are_not_ours() {
        for text in ["# Page", "{\"a\":1}", "", "---\ntitle: x\n---\n"] {
            assert_eq!(read(text, "x").expect("no error"), None);
        }
    }
}
