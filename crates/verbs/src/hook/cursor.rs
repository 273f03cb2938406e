//! Cursor: `permission` with a message for the person and one for the model, in both spellings
//! that versions read; the command of a shell call lies at the top of the event.

use coroner_model::permission::PermissionRequest;
use serde_json::{Value, json};

use super::{Event, HookReply, Say, field, filled, input, name};

pub(super) fn read(event: &Value) -> Event {
    let tool = match name(event) {
        Ok("beforeShellExecution") => None,
        Ok("beforeMCPExecution" | "preToolUse") => Some("tool_name"),
        Ok("beforeReadFile") => return read_file(event),
        Ok("beforeSubmitPrompt") => return Event::Other(HookReply::json(&json!({"continue": true}))),
        Ok(_) => return Event::Other(HookReply::default()),
        Err(unreadable) => return unreadable,
    };
    let mut request = PermissionRequest {
        cwd: cwd(event),
        session: filled(field(event, "conversation_id")),
        agent: Some("cursor".to_owned()),
        ..PermissionRequest::default()
    };
    match tool {
        None => match event.get("command").and_then(Value::as_str) {
            Some(command) => request.command = Some(command.to_owned()),
            None => return Event::Unreadable("Coroner was given a shell call without a command.".to_owned()),
        },
        Some(key) => match event.get(key).and_then(Value::as_str) {
            Some(tool) => {
                request.tool = Some(tool.to_owned());
                request.input = input(event, "tool_input");
            }
            None => return Event::Unreadable("Coroner was given a tool call without a tool.".to_owned()),
        },
    }
    Event::Call { request: Box::new(request), transcript: filled(field(event, "transcript_path")) }
}

/// A file that the model is about to be shown.
fn read_file(event: &Value) -> Event {
    let Some(path) = event.get("file_path").and_then(Value::as_str) else {
        return Event::Unreadable("Coroner was given a file to read without its name.".to_owned());
    };
    let request = PermissionRequest {
        tool: Some("read_file".to_owned()),
        input: json!({ "file_path": path }),
        cwd: cwd(event),
        session: filled(field(event, "conversation_id")),
        agent: Some("cursor".to_owned()),
        ..PermissionRequest::default()
    };
    Event::Call { request: Box::new(request), transcript: filled(field(event, "transcript_path")) }
}

/// The folder of the call, else the first of the workspace.
fn cwd(event: &Value) -> String {
    let root = || event.get("workspace_roots")?.get(0)?.as_str().map(str::to_owned);
    filled(field(event, "cwd")).or_else(root).unwrap_or_default()
}

pub(super) fn say(what: Say) -> HookReply {
    let told = |permission: &str, reason: &str| {
        json!({
            "permission": permission,
            "user_message": reason, "agent_message": reason,
            "userMessage": reason, "agentMessage": reason,
        })
    };
    HookReply::json(&match what {
        Say::Allow => json!({"permission": "allow"}),
        Say::Note(text) => json!({"permission": "allow", "agent_message": text, "agentMessage": text}),
        Say::Ask(reason) | Say::Failed(reason) => told("ask", &reason),
        Say::Deny(reason) => told("deny", &reason),
    })
}
