//! A made-up book, and the pages served from it.

#![allow(dead_code, reason = "each test file uses a part")]

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::{Arc, mpsc};

use coroner_model::incident::{Incident, IncidentStatus, PatternDraft, Problem, ProblemKind};
use coroner_model::investigation::*;
use coroner_model::probe::{CouldNotLook, Why};
use coroner_model::{Category, Citation, Severity, Source};
use coroner_verbs::book::{Book, Kept, PatternEntry, Trace};

/// Serves a book on a free port until the test process ends.
pub fn serve(book: Book) -> SocketAddr {
    let book = Arc::new(book);
    let (tell, told) = mpsc::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let on_ready = move |addr| tell.send(addr).unwrap();
        runtime
            .block_on(coroner_serve::serve(move || Ok(book.clone()), "127.0.0.1:0".parse().unwrap(), on_ready))
            .unwrap();
    });
    told.recv().unwrap()
}

/// One answer, taken apart.
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: String,
}

/// Sends a request line and headers as they are.
pub fn send(addr: SocketAddr, request: &str) -> Answer {
    let mut stream = TcpStream::connect(addr).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).unwrap();
    let text = String::from_utf8(bytes).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    let status = head.split(' ').nth(1).and_then(|s| s.parse().ok()).unwrap();
    Answer { status, head: head.to_lowercase(), body: body.to_owned() }
}

/// A plain GET as curl sends it.
pub fn get(addr: SocketAddr, path: &str) -> Answer {
    send(addr, &format!("GET {path} HTTP/1.1\r\nHost: {addr}\r\nConnection: close\r\n\r\n"))
}

fn cite(locator: &str, text: &str) -> Citation {
    Citation::new(Source::of_path(locator), locator.to_owned(), text.to_owned())
}

/// A stack of a bakery: nine incidents, three patterns, one investigation.
pub fn bakery() -> Book {
    let log = cite(
        "docker/logs/oven-db.log:88",
        "FATAL: password authentication failed for user \"oven\" (tried hmac:0123456789abcdef)",
    );
    let compose = cite("files/srv/bakery/compose.yml:14", "      - ./.data/pg:/var/lib/postgresql/data");
    let call = cite("sessions/4b1c.jsonl:212", "rsync -a --delete --exclude=data ./ /srv/bakery/");
    let evidence = [&log, &compose, &call].map(|c| {
        let kept = Trace {
            observed_at: "2026-01-23T05:12:09Z".parse().ok(),
            host: "bakery-1".into(),
            hash: format!("sha256 {}", "0c".repeat(32)),
            taken_out: None,
        };
        (c.id.clone(), kept)
    });
    Book {
        incidents: incidents(&compose, &call),
        patterns: patterns(),
        investigations: vec![investigation(&log, &call)],
        evidence: evidence.into_iter().collect(),
        problems: vec![
            Problem {
                kind: ProblemKind::Undated,
                incident: Some("undated-wrong-port".into()),
                text: "the entry carries no date".into(),
            },
            Problem { kind: ProblemKind::CountMismatch, incident: None, text: "it says 26 and lists 9".into() },
        ],
        drafts: vec![PatternDraft {
            number: Some(59),
            title: "Sync over a running stack".into(),
            ..PatternDraft::default()
        }],
        could_not_read: Vec::new(),
    }
}

