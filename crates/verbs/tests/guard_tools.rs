//! Tools of servers, and edits that take something away, judged whole.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test panics where it fails"
)]

use coroner_collect::{Casefile, Limits, World};
use coroner_judge::pattern::Library;
use coroner_model::permission::{Permission, PermissionAnswer, PermissionRequest};
use coroner_verbs::guard::Guard;
use serde_json::{Value, json};

const TEST: &str = "import pytest\n\ndef test_a():\n    assert f() == 1\n\ndef test_b():\n    assert f() == 2\n";

fn answer(tool: &str, input: Value) -> PermissionAnswer {
    let inspect = r#"[{"Id":"aa","Name":"/db","State":{"Status":"running"},"Config":{"Image":"postgres:16","Env":[],"Labels":{}},"Mounts":[{"Type":"bind","Source":"/srv/app/.data","Destination":"/data","RW":true}]}]"#;
    let lines: String = (0..40).map(|n| format!("line {n}\n")).collect();
    let texts = [
        ("docker/inspect.json", inspect),
        ("files/srv/app/tests/test_a.py", TEST),
        ("files/srv/app/notes.md", lines.as_str()),
        ("files/srv/app/clean.md", lines.as_str()),
        ("files/srv/app/.env", "A=1\nB=2\nC=3\nD=4\n"),
        ("files/srv/app/.github/workflows/ci.yml", "jobs:\n  test:\n    steps:\n      - run: pytest -q\n"),
        ("git/status.txt", "# branch.oid 1f2e\n# branch.head main\n? notes.md\n"),
        (
            "host/tree.tsv",
            "type\tpath\nd\t/srv/app\nf\t/srv/app/notes.md\nf\t/srv/app/clean.md\nf\t/srv/app/tests/test_a.py\nf\t/srv/app/.env\nd\t/srv/app/.data\n",
        ),
    ];
    let casefile = Casefile::of_texts(texts, Limits::default()).unwrap();
    let mut guard = Guard::over(World::Casefile(casefile), Library::built_in());
    let request = PermissionRequest { tool: Some(tool.into()), input, cwd: "/srv/app".into(), ..Default::default() };
    guard.judge(request)
}

#[test]
fn tools_of_servers_are_judged_as_the_command_that_does_the_same() {
    for (tool, input, wanted) in [
        ("mcp__fs__delete_directory", json!({"path": "/srv/app/.data"}), Permission::Deny),
        ("deleteFile", json!({"path": "/etc"}), Permission::Deny),
        ("mcp__shell__run_command", json!({"command": "rm -rf .data"}), Permission::Deny),
        ("shell_exec", json!({"command": "rm", "args": ["-rf", ".data"]}), Permission::Deny),
        ("mcp__pg__execute_sql", json!({"sql": "DROP TABLE users"}), Permission::Ask),
        ("postgres-query", json!({"sql": "DELETE FROM users"}), Permission::Ask),
        ("mcp__mongo__drop-database", json!({"database": "shop"}), Permission::Ask),
        ("http_request", json!({"method": "DELETE", "url": "https://api.example.org/v1/users/7"}), Permission::Ask),
        ("github-delete_branch", json!({"owner": "o", "repo": "r", "branch": "b"}), Permission::Ask),
        (
            "mcp__github__push_files",
            json!({"owner": "o", "repo": "r", "branch": "main", "force": true}),
            Permission::Deny,
        ),
        ("mcp__git__git_push", json!({"force": true, "branch": "main"}), Permission::Deny),
        ("mcp__k8s__delete_namespace", json!({"namespace": "prod"}), Permission::Deny),
        ("mcp__cloud__terminate_instances", json!({"ids": ["i-1"]}), Permission::Ask),
        ("mcp__redis__flush_all", json!({}), Permission::Ask),
        ("mcp__vault__read_file", json!({"path": "/srv/app/.data/../notes.md"}), Permission::Allow),
        (
            "mcp__pg__execute_sql",
            json!({"sql": "SELECT * FROM users WHERE note = 'DROP TABLE users'"}),
            Permission::Allow,
        ),
        ("mcp__pg__execute_sql", json!({"sql": "DELETE FROM users WHERE id = 7"}), Permission::Allow),
        ("mcp__shell__run_command", json!({"command": "ls -la"}), Permission::Allow),
        ("mcp__fs__write_file", json!({"path": "/srv/app/src/new.py", "content": "x = 1\n"}), Permission::Allow),
        ("mcp__github__list_branches", json!({"owner": "o", "repo": "r"}), Permission::Allow),
        ("mcp__github__search_code", json!({"query": "rm -rf / ; DROP TABLE users"}), Permission::Allow),
        (
            "mcp__github__create_pull_request",
            json!({"owner": "o", "repo": "r", "title": "delete dead code", "body": "rm -rf"}),
            Permission::Allow,
        ),
        ("http_request", json!({"method": "GET", "url": "https://api.example.org/delete"}), Permission::Allow),
    ] {
        let got = answer(tool, input.clone());
        assert_eq!(got.permission, wanted, "{tool} {input}: {:?} {}", got.pattern, got.reason);
        assert!(got.permission == Permission::Allow || !got.reason.is_empty());
    }
}

