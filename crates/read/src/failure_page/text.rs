//! Plain text, as a browser's copy leaves it: one block a line.

use super::block::{Block, Kind};
use super::pattern::pattern;

pattern!(NUMBERED, r"^(\d{1,4})[.)] +(.+)$");

/// Cuts plain text into blocks.
pub fn blocks(text: &str) -> Vec<Block> {
    let lines: Vec<&str> = text.lines().collect();
    let mut out = Vec::new();
    let mut gap = true;
    for (i, raw) in lines.iter().enumerate() {
        let line = raw.trim();
        if line.is_empty() || line.chars().all(|c| matches!(c, '-' | '=' | '_' | '*' | '─')) {
            gap = true;
            continue;
        }
        if let Some(title) = decorated(line) {
            out.push(Block::new(Kind::Heading(2), title, i + 1, true));
            gap = true;
            continue;
        }
        let depth = (raw.len() - raw.trim_start().len()) / 2;
        let (kind, body) = if let Some(rest) = line
            .strip_prefix(['•', '‣', '◦', '▪'])
            .or_else(|| line.strip_prefix("- "))
            .or_else(|| line.strip_prefix("* "))
        {
            (Kind::Item { depth, number: None }, rest.trim())
        } else if let Some((number, rest)) = in_a_list(&lines, i) {
            (Kind::Item { depth, number: Some(number) }, rest)
        } else {
            (Kind::Text, line)
        };
        out.push(Block::new(kind, body, i + 1, gap));
        gap = false;
    }
    out
}

/// The title in a line such as `=== Title ===`.
fn decorated(line: &str) -> Option<&str> {
    let mark = line.chars().next().filter(|c| matches!(c, '=' | '*' | '-' | '~' | '#'))?;
    let inner = line.trim_matches(mark);
    let both = line.len() - line.trim_start_matches(mark).len() >= 2 && line.ends_with(&format!("{mark}{mark}"));
    (both && inner.starts_with(' ') && inner.ends_with(' ')).then(|| inner.trim()).filter(|t| !t.is_empty())
}

fn numbered(line: &str) -> Option<(u32, &str)> {
    let hit = NUMBERED.captures(line.trim())?;
    Some((hit.get(1)?.as_str().parse().ok()?, hit.get(2)?.as_str()))
}

/// A numbered line is an entry of a list where its neighbour carries the next number.
fn in_a_list<'a>(lines: &[&'a str], i: usize) -> Option<(u32, &'a str)> {
    let (number, rest) = numbered(lines[i])?;
    let neighbour = |at: Option<usize>, wanted: Option<u32>| {
        at.and_then(|at| lines.get(at)).and_then(|l| numbered(l)).map(|(n, _)| n) == wanted && wanted.is_some()
    };
    let listed = neighbour(i.checked_sub(1), number.checked_sub(1)) || neighbour(Some(i + 1), Some(number + 1));
    listed.then_some((number, rest))
}
