//! What the sender would put on its list: names as the destination will see them.

use std::collections::{BTreeMap, BTreeSet};

use super::chain::{Chain, Files, Perishable, Scope, Side, resolve};
use super::rule::join;
use super::{Place, RsyncCommand, SourceTree, TreeEntry};

/// A directory tree: the entries of each directory by name.
#[derive(Default)]
pub(super) struct Tree {
    directories: BTreeMap<String, BTreeMap<String, bool>>,
}

impl Tree {
    pub(super) fn new(entries: &[TreeEntry]) -> Tree {
        let mut tree = Tree::default();
        for entry in entries {
            tree.add(entry.path.trim_matches('/'), entry.is_dir);
        }
        tree
    }

    fn add(&mut self, path: &str, is_dir: bool) {
        if path.is_empty() {
            return;
        }
        let (parent, name) = path.rsplit_once('/').unwrap_or(("", path));
        self.add(parent, true);
        *self.directories.entry(parent.to_owned()).or_default().entry(name.to_owned()).or_default() |= is_dir;
    }

    /// The entries of a directory, each with whether it is one itself.
    pub(super) fn entries(&self, dir: &str) -> impl Iterator<Item = (&str, bool)> {
        self.directories.get(dir).into_iter().flatten().map(|(name, is_dir)| (name.as_str(), *is_dir))
    }

    /// Whether the path is a directory; `None` where there is nothing.
    pub(super) fn is_dir(&self, path: &str) -> Option<bool> {
        if path.is_empty() {
            return Some(true);
        }
        let (parent, name) = path.rsplit_once('/').unwrap_or(("", path));
        self.directories.get(parent)?.get(name).copied()
    }

    pub(super) fn is_file(&self, path: &str) -> bool {
        self.is_dir(path) == Some(false)
    }
}

/// One argument, or one line of `--files-from`, as the sender treats it.
struct Argument {
    /// Which source it belongs to, and where in it it starts.
    source: usize,
    start: String,
    /// Its name on the list, `""` being the root of the transfer.
    name: String,
    /// It ends in a slash or a dot, so its contents count even without recursion.
    contents: bool,
}

/// The sender's list.
#[derive(Default)]
pub(super) struct Transfer {
    /// Each name with whether it is a directory.
    pub(super) names: BTreeMap<String, bool>,
    /// Directories whose contents were transferred: only there anything is deleted.
    pub(super) content: BTreeSet<String>,
    /// Names of arguments that do not exist.
    pub(super) missing: Vec<String>,
    /// Source and path in it behind each name that is no directory.
    origin: BTreeMap<String, (usize, String)>,
}

impl Transfer {
    pub(super) fn new(command: &RsyncCommand, files: Files, sources: &[SourceTree]) -> Result<Transfer, String> {
        let mut transfer = Transfer::default();
        for argument in arguments(command, files, sources) {
            let (Some(place), Some(tree)) = (command.sources.get(argument.source), sources.get(argument.source)) else {
                continue;
            };
            transfer.add(command, files, place, tree, &argument)?;
        }
        Ok(transfer)
    }

    fn add(
        &mut self,
        command: &RsyncCommand,
        files: Files,
        place: &Place,
        source: &SourceTree,
        argument: &Argument,
    ) -> Result<(), String> {
        let root = root_of(command, place, argument);
        let chain = Chain::new(command, Side::Sender, &root, &place.host_prefix(), files)?;
        let scope = chain.scope_above(&argument.name)?;
        let (tree, is_dir) = match source {
            SourceTree::Missing => (Tree::default(), None),
            SourceTree::File => (Tree::default(), Some(false)),
            SourceTree::Directory(entries) => {
                let tree = Tree::new(entries);
                let is_dir = tree.is_dir(&argument.start);
                (tree, is_dir)
            }
        };
        let Some(is_dir) = is_dir else {
            self.missing.push(argument.name.clone());
            return Ok(());
        };
        if command.relative && command.implied_dirs {
            for (at, _) in argument.name.match_indices('/') {
                self.names.insert(argument.name[..at].to_owned(), true);
            }
        }
        if !argument.name.is_empty() && chain.excludes(&scope, &argument.name, is_dir, Perishable::Honoured) {
            return Ok(());
        }
        let place = format!("{}{}", place.host_prefix(), command_path(command, place));
        let mut sender = Sender { transfer: self, chain, files, tree, place, source: argument.source };
        sender.list(&argument.start, &argument.name, is_dir);
        let listed = is_dir && (command.recursive || (command.dirs && argument.contents));
        if listed { sender.descend(&scope, &argument.start, &argument.name, command.recursive) } else { Ok(()) }
    }

    /// Whether a file of this name is on the list, so that it lies at the destination afterwards.
    pub(super) fn origin_of(&self, name: &str) -> Option<&(usize, String)> {
        self.origin.get(name)
    }

    /// The files on the list, per source.
    pub(super) fn files_by_source(&self, sources: usize) -> Vec<Vec<String>> {
        let mut files = vec![Vec::new(); sources];
        for (source, path) in self.origin.values() {
            if let Some(files) = files.get_mut(*source) {
                files.push(path.clone());
            }
        }
        files
    }

