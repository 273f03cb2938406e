//! `coroner record` when it is killed, run twice, or meets sources that change under it.

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
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use recording::{BINARY, Site, read};
use serde_json::{Value, json};

/// Size of the corpus, in megabytes, where the environment says nothing else.
const MEGABYTES: &str = "5";
/// How often the recorder is killed.
const KILLS: u32 = 12;

fn corpus(site: &Site) -> String {
    let megabytes = std::env::var("CORONER_TEST_MEGABYTES").unwrap_or_else(|_| MEGABYTES.to_owned());
    let messages = megabytes.parse::<u64>().unwrap() * 535;
    let folder = site.path("corpus").display().to_string();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scripts/bench-corpus");
    let made = Command::new("python3")
        .arg(script)
        .args([&folder, "--messages", &messages.to_string(), "--megabytes", &megabytes])
        .output()
        .unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    folder
}

#[test]
fn a_killed_recording_leaves_a_store_that_verifies_and_is_completed_without_doubles() {
    let calm = Site::new();
    let folder = corpus(&calm);
    let begun = Instant::now();
    let expected = calm.record(&["--from", &folder]);
    let took = begun.elapsed();
    println!("undisturbed: {took:?}, held {}", expected["held"]);
    assert_eq!(calm.problems(), json!([]));
    let site = Site::new();
    for round in 0..KILLS {
        let mut command = site.command(&["record", "--from", &folder]);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        // Spread over the whole run, also while the store is made and while the index is written.
        std::thread::sleep(took.mul_f64(0.02 + f64::from(round * 7 % KILLS) / f64::from(KILLS) * 0.9));
        child.kill().unwrap();
        child.wait().unwrap();
        if site.path("own/store/coroner.db").is_file() {
            assert_eq!(site.problems(), json!([]), "round {round}");
        }
    }
    let last = site.record(&["--from", &folder]);
    assert_eq!(last["held"], expected["held"]);
    assert_eq!((&last["failed"], &last["files"]), (&json!(0), &expected["files"]));
    let again = site.record(&["--from", &folder]);
    assert_eq!((&again["parsed"], &again["rows_written"], &again["held"]), (&json!(0), &json!(0), &expected["held"]));
    assert_eq!(site.problems(), json!([]));
    let needles: Value = serde_json::from_str(&fs::read_to_string(format!("{folder}.needles.json")).unwrap()).unwrap();
    let commands = needles.as_array().unwrap().iter().filter(|needle| needle["kind"] == "command").take(5);
    for query in commands.map(|needle| needle["query"].as_str().unwrap()) {
        let hits = |site: &Site| site.recall(query)["hits"].as_array().unwrap().len();
        assert!(hits(&site) > 0 && hits(&site) == hits(&calm), "{query}");
    }
}

#[test]
fn two_recordings_at_once_record_each_thing_once() {
    let site = Site::new();
    let folder = corpus(&site);
    site.put("home/.bash_history", &(0..500).map(|n| format!("make step{n}\n")).collect::<String>());
    let start = || {
        let mut command = site.command(&["record", "--format", "json"]);
        command.env("CLAUDE_CONFIG_DIR", site.path("claude")).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn().unwrap()
    };
    fs::create_dir_all(site.path("claude")).unwrap();
    fs::rename(&folder, site.path("claude/projects")).unwrap();
    let (one, other) = (start(), start());
    let reports = [one, other].map(|child| read(child.wait_with_output().unwrap()));
    assert!(reports.iter().all(|report| report["failed"] == 0), "{reports:?}");
    let calm = Site::new();
    calm.put("home/.bash_history", &fs::read_to_string(site.path("home/.bash_history")).unwrap());
    let projects = site.path("claude").display().to_string();
    let expected = calm.record_with(&[], &[("CLAUDE_CONFIG_DIR", &projects)]);
    let held = site.record_with(&[], &[("CLAUDE_CONFIG_DIR", &projects)]);
    assert_eq!((&held["held"], &held["rows_written"]), (&expected["held"], &json!(0)));
    assert!(held["held"]["tool_calls"].as_u64().unwrap() > 500);
    assert_eq!(site.problems(), json!([]));
}

fn line(id: &str, words: &str) -> String {
    let said = json!({"role": "user", "content": words});
    json!({"type": "user", "uuid": id, "sessionId": "s1", "timestamp": "2026-01-23T05:12:09Z", "message": said})
        .to_string()
        + "\n"
}

