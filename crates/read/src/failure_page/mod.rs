//! Reads pages that tell of failures: post-mortem pages, failure logs, lists of post-mortems.
//!
//! Text, Markdown and HTML become the same run of blocks; blocks become pieces
//! (header, label, title, prose), pieces records, records incidents. Whatever the
//! page says about itself is held against what it holds.

mod block;
mod claims;
mod date;
mod duration;
mod html;
mod incident;
mod label;
mod links;
mod log;
mod markdown;
mod meta;
mod pattern;
mod piece;
mod record;
mod section;
mod text;

use std::collections::BTreeSet;

use coroner_model::id::IncidentId;
use coroner_model::incident::{Incident, PatternDraft, Problem, ProblemKind};

use label::{Field, Label};
use record::Record;

pub use incident::{id_of, slug};

/// Largest page that is read, in bytes.
pub const PAGE_BYTES_MAX: usize = 16 * 1024 * 1024;

/// What a page holds, in its own order, and what it gets wrong about itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    pub incidents: Vec<Incident>,
    /// Entries of a failure log, with their numbers.
    pub drafts: Vec<PatternDraft>,
    /// Links to post-mortems elsewhere.
    pub links: Vec<Link>,
    pub problems: Vec<Problem>,
}

/// A link to a post-mortem elsewhere, and the incident that stands for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    pub title: String,
    pub url: String,
    pub incident: IncidentId,
}

/// Why a file was not read as a failure page.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PageError {
    #[error("{name} is empty")]
    Empty { name: String },
    #[error("{name} is {bytes} bytes long, and at most {PAGE_BYTES_MAX} are read")]
    TooLarge { name: String, bytes: usize },
    #[error("{name} is no failure page, failure log, list of post-mortems or export of incidents")]
    NotAPage { name: String },
    #[error(transparent)]
    File(#[from] crate::incident_file::FileError),
}

impl PageError {
    /// What a person can do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            PageError::Empty { .. } => "save the page's text, Markdown or HTML to the file first",
            PageError::TooLarge { .. } => "split the page, or leave out what is not about incidents",
            PageError::NotAPage { .. } => {
                "a record needs a title and labelled parts such as \"What happened\", \"Root cause\", \"Fix\"; `coroner incident new` starts one by hand"
            }
            PageError::File(error) => error.hint(),
        }
    }
}

/// Reads a failure page, a failure log, a list of post-mortems, or an export of ours.
///
/// Nothing is made up: a label that a record does not carry stays empty.
pub fn read(text: &str, name: &str) -> Result<Page, PageError> {
    if text.len() > PAGE_BYTES_MAX {
        return Err(PageError::TooLarge { name: name.to_owned(), bytes: text.len() });
    }
    let text = text.trim_start_matches('\u{feff}');
    if text.trim().is_empty() {
        return Err(PageError::Empty { name: name.to_owned() });
    }
    if let Some(export) = crate::incident_file::read(text, name)? {
        return Ok(Page { incidents: export.incidents, problems: export.problems, ..Page::default() });
    }
    let text = text.replace("\r\n", "\n");
    let slashes = date::slash_order(&text);
    let is_html = html::looks_like(&text, name);
    let is_markdown = !is_html && markdown::looks_like(&text, name);
    let blocks = match (is_html, is_markdown) {
        (true, _) => html::blocks(&text),
        (false, true) => markdown::blocks(&text),
        (false, false) => text::blocks(&text),
    };
    let pieces = piece::pieces(&blocks, slashes);
    let itemised = log::itemised(&pieces);
    let listed = if itemised.is_some() { None } else { log::listed(&pieces) };
    let mut records = record::records(itemised.as_deref().or(listed.as_deref()).unwrap_or(&pieces));
    for record in &mut records {
        incident::settle_title(record, slashes);
    }
    let records = accepted(records, itemised.is_some());
    let list = match (is_html, is_markdown) {
        (true, _) => links::read(&html::linked_blocks(&text), slashes),
        (false, true) => links::read(&blocks, slashes),
        (false, false) => None,
    };
    match list {
        Some(list) if list.incidents.len() > records.len() => {
            Ok(Page { incidents: list.incidents, links: list.links, problems: list.problems, drafts: Vec::new() })
        }
        _ if records.is_empty() => Err(PageError::NotAPage { name: name.to_owned() }),
        _ => Ok(assemble(records, &blocks, slashes)),
    }
}

