//! What the guard sees: the scene, the configuration and what they mean for paths.

use std::cell::OnceCell;
use std::collections::BTreeMap;

use coroner_model::effect::{Effect, EffectKind};
use coroner_model::probe::{CouldNotLook, DockerTable, FileClass, GitTable, HostTable, Why};
use coroner_model::{Answers, Probe};
use coroner_read::config::{self, Config};
use coroner_read::tsv;

use super::backup::Backups;
use super::live::{self, LivePath, LiveVolume};
use super::past::{self, Deed, Outcome};
use super::{Case, Judged, Story};
use crate::effect::{Effects, Filter, Place, Planned, Target};
use crate::scene::Scene;

pub(super) struct View<'a> {
    pub(super) case: &'a Case<'a>,
    pub(super) answers: &'a Answers,
    pub(super) effects: &'a Effects,
    pub(super) scene: Scene,
    pub(super) config: Config,
    pub(super) live: Vec<LivePath>,
    pub(super) volumes: Vec<LiveVolume>,
    pub(super) backups: Backups,
    /// What the session did before, by transcript and by earlier requests.
    pub(super) past: Vec<Deed>,
    /// The same with what failed, as long as it may have reached its target.
    pub(super) tried: Vec<Deed>,
    /// What the session made, worked out when it is first asked for.
    pub(super) made: OnceCell<Vec<String>>,
    /// Bytes below a path, where somebody measured.
    pub(super) bytes: BTreeMap<String, u64>,
}

impl<'a> View<'a> {
    pub(super) fn new(case: &'a Case<'a>, answers: &'a Answers, effects: &'a Effects) -> View<'a> {
        let scene = Scene::read(answers);
        let config = answers
            .documents(&Probe::Config)
            .iter()
            .find_map(|d| config::read(d.text.as_str()).ok())
            .unwrap_or_default();
        let live = live::paths(&scene, answers);
        let volumes = live::volumes(&scene, answers);
        let backups = Backups::read(&scene, answers, &config);
        let mut past = match &case.request.session {
            Some(session) => past::deeds_of(&scene.sessions, session),
            None => Vec::new(),
        };
        past.extend(case.past.iter().cloned());
        let tried: Vec<Deed> = past.iter().filter(|deed| deed.outcome != Outcome::Unreached).cloned().collect();
        past.retain(|deed| deed.outcome == Outcome::Done);
        let bytes = bytes(answers);
        View {
            case,
            answers,
            effects,
            scene,
            config,
            live,
            volumes,
            backups,
            past,
            tried,
            made: OnceCell::new(),
            bytes,
        }
    }

    /// Judges one effect by the state.
    pub(super) fn judge(&self, planned: &Planned) -> Vec<Judged> {
        match &planned.target {
            Target::Paths(paths) => self.paths(planned, paths),
            Target::Ownership(change) => self.ownership(planned, change),
            Target::Containers(containers) if planned.kind == EffectKind::RestartContainer => {
                self.restart_containers(planned, containers)
            }
            Target::Compose(compose) if planned.kind == EffectKind::RestartContainer => {
                self.restart_services(planned, compose)
            }
            Target::Compose(compose) if planned.kind == EffectKind::RemoveVolume => {
                self.compose_volumes(planned, compose)
            }
            Target::Volumes(volumes) => self.remove_volumes(planned, volumes),
            Target::Run(spec) => self.run(planned, spec),
            Target::Discard(discard) => self.discard(planned, discard),
            Target::Named(named) => self.named(planned, named),
            Target::Containers(containers)
                if matches!(planned.kind, EffectKind::RemoveContainer | EffectKind::StopService) =>
            {
                self.remove_containers(planned, containers)
            }
            Target::Containers(containers) => containers
                .names
                .iter()
                .map(|name| told(Effect::new(planned.kind, name.show(), &planned.program)))
                .collect(),
            Target::Compose(compose) if makes(planned.kind) && compose.place == Place::Host => {
                self.compose_growth(planned, compose)
            }
            Target::Compose(compose) => {
                let named: Vec<String> = compose.services.iter().map(|s| s.show()).collect();
                let target = if named.is_empty() { compose.directory.show() } else { named.join(" ") };
                vec![told(Effect::new(planned.kind, target, &planned.program))]
            }
            Target::Execution(execution) => self.execution(planned, execution),
        }
    }

    /// Whether it is known what containers there are.
    pub(super) fn knows_containers(&self) -> bool {
        match self.answers.get(&Probe::Docker(DockerTable::Inspect)) {
            Some(Ok(_)) => true,
            Some(Err(why)) => why.why == Why::Absent,
            None => false,
        }
    }

    /// Whether anything is known of services, by the engine or by compose files.
    pub(super) fn knows_services(&self) -> bool {
        self.knows_containers() || !self.scene.projects.is_empty()
    }

    /// What could not be looked at and would have mattered.
    pub(super) fn could_not_look(&self) -> Vec<CouldNotLook> {
        let matters = |probe: &Probe| self.would_decide(probe);
        let mut all: Vec<CouldNotLook> = self
            .answers
            .iter()
            .filter(|(probe, _)| matters(probe))
            .filter_map(|(_, answer)| answer.as_ref().err())
            .filter(|why| why.why != Why::Absent)
            .cloned()
            .collect();
        for planned in &self.effects.planned {
            if let Some(host) = remote(planned) {
                all.push(CouldNotLook {
                    what: format!("state of {host}"),
                    why: Why::Unsupported,
                    detail: "another host is not looked at".into(),
                });
            }
        }
        all.sort();
        all.dedup();
        all
    }
}

