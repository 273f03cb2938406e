//! Blocks read as what they mean on a failure page: header, label with its text, title, prose.

use super::block::{Block, Kind};
use super::date::SlashOrder;
use super::label::{self, Field, Key, Label, Learned, classify};
use super::meta::{self, Meta};

/// What a block means, before it is known to which record it belongs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sense {
    Heading(u8),
    /// Header facts; `keyed` where each stands under its own label.
    Meta {
        meta: Box<Meta>,
        keyed: bool,
    },
    Field {
        name: String,
        label: Label,
    },
    /// A heading of a label's words, until its place tells what it is.
    LabelHeading {
        level: u8,
        name: String,
        label: Label,
    },
    /// A heading inside a labelled part.
    Sub(u8),
    /// A short line that ends no sentence: a title, or the name of a group.
    Short,
    Prose,
    Item {
        depth: usize,
        number: Option<u32>,
    },
    Code,
}

/// A block's meaning with its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    pub sense: Sense,
    pub text: String,
    /// Which block of the page it comes from.
    pub block: usize,
    pub gap: bool,
}

/// Longest line that may be a title, in characters.
const TITLE_CHARS_MAX: usize = 160;

/// Reads the blocks of a page as pieces.
pub fn pieces(blocks: &[Block], slashes: SlashOrder) -> Vec<Piece> {
    let running = blocks.iter().filter(|b| b.lead.is_none() && matches!(b.kind, Kind::Text | Kind::Item { .. }));
    let running = running.filter(|b| !(classify(&b.text).is_some() && alone(&b.text))).map(|b| b.text.as_str());
    let page = PageLabels { learned: Learned::of(running, set_off(blocks)), numbered: numbered_labels(blocks) };
    let mut out = Vec::new();
    let mut columns: Vec<String> = Vec::new();
    let mut of_labels = true;
    for (at, block) in blocks.iter().enumerate() {
        match &block.kind {
            Kind::Row { cells, head } => {
                let more = blocks.get(at + 1).is_some_and(|next| matches!(next.kind, Kind::Row { head: false, .. }));
                let first = at == 0 || !matches!(blocks[at - 1].kind, Kind::Row { .. });
                of_labels = if first || *head { names_labels(&blocks[at..]) } else { of_labels };
                if cells.len() == 2 && !of_labels && columns.len() < 2 && !*head {
                    continue;
                }
                let alone = !more && at > 0 && matches!(blocks[at - 1].kind, Kind::Row { head: true, .. });
                row(cells, *head, alone, &mut columns, at, slashes, &mut out);
            }
            _ => {
                columns.clear();
                one(block, at, &page, slashes, &mut out);
            }
        }
    }
    groups(&mut out);
    super::section::settle(&mut out);
    out
}

/// "Data loss" is a label and the name of a group: before a record's header it is the group.
fn groups(pieces: &mut [Piece]) {
    for i in 0..pieces.len() {
        let (name, heading) = match &pieces[i].sense {
            Sense::Field { name, .. } if pieces[i].text.is_empty() => (name.clone(), None),
            Sense::LabelHeading { name, level, .. } => (name.clone(), Some(*level)),
            _ => continue,
        };
        if meta::category(&name).is_none() {
            continue;
        }
        let next = |n: usize| pieces.get(i + n).map(|p| &p.sense);
        let header = match (next(1), next(2)) {
            (Some(Sense::Meta { .. }), _) => true,
            (Some(Sense::Heading(below)), _) => heading.is_none_or(|level| *below > level),
            (Some(Sense::Short), Some(Sense::Meta { .. })) => true,
            (Some(Sense::Short | Sense::Prose), Some(Sense::Heading(below))) => {
                heading.is_some_and(|level| *below > level)
            }
            _ => false,
        };
        if header {
            pieces[i].sense = heading.map_or(Sense::Short, Sense::Heading);
            pieces[i].text = name;
        }
    }
}

/// How many labels of the page are set off by themselves.
fn set_off(blocks: &[Block]) -> usize {
    let field = |text: &str| matches!(classify(text), Some(Label::Field(..)));
    blocks
        .iter()
        .filter(|b| match (&b.lead, &b.kind) {
            (Some(lead), _) => field(lead),
            (None, Kind::Row { cells, .. }) => cells.first().is_some_and(|c| field(c)),
            (None, Kind::Code) => false,
            (None, _) => field(&b.text) && alone(&b.text),
        })
        .count()
}

