//! Which headings open a record, which are its labels, and which lie inside a label's text.

use std::collections::BTreeSet;

use super::label::{Field, Label};
use super::piece::{Piece, Sense};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Class {
    /// Names the page, a section, a group or a record.
    Title,
    /// Names a labelled part.
    Part,
    /// Stands inside a labelled part.
    Sub,
}

/// A heading and its place in the tree of headings.
struct Node {
    at: usize,
    level: u8,
    parent: Option<usize>,
    field: Option<Field>,
    class: Class,
}

/// Settles each heading whose words may be a label by what stands beside it.
///
/// `Root cause` beside `Summary` is a label of the record above them; beside
/// sections that hold records of their own it is a section of the page.
pub fn settle(pieces: &mut [Piece]) {
    let mut nodes = tree(pieces);
    for n in 0..=nodes.len() {
        // Parents come before their children; the page itself is the last round's first.
        let parent = n.checked_sub(1);
        let inside = parent.is_some_and(|p| nodes[p].class != Class::Title);
        let children: Vec<usize> = (0..nodes.len()).filter(|c| nodes[*c].parent == parent).collect();
        let classes = classes(&nodes, &children, parent, inside, pieces);
        for (child, class) in children.into_iter().zip(classes) {
            nodes[child].class = class;
        }
    }
    for node in &nodes {
        apply(node, &mut pieces[node.at]);
    }
}

fn tree(pieces: &[Piece]) -> Vec<Node> {
    let mut nodes: Vec<Node> = Vec::new();
    let mut open: Vec<usize> = Vec::new();
    for (at, piece) in pieces.iter().enumerate() {
        let (level, field) = match &piece.sense {
            Sense::Heading(level) => (*level, None),
            Sense::LabelHeading { level, label: Label::Field(field, _), .. } => (*level, Some(*field)),
            Sense::LabelHeading { level, .. } => (*level, None),
            _ => continue,
        };
        open.retain(|n| nodes[*n].level < level);
        nodes.push(Node { at, level, parent: open.last().copied(), field, class: Class::Title });
        open.push(nodes.len() - 1);
    }
    nodes
}

fn classes(nodes: &[Node], children: &[usize], parent: Option<usize>, inside: bool, pieces: &[Piece]) -> Vec<Class> {
    if inside {
        return vec![Class::Sub; children.len()];
    }
    let is_label = |c: usize| matches!(pieces[nodes[c].at].sense, Sense::LabelHeading { .. });
    let labels: BTreeSet<Field> = children.iter().filter_map(|c| nodes[*c].field).collect();
    let plain: Vec<usize> = children.iter().copied().filter(|c| !is_label(*c)).collect();
    let a_page = plain.iter().any(|c| holds_record(nodes, *c, pieces));
    let below_a_title = parent.is_some_and(|p| nodes[p].level >= 2);
    let of_a_record = !a_page && !labels.is_empty() && (labels.len() >= 2 || plain.is_empty() || below_a_title);
    let depth = children.iter().filter(|c| is_label(**c)).map(|c| nodes[*c].level).min().unwrap_or(0);
    let class = |c: usize| match (of_a_record, is_label(c)) {
        (true, true) => Class::Part,
        // Plain headings between the labels of a record are labels that no list knows.
        (true, false) if nodes[c].level >= depth && (parent.is_some() || labels.len() >= 3) => Class::Part,
        _ => Class::Title,
    };
    children.iter().map(|c| class(*c)).collect()
}

/// Whether a record stands below a heading: labels of two kinds, or a dated header.
fn holds_record(nodes: &[Node], node: usize, pieces: &[Piece]) -> bool {
    let end = nodes[node + 1..].iter().find(|n| n.level <= nodes[node].level).map_or(pieces.len(), |n| n.at);
    let inner = &pieces[nodes[node].at + 1..end];
    let fields: BTreeSet<Field> = inner
        .iter()
        .filter_map(|p| match &p.sense {
            Sense::Field { label: Label::Field(field, _), .. }
            | Sense::LabelHeading { label: Label::Field(field, _), .. } => Some(*field),
            _ => None,
        })
        .collect();
    fields.len() >= 2 || inner.iter().any(|p| matches!(&p.sense, Sense::Meta { meta, .. } if meta.places()))
}

fn apply(node: &Node, piece: &mut Piece) {
    let (name, label) = match &piece.sense {
        Sense::LabelHeading { name, label, .. } => (name.clone(), *label),
        _ => (piece.text.trim_end_matches(':').to_owned(), Label::Other),
    };
    match node.class {
        Class::Title => piece.sense = Sense::Heading(node.level),
        Class::Sub => piece.sense = Sense::Sub(node.level),
        Class::Part => {
            piece.sense = Sense::Field { name, label };
            piece.text.clear();
        }
    }
}
