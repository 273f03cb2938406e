//! What commands destroy is kept before they run, and comes back as it was.

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
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use coroner_verbs::guard::Guard;
use coroner_verbs::hook::{self, Agent};
use coroner_verbs::undo::{self, Choice, Head, State, UndoError};
use coroner_verbs::workspace::WorkspaceRequest;
use jiff::Timestamp;
use serde_json::json;

/// A home of Coroner and a work tree with one commit.
struct Site {
    _folder: tempfile::TempDir,
    home: PathBuf,
    work: PathBuf,
}

impl Site {
    fn new() -> Site {
        let folder = tempfile::tempdir().unwrap();
        let root = fs::canonicalize(folder.path()).unwrap();
        let (home, work) = (root.join("home"), root.join("work"));
        fs::create_dir_all(&work).unwrap();
        let site = Site { _folder: folder, home, work };
        site.git(&["init", "-q", "."]);
        site.write(".gitignore", ".env\nbuild/\nnode_modules\n");
        site.write("tracked.txt", "committed\n");
        site.write("src/clean.rs", "fn main() {}\n");
        site.git(&["add", "-A"]);
        site.git(&["commit", "-qm", "first"]);
        site
    }

    fn git(&self, arguments: &[&str]) -> String {
        let out = Command::new("git")
            .args(["-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "init.defaultBranch=main"])
            .args(arguments)
            .current_dir(&self.work)
            .output()
            .unwrap();
        assert!(out.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&out.stderr));
        String::from_utf8(out.stdout).unwrap().trim().to_owned()
    }

    fn write(&self, path: &str, text: &str) -> PathBuf {
        let path = self.work.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path
    }

    fn read(&self, path: &str) -> String {
        fs::read_to_string(self.work.join(path)).unwrap()
    }

    fn request(&self) -> WorkspaceRequest {
        let env = BTreeMap::from([("HOME".to_owned(), self.home.display().to_string())]);
        WorkspaceRequest {
            home: self.home.clone(),
            cwd: self.work.clone(),
            env,
            now: Timestamp::now(),
            ..WorkspaceRequest::default()
        }
    }

    fn event(&self, agent: Agent, tool: &str, input: &serde_json::Value) -> String {
        let event = json!({"hook_event_name": "PreToolUse", "tool_name": tool, "tool_input": input,
            "cwd": self.work, "session_id": "s1"});
        hook::answer(agent, event.to_string().as_bytes(), || Guard::open(self.request())).stdout
    }

    /// What the hook says before the command.
    fn before(&self, command: &str) -> String {
        self.event(Agent::Claude, "Bash", &json!({"command": command}))
    }

    fn run(&self, command: &str) {
        let done = Command::new("bash").args(["-c", command]).current_dir(&self.work).status().unwrap();
        assert!(done.success(), "{command}");
    }

    fn kept(&self) -> Vec<Head> {
        let list = undo::list(&self.home);
        assert!(list.problems.is_empty(), "{:?}", list.problems);
        list.snapshots
    }

    fn paths(&self, head: &Head) -> Vec<String> {
        let entries = undo::entries(&self.home, head).unwrap();
        let below = |p: PathBuf| p.strip_prefix(&self.work).unwrap_or(&p).display().to_string();
        entries.iter().filter(|e| e.kind != undo::Kind::Directory).map(|e| below(e.path.path())).collect()
    }

    fn restore(&self, choice: &Choice) -> Result<undo::Restored, UndoError> {
        let plan = undo::plan(&self.home, "last", choice)?;
        undo::restore(&self.home, &plan, choice, Timestamp::now())
    }
}

#[test]
fn what_has_no_other_copy_is_kept_and_nothing_else() {
    // Command, and the files that are kept before it.
    let table: &[(&str, &[&str])] = &[
        ("rm -rf notes", &["notes/a.md", "notes/deep/b.md"]),
        ("rm notes/a.md", &["notes/a.md"]),
        ("cd notes && rm -r deep", &["notes/deep/b.md"]),
        ("rm -f *.txt", &["loose.txt", "tracked.txt"]),
        ("find notes -name '*.md' -delete", &["notes/a.md", "notes/deep/b.md"]),
        ("bash -c 'rm -rf notes/deep'", &["notes/deep/b.md"]),
        ("echo x > loose.txt", &["loose.txt"]),
        ("truncate -s 0 loose.txt", &["loose.txt"]),
        ("sed -i s/a/b/ .env", &[".env"]),
        ("cp tracked.txt loose.txt", &["loose.txt"]),
        ("mv tracked.txt loose.txt", &["loose.txt"]),
        ("mv src/loose.txt .", &["loose.txt"]),
        ("cp -r other/. notes", &["notes/a.md"]),
        ("cp -r other/notes .", &["notes/a.md"]),
        ("cp -a other/notes/ notes -T", &["notes/a.md"]),
        ("rsync -a other/notes/ notes/", &["notes/a.md"]),
        ("rsync -a other/notes ./", &["notes/a.md"]),
        ("rsync -an other/notes/ notes/", &[]),
        ("rsync -a --ignore-existing other/notes/ notes/", &[]),
        ("cp -r other/notes fresh", &[]),
        ("cp -rn other/notes .", &[]),
        ("tee loose.txt < /dev/null", &["loose.txt"]),
        ("cat > loose.txt <<EOF\nnew\nEOF", &["loose.txt"]),
        ("python3 -c \"import shutil; shutil.rmtree('notes')\"", &["notes/a.md", "notes/deep/b.md"]),
        ("node -e \"require('fs').rmSync('notes', {recursive: true})\"", &["notes/a.md", "notes/deep/b.md"]),
        ("find notes -type f -exec rm {} +", &["notes/a.md", "notes/deep/b.md"]),
        ("d=notes; rm -rf \"$d/deep\"", &["notes/deep/b.md"]),
        ("for f in loose.txt; do rm $f; done", &["loose.txt"]),
        ("git checkout -- .", &["tracked.txt"]),
        ("git checkout -- tracked.txt", &["tracked.txt"]),
        ("git restore .", &["tracked.txt"]),
        ("git reset --hard", &["tracked.txt"]),
        ("git clean -fd", &["loose.txt", "notes/a.md", "notes/deep/b.md"]),
        ("git clean -fdx", &[".env", "loose.txt", "notes/a.md", "notes/deep/b.md"]),
        // Another copy, made anew, not there, only read, or still there afterwards.
        ("rm src/clean.rs", &[]),
        ("rm -rf src", &[]),
        ("git rm -r src", &[]),
        ("echo x > src/clean.rs", &[]),
        ("rm -rf node_modules build", &[]),
        ("rm -rf nowhere", &[]),
        ("echo x > fresh.txt", &[]),
        ("echo x >> loose.txt", &[]),
        ("mv notes renamed", &[]),
        ("cp -n tracked.txt loose.txt", &[]),
        ("git clean -nfd", &[]),
        ("git checkout -b other", &[]),
        ("cat loose.txt", &[]),
        ("echo 'rm -rf notes'", &[]),
        ("grep -rn 'rm -rf notes' .", &[]),
        ("git status", &[]),
        ("git stash list", &[]),
    ];
    for (command, wanted) in table {
        let site = Site::new();
        site.write("tracked.txt", "changed\n");
        site.write("loose.txt", "loose\n");
        site.write(".env", "A=b\n");
        site.write("notes/a.md", "a\n");
        site.write("notes/deep/b.md", "b\n");
        for folder in ["other/notes", "other"] {
            site.write(&format!("{folder}/a.md"), "another\n");
            site.write(&format!("{folder}/deep/b.md"), "b\n");
        }
        site.git(&["add", "other"]);
        site.git(&["commit", "-qm", "other", "other"]);
        site.write("node_modules/x/index.js", "x\n");
        site.write("build/o", "o\n");
        fs::write(site.work.join("src/loose.txt"), "another\n").unwrap();
        site.git(&["add", "src/loose.txt"]);
        site.git(&["commit", "-qm", "second"]);
        site.before(command);
        let kept = site.kept();
        let mut found = kept.first().map(|head| site.paths(head)).unwrap_or_default();
        found.sort();
        assert_eq!(&found, wanted, "{command}");
        assert_eq!(site.home.join("undo").exists(), !wanted.is_empty(), "{command}");
    }
}

#[test]
fn a_tree_comes_back_as_it_was() {
    let site = Site::new();
    let file = site.write("notes/run.sh", "echo\n");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o4750)).unwrap();
    fs::hard_link(&file, site.work.join("notes/again.sh")).unwrap();
    symlink("run.sh", site.work.join("notes/link")).unwrap();
    symlink("/nowhere", site.work.join("notes/dangling")).unwrap();
    fs::create_dir(site.work.join("notes/empty")).unwrap();
    fs::set_permissions(site.work.join("notes/empty"), fs::Permissions::from_mode(0o711)).unwrap();
    site.run("touch -d '2020-02-03 04:05:06' notes/run.sh notes/empty notes");
    let root = rustix_is_root();
    if root {
        site.run("chown 1234:1235 notes/run.sh; chmod 4750 notes/run.sh");
    }
    site.before("rm -rf notes");
    site.run("rm -rf notes");
    let done = site.restore(&Choice::default()).unwrap();
    assert!(done.failed.is_empty() && done.replaced.is_none(), "{done:?}");
    let meta = fs::metadata(&file).unwrap();
    assert_eq!(meta.mode() & 0o7777, 0o4750);
    assert_eq!(meta.mtime(), fs::metadata(site.work.join("notes/empty")).unwrap().mtime());
    assert_eq!(fs::metadata(site.work.join("notes")).unwrap().mtime(), meta.mtime());
    assert_eq!(meta.ino(), fs::metadata(site.work.join("notes/again.sh")).unwrap().ino());
    assert_eq!(fs::metadata(site.work.join("notes/empty")).unwrap().mode() & 0o7777, 0o711);
    assert_eq!(fs::read_link(site.work.join("notes/link")).unwrap(), Path::new("run.sh"));
    assert_eq!(fs::read_link(site.work.join("notes/dangling")).unwrap(), Path::new("/nowhere"));
    if root {
        assert_eq!((meta.uid(), meta.gid()), (1234, 1235));
    }
    let again = site.restore(&Choice::default()).unwrap();
    assert_eq!(again.done, 0, "a second time nothing is left to do");
}

