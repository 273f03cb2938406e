//! `coroner init` and `coroner doctor` through the real program, in a home of their own.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test panics where it fails"
)]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

struct Place {
    folder: tempfile::TempDir,
}

const AGENTS: [(&str, &str, &str); 6] = [
    ("claude", ".claude", ".claude/settings.json"),
    ("codex", ".codex", ".codex/hooks.json"),
    ("gemini", ".gemini", ".gemini/settings.json"),
    ("cursor", ".cursor", ".cursor/hooks.json"),
    ("copilot", ".copilot", ".copilot/hooks/coroner.json"),
    ("opencode", ".config/opencode", ".config/opencode/plugins/coroner.js"),
];

impl Place {
    fn new() -> Place {
        let place = Place { folder: tempfile::tempdir().unwrap() };
        fs::create_dir_all(place.project()).unwrap();
        fs::create_dir_all(place.home()).unwrap();
        place
    }

    fn home(&self) -> PathBuf {
        self.folder.path().join("home")
    }

    fn project(&self) -> PathBuf {
        self.folder.path().join("project")
    }

    fn put(&self, path: &str, text: &str) -> PathBuf {
        let path = self.folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path
    }

    fn run(&self, words: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_coroner"))
            .args(words)
            .env_clear()
            .env("HOME", self.home())
            .env("CORONER_HOME", self.folder.path().join("own"))
            .env("PATH", "/usr/bin:/bin")
            .current_dir(self.project())
            .stdin(Stdio::null())
            .output()
            .unwrap()
    }

    fn doctor(&self, agent: &str) -> (i32, Vec<(String, String)>) {
        let out = self.run(&["doctor", agent, "--format", "json"]);
        let report: Value = serde_json::from_slice(&out.stdout).unwrap();
        assert_eq!(report["schema"], "coroner/doctor/v1");
        let held = |check: &Value, key: &str| check[key].as_str().unwrap_or_default().to_owned();
        let checks = report["checks"].as_array().unwrap();
        let any = checks.iter().any(|check| check["health"] == "problem");
        assert_eq!(out.status.code(), Some(i32::from(any)), "{}", text(&out));
        let own: Vec<&Value> = checks.iter().filter(|check| check["subject"] == agent).collect();
        // A disk that is full is a problem of its own.
        let code = i32::from(own.iter().any(|check| check["health"] == "problem"));
        (code, own.into_iter().map(|check| (held(check, "health"), held(check, "text"))).collect())
    }
}

fn text(out: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr))
}

fn problems(checks: &[(String, String)]) -> Vec<&str> {
    checks.iter().filter(|(health, _)| health == "problem").map(|(_, text)| text.as_str()).collect()
}

#[test]
fn each_agent_is_wired_tried_and_unwired() {
    for (agent, folder, file) in AGENTS {
        let place = Place::new();
        fs::create_dir_all(place.home().join(folder)).unwrap();
        let (code, checks) = place.doctor(agent);
        assert!(code == 1 && problems(&checks).len() == 1, "{agent}: {checks:?}");
        let dry = place.run(&["init", "--hooks", agent, "--dry-run"]);
        assert!(dry.status.success() && !place.home().join(file).exists(), "{agent}");
        let done = place.run(&["init", "--hooks", agent, "--yes"]);
        assert!(done.status.success(), "{agent}: {}", text(&done));
        let (code, checks) = place.doctor(agent);
        assert!(code == 0 && problems(&checks).is_empty(), "{agent}: {checks:?}");
        assert!(
            checks.iter().any(|(health, text)| health == "ok" && text.contains("canary was stopped")),
            "{checks:?}"
        );
        let journal = place.folder.path().join("own/guard");
        assert!(!journal.exists(), "{agent}: a canary is written down nowhere");
        let before = fs::read(place.home().join(file)).unwrap();
        place.run(&["init", "--hooks", agent, "--yes"]);
        assert_eq!(fs::read(place.home().join(file)).unwrap(), before, "{agent}: a second time changes nothing");
        assert!(place.run(&["init", "--remove-hooks", agent, "--yes"]).status.success());
        assert_eq!(place.doctor(agent).0, 1, "{agent}");
    }
}

