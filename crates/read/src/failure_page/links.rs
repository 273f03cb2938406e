//! Lists of links to post-mortems: each entry becomes the stub of an incident.

use std::collections::BTreeSet;

use coroner_model::incident::{Incident, Problem, ProblemKind};

use super::Link;
use super::block::{Block, Kind};
use super::date::{self, SlashOrder};
use super::incident::unique_id;
use super::meta;
use super::pattern::pattern;

pattern!(
    LINKED,
    r"^\W*?\[((?:[^\[\]]|\[[^\]]*\])+)\]\((<?[a-z][a-z0-9+.-]*://(?:[^\s()<>]|\([^\s()]*\))+>?)[^)]*\)[*_]*\s*(.*)$"
);
pattern!(ANY_LINK, r"\[([^\[\]]+)\]\([^)\s]+\)");
pattern!(
    FAILURE_WORDS,
    r"(?i)\b(?:post-?\s?mortems?|incidents?|outages?|downtime|failures?|disasters?|root causes?|crash(?:ed|es)?|breach(?:es)?)\b"
);

pattern!(LIST_WORDS, r"(?i)\b(?:post-?\s?mortems|outages|failure stories|incident reports)\b");

/// The link list of a page, if it is one.
pub struct List {
    pub incidents: Vec<Incident>,
    pub links: Vec<Link>,
    pub problems: Vec<Problem>,
}

/// Longest title made of a link's text and its first sentence, in characters.
const TITLE_CHARS_MAX: usize = 100;

/// Reads a list of links to post-mortems; `None` where the links are about something else.
pub fn read(blocks: &[Block], slashes: SlashOrder) -> Option<List> {
    let mut entries: Vec<Entry> = Vec::new();
    let mut group: Option<String> = None;
    let mut page_title = None;
    let mut nested = false;
    for block in blocks {
        match &block.kind {
            Kind::Heading(level) => {
                page_title = page_title.or((*level == 1).then(|| block.text.clone()));
                group = (*level > 1).then(|| block.text.clone());
                nested = false;
            }
            Kind::Item { depth, .. } if *depth > 0 && nested => {
                if let Some(last) = entries.last_mut() {
                    last.more.push(format!("- {}", with_lead(block)));
                }
            }
            Kind::Item { .. } | Kind::Text => {
                let linked = entry(&with_lead(block), group.as_deref());
                nested = linked.is_some();
                entries.extend(linked);
            }
            _ => nested = false,
        }
    }
    let told = entries.iter().filter(|e| !e.text.is_empty() || !e.more.is_empty()).count();
    if entries.len() < 2
        || !about_failures(&entries, page_title.as_deref(), blocks)
        || told == 0 && !entries.iter().any(|e| date_of(e, slashes).is_some())
    {
        return None;
    }
    let mut list = List { incidents: Vec::new(), links: Vec::new(), problems: Vec::new() };
    let mut ids = BTreeSet::new();
    for entry in entries.iter().filter(|e| !e.is_contents()) {
        keep(entry, slashes, &mut ids, &mut list);
    }
    (!list.incidents.is_empty()).then_some(list)
}

struct Entry {
    name: String,
    url: String,
    text: String,
    more: Vec<String>,
    group: Option<String>,
}

impl Entry {
    /// An entry of a table of contents, or a badge, is no post-mortem.
    fn is_contents(&self) -> bool {
        self.name.starts_with('!')
    }
}

fn with_lead(block: &Block) -> String {
    match &block.lead {
        Some(lead) => format!("{lead}: {}", block.text),
        None => block.text.clone(),
    }
}

fn entry(text: &str, group: Option<&str>) -> Option<Entry> {
    let hit = LINKED.captures(text)?;
    let description = hit[3].trim_start_matches(['.', ',', ':', '-', '–', '—', ')', ' ', '*']).trim();
    Some(Entry {
        name: hit[1].replace("**", "").replace('`', "").trim().to_owned(),
        url: hit[2].trim_matches(['<', '>']).to_owned(),
        text: ANY_LINK.replace_all(description, "$1").into_owned(),
        more: Vec::new(),
        group: group.map(str::to_owned),
    })
}

