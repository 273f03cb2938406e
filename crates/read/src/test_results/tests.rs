//! What real runners print, with other things around it.

use super::*;

/// Passed, failed, skipped, errored, total; `-` where the text does not say.
fn counts(run: &TestRun) -> String {
    let shown = |count: Option<u64>| count.map_or("-".to_owned(), |count| count.to_string());
    [run.passed, run.failed, run.skipped, run.errored, run.total].map(shown).join(" ")
}

#[track_caller]
fn sees(text: &str, runner: Runner, expected: &str, failures: &[&str]) -> TestRun {
    let runs = read(text);
    assert_eq!(runs.len(), 1, "{runs:#?}");
    assert_eq!((runs[0].runner, counts(&runs[0]).as_str()), (runner, expected));
    assert_eq!(runs[0].failures, failures);
    runs[0].clone()
}

#[test]
fn pytest() {
    let text = "$ pytest\n\x1b[1m===== test session starts =====\x1b[0m\ncollected 12 items / 2 deselected / 10 selected\n\ntests/test_a.py ..F.s\n\nERROR collecting is slow\n=========================== short test summary info ============================\n\x1b[31mFAILED\x1b[0m tests/test_a.py::\x1b[1mtest_pay[a - b]\x1b[0m - assert 1 == 2\nERROR tests/test_b.py::test_x\n\x1b[31m===== \x1b[31m\x1b[1m1 failed\x1b[0m, \x1b[32m6 passed\x1b[0m, 1 skipped, 2 deselected, 1 xfailed, 3 warnings, 1 error in 62.10s (0:01:02) =====\x1b[0m\nmake: *** [test] Error 1\n";
    let run =
        sees(text, Runner::Pytest, "6 1 1 1 12", &["tests/test_a.py::test_pay[a - b]", "tests/test_b.py::test_x"]);
    assert_eq!((run.deselected, run.xfailed, run.duration_ms), (Some(2), Some(1), Some(62_100)));
    assert!(text[run.span].contains("1 failed"));
    sees("2 failed, 40 passed in 3.21s\n", Runner::Pytest, "40 2 0 0 -", &[]);
    sees("collected 0 items\n\n============ no tests ran in 0.01s ============\n", Runner::Pytest, "0 0 0 0 0", &[]);
    sees("collecting ... collected 0 items\n", Runner::Pytest, "0 0 0 0 0", &[]);
    sees("=== 3 deselected in 0.02s ===\n", Runner::Pytest, "0 0 0 0 -", &[]);
    let twice = "collected 3 items\n3 passed in 0.10s\n$ pytest -q tests/b\n1 failed in 0.20s\n";
    assert_eq!(read(twice).iter().map(counts).collect::<Vec<_>>(), ["3 0 0 0 3", "0 1 0 0 -"]);
    assert_eq!(last(twice).unwrap().failed, Some(1));
}

#[test]
fn unittest() {
    let text = "FAIL: test_a (tests.T)\n----\nRan 5 tests in 0.010s\n\nFAILED (failures=1, errors=1, skipped=1)\n";
    sees(text, Runner::Unittest, "- 1 1 1 5", &["test_a (tests.T)"]);
    sees("Ran 5 tests in 0.010s\n\nOK (skipped=1, expected failures=1)\n", Runner::Unittest, "3 0 1 0 5", &[]);
    sees("Ran 0 tests in 0.000s\n\nNO TESTS RAN\n", Runner::Unittest, "0 0 0 0 0", &[]);
}

