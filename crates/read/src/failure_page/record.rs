//! Cuts the pieces of a page into records: where one begins, what its title is, to which group it belongs.

use super::label::{Field, Label, normal};
use super::meta::{self, Meta};
use super::piece::{Piece, Sense};

/// A labelled part of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    pub name: String,
    pub label: Label,
    pub text: String,
}

/// A record as it stands on the page, before its words are mapped to ours.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Record {
    pub title: String,
    /// Names of the groups that it stands in, outermost first.
    pub groups: Vec<String>,
    pub meta: Meta,
    pub parts: Vec<Part>,
    /// Text of the record that stands under no label.
    pub loose: String,
    /// Block of its title.
    pub block: usize,
    /// Whether a heading of its own opened it.
    pub headed: bool,
}

impl Record {
    /// The labelled text of that field with the best fitting label.
    pub fn part(&self, field: Field) -> Option<&Part> {
        self.parts
            .iter()
            .filter(|p| !p.text.is_empty())
            .filter_map(|p| match p.label {
                Label::Field(f, rank) if f == field => Some((rank, p)),
                _ => None,
            })
            .min_by_key(|(rank, _)| *rank)
            .map(|(_, part)| part)
    }
}

/// How many pieces ahead a record's first label may stand behind its first header line.
const HEADER_PIECES_MAX: usize = 8;

/// Cuts a page into records, in their order.
pub fn records(pieces: &[Piece]) -> Vec<Record> {
    let shape = Shape::of(pieces);
    let mut cutter =
        Cutter { pieces, shape, out: Vec::new(), current: None, zone: Vec::new(), stack: Vec::new(), group: None };
    for i in 0..pieces.len() {
        cutter.take(i);
    }
    cutter.close();
    cutter.out
}

/// What the page as a whole shows of its layout.
#[derive(Clone, Copy, Debug, Default)]
struct Shape {
    /// Records are opened by headings of their own.
    headed: bool,
    /// There are headings at all.
    headings: bool,
    /// Lines are wrapped, so a short line may be the end of a sentence.
    wrapped: bool,
    /// A single top heading names the page.
    page_title: bool,
    /// A severity stands alone right before the first label.
    severity_slot: bool,
}

impl Shape {
    fn of(pieces: &[Piece]) -> Shape {
        let mut shape =
            Shape { headings: pieces.iter().any(|p| matches!(p.sense, Sense::Heading(_))), ..Shape::default() };
        shape.page_title = pieces.iter().filter(|p| p.sense == Sense::Heading(1)).count() == 1;
        let (mut clusters, mut headed, mut slots) = (0, 0, 0);
        let mut zone: Vec<&Piece> = Vec::new();
        for piece in pieces {
            match &piece.sense {
                Sense::Field { .. } if zone.is_empty() => {}
                Sense::Field { .. } => {
                    let title = zone.iter().rev().find(|p| matches!(p.sense, Sense::Heading(_)));
                    if title.is_some()
                        || zone.iter().any(|p| !matches!(p.sense, Sense::Prose | Sense::Item { .. } | Sense::Code))
                    {
                        clusters += 1;
                    }
                    headed += usize::from(title.is_some_and(|p| !names_a_group(&p.text)));
                    slots += usize::from(zone.last().is_some_and(|p| bare_severity(p)));
                    zone.clear();
                }
                _ => zone.push(piece),
            }
        }
        shape.headed = clusters > 0 && headed * 10 >= clusters * 6;
        shape.severity_slot = clusters > 1 && slots * 2 >= clusters;
        let lines: Vec<usize> = pieces
            .iter()
            .filter(|p| matches!(p.sense, Sense::Prose | Sense::Field { .. }))
            .map(|p| p.text.chars().count())
            .collect();
        let follow = pieces
            .windows(2)
            .filter(|w| {
                !w[1].gap
                    && matches!(w[1].sense, Sense::Prose | Sense::Short)
                    && matches!(w[0].sense, Sense::Prose | Sense::Field { .. })
            })
            .count();
        shape.wrapped =
            !shape.headings && lines.iter().all(|n| *n <= 130) && follow * 3 >= lines.len() && lines.len() >= 3;
        shape
    }
}

fn bare_severity(piece: &Piece) -> bool {
    matches!(&piece.sense, Sense::Meta { meta, .. } if meta.severity.as_ref().is_some_and(|s| !s.labelled) && !meta.places())
}

fn names_a_group(text: &str) -> bool {
    meta::category(text).is_some() && text.split_whitespace().count() <= 4
}

