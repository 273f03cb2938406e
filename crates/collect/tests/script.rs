//! The POSIX collector under the shells that a host may have, on a made-up project.

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
use std::process::{Command, Output};

use coroner_collect::script::collector_script;
use coroner_collect::{Casefile, Limits, World};
use coroner_model::probe::{DockerTable, FileClass, HostTable};
use coroner_model::{Probe, Why};

/// Answers as the docker command would for one container with one bind mount.
const FAKE_DOCKER: &str = r#"#!/bin/sh
case "$*" in
    "context ls"*) echo '{"Name":"default","Current":true}' ;;
    "context show") echo default ;;
    "ps -a --no-trunc --format {{json .}}") echo '{"ID":"c1","Names":"web-1","Image":"example/web:1"}' ;;
    "ps -aq"* | "ps -q"*) echo c1 ;;
    "ps -a --format {{.Names}}") echo web-1 ;;
    "inspect --format"*Mounts*) echo "1|/web-1|bind|$PROJECT/data|/data"; echo "1|/web-1|bind|$PROJECT/gone/below|/gone"; echo "0|/job-1|bind|$PROJECT/data|/data" ;;
    "inspect --format"*Labels*) echo "$PROJECT|$PROJECT/compose.yaml,$PROJECT/extra/more.yml|<no value>" ;;
    "inspect c1") echo '[{"Name":"/web-1"}]' ;;
    "network ls"*) echo n1 ;;
    "network inspect n1") echo '[{"Name":"front"}]' ;;
    "volume ls"*) ;;
    "image ls"*) echo "engine trouble" >&2; exit 1 ;;
    "logs --timestamps"*) echo "2026-05-01T10:00:00.000000000Z out"; echo "2026-05-01T10:00:01.000000000Z err" >&2 ;;
    "--version") echo "Docker version 99.1.2, build abc" ;;
    *) exit 1 ;;
esac
"#;

struct Stage {
    folder: tempfile::TempDir,
}

impl Stage {
    fn new() -> Stage {
        let stage = Stage { folder: tempfile::tempdir().unwrap() };
        stage.put("bin/docker", FAKE_DOCKER);
        fs::set_permissions(stage.path("bin/docker"), fs::Permissions::from_mode(0o755)).unwrap();
        stage.put("collector.sh", collector_script());
        stage.put("app/compose.yaml", "services:\n  web:\n    image: example/web:1\n");
        stage.put("app/extra/more.yml", "services: {}\n");
        stage.put("app/.env", "PORT=8081\n");
        stage.put("app/settings.py", "PORT = 8081\n");
        stage.put("app/data/rows.bin", "rows\n");
        stage.put("app/node_modules/left/index.js", "// not ours\n");
        stage.put("app/web.log", "started\n");
        stage.put("home/.claude/projects/-app/1234.jsonl", "{\"type\":\"user\"}\n");
        stage.put("home/.claude/projects/-app/1234/subagents/agent-a.jsonl", "{\"type\":\"user\"}\n");
        stage
    }

    fn path(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    fn put(&self, path: &str, text: &str) {
        let at = self.path(path);
        fs::create_dir_all(at.parent().unwrap()).unwrap();
        fs::write(at, text).unwrap();
    }

    fn run(&self, shell: &[&str], path: &str, arguments: &[&str]) -> Output {
        Command::new(shell[0])
            .args(&shell[1..])
            .arg(self.path("collector.sh"))
            .args(arguments)
            .current_dir(self.folder.path())
            .env_clear()
            .env("PATH", path)
            .env("HOME", self.path("home"))
            .env("PROJECT", self.path("app"))
            .output()
            .unwrap()
    }

    fn search_path(&self) -> String {
        format!("{}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", self.path("bin").display())
    }
}

/// The shells of small systems that this machine has.
fn shells() -> Vec<Vec<&'static str>> {
    let wanted = [vec!["dash"], vec!["busybox", "ash"]];
    let runs = |shell: &&Vec<&str>| {
        let found = Command::new(shell[0]).args(&shell[1..]).args(["-c", "exit 0"]).status().is_ok_and(|s| s.success());
        if !found {
            println!("skipped: {} is not installed", shell.join(" "));
        }
        found
    };
    wanted.iter().filter(runs).cloned().collect()
}

