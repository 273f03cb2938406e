//! Coroner beside the real tools that write hooks of git: both run, and a tool that writes its hooks
//! anew keeps Coroner. A tool that is not installed is passed over with a word.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test panics where it fails"
)]

use std::path::PathBuf;
use std::process::{Command, Output};

const BINARY: &str = env!("CARGO_BIN_EXE_coroner");

/// A key with the form of an issuer's, made here so that none lies in the repository.
fn key() -> String {
    let random: String = (0..36).map(|i| char::from(b"k3Vn8QzL5wRt2Yp7"[(i * 7 + i / 3 + 5) % 16])).collect();
    ["gh", "p_", &random].concat()
}

struct Repository {
    folder: tempfile::TempDir,
    tool: &'static str,
}

impl Repository {
    /// `None`, with a word, where the tool is not installed.
    fn with(tool: &'static str, probe: &str) -> Option<Repository> {
        if !Command::new("sh").args(["-c", probe]).output().unwrap().status.success() {
            println!("skipped: {tool} is not installed");
            return None;
        }
        let repository = Repository { folder: tempfile::tempdir().unwrap(), tool };
        std::fs::create_dir_all(repository.at()).unwrap();
        repository.done("git init -q -b main . && git config user.name t && git config user.email t@example.org");
        repository.done("git init -q --bare ../server.git && git remote add origin ../server.git");
        Some(repository)
    }

    fn at(&self) -> PathBuf {
        self.folder.path().join("work")
    }

    fn sh(&self, line: &str) -> Output {
        // In a hook that others get too, the program is looked up.
        let folder = PathBuf::from(BINARY).parent().unwrap().display().to_string();
        let path = format!("{folder}:{}", std::env::var("PATH").unwrap());
        let mut command = Command::new("sh");
        command
            .env("PATH", path)
            .args(["-c", line])
            .current_dir(self.at())
            .env("CORONER_HOME", self.folder.path().join("own"));
        command.env("GIT_CONFIG_NOSYSTEM", "1").env("GIT_CONFIG_GLOBAL", "/dev/null").env_remove("GIT_DIR");
        command.env("PRE_COMMIT_HOME", self.folder.path().join("cache")).output().unwrap()
    }

    fn done(&self, line: &str) -> String {
        let out = self.sh(line);
        assert!(out.status.success(), "{}: {line}: {}", self.tool, text(&out));
        text(&out)
    }

    fn write(&self, path: &str, text: &str) {
        std::fs::write(self.at().join(path), text).unwrap();
    }

    /// How often the project's own hook ran.
    fn ran(&self) -> usize {
        std::fs::read_to_string(self.at().join(".git/ran")).unwrap_or_default().lines().count()
    }

    /// Both hooks run at a commit, and Coroner stops a secret at a commit and at a push.
    fn both_run(&self, round: usize) {
        let before = self.ran();
        self.write("a.py", &format!("round = {round}\n"));
        self.done("git add a.py && git commit -q -m clean && git push -q origin HEAD:main");
        assert!(self.ran() > before, "{}: the project's hook ran in round {round}", self.tool);
        self.write("b.py", &format!("token = \"{}\"\n", key()));
        let refused = self.sh("git add b.py && git commit -q -m secret");
        assert!(!refused.status.success(), "{}: round {round}: {}", self.tool, text(&refused));
        assert!(text(&refused).contains("b.py:1:10"), "{}: round {round}: {}", self.tool, text(&refused));
        self.done("git commit -q --no-verify -m secret");
        let refused = self.sh("git push -q origin HEAD:main");
        assert!(!refused.status.success() && text(&refused).contains("b.py:1"), "{}: {}", self.tool, text(&refused));
        self.done("git reset -q --hard HEAD~1");
    }

    fn coroner(&self, words: &str) -> String {
        self.done(&format!("'{BINARY}' {words}"))
    }

