//! Decisions in transcripts: what was chosen, what was rejected, and why.
//!
//! Rules alone find them, over sentences and over calls that ask a person or commit.
//! How sure they are follows from what was seen:
//!
//! | source | percent |
//! | --- | --- |
//! | an answer to a question, a plan that was approved or rejected | 95 |
//! | a correction by a person | 85 |
//! | a commit that was made | 80, with what it replaces 85 |
//! | a person's word, by a verb of deciding / by a weaker one | 85 / 75 |
//! | the agent's word, by a verb of deciding / by a weaker one | 70 / 55 |
//!
//! What names a rejected thing gains 5, what gives a reason 5 too; `for now` and
//! `I think` take 15.

mod asked;
mod commit;
mod correction;
mod forms;
mod parts;
mod phrase;
mod sentence;
mod stated;
mod words;

use std::ops::Range;

use coroner_model::Redacted;
use coroner_model::entry::{Call, CallResult, Entry, Origin, ToolKind};
use coroner_model::session::{CallStatus, Role};
use serde::{Deserialize, Serialize};

use sentence::Token;
use stated::{Draft, Speaker};
use words::Weight;

/// Most decisions of one entry.
const DECISIONS_MAX: usize = 40;
/// Longest text of a message that is read, in bytes.
const MESSAGE_BYTES_MAX: usize = 256 * 1024;
/// Longest text around a decision, in bytes.
const AROUND_BYTES_MAX: usize = 600;
/// Words that make a decision less sure.
const SOFT: &[&str] = &[" for now", "i think", "i guess", " fürs erste", "ich glaube", "ich denke"];

/// One decision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    pub source: Source,
    /// The words that say it.
    pub text: String,
    /// Where they stand: bytes of the message, of the command, or of the answer.
    pub span: Range<usize>,
    /// What was asked, where it answers a question.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub question: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub chosen: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub rejected: Vec<Rejected>,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// The sentences beside it.
    #[serde(skip)]
    pub around: String,
    /// Whether a person decided, not the agent.
    pub is_by_person: bool,
    /// How sure the rules are; see the table above.
    pub confidence_percent: u8,
    /// Files that it names, as it names them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub paths: Vec<String>,
    /// Files that its commit names.
    #[serde(skip)]
    pub committed: Vec<String>,
    /// The agent's own id of the call that it was read from.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub call: String,
}

/// Something that was not chosen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rejected {
    pub what: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub why: String,
}

/// How a decision was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Source {
    /// Said in a message.
    Stated,
    PlanApproved,
    PlanRejected,
    /// A person's answer to a question of the agent.
    Answer,
    /// A person negated what the agent did and said what to do.
    Correction,
    Commit,
}

/// What stands before an entry in its session; looked up only where it decides.
pub trait Before {
    /// The call of that id.
    fn call(&self, id: &str) -> Option<Call<Redacted>>;
    /// What the agent said last.
    fn agent_said(&self) -> Option<String>;
}

impl Decision {
    fn new(source: Source) -> Decision {
        Decision {
            source,
            text: String::new(),
            span: 0..0,
            question: String::new(),
            chosen: String::new(),
            rejected: Vec::new(),
            reason: String::new(),
            around: String::new(),
            is_by_person: false,
            confidence_percent: 0,
            paths: Vec::new(),
            committed: Vec::new(),
            call: String::new(),
        }
    }
}

/// The decisions of an entry, in the order of its text.
pub fn decisions(entry: &Entry<Redacted>, before: &dyn Before) -> Vec<Decision> {
    let mut found = Vec::new();
    if let Some(said) = &entry.message {
        // What a subagent is told, its parent wrote.
        let speaker = match said.role {
            Role::User if said.origin != Origin::Injected && entry.subagent.is_empty() => Some(Speaker::Person),
            Role::User if said.origin != Origin::Injected => Some(Speaker::Agent),
            Role::Assistant => Some(Speaker::Agent),
            _ => None,
        };
        found.extend(speaker.map(|speaker| of_message(said.text.as_str(), speaker, before)).unwrap_or_default());
    }
    for note in entry.notes.iter().filter(|note| note.origin == Origin::Queued && entry.subagent.is_empty()) {
        found.extend(of_message(note.text.as_str(), Speaker::Person, before));
    }
    for call in &entry.calls {
        found.extend(call.result.as_deref().map(|result| of_call(call, result)).unwrap_or_default());
    }
    for result in &entry.results {
        let call = before.call(&result.call).filter(concerns);
        found.extend(call.map(|call| of_call(&call, result)).unwrap_or_default());
    }
    found.truncate(DECISIONS_MAX);
    found
}

/// Whether the result of a call may decide something.
pub fn concerns(call: &Call<Redacted>) -> bool {
    call.kind == ToolKind::Ask || call.command.as_ref().is_some_and(|command| command.as_str().contains("commit"))
}

fn of_call(call: &Call<Redacted>, result: &CallResult<Redacted>) -> Vec<Decision> {
    let mut found = match &call.command {
        _ if call.kind == ToolKind::Ask => asked::asked(call, result),
        Some(command) if result.status == CallStatus::Ok => commit::commits(command.as_str()),
        _ => Vec::new(),
    };
    found.iter_mut().for_each(|decision| decision.call.clone_from(&call.id));
    found
}

