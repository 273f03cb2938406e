//! PHPUnit.

use std::sync::LazyLock;

use regex::Regex;

use super::line::Line;
use super::{Runner, TestRun, add_name, duration_ms, pattern};

static FINE: LazyLock<Regex> = LazyLock::new(|| pattern(r"^OK \((\d+) tests?, \d+ assertions?\)$"));
static TESTS: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"^Tests: (\d+), Assertions: \d+((?:, [A-Z][A-Za-z ]+: \d+)*)\.?$"));
static NAMED: LazyLock<Regex> = LazyLock::new(|| pattern(r"^\d+\) (\S+::\S+.*)$"));
static TIME: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"^Time: (?:(\d+):)?(\d+):([\d.]+), Memory: |^Time: ([\d.]+ \w+), Memory: "));

pub(super) fn read(lines: &[Line<'_>]) -> Vec<TestRun> {
    let mut runs = Vec::new();
    let (mut time, mut names) = (None, Vec::new());
    for line in lines {
        let text = line.text.trim();
        let mut run = TestRun::new(Runner::Phpunit, line.span.clone());
        (run.failed, run.errored, run.skipped) = (Some(0), Some(0), Some(0));
        if let Some(found) = TIME.captures(text) {
            time = match found.get(4) {
                Some(text) => duration_ms(text.as_str()),
                None => clock(found.get(1).map_or("0", |h| h.as_str()), &found[2], &found[3]),
            };
            continue;
        } else if let Some(found) = NAMED.captures(text) {
            add_name(&mut names, &found[1]);
            continue;
        } else if let Some(found) = FINE.captures(text) {
            run.total = found[1].parse().ok();
            run.passed = run.total;
        } else if text == "No tests executed!" {
            (run.total, run.passed) = (Some(0), Some(0));
        } else if let Some(found) = TESTS.captures(text) {
            let of = |name: &str| {
                let parts = found[2].split(", ").filter_map(|part| part.split_once(": "));
                let value = parts.filter(|(key, _)| *key == name).find_map(|(_, value)| value.parse().ok());
                Some(value.unwrap_or(0))
            };
            run.total = found[1].parse().ok();
            (run.failed, run.errored) = (of("Failures"), of("Errors"));
            run.skipped = of("Skipped");
            run.todo = of("Incomplete");
            run.failures = std::mem::take(&mut names);
        } else {
            continue;
        }
        names.clear();
        runs.push(TestRun { duration_ms: time.take(), ..run });
    }
    runs
}

/// `00:00.012`, or with hours before it.
fn clock(hours: &str, minutes: &str, seconds: &str) -> Option<u64> {
    let of = |text: &str| text.parse::<f64>().ok();
    Some(((of(hours)? * 3600.0 + of(minutes)? * 60.0 + of(seconds)?) * 1e3).round() as u64)
}
