//! `coroner record --follow` and the recording that hooks of agents start.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test panics where it fails"
)]

mod recording;

use std::fs;
use std::io::Write;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use recording::Site;
use serde_json::json;

/// How long anything may take that takes a moment, on a machine under load.
const PATIENCE: Duration = Duration::from_secs(30);

fn line(id: &str, words: &str) -> String {
    let said = json!({"role": "user", "content": words});
    let at = "2026-01-23T05:12:09Z";
    json!({"type": "user", "uuid": id, "sessionId": "s1", "cwd": "/srv", "timestamp": at, "message": said}).to_string()
        + "\n"
}

fn append(path: &std::path::Path, text: &str) {
    fs::File::options().append(true).create(true).open(path).unwrap().write_all(text.as_bytes()).unwrap();
}

fn until(what: &str, is_so: impl Fn() -> bool) -> Duration {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < PATIENCE, "{what} did not happen");
        std::thread::sleep(Duration::from_millis(50));
    }
    begun.elapsed()
}

fn is_found(site: &Site, words: &str) -> bool {
    site.path("own/store/coroner.db").is_file()
        && site.recall(words)["hits"].as_array().is_some_and(|hits| !hits.is_empty())
}

/// Ticks of the processor and voluntary changes of context that a process has had.
fn spent(child: &Child) -> (u64, u64) {
    let read = |name: &str| fs::read_to_string(format!("/proc/{}/{name}", child.id())).unwrap();
    let stat = read("stat");
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    let ticks = fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap();
    let mut switches = 0;
    for task in fs::read_dir(format!("/proc/{}/task", child.id())).unwrap().flatten() {
        let status = fs::read_to_string(task.path().join("status")).unwrap();
        let count = status.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:")).unwrap();
        switches += count.trim().parse::<u64>().unwrap();
    }
    (ticks, switches)
}

#[test]
fn what_comes_is_recorded_within_seconds_and_nothing_is_done_while_nothing_comes() {
    let site = Site::new();
    let first = site.put("home/.claude/projects/-srv/s1.jsonl", &line("a", "the first numbat"));
    let mut child = site.command(&["record", "--follow"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    until("the first recording", || is_found(&site, "numbat"));
    append(&first, &line("b", "a second quokka"));
    let took = until("an appended line", || is_found(&site, "quokka"));
    println!("an appended line was found after {took:?}");
    // A folder that was not there when it began.
    site.put("home/.claude/projects/-new/s2.jsonl", &line("c", "a third bilby").replace("s1", "s2"));
    until("a new project", || is_found(&site, "bilby"));
    append(&site.path("home/.claude/projects/-new/s2.jsonl"), &line("d", "a fourth potoroo").replace("s1", "s2"));
    until("a line of a new project", || is_found(&site, "potoroo"));
    std::thread::sleep(Duration::from_secs(3));
    let before = spent(&child);
    std::thread::sleep(Duration::from_secs(20));
    let after = spent(&child);
    let (ticks, switches) = (after.0 - before.0, after.1 - before.1);
    println!("20 seconds of nothing cost {ticks} ticks and {switches} wake-ups");
    // A loop that looks every two seconds would wake up ten times.
    assert!(ticks <= 2 && switches <= 4, "{ticks} ticks, {switches} wake-ups");
    let pid = child.id().to_string();
    assert!(std::process::Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
    until("its end", || {
        matches!(std::fs::read_to_string(format!("/proc/{pid}/stat")), Ok(s) if s.contains(") Z"))
            || !std::path::Path::new(&format!("/proc/{pid}")).exists()
    });
    assert_eq!(child.wait().unwrap().code(), Some(0), "Ctrl-C ends it cleanly");
    assert_eq!(site.problems(), json!([]));
    assert_eq!(site.record(&[])["rows_written"], 0);
}

fn hook(site: &Site, agent: &str, event: &serde_json::Value) -> (std::process::Output, Duration) {
    let begun = Instant::now();
    let mut command = site.command(&["hook", "--agent", agent]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(event.to_string().as_bytes()).unwrap();
    (child.wait_with_output().unwrap(), begun.elapsed())
}

#[test]
fn what_ends_is_recorded_by_a_process_that_the_agent_does_not_wait_for() {
    let events = |agent: &str, path: &str| match agent {
        "cursor" => json!({"hook_event_name": "stop", "conversation_id": "s1", "transcript_path": path}),
        "gemini" => json!({"hook_event_name": "SessionEnd", "session_id": "s1", "transcript_path": path}),
        "copilot" => json!({"sessionId": "s1", "stopReason": "end_turn", "transcriptPath": path}),
        "codex" => json!({"hook_event_name": "PreCompact", "session_id": "s1", "transcript_path": path}),
        _ => json!({"hook_event_name": "SubagentStop", "session_id": "s1", "agent_transcript_path": path}),
    };
    for (agent, word) in
        [("claude", "numbat"), ("codex", "quokka"), ("gemini", "bilby"), ("cursor", "potoroo"), ("copilot", "quoll")]
    {
        let site = Site::new();
        let path = site.put("home/somewhere/s1.jsonl", &line("a", word)).display().to_string();
        site.put("home/elsewhere/s2.jsonl", &line("b", "nobody named the dingo"));
        let (out, took) = hook(&site, agent, &events(agent, &path));
        println!("{agent}: the hook took {took:?}");
        assert!(out.status.success() && out.stdout.is_empty() && out.stderr.is_empty(), "{agent}: {out:?}");
        until(&format!("the recording for {agent}"), || is_found(&site, word));
        assert!(!is_found(&site, "dingo"), "{agent}: only what ended is recorded");
    }
}

#[test]
fn hooks_that_come_together_start_one_recording_and_lose_nothing() {
    let site = Site::new();
    site.record(&["--from", &site.path("project").display().to_string()]);
    let paths: Vec<_> = (0..12)
        .map(|n| {
            let text = line(&format!("m{n}"), &format!("turn number{n} of many")).replace("s1", &format!("t{n}"));
            site.put(&format!("home/x/t{n}.jsonl"), &text)
        })
        .collect();
    std::thread::scope(|scope| {
        for path in &paths {
            let site = &site;
            scope.spawn(move || {
                let event = json!({"hook_event_name": "Stop", "session_id": "s", "transcript_path": path});
                assert!(hook(site, "claude", &event).0.status.success());
            });
        }
    });
    for n in 0..12 {
        until(&format!("turn {n}"), || is_found(&site, &format!("number{n}")));
    }
    let is_empty = || {
        let names = fs::read_dir(site.path("own/store/wishes")).unwrap().flatten().map(|entry| entry.file_name());
        names.into_iter().all(|name| name == "lock")
    };
    until("the last wish", is_empty);
    assert_eq!(site.problems(), json!([]));
    // A full store, a source that is gone or is no file: the agent hears nothing of it.
    fs::write(site.path("own/store/limits.toml"), "disk_used_percent_max = 1\n").unwrap();
    for path in [paths[0].display().to_string(), "/nowhere/s.jsonl".to_owned(), "relative".to_owned(), String::new()] {
        let event = json!({"hook_event_name": "SessionEnd", "session_id": "s", "transcript_path": path});
        let (out, _) = hook(&site, "claude", &event);
        assert!(out.status.success() && out.stdout.is_empty() && out.stderr.is_empty(), "{path:?}: {out:?}");
    }
}
