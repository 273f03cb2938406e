//! The live collectors against this machine: files, git, HTTP on a local port, the host's tables.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test panics where it fails"
)]

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;

use coroner_collect::{Casefile, CasefileMeta, Limits, Live, LiveSettings, World, write_answers};
use coroner_model::probe::{FileClass, GitTable, HostTable};
use coroner_model::{Answers, Probe, Why};

fn settings(cwd: &Path) -> LiveSettings {
    LiveSettings {
        env: BTreeMap::from([("DB_PASSWORD".into(), secret())]),
        home: cwd.join("home"),
        cwd: cwd.to_path_buf(),
        now: "2026-03-01T10:00:00Z".parse().unwrap(),
        redaction_key: [9; 32],
    }
}

fn live(cwd: &Path) -> World {
    World::Live(Live::new(settings(cwd), Limits::default()))
}

/// A value with the look of a key, made here so that none lies in the repository.
fn secret() -> String {
    format!("{}{}", "Qm4Zt8Vw", "b2Xk7Lp3Rd")
}

fn text(world: &World, probe: &Probe) -> String {
    world.answer(probe).unwrap().remove(0).text.as_str().to_owned()
}

fn put(root: &Path, path: &str, text: &str) -> PathBuf {
    let at = root.join(path);
    fs::create_dir_all(at.parent().unwrap()).unwrap();
    fs::write(&at, text).unwrap();
    at
}

#[test]
fn files_and_their_state_are_read_and_secrets_stay_behind() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().to_string_lossy().into_owned();
    put(dir.path(), "compose.yml", "services:\n  web:\n    image: a\n");
    put(dir.path(), "deploy/stack.yaml", "services:\n  db: {}\n");
    put(dir.path(), "new.env", &format!("API_TOKEN={}\n", secret()));
    put(dir.path(), "notes.md", &format!("the token is {}\n", secret()));
    std::os::unix::fs::symlink("nowhere", dir.path().join("broken")).unwrap();
    let world = live(dir.path());
    let file = |name: &str| Probe::File { path: format!("{root}/{name}") };
    let probes = [file("notes.md"), file("new.env"), Probe::Host(HostTable::Env)];
    for (probe, answer) in world.answer_all(&probes) {
        let document = answer.unwrap().remove(0);
        assert!(!document.text.as_str().contains(&secret()), "{probe:?}");
        assert!(document.text.as_str().contains(&world.redactor().token(&secret())), "{probe:?}");
        assert_eq!(document.observed_at.unwrap().to_string(), "2026-03-01T10:00:00Z");
    }
    let list = |class| text(&world, &Probe::Files { root: None, class });
    assert_eq!(list(FileClass::Compose), format!("{root}/compose.yml\n{root}/deploy/stack.yaml\n"));
    assert_eq!(list(FileClass::Env), format!("{root}/new.env\n"));
    let stat = |name: &str| text(&world, &Probe::Stat { path: format!("{root}/{name}") });
    assert_eq!(stat("none").lines().count(), 1);
    let broken: Vec<String> = stat("broken").lines().nth(1).unwrap().split('\t').map(str::to_owned).collect();
    assert_eq!((broken[0].as_str(), broken[11].as_str(), broken[12].as_str()), ("l", "nowhere", "N"));
    let tree = text(&world, &Probe::Tree { root: root.clone(), depth_max: 1 });
    assert_eq!(tree.lines().count(), 7, "header, root, five entries\n{tree}");
    assert_eq!(world.answer(&file("none")).unwrap_err().why, Why::Absent);
    assert_eq!(world.answer(&Probe::Config).unwrap(), []);
}

#[test]
fn a_secret_that_only_another_file_names_is_in_no_document_and_no_written_file() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("shop");
    let hidden: String = format!("{}{}", "Hx7Pq2Lm", "9sVw4Kt1");
    let late: String = format!("{}{}", "Zr5Gn8Yb", "3cDf6Jh2");
    put(&root, "compose.yml", "services: {}\n");
    put(&root, "prod.env", &format!("MAIL_PASSWORD={hidden}\n"));
    let log = put(&root, "app.log", &format!("login with {hidden} and {late}\n"));
    let elsewhere = put(dir.path(), "elsewhere/settings.py", &format!("api_key = '{late}'\n"));
    let world = live(&root);
    let mut answers = Answers::new();
    let first = Probe::LogFile { path: log.display().to_string() };
    let document = world.answer(&first).unwrap().remove(0);
    assert!(!document.text.as_str().contains(&hidden), "the project's own settings are known before any log is read");
    answers.insert(first, Ok(vec![document]));
    let second = Probe::File { path: elsewhere.display().to_string() };
    let answer = world.answer(&second);
    answers.insert(second, answer);
    let to = dir.path().join("case");
    write_answers(&answers, &world.redactor(), &to, &CasefileMeta::default()).unwrap();
    let log = fs::read_to_string(to.join("logs/app.log")).unwrap();
    assert_eq!(log, format!("login with {} and {}\n", world.redactor().token(&hidden), world.redactor().token(&late)));
}