#[test]
fn programs_of_one_cargo_test_are_one_run() {
    let result = |passed: u64, failed: u64| {
        let word = if failed > 0 { "FAILED" } else { "ok" };
        format!(
            "test result: {word}. {passed} passed; {failed} failed; 1 ignored; 0 measured; 2 filtered out; finished in 0.50s\n"
        )
    };
    let once = format!(
        "    Finished `test` profile [unoptimized] target(s) in 1s\n     Running unittests src/lib.rs (target/debug/deps/a-1)\n\nrunning 5 tests\ntest a::fine ... ok\ntest a::bad ... FAILED\n\nfailures:\n\n---- a::bad stdout ----\nboom\n\n{}     Running tests/b.rs (target/debug/deps/b-2)\n\nrunning 3 tests\n{}   Doc-tests a\n\nrunning 1 test\n{}",
        result(3, 1),
        result(2, 0),
        result(0, 0)
    );
    let run = sees(&once, Runner::CargoTest, "5 1 3 - 9", &["a::bad"]);
    assert_eq!((run.deselected, run.duration_ms), (Some(6), Some(1_500)));
    assert_eq!(read(&format!("{once}{once}")).len(), 2);
    let quiet = "running 0 tests\n\ntest result: ok. 0 passed; 0 failed; 0 ignored; 0 measured; 7 filtered out\n";
    sees(quiet, Runner::CargoTest, "0 0 0 - 0", &[]);
}

#[test]
fn nextest() {
    let text = "        PASS [   0.005s] (1/5) a tests::fine\n        FAIL [   0.007s] (2/5) a tests::bad\n  stdout ───\n     TIMEOUT [   60.0s] (3/5) a tests::slow\n────────────\n     Summary [   1.234s] 5 tests run: 3 passed (1 slow, 1 flaky), 1 failed, 1 timed out, 2 skipped\n        FAIL [   0.007s] (2/5) a tests::bad\nerror: test run failed\n";
    let run = sees(text, Runner::Nextest, "3 1 2 1 5", &["a tests::bad", "a tests::slow"]);
    assert_eq!(run.duration_ms, Some(1_234));
    sees("     Summary [   0.000s] 0 tests run: 0 passed, 0 skipped\n", Runner::Nextest, "0 0 0 0 0", &[]);
}

#[test]
fn go_says_how_many_passed_only_where_it_names_them() {
    let text = "--- FAIL: TestPay (0.00s)\n    pay_test.go:9: no\n    --- FAIL: TestPay/card (0.00s)\nFAIL\nFAIL\texample.com/pay\t0.012s\nok  \texample.com/api\t(cached)\n?   \texample.com/cmd\t[no test files]\nFAIL\texample.com/bad [build failed]\nFAIL\n";
    sees(text, Runner::GoTest, "- 2 - 1 -", &["TestPay", "TestPay/card"]);
    let verbose = "=== RUN   TestA\n--- PASS: TestA (0.00s)\n=== RUN   TestB\n--- SKIP: TestB (0.00s)\nPASS\nok  \texample.com/a\t0.002s\tcoverage: 50.0% of statements\n";
    sees(verbose, Runner::GoTest, "1 0 1 0 -", &[]);
    assert_eq!(read(&format!("{verbose}{text}{text}")).len(), 2);
    sees("ok  \texample.com/a\t0.002s [no tests to run]\n", Runner::GoTest, "0 0 0 0 -", &[]);
    let json = "{\"Action\":\"start\",\"Package\":\"p\"}\n{\"Action\":\"run\",\"Package\":\"p\",\"Test\":\"TestA\"}\n{\"Action\":\"pass\",\"Package\":\"p\",\"Test\":\"TestA\"}\n{\"Action\":\"fail\",\"Package\":\"p\",\"Test\":\"TestB\"}\n{\"Action\":\"fail\",\"Package\":\"p\"}\n";
    sees(json, Runner::GoTest, "1 1 0 0 -", &["TestB"]);
}

