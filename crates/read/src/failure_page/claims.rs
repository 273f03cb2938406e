//! What a page says about itself, held against what it holds: counts and order.

use coroner_model::incident::{Incident, Problem, ProblemKind};

use super::block::{Block, Kind};
use super::meta;
use super::pattern::pattern;
use super::record::Record;

const COUNTS: &str = r"\d{1,3}(?:,\d{3})+|\d+|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|fifteen|sixteen|seventeen|eighteen|nineteen|twenty(?:-\w+)?|thirty(?:-\w+)?|forty(?:-\w+)?";
const INCIDENTS: &str = r"incidents?(?: reports?)?|post-?\s?mortems?|outages?|failures?|entries|records|cases|reports";

pattern!(
    STAT,
    &format!(r"(?i)^({COUNTS})(\+)?\s+([a-z][a-z -]*?)(?: (?:documented|recorded|listed|in total|total))?[.]?$")
);
pattern!(STAT_BEHIND, r"(?i)^([a-z][a-z -]*?)(?:\s*[:=–—-]\s*|\s*\()(\d{1,6})\)?(\+)?$");
pattern!(NUMBER_ONLY, r"^(\d{1,3}(?:,\d{3})+|\d{1,6})(\+)?$");
pattern!(
    IN_PROSE,
    &format!(
        r"(?i)(?:^|[^#\w.-])((?:more than|over|at least|about|around|nearly|some)\s+)?({COUNTS})(\+)?\s+((?:[a-z-]+\s+){{0,2}}?)({INCIDENTS})(?:\s+(?:below|listed|documented|recorded|described|in total|on this page|so far|total|are|have been|were)\b|\s*[.,;:)(–—]|\s*$|\s+and\b)"
    )
);
pattern!(
    LISTED,
    &format!(
        r"(?i)\b(?:lists?|holds?|contains?|covers?|documents?|describes?|collects?|records?|(?:here|below|following) are)\s+(?:(?:the|all|our|only|exactly|following)\s+)*(?:(more than|over|at least|about|around|nearly|some)\s+)?({COUNTS})(\+)?\s+((?:[a-z-]+\s+){{0,2}}?)({INCIDENTS})\b"
    )
);
pattern!(
    GRADED_IN_PROSE,
    &format!(
        r"(?i)\b({COUNTS})\s+(?:of (?:them|which|these)\s+(?:are |were )?)?(?:(?:are|were|rated)\s+)?([a-z]+|sev-?[0-5]|p[0-5])\b"
    )
);
pattern!(
    TOTAL_WORDS,
    &format!(
        r"(?i)^(?:(?:total|documented|recorded|production|known|logged|listed|major|all|number of|the)\s+)*(?:{INCIDENTS})(?:\s+(?:total|documented|recorded|listed|logged|analy[sz]ed))?$"
    )
);
pattern!(GROUP_COUNT, r"(?i)[\s–—:-]*\(?(\d{1,4})(?:\s+(?:incidents?|entries|records|cases))?\)?\s*$");
pattern!(
    ORDER,
    r"(?i)\b(?:(?:ordered|sorted|listed|arranged|presented|shown|grouped)\b[^.]*|chronological(?:ly)?|(?:newest|latest|most recent|oldest|earliest) first)"
);
pattern!(
    DESCENDING,
    r"(?i)(?:newest|latest|most recent)(?: \w+)? first|reverse[- ]chronolog|(?:newest|latest|most recent) to (?:the )?(?:oldest|earliest|least)|descending"
);
pattern!(
    ASCENDING,
    r"(?i)(?:earliest|oldest|first) to |(?:oldest|earliest)(?: \w+)? first|chronolog|ascending|by date|in (?:order of|date) (?:date|order|occurrence)|from (?:the )?(?:first|oldest|earliest)"
);
pattern!(
    PER_GROUP,
    r"(?i)\b(?:within|in|per|inside|for)\s+(?:each|every|a|its|their)?\s*(?:category|categories|group|groups|section|sections)\b|\beach (?:category|group|section)\b"
);

/// What is held, for the comparison.
pub struct Held<'a> {
    pub records: &'a [Record],
    pub incidents: &'a [Incident],
}

