//! The pages in a real browser: headless Chromium, wide and narrow, light and dark.
//!
//! Screenshots go to the folder in `CORONER_SCREENSHOTS`, where it is set, to be
//! looked at.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test panics where it fails"
)]

mod made_up;

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use made_up::{bakery, get, serve};

/// Longest time that one start of the browser may take, in seconds.
const BROWSER_SECONDS_MAX: u64 = 90;
const NARROW: u32 = 360;
const WIDE: u32 = 1280;
const LIGHT: &str = "--blink-settings=preferredColorScheme=1";
const DARK: &str = "--blink-settings=preferredColorScheme=0";
const PAGES: [(&str, &str); 8] = [
    ("timeline", "/incidents"),
    ("nothing", "/incidents?q=zeppelin&severity=major"),
    ("incident", "/incidents/2026-01-23-sync-emptied-the-oven-database"),
    ("pattern", "/patterns/delete-live-data"),
    ("patterns", "/patterns"),
    ("taxonomy", "/taxonomy"),
    ("method", "/method"),
    ("investigation", "/investigations/3c81aa07"),
];

/// The browser, or a line that says that it was skipped.
fn chromium() -> Option<PathBuf> {
    let folders = std::env::var_os("PATH").unwrap_or_default();
    let found = ["chromium", "chromium-browser", "google-chrome"]
        .iter()
        .flat_map(|name| std::env::split_paths(&folders).map(move |f| f.join(name)))
        .find(|path| path.is_file());
    if found.is_none() {
        println!("skipped: chromium is not installed");
    }
    found
}

/// What a run of the browser printed.
struct Printed {
    out: String,
    log: String,
}

/// Starts the browser once with a profile of its own.
fn browse(browser: &Path, arguments: &[String]) -> Printed {
    let profile = tempfile::tempdir().unwrap();
    let mut child = Command::new(browser)
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--hide-scrollbars"])
        .args([
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--enable-logging=stderr",
        ])
        .arg(format!("--user-data-dir={}", profile.path().display()))
        .args(arguments)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let (mut out, mut log) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
    let read = |stream: &mut dyn Read| {
        let mut bytes = Vec::new();
        let _ = stream.read_to_end(&mut bytes);
        String::from_utf8_lossy(&bytes).into_owned()
    };
    let log = std::thread::spawn(move || read(&mut log));
    let out = std::thread::spawn(move || read(&mut out));
    let began = Instant::now();
    while child.try_wait().unwrap().is_none() {
        if began.elapsed() > Duration::from_secs(BROWSER_SECONDS_MAX) {
            let _ = child.kill();
            panic!("the browser did not end within {BROWSER_SECONDS_MAX} s");
        }
        std::thread::sleep(Duration::from_millis(30));
    }
    Printed { out: out.join().unwrap(), log: log.join().unwrap() }
}

fn dump(browser: &Path, url: String, more: &[&str]) -> Printed {
    let mut arguments: Vec<String> = more.iter().map(|m| (*m).to_owned()).collect();
    arguments.extend(["--dump-dom".to_owned(), url]);
    browse(browser, &arguments)
}

/// Hands the pages on without their policy and with a script added, so that a test can measure them.
///
/// `/measure/WIDTH` frames each page in that width and writes what it measured.
fn measuring(pages: SocketAddr) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            std::thread::spawn(move || hand_on(&mut stream, pages));
        }
    });
    addr
}

