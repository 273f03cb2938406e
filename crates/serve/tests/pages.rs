//! What the pages say, over a real listener.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test panics where it fails"
)]

mod made_up;

use coroner_model::incident::Incident;
use coroner_verbs::book::Book;
use made_up::{bakery, get, hostile, send, serve};

const PAGES: [&str; 7] =
    ["/", "/incidents", "/taxonomy", "/patterns", "/method", "/investigations", "/investigations/3c81aa07"];

#[test]
fn the_timeline_counts_what_it_shows() {
    let addr = serve(bakery());
    let all = get(addr, "/");
    assert_eq!(all.status, 200);
    assert!(all.body.contains("<b>9</b> shown of <b>9</b>"), "{}", all.body);
    assert_eq!(all.body.matches("<article").count(), 9);
    assert!(all.body.contains("undated") && all.body.contains("about 2025-11-29") && all.body.contains("recurring"));
    assert!(all.body.contains("it says 26 and lists 9"));
    let critical = get(addr, "/incidents?severity=critical&q=SYNC+exclude");
    assert!(critical.body.contains("<b>1</b> shown of <b>9</b>"), "{}", critical.body);
    assert!(
        critical.body.contains("value=\"SYNC exclude\"")
            && critical.body.contains("name=\"severity\" value=\"critical\"")
    );
    let category = get(addr, "/incidents?order=category").body;
    assert!(category.find("emptied the oven").unwrap() < category.find("filled the disk").unwrap());
    let time = get(addr, "/incidents").body;
    assert!(time.find("filled the disk").unwrap() < time.find("emptied the oven").unwrap());
}

#[test]
fn nothing_found_says_what_to_loosen() {
    let addr = serve(bakery());
    let none = get(addr, "/incidents?q=zeppelin&severity=major");
    assert_eq!(none.status, 200);
    assert!(none.body.contains("No incidents match your search."));
    assert!(
        none.body.contains("href=\"/incidents?severity=major\"") && none.body.contains("4 incidents"),
        "{}",
        none.body
    );
    assert!(none.body.contains("clear all") && !none.body.contains("0 incidents"), "what helps nothing is not offered");
    let empty = get(serve(Book::default()), "/");
    assert!(empty.body.contains("No incident is kept yet") && !empty.body.contains("match your search"));
}

#[test]
fn an_incident_shows_its_fields_and_what_stops_a_repeat() {
    let addr = serve(bakery());
    let page = get(addr, "/incidents/2026-01-23-sync-emptied-the-oven-database").body;
    for part in [
        "What happened",
        "Root cause",
        "Data lost",
        "Fix",
        "Lesson",
        "What the record gets wrong",
        "four weeks",
        "Would it happen again?",
        "/patterns/delete-live-data",
        "rsync -a --delete --exclude=data",
        "#59 of its failure log: Sync over a running stack",
        "Similar incidents",
        "The tills lost their sessions",
        "files/srv/bakery/compose.yml:14",
        "<table>",
        "sha256",
    ] {
        assert!(page.contains(part), "{part} is missing: {page}");
    }
    assert!(!page.contains("The source does not say"));
    let bare = get(addr, "/incidents/undated-wrong-port").body;
    assert!(bare.contains("The source does not say: root cause, data lost, fix, lesson."));
    assert!(
        bare.contains("No anti-pattern lists this incident")
            && bare.contains("undated")
            && bare.contains("carries no date")
    );
}

#[test]
fn the_other_pages_compute_what_they_say() {
    let addr = serve(bakery());
    let taxonomy = get(addr, "/taxonomy").body;
    assert!(taxonomy.contains("<b>9</b> incidents and <b>3</b> anti-patterns"));
    assert!(
        taxonomy.contains("data-loss</a> <span class=\"n\">2</span>") && taxonomy.contains("uncategorised"),
        "{taxonomy}"
    );
    let pattern = get(addr, "/patterns/delete-live-data").body;
    assert!(pattern.contains("2020-01-01-not-kept-here") && pattern.contains("Passed") && pattern.contains("built in"));
    assert!(get(addr, "/patterns").body.contains("Sync over a running stack"));
    let method = get(addr, "/method").body;
    assert!(method.contains("41 refused logins") && method.contains("nothing at this step"));
    let investigation = get(addr, "/investigations/3c81aa07").body;
    for part in [
        "<svg",
        "confirmed",
        "because",
        "against",
        "ruled out",
        "changed by",
        "session 7f3a",
        "×41",
        "×2",
        "−18 s",
        "Could not look",
        "no permission",
        "1,204 lines",
        "2026-02-02 UTC",
        "coroner incident learn 3c81aa07",
        "class=\"gone\"",
    ] {
        assert!(investigation.contains(part), "{part} is missing: {investigation}");
    }
    assert_eq!(get(addr, "/healthz").body, "ok\n");
}

