//! What git holds decides: the guard over real repositories, and over what casefiles say of them.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test panics where it fails"
)]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use coroner_collect::{Casefile, Limits, Live, LiveSettings, World};
use coroner_judge::pattern::Library;
use coroner_model::permission::{Permission, PermissionAnswer, PermissionRequest};
use coroner_verbs::guard::Guard;

fn git(at: &Path, args: &[&str]) {
    let done = Command::new("git")
        .current_dir(at)
        .env_clear()
        .env("PATH", std::env::var("PATH").unwrap())
        .env("HOME", at)
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .args(["-c", "user.name=dev", "-c", "user.email=dev@example.org", "-c", "init.defaultBranch=main"])
        .args(args)
        .output()
        .unwrap();
    assert!(done.status.success(), "git {args:?}: {}", String::from_utf8_lossy(&done.stderr));
}

fn put(root: &Path, path: &str, text: &str) {
    let at = root.join(path);
    fs::create_dir_all(at.parent().unwrap()).unwrap();
    fs::write(at, text).unwrap();
}

/// A repository `shop` that is committed and pushed to `shop.git`, and a guard that looks at it.
struct Bench {
    dir: tempfile::TempDir,
}

impl Bench {
    fn new() -> Bench {
        let bench = Bench { dir: tempfile::tempdir().unwrap() };
        let top = bench.dir.path();
        git(top, &["init", "-q", "--bare", "shop.git"]);
        git(top, &["init", "-q", "shop"]);
        let shop = bench.shop();
        put(&shop, "src/main.rs", "fn main() {}\n");
        put(&shop, "README.md", "shop\n");
        put(&shop, ".gitignore", ".env\nnode_modules/\n*.log\n");
        git(&shop, &["add", "-A"]);
        git(&shop, &["commit", "-qm", "Add the shop"]);
        git(&shop, &["remote", "add", "origin", "../shop.git"]);
        git(&shop, &["push", "-q", "-u", "origin", "main"]);
        bench
    }

    fn shop(&self) -> std::path::PathBuf {
        self.dir.path().join("shop")
    }

    fn guard(&self) -> Guard {
        let settings = LiveSettings {
            env: BTreeMap::new(),
            home: self.dir.path().join("home"),
            cwd: self.shop(),
            now: "2026-03-01T10:00:00Z".parse().unwrap(),
            redaction_key: [7; 32],
        };
        Guard::over(World::Live(Live::new(settings, Limits::default())), Library::built_in())
    }

    fn judge(&self, commands: &[&str]) -> Vec<PermissionAnswer> {
        let mut guard = self.guard();
        commands.iter().map(|command| guard.judge(request(command, &self.shop().to_string_lossy()))).collect()
    }

    #[track_caller]
    fn stopped(&self, commands: &[&str]) {
        for command in commands {
            let answer = self.judge(&[command]).remove(0);
            assert_ne!(answer.permission, Permission::Allow, "{command} {answer:?}");
            assert!(answer.reason.chars().count() < 600, "{}", answer.reason);
        }
    }

    #[track_caller]
    fn silent(&self, commands: &[&str]) {
        for command in commands {
            let answer = self.judge(&[command]).remove(0);
            let quiet = answer.permission == Permission::Allow && answer.findings.is_empty();
            assert!(quiet, "{command} {answer:?}");
        }
    }
}

fn request(command: &str, cwd: &str) -> PermissionRequest {
    PermissionRequest {
        command: Some(command.to_owned()),
        cwd: cwd.to_owned(),
        session: Some("s1".to_owned()),
        env: [("HOME".to_owned(), "/home/dev".to_owned())].into(),
        ..PermissionRequest::default()
    }
}

#[test]
fn what_is_committed_and_pushed_goes_silently() {
    Bench::new().silent(&[
        "rm src/main.rs",
        "rm -rf src",
        "git rm -r src",
        "git reset --hard",
        "git checkout -- .",
        "git checkout .",
        "git restore src/main.rs",
        "git clean -fdx",
        "git stash drop",
        "git stash && git stash drop",
        "git reset --hard origin/main",
        "echo x > src/main.rs",
        "cp README.md src/main.rs",
        "truncate -s 0 README.md",
        "mv README.md src/main.rs",
        "cd .. && rm -rf shop",
        "rm -rf ../shop",
        "rm -rf ../none",
        "find src -name '*.rs' -delete",
    ]);
}

