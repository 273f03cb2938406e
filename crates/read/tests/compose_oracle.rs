//! The reader against the real docker-compose 1.29, where its rules and those of v2 agree.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test panics where it fails"
)]

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;
use std::process::Command;

use coroner_model::{ContentHash, Document, Redactor};
use coroner_read::compose::{Project, Request, project};
use coroner_read::yaml::{self, Node};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngSeed, TestRunner};

/// Runs of the oracle; each starts a Python process.
const CASES: u32 = 24;

fn oracle_present() -> bool {
    Command::new("docker-compose").arg("version").output().is_ok_and(|o| o.status.success())
}

/// Values that 1.29 and v2 read alike, in env files and in YAML double quotes.
fn value() -> impl Strategy<Value = String> {
    prop::sample::select(vec![
        "plain",
        "a b",
        "x=y",
        "1",
        "a:b",
        "p@ss",
        "${ONE}",
        "${ONE:-d}",
        "${NOPE:-d}",
        "${EMPTY:-d}",
        "${EMPTY-d}",
        "$ONE",
        "a$$b",
        "${NOPE-}",
        "tail#no",
        "/abs/path",
        "http://h:80/x?y=1",
    ])
    .prop_map(str::to_owned)
}

fn name() -> impl Strategy<Value = String> {
    prop::sample::select(vec!["A_ONE", "A_TWO", "B", "C_MODE", "D", "ONE"]).prop_map(str::to_owned)
}

#[derive(Clone, Debug)]
struct Part {
    environment: Vec<(String, Option<String>)>,
    as_list: bool,
    env_files: Vec<usize>,
    ports: Vec<(u16, u16)>,
    mounts: Vec<(String, String)>,
    networks: Vec<String>,
    labels: Vec<(String, String)>,
    command: Option<String>,
}

fn part() -> impl Strategy<Value = Part> {
    let environment = prop::collection::vec((name(), prop::option::weighted(0.85, value())), 0..5);
    let mounts = prop::collection::vec(
        (prop::sample::select(vec!["./x", "../y", "/z", "data"]), prop::sample::select(vec!["/one", "/two"])),
        0..3,
    );
    let command = prop::option::of(prop::sample::select(vec!["run it", "sh -c 'a b'", "x \"y z\" w"]));
    (
        environment,
        any::<bool>(),
        prop::collection::vec(0..2usize, 0..2),
        prop::collection::vec((8000..8003u16, 80..82u16), 0..3),
        mounts,
        prop::collection::vec(prop::sample::select(vec!["front", "back"]), 0..2),
        prop::collection::vec((prop::sample::select(vec!["l.a", "l.b"]), value()), 0..3),
        command,
    )
        .prop_map(|(environment, as_list, env_files, ports, mounts, networks, labels, command)| Part {
            environment,
            as_list,
            env_files,
            ports,
            mounts: mounts.into_iter().map(|(a, b)| (a.to_owned(), b.to_owned())).collect(),
            networks: networks.into_iter().map(str::to_owned).collect(),
            labels: labels.into_iter().map(|(a, b)| (a.to_owned(), b)).collect(),
            command: command.map(str::to_owned),
        })
}

fn unique<K: Ord + Clone, V: Clone>(pairs: &[(K, V)]) -> BTreeMap<K, V> {
    pairs.iter().cloned().collect()
}

fn write_service(part: &Part, first: bool) -> String {
    let mut out = String::from("version: '3.8'\nservices:\n  svc:\n");
    if first {
        out += "    image: img:1\n";
    } else {
        out += "    restart: always\n";
    }
    let environment = unique(&part.environment);
    if !environment.is_empty() {
        out += "    environment:\n";
        for (name, value) in &environment {
            let _ = match (part.as_list, value) {
                (true, Some(v)) => writeln!(out, "      - \"{name}={v}\""),
                (true, None) => writeln!(out, "      - {name}"),
                (false, Some(v)) => writeln!(out, "      {name}: \"{v}\""),
                (false, None) => writeln!(out, "      {name}:"),
            };
        }
    }
    let list = |out: &mut String, key: &str, items: Vec<String>| {
        if !items.is_empty() {
            let _ = writeln!(out, "    {key}:");
            items.iter().for_each(|i| {
                let _ = writeln!(out, "      - {i}");
            });
        }
    };
    let mut files: Vec<usize> = part.env_files.clone();
    files.dedup();
    list(&mut out, "env_file", files.iter().map(|f| format!("f{f}.env")).collect());
    list(&mut out, "ports", unique(&part.ports).iter().map(|(h, c)| format!("'{h}:{c}'")).collect());
    let mounts: BTreeMap<String, String> = part.mounts.iter().map(|(s, d)| (d.clone(), s.clone())).collect();
    list(&mut out, "volumes", mounts.iter().map(|(d, s)| format!("'{s}:{d}'")).collect());
    let networks: std::collections::BTreeSet<_> = part.networks.iter().collect();
    list(&mut out, "networks", networks.iter().map(|n| (*n).clone()).collect());
    let labels: Vec<(String, String)> = part.labels.clone();
    list(&mut out, "labels", unique(&labels).iter().map(|(k, v)| format!("\"{k}={v}\"")).collect());
    if let Some(command) = &part.command {
        let _ = writeln!(out, "    command: {}", yaml_quoted(command));
    }
    out += "networks:\n  front: {}\n  back: {name: other}\nvolumes:\n  data: {}\n";
    out
}

