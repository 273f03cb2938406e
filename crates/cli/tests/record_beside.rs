//! `coroner record` on what is no transcript: histories of shells, git, logs, reports of tests.

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
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;
use std::sync::{Arc, Mutex};

use recording::Site;
use serde_json::Value;

fn source<'r>(report: &'r Value, ending: &str) -> &'r Value {
    let all = report["sources"].as_array().unwrap();
    all.iter().find(|s| s["path"].as_str().unwrap().ends_with(ending)).unwrap_or_else(|| panic!("{ending}: {report}"))
}

#[test]
fn what_was_typed_is_recorded_once_however_the_shell_rewrites_its_file() {
    let site = Site::new();
    let secret: String = (0..16).map(|i| char::from(b"q7Rt2Vw9Kp4Zs6Ym"[i * 5 % 16])).collect();
    site.put("home/.bash_history", &format!("ls\n#1770000000\nexport DB_PASSWORD={secret}\n#1770000060\nls\n"));
    site.put("home/.zsh_history", "cargo test\ngit push origin main\nls\n");
    site.put("home/.local/share/fish/fish_history", "- cmd: docker compose up\n  when: 1770000000\n");
    let first = site.record(&[]);
    assert_eq!((&first["parsed"], &first["failed"], &first["tool_calls"]), (&3.into(), &0.into(), &7.into()));
    let bash = source(&first, ".bash_history");
    assert_eq!((&bash["agent"], &bash["state"], &bash["tool_calls"]), (&"shell".into(), &"parsed".into(), &3.into()));
    let again = site.record(&[]);
    assert_eq!((&again["unchanged"], &again["rows_written"]), (&3.into(), &0.into()));
    // zsh cuts the beginning and writes the whole anew.
    site.put("home/.zsh_history", "git push origin main\nls\nls\nmake deploy\n");
    let third = site.record(&[]);
    assert_eq!((&third["tool_calls"], &third["held"]["tool_calls"]), (&2.into(), &9.into()));
    let hits = site.recall("make deploy");
    let hit = &hits["hits"][0];
    assert_eq!(
        (&hit["kind"], &hit["agent"], &hit["text"]),
        (&"command".into(), &"shell".into(), &"make deploy".into())
    );
    let raw = &hit["raw"];
    let file = fs::read_to_string(raw["file"].as_str().unwrap()).unwrap();
    let (from, len) = (raw["offset"].as_u64().unwrap() as usize, raw["len"].as_u64().unwrap() as usize);
    assert_eq!(&file[from..from + len], "make deploy");
    assert_eq!(site.recall("docker compose up")["hits"][0]["at"], "2026-02-02T02:40:00Z");
    assert!(!site.store_holds(&secret), "a secret that was typed lies in the store");
    // /dev/null in place of a history is none.
    fs::remove_file(site.path("home/.bash_history")).unwrap();
    std::os::unix::fs::symlink("/dev/null", site.path("home/.bash_history")).unwrap();
    let last = site.record(&[]);
    assert_eq!((&last["files"], &last["failed"], &last["held"]["tool_calls"]), (&2.into(), &0.into(), &9.into()));
}

#[test]
fn commits_and_moves_of_head_are_recorded_as_they_come() {
    let site = Site::new();
    site.git(&["init", "-q", "-b", "main"]);
    site.put("project/pay.py", "card = 1\n");
    site.put("project/docs/read me.md", "x\n");
    site.git(&["add", "."]);
    site.git(&["commit", "-q", "-m", "Take cards\n\nCash was refused by the marmot office"]);
    let first = site.record(&[]);
    let commits = source(&first, "/.git");
    assert_eq!((&commits["kind"], &commits["state"], &commits["lines"]), (&"git".into(), &"parsed".into(), &1.into()));
    assert_eq!(source(&first, "logs/HEAD")["lines"], 1);
    let hit = site.recall("marmot office")["hits"][0].clone();
    let text = hit["text"].as_str().unwrap();
    assert!(hit["kind"] == "evidence" && text.contains("A\tdocs/read me.md") && text.contains("A\tpay.py"), "{hit}");
    let again = site.record(&[]);
    assert_eq!((&again["parsed"], &again["rows_written"]), (&0.into(), &0.into()));
    site.git(&["checkout", "-q", "-b", "side"]);
    site.put("project/pay.py", "card = 2\n");
    site.git(&["commit", "-q", "-am", "Second walrus"]);
    site.git(&["checkout", "-q", "main"]);
    site.git(&["rm", "-q", "pay.py"]);
    site.git(&["commit", "-q", "-m", "Third walrus"]);
    let third = site.record(&[]);
    assert_eq!((&source(&third, "/.git")["lines"], &third["held"]["evidence"]), (&3.into(), &8.into()), "{third}");
    let text = site.recall("third walrus")["hits"][0]["text"].as_str().unwrap().to_owned();
    assert!(text.contains("D\tpay.py") || text.contains("commit: Third walrus"), "{text}");
    // A history that was rewritten adds what is new; what it left stays.
    site.git(&["commit", "-q", "--amend", "-m", "Third heron"]);
    let fourth = site.record(&[]);
    assert_eq!((&source(&fourth, "/.git")["lines"], &fourth["held"]["evidence"]), (&4.into(), &10.into()));
    assert!(site.recall("third walrus")["hits"].as_array().unwrap().len() >= 2);
}