fn rustix_is_root() -> bool {
    fs::metadata("/proc/self").unwrap().uid() == 0
}

#[test]
fn what_was_made_since_is_not_replaced_without_force_and_then_kept() {
    let site = Site::new();
    site.write("loose.txt", "old\n");
    site.before("rm loose.txt");
    site.run("rm loose.txt; echo newer > loose.txt");
    let refused = site.restore(&Choice::default()).unwrap_err();
    assert!(matches!(refused, UndoError::Blocked { .. }), "{refused}");
    assert_eq!(site.read("loose.txt"), "newer\n");
    let done = site.restore(&Choice { force: true, ..Choice::default() }).unwrap();
    assert_eq!(site.read("loose.txt"), "old\n");
    let replaced = done.replaced.unwrap();
    let plan = undo::plan(&site.home, &replaced, &Choice::default()).unwrap();
    undo::restore(&site.home, &plan, &Choice::default(), Timestamp::now()).unwrap();
    assert_eq!(site.read("loose.txt"), "newer\n", "what was replaced comes back as well");
}

#[test]
fn what_the_command_wrote_over_is_replaced_unless_it_was_changed_much_later() {
    let site = Site::new();
    site.write("loose.txt", "old\n");
    site.before("echo x > loose.txt");
    site.run("echo x > loose.txt");
    site.restore(&Choice::default()).unwrap();
    assert_eq!(site.read("loose.txt"), "old\n");
    site.run("echo work of a person > loose.txt; touch -d '+2 hours' loose.txt");
    let id = site.kept().last().unwrap().id.clone();
    let plan = undo::plan(&site.home, &id, &Choice::default()).unwrap();
    assert!(plan.items.iter().any(|i| matches!(i.state, State::Blocked(_))), "{plan:?}");
}

