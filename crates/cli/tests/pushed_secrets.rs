//! A secret that a remote has: an action that only its issuer's refusal, or a person by name, closes.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test panics where it fails"
)]

mod terminal;

use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::mpsc::{Receiver, channel};

use serde_json::Value;

const BINARY: &str = env!("CARGO_BIN_EXE_coroner");

/// A value with the form of an issuer's, made here so that none lies in the repository.
fn made(prefix: &[&str], length: usize, salt: usize) -> String {
    let letter = |i: usize| char::from(b"k3Vn8QzL5wRt2Yp7"[(i * 7 + i / 3 + salt * 5) % 16]);
    prefix.concat() + &(0..length).map(letter).collect::<String>()
}

fn key(salt: usize) -> String {
    made(&["gh", "p_"], 36, salt)
}

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
        std::fs::create_dir_all(&site.home).unwrap();
        site.git(&["init", "-q", "-b", "main"]);
        let server = root.join("server.git").display().to_string();
        site.git(&["init", "-q", "--bare", &server]);
        site.git(&["remote", "add", "origin", &server]);
        site
    }

    fn git(&self, args: &[&str]) -> Output {
        let mut command = Command::new("git");
        command.args(["-c", "user.name=t", "-c", "user.email=t@example.org"]).args(args).current_dir(&self.work);
        command.env("GIT_CONFIG_NOSYSTEM", "1").env("HOME", &self.work).env("CORONER_HOME", &self.home);
        command.output().unwrap()
    }

    fn commit(&self, path: &str, text: &str) {
        std::fs::write(self.work.join(path), text).unwrap();
        self.git(&["add", path]);
        assert!(self.git(&["commit", "-q", "-m", path]).status.success());
    }

    fn settle(&self, command: &mut Command) {
        command.env("CORONER_HOME", &self.home).current_dir(&self.work);
    }

    /// The program without a terminal.
    fn coroner(&self, args: &[&str]) -> Output {
        let mut command = Command::new("setsid");
        command.args(["-w", BINARY]).args(args).stdin(Stdio::null());
        self.settle(&mut command);
        command.output().unwrap()
    }

    fn json(&self, args: &[&str]) -> Value {
        let output = self.coroner(&[args, &["--format", "json"]].concat());
        serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", text(&output)))
    }

    /// The ids of actions in a state.
    fn ids(&self, state: &str) -> Vec<String> {
        let list = self.json(&["incident", "action", "list"]);
        let of_state = list["actions"].as_array().unwrap().iter().filter(|a| a["status"]["state"] == state);
        of_state.map(|a| a["id"].as_str().unwrap().to_owned()).collect()
    }

    /// The program at a terminal where a person answers.
    fn asked(&self, line: &str, answer: &str, env: (&str, &str)) -> Option<(i32, String)> {
        terminal::answered(&format!("{BINARY} {line}"), &[("[y/N] ", answer)], |command| {
            self.settle(command);
            command.env(env.0, env.1);
        })
    }
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

