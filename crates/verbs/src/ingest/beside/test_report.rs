//! A report that a test runner left: one piece of evidence a run, with its counts.

use std::path::Path;

use coroner_collect::{source_file, test_files};
use coroner_model::Source;
use coroner_model::evidence::hex;
use coroner_model::source::{SourceCounts, SourceState};
use coroner_read::test_results::{self, TestRun};
use jiff::Timestamp;

use super::{Around, Beside, Reading, Seen};

/// Runs of one file that are kept, the last.
const RUNS_MAX: usize = 50;

pub(super) fn read(
    around: &Around<'_>,
    source: &Beside,
    path: &Path,
    known: Option<&SourceState>,
) -> Result<Reading, String> {
    let told = |error: std::io::Error| error.to_string();
    let mut reading = Reading::new(source, known);
    let stamp = source_file::stamp(path).map_err(told)?;
    if let Some(known) = known.filter(|known| known.stamp == stamp && known.form == source.form()) {
        return Ok(reading.unchanged(known));
    }
    let whole = source_file::whole(path, test_files::FILE_BYTES_MAX).map_err(told)?;
    reading.source.stamp = stamp;
    let Some(bytes) = whole else { return Ok(reading.skipped("larger than what is read")) };
    let hash = hex(&blake3::hash(&bytes).as_bytes()[..16]);
    let is_same = reading.source.tail == hash;
    reading.source.tail = hash;
    let text = String::from_utf8_lossy(&bytes);
    let runs = test_results::read(&text);
    if runs.is_empty() {
        return Ok(reading.skipped("no result of tests"));
    }
    let lines = text.lines().filter(|line| !line.trim().is_empty()).count() as u64;
    reading.source.counts = SourceCounts { lines, ..SourceCounts::default() };
    if is_same {
        return Ok(reading);
    }
    let at = Timestamp::from_nanosecond(i128::from(stamp.modified_ns)).ok();
    let redactor = around.redactor();
    for run in &runs[runs.len().saturating_sub(RUNS_MAX)..] {
        let line = 1 + text[..run.span.start.min(text.len())].matches('\n').count();
        let locator = format!("{}:{line}", source.name());
        let seen = Seen { source: Source::Test, locator, at, text: in_words(run, at), raw: &bytes };
        reading.show(&seen, &redactor, around.request);
    }
    reading.bytes = bytes.len() as u64;
    reading.now.lines = lines;
    Ok(reading)
}

/// `tests by pytest: 40 passed, 2 failed, of 42, in 3.2 s`, when, and what failed.
fn in_words(run: &TestRun, at: Option<Timestamp>) -> String {
    let runner = serde_json::to_value(run.runner).ok().and_then(|word| word.as_str().map(str::to_owned));
    let counts = [
        (run.passed, "passed"),
        (run.failed, "failed"),
        (run.errored, "errored"),
        (run.skipped, "skipped"),
        (run.xfailed, "failed as expected"),
        (run.xpassed, "passed against expectation"),
        (run.todo, "to do"),
        (run.deselected, "deselected"),
    ];
    let mut parts: Vec<String> =
        counts.iter().filter_map(|(count, word)| Some(format!("{} {word}", (*count)?))).collect();
    parts.extend(run.total.map(|total| format!("of {total}")));
    parts.extend(run.duration_ms.map(|ms| format!("in {}.{:03} s", ms / 1_000, ms % 1_000)));
    let mut out = format!("tests by {}: {}", runner.unwrap_or_default(), parts.join(", "));
    if let Some(at) = at {
        out.push_str(&format!("\nreported at {at}"));
    }
    run.failures.iter().for_each(|name| out.push_str(&format!("\nfailed: {name}")));
    out
}