#[test]
fn a_source_may_be_cut_written_anew_replaced_or_taken_away() {
    let site = Site::new();
    let of = |report: &Value| {
        let all = report["sources"].as_array().unwrap();
        all.iter().map(|s| s["state"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let folder = site.path("from").display().to_string();
    let path = site.put("from/s1.jsonl", &(line("a", "one") + &line("b", "two") + &line("c", "three")));
    let record = || site.record(&["--from", &folder]);
    assert_eq!(record()["held"]["messages"], 3);
    // Cut: what was recorded stays.
    fs::write(&path, line("a", "one")).unwrap();
    let cut = record();
    assert_eq!((of(&cut), &cut["held"]["messages"], &cut["duplicates"]), (vec!["parsed".into()], &json!(3), &json!(1)));
    // Written anew, of the same length.
    fs::write(&path, line("d", "ten")).unwrap();
    assert_eq!(record()["held"]["messages"], 4);
    // A link in its place is not followed, a folder is none, and what is gone is marked once.
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    let folder_now = record();
    assert_eq!((&folder_now["gone"], &folder_now["held"]["messages"]), (&json!(1), &json!(4)), "{folder_now}");
    fs::remove_dir(&path).unwrap();
    assert_eq!(record()["gone"], 0);
    // It comes back.
    fs::write(&path, line("d", "ten") + &line("e", "eleven")).unwrap();
    let back = record();
    assert_eq!((of(&back), &back["held"]["messages"]), (vec!["parsed".into()], &json!(5)));
    assert_eq!(site.problems(), json!([]));
}

#[test]
fn a_full_disk_refuses_with_a_word_and_keeps_what_there_is() {
    let site = Site::new();
    let folder = site.path("from").display().to_string();
    site.put("from/s1.jsonl", &line("a", "the numbat"));
    site.record(&["--from", &folder]);
    site.put("own/store/limits.toml", "disk_used_percent_max = 1\n");
    site.put("from/s1.jsonl", &(line("a", "the numbat") + &line("b", "the quokka")));
    let out = site.run(&["record", "--from", &folder]);
    let told = String::from_utf8_lossy(&out.stderr).into_owned();
    assert_eq!(out.status.code(), Some(3), "{told}");
    assert!(told.contains("the store stops growing at 1 %") && told.contains("hint: free space"), "{told}");
    assert_eq!(site.recall("numbat")["hits"].as_array().unwrap().len(), 1);
    assert_eq!(site.problems(), json!([]));
    fs::remove_file(site.path("own/store/limits.toml")).unwrap();
    assert_eq!(site.record(&["--from", &folder])["held"]["messages"], 2);
}

#[test]
fn loops_of_links_and_files_that_may_not_be_read_stop_nothing() {
    let site = Site::new();
    site.put("from/deep/s1.jsonl", &line("a", "the numbat"));
    let closed = site.put("from/closed.jsonl", &line("b", "the quokka"));
    let room = site.put("from/room/s3.jsonl", &line("c", "the bilby"));
    symlink(site.path("from"), site.path("from/deep/loop")).unwrap();
    symlink("self", site.path("from/self")).unwrap();
    // Whoever may read everything becomes somebody else for this.
    let is_root = fs::read_to_string("/proc/self/status").unwrap().lines().any(|l| l.starts_with("Uid:\t0\t"));
    for folder in ["", "home", "project"] {
        fs::set_permissions(site.path(folder), fs::Permissions::from_mode(0o777)).unwrap();
    }
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o000)).unwrap();
    fs::set_permissions(room.parent().unwrap(), fs::Permissions::from_mode(0o000)).unwrap();
    let folder = site.path("from").display().to_string();
    let words = ["record", "--format", "json", "--from", &folder];
    let mut command = match is_root {
        true => {
            let mut command = Command::new("setpriv");
            command.args(["--reuid=65534", "--regid=65534", "--clear-groups", BINARY]).args(words);
            command.env_clear().env("PATH", "/usr/bin:/bin").env("HOME", site.path("home"));
            command.env("CORONER_HOME", site.path("own")).current_dir(site.path("project"));
            command
        }
        false => site.command(&words),
    };
    let report = read(command.output().unwrap());
    fs::set_permissions(room.parent().unwrap(), fs::Permissions::from_mode(0o755)).unwrap();
    assert_eq!((&report["parsed"], &report["held"]["messages"]), (&json!(1), &json!(1)), "{report}");
    let why = |ending: &str| {
        let all = report["sources"].as_array().unwrap();
        let one = all.iter().find(|s| s["path"].as_str().unwrap().ends_with(ending));
        one.unwrap_or_else(|| panic!("{ending}: {report}"))["why"].as_str().unwrap().to_owned()
    };
    assert_eq!((why("closed.jsonl"), why("/room")), ("it cannot be read".into(), "it cannot be read".into()));
    assert_eq!((why("/loop"), why("/self")), ("a symbolic link".into(), "a symbolic link".into()));
}
