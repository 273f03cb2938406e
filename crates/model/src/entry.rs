//! What one place of a transcript says: a message, calls, their results, changes of files.
//!
//! Readers make entries of raw text; [`Entry::redact`] alone makes those that are kept.
//! One entry stands for one line (or one element, or one row) of the source, so that
//! each has one raw place that can be looked up and hashed.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::redact::{Redacted, Redactor};
use crate::session::{CallStatus, Role};

/// One line, element or row of a transcript.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, bound(deserialize = "T: Deserialize<'de> + Default"))]
pub struct Entry<T = String> {
    /// The agent's own id of the session.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub session: String,
    /// Own id of the subagent that acted; empty for the session itself.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub subagent: String,
    /// The agent's own id of the entry; empty where it has none.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub id: String,
    /// Id of the entry that it answers.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub parent: String,
    pub raw: RawPlace,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
    /// Present where the entry counts as a message, also where it says nothing in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<Said<T>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub calls: Vec<Call<T>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub results: Vec<CallResult<T>>,
    /// Failures that belong to no call: an API error, a hook that failed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<T>,
    /// What the agent's program says beside the conversation, and what it put into a typed text.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<Note<T>>,
    /// A record that no reader understands, as it stands.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unread: Option<Unread<T>>,
    /// What the entry says of its session; `None` where it says nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub about: Option<Box<About<T>>>,
}

/// Where an entry stands in its source.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RawPlace {
    /// In bytes from the beginning of the file.
    pub offset: u64,
    /// In bytes, without the end of the line.
    pub len: u64,
    /// 1-based line, or place among the elements or rows.
    pub line: u64,
}

/// How a text came into the conversation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Origin {
    /// A person typed it, or the model wrote it.
    #[default]
    Typed,
    /// The agent's program put it there: reminders, settings, summaries.
    Injected,
    /// Typed while the agent was at work.
    Queued,
}

/// A text that is no message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note<T = String> {
    #[serde(default)]
    pub origin: Origin,
    pub text: T,
}

/// A record that no reader understands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unread<T = String> {
    /// Why: the type that is not known, or where parsing failed.
    pub why: String,
    /// Its text, bounded.
    pub text: T,
}

/// The words of a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Said<T = String> {
    pub role: Role,
    #[serde(default)]
    pub origin: Origin,
    /// Empty where the message holds calls or results only.
    pub text: T,
    /// The model's reasoning, where the transcript shows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thinking: Option<T>,
}

/// What a tool is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ToolKind {
    Shell,
    Read,
    Write,
    Edit,
    Search,
    Web,
    Mcp,
    Agent,
    /// A plan shown to a person, or a question put to them.
    Ask,
    #[default]
    Other,
}

/// A tool call as the model made it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(bound(deserialize = "T: Deserialize<'de> + Default"))]
pub struct Call<T = String> {
    pub id: String,
    pub tool: String,
    pub kind: ToolKind,
    /// Shell text, where the tool runs a shell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<T>,
    /// The rest of the input as JSON text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input: Option<T>,
    /// Files and folders that the input names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub paths: Vec<T>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cwd: Option<T>,
    /// What the call would change in files.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<Change<T>>,
    /// The input as the agent gave it; never kept.
    #[serde(skip)]
    pub raw_input: Option<serde_json::Value>,
    /// What the call left behind, where call and result stand in one entry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<Box<CallResult<T>>>,
}

/// What a call changes in a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change<T = String> {
    pub path: T,
    pub operation: Operation,
    /// Text that goes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<T>,
    /// Text that comes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<T>,
}

/// How a file is changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Operation {
    /// Written whole, whether it was there or not.
    Write,
    /// A part replaced.
    Edit,
    Delete,
    Move,
}

/// What became of a call.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallResult<T = String> {
    /// Id of the call.
    pub call: String,
    pub status: CallStatus,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exit_code: Option<i64>,
    /// How the exit code is known.
    #[serde(default)]
    pub known: ExitKnown,
    pub output: T,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
}

/// How an exit code is known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ExitKnown {
    #[default]
    Unknown,
    /// A field of the transcript holds it.
    Reported,
    /// The text of the output names it.
    InText,
    /// The agent said that the call went well, and its kind is known to fail otherwise.
    Implied,
}

/// What an entry says of its session; empty fields say nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, bound(deserialize = "T: Deserialize<'de> + Default"))]
pub struct About<T = String> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<T>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cwd: Option<T>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub branch: Option<T>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<T>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<T>,
    /// The agent's name, where the format does not fix it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent: Option<T>,
    /// Session that started this one, or that this one continues.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent: Option<T>,
    /// Kind or name of a subagent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subagent: Option<T>,
    /// Which subagent that is, where it is not the entry's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subagent_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub machine: Option<T>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub started: Option<Timestamp>,
}

