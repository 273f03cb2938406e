//! Backups: what configuration, a listing or plain names say are copies for a bad day.

use std::collections::BTreeSet;

use coroner_model::{Answers, Probe};
use coroner_read::config::Config;
use coroner_read::{shell, tsv};

use crate::scene::Scene;

/// Files that are backups, and the directories that hold nothing else of worth.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Backups {
    pub(super) files: BTreeSet<String>,
    pub(super) directories: BTreeSet<String>,
}

const COLUMNS: [&str; 6] = ["destination", "path", "bytes", "mtime", "decodes", "sha256"];

impl Backups {
    pub(super) fn read(scene: &Scene, answers: &Answers, config: &Config) -> Backups {
        let mut out = Backups::default();
        if let Some(document) = answers.document(&Probe::Backups) {
            let rows = tsv::rows(document.text.as_str(), &COLUMNS);
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
            if let Some((directory, _)) = file.rsplit_once('/') {
                out.directories.insert(directory.to_owned());
            }
        }
        out.directories.retain(|d| d.matches('/').count() > 1);
        out
    }

    /// The backups beside a file, itself included.
    pub(super) fn beside<'a>(&'a self, file: &'a str) -> impl Iterator<Item = &'a String> {
        let directory = file.rsplit_once('/').map_or("", |(d, _)| d);
        self.files.iter().filter(move |f| f.rsplit_once('/').map_or("", |(d, _)| d) == directory)
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
fn is_kept_copy(path: &str) -> bool {
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
