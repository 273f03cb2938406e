//! The labels of a post-mortem in their many spellings, and how they are found in running text.

use std::collections::{BTreeMap, BTreeSet};

use super::pattern::pattern;

/// The five labelled fields of an incident.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Field {
    WhatHappened,
    RootCause,
    DataLost,
    Fix,
    Lesson,
}

/// What a key in a record's header says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Key {
    Title,
    Date,
    Severity,
    Status,
    Session,
    Category,
    Number,
}

/// What a label stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Label {
    /// A field, and how well the word fits: where a record has two words for
    /// one field the lower rank is the field and the other stays beside it.
    Field(Field, u8),
    Key(Key),
    /// A labelled part that no field holds, such as *Timeline*.
    Other,
}

impl Label {
    /// Whether only an account of a failure carries such a label.
    pub fn tells_of_failure(self, name: &str) -> bool {
        match self {
            Label::Field(Field::Fix, _) | Label::Key(_) => false,
            Label::Field(Field::WhatHappened, rank) => rank == 0 || name.to_lowercase().contains("impact"),
            Label::Field(_, rank) => rank == 0 || name.eq_ignore_ascii_case("trigger"),
            Label::Other => name.eq_ignore_ascii_case("detection"),
        }
    }
}

use Field::{DataLost, Fix, Lesson, RootCause, WhatHappened};

const PHRASES: &[(&str, Label)] = &[
    ("what happened", Label::Field(WhatHappened, 0)),
    ("what went wrong", Label::Field(WhatHappened, 0)),
    ("what broke", Label::Field(WhatHappened, 0)),
    ("what we saw", Label::Field(WhatHappened, 0)),
    ("incident description", Label::Field(WhatHappened, 0)),
    ("incident summary", Label::Field(WhatHappened, 1)),
    ("executive summary", Label::Field(WhatHappened, 1)),
    ("summary", Label::Field(WhatHappened, 1)),
    ("description", Label::Field(WhatHappened, 1)),
    ("overview", Label::Field(WhatHappened, 1)),
    ("problem statement", Label::Field(WhatHappened, 1)),
    ("problem", Label::Field(WhatHappened, 1)),
    ("issue", Label::Field(WhatHappened, 1)),
    ("symptoms", Label::Field(WhatHappened, 2)),
    ("symptom", Label::Field(WhatHappened, 2)),
    ("impact", Label::Field(WhatHappened, 3)),
    ("user impact", Label::Field(WhatHappened, 3)),
    ("customer impact", Label::Field(WhatHappened, 3)),
    ("root cause analysis", Label::Field(RootCause, 0)),
    ("root causes", Label::Field(RootCause, 0)),
    ("root cause", Label::Field(RootCause, 0)),
    ("underlying cause", Label::Field(RootCause, 0)),
    ("why it happened", Label::Field(RootCause, 0)),
    ("why did it happen", Label::Field(RootCause, 0)),
    ("causes", Label::Field(RootCause, 0)),
    ("cause", Label::Field(RootCause, 0)),
    ("why", Label::Field(RootCause, 1)),
    ("reason", Label::Field(RootCause, 1)),
    ("contributing factors", Label::Field(RootCause, 2)),
    ("trigger", Label::Field(RootCause, 2)),
    ("data lost", Label::Field(DataLost, 0)),
    ("data loss", Label::Field(DataLost, 0)),
    ("lost data", Label::Field(DataLost, 0)),
    ("what was lost", Label::Field(DataLost, 0)),
    ("losses", Label::Field(DataLost, 1)),
    ("lost", Label::Field(DataLost, 1)),
    ("how it was fixed", Label::Field(Fix, 0)),
    ("how we fixed it", Label::Field(Fix, 0)),
    ("fix applied", Label::Field(Fix, 0)),
    ("resolution", Label::Field(Fix, 0)),
    ("the fix", Label::Field(Fix, 0)),
    ("fixes", Label::Field(Fix, 0)),
    ("fix", Label::Field(Fix, 0)),
    ("remedy", Label::Field(Fix, 1)),
    ("repair", Label::Field(Fix, 1)),
    ("solution", Label::Field(Fix, 1)),
    ("remediation", Label::Field(Fix, 1)),
    ("mitigation", Label::Field(Fix, 2)),
    ("recovery", Label::Field(Fix, 2)),
    ("actions taken", Label::Field(Fix, 2)),
    ("workaround", Label::Field(Fix, 3)),
    ("lessons learned", Label::Field(Lesson, 0)),
    ("lessons learnt", Label::Field(Lesson, 0)),
    ("lesson learned", Label::Field(Lesson, 0)),
    ("what we learned", Label::Field(Lesson, 0)),
    ("lessons", Label::Field(Lesson, 0)),
    ("lesson", Label::Field(Lesson, 0)),
    ("key takeaways", Label::Field(Lesson, 0)),
    ("key takeaway", Label::Field(Lesson, 0)),
    ("takeaways", Label::Field(Lesson, 0)),
    ("takeaway", Label::Field(Lesson, 0)),
    ("learnings", Label::Field(Lesson, 0)),
    ("prevention", Label::Field(Lesson, 1)),
    ("rule", Label::Field(Lesson, 1)),
    ("do instead", Label::Field(Lesson, 1)),
    ("instead", Label::Field(Lesson, 1)),
    ("detection", Label::Other),
    ("timeline", Label::Other),
    ("action items", Label::Other),
    ("follow-up", Label::Other),
    ("follow-ups", Label::Other),
    ("contributing conditions", Label::Other),
    ("affected services", Label::Other),
    ("affected", Label::Other),
    ("blast radius", Label::Other),
    ("duration", Label::Other),
    ("evidence", Label::Other),
    ("title", Label::Key(Key::Title)),
    ("incident", Label::Key(Key::Title)),
    ("name", Label::Key(Key::Title)),
    ("date", Label::Key(Key::Date)),
    ("when", Label::Key(Key::Date)),
    ("occurred", Label::Key(Key::Date)),
    ("severity", Label::Key(Key::Severity)),
    ("priority", Label::Key(Key::Severity)),
    ("status", Label::Key(Key::Status)),
    ("state", Label::Key(Key::Status)),
    ("session", Label::Key(Key::Session)),
    ("sessions", Label::Key(Key::Session)),
    ("category", Label::Key(Key::Category)),
    ("type", Label::Key(Key::Category)),
    ("number", Label::Key(Key::Number)),
    ("no", Label::Key(Key::Number)),
    ("#", Label::Key(Key::Number)),
];

