//! Edits by tools instead of commands, and what a text exports to its later commands.

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
use coroner_model::permission::{Permission, PermissionRequest};
use coroner_verbs::guard::Guard;
use serde_json::{Value, json};

fn guard() -> Guard {
    let settings = r#"{"hooks":{"PreToolUse":[{"hooks":[{"command":"coroner hook --agent claude"}]}]}}"#;
    let texts = [
        ("files/srv/app/.claude/settings.json", settings),
        ("files/srv/app/.coroner/antipatterns/ours.md", "+++\n"),
        (
            "host/tree.tsv",
            "type\tpath\nd\t/srv/app\nd\t/srv/app/.coroner\nd\t/srv/app/.coroner/antipatterns\nf\t/srv/app/.coroner/antipatterns/ours.md\n",
        ),
    ];
    Guard::over(World::Casefile(Casefile::of_texts(texts, Limits::default()).unwrap()), Library::built_in())
}

fn edit(tool: &str, input: Value) -> Permission {
    let request = PermissionRequest { tool: Some(tool.into()), input, cwd: "/srv/app".into(), ..Default::default() };
    guard().judge(request).permission
}

fn command(text: &str) -> Permission {
    let request = PermissionRequest { command: Some(text.into()), cwd: "/srv/app".into(), ..Default::default() };
    guard().judge(request).permission
}

#[test]
fn an_edit_of_what_keeps_watch_is_denied_and_any_other_is_not() {
    let patch =
        |path: &str| json!({"command": format!("*** Begin Patch\n*** Update File: {path}\n@@\n-a\n+b\n*** End Patch")});
    for (tool, input) in [
        (
            "Edit",
            json!({"file_path": "/srv/app/.coroner/antipatterns/ours.md", "old_string": "deny", "new_string": "note"}),
        ),
        ("Write", json!({"file_path": ".claude/settings.json", "content": "{}"})),
        ("MultiEdit", json!({"file_path": "/srv/app/.claude/settings.json", "edits": []})),
        ("apply_patch", patch(".coroner/antipatterns/ours.md")),
    ] {
        assert_eq!(edit(tool, input.clone()), Permission::Deny, "{tool} {input}");
    }
    for (tool, input) in [
        ("Edit", json!({"file_path": "/srv/app/src/main.rs", "old_string": "a", "new_string": "b"})),
        ("Write", json!({"file_path": "/srv/app/.coroner/antipatterns/another.md", "content": "+++"})),
        ("Write", json!({"file_path": "/srv/app/compose.yml", "content": "services: {}"})),
        ("NotebookEdit", json!({"notebook_path": "/srv/app/a.ipynb", "new_source": "x"})),
        ("apply_patch", patch("src/lib.rs")),
        ("Read", json!({"file_path": "/srv/app/.claude/settings.json"})),
    ] {
        assert_eq!(edit(tool, input.clone()), Permission::Allow, "{tool} {input}");
    }
}

#[test]
fn what_is_exported_reaches_later_commands() {
    for text in [
        "export HUSKY=0; git commit -m x",
        "export HUSKY\nHUSKY=0\ngit commit -m x",
        "declare -x HUSKY=0 && git commit -am x",
        "export PGHOST=db.prod.example.org; psql -c 'TRUNCATE orders'",
    ] {
        assert_ne!(command(text), Permission::Allow, "{text}");
    }
    for text in [
        "export HUSKY=0; unset HUSKY; git commit -m x",
        "export HUSKY=0; export -n HUSKY; git commit -m x",
        "HUSKY=0; git commit -m x",
        "export EDITOR=vim; git commit -m x",
        "export NODE_ENV=test; npm test",
    ] {
        assert_eq!(command(text), Permission::Allow, "{text}");
    }
}

#[test]
fn what_stands_behind_a_nul_is_read() {
    assert_eq!(command("ls\0rm -rf /etc"), Permission::Deny);
    assert_eq!(command("ls\0-la"), Permission::Allow);
}
