//! `demo`: a recorded real case from symptom to cause to post-mortem to a denied repeat.
//!
//! Nothing is staged: the verbs that a person would call run over a casefile that was
//! recorded from a stack on a real container engine, in a workspace of its own.

use std::path::PathBuf;

use coroner_collect::{Casefile, Limits, OpenError, World};
use coroner_model::permission::{Permission, PermissionAnswer, PermissionRequest};

use crate::guard::Guard;
use crate::incident::{self, IncidentError};
use crate::incident_draft::{self, DraftError, DraftReport};
use crate::incident_learn::{self, LearnError, LearnReport, LearnRequest, Outcome};
use crate::investigate::{self, InvestigateError, InvestigateReport, InvestigateRequest};
use crate::library;
use crate::pattern::test::commands_of;
use crate::workspace::{Workspace, WorkspaceError, WorkspaceRequest};

/// Folder of the demo's workspace below Coroner's home.
pub const DEMO_FOLDER: &str = "demo";
/// The recording, and what a person saw go wrong in it.
const RECORDING: &[u8] = include_bytes!("../../../scenarios/recorded/data-directory-removed.tar.zst");
const SYMPTOM: &str = include_str!("../../../scenarios/recorded/data-directory-removed.symptom");

/// What each step of the demo gave.
#[derive(Clone, Debug)]
pub struct DemoReport {
    /// Home of the workspace that is left behind.
    pub home: PathBuf,
    pub symptom: String,
    pub investigation: InvestigateReport,
    pub draft: DraftReport,
    pub learned: LearnReport,
    /// The command that did it, and the guard's answer to its repeat.
    pub repeat: (String, PermissionAnswer),
    /// Its nearest harmless neighbour, and the guard's answer.
    pub neighbour: (String, PermissionAnswer),
    /// Incidents in the workspace, the sample ones included.
    pub incidents: usize,
}

/// Why the demo did not come to its end.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    #[error(transparent)]
    Workspace(#[from] WorkspaceError),
    #[error("cannot open the recorded case")]
    Recording(#[from] OpenError),
    #[error(transparent)]
    Incident(#[from] IncidentError),
    #[error(transparent)]
    Investigate(#[from] InvestigateError),
    #[error(transparent)]
    Draft(#[from] DraftError),
    #[error(transparent)]
    Learn(#[from] LearnError),
    #[error("the recorded case names no command that could be repeated")]
    NoCommand,
}

impl DemoError {
    /// What a person can do about it.
    pub fn hint(&self) -> String {
        match self {
            DemoError::Workspace(error) => error.hint().to_owned(),
            DemoError::Recording(error) => error.hint().to_owned(),
            DemoError::Incident(error) => error.hint().to_owned(),
            DemoError::Investigate(error) => error.hint().to_owned(),
            DemoError::Draft(error) => error.hint().to_owned(),
            DemoError::Learn(error) => error.hint(),
            DemoError::NoCommand => "report this as a bug".to_owned(),
        }
    }
}

/// Where the demo's workspace lies for a home.
pub fn home_below(home: &std::path::Path) -> PathBuf {
    home.join(DEMO_FOLDER)
}

/// Plays the recorded case; `step` hears what begins.
pub fn demo(request: &WorkspaceRequest, mut step: impl FnMut(&str)) -> Result<DemoReport, DemoError> {
    let home = home_below(&request.home);
    let request = WorkspaceRequest {
        home: home.clone(),
        store: None,
        casefile: None,
        cwd: home.clone(),
        env: Default::default(),
        ..request.clone()
    };
    step("opening a workspace of its own");
    let mut ws = Workspace::open(request)?;
    // What the demo learns is the person's own, wherever the folder lies.
    ws.project = None;
    ws.world = recorded()?;
    incident::load_casebook(&ws.store, ws.now)?;
    step("investigating the recorded case");
    let symptom = SYMPTOM.trim().to_owned();
    let asked = InvestigateRequest { symptom: symptom.clone(), ..InvestigateRequest::default() };
    let investigation = investigate::investigate(&ws, &asked)?;
    let id = investigation.id.to_string();
    step("drafting the post-mortem");
    let draft = incident_draft::draft(&ws, &id)?;
    step("learning from it");
    let learn = LearnRequest { investigation: id, ..LearnRequest::default() };
    let learned = incident_learn::learn(&ws, &learn)?;
    step("judging the repeat");
    let (repeat, neighbour) = repeated(&ws, &investigation, &learned)?;
    let incidents = ws.store.incidents().map_err(DraftError::from)?.len();
    Ok(DemoReport { home, symptom, investigation, draft, learned, repeat, neighbour, incidents })
}

fn recorded() -> Result<World, OpenError> {
    Ok(World::Casefile(Casefile::of_archive(RECORDING, Limits::default())?))
}

type Judged = (String, PermissionAnswer);

/// The guard, with what was just learned, on the same command and on what it offers instead.
fn repeated(
    ws: &Workspace,
    investigation: &InvestigateReport,
    learned: &LearnReport,
) -> Result<(Judged, Judged), DemoError> {
    let (Outcome::Denied { command } | Outcome::Asked { command }) = &learned.outcome else {
        return Err(DemoError::NoCommand);
    };
    let cwd = investigation.replays.first().map(|r| r.cwd.clone()).unwrap_or_default();
    let mut guard = Guard::over(recorded()?, library::open(&ws.home, &ws.cwd));
    let mut judge = |command: &str| {
        let request =
            PermissionRequest { command: Some(command.to_owned()), cwd: cwd.clone(), ..PermissionRequest::default() };
        (command.to_owned(), guard.judge(request))
    };
    let repeat = judge(command);
    let mut offered = commands_of(&repeat.1.remedy).into_iter().map(|c| judge(&c));
    let neighbour = offered.find(|(_, answer)| answer.permission == Permission::Allow).ok_or(DemoError::NoCommand)?;
    Ok((repeat, neighbour))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_recorded_case_is_denied_and_its_neighbour_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let request = WorkspaceRequest { home: folder.path().to_path_buf(), ..WorkspaceRequest::default() };
        let first = demo(&request, |_| {}).unwrap();
        assert_eq!(first.repeat.1.permission, Permission::Deny);
        assert_eq!(first.repeat.1.findings.iter().filter(|f| f.pattern == first.learned.pattern).count(), 1);
        assert_eq!(first.neighbour.1.permission, Permission::Allow);
        assert!(first.learned.written && first.incidents > 1);
        let again = demo(&request, |_| {}).unwrap();
        assert!(!again.learned.written, "a second run changes nothing");
        assert_eq!(again.incidents, first.incidents);
    }
}
