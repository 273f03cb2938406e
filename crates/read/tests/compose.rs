//! Compose projects from text: merge, precedence, interpolation, and what stays open.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test panics where it fails"
)]

use std::collections::BTreeMap;

use coroner_model::{ContentHash, Document, Redactor};
use coroner_read::compose::{Project, Request, project};

fn documents(files: &[(&str, &str)]) -> BTreeMap<String, Document> {
    let redactor = Redactor::new([7; 32]);
    let document = |path: &str, text: &str| Document {
        path: format!("files{path}"),
        observed_at: None,
        host: String::new(),
        text: redactor.redact(text),
        hash: ContentHash::sha256(text.as_bytes()),
        bytes_left_out: 0,
        first_line: 1,
    };
    files.iter().map(|(path, text)| ((*path).to_owned(), document(path, text))).collect()
}

fn load(files: &[(&str, &str)], order: &[&str], shell: &[(&str, &str)]) -> Project {
    let documents = documents(files);
    let get = |path: &str| documents.get(path);
    project(&Request {
        files: order.iter().map(|f| (*f).to_owned()).collect(),
        directory: None,
        name: None,
        env_files: None,
        environment: shell.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect(),
        get: &get,
    })
}

#[test]
fn environment_wins_over_env_files_and_the_shell_over_dotenv() {
    let files = [
        (
            "/opt/shop/compose.yml",
            "services:\n  api:\n    image: shop/api:${TAG:-1}\n    env_file:\n      - a.env\n      - path: b.env\n        required: false\n    environment:\n      FROM_ENVIRONMENT: here\n      FROM_SHELL:\n      NOWHERE:\n      MODE: ${MODE}\n      NUMBER: 1.10\n      FLAG: true\n",
        ),
        ("/opt/shop/a.env", "ONE=a\nTWO=a\nFROM_ENVIRONMENT=file\nJOINED=${MODE}-x\n"),
        ("/opt/shop/b.env", "TWO=b\n"),
        ("/opt/shop/.env", "MODE=dotenv\nFROM_SHELL=dotenv\nTAG=2\n"),
    ];
    let project = load(&files, &["/opt/shop/compose.yml"], &[("FROM_SHELL", "shell")]);
    let api = project.service("api").unwrap();
    let value = |name: &str| api.environment.get(name).map(|v| v.value.as_str());
    assert_eq!(project.name, "shop");
    assert_eq!(api.image, "shop/api:2");
    assert_eq!(value("ONE"), Some("a"));
    assert_eq!(value("TWO"), Some("b"));
    assert_eq!(value("FROM_ENVIRONMENT"), Some("here"));
    assert_eq!(value("FROM_SHELL"), Some("shell"));
    assert_eq!(value("NOWHERE"), None);
    assert!(api.passed_through.contains_key("NOWHERE"));
    assert_eq!(value("MODE"), Some("dotenv"));
    assert_eq!(value("NUMBER"), Some("1.1"));
    assert_eq!(value("FLAG"), Some("true"));
    assert_eq!(value("JOINED"), Some("dotenv-x"));
    assert_eq!(api.environment["TWO"].at.locator, "files/opt/shop/b.env:1");
    assert_eq!(api.environment["FROM_ENVIRONMENT"].at.locator, "files/opt/shop/compose.yml:9");
    assert_eq!(api.networks, ["default"]);
    assert_eq!(project.network_names(api), ["shop_default"]);
    assert!(project.wanted.is_empty() && project.problems.is_empty());
}

#[test]
fn what_nothing_sets_is_told_and_not_made_up() {
    let text = "services:\n  api:\n    environment:\n      - DATABASE_URL=postgres://app:${PW:?set it}@db/app\n      - MAIL=${MAIL_HOST}\n      - KEY=${KEY:-changeme}\n";
    let project = load(&[("/a/compose.yml", text)], &["/a/compose.yml"], &[]);
    let api = project.service("api").unwrap();
    assert_eq!(api.environment["DATABASE_URL"].unresolved, ["PW"]);
    assert_eq!(api.environment["MAIL"].unresolved, ["MAIL_HOST"]);
    assert_eq!(api.environment["KEY"].defaulted_from.as_deref(), Some("KEY"));
    assert_eq!(api.environment["KEY"].value, "changeme");
    let wanted: Vec<_> = project.wanted.iter().map(|w| (w.path.as_str(), w.required)).collect();
    assert_eq!(wanted, [("/a/.env", false)]);
}

