//! `doctor`: is everything wired? Fires an event that must be stopped through the real hook of each agent.

mod agent;
pub mod canary;
mod host;
mod retention;

use std::path::PathBuf;

use coroner_model::Agent;
use serde::Serialize;

use crate::agents::Surroundings;
use crate::workspace::WorkspaceRequest;

/// The schema of the report.
pub const DOCTOR_SCHEMA: &str = "coroner/doctor/v1";

/// How one thing stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Health {
    Ok,
    /// Worth knowing; nothing is broken.
    Note,
    CouldNotLook,
    /// Something is not wired.
    Problem,
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Check {
    /// An agent's word, `git`, `store`, `disk`, `engine`, `journal` or `hook`.
    pub subject: String,
    pub health: Health,
    pub text: String,
    /// The command or the deed that helps.
    pub help: Option<String>,
}

/// What was seen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DoctorReport {
    pub schema: String,
    pub agents: Vec<Agent>,
    pub checks: Vec<Check>,
}

impl DoctorReport {
    /// Whether something is not wired.
    pub fn has_problem(&self) -> bool {
        self.checks.iter().any(|check| check.health == Health::Problem)
    }
}

/// What is looked at.
#[derive(Clone, Debug)]
pub struct DoctorRequest {
    pub workspace: WorkspaceRequest,
    /// Coroner's own program, absolute.
    pub program: PathBuf,
    /// Only these agents; empty: all that are here.
    pub agents: Vec<Agent>,
}

/// Looks at everything; the only things it runs are Coroner's own hooks.
pub fn doctor(request: &DoctorRequest) -> DoctorReport {
    let around = &request.workspace;
    let project = crate::look::project_root(&around.cwd);
    let surroundings = Surroundings { env: &around.env, project: &project };
    let agents = if request.agents.is_empty() { surroundings.agents() } else { request.agents.clone() };
    let mut checks = Vec::new();
    for agent in &agents {
        checks.extend(agent::checks(request, surroundings, *agent));
    }
    if agents.is_empty() {
        checks.push(note("agents", "no agent was found here", Some("coroner doctor claude")));
    }
    checks.extend(host::checks(around, &project));
    DoctorReport { schema: DOCTOR_SCHEMA.to_owned(), agents, checks }
}

/// Forgets the failures of the hook that are on record.
pub fn forget_failures(home: &std::path::Path) -> Result<(), coroner_store::StoreError> {
    coroner_store::mishap::forget(home)
}

fn check(subject: &str, health: Health, text: impl Into<String>, help: Option<&str>) -> Check {
    Check { subject: subject.to_owned(), health, text: text.into(), help: help.map(str::to_owned) }
}

fn ok(subject: &str, text: impl Into<String>) -> Check {
    check(subject, Health::Ok, text, None)
}

fn note(subject: &str, text: impl Into<String>, help: Option<&str>) -> Check {
    check(subject, Health::Note, text, help)
}

fn problem(subject: &str, text: impl Into<String>, help: &str) -> Check {
    check(subject, Health::Problem, text, Some(help))
}
