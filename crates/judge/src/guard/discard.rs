//! Work that is not committed, against what git says of it.

use coroner_model::effect::{Effect, TargetClass};
use coroner_model::probe::{GitTable, Why};

use super::view::{View, told};
use super::work::{Loose, Standing, git, is_kept_aside};
use super::{Judged, Story};
use crate::effect::path::{Relation, below, relation};
use crate::effect::{Discard, Place, Planned, git::Lost};

/// Most files that an answer names.
const NAMED_MAX: usize = 3;

impl View<'_> {
    pub(super) fn discard(&self, planned: &Planned, discard: &Discard) -> Vec<Judged> {
        let target = discard.directory.show();
        let mut effect = Effect::new(planned.kind, target.clone(), &planned.program);
        if let Place::Remote { .. } = discard.place {
            return vec![unseen(effect, discard)];
        }
        if discard.place != Place::Host || super::work::is_thrown_away(self.case, &target) {
            return vec![told(effect)];
        }
        let probe = git(&target, GitTable::Status);
        match self.answers.get(&probe) {
            Some(Ok(_)) => {}
            Some(Err(why)) if why.why == Why::Absent => return vec![told(effect)],
            _ => return vec![unseen(effect, discard)],
        }
        let top = self.top_of(&target).unwrap_or_else(|| target.clone());
        let loose = self.loose(&target, &top).unwrap_or_default();
        let lost: Vec<&Loose> =
            loose.iter().filter(|one| takes(discard.what, one) && self.is_meant(planned, discard, one)).collect();
        if lost.is_empty() {
            return vec![told(effect)];
        }
        effect.add_class(if discard.what == Lost::Tracked {
            TargetClass::Uncommitted
        } else {
            TargetClass::UntrackedIgnored
        });
        let mut story = Story {
            would: format!(
                "discard {} uncommitted {} in {target}",
                lost.len(),
                if lost.len() == 1 { "file" } else { "files" }
            ),
            why: "What was never committed is in no other place.".into(),
            instead: vec!["git stash push --include-untracked".into()],
            ..Story::default()
        };
        let name = |one: &&Loose| below(&one.path, &top).unwrap_or(&one.path).trim_start_matches('/').to_owned();
        story.lines.extend(lost.iter().take(NAMED_MAX).map(name));
        if lost.len() > NAMED_MAX {
            story.lines.push(format!("and {} more", lost.len() - NAMED_MAX));
        }
        if let Some(document) = self.answers.document(&probe) {
            story.evidence.push(document.cite_whole(&format!("{} paths with changes", lost.len())));
        }
        vec![Judged { effect, story }]
    }

    fn is_meant(&self, planned: &Planned, discard: &Discard, one: &Loose) -> bool {
        if one.standing == Standing::Ignored && !is_kept_aside(&one.path)
            || one.standing != Standing::Changed
                && (super::delete::is_artefact(&one.path) || self.was_made(planned, &one.path))
        {
            return false;
        }
        let named = |path: &coroner_read::shell::Word| {
            matches!(relation(path, &one.path), Relation::Same | Relation::Above)
                || path.as_literal().is_some_and(|p| below(p, &one.path).is_some())
        };
        if let Some(clean) = &discard.clean {
            let kept = clean.excludes.iter().any(|pattern| {
                let bare = pattern.trim_matches('/');
                one.path.split('/').any(|part| coroner_read::shell::glob_matches(bare, part))
            });
            // A directory goes with `-d`, or where it is named itself.
            let whole = one.is_directory && !clean.directories;
            if kept || whole && !discard.paths.iter().any(|path| relation(path, &one.path) == Relation::Same) {
                return false;
            }
        }
        discard.paths.is_empty() || discard.paths.iter().any(named)
    }
}

/// Whether the command takes files that stand so.
fn takes(what: Lost, one: &Loose) -> bool {
    match what {
        Lost::Tracked => one.standing == Standing::Changed,
        Lost::Untracked => one.standing == Standing::Untracked,
        Lost::Ignored => one.standing == Standing::Ignored,
    }
}

/// What is not committed cannot be seen, so a person must say whether it may go.
fn unseen(effect: Effect, discard: &Discard) -> Judged {
    let target = discard.directory.show();
    let story = Story {
        would: format!("discard uncommitted work in {target}"),
        undecided: discard.certain.then(|| format!("what is not committed in {target} could not be looked at")),
        ..Story::default()
    };
    Judged { effect, story }
}
