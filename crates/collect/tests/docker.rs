//! The Docker collectors, against a real engine where `CORONER_TEST_DOCKER_HOST` names one.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test panics where it fails"
)]

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Stdio};

use coroner_collect::{Limits, Live, LiveSettings, World};
use coroner_model::probe::DockerTable;
use coroner_model::{Probe, Why};
use serde_json::Value;

fn live(host: &str, home: &Path) -> World {
    World::Live(Live::new(
        LiveSettings {
            env: BTreeMap::from([("DOCKER_HOST".into(), host.to_owned())]),
            home: home.to_path_buf(),
            cwd: home.to_path_buf(),
            now: jiff::Timestamp::now(),
            redaction_key: [3; 32],
        },
        Limits::default(),
    ))
}

struct Engine {
    host: String,
}

impl Engine {
    fn named() -> Option<Engine> {
        let host = std::env::var("CORONER_TEST_DOCKER_HOST").ok();
        if host.is_none() {
            println!("skipped: CORONER_TEST_DOCKER_HOST names no engine");
        }
        host.map(|host| Engine { host })
    }

    fn run(&self, arguments: &[&str]) -> String {
        let output = Command::new("docker").env("DOCKER_HOST", &self.host).args(arguments).output().unwrap();
        assert!(output.status.success(), "docker {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// An image with a static shell, made of a tar on standard input.
    fn image(&self, name: &str) {
        let mut import = Command::new("docker")
            .env("DOCKER_HOST", &self.host)
            .args(["import", "-", name])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let mut archive = tar::Builder::new(import.stdin.take().unwrap());
        archive.append_path_with_name("/bin/busybox", "bin/sh").unwrap();
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(tar::EntryType::Symlink);
        header.set_size(0);
        archive.append_link(&mut header, "etc/link.conf", "app.conf").unwrap();
        let mut header = tar::Header::new_gnu();
        header.set_size(6);
        header.set_mode(0o644);
        archive.append_data(&mut header, "etc/app.conf", &b"a = 1\n"[..]).unwrap();
        archive.finish().unwrap();
        drop(archive);
        assert!(import.wait().unwrap().success());
    }
}

/// A container that is removed at the end, however the test ends.
struct Container<'a>(&'a Engine, String);

impl Drop for Container<'_> {
    fn drop(&mut self) {
        self.0.run(&["rm", "-f", "-v", &self.1]);
    }
}

fn text(world: &World, probe: &Probe) -> String {
    world.answer(probe).unwrap().remove(0).text.as_str().to_owned()
}

