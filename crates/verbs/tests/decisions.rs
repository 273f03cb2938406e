//! Decisions of recorded sessions: found in other words, and what became of them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test panics where it fails")]

use std::path::Path;

use coroner_read::decision::Source;
use coroner_store::Store;
use coroner_store::decisions::{DecisionFilter, KeptDecision};
use coroner_store::search::Hit;
use coroner_verbs::ingest::{IngestRequest, ingest};
use coroner_verbs::recall::{Filters, query, recall};
use jiff::Timestamp;
use serde_json::{Value, json};

struct Session {
    lines: Vec<String>,
    id: &'static str,
    cwd: &'static str,
    minute: usize,
}

impl Session {
    fn new(id: &'static str, cwd: &'static str, minute: usize) -> Session {
        Session { lines: Vec::new(), id, cwd, minute }
    }

    fn line(&mut self, role: &str, content: &Value, more: Value) {
        let number = self.lines.len();
        let mut line = json!({
            "type": role, "sessionId": self.id, "cwd": self.cwd, "uuid": format!("{}-{number}", self.id),
            "timestamp": format!("2026-03-02T10:{:02}:{number:02}Z", self.minute),
            "message": {"role": role, "content": content},
        });
        line.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap_or_default());
        self.lines.push(line.to_string());
    }

    fn person(&mut self, text: &str) {
        self.line("user", &json!(text), json!({}));
    }

    fn agent(&mut self, text: &str) {
        self.line("assistant", &json!([{"type": "text", "text": text}]), json!({}));
    }

    fn call(&mut self, id: &str, tool: &str, input: Value) {
        self.line("assistant", &json!([{"type": "tool_use", "id": id, "name": tool, "input": input}]), json!({}));
    }

    fn result(&mut self, id: &str, text: &str, is_error: bool) {
        let block = json!([{"type": "tool_result", "tool_use_id": id, "content": text, "is_error": is_error}]);
        self.line("user", &block, json!({"toolUseResult": {}}));
    }

    fn write(&self, folder: &Path) {
        std::fs::write(folder.join(format!("{}.jsonl", self.id)), self.lines.join("\n") + "\n").unwrap();
    }
}

fn record(store: &Store, folder: &Path) {
    let request = IngestRequest {
        from: vec![folder.to_owned()],
        machine: "box".into(),
        cwd: folder.to_owned(),
        home: folder.to_owned(),
        now: "2026-03-03T00:00:00Z".parse::<Timestamp>().unwrap(),
        ..IngestRequest::default()
    };
    let report = ingest(store, &request, &|_| {}).unwrap();
    assert_eq!(report.failed, 0);
}

fn decisions_for(store: &Store, text: &str) -> Vec<Hit> {
    let filters = Filters { kind: vec!["decision".into()], ..Filters::default() };
    recall(store, &query(text.into(), &filters).unwrap()).unwrap().hits
}

fn chosen(store: &Store, word: &str) -> KeptDecision {
    let all = store.decisions(&DecisionFilter { limit: 100, ..DecisionFilter::default() }).unwrap();
    let found: Vec<&KeptDecision> = all.iter().filter(|kept| kept.decision.chosen.contains(word)).collect();
    assert_eq!(found.len(), 1, "{word}: {all:#?}");
    found[0].clone()
}

