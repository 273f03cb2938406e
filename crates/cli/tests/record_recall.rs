//! Transcripts are recorded once, without their secrets, and found again.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test panics where it fails")]

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};

/// A home of its own, and a folder of transcripts.
struct Bench {
    folder: tempfile::TempDir,
}

impl Bench {
    fn new() -> Bench {
        let bench = Bench { folder: tempfile::tempdir().unwrap() };
        std::fs::create_dir(bench.transcripts()).unwrap();
        bench
    }

    fn transcripts(&self) -> PathBuf {
        self.folder.path().join("transcripts")
    }

    fn home(&self) -> PathBuf {
        self.folder.path().join("home")
    }

    fn write(&self, name: &str, lines: &[Value]) -> PathBuf {
        let path = self.transcripts().join(name);
        let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
        std::fs::write(&path, text).unwrap();
        path
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_coroner"));
        command
            .args(words)
            .env("CORONER_HOME", self.home())
            .env("HOME", self.folder.path())
            .current_dir(self.folder.path());
        command
    }

    fn json(&self, words: &[&str]) -> Value {
        let output = self.command(words).args(["--format", "json"]).output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        serde_json::from_str(&text).unwrap_or_else(|_| panic!("{text}{}", String::from_utf8_lossy(&output.stderr)))
    }

    fn record(&self) -> Value {
        self.json(&["record", "--from", "transcripts"])
    }

    fn first_hit(&self, words: &[&str]) -> Value {
        let found = self.json(&[&["recall"], words].concat());
        found["hits"][0].clone()
    }

    /// Every byte of the store, its index and its logs.
    fn bytes(&self) -> Vec<u8> {
        let mut all = Vec::new();
        let mut folders = vec![self.home()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() { folders.push(path) } else { all.extend(std::fs::read(path).unwrap()) }
            }
        }
        all
    }
}

fn user(session: &str, id: &str, text: &str) -> Value {
    json!({"type": "user", "sessionId": session, "uuid": id, "cwd": "/srv/shop", "timestamp": format!("2026-02-01T10:00:{:02}Z", id.len()),
        "message": {"role": "user", "content": text}})
}

fn call(session: &str, id: &str, tool: &str, input: Value) -> Value {
    json!({"type": "assistant", "sessionId": session, "uuid": format!("a-{id}"), "cwd": "/srv/shop", "timestamp": "2026-02-01T10:01:00Z",
        "message": {"role": "assistant", "content": [{"type": "text", "text": "I look at it."},
            {"type": "tool_use", "id": id, "name": tool, "input": input}]}})
}

fn result(session: &str, id: &str, text: &str, failed: bool) -> Value {
    json!({"type": "user", "sessionId": session, "uuid": format!("r-{id}"), "timestamp": "2026-02-01T10:01:09Z",
        "message": {"role": "user", "content": [{"type": "tool_result", "tool_use_id": id, "content": text, "is_error": failed}]}})
}

fn shop(session: &str) -> Vec<Value> {
    vec![
        user(session, "u1", "the shop answers 502 since the deployment"),
        call(
            session,
            "t1",
            "Bash",
            json!({"command": "docker compose logs --tail=50 gateway-7", "description": "look"}),
        ),
        result(session, "t1", "Exit code 17\nupstream prematurely closed connection, code QX4711", true),
        call(
            session,
            "t2",
            "Edit",
            json!({"file_path": "/srv/shop/src/gate_keeper.py", "old_string": "limit = 1", "new_string": "limit = 40"}),
        ),
        result(session, "t2", "The file has been updated.", false),
    ]
}

fn counts(report: &Value, names: &[&str]) -> Vec<u64> {
    names.iter().map(|name| report[*name].as_u64().unwrap()).collect()
}

