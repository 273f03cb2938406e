//! A session is told the lessons again; a command that touches what an incident touched is recalled it.

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
use std::path::PathBuf;

use coroner_model::Severity;
use coroner_model::incident::Incident;
use coroner_store::Store;
use coroner_verbs::guard::Guard;
use coroner_verbs::hook::{self, Agent, HookReply};
use coroner_verbs::incident;
use coroner_verbs::workspace::WorkspaceRequest;
use jiff::Timestamp;
use serde_json::{Value, json};

struct Site {
    _folder: tempfile::TempDir,
    home: PathBuf,
    work: PathBuf,
}

impl Site {
    fn new() -> Site {
        let folder = tempfile::tempdir().unwrap();
        let root = fs::canonicalize(folder.path()).unwrap();
        let site = Site { home: root.join("home"), work: root.join("work"), _folder: folder };
        fs::create_dir_all(site.work.join(".coroner/antipatterns")).unwrap();
        site
    }

    fn store(&self) -> Store {
        Store::open(&self.home.join("store")).unwrap()
    }

    fn incident(&self, title: &str, what: &str, lesson: &str, severity: Severity) {
        let incident = Incident {
            title: title.to_owned(),
            date: Some("2026-01-23".to_owned()),
            severity: Some(severity),
            what_happened: Some(what.to_owned()),
            lesson: Some(lesson.to_owned()),
            ..Incident::default()
        };
        incident::new(&self.store(), incident, Timestamp::now()).unwrap();
    }

    fn request(&self) -> WorkspaceRequest {
        let env = BTreeMap::from([
            ("HOME".to_owned(), self.home.display().to_string()),
            ("DOCKER_HOST".to_owned(), "unix:///nowhere.sock".to_owned()),
        ]);
        let (home, cwd) = (self.home.clone(), self.work.clone());
        WorkspaceRequest { home, cwd, env, now: Timestamp::now(), ..WorkspaceRequest::default() }
    }

    fn hook(&self, agent: Agent, event: &Value) -> HookReply {
        hook::answer(agent, event.to_string().as_bytes(), || Guard::open(self.request()))
    }

    fn before(&self, command: &str) -> String {
        let event = json!({"hook_event_name": "PreToolUse", "tool_name": "Bash", "tool_input": {"command": command},
            "cwd": self.work, "session_id": "s1"});
        self.hook(Agent::Claude, &event).stdout
    }
}

#[test]
fn each_host_is_told_in_its_own_words_and_nothing_where_there_is_nothing() {
    let site = Site::new();
    let events = |cwd: &PathBuf| {
        [
            (
                Agent::Claude,
                json!({"hook_event_name": "SessionStart", "source": "compact", "cwd": cwd}),
                "/hookSpecificOutput/additionalContext",
            ),
            (
                Agent::Codex,
                json!({"hook_event_name": "SessionStart", "source": "resume", "cwd": cwd}),
                "/hookSpecificOutput/additionalContext",
            ),
            (
                Agent::Gemini,
                json!({"hook_event_name": "SessionStart", "source": "startup", "cwd": cwd}),
                "/hookSpecificOutput/additionalContext",
            ),
            (
                Agent::Cursor,
                json!({"hook_event_name": "sessionStart", "workspace_roots": [cwd]}),
                "/additional_context",
            ),
            (
                Agent::Copilot,
                json!({"sessionId": "a", "timestamp": 1, "cwd": cwd, "source": "new"}),
                "/additionalContext",
            ),
            (
                Agent::Copilot,
                json!({"hook_event_name": "SessionStart", "source": "resume", "cwd": cwd}),
                "/additionalContext",
            ),
            (
                Agent::OpenCode,
                json!({"hook_event_name": "experimental.chat.system.transform", "sessionID": "a", "directory": cwd}),
                "/context",
            ),
        ]
    };
    for (agent, event, _) in events(&site.work) {
        assert_eq!(site.hook(agent, &event), HookReply::default(), "{agent:?}");
        assert!(!site.home.join("store").exists(), "looking for lessons makes no store");
    }
    site.incident(
        "rsync wiped postgres",
        "It removed /opt/app/.docker-data.",
        "Dry-run what deletes.",
        Severity::Critical,
    );
    site.incident("A typo in the footer", "It was ugly.", "Read twice.", Severity::Minor);
    for (agent, event, place) in events(&site.work) {
        let reply = site.hook(agent, &event);
        let value: Value = serde_json::from_str(&reply.stdout).unwrap();
        let text = value.pointer(place).and_then(Value::as_str).unwrap();
        assert!(text.contains("\"Dry-run what deletes.\"") && !text.contains("Read twice"), "{agent:?}: {text}");
        assert!(text.contains("not as instructions") && reply.exit == 0);
    }
    let other = json!({"hook_event_name": "SessionEnd", "cwd": site.work});
    assert_eq!(site.hook(Agent::Claude, &other), HookReply::default());
}

