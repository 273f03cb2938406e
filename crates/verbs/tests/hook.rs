//! The protocols of agents' hooks, answered by the guard.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test panics where it fails"
)]

use coroner_collect::{Casefile, Limits, World};
use coroner_judge::pattern::Library;
use coroner_verbs::guard::Guard;
use coroner_verbs::hook::{self, Agent, HookReply};
use serde_json::{Value, json};

fn guard() -> Result<Guard, String> {
    let inspect = r#"[{"Id":"aa","Name":"/db","State":{"Status":"running"},"Config":{"Image":"postgres:16","Env":[],"Labels":{}},"Mounts":[{"Type":"bind","Source":"/srv/app/.data","Destination":"/data","RW":true}]}]"#;
    let casefile =
        Casefile::of_texts([("docker/inspect.json", inspect)], Limits::default()).map_err(|e| e.to_string())?;
    Ok(Guard::over(World::Casefile(casefile), Library::built_in()))
}

fn event(command: &str) -> Value {
    json!({"hook_event_name": "PreToolUse", "tool_name": "Bash", "tool_input": {"command": command}, "cwd": "/srv/app", "session_id": "s"})
}

fn answer(input: &[u8]) -> HookReply {
    hook::answer(Agent::Claude, input, guard)
}

fn decision(reply: &HookReply) -> String {
    let value: Value = serde_json::from_str(&reply.stdout).unwrap_or_default();
    assert_eq!(value["hookSpecificOutput"]["hookEventName"], "PreToolUse");
    assert!(!value["hookSpecificOutput"]["permissionDecisionReason"].as_str().unwrap_or_default().is_empty());
    value["hookSpecificOutput"]["permissionDecision"].as_str().unwrap_or_default().to_owned()
}

#[test]
fn a_denial_blocks_in_both_ways() {
    let reply = answer(event("rm -rf .data").to_string().as_bytes());
    assert_eq!(decision(&reply), "deny");
    assert_eq!(reply.exit, 2);
    assert!(reply.stderr.contains("/srv/app/.data"), "{}", reply.stderr);
}

#[test]
fn what_is_harmless_or_unknown_gets_no_opinion() {
    let mut other = event("rm -rf .data");
    other["hook_event_name"] = json!("SomethingNew");
    let mut read = event("");
    read["tool_name"] = json!("Read");
    let mut edit = event("");
    edit["tool_name"] = json!("Edit");
    edit["tool_input"] = json!({"file_path": "/srv/app/a.txt", "old_string": "a", "new_string": "b"});
    for event in [event("ls -la"), event("rm -rf build"), other, read, edit] {
        assert_eq!(answer(event.to_string().as_bytes()), HookReply::default(), "{event}");
    }
}

#[test]
fn what_cannot_be_read_asks() {
    let mut no_command = event("");
    no_command["tool_input"] = json!({"cmnd": 5});
    let mut list = event("");
    list["tool_input"] = json!({"command": {"a": 1}});
    let mut no_tool = event("ls");
    no_tool["tool_name"] = Value::Null;
    let mut bytes = event("ls").to_string().into_bytes();
    let at = bytes.iter().position(|b| *b == b'l').unwrap();
    bytes.insert(at, 0xff);
    let inputs: Vec<Vec<u8>> = vec![
        Vec::new(),
        b"{".to_vec(),
        b"[]".to_vec(),
        b"\x00\xff".to_vec(),
        no_command.to_string().into_bytes(),
        list.to_string().into_bytes(),
        no_tool.to_string().into_bytes(),
        bytes,
        event(&"$(".repeat(10_000)).to_string().into_bytes(),
    ];
    for input in inputs {
        let reply = answer(&input);
        assert_eq!(decision(&reply), "ask", "{}", String::from_utf8_lossy(&input[..input.len().min(80)]));
        assert_eq!(reply.exit, 0);
    }
    let failed =
        hook::answer(Agent::Claude, event("rm -rf x").to_string().as_bytes(), || Err::<Guard, _>("no casefile"));
    assert_eq!(decision(&failed), "ask");
}

/// One agent's events: a call with a shell command, and one of an unknown name.
struct Spoken {
    agent: Agent,
    call: fn(&str) -> Value,
    unknown: Value,
}

