//! Where test runners leave their reports in a project.

use std::path::{Path, PathBuf};

use ignore::{DirEntry, WalkBuilder};

/// Folders that runners fill.
const FOLDERS: [&str; 7] =
    ["nextest", "test-results", "test-reports", "reports", "surefire-reports", "failsafe-reports", "junit"];
/// Endings of what may be a report in such a folder.
const ENDINGS: [&str; 6] = ["xml", "txt", "log", "out", "tap", "json"];
/// Folders of a build: only those that runners fill are looked into.
const BUILDS: [&str; 4] = ["target", "build", "bin", "obj"];
/// Folders of other people's code.
const FOREIGN: [&str; 5] = ["node_modules", "vendor", "venv", "site-packages", "__pycache__"];
/// Levels below the root at which such a folder may lie, and a report in it.
const LEVELS_MAX: usize = 6;
/// Entries of one walk.
const ENTRIES_MAX: usize = 5_000;
/// Reports that are read, the newest.
const FILES_MAX: usize = 500;
/// Largest report, in bytes.
pub const FILE_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// Files of a project that may be reports of tests, by name and place; the newest of them.
pub fn find(root: &Path) -> Vec<PathBuf> {
    let walk = WalkBuilder::new(root)
        .standard_filters(false)
        .follow_links(false)
        .max_depth(Some(LEVELS_MAX))
        .filter_entry(is_walked)
        .build();
    let files = walk.flatten().take(ENTRIES_MAX).filter(|entry| entry.file_type().is_some_and(|kind| kind.is_file()));
    let mut found: Vec<(std::time::SystemTime, PathBuf)> = files
        .filter(|entry| is_named_so(entry.path().strip_prefix(root).unwrap_or(entry.path())))
        .filter_map(|entry| Some((entry.metadata().ok()?.modified().ok()?, entry.into_path())))
        .collect();
    found.sort_by(|a, b| b.cmp(a));
    found.truncate(FILES_MAX);
    found.into_iter().map(|(_, path)| path).collect()
}

fn is_walked(entry: &DirEntry) -> bool {
    if !entry.file_type().is_some_and(|kind| kind.is_dir()) || entry.depth() == 0 {
        return true;
    }
    let name = |path: &Path| path.file_name().and_then(|name| name.to_str()).unwrap_or("").to_owned();
    let own = name(entry.path());
    let parent = entry.path().parent().map(name).unwrap_or_default();
    let of_build = BUILDS.contains(&parent.as_str()) && entry.depth() > 1;
    let of_runner = FOLDERS.contains(&own.as_str());
    !own.starts_with('.') && !FOREIGN.contains(&own.as_str()) && (!of_build || of_runner)
}

/// Whether a file has the name or the place of a report of tests.
pub fn is_named_so(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or("").to_ascii_lowercase();
    let Some((stem, ending)) = name.rsplit_once('.') else { return false };
    let names_itself = ending == "xml" && (stem.contains("junit") || stem.starts_with("test-"));
    let folders = path.parent().into_iter().flat_map(Path::components);
    let mut words = folders.filter_map(|part| part.as_os_str().to_str());
    names_itself || ENDINGS.contains(&ending) && words.any(|word| FOLDERS.contains(&word))
}
