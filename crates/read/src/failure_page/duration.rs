//! Lengths of time in prose, and whether a body agrees with the one in its title.

use jiff::civil::Date;

use super::date::{self, SlashOrder, When};
use super::pattern::pattern;

const MINUTE: f64 = 60.0;
const HOUR: f64 = 60.0 * MINUTE;
const DAY: f64 = 24.0 * HOUR;

/// A length of time with the unit it was given in.
#[derive(Clone, Debug, PartialEq)]
pub struct Length {
    pub seconds: f64,
    pub unit: f64,
    /// As the text has it.
    pub text: String,
    at: usize,
    end: usize,
}

const COUNTS: &str = r"\d+(?:\.\d+)?|half an?|an?|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|fifteen|twenty|thirty|forty|sixty|ninety";
pattern!(
    LENGTH,
    &format!(
        r"(?i)\b({COUNTS})(?:[ \u{{a0}}-]?(?:full|whole|long|calendar|business|or so)?[ -]?)(seconds?|secs?|minutes?|mins?|hours?|hrs?|h|days?|weeks?|wks?|months?|years?|yrs?)\b"
    )
);
pattern!(
    NOT_A_LENGTH_AFTER,
    r"(?i)^[ -]*(?:time-?outs?|retention|limit|windows?|cert\w*|intervals?|ttl|old|lease|token|sessions?|trial|plan|sla|cron|schedule|period|history|of (?:logs?|history|metrics))\b"
);
pattern!(
    NOT_A_LENGTH_BEFORE,
    r"(?i)\b(?:every|each|per|within|last|past|next|retention of|timeout of|ttl of|older than|instead of|valid(?: for)?|kept(?: for)?|expir\w+ (?:after|in)|limit(?:ed to| of)?)[ -]*$"
);
pattern!(
    STATED,
    r"(?i)\b(?:lasted|lasting|duration(?: was| of)?:?|downtime(?: was| of)?:?|outage of|gap of|took|unnoticed|undetected|for|not (?:run|worked|been \w+) (?:in|for)|after|over)\s*(?:about|around|roughly|nearly|almost|only|just|some|more than|over|at least|the)?\s*$"
);
pattern!(
    STEADY,
    r"(?i)\b(?:valid|expires?|retention|kept|keeps|limit|time-?out|ttl|retry|retries|cache[sd]?|sleep|waits?|schedul\w+|every)\b"
);
pattern!(
    SPAN_WORDS,
    r"(?i)\b(?:since|from|between|until|till|through|last|discovered|found|noticed|detected|began|started|ended|restored|resolved|first|spotted|caught|recovered|to)\b"
);
pattern!(
    OPEN_SPAN,
    r"(?i)\b(?:since|last (?:ran|run|succeeded|worked|successful\w*|good|completed|copy|copied|went|sent|seen|written|wrote|updated|received|delivered|finished|fired|produced|taken|made|synced|backup|report|one))\b"
);
pattern!(
    CLOCK,
    r"\b([01]?\d|2[0-3]):([0-5]\d)(?:\s*UTC)?\s*(?:-|–|—|to|until|till|and)\s*([01]?\d|2[0-3]):([0-5]\d)\b"
);
pattern!(
    BROKEN,
    r"(?i)\b(?:down|outage|unavailable|failed|failing|errors?|offline|lost|unreachable|degraded|broken|served|interrupted|50\d)\b"
);

/// Every length of time of a text.
pub fn lengths(text: &str) -> Vec<Length> {
    LENGTH
        .captures_iter(text)
        .filter_map(|hit| {
            let (all, count, unit) = (hit.get(0)?, hit.get(1)?, hit.get(2)?);
            let unit = unit_seconds(unit.as_str())?;
            Some(Length {
                seconds: number(count.as_str())? * unit,
                unit,
                text: all.as_str().to_owned(),
                at: all.start(),
                end: all.end(),
            })
        })
        .collect()
}