#[test]
fn what_is_recorded_is_counted_and_read_once() {
    let bench = Bench::new();
    let path = bench.write("s1.jsonl", &shop("s1"));
    bench.write("notes.json", &[json!({"no": "transcript"})]);
    std::fs::OpenOptions::new()
        .append(true)
        .open(&path)
        .unwrap()
        .write_all(b"{\"broken\n{\"type\":\"martian\"}\n\n")
        .unwrap();
    let first = bench.record();
    assert_eq!(first["schema"], "coroner/record/v1");
    assert_eq!(
        counts(&first, &["files", "parsed", "skipped", "lines", "messages", "tool_calls", "parse_issues", "unknown"]),
        [2, 1, 1, 7, 5, 2, 1, 1]
    );
    assert_eq!(first["held"]["messages"], 5);
    let again = bench.record();
    assert_eq!(counts(&again, &["parsed", "unchanged", "lines", "rows_written", "bytes"]), [0, 1, 0, 0, 0]);

    // Grown: only the tail is read.
    let more = user("s1", "u2", "and the basket is empty");
    std::fs::OpenOptions::new().append(true).open(&path).unwrap().write_all(format!("{more}\n").as_bytes()).unwrap();
    let grown = bench.record();
    assert_eq!(counts(&grown, &["parsed", "lines", "messages"]), [1, 1, 1]);
    assert_eq!(grown["bytes"].as_u64().unwrap(), format!("{more}\n").len() as u64);
    assert_eq!(grown["sources"][1]["lines"], 8);

    // A resumed session repeats the lines of the one before it.
    let mut copy = shop("s2");
    copy.push(user("s2", "u3", "go on"));
    bench.write("s2.jsonl", &copy);
    let resumed = bench.record();
    assert_eq!(counts(&resumed, &["messages", "duplicates"]), [6, 5]);
    assert_eq!(resumed["held"]["messages"], 7);

    // Gone at its source, kept here.
    std::fs::remove_file(&path).unwrap();
    assert_eq!(bench.record()["gone"], 1);
    assert_eq!(bench.first_hit(&["basket is empty"])["session"], "s1");
    let custody = bench.json(&["evidence", "verify"]);
    assert_eq!(custody["problems"], json!([]));
}

#[test]
fn what_was_said_run_printed_and_changed_is_found_as_typed() {
    let bench = Bench::new();
    let path = bench.write("s1.jsonl", &shop("s1"));
    bench.write(
        "s2.jsonl",
        &[user("s2", "u9", "connection pools and gateways in general"), user("s2", "u10", "closed issues")],
    );
    bench.record();
    let command = bench.first_hit(&["--tail=50 gateway-7"]);
    assert_eq!((&command["kind"], &command["tool_call"]), (&json!("command"), &json!("t1")));
    assert_eq!((&command["exit_code"], &command["status"]), (&json!(17), &json!("error")));
    let error = bench.first_hit(&["QX4711"]);
    assert_eq!((&error["kind"], &error["session"], &error["message"]), (&json!("error"), &json!("s1"), &json!("r-t1")));
    assert_eq!(error["title"], "the shop answers 502 since the deployment");
    let edit = bench.first_hit(&["src/gate_keeper.py"]);
    assert_eq!((&edit["kind"], &edit["path"]), (&json!("edit"), &json!("/srv/shop/src/gate_keeper.py")));
    assert_eq!(bench.first_hit(&["\"closed connection\""])["kind"], "error");
    assert_eq!(bench.first_hit(&["prematur*", "--kind", "error"])["tool_call"], "t1");
    assert_eq!(bench.first_hit(&["connections", "--kind", "message"])["session"], "s2");
    assert_eq!(bench.json(&["recall", "gateway-7", "--exit", "ok"])["hits"], json!([]));

    // The raw place is the very line.
    let raw = &error["raw"];
    let (offset, len) = (raw["offset"].as_u64().unwrap() as usize, raw["len"].as_u64().unwrap() as usize);
    let line = std::fs::read(path).unwrap()[offset..offset + len].to_vec();
    assert!(
        serde_json::from_slice::<Value>(&line).unwrap()["uuid"] == "r-t1"
            && raw["sha256"].as_str().unwrap().len() == 64
    );
}

