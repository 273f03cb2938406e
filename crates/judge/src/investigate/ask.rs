//! Which questions a symptom implies, beyond what any scene needs.

use coroner_model::investigation::SymptomKind;
use coroner_model::probe::{DockerTable, HostTable};
use coroner_model::{Answers, Probe};

use super::{Request, Scope, symptom};
use crate::scene::{Goal, Scene};

/// Most containers whose logs are read.
pub const CONTAINER_LOGS_MAX: usize = 64;

/// What must still be looked at; empty when enough is known. At most four rounds.
pub fn ask(request: &Request, answers: &Answers) -> Vec<Probe> {
    let mut probes: Vec<Probe> = request.logs.iter().map(|path| Probe::LogFile { path: path.clone() }).collect();
    if request.scope == Scope::Everything {
        let goal = Goal::Investigate { since: request.since, until: request.until };
        probes.extend(Scene::ask(&goal, answers));
        probes.extend(of_symptom(request));
        probes.extend(of_containers(answers));
        probes.extend(of_scripts(request, answers));
    }
    probes.sort();
    probes.dedup();
    probes.retain(|probe| !answers.has(probe));
    probes
}

fn of_symptom(request: &Request) -> Vec<Probe> {
    let mut probes = vec![
        Probe::Docker(DockerTable::Inspect),
        Probe::Logs,
        Probe::HttpRecorded,
        Probe::Host(HostTable::Annotations),
        Probe::Host(HostTable::Journal),
        Probe::Sessions { since: request.since, until: request.until },
    ];
    if symptom::kind(&request.given, None) == SymptomKind::Url
        && let Some(url) = symptom::url_of(request.given.trim())
    {
        probes.push(Probe::HttpGet { url: url.to_string() });
    }
    probes
}

/// Scripts that agents ran, since a script can do what its name does not say.
fn of_scripts(request: &Request, answers: &Answers) -> Vec<Probe> {
    let transcripts = Probe::Sessions { since: request.since, until: request.until };
    let documents = answers.documents(&transcripts);
    if documents.is_empty() {
        return Vec::new();
    }
    let scene = Scene { sessions: coroner_read::transcript::read(documents), ..Scene::default() };
    let wanted = super::change::wanted_scripts(&scene, answers, request.until);
    wanted.into_iter().map(|path| Probe::File { path }).collect()
}

/// Logs of every container, since a dependency's log often says what the service's own does not.
fn of_containers(answers: &Answers) -> Vec<Probe> {
    let Some(document) = answers.document(&Probe::Docker(DockerTable::Inspect)) else { return Vec::new() };
    let containers = coroner_read::docker::containers(document.text.as_str()).unwrap_or_default();
    containers
        .into_iter()
        .filter(|c| !c.name.is_empty())
        .take(CONTAINER_LOGS_MAX)
        .map(|c| Probe::ContainerLog { container: c.name })
        .collect()
}
