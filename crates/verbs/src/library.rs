//! Opens the anti-patterns in force: built in, the person's own, the project's.

use std::path::{Path, PathBuf};

pub use coroner_judge::pattern::Library;
use coroner_judge::pattern::Origin;
use coroner_model::PatternId;
use coroner_store::trust;

/// Folder of a project's own anti-patterns, below the project's root.
pub const PROJECT_FOLDER: &str = ".coroner/antipatterns";

/// The folder that holds `.coroner`, from `cwd` upwards.
pub fn project_root(cwd: &Path) -> Option<PathBuf> {
    cwd.ancestors().find(|p| p.join(".coroner").is_dir()).map(Path::to_path_buf)
}

/// Built-in patterns, then the person's under `home`, which replace those of the same id, then the project's.
///
/// A project may add patterns. One that takes the place of another could weaken it, so it counts
/// only where a person trusts the file as it is.
pub fn open(home: &Path, cwd: &Path) -> Library {
    let mut library = Library::built_in();
    for (path, text) in coroner_collect::own_files::markdown(&home.join("antipatterns")) {
        library.add(&text, &path, Origin::File(path.clone()));
    }
    let project = project_root(cwd).map(|root| root.join(PROJECT_FOLDER));
    for (path, text) in project.iter().flat_map(|folder| coroner_collect::own_files::markdown(folder)) {
        if replaces(&library, &path) && !trust::is_trusted(home, &path, text.as_bytes()) {
            library.refuse(&path, "a project's file takes the place of a pattern", TRUST_HINT);
            continue;
        }
        library.add(&text, &path, Origin::File(path.clone()));
    }
    library
}

/// What a person can do about a file that is not trusted.
const TRUST_HINT: &str = "give it another name, or let a person run `coroner trust` on it";

/// Whether a file has the id of a pattern that is there already.
pub fn replaces(library: &Library, path: &str) -> bool {
    let stem = Path::new(path).file_stem().map(|s| s.to_string_lossy().into_owned()).unwrap_or_default();
    library.get(&PatternId::new(stem)).is_some()
}
