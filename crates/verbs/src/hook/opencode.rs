//! OpenCode has no hooks that run a program: the plugin that comes with Coroner gives what it
//! was called with as one JSON object, and throws the reason of every answer that is no allow.
//! Before the first request of a session it asks for the lessons, which go into the system text.

use coroner_model::permission::PermissionRequest;
use serde_json::{Value, json};

use super::{Event, HookReply, Say, ask_the_operator, field, filled};

/// The plugin's source.
pub const PLUGIN: &str = include_str!("opencode/coroner.js");

/// The plugin's word for a session whose system text is made.
pub(super) const SYSTEM: &str = "experimental.chat.system.transform";

pub(super) fn read(event: &Value) -> Event {
    if event.get("hook_event_name").and_then(Value::as_str).is_some_and(|name| name != "tool.execute.before") {
        return Event::Other(HookReply::default());
    }
    let Some(tool) = event.get("tool").and_then(Value::as_str) else {
        return Event::Unreadable("Coroner was given a tool call without a tool; have a person look at it.".to_owned());
    };
    let arguments = event.get("args").cloned().unwrap_or(Value::Null);
    let work = arguments.get("workdir").and_then(Value::as_str).unwrap_or_default().to_owned();
    let directory = filled(field(event, "directory")).unwrap_or_else(|| field(event, "worktree"));
    let cwd = match work.as_str() {
        "" => directory,
        absolute if absolute.starts_with('/') => work,
        relative => format!("{}/{relative}", directory.trim_end_matches('/')),
    };
    let request = PermissionRequest {
        tool: Some(tool.to_owned()),
        input: arguments,
        cwd,
        session: filled(field(event, "sessionID")),
        agent: Some("opencode".to_owned()),
        ..PermissionRequest::default()
    };
    Event::Call { request: Box::new(request), transcript: None }
}

pub(super) fn say(what: Say) -> HookReply {
    HookReply::json(&match what {
        Say::Allow => json!({"permission": "allow"}),
        Say::Note(text) => json!({"permission": "allow", "note": text}),
        Say::Ask(reason) => json!({"permission": "deny", "reason": ask_the_operator(&reason)}),
        Say::Deny(reason) | Say::Failed(reason) => json!({"permission": "deny", "reason": reason}),
    })
}
