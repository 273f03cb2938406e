//! The same three records in the shapes that people and site generators give them.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test panics where it fails"
)]

use coroner_model::incident::Incident;
use coroner_read::failure_page::{Page, read};

struct Told {
    title: &'static str,
    date: &'static str,
    severity: &'static str,
    session: &'static str,
    parts: [(&'static str, &'static str); 4],
}

const RECORDS: [Told; 3] = [
    Told {
        title: "Queue lost orders after `kill -9` (twice)",
        date: "2025-03-04",
        severity: "Critical",
        session: "4",
        parts: [
            ("What happened", "Workers were killed. Fix attempts by hand made it worse."),
            ("Root cause", "The answer was sent before the write. The lesson was known, but not written down."),
            ("Fix", "Moved the answer behind the commit."),
            ("Lesson", "Answer after the commit: never before."),
        ],
    },
    Told {
        title: "Nightly job ran twice — two invoices each",
        date: "2025-05-20",
        severity: "Minor",
        session: "~12",
        parts: [
            ("What happened", "Two schedulers started it: \"What happened to my bill?\" asked 31 customers."),
            ("Root cause", "One crontab was left behind."),
            ("Fix", "Removed it."),
            ("Lesson", "One job, one owner."),
        ],
    },
    Told {
        title: "Größenlimit: uploads > 2 GB failed",
        date: "2025-06-01",
        severity: "Major",
        session: "7-C",
        parts: [
            ("What happened", "Uploads failed with status 413 — naïve retries filled /tmp."),
            ("Root cause", "A template overwrote `/etc/nginx/conf.d/upload.conf`."),
            ("Fix", "Fixed the template."),
            ("Lesson", "Change the template, not the file."),
        ],
    },
];

type Shape = fn(&Told) -> String;

fn parts(told: &Told, one: impl Fn(&str, &str) -> String) -> String {
    told.parts.iter().map(|(name, text)| one(name, text)).collect()
}

fn escaped(text: &str) -> String {
    let mut out = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    while out.matches('`').count() >= 2 {
        out = out.replacen('`', "<code>", 1).replacen('`', "</code>", 1);
    }
    out.replace('ö', "&ouml;").replace('ï', "&iuml;").replace('—', "&mdash;")
}

const MARKDOWN: &[(&str, Shape)] = &[
    ("backticks", |r| {
        format!("## {}\n\n`{}` `{}` `Session {}`\n\n", r.title, r.severity, r.date, r.session)
            + &parts(r, |n, t| format!("### {n}\n\n{t}\n\n"))
    }),
    ("a table of facts", |r| {
        format!(
            "## {}\n\n| Date | Severity | Session |\n|---|---|---|\n| {} | {} | {} |\n\n",
            r.title, r.date, r.severity, r.session
        ) + &parts(r, |n, t| format!("**{n}:** {t}\n\n"))
    }),
    ("italic labels", |r| {
        format!("## {} ({})\n\n{}, session {}\n\n", r.title, r.date, r.severity, r.session)
            + &parts(r, |n, t| format!("- *{n}:* {t}\n"))
    }),
    ("linked titles", |r| {
        format!(
            "## [{}](https://git.example.org/1)\n\n- **When**: {}\n- **Severity**: {}\n- **Session**: {}\n\n",
            r.title, r.date, r.severity, r.session
        ) + &parts(r, |n, t| format!("**{n}**: {t}\n\n"))
    }),
    ("folded", |r| {
        format!(
            "<details>\n<summary>{} — {}</summary>\n\n**Severity:** {}  \n**Session:** {}\n\n",
            r.date, r.title, r.severity, r.session
        ) + &parts(r, |n, t| format!("**{n}:** {t}\n\n"))
            + "</details>\n\n"
    }),
];

const TEXT: &[(&str, Shape)] = &[
    ("bullets below a bullet", |r| {
        format!("* {}\n  - Date: {}\n  - Severity: {}\n  - Session: {}\n", r.title, r.date, r.severity, r.session)
            + &parts(r, |n, t| format!("  - {n}: {t}\n"))
            + "\n"
    }),
    ("a ruled title", |r| {
        format!("=== {} ===\n[{}] {}, session {}\n\n", r.title, r.severity, r.date, r.session)
            + &parts(r, |n, t| format!("{}:\n{t}\n\n", n.to_uppercase()))
    }),
    ("facts behind the parts", |r| {
        format!("Incident: {}\n", r.title)
            + &parts(r, |n, t| format!("{n}: {t}\n"))
            + &format!("Severity: {}\nDate: {}\nSession: {}\n\n", r.severity, r.date, r.session)
    }),
];

