//! Every kind of change to the files of a store, and what `verify` says of it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test panics where it fails"
)]

mod common;

use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use common::{at, evidence, sized};
use coroner_model::incident::Incident;
use coroner_store::{CustodyProblem, Store, custody};
use rusqlite::Connection;

/// A store of twelve records in four batches, closed.
struct Closed {
    folder: tempfile::TempDir,
}

impl Closed {
    fn new() -> Closed {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        for batch in 0..4 {
            let items: Vec<_> = (0..3).map(|n| evidence(batch * 3 + n)).collect();
            store.append(&items, at(batch as i64)).unwrap();
        }
        Closed { folder }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn sql(&self, sql: &str) {
        let connection = Connection::open(self.file("coroner.db")).unwrap();
        connection.execute_batch(sql).unwrap();
    }

    fn problems(&self) -> Vec<CustodyProblem> {
        custody::verify(self.folder.path()).unwrap().problems
    }

    /// What is said of the one record that is named.
    fn only(&self, record: u64) -> String {
        let problems = self.problems();
        let named: Vec<_> = problems.iter().filter_map(|p| p.record).collect();
        assert!(!named.is_empty() && named.iter().all(|r| *r == record), "{problems:?}");
        problems.into_iter().map(|p| p.reason).collect::<Vec<_>>().join("; ")
    }

    fn named(&self) -> Vec<u64> {
        self.problems().iter().filter_map(|p| p.record).collect()
    }
}

/// Moves every record from `from` on by one place up or down, as somebody would who hides a change.
fn shift(from: u64, by: i64) -> String {
    format!("UPDATE record SET seq = -(seq + {by}) WHERE seq >= {from}; UPDATE record SET seq = -seq WHERE seq < 0;")
}

fn swap(one: u64, other: u64) -> String {
    format!(
        "UPDATE record SET seq = -1 WHERE seq = {one}; UPDATE record SET seq = {one} WHERE seq = {other}; \
         UPDATE record SET seq = {other} WHERE seq = -1;"
    )
}

const COPY: &str = "kind, id, recorded_at, source, locator, observed_at, host, salt, body, body_hash, prev, chain";

#[test]
fn an_untouched_store_has_no_problem() {
    let store = Closed::new();
    assert_eq!(store.problems(), []);
    let report = custody::verify(store.folder.path()).unwrap();
    assert_eq!((report.records, report.evidence, report.removed), (12, 12, 0));
}

#[test]
fn any_changed_column_names_its_record() {
    for (column, value) in [
        ("kind", "'incident'"),
        ("id", "'ffffffffffff'"),
        ("recorded_at", "'2020-01-01T00:00:00Z'"),
        ("source", "'git'"),
        ("locator", "'docker/logs/other.log:1'"),
        ("observed_at", "''"),
        ("host", "'elsewhere'"),
        ("salt", "x'00'"),
        ("body", "CAST(replace(CAST(body AS TEXT), 'done', 'gone') AS BLOB)"),
        ("body_hash", "x'00'"),
        ("prev", "x'00'"),
        ("chain", "x'00'"),
    ] {
        for record in [1, 5, 6, 12] {
            let store = Closed::new();
            store.sql(&format!("UPDATE record SET {column} = {value} WHERE seq = {record}"));
            let said = store.only(record);
            assert!(said.contains("changed"), "{column} of {record}: {said}");
        }
    }
}

#[test]
fn a_changed_content_with_a_matching_hash_names_its_record() {
    let store = Closed::new();
    // Whoever knows the format can make body and hash agree; the chain still does not.
    store.sql("UPDATE record SET salt = (SELECT salt FROM record WHERE seq = 2), body = (SELECT body FROM record WHERE seq = 2), body_hash = (SELECT body_hash FROM record WHERE seq = 2) WHERE seq = 8");
    assert!(store.only(8).contains("changed"));
}

#[test]
fn a_removed_record_is_named() {
    for record in [1, 5, 6] {
        let store = Closed::new();
        store.sql(&format!("DELETE FROM record WHERE seq = {record}"));
        assert_eq!(store.only(record), format!("record {record} was removed"));
    }
    let store = Closed::new();
    store.sql("DELETE FROM record WHERE seq BETWEEN 4 AND 7");
    assert_eq!(store.only(4), "records 4 to 7 were removed");
}

#[test]
fn a_removed_record_is_named_where_the_others_moved_up() {
    for record in [1, 5, 6] {
        let store = Closed::new();
        store.sql(&format!("DELETE FROM record WHERE seq = {record}; {}", shift(record, -1)));
        let problems = store.problems();
        let said = |r: u64, words: &str| problems.iter().any(|p| p.record == Some(r) && p.reason.contains(words));
        assert!(said(record, "removed"), "{problems:?}");
        assert!(said(12, "cut off"), "{problems:?}");
    }
}

#[test]
fn swapped_records_are_named_and_no_others() {
    for (one, other) in [(3, 5), (5, 6), (1, 2), (11, 12), (1, 12)] {
        let store = Closed::new();
        store.sql(&swap(one, other));
        assert_eq!(store.named(), [one, other], "{:?}", store.problems());
        assert!(store.problems().iter().all(|p| p.reason.contains("swapped")), "{:?}", store.problems());
    }
}

#[test]
fn swapped_contents_are_named() {
    let store = Closed::new();
    store.sql(
        "CREATE TEMP TABLE held AS SELECT * FROM record WHERE seq IN (4, 9);
         UPDATE record SET (id, salt, body, body_hash) = (SELECT id, salt, body, body_hash FROM held WHERE held.seq = 13 - record.seq) WHERE seq IN (4, 9)",
    );
    assert_eq!(store.named(), [4, 9]);
}

#[test]
fn an_inserted_record_is_named() {
    // A copy of an earlier record, and one that fits the record before it, between others that moved down.
    for (copied, place) in [(2, 7), (6, 7)] {
        let store = Closed::new();
        store.sql(&format!(
            "{} INSERT INTO record (seq, {COPY}) SELECT {place}, {COPY} FROM record WHERE seq = {copied}",
            shift(place, 1)
        ));
        let problems = store.problems();
        assert!(problems.iter().any(|p| p.record == Some(place) && p.reason.contains("inserted")), "{problems:?}");
    }
}

#[test]
fn a_record_added_at_the_end_is_named() {
    let store = Closed::new();
    store.sql(&format!("INSERT INTO record (seq, {COPY}) SELECT 13, {COPY} FROM record WHERE seq = 12"));
    let problems = store.problems();
    assert!(problems.iter().any(|p| p.record == Some(13) && p.reason.contains("inserted")), "{problems:?}");
}

#[test]
fn a_cut_off_end_is_named() {
    let store = Closed::new();
    store.sql("DELETE FROM record WHERE seq > 9; DELETE FROM checkpoint WHERE count > 9");
    assert_eq!(store.only(10), "records 10 to 12 were cut off");
    let store = Closed::new();
    store.sql("DELETE FROM record WHERE seq > 11");
    assert_eq!(store.only(12), "record 12 was cut off");
    let store = Closed::new();
    store.sql("DELETE FROM record; DELETE FROM checkpoint");
    assert_eq!(store.only(1), "records 1 to 12 were cut off");
}

#[test]
fn an_older_copy_of_the_database_is_named() {
    let store = Closed::new();
    let copy = std::fs::read(store.file("coroner.db")).unwrap();
    let open = Store::open(store.folder.path()).unwrap();
    open.append(&[evidence(50)], at(9)).unwrap();
    drop(open);
    std::fs::write(store.file("coroner.db"), copy).unwrap();
    assert_eq!(store.only(13), "record 13 was cut off");
}

#[test]
fn what_is_recorded_next_does_not_cover_up_a_cut() {
    let store = Closed::new();
    store.sql("DELETE FROM record WHERE seq > 9; DELETE FROM checkpoint WHERE count > 9");
    let open = Store::open(store.folder.path()).unwrap();
    open.append(&[evidence(50)], at(9)).unwrap();
    open.append(&[evidence(51)], at(10)).unwrap();
    drop(open);
    assert!(store.only(10).contains("records 10 to 12 were cut off"));
}

#[test]
fn what_is_recorded_next_does_not_vouch_for_an_inserted_record() {
    let store = Closed::new();
    store.sql(&format!("INSERT INTO record (seq, {COPY}) SELECT 13, {COPY} FROM record WHERE seq = 12"));
    let open = Store::open(store.folder.path()).unwrap();
    open.append(&[evidence(50)], at(9)).unwrap();
    drop(open);
    assert!(store.named().contains(&14), "{:?}", store.problems());
}

#[test]
fn a_chain_computed_anew_without_the_key_is_named() {
    let store = Closed::new();
    recompute_after(&store.file("coroner.db"), 5);
    let problems = store.problems();
    assert!(problems.iter().any(|p| p.record == Some(4) && p.reason.contains("records 4 to 6")), "{problems:?}");
    // Without the checkpoints that give it away, nothing is signed.
    let store = Closed::new();
    recompute_after(&store.file("coroner.db"), 5);
    store.sql("DELETE FROM checkpoint");
    assert!(store.problems().iter().any(|p| p.reason.contains("carry no signature")));
}

/// Changes a record and computes the chain from there to the end, as the format says.
fn recompute_after(database: &Path, record: i64) {
    let connection = Connection::open(database).unwrap();
    connection.execute("UPDATE record SET host = 'elsewhere' WHERE seq = ?1", [record]).unwrap();
    for seq in record..=12 {
        let prev: Vec<u8> =
            connection.query_row("SELECT chain FROM record WHERE seq = ?1", [seq - 1], |r| r.get(0)).unwrap();
        let mut hasher = blake3::Hasher::new();
        hasher.update(&prev).update(b"coroner/record/v1");
        for column in ["kind", "id", "recorded_at", "source", "locator", "observed_at", "host", "body_hash"] {
            let sql = format!("SELECT CAST({column} AS BLOB) FROM record WHERE seq = ?1");
            let field: Vec<u8> = connection.query_row(&sql, [seq], |r| r.get(0)).unwrap();
            hasher.update(&(field.len() as u64).to_le_bytes()).update(&field);
        }
        let chain = hasher.finalize();
        connection
            .execute(
                "UPDATE record SET prev = ?2, chain = ?3 WHERE seq = ?1",
                rusqlite::params![seq, prev, chain.as_bytes()],
            )
            .unwrap();
    }
}

#[test]
fn changed_checkpoints_are_named() {
    for change in ["number = 77", "signature = zeroblob(64)", "chain = zeroblob(32)", "at = '2020'", "count = 8"] {
        let store = Closed::new();
        store.sql(&format!("UPDATE checkpoint SET {change} WHERE count = 9"));
        assert!(store.problems().iter().any(|p| p.reason.contains("checkpoint")), "{change}: {:?}", store.problems());
    }
}

#[test]
fn the_head_file_is_guarded_byte_by_byte() {
    let store = Closed::new();
    let head = std::fs::read(store.file("head.json")).unwrap();
    for at in 0..head.len() {
        let mut changed = head.clone();
        changed[at] ^= 1;
        std::fs::write(store.file("head.json"), changed).unwrap();
        assert!(store.problems().iter().any(|p| p.reason.contains("head file")), "byte {at}");
    }
    std::fs::remove_file(store.file("head.json")).unwrap();
    assert_eq!(store.problems()[0].reason, "the head file is missing");
    std::fs::write(store.file("head.json"), head).unwrap();
    assert_eq!(store.problems(), []);
}

#[test]
fn a_missing_head_is_not_made_good_by_recording_on() {
    let store = Closed::new();
    std::fs::remove_file(store.file("head.json")).unwrap();
    let open = Store::open(store.folder.path()).unwrap();
    open.append(&[evidence(50)], at(9)).unwrap();
    drop(open);
    assert!(store.only(13).contains("head file is missing"));
}

#[test]
fn a_head_that_lags_is_in_order() {
    // As after a kill between commit and head.
    let store = Closed::new();
    let head = std::fs::read(store.file("head.json")).unwrap();
    let open = Store::open(store.folder.path()).unwrap();
    open.append(&[evidence(50)], at(9)).unwrap();
    drop(open);
    std::fs::write(store.file("head.json"), head).unwrap();
    assert_eq!(store.problems(), []);
    let open = Store::open(store.folder.path()).unwrap();
    open.append(&[evidence(51)], at(9)).unwrap();
    drop(open);
    assert_eq!(store.problems(), []);
}

#[test]
fn a_lost_or_foreign_key_is_named_and_nothing_is_recorded_without_it() {
    let store = Closed::new();
    let key = std::fs::read(store.file("signing.key")).unwrap();
    std::fs::remove_file(store.file("signing.key")).unwrap();
    let problems = store.problems();
    assert!(problems.len() == 1 && problems[0].reason.contains("key is missing"), "{problems:?}");
    let open = Store::open(store.folder.path()).unwrap();
    let error = open.append(&[evidence(50)], at(9)).unwrap_err();
    assert!(error.to_string().contains("signing key is missing"), "{error}");
    assert_eq!(open.evidence_count().unwrap(), 12);
    drop(open);
    std::fs::write(store.file("signing.key"), [3; 32]).unwrap();
    assert!(store.problems().iter().any(|p| p.reason.contains("not the one")));
    std::fs::write(store.file("signing.key"), key).unwrap();
    assert_eq!(store.problems(), []);
}

#[test]
fn tables_triggers_and_views_that_do_not_belong_are_named() {
    for sql in [
        "CREATE TRIGGER t AFTER INSERT ON record BEGIN DELETE FROM record WHERE seq = 1; END",
        "CREATE VIEW v AS SELECT 1",
        "DROP INDEX record_by_id",
    ] {
        let store = Closed::new();
        store.sql(sql);
        assert!(store.problems().iter().any(|p| p.reason.contains("structure")), "{sql}");
    }
}

#[test]
fn content_taken_out_without_a_tombstone_is_named() {
    let store = Closed::new();
    store.sql("UPDATE record SET body = NULL, salt = NULL WHERE seq = 5");
    assert!(store.only(5).contains("no tombstone"));
}

#[test]
fn content_put_back_after_a_redaction_is_named() {
    let store = Closed::new();
    let held: (Vec<u8>, Vec<u8>) = Connection::open(store.file("coroner.db"))
        .unwrap()
        .query_row("SELECT salt, body FROM record WHERE seq = 5", [], |r| Ok((r.get(0)?, r.get(1)?)))
        .unwrap();
    let open = Store::open(store.folder.path()).unwrap();
    open.redact(&evidence(4).id, "a secret", at(9)).unwrap();
    drop(open);
    assert_eq!(store.problems(), []);
    Connection::open(store.file("coroner.db"))
        .unwrap()
        .execute("UPDATE record SET salt = ?1, body = ?2 WHERE seq = 5", rusqlite::params![held.0, held.1])
        .unwrap();
    assert!(store.only(5).contains("there again"));
}

#[test]
fn a_forged_tombstone_is_named() {
    let store = Closed::new();
    let open = Store::open(store.folder.path()).unwrap();
    open.redact(&evidence(4).id, "a secret", at(9)).unwrap();
    drop(open);
    // The range of the tombstone is widened to hide that another content went.
    store.sql(
        "UPDATE record SET body = CAST(replace(CAST(body AS TEXT), '[[5,5]]', '[[5,6]]') AS BLOB) WHERE kind = 'tombstone';
         UPDATE record SET body = NULL, salt = NULL WHERE seq = 6",
    );
    assert!(store.named().contains(&13), "{:?}", store.problems());
}

#[test]
fn changed_incidents_and_investigations_are_named_too() {
    let store = Closed::new();
    let open = Store::open(store.folder.path()).unwrap();
    open.put_incident(&Incident { id: "2026-01-01-a".into(), title: "Before".into(), ..Default::default() }, at(9))
        .unwrap();
    open.put_investigation(&"1a2b3c4d".into(), "{\"a\":1}", &[], at(9)).unwrap();
    drop(open);
    store.sql("UPDATE record SET body = CAST(replace(CAST(body AS TEXT), 'Before', 'Behind') AS BLOB) WHERE kind = 'incident'");
    store.sql("DELETE FROM record WHERE kind = 'investigation'; DELETE FROM checkpoint WHERE count = 14");
    assert_eq!(store.named(), [13, 14]);
}

/// Every byte of every record's cells, changed one at a time in the file itself.
#[test]
fn a_changed_byte_of_the_file_is_named_wherever_evidence_lies() {
    let store = Closed::new();
    let path = store.file("coroner.db");
    let clean = std::fs::read(&path).unwrap();
    let needle = evidence(4).content.as_str().as_bytes().to_vec();
    let content = find(&clean, &needle).expect("the content lies in the file");
    let id = find(&clean, evidence(4).id.as_str().as_bytes()).unwrap();
    let file = std::fs::OpenOptions::new().write(true).open(&path).unwrap();
    for at in (content - 40..content + needle.len() + 120).chain(id - 24..id + 12) {
        let at = at as u64;
        file.write_at(&[clean[at as usize] ^ 0x04], at).unwrap();
        assert!(!store.problems().is_empty(), "byte {at}");
        file.write_at(&[clean[at as usize]], at).unwrap();
    }
    assert_eq!(store.problems(), []);
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|w| w == needle)
}