#[test]
fn a_part_or_another_place_can_be_chosen() {
    let site = Site::new();
    site.write("notes/a.md", "a\n");
    site.write("notes/b.md", "b\n");
    site.before("rm -rf notes");
    site.run("rm -rf notes");
    let other = site.home.parent().unwrap().join("other");
    site.restore(&Choice { to: Some(other.clone()), ..Choice::default() }).unwrap();
    assert_eq!(fs::read_to_string(other.join("notes/a.md")).unwrap(), "a\n");
    assert!(!site.work.join("notes").exists());
    site.restore(&Choice { paths: vec![site.work.join("notes/b.md")], ..Choice::default() }).unwrap();
    assert!(site.work.join("notes/b.md").exists() && !site.work.join("notes/a.md").exists());
}

#[test]
fn a_link_that_took_a_directorys_place_is_not_followed() {
    let site = Site::new();
    site.write("notes/a.md", "a\n");
    site.before("rm -rf notes");
    site.run("rm -rf notes; mkdir ../elsewhere; ln -s ../elsewhere notes");
    let done = site.restore(&Choice { force: true, ..Choice::default() });
    assert!(done.is_err() || !done.unwrap().failed.is_empty());
    assert!(!site.home.parent().unwrap().join("elsewhere/a.md").exists());
}

