//! Claude Code transcripts (JSON Lines), of both layouts, subagents included.

use std::collections::BTreeMap;

use coroner_model::session::{CallStatus, Message, ParseIssue, Role, Session, Subagent, ToolCall};
use coroner_model::{Document, ToolCallId};
use serde_json::Value;

/// Kinds of subagents by their id.
pub type Kinds = BTreeMap<String, String>;

/// Reads what stands beside a subagent's transcript: `agent-<id>.meta.json`.
pub fn meta(document: &Document, kinds: &mut Kinds) {
    let Ok(value) = serde_json::from_str::<Value>(document.text.as_str()) else { return };
    let name = document.path.rsplit('/').next().unwrap_or("");
    let from_name = name.strip_prefix("agent-").and_then(|n| n.strip_suffix(".meta.json")).unwrap_or("");
    let id = value.get("agentId").and_then(Value::as_str).unwrap_or(from_name);
    let kind = ["agentType", "subagent_type", "subagentType", "agentName", "name", "type"]
        .iter()
        .find_map(|key| value.get(*key).and_then(Value::as_str));
    if let Some(kind) = kind.filter(|_| !id.is_empty()) {
        kinds.insert(id.to_owned(), kind.to_owned());
    }
}

/// Reads one file: the session's own lines, and those of each subagent in it.
pub fn read(document: &Document, kinds: &mut Kinds) -> Vec<Session> {
    let mut file = File { document, sessions: BTreeMap::new(), places: BTreeMap::new(), tasks: BTreeMap::new() };
    let mut issues = Vec::new();
    let mut offset = 0;
    for (index, line) in document.text.as_str().split_inclusive('\n').enumerate() {
        if !line.trim().is_empty() {
            match serde_json::from_str::<Value>(line) {
                Ok(record) => file.add(&record, index as u64 + document.first_line.max(1), kinds),
                Err(error) => issues.push(ParseIssue {
                    path: document.path.clone(),
                    offset,
                    length: line.len() as u64,
                    reason: error.to_string(),
                }),
            }
        }
        offset += line.len() as u64;
    }
    let mut sessions: Vec<Session> = file.sessions.into_values().collect();
    if sessions.is_empty() {
        sessions.push(Session { id: super::stem(&document.path).into(), ..new_session(document, "") });
    }
    if let Some(first) = sessions.first_mut() {
        first.issues = issues;
    }
    sessions
}

fn new_session(document: &Document, agent_id: &str) -> Session {
    Session {
        agent: "claude".to_owned(),
        path: document.path.clone(),
        subagent: (!agent_id.is_empty()).then(|| Subagent { id: agent_id.to_owned(), kind: String::new() }),
        ..Session::default()
    }
}

struct File<'a> {
    document: &'a Document,
    /// By subagent id; the session itself under "".
    sessions: BTreeMap<String, Session>,
    /// Where each call lies: subagent id and index.
    places: BTreeMap<String, (String, usize)>,
    /// Kind of subagent that each `Task` call asked for.
    tasks: BTreeMap<String, String>,
}

