//! Replays the recorded runs of the scenarios in `scenarios/engine`: the same verdict without an engine.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test panics where it fails"
)]

mod scenario;

use std::path::Path;
use std::process::Command;

use scenario::{Scenario, judge, root};

/// The names of all recordings.
fn recorded() -> Vec<String> {
    let folder = std::fs::read_dir(root().join("scenarios/recorded")).unwrap();
    let mut names: Vec<String> =
        folder.flatten().filter_map(|e| e.file_name().to_str()?.strip_suffix(".tar.zst").map(str::to_owned)).collect();
    names.sort();
    names
}

fn investigate(casefile: &Path, symptom: &str) -> Vec<u8> {
    let home = tempfile::tempdir().unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_coroner"))
        .args(["investigate", symptom, "--format", "json", "--casefile"])
        .arg(casefile)
        .current_dir(home.path())
        .env("CORONER_HOME", home.path())
        .output()
        .unwrap();
    assert!(!output.stdout.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

#[test]
fn every_recording_gives_its_cause_and_the_same_bytes() {
    let mut wrong = Vec::new();
    for name in recorded() {
        let casefile = root().join(format!("scenarios/recorded/{name}.tar.zst"));
        let symptom = std::fs::read_to_string(root().join(format!("scenarios/recorded/{name}.symptom"))).unwrap();
        let first = investigate(&casefile, symptom.trim());
        let report = serde_json::from_slice(&first).unwrap();
        if let Err(why) = judge(&Scenario::read(&name).expect, &report, &[]) {
            wrong.push(format!("{name}: {why}"));
        }
        assert!(first == investigate(&casefile, symptom.trim()), "{name}: the same casefile gave other bytes");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What is learned from a recording is tested before it is written, and then stops or reports it.
#[test]
fn every_recording_can_be_learned_from() {
    let mut wrong = Vec::new();
    for name in recorded() {
        let casefile = root().join(format!("scenarios/recorded/{name}.tar.zst"));
        let symptom = std::fs::read_to_string(root().join(format!("scenarios/recorded/{name}.symptom"))).unwrap();
        let home = tempfile::tempdir().unwrap();
        let coroner = |arguments: &[&str]| {
            Command::new(env!("CARGO_BIN_EXE_coroner"))
                .args(arguments)
                .args(["--format", "json"])
                .current_dir(home.path())
                .env("CORONER_HOME", home.path())
                .output()
                .unwrap()
        };
        let case = casefile.to_str().unwrap();
        coroner(&["investigate", symptom.trim(), "--casefile", case]);
        let learned = coroner(&["incident", "learn", "latest"]);
        let Ok(report) = serde_json::from_slice::<serde_json::Value>(&learned.stdout) else {
            wrong.push(format!("{name}: {}", String::from_utf8_lossy(&learned.stderr)));
            continue;
        };
        let found = coroner(&["check", "--casefile", case]);
        let found: serde_json::Value = serde_json::from_slice(&found.stdout).unwrap();
        let reports = found["findings"].as_array().unwrap().iter().any(|f| f["pattern"] == report["pattern"]);
        if !reports {
            wrong.push(format!("{name}: check does not report {}", report["pattern"]));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_scenario_is_recorded() {
    let folder = std::fs::read_dir(root().join("scenarios/engine")).unwrap();
    let mut there: Vec<String> =
        folder.flatten().filter_map(|e| e.file_name().to_str()?.strip_suffix(".md").map(str::to_owned)).collect();
    there.sort();
    assert_eq!(there, recorded());
}
