use super::*;

fn words(line: &str) -> Vec<String> {
    line.split(' ').map(str::to_owned).collect()
}

fn entries(paths: &[&str]) -> Vec<TreeEntry> {
    paths
        .iter()
        .map(|path| TreeEntry { path: path.trim_end_matches('/').to_owned(), is_dir: path.ends_with('/') })
        .collect()
}

fn no_files(_: &str) -> Option<String> {
    None
}

const LIVE: [&str; 5] = [".docker-data/", ".docker-data/pg/", ".docker-data/pg/PG_VERSION", "app.py", "old.py"];

fn gone(line: &str) -> Vec<String> {
    let sources = [SourceTree::Directory(entries(&["app.py"]))];
    deletions(&parse(&words(line)), &no_files, &sources, &entries(&LIVE))
}

#[test]
fn an_exclude_that_lacks_a_dot_protects_nothing() {
    let lost = gone("-a --delete --exclude=docker-data ./ /opt/app/");
    assert_eq!(lost, [".docker-data", ".docker-data/pg", ".docker-data/pg/PG_VERSION", "old.py"]);
    let command = parse(&words("-a --delete --exclude=docker-data --exclude=node_modules ./ /opt/app/"));
    let idle = idle_excludes(&command, &no_files, &entries(&LIVE));
    assert_eq!(idle.len(), 2);
    assert_eq!(idle[0].nearest.as_deref(), Some(".docker-data"));
    assert_eq!(idle[1].nearest, None);
}

#[test]
fn a_matching_exclude_protects_and_is_not_idle() {
    for line in [
        "-a --delete --exclude=/.docker-data/ ./ /opt/app/",
        "-a --delete --exclude .docker-data ./ /opt/app/",
        "-a --delete -f P_.docker-data/*** ./ /opt/app/",
        "-a --delete --include=*.py --exclude=* ./ /opt/app/",
    ] {
        assert_eq!(gone(line), ["old.py"], "{line}");
        assert_eq!(idle_excludes(&parse(&words(line)), &no_files, &entries(&LIVE)), [], "{line}");
    }
}

#[test]
fn an_exclude_given_as_an_absolute_path_is_idle() {
    for pattern in ["/opt/app/.docker-data", "/Docker-Data/", "/app/.docker-data", ".dockerdata"] {
        let command = parse(&words(&format!("-a --delete --exclude={pattern} ./ /opt/app/")));
        let idle = idle_excludes(&command, &no_files, &entries(&LIVE));
        assert_eq!(idle[0].nearest.as_deref(), Some(".docker-data"), "{pattern}");
    }
}

#[test]
fn what_another_rule_protects_is_not_offered_as_meant() {
    let command = parse(&words("-a --delete --exclude=docker-data --exclude=.docker-data ./ /opt/app/"));
    let idle = idle_excludes(&command, &no_files, &entries(&LIVE));
    assert_eq!(idle, [IdleExclude { pattern: "docker-data".into(), nearest: None }]);
}

#[test]
fn nothing_goes_without_delete_without_recursion_or_without_a_destination() {
    assert_eq!(gone("-a ./ /opt/app/"), [""; 0]);
    assert_eq!(gone("-v --delete ./ /opt/app/"), [""; 0]);
    assert!(parse(&words("-v --delete ./ /opt/app/")).refused.is_some());
    assert_eq!(gone("-a --delete ./"), [""; 0]);
    assert_eq!(gone("-a --delete --list-only ./ /opt/app/"), [""; 0]);
    assert_eq!(gone("-a --delete --max-delete=0 ./ /opt/app/"), [""; 0]);
    assert_eq!(gone("-a --delete --before ./ /opt/app/").len(), 4);
}

#[test]
fn only_the_directory_that_is_sent_loses_files() {
    let tree = entries(&["app/", "app/old", "other/", "other/kept"]);
    let sources = [SourceTree::Directory(entries(&["new"]))];
    let command = parse(&words("-a --del /srv/app /opt"));
    assert_eq!(deletions(&command, &no_files, &sources, &tree), ["app/old"]);
    let command = parse(&words("-a --del /srv/app/ /opt"));
    assert_eq!(deletions(&command, &no_files, &sources, &tree), ["app", "app/old", "other", "other/kept"]);
}