#[test]
fn a_damaged_file_is_a_problem_and_not_a_failure() {
    let store = Closed::new();
    let clean = std::fs::read(store.file("coroner.db")).unwrap();
    for (from, to) in [(0, 16), (0, 4096), (4096, 12_288), (100, 200), (16, 100)] {
        let mut bytes = clean.clone();
        bytes[from..to].fill(0x5a);
        std::fs::write(store.file("coroner.db"), bytes).unwrap();
        assert!(!store.problems().is_empty(), "{from}..{to}");
    }
    for length in [0, 100, 4096, clean.len() / 2] {
        std::fs::write(store.file("coroner.db"), &clean[..length]).unwrap();
        assert!(!store.problems().is_empty(), "cut to {length}");
    }
    std::fs::remove_file(store.file("coroner.db")).unwrap();
    assert!(store.problems()[0].reason.contains("missing"));
}

#[test]
fn a_large_store_verifies_over_many_pages() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    let items: Vec<_> = (0..200).map(|n| sized(n, 9000)).collect();
    store.append(&items, at(1)).unwrap();
    drop(store);
    assert_eq!(custody::verify(folder.path()).unwrap().problems, []);
    let path = folder.path().join("coroner.db");
    let clean = std::fs::read(&path).unwrap();
    let file = std::fs::OpenOptions::new().write(true).open(&path).unwrap();
    for at in (0..clean.len()).step_by(clean.len() / 23).skip(1) {
        file.write_at(&[!clean[at]], at as u64).unwrap();
        let is_named = !custody::verify(folder.path()).unwrap().problems.is_empty();
        // A few bytes of a page hold nothing; all that hold something are guarded.
        assert!(is_named || clean[at] == 0, "byte {at} of {}", clean.len());
        file.write_at(&[clean[at]], at as u64).unwrap();
    }
}
