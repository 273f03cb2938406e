//! Finding transcripts, and reading those in databases while an agent has them open.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test panics where it fails")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use coroner_collect::transcripts::{self, CollectError, DbState, Form, Found};
use coroner_model::session::CallStatus;
use coroner_read::transcript::batch::{Batch, Counts};
use rusqlite::{Connection, params};

fn put(root: &Path, path: &str, text: &[u8]) -> PathBuf {
    let at = root.join(path);
    fs::create_dir_all(at.parent().unwrap()).unwrap();
    fs::write(&at, text).unwrap();
    at
}

fn age(path: &Path, days: u64) {
    let at = SystemTime::now() - Duration::from_secs(days * 86_400);
    fs::File::options().write(true).open(path).unwrap().set_modified(at).unwrap();
}

type Reader = fn(&Path, &DbState, &mut dyn FnMut(Batch)) -> Result<DbState, CollectError>;

/// All batches as one, and the state as it is kept between two reads.
fn gather(read: Reader, path: &Path, since: &DbState) -> (Batch, DbState) {
    let mut all = Batch::default();
    let state = read(path, since, &mut |batch| {
        all.entries.extend(batch.entries);
        all.issues.extend(batch.issues);
        let (sum, more) = (&mut all.counts, batch.counts);
        sum.lines += more.lines;
        sum.messages += more.messages;
        sum.tool_calls += more.tool_calls;
        sum.unknown += more.unknown;
    });
    let state = serde_json::to_string(&state.unwrap()).unwrap();
    (all, serde_json::from_str(&state).unwrap())
}

fn open_code(path: &Path) -> Connection {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let db = Connection::open(path).unwrap();
    db.pragma_update(None, "journal_mode", "wal").unwrap();
    db.execute_batch(
        "create table project (id text primary key, worktree text);
         create table session (id text primary key, project_id text, parent_id text, title text, directory text, time_created integer, time_updated integer);
         create table message (id text primary key, session_id text, time_created integer, time_updated integer, data text);
         create table part (id text primary key, message_id text, session_id text, time_created integer, time_updated integer, data text);
         create index part_session on part (session_id);",
    )
    .unwrap();
    db
}

fn session(db: &Connection, id: &str, parent: Option<&str>) {
    let sql = "insert into session values (?1, 'p', ?2, ?3, '/srv/shop', 1770000000000, 1770000000000)";
    db.execute(sql, params![id, parent, format!("title of {id}")]).unwrap();
}

fn message(db: &Connection, session: &str, id: &str, at: i64, data: &str) {
    let sql = "insert into message values (?1, ?2, ?3, ?3, ?4)";
    db.execute(sql, params![id, session, 1_770_000_000_000 + at, data]).unwrap();
}

fn part(db: &Connection, session: &str, message: &str, id: &str, data: &str) {
    let sql = "insert into part values (?1, ?2, ?3, 1770000000000, 1770000000000, ?4)";
    db.execute(sql, params![id, message, session, data]).unwrap();
}

const RUNNING: &str =
    r#"{"type":"tool","tool":"bash","callID":"c1","state":{"status":"running","input":{"command":"make deploy"}}}"#;
const DONE: &str = r#"{"type":"tool","tool":"bash","callID":"c1","state":{"status":"completed","input":{"command":"make deploy"},"output":"no","metadata":{"exit":2}}}"#;

