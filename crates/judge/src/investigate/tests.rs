use coroner_model::finding::{Confidence, Location};
use coroner_model::investigation::{ChangeKind, LookalikeVerdict, Reason, Status};
use coroner_model::session::{CallStatus, Session, Subagent, ToolCall};
use coroner_model::{Citation, ContentHash, Document, Probe, Redactor, Source};
use coroner_read::docker::Container;
use jiff::Timestamp;

use super::*;
use crate::fact::{FactKind, Subject};
use crate::pattern::Origin;

fn at(clock: &str) -> Timestamp {
    format!("2026-03-04T{clock}Z").parse().unwrap()
}

fn document(path: &str, text: &str) -> Document {
    Document {
        path: path.into(),
        observed_at: None,
        host: String::new(),
        text: Redactor::new([0; 32]).redact(text),
        hash: ContentHash::sha256(text.as_bytes()),
        bytes_left_out: 0,
        first_line: 1,
    }
}

fn log(answers: &mut Answers, container: &str, text: &str) {
    let probe = Probe::ContainerLog { container: container.into() };
    answers.insert(probe, Ok(vec![document(&format!("docker/logs/{container}.log"), text)]));
}

fn container(name: &str, env: &[(&str, &str)], started: &str) -> Container {
    let mut c = Container { name: name.into(), image: format!("{name}:1"), ..Container::default() };
    c.env = env.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect();
    c.networks.insert("inner".into(), Default::default());
    c.state.status = "running".into();
    c.state.started_at = Some(at(started));
    c
}

fn pattern(id: &str, header: &str) -> (String, String) {
    let text = format!(
        "+++\ntitle = \"{id} happens\"\ncategory = \"auth\"\nseverity = \"major\"\nlesson = \"L.\"\n{header}\n+++\nWhy.\n\n## Do instead\nRepair it.\n"
    );
    (format!("{id}.md"), text)
}

fn library() -> Library {
    let mut library = Library::default();
    for (path, text) in [
        pattern(
            "fallback",
            "[[trace]]\nsource = [\"container-log\"]\nmatches = 'credential refused for \"[^\"]+\"'\n[[confirm]]\nprobe = \"credential-fallback\"\n[[lookalike]]\npattern = \"stale\"\ntells = \"the volume is older\"",
        ),
        pattern(
            "stale",
            "[[trace]]\nmatches = 'credential refused for \"[^\"]+\"'\n[[confirm]]\nprobe = \"credential-stale\"\n[[lookalike]]\npattern = \"fallback\"\ntells = \"the variable is absent\"",
        ),
        pattern("gone", "[[confirm]]\nprobe = \"mount-source-missing\""),
        pattern("drift", "[[confirm]]\nprobe = \"env-drift\""),
    ] {
        library.add(&text, &path, Origin::BuiltIn);
    }
    assert!(library.errors.is_empty(), "{:?}", library.errors);
    library
}

fn fact(kind: FactKind, is: &'static str, component: &str, subjects: Vec<Subject>) -> Fact {
    let cited = Citation::new(Source::Docker, "docker/inspect.json#/0/Config/Env".into(), "no such variable".into());
    Fact {
        kind,
        is,
        component: component.into(),
        affects: Vec::new(),
        text: format!("{component} is in a bad state."),
        because: vec![Reason { text: "it is so".into(), evidence: vec![cited], count: None }],
        against: Vec::new(),
        confidence: Confidence::High,
        location: Location::default(),
        subjects,
        onset: None,
        ruled_out: Vec::new(),
        remedy: "do `this`".into(),
    }
}

fn call(number: u64, clock: &str, command: &str, status: CallStatus) -> ToolCall {
    ToolCall {
        id: format!("toolu_{number}").as_str().into(),
        number,
        tool: "Bash".into(),
        command: Some(command.into()),
        cwd: "/srv/desk".into(),
        at: Some(at(clock)),
        line: number * 2,
        status,
        ..ToolCall::default()
    }
}