/// Keeps what is a record: titled, and labelled or dated like an account of a failure.
fn accepted(records: Vec<Record>, itemised: bool) -> Vec<Record> {
    let explicit = |r: &Record| log::number(&r.title).is_some_and(|n| n.explicit);
    let a_log = itemised || records.iter().filter(|r| explicit(r)).count() * 2 > records.len();
    let told = |r: &Record| {
        let fields: BTreeSet<Field> =
            r.parts.iter().filter_map(|p| if let Label::Field(f, _) = p.label { Some(f) } else { None }).collect();
        let names: BTreeSet<String> = r.parts.iter().map(|p| label::normal(&p.name)).collect();
        let strong = r.parts.iter().any(|p| p.label.tells_of_failure(&p.name));
        let placed = r.meta.places() || r.meta.severity.is_some();
        let graded =
            r.meta.places() && (r.meta.severity.is_some() || r.meta.bare_status.is_some() || r.meta.status.is_some());
        strong && (names.len() >= 2 || placed) || graded && (!fields.is_empty() || !r.loose.is_empty())
    };
    let page_of_records = records.iter().any(told);
    let numbered = |r: &Record| log::number_of(r).is_some();
    let all_numbered =
        records.iter().filter(|r| told(r) && numbered(r)).count() * 2 > records.iter().filter(|r| told(r)).count();
    let kept = |r: &Record| {
        let something = !r.parts.is_empty() || !r.loose.is_empty();
        let dated = page_of_records && r.meta.date.is_some() && r.meta.severity.is_some();
        let sibling = dated || all_numbered && numbered(r) && !r.parts.is_empty();
        !r.title.is_empty() && (told(r) || sibling || a_log && (numbered(r) && something || explicit(r)))
    };
    records.into_iter().filter(kept).collect()
}

fn assemble(mut records: Vec<Record>, blocks: &[block::Block], slashes: date::SlashOrder) -> Page {
    let numbers: Vec<Option<log::Numbered>> = records.iter().map(log::number_of).collect();
    let numbered = numbers.iter().flatten().count();
    let a_log = is_a_log(&records, &numbers);
    for (record, number) in records.iter_mut().zip(&numbers) {
        if let Some(number) = number.as_ref().filter(|n| n.explicit || numbered * 2 >= numbers.len()) {
            record.title.clone_from(&number.title);
            incident::settle_title(record, slashes);
        }
    }
    let mut page = Page::default();
    let graded_bare = records.iter().any(|r| r.meta.severity.as_ref().is_some_and(|s| !s.labelled));
    let mut ids = BTreeSet::new();
    let mut kept = Vec::new();
    for (record, number) in records.into_iter().zip(numbers) {
        let number = number.map(|n| n.number).or(record.meta.number);
        if a_log {
            page.drafts.push(log::draft(&record, number, &record.title));
        }
        if a_log && record.meta.date.is_none() {
            continue;
        }
        let mut incident = incident::incident(&record, graded_bare, &mut ids, &mut page.problems);
        if let Some(number) = number.filter(|n| a_log && !incident.pattern_numbers.contains(n)) {
            incident.pattern_numbers.insert(0, number);
        }
        page.incidents.push(incident);
        kept.push(record);
    }
    let held = claims::Held { records: &kept, incidents: &page.incidents };
    let about_page = if a_log { Vec::new() } else { claims::problems(blocks, &held) };
    page.problems.splice(0..0, about_page);
    page.problems.dedup();
    page
}

/// Whether a page is a failure log: its entries are numbered, and not all are dated events.
fn is_a_log(records: &[Record], numbers: &[Option<log::Numbered>]) -> bool {
    let numbered: Vec<(&Record, &log::Numbered)> =
        records.iter().zip(numbers).filter_map(|(r, n)| Some((r, n.as_ref()?))).collect();
    if numbered.is_empty() || numbered.len() * 2 < records.len() {
        return false;
    }
    let explicit = numbered.iter().filter(|(_, n)| n.explicit).count();
    // An incident may lack its date too, but says so; an entry of a log needs none.
    let timeless = |r: &Record| r.meta.date.is_none() && r.meta.date_text.is_none() && !r.meta.recurring;
    // One date forgotten among many makes no log.
    let timeless = numbered.iter().filter(|(r, n)| timeless(r) && !n.of_incident).count();
    explicit * 2 > records.len() || timeless * 5 > numbered.len()
}

/// Problems that an incident shows by itself, wherever it came from.
pub fn own_problems(incident: &Incident) -> Vec<Problem> {
    let mut out = Vec::new();
    if incident.date.is_none() {
        let text = format!("\"{}\" carries no date.", incident.title);
        out.push(Problem { kind: ProblemKind::Undated, incident: Some(incident.id.clone()), text });
    }
    out.extend(incident.contradictions.iter().map(|text| Problem {
        kind: ProblemKind::Contradiction,
        incident: Some(incident.id.clone()),
        text: text.clone(),
    }));
    out
}