fn of_message(text: &str, speaker: Speaker, before: &dyn Before) -> Vec<Decision> {
    let text = cut(text, MESSAGE_BYTES_MAX);
    let sentences = sentence::sentences(text);
    let mut found = Vec::new();
    let mut done = 0;
    if speaker == Speaker::Person
        && let Some((draft, tokens)) = correction::correction(text, &sentences)
    {
        let end = tokens.last().map_or(0, |token| token.span.end);
        let range = sentences[0].start..sentences.iter().map(|s| s.end).find(|s| *s >= end).unwrap_or(end);
        let mut decision = drafted_of(text, range.clone(), &draft, &tokens);
        let said = before.agent_said();
        decision.source = if said.is_some() { Source::Correction } else { Source::Stated };
        decision.around = said.map(|said| tail(&said).to_owned()).unwrap_or_default();
        settle(&mut decision, speaker, &draft);
        done = range.end;
        found.push(decision);
    }
    for (place, range) in sentences.iter().enumerate().filter(|(_, range)| range.start >= done) {
        let Some(draft) = stated::stated(text, range.clone(), speaker) else { continue };
        let mut decision = drafted(text, range.clone(), &draft);
        let beside = [place.checked_sub(1), place.checked_add(1)].into_iter().flatten();
        let beside: Vec<&str> = beside.filter_map(|p| sentences.get(p)).map(|range| &text[range.clone()]).collect();
        decision.around = cut(&beside.join(" "), AROUND_BYTES_MAX).to_owned();
        settle(&mut decision, speaker, &draft);
        found.push(decision);
    }
    found
}

/// A decision made of the words of one sentence.
fn drafted(text: &str, range: Range<usize>, draft: &Draft) -> Decision {
    let tokens = sentence::tokens(text, range.clone());
    drafted_of(text, range, draft, &tokens)
}

fn drafted_of(text: &str, range: Range<usize>, draft: &Draft, tokens: &[Token]) -> Decision {
    let words = |part: &Range<usize>| {
        let (first, last) = (tokens.get(part.start), tokens.get(part.end.wrapping_sub(1)));
        first.zip(last).map_or("", |(first, last)| &text[first.span.start..last.span.end]).to_owned()
    };
    let said = text[range.clone()].to_owned();
    Decision {
        chosen: draft.parts.chosen.as_ref().map(words).unwrap_or_default(),
        rejected: draft.parts.rejected.iter().map(|part| Rejected { what: words(part), why: String::new() }).collect(),
        reason: draft.parts.reason.as_ref().map(words).unwrap_or_default(),
        paths: paths(&said),
        text: said,
        span: range,
        ..Decision::new(Source::Stated)
    }
}

/// Sets who decided and how sure that is; a reason without anything chosen is why it was rejected.
fn settle(decision: &mut Decision, speaker: Speaker, draft: &Draft) {
    decision.is_by_person = speaker == Speaker::Person;
    let mut percent = match (decision.source, decision.is_by_person, draft.weight) {
        (Source::Correction, ..) | (_, true, Weight::Strong) => 85,
        (_, true, _) => 75,
        (_, false, Weight::Strong) => 70,
        (_, false, _) => 55,
    };
    percent += 5 * u8::from(!decision.rejected.is_empty()) + 5 * u8::from(!decision.reason.is_empty());
    let lower = decision.text.to_lowercase();
    if SOFT.iter().any(|soft| lower.contains(soft)) {
        percent -= 15;
    }
    decision.confidence_percent = percent;
    if decision.chosen.is_empty() {
        decision.rejected.iter_mut().for_each(|rejected| rejected.why.clone_from(&decision.reason));
    }
}

/// Files that a text names: words with a folder, or with a name and an ending.
fn paths(text: &str) -> Vec<String> {
    const COUNT_MAX: usize = 40;
    let edge = |c: char| !c.is_alphanumeric() && !matches!(c, '/' | '.' | '_' | '~');
    let mut found: Vec<String> = Vec::new();
    for word in text.split(|c: char| c.is_whitespace() || matches!(c, '`' | '"' | ',' | '(' | ')')) {
        let word = word.trim_matches(edge).trim_end_matches(['.', '/']);
        let word = word.split_once(':').map_or(word, |(path, _)| path);
        if names_file(word) && !found.iter().any(|known| known == word) && found.len() < COUNT_MAX {
            found.push(word.to_owned());
        }
    }
    found
}

fn names_file(word: &str) -> bool {
    let name = word.rsplit('/').next().unwrap_or(word);
    let ending = name.rsplit_once('.').filter(|(stem, ending)| {
        !stem.is_empty() && (1..=5).contains(&ending.len()) && ending.bytes().all(|b| b.is_ascii_alphanumeric())
    });
    let is_plain = word.chars().all(|c| c.is_alphanumeric() || "/._-~@+".contains(c));
    let is_number = word.chars().all(|c| c.is_ascii_digit() || c == '.' || c == 'v');
    let is_short_form = matches!(word, "e.g" | "i.e" | "z.B" | "d.h");
    is_plain
        && ending.is_some_and(|(_, e)| e.bytes().any(|b| b.is_ascii_alphabetic()))
        && !is_number
        && !is_short_form
        && !word.contains("//")
}

/// The last sentences of a text.
fn tail(text: &str) -> &str {
    let from = text.len().saturating_sub(AROUND_BYTES_MAX);
    let from = text.ceil_char_boundary(from);
    text[from..].trim()
}

/// The beginning of a text, cut between characters.
fn cut(text: &str, bytes_max: usize) -> &str {
    &text[..text.floor_char_boundary(bytes_max)]
}
