//! Claude Code: a JSON decision; some versions ignored it, so a denial is also exit 2.

use serde_json::{Value, json};

use super::{Event, HookReply, Say, call_before, field};

pub(super) fn read(event: &Value) -> Event {
    if event.get("hook_event_name").and_then(Value::as_str) == Some("ConfigChange") {
        return Event::Settings { cwd: field(event, "cwd"), path: field(event, "file_path") };
    }
    call_before(event, "PreToolUse", "claude")
}

pub(super) fn say(what: Say) -> HookReply {
    match what {
        Say::Allow => HookReply::default(),
        Say::Note(text) => HookReply::json(&note(&text)),
        Say::Ask(reason) | Say::Failed(reason) => HookReply::json(&decision("ask", &reason)),
        Say::Deny(reason) => {
            HookReply { stderr: format!("{reason}\n"), exit: 2, ..HookReply::json(&decision("deny", &reason)) }
        }
    }
}

/// The decision before a tool runs, as Codex reads it too.
pub(super) fn decision(permission: &str, reason: &str) -> Value {
    json!({"hookSpecificOutput": {
        "hookEventName": "PreToolUse",
        "permissionDecision": permission,
        "permissionDecisionReason": reason,
    }})
}

/// Words beside a call that runs.
pub(super) fn note(text: &str) -> Value {
    json!({"hookSpecificOutput": {"hookEventName": "PreToolUse", "additionalContext": text}})
}
