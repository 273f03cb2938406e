//! What a store promises, whatever keeps the bytes.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test panics where it fails"
)]

mod common;

use std::os::unix::fs::PermissionsExt;

use common::{at, evidence, open, secretless};
use coroner_model::incident::{Incident, IncidentStatus, PatternDraft, Problem, ProblemKind};
use coroner_model::{EvidenceId, IncidentId, InvestigationId, Source};
use coroner_store::{Content, EvidenceFilter, Kept, Limits, Removal, Store, StoreError};

#[test]
fn evidence_is_kept_once_and_found_again() {
    let (folder, store) = open();
    let items: Vec<_> = (0..5).map(evidence).collect();
    let first = store.append(&items, at(1)).unwrap();
    assert_eq!((first.added, first.known), (5, 0));
    let again = store.append(&items, at(2)).unwrap();
    assert_eq!((again.added, again.known), (0, 5));
    drop(store);

    let store = Store::open(folder.path()).unwrap();
    let kept = store.evidence(&items[3].id).unwrap().unwrap();
    assert_eq!(kept.evidence().unwrap(), items[3]);
    assert_eq!(kept.record, 4);
    assert_eq!(kept.recorded_at, Some(at(1)));
    assert!(store.evidence(&EvidenceId::from("000000000000")).unwrap().is_none());
    assert_eq!(store.evidence_count().unwrap(), 5);
    let report = store.verify().unwrap();
    assert_eq!((report.records, report.problems), (5, vec![]));
}

#[test]
fn the_same_evidence_twice_in_one_call_is_kept_once() {
    let (_folder, store) = open();
    let appended = store.append(&[evidence(1), evidence(1)], at(1)).unwrap();
    assert_eq!((appended.added, appended.known), (1, 1));
}

#[test]
fn a_filter_narrows_by_source_time_and_count() {
    let (_folder, store) = open();
    let items: Vec<_> = (0..10).map(evidence).collect();
    store.append(&items, at(100)).unwrap();
    let list = |filter: EvidenceFilter| -> Vec<u64> {
        store.list_evidence(&filter).unwrap().iter().map(|e| e.record).collect()
    };
    assert_eq!(list(EvidenceFilter::default()), (1..=10).collect::<Vec<_>>());
    assert_eq!(list(EvidenceFilter { limit: Some(2), ..Default::default() }), [9, 10]);
    assert_eq!(list(EvidenceFilter { sources: vec![Source::Git], ..Default::default() }), Vec::<u64>::new());
    assert_eq!(
        list(EvidenceFilter { sources: vec![Source::ContainerLog, Source::Git], limit: Some(1), ..Default::default() }),
        [10]
    );
    // `evidence(n)` was observed at second n.
    assert_eq!(list(EvidenceFilter { since: Some(at(7)), ..Default::default() }), [8, 9, 10]);
    assert_eq!(list(EvidenceFilter { until: Some(at(2)), ..Default::default() }), [1, 2]);
}

#[test]
fn first_digits_find_ids() {
    let (_folder, store) = open();
    let item = evidence(1);
    store.append(&[item.clone(), evidence(2)], at(1)).unwrap();
    assert_eq!(store.evidence_ids(&item.id.as_str()[..6], 5).unwrap(), [item.id]);
    assert_eq!(store.evidence_ids("", 5).unwrap().len(), 2);
}

#[test]
fn keys_and_database_are_private_and_the_redaction_key_stays() {
    let (folder, store) = open();
    let key = store.redaction_key();
    assert_ne!(key, [0; 32]);
    drop(store);
    std::fs::set_permissions(folder.path().join("signing.key"), std::fs::Permissions::from_mode(0o644)).unwrap();
    assert_eq!(Store::open(folder.path()).unwrap().redaction_key(), key);
    for name in ["signing.key", "redaction.key", "head.json", "coroner.db"] {
        let mode = std::fs::metadata(folder.path().join(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
}

#[test]
fn two_databases_in_one_folder_do_not_share_head_or_keys() {
    let folder = tempfile::tempdir().unwrap();
    let one = Store::open(&folder.path().join("one.db")).unwrap();
    let two = Store::open(&folder.path().join("two.db")).unwrap();
    one.append(&[evidence(1)], at(1)).unwrap();
    two.append(&[evidence(2), evidence(3)], at(1)).unwrap();
    assert_ne!(one.redaction_key(), two.redaction_key());
    assert_eq!(one.verify().unwrap().problems, []);
    assert_eq!(two.verify().unwrap().problems, []);
}

#[test]
fn a_newer_store_is_refused_and_left_alone() {
    let (folder, store) = open();
    drop(store);
    let path = folder.path().join("coroner.db");
    rusqlite::Connection::open(&path).unwrap().execute_batch("PRAGMA user_version = 99").unwrap();
    for result in [Store::open(folder.path()), Store::open_read_only(folder.path())] {
        let error = result.unwrap_err();
        assert!(matches!(error, StoreError::Newer { found: 99, .. }), "{error}");
        assert!(error.hint().is_some());
    }
}

#[test]
fn another_database_is_not_taken_for_a_store() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("coroner.db");
    rusqlite::Connection::open(&path).unwrap().execute_batch("CREATE TABLE mine (a)").unwrap();
    assert!(matches!(Store::open(folder.path()).unwrap_err(), StoreError::NotAStore { .. }));
    let tables: i64 = rusqlite::Connection::open(&path)
        .unwrap()
        .query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))
        .unwrap();
    assert_eq!(tables, 1);
}

