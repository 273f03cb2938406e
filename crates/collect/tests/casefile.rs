//! Every probe is answered from the casefile path that stands for it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test panics where it fails"
)]

use std::fs;
use std::path::Path;

use coroner_collect::{Casefile, CasefileMeta, Limits, World, write_casefile};
use coroner_model::probe::{DockerTable, FileClass, GitTable, HostTable, ProxyTable};
use coroner_model::{Answers, Probe, Why};

fn put(root: &Path, path: &str, text: &str) {
    let at = root.join(path);
    fs::create_dir_all(at.parent().unwrap()).unwrap();
    fs::write(at, text).unwrap();
}

fn open(root: &Path) -> World {
    World::Casefile(Casefile::open(root, Limits::default()).unwrap())
}

fn texts(world: &World, probe: &Probe) -> Vec<(String, String)> {
    world.answer(probe).unwrap().into_iter().map(|d| (d.path.clone(), d.text.as_str().to_owned())).collect()
}

fn why(world: &World, probe: &Probe) -> Why {
    world.answer(probe).unwrap_err().why
}

fn file(path: &str) -> Probe {
    Probe::File { path: path.into() }
}

fn stat(path: &str) -> Probe {
    Probe::Stat { path: path.into() }
}

fn log(container: &str) -> Probe {
    Probe::ContainerLog { container: container.into() }
}

/// A value with the look of a key, made here so that none lies in the repository.
fn secret() -> String {
    format!("{}{}", "Vb7kQz2m", "Xw94RtLp01")
}

#[test]
fn tables_are_found_under_either_spelling() {
    let dir = tempfile::tempdir().unwrap();
    put(dir.path(), "host/df.txt", "Filesystem\n");
    put(dir.path(), "host/listeners.tsv", "proto\taddress\n");
    put(dir.path(), "docker/ps.jsonl", "");
    put(dir.path(), "docker/context", "default\n");
    put(dir.path(), "proxy/routers.json", "[]");
    put(dir.path(), "git/log.txt", "commit 1\n");
    put(dir.path(), "backups/listing.tsv", "destination\tpath\n");
    fs::create_dir_all(dir.path().join("sessions")).unwrap();
    let world = open(dir.path());
    assert_eq!(texts(&world, &Probe::Host(HostTable::Df))[0].0, "host/df.txt");
    assert_eq!(texts(&world, &Probe::Host(HostTable::Listeners))[0].0, "host/listeners.tsv");
    assert_eq!(texts(&world, &Probe::Docker(DockerTable::Ps)), [("docker/ps.jsonl".into(), String::new())]);
    assert_eq!(texts(&world, &Probe::Docker(DockerTable::Context))[0].0, "docker/context");
    assert_eq!(texts(&world, &Probe::Proxy(ProxyTable::Routers))[0].0, "proxy/routers.json");
    assert_eq!(texts(&world, &Probe::Backups)[0].0, "backups/listing.tsv");
    let git = |table| Probe::Git { repository: "/opt/shop".into(), table, since: None, until: None };
    assert_eq!(texts(&world, &git(GitTable::Log))[0].0, "git/log.txt");
    assert_eq!(why(&world, &git(GitTable::Stash)), Why::NotRecorded);
    // There and empty is an answer; not there is none.
    assert_eq!(texts(&world, &Probe::Sessions { since: None, until: None }), []);
    assert_eq!(why(&world, &Probe::Logs), Why::NotRecorded);
    assert_eq!(why(&world, &Probe::HttpRecorded), Why::NotRecorded);
    assert_eq!(why(&world, &Probe::Docker(DockerTable::Inspect)), Why::NotRecorded);
    assert_eq!(texts(&world, &Probe::Config), [], "nothing is configured");
}

