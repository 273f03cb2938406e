//! Images whose next major version does not simply take over the data of the last one.

use std::sync::OnceLock;

use coroner_model::effect::{Effect, EffectKind, TargetClass};
use coroner_read::compose::{Project, Service};
use coroner_read::docker::Container;
use coroner_read::shell::Word;

use super::view::View;
use super::{Judged, Story};
use crate::detect::{dependency_missing, listed};
use crate::effect::{ComposeTarget, Planned, RunSpec, major_of, repository, tag_of};

/// What is known of images that keep data.
const KNOWN: &str = include_str!("../../../../facts/image-upgrades.tsv");

struct Row {
    image: &'static str,
    rule: Rule,
    why: &'static str,
}

/// Which change of the major version is no plain restart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rule {
    /// Every one.
    Each,
    /// More than one at once, or back.
    Step,
    /// Back only.
    Back,
}

fn known() -> &'static [Row] {
    static ROWS: OnceLock<Vec<Row>> = OnceLock::new();
    ROWS.get_or_init(|| {
        let row = |line: &'static str| {
            let mut fields = line.split('\t');
            let image = fields.next()?;
            let rule = match fields.next()? {
                "each" => Rule::Each,
                "step" => Rule::Step,
                _ => Rule::Back,
            };
            Some(Row { image, rule, why: fields.next()? })
        };
        KNOWN.lines().skip(1).filter_map(row).collect()
    })
}

/// The row of an image: by the last part of its name, without what distributors put before.
fn row_of(image: &str) -> Option<&'static Row> {
    let name = repository(image).rsplit('/').next()?.to_ascii_lowercase();
    let bare = name.strip_suffix("-ha").or_else(|| name.strip_suffix("-alpine")).unwrap_or(&name);
    let bare = if bare == "postgresql" {
        "postgres"
    } else if bare == "mongodb" {
        "mongo"
    } else {
        bare
    };
    known().iter().find(|row| row.image == bare)
}

/// Why data that one image wrote is not simply taken over by another; `None` where it is.
pub(super) fn breaks(old: &str, new: &str) -> Option<String> {
    let row = row_of(new).filter(|row| row_of(old).is_some_and(|known| known.image == row.image))?;
    let (old_tag, new_tag) = (tag_of(old), tag_of(new));
    let unpinned = new_tag == "latest" && major_of(old_tag).is_some();
    let changed = match (major_of(old_tag), major_of(new_tag)) {
        (Some(old), Some(new)) => match row.rule {
            Rule::Each => old != new,
            Rule::Step => new < old || new > old + 1,
            Rule::Back => new < old,
        },
        _ => unpinned && row.rule != Rule::Back,
    };
    changed.then(|| format!("{}{}.", row.why[..1].to_uppercase(), &row.why[1..]))
}

impl View<'_> {
    /// Services that would be made anew from another major version over the data that they have.
    pub(super) fn upgrades(&self, planned: &Planned, compose: &ComposeTarget) -> Vec<Judged> {
        if planned.kind != EffectKind::RecreateContainer {
            return Vec::new();
        }
        let mut all = Vec::new();
        for project in self.projects_of(compose) {
            for service in project.services.iter().filter(|s| compose.names(&[&s.name])) {
                let keeps = |c: &&&Container| c.mounts.iter().any(|m| m.writable && !m.destination.ends_with(".sock"));
                let running = self.scene.containers_of(project, service);
                if let Some(container) = running.iter().find(keeps) {
                    all.extend(self.upgrade(planned, &service.name, container, &service.image));
                }
                all.extend(self.without_needs(planned, project, service));
            }
        }
        all
    }

    /// A service that would be made from a major version whose stores and settings are not there.
    fn without_needs(&self, planned: &Planned, project: &Project, service: &Service) -> Option<Judged> {
        let runs = self.scene.containers_of(project, service);
        if runs.iter().any(|c| c.image == service.image) {
            return None;
        }
        let missing = dependency_missing::missing(project, service)?;
        let effect = Effect::new(EffectKind::UpgradeMajor, service.name.as_str(), &planned.program);
        let was = runs.first().map(|c| format!("{} runs {} now", c.name, c.image));
        let story = Story {
            would: format!("start \"{}\" as {}", service.name, service.image),
            lines: was.into_iter().chain([format!("it needs {}: not there", listed(&missing))]).collect(),
            why: "A major version that lacks what it needs does not start, or loses what it is sent.".into(),
            evidence: service.at.clone().into_iter().collect(),
            ..Story::default()
        };
        Some(Judged { effect, story })
    }

    /// A container by hand over a volume or directory that another version wrote.
    pub(super) fn upgrade_by_hand(&self, planned: &Planned, spec: &RunSpec) -> Option<Judged> {
        let image = spec.image.as_ref().and_then(Word::as_literal)?;
        let sources: Vec<String> =
            spec.volumes.iter().map(|v| v.show().split(':').next().unwrap_or_default().to_owned()).collect();
        let holds = |c: &&Container| {
            c.mounts
                .iter()
                .any(|m| m.writable && sources.iter().any(|s| *s == m.name || *s == m.source) && !m.source.is_empty())
        };
        let container = self.scene.containers.iter().find(holds)?;
        self.upgrade(planned, container.component(), container, image)
    }

    fn upgrade(&self, planned: &Planned, name: &str, container: &Container, image: &str) -> Option<Judged> {
        let why = breaks(&container.image, image)?;
        let mut effect = Effect::new(EffectKind::UpgradeMajor, name, &planned.program);
        effect.add_class(TargetClass::LiveData);
        let mut story = Story {
            would: format!("start \"{name}\" as {image} over data that {} wrote", container.image),
            why,
            ..Story::default()
        };
        let unpinned = tag_of(image) == "latest";
        story.lines.extend(unpinned.then(|| "`latest` may be any major version".to_owned()));
        story.evidence.extend(self.cite(container, "Config/Image"));
        Some(Judged { effect, story })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_have_a_major_version() {
        for (image, tag, major) in [
            ("postgres:15-alpine", "15-alpine", Some(15)),
            ("docker.io/library/postgres:16.4", "16.4", Some(16)),
            ("timescale/timescaledb:2.17.2-pg16", "2.17.2-pg16", Some(16)),
            ("registry.example.org:5000/mongo", "latest", None),
            ("grafana/grafana:v11.2", "v11.2", Some(11)),
            ("app:2024010203", "2024010203", None),
        ] {
            assert_eq!((tag_of(image), major_of(tag_of(image))), (tag, major), "{image}");
        }
        assert!(row_of("bitnami/postgresql:16").is_some_and(|r| r.image == "postgres"));
        assert!(row_of("shop/postgres-backup:1").is_none());
    }
}