/// What the page as a whole shows of its labels.
struct PageLabels {
    learned: Learned,
    /// Its labels are numbered (`1. Summary`, `2. Root cause`), so a number makes no section.
    numbered: bool,
}

impl PageLabels {
    fn allows(&self, text: &str) -> bool {
        self.numbered || !text.trim_start().starts_with(|c: char| c.is_ascii_digit())
    }
}

fn numbered_labels(blocks: &[Block]) -> bool {
    let labels =
        blocks.iter().filter(|b| b.text.starts_with(|c: char| c.is_ascii_digit())).filter_map(|b| classify(&b.text));
    let mut fields: Vec<Field> =
        labels.filter_map(|l| if let Label::Field(field, _) = l { Some(field) } else { None }).collect();
    fields.sort_unstable();
    fields.dedup();
    fields.len() >= 2
}

fn one(block: &Block, at: usize, page: &PageLabels, slashes: SlashOrder, out: &mut Vec<Piece>) {
    let mut push = |sense: Sense, text: &str| {
        out.push(Piece { sense, text: text.to_owned(), block: at, gap: block.gap });
    };
    if let Some(lead) = &block.lead {
        match classify(lead) {
            Some(Label::Key(key)) => {
                let meta = with_more(key, &block.text, slashes);
                push(Sense::Meta { meta: Box::new(meta), keyed: true }, &block.text);
            }
            Some(label) => push(Sense::Field { name: lead.clone(), label }, &block.text),
            None => match block.kind {
                // The bold words of a numbered entry are its title.
                Kind::Item { depth, number: number @ Some(_) } => {
                    push(Sense::Item { depth, number }, &format!("**{lead}**: {}", block.text))
                }
                _ => push(Sense::Field { name: lead.clone(), label: Label::Other }, &block.text),
            },
        }
        return;
    }
    match &block.kind {
        Kind::Heading(level) => match classify(&block.text) {
            Some(Label::Key(_)) | None => push(Sense::Heading(*level), &block.text),
            Some(_) if !page.allows(&block.text) => push(Sense::Heading(*level), &block.text),
            Some(label) => {
                push(Sense::LabelHeading { level: *level, name: plain_label(&block.text), label }, &block.text)
            }
        },
        Kind::Code => push(Sense::Code, &block.text),
        Kind::Text | Kind::Item { .. } => {
            let pieces = running(block, at, page, slashes);
            out.extend(pieces);
        }
        Kind::Row { .. } => {}
    }
}

/// A key's value may carry further facts on the same line: `2026-01-23, SEV1`.
fn with_more(key: Key, value: &str, slashes: SlashOrder) -> Meta {
    let mut meta = meta::keyed(key, value, slashes);
    if matches!(key, Key::Date) {
        if let Some(mut more) = meta::read(value, slashes) {
            more.date = None;
            meta.absorb(more);
        }
    } else if let Some(more) = value.split_once(['|', '·']).and_then(|(_, rest)| meta::read(rest, slashes)) {
        meta.absorb(more);
    }
    meta
}

fn plain_label(text: &str) -> String {
    text.trim().trim_end_matches([':', '：']).trim_start_matches(|c: char| !c.is_alphabetic()).to_owned()
}

/// Reads a line or paragraph that has no marked label in front.
fn running(block: &Block, at: usize, page: &PageLabels, slashes: SlashOrder) -> Vec<Piece> {
    let text = block.text.trim();
    let piece = |sense: Sense, text: &str| Piece { sense, text: text.to_owned(), block: at, gap: block.gap };
    let bare = text.trim_matches(['*', '_']);
    if let Some(meta) = meta::read(text, slashes) {
        let first_key = text.split_once(':').and_then(|(key, _)| classify(key));
        let keyed = matches!(first_key, Some(Label::Key(_)));
        return vec![piece(Sense::Meta { meta: Box::new(meta), keyed }, text)];
    }
    if let Some(label) = classify(bare).filter(|l| !matches!(l, Label::Key(_)) && alone(bare) && page.allows(bare)) {
        return vec![piece(Sense::Field { name: plain_label(bare), label }, "")];
    }
    if let Some(parts) = label::split(text, &page.learned) {
        return parts
            .into_iter()
            .enumerate()
            .map(|(n, part)| {
                let sense = match part.label {
                    Label::Key(key) => {
                        Sense::Meta { meta: Box::new(meta::keyed(key, &part.text, slashes)), keyed: true }
                    }
                    label => Sense::Field { name: part.name, label },
                };
                Piece { sense, text: part.text, block: at, gap: block.gap && n == 0 }
            })
            .collect();
    }
    let sense = match block.kind {
        Kind::Item { depth, number } => Sense::Item { depth, number },
        _ if is_short(text) => Sense::Short,
        _ => Sense::Prose,
    };
    vec![piece(sense, text)]
}

