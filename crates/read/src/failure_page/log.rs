//! Failure logs: numbered entries, each a failure that must not be repeated.

use coroner_model::incident::PatternDraft;

use super::date::SlashOrder;
use super::label::Learned;
use super::label::candidates;
use super::meta::{self, Meta};
use super::pattern::pattern;
use super::piece::{Piece, Sense};
use super::record::Record;

pattern!(
    NUMBER,
    r"(?i)^[\[(]?(?:(anti-?\s?patterns?|patterns?|AP|failures?|mistakes?|lessons?|rules?|entry|incidents?|no\.?|nr\.?|item)\s*)?(#|№|-)?\s*(\d{1,5})\]?\s*([.):]|\s[–—-]|\s|$)\s*(.*)$"
);

/// The number in front of an entry's title.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Numbered {
    pub number: u32,
    pub title: String,
    /// A word such as *anti-pattern*, or `#`, says that it is a number of the log.
    pub explicit: bool,
    /// It counts the incidents of a page, as in `Incident 3: …`.
    pub of_incident: bool,
}

/// Reads the number in front of a title, if there is one.
pub fn number(title: &str) -> Option<Numbered> {
    let plain = title.trim().trim_start_matches("**").trim_start();
    let plain = plain.trim_end_matches("**");
    let hit = NUMBER.captures(plain)?;
    // "[#60551: a title](link)" is a link; "[59] title" holds its number.
    let open = plain.starts_with(['[', '(']);
    if open && !hit.get(3).is_some_and(|digits| plain[digits.end()..].starts_with([']', ')'])) {
        return None;
    }
    let word = hit.get(1).map(|m| m.as_str().to_lowercase());
    let mark = hit.get(4).map_or("", |m| m.as_str()).trim();
    let marked = hit.get(2).is_some() || word.is_some() && !mark.is_empty();
    let title = hit.get(5).map_or("", |m| m.as_str()).trim().trim_end_matches("**").to_owned();
    // "502: bad gateway" is a title; "59: title" needs its word or mark.
    if !marked && (mark.is_empty() || mark == ":" || mark.starts_with(['–', '—', '-'])) || title.is_empty() {
        return None;
    }
    let of_incident = word.as_deref().is_some_and(|w| w.starts_with("incident"));
    let explicit = word.is_none_or(|w| w.starts_with("anti") || w.starts_with("pattern") || w == "ap") && marked;
    Some(Numbered { number: hit.get(3)?.as_str().parse().ok()?, title, explicit, of_incident })
}

/// The number of a record: in front of its title, or under a label of its own.
pub fn number_of(record: &Record) -> Option<Numbered> {
    number(&record.title).or_else(|| {
        let title = record.title.clone();
        record.meta.number.map(|number| Numbered { number, title, explicit: false, of_incident: false })
    })
}

/// Turns the numbered list entries of a log into headings, so that each opens a record.
///
/// A list of steps is numbered too: only where the entries carry labels, or the
/// page speaks of failures, are they entries of a log.
pub fn itemised(pieces: &[Piece]) -> Option<Vec<Piece>> {
    let entries: Vec<usize> = (0..pieces.len()).filter(|i| entry(&pieces[*i]).is_some()).collect();
    let first = *entries.first()?;
    let headed = pieces.iter().any(|p| matches!(p.sense, Sense::Heading(_)) && number(&p.text).is_some());
    if entries.len() < 2 || headed || pieces[..first].iter().any(|p| matches!(p.sense, Sense::Field { .. })) {
        return None;
    }
    let ends = entries.iter().skip(1).copied().chain([pieces.len()]);
    let mut labelled = 0;
    for (from, to) in entries.iter().zip(ends) {
        let names: Vec<String> = pieces[*from + 1..to]
            .iter()
            .filter_map(
                |p| if let Sense::Field { name, .. } = &p.sense { Some(super::label::normal(name)) } else { None },
            )
            .collect();
        // What holds a label twice is a section with records of its own.
        if names.iter().enumerate().any(|(i, name)| names[..i].contains(name)) {
            return None;
        }
        labelled += usize::from(!names.is_empty() || !candidates(&pieces[*from].text, &Learned::nothing()).is_empty());
    }
    let explicit = entries.iter().filter(|i| number(&pieces[**i].text).is_some_and(|n| n.explicit)).count();
    if labelled * 2 < entries.len() && explicit * 2 < entries.len() && !(speaks_of_failures(pieces) && labelled > 0) {
        return None;
    }
    let mut out = Vec::new();
    for (i, piece) in pieces.iter().enumerate() {
        match entry(piece).filter(|_| entries.contains(&i)) {
            Some((number, text)) => {
                let parts =
                    matches!(pieces.get(i + 1).map(|p| &p.sense), Some(Sense::Field { .. } | Sense::Meta { .. }));
                open_entry(number, &text, parts, piece, &mut out);
            }
            None => out.push(match &piece.sense {
                Sense::Item { depth, number } if i > first => {
                    Piece { sense: Sense::Item { depth: depth.saturating_sub(1), number: *number }, ..piece.clone() }
                }
                _ => piece.clone(),
            }),
        }
    }
    Some(out)
}

