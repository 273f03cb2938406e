//! The simulator against the real rsync, on random trees and filter chains.
//!
//! `PROPTEST_CASES` sets how many; the trees lie in temporary directories.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test panics where it fails"
)]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use coroner_judge::simulate::rsync::{self, SourceTree, TreeEntry};
use proptest::prelude::*;

const CASES: u32 = 200;

fn rsync_is_installed() -> bool {
    let found = Command::new("rsync").arg("--version").output().is_ok_and(|output| output.status.success());
    if !found {
        println!("skipped: rsync is not installed");
    }
    found
}

/// One run: two source trees, a destination, filter files, and the words for rsync.
#[derive(Clone, Debug)]
struct Case {
    first: Vec<TreeEntry>,
    second: Vec<TreeEntry>,
    destination: Vec<TreeEntry>,
    filter_files: Vec<(String, String)>,
    options: Vec<String>,
    sources: Vec<String>,
}

fn name() -> impl Strategy<Value = String> {
    prop::sample::select(vec!["a", "b", "ab", "data", ".data", "a.o", "b.log", "core", "x~", "src"])
        .prop_map(String::from)
}

fn tree() -> impl Strategy<Value = Vec<TreeEntry>> {
    let path = prop::collection::vec(name(), 1..4).prop_map(|names| names.join("/"));
    prop::collection::vec((path, any::<bool>()), 0..14).prop_map(|entries| {
        let mut kept: Vec<TreeEntry> = Vec::new();
        for (path, is_dir) in entries {
            let blocked = kept.iter().any(|entry| {
                entry.path == path
                    || (!entry.is_dir && path.starts_with(&format!("{}/", entry.path)))
                    || (!is_dir && entry.path.starts_with(&format!("{path}/")))
            });
            if !blocked {
                kept.push(TreeEntry { path, is_dir });
            }
        }
        kept
    })
}

fn pattern() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        6 => name(),
        1 => Just("*".to_owned()),
        1 => Just("?".to_owned()),
        1 => Just("*.o".to_owned()),
        1 => Just("**".to_owned()),
        1 => Just("a*".to_owned()),
        1 => Just("*a".to_owned()),
        1 => Just("[ab]".to_owned()),
        1 => Just("[!a]*".to_owned()),
        1 => Just("[[:alpha:]]".to_owned()),
        1 => Just("d?ta".to_owned()),
        1 => Just("**a".to_owned()),
        1 => Just("d**a".to_owned()),
        1 => Just("\\*".to_owned()),
        1 => Just("[a".to_owned()),
        1 => Just("***".to_owned()),
    ];
    let ending = prop_oneof![
        6 => Just(""), 2 => Just("/"), 1 => Just("/*"), 1 => Just("/**"), 1 => Just("/***"),
    ];
    (prop_oneof![2 => Just(""), 1 => Just("/")], prop::collection::vec(piece, 1..3), ending)
        .prop_map(|(start, pieces, end)| format!("{start}{}{end}", pieces.join("/")))
}

fn rule() -> impl Strategy<Value = String> {
    let prefix = prop::sample::select(vec![
        "- ",
        "- ",
        "- ",
        "+ ",
        "+ ",
        "P ",
        "R ",
        "H ",
        "S ",
        "exclude ",
        "include ",
        "protect ",
        "risk ",
        "hide ",
        "show ",
        "-,",
        "-! ",
        "-r ",
        "-s ",
        "+s ",
        "+r ",
        "-p ",
        "-_",
        "-sr ",
        "-x ",
        "-/ ",
        "exclude,p ",
        "include,r ",
    ]);
    (prefix, pattern()).prop_map(|(prefix, pattern)| match prefix {
        "-," => format!("-,s {pattern}"),
        other => format!("{other}{pattern}"),
    })
}

fn filter_option() -> impl Strategy<Value = Vec<String>> {
    prop_oneof![
        6 => pattern().prop_map(|p| vec![format!("--exclude={p}")]),
        3 => pattern().prop_map(|p| vec!["--include".to_owned(), p]),
        6 => rule().prop_map(|r| vec![format!("--filter={r}")]),
        2 => rule().prop_map(|r| vec!["-f".to_owned(), r]),
        1 => Just(vec!["--exclude-from=rules.old".to_owned()]),
        1 => Just(vec!["--include-from=rules.old".to_owned()]),
        1 => Just(vec!["--filter=. rules.new".to_owned()]),
        1 => Just(vec!["--filter=.- rules.old".to_owned()]),
        1 => Just(vec!["--filter=: .rules".to_owned()]),
        1 => Just(vec!["--filter=dir-merge,n .rules".to_owned()]),
        1 => Just(vec!["--filter=:- .rules-old".to_owned()]),
        1 => Just(vec!["--filter=: ../.rules".to_owned()]),
        1 => Just(vec!["--filter=:n a/../../.rules".to_owned()]),
        1 => Just(vec!["--filter=:e .rules".to_owned()]),
        1 => Just(vec!["--filter=:s .rules-old".to_owned()]),
        1 => Just(vec!["-F".to_owned()]),
        1 => Just(vec!["-FF".to_owned()]),
        1 => Just(vec!["-C".to_owned()]),
        1 => Just(vec!["--filter=-C".to_owned()]),
        1 => Just(vec!["--filter=!".to_owned()]),
    ]
}