struct Cutter<'a> {
    pieces: &'a [Piece],
    shape: Shape,
    out: Vec<Record>,
    current: Option<Record>,
    /// Indices of pieces since the last record: what may be the next one's header.
    zone: Vec<usize>,
    /// Open headings, outermost first.
    stack: Vec<(u8, String)>,
    /// The last group name that was no heading.
    group: Option<String>,
}

impl Cutter<'_> {
    fn take(&mut self, i: usize) {
        let piece = &self.pieces[i];
        match &piece.sense {
            Sense::Heading(level) => {
                let above = self.facts_above(i);
                self.zone.retain(|z| !above.contains(z));
                self.close();
                self.stack.retain(|(l, _)| l < level);
                self.stack.push((*level, piece.text.clone()));
                self.zone.push(i);
                self.zone.extend(above);
            }
            Sense::Meta { meta, keyed } => self.header(i, meta, *keyed),
            Sense::Field { name, label } => self.field(i, name, *label, piece),
            Sense::Short if self.current.is_some() && (self.starts_record(i) || self.ends_record(i)) => {
                self.close();
                self.zone.push(i);
            }
            _ => self.prose(i, piece),
        }
    }

    /// Header facts right above a heading that has none below it: they are its own.
    fn facts_above(&self, i: usize) -> Vec<usize> {
        let places = |p: &Piece| matches!(&p.sense, Sense::Meta { meta, .. } if meta.places());
        let until_label =
            self.pieces[i + 1..].iter().take_while(|p| !matches!(p.sense, Sense::Heading(_) | Sense::Field { .. }));
        let count = until_label.clone().count();
        let labelled = self.pieces.get(i + 1 + count).is_some_and(|p| matches!(p.sense, Sense::Field { .. }));
        if !labelled || until_label.into_iter().any(places) {
            return Vec::new();
        }
        let is_meta = |z: &usize| matches!(self.pieces[*z].sense, Sense::Meta { .. });
        let tail = self.zone.iter().rev().take_while(|z| is_meta(z)).count();
        let above = self.zone[self.zone.len() - tail..].to_vec();
        if self.current.is_none() && above.iter().any(|z| places(&self.pieces[*z])) { above } else { Vec::new() }
    }

    fn header(&mut self, i: usize, meta: &Meta, keyed: bool) {
        let starts = self.starts_record(i);
        let Some(current) = &mut self.current else {
            self.zone.push(i);
            return;
        };
        let own = keyed && !current.meta.clashes(meta) && (current.headed || !starts);
        if own || !current.headed && !meta.places() && !starts && !current.meta.clashes(meta) {
            current.meta.absorb(meta.clone());
            return;
        }
        self.close();
        self.zone.push(i);
    }

    fn field(&mut self, i: usize, name: &str, label: Label, piece: &Piece) {
        let again = self.current.as_ref().is_some_and(|c| {
            c.parts.first().is_some_and(|p| normal(&p.name) == normal(name)) && c.parts.len() > 1 && !c.headed
        });
        if again {
            self.close();
        }
        if self.current.is_none() && label == Label::Other && !self.shape.headed {
            self.zone.push(i);
            return;
        }
        if self.current.is_none() {
            self.open(i);
        }
        if let Some(current) = &mut self.current {
            current.parts.push(Part { name: name.to_owned(), label, text: piece.text.clone() });
        }
    }

    fn prose(&mut self, i: usize, piece: &Piece) {
        let Some(current) = &mut self.current else {
            self.zone.push(i);
            return;
        };
        let Some(part) = current.parts.last_mut() else { return };
        append(&mut part.text, piece);
    }

    /// Whether a new record's header begins here: short lines and header facts up to a label.
    fn starts_record(&self, i: usize) -> bool {
        let piece = &self.pieces[i];
        if matches!(piece.sense, Sense::Short) && !self.boundary(i) {
            return false;
        }
        let mut facts = matches!(piece.sense, Sense::Meta { .. });
        for next in self.pieces.iter().skip(i + 1).take(HEADER_PIECES_MAX) {
            match &next.sense {
                // Behind an empty line a record's own title opens it; what stands before is the last one's.
                Sense::Meta { meta, .. } if facts && next.gap && meta.title.is_some() => return false,
                Sense::Meta { .. } => facts = true,
                Sense::Short => {}
                Sense::Field { name, label } => {
                    let opening = self
                        .out
                        .first()
                        .or(self.current.as_ref())
                        .and_then(|r| r.parts.first())
                        .is_some_and(|p| normal(&p.name) == normal(name));
                    return (facts || opening) && !matches!(label, Label::Key(_));
                }
                _ => return false,
            }
        }
        false
    }

    /// Whether a short line ends the record before it without opening another.
    fn ends_record(&self, i: usize) -> bool {
        let filled = self.current.as_ref().and_then(|c| c.parts.last()).is_some_and(|p| !p.text.is_empty());
        !self.shape.headings && filled && self.boundary(i)
    }

    fn boundary(&self, i: usize) -> bool {
        let piece = &self.pieces[i];
        let Some(before) = i.checked_sub(1).map(|b| &self.pieces[b]) else { return true };
        let ended = before.text.trim_end().ends_with(['.', '!', '?', ')', '"', '”', '\'', '`', '…']);
        piece.gap || matches!(before.sense, Sense::Meta { .. } | Sense::Item { .. }) || ended && !self.shape.wrapped
    }

    /// Opens a record from the header zone.
    fn open(&mut self, at: usize) {
        let zone = std::mem::take(&mut self.zone);
        let header = Header::read(&zone, self.pieces, self.shape);
        if let Some(group) = header.group {
            self.group = Some(group);
        }
        // The one top heading is the page's title, no group.
        let skip = |level: u8| level == 1 && self.shape.page_title;
        let open = self.stack.len() - usize::from(header.headed && !self.stack.is_empty());
        let mut groups: Vec<String> =
            self.stack[..open].iter().filter(|(l, _)| !skip(*l)).map(|(_, text)| text.clone()).collect();
        if !header.headed {
            groups.extend(self.group.clone());
        }
        self.current = Some(Record {
            title: header.title,
            groups,
            meta: header.meta,
            parts: Vec::new(),
            loose: header.loose,
            block: header.block.unwrap_or(self.pieces[at].block),
            headed: header.headed,
        });
    }

    /// Ends the current record; a header without labels is one too if it is dated.
    fn close(&mut self) {
        if let Some(done) = self.current.take() {
            self.out.push(done);
            self.group = self.group.take().filter(|_| !self.shape.headings || !self.shape.headed);
            return;
        }
        let dated = |p: &Piece| matches!(&p.sense, Sense::Meta { meta, .. } if meta.places() || meta.title.is_some());
        let titled = |p: &Piece| {
            matches!(p.sense, Sense::Heading(_)) && meta::trim_title(&p.text, Default::default()).1.places()
        };
        let own = self.zone.iter().rposition(|z| matches!(self.pieces[*z].sense, Sense::Heading(_)));
        let zone: Vec<usize> = self.zone.split_off(own.unwrap_or(0));
        let pieces: Vec<&Piece> = zone.iter().map(|z| &self.pieces[*z]).collect();
        let told = pieces.iter().any(|p| matches!(p.sense, Sense::Prose | Sense::Item { .. } | Sense::Code));
        let graded = pieces.iter().any(|p| matches!(&p.sense, Sense::Meta { meta, .. } if meta.severity.is_some()));
        let is_record = pieces.iter().any(|p| dated(p)) && (told || graded)
            || own.is_some() && (pieces.iter().any(|p| titled(p)) || numbered(&pieces)) && told;
        self.zone.clear();
        if is_record
            && (own.is_some() || pieces.iter().any(|p| matches!(p.sense, Sense::Short)))
            && own.is_none_or(|_| !names_a_group(&pieces[0].text))
        {
            self.zone = zone;
            let block = pieces.first().map_or(0, |p| p.block);
            let last = self.zone.last().copied().unwrap_or(0);
            self.open(last);
            if let Some(mut record) = self.current.take() {
                record.block = block;
                self.out.push(record);
            }
        } else {
            // A group's heading stays in sight for the short titles below it.
            self.zone = Vec::new();
        }
    }
}