fn session(id: &str, subagent: Option<&str>, calls: Vec<ToolCall>) -> Session {
    Session {
        id: id.into(),
        agent: "claude".into(),
        path: format!("sessions/{id}.jsonl"),
        subagent: subagent.map(|kind| Subagent { id: "a1".into(), kind: kind.into() }),
        calls,
        ..Session::default()
    }
}

/// `desk` needs `ledger`; `mailer` stands beside them with an error and a change of its own.
fn scene() -> (Scene, Answers) {
    let mut answers = Answers::new();
    log(&mut answers, "desk", "2026-03-04T10:00:00Z INFO up\n2026-03-04T10:05:02Z ERROR cannot serve /login\n");
    log(
        &mut answers,
        "ledger",
        "2026-03-04T10:05:01Z 2026-03-04 10:05:01.000 UTC [9] FATAL:  credential refused for \"ink\"\n2026-03-04T10:05:09Z 2026-03-04 10:05:09.000 UTC [9] FATAL:  credential refused for \"ink\"\n",
    );
    log(&mut answers, "mailer", "2026-03-04T10:04:30Z ERROR cannot resolve smtp\n");
    let scene = Scene {
        containers: vec![
            container("desk", &[("LEDGER_URL", "postgres://ink@ledger:5432/x")], "10:04:58"),
            container("ledger", &[], "08:00:00"),
            container("mailer", &[], "10:04:00"),
            container("kv", &[], "10:03:00"),
        ],
        sessions: vec![
            session("s1", None, vec![call(1, "10:04:50", "docker compose up -d desk", CallStatus::Rejected)]),
            session(
                "s1",
                Some("deploy"),
                vec![
                    call(2, "09:00:00", "docker compose up -d desk", CallStatus::Ok),
                    call(3, "10:04:55", "docker compose --env-file new.env up -d desk", CallStatus::Ok),
                    call(4, "10:04:57", "echo docker compose up -d desk", CallStatus::Ok),
                    call(5, "10:20:00", "docker compose up -d desk", CallStatus::Ok),
                ],
            ),
        ],
        ..Scene::default()
    };
    (scene, answers)
}

fn investigate(given: &str, scene: &Scene, answers: &Answers, facts: &[Fact]) -> Investigation {
    let request = Request { given: given.into(), ..Request::default() };
    judge_scene(&request, answers, scene, facts, &library()).report
}

#[test]
fn the_proven_state_on_the_path_wins_and_its_change_is_named() {
    let (scene, answers) = scene();
    let facts = [
        fact(FactKind::EnvDrift, "restarted", "mailer", vec![Subject::Container("mailer".into())]),
        fact(
            FactKind::CredentialFallback,
            "absent",
            "desk",
            vec![Subject::Service("desk".into()), Subject::Container("desk".into())],
        ),
    ];
    for given in ["desk", "https://desk.example.org/login", "credential refused for \"ink\"", "ledger"] {
        let report = investigate(given, &scene, &answers, &facts);
        let first = &report.hypotheses[0];
        assert_eq!(
            (first.rank, first.status, first.component.as_str()),
            (1, Status::Confirmed, "desk"),
            "{given}: {report:#?}"
        );
        assert_eq!(first.pattern.as_ref().unwrap().as_str(), "fallback");
        let change = first.explained_by.as_ref().unwrap();
        assert_eq!(change.kind, ChangeKind::Command);
        assert_eq!(change.tool_call.as_deref(), Some("toolu_3"), "{given}");
        assert_eq!(change.agent.as_deref(), Some("claude/deploy"));
        assert_eq!(change.evidence[0].locator, "sessions/s1.jsonl:6");
        let signature = first.because.iter().find(|r| r.text.contains("ledger")).unwrap();
        assert_eq!(signature.count, Some(2));
        for other in &report.hypotheses[1..] {
            assert_eq!(other.status, Status::Open, "{given}: {other:#?}");
        }
    }
}

