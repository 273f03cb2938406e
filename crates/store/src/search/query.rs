//! What is asked: words, phrases and prefixes, and what the answer may be.

use jiff::Timestamp;

use super::DocKind;

/// Most terms of a query that are looked up; more are left out, the last first.
const TERMS_COUNT_MAX: usize = 32;
/// Words so common in questions that they decide nothing.
const STOP_WORDS: &str = " a about after all also am an and any are as at be because been before but by can could did \
     do does for from get had has have he her him his how i if in into is it its just like me my no not of off on \
     only or our out over she should so some than that the their them then there these they this those to too under \
     up us was we were what when where which while who whom why will with would you your ";

/// One ranked question.
#[derive(Clone, Debug, Default)]
pub struct Query {
    /// As typed: words, `"phrases"`, `prefixes*`, paths, flags, error codes.
    pub text: String,
    /// Only these kinds; empty for all.
    pub kinds: Vec<DocKind>,
    /// The agent's own id of the session, or its beginning.
    pub session: Option<String>,
    pub agent: Option<String>,
    pub machine: Option<String>,
    /// Part of a path that the hit names, or that its session works in.
    pub path: Option<String>,
    /// Only calls that ended so: an exit code, or failed calls.
    pub exit: Option<Exit>,
    pub since: Option<Timestamp>,
    pub until: Option<Timestamp>,
    /// Most hits.
    pub limit: usize,
    /// Messages before and after each hit that are given with it.
    pub context: usize,
}

/// How a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    Code(i64),
    Failed,
    Succeeded,
}

/// Why a query cannot be answered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum QueryError {
    #[error("the query holds no word to look for")]
    Empty,
}

/// One thing that is looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Term {
    /// As typed, lower case, without quotes or star.
    pub(crate) text: String,
    /// For the full-text engine.
    pub(crate) search: String,
    /// Stands in quotes: what lacks it is no hit.
    pub(crate) is_required: bool,
    /// Beginning that every form of the word shares.
    pub(crate) stem: String,
}

/// Takes the words of a query apart.
pub(crate) fn terms(text: &str) -> Result<Vec<Term>, QueryError> {
    let mut all: Vec<(Term, bool)> = Vec::new();
    for (piece, quoted) in pieces(text) {
        let is_prefix = !quoted && piece.ends_with('*');
        let word = piece.trim_end_matches('*');
        if !word.chars().any(char::is_alphanumeric) {
            continue;
        }
        let lower = word.to_lowercase();
        let is_stop = !quoted && STOP_WORDS.contains(&format!(" {lower} "));
        let search = format!("\"{}\"{}", word.replace('"', "\"\""), if is_prefix { "*" } else { "" });
        let term = Term { stem: stem(&lower), text: lower, search, is_required: quoted };
        if all.iter().all(|(known, _)| known.search != term.search) {
            all.push((term, is_stop));
        }
    }
    if all.is_empty() {
        return Err(QueryError::Empty);
    }
    let only_stops = all.iter().all(|(_, is_stop)| *is_stop);
    let kept = all.into_iter().filter(|(_, is_stop)| only_stops || !is_stop).map(|(term, _)| term);
    Ok(kept.take(TERMS_COUNT_MAX).collect())
}

/// Words and quoted phrases; a quote that is never closed is a part of its word.
fn pieces(text: &str) -> Vec<(&str, bool)> {
    let mut found = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        if let Some(inner) = rest.strip_prefix('"')
            && let Some(end) = inner.find('"')
        {
            found.push((&inner[..end], true));
            rest = inner[end + 1..].trim_start();
            continue;
        }
        let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
        found.push((trimmed(&rest[..end]), false));
        rest = rest[end..].trim_start();
    }
    found
}

/// A word without the punctuation of a sentence around it.
fn trimmed(word: &str) -> &str {
    word.trim_end_matches(['.', ',', ';', ':', '?', '!', ')', ']', '}', '"', '\''])
        .trim_start_matches(['(', '[', '{', '"', '\''])
}

/// The beginning that the forms of an English word share, roughly as the index stems it.
pub(crate) fn stem(word: &str) -> String {
    if !word.bytes().all(|b| b.is_ascii_lowercase()) {
        return word.to_owned();
    }
    for ending in
        ["ations", "ation", "ments", "ment", "ings", "ing", "ies", "ied", "ers", "er", "ed", "es", "s", "y", "e"]
    {
        if let Some(stem) = word.strip_suffix(ending)
            && stem.len() >= 3
        {
            return stem.to_owned();
        }
    }
    word.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_phrases_prefixes_and_flags_are_kept_as_typed() {
        let terms = terms(r#"why did "connection refused" in src/main.rs --force-with-lease migr* (E0277)?"#).unwrap();
        let seen: Vec<(&str, bool)> = terms.iter().map(|t| (t.search.as_str(), t.is_required)).collect();
        assert_eq!(
            seen,
            [
                ("\"connection refused\"", true),
                ("\"src/main.rs\"", false),
                ("\"--force-with-lease\"", false),
                ("\"migr\"*", false),
                ("\"E0277\"", false),
            ]
        );
        assert!(super::terms("the of").is_ok_and(|terms| terms.len() == 2));
        assert_eq!(super::terms("? -- ()"), Err(QueryError::Empty));
    }
}
