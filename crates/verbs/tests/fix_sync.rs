//! A directory is made like another by the real rsync, and what it must not lose stays.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test panics where it fails"
)]

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use coroner_collect::{Limits, Live, LiveSettings, World};
use coroner_verbs::fix_sync::{self, FixSyncError, SyncPlan, SyncRequest};
use coroner_verbs::undo::{self, Choice};
use jiff::Timestamp;

struct Site {
    _folder: tempfile::TempDir,
    home: PathBuf,
    source: PathBuf,
    destination: PathBuf,
}

impl Site {
    fn new() -> Option<Site> {
        if !Command::new("rsync").arg("--version").output().is_ok_and(|o| o.status.success()) {
            println!("skipped: rsync is not installed");
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        let top = fs::canonicalize(folder.path()).unwrap();
        let site =
            Site { home: top.join("home"), source: top.join("src"), destination: top.join("app"), _folder: folder };
        for (path, text) in
            [("same", "same"), ("changed", "new"), ("new/file", "n"), (".git/HEAD", "source"), (".env", "S=1")]
        {
            site.put(&site.source, path, text);
        }
        let compose =
            "services:\n  db:\n    image: postgres:16\n    volumes: [\"./.docker-data/pg:/var/lib/postgresql/data\"]\n";
        for (path, text) in [
            ("same", "same"),
            ("changed", "old!"),
            ("gone/deep/file", "g"),
            ("gone/brackets [1]*", "g"),
            (".git/HEAD", "destination"),
            (".env", "D=1"),
            (".env.example", "D="),
            (".docker-data/pg/PG_VERSION", "16"),
            ("backups/monday.sql.gz", "b"),
            ("keep/this", "k"),
            ("compose.yml", compose),
            (".coroner/coroner.toml", "[protect]\npaths = [\"ROOT/keep\"]\n"),
        ] {
            site.put(&site.destination, path, &text.replace("ROOT", site.destination.to_str().unwrap()));
        }
        site.put(&site.source, "compose.yml", compose);
        Some(site)
    }

    fn put(&self, root: &std::path::Path, path: &str, text: &str) {
        let path = root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn plan(&self, deletes: bool) -> Result<SyncPlan, FixSyncError> {
        let settings = LiveSettings {
            env: BTreeMap::from([("DOCKER_HOST".to_owned(), "unix:///nowhere.sock".to_owned())]),
            home: self.home.clone(),
            cwd: self.destination.clone(),
            now: Timestamp::now(),
            redaction_key: [7; 32],
        };
        let world = World::Live(Live::new(settings, Limits::default()));
        let request = SyncRequest { source: self.source.clone(), destination: self.destination.clone(), deletes };
        fix_sync::plan(&world, &request)
    }

    fn read(&self, path: &str) -> Option<String> {
        fs::read_to_string(self.destination.join(path)).ok()
    }
}

#[test]
fn what_must_not_be_lost_stays_and_the_rest_is_undone_by_undo() {
    let Some(site) = Site::new() else { return };
    let plan = site.plan(true).unwrap();
    let rules: Vec<&str> = plan.rules.excludes.iter().map(String::as_str).collect();
    assert_eq!(rules, ["/.coroner", "/.docker-data/pg", "/.env", "/.git", "/backups", "/keep"]);
    let done = fix_sync::apply(&site.home, &plan, Timestamp::now()).unwrap();
    assert!(done.left.is_empty(), "{:?}", done.left);
    assert_eq!((site.read("changed").as_deref(), site.read("new/file").as_deref()), (Some("new"), Some("n")));
    assert!(site.read("gone/deep/file").is_none() && site.read(".env.example").is_none());
    for (path, text) in [
        (".git/HEAD", "destination"),
        (".env", "D=1"),
        (".docker-data/pg/PG_VERSION", "16"),
        ("backups/monday.sql.gz", "b"),
        ("keep/this", "k"),
    ] {
        assert_eq!(site.read(path).as_deref(), Some(text), "{path}");
    }
    let again = site.plan(true).unwrap();
    assert!(again.told.added.is_empty() && again.told.changed.is_empty() && again.told.deleted.is_empty());
    let back = undo::plan(&site.home, &done.undo.unwrap(), &Choice::default()).unwrap();
    let restored = undo::restore(&site.home, &back, &Choice::default(), Timestamp::now()).unwrap();
    assert!(restored.failed.is_empty(), "{restored:?}");
    for (path, text) in
        [("changed", "old!"), ("gone/deep/file", "g"), ("gone/brackets [1]*", "g"), (".env.example", "D=")]
    {
        assert_eq!(site.read(path).as_deref(), Some(text), "{path}");
    }
}

#[test]
fn nothing_is_deleted_unless_it_was_asked_for() {
    let Some(site) = Site::new() else { return };
    let plan = site.plan(false).unwrap();
    assert!(plan.told.deleted.is_empty() && !plan.rules.arguments(false).iter().any(|w| w == "--delete"));
    fix_sync::apply(&site.home, &plan, Timestamp::now()).unwrap();
    assert_eq!(site.read("gone/deep/file").as_deref(), Some("g"));
}

#[test]
fn what_does_not_fit_is_refused_before_anything_is_done() {
    let Some(site) = Site::new() else { return };
    let mut plan = site.plan(true).unwrap();
    site.put(&site.destination, "made/since", "x");
    assert!(matches!(fix_sync::apply(&site.home, &plan, Timestamp::now()), Err(FixSyncError::Changed)));
    plan = site.plan(true).unwrap();
    fs::create_dir_all(&site.home).unwrap();
    fs::write(site.home.join("coroner.toml"), "[undo]\nfile_bytes_max = 1\n").unwrap();
    assert!(matches!(fix_sync::apply(&site.home, &plan, Timestamp::now()), Err(FixSyncError::NotKept { .. })));
    assert_eq!(site.read("changed").as_deref(), Some("old!"));

    let nested = Site {
        destination: site.source.join("new"),
        home: site.home.clone(),
        source: site.source.clone(),
        _folder: tempfile::tempdir().unwrap(),
    };
    assert!(matches!(nested.plan(true), Err(FixSyncError::Nested { .. })));
    let live = Site {
        destination: site.destination.join(".docker-data/pg"),
        home: site.home.clone(),
        source: site.source.clone(),
        _folder: tempfile::tempdir().unwrap(),
    };
    assert!(matches!(live.plan(true), Err(FixSyncError::Directory { .. })));
}