/// Word stems that give a marked label of unknown wording its field.
const STEMS: &[(&str, Field)] = &[
    ("cause", RootCause),
    ("lesson", Lesson),
    ("learn", Lesson),
    ("takeaway", Lesson),
    ("happened", WhatHappened),
    ("fixed", Fix),
    ("resol", Fix),
    ("remedi", Fix),
];

/// Most words of a label.
const LABEL_WORDS_MAX: usize = 5;

/// What a phrase that is marked as a label (bold, a heading, before a colon) stands for.
pub fn classify(phrase: &str) -> Option<Label> {
    let plain = normal(phrase);
    if let Some((_, label)) = PHRASES.iter().find(|(text, _)| *text == plain) {
        return Some(*label);
    }
    // "Status: Resolved" is a label with its value, "Session 9 · Resolved" a header.
    if plain.contains([':', '：', '=', '·', '|', '•']) || plain.contains(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let words: Vec<&str> = plain.split(' ').collect();
    if let Some(field) = asked(&words) {
        return Some(Label::Field(field, 1));
    }
    if words.len() > LABEL_WORDS_MAX || words.len() < 2 {
        return None;
    }
    // "Cause of the outage", "what we learned"; not "root cause categories".
    let edges = [words.first()?, words.last()?];
    let field = STEMS.iter().find(|(stem, _)| edges.iter().any(|w| w.starts_with(stem)))?.1;
    Some(Label::Field(field, 1))
}

/// Word stems of a question that is a label, and what it asks for.
const ASKED: &[(&str, Field)] = &[
    ("fix", Fix),
    ("solve", Fix),
    ("repair", Fix),
    ("recover", Fix),
    ("lose", DataLost),
    ("lost", DataLost),
    ("prevent", Lesson),
    ("break", WhatHappened),
    ("broke", WhatHappened),
    ("wrong", WhatHappened),
];
/// Words that a question may hold and still ask about any failure rather than about one thing.
const ASKING: &[&str] = &[
    "how", "what", "why", "did", "do", "does", "was", "were", "is", "will", "can", "we", "you", "they", "i", "it",
    "this", "that", "the", "our", "so", "again", "from", "have", "has", "been", "be", "to", "problem", "issue",
    "incident", "outage", "failure", "data", "happen", "go", "get",
];

/// What a question asks for: *How did we fix it?*, *What did we lose?*, *Why did this happen?*.
fn asked(words: &[&str]) -> Option<Field> {
    let (first, rest) = words.split_first().filter(|(_, rest)| (2..=6).contains(&rest.len()))?;
    if !["how", "what", "why"].contains(first) {
        return None;
    }
    let subject: Vec<&&str> = rest.iter().filter(|w| !ASKING.contains(w)).collect();
    match (*first, subject.as_slice()) {
        ("why", []) if rest.contains(&"happen") => Some(RootCause),
        (_, [subject]) => ASKED.iter().find(|(stem, _)| subject.starts_with(stem)).map(|(_, field)| *field),
        _ => None,
    }
}

/// A label's words: lower case, without numbering, marks and closing colon.
pub fn normal(phrase: &str) -> String {
    let trimmed = phrase.trim().trim_matches(|c: char| {
        matches!(c, '*' | '_' | '`' | ':' | '：' | '-' | '–' | '—' | '?' | '.') || c.is_whitespace()
    });
    if trimmed == "#" {
        return "#".to_owned();
    }
    let bare = trimmed.trim_start_matches(|c: char| !c.is_alphabetic());
    bare.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
}

/// How a label is set off from its text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mark {
    Colon,
    Dash,
    /// Nothing but its capitals.
    Bare,
}

