//! Transcripts of every agent: which format a file has, what is read of it, and that nothing is lost.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test panics where it fails")]

use coroner_model::entry::{Entry, RawPlace};
use coroner_model::session::CallStatus;
use coroner_model::{ContentHash, Document, Redactor};
use coroner_read::transcript::batch::Batch;
use coroner_read::transcript::{self, Format, LineReader, WholeReader};
use proptest::prelude::*;
use serde_json::{Value, json};

fn document(path: &str, text: &str) -> Document {
    Document {
        path: path.into(),
        observed_at: None,
        host: String::new(),
        text: Redactor::new([0; 32]).redact(text),
        hash: ContentHash::sha256(text.as_bytes()),
        bytes_left_out: 0,
        first_line: 1,
    }
}

/// A file's name, the agent that writes it, its text, and how many calls it holds.
type Sample = (&'static str, &'static str, String, usize);

/// One small transcript of each format whose records stand in lines.
fn in_lines() -> Vec<Sample> {
    let lines = |records: &[Value]| records.iter().map(|record| format!("{record}\n")).collect::<String>();
    let arguments = json!({"cmd": "make"}).to_string();
    let poll = json!({"session_id": 7}).to_string();
    let item =
        |payload: Value| json!({"timestamp": "2026-02-01T09:00:05Z", "type": "response_item", "payload": payload});
    let call = |name: &str, arguments: &str, id: &str| json!({"type": "function_call", "name": name, "arguments": arguments, "call_id": id});
    let output = |id: &str, text: &str| json!({"type": "function_call_output", "call_id": id, "output": text});
    let shell = |id: &str, status: &str| json!({"id": id, "name": "run_shell_command", "args": {"command": "make"}, "status": status});
    vec![
        (
            "s1.jsonl",
            "claude",
            lines(&[
                json!({"type": "assistant", "sessionId": "s1", "uuid": "a", "cwd": "/a", "message": {"content": [{"type": "tool_use", "id": "t1", "name": "Bash", "input": {"command": "ls"}}]}}),
                json!({"type": "user", "sessionId": "s1", "uuid": "b", "cwd": "/a", "message": {"content": [{"type": "tool_result", "tool_use_id": "t1", "content": "x"}]}}),
            ]),
            1,
        ),
        (
            "rollout-1.jsonl",
            "codex",
            lines(&[
                json!({"type": "session_meta", "payload": {"id": "c1", "cwd": "/a", "instructions": "x".repeat(9_000)}}),
                json!({"type": "turn_context", "payload": {"cwd": "/b", "model": "m"}}),
                item(call("exec_command", &arguments, "x1")),
                item(output("x1", "Process running with session ID 7\nOutput:\na")),
                item(call("write_stdin", &poll, "x2")),
                item(output("x2", "Process exited with code 1\nOutput:\nb")),
                json!({"type": "event_msg", "payload": {"type": "turn_aborted", "reason": "interrupted"}}),
            ]),
            2,
        ),
        (
            "rollout-2.jsonl",
            "codex",
            lines(&[
                json!({"id": "c2", "timestamp": "2026-02-01T09:00:00Z", "instructions": null}),
                json!({"record_type": "state"}),
                call("shell", "{\"command\":[\"ls\"]}", "y1"),
            ]),
            1,
        ),
        (
            "session-1.jsonl",
            "gemini",
            lines(&[
                json!({"sessionId": "g1", "projectHash": "1b", "startTime": "2026-03-01T10:00:00Z"}),
                json!({"id": "m1", "timestamp": "2026-03-01T10:00:01Z", "type": "user", "content": "go"}),
                json!({"id": "m2", "type": "gemini", "content": "", "model": "m", "toolCalls": [shell("k1", "executing")]}),
                json!({"id": "m2", "type": "gemini", "content": "ok", "model": "m", "toolCalls": [shell("k1", "success"), shell("k2", "cancelled")]}),
                json!({"$rewindTo": "m1"}),
                json!({"$set": {"summary": "Go"}}),
            ]),
            2,
        ),
        (
            "p1/events.jsonl",
            "copilot",
            lines(&[
                json!({"type": "session.start", "id": "e0", "data": {"context": {"cwd": "/a"}}}),
                json!({"type": "assistant.message", "id": "e1", "parentId": "e0", "data": {"content": "", "toolRequests": [{"toolCallId": "q1", "name": "bash", "arguments": {"command": "ls"}}]}}),
                json!({"type": "tool.execution_start", "id": "e2", "data": {"toolCallId": "q1", "toolName": "bash", "arguments": {"command": "ls"}}}),
                json!({"type": "tool.execution_complete", "id": "e3", "data": {"toolCallId": "q1", "success": true, "result": {"content": "x"}}}),
            ]),
            1,
        ),
        (
            "u1.jsonl",
            "cursor",
            lines(&[
                json!({"role": "user", "message": {"content": [{"type": "text", "text": "<user_query>go</user_query>"}]}}),
                json!({"role": "assistant", "message": {"content": [{"type": "tool_use", "name": "run_terminal_cmd", "input": {"command": "ls"}}]}}),
            ]),
            1,
        ),
        (
            "n1.jsonl",
            "",
            lines(&[
                json!({"schema": "coroner/session/v1", "session": 7}),
                json!({"tool_call": 2, "tool": "shell", "command": "ls", "exit_code": 1}),
            ]),
            1,
        ),
    ]
}