/// An issuer on this machine: what it was sent, and what it answers in turn.
fn issuer(answers: Vec<(u16, &'static str)>) -> (String, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let (send, received) = channel();
    std::thread::spawn(move || {
        for (status, body) in answers {
            let (mut line, _) = listener.accept().unwrap();
            let (mut request, mut bytes) = (Vec::new(), [0; 4096]);
            while !request.ends_with(b"\r\n\r\n") {
                let count = line.read(&mut bytes).unwrap();
                request.extend_from_slice(&bytes[..count]);
            }
            let length = body.len();
            write!(line, "HTTP/1.1 {status} X\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}").unwrap();
            send.send(String::from_utf8(request).unwrap()).unwrap();
        }
    });
    (address, received)
}

/// Whether any file below a folder holds a text.
fn holds(folder: &Path, wanted: &str) -> bool {
    std::fs::read_dir(folder).unwrap().flatten().any(|entry| {
        let path = entry.path();
        match path.is_dir() {
            true => holds(&path, wanted),
            false => std::fs::read(&path).unwrap().windows(wanted.len()).any(|w| w == wanted.as_bytes()),
        }
    })
}

#[test]
fn only_what_a_remote_has_opens_an_action_and_each_value_opens_one() {
    let site = Site::new();
    site.commit("a.py", &format!("token = \"{}\"\n", key(1)));
    let report = site.json(&["check", "--history"]);
    assert!(report["findings"].as_array().unwrap().len() == 1 && report.get("actions").is_none(), "{report}");
    assert!(!text(&site.coroner(&["doctor"])).contains("pushed secret"));
    site.git(&["push", "-q", "origin", "main"]);
    site.commit("b.py", &format!("again = \"{}\"\nlocal = \"{}\"\nkeep = 1\n", key(1), key(2)));
    site.commit("c.py", &format!("token = \"{}\"  # coroner:allow\n", key(3)));
    let report = site.json(&["check", "--history"]);
    let actions = report["actions"].as_array().unwrap();
    assert_eq!(actions.len(), 1, "{report}");
    assert_eq!((&actions[0]["place"]["path"], &actions[0]["place"]["line"]), (&"a.py".into(), &1.into()));
    let again = site.json(&["check", "--history"]);
    assert_eq!(actions[0], again["actions"][0], "it is opened once");
    assert_eq!(site.ids("open").len(), 1);
    assert!(text(&site.coroner(&["doctor"])).contains("1 pushed secret is still open"));
    assert!(!holds(&site.home, &key(1)));
}

#[test]
fn a_push_on_top_of_a_pushed_secret_goes_and_opens_the_action() {
    let site = Site::new();
    site.commit("a.py", &format!("token = \"{}\"\n", key(4)));
    site.git(&["push", "-q", "origin", "main"]);
    let hook = site.work.join(".git/hooks/pre-push");
    std::fs::create_dir_all(hook.parent().unwrap()).unwrap();
    std::fs::write(&hook, format!("#!/bin/sh\nexec '{BINARY}' hook --git pre-push -- \"$@\"\n")).unwrap();
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(&hook, std::fs::Permissions::from_mode(0o755)).unwrap();
    site.commit("clean.py", "one = 1\n");
    let passed = site.git(&["push", "-q", "origin", "main"]);
    assert!(passed.status.success() && text(&passed).is_empty(), "{}", text(&passed));
    site.commit("a.py", &format!("one = 1\ntoken = \"{}\"\n", key(4)));
    let passed = site.git(&["push", "-q", "origin", "main"]);
    assert!(passed.status.success() && text(&passed).contains("a.py:1:10"), "{}", text(&passed));
    let open = site.ids("open");
    assert!(open.len() == 1 && text(&passed).contains(&open[0]), "{}", text(&passed));
    assert!(!holds(&site.home, &key(4)));
}

#[test]
fn an_action_closes_when_its_issuer_refuses_the_key_and_not_before() {
    let site = Site::new();
    site.commit("a.py", &format!("token = \"{}\"\n", key(5)));
    site.git(&["push", "-q", "origin", "main"]);
    site.json(&["check", "--history"]);
    let id = site.ids("open").remove(0);
    let refused = r#"{"message": "Bad credentials"}"#;
    let (address, sent) = issuer(vec![(200, r#"{"login": "me"}"#), (401, "<html>a proxy</html>"), (401, refused)]);
    std::fs::write(site.home.join("issuers.toml"), format!("[github]\naddress = \"{address}\"\n")).unwrap();
    let from_env = format!("incident action probe {id} --value-from env:KEY");
    let probe = |answer: &str, value: &str| site.asked(&from_env, answer, ("KEY", value));

    // Without a person, with a no, with another value or with one on the command line nothing is sent.
    let alone = site.coroner(&["incident", "action", "probe", &id, "--value-from", "commit"]);
    assert!(alone.status.code() == Some(2) && text(&alone).contains("no terminal"), "{}", text(&alone));
    let other = site.coroner(&["incident", "action", "probe", &id, "--value-from", "file:b.txt"]);
    assert_eq!(other.status.code(), Some(3));
    let typed = site.coroner(&["incident", "action", "probe", &id, "--value-from", &key(5)]);
    assert!(typed.status.code() == Some(2) && !text(&typed).contains(&key(5)), "{}", text(&typed));
    std::fs::write(site.work.join("b.txt"), format!("KEY={}\n", key(6))).unwrap();
    let other = site.coroner(&["incident", "action", "probe", &id, "--value-from", "file:b.txt:1"]);
    assert!(text(&other).contains("not the value") && !text(&other).contains(&key(6)), "{}", text(&other));
    let Some((code, said)) = probe("n", &key(5)) else { return };
    assert_eq!(code, 2, "{said}");
    assert!(sent.try_recv().is_err() && site.ids("open").len() == 1);

    let (code, said) = probe("y", &key(5)).unwrap();
    assert!(code == 1 && said.contains("ALIVE") && !said.contains(&key(5)), "{said}");
    assert!(said.contains(address.strip_prefix("http://").unwrap()), "the host is named: {said}");
    let request = sent.recv().unwrap().to_lowercase();
    let wanted = format!("authorization: bearer {}", key(5)).to_lowercase();
    assert!(request.starts_with("get /user http") && request.contains(&wanted), "{request}");
    let (code, said) = site.asked(&from_env.replace("env:KEY", "commit"), "y", ("A", "b")).unwrap();
    assert!(code == 3 && site.ids("open").len() == 1, "{said}");
    std::fs::write(site.work.join("b.txt"), format!("A=1\nexport KEY='{}'\n", key(5))).unwrap();
    let (code, said) = site.asked(&from_env.replace("env:KEY", "file:b.txt:2"), "yes", ("A", "b")).unwrap();
    assert!(code == 0 && said.contains("dead"), "{said}");
    assert_eq!((site.ids("open").len(), site.ids("dead")), (0, vec![id]));
    assert!(!text(&site.coroner(&["doctor"])).contains("pushed secret"));
    assert!(!holds(&site.home, &key(5)), "the value is nowhere");
    assert!(site.json(&["check", "--history"]).get("actions").is_none(), "a dead key stays closed");
    assert_eq!(site.coroner(&["evidence", "verify"]).status.code(), Some(0));
}

#[test]
fn what_no_issuer_can_tell_closes_on_a_persons_name_only() {
    let site = Site::new();
    site.commit("a.ini", &format!("aws_secret_access_key = {}\n", made(&[], 40, 7)));
    site.git(&["push", "-q", "origin", "main"]);
    site.json(&["check", "--history"]);
    let id = site.ids("open").remove(0);
    let probe = site.coroner(&["incident", "action", "probe", &id, "--value-from", "commit"]);
    assert!(probe.status.code() == Some(2) && text(&probe).contains("no issuer"), "{}", text(&probe));
    let alone = site.coroner(&["incident", "action", "accept", &id, "--by", "Ada"]);
    assert!(alone.status.code() == Some(2) && site.ids("open").len() == 1, "{}", text(&alone));
    let Some((code, said)) = site.asked(&format!("incident action accept {id} --by Ada"), "y", ("A", "b")) else {
        return;
    };
    assert_eq!(code, 0, "{said}");
    let shown = text(&site.coroner(&["incident", "action", "list"]));
    assert!(shown.contains("accepted by Ada") && shown.contains("not shown to be dead"), "{shown}");
}
