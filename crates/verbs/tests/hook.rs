//! The protocol of Claude Code's hooks, answered by the guard.

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
use coroner_verbs::hook::{HookReply, claude};
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
    claude(input, guard)
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
    let failed = claude(event("rm -rf x").to_string().as_bytes(), || Err::<Guard, _>("no casefile"));
    assert_eq!(decision(&failed), "ask");
}
