//! State that decides: links, backups, and which database the settings name.

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

fn judge(files: &[(&str, &str)], command: &str) -> PermissionAnswer {
    let casefile = Casefile::of_texts(files.iter().copied(), Limits::default()).unwrap();
    let mut guard = Guard::over(World::Casefile(casefile), Library::built_in());
    guard.judge(PermissionRequest {
        command: Some(command.to_owned()),
        cwd: "/srv/app".into(),
        env: [("HOME".to_owned(), "/home/dev".to_owned())].into(),
        ..PermissionRequest::default()
    })
}

#[track_caller]
fn all(files: &[(&str, &str)], commands: &[&str], expected: Permission) {
    for command in commands {
        let answer = judge(files, command);
        assert_eq!(answer.permission, expected, "{command} {answer:?}");
        assert!(answer.reason.chars().count() < 600, "{}", answer.reason);
    }
}

const LIVE: &str = r#"[{"Id":"aa","Name":"/app-db-1","State":{"Status":"running"},"Config":{"Image":"postgres:16","Env":[],"Labels":{}},"Mounts":[{"Type":"bind","Source":"/data/live","Destination":"/var/lib/postgresql/data","RW":true}]}]"#;

#[test]
fn a_link_is_followed_where_the_shell_follows_it() {
    let tree = "type\tpath\tlink-target\nd\t/srv\t\nd\t/srv/app\t\nl\t/srv/app/v\t/data/live\nd\t/srv/app/w\t\nd\t/data\t\nd\t/data/live\t\n";
    let files = [("docker/inspect.json", LIVE), ("host/tree.tsv", tree)];
    all(
        &files,
        &[
            "rm -rf v/*",
            "rm -rf v/",
            "rm -rf ./v/base",
            "find v/ -mindepth 1 -delete",
            "ln -s /data/live x && rm -rf x/*",
            "ln -sfn /data/live x; rm -rf x/",
            "cd v && rm -rf *",
        ],
        Permission::Deny,
    );
    all(&files, &["rm -rf v", "rm v", "unlink v", "rm -rf w/*", "ln -s /data/other x && rm -rf x"], Permission::Allow);
}

#[test]
fn what_is_not_there_is_no_loss() {
    let tree = "type\tpath\nd\t/srv\nd\t/srv/app\nf\t/srv/app/README.md\n";
    let files = [("host/tree.tsv", tree)];
    all(&files, &["rm -rf data", "rm -rf ./backups", "rm -f data/app.db"], Permission::Allow);
    all(&[("host/date", "2026-01-01T00:00:00Z")], &["rm -rf data"], Permission::Ask);
}

#[test]
fn the_last_good_backup_stays() {
    let rows = "destination\tpath\tbytes\tmtime\tdecodes\tsha256\n\
        main\t/srv/backups/a.dump\t900\t2026-01-01T00:00:00Z\tyes\t\n\
        main\t/srv/backups/b.dump\t0\t2026-01-02T00:00:00Z\tunknown\t\n\
        main\t/srv/backups/c.dump\t900\t2026-01-03T00:00:00Z\tno\t\n";
    let more = format!("{rows}main\t/srv/backups/d.dump\t900\t2025-12-30T00:00:00Z\tyes\t\n");
    let (few, many) = ([("backups/listing.tsv", rows)], [("backups/listing.tsv", more.as_str())]);
    all(&few, &["rm /srv/backups/a.dump", "rm -rf /srv/backups", "rm -f /srv/backups/*.dump"], Permission::Deny);
    all(&few, &["rm /srv/backups/b.dump", "rm -f /srv/backups/c.dump"], Permission::Allow);
    all(&many, &["rm /srv/backups/d.dump", "rm /srv/backups/a.dump"], Permission::Allow);
    all(&many, &["rm /srv/backups/a.dump /srv/backups/d.dump && rm -rf /srv/backups"], Permission::Deny);
}

