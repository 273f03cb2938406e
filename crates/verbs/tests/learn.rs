//! From a proven cause to a post-mortem and a rule that stops the repeat.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test panics where it fails"
)]

use std::path::Path;

use coroner_model::IncidentId;
use coroner_verbs::incident_draft::{self, DraftState};
use coroner_verbs::incident_learn::{LearnReport, LearnRequest, Outcome, learn};
use coroner_verbs::investigate::{InvestigateRequest, investigate};
use coroner_verbs::pattern::test::test;
use coroner_verbs::workspace::{Workspace, WorkspaceRequest};

/// What `{made:10}` stands for in a case, so that no file holds anything that looks like a key.
fn made() -> String {
    ["k9Xw3", "TqLm2"].concat()
}

/// Writes the files of a case below a folder.
fn unpack(case: &str, folder: &Path) {
    let case = &case.replace("{made:10}", &made());
    let mut file: Option<(std::path::PathBuf, String)> = None;
    let flush = |file: Option<(std::path::PathBuf, String)>| {
        if let Some((path, text)) = file {
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
    };
    for line in case.lines() {
        match line.strip_prefix("--- ") {
            Some(path) => {
                flush(file.take());
                file = Some((folder.join(path.trim()), String::new()));
            }
            None => {
                if let Some((_, text)) = &mut file {
                    text.push_str(line);
                    text.push('\n');
                }
            }
        }
    }
    flush(file);
}

fn workspace(folder: &Path, case: &str) -> Workspace {
    unpack(case, &folder.join("case"));
    let project = folder.join("project");
    std::fs::create_dir_all(project.join(".coroner")).unwrap();
    Workspace::open(WorkspaceRequest {
        home: folder.join("home"),
        casefile: Some(folder.join("case")),
        cwd: project,
        now: "2026-06-01T00:00:00Z".parse().unwrap(),
        ..WorkspaceRequest::default()
    })
    .unwrap()
}

fn learned(case: &str, symptom: &str) -> (tempfile::TempDir, Workspace, LearnReport) {
    let folder = tempfile::tempdir().unwrap();
    let ws = workspace(folder.path(), case);
    let request = InvestigateRequest { symptom: symptom.into(), ..InvestigateRequest::default() };
    let report = investigate(&ws, &request).unwrap();
    assert_eq!(report.not_kept, None);
    let learned = learn(&ws, &LearnRequest { investigation: report.id.to_string(), ..LearnRequest::default() });
    (folder, ws, learned.unwrap_or_else(|e| panic!("{symptom}: {e}\n{}", e.hint())))
}

/// The file stands in the project, loads, and passes its own test there.
#[track_caller]
fn holds(ws: &Workspace, report: &LearnReport) {
    assert!(report.written && report.tried >= 4, "{}", report.text);
    assert!(report.path.ends_with(format!("project/.coroner/antipatterns/{}.md", report.pattern)));
    let library = coroner_verbs::library::open(&ws.home, &ws.cwd);
    assert!(library.errors.is_empty(), "{:?}\n{}", library.errors, report.text);
    let incidents = ws.store.incidents().unwrap().into_iter().map(|i| i.id).collect();
    let tested = test(&library, Some(&report.pattern), &incidents);
    assert_eq!(tested.problems, [], "{}", report.text);
}

#[test]
fn a_removed_directory_becomes_a_rule_that_denies_the_command() {
    let (_folder, ws, report) = learned(include_str!("investigate/removed-directory.case"), "tide");
    println!("{}", report.text);
    assert!(
        matches!(&report.outcome, Outcome::Denied { command } if command.contains("--delete")),
        "{:?}\n{}",
        report.outcome,
        report.text
    );
    holds(&ws, &report);
    let again = learn(&ws, &LearnRequest::default()).unwrap();
    assert!(!again.written, "learning twice changes nothing");
}

#[test]
fn a_restart_that_kept_the_environment_becomes_a_rule() {
    let (_folder, ws, report) = learned(include_str!("investigate/unapplied-env.case"), "grinder");
    println!("{}", report.text);
    assert!(matches!(&report.outcome, Outcome::Denied { .. }), "{:?}\n{}", report.outcome, report.text);
    holds(&ws, &report);
}

#[test]
fn a_container_outside_the_network_becomes_a_rule() {
    let (_folder, ws, report) = learned(include_str!("investigate/off-network.case"), "http://ride.example.org/");
    println!("{}", report.text);
    assert!(!matches!(&report.outcome, Outcome::Reported), "{:?}\n{}", report.outcome, report.text);
    holds(&ws, &report);
}

#[test]
fn a_default_credential_becomes_a_finding_of_check() {
    let (_folder, ws, report) = learned(include_str!("investigate/default-credential.case"), "weaver");
    println!("{}", report.text);
    holds(&ws, &report);
    assert!(!report.text.contains(&made()));
}

#[test]
fn a_post_mortem_is_kept_once_and_cites_everything() {
    let folder = tempfile::tempdir().unwrap();
    let ws = workspace(folder.path(), include_str!("investigate/removed-directory.case"));
    let request = InvestigateRequest { symptom: "tide".into(), ..InvestigateRequest::default() };
    let id = investigate(&ws, &request).unwrap().id;
    let first = incident_draft::draft(&ws, id.as_str()).unwrap();
    println!("{}", first.markdown);
    assert_eq!(first.state, DraftState::Kept);
    assert_eq!(first.incident.sessions, ["5e55"]);
    assert!(first.incident.id.as_str().starts_with("2026-05-06-"), "{}", first.incident.id);
    for citation in &first.incident.evidence {
        assert!(ws.store.evidence(&citation.id).unwrap().is_some(), "{}", citation.locator);
    }
    let body = first.markdown.split("## Evidence").next().unwrap().to_owned();
    for section in ["What happened", "Impact", "Timeline", "Root cause", "What was ruled out", "Coverage"] {
        let Some(text) = body.split(&format!("## {section}\n\n")).nth(1) else { panic!("no {section}\n{body}") };
        for line in text.split("\n## ").next().unwrap().lines().filter(|l| !l.trim().is_empty()) {
            assert!(line.contains("[E"), "{section}: {line}");
        }
    }
    assert_eq!(incident_draft::draft(&ws, id.as_str()).unwrap().state, DraftState::AlreadyThere);
    let kept: Option<IncidentId> = ws.store.incidents().unwrap().first().map(|i| i.id.clone());
    assert_eq!(kept, Some(first.incident.id));
}

#[test]
fn a_state_that_only_files_show_becomes_a_rule_too() {
    let case = "--- casefile.toml\nroot = \"/project\"\n--- files/project/compose.yml\nservices:\n  lb:\n    image: nginx:1\n    volumes: ['./site.conf:/etc/nginx/nginx.conf']\n    networks: [pub]\n  gull:\n    build: gull\n    networks: [priv]\nnetworks: {pub: {}, priv: {}}\n--- files/project/site.conf\nhttp { server { location / { proxy_pass http://gull:80; } } }\n";
    let (_folder, ws, report) = learned(case, "");
    assert_eq!(report.outcome, Outcome::Reported, "{}", report.text);
    holds(&ws, &report);
}
