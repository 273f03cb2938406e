//! Decisions that a sentence states: who decides, which verb of choosing, what it takes and leaves.
//!
//! A verb counts only under a subject that can decide and in a form that says that it
//! is done: plans, wishes, questions, offers, conditions and what others said are none.

use std::ops::Range;

use super::forms::{fronted, it_is, kept_and_dropped, labelled, ordered, preferred};
use super::parts::{Parts, parts};
use super::phrase::{Form, Spelling, is, language, verbs_at};
use super::sentence::{Token, tokens};
use super::words::{GERMAN, Language, PARTICIPLES, PARTICLES, Role, Verb, Weight};

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
pub(super) static ANY: Verb =
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
pub(super) struct Governed {
    /// A subject that can decide; `None` where the clause begins with the verb.
    pub(super) subject: Option<usize>,
    is_future: bool,
    is_being: bool,
    is_past: bool,
    pub(super) is_negated: bool,
    has_helper: bool,
    pub(super) is_let: bool,
    /// At the very beginning, courtesies aside.
    is_first: bool,
}

impl Governed {
    /// Whether a verb in that form is said of what is decided.
    fn says(&self, spelling: &Spelling, has_agent: bool, speaker: Speaker) -> bool {
        let alone = self.subject.is_none() && !self.is_being && !self.is_let;
        match spelling.form {
            Form::Base => {
                let own = has_agent && !self.is_being && self.may_be_base();
                let orders = speaker != Speaker::Agent && self.is_first && self.subject.is_none() && !self.is_being;
                own || orders
            }
            Form::Ing => {
                let own = has_agent && (self.is_being || self.has_helper) && !self.is_future && !self.is_past;
                own || alone
            }
            Form::Past => {
                let passive = self.is_being && spelling.verb.is_passive && !has_agent;
                let own = has_agent && !self.is_being && !self.is_future && !self.is_let;
                passive || own || alone
            }
        }
    }

    /// Behind `have` and its like no base form stands.
    fn may_be_base(&self) -> bool {
        !self.has_helper || self.subject.is_none() || self.is_future || self.is_negated
    }
}

pub(super) fn governed(tokens: &[Token], at: usize, language: &Language) -> Option<Governed> {
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
            return (found.is_being && !found.is_future).then_some(Governed { subject: Some(place), ..found });
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
    let is_done = governed.as_ref().is_none_or(|g| g.says(spelling, has_agent, speaker));
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
    let is_we = governed
        .as_ref()
        .is_some_and(|g| g.is_let || g.is_future && g.subject.is_some_and(|place| is(&tokens[place], &["we"])));
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

pub(super) fn conditional(tokens: &[Token], range: Range<usize>, language: &Language) -> bool {
    tokens[range].iter().any(|t| is(t, language.conditions))
}

/// Whether the clause of a word guesses, offers or regrets.
pub(super) fn hedged(tokens: &[Token], at: usize, language: &Language) -> bool {
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
