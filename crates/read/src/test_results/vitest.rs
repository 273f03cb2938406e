//! Vitest.

use std::sync::LazyLock;

use regex::Regex;

use super::line::Line;
use super::{Runner, TestRun, add_name, count_of, counted, duration_ms, pattern};

static TESTS: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"^\s*Tests  ((?:\d+ [a-z ]+ \| )*\d+ [a-z ]+?|no tests)(?: \((\d+)\))?$"));
static FILES: LazyLock<Regex> = LazyLock::new(|| pattern(r"^\s*Test Files  "));
static ERRORS: LazyLock<Regex> = LazyLock::new(|| pattern(r"^\s*Errors  (\d+) errors?$"));
static TIME: LazyLock<Regex> = LazyLock::new(|| pattern(r"^\s*Duration  ([\d.]+m?s)"));
static NONE: LazyLock<Regex> = LazyLock::new(|| pattern(r"^No test files found, exiting with code \d$"));
static BROKEN: LazyLock<Regex> = LazyLock::new(|| pattern(r"Failed Suites (\d+) "));
static NAMED: LazyLock<Regex> = LazyLock::new(|| pattern(r"^\s*FAIL\s+(\S.* > .+)$"));

pub(super) fn read(lines: &[Line<'_>]) -> Vec<TestRun> {
    let mut runs: Vec<TestRun> = Vec::new();
    let (mut names, mut broken) = (Vec::new(), 0);
    for (index, line) in lines.iter().enumerate() {
        let text = line.text.trim_end();
        if let Some(found) = NAMED.captures(text) {
            add_name(&mut names, &found[1]);
        } else if let Some(found) = BROKEN.captures(text).filter(|_| text.contains('⎯')) {
            broken = found[1].parse().unwrap_or(0);
        } else if NONE.is_match(text) {
            runs.push(TestRun { total: Some(0), ..of_counts(&[], line) });
        } else if let Some(found) = TESTS.captures(text) {
            // The line of the files stands before it, in every report of this runner.
            let is_summary = index > 0 && FILES.is_match(&lines[index - 1].text);
            let none = &found[1] == "no tests";
            let Some(counts) = (if none { Some(Vec::new()) } else { counted(&found[1], " | ") }) else { continue };
            if !is_summary {
                continue;
            }
            let mut run = of_counts(&counts, line);
            run.total = if none { Some(0) } else { found.get(2).and_then(|total| total.as_str().parse().ok()) };
            run.failures = std::mem::take(&mut names);
            let after = || lines[index + 1..].iter().take(5).map(|line| line.text.trim_end());
            let errors = after().find_map(|text| ERRORS.captures(text)?[1].parse::<u64>().ok()).unwrap_or(0);
            run.errored = Some(std::mem::take(&mut broken) + errors);
            run.duration_ms = after().find_map(|text| duration_ms(TIME.captures(text)?.get(1)?.as_str()));
            runs.push(run);
        }
    }
    runs
}

/// Vitest leaves out what is zero.
fn of_counts(counts: &[(u64, &str)], line: &Line<'_>) -> TestRun {
    let of = |word: &str| Some(count_of(counts, &[word]));
    let mut run = TestRun::new(Runner::Vitest, line.span.clone());
    (run.passed, run.failed, run.skipped) = (of("passed"), of("failed"), of("skipped"));
    (run.todo, run.xfailed) = (of("todo"), of("expected fail"));
    run
}