#[test]
fn an_answer_says_how_old_the_newest_backup_is() {
    let rows = "destination\tpath\tbytes\tmtime\tdecodes\tsha256\n\
        main\t/srv/backups/a.dump\t41000000000\t2026-01-01T00:00:00Z\tyes\t\n\
        main\t/srv/backups/b.dump\t0\t2026-01-03T00:00:00Z\tno\t\n";
    let files = [("docker/inspect.json", LIVE), ("backups/listing.tsv", rows), ("host/date", "2026-01-04T00:00:00Z")];
    for command in ["rm -rf /data/live", "psql -h db.prod.example.org -d shop -c 'DROP TABLE x'"] {
        let reason = judge(&files, command).reason;
        assert!(reason.contains("newest backup /srv/backups/a.dump, 41 GB, 3 days old"), "{command} {reason}");
    }
    let none =
        [("docker/inspect.json", LIVE), ("backups/listing.tsv", "destination\tpath\tbytes\tmtime\tdecodes\tsha256\n")];
    assert!(judge(&none, "rm -rf /data/live").reason.contains("no backup is known"));
}

const PRODUCTION: &str = "APP_ENV=production\nDB_HOST=db.prod.example.org\nDB_DATABASE=shop\nDATABASE_URL=postgres://app@db.prod.example.org/shop\n";
const TEST: &str = "DB_HOST=127.0.0.1\nDB_DATABASE=shop_test\nDATABASE_URL=postgres://app@localhost/shop_test\n";
const SERVICES: &str = "\
name: app
services:
  api:
    image: app/api
    environment: {DATABASE_URL: \"postgres://app@db.eu.example.org/shop\"}
  local:
    image: app/api
    environment: {DATABASE_URL: \"postgres://app@db/shop_test\"}
  db: {image: \"postgres:16\"}
";

#[test]
fn the_effective_settings_say_which_database_it_is() {
    let files = [
        ("files/srv/app/.env", PRODUCTION),
        ("files/srv/app/.env.test", TEST),
        ("files/srv/app/compose.yml", SERVICES),
    ];
    all(
        &files,
        &[
            // There is no `.env.testing`, so `.env` is read.
            "php artisan migrate:fresh --env=testing --force",
            "php artisan migrate:fresh --force",
            "APP_ENV=testing php artisan db:wipe --force",
            "NODE_ENV=test npx prisma migrate reset --force",
            "DJANGO_SETTINGS_MODULE=shop.settings.production python manage.py flush --no-input",
            "php bin/console doctrine:schema:drop --force",
            "docker compose exec api npx prisma migrate reset --force",
            "DATABASE_URL=postgres://app@db.prod.example.org/shop_test npx prisma migrate reset --force",
        ],
        Permission::Deny,
    );
    all(
        &files,
        &[
            "php artisan migrate:fresh --env=test --force",
            "APP_ENV=test php bin/console doctrine:schema:drop --force",
            "RAILS_ENV=test bin/rails db:reset",
            "DATABASE_URL=postgres://app@localhost/shop_test npx prisma migrate reset --force",
            "dotenv -e .env.test -- npx prisma migrate reset --force",
            "docker compose exec local npx prisma migrate reset --force",
        ],
        Permission::Allow,
    );
}

const MOUNTS: &str = "Filesystem 1-blocks Used Available Capacity Mounted on\n\
    /dev/sda1 100000 40000 60000 40% /\n\
    /dev/mapper/vg0-data 100000 40000 60000 40% /data\n\
    /dev/sdb1 100000 40000 60000 40% /mnt/stick\n\
    /dev/sdd1 100000 40000 60000 40% /work\n\
    tmpfs 100000 40000 60000 40% /scratch\n";

#[test]
fn a_filesystem_is_not_taken_away_beneath_a_service() {
    let files = [("docker/inspect.json", LIVE), ("host/df.txt", MOUNTS)];
    let live = ["umount /dev/mapper/vg0-data", "sudo umount -l /dev/vg0/data", "umount /data", "umount /dev/sda1"];
    all(&files, &live, Permission::Deny);
    all(&files, &["umount -a", "sudo umount --all --force"], Permission::Ask);
    let others = ["umount /dev/sdb1", "umount /mnt/stick", "umount -a -t nfs", "umount --fake -a"];
    all(&files, &others, Permission::Allow);
}

#[test]
fn a_filesystem_of_its_own_is_not_emptied_unseen() {
    let files = [("docker/inspect.json", "[]"), ("host/df.txt", MOUNTS)];
    let whole = ["rm -rf /work", "rm -rf /work/*", "find /work -delete", "cd / && rm -rf work/*"];
    all(&files, &whole, Permission::Ask);
    let parts = ["rm -rf /work/build-42", "rm -f /work/a.txt", "rm -rf /scratch/*", "rm -rf ./stick"];
    all(&files, &parts, Permission::Allow);
}

#[test]
fn a_repair_of_a_disk_of_which_nothing_is_known_asks() {
    let known = [("docker/inspect.json", "[]"), ("host/df.txt", MOUNTS)];
    let unknown = [("docker/inspect.json", "[]")];
    all(&unknown, &["fsck -y /dev/sdc1", "e2fsck -fy /dev/sdc1"], Permission::Ask);
    all(&known, &["fsck -y /dev/sdc1", "e2fsck -fy /dev/sdc1", "xfs_repair /dev/sdc1"], Permission::Allow);
    all(&known, &["fsck -y /dev/sdb1"], Permission::Deny);
    all(&known, &["xfs_repair -L /dev/sdc1"], Permission::Ask);
    all(&unknown, &["fsck -n /dev/sdc1", "fsck -N /dev/sdc1"], Permission::Allow);
}

#[test]
fn backups_that_nobody_could_list_are_not_emptied() {
    let files = [("docker/inspect.json", "[]")];
    let all_of_them = ["rm -rf backups", "rm /srv/backups/*.dump", "find ./db-backups -type f -delete"];
    all(&files, &all_of_them, Permission::Ask);
    let some = [
        "rm -f backups/2024-01-01.dump",
        "find backups -mtime +30 -delete",
        "rm -rf /tmp/backups",
        "ls -t backups/*.dump | tail -n +8 | xargs rm -f",
    ];
    all(&files, &some, Permission::Allow);
    let listed = "type\tpath\nd\t/srv\nd\t/srv/app\nf\t/srv/app/README.md\n";
    all(&[("docker/inspect.json", "[]"), ("host/tree.tsv", listed)], &["rm -rf backups"], Permission::Allow);
}

#[test]
fn ignored_secrets_are_not_put_under_version_control() {
    let status = "# branch.oid 1f2e\n# branch.head main\n! .env\n! node_modules/\n! config/tls.key\n";
    let files = [("git/status.txt", status)];
    let taken = ["git add -f .", "git add --force -A", "git add -fA", "git add -f config", "git add -f 'config/*'"];
    all(&files, &taken, Permission::Ask);
    let others = ["git add .", "git add -A", "git add -f src", "git add -f dist/app.js", "git add -nf ."];
    all(&files, &others, Permission::Allow);
    let harmless = "# branch.oid 1f2e\n# branch.head main\n! node_modules/\n! .env.example\n";
    all(&[("git/status.txt", harmless)], &["git add -f ."], Permission::Allow);
}

#[test]
fn volumes_that_no_container_has_are_pruned_with_a_word() {
    let named = r#"[{"Name":"old_pgdata","Mountpoint":"/var/lib/docker/volumes/old_pgdata/_data"}]"#;
    let prunes = ["docker volume prune -af", "podman volume prune -f"];
    all(&[("docker/inspect.json", "[]"), ("docker/volumes.json", named)], &prunes, Permission::Ask);
    all(&[("docker/inspect.json", "[]")], &prunes, Permission::Ask);
    all(&[("docker/inspect.json", "[]"), ("docker/volumes.json", "[]")], &prunes, Permission::Allow);
    let anonymous = ["docker volume prune -f"];
    all(&[("docker/inspect.json", "[]"), ("docker/volumes.json", named)], &anonymous, Permission::Allow);
}

#[test]
fn a_variable_of_a_container_leads_to_what_it_has_mounted() {
    let bare = r#"[{"Id":"ab","Name":"/tool","State":{"Status":"running"},"Config":{"Image":"tool:1","Env":[],"Labels":{}},"Mounts":[]}]"#;
    let (live, bare) = ([("docker/inspect.json", LIVE)], [("docker/inspect.json", bare)]);
    all(&live, &["docker exec app-db-1 sh -c 'rm -rf \"$PGDATA\"'"], Permission::Ask);
    all(&live, &["docker exec app-db-1 sh -c 'rm -rf $TMPDIR/x'"], Permission::Allow);
    all(&bare, &["docker exec tool sh -c 'rm -rf \"$OUTPUT\"'"], Permission::Allow);
}
