//! Work that is not committed, against what git says of it.

use coroner_model::Probe;
use coroner_model::effect::{Effect, TargetClass};
use coroner_model::probe::{GitTable, Why};

use super::view::{View, told};
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
        if discard.place != Place::Host || super::delete::is_scratch(&target) {
            return vec![told(effect)];
        }
        let probe = Probe::Git { repository: target.clone(), table: GitTable::Status, since: None, until: None };
        let lost: Vec<String> = match self.answers.get(&probe) {
            Some(Ok(documents)) => documents
                .iter()
                .flat_map(|d| d.text.as_str().lines())
                .filter_map(|l| lost_by(l, discard.what))
                .collect(),
            Some(Err(why)) if why.why == Why::Absent => return vec![told(effect)],
            _ => return vec![unseen(effect, discard)],
        };
        let lost: Vec<&String> = lost.iter().filter(|file| self.is_meant(discard, &target, file)).collect();
        if lost.is_empty() {
            return vec![told(effect)];
        }
        effect.add_class(if discard.what == Lost::Untracked {
            TargetClass::UntrackedIgnored
        } else {
            TargetClass::Uncommitted
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
        story.lines.extend(lost.iter().take(NAMED_MAX).map(|f| (*f).clone()));
        if lost.len() > NAMED_MAX {
            story.lines.push(format!("and {} more", lost.len() - NAMED_MAX));
        }
        if let Some(document) = self.answers.document(&probe) {
            story.evidence.push(document.cite_whole(&format!("{} paths with changes", lost.len())));
        }
        vec![Judged { effect, story }]
    }

    fn is_meant(&self, discard: &Discard, root: &str, file: &str) -> bool {
        if discard.paths.is_empty() {
            return true;
        }
        let full = format!("{}/{}", root.trim_end_matches('/'), file.trim_end_matches('/'));
        discard.paths.iter().any(|path| {
            matches!(relation(path, &full), Relation::Same | Relation::Above)
                || path.as_literal().is_some_and(|p| below(p, &full).is_some())
        })
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

/// The path of a status line, if the command would take it.
fn lost_by(line: &str, what: Lost) -> Option<String> {
    let (kind, rest) = line.split_once(' ')?;
    match (kind, what) {
        ("?", Lost::Untracked) => Some(rest.to_owned()).filter(|p| !super::delete::is_artefact(p)),
        ("1", Lost::Tracked) => rest.splitn(8, ' ').nth(7).map(str::to_owned),
        ("2", Lost::Tracked) => rest.splitn(9, ' ').nth(8).and_then(|p| p.split('\t').next()).map(str::to_owned),
        ("u", Lost::Tracked) => rest.splitn(10, ' ').nth(9).map(str::to_owned),
        _ => None,
    }
}
