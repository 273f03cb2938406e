//! Which copies of files a casefile has.

use std::collections::BTreeSet;

use coroner_model::probe::FileClass;

use super::Casefile;
use super::shelf::Shelf;
use crate::class;
use crate::seen::Seen;

/// Bytes of a YAML file that is looked into for its `services`.
const PEEK_BYTES_MAX: u64 = 256 * 1024;

/// The paths of one class under a directory, one a line.
pub(super) fn files(case: &Casefile, directory: &str, wanted: FileClass) -> Seen {
    let all = case.shelf.files_under(directory);
    let others = match wanted {
        FileClass::Compose | FileClass::All => composes_by_content(&case.shelf, &all),
        _ => BTreeSet::new(),
    };
    let mut listing = String::new();
    let mut seen = Seen::text("files/", "");
    let entered = |path: &str| path.rsplit('/').skip(1).all(class::is_walked);
    let chosen = all.iter().filter(|path| entered(path) && (class::holds(wanted, path) || others.contains(*path)));
    for (count, path) in chosen.enumerate() {
        let line = format!("{}\n", path.trim_start_matches("files"));
        match count < case.limits.listing_paths_max {
            true => listing.push_str(&line),
            false => seen.bytes_left_out += line.len() as u64,
        }
    }
    seen.raw = listing.into_bytes();
    seen
}

/// YAML files with services that are not named like compose files.
fn composes_by_content<'a>(shelf: &Shelf, all: &[&'a str]) -> BTreeSet<&'a str> {
    all.iter()
        .copied()
        .filter(|path| class::is_yaml(path) && !class::holds(FileClass::Compose, path))
        .filter(|path| {
            shelf
                .head(path, PEEK_BYTES_MAX)
                .is_ok_and(|piece| class::has_services(&String::from_utf8_lossy(&piece.bytes)))
        })
        .collect()
}

/// The only directory that has a compose file, or the one above all that have.
pub(super) fn only_project(shelf: &Shelf) -> Option<String> {
    let directories: BTreeSet<String> = shelf
        .files_under("files")
        .into_iter()
        .filter(|path| class::holds(FileClass::Compose, path))
        .filter_map(|path| path.strip_prefix("files")?.rsplit_once('/').map(|(dir, _)| dir.to_owned()))
        .collect();
    let first = directories.first()?;
    directories.iter().all(|other| other == first || other.starts_with(&format!("{first}/"))).then(|| first.clone())
}
