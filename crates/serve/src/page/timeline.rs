//! The incident timeline: search, facets with counts that follow, order, histogram.

use askama::Template;
use axum::http::StatusCode;
use axum::response::Response;
use coroner_model::Severity;
use coroner_model::incident::Incident;
use coroner_verbs::book::filter::month;
use coroner_verbs::book::{Book, Facet, FacetCount, Filter, Order, Shown};

use super::{Badge, Here, Link};
use crate::histogram::{self, Histogram};
use crate::query::{self, Query};

/// Incidents on one page of the timeline.
pub const ENTRIES_COUNT_MAX: usize = 60;
/// Values of a facet that are shown before the rest is folded.
const VALUES_SHOWN_MAX: usize = 8;
/// Values of a facet that are offered at all; a search finds the others.
const VALUES_COUNT_MAX: usize = 60;
/// Longest summary of an incident, in characters.
const SUMMARY_CHARS_MAX: usize = 180;

#[derive(Template)]
#[template(path = "timeline.html")]
struct Timeline<'a> {
    here: Here,
    title: &'static str,
    words: &'a str,
    /// What the search form carries along.
    carried: Vec<(&'static str, &'a str)>,
    order: Option<&'static str>,
    shown: usize,
    total: usize,
    severities: Vec<(Badge, usize)>,
    facets: Vec<FacetBox>,
    histogram: Option<Histogram>,
    orders: Vec<Choice>,
    chosen: Vec<Link>,
    clear: Option<String>,
    groups: Vec<Group>,
    loosened: Vec<(Link, String)>,
    pages: Option<Pages>,
    notices: &'a [String],
    /// What the sources got wrong about themselves as a whole.
    problems: Vec<&'a str>,
}

struct FacetBox {
    name: &'static str,
    first: Vec<Choice>,
    more: Vec<Choice>,
    /// Values that are not offered.
    left_out: usize,
    /// Whether a folded value is chosen.
    open: bool,
    /// Whether the histogram offers the same values, so that a narrow screen can leave it out.
    drawn_too: bool,
}

struct Choice {
    href: String,
    text: String,
    badge: Option<Badge>,
    count: usize,
    chosen: bool,
}

struct Group {
    title: String,
    entries: Vec<Entry>,
}

struct Entry {
    href: String,
    title: String,
    badge: Badge,
    meta: Vec<String>,
    /// Said where it is uncertain or not at rest.
    flags: Vec<&'static str>,
    summary: String,
    prevented_by: usize,
}

struct Pages {
    at: usize,
    count: usize,
    previous: Option<String>,
    next: Option<String>,
}

/// Renders the timeline under the filter of the URL.
pub fn page(book: &Book, raw: &str) -> Response {
    let query = Query::read(raw);
    let filter = &query.filter;
    let shown = filter.apply(book);
    let pages = pages(&query, shown.incidents.len());
    let from = pages.as_ref().map_or(0, |p| (p.at - 1) * ENTRIES_COUNT_MAX);
    let visible: Vec<&Incident> = shown.incidents.iter().copied().skip(from).take(ENTRIES_COUNT_MAX).collect();
    let page = Timeline {
        here: Here::Incidents,
        title: "Incidents",
        words: &filter.words,
        carried: query::pairs(filter).collect(),
        order: (filter.order != Order::default()).then(|| filter.order.as_str()),
        shown: shown.incidents.len(),
        total: shown.total,
        severities: severities(&shown),
        facets: facets(&shown, filter),
        histogram: histogram::of(&shown, filter),
        orders: orders(filter),
        chosen: chosen(filter),
        clear: (!filter.is_open()).then(|| query::href(&Filter { order: filter.order, ..Filter::default() })),
        groups: groups(book, &visible, filter.order),
        loosened: if shown.incidents.is_empty() { loosened(book, filter) } else { Vec::new() },
        pages,
        notices: &book.could_not_read,
        problems: book.problems.iter().filter(|p| p.incident.is_none()).map(|p| p.text.as_str()).collect(),
    };
    super::html(StatusCode::OK, &page)
}

fn pages(query: &Query, shown: usize) -> Option<Pages> {
    let count = shown.div_ceil(ENTRIES_COUNT_MAX);
    if count < 2 {
        return None;
    }
    let at = query.page.min(count);
    let to = |page: usize| query::href_page(&query.filter, page);
    Some(Pages { at, count, previous: (at > 1).then(|| to(at - 1)), next: (at < count).then(|| to(at + 1)) })
}

fn severities(shown: &Shown) -> Vec<(Badge, usize)> {
    let all = Severity::ALL.map(Some).into_iter().chain([None]);
    all.map(|s| (Badge::severity(s), shown.incidents.iter().filter(|i| i.severity == s).count()))
        .filter(|(_, count)| *count > 0)
        .collect()
}

fn facets(shown: &Shown, filter: &Filter) -> Vec<FacetBox> {
    let boxes = shown.facets.iter().map(|(facet, counts)| {
        let offered = |(at, c): &(usize, &FacetCount)| *at < VALUES_COUNT_MAX || c.chosen;
        let mut first: Vec<Choice> = counts
            .iter()
            .enumerate()
            .filter(offered)
            .map(|(_, c)| c)
            .map(|c| Choice {
                href: query::href(&filter.toggled(*facet, &c.value)),
                text: value_text(*facet, &c.value),
                badge: (*facet == Facet::Severity).then(|| Badge::severity(Severity::parse(&c.value))),
                count: c.count,
                chosen: c.chosen,
            })
            .collect();
        // Folding one value away would save no line.
        let more = if first.len() > VALUES_SHOWN_MAX + 1 { first.split_off(VALUES_SHOWN_MAX) } else { Vec::new() };
        FacetBox {
            name: facet_name(*facet),
            drawn_too: *facet == Facet::Date,
            open: more.iter().any(|c| c.chosen),
            left_out: counts.len() - first.len() - more.len(),
            first,
            more,
        }
    });
    boxes.filter(|b| !b.first.is_empty()).collect()
}

