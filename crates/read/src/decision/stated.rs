//! Decisions that a sentence states: who decides, which verb of choosing, what it takes and leaves.
//!
//! A verb counts only under a subject that can decide and in a form that says that it
//! is done: plans, wishes, questions, offers, conditions and what others said are none.

use std::ops::Range;

use super::parts::{Parts, parts};
use super::phrase::{Form, Spelling, is, language, phrase, verbs_at};
use super::sentence::{Token, tokens};
use super::words::{ENGLISH, GERMAN, Language, PARTICIPLES, PARTICLES, Role, Verb, Weight};

/// Who speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Speaker {
    Person,
    Agent,
    /// A commit message: its imperatives are done.
    Commit,
}

/// What a sentence decides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Draft {
    pub(super) parts: Parts,
    pub(super) weight: Weight,
}

/// Any verb that `will` or `let's` governs.
static ANY: Verb =
    Verb { base: &[], ing: &[], past: &[], is_passive: false, role: Role::Choose, weight: Weight::Contrast };

/// The decision of one sentence.
pub(super) fn stated(text: &str, range: Range<usize>, speaker: Speaker) -> Option<Draft> {
    let asks = text[range.clone()].trim_end().ends_with('?');
    let tokens = tokens(text, range);
    let language = language(&tokens);
    if asks || tokens.len() < 2 || asks_without_mark(&tokens, language) {
        return None;
    }
    labelled(&tokens, language)
        .or_else(|| it_is(&tokens, speaker))
        .or_else(|| preferred(&tokens, language))
        .or_else(|| fronted(&tokens, language))
        .or_else(|| by_verb(&tokens, language, speaker))
        .or_else(|| participle(&tokens, language))
        .or_else(|| kept_and_dropped(&tokens, language, speaker))
        .or_else(|| ordered(&tokens, language, speaker))
}

fn asks_without_mark(tokens: &[Token], language: &Language) -> bool {
    let first = tokens.iter().position(|t| !t.is_mark() && !is(t, language.openers)).unwrap_or(0);
    is(&tokens[first], language.asking) && !tokens.get(first + 1).is_some_and(|t| is(t, language.negations))
}

