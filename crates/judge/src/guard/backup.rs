//! Backups: what configuration, a listing or plain names say are copies for a bad day.

use std::collections::{BTreeMap, BTreeSet};

use coroner_model::{Answers, Probe};
use coroner_read::config::Config;
use coroner_read::{shell, tree, tsv};
use jiff::Timestamp;

use crate::scene::Scene;

/// Files that are backups, and the directories that hold nothing else of worth.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Backups {
    pub(super) files: BTreeSet<String>,
    pub(super) directories: BTreeSet<String>,
    /// What is known of some of the files.
    copies: BTreeMap<String, Copy>,
    /// Whether somebody looked for backups, so that none found means none known.
    pub(super) looked: bool,
}

/// One backup, as far as a listing tells.
#[derive(Clone, Debug, Default, PartialEq)]
struct Copy {
    bytes: Option<u64>,
    made: Option<Timestamp>,
    /// It was read through and cannot be restored.
    broken: bool,
    /// How old the newest of its kind may be, in seconds, with the words of the configuration.
    limit: Option<(i64, String)>,
}

impl Copy {
    fn is_good(&self) -> bool {
        !self.broken && self.bytes != Some(0)
    }
}

const COLUMNS: [&str; 6] = ["destination", "path", "bytes", "mtime", "decodes", "sha256"];

impl Backups {
    pub(super) fn read(scene: &Scene, answers: &Answers, config: &Config) -> Backups {
        let mut out = Backups::default();
        if let Some(document) = answers.document(&Probe::Backups) {
            let rows = tsv::rows(document.text.as_str(), &COLUMNS);
            out.looked = true;
            for row in &rows {
                let copy = Copy {
                    bytes: row.number("bytes"),
                    made: row.get("mtime").and_then(tree::time),
                    broken: row.get("decodes") == Some("no"),
                    limit: None,
                };
                out.copies.extend(row.get("path").map(|path| (path.to_owned(), copy)));
            }
            out.files.extend(
                rows.iter().filter_map(|row| row.get("path")).filter(|p| p.starts_with('/')).map(str::to_owned),
            );
        }
        for backup in &config.backups {
            if let Some(directory) = literal_directory(&backup.glob) {
                out.directories.insert(directory);
            }
            let known = scene.paths.iter().filter(|(_, state)| state.exists && state.kind != Some('d'));
            out.files.extend(known.filter(|(path, _)| matches(&backup.glob, path)).map(|(path, _)| path.clone()));
        }
        for (path, state) in &scene.paths {
            if state.exists && state.kind != Some('d') && is_kept_copy(path) {
                out.files.insert(path.clone());
            }
        }
        for file in &out.files {
            if let Some(state) = scene.paths.get(file).filter(|_| !out.copies.contains_key(file)) {
                let copy = Copy { bytes: state.size, made: state.changed, broken: false, limit: None };
                out.copies.insert(file.clone(), copy);
            }
            if let Some((directory, _)) = file.rsplit_once('/') {
                out.directories.insert(directory.to_owned());
            }
        }
        for (path, copy) in &mut out.copies {
            let of = config.backups.iter().find(|b| matches(&b.glob, path));
            copy.limit = of.and_then(|b| Some((seconds(&b.max_age)?, b.max_age.clone())));
        }
        out.directories.retain(|d| d.matches('/').count() > 1);
        out
    }

    /// Whether a backup can be restored from, as far as anybody knows.
    pub(super) fn is_good(&self, file: &str) -> bool {
        self.copies.get(file).is_none_or(Copy::is_good)
    }

    /// The newest backup that can be restored from, in words; `None` where nobody looked.
    pub(super) fn newest(&self, now: Option<Timestamp>) -> Option<String> {
        let good = self.copies.iter().filter(|(_, copy)| copy.is_good());
        let Some((path, copy)) = good.max_by_key(|(path, copy)| (copy.made, (*path).clone())) else {
            return (self.looked && self.files.is_empty()).then(|| "no backup is known".to_owned());
        };
        let bytes = copy.bytes.map(|b| format!(", {}", super::view::size(b))).unwrap_or_default();
        let age = now.zip(copy.made).map(|(now, made)| format!(", {} old", age(now.as_second() - made.as_second())));
        let late = now
            .zip(copy.made)
            .zip(copy.limit.as_ref())
            .filter(|((now, made), (limit, _))| now.as_second().saturating_sub(made.as_second()) > *limit);
        let late = late.map(|(_, (_, words))| format!(", older than the {words} that it may be")).unwrap_or_default();
        Some(format!("newest backup {path}{bytes}{}{late}", age.unwrap_or_default()))
    }

    /// The backups beside a file, itself included.
    pub(super) fn beside<'a>(&'a self, file: &'a str) -> impl Iterator<Item = &'a String> {
        let directory = file.rsplit_once('/').map_or("", |(d, _)| d);
        self.files.iter().filter(move |f| f.rsplit_once('/').map_or("", |(d, _)| d) == directory)
    }
}

/// `26h`, `7d`, `90m` and `2w` as seconds.
fn seconds(age: &str) -> Option<i64> {
    let age = age.trim();
    let at = age.find(|c: char| !c.is_ascii_digit())?;
    let number: i64 = age[..at].parse().ok()?;
    let unit = match age[at..].trim() {
        "s" => 1,
        "m" | "min" => 60,
        "h" => 3_600,
        "d" | "days" | "day" => 86_400,
        "w" => 604_800,
        _ => return None,
    };
    number.checked_mul(unit)
}

/// Seconds as a person says them.
fn age(seconds: i64) -> String {
    match seconds.max(0) {
        s if s < 2 * 3600 => format!("{} min", s / 60),
        s if s < 2 * 86400 => format!("{} hours", s / 3600),
        s => format!("{} days", s / 86400),
    }
}

/// The directory of a glob, where its name holds no pattern.
fn literal_directory(glob: &str) -> Option<String> {
    let (directory, _) = glob.rsplit_once('/')?;
    (!directory.contains(['*', '?', '['])).then(|| directory.to_owned())
}

fn matches(glob: &str, path: &str) -> bool {
    let pattern: Vec<&str> = glob.split('/').collect();
    let names: Vec<&str> = path.split('/').collect();
    pattern.len() == names.len() && pattern.iter().zip(&names).all(|(p, n)| shell::glob_matches(p, n))
}

/// A dump in a directory that is named after what it holds.
pub(crate) fn is_kept_copy(path: &str) -> bool {
    let Some((directory, name)) = path.rsplit_once('/') else { return false };
    let kept = directory.split('/').any(|part| {
        let part = part.to_ascii_lowercase();
        let part = part.trim_start_matches('.');
        ["backup", "backups", "dumps", "snapshots", "pgdumps"].contains(&part)
            || part.ends_with("-backups")
            || part.ends_with("_backups")
    });
    let name = name.to_ascii_lowercase();
    let copy = ["dump", "sql", "bak", "rdb", "gz", "zst", "xz", "tar", "tgz", "zip", "age", "gpg"];
    kept && name.rsplit_once('.').is_some_and(|(_, end)| copy.contains(&end))
}
