//! Markdown, line by line: the inline source stays as it is written.

use super::block::{Block, Kind};
use super::label::{Label, classify};
use super::pattern::pattern;

pattern!(HEADING, r"^(#{1,6})\s+(.*?)\s*#*$");
pattern!(ITEM, r"^(\s*)(?:[-*+•]|(\d{1,5})[.)])\s+(?:\[[ xX]\]\s+)?(.*)$");
pattern!(RULE, r"^\s*(?:-\s*){3,}$|^\s*(?:\*\s*){3,}$|^\s*(?:_\s*){3,}$");
pattern!(UNDERLINE, r"^(?:=+|-{2,})\s*$");
pattern!(TABLE_RULE, r"^\s*\|?\s*:?-+:?\s*(?:\|\s*:?-+:?\s*)*\|?\s*$");
pattern!(BOLD, r"(?:\*\*|__)([^*_\n]{1,60}?)\s*(?:\*\*|__)(\s*[:：])?");
pattern!(ITALIC, r"(?:^|[\s|])[*_]([A-Za-z][^*_\n]{1,58}?)[*_](\s*[:：])?(?:\s|$)");
pattern!(SUMMARY, r"(?i)^\s*(?:<details[^>]*>)?\s*<summary[^>]*>(.*?)</summary>\s*$");
pattern!(TAG, r"</?[A-Za-z][^<>]*>");
pattern!(ONLY_TAGS, r"^\s*(?:<[^>]+>\s*)+$");
pattern!(PLAIN_LABEL, r"^([A-Z][A-Za-z'’ -]{1,40}):(?:\s|$)");

/// Whether a text is Markdown rather than the copy of a page.
pub fn looks_like(text: &str, name: &str) -> bool {
    let lower = name.to_lowercase();
    if lower.ends_with(".md") || lower.ends_with(".markdown") {
        return true;
    }
    let mut fenced = false;
    text.lines().any(|line| {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        }
        !fenced
            && (HEADING.is_match(line)
                || line.contains("](http")
                || TABLE_RULE.is_match(line) && line.contains('|')
                || BOLD.find(line).is_some_and(|m| m.start() <= 4))
    })
}

/// Cuts Markdown into blocks.
pub fn blocks(text: &str) -> Vec<Block> {
    let lines: Vec<&str> = text.lines().collect();
    let mut cutter = Cutter { out: Vec::new(), open: None, gap: true };
    let body = front_matter(&lines);
    let mut i = body;
    while i < lines.len() {
        i = cutter.line(&lines, i);
    }
    cutter.close();
    if one_report(&cutter.out) {
        cutter.out.splice(0..0, facts(&lines[..body]));
    }
    cutter.out
}

/// Whether no label occurs twice: the front matter of a page with several records tells of none of them.
fn one_report(blocks: &[Block]) -> bool {
    let name = |b: &Block| match (&b.lead, &b.kind) {
        (Some(lead), _) => Some(lead.clone()),
        (None, Kind::Heading(_)) => Some(b.text.clone()),
        _ => None,
    };
    let fields: Vec<String> = blocks
        .iter()
        .filter_map(name)
        .filter(|n| matches!(classify(n), Some(Label::Field(..))))
        .map(|n| super::label::normal(&n))
        .collect();
    !fields.is_empty() && fields.iter().enumerate().all(|(i, name)| !fields[..i].contains(name))
}

/// The header facts of YAML front matter: its flat keys that are known.
fn facts(lines: &[&str]) -> Vec<Block> {
    let fact = |(i, line): (usize, &&str)| {
        let (key, value) = line.split_once(':').filter(|(key, _)| !key.starts_with([' ', '-', '#']))?;
        let value = value.trim().trim_matches(['"', '\'']).trim();
        let known = matches!(classify(key), Some(Label::Key(_))) && !value.is_empty() && !value.starts_with(['[', '{']);
        known.then(|| Block { lead: Some(key.trim().to_owned()), ..Block::new(Kind::Text, value, i + 1, i == 0) })
    };
    lines.iter().enumerate().filter_map(fact).collect()
}

/// How many lines of YAML front matter stand at the top.
fn front_matter(lines: &[&str]) -> usize {
    if lines.first().map(|l| l.trim_end()) != Some("---") {
        return 0;
    }
    lines.iter().skip(1).position(|l| l.trim_end() == "---").map_or(0, |at| at + 2)
}

struct Cutter {
    out: Vec<Block>,
    /// The paragraph or list entry that soft-wrapped lines still join.
    open: Option<Block>,
    gap: bool,
}

