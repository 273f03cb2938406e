//! Transcripts of agents, and plain lists of commands.
//!
//! No agent promises a stable schema, so each field is optional, and a record
//! that cannot be parsed is kept as an issue with its place, never dropped.
//! A reader gives [`Entry`](coroner_model::entry::Entry)s; what is recorded is made of
//! them, and so are the sessions that judges see.

mod aider;
mod assemble;
pub mod batch;
mod claude;
mod codex;
mod copilot;
mod cursor;
pub mod cursor_ide;
mod gemini;
mod neutral;
pub mod opencode;
mod plain;
mod recognise;
pub mod tool;
mod whole;

use std::collections::{BTreeMap, BTreeSet};

use coroner_model::Document;
use coroner_model::entry::{About, Entry, RawPlace};
use coroner_model::session::{ParseIssue, Session};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use batch::{Batch, JsonLines};
pub use recognise::format;

/// Longest output of a call that is kept, in characters; the end of it matters most.
pub const OUTPUT_CHARS_MAX: usize = 8_000;

/// A format whose records stand in lines, and what its reader remembers of earlier lines.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LineReader {
    Claude(claude::Claude),
    Codex(codex::Codex),
    Copilot(copilot::Copilot),
    Cursor(cursor::Cursor),
    Gemini(gemini::Gemini),
    Neutral(neutral::Neutral),
}

impl LineReader {
    /// The agent that writes the format, as `--agent` names it.
    pub fn agent(&self) -> &'static str {
        match self {
            LineReader::Claude(_) => "claude",
            LineReader::Codex(_) => "codex",
            LineReader::Copilot(_) => "copilot",
            LineReader::Cursor(_) => "cursor",
            LineReader::Gemini(_) => "gemini",
            LineReader::Neutral(_) => "",
        }
    }

    /// Reads one line that is not blank.
    pub fn line(&mut self, text: &str, raw: RawPlace, batch: &mut Batch) {
        let reader: &mut dyn JsonLines = match self {
            LineReader::Claude(reader) => reader,
            LineReader::Codex(reader) => reader,
            LineReader::Copilot(reader) => reader,
            LineReader::Cursor(reader) => reader,
            LineReader::Gemini(reader) => reader,
            LineReader::Neutral(reader) => reader,
        };
        batch::line(reader, text, raw, batch);
    }
}

/// A format that can be read only as a whole: one JSON document, or text whose parts span lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WholeReader {
    AiderChat,
    AiderInput,
    Codex,
    CursorText,
    Gemini,
}

impl WholeReader {
    /// The agent that writes the format, as `--agent` names it.
    pub fn agent(self) -> &'static str {
        match self {
            WholeReader::AiderChat | WholeReader::AiderInput => "aider",
            WholeReader::Codex => "codex",
            WholeReader::CursorText => "cursor",
            WholeReader::Gemini => "gemini",
        }
    }

    /// Reads a file of that name, without folder and extension.
    pub fn read(self, stem: &str, text: &str) -> Batch {
        match self {
            WholeReader::AiderChat => aider::chat(stem, text),
            WholeReader::AiderInput => aider::input(stem, text),
            WholeReader::Codex => codex::whole(stem, text),
            WholeReader::CursorText => cursor::whole(stem, text),
            WholeReader::Gemini => gemini::whole(stem, text),
        }
    }
}

/// How a file is to be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Format {
    Lines(LineReader),
    Whole(WholeReader),
    /// A list of commands.
    Commands,
    /// What stands beside a subagent's transcript and says what it is.
    Meta,
    /// Not a transcript, and why.
    Unknown(&'static str),
}

/// Reads what stands beside a subagent's transcript and says what kind it is.
pub fn meta(path: &str, text: &str) -> Batch {
    let mut batch = Batch::default();
    batch.counts.lines = 1;
    let raw = RawPlace { offset: 0, len: text.len() as u64, line: 1 };
    // `…/<session>/subagents/agent-<id>.meta.json`
    let mut folders = path.rsplit('/').skip(1);
    let session = folders.find(|folder| *folder != "subagents").unwrap_or("").to_owned();
    match claude::meta(stem(path).trim_end_matches(".meta"), text) {
        Some((subagent, kind)) => {
            let about = About { subagent: Some(kind), ..About::default() };
            batch.add(Entry { session, subagent, raw, about: Some(Box::new(about)), ..Entry::default() });
        }
        None => batch.issue(Entry { session, raw, ..Entry::default() }, "says no kind of a subagent", text),
    }
    batch
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
    let mut forks = BTreeSet::new();
    for document in documents {
        let text = document.text.as_str();
        match format(&document.path, text) {
            Format::Meta => kinds.extend(claude::meta(stem(&document.path).trim_end_matches(".meta"), text)),
            Format::Lines(mut reader) => {
                let mut batch = lines(&mut reader, text, document.first_line.max(1));
                if let LineReader::Gemini(_) = reader {
                    batch.entries = gemini::settled(batch.entries);
                }
                if batch.entries.iter().any(|entry| entry.about.as_ref().is_some_and(|a| a.parent.is_some())) {
                    forks.insert(document.path.clone());
                }
                sessions.extend(assemble::sessions(document, reader.agent(), batch, &mut kinds));
            }
            Format::Whole(reader) => {
                let mut batch = reader.read(stem(&document.path), text);
                let lines_before = document.first_line.max(1) - 1;
                batch.entries.iter_mut().for_each(|entry| entry.raw.line += lines_before);
                for run in runs(batch) {
                    sessions.extend(assemble::sessions(document, reader.agent(), run, &mut kinds));
                }
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
    drop_copies(&mut sessions, &forks);
    sessions
}

/// What was read, one batch a session: one file may hold all runs of an agent.
fn runs(batch: Batch) -> Vec<Batch> {
    let mut runs: Vec<Batch> = Vec::new();
    for entry in batch.entries {
        match runs.last_mut() {
            Some(run) if run.entries.first().is_some_and(|first| first.session == entry.session) => {
                run.entries.push(entry);
            }
            _ => runs.push(Batch { entries: vec![entry], ..Batch::default() }),
        }
    }
    if runs.is_empty() {
        runs.push(Batch::default());
    }
    runs[0].issues = batch.issues;
    runs
}

fn subagent_id(session: &Session) -> &str {
    session.subagent.as_ref().map_or("", |s| &s.id)
}

/// Calls that a resumed or forked session repeats stay with the session that made them.
///
/// Codex says which of its files are `forks`; Claude Code does not.
fn drop_copies(sessions: &mut [Session], forks: &BTreeSet<String>) {
    let mut seen: BTreeSet<(String, String)> = BTreeSet::new();
    for session in sessions.iter_mut().filter(|s| matches!(s.agent.as_str(), "claude" | "codex")) {
        let may_repeat = session.agent == "claude" || forks.contains(&session.path);
        session.calls.retain(|call| {
            let id = call.id.as_str();
            id.is_empty() || seen.insert((id.to_owned(), call.input.to_string())) || !may_repeat
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

/// File name without folder and last extension, that of a compressed file not counted.
pub fn stem(path: &str) -> &str {
    let name = path.rsplit('/').next().unwrap_or(path);
    let name = name.strip_suffix(".zst").unwrap_or(name);
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
