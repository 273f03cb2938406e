//! The guard over many programs: each line of `guard_programs/harmful.txt` is stopped on a host
//! that runs a shop, and each line of `guard_programs/harmless.txt` passes without a finding.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test panics where it fails"
)]

mod remedy;

use std::collections::BTreeMap;

use coroner_collect::{Casefile, Limits, World};
use coroner_judge::pattern::Library;
use coroner_model::effect::EffectKind;
use coroner_model::permission::{Permission, PermissionAnswer, PermissionRequest};
use coroner_verbs::guard::Guard;

const HARMFUL: &str = include_str!("guard_programs/harmful.txt");
const HARMLESS: &str = include_str!("guard_programs/harmless.txt");

const COMPOSE: &str = "\
name: shop
services:
  api: {image: shop/api:1}
  db:
    image: postgres:16
    volumes: [./.data/postgres:/var/lib/postgresql/data]
  cache:
    image: redis:7
    volumes: [cache:/data]
volumes: {cache: {}}
";

const DF: &str = "\
Filesystem 1-blocks Used Available Capacity Mounted on
/dev/nvme0n1p2 100000000000 40000000000 60000000000 40% /
/dev/mapper/vg0-data 500000000000 90000000000 410000000000 18% /srv/data
";

const STATUS: &str = "\
# branch.oid 1f2e
# branch.head feature/cart
# branch.upstream origin/feature/cart
# branch.ab +1 -0
1 .M N... 100644 100644 100644 a b src/main.rs
? notes.txt
";

const SCRIPTS: &str = r#"{"scripts":{"db:reset":"prisma migrate reset --force","build":"tsc","wipe":"npm run db:reset","predeploy":"prisma migrate deploy","deploy":"node deploy.js"}}"#;

fn container(index: usize, service: &str, status: &str, image: &str, mounts: &str) -> String {
    format!(
        r#"{{"Id":"{index:064x}","Name":"/shop-{service}-1","Created":"2026-01-01T06:12:00Z","State":{{"Status":"{status}","Pid":{index},"StartedAt":"2026-01-01T06:12:01Z"}},"Config":{{"Image":"{image}","Env":[],"Labels":{{"com.docker.compose.project":"shop","com.docker.compose.service":"{service}","com.docker.compose.project.working_dir":"/opt/shop","com.docker.compose.project.config_files":"/opt/shop/compose.yml"}}}},"HostConfig":{{"NetworkMode":"shop_default","PortBindings":{{}}}},"Mounts":[{mounts}],"NetworkSettings":{{"Networks":{{"shop_default":{{"Aliases":["{service}"]}}}}}}}}"#
    )
}

fn shop(dotenv: &str) -> Guard {
    let inspect = [
        container(1, "api", "running", "shop/api:1", ""),
        container(
            2,
            "db",
            "running",
            "postgres:16",
            r#"{"Type":"bind","Source":"/opt/shop/.data/postgres","Destination":"/var/lib/postgresql/data","RW":true}"#,
        ),
        container(
            3,
            "cache",
            "running",
            "redis:7",
            r#"{"Type":"volume","Name":"shop_cache","Source":"/var/lib/docker/volumes/shop_cache/_data","Destination":"/data","RW":true}"#,
        ),
        container(4, "job", "exited", "shop/api:1", ""),
    ];
    let inspect = format!("[{}]", inspect.join(","));
    let files = [
        ("docker/inspect.json", inspect.as_str()),
        ("host/df.txt", DF),
        ("git/status.txt", STATUS),
        ("git/stash.txt", "stash@{0}: WIP on main: 1f2e x\n"),
        ("files/opt/shop/compose.yml", COMPOSE),
        ("files/opt/shop/.env", dotenv),
        ("files/opt/shop/package.json", SCRIPTS),
        ("files/opt/shop/drop.sql", "DROP TABLE orders;\n"),
        ("files/opt/shop/schema.sql", "CREATE TABLE x (a int);\n"),
    ];
    over(&files)
}

fn over(files: &[(&str, &str)]) -> Guard {
    let casefile = Casefile::of_texts(files.iter().copied(), Limits::default()).unwrap();
    Guard::over(World::Casefile(casefile), Library::built_in())
}

