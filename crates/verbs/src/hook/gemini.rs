//! Gemini CLI: `decision` and `reason`; there is no ask, and nothing but JSON may be printed.

use coroner_model::permission::PermissionRequest;
use serde_json::{Value, json};

use super::{Event, HookReply, Say, ask_the_operator, call_before};

pub(super) fn read(event: &Value) -> Event {
    match call_before(event, "BeforeTool", "gemini") {
        Event::Call { mut request, transcript } => {
            into_directory(&mut request);
            Event::Call { request, transcript }
        }
        other => other,
    }
}

/// The shell tool may name a folder of its own, relative to the project.
fn into_directory(request: &mut PermissionRequest) {
    let directory = request.input.get("directory").and_then(Value::as_str).unwrap_or_default();
    if directory.starts_with('/') {
        request.cwd = directory.to_owned();
    } else if !directory.is_empty() {
        request.cwd = format!("{}/{directory}", request.cwd.trim_end_matches('/'));
    }
}

pub(super) fn say(what: Say) -> HookReply {
    HookReply::json(&match what {
        Say::Allow => json!({}),
        Say::Note(text) => json!({"systemMessage": text}),
        Say::Ask(reason) => json!({"decision": "deny", "reason": ask_the_operator(&reason)}),
        Say::Deny(reason) | Say::Failed(reason) => json!({"decision": "deny", "reason": reason}),
    })
}
