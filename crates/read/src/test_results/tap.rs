//! The Test Anything Protocol: a plan, and a line for each test.
//!
//! Only tests at the top are counted; a subtest shows in the test around it.

use std::sync::LazyLock;

use regex::Regex;

use super::line::Line;
use super::{Runner, TestRun, pattern};

static PLAN: LazyLock<Regex> = LazyLock::new(|| pattern(r"^1\.\.(\d+)(?:\s*#.*)?$"));
static POINT: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"^(ok|not ok)\b(?:\s+(\d+))?(?:\s+(?:- )?(.*?))??(?:\s+#\s*((?i:skip|todo))\S*\b.*)?$"));
static BAIL: LazyLock<Regex> = LazyLock::new(|| pattern(r"^Bail out!"));
/// What tape and Node print after the plan, over all levels.
static SUM: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"^# (tests|pass|fail|cancelled|skipped|todo|duration_ms)\s+([\d.]+)$"));

#[derive(Default)]
struct Open {
    run: Option<TestRun>,
    planned: Option<u64>,
    points: u64,
    /// Whether the plan came after the points, so that another run begins with what is next.
    is_closed: bool,
}

impl Open {
    fn run(&mut self, line: &Line<'_>) -> &mut TestRun {
        let run = self.run.get_or_insert_with(|| {
            let mut run = TestRun::new(Runner::Tap, line.span.clone());
            (run.passed, run.failed, run.skipped, run.todo) = (Some(0), Some(0), Some(0), Some(0));
            run.errored = Some(0);
            run
        });
        run.span.end = line.span.end;
        run
    }

    /// A run is one only with a plan, and with tests unless none were planned.
    fn finish(&mut self, runs: &mut Vec<TestRun>) {
        let open = std::mem::take(self);
        let (Some(mut run), Some(planned)) = (open.run, open.planned) else { return };
        if open.points > 0 || planned == 0 {
            run.total = run.total.or(Some(planned));
            runs.push(run);
        }
    }
}

pub(super) fn read(lines: &[Line<'_>]) -> Vec<TestRun> {
    let mut runs = Vec::new();
    let mut open = Open::default();
    for line in lines {
        let text = line.text.trim_end();
        if text.starts_with("TAP version ") {
            open.finish(&mut runs);
        } else if let Some(found) = PLAN.captures(text) {
            if open.planned.is_some() {
                open.finish(&mut runs);
            }
            open.run(line);
            open.planned = found[1].parse().ok();
            open.is_closed = open.points > 0;
        } else if let Some(found) = POINT.captures(text) {
            if open.is_closed {
                open.finish(&mut runs);
            }
            open.points += 1;
            let name = found.get(3).map_or("", |name| name.as_str());
            point(open.run(line), &found[1], name, found.get(4).map(|word| word.as_str()));
        } else if BAIL.is_match(text) && open.planned.is_some() {
            open.run(line).errored = Some(1);
        } else if let (Some(found), true) = (SUM.captures(text), open.planned.is_some()) {
            sum(open.run(line), &found[1], &found[2]);
        }
    }
    open.finish(&mut runs);
    runs
}

fn point(run: &mut TestRun, verdict: &str, name: &str, directive: Option<&str>) {
    let one = |count: &mut Option<u64>| *count = count.map(|count| count + 1);
    match directive.map(str::to_ascii_lowercase).as_deref() {
        Some("skip") => one(&mut run.skipped),
        Some(_) => one(&mut run.todo),
        None if verdict == "ok" => one(&mut run.passed),
        None => {
            one(&mut run.failed);
            run.name(name);
        }
    }
}

fn sum(run: &mut TestRun, word: &str, number: &str) {
    let count = number.parse().ok();
    match word {
        "tests" => run.total = count,
        "pass" => run.passed = count,
        "fail" => run.failed = count,
        "cancelled" => run.errored = count,
        "skipped" => run.skipped = count,
        "todo" => run.todo = count,
        _ => run.duration_ms = number.parse::<f64>().ok().map(|ms| ms.round() as u64),
    }
}
