//! A list of commands, one a line, without times or outcomes.

use coroner_model::Document;
use coroner_model::session::{Session, ToolCall};

/// Reads it; blank lines and comments are no commands, and a `cd` of its own holds for the lines after it.
pub fn read(document: &Document) -> Session {
    let mut session =
        Session { id: super::stem(&document.path).into(), path: document.path.clone(), ..Session::default() };
    for (index, line) in document.text.as_str().lines().enumerate() {
        let command = line.trim().strip_prefix("$ ").unwrap_or(line.trim());
        if command.is_empty() || command.starts_with('#') {
            continue;
        }
        let cwd = session.calls.last().map(after).unwrap_or_default();
        session.calls.push(ToolCall {
            cwd,
            number: session.calls.len() as u64 + 1,
            tool: "shell".to_owned(),
            command: Some(command.to_owned()),
            line: index as u64 + document.first_line.max(1),
            ..ToolCall::default()
        });
    }
    session
}

/// The working directory after a call: a line that is nothing but `cd /path` changes it.
fn after(call: &ToolCall) -> String {
    let command = call.command.as_deref().unwrap_or("");
    match command.strip_prefix("cd ").map(str::trim) {
        Some(path) if path.starts_with('/') && !path.contains([' ', ';', '&', '|']) => path.to_owned(),
        _ => call.cwd.clone(),
    }
}
