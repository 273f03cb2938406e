//! Edits after which tests, checks or files hold less: skipped tests, fewer assertions, switched-off jobs, emptied files.

use coroner_model::effect::{Circumstance, Effect, EffectKind, TargetClass};
use serde_json::Value;

use super::edit::keeps_secrets;
use super::tool::Action;
use super::view::View;
use super::written::{Now, Outcome};
use super::{Judged, Story};

/// Fewest lines of a file whose shrinking is told.
const LINES_MIN: usize = 4;

/// Programs that test or look for secrets, as a line of a job names them.
const RUNNERS: &[&str] = &[
    "pytest",
    "npm test",
    "npm run test",
    "npm t ",
    "yarn test",
    "pnpm test",
    "bun test",
    "pnpm run test",
    "yarn run test",
    "cargo test",
    "cargo nextest",
    "go test",
    "mvn test",
    "mvn verify",
    "gradle test",
    "gradlew test",
    "gradlew check",
    "tox",
    "nox",
    "jest",
    "vitest",
    "mocha",
    "rspec",
    "rake test",
    "phpunit",
    "make test",
    "make check",
    "just test",
    "ctest",
    "dotnet test",
    "mix test",
    "gitleaks",
    "trufflehog",
    "detect-secrets",
    "semgrep",
    "bandit",
    "playwright test",
    "cypress run",
    "unittest",
    "pre-commit run",
];

/// One way in which a text holds less than before.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Weaker {
    would: String,
    /// Whether it can hardly be meant otherwise.
    sure: bool,
}

/// Whether what a file holds must be known before a write of it can be judged.
pub fn is_watched(path: &str) -> bool {
    is_test(path)
        || is_job(path)
        || is_settings_of_tests(path)
        || is_script(path)
        || is_source(path)
        || keeps_secrets(path)
}

/// What is to be told of an edit that takes something away.
pub(super) fn judge(view: &View<'_>, action: &Action, judged: &mut Vec<Judged>) {
    let by_tool = matches!(action, Action::Edits { .. });
    let tool = view.case.request.tool.clone().unwrap_or_default();
    let changes = changes(view, by_tool);
    let moved = |path: &str| {
        let name = |p: &str| p.rsplit('/').next().unwrap_or(p).to_owned();
        changes.iter().any(|c| {
            c.path != path && c.before.is_empty() && (name(&c.path) == name(path) || tests(&c.path, &c.after) > 0)
        })
    };
    for change in &changes {
        let mut found = weaker(change);
        if change.gone {
            found.clear();
            if by_tool && is_test(&change.path) && tests(&change.path, &change.before) > 0 && !moved(&change.path) {
                found.push(sure("delete a file of tests"));
            }
        }
        if let Some(worst) = found.iter().max_by_key(|one| one.sure) {
            let mut effect = Effect::new(EffectKind::WeakenTests, change.path.as_str(), &tool);
            if worst.sure {
                effect.add_circumstance(Circumstance::Everything);
            }
            let lines = found.iter().map(|one| format!("  {}", one.would)).collect();
            let story = Story {
                would: format!("{} in {}", worst.would, change.path),
                lines,
                why: "A test that is switched off still looks green.".to_owned(),
                ..Story::default()
            };
            judged.push(Judged { effect, story });
        }
    }
}

/// Whether a written file keeps less than half of what it held.
pub(super) fn shrinks(view: &View<'_>, path: &str) -> bool {
    let Some(Now::Text(before)) = view.case.before.get(path) else { return false };
    let after = match view.case.outcomes.get(path) {
        Some(Outcome::Text(after)) => after.as_str(),
        _ => return false,
    };
    let count = |text: &str| text.lines().filter(|line| !line.trim().is_empty()).count();
    let (old, new) = (count(before), count(after));
    let least = if keeps_secrets(path) { 1 } else { LINES_MIN };
    old >= least && (new * 2 < old || after.trim().len() * 4 < before.trim().len())
}