fn numbered(pieces: &[&Piece]) -> bool {
    pieces.first().is_some_and(|p| super::log::number(&p.text).is_some())
}

/// Adds a piece to a text, keeping paragraphs, lists and code apart.
pub fn append(text: &mut String, piece: &Piece) {
    let line = match &piece.sense {
        Sense::Item { depth, number } => {
            let mark = number.map_or("-".to_owned(), |n| format!("{n}."));
            format!("{}{mark} {}", "  ".repeat(*depth), piece.text)
        }
        Sense::Sub(level) => format!("{} {}", "#".repeat(usize::from(*level).max(4)), piece.text),
        _ => piece.text.clone(),
    };
    if !text.is_empty() {
        let item = matches!(piece.sense, Sense::Item { .. });
        let behind_item = text.lines().next_back().is_some_and(|l| l.trim_start().starts_with("- "));
        text.push_str(match (item, piece.gap) {
            (true, _) if behind_item || !piece.gap => "\n",
            (false, false) if !matches!(piece.sense, Sense::Code | Sense::Sub(_)) => " ",
            _ => "\n\n",
        });
    }
    text.push_str(&line);
}

/// The header of a record, read from the pieces before its first label.
#[derive(Default)]
struct Header {
    title: String,
    group: Option<String>,
    meta: Meta,
    loose: String,
    block: Option<usize>,
    headed: bool,
}

