//! The hooks of git against the real git: what brings a secret is refused, what does not passes.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test panics where it fails"
)]

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A key with the form of an issuer's, made here so that none lies in the repository.
fn key(salt: usize) -> String {
    let random: String = (0..36).map(|i| char::from(b"k3Vn8QzL5wRt2Yp7"[(i * 7 + i / 3 + salt * 5) % 16])).collect();
    ["gh", "p_", &random].concat()
}

struct Repository {
    _home: tempfile::TempDir,
    at: PathBuf,
}

fn git_in(at: &Path, args: &[&str]) -> Output {
    Command::new("git")
        .args(["-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "protocol.file.allow=always"])
        .args(args)
        .current_dir(at)
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("HOME", at)
        .env_remove("GIT_DIR")
        .output()
        .unwrap()
}

fn good(output: &Output) -> bool {
    output.status.success()
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout)
}

fn hook(at: &Path, name: &str) {
    let program = assert_cmd::cargo::cargo_bin("coroner");
    std::fs::create_dir_all(at.parent().unwrap()).unwrap();
    std::fs::write(at, format!("#!/bin/sh\nexec '{}' hook --git {name} -- \"$@\"\n", program.display())).unwrap();
    std::fs::set_permissions(at, std::fs::Permissions::from_mode(0o755)).unwrap();
}

impl Repository {
    fn new(hooks: &[&str]) -> Repository {
        let home = tempfile::tempdir().unwrap();
        let at = home.path().join("work");
        std::fs::create_dir(&at).unwrap();
        assert!(good(&git_in(&at, &["init", "-q", "-b", "main"])));
        for name in hooks {
            hook(&at.join(".git/hooks").join(name), name);
        }
        Repository { _home: home, at }
    }

    fn git(&self, args: &[&str]) -> Output {
        git_in(&self.at, args)
    }

    fn write(&self, path: &str, text: &str) {
        let at = self.at.join(path);
        std::fs::create_dir_all(at.parent().unwrap()).unwrap();
        std::fs::write(at, text).unwrap();
    }

    fn commit(&self, path: &str, text: &str) -> Output {
        self.write(path, text);
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "-m", path])
    }
}

#[test]
fn a_commit_is_judged_by_what_is_staged() {
    let repository = Repository::new(&["pre-commit"]);
    assert!(good(&repository.commit("a.py", "token = load()\n")));
    let refused = repository.commit("b.py", &format!("one = 1\ntoken = \"{}\"\n", key(1)));
    assert!(!good(&refused), "{}", text(&refused));
    assert!(text(&refused).contains("b.py:2:10") && !text(&refused).contains(&key(1)), "{}", text(&refused));
    // Staged, but gone from the work tree.
    std::fs::remove_file(repository.at.join("b.py")).unwrap();
    assert!(!good(&repository.git(&["commit", "-q", "-m", "gone"])));
    repository.git(&["rm", "-q", "--cached", "b.py"]);
    // In the work tree only.
    repository.write("a.py", &format!("token = \"{}\"\n", key(1)));
    repository.write("c.py", "c = 1\n");
    repository.git(&["add", "c.py"]);
    let passed = repository.git(&["commit", "-q", "-m", "c"]);
    assert!(good(&passed), "{}", text(&passed));
    // What `-a` and `--only` take is in an index of their own.
    assert!(!good(&repository.git(&["commit", "-q", "-a", "-m", "all"])));
    assert!(!good(&repository.git(&["commit", "-q", "-m", "only", "--only", "a.py"])));
    repository.write("d.py", "d = 1\n");
    repository.git(&["add", "d.py"]);
    assert!(good(&repository.git(&["commit", "-q", "-m", "only d", "--only", "d.py"])));
}

#[test]
fn what_was_there_before_does_not_stop_a_later_commit() {
    let repository = Repository::new(&[]);
    assert!(good(&repository.commit("old.py", &format!("token = \"{}\"\n", key(2)))));
    hook(&repository.at.join(".git/hooks/pre-commit"), "pre-commit");
    let passed = repository.commit("old.py", &format!("x = 1\ntoken = \"{}\"\n", key(2)));
    assert!(good(&passed), "{}", text(&passed));
    repository.git(&["mv", "old.py", "new.py"]);
    assert!(good(&repository.commit("new.py", &format!("x = 2\n\ntoken = \"{}\"\n", key(2)))));
    let refused = repository.commit("new.py", &format!("token = \"{}\"\nother = \"{}\"\n", key(2), key(3)));
    assert!(!good(&refused), "{}", text(&refused));
}