/// A file of secrets that would be cut down has no other copy by its nature.
pub(super) fn secrets_cut(view: &View<'_>, judged: &mut Vec<Judged>) {
    for path in view.case.outcomes.keys().filter(|path| keeps_secrets(path) && !path.starts_with("/tmp/")) {
        let known = judged.iter().any(|j| j.effect.target == *path && !j.effect.class.is_empty());
        if known || !shrinks(view, path) {
            continue;
        }
        let tool = view.case.request.tool.clone().unwrap_or_default();
        let mut effect = Effect::new(EffectKind::Overwrite, path.as_str(), &tool);
        effect.add_class(TargetClass::SecretStore);
        let story = Story {
            would: format!("cut {path} to less than half of what it holds"),
            why: "What is kept in a file of secrets is in no other place that could be read back.".to_owned(),
            ..Story::default()
        };
        judged.push(Judged { effect, story });
    }
}

/// One file, or a piece of it, before and after.
#[derive(Clone, Debug, Default)]
struct Change {
    path: String,
    before: String,
    after: String,
    gone: bool,
    /// Only the pieces that differ are known.
    pieces: bool,
}

fn changes(view: &View<'_>, by_tool: bool) -> Vec<Change> {
    let mut out = Vec::new();
    for (path, outcome) in view.case.outcomes {
        if path.starts_with("/tmp/") {
            continue;
        }
        let before = match view.case.before.get(path) {
            Some(Now::Text(text)) => text.clone(),
            Some(Now::Absent) | None if matches!(outcome, Outcome::Text(_)) && !by_tool => continue,
            Some(Now::Absent) => String::new(),
            _ => continue,
        };
        match outcome {
            Outcome::Text(after) => {
                out.push(Change { path: path.clone(), before, after: after.clone(), ..Change::default() })
            }
            Outcome::Gone => out.push(Change { path: path.clone(), before, gone: true, ..Change::default() }),
            Outcome::Unknown => {}
        }
    }
    // Where the file itself is not known, the edit says what it replaces.
    let input = &view.case.request.input;
    if let (true, Action::Edits { paths, .. }) = (by_tool, super::tool::action(view.case.request))
        && let Some(path) =
            paths.first().filter(|path| !out.iter().any(|change| change.path == **path && !change.before.is_empty()))
    {
        let (before, after) = pieces(input);
        if !before.is_empty() {
            out.retain(|change| change.path != *path);
            out.push(Change { path: path.clone(), before, after, pieces: true, ..Change::default() });
        }
    }
    out
}

fn pieces(input: &Value) -> (String, String) {
    let all = input.get("edits").and_then(Value::as_array).cloned().unwrap_or_else(|| vec![input.clone()]);
    let text = |keys: &[&str]| {
        let one = |edit: &Value| keys.iter().find_map(|key| edit.get(*key)?.as_str().map(str::to_owned));
        all.iter().filter_map(one).collect::<Vec<_>>().join("\n")
    };
    (text(&["old_string", "oldString", "old_str"]), text(&["new_string", "newString", "new_str"]))
}

fn sure(would: &str) -> Weaker {
    Weaker { would: would.to_owned(), sure: true }
}

fn maybe(would: &str) -> Weaker {
    Weaker { would: would.to_owned(), sure: false }
}

fn weaker(change: &Change) -> Vec<Weaker> {
    let (path, before, after) = (change.path.as_str(), change.before.as_str(), change.after.as_str());
    let mut out = Vec::new();
    if before.is_empty() || before == after {
        return out;
    }
    if is_source(path) {
        of_source(change, &mut out);
    }
    if is_job(path) {
        of_job(before, after, &mut out);
    }
    if is_job(path) || is_script(path) || path.ends_with("/package.json") {
        if count(after, hides_failure) > count(before, hides_failure) {
            out.push(sure("let a test run pass whatever it finds"));
        }
        let skips = |text: &str| text.matches("--no-verify").count();
        if skips(after) > skips(before) {
            out.push(sure("skip the hooks of git from a script"));
        }
    }
    if path.ends_with("/package.json") {
        of_package(before, after, &mut out);
    }
    if (is_settings_of_tests(path) || is_job(path)) && lowers_threshold(before, after, change.pieces) {
        out.push(sure("lower a threshold of coverage"));
    }
    if path.ends_with("/.pre-commit-config.yaml") || path.ends_with("/.pre-commit-config.yml") {
        let hooks = |text: &str| count(text, |line| line.trim_start().trim_start_matches("- ").starts_with("id:"));
        if hooks(after) < hooks(before) {
            out.push(sure("take a hook of the repository away"));
        }
    }
    out
}