impl Cutter {
    /// Takes the line at `i` and says where to go on.
    fn line(&mut self, lines: &[&str], i: usize) -> usize {
        let line = lines[i].trim_end();
        let quoted = line.trim_start().strip_prefix('>').map(str::trim_start);
        let line = quoted.unwrap_or(line);
        if line.trim().is_empty() || ONLY_TAGS.is_match(line) {
            self.close();
            self.gap = true;
            return i + 1;
        }
        if let Some(fence) = ["```", "~~~"].into_iter().find(|f| line.trim_start().starts_with(f)) {
            return self.fence(lines, i, fence);
        }
        if let Some(inner) = SUMMARY.captures(line).and_then(|hit| hit.get(1)) {
            self.whole(Kind::Text, TAG.replace_all(inner.as_str(), "").trim(), i);
            return i + 1;
        }
        if let Some(hit) = HEADING.captures(line) {
            let level = u8::try_from(hit.get(1).map_or(1, |m| m.len())).unwrap_or(6);
            self.whole(Kind::Heading(level), hit.get(2).map_or("", |m| m.as_str()), i);
            return i + 1;
        }
        if let Some(open) = self.open.take_if(|o| o.kind == Kind::Text && UNDERLINE.is_match(line) && o.line == i) {
            let level = if line.starts_with('=') { 1 } else { 2 };
            self.out.push(Block { kind: Kind::Heading(level), gap: true, ..open });
            self.gap = true;
            return i + 1;
        }
        if RULE.is_match(line) {
            self.close();
            self.gap = true;
            return i + 1;
        }
        if line.contains('|') && lines.get(i + 1).is_some_and(|next| TABLE_RULE.is_match(next) && next.contains('-')) {
            return self.table(lines, i);
        }
        if let Some(hit) = ITEM.captures(line) {
            self.close();
            let depth = hit.get(1).map_or(0, |m| m.as_str().replace('\t', "    ").len() / 2);
            let number = hit.get(2).and_then(|m| m.as_str().parse().ok());
            let body = hit.get(3).map_or("", |m| m.as_str());
            self.start(Kind::Item { depth, number }, body, i);
            return i + 1;
        }
        self.prose(lines[i], line.trim(), i);
        i + 1
    }

    fn prose(&mut self, raw: &str, line: &str, i: usize) {
        let labelled = line.starts_with(['*', '_']) && leads(line).first().is_some_and(|(lead, _)| lead.is_some())
            || PLAIN_LABEL.captures(line).and_then(|c| c.get(1)).is_some_and(|m| classify(m.as_str()).is_some());
        match &mut self.open {
            Some(open) if !labelled => {
                open.text.push(' ');
                open.text.push_str(line.trim_end_matches('\\'));
            }
            _ => {
                self.close();
                self.start(Kind::Text, line, i);
            }
        }
        if raw.ends_with("  ") || raw.ends_with('\\') {
            self.close();
        }
    }

    fn fence(&mut self, lines: &[&str], i: usize, fence: &str) -> usize {
        self.close();
        let end = lines
            .iter()
            .skip(i + 1)
            .position(|l| l.trim_start().starts_with(fence))
            .map_or(lines.len(), |at| i + 2 + at);
        let indent = lines[i].len() - lines[i].trim_start().len();
        let code: Vec<&str> = lines[i..end]
            .iter()
            .map(|l| l.get(indent..).filter(|_| l[..indent].trim().is_empty()).unwrap_or(l.trim_start()))
            .collect();
        self.whole(Kind::Code, &code.join("\n"), i);
        end
    }

    fn table(&mut self, lines: &[&str], i: usize) -> usize {
        self.close();
        let mut at = i;
        while let Some(line) = lines.get(at).filter(|l| l.contains('|')) {
            if !(at == i + 1 && TABLE_RULE.is_match(line)) {
                let cells = cells(line);
                self.whole(Kind::Row { cells, head: at == i }, "", at);
            }
            at += 1;
        }
        at.max(i + 1)
    }

    fn whole(&mut self, kind: Kind, text: &str, i: usize) {
        self.close();
        self.start(kind, text, i);
        self.close();
        self.gap = true;
    }

    fn start(&mut self, kind: Kind, text: &str, i: usize) {
        self.open = Some(Block::new(kind, text.trim_end_matches('\\'), i + 1, self.gap));
        self.gap = false;
    }

    /// Ends the open block, cut at each bold label in it.
    fn close(&mut self) {
        let Some(open) = self.open.take() else { return };
        if !matches!(open.kind, Kind::Text | Kind::Item { .. }) {
            self.out.push(open);
            return;
        }
        for (n, (lead, text)) in leads(&open.text).into_iter().enumerate() {
            let kind = if n == 0 { open.kind.clone() } else { Kind::Text };
            self.out.push(Block { kind, lead, text, line: open.line, gap: open.gap && n == 0 });
        }
    }
}

