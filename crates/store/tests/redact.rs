//! A secret that was missed goes out of every file, and the chain still verifies.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test panics where it fails"
)]

mod common;

use std::path::Path;

use common::{at, evidence, open, with_text};
use coroner_model::incident::Incident;
use coroner_model::{Citation, Evidence, EvidenceId, Source};
use coroner_store::{Content, REDACTED_MARK, Removal, Store, StoreError};

/// A secret of no shape that a redactor knows, made at run time.
fn secret() -> String {
    ["purple", "Elephant", "Zq41"].join("_")
}

fn leaking(n: usize) -> Evidence {
    with_text(n, &format!("the vault opens with {} as everyone knows", secret()))
}

fn citation(e: &Evidence) -> Citation {
    Citation { id: e.id.clone(), source: Source::ContainerLog, locator: e.locator.clone(), text: e.content.to_string() }
}

/// Names of the files in which the text stands.
fn files_with(folder: &Path, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let bytes = std::fs::read(entry.path()).unwrap();
        let stands = |needle: &[u8]| bytes.windows(needle.len()).any(|w| w.eq_ignore_ascii_case(needle));
        // In the search index a word stands without what it begins with.
        if stands(text.as_bytes()) || text.split('_').any(|w| stands(&w.as_bytes()[1..])) {
            found.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    found
}

#[test]
fn the_bytes_are_gone_from_database_log_and_index() {
    let (folder, store) = open();
    let leak = leaking(3);
    store.append(&[evidence(1), leak.clone(), evidence(2)], at(1)).unwrap();
    assert!(!files_with(folder.path(), &secret()).is_empty());
    let redaction = store.redact(&leak.id, "a password in a log line", at(2)).unwrap();
    assert_eq!((redaction.record, redaction.tombstone), (2, Some(4)));
    // Also while the store is open, with its log and shared index beside it.
    assert_eq!(files_with(folder.path(), &secret()), Vec::<String>::new());
    let report = store.verify().unwrap();
    assert_eq!((report.records, report.removed, report.problems), (4, 1, vec![]));

    let Content::Removed(removed) = store.evidence(&leak.id).unwrap().unwrap().content else { panic!("still there") };
    assert_eq!(
        (removed.why, removed.reason.as_str(), removed.tombstone),
        (Removal::Redacted, "a password in a log line", 4)
    );
    assert_eq!(removed.at, Some(at(2)));
    assert_eq!(store.append(&[leak], at(3)).unwrap().added, 0, "it does not come back when it is recorded again");
    assert!(store.evidence(&evidence(1).id).unwrap().unwrap().evidence().is_some());
    drop(store);
    assert_eq!(files_with(folder.path(), &secret()), Vec::<String>::new());
    assert_eq!(Store::open(folder.path()).unwrap().verify().unwrap().problems, []);
}

#[test]
fn whatever_quotes_it_is_rewritten() {
    let (folder, store) = open();
    let leak = leaking(3);
    store.append(std::slice::from_ref(&leak), at(1)).unwrap();
    let quote = format!("The log says: \"{}\"\tand then it stopped.", leak.content);
    let mut incident = Incident {
        id: "2026-01-01-a".into(),
        title: "Vault open".into(),
        what_happened: Some(quote.clone()),
        evidence: vec![citation(&leak), citation(&evidence(1))],
        ..Default::default()
    };
    store.put_incident(&incident, at(2)).unwrap();
    incident.title = "Vault left open".into();
    store.put_incident(&incident, at(3)).unwrap();
    let report = serde_json::json!({ "z": [citation(&leak)], "a": quote }).to_string();
    store.put_investigation(&"1a2b3c4d".into(), &report, std::slice::from_ref(&leak.id), at(4)).unwrap();

    let redaction = store.redact(&leak.id, "a secret", at(5)).unwrap();
    assert_eq!(redaction.rewritten, ["2026-01-01-a", "1a2b3c4d"]);
    assert_eq!(files_with(folder.path(), &secret()), Vec::<String>::new());
    let after = store.incident(&"2026-01-01-a".into()).unwrap().unwrap();
    assert_eq!(after.title, "Vault left open");
    assert_eq!(after.evidence[0].text, REDACTED_MARK);
    assert_eq!(after.evidence[1], incident.evidence[1]);
    assert!(after.what_happened.unwrap().contains("and then it stopped"));
    let kept = store.investigation(&"1a2b3c4d".into()).unwrap().unwrap();
    let report: serde_json::Value = serde_json::from_str(&kept.report.unwrap()).unwrap();
    assert_eq!(report["z"][0]["text"], REDACTED_MARK);
    assert_eq!(store.search_incidents("vault open", 5).unwrap().len(), 1);
    assert_eq!(store.search_incidents("elephant", 5).unwrap().len(), 0);
    assert_eq!(store.verify().unwrap().problems, []);
}

#[test]
fn a_short_text_is_replaced_only_where_it_stands_alone() {
    let (_folder, store) = open();
    let short = with_text(1, "on");
    store.append(std::slice::from_ref(&short), at(1)).unwrap();
    let incident = Incident {
        id: "x".into(),
        title: "nothing goes on".into(),
        evidence: vec![citation(&short)],
        ..Default::default()
    };
    store.put_incident(&incident, at(2)).unwrap();
    store.redact(&short.id, "", at(3)).unwrap();
    let after = store.incident(&"x".into()).unwrap().unwrap();
    assert_eq!((after.title.as_str(), after.evidence[0].text.as_str()), ("nothing goes on", REDACTED_MARK));
}

#[test]
fn a_long_content_is_taken_out_of_excerpts_too() {
    let (folder, store) = open();
    let long = with_text(1, &format!("{} {}", secret(), "word ".repeat(200)));
    let excerpt: String = long.content.as_str().trim_end().chars().take(400).collect();
    store.append(std::slice::from_ref(&long), at(1)).unwrap();
    let cited = Citation { text: format!("{excerpt}…"), ..citation(&long) };
    store.put_incident(&Incident { id: "x".into(), evidence: vec![cited], ..Default::default() }, at(2)).unwrap();
    store.redact(&long.id, "", at(3)).unwrap();
    assert_eq!(files_with(folder.path(), &secret()), Vec::<String>::new());
}

#[test]
fn a_citation_goes_by_its_id_though_its_text_differs() {
    let (folder, store) = open();
    let leak = leaking(1);
    store.append(std::slice::from_ref(&leak), at(1)).unwrap();
    let cited = Citation { text: format!("vault: {}", secret()), ..citation(&leak) };
    let report =
        serde_json::to_string_pretty(&serde_json::json!({ "because": [cited, citation(&evidence(1))] })).unwrap();
    store.put_investigation(&"1a2b3c4d".into(), &report, &[], at(2)).unwrap();
    store.put_incident(&Incident { id: "x".into(), evidence: vec![cited], ..Default::default() }, at(2)).unwrap();
    store.redact(&leak.id, "", at(3)).unwrap();
    assert_eq!(files_with(folder.path(), &secret()), Vec::<String>::new());
    let kept = store.investigation(&"1a2b3c4d".into()).unwrap().unwrap().report.unwrap();
    assert!(kept.contains(evidence(1).content.as_str()) && kept.contains(REDACTED_MARK), "{kept}");
}

#[test]
fn who_looks_again_does_not_bring_it_back() {
    let (folder, store) = open();
    let leak = leaking(1);
    store.append(std::slice::from_ref(&leak), at(1)).unwrap();
    store.redact(&leak.id, "", at(2)).unwrap();
    store.append(std::slice::from_ref(&leak), at(3)).unwrap();
    let report = serde_json::json!({ "because": [citation(&leak)] }).to_string();
    store.put_investigation(&"1a2b3c4d".into(), &report, &[], at(3)).unwrap();
    let incident = Incident { id: "x".into(), evidence: vec![citation(&leak)], ..Default::default() };
    assert_eq!(store.put_incident(&incident, at(3)).unwrap(), coroner_store::Kept::Added);
    assert_eq!(store.put_incident(&incident, at(4)).unwrap(), coroner_store::Kept::Unchanged);
    assert_eq!(store.incident(&"x".into()).unwrap().unwrap().evidence[0].text, REDACTED_MARK);
    drop(store);
    assert_eq!(files_with(folder.path(), &secret()), Vec::<String>::new());
}

#[test]
fn a_report_that_tells_it_in_its_own_words_tells_it_no_more() {
    let (folder, store) = open();
    let leak = leaking(1);
    let healthy = evidence(2);
    store.append(&[leak.clone(), healthy.clone()], at(1)).unwrap();
    let event = |e: &Evidence, text: String| serde_json::json!({ "at": at(1), "source": "log", "text": text, "evidence": [citation(e)] });
    let report = serde_json::json!({
        "schema": "coroner/investigation/v1",
        "symptom": { "given": format!("why is {} in the log", secret()), "kind": "error", "observed": "",
                     "onset": null, "evidence": [] },
        "hypotheses": [], "steps": [], "coverage": [], "could_not_look": [],
        "timeline": [event(&leak, format!("worker first says opens with {}", secret())),
                     event(&healthy, "worker first says it is done".into())],
    });
    store.put_investigation(&"1a2b3c4d".into(), &report.to_string(), &[], at(2)).unwrap();
    let incident = Incident {
        id: "x".into(),
        title: "Vault open".into(),
        body: format!("- it was left open\n- it opens with {} ({})\n- it was shut", secret(), leak.id),
        lesson: Some(format!("Do not log {}.", secret())),
        ..Default::default()
    };
    store.put_incident(&incident, at(2)).unwrap();
    store.redact(&leak.id, "", at(3)).unwrap();
    assert_eq!(files_with(folder.path(), &secret()), Vec::<String>::new());
    let kept = store.investigation(&"1a2b3c4d".into()).unwrap().unwrap().report.unwrap();
    let kept: serde_json::Value = serde_json::from_str(&kept).unwrap();
    assert_eq!(kept["symptom"]["given"], format!("why is {REDACTED_MARK} in the log"));
    assert_eq!(kept["timeline"][0]["text"], REDACTED_MARK);
    assert_eq!(kept["timeline"][1], report["timeline"][1]);
    let after = store.incident(&"x".into()).unwrap().unwrap();
    assert_eq!(after.body, format!("- it was left open\n{REDACTED_MARK} ({})\n- it was shut", leak.id));
    assert_eq!(after.lesson.unwrap(), format!("Do not log {REDACTED_MARK}."));

    // The same look again tells it in its own words again, without the content to compare with.
    let again = serde_json::json!({ "timeline": [report["timeline"][0]], "symptom": { "given": "", "kind": "none",
        "observed": "", "onset": null, "evidence": [] }, "schema": "", "hypotheses": [], "steps": [], "coverage": [],
        "could_not_look": [] });
    store.put_investigation(&"ffffffff".into(), &again.to_string(), &[], at(4)).unwrap();
    drop(store);
    assert_eq!(files_with(folder.path(), &secret()), Vec::<String>::new());
}

#[test]
fn other_evidence_with_the_same_text_is_named_and_left() {
    let (_folder, store) = open();
    let (one, other) = (leaking(1), leaking(2));
    store.append(&[one.clone(), other.clone()], at(1)).unwrap();
    assert_eq!(store.redact(&one.id, "", at(2)).unwrap().also_in, std::slice::from_ref(&other.id));
    assert!(store.evidence(&other.id).unwrap().unwrap().evidence().is_some());
}

#[test]
fn twice_is_once_and_an_unknown_id_is_an_error() {
    let (_folder, store) = open();
    store.append(&[leaking(1)], at(1)).unwrap();
    store.redact(&leaking(1).id, "", at(2)).unwrap();
    let again = store.redact(&leaking(1).id, "", at(3)).unwrap();
    assert_eq!((again.tombstone, again.record), (None, 1));
    let error = store.redact(&EvidenceId::from("000000000000"), "", at(4)).unwrap_err();
    assert!(matches!(error, StoreError::NoSuchEvidence(_)) && error.hint().is_some());
    let report = store.verify().unwrap();
    assert_eq!((report.records, report.problems), (2, vec![]));
}

#[test]
fn what_stays_does_not_let_a_weak_secret_be_guessed() {
    let (folder, store) = open();
    let weak = with_text(1, "pin 4711 for the side door");
    store.append(std::slice::from_ref(&weak), at(1)).unwrap();
    store.redact(&weak.id, "", at(2)).unwrap();
    drop(store);
    let row: (Option<Vec<u8>>, Vec<u8>) = rusqlite::Connection::open(folder.path().join("coroner.db"))
        .unwrap()
        .query_row("SELECT salt, body_hash FROM record WHERE seq = 1", [], |r| Ok((r.get(0)?, r.get(1)?)))
        .unwrap();
    assert_eq!(row.0, None, "the salt went with the content");
    let sha = match &weak.hash {
        coroner_model::ContentHash::Sha256(hex) | coroner_model::ContentHash::Hmac(hex) => hex.clone(),
    };
    assert_eq!(files_with(folder.path(), &sha), Vec::<String>::new());
}

#[test]
fn a_large_content_leaves_no_page_behind() {
    let (folder, store) = open();
    let big = with_text(7, &format!("{} ", secret()).repeat(5000));
    store.append(&[evidence(1), big.clone()], at(1)).unwrap();
    for n in 10..30 {
        store.append(&[evidence(n)], at(2)).unwrap();
    }
    store.redact(&big.id, "", at(3)).unwrap();
    assert_eq!(files_with(folder.path(), &secret()), Vec::<String>::new());
    assert!(store.bytes().unwrap() < 100_000);
}

#[test]
fn a_redaction_that_a_reader_holds_up_is_finished_later() {
    let (folder, store) = open();
    store.append(&[leaking(1)], at(1)).unwrap();
    drop(store);
    let reader = rusqlite::Connection::open(folder.path().join("coroner.db")).unwrap();
    reader.execute_batch("BEGIN; SELECT count(*) FROM record;").unwrap();
    let store = Store::open(folder.path()).unwrap();
    store.set_wait(std::time::Duration::from_millis(20)).unwrap();
    let error = store.redact(&leaking(1).id, "", at(2)).unwrap_err();
    assert!(matches!(error, StoreError::ScrubUnfinished), "{error}");
    assert!(store.evidence(&leaking(1).id).unwrap().unwrap().evidence().is_none(), "nobody is shown it any more");
    assert!(store.verify().unwrap().problems.iter().any(|p| p.reason.contains("not finished")));
    drop((store, reader));
    let store = Store::open(folder.path()).unwrap();
    assert_eq!(files_with(folder.path(), &secret()), Vec::<String>::new());
    assert_eq!(store.verify().unwrap().problems, []);
}