impl Header {
    fn read(zone: &[usize], pieces: &[Piece], shape: Shape) -> Header {
        let zone: Vec<&Piece> = zone.iter().map(|z| &pieces[*z]).collect();
        let last_heading = zone.iter().rposition(|p| matches!(p.sense, Sense::Heading(_)));
        let from = last_heading.unwrap_or(0);
        let mut shorts: Vec<usize> = (from..zone.len()).filter(|i| matches!(zone[*i].sense, Sense::Short)).collect();
        let mut header = Header::default();
        let severity_given =
            zone.iter().any(|p| matches!(&p.sense, Sense::Meta { meta, .. } if meta.severity.is_some()));
        if shape.severity_slot
            && !severity_given
            && shorts.last().is_some_and(|s| s + 1 == zone.len() && is_word(&zone[*s].text))
            && (shorts.len() > 1 || last_heading.is_some())
        {
            let status =
                zone.iter().any(|p| matches!(&p.sense, Sense::Meta { meta, .. } if meta.bare_status.is_some()));
            if let Some(slot) = shorts.pop().filter(|_| !status) {
                header.meta.absorb(meta::keyed(super::label::Key::Severity, &zone[slot].text, Default::default()));
            }
        }
        let heading = last_heading.filter(|h| {
            shape.headed && !names_a_group(&zone[*h].text) || shorts.is_empty() && !zone[*h].text.is_empty()
        });
        let titled = |p: &&Piece| matches!(&p.sense, Sense::Meta { meta, .. } if meta.title.is_some());
        let keyed_at = zone.iter().rposition(titled);
        let keyed_title = keyed_at.and_then(|at| match &zone[at].sense {
            Sense::Meta { meta, .. } => meta.title.clone(),
            _ => None,
        });
        let facts = zone.iter().rposition(|p| matches!(p.sense, Sense::Meta { .. }));
        let title_at = match (&keyed_title, heading) {
            (Some(_), _) => keyed_at,
            (None, Some(heading)) => Some(heading),
            (None, None) => shorts.pop().or_else(|| sentence_title(&zone, facts)),
        };
        header.headed = heading.is_some() && title_at == heading;
        header.title = keyed_title.or_else(|| title_at.map(|t| zone[t].text.clone())).unwrap_or_default();
        let begin = if header.headed { title_at.unwrap_or(from) } else { begin(&zone, title_at, from) };
        if !header.headed {
            header.group = shorts.iter().rev().find(|s| **s < begin).map(|s| zone[*s].text.clone());
        }
        header.fill(&zone, title_at, begin);
        header
    }

    /// Takes the facts and the loose text that belong to the title.
    fn fill(&mut self, zone: &[&Piece], title_at: Option<usize>, start: usize) {
        self.block = title_at.or(Some(start)).and_then(|t| zone.get(t)).map(|p| p.block);
        for (i, piece) in zone.iter().enumerate().skip(start) {
            match &piece.sense {
                Sense::Meta { meta, .. } => self.meta.absorb((**meta).clone()),
                Sense::Prose | Sense::Item { .. } | Sense::Code if title_at.is_some_and(|t| i > t) => {
                    append(&mut self.loose, piece)
                }
                Sense::Short if self.headed && title_at.is_some_and(|t| i > t) => append(&mut self.loose, piece),
                _ => {}
            }
        }
        self.meta.title = None;
    }
}

/// Where a record's own header begins: what stands before it (figures of the page, a group) is not its own.
fn begin(zone: &[&Piece], title_at: Option<usize>, from: usize) -> usize {
    let mut begin = zone.len();
    let mut own = Meta::default();
    for i in (from..zone.len()).rev() {
        let before_title = title_at.is_some_and(|t| i < t);
        match &zone[i].sense {
            Sense::Meta { meta, .. } if before_title && own.clashes(meta) => break,
            Sense::Meta { meta, .. } => {
                own.absorb((**meta).clone());
                begin = i;
            }
            _ if title_at == Some(i) => begin = i,
            _ if before_title => break,
            _ => {}
        }
    }
    begin
}

/// A title that ends in a full stop, right beside the header facts.
fn sentence_title(zone: &[&Piece], facts: Option<usize>) -> Option<usize> {
    let facts = facts?;
    let near = [facts + 1, facts.wrapping_sub(1)];
    near.into_iter()
        .find(|i| zone.get(*i).is_some_and(|p| matches!(p.sense, Sense::Prose) && p.text.chars().count() <= 160))
}

fn is_word(text: &str) -> bool {
    text.split_whitespace().count() <= 2 && text.chars().count() <= 24
}
