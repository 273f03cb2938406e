//! An image of a major version whose new stores or settings are not there.

use std::sync::OnceLock;

use coroner_model::finding::Confidence;
use coroner_read::compose::{Project, Service};

use crate::detect::{declared, listed, reason};
use crate::effect::{major_of, repository, tag_of};
use crate::fact::{Fact, FactKind, Subject};
use crate::scene::Scene;

/// What majors of images need: `service:` by a part of its image, `env:` by a variable.
const KNOWN: &str = include_str!("../../../../facts/image-needs.tsv");

struct Row {
    image: &'static str,
    from: u64,
    needs: Vec<(&'static str, &'static str)>,
}

fn known() -> &'static [Row] {
    static ROWS: OnceLock<Vec<Row>> = OnceLock::new();
    ROWS.get_or_init(|| {
        let row = |line: &'static str| {
            let mut fields = line.split('\t');
            let (image, from) = (fields.next()?, fields.next()?.parse().ok()?);
            let needs = fields.next()?.split(' ').filter_map(|need| need.split_once(':')).collect();
            Some(Row { image, from, needs })
        };
        KNOWN.lines().skip(1).filter_map(row).collect()
    })
}

/// Finds it; a scene in order gives nothing.
pub fn detect(scene: &Scene) -> Vec<Fact> {
    let all = scene.projects.iter().flat_map(|project| project.services.iter().map(move |s| (project, s)));
    all.filter_map(|(project, service)| {
        let missing = missing(project, service)?;
        let at = service.at.clone()?;
        let text = format!("{} is {}, which needs {}: not there", service.name, service.image, listed(&missing));
        let mut fact = declared(FactKind::DependencyMissing, "major", &service.name, text.clone(), &at);
        fact.because = vec![reason(text, [at])];
        fact.confidence = Confidence::Medium;
        fact.subjects = vec![Subject::Service(service.name.clone())];
        fact.remedy =
            format!("Keep the major version that runs for `{}`, or add what the new one needs first.", service.name);
        Some(fact)
    })
    .collect()
}

/// Whether it is known of an image what its majors need.
pub fn is_known(image: &str) -> bool {
    row_of(image).is_some()
}

fn row_of(image: &str) -> Option<&'static Row> {
    let name = repository(image);
    let name = name.strip_prefix("docker.io/").unwrap_or(name);
    known().iter().find(|row| name == row.image || name.ends_with(&format!("/{}", row.image)))
}

/// What a service's image needs and its project lacks; `None` where nothing is known or missing.
pub fn missing(project: &Project, service: &Service) -> Option<Vec<String>> {
    let row = row_of(&service.image)?;
    let tag = tag_of(&service.image);
    // Without a number it is the newest one.
    let major = major_of(tag).unwrap_or(if tag == "latest" { u64::MAX } else { 0 });
    // Of an env file that was not at hand nobody knows what it gives.
    let partial = project.wanted.iter().any(|w| service.env_files.contains(&w.path));
    if major < row.from || partial {
        return None;
    }
    let lacks = |(kind, name): &&(&str, &str)| {
        let mut names = name.split('|');
        match *kind {
            "service" => !names.any(|n| project.services.iter().any(|s| is_service(s, n) || points_to(service, n))),
            _ => !names.any(|n| service.gives(n)),
        }
    };
    let shown = |(kind, name): &(&str, &str)| {
        let first = name.split('|').next().unwrap_or(name);
        if *kind == "service" { format!("a service of {first}") } else { first.to_owned() }
    };
    let missing: Vec<String> = row.needs.iter().filter(lacks).map(shown).collect();
    (!missing.is_empty()).then_some(missing)
}

fn is_service(service: &Service, name: &str) -> bool {
    let image = repository(&service.image).to_ascii_lowercase();
    image.rsplit('/').next().unwrap_or(&image).contains(name) || service.name.contains(name)
}

/// A store elsewhere: a variable whose name or address speaks of it.
fn points_to(service: &Service, name: &str) -> bool {
    let upper = name.to_ascii_uppercase();
    service.environment.iter().any(|(variable, value)| {
        variable.split('_').any(|part| part == upper) && value.value.contains('.') && !value.value.is_empty()
    })
}
