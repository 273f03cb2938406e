//! `exec`: judges what a person typed, runs it if it is allowed, and writes down that it ran.

use coroner_act::run;
pub use coroner_act::run::{RunError, Typed, shell};
use coroner_judge::guard::Loss;
use coroner_model::permission::{PermissionAnswer, PermissionRequest};
use jiff::Timestamp;
use serde_json::json;

use crate::guard::Guard;
use crate::lessons;
use crate::undo;

/// Folder of the records below Coroner's home.
pub const SESSIONS: &str = "sessions";
/// The name under which these sessions stand.
const AGENT: &str = "coroner-exec";
/// Name of the program in the shells' snippets.
const BINARY: &str = "@CORONER@";

const BASH: &str = include_str!("exec/coroner.bash");
const ZSH: &str = include_str!("exec/coroner.zsh");

/// A shell that people type into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shell {
    Bash,
    Zsh,
}

/// What to put into a shell's start file; `binary` is the program, quoted for a shell.
pub fn snippet(shell: Shell, binary: &str) -> String {
    match shell {
        Shell::Bash => BASH,
        Shell::Zsh => ZSH,
    }
    .replace(BINARY, binary)
}

/// A typed command with the answer to it.
#[derive(Debug)]
pub struct Judged {
    pub answer: PermissionAnswer,
    request: PermissionRequest,
    losses: Vec<Loss>,
}

/// Judges a text as part of what was typed into the same shell.
pub fn judge(guard: &mut Guard, text: &str) -> Judged {
    let around = guard.surroundings();
    let session = session(around.now);
    let record = run::part(&around.home.join(SESSIONS), &session);
    let request = PermissionRequest {
        command: Some(text.to_owned()),
        cwd: around.cwd.display().to_string(),
        session: Some(session),
        agent: Some(AGENT.to_owned()),
        ..PermissionRequest::default()
    };
    guard.tell_losses();
    let mut answer = guard.judge_with(request.clone(), Some(&record.to_string_lossy()));
    lessons::recall(guard.surroundings(), &mut answer);
    let losses = guard.take_losses();
    Judged { answer, request, losses }
}

/// One shell on one day.
fn session(now: Timestamp) -> String {
    format!("exec-{}-{}", now.strftime("%Y-%m-%d"), run::parent())
}

impl Judged {
    /// Keeps a copy of what the command destroys, now that it will run; what is to be said of it.
    pub fn keep(&self, guard: &Guard) -> Option<String> {
        if self.losses.is_empty() { None } else { undo::keep(guard, &self.request, &self.losses).1 }
    }

    /// Writes down how it ended: the exit code, or none where it was refused.
    pub fn record(&self, guard: &Guard, exit: Option<i32>, ended: Timestamp) -> std::io::Result<()> {
        let around = guard.surroundings();
        let session = self.request.session.clone().unwrap_or_default();
        let started = around.now;
        let head = json!({"schema": "coroner/session/v1", "session": session, "agent": AGENT,
            "title": "commands typed by a person", "cwd": self.request.cwd, "started": started});
        let line = json!({
            "tool_call": format!("{}-{}", started.as_nanosecond(), std::process::id()),
            "tool": "exec",
            "command": guard.clean(self.request.command.as_deref().unwrap_or_default()),
            "cwd": self.request.cwd,
            "at": started,
            "ended": ended,
            "duration_ms": ended.as_millisecond() - started.as_millisecond(),
            "exit_code": exit,
            "status": if exit.is_none() { "rejected" } else { "" },
        });
        run::record(&around.home.join(SESSIONS), &session, &head.to_string(), &line.to_string())
    }
}

/// Runs it; the exit code is the command's.
pub fn run(typed: &Typed) -> Result<i32, RunError> {
    run::run(typed)
}