fn option() -> impl Strategy<Value = Vec<String>> {
    let words = vec![
        "--delete-excluded",
        "--delete-before",
        "--delete-after",
        "--delete-during",
        "--del",
        "--delete-delay",
        "--no-i-r",
        "-m",
        "-b",
        "--backup-dir=../saved",
        "--partial-dir=a",
        "--ignore-existing",
        "--force",
        "--remove-source-files",
        "-u",
    ];
    prop::sample::select(words).prop_map(|word| vec![word.to_owned()])
}

fn filter_files() -> impl Strategy<Value = Vec<(String, String)>> {
    let new = || prop::collection::vec(rule(), 1..4).prop_map(|lines| format!("# rules\n\n{}\n", lines.join("\n")));
    let old = || prop::collection::vec(pattern(), 1..4).prop_map(|lines| lines.join("\n"));
    let sideless = || prop::collection::vec(pattern().prop_map(|p| format!("- {p}")), 1..3).prop_map(|l| l.join("\n"));
    let place = prop::sample::select(vec![
        "src",
        "src/a",
        "src/data",
        "dst",
        "dst/a",
        "dst/data",
        "dst/src",
        "dst/a/b",
        ".",
        "other",
        "dst/src/a",
        "dst/ab",
    ]);
    let per_directory = prop_oneof![
        new().prop_map(|text| (".rules", text)),
        sideless().prop_map(|text| (".rules-old", text)),
        new().prop_map(|text| (".rsync-filter", text)),
        old().prop_map(|text| (".cvsignore", text)),
        new().prop_map(|text| (".rules", format!("!\n{text}"))),
        new().prop_map(|text| (".rules", format!("{text}: .rsync-filter\n"))),
    ];
    let scattered = prop::collection::vec((place, per_directory), 0..5);
    (old(), new(), scattered).prop_map(|(old, new, scattered)| {
        let mut files = vec![("rules.old".to_owned(), old), ("rules.new".to_owned(), new)];
        files.extend(scattered.into_iter().map(|(dir, (name, text))| (format!("{dir}/{name}"), text)));
        files
    })
}

fn case() -> impl Strategy<Value = Case> {
    let sources = prop::sample::select(vec![
        vec!["src/"],
        vec!["src/"],
        vec!["src/"],
        vec!["src"],
        vec!["./src/."],
        vec!["src/", "other/"],
        vec!["src", "other"],
        vec!["src/", "other"],
        vec!["-R", "./src/a/"],
        vec!["-R", "src"],
        vec!["-R", "src/./a"],
        vec!["src/a"],
        vec!["src/a/", "--delete-missing-args"],
        vec!["src/a", "src/b"],
    ]);
    let transfer = prop_oneof![8 => Just("-a"), 1 => Just("-rn"), 1 => Just("-d"), 1 => Just("-rlt")];
    let filters = prop::collection::vec(filter_option(), 0..6);
    let options = prop::collection::vec(option(), 0..3);
    (tree(), tree(), tree(), filter_files(), (transfer, filters, options), sources).prop_map(
        |(first, second, destination, filter_files, (transfer, filters, options), sources)| {
            let mut words = vec![transfer.to_owned(), "--delete".to_owned()];
            words.extend(options.into_iter().flatten());
            words.extend(filters.into_iter().flatten());
            // Not simulated: what one of several sources does to the next.
            let several = sources.iter().filter(|word| !word.starts_with('-')).count() > 1;
            let mut filter_files = filter_files;
            words.retain(|word| !several || word != "-m");
            filter_files.retain(|(path, _)| !several || !(path.starts_with("src/") || path.starts_with("other/")));
            Case {
                first,
                second,
                destination,
                filter_files,
                options: words,
                sources: sources.into_iter().map(String::from).collect(),
            }
        },
    )
}

fn plant(root: &Path, entries: &[TreeEntry]) {
    fs::create_dir_all(root).unwrap();
    for entry in entries {
        let path = root.join(&entry.path);
        if entry.is_dir {
            fs::create_dir_all(path).unwrap();
        } else {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, &entry.path).unwrap();
        }
    }
}

fn listing(root: &Path) -> Vec<TreeEntry> {
    fn walk(dir: &Path, prefix: &str, found: &mut Vec<TreeEntry>) {
        let Ok(entries) = fs::read_dir(dir) else { return };
        for entry in entries.flatten() {
            let path = format!("{prefix}{}", entry.file_name().to_str().unwrap());
            let is_dir = entry.file_type().unwrap().is_dir();
            if is_dir {
                walk(&entry.path(), &format!("{path}/"), found);
            }
            found.push(TreeEntry { path, is_dir });
        }
    }
    let mut found = Vec::new();
    walk(root, "", &mut found);
    found.sort();
    found
}

