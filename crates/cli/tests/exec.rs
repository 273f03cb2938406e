//! `coroner exec` and the lines typed into real shells.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test panics where it fails"
)]

mod terminal;

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::time::Instant;

use terminal::{PATIENCE, Terminal};

const BINARY: &str = env!("CARGO_BIN_EXE_coroner");

struct Site {
    _folder: tempfile::TempDir,
    home: PathBuf,
    work: PathBuf,
}

impl Site {
    /// A folder with a repository that has a branch of its own.
    fn new() -> Site {
        let folder = tempfile::tempdir().unwrap();
        let root = fs::canonicalize(folder.path()).unwrap();
        let site = Site { home: root.join("home"), work: root.join("work"), _folder: folder };
        fs::create_dir_all(&site.work).unwrap();
        let git = "git init -q . && git -c user.name=t -c user.email=t@example.org commit -q --allow-empty -m one && git checkout -q -b feature && git -c user.name=t -c user.email=t@example.org commit -q --allow-empty -m two && git checkout -q -";
        assert!(Command::new("sh").args(["-c", git]).current_dir(&site.work).status().unwrap().success());
        site
    }

    /// The program without a terminal.
    fn exec(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new("setsid");
        command.args(["-w", BINARY, "exec"]).args(arguments);
        command.env("CORONER_HOME", &self.home).current_dir(&self.work).stdin(Stdio::null()).output().unwrap()
    }

    fn has_branch(&self) -> bool {
        let out = Command::new("git").args(["branch", "--list", "feature"]).current_dir(&self.work).output().unwrap();
        !out.stdout.is_empty()
    }