#[test]
fn an_absent_store_is_not_made_by_reading() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("none");
    assert!(matches!(Store::open_read_only(&path).unwrap_err(), StoreError::NotFound { .. }));
    assert!(!path.exists());
}

#[test]
fn a_full_disk_refuses_to_grow_but_reads() {
    let (folder, store) = open();
    store.append(&[evidence(1)], at(1)).unwrap();
    drop(store);
    let full = Limits { disk_used_percent_max: 0, ..Limits::default() };
    let store = Store::open_with(folder.path(), full).unwrap();
    let error = store.append(&[evidence(2)], at(2)).unwrap_err();
    assert!(matches!(error, StoreError::DiskFull { .. }), "{error}");
    assert!(error.to_string().contains("% full") && error.hint().is_some());
    assert_eq!(store.evidence_count().unwrap(), 1);
    // What frees space is not refused.
    store.redact(&evidence(1).id, "a secret", at(3)).unwrap();
    let reader = Store::open_read_only(folder.path()).unwrap();
    assert_eq!(reader.verify().unwrap().problems, []);
    assert!(matches!(reader.append(&[evidence(2)], at(2)).unwrap_err(), StoreError::ReadOnly));
    let fresh = tempfile::tempdir().unwrap();
    assert!(matches!(Store::open_with(&fresh.path().join("s"), full).unwrap_err(), StoreError::DiskFull { .. }));
}

#[test]
fn old_content_expires_but_not_what_an_incident_cites() {
    let (folder, store) = open();
    let items: Vec<_> = (0..6).map(evidence).collect();
    store.append(&items, at(1)).unwrap();
    let cited =
        coroner_model::Citation::new(Source::ContainerLog, items[2].locator.clone(), items[2].content.to_string());
    assert_eq!(cited.id, items[2].id);
    let incident = Incident {
        id: IncidentId::from("2026-01-01-a"),
        evidence: vec![cited],
        body: format!("The log says so ({}).", items[4].id),
        ..Default::default()
    };
    store.put_incident(&incident, at(2)).unwrap();
    drop(store);

    let limits = Limits { age_days_max: 10, ..Limits::default() };
    let store = Store::open_with(folder.path(), limits).unwrap();
    let later = at(20 * 86_400);
    assert_eq!(store.append(&[evidence(9)], later).unwrap().added, 1);
    let gone: Vec<bool> = items
        .iter()
        .map(|i| matches!(store.evidence(&i.id).unwrap().unwrap().content, Content::Removed(r) if r.why == Removal::Expired))
        .collect();
    assert_eq!(gone, [true, true, false, true, false, true]);
    let report = store.verify().unwrap();
    assert_eq!((report.problems, report.removed), (vec![], 4));
    assert_eq!(store.append(&items, later).unwrap().added, 0, "what expired does not come back");
}

#[test]
fn limits_are_read_from_beside_the_database() {
    let (folder, store) = open();
    store.append(&[evidence(1)], at(1)).unwrap();
    drop(store);
    let file = folder.path().join("limits.toml");
    std::fs::write(&file, "age_days_max = 3\n").unwrap();
    let store = Store::open(folder.path()).unwrap();
    assert_eq!(store.retain(at(2 * 86_400)).unwrap().expired, 0);
    assert_eq!(store.retain(at(4 * 86_400)).unwrap().expired, 1);
    std::fs::write(&file, "age_max = 3\n").unwrap();
    let error = Store::open(folder.path()).unwrap_err();
    assert!(error.to_string().contains("age_max") && error.hint().is_some(), "{error}");
}

#[test]
fn a_store_over_its_size_lets_the_oldest_go() {
    let folder = tempfile::tempdir().unwrap();
    let limits = Limits { bytes_max: 400_000, ..Limits::default() };
    let store = Store::open_with(folder.path(), limits).unwrap();
    for n in 0..40 {
        store.append(&[common::sized(n, 20_000)], at(n as i64)).unwrap();
    }
    assert!(store.bytes().unwrap() < 500_000, "{}", store.bytes().unwrap());
    let kept = store.list_evidence(&EvidenceFilter::default()).unwrap();
    assert!(matches!(kept[0].content, Content::Removed(_)));
    assert!(matches!(kept[39].content, Content::Kept { .. }));
    assert_eq!(store.verify().unwrap().problems, []);
}