fn of_source(change: &Change, out: &mut Vec<Weaker>) {
    let (path, before, after) = (change.path.as_str(), change.before.as_str(), change.after.as_str());
    let fresh = tests(path, after).saturating_sub(tests(path, before));
    let added = skips(path, after).saturating_sub(skips(path, before));
    if added > fresh {
        out.push(sure(if added == 1 { "skip a test" } else { "skip tests" }));
    }
    if !is_test(path) {
        return;
    }
    let marks = |marks: &[&str], text: &str| {
        code(path, text).map(|line| marks.iter().map(|m| line.matches(m).count()).sum::<usize>()).sum::<usize>()
    };
    if marks(TRIVIAL, after) > marks(TRIVIAL, before) {
        out.push(sure("put an assertion that always holds"));
    }
    let focused = [".only(", "fit(", "fdescribe("];
    if marks(&focused, after) > marks(&focused, before) {
        out.push(maybe("run only some of the tests"));
    }
    let (old, new) = (assertions(path, before), assertions(path, after));
    let (had, has) = (tests(path, before), tests(path, after));
    if has < had && has * 2 < had {
        out.push(sure("take most of the tests out"));
    } else if has < had {
        out.push(maybe("take a test out"));
    }
    if new < old {
        let all = new == 0 && old >= 2;
        out.push(if all { sure("take every assertion out") } else { maybe("take assertions out") });
    }
}

const TRIVIAL: &[&str] = &[
    "assert True",
    "assert 1 == 1",
    "assert!(true)",
    "expect(true).toBe(true)",
    "expect(true).toBeTruthy()",
    "expect(1).toBe(1)",
    "assertTrue(True)",
    "assertTrue(true)",
    "assert.ok(true)",
    "assert.True(t, true)",
];

fn ending(path: &str) -> &str {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.rsplit_once('.').map_or("", |(_, end)| end)
}

fn is_source(path: &str) -> bool {
    matches!(
        ending(path),
        "py" | "js"
            | "jsx"
            | "ts"
            | "tsx"
            | "mjs"
            | "cjs"
            | "mts"
            | "cts"
            | "rs"
            | "go"
            | "java"
            | "kt"
            | "rb"
            | "php"
            | "cs"
            | "swift"
            | "scala"
            | "ex"
            | "exs"
            | "vue"
    )
}

/// Whether a file holds tests, by its name and place.
fn is_test(path: &str) -> bool {
    if !is_source(path) {
        return false;
    }
    let name = path.rsplit('/').next().unwrap_or(path);
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    let lower = stem.to_ascii_lowercase();
    let by_name = lower.starts_with("test_")
        || ["_test", "_tests", "_spec", ".test", ".spec", "-test", "-spec", ".e2e", ".cy"]
            .iter()
            .any(|end| lower.ends_with(end))
        || stem.ends_with("Test")
        || stem.ends_with("Tests")
        || stem.ends_with("Spec")
        || lower == "tests";
    by_name
        || path
            .split('/')
            .rev()
            .skip(1)
            .any(|part| matches!(part, "test" | "tests" | "__tests__" | "spec" | "specs" | "e2e"))
}