fn yaml_quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

fn read(root: &Path, files: &[(&str, String)]) -> Project {
    let redactor = Redactor::new([1; 32]);
    let documents: BTreeMap<String, Document> = files
        .iter()
        .map(|(name, text)| {
            let document = Document {
                path: (*name).to_owned(),
                observed_at: None,
                host: String::new(),
                text: redactor.redact(text),
                hash: ContentHash::sha256(text.as_bytes()),
                bytes_left_out: 0,
                first_line: 1,
            };
            (root.join(name).display().to_string(), document)
        })
        .collect();
    let get = |path: &str| documents.get(path);
    let at = |name: &str| root.join(name).display().to_string();
    project(&Request {
        files: vec![at("base.yml"), at("over.yml")],
        directory: None,
        name: None,
        env_files: None,
        environment: BTreeMap::new(),
        get: &get,
    })
}

fn oracle(root: &Path) -> Node {
    let out = Command::new("docker-compose")
        .args(["-f", "base.yml", "-f", "over.yml", "config"])
        .current_dir(root)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap())
        .output()
        .unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    yaml::document(&String::from_utf8(out.stdout).unwrap()).unwrap().unwrap()
}

fn compare(project: &Project, oracle: &Node) {
    let service = project.service("svc").unwrap();
    let theirs = oracle.at(&["services", "svc"]).unwrap();
    let pairs = |key: &str| -> BTreeMap<String, String> {
        let all = theirs.get(key).map(Node::entries).unwrap_or_default();
        // The oracle doubles dollar signs again so that its output can be read back.
        all.iter().filter_map(|e| Some((e.key.clone(), e.value.text()?.replace("$$", "$")))).collect()
    };
    let ours: BTreeMap<String, String> =
        service.environment.iter().map(|(k, v)| (k.clone(), v.value.clone())).collect();
    assert_eq!(ours, pairs("environment"));
    assert_eq!(service.labels, pairs("labels"));
    let mut ours: Vec<(String, String)> =
        service.volumes.iter().map(|m| (m.source.clone(), m.destination.clone())).collect();
    ours.sort();
    let volumes = theirs.get("volumes").map(Node::texts).unwrap_or_default();
    let mut volumes: Vec<(String, String)> = volumes
        .iter()
        .map(|v| {
            let mut parts = v.split(':');
            (parts.next().unwrap().to_owned(), parts.next().unwrap().to_owned())
        })
        .collect();
    volumes.sort();
    assert_eq!(ours, volumes);
    let mut ours: Vec<(u16, u16)> = service.ports.iter().map(|p| (p.host_port, p.container_port)).collect();
    ours.sort_unstable();
    let mut ports: Vec<(u16, u16)> = theirs
        .get("ports")
        .map(Node::items)
        .unwrap_or_default()
        .iter()
        .map(|p| {
            let get = |k: &str| p.get(k).and_then(Node::text).unwrap().parse().unwrap();
            (get("published"), get("target"))
        })
        .collect();
    ports.sort_unstable();
    assert_eq!(ours, ports);
    let mut ours: Vec<&str> = service.networks.iter().map(String::as_str).collect();
    ours.sort_unstable();
    let mut networks: Vec<&str> = match theirs.get("networks") {
        Some(n) => n.entries().iter().map(|e| e.key.as_str()).collect(),
        None => vec!["default"],
    };
    networks.sort_unstable();
    assert_eq!(ours, networks);
}

#[test]
fn merged_projects_agree_with_docker_compose() {
    if !oracle_present() {
        println!("skipped: docker-compose is not installed");
        return;
    }
    let config = Config { cases: CASES, failure_persistence: None, rng_seed: RngSeed::Fixed(12), ..Config::default() };
    let mut runner = TestRunner::new(config);
    let files = (
        part(),
        part(),
        prop::collection::vec((name(), value()), 0..4),
        prop::collection::vec((name(), value()), 0..4),
    );
    let run = runner.run(&files, |(base, over, f0, f1)| {
        let root = tempfile::tempdir().unwrap();
        // 1.29 does not interpolate inside env files, v2 does: plain values only.
        let env = |pairs: &[(String, String)]| -> String {
            unique(pairs).iter().filter(|(_, v)| !v.contains('$')).map(|(k, v)| format!("{k}={v}\n")).collect()
        };
        let files = [
            ("base.yml", write_service(&base, true)),
            ("over.yml", write_service(&over, false)),
            ("f0.env", env(&f0)),
            ("f1.env", env(&f1)),
            (".env", "ONE=first\nEMPTY=\nC_MODE=from dotenv\n".to_owned()),
        ];
        for (name, text) in &files {
            std::fs::write(root.path().join(name), text).unwrap();
        }
        let theirs = oracle(root.path());
        compare(&read(root.path(), &files), &theirs);
        Ok(())
    });
    run.unwrap_or_else(|e| panic!("{e}"));
}
