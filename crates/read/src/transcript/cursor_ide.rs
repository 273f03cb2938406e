//! Cursor's editor: composers and their bubbles, as its `state.vscdb` holds them.
//!
//! One entry stands for one bubble. `composerData:<id>` names the bubbles in their order
//! and, in old files, holds them itself.

use coroner_model::entry::{About, Call, CallResult, Entry, ExitKnown, RawPlace, Said};
use coroner_model::session::{CallStatus, Role};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::batch::Batch;
use super::{id, time, tool};

/// A composer: one conversation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Composer {
    pub id: String,
    pub name: String,
    pub created: Option<Timestamp>,
    /// In milliseconds since 1970; 0 where it is not said.
    pub updated_ms: i64,
    /// Ids of its bubbles in their order.
    pub bubbles: Vec<String>,
    /// Bubbles that stand in the composer's own record, as old files have them.
    pub inline: Vec<Bubble>,
}

/// The JSON text of a bubble.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bubble {
    /// As its key names it; empty where only the text does.
    pub id: String,
    pub json: String,
    /// 1-based place among the rows.
    pub number: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Head<'a> {
    #[serde(default)]
    composer_id: Value,
    #[serde(default)]
    name: Value,
    #[serde(default)]
    created_at: Value,
    #[serde(default)]
    last_updated_at: Value,
    #[serde(default)]
    full_conversation_headers_only: Value,
    #[serde(default, borrow)]
    conversation: Option<&'a RawValue>,
}

impl Composer {
    /// Reads the record of a composer; `key_id` is the id in its key.
    pub fn of_json(key_id: &str, text: &str) -> Result<Composer, String> {
        let head: Head<'_> = serde_json::from_str(text).map_err(|error| error.to_string())?;
        let own = head.composer_id.as_str().unwrap_or("");
        let headers = head.full_conversation_headers_only.as_array().map(Vec::as_slice).unwrap_or_default();
        Ok(Composer {
            id: if key_id.is_empty() { own } else { key_id }.to_owned(),
            name: head.name.as_str().unwrap_or("").to_owned(),
            created: time(Some(&head.created_at)),
            updated_ms: head.last_updated_at.as_f64().map_or(0, |ms| ms as i64),
            bubbles: headers.iter().map(|header| id(header.get("bubbleId"))).filter(|id| !id.is_empty()).collect(),
            inline: head.conversation.map(inline).unwrap_or_default(),
        })
    }

    /// What stands first: the title, and the folder where it is known.
    pub fn entry(&self, folder: Option<&str>) -> Entry {
        let about = About {
            title: (!self.name.is_empty()).then(|| self.name.clone()),
            cwd: folder.map(str::to_owned),
            started: self.created,
            ..About::default()
        };
        Entry {
            session: self.id.clone(),
            id: self.id.clone(),
            at: self.created,
            about: (about != About::default()).then(|| Box::new(about)),
            ..Entry::default()
        }
    }
}

fn inline(list: &RawValue) -> Vec<Bubble> {
    let Ok(elements) = serde_json::from_str::<Vec<&RawValue>>(list.get()) else { return Vec::new() };
    let bubble = |(index, element): (usize, &&RawValue)| Bubble {
        id: String::new(),
        json: element.get().to_owned(),
        number: index as u64 + 1,
    };
    elements.iter().enumerate().map(bubble).collect()
}

/// Reads one bubble of a composer.
pub fn bubble(composer: &str, bubble: &Bubble, batch: &mut Batch) {
    batch.counts.lines += 1;
    let raw = RawPlace { offset: 0, len: bubble.json.len() as u64, line: bubble.number };
    let mut entry = Entry { session: composer.to_owned(), id: bubble.id.clone(), raw, ..Entry::default() };
    let value: Value = match serde_json::from_str(&bubble.json) {
        Ok(value) => value,
        Err(error) => return batch.issue(entry, &error.to_string(), &bubble.json),
    };
    if entry.id.is_empty() {
        entry.id = id(value.get("bubbleId"));
    }
    let role = match value.get("type").and_then(Value::as_i64) {
        Some(1) => Role::User,
        Some(2) => Role::Assistant,
        _ => return batch.unknown(entry, &format!("a bubble of type {}", value["type"]), &bubble.json),
    };
    entry.at = time(value.get("createdAt"));
    entry.calls.extend(value.get("toolFormerData").and_then(|data| call(data, &entry)));
    let text = value.get("text").and_then(Value::as_str).unwrap_or("").to_owned();
    let thinking = value.get("thinking").and_then(|t| t.as_str().or(t.get("text")?.as_str()));
    let thinking = thinking.filter(|text| !text.is_empty()).map(str::to_owned);
    entry.message = Some(Said { role, origin: Default::default(), text, thinking });
    batch.add(entry);
}

fn call(data: &Value, entry: &Entry) -> Option<Call> {
    let name = data.get("name").and_then(Value::as_str).filter(|name| !name.is_empty())?;
    // What the program understood is better than what the model wrote, where it is there.
    let input = ["params", "rawArgs"].iter().find_map(|key| structured(data.get(*key)?).filter(|v| !is_empty(v)));
    let own = id(data.get("toolCallId"));
    let own = if own.is_empty() { entry.id.clone() } else { own };
    let mut call = tool::call(own, name, input.unwrap_or(Value::Null));
    call.result = result(data, &call.id, entry.at).map(Box::new);
    Some(call)
}

