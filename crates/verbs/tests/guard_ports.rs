//! Which service a request reaches, and which data an image would start over.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test panics where it fails"
)]

use coroner_collect::{Casefile, Limits, World};
use coroner_judge::pattern::Library;
use coroner_model::permission::{Permission, PermissionAnswer, PermissionRequest};
use coroner_verbs::guard::Guard;

fn container(name: &str, image: &str, inside: u16, outside: u16, mounts: &str) -> String {
    format!(
        r#"{{"Id":"{name}","Name":"/{name}","State":{{"Status":"running"}},"Config":{{"Image":"{image}","Env":[],"Labels":{{}}}},"HostConfig":{{"NetworkMode":"bridge","PortBindings":{{"{inside}/tcp":[{{"HostIp":"","HostPort":"{outside}"}}]}}}},"NetworkSettings":{{"Ports":{{"{inside}/tcp":[{{"HostIp":"0.0.0.0","HostPort":"{outside}"}}]}},"Networks":{{}}}},"Mounts":[{mounts}]}}"#
    )
}

fn judge(command: &str) -> PermissionAnswer {
    let pg = r#"{"Type":"volume","Name":"pgdata","Source":"/var/lib/docker/volumes/pgdata/_data","Destination":"/var/lib/postgresql/data","RW":true}"#;
    let inspect = format!(
        "[{},{},{},{},{}]",
        container("docs-mcp", "docs:1", 80, 6280, ""),
        container("mcp-gateway", "gateway:1", 80, 6290, ""),
        container("webcontrol", "webcontrol:1", 8080, 8383, ""),
        container("orders-db", "postgres:15", 5432, 5432, pg),
        container("orders-worker", "worker:1", 9000, 9001, ""),
    );
    let listeners = "proto\taddress\tport\tprocess\tcontainer\ntcp\t0.0.0.0\t6280\tdocker-proxy\tdocs-mcp\ntcp\t0.0.0.0\t6290\tdocker-proxy\tmcp-gateway\ntcp\t0.0.0.0\t8383\tdocker-proxy\twebcontrol\ntcp\t127.0.0.1\t3000\tnode\t-\n";
    let files = [("docker/inspect.json", inspect.as_str()), ("host/listeners.tsv", listeners)];
    let casefile = Casefile::of_texts(files, Limits::default()).unwrap();
    let mut guard = Guard::over(World::Casefile(casefile), Library::built_in());
    guard.judge(PermissionRequest {
        command: Some(command.to_owned()),
        cwd: "/srv/app".into(),
        ..PermissionRequest::default()
    })
}

#[test]
fn a_request_to_the_wrong_service_is_noted() {
    for (command, says) in [
        ("curl -s http://127.0.0.1:6280/health # is the mcp gateway up?", "mcp-gateway is 6290"),
        ("echo 'checking the gateway'; curl -s localhost:6280/tools", "mcp-gateway is 6290"),
        ("GATEWAY=http://localhost:6280; curl -s $GATEWAY/tools", "mcp-gateway is 6290"),
        ("wget -qO- http://127.0.0.1:6280/gateway/tools", "mcp-gateway is 6290"),
        ("curl -X POST localhost:6280/gateway -d '{}'", "mcp-gateway is 6290"),
        ("curl -s localhost:6290/docs", "docs-mcp is 6280"),
        ("curl -s http://localhost:8080/healthz # webcontrol", "from this host it is 8383"),
    ] {
        let answer = judge(command);
        assert_eq!(answer.permission, Permission::Allow, "{command} {answer:?}");
        let finding = answer.findings.iter().find(|f| f.pattern.as_str() == "request-wrong-service");
        let finding = finding.unwrap_or_else(|| panic!("{command} {answer:?}"));
        assert!(finding.reason.contains(says), "{command} {}", finding.reason);
    }
}

#[test]
fn the_right_service_is_silent() {
    for command in [
        "curl -s http://127.0.0.1:6290/health # mcp gateway",
        "curl -s http://127.0.0.1:6280/health # docs",
        "curl -s http://127.0.0.1:6280/health",
        "curl -s http://127.0.0.1:8383/healthz # webcontrol",
        "curl -s http://localhost:3000/gateway",
        "curl -s https://gateway.example.org/health",
        "docker exec mcp-gateway curl -s http://localhost:6280/gateway",
        "echo 'curl localhost:6280 # gateway'",
    ] {
        let answer = judge(command);
        assert!(answer.permission == Permission::Allow && answer.findings.is_empty(), "{command} {answer:?}");
    }
}

#[test]
fn another_major_version_over_existing_data_asks() {
    for command in [
        "docker run -d --rm --name pg17 -v pgdata:/var/lib/postgresql/data postgres:17",
        "docker run -d --name pg -v pgdata:/var/lib/postgresql/data postgres:latest",
        "docker run -d --name pg -v pgdata:/var/lib/postgresql/data bitnami/postgresql:16",
    ] {
        let answer = judge(command);
        assert_eq!(answer.permission, Permission::Ask, "{command} {answer:?}");
        assert!(answer.findings.iter().any(|f| f.pattern.as_str() == "image-upgrade-major"), "{answer:?}");
    }
    for command in [
        "docker run -d --name pg -v pgdata:/var/lib/postgresql/data postgres:15.8",
        "docker run -d --name pg17 -v new:/var/lib/postgresql/data postgres:17",
        "docker run --rm postgres:17 psql --version",
        "docker pull postgres:17",
        "docker run -d --name job worker:2",
    ] {
        let answer = judge(command);
        assert!(answer.findings.iter().all(|f| f.pattern.as_str() != "image-upgrade-major"), "{command} {answer:?}");
    }
}
