//! Cursor's agent transcripts: JSON Lines, and the older text. Neither holds times or outcomes.

use coroner_model::entry::{Call, CallResult, Entry, Note, Origin, RawPlace, Said};
use coroner_model::session::Role;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::batch::{Batch, JsonLines};
use super::{id, neutral, tool, whole};

/// Reads the lines of one file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Cursor {
    session: String,
}

impl Cursor {
    /// A reader for the file of that name, without folder and extension.
    pub fn new(stem: &str) -> Cursor {
        Cursor { session: stem.to_owned() }
    }
}

impl JsonLines for Cursor {
    fn record(&mut self, record: Value, text: &str, raw: RawPlace, batch: &mut Batch) {
        let mut entry = Entry { session: self.session.clone(), raw, ..Entry::default() };
        let Some(role) = record.get("role").and_then(Value::as_str) else {
            return batch.unknown(entry, "no message", text);
        };
        let mut texts: Vec<&str> = Vec::new();
        match record.pointer("/message/content") {
            Some(Value::String(text)) => texts.push(text),
            Some(Value::Array(blocks)) => {
                for block in blocks {
                    match block.get("type").and_then(Value::as_str).unwrap_or("") {
                        "text" => texts.extend(block.get("text").and_then(Value::as_str)),
                        "tool_use" => {
                            let name = block.get("name").and_then(Value::as_str).unwrap_or("");
                            let input = block.get("input").cloned().unwrap_or(Value::Null);
                            entry.calls.push(tool::call(id(block.get("id")), name, input));
                        }
                        "tool_result" => entry.results.push(result(block)),
                        _ => {}
                    }
                }
            }
            _ => {}
        }
        say(&mut entry, neutral::role(role), &texts.join("\n"), None);
        batch.add(entry);
    }

    fn session(&self) -> &str {
        &self.session
    }
}

fn result(block: &Value) -> CallResult {
    let output = match block.get("content") {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(parts)) => {
            let texts: Vec<&str> = parts.iter().filter_map(|part| part.get("text")?.as_str()).collect();
            texts.join("\n")
        }
        _ => String::new(),
    };
    CallResult { call: id(block.get("tool_use_id")), output, ..CallResult::default() }
}

/// Adds a message; of a person's, what stands around the query was put in by the program.
fn say(entry: &mut Entry, role: Role, text: &str, thinking: Option<String>) {
    let mut typed = text.trim().to_owned();
    if role == Role::User {
        let (mut queries, mut around, mut rest) = (Vec::new(), Vec::new(), text);
        while let Some((before, asked, after)) = query(rest) {
            around.push(before.trim());
            queries.push(asked.trim());
            rest = after;
        }
        if !queries.is_empty() {
            around.push(rest.trim());
            let notes = around.into_iter().filter(|text| !text.is_empty());
            entry.notes.extend(notes.map(|text| Note { origin: Origin::Injected, text: text.to_owned() }));
            typed = queries.join("\n");
        }
    }
    entry.message = Some(Said { role, origin: Origin::Typed, text: typed, thinking });
}

/// What stands before, in and after the first query of a text.
fn query(text: &str) -> Option<(&str, &str, &str)> {
    let (before, rest) = text.split_once("<user_query>")?;
    let (query, after) = rest.split_once("</user_query>")?;
    Some((before, query, after))
}

/// Reads the text form, in which a line `user:` or `assistant:` begins a message.
pub fn whole(stem: &str, text: &str) -> Batch {
    let mut batch = Batch::default();
    batch.counts.lines = whole::lines(text);
    let (mut offset, mut open): (u64, Option<Block>) = (0, None);
    for (index, line) in text.split_inclusive('\n').enumerate() {
        let bare = line.trim_end();
        let raw = RawPlace { offset, len: bare.len() as u64, line: index as u64 + 1 };
        offset += line.len() as u64;
        match (speaker(bare), &mut open) {
            (Some(role), _) => {
                open.replace(Block::new(role, raw)).into_iter().for_each(|block| batch.add(block.entry(stem)));
            }
            (None, Some(block)) => block.line(bare, raw),
            (None, None) if bare.is_empty() => {}
            (None, None) => {
                let entry = Entry { session: stem.to_owned(), raw, ..Entry::default() };
                batch.unknown(entry, "a line before the first message", bare);
            }
        }
    }
    open.into_iter().for_each(|block| batch.add(block.entry(stem)));
    batch
}

/// Who speaks after that line.
pub(super) fn speaker(line: &str) -> Option<Role> {
    match line {
        "user:" => Some(Role::User),
        "assistant:" => Some(Role::Assistant),
        _ => None,
    }
}

/// A part of a message in the text form.
enum Part {
    Text(String),
    Thinking(String),
    Call { name: String, arguments: String },
    Result { name: String, output: String },
}

/// A message in the text form.
struct Block {
    role: Role,
    raw: RawPlace,
    parts: Vec<Part>,
}

impl Block {
    fn new(role: Role, raw: RawPlace) -> Block {
        Block { role, raw, parts: vec![Part::Text(String::new())] }
    }