#[test]
fn a_change_that_no_commit_holds_asks() {
    let bench = Bench::new();
    put(&bench.shop(), "src/main.rs", "fn main() { todo() }\n");
    bench.stopped(&[
        "rm src/main.rs",
        "rm -rf src",
        "rm -rf src/*",
        "git reset --hard",
        "git checkout -- .",
        "cd src && git checkout -- main.rs",
        "cd src && git checkout .",
        "git restore src/main.rs",
        "git rm -f src/main.rs",
        "git stash && git stash drop",
        "git stash push -m x; git stash clear",
        "echo x > src/main.rs",
        "cp README.md src/main.rs",
        "mv README.md src/main.rs",
        "truncate -s 0 src/main.rs",
        "cd .. && rm -rf shop",
        "find src -name '*.rs' -delete",
        "find . -type f -name main.rs | xargs rm",
    ]);
    bench.silent(&[
        "rm README.md",
        "git checkout -- README.md",
        "cd src && git checkout -- ../README.md",
        "git restore --staged .",
        "sed -i s/todo/main/ src/main.rs",
        "echo '// end' >> src/main.rs",
        "git stash",
        "git stash && git stash pop",
    ]);
}

#[test]
fn a_file_that_git_never_knew_asks_and_by_products_pass() {
    let bench = Bench::new();
    let shop = bench.shop();
    put(&shop, "notes.md", "x\n");
    put(&shop, "design/a.md", "x\n");
    put(&shop, ".env", "A=1\n");
    put(&shop, "app.log", "x\n");
    put(&shop, "node_modules/a/index.js", "x\n");
    put(&shop, "report.json", "{}\n");
    bench.stopped(&[
        "rm notes.md",
        "rm -rf design",
        "rm design/a.md",
        "rm -f .env",
        "cp README.md .env",
        "cp README.md notes.md",
        "git clean -f",
        "git clean -fd",
        "git clean -fdx",
        "git clean -fdX",
        "cd .. && rm -rf shop",
    ]);
    bench.silent(&[
        "rm app.log",
        "rm -rf node_modules",
        "git clean -fdn",
        "git clean -fd node_modules",
        "git clean -fd -e notes.md -e design -e report.json",
        "npm ls > report.json",
        "mv notes.md design/",
        "cat notes.md",
    ]);
}

#[test]
fn what_the_session_made_is_its_own() {
    let bench = Bench::new();
    let shop = bench.shop();
    put(&shop, "theirs.md", "x\n");
    let mut guard = bench.guard();
    for (command, allowed) in [
        ("mkdir probe && echo x > probe/a.md", true),
        ("cat > probe.py <<'E'\nprint(1)\nE", true),
        ("rm -rf probe probe.py", true),
        ("cat > probe.py <<'E'\nprint(2)\nE", true),
        ("rm theirs.md", false),
        ("mkdir fresh && cp README.md fresh/ && rm -rf fresh", true),
        ("git clean -fd", false),
    ] {
        put(&shop, "probe/a.md", "x\n");
        put(&shop, "fresh/README.md", "x\n");
        let answer = guard.judge(request(command, &shop.to_string_lossy()));
        assert_eq!(answer.permission == Permission::Allow, allowed, "{command} {answer:?}");
        if command.starts_with("cat") {
            put(&shop, "probe.py", "x\n");
        }
    }
}

#[test]
fn commits_that_are_nowhere_else_ask() {
    let bench = Bench::new();
    let shop = bench.shop();
    git(&shop, &["checkout", "-qb", "cart"]);
    put(&shop, "cart.rs", "x\n");
    git(&shop, &["add", "-A"]);
    git(&shop, &["commit", "-qm", "Add a cart"]);
    git(&shop, &["branch", "copy"]);
    git(&shop, &["branch", "merged", "main"]);
    git(&shop, &["checkout", "-q", "main"]);
    bench.silent(&["git branch -D merged", "git branch -D copy", "git branch -D none", "git branch -d cart"]);
    bench.stopped(&["cd .. && rm -rf shop", "rm -rf .git", "git branch -D cart copy && rm -rf ../shop"]);
    git(&shop, &["branch", "-qD", "copy"]);
    bench.stopped(&["git branch -D cart", "git branch --delete --force cart"]);
    git(&shop, &["push", "-q", "origin", "cart"]);
    bench.silent(&["git branch -D cart", "cd .. && rm -rf shop"]);
    git(&shop, &["checkout", "-q", "cart"]);
    bench.silent(&["git reset --hard main"]);
    put(&shop, "more.rs", "x\n");
    git(&shop, &["add", "-A"]);
    git(&shop, &["commit", "-qm", "Add more"]);
    bench.stopped(&["git reset --hard HEAD~1", "git reset --hard main", "git reset --hard origin/cart"]);
}

#[test]
fn a_repository_without_a_remote_is_the_only_copy() {
    let bench = Bench::new();
    git(&bench.shop(), &["remote", "remove", "origin"]);
    bench.stopped(&["cd .. && rm -rf shop", "rm -rf ../shop", &format!("rm -rf {}", bench.dir.path().display())]);
    bench.silent(&["rm -rf src", "git reset --hard"]);
}