fn number(word: &str) -> Option<f64> {
    if let Ok(number) = word.parse() {
        return Some(number);
    }
    const WORDS: [&str; 12] =
        ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"];
    let word = word.to_lowercase();
    if let Some(at) = WORDS.iter().position(|w| *w == word) {
        return Some((at + 1) as f64);
    }
    match word.as_str() {
        "a" | "an" => Some(1.0),
        "half a" | "half an" => Some(0.5),
        "fifteen" => Some(15.0),
        "twenty" => Some(20.0),
        "thirty" => Some(30.0),
        "forty" => Some(40.0),
        "sixty" => Some(60.0),
        "ninety" => Some(90.0),
        _ => None,
    }
}

fn unit_seconds(unit: &str) -> Option<f64> {
    let unit = unit.to_lowercase();
    Some(match unit.get(..1)? {
        "s" => 1.0,
        "m" if unit.starts_with("mo") => 30.44 * DAY,
        "m" => MINUTE,
        "h" => HOUR,
        "d" => DAY,
        "w" => 7.0 * DAY,
        _ => 365.25 * DAY,
    })
}

/// What the body tells of lengths, for one comparison.
struct Told {
    seconds: f64,
    unit: f64,
    text: String,
    /// Whether it tells how long the failure was, rather than some other time.
    of_failure: bool,
}

/// Says how the length in a title contradicts the text below it, if it does.
///
/// Any length or span of the text that agrees keeps it silent; only lengths that
/// the text gives for the failure itself can contradict.
pub fn contradiction(title: &str, account: &str, rest: &str, dated: Option<Date>) -> Option<String> {
    let claimed = lengths(title).into_iter().find(|l| of_the_failure(title, l))?;
    let mut told = told(account, dated);
    told.extend(lengths(rest).into_iter().map(|l| Told {
        seconds: l.seconds,
        unit: l.unit,
        text: l.text,
        of_failure: false,
    }));
    if told.iter().any(|t| agree(&claimed, t)) {
        return None;
    }
    let other = told.iter().find(|t| t.of_failure)?;
    Some(format!("The title says \"{}\", the text says {}.", claimed.text, other.text))
}

fn of_the_failure(title: &str, length: &Length) -> bool {
    !NOT_A_LENGTH_AFTER.is_match(&title[length.end..]) && !NOT_A_LENGTH_BEFORE.is_match(&title[..length.at])
}

fn agree(claimed: &Length, told: &Told) -> bool {
    let tolerance = (claimed.unit.max(told.unit) / 2.0).max(claimed.seconds * 0.1);
    (claimed.seconds - told.seconds).abs() <= tolerance + f64::EPSILON
}

fn told(account: &str, dated: Option<Date>) -> Vec<Told> {
    let mut out = Vec::new();
    for sentence in sentences(account) {
        for length in lengths(sentence) {
            let before = &sentence[..length.at];
            let of_failure = STATED.is_match(before) && !STEADY.is_match(sentence);
            out.push(Told {
                seconds: length.seconds,
                unit: length.unit,
                text: format!("\"{}\"", length.text),
                of_failure,
            });
        }
        spans(sentence, dated, &mut out);
        for hit in CLOCK.captures_iter(sentence) {
            let at = |h, m| Some(clock(hit.get(h)?.as_str(), hit.get(m)?.as_str()));
            if let (Some(from), Some(to), Some(all)) = (at(1, 2), at(3, 4), hit.get(0)) {
                let seconds = if to >= from { to - from } else { to + DAY - from };
                out.push(Told {
                    seconds,
                    unit: 10.0 * MINUTE,
                    text: format!("\"{}\"", all.as_str()),
                    of_failure: BROKEN.is_match(sentence),
                });
            }
        }
    }
    out
}

fn clock(hour: &str, minute: &str) -> f64 {
    hour.parse::<f64>().unwrap_or(0.0) * HOUR + minute.parse::<f64>().unwrap_or(0.0) * MINUTE
}