/// Whether the page, or most of its entries, speak of failures.
fn about_failures(entries: &[Entry], page_title: Option<&str>, blocks: &[Block]) -> bool {
    let intro = blocks.iter().take(8).filter(|b| !LINKED.is_match(&b.text));
    let said = page_title.is_some_and(|t| FAILURE_WORDS.is_match(t))
        || intro.filter(|b| LIST_WORDS.is_match(&b.text)).count() > 0;
    let told = entries
        .iter()
        .filter(|e| {
            FAILURE_WORDS.is_match(&e.text) || FAILURE_WORDS.is_match(&e.name) || FAILURE_WORDS.is_match(&e.url)
        })
        .count();
    said || told * 2 >= entries.len()
}

fn date_of(entry: &Entry, slashes: SlashOrder) -> Option<date::Found> {
    let full = |text: &str| -> Vec<date::Found> {
        date::find(text, slashes).into_iter().filter(|f| f.day().is_some()).collect()
    };
    let named = full(&entry.name);
    if let Some(first) = named.into_iter().next() {
        return Some(first);
    }
    let mut told = full(&entry.text);
    told.dedup_by(|a, b| a.day() == b.day());
    match told.as_slice() {
        [only] => Some(only.clone()),
        _ => None,
    }
}

fn keep(entry: &Entry, slashes: SlashOrder, ids: &mut BTreeSet<String>, list: &mut List) {
    let date = date_of(entry, slashes);
    let told = [entry.text.clone()]
        .into_iter()
        .chain(entry.more.iter().cloned())
        .filter(|t| !t.is_empty())
        .collect::<Vec<_>>()
        .join("\n");
    let mut incident = Incident {
        title: title(entry),
        date: date.as_ref().and_then(date::Found::rfc3339),
        date_approximate: date.as_ref().is_some_and(|d| d.approximate),
        category: entry.group.as_deref().and_then(meta::category),
        what_happened: Some(told).filter(|t| !t.is_empty()),
        body: format!("Source: <{}>", entry.url),
        ..Incident::default()
    };
    // The same link twice is one incident.
    if list.links.iter().any(|l| l.url == entry.url && l.title == incident.title) {
        return;
    }
    incident.id = unique_id(&incident, ids);
    if incident.date.is_none() {
        let text = format!("\"{}\" carries no full date.", incident.title);
        list.problems.push(Problem { kind: ProblemKind::Undated, incident: Some(incident.id.clone()), text });
    }
    list.links.push(Link { title: incident.title.clone(), url: entry.url.clone(), incident: incident.id.clone() });
    list.incidents.push(incident);
}

/// The link's text; where that is but a name, its first sentence tells what happened.
fn title(entry: &Entry) -> String {
    let (name, _) = meta::trim_title(&entry.name, SlashOrder::Unknown);
    let name = name.trim_end_matches([',', ' ', '-', '–', '—']).to_owned();
    let name = date::find(&name, SlashOrder::Unknown)
        .first()
        .filter(|f| f.span.end == name.len())
        .map_or(name.clone(), |f| name[..f.span.start].trim_end_matches([',', ' ', '-', '–', '—', '(']).to_owned());
    let name = if name.is_empty() { entry.name.clone() } else { name };
    if name.split_whitespace().count() > 2 || entry.text.is_empty() {
        return name;
    }
    let first = super::duration::sentences(&entry.text).first().copied().unwrap_or("").trim_end_matches('.');
    if first.is_empty() {
        return name;
    }
    let whole = format!("{name}: {first}");
    if whole.chars().count() <= TITLE_CHARS_MAX {
        return whole;
    }
    let cut: String = whole.chars().take(TITLE_CHARS_MAX).collect();
    format!("{} …", cut.rsplit_once(' ').map_or(cut.as_str(), |(head, _)| head).trim_end_matches([',', ';', ':']))
}
