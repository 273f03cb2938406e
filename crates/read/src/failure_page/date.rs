//! Dates and times in prose, in the spellings that people use in post-mortems.

use std::ops::Range;

use jiff::Timestamp;
use jiff::civil::Date;

use super::pattern::pattern;

/// What a date in a text says, no finer than it says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// A moment with its offset.
    Moment(Timestamp),
    /// A day of the calendar.
    Day(Date),
    /// A month of a year; the date is its first day.
    Month(Date),
    /// A month and a day without a year.
    DayOfYear(i8, i8),
}

/// A date and where it stands in the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    pub span: Range<usize>,
    pub when: When,
    /// Marked by `~`, `circa`, `around`, `early` and the like, or a mere month.
    pub approximate: bool,
}

impl Found {
    /// The calendar day, where there is a year.
    pub fn day(&self) -> Option<Date> {
        match self.when {
            When::Moment(at) => Some(at.to_zoned(jiff::tz::TimeZone::UTC).date()),
            When::Day(day) | When::Month(day) => Some(day),
            When::DayOfYear(..) => None,
        }
    }

    /// RFC 3339 text of a date or date-time, where there is a year.
    pub fn rfc3339(&self) -> Option<String> {
        match self.when {
            When::Moment(at) => Some(at.to_string()),
            _ => self.day().map(|d| d.to_string()),
        }
    }
}

/// In which order day and month stand in `03/04/2026`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SlashOrder {
    DayFirst,
    MonthFirst,
    /// The page does not tell; such dates are left unread.
    #[default]
    Unknown,
}

const MONTH: &str = "jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?";

pattern!(
    ISO,
    r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?:(?:T|,? (?:at )?)(\d{1,2}):(\d{2})(?::(\d{2})(?:\.\d+)?)?(?: ?(Z\b|UTC\b|GMT\b|[+-]\d{2}:?\d{2}\b))?)?"
);
pattern!(DOTTED, r"(\d{1,2})\.(\d{1,2})\.(\d{4})");
pattern!(SLASHED, r"(\d{1,2})/(\d{1,2})/(\d{4})");
pattern!(MONTH_DAY, &format!(r"(?i)\b({MONTH})\.? (\d{{1,2}})(?:st|nd|rd|th)?\b(?:,? (\d{{4}})\b)?"));
pattern!(DAY_MONTH, &format!(r"(?i)\b(\d{{1,2}})(?:st|nd|rd|th)?[.]?[ -](?:of )?({MONTH})\b\.?(?:,?[ -](\d{{4}})\b)?"));
pattern!(MONTH_YEAR, &format!(r"(?i)\b({MONTH})\.?,? (\d{{4}})\b"));
pattern!(ISO_MONTH, r"(\d{4})-(\d{2})");
pattern!(
    APPROXIMATE,
    r"(?i)(?:~|≈|\b(?:circa|ca\.?|c\.|about|around|approx(?:\.|imately)?|early|mid|late|roughly)[ -])\s*$"
);

/// Every date of a text, in order; overlapping readings give way to the longest.
pub fn find(text: &str, slashes: SlashOrder) -> Vec<Found> {
    let mut found = Vec::new();
    for hit in ISO.captures_iter(text) {
        let (Some(all), year, month, day) = (hit.get(0), num(&hit, 1), num(&hit, 2), num(&hit, 3)) else { continue };
        if let Some(day) = civil(year, month, day) {
            let moment =
                hit.get(7).and_then(|zone| moment(day, num(&hit, 4), num(&hit, 5), num(&hit, 6), zone.as_str()));
            push(&mut found, text, all.range(), moment.map_or(When::Day(day), When::Moment));
        }
    }
    for hit in DOTTED.captures_iter(text) {
        if let (Some(all), Some(day)) = (hit.get(0), civil(num(&hit, 3), num(&hit, 2), num(&hit, 1))) {
            push(&mut found, text, all.range(), When::Day(day));
        }
    }
    for hit in SLASHED.captures_iter(text) {
        let (first, second) = (num(&hit, 1), num(&hit, 2));
        let (day, month) = match slashes {
            _ if first > 12 => (first, second),
            _ if second > 12 => (second, first),
            SlashOrder::DayFirst => (first, second),
            SlashOrder::MonthFirst => (second, first),
            SlashOrder::Unknown => continue,
        };
        if let (Some(all), Some(day)) = (hit.get(0), civil(num(&hit, 3), month, day)) {
            push(&mut found, text, all.range(), When::Day(day));
        }
    }
    for (hits, month, day) in [(&*MONTH_DAY, 1, 2), (&*DAY_MONTH, 2, 1)] {
        for hit in hits.captures_iter(text) {
            let (Some(all), Some(name)) = (hit.get(0), hit.get(month)) else { continue };
            if let Some(when) = named(name.as_str(), num(&hit, day), hit.get(3).map(|y| y.as_str())) {
                push(&mut found, text, all.range(), when);
            }
        }
    }
    for hit in MONTH_YEAR.captures_iter(text) {
        let (Some(all), Some(name)) = (hit.get(0), hit.get(1)) else { continue };
        if let Some(day) = month_number(name.as_str()).and_then(|m| civil(num(&hit, 2), i64::from(m), 1)) {
            push(&mut found, text, all.range(), When::Month(day));
        }
    }
    for hit in ISO_MONTH.captures_iter(text) {
        if let (Some(all), Some(day)) = (hit.get(0), civil(num(&hit, 1), num(&hit, 2), 1)) {
            push(&mut found, text, all.range(), When::Month(day));
        }
    }
    longest_first(found)
}