#[test]
fn what_is_not_there_is_still_not_there_in_the_recorded_case() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("shop");
    put(&root, "compose.yml", "services: {}\n");
    put(&root, "data/redis/dump.rdb", "x");
    fs::create_dir_all(root.join("empty")).unwrap();
    let at = |path: &str| root.join(path).to_string_lossy().into_owned();
    let stat = |path: &str| Probe::Stat { path: at(path) };
    let gone = [stat("data/postgres"), stat("empty/wal"), stat("data/postgres/base")];
    let there = [stat("data/redis"), stat("compose.yml"), Probe::Tree { root: at("data"), depth_max: 2 }];
    let missing = Probe::File { path: at("prod.env") };
    let world = live(&root);
    let mut answers = Answers::new();
    for (probe, answer) in world.answer_all(&[&gone[..], &there[..], std::slice::from_ref(&missing)].concat()) {
        answers.insert(probe, answer);
    }
    let to = dir.path().join("case.tar.zst");
    write_answers(&answers, &world.redactor(), &to, &CasefileMeta::default()).unwrap();
    let case = World::Casefile(Casefile::open(&to, Limits::default()).unwrap());
    for probe in gone {
        assert_eq!(text(&case, &probe).lines().count(), 1, "{probe:?}");
    }
    for probe in there {
        let rows = |world: &World| {
            let mut rows: Vec<String> =
                text(world, &probe).lines().filter(|line| !line.is_empty()).map(str::to_owned).collect();
            rows.sort();
            rows
        };
        assert_eq!(rows(&case), rows(&world), "{probe:?}");
    }
    assert_eq!(case.answer(&missing).unwrap_err().why, Why::Absent);
    assert_eq!(case.answer(&stat("data/never-asked")).unwrap_err().why, Why::NotRecorded);
}

#[test]
fn the_tables_of_the_host_have_the_form_of_their_commands() {
    let dir = tempfile::tempdir().unwrap();
    let world = live(dir.path());
    let held = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = held.local_addr().unwrap().port();
    let open = fs::File::create(dir.path().join("held.log")).unwrap();
    let host = |table| text(&world, &Probe::Host(table));
    assert!(host(HostTable::Df).lines().nth(1).unwrap().split_whitespace().nth(4).unwrap().ends_with('%'));
    assert!(host(HostTable::DfInodes).starts_with("Filesystem Inodes"));
    let listeners = host(HostTable::Listeners);
    let mine = listeners.lines().find(|line| line.contains(&format!("127.0.0.1:{port} "))).unwrap();
    assert!(mine.starts_with("tcp LISTEN 0 0 ") && mine.contains(&format!("pid={}", std::process::id())), "{mine}");
    assert!(host(HostTable::OpenFiles).lines().any(|line| line.ends_with("held.log") && line.contains("\tw\t")));
    assert!(host(HostTable::Ps).lines().any(|line| line.starts_with(&format!("{} ", std::process::id()))));
    assert!(host(HostTable::Id).starts_with("uid="));
    assert!(!host(HostTable::Whoami).trim().is_empty() && !host(HostTable::Virt).trim().is_empty());
    assert_eq!(host(HostTable::Date), "2026-03-01T10:00:00+00:00\n");
    assert_eq!(world.answer(&Probe::Host(HostTable::Growth)).unwrap(), []);
    assert_eq!(world.answer(&Probe::Host(HostTable::Journal)).unwrap_err().why, Why::Unsupported);
    drop(open);
}

#[test]
fn readers_understand_what_collectors_print() {
    use coroner_read::{df, listeners, tree};
    let dir = tempfile::tempdir().unwrap();
    let held = TcpListener::bind("127.0.0.1:0").unwrap();
    let file = put(dir.path(), "a/b.txt", "12345").display().to_string();
    let world = live(dir.path());
    let one = |probe: Probe| world.answer(&probe).unwrap().remove(0);
    let mounts = df::read(&one(Probe::Host(HostTable::Df)));
    assert!(mounts.iter().any(|mount| mount.mount == "/"), "{mounts:?}");
    let listening = listeners::read(&one(Probe::Host(HostTable::Listeners)));
    let mine = listening.iter().find(|l| l.port == held.local_addr().unwrap().port()).unwrap();
    assert_eq!((mine.protocol.as_str(), mine.address.as_str()), ("tcp", "127.0.0.1"));
    assert!(!mine.process.is_empty());
    let state = tree::read(&one(Probe::Stat { path: file.clone() })).remove(0);
    assert_eq!((state.path, state.kind, state.size, state.mode), (file, Some('f'), Some(5), Some(0o644)));
    assert!(state.changed.is_some() && state.inode.is_some());
}

