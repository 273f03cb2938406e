//! Breaks real stacks on a real container engine and lets the binary find out why.
//!
//! `CORONER_TEST_DOCKER_HOST` names the engine; without it these tests print *skipped* and
//! the recorded runs of the same scenarios (`recorded_scenarios.rs`) stand in.
//! `CORONER_RECORD_SCENARIOS=1` writes those recordings anew, each under the project's plain
//! name in `/srv`; run it with one test at a time, or the stacks stand in each other's recordings.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test panics where it fails"
)]

mod scenario;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use scenario::{Scenario, judge, root};
use serde_json::json;

/// What `scripts/test-images` makes.
const IMAGE: &str = "coroner-test/base:1";

macro_rules! scenarios {
    ($($function:ident => $name:literal,)*) => {
        $(#[test] fn $function() { play($name); })*

        #[test]
        fn every_scenario_is_played() {
            let mut there: Vec<String> = std::fs::read_dir(root().join("scenarios/engine")).unwrap()
                .flatten().filter_map(|e| e.file_name().to_str()?.strip_suffix(".md").map(str::to_owned)).collect();
            there.sort();
            let mut played = vec![$($name.to_owned()),*];
            played.sort();
            assert_eq!(there, played);
        }
    };
}

scenarios! {
    data_directory_removed => "data-directory-removed",
    dead_backend_port => "dead-backend-port",
    default_credential => "default-credential",
    default_credential_elsewhere => "default-credential-elsewhere",
    default_credential_misspelt => "default-credential-misspelt",
    env_kept_by_restart => "env-kept-by-restart",
    outside_proxy_network => "outside-proxy-network",
    password_changed_after_volume => "password-changed-after-volume",
}

/// A stack that is taken down when the test ends, however it ends.
struct Stack {
    folder: tempfile::TempDir,
    project: String,
    port: u16,
    engine: String,
    secrets: Vec<String>,
    /// Where the project lies; in `folder`, or a plain path for a recording.
    directory: PathBuf,
}

impl Drop for Stack {
    fn drop(&mut self) {
        let strays = format!("docker ps -aq --filter name=^gallery$ --filter ancestor={IMAGE}");
        let _ = self.bash(&format!("docker-compose down -v --remove-orphans -t 1; docker rm -f $({strays})"));
        if recording() {
            let _ = std::fs::remove_dir_all(&self.directory);
        }
    }
}

/// Whether the recorded runs are to be written anew.
fn recording() -> bool {
    std::env::var_os("CORONER_RECORD_SCENARIOS").is_some()
}

fn play(name: &str) {
    let Ok(engine) = std::env::var("CORONER_TEST_DOCKER_HOST") else {
        eprintln!("skipped: {name} needs a container engine (CORONER_TEST_DOCKER_HOST)");
        return;
    };
    let scenario = Scenario::read(name);
    let stack = Stack::new(&scenario, engine);
    stack.must(&scenario.up, "bring the stack up");
    stack.let_the_agent_work(&scenario);
    stack.must(&scenario.broken, "see it broken");

    let symptom = stack.fill(&scenario.expect.symptom);
    let live = stack.coroner(&["investigate", &symptom, "--format", "json"]);
    let report = stack.report(&live);
    let casefile = stack.folder.path().join("case.tar.zst");
    let path = casefile.to_str().unwrap();
    let recorded = stack.coroner(&["record", "--to", path, "--url", &symptom]);
    assert!(recorded.status.success(), "record: {}", String::from_utf8_lossy(&recorded.stderr));
    if recording() {
        stack.keep_recording(&scenario, &casefile, &symptom);
    }
    if let Err(why) = judge(&scenario.expect, &report, &stack.secrets) {
        panic!("{name}, live: {why}\n{:#}", report["hypotheses"]);
    }

    let symptom_args = ["investigate", &symptom, "--casefile", path, "--format", "json"];
    let first = stack.coroner(&symptom_args);
    let report = stack.report(&first);
    if let Err(why) = judge(&scenario.expect, &report, &stack.secrets) {
        panic!("{name}, from its casefile: {why}\n{:#}", report["hypotheses"]);
    }
    let second = stack.coroner(&symptom_args);
    assert!(first.stdout == second.stdout, "{name}: the same casefile gave other bytes");
}

impl Stack {
    fn new(scenario: &Scenario, engine: String) -> Stack {
        let folder = tempfile::Builder::new().prefix("stack").tempdir().unwrap();
        let free = || std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let port = if recording() { 8480 } else { free() };
        let secret =
            |seed: usize| (0..22).map(|i| char::from(b"k3Vn8QzL5wRt2Yp7"[(i * 7 + i / 3 + seed) % 16])).collect();
        let (project, directory) = if recording() {
            let project = scenario.expect.project.clone();
            let directory = Path::new("/srv").join(&project);
            std::fs::create_dir(&directory).unwrap();
            (project, directory)
        } else {
            let project = format!("t{port}{}", scenario.name.replace('-', ""));
            let directory = folder.path().join("srv").join(&project);
            std::fs::create_dir_all(&directory).unwrap();
            (project, directory)
        };
        let stack = Stack { folder, project, port, engine, secrets: vec![secret(0), secret(5)], directory };
        for (path, text) in &scenario.files {
            let path = stack.project_dir().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            let text = text.replace("@SECRET@", &stack.secrets[0]).replace("@SECRET2@", &stack.secrets[1]);
            std::fs::write(path, text).unwrap();
        }
        stack
    }

    fn project_dir(&self) -> &Path {
        &self.directory
    }

    fn home(&self) -> PathBuf {
        self.folder.path().join("home")
    }

    /// Fills in what differs from run to run; other variables stay for the shell.
    fn fill(&self, text: &str) -> String {
        text.replace("${PROJECT}", &self.project).replace("$PORT", &self.port.to_string())
    }

    fn environment(&self, command: &mut Command) {
        command
            .current_dir(&self.directory)
            .env("DOCKER_HOST", &self.engine)
            .env("COMPOSE_PROJECT_NAME", &self.project)
            .env("PORT", self.port.to_string())
            .env("HOME", self.home())
            .env("CLAUDE_CONFIG_DIR", self.home().join(".claude"))
            .env("CORONER_HOME", self.home().join("coroner"));
    }

    fn bash(&self, script: &str) -> Output {
        let prelude = "wait_for() { for _ in $(seq 120); do \
            [ \"$(curl -s -m 5 -o /dev/null -w '%{http_code}' \"$2\")\" = \"$1\" ] && return 0; sleep 0.5; done; \
            echo \"$2 never answered $1\" >&2; docker-compose logs --tail 40 >&2; return 1; }\n";
        let mut command = Command::new("bash");
        command.arg("-c").arg(format!("{prelude}{}", self.fill(script)));
        self.environment(&mut command);
        command.output().unwrap()
    }

    fn must(&self, script: &str, what: &str) {
        let output = self.bash(&format!("set -e\n{script}"));
        assert!(
            output.status.success(),
            "cannot {what}: {}\n{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
    }

    /// Runs the agent's commands and writes the transcript that Claude Code would have written.
    fn let_the_agent_work(&self, scenario: &Scenario) {
        let session = "5b1c7d2e-0000-4000-8000-00000000a11c";
        let (subagent, commands) = &scenario.agent;
        let encoded: String = self
            .project_dir()
            .display()
            .to_string()
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() || c == '-' { c } else { '-' })
            .collect();
        let folder = self.home().join(".claude/projects").join(encoded);
        std::fs::create_dir_all(&folder).unwrap();
        let mut main = vec![self.line(
            session,
            json!({"type": "user", "uuid": "u1",
            "message": {"role": "user", "content": "please tidy up and bring it up to date"}}),
        )];
        let mut calls = Vec::new();
        if subagent.is_some() {
            main.push(self.line(
                session,
                json!({"type": "assistant", "uuid": "u2", "message": {"id": "m1", "role": "assistant",
                "content": [{"type": "tool_use", "id": "toolu_task", "name": "Task",
                    "input": {"subagent_type": subagent, "description": "do it", "prompt": "do it"}}]}}),
            ));
        }
        for (number, command) in commands.iter().enumerate() {
            let command = self.fill(command);
            let id = format!("toolu_{number:02}");
            calls.push(self.line(
                session,
                json!({"type": "assistant", "uuid": format!("c{number}"),
                "message": {"id": format!("mm{number}"), "role": "assistant", "content": [
                    {"type": "tool_use", "id": id, "name": "Bash", "input": {"command": command}}]}}),
            ));
            let output = self.bash(&command);
            let text =
                format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
            let code = output.status.code().unwrap_or(-1);
            let text = if code == 0 { text } else { format!("Exit code {code}\n{text}") };
            let mut result = json!({"tool_use_id": id, "type": "tool_result", "content": text});
            if code != 0 {
                result["is_error"] = json!(true);
            }
            calls.push(self.line(
                session,
                json!({"type": "user", "uuid": format!("r{number}"),
                "message": {"role": "user", "content": [result]}}),
            ));
        }
        match subagent {
            None => main.extend(calls),
            Some(kind) => {
                let below = folder.join(session).join("subagents");
                std::fs::create_dir_all(&below).unwrap();
                for call in &mut calls {
                    call["isSidechain"] = json!(true);
                    call["agentId"] = json!("a77f01");
                }
                write_lines(&below.join("agent-a77f01.jsonl"), &calls);
                std::fs::write(below.join("agent-a77f01.meta.json"), json!({"agentType": kind}).to_string()).unwrap();
            }
        }
        write_lines(&folder.join(format!("{session}.jsonl")), &main);
    }

    fn line(&self, session: &str, mut value: serde_json::Value) -> serde_json::Value {
        let now = Command::new("date").args(["-u", "+%Y-%m-%dT%H:%M:%S.%3NZ"]).output().unwrap();
        value["sessionId"] = json!(session);
        value["cwd"] = json!(self.project_dir());
        value["version"] = json!("2.1.39");
        value["timestamp"] = json!(String::from_utf8_lossy(&now.stdout).trim());
        value
    }

    fn coroner(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_coroner"));
        command.args(arguments);
        self.environment(&mut command);
        command.output().unwrap()
    }

    fn report(&self, output: &Output) -> serde_json::Value {
        serde_json::from_slice(&output.stdout).unwrap_or_else(|e| {
            panic!(
                "no report ({e}): {}\n{}",
                String::from_utf8_lossy(&output.stdout),
                String::from_utf8_lossy(&output.stderr)
            )
        })
    }

    fn keep_recording(&self, scenario: &Scenario, casefile: &Path, symptom: &str) {
        let folder = root().join("scenarios/recorded");
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::copy(casefile, folder.join(format!("{}.tar.zst", scenario.name))).unwrap();
        std::fs::write(folder.join(format!("{}.symptom", scenario.name)), format!("{symptom}\n")).unwrap();
    }
}

fn write_lines(path: &Path, lines: &[serde_json::Value]) {
    let text: String = lines.iter().map(|l| format!("{l}\n")).collect();
    std::fs::write(path, text).unwrap();
}