#[test]
fn a_batch_is_answered_line_by_line() {
    let bench = Bench::new();
    bench.write("s1.jsonl", &shop("s1"));
    bench.record();
    let mut child = bench.command(&["recall", "--batch"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    writeln!(input, "{}", json!({"id": "a", "query": "QX4711", "limit": 1, "kind": ["error"]})).unwrap();
    writeln!(input, "no query").unwrap();
    writeln!(input, "{}", json!({"id": 3, "query": "basket", "kind": "message,edit"})).unwrap();
    drop(input);
    let output = child.wait_with_output().unwrap();
    let answers: Vec<Value> =
        String::from_utf8(output.stdout).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(answers.len(), 3);
    assert_eq!((&answers[0]["id"], &answers[0]["hits"][0]["tool_call"]), (&json!("a"), &json!("t1")));
    assert!(answers[0]["ms"].as_f64().is_some() && answers[0]["mode"] == "lexical");
    assert!(answers[1]["error"].is_string() && answers[1]["hits"] == json!([]));
    assert_eq!((&answers[2]["id"], &answers[2]["hits"]), (&json!(3), &json!([])));
}

#[test]
fn secrets_are_in_no_file_of_the_store() {
    let bench = Bench::new();
    let value: String = (0..28).map(|i| char::from(b"q7Rt2Vw9Kp4Zs6Ym"[(i * 7 + i / 3) % 16])).collect();
    let lines = [
        call("s1", "t1", "Bash", json!({"command": "env"})),
        result("s1", "t1", &format!("PATH=/usr/bin\nDB_PASSWORD={value}\nMODE=fast"), false),
        user("s1", "u1", &format!("it said {value}, is that right?")),
        call("s1", "t2", "Write", json!({"file_path": "/srv/shop/.env", "content": format!("DB_PASSWORD={value}\n")})),
    ];
    bench.write("s1.jsonl", &lines);
    let report = bench.record();
    assert!(report["redactions"].as_u64().unwrap() >= 3);
    let bytes = bench.bytes();
    let holds = |wanted: &str| bytes.windows(wanted.len()).any(|part| part == wanted.as_bytes());
    assert!(!holds(&value) && holds("MODE=fast"));
    let hit = bench.first_hit(&["it said", "--kind", "message"]);
    assert!(hit["text"].as_str().unwrap().contains("hmac:"));
    assert!(hit["raw"]["sha256"].is_null() && hit["raw"]["hmac"].is_string());
}

#[test]
fn a_line_of_a_file_leads_to_commit_call_and_prompt() {
    let bench = Bench::new();
    let project = bench.folder.path().join("shop");
    std::fs::create_dir(&project).unwrap();
    let git = |words: &[&str]| {
        let done = Command::new("git").args(words).current_dir(&project).output().unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    };
    std::fs::write(project.join("app.py"), "import os\nlimit = 40\n").unwrap();
    git(&["init", "-q"]);
    git(&["add", "."]);
    git(&["-c", "user.name=Ada", "-c", "user.email=ada@example.org", "commit", "-qm", "Raise the limit"]);
    std::fs::write(project.join("app.py"), "# a line that is not committed\nimport os\nlimit = 40\n").unwrap();
    let file = project.canonicalize().unwrap().join("app.py");
    let edit = json!({"file_path": file, "old_string": "limit = 1", "new_string": "limit = 40"});
    bench.write(
        "s1.jsonl",
        &[user("s1", "u1", "allow forty baskets"), call("s1", "t7", "Edit", edit), result("s1", "t7", "done", false)],
    );
    bench.record();
    let blamed = bench.json(&["blame", &format!("{}:3", file.display())]);
    assert_eq!(blamed["commit"]["subject"], "Raise the limit");
    assert_eq!((&blamed["calls"][0]["what"], &blamed["calls"][0]["tool_call"]), (&json!("wrote-line"), &json!("t7")));
    assert_eq!(blamed["calls"][0]["prompt"], "allow forty baskets");
    let new = bench.json(&["blame", &format!("{}:1", file.display())]);
    assert!(new["commit"].is_null() && new["calls"][0]["what"] == "changed-file");
    assert!(Path::new(new["path"].as_str().unwrap()).is_absolute());
}
