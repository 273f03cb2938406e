//! A turn or a session ends, or its text is about to be compacted: what was said until now is worth recording.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use coroner_collect::transcripts;
use serde_json::Value;

use super::{Agent, field, filled};

/// What came to an end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    agent: Agent,
    /// As the host names them: the session's transcript, and the subagent's.
    transcripts: Vec<PathBuf>,
    /// The host's id of the session; empty where it says none.
    session: String,
}

/// Events of each host after which there is something to record.
fn names(agent: Agent) -> &'static [&'static str] {
    match agent {
        Agent::Claude => &["Stop", "SubagentStop", "SessionEnd", "PreCompact"],
        Agent::Codex => &["Stop", "SubagentStop", "SessionEnd", "PreCompact", "Interrupt"],
        Agent::Gemini => &["AfterAgent", "SessionEnd", "PreCompress"],
        Agent::Cursor => &["stop", "subagentStop", "sessionEnd", "preCompact"],
        Agent::Copilot => &[
            "agentStop",
            "subagentStop",
            "sessionEnd",
            "preCompact",
            "Stop",
            "SubagentStop",
            "SessionEnd",
            "PreCompact",
        ],
        Agent::OpenCode => &["session.idle", "session.compacted"],
    }
}

/// What an event says to have ended; `None` for any other event.
pub(super) fn of(agent: Agent, event: &Value) -> Option<Ended> {
    let ends = match event.get("hook_event_name").and_then(Value::as_str) {
        Some(name) => names(agent).contains(&name),
        // The nameless payload of Copilot: only these events have such a field, and no tool.
        None => {
            let told = ["stopReason", "reason", "trigger"].iter().any(|key| event.get(key).is_some());
            agent == Agent::Copilot && told && event.get("toolName").is_none()
        }
    };
    let paths = ["transcript_path", "agent_transcript_path", "transcriptPath", "agentTranscriptPath"];
    let transcripts: Vec<PathBuf> =
        paths.iter().filter_map(|key| filled(field(event, key))).map(PathBuf::from).collect();
    // Of these it is known where they keep a session that they do not point to.
    let is_known = !transcripts.is_empty() || matches!(agent, Agent::Copilot | Agent::OpenCode);
    let session = ["session_id", "sessionId", "sessionID"].iter().find_map(|key| filled(field(event, key)));
    (ends && is_known).then(|| Ended { agent, transcripts, session: session.unwrap_or_default() })
}

impl Ended {
    /// The sources that are to be read on, as far as they are there.
    pub fn sources(&self, env: &BTreeMap<String, String>) -> Vec<PathBuf> {
        let home = env.get("HOME").map(PathBuf::from).unwrap_or_default();
        let mut all = self.transcripts.clone();
        if all.is_empty() {
            all.extend(self.usual(&home, env));
        }
        all.retain(|path| path.is_absolute() && path.is_file());
        all
    }

    /// Where the host keeps the session if it does not say.
    fn usual(&self, home: &Path, env: &BTreeMap<String, String>) -> Option<PathBuf> {
        let is_plain =
            !self.session.is_empty() && !self.session.contains(['/', '\\']) && !self.session.starts_with('.');
        match self.agent {
            Agent::OpenCode => Some(transcripts::open_code_folder(home, env).join("opencode.db")),
            Agent::Copilot if is_plain => {
                Some(home.join(".copilot/session-state").join(&self.session).join("events.jsonl"))
            }
            _ => None,
        }
    }
}
