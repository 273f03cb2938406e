//! Transcripts that an agent is about to delete by itself, and whether they are recorded.

use std::collections::BTreeMap;

use coroner_collect::source_file;
use coroner_collect::transcripts::{self, CLAUDE_RETENTION_DAYS, Found};
use coroner_model::Agent;
use coroner_model::source::SourceState;

use super::{Check, note};
use crate::agents::Surroundings;
use crate::workspace::{WorkspaceRequest, open_store_to_read};

/// Days ahead in which a deletion is worth a word.
const AHEAD_DAYS: u64 = 7;
const HELP: &str = "coroner record";

/// What Claude Code does with its transcripts; `days` is what its settings say.
pub(super) fn check(around: Surroundings<'_>, workspace: &WorkspaceRequest, days: Option<u64>) -> Check {
    let days = days.unwrap_or(CLAUDE_RETENTION_DAYS);
    let text = format!("transcripts are deleted after {days} days (cleanupPeriodDays)");
    let home = around.home().unwrap_or_default();
    let found = transcripts::retention(&home, around.env).into_iter().find(|found| found.agent == Agent::Claude);
    let Some(found) = found.map(|found| transcripts::Retention { days, ..found }) else {
        return note(Agent::Claude.word(), text, None);
    };
    // A store that is not there yet, or cannot be read, holds nothing that could be relied on.
    let known = open_store_to_read(workspace).ok().and_then(|store| store.sources().ok()).unwrap_or_default();
    let due = found.due(workspace.now, AHEAD_DAYS);
    let lost: Vec<&&Found> = due.iter().filter(|found| !is_recorded(found, &known)).collect();
    let Some(oldest) = lost.first().and_then(|first| first.modified) else {
        let behind = found.transcripts.iter().filter(|found| !is_recorded(found, &known)).count();
        let recorded = match (due.len(), behind) {
            (_, 0) => "; all of them are recorded".to_owned(),
            (0, behind) => format!("; {behind} of {} are not recorded yet", found.transcripts.len()),
            (due, _) => format!("; the {due} that go within the next {AHEAD_DAYS} days are recorded"),
        };
        return note(Agent::Claude.word(), text + &recorded, (behind > 0).then_some(HELP));
    };
    let text = format!(
        "{text}: {} that go within the next {AHEAD_DAYS} days are not recorded, the oldest was last written on {}",
        lost.len(),
        oldest.strftime("%Y-%m-%d")
    );
    note(Agent::Claude.word(), text, Some(HELP))
}

/// Whether the store holds a transcript as it stands now.
fn is_recorded(found: &Found, known: &BTreeMap<String, SourceState>) -> bool {
    let state = known.get(&*found.path.to_string_lossy());
    state.is_some_and(|state| source_file::stamp(&found.path).is_ok_and(|stamp| stamp == state.stamp))
}