/// A session with a decision of each kind.
fn planned() -> Session {
    let mut session = Session::new("s1", "/srv/shop", 1);
    session.person("we need background jobs in the shop");
    session.call("q1", "AskUserQuestion", json!({"questions": [{
        "question": "Which broker should carry the background jobs?",
        "options": [{"label": "Redis Streams", "description": "already deployed for sessions"}, {"label": "RabbitMQ", "description": "one more service"}],
    }]}));
    session.result("q1", r#"User has answered your questions: "Which broker should carry the background jobs?"="Redis Streams". You can now continue."#, false);
    session.call("p1", "ExitPlanMode", json!({"plan": "# Move the mailer into a worker\n1. src/mail/worker.py takes jobs\n2. retries with a growing pause"}));
    session.result("p1", "User has approved your plan. You can now start coding.", false);
    session.agent("I put the retry loop into the HTTP handler.");
    session.person("no, don't retry in the handler, put the retries into src/mail/worker.py");
    session.agent("I'll use grep to find the handler.");
    session.call("c1", "Bash", json!({"command": "git add src/mail/worker.py && git commit -m 'Retry mails in the worker' -m 'A handler that waits blocks the checkout.'"}));
    session
}

#[test]
fn decisions_are_found_in_other_words() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("store")).unwrap();
    let sources = folder.path().join("sources");
    std::fs::create_dir(&sources).unwrap();
    let mut session = planned();
    session.write(&sources);
    record(&store, &sources);
    // The result of the commit comes with the next recording.
    session.result("c1", "[main 1a2b3c4] Retry mails in the worker", false);
    session.call("c2", "Bash", json!({"command": "git commit -m 'Rename the queue'"}));
    session.result("c2", "Exit code 1\nnothing to commit", true);
    session.write(&sources);
    record(&store, &sources);

    let best = |text: &str, source: Source| {
        let hits = decisions_for(&store, text);
        let found = hits.iter().position(|hit| hit.decision.as_ref().unwrap().source == source);
        found.unwrap_or_else(|| panic!("{text}: {hits:#?}"))
    };
    assert_eq!(best("what broker did we pick for jobs", Source::Answer), 0);
    assert!(best("approved worker plan for mails", Source::PlanApproved) < 3);
    assert!(best("where do retries belong", Source::Correction) < 2);
    assert!(best("why does the checkout not wait for mails", Source::Commit) < 2);
    let all = store.decisions(&DecisionFilter { limit: 100, ..DecisionFilter::default() }).unwrap();
    assert_eq!(all.len(), 4, "{all:#?}");
    let answer = chosen(&store, "Redis Streams");
    assert_eq!((answer.session.as_str(), answer.project.as_str()), ("s1", "/srv/shop"));
    assert_eq!(answer.decision.rejected[0].what, "RabbitMQ");
    let named = DecisionFilter { path: Some("mail/worker".into()), limit: 100, ..DecisionFilter::default() };
    assert_eq!(store.decisions(&named).unwrap().len(), 3);
}

#[test]
fn a_decision_knows_what_took_its_place_and_whether_its_files_changed() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("store")).unwrap();
    let sources = folder.path().join("sources");
    std::fs::create_dir(&sources).unwrap();
    let mut first = Session::new("a", "/srv/shop", 1);
    first.agent("We'll use Memcached for the price cache instead of a table, because prices may be lost.");
    first.person("use pnpm in the frontend instead of npm");
    first.agent("I decided to keep the totals in src/totals.rs because the report needs them too.");
    first.agent("I decided to keep the taxes in src/tax.rs because nobody else needs them.");
    let mut second = Session::new("b", "/srv/shop", 20);
    second.agent("Switching from Memcached to Valkey because of the licence.");
    second.agent("I'll use npm instead of pnpm since the image has it.");
    second.call("e1", "Edit", json!({"file_path": "/srv/shop/src/totals.rs", "old_string": "a", "new_string": "b"}));
    second.result("e1", "done", false);
    second.call("e2", "Edit", json!({"file_path": "/srv/shop/src/tax.rs", "old_string": "a", "new_string": "b"}));
    second.result("e2", "The user doesn't want to proceed with this tool use.", true);
    let mut other = Session::new("c", "/srv/blog", 30);
    other.agent("Dropping Valkey in favour of Postgres because one service less is one less to watch.");
    for session in [&first, &second, &other] {
        session.write(&sources);
    }
    record(&store, &sources);

    let cache = chosen(&store, "Memcached").standing;
    assert_eq!(cache.superseded_by, Some(chosen(&store, "Valkey").evidence));
    // Another project decides for itself, and the agent's word is no answer to a person's.
    assert_eq!(chosen(&store, "Valkey").standing.superseded_by, None);
    assert_eq!(chosen(&store, "pnpm in").standing.superseded_by, None);
    assert!(chosen(&store, "totals").standing.stale);
    assert!(!chosen(&store, "taxes").standing.stale, "an edit that was refused changes nothing");

    let hit = &decisions_for(&store, "price cache memcached")[0];
    assert!(hit.standing.superseded_by.is_some());
    let shown = serde_json::to_value(hit).unwrap();
    assert!(shown.get("superseded_by").is_some() && shown.get("stale").is_none(), "{shown}");
    assert_eq!(shown["decision"]["source"], "stated");
    // An index that is made anew says the same.
    store.drop_index().unwrap();
    store.indexer().unwrap().unwrap().finish().unwrap();
    assert_eq!(chosen(&store, "Memcached").standing, cache);
}
