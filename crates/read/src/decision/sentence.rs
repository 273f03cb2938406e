//! Sentences of a message with their places, and the words of a sentence.
//!
//! Code in fences, quoted lines and tables are left out: they say what others said.

use std::ops::Range;

/// A longer sentence is a log or a paste.
const SENTENCE_BYTES_MAX: usize = 1_200;
/// Words that end with a full stop inside a sentence.
const ABBREVIATIONS: &[&str] = &["e.g", "i.e", "vs", "etc", "z.b", "d.h", "bzw", "ca", "no", "cf"];

/// The sentences of a text, as places in it.
pub(super) fn sentences(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut open: Option<Range<usize>> = None;
    let mut fence: Option<&str> = None;
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let (start, bare) = (at, line.trim());
        at += line.len();
        let mark = ["```", "~~~"].into_iter().find(|mark| bare.starts_with(mark));
        let is_fence = match (fence, mark) {
            (Some(opened), Some(mark)) if opened == mark => fence.take().is_some(),
            (None, Some(mark)) => fence.replace(mark).is_none(),
            _ => false,
        };
        let is_other = is_fence || fence.is_some() || bare.is_empty() || bare.starts_with(['>', '|', '<']);
        if is_other {
            open.take().into_iter().for_each(|block| split(text, block, &mut found));
            continue;
        }
        let lead = line.len() - line.trim_start().len();
        let body = start + lead + marker(bare);
        let end = start + line.trim_end().len();
        let begins = body > start + lead || bare.ends_with(':') && open.is_none();
        match &mut open {
            Some(block) if !begins => block.end = end,
            _ if bare.starts_with('#') => {
                open.take().into_iter().for_each(|block| split(text, block, &mut found));
                split(text, body.min(end)..end, &mut found);
            }
            _ => {
                open.take().into_iter().for_each(|block| split(text, block, &mut found));
                open = Some(body.min(end)..end);
            }
        }
    }
    open.into_iter().for_each(|block| split(text, block, &mut found));
    found
}

/// Bytes of the mark of a list, a heading or an emphasis before the words.
fn marker(line: &str) -> usize {
    let rest = line.trim_start_matches('#');
    if rest.len() < line.len() {
        return line.len() - rest.trim_start().len();
    }
    for mark in ["- ", "* ", "+ ", "• "] {
        if let Some(rest) = line.strip_prefix(mark) {
            return line.len() - rest.trim_start_matches(['[', ']', ' ', 'x']).len();
        }
    }
    let digits = line.bytes().take_while(u8::is_ascii_digit).count();
    match line[digits..].strip_prefix(['.', ')']) {
        Some(rest) if digits > 0 && rest.starts_with(' ') => line.len() - rest.trim_start().len(),
        _ => 0,
    }
}

/// Splits a block at the ends of its sentences.
fn split(text: &str, block: Range<usize>, found: &mut Vec<Range<usize>>) {
    let mut start = block.start;
    let body = &text[block.clone()];
    let mut is_code = false;
    for (at, mark) in body.char_indices() {
        is_code ^= mark == '`';
        if is_code || !matches!(mark, '.' | '!' | '?' | ';') {
            continue;
        }
        let end = block.start + at + 1;
        let after = &text[end..block.end];
        let closing = after.len() - after.trim_start_matches(['"', '”', '*', ')', '`']).len();
        let ends = after[closing..].is_empty() || after[closing..].starts_with(char::is_whitespace);
        let before = text[start..end - 1].rsplit(|c: char| c.is_whitespace() || c == '(').next().unwrap_or("");
        if ends && !(mark == '.' && ABBREVIATIONS.contains(&before.to_lowercase().as_str())) {
            push(text, start..end + closing, found);
            start = end + closing;
        }
    }
    push(text, start..block.end, found);
}

fn push(text: &str, range: Range<usize>, found: &mut Vec<Range<usize>>) {
    let part = &text[range.clone()];
    let start = range.start + (part.len() - part.trim_start().len());
    let end = range.end - (part.len() - part.trim_end().len());
    if start < end && end - start <= SENTENCE_BYTES_MAX && text[start..end].chars().any(char::is_alphanumeric) {
        found.push(start..end);
    }
}

/// A word or a mark of a sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Token {
    /// In lower case; a mark stands for itself.
    pub(super) word: String,
    /// Bytes of the whole text.
    pub(super) span: Range<usize>,
    /// Stands in quotation marks or is code: it is spoken of, not said.
    pub(super) is_quoted: bool,
    /// Named as a thing is: code, a capital or a digit inside a sentence.
    pub(super) is_name: bool,
}

impl Token {
    /// Whether it separates clauses.
    pub(super) fn is_mark(&self) -> bool {
        !self.is_quoted && matches!(self.word.as_str(), "," | ":" | ";" | "—" | "(" | ")")
    }
}