fn is_job(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    let yaml = matches!(ending(path), "yml" | "yaml");
    yaml && [
        "/.github/workflows/",
        "/.gitea/workflows/",
        "/.forgejo/workflows/",
        "/.circleci/",
        "/.gitlab/",
        "/.buildkite/",
        "/.woodpecker/",
    ]
    .iter()
    .any(|part| path.contains(part))
        || [
            ".gitlab-ci.yml",
            ".gitlab-ci.yaml",
            ".travis.yml",
            "azure-pipelines.yml",
            "bitbucket-pipelines.yml",
            ".drone.yml",
            "Jenkinsfile",
            "cloudbuild.yaml",
            "appveyor.yml",
        ]
        .contains(&name)
        || path.contains("/.ci/")
}

fn is_script(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    ["Makefile", "makefile", "GNUmakefile", "justfile", "Justfile", "Taskfile.yml"].contains(&name)
        || ending(path) == "sh"
        || path.contains("/.husky/")
        || path.contains("/.githooks/")
        || path.contains("/.git/hooks/")
}

fn is_settings_of_tests(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    let starts = [
        "jest.config.",
        "vitest.config.",
        "vite.config.",
        "karma.conf.",
        ".nycrc",
        ".c8rc",
        "codecov.",
        ".codecov.",
        ".coveragerc",
    ];
    starts.iter().any(|start| name.starts_with(start))
        || [
            "pyproject.toml",
            "setup.cfg",
            "tox.ini",
            "pytest.ini",
            "package.json",
            ".simplecov",
            "Makefile",
            "build.gradle",
            "build.gradle.kts",
            "pom.xml",
            "noxfile.py",
            "tarpaulin.toml",
            ".pre-commit-config.yaml",
            ".pre-commit-config.yml",
        ]
        .contains(&name)
}

/// Lines of code, comments left out.
fn code<'t>(path: &str, text: &'t str) -> impl Iterator<Item = &'t str> {
    let hashes = matches!(ending(path), "py" | "rb" | "ex" | "exs");
    text.lines().map(str::trim).filter(move |line| {
        !(line.is_empty()
            || line.starts_with("//")
            || line.starts_with("* ")
            || line.starts_with("/*")
            || hashes && line.starts_with('#'))
    })
}

fn count(text: &str, is: impl Fn(&str) -> bool) -> usize {
    text.lines().filter(|line| is(line)).count()
}

/// Marks that keep a test from running.
fn skips(path: &str, text: &str) -> usize {
    let end = ending(path);
    code(path, text).filter(|line| skips_in(end, line)).count()
}

fn skips_in(end: &str, line: &str) -> bool {
    let has = |marks: &[&str]| marks.iter().any(|mark| line.contains(mark));
    let begins = |marks: &[&str]| marks.iter().any(|mark| line.starts_with(mark));
    match end {
        // A condition after it is about the place that the test runs in.
        "py" => {
            let conditional = has(&["skipif(", "skipIf(", "skipUnless("]);
            let marked = begins(&[
                "@pytest.mark.skip",
                "@pytest.mark.xfail",
                "@unittest.skip",
                "@skip",
                "@mark.skip",
                "pytest.skip(",
                "self.skipTest(",
                "raise unittest.SkipTest",
                "raise SkipTest",
                "@unittest.expectedFailure",
            ]);
            let always = line.contains("skipif(True") || line.contains("skipIf(True");
            marked && (!conditional || always)
                || line.starts_with("pytestmark") && line.contains("mark.skip") && !conditional
        }
        "js" | "jsx" | "ts" | "tsx" | "mjs" | "cjs" | "mts" | "cts" | "vue" => {
            begins(&[
                "xit(",
                "xdescribe(",
                "xtest(",
                "xcontext(",
                "it.skip",
                "test.skip",
                "describe.skip",
                "context.skip",
                "suite.skip",
                "test.fixme",
                "it.todo(",
                "test.todo(",
                "this.skip(",
            ]) || has(&[" it.skip(", " test.skip(", " describe.skip("])
                || begins(&["it.", "test.", "describe."]) && line.contains(".skip(")
        }
        "rs" => begins(&["#[ignore"]) || line.starts_with("#[cfg_attr(") && line.contains(", ignore"),
        "go" => begins(&["t.Skip(", "t.SkipNow(", "t.Skipf(", "b.Skip("]),
        "java" | "kt" | "scala" => begins(&["@Disabled", "@Ignore"]),
        "rb" => {
            begins(&["xit ", "xdescribe ", "xcontext ", "skip ", "skip(", "pending ", "pending("])
                || line == "skip"
                || line == "pending"
        }
        "php" => has(&["markTestSkipped(", "markTestIncomplete("]),
        "cs" => begins(&["[Ignore"]) || line.starts_with('[') && line.contains("Skip ="),
        "swift" => has(&["throw XCTSkip("]) || line.starts_with("@Test(.disabled"),
        "ex" | "exs" => begins(&["@tag :skip", "@tag skip:", "@moduletag :skip"]),
        _ => false,
    }
}