fn walk(root: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(root).unwrap().flatten() {
        found.push(entry.path());
        if entry.file_type().unwrap().is_dir() {
            walk(&entry.path(), found);
        }
    }
}

fn git(project: &Path, words: &[&str]) -> bool {
    let identity = ["-c", "user.name=someone", "-c", "user.email=someone@example.org", "-c", "init.defaultBranch=main"];
    Command::new("git")
        .args(identity)
        .arg("-C")
        .arg(project)
        .args(words)
        .output()
        .is_ok_and(|output| output.status.success())
}

#[test]
fn the_script_is_posix_shell() {
    let stage = Stage::new();
    for shell in shells().into_iter().chain([vec!["sh"]]) {
        let checked =
            Command::new(shell[0]).args(&shell[1..]).arg("-n").arg(stage.path("collector.sh")).output().unwrap();
        assert!(checked.status.success(), "{shell:?}: {}", String::from_utf8_lossy(&checked.stderr));
    }
}

#[test]
fn a_casefile_of_the_documented_shape_is_written() {
    for shell in shells() {
        let stage = Stage::new();
        let app = stage.path("app");
        let app_name = app.to_str().unwrap();
        let has_git = git(&app, &["init", "-q"]) && git(&app, &["add", "-A"]) && git(&app, &["commit", "-qm", "Start"]);
        let mut before = Vec::new();
        walk(&app, &mut before);

        let output = stage.run(&shell, &stage.search_path(), &["-o", "case", "app"]);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{shell:?}: {said}");
        assert!(said.contains("UNREDACTED") && said.contains(&format!("project {app_name}")), "{said}");
        assert!(output.stdout.is_empty());

        let case = stage.path("case");
        let read =
            |path: &str| fs::read_to_string(case.join(path)).unwrap_or_else(|error| panic!("{path}: {error}\n{said}"));
        let head: toml::Table = toml::from_str(&read("casefile.toml")).unwrap();
        assert_eq!(head["schema"].as_str(), Some("coroner/casefile/v1"));
        assert_eq!(head["redacted"].as_bool(), Some(false));
        assert_eq!(head["root"].as_str(), Some(app_name));
        assert!(head.contains_key("host") && head.contains_key("collected_at"));

        for path in ["host/df.txt", "host/env.txt", "host/id.txt", "host/whoami", "host/date", "docker/context"] {
            assert!(!read(path).is_empty(), "{path}");
        }
        assert_eq!(read("docker/ps.jsonl").lines().count(), 1);
        assert_eq!(read("docker/inspect.json"), "[{\"Name\":\"/web-1\"}]\n");
        assert_eq!(read("docker/networks.json"), "[{\"Name\":\"front\"}]\n");
        assert_eq!(read("docker/volumes.json"), "[]\n", "no volume is an answer");
        assert!(!case.join("docker/images.json").exists(), "a list that failed is none");
        assert!(read("docker/logs/web-1.log").contains("out\n") && read("docker/logs/web-1.log").contains("err\n"));
        assert!(read("docker/inodes.tsv").contains("web-1\t/gone\t-\t"));
        assert!(!read("docker/inodes.tsv").contains("job-1"), "a stopped container sees nothing");
        assert!(read("host/versions.tsv").contains("docker\t99.1.2\n"));
        for name in ["compose.yaml", "extra/more.yml", ".env", "settings.py"] {
            assert_eq!(read(&format!("files{app_name}/{name}")), fs::read_to_string(app.join(name)).unwrap());
        }
        assert!(!case.join(format!("files{app_name}/node_modules")).exists());
        assert_eq!(read("logs/web.log"), "started\n");
        let sessions = format!("sessions{}/home/.claude/projects/-app", stage.folder.path().display());
        assert!(case.join(&sessions).join("1234.jsonl").is_file());
        assert!(case.join(&sessions).join("1234/subagents/agent-a.jsonl").is_file());
        if has_git {
            assert!(read("git/log.txt").contains("compose.yaml"));
            assert!(read("git/status.txt").starts_with("# branch.oid"));
            assert_eq!(read("git/stash.txt"), "", "no stash is an answer");
        }

        let mut written = Vec::new();
        walk(&case, &mut written);
        for path in written.iter().chain([&case]) {
            let meta = fs::metadata(path).unwrap();
            let wanted = if meta.is_dir() { 0o700 } else { 0o600 };
            assert_eq!(meta.permissions().mode() & 0o777, wanted, "{}", path.display());
            assert!(!path.file_name().unwrap().to_str().unwrap().starts_with(".list"), "{}", path.display());
        }
        let top: Vec<_> = fs::read_dir(&case).unwrap().flatten().map(|entry| entry.file_name()).collect();
        assert!(top.iter().all(|name| !name.to_str().unwrap().starts_with('.')), "{top:?}");
        let mut after = Vec::new();
        walk(&app, &mut after);
        assert_eq!(before, after, "the project is left as it was");
    }
}