#[test]
fn a_real_engine_is_read_as_its_own_command_prints_it() {
    let Some(engine) = Engine::named() else { return };
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("bound.txt"), "x\n").unwrap();
    let name = format!("coroner-test-{}", std::process::id());
    engine.image("coroner-test:1");
    let bind = format!("{}:/data", dir.path().display());
    let label = format!("com.docker.compose.service=svc-{name}");
    let script =
        "i=0; while [ $i -lt 300 ]; do echo out $i; echo err $i >&2; i=$((i+1)); done; while true; do sleep 1; done";
    let secret = format!("{}{}", "Wq8Nd3Kz", "v5Tb1Rm7");
    let variable = format!("SERVICE_TOKEN={secret}");
    engine.run(&[
        "run",
        "-d",
        "--init",
        "--name",
        &name,
        "-v",
        &bind,
        "-l",
        &label,
        "-e",
        &variable,
        "coroner-test:1",
        "/bin/sh",
        "-c",
        script,
    ]);
    let _removed = Container(&engine, name.clone());
    std::thread::sleep(std::time::Duration::from_millis(1500));
    let world = live(&engine.host, dir.path());

    let ours: Vec<Value> = serde_json::from_str(&text(&world, &Probe::Docker(DockerTable::Inspect))).unwrap();
    let ours = ours.iter().find(|one| one["Name"] == format!("/{name}")).unwrap();
    let mut theirs: Vec<Value> = serde_json::from_str(&engine.run(&["inspect", &name])).unwrap();
    let environment = theirs[0]["Config"]["Env"].as_array_mut().unwrap();
    for variable in environment.iter_mut().filter(|variable| variable.as_str().unwrap().contains(&secret)) {
        *variable = format!("SERVICE_TOKEN={}", world.redactor().token(&secret)).into();
    }
    assert_eq!(ours, &theirs[0], "the same object, but for the secret");

    let logs = text(&world, &Probe::ContainerLog { container: name.clone() });
    assert_eq!(logs.lines().count(), 600);
    assert!(
        logs.lines().all(|line| line.split(' ').next().unwrap().parse::<jiff::Timestamp>().is_ok()),
        "every line has its time"
    );
    assert_eq!(text(&world, &Probe::ContainerLog { container: format!("svc-{name}") }), logs);

    let lines = text(&world, &Probe::Docker(DockerTable::Ps));
    let mine: Value = lines
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .find(|line| line["Names"] == name.as_str())
        .unwrap();
    let theirs: Value = serde_json::from_str(
        engine.run(&["ps", "-a", "--no-trunc", "--filter", &format!("name={name}"), "--format", "{{json .}}"]).trim(),
    )
    .unwrap();
    for field in ["ID", "Names", "Image", "State", "Labels", "Networks", "Mounts", "LocalVolumes", "Command", "Ports"] {
        assert_eq!(mine[field], theirs[field], "{field}");
    }

    let file = |path: &str| Probe::ContainerFile { container: name.clone(), path: path.into() };
    assert_eq!(text(&world, &file("/etc/link.conf")), "a = 1\n");
    assert_eq!(world.answer(&file("/etc/none")).unwrap_err().why, Why::Absent);
    assert_eq!(world.answer(&file("/data")).unwrap_err().why, Why::Unreadable);

    let inode = |world: &World| {
        text(world, &Probe::Docker(DockerTable::Inodes))
            .lines()
            .find(|line| line.starts_with(&name))
            .unwrap()
            .to_owned()
    };
    let before: Vec<String> = inode(&world).split('\t').map(str::to_owned).collect();
    assert_eq!((before[1].as_str(), &before[2]), ("/data", &before[3]));
    let moved = dir.path().with_extension("moved");
    std::fs::rename(dir.path(), &moved).unwrap();
    let after: Vec<String> = inode(&world).split('\t').map(str::to_owned).collect();
    assert_eq!((after[2].as_str(), &after[3]), ("-", &before[3]));
    std::fs::rename(&moved, dir.path()).unwrap();

    let networks: Vec<Value> = serde_json::from_str(&text(&world, &Probe::Docker(DockerTable::Networks))).unwrap();
    let bridge = networks.iter().find(|network| network["Name"] == "bridge").unwrap();
    assert!(bridge["Containers"].as_object().unwrap().values().any(|one| one["Name"] == name.as_str()));
    serde_json::from_str::<Vec<Value>>(&text(&world, &Probe::Docker(DockerTable::Volumes))).unwrap();
    let images: Vec<Value> = serde_json::from_str(&text(&world, &Probe::Docker(DockerTable::Images))).unwrap();
    assert!(images.iter().any(|image| image["RepoTags"].as_array().unwrap().iter().any(|tag| tag == "coroner-test:1")));
    let socket = engine.host.trim_start_matches("unix://");
    assert!(text(&world, &Probe::Docker(DockerTable::Sockets)).contains(&format!("{socket}\tyes\n")));
    assert_eq!(world.answer(&Probe::ContainerLog { container: "no-such".into() }).unwrap_err().why, Why::Absent);
    assert_eq!(world.answer(&Probe::Proxy(coroner_model::probe::ProxyTable::Routers)).unwrap_err().why, Why::Absent);
}

#[test]
fn a_dead_or_missing_context_is_said() {
    let home = tempfile::tempdir().unwrap();
    let settings = |env: BTreeMap<String, String>| LiveSettings {
        env,
        home: home.path().to_path_buf(),
        cwd: home.path().to_path_buf(),
        now: jiff::Timestamp::UNIX_EPOCH,
        redaction_key: [3; 32],
    };
    let meta = home.path().join(".docker/contexts/meta/aa");
    std::fs::create_dir_all(&meta).unwrap();
    let socket = home.path().join("gone.sock");
    std::fs::write(
        meta.join("meta.json"),
        format!(
            "{{\"Name\":\"rootless\",\"Metadata\":{{}},\"Endpoints\":{{\"docker\":{{\"Host\":\"unix://{}\"}}}}}}",
            socket.display()
        ),
    )
    .unwrap();
    std::fs::write(home.path().join(".docker/config.json"), "{\"currentContext\":\"rootless\"}").unwrap();
    let world = World::Live(Live::new(settings(BTreeMap::new()), Limits::default()));
    let why = world.answer(&Probe::Docker(DockerTable::Ps)).unwrap_err();
    assert_eq!(why.why, Why::Absent);
    assert!(why.detail.contains("gone.sock"), "{}", why.detail);
    let answer = world.answer(&Probe::Docker(DockerTable::Context)).unwrap();
    assert_eq!(answer[1].text.as_str(), "rootless\n");
    let contexts: Vec<Value> = serde_json::from_str(answer[0].text.as_str()).unwrap();
    assert_eq!(contexts.iter().map(|c| c["Current"].as_bool().unwrap()).collect::<Vec<_>>(), [false, true]);
    assert!(text(&world, &Probe::Docker(DockerTable::Sockets)).contains(&format!("{}\tno\n", socket.display())));
    // The variable wins over the context, as with the docker command.
    let env = BTreeMap::from([("DOCKER_CONTEXT".to_owned(), "absent".to_owned())]);
    let world = World::Live(Live::new(settings(env), Limits::default()));
    assert!(world.answer(&Probe::Docker(DockerTable::Ps)).unwrap_err().detail.contains("absent"));
}
