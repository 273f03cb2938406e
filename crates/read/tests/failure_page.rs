//! Whole pages through the reader: what they hold, and what they get wrong.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test panics where it fails"
)]

use std::collections::BTreeMap;

use coroner_model::incident::{IncidentStatus, ProblemKind};
use coroner_read::failure_page::{Page, read};

/// A file of the outside material, or `None` with a line that says so.
fn outside(path: &str) -> Option<String> {
    let root = std::env::var_os("CORONER_FIXTURES")?;
    std::fs::read_to_string(std::path::Path::new(&root).join(path)).ok()
}

fn kinds(page: &Page) -> BTreeMap<&'static str, usize> {
    let mut counts = BTreeMap::new();
    for problem in &page.problems {
        let name = match problem.kind {
            ProblemKind::StatusAsSeverity => "status-as-severity",
            ProblemKind::Undated => "undated",
            ProblemKind::Contradiction => "contradiction",
            ProblemKind::CountMismatch => "count-mismatch",
            ProblemKind::Order => "order",
            ProblemKind::Unreadable => "unreadable",
        };
        *counts.entry(name).or_default() += 1;
    }
    counts
}

#[test]
fn the_page_that_the_project_was_made_from() {
    let Some(text) = outside("seed/forensics.txt") else {
        println!("skipped: CORONER_FIXTURES is not set");
        return;
    };
    let page = read(&text, "forensics.txt").expect("a failure page");
    assert_eq!(page.incidents.len(), 29);
    for incident in &page.incidents {
        for field in [&incident.what_happened, &incident.root_cause, &incident.fix, &incident.lesson] {
            let field = field.as_deref().unwrap_or_else(|| panic!("{}: a label is missing", incident.id));
            assert!(text.contains(field), "{}: not on the page: {field}", incident.id);
        }
        assert!(text.contains(&incident.title) && incident.category.is_some() && !incident.sessions.is_empty());
        assert_eq!(incident.body, "");
    }
    assert_eq!(page.incidents.iter().filter(|i| i.data_lost.is_some()).count(), 1);
    assert_eq!(
        page.incidents.iter().filter(|i| i.recurring && i.date.is_none() && i.sessions == ["Multiple"]).count(),
        2
    );
    let ungraded: Vec<_> = page.incidents.iter().filter(|i| i.severity.is_none()).collect();
    assert_eq!((ungraded.len(), ungraded[0].status), (1, IncidentStatus::Resolved));
    let want = [("contradiction", 1), ("count-mismatch", 2), ("order", 1), ("status-as-severity", 1), ("undated", 2)];
    assert_eq!(kinds(&page), BTreeMap::from(want));
}

fn fixture(name: &str) -> Page {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name);
    read(&std::fs::read_to_string(&path).expect("fixture"), name).expect("a failure page")
}

#[test]
fn our_own_page_as_text() {
    let page = fixture("failure-page.txt");
    let ids: Vec<&str> = page.incidents.iter().map(|i| i.id.as_str()).collect();
    assert_eq!(
        ids,
        [
            "2026-03-14-mirror-job-emptied-the-photo-archive",
            "2026-03-20-offsite-copies-stopped-2-weeks",
            "2026-01-05-booking-form-unreachable-after-a-hand-made-container",
            "undated-new-routes-ignored-until-the-proxy-restarts",
            "2026-04-02-price-page-shipped-with-last-year-s-numbers",
        ]
    );
    let first = &page.incidents[0];
    assert!(
        first.what_happened.as_deref().is_some_and(|t| t.ends_with("Root cause: was first thought to be the disk."))
    );
    assert_eq!(first.root_cause.as_deref(), Some("The ignore rule matched no path, and nothing warned about that."));
    let second = &page.incidents[1];
    assert_eq!(
        second.root_cause.as_deref(),
        Some("One failed deletion ended the script before the copy. Fix attempts were made by hand.")
    );
    assert_eq!((second.sessions.clone(), second.pattern_numbers.clone()), (vec!["33-B".to_owned()], vec![12]));
    let want = [("contradiction", 1), ("count-mismatch", 1), ("order", 1), ("status-as-severity", 1), ("undated", 1)];
    assert_eq!(kinds(&page), BTreeMap::from(want));
}