fn facet_name(facet: Facet) -> &'static str {
    match facet {
        Facet::Severity => "Severity",
        Facet::Category => "Category",
        Facet::Status => "Status",
        Facet::Session => "Session",
        Facet::Date => "Date",
    }
}

fn value_text(facet: Facet, value: &str) -> String {
    match facet {
        Facet::Date => histogram::month_name(value).unwrap_or_else(|| value.to_owned()),
        _ => value.to_owned(),
    }
}

fn orders(filter: &Filter) -> Vec<Choice> {
    let text = |order| match order {
        Order::Time => "earliest first",
        Order::Newest => "latest first",
        Order::Category => "by category",
    };
    let choice = |order| Choice {
        href: query::href(&filter.ordered(order)),
        text: text(order).to_owned(),
        badge: None,
        count: 0,
        chosen: filter.order == order,
    };
    Order::ALL.into_iter().map(choice).collect()
}

/// Each restriction as a link that takes it away.
fn chosen(filter: &Filter) -> Vec<Link> {
    let mut links = Vec::new();
    if !filter.words.is_empty() {
        let open = Filter { words: String::new(), ..filter.clone() };
        links.push(Link { href: query::href(&open), text: format!("“{}”", filter.words) });
    }
    for (facet, values) in &filter.chosen {
        links.extend(values.iter().map(|v| Link {
            href: query::href(&filter.toggled(*facet, v)),
            text: format!("{}: {}", facet.as_str(), value_text(*facet, v)),
        }));
    }
    links
}

fn loosened(book: &Book, filter: &Filter) -> Vec<(Link, String)> {
    let link = |l: &coroner_verbs::book::Loosened| {
        let text = match l.facet {
            None => format!("Search without “{}”", filter.words),
            Some(facet) => {
                let values = filter.chosen.get(&facet).into_iter().flatten();
                let values: Vec<_> = values.map(|v| value_text(facet, v)).collect();
                format!("Any {} instead of {}", facet.as_str(), values.join(" or "))
            }
        };
        (Link { href: query::href(&l.filter), text }, super::counted(l.count, "incident"))
    };
    filter.loosened(book).iter().filter(|l| l.count > 0).map(link).collect()
}

fn groups(book: &Book, incidents: &[&Incident], order: Order) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for incident in incidents {
        let title = match order {
            Order::Category => super::category_name(incident.category).to_owned(),
            Order::Time | Order::Newest => match month(incident) {
                Some(m) => histogram::month_name(m).unwrap_or_else(|| m.to_owned()),
                None => "Undated".to_owned(),
            },
        };
        let entry = entry(book, incident, order);
        match groups.last_mut() {
            Some(last) if last.title == title => last.entries.push(entry),
            _ => groups.push(Group { title, entries: vec![entry] }),
        }
    }
    groups
}

fn entry(book: &Book, incident: &Incident, order: Order) -> Entry {
    let mut meta = vec![super::date(incident), super::sessions(incident)];
    if order != Order::Category {
        meta.push(super::category_name(incident.category).to_owned());
    }
    meta.retain(|m| !m.is_empty());
    let mut flags = Vec::new();
    if incident.recurring {
        flags.push("recurring");
    }
    if !incident.contradictions.is_empty() {
        flags.push("contradicts itself");
    }
    if incident.status != coroner_model::incident::IncidentStatus::Resolved {
        flags.push(incident.status.as_str());
    }
    let told = incident.what_happened.as_deref().or(incident.root_cause.as_deref());
    Entry {
        href: super::incident_href(incident.id.as_str()),
        title: incident.title.clone(),
        badge: Badge::severity(incident.severity),
        meta,
        flags,
        summary: told.map(summary).unwrap_or_default(),
        prevented_by: book.patterns_of(incident).len(),
    }
}

/// The first sentences, as many as are short together, without the marks of inline code and emphasis.
fn summary(text: &str) -> String {
    let line: String = text.split_whitespace().collect::<Vec<_>>().join(" ").replace(['`', '*'], "");
    let whole = sentence_ends(&line).take_while(|end| line[..*end].chars().count() <= SUMMARY_CHARS_MAX).last();
    if let Some(end) = whole {
        return line[..end].to_owned();
    }
    if line.chars().count() <= SUMMARY_CHARS_MAX {
        return line;
    }
    let cut: String = line.chars().take(SUMMARY_CHARS_MAX).collect();
    let cut = cut.rsplit_once(' ').map_or(cut.as_str(), |(whole, _)| whole);
    format!("{cut} …")
}

/// Where sentences end: at a mark that a space and no small letter follow, or at the end.
fn sentence_ends(line: &str) -> impl Iterator<Item = usize> {
    line.match_indices(['.', '!', '?']).map(|(at, mark)| at + mark.len()).filter(|end| {
        let mut rest = line[*end..].chars();
        rest.next().is_none_or(|c| c == ' ') && rest.next().is_none_or(|c| !c.is_lowercase())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_summary_is_of_whole_sentences() {
        let long = "word ".repeat(40);
        assert_eq!(
            summary(&format!("It wrote `app.log` and v1.2 of a file. Then {long}.")),
            "It wrote app.log and v1.2 of a file."
        );
        assert_eq!(summary("One. Two."), "One. Two.");
        assert_eq!(summary("No end"), "No end");
        let cut = summary(&long);
        assert!(cut.ends_with(" …") && cut.chars().count() <= SUMMARY_CHARS_MAX + 2);
    }
}