/// One small transcript of each format that is read as a whole.
fn as_wholes() -> Vec<Sample> {
    let shell = json!({"id": "k1", "name": "run_shell_command", "args": {"command": "make"}, "status": "success"});
    let gemini =
        json!({"sessionId": "g2", "messages": [{"id": "m1", "type": "gemini", "content": "", "toolCalls": [shell]}]});
    let call =
        json!({"type": "function_call", "name": "shell", "arguments": "{\"command\":[\"ls\"]}", "call_id": "y1"});
    let codex = json!({"session": {"id": "c3"}, "items": [call]});
    let pretty = |value: &Value| serde_json::to_string_pretty(value).unwrap();
    vec![
        ("session-2.json", "gemini", gemini.to_string(), 1),
        ("session-3.json", "gemini", pretty(&gemini), 1),
        ("rollout-3.json", "codex", pretty(&codex), 1),
        (".aider.chat.history.md", "aider", "\n# aider chat started at 2026-06-09 14:01:00\n\n#### go  \n\n> Running ls\n\n# aider chat started at 2026-06-10 14:01:00\n\n> Running pwd\n".into(), 2),
        (".aider.input.history", "aider", "\n# 2026-06-09 14:01:05.120000\n+go\n".into(), 0),
        ("t1.txt", "cursor", "user:\ngo\nassistant:\n[Tool call] run_terminal_cmd\n  command: ls\n".into(), 1),
    ]
}

#[test]
fn every_format_is_recognised_by_its_content_and_read() {
    for (path, agent, text, calls) in in_lines().into_iter().chain(as_wholes()) {
        let sessions = transcript::read(&[document(&format!("sessions/{path}"), &text)]);
        assert!(sessions.iter().all(|s| s.agent == agent && s.issues.is_empty()), "{path}: {sessions:?}");
        let commands: Vec<_> = sessions.iter().flat_map(|s| &s.calls).collect();
        assert_eq!(commands.len(), calls, "{path}: {commands:?}");
        // Another name, and a beginning that ends within a record, say the same.
        let renamed = if path.ends_with(".txt") || agent == "aider" { path } else { "export" };
        let cut = &text[..text.len() - 3];
        let same = |a: Format, b: Format| std::mem::discriminant(&a) == std::mem::discriminant(&b);
        assert!(same(transcript::format(path, &text), transcript::format(renamed, cut)), "{path}");
    }
}

#[test]
fn a_first_line_that_does_not_end_tells_its_format_yet() {
    let (_, _, codex, _) = in_lines().swap_remove(1);
    assert!(matches!(transcript::format("x", &codex[..4_000]), Format::Lines(LineReader::Codex(_))));
    for messages in ["", ",\n  \"messages\": [\n    {\n      \"type\": \"text\",\n      \"id\": \"half"] {
        let gemini = format!("{{\n  \"sessionId\": \"s\",\n  \"projectHash\": \"1b\"{messages}");
        assert_eq!(transcript::format("x.json", &format!("{gemini}\n,")), Format::Whole(WholeReader::Gemini));
    }
    assert!(matches!(transcript::format("package.json", "{\n  \"name\": \"x\",\n  \"type\": 1"), Format::Unknown(_)));
    let tail = "so I look.\nuser:\nyes\nassistant:\nok\n";
    assert_eq!(transcript::format("t.txt", tail), Format::Whole(WholeReader::CursorText));
    assert!(matches!(transcript::format("list.txt", "# tidy up\nrm -rf build\n"), Format::Commands));
}

