//! Which incidents are shown, in which order, and the counts beside each choice.
//!
//! Words and facets are joined by AND, values within one facet by OR. A facet's
//! counts are made with every *other* facet applied, so each number is what a
//! click on it would show.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use coroner_model::incident::Incident;
use coroner_model::{Category, Severity};

use super::Book;

/// Most words of a search that are looked for; the rest is ignored.
pub const WORDS_COUNT_MAX: usize = 16;

/// What incidents can be narrowed by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Facet {
    Severity,
    Category,
    Status,
    Session,
    /// Month, as `2026-01`; a year alone takes all of its months.
    Date,
}

impl Facet {
    /// All facets in the order in which they are shown.
    pub const ALL: [Facet; 5] = [Facet::Severity, Facet::Category, Facet::Status, Facet::Session, Facet::Date];

    /// The word as it stands in a URL.
    pub fn as_str(self) -> &'static str {
        match self {
            Facet::Severity => "severity",
            Facet::Category => "category",
            Facet::Status => "status",
            Facet::Session => "session",
            Facet::Date => "date",
        }
    }

    /// The facet of that name, or `None`.
    pub fn parse(word: &str) -> Option<Facet> {
        Facet::ALL.into_iter().find(|f| f.as_str() == word)
    }

    /// The word that stands for "the incident has none of it".
    pub fn none_word(self) -> &'static str {
        match self {
            Facet::Severity => "unrated",
            Facet::Category => "uncategorised",
            Facet::Status => "unknown",
            Facet::Session => "unrecorded",
            Facet::Date => "undated",
        }
    }

    /// The values that an incident has, never none.
    pub fn values(self, incident: &Incident) -> Vec<String> {
        let one = match self {
            Facet::Severity => incident.severity.map(|s| s.as_str().to_owned()),
            Facet::Category => incident.category.map(|c| c.as_str().to_owned()),
            Facet::Status => Some(incident.status.as_str().to_owned()),
            Facet::Session if !incident.sessions.is_empty() => {
                let each: BTreeSet<_> = incident.sessions.iter().map(|s| s.trim().to_owned()).collect();
                return each.into_iter().collect();
            }
            Facet::Session => None,
            Facet::Date => month(incident).map(str::to_owned),
        };
        vec![one.unwrap_or_else(|| self.none_word().to_owned())]
    }

    /// The order in which values are listed.
    fn compare(self, a: &str, b: &str) -> Ordering {
        let rank = |word: &str| -> usize {
            let at = match self {
                Facet::Severity => Severity::ALL.iter().position(|s| s.as_str() == word),
                Facet::Category => Category::ALL.iter().position(|c| c.as_str() == word),
                Facet::Status => ["open", "mitigated", "resolved"].iter().position(|s| *s == word),
                Facet::Session => Some(first_number(word).unwrap_or(usize::MAX - 1)),
                Facet::Date => Some(usize::from(word == self.none_word())),
            };
            at.unwrap_or(usize::MAX)
        };
        rank(a).cmp(&rank(b)).then_with(|| a.cmp(b))
    }
}

/// The order of the timeline.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// Earliest first; undated last.
    #[default]
    Time,
    /// Latest first; undated last.
    Newest,
    /// By category, within it by time.
    Category,
}

impl Order {
    /// All orders as they are offered.
    pub const ALL: [Order; 3] = [Order::Time, Order::Newest, Order::Category];

    /// The word as it stands in a URL.
    pub fn as_str(self) -> &'static str {
        match self {
            Order::Time => "time",
            Order::Newest => "newest",
            Order::Category => "category",
        }
    }

    /// The order of that name, or `None`.
    pub fn parse(word: &str) -> Option<Order> {
        Order::ALL.into_iter().find(|o| o.as_str() == word)
    }
}

/// What a reader asked to see.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// The search as typed.
    pub words: String,
    /// Chosen values by facet; a facet without a value is not here.
    pub chosen: BTreeMap<Facet, BTreeSet<String>>,
    pub order: Order,
}

/// One value of a facet and how many incidents it would show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FacetCount {
    pub value: String,
    pub count: usize,
    pub chosen: bool,
}

/// The filter with one restriction taken away, and what it would show then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loosened {
    /// The facet that was dropped; `None`: the words.
    pub facet: Option<Facet>,
    pub filter: Filter,
    pub count: usize,
}

/// What a filter leaves, with its counts.
#[derive(Clone, Debug)]
pub struct Shown<'a> {
    /// In the order asked for.
    pub incidents: Vec<&'a Incident>,
    /// How many there are without any filter.
    pub total: usize,
    pub facets: Vec<(Facet, Vec<FacetCount>)>,
}

impl Filter {
    /// Whether nothing is narrowed.
    pub fn is_open(&self) -> bool {
        self.words.trim().is_empty() && self.chosen.is_empty()
    }

    /// The filter with a value added, or taken away where it was chosen.
    pub fn toggled(&self, facet: Facet, value: &str) -> Filter {
        let mut next = self.clone();
        let values = next.chosen.entry(facet).or_default();
        if !values.remove(value) {
            values.insert(value.to_owned());
        }
        if values.is_empty() {
            next.chosen.remove(&facet);
        }
        next
    }

