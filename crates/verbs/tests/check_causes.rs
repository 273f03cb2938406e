//! Bad states and their nearest neighbours, looked at through a casefile.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test panics where it fails"
)]

use std::collections::BTreeMap;

use coroner_collect::{Casefile, Limits, World};
use coroner_judge::fact::{self, Fact, FactKind};
use coroner_judge::scene::{Goal, Scene};
use coroner_model::Confidence;
use coroner_verbs::look::look;
use serde_json::{Value, json};

/// A case that is put together file by file.
#[derive(Clone, Default)]
struct Case {
    files: BTreeMap<String, String>,
    containers: Vec<Value>,
}

impl Case {
    fn file(mut self, path: &str, text: &str) -> Case {
        self.files.insert(path.to_owned(), text.to_owned());
        self
    }

    fn container(mut self, name: &str, change: impl FnOnce(&mut Value)) -> Case {
        let mut one = json!({
            "Id": format!("{:064x}", self.containers.len() + 1), "Name": format!("/{name}"), "Created": "2026-02-01T10:00:00Z",
            "State": {"Status": "running", "Pid": 9, "ExitCode": 0, "StartedAt": "2026-02-01T10:00:01Z"},
            "Config": {"Image": "depot/thing:1", "Env": [], "Labels": {}}, "HostConfig": {}, "Mounts": [],
            "NetworkSettings": {"Networks": {"depot_default": {"IPAddress": format!("172.18.0.{}", self.containers.len() + 2)}}},
        });
        change(&mut one);
        self.containers.push(one);
        self
    }

    /// A container of service `service` of the project in `/srv/depot`.
    fn service(self, service: &str, image: &str, env: &[&str], change: impl FnOnce(&mut Value)) -> Case {
        self.container(&format!("depot-{service}-1"), |c| {
            c["Config"]["Image"] = json!(image);
            c["Config"]["Env"] = json!(env);
            c["NetworkSettings"]["Networks"]["depot_default"]["Aliases"] = json!([service]);
            c["Config"]["Labels"] = json!({
                "com.docker.compose.project": "depot", "com.docker.compose.service": service,
                "com.docker.compose.project.working_dir": "/srv/depot",
                "com.docker.compose.project.config_files": "/srv/depot/compose.yml",
            });
            change(c);
        })
    }

    fn facts(&self) -> Vec<Fact> {
        let mut files = self.files.clone();
        if !self.containers.is_empty() {
            files.insert("docker/inspect.json".to_owned(), serde_json::to_string_pretty(&self.containers).unwrap());
        }
        let texts = files.iter().map(|(path, text)| (path.as_str(), text.as_str()));
        let world = World::Casefile(Casefile::of_texts(texts, Limits::default()).unwrap());
        let answers = look(&world, &Goal::Investigate { since: None, until: None }, Vec::new());
        fact::all(&Scene::read(&answers))
    }

    fn found(&self) -> Vec<(FactKind, &'static str, String)> {
        self.facts().into_iter().map(|f| (f.kind, f.is, f.component)).collect()
    }
}

/// One fact of a kind and nothing else.
fn only(case: &Case, kind: FactKind, is: &str, component: &str) -> Fact {
    let facts = case.facts();
    let found: Vec<_> = facts.iter().map(|f| (f.kind, f.is, f.component.as_str(), f.text.as_str())).collect();
    assert_eq!(facts.len(), 1, "{found:#?}");
    assert_eq!((facts[0].kind, facts[0].is, facts[0].component.as_str()), (kind, is, component), "{found:?}");
    facts.into_iter().next().unwrap()
}

const COMPOSE: &str = "services:\n  portal:\n    build: ./portal\n    env_file: portal.env\n  pgmain:\n    image: postgres:16\n    environment:\n      POSTGRES_USER: depot\n      POSTGRES_PASSWORD: ${PG_SECRET}\n    volumes: ['pgdata:/var/lib/postgresql/data']\nvolumes: {pgdata: {}}\n";
const CODE: &str = "import os\n\nDSN = os.environ.get('PORTAL_DSN', 'postgresql://depot:changeme@pgmain:5432/depot')\n";
/// Looks random, so that it is taken for a secret.
const SECRET: &str = "Zq81vv03Lm92";

fn depot(portal_env: &[&str], server_password: &str) -> Case {
    let server = format!("POSTGRES_PASSWORD={server_password}");
    Case::default()
        .file("files/srv/depot/compose.yml", COMPOSE)
        .file("files/srv/depot/.env", &format!("PG_SECRET={server_password}\n"))
        .file("files/srv/depot/portal.env", &portal_env.iter().map(|l| format!("{l}\n")).collect::<String>())
        .file("files/srv/depot/portal/settings.py", CODE)
        .service("portal", "depot-portal", portal_env, |_| {})
        .service("pgmain", "postgres:16", &["POSTGRES_USER=depot", &server], |_| {})
}

