//! `incident draft`: turns a kept investigation into a post-mortem.

use coroner_judge::postmortem;
use coroner_model::incident::Incident;
use coroner_read::incident_file;
use coroner_store::StoreError;
use serde::{Deserialize, Serialize};

use crate::investigate::{self, InvestigateError};
use crate::workspace::Workspace;

/// The schema of a drafted incident.
pub const DRAFT_SCHEMA: &str = "coroner/incident-draft/v1";

/// A drafted incident.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DraftReport {
    pub schema: String,
    pub investigation: String,
    pub incident: Incident,
    /// The incident as a Markdown file.
    pub markdown: String,
    pub state: DraftState,
}

/// Whether the draft is new in the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DraftState {
    /// It was kept just now.
    Kept,
    /// It was kept before; what a person changed since is left as it is.
    AlreadyThere,
}

/// Why nothing could be drafted.
#[derive(Debug, thiserror::Error)]
pub enum DraftError {
    #[error(transparent)]
    Investigation(#[from] InvestigateError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl DraftError {
    /// What a person can do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            DraftError::Investigation(error) => error.hint(),
            DraftError::Store(error) => error.hint().unwrap_or_default(),
        }
    }
}

/// Drafts the incident of an investigation (the newest one for an empty id) and keeps it as open.
pub fn draft(ws: &Workspace, investigation: &str) -> Result<DraftReport, DraftError> {
    let report = investigate::kept(&ws.store, investigation)?;
    let mut incident = postmortem::draft(report.id.as_str(), &report.investigation, &ws.patterns);
    incident_file::normal(&mut incident);
    let (incident, state) = match ws.store.incident(&incident.id)? {
        Some(known) => (known, DraftState::AlreadyThere),
        None => {
            ws.store.put_incident(&incident, ws.now)?;
            let _ = crate::lessons::refresh(&ws.store);
            (incident, DraftState::Kept)
        }
    };
    Ok(DraftReport {
        schema: DRAFT_SCHEMA.to_owned(),
        investigation: report.id.to_string(),
        markdown: incident_file::write(&incident),
        incident,
        state,
    })
}
