//! What a rollout says, in lines made up after the quirks of real ones.

use super::*;

fn read(lines: &[Value]) -> Batch {
    let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
    crate::transcript::lines(&mut crate::transcript::LineReader::Codex(Codex::new("rollout-x")), &text, 1)
}

fn item(payload: Value) -> Value {
    json!({"timestamp": "2026-02-01T09:00:05Z", "type": "response_item", "payload": payload})
}

fn shell(call: &str, command: &str) -> Value {
    let arguments = json!({"command": ["bash", "-lc", command]}).to_string();
    item(json!({"type": "function_call", "name": "shell", "arguments": arguments, "call_id": call}))
}

fn output(call: &str, output: Value) -> Value {
    item(json!({"type": "function_call_output", "call_id": call, "output": output}))
}

#[test]
fn each_text_is_read_once_and_what_nobody_typed_is_told_apart() {
    let meta = json!({"id": "019c", "cwd": "/opt/app", "forked_from_id": "018a", "cli_version": "0.1"});
    let user = |text: &str| json!({"type": "input_text", "text": text});
    let batch = read(&[
        json!({"type": "session_meta", "payload": meta}),
        json!({"type": "session_meta", "payload": {"id": "018a", "cwd": "/elsewhere"}}),
        item(json!({"type": "message", "role": "user", "content": [user("<environment_context>x")]})),
        item(json!({"type": "message", "role": "user", "content": [user("# AGENTS.md y"), user("fix it")]})),
        json!({"type": "event_msg", "payload": {"type": "user_message", "message": "fix it"}}),
        json!({"type": "event_msg", "payload": {"type": "token_count", "info": null}}),
        item(json!({"type": "reasoning", "summary": [{"type": "summary_text", "text": "hm"}], "content": null})),
        json!({"type": "event_msg", "payload": {"type": "telepathy"}}),
        shell("c1", "ls"),
    ]);
    assert_eq!((batch.counts.lines, batch.counts.messages, batch.counts.unknown), (9, 2, 1));
    let said: Vec<_> = batch.entries.iter().filter_map(|e| e.message.as_ref()).collect();
    assert_eq!((said[0].role, said[0].origin), (Role::System, Origin::Injected));
    assert_eq!((said[1].role, said[1].text.as_str()), (Role::User, "fix it"));
    let about = batch.entries[0].about.as_ref().unwrap();
    assert_eq!((about.parent.as_deref(), about.cwd.as_deref()), (Some("018a"), Some("/opt/app")));
    let call = &batch.entries.last().unwrap().calls[0];
    assert_eq!((call.command.as_deref(), call.cwd.as_deref()), (Some("ls"), Some("/opt/app")));
    assert!(batch.entries.iter().all(|e| e.session == "019c"));
}

#[test]
fn a_program_in_a_terminal_ends_as_the_call_that_started_it() {
    let exec = json!({"cmd": "make"}).to_string();
    let poll = json!({"session_id": 42, "chars": ""}).to_string();
    let batch = read(&[
        item(json!({"type": "function_call", "name": "exec_command", "arguments": exec, "call_id": "c1"})),
        output("c1", json!("Wall time: 1.0 seconds\nProcess running with session ID 42\nOutput:\nbuilding")),
        item(json!({"type": "function_call", "name": "write_stdin", "arguments": poll, "call_id": "c2"})),
        output("c2", json!("Process exited with code 2\nOutput:\nExit code: 0")),
        shell("c3", "sleep 9"),
        json!({"type": "event_msg", "payload": {"type": "turn_aborted", "reason": "interrupted"}}),
    ]);
    let results: Vec<_> = batch.entries.iter().flat_map(|e| &e.results).collect();
    let got: Vec<_> = results.iter().map(|r| (r.call.as_str(), r.status, r.exit_code)).collect();
    assert_eq!(
        got,
        [
            ("c1", CallStatus::Background, None),
            ("c1", CallStatus::Error, Some(2)),
            ("c2", CallStatus::Ok, None),
            ("c3", CallStatus::Interrupted, None),
        ]
    );
}

#[test]
fn every_way_to_call_a_tool_is_a_call() {
    let patch = "*** Begin Patch\n*** Update File: a.rs\n@@\n-x\n+y\n*** End Patch";
    let action = json!({"type": "exec", "command": ["ls", "-l"], "working_directory": "/srv"});
    let search = json!({"type": "search", "query": "q"});
    let batch = read(&[
        item(json!({"type": "custom_tool_call", "name": "apply_patch", "input": patch, "call_id": "c1"})),
        shell("c2", &format!("cd x && apply_patch <<'EOF'\n{patch}\nEOF\n")),
        item(json!({"type": "local_shell_call", "call_id": "c3", "status": "completed", "action": action})),
        item(json!({"type": "web_search_call", "id": "w", "status": "completed", "action": search})),
        shell("c5", "grep '*** Begin Patch' notes.md"),
    ]);
    assert_eq!(batch.counts.tool_calls, 5);
    let calls: Vec<_> = batch.entries.iter().flat_map(|e| &e.calls).collect();
    assert_eq!(calls[0].changes, calls[1].changes);
    assert_eq!(calls[0].changes[0].after.as_deref(), Some("y\n"));
    assert_eq!((calls[2].command.as_deref(), calls[2].cwd.as_deref()), (Some("ls -l"), Some("/srv")));
    assert_eq!(calls[3].result.as_ref().unwrap().status, CallStatus::Ok);
    assert!(calls[4].changes.is_empty());
}

#[test]
fn the_older_layouts_say_the_same() {
    let call =
        json!({"type": "function_call", "name": "shell", "arguments": "{\"command\":[\"ls\"]}", "call_id": "c1"});
    let said = json!({"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "ok"}]});
    let bare = read(&[json!({"id": "s", "git": {}}), said.clone(), json!({"record_type": "state"}), call.clone()]);
    let text = json!({"session": {"id": "s"}, "items": [said, call]}).to_string();
    let whole = whole("rollout-y", &text);
    for batch in [bare, whole] {
        assert_eq!((batch.counts.messages, batch.counts.tool_calls, batch.counts.unknown), (1, 1, 0));
        assert!(batch.entries.iter().all(|e| e.session == "s"));
    }
}

#[test]
fn a_file_without_its_metadata_is_known_by_its_name() {
    let uuid = "019c0a2b-0000-7abc-8000-00000000000f";
    assert_eq!(Codex::new(&format!("rollout-2026-02-01T09-00-00-{uuid}")).session(), uuid);
    assert_eq!(Codex::new("rollout-of-a-day-that-was-long-enough-for-it").session().len(), 44);
}
