//! rsync's command line: which option takes a value, and what it means for deletions.

use super::{Backup, FilterArgument, Place, RULES_MAX, RsyncCommand, Timing};

/// Long options whose value may stand in the next word.
const VALUED: [&str; 64] = [
    "address",
    "backup-dir",
    "block-size",
    "bwlimit",
    "cc",
    "checksum-choice",
    "checksum-seed",
    "chmod",
    "chown",
    "compare-dest",
    "compress-choice",
    "compress-level",
    "compress-threads",
    "config",
    "confine-root",
    "contimeout",
    "copy-as",
    "copy-dest",
    "debug",
    "dparam",
    "early-input",
    "exclude",
    "exclude-from",
    "files-from",
    "filter",
    "groupmap",
    "iconv",
    "include",
    "include-from",
    "info",
    "link-dest",
    "log-file",
    "log-file-format",
    "log-format",
    "max-alloc",
    "max-delete",
    "max-size",
    "min-size",
    "modify-window",
    "only-write-batch",
    "out-format",
    "outbuf",
    "partial-dir",
    "password-file",
    "port",
    "protocol",
    "read-batch",
    "remote-option",
    "rsh",
    "rsync-path",
    "skip-compress",
    "sockopts",
    "stderr",
    "stop-after",
    "stop-at",
    "suffix",
    "temp-dir",
    "time-limit",
    "timeout",
    "usermap",
    "write-batch",
    "zc",
    "zl",
    "zt",
];

/// Short options that take a value, with their long names.
const SHORT_VALUED: [(char, &str); 6] = [
    ('B', "block-size"),
    ('M', "remote-option"),
    ('T', "temp-dir"),
    ('@', "modify-window"),
    ('e', "rsh"),
    ('f', "filter"),
];

/// Short options without a value that bear on deletions.
const SHORT: [(char, &str); 10] = [
    ('0', "from0"),
    ('C', "cvs-exclude"),
    ('F', "F"),
    ('R', "relative"),
    ('a', "archive"),
    ('b', "backup"),
    ('d', "dirs"),
    ('m', "prune-empty-dirs"),
    ('n', "dry-run"),
    ('r', "recursive"),
];

/// Understands the words after `rsync`; pure, and never fails: what rsync itself
/// would refuse is kept in [`RsyncCommand::refused`].
pub fn parse(argv: &[String]) -> RsyncCommand {
    let mut reading = Reading::default();
    let mut words = argv.iter();
    let mut places = Vec::new();
    let mut only_places = false;
    while let Some(word) = words.next() {
        if only_places || word == "-" || !word.starts_with('-') {
            places.push(word.as_str());
        } else if word == "--" {
            only_places = true;
        } else if let Some(long) = word.strip_prefix("--") {
            match long.split_once('=') {
                Some((name, value)) => reading.option(name, value),
                None if VALUED.contains(&long) => match words.next() {
                    Some(value) => reading.option(long, value),
                    None => reading.refuse(format!("--{long} lacks its value")),
                },
                None => reading.option(long, ""),
            }
        } else if let Some(name) = reading.cluster(&word[1..]) {
            match words.next() {
                Some(value) => reading.option(name, value),
                None => reading.refuse(format!("{word} lacks its value")),
            }
        }
    }
    let mut command = reading.finish(&places);
    command.rules_left_out = command.filters.len().saturating_sub(RULES_MAX);
    command.filters.truncate(RULES_MAX);
    command
}

#[derive(Default)]
struct Reading {
    command: RsyncCommand,
    archive: bool,
    /// `-r`, or `--no-r` after it.
    recursive: Option<bool>,
    dirs: Option<bool>,
    relative: Option<bool>,
    delete: bool,
    timings: Vec<Timing>,
    dir_filters: u32,
    backup: bool,
    backup_dir: Option<String>,
    suffix: Option<String>,
    partial_dir: Option<String>,
    list_only: bool,
}

impl Reading {
    fn refuse(&mut self, why: String) {
        self.command.refused.get_or_insert(why);
    }