#[test]
fn markup_in_any_field_stays_text() {
    let addr = serve(hostile());
    let id = "%3Cscript%3Ealert%28%27x%27%29%3C%2Fscript%3E%22%27%3E%3Cimg%20src%3Dx%20onerror%3Dalert%281%29%3E";
    let mut paths: Vec<String> = PAGES.map(str::to_owned).into();
    paths.extend([
        format!("/incidents/{id}"),
        format!("/patterns/{id}"),
        format!("/incidents?q={id}"),
        format!("/incidents?session={id}&order={id}"),
    ]);
    for path in paths {
        let page = get(addr, &path);
        assert_eq!(page.status, 200, "{path}");
        let scripts = page.body.matches("<script").count();
        assert_eq!(scripts, 1, "{path}: only the page's own script: {}", page.body);
        assert!(!page.body.contains("<img") && !page.body.contains("\"'>"), "{path}: {}", page.body);
        assert!(!page.body.contains("href=\"javascript") && !page.body.contains("evil.example"), "{path}");
        assert!(!page.body.contains(" style=") && !page.body.contains(" onerror=alert(1)>"), "{path}");
        // What was written can be read, as text.
        assert!(path == "/taxonomy" || path == "/patterns" || page.body.contains("alert("), "{path}");
    }
}

#[test]
fn only_this_machines_own_requests_are_answered() {
    let addr = serve(bakery());
    let port = addr.port();
    let with =
        |headers: &str| send(addr, &format!("GET /incidents HTTP/1.1\r\n{headers}Connection: close\r\n\r\n")).status;
    for own in [
        format!("Host: 127.0.0.1:{port}\r\n"),
        format!("Host: localhost:{port}\r\nSec-Fetch-Site: none\r\n"),
        format!("Host: [::1]:{port}\r\nSec-Fetch-Site: same-origin\r\n"),
        format!("Host: localhost:{port}\r\nOrigin: http://localhost:{port}\r\n"),
    ] {
        assert_eq!(with(&own), 200, "{own}");
    }
    for foreign in [
        "Host: evil.example\r\n".to_owned(),
        format!("Host: evil.example:{port}\r\n"),
        "Host: 127.0.0.1\r\n".to_owned(),
        "Host: 127.0.0.1:1\r\n".to_owned(),
        format!("Host: localhost.evil.example:{port}\r\n"),
        String::new(),
        format!("Host: localhost:{port}\r\nHost: evil.example\r\n"),
        format!("Host: localhost:{port}\r\nOrigin: https://evil.example\r\n"),
        format!("Host: localhost:{port}\r\nOrigin: null\r\n"),
        format!("Host: localhost:{port}\r\nOrigin: http://localhost:1\r\n"),
        format!("Host: localhost:{port}\r\nSec-Fetch-Site: cross-site\r\n"),
        format!("Host: localhost:{port}\r\nSec-Fetch-Site: same-site\r\n"),
    ] {
        let status = with(&foreign);
        assert!(status == 403 || (status == 400 && !foreign.contains("Host: l")), "{status} for {foreign}");
    }
    let absolute = format!("GET http://evil.example/ HTTP/1.1\r\nHost: localhost:{port}\r\nConnection: close\r\n\r\n");
    assert_eq!(send(addr, &absolute).status, 403);
    let refused = send(
        addr,
        &format!(
            "GET /taxonomy HTTP/1.1\r\nHost: localhost:{port}\r\nSec-Fetch-Site: cross-site\r\nConnection: close\r\n\r\n"
        ),
    );
    assert!(refused.body.contains("Refused") && refused.body.contains("href=\"/taxonomy\""), "{}", refused.body);
    assert!(!refused.body.contains("incidents and"), "nothing of the book is told");
}

