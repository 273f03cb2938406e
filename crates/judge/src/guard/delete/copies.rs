//! Backups among what would go.

use coroner_model::effect::{Effect, EffectKind, TargetClass};

use super::hit_by;
use super::name::{is_named_backups, is_scratch};
use crate::effect::path::below;
use crate::effect::{Extent, Filter, Hit, Paths, Planned};
use crate::guard::Story;
use crate::guard::view::View;

impl View<'_> {
    /// Backups of which none would be left where they lie.
    pub(in crate::guard) fn copies(&self, paths: &Paths, effect: &mut Effect, story: &mut Story) {
        let rotates = paths.narrowed || matches!(&paths.filter, Some(Filter::Find(e)) if e.by_age);
        if rotates {
            return;
        }
        let gone = match (&paths.filter, paths.path.as_literal()) {
            (Some(Filter::Rsync(command)), Some(root)) => Some(self.simulated(command, root)),
            _ => None,
        };
        let strikes = |path: &str| match &gone {
            Some(gone) => hit_by(gone, path).is_some(),
            None => paths.hits(path, &[]).is_some(),
        };
        if gone.is_some() && paths.path.as_literal().is_some_and(|root| self.mirrors_into_backups(root)) {
            return;
        }
        let files: Vec<&String> = self.backups.files.iter().filter(|f| strikes(f)).collect();
        // What is left must be something that can be restored from.
        let good = |other: &String| !strikes(other) && self.backups.is_good(other);
        let emptied: Vec<&&String> = files
            .iter()
            .filter(|f| self.backups.is_good(f) || !self.backups.beside(f).any(|other| self.backups.is_good(other)))
            .filter(|f| !self.backups.beside(f).any(good))
            .collect();
        let directory = self
            .backups
            .directories
            .iter()
            .find(|d| paths.extent != Extent::Itself && strikes(d) && self.loses_whole(paths, d));
        if emptied.is_empty() && (directory.is_none() || !files.is_empty()) {
            return;
        }
        effect.add_class(TargetClass::Backup);
        let what = directory.cloned().unwrap_or_else(|| emptied[0].rsplit_once('/').map_or("/", |(d, _)| d).to_owned());
        let count =
            if emptied.is_empty() { String::new() } else { format!(", {} files, none would be left", emptied.len()) };
        story.lines.push(format!("{what}  backups{count}"));
    }

    /// Why it cannot be said how many backups would be left, where nobody could look for any.
    pub(super) fn unseen_copies(&self, planned: &Planned, paths: &Paths) -> Option<String> {
        let chosen = match &paths.filter {
            None => paths.extent != Extent::Itself || paths.path.has_glob(),
            Some(Filter::Find(expression)) => !expression.by_age,
            Some(_) => false,
        };
        let lossy = matches!(planned.kind, EffectKind::Delete | EffectKind::Truncate);
        let shown = paths.path.show();
        let directory = paths.path.as_literal().map(str::to_owned).or_else(|| super::emptied(&paths.path));
        let listed = self.backups.looked || directory.is_some_and(|d| self.listed(&d).is_some());
        let kept = is_named_backups(&shown) && !is_scratch(&shown);
        (lossy && chosen && kept && !listed && !paths.narrowed)
            .then(|| format!("which backups lie in {shown}, and what would be left, could not be looked at"))
    }

    /// A destination that is a place of backups itself: a mirror keeps it as its source is.
    fn mirrors_into_backups(&self, root: &str) -> bool {
        let named = root
            .split('/')
            .any(|name| matches!(name.trim_start_matches('.'), "backup" | "backups" | "mirror" | "snapshots"));
        named || self.backups.directories.iter().any(|d| below(root, d).is_some())
    }

    fn loses_whole(&self, paths: &Paths, directory: &str) -> bool {
        matches!(paths.hits(directory, &[]), Some(Hit::Whole)) || paths.extent == Extent::Contents
    }
}
