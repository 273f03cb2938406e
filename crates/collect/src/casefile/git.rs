//! What git said: as text, or asked of the repository that lies in `git/`.

use std::fs;
use std::io;
use std::path::Path;

use coroner_model::probe::GitTable;
use coroner_model::{CouldNotLook, Why};

use super::{Casefile, Part, Raw, git_path, not_recorded, obstacle};
use crate::git::{self, Window};

/// Bytes of a repository that is laid out to be read.
const REPOSITORY_BYTES_MAX: u64 = 1024 * 1024 * 1024;

/// A git table from its text, or from a bare repository.
pub(super) fn answer(case: &Casefile, table: GitTable, window: Window) -> Raw {
    let path = git_path(table);
    if case.shelf.file_bytes(path).is_some() {
        return case.read(path, Part::Head).map(|seen| vec![seen]);
    }
    // A bare repository has history and stashes, but no work tree to compare with.
    if !matches!(table, GitTable::Log | GitTable::Stash | GitTable::Refs) {
        return Err(not_recorded(path));
    }
    let unreadable = |error: io::Error| obstacle(Why::Unreadable, format!("git/: {error}"));
    let folder = tempfile::tempdir().map_err(unreadable)?;
    if !lay_out(case, folder.path())? && !lay_out_bundle(case, folder.path())? {
        return Err(not_recorded(path));
    }
    git::answer(folder.path(), table, window, &case.limits).map(|seen| vec![seen])
}

/// Copies the repository out of the casefile; whether there is one.
fn lay_out(case: &Casefile, to: &Path) -> Result<bool, CouldNotLook> {
    let unreadable = |error: io::Error| obstacle(Why::Unreadable, format!("git/: {error}"));
    if case.shelf.file_bytes("git/HEAD").is_none() {
        return Ok(false);
    }
    let mut left = REPOSITORY_BYTES_MAX;
    for path in case.shelf.files_under("git") {
        let Some(name) = path.strip_prefix("git/").filter(|name| is_data(name)) else { continue };
        let piece = case.shelf.head(path, left).map_err(unreadable)?;
        if piece.left_out > 0 {
            return Err(obstacle(Why::TooMuch, format!("git/ has more than {REPOSITORY_BYTES_MAX} bytes")));
        }
        left -= piece.bytes.len() as u64;
        let at = to.join(name);
        if let Some(directory) = at.parent() {
            fs::create_dir_all(directory).map_err(unreadable)?;
        }
        fs::write(&at, &piece.bytes).map_err(unreadable)?;
    }
    // The stranger's configuration is left behind: nothing of it is needed to read.
    fs::write(to.join("config"), "[core]\n\trepositoryformatversion = 0\n\tbare = true\n").map_err(unreadable)?;
    fs::create_dir_all(to.join("objects")).and_then(|()| fs::create_dir_all(to.join("refs"))).map_err(unreadable)?;
    Ok(true)
}

/// Makes a repository of the first bundle; whether there is one.
fn lay_out_bundle(case: &Casefile, to: &Path) -> Result<bool, CouldNotLook> {
    let Some(path) = case.shelf.files_under("git").into_iter().find(|path| path.ends_with(".bundle")) else {
        return Ok(false);
    };
    let unreadable = |error: io::Error| obstacle(Why::Unreadable, format!("{path}: {error}"));
    let piece = case.shelf.head(path, REPOSITORY_BYTES_MAX).map_err(unreadable)?;
    if piece.left_out > 0 {
        return Err(obstacle(Why::TooMuch, format!("{path} has more than {REPOSITORY_BYTES_MAX} bytes")));
    }
    git::unbundle(&piece.bytes, to).map_err(unreadable)?;
    Ok(true)
}

/// What history is made of; hooks, configuration and alternates are not.
fn is_data(name: &str) -> bool {
    let alternates = name.starts_with("objects/info/");
    matches!(name, "HEAD" | "packed-refs")
        || (name.starts_with("objects/") && !alternates)
        || name.starts_with("refs/")
        || name.starts_with("logs/")
}