#[test]
fn stashes_and_work_trees_ask() {
    let bench = Bench::new();
    let shop = bench.shop();
    put(&shop, "README.md", "changed\n");
    git(&shop, &["stash", "-q"]);
    bench.stopped(&["git stash drop", "git stash clear", "cd .. && rm -rf shop"]);
    bench.silent(&["git stash apply && git stash drop", "git stash pop", "git stash list"]);
    git(&shop, &["stash", "drop", "-q"]);
    git(&shop, &["worktree", "add", "-q", "-b", "side", "../side"]);
    git(&shop, &["push", "-q", "origin", "side"]);
    bench.silent(&["git worktree remove ../side", "git worktree remove --force ../side", "rm -rf ../side"]);
    bench.stopped(&["cd .. && rm -rf shop"]);
    put(&bench.dir.path().join("side"), "src/main.rs", "changed\n");
    bench.stopped(&["git worktree remove --force ../side", "rm -rf ../side"]);
}

#[test]
fn a_casefile_tells_the_same() {
    let clean = "# branch.oid 1f2e\n# branch.head main\n# branch.upstream origin/main\n# branch.ab +0 -0\n";
    let ahead = "# branch.oid 1f2e\n# branch.head main\n# branch.upstream origin/main\n# branch.ab +2 -0\n";
    let local = "# branch.oid 1f2e\n# branch.head main\n";
    let judge = |files: &[(&str, &str)], command: &str| {
        let casefile = Casefile::of_texts(files.iter().copied(), Limits::default()).unwrap();
        let mut guard = Guard::over(World::Casefile(casefile), Library::built_in());
        guard.judge(request(command, "/srv/app")).permission
    };
    for (status, stash, worktrees, command, expected) in [
        (clean, "", "", "rm -rf /srv/app", Permission::Allow),
        (ahead, "", "", "rm -rf /srv/app", Permission::Ask),
        (local, "", "", "rm -rf /srv/app", Permission::Ask),
        (clean, "stash@{0}: WIP on main\n", "", "rm -rf /srv/app", Permission::Ask),
        (clean, "", "/srv/app  1f2e [main]\n/srv/side  1f2e [side]\n", "rm -rf /srv/app", Permission::Ask),
        (clean, "", "/srv/app  1f2e [main]\n/srv/side  1f2e [side]\n", "rm -rf /srv/side", Permission::Allow),
        (ahead, "", "", "rm -rf /srv/other-thing", Permission::Allow),
        (clean, "", "", "git stash && git stash drop", Permission::Allow),
        (clean, "", "", "git rebase -i HEAD^^^", Permission::Ask),
        (ahead, "", "", "git rebase -i HEAD^^", Permission::Allow),
        (clean, "", "", "git reset --hard", Permission::Allow),
    ] {
        let files = [("git/status.txt", status), ("git/stash.txt", stash), ("git/worktrees.txt", worktrees)];
        assert_eq!(judge(&files, command), expected, "{command} with {status}{stash}{worktrees}");
    }
    let refs = "ref\tcommit\tupstream\tunpushed\tunmerged\nrefs/heads/main\t1f\torigin/main\t0\t0\nrefs/heads/old\t2a\t\t3\t0\nrefs/heads/cart\t3b\t\t2\t2\nrefs/remotes/origin/main\t1f\t\t\t\n";
    for (command, expected) in [
        ("git branch -D old", Permission::Allow),
        ("git branch -D cart", Permission::Ask),
        ("git branch -D old cart", Permission::Ask),
        ("rm -rf /srv/app", Permission::Ask),
    ] {
        let files = [("git/status.txt", clean), ("git/refs.tsv", refs)];
        assert_eq!(judge(&files, command), expected, "{command}");
    }
}

#[test]
fn an_alias_that_stands_in_the_settings_is_what_it_says() {
    let bench = Bench::new();
    let shop = bench.shop();
    put(&shop, "src/main.rs", "fn main() { todo() }\n");
    put(&shop, "more.inc", "[alias]\n\tquick = commit --no-verify\n");
    for (name, text) in [
        ("ci", "commit -n"),
        ("send", "push --no-verify"),
        ("both", "!git add -A && git commit -qm wip --no-verify"),
        ("quiet", "-c core.hooksPath=/dev/null commit"),
        ("undo", "reset --hard HEAD"),
        ("st", "status -sb"),
        ("save", "commit -m wip"),
        ("commit", "commit --no-verify"),
    ] {
        git(&shop, &["config", &format!("alias.{name}"), text]);
    }
    git(&shop, &["config", "include.path", "../more.inc"]);
    for command in [
        "git ci -m x",
        "git send",
        "git both",
        "git quiet -m x",
        "git quick -m x",
        "cd src && git ci -m x",
        "git CI -m x",
    ] {
        let answer = bench.judge(&[command]).remove(0);
        let bypass = answer.effects.iter().any(|e| e.kind == coroner_model::effect::EffectKind::BypassHook);
        assert!(answer.permission != Permission::Allow && bypass, "{command} {answer:?}");
        assert!(answer.could_not_look.is_empty(), "{command} {answer:?}");
    }
    bench.stopped(&["git undo"]);
    // An alias of git's own command is ignored, and one that is nowhere is no alias.
    bench.silent(&["git st", "git save", "git commit -m x", "git nowhere --no-verify", "git status"]);
}
