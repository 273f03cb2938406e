//! The settings of Claude Code changed while a session runs: whoever takes the hook away is stopped.

use std::path::Path;

use coroner_collect::place::{self, Text};
use coroner_model::Agent;
use coroner_read::agent_hooks;
use serde_json::json;

use super::HookReply;
use crate::agents::Surroundings;
use crate::workspace::WorkspaceRequest;

/// Largest file of settings that is read, in bytes.
const SETTINGS_BYTES_MAX: u64 = 2 * 1024 * 1024;

/// Blocks a change after which no hook would call Coroner; anything else is the person's own affair.
pub(super) fn reply(around: &WorkspaceRequest, cwd: &str, path: &str) -> HookReply {
    let cwd = if cwd.is_empty() { around.cwd.as_path() } else { Path::new(cwd) };
    let project = crate::look::project_root(cwd);
    let surroundings = Surroundings { env: &around.env, project: &project };
    let mut calls = false;
    for file in surroundings.settings_files(Agent::Claude) {
        let Text::Held(text) = place::text(&file.path, SETTINGS_BYTES_MAX) else { continue };
        let settings = agent_hooks::read(Agent::Claude, &text);
        if let Some(off) = settings.off {
            return block(&format!("{}: {off}, and no hook would run any more", file.path.display()));
        }
        let before = |hook: &agent_hooks::HookEntry| hook.event == "PreToolUse" && hook.calls_coroner();
        calls |= settings.hooks.iter().any(before);
    }
    // A hook of a plugin stands in none of these files.
    if calls || around.env.contains_key("CLAUDE_PLUGIN_ROOT") {
        return HookReply::default();
    }
    let what = if path.is_empty() { "the settings" } else { path };
    block(&format!("after this change of {what} nothing would ask Coroner before a tool runs"))
}

fn block(what: &str) -> HookReply {
    let reason =
        format!("Coroner: {what}. Put the hook back; a person takes it away with coroner init --remove-hooks.");
    let stdout = json!({"decision": "block", "reason": reason}).to_string();
    HookReply { stdout, stderr: format!("{reason}\n"), exit: 2, ..HookReply::default() }
}
