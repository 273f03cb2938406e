//! Jest.

use std::sync::LazyLock;

use regex::Regex;

use super::line::Line;
use super::{Runner, TestRun, add_name, count_of, counted, duration_ms, pattern};

static TESTS: LazyLock<Regex> = LazyLock::new(|| pattern(r"^Tests:\s+((?:\d+ [a-z]+, )*\d+ total)$"));
static TIME: LazyLock<Regex> = LazyLock::new(|| pattern(r"^Time:\s+([\d.]+ ?m?s|[\d.]+ ?m)(?:, estimated .*)?$"));
static NONE: LazyLock<Regex> = LazyLock::new(|| pattern(r"^No tests found, exiting with code \d$"));
static NAMED: LazyLock<Regex> = LazyLock::new(|| pattern(r"^  ● (.+)$"));

pub(super) fn read(lines: &[Line<'_>]) -> Vec<TestRun> {
    let mut runs: Vec<TestRun> = Vec::new();
    let (mut names, mut broken) = (Vec::new(), 0);
    for (index, line) in lines.iter().enumerate() {
        let text = line.text.trim_end();
        if let Some(found) = NAMED.captures(text) {
            match &found[1] {
                "Test suite failed to run" => broken += 1,
                "Console" => {}
                name if name.ends_with("Test suite failed to run") => broken += 1,
                name => add_name(&mut names, name),
            }
        } else if text == "Summary of all failing tests" {
            // They are told again.
            broken = 0;
        } else if NONE.is_match(text) {
            runs.push(of_counts(&[], line));
        } else if let Some(counts) = TESTS.captures(text).and_then(|found| counted(found.get(1)?.as_str(), ", ")) {
            let mut run = of_counts(&counts, line);
            run.errored = Some(std::mem::take(&mut broken));
            run.failures = std::mem::take(&mut names);
            let after = lines[index + 1..].iter().take(3);
            let time = after.filter_map(|line| TIME.captures(line.text.trim_end())).next();
            run.duration_ms = time.and_then(|time| duration_ms(&time[1]));
            runs.push(run);
        }
    }
    runs
}

/// Jest leaves out what is zero.
fn of_counts(counts: &[(u64, &str)], line: &Line<'_>) -> TestRun {
    let of = |word: &str| Some(count_of(counts, &[word]));
    let mut run = TestRun::new(Runner::Jest, line.span.clone());
    (run.passed, run.failed, run.skipped) = (of("passed"), of("failed"), of("skipped"));
    (run.todo, run.total) = (of("todo"), of("total"));
    run
}
