//! A filter as the query of a URL, there and back.

use coroner_verbs::book::{Facet, Filter, Order};
use url::form_urlencoded;

/// Longest search that is read, in characters.
const WORDS_CHARS_MAX: usize = 400;
/// Most pairs of a query that are read.
const PAIRS_COUNT_MAX: usize = 200;

/// What a timeline's URL asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query {
    pub filter: Filter,
    /// From 1.
    pub page: usize,
}

impl Query {
    /// Reads a query; what it does not know is left out.
    pub fn read(raw: &str) -> Query {
        let mut query = Query { page: 1, ..Query::default() };
        for (key, value) in form_urlencoded::parse(raw.as_bytes()).take(PAIRS_COUNT_MAX) {
            match key.as_ref() {
                "q" => query.filter.words = value.trim().chars().take(WORDS_CHARS_MAX).collect(),
                "order" => query.filter.order = Order::parse(&value).unwrap_or_default(),
                "page" => query.page = value.parse().unwrap_or(1).max(1),
                _ => {
                    if let (Some(facet), false) = (Facet::parse(&key), value.is_empty()) {
                        query.filter.chosen.entry(facet).or_default().insert(value.into_owned());
                    }
                }
            }
        }
        query
    }
}

/// The address of the timeline under a filter.
pub fn href(filter: &Filter) -> String {
    href_page(filter, 1)
}

/// The address of one page of the timeline under a filter.
pub fn href_page(filter: &Filter, page: usize) -> String {
    let mut out = form_urlencoded::Serializer::new(String::new());
    if !filter.words.is_empty() {
        out.append_pair("q", &filter.words);
    }
    for (facet, value) in pairs(filter) {
        out.append_pair(facet, value);
    }
    if filter.order != Order::default() {
        out.append_pair("order", filter.order.as_str());
    }
    if page > 1 {
        out.append_pair("page", &page.to_string());
    }
    let query = out.finish();
    if query.is_empty() { "/incidents".to_owned() } else { format!("/incidents?{query}") }
}

/// The chosen values, as a form carries them along.
pub fn pairs(filter: &Filter) -> impl Iterator<Item = (&'static str, &str)> {
    filter.chosen.iter().flat_map(|(f, values)| values.iter().map(|v| (f.as_str(), v.as_str())))
}

/// One segment of a path, escaped.
pub fn segment(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>().replace('+', "%20")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_survives_its_url() {
        let filter = Filter { words: "rsync & <b> 100%".into(), order: Order::Category, ..Filter::default() }
            .toggled(Facet::Session, "~45")
            .toggled(Facet::Session, "23-B")
            .toggled(Facet::Severity, "major");
        let url = href_page(&filter, 2);
        let read = Query::read(url.split_once('?').unwrap().1);
        assert_eq!((read.filter, read.page), (filter, 2));
        assert_eq!(href(&Filter::default()), "/incidents");
        assert_eq!(Query::read("page=-3&order=sideways&colour=red&severity=").filter, Filter::default());
        assert_eq!(segment("a b/../c?d"), "a%20b%2F..%2Fc%3Fd");
    }
}