#[test]
fn html_gives_what_its_text_gives() {
    assert_eq!(fixture("failure-page.html"), fixture("failure-page.txt"));
}

#[test]
fn markdown_with_other_labels_gives_the_same_records() {
    let (markdown, text) = (fixture("failure-page.md"), fixture("failure-page.txt"));
    assert_eq!(markdown.incidents, text.incidents);
    assert_eq!(kinds(&markdown), kinds(&text));
}

/// What must be the same in an incident of the page and its counterpart in the casebook.
type Facts = (
    Option<String>,
    Option<coroner_model::Severity>,
    Option<coroner_model::Category>,
    Vec<String>,
    bool,
    Vec<u32>,
    bool,
);

fn facts(incidents: &[coroner_model::incident::Incident]) -> Vec<Facts> {
    let mut facts: Vec<Facts> = incidents
        .iter()
        .map(|i| {
            (
                i.date.clone(),
                i.severity,
                i.category,
                i.sessions.clone(),
                i.recurring,
                i.pattern_numbers.clone(),
                i.data_lost.is_some(),
            )
        })
        .collect();
    facts.sort();
    facts
}

#[test]
fn the_casebook_keeps_the_facts_of_the_page_and_none_of_its_sentences() {
    let Some(text) = outside("seed/forensics.txt") else {
        println!("skipped: CORONER_FIXTURES is not set");
        return;
    };
    let page = read(&text, "forensics.txt").expect("a failure page");
    let book = coroner_read::casebook::incidents().expect("the casebook reads");
    assert_eq!(facts(&book), facts(&page.incidents));
    // Command lines and messages in backticks are what they are in both.
    let words = |text: &str| {
        let prose = text.split('`').step_by(2).collect::<Vec<_>>().join(" | ");
        let lower = prose.to_lowercase();
        lower.split(|c: char| !c.is_alphanumeric() && c != '|').filter(|w| !w.is_empty()).collect::<Vec<_>>().join(" ")
    };
    let source = format!(" {} ", words(&text));
    for incident in &book {
        let told =
            [&incident.what_happened, &incident.root_cause, &incident.data_lost, &incident.fix, &incident.lesson];
        for told in told.into_iter().flatten().chain([&incident.title, &incident.body]) {
            let told: Vec<String> = words(told).split(' ').map(str::to_owned).collect();
            for run in told.windows(6) {
                assert!(
                    !source.contains(&format!(" {} ", run.join(" "))),
                    "{}: copied: {}",
                    incident.id,
                    run.join(" ")
                );
            }
        }
    }
}

fn titles(page: &Page) -> Vec<&str> {
    page.incidents.iter().map(|i| i.title.as_str()).collect()
}

fn numbers(page: &Page) -> Vec<Option<u32>> {
    page.drafts.iter().map(|d| d.number).collect()
}

#[test]
fn a_page_that_is_right_about_itself_has_no_problems() {
    let page = fixture("pages/right-about-itself.txt");
    assert_eq!((page.incidents.len(), page.problems), (3, vec![]));
}

#[test]
fn lines_that_are_wrapped_are_joined() {
    let page = fixture("pages/wrapped-lines.txt");
    assert_eq!(
        titles(&page),
        ["Checkout charged customers twice", "Search index dropped on deploy", "Wrong time zone in invoices"]
    );
    assert_eq!(page.incidents[0].date.as_deref(), Some("2026-03-02T14:05:00Z"));
    assert!(
        page.incidents[0].what_happened.as_deref().is_some_and(|t| t.contains("retried a payment request whenever"))
    );
    assert!(page.incidents[1].body.contains("### Detection\n\nA customer called."));
    assert_eq!(kinds(&page), BTreeMap::new());
}

#[test]
fn numbered_headings_lists_and_code_stay_whole() {
    let page = fixture("pages/numbered-headings.md");
    assert_eq!(titles(&page), ["API unreachable for 20 minutes", "Disk full"]);
    assert!(page.incidents[0].root_cause.as_deref().is_some_and(|t| t.contains("```sh\n## not a heading\n")));
    assert_eq!(page.incidents[0].fix.as_deref(), Some("- used 127.0.0.1\n- restarted the container"));
    assert_eq!(page.incidents[1].status, IncidentStatus::Mitigated);
    assert_eq!(kinds(&page), BTreeMap::from([("unreadable", 1)]));
}

