//! Events of agents beside the one before a call: permission, after, settings, files that are read.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test panics where it fails"
)]

use std::collections::BTreeMap;
use std::path::Path;

use coroner_verbs::guard::Guard;
use coroner_verbs::hook::{self, Agent, HookReply};
use coroner_verbs::workspace::WorkspaceRequest;
use serde_json::{Value, json};

struct Site {
    folder: tempfile::TempDir,
}

impl Site {
    fn new() -> Site {
        let site = Site { folder: tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap() };
        std::fs::create_dir_all(site.path().join("project")).unwrap();
        site
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn put(&self, path: &str, text: &str) {
        let path = self.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    fn answer(&self, agent: Agent, event: &Value) -> HookReply {
        let env = BTreeMap::from([("HOME".to_owned(), self.path().display().to_string())]);
        let request = WorkspaceRequest {
            home: self.path().join("own"),
            cwd: self.path().join("project"),
            env,
            now: jiff::Timestamp::now(),
            ..WorkspaceRequest::default()
        };
        hook::answer(agent, event.to_string().as_bytes(), || Guard::open(request))
    }

    fn event(&self, name: &str, tool: &str, input: Value) -> Value {
        json!({"hook_event_name": name, "session_id": "s1", "cwd": self.path().join("project"), "tool_name": tool, "tool_input": input})
    }
}

fn value(reply: &HookReply) -> Value {
    serde_json::from_str(&reply.stdout).unwrap_or_default()
}

#[test]
fn a_person_is_not_asked_about_what_is_denied() {
    let site = Site::new();
    for agent in [Agent::Claude, Agent::Codex] {
        let denied = site.answer(agent, &site.event("PermissionRequest", "Bash", json!({"command": "rm -rf /etc"})));
        let said = &value(&denied)["hookSpecificOutput"];
        assert_eq!(said["hookEventName"], "PermissionRequest", "{agent:?} {denied:?}");
        assert_eq!(said["decision"]["behavior"], "deny");
        assert!(!said["decision"]["message"].as_str().unwrap().is_empty());
        for command in ["ls -la", "git status", "make test"] {
            let reply = site.answer(agent, &site.event("PermissionRequest", "Bash", json!({ "command": command })));
            assert_eq!(reply, HookReply::default(), "{agent:?} {command}");
        }
        let odd = site.answer(agent, &json!({"hook_event_name": "PermissionRequest"}));
        assert_eq!(odd, HookReply::default());
    }
}

#[test]
fn a_denied_call_that_ran_is_told_at_the_next_start() {
    let site = Site::new();
    let input = json!({"command": "rm -rf /etc"});
    let start = json!({"hook_event_name": "SessionStart", "session_id": "s2", "source": "startup", "cwd": site.path()});
    assert_eq!(site.answer(Agent::Claude, &site.event("PostToolUse", "Bash", input.clone())), HookReply::default());
    assert_eq!(site.answer(Agent::Claude, &start), HookReply::default(), "what was never denied is no matter");
    assert_eq!(site.answer(Agent::Claude, &site.event("PreToolUse", "Bash", input.clone())).exit, 2);
    assert_eq!(site.answer(Agent::Claude, &start), HookReply::default(), "a denial that held is no matter");
    let other = site.event("PostToolUse", "Bash", json!({"command": "ls"}));
    assert_eq!(site.answer(Agent::Claude, &other), HookReply::default());
    assert_eq!(site.answer(Agent::Claude, &start), HookReply::default());
    let mut ran = site.event("PostToolUse", "Bash", input);
    ran["cwd"] = json!("/somewhere/else");
    assert_eq!(site.answer(Agent::Claude, &ran), HookReply::default());
    let told = value(&site.answer(Agent::Claude, &start));
    let text = told["hookSpecificOutput"]["additionalContext"].as_str().unwrap();
    assert!(text.contains("ran all the same") && text.contains("rm -rf /etc"), "{text}");
}

#[test]
fn whoever_edits_the_hook_away_is_stopped() {
    let hooked = r#"{"hooks":{"PreToolUse":[{"hooks":[{"type":"command","command":"coroner hook --agent claude"}]}]}}"#;
    let change = |site: &Site| {
        let event = json!({"hook_event_name": "ConfigChange", "session_id": "s", "cwd": site.path().join("project"), "source": "user_settings", "file_path": site.path().join(".claude/settings.json")});
        site.answer(Agent::Claude, &event)
    };
    let site = Site::new();
    site.put(".claude/settings.json", hooked);
    assert_eq!(change(&site), HookReply::default(), "it still stands there");
    site.put(".claude/settings.json", &hooked.replacen('{', "{\"model\":\"x\",", 1));
    assert_eq!(change(&site), HookReply::default(), "another setting is the person's affair");
    for gone in ["{}", "{\"hooks\":{}}", &hooked.replacen('{', "{\"disableAllHooks\":true,", 1)] {
        site.put(".claude/settings.json", gone);
        let reply = change(&site);
        assert_eq!(value(&reply)["decision"], "block", "{gone}");
        assert!(reply.exit == 2 && !reply.stderr.trim().is_empty());
    }
    // Where the project's own settings call it, the person's need not.
    site.put("project/.claude/settings.json", hooked);
    site.put("project/.git/HEAD", "ref: refs/heads/main\n");
    site.put(".claude/settings.json", "{}");
    assert_eq!(change(&site), HookReply::default());
}

#[test]
fn a_file_with_secrets_is_asked_about_before_the_model_reads_it() {
    let site = Site::new();
    let random: String = (0..40).map(|i| char::from(b"k3Vn8QzL5wRt2Yp7"[(i * 7 + i / 3) % 16])).collect();
    site.put("project/.env", &format!("API_TOKEN={random}\n"));
    site.put("project/main.py", "print('hello')\n");
    let read = |name: &str| {
        let event = json!({"hook_event_name": "beforeReadFile", "conversation_id": "c", "workspace_roots": [site.path().join("project")], "file_path": site.path().join("project").join(name), "content": "x"});
        value(&site.answer(Agent::Cursor, &event))["permission"].as_str().unwrap_or_default().to_owned()
    };
    assert_eq!(read(".env"), "ask");
    assert_eq!(read("main.py"), "allow");
    let nameless = json!({"hook_event_name": "beforeReadFile", "conversation_id": "c"});
    assert_eq!(value(&site.answer(Agent::Cursor, &nameless))["permission"], "ask");
}

#[test]
fn a_subagent_is_named_in_what_is_kept_and_said() {
    let site = Site::new();
    let mut first = site.event("PreToolUse", "Bash", json!({"command": "rm -rf /etc"}));
    first["agent_id"] = json!("a41");
    first["agent_type"] = json!("explore");
    assert_eq!(site.answer(Agent::Claude, &first).exit, 2);
    let kept: String = std::fs::read_dir(site.path().join("own/guard"))
        .unwrap()
        .map(|entry| std::fs::read_to_string(entry.unwrap().path()).unwrap())
        .collect();
    assert!(kept.contains("\"agent_id\":\"a41\"") && kept.contains("\"agent_type\":\"explore\""), "{kept}");
    let second = site.event("PreToolUse", "Bash", json!({"command": "find /etc -delete"}));
    let reply = site.answer(Agent::Claude, &second);
    assert!(reply.stderr.contains("denied before"), "{}", reply.stderr);
}