/// Answers each connection with the next of some texts, `{port}` filled in.
fn serve(answers: Vec<&'static str>) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for answer in answers {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = Vec::new();
            let mut byte = [0];
            while !request.ends_with(b"\r\n\r\n") && stream.read(&mut byte).unwrap() == 1 {
                request.push(byte[0]);
            }
            let request = String::from_utf8(request).unwrap();
            let cookie = request
                .lines()
                .find(|line| line.to_lowercase().starts_with("cookie:"))
                .unwrap_or("no cookie")
                .to_owned();
            let answer = answer.replace("{port}", &port.to_string()).replace("{cookie}", &cookie);
            stream.write_all(answer.as_bytes()).unwrap();
        }
    });
    port
}

#[test]
fn a_redirect_chain_is_kept_hop_by_hop() {
    let port = serve(vec![
        "HTTP/1.1 302 Found\r\nlocation: /in\r\nset-cookie: sid=abc123; Path=/; SameSite=Strict\r\nconnection: close\r\ncontent-length: 0\r\n\r\n",
        "HTTP/1.1 502 Bad Gateway\r\nconnection: close\r\n\r\nBad Gateway, {cookie}",
    ]);
    let dir = tempfile::tempdir().unwrap();
    let world = live(dir.path());
    let document = world.answer(&Probe::HttpGet { url: format!("http://127.0.0.1:{port}/") }).unwrap().remove(0);
    assert_eq!(document.path, "http/1.json");
    let value: serde_json::Value = serde_json::from_str(document.text.as_str()).unwrap();
    let responses = value["responses"].as_array().unwrap();
    assert_eq!(responses.iter().map(|r| r["status"].as_u64().unwrap()).collect::<Vec<_>>(), [302, 502]);
    assert_eq!(responses[1]["url"], format!("http://127.0.0.1:{port}/in"));
    assert!(responses[1]["body"].as_str().unwrap().contains("sid=abc123"), "the cookie was sent on");
    let cookie =
        responses[0]["headers"].as_array().unwrap().iter().find(|h| h[0] == "set-cookie").unwrap()[1].as_str().unwrap();
    assert!(cookie.starts_with("sid=hmac:") && cookie.ends_with("SameSite=Strict"), "{cookie}");
    assert!(value["error"].is_null());
    let read = coroner_read::exchange::read(&document).unwrap().remove(0);
    assert_eq!((read.method.as_str(), read.responses.len()), ("GET", 2));
}

#[test]
fn silence_of_a_server_is_an_answer() {
    let port = {
        let gone = TcpListener::bind("127.0.0.1:0").unwrap();
        gone.local_addr().unwrap().port()
    };
    let dir = tempfile::tempdir().unwrap();
    let world = live(dir.path());
    let value: serde_json::Value =
        serde_json::from_str(&text(&world, &Probe::HttpGet { url: format!("http://127.0.0.1:{port}/") })).unwrap();
    assert!(value["error"].as_str().unwrap().contains("refused"), "{value}");
    assert_eq!(world.answer(&Probe::HttpGet { url: "ftp://x/".into() }).unwrap_err().why, Why::Unsupported);
}

#[test]
fn a_probe_that_hangs_is_left_behind() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", silent.local_addr().unwrap());
    let dir = tempfile::tempdir().unwrap();
    let limits = Limits { probe_ms_max: 300, ..Limits::default() };
    let world = World::Live(Live::new(settings(dir.path()), limits));
    let begun = std::time::Instant::now();
    let value: serde_json::Value = serde_json::from_str(&text(&world, &Probe::HttpGet { url })).unwrap();
    assert!(value["error"].as_str().unwrap().contains("timed out"), "{value}");
    assert!(begun.elapsed().as_secs() < 3);
}

