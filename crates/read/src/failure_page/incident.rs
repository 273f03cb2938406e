//! Makes incidents of records: our words for theirs, an id, and what the record gets wrong.

use std::collections::BTreeSet;

use coroner_model::category::{Category, Severity};
use coroner_model::evidence::ContentHash;
use coroner_model::id::IncidentId;
use coroner_model::incident::{Incident, IncidentStatus, Problem, ProblemKind};

use super::date::SlashOrder;
use super::duration;
use super::label::{Field, Label};
use super::meta::{self, Grade, Meta};
use super::pattern::pattern;
use super::record::Record;

/// Longest slug of an id, in characters.
const SLUG_CHARS_MAX: usize = 60;

pattern!(
    PATTERN_NUMBERS,
    r"(?i)\b(?:anti-?\s?patterns?\s+(?:no\.?\s*|number\s+)?#?|AP-)(\d{1,5})((?:\s*(?:,|and|&)\s*#\d{1,5})*)"
);
pattern!(LINK, r"\[([^\[\]]+)\]\([^()\s]*\)");
pattern!(DIGITS, r"\d{1,5}");

/// The severity that a header gives, if it gives one.
pub fn severity_of(meta: &Meta) -> Option<Severity> {
    match meta.severity.as_ref()?.grade {
        Grade::Severity(severity) => Some(severity),
        Grade::Status(_) | Grade::Unknown => None,
    }
}

/// The category that a record's own label or its innermost group names.
pub fn category_of(record: &Record) -> Option<Category> {
    record
        .meta
        .category
        .as_deref()
        .and_then(meta::category)
        .or_else(|| record.groups.last().and_then(|g| meta::category(g)))
}

/// Takes facts set off at the ends of a title over to the header.
pub fn settle_title(record: &mut Record, slashes: SlashOrder) {
    let plain = plain_title(&record.title);
    let (title, edges) = meta::trim_title(&plain, slashes);
    record.title = title;
    record.meta.absorb(edges);
}

/// A title without its emphasis marks, and without where it links to.
fn plain_title(title: &str) -> String {
    LINK.replace_all(title, "$1").replace("**", "").replace("__", "").trim().to_owned()
}

/// Makes the incident of a record, and lists what the record gets wrong.
pub fn incident(
    record: &Record,
    others_graded_bare: bool,
    ids: &mut BTreeSet<String>,
    problems: &mut Vec<Problem>,
) -> Incident {
    let date = record.meta.date.as_ref().and_then(super::date::Found::rfc3339);
    let (severity, status, graded) = grade(&record.meta, others_graded_bare);
    let mut incident = Incident {
        title: record.title.clone(),
        date_approximate: date.is_some() && record.meta.date.as_ref().is_some_and(|d| d.approximate),
        date,
        severity,
        status,
        category: category_of(record),
        sessions: record.meta.sessions.clone(),
        recurring: record.meta.recurring,
        ..Incident::default()
    };
    fill(&mut incident, record);
    incident.id = unique_id(&incident, ids);
    incident.pattern_numbers = pattern_numbers(&incident);
    if let Some((kind, text)) = graded {
        problems.push(Problem { kind, incident: Some(incident.id.clone()), text });
    }
    if incident.date.is_none() {
        let said = record.meta.date_text.as_deref().map_or(String::new(), |t| format!(" (it says \"{t}\")"));
        let text = format!("\"{}\" carries no date{said}.", incident.title);
        problems.push(Problem { kind: ProblemKind::Undated, incident: Some(incident.id.clone()), text });
    }
    contradictions(&mut incident, record, problems);
    incident
}

fn grade(meta: &Meta, others_graded_bare: bool) -> (Option<Severity>, IncidentStatus, Option<(ProblemKind, String)>) {
    let status = meta.status.or(meta.bare_status.as_ref().map(|(_, s)| *s)).unwrap_or_default();
    let misused = |word: &str| {
        (ProblemKind::StatusAsSeverity, format!("\"{word}\" stands where a severity belongs, but is a status."))
    };
    match (&meta.severity, &meta.bare_status) {
        (Some(graded), _) => match graded.grade {
            Grade::Severity(severity) => (Some(severity), status, None),
            Grade::Status(named) => (None, meta.status.unwrap_or(named), Some(misused(&graded.word))),
            Grade::Unknown => {
                (None, status, Some((ProblemKind::Unreadable, format!("\"{}\" is no known severity.", graded.word))))
            }
        },
        (None, Some((word, _))) if others_graded_bare => (None, status, Some(misused(word))),
        (None, _) => (None, status, None),
    }
}

