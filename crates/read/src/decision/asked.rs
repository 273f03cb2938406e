//! Answers to questions that an agent put to a person, and plans that a person judged.

use coroner_model::Redacted;
use coroner_model::entry::{Call, CallResult};
use coroner_model::session::CallStatus;
use serde_json::Value;

use super::{Decision, Rejected, Source, cut, paths};

/// Longest plan that is kept in a decision, in bytes.
const PLAN_BYTES_MAX: usize = 4_000;
/// Longest answer, in bytes.
const ANSWER_BYTES_MAX: usize = 600;

/// What a person answered, or said of a plan.
pub(super) fn asked(call: &Call<Redacted>, result: &CallResult<Redacted>) -> Vec<Decision> {
    let input: Value =
        call.input.as_ref().and_then(|input| serde_json::from_str(input.as_str()).ok()).unwrap_or_default();
    if is_plan(call, &input) {
        return plan(&input, result).into_iter().collect();
    }
    if result.status != CallStatus::Ok && result.status != CallStatus::Unknown {
        return Vec::new();
    }
    let output = result.output.as_str();
    let questions = questions(&input);
    let places: Vec<Option<usize>> = questions.iter().map(|q| output.find(q.text.as_str())).collect();
    let answered = |at: usize| {
        let from = match places[at] {
            Some(place) => place + questions[at].text.len(),
            None if questions.len() == 1 => 0,
            None => return None,
        };
        let end = places.iter().flatten().copied().filter(|place| *place >= from).min().unwrap_or(output.len());
        questions[at].answer(&output[from..end], places[at].is_some())
    };
    (0..questions.len()).filter_map(answered).collect()
}

fn is_plan(call: &Call<Redacted>, input: &Value) -> bool {
    input.get("plan").is_some() || call.tool.to_ascii_lowercase().contains("plan")
}

fn plan(input: &Value, result: &CallResult<Redacted>) -> Option<Decision> {
    let output = result.output.as_str();
    let text = input.get("plan").and_then(Value::as_str).unwrap_or(output);
    let text = cut(text.trim(), PLAN_BYTES_MAX);
    let title = text.lines().map(|line| line.trim_start_matches(['#', ' '])).find(|line| !line.is_empty())?.to_owned();
    let mut decision = Decision {
        text: text.to_owned(),
        paths: paths(text),
        span: 0..text.len(),
        is_by_person: true,
        ..Decision::new(Source::PlanApproved)
    };
    match result.status {
        CallStatus::Ok => decision.chosen = title,
        CallStatus::Rejected => {
            decision.source = Source::PlanRejected;
            decision.rejected = vec![Rejected { what: title, why: cut(said(output), ANSWER_BYTES_MAX).to_owned() }];
        }
        _ => return None,
    }
    decision.confidence_percent = 95;
    Some(decision)
}

/// What a person gave as the reason, behind the words of the program.
fn said(output: &str) -> &str {
    output.rsplit_once("said:").map_or("", |(_, said)| said.trim())
}

struct Question {
    text: String,
    options: Vec<Value>,
}

fn questions(input: &Value) -> Vec<Question> {
    let one = std::slice::from_ref(input);
    let list = input.get("questions").and_then(Value::as_array).map_or(one, Vec::as_slice);
    let text = |value: &Value| {
        ["question", "prompt", "message", "text"].iter().find_map(|key| value.get(*key)?.as_str().map(str::to_owned))
    };
    let options = |value: &Value| {
        ["options", "choices"].iter().find_map(|key| value.get(*key)?.as_array().cloned()).unwrap_or_default()
    };
    list.iter().filter_map(|value| Some(Question { text: text(value)?, options: options(value) })).collect()
}

fn label(option: &Value) -> Option<&str> {
    option.as_str().or_else(|| ["label", "value", "title", "name"].iter().find_map(|key| option.get(*key)?.as_str()))
}

impl Question {
    /// The decision behind the text that follows the question in the result.
    fn answer(&self, given: &str, is_quoted: bool) -> Option<Decision> {
        let given = given.trim_start_matches(['"', '=', ':', ' ', '\n', '-', '>', '\'', '→']);
        let words = if is_quoted { given.split_once('"').map_or(given, |(answer, _)| answer) } else { given };
        let words = cut(words.trim().trim_end_matches([',', '.', '"']), ANSWER_BYTES_MAX);
        if words.is_empty() {
            return None;
        }
        let labels: Vec<&str> = self.options.iter().filter_map(label).collect();
        // The longest label first: one may be the beginning of another.
        let is_taken = |name: &str| {
            words.contains(name)
                && !labels
                    .iter()
                    .any(|other| other.len() > name.len() && other.contains(name) && words.contains(*other))
        };
        let taken: Vec<&str> = labels.iter().copied().filter(|name| is_taken(name)).collect();
        let description = |name: &str| {
            let option = self.options.iter().find(|option| label(option) == Some(name));
            option.and_then(|option| option.get("description")?.as_str()).unwrap_or("")
        };
        let rejected = labels.iter().filter(|name| !taken.contains(*name));
        Some(Decision {
            text: format!("{} {words}", self.text),
            chosen: words.to_owned(),
            rejected: rejected.map(|name| Rejected { what: (*name).to_owned(), why: String::new() }).collect(),
            reason: taken.iter().map(|name| description(name)).filter(|d| !d.is_empty()).collect::<Vec<_>>().join("; "),
            question: self.text.clone(),
            span: 0..words.len(),
            paths: paths(words),
            is_by_person: true,
            confidence_percent: 95,
            ..Decision::new(Source::Answer)
        })
    }
}