#[test]
fn a_default_password_is_found_live_with_its_evidence() {
    let fact = only(&depot(&["LOG=info"], SECRET), FactKind::CredentialFallback, "absent", "portal");
    assert_eq!(fact.confidence, Confidence::High);
    let cited: Vec<&str> = fact.because.iter().flat_map(|r| &r.evidence).map(|e| e.locator.as_str()).collect();
    assert_eq!(
        cited,
        [
            "docker/inspect.json#/0/Config/Env",
            "files/srv/depot/portal/settings.py:3",
            "docker/inspect.json#/1/Config/Env/1"
        ]
    );
    assert!(fact.text.contains("PORTAL_DSN"), "{}", fact.text);
    assert!(fact.remedy.contains("/srv/depot/portal.env") && fact.remedy.contains("up -d portal"), "{}", fact.remedy);
    assert!(!format!("{fact:?}").contains(SECRET));
}

#[test]
fn neighbours_of_a_default_password_are_silent() {
    assert_eq!(depot(&["LOG=info"], "changeme").found(), [], "the server accepts the default");
    let given = format!("PORTAL_DSN=postgresql://depot:{SECRET}@pgmain:5432/depot");
    assert_eq!(depot(&[&given], SECRET).found(), [], "the variable is there");
    let required = depot(&["LOG=info"], SECRET)
        .file("files/srv/depot/portal/settings.py", "import os\nDSN = os.environ['PORTAL_DSN']\n");
    assert_eq!(required.found(), []);
    let local = depot(&["LOG=info"], SECRET).file(
        "files/srv/depot/portal/settings.py",
        "import os\nDSN = os.getenv('PORTAL_DSN', 'postgresql://depot:changeme@localhost/depot')\n",
    );
    assert_eq!(local.found(), [], "the default does not lead to this server");
}

#[test]
fn where_the_variable_stands_instead_is_told() {
    let dsn = |name: &str| format!("{name}=postgresql://depot:{SECRET}@pgmain:5432/depot");
    let misspelt = only(&depot(&[&dsn("PORTAL_DNS")], SECRET), FactKind::CredentialFallback, "misspelt", "portal");
    assert!(misspelt.text.contains("PORTAL_DNS"), "{}", misspelt.text);
    let other = depot(&["LOG=info"], SECRET).container("jobs", |c| c["Config"]["Env"] = json!([dsn("PORTAL_DSN")]));
    only(&other, FactKind::CredentialFallback, "elsewhere", "portal");
    let file = depot(&["LOG=info"], SECRET).file("files/srv/depot/extra.env", &dsn("PORTAL_DSN"));
    let fact = only(&file, FactKind::CredentialFallback, "not-loaded", "portal");
    assert!(fact.text.contains("/srv/depot/extra.env"), "{}", fact.text);
}

#[test]
fn a_default_in_the_compose_file_counts_too() {
    let compose = "services:\n  portal:\n    image: depot/portal:1\n    environment:\n      DSN: ${PORTAL_DSN:-postgres://depot:changeme@pgmain/depot}\n  pgmain:\n    image: postgres:16\n    environment: {POSTGRES_USER: depot, POSTGRES_PASSWORD: '${PG_SECRET}'}\n";
    let case = |portal: &str| {
        Case::default()
            .file("files/srv/depot/compose.yml", compose)
            .file("files/srv/depot/.env", &format!("PG_SECRET={SECRET}\n"))
            .service("portal", "depot/portal:1", &[portal], |_| {})
            .service("pgmain", "postgres:16", &["POSTGRES_USER=depot", &format!("POSTGRES_PASSWORD={SECRET}")], |_| {})
    };
    let found = case("DSN=postgres://depot:changeme@pgmain/depot").found();
    assert!(found.contains(&(FactKind::CredentialFallback, "absent", "portal".to_owned())), "{found:?}");
    assert_eq!(case(&format!("DSN=postgres://depot:{SECRET}@pgmain/depot")).found(), []);
}