#[test]
fn comments_let_a_line_stand_and_are_told() {
    let repository = Repository::new(&["pre-commit", "commit-msg"]);
    let passed = repository.commit("a.py", &format!("token = \"{}\"  # coroner:allow\n", key(4)));
    assert!(good(&passed) && text(&passed).contains("allowed by a comment"), "{}", text(&passed));
    repository.write("b.py", "b = 1\n");
    repository.git(&["add", "b.py"]);
    assert!(!good(&repository.git(&["commit", "-q", "-m", &format!("use {}", key(5))])));
    assert!(good(&repository.git(&["commit", "-q", "-m", "use another"])));
}

#[test]
fn worktrees_and_submodules_have_the_same_hooks() {
    let repository = Repository::new(&["pre-commit"]);
    assert!(good(&repository.commit("a.py", "a = 1\n")));
    let tree = repository.at.parent().unwrap().join("tree");
    assert!(good(&repository.git(&["worktree", "add", "-q", "-b", "side", tree.to_str().unwrap()])));
    std::fs::write(tree.join("t.py"), format!("token = \"{}\"\n", key(6))).unwrap();
    git_in(&tree, &["add", "t.py"]);
    assert!(!good(&git_in(&tree, &["commit", "-q", "-m", "t"])));
    std::fs::write(tree.join("t.py"), "t = 1\n").unwrap();
    git_in(&tree, &["add", "t.py"]);
    let passed = git_in(&tree, &["commit", "-q", "-m", "t"]);
    assert!(good(&passed), "{}", text(&passed));
    let other = Repository::new(&[]);
    assert!(good(&other.commit("lib.py", "l = 1\n")));
    let added = repository.git(&["submodule", "add", "-q", other.at.to_str().unwrap(), "lib"]);
    assert!(good(&added), "{}", text(&added));
    let passed = repository.git(&["commit", "-q", "-m", "lib"]);
    assert!(good(&passed), "{}", text(&passed));
    hook(&repository.at.join(".git/modules/lib/hooks/pre-commit"), "pre-commit");
    let inside = repository.at.join("lib");
    std::fs::write(inside.join("s.py"), format!("token = \"{}\"\n", key(7))).unwrap();
    git_in(&inside, &["add", "s.py"]);
    assert!(!good(&git_in(&inside, &["commit", "-q", "-m", "s"])));
}

#[test]
fn a_push_is_judged_by_each_commit_that_goes() {
    let repository = Repository::new(&["pre-push"]);
    let server = repository.at.parent().unwrap().join("server.git");
    assert!(good(&git_in(&repository.at, &["init", "-q", "--bare", server.to_str().unwrap()])));
    repository.git(&["remote", "add", "origin", server.to_str().unwrap()]);
    repository.commit("a.py", "a = 1\n");
    let passed = repository.git(&["push", "-q", "origin", "main"]);
    assert!(good(&passed), "{}", text(&passed));
    repository.commit("b.py", &format!("token = \"{}\"\n", key(8)));
    repository.git(&["rm", "-q", "b.py"]);
    repository.git(&["commit", "-q", "-m", "taken out again"]);
    let refused = repository.git(&["push", "-q", "origin", "main"]);
    assert!(!good(&refused) && text(&refused).contains("b.py:1"), "{}", text(&refused));
    assert!(!good(&repository.git(&["push", "-q", "origin", "main:fresh"])));
    repository.git(&["checkout", "-q", "-b", "clean", "origin/main"]);
    repository.commit("c.py", "c = 1\n");
    assert!(good(&repository.git(&["push", "-q", "origin", "clean"])));
    assert!(good(&repository.git(&["push", "-q", "origin", ":clean"])));
}