/// Tests that a text declares.
fn tests(path: &str, text: &str) -> usize {
    let end = ending(path);
    let declares = |line: &str| {
        let begins = |marks: &[&str]| marks.iter().any(|mark| line.starts_with(mark));
        match end {
            "py" => begins(&["def test", "async def test"]),
            "js" | "jsx" | "ts" | "tsx" | "mjs" | "cjs" | "mts" | "cts" | "vue" => {
                begins(&["it(", "test(", "it.", "test.", "xit(", "xtest(", "fit("])
            }
            "rs" => {
                line == "#[test]" || line.starts_with("#[") && line.contains("::test") || line.starts_with("#[rstest")
            }
            "go" => begins(&["func Test", "func Benchmark", "func Fuzz"]),
            "java" | "kt" | "scala" => line.starts_with("@Test") || line.starts_with("@ParameterizedTest"),
            "rb" => begins(&["it ", "it(", "def test_", "xit ", "specify ", "test "]),
            "php" => line.contains("function test") || line.contains("#[Test]"),
            "cs" => begins(&["[Test", "[Fact", "[Theory"]),
            "swift" => begins(&["func test", "@Test"]),
            "ex" | "exs" => begins(&["test "]),
            _ => false,
        }
    };
    code(path, text).filter(|line| declares(line)).count()
}

fn assertions(path: &str, text: &str) -> usize {
    let marks: &[&str] = match ending(path) {
        "py" => &["assert ", "assert(", "self.assert", ".assert_", "pytest.raises", "pytest.warns"],
        "rs" => &["assert!", "assert_eq!", "assert_ne!", "assert_matches!", "assert_snapshot!", "prop_assert"],
        "go" => &["t.Error", "t.Fatal", "assert.", "require.", "t.Fail("],
        "rb" => &["expect(", "expect {", "assert", ".should"],
        _ => &["expect(", "assert", "should.", ".should(", "verify("],
    };
    code(path, text).filter(|line| marks.iter().any(|mark| line.contains(mark))).count()
}

fn of_job(before: &str, after: &str, out: &mut Vec<Weaker>) {
    let plain = |line: &str| {
        line.split(" #")
            .next()
            .unwrap_or(line)
            .trim()
            .trim_start_matches("- ")
            .replace(['"', '\''], "")
            .to_ascii_lowercase()
    };
    let switched_off = |line: &str| {
        let line = plain(line);
        let line = line.replace(": ", ":");
        matches!(
            line.as_str(),
            "continue-on-error:true"
                | "allow_failure:true"
                | "if:false"
                | "if:${{ false }}"
                | "if:${{false}}"
                | "when:never"
                | "when:manual"
                | "continueonerror:true"
                | "enabled:false"
                | "condition:false"
        )
    };
    if count(after, switched_off) > count(before, switched_off) {
        out.push(sure("switch a job off or let it fail unseen"));
    }
    if count(after, runs_tests) < count(before, runs_tests) {
        out.push(sure("take a job out that tests or looks for secrets"));
    }
}