impl View<'_> {
    /// Whether the answer to a probe could have changed the judgement.
    fn would_decide(&self, probe: &Probe) -> bool {
        let plans = |kind: EffectKind| self.effects.planned.iter().any(|p| p.kind == kind);
        let transfers = || self.effects.planned.iter().any(|p| p.program == "rsync");
        match probe {
            // What hangs on a repository is looked at with it, and missed only where it decides.
            Probe::Git { table: GitTable::Worktrees, .. } => false,
            Probe::Git { table: GitTable::Refs | GitTable::Stash, .. } => plans(EffectKind::DiscardWork),
            Probe::Docker(DockerTable::Inspect) | Probe::Git { .. } => true,
            Probe::Host(HostTable::Df) => plans(EffectKind::Overwrite) || self.needs_space(),
            Probe::Docker(DockerTable::Volumes) => plans(EffectKind::RemoveVolume),
            Probe::Docker(DockerTable::Networks) => plans(EffectKind::RunContainer) && !self.knows_containers(),
            Probe::Files { class: FileClass::Compose, .. } => !self.knows_containers(),
            Probe::Tree { .. } => transfers() || plans(EffectKind::ChangeOwner) || plans(EffectKind::ChangeMode),
            Probe::File { path } => {
                let script = self.effects.script.wanted.iter().any(|w| w.shell && w.path == *path);
                let makes = plans(EffectKind::RestartContainer)
                    && self
                        .scene
                        .projects
                        .iter()
                        .any(|p| p.files.contains(path) || p.services.iter().any(|s| s.env_files.contains(path)));
                let runs = self.effects.unread.contains(path);
                script || makes || runs || (transfers() && !path.ends_with(".env") && self.is_filter_file(path))
            }
            _ => false,
        }
    }

    /// Whether a transfer names the file as holding its rules.
    fn is_filter_file(&self, path: &str) -> bool {
        self.effects.planned.iter().any(|p| match &p.target {
            Target::Paths(paths) => match &paths.filter {
                Some(Filter::Rsync(command)) => command.filter_files().iter().any(|f| f == path),
                _ => false,
            },
            _ => false,
        })
    }
}

/// Whether containers are made, or images fetched for them.
pub(super) fn makes(kind: EffectKind) -> bool {
    matches!(kind, EffectKind::RecreateContainer | EffectKind::Download)
}

/// The other host that an effect is on.
fn remote(planned: &Planned) -> Option<&str> {
    let place = match &planned.target {
        Target::Paths(paths) => &paths.place,
        Target::Containers(containers) => &containers.place,
        Target::Compose(compose) => &compose.place,
        Target::Volumes(volumes) => &volumes.place,
        Target::Run(spec) => &spec.place,
        Target::Ownership(change) => &change.paths.place,
        Target::Discard(discard) => &discard.place,
        Target::Named(named) => &named.place,
        Target::Execution(_) => return None,
    };
    match place {
        Place::Remote { host } => Some(host),
        _ => None,
    }
}

/// An effect of which nothing more is to be told.
pub(super) fn told(effect: Effect) -> Judged {
    Judged { effect, story: Story::default() }
}

fn bytes(answers: &Answers) -> BTreeMap<String, u64> {
    let Some(document) = answers.document(&Probe::Host(HostTable::Du)) else { return BTreeMap::new() };
    tsv::rows(document.text.as_str(), &["bytes", "path"])
        .iter()
        .filter_map(|row| Some((row.get("path")?.trim_end_matches('/').to_owned(), row.number("bytes")?)))
        .collect()
}

/// Bytes as a person reads them.
pub(super) fn size(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["B", "kB", "MB", "GB", "TB"];
    let mut value = bytes as f64;
    let mut unit = 0;
    while value >= 1000.0 && unit + 1 < UNITS.len() {
        value /= 1000.0;
        unit += 1;
    }
    if value < 10.0 && unit > 0 { format!("{value:.1} {}", UNITS[unit]) } else { format!("{value:.0} {}", UNITS[unit]) }
}
