//! Mocha, and what prints as it does.

use std::sync::LazyLock;

use regex::Regex;

use super::line::Line;
use super::{Runner, TestRun, duration_ms, pattern};

static PASSING: LazyLock<Regex> = LazyLock::new(|| pattern(r"^\s+(?:✓ |✔ )?(\d+) passing \(([\d.]+(?:ms|s|m|h))\)$"));
static OTHER: LazyLock<Regex> = LazyLock::new(|| pattern(r"^\s+(\d+) (pending|failing)$"));
static NAMED: LazyLock<Regex> = LazyLock::new(|| pattern(r"^\s+\d+\) (.+)$"));
/// Lines that the title of a failed test takes, one for each suite around it.
const TITLE_LINES_MAX: usize = 12;

pub(super) fn read(lines: &[Line<'_>]) -> Vec<TestRun> {
    let mut runs = Vec::new();
    let mut index = 0;
    while index < lines.len() {
        index += 1;
        let Some(found) = PASSING.captures(lines[index - 1].text.trim_end()) else { continue };
        let mut run = TestRun::new(Runner::Mocha, lines[index - 1].span.clone());
        run.passed = found[1].parse().ok();
        run.duration_ms = duration_ms(&found[2]);
        (run.failed, run.skipped) = (Some(0), Some(0));
        while let Some(found) = lines.get(index).and_then(|line| OTHER.captures(line.text.trim_end())) {
            let count = found[1].parse().ok();
            if &found[2] == "failing" {
                run.failed = count
            } else {
                run.skipped = count
            }
            run.span.end = lines[index].span.end;
            index += 1;
        }
        if run.is_failed() {
            names(&mut run, &lines[index..]);
        }
        runs.push(run);
    }
    runs
}

/// The titles after the summary: suites, each in a line of its own, then the test with a colon.
fn names(run: &mut TestRun, lines: &[Line<'_>]) {
    let until = lines.iter().position(|line| PASSING.is_match(line.text.trim_end())).unwrap_or(lines.len());
    for (index, line) in lines[..until].iter().enumerate() {
        if run.failures.len() as u64 >= run.failed.unwrap_or(0) {
            return;
        }
        let Some(first) = NAMED.captures(line.text.trim_end()) else { continue };
        let mut title = first[1].to_owned();
        for more in lines[index + 1..until].iter().take(TITLE_LINES_MAX) {
            if title.ends_with(':') || more.text.trim().is_empty() {
                break;
            }
            title = format!("{title} {}", more.text.trim());
        }
        run.name(title.trim_end_matches(':'));
    }
}
