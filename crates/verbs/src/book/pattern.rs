//! An anti-pattern as a page shows it.

use coroner_judge::pattern::file::Origin;
use coroner_judge::pattern::{AntiPattern, Library};
use coroner_model::{Category, IncidentId, PatternId, Severity};

/// One anti-pattern, ready to be read.
#[derive(Clone, Debug, PartialEq)]
pub struct PatternEntry {
    pub id: PatternId,
    pub title: String,
    pub number: Option<u32>,
    pub category: Category,
    pub severity: Severity,
    pub lesson: String,
    /// Incidents that the file lists.
    pub incidents: Vec<IncidentId>,
    /// Markdown.
    pub why: String,
    /// Markdown.
    pub do_instead: String,
    /// Markdown: the fenced examples.
    pub caught: String,
    /// Markdown: the fenced examples.
    pub passed: String,
    /// Which verbs it speaks in: guard, check, investigate.
    pub speaks_in: Vec<&'static str>,
    /// Other patterns that look the same, and what tells them apart.
    pub lookalikes: Vec<(PatternId, String)>,
    /// Path of the project's own file; `None` where it is built in.
    pub path: Option<String>,
}

impl PatternEntry {
    /// The page's view of a pattern.
    pub fn of(pattern: &AntiPattern) -> PatternEntry {
        let header = &pattern.header;
        PatternEntry {
            id: pattern.id.clone(),
            title: header.title.clone(),
            number: header.number,
            category: header.category,
            severity: header.severity,
            lesson: header.lesson.clone(),
            incidents: header.incidents.clone(),
            why: pattern.why.clone(),
            do_instead: pattern.do_instead.clone(),
            caught: section(&pattern.text, "caught"),
            passed: section(&pattern.text, "passed"),
            speaks_in: speaks_in(pattern),
            lookalikes: header.lookalike.iter().map(|l| (l.pattern.clone(), l.tells.clone())).collect(),
            path: match &pattern.origin {
                Origin::BuiltIn => None,
                Origin::File(path) => Some(path.clone()),
            },
        }
    }

    /// Every pattern of a library in the order of their ids.
    pub fn all(library: &Library) -> Vec<PatternEntry> {
        library.iter().map(PatternEntry::of).collect()
    }

    #[cfg(test)]
    pub(crate) fn made_up(id: &str) -> PatternEntry {
        PatternEntry {
            id: id.into(),
            title: id.to_owned(),
            number: None,
            category: Category::Disk,
            severity: Severity::Minor,
            lesson: String::new(),
            incidents: Vec::new(),
            why: String::new(),
            do_instead: String::new(),
            caught: String::new(),
            passed: String::new(),
            speaks_in: Vec::new(),
            lookalikes: Vec::new(),
            path: None,
        }
    }
}

fn speaks_in(pattern: &AntiPattern) -> Vec<&'static str> {
    let header = &pattern.header;
    let rows = [
        ("guard", !header.when.effect.is_empty()),
        ("check", header.when.fact_rows().next().is_some()),
        ("investigate", !header.trace.is_empty() || !header.confirm.is_empty()),
    ];
    rows.into_iter().filter(|(_, speaks)| *speaks).map(|(verb, _)| verb).collect()
}

/// Markdown between `## TITLE` and the next such heading; lines in a fence are no heading.
fn section(text: &str, title: &str) -> String {
    let (mut inside, mut fence) = (false, "");
    let mut out = String::new();
    for line in text.lines() {
        let mark = ["````", "```", "~~~"].into_iter().find(|m| line.starts_with(m)).unwrap_or("");
        if fence.is_empty() {
            if let Some(heading) = line.strip_prefix("## ") {
                inside = heading.trim().eq_ignore_ascii_case(title);
                continue;
            }
            fence = mark;
        } else if mark == fence {
            fence = "";
        }
        if inside {
            out.push_str(line);
            out.push('\n');
        }
    }
    out.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sections_end_at_headings_not_at_comments() {
        let text = "+++\n+++\nWhy.\n\n## Caught\n```sh\n## no heading\nrm x\n```\n## Passed\n```sh\nls\n```\n";
        assert_eq!(section(text, "caught"), "```sh\n## no heading\nrm x\n```");
        assert_eq!(section(text, "passed"), "```sh\nls\n```");
    }

    #[test]
    fn every_built_in_pattern_has_its_examples() {
        for entry in PatternEntry::all(&Library::built_in()) {
            assert!(entry.caught.starts_with("```") && entry.passed.starts_with("```"), "{}", entry.id);
            assert!(!entry.speaks_in.is_empty(), "{}", entry.id);
        }
    }
}
