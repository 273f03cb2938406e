//! The state of the workspace in ten lines, and the one thing to do next.

use coroner_judge::scene::{Goal, Scene};
use coroner_model::incident::IncidentStatus;
use coroner_model::probe::HostTable;
use coroner_model::{Answers, CouldNotLook, Probe};
pub use coroner_store::mishap::Mishaps;
use coroner_store::{StoreError, mishap};
use jiff::Timestamp;
use serde::Serialize;

use crate::workspace::Workspace;

/// What `coroner` alone shows.
#[derive(Clone, Debug, Serialize)]
pub struct Status {
    pub schema: String,
    pub project: Option<String>,
    pub incidents: usize,
    pub incidents_open: usize,
    pub patterns: usize,
    pub evidence: u64,
    pub last_investigation: Option<LastInvestigation>,
    /// Fullest filesystem: mount point and whole percent used.
    pub disk: Option<(String, u8)>,
    pub containers: Option<Containers>,
    /// Whether the guard hook stands in the agent's settings; `None` where there are none.
    pub claude_hook: Option<bool>,
    /// Failures of the hook itself that nobody has looked after.
    pub hook_failures: Option<Mishaps>,
    pub next: String,
    pub could_not_look: Vec<CouldNotLook>,
}

/// The newest investigation.
#[derive(Clone, Debug, Serialize)]
pub struct LastInvestigation {
    pub id: String,
    pub at: Option<Timestamp>,
}

/// How many containers there are, and how many of them are well.
#[derive(Clone, Debug, Serialize)]
pub struct Containers {
    pub running: usize,
    pub stopped: usize,
    pub unhealthy: Vec<String>,
}

/// Looks at little and says where things stand.
pub fn status(ws: &Workspace) -> Result<Status, StoreError> {
    let settings = ws.env.get("HOME").map(|home| Probe::File { path: format!("{home}/.claude/settings.json") });
    let mut wanted = vec![Probe::Host(HostTable::Df)];
    wanted.extend(Scene::ask(&Goal::Guard, &Answers::new()));
    wanted.extend(settings.clone());
    wanted.sort();
    wanted.dedup();
    let mut answers = Answers::new();
    for (probe, answer) in ws.world.answer_all(&wanted) {
        answers.insert(probe, answer);
    }
    let scene = Scene::read(&answers);
    let incidents = ws.store.incidents()?;
    let open = incidents.iter().filter(|i| i.status == IncidentStatus::Open).count();
    let newest = ws.store.investigations(1)?.pop();
    let mut status = Status {
        schema: "coroner/status/v1".to_owned(),
        project: ws.project.as_ref().map(|p| p.display().to_string()),
        incidents: incidents.len(),
        incidents_open: open,
        patterns: ws.patterns.len(),
        evidence: ws.store.evidence_count()?,
        last_investigation: newest.map(|k| LastInvestigation { id: k.id.to_string(), at: k.created_at }),
        disk: scene.filesystems.iter().max_by_key(|f| f.used_percent).map(|f| (f.mount.clone(), f.used_percent)),
        containers: containers(&scene, &answers),
        claude_hook: settings.and_then(|probe| Some(answers.document(&probe)?.text.as_str().contains("coroner"))),
        hook_failures: mishap::read(&ws.home),
        next: String::new(),
        could_not_look: answers.could_not_look(),
    };
    status.next = next(&status);
    Ok(status)
}

fn containers(scene: &Scene, answers: &Answers) -> Option<Containers> {
    let looked = matches!(answers.get(&Probe::Docker(coroner_model::probe::DockerTable::Inspect)), Some(Ok(_)));
    looked.then(|| {
        let (running, stopped): (Vec<_>, Vec<_>) = scene.containers.iter().partition(|c| c.is_running());
        let unwell =
            scene.containers.iter().filter(|c| c.state.health == "unhealthy" || c.state.status == "restarting");
        Containers {
            running: running.len(),
            stopped: stopped.len(),
            unhealthy: unwell.map(|c| c.component().to_owned()).collect(),
        }
    })
}

/// The most pressing of what was seen.
fn next(status: &Status) -> String {
    let unwell = status.containers.as_ref().map(|c| c.unhealthy.as_slice()).unwrap_or_default();
    if let Some((mount, used)) = status.disk.as_ref().filter(|(_, used)| *used >= 90) {
        format!("free space on {mount}: {used} % are used, and writes will fail")
    } else if let Some(component) = unwell.first() {
        format!("coroner investigate {component}")
    } else if status.claude_hook == Some(false) {
        "let the guard answer before commands run: coroner init --hooks".to_owned()
    } else if status.hook_failures.is_some() {
        "coroner doctor".to_owned()
    } else if status.incidents_open > 0 {
        "coroner incident list --status open".to_owned()
    } else if status.last_investigation.is_none() {
        "coroner check".to_owned()
    } else {
        "nothing presses; coroner serve shows what is kept".to_owned()
    }
}