    /// The filter without one facet.
    pub fn without(&self, facet: Facet) -> Filter {
        let mut next = self.clone();
        next.chosen.remove(&facet);
        next
    }

    /// The filter in another order.
    pub fn ordered(&self, order: Order) -> Filter {
        Filter { order, ..self.clone() }
    }

    /// Applies the filter to a book.
    pub fn apply<'a>(&self, book: &'a Book) -> Shown<'a> {
        let words = self.terms();
        let mut incidents = Vec::new();
        let mut counts: BTreeMap<Facet, BTreeMap<String, usize>> = BTreeMap::new();
        for incident in &book.incidents {
            if !has_words(incident, &words) {
                continue;
            }
            let missed: Vec<Facet> = self.missed(incident);
            for facet in Facet::ALL {
                // Counted where every other facet lets it through.
                if missed.iter().all(|m| *m == facet) {
                    for value in facet.values(incident) {
                        *counts.entry(facet).or_default().entry(value).or_default() += 1;
                    }
                }
            }
            if missed.is_empty() {
                incidents.push(incident);
            }
        }
        self.sort(&mut incidents);
        let facets =
            Facet::ALL.into_iter().map(|f| (f, self.counted(f, counts.remove(&f).unwrap_or_default()))).collect();
        Shown { incidents, total: book.incidents.len(), facets }
    }

    /// The filters that would show more, the one that shows most first.
    pub fn loosened(&self, book: &Book) -> Vec<Loosened> {
        let mut all = Vec::new();
        if !self.words.trim().is_empty() {
            let filter = Filter { words: String::new(), ..self.clone() };
            all.push(Loosened { facet: None, count: filter.apply(book).incidents.len(), filter });
        }
        for facet in self.chosen.keys() {
            let filter = self.without(*facet);
            all.push(Loosened { facet: Some(*facet), count: filter.apply(book).incidents.len(), filter });
        }
        all.sort_by_key(|l| std::cmp::Reverse(l.count));
        all
    }

    /// The words looked for, lower case.
    fn terms(&self) -> Vec<String> {
        self.words.split_whitespace().take(WORDS_COUNT_MAX).map(str::to_lowercase).collect()
    }

    /// The facets that do not let the incident through.
    fn missed(&self, incident: &Incident) -> Vec<Facet> {
        let through = |facet: Facet, wanted: &BTreeSet<String>| {
            facet.values(incident).iter().any(|v| wanted.iter().any(|w| takes(facet, w, v)))
        };
        self.chosen.iter().filter(|(f, wanted)| !through(**f, wanted)).map(|(f, _)| *f).collect()
    }

    fn counted(&self, facet: Facet, mut counts: BTreeMap<String, usize>) -> Vec<FacetCount> {
        let chosen = self.chosen.get(&facet);
        for value in chosen.into_iter().flatten() {
            counts.entry(value.clone()).or_insert(0);
        }
        let is_chosen = |value: &str| chosen.is_some_and(|c| c.contains(value));
        let mut all: Vec<FacetCount> =
            counts.into_iter().map(|(value, count)| FacetCount { chosen: is_chosen(&value), value, count }).collect();
        all.sort_by(|a, b| facet.compare(&a.value, &b.value));
        all
    }

    fn sort(&self, incidents: &mut [&Incident]) {
        match self.order {
            Order::Time => incidents.sort_by(|a, b| by_time(a, b)),
            Order::Newest => incidents.sort_by(|a, b| by_newest(a, b)),
            Order::Category => {
                incidents.sort_by(|a, b| by_category(a).cmp(&by_category(b)).then_with(|| by_time(a, b)));
            }
        }
    }
}

/// Earliest first, undated last, then by id so that the order is one.
pub fn by_time(a: &Incident, b: &Incident) -> Ordering {
    let key = |i: &Incident| (i.date.is_none(), i.date.clone());
    key(a).cmp(&key(b)).then_with(|| a.id.cmp(&b.id))
}

fn by_newest(a: &Incident, b: &Incident) -> Ordering {
    a.date.is_none().cmp(&b.date.is_none()).then_with(|| b.date.cmp(&a.date)).then_with(|| a.id.cmp(&b.id))
}

fn by_category(incident: &Incident) -> (bool, Option<Category>) {
    (incident.category.is_none(), incident.category)
}

/// `2026-01` of an incident's date.
pub fn month(incident: &Incident) -> Option<&str> {
    incident.date.as_deref().and_then(|d| d.get(..7))
}

/// Whether a chosen value takes an incident's value.
fn takes(facet: Facet, wanted: &str, value: &str) -> bool {
    let within_year = || value.strip_prefix(wanted).is_some_and(|rest| rest.starts_with('-'));
    wanted == value || (facet == Facet::Date && within_year())
}

fn has_words(incident: &Incident, words: &[String]) -> bool {
    if words.is_empty() {
        return true;
    }
    let text = searched(incident);
    words.iter().all(|w| text.contains(w.as_str()))
}

