//! The receiver's part: what is not on the sender's list and not protected, goes.

use std::collections::BTreeSet;

use super::chain::{Chain, Files, Perishable, Scope, Side};
use super::rule::join;
use super::transfer::{Transfer, Tree, command_path};
use super::{Place, RsyncCommand, SourceTree, Timing, TreeEntry};

/// How much is known of the sources.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Deleting {
    Everything,
    /// The sources were not listed: no entry of theirs takes the place of another.
    Unlisted,
}

/// The destination's paths that go, sorted; an error is a rule that rsync refuses.
pub(super) fn deletions(
    command: &RsyncCommand,
    files: Files,
    sources: &[SourceTree],
    destination: &[TreeEntry],
    deleting: Deleting,
) -> Result<Vec<String>, String> {
    let Some(place) = &command.destination else { return Ok(Vec::new()) };
    let root = command_path(command, place);
    let chain = Chain::new(command, Side::Receiver, root.trim_end_matches('/'), &place.host_prefix(), files)?;
    let mut transfer = Transfer::new(command, files, sources)?;
    if command.prune_empty_dirs && deleting == Deleting::Everything {
        let above = chain.scope_above("")?;
        transfer.prune(&|name| chain.excludes(&above, name, true, Perishable::Honoured));
    }
    let first = transfer.names.keys().next().cloned().unwrap_or_default();
    let base = chain.scope_above(&first)?;
    let tree = Tree::new(destination);
    let mut receiver = Receiver { command, chain, files, transfer, tree, place, gone: Vec::new() };
    receiver.run(&base)?;
    receiver.gone.sort();
    receiver.gone.dedup();
    Ok(receiver.gone)
}

struct Receiver<'a> {
    command: &'a RsyncCommand,
    chain: Chain<'a>,
    files: Files<'a>,
    transfer: Transfer,
    tree: Tree,
    place: &'a Place,
    gone: Vec<String>,
}

impl Receiver<'_> {
    fn run(&mut self, base: &Scope) -> Result<(), String> {
        let content = if self.command.deletes { self.transfer.content.clone() } else { BTreeSet::new() };
        for dir in &content {
            if self.tree.is_dir(dir) == Some(true) {
                let scope = self.scope_of(base, dir)?;
                self.clear(&scope, dir)?;
            }
        }
        self.make_room(base)?;
        if self.command.deletes_missing_args {
            self.delete_missing(base)?;
        }
        Ok(())
    }

    /// The scope in a directory that the transfer visits: rules of the visited ones above it hold.
    fn scope_of(&self, base: &Scope, dir: &str) -> Result<Scope, String> {
        let during = matches!(self.command.timing, Timing::During | Timing::Delayed);
        let above = dir.match_indices('/').map(|(at, _)| &dir[..at]);
        let below_root = above.chain([dir]).filter(|visited| !visited.is_empty());
        let mut scope = base.clone();
        for visited in [""].into_iter().chain(below_root) {
            let passed = during && self.transfer.names.contains_key(visited);
            if passed || self.transfer.content.contains(visited) {
                scope = self.enter(&scope, visited)?;
            }
        }
        Ok(scope)
    }

    /// Reads the per-directory files of a destination directory, as they will be by then.
    fn enter(&self, above: &Scope, dir: &str) -> Result<Scope, String> {
        let late = self.command.timing == Timing::After && !self.command.dry_run;
        let open = |file: &str| {
            let path = join(dir, file);
            if let Some((source, from)) = self.transfer.origin_of(&path).filter(|_| late) {
                let source = self.command.sources.get(*source)?;
                let source = format!("{}{}", source.host_prefix(), command_path(self.command, source));
                return (self.files)(&join(&source, from));
            }
            let root = format!("{}{}", self.place.host_prefix(), command_path(self.command, self.place));
            self.tree.is_file(&path).then(|| (self.files)(&join(&root, &path))).flatten()
        };
        self.chain.enter(above, dir, &open)
    }

    /// Deletes what is extraneous in one directory of the transfer.
    fn clear(&mut self, scope: &Scope, dir: &str) -> Result<(), String> {
        let left = (self.command.timing == Timing::Delayed).then(|| self.chain.scope_left());
        for (name, is_dir) in self.listing(dir) {
            let path = join(dir, &name);
            let excluded = self.chain.excludes(scope, &path, is_dir, Perishable::Honoured);
            if !excluded && !self.transfer.names.contains_key(&path) {
                self.delete(left.as_ref().unwrap_or(scope), &path, is_dir)?;
            }
        }
        Ok(())
    }

    /// Empties directories that a file is about to replace.
    fn make_room(&mut self, base: &Scope) -> Result<(), String> {
        if self.command.ignores_existing || !(self.command.deletes || self.command.force) {
            return Ok(());
        }
        let replaced: Vec<String> = self
            .transfer
            .names
            .iter()
            .filter(|(name, is_dir)| !**is_dir && self.tree.is_dir(name) == Some(true))
            .map(|(name, _)| name.clone())
            .collect();
        for path in replaced {
            let parent = path.rsplit_once('/').map_or("", |(parent, _)| parent);
            let scope = self.scope_of(base, parent)?;
            self.empty(&scope, &path)?;
        }
        Ok(())
    }

    fn delete_missing(&mut self, base: &Scope) -> Result<(), String> {
        for path in self.transfer.missing.clone() {
            let Some(is_dir) = self.tree.is_dir(&path).filter(|_| !path.is_empty()) else { continue };
            let parent = path.rsplit_once('/').map_or("", |(parent, _)| parent);
            let scope = self.scope_of(base, parent)?;
            let whole = self.command.deletes || self.command.force || self.listing(&path).is_empty();
            if whole && !self.chain.excludes(&scope, &path, is_dir, Perishable::Honoured) {
                self.delete(&scope, &path, is_dir)?;
            }
        }
        Ok(())
    }

    /// Deletes an entry with all that is below it; says whether all of it goes.
    fn delete(&mut self, scope: &Scope, path: &str, is_dir: bool) -> Result<bool, String> {
        let whole = !is_dir || self.empty(scope, path)?;
        if whole {
            self.gone.push(path.to_owned());
        }
        Ok(whole)
    }

    fn empty(&mut self, above: &Scope, dir: &str) -> Result<bool, String> {
        let scope = self.enter(above, dir)?;
        let mut whole = true;
        for (name, is_dir) in self.listing(dir) {
            let path = join(dir, &name);
            let kept = self.chain.excludes(&scope, &path, is_dir, Perishable::Ignored);
            whole &= !kept && self.delete(&scope, &path, is_dir)?;
        }
        Ok(whole)
    }

    fn listing(&self, dir: &str) -> Vec<(String, bool)> {
        self.tree.entries(dir).map(|(name, is_dir)| (name.to_owned(), is_dir)).collect()
    }
}