#[test]
fn commits_that_lose_their_name_are_held_and_get_it_back() {
    let site = Site::new();
    site.git(&["checkout", "-q", "-b", "feature"]);
    site.write("tracked.txt", "of the feature\n");
    site.git(&["commit", "-qam", "feature"]);
    let tip = site.git(&["rev-parse", "HEAD"]);
    site.git(&["checkout", "-q", "main"]);
    site.before("git branch -D feature");
    site.git(&["branch", "-D", "feature"]);
    site.git(&["-c", "gc.reflogExpire=now", "-c", "gc.reflogExpireUnreachable=now", "gc", "-q", "--prune=now"]);
    site.restore(&Choice::default()).unwrap();
    assert_eq!(site.git(&["rev-parse", "feature"]), tip);

    for text in ["first stash\n", "second stash\n"] {
        site.write("tracked.txt", text);
        site.git(&["stash", "-q"]);
    }
    site.before("git stash clear");
    site.git(&["stash", "clear"]);
    site.restore(&Choice::default()).unwrap();
    assert_eq!(site.git(&["show", "stash@{0}:tracked.txt"]), "second stash");
    assert_eq!(site.git(&["show", "stash@{1}:tracked.txt"]), "first stash");

    site.before("git reset --hard HEAD~1 2>/dev/null; git -C . stash drop 1");
    let head = &site.kept()[0];
    let names: Vec<&str> = head.refs.iter().map(|r| r.name.as_str()).collect();
    assert_eq!(names, ["HEAD", "refs/stash"]);
    undo::prune(&site.home, &site.work, Some(&head.id.clone()), Timestamp::now()).unwrap();
    let left = site.git(&["for-each-ref", "refs/coroner"]);
    assert!(!left.contains(&head.id), "a dropped snapshot lets go of its commits: {left}");
}