/// The words and marks of a part of a text.
pub(super) fn tokens(text: &str, range: Range<usize>) -> Vec<Token> {
    let mut found: Vec<Token> = Vec::new();
    let (mut at, mut is_quoted) = (range.start, false);
    while let Some(next) = text[at..range.end].chars().next() {
        let rest = &text[at..range.end];
        let width = next.len_utf8();
        match next {
            '`' => {
                let len = rest[1..].find('`').map_or(rest.len(), |end| end + 2);
                let code = rest[..len].trim_matches('`');
                found.push(Token { word: code.to_lowercase(), span: at..at + len, is_quoted: true, is_name: true });
                at += len;
            }
            '"' | '“' | '”' | '„' | '«' | '»' => {
                is_quoted = !is_quoted;
                at += width;
            }
            ',' | ':' | ';' | '—' | '–' | '(' | ')' => {
                let word = if next == '–' { '—' } else { next };
                found.push(Token { word: word.to_string(), span: at..at + width, is_quoted, is_name: false });
                at += width;
            }
            '-' if rest[1..].starts_with(' ') && text[..at].ends_with(' ') => {
                found.push(Token { word: "—".to_owned(), span: at..at + 1, is_quoted, is_name: false });
                at += 1;
            }
            _ if is_part(next) => {
                let len = word_len(rest);
                if rest[..len].contains(char::is_alphanumeric) {
                    add_word(&rest[..len], at, is_quoted, &mut found);
                }
                at += len;
            }
            _ => at += width,
        }
    }
    joined(found)
}

fn is_part(letter: char) -> bool {
    letter.is_alphanumeric()
        || matches!(letter, '/' | '.' | '_' | '@' | '~' | '-' | '\'' | '’' | '#' | '+' | '=' | '$' | '%')
}

/// A word ends where its last letter does; `v1.2`, `src/main.rs` and `C++` are words.
fn word_len(rest: &str) -> usize {
    let end = rest.find(|c: char| !is_part(c) && c != ':').unwrap_or(rest.len());
    let word = rest[..end].trim_end_matches(['.', ':', '\'', '’', '-', '=']);
    word.len().max(rest.chars().next().map_or(0, char::len_utf8))
}

/// Takes short forms apart: `we'll` is two words, `don't` too.
fn add_word(word: &str, at: usize, is_quoted: bool, found: &mut Vec<Token>) {
    let is_first = found.is_empty();
    let lower = word.to_lowercase().replace('’', "'");
    let is_name = word
        .chars()
        .enumerate()
        .any(|(place, c)| c.is_ascii_digit() || matches!(c, '_' | '/') || c.is_uppercase() && (place > 0 || !is_first));
    let cut = match lower.find('\'') {
        Some(_) if lower == "let's" => None,
        Some(_) if lower.ends_with("n't") => Some(3),
        Some(mark) => Some(lower.len() - mark),
        None => None,
    };
    let push = |word: String, span: Range<usize>, found: &mut Vec<Token>| {
        let is_name = is_name && word != "i" && !word.starts_with('\'');
        found.push(Token { word, span, is_quoted, is_name });
    };
    match cut {
        Some(tail) if tail < lower.len() && lower.len() == word.len() => {
            let head = lower.len() - tail;
            push(lower[..head].to_owned(), at..at + head, found);
            push(lower[head..].to_owned(), at + head..at + word.len(), found);
        }
        // A curly apostrophe is longer than a straight one: both parts have the place of the whole.
        Some(tail) if tail < lower.len() => {
            push(lower[..lower.len() - tail].to_owned(), at..at + word.len(), found);
            push(lower[lower.len() - tail..].to_owned(), at..at + word.len(), found);
        }
        _ => push(lower, at..at + word.len(), found),
    }
}

/// `going to` before a verb is one helper.
fn joined(tokens: Vec<Token>) -> Vec<Token> {
    let mut found: Vec<Token> = Vec::with_capacity(tokens.len());
    for token in tokens {
        match found.last_mut() {
            Some(last) if last.word == "going" && token.word == "to" && !token.is_quoted => {
                last.word = "going-to".to_owned();
                last.span.end = token.span.end;
            }
            _ => found.push(token),
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_end_where_a_reader_ends_them() {
        let text = "## Plan\nWe use v1.2 of it, e.g. for\nthe parser. Then stop!\n\n- first `a. b`\n- second\n> quoted\n```sh\ncode\n```\n1. last";
        let found: Vec<&str> = sentences(text).into_iter().map(|range| &text[range]).collect();
        assert_eq!(
            found,
            ["Plan", "We use v1.2 of it, e.g. for\nthe parser.", "Then stop!", "first `a. b`", "second", "last"]
        );
        let text = "We'll use “it”, don’t we";
        let words: Vec<String> = tokens(text, 0..text.len()).into_iter().map(|t| t.word).collect();
        assert_eq!(words, ["we", "'ll", "use", "it", ",", "do", "n't", "we"]);
    }
}