#[test]
fn nothing_is_written_without_a_yes() {
    let place = Place::new();
    let settings = place.put("home/.claude/settings.json", "{\"model\": \"x\"}\n");
    let out = place.run(&["init", "--hooks"]);
    assert_eq!(out.status.code(), Some(1), "{}", text(&out));
    assert!(text(&out).contains("+") && text(&out).contains("PreToolUse"));
    assert_eq!(fs::read_to_string(settings).unwrap(), "{\"model\": \"x\"}\n");
    let out = place.run(&["init"]);
    assert!(!place.project().join(".coroner/coroner.toml").exists(), "{}", text(&out));
}

#[test]
fn undo_brings_settings_back() {
    let place = Place::new();
    let mine = "{\n  \"model\": \"x\",\n  \"env\": {\"A\": \"1\"}\n}\n";
    let settings = place.put("home/.claude/settings.json", mine);
    let out = text(&place.run(&["init", "--hooks", "claude", "--yes"]));
    let id = out.lines().find_map(|l| l.strip_prefix("To take it back: coroner undo ")).unwrap().to_owned();
    assert_ne!(fs::read_to_string(&settings).unwrap(), mine);
    let undone = place.run(&["undo", &id, "--yes"]);
    assert_eq!(fs::read_to_string(&settings).unwrap(), mine, "{}", text(&undone));
}

#[test]
fn settings_that_cannot_be_merged_stay_as_they_are() {
    for (agent, file, held) in [
        ("claude", ".claude/settings.json", "{ // mine\n  \"model\": \"x\"\n}\n"),
        ("claude", ".claude/settings.json", "{\"model\": \"x\""),
        ("codex", ".codex/hooks.json", "{\"$schema\": \"x\", \"hooks\": {}}"),
        ("gemini", ".gemini/settings.json", "{\"hooks\": 3}"),
        ("cursor", ".cursor/hooks.json", "{\"version\": \"1\", \"hooks\": {}}"),
        ("opencode", ".config/opencode/plugins/coroner.js", "export const Mine = 1;\n"),
    ] {
        let place = Place::new();
        let path = place.put(&format!("home/{file}"), held);
        let out = place.run(&["init", "--hooks", agent, "--yes"]);
        assert_eq!(out.status.code(), Some(1), "{agent}: {}", text(&out));
        assert!(text(&out).contains("left alone"), "{}", text(&out));
        assert_eq!(fs::read_to_string(path).unwrap(), held);
    }
}