/// Turns the entries of a list whose parts stand below each of them into headings.
///
/// A list inside a record has nothing labelled behind each entry, so nearly all
/// entries must be titles with a header fact or a label right below.
pub fn listed(pieces: &[Piece]) -> Option<Vec<Piece>> {
    if pieces.iter().any(|p| matches!(p.sense, Sense::Field { .. }) && p.text.is_empty()) {
        return None;
    }
    let top = |i: usize| matches!(pieces[i].sense, Sense::Item { depth: 0, number: None });
    let entries: Vec<usize> = (0..pieces.len()).filter(|i| top(*i)).collect();
    let opens = |i: &usize| {
        matches!(pieces.get(i + 1).map(|p| &p.sense), Some(Sense::Field { .. } | Sense::Meta { .. }))
            && !pieces[*i].text.ends_with('.')
    };
    let titles: Vec<usize> = entries.iter().copied().filter(opens).collect();
    if titles.len() < 2 || titles.len() * 10 < entries.len() * 9 {
        return None;
    }
    let ends = titles.iter().skip(1).copied().chain([pieces.len()]);
    let labels = |from: usize, to: usize| -> Vec<String> {
        let name = |p: &Piece| match &p.sense {
            Sense::Field { name, .. } => Some(super::label::normal(name)),
            _ => None,
        };
        pieces[from..to].iter().filter_map(name).collect()
    };
    let once = titles.iter().zip(ends).all(|(from, to)| {
        let names = labels(from + 1, to);
        names.len() >= 2 && names.iter().enumerate().all(|(i, name)| !names[..i].contains(name))
    });
    let before = pieces[..titles[0]].iter().any(|p| matches!(p.sense, Sense::Field { .. }));
    let heading = |(i, piece): (usize, &Piece)| {
        let sense = if titles.contains(&i) { Sense::Heading(7) } else { piece.sense.clone() };
        Piece { sense, ..piece.clone() }
    };
    (once && !before).then(|| pieces.iter().enumerate().map(heading).collect())
}

fn speaks_of_failures(pieces: &[Piece]) -> bool {
    pieces.iter().filter(|p| matches!(p.sense, Sense::Heading(_) | Sense::Short | Sense::Prose)).take(6).any(|p| {
        let lower = p.text.to_lowercase();
        ["anti-pattern", "antipattern", "failure", "mistake", "incident", "post-mortem", "postmortem"]
            .iter()
            .any(|w| lower.contains(w))
    })
}

fn entry(piece: &Piece) -> Option<(u32, String)> {
    match &piece.sense {
        Sense::Item { depth: 0, number: Some(n) } => Some((*n, piece.text.clone())),
        Sense::Item { depth: 0, number: None } => {
            number(&piece.text).filter(|n| n.explicit).map(|n| (n.number, n.title))
        }
        Sense::Short | Sense::Prose => number(&piece.text).map(|n| (n.number, n.title)),
        _ => None,
    }
}

