//! A guard that sees nothing: what destroys by itself asks, what stops one thing passes.

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
use coroner_model::permission::{Permission, PermissionRequest};
use coroner_verbs::guard::Guard;

/// Destroys data, history or access, or takes others down with it.
const STOPPED: &[&str] = &[
    "rm -rf /var/lib/gitea",
    "rm -rf /var/www/html",
    "rm -rf ./data",
    "find / -name '*.conf' -delete",
    "find /etc -type f -name '*.crt' -exec rm {} +",
    "find /usr -name '*.so.6' -delete",
    "truncate -s 0 data/app.db",
    "git clean -fd",
    "git reset --hard",
    "git checkout -- .",
    "git stash drop",
    "git branch -D x",
    "git worktree remove --force ../wt",
    "git push -f",
    "git filter-repo --path x --invert-paths",
    "rm -rf .git",
    "git rm -r .coroner",
    "docker volume rm x",
    "docker volume prune -f",
    "docker system prune -af --volumes",
    "docker compose down -v",
    "docker stop $(docker ps -q)",
    "python3 -c 'import docker; docker.from_env().volumes.prune()'",
    "python3 -c 'import docker as d; c = d.from_env(); c.volumes.get(\"pg\").remove()'",
    "systemctl stop docker",
    "systemctl restart docker",
    "service docker restart",
    "systemctl stop sshd",
    "systemctl restart sshd",
    "systemctl restart ssh.service",
    "systemctl restart systemd-networkd",
    "systemctl restart NetworkManager",
    "systemctl stop user@1000",
    "service ssh restart",
    "reboot",
    "shutdown -r now",
    "at now <<< reboot",
    "kill -9 1",
    "kill -9 $PPID",
    "kill $PPID",
    "pkill -u dev",
    "pkill sshd",
    "killall postgres",
    "skill -KILL -u dev",
    "loginctl terminate-user dev",
    "loginctl kill-session 3",
    "userdel -r dev",
    "userdel deploy",
    "deluser --remove-home dev",
    "passwd -l root",
    "usermod -L deploy",
    "usermod -s /usr/sbin/nologin deploy",
    "chage -E 0 deploy",
    "kubectl delete ns prod",
    "psql shop -c 'DROP TABLE x'",
    "dropdb x",
    "python manage.py flush --no-input",
    "python manage.py sqlflush | psql shop",
    "npx prisma migrate reset -f",
    "redis-cli FLUSHALL",
    "crontab -r",
    "iptables -F",
    "npx lerna publish",
    "npx changeset publish",
    "hatch publish",
    "railway down",
];

/// Creates, appends, reads, or stops and restarts one service or process.
const PASSES: &[&str] = &[
    "rm -rf build node_modules",
    "rm -rf src/old",
    "rm -rf /var/lib/apt/lists/*",
    "rm -rf /usr/local/go && tar -C /usr/local -xzf go.tgz",
    "find . -name '*.orig' -delete",
    "find / -name '*.pyc' -delete",
    "find /home -name .DS_Store -delete",
    "find /etc -name '*.dpkg-old' -delete",
    "git stash",
    "git stash pop",
    "git push",
    "docker kill api",
    "docker stop api",
    "docker restart api",
    "docker start api",
    "docker rm api",
    "docker compose down",
    "docker compose up -d",
    "docker compose restart",
    "python3 -c 'import docker; print(docker.from_env().containers.list())'",
    "python3 -c 'items = []; items.remove(3); cache.prune()'",
    "systemctl restart nginx",
    "systemctl stop nginx",
    "systemctl restart postgresql",
    "systemctl reload ssh",
    "systemctl status sshd",
    "systemctl restart myapp@1",
    "kill 4242",
    "kill $!",
    "skill -l",
    "loginctl list-sessions",
    "passwd -S root",
    "usermod -aG docker dev",
    "usermod -s /bin/bash dev",
    "deluser dev docker",
    "chage -l dev",
    "kubectl delete pod api-1",
    "kubectl rollout restart deploy/api",
    "python manage.py sqlflush",
    "psql shop -f schema.sql",
    "createdb x",
    "mkdir x && touch x/y",
    "echo x >> notes.md",
    "lerna run build",
    "npx changeset version",
    "railway up",
    "railway status",
    "hatch build",
];

fn blind() -> Guard {
    let files = [("host/date", "2026-01-01T00:00:00Z\n")];
    Guard::over(World::Casefile(Casefile::of_texts(files, Limits::default()).unwrap()), Library::built_in())
}

fn judge(command: &str) -> coroner_model::permission::PermissionAnswer {
    blind().judge(PermissionRequest {
        command: Some(command.to_owned()),
        cwd: "/opt/app".into(),
        env: [("HOME".to_owned(), "/home/dev".to_owned())].into(),
        ..PermissionRequest::default()
    })
}

#[test]
fn what_destroys_by_itself_asks() {
    let passed: Vec<&&str> = STOPPED.iter().filter(|c| judge(c).permission == Permission::Allow).collect();
    assert!(passed.is_empty(), "not stopped: {passed:#?}");
}

#[test]
fn what_stops_or_makes_one_thing_passes() {
    let stopped: Vec<String> = PASSES
        .iter()
        .map(|c| (c, judge(c)))
        .filter(|(_, answer)| answer.permission != Permission::Allow)
        .map(|(c, answer)| format!("{c}: {}", answer.reason))
        .collect();
    assert!(stopped.is_empty(), "stopped: {stopped:#?}");
}

#[test]
fn what_could_not_be_seen_is_listed() {
    for command in ["docker restart api", "rm -rf src/old", "psql shop -f schema.sql"] {
        assert!(!judge(command).could_not_look.is_empty(), "{command}");
    }
}