/// Lists where the page's own figures and its own order are not so.
pub fn problems(blocks: &[Block], held: &Held<'_>) -> Vec<Problem> {
    let is_group = |text: &String| held.records.iter().any(|r| r.groups.last() == Some(text));
    let first = held.records.iter().map(|r| r.block).min().unwrap_or(0);
    let header: Vec<String> =
        blocks[..first.min(blocks.len())].iter().flat_map(texts).filter(|t| !is_group(t)).collect();
    let mut out = counts(&header, held);
    out.extend(group_counts(held));
    out.extend(order(&header, held));
    out
}

fn texts(block: &Block) -> Vec<String> {
    match &block.kind {
        Kind::Row { cells, head: false } if cells.len() == 2 => vec![format!("{}: {}", cells[0], cells[1])],
        Kind::Row { cells, .. } => cells.clone(),
        Kind::Code => Vec::new(),
        _ => {
            let lead = block.lead.as_ref().map(|l| format!("{l}: ")).unwrap_or_default();
            vec![format!("{lead}{}", block.text.replace("**", ""))]
        }
    }
}

fn mismatch(text: String) -> Problem {
    Problem { kind: ProblemKind::CountMismatch, incident: None, text }
}

/// A figure of the page's header.
struct Stat {
    count: usize,
    at_least: bool,
    noun: String,
}

fn counts(header: &[String], held: &Held<'_>) -> Vec<Problem> {
    let mut out: Vec<Problem> = Vec::new();
    for stat in stats(header) {
        if let Some(problem) = judge(&stat, header, held).filter(|p| !out.contains(p)) {
            out.push(problem);
        }
    }
    out
}

fn stats(header: &[String]) -> Vec<Stat> {
    let mut out = Vec::new();
    let mut i = 0;
    while i < header.len() {
        let text = header[i].trim();
        let next = header.get(i + 1).map(|t| t.trim());
        // A tile: the figure on one line, its noun on the next.
        if let (Some(hit), Some(noun)) = (NUMBER_ONLY.captures(text), next.filter(|n| is_noun(n))) {
            out.push(Stat { count: count(&hit[1]), at_least: hit.get(2).is_some(), noun: noun.to_owned() });
            i += 2;
            continue;
        }
        let noun_first = is_counted(text) && ends_with_a_figure(&header[i..]);
        if let (true, Some(hit)) = (noun_first, next.and_then(|n| NUMBER_ONLY.captures(n))) {
            out.push(Stat { count: count(&hit[1]), at_least: hit.get(2).is_some(), noun: text.to_owned() });
            i += 2;
            continue;
        }
        for part in text.split(['|', '·', '•']).map(str::trim) {
            line(part, &mut out);
        }
        i += 1;
    }
    out
}

/// Whether nouns and figures that take turns end with a figure, so that each noun stands before its own.
fn ends_with_a_figure(header: &[String]) -> bool {
    let turns = header.iter().enumerate().take_while(|(i, text)| {
        let text = text.trim();
        if i % 2 == 0 { is_noun(text) } else { NUMBER_ONLY.is_match(text) }
    });
    turns.count() % 2 == 0
}

fn line(text: &str, out: &mut Vec<Stat>) {
    if let Some(hit) = STAT.captures(text) {
        out.push(Stat { count: count(&hit[1]), at_least: hit.get(2).is_some(), noun: hit[3].to_owned() });
        return;
    }
    if let Some(hit) = STAT_BEHIND.captures(text) {
        out.push(Stat { count: count(&hit[2]), at_least: hit.get(3).is_some(), noun: hit[1].to_owned() });
        return;
    }
    let listed = LISTED.captures_iter(text).next();
    let said: Vec<regex::Captures<'_>> = listed.map_or_else(|| IN_PROSE.captures_iter(text).collect(), |hit| vec![hit]);
    for hit in said {
        let adjectives = hit[4].trim();
        let graded = adjectives.split(' ').any(|w| meta::severity(w).is_some() || meta::status(w).is_some());
        let noun =
            if graded || !adjectives.is_empty() { format!("{adjectives} {}", &hit[5]) } else { hit[5].to_owned() };
        out.push(Stat { count: count(&hit[2]), at_least: hit.get(1).is_some() || hit.get(3).is_some(), noun });
        // "26 incidents, 5 of them critical" counts on in the same sentence.
        let rest = hit.get(5).map_or("", |m| &text[m.end()..]);
        for more in GRADED_IN_PROSE.captures_iter(rest) {
            if meta::severity(&more[2]).is_some() {
                out.push(Stat { count: count(&more[1]), at_least: false, noun: more[2].to_owned() });
            }
        }
    }
}