/// Splits an entry's text into its title and what follows on the same line.
///
/// Where its `parts` stand below it, a line without a sentence in it is all title.
fn open_entry(number: u32, text: &str, parts: bool, piece: &Piece, out: &mut Vec<Piece>) {
    let labels = candidates(text, &Learned::nothing());
    let label_at =
        labels.iter().find(|c| c.at > 0 && c.at_sentence && c.mark != super::label::Mark::Bare).map(|c| c.at);
    let bold_end = text.strip_prefix("**").and_then(|t| t.find("**")).map(|e| e + 4);
    let sentence_end = text.find(". ").map(|e| e + 1);
    let dash = text.find(" — ").filter(|_| !parts || sentence_end.is_some() || label_at.is_some());
    let cut = bold_end.or(label_at.into_iter().chain(sentence_end).chain(dash).min()).unwrap_or(text.len());
    let title = text[..cut].trim().trim_matches('*').trim_end_matches(['.', ':', '—', ' ']).to_owned();
    let explicit = self::number(&piece.text).is_some_and(|n| n.explicit);
    let heading = if explicit { format!("#{number} - {title}") } else { format!("{number}. {title}") };
    out.push(Piece { sense: Sense::Heading(7), text: heading, ..piece.clone() });
    let rest = text[cut..].trim().trim_start_matches([':', '—', '–']).trim();
    if rest.is_empty() {
        return;
    }
    let (facts, rest) = facts_in_front(rest);
    if let Some(meta) = facts {
        out.push(Piece {
            sense: Sense::Meta { meta: Box::new(meta), keyed: false },
            text: String::new(),
            ..piece.clone()
        });
    }
    let inner = rest.find(|c: char| c.is_alphanumeric()).and_then(|_| super::label::split(rest, &Learned::nothing()));
    match inner {
        Some(parts) => out.extend(parts.into_iter().map(|p| Piece {
            sense: Sense::Field { name: p.name, label: p.label },
            text: p.text,
            ..piece.clone()
        })),
        None => {
            let first_label = candidates(rest, &Learned::nothing())
                .into_iter()
                .find(|c| c.at_sentence && c.mark == super::label::Mark::Colon);
            let (before, behind) = rest.split_at(first_label.map_or(rest.len(), |c| c.at));
            out.push(Piece { sense: Sense::Prose, text: before.trim().to_owned(), ..piece.clone() });
            let parts = super::label::split(behind, &Learned::nothing()).unwrap_or_default();
            out.extend(parts.into_iter().map(|p| Piece {
                sense: Sense::Field { name: p.name, label: p.label },
                text: p.text,
                ..piece.clone()
            }));
        }
    }
}

/// Header facts in brackets right behind a title: `(2025-04-01) — what happened`.
fn facts_in_front(text: &str) -> (Option<Meta>, &str) {
    let bracketed = text.strip_prefix(['(', '[']).and_then(|rest| rest.split_once([')', ']']));
    let facts = bracketed.and_then(|(inner, rest)| Some((meta::read(inner, SlashOrder::Unknown)?, rest)));
    match facts {
        Some((meta, rest)) => (Some(meta), rest.trim_start_matches([':', '—', '–', '-', ' '])),
        None => (None, text),
    }
}

/// The draft of an anti-pattern that an entry of a log makes.
pub fn draft(record: &Record, number: Option<u32>, title: &str) -> PatternDraft {
    let mut fields: Vec<(String, String)> = Vec::new();
    if !record.loose.is_empty() {
        fields.push(("Text".to_owned(), record.loose.clone()));
    }
    fields.extend(record.parts.iter().filter(|p| !p.text.is_empty()).map(|p| (p.name.clone(), p.text.clone())));
    let graded = super::incident::severity_of(&record.meta);
    PatternDraft {
        number,
        title: title.to_owned(),
        category: super::incident::category_of(record),
        severity: graded,
        fields,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_front_of_titles() {
        for (text, want) in [
            ("59. Silent parameter", Some((59, "Silent parameter", false))),
            ("Anti-pattern #59: Silent parameter", Some((59, "Silent parameter", true))),
            ("59) Silent parameter", Some((59, "Silent parameter", false))),
            ("#7 — Title", Some((7, "Title", true))),
            ("AP-12: Title", Some((12, "Title", true))),
            ("**#12 Deleting without looking**", Some((12, "Deleting without looking", true))),
            ("8 Test Failures Dismissed", None),
            ("[59] Silent parameter", None),
            ("[#59] Silent parameter", Some((59, "Silent parameter", true))),
            ("[#60551: constants cannot be used][60551]", None),
            ("502: bad gateway", None),
            ("2026-01-23: rsync", None),
            ("133GB Log File", None),
        ] {
            let got = number(text).map(|n| (n.number, n.title, n.explicit));
            assert_eq!(got, want.map(|(n, t, e)| (n, t.to_owned(), e)), "{text}");
        }
    }
}