/// The cells of a table row.
fn cells(line: &str) -> Vec<String> {
    let inner = line.trim().trim_start_matches('|');
    let inner = inner.strip_suffix('|').unwrap_or(inner);
    let joined = inner.replace("\\|", "\u{1}");
    joined.split('|').map(|c| c.trim().replace('\u{1}', "|")).collect()
}

/// Cuts a paragraph at its bold labels; the first part has none unless it starts with one.
fn leads(text: &str) -> Vec<(Option<String>, String)> {
    let mut cuts: Vec<(usize, usize, String)> = Vec::new();
    for hit in BOLD.captures_iter(text) {
        let (Some(all), Some(inner)) = (hit.get(0), hit.get(1)) else { continue };
        let colon = hit.get(2).is_some() || inner.as_str().trim_end().ends_with([':', '：']);
        let before = text[..all.start()].trim_end();
        let edge =
            before.is_empty() || before.ends_with(['.', '!', '?', ')', '|', '·', ';', ':', '`', '"', ',', '—', '–']);
        let known = classify(inner.as_str());
        let label = match known {
            Some(Label::Key(_)) => colon || before.is_empty(),
            Some(_) => colon || edge,
            None => colon && edge && inner.as_str().split_whitespace().count() <= 5,
        };
        if label {
            cuts.push((all.start(), all.end(), inner.as_str().trim_end_matches([':', '：', ' ']).to_owned()));
        }
    }
    cuts.extend(italic_leads(text));
    cuts.sort();
    let mut out = Vec::new();
    let first = cuts.first().map_or(text.len(), |c| c.0);
    let head = text[..first].trim().trim_end_matches(['|', '·', '—', '–']).trim_end();
    if !head.is_empty() || cuts.is_empty() {
        out.push((None, head.to_owned()));
    }
    for (i, (_, end, lead)) in cuts.iter().enumerate() {
        let to = cuts.get(i + 1).map_or(text.len(), |c| c.0);
        let body =
            text[*end..to].trim().trim_start_matches(['—', '–', ':']).trim().trim_end_matches(['|', '·']).trim_end();
        let body = body.strip_suffix(" —").or_else(|| body.strip_suffix(" –")).unwrap_or(body);
        out.push((Some(lead.clone()), body.strip_prefix("- ").unwrap_or(body).to_owned()));
    }
    out
}

/// Labels in single marks; emphasis is common in prose, so only a known label with a colon is one.
fn italic_leads(text: &str) -> Vec<(usize, usize, String)> {
    let lead = |hit: regex::Captures<'_>| {
        let (all, inner) = (hit.get(0)?, hit.get(1)?);
        let colon = hit.get(2).is_some() || inner.as_str().ends_with([':', '：']);
        let name = inner.as_str().trim_end_matches([':', '：', ' ']);
        let before = text[..inner.start() - 1].trim_end();
        let edge = before.is_empty() || before.ends_with(['.', '!', '?', ')', '|', '·', ';', '`', '"']);
        (colon && edge && classify(name).is_some()).then(|| (inner.start() - 1, all.end(), name.to_owned()))
    };
    ITALIC.captures_iter(text).filter_map(lead).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bold_labels_cut_a_paragraph() {
        let got = leads("**Date:** 2026-01-23 | **Severity**: High");
        assert_eq!(got, [(Some("Date".into()), "2026-01-23".into()), (Some("Severity".into()), "High".into())]);
        assert_eq!(leads("This is **very** bad."), [(None, "This is **very** bad.".into())]);
        assert_eq!(leads("*Root cause:* a typo"), [(Some("Root cause".into()), "a typo".into())]);
        assert_eq!(leads("_Fix_: undone"), [(Some("Fix".into()), "undone".into())]);
        assert_eq!(leads("We *fix* it: a * b *"), [(None, "We *fix* it: a * b *".into())]);
    }

    #[test]
    fn blocks_of_every_kind() {
        let text = "# Top\n\nSome\nprose.\n\n- item one\n  goes on\n1) first\n\n| A | B |\n|---|---|\n| 1 | x \\| y |\n\n```sh\n## not a heading\n```\nSet\n---\n";
        let kinds: Vec<(Kind, String)> = blocks(text).into_iter().map(|b| (b.kind, b.text)).collect();
        assert_eq!(kinds[0], (Kind::Heading(1), "Top".into()));
        assert_eq!(kinds[1], (Kind::Text, "Some prose.".into()));
        assert_eq!(kinds[2], (Kind::Item { depth: 0, number: None }, "item one goes on".into()));
        assert_eq!(kinds[3].0, Kind::Item { depth: 0, number: Some(1) });
        assert_eq!(kinds[5].0, Kind::Row { cells: vec!["1".into(), "x | y".into()], head: false });
        assert_eq!(kinds[6].0, Kind::Code);
        assert_eq!(kinds[7], (Kind::Heading(2), "Set".into()));
    }
}