/// A value that may be written as JSON inside a string.
fn structured(value: &Value) -> Option<Value> {
    match value {
        Value::String(text) if text.is_empty() => None,
        Value::String(text) => Some(serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.clone()))),
        Value::Null => None,
        other => Some(other.clone()),
    }
}

fn is_empty(value: &Value) -> bool {
    value.as_object().is_some_and(serde_json::Map::is_empty)
}

/// What became of a call; `None` while it runs.
fn result(data: &Value, call: &str, at: Option<Timestamp>) -> Option<CallResult> {
    let status = data.get("status").and_then(Value::as_str).unwrap_or("");
    let found = data.get("result").and_then(structured);
    let error = data.get("error").and_then(structured);
    if found.is_none() && error.is_none() && !["completed", "success", "error", "cancelled"].contains(&status) {
        return None;
    }
    let field = |key: &str| found.as_ref().and_then(|result| result.get(key));
    let exit_code = field("exitCode").and_then(Value::as_i64);
    let rejected = field("rejected").is_some_and(|flag| flag.as_bool().unwrap_or(!flag.is_null()));
    let status = match (status, exit_code) {
        _ if rejected => CallStatus::Rejected,
        ("cancelled", _) => CallStatus::Interrupted,
        ("error", _) => CallStatus::Error,
        (_, Some(0)) => CallStatus::Ok,
        (_, Some(_)) => CallStatus::Error,
        ("completed" | "success", None) => CallStatus::Ok,
        _ => CallStatus::Unknown,
    };
    let known = if exit_code.is_some() { ExitKnown::Reported } else { ExitKnown::Unknown };
    let output = field("output").or(found.as_ref()).or(error.as_ref()).map(plain).unwrap_or_default();
    Some(CallResult { call: call.to_owned(), status, exit_code, known, output, at })
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// The composers that a workspace names in its `composer.composerData`.
pub fn composers_of_workspace(text: &str) -> Vec<String> {
    let value: Value = serde_json::from_str(text).unwrap_or_default();
    let all = value.get("allComposers").and_then(Value::as_array).into_iter().flatten();
    all.map(|composer| id(composer.get("composerId"))).filter(|id| !id.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Batch {
        let mut batch = Batch::default();
        bubble("c1", &Bubble { id: "b1".into(), json: json.into(), number: 4 }, &mut batch);
        batch
    }

    #[test]
    fn a_shell_call_is_told_by_the_result_inside_its_text() {
        let call = |status: &str, result: &str| {
            let json = serde_json::json!({"type": 2, "text": "", "createdAt": "2026-02-01T09:00:00Z", "toolFormerData": {
                "name": "run_terminal_cmd", "toolCallId": "t", "rawArgs": r#"{"command":"make"}"#, "status": status, "result": result}});
            let batch = read(&json.to_string());
            let call = batch.entries[0].calls[0].clone();
            assert_eq!(call.command.as_deref(), Some("make"));
            call.result.map(|r| (r.status, r.exit_code, r.output))
        };
        let of = |status, code, text: &str| Some((status, code, text.to_owned()));
        assert_eq!(call("completed", r#"{"output":"fine","exitCode":0}"#), of(CallStatus::Ok, Some(0), "fine"));
        assert_eq!(call("completed", r#"{"output":"bad","exitCode":2}"#), of(CallStatus::Error, Some(2), "bad"));
        assert_eq!(call("completed", r#"{"output":"","rejected":true}"#), of(CallStatus::Rejected, None, ""));
        assert_eq!(call("completed", r#"{"output":"x","rejected":false}"#), of(CallStatus::Ok, None, "x"));
        assert_eq!(call("loading", ""), None);
    }

    #[test]
    fn composers_hold_their_bubbles_inline_or_name_them() {
        let text = r#"{"composerId":"c1","name":"Fix","createdAt":1770000000000,"lastUpdatedAt":1770000001000,"fullConversationHeadersOnly":[{"bubbleId":"b2","type":1},{"bubbleId":"b1","type":2}]}"#;
        let composer = Composer::of_json("c1", text).unwrap();
        assert_eq!((composer.bubbles.join(" ").as_str(), composer.updated_ms), ("b2 b1", 1_770_000_001_000));
        assert_eq!(composer.entry(Some("/srv")).about.unwrap().cwd.as_deref(), Some("/srv"));
        let old = r#"{"composerId":"c2","conversation":[{"type":1,"bubbleId":"x","text":"hi"}]}"#;
        assert_eq!(Composer::of_json("", old).unwrap().inline[0].json, r#"{"type":1,"bubbleId":"x","text":"hi"}"#);
        assert!(Composer::of_json("c", "{").is_err());
    }

    #[test]
    fn what_cannot_be_read_is_counted_and_kept() {
        let broken = read(r#"{"type":2,"#);
        assert_eq!((broken.issues.len(), broken.entries.len(), broken.counts.lines), (1, 1, 1));
        let odd = read(r#"{"type":9}"#);
        assert_eq!((odd.counts.unknown, odd.entries[0].unread.is_some()), (1, true));
    }
}