const PRODUCTION: &str = "DATABASE_URL=postgres://app@db.prod.example.org:5432/shop\n";
const TEST: &str = "DATABASE_URL=postgres://app@localhost:5432/shop_test\n";
const DEVELOPMENT: &str = "DATABASE_URL=postgres://app@localhost:5432/shop\n";

fn request(command: &str) -> PermissionRequest {
    let env = BTreeMap::from([("HOME".to_owned(), "/home/dev".to_owned())]);
    PermissionRequest {
        id: serde_json::Value::Null,
        command: Some(command.to_owned()),
        cwd: "/opt/shop".to_owned(),
        env,
        ..PermissionRequest::default()
    }
}

fn judge(guard: &mut Guard, command: &str) -> PermissionAnswer {
    guard.judge(request(command))
}

fn permission(guard: &mut Guard, command: &str) -> Permission {
    judge(guard, command).permission
}

#[test]
fn what_harms_is_stopped_in_every_spelling() {
    let mut guard = shop(PRODUCTION);
    let passed: Vec<&str> =
        HARMFUL.lines().filter(|command| permission(&mut guard, command) == Permission::Allow).collect();
    assert!(passed.is_empty(), "not stopped:\n{}", passed.join("\n"));
}

#[test]
fn what_is_offered_instead_passes() {
    let mut guard = shop(PRODUCTION);
    let mut wrong = Vec::new();
    for command in HARMFUL.lines() {
        let answer = judge(&mut guard, command);
        wrong.extend(remedy::stopped(&mut guard, &request(command), &answer));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_does_not_harm_passes() {
    let mut guard = shop(PRODUCTION);
    let stopped: Vec<String> = HARMLESS
        .lines()
        .filter_map(|command| {
            let answer = judge(&mut guard, command);
            let silent = answer.permission == Permission::Allow && answer.findings.is_empty();
            (!silent).then(|| format!("{command}\n    {}", answer.reason))
        })
        .collect();
    assert!(stopped.is_empty(), "stopped:\n{}", stopped.join("\n"));
}

#[test]
fn the_settings_say_whose_database_it_is() {
    let resets = [
        "npx prisma migrate reset --force",
        "npm run db:reset",
        "yarn wipe",
        "bin/rails db:reset",
        "psql \"$DATABASE_URL\" -c 'TRUNCATE orders'",
    ];
    for (dotenv, expected) in [
        (PRODUCTION, Permission::Deny),
        (DEVELOPMENT, Permission::Ask),
        (TEST, Permission::Allow),
        ("", Permission::Ask),
    ] {
        let mut guard = shop(dotenv);
        for command in resets {
            assert_eq!(permission(&mut guard, command), expected, "{command} with {dotenv}");
        }
    }
    let mut guard = shop(TEST);
    assert_eq!(permission(&mut guard, "NODE_ENV=production npx sequelize-cli db:drop"), Permission::Deny);
    assert_eq!(permission(&mut guard, "DATABASE_URL=postgres://db.prod/x npx prisma migrate reset"), Permission::Deny);
    assert_eq!(permission(&mut guard, "dotenv -e .env.production -- prisma migrate reset"), Permission::Deny);
    assert_eq!(permission(&mut guard, "npm run build"), Permission::Allow);
    assert_eq!(permission(&mut guard, "npm run deploy"), Permission::Allow);
}

#[test]
fn a_test_environment_goes_where_its_settings_say() {
    const YAML: &str = "files/opt/shop/config/database.yml";
    const EXS: &str = "files/opt/shop/config/test.exs";
    const OWN: &str =
        "test:\n  adapter: postgresql\n  database: shop_test\nproduction:\n  url: <%= ENV['DATABASE_URL'] %>\n";
    const SHARED: &str =
        "default: &default\n  url: <%= ENV['DATABASE_URL'] %>\ntest:\n  <<: *default\nproduction:\n  <<: *default\n";
    let (rails, mix) = ("RAILS_ENV=test bin/rails db:reset", "MIX_ENV=test mix ecto.reset");
    let loads = ("files/opt/shop/Gemfile", "gem 'rails'\ngem 'dotenv-rails'\n");
    let plain = (EXS, "config :shop, Shop.Repo,\n  hostname: \"localhost\",\n  database: \"shop_test\"\n");
    let reads = (EXS, "config :shop, Shop.Repo, url: System.get_env(\"DATABASE_URL\")\n");
    for (command, files, expected) in [
        (rails, vec![(YAML, OWN)], Permission::Allow),
        (rails, vec![(YAML, SHARED)], Permission::Deny),
        (rails, vec![(YAML, OWN), loads], Permission::Deny),
        (mix, vec![plain], Permission::Allow),
        (mix, vec![reads], Permission::Deny),
        ("RAILS_ENV=production bin/rails db:reset", vec![(YAML, OWN)], Permission::Deny),
        ("DATABASE_URL=postgres://db.prod/shop RAILS_ENV=test bin/rails db:reset", vec![(YAML, OWN)], Permission::Deny),
        ("NODE_ENV=test npx prisma migrate reset --force", vec![], Permission::Deny),
    ] {
        let all: Vec<_> = files.into_iter().chain([("files/opt/shop/.env", PRODUCTION)]).collect();
        assert_eq!(permission(&mut over(&all), command), expected, "{command} with {all:?}");
    }
}

#[test]
fn a_numbered_database_of_the_tests_may_be_emptied_where_it_is_declared() {
    let declared = ("files/opt/shop/.env.test", "REDIS_URL=redis://localhost:6379/15\n");
    let mut guard = over(&[declared]);
    assert_eq!(permission(&mut guard, "redis-cli -n 15 flushdb"), Permission::Allow);
    for other in ["redis-cli -n 1 flushdb", "redis-cli flushdb", "redis-cli -h cache.example.org -n 15 flushdb"] {
        assert_ne!(permission(&mut guard, other), Permission::Allow, "{other}");
    }
    assert_ne!(permission(&mut over(&[]), "redis-cli -n 15 flushdb"), Permission::Allow);
}

#[test]
fn a_firewall_without_a_way_in_is_asked_for_who_came_by_the_network() {
    let mut guard = shop(TEST);
    let mut by_network = |command: &str| {
        let mut request = request(command);
        request.env.insert("SSH_CONNECTION".to_owned(), "10.0.0.2 51000 10.0.0.1 22".to_owned());
        guard.judge(request).permission
    };
    assert_eq!(by_network("sudo ufw enable"), Permission::Ask);
    assert_eq!(by_network("ufw allow 443 && ufw enable"), Permission::Ask);
    assert_eq!(by_network("ufw allow 22/tcp && ufw enable"), Permission::Allow);
    assert_eq!(permission(&mut shop(TEST), "sudo ufw enable"), Permission::Allow);
}

#[test]
fn recipes_of_a_makefile_are_followed() {
    const MAKEFILE: &str =
        "DB ?= shop\n.PHONY: test\ntest:\n\tcargo test\nwipe: test\n\t@psql $(DB) -c 'TRUNCATE orders'\n";
    let mut guard = over(&[("files/opt/shop/Makefile", MAKEFILE), ("docker/inspect.json", "[]")]);
    assert_eq!(permission(&mut guard, "make wipe"), Permission::Ask);
    assert_eq!(permission(&mut guard, "make -C /opt/shop wipe DB=prod_shop"), Permission::Deny);
    for harmless in ["make", "make test", "make -n wipe", "make wipe DB=shop_test"] {
        assert_eq!(permission(&mut guard, harmless), Permission::Allow, "{harmless}");
    }
}

#[test]
fn what_decided_is_cited() {
    let mut guard = shop(PRODUCTION);
    let reset = judge(&mut guard, "npx prisma migrate reset");
    assert!(reset.evidence.iter().any(|e| e.locator == "files/opt/shop/.env:1"), "{:?}", reset.evidence);
    let push = judge(&mut guard, "git push -f");
    assert!(push.evidence.iter().any(|e| e.locator == "git/status.txt:2"), "{:?}", push.evidence);
}

#[test]
fn a_branch_of_many_is_denied_and_one_of_few_asked_for() {
    let mut guard = shop(TEST);
    for (command, expected) in [
        ("git push --force origin main", Permission::Deny),
        ("git push --mirror", Permission::Deny),
        ("git push origin :release/2", Permission::Deny),
        ("git push --force", Permission::Ask),
        ("git push -f origin feature/cart", Permission::Ask),
        ("git push --force-with-lease origin main", Permission::Ask),
        ("git push --force-with-lease", Permission::Allow),
    ] {
        assert_eq!(permission(&mut guard, command), expected, "{command}");
    }
    let mut main =
        over(&[("git/status.txt", "# branch.head main\n# branch.upstream origin/main\n# branch.ab +0 -0\n")]);
    assert_eq!(permission(&mut main, "git push -f"), Permission::Deny);
    assert_eq!(permission(&mut main, "git push -f origin HEAD"), Permission::Deny);
    assert_eq!(permission(&mut main, "git commit --amend --no-edit"), Permission::Ask);
    assert_eq!(permission(&mut main, "git reset --hard HEAD~1"), Permission::Allow);
}

#[test]
fn what_destroys_by_itself_asks_where_nothing_can_be_seen() {
    let mut blind = over(&[("host/date", "2026-01-01T00:00:00Z\n")]);
    for command in [
        "git reset --hard",
        "git stash drop",
        "git push --force",
        "docker volume rm shop_db",
        "psql shop -c 'DROP TABLE orders'",
        "npx prisma migrate reset",
        "redis-cli FLUSHALL",
        "mkfs.ext4 /dev/sdb1",
        "rm -rf /opt/shop/data",
        "truncate -s 0 /opt/shop/data/app.db",
        "kubectl delete ns shop",
        "terraform destroy",
        "systemctl stop docker",
        "docker rm -vf api",
        "docker kill api && docker rm -f api",
        ": > src/main.rs",
        "> src/main.rs",
        "git checkout -B main origin/main",
    ] {
        assert_ne!(permission(&mut blind, command), Permission::Allow, "{command}");
    }
    for command in [
        "git checkout main",
        "git commit --amend --no-edit",
        "docker restart api",
        "docker stop api",
        "truncate -s 0 app.log",
        "psql shop -f schema.sql",
        ": > app.log",
        "> /tmp/list.txt",
        "git switch -C topic",
        "git remote set-url origin git@example.org:shop/shop.git",
    ] {
        assert_eq!(permission(&mut blind, command), Permission::Allow, "{command}");
    }
}

#[test]
fn effects_bear_their_names() {
    let mut guard = shop(PRODUCTION);
    for (command, kind) in [
        ("apt-get install -y jq", EffectKind::Install),
        ("npm ci && pip install requests", EffectKind::Install),
        ("ollama pull llama3:8b", EffectKind::Download),
        ("curl -X POST https://api.example.org/v1/x -d 1", EffectKind::HttpMutation),
        ("systemctl stop nginx", EffectKind::StopService),
        ("kill 4242", EffectKind::KillProcess),
        ("ufw allow 443", EffectKind::ChangeFirewall),
        ("kubectl apply -f k8s/", EffectKind::Deploy),
        ("alembic upgrade head", EffectKind::Migrate),
        ("git commit --no-verify -m x", EffectKind::BypassHook),
        ("redis-cli FLUSHALL", EffectKind::FlushCache),
        ("terraform destroy", EffectKind::InfrastructureDestroy),
    ] {
        let effects = judge(&mut guard, command).effects;
        assert!(effects.iter().any(|e| e.kind == kind), "{command}: {effects:?}");
    }
}

#[test]
fn mounted_disks_are_denied_and_others_asked_for() {
    let mut guard = shop(TEST);
    assert_eq!(permission(&mut guard, "dd if=x.iso of=/dev/nvme0n1"), Permission::Deny);
    assert_eq!(permission(&mut guard, "mkfs.ext4 /dev/vg0/data"), Permission::Deny);
    assert_eq!(permission(&mut guard, "dd if=x.iso of=/dev/sdc"), Permission::Ask);
    assert_eq!(permission(&mut guard, "dd if=/dev/nvme0n1 of=/tmp/head.img count=1"), Permission::Allow);
}
