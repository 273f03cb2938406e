//! Transcripts of agents, and plain lists of commands.
//!
//! No agent promises a stable schema, so each field is optional, and a record
//! that cannot be parsed is kept as an issue with its place, never dropped.
//! A reader gives [`Entry`](coroner_model::entry::Entry)s; what is recorded is made of
//! them, and so are the sessions that judges see.

mod assemble;
pub mod batch;
mod claude;
pub mod cursor_ide;
mod neutral;
pub mod opencode;
mod plain;
pub mod tool;

use std::collections::{BTreeMap, BTreeSet};

use coroner_model::Document;
use coroner_model::entry::RawPlace;
use coroner_model::session::{ParseIssue, Session};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use batch::{Batch, JsonLines};

/// Longest output of a call that is kept, in characters; the end of it matters most.
pub const OUTPUT_CHARS_MAX: usize = 8_000;
/// Most records looked at to recognise a format.
const RECORDS_LOOKED_AT_MAX: usize = 50;

/// A format whose records stand in lines, and what its reader remembers of earlier lines.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LineReader {
    Claude(claude::Claude),
    Neutral(neutral::Neutral),
}

impl LineReader {
    /// The agent that writes the format, as `--agent` names it.
    pub fn agent(&self) -> &'static str {
        match self {
            LineReader::Claude(_) => "claude",
            LineReader::Neutral(_) => "",
        }
    }

    /// Reads one line that is not blank.
    pub fn line(&mut self, text: &str, raw: RawPlace, batch: &mut Batch) {
        let reader: &mut dyn JsonLines = match self {
            LineReader::Claude(reader) => reader,
            LineReader::Neutral(reader) => reader,
        };
        batch::line(reader, text, raw, batch);
    }
}

/// How a file is to be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Format {
    Lines(LineReader),
    /// A list of commands.
    Commands,
    /// What stands beside a subagent's transcript and says what it is.
    Meta,
    /// Not a transcript, and why.
    Unknown(&'static str),
}

/// The format of a file by its beginning, the name being a hint only where there is no content.
pub fn format(path: &str, beginning: &str) -> Format {
    let (name, stem) = (path.rsplit('/').next().unwrap_or(""), stem(path));
    if name.ends_with(".meta.json") {
        return Format::Meta;
    }
    if name.ends_with(".txt") {
        return Format::Commands;
    }
    let records = beginning.lines().filter(|l| !l.trim().is_empty()).take(RECORDS_LOOKED_AT_MAX);
    let mut records = records.filter_map(|l| serde_json::from_str::<Value>(l).ok());
    let Some(first) = records.next() else {
        return if beginning.trim().is_empty() || name.ends_with(".jsonl") {
            Format::Lines(LineReader::Claude(claude::Claude::new(stem)))
        } else {
            Format::Unknown("no JSON lines")
        };
    };
    if first.get("schema").and_then(Value::as_str) == Some("coroner/session/v1") {
        return Format::Lines(LineReader::Neutral(neutral::Neutral::new(stem)));
    }
    let claude = |v: &Value| {
        v.get("type").is_some() && v.get("payload").is_none() && v.get("data").is_none_or(|_| v["type"] == "progress")
    };
    if claude(&first) || records.any(|v| claude(&v)) {
        Format::Lines(LineReader::Claude(claude::Claude::new(stem)))
    } else {
        Format::Unknown("a format that is not known")
    }
}

/// Reads all lines of a text; `first_line` is the number of the first.
pub fn lines(reader: &mut LineReader, text: &str, first_line: u64) -> Batch {
    let mut batch = Batch::default();
    let mut offset = 0;
    for (index, line) in text.split_inclusive('\n').enumerate() {
        let bare = line.trim_end_matches(['\n', '\r']);
        if !bare.trim().is_empty() {
            let raw = RawPlace { offset, len: bare.len() as u64, line: index as u64 + first_line };
            reader.line(bare, raw, &mut batch);
        }
        offset += line.len() as u64;
    }
    batch
}

/// Reads all transcripts of a case: one session per transcript and per subagent.
///
/// They are read together because a subagent's kind stands in its parent's file
/// or in a file beside it, and because a resumed session repeats earlier lines.
pub fn read(documents: &[Document]) -> Vec<Session> {
    let mut kinds = BTreeMap::new();
    let mut sessions: Vec<Session> = Vec::new();
    for document in documents {
        let text = document.text.as_str();
        match format(&document.path, text) {
            Format::Meta => kinds.extend(claude::meta(stem(&document.path).trim_end_matches(".meta"), text)),
            Format::Lines(mut reader) => {
                let batch = lines(&mut reader, text, document.first_line.max(1));
                sessions.extend(assemble::sessions(document, reader.agent(), batch, &mut kinds));
            }
            Format::Commands => sessions.push(plain::read(document)),
            Format::Unknown(reason) => sessions.push(unreadable(document, reason)),
        }
    }
    for session in &mut sessions {
        if let Some(subagent) = &mut session.subagent
            && subagent.kind.is_empty()
            && let Some(kind) = kinds.get(&subagent.id)
        {
            subagent.kind.clone_from(kind);
        }
    }
    sessions.sort_by(|a, b| {
        (a.started, a.ended, &a.path, subagent_id(a)).cmp(&(b.started, b.ended, &b.path, subagent_id(b)))
    });
    drop_copies(&mut sessions);
    sessions
}

