//! The taxonomy: each category with its meaning and what was counted in it.

use askama::Template;
use axum::http::StatusCode;
use axum::response::Response;
use coroner_model::incident::Incident;
use coroner_model::{Category, Severity};
use coroner_verbs::book::{Book, PatternEntry};

use super::{Badge, Here, Link};

/// Most incidents that are listed under a category; the timeline has the rest.
const LISTED_COUNT_MAX: usize = 25;

#[derive(Template)]
#[template(path = "taxonomy.html")]
struct Taxonomy {
    here: Here,
    title: &'static str,
    incidents: usize,
    patterns: usize,
    categories: Vec<CategoryRow>,
    /// Categories in which nothing was counted.
    empty: Vec<(&'static str, &'static str)>,
}

struct CategoryRow {
    name: &'static str,
    meaning: &'static str,
    href: String,
    count: usize,
    left_out: usize,
    /// Width of its bar in hundredths of the longest.
    share: usize,
    severities: Vec<(Badge, usize)>,
    incidents: Vec<(Link, Badge, String)>,
    patterns: Vec<Link>,
}

/// Renders the taxonomy.
pub fn page(book: &Book) -> Response {
    let longest = Category::ALL.iter().map(|c| book.incidents_in(Some(*c)).len()).max().unwrap_or(0).max(1);
    let mut categories = Vec::new();
    let mut empty = Vec::new();
    for category in Category::ALL {
        let row = row(book, Some(category), longest);
        if row.count == 0 && row.patterns.is_empty() {
            empty.push((row.name, row.meaning));
        } else {
            categories.push(row);
        }
    }
    let uncategorised = row(book, None, longest);
    if uncategorised.count > 0 {
        categories.push(uncategorised);
    }
    let page = Taxonomy {
        here: Here::Taxonomy,
        title: "Taxonomy",
        incidents: book.incidents.len(),
        patterns: book.patterns.len(),
        categories,
        empty,
    };
    super::html(StatusCode::OK, &page)
}

fn row(book: &Book, category: Option<Category>, longest: usize) -> CategoryRow {
    let incidents = book.incidents_in(category);
    let patterns = category.map(|c| book.patterns_in(c)).unwrap_or_default();
    CategoryRow {
        name: super::category_name(category),
        meaning: category.map_or("The source does not say, and nothing was guessed.", Category::meaning),
        href: super::category_href(category),
        count: incidents.len(),
        left_out: incidents.len().saturating_sub(LISTED_COUNT_MAX),
        share: incidents.len() * 100 / longest,
        severities: severities(&incidents),
        incidents: incidents
            .iter()
            .take(LISTED_COUNT_MAX)
            .map(|i| (Link::incident(i), Badge::severity(i.severity), super::date(i)))
            .collect(),
        patterns: patterns.iter().map(pattern_link).collect(),
    }
}

fn pattern_link(pattern: &&PatternEntry) -> Link {
    Link { href: super::pattern_href(pattern.id.as_str()), text: pattern.title.clone() }
}

fn severities(incidents: &[&Incident]) -> Vec<(Badge, usize)> {
    let all = Severity::ALL.map(Some).into_iter().chain([None]);
    all.map(|s| (Badge::severity(s), incidents.iter().filter(|i| i.severity == s).count()))
        .filter(|(_, count)| *count > 0)
        .collect()
}