#[test]
fn an_old_volume_is_not_blamed_on_an_absent_variable() {
    let dsn = format!("PORTAL_DSN=postgresql://depot:{SECRET}@pgmain:5432/depot");
    let refused = "2026-02-01T10:00:09.000000000Z 2026-02-01 10:00:09 UTC [7] FATAL:  password authentication failed for user \"depot\"\n";
    let mut case = depot(&[&dsn], SECRET)
        .file(
            "docker/volumes.json",
            r#"[{"Name":"depot_pgdata","Mountpoint":"/v","CreatedAt":"2025-12-01T00:00:00Z"}]"#,
        )
        .file("docker/logs/depot-pgmain-1.log", refused);
    case.containers[1]["Mounts"] = json!([{"Type": "volume", "Name": "depot_pgdata", "Source": "/v", "Destination": "/var/lib/postgresql/data", "RW": true}]);
    let fact = only(&case, FactKind::CredentialStale, "older-volume", "pgmain");
    assert!(fact.text.contains("depot_pgdata"), "{}", fact.text);
    let quiet = case
        .clone()
        .file("docker/logs/depot-pgmain-1.log", "2026-02-01T10:00:09.000000000Z ready to accept connections\n");
    assert_eq!(quiet.found(), [], "an old volume alone is the normal state");
}

fn drift(mtime: &str, file: &str, env: &[&str], started: &str) -> Case {
    Case::default()
        .file("files/srv/depot/compose.yml", "services:\n  portal:\n    image: depot/portal:1\n    env_file: portal.env\n")
        .file("files/srv/depot/portal.env", file)
        .file("host/tree.tsv", &format!("type\tmtime\tpath\nf\t{mtime}\t/srv/depot/portal.env\nf\t2026-01-01T00:00:00Z\t/srv/depot/compose.yml\n"))
        .service("portal", "depot/portal:1", env, |c| c["State"]["StartedAt"] = json!(started))
}

#[test]
fn a_restart_after_an_edit_keeps_the_old_environment() {
    let restarted =
        drift("2026-02-01T11:00:00Z", "REL=2\nSAME=x\n", &["REL=1", "SAME=x", "PATH=/bin"], "2026-02-01T11:05:00Z");
    let fact = only(&restarted, FactKind::EnvDrift, "restarted", "portal");
    assert!(fact.text.contains("REL") && !fact.text.contains("SAME"), "{}", fact.text);
    assert_eq!(fact.onset, "2026-02-01T11:00:00Z".parse().ok());
    let waiting = drift("2026-02-01T11:00:00Z", "REL=2\n", &["REL=1"], "2026-02-01T10:00:01Z");
    only(&waiting, FactKind::EnvDrift, "not-recreated", "portal");
    let same = drift("2026-02-01T11:00:00Z", "# note\nexport REL='1'\r\n", &["REL=1"], "2026-02-01T11:05:00Z");
    assert_eq!(same.found(), []);
}

#[test]
fn a_container_of_docker_run_is_compared_with_its_env_file() {
    let session = r#"{"schema":"coroner/session/v1","session":"s1","agent":"other","cwd":"/srv/depot"}
{"tool_call":"1","tool":"shell","command":"docker run -d --name relay --env-file ./relay.env depot/relay:1","at":"2026-02-01T10:00:00Z","exit_code":0}
"#;
    let case = |file: &str| {
        Case::default()
            .file("sessions/s1.jsonl", session)
            .file("files/srv/depot/relay.env", file)
            .file("host/tree.tsv", "type\tmtime\tpath\nf\t2026-02-01T11:00:00Z\t/srv/depot/relay.env\n")
            .container("relay", |c| c["Config"]["Env"] = json!(["MODE=a"]))
    };
    only(&case("MODE=b\n"), FactKind::EnvDrift, "not-recreated", "relay");
    assert_eq!(case("MODE=a\n").found(), []);
}

fn proxied(label_port: &str, networks: Value, change: impl FnOnce(&mut Value)) -> Case {
    Case::default()
        .container("edge", |c| {
            c["Config"]["Image"] = json!("traefik:v3.2");
            c["Config"]["Cmd"] = json!(["--providers.docker=true", "--providers.docker.exposedbydefault=false"]);
            c["NetworkSettings"]["Networks"] = json!({"edge-net": {"IPAddress": "172.30.0.2"}});
        })
        .container("atlas", |c| {
            c["Config"]["Labels"] = json!({"traefik.enable": "true", "traefik.http.routers.atlas.rule": "Host(`atlas.example.org`)", "traefik.http.services.atlas.loadbalancer.server.port": label_port});
            c["NetworkSettings"]["Networks"] = networks;
            change(c);
        })
}

