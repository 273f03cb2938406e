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
    /// Texts that it left in files, by absolute path, as far as they are known.
    pub texts: Vec<(String, String)>,
    pub cwd: String,
    /// How a person would name it: `session s1, call 12`.
    pub name: String,
    pub cited: Option<Citation>,
}

impl Deed {
    /// The deed that a request was, were it carried out; `None` where it is none.
    pub fn of_request(request: &PermissionRequest, number: usize) -> Option<Deed> {
        let (command, edits) = match tool::action(request) {
            Action::Command(command) => (Some(command), Vec::new()),
            Action::Edits { paths, .. } => (None, paths),
            Action::Harmless | Action::Reads { .. } | Action::Unreadable(_) => return None,
        };
        let session = request.session.as_deref().unwrap_or_default();
        Some(Deed {
            command,
            edits,
            texts: Vec::new(),
            cwd: request.cwd.clone(),
            name: format!("session {session}, request {number}"),
            cited: None,
        })
    }
}

/// The deeds of a session by its transcripts; calls that failed or never ran are left out.
pub fn deeds_of(sessions: &[Session], id: &str) -> Vec<Deed> {
    let mut calls: Vec<_> = sessions
        .iter()
        .filter(|s| s.id.as_str() == id)
        .flat_map(|s| s.calls.iter().map(move |call| (s, call)))
        .filter(|(_, call)| !matches!(call.status, CallStatus::Rejected | CallStatus::Error))
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
            let shown = deed.command.clone().unwrap_or_else(|| format!("{} {}", call.tool, deed.edits.join(" ")));
            let line = shown.lines().next().unwrap_or_default();
            let text: String = line.chars().take(coroner_model::evidence::EXCERPT_CHARS_MAX).collect();
            deed.cited = Some(Citation::new(Source::Session, format!("{}:{}", session.path, call.line), text));
            Some(deed)
        })
        .collect()
}