#[test]
fn one_report_is_one_incident() {
    let page = fixture("pages/single-report.md");
    let [incident] = page.incidents.as_slice() else { panic!("{:?}", titles(&page)) };
    assert_eq!(incident.root_cause.as_deref(), Some("The load was high and a handle leaked with each miss."));
    assert!(
        incident.lesson.as_deref().is_some_and(|t| t.starts_with("#### What went well") && t.ends_with("the switch."))
    );
    for part in ["### Impact", "### Trigger", "### Detection", "### Timeline"] {
        assert!(incident.body.contains(part), "{part}");
    }
    assert_eq!((incident.status, incident.data_lost.as_deref()), (IncidentStatus::Resolved, None));
}

#[test]
fn a_table_holds_a_record_a_row() {
    let page = fixture("pages/table-of-records.md");
    assert_eq!(titles(&page), ["Queue stuck", "Cache flushed", "Cron doubled"]);
    assert!(page.incidents.iter().all(|i| i.body.is_empty() && i.root_cause.is_some()));
    assert_eq!(kinds(&page), BTreeMap::from([("undated", 1)]));
}

#[test]
fn failure_logs_become_drafts_and_dated_entries_incidents_too() {
    let page = fixture("pages/log-headings.md");
    assert_eq!(
        (numbers(&page), titles(&page)),
        (vec![Some(59), Some(60), Some(61)], vec!["Calling failures optional"])
    );
    assert_eq!(page.incidents[0].pattern_numbers, [60]);
    assert_eq!(page.drafts[0].severity, Some(coroner_model::Severity::Major));
    assert_eq!(page.drafts[2].fields[1], ("Cause".to_owned(), "restart reuses the old environment.".to_owned()));
    let mixed = fixture("pages/log-mixed.md");
    assert_eq!(
        (numbers(&mixed), titles(&mixed)),
        (vec![Some(101), Some(102), Some(103)], vec!["First thing", "Third thing"])
    );
    for (name, want) in [
        ("log-list.md", vec![Some(1), Some(2), Some(59)]),
        ("log-text.txt", vec![Some(59), Some(60)]),
        ("log-nested.md", vec![Some(12), Some(13)]),
    ] {
        let page = fixture(&format!("pages/{name}"));
        assert_eq!((numbers(&page), page.incidents.len()), (want, 0), "{name}");
        assert!(page.drafts.iter().all(|d| d.fields.len() == 2), "{name}: {:?}", page.drafts);
    }
}

#[test]
fn numbers_and_dates_of_a_log_stand_in_many_places() {
    for (name, text, title) in [
        (
            "list.md",
            "# Failure log\n\n1. **Sync removed data** — all of it. *Why:* an exclude.\n2. **Prune took volumes** (2025-04-01) — two of them. *Why:* a flag.\n3. **Kill lost writes** — the last ones. *Instead:* stop it.\n",
            "Prune took volumes",
        ),
        (
            "table.md",
            "# Failures\n\n| # | Failure | Root cause | Date |\n|---|---|---|---|\n| 1 | Disk full | a log | |\n| 2 | Gateway errors | a network | 2025-02-03 |\n| 3 | Key refused | a typo | |\n",
            "Gateway errors",
        ),
        (
            "heads.md",
            "# Failures\n\n## #1: No backups\n\n- Root cause: none\n\n## #2 (2025-02-03): Restart kept variables\n\n- Root cause: not read\n\n## #3: Ports\n\n- Lesson: ask\n",
            "Restart kept variables",
        ),
    ] {
        let page = read(text, name).expect(name);
        assert_eq!((numbers(&page), titles(&page)), (vec![Some(1), Some(2), Some(3)], vec![title]), "{name}");
        assert_eq!(
            (page.incidents[0].pattern_numbers.as_slice(), page.problems.as_slice()),
            ([2].as_slice(), [].as_slice())
        );
    }
}

#[test]
fn a_list_of_links_may_be_html() {
    let text = "<html><body><h1>Public post-mortems</h1><ul><li><a href=\"https://a.example/x\">Tollgate 2017-01-31</a> the wrong folder went</li><li><a href=\"https://b.example/y\">Ferry</a>. A rule took the CPU.</li><li><a href=\"#top\">Top</a></li></ul></body></html>";
    let page = read(text, "list.html").expect("a list");
    assert_eq!((page.links.len(), page.incidents[0].date.as_deref()), (2, Some("2017-01-31")));
    assert_eq!(page.links[1].url, "https://b.example/y");
}