#[test]
fn networks_and_ports_are_not_taken_for_each_other() {
    let outside = proxied("8080", json!({"bridge": {"IPAddress": "172.17.0.2"}}), |_| {});
    only(&outside, FactKind::ProxyUnreachable, "no-shared-network", "atlas");
    let inside = || proxied("8080", json!({"edge-net": {"IPAddress": "172.30.0.3"}}), |_| {});
    assert_eq!(inside().found(), []);
    let dead = inside()
        .file("host/listeners.tsv", "proto\taddress\tport\tprocess\tcontainer\ntcp\t0.0.0.0\t9000\tapp\tatlas\n");
    let fact = only(&dead, FactKind::BackendPort, "wrong-port", "atlas");
    assert!(fact.text.contains("9000") && fact.ruled_out[0].text.contains("edge-net"), "{fact:?}");
    let alive = inside()
        .file("host/listeners.tsv", "proto\taddress\tport\tprocess\tcontainer\ntcp\t0.0.0.0\t8080\tapp\tatlas\n");
    assert_eq!(alive.found(), []);
    let loopback = inside()
        .file("host/listeners.tsv", "proto\taddress\tport\tprocess\tcontainer\ntcp\t127.0.0.1\t8080\tapp\tatlas\n");
    only(&loopback, FactKind::BackendPort, "not-listening", "atlas");
    let refused = inside().file(
        "docker/logs/edge.log",
        "2026-02-01T10:10:00.000000000Z 502 error: dial tcp 172.30.0.3:8080: connect: connection refused\n",
    );
    only(&refused, FactKind::BackendPort, "not-listening", "atlas");
    let crashed = proxied("8080", json!({"edge-net": {"IPAddress": ""}}), |c| {
        c["State"]["Status"] = json!("exited");
        c["State"]["ExitCode"] = json!(1);
    });
    only(&crashed, FactKind::BackendPort, "not-running", "atlas");
}

#[test]
fn a_proxy_is_known_by_its_program_and_its_mounted_file() {
    let case = |said: &str| {
        Case::default()
            .container("front", |c| {
                c["Config"]["Cmd"] = json!(["nginx", "-c", "/stack/site.conf"]);
                c["Mounts"] = json!([{"Type": "bind", "Source": "/srv/depot/site.conf", "Destination": "/stack/site.conf", "RW": false}]);
            })
            .container("atlas", |_| {})
            .file("files/srv/depot/site.conf", "events {}\nhttp { server { location / { proxy_pass http://atlas:4100; } } }\n")
            .file("docker/logs/atlas.log", &format!("2026-02-01T10:00:02.000000000Z {said}\n"))
    };
    let fact = only(&case("atlas listening on 0.0.0.0:4200"), FactKind::BackendPort, "wrong-port", "atlas");
    assert!(fact.remedy.contains("4100") && fact.remedy.contains("/srv/depot/site.conf"), "{}", fact.remedy);
    assert_eq!(case("atlas listening on 0.0.0.0:4100").found(), []);
    assert_eq!(case("ready").found(), []);
}

#[test]
fn a_container_by_hand_in_place_of_a_service_is_found() {
    let compose = "services:\n  edge:\n    image: traefik:v3\n    command: --providers.docker\n  atlas:\n    image: depot/atlas:4\n    labels: ['traefik.enable=true', 'traefik.http.routers.a.rule=Host(`a.example`)']\n";
    let case = Case::default()
        .file("files/srv/depot/compose.yml", compose)
        .service("edge", "traefik:v3", &[], |c| c["Config"]["Cmd"] = json!(["--providers.docker"]))
        .container("atlas", |c| {
            c["Config"]["Image"] = json!("depot/atlas:4");
            c["NetworkSettings"]["Networks"] = json!({"bridge": {"IPAddress": "172.17.0.2"}});
        });
    let fact = only(&case, FactKind::ProxyUnreachable, "no-shared-network", "atlas");
    assert!(fact.because.iter().any(|r| r.text.contains("not made by compose")), "{fact:?}");
}

#[test]
fn samples_over_time_show_a_directory_taken_away() {
    let sample = |at: &str, inode: &str| {
        format!(
            "{{\"at\":\"{at}\",\"container\":\"kv\",\"state\":\"running\",\"mounts\":[{{\"source\":\"/srv/kv\",\"destination\":\"/data\",\"inode\":{inode}}}]}}\n"
        )
    };
    let case = |second: &str| {
        Case::default()
            .container("kv", |c| {
                c["Mounts"] = json!([{"Type": "bind", "Source": "/srv/kv", "Destination": "/data", "RW": true}])
            })
            .file(
                "docker/samples.jsonl",
                &(sample("2026-02-01T10:30:00Z", "131") + &sample("2026-02-01T10:41:10Z", second)),
            )
    };
    let fact = only(&case("null"), FactKind::MountSourceMissing, "gone", "kv");
    assert_eq!(fact.onset, "2026-02-01T10:41:10Z".parse().ok());
    only(&case("977"), FactKind::MountSourceMissing, "replaced", "kv");
    assert_eq!(case("131").found(), []);
}
