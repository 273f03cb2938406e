//! Walks every anti-pattern that is built in: each *Caught* by its own id, each *Passed* silent
//! for all ids, every remedy past the guard, every link resolved.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test panics where it fails"
)]

use std::collections::BTreeSet;

use coroner_judge::pattern::Library;
use coroner_verbs::pattern::test::test;

#[test]
fn every_anti_pattern_holds_its_own_examples() {
    let library = Library::built_in();
    assert!(library.errors.is_empty(), "{:?}", library.errors);
    let incidents: BTreeSet<_> = coroner_read::casebook::incidents().unwrap().into_iter().map(|i| i.id).collect();
    let report = test(&library, None, &incidents);
    let problems: Vec<String> = report.problems.iter().map(|p| format!("{}:{} {}", p.path, p.line, p.text)).collect();
    assert!(problems.is_empty(), "{}", problems.join("\n"));
    assert!(report.tried >= 4 * library.iter().count(), "every file carries at least four examples");
}