#[test]
fn judges_see_the_last_state_of_a_call_and_no_copies() {
    let samples = in_lines();
    let read = |at: usize| transcript::read(&[document(samples[at].0, &samples[at].2)]).remove(0);
    let codex = read(1);
    assert_eq!((codex.calls[0].status, codex.calls[0].exit_code), (CallStatus::Error, Some(1)));
    assert!(codex.calls[0].output.contains("\na\n") && codex.calls[0].output.ends_with("\nb"));
    assert_eq!(codex.calls[0].cwd, "/b");
    let gemini = read(3);
    let statuses: Vec<_> = gemini.calls.iter().map(|c| c.status).collect();
    assert_eq!((statuses, gemini.title.as_str()), (vec![CallStatus::Ok, CallStatus::Rejected], "Go"));
    assert_eq!(read(4).id.as_str(), "p1");

    let meta = json!({"type": "session_meta", "payload": {"id": "fork", "forked_from_id": "c1"}});
    let more = json!({"type": "response_item", "timestamp": "2026-02-02T09:00:00Z", "payload": {"type": "function_call", "name": "shell", "arguments": "{\"command\":[\"pwd\"]}", "call_id": "z1"}});
    let fork = format!("{meta}\n{}{more}\n", samples[1].2.replace("2026-02-01", "2026-02-02"));
    let sessions = transcript::read(&[document("b/fork.jsonl", &fork), document("a/own.jsonl", &samples[1].2)]);
    let calls: Vec<_> = sessions.iter().map(|s| (s.id.as_str(), s.calls.len())).collect();
    assert_eq!(calls, [("c1", 2), ("fork", 1)]);
}

/// A reader of each format in lines.
fn readers() -> Vec<LineReader> {
    let reader = |sample: Sample| match transcript::format(sample.0, &sample.2) {
        Format::Lines(reader) => reader,
        other => panic!("{}: {other:?}", sample.0),
    };
    in_lines().into_iter().map(reader).collect()
}

fn any_json() -> impl Strategy<Value = Value> {
    let words = "type|payload|message|content|toolCalls|id|call_id|output|data|\\$set|text|role|name|arguments|session";
    let kinds = "user|assistant|gemini|response_item|event_msg|function_call|message|session.start|tool_use|error|é";
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        kinds.prop_map(Value::from),
        ".{0,8}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 5, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(words, inner, 0..5).prop_map(|m| Value::Object(m.into_iter().collect())),
        ]
    })
}

/// Reads lines from `from` on, as a file that grew is read.
fn continued(reader: &mut LineReader, lines: &[String], from: usize) -> Batch {
    let mut batch = Batch::default();
    let mut offset = lines[..from].iter().map(|line| line.len() as u64 + 1).sum();
    for (index, line) in lines.iter().enumerate().skip(from) {
        reader.line(line, RawPlace { offset, len: line.len() as u64, line: index as u64 + 1 }, &mut batch);
        offset += line.len() as u64 + 1;
    }
    batch
}

proptest! {
    #[test]
    fn no_line_makes_a_reader_panic_or_lose_count(
        lines in prop::collection::vec(prop_oneof![3 => any_json().prop_map(|v| v.to_string()), 1 => "[^\n\r]{1,20}"], 0..12)
    ) {
        let text = lines.join("\n");
        let filled = text.lines().filter(|line| !line.trim().is_empty()).count() as u64;
        for mut reader in readers() {
            let batch = transcript::lines(&mut reader, &text, 1);
            prop_assert_eq!(batch.counts.lines, filled);
            let unread = batch.entries.iter().filter(|e| e.unread.is_some()).count() as u64;
            prop_assert_eq!(unread, batch.counts.unknown + batch.issues.len() as u64);
            let messages = batch.entries.iter().filter(|e| e.message.is_some()).count() as u64;
            prop_assert_eq!(messages, batch.counts.messages);
        }
        for (path, _, sample, _) in as_wholes() {
            let Format::Whole(reader) = transcript::format(path, &sample) else { panic!("{path}") };
            for text in [&text, &format!("{{\"messages\":[{}],\"items\":[{}]}}", lines.join(","), lines.join(","))] {
                let batch = reader.read("x", text);
                let end = text.len() as u64;
                prop_assert!(batch.entries.iter().all(|e| e.raw.offset + e.raw.len <= end));
            }
        }
    }

    #[test]
    fn a_file_that_grew_reads_the_same_as_at_once(
        picks in prop::collection::vec(any::<prop::sample::Index>(), 1..20),
        cut in any::<prop::sample::Index>(),
    ) {
        for ((path, _, sample, _), reader) in in_lines().into_iter().zip(readers()) {
            let pool: Vec<&str> = sample.lines().collect();
            let lines: Vec<String> = picks.iter().map(|pick| (*pick.get(&pool)).to_owned()).collect();
            let whole = continued(&mut reader.clone(), &lines, 0);
            let cut = cut.index(lines.len());
            let mut early = reader.clone();
            let mut parts = continued(&mut early, &lines[..cut], 0).entries;
            let state = serde_json::to_string(&early).unwrap();
            let mut late: LineReader = serde_json::from_str(&state).unwrap();
            parts.extend(continued(&mut late, &lines, cut).entries);
            let whole: Vec<Entry> = whole.entries;
            prop_assert_eq!(whole, parts, "{}", path);
        }
    }
}