    fn line(&mut self, line: &str, raw: RawPlace) {
        if !line.is_empty() {
            self.raw.len = raw.offset + raw.len - self.raw.offset;
        }
        let begun = |marker: &str| line.strip_prefix(marker).map(|rest| rest.trim().to_owned());
        if let Some(name) = begun("[Tool call]") {
            self.parts.push(Part::Call { name, arguments: String::new() });
        } else if let Some(name) = begun("[Tool result]") {
            self.parts.push(Part::Result { name, output: String::new() });
        } else if let Some(text) = begun("[Thinking]") {
            self.parts.push(Part::Thinking(text));
        } else {
            // Arguments are indented, and a thought ends with a blank line; then there is text again.
            let is_over = match self.parts.last() {
                Some(Part::Call { .. }) => !line.is_empty() && !line.starts_with([' ', '\t']),
                Some(Part::Thinking(thought)) => line.is_empty() && !thought.trim().is_empty(),
                _ => false,
            };
            if is_over {
                self.parts.push(Part::Text(String::new()));
            }
            if let Some(
                Part::Text(text)
                | Part::Thinking(text)
                | Part::Call { arguments: text, .. }
                | Part::Result { output: text, .. },
            ) = self.parts.last_mut()
            {
                text.push_str(line);
                text.push('\n');
            }
        }
    }

    fn entry(self, session: &str) -> Entry {
        let mut entry = Entry { session: session.to_owned(), raw: self.raw, ..Entry::default() };
        let (mut texts, mut thoughts): (Vec<String>, Vec<String>) = (Vec::new(), Vec::new());
        for part in self.parts {
            match part {
                Part::Text(text) => texts.push(text.trim().to_owned()),
                Part::Thinking(text) => thoughts.push(text.trim().to_owned()),
                Part::Call { name, arguments: text } => {
                    entry.calls.push(tool::call(String::new(), &name, arguments(&text)));
                }
                Part::Result { name, output } => answer(&mut entry, &name, output.trim()),
            }
        }
        texts.retain(|text| !text.is_empty());
        thoughts.retain(|text| !text.is_empty());
        let thinking = (!thoughts.is_empty()).then(|| thoughts.join("\n"));
        say(&mut entry, self.role, &texts.join("\n"), thinking);
        entry
    }
}

/// Gives a result to the first call of that tool which has none; without a call it is a note.
fn answer(entry: &mut Entry, name: &str, output: &str) {
    let mut open = entry.calls.iter_mut().filter(|call: &&mut Call| call.tool == name && call.result.is_none());
    if let Some(call) = open.next() {
        call.result = Some(Box::new(CallResult { output: output.to_owned(), ..CallResult::default() }));
    } else if !output.is_empty() {
        entry.notes.push(Note { origin: Origin::Injected, text: output.to_owned() });
    }
}

/// Lines `key: value`; a line that is indented further, or has no key, goes on with the value before.
fn arguments(text: &str) -> Value {
    let indent = |line: &str| line.len() - line.trim_start().len();
    let least = text.lines().filter(|line| !line.trim().is_empty()).map(indent).min().unwrap_or(0);
    let mut found: Vec<(String, String)> = Vec::new();
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        let is_word = |key: &&str| !key.is_empty() && key.chars().all(|c| c.is_alphanumeric() || c == '_');
        let begun = line.trim().split_once(':').filter(|(key, _)| indent(line) == least && is_word(key));
        match (begun, found.last_mut()) {
            (Some((key, value)), _) => found.push((key.to_owned(), value.trim().to_owned())),
            (None, Some((_, value))) => {
                value.push('\n');
                value.push_str(line.get(least..).unwrap_or(line));
            }
            (None, None) => found.push(("input".to_owned(), line.trim().to_owned())),
        }
    }
    let fields: Map<String, Value> = found.into_iter().map(|(key, value)| (key, Value::String(value))).collect();
    if fields.is_empty() { Value::Null } else { Value::Object(fields) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_form_gives_messages_with_their_calls_and_results() {
        let text = "user:\n<context>x</context>\n<user_query>\nlist it\n</user_query>\n\nassistant:\n[Thinking] hm\n\nI look.\n[Tool call] run_terminal_cmd\n  command: ls -l\n    /srv\n  explanation: see\n[Tool result] run_terminal_cmd\na\nb\nassistant:\nTwo files.\n";
        let batch = whole("t", text);
        assert_eq!((batch.counts.lines, batch.counts.messages, batch.counts.tool_calls), (17, 3, 1));
        let [user, model, last] = batch.entries.as_slice() else { panic!("{:?}", batch.entries) };
        assert_eq!((user.message.as_ref().unwrap().text.as_str(), user.notes.len()), ("list it", 1));
        let said = model.message.as_ref().unwrap();
        assert_eq!((said.text.as_str(), said.thinking.as_deref()), ("I look.", Some("hm")));
        let call = &model.calls[0];
        assert_eq!(call.command.as_deref(), Some("ls -l\n  /srv"));
        assert_eq!(call.result.as_ref().unwrap().output, "a\nb");
        let from = usize::try_from(last.raw.offset).unwrap();
        assert_eq!(&text[from..from + usize::try_from(last.raw.len).unwrap()], "assistant:\nTwo files.");
    }

    #[test]
    fn lines_of_json_give_messages_and_calls() {
        let text = "{\"role\":\"user\",\"message\":{\"content\":[{\"type\":\"text\",\"text\":\"<user_query>go</user_query>\"}]}}\n{\"role\":\"assistant\",\"message\":{\"content\":[{\"type\":\"tool_use\",\"name\":\"run_terminal_cmd\",\"input\":{\"command\":\"make\"}}]}}\n{\"what\":1}\n";
        let batch = super::super::lines(&mut super::super::LineReader::Cursor(Cursor::new("t")), text, 1);
        assert_eq!((batch.counts.messages, batch.counts.tool_calls, batch.counts.unknown), (2, 1, 1));
        assert_eq!(batch.entries[0].message.as_ref().unwrap().text, "go");
        assert_eq!(batch.entries[1].calls[0].command.as_deref(), Some("make"));
    }
}