fn git(root: &Path, arguments: &[&str]) -> String {
    let output = Command::new("git")
        .current_dir(root)
        .args(arguments)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_AUTHOR_NAME", "Ada")
        .env("GIT_AUTHOR_EMAIL", "ada@example.org")
        .env("GIT_COMMITTER_NAME", "Ada")
        .env("GIT_COMMITTER_EMAIL", "ada@example.org")
        .env("GIT_AUTHOR_DATE", "2026-03-01T09:00:00+01:00")
        .env("GIT_COMMITTER_DATE", "2026-03-01T09:00:00+01:00")
        .output()
        .unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn git_is_read_as_git_prints_it() {
    if Command::new("git").arg("--version").output().is_err() {
        println!("skipped: no git");
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("shop");
    fs::create_dir_all(&root).unwrap();
    git(&root, &["init", "-q", "-b", "main"]);
    put(&root, "compose.yml", "services:\n  web: {}\n");
    put(&root, "sub/kept.txt", "a\nb\n");
    put(&root, "gone.txt", "x\n");
    put(&root, ".gitignore", "*.log\n");
    git(&root, &["add", "-A"]);
    git(&root, &["commit", "-qm", "Add the shop\n\nWith a body."]);
    put(&root, "compose.yml", "services:\n  web:\n    image: b\n");
    git(&root, &["commit", "-qam", "Give web an image"]);
    put(&root, "sub/kept.txt", "stashed\n");
    git(&root, &["stash", "-q"]);
    put(&root, "compose.yml", "services: {}\n");
    put(&root, "new/a.txt", "n\n");
    put(&root, "new/b.txt", "n\n");
    put(&root, "run.log", "n\n");
    put(&root, "staged.txt", "s\n");
    git(&root, &["add", "staged.txt"]);
    fs::remove_file(root.join("gone.txt")).unwrap();
    git(&root, &["worktree", "add", "-q", "-b", "side", "../side"]);
    let world = live(&root);
    let probe = |table, since: Option<&str>| Probe::Git {
        repository: root.join("sub").to_string_lossy().into_owned(),
        table,
        since: since.map(|s| s.parse().unwrap()),
        until: None,
    };
    let expected = git(&root, &["log", "--stat", "--date=iso-strict"]);
    assert_eq!(text(&world, &probe(GitTable::Log, None)), expected);
    let commits = coroner_read::git_log::read(&world.answer(&probe(GitTable::Log, None)).unwrap()[0]);
    assert_eq!(commits.iter().map(|c| c.subject.as_str()).collect::<Vec<_>>(), ["Give web an image", "Add the shop"]);
    assert_eq!(commits[0].files, ["compose.yml"]);
    assert_eq!(text(&world, &probe(GitTable::Log, Some("2026-04-01T00:00:00Z"))), "");
    assert_eq!(
        text(&world, &probe(GitTable::Status, None)),
        git(&root, &["status", "--porcelain=v2", "--branch", "--ignored"])
    );
    assert_eq!(text(&world, &probe(GitTable::Stash, None)), git(&root, &["stash", "list"]));
    assert_eq!(text(&world, &probe(GitTable::Worktrees, None)).lines().count(), 2);

    let case = dir.path().join("case");
    fs::create_dir_all(&case).unwrap();
    git(dir.path(), &["clone", "-q", "--bare", "shop", "case/git"]);
    let case = World::Casefile(Casefile::open(&case, Limits::default()).unwrap());
    assert_eq!(text(&case, &probe(GitTable::Log, None)), expected);
    assert_eq!(case.answer(&probe(GitTable::Status, None)).unwrap_err().why, Why::NotRecorded);
    let bundled = dir.path().join("bundled");
    fs::create_dir_all(bundled.join("git")).unwrap();
    git(&root, &["bundle", "create", "-q", "../bundled/git/shop.bundle", "--all"]);
    let bundled = World::Casefile(Casefile::open(&bundled, Limits::default()).unwrap());
    assert_eq!(text(&bundled, &probe(GitTable::Log, None)), expected);
    assert_eq!(
        live(Path::new("/"))
            .answer(&Probe::Git { repository: "/".into(), table: GitTable::Log, since: None, until: None })
            .unwrap_err()
            .why,
        Why::Absent
    );
}

#[test]
fn transcripts_of_the_window_come_with_their_subagents() {
    let dir = tempfile::tempdir().unwrap();
    let line = |at: &str| {
        format!("{{\"type\":\"user\",\"timestamp\":\"{at}\",\"message\":{{\"content\":\"{}\"}}}}\n", secret())
    };
    put(dir.path(), "home/.claude/projects/-opt-shop/7f3a.jsonl", &line("2026-03-01T09:00:00Z"));
    put(dir.path(), "home/.claude/projects/-opt-shop/7f3a/subagents/agent-1.jsonl", &line("2026-03-01T09:05:00Z"));
    put(dir.path(), "home/.claude/projects/-opt-shop/late.jsonl", &line("2026-03-09T09:00:00Z"));
    let world = live(dir.path());
    let probe = Probe::Sessions { since: None, until: Some("2026-03-02T00:00:00Z".parse().unwrap()) };
    let found = world.answer(&probe).unwrap();
    let paths: Vec<&str> = found.iter().map(|document| document.path.as_str()).collect();
    assert_eq!(paths, ["sessions/-opt-shop/7f3a.jsonl", "sessions/-opt-shop/7f3a/subagents/agent-1.jsonl"]);
    assert!(found.iter().all(|document| !document.text.as_str().contains(&secret())));
    let elsewhere = tempfile::tempdir().unwrap();
    assert_eq!(live(elsewhere.path()).answer(&probe).unwrap_err().why, Why::Absent);
}
