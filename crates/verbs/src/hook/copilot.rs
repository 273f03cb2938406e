//! Copilot CLI: the spelling of the event in its settings selects the payload. `preToolUse`
//! gives camelCase fields and no name; `PreToolUse` gives the fields of Claude Code.

use coroner_model::permission::PermissionRequest;
use serde_json::{Value, json};

use super::{Event, HookReply, Say, call, field, filled, input};

pub(super) fn read(event: &Value) -> Event {
    match event.get("hook_event_name").and_then(Value::as_str) {
        Some("PreToolUse" | "preToolUse") if event.get("toolName").is_none() => call(event, "copilot"),
        Some("PreToolUse" | "preToolUse") | None => camel(event),
        Some(_) => Event::Other(HookReply::default()),
    }
}

/// The nameless payload: a call before it runs has a tool and no result yet.
fn camel(event: &Value) -> Event {
    let ran = ["toolResult", "error"].iter().any(|key| event.get(key).is_some());
    let other =
        ["prompt", "source", "reason", "initialPrompt", "stopReason", "agentName", "notificationType", "trigger"];
    match event.get("toolName").and_then(Value::as_str) {
        _ if ran => Event::Other(HookReply::default()),
        Some(tool) => Event::Call {
            request: Box::new(PermissionRequest {
                tool: Some(tool.to_owned()),
                input: input(event, "toolArgs"),
                cwd: field(event, "cwd"),
                session: filled(field(event, "sessionId")),
                agent: Some("copilot".to_owned()),
                ..PermissionRequest::default()
            }),
            transcript: filled(field(event, "transcriptPath")),
        },
        None if other.iter().any(|key| event.get(key).is_some()) => Event::Other(HookReply::default()),
        None => Event::Unreadable("Coroner was given a tool call without a tool; have a person look at it.".to_owned()),
    }
}

pub(super) fn say(what: Say) -> HookReply {
    let told = |permission: &str, reason: &str| {
        HookReply::json(&json!({"permissionDecision": permission, "permissionDecisionReason": reason}))
    };
    match what {
        Say::Allow => HookReply::default(),
        Say::Note(text) => HookReply::json(&json!({"additionalContext": text})),
        Say::Ask(reason) | Say::Failed(reason) => told("ask", &reason),
        Say::Deny(reason) => told("deny", &reason),
    }
}
