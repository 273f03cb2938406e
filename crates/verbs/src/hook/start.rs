//! A session that starts, resumes or was compacted is told the lessons of its project again.

use std::path::PathBuf;

use serde_json::{Value, json};

use super::{Agent, HookReply, field, filled};
use crate::lessons;
use crate::workspace::WorkspaceRequest;

/// The working directory of a session that begins; `None` for any other event.
pub(super) fn of(agent: Agent, event: &Value) -> Option<PathBuf> {
    let name = event.get("hook_event_name").and_then(Value::as_str);
    let begins = match agent {
        Agent::Claude | Agent::Codex | Agent::Gemini => name == Some("SessionStart"),
        Agent::Cursor => name == Some("sessionStart"),
        // The camelCase payload has no name: only this event says where the session comes from.
        Agent::Copilot => match name {
            Some(name) => matches!(name, "SessionStart" | "sessionStart"),
            None => event.get("source").is_some_and(Value::is_string) && event.get("toolName").is_none(),
        },
        Agent::OpenCode => false,
    };
    let root = || event.get("workspace_roots")?.get(0)?.as_str().map(str::to_owned);
    begins.then(|| PathBuf::from(filled(field(event, "cwd")).or_else(root).unwrap_or_default()))
}

/// The lessons in the host's words; nothing where there are none.
pub(super) fn reply(agent: Agent, around: &WorkspaceRequest, cwd: PathBuf) -> HookReply {
    let cwd = if cwd.as_os_str().is_empty() { around.cwd.clone() } else { cwd };
    let Some(text) = lessons::for_session(around, &cwd) else { return HookReply::default() };
    HookReply::json(&match agent {
        Agent::Claude | Agent::Codex | Agent::Gemini | Agent::OpenCode => {
            json!({"hookSpecificOutput": {"hookEventName": "SessionStart", "additionalContext": text}})
        }
        Agent::Cursor => json!({"additional_context": text, "additionalContext": text}),
        Agent::Copilot => json!({"additionalContext": text}),
    })
}