    fn records(&self) -> Vec<serde_json::Value> {
        let Ok(folder) = fs::read_dir(self.home.join("sessions")) else { return Vec::new() };
        let texts = folder.flatten().map(|e| fs::read_to_string(e.path()).unwrap());
        texts.flat_map(|t| t.lines().map(|l| serde_json::from_str(l).unwrap()).collect::<Vec<_>>()).collect()
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn what_is_allowed_runs_and_its_exit_code_is_the_answer() {
    let site = Site::new();
    for (arguments, code, out) in [
        (vec!["--", "printf", "%s", "a b"], 0, "a b"),
        (vec!["-c", "echo $((1+1)); exit 7"], 7, "2\n"),
        (vec!["--", "sh", "-c", "kill -TERM $$"], 143, ""),
        (vec!["--", "/nowhere/program", "x"], 127, ""),
    ] {
        let done = site.exec(&arguments);
        assert_eq!(done.status.code(), Some(code), "{arguments:?}: {}", text(&done.stderr));
        assert_eq!(text(&done.stdout), out, "{arguments:?}");
    }
}

#[test]
fn what_needs_a_person_is_refused_without_a_terminal_and_written_down() {
    let site = Site::new();
    let done = site.exec(&["--", "git", "branch", "-D", "feature"]);
    assert_eq!(done.status.code(), Some(1));
    assert!(text(&done.stderr).contains("no terminal"), "{}", text(&done.stderr));
    assert!(site.has_branch());
    let shown = site.exec(&["--dry-run", "--", "git", "branch", "-D", "feature"]);
    assert_eq!(shown.status.code(), Some(1));
    assert!(text(&shown.stdout).contains("feature"));
    site.exec(&["--", "true"]);
    let records = site.records();
    let calls: Vec<_> = records.iter().filter(|r| r.get("tool_call").is_some()).collect();
    assert_eq!(calls.len(), 2, "a dry run is no call: {records:?}");
    assert!(records.iter().any(|r| r["schema"] == "coroner/session/v1"));
    assert!(calls.iter().any(|c| c["status"] == "rejected" && c["exit_code"].is_null()));
    assert!(calls.iter().any(|c| c["command"] == "true" && c["exit_code"] == 0));
}

#[test]
fn a_secret_does_not_reach_the_record_and_a_loss_is_kept() {
    let site = Site::new();
    let value = ["correct", "horse", "battery"].join("-");
    let mut command = Command::new(BINARY);
    command.args(["exec", "-c", &format!("echo {value} > /dev/null")]).env("DB_PASSWORD", &value);
    assert!(command.env("CORONER_HOME", &site.home).current_dir(&site.work).status().unwrap().success());
    let records = format!("{:?}", site.records());
    assert!(records.contains("hmac:") && !records.contains(&value), "{records}");

    // Where no git tells what is worth asking for, it is kept without a question.
    fs::remove_dir_all(site.work.join(".git")).unwrap();
    fs::write(site.work.join("loose.txt"), "only copy\n").unwrap();
    assert!(site.exec(&["--", "rm", "loose.txt"]).status.success());
    let undo = |arguments: &[&str]| {
        let done = Command::new(BINARY).arg("undo").args(arguments).env("CORONER_HOME", &site.home).output().unwrap();
        (done.status.code(), text(&done.stdout))
    };
    assert!(undo(&[]).1.contains("rm loose.txt"));
    let (code, plan) = undo(&["last", "--dry-run"]);
    assert!(code == Some(0) && plan.contains("restore") && !site.work.join("loose.txt").exists(), "{plan}");
    assert_eq!(undo(&["last", "--yes"]).0, Some(0));
    assert_eq!(fs::read_to_string(site.work.join("loose.txt")).unwrap(), "only copy\n");
}

#[test]
fn signals_go_on_to_the_command() {
    let site = Site::new();
    let script = "trap 'echo got; exit 5' TERM; echo ready; while :; do read -t 1 -r _ <> <(:); done";
    let mut child = Command::new("setsid")
        .args(["-w", BINARY, "exec", "-c", script])
        .env("CORONER_HOME", &site.home)
        .current_dir(&site.work)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    out.read_line(&mut line).unwrap();
    assert_eq!(line, "ready\n");
    let pid = process_of(&child);
    assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    line.clear();
    out.read_line(&mut line).unwrap();
    assert_eq!(line, "got\n");
    assert_eq!(child.wait().unwrap().code(), Some(5));
}

/// The process that is `coroner exec`: the child itself, or the one that it started.
fn process_of(child: &Child) -> String {
    let own = child.id().to_string();
    let name = |pid: &str| fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
    if name(&own).trim() == "coroner" {
        return own;
    }
    let children = fs::read_to_string(format!("/proc/{own}/task/{own}/children")).unwrap();
    children.split_whitespace().find(|pid| name(pid).trim() == "coroner").unwrap().to_owned()
}

#[test]
fn a_copy_that_is_cut_short_is_not_listed() {
    let site = Site::new();
    fs::create_dir(site.work.join("notes")).unwrap();
    for number in 0..4_000 {
        fs::write(site.work.join(format!("notes/{number}")), "x").unwrap();
    }
    let event = serde_json::json!({"hook_event_name": "PreToolUse", "tool_name": "Bash", "cwd": site.work,
        "session_id": "s", "tool_input": {"command": "truncate -s 0 notes/*"}});
    let mut child = Command::new(BINARY)
        .args(["hook", "--agent", "claude"])
        .env("CORONER_HOME", &site.home)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(event.to_string().as_bytes()).unwrap();
    let area = site.home.join("undo");
    let until = Instant::now() + PATIENCE;
    let folders =
        || fs::read_dir(&area).into_iter().flatten().flatten().filter(|e| e.path().is_dir()).collect::<Vec<_>>();
    while folders().is_empty() && child.try_wait().unwrap().is_none() {
        assert!(Instant::now() < until, "no copy was begun");
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let begun = folders();
    assert_eq!(begun.len(), 1);
    let whole = !begun[0].file_name().to_string_lossy().ends_with(".part");
    let out = Command::new(BINARY).arg("undo").env("CORONER_HOME", &site.home).output().unwrap();
    assert_eq!(text(&out.stdout).contains("truncate"), whole, "{}", text(&out.stdout));
}

/// A real shell at a terminal of its own; `None` where it is not installed.
fn open(site: &Site, shell: &str, binary: &str) -> Option<Terminal> {
    let snippet = Command::new(BINARY).args(["exec", "--shell", shell]).output().unwrap();
    let start = text(&snippet.stdout).replace(&format!("{BINARY} exec"), &format!("{binary} exec"));
    let start = start.replace(&format!("'{BINARY}' exec"), &format!("{binary} exec"));
    let (file, call) = match shell {
        "bash" => (site.home.join("rc"), format!("bash --noprofile --rcfile {}/rc -i", site.home.display())),
        _ => (site.home.join(".zshrc"), format!("ZDOTDIR={} zsh -d -i", site.home.display())),
    };
    fs::create_dir_all(&site.home).unwrap();
    fs::write(file, format!("PS1='ready> '\nPS2='more> '\n{start}")).unwrap();
    let mut terminal = Terminal::start(&call, &[shell], |command| {
        command.env("CORONER_HOME", &site.home).current_dir(&site.work);
    })?;
    terminal.wait("ready> ");
    Some(terminal)
}

/// Types a line and waits for what it prints: a shell may show its prompt again before that.
fn typed(terminal: &mut Terminal, line: &str, wanted: &str) -> String {
    terminal.send(&format!("{line}\r"));
    let seen = terminal.wait(wanted);
    terminal.wait("ready> ");
    seen
}

fn typed_lines_are_judged(shell: &str) {
    let site = Site::new();
    let Some(mut terminal) = open(&site, shell, BINARY) else { return };
    typed(&mut terminal, "echo a$((1+1))b", "a2b");
    terminal.send("false\r");
    typed(&mut terminal, "echo code=$?", "code=1");
    terminal.send("\r");
    terminal.wait("ready> ");

    // A whole line is judged before any part of it runs.
    terminal.send("echo first-$((2+2)); git branch -D feature\r");
    let asked = terminal.wait("[y/N] ");
    assert!(asked.contains("feature") && !asked.contains("first-4"), "{asked}");
    terminal.send("n\r");
    terminal.wait("not run");
    let after = typed(&mut terminal, "echo still-$((3+3))", "still-6");
    assert!(!after.contains("first-4"), "{after}");
    assert!(site.has_branch());

    // A loop over several lines is judged with what was typed before.
    terminal.send("for name in feature; do\r");
    terminal.wait("more> ");
    terminal.send("git branch -D $name\r");
    terminal.wait("[y/N] ");
    terminal.send("n\r");
    terminal.wait("not run");
    if shell == "bash" {
        // It is drawn again after the answer, and stands anew for the line that was emptied.
        terminal.wait("more> ");
        terminal.wait("more> ");
        terminal.send("\u{3}");
    }
    terminal.wait("ready> ");
    assert!(site.has_branch());

    // Ctrl-C at the question is no yes.
    terminal.send("git branch -D feature\r");
    terminal.wait("[y/N] ");
    terminal.send("\u{3}");
    terminal.wait("not run");
    typed(&mut terminal, "echo after-$((4+4))", "after-8");
    assert!(site.has_branch());

    terminal.send("git branch -D feature\r");
    terminal.wait("[y/N] ");
    terminal.send("y\r");
    terminal.wait("Deleted branch");
    assert!(!site.has_branch(), "a person may say yes");
    terminal.send("exit\r");
    let kept = Command::new(BINARY).arg("undo").env("CORONER_HOME", &site.home).output().unwrap();
    assert!(text(&kept.stdout).contains("feature"), "{}", text(&kept.stdout));
}

fn a_line_runs_where_coroner_is_gone(shell: &str) {
    let site = Site::new();
    let Some(mut terminal) = open(&site, shell, "/nowhere/coroner") else { return };
    let said = typed(&mut terminal, "echo one-$((1+1))", "one-2");
    assert!(said.contains("could not judge"), "{said}");
    let said = typed(&mut terminal, "echo two-$((1+1))", "two-2");
    assert!(!said.contains("could not judge"), "{said}");
}

#[test]
fn lines_typed_into_bash_are_judged() {
    typed_lines_are_judged("bash");
}

#[test]
fn lines_typed_into_zsh_are_judged() {
    typed_lines_are_judged("zsh");
}

#[test]
fn a_line_runs_in_bash_where_coroner_is_gone() {
    a_line_runs_where_coroner_is_gone("bash");
}

#[test]
fn a_line_runs_in_zsh_where_coroner_is_gone() {
    a_line_runs_where_coroner_is_gone("zsh");
}
