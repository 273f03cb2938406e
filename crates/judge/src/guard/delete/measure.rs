//! How much a delete takes: directories, files and bytes, as far as listings tell.

use std::collections::BTreeSet;

use coroner_model::Probe;
use coroner_model::effect::{Effect, TargetClass};
use coroner_read::tree;

use super::is_scratch;
use crate::effect::path::below;
use crate::effect::{Extent, Filter, Hit, Paths, Place};
use crate::guard::view::{View, size};

impl View<'_> {
    /// "3 directories, 12 files, 41 GB", by a measurement or by the sizes in a listing.
    pub(super) fn measured(&self, paths: &Paths) -> Option<String> {
        let mut seen: BTreeSet<String> = BTreeSet::new();
        let (mut directories, mut files, mut listed) = (0u64, 0u64, 0u64);
        let root = paths.path.as_literal().unwrap_or_default();
        let missing = match &paths.filter {
            Some(Filter::Rsync(command)) => Some(self.simulated(command, root)),
            _ => None,
        };
        for (_, answer) in self.answers.iter().filter(|(probe, _)| matches!(probe, Probe::Tree { .. })) {
            for entry in answer.iter().flatten().flat_map(tree::read) {
                let gone = if let Some(missing) = &missing {
                    missing.iter().any(|top| below(&entry.path, top).is_some())
                } else if paths.filter.is_none() && !root.is_empty() {
                    below(&entry.path, root).is_some_and(|rest| paths.extent == Extent::Tree || !rest.is_empty())
                } else {
                    paths.hits(&entry.path, &[]).is_some_and(|hit| hit == Hit::Whole)
                };
                if !gone || !seen.insert(entry.path.clone()) {
                    continue;
                }
                match entry.kind {
                    Some('d') => directories += 1,
                    _ => files += 1,
                }
                listed += entry.size.filter(|_| entry.kind != Some('d')).unwrap_or(0);
            }
        }
        let measured = self.bytes.get(root.trim_end_matches('/')).copied().filter(|_| missing.is_none());
        let bytes = measured.or(Some(listed).filter(|b| *b > 0)).map(size);
        let count = |n: u64, one: &str, many: &str| match n {
            0 => None,
            1 => Some(format!("1 {one}")),
            n => Some(format!("{n} {many}")),
        };
        let parts: Vec<String> = [count(directories, "directory", "directories"), count(files, "file", "files"), bytes]
            .into_iter()
            .flatten()
            .collect();
        (!parts.is_empty()).then(|| parts.join(", "))
    }

    /// Where the target lies: outside the tree that is worked in, or behind a link that leads out of it.
    pub(super) fn place_classes(&self, given: &Paths, paths: &Paths, effect: &mut Effect) {
        let tree = self.case.request.cwd.as_str();
        let (Some(named), Some(led)) = (given.path.prefix().get(..), paths.path.prefix().get(..)) else { return };
        if given.place != Place::Host || tree.len() < 2 || !named.starts_with('/') || is_scratch(led) {
            return;
        }
        let inside = |path: &str| below(path.trim_end_matches('/'), tree).is_some();
        match (inside(named), inside(led)) {
            (true, false) => effect.add_class(TargetClass::LinkOut),
            (false, _) => effect.add_class(TargetClass::OutsideWorkspace),
            _ => {}
        }
    }
}