/// A phrase in running text that may be a label.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// Where the label starts and where its text starts.
    pub at: usize,
    pub text_at: usize,
    pub name: String,
    pub label: Label,
    pub mark: Mark,
    /// Behind the end of a sentence, or at the start of the text.
    pub at_sentence: bool,
    /// Every word is capitalised.
    pub capitals: bool,
    /// What follows does not go on in lower case, as the rest of a sentence would.
    pub opens_text: bool,
}

/// Phrases of a text that may be labels, in order, not overlapping.
pub fn candidates(text: &str, learned: &Learned) -> Vec<Candidate> {
    let mut found: Vec<Candidate> = Vec::new();
    let mut previous = ' ';
    let mut sentence = true;
    for (at, c) in text.char_indices() {
        let starts_word =
            c.is_uppercase() && !previous.is_alphanumeric() && !matches!(previous, '-' | '/' | '.' | '_' | '`');
        if starts_word && found.last().is_none_or(|last| last.text_at <= at) {
            found.extend(candidate_at(text, at, sentence, learned));
        }
        if !c.is_whitespace() {
            sentence = matches!(c, '.' | '!' | '?' | ')' | ']' | '"' | '”' | '’' | '\'' | '`' | '…' | '|' | '·' | '•');
        }
        previous = c;
    }
    found
}