#[test]
fn only_reading_and_nothing_outside_the_book() {
    let addr = serve(bakery());
    for method in ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"] {
        let answer = send(
            addr,
            &format!("{method} /incidents HTTP/1.1\r\nHost: {addr}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"),
        );
        assert_eq!(answer.status, 405, "{method}");
    }
    let head = send(addr, &format!("HEAD /incidents HTTP/1.1\r\nHost: {addr}\r\nConnection: close\r\n\r\n"));
    assert_eq!((head.status, head.body.as_str()), (200, ""));
    for path in [
        "/../../etc/passwd",
        "/incidents/../../../etc/passwd",
        "/assets/..%2f..%2fCargo.toml",
        "/assets/../src/lib.rs",
        "/incidents/%2e%2e%2f%2e%2e%2fetc%2fpasswd",
        "/patterns/..%2f..%2fetc%2fpasswd",
        "/investigations/%00",
        "/nothing",
    ] {
        let answer = get(addr, path);
        assert!(matches!(answer.status, 400 | 404), "{path}: {}", answer.status);
        assert!(!answer.body.contains("root:") && !answer.body.contains("[package]"), "{path}");
    }
}

#[test]
fn every_answer_carries_the_headers_and_stays_small() {
    let addr = serve(bakery());
    let assets = ["/assets/coroner.css", "/assets/keys.js", "/assets/icon.svg", "/incidents/nothing", "/healthz"];
    for path in PAGES.into_iter().chain(assets) {
        let page = get(addr, path);
        for header in [
            "content-security-policy: default-src 'none'",
            "x-content-type-options: nosniff",
            "referrer-policy: no-referrer",
            "cache-control: ",
        ] {
            assert!(page.head.contains(header), "{path} lacks {header}: {}", page.head);
        }
        assert!(!page.head.contains("unsafe"), "{path}");
        assert!(page.body.len() < 100_000, "{path}: {} bytes", page.body.len());
        for outside in ["src=\"http", "src=\"//", "@import", "url(http", "<link rel=\"stylesheet\" href=\"http"] {
            assert!(!page.body.contains(outside), "{path} fetches from outside: {outside}");
        }
    }
}

#[test]
fn many_incidents_come_in_pages_under_a_hundred_kilobytes() {
    let text = "word ".repeat(400);
    let incidents = (0..500).map(|n| Incident {
        id: format!("2026-01-{:02}-number-{n}", n % 28 + 1).as_str().into(),
        title: format!("Number {n}"),
        date: Some(format!("2026-01-{:02}", n % 28 + 1)),
        sessions: vec![n.to_string()],
        what_happened: Some(text.clone()),
        ..Incident::default()
    });
    let addr = serve(Book { incidents: incidents.collect(), ..Book::default() });
    let first = get(addr, "/incidents");
    for page in [&first, &get(addr, "/taxonomy"), &get(addr, "/incidents?order=category")] {
        assert!(page.body.len() < 100_000, "{} bytes", page.body.len());
    }
    assert!(first.body.contains("492 more") && first.body.contains("that a search finds"));
    assert!(first.body.contains("page 1 of 9") && first.body.contains("page=2"));
    assert!(get(addr, "/incidents?page=9").body.contains("page 9 of 9"));
    assert!(get(addr, "/incidents?page=999").body.contains("page 9 of 9"));
}

#[test]
fn it_listens_on_this_machine_only() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    for addr in ["0.0.0.0:0", "[::]:0", "127.0.0.2:0"] {
        let open = || Ok(std::sync::Arc::new(Book::default()));
        let refused = runtime.block_on(coroner_serve::serve(open, addr.parse().unwrap(), |_| panic!("listens")));
        assert!(refused.unwrap_err().to_string().contains("is not 127.0.0.1"), "{addr}");
    }
}

#[test]
fn a_book_that_does_not_open_is_said_so() {
    let (tell, told) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let open = || Err("the store is locked".into());
        runtime.block_on(coroner_serve::serve(open, "127.0.0.1:0".parse().unwrap(), move |a| tell.send(a).unwrap()))
    });
    let addr = told.recv().unwrap();
    let page = get(addr, "/");
    assert!(page.status == 500 && page.body.contains("the store is locked"));
    assert_eq!(get(addr, "/healthz").status, 500);
}