#[test]
fn javascript_runners() {
    let jest = " FAIL  src/a.test.js\n  ● pay › takes cards\n\n    expect(1).toBe(2)\n\nTest Suites: 1 failed, 2 passed, 3 total\nTests:       1 failed, 2 skipped, 1 todo, 5 passed, 9 total\nSnapshots:   0 total\nTime:        1.5 s, estimated 2 s\nRan all test suites.\n";
    let run = sees(jest, Runner::Jest, "5 1 2 0 9", &["pay › takes cards"]);
    assert_eq!((run.todo, run.duration_ms), (Some(1), Some(1_500)));
    let broken = "  ● Test suite failed to run\n\n    Cannot find module\n\nTest Suites: 1 failed, 1 total\nTests:       0 total\n";
    sees(broken, Runner::Jest, "0 0 0 1 0", &[]);
    sees("No tests found, exiting with code 1\n", Runner::Jest, "0 0 0 - 0", &[]);
    let vitest = " FAIL  src/a.test.ts > pay > takes cards\nAssertionError\n\n Test Files  1 failed | 2 passed (3)\n      Tests  1 failed | 5 passed | 2 skipped (8)\n   Start at  10:00:00\n   Duration  1.20s (transform 80ms)\n";
    let run = sees(vitest, Runner::Vitest, "5 1 2 0 8", &["src/a.test.ts > pay > takes cards"]);
    assert_eq!(run.duration_ms, Some(1_200));
    let mocha = "  pay\n    ✔ is fine\n    1) takes cards\n\n\n  4 passing (20ms)\n  2 pending\n  1 failing\n\n  1) pay\n       takes cards:\n\n      AssertionError: 1) no\n";
    let run = sees(mocha, Runner::Mocha, "4 1 2 - -", &["pay takes cards"]);
    assert_eq!(run.duration_ms, Some(20));
    let playwright = "\nRunning 8 tests using 2 workers\n\n  1) [chromium] › a.spec.ts:3:1 › pays ─────\n\n  1 failed\n    [chromium] › a.spec.ts:3:1 › pays ─────────────\n  1 flaky\n    [chromium] › b.spec.ts:3:1 › waits ────────────\n  1 skipped\n  5 passed (1.5m)\n";
    let run = sees(playwright, Runner::Playwright, "5 1 1 0 8", &["[chromium] › a.spec.ts:3:1 › pays"]);
    assert_eq!(run.duration_ms, Some(90_000));
    let node = "ℹ tests 5\nℹ suites 1\nℹ pass 3\nℹ fail 1\nℹ cancelled 0\nℹ skipped 1\nℹ todo 0\nℹ duration_ms 12.5\n";
    sees(node, Runner::NodeTest, "3 1 1 0 5", &[]);
}

#[test]
fn other_languages() {
    let rspec = "Finished in 0.5 seconds (files took 0.2 seconds to load)\n10 examples, 1 failure, 2 pending\n\nFailed examples:\n\nrspec ./spec/a_spec.rb:5 # pays\n";
    let run = sees(rspec, Runner::Rspec, "7 1 2 0 10", &["./spec/a_spec.rb:5"]);
    assert_eq!(run.duration_ms, Some(500));
    sees("No examples found.\n\n0 examples, 0 failures\n", Runner::Rspec, "0 0 0 0 0", &[]);
    sees("5 runs, 10 assertions, 1 failures, 1 errors, 1 skips\n", Runner::Minitest, "2 1 1 1 5", &[]);
    let phpunit = "Time: 00:01.500, Memory: 4.00 MB\n\nThere was 1 failure:\n\n1) App\\PayTest::testCard\nno\n\nFAILURES!\nTests: 5, Assertions: 9, Failures: 1, Skipped: 1.\n";
    let run = sees(phpunit, Runner::Phpunit, "- 1 1 0 5", &["App\\PayTest::testCard"]);
    assert_eq!(run.duration_ms, Some(1_500));
    sees("OK (5 tests, 10 assertions)\n", Runner::Phpunit, "5 0 0 0 5", &[]);
    let project = |failed: u64, name: &str| {
        let word = if failed > 0 { "Failed" } else { "Passed" };
        format!(
            "{word}!  - Failed:     {failed}, Passed:     4, Skipped:     1, Total:     {}, Duration: 12 ms - {name}.dll (net8.0)\n",
            5 + failed
        )
    };
    let dotnet = format!("  Failed App.PayTest.Card [3 ms]\n{}{}", project(1, "A"), project(0, "B"));
    sees(&dotnet, Runner::DotnetTest, "8 1 2 - 11", &["App.PayTest.Card"]);
    let summary = "Test summary: total: 5, failed: 1, succeeded: 4, skipped: 0, duration: 1.2s\n";
    sees(summary, Runner::DotnetTest, "4 1 0 - 5", &[]);
    let block = "Total tests: 5\n     Passed: 4\n     Failed: 1\n Total time: 1.2 Seconds\n";
    sees(block, Runner::DotnetTest, "4 1 0 - 5", &[]);
    let ctest = "90% tests passed, 1 tests failed out of 10\n\nTotal Test time (real) =   0.50 sec\n\nThe following tests FAILED:\n\t  3 - pay (Failed)\n";
    sees(ctest, Runner::Ctest, "9 1 - - 10", &["pay"]);
    sees("No tests were found!!!\n", Runner::Ctest, "0 0 - - 0", &[]);
    let maven = "[ERROR] Tests run: 3, Failures: 1, Errors: 0, Skipped: 0, Time elapsed: 0.1 s <<< FAILURE! - in PayTest\n[ERROR] Tests run: 5, Failures: 1, Errors: 0, Skipped: 1\n";
    sees(maven, Runner::Maven, "3 1 1 0 5", &[]);
    sees(
        " ✓ starts\n ✗ pays\n - waits (skipped)\n\n3 tests, 1 failure, 1 skipped\n",
        Runner::Bats,
        "1 1 1 - 3",
        &["pays"],
    );
    sees("Finished in 0.1 seconds\n3 tests, 1 failure\n", Runner::Unnamed, "- 1 0 - 3", &[]);
}