fn candidate_at(text: &str, at: usize, at_sentence: bool, learned: &Learned) -> Option<Candidate> {
    let rest = &text[at..];
    let (len, label) = PHRASES
        .iter()
        .filter(|(phrase, _)| starts_with_words(rest, phrase))
        .map(|(phrase, label)| (phrase.len(), *label))
        .chain(learned.names.iter().filter(|n| rest.starts_with(n.as_str())).map(|n| (n.len(), Label::Other)))
        .max_by_key(|(len, _)| *len)?;
    let name = &rest[..len];
    let behind = &rest[len..];
    let (mark, skipped) = mark_of(behind)?;
    let capitals = name.split(' ').all(|w| w.starts_with(char::is_uppercase));
    let may_be_bare = (capitals || name.contains(' ')) && !matches!(label, Label::Key(_)) && bare_allowed(name);
    // Only a bare label may stand in the middle of a sentence, where its full stop was forgotten.
    if !(if mark == Mark::Bare { may_be_bare } else { at_sentence }) {
        return None;
    }
    Some(Candidate {
        at,
        text_at: at + len + skipped,
        name: name.to_owned(),
        label: learned_label(label, name),
        mark,
        at_sentence,
        capitals,
        opens_text: !rest[len + skipped..].trim_start().starts_with(char::is_lowercase),
    })
}

fn learned_label(label: Label, name: &str) -> Label {
    match label {
        Label::Other => classify(name).unwrap_or(Label::Other),
        label => label,
    }
}

/// Words that start sentences too often to be a label without a mark.
fn bare_allowed(name: &str) -> bool {
    !matches!(
        normal(name).as_str(),
        "why" | "lost" | "rule" | "instead" | "problem" | "issue" | "reason" | "affected" | "losses" | "repair"
    )
}

fn starts_with_words(text: &str, phrase: &str) -> bool {
    text.get(..phrase.len()).is_some_and(|head| head.eq_ignore_ascii_case(phrase))
}

fn mark_of(behind: &str) -> Option<(Mark, usize)> {
    let spaces = behind.len() - behind.trim_start_matches([' ', '\t']).len();
    let next = &behind[spaces..];
    for colon in [':', '：'] {
        if next.starts_with(colon) {
            return Some((Mark::Colon, spaces + colon.len_utf8()));
        }
    }
    for dash in ["– ", "— ", "- "] {
        if spaces > 0 && next.starts_with(dash) {
            return Some((Mark::Dash, spaces + dash.len()));
        }
    }
    (behind.is_empty() || behind.starts_with(char::is_whitespace)).then_some((Mark::Bare, spaces))
}

/// What the page as a whole shows of its labels, so that one paragraph can be read by the others.
#[derive(Clone, Debug, Default)]
pub struct Learned {
    /// Phrases before a colon that most records carry though no list knows them.
    names: Vec<String>,
    /// How often each label opens a paragraph, or follows in one, with each mark.
    starts: BTreeMap<(String, Mark), usize>,
    inner: BTreeMap<(String, Mark), usize>,
    /// Mean place of each label among its siblings.
    places: BTreeMap<String, (usize, usize)>,
    /// Labels that are set off by themselves: bold, headings, terms, lines of their own.
    set_off: usize,
    /// Paragraphs that a label opens.
    paragraphs: usize,
    /// Nothing was learned, so nothing speaks against a label.
    open: bool,
}

pattern!(NAMED, r"(?:^|[.!?)] )([A-Z][A-Za-z'’-]*(?: [A-Za-z'’-]+){0,3}):\s");

impl Learned {
    /// For a text that stands alone.
    pub fn nothing() -> Learned {
        Learned { open: true, ..Learned::default() }
    }