/// Which order the page's unambiguous slashed dates show.
pub fn slash_order(text: &str) -> SlashOrder {
    let mut order = SlashOrder::Unknown;
    for hit in SLASHED.captures_iter(text) {
        let seen = match (num(&hit, 1), num(&hit, 2)) {
            (first, _) if first > 12 => SlashOrder::DayFirst,
            (_, second) if second > 12 => SlashOrder::MonthFirst,
            _ => continue,
        };
        if order != SlashOrder::Unknown && order != seen {
            return SlashOrder::Unknown;
        }
        order = seen;
    }
    order
}

fn longest_first(mut found: Vec<Found>) -> Vec<Found> {
    found.sort_by_key(|f| (f.span.start, std::cmp::Reverse(f.span.end)));
    let mut kept: Vec<Found> = Vec::new();
    for one in found {
        match kept.last_mut() {
            Some(last) if one.span.start < last.span.end => {
                if one.span.len() > last.span.len() {
                    *last = one;
                }
            }
            _ => kept.push(one),
        }
    }
    kept
}

fn push(found: &mut Vec<Found>, text: &str, span: Range<usize>, when: When) {
    let before = &text[..span.start];
    let glued = |c: char| c.is_alphanumeric() || matches!(c, '.' | '/' | '_');
    let after = &text[span.end..];
    let glued_behind = after.starts_with(|c: char| c.is_alphanumeric() || c == '_' || c == '/')
        || after.strip_prefix(['.', '-']).is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
    if before.ends_with(glued) || before.ends_with('-') && !before.ends_with(" -") || glued_behind {
        return;
    }
    let start = APPROXIMATE.find(before).map_or(span.start, |m| m.start());
    let approximate = start < span.start || matches!(when, When::Month(_));
    found.push(Found { span: start..span.end, when, approximate });
}

fn num(hit: &regex::Captures<'_>, group: usize) -> i64 {
    hit.get(group).and_then(|m| m.as_str().parse().ok()).unwrap_or(0)
}

fn civil(year: i64, month: i64, day: i64) -> Option<Date> {
    if !(1970..=2999).contains(&year) {
        return None;
    }
    Date::new(i16::try_from(year).ok()?, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()
}

fn named(month: &str, day: i64, year: Option<&str>) -> Option<When> {
    // "may 5" in the middle of a sentence is a verb.
    if !month.starts_with(|c: char| c.is_ascii_uppercase()) {
        return None;
    }
    let number = month_number(month)?;
    match year {
        Some(year) => civil(year.parse().ok()?, i64::from(number), day).map(When::Day),
        None => Date::new(2000, number, i8::try_from(day).ok()?).ok().map(|d| When::DayOfYear(d.month(), d.day())),
    }
}

fn month_number(name: &str) -> Option<i8> {
    const STARTS: [&str; 12] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
    let name = name.to_ascii_lowercase();
    let at = STARTS.iter().position(|s| name.starts_with(s))?;
    i8::try_from(at + 1).ok()
}

fn moment(day: Date, hour: i64, minute: i64, second: i64, zone: &str) -> Option<Timestamp> {
    let zone = match zone {
        "Z" | "UTC" | "GMT" => "Z".to_owned(),
        z if z.len() == 5 => format!("{}:{}", &z[..3], &z[3..]),
        z => z.to_owned(),
    };
    format!("{day}T{hour:02}:{minute:02}:{second:02}{zone}").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(text: &str) -> Option<String> {
        find(text, SlashOrder::Unknown).first().and_then(Found::rfc3339)
    }

    #[test]
    fn reads_the_spellings_people_use() {
        for text in [
            "2026-01-23",
            "on 2026/01/23.",
            "23.01.2026",
            "23/01/2026",
            "01/23/2026",
            "Jan 23, 2026",
            "January 23rd, 2026",
            "23 Jan 2026",
            "Fri, 23 January 2026",
            "23-Jan-2026",
            "Sept it was not, Jan. 23, 2026",
        ] {
            assert_eq!(one(text).as_deref(), Some("2026-01-23"), "{text}");
        }
        assert_eq!(one("2026-01-23T05:12:09Z").as_deref(), Some("2026-01-23T05:12:09Z"));
        assert_eq!(one("2026-01-23 05:12 UTC").as_deref(), Some("2026-01-23T05:12:00Z"));
        assert_eq!(one("2026-01-23T05:12:09+01:00").as_deref(), Some("2026-01-23T04:12:09Z"));
        assert_eq!(one("2026-01-23 05:12").as_deref(), Some("2026-01-23"));
    }

    #[test]
    fn leaves_versions_addresses_and_verbs_alone() {
        for text in
            ["10.0.0.1", "we may 5 times retry", "v2026.01.23.4", "03/04/2026", "/logs/2026-01-23.log", "2026-13-40"]
        {
            assert_eq!(one(text), None, "{text}");
        }
    }

    #[test]
    fn a_month_or_a_tilde_is_approximate() {
        let month = find("late January 2026", SlashOrder::Unknown);
        assert!(month[0].approximate && month[0].span == (0..17), "{month:?}");
        assert!(find("~2026-01-23", SlashOrder::Unknown)[0].approximate);
        assert!(!find("2026-01-23", SlashOrder::Unknown)[0].approximate);
    }

    #[test]
    fn the_page_tells_the_order_of_slashed_dates() {
        assert_eq!(slash_order("03/04/2026 and 23/04/2026"), SlashOrder::DayFirst);
        assert_eq!(slash_order("03/04/2026 and 04/23/2026"), SlashOrder::MonthFirst);
        let found = find("03/04/2026", SlashOrder::DayFirst);
        assert_eq!(found[0].rfc3339().as_deref(), Some("2026-04-03"));
    }
}