#[test]
fn links_to_post_mortems_become_stubs() {
    let page = fixture("pages/links.md");
    let dates: Vec<Option<&str>> = page.incidents.iter().map(|i| i.date.as_deref()).collect();
    assert_eq!(dates, [Some("2017-02-28"), None, Some("2017-01-31"), None]);
    assert_eq!(page.incidents[1].title, "Tollgate: A counter wrapped and all gates stayed shut");
    assert_eq!(page.incidents[2].body, "Source: <https://millpond.example/a(b)>");
    assert_eq!(
        page.incidents[3].what_happened.as_deref(),
        Some("- involved: `admission webhook`\n- impact: no pod could start")
    );
    assert_eq!((page.links.len(), kinds(&page)), (4, BTreeMap::from([("undated", 2)])));
}

#[test]
fn files_of_other_kinds_are_refused() {
    for (name, text) in [
        (
            "README.md",
            "# Tool\n\nA tool that fixes incidents.\n\n## Description\n\nIt does.\n\n## Summary\n\n- [Docs](https://a.example/d) the docs\n- [API](https://a.example/p) the API\n",
        ),
        (
            "CHANGELOG.md",
            "# Changelog\n\n## [1.2.0] - 2026-01-01\n### Fixed\n- a crash\n\n## [1.1.0] - 2025-12-01\n### Fixed\n- an outage\n",
        ),
        ("rfc.md", "# RFC 12\nDate: 2026-01-01\nStatus: Accepted\n## Summary\nAdd a budget.\n## Solution\nA budget.\n"),
        ("app.log", "2026-01-23 05:12:09 ERROR db down\n2026-01-23 05:12:10 ERROR db down\n"),
        ("data.csv", "name,date,severity\na,2026-01-01,high\n"),
        ("steps.md", "# Install\n1. Download it. Fix: none needed.\n2. Unpack it.\n3. Run it.\n"),
        (
            "glossary.md",
            "# Words\n\n| word | meaning |\n|---|---|\n| **Lesson** | what to remember |\n| **Probe** | a question |\n| **Answer** | what it brought |\n| **World** | where from |\n| **Root cause** | what a person accepted |\n| **Scene** | what was read |\n| **Symptom** | what a person saw |\n| **Token** | a secret's place |\n",
        ),
        ("x.json", "{\"a\":1}"),
        ("shop.html", "<html><body><h1>Welcome</h1><p>Our shop sells shoes.</p></body></html>"),
    ] {
        let error = read(text, name).expect_err(name);
        assert!(error.to_string().starts_with(name) && error.hint().contains("What happened"), "{error}");
    }
    assert!(read("", "empty.txt").is_err_and(|e| e.to_string() == "empty.txt is empty"));
}

/// A small page: a header, an introduction, and four records whose parts can be changed.
fn small_page(header: &str, change: impl Fn(&mut [[String; 4]; 4])) -> Page {
    let record = |session: &str, date: &str, title: &str, severity: &str| {
        [format!("Session {session} {date}"), title.to_owned(), severity.to_owned(), "It stopped.".to_owned()]
    };
    let mut records = [
        record("1", "2026-01-02", "Queue stalled", "Critical"),
        record("2", "2026-01-05", "Cache emptied", "Major"),
        record("3", "2026-02-01", "Index dropped", "Minor"),
        record("4", "2026-02-03", "Mail lost", "Major"),
    ];
    change(&mut records);
    let mut text = format!("Ops\n\n{header}\n\nDisk Trouble\n\n");
    for [facts, title, severity, told] in &records {
        text.push_str(&format!(
            "{facts}\n{title}\n{severity}\nWhat Happened {told} Root Cause A typo. Fix Undone. Lesson Look twice.\n"
        ));
    }
    let page = read(&text, "page.txt").expect("a failure page");
    assert_eq!(page.incidents.len(), 4, "{text}");
    page
}

