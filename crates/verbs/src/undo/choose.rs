//! Which of the paths that would be lost have no other copy.

use std::path::{Path, PathBuf};
use std::rc::Rc;

use coroner_act::undo::Take;
use coroner_collect::git::copy::WorkTree;
use coroner_collect::place;
use coroner_judge::guard::{Landing, Loss, Lost, MadeAnew, made_anew};

/// Most paths of a directory that is copied over another.
const OVERLAY_PATHS_MAX: usize = 50_000;
/// Largest file that is compared with what would be laid over it, in bytes.
const COMPARED_BYTES_MAX: u64 = 16 * 1024 * 1024;
/// Temporary folders.
const SCRATCH: [&str; 3] = ["/tmp", "/var/tmp", "/dev/shm"];
/// Files beside a directory by which a build tool is known.
const BUILDS: [&str; 14] = [
    "Cargo.toml",
    "package.json",
    "pyproject.toml",
    "setup.py",
    "setup.cfg",
    "Makefile",
    "CMakeLists.txt",
    "build.gradle",
    "build.gradle.kts",
    "pom.xml",
    "go.mod",
    "meson.build",
    "mix.exs",
    "dune-project",
];

/// Where the session works.
pub(super) struct Place {
    in_scratch: bool,
}

impl Place {
    pub(super) fn of(cwd: &Path) -> Place {
        Place { in_scratch: is_scratch(cwd) }
    }
}

fn is_scratch(path: &Path) -> bool {
    SCRATCH.iter().any(|top| path.starts_with(top) && path != Path::new(top))
}

/// Whether any of the losses is of something that is there.
pub(super) fn is_there(losses: &[Loss]) -> bool {
    losses.iter().any(|loss| match &loss.what {
        Lost::Paths { .. } => loss.root().is_some_and(|root| place::is_there(Path::new(&root))),
        Lost::Overlay { destination, .. } => place::is_there(Path::new(destination)),
        _ => true,
    })
}

/// One root with what of it is kept.
pub(super) struct Chosen<'l> {
    pub(super) root: PathBuf,
    pub(super) removes: bool,
    /// Absent where the root itself is all.
    loss: Option<&'l Loss>,
    tree: Option<Rc<WorkTree>>,
    /// Whether the commits of the tree stay, so that they are another copy.
    commits_stay: bool,
    in_scratch: bool,
}

impl<'l> Chosen<'l> {
    pub(super) fn of_paths(site: &Place, loss: &'l Loss, removes: bool) -> Option<Chosen<'l>> {
        let root = PathBuf::from(loss.root()?);
        if !place::is_there(&root) {
            return None;
        }
        let tree = WorkTree::holding(&root).map(Rc::new);
        let commits_stay = tree.as_ref().is_some_and(|tree| {
            let git = tree.top().join(".git");
            !place::is_directory(&git) || !loss.takes(&git.to_string_lossy()) || loss.untracked_only().is_some()
        });
        Some(Chosen { root, removes, loss: Some(loss), tree, commits_stay, in_scratch: site.in_scratch })
    }

    /// Files of a repository whose changes are not committed.
    pub(super) fn of_changes(site: &Place, directory: &str, paths: &[String]) -> Vec<Chosen<'l>> {
        let Some(tree) = WorkTree::holding(Path::new(directory)).map(Rc::new) else { return Vec::new() };
        let paths: Vec<PathBuf> = paths.iter().map(PathBuf::from).collect();
        tree.changed(&paths)
            .into_iter()
            .map(|root| Chosen {
                root,
                removes: false,
                loss: None,
                tree: Some(tree.clone()),
                commits_stay: true,
                in_scratch: site.in_scratch,
            })
            .collect()
    }

