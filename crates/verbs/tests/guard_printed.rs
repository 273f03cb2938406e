//! Secrets that a command or a reading tool would print, decided by what the files hold.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test panics where it fails"
)]

mod remedy;

use coroner_collect::{Casefile, Limits, World};
use coroner_judge::pattern::Library;
use coroner_model::permission::{Permission, PermissionAnswer, PermissionRequest};
use coroner_verbs::guard::Guard;
use serde_json::{Value, json};

fn guard() -> Guard {
    let password = ["k7Qw3", "Er9Tz5Uv1Xy8"].concat();
    let container = |name: &str, env: &str| {
        format!(
            r#"{{"Id":"{name:0>64}","Name":"/{name}","State":{{"Status":"running"}},"Config":{{"Image":"x","Env":[{env}],"Labels":{{}}}},"HostConfig":{{}},"Mounts":[],"NetworkSettings":{{"Networks":{{}}}}}}"#
        )
    };
    let inspect = format!(
        "[{},{}]",
        container("api", &format!("\"PORT=3000\",\"DB_PASSWORD={password}\"")),
        container("web", "\"PORT=3000\"")
    );
    let texts = [
        ("files/srv/shop/.env", format!("# shop\nDB_PASSWORD={password}\nAPI_KEY={password}9\nPORT=3000\n")),
        ("files/srv/shop/.env.test", "DB_PASSWORD=changeme\nPORT=3000\n".to_owned()),
        ("files/srv/shop/public.env", "PORT=3000\nLOG_LEVEL=info\n".to_owned()),
        ("docker/inspect.json", inspect),
        ("host/tree.tsv", "type\tpath\nd\t/srv/shop\nf\t/srv/shop/.env\n".to_owned()),
    ];
    let texts = texts.iter().map(|(path, text)| (*path, text.as_str()));
    Guard::over(World::Casefile(Casefile::of_texts(texts, Limits::default()).unwrap()), Library::built_in())
}

fn command(text: &str) -> PermissionAnswer {
    let env = [("HOME".to_owned(), "/home/dev".to_owned())].into();
    let request = PermissionRequest { command: Some(text.into()), cwd: "/srv/shop".into(), env, ..Default::default() };
    let answer = guard().judge(request.clone());
    assert_eq!(remedy::stopped(&mut guard(), &request, &answer), Vec::<String>::new());
    answer
}

fn tool(name: &str, input: Value) -> Permission {
    let request =
        PermissionRequest { tool: Some(name.into()), input, cwd: "/srv/shop".into(), ..PermissionRequest::default() };
    guard().judge(request).permission
}

#[test]
fn secrets_that_reach_the_transcript_ask() {
    for text in [
        "cat .env",
        "cat public.env .env",
        "grep -E 'PASSWORD|KEY' .env",
        "grep -v '^#' .env",
        "head -2 .env",
        "sed -n 2p .env",
        "awk -F= '{print $2}' .env",
        "cut -d= -f2 .env",
        "base64 < .env",
        "cat .env | rev",
        "docker exec api env",
        "docker inspect api",
        "docker inspect --format '{{json .Config.Env}}' api",
        "docker exec api printenv DB_PASSWORD",
        "env",
    ] {
        let answer = command(text);
        assert_eq!(answer.permission, Permission::Ask, "{text}\n{answer:#?}");
        assert!(answer.findings.iter().any(|f| f.pattern.as_str() == "secret-printed"), "{text}");
        assert!(answer.reason.chars().count() < 600, "{}", answer.reason);
        assert!(!answer.remedy.is_empty(), "{text}");
    }
    let named = command("cat .env");
    assert!(named.reason.contains("DB_PASSWORD") && named.reason.contains("cut -d= -f1"), "{}", named.reason);
    for name in ["Read", "read_file", "view"] {
        assert_eq!(tool(name, json!({"file_path": "/srv/shop/.env"})), Permission::Ask, "{name}");
    }
}

#[test]
fn files_without_secrets_and_quiet_ways_are_silent() {
    for text in [
        "cat .env.test",
        "cat public.env",
        "cat .env.example",
        "grep PORT .env",
        "sed -n 4p .env",
        "tail -1 .env",
        "awk -F= '{print $1}' .env",
        "cut -d= -f1 .env",
        "sed 's/=.*/=hidden/' .env",
        "grep -o '^[A-Z_]*=' .env",
        "cat .env.missing",
        "docker exec web env",
        "docker inspect web",
        "docker inspect api | jq '.[0].State'",
        "docker inspect api | grep Status",
        "docker exec api printenv PORT",
    ] {
        let answer = command(text);
        assert!(
            answer.permission == Permission::Allow && answer.findings.is_empty() || text.contains("missing"),
            "{text}\n{answer:#?}"
        );
    }
    assert_eq!(tool("Read", json!({"file_path": "/srv/shop/public.env"})), Permission::Allow);
    assert_eq!(tool("Read", json!({"file_path": "/srv/shop/src/main.rs"})), Permission::Allow);
}