    /// Doctor has no complaint about the hooks of git.
    fn is_healthy(&self) {
        let out = self.sh(&format!("'{BINARY}' doctor --format json"));
        let report: serde_json::Value = serde_json::from_slice(&out.stdout).unwrap();
        let git = report["checks"].as_array().unwrap().iter().find(|check| check["subject"] == "git").unwrap();
        assert_eq!(git["health"], "ok", "{}: {git}", self.tool);
    }
}

fn text(out: &Output) -> String {
    String::from_utf8_lossy(&out.stdout).into_owned() + &String::from_utf8_lossy(&out.stderr)
}

const MINE: &str = "echo ran >> \"$(git rev-parse --git-common-dir)/ran\"";

#[test]
fn pre_commit_keeps_coroner_and_coroner_keeps_pre_commit() {
    let Some(repository) = Repository::with("pre-commit", "python3 -m pre_commit --version") else { return };
    let config = format!(
        "repos:\n- repo: local\n  hooks:\n  - id: mine\n    name: mine\n    entry: sh -c '{MINE}'\n    language: system\n    always_run: true\n    pass_filenames: false\n"
    );
    repository.write(".pre-commit-config.yaml", &config);
    repository.done("git add .pre-commit-config.yaml && git commit -q -m config && python3 -m pre_commit install");
    repository.coroner("init --hooks git --yes");
    repository.is_healthy();
    repository.both_run(1);
    // It is written anew, and for further hooks.
    repository.done("python3 -m pre_commit install --hook-type pre-commit --hook-type pre-push");
    repository.is_healthy();
    repository.both_run(2);
    repository.coroner("init --remove-hooks git --yes");
    repository.write("b.py", &format!("token = \"{}\"\n", key()));
    let before = repository.ran();
    repository.done("git add b.py && git commit -q -m secret");
    assert!(repository.ran() > before, "pre-commit is left as it was");
}

#[test]
fn coroner_that_was_there_first_is_kept_by_pre_commit() {
    let Some(repository) = Repository::with("pre-commit", "python3 -m pre_commit --version") else { return };
    repository.coroner("init --hooks git --yes");
    let config = format!(
        "repos:\n- repo: local\n  hooks:\n  - id: mine\n    name: mine\n    entry: sh -c '{MINE}'\n    language: system\n    always_run: true\n    pass_filenames: false\n"
    );
    repository.write(".pre-commit-config.yaml", &config);
    repository.done("python3 -m pre_commit install && git add -A && git commit -q -m config");
    repository.is_healthy();
    repository.both_run(1);
    repository.coroner("init --hooks git --yes");
    repository.both_run(2);
}

#[test]
fn lefthook_keeps_coroner_and_coroner_keeps_lefthook() {
    let Some(repository) = Repository::with("lefthook", "command -v lefthook") else { return };
    repository.write("lefthook.yml", &format!("pre-commit:\n  commands:\n    mine:\n      run: {MINE}\n"));
    repository.done("git add lefthook.yml && git commit -q -m config && lefthook install");
    repository.coroner("init --hooks git --yes");
    repository.is_healthy();
    repository.both_run(1);
    // A changed configuration makes it write its hooks anew.
    let more = format!(
        "pre-commit:\n  commands:\n    mine:\n      run: {MINE}\npre-push:\n  commands:\n    mine:\n      run: {MINE}\n"
    );
    repository.write("lefthook.yml", &more);
    repository.done("git add lefthook.yml && git commit -q -m more && lefthook install");
    repository.is_healthy();
    repository.both_run(2);
    repository.coroner("init --remove-hooks git --yes");
    assert!(!repository.at().join("lefthook-local.yml").exists());
}

#[test]
fn husky_keeps_coroner_and_coroner_keeps_husky() {
    let Some(repository) = Repository::with("husky", "command -v husky") else { return };
    repository.write("package.json", "{}\n");
    repository.done("husky");
    repository.write(".husky/pre-commit", &format!("{MINE}\n"));
    repository.done("git add package.json .husky && git commit -q -m config");
    repository.coroner("init --hooks git --yes");
    repository.is_healthy();
    repository.done("git add -A && git commit -q -m hooks");
    repository.both_run(1);
    repository.done("husky");
    repository.both_run(2);
}
