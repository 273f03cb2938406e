//! Whole investigations over casefiles with made-up names: the cause first, the decoys open.

use coroner_collect::{Casefile, Limits, World};
use coroner_model::investigation::{ChangeKind, Hypothesis, Investigation, Status};
use coroner_verbs::investigate::{InvestigateRequest, look};
use coroner_verbs::library::Library;

fn world(text: &str) -> World {
    let mut files: Vec<(String, String)> = Vec::new();
    for line in text.lines() {
        match (line.strip_prefix("--- "), files.last_mut()) {
            (Some(path), _) => files.push((path.trim().to_owned(), String::new())),
            (None, Some((_, content))) => {
                content.push_str(line);
                content.push('\n');
            }
            (None, None) => panic!("a case begins with a path"),
        }
    }
    let texts = files.iter().map(|(path, text)| (path.as_str(), text.as_str()));
    World::Casefile(Casefile::of_texts(texts, Limits::default()).unwrap())
}

fn investigate(case: &str, symptom: &str) -> Investigation {
    let request = InvestigateRequest { symptom: symptom.into(), ..InvestigateRequest::default() };
    look(&world(case), &Library::built_in(), &request).0.report
}

/// The first hypothesis, which must be confirmed and be about `component`; all of `decoys` must be open.
#[track_caller]
fn proven(report: &Investigation, component: &str, decoys: &[&str]) -> Hypothesis {
    let shown = || serde_json::to_string_pretty(&report.hypotheses).unwrap();
    let first = report.hypotheses.first().unwrap_or_else(|| panic!("no hypothesis: {:#?}", report.could_not_look));
    assert_eq!((first.status, first.component.as_str()), (Status::Confirmed, component), "{}", shown());
    assert!(first.pattern.is_some() && !first.remedy.is_empty());
    for other in &report.hypotheses {
        if decoys.contains(&other.component.as_str()) {
            assert_eq!(other.status, Status::Open, "{}", shown());
        }
    }
    first.clone()
}

const REMOVED: &str = include_str!("investigate/removed-directory.case");

#[test]
fn a_directory_removed_under_a_container_is_traced_to_the_subagents_call() {
    for symptom in ["http://127.0.0.1:8471/moorings", "tide", "reef", "could not open file \"base/5/2601\"", ""] {
        let report = investigate(REMOVED, symptom);
        let first = proven(&report, "reef", &["kelp", "gull"]);
        let change = first.explained_by.unwrap_or_else(|| panic!("{symptom}: nothing explains it"));
        assert_eq!(change.kind, ChangeKind::Command);
        assert_eq!(change.session.as_deref(), Some("5e55"));
        assert_eq!(change.agent.as_deref(), Some("claude/syncer"));
        assert_eq!(change.tool_call.as_deref(), Some("toolu_s2"), "{symptom}");
        assert_eq!(change.at.unwrap().to_string(), "2026-05-06T07:11:30Z");
        assert_eq!(change.evidence[0].locator, "sessions/5e55/subagents/agent-c0ffee.jsonl:3");
    }
}