#[test]
fn a_repository_that_cannot_be_read_stops_nothing_else() {
    let site = Site::new();
    site.git(&["init", "-q"]);
    fs::write(site.path("project/.git/HEAD"), "no head at all").unwrap();
    site.put("home/.bash_history", "make test\n");
    site.put("project/test-results/junit.xml", "<testsuite><testcase name='pays'/></testsuite>");
    let report = site.record(&[]);
    assert_eq!((&report["parsed"], &report["failed"]), (&2.into(), &1.into()), "{report}");
}

#[test]
fn reports_of_tests_are_found_where_runners_leave_them() {
    let site = Site::new();
    site.git(&["init", "-q"]);
    let failing = "<testsuites><testsuite name='pay'><testcase classname='pay' name='takes cards'/><testcase classname='pay' name='refuses the ocelot'><failure/></testcase></testsuite></testsuites>";
    site.put("project/target/nextest/ci/junit.xml", failing);
    site.put("project/reports/unit.txt", "collected 5 items\n\n==== 1 failed, 4 passed in 2.50s ====\n");
    site.put("project/reports/size.txt", "nothing was tested here\n");
    site.put("project/target/debug/notes.txt", "==== 9 failed, 4 passed in 2.50s ====\n");
    site.put("project/node_modules/x/junit.xml", failing);
    site.put("project/README.txt", "==== 8 failed, 4 passed in 2.50s ====\n");
    let first = site.record(&[]);
    let of = |report: &Value| {
        let all = report["sources"].as_array().unwrap().clone();
        all.into_iter().filter(|s| s["kind"] == "test-results").collect::<Vec<_>>()
    };
    assert_eq!(of(&first).len(), 3, "{first}");
    assert_eq!(source(&first, "size.txt")["state"], "skipped");
    let hit = &site.recall("refuses the ocelot")["hits"][0];
    assert!(hit["text"].as_str().unwrap().starts_with("tests by junit: 1 passed, 1 failed"), "{hit}");
    assert!(site.recall("4 passed")["hits"][0]["text"].as_str().unwrap().contains("4 passed, 1 failed"));
    let again = site.record(&[]);
    assert_eq!((&again["parsed"], &again["rows_written"]), (&0.into(), &0.into()));
    site.put("project/target/nextest/ci/junit.xml", "<testsuite><testcase name='pays'/></testsuite>");
    let third = site.record(&[]);
    assert_eq!((&third["parsed"], &third["held"]["evidence"]), (&1.into(), &3.into()));
}

