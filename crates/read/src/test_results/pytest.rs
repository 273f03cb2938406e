//! pytest, and unittest of Python's library.

use std::sync::LazyLock;

use regex::Regex;

use super::line::Line;
use super::{Runner, TestRun, add_name, count_of, counted, duration_ms, pattern};

static SUMMARY: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r"^(?:=+ )?((?:\d+ [a-z ]+, )*\d+ [a-z ]+|no tests ran) in ([\d.]+s)(?: \([\d:, a-z]+\))?(?: =+)?$")
});
static COLLECTED: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r"^(?:collecting \.\.\. )?collected (\d+) items?(?: / .*)?$|^\d+ workers \[(\d+) items?\]")
});
static NAMED: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"^(?:FAILED|ERROR) ([^\s\[]*(?:::|\.py)[^\s\[]*(?:\[.*?\])?)(?: - .*)?$"));
static RAN: LazyLock<Regex> = LazyLock::new(|| pattern(r"^Ran (\d+) tests? in ([\d.]+s)$"));
static UNITTEST: LazyLock<Regex> = LazyLock::new(|| pattern(r"^(?:OK|FAILED|NO TESTS RAN)(?: \(([a-z0-9=, ]+)\))?$"));
static UNITTEST_NAMED: LazyLock<Regex> = LazyLock::new(|| pattern(r"^(?:FAIL|ERROR): (\S+(?: \(\S+\))?)"));

/// Words of a summary; a line with another is none.
const WORDS: &[&str] = &[
    "failed",
    "passed",
    "skipped",
    "deselected",
    "xfailed",
    "xpassed",
    "warning",
    "warnings",
    "error",
    "errors",
    "rerun",
    "subtests passed",
    "subtests failed",
    "subtests skipped",
    "subtests xfailed",
];

pub(super) fn read(lines: &[Line<'_>]) -> Vec<TestRun> {
    let mut runs = Vec::new();
    let mut names = Vec::new();
    let mut collected: Option<(u64, std::ops::Range<usize>)> = None;
    for line in lines {
        if let Some(found) = COLLECTED.captures(&line.text) {
            runs.extend(collected.take().and_then(empty));
            let count = found.get(1).or(found.get(2)).and_then(|count| count.as_str().parse().ok());
            collected = count.map(|count| (count, line.span.clone()));
            names.clear();
        } else if let Some(found) = NAMED.captures(&line.text) {
            add_name(&mut names, &found[1]);
        } else if let Some(mut run) = summary(line) {
            run.total = collected.take().map(|(count, _)| count);
            run.failures = std::mem::take(&mut names);
            runs.push(run);
        }
    }
    runs.extend(collected.and_then(empty));
    runs.extend(unittest(lines));
    runs
}

/// Nothing was collected, and the output ends before it says so again.
fn empty((count, span): (u64, std::ops::Range<usize>)) -> Option<TestRun> {
    (count == 0).then(|| TestRun { total: Some(0), ..of_counts(&[], span) })
}

fn summary(line: &Line<'_>) -> Option<TestRun> {
    let found = SUMMARY.captures(line.text.trim())?;
    let counts = if &found[1] == "no tests ran" { Vec::new() } else { counted(&found[1], ", ")? };
    let known = counts.iter().all(|(_, word)| WORDS.contains(word));
    known.then(|| TestRun { duration_ms: duration_ms(&found[2]), ..of_counts(&counts, line.span.clone()) })
}

/// pytest leaves out what is zero.
fn of_counts(counts: &[(u64, &str)], span: std::ops::Range<usize>) -> TestRun {
    let of = |words: &[&str]| Some(count_of(counts, words));
    TestRun {
        passed: of(&["passed"]),
        failed: of(&["failed"]),
        skipped: of(&["skipped"]),
        errored: of(&["error", "errors"]),
        xfailed: of(&["xfailed"]),
        xpassed: of(&["xpassed"]),
        deselected: of(&["deselected"]),
        ..TestRun::new(Runner::Pytest, span)
    }
}

/// `Ran 5 tests in 0.001s`, and the verdict after a blank line.
fn unittest(lines: &[Line<'_>]) -> Vec<TestRun> {
    let mut runs = Vec::new();
    let mut names = Vec::new();
    for (index, line) in lines.iter().enumerate() {
        if let Some(found) = UNITTEST_NAMED.captures(&line.text) {
            add_name(&mut names, &found[1]);
        }
        let Some(ran) = RAN.captures(line.text.trim()) else { continue };
        let Some(end) = lines[index + 1..].iter().take(3).find(|line| !line.text.trim().is_empty()) else { continue };
        let Some(verdict) = UNITTEST.captures(end.text.trim()) else { continue };
        let list = verdict.get(1).map_or("", |list| list.as_str());
        let of = |key: &str| {
            let value = list.split(", ").find_map(|part| part.strip_prefix(key)?.strip_prefix('='));
            Some(value.and_then(|value| value.parse().ok()).unwrap_or(0))
        };
        let mut run = TestRun::new(Runner::Unittest, line.span.start..end.span.end);
        run.total = ran[1].parse().ok();
        run.duration_ms = duration_ms(&ran[2]);
        (run.failed, run.errored, run.skipped) = (of("failures"), of("errors"), of("skipped"));
        (run.xfailed, run.xpassed) = (of("expected failures"), of("unexpected successes"));
        // Subtests fail more than once for one test: only without failures is the rest known.
        let apart = [run.skipped, run.xfailed, run.xpassed].iter().flatten().sum::<u64>();
        run.passed = run.total.filter(|_| !run.is_failed()).and_then(|total| total.checked_sub(apart));
        run.failures = std::mem::take(&mut names);
        runs.push(run);
    }
    runs
}
