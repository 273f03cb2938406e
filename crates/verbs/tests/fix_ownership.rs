//! A tree is given to its owner; exceptions, links, other names and set-user-id bits are as they were.

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
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, lchown, symlink};
use std::path::{Path, PathBuf};

use coroner_collect::{Limits, Live, LiveSettings, World};
use coroner_verbs::fix_ownership::{self, OwnershipError, OwnershipPlan, OwnershipRequest};
use coroner_verbs::undo::{self, Choice};
use jiff::Timestamp;

struct Site {
    _folder: tempfile::TempDir,
    home: PathBuf,
    root: PathBuf,
}

const APP: u32 = 4321;

impl Site {
    /// `None` where owners cannot be changed.
    fn new(config: &str) -> Option<Site> {
        if fs::metadata("/proc/self").unwrap().uid() != 0 {
            println!("skipped: only root may change owners");
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        let top = fs::canonicalize(folder.path()).unwrap();
        let (home, root) = (top.join("home"), top.join("app"));
        fs::create_dir_all(root.join("data/postgres/base")).unwrap();
        fs::create_dir_all(root.join("src/deep")).unwrap();
        fs::create_dir_all(root.join("traefik")).unwrap();
        fs::create_dir_all(root.join(".coroner")).unwrap();
        fs::write(root.join(".coroner/coroner.toml"), config.replace("ROOT", root.to_str().unwrap())).unwrap();
        fs::write(root.join("src/deep/a.rs"), "a").unwrap();
        fs::write(root.join("data/postgres/PG_VERSION"), "16").unwrap();
        fs::write(root.join("traefik/acme.json"), "{}").unwrap();
        fs::set_permissions(root.join("traefik/acme.json"), fs::Permissions::from_mode(0o600)).unwrap();
        chown(&root, Some(APP), Some(APP)).unwrap();
        for path in ["data/postgres", "data/postgres/base", "data/postgres/PG_VERSION"] {
            chown(root.join(path), Some(999), Some(999)).unwrap();
        }
        Some(Site { _folder: folder, home, root })
    }

    fn world(&self) -> World {
        let settings = LiveSettings {
            env: BTreeMap::from([("DOCKER_HOST".to_owned(), "unix:///nowhere.sock".to_owned())]),
            home: self.home.clone(),
            cwd: self.root.clone(),
            now: Timestamp::now(),
            redaction_key: [7; 32],
        };
        World::Live(Live::new(settings, Limits::default()))
    }

    fn plan(&self) -> OwnershipPlan {
        self.try_plan(OwnershipRequest::default()).unwrap()
    }

    fn try_plan(&self, request: OwnershipRequest) -> Result<OwnershipPlan, OwnershipError> {
        let request = OwnershipRequest { root: request.root.or(Some(self.root.clone())), ..request };
        fix_ownership::plan(&self.world(), &self.root, &request)
    }

    fn uid(&self, path: &str) -> u32 {
        fs::symlink_metadata(self.root.join(path)).unwrap().uid()
    }
}

const POLICY: &str = "[[ownership]]\nroot = \"ROOT\"\nowner = \"4321:4321\"\nexceptions = [{ path = \"data/postgres\", owner = \"999:999\" }, { path = \"traefik/acme.json\", owner = \"0:0\", mode = \"0600\" }]\n";

#[test]
fn exceptions_and_what_lies_in_them_are_left_alone_and_it_is_done_once() {
    let Some(site) = Site::new(POLICY) else { return };
    let plan = site.plan();
    assert!(plan.differs.is_empty(), "{:?}", plan.differs);
    let done = fix_ownership::apply(&site.home, &plan, Timestamp::now()).unwrap();
    assert!(done.failed.is_empty() && done.changed == plan.plan.changes.len(), "{done:?}");
    for path in ["src", "src/deep/a.rs", "traefik", ".coroner/coroner.toml", "data"] {
        assert_eq!(site.uid(path), APP, "{path}");
    }
    for path in ["data/postgres", "data/postgres/base", "data/postgres/PG_VERSION"] {
        assert_eq!(site.uid(path), 999, "{path}");
    }
    assert_eq!(site.uid("traefik/acme.json"), 0);
    assert!(site.plan().plan.changes.is_empty(), "a second time finds nothing");
    let back = undo::plan(&site.home, &done.undo.unwrap(), &Choice::default()).unwrap();
    let restored = undo::restore(&site.home, &back, &Choice::default(), Timestamp::now()).unwrap();
    assert!(restored.failed.is_empty() && restored.done == done.changed, "{restored:?}");
    assert_eq!((site.uid("src/deep/a.rs"), site.uid("")), (0, APP));
}

#[test]
fn without_a_policy_mounts_and_private_files_keep_their_owner() {
    let Some(site) = Site::new("") else { return };
    fs::write(
        site.root.join("compose.yml"),
        "services:\n  db:\n    image: postgres:16\n    volumes: [\"./data/postgres:/var/lib/postgresql/data\"]\n",
    )
    .unwrap();
    let plan = site.plan();
    fix_ownership::apply(&site.home, &plan, Timestamp::now()).unwrap();
    assert_eq!(site.uid("src/deep/a.rs"), APP, "the owner is that of the tree's top");
    assert_eq!((site.uid("data/postgres/PG_VERSION"), site.uid("traefik/acme.json")), (999, 0));
    chown(&site.root, Some(0), Some(0)).unwrap();
    assert!(matches!(site.try_plan(OwnershipRequest::default()), Err(OwnershipError::NoPolicy { .. })));
    let system = OwnershipRequest { root: Some(PathBuf::from("/etc")), owner: Some("4321:4321".into()) };
    assert!(matches!(site.try_plan(system), Err(OwnershipError::System { .. })));
}

#[test]
fn links_are_not_followed_and_modes_stay() {
    let Some(site) = Site::new(POLICY) else { return };
    let outside = site.home.parent().unwrap().join("outside");
    fs::create_dir(&outside).unwrap();
    fs::write(outside.join("file"), "x").unwrap();
    fs::write(outside.join("shared"), "x").unwrap();
    symlink(&outside, site.root.join("src/out")).unwrap();
    symlink(outside.join("file"), site.root.join("src/file")).unwrap();
    fs::hard_link(outside.join("shared"), site.root.join("src/shared")).unwrap();
    fs::hard_link(site.root.join("src/deep/a.rs"), site.root.join("src/again.rs")).unwrap();
    let tool = site.root.join("src/tool");
    fs::write(&tool, "x").unwrap();
    fs::set_permissions(&tool, fs::Permissions::from_mode(0o6755)).unwrap();
    let done = fix_ownership::apply(&site.home, &site.plan(), Timestamp::now()).unwrap();
    assert!(done.failed.is_empty(), "{done:?}");
    let uid = |path: &Path| fs::metadata(path).unwrap().uid();
    assert_eq!((uid(&outside), uid(&outside.join("file"))), (0, 0));
    assert_eq!(uid(&outside.join("shared")), 0, "a file with a name outside is not this tree's alone");
    assert_eq!((site.uid("src/out"), site.uid("src/again.rs")), (APP, APP));
    assert_eq!((site.uid("src/tool"), fs::metadata(&tool).unwrap().mode() & 0o7777), (APP, 0o6755));
}

#[test]
fn what_changed_since_the_plan_is_not_touched() {
    let Some(site) = Site::new(POLICY) else { return };
    let plan = site.plan();
    fs::rename(site.root.join("src"), site.root.join("old")).unwrap();
    let victim = site.home.parent().unwrap().join("victim");
    fs::create_dir_all(victim.join("deep")).unwrap();
    fs::write(victim.join("deep/a.rs"), "x").unwrap();
    symlink(&victim, site.root.join("src")).unwrap();
    lchown(site.root.join("src"), Some(0), Some(0)).unwrap();
    let done = fix_ownership::apply(&site.home, &plan, Timestamp::now()).unwrap();
    assert!(!done.failed.is_empty());
    assert_eq!(fs::metadata(victim.join("deep/a.rs")).unwrap().uid(), 0);
}

#[test]
fn an_exception_that_is_not_as_it_should_be_is_told() {
    let Some(site) = Site::new(POLICY) else { return };
    chown(site.root.join("data/postgres"), Some(0), Some(0)).unwrap();
    fs::set_permissions(site.root.join("traefik/acme.json"), fs::Permissions::from_mode(0o644)).unwrap();
    let plan = site.plan();
    assert_eq!(plan.differs.len(), 2, "{:?}", plan.differs);
    assert!(!plan.plan.changes.iter().any(|c| c.path.starts_with("data/postgres")));
}
