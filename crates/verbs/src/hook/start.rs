//! A session that starts, resumes or was compacted is told the lessons of its project again.

use std::path::PathBuf;

use coroner_model::journal::JournalEntry;
use coroner_store::journal;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::{Agent, HookReply, field, filled, opencode};
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
        Agent::OpenCode => name == Some(opencode::SYSTEM),
    };
    let root = || event.get("workspace_roots")?.get(0)?.as_str().map(str::to_owned);
    let directory = || filled(field(event, "directory"));
    begins.then(|| PathBuf::from(filled(field(event, "cwd")).or_else(root).or_else(directory).unwrap_or_default()))
}

/// Hours for which a session that begins is told of a denied call that ran.
const TOLD_HOURS_MAX: i64 = 24;
/// Most of such calls that are named.
const TOLD_MAX: usize = 3;

/// Denied calls that ran all the same: the host does not heed the hook.
fn passed_over(around: &WorkspaceRequest) -> Option<String> {
    let entries = journal::all_entries(&around.home, around.now).ok()?;
    let fresh = |at: &Timestamp| around.now.duration_since(*at) <= SignedDuration::from_hours(TOLD_HOURS_MAX);
    let ran: Vec<&str> = entries
        .iter()
        .filter_map(|entry| match entry {
            JournalEntry::Ran { at, shown, .. } if fresh(at) => Some(shown.as_str()),
            _ => None,
        })
        .collect();
    if ran.is_empty() {
        return None;
    }
    let quoted: Vec<String> =
        ran.iter().take(TOLD_MAX).map(|shown| format!("\"{}\"", shown.replace(['"', '\n'], " "))).collect();
    Some(format!(
        "Coroner: {} denied before ran all the same, so the hook is not heeded: {}. Tell the person to run coroner doctor.",
        if ran.len() == 1 { "a call that was".to_owned() } else { format!("{} calls that were", ran.len()) },
        quoted.join(", ")
    ))
}

/// The lessons in the host's words; nothing where there are none.
pub(super) fn reply(agent: Agent, around: &WorkspaceRequest, cwd: PathBuf) -> HookReply {
    let cwd = if cwd.as_os_str().is_empty() { around.cwd.clone() } else { cwd };
    let told = [lessons::for_session(around, &cwd), passed_over(around)];
    let text = told.into_iter().flatten().collect::<Vec<_>>().join("\n");
    if text.is_empty() {
        return HookReply::default();
    }
    HookReply::json(&match agent {
        Agent::Claude | Agent::Codex | Agent::Gemini => {
            json!({"hookSpecificOutput": {"hookEventName": "SessionStart", "additionalContext": text}})
        }
        Agent::Cursor => json!({"additional_context": text, "additionalContext": text}),
        Agent::Copilot => json!({"additionalContext": text}),
        Agent::OpenCode => json!({"context": text}),
    })
}