#[test]
fn the_projects_own_lessons_come_first_and_all_is_bounded() {
    let site = Site::new();
    let pattern = |id: &str, severity: &str, lesson: &str| {
        let text = format!(
            "+++\ntitle = \"x\"\ncategory = \"deploy\"\nseverity = \"{severity}\"\nlesson = \"{lesson}\"\n[[when.effect]]\nkind = \"deploy\"\npermission = \"note\"\n+++\nWhy.\n\n## Do instead\nOther.\n"
        );
        fs::write(site.work.join(format!(".coroner/antipatterns/{id}.md")), text).unwrap();
    };
    pattern("own-critical", "critical", "Ours comes first. \\\"Now run\\\" nothing.");
    pattern("own-minor", "minor", "Too small to tell.");
    for number in 0..20 {
        site.incident(
            &format!("Outage {number}"),
            "x",
            &format!("Lesson {number}. {}", "long ".repeat(80)),
            Severity::Critical,
        );
    }
    let event = json!({"hook_event_name": "SessionStart", "source": "startup", "cwd": site.work.join("deep")});
    fs::create_dir(site.work.join("deep")).unwrap();
    let value: Value = serde_json::from_str(&site.hook(Agent::Claude, &event).stdout).unwrap();
    let text = value["hookSpecificOutput"]["additionalContext"].as_str().unwrap();
    assert!(text.chars().count() <= 1_500, "{}", text.len());
    let lessons: Vec<&str> = text.lines().skip(1).collect();
    assert!(lessons.len() > 3 && lessons.len() <= 7, "{text}");
    assert!(lessons[0].contains("own-critical") && lessons[0].matches('"').count() == 2, "{}", lessons[0]);
    assert!(!text.contains("Too small"));
}

#[test]
fn a_command_on_what_an_incident_touched_is_recalled_it_and_its_neighbours_are_not() {
    let site = Site::new();
    let what = "`zen-api` kept its old environment; the worker service too. /srv/zen/data/pg was gone, db.zen.example.org was down.";
    site.incident("Restart of zen-api changed nothing", what, "Recreate, do not restart.", Severity::Major);
    for (command, recalled) in [
        ("docker restart zen-api", true),
        ("sudo docker restart zen-api", true),
        ("docker compose up -d zen-api", true),
        ("docker compose restart worker", true),
        ("systemctl stop zen-api.service", true),
        ("rm /srv/zen/data/pg/PG_VERSION", true),
        ("docker restart zen-web", false),
        ("docker compose up -d web", false),
        ("docker logs zen-api", false),
        ("echo docker restart zen-api", false),
        ("grep -r zen-api .", false),
        ("rm notes.txt", false),
        ("git status", false),
    ] {
        let said = site.before(command);
        assert_eq!(said.contains("Recall: incident"), recalled, "{command}: {said}");
        if recalled {
            let line = said.lines().find(|l| l.contains("Recall")).unwrap();
            assert!(line.contains("Recreate, do not restart.") && line.contains("2026-01-23"), "{line}");
        }
    }
}

#[test]
fn the_file_follows_the_store_and_a_changed_one_says_nothing() {
    let site = Site::new();
    site.incident("First outage of zen-api", "x", "One.", Severity::Major);
    let file = site.home.join("store/coroner.touched.jsonl");
    let text = fs::read_to_string(&file).unwrap();
    assert!(site.before("docker restart zen-api").contains("Recall"));
    for broken in [text.replace("One.", "Two."), text[..text.len() - 5].to_owned(), String::new(), "{}\n".to_owned()] {
        fs::write(&file, broken).unwrap();
        assert!(!site.before("docker restart zen-api").contains("Recall"));
    }
    // The next session makes it anew.
    site.hook(Agent::Claude, &json!({"hook_event_name": "SessionStart", "source": "startup", "cwd": site.work}));
    assert_eq!(fs::read_to_string(&file).unwrap(), text);
}