    /// Reads the paragraphs of a page once, before any is split.
    pub fn of<'a>(paragraphs: impl Iterator<Item = &'a str> + Clone, set_off: usize) -> Learned {
        let mut learned = Learned { set_off, ..Learned::default() };
        learned.name_unknown(paragraphs.clone());
        for text in paragraphs {
            let found = candidates(text, &learned);
            let opens = |c: &&Candidate| c.at == 0 && c.at_sentence && !matches!(c.label, Label::Key(_));
            let Some(first) = found.first().filter(opens) else { continue };
            learned.paragraphs += 1;
            *learned.starts.entry((normal(&first.name), first.mark)).or_default() += 1;
            let alike: Vec<&Candidate> = found.iter().filter(|c| c.at_sentence && c.mark == first.mark).collect();
            for (place, one) in alike.iter().enumerate() {
                let name = normal(&one.name);
                if place > 0 {
                    *learned.inner.entry((name.clone(), one.mark)).or_default() += 1;
                }
                if alike.iter().filter(|c| normal(&c.name) == name).count() == 1 {
                    let mean = learned.places.entry(name).or_default();
                    mean.0 += place;
                    mean.1 += 1;
                }
            }
        }
        learned
    }

    /// Phrases before a colon that at least half of the labelled paragraphs share are labels too.
    fn name_unknown<'a>(&mut self, paragraphs: impl Iterator<Item = &'a str>) {
        let mut names: BTreeMap<String, usize> = BTreeMap::new();
        let mut labelled: usize = 0;
        for text in paragraphs.filter(|t| candidates(t, &Learned::default()).first().is_some_and(|c| c.at == 0)) {
            labelled += 1;
            let mut seen: Vec<&str> = NAMED.captures_iter(text).filter_map(|c| c.get(1)).map(|m| m.as_str()).collect();
            seen.dedup();
            for name in seen.into_iter().filter(|n| classify(n).is_none()) {
                *names.entry(name.to_owned()).or_default() += 1;
            }
        }
        let enough = labelled.div_ceil(2).max(2);
        self.names = names.into_iter().filter(|(_, count)| *count >= enough).map(|(name, _)| name).collect();
    }

    fn of_mark(counts: &BTreeMap<(String, Mark), usize>, mark: Mark) -> usize {
        counts.iter().filter(|((_, m), _)| *m == mark).map(|(_, n)| n).sum()
    }

    /// How often a label stands with that mark, wherever.
    fn count(&self, name: &str, mark: Mark) -> usize {
        let key = (name.to_owned(), mark);
        self.starts.get(&key).copied().unwrap_or(0) + self.inner.get(&key).copied().unwrap_or(0)
    }

    /// Whether the page opens paragraphs with labels of that mark, rather than by accident.
    fn opens_with(&self, mark: Mark) -> bool {
        let mine = Self::of_mark(&self.starts, mark);
        let most = [Mark::Colon, Mark::Dash, Mark::Bare]
            .into_iter()
            .map(|m| Self::of_mark(&self.starts, m))
            .max()
            .unwrap_or(0);
        let (share, beside) = if mark == Mark::Colon { (3, 2) } else { (2, 1) };
        self.open || mine * share >= most && mine * beside >= self.set_off
    }

    /// Whether the page runs several labels with that mark together in one paragraph.
    fn runs_together(&self, mark: Mark) -> bool {
        self.open || Self::of_mark(&self.inner, mark) * 5 >= Self::of_mark(&self.starts, mark) * 4
    }

    /// Whether paragraphs usually open with that label.
    fn usual_start(&self, name: &str, mark: Mark) -> bool {
        let most = self.starts.iter().filter(|((_, m), _)| *m == mark).map(|(_, n)| *n).max().unwrap_or(0);
        self.open || self.starts.get(&(name.to_owned(), mark)).copied().unwrap_or(0) * 3 >= most
    }

    /// Mean place, in hundredths, of a label among its siblings.
    fn place(&self, name: &str) -> Option<usize> {
        self.places.get(name).map(|(sum, count)| sum * 100 / count.max(&1))
    }

    /// Whether another word is the page's label for the same field, and this one a passing phrase.
    fn is_passing(&self, one: &Candidate) -> bool {
        let Label::Field(field, _) = one.label else { return false };
        let name = normal(&one.name);
        let mine = self.count(&name, one.mark);
        let names: BTreeSet<&String> = self.starts.keys().chain(self.inner.keys()).map(|(n, _)| n).collect();
        let usual = names
            .into_iter()
            .filter(|n| **n != name && matches!(classify(n), Some(Label::Field(f, _)) if f == field))
            .map(|n| self.count(n, one.mark))
            .max();
        usual.is_some_and(|usual| usual >= 3 && mine * 2 < usual)
    }
}