#[test]
fn traps_of_real_settings_are_found() {
    let bin = env!("CARGO_BIN_EXE_coroner");
    let claude = |handler: &str, rest: &str| {
        format!(
            "{{{rest}\"hooks\":{{\"PreToolUse\":[{{\"matcher\":\"Bash|Write|Edit|MultiEdit|NotebookEdit|Read|mcp__.*\",\"hooks\":[{handler}]}}]}}}}"
        )
    };
    let good = format!(
        r#"{{"type":"command","command":"{bin}","args":["hook","--agent","claude"],"timeout":10,"onFailure":"block"}}"#
    );
    let fail = r#"{"type":"command","command":"exit 3; coroner hook --agent claude","timeout":10,"onFailure":"block"}"#;
    let hang =
        r#"{"type":"command","command":"sleep 30; coroner hook --agent claude","timeout":2,"onFailure":"block"}"#;
    let soft = r#"{"type":"command","command":"echo '{}'; true coroner hook","timeout":10,"onFailure":"block"}"#;
    for (name, held, wanted) in [
        ("off", claude(&good, "\"disableAllHooks\":true,"), "disableAllHooks is true"),
        ("gone", claude(&good.replace(bin, "/nowhere/coroner"), ""), "cannot be started"),
        ("open", claude(&good.replace(",\"onFailure\":\"block\"", ""), ""), "onFailure is not"),
        ("unit", claude(&good.replace(":10,", ":10000,"), ""), "looks like milliseconds"),
        ("async", claude(&good.replace("\"timeout\"", "\"async\":true,\"timeout\""), ""), "is not waited for"),
        ("if", claude(&good.replace("\"timeout\"", "\"if\":\"Bash(git push*)\",\"timeout\""), ""), "runs only if"),
        ("fails", claude(fail, ""), "exit code 3"),
        ("hangs", claude(hang, ""), "no answer in its time"),
        ("soft", claude(soft, ""), "was let through"),
        ("matcher", claude(&good, "").replace("Bash|Write", "Write"), "does not take shell calls in"),
        ("tools", claude(&good, "").replace("|mcp__.*", ""), "leaves out mcp__server__tool"),
        ("broken", claude(&good, "").replace("}]}]}}", "}]}]}"), "is passed over"),
    ] {
        let place = Place::new();
        place.put("home/.claude/settings.json", &held);
        let (code, checks) = place.doctor("claude");
        assert!(code == 1 && problems(&checks).iter().any(|text| text.contains(wanted)), "{name}: {checks:?}");
    }
    let place = Place::new();
    place.put("home/.claude/settings.json", &claude(&good, "\"cleanupPeriodDays\":7,"));
    let (code, checks) = place.doctor("claude");
    assert!(code == 0 && checks.iter().any(|(_, text)| text.contains("after 7 days")), "{checks:?}");
    place.put("home/.claude/settings.json", &claude(&good, "\"cleanupPeriodDays\":40,"));
    let says = |place: &Place, words: &str| place.doctor("claude").1.iter().any(|(_, text)| text.contains(words));
    let says_when = |place: &Place| says(place, "1 that go within the next 7 days are not recorded");
    place.put("home/.claude/projects/-a/new.jsonl", "");
    let old = place.put("home/.claude/projects/-a/old.jsonl", "");
    assert!(!says_when(&place));
    let written = std::time::SystemTime::now() - std::time::Duration::from_secs(35 * 86_400);
    fs::File::options().write(true).open(&old).unwrap().set_modified(written).unwrap();
    assert!(says_when(&place));
    let out = place.run(&["doctor", "claude"]);
    assert!(text(&out).contains("coroner record"), "{}", text(&out));
    place.run(&["record"]);
    assert!(!says_when(&place) && says(&place, "all of them are recorded"));
    // What was written since is not recorded, however late it is.
    fs::write(&old, "{}\n").unwrap();
    fs::File::options().write(true).open(&old).unwrap().set_modified(written).unwrap();
    assert!(says_when(&place));
}

#[test]
fn traps_of_other_hosts_are_found() {
    let bin = env!("CARGO_BIN_EXE_coroner");
    let gemini = format!(
        r#"{{"hooks":{{"BeforeTool":[{{"matcher":".*","hooks":[{{"type":"command","command":"{bin} hook --agent gemini","timeout":10}}]}}]}}}}"#
    );
    let cursor = format!(
        r#"{{"version":1,"hooks":{{"beforeShellExecution":[{{"command":"{bin} hook --agent cursor","timeout":10}}]}}}}"#
    );
    let codex = format!(
        r#"{{"hooks":{{"PreToolUse":[{{"matcher":"shell","hooks":[{{"type":"command","command":"{bin} hook --agent codex"}}]}}]}}}}"#
    );
    for (agent, file, held, wanted) in [
        ("gemini", ".gemini/settings.json", gemini, "looks like seconds"),
        ("cursor", ".cursor/hooks.json", cursor.clone(), "failClosed is not true"),
        ("cursor", ".cursor/hooks.json", cursor.replace(":1,", ":\"1\","), "its version is no number"),
        ("codex", ".codex/hooks.json", codex, "does not take shell calls in"),
        ("codex", ".codex/config.toml", "[features]\nhooks = false\n".to_owned(), "features.hooks is false"),
        ("codex", ".codex/config.toml", "[features\n".to_owned(), "is passed over"),
    ] {
        let place = Place::new();
        place.put(&format!("home/{file}"), &held);
        let (code, checks) = place.doctor(agent);
        assert!(code == 1 && problems(&checks).iter().any(|text| text.contains(wanted)), "{agent}: {checks:?}");
    }
}

#[test]
fn a_projects_file_runs_no_program_of_its_own() {
    let place = Place::new();
    let mark = place.folder.path().join("ran");
    let script = place.put("project/tools/coroner", &format!("#!/bin/sh\ntouch {}\n", mark.display()));
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
    let settings = format!(
        r#"{{"hooks":{{"PreToolUse":[{{"hooks":[{{"type":"command","command":"{} hook --agent claude","onFailure":"block"}}]}}]}}}}"#,
        script.display()
    );
    place.put("project/.claude/settings.json", &settings);
    let (code, checks) = place.doctor("claude");
    assert_eq!(code, 1);
    assert!(problems(&checks).iter().any(|text| text.contains("another program")), "{checks:?}");
    assert!(!mark.exists(), "it was run");
}

