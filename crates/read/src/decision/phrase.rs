//! Phrases among the words of a sentence: where they stand, in which language it is said.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::sentence::Token;
use super::words::{ENGLISH, GERMAN, Language, Verb};

/// In which form a verb stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Base,
    Ing,
    Past,
}

/// One spelling of a verb.
pub(super) struct Spelling {
    words: Vec<&'static str>,
    pub(super) verb: &'static Verb,
    pub(super) form: Form,
}

type Spellings = HashMap<&'static str, Vec<Spelling>>;

static ENGLISH_VERBS: LazyLock<Spellings> = LazyLock::new(|| spellings(&ENGLISH));
static GERMAN_VERBS: LazyLock<Spellings> = LazyLock::new(|| spellings(&GERMAN));

fn spellings(language: &'static Language) -> Spellings {
    let mut found = Spellings::new();
    for verb in language.verbs {
        for (form, phrases) in [(Form::Base, verb.base), (Form::Ing, verb.ing), (Form::Past, verb.past)] {
            for phrase in phrases {
                let words: Vec<&str> = phrase.split(' ').collect();
                found.entry(words[0]).or_default().push(Spelling { words, verb, form });
            }
        }
    }
    // The longer phrase says more.
    found.values_mut().for_each(|list| list.sort_by_key(|spelling| std::cmp::Reverse(spelling.words.len())));
    found
}

/// Verbs of choosing that begin at a word, the longest first, with how many words they take.
pub(super) fn verbs_at(
    language: &Language,
    tokens: &[Token],
    at: usize,
) -> impl Iterator<Item = (&'static Spelling, usize)> {
    let table = if std::ptr::eq(language, &GERMAN) { &*GERMAN_VERBS } else { &*ENGLISH_VERBS };
    let here = table.get(tokens[at].word.as_str()).map(Vec::as_slice).unwrap_or_default();
    here.iter().filter(move |s| said(tokens, at, &s.words)).map(|s| (s, s.words.len()))
}

/// The language in which most small words are.
pub(super) fn language(tokens: &[Token]) -> &'static Language {
    let count = |language: &Language| tokens.iter().filter(|t| language.common.contains(&t.word.as_str())).count();
    if count(&GERMAN) > count(&ENGLISH) { &GERMAN } else { &ENGLISH }
}

fn said(tokens: &[Token], at: usize, words: &[&str]) -> bool {
    words.len() <= tokens.len() - at && words.iter().zip(&tokens[at..]).all(|(word, t)| !t.is_quoted && t.word == *word)
}

/// How many words of the first fitting phrase stand at a place; `0` where none does.
pub(super) fn phrase(tokens: &[Token], at: usize, phrases: &[&str]) -> usize {
    if at >= tokens.len() || tokens[at].is_quoted {
        return 0;
    }
    let fits = |phrase: &&&str| {
        let mut count = 0;
        let all = phrase.split(' ').all(|word| {
            count += 1;
            tokens.get(at + count - 1).is_some_and(|t| !t.is_quoted && t.word == word)
        });
        all.then_some(count)
    };
    phrases.iter().filter_map(|phrase| fits(&phrase)).max().unwrap_or(0)
}

/// Whether a word is one of a list, and said rather than spoken of.
pub(super) fn is(token: &Token, words: &[&str]) -> bool {
    !token.is_quoted && words.contains(&token.word.as_str())
}
