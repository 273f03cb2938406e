//! The small histogram above the timeline: one bar a month, each a link.

use coroner_verbs::book::{Facet, Filter, Shown};

use crate::query;

/// Most bars; a longer span is drawn by year.
const BARS_COUNT_MAX: usize = 14;
/// Most years that are drawn at all.
const YEARS_COUNT_MAX: i32 = 40;
const BAR_STEP: usize = 44;
const BAR_WIDTH: usize = 36;
const BAR_HEIGHT_MAX: usize = 40;
/// Room above the bars for their numbers.
const TOP: usize = 16;
const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// A drawing of bars.
pub struct Histogram {
    pub width: usize,
    pub bars: Vec<Bar>,
    /// Incidents that no bar can show.
    pub undated: usize,
    /// Shows them alone, or everything again.
    pub undated_href: String,
}

/// One month or year.
pub struct Bar {
    pub href: String,
    pub label: String,
    /// Said in full, for readers of the title.
    pub name: String,
    /// Drawn below the label where a new year begins.
    pub year: Option<String>,
    pub count: usize,
    pub chosen: bool,
    pub x: usize,
    pub middle: usize,
    pub y: usize,
    pub width: usize,
    pub height: usize,
}

/// Draws the counts of the date facet; nothing where fewer than two bars came out.
pub fn of(shown: &Shown, filter: &Filter) -> Option<Histogram> {
    let counts = &shown.facets.iter().find(|(facet, _)| *facet == Facet::Date)?.1;
    let dated: Vec<(i32, u32, usize)> =
        counts.iter().filter_map(|c| parse(&c.value).map(|(y, m)| (y, m, c.count))).filter(|d| d.2 > 0).collect();
    let undated = counts.iter().filter(|c| c.value == Facet::Date.none_word()).map(|c| c.count).sum();
    let first = dated.iter().map(|d| (d.0, d.1)).min()?;
    let last = dated.iter().map(|d| (d.0, d.1)).max()?;
    let months = (last.0 - first.0) * 12 + last.1 as i32 - first.1 as i32 + 1;
    let slots: Vec<(i32, Option<u32>)> = if months <= BARS_COUNT_MAX as i32 {
        let start = first.0 * 12 + first.1 as i32 - 1;
        (start..start + months).map(|n| (n.div_euclid(12), Some(n.rem_euclid(12) as u32 + 1))).collect()
    } else {
        (first.0.max(last.0 - YEARS_COUNT_MAX)..=last.0).map(|y| (y, None)).collect()
    };
    if slots.len() < 2 {
        return None;
    }
    let count_of = |slot: &(i32, Option<u32>)| {
        dated.iter().filter(|d| d.0 == slot.0 && slot.1.is_none_or(|m| m == d.1)).map(|d| d.2).sum::<usize>()
    };
    let highest = slots.iter().map(count_of).max().unwrap_or(1).max(1);
    let bars = slots.iter().enumerate().map(|(at, slot)| bar(at, *slot, count_of(slot), highest, filter)).collect();
    let undated_href = query::href(&filter.toggled(Facet::Date, Facet::Date.none_word()));
    Some(Histogram { width: slots.len() * BAR_STEP, bars, undated, undated_href })
}

fn bar(at: usize, (year, month): (i32, Option<u32>), count: usize, highest: usize, filter: &Filter) -> Bar {
    let value = month.map_or(format!("{year:04}"), |m| format!("{year:04}-{m:02}"));
    let height = if count == 0 { 2 } else { (count * BAR_HEIGHT_MAX).div_ceil(highest).max(3) };
    let x = at * BAR_STEP + (BAR_STEP - BAR_WIDTH) / 2;
    let name = month_name(&value).unwrap_or_else(|| value.clone());
    Bar {
        href: query::href(&filter.toggled(Facet::Date, &value)),
        label: month.map_or(value.clone(), |_| name.chars().take(3).collect()),
        name,
        year: month.filter(|m| at == 0 || *m == 1).map(|_| year.to_string()),
        count,
        chosen: filter.chosen.get(&Facet::Date).is_some_and(|c| c.contains(&value)),
        x,
        middle: x + BAR_WIDTH / 2,
        y: TOP + BAR_HEIGHT_MAX - height,
        width: BAR_WIDTH,
        height,
    }
}

fn parse(value: &str) -> Option<(i32, u32)> {
    let (year, month) = value.split_once('-')?;
    let month = month.parse().ok().filter(|m| (1..=12).contains(m))?;
    Some((year.parse().ok()?, month))
}

/// `January 2026` for `2026-01`.
pub fn month_name(value: &str) -> Option<String> {
    let (year, month) = parse(value)?;
    Some(format!("{} {year}", MONTHS.get(month as usize - 1)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use coroner_model::incident::Incident;
    use coroner_verbs::book::Book;

    fn bars(dates: &[Option<&str>]) -> Option<Vec<(String, usize)>> {
        let incidents = dates.iter().map(|d| Incident { date: d.map(str::to_owned), ..Incident::default() }).collect();
        let book = Book { incidents, ..Book::default() };
        let drawn = of(&Filter::default().apply(&book), &Filter::default())?;
        Some(drawn.bars.into_iter().map(|b| (b.label, b.count)).collect())
    }

    #[test]
    fn empty_months_are_drawn_and_long_spans_are_years() {
        let drawn = bars(&[Some("2025-11-30"), Some("2026-01-02"), Some("2026-01-20"), None]).unwrap();
        assert_eq!(drawn, [("Nov".into(), 1), ("Dec".into(), 0), ("Jan".into(), 2)]);
        let drawn = bars(&[Some("2023-05-01"), Some("2026-01-02")]).unwrap();
        assert_eq!(drawn.iter().map(|b| b.1).collect::<Vec<_>>(), [1, 0, 0, 1]);
        assert!(bars(&[Some("2026-01-02"), None]).is_none());
        assert!(bars(&[Some("0000-13-99")]).is_none());
    }
}