    /// Reads a cluster such as `avzn`; gives the option that waits for its value.
    fn cluster(&mut self, letters: &str) -> Option<&'static str> {
        for (at, letter) in letters.char_indices() {
            if let Some((_, name)) = SHORT_VALUED.iter().find(|(short, _)| *short == letter) {
                let value = &letters[at + letter.len_utf8()..];
                if value.is_empty() {
                    return Some(name);
                }
                self.option(name, value.strip_prefix('=').unwrap_or(value));
                return None;
            }
            if let Some((_, name)) = SHORT.iter().find(|(short, _)| *short == letter) {
                self.option(name, "");
            }
        }
        None
    }

    fn option(&mut self, name: &str, value: &str) {
        let command = &mut self.command;
        match name {
            "archive" => (self.archive, self.recursive) = (true, self.recursive.filter(|on| *on)),
            "recursive" | "r" => self.recursive = Some(true),
            "no-recursive" | "no-r" => (self.recursive, self.archive) = (Some(false), false),
            "dirs" | "d" | "old-dirs" | "old-d" => self.dirs = Some(true),
            "no-dirs" | "no-d" => self.dirs = Some(false),
            "relative" | "R" => self.relative = Some(true),
            "no-relative" | "no-R" => self.relative = Some(false),
            "no-implied-dirs" | "no-i-d" => command.implied_dirs = false,
            "dry-run" => command.dry_run = true,
            "only-write-batch" => command.dry_run = true,
            "list-only" => self.list_only = true,
            "remove-source-files" | "remove-sent-files" => command.removes_source_files = true,
            "prune-empty-dirs" => command.prune_empty_dirs = true,
            "no-prune-empty-dirs" | "no-m" => command.prune_empty_dirs = false,
            "cvs-exclude" => command.cvs_exclude = true,
            "ignore-existing" => command.ignores_existing = true,
            "force" => command.force = true,
            "no-force" => command.force = false,
            "files-from" => command.files_from = Some(value.to_owned()),
            "backup" => self.backup = true,
            "no-backup" | "no-b" => self.backup = false,
            "backup-dir" => self.backup_dir = Some(value.to_owned()),
            "suffix" => self.suffix = Some(value.to_owned()),
            "partial-dir" => self.partial_dir = Some(value.to_owned()),
            "F" => {
                self.dir_filters += 1;
                match self.dir_filters {
                    1 => command.filters.push(FilterArgument::Rule(": /.rsync-filter".into())),
                    2 => command.filters.push(FilterArgument::Rule("- .rsync-filter".into())),
                    _ => {}
                }
            }
            "filter" => command.filters.push(FilterArgument::Rule(value.to_owned())),
            "exclude" => command.filters.push(FilterArgument::Exclude(value.to_owned())),
            "include" => command.filters.push(FilterArgument::Include(value.to_owned())),
            "exclude-from" => command.filters.push(FilterArgument::ExcludeFrom(value.to_owned())),
            "include-from" => command.filters.push(FilterArgument::IncludeFrom(value.to_owned())),
            _ => self.deletion(name, value),
        }
    }

    fn deletion(&mut self, name: &str, value: &str) {
        match name {
            "delete" => self.delete = true,
            // Two ways of the same: the last one counts.
            "del" | "delete-during" | "delete-delay" => {
                self.timings.retain(|t| !matches!(t, Timing::During | Timing::Delayed));
                self.timings.push(if name == "delete-delay" { Timing::Delayed } else { Timing::During });
            }
            "delete-before" => self.timings.push(Timing::Before),
            "delete-after" => self.timings.push(Timing::After),
            "delete-excluded" => (self.delete, self.command.delete_excluded) = (true, true),
            "delete-missing-args" => {
                (self.command.deletes_missing_args, self.command.ignores_missing_args) = (true, true);
            }
            "ignore-missing-args" => self.command.ignores_missing_args = true,
            "max-delete" => match value.parse::<i64>() {
                Ok(most) => self.command.delete_max = Some(u64::try_from(most).unwrap_or(0)),
                Err(_) => self.refuse(format!("--max-delete={value} is no number")),
            },
            _ => {}
        }
    }

    fn finish(mut self, places: &[&str]) -> RsyncCommand {
        self.timings.sort();
        self.timings.dedup();
        if self.timings.len() > 1 {
            self.refuse("several --delete-WHEN options contradict each other".into());
        }
        let from_list = self.command.files_from.is_some();
        let recursive = self.recursive.unwrap_or(self.archive && !from_list);
        let dirs = self.dirs.unwrap_or(from_list || self.list_only);
        let deletes = self.delete || !self.timings.is_empty();
        if deletes && !recursive && !dirs {
            self.refuse("--delete needs --recursive or --dirs".into());
        }
        let mut command = self.command;
        command.timing = self.timings.first().copied().unwrap_or_default();
        (command.recursive, command.dirs) = (recursive, dirs);
        command.relative = self.relative.unwrap_or(from_list);
        if let Some((last, sources)) = places.split_last() {
            match sources {
                [] => command.sources = vec![Place::new(last)],
                _ => {
                    command.sources = sources.iter().map(|source| Place::new(source)).collect();
                    command.destination = Some(Place::new(last));
                }
            }
        }
        // A bare `:path` is on the host of the place before it.
        let mut host_before = String::new();
        for place in &mut command.sources {
            if let Place::Remote { host, .. } = place {
                if host.is_empty() {
                    host.clone_from(&host_before);
                }
                host_before.clone_from(host);
            }
        }
        let acts = command.refused.is_none() && !self.list_only && command.destination.is_some();
        command.deletes = deletes && acts;
        command.deletes_missing_args &= acts;
        command.removes_source_files &= acts;
        if self.backup || self.backup_dir.is_some() {
            let suffix = self.suffix.unwrap_or_else(|| if self.backup_dir.is_some() { "".into() } else { "~".into() });
            if command.deletes && self.backup_dir.is_none() && !command.delete_excluded {
                command.filters.push(FilterArgument::Implied(format!("P *{suffix}")));
            }
            command.backup = Some(Backup { dir: self.backup_dir, suffix });
        }
        if let Some(dir) = self.partial_dir.filter(|dir| !dir.starts_with('/') && dir != ".") {
            command.filters.push(FilterArgument::Implied(format!("-p {}/", dir.trim_end_matches('/'))));
        }
        command
    }
}
