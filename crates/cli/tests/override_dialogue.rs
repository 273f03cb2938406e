//! The dialogue by which a person lets a denied call through once, on a real terminal.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test panics where it fails"
)]

mod terminal;

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

const BINARY: &str = env!("CARGO_BIN_EXE_coroner");

struct Site {
    _folder: tempfile::TempDir,
    home: PathBuf,
    work: PathBuf,
}

impl Site {
    fn new() -> Site {
        let folder = tempfile::tempdir().unwrap();
        let root = std::fs::canonicalize(folder.path()).unwrap();
        let site = Site { home: root.join("home"), work: root.join("work"), _folder: folder };
        std::fs::create_dir_all(&site.work).unwrap();
        site
    }

    /// What the hook of an agent answers to a command: empty where it may run.
    fn hook(&self, command: &str) -> String {
        let event = serde_json::json!({"hook_event_name": "PreToolUse", "tool_name": "Bash", "cwd": self.work,
            "session_id": "s", "tool_input": {"command": command}});
        let mut child = Command::new(BINARY)
            .args(["hook", "--agent", "claude"])
            .env("CORONER_HOME", &self.home)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(event.to_string().as_bytes()).unwrap();
        String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap()
    }

    fn denials(&self) -> Vec<String> {
        let out = self.alone(&["guard", "override", "--format", "json"]);
        let list: serde_json::Value = serde_json::from_slice(&out.stdout).unwrap();
        list.as_array().unwrap().iter().map(|denial| denial["id"].as_str().unwrap().to_owned()).collect()
    }

    /// The program without a terminal.
    fn alone(&self, args: &[&str]) -> Output {
        let mut command = Command::new("setsid");
        command.args(["-w", BINARY]).args(args).env("CORONER_HOME", &self.home).stdin(Stdio::null());
        command.output().unwrap()
    }

    /// The program at a terminal; as no administrator, and at home in `HOME`.
    fn asked(&self, line: &str, answers: &[(&str, &str)]) -> Option<(i32, String)> {
        terminal::answered(&format!("{BINARY} {line}"), answers, |command| {
            command.env("CORONER_HOME", &self.home).current_dir(&self.work);
        })
    }
}

/// Denied whatever the state of the host.
const DENIED: &str = "rm -rf /usr/lib/coroner-test-nowhere /usr";

#[test]
fn a_person_with_the_passphrase_lets_one_call_through_once() {
    let site = Site::new();
    let words = ["correct", "horse", "battery"].join(" ");
    let set = |answers: &[(&str, &str)]| site.asked("guard passphrase", answers);
    let Some((code, said)) = set(&[("New passphrase: ", &words), ("again: ", "something else")]) else { return };
    assert!(code == 2 && said.contains("not the same"), "{said}");
    let (code, said) = set(&[("New passphrase: ", "short"), ("again: ", "short")]).unwrap();
    assert_eq!(code, 2, "{said}");
    let (code, said) = set(&[("New passphrase: ", &words), ("again: ", &words)]).unwrap();
    assert!(code == 0 && !said.contains(&words), "it is not shown as it is typed: {said}");

    assert!(site.hook(DENIED).contains("\"deny\""));
    let id = site.denials().remove(0);
    let lift = |passphrase: &str| site.asked(&format!("guard override {id}"), &[("Passphrase: ", passphrase)]);
    let (code, said) = lift("wrong horse battery").unwrap();
    assert!(code == 2 && said.contains("not the passphrase"), "{said}");
    assert!(site.hook(DENIED).contains("\"deny\""), "a wrong passphrase lifts nothing");
    let alone = site.alone(&["guard", "override", &id]);
    assert!(alone.status.code() == Some(2), "nobody is at a terminal");
    let (code, said) = lift(&words).unwrap();
    assert!(code == 0 && said.contains("rm -rf /usr") && said.contains("Lifted until"), "{said}");
    assert!(!said.contains(&words));
    assert!(!site.hook(DENIED).contains("\"deny\""), "this call may run");
    assert!(site.hook(DENIED).contains("\"deny\""), "and only once");

    // Who does not know the words cannot change them.
    let answers = [("until now: ", "no idea at all"), ("New passphrase: ", "another one"), ("again: ", "another one")];
    let (code, said) = set(&answers).unwrap();
    assert!(code == 2 && said.contains("not the passphrase"), "{said}");
}