/// A piece of running text under its label.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    pub name: String,
    pub label: Label,
    pub text: String,
}

/// Splits a paragraph that starts with a label at each label in it.
///
/// A label stands once in a record. Where its words occur twice, the spelling
/// and the order that the rest of the page uses decide which one is the label.
pub fn split(text: &str, learned: &Learned) -> Option<Vec<Part>> {
    let mut found = candidates(text, learned);
    let first = found.first().filter(|c| c.at == 0)?.clone();
    found.retain(|c| c.mark == first.mark);
    let names: BTreeSet<String> = found.iter().filter(|c| c.at_sentence).map(|c| normal(&c.name)).collect();
    let whole = names.len() >= 3;
    if !whole && !believable(&first, names.len(), learned) {
        return None;
    }
    let chosen = if whole || learned.runs_together(first.mark) { choose(&found, learned) } else { vec![&first] };
    let mut parts = Vec::new();
    for (i, one) in chosen.iter().enumerate() {
        let end = chosen.get(i + 1).map_or(text.len(), |next| next.at);
        let inner = text[one.text_at..end].trim().trim_end_matches(['|', '·']).trim_end();
        parts.push(Part { name: one.name.clone(), label: one.label, text: inner.to_owned() });
    }
    Some(parts)
}

/// Whether the first candidate is a label rather than the start of a sentence or title.
fn believable(first: &Candidate, names: usize, learned: &Learned) -> bool {
    let name = normal(&first.name);
    if matches!(first.label, Label::Key(_)) {
        return first.mark == Mark::Colon;
    }
    if !learned.opens_with(first.mark) || learned.runs_together(first.mark) && !learned.usual_start(&name, first.mark) {
        return false;
    }
    match first.mark {
        Mark::Colon | Mark::Dash => true,
        Mark::Bare => {
            let wordy = first.name.contains(' ') && first.capitals;
            let usual = !learned.runs_together(Mark::Bare) && learned.count(&name, Mark::Bare) >= 2;
            names > 1 || wordy || usual
        }
    }
}

fn choose<'a>(found: &'a [Candidate], learned: &Learned) -> Vec<&'a Candidate> {
    let mut names: Vec<String> = Vec::new();
    for one in found {
        let name = normal(&one.name);
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let mut chosen: Vec<&Candidate> = Vec::new();
    let single = |name: &str| found.iter().filter(|c| normal(&c.name) == name && c.at_sentence).count() == 1;
    let fixed: Vec<&Candidate> = found.iter().filter(|c| c.at_sentence && single(&normal(&c.name))).collect();
    for name in &names {
        let all: Vec<&Candidate> = found.iter().filter(|c| &normal(&c.name) == name).collect();
        chosen.extend(pick(name, &all, &fixed, learned));
    }
    chosen.sort_by_key(|c| c.at);
    chosen
}

fn pick<'a>(name: &str, all: &[&'a Candidate], fixed: &[&Candidate], learned: &Learned) -> Option<&'a Candidate> {
    let firm: Vec<&&Candidate> = all.iter().filter(|c| c.at_sentence).collect();
    if firm.is_empty() {
        // In the middle of a sentence: a label only where nearly every record has it.
        let common = learned.count(name, Mark::Bare) * 10 >= learned.paragraphs * 6 && learned.paragraphs >= 3;
        return all.iter().find(|c| common && all.len() == 1 && c.capitals).copied();
    }
    let score = |c: &Candidate| {
        let ordered = fixed.iter().filter(|f| in_order(c, f, name, learned)).count();
        // Of two alike the first is a mention in the part before: "root cause: unknown then".
        (c.at == 0, ordered, c.opens_text, c.at)
    };
    let best = firm.into_iter().max_by_key(|c| score(c))?;
    let rare_word = best.mark == Mark::Bare
        && !best.name.contains(' ')
        && learned.paragraphs >= 3
        && learned.count(name, Mark::Bare) * 3 < learned.paragraphs;
    // "Impact was small" goes on in lower case; "Fix set the limit" is one of many.
    let common = learned.open || learned.count(name, best.mark) * 5 >= learned.paragraphs * 3;
    let sentence = best.mark == Mark::Bare && !best.opens_text && !best.name.contains(' ') && !common;
    (best.at == 0 || !rare_word && !sentence && !learned.is_passing(best)).then_some(*best)
}

