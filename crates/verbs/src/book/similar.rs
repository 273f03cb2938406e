//! Incidents that resemble one another: by what they share, the rarer the heavier.

use std::collections::{BTreeMap, BTreeSet};

use coroner_model::incident::Incident;

use super::Book;

/// Most similar incidents that are named.
pub const SIMILAR_COUNT_MAX: usize = 4;
/// Least weight at which two incidents count as similar.
const WEIGHT_MIN: f64 = 5.0;
/// Words shared by more than one in this many incidents say nothing.
const COMMON_SHARE: usize = 4;
/// Shortest word that counts, in characters.
const WORD_CHARS_MIN: usize = 4;
/// Most shared words that are named as a reason.
const WORDS_NAMED_MAX: usize = 4;

/// An incident that resembles another, and why.
#[derive(Clone, Debug)]
pub struct Similar<'a> {
    pub incident: &'a Incident,
    pub weight: f64,
    /// What both have, in words.
    pub shared: Vec<String>,
}

/// The incidents most like one, the most alike first.
pub fn similar<'a>(book: &'a Book, incident: &Incident) -> Vec<Similar<'a>> {
    let spread = word_spread(book);
    let words = words_of(incident);
    let patterns: BTreeSet<_> = book.patterns_of(incident).into_iter().map(|p| &p.id).collect();
    let mut found: Vec<Similar> = book
        .incidents
        .iter()
        .filter(|other| other.id != incident.id)
        .filter_map(|other| {
            let (mut weight, mut shared) = (0.0, Vec::new());
            for pattern in book.patterns_of(other).into_iter().filter(|p| patterns.contains(&p.id)) {
                weight += 6.0;
                shared.push(format!("anti-pattern {}", pattern.id));
            }
            if other.category.is_some() && other.category == incident.category {
                weight += 2.0;
                shared.extend(other.category.map(|c| c.to_string()));
            }
            let (word_weight, named) = shared_words(&words, &words_of(other), &spread, book.incidents.len());
            weight += word_weight;
            shared.extend(named);
            (weight >= WEIGHT_MIN).then_some(Similar { incident: other, weight, shared })
        })
        .collect();
    found.sort_by(|a, b| b.weight.total_cmp(&a.weight).then_with(|| a.incident.id.cmp(&b.incident.id)));
    found.truncate(SIMILAR_COUNT_MAX);
    found
}

/// Weight of the words that both have, and the rarest of them.
fn shared_words(
    a: &BTreeSet<String>,
    b: &BTreeSet<String>,
    spread: &BTreeMap<String, usize>,
    total: usize,
) -> (f64, Vec<String>) {
    let common_min = (total / COMMON_SHARE).max(3);
    let mut both: Vec<(usize, &String)> = a
        .intersection(b)
        .map(|w| (spread.get(w).copied().unwrap_or(1), w))
        .filter(|(count, _)| *count < common_min)
        .collect();
    both.sort();
    let weight = both.iter().map(|(count, _)| (total as f64 / *count as f64).ln()).sum();
    (weight, both.into_iter().take(WORDS_NAMED_MAX).map(|(_, w)| w.clone()).collect())
}

/// In how many incidents each word stands.
fn word_spread(book: &Book) -> BTreeMap<String, usize> {
    let mut spread = BTreeMap::new();
    for word in book.incidents.iter().flat_map(words_of) {
        *spread.entry(word).or_insert(0) += 1;
    }
    spread
}

/// The words of title and root cause: what happened tells more of the place than of the cause.
fn words_of(incident: &Incident) -> BTreeSet<String> {
    let text = format!("{} {}", incident.title, incident.root_cause.as_deref().unwrap_or(""));
    text.split(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '-' | '.')))
        .map(|w| w.trim_matches(['.', '-', '_']).to_lowercase())
        .filter(|w| w.chars().count() >= WORD_CHARS_MIN && !w.chars().all(|c| c.is_ascii_digit()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use coroner_model::Category;

    fn incident(id: &str, title: &str, category: Category) -> Incident {
        Incident { id: id.into(), title: title.into(), category: Some(category), ..Incident::default() }
    }

    #[test]
    fn rare_words_bind_and_common_ones_do_not() {
        let mut incidents = vec![
            incident("a", "rsync deleted the live database", Category::DataLoss),
            incident("b", "rsync deleted the sessions", Category::DataLoss),
            incident("c", "Agent was wrong about a header", Category::Hallucination),
        ];
        for n in 0..9 {
            incidents.push(incident(&format!("x{n}"), "Agent went wrong somewhere", Category::Deploy));
        }
        let book = Book { incidents, ..Book::default() };
        let of_a = similar(&book, &book.incidents[0]);
        assert_eq!(of_a.iter().map(|s| s.incident.id.as_str()).collect::<Vec<_>>(), ["b"]);
        assert!(of_a[0].shared.contains(&"rsync".to_owned()));
        assert!(similar(&book, &book.incidents[2]).is_empty());
    }
}