#[test]
fn an_edit_that_replaces_is_kept_too() {
    let site = Site::new();
    let path = site.write("loose.txt", "old\n");
    let said = site.event(Agent::Claude, "Write", &json!({"file_path": path, "content": "x"}));
    assert_eq!(said, "", "keeping says nothing");
    assert_eq!(site.paths(&site.kept()[0]), ["loose.txt"]);
    site.event(
        Agent::Claude,
        "Edit",
        &json!({"file_path": site.work.join("src/clean.rs"), "old_string": "m", "new_string": "n"}),
    );
    assert_eq!(site.kept().len(), 1, "what is committed has another copy");
}

#[test]
fn a_host_that_refuses_what_it_is_asked_about_needs_no_copy() {
    let site = Site::new();
    site.git(&["checkout", "-q", "-b", "feature"]);
    site.git(&["commit", "-q", "--allow-empty", "-m", "only here"]);
    site.git(&["checkout", "-q", "-"]);
    let input = json!({"command": "git branch -D feature"});
    let said = site.event(Agent::Codex, "Bash", &input);
    assert!(said.contains("deny") && site.kept().is_empty(), "{said}");
    let said = site.event(Agent::Claude, "Bash", &input);
    assert!(said.contains("\"ask\"") && site.kept().len() == 1, "{said}");
}

#[test]
fn the_area_is_private_and_a_secret_stays_in_it() {
    let site = Site::new();
    let value = ["correct", "horse", "battery"].join("-");
    let path = site.write(".env", &format!("DB_PASSWORD={value}\n"));
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    let mut request = site.request();
    request.env.insert("DB_PASSWORD".to_owned(), value.clone());
    let event = json!({"hook_event_name": "PreToolUse", "tool_name": "Bash", "cwd": site.work, "session_id": "s1",
        "tool_input": {"command": format!("truncate -s 0 .env # was {value}")}});
    hook::answer(Agent::Claude, event.to_string().as_bytes(), || Guard::open(request));
    let area = site.home.join("undo");
    assert_eq!(fs::metadata(&area).unwrap().mode() & 0o777, 0o700);
    assert!(area.join("CACHEDIR.TAG").exists() && area.join(".nobackup").exists());
    let head = &site.kept()[0];
    assert!(!head.command.contains(&value), "{}", head.command);
    for entry in fs::read_dir(area.join(&head.id)).unwrap().flatten() {
        assert_eq!(entry.metadata().unwrap().mode() & 0o077, 0, "{:?}", entry.path());
    }
}

#[test]
fn copies_are_not_among_the_files_that_are_looked_through() {
    use coroner_collect::{Limits, Live, LiveSettings};
    use coroner_model::Probe;
    let site = Site::new();
    site.write(".env", "A=b\n");
    site.before("rm .env");
    let settings = LiveSettings {
        env: BTreeMap::new(),
        home: site.home.clone(),
        cwd: site.home.clone(),
        now: Timestamp::now(),
        redaction_key: [7; 32],
    };
    let root = site.home.parent().unwrap().display().to_string();
    let probe = Probe::Tree { root, depth_max: 9 };
    let documents = Live::new(settings, Limits::default()).answer(&probe).unwrap();
    let text = documents[0].text.as_str();
    assert!(text.contains("/work/.env") && text.contains("/home"), "{text}");
    assert!(!text.contains("/home/undo/"), "{text}");
}

#[test]
fn what_is_too_large_is_said_and_the_rest_kept() {
    let site = Site::new();
    fs::create_dir_all(&site.home).unwrap();
    fs::write(site.home.join("coroner.toml"), "[undo]\nfile_bytes_max = 10\n").unwrap();
    site.write("big.txt", "more than ten bytes\n");
    site.write("small.txt", "few\n");
    let said = site.before("truncate -s 0 big.txt small.txt");
    assert!(said.contains("big.txt") && said.contains("coroner undo"), "{said}");
    assert_eq!(site.paths(&site.kept()[0]), ["small.txt"]);
    // A name that goes needs no space.
    site.before("rm big.txt");
    assert_eq!(site.paths(&site.kept()[0]), ["big.txt"]);
}