    /// Files that those of a copied directory would be laid over, as far as they differ.
    pub(super) fn of_overlay(site: &Place, source: &str, destination: &str, into: Landing) -> Vec<Chosen<'l>> {
        let (source, destination) = (Path::new(source), Path::new(destination));
        let base = match (into, source.file_name(), place::is_directory(&place::resolved(destination))) {
            (Landing::Named, Some(name), true) => destination.join(name),
            _ => destination.to_path_buf(),
        };
        let files = match place::is_directory(source) {
            true => place::below(source, OVERLAY_PATHS_MAX).ok().flatten().unwrap_or_default(),
            false => vec![(PathBuf::new(), false)],
        };
        let tree = WorkTree::holding(&base).map(Rc::new);
        let own = |path: &Path| path.components().any(|c| made_anew(&c.as_os_str().to_string_lossy()) == MadeAnew::Yes);
        files
            .into_iter()
            .filter(|(below, is_dir)| !is_dir && !own(below))
            .map(|(below, _)| {
                if below.as_os_str().is_empty() {
                    (source.into(), base.clone())
                } else {
                    (source.join(&below), base.join(&below))
                }
            })
            .filter(|(from, to): &(PathBuf, PathBuf)| {
                let there = place::is_there(to) && !place::is_directory(to);
                let committed = || tree.as_ref().is_some_and(|tree| tree.is_committed(to));
                there && !committed() && !place::same_content(from, to, COMPARED_BYTES_MAX)
            })
            .map(|(_, root)| Chosen {
                root,
                removes: false,
                loss: None,
                tree: tree.clone(),
                commits_stay: true,
                in_scratch: site.in_scratch,
            })
            .collect()
    }

    /// What becomes of one path.
    pub(super) fn take(&self, path: &Path, is_dir: bool) -> Take {
        if !self.in_scratch && is_scratch(path) {
            return Take::Leave;
        }
        if is_dir {
            return self.take_directory(path);
        }
        let Some(loss) = self.loss else { return Take::Keep };
        let has_copy = self.commits_stay && self.tree.as_ref().is_some_and(|tree| tree.is_committed(path));
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        match loss.takes(&path.to_string_lossy()) && !has_copy && self.is_meant(loss, path) {
            true if made_anew(&name) != MadeAnew::Yes => Take::Keep,
            _ => Take::Pass,
        }
    }

    fn take_directory(&self, path: &Path) -> Take {
        let Some(loss) = self.loss else { return Take::Leave };
        let text = path.to_string_lossy();
        let takes = loss.takes(&text);
        let skipped = self.is_made_anew(path)
            || (loss.untracked_only().is_some() && path != self.root && place::is_there(&path.join(".git")));
        let in_git = loss.untracked_only().is_some() && path.file_name().is_some_and(|name| name == ".git");
        match (takes, takes || loss.enters(&text)) {
            _ if skipped || in_git => Take::Leave,
            (true, _) => Take::Keep,
            (false, true) => Take::Pass,
            (false, false) => Take::Leave,
        }
    }

    /// Whether `git clean` means the file.
    fn is_meant(&self, loss: &Loss, path: &Path) -> bool {
        let Some(ignored_too) = loss.untracked_only() else { return true };
        let Some(tree) = &self.tree else { return false };
        !tree.is_tracked(path) && (ignored_too || !tree.is_ignored(path, false))
    }

    /// Whether a tool makes the directory anew, by its name and what stands beside and in it.
    fn is_made_anew(&self, path: &Path) -> bool {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        match made_anew(&name) {
            MadeAnew::Yes => true,
            MadeAnew::Perhaps => {
                let ignored = self.tree.as_ref().is_some_and(|tree| tree.is_ignored(path, true));
                let builds = || path.parent().is_some_and(|above| place::has_one_of(above, &BUILDS));
                let tracked_tree = self.tree.is_some();
                ignored
                    || place::has_one_of(path, &["pyvenv.cfg"])
                    || place::is_cache(path)
                    || (!tracked_tree && builds())
            }
            MadeAnew::No => place::is_cache(path),
        }
    }
}