/// `Decision: …`
fn labelled(tokens: &[Token], language: &Language) -> Option<Draft> {
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
fn it_is(tokens: &[Token], speaker: Speaker) -> Option<Draft> {
    const WORDS_MAX: usize = 6;
    let end = tokens.len().checked_sub(2)?;
    let fits = end > 0 && tokens.len() <= WORDS_MAX && phrase(tokens, end, &["it is"]) == 2;
    let start = tokens[..end].iter().position(|t| !t.is_mark() && !is(t, ENGLISH.openers))?;
    let names = !is(&tokens[end - 1], &["that", "what", "as", "how", "where", "like"]);
    (fits && names && speaker != Speaker::Commit)
        .then(|| Draft { parts: Parts { chosen: Some(start..end), ..Parts::default() }, weight: Weight::Strong })
}

/// `I'd rather have X than Y`, `lieber X als Y`.
fn preferred(tokens: &[Token], language: &Language) -> Option<Draft> {
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
fn fronted(tokens: &[Token], language: &Language) -> Option<Draft> {
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
    found.rejected = vec![start + len..comma];
    found.chosen.is_some().then_some(Draft { parts: found, weight: Weight::Weak })
}

fn by_verb(tokens: &[Token], language: &'static Language, speaker: Speaker) -> Option<Draft> {
    for at in 0..tokens.len() {
        if tokens[at].is_quoted {
            continue;
        }
        for (spelling, len) in verbs_at(language, tokens, at) {
            if let Some(draft) = verb(tokens, at, (spelling, len), language, speaker) {
                return Some(draft);
            }
        }
        if let Some(draft) = any_verb(tokens, at, language, speaker) {
            return Some(draft);
        }
    }
    None
}

/// How a verb stands in its clause.
struct Governed {
    /// A subject that can decide; `None` where the clause begins with the verb.
    subject: Option<usize>,
    is_future: bool,
    is_being: bool,
    is_past: bool,
    is_negated: bool,
    has_helper: bool,
    is_let: bool,
    /// At the very beginning, courtesies aside.
    is_first: bool,
}

fn governed(tokens: &[Token], at: usize, language: &Language) -> Option<Governed> {
    let mut found = Governed {
        subject: None,
        is_future: false,
        is_being: false,
        is_past: false,
        is_negated: false,
        has_helper: false,
        is_let: false,
        is_first: false,
    };
    for place in (0..at).rev() {
        let token = &tokens[place];
        if token.is_quoted {
            return None;
        }
        if is(token, &["let's", "lets"]) || is(token, &["us"]) && place > 0 && is(&tokens[place - 1], &["let"]) {
            found.is_let = true;
            return Some(found);
        } else if is(token, language.agents) {
            found.subject = Some(place);
            return Some(found);
        } else if is(token, language.future) {
            found.is_future = true;
        } else if is(token, language.being) {
            found.is_being = true;
            found.is_past |= matches!(token.word.as_str(), "was" | "were");
        } else if is(token, language.negations) {
            found.is_negated = true;
        } else if token.is_mark() || is(token, language.openers) && !is(token, language.helpers) {
            let free = |t: &Token| t.is_mark() || is(t, language.openers) || is(t, language.helpers);
            found.is_first = tokens[..place].iter().all(free);
            return (!found.is_future).then_some(found);
        } else if is(token, language.helpers) {
            found.has_helper |= !matches!(token.word.as_str(), "just" | "now" | "then" | "also" | "please" | "always");
        } else {
            return (found.is_being && !found.is_future).then(|| Governed { subject: Some(place), ..found });
        }
    }
    found.is_first = true;
    (!found.is_future).then_some(found)
}

fn verb(
    tokens: &[Token],
    at: usize,
    (spelling, len): (&Spelling, usize),
    language: &'static Language,
    speaker: Speaker,
) -> Option<Draft> {
    let is_german = std::ptr::eq(language, &GERMAN);
    // `used to` is a habit of the past.
    if tokens[at].word == "used" && tokens.get(at + 1).is_some_and(|t| is(t, &["to"])) {
        return None;
    }
    if conditional(tokens, 0..at, language) || hedged(tokens, at, language) || subordinate(tokens, at, language) {
        return None;
    }
    let inverted = is_german && tokens.get(at + len).is_some_and(|t| is(t, language.agents));
    let from = at + len + usize::from(inverted);
    let governed = if inverted { None } else { Some(governed(tokens, at, language)?) };
    let has_agent = inverted
        || governed
            .as_ref()
            .is_some_and(|g| g.is_let || g.subject.is_some_and(|place| is(&tokens[place], language.agents)));
    let is_done = match (&governed, spelling.form) {
        (None, _) => true,
        (Some(g), Form::Base) => {
            has_agent && !g.is_being && !(g.has_helper && g.subject.is_some() && !g.is_future && !g.is_negated)
                || speaker != Speaker::Agent && g.is_first && g.subject.is_none() && !g.is_being
        }
        (Some(g), Form::Ing) => {
            has_agent && (g.is_being || g.has_helper) && !g.is_future && !g.is_past
                || g.subject.is_none() && !g.is_being && !g.is_let
        }
        (Some(g), Form::Past) => {
            let passive = g.is_being && spelling.verb.is_passive && !has_agent;
            let own = has_agent && !g.is_being && !g.is_future && !g.is_let;
            passive || own || g.subject.is_none() && !g.is_being && !g.is_let
        }
    };
    if !is_done {
        return None;
    }
    let is_passive = governed.as_ref().is_some_and(|g| g.is_being && !has_agent) && spelling.form == Form::Past;
    let is_negated = governed.as_ref().is_some_and(|g| g.is_negated);
    let mut found = parts(tokens, from, spelling.verb, language);
    if is_passive {
        found.take_subject(tokens, at, language, spelling.verb.role);
    }
    // `ich nehme an` assumes: a verb with its particle is another verb.
    let is_other = is_german && found.chosen.clone().is_some_and(|c| c.len() == 1 && is(&tokens[c.start], PARTICLES));
    if is_other {
        return None;
    }
    if is_negated {
        if spelling.form == Form::Past || spelling.verb.role == Role::Change {
            return None;
        }
        found.reverse();
    }
    found.reason = found.reason.or_else(|| reason_before(tokens, at, language));
    if found.is_empty() || found.is_conditional {
        return None;
    }
    let is_we = governed.as_ref().is_some_and(|g| {
        (g.is_future || g.is_let) && (g.is_let || g.subject.is_some_and(|place| is(&tokens[place], &["we"])))
    });
    let names = found.chosen.clone().is_some_and(|c| tokens[c].iter().take(3).any(|t| t.is_name))
        && !tokens[from..].iter().any(|t| is(t, &["to"]))
        && (!governed.as_ref().is_some_and(|g| g.is_let) || speaker == Speaker::Person);
    let is_moved = spelling.verb.role == Role::Change && found.is_adjacent;
    let is_first_person = governed
        .as_ref()
        .is_some_and(|g| g.subject.is_some_and(|place| is(&tokens[place], &["i", "we", "team", "ich", "wir"])))
        || inverted;
    let holds = match spelling.verb.weight {
        Weight::Strong => !is_negated || found.reason.is_some(),
        Weight::Contrast => found.has_contrast,
        Weight::Weak if is_moved => true,
        Weight::Weak if spelling.verb.role == Role::Reject && !found.has_contrast => {
            found.reason.is_some() && (is_first_person || governed.as_ref().is_some_and(|g| g.subject.is_none()))
        }
        Weight::Weak => {
            found.has_contrast
                || found.reason.is_some() && spelling.verb.role != Role::Change
                || found.reason.is_some() && found.chosen.is_some() && !found.rejected.is_empty()
                || is_we && names
        }
    };
    // What is told of a bystander in the past is a report.
    let reports = spelling.verb.weight != Weight::Strong
        && spelling.form == Form::Past
        && governed.as_ref().is_some_and(|g| g.subject.is_some() && !is_first_person && !g.is_being);
    let parts_weight = if spelling.verb.weight == Weight::Strong { Weight::Strong } else { Weight::Weak };
    (holds && !reports).then_some(Draft { parts: found, weight: parts_weight })
}

/// `we'll VERB X instead of Y`, `I won't VERB because …`, `we're not doing X`.
fn any_verb(tokens: &[Token], at: usize, language: &Language, speaker: Speaker) -> Option<Draft> {
    let token = &tokens[at];
    let is_verb = !token.is_mark()
        && !is(token, language.helpers)
        && !is(token, language.negations)
        && !is(token, language.future)
        && !is(token, language.being)
        && !is(token, language.unable);
    if at == 0 || !is_verb || token.is_name || std::ptr::eq(language, &GERMAN) {
        return None;
    }
    let before = &tokens[at - 1];
    let follows = is(before, language.future)
        || is(before, language.negations)
        || is(before, &["let's"])
        || is(before, language.helpers);
    if !follows
        || conditional(tokens, 0..at, language)
        || hedged(tokens, at, language)
        || subordinate(tokens, at, language)
    {
        return None;
    }
    let governed = governed(tokens, at, language)?;
    let subject = governed.subject.map(|place| &tokens[place]);
    let is_we = subject.is_some_and(|t| is(t, &["we"]));
    let is_own = is_we || governed.is_let || subject.is_some_and(|t| is(t, &["i"]));
    let mut found = parts(tokens, at, &ANY, language);
    if !is_own || found.is_conditional {
        return None;
    }
    let holds = if governed.is_negated && governed.is_future {
        found.reverse();
        found.reason.is_some() || found.has_contrast || is_we && speaker == Speaker::Person
    } else if governed.is_negated && governed.is_being && !governed.is_past && token.word.ends_with("ing") {
        found.reverse();
        let feels = is(token, &["seeing", "getting", "finding", "having", "being", "sure"]);
        !feels && (found.reason.is_some() && !feels || is_we && speaker == Speaker::Person)
    } else {
        !governed.is_negated && (governed.is_future || governed.is_let) && found.has_contrast
    };
    (holds && !found.is_empty()).then_some(Draft { parts: found, weight: Weight::Weak })
}

/// `wir haben uns für X entschieden`
fn participle(tokens: &[Token], language: &Language) -> Option<Draft> {
    if !std::ptr::eq(language, &GERMAN) {
        return None;
    }
    let (at, role) = tokens
        .iter()
        .enumerate()
        .find_map(|(at, token)| PARTICIPLES.iter().find(|(word, _)| is(token, &[word])).map(|(_, role)| (at, *role)))?;
    let start = tokens[..at].iter().rposition(|t| t.is_mark()).map_or(0, |place| place + 1);
    let clause = &tokens[start..at];
    let has = clause.iter().position(|t| is(t, &["haben", "habe", "hat", "wurde", "wurden"]));
    let barred = clause.iter().any(|t| is(t, language.negations) || is(t, language.hedges));
    if has.is_none() && start > 0 || barred || conditional(tokens, 0..at, language) || subordinate(tokens, at, language)
    {
        return None;
    }
    let sides = clause.iter().position(|t| is(t, &["für", "gegen", "auf"]));
    let role = match sides {
        Some(place) if clause[place].word == "gegen" => Role::Reject,
        _ => role,
    };
    let from =
        sides.map_or_else(|| clause.iter().rposition(|t| is(t, language.helpers) || is(t, language.agents)), Some);
    let from = start + from.map_or(0, |place| place + 1);
    let mut found = parts(&tokens[..at], from, &ANY, language);
    if role == Role::Reject {
        found.reverse();
    }
    found.reason = parts(tokens, at + 1, &ANY, language).reason.or_else(|| reason_before(tokens, at, language));
    (!found.is_empty() && has.is_some()).then_some(Draft { parts: found, weight: Weight::Strong })
}

/// `keep X, drop Y`
fn kept_and_dropped(tokens: &[Token], language: &Language, speaker: Speaker) -> Option<Draft> {
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
fn ordered(tokens: &[Token], language: &'static Language, speaker: Speaker) -> Option<Draft> {
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

fn conditional(tokens: &[Token], range: Range<usize>, language: &Language) -> bool {
    tokens[range].iter().any(|t| is(t, language.conditions))
}

/// Whether the clause of a word guesses, offers or regrets.
fn hedged(tokens: &[Token], at: usize, language: &Language) -> bool {
    let is_end = |t: &Token| t.is_mark() || is(t, &["but", "so", "aber"]);
    let start = tokens[..at].iter().rposition(is_end).map_or(0, |place| place + 1);
    let end = if std::ptr::eq(language, &GERMAN) {
        at + tokens[at..].iter().position(is_end).unwrap_or(tokens.len() - at)
    } else {
        at
    };
    tokens[start..end].iter().any(|t| is(t, language.hedges))
}

/// Whether the clause of a word stands under another one.
fn subordinate(tokens: &[Token], at: usize, language: &Language) -> bool {
    let start = tokens[..at].iter().rposition(Token::is_mark).map_or(0, |place| place + 1);
    tokens[start..at].iter().any(|t| is(t, language.subordinators)) || {
        let first = tokens.first().is_some_and(|t| is(t, &["when", "whenever", "once", "until"]));
        first && start > 0
    }
}

/// `Since X, we …` and `X, so we …`.
fn reason_before(tokens: &[Token], at: usize, language: &Language) -> Option<Range<usize>> {
    let fronted: &[&str] = &["since", "because", "as", "given", "weil", "da"];
    if is(&tokens[0], fronted) {
        let comma = tokens[..at].iter().position(|t| t.word == ",")?;
        return Some(1..comma);
    }
    let so: &[&str] =
        if std::ptr::eq(language, &GERMAN) { &["deshalb", "daher", "darum"] } else { &["so", "therefore", "hence"] };
    let place = tokens[..at].iter().rposition(|t| is(t, so)).filter(|place| *place > 1)?;
    Some(0..place - usize::from(tokens[place - 1].is_mark()))
}
