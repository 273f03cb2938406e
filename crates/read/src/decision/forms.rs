//! Decisions that a sentence states by its form rather than by a verb of choosing.

use super::parts::{Parts, parts};
use super::phrase::{is, phrase};
use super::sentence::Token;
use super::stated::{ANY, Draft, Speaker, conditional, governed, hedged};
use super::words::{ENGLISH, GERMAN, Language, Weight};

/// `Decision: …`
pub(super) fn labelled(tokens: &[Token], language: &Language) -> Option<Draft> {
    let start = usize::from(is(&tokens[0], language.openers)) + usize::from(tokens.get(1).is_some_and(Token::is_mark));
    let start = if start == 2 { 2 } else { 0 };
    let len = phrase(tokens, start, language.labels);
    let colon = tokens.get(start + len)?;
    if len == 0 || colon.word != ":" || tokens.len() < start + len + 3 {
        return None;
    }
    let parts = parts(tokens, start + len + 1, &ANY, language);
    Some(Draft { parts, weight: Weight::Strong })
}

/// `Postgres it is.`
pub(super) fn it_is(tokens: &[Token], speaker: Speaker) -> Option<Draft> {
    const WORDS_MAX: usize = 6;
    let end = tokens.len().checked_sub(2)?;
    let fits = end > 0 && tokens.len() <= WORDS_MAX && phrase(tokens, end, &["it is"]) == 2;
    let start = tokens[..end].iter().position(|t| !t.is_mark() && !is(t, ENGLISH.openers))?;
    let names = !is(&tokens[end - 1], &["that", "what", "as", "how", "where", "like"]);
    (fits && names && speaker != Speaker::Commit)
        .then(|| Draft { parts: Parts { chosen: Some(start..end), ..Parts::default() }, weight: Weight::Strong })
}

/// `I'd rather have X than Y`, `lieber X als Y`.
pub(super) fn preferred(tokens: &[Token], language: &Language) -> Option<Draft> {
    let (better, than) = if std::ptr::eq(language, &GERMAN) { ("lieber", "als") } else { ("rather", "than") };
    let at = tokens.iter().position(|t| !t.is_quoted && t.word == better)?;
    let other = at + tokens[at..].iter().position(|t| !t.is_quoted && t.word == than)?;
    let is_own = match std::ptr::eq(language, &GERMAN) {
        true => {
            at == 0
                || tokens[..at].iter().all(|t| {
                    is(t, language.agents)
                        || is(t, language.openers)
                        || t.is_mark()
                        || is(t, &["nehmen", "nehme", "nimm", "hätte"])
                })
        }
        false => at >= 2 && is(&tokens[at - 2], &["i", "we"]) && is(&tokens[at - 1], &["'d", "would"]),
    };
    if !is_own || other < at + 2 || conditional(tokens, 0..other, language) {
        return None;
    }
    let mut found = parts(tokens, other + 1, &ANY, language);
    found.rejected = found.chosen.take().into_iter().collect();
    found.chosen = Some(at + 1..other);
    Some(Draft { parts: found, weight: Weight::Strong })
}

/// `Instead of X, we'll Y`.
pub(super) fn fronted(tokens: &[Token], language: &Language) -> Option<Draft> {
    let start = usize::from(is(&tokens[0], language.openers) && !is(&tokens[0], &["instead", "rather"]));
    let len = phrase(tokens, start, language.contrasts);
    let subject = start + len + tokens[start + len..].iter().position(|t| is(t, &["i", "we", "let's"]))?;
    let comma = subject - usize::from(subject > 0 && tokens[subject - 1].word == ",");
    let clauses = comma <= start + len || tokens[start + len..comma].iter().any(Token::is_mark);
    let helps = [language.future, language.helpers, language.being, language.negations];
    let main = subject + 1 + tokens[subject + 1..].iter().position(|t| !helps.iter().any(|words| is(t, words)))?;
    let barred = tokens[comma..].iter().any(|t| is(t, language.hedges) || is(t, language.conditions))
        || tokens[comma..=main].iter().any(|t| is(t, language.negations) || is(t, &["was", "were"]));
    if len == 0 || clauses || barred {
        return None;
    }
    let mut found = parts(tokens, main, &ANY, language);
    found.rejected.push(start + len..comma);
    found.chosen.is_some().then_some(Draft { parts: found, weight: Weight::Weak })
}

