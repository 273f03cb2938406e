//! A person is about to be asked: what the guard denies is denied for them, about anything else they decide.

use coroner_model::permission::{Permission, PermissionAnswer};
use serde_json::json;

use super::{HookReply, Say, said};

/// The denial in the words of Claude Code and Codex; nothing else is said.
pub(super) fn reply(answer: PermissionAnswer) -> HookReply {
    if answer.permission != Permission::Deny {
        return HookReply::default();
    }
    let Say::Deny(reason) = said(&answer) else { return HookReply::default() };
    HookReply::json(&json!({"hookSpecificOutput": {
        "hookEventName": "PermissionRequest",
        "decision": {"behavior": "deny", "message": reason},
    }}))
}