/// Id, date, severity, category, sessions, title, what happened.
type Row<'a> = (&'a str, Option<&'a str>, Option<Severity>, Option<Category>, &'a [&'a str], &'a str, &'a str);

fn incidents(compose: &Citation, call: &Citation) -> Vec<Incident> {
    let rows: [Row; 9] = [
        (
            "2026-01-23-sync-emptied-the-oven-database",
            Some("2026-01-23"),
            Some(Severity::Critical),
            Some(Category::DataLoss),
            &["23"],
            "A sync with --delete emptied the oven database",
            "The agent synchronised the checkout over the running stack. The exclude lacked its leading dot, matched nothing, and the data directory went with the rest.",
        ),
        (
            "2026-01-23-till-sessions-gone",
            Some("2026-01-23"),
            Some(Severity::Critical),
            Some(Category::DataLoss),
            &["23"],
            "The tills lost their sessions after the same sync",
            "The same sync removed the directory of the session store. Every till asked for a login at six in the morning.",
        ),
        (
            "2025-11-29-log-filled-the-disk",
            Some("2025-11-29"),
            Some(Severity::Critical),
            Some(Category::Disk),
            &["~4"],
            "A thermometer's log filled the disk overnight",
            "A supervisor wrote each reading to one file without a bound.",
        ),
        (
            "2026-01-12-restart-kept-the-old-recipe",
            Some("2026-01-12"),
            Some(Severity::Major),
            Some(Category::Docker),
            &["12-B"],
            "docker restart kept the old RECIPE_VERSION",
            "The env file was changed and the container restarted; it went on with the environment it was made with.",
        ),
        (
            "2025-12-28-bare-run-off-the-network",
            Some("2025-12-28"),
            Some(Severity::Major),
            Some(Category::Docker),
            &["~11"],
            "A bare docker run left the shop outside the proxy's network",
            "The container answered on its own port, and the proxy answered 502.",
        ),
        (
            "2026-02-02-default-password",
            Some("2026-02-02"),
            Some(Severity::Major),
            Some(Category::Auth),
            &["27", "28"],
            "Orders fell back to a default database password",
            "DATABASE_URL was missing from one env file, so the service tried the password of its example configuration.",
        ),
        (
            "2026-01-16-line-that-does-not-exist",
            Some("2026-01-16"),
            Some(Severity::Minor),
            Some(Category::Hallucination),
            &["16"],
            "A reviewer reported line 109 of a file with 87 lines",
            "Half a day went into a header that no file contains.",
        ),
        (
            "undated-wrong-port",
            None,
            Some(Severity::Major),
            Some(Category::ConfigDrift),
            &["Multiple"],
            "Requests went to the port of another gateway, again and again",
            "Two ports differ by ten and were taken for one another.",
        ),
        (
            "2026-02-14-page-says-26",
            Some("2026-02-14"),
            None,
            None,
            &[],
            "The status page states a count that nobody computes",
            "The page says 26.",
        ),
    ];
    let mut incidents: Vec<Incident> = rows
        .into_iter()
        .map(|(id, date, severity, category, sessions, title, what)| Incident {
            id: id.into(),
            title: title.into(),
            date: date.map(str::to_owned),
            date_approximate: sessions.iter().any(|s| s.starts_with('~')),
            severity,
            status: IncidentStatus::Resolved,
            category,
            sessions: sessions.iter().map(|s| (*s).to_owned()).collect(),
            recurring: date.is_none(),
            what_happened: Some(what.to_owned()),
            ..Incident::default()
        })
        .collect();
    let first = &mut incidents[0];
    first.root_cause = Some(format!(
        "The pattern `data` does not match `.data`, which compose mounts [{}]. It was one call of the session [{}].",
        compose.id, call.id
    ));
    first.data_lost =
        Some("Accounts, orders of four weeks, and the copy of 03:00, which lay beside the original.".into());
    first.fix =
        Some("All migrations ran again on an empty database. `safe-sync` now refuses what it cannot prove.".into());
    first.lesson = Some("Dry-run what deletes. An exclude that matches nothing is silent.".into());
    first.contradictions = vec!["The title says four weeks, the text says three days.".into()];
    first.pattern_numbers = vec![59];
    first.evidence = vec![compose.clone(), call.clone()];
    first.body = "## Timeline\n\n| at | what |\n| --- | --- |\n| 05:12 | the sync |\n| 06:00 | the first till asks for a login |\n".into();
    incidents[1].status = IncidentStatus::Mitigated;
    incidents[7].status = IncidentStatus::Open;
    incidents
}

fn pattern(id: &str, title: &str, category: Category, severity: Severity, incidents: &[&str]) -> PatternEntry {
    PatternEntry {
        id: id.into(),
        title: title.into(),
        number: None,
        category,
        severity,
        lesson: "Look at what a path holds, and who uses it, before it is deleted.".into(),
        incidents: incidents.iter().map(|i| (*i).into()).collect(),
        why: "A service keeps its files open and goes on for minutes after its directory is gone; then it starts empty.".into(),
        do_instead: "Stop the service, move the directory aside:\n\n```sh\ndocker compose stop pg\n```".into(),
        caught: "```sh\n# cwd: /srv/src   live-data: /srv/bakery/.data/pg\nrsync -a --delete --exclude=data ./ /srv/bakery/\n```".into(),
        passed: "```sh\nrsync -an --delete ./ /srv/bakery/\n```".into(),
        speaks_in: vec!["guard", "investigate"],
        lookalikes: Vec::new(),
        path: None,
    }
}

fn patterns() -> Vec<PatternEntry> {
    let both =
        ["2026-01-23-sync-emptied-the-oven-database", "2026-01-23-till-sessions-gone", "2020-01-01-not-kept-here"];
    let mut fallback = pattern(
        "database-default-credential",
        "A service falls back to a default database password",
        Category::Auth,
        Severity::Major,
        &["2026-02-02-default-password"],
    );
    fallback.lookalikes =
        vec![("password-changed-after-init".into(), "the role accepts the configured password".into())];
    fallback.speaks_in = vec!["check", "investigate"];
    vec![
        fallback,
        pattern(
            "delete-live-data",
            "A command would delete data that a running service uses",
            Category::DataLoss,
            Severity::Critical,
            &both,
        ),
        PatternEntry {
            number: Some(12),
            ..pattern("unbounded-log", "A log grows without a bound", Category::Disk, Severity::Critical, &[])
        },
    ]
}

fn investigation(log: &Citation, call: &Citation) -> Kept {
    let at = |s: &str| s.parse::<jiff::Timestamp>().unwrap();
    let onset = at("2026-02-02T13:01:58Z");
    let event = |time: &str, source: &str, text: &str, evidence: Vec<Citation>| Event {
        at: at(time),
        source: source.into(),
        text: text.into(),
        evidence,
    };
    let reason = |text: &str, evidence: Vec<Citation>, count| Reason { text: text.into(), evidence, count };
    let first = Hypothesis {
        rank: 1,
        pattern: Some("database-default-credential".into()),
        title: "orders falls back to a default database password".into(),
        status: Status::Confirmed,
        score: 90,
        component: "orders".into(),
        because: vec![
            reason(
                "orders has no DATABASE_URL in its environment",
                vec![cite("docker/inspect.json#/2/Config/Env", "[\"PATH=/usr/bin\"]")],
                None,
            ),
            reason("oven-db refuses user \"oven\"", vec![log.clone()], Some(41)),
        ],
        against: vec![reason("one request at 13:05 succeeded", vec![cite("http/3.json", "200")], None)],
        explained_by: Some(Change {
            kind: ChangeKind::Command,
            at: Some(at("2026-02-02T13:01:40Z")),
            session: Some("7f3a".into()),
            agent: Some("claude/deploy".into()),
            tool_call: Some("41".into()),
            command: Some("docker compose --env-file new.env up -d orders".into()),
            commit: None,
            path: None,
            evidence: vec![call.clone()],
        }),
        lookalikes: vec![Lookalike {
            pattern: "password-changed-after-init".into(),
            title: "The password was changed after the volume was made".into(),
            verdict: LookalikeVerdict::RuledOut,
            text: "the role accepts the configured one".into(),
            evidence: vec![cite("docker/logs/oven-db.log:12", "connection authorized: user=oven")],
        }],
        remedy: "Add `DATABASE_URL` to `new.env`, then:\n\n```sh\ndocker compose --env-file new.env up -d orders\n```"
            .into(),
    };
    let second = Hypothesis {
        rank: 2,
        pattern: None,
        title: "till-cache restarted 40 min ago".into(),
        status: Status::Open,
        score: 5,
        component: "till-cache".into(),
        because: vec![reason("its StartedAt lies before the onset", Vec::new(), None)],
        against: vec![reason("no path leads from it to the symptom", Vec::new(), None)],
        explained_by: None,
        lookalikes: Vec::new(),
        remedy: String::new(),
    };
    Kept {
        id: "3c81aa07".into(),
        at: Some(at("2026-02-02T13:24:00Z")),
        report: Investigation {
            schema: INVESTIGATION_SCHEMA.into(),
            symptom: Symptom {
                given: "https://bakery.example.org/api/orders".into(),
                kind: SymptomKind::Url,
                observed: "GET /api/orders answers 500".into(),
                onset: Some(onset),
                evidence: vec![cite("http/1.json", "500 Internal Server Error")],
            },
            hypotheses: vec![first, second],
            timeline: vec![
                event(
                    "2026-02-02T13:01:40Z",
                    "agent",
                    "docker compose --env-file new.env up -d orders",
                    vec![call.clone()],
                ),
                event("2026-02-02T13:01:52Z", "docker", "orders created", Vec::new()),
                event(
                    "2026-02-02T13:01:58Z",
                    "log",
                    "password authentication failed for user \"oven\"",
                    vec![log.clone()],
                ),
                event("2026-02-02T13:01:59Z", "log", "password authentication failed for user \"oven\"", Vec::new()),
                event("2026-02-02T13:02:11Z", "http", "500 on /api/orders", Vec::new()),
            ],
            steps: vec![
                Step {
                    number: 1,
                    title: "Establish what is broken".into(),
                    done: vec!["GET /api/orders: 500 since 13:01:58".into()],
                },
                Step {
                    number: 4,
                    title: "Read the logs".into(),
                    done: vec!["41 refused logins in docker/logs/oven-db.log".into()],
                },
            ],
            coverage: vec![Coverage {
                source: Source::ContainerLog,
                what: "logs of oven-db".into(),
                from: Some(at("2026-02-02T12:00:00Z")),
                to: Some(at("2026-02-02T13:24:00Z")),
                amount: "1,204 lines".into(),
            }],
            could_not_look: vec![CouldNotLook {
                what: "host journal".into(),
                why: Why::Denied,
                detail: "no permission".into(),
            }],
        },
    }
}

/// An incident, a pattern and an investigation with markup in every field.
pub fn hostile() -> Book {
    const X: &str = "<script>alert('x')</script>\"'><img src=x onerror=alert(1)>";
    let citation = Citation { id: X.into(), source: Source::Log, locator: X.into(), text: X.into() };
    let mut book = bakery();
    let kept = &mut book.investigations[0];
    let report = &mut kept.report;
    for text in [&mut report.symptom.given, &mut report.symptom.observed] {
        *text = X.to_owned();
    }
    for h in &mut report.hypotheses {
        h.title = X.into();
        h.component = X.into();
        h.remedy = X.into();
        h.pattern = Some(X.into());
        h.because = vec![Reason { text: X.into(), evidence: vec![citation.clone()], count: None }];
        h.explained_by = Some(Change {
            kind: ChangeKind::Commit,
            at: None,
            session: Some(X.into()),
            agent: Some(X.into()),
            tool_call: Some(X.into()),
            command: Some(X.into()),
            commit: Some(X.into()),
            path: Some(X.into()),
            evidence: vec![citation.clone()],
        });
        h.lookalikes = vec![Lookalike {
            pattern: X.into(),
            title: X.into(),
            verdict: LookalikeVerdict::RuledOut,
            text: X.into(),
            evidence: vec![citation.clone()],
        }];
    }
    for e in &mut report.timeline {
        (e.source, e.text) = (X.into(), X.into());
    }
    report.steps = (1..=6).map(|number| Step { number, title: X.into(), done: vec![X.into()] }).collect();
    report.coverage[0].what = X.into();
    report.coverage[0].amount = X.into();
    report.could_not_look[0].what = X.into();
    report.could_not_look[0].detail = X.into();
    let some = || Some(X.to_owned());
    book.incidents = vec![Incident {
        id: X.into(),
        title: X.into(),
        date: some(),
        date_approximate: true,
        severity: None,
        status: IncidentStatus::Open,
        category: None,
        sessions: vec![X.into()],
        recurring: true,
        what_happened: some(),
        root_cause: some(),
        data_lost: some(),
        fix: some(),
        lesson: some(),
        pattern_numbers: vec![1],
        patterns: vec!["delete-live-data".into(), X.into()],
        contradictions: vec![X.into()],
        evidence: vec![citation],
        body: format!(
            "# {X}\n\n{X}\n\n```{X}\n{X}\n```\n\n[{X}](javascript:alert(1)) ![{X}](https://evil.example/x.png)\n\n| {X} |\n| --- |\n| {X} |\n\n<{X}"
        ),
    }];
    book.patterns.push(PatternEntry {
        number: Some(1),
        why: X.into(),
        do_instead: X.into(),
        caught: X.into(),
        passed: X.into(),
        path: some(),
        lesson: X.into(),
        lookalikes: vec![(X.into(), X.into())],
        ..pattern(X, X, Category::Cost, Severity::Minor, &[X])
    });
    book.problems = vec![
        Problem { kind: ProblemKind::Contradiction, incident: Some(X.into()), text: X.into() },
        Problem { kind: ProblemKind::Order, incident: None, text: X.into() },
    ];
    book.drafts = vec![PatternDraft { number: Some(2), title: X.into(), ..PatternDraft::default() }];
    book.could_not_read = vec![X.into()];
    book
}