fn subagent_id(session: &Session) -> &str {
    session.subagent.as_ref().map_or("", |s| &s.id)
}

/// Calls that a resumed or forked session repeats stay with the session that made them.
fn drop_copies(sessions: &mut [Session]) {
    let mut seen: BTreeSet<(String, String)> = BTreeSet::new();
    for session in sessions.iter_mut().filter(|s| s.agent == "claude") {
        session.calls.retain(|call| {
            let id = call.id.as_str();
            id.is_empty() || seen.insert((id.to_owned(), call.input.to_string()))
        });
    }
}

fn unreadable(document: &Document, reason: &str) -> Session {
    let issue = ParseIssue {
        path: document.path.clone(),
        offset: 0,
        length: document.text.as_str().len() as u64,
        reason: reason.to_owned(),
    };
    Session { path: document.path.clone(), id: stem(&document.path).into(), issues: vec![issue], ..Session::default() }
}

/// File name without folder and last extension.
fn stem(path: &str) -> &str {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.rsplit_once('.').map_or(name, |(stem, _)| stem)
}

/// Keeps the beginning and the end of a long output.
fn bounded(text: &str) -> String {
    let count = text.chars().count();
    if count <= OUTPUT_CHARS_MAX {
        return text.to_owned();
    }
    let half = OUTPUT_CHARS_MAX / 2;
    let head: String = text.chars().take(half).collect();
    let tail: String = text.chars().skip(count - half).collect();
    format!("{head}\n[… {} characters left out …]\n{tail}", count - 2 * half)
}

/// The beginning of a text, cut between characters.
fn start(text: &str, bytes_max: usize) -> &str {
    &text[..text.floor_char_boundary(bytes_max)]
}

/// A time field: RFC 3339 text, or a number of seconds or milliseconds.
fn time(value: Option<&Value>) -> Option<jiff::Timestamp> {
    match value? {
        Value::String(text) => text.parse().ok().or_else(|| crate::log::line(text, None).at),
        Value::Number(number) => crate::log::epoch(number.as_f64()?),
        _ => None,
    }
}