impl File<'_> {
    fn add(&mut self, record: &Value, line: u64, kinds: &mut Kinds) {
        let agent = self.agent_of(record);
        let session = self.sessions.entry(agent.clone()).or_insert_with(|| {
            let mut fresh = new_session(self.document, &agent);
            fresh.id = super::stem(&self.document.path).into();
            fresh
        });
        envelope(session, record, &agent);
        match record.get("type").and_then(Value::as_str).unwrap_or("") {
            "user" | "assistant" => self.add_message(&agent, record, line, kinds),
            "summary" => title(session, record.get("summary")),
            "custom-title" | "ai-title" => title(session, record.get("title").or_else(|| record.get("customTitle"))),
            "progress" => self.add_progress(record, kinds),
            _ => {}
        }
    }

    /// Which subagent a line belongs to; "" is the session itself.
    fn agent_of(&self, record: &Value) -> String {
        if let Some(id) = record.get("agentId").and_then(Value::as_str) {
            return id.to_owned();
        }
        let name = super::stem(&self.document.path);
        if let Some(id) = name.strip_prefix("agent-") {
            return id.to_owned();
        }
        // The oldest layout marks sidechain lines only; one subagent stands for all of them.
        if record.get("isSidechain").and_then(Value::as_bool) == Some(true) {
            "sidechain".to_owned()
        } else {
            String::new()
        }
    }

    fn add_message(&mut self, agent: &str, record: &Value, line: u64, kinds: &mut Kinds) {
        let assistant = record["type"] == "assistant";
        let content = record.pointer("/message/content").unwrap_or(&Value::Null);
        let mut texts = Vec::new();
        if let Some(text) = content.as_str() {
            texts.push(text);
        }
        for block in content.as_array().into_iter().flatten() {
            match block.get("type").and_then(Value::as_str).unwrap_or("") {
                "text" => texts.extend(block.get("text").and_then(Value::as_str)),
                "tool_use" => self.add_call(agent, record, block, line),
                "tool_result" => self.add_result(record, block, kinds),
                _ => {}
            }
        }
        let text = texts.join("\n");
        if text.trim().is_empty() {
            return;
        }
        let injected = record.get("isMeta").and_then(Value::as_bool) == Some(true)
            || record.get("isCompactSummary").and_then(Value::as_bool) == Some(true)
            || text.trim_start().starts_with('<');
        let role = match (assistant, injected) {
            (true, _) => Role::Assistant,
            (false, true) => Role::System,
            (false, false) => Role::User,
        };
        if let Some(session) = self.sessions.get_mut(agent) {
            let at = super::time(record.get("timestamp"));
            let id = super::id(record.get("uuid"));
            session.messages.push(Message { id, role, at, line, text: super::bounded(&text) });
        }
    }

    fn add_call(&mut self, agent: &str, record: &Value, block: &Value, line: u64) {
        let Some(session) = self.sessions.get_mut(agent) else { return };
        let input = block.get("input").cloned().unwrap_or(Value::Null);
        let tool = block.get("name").and_then(Value::as_str).unwrap_or("").to_owned();
        let id = super::id(block.get("id"));
        if let Some(kind) = input.get("subagent_type").and_then(Value::as_str) {
            self.tasks.insert(id.clone(), kind.to_owned());
        }
        let command = input.get("command").and_then(Value::as_str).filter(|_| tool == "Bash" || tool == "shell");
        self.places.insert(id.clone(), (agent.to_owned(), session.calls.len()));
        session.calls.push(ToolCall {
            id: ToolCallId(id),
            number: session.calls.len() as u64 + 1,
            tool,
            command: command.map(str::to_owned),
            cwd: record.get("cwd").and_then(Value::as_str).unwrap_or(&session.cwd).to_owned(),
            at: super::time(record.get("timestamp")),
            line,
            input,
            ..ToolCall::default()
        });
    }

    fn add_result(&mut self, record: &Value, block: &Value, kinds: &mut Kinds) {
        let id = super::id(block.get("tool_use_id"));
        let structured = record.get("toolUseResult").unwrap_or(&Value::Null);
        if let Some(kind) = self.tasks.get(&id) {
            let agent = structured.get("agentId").and_then(Value::as_str).unwrap_or("sidechain");
            kinds.entry(agent.to_owned()).or_insert_with(|| kind.clone());
        }
        let Some((agent, index)) = self.places.get(&id) else { return };
        let Some(call) = self.sessions.get_mut(agent).and_then(|s| s.calls.get_mut(*index)) else { return };
        let text = result_text(block.get("content"));
        let is_error = block.get("is_error").and_then(Value::as_bool) == Some(true);
        call.ended = super::time(record.get("timestamp"));
        (call.status, call.exit_code) = outcome(call, &text, is_error, structured);
        call.output = super::bounded(&text);
    }

    /// Progress of a subagent links its id to the `Task` call that started it.
    fn add_progress(&mut self, record: &Value, kinds: &mut Kinds) {
        let agent = record.pointer("/data/agentId").and_then(Value::as_str);
        let parent = record.get("parentToolUseID").or_else(|| record.get("toolUseID")).and_then(Value::as_str);
        if let (Some(agent), Some(kind)) = (agent, parent.and_then(|p| self.tasks.get(p))) {
            kinds.entry(agent.to_owned()).or_insert_with(|| kind.clone());
        }
    }
}

/// Takes from a line what it says of its session.
fn envelope(session: &mut Session, record: &Value, agent: &str) {
    if let Some(id) = record.get("sessionId").and_then(Value::as_str) {
        // A resumed file carries the new id on every line; lines of other sessions lose.
        if session.started.is_none() || !agent.is_empty() {
            session.id = id.into();
        }
    }
    if session.cwd.is_empty()
        && let Some(cwd) = record.get("cwd").and_then(Value::as_str)
    {
        session.cwd = cwd.to_owned();
    }
    if let Some(at) = super::time(record.get("timestamp")) {
        session.started = Some(session.started.map_or(at, |s| s.min(at)));
        session.ended = Some(session.ended.map_or(at, |e| e.max(at)));
    }
}

fn title(session: &mut Session, value: Option<&Value>) {
    if let Some(text) = value.and_then(Value::as_str) {
        session.title = text.to_owned();
    }
}

/// The text of a result: a string, or the text blocks of a list.
fn result_text(content: Option<&Value>) -> String {
    match content {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(blocks)) => {
            let texts: Vec<&str> = blocks.iter().filter_map(|b| b.get("text").and_then(Value::as_str)).collect();
            texts.join("\n")
        }
        _ => String::new(),
    }
}

/// What became of a call. There is no field for it: the flags and the first words say.
fn outcome(call: &ToolCall, text: &str, is_error: bool, structured: &Value) -> (CallStatus, Option<i64>) {
    let start = text.trim_start();
    let refused_by_person = structured.as_str().is_some_and(|s| s.contains("User rejected tool use"))
        || is_error && start.starts_with("The user doesn't want to");
    let refused_by_hook = is_error
        && (start.starts_with("PreToolUse:")
            || start.starts_with("Hook PreToolUse")
            || start.contains("operation blocked by hook"));
    let refused_by_tool = start.starts_with("<tool_use_error>") && (is_error || structured.is_string());
    let refused_by_rule = is_error && start.starts_with("Permission to use") && start.contains("has been denied");
    if refused_by_person || refused_by_hook || refused_by_tool || refused_by_rule {
        return (CallStatus::Rejected, None);
    }
    if structured.get("interrupted").and_then(Value::as_bool) == Some(true) || start.starts_with("[Request interrupted")
    {
        return (CallStatus::Interrupted, None);
    }
    let background = structured.get("backgroundTaskId").is_some()
        || call.input.get("run_in_background").and_then(Value::as_bool) == Some(true);
    if background && !is_error {
        return (CallStatus::Background, None);
    }
    let named = start
        .strip_prefix("Error: ")
        .unwrap_or(start)
        .strip_prefix("Exit code ")
        .and_then(|rest| rest.split_whitespace().next()?.parse().ok());
    if is_error {
        return (CallStatus::Error, named);
    }
    let is_shell = call.command.is_some();
    let interpreted = structured.get("returnCodeInterpretation").is_some();
    (CallStatus::Ok, (is_shell && !interpreted).then_some(0))
}