/// `keep X, drop Y`
pub(super) fn kept_and_dropped(tokens: &[Token], language: &Language, speaker: Speaker) -> Option<Draft> {
    let (keeps, drops): (&[&str], &[&str]) = if std::ptr::eq(language, &GERMAN) {
        (
            &["behalte", "behalt", "behalten"],
            &["wirf", "streich", "streichen", "entferne", "entfernen", "lösche", "löschen"],
        )
    } else {
        (&["keep", "keeping"], &["drop", "remove", "delete", "ditch", "scrap", "dropping", "removing", "deleting"])
    };
    let keep = tokens.iter().position(|t| is(t, keeps))?;
    let drop = tokens.iter().position(|t| is(t, drops))?;
    let either = tokens[keep.min(drop)..keep.max(drop)].iter().any(|t| is(t, &["or", "oder"]));
    let first = keep.min(drop);
    let governed = governed(tokens, first, language)?;
    let is_own = governed.is_let
        || governed.subject.is_some_and(|place| is(&tokens[place], language.agents))
        || governed.subject.is_none() && speaker != Speaker::Agent
        || tokens[first].word.ends_with("ing");
    if either
        || !is_own
        || governed.is_negated
        || conditional(tokens, 0..first, language)
        || hedged(tokens, first, language)
    {
        return None;
    }
    let end = |at: usize| if at < keep.max(drop) { keep.max(drop) } else { tokens.len() };
    let mut found = parts(&tokens[..end(keep)], keep + 1, &ANY, language);
    found.rejected = parts(&tokens[..end(drop)], drop + 1, &ANY, language).chosen.into_iter().collect();
    (found.chosen.is_some() && !found.rejected.is_empty()).then_some(Draft { parts: found, weight: Weight::Strong })
}

/// What a person orders against something else, or once and for all.
pub(super) fn ordered(tokens: &[Token], language: &'static Language, speaker: Speaker) -> Option<Draft> {
    let start = tokens.iter().position(|t| !t.is_mark() && !is(t, language.openers))?;
    let rule = phrase(tokens, start, language.rules);
    let own = tokens.iter().any(|t| is(t, language.agents));
    if rule > 0 && tokens.len() > start + rule + 1 && !is(&tokens[start + rule], &["mind"]) {
        let always = rule > 1 || speaker == Speaker::Person;
        let is_rule = always && (speaker == Speaker::Person || own);
        let mut found = parts(tokens, start + rule, &ANY, language);
        if is(&tokens[start], &["never", "nie", "niemals"]) {
            found.reverse();
        }
        return (is_rule && !found.is_conditional && !found.is_empty())
            .then_some(Draft { parts: found, weight: Weight::Weak });
    }
    if speaker == Speaker::Person && is(&tokens[start], &["skip", "avoid", "ditch", "scrap", "abandon"]) {
        let mut found = parts(tokens, start + 1, &ANY, language);
        found.reverse();
        return (!found.is_empty() && !found.is_conditional).then_some(Draft { parts: found, weight: Weight::Weak });
    }
    if speaker == Speaker::Person
        && let Some(found) = required(tokens, language)
    {
        return Some(Draft { parts: found, weight: Weight::Weak });
    }
    if speaker == Speaker::Agent || !is(&tokens[start], language.imperatives) {
        return None;
    }
    let found = parts(tokens, start, &ANY, language);
    (found.has_contrast && !found.is_conditional && !conditional(tokens, 0..start, language) && !found.is_empty())
        .then_some(Draft { parts: found, weight: Weight::Weak })
}

/// `it should be X and not Y`, `mach das nicht im X, sondern im Y`.
fn required(tokens: &[Token], language: &'static Language) -> Option<Parts> {
    let must = (0..tokens.len()).find_map(|at| {
        let len = phrase(tokens, at, &["should be", "must be", "has to be", "needs to be", "muss", "soll"]);
        (len > 0).then_some(at + len)
    });
    let found = match must {
        Some(from) => parts(tokens, from, &ANY, language),
        None => {
            let but = tokens.iter().position(|t| is(t, &["sondern"]))?;
            let not = tokens[..but].iter().position(|t| is(t, &["nicht", "kein", "keine", "keinen"]))?;
            let orders = tokens[..not].iter().any(|t| is(t, language.imperatives));
            let mut found = parts(tokens, but + 1, &ANY, language);
            let end = but - usize::from(tokens[but - 1].is_mark());
            found.rejected.extend((orders && not + 1 < end).then_some(not + 1..end));
            found.has_contrast = !found.rejected.is_empty();
            found
        }
    };
    let holds = found.has_contrast && !found.is_conditional && !conditional(tokens, 0..tokens.len(), language);
    (holds && found.chosen.is_some()).then_some(found)
}