#[test]
fn a_signature_alone_is_likely_and_names_its_lookalike() {
    let (_, answers) = scene();
    let report = investigate("", &Scene::default(), &answers, &[]);
    assert_eq!(report.hypotheses.len(), 2, "{report:#?}");
    let first = &report.hypotheses[0];
    assert_eq!(first.status, Status::Likely);
    assert_eq!(first.lookalikes[0].verdict, LookalikeVerdict::Possible);
    let given = investigate("FATAL:  credential refused for \"zoe\"", &Scene::default(), &Answers::new(), &[]);
    assert_eq!(
        (given.hypotheses[0].status, given.hypotheses[0].because[0].evidence[0].locator.as_str()),
        (Status::Likely, "symptom:1")
    );
}

#[test]
fn ordinary_lines_give_no_hypothesis() {
    let mut answers = Answers::new();
    let text = "2026-03-04T10:00:00Z INFO ready\n2026-03-04T10:00:01Z GET /login 200\n2026-03-04T10:00:02Z credential accepted for \"ink\"\n";
    answers.insert(Probe::LogFile { path: "-".into() }, Ok(vec![document("-", text)]));
    let request = Request { logs: vec!["-".into()], scope: Scope::Logs, ..Request::default() };
    let report = judge_scene(&request, &answers, &Scene::default(), &[], &library()).report;
    assert_eq!(report.hypotheses, []);
    assert_eq!(report.coverage[0].amount, "3 lines");
}

#[test]
fn a_removal_is_explained_only_by_what_covers_the_path() {
    let (mut scene, answers) = scene();
    let data = "/opt/desk/state/ledger";
    scene.sessions = vec![session(
        "s9",
        None,
        vec![
            call(1, "09:50:00", "rm -rf /opt/desk/state/*", CallStatus::Ok),
            call(2, "09:51:00", "rm -rf /opt/desk/state/ledger-old", CallStatus::Ok),
            call(3, "09:52:00", "ls /opt/desk/state/ledger; echo rm -rf /opt/desk/state", CallStatus::Ok),
            call(4, "09:53:00", "rm -rf /opt/desk", CallStatus::Rejected),
            call(5, "09:54:00", "rsync -an --delete ./ /opt/desk/", CallStatus::Ok),
        ],
    )];
    let facts = [fact(FactKind::MountSourceMissing, "gone", "ledger", vec![Subject::Path(data.into())])];
    let change = |scene: &Scene| investigate("desk", scene, &answers, &facts).hypotheses[0].explained_by.clone();
    assert_eq!(change(&scene).unwrap().tool_call.as_deref(), Some("toolu_1"));
    for (command, covers) in [
        ("find /opt/desk -mindepth 1 -delete", true),
        ("mv /opt/desk/state /tmp/away", true),
        ("cd /opt && sudo rm -r desk", true),
        ("bash -c 'rm -rf /opt/desk/state/ledger'", true),
        ("rm -rf /opt/desk/build", false),
        ("find /opt/desk -name '*.tmp' -delete", false),
    ] {
        scene.sessions = vec![session("s9", None, vec![call(1, "09:50:00", command, CallStatus::Ok)])];
        assert_eq!(change(&scene).is_some(), covers, "{command}");
    }
}

#[test]
fn the_same_evidence_gives_the_same_bytes() {
    let (scene, answers) = scene();
    let facts = [fact(FactKind::CredentialFallback, "absent", "desk", vec![Subject::Container("desk".into())])];
    let once = serde_json::to_string(&investigate("desk", &scene, &answers, &facts)).unwrap();
    assert_eq!(once, serde_json::to_string(&investigate("desk", &scene, &answers, &facts)).unwrap());
    for text in ["\"source\":\"agent\"", "\"source\":\"docker\"", "\"source\":\"log\""] {
        assert!(once.contains(text), "{text}");
    }
}

#[test]
fn a_state_apart_from_the_symptom_stays_open() {
    let (scene, answers) = scene();
    let facts = [fact(FactKind::EnvDrift, "restarted", "kv", vec![Subject::Container("kv".into())])];
    let report = investigate("desk", &scene, &answers, &facts);
    assert!(report.hypotheses.iter().all(|h| h.status != Status::Confirmed), "{report:#?}");
}