/// Spans between the dates of a sentence, and from its one date to the record's.
fn spans(sentence: &str, dated: Option<Date>, out: &mut Vec<Told>) {
    let found = date::find(sentence, SlashOrder::Unknown);
    let year = dated.map(|d| d.year());
    let days: Vec<Date> = found
        .iter()
        .filter_map(|f| match f.when {
            When::DayOfYear(month, day) => Date::new(year?, month, day).ok(),
            _ => f.day(),
        })
        .collect();
    let mut push = |from: Date, to: Date, of_failure: bool| {
        let days = (to - from).get_days();
        let days = if days < 0 { days + 365 } else { days };
        let text = format!("{from} to {to}, {days} day{}", if days == 1 { "" } else { "s" });
        // Both ends may count, so a span agrees within a day.
        out.push(Told { seconds: f64::from(days) * DAY, unit: 2.0 * DAY, text, of_failure });
    };
    for (i, from) in days.iter().enumerate() {
        for to in &days[i + 1..] {
            push(*from, *to, SPAN_WORDS.is_match(sentence) && from != to);
        }
    }
    if let (Some(dated), [only]) = (dated, days.as_slice())
        && *only < dated
        && OPEN_SPAN.is_match(sentence)
    {
        push(*only, dated, true);
    }
}

/// Sentences of a text; a dot inside a word, number or path ends none.
pub fn sentences(text: &str) -> Vec<&str> {
    let mut out = Vec::new();
    let mut start = 0;
    let bytes = text.as_bytes();
    for (at, c) in text.char_indices() {
        let next = bytes.get(at + c.len_utf8());
        let ends = matches!(c, '.' | '!' | '?') && next.is_none_or(|b| b.is_ascii_whitespace()) || c == '\n';
        if ends {
            let month = text[start..at].rsplit(' ').next().is_some_and(|w| {
                w.len() == 3
                    && w.starts_with(|c: char| c.is_ascii_uppercase())
                    && date::find(&format!("{w} 1, 2000"), SlashOrder::Unknown).len() == 1
            });
            if !month {
                out.push(text[start..at + c.len_utf8()].trim());
                start = at + c.len_utf8();
            }
        }
    }
    out.push(text[start..].trim());
    out.retain(|s| !s.is_empty());
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(title: &str, body: &str) -> Option<String> {
        contradiction(title, body, "", Date::new(2026, 1, 27).ok())
    }

    #[test]
    fn a_title_that_its_text_contradicts() {
        for (title, body) in [
            ("Backup silent (4 Weeks)", "The copy had not run since January 24 — discovered January 27."),
            ("Backup silent for four weeks", "It last succeeded on 2026-01-24."),
            ("Report not sent (6 Weeks)", "It last went out on January 20. Found January 27."),
            ("Two-Hour Outage of the API", "The API was down from 14:00 to 14:20."),
            ("Mail lost for 3 months", "The queue was stuck for ten days."),
            ("6-week gap in metrics", "Nothing was scraped from 2026-01-02 until 2026-01-05."),
        ] {
            assert!(check(title, body).is_some(), "{title}");
        }
    }

    #[test]
    fn silent_where_they_agree_or_do_not_compare() {
        for (title, body) in [
            ("Backup silent (4 Weeks)", "The copy had not run since December 30; found January 27."),
            ("Backup silent (3 days)", "The copy had not run since January 24 — discovered January 27."),
            ("Backup silent for 72 hours", "It lasted three days."),
            (
                "Certificate expired after 90 days",
                "Nobody renewed it. The site was down for two hours. It was valid 90 days.",
            ),
            ("Certificate valid for 90 days expired", "The site was down for two hours."),
            ("30-day retention deleted the logs", "The site was down for two hours."),
            ("Disk filled overnight", "It took 6 hours."),
            ("Two-Hour Outage", "The API was down from 14:00 to 16:05."),
            ("Outage of 4 weeks", "Nobody looked at the graphs."),
        ] {
            assert_eq!(check(title, body), None, "{title}");
        }
    }
}
