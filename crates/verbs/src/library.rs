//! Opens the anti-patterns in force: built in, the person's own, the project's.

use std::path::{Path, PathBuf};

pub use coroner_judge::pattern::Library;
use coroner_judge::pattern::Origin;

/// Folder of a project's own anti-patterns, below the project's root.
pub const PROJECT_FOLDER: &str = ".coroner/antipatterns";

/// The folder that holds `.coroner`, from `cwd` upwards.
pub fn project_root(cwd: &Path) -> Option<PathBuf> {
    cwd.ancestors().find(|p| p.join(".coroner").is_dir()).map(Path::to_path_buf)
}

/// Built-in patterns, then those under `home`, then the project's; later ones replace earlier ones of the same id.
pub fn open(home: &Path, cwd: &Path) -> Library {
    let mut library = Library::built_in();
    let project = project_root(cwd).map(|root| root.join(PROJECT_FOLDER));
    for folder in [Some(home.join("antipatterns")), project].into_iter().flatten() {
        for (path, text) in coroner_collect::own_files::markdown(&folder) {
            library.add(&text, &path, Origin::File(path.clone()));
        }
    }
    library
}