#[test]
fn what_was_collected_answers_the_probes() {
    for shell in shells() {
        let stage = Stage::new();
        assert!(stage.run(&shell, &stage.search_path(), &["-o", "case"]).status.success());
        let world = World::Casefile(Casefile::open(&stage.path("case"), Limits::default()).unwrap());
        let app = stage.path("app").to_str().unwrap().to_owned();
        let first = |probe: Probe| world.answer(&probe).unwrap_or_else(|why| panic!("{shell:?}: {why}")).remove(0);

        assert_eq!(world.root().as_deref(), Some(app.as_str()), "the project of the container's labels");
        assert!(first(Probe::File { path: format!("{app}/.env") }).text.as_str().contains("PORT"));
        let compose = first(Probe::Files { root: Some(app.clone()), class: FileClass::Compose });
        assert!(compose.text.as_str().contains("compose.yaml"));
        assert!(first(Probe::ContainerLog { container: "web-1".into() }).text.as_str().contains("err"));
        assert_eq!(first(Probe::Docker(DockerTable::Volumes)).text.as_str().trim(), "[]");
        assert!(world.answer(&Probe::Docker(DockerTable::Images)).is_err_and(|why| why.why == Why::NotRecorded));
        assert!(first(Probe::Host(HostTable::Whoami)).text.as_str().trim().len() > 1);

        let stat = |path: &str| first(Probe::Stat { path: format!("{app}/{path}") }).text.as_str().lines().count();
        assert_eq!(stat("data/rows.bin"), 2);
        assert_eq!(stat("gone/below"), 1, "a mount source that is gone is known to be gone");
        assert_eq!(stat("node_modules/left"), 2);
        let below = Probe::Stat { path: format!("{app}/node_modules/left/index.js") };
        assert!(world.answer(&below).is_err(), "what was not listed is not said to be gone");
        assert_eq!(world.answer(&Probe::Sessions { since: None, until: None }).unwrap().len(), 2);
    }
}

#[test]
fn missing_tools_leave_files_out_and_nothing_fails() {
    if shells().iter().any(|shell| shell[0] == "dash") {
        let stage = Stage::new();
        let bare = stage.path("bare");
        fs::create_dir_all(&bare).unwrap();
        let places = ["/bin", "/usr/bin"];
        for tool in ["mkdir", "cat", "rm", "chmod", "dash"] {
            let Some(at) = places.iter().map(|dir| Path::new(dir).join(tool)).find(|at| at.exists()) else { continue };
            std::os::unix::fs::symlink(at, bare.join(tool)).unwrap();
        }
        let dash = bare.join("dash");
        let output = stage.run(&[dash.to_str().unwrap()], bare.to_str().unwrap(), &["-o", "case", "app"]);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{said}");
        assert!(!said.contains("not found"), "{said}");
        let case = stage.path("case");
        for absent in [
            "host/df.txt",
            "host/listeners.txt",
            "host/ps.txt",
            "host/tree.tsv",
            "docker",
            "git",
            "sessions",
            "host/packages.tsv",
        ] {
            assert!(!case.join(absent).exists(), "{absent}");
        }
        assert!(fs::read_to_string(case.join("casefile.toml")).unwrap().contains("redacted = false"));
    }
}

#[test]
fn wrong_usage_is_told_and_nothing_is_overwritten() {
    let stage = Stage::new();
    stage.put("case/kept", "kept");
    for arguments in [vec!["-o", "case"], vec!["-x"], vec!["no-such-folder"]] {
        let output = stage.run(&["sh"], &stage.search_path(), &arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(!output.stderr.is_empty());
    }
    assert_eq!(fs::read_dir(stage.path("case")).unwrap().count(), 1);
}
