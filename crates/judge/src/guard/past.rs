//! What the session did before: edits and commands, as far as they reached their target.

use coroner_model::Citation;
use coroner_model::Source;
use coroner_model::permission::PermissionRequest;
use coroner_model::session::{CallStatus, Session};

use super::tool::{self, Action};

/// One earlier call of a session.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Deed {
    /// Shell text, where it was a command.
    pub command: Option<String>,
    /// Files that it wrote, absolute.
    pub edits: Vec<String>,
    /// Whether it wrote them whole, rather than changing parts of them.
    pub whole: bool,
    pub outcome: Outcome,
    pub at: Option<jiff::Timestamp>,
    /// Texts that it left in files, by absolute path, as far as they are known.
    pub texts: Vec<(String, String)>,
    pub cwd: String,
    /// How a person would name it: `session s1, call 12`.
    pub name: String,
    pub cited: Option<Citation>,
}

/// How far a call came, as far as it is known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Outcome {
    #[default]
    Done,
    /// It failed, maybe after it did what it was to do.
    Failed,
    /// It failed before it reached its target, or still waits for its answer.
    Unreached,
}

impl Deed {
    /// The deed that a request was, were it carried out; `None` where it is none.
    pub fn of_request(request: &PermissionRequest, number: usize) -> Option<Deed> {
        let (command, edits, whole) = match tool::action(request) {
            Action::Command(command) => (Some(command), Vec::new(), false),
            Action::Edits { paths, whole, .. } => (None, paths, whole),
            Action::Harmless | Action::Reads { .. } | Action::Remote { .. } | Action::Unreadable(_) => return None,
        };
        let session = request.session.as_deref().unwrap_or_default();
        Some(Deed {
            command,
            edits,
            whole,
            outcome: Outcome::Done,
            at: None,
            texts: Vec::new(),
            cwd: request.cwd.clone(),
            name: format!("session {session}, request {number}"),
            cited: None,
        })
    }
}

/// What a client prints that never reached its target.
const UNREACHED: [&str; 8] = [
    "connection refused",
    "could not resolve",
    "couldn't connect",
    "failed to connect",
    "name or service not known",
    "no route to host",
    "command not found",
    "no such file or directory",
];

fn outcome(session: &Session, call: &coroner_model::session::ToolCall) -> Outcome {
    let text = call.output.to_ascii_lowercase();
    match call.status {
        // Exit codes of a client for what was wrong before a connection stood, and of a shell.
        CallStatus::Error
            if matches!(call.exit_code, Some(2 | 3 | 5 | 6 | 7 | 35 | 60 | 126 | 127))
                || UNREACHED.iter().any(|words| text.contains(words)) =>
        {
            Outcome::Unreached
        }
        CallStatus::Error => Outcome::Failed,
        // The agent notes a call before it is judged; this may be the very one.
        CallStatus::Unknown if session.agent == "claude" && text.is_empty() => Outcome::Unreached,
        _ => Outcome::Done,
    }
}

/// The deeds of a session by its transcripts; calls that never ran are left out.
pub fn deeds_of(sessions: &[Session], id: &str) -> Vec<Deed> {
    let mut calls: Vec<_> = sessions
        .iter()
        .filter(|s| s.id.as_str() == id)
        .flat_map(|s| s.calls.iter().map(move |call| (s, call)))
        .filter(|(_, call)| call.status != CallStatus::Rejected)
        .collect();
    calls.sort_by_key(|(_, call)| call.at);
    calls
        .into_iter()
        .filter_map(|(session, call)| {
            let request = PermissionRequest {
                command: call.command.clone(),
                tool: Some(call.tool.clone()),
                input: call.input.clone(),
                cwd: if call.cwd.is_empty() { session.cwd.clone() } else { call.cwd.clone() },
                session: Some(id.to_owned()),
                ..PermissionRequest::default()
            };
            let mut deed = Deed::of_request(&request, 0)?;
            deed.name = format!("session {id}, call {}", call.number);
            deed.outcome = outcome(session, call);
            deed.at = call.at;
            let shown = deed.command.clone().unwrap_or_else(|| format!("{} {}", call.tool, deed.edits.join(" ")));
            let line = shown.lines().next().unwrap_or_default();
            let text: String = line.chars().take(coroner_model::evidence::EXCERPT_CHARS_MAX).collect();
            deed.cited = Some(Citation::new(Source::Session, format!("{}:{}", session.path, call.line), text));
            Some(deed)
        })
        .collect()
}
