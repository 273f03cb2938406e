//! Volumes that would be removed with what services keep in them.

use coroner_model::Probe;
use coroner_model::effect::{Circumstance, Effect, TargetClass};
use coroner_model::probe::DockerTable;

use super::live::{LiveVolume, is_anonymous};
use super::view::{View, size, told};
use super::{Judged, Story};
use crate::effect::docker::VolumeScope;
use crate::effect::named::is_test_name;
use crate::effect::{ComposeTarget, Place, Planned, Volumes, docker};

impl View<'_> {
    pub(super) fn remove_volumes(&self, planned: &Planned, volumes: &Volumes) -> Vec<Judged> {
        let named: Vec<String> = volumes.names.iter().map(|w| w.show()).collect();
        let target = match volumes.scope {
            VolumeScope::Named => named.join(" "),
            VolumeScope::UnusedAnonymous => "anonymous volumes in no container".to_owned(),
            VolumeScope::Unused => "every volume in no container".to_owned(),
            VolumeScope::AnonymousOf => format!("anonymous volumes of {}", named.join(" ")),
            VolumeScope::Every => "every volume".to_owned(),
        };
        if let Place::Remote { host } = &volumes.place {
            return vec![self.unseen_volumes(planned, format!("{host}: {target}"), Some(host))];
        }
        // Containers that the same text removes first give their volumes free.
        let freed = self
            .effects
            .script
            .invocations
            .iter()
            .take(planned.invocation)
            .any(|c| docker::removes_containers(&c.argv));
        let lost: Vec<&LiveVolume> = self
            .volumes
            .iter()
            .filter(|v| match volumes.scope {
                VolumeScope::Named => volumes.names(&v.name),
                VolumeScope::UnusedAnonymous => v.anonymous && (freed || !v.in_use),
                VolumeScope::Unused => freed || !v.in_use,
                VolumeScope::AnonymousOf => v.anonymous && named.contains(&v.owner),
                VolumeScope::Every => true,
            })
            .collect();
        let unlisted = volumes.scope == VolumeScope::Unused && !self.lists_volumes();
        let unknown = !self.knows_services() && volumes.scope != VolumeScope::AnonymousOf;
        if lost.is_empty() && (unknown || unlisted) {
            return vec![self.unseen_volumes(planned, target, None)];
        }
        let unresolved = volumes.scope == VolumeScope::Named && volumes.names.iter().any(|w| w.as_literal().is_none());
        let mut judged = self.lost(planned, target, &lost);
        if lost.is_empty() && unresolved && !self.volumes.is_empty() {
            judged.effect.add_class(TargetClass::Unresolved);
        }
        if lost.is_empty() && matches!(volumes.scope, VolumeScope::Unused | VolumeScope::Every) {
            self.tell_unowned(&mut judged);
        }
        vec![judged]
    }

    fn lists_volumes(&self) -> bool {
        matches!(self.answers.get(&Probe::Docker(DockerTable::Volumes)), Some(Ok(_)))
    }

    /// Somebody gave these volumes a name, and no service that is known has them.
    fn tell_unowned(&self, judged: &mut Judged) {
        let owned = |name: &str| self.volumes.iter().any(|v| v.name == name);
        let kept: Vec<&str> =
            self.scene.volumes.iter().map(|v| v.name.as_str()).filter(|n| !is_anonymous(n) && !owned(n)).collect();
        if kept.is_empty() {
            return;
        }
        judged.effect.add_circumstance(Circumstance::Irreversible);
        judged.story.would = format!("remove {} named volumes that no container has mounted now", kept.len());
        judged.story.lines.extend(kept.iter().take(4).map(|name| (*name).to_owned()));
        judged.story.why = "A removed volume has no undo.".into();
    }

    pub(super) fn compose_volumes(&self, planned: &Planned, compose: &ComposeTarget) -> Vec<Judged> {
        let directory = compose.directory.as_literal().unwrap_or_default().trim_end_matches('/').to_owned();
        let target = format!("volumes of the compose project in {}", compose.directory.show());
        if let Place::Remote { host } = &compose.place {
            return vec![self.unseen_volumes(planned, format!("{host}: {target}"), Some(host))];
        }
        let project = compose.project.as_ref().and_then(|p| p.as_literal());
        let is_meant = |v: &LiveVolume| match project {
            Some(name) => v.project == name,
            None => v.directory.trim_end_matches('/') == directory,
        };
        let lost: Vec<&LiveVolume> = self.volumes.iter().filter(|v| !v.project.is_empty() && is_meant(v)).collect();
        let declared = self
            .scene
            .projects
            .iter()
            .any(|p| p.directory.trim_end_matches('/') == directory || Some(p.name.as_str()) == project);
        let running =
            self.scene.containers.iter().any(|c| {
                c.working_directory() == Some(directory.as_str()) || c.project() == project && project.is_some()
            });
        // A project that is named after tests has volumes of its own.
        let is_test = project.is_some_and(is_test_name);
        if lost.is_empty() && !declared && !running && !is_test {
            return vec![self.unseen_volumes(planned, target, None)];
        }
        let mut judged = self.lost(planned, target, &lost);
        if !lost.is_empty() {
            judged.story.instead = vec!["docker compose down".to_owned()];
        }
        vec![judged]
    }

    fn lost(&self, planned: &Planned, target: String, lost: &[&LiveVolume]) -> Judged {
        let mut effect = Effect::new(planned.kind, target, &planned.program);
        if lost.is_empty() {
            return told(effect);
        }
        effect.add_class(TargetClass::LiveData);
        let mut story = Story {
            would: match lost {
                [one] => format!("remove the volume {}, which \"{}\" keeps its data in", one.name, one.owner),
                many => format!("remove {} volumes that services keep their data in", many.len()),
            },
            why: "A removed volume has no undo.".into(),
            ..Story::default()
        };
        for volume in lost.iter().take(4) {
            let path =
                self.live.iter().find(|l| l.volume.as_deref() == Some(volume.name.as_str())).map(|l| l.path.as_str());
            let bytes = path.and_then(|p| self.bytes.get(p)).map(|b| format!("{}, ", size(*b))).unwrap_or_default();
            let name = if is_anonymous(&volume.name) { &volume.name[..12] } else { &volume.name };
            story.lines.push(format!("{name}  {bytes}volume of \"{}\"", volume.owner));
            story.evidence.extend(volume.cited.iter().cloned());
        }
        story.lines.extend(self.backups.newest(self.scene.now));
        if let Some(volume) = lost.iter().find(|v| !v.anonymous) {
            story.instead.push(format!("docker volume inspect {}", volume.name));
        }
        Judged { effect, story }
    }

    fn unseen_volumes(&self, planned: &Planned, target: String, host: Option<&String>) -> Judged {
        let where_ = host.map(|h| format!(" on {h}")).unwrap_or_default();
        let story = Story {
            would: format!("remove {target}"),
            undecided: Some(format!("which services keep data in {target}{where_} could not be looked at")),
            ..Story::default()
        };
        Judged { effect: Effect::new(planned.kind, target, &planned.program), story }
    }
}