/// An id that may be written as a string or a number.
fn id(value: Option<&Value>) -> String {
    match value {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Number(number)) => number.to_string(),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use coroner_model::session::CallStatus;
    use coroner_model::{ContentHash, Redactor};

    pub(super) fn document(path: &str, text: &str) -> Document {
        Document {
            path: path.into(),
            observed_at: None,
            host: String::new(),
            text: Redactor::new([0; 32]).redact(text),
            hash: ContentHash::sha256(text.as_bytes()),
            bytes_left_out: 0,
            first_line: 1,
        }
    }

    fn claude_call(id: &str, command: &str, extra: &str) -> String {
        format!(
            r#"{{"type":"assistant","sessionId":"s1","cwd":"/opt/a","timestamp":"2026-01-12T10:00:01Z","uuid":"u{id}",{extra}"message":{{"role":"assistant","content":[{{"type":"tool_use","id":"{id}","name":"Bash","input":{{"command":{command:?}}}}}]}}}}"#
        )
    }

    fn claude_result(id: &str, is_error: bool, text: &str, result: &str) -> String {
        format!(
            r#"{{"type":"user","sessionId":"s1","cwd":"/opt/a","timestamp":"2026-01-12T10:00:02Z","uuid":"r{id}","message":{{"role":"user","content":[{{"type":"tool_result","tool_use_id":"{id}","content":{text:?},"is_error":{is_error}}}]}},"toolUseResult":{result}}}"#
        )
    }

    #[test]
    fn what_became_of_a_call_is_read_from_its_result() {
        let lines = [
            claude_call("t1", "true", ""),
            claude_result("t1", false, "fine", r#"{"stdout":"fine","stderr":"","interrupted":false}"#),
            claude_call("t2", "false", ""),
            claude_result("t2", true, "Exit code 3\nboom", r#""Error: Exit code 3""#),
            claude_call("t3", "rm -rf /x", ""),
            claude_result(
                "t3",
                true,
                "The user doesn't want to proceed with this tool use.",
                r#""User rejected tool use""#,
            ),
            claude_call("t4", "sleep 9", ""),
            claude_result("t4", false, "", r#"{"stdout":"","stderr":"","interrupted":true}"#),
            claude_call("t5", "crash", ""),
            "not json at all".to_owned(),
        ];
        let sessions = read(&[document("sessions/s1.jsonl", &lines.join("\n"))]);
        let statuses: Vec<_> = sessions[0].calls.iter().map(|c| (c.status, c.exit_code)).collect();
        assert_eq!(
            statuses,
            [
                (CallStatus::Ok, Some(0)),
                (CallStatus::Error, Some(3)),
                (CallStatus::Rejected, None),
                (CallStatus::Interrupted, None),
                (CallStatus::Unknown, None),
            ]
        );
        assert_eq!(sessions[0].calls[1].line, 3);
        assert_eq!(sessions[0].calls[1].output, "Exit code 3\nboom");
        assert_eq!(sessions[0].issues.len(), 1);
    }

    #[test]
    fn a_subagent_is_a_session_of_its_own_that_knows_its_kind() {
        let parent = r#"{"type":"assistant","sessionId":"s1","timestamp":"2026-01-12T09:00:00Z","uuid":"a","message":{"content":[{"type":"tool_use","id":"task1","name":"Task","input":{"subagent_type":"deploy","prompt":"go"}}]}}
{"type":"user","sessionId":"s1","timestamp":"2026-01-12T11:00:00Z","uuid":"b","message":{"content":[{"type":"tool_result","tool_use_id":"task1","content":"done"}]},"toolUseResult":{"status":"completed","agentId":"ab12","content":[]}}"#;
        let child = claude_call("t9", "rsync -a --delete ./ /opt/a/", r#""isSidechain":true,"agentId":"ab12","#);
        let sessions =
            read(&[document("sessions/s1/subagents/agent-ab12.jsonl", &child), document("sessions/s1.jsonl", parent)]);
        let sub = sessions.iter().find(|s| s.subagent.is_some()).unwrap();
        assert_eq!((sub.id.as_str(), sub.subagent.as_ref().unwrap().kind.as_str()), ("s1", "deploy"));
        assert_eq!(sub.calls[0].command.as_deref(), Some("rsync -a --delete ./ /opt/a/"));
        // The older layout keeps the subagent's lines in the session's own file.
        let old = format!("{parent}\n{child}");
        let sessions = read(&[document("sessions/s1.jsonl", &old)]);
        assert_eq!(sessions.len(), 2);
        assert!(sessions.iter().any(|s| s.subagent.as_ref().is_some_and(|a| a.kind == "deploy") && s.calls.len() == 1));
    }

    #[test]
    fn a_resumed_session_does_not_repeat_its_calls() {
        let first = claude_call("t1", "make deploy", "");
        let copy = first.replace("\"s1\"", "\"s2\"");
        let more = claude_call("t2", "ls", "").replace("\"s1\"", "\"s2\"").replace("10:00:01", "12:00:01");
        let sessions =
            read(&[document("sessions/s2.jsonl", &format!("{copy}\n{more}\n")), document("sessions/s1.jsonl", &first)]);
        let calls: Vec<_> = sessions.iter().map(|s| (s.id.as_str(), s.calls.len())).collect();
        assert_eq!(calls, [("s1", 1), ("s2", 1)]);
    }

    #[test]
    fn neutral_sessions_and_lists_of_commands_are_read() {
        let neutral = "{\"schema\":\"coroner/session/v1\",\"session\":7,\"agent\":\"robot\",\"cwd\":\"/srv\"}\n{\"message\":1,\"role\":\"user\",\"text\":\"go\"}\n{\"tool_call\":2,\"tool\":\"shell\",\"command\":\"ls\",\"exit_code\":1,\"output\":\"no\",\"at\":\"2026-01-12T10:00:00Z\"}\n";
        let plain = "# tidy up\ncd /srv\n\nrm -rf build\n";
        let sessions = read(&[document("sessions/n.jsonl", neutral), document("sessions/c.txt", plain)]);
        let n = sessions.iter().find(|s| s.agent == "robot").unwrap();
        assert_eq!((n.id.as_str(), n.calls[0].status, n.calls[0].cwd.as_str()), ("7", CallStatus::Error, "/srv"));
        let c = sessions.iter().find(|s| s.path.ends_with("c.txt")).unwrap();
        assert_eq!(
            c.calls.iter().map(|c| (c.line, c.command.as_deref().unwrap())).collect::<Vec<_>>(),
            [(2, "cd /srv"), (4, "rm -rf build")]
        );
        assert_eq!(c.calls[1].cwd, "/srv");
    }
}