fn source(path: &Path) -> SourceTree {
    match fs::metadata(path) {
        Err(_) => SourceTree::Missing,
        Ok(meta) if meta.is_dir() => SourceTree::Directory(listing(path)),
        Ok(_) => SourceTree::File,
    }
}

fn run(root: &Path, words: &[String]) -> (bool, String) {
    let output = Command::new("rsync")
        .current_dir(root)
        .env("HOME", root.join("home"))
        .env_remove("CVSIGNORE")
        .env_remove("RSYNC_PARTIAL_DIR")
        .args(words)
        .output()
        .unwrap();
    let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    let refused = output.status.code() == Some(1) || output.status.code() == Some(11);
    (!refused, text)
}

fn lost(before: &[TreeEntry], after: &[TreeEntry]) -> BTreeSet<String> {
    let after: BTreeSet<&str> = after.iter().map(|entry| entry.path.as_str()).collect();
    before.iter().map(|entry| entry.path.clone()).filter(|path| !after.contains(path.as_str())).collect()
}

fn agrees(case: &Case) -> Result<(), TestCaseError> {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    plant(&root.join("src"), &case.first);
    plant(&root.join("other"), &case.second);
    plant(&root.join("dst"), &case.destination);
    for (path, text) in &case.filter_files {
        let path = root.join(path);
        if path.parent().unwrap().is_dir() && !path.is_dir() {
            fs::write(path, text).unwrap();
        }
    }
    let mut words = case.options.clone();
    words.extend(case.sources.clone());
    words.push("dst/".to_owned());
    let mut command = rsync::parse(&words);
    command.cwd = root.to_str().unwrap().to_owned();
    let files = |path: &str| fs::read_to_string(path).ok();
    // With --relative rsync takes a file for one in spite of a slash behind it.
    let place = |path: &str| root.join(if command.relative { path.trim_end_matches('/') } else { path });
    let sources: Vec<SourceTree> =
        command.sources.iter().map(|source_place| source(&place(source_place.path()))).collect();
    let before = listing(&root.join("dst"));
    let mut foreseen: BTreeSet<String> = rsync::deletions(&command, &files, &sources, &before).into_iter().collect();
    let removed = rsync::removed_source_files(&command, &files, &sources);

    // The dry run names the files exactly; of directories it also names some that stay.
    let mut dry = words.clone();
    dry.extend(["-n".to_owned(), "-i".to_owned()]);
    let (_, report) = run(root, &dry);
    if command.timing != rsync::Timing::After {
        let named: BTreeSet<&str> = report.lines().filter_map(|line| line.strip_prefix("*deleting   ")).collect();
        let files_named: BTreeSet<&str> = named.iter().copied().filter(|path| !path.ends_with('/')).collect();
        let is_dir = |path: &str| before.iter().any(|entry| entry.is_dir && entry.path == path);
        let files_foreseen: BTreeSet<&str> = foreseen.iter().map(String::as_str).filter(|path| !is_dir(path)).collect();
        // After an error of its own rsync deletes less than its rules say.
        if report.contains("IO error encountered") {
            prop_assert!(files_named.is_subset(&files_foreseen), "dry run of {:?}\n{}", words, report);
            return Ok(());
        }
        prop_assert_eq!(files_foreseen, files_named, "dry run of {:?}\n{}", words, report);
    }

    // A real run uses up what lies in the partial directory, which is no deletion.
    if words.iter().any(|word| word.starts_with("--partial-dir")) {
        return Ok(());
    }
    let (_, report) = run(root, &words);
    let mut gone = lost(&before, &listing(&root.join("dst")));
    if command.dry_run {
        prop_assert!(gone.is_empty());
        return Ok(());
    }
    if report.contains("IO error encountered") {
        prop_assert!(gone.is_subset(&foreseen), "{:?}\n{}", words, report);
        return Ok(());
    }
    // A directory that gives way to a file, or the other way round, is still there by name.
    foreseen.retain(|path| !root.join("dst").join(path).exists());
    gone.retain(|path| !root.join("dst").join(path).exists());
    prop_assert_eq!(&foreseen, &gone, "{:?}\n{}", words, report);
    for (place, removed) in command.sources.iter().zip(&removed) {
        for path in removed {
            let path = root.join(place.path()).join(path);
            let skipped = command.ignores_existing
                || words.iter().any(|word| word == "-u")
                || report.contains("could not make way");
            prop_assert!(skipped || !path.is_file(), "{:?} is still there", path);
        }
    }
    Ok(())
}

#[test]
fn deletions_agree_with_the_real_rsync() {
    if !rsync_is_installed() {
        return;
    }
    let cases = std::env::var("PROPTEST_CASES").ok().and_then(|n| n.parse().ok()).unwrap_or(CASES);
    let config =
        ProptestConfig { cases, failure_persistence: None, max_shrink_iters: 400, ..ProptestConfig::default() };
    proptest!(config, |(case in case())| agrees(&case)?);
}
