//! What test runners say of a run: JUnit XML, and the summaries that they print.
//!
//! A text may hold anything around a summary. A count is taken only where the runner
//! says it, or where its own definition leaves one answer; what it does not say is `None`.

mod dotnet;
mod go;
mod jest;
pub mod junit;
mod line;
mod mocha;
mod phpunit;
mod playwright;
mod pytest;
mod ruby;
mod rust;
mod suite;
mod tap;
mod vitest;

use std::ops::Range;

use regex::Regex;
use serde::{Deserialize, Serialize};

use line::Line;

/// Names of failed tests that are kept of one run.
pub const FAILURES_MAX: usize = 100;
/// Longest name that is kept, in bytes.
const NAME_BYTES_MAX: usize = 500;

/// Whose summary it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Runner {
    Pytest,
    Unittest,
    CargoTest,
    Nextest,
    GoTest,
    Jest,
    Vitest,
    Mocha,
    Playwright,
    NodeTest,
    Rspec,
    Minitest,
    Phpunit,
    DotnetTest,
    Ctest,
    Maven,
    Bats,
    Tap,
    Junit,
    /// Several runners print the same words.
    Unnamed,
}

/// One run of tests.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TestRun {
    pub runner: Runner,
    pub passed: Option<u64>,
    pub failed: Option<u64>,
    pub skipped: Option<u64>,
    /// What broke outside of a test: setting up, collecting, compiling, a time limit.
    pub errored: Option<u64>,
    /// Failed as it was expected to.
    pub xfailed: Option<u64>,
    /// Passed although it was expected to fail.
    pub xpassed: Option<u64>,
    pub todo: Option<u64>,
    /// Left out by a filter.
    pub deselected: Option<u64>,
    /// As the runner says it; what it takes in differs between runners.
    pub total: Option<u64>,
    pub duration_ms: Option<u64>,
    /// Names of tests that failed or broke, bounded.
    pub failures: Vec<String>,
    /// Bytes of the text in which the summary stands.
    pub span: Range<usize>,
}

impl TestRun {
    fn new(runner: Runner, span: Range<usize>) -> TestRun {
        TestRun {
            runner,
            passed: None,
            failed: None,
            skipped: None,
            errored: None,
            xfailed: None,
            xpassed: None,
            todo: None,
            deselected: None,
            total: None,
            duration_ms: None,
            failures: Vec::new(),
            span,
        }
    }

    /// Whether something failed or broke.
    pub fn is_failed(&self) -> bool {
        [self.failed, self.errored].iter().flatten().any(|count| *count > 0)
    }

    /// Adds a failed test, once, within the bound.
    fn name(&mut self, name: &str) {
        add_name(&mut self.failures, name);
    }

    /// Adds the counts of a part of the same run.
    fn take_in(&mut self, part: TestRun) {
        let sum = |a: &mut Option<u64>, b: Option<u64>| *a = a.zip(b).map(|(a, b)| a + b);
        sum(&mut self.passed, part.passed);
        sum(&mut self.failed, part.failed);
        sum(&mut self.skipped, part.skipped);
        sum(&mut self.errored, part.errored);
        sum(&mut self.deselected, part.deselected);
        sum(&mut self.total, part.total);
        sum(&mut self.duration_ms, part.duration_ms);
        part.failures.iter().for_each(|name| self.name(name));
        self.span.end = part.span.end;
    }
}

fn add_name(names: &mut Vec<String>, name: &str) {
    let name = name.trim();
    let name = &name[..name.floor_char_boundary(NAME_BYTES_MAX)];
    if names.len() < FAILURES_MAX && !name.is_empty() && !names.iter().any(|known| known == name) {
        names.push(name.to_owned());
    }
}

type ReadLines = fn(&[Line<'_>]) -> Vec<TestRun>;

/// One file a runner or family of runners.
const READERS: &[ReadLines] = &[
    pytest::read,
    rust::cargo,
    rust::nextest,
    go::read,
    jest::read,
    vitest::read,
    mocha::read,
    playwright::read,
    ruby::read,
    phpunit::read,
    dotnet::read,
    suite::read,
    tap::read,
];

/// Every run that a text tells of, in its order.
pub fn read(text: &str) -> Vec<TestRun> {
    let start = text.trim_start_matches('\u{feff}').trim_start();
    if start.starts_with("<?xml") || start.starts_with("<testsuite") {
        return junit::read(text).into_iter().collect();
    }
    let lines = line::lines(text);
    let mut runs: Vec<TestRun> = READERS.iter().flat_map(|read| read(&lines)).collect();
    runs.sort_by_key(|run| (run.span.start, run.span.end));
    runs
}

/// The run that a text ends with.
pub fn last(text: &str) -> Option<TestRun> {
    read(text).pop()
}

#[expect(clippy::expect_used, reason = "patterns are literals of this folder, compiled in its tests")]
fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("a literal pattern compiles")
}

/// `3 failed, 2 passed` as numbers and words; `None` where a part is none of that.
fn counted<'t>(list: &'t str, between: &str) -> Option<Vec<(u64, &'t str)>> {
    list.split(between)
        .map(|part| {
            let (number, word) = part.trim().split_once(' ')?;
            Some((number.parse().ok()?, word.trim()))
        })
        .collect()
}

fn count_of(counts: &[(u64, &str)], words: &[&str]) -> u64 {
    counts.iter().filter(|(_, word)| words.contains(word)).map(|(count, _)| count).sum()
}

/// `1.5 s`, `20ms`, `1m 2s`, `2.1 seconds`; in milliseconds.
fn duration_ms(text: &str) -> Option<u64> {
    let mut sum = None;
    let mut rest = text.trim();
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let number: f64 = rest[..digits].parse().ok()?;
        rest = rest[digits..].trim_start();
        let letters = rest.find(|c: char| !c.is_alphabetic()).unwrap_or(rest.len());
        let factor = match &rest[..letters] {
            "ms" | "milliseconds" => 1.0,
            "s" | "sec" | "secs" | "second" | "seconds" => 1e3,
            "m" | "min" | "mins" | "minute" | "minutes" => 6e4,
            "h" | "hour" | "hours" => 3.6e6,
            _ => return None,
        };
        sum = Some(sum.unwrap_or(0.0) + number * factor);
        rest = rest[letters..].trim_start_matches([' ', ',']).trim_start();
        rest = rest.strip_prefix("and ").unwrap_or(rest);
    }
    sum.map(|ms: f64| ms.round() as u64)
}

#[cfg(test)]
mod tests;
