//! Processes that are killed, and processes that write at the same time.
//!
//! The test binary runs itself again as the process that is killed.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test panics where it fails"
)]

mod common;

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use common::{at, evidence};
use coroner_model::EvidenceId;
use coroner_model::evidence::hex;
use coroner_store::{Store, custody};

/// Names the store for a process that this suite starts.
const CHILD_STORE: &str = "CORONER_TEST_CHILD_STORE";
/// First number of the evidence that it appends.
const CHILD_FROM: &str = "CORONER_TEST_CHILD_FROM";

fn start(role: &str, store: &Path, from: usize) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args([role, "--exact", "--nocapture", "--test-threads=1"])
        .env(CHILD_STORE, store)
        .env(CHILD_FROM, from.to_string())
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .spawn()
        .unwrap()
}

fn child() -> Option<(Store, usize)> {
    let path = std::env::var_os(CHILD_STORE)?;
    let from = std::env::var(CHILD_FROM).unwrap().parse().unwrap();
    Some((Store::open(Path::new(&path)).unwrap(), from))
}

fn acknowledge(word: &str, id: &EvidenceId) {
    let mut out = std::io::stdout().lock();
    // On a line of its own: the test harness has begun one.
    writeln!(out, "\n{word} {id}").unwrap();
    out.flush().unwrap();
}

/// Appends batches of one to three, redacts one in seven, and says so, until it is killed.
#[test]
fn child_writes() {
    let Some((store, from)) = child() else { return };
    for n in (from..).step_by(3) {
        let items: Vec<_> = (n..n + 1 + n % 3).map(evidence).collect();
        store.append(&items, at(n as i64)).unwrap();
        items.iter().for_each(|i| acknowledge("kept", &i.id));
        if n % 7 == 0 {
            store.redact(&items[0].id, "a secret", at(n as i64)).unwrap();
            acknowledge("redacted", &items[0].id);
        }
    }
}

/// Appends evidence, half of which another process appends too, says its key and ends.
#[test]
fn child_appends() {
    let Some((store, from)) = child() else { return };
    acknowledge("key", &EvidenceId::new(hex(&store.redaction_key())));
    for n in 0..20 {
        store.append(&[evidence(from + n), evidence(900_000 + n)], at(n as i64)).unwrap();
    }
}

#[test]
fn a_kill_at_any_moment_loses_nothing_acknowledged_and_leaves_a_store_that_verifies() {
    let folder = tempfile::tempdir().unwrap();
    let mut acknowledged: Vec<(String, EvidenceId)> = Vec::new();
    for round in 0..18_usize {
        let mut child = start("child_writes", folder.path(), 1 + round * 10_000);
        let out = child.stdout.take().unwrap();
        let count = Arc::new(AtomicUsize::new(0));
        let heard = count.clone();
        let reader = std::thread::spawn(move || {
            let lines = BufReader::new(out).split(b'\n').map_while(Result::ok);
            let counted = lines.inspect(|_| {
                heard.fetch_add(1, Ordering::Relaxed);
            });
            counted.map(|l| String::from_utf8_lossy(&l).into_owned()).collect::<Vec<_>>()
        });
        // By the clock, so that the store is also killed while it is made; or after so many answers.
        let until = Instant::now() + Duration::from_micros(3_000 + (round as u64 * 7_919) % 90_000);
        let deadline = Instant::now() + Duration::from_secs(60);
        let waits = || match round % 2 {
            0 => Instant::now() < until,
            _ => count.load(Ordering::Relaxed) < round && Instant::now() < deadline,
        };
        while waits() {
            std::thread::sleep(Duration::from_micros(200));
        }
        child.kill().unwrap();
        child.wait().unwrap();
        for line in reader.join().unwrap() {
            // A line that the kill cut short acknowledges nothing.
            if let Some((word @ ("kept" | "redacted"), id)) = line.split_once(' ')
                && id.len() == 12
            {
                acknowledged.push((word.to_owned(), EvidenceId::from(id)));
            }
        }
        let store = Store::open(folder.path()).unwrap();
        assert_eq!(store.verify().unwrap().problems, [], "round {round}");
        for (word, id) in &acknowledged {
            let kept = store.evidence(id).unwrap();
            let kept = kept.unwrap_or_else(|| panic!("round {round}: {word} {id} is lost"));
            assert!(word == "kept" || kept.evidence().is_none(), "round {round}: {id} is back");
        }
    }
    assert!(acknowledged.len() > 50, "only {} were acknowledged", acknowledged.len());
    assert!(acknowledged.iter().any(|(word, _)| word == "redacted"));
}

#[test]
fn a_killed_store_is_read_without_being_repaired_first() {
    let folder = tempfile::tempdir().unwrap();
    let mut child = start("child_writes", folder.path(), 1);
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    let acknowledged = lines.by_ref().filter(|l| l.starts_with("kept ")).nth(5).unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    let store = Store::open_read_only(folder.path()).unwrap();
    assert!(store.evidence(&EvidenceId::from(&acknowledged[5..])).unwrap().is_some());
}

#[test]
fn processes_begin_a_store_and_append_at_the_same_time() {
    for _ in 0..4 {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store");
        let children: Vec<_> = (0..4).map(|n| start("child_appends", &path, n * 1_000)).collect();
        let mut keys = BTreeSet::new();
        for child in children {
            let output = child.wait_with_output().unwrap();
            assert!(output.status.success());
            let out = String::from_utf8_lossy(&output.stdout).into_owned();
            keys.extend(out.lines().filter_map(|l| l.strip_prefix("key ")).map(str::to_owned));
        }
        assert_eq!(keys.len(), 1, "all have the same key");
        let report = custody::verify(&path).unwrap();
        assert_eq!((report.problems, report.records), (vec![], 100));
    }
}
