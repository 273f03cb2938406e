//! Files that a compose project names and that would be gone.

use coroner_model::effect::{Circumstance, EffectKind};

use super::Judged;
use super::view::View;
use super::written::Outcome;

/// Marks effects that take away a file without which a project does not start.
pub(super) fn mark(view: &View<'_>, judged: &mut [Judged]) {
    for one in judged.iter_mut().filter(|j| matches!(j.effect.kind, EffectKind::Delete | EffectKind::Move)) {
        let path = one.effect.target.clone();
        if view.case.outcomes.get(&path) != Some(&Outcome::Gone) {
            continue;
        }
        let project = view.scene.projects.iter().find(|project| {
            project.services.iter().any(|s| s.env_files.contains(&path))
                || project.files.contains(&path) && !project.services.is_empty()
        });
        if let Some(project) = project {
            one.effect.add_circumstance(Circumstance::Declared);
            one.story.would = format!("take away {path}, which the compose project {} names", project.name);
            one.story.why = "Its next start fails without the file, or goes on with defaults.".into();
        }
    }
}
