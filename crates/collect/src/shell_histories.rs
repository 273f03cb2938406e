//! Where shells keep what a person typed.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Names of histories in a home directory, or in the folder of zsh's own settings.
const NAMES: [&str; 5] = [".bash_history", ".zsh_history", ".zhistory", ".histfile", ".ash_history"];
/// What fish puts behind the name of a session.
const FISH_ENDING: &str = "_history";
/// Histories of fish that are looked for.
const FISH_FILES_MAX: usize = 50;

/// The person's own histories that are there; a device such as /dev/null in place of one is none.
pub fn find(home: &Path, env: &BTreeMap<String, String>) -> Vec<PathBuf> {
    let variable = |name: &str| env.get(name).filter(|value| value.starts_with('/')).map(PathBuf::from);
    let mut folders = vec![home.to_owned()];
    folders.extend(variable("ZDOTDIR"));
    let mut all: Vec<PathBuf> = folders.iter().flat_map(|folder| NAMES.map(|name| folder.join(name))).collect();
    all.extend(variable("HISTFILE"));
    let data = variable("XDG_DATA_HOME").unwrap_or_else(|| home.join(".local/share"));
    all.extend(of_fish(&data.join("fish")));
    all.retain(|path| path.is_file());
    all.sort();
    all.dedup();
    all
}

fn of_fish(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let named = |path: &PathBuf| is_fish(path);
    entries.map(|entry| entry.path()).filter(named).take(FISH_FILES_MAX).collect()
}

fn is_fish(path: &Path) -> bool {
    path.file_name().and_then(|name| name.to_str()).is_some_and(|name| name.ends_with(FISH_ENDING))
}

/// Whether a file has the name of a shell's history.
pub fn is_named_so(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or("");
    let bare = name.trim_start_matches('.');
    NAMES.contains(&name) || matches!(bare, "bash_history" | "zsh_history" | "fish_history")
}