#[test]
fn copies_of_files_lie_at_their_absolute_path() {
    let dir = tempfile::tempdir().unwrap();
    put(
        dir.path(),
        "casefile.toml",
        "schema = \"coroner/casefile/v1\"\nroot = \"/project\"\nhost = \"mars\"\ncollected_at = \"2026-03-01T10:00:00Z\"\n",
    );
    put(dir.path(), "files/project/compose.yml", "services:\n  web: {}\n");
    put(dir.path(), "files/project/stack.yml", "services:\n  db: {}\n");
    put(dir.path(), "files/project/other.yml", "routes: []\n");
    put(dir.path(), "files/project/new.env", "A=b\n");
    put(dir.path(), "files/project/app/settings.py", "x = 1\n");
    put(dir.path(), "files/project/node_modules/x/compose.yml", "services: {}\n");
    put(dir.path(), "files/etc/resolv.conf", "nameserver 127.0.0.53\n");
    let world = open(dir.path());
    assert_eq!(texts(&world, &file("/project/new.env")), [("files/project/new.env".into(), "A=b\n".into())]);
    assert_eq!(texts(&world, &file("./app/../new.env"))[0].0, "files/project/new.env");
    assert_eq!(why(&world, &file("/project/none")), Why::NotRecorded);
    assert_eq!(why(&world, &file("/project/app")), Why::Unreadable);
    let files = |root: Option<&str>, class| texts(&world, &Probe::Files { root: root.map(Into::into), class });
    assert_eq!(
        files(None, FileClass::Compose),
        [("files/".into(), "/project/compose.yml\n/project/stack.yml\n".into())]
    );
    assert_eq!(files(Some("/project"), FileClass::Env)[0].1, "/project/new.env\n");
    assert_eq!(files(Some("/project/app"), FileClass::Env)[0].1, "");
    assert_eq!(why(&world, &Probe::Files { root: Some("/srv".into()), class: FileClass::Env }), Why::NotRecorded);
    assert_eq!(world.root().as_deref(), Some("/project"));
    let answer = world.answer(&file("/etc/resolv.conf")).unwrap();
    assert_eq!(
        (answer[0].host.as_str(), answer[0].observed_at.unwrap().to_string().as_str()),
        ("mars", "2026-03-01T10:00:00Z")
    );
}

#[test]
fn the_tree_tells_absent_from_unknown() {
    let dir = tempfile::tempdir().unwrap();
    put(
        dir.path(),
        "host/tree.tsv",
        "type\tpath\tlink-target\nd\t/opt/shop\t\nf\t/opt/shop/compose.yml\t\nd\t/opt/shop/data\t\nd\t/opt/shop/data/redis\t\nd\t/opt/shop/empty\t\nl\t/opt/now\tshop\n",
    );
    put(dir.path(), "files/opt/shop/.env", "A=b\n");
    let world = open(dir.path());
    let one = world.answer(&stat("/opt/shop/data")).unwrap().remove(0);
    assert_eq!(one.text.as_str(), "type\tpath\tlink-target\nd\t/opt/shop/data\t\n");
    // The row is cited at its line in the file.
    assert_eq!(one.cite_line(4).text, "d /opt/shop/data");
    let absent = |path: &str| texts(&world, &stat(path))[0].1.lines().count() == 1;
    assert!(absent("/opt/shop/data/postgres"), "its sibling is listed");
    assert!(absent("/opt/shop/data/postgres/base/1"), "so nothing is below it");
    assert!(absent("/opt/shop/empty/x"), "the listing reaches that deep");
    assert!(absent("/opt/now/gone"), "through a link");
    assert!(!absent("/opt/shop/.env"), "the copy proves it");
    assert_eq!(why(&world, &stat("/var/lib/x")), Why::NotRecorded);
    assert_eq!(why(&world, &stat("/opt/shop/data/redis/dump.rdb")), Why::NotRecorded);
    assert_eq!(why(&world, &file("/opt/shop/data/postgres")), Why::Absent);
    let tree = Probe::Tree { root: "/opt/shop".into(), depth_max: 1 };
    let found = world.answer(&tree).unwrap().remove(0);
    assert_eq!(found.text.as_str().lines().filter(|line| line.contains("/opt/shop")).count(), 4);
    assert_eq!(found.cite_line(6).text, "d /opt/shop/empty");
    assert_eq!(why(&world, &Probe::Tree { root: "/var".into(), depth_max: 9 }), Why::NotRecorded);
}

#[test]
fn a_lone_directory_of_the_root_says_nothing_of_others() {
    let dir = tempfile::tempdir().unwrap();
    put(dir.path(), "host/tree.tsv", "type\tpath\nd\t/etc\nd\t/data\n");
    let world = open(dir.path());
    assert_eq!(why(&world, &stat("/srv/shop/pg")), Why::NotRecorded);
    assert_eq!(why(&world, &stat("/srv")), Why::NotRecorded);
}

