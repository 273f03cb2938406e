//! Whole investigations over casefiles with made-up names: the cause first, the decoys open.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test panics where it fails"
)]

use coroner_collect::{Casefile, Limits, World};
use coroner_model::investigation::{ChangeKind, Hypothesis, Investigation, LookalikeVerdict, Status};
use coroner_verbs::investigate::{InvestigateRequest, look};
use coroner_verbs::library::Library;

/// What `{made:10}` stands for in a case, so that no file holds anything that looks like a key.
fn made() -> String {
    ["k9Xw3", "TqLm2"].concat()
}

fn world(text: &str) -> World {
    let text = &text.replace("{made:10}", &made());
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

/// The case with another command in place of the one that did it.
fn removed_by(command: &str) -> String {
    let own = "sudo rsync -a --delete --exclude='state/reef' --exclude=.state/kelp ./ /srv/harbor/";
    REMOVED.replace(own, &command.replace('"', "\\\""))
}

#[test]
fn a_removal_from_afar_or_through_a_container_is_named_too() {
    for command in [
        "rsync -az --delete --exclude=.state/kelp -e ssh ./ ops@harbor.example:/srv/harbor/",
        "ssh ops@harbor.example 'rm -rf /srv/harbor/.state/reef'",
        "docker exec harbor-reef-1 rm -rf /var/lib/postgresql/data",
        "docker run --rm -v /srv/harbor:/w alpine rm -rf /w/.state/reef",
    ] {
        let report = investigate(&removed_by(command), "reef");
        let change = proven(&report, "reef", &["kelp", "gull"]).explained_by.unwrap_or_else(|| panic!("{command}"));
        assert_eq!(change.tool_call.as_deref(), Some("toolu_s2"), "{command}");
    }
    for command in ["docker exec harbor-tide-1 rm -rf /var/lib/postgresql/data", "ssh ops@other 'rm -rf /srv/quay'"] {
        let report = investigate(&removed_by(command), "reef");
        assert_eq!(proven(&report, "reef", &[]).explained_by.map(|c| c.command), None, "{command}");
    }
}

#[test]
fn a_listing_that_stops_above_is_half_a_proof_and_the_failure_the_other_half() {
    let rows = |keep: &dyn Fn(&str) -> bool| {
        let lines = REMOVED.lines().filter(|l| keep(l));
        lines.map(|l| format!("{l}\n")).collect::<String>()
    };
    let stops_above = |l: &str| !l.contains("\t/srv/harbor/.state/kelp") && !l.contains("\t/home/");
    let report = investigate(&rows(&stops_above), "reef");
    assert_eq!(proven(&report, "reef", &["gull"]).explained_by.unwrap().tool_call.as_deref(), Some("toolu_s2"));
    let quiet = rows(&|l: &str| stops_above(l) && !l.contains("could not open"));
    assert!(investigate(&quiet, "").hypotheses.iter().all(|h| h.status == Status::Open));
    // Without any listing the failure is only likely; what would have brought it about is named all the same.
    let unlisted = rows(&|l: &str| {
        !l.starts_with("d\t") && !l.starts_with("f\t") && !l.contains("tree.tsv") && !l.starts_with("type\t")
    });
    let report = investigate(&unlisted, "reef");
    let first = report.hypotheses.first().unwrap();
    assert_eq!((first.status, first.component.as_str()), (Status::Likely, "reef"), "{:#?}", report.hypotheses);
    assert_eq!(first.explained_by.as_ref().unwrap().tool_call.as_deref(), Some("toolu_s2"));
}

const DEFAULT: &str = include_str!("investigate/default-credential.case");

#[test]
fn a_default_credential_is_traced_to_the_command_that_dropped_the_variable() {
    for symptom in [
        "https://loom.example.org/api/patterns",
        "weaver",
        "password authentication failed for user \"spinner\"",
        "yarn",
        "",
    ] {
        let report = investigate(DEFAULT, symptom);
        let first = proven(&report, "weaver", &["bobbin", "dyer"]);
        let change = first.explained_by.unwrap_or_else(|| panic!("{symptom}: nothing explains it"));
        assert_eq!((change.session.as_deref(), change.tool_call.as_deref()), (Some("10c0"), Some("c")), "{symptom}");
        let counted = first
            .because
            .iter()
            .any(|r| r.count == Some(3) && r.evidence[0].locator == "docker/logs/loom-yarn-1.log:1");
        assert!(counted, "{symptom}: {:#?}", first.because);
        assert!(!serde_json::to_string(&report).unwrap().contains(&made()));
    }
}

#[test]
fn a_container_of_the_same_image_made_elsewhere_explains_nothing() {
    let image = DEFAULT.split("\"Name\":\"/loom-weaver-1\"").nth(1).unwrap().split("\"Image\":\"").nth(1).unwrap();
    let image = image.split('"').next().unwrap();
    let session = format!(
        "--- sessions/later.jsonl\n{{\"schema\":\"coroner/session/v1\",\"session\":\"later\",\"agent\":\"other\",\"cwd\":\"/srv/other\"}}\n{{\"tool_call\":\"z\",\"tool\":\"shell\",\"command\":\"docker run -d --name trial {image}\",\"at\":\"2026-05-06T13:01:52Z\",\"exit_code\":0}}\n"
    );
    let report = investigate(&format!("{DEFAULT}{session}"), "weaver");
    let change = proven(&report, "weaver", &[]).explained_by.unwrap();
    assert_eq!(change.session.as_deref(), Some("10c0"), "{change:#?}");
}

#[test]
fn an_unapplied_environment_is_traced_to_the_restart() {
    let case = include_str!("investigate/unapplied-env.case");
    for symptom in ["http://127.0.0.1:9042/version", "grinder", ""] {
        let report = investigate(case, symptom);
        let first = proven(&report, "grinder", &["hopper", "sifter"]);
        let change = first.explained_by.unwrap_or_else(|| panic!("{symptom}: nothing explains it"));
        assert_eq!(change.tool_call.as_deref(), Some("toolu_r1"), "{symptom}");
        assert_eq!(change.command.as_deref(), Some("sudo docker restart mill-grinder-1"));
    }
}

#[test]
fn a_container_outside_the_proxys_network_is_traced_to_docker_run() {
    let case = include_str!("investigate/off-network.case");
    for symptom in ["http://ride.example.org/", "carousel", "502 Bad Gateway", ""] {
        let report = investigate(case, symptom);
        let first = proven(&report, "carousel", &["ticket"]);
        let change = first.explained_by.unwrap_or_else(|| panic!("{symptom}: nothing explains it"));
        assert_eq!(change.evidence[0].locator, "sessions/77.txt:2", "{symptom}");
    }
}

#[test]
fn the_same_casefile_gives_the_same_bytes() {
    let bytes = || serde_json::to_string(&investigate(DEFAULT, "weaver")).unwrap();
    assert_eq!(bytes(), bytes());
}

/// The container has the configured password, yet its data directory was made with another.
fn stale() -> String {
    let uri = "\"LOG_LEVEL=info\",\"YARN_URI=postgresql://spinner:{made:10}@yarn:5432/loom\"";
    let recreated = "\"Name\":\"/loom-yarn-1\",\"Created\":\"2026-05-06T13:01:00Z\"";
    let volume = r#"--- docker/volumes.json
[{"Name":"loom_yarn","Driver":"local","Mountpoint":"/var/lib/docker/volumes/loom_yarn/_data","CreatedAt":"2025-11-01T00:00:00Z","Labels":{"com.docker.compose.project":"loom","com.docker.compose.volume":"yarn"}}]
--- host/tree.tsv
type	mode	size	mtime	path
f	0644	28	2026-05-06T13:00:50Z	/srv/loom/.env
f	0644	80	2026-05-06T13:00:50Z	/srv/loom/weaver.env
d	0700	4096	2026-05-06T13:00:00Z	/var/lib/docker/volumes/loom_yarn/_data
"#;
    DEFAULT
        .replace("\"Env\":[\"LOG_LEVEL=info\"]", &format!("\"Env\":[{uri}]"))
        .replace("\"Name\":\"/loom-yarn-1\",\"Created\":\"2026-04-01T06:00:00Z\"", recreated)
        + volume
}

#[test]
fn a_password_changed_after_the_volume_is_told_apart_from_a_default() {
    let report = investigate(&stale(), "https://loom.example.org/api/patterns");
    let first = report.hypotheses.first().unwrap();
    let id = first.pattern.as_ref().unwrap().as_str();
    assert_eq!(
        (first.status, id),
        (Status::Confirmed, "database-password-changed-after-volume"),
        "{:#?}",
        report.hypotheses
    );
    let other = first.lookalikes.iter().find(|l| l.pattern.as_str() == "database-default-credential").unwrap();
    assert_eq!(other.verdict, LookalikeVerdict::RuledOut);
    assert!(
        report
            .hypotheses
            .iter()
            .all(|h| h.pattern.as_ref().is_none_or(|p| p.as_str() != "database-default-credential"))
    );
}

#[test]
fn a_dead_port_is_told_apart_from_another_network() {
    let case = include_str!("investigate/off-network.case");
    let joined = case
        .replace("\"NetworkMode\":\"bridge\"", "\"NetworkMode\":\"midway\"")
        .replace(
            "\"bridge\":{\"IPAddress\":\"172.17.0.5\"}",
            "\"midway\":{\"IPAddress\":\"172.30.0.5\",\"Aliases\":[\"carousel\"]}",
        )
        .replace("\"y\":{\"Name\":\"carousel\"}", "")
        .replace("\"x\":{", "\"y\":{\"Name\":\"carousel\"},\"x\":{")
        .replace("listening on 0.0.0.0:3000", "listening on 0.0.0.0:4000")
        .replace("\"3000/tcp\":{}", "\"4000/tcp\":{}")
        + "--- host/listeners.tsv\nproto\taddress\tport\tprocess\tcontainer\ntcp\t0.0.0.0\t4000\tcarousel\tcarousel\n";
    let report = investigate(&joined, "http://ride.example.org/");
    let first = report.hypotheses.first().unwrap();
    assert_eq!(
        (first.status, first.pattern.as_ref().unwrap().as_str()),
        (Status::Confirmed, "proxy-backend-port-dead"),
        "{:#?}",
        report.hypotheses
    );
}

#[test]
fn a_stack_in_order_has_no_cause() {
    let healthy = DEFAULT
        .replace(
            "\"Env\":[\"LOG_LEVEL=info\"]",
            "\"Env\":[\"LOG_LEVEL=info\",\"YARN_URI=postgresql://spinner:{made:10}@yarn:5432/loom\"]",
        )
        .lines()
        .filter(|l| {
            !l.contains("password authentication failed") && !l.contains("500 Internal") && !l.contains("cannot fetch")
        })
        .map(|l| l.replace("\"status\":500", "\"status\":200") + "\n")
        .collect::<String>();
    for symptom in ["", "weaver", "https://loom.example.org/api/patterns"] {
        let report = investigate(&healthy, symptom);
        assert!(report.hypotheses.iter().all(|h| h.status == Status::Open), "{symptom}: {:#?}", report.hypotheses);
    }
    // What was said while it started is no cause once the address answers; the same later is a lead.
    let booted = |at: &str| {
        let line = format!("{at} ERROR cannot reach yarn: connect ECONNREFUSED 10.0.0.3:5432\n");
        format!("{healthy}--- docker/logs/loom-weaver-1.log\n{line}")
    };
    let leads = |at: &str| {
        let report = investigate(&booted(at), "https://loom.example.org/api/patterns");
        report.hypotheses.iter().filter(|h| h.status != Status::Open).count()
    };
    assert_eq!(leads("2026-05-06T13:01:55.000000000Z"), 0);
    assert_eq!(leads("2026-05-06T13:40:00.000000000Z"), 1);
}
