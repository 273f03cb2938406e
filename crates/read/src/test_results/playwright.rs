//! Playwright.

use std::sync::LazyLock;

use regex::Regex;

use super::line::Line;
use super::{Runner, TestRun, duration_ms, pattern};

static RUNNING: LazyLock<Regex> = LazyLock::new(|| pattern(r"^Running (\d+) tests? using \d+ workers?"));
static COUNT: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r"^  (\d+) (passed|failed|flaky|skipped|interrupted|did not run)(?: \(([\d.]+m?[smh])\))?$")
});
static NAMED: LazyLock<Regex> = LazyLock::new(|| pattern(r"^    (\S.* › .+?)[ ─]*$"));

pub(super) fn read(lines: &[Line<'_>]) -> Vec<TestRun> {
    let mut runs: Vec<TestRun> = Vec::new();
    // The count at the beginning, until a summary ends the run.
    let mut begun: Option<u64> = None;
    let mut open: Option<TestRun> = None;
    let mut last = "";
    for (index, line) in lines.iter().enumerate() {
        let text = line.text.trim_end();
        if let Some(found) = RUNNING.captures(text) {
            runs.extend(open.take());
            begun = found[1].parse().ok();
        } else if let (Some(found), Some(total)) = (COUNT.captures(text), begun) {
            let run = open.get_or_insert_with(|| zero(total, line));
            last = word(&found[2]);
            count(run, last, found[1].parse().ok());
            run.span.end = line.span.end;
            if let Some(time) = found.get(3) {
                run.duration_ms = duration_ms(time.as_str());
            }
        } else if let (Some(found), Some(run), "failed") = (NAMED.captures(text), &mut open, last) {
            run.name(&found[1]);
        } else if text.trim_end_matches('.') == "Error: No tests found"
            && lines.get(index + 1).is_some_and(|next| next.text.starts_with("Make sure that arguments are regular"))
        {
            runs.push(zero(0, line));
        }
    }
    runs.extend(open);
    runs
}

fn zero(total: u64, line: &Line<'_>) -> TestRun {
    let mut run = TestRun::new(Runner::Playwright, line.span.clone());
    (run.passed, run.failed, run.skipped, run.errored) = (Some(0), Some(0), Some(0), Some(0));
    run.total = Some(total);
    run
}

fn word(found: &str) -> &'static str {
    ["passed", "failed", "flaky", "skipped", "interrupted"].into_iter().find(|word| *word == found).unwrap_or("")
}

fn count(run: &mut TestRun, word: &str, count: Option<u64>) {
    match word {
        "passed" => run.passed = count,
        "failed" => run.failed = count,
        "skipped" => run.skipped = count,
        "interrupted" => run.errored = count,
        // What passed at a second try, or never ran, is in the total only.
        _ => {}
    }
}
