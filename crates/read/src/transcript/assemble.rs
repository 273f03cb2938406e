//! Sessions as judges see them, put together from entries.

use std::collections::BTreeMap;

use coroner_model::entry::{CallResult, Entry, Origin};
use coroner_model::session::{CallStatus, Message, ParseIssue, Role, Session, Subagent, ToolCall};
use coroner_model::{Document, SessionId, ToolCallId};
use serde_json::Value;

use super::batch::Batch;
use super::bounded;

/// The sessions of one transcript: its own, and one for each subagent in it.
pub(super) fn sessions(
    document: &Document,
    agent: &str,
    batch: Batch,
    kinds: &mut BTreeMap<String, String>,
) -> Vec<Session> {
    let mut file = File { document, agent, sessions: BTreeMap::new(), places: BTreeMap::new() };
    for entry in batch.entries {
        file.add(entry, kinds);
    }
    let mut sessions: Vec<Session> = file.sessions.into_values().collect();
    if sessions.is_empty() {
        sessions.push(new_session(document, agent, ""));
    }
    let issue = |issue: super::batch::Issue| ParseIssue {
        path: document.path.clone(),
        offset: issue.raw.offset,
        length: issue.raw.len,
        reason: issue.reason,
    };
    if let Some(first) = sessions.first_mut() {
        first.issues = batch.issues.into_iter().map(issue).collect();
    }
    sessions
}

fn new_session(document: &Document, agent: &str, subagent: &str) -> Session {
    Session {
        id: super::stem(&document.path).into(),
        agent: agent.to_owned(),
        path: document.path.clone(),
        subagent: (!subagent.is_empty()).then(|| Subagent { id: subagent.to_owned(), kind: String::new() }),
        ..Session::default()
    }
}

struct File<'a> {
    document: &'a Document,
    agent: &'a str,
    /// By subagent id; the session itself under "".
    sessions: BTreeMap<String, Session>,
    /// Where each call lies: subagent id and index.
    places: BTreeMap<String, (String, usize)>,
}

impl File<'_> {
    fn add(&mut self, entry: Entry, kinds: &mut BTreeMap<String, String>) {
        let subagent = entry.subagent.clone();
        let is_first = !self.sessions.contains_key(&subagent);
        let session =
            self.sessions.entry(subagent.clone()).or_insert_with(|| new_session(self.document, self.agent, &subagent));
        if !entry.session.is_empty() && (is_first || session.started.is_none() || !subagent.is_empty()) {
            session.id = SessionId(entry.session.clone());
        }
        if let Some(at) = entry.at {
            session.started = Some(session.started.map_or(at, |s| s.min(at)));
            session.ended = Some(session.ended.map_or(at, |e| e.max(at)));
        }
        if let Some(about) = entry.about {
            if let (Some(kind), id) = (&about.subagent, about.subagent_id.as_ref().unwrap_or(&subagent)) {
                kinds.entry(id.clone()).or_insert_with(|| kind.clone());
            }
            if let Some(title) = about.title {
                session.title = title;
            }
            if let Some(cwd) = about.cwd.filter(|_| session.cwd.is_empty()) {
                session.cwd = cwd;
            }
            if let Some(agent) = about.agent {
                session.agent = agent;
            }
            session.started = session.started.or(about.started);
        }
        let line = entry.raw.line;
        if let Some(said) = entry.message.filter(|said| !said.text.trim().is_empty()) {
            let role =
                if said.origin == Origin::Injected && said.role == Role::User { Role::System } else { said.role };
            session.messages.push(Message { id: entry.id, role, at: entry.at, line, text: bounded(&said.text) });
        }
        for call in entry.calls {
            self.call(&subagent, call, entry.at, line);
        }
        for result in entry.results {
            self.result(&result);
        }
    }

    fn call(&mut self, subagent: &str, call: coroner_model::entry::Call, at: Option<jiff::Timestamp>, line: u64) {
        let Some(session) = self.sessions.get_mut(subagent) else { return };
        let result = call.result.clone();
        let id = call.id.clone();
        self.places.insert(id.clone(), (subagent.to_owned(), session.calls.len()));
        session.calls.push(ToolCall {
            id: ToolCallId(id.clone()),
            number: session.calls.len() as u64 + 1,
            tool: call.tool.clone(),
            command: call.command.clone(),
            cwd: call.cwd.clone().unwrap_or_else(|| session.cwd.clone()),
            at,
            line,
            input: call.raw_input.unwrap_or(Value::Null),
            ..ToolCall::default()
        });
        if let Some(result) = result {
            self.result(&result);
        }
    }

    fn result(&mut self, result: &CallResult) {
        let Some((subagent, index)) = self.places.get(&result.call) else { return };
        let Some(call) = self.sessions.get_mut(subagent).and_then(|s| s.calls.get_mut(*index)) else { return };
        // What ran in the background goes on with what it gave before.
        call.output = if call.status == CallStatus::Background && !call.output.is_empty() {
            bounded(&format!("{}\n{}", call.output, result.output))
        } else {
            bounded(&result.output)
        };
        call.ended = result.at;
        call.status = result.status;
        call.exit_code = result.exit_code;
    }
}
