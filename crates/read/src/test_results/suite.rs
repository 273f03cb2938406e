//! Runners that say it in one line: CTest, Bats, Maven, and Node's own in its spec form.

use std::sync::LazyLock;

use regex::Regex;

use super::line::Line;
use super::{Runner, TestRun, add_name, duration_ms, pattern};

static CTEST: LazyLock<Regex> = LazyLock::new(|| pattern(r"^\d+% tests passed, (\d+) tests? failed out of (\d+)$"));
static CTEST_TIME: LazyLock<Regex> = LazyLock::new(|| pattern(r"^Total Test time \(real\) =\s+([\d.]+ sec)$"));
static CTEST_NAMED: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"^\s+\d+ - (\S.*?) \((?:Failed|Timeout|SEGFAULT|Subprocess aborted|Exception: .*|ILLEGAL|NUMERICAL|Not Run|OTHER_FAULT)\)",
    )
});
static BATS: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r"^(\d+) tests?, (\d+) failures?(?:, (\d+) skipped)?(?:, \d+ not run)?(?: in ([\d.]+ seconds?))?$")
});
static BATS_MARK: LazyLock<Regex> = LazyLock::new(|| pattern(r"^ ([✓✗]) (.+?)(?: \[\d+\])?$"));
static MAVEN: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"^(?:\[\w+\] )?Tests run: (\d+), Failures: (\d+), Errors: (\d+), Skipped: (\d+)$"));
static MAVEN_NAMED: LazyLock<Regex> = LazyLock::new(|| pattern(r"^\[ERROR\]\s+(\w[\w.$]*\.\w+)(?::\d+.*)?$"));
static NODE: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"^ℹ (tests|suites|pass|fail|cancelled|skipped|todo|duration_ms) ([\d.]+)$"));

pub(super) fn read(lines: &[Line<'_>]) -> Vec<TestRun> {
    let mut runs = ctest(lines);
    runs.extend(bats(lines));
    runs.extend(maven(lines));
    runs.extend(node(lines));
    runs
}

fn ctest(lines: &[Line<'_>]) -> Vec<TestRun> {
    let mut runs: Vec<TestRun> = Vec::new();
    for line in lines {
        let text = line.text.trim_end();
        if let Some(found) = CTEST.captures(text) {
            let mut run = TestRun::new(Runner::Ctest, line.span.clone());
            (run.failed, run.total) = (found[1].parse().ok(), found[2].parse().ok());
            // It calls passed what did not fail.
            run.passed = run.total.zip(run.failed).and_then(|(total, failed)| total.checked_sub(failed));
            runs.push(run);
        } else if text == "No tests were found!!!" {
            let mut run = TestRun::new(Runner::Ctest, line.span.clone());
            (run.failed, run.total, run.passed) = (Some(0), Some(0), Some(0));
            runs.push(run);
        } else if let Some(run) = runs.last_mut() {
            if let Some(found) = CTEST_TIME.captures(text) {
                run.duration_ms = run.duration_ms.or(duration_ms(&found[1]));
            } else if let Some(found) = CTEST_NAMED.captures(text)
                && (run.failures.len() as u64) < run.failed.unwrap_or(0)
            {
                run.name(&found[1]);
            }
        }
    }
    runs
}

fn bats(lines: &[Line<'_>]) -> Vec<TestRun> {
    let mut runs = Vec::new();
    let (mut is_bats, mut names) = (false, Vec::new());
    for line in lines {
        let text = line.text.trim_end();
        if let Some(found) = BATS_MARK.captures(text) {
            is_bats = true;
            if &found[1] == "✗" {
                add_name(&mut names, &found[2]);
            }
        } else if let Some(found) = BATS.captures(text) {
            // Others say it in the same words.
            let runner = if std::mem::take(&mut is_bats) { Runner::Bats } else { Runner::Unnamed };
            let mut run = TestRun::new(runner, line.span.clone());
            let of = |index: usize| found.get(index).map_or(Some(0), |count| count.as_str().parse().ok());
            (run.total, run.failed, run.skipped) = (of(1), of(2), of(3));
            let apart = run.failed.unwrap_or(0) + run.skipped.unwrap_or(0);
            run.passed = run.total.filter(|_| runner == Runner::Bats).and_then(|total| total.checked_sub(apart));
            run.duration_ms = found.get(4).and_then(|text| duration_ms(text.as_str()));
            run.failures = std::mem::take(&mut names);
            runs.push(run);
        }
    }
    runs
}

/// The sum stands in a line without a class or time after it.
fn maven(lines: &[Line<'_>]) -> Vec<TestRun> {
    let mut runs = Vec::new();
    let mut names = Vec::new();
    for line in lines {
        let text = line.text.trim_end();
        if let Some(found) = MAVEN.captures(text) {
            let of = |index: usize| found[index].parse().ok();
            let mut run = TestRun::new(Runner::Maven, line.span.clone());
            (run.total, run.failed, run.errored, run.skipped) = (of(1), of(2), of(3), of(4));
            let apart = [run.failed, run.errored, run.skipped].iter().flatten().sum::<u64>();
            run.passed = run.total.and_then(|total| total.checked_sub(apart));
            run.failures = std::mem::take(&mut names);
            runs.push(run);
        } else if let Some(found) = MAVEN_NAMED.captures(text) {
            add_name(&mut names, &found[1]);
        }
    }
    runs
}

fn node(lines: &[Line<'_>]) -> Vec<TestRun> {
    let mut runs: Vec<TestRun> = Vec::new();
    for line in lines {
        let Some(found) = NODE.captures(line.text.trim_end()) else { continue };
        let count: Option<u64> = found[2].parse().ok();
        if &found[1] == "tests" {
            runs.push(TestRun { total: count, ..TestRun::new(Runner::NodeTest, line.span.clone()) });
            continue;
        }
        let Some(run) = runs.last_mut() else { continue };
        run.span.end = line.span.end;
        match &found[1] {
            "pass" => run.passed = count,
            "fail" => run.failed = count,
            "cancelled" => run.errored = count,
            "skipped" => run.skipped = count,
            "todo" => run.todo = count,
            "duration_ms" => run.duration_ms = found[2].parse::<f64>().ok().map(|ms| ms.round() as u64),
            _ => {}
        }
    }
    runs.retain(|run| run.passed.is_some() && run.failed.is_some());
    runs
}