#[test]
fn where_a_walk_began_says_nothing_of_its_neighbours() {
    let dir = tempfile::tempdir().unwrap();
    put(
        dir.path(),
        "host/tree.tsv",
        "type\tpath\nd\t/opt/shop\nf\t/opt/shop/compose.yml\nl\t/etc/localtime\nd\t/srv/data/redis\n\t/opt/shop/closed\nd\t/opt/flat\n",
    );
    let world = open(dir.path());
    for unknown in ["/opt/other", "/opt/other/data", "/etc/timezone", "/opt/shop/closed/x"] {
        assert_eq!(why(&world, &stat(unknown)), Why::NotRecorded, "{unknown}");
    }
    for absent in ["/opt/shop/data", "/opt/shop/data/postgres", "/srv/data/postgres"] {
        assert_eq!(texts(&world, &stat(absent))[0].1.lines().count(), 1, "{absent}");
    }
}

#[test]
fn a_log_without_its_container_is_among_the_other_logs() {
    let dir = tempfile::tempdir().unwrap();
    put(dir.path(), "docker/logs/api.log", "2026-03-01T10:00:00Z gone\n");
    assert_eq!(texts(&open(dir.path()), &Probe::Logs)[0].0, "docker/logs/api.log");
    put(
        dir.path(),
        "docker/ps.jsonl",
        "{\"Names\":\"shop-api-1\",\"Labels\":\"a=b,com.docker.compose.service=api,com.docker.compose.project.working_dir=/opt/shop\"}\n",
    );
    let world = open(dir.path());
    assert_eq!(why(&world, &Probe::Logs), Why::NotRecorded);
    assert_eq!(texts(&world, &log("shop-api-1"))[0].0, "docker/logs/api.log");
    assert_eq!(world.root().as_deref(), Some("/opt/shop"));
}

#[test]
fn a_log_is_found_by_container_or_service() {
    let dir = tempfile::tempdir().unwrap();
    let label = |service: &str| format!("{{\"Labels\":{{\"com.docker.compose.service\":\"{service}\"}}}}");
    put(
        dir.path(),
        "docker/inspect.json",
        &format!(
            "[{{\"Name\":\"/shop-web-1\",\"Config\":{}}},{{\"Name\":\"/shop-web-2\",\"Config\":{}}},{{\"Name\":\"/shop-db-1\",\"Config\":{}}}]",
            label("web"),
            label("web"),
            label("db")
        ),
    );
    put(dir.path(), "docker/logs/shop-web-1.log", "one\n");
    put(dir.path(), "docker/logs/shop-web-2.log", "two\n");
    put(dir.path(), "docker/logs/db.log", "");
    let world = open(dir.path());
    assert_eq!(texts(&world, &log("/shop-web-1"))[0].1, "one\n");
    assert_eq!(texts(&world, &log("web")).len(), 2);
    assert_eq!(texts(&world, &log("shop-db-1")), [("docker/logs/db.log".into(), String::new())]);
    assert_eq!(why(&world, &log("mail")), Why::NotRecorded);
}

#[test]
fn a_long_log_keeps_its_end_and_its_line_numbers() {
    let dir = tempfile::tempdir().unwrap();
    let lines: String = (1..=1000).map(|n| format!("line {n}\n")).collect();
    put(dir.path(), "docker/logs/web.log", &lines);
    let limits = Limits { log_bytes_max: 100, ..Limits::default() };
    let world = World::Casefile(Casefile::open(dir.path(), limits).unwrap());
    let found = world.answer(&log("web")).unwrap().remove(0);
    assert!(found.text.as_str().len() <= 100 && found.bytes_left_out > 0);
    assert_eq!(found.cite_line(999).text, "line 999");
    assert_eq!(found.bytes_left_out as usize + found.text.as_str().len(), lines.len());
}

#[test]
fn recorded_exchanges_are_found_by_their_url() {
    let dir = tempfile::tempdir().unwrap();
    put(
        dir.path(),
        "http/1.json",
        "{\"request\":{\"method\":\"GET\",\"url\":\"https://shop.example/api\"},\"responses\":[{\"status\":502}]}",
    );
    put(
        dir.path(),
        "http/flows/login.json",
        "[{\"request\":{\"url\":\"https://shop.example/login\"}},{\"request\":{\"url\":\"https://shop.example/\"}}]",
    );
    let world = open(dir.path());
    let get = |url: &str| Probe::HttpGet { url: url.into() };
    assert_eq!(texts(&world, &get("https://shop.example:443/api/"))[0].0, "http/1.json");
    assert_eq!(texts(&world, &get("https://shop.example"))[0].0, "http/flows/login.json");
    assert_eq!(why(&world, &get("https://shop.example/none")), Why::NotRecorded);
    assert_eq!(texts(&world, &Probe::HttpRecorded).len(), 2);
}

