//! Codex: the fields of Claude Code, but `ask`, `allow` and every unknown key make the hook
//! fail, and a failed hook lets the call run. So: a denial with a reason, or nothing.

use serde_json::Value;

use super::claude::{decision, note};
use super::{Event, HookReply, Say, ask_the_operator, call_before};

pub(super) fn read(event: &Value) -> Event {
    call_before(event, "PreToolUse", "codex")
}

pub(super) fn say(what: Say) -> HookReply {
    match what {
        Say::Allow => HookReply::default(),
        Say::Note(text) => HookReply::json(&note(&text)),
        Say::Ask(reason) => HookReply::json(&decision("deny", &ask_the_operator(&reason))),
        Say::Deny(reason) | Say::Failed(reason) => HookReply::json(&decision("deny", &reason)),
    }
}