#[test]
fn only_the_person_switches_it_off() {
    let site = Site::new();
    site.write("loose.txt", "x\n");
    site.write(".coroner/coroner.toml", "[undo]\nenabled = false\nfile_bytes_max = 0\n");
    site.before("truncate -s 0 loose.txt");
    assert_eq!(site.kept().len(), 1);
    fs::write(site.home.join("coroner.toml"), "[undo]\nenabled = false\n").unwrap();
    site.before("truncate -s 0 loose.txt");
    assert_eq!(site.kept().len(), 1);
}

#[test]
fn a_name_that_was_written_to_instead_of_removed_is_not_taken_for_whole() {
    let site = Site::new();
    site.write("loose.txt", "old\n");
    site.before("rm loose.txt");
    site.run("echo much longer than before >> loose.txt");
    let plan = undo::plan(&site.home, "last", &Choice::default()).unwrap();
    assert!(plan.items.iter().all(|i| matches!(i.state, State::Broken(_) | State::Same)), "{plan:?}");
    assert!(undo::restore(&site.home, &plan, &Choice { force: true, ..Choice::default() }, Timestamp::now()).is_err());
}

#[test]
fn what_is_not_whole_is_never_listed_and_what_is_old_goes() {
    let site = Site::new();
    site.write("loose.txt", "old\n");
    site.before("rm loose.txt");
    let whole = site.kept()[0].id.clone();
    let area = site.home.join("undo");
    fs::create_dir(area.join("20260101-000000-0000.part")).unwrap();
    fs::create_dir(area.join("20260101-000000-0001")).unwrap();
    let list = undo::list(&site.home);
    assert_eq!(list.snapshots.len(), 1);
    assert_eq!(list.problems.len(), 1, "a folder without a head is said to be damaged");
    let later = Timestamp::now() + jiff::SignedDuration::from_hours(24 * 15);
    assert_eq!(undo::prune(&site.home, &site.work, None, later).unwrap(), [whole]);
    assert!(!area.join("20260101-000000-0000.part").exists());
}

#[test]
fn temporary_files_are_kept_only_where_the_work_is_there() {
    let site = Site::new();
    let other = tempfile::tempdir().unwrap();
    let path = other.path().join("x.txt");
    fs::write(&path, "x\n").unwrap();
    // The work of these tests lies in a temporary folder itself.
    site.before(&format!("rm {}", path.display()));
    assert_eq!(site.kept().len(), 1);
    let event = json!({"hook_event_name": "PreToolUse", "tool_name": "Bash", "tool_input": {"command": format!("rm {}", path.display())},
        "cwd": "/usr", "session_id": "s1"});
    hook::answer(Agent::Claude, event.to_string().as_bytes(), || Guard::open(site.request()));
    assert_eq!(site.kept().len(), 1);
}

#[test]
fn a_full_disk_lets_only_names_be_kept() {
    use coroner_act::undo::{Bounds, Take, Wanted, keep};
    let site = Site::new();
    let (gone, written) = (site.write("gone.txt", "a\n"), site.write("written.txt", "b\n"));
    let everything = |_: &Path, _: bool| Take::Keep;
    let wanted = [
        Wanted { root: gone, removes: true, takes: &everything },
        Wanted { root: written, removes: false, takes: &everything },
    ];
    site.write("seed.txt", "x\n");
    site.before("rm seed.txt");
    let head = Head { id: String::new(), command: "made up".to_owned(), ..site.kept()[0].clone() };
    let full = Bounds { disk_percent_max: 0, ..Bounds::default() };
    let kept = keep(&site.home.join("undo"), head, &wanted, &[], &full).unwrap().unwrap();
    assert_eq!(site.paths(&kept), ["gone.txt"]);
    assert_eq!(kept.left_out_count, 1);
    assert!(kept.left_out[0].why.contains("% full"), "{:?}", kept.left_out);
}