#[test]
fn options_are_read_in_every_spelling() {
    let command = parse(&words("-avzn --delete-before -e ssh --exclude a -f=-_b -- ./-x deploy@web.example:/srv"));
    assert!(command.deletes && command.dry_run && command.recursive);
    assert_eq!(command.timing, Timing::Before);
    assert_eq!(command.filters, [FilterArgument::Exclude("a".into()), FilterArgument::Rule("-_b".into())]);
    assert_eq!(command.sources, [Place::Local("./-x".into())]);
    assert_eq!(
        command.destination,
        Some(Place::Remote { host: "deploy@web.example".into(), path: "/srv".into(), daemon: false })
    );
    assert!(!parse(&words("-a --no-r --delete a/ b")).deletes);
    assert!(parse(&words("--no-r -a --delete a/ b")).deletes);
    assert!(!parse(&words("-a --files-from=list --delete a/ b")).recursive);
    assert!(parse(&words("-rR --remove-source-files a/ b")).removes_source_files);
    assert!(parse(&words("-aegress --delete a b")).dry_run.eq(&false));
}

#[test]
fn places_tell_hosts_from_paths() {
    let remote = |host: &str, path: &str, daemon| Place::Remote { host: host.into(), path: path.into(), daemon };
    assert_eq!(Place::new("./a:b"), Place::Local("./a:b".into()));
    assert_eq!(Place::new("web:data"), remote("web", "data", false));
    assert_eq!(Place::new("web::module/x"), remote("web", "module/x", true));
    assert_eq!(Place::new("rsync://web:873/module/x"), remote("web:873", "module/x", true));
    assert_eq!(Place::new("me@[fe80::1]:/x"), remote("me@[fe80::1]", "/x", false));
}

#[test]
fn filter_files_are_asked_for_by_absolute_path() {
    let mut command = parse(&words("-aF --delete --exclude-from=keep.txt --filter=._/etc/rules ./ /opt/app"));
    command.cwd = "/srv/project".into();
    assert_eq!(command.filter_files(), ["/srv/project/keep.txt", "/etc/rules"]);
    assert_eq!(command.dir_merge_names(), [".rsync-filter"]);
    let files = |path: &str| (path == "/srv/project/keep.txt").then(|| "# kept\n.docker-data/\n".to_owned());
    let sources = [SourceTree::Directory(entries(&["app.py"]))];
    assert_eq!(deletions(&command, &files, &sources, &entries(&LIVE)), ["old.py"]);
}

#[test]
fn a_path_is_deletable_when_no_rule_covers_it_or_what_it_lies_in() {
    let deletable = |line: &str, path: &str| deletable(&parse(&words(line)), &no_files, path, true);
    assert!(deletable("-a --delete host:/srv/ /opt/app", ".docker-data/pg"));
    assert!(!deletable("-a --delete --exclude=.docker-data host:/srv/ /opt/app", ".docker-data/pg"));
    assert!(deletable("-a --delete-excluded --exclude=.docker-data host:/srv/ /opt/app", ".docker-data/pg"));
    assert!(!deletable("-a --delete host:/srv /opt/app", ".docker-data/pg"));
    assert!(deletable("-a --delete host:/srv /opt/app", "srv/.docker-data"));
}

#[test]
fn source_files_go_where_they_are_moved_away() {
    let sources = [SourceTree::Directory(entries(&["a", "d/", "d/b", "c.log"])), SourceTree::File];
    let command = parse(&words("-a --remove-source-files --exclude=*.log in/ one out/"));
    assert_eq!(removed_source_files(&command, &no_files, &sources), [vec!["a", "d/b"], vec![""]]);
}

#[test]
fn a_filter_file_of_a_directory_that_was_left_protects_nothing_in_what_is_emptied_late() {
    let files = |path: &str| (path == "/opt/app/.rsync-filter").then(|| "- *a/d?ta/***\n".to_owned());
    let sources = [SourceTree::Directory(entries(&["app.py"]))];
    let there = entries(&[".rsync-filter", "app.py", "data/", "data/data/", "data/data/PG_VERSION"]);
    let gone = |timing: &str| {
        let line = format!("-aFF {timing} ./ /opt/app/");
        deletions(&parse(&words(&line)), &files, &sources, &there)
    };
    assert_eq!(gone("--delete-delay"), ["data", "data/data", "data/data/PG_VERSION"]);
    for timing in ["--delete", "--delete-before", "--delete-after"] {
        assert_eq!(gone(timing), [""; 0], "{timing}");
    }
}

#[test]
fn only_an_absolute_name_is_looked_for_above_the_root_of_the_transfer() {
    let files = |path: &str| (path == "/srv/.rules").then(|| "H [!a]*\n".to_owned());
    let sources = [SourceTree::Directory(entries(&["x/"]))];
    let gone = |filter: &str| {
        let mut command = parse(&words(&format!("-a --delete --filter=:_{filter} app/ /opt/app/")));
        command.cwd = "/srv".into();
        deletions(&command, &files, &sources, &entries(&["x/", "x/y"]))
    };
    assert_eq!(gone("/srv/.rules"), ["x", "x/y"]);
    for relative in ["../.rules", ".rules", "../../srv/.rules"] {
        assert_eq!(gone(relative), ["x/y"], "{relative}");
    }
}
