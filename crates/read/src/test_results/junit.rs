//! JUnit XML, in any of its dialects.
//!
//! The cases are counted, not the sums that a suite says of itself: they differ between
//! dialects, and a nested suite is summed twice in some. Sums are taken only where a file
//! holds no case at all.

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use super::{Runner, TestRun};

/// A suite or case that is open.
#[derive(Default)]
struct Case {
    name: String,
    outcome: Outcome,
}

/// How a case ended; the later ones weigh more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
enum Outcome {
    #[default]
    Passed,
    Skipped,
    ExpectedFailure,
    Errored,
    Failed,
}

/// What suites say of themselves.
#[derive(Default)]
struct Sums {
    tests: u64,
    failures: u64,
    errors: u64,
    skipped: u64,
    /// In seconds.
    time: Option<f64>,
}

/// Reads a report; an error says why it is none, also where it is cut off.
pub fn read(text: &str) -> Result<TestRun, String> {
    let mut reader = Reader::from_str(text.trim_start_matches('\u{feff}').trim_start());
    let mut run = TestRun::new(Runner::Junit, 0..text.len());
    let mut counts = [0u64; 5];
    let mut sums = Sums::default();
    let (mut suites, mut has_root_time) = (0usize, false);
    let (mut is_report, mut case) = (false, None::<Case>);
    let mut depth = 0usize;
    loop {
        let event = reader.read_event().map_err(|error| error.to_string())?;
        let is_empty = matches!(event, Event::Empty(_));
        match event {
            Event::Start(tag) | Event::Empty(tag) => {
                depth += usize::from(!is_empty);
                match tag.local_name().as_ref() {
                    "testsuites" => {
                        is_report = true;
                        sums.time = number(&tag, "time");
                        has_root_time = sums.time.is_some();
                    }
                    "testsuite" => {
                        is_report = true;
                        suites += usize::from(!is_empty);
                        // A nested suite is part of the one around it.
                        if suites + usize::from(is_empty) == 1 {
                            sums.add(&tag, has_root_time);
                        }
                    }
                    "testcase" => {
                        let begun = begin(&tag);
                        if is_empty {
                            finish(begun, &mut counts, &mut run);
                        } else {
                            case = Some(begun);
                        }
                    }
                    name => {
                        if let Some(case) = &mut case {
                            case.outcome = case.outcome.max(outcome(name, &tag));
                        }
                    }
                }
            }
            Event::End(tag) => {
                depth = depth.saturating_sub(1);
                match tag.local_name().as_ref() {
                    "testsuite" => suites = suites.saturating_sub(1),
                    "testcase" => {
                        if let Some(case) = case.take() {
                            finish(case, &mut counts, &mut run);
                        }
                    }
                    _ => {}
                }
            }
            Event::Eof if depth > 0 => return Err("it ends before its last element does".to_owned()),
            Event::Eof => break,
            _ => {}
        }
    }
    if !is_report {
        return Err("no suite of tests".to_owned());
    }
    fill(&mut run, counts, &sums);
    Ok(run)
}

impl Sums {
    fn add(&mut self, tag: &BytesStart<'_>, has_root_time: bool) {
        let of = |name: &str| number(tag, name).map_or(0, |count| count as u64);
        self.tests += of("tests");
        self.failures += of("failures");
        self.errors += of("errors");
        self.skipped += of("skipped").max(of("skips")) + of("disabled");
        if let Some(time) = number(tag, "time").filter(|_| !has_root_time) {
            self.time = Some(self.time.unwrap_or(0.0) + time);
        }
    }
}

fn fill(run: &mut TestRun, counts: [u64; 5], sums: &Sums) {
    let cases: u64 = counts.iter().sum();
    if cases > 0 || sums.tests == 0 {
        let [passed, skipped, xfailed, errored, failed] = counts.map(Some);
        (run.passed, run.skipped, run.xfailed) = (passed, skipped, xfailed);
        (run.errored, run.failed, run.total) = (errored, failed, Some(cases));
    } else {
        (run.failed, run.errored) = (Some(sums.failures), Some(sums.errors));
        (run.skipped, run.total) = (Some(sums.skipped), Some(sums.tests));
        run.passed = sums.tests.checked_sub(sums.failures + sums.errors + sums.skipped);
    }
    run.duration_ms = sums.time.filter(|time| time.is_finite() && *time >= 0.0).map(|time| (time * 1e3).round() as u64);
}

fn begin(tag: &BytesStart<'_>) -> Case {
    let (class, name) = (attribute(tag, "classname").unwrap_or_default(), attribute(tag, "name").unwrap_or_default());
    let name = if class.is_empty() || name.starts_with(&class) { name } else { format!("{class}::{name}") };
    // GoogleTest and CTest say it by an attribute.
    let words = [attribute(tag, "status"), attribute(tag, "result")];
    let is = |all: &[&str]| words.iter().flatten().any(|word| all.contains(&word.to_ascii_lowercase().as_str()));
    let outcome = if is(&["notrun", "disabled", "skipped", "suppressed"]) {
        Outcome::Skipped
    } else if is(&["fail", "failed"]) {
        Outcome::Failed
    } else {
        Outcome::Passed
    };
    Case { name, outcome }
}

/// What an element inside a case says of it.
fn outcome(name: &str, tag: &BytesStart<'_>) -> Outcome {
    match name {
        "failure" => Outcome::Failed,
        "error" => Outcome::Errored,
        "skipped" if attribute(tag, "type").as_deref() == Some("pytest.xfail") => Outcome::ExpectedFailure,
        "skipped" => Outcome::Skipped,
        // A test that passed at a second try holds `flakyFailure` or `flakyError`.
        _ => Outcome::Passed,
    }
}

fn finish(case: Case, counts: &mut [u64; 5], run: &mut TestRun) {
    counts[case.outcome as usize] += 1;
    if case.outcome >= Outcome::Errored {
        run.name(&case.name);
    }
}

fn attribute(tag: &BytesStart<'_>, name: &str) -> Option<String> {
    let found = tag.try_get_attribute(name).ok()??;
    let raw = found.value.into_owned();
    Some(quick_xml::escape::unescape(&raw).map(|text| text.into_owned()).unwrap_or(raw))
}

/// A number, also with the commas that some write into it.
fn number(tag: &BytesStart<'_>, name: &str) -> Option<f64> {
    attribute(tag, name)?.replace(',', "").trim().parse().ok()
}