fn in_order(one: &Candidate, fixed: &Candidate, name: &str, learned: &Learned) -> bool {
    let (Some(mine), Some(theirs)) = (learned.place(name), learned.place(&normal(&fixed.name))) else { return false };
    (mine < theirs) == (one.at < fixed.at)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(text: &str, page: &[&str]) -> Vec<(String, String)> {
        let learned = Learned::of(page.iter().copied().chain([text]).collect::<Vec<_>>().into_iter(), 0);
        split(text, &learned).unwrap_or_default().into_iter().map(|p| (p.name, p.text)).collect()
    }

    #[test]
    fn splits_a_paragraph_without_colons() {
        let got = parts("What Happened Disk full. Root Cause set -e hid it. Fix Freed space. Lesson Watch it.", &[]);
        assert_eq!(got.len(), 4, "{got:?}");
        assert_eq!(got[1], ("Root Cause".to_owned(), "set -e hid it.".to_owned()));
    }

    #[test]
    fn the_pages_own_spelling_wins() {
        let others = ["What Happened A b. Root Cause C d. Fix E f. Lesson G h."; 3];
        let got = parts(
            "What Happened It broke. Root cause: unknown then. Root Cause A typo. Fix Corrected it. Lesson Look.",
            &others,
        );
        assert_eq!(got[0].1, "It broke. Root cause: unknown then.");
        assert_eq!(got[1].1, "A typo.");
    }

    #[test]
    fn the_pages_order_decides_between_equal_spellings() {
        let others = ["What Happened A b. Root Cause C d. Fix E f. Lesson G h."; 3];
        let got = parts(
            "What Happened It broke. Fix attempts failed. Root Cause A typo. Fix Corrected it. Lesson Look.",
            &others,
        );
        assert_eq!(got[0].1, "It broke. Fix attempts failed.");
        assert_eq!(got[2], ("Fix".to_owned(), "Corrected it.".to_owned()));
    }

    #[test]
    fn colons_and_unknown_labels_are_learned() {
        let page = ["Summary: A. Blast radius: b. Root cause: c. Resolution: d."; 2];
        let got = parts("Summary: X y. Blast radius: one host. Root cause: z. Resolution: w.", &page);
        assert_eq!(
            got.iter().map(|p| p.0.as_str()).collect::<Vec<_>>(),
            ["Summary", "Blast radius", "Root cause", "Resolution"]
        );
    }

    #[test]
    fn questions_that_ask_about_any_failure_are_labels() {
        for (text, want) in [
            ("How did we fix it?", Fix),
            ("How was this solved?", Fix),
            ("What did we lose?", DataLost),
            ("What data was lost?", DataLost),
            ("Why did this happen?", RootCause),
            ("How do we prevent it?", Lesson),
            ("How did it break?", WhatHappened),
        ] {
            assert!(matches!(classify(text), Some(Label::Field(field, _)) if field == want), "{text}");
        }
        for text in [
            "Why Redis broke",
            "How we lost the fix",
            "What we do",
            "How the proxy was fixed twice",
            "Why us?",
            "Status: Resolved",
        ] {
            assert!(!matches!(classify(text), Some(Label::Field(Fix | DataLost | WhatHappened, _))), "{text}");
        }
    }

    #[test]
    fn sentences_are_not_labels() {
        for text in ["Fix it before it breaks.", "Summary tables are slow.", "See the Root Cause Analysis below."] {
            assert_eq!(parts(text, &[]), [], "{text}");
        }
    }
}