#[test]
fn tap() {
    let text = "TAP version 14\n1..5\nok 1 - starts\nnot ok 2 - pays\n  ---\n  at: a.js\n  ...\nok 3 - waits # SKIP no network\nnot ok 4 - later # TODO one day\n    ok 1 - inner\n    1..1\nok 5\n";
    let run = sees(text, Runner::Tap, "2 1 1 0 5", &["pays"]);
    assert_eq!(run.todo, Some(1));
    sees("1..0 # SKIP nothing here\n", Runner::Tap, "0 0 0 0 0", &[]);
    sees("ok 1 a\nok 2 b\n1..2\n# tests 2\n# pass  2\n", Runner::Tap, "2 0 0 0 2", &[]);
    assert_eq!(read("ok 1 a\n1..1\nok 1 b\nnot ok 2 c\n1..2\n").len(), 2);
}

#[test]
fn no_number_is_made_of_other_words() {
    for text in [
        "I ran it: 2 failed, 40 passed in total, in 3s of work.",
        "2 failed, 40 passed",
        "=== 3 files changed, 2 insertions in 1.0s ===",
        "5/7 tests collected (2 deselected) in 0.10s",
        "collected 5 items\nKilled",
        "ok 1 apple\nok 2 pears",
        "1..5",
        "Tests  are good (3)",
        "  1 failed\n  5 passed (3.2s)",
        "ok  then 5 passed",
        "error: test failed, to rerun pass `--lib`",
        "Ran 5 tests in 0.010s",
        "the report says: test result: ok. 5 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out",
        "",
    ] {
        assert_eq!(read(text), [], "{text:?}");
    }
}

#[test]
fn junit_counts_cases_whatever_the_suites_say() {
    let text = r#"<?xml version="1.0"?><testsuites time="2.5"><testsuite name="a" tests="9" failures="9"><testsuite name="b">
<testcase classname="pay" name="card &lt;1&gt;"><failure message="no"/><system-out>x</system-out></testcase>
<testcase name="cash"/><testcase name="wait"><skipped/></testcase>
<testcase name="later"><skipped type="pytest.xfail"/></testcase>
<testcase name="flaky"><flakyFailure/></testcase>
<testcase name="off" status="notrun"/></testsuite></testsuite>
<testsuite><testcase name="broke"><error/></testcase></testsuite></testsuites>"#;
    let run = junit::read(text).unwrap();
    assert_eq!((counts(&run).as_str(), run.xfailed, run.duration_ms), ("2 1 2 1 7", Some(1), Some(2_500)));
    assert_eq!(run.failures, ["pay::card <1>", "broke"]);
    assert_eq!(read(text).len(), 1);
    let sums = r#"<testsuite tests="4" failures="1" errors="0" skipped="1" time="0.5"></testsuite>"#;
    assert_eq!(counts(&junit::read(sums).unwrap()), "2 1 1 0 4");
    assert_eq!(counts(&junit::read("<testsuites/>").unwrap()), "0 0 0 0 0");
    assert!(junit::read(&text[..text.len() - 30]).is_err());
    assert!(junit::read("<html></html>").is_err());
}