#[test]
fn a_server_refuses_what_it_has_not_accepted_yet() {
    for name in ["pre-receive", "update"] {
        let repository = Repository::new(&[]);
        let server = repository.at.parent().unwrap().join("server.git");
        git_in(&repository.at, &["init", "-q", "--bare", server.to_str().unwrap()]);
        hook(&server.join("hooks").join(name), name);
        repository.git(&["remote", "add", "origin", server.to_str().unwrap()]);
        repository.commit("a.py", "a = 1\n");
        let passed = repository.git(&["push", "-q", "origin", "main"]);
        assert!(good(&passed), "{name}: {}", text(&passed));
        repository.commit("b.py", &format!("token = \"{}\"\n", key(9)));
        repository.commit("c.py", "c = 1\n");
        let refused = repository.git(&["push", "-q", "origin", "main"]);
        assert!(!good(&refused) && text(&refused).contains("b.py:1"), "{name}: {}", text(&refused));
        repository.git(&["checkout", "-q", "-b", "clean", "origin/main"]);
        repository.commit("d.py", "d = 1\n");
        assert!(good(&repository.git(&["push", "-q", "origin", "clean"])), "{name}");
    }
}

#[test]
fn installed_hooks_run_before_those_that_were_there() {
    use coroner_verbs::git_hook::{GitPlace, Side, install, uninstall};
    let repository = Repository::new(&[]);
    let program = assert_cmd::cargo::cargo_bin("coroner");
    let server = repository.at.parent().unwrap().join("server.git");
    git_in(&repository.at, &["init", "-q", "--bare", server.to_str().unwrap()]);
    repository.git(&["remote", "add", "origin", server.to_str().unwrap()]);
    let own = repository.at.join(".git/hooks/pre-push");
    std::fs::write(&own, "#!/bin/sh\ncat > \"$(git rev-parse --git-dir)/pushed\"\n").unwrap();
    std::fs::set_permissions(&own, std::fs::Permissions::from_mode(0o755)).unwrap();
    let env = std::collections::BTreeMap::new();
    let place = GitPlace { cwd: &repository.at, env: &env };
    install(place, &program, Side::Clone).unwrap().apply().unwrap();
    let bare = GitPlace { cwd: &server, env: &env };
    install(bare, &program, Side::Server).unwrap().apply().unwrap();
    let passed = repository.commit("a.py", "a = 1\n");
    assert!(good(&passed), "{}", text(&passed));
    let passed = repository.git(&["push", "-q", "origin", "main"]);
    assert!(good(&passed), "{}", text(&passed));
    let given = std::fs::read_to_string(repository.at.join(".git/pushed")).unwrap();
    assert!(given.starts_with("refs/heads/main "), "the hook behind it reads what git says: {given}");
    assert!(!good(&repository.commit("b.py", &format!("token = \"{}\"\n", key(13)))));
    assert!(good(&repository.git(&["commit", "-q", "-n", "-m", "past the hook"])));
    assert!(!good(&repository.git(&["push", "-q", "origin", "main"])));
    let refused = repository.git(&["push", "-q", "--no-verify", "origin", "main"]);
    assert!(!good(&refused) && text(&refused).contains("b.py:1"), "{}", text(&refused));
    uninstall(place, Side::Clone).unwrap().apply().unwrap();
    uninstall(bare, Side::Server).unwrap().apply().unwrap();
    assert!(!repository.at.join(".git/hooks/pre-commit").exists() && own.exists());
    assert!(good(&repository.git(&["push", "-q", "origin", "main"])));
}

fn coroner(at: &Path, args: &[&str]) -> (i32, serde_json::Value) {
    let output = Command::new(assert_cmd::cargo::cargo_bin("coroner"))
        .args(args)
        .args(["--format", "json"])
        .current_dir(at)
        .env("CORONER_HOME", at.parent().unwrap().join("coroner-home"))
        .output()
        .unwrap();
    let report = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", text(&output)));
    (output.status.code().unwrap(), report)
}

fn places(report: &serde_json::Value, pattern: &str) -> Vec<String> {
    let findings = report["findings"].as_array().unwrap().iter();
    findings
        .filter(|f| f["pattern"] == pattern)
        .map(|f| format!("{}:{}", f["location"]["path"].as_str().unwrap(), f["location"]["line"]))
        .collect()
}

