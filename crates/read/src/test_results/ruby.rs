//! RSpec and Minitest.

use std::sync::LazyLock;

use regex::Regex;

use super::line::Line;
use super::{Runner, TestRun, add_name, duration_ms, pattern};

static RSPEC: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r"^(\d+) examples?, (\d+) failures?(?:, (\d+) pending)?(?:, (\d+) errors? occurred outside of examples)?$")
});
static FINISHED: LazyLock<Regex> = LazyLock::new(|| pattern(r"^Finished in (.+?) \(files took .*\)$"));
static RSPEC_NAMED: LazyLock<Regex> = LazyLock::new(|| pattern(r"^rspec (\S+(?:\[[\d:]+\])?)(?: # .*)?$"));
static MINITEST: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"^(\d+) (?:runs|tests), \d+ assertions, (\d+) failures, (\d+) errors, (\d+) skips$"));
static MINITEST_TIME: LazyLock<Regex> = LazyLock::new(|| pattern(r"^Finished in ([\d.]+s), .* runs/s"));
static MINITEST_NAMED: LazyLock<Regex> = LazyLock::new(|| pattern(r"^(\S+#\S+)(?: \[.*\])?:?$"));

pub(super) fn read(lines: &[Line<'_>]) -> Vec<TestRun> {
    let mut runs: Vec<TestRun> = Vec::new();
    let (mut time, mut names) = (None, Vec::new());
    for line in lines {
        let text = line.text.trim();
        if let Some(found) = FINISHED.captures(text).or_else(|| MINITEST_TIME.captures(text)) {
            time = duration_ms(&found[1]);
        } else if let Some(found) = RSPEC.captures(text) {
            let of = |index: usize| found.get(index).map_or(Some(0), |count| count.as_str().parse().ok());
            let mut run = TestRun::new(Runner::Rspec, line.span.clone());
            (run.total, run.failed, run.skipped, run.errored) = (of(1), of(2), of(3), of(4));
            // An example passes, fails or is pending.
            let apart = run.failed.unwrap_or(0) + run.skipped.unwrap_or(0);
            run.passed = run.total.and_then(|total| total.checked_sub(apart));
            runs.push(TestRun { duration_ms: time.take(), ..run });
        } else if let Some(found) = MINITEST.captures(text) {
            let of = |index: usize| found[index].parse().ok();
            let mut run = TestRun::new(Runner::Minitest, line.span.clone());
            (run.total, run.failed, run.errored, run.skipped) = (of(1), of(2), of(3), of(4));
            let apart = [run.failed, run.errored, run.skipped].iter().flatten().sum::<u64>();
            run.passed = run.total.and_then(|total| total.checked_sub(apart));
            run.failures = std::mem::take(&mut names);
            runs.push(TestRun { duration_ms: time.take(), ..run });
        } else if let Some(found) = MINITEST_NAMED.captures(text) {
            add_name(&mut names, &found[1]);
        } else if let (Some(found), Some(run)) = (RSPEC_NAMED.captures(text), runs.last_mut())
            && run.runner == Runner::Rspec
            && (run.failures.len() as u64) < run.failed.unwrap_or(0)
        {
            // The list of what to run again stands after the summary.
            run.name(&found[1]);
        }
    }
    runs
}
