//! `dotnet test`: a line for each project, a block, or the summary of the newer logger.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use regex::Regex;

use super::line::Line;
use super::{Runner, TestRun, add_name, duration_ms, pattern};

static PROJECT: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"^(?:Passed|Failed|Skipped)!\s+- Failed:\s+(\d+), Passed:\s+(\d+), Skipped:\s+(\d+), Total:\s+(\d+), Duration: (?:< )?([\d.a-z ]+?)(?: - (.+))?$",
    )
});
static SUMMARY: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r"^Test summary: total: (\d+), failed: (\d+), succeeded: (\d+), skipped: (\d+), duration: ([\d.]+m?s)$")
});
static BLOCK: LazyLock<Regex> = LazyLock::new(|| pattern(r"^Total tests: (\d+)$"));
static BLOCK_COUNT: LazyLock<Regex> = LazyLock::new(|| pattern(r"^\s+(Passed|Failed|Skipped): (\d+)$"));
static BLOCK_TIME: LazyLock<Regex> = LazyLock::new(|| pattern(r"^\s*Total time: ([\d.]+ \w+)$"));
static NAMED: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r"^\s*(?:\[xUnit\.net .*\]\s+)?(?:Failed (\S.*) \[[^\]]+\]|failed (\S.*) \([\d.]+m?s\))$")
});

pub(super) fn read(lines: &[Line<'_>]) -> Vec<TestRun> {
    let mut runs: Vec<TestRun> = Vec::new();
    let mut open: Option<TestRun> = None;
    let mut projects = BTreeSet::new();
    let mut names = Vec::new();
    for (index, line) in lines.iter().enumerate() {
        let text = line.text.trim_end();
        if let Some(found) = NAMED.captures(text) {
            add_name(&mut names, found.get(1).or(found.get(2)).map_or("", |name| name.as_str()));
        } else if let Some(found) = PROJECT.captures(text) {
            let of = |index: usize| found[index].parse().ok();
            let mut part = of_counts(line, [of(2), of(1), of(3), of(4)], duration_ms(&found[5]));
            part.failures = std::mem::take(&mut names);
            // A project that comes again begins another run.
            if !projects.insert(found.get(6).map_or("", |name| name.as_str()).to_owned()) {
                runs.extend(open.take());
                projects.clear();
                projects.insert(found.get(6).map_or("", |name| name.as_str()).to_owned());
            }
            match &mut open {
                Some(run) => run.take_in(part),
                None => open = Some(part),
            }
        } else if let Some(found) = SUMMARY.captures(text) {
            let of = |index: usize| found[index].parse().ok();
            // It sums up the projects before it.
            open = None;
            projects.clear();
            let mut run = of_counts(line, [of(3), of(2), of(4), of(1)], duration_ms(&found[5]));
            run.failures = std::mem::take(&mut names);
            runs.push(run);
        } else if let Some(found) = BLOCK.captures(text) {
            let mut run = block(line, found[1].parse().ok(), &lines[index + 1..]);
            run.failures = std::mem::take(&mut names);
            runs.push(run);
        }
    }
    runs.extend(open);
    runs
}

fn of_counts(line: &Line<'_>, [passed, failed, skipped, total]: [Option<u64>; 4], ms: Option<u64>) -> TestRun {
    TestRun { passed, failed, skipped, total, duration_ms: ms, ..TestRun::new(Runner::DotnetTest, line.span.clone()) }
}

/// The lines after `Total tests:`; what is zero is left out.
fn block(line: &Line<'_>, total: Option<u64>, after: &[Line<'_>]) -> TestRun {
    let mut run = of_counts(line, [Some(0), Some(0), Some(0), total], None);
    for line in after.iter().take(4) {
        if let Some(found) = BLOCK_COUNT.captures(line.text.trim_end()) {
            let count = found[2].parse().ok();
            match &found[1] {
                "Passed" => run.passed = count,
                "Failed" => run.failed = count,
                _ => run.skipped = count,
            }
        } else if let Some(found) = BLOCK_TIME.captures(line.text.trim_end()) {
            run.duration_ms = duration_ms(&found[1]);
        } else {
            break;
        }
        run.span.end = line.span.end;
    }
    run
}