/// Whether a line of a job runs tests or a search for secrets.
fn runs_tests(line: &str) -> bool {
    let line = line.trim();
    if line.starts_with('#') || line.starts_with("- name:") || line.starts_with("name:") {
        return false;
    }
    let installs = ["pip install", "npm install", "apt-get", "apt install", "uv add", "go install", "cargo install"];
    !installs.iter().any(|word| line.contains(word)) && RUNNERS.iter().any(|runner| names(line, runner))
}

/// Whether a program is named as a word.
fn names(line: &str, runner: &str) -> bool {
    line.match_indices(runner.trim_end()).any(|(at, found)| {
        let sign = |c: Option<char>| c.is_none_or(|c| !c.is_ascii_alphanumeric() && c != '_' && c != '.');
        let after = line[at + found.len()..].chars().next();
        sign(line[..at].chars().next_back()) && (sign(after) || after == Some(':'))
    })
}

/// `pytest || true`: what the runner finds is passed over.
fn hides_failure(line: &str) -> bool {
    let squeezed: String = line.split_whitespace().collect::<Vec<_>>().join(" ");
    let hidden =
        ["|| true", "|| :", "|| exit 0", "; true", "; exit 0", "|| echo"].iter().any(|end| squeezed.contains(end));
    hidden && runs_tests(line) && !line.trim_start().starts_with('#')
}

fn of_package(before: &str, after: &str, out: &mut Vec<Weaker>) {
    let script = |text: &str| {
        let value: Value = serde_json::from_str(text).ok()?;
        value.pointer("/scripts/test")?.as_str().map(str::to_owned)
    };
    let idle = |script: &str| {
        let script = script.trim();
        matches!(script, "" | "true" | ":" | "exit 0")
            || script.starts_with("echo ") && !script.contains("exit 1") && !script.contains("&&")
    };
    if let Some(old) = script(before).filter(|old| !idle(old) && !old.contains("no test specified"))
        && script(after).is_none_or(|new| idle(&new))
    {
        out.push(sure(&format!(
            "replace the test script `{}` by one that tests nothing",
            old.chars().take(80).collect::<String>()
        )));
    }
    let passes = |text: &str| text.matches("--passWithNoTests").count();
    if passes(after) > passes(before) {
        out.push(maybe("let a run without tests pass"));
    }
}

/// Keys after which a number says how much must be covered.
const THRESHOLDS: &[&str] = &[
    "fail_under",
    "fail-under",
    "--cov-fail-under",
    "branches",
    "functions",
    "lines",
    "statements",
    "minimum_coverage",
    "minimum",
    "target",
    "threshold",
    "check-coverage",
    "--fail-under-lines",
    "--fail-under",
];

fn lowers_threshold(before: &str, after: &str, pieces: bool) -> bool {
    let (old, new) = (thresholds(before), thresholds(after));
    let lower = old.iter().any(|(key, number)| {
        let same: Vec<f64> = new.iter().filter(|(k, _)| k == key).map(|(_, n)| *n).collect();
        let olds = old.iter().filter(|(k, _)| k == key).count();
        match same.as_slice() {
            [] => !pieces && ["fail_under", "fail-under", "--cov-fail-under"].contains(&key.as_str()),
            [one] if olds == 1 => one < number,
            many => {
                many.len() == olds
                    && many.iter().copied().fold(f64::MAX, f64::min)
                        < old.iter().filter(|(k, _)| k == key).map(|(_, n)| *n).fold(f64::MAX, f64::min)
            }
        }
    });
    lower && (pieces || before.to_ascii_lowercase().contains("cov") || before.contains("threshold"))
}