#[test]
fn overrides_merge_by_the_kind_of_list() {
    let base = "services:\n  web:\n    image: web:1\n    command: [a, b]\n    ports: ['80:80']\n    volumes: ['./a:/data', 'cache:/cache']\n    environment: [A=1, B=1]\n    networks: [front]\n    labels: {x: '1'}\n    expose: ['8000']\nnetworks:\n  front: {}\n  back: {name: real-back, external: true}\nvolumes:\n  cache: {}\n";
    let over = "services:\n  web:\n    command: c\n    ports: ['81:81']\n    volumes: ['./b:/data']\n    environment: {B: '2'}\n    networks: {back: {aliases: [w]}}\n    labels: ['y=2']\n  extra: {image: e}\n";
    let project = load(
        &[("/a/compose.yml", base), ("/a/compose.override.yml", over)],
        &["/a/compose.yml", "/a/compose.override.yml"],
        &[],
    );
    let web = project.service("web").unwrap();
    assert_eq!(web.command, ["c"]);
    assert_eq!(web.ports.iter().map(|p| p.host_port).collect::<Vec<_>>(), [80, 81]);
    let mounts: Vec<_> = web.volumes.iter().map(|m| (m.source.as_str(), m.destination.as_str())).collect();
    assert_eq!(mounts, [("/a/b", "/data"), ("cache", "/cache")]);
    assert_eq!((web.environment["A"].value.as_str(), web.environment["B"].value.as_str()), ("1", "2"));
    assert_eq!(project.network_names(web), ["a_front", "real-back"]);
    assert_eq!(web.aliases["back"], ["w"]);
    assert_eq!(web.labels.len(), 2);
    assert_eq!(web.label_lines["y"].locator, "files/a/compose.override.yml:8");
    assert!(project.service("extra").is_some());
}

#[test]
fn extends_and_include_bring_services_with_their_own_paths() {
    let files = [
        (
            "/a/compose.yml",
            "include: [sub/compose.yml]\nservices:\n  api:\n    extends: {file: base/common.yml, service: base}\n    environment: {B: '2'}\n  worker:\n    extends: api\n    command: work\n",
        ),
        (
            "/a/base/common.yml",
            "services:\n  base:\n    image: base:1\n    env_file: base.env\n    environment: {A: '1', B: '1'}\n    volumes: ['./data:/data']\n",
        ),
        ("/a/base/base.env", "FROM_BASE=yes\n"),
        ("/a/sub/compose.yml", "services:\n  db: {image: 'postgres:16', volumes: ['./pg:/var/lib/postgresql/data']}\n"),
    ];
    let project = load(&files, &["/a/compose.yml"], &[]);
    assert_eq!(project.problems, []);
    let worker = project.service("worker").unwrap();
    assert_eq!((worker.image.as_str(), worker.environment["B"].value.as_str()), ("base:1", "2"));
    assert_eq!(worker.environment["FROM_BASE"].value, "yes");
    assert_eq!(worker.volumes[0].source, "/a/base/data");
    assert_eq!(project.service("db").unwrap().volumes[0].source, "/a/sub/pg");
}

#[test]
fn a_broken_file_is_told_with_its_line_and_the_rest_is_used() {
    let project = load(
        &[("/a/compose.yml", "services:\n  api: {image: a}\n"), ("/a/over.yml", "services:\n  api:\n   - [\n")],
        &["/a/compose.yml", "/a/over.yml"],
        &[],
    );
    assert!(project.service("api").is_some());
    assert_eq!(project.problems.len(), 1);
    assert!(project.problems[0].line >= 3 && project.problems[0].path == "/a/over.yml");
}

#[test]
fn real_files_of_public_projects_are_read() {
    let Some(folder) = std::env::var_os("CORONER_FIXTURES") else {
        println!("skipped: CORONER_FIXTURES is not set");
        return;
    };
    let mut read = 0;
    for kind in ["good", "bad"] {
        let folder = std::path::Path::new(&folder).join("checks-real/compose").join(kind);
        let Ok(entries) = std::fs::read_dir(folder) else { continue };
        for entry in entries {
            let path = entry.unwrap().path();
            let text = std::fs::read_to_string(&path).unwrap();
            let project = load(&[("/srv/app/compose.yml", &text)], &["/srv/app/compose.yml"], &[]);
            assert_eq!(project.problems, [], "{}", path.display());
            assert!(!project.services.is_empty(), "{}", path.display());
            read += 1;
        }
    }
    println!("read {read} files");
}