#[test]
fn edits_that_take_something_away_are_a_persons_to_decide() {
    let patch = |body: &str| json!({"command": format!("*** Begin Patch\n{body}\n*** End Patch")});
    let edit =
        |old: &str, new: &str| json!({"file_path": "/srv/app/tests/test_a.py", "old_string": old, "new_string": new});
    for (tool, input) in [
        ("Edit", edit("def test_a", "@pytest.mark.skip\ndef test_a")),
        ("Write", json!({"file_path": "tests/test_a.py", "content": "def test_a():\n    pass\n"})),
        (
            "MultiEdit",
            json!({"file_path": "/srv/app/tests/test_a.py", "edits": [{"old_string": "assert f() == 1", "new_string": "assert True"}]}),
        ),
        (
            "Edit",
            json!({"file_path": "/elsewhere/a.test.ts", "old_string": "it('a', f)", "new_string": "it.skip('a', f)"}),
        ),
        ("apply_patch", patch("*** Delete File: tests/test_a.py")),
        (
            "Edit",
            json!({"file_path": ".github/workflows/ci.yml", "old_string": "pytest -q", "new_string": "pytest -q || true"}),
        ),
        ("Write", json!({"file_path": "notes.md", "content": "line 1\n"})),
        ("Write", json!({"file_path": ".env", "content": "A=1\n"})),
        ("Write", json!({"file_path": ".env", "content": ""})),
    ] {
        let got = answer(tool, input.clone());
        assert_eq!(got.permission, Permission::Ask, "{tool} {input}: {:?} {}", got.pattern, got.reason);
    }
    let half = answer("Edit", edit("def test_b():\n    assert f() == 2\n", ""));
    assert!(half.permission == Permission::Allow && half.findings.len() == 1, "a note: {:?}", half.findings);
    let moved = patch(&format!(
        "*** Delete File: tests/test_a.py\n*** Add File: tests/unit/test_a.py\n{}",
        TEST.lines().map(|line| format!("+{line}")).collect::<Vec<_>>().join("\n")
    ));
    let longer: String = (0..60).map(|n| format!("line {n}\n")).collect();
    for (tool, input) in [
        ("apply_patch", moved),
        ("Edit", edit("test_a", "test_first")),
        ("Edit", edit("assert f() == 1", "assert f() == 3")),
        (
            "Write",
            json!({"file_path": "tests/test_a.py", "content": format!("{TEST}\ndef test_c():\n    assert f() == 3\n")}),
        ),
        ("Write", json!({"file_path": "tests/test_new.py", "content": "def test_x():\n    assert g()\n"})),
        ("Write", json!({"file_path": "notes.md", "content": longer})),
        ("Write", json!({"file_path": "clean.md", "content": "short\n"})),
        ("Write", json!({"file_path": "README.md", "content": "Use @pytest.mark.skip, it.skip( and || true\n"})),
        ("Write", json!({"file_path": ".env", "content": "A=1\nB=2\nC=3\nD=5\n"})),
        (
            "Edit",
            json!({"file_path": ".github/workflows/ci.yml", "old_string": "pytest -q", "new_string": "pytest -q -x"}),
        ),
    ] {
        let got = answer(tool, input.clone());
        assert!(got.permission == Permission::Allow && got.findings.is_empty(), "{tool} {input}: {}", got.reason);
    }
}
