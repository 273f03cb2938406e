//! Paths that a chore on a whole tree must leave alone, whoever does it.

use coroner_model::{Answers, Probe};
use coroner_read::config::{self, Config};

use super::backup::Backups;
use super::live;
use crate::scene::Scene;

/// A path to be left alone, with all below it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Spared {
    pub path: String,
    pub why: String,
}

/// Live data of services, configured paths and places of backups, each once.
pub fn spared(answers: &Answers) -> Vec<Spared> {
    let scene = Scene::read(answers);
    let config = config_of(answers);
    let mut all: Vec<Spared> = live::paths(&scene, answers)
        .into_iter()
        .map(|live| Spared { path: live.path, why: format!("data of \"{}\"", live.owner) })
        .collect();
    let configured = scene.protected.iter().chain(&config.protect.paths);
    all.extend(configured.map(|path| Spared { path: path.clone(), why: "protected by the configuration".to_owned() }));
    let backups = Backups::read(&scene, answers, &config);
    all.extend(backups.directories.into_iter().map(|path| Spared { path, why: "backups".to_owned() }));
    all.retain(|one| one.path.starts_with('/') && one.path.len() > 1);
    all.sort();
    all.dedup_by(|b, a| a.path == b.path);
    all
}

/// The configuration among the answers.
pub fn config_of(answers: &Answers) -> Config {
    answers.documents(&Probe::Config).iter().find_map(|d| config::read(d.text.as_str()).ok()).unwrap_or_default()
}