#[test]
fn a_secret_of_one_file_is_in_no_document_of_any() {
    let dir = tempfile::tempdir().unwrap();
    let value = secret();
    put(dir.path(), "files/opt/shop/.env.secrets", &format!("STRIPE_API_KEY={value}\nDB_PASSWORD=changeme\n"));
    put(dir.path(), "docker/logs/web.log", &format!("2026-03-01T10:00:00Z key is {value} today\n"));
    put(
        dir.path(),
        "docker/inspect.json",
        &format!("[{{\"Name\":\"/web\",\"Config\":{{\"Cmd\":[\"run\",\"{value}\"]}}}}]"),
    );
    put(dir.path(), "sessions/a.jsonl", &format!("{{\"x\":\"{value}\",\"p\":\"PASSWORD=a\\\\\\\"b{value}\"}}\n"));
    let probes = [
        file("/opt/shop/.env.secrets"),
        log("web"),
        Probe::Docker(DockerTable::Inspect),
        Probe::Sessions { since: None, until: None },
    ];
    let world = open(dir.path());
    let token = world.redactor().token(&value);
    let mut answers = Answers::new();
    for (probe, answer) in world.answer_all(&probes) {
        for document in answer.as_ref().unwrap() {
            assert!(!document.text.as_str().contains(&value), "{}", document.path);
            assert!(document.text.as_str().contains("hmac:"), "{}", document.path);
            if document.path.ends_with("json") || document.path.ends_with("jsonl") {
                serde_json::from_str::<serde_json::Value>(document.text.as_str()).unwrap();
            }
        }
        answers.insert(probe, answer);
    }
    assert!(answers.document(&probes[0]).unwrap().text.as_str().contains("changeme"));
    assert!(answers.document(&probes[1]).unwrap().text.as_str().contains(&token));
    // The same casefile gives the same tokens again.
    assert_eq!(open(dir.path()).redactor().token(&value), token);

    for name in ["case.tar.zst", "case.tar", "case"] {
        let to = dir.path().join("out").join(name);
        fs::create_dir_all(dir.path().join("out")).unwrap();
        let documents = answers.iter().filter_map(|(_, answer)| answer.as_ref().ok()).flatten();
        let written = write_casefile(documents, &world.redactor(), &to, &CasefileMeta::default()).unwrap();
        assert_eq!(written.files, 5, "four and casefile.toml");
        let again = open(&to);
        for (probe, answer) in again.answer_all(&probes) {
            let texts = |all: &coroner_model::Answer| {
                all.as_ref().unwrap().iter().map(|d| d.text.as_str().to_owned()).collect::<Vec<_>>()
            };
            assert_eq!(texts(&answer), texts(answers.get(&probe).unwrap()), "{name}");
        }
    }
}

#[test]
fn a_written_casefile_is_private_and_overwrites_nothing() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    put(dir.path(), "in/host/whoami", "ops\n");
    let world = open(&dir.path().join("in"));
    let documents = world.answer(&Probe::Host(HostTable::Whoami)).unwrap();
    let meta = CasefileMeta { host: "mars".into(), root: Some("/opt/shop".into()), ..CasefileMeta::default() };
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    for name in ["out", "out.tar.zst"] {
        let to = dir.path().join(name);
        write_casefile(&documents, &world.redactor(), &to, &meta).unwrap();
        assert!(write_casefile(&documents, &world.redactor(), &to, &meta).is_err());
        assert_eq!(mode(&to), if to.is_dir() { 0o700 } else { 0o600 });
        let again = open(&to);
        assert_eq!((again.host(), again.root().as_deref()), ("mars", Some("/opt/shop")));
    }
    assert_eq!(mode(&dir.path().join("out/host")), 0o700);
    assert_eq!(mode(&dir.path().join("out/host/whoami")), 0o600);
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 3, "nothing half-written stays");
}
