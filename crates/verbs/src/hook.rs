//! `hook`: speaks an agent's own protocol and answers with the guard's permission.
//!
//! Only exit 2 with words on the standard error, or the JSON decision, blocks;
//! everything else lets the call run, so a failure of our own asks.

use coroner_model::permission::{Permission, PermissionAnswer, PermissionRequest};
use serde_json::{Value, json};

use crate::guard::Guard;

/// Largest input that is read, in bytes.
pub const INPUT_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// What the agent is told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HookReply {
    /// One JSON object, or nothing: no opinion.
    pub stdout: String,
    pub stderr: String,
    pub exit: u8,
}

/// Answers one event of Claude Code; `guard` is opened only for an event that needs it.
pub fn claude<E: std::fmt::Display>(input: &[u8], guard: impl FnOnce() -> Result<Guard, E>) -> HookReply {
    let text = String::from_utf8_lossy(input);
    let Ok(event) = serde_json::from_str::<Value>(text.trim()) else {
        return ask("Coroner could not read what the hook was given; have a person look at the call.");
    };
    let Some(name) = event.get("hook_event_name").and_then(Value::as_str) else {
        return ask("Coroner was given an event without a name; have a person look at the call.");
    };
    let garbled = std::str::from_utf8(input).is_err();
    if name != "PreToolUse" && !(garbled && name.contains('\u{fffd}')) {
        return HookReply::default();
    }
    if garbled {
        return ask("The tool call holds bytes that are no text; have a person look at it.");
    }
    let Some(tool) = event.get("tool_name").and_then(Value::as_str) else {
        return ask("Coroner was given a tool call without a tool; have a person look at it.");
    };
    let field = |name: &str| event.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let request = PermissionRequest {
        tool: Some(tool.to_owned()),
        input: event.get("tool_input").cloned().unwrap_or(Value::Null),
        cwd: field("cwd"),
        session: Some(field("session_id")).filter(|s| !s.is_empty()),
        agent: Some("claude".to_owned()),
        ..PermissionRequest::default()
    };
    match guard() {
        Ok(mut guard) => {
            let transcript = Some(field("transcript_path")).filter(|t| !t.is_empty());
            reply(&guard.judge_with(request, transcript.as_deref()))
        }
        Err(error) => ask(&format!("Coroner could not be opened: {error}")),
    }
}

/// The guard's answer in the words of the protocol.
fn reply(answer: &PermissionAnswer) -> HookReply {
    match answer.permission {
        Permission::Deny => {
            HookReply { stdout: decision("deny", &full(answer)), stderr: format!("{}\n", full(answer)), exit: 2 }
        }
        Permission::Ask => ask(&full(answer)),
        Permission::Allow if !answer.findings.is_empty() => {
            let notes: Vec<&str> = answer.findings.iter().map(|f| f.reason.as_str()).collect();
            let output =
                json!({"hookSpecificOutput": {"hookEventName": "PreToolUse", "additionalContext": notes.join("\n")}});
            HookReply { stdout: output.to_string(), ..HookReply::default() }
        }
        Permission::Allow => HookReply::default(),
    }
}

/// A reason is never empty: an empty one does not block.
fn full(answer: &PermissionAnswer) -> String {
    if answer.reason.is_empty() {
        "Coroner has no reason to give; have a person look at it.".to_owned()
    } else {
        answer.reason.clone()
    }
}

/// Lets a person decide.
pub fn ask(reason: &str) -> HookReply {
    HookReply { stdout: decision("ask", reason), ..HookReply::default() }
}

fn decision(permission: &str, reason: &str) -> String {
    json!({"hookSpecificOutput": {
        "hookEventName": "PreToolUse",
        "permissionDecision": permission,
        "permissionDecisionReason": reason,
    }})
    .to_string()
}