/// Whether a line names something that the page may count, so that a figure below it is its count.
fn is_counted(text: &str) -> bool {
    is_noun(text) && (TOTAL_WORDS.is_match(text) || meta::severity(text).is_some() || meta::status(text).is_some())
}

fn is_noun(text: &str) -> bool {
    text.split_whitespace().count() <= 3
        && text.chars().all(|c| c.is_alphabetic() || matches!(c, ' ' | '-'))
        && !text.is_empty()
}

fn count(text: &str) -> usize {
    const WORDS: [&str; 20] = [
        "one",
        "two",
        "three",
        "four",
        "five",
        "six",
        "seven",
        "eight",
        "nine",
        "ten",
        "eleven",
        "twelve",
        "thirteen",
        "fourteen",
        "fifteen",
        "sixteen",
        "seventeen",
        "eighteen",
        "nineteen",
        "twenty",
    ];
    let lower = text.to_lowercase();
    if let Ok(number) = lower.replace(',', "").parse() {
        return number;
    }
    let (tens, ones) = lower.split_once('-').unwrap_or((&lower, ""));
    let of = |word: &str| match word {
        "thirty" => 30,
        "forty" => 40,
        _ => WORDS.iter().position(|w| *w == word).map_or(0, |at| at + 1),
    };
    of(tens) + of(ones)
}

fn judge(stat: &Stat, header: &[String], held: &Held<'_>) -> Option<Problem> {
    let noun = stat.noun.trim().to_lowercase();
    let wrong = |holds: usize| if stat.at_least { holds < stat.count } else { holds != stat.count };
    let said = format!("{}{} {}", stat.count, if stat.at_least { "+" } else { "" }, stat.noun.trim());
    if TOTAL_WORDS.is_match(&noun) && !noun.starts_with("major") && is_the_pages_word(&noun, header) {
        let holds = held.incidents.len();
        return wrong(holds).then(|| mismatch(format!("The page says {said}, but holds {holds}.")));
    }
    let word = noun.trim_end_matches(" incidents").trim_end_matches(" incident").trim_end_matches(" severity");
    if meta::severity(word).is_some() {
        return graded(stat, word, &said, held);
    }
    if let Some(status) = meta::status(word) {
        let stated = held.records.iter().any(|r| r.meta.status.is_some() || r.meta.bare_status.is_some());
        let holds = held.incidents.iter().filter(|i| i.status == status).count();
        return (stated && wrong(holds))
            .then(|| mismatch(format!("The page says {said}, but holds {holds} of that status.")));
    }
    let grouped =
        held.records.iter().filter(|r| r.groups.last().is_some_and(|g| group_name(g).to_lowercase() == noun)).count();
    (grouped > 0 && wrong(grouped))
        .then(|| mismatch(format!("The page says {said}, but holds {grouped} under that heading.")))
}

/// `failures` and the like count the records only where the page calls its records so.
fn is_the_pages_word(noun: &str, header: &[String]) -> bool {
    let strict =
        ["incident", "post-mortem", "postmortem", "post mortem", "entries", "records"].iter().any(|w| noun.contains(w));
    let stem = noun.split(' ').next_back().unwrap_or(noun).trim_end_matches('s').trim_end_matches("ie");
    strict
        || header
            .iter()
            .take(4)
            .any(|t| t.split_whitespace().count() <= 8 && t.to_lowercase().contains(stem) && !STAT.is_match(t.trim()))
}