    /// Drops directories in which nothing is transferred, unless the receiver protects them.
    pub(super) fn prune(&mut self, protected: &dyn Fn(&str) -> bool) {
        let mut used: BTreeSet<&str> = BTreeSet::from([""]);
        for (name, is_dir) in &self.names {
            if !is_dir || protected(name) {
                used.extend(name.match_indices('/').map(|(at, _)| &name[..at]).chain([name.as_str()]));
            }
        }
        let used: BTreeSet<String> = used.into_iter().map(str::to_owned).collect();
        self.names.retain(|name, _| used.contains(name));
        self.content.retain(|name| used.contains(name));
    }
}

/// Walks one source.
struct Sender<'t, 'a> {
    transfer: &'t mut Transfer,
    chain: Chain<'a>,
    files: Files<'a>,
    tree: Tree,
    /// The source's own path, host included.
    place: String,
    source: usize,
}

impl Sender<'_, '_> {
    /// Lists one entry. Of two with one name a directory wins, else the first.
    fn list(&mut self, path: &str, name: &str, is_dir: bool) {
        let listed_as_dir = self.transfer.names.entry(name.to_owned()).or_default();
        *listed_as_dir |= is_dir;
        if *listed_as_dir {
            self.transfer.origin.remove(name);
        } else {
            let from = || (self.source, path.to_owned());
            self.transfer.origin.entry(name.to_owned()).or_insert_with(from);
        }
    }

    /// Lists what is in a directory; `path` is its place in the source, `name` that on the list.
    fn descend(&mut self, above: &Scope, path: &str, name: &str, recursive: bool) -> Result<(), String> {
        self.transfer.content.insert(name.to_owned());
        let open = |file: &str| {
            let file = join(path, file);
            let there = self.tree.is_file(&file);
            there.then(|| (self.files)(&join(&self.place, &file))).flatten()
        };
        let scope = self.chain.enter(above, name, &open)?;
        let entries: Vec<_> = self.tree.entries(path).map(|(entry, is_dir)| (entry.to_owned(), is_dir)).collect();
        for (entry, is_dir) in entries {
            let (child_path, child_name) = (join(path, &entry), join(name, &entry));
            if self.chain.excludes(&scope, &child_name, is_dir, Perishable::Honoured) {
                continue;
            }
            self.list(&child_path, &child_name, is_dir);
            if is_dir && recursive {
                self.descend(&scope, &child_path, &child_name, recursive)?;
            }
        }
        Ok(())
    }
}

/// The path of a place, absolute where that can be known.
pub(super) fn command_path(command: &RsyncCommand, place: &Place) -> String {
    match place {
        Place::Local(path) => command.absolute(path),
        Place::Remote { path, .. } => path.clone(),
    }
}

/// The absolute directory that an argument's name is relative to.
fn root_of(command: &RsyncCommand, place: &Place, argument: &Argument) -> String {
    let full = join(&command_path(command, place), &argument.start);
    if !full.starts_with('/') {
        return full;
    }
    let mut root = resolve("/", &full);
    for _ in argument.name.split('/').filter(|name| !name.is_empty()) {
        root.truncate(root.rfind('/').unwrap_or(0));
    }
    if root.is_empty() { "/".to_owned() } else { root }
}

fn arguments(command: &RsyncCommand, files: Files, sources: &[SourceTree]) -> Vec<Argument> {
    if let (Some(list), Some(_)) = (&command.files_from, sources.first()) {
        let text = files(&command.absolute(list)).unwrap_or_default();
        let lines = text.split(['\n', '\r', '\0']).filter(|line| !line.is_empty() && !line.starts_with(['#', ';']));
        return lines.map(|line| listed_argument(command, line)).collect();
    }
    command.sources.iter().enumerate().map(|(source, place)| argument(command, source, place)).collect()
}

fn listed_argument(command: &RsyncCommand, line: &str) -> Argument {
    let start = resolve("/", line).trim_start_matches('/').to_owned();
    let name = if command.relative { start.as_str() } else { start.rsplit('/').next().unwrap_or_default() };
    let contents = ends_in_contents(line);
    let name = if contents && !command.relative { String::new() } else { name.to_owned() };
    Argument { source: 0, name, start, contents }
}

fn argument(command: &RsyncCommand, source: usize, place: &Place) -> Argument {
    let path = place.path();
    let contents = ends_in_contents(path);
    let name = if command.relative {
        let path = path.find("/./").map_or(path, |at| &path[at + 3..]);
        resolve("/", path).trim_start_matches('/').to_owned()
    } else if contents {
        String::new()
    } else {
        path.rsplit('/').next().unwrap_or(path).to_owned()
    };
    Argument { source, start: String::new(), name, contents }
}

/// Whether a path stands for what is in it: `dir/`, `.`, `dir/.`, `..`.
fn ends_in_contents(path: &str) -> bool {
    matches!(path.rsplit('/').next(), Some("" | "." | ".."))
}
