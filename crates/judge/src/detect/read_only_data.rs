//! A server's data directory is mounted read-only.

use std::sync::OnceLock;

use coroner_model::finding::Confidence;

use crate::detect::{declared, reason};
use crate::effect::repository;
use crate::fact::{Fact, FactKind, Subject};
use crate::scene::Scene;

/// Where images keep what they write.
const KNOWN: &str = include_str!("../../../../facts/data-directories.tsv");

fn known() -> &'static [(&'static str, &'static str)] {
    static ROWS: OnceLock<Vec<(&'static str, &'static str)>> = OnceLock::new();
    ROWS.get_or_init(|| KNOWN.lines().skip(1).filter_map(|line| line.split_once('\t')).collect())
}

/// Finds it; a scene in order gives nothing.
pub fn detect(scene: &Scene) -> Vec<Fact> {
    let mut facts = Vec::new();
    for service in scene.projects.iter().flat_map(|p| &p.services) {
        let name = repository(&service.image).rsplit('/').next().unwrap_or_default().to_ascii_lowercase();
        for mount in service.volumes.iter().filter(|m| m.read_only) {
            let writes = known().iter().any(|(image, directory)| name == *image && mount.destination == *directory);
            let Some(at) = service.at.clone().filter(|_| writes) else { continue };
            let text = format!(
                "{} keeps its data in {}, which is mounted read-only from {}",
                service.name, mount.destination, mount.source
            );
            let mut fact = declared(FactKind::ReadOnlyData, "data-directory", &service.name, text.clone(), &at);
            fact.because = vec![reason(text, [at])];
            fact.confidence = Confidence::High;
            fact.subjects = vec![Subject::Service(service.name.clone()), Subject::Path(mount.source.clone())];
            fact.remedy = format!("Take `:ro` from the mount at `{}` of `{}`.", mount.destination, service.name);
            facts.push(fact);
        }
    }
    facts
}
