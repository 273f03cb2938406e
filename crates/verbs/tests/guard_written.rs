//! What a command or an edit tool would write, judged by what `check` would newly find.

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

const COMPOSE: &str = "\
name: shop
services:
  api:
    image: registry.example.org/shop/api:1.4
    build: ./api
    env_file: compose.env
    networks: [edge]
    labels:
      traefik.enable: \"true\"
      traefik.http.services.api.loadbalancer.server.port: \"8000\"
    expose: [8000]
  postgres:
    image: postgres:16
    env_file: postgres.env
    networks: [edge]
  proxy:
    image: traefik:v3.1
    command: [--providers.docker=true]
    volumes: [/var/run/docker.sock:/var/run/docker.sock:ro]
    networks: [edge]
networks:
  edge: {}
  other: {}
";

fn guard() -> Guard {
    let password = ["k7Qw3", "Er9Tz5Uv1Xy8"].concat();
    let config =
        "import os\n\nDATABASE_URL = os.getenv(\"DATABASE_URL\", \"postgresql://zen:changeme@postgres:5432/zen\")\n";
    let texts = [
        ("files/srv/shop/compose.yml", COMPOSE.to_owned()),
        (
            "files/srv/shop/compose.env",
            format!("DATABASE_URL=postgresql://zen:{password}@postgres:5432/zen\nAPP_VERSION=1.4\n"),
        ),
        ("files/srv/shop/postgres.env", format!("POSTGRES_USER=zen\nPOSTGRES_PASSWORD={password}\nPOSTGRES_DB=zen\n")),
        ("files/srv/shop/api/config.py", config.to_owned()),
        (
            "files/srv/shop/drop.diff",
            "--- a/compose.env\n+++ b/compose.env\n@@ -1,2 +1 @@\n-DATABASE_URL=x\n APP_VERSION=1.4\n"
                .replace("DATABASE_URL=x", &format!("DATABASE_URL=postgresql://zen:{password}@postgres:5432/zen")),
        ),
        ("casefile.toml", "schema = \"coroner/casefile/v1\"\nroot = \"/srv/shop\"\n".to_owned()),
    ];
    let texts = texts.iter().map(|(path, text)| (*path, text.as_str()));
    Guard::over(World::Casefile(Casefile::of_texts(texts, Limits::default()).unwrap()), Library::built_in())
}

fn command(text: &str) -> PermissionAnswer {
    let request = PermissionRequest { command: Some(text.into()), cwd: "/srv/shop".into(), ..Default::default() };
    let answer = guard().judge(request.clone());
    assert_eq!(remedy::stopped(&mut guard(), &request, &answer), Vec::<String>::new());
    answer
}

fn tool(name: &str, input: Value) -> PermissionAnswer {
    guard().judge(PermissionRequest { tool: Some(name.into()), input, cwd: "/srv/shop".into(), ..Default::default() })
}

fn found(answer: &PermissionAnswer, pattern: &str) -> bool {
    answer.permission != Permission::Allow && answer.findings.iter().any(|f| f.pattern.as_str() == pattern)
}

#[test]
fn a_required_key_that_would_go_asks_on_every_road() {
    for text in [
        "sed -i '/^DATABASE_URL/d' compose.env",
        "sed -i 's/^DATABASE_URL=/DATABSE_URL=/' compose.env",
        "echo APP_VERSION=1.5 > compose.env",
        "printf 'APP_VERSION=1.5\\n' | tee compose.env",
        "cat > /srv/shop/compose.env <<'E'\nAPP_VERSION=1.5\nE",
        "git apply drop.diff",
        "patch -p1 < drop.diff",
        "echo APP_VERSION=1 > /tmp/new.env && mv /tmp/new.env compose.env",
        "perl -pi -e 's/^DATABASE_URL/#DATABASE_URL/' compose.env",
        "python3 -c \"open('compose.env','w').write('APP_VERSION=2\\n')\"",
        "bash -c 'cd /srv && sed -i 1d shop/compose.env'",
    ] {
        let answer = command(text);
        assert!(found(&answer, "database-default-credential"), "{text}\n{answer:#?}");
        assert!(answer.reason.chars().count() < 600 && answer.reason.contains("compose.env"), "{}", answer.reason);
    }
    for (name, input) in [
        ("Write", json!({"file_path": "compose.env", "content": "APP_VERSION=1.5\n"})),
        ("Edit", json!({"file_path": "/srv/shop/compose.env", "old_string": "DATABASE_URL", "new_string": "DB_URL"})),
        ("write_file", json!({"file_path": "/srv/shop/compose.env", "content": ""})),
        (
            "str_replace_based_edit_tool",
            json!({"command": "str_replace", "path": "/srv/shop/compose.yml", "old_str": "    env_file: compose.env\n", "new_str": ""}),
        ),
    ] {
        let answer = tool(name, input.clone());
        assert!(found(&answer, "database-default-credential"), "{name} {input}\n{answer:#?}");
    }
}

#[test]
fn a_declared_file_that_would_go_asks() {
    for text in ["rm compose.env", "mv postgres.env /srv/old.env", "cd / && rm -f srv/shop/compose.yml"] {
        let answer = command(text);
        assert!(found(&answer, "declared-file-removed"), "{text}\n{answer:#?}");
    }
    for text in ["rm drop.diff", "mv compose.env a && mv a compose.env", "rm -f missing.env", "ls compose.env"] {
        let answer = command(text);
        assert_eq!(answer.permission, Permission::Allow, "{text}\n{answer:#?}");
    }
}

#[test]
fn harmless_writes_and_old_findings_are_silent() {
    for text in [
        "sed -i 's/^APP_VERSION=.*/APP_VERSION=1.5/' compose.env",
        "sed -n 's/^APP_VERSION=//p' compose.env",
        "echo LOG_LEVEL=debug >> compose.env",
        "cp compose.env compose.env.bak",
        "cp compose.yml /srv/backup-compose.yml",
        "echo APP_VERSION=1 > other.env",
        "openssl rand -hex 16 > compose.env.new",
        "sed -i 's/1.4/1.5/' compose.yml",
        "sed -i 's/import os/import os  # noqa/' api/config.py",
        "git apply --check drop.diff",
        "touch compose.env",
        "echo 'sed -i /DATABASE_URL/d compose.env'",
    ] {
        let answer = command(text);
        assert!(answer.permission == Permission::Allow && answer.findings.is_empty(), "{text}\n{answer:#?}");
    }
    for (name, input) in [
        ("Edit", json!({"file_path": "compose.env", "old_string": "APP_VERSION=1.4", "new_string": "APP_VERSION=1.5"})),
        ("Edit", json!({"file_path": "compose.env", "old_string": "nowhere", "new_string": ""})),
        ("Write", json!({"file_path": "README.md", "content": "DATABASE_URL is needed\n"})),
        ("Write", json!({"file_path": "api/main.py", "content": "print(1)\n"})),
        ("Edit", json!({"file_path": "compose.yml", "old_string": "shop/api:1.4", "new_string": "shop/api:1.5"})),
    ] {
        let answer = tool(name, input.clone());
        assert!(answer.permission == Permission::Allow && answer.findings.is_empty(), "{name} {input}\n{answer:#?}");
    }
}

#[test]
fn other_detectors_are_carried_as_well() {
    let off = tool(
        "Edit",
        json!({"file_path": "compose.yml", "old_string": "    networks: [edge]\n    labels:", "new_string": "    networks: [other]\n    labels:"}),
    );
    assert!(found(&off, "container-outside-proxy-network"), "{off:#?}");
}