#[test]
fn incidents_keep_their_revisions() {
    let (_folder, store) = open();
    let mut incident =
        Incident { id: IncidentId::from("2026-01-01-a"), title: "Database gone".into(), ..Default::default() };
    assert_eq!(store.put_incident(&incident, at(1)).unwrap(), Kept::Added);
    assert_eq!(store.put_incident(&incident, at(2)).unwrap(), Kept::Unchanged);
    incident.status = IncidentStatus::Resolved;
    incident.fix = Some("Restored from the dump of the night".into());
    let other =
        Incident { id: IncidentId::from("2025-01-01-b"), title: "Proxy answers 502".into(), ..Default::default() };
    assert_eq!(store.put_incidents(&[incident.clone(), other.clone()], at(3)).unwrap(), [Kept::Revised, Kept::Added]);
    assert_eq!(store.incidents().unwrap(), [incident.clone(), other.clone()]);
    let revisions = store.incident_revisions(&incident.id).unwrap();
    assert_eq!(revisions.iter().map(|r| r.at).collect::<Vec<_>>(), [Some(at(1)), Some(at(3))]);
    assert_eq!(revisions[0].incident.as_ref().unwrap().status, IncidentStatus::Open);
    assert_eq!(store.incident(&incident.id).unwrap().unwrap(), incident);
    assert_eq!(store.verify().unwrap().problems, []);

    let ids = |query: &str| store.search_incidents(query, 10).unwrap();
    assert_eq!(ids("restored DUMP"), [incident.id.clone()]);
    assert_eq!(ids("prox 502"), std::slice::from_ref(&other.id));
    assert_eq!(ids("nothing like it"), []);
    assert_eq!(ids("\"*( -"), []);
    store.rebuild_search(at(4)).unwrap();
    assert_eq!(ids("gone"), [incident.id]);
}

#[test]
fn problems_and_drafts_are_kept_once() {
    let (_folder, store) = open();
    let problem = Problem { kind: ProblemKind::Undated, incident: None, text: "no date".into() };
    assert_eq!(store.put_problems(std::slice::from_ref(&problem), at(1)).unwrap(), 1);
    assert_eq!(store.put_problems(std::slice::from_ref(&problem), at(2)).unwrap(), 0);
    assert_eq!(store.problems().unwrap(), [problem]);
    let drafts: Vec<_> =
        [Some(3), None].map(|number| PatternDraft { number, title: "A title".into(), ..Default::default() }).into();
    assert_eq!(store.put_drafts(&drafts, at(1)).unwrap(), 2);
    assert_eq!(store.put_drafts(&drafts, at(2)).unwrap(), 0);
    assert_eq!(store.drafts().unwrap(), drafts);
}

#[test]
fn an_investigation_comes_back_byte_for_byte() {
    let (_folder, store) = open();
    let (id, report) = (InvestigationId::from("1a2b3c4d"), "{\"z\":1,\n \"a\":\"ü\"}");
    assert_eq!(store.put_investigation(&id, report, &[evidence(1).id], at(5)).unwrap(), Kept::Added);
    assert_eq!(store.put_investigation(&id, report, &[evidence(1).id], at(6)).unwrap(), Kept::Unchanged);
    let kept = store.investigation(&id).unwrap().unwrap();
    assert_eq!((kept.report.as_deref(), kept.created_at), (Some(report), Some(at(5))));
    assert_eq!(kept.cites, [evidence(1).id]);
    store.put_investigation(&InvestigationId::from("ffffffff"), "{}", &[], at(7)).unwrap();
    let ids: Vec<_> = store.investigations(10).unwrap().into_iter().map(|i| i.id.0).collect();
    assert_eq!(ids, ["ffffffff", "1a2b3c4d"]);
}

#[test]
fn an_export_can_be_followed_without_the_store() {
    let (_folder, store) = open();
    store.append(&[evidence(1), evidence(2)], at(1)).unwrap();
    store
        .put_incident(&Incident { id: "x".into(), title: "private title".into(), ..Default::default() }, at(2))
        .unwrap();
    store.redact(&evidence(2).id, "a secret", at(3)).unwrap();
    let mut bytes = Vec::new();
    assert_eq!(store.export(&mut bytes).unwrap(), 4);
    let text = String::from_utf8(bytes).unwrap();
    let lines: Vec<serde_json::Value> = text.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    assert_eq!(lines[0]["schema"], coroner_store::EXPORT_SCHEMA);
    let mut last = lines[0]["genesis"].clone();
    for line in lines.iter().filter(|l| l["record"].is_u64()) {
        assert_eq!(line["prev"], last);
        last = line["chain"].clone();
    }
    assert_eq!(lines.last().unwrap()["head"]["chain"], last);
    assert!(lines[1]["body"].as_str().unwrap().contains(evidence(1).content.as_str()));
    assert!(lines[2]["body"].is_null());
    assert!(!text.contains("private title"));
    let key = coroner_model::evidence::hex(&store.redaction_key());
    assert!(!text.contains(&key));
}

#[test]
fn threads_share_one_store() {
    let (_folder, store) = open();
    std::thread::scope(|scope| {
        for t in 0..4 {
            let store = &store;
            scope.spawn(move || {
                for n in 0..10 {
                    store.append(&[evidence(t * 100 + n), secretless()], at(1)).unwrap();
                }
            });
        }
    });
    assert_eq!(store.evidence_count().unwrap(), 41);
    assert_eq!(store.verify().unwrap().problems, []);
}
