//! Paths that would be deleted, moved, emptied or overwritten, against what lies there.

use coroner_model::effect::{Circumstance, Effect, EffectKind, TargetClass};

use super::live::LivePath;
use super::tool::quote;
use super::view::{View, size};
use super::{Judged, Story};
use crate::effect::path::{Relation, below, relation};
use crate::effect::{Extent, Filter, Hit, Paths, Place, Planned};

mod copies;
mod measure;
mod name;
mod place;
mod transfer;

pub(super) use name::{SYSTEM, emptied, is_artefact, is_named_temporary, is_scratch, looks_like_data};
use name::{SYSTEM_FILES, is_kept_place, is_record, is_scratch_inside};

/// Most hit paths that an answer names.
const LINES_MAX: usize = 4;

/// A path that matters and how it is hit.
struct Struck<'v> {
    live: &'v LivePath,
    hit: Hit,
}

impl View<'_> {
    pub(super) fn paths(&self, planned: &Planned, paths: &Paths) -> Vec<Judged> {
        let entered = self.entered(planned, paths);
        let given = paths.clone();
        let Some(paths) = self.on_this_host(entered.as_ref().unwrap_or(paths)) else {
            return self.elsewhere(planned, paths);
        };
        let mut effect = Effect::new(planned.kind, paths.path.show(), &planned.program);
        let mut story = Story::default();
        if paths.extent != Extent::Itself || paths.filter.is_some() {
            effect.add_circumstance(Circumstance::Recursive);
        }
        if paths.is_unresolved() {
            self.unresolved(&paths, &mut effect);
        }
        let path = paths.path.as_literal().unwrap_or_default().to_owned();
        if is_scratch(&path) {
            effect.add_class(TargetClass::Scratch);
        }
        let struck = self.struck(&paths);
        if !struck.is_empty() {
            effect.add_class(TargetClass::LiveData);
            let whole = struck.iter().any(|s| s.hit == Hit::Whole && s.live.running);
            if whole {
                effect.add_circumstance(Circumstance::InUse);
            }
            self.tell_live(&struck, &mut story);
        }
        self.protected(&paths, &mut effect, &mut story);
        if matches!(planned.kind, EffectKind::Delete | EffectKind::Truncate) {
            self.copies(&paths, &mut effect, &mut story);
        }
        if planned.kind != EffectKind::Overwrite {
            self.system(&paths, &mut effect, &mut story);
        }
        let tree = paths.extent != Extent::Itself || paths.filter.is_some();
        if is_record(&path) && (tree || path.ends_with(".jsonl")) {
            effect.add_class(TargetClass::Evidence);
        }
        story.would = self.would(planned, &paths, &struck);
        self.work(planned, &paths, &mut effect, &mut story);
        if let Some(Filter::Rsync(command)) = &paths.filter {
            self.tell_transfer(command, &path, &struck, &mut effect, &mut story);
        } else if let Some(one) = struck.first() {
            // Who uses it, by the names of this host.
            let used = one.live.volume.as_deref().unwrap_or(&one.live.path);
            story.instead.push(format!("docker ps -a --filter volume={}", quote(used)));
        }
        self.undecided(planned, &paths, &effect, &mut story);
        if matches!(planned.kind, EffectKind::Delete | EffectKind::Move) && paths.extent != Extent::Itself {
            story.lines.extend(self.measured(&paths));
        }
        self.place_classes(&given, &paths, &mut effect);
        vec![Judged { effect, story }]
    }

    fn elsewhere(&self, planned: &Planned, paths: &Paths) -> Vec<Judged> {
        let mut effect = Effect::new(planned.kind, paths.path.show(), &planned.program);
        let Place::Remote { host } = &paths.place else {
            let story = Story {
                would: format!("{} {}", verb(planned.kind), effect.target),
                undecided: self.unseen_inside(planned, paths),
                ..Story::default()
            };
            return vec![Judged { effect, story }];
        };
        effect.target = format!("{host}:{}", paths.path.show());
        let recursive = paths.extent != Extent::Itself || paths.filter.is_some();
        if recursive {
            effect.add_circumstance(Circumstance::Recursive);
        }
        let path = paths.path.as_literal().unwrap_or_default();
        let mut story =
            Story { would: format!("{} {} on {host}", verb(planned.kind), effect.target), ..Story::default() };
        if is_scratch(path) {
            effect.add_class(TargetClass::Scratch);
        } else if recursive && planned.kind == EffectKind::Delete {
            story.undecided =
                Some(format!("what lies in {} on {host} cannot be looked at from here", paths.path.show()));
            story.preview = match &paths.filter {
                Some(Filter::Rsync(_)) => self.dry_run(planned.invocation),
                _ => Some(format!("ssh {} ls -la {}", quote(host), quote(&paths.path.show()))),
            };
        }
        vec![Judged { effect, story }]
    }

    /// Live paths that are hit.
    fn struck(&self, paths: &Paths) -> Vec<Struck<'_>> {
        if let Some(Filter::Rsync(command)) = &paths.filter
            && let Some(root) = paths.path.as_literal()
        {
            let gone = self.simulated(command, root);
            let unlisted = self.listed(root).is_none();
            // A destination inside live data of which no listing is known: the rules alone say it.
            let inside =
                |live: &LivePath| (unlisted && below(root, &live.path).is_some()).then(|| paths.hits(&live.path, &[]));
            return self
                .live
                .iter()
                .filter_map(|live| {
                    let hit = hit_by(&gone, &live.path).or_else(|| inside(live).flatten())?;
                    Some(Struck { live, hit })
                })
                .collect();
        }
        let known: Vec<&str> = self.scene.paths.keys().map(String::as_str).collect();
        self.live
            .iter()
            .filter_map(|live| {
                let inside: Vec<&str> =
                    known.iter().copied().filter(|k| below(k, &live.path).is_some_and(|r| !r.is_empty())).collect();
                let hit = paths.hits(&live.path, &inside)?;
                let lost_on_purpose = relation(&paths.path, &live.path) == Relation::Below
                    && paths.path.as_literal().and_then(|p| below(p, &live.path)).is_some_and(is_scratch_inside);
                (!lost_on_purpose).then_some(Struck { live, hit })
            })
            .collect()
    }

    fn protected(&self, paths: &Paths, effect: &mut Effect, story: &mut Story) {
        let configured = self.scene.protected.iter().chain(&self.config.protect.paths);
        let mut hit: Vec<&String> = configured.filter(|path| self.strikes(paths, path)).collect();
        hit.sort();
        hit.dedup();
        if hit.is_empty() {
            return;
        }
        effect.add_class(TargetClass::Protected);
        story.lines.extend(hit.iter().take(LINES_MAX).map(|path| format!("{path}  protected by the configuration")));
    }

    fn strikes(&self, paths: &Paths, path: &str) -> bool {
        match (&paths.filter, paths.path.as_literal()) {
            (Some(Filter::Rsync(command)), Some(root)) => hit_by(&self.simulated(command, root), path).is_some(),
            _ => paths.hits(path.trim_end_matches('/'), &[]).is_some(),
        }
    }

    fn system(&self, paths: &Paths, effect: &mut Effect, story: &mut Story) {
        if paths.filter.is_some() && !matches!(paths.filter, Some(Filter::Find(_))) {
            return;
        }
        let home = self.case.request.env.get("HOME").map(String::as_str);
        let tops = SYSTEM.iter().copied().chain(home);
        let hit = tops.filter(|top| !top.is_empty()).find(|top| {
            let users = below(top, "/home").is_some_and(|r| r.matches('/').count() == 1);
            (paths.hits(top, &[]) == Some(Hit::Whole) && (paths.extent != Extent::Itself || paths.filter.is_some()))
                || (users && paths.hits(top, &[]) == Some(Hit::Whole))
        });
        let user_home = paths.path.as_literal().is_some_and(|p| {
            below(p, "/home").is_some_and(|r| r.matches('/').count() == 1)
                && paths.extent == Extent::Tree
                && paths.filter.is_none()
        });
        let deep = paths.extent != Extent::Itself;
        let chosen = || {
            matches!(paths.filter, Some(Filter::Find(_)))
                && SYSTEM_FILES.iter().any(|file| paths.hits(file, &[]) == Some(Hit::Whole))
        };
        if chosen() {
            effect.add_class(TargetClass::System);
            story.lines.push(format!("{}  files of the host among them", paths.path.show()));
            return;
        }
        let emptied =
            emptied(&paths.path).filter(|top| deep && (SYSTEM.contains(&top.as_str()) || home == Some(top.as_str())));
        if let Some(top) = hit.map(str::to_owned).or_else(|| user_home.then(|| paths.path.show())).or(emptied) {
            effect.add_class(TargetClass::System);
            story.lines.push(format!("{top}  what the host and its users live on"));
        }
    }

    /// Says that it cannot be said, unless the name tells that it is meant to be lost.
    fn unresolved(&self, paths: &Paths, effect: &mut Effect) {
        let temporary = name::is_named_temporary(&paths.path);
        effect.add_class(if temporary { TargetClass::Scratch } else { TargetClass::Unresolved });
    }

    fn tell_live(&self, struck: &[Struck<'_>], story: &mut Story) {
        for one in struck.iter().take(LINES_MAX) {
            let bytes = self.bytes.get(&one.live.path).map(|b| format!("{}, ", size(*b))).unwrap_or_default();
            let kind = match &one.live.volume {
                Some(name) => format!("volume {name}"),
                None => "bind mount".to_owned(),
            };
            let state = if one.live.running { "running" } else { "declared" };
            story.lines.push(format!("{}  {bytes}{kind} of \"{}\" ({state})", one.live.path, one.live.owner));
            story.evidence.extend(one.live.cited.iter().cloned());
        }
        if struck.len() > LINES_MAX {
            story.lines.push(format!("and {} more", struck.len() - LINES_MAX));
        }
        story.lines.extend(self.backups.newest(self.scene.now));
    }

    fn would(&self, planned: &Planned, paths: &Paths, struck: &[Struck<'_>]) -> String {
        let verb = verb(planned.kind);
        match struck {
            [] => format!("{verb} {}", paths.path.show()),
            [one] if one.hit == Hit::Part => format!("{verb} data of \"{}\" in {}", one.live.owner, one.live.path),
            [one] => format!("{verb} the data of \"{}\", {}", one.live.owner, one.live.path),
            many => format!("{verb} {} directories that services use", many.len()),
        }
    }

    /// Whether a delete would have to be decided by a state that nobody could see.
    fn undecided(&self, planned: &Planned, paths: &Paths, effect: &Effect, story: &mut Story) {
        let lossy = matches!(planned.kind, EffectKind::Delete | EffectKind::Truncate);
        let decided = !effect.class.is_empty() || !lossy || self.knows_services();
        // A single file is emptied or shredded on purpose, and nothing brings its bytes back.
        let emptied = planned.kind == EffectKind::Truncate || planned.program == "shred";
        let deep = paths.extent != Extent::Itself || paths.filter.is_some() || emptied;
        let shown = paths.path.show();
        let outside = below(&shown, &self.case.request.cwd).is_none() && is_kept_place(&shown);
        // Both sides are listed and nothing of the one is missing on the other.
        let spared = match (&paths.filter, paths.path.as_literal()) {
            (Some(Filter::Rsync(command)), Some(root)) => {
                let known = self.listed(root).is_some_and(|l| !l.is_empty());
                known
                    && command.sources.iter().all(|s| self.source(command, s).is_some())
                    && self.simulated(command, root).is_empty()
            }
            _ => false,
        };
        let absent = spared || paths.path.as_literal().is_some_and(|path| self.exists(path) == Some(false));
        // A pattern below what is merely called storage names files of an application.
        let data = match paths.path.has_glob() {
            true => looks_like_data(&shown.replace("storage", "")),
            false => looks_like_data(&shown),
        };
        if !decided && !absent && deep && (data || outside) {
            story.undecided = Some(format!("which services use {shown} could not be looked at"));
        }
        if effect.class.is_empty() && story.undecided.is_none() && !absent {
            story.undecided = self
                .unseen_loss(planned, paths)
                .or_else(|| self.unseen_copies(planned, paths))
                .or_else(|| self.whole_filesystem(planned, paths));
        }
    }
}

/// How a list of deleted paths hits a path.
fn hit_by(gone: &[String], path: &str) -> Option<Hit> {
    let path = path.trim_end_matches('/');
    if gone.iter().any(|g| below(path, g).is_some()) {
        return Some(Hit::Whole);
    }
    gone.iter().any(|g| below(g, path).is_some()).then_some(Hit::Part)
}

pub(super) fn verb(kind: EffectKind) -> &'static str {
    match kind {
        EffectKind::Delete => "delete",
        EffectKind::Move => "move away",
        EffectKind::Truncate => "empty",
        EffectKind::Overwrite => "overwrite",
        _ => "change",
    }
}