fn hand_on(stream: &mut TcpStream, pages: SocketAddr) {
    let mut bytes = [0; 8192];
    let read = stream.read(&mut bytes).unwrap_or(0);
    let request = String::from_utf8_lossy(&bytes[..read]).into_owned();
    let Some(path) = request.split(' ').nth(1) else { return };
    let (kind, body) = match path.strip_prefix("/measure/") {
        Some(width) => ("text/html; charset=utf-8", frame(width)),
        None if path == "/drive" => ("text/html; charset=utf-8", drive()),
        None => {
            let answer = get(pages, path);
            let kind = if path.ends_with(".css") {
                "text/css"
            } else if path.ends_with(".js") {
                "text/javascript"
            } else if path.ends_with(".svg") {
                "image/svg+xml"
            } else {
                "text/html; charset=utf-8"
            };
            (kind, answer.body)
        }
    };
    let length = body.len();
    let _ = write!(
        stream,
        "HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    );
}

/// A page that frames one page after the other and measures each.
fn frame(width: &str) -> String {
    const SCRIPT: &str = r##"
      const frame = document.querySelector("iframe"), measured = [];
      frame.addEventListener("load", () => {
        const page = frame.contentDocument, view = frame.contentWindow;
        page.querySelectorAll("details").forEach((fold) => (fold.open = true));
        const width = view.innerWidth, style = view.getComputedStyle(page.documentElement);
        const scrolls = (e) => e && (["auto", "scroll", "hidden"].includes(view.getComputedStyle(e).overflowX) || scrolls(e.parentElement));
        const over = [...page.body.querySelectorAll("*")].filter((e) => e.getBoundingClientRect().right > width + 0.5 && !scrolls(e));
        const press = (key) => page.body.dispatchEvent(new view.KeyboardEvent("keydown", { key, bubbles: true }));
        press("j"); press("j");
        const rows = [...page.querySelectorAll("[data-row]")];
        const at = rows.findIndex((r) => r.classList.contains("at"));
        press("/");
        measured.push({
          width, scroll: page.documentElement.scrollWidth, paper: style.backgroundColor, ink: style.color,
          over: over.slice(0, 5).map((e) => e.tagName + "." + (e.className.baseVal ?? e.className)),
          rows: rows.length, at, focused: page.activeElement.type || "",
        });
        if (measured.length < paths.length) frame.src = paths[measured.length];
        else document.querySelector("output").textContent = JSON.stringify(measured);
      });
    "##;
    let paths = serde_json::to_string(&PAGES.map(|(_, path)| path)).unwrap();
    let first = PAGES[0].1;
    format!(
        "<!doctype html><body><iframe src=\"{first}\" style=\"border:0;width:{width}px;height:800px\"></iframe><output></output><script>const paths = {paths};{SCRIPT}</script>"
    )
}

/// A page that frames the timeline with scripts forbidden, searches and clicks in it
/// as a person would, and writes down what each step showed.
fn drive() -> String {
    const SCRIPT: &str = r##"
      const frame = document.querySelector("iframe"), list = document.querySelector("ol");
      const search = (page, words) => { page.querySelector("input[type=search]").value = words; page.querySelector("form.search button").click(); };
      const link = (page, within, text) => [...page.querySelectorAll(within + " a")].find((a) => a.textContent.includes(text)).click();
      const steps = [
        (page) => search(page, "sync"),
        (page) => link(page, ".facets", "mitigated"),
        (page) => search(page, "zeppelin"),
        (page) => link(page, ".nothing", "without"),
        () => {},
      ];
      frame.addEventListener("load", () => {
        const page = frame.contentDocument, at = frame.contentWindow.location;
        const none = page.querySelector(".nothing p"), counts = page.querySelector(".counts").textContent.split(" · ")[0];
        const item = document.createElement("li");
        item.textContent = at.pathname + at.search + " " + (none ? none.textContent : counts);
        list.append(item);
        steps.shift()?.(page);
      });
    "##;
    format!(
        "<!doctype html><body><ol></ol><iframe sandbox=\"allow-same-origin allow-forms\" src=\"/incidents\" width=\"900\" height=\"800\"></iframe><script>{SCRIPT}</script>"
    )
}

/// What was measured on each of [`PAGES`].
fn measure(browser: &Path, proxy: SocketAddr, width: u32, scheme: &str) -> Vec<serde_json::Value> {
    let flags = [scheme, "--virtual-time-budget=15000", "--window-size=1400,900"];
    let printed = dump(browser, format!("http://{proxy}/measure/{width}"), &flags);
    let output = printed.out.split("<output>").nth(1).and_then(|t| t.split("</output>").next()).unwrap_or("");
    serde_json::from_str(&output.replace("&amp;", "&")).unwrap_or_else(|e| panic!("{e}: {}", printed.out))
}

#[test]
fn no_page_is_wider_than_the_screen_in_either_scheme() {
    let Some(browser) = chromium() else { return };
    let proxy = measuring(serve(bakery()));
    for (width, scheme, paper) in [(NARROW, DARK, "rgb(22, 24, 27)"), (WIDE, LIGHT, "rgb(252, 251, 248)")] {
        let measured = measure(&browser, proxy, width, scheme);
        for ((name, _), seen) in PAGES.iter().zip(&measured) {
            assert_eq!((&seen["width"], &seen["scroll"]), (&width.into(), &width.into()), "{name} runs over: {seen}");
            assert_eq!(seen["over"], serde_json::json!([]), "{name} at {width}");
            assert_eq!(seen["paper"], paper, "{name} under {scheme}");
        }
        let timeline = &measured[0];
        assert_eq!((&timeline["rows"], &timeline["at"]), (&9.into(), &1.into()), "j moves: {timeline}");
        assert_eq!(timeline["focused"], "search", "/ goes to the search");
    }
}

#[test]
fn search_and_facets_work_without_a_script() {
    let Some(browser) = chromium() else { return };
    let proxy = measuring(serve(bakery()));
    let printed = dump(&browser, format!("http://{proxy}/drive"), &["--virtual-time-budget=8000"]);
    let seen: Vec<&str> = printed.out.split("<li>").skip(1).filter_map(|l| l.split("</li>").next()).collect();
    let expected = [
        "/incidents 9 shown of 9",
        "/incidents?q=sync 2 shown of 9",
        "/incidents?q=sync&amp;status=mitigated 1 shown of 9",
        "/incidents?q=zeppelin&amp;status=mitigated No incidents match your search.",
        "/incidents?status=mitigated 1 shown of 9",
    ];
    assert_eq!(seen, expected, "{}", printed.out);
}

#[test]
fn the_policy_lets_the_pages_own_files_in_and_nothing_is_refused() {
    let Some(browser) = chromium() else { return };
    let addr = serve(bakery());
    let printed = dump(&browser, format!("http://localhost:{}/investigations/3c81aa07", addr.port()), &[]);
    assert!(printed.out.contains("default database password"), "{}", printed.out);
    for complaint in ["Content Security Policy", "Refused to", "Uncaught", "Failed to load"] {
        assert!(!printed.log.contains(complaint), "{}", printed.log);
    }
}

#[test]
fn screenshots_can_be_looked_at() {
    let Some(browser) = chromium() else { return };
    let addr = serve(bakery());
    let kept = std::env::var_os("CORONER_SCREENSHOTS").map(PathBuf::from);
    let scratch = tempfile::tempdir().unwrap();
    let folder = kept.as_deref().unwrap_or(scratch.path());
    // Without a folder to keep them in, the timeline stands for all.
    let pages = if kept.is_some() { &PAGES[..] } else { &PAGES[..1] };
    for (name, path) in pages {
        for (scheme, flag) in [("light", LIGHT), ("dark", DARK)] {
            for (width, height) in [(WIDE, 1000), (NARROW, 800)] {
                let file = folder.join(format!("{name}-{scheme}-{width}.png"));
                let arguments = [
                    format!("--screenshot={}", file.display()),
                    format!("--window-size={width},{height}"),
                    flag.to_owned(),
                    format!("http://{addr}{path}"),
                ];
                browse(&browser, &arguments);
                let png = std::fs::read(&file).unwrap();
                let number = |at: usize| u32::from_be_bytes(png[at..at + 4].try_into().unwrap());
                assert_eq!((number(16), number(20)), (width, height), "{name}");
                assert!(png.len() > 8_000, "{name} {scheme} {width} is blank: {} bytes", png.len());
            }
        }
    }
}
