//! Images whose next major version does not simply take over the data of the last one.

use std::sync::OnceLock;

use coroner_model::effect::{Effect, EffectKind, TargetClass};
use coroner_read::docker::Container;
use coroner_read::shell::Word;

use super::view::View;
use super::{Judged, Story};
use crate::effect::{ComposeTarget, Planned, RunSpec, repository};

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

/// The tag of an image; none is `latest`.
fn tag_of(image: &str) -> &str {
    let image = image.split('@').next().unwrap_or(image);
    image
        .strip_prefix(repository(image))
        .and_then(|rest| rest.strip_prefix(':'))
        .filter(|t| !t.is_empty())
        .unwrap_or("latest")
}

/// The major version of a tag: that of the database where it names one, as `2.17-pg16` does.
fn major_of(tag: &str) -> Option<u64> {
    let number = |text: &str| {
        let digits: String = text.chars().take_while(char::is_ascii_digit).collect();
        digits.parse::<u64>().ok().filter(|n| *n < 1000)
    };
    let server = tag.split(['-', '_']).find_map(|part| number(part.strip_prefix("pg")?));
    server.or_else(|| number(tag.strip_prefix('v').unwrap_or(tag)))
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
            }
        }
        all
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
        let row = row_of(image).filter(|row| row_of(&container.image).is_some_and(|old| old.image == row.image))?;
        let (old_tag, new_tag) = (tag_of(&container.image), tag_of(image));
        let unpinned = new_tag == "latest" && major_of(old_tag).is_some();
        let changed = match (major_of(old_tag), major_of(new_tag)) {
            (Some(old), Some(new)) => match row.rule {
                Rule::Each => old != new,
                Rule::Step => new < old || new > old + 1,
                Rule::Back => new < old,
            },
            _ => unpinned && row.rule != Rule::Back,
        };
        if !changed {
            return None;
        }
        let mut effect = Effect::new(EffectKind::UpgradeMajor, name, &planned.program);
        effect.add_class(TargetClass::LiveData);
        let mut story = Story {
            would: format!("start \"{name}\" as {image} over data that {} wrote", container.image),
            why: format!("{}{}.", row.why[..1].to_uppercase(), &row.why[1..]),
            ..Story::default()
        };
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
