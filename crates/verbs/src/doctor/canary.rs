//! An event that every hook must stop, in each agent's protocol, and what its answer means there.

use std::path::Path;

use coroner_act::canary::Ran;
use coroner_model::Agent;
use serde_json::{Value, json};

/// The session of such events: the guard answers and writes nothing down.
pub const SESSION: &str = "coroner-doctor-canary";

/// What the host would do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// The call would not run.
    Blocked,
    /// A person would be asked, which is no block.
    Asked,
    /// The call would run.
    Allowed,
    /// The hook failed, and how.
    Failed(String),
}

/// The event before a shell call.
pub(super) fn event(agent: Agent, command: &str, cwd: &Path) -> String {
    let cwd = cwd.display().to_string();
    let input = json!({ "command": command });
    match agent {
        Agent::Claude | Agent::Codex => {
            let mut event = json!({"session_id": SESSION, "transcript_path": null, "cwd": cwd, "permission_mode": "default", "hook_event_name": "PreToolUse", "tool_name": "Bash", "tool_input": input, "tool_use_id": "canary"});
            if agent == Agent::Codex {
                event["turn_id"] = json!("canary");
                event["model"] = json!("canary");
            }
            event
        }
        Agent::Gemini => {
            json!({"session_id": SESSION, "transcript_path": "", "cwd": cwd, "hook_event_name": "BeforeTool", "timestamp": "", "tool_name": "run_shell_command", "tool_input": input})
        }
        Agent::Cursor => {
            json!({"conversation_id": SESSION, "generation_id": "canary", "hook_event_name": "beforeShellExecution", "workspace_roots": [cwd], "command": command, "cwd": cwd})
        }
        Agent::Copilot => {
            json!({"sessionId": SESSION, "timestamp": 0, "cwd": cwd, "toolName": "bash", "toolArgs": input.to_string()})
        }
        Agent::OpenCode => {
            json!({"tool": "bash", "args": input, "sessionID": SESSION, "callID": "canary", "directory": cwd, "worktree": cwd})
        }
    }
    .to_string()
}

/// What the answer means to the host.
pub(super) fn outcome(agent: Agent, ran: &Ran) -> Outcome {
    if ran.timed_out {
        return Outcome::Failed("it gave no answer in its time".to_owned());
    }
    let Some(exit) = ran.exit else { return Outcome::Failed("a signal ended it".to_owned()) };
    let by_exit = agent != Agent::Copilot && agent != Agent::OpenCode;
    if exit == 2 && by_exit {
        // An empty reason counts as a failure where the host feeds it to the model.
        let silent = ran.stderr.trim().is_empty() && matches!(agent, Agent::Codex | Agent::Claude | Agent::Gemini);
        return if silent { Outcome::Failed("it ended with 2 and no reason".to_owned()) } else { Outcome::Blocked };
    }
    if exit != 0 {
        let first = ran.stderr.lines().next().unwrap_or_default();
        let why =
            if first.is_empty() { String::new() } else { format!(": {}", first.chars().take(160).collect::<String>()) };
        return Outcome::Failed(format!("it ended with exit code {exit}{why}"));
    }
    if ran.stdout.trim().is_empty() {
        return Outcome::Allowed;
    }
    let Ok(answer) = serde_json::from_str::<Value>(ran.stdout.trim()) else {
        return Outcome::Failed("it printed something else than one JSON object".to_owned());
    };
    let text = |pointer: &str| answer.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    let (said, reason) = match agent {
        Agent::Claude | Agent::Codex => {
            (text("/hookSpecificOutput/permissionDecision"), text("/hookSpecificOutput/permissionDecisionReason"))
        }
        Agent::Gemini => (text("/decision"), text("/reason")),
        Agent::Cursor => (text("/permission"), text("/user_message")),
        Agent::Copilot => (text("/permissionDecision"), text("/permissionDecisionReason")),
        Agent::OpenCode => (text("/permission"), text("/reason")),
    };
    let legacy = answer.get("decision").and_then(Value::as_str) == Some("block");
    match said {
        "deny" | "block" if reason.trim().is_empty() && agent == Agent::Codex => {
            Outcome::Failed("it denied without a reason".to_owned())
        }
        "deny" | "block" => Outcome::Blocked,
        "ask" if agent == Agent::Codex => Outcome::Failed("Codex knows no ask".to_owned()),
        "ask" => Outcome::Asked,
        _ if legacy && matches!(agent, Agent::Claude | Agent::Codex) => Outcome::Blocked,
        _ => Outcome::Allowed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_mean_what_each_host_takes_them_for() {
        let ran = |exit, stdout: &str, stderr: &str| Ran {
            exit: Some(exit),
            stdout: stdout.into(),
            stderr: stderr.into(),
            timed_out: false,
        };
        let deny = r#"{"hookSpecificOutput":{"permissionDecision":"deny","permissionDecisionReason":"no"}}"#;
        assert_eq!(outcome(Agent::Claude, &ran(0, deny, "")), Outcome::Blocked);
        assert_eq!(outcome(Agent::Claude, &ran(2, "", "no")), Outcome::Blocked);
        assert_eq!(outcome(Agent::Claude, &ran(0, "", "")), Outcome::Allowed);
        assert_eq!(outcome(Agent::Cursor, &ran(0, r#"{"permission":"ask"}"#, "")), Outcome::Asked);
        assert_eq!(outcome(Agent::Gemini, &ran(0, r#"{"decision":"deny","reason":"x"}"#, "")), Outcome::Blocked);
        for (agent, ran) in [
            (Agent::Claude, ran(1, "", "boom")),
            (Agent::Claude, ran(127, "", "not found")),
            (Agent::Codex, ran(2, "", "")),
            (
                Agent::Codex,
                ran(0, r#"{"hookSpecificOutput":{"permissionDecision":"deny","permissionDecisionReason":""}}"#, ""),
            ),
            (Agent::Gemini, ran(0, "warming up\n{}", "")),
            (Agent::Copilot, ran(2, "", "no")),
            (Agent::Claude, Ran { timed_out: true, ..Ran::default() }),
        ] {
            assert!(matches!(outcome(agent, &ran), Outcome::Failed(_)), "{agent:?} {ran:?}");
        }
    }
}
