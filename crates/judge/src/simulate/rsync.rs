//! What an rsync command line would delete, computed from its filter rules and
//! two listings, without running anything.
//!
//! The text of filter files comes through a function. Whoever calls may note
//! which paths were asked for in vain, look them up, and ask again.
//!
//! Not simulated: what one of several sources does to the next (rsync lets
//! per-directory rules leak, and `-m` spares directories that two share); errors
//! of rsync's own, after which it deletes less; `--remote-option`.

mod chain;
mod idle;
mod options;
mod place;
mod rule;
mod transfer;
mod walk;
mod wildcard;

pub use idle::{IdleExclude, idle_excludes};
pub use options::parse;
pub use place::Place;

use rule::{Flags, Parsed, Prefixes};
use walk::Deleting;

/// Most filter options of one command line that are followed.
pub const RULES_MAX: usize = 500;

/// One filter option of the command line, in its order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FilterArgument {
    /// `--filter RULE`
    Rule(String),
    Exclude(String),
    Include(String),
    ExcludeFrom(String),
    IncludeFrom(String),
    /// A rule that rsync adds on account of another option.
    Implied(String),
}

/// When the deletions are decided on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Timing {
    Before,
    /// While each directory is visited.
    #[default]
    During,
    /// `--delete-delay`: what goes is decided on while each directory is visited, and emptied
    /// when all are left and their filter files no longer count.
    Delayed,
    After,
}

/// Where `--backup` puts what would be lost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Backup {
    /// `--backup-dir`, relative to the destination where it is relative.
    pub dir: Option<String>,
    pub suffix: String,
}

/// An rsync command line, understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RsyncCommand {
    pub sources: Vec<Place>,
    /// Absent where the command only lists.
    pub destination: Option<Place>,
    /// Whether extraneous files go, were it not for `dry_run`.
    pub deletes: bool,
    pub dry_run: bool,
    pub recursive: bool,
    /// `--dirs`: the contents of `dir/` are transferred, those of its directories are not.
    pub dirs: bool,
    pub relative: bool,
    /// Directories on the way of a relative path are transferred, too.
    pub implied_dirs: bool,
    /// The source loses each file that was transferred.
    pub removes_source_files: bool,
    pub deletes_missing_args: bool,
    pub ignores_missing_args: bool,
    pub delete_excluded: bool,
    pub timing: Timing,
    /// What would be deleted is renamed or moved instead.
    pub backup: Option<Backup>,
    /// `--max-delete`; a negative one counts as none.
    pub delete_max: Option<u64>,
    pub force: bool,
    pub ignores_existing: bool,
    pub prune_empty_dirs: bool,
    pub cvs_exclude: bool,
    pub files_from: Option<String>,
    pub filters: Vec<FilterArgument>,
    /// Rules beyond [`RULES_MAX`] that are not followed.
    pub rules_left_out: usize,
    /// The absolute directory that relative paths start from; for the caller to set.
    pub cwd: String,
    /// Why rsync would stop before doing anything.
    pub refused: Option<String>,
}

impl Default for RsyncCommand {
    fn default() -> RsyncCommand {
        RsyncCommand {
            sources: Vec::new(),
            destination: None,
            deletes: false,
            dry_run: false,
            recursive: false,
            dirs: false,
            relative: false,
            implied_dirs: true,
            removes_source_files: false,
            deletes_missing_args: false,
            ignores_missing_args: false,
            delete_excluded: false,
            timing: Timing::default(),
            backup: None,
            delete_max: None,
            force: false,
            ignores_existing: false,
            prune_empty_dirs: false,
            cvs_exclude: false,
            files_from: None,
            filters: Vec::new(),
            rules_left_out: 0,
            cwd: String::new(),
            refused: None,
        }
    }
}

impl RsyncCommand {
    /// A local path made absolute, where the working directory is known.
    pub fn absolute(&self, path: &str) -> String {
        if path.starts_with(['/', '~']) || path == "-" || self.cwd.is_empty() {
            path.to_owned()
        } else {
            chain::resolve(&self.cwd, path)
        }
    }