#[test]
fn figures_are_held_against_what_the_page_holds() {
    for (header, want) in [
        ("4 Incidents\n1 Critical\n2 Major\n45 Anti-Patterns\n200+ Commits", 0),
        ("4\nIncidents\n1\nCritical", 0),
        ("Incidents\n4\nIncidents\n1\nCritical\n80+\nSessions", 0),
        ("Incidents\n4\nCritical\n1", 0),
        ("Incidents\n5\nCritical\n2", 2),
        ("This page lists four incidents from two years, out of 60 outages.", 0),
        ("This page lists six incidents from two years.", 1),
        ("7\nIncidents\n3\nCritical", 2),
        ("Total incidents: 6", 1),
        ("The nine incidents below cost us sleep.", 1),
        ("The four incidents below cost us sleep. We had 2 incidents in one week last year.", 0),
        ("3+ Incidents\n14 days since last incident", 0),
        ("10+ Incidents", 1),
        ("2 Blocker", 1),
    ] {
        let page = small_page(header, |_| {});
        assert_eq!(
            kinds(&page),
            if want == 0 { BTreeMap::new() } else { BTreeMap::from([("count-mismatch", want)]) },
            "{header}"
        );
    }
}

#[test]
fn a_claimed_order_is_checked() {
    for (claim, kept) in [
        ("Sorted chronologically, oldest first.", true),
        ("Incidents are listed in reverse chronological order.", false),
        ("Newest first.", false),
        ("A list of what broke.", true),
    ] {
        assert_eq!(small_page(claim, |_| {}).problems.is_empty(), kept, "{claim}");
    }
}

#[test]
fn words_in_the_place_of_a_severity_are_told_apart() {
    for (word, kind) in
        [("Mitigated", "status-as-severity"), ("Closed", "status-as-severity"), ("Purple", "unreadable")]
    {
        let page = small_page("", |r| r[2][2] = word.to_owned());
        assert_eq!(kinds(&page), BTreeMap::from([(kind, 1)]), "{word}");
        assert_eq!((page.incidents[2].title.as_str(), page.incidents[2].severity), ("Index dropped", None));
    }
    assert_eq!(kinds(&small_page("", |r| r[2][2] = "SEV3".to_owned())), BTreeMap::new());
}

#[test]
fn missing_dates_are_reported_and_not_made_up() {
    for facts in ["Multiple Recurring", "Session 7 Date unknown", "Session 7"] {
        let page = small_page("", |r| r[0][0] = facts.to_owned());
        assert_eq!(
            (kinds(&page), page.incidents[0].date.as_deref()),
            (BTreeMap::from([("undated", 1)]), None),
            "{facts}"
        );
    }
}

#[test]
fn a_title_is_held_against_its_text() {
    for (title, told, want) in [
        (
            "Metrics missing (6 Months)",
            "No samples were stored since December 20 until January 5, when it was noticed.",
            1,
        ),
        ("Metrics missing for two weeks", "No samples were stored from Dec 22 to Jan 5.", 0),
        ("Login down for 5 hours", "Login was unavailable from 09:00 to 09:40.", 1),
        ("Retry storm after 30-second timeout", "Requests piled up for 20 minutes.", 0),
    ] {
        let page = small_page("", |r| (r[1][1], r[1][3]) = (title.to_owned(), told.to_owned()));
        assert_eq!((page.problems.len(), page.incidents[1].contradictions.len()), (want, want), "{title}");
    }
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig { cases: 120, failure_persistence: None, ..Default::default() })]

    /// A damaged page may be refused or read in part; the reader itself stands.
    #[test]
    fn damaged_pages_are_survived(
        file in 0usize..4,
        cuts in proptest::collection::vec((0usize..6000, 0usize..40, "[ -~\u{a0}äß—→•\u{1F4A5}<>&;#*|\n]{0,8}"), 1..6),
    ) {
        let name = ["failure-page.txt", "failure-page.html", "failure-page.md", "pages/log-headings.md"][file];
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name);
        let mut text: Vec<char> = std::fs::read_to_string(&path).expect("fixture").chars().collect();
        for (at, len, put) in cuts {
            let at = at % text.len();
            let end = (at + len).min(text.len());
            text.splice(at..end, put.chars());
        }
        let text: String = text.into_iter().collect();
        if let Ok(page) = read(&text, name) {
            proptest::prop_assert!(page.incidents.iter().all(|i| !i.title.is_empty() && !i.id.as_str().is_empty()));
        }
    }
}