fn graded(stat: &Stat, word: &str, said: &str, held: &Held<'_>) -> Option<Problem> {
    let words: Vec<String> =
        held.records.iter().filter_map(|r| r.meta.severity.as_ref()).map(|s| s.word.to_lowercase()).collect();
    if words.is_empty() {
        return None;
    }
    let written = words.iter().filter(|w| *w == word).count();
    let meant = held.incidents.iter().filter(|i| i.severity.is_some() && i.severity == meta::severity(word)).count();
    let wrong = |holds: usize| if stat.at_least { holds < stat.count } else { holds != stat.count };
    let holds = if written == 0 && !wrong(meant) { meant } else { written };
    let none = if holds == 0 { "none".to_owned() } else { holds.to_string() };
    wrong(holds).then(|| mismatch(format!("The page says {said}, but holds {none} of that severity.")))
}

fn group_name(group: &str) -> &str {
    GROUP_COUNT.find(group).map_or(group, |m| &group[..m.start()]).trim()
}

/// A figure behind a group's name, held against the group.
fn group_counts(held: &Held<'_>) -> Vec<Problem> {
    let mut seen: Vec<&str> = Vec::new();
    let mut out = Vec::new();
    for group in held.records.iter().filter_map(|r| r.groups.last()) {
        if seen.contains(&group.as_str()) {
            continue;
        }
        seen.push(group);
        let Some(hit) = GROUP_COUNT.captures(group).filter(|h| h[0].contains(['(', '–', '—', ':'])) else {
            continue;
        };
        let holds = held.records.iter().filter(|r| r.groups.last() == Some(group)).count();
        if count(&hit[1]) != holds {
            out.push(mismatch(format!("The heading \"{group}\" says {}, but {holds} stand under it.", &hit[1])));
        }
    }
    out
}

fn order(header: &[String], held: &Held<'_>) -> Option<Problem> {
    let claim = header.iter().find_map(|text| {
        super::duration::sentences(text)
            .into_iter()
            .find(|s| ORDER.is_match(s) && (ASCENDING.is_match(s) || DESCENDING.is_match(s)))
            .map(str::to_owned)
    })?;
    let newest_first = DESCENDING.is_match(&claim);
    let per_group = PER_GROUP.is_match(&claim);
    let dated: Vec<(&Record, &Incident, &str)> =
        held.records.iter().zip(held.incidents).filter_map(|(r, i)| i.date.as_deref().map(|d| (r, i, d))).collect();
    let bad = dated.windows(2).find(|w| {
        let same_group = !per_group || w[0].0.groups == w[1].0.groups;
        let (a, b) = (comparable(w[0].2, w[1].2), comparable(w[1].2, w[0].2));
        same_group && if newest_first { a < b } else { a > b }
    })?;
    let [(_, before, one), (_, behind, two)] = bad else { return None };
    let mut text = format!(
        "The page says \"{}\", but {two} (\"{}\") stands behind {one} (\"{}\").",
        claim.trim(),
        behind.title,
        before.title
    );
    if let Some(more) = sessions(&dated) {
        text.push(' ');
        text.push_str(&more);
    }
    Some(Problem { kind: ProblemKind::Order, incident: None, text })
}

/// A date against one that is given no finer.
fn comparable<'a>(one: &'a str, other: &str) -> &'a str {
    if other.len() <= 10 { one.get(..10).unwrap_or(one) } else { one }
}

/// The first pair of sessions whose numbers do not follow their dates.
fn sessions(dated: &[(&Record, &Incident, &str)]) -> Option<String> {
    let number = |i: &Incident| -> Option<(u32, String)> {
        let label = i.sessions.first()?;
        let digits: String =
            label.chars().skip_while(|c| !c.is_ascii_digit()).take_while(char::is_ascii_digit).collect();
        Some((digits.parse().ok()?, label.clone()))
    };
    let mut numbered: Vec<((u32, String), &str)> =
        dated.iter().filter_map(|(_, i, d)| Some((number(i)?, *d))).collect();
    numbered.sort_by(|a, b| a.1.cmp(b.1));
    let pair = numbered.windows(2).find(|w| w[0].1 < w[1].1 && w[0].0.0 > w[1].0.0)?;
    Some(format!(
        "Session numbers do not follow the dates either: {} is {}, but {} is {}.",
        pair[0].0.1, pair[0].1, pair[1].0.1, pair[1].1
    ))
}
