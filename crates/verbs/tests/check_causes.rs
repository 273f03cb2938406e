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
const SECRET: &str = concat!("Zq81vv", "03Lm92");

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
fn a_variable_that_a_restart_did_not_bring_in_is_no_default_credential() {
    let dsn = format!("PORTAL_DSN=postgresql://depot:{SECRET}@pgmain:5432/depot");
    let restarted = depot(&[], SECRET)
        .file("files/srv/depot/portal.env", &format!("{dsn}\n"))
        .file("host/tree.tsv", "type\tmtime\tpath\nf\t2026-02-01T11:00:00Z\t/srv/depot/portal.env\n");
    let mut restarted = restarted;
    for container in &mut restarted.containers {
        container["State"]["StartedAt"] = json!("2026-02-01T11:05:00Z");
    }
    let kinds: Vec<FactKind> = restarted.found().into_iter().map(|(kind, ..)| kind).collect();
    assert!(!kinds.contains(&FactKind::CredentialFallback), "{kinds:?}");
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
    assert!(fact.remedy.contains("up -d atlas"), "{}", fact.remedy);
    // An image that several services share tells nothing; the name does.
    let shared = compose.replace("traefik:v3", "depot/atlas:4").replace("command: ", "command: traefik ");
    let shared = case.clone().file("files/srv/depot/compose.yml", &shared);
    assert!(shared.facts()[0].remedy.contains("up -d atlas"), "{:?}", shared.facts());
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

#[test]
fn a_password_on_the_servers_command_line_counts() {
    let code = "import os\nCACHE = os.environ.get('CACHE_URL', 'redis://:changeme@kv:6379/0')\n";
    let case = |command: Value, env: &[&str]| {
        Case::default()
            .file(
                "files/srv/depot/compose.yml",
                "services:\n  portal:\n    build: ./portal\n  kv:\n    image: redis:7\n",
            )
            .file("files/srv/depot/portal/settings.py", code)
            .service("portal", "depot-portal", &["LOG=info"], |_| {})
            .service("kv", "redis:7", env, |c| c["Config"]["Cmd"] = command)
    };
    let given = case(json!(["redis-server", "--requirepass", SECRET]), &[]);
    let fact = only(&given, FactKind::CredentialFallback, "absent", "portal");
    assert!(!format!("{fact:?}").contains(SECRET));
    let shell = case(
        json!(["sh", "-c", "exec redis-server --requirepass \"$KV_SECRET\""]),
        &[&["KV_SECRET=w83k", "Rr41zz"].concat()],
    );
    only(&shell, FactKind::CredentialFallback, "absent", "portal");
    assert_eq!(case(json!(["redis-server"]), &[]).found(), [], "it asks for no password");
    assert_eq!(case(json!(["redis-server", "--requirepass", "changeme"]), &[]).found(), []);
}

#[test]
fn a_password_in_a_file_that_a_variable_names_is_none_missing() {
    let code = "import os\nDSN = os.environ.get('PORTAL_DSN', 'postgresql://depot:changeme@pgmain:5432/depot')\n";
    let case = depot(&["PORTAL_DSN_FILE=/run/secrets/dsn"], SECRET).file("files/srv/depot/portal/settings.py", code);
    assert_eq!(case.found(), []);
}

#[test]
fn a_dotenv_file_that_the_code_loads_by_itself_leaves_it_open() {
    let code = format!("from dotenv import load_dotenv\nload_dotenv()\n{CODE}");
    let dsn = format!("PORTAL_DSN=postgresql://depot:{SECRET}@pgmain:5432/depot\n");
    let case =
        |env: &str| depot(&["LOG=info"], SECRET).file("files/srv/depot/portal/settings.py", &code).file(env, &dsn);
    let built_in = only(&case("files/srv/depot/portal/.env"), FactKind::CredentialFallback, "not-loaded", "portal");
    assert_eq!(built_in.confidence, Confidence::Low);
    let outside = only(&case("files/srv/depot/.env.prod"), FactKind::CredentialFallback, "not-loaded", "portal");
    assert_eq!(outside.confidence, Confidence::High, "the folder that is built does not hold it");
    let mut mounted = case("files/srv/depot/portal/.env");
    mounted.containers[0]["Mounts"] =
        json!([{"Type": "bind", "Source": "/srv/depot/portal", "Destination": "/app", "RW": true}]);
    assert_eq!(mounted.found(), []);
}

#[test]
fn a_refusal_of_a_default_speaks_of_no_old_volume() {
    let refused = "2026-02-01T10:00:09.000000000Z 2026-02-01 10:00:09 UTC [7] FATAL:  password authentication failed for user \"depot\"\n";
    let dsn = format!("PORTAL_DNS=postgresql://depot:{SECRET}@pgmain:5432/depot");
    let mut case = depot(&[&dsn], SECRET)
        .file(
            "docker/volumes.json",
            r#"[{"Name":"depot_pgdata","Mountpoint":"/v","CreatedAt":"2025-12-01T00:00:00Z"}]"#,
        )
        .file("docker/logs/depot-pgmain-1.log", refused);
    case.containers[1]["Mounts"] =
        json!([{"Type": "volume", "Name": "depot_pgdata", "Source": "/v", "Destination": "/d", "RW": true}]);
    only(&case, FactKind::CredentialFallback, "misspelt", "portal");
    let dsn = format!("PORTAL_DSN=postgresql://depot:{SECRET}@pgmain:5432/depot");
    let mut young = depot(&[&dsn], SECRET)
        .file(
            "docker/volumes.json",
            r#"[{"Name":"depot_pgdata","Mountpoint":"/v","CreatedAt":"2026-02-01T09:59:59Z"}]"#,
        )
        .file("docker/logs/depot-pgmain-1.log", refused);
    young.containers[1]["Mounts"] = case.containers[1]["Mounts"].clone();
    assert_eq!(young.found(), [], "the volume was made with its first container");
}

#[test]
fn an_environment_is_compared_in_every_instance_and_both_ways() {
    let files = "services:\n  portal:\n    image: depot/portal:1\n    env_file:\n      - path: portal.env\n        format: raw\n";
    let image = r#"[{"Id":"sha256:aa","RepoTags":["depot/portal:1"],"Config":{"Env":["PATH=/bin","LANG=C"]}}]"#;
    let case = |env: &[&str]| {
        let mut case = drift("2026-02-01T11:00:00Z", "REL='2'\n", env, "2026-02-01T11:05:00Z")
            .file("files/srv/depot/compose.yml", files)
            .file("docker/images.json", image);
        case.containers[0]["Image"] = json!("sha256:aa");
        case
    };
    assert_eq!(case(&["REL='2'", "PATH=/bin", "LANG=C", "HTTP_PROXY=http://p"]).found(), []);
    let removed = only(&case(&["REL='2'", "PATH=/bin", "EXTRA=1"]), FactKind::EnvDrift, "restarted", "portal");
    assert!(removed.text.contains("EXTRA") && !removed.text.contains("PATH"), "{}", removed.text);
    let unknown = case(&["REL='2'", "EXTRA=1"]).file("docker/images.json", "[]");
    assert_eq!(unknown.found(), [], "the image may give it");
    let mut scaled = case(&["REL='1'"]);
    let mut newer = scaled.containers[0].clone();
    newer["Id"] = json!("9".repeat(64));
    newer["Name"] = json!("/depot-portal-2");
    newer["Created"] = json!("2026-02-01T12:00:00Z");
    newer["Config"]["Env"] = json!(["REL='2'"]);
    scaled.containers.push(newer);
    only(&scaled, FactKind::EnvDrift, "restarted", "portal");
}

#[test]
fn what_a_proxy_is_told_of_containers_counts() {
    let both = json!({"edge-net": {"IPAddress": "172.30.0.3"}, "inner": {"IPAddress": "172.31.0.3"}});
    let told = |word: &str| {
        let mut case = proxied("8080", both.clone(), |_| {});
        case.containers[0]["Config"]["Cmd"] = json!(["--providers.docker=true", word]);
        case
    };
    only(&told("--providers.docker.network=inner"), FactKind::ProxyUnreachable, "no-shared-network", "atlas");
    assert_eq!(told("--providers.docker.network=edge-net").found(), []);
    let filed = |text: &str, label: &str| {
        let mut case = proxied("8080", json!({"bridge": {"IPAddress": "172.17.0.2"}}), |_| {})
            .file("files/srv/edge/traefik.yml", text);
        case.containers[0]["Config"]["Cmd"] = json!(["traefik"]);
        case.containers[0]["Mounts"] =
            json!([{"Type": "bind", "Source": "/srv/edge/traefik.yml", "Destination": "/etc/traefik/traefik.yml"}]);
        if label.is_empty() {
            case.containers[1]["Config"]["Labels"].as_object_mut().unwrap().remove("traefik.enable");
        }
        case
    };
    let hidden = "providers:\n  docker:\n    exposedByDefault: false\n";
    assert_eq!(filed(hidden, "").found(), [], "the proxy does not see it");
    only(&filed(hidden, "true"), FactKind::ProxyUnreachable, "no-shared-network", "atlas");
    only(&filed("providers:\n  docker: {}\n", ""), FactKind::ProxyUnreachable, "no-shared-network", "atlas");
}

#[test]
fn routes_in_a_mounted_folder_and_of_haproxy_count() {
    let case = |image: &str, source: &str, path: &str, text: &str| {
        Case::default()
            .container("edge", |c| {
                c["Config"]["Image"] = json!(image);
                c["Mounts"] = json!([{"Type": "bind", "Source": source, "Destination": "/conf", "RW": false}]);
                c["NetworkSettings"]["Networks"] = json!({"edge-net": {"IPAddress": "172.30.0.2"}});
            })
            .container("atlas", |_| {})
            .file(&format!("files{path}"), text)
    };
    let dynamic = "http:\n  services:\n    a:\n      loadBalancer:\n        servers: [{url: 'http://atlas:80'}]\n";
    let folder = case("traefik:v3", "/srv/edge/routes", "/srv/edge/routes/a.yml", dynamic);
    only(&folder, FactKind::ProxyUnreachable, "no-shared-network", "atlas");
    let cfg = "backend b\n  server s1 atlas:80 check\n";
    let haproxy = case("haproxy:3", "/srv/edge/haproxy.cfg", "/srv/edge/haproxy.cfg", cfg);
    only(&haproxy, FactKind::ProxyUnreachable, "no-shared-network", "atlas");
    let other =
        case("haproxy:3", "/srv/edge/haproxy.cfg", "/srv/edge/haproxy.cfg", &cfg.replace("atlas:80", "10.0.0.7:80"));
    assert_eq!(other.found(), []);
}

#[test]
fn a_namesake_of_another_project_is_not_the_backend() {
    let conf = "server { listen 80; location / { proxy_pass http://atlas:8000; } }\n";
    let foreign = |c: &mut Value| {
        c["Config"]["Labels"]["com.docker.compose.project"] = json!("other");
        c["Config"]["Labels"]["com.docker.compose.project.working_dir"] = json!("/srv/other");
        c["Config"]["Labels"]["com.docker.compose.project.config_files"] = json!("/srv/other/compose.yml");
        c["NetworkSettings"]["Networks"] = json!({"other_default": {"IPAddress": "172.19.0.2", "Aliases": ["atlas"]}});
    };
    let case = |exit: i64| {
        Case::default()
            .file("files/srv/depot/site.conf", conf)
            .service("edge", "nginx:1", &[], |c| {
                c["Mounts"] = json!([{"Type": "bind", "Source": "/srv/depot/site.conf", "Destination": "/etc/nginx/conf.d/default.conf"}]);
            })
            .service("atlas", "depot/atlas:1", &[], |c| {
                c["State"]["Status"] = json!(if exit == 0 { "running" } else { "exited" });
                c["State"]["ExitCode"] = json!(exit);
            })
            .service("atlas", "other/atlas:1", &[], foreign)
    };
    only(&case(3), FactKind::BackendPort, "not-running", "atlas");
    assert_eq!(case(0).found(), []);
}

#[test]
fn a_volume_that_was_made_anew_lost_what_it_held() {
    let sample = |at: &str, created: &str, rows: u32| {
        format!(
            "{{\"at\":\"{at}\",\"container\":\"pg\",\"state\":\"running\",\"mounts\":[{{\"volume\":\"depot_pg\",\"created\":\"{created}\"}}],\"metrics\":{{\"rows\":{rows}}}}}\n"
        )
    };
    let case = |first: u32, then: u32, made: &str| {
        let samples =
            sample("2026-02-01T09:30:00Z", "2026-01-01T00:00:00Z", first) + &sample("2026-02-01T10:30:00Z", made, then);
        Case::default()
            .container("pg", |c| {
                c["Mounts"] = json!([{"Type": "volume", "Name": "depot_pg", "Source": "/var/lib/docker/volumes/depot_pg/_data", "Destination": "/d", "RW": true}]);
            })
            .file("docker/samples.jsonl", &samples)
    };
    let fact = only(&case(18_000, 0, "2026-02-01T09:59:58Z"), FactKind::MountSourceMissing, "replaced", "pg");
    assert!(fact.text.contains("depot_pg"), "{}", fact.text);
    assert_eq!(fact.onset, "2026-02-01T09:59:58Z".parse().ok());
    assert_eq!(case(18_000, 17_990, "2026-02-01T09:59:58Z").found(), [], "a backup was put back");
    assert_eq!(case(0, 0, "2026-02-01T09:59:58Z").found(), [], "there was nothing to lose");
    assert_eq!(case(18_000, 0, "2026-01-01T00:00:00Z").found(), [], "the volume is the same one");
}

#[test]
fn a_mere_listing_of_containers_shows_networks_and_hides_the_environment() {
    let row = |name: &str, image: &str, labels: &str, networks: &str| {
        json!({"Names": name, "Image": image, "State": "running", "Status": "Up 2 hours", "ID": "ab", "Labels": labels,
            "Networks": networks, "CreatedAt": "2026-02-01 10:00:00 +0000 UTC"})
        .to_string()
    };
    let labels = "traefik.enable=true,traefik.http.routers.a.rule=Host(`a.example`,`b.example`)";
    let case = |networks: &str| {
        let rows = [row("edge", "traefik:v3", "", "edge-net"), row("atlas", "depot/atlas:1", labels, networks)];
        Case::default().file("docker/ps.jsonl", &rows.join("\n"))
    };
    let fact = only(&case("bridge"), FactKind::ProxyUnreachable, "no-shared-network", "atlas");
    assert!(
        fact.because.iter().flat_map(|r| &r.evidence).all(|e| e.locator.starts_with("docker/ps.jsonl:")),
        "{fact:?}"
    );
    assert_eq!(case("edge-net").found(), []);
    let of = "com.docker.compose.project=depot,com.docker.compose.service=portal,com.docker.compose.project.working_dir=/srv/depot,com.docker.compose.project.config_files=/srv/depot/compose.yml";
    let mut drifted = drift("2026-02-01T11:00:00Z", "REL=2\n", &[], "2026-02-01T11:05:00Z")
        .file("docker/ps.jsonl", &row("depot-portal-1", "depot/portal:1", of, "depot_default"));
    drifted.containers.clear();
    assert_eq!(drifted.found(), [], "what it runs with was not looked at");
}
