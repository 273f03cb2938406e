//! Times as logs spell them, at the beginning of a text.

use std::sync::LazyLock;

use jiff::civil::DateTime;
use jiff::{Timestamp, ToSpan};
use regex::Regex;

#[allow(clippy::expect_used, reason = "a constant expression, compiled in the tests")]
fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("constant pattern")
}

/// `2026-01-13T13:01:58.1Z`, `2026-01-13 13:01:58,123 UTC`, `2026/01/13 13:01:58`.
static ISO: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"^(\d{4})[-/](\d{2})[-/](\d{2})[T ](\d{2}):(\d{2}):(\d{2})(?:[.,](\d{1,9}))?(?: ?(Z\b|[+-]\d{2}:?\d{2}\b|[+-]\d{2}\b)| ([A-Z]{3,5})\b)?",
    )
});
/// `13 Jan 2026 13:01:58.123` and `13/Jan/2026:13:01:58 +0000`.
static DAY_FIRST: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r"^(\d{1,2})[ /-]([A-Z][a-z]{2})[ /-](\d{4})[ :](\d{2}):(\d{2}):(\d{2})(?:[.,](\d{1,9}))?(?: ([+-]\d{4}))?")
});
/// `Jan 13 13:01:58` and `Tue Jan 13 13:01:58 2026`.
static MONTH_FIRST: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r"^(?:[A-Z][a-z]{2} )?([A-Z][a-z]{2}) +(\d{1,2}) (\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,9}))?(?: (\d{4})\b)?")
});

/// Words after a time that mean UTC; after any other zone word the time is unknown,
/// since a guess would order events wrongly.
const UTC_WORDS: [&str; 2] = ["UTC", "GMT"];

/// The time at the beginning of a text and the length of its spelling.
///
/// A time without a zone counts as UTC, which is what containers run on.
pub fn leading(text: &str, reference: Option<Timestamp>) -> Option<(Option<Timestamp>, usize)> {
    let first = text.bytes().next()?;
    if first.is_ascii_digit() {
        return iso(text).or_else(|| day_first(text));
    }
    if first.is_ascii_uppercase() { month_first(text, reference) } else { None }
}

fn iso(text: &str) -> Option<(Option<Timestamp>, usize)> {
    let c = ISO.captures(text)?;
    let zone_word = c.get(9);
    let word_is_level = zone_word.is_some_and(|z| super::Level::parse(z.as_str()).is_some());
    let whole = match zone_word {
        Some(z) if word_is_level => z.start() - 1,
        _ => c.get(0)?.end(),
    };
    let civil = civil(&c[1], &c[2], &c[3], &c[4], &c[5], &c[6], c.get(7).map_or("", |m| m.as_str()))?;
    let known = word_is_level || zone_word.is_none_or(|z| UTC_WORDS.contains(&z.as_str()));
    let at = if known { offset(civil, c.get(8).map_or("", |m| m.as_str())) } else { None };
    Some((at, whole))
}

fn day_first(text: &str) -> Option<(Option<Timestamp>, usize)> {
    let c = DAY_FIRST.captures(text)?;
    let month = month(&c[2])?;
    let civil = civil(&c[3], month, &c[1], &c[4], &c[5], &c[6], c.get(7).map_or("", |m| m.as_str()))?;
    Some((offset(civil, c.get(8).map_or("", |m| m.as_str())), c.get(0)?.end()))
}

fn month_first(text: &str, reference: Option<Timestamp>) -> Option<(Option<Timestamp>, usize)> {
    let c = MONTH_FIRST.captures(text)?;
    let month = month(&c[1])?;
    let end = c.get(0)?.end();
    let fraction = c.get(6).map_or("", |m| m.as_str());
    let in_year =
        |year: &str| civil(year, month, &c[2], &c[3], &c[4], &c[5], fraction).and_then(|civil| offset(civil, ""));
    if let Some(year) = c.get(7) {
        return Some((in_year(year.as_str()), end));
    }
    let Some(reference) = reference else { return Some((None, end)) };
    // A header without a year means the newest such day that is not after the reference.
    let year = reference.to_zoned(jiff::tz::TimeZone::UTC).year();
    let latest = reference.checked_add(36.hours()).unwrap_or(reference);
    let at = in_year(&year.to_string()).filter(|t| *t <= latest).or_else(|| in_year(&(year - 1).to_string()));
    Some((at, end))
}

fn month(name: &str) -> Option<&'static str> {
    const MONTHS: [(&str, &str); 12] = [
        ("Jan", "01"),
        ("Feb", "02"),
        ("Mar", "03"),
        ("Apr", "04"),
        ("May", "05"),
        ("Jun", "06"),
        ("Jul", "07"),
        ("Aug", "08"),
        ("Sep", "09"),
        ("Oct", "10"),
        ("Nov", "11"),
        ("Dec", "12"),
    ];
    MONTHS.iter().find(|(n, _)| *n == name).map(|(_, number)| *number)
}

fn civil(y: &str, mo: &str, d: &str, h: &str, mi: &str, s: &str, fraction: &str) -> Option<DateTime> {
    let nanos: i32 = format!("{fraction:0<9}").parse().unwrap_or(0);
    DateTime::new(
        y.parse().ok()?,
        mo.parse().ok()?,
        d.parse().ok()?,
        h.parse().ok()?,
        mi.parse().ok()?,
        s.parse::<i8>().ok()?.min(59),
        nanos,
    )
    .ok()
}

/// A civil time at an offset such as `+01:00`, `-0530`, `+00`, `Z` or nothing.
fn offset(civil: DateTime, zone: &str) -> Option<Timestamp> {
    let digits: String = zone.chars().filter(char::is_ascii_digit).collect();
    let hours: i32 = digits.get(..2).and_then(|h| h.parse().ok()).unwrap_or(0);
    let minutes: i32 = digits.get(2..4).and_then(|m| m.parse().ok()).unwrap_or(0);
    let seconds = (hours * 60 + minutes) * 60 * if zone.starts_with('-') { -1 } else { 1 };
    let offset = jiff::tz::Offset::from_seconds(seconds).ok()?;
    offset.to_timestamp(civil).ok()
}

/// A number of seconds, milliseconds or nanoseconds since 1970.
pub fn epoch(number: f64) -> Option<Timestamp> {
    let seconds = match number {
        n if n > 1e17 => n / 1e9,
        n if n > 1e14 => n / 1e6,
        n if n > 1e11 => n / 1e3,
        n if n > 1e8 => n,
        _ => return None,
    };
    Timestamp::from_millisecond((seconds * 1e3).round() as i64).ok()
}
