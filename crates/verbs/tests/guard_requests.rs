//! The same request twice: what would be carried out twice is stopped, what only asks again passes.

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
use coroner_model::permission::{Permission, PermissionAnswer, PermissionRequest};
use coroner_verbs::guard::Guard;

fn guard(files: &[(&str, &str)]) -> Guard {
    let casefile = Casefile::of_texts(files.iter().copied(), Limits::default()).unwrap();
    Guard::over(World::Casefile(casefile), Library::built_in())
}

fn ask(guard: &mut Guard, session: &str, command: &str) -> PermissionAnswer {
    guard.judge(PermissionRequest {
        command: Some(command.to_owned()),
        cwd: "/srv/app".into(),
        session: Some(session.to_owned()),
        ..PermissionRequest::default()
    })
}

const ORDER: &str = "curl -s -X POST http://127.0.0.1:8000/instruct -H 'Content-Type: application/json' -d '{\"text\":\"restart api\"}' -o /tmp/answer.json";

#[test]
fn the_same_request_is_not_sent_twice_in_any_spelling() {
    for second in [
        ORDER,
        "curl http://127.0.0.1:8000/instruct --data '{\"text\":\"restart api\"}'",
        "curl --json '{\"text\":\"restart api\"}' 127.0.0.1:8000/instruct",
        "sleep 5 && curl -sS -d '{\"text\":\"restart api\"}' http://127.0.0.1:8000/instruct | jq .",
        "bash -c \"curl -d '{\\\"text\\\":\\\"restart api\\\"}' http://127.0.0.1:8000/instruct\"",
        "wget -qO- --post-data='{\"text\":\"restart api\"}' http://127.0.0.1:8000/instruct",
    ] {
        let mut guard = guard(&[]);
        assert_eq!(ask(&mut guard, "s1", ORDER).permission, Permission::Allow);
        let answer = ask(&mut guard, "s1", second);
        assert_eq!(answer.permission, Permission::Deny, "{second} {answer:?}");
        assert_eq!(answer.pattern.unwrap().as_str(), "request-repeated");
        assert!(answer.remedy.contains("cat /tmp/answer.json"), "{}", answer.remedy);
    }
    let mut guard = guard(&[]);
    for (first, second) in [
        ("http POST pay.example.org/v1/charges amount=5", "http POST pay.example.org/v1/charges amount=5"),
        (
            "python3 -c 'import requests; requests.post(\"https://pay.example.org/c\", json={\"amount\": 5})'",
            "python3 -c 'import requests as r; r.post(\"https://pay.example.org/c\", json={\"amount\": 5})'",
        ),
    ] {
        assert_eq!(ask(&mut guard, "s2", first).permission, Permission::Allow, "{first}");
        assert_eq!(ask(&mut guard, "s2", second).permission, Permission::Deny, "{second}");
    }
    for command in [
        "curl --retry 3 -X POST https://pay.example.org/v1/charges -d amount=5",
        "for i in 1 2 3; do curl -X POST https://pay.example.org/v1/charges -d amount=6; done",
    ] {
        assert_eq!(ask(&mut guard, "s3", command).permission, Permission::Deny, "{command}");
    }
}

#[test]
fn what_only_asks_or_differs_may_be_sent_again() {
    for (first, second) in [
        ("curl http://127.0.0.1:8000/items", "curl http://127.0.0.1:8000/items"),
        ("curl -X PUT http://127.0.0.1:8000/items/1 -d '{}'", "curl -X PUT http://127.0.0.1:8000/items/1 -d '{}'"),
        (ORDER, "curl -X POST http://127.0.0.1:8000/instruct -d '{\"text\":\"restart web\"}'"),
        (ORDER, "curl -X POST http://127.0.0.1:8001/instruct -d '{\"text\":\"restart api\"}'"),
        (ORDER, "cat /tmp/answer.json"),
        (ORDER, "echo \"curl -X POST http://127.0.0.1:8000/instruct -d '{}'\""),
        ("curl -d 'user=a' localhost:3000/api/login", "curl -d 'user=a' localhost:3000/api/login"),
        ("curl -d '{}' localhost:9200/orders/_search", "curl -d '{}' localhost:9200/orders/_search"),
        (
            "curl -d '{\"model\":\"llama3\"}' localhost:11434/api/generate",
            "curl -d '{\"model\":\"llama3\"}' localhost:11434/api/generate",
        ),
        (
            "curl -d '{\"query\":\"{ me { id } }\"}' localhost/graphql",
            "curl -d '{\"query\":\"{ me { id } }\"}' localhost/graphql",
        ),
        ("curl --retry 5 https://example.org/x.tgz -o /tmp/x.tgz", "curl --retry 0 -d a=1 https://example.org/x"),
    ] {
        let mut guard = guard(&[]);
        ask(&mut guard, "s1", first);
        let answer = ask(&mut guard, "s1", second);
        assert!(answer.permission == Permission::Allow && answer.findings.is_empty(), "{second} {answer:?}");
    }
    let mut guard = guard(&[]);
    ask(&mut guard, "s1", ORDER);
    assert_eq!(ask(&mut guard, "s2", ORDER).permission, Permission::Allow, "another session");
}

#[test]
fn a_transcript_counts_and_what_never_arrived_does_not() {
    let transcript = |exit: &str, output: &str, at: &str| {
        let call = serde_json::json!({"tool_call": 1, "tool": "Bash", "command": ORDER, "output": output, "at": at});
        let mut call = call.as_object().unwrap().clone();
        call.extend((!exit.is_empty()).then(|| ("exit_code".to_owned(), exit.parse::<i64>().unwrap().into())));
        format!(
            "{}\n{}\n",
            serde_json::json!({"schema": "coroner/session/v1", "session": "s1", "agent": "x", "cwd": "/srv/app", "started": at}),
            serde_json::Value::Object(call)
        )
    };
    let now = "2026-03-01T10:00:00Z";
    for (exit, output, at, expected) in [
        ("0", "{\"ok\":true}", "2026-03-01T09:58:00Z", Permission::Deny),
        ("", "", "2026-03-01T09:58:00Z", Permission::Deny),
        ("28", "curl: (28) Operation timed out", "2026-03-01T09:58:00Z", Permission::Deny),
        ("7", "curl: (7) Failed to connect: Connection refused", "2026-03-01T09:58:00Z", Permission::Allow),
        ("6", "curl: (6) Could not resolve host", "2026-03-01T09:58:00Z", Permission::Allow),
        ("0", "{}", "2026-02-27T09:58:00Z", Permission::Allow),
    ] {
        let text = transcript(exit, output, at);
        let mut guard = guard(&[("sessions/s1.jsonl", &text), ("host/date", now)]);
        let answer = ask(&mut guard, "s1", ORDER);
        assert_eq!(answer.permission, expected, "{exit} {output} {answer:?}");
    }
}
