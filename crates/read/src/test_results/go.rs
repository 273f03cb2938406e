//! `go test`, as text and as JSON.
//!
//! Without `-v` it names only what failed: how many passed is then not known. Subtests
//! are counted as tests, as `go test -json` reports them.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;
use serde::Deserialize;

use super::line::Line;
use super::{Runner, TestRun, pattern};

static TEST: LazyLock<Regex> = LazyLock::new(|| pattern(r"^\s*--- (PASS|FAIL|SKIP): (\S+) \([\d.]+s\)$"));
static PACKAGE: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"^(ok|FAIL|\?)\s+([^\s:]+)\s+(?:[\d.]+s|\(cached\)|(\[no test files\])|\[(?:build|setup) failed\])(?:\s+coverage: .*)?(\s+\[no tests to run\])?$",
    )
});

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Event {
    action: String,
    #[serde(default)]
    package: String,
    #[serde(default)]
    test: String,
}

/// A run until a package comes again.
#[derive(Default)]
struct Run {
    packages: BTreeSet<String>,
    tests: Tests,
    errored: u64,
    /// Whether a package holds tests.
    has_tests: bool,
    span: Option<Range<usize>>,
}

/// Tests that were seen.
#[derive(Default)]
struct Tests {
    passed: u64,
    failed: u64,
    skipped: u64,
    failures: Vec<String>,
    /// Packages with a failed test; as text the one whose end is yet to come, "".
    failed_packages: BTreeSet<String>,
    /// Whether each test is named, also one that passes.
    names_all: bool,
}

impl Tests {
    fn add(&mut self, verdict: &str, name: &str, package: &str) {
        match verdict {
            "PASS" | "pass" => {
                self.passed += 1;
                self.names_all = true;
            }
            "FAIL" | "fail" => {
                self.failed += 1;
                self.failed_packages.insert(package.to_owned());
                super::add_name(&mut self.failures, name);
            }
            _ => self.skipped += 1,
        }
    }

    fn take_in(&mut self, more: Tests) {
        self.passed += more.passed;
        self.failed += more.failed;
        self.skipped += more.skipped;
        self.names_all |= more.names_all;
        self.failed_packages.extend(more.failed_packages);
        more.failures.iter().for_each(|name| super::add_name(&mut self.failures, name));
    }
}

impl Run {
    /// Ends a package; `key` says where its failed tests are told.
    fn package(&mut self, verdict: &str, name: &str, key: &str, has_tests: bool, span: Range<usize>) {
        let failed = verdict == "FAIL" || verdict == "fail";
        // A package that fails without a test that did was not built, or crashed.
        let tests_failed = self.tests.failed_packages.remove(key);
        self.errored += u64::from(failed && !tests_failed);
        self.has_tests |= has_tests;
        self.packages.insert(name.to_owned());
        self.span = Some(self.span.take().map_or(span.clone(), |known| known.start..span.end));
    }

    fn finish(self) -> Option<TestRun> {
        let mut run = TestRun::new(Runner::GoTest, self.span?);
        let known = self.tests.names_all || !self.has_tests;
        run.passed = known.then_some(self.tests.passed);
        run.failed = Some(self.tests.failed);
        run.skipped = known.then_some(self.tests.skipped);
        run.errored = Some(self.errored);
        run.failures = self.tests.failures;
        Some(run)
    }
}

pub(super) fn read(lines: &[Line<'_>]) -> Vec<TestRun> {
    let mut runs = Vec::new();
    // Tests stand before the package that they belong to.
    let (mut open, mut ahead) = (Run::default(), Tests::default());
    for line in lines {
        let text = line.text.trim_end();
        if text.starts_with("=== RUN ") {
            ahead.names_all = true;
        } else if let Some(found) = TEST.captures(text) {
            ahead.add(&found[1], &found[2], "");
        } else if let Some(found) = PACKAGE.captures(text) {
            if open.packages.contains(&found[2]) {
                runs.extend(std::mem::take(&mut open).finish());
            }
            open.tests.take_in(std::mem::take(&mut ahead));
            let has_tests = found.get(3).is_none() && found.get(4).is_none();
            open.package(&found[1], &found[2], "", has_tests, line.span.clone());
        } else if text.starts_with('{') {
            let Ok(event) = serde_json::from_str::<Event>(text) else { continue };
            if event.action == "start" && open.packages.contains(&event.package) {
                runs.extend(std::mem::take(&mut open).finish());
            }
            json(&event, line, &mut open);
        }
    }
    runs.extend(open.finish());
    runs
}

/// Packages run side by side, so that each event names its own.
fn json(event: &Event, line: &Line<'_>, open: &mut Run) {
    match (event.action.as_str(), event.test.is_empty()) {
        (verdict @ ("pass" | "fail" | "skip"), false) => open.tests.add(verdict, &event.test, &event.package),
        (verdict @ ("pass" | "fail" | "skip"), true) if !event.package.is_empty() => {
            open.tests.names_all = true;
            open.package(verdict, &event.package, &event.package, true, line.span.clone());
        }
        _ => {}
    }
}