impl<T> Entry<T> {
    /// The entry with each text made anew by `convert`; ids, times and places stay.
    pub fn map<U>(self, convert: &mut impl FnMut(T) -> U) -> Entry<U> {
        Entry {
            session: self.session,
            subagent: self.subagent,
            id: self.id,
            parent: self.parent,
            raw: self.raw,
            at: self.at,
            message: self.message.map(|said| Said {
                role: said.role,
                origin: said.origin,
                text: convert(said.text),
                thinking: said.thinking.map(&mut *convert),
            }),
            calls: self.calls.into_iter().map(|call| call.map(convert)).collect(),
            results: self.results.into_iter().map(|result| result.map(convert)).collect(),
            errors: self.errors.into_iter().map(&mut *convert).collect(),
            notes: self.notes.into_iter().map(|note| Note { origin: note.origin, text: convert(note.text) }).collect(),
            unread: self.unread.map(|unread| Unread { why: unread.why, text: convert(unread.text) }),
            about: self.about.map(|about| Box::new(about.map(convert))),
        }
    }
}

impl Entry {
    /// The entry with its secrets replaced, and how many were. What is found is learned,
    /// so that it goes from every later text too.
    pub fn redact(self, redactor: &mut Redactor) -> (Entry<Redacted>, u64) {
        let mut count = 0;
        let entry = self.map(&mut |text: String| {
            let (redacted, replaced) = redactor.redact_counted(&text);
            if replaced > 0 {
                redactor.learn(&text);
            }
            count += replaced;
            redacted
        });
        (entry, count)
    }
}

impl Entry<Redacted> {
    /// The entry without values that were learned since it was made, and how many went.
    pub fn without_learned(self, redactor: &Redactor) -> (Entry<Redacted>, u64) {
        let mut count = 0;
        let entry = self.map(&mut |text| {
            let (redacted, replaced) = redactor.without_learned(text);
            count += replaced;
            redacted
        });
        (entry, count)
    }

    /// All that it says, as one text.
    pub fn told(&self) -> Redacted {
        let said = self.message.iter().flat_map(|said| said.thinking.iter().chain([&said.text]));
        let calls = self.calls.iter().flat_map(|call| {
            let changes = call.changes.iter().flat_map(|c| [Some(&c.path), c.before.as_ref(), c.after.as_ref()]);
            let result = call.result.iter().map(|result| &result.output);
            call.command.iter().chain(call.input.iter()).chain(&call.paths).chain(changes.flatten()).chain(result)
        });
        let results = self.results.iter().map(|result| &result.output);
        let notes = self.notes.iter().map(|note| &note.text);
        let unread = self.unread.iter().map(|unread| &unread.text);
        Redacted::joined(said.chain(calls).chain(results).chain(&self.errors).chain(notes).chain(unread), '\n')
    }
}

impl<T> Call<T> {
    fn map<U>(self, convert: &mut impl FnMut(T) -> U) -> Call<U> {
        Call {
            id: self.id,
            tool: self.tool,
            kind: self.kind,
            command: self.command.map(&mut *convert),
            input: self.input.map(&mut *convert),
            paths: self.paths.into_iter().map(&mut *convert).collect(),
            cwd: self.cwd.map(&mut *convert),
            changes: self.changes.into_iter().map(|change| change.map(convert)).collect(),
            raw_input: None,
            result: self.result.map(|result| Box::new(result.map(convert))),
        }
    }
}

impl<T> Change<T> {
    fn map<U>(self, convert: &mut impl FnMut(T) -> U) -> Change<U> {
        Change {
            path: convert(self.path),
            operation: self.operation,
            before: self.before.map(&mut *convert),
            after: self.after.map(&mut *convert),
        }
    }
}

impl<T> CallResult<T> {
    fn map<U>(self, convert: &mut impl FnMut(T) -> U) -> CallResult<U> {
        CallResult {
            call: self.call,
            status: self.status,
            exit_code: self.exit_code,
            known: self.known,
            output: convert(self.output),
            at: self.at,
        }
    }
}

impl<T> About<T> {
    fn map<U>(self, convert: &mut impl FnMut(T) -> U) -> About<U> {
        About {
            title: self.title.map(&mut *convert),
            cwd: self.cwd.map(&mut *convert),
            branch: self.branch.map(&mut *convert),
            version: self.version.map(&mut *convert),
            model: self.model.map(&mut *convert),
            agent: self.agent.map(&mut *convert),
            parent: self.parent.map(&mut *convert),
            subagent: self.subagent.map(&mut *convert),
            subagent_id: self.subagent_id,
            machine: self.machine.map(&mut *convert),
            started: self.started,
        }
    }
}