/// Puts each labelled text in its field; what no field holds goes to the body.
fn fill(incident: &mut Incident, record: &Record) {
    let chosen = [Field::WhatHappened, Field::RootCause, Field::DataLost, Field::Fix, Field::Lesson];
    let mut taken: Vec<usize> = Vec::new();
    for field in chosen {
        let Some(part) = record.part(field) else { continue };
        let mut text = part.text.trim().to_owned();
        taken.extend(record.parts.iter().position(|p| std::ptr::eq(p, part)));
        // A label that comes again goes on with its text.
        for (i, more) in record.parts.iter().enumerate() {
            if !std::ptr::eq(more, part)
                && more.label == part.label
                && more.name.eq_ignore_ascii_case(&part.name)
                && !more.text.is_empty()
            {
                text.push_str("\n\n");
                text.push_str(more.text.trim());
                taken.push(i);
            }
        }
        let text = Some(text).filter(|t| !t.is_empty());
        match field {
            Field::WhatHappened => incident.what_happened = text,
            Field::RootCause => incident.root_cause = text,
            Field::DataLost => incident.data_lost = text,
            Field::Fix => incident.fix = text,
            Field::Lesson => incident.lesson = text,
        }
    }
    let mut body = Vec::new();
    let loose = record.loose.trim();
    if !loose.is_empty() {
        match &incident.what_happened {
            None => incident.what_happened = Some(loose.to_owned()),
            Some(_) => body.push(loose.to_owned()),
        }
    }
    for (_, part) in record
        .parts
        .iter()
        .enumerate()
        .filter(|(i, p)| !taken.contains(i) && !p.text.is_empty() && !matches!(p.label, Label::Key(_)))
    {
        body.push(format!("### {}\n\n{}", part.name, part.text.trim()));
    }
    incident.body = body.join("\n\n");
}

fn contradictions(incident: &mut Incident, record: &Record, problems: &mut Vec<Problem>) {
    let join = |texts: [&Option<String>; 3]| texts.into_iter().flatten().cloned().collect::<Vec<_>>().join("\n");
    let account = join([&incident.what_happened, &incident.root_cause, &incident.data_lost]);
    let rest = join([&incident.fix, &incident.lesson, &Some(incident.body.clone())]);
    let day = record.meta.date.as_ref().and_then(super::date::Found::day);
    if let Some(text) = duration::contradiction(&incident.title, &account, &rest, day) {
        problems.push(Problem {
            kind: ProblemKind::Contradiction,
            incident: Some(incident.id.clone()),
            text: text.clone(),
        });
        incident.contradictions.push(text);
    }
}

fn pattern_numbers(incident: &Incident) -> Vec<u32> {
    let texts = [&incident.what_happened, &incident.root_cause, &incident.data_lost, &incident.fix, &incident.lesson];
    let mut numbers: Vec<u32> = Vec::new();
    for text in texts.into_iter().flatten().chain([&incident.body]) {
        for hit in PATTERN_NUMBERS.captures_iter(text) {
            let groups = [hit.get(1), hit.get(2)].into_iter().flatten();
            for digits in groups.flat_map(|g| DIGITS.find_iter(g.as_str())) {
                if let Some(number) = digits.as_str().parse().ok().filter(|n| !numbers.contains(n)) {
                    numbers.push(number);
                }
            }
        }
    }
    numbers
}

/// The id of an incident by its date and title: `2026-01-23-rsync-removed-data`, `undated-…`.
pub fn id_of(date: Option<&str>, title: &str) -> IncidentId {
    let day = date.and_then(|d| d.get(..10)).unwrap_or("undated");
    IncidentId::new(format!("{day}-{}", slug(title)))
}

/// A title as part of an id: lower case, words joined by hyphens, cut at a word.
pub fn slug(title: &str) -> String {
    let lower = title.to_lowercase();
    let mut out = String::new();
    for word in lower.split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty()) {
        let room = SLUG_CHARS_MAX.saturating_sub(out.chars().count() + 1);
        if out.is_empty() {
            out.extend(word.chars().take(SLUG_CHARS_MAX));
        } else if word.chars().count() <= room {
            out.push('-');
            out.push_str(word);
        } else {
            break;
        }
    }
    if out.is_empty() { "untitled".to_owned() } else { out }
}

/// An id that no earlier record of the page has: the text tells two of one title apart.
pub fn unique_id(incident: &Incident, ids: &mut BTreeSet<String>) -> IncidentId {
    let base = id_of(incident.date.as_deref(), &incident.title);
    if ids.insert(base.0.clone()) {
        return base;
    }
    let told = format!("{:?}{:?}{:?}{}", incident.sessions, incident.what_happened, incident.root_cause, incident.body);
    let hash = match ContentHash::sha256(told.as_bytes()) {
        ContentHash::Sha256(hex) | ContentHash::Hmac(hex) => hex,
    };
    let id = format!("{base}-{}", &hash[..6]);
    ids.insert(id.clone());
    IncidentId::new(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slugs_are_short_and_whole_words() {
        assert_eq!(slug("rsync --delete Wiped Live Postgres + Redis"), "rsync-delete-wiped-live-postgres-redis");
        assert_eq!(slug("—"), "untitled");
        assert!(slug(&"word ".repeat(40)).len() <= SLUG_CHARS_MAX);
        assert_eq!(id_of(Some("2026-01-23T05:00:00Z"), "A b").as_str(), "2026-01-23-a-b");
    }

    #[test]
    fn titles_lose_their_marks() {
        assert_eq!(plain_title("[Disk **full**](https://example.org/1)"), "Disk full");
        assert_eq!(plain_title("[SEV1] get(x) failed (again)"), "[SEV1] get(x) failed (again)");
    }

    #[test]
    fn numbers_of_anti_patterns_are_found() {
        let incident = Incident {
            fix: Some("Added anti-pattern #59. See anti-patterns #7, #8 and AP-12; 163 anti-patterns.".into()),
            ..Incident::default()
        };
        assert_eq!(pattern_numbers(&incident), [59, 7, 8, 12]);
    }
}
