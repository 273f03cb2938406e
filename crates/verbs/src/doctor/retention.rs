//! Transcripts that an agent is about to delete by itself.

use coroner_collect::transcripts::{self, CLAUDE_RETENTION_DAYS};
use coroner_model::Agent;
use jiff::Timestamp;

use super::{Check, note};
use crate::agents::Surroundings;

/// Days ahead in which a deletion is worth a word.
const AHEAD_DAYS: u64 = 7;

/// What Claude Code does with its transcripts; `days` is what its settings say.
pub(super) fn check(around: Surroundings<'_>, days: Option<u64>, now: Timestamp) -> Check {
    const HELP: &str = "coroner record --to week.tar.zst keeps them; or raise cleanupPeriodDays";
    let days = days.unwrap_or(CLAUDE_RETENTION_DAYS);
    let text = format!("transcripts are deleted after {days} days (cleanupPeriodDays)");
    let home = around.home().unwrap_or_default();
    let found = transcripts::retention(&home, around.env).into_iter().find(|found| found.agent == Agent::Claude);
    let Some(found) = found.map(|found| transcripts::Retention { days, ..found }) else {
        return note(Agent::Claude.word(), text, (days <= CLAUDE_RETENTION_DAYS).then_some(HELP));
    };
    let due = found.due(now, AHEAD_DAYS);
    let text = match due.first().and_then(|first| first.modified) {
        None => text,
        Some(oldest) => format!(
            "{text}: {} of {} within the next {AHEAD_DAYS} days, the oldest was last written on {}",
            due.len(),
            found.transcripts.len(),
            oldest.strftime("%Y-%m-%d")
        ),
    };
    note(Agent::Claude.word(), text, (!due.is_empty() || days <= CLAUDE_RETENTION_DAYS).then_some(HELP))
}