#[test]
fn an_open_database_is_read_and_only_what_changed_is_read_again() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("opencode.db");
    // The writer stays open: all this lies in the log.
    let db = open_code(&path);
    session(&db, "s1", None);
    session(&db, "s2", Some("s1"));
    message(&db, "s1", "m2", 2, r#"{"role":"assistant","path":{"cwd":"/srv/shop"}}"#);
    message(&db, "s1", "m1", 1, r#"{"role":"user"}"#);
    part(&db, "s1", "m1", "p1", r#"{"type":"text","text":"deploy it"}"#);
    part(&db, "s1", "m2", "p2", RUNNING);
    part(&db, "s1", "m2", "p3", r#"{"type":"text","te"#);
    part(&db, "s1", "gone", "p4", r#"{"type":"text","text":"orphan"}"#);
    message(&db, "s2", "m3", 3, r#"{"role":"user"}"#);
    let before = files(dir.path());
    let (batch, state) = gather(transcripts::opencode, &path, &DbState::default());
    assert_eq!(batch.counts, Counts { lines: 7, messages: 3, tool_calls: 1, unknown: 0 });
    assert_eq!(batch.issues.len(), 1);
    let messages: Vec<_> = batch.entries.iter().filter(|e| e.message.is_some()).map(|e| e.id.as_str()).collect();
    assert_eq!(messages, ["m1", "m2", "m3"]);
    let child = batch.entries.iter().find(|e| e.id == "s2").unwrap().about.as_ref().unwrap();
    assert_eq!((child.parent.as_deref(), child.cwd.as_deref()), (Some("s1"), Some("/srv/shop")));
    assert!(batch.entries.iter().any(|e| e.notes.iter().any(|note| note.text == "orphan")));
    assert_eq!(files(dir.path()), before, "looking left something behind");

    let (again, state) = gather(transcripts::opencode, &path, &state);
    assert_eq!(again, Batch::default());
    // The row changes in place, and another session is deleted.
    db.execute("update part set data = ?1, time_updated = time_updated + 5 where id = 'p2'", [DONE]).unwrap();
    db.execute_batch("delete from session where id = 's2'; delete from message where session_id = 's2'").unwrap();
    let (changed, state) = gather(transcripts::opencode, &path, &state);
    let result = changed.entries.iter().find_map(|e| e.calls.first()?.result.clone()).unwrap();
    assert_eq!((result.status, result.exit_code), (CallStatus::Error, Some(2)));
    assert!(changed.entries.iter().all(|e| e.session == "s1") && !state.sessions.contains_key("s2"));
}

fn files(folder: &Path) -> Vec<String> {
    let mut all: Vec<_> =
        fs::read_dir(folder).unwrap().map(|e| e.unwrap().file_name().to_string_lossy().into_owned()).collect();
    all.sort();
    all
}

#[test]
fn a_copied_database_with_its_log_is_whole_and_stays_untouched() {
    let dir = tempfile::tempdir().unwrap();
    let live = dir.path().join("live/opencode.db");
    let db = open_code(&live);
    session(&db, "s1", None);
    message(&db, "s1", "m1", 1, r#"{"role":"user"}"#);
    let copy = dir.path().join("copy/opencode.db");
    fs::create_dir_all(copy.parent().unwrap()).unwrap();
    for suffix in ["", "-wal"] {
        fs::copy(format!("{}{suffix}", live.display()), format!("{}{suffix}", copy.display())).unwrap();
    }
    let bytes = |path: &Path| (fs::read(path).unwrap(), fs::read(format!("{}-wal", path.display())).unwrap());
    let before = (files(copy.parent().unwrap()), bytes(&copy));
    let (batch, _) = gather(transcripts::opencode, &copy, &DbState::default());
    assert_eq!(batch.counts.messages, 1);
    assert_eq!((files(copy.parent().unwrap()), bytes(&copy)), before);
    // Closed, so that no log is left: nothing new lies beside it either.
    drop(db);
    // As if it had just been written, however slow the machine is.
    let soon = SystemTime::now() + Duration::from_secs(3_600);
    fs::File::options().write(true).open(&live).unwrap().set_modified(soon).unwrap();
    let before = files(live.parent().unwrap());
    let (batch, state) = gather(transcripts::opencode, &live, &DbState::default());
    assert_eq!((batch.counts.messages, files(live.parent().unwrap())), (1, before));
    assert!(state.stamp.is_empty(), "a file just written may be written again within one tick");
    age(&live, 1);
    let (_, state) = gather(transcripts::opencode, &live, &state);
    assert!(!state.stamp.is_empty());
    let foreign = dir.path().join("other.db");
    Connection::open(&foreign).unwrap().execute_batch("create table t (a)").unwrap();
    let failed = transcripts::opencode(&foreign, &DbState::default(), &mut |_| {});
    assert!(matches!(failed, Err(CollectError::Foreign { .. })));
    let text = put(dir.path(), "text.db", b"no database, but some words that are long enough");
    let failed = transcripts::cursor(&text, &DbState::default(), &mut |_| {});
    assert!(matches!(failed, Err(CollectError::Unreadable { .. })));
}

#[test]
fn the_older_tree_gives_the_same_entries() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path();
    put(root, "storage/session/p/s1.json", br#"{"id":"s1","title":"T","directory":"/srv","parentID":"s0"}"#);
    put(
        root,
        "storage/message/s1/m1.json",
        br#"{"id":"m1","sessionID":"s1","role":"assistant","time":{"created":1770000000000}}"#,
    );
    let call = put(root, "storage/part/m1/p1.json", RUNNING.as_bytes());
    put(root, "storage/message/s2/m9.json", b"{broken");
    let storage = root.join("storage");
    let (batch, state) = gather(transcripts::opencode_tree, &storage, &DbState::default());
    assert_eq!(batch.counts, Counts { lines: 3, messages: 2, tool_calls: 1, unknown: 0 });
    assert_eq!((batch.issues.len(), batch.entries[0].about.as_ref().unwrap().title.as_deref()), (1, Some("T")));
    let (again, state) = gather(transcripts::opencode_tree, &storage, &state);
    assert_eq!(again, Batch::default());
    fs::write(call, DONE).unwrap();
    fs::write(root.join("storage/session/p/s1.json"), "{broken").unwrap();
    let (changed, _) = gather(transcripts::opencode_tree, &storage, &state);
    assert_eq!((changed.counts.messages, changed.issues.len()), (1, 1));
}

#[test]
fn composers_of_cursor_are_read_in_the_order_of_their_list() {
    let dir = tempfile::tempdir().unwrap();
    let user = dir.path().join(".config/Cursor/User");
    let global = user.join("globalStorage/state.vscdb");
    fs::create_dir_all(global.parent().unwrap()).unwrap();
    let db = Connection::open(&global).unwrap();
    db.pragma_update(None, "journal_mode", "wal").unwrap();
    db.execute_batch("create table ItemTable (key text unique on conflict replace, value blob); create table cursorDiskKV (key text unique on conflict replace, value blob)").unwrap();
    let set = |key: &str, value: &str| {
        db.execute("insert into cursorDiskKV values (?1, ?2)", params![key, value.as_bytes()]).unwrap();
    };
    let head = |updated: u64| {
        format!(
            r#"{{"composerId":"c1","name":"Fix","lastUpdatedAt":{updated},"fullConversationHeadersOnly":[{{"bubbleId":"b2","type":1}},{{"bubbleId":"b1","type":2}}]}}"#
        )
    };
    set("composerData:c1", &head(1));
    set("bubbleId:c1:b1", r#"{"type":2,"text":"done"}"#);
    set("bubbleId:c1:b2", r#"{"type":1,"text":"fix it"}"#);
    set("bubbleId:c1:b0", r#"{"type":1,"text":"taken back"}"#);
    set("bubbleId:c10:b1", r#"{"type":1,"text":"another"}"#);
    set("composerData:c2", r#"{"composerId":"c2","conversation":[{"type":1,"bubbleId":"x","text":"old"}]}"#);
    set("composerData:c3", "{broken");
    set("checkpointId:c1:z", "not read");
    let (batch, state) = gather(transcripts::cursor, &global, &DbState::default());
    let said: Vec<_> =
        batch.entries.iter().filter_map(|e| Some((e.session.as_str(), e.message.as_ref()?.text.as_str()))).collect();
    assert_eq!(said, [("c1", "fix it"), ("c1", "done"), ("c1", "taken back"), ("c10", "another"), ("c2", "old")]);
    assert_eq!((batch.counts.lines, batch.counts.messages, batch.issues.len()), (5, 5, 1));
    set("composerData:c1", &head(2));
    set("bubbleId:c1:b1", r#"{"type":2,"text":"done, really"}"#);
    let (changed, state) = gather(transcripts::cursor, &global, &state);
    assert_eq!((changed.counts.messages, state.sessions.len()), (3, 4));

    let local = user.join("workspaceStorage/ab12/state.vscdb");
    fs::create_dir_all(local.parent().unwrap()).unwrap();
    let db = Connection::open(&local).unwrap();
    db.execute_batch("create table ItemTable (key text unique on conflict replace, value blob)").unwrap();
    let list = r#"{"allComposers":[{"composerId":"c1"}]}"#;
    db.execute("insert into ItemTable values ('composer.composerData', ?1)", [list]).unwrap();
    put(&user, "workspaceStorage/ab12/workspace.json", br#"{"folder":"file:///srv/my%20shop"}"#);
    let (batch, _) = gather(transcripts::cursor, &local, &DbState::default());
    let about = batch.entries[0].about.as_ref().unwrap();
    assert_eq!((batch.entries[0].session.as_str(), about.cwd.as_deref()), ("c1", Some("/srv/my shop")));
    let found = transcripts::find(dir.path(), &BTreeMap::new(), &[]);
    assert!(found.len() == 2 && found.iter().all(|one| one.form == Form::CursorDatabase));
}

fn names(found: &[Found]) -> Vec<(&str, &str, Form)> {
    found.iter().map(|one| (one.agent, one.name.as_str(), one.form)).collect()
}

const LINE: &[u8] = b"{\"type\":\"user\",\"sessionId\":\"s\",\"message\":{\"content\":\"hi\"}}\n";

#[test]
fn each_agent_keeps_its_transcripts_in_its_own_place() {
    let dir = tempfile::tempdir().unwrap();
    let home = dir.path().join("home");
    let shop = dir.path().join("shop");
    fs::create_dir_all(shop.join(".git")).unwrap();
    put(&shop, ".aider.chat.history.md", b"# aider chat started at 2026-06-09 14:01:00\n");
    fs::create_dir_all(shop.join("api")).unwrap();
    let line = format!("{{\"type\":\"user\",\"cwd\":\"{}\",\"message\":{{}}}}\n", shop.join("api").display());
    let expected = [
        ("claude", "claude-home/projects/-shop/a.jsonl"),
        ("claude", "claude-home/projects/-shop/a/subagents/agent-1.jsonl"),
        ("claude", "claude-home/projects/-shop/a/subagents/agent-1.meta.json"),
        ("codex", "home/.codex/sessions/2026/02/01/rollout-1.jsonl"),
        ("codex", "home/.codex/archived_sessions/rollout-0.jsonl.zst"),
        ("gemini", "home/.gemini/tmp/ab12/chats/session-1.json"),
        ("opencode", "data/opencode/opencode.db"),
        ("cursor", "home/.cursor/projects/shop/agent-transcripts/x/x.jsonl"),
        ("copilot", "home/.copilot/session-state/y/events.jsonl"),
        ("copilot", "home/.copilot/session-state/z.jsonl"),
        ("cursor", "home/Library/Application Support/Cursor/User/globalStorage/state.vscdb"),
    ];
    for (index, (_, path)) in expected.iter().enumerate() {
        // The last one is the oldest.
        age(&put(dir.path(), path, line.as_bytes()), 2 + index as u64);
    }
    for other in [
        "home/.claude/projects/-x/not-there.jsonl",
        "home/.codex/sessions/2026/02/01/rollout-1.jsonl.zst",
        "home/.codex/history.jsonl",
        "home/.gemini/tmp/ab12/logs.json",
        "home/.copilot/session-state/y/notes.jsonl",
        "home/.cursor/projects/shop/terminal.txt",
    ] {
        put(dir.path(), other, line.as_bytes());
    }
    let at = |name: &str| dir.path().join(name).display().to_string();
    let env =
        BTreeMap::from([("CLAUDE_CONFIG_DIR".to_owned(), at("claude-home")), ("XDG_DATA_HOME".to_owned(), at("data"))]);
    let found = transcripts::find(&home, &env, &[]);
    let paths: Vec<_> = found.iter().map(|one| (one.agent, one.path.clone())).collect();
    let wanted: Vec<_> = expected.iter().rev().map(|(agent, path)| (*agent, dir.path().join(path))).collect();
    assert_eq!(paths, wanted);
    // Aider writes into the repository in which it is started.
    let folders = transcripts::folders_named(&found);
    assert_eq!(folders, [shop.join("api")]);
    assert_eq!(names(&transcripts::aider_in(&folders)), [("aider", ".aider.chat.history.md", Form::File)]);
    assert_eq!(transcripts::find(&home, &env, &folders).len(), expected.len() + 1);
    assert!(transcripts::find(&dir.path().join("nobody"), &BTreeMap::new(), &[]).is_empty());
}

#[test]
fn every_file_of_a_folder_is_a_source_or_skipped_with_a_reason() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("given");
    put(&root, "a/renamed.log", LINE);
    put(&root, "agent-1.meta.json", br#"{"agentType":"deploy"}"#);
    put(&root, "cold.jsonl.zst", &zstd::encode_all(LINE, 0).unwrap());
    put(&root, "both.jsonl", LINE);
    put(&root, "both.jsonl.zst", &zstd::encode_all(LINE, 0).unwrap());
    put(&root, "photo.jsonl", &[0x89, b'P', b'N', b'G', 0, 0, 1]);
    put(&root, "crash.jsonl", &[LINE, &[0; 64]].concat());
    let long = format!("{{\"type\":\"user\",\"message\":{{\"content\":\"{}\"}}}}\n", "x".repeat(200_000));
    put(&root, "long.data", long.as_bytes());
    let db = open_code(&root.join("oc/renamed.sqlite"));
    session(&db, "s1", None);
    put(&root, "tree/storage/session/p/s1.json", br#"{"id":"s1"}"#);
    put(&root, "tree/storage/message/s1/m1.json", br#"{"role":"user"}"#);
    put(&root, "tree/storage/part/m1/p1.json", br#"{"type":"text"}"#);
    std::os::unix::fs::symlink(root.join("both.jsonl"), root.join("link.jsonl")).unwrap();
    let mut found = transcripts::find_under(&root, &|_| false);
    found.sort_by(|a, b| a.name.cmp(&b.name));
    let beside = Form::Skipped("a part of the database beside it");
    let expected = [
        ("claude", "a/renamed.log", Form::File),
        ("claude", "agent-1.meta.json", Form::File),
        ("claude", "both.jsonl", Form::File),
        ("", "both.jsonl.zst", Form::Skipped("the plain file beside it is read")),
        ("claude", "cold.jsonl.zst", Form::Compressed),
        ("claude", "crash.jsonl", Form::File),
        ("", "link.jsonl", Form::Skipped("a symbolic link")),
        ("claude", "long.data", Form::File),
        ("opencode", "oc/renamed.sqlite", Form::OpenCodeDatabase),
        ("", "oc/renamed.sqlite-shm", beside),
        ("", "oc/renamed.sqlite-wal", beside),
        ("", "photo.jsonl", Form::Skipped("binary")),
        ("opencode", "tree/storage", Form::OpenCodeTree),
    ];
    assert_eq!(names(&found), expected);
    let one = transcripts::find_under(&root.join("both.jsonl"), &|_| false);
    assert_eq!(names(&one), [("claude", "both.jsonl", Form::File)]);
    // A copy made by resuming comes after its original, whatever its name.
    age(&root.join("both.jsonl"), 3);
    assert_eq!(transcripts::find_under(&root, &|_| false)[0].name, "both.jsonl");
}

#[test]
fn transcripts_that_are_deleted_soon_are_named() {
    let dir = tempfile::tempdir().unwrap();
    let none = BTreeMap::new();
    assert!(transcripts::retention(dir.path(), &none).is_empty());
    for (name, days) in [("old", 26), ("new", 1), ("middle", 20)] {
        age(&put(dir.path(), &format!(".claude/projects/-a/{name}.jsonl"), LINE), days);
    }
    let due = |days: u64| {
        let found = transcripts::retention(dir.path(), &none).remove(0);
        let due: Vec<String> = found.due(jiff::Timestamp::now(), days).iter().map(|f| f.name.clone()).collect();
        (found.days, due)
    };
    assert_eq!(due(7), (30, vec!["-a/old.jsonl".to_owned()]));
    assert_eq!(due(1).1.len(), 0);
    put(dir.path(), ".claude/settings.json", br#"{"cleanupPeriodDays": 22}"#);
    assert_eq!(due(7), (22, vec!["-a/old.jsonl".to_owned(), "-a/middle.jsonl".to_owned()]));
}