/// Everything of an incident that a search looks at, lower case.
fn searched(incident: &Incident) -> String {
    let i = incident;
    let mut text = format!("{}\n{}\n{}\n", i.id, i.title, i.status.as_str());
    let mut add = |part: &str| {
        text.push_str(part);
        text.push('\n');
    };
    i.severity.iter().for_each(|s| add(s.as_str()));
    i.category.iter().for_each(|c| add(c.as_str()));
    let fields = [&i.date, &i.what_happened, &i.root_cause, &i.data_lost, &i.fix, &i.lesson];
    fields.into_iter().flatten().for_each(|f| add(f));
    i.sessions.iter().for_each(|s| add(&format!("session {s}")));
    i.pattern_numbers.iter().for_each(|n| add(&format!("#{n}")));
    i.patterns.iter().for_each(|p| add(p.as_str()));
    i.contradictions.iter().for_each(|c| add(c));
    i.evidence.iter().for_each(|e| add(&format!("{} {} {}", e.id, e.locator, e.text)));
    add(&i.body);
    text.to_lowercase()
}

fn first_number(word: &str) -> Option<usize> {
    let from = word.find(|c: char| c.is_ascii_digit())?;
    let digits = &word[from..];
    let to = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
    digits[..to].parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn incident(id: &str, date: Option<&str>, severity: Severity, category: Category, sessions: &[&str]) -> Incident {
        Incident {
            id: id.into(),
            title: format!("Title of {id}"),
            date: date.map(str::to_owned),
            severity: Some(severity),
            category: Some(category),
            sessions: sessions.iter().map(|s| (*s).to_owned()).collect(),
            what_happened: Some("The Mirror lost its tail.".into()),
            ..Incident::default()
        }
    }

    fn book() -> Book {
        Book {
            incidents: vec![
                incident("b", Some("2026-02-03"), Severity::Major, Category::Disk, &["9"]),
                incident("a", Some("2025-11-30"), Severity::Critical, Category::DataLoss, &["9", "10-B"]),
                incident("c", None, Severity::Major, Category::DataLoss, &[]),
            ],
            ..Book::default()
        }
    }

    fn ids(filter: &Filter, book: &Book) -> Vec<String> {
        filter.apply(book).incidents.iter().map(|i| i.id.to_string()).collect()
    }

    fn counts(shown: &Shown, facet: Facet) -> Vec<(String, usize)> {
        let of = shown.facets.iter().find(|(f, _)| *f == facet).unwrap();
        of.1.iter().map(|c| (c.value.clone(), c.count)).collect()
    }

    #[test]
    fn orders_put_undated_last() {
        let book = book();
        assert_eq!(ids(&Filter::default(), &book), ["a", "b", "c"]);
        assert_eq!(ids(&Filter::default().ordered(Order::Newest), &book), ["b", "a", "c"]);
        assert_eq!(ids(&Filter::default().ordered(Order::Category), &book), ["a", "c", "b"]);
    }

    #[test]
    fn words_are_and_and_ignore_case() {
        let book = book();
        let with = |w: &str| ids(&Filter { words: w.into(), ..Filter::default() }, &book);
        assert_eq!(with("MIRROR tail"), ["a", "b", "c"]);
        assert_eq!(with("mirror 10-b"), ["a"]);
        assert!(with("mirror nowhere").is_empty());
    }

    #[test]
    fn a_count_is_what_a_click_would_show() {
        let book = book();
        let filter = Filter::default().toggled(Facet::Severity, "major");
        let shown = filter.apply(&book);
        assert_eq!(counts(&shown, Facet::Severity), [("critical".into(), 1), ("major".into(), 2)]);
        assert_eq!(counts(&shown, Facet::Category), [("data-loss".into(), 1), ("disk".into(), 1)]);
        assert_eq!(counts(&shown, Facet::Session), [("9".into(), 1), ("unrecorded".into(), 1)]);
        let both = filter.toggled(Facet::Category, "disk");
        assert_eq!(counts(&both.apply(&book), Facet::Category), [("data-loss".into(), 1), ("disk".into(), 1)]);
        assert_eq!(counts(&both.apply(&book), Facet::Severity), [("major".into(), 1)]);
        for (facet, values) in Filter::default().apply(&book).facets {
            for value in values {
                let clicked = Filter::default().toggled(facet, &value.value);
                assert_eq!(ids(&clicked, &book).len(), value.count, "{facet:?} {}", value.value);
            }
        }
    }

    #[test]
    fn a_year_takes_its_months() {
        let book = book();
        let of = |v: &str| ids(&Filter::default().toggled(Facet::Date, v), &book);
        assert_eq!(of("2026"), ["b"]);
        assert_eq!(of("2025-11"), ["a"]);
        assert_eq!(of("undated"), ["c"]);
        assert!(of("202").is_empty());
    }

    #[test]
    fn loosening_names_what_helps_most_first() {
        let book = book();
        let filter = Filter { words: "nowhere".into(), ..Filter::default() }.toggled(Facet::Category, "disk");
        let loosened = filter.loosened(&book);
        assert_eq!(loosened[0].facet, None);
        assert_eq!((loosened[0].count, loosened[1].count), (1, 0));
    }
}
