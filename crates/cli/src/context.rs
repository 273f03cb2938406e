//! Reads what the libraries must not: environment, home, clock, working directory.

use std::collections::BTreeMap;
use std::path::PathBuf;

use coroner_verbs::library::Library;

use crate::args::Global;

/// The environment as it was when the program started; values that are not UTF-8 are left out.
pub fn environment() -> BTreeMap<String, String> {
    std::env::vars_os().filter_map(|(k, v)| Some((k.into_string().ok()?, v.into_string().ok()?))).collect()
}

/// Where Coroner keeps its own things: CORONER_HOME, else the user's data folder.
pub fn home(env: &BTreeMap<String, String>) -> PathBuf {
    let var = |name: &str| env.get(name).filter(|v| !v.is_empty()).map(PathBuf::from);
    var("CORONER_HOME")
        .or_else(|| var("XDG_DATA_HOME").map(|p| p.join("coroner")))
        .or_else(|| var("HOME").map(|p| p.join(".local/share/coroner")))
        .unwrap_or_else(|| PathBuf::from(".coroner/home"))
}

/// The anti-patterns in force here: built in, the person's, the project's.
pub fn library(_global: &Global) -> anyhow::Result<Library> {
    let env = environment();
    let cwd = std::env::current_dir()?;
    Ok(coroner_verbs::library::open(&home(&env), &cwd))
}
