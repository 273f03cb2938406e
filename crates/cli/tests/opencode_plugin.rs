//! The plugin for OpenCode in a real JavaScript engine, as its host calls it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test panics where it fails"
)]

use std::path::Path;
use std::process::Command;

const BINARY: &str = env!("CARGO_BIN_EXE_coroner");

/// What a session that goes on, is compacted and calls a tool gets to see.
const SESSION: &str = r#"
import { Coroner } from "./coroner.mjs";
const hooks = await Coroner({ directory: process.cwd(), worktree: process.cwd() });
const told = async (sessionID) => {
  const output = { system: ["own"] };
  await hooks["experimental.chat.system.transform"]({ sessionID }, output);
  return output.system;
};
const out = { first: await told("a"), second: await told("a"), other: await told("b") };
await hooks.event({ event: { type: "session.compacted", properties: { sessionID: "a" } } });
out.compacted = await told("a");
try {
  await hooks["tool.execute.before"]({ tool: "bash", sessionID: "a", callID: "1" }, { args: { command: "rm -rf /usr" } });
} catch (error) { out.denied = error.message; }
await hooks["tool.execute.before"]({ tool: "bash", sessionID: "a", callID: "2" }, { args: { command: "true" } });
console.log(JSON.stringify(out));
"#;

fn session(work: &Path, program: &str) -> serde_json::Value {
    let mut command = Command::new("node");
    command.arg("session.mjs").current_dir(work).env("CORONER_HOME", work.join("own")).env("CORONER_BIN", program);
    let out = command.output().unwrap();
    serde_json::from_slice(&out.stdout).unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&out.stderr)))
}

#[test]
fn a_session_is_told_the_lessons_in_its_system_text_before_and_after_a_compaction() {
    if !Command::new("sh").args(["-c", "command -v node"]).output().unwrap().status.success() {
        println!("skipped: node is not installed");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let work = std::fs::canonicalize(folder.path()).unwrap();
    std::fs::write(work.join("coroner.mjs"), coroner_verbs::hook::OPENCODE_PLUGIN).unwrap();
    std::fs::write(work.join("session.mjs"), SESSION).unwrap();
    let quiet = session(&work, BINARY);
    assert_eq!(quiet["first"], serde_json::json!(["own"]), "where nothing was learned nothing is told");
    assert!(quiet["denied"].as_str().unwrap().contains("/usr"), "{quiet}");

    let mut new = Command::new(BINARY);
    new.args([
        "incident",
        "new",
        "rsync wiped postgres",
        "--severity",
        "critical",
        "--lesson",
        "Dry-run what deletes.",
    ]);
    assert!(new.env("CORONER_HOME", work.join("own")).current_dir(&work).status().unwrap().success());
    let told = session(&work, BINARY);
    for when in ["first", "second", "other", "compacted"] {
        let system = told[when].as_array().unwrap();
        assert!(system.len() == 2 && system[1].as_str().unwrap().contains("Dry-run what deletes."), "{when}: {told}");
    }
}

#[test]
fn a_session_goes_on_where_coroner_is_gone_and_its_calls_do_not() {
    if !Command::new("sh").args(["-c", "command -v node"]).output().unwrap().status.success() {
        println!("skipped: node is not installed");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let work = std::fs::canonicalize(folder.path()).unwrap();
    std::fs::write(work.join("coroner.mjs"), coroner_verbs::hook::OPENCODE_PLUGIN).unwrap();
    let start = SESSION
        .split("await hooks[\"tool.execute.before\"]({ tool: \"bash\", sessionID: \"a\", callID: \"2\"")
        .next()
        .unwrap();
    std::fs::write(work.join("session.mjs"), format!("{start}\nconsole.log(JSON.stringify(out));\n")).unwrap();
    let told = session(&work, "/nowhere/coroner");
    assert_eq!(told["first"], serde_json::json!(["own"]));
    assert!(told["denied"].as_str().unwrap().contains("no answer"), "{told}");
}