fn thresholds(text: &str) -> Vec<(String, f64)> {
    let mut out = Vec::new();
    for line in text.lines().map(str::trim).filter(|line| !line.starts_with('#') && !line.starts_with("//")) {
        for part in line.split([',', '{', '}']) {
            for key in THRESHOLDS {
                let Some(at) = part.find(key) else { continue };
                let before = part[..at].chars().next_back();
                if before.is_some_and(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-') {
                    continue;
                }
                let rest = part[at + key.len()..].trim_start_matches(['"', '\'', ' ', ':', '=']);
                let number: String = rest.chars().take_while(|c| c.is_ascii_digit() || *c == '.').collect();
                if let Ok(number) = number.trim_end_matches('.').parse::<f64>() {
                    out.push(((*key).to_owned(), number));
                    break;
                }
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(path: &str, before: &str, after: &str) -> Option<bool> {
        let change = Change { path: path.into(), before: before.into(), after: after.into(), ..Change::default() };
        weaker(&change).iter().map(|one| one.sure).max()
    }

    const PY: &str = "import pytest\n\ndef test_a():\n    assert f() == 1\n\ndef test_b():\n    assert f() == 2\n";
    const JS: &str = "describe('x', () => {\n  it('a', () => {\n    expect(f()).toBe(1);\n  });\n  it('b', () => {\n    expect(f()).toBe(2);\n  });\n});\n";
    const CI: &str = "jobs:\n  test:\n    runs-on: ubuntu-latest\n    steps:\n      - run: pytest -q\n  scan:\n    steps:\n      - uses: gitleaks/gitleaks-action@v2\n  build:\n    steps:\n      - run: make build\n";

    #[test]
    fn weakened_tests_are_told() {
        for (path, before, after) in [
            ("/w/tests/test_a.py", PY, PY.replace("def test_a", "@pytest.mark.skip\ndef test_a")),
            ("/w/tests/test_a.py", PY, PY.replace("def test_a", "@pytest.mark.xfail(reason='x')\ndef test_a")),
            (
                "/w/tests/test_a.py",
                PY,
                PY.replace("    assert f() == 1", "    pytest.skip('later')\n    assert f() == 1"),
            ),
            ("/w/tests/test_a.py", PY, PY.replace("assert f() == 1", "assert True")),
            ("/w/tests/test_a.py", PY, PY.replace("assert f() == 1", "f()").replace("assert f() == 2", "f()")),
            ("/w/src/a.test.ts", JS, JS.replacen("it('a'", "it.skip('a'", 1)),
            ("/w/src/a.spec.js", JS, JS.replacen("it('a'", "xit('a'", 1)),
            ("/w/src/a.test.ts", JS, JS.replace("describe(", "describe.skip(")),
            (
                "/w/src/lib.rs",
                "#[test]\nfn a() {\n    assert!(f());\n}\n",
                "#[test]\n#[ignore]\nfn a() {\n    assert!(f());\n}\n".to_owned(),
            ),
            (
                "/w/a_test.go",
                "func TestA(t *testing.T) {\n\tt.Error(1)\n}\n",
                "func TestA(t *testing.T) {\n\tt.Skip(\"x\")\n\tt.Error(1)\n}\n".to_owned(),
            ),
            (
                "/w/src/ATest.java",
                "@Test\nvoid a() { assertTrue(f()); }\n",
                "@Disabled\n@Test\nvoid a() { assertTrue(f()); }\n".to_owned(),
            ),
            ("/w/.github/workflows/ci.yml", CI, CI.replace("pytest -q", "pytest -q || true")),
            ("/w/.github/workflows/ci.yml", CI, CI.replace("    runs-on", "    continue-on-error: true\n    runs-on")),
            ("/w/.github/workflows/ci.yml", CI, CI.replace("    runs-on", "    if: false\n    runs-on")),
            ("/w/.github/workflows/ci.yml", CI, CI.replace("      - run: pytest -q\n", "      - run: echo ok\n")),
            ("/w/.github/workflows/ci.yml", CI, CI.replace("      - uses: gitleaks/gitleaks-action@v2\n", "")),
            (
                "/w/.gitlab-ci.yml",
                "test:\n  script: npm test\n",
                "test:\n  script: npm test\n  allow_failure: true\n".to_owned(),
            ),
            (
                "/w/pyproject.toml",
                "[tool.coverage.report]\nfail_under = 85\n",
                "[tool.coverage.report]\nfail_under = 60\n".to_owned(),
            ),
            (
                "/w/jest.config.js",
                "coverageThreshold: { global: { branches: 80, lines: 90 } }",
                "coverageThreshold: { global: { branches: 80, lines: 50 } }".to_owned(),
            ),
            (
                "/w/package.json",
                "{\"scripts\":{\"test\":\"jest\"}}",
                "{\"scripts\":{\"test\":\"echo skipped\"}}".to_owned(),
            ),
            (
                "/w/package.json",
                "{\"scripts\":{\"c\":\"git commit\"}}",
                "{\"scripts\":{\"c\":\"git commit --no-verify\"}}".to_owned(),
            ),
            ("/w/Makefile", "test:\n\tpytest\n", "test:\n\tpytest || true\n".to_owned()),
            (
                "/w/.pre-commit-config.yaml",
                "repos:\n- hooks:\n  - id: gitleaks\n  - id: black\n",
                "repos:\n- hooks:\n  - id: black\n".to_owned(),
            ),
        ] {
            assert_eq!(of(path, before, &after), Some(true), "{path}\n{after}");
        }
        let fewer = PY.replace("def test_a():\n    assert f() == 1\n\n", "");
        assert_eq!(of("/w/tests/test_a.py", PY, &fewer), Some(false), "one test of two");
    }

    #[test]
    fn work_on_tests_is_silent() {
        for (path, before, after) in [
            ("/w/tests/test_a.py", PY, PY.replace("test_a", "test_first")),
            ("/w/tests/test_a.py", PY, format!("{PY}\ndef test_c():\n    assert f() == 3\n")),
            (
                "/w/tests/test_a.py",
                PY,
                format!("{PY}\n@pytest.mark.skip(reason='needs a card reader')\ndef test_c():\n    assert f() == 3\n"),
            ),
            (
                "/w/tests/test_a.py",
                PY,
                PY.replace("def test_a", "@pytest.mark.skipif(sys.platform == 'win32', reason='x')\ndef test_a"),
            ),
            ("/w/tests/test_a.py", PY, PY.replace("assert f() == 1", "assert f() == 10")),
            (
                "/w/tests/test_a.py",
                PY,
                PY.replace("import pytest", "import pytest  # @pytest.mark.skip is not used here"),
            ),
            (
                "/w/tests/test_a.py",
                "@pytest.mark.skip\ndef test_a():\n    assert 1\n",
                "def test_a():\n    assert 1\n".to_owned(),
            ),
            ("/w/README.md", "Run it.\n", "Use @pytest.mark.skip or it.skip( to skip; pytest || true\n".to_owned()),
            ("/w/src/a.ts", "list.map(f)", "list.skip(2).map(f)".to_owned()),
            ("/w/src/iter.rs", "xs.iter()", "xs.iter().skip(1)".to_owned()),
            ("/w/.github/workflows/ci.yml", CI, CI.replace("pytest -q", "pytest -q --maxfail=1")),
            ("/w/.github/workflows/ci.yml", CI, CI.replace("pytest -q", "tox")),
            ("/w/.github/workflows/ci.yml", CI, CI.replace("make build", "make build || true")),
            ("/w/.github/workflows/ci.yml", CI, CI.replace("      - run: make build\n", "      - run: cargo build\n")),
            (
                "/w/pyproject.toml",
                "[tool.coverage.report]\nfail_under = 85\n",
                "[tool.coverage.report]\nfail_under = 90\n".to_owned(),
            ),
            ("/w/pyproject.toml", "[tool.black]\nline-length = 100\n", "[tool.black]\nline-length = 80\n".to_owned()),
            (
                "/w/package.json",
                "{\"scripts\":{\"test\":\"jest\"}}",
                "{\"scripts\":{\"test\":\"vitest run\"}}".to_owned(),
            ),
            ("/w/Makefile", "clean:\n\trm -rf x\n", "clean:\n\trm -rf x || true\n".to_owned()),
            ("/w/src/a.test.ts", JS, JS.replace("describe('x'", "describe('renamed'")),
        ] {
            assert_eq!(of(path, before, &after), None, "{path}\n{after}");
        }
    }
}