    /// Files that the command line names and whose text decides, as absolute as they can be.
    pub fn filter_files(&self) -> Vec<String> {
        let named = self.filters.iter().filter_map(|argument| match argument {
            FilterArgument::ExcludeFrom(file) | FilterArgument::IncludeFrom(file) => Some(file.as_str()),
            FilterArgument::Rule(text) => match rule::parse(text, Flags::default(), Prefixes::All) {
                Ok(Some((Parsed::Merge(_, file), _))) => Some(file),
                _ => None,
            },
            _ => None,
        });
        named.chain(self.files_from.as_deref()).map(|file| self.absolute(file)).collect()
    }

    /// Names of the files that are read in each directory, if they lie there.
    pub fn dir_merge_names(&self) -> Vec<String> {
        let named = self.filters.iter().filter_map(|argument| match argument {
            FilterArgument::Rule(text) => match rule::parse(text, Flags::default(), Prefixes::All) {
                Ok(Some((Parsed::DirMerge(_, file), _))) => Some(file.rsplit('/').next().unwrap_or(file).to_owned()),
                _ => None,
            },
            _ => None,
        });
        named.chain(self.cvs_exclude.then(|| ".cvsignore".to_owned())).collect()
    }
}

/// One entry of a tree: its path from the top of the tree, parts joined by `/`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TreeEntry {
    pub path: String,
    /// A link to a directory is none.
    pub is_dir: bool,
}

/// What lies at a source argument.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SourceTree {
    /// Nothing.
    Missing,
    /// A file, or anything else that is no directory.
    File,
    /// A directory, with everything below it, paths relative to it.
    Directory(Vec<TreeEntry>),
}

/// Says which paths of the destination the command would delete, `dry_run` or not.
///
/// `sources` stand in the order of the command line; `destination` is everything
/// below the destination argument. Paths are relative to that argument and
/// sorted; a directory that keeps a protected entry stays and is not named.
/// What is merely overwritten is not named either, but the contents of a
/// directory that a file replaces are. With [`RsyncCommand::backup`] the files
/// are moved, not lost.
pub fn deletions(
    command: &RsyncCommand,
    files: &dyn Fn(&str) -> Option<String>,
    sources: &[SourceTree],
    destination: &[TreeEntry],
) -> Vec<String> {
    if command.refused.is_some() || command.destination.is_none() || command.delete_max == Some(0) {
        return Vec::new();
    }
    walk::deletions(command, files, sources, destination, Deleting::Everything).unwrap_or_default()
}

/// Whether the rules leave a destination path to be deleted, were the sources empty.
///
/// For when a source cannot be listed. A path outside the directories that are
/// transferred is not deletable.
pub fn deletable(
    command: &RsyncCommand,
    files: &dyn Fn(&str) -> Option<String>,
    relative_path: &str,
    is_dir: bool,
) -> bool {
    let path = relative_path.trim_matches('/');
    let alone = [TreeEntry { path: path.to_owned(), is_dir }];
    let empty = vec![SourceTree::Directory(Vec::new()); command.sources.len()];
    if command.refused.is_some() || !command.deletes || command.delete_max == Some(0) {
        return false;
    }
    let gone = walk::deletions(command, files, &empty, &alone, Deleting::Unlisted).unwrap_or_default();
    gone.iter().any(|gone| gone == path)
}

/// Says which source files `--remove-source-files` would take away, per source,
/// relative to it; a source that is a file itself is `""`.
pub fn removed_source_files(
    command: &RsyncCommand,
    files: &dyn Fn(&str) -> Option<String>,
    sources: &[SourceTree],
) -> Vec<Vec<String>> {
    if !command.removes_source_files {
        return vec![Vec::new(); sources.len()];
    }
    transfer::Transfer::new(command, files, sources)
        .map(|transfer| transfer.files_by_source(sources.len()))
        .unwrap_or_else(|_| vec![Vec::new(); sources.len()])
}

#[cfg(test)]
mod tests;
