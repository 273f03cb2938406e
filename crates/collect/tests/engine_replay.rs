//! The Docker collectors against captured answers of a real engine, for machines without one.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test panics where it fails"
)]

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;

use coroner_collect::{Limits, Live, LiveSettings, World};
use coroner_model::probe::DockerTable;
use coroner_model::{Probe, Why};
use serde_json::Value;

/// Replays captured answers of an engine on a socket: path and query in, body out.
struct Replay {
    dir: tempfile::TempDir,
    host: String,
}

impl Replay {
    fn start() -> Replay {
        let dir = tempfile::tempdir().unwrap();
        let socket = dir.path().join("engine.sock");
        let host = format!("unix://{}", socket.display());
        let listener = UnixListener::bind(&socket).unwrap();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let stream = stream.unwrap();
                std::thread::spawn(move || Replay::answer(stream));
            }
        });
        Replay { dir, host }
    }

    fn answer(mut stream: UnixStream) {
        let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
        let Some(Ok(first)) = lines.next() else { return };
        while lines.next().is_some_and(|line| !line.unwrap().is_empty()) {}
        let (method, target) = first.split_once(' ').map(|(m, rest)| (m, rest.split(' ').next().unwrap())).unwrap();
        assert_eq!(method, "GET", "nothing but questions is asked");
        let fixture = |name: &str| {
            std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/engine").join(name)).unwrap()
        };
        let (status, body) = match Replay::route(target) {
            Some(name) => ("200 OK", fixture(name)),
            None => ("404 Not Found", b"{\"message\":\"No such container\"}".to_vec()),
        };
        let head = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
        // The client may have gone with what it wanted to know.
        let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&body));
    }

    fn route(target: &str) -> Option<&'static str> {
        if target == "/version" {
            return Some("version.json");
        }
        let path = target.strip_prefix("/v1.41")?;
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let of = |name: &str, id: &str| {
            path.starts_with(&format!("/containers/{name}/")) || path.starts_with(&format!("/containers/{id}"))
        };
        let (of_web, of_worker) = (of("shop_web_1", "7885340038f1"), of("shop_worker_1", "dfde902a9c15"));
        match path.rsplit('/').next()? {
            "json" if path == "/containers/json" && !query.contains("filters") => Some("containers.json"),
            "json" if of_web => Some("web.json"),
            "logs" if of_web => Some("web.log"),
            "archive" if of_web && query.contains("link.conf") => Some("link.tar"),
            "archive" if of_web && query.contains("app.conf") => Some("app.tar"),
            "json" if of_worker => Some("worker.json"),
            "logs" if of_worker => Some("worker.log"),
            "volumes" => Some("volumes.json"),
            _ => None,
        }
    }
}

impl Replay {
    fn world(&self, limits: Limits) -> World {
        let settings = LiveSettings {
            env: BTreeMap::from([("DOCKER_HOST".into(), self.host.clone())]),
            home: self.dir.path().to_path_buf(),
            cwd: self.dir.path().to_path_buf(),
            now: "2026-11-22T13:00:00Z".parse().unwrap(),
            redaction_key: [3; 32],
        };
        World::Live(Live::new(settings, limits))
    }
}

fn log(container: &str) -> Probe {
    Probe::ContainerLog { container: container.into() }
}

#[test]
fn tables_come_out_as_the_command_prints_them() {
    let replay = Replay::start();
    let world = replay.world(Limits::default());
    let text = |probe: &Probe| world.answer(probe).unwrap().remove(0).text.as_str().to_owned();
    let inspected = text(&Probe::Docker(DockerTable::Inspect));
    assert!(
        inspected.starts_with("[\n    {\n        \"Id\": \"dfde902a9c15"),
        "indented, fields in the engine's order"
    );
    let containers = coroner_read::docker::containers(&inspected).unwrap();
    let read = containers.iter().find(|one| one.service() == Some("web")).unwrap();
    assert_eq!((read.variable("APP_PASSWORD"), read.working_directory()), (Some("changeme"), Some("/srv/shop")));
    let inspected: Vec<Value> = serde_json::from_str(&inspected).unwrap();
    let web = inspected.iter().find(|one| one["Name"] == "/shop_web_1").unwrap();
    assert_eq!(web["HostConfig"]["NetworkMode"], "shop_default");
    assert_eq!(web["State"]["StartedAt"], "2026-11-22T11:37:05.112598945Z");
    assert_eq!(web["NetworkSettings"]["Networks"]["shop_default"]["IPAddress"], "172.19.0.3");
    assert!(
        web["Config"]["Env"].as_array().unwrap().iter().any(|one| one == "APP_PASSWORD=changeme"),
        "a default is the finding"
    );

    let ps: Vec<Value> =
        text(&Probe::Docker(DockerTable::Ps)).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(
        (ps[1]["Names"].as_str(), ps[1]["Ports"].as_str()),
        (Some("shop_web_1"), Some("127.0.0.1:18080->80/tcp"))
    );
    assert_eq!(
        (ps[1]["RunningFor"].as_str(), ps[1]["CreatedAt"].as_str()),
        (Some("82 minutes ago"), Some("2026-11-22 11:37:04 +0000 UTC"))
    );
    assert!(ps[0]["Labels"].as_str().unwrap().contains("com.docker.compose.service=worker"));
    let volumes: Vec<Value> = serde_json::from_str(&text(&Probe::Docker(DockerTable::Volumes))).unwrap();
    assert_eq!(volumes[0]["Mountpoint"], "/var/lib/docker/volumes/shop_keep/_data");
    let inodes = text(&Probe::Docker(DockerTable::Inodes));
    assert!(inodes.lines().any(|line| line.starts_with("shop_web_1\t/etc/conf.txt\t")), "{inodes}");
}

#[test]
fn logs_come_with_and_without_frames() {
    let replay = Replay::start();
    let world = replay.world(Limits::default());
    let framed = world.answer(&log("/shop_worker_1")).unwrap().remove(0);
    assert_eq!((framed.path.as_str(), framed.text.as_str().lines().count()), ("docker/logs/shop_worker_1.log", 100));
    assert!(framed.text.as_str().lines().next().unwrap().ends_with("Z line 0"));
    let terminal = world.answer(&log("shop_web_1")).unwrap().remove(0);
    assert!(terminal.cite_line(2).text.ends_with("Z err"));
    let short = replay.world(Limits { log_bytes_max: 1000, ..Limits::default() });
    let end = short.answer(&log("shop_worker_1")).unwrap().remove(0);
    assert_eq!(end.cite_line(100).text, framed.cite_line(100).text);
    assert_eq!(end.bytes_left_out as usize + end.text.as_str().len(), framed.text.as_str().len());
}

#[test]
fn a_file_is_read_through_links_and_an_unknown_container_is_absent() {
    let replay = Replay::start();
    let world = replay.world(Limits::default());
    let file = |path: &str| Probe::ContainerFile { container: "shop_web_1".into(), path: path.into() };
    let found = world.answer(&file("/etc/link.conf")).unwrap().remove(0);
    assert_eq!((found.path.as_str(), found.text.as_str()), ("docker/files/shop_web_1/etc/link.conf", "hello file\n"));
    assert_eq!(world.answer(&file("/etc/none")).unwrap_err().why, Why::Absent);
    assert_eq!(world.answer(&log("api")).unwrap_err().why, Why::Absent);
}
