//! After how many days agents delete transcripts by themselves.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use coroner_model::Agent;
use coroner_read::agent_hooks;
use jiff::{SignedDuration, Timestamp};

use super::find::claude_folder;
use super::{Found, find};
use crate::place::{self, Text};

/// Days after which Claude Code deletes a transcript that nobody wrote to.
pub const CLAUDE_RETENTION_DAYS: u64 = 30;
/// Largest file of settings that is read, in bytes.
const SETTINGS_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// What an agent does with its own transcripts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Retention {
    pub agent: Agent,
    /// The file of settings that says so, or would.
    pub file: PathBuf,
    /// Days that a transcript is kept after it was last written.
    pub days: u64,
    /// When the oldest transcript was last written.
    pub oldest: Option<Timestamp>,
    /// Its transcripts, oldest first.
    pub transcripts: Vec<Found>,
}

impl Retention {
    /// Transcripts that are deleted at a start of the agent within so many days, oldest first.
    pub fn due(&self, now: Timestamp, within_days: u64) -> Vec<&Found> {
        let days = self.days.saturating_sub(within_days);
        let age = SignedDuration::from_hours(days.min(1_000_000) as i64 * 24);
        let Ok(limit) = now.checked_sub(age) else { return Vec::new() };
        self.transcripts.iter().filter(|found| found.modified.is_some_and(|at| at <= limit)).collect()
    }
}

/// The agents that are known to delete their transcripts and that have some.
pub fn retention(home: &Path, env: &BTreeMap<String, String>) -> Vec<Retention> {
    let file = claude_folder(home, env).join("settings.json");
    let days = match place::text(&file, SETTINGS_BYTES_MAX) {
        Text::Held(text) => agent_hooks::read(Agent::Claude, &text).retention_days,
        _ => None,
    };
    let transcripts: Vec<Found> = find(home, env, &[]).into_iter().filter(|found| found.agent == "claude").collect();
    if transcripts.is_empty() {
        return Vec::new();
    }
    let oldest = transcripts.iter().filter_map(|found| found.modified).min();
    vec![Retention { agent: Agent::Claude, file, days: days.unwrap_or(CLAUDE_RETENTION_DAYS), oldest, transcripts }]
}