/// Whether a line that consists of a label's words is one: `Fix`, `Root cause:`.
fn alone(text: &str) -> bool {
    text.starts_with(|c: char| c.is_uppercase() || !c.is_alphabetic()) && !text.ends_with(['.', '!'])
}

fn is_short(text: &str) -> bool {
    text.chars().count() <= TITLE_CHARS_MAX
        && !text.ends_with(['.', ';', ','])
        && text.chars().any(char::is_alphanumeric)
}

/// Names of columns that hold what a record is called where none is called *title*.
const NAMES_A_RECORD: &[&str] = &[
    "failure",
    "outage",
    "mistake",
    "event",
    "anti-pattern",
    "antipattern",
    "pattern",
    "post-mortem",
    "postmortem",
    "bug",
];

/// Whether the table that begins here names labels in its first column, rather than a label's word by chance.
fn names_labels(table: &[Block]) -> bool {
    let rows = table.iter().enumerate().map_while(|(n, block)| match &block.kind {
        Kind::Row { cells, head } if n == 0 || !*head => Some((cells, *head)),
        _ => None,
    });
    let (mut labels, mut others): (usize, usize) = (0, 0);
    for (cells, _) in rows.filter(|(cells, head)| !head && cells.len() == 2) {
        let is_label = cells.first().is_some_and(|c| c.is_empty() || classify(c).is_some());
        *(if is_label { &mut labels } else { &mut others }) += 1;
    }
    labels >= others
}

/// A table whose columns are labels holds a record a row; one of two columns holds label and text.
///
/// A row that is `alone` and names no title tells of the record that it stands in.
fn row(
    cells: &[String],
    head: bool,
    alone: bool,
    columns: &mut Vec<String>,
    at: usize,
    slashes: SlashOrder,
    out: &mut Vec<Piece>,
) {
    let labels = cells.iter().filter(|c| classify(c).is_some()).count();
    if head || columns.is_empty() && labels >= 3 {
        let keys = head && cells.iter().all(|c| matches!(classify(c), Some(Label::Key(_))));
        let of_records = labels >= 3 || labels == 2 && cells.len() > 2 || keys;
        *columns = if of_records { cells.to_vec() } else { vec![String::new()] };
        if of_records || labels == 0 {
            return;
        }
    }
    let piece = |sense: Sense, text: &str| Piece { sense, text: text.to_owned(), block: at, gap: true };
    if columns.len() > 1 {
        let mut whole = Meta::default();
        let mut fields = Vec::new();
        for (name, value) in columns.iter().zip(cells).filter(|(_, v)| !v.is_empty()) {
            match classify(name) {
                Some(Label::Key(key)) => whole.absorb(meta::keyed(key, value, slashes)),
                Some(label) => fields.push((name, label, value)),
                None => fields.push((name, Label::Other, value)),
            }
        }
        let named = |name: &&String| NAMES_A_RECORD.contains(&super::label::normal(name).as_str());
        if let (None, Some((at, name))) = (&whole.title, columns.iter().enumerate().find(|(_, c)| named(c))) {
            whole.title = cells.get(at).filter(|v| !v.is_empty()).cloned();
            fields.retain(|(field, ..)| *field != name);
        }
        // A table with a record a row needs something to call the record by.
        if whole.title.is_none() && !(alone && (whole.places() || whole.severity.is_some())) {
            return;
        }
        let keyed = whole.title.is_none();
        out.push(piece(Sense::Meta { meta: Box::new(whole), keyed }, ""));
        for (name, label, value) in fields {
            out.push(piece(Sense::Field { name: name.clone(), label }, value));
        }
        return;
    }
    let [name, value] = cells else { return };
    match classify(name) {
        Some(Label::Key(key)) => {
            out.push(piece(Sense::Meta { meta: Box::new(meta::keyed(key, value, slashes)), keyed: true }, value))
        }
        Some(label) => out.push(piece(Sense::Field { name: plain_label(name), label }, value)),
        None => {}
    }
}
