//! `cargo test` and `cargo nextest run`.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use regex::Regex;

use super::line::Line;
use super::{Runner, TestRun, add_name, count_of, counted, duration_ms, pattern};

static RESULT: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"^test result: (?:ok|FAILED)\. (\d+) passed; (\d+) failed; (\d+) ignored; \d+ measured; (\d+) filtered out(?:; finished in ([\d.]+s))?$",
    )
});
static RUNNING: LazyLock<Regex> = LazyLock::new(|| pattern(r"^running (\d+) tests?$"));
static TARGET: LazyLock<Regex> = LazyLock::new(|| pattern(r"^\s+(Running .*\(.+\)|Doc-tests \S+)$"));
static ENDS: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"^\s+Finished `|^\s+Finished \w+ \[|^error: test failed|^error: \d+ targets? failed"));
static NAMED: LazyLock<Regex> = LazyLock::new(|| pattern(r"^(?:test (.+) \.\.\. FAILED|---- (.+) stdout ----)$"));
static SUMMARY: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"^\s*Summary \[\s*([\d.]+s)\] (?:(\d+)/)?(\d+) tests? run: (.+)$"));
static ASIDE: LazyLock<Regex> = LazyLock::new(|| pattern(r" ?\([^)]*\)"));
static NEXTEST_NAMED: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"^\s*(?:TRY \d+ )?(?:FAIL|TIMEOUT|ABORT|SIG[A-Z]+|LEAK-FAIL|XFAIL|TMT)(?: \+ [A-Z]+)? \[[^\]]*\] (?:\([^)]*\) )?(\S.*)$",
    )
});

/// A run has a summary for each of its programs; they belong together until one comes again.
pub(super) fn cargo(lines: &[Line<'_>]) -> Vec<TestRun> {
    let mut runs = Vec::new();
    let mut open: Option<TestRun> = None;
    let mut targets = BTreeSet::new();
    let (mut names, mut running) = (Vec::new(), None);
    for line in lines {
        let text = line.text.trim_end();
        let target = TARGET.captures(text).map(|found| found[1].to_owned());
        let again = target.is_some_and(|target| !targets.insert(target));
        if again || ENDS.is_match(text) {
            runs.extend(open.take());
            targets.clear();
        }
        if let Some(found) = NAMED.captures(text) {
            let name = found.get(1).or(found.get(2)).map_or("", |name| name.as_str());
            add_name(&mut names, name);
        } else if let Some(found) = RUNNING.captures(text) {
            running = found[1].parse().ok();
        } else if let Some(mut part) = result(line, running) {
            part.failures = std::mem::take(&mut names);
            running = None;
            match &mut open {
                Some(run) => run.take_in(part),
                None => open = Some(part),
            }
        }
    }
    runs.extend(open);
    runs
}

fn result(line: &Line<'_>, total: Option<u64>) -> Option<TestRun> {
    let found = RESULT.captures(line.text.trim_end())?;
    let of = |index: usize| found[index].parse().ok();
    let duration_ms = found.get(5).and_then(|text| duration_ms(text.as_str()));
    let mut run = TestRun::new(Runner::CargoTest, line.span.clone());
    (run.passed, run.failed, run.skipped, run.deselected) = (of(1), of(2), of(3), of(4));
    Some(TestRun { total, duration_ms, ..run })
}

pub(super) fn nextest(lines: &[Line<'_>]) -> Vec<TestRun> {
    let mut runs = Vec::new();
    let mut names = Vec::new();
    for line in lines {
        if let Some(found) = SUMMARY.captures(line.text.trim_end()) {
            // In brackets stands what is a part of the count before: slow, flaky, leaky.
            let list = ASIDE.replace_all(&found[4], "");
            let Some(counts) = counted(&list, ", ") else { continue };
            let of = |words: &[&str]| Some(count_of(&counts, words));
            let mut run = TestRun::new(Runner::Nextest, line.span.clone());
            (run.passed, run.failed, run.skipped) = (of(&["passed"]), of(&["failed"]), of(&["skipped"]));
            run.errored = of(&["timed out", "exec failed"]);
            run.total = found[3].parse().ok();
            run.duration_ms = duration_ms(&found[1]);
            run.failures = std::mem::take(&mut names);
            runs.push(run);
        } else if let Some(found) = NEXTEST_NAMED.captures(&line.text) {
            match runs.last_mut() {
                // The failures come again after the summary.
                Some(run) if names.is_empty() && run.failures.iter().any(|name| *name == found[1]) => {}
                _ => add_name(&mut names, &found[1]),
            }
        }
    }
    runs
}