#[test]
fn a_casefile_s_logs_are_read_on_from_where_they_ended() {
    let site = Site::new();
    let log = |from: usize, to: usize| {
        (from..to).map(|n| format!("2026-01-23T05:12:{:02}.5Z line {n} of the api\n", n % 60)).collect::<String>()
    };
    site.put("case/docker/logs/api.log", &log(0, 450));
    site.put(
        "case/host/journal.jsonl",
        "{\"__REALTIME_TIMESTAMP\":\"1770000000000000\",\"SYSLOG_IDENTIFIER\":\"kernel\",\"MESSAGE\":\"Out of memory: the pangolin was killed\"}\n",
    );
    site.put("case/shell/.bash_history", "ls\n");
    site.put("case/notes.txt", "==== 1 failed, 4 passed in 2.50s ====\n");
    let case = site.path("case").display().to_string();
    let first = site.record(&["--from", &case]);
    assert_eq!((&first["parsed"], &first["skipped"], &first["failed"]), (&3.into(), &1.into(), &0.into()), "{first}");
    assert_eq!((&first["held"]["evidence"], &source(&first, "api.log")["lines"]), (&5.into(), &450.into()));
    let hit = site.recall("pangolin")["hits"][0].clone();
    assert_eq!(hit["text"], "2026-02-02T02:40:00Z kernel: Out of memory: the pangolin was killed\n", "{hit}");
    site.put("case/docker/logs/api.log", &(log(0, 450) + &log(450, 460) + "2026 half a line"));
    let second = site.record(&["--from", &case]);
    assert_eq!((&second["parsed"], &second["lines"], &second["held"]["evidence"]), (&1.into(), &10.into(), &6.into()));
    let third = site.record(&["--from", &case]);
    assert_eq!((&third["parsed"], &third["rows_written"]), (&0.into(), &0.into()), "{third}");
}

#[test]
fn the_project_s_containers_are_asked_for_what_is_new_and_no_others() {
    let site = Site::new();
    site.put("project/compose.yml", "services: {api: {image: api}}\n");
    let project = site.path("project").display().to_string();
    let lines = Arc::new(Mutex::new(vec!["2026-01-23T05:12:01.000000001Z the api is up\n".to_owned()]));
    let socket = site.path("engine.sock");
    let listener = UnixListener::bind(&socket).unwrap();
    let logged = lines.clone();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut head = BufReader::new(stream.try_clone().unwrap()).lines();
            let Some(Ok(first)) = head.next() else { continue };
            while head.next().is_some_and(|line| !line.unwrap().is_empty()) {}
            let target = first.split(' ').nth(1).unwrap().to_owned();
            let label = "com.docker.compose.project.working_dir";
            let body: Vec<u8> = if target == "/version" {
                b"{\"ApiVersion\":\"1.41\"}".to_vec()
            } else if target.contains("/containers/json") {
                let listed = serde_json::json!([
                    {"Names": ["/api"], "Labels": {label: project}},
                    {"Names": ["/other"], "Labels": {label: "/srv/other"}},
                ]);
                listed.to_string().into_bytes()
            } else if target.contains("/api/json") {
                b"{\"Id\":\"abc\",\"Name\":\"/api\",\"Config\":{\"Tty\":true}}".to_vec()
            } else if target.contains("/containers/abc/logs") {
                // The engine gives lines of the asked moment again.
                let since = target.split("since=").nth(1).map(|s| s.split('&').next().unwrap().to_owned());
                let all = logged.lock().unwrap().clone();
                let from = since.map_or(0, |since| {
                    let at = |line: &String| {
                        let at: jiff::Timestamp = line.split(' ').next().unwrap().parse().unwrap();
                        format!("{}.{:09}", at.as_second(), at.subsec_nanosecond())
                    };
                    all.iter().position(|line| at(line) >= since).unwrap_or(all.len())
                });
                all[from..].concat().into_bytes()
            } else {
                panic!("nobody may ask for {target}");
            };
            let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
            stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&body)).ok();
        }
    });
    let host = format!("unix://{}", socket.display());
    let record = || site.record_with(&[], &[("DOCKER_HOST", &host)]);
    let first = record();
    let log = source(&first, "docker/logs/api.log");
    assert_eq!((&log["state"], &log["lines"]), (&"parsed".into(), &1.into()), "{first}");
    assert!(first["sources"].as_array().unwrap().iter().all(|s| !s["path"].as_str().unwrap().contains("other")));
    let again = record();
    assert_eq!((&again["unchanged"], &again["rows_written"]), (&1.into(), &0.into()), "{again}");
    lines.lock().unwrap().push("2026-01-23T05:12:02Z upstream lemur refused\n".to_owned());
    let third = record();
    assert_eq!((&third["lines"], &third["held"]["evidence"], &third["gone"]), (&1.into(), &2.into(), &0.into()));
    assert!(site.recall("lemur refused")["hits"][0]["text"].as_str().unwrap().contains("upstream lemur refused"));
    fs::set_permissions(&socket, fs::Permissions::from_mode(0o600)).unwrap();
    fs::remove_file(&socket).unwrap();
    let gone = record();
    assert_eq!((&gone["failed"], &gone["held"]["evidence"]), (&0.into(), &2.into()));
}
