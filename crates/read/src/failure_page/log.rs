//! Failure logs: numbered entries, each a failure that must not be repeated.

use coroner_model::incident::PatternDraft;

use super::label::Learned;
use super::label::candidates;
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
            Some((number, text)) => open_entry(number, &text, piece, &mut out),
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
fn open_entry(number: u32, text: &str, piece: &Piece, out: &mut Vec<Piece>) {
    let labels = candidates(text, &Learned::nothing());
    let label_at =
        labels.iter().find(|c| c.at > 0 && c.at_sentence && c.mark != super::label::Mark::Bare).map(|c| c.at);
    let bold_end = text.strip_prefix("**").and_then(|t| t.find("**")).map(|e| e + 4);
    let sentence_end = text.find(". ").map(|e| e + 1);
    let cut = bold_end.or(label_at.into_iter().chain(sentence_end).chain(text.find(" — ")).min()).unwrap_or(text.len());
    let title = text[..cut].trim().trim_matches('*').trim_end_matches(['.', ':', '—', ' ']).to_owned();
    out.push(Piece { sense: Sense::Heading(7), text: format!("#{number} - {title}"), ..piece.clone() });
    let rest = text[cut..].trim().trim_start_matches([':', '—', '–']).trim();
    if rest.is_empty() {
        return;
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
            ("502: bad gateway", None),
            ("2026-01-23: rsync", None),
            ("133GB Log File", None),
        ] {
            let got = number(text).map(|n| (n.number, n.title, n.explicit));
            assert_eq!(got, want.map(|(n, t, e)| (n, t.to_owned(), e)), "{text}");
        }
    }
}