const HTML: &[(&str, Shape)] = &[
    ("a badge behind the title", |r| {
        format!(
            "<div><h3>{} <span class=\"badge\">{}</span></h3><p>{} — Session {}</p>",
            escaped(r.title),
            r.severity,
            r.date,
            r.session
        ) + &parts(r, |n, t| format!("<p><b>{n}:</b> {}</p>", escaped(t)))
            + "</div>"
    }),
    ("a badge before and a date behind", |r| {
        format!(
            "<div><h3><span>{}</span> {} <small>{}</small></h3><p>Session {}</p>",
            r.severity,
            escaped(r.title),
            r.date,
            r.session
        ) + &parts(r, |n, t| format!("<h4>{n}</h4><p>{}</p>", escaped(t)))
            + "</div>"
    }),
    ("a summary of spans", |r| {
        format!(
            "<details><summary><span>{}</span> <span>{}</span> <span>{}</span></summary><div>Session {}</div>",
            r.date,
            escaped(r.title),
            r.severity,
            r.session
        ) + &parts(r, |n, t| format!("<div class=\"k\">{n}</div><div>{}</div>", escaped(t)))
            + "</details>"
    }),
    ("links to headings", |r| {
        format!(
            "<h2>{} <a href=\"#x\">&ZeroWidthSpace;</a></h2><ul><li>Date: {}</li><li>Severity: {}</li><li>Session: {}</li></ul>",
            escaped(r.title),
            r.date,
            r.severity,
            r.session
        ) + &parts(r, |n, t| format!("<h3>{n}<a href=\"#y\">¶</a></h3><p>{}</p>", escaped(t)))
    }),
];

fn check(page: &Page, name: &str) {
    assert_eq!((page.incidents.len(), page.problems.as_slice(), page.drafts.len()), (3, [].as_slice(), 0), "{name}");
    for (incident, told) in page.incidents.iter().zip(&RECORDS) {
        same(incident, told, name);
    }
}

fn same(incident: &Incident, told: &Told, name: &str) {
    let plain = |text: &str| text.replace('`', "");
    let field = |text: &Option<String>| text.as_deref().map(plain);
    assert_eq!(plain(&incident.title), plain(told.title), "{name}");
    assert_eq!(incident.date.as_deref(), Some(told.date), "{name}");
    assert_eq!(incident.severity.map(|s| s.as_str().to_owned()), Some(told.severity.to_lowercase()), "{name}");
    assert_eq!(
        (incident.sessions.as_slice(), incident.body.as_str()),
        ([told.session.to_owned()].as_slice(), ""),
        "{name}"
    );
    let got = [&incident.what_happened, &incident.root_cause, &incident.fix, &incident.lesson].map(field);
    assert_eq!(got, told.parts.map(|(_, text)| Some(plain(text))), "{name}");
    assert_eq!(incident.data_lost, None, "{name}");
}

#[test]
fn every_shape_gives_the_same_records() {
    let all = |shape: &Shape| RECORDS.iter().map(shape).collect::<String>();
    for (name, shape) in MARKDOWN {
        let text = format!("# Outages\n\n{}", all(shape));
        check(&read(&text, "page.md").expect(name), name);
        check(&read(&text.replace('\n', "\r\n"), "page.md").expect(name), name);
    }
    for (name, shape) in TEXT {
        check(&read(&format!("Outages\n\n{}", all(shape)), "page.txt").expect(name), name);
    }
    for (name, shape) in HTML {
        let nav = "<nav><ul><li>Home</li></ul></nav>";
        let text = format!(
            "<!doctype html><html><body>{nav}<main><h1>Outages</h1>{}</main><footer><p>© 2025 Us. Made here.</p></footer></body></html>",
            all(shape)
        );
        check(&read(&text, "page.html").expect(name), name);
    }
}

#[test]
fn front_matter_tells_of_a_page_with_one_record_only() {
    let report = |r: &Told| {
        format!(
            "---\ntitle: \"{}\"\ndate: {}\nseverity: {}\nsession: {}\ntags: [a, b]\n---\n\n",
            r.title, r.date, r.severity, r.session
        ) + &parts(r, |n, t| format!("## {n}\n\n{t}\n\n"))
    };
    for told in &RECORDS {
        let page = read(&report(told), "post.md").expect("a report");
        assert_eq!((page.incidents.len(), page.problems.len()), (1, 0));
        same(&page.incidents[0], told, "front matter");
    }
    let many: String = RECORDS
        .iter()
        .map(|r| format!("## {}\n\n", r.title) + &parts(r, |n, t| format!("### {n}\n\n{t}\n\n")))
        .collect();
    let page = read(&format!("---\ntitle: Outages\ndate: 2025-12-31\n---\n\n{many}"), "page.md").expect("a page");
    assert_eq!(page.incidents.iter().filter(|i| i.date.is_none()).count(), 3);
}
