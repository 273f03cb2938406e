//! Space on a disk: what would be fetched or started against what is free where it would lie.

use coroner_model::Probe;
use coroner_model::effect::{Circumstance, Effect};
use coroner_model::probe::HostTable;
use coroner_read::df::{self, Filesystem};

use super::view::{View, size};
use super::{Judged, Story};
use crate::effect::growth::{self, Growth, Held};
use crate::effect::path::below;
use crate::effect::{ComposeTarget, Deciding, Planned, Target, repository};

/// Share of a disk that should stay free, in percent.
const FREE_PERCENT_MIN: u64 = 5;
/// Where the engine keeps its data, unless its settings say otherwise.
const ENGINE: &str = "/var/lib/docker";
/// The engine's settings.
const ENGINE_SETTINGS: &str = "/etc/docker/daemon.json";

pub(super) fn probes(growth: &Growth, out: &mut Vec<Probe>) {
    out.extend([Probe::Host(HostTable::Df), Probe::Config]);
    if growth.place == Held::Engine {
        out.push(Probe::File { path: ENGINE_SETTINGS.to_owned() });
    }
}

pub(super) fn engine_probes(out: &mut Vec<Probe>) {
    out.extend([Probe::Host(HostTable::Df), Probe::Config, Probe::File { path: ENGINE_SETTINGS.to_owned() }]);
}

impl View<'_> {
    pub(super) fn space(&self, growth: &Growth, effect: &mut Effect, story: &mut Story) {
        let Some(disk) = self.disk_of(&growth.place) else { return };
        let limit = self.config.disk.block_percent;
        let reserve = disk.bytes / 100 * FREE_PERCENT_MIN;
        let need = self.need_of(growth);
        if let Some(bytes) = need.filter(|bytes| bytes.saturating_add(reserve) > disk.available) {
            story.lines.push(format!("{} needed, {} free on {}", size(bytes), size(disk.available), disk.mount));
        } else if disk.used_percent >= limit {
            let free = size(disk.available);
            story.lines.push(format!(
                "{} is {} % full ({free} free); at {limit} % nothing more is fetched",
                disk.mount, disk.used_percent
            ));
            story.instead.push(format!("du -xh -d2 {} | sort -h | tail", disk.mount));
        } else {
            return;
        }
        effect.add_circumstance(Circumstance::ExceedsSpace);
        story.evidence.push(disk.at.clone());
    }

    fn disk_of(&self, place: &Held) -> Option<Filesystem> {
        let directory = match place {
            Held::Engine => self.engine_root(),
            Held::Directory(directory) => directory.clone(),
        };
        let filesystems = self.answers.document(&Probe::Host(HostTable::Df)).map(df::read)?;
        filesystems.into_iter().filter(|f| below(&directory, &f.mount).is_some()).max_by_key(|f| f.mount.len())
    }

    fn engine_root(&self) -> String {
        let settings = self.answers.document(&Probe::File { path: ENGINE_SETTINGS.to_owned() });
        settings
            .and_then(|d| serde_json::from_str::<serde_json::Value>(d.text.as_str()).ok())
            .and_then(|v| Some(v.get("data-root")?.as_str()?.to_owned()))
            .unwrap_or_else(|| ENGINE.to_owned())
    }

    /// What a person wrote down comes before what is built in.
    pub(super) fn need_of(&self, growth: &Growth) -> Option<u64> {
        let name = growth.name.to_ascii_lowercase();
        let told = self.config.disk.needs.iter().find(|need| {
            let word = need.name.to_ascii_lowercase();
            !word.is_empty() && name.contains(&word)
        });
        match told {
            // A mode that stays small does so whatever the full size is.
            Some(need) if growth.is_full() => Some(need.bytes.0),
            _ => growth.need(),
        }
    }

    /// Whether what is planned has a need that the free space must be held against.
    pub(super) fn needs_space(&self) -> bool {
        self.effects.planned.iter().any(|planned| match &planned.target {
            Target::Named(named) => match &named.deciding {
                Deciding::Space(growth) => self.need_of(growth).is_some(),
                _ => false,
            },
            Target::Compose(compose) if super::view::makes(planned.kind) => {
                self.services_of(compose).iter().any(|growth| self.need_of(growth).is_some())
            }
            _ => false,
        })
    }

    /// Images of a project that are not there yet, against what is free.
    pub(super) fn compose_growth(&self, planned: &Planned, compose: &ComposeTarget) -> Vec<Judged> {
        let named: Vec<String> = compose.services.iter().map(|s| s.show()).collect();
        let target = if named.is_empty() { compose.directory.show() } else { named.join(" ") };
        let mut effect = Effect::new(planned.kind, target.clone(), &planned.program);
        let mut story = Story { would: format!("fetch and start what {target} names"), ..Story::default() };
        let growths = self.services_of(compose);
        for growth in growths.iter().filter(|growth| self.need_of(growth).is_some()) {
            self.space(growth, &mut effect, &mut story);
        }
        let fetches = planned.kind == coroner_model::effect::EffectKind::Download;
        if fetches && !effect.circumstance.contains(&Circumstance::ExceedsSpace) {
            self.space(&growth::of_service("an image", Vec::new(), None), &mut effect, &mut story);
        }
        let mut all = vec![Judged { effect, story }];
        all.extend(self.upgrades(planned, compose));
        all
    }

    /// What the services that are meant grow to; one that runs already has its data.
    fn services_of(&self, compose: &ComposeTarget) -> Vec<Growth> {
        let mut all = Vec::new();
        for project in self.projects_of(compose) {
            for service in project.services.iter().filter(|s| compose.names(&[&s.name])) {
                let runs = self.scene.containers_of(project, service);
                if service.image.is_empty() || runs.iter().any(|c| repository(&c.image) == repository(&service.image)) {
                    continue;
                }
                let mut words: Vec<String> = service.command.iter().chain(&service.entrypoint).cloned().collect();
                words.extend(service.environment.iter().map(|(name, v)| format!("{name}={}", v.value)));
                let mounted =
                    service.volumes.iter().find(|m| m.kind == "bind" && !m.read_only).map(|m| m.source.clone());
                all.push(growth::of_service(&service.image, words, mounted));
            }
        }
        all
    }

    /// The compose projects that a command is about.
    pub(super) fn projects_of<'v>(
        &'v self,
        compose: &'v ComposeTarget,
    ) -> impl Iterator<Item = &'v coroner_read::compose::Project> {
        let directory = compose.directory.as_literal().unwrap_or_default().trim_end_matches('/').to_owned();
        let name = compose.project.as_ref().and_then(|p| p.as_literal());
        self.scene.projects.iter().filter(move |project| {
            project.directory.trim_end_matches('/') == directory || name.is_some_and(|n| n == project.name)
        })
    }
}