#[test]
fn hooks_of_git_are_looked_at() {
    let place = Place::new();
    let git = |words: &[&str]| {
        assert!(Command::new("git").args(words).current_dir(place.project()).output().unwrap().status.success());
    };
    git(&["init", "-q"]);
    let said = |wanted: &str| {
        let out = text(&place.run(&["doctor"]));
        assert!(out.lines().any(|l| l.contains(" git ") && l.contains(wanted)), "{wanted}: {out}");
    };
    said("no hook of this repository");
    assert!(place.run(&["init", "--hooks", "git", "--yes"]).status.success());
    said("look for secrets");
    let hook = place.project().join(".git/hooks/pre-commit");
    fs::set_permissions(&hook, fs::Permissions::from_mode(0o644)).unwrap();
    said("not executable: pre-commit");
    fs::remove_file(&hook).unwrap();
    said("do not call Coroner: pre-commit");
    git(&["config", "core.hooksPath", "elsewhere"]);
    said("do not run");
}

#[test]
fn a_project_is_written_down_and_checks_as_before() {
    let place = Place::new();
    place.put(
        "project/compose.yml",
        "services:\n  db:\n    image: postgres:16\n    volumes: [\"./data:/var/lib/postgresql/data\"]\n  web:\n    image: nginx\n    labels:\n      - traefik.enable=true\n      - traefik.http.routers.w.rule=Host(`shop.example.org`)\n",
    );
    fs::create_dir_all(place.project().join("data")).unwrap();
    place.put("project/backups/shop-1.dump", "x");
    let before = place.run(&["check"]);
    let out = place.run(&["init", "--yes"]);
    assert!(out.status.success(), "{}", text(&out));
    let path = place.project().join(".coroner/coroner.toml");
    let written = fs::read_to_string(&path).unwrap();
    let read: toml::Table = toml::from_str(&written).unwrap();
    assert!(read["protect"]["paths"].to_string().contains("/project/data"), "{written}");
    assert!(read["backups"].to_string().contains("/project/backups/*.dump"), "{written}");
    assert!(read["urls"].to_string().contains("https://shop.example.org/"), "{written}");
    let after = place.run(&["check"]);
    assert_eq!((after.status.code(), text(&after)), (before.status.code(), text(&before)));
    let again = place.run(&["init", "--yes"]);
    assert!(text(&again).contains("is as it would be written"), "{}", text(&again));
    assert_eq!(fs::read_to_string(&path).unwrap(), written);
    // Own lines stay; what the file lacks comes behind them.
    let mine = "# mine\n[protect]\npaths = [\"/srv/precious\"]\n";
    fs::write(&path, mine).unwrap();
    let out = place.run(&["init", "--yes"]);
    assert!(text(&out).contains("not written: [protect] lacks"), "{}", text(&out));
    assert!(fs::read_to_string(&path).unwrap().starts_with(mine));
    fs::write(&path, "[protect\n").unwrap();
    assert_eq!(place.run(&["init", "--yes"]).status.code(), Some(2));
    assert_eq!(fs::read_to_string(&path).unwrap(), "[protect\n");
}

#[test]
fn a_hook_that_failed_is_told_until_forgotten() {
    let place = Place::new();
    let mut child = Command::new(env!("CARGO_BIN_EXE_coroner"))
        .args(["hook", "--agent", "gemini"])
        .env("CORONER_HOME", place.folder.path().join("own"))
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), b"no event").unwrap();
    child.wait().unwrap();
    assert!(text(&place.run(&["doctor"])).contains("the hook failed once"));
    assert!(text(&place.run(&[])).contains("Hook failed"));
    place.run(&["doctor", "--forget-failures"]);
    assert!(!text(&place.run(&["doctor"])).contains("the hook failed"));
    assert!(Path::new(env!("CARGO_BIN_EXE_coroner")).exists());
}