#[test]
fn check_finds_secrets_in_files_in_what_is_staged_and_in_the_history() {
    let repository = Repository::new(&[]);
    repository.commit("a.py", &format!("\ntoken = \"{}\"\n", key(10)));
    repository.git(&["rm", "-q", "a.py"]);
    repository.commit("b.py", "key = \"your-key-here\"\n");
    repository.write(".gitignore", ".env\n");
    repository.write(".env", &format!("TOKEN={}\n", key(11)));
    let (code, report) = coroner(&repository.at, &["check", "--staged"]);
    assert_eq!((code, places(&report, "secret-in-file")), (0, vec![]));
    let (code, report) = coroner(&repository.at, &["check", "--history"]);
    assert_eq!((code, places(&report, "secret-in-file")), (1, vec!["a.py:2".to_owned()]));
    assert!(!report.to_string().contains(&key(10)));
    repository.write("c.py", &format!("token = \"{}\"\n", key(12)));
    repository.git(&["add", "c.py"]);
    let (code, report) = coroner(&repository.at, &["check", "--staged"]);
    assert_eq!((code, places(&report, "secret-in-file")), (1, vec!["c.py:1".to_owned()]));
    let (code, report) = coroner(&repository.at, &["check", "."]);
    let found = places(&report, "secret-in-file");
    assert!(code == 1 && found.len() == 1 && found[0].ends_with("c.py:1"), "{found:?}");
    assert!(!report.to_string().contains(&key(12)));
}

#[test]
fn what_the_projects_list_allows_is_told_and_counts_only_while_it_is_trusted() {
    let repository = Repository::new(&[]);
    let home = tempfile::tempdir().unwrap();
    let program = assert_cmd::cargo::cargo_bin("coroner");
    let coroner = |args: &[&str]| {
        let mut command = Command::new(&program);
        command.args(args).current_dir(&repository.at).env("CORONER_HOME", home.path()).env("HOME", &repository.at);
        command.output().unwrap()
    };
    let staged = || coroner(&["hook", "--git", "pre-commit"]);
    let trust = || {
        let view = coroner_verbs::trust::view(home.path(), &repository.at, Path::new(".coroner/coroner.toml")).unwrap();
        coroner_verbs::trust::keep(home.path(), &view, None, jiff::Timestamp::now()).unwrap();
        view.changes
    };
    let config = |entry: &str| repository.write(".coroner/coroner.toml", &format!("[[secrets.allow]]\n{entry}"));
    repository.write("fixtures/a.py", &format!("token = \"{}\"\n", key(6)));
    repository.write("b.py", "b = 1\n");
    repository.git(&["add", "fixtures", "b.py"]);
    assert!(!good(&staged()));

    config("path = 'fixtures/'\nrule = 'github-pat'\nreason = 'revoked in spring'\n");
    let untrusted = staged();
    assert!(!good(&untrusted) && text(&untrusted).contains("nobody trusts"), "{}", text(&untrusted));
    assert_eq!(trust(), ["it lets github-pat stand in fixtures/: revoked in spring"]);
    let passed = staged();
    assert!(good(&passed) && text(&passed).contains("revoked in spring"), "{}", text(&passed));
    // It stands in the report as well, as allowed.
    let report = text(&coroner(&["check", "--staged", "--format", "json"]));
    assert!(report.contains("secret-allowed-in-file") && report.contains("revoked in spring"), "{report}");
    assert!(!report.contains("\"secret-in-file\""), "{report}");

    // Another rule, another folder, a day that has passed, and a file that changed since.
    for entry in [
        "path = 'fixtures/'\nrule = 'npm-token'\nreason = 'x'\n",
        "path = 'fixture/'\nrule = 'github-pat'\nreason = 'x'\n",
        "path = 'fixtures/'\nrule = 'github-pat'\nreason = 'x'\nuntil = 2020-01-01\n",
        "path = 'fixtures/'\nrule = 'github-pat'\n",
    ] {
        config(entry);
        trust();
        assert!(!good(&staged()), "{entry}");
    }
    config("path = 'fixtures/'\nrule = 'github-pat'\nreason = 'changed since'\n");
    assert!(!good(&staged()));

    // By the token of the value, which the report tells.
    let token = report.split("hmac:").nth(1).map(|rest| format!("hmac:{}", &rest[..16])).unwrap();
    config(&format!("path = 'fixtures/a.py'\nfingerprint = '{token}'\nreason = 'dead'\n"));
    trust();
    assert!(good(&staged()), "{}", text(&staged()));
    repository.write("fixtures/a.py", &format!("token = \"{}\"\n", key(7)));
    repository.git(&["add", "fixtures"]);
    assert!(!good(&staged()));
}