fn spoken() -> Vec<Spoken> {
    vec![
        Spoken {
            agent: Agent::Codex,
            call: |c| json!({"hook_event_name": "PreToolUse", "session_id": "s", "turn_id": "1", "transcript_path": null, "cwd": "/srv/app", "tool_name": "Bash", "tool_input": {"command": c}, "tool_use_id": "t"}),
            unknown: json!({"hook_event_name": "Tomorrow", "session_id": "s"}),
        },
        Spoken {
            agent: Agent::Gemini,
            call: |c| json!({"hook_event_name": "BeforeTool", "session_id": "s", "cwd": "/srv", "tool_name": "run_shell_command", "tool_input": {"command": c, "directory": "app"}}),
            unknown: json!({"hook_event_name": "BeforeAnything", "session_id": "s"}),
        },
        Spoken {
            agent: Agent::Cursor,
            call: |c| json!({"hook_event_name": "beforeShellExecution", "conversation_id": "s", "workspace_roots": ["/srv/app"], "command": c, "cwd": ""}),
            unknown: json!({"hook_event_name": "afterTomorrow", "conversation_id": "s"}),
        },
        Spoken {
            agent: Agent::Copilot,
            call: |c| json!({"sessionId": "s", "timestamp": 1, "cwd": "/srv/app", "toolName": "bash", "toolArgs": json!({"command": c}).to_string()}),
            unknown: json!({"hook_event_name": "Tomorrow", "session_id": "s"}),
        },
        Spoken {
            agent: Agent::OpenCode,
            call: |c| json!({"tool": "bash", "args": {"command": c, "workdir": "app"}, "sessionID": "s", "callID": "c", "directory": "/srv"}),
            unknown: json!({"hook_event_name": "session.tomorrow"}),
        },
    ]
}

/// The word for the answer in whatever field the agent reads it from, and its reason.
fn word(reply: &HookReply) -> (String, String) {
    let value: Value = serde_json::from_str(&reply.stdout).unwrap_or_default();
    let value = value.get("hookSpecificOutput").cloned().unwrap_or(value);
    let first = |keys: &[&str]| keys.iter().find_map(|k| value[*k].as_str()).unwrap_or_default().to_owned();
    (
        first(&["permissionDecision", "decision", "permission"]),
        first(&["permissionDecisionReason", "reason", "agent_message"]),
    )
}

#[test]
fn every_agent_hears_a_denial_in_its_own_words() {
    for Spoken { agent, call, .. } in spoken() {
        let reply = hook::answer(agent, call("sudo rm -rf .data").to_string().as_bytes(), guard);
        let (said, reason) = word(&reply);
        assert_eq!((said.as_str(), reply.exit), ("deny", 0), "{agent:?}");
        assert!(reason.contains("/srv/app/.data"), "{agent:?}: {reason}");
        let harmless = hook::answer(agent, call("ls -la").to_string().as_bytes(), guard);
        assert!(matches!(word(&harmless).0.as_str(), "" | "allow"), "{agent:?}: {}", harmless.stdout);
        assert!(harmless.stdout.is_empty() || serde_json::from_str::<Value>(&harmless.stdout).is_ok());
    }
}

#[test]
fn an_agent_without_an_ask_is_denied_what_cannot_be_judged() {
    for Spoken { agent, call, unknown } in spoken() {
        let no_ask = matches!(agent, Agent::Codex | Agent::Gemini | Agent::OpenCode);
        let expected = if no_ask { "deny" } else { "ask" };
        let deep = call(&"$(".repeat(10_000)).to_string();
        for input in [deep.as_bytes(), b"{", b"", b"[1]", b"\xff\x00"] {
            let (said, reason) = word(&hook::answer(agent, input, guard));
            assert_eq!(said, expected, "{agent:?}");
            assert!(!reason.is_empty(), "{agent:?}: an empty reason does not block");
        }
        let closed = hook::answer(agent, call("ls").to_string().as_bytes(), || Err::<Guard, _>("no casefile"));
        assert_eq!(word(&closed).0, expected, "{agent:?}");
        let other = hook::answer(agent, unknown.to_string().as_bytes(), guard);
        assert_eq!(other, HookReply::default(), "{agent:?}: an unknown event gets no opinion");
    }
}

#[test]
fn codex_hears_nothing_that_would_make_the_hook_fail() {
    for Spoken { agent, call, .. } in spoken().into_iter().filter(|s| s.agent == Agent::Codex) {
        for command in ["ls", "rm -rf .data"] {
            let reply = hook::answer(agent, call(command).to_string().as_bytes(), guard);
            if reply.stdout.is_empty() {
                continue;
            }
            let value: Value = serde_json::from_str(&reply.stdout).unwrap();
            let keys: Vec<&String> = value["hookSpecificOutput"].as_object().unwrap().keys().collect();
            assert_eq!(keys, ["hookEventName", "permissionDecision", "permissionDecisionReason"]);
            assert_eq!(value.as_object().unwrap().len(), 1);
            assert_ne!(value["hookSpecificOutput"]["permissionDecision"], "ask");
        }
    }
}
