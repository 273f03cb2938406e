//! What became of a call, read from its output: Codex writes no exit codes beside it.

use coroner_model::entry::{ExitKnown, ToolKind};
use coroner_model::session::CallStatus;
use serde_json::{Map, Value};

/// Most lines that stand before the output of a program.
const HEADER_LINES_MAX: usize = 12;
/// Beginnings of what Codex answers itself where nothing was run: refused by a person, by a
/// policy, or because the input could not be understood.
const REFUSED: &[&str] = &[
    "exec command rejected",
    "command rejected",
    "patch rejected",
    "rejected by user",
    "rejected:",
    "this action was rejected",
    "approval policy is",
    "unsupported call",
    "failed to parse function arguments",
    "apply_patch verification failed",
];

/// What an output says.
#[derive(Debug, PartialEq, Eq)]
pub struct Outcome {
    pub text: String,
    pub status: CallStatus,
    pub exit_code: Option<i64>,
    pub known: ExitKnown,
    /// The terminal in which the program still runs.
    pub terminal: Option<u64>,
}

/// Reads the output of a call: text, JSON in a string, an object or a list of content items.
pub fn read(output: Option<&Value>, kind: ToolKind) -> Outcome {
    match output {
        Some(Value::String(text)) => match in_string(text) {
            Some(fields) => structured(&fields, kind),
            None => plain(text.clone(), kind),
        },
        Some(Value::Object(fields)) => structured(fields, kind),
        items => plain(super::texts(items).join("\n"), kind),
    }
}

/// The object in an output that is JSON and says how a program ended.
fn in_string(text: &str) -> Option<Map<String, Value>> {
    let object = text.trim_start().starts_with('{').then(|| serde_json::from_str::<Value>(text).ok())??;
    let Value::Object(fields) = object else { return None };
    (fields.get("metadata").is_some_and(|m| m.get("exit_code").is_some()) && fields.contains_key("output"))
        .then_some(fields)
}

fn structured(fields: &Map<String, Value>, kind: ToolKind) -> Outcome {
    let text = ["output", "content"].iter().find_map(|key| fields.get(*key));
    let exit_code = fields.get("metadata").and_then(|m| m.get("exit_code")).and_then(Value::as_i64);
    let Some(exit_code) = exit_code else {
        let mut found = read(text.filter(|value| !value.is_object()), kind);
        let success = fields.get("success").and_then(Value::as_bool).filter(|_| found.status == CallStatus::Unknown);
        if let Some(success) = success {
            found.status = if success { CallStatus::Ok } else { CallStatus::Error };
        }
        return found;
    };
    Outcome {
        text: super::texts(text).join("\n"),
        status: ended(exit_code),
        exit_code: Some(exit_code),
        known: ExitKnown::Reported,
        terminal: None,
    }
}

fn ended(exit_code: i64) -> CallStatus {
    if exit_code == 0 { CallStatus::Ok } else { CallStatus::Error }
}

fn plain(text: String, kind: ToolKind) -> Outcome {
    let (exit_code, terminal) = header(&text);
    let exit_code = exit_code.or_else(|| in_sandbox(&text));
    let status = match (exit_code, terminal) {
        (Some(code), _) => ended(code),
        (None, Some(_)) => CallStatus::Background,
        (None, None) => answered(&text, kind),
    };
    let known = if exit_code.is_some() { ExitKnown::InText } else { ExitKnown::Unknown };
    Outcome { text, status, exit_code, known, terminal }
}

/// The exit code and the terminal that stand before a program's own output, which may print the like.
fn header(text: &str) -> (Option<i64>, Option<u64>) {
    let (mut exit_code, mut terminal) = (None, None);
    let lines: Vec<&str> = text.trim_start().lines().take(HEADER_LINES_MAX).collect();
    let output = lines.iter().position(|line| *line == "Output:");
    let is_marked = output.is_some_and(|end| lines[..end].iter().any(|line| line.starts_with("Wall time:")));
    for line in &lines[..output.unwrap_or(lines.len())] {
        let after = |start: &str| line.strip_prefix(start).map(str::trim);
        if let Some(code) = after("Exit code:").or_else(|| after("Process exited with code")) {
            exit_code = exit_code.or(code.parse().ok());
        } else if let Some(number) = after("Process running with session ID") {
            terminal = terminal.or(number.parse().ok());
        } else if !is_marked && !line.starts_with("Wall time:") {
            break;
        }
    }
    (exit_code, terminal)
}

/// The exit code of a program that failed in the sandbox, as the message names it.
fn in_sandbox(text: &str) -> Option<i64> {
    let rest = &text[text.starts_with("failed in sandbox").then(|| text.find("exit code:"))?? + "exit code:".len()..];
    rest.trim_start().split(|c: char| !c.is_ascii_digit() && c != '-').next()?.parse().ok()
}

/// What an answer means that holds no exit code: Codex's own words, or what a tool says.
fn answered(text: &str, kind: ToolKind) -> CallStatus {
    let start = text.trim_start();
    let begins = |word: &&str| start.get(..word.len()).is_some_and(|s| s.eq_ignore_ascii_case(word));
    if REFUSED.iter().any(begins) || start.starts_with("failed in sandbox") {
        CallStatus::Rejected
    } else if start.trim_end() == "aborted" || text.lines().take(2).any(|l| l.starts_with("aborted by user")) {
        CallStatus::Interrupted
    } else if start.starts_with("exec_command failed") {
        if start.contains("Rejected(") { CallStatus::Rejected } else { CallStatus::Error }
    } else if kind == ToolKind::Edit && start.starts_with("Success.") {
        CallStatus::Ok
    } else {
        CallStatus::Unknown
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_outcome_is_read_from_every_form_of_output() {
        let of = |output: Value| {
            let found = read(Some(&output), ToolKind::Shell);
            (found.status, found.exit_code, found.known)
        };
        let unknown = |status| (status, None, ExitKnown::Unknown);
        let (failed, well) = (CallStatus::Error, CallStatus::Ok);
        let reported = json!({"output": "Exit code: 9", "metadata": {"exit_code": 1}});
        assert_eq!(of(json!(reported.to_string())), (failed, Some(1), ExitKnown::Reported));
        assert_eq!(of(reported), (failed, Some(1), ExitKnown::Reported));
        assert_eq!(of(json!("Exit code: 3\nWall time: 1 s\nOutput:\nno")), (failed, Some(3), ExitKnown::InText));
        let items = json!([{"type": "input_text", "text": "Chunk ID: a\nWall time: 1 s\nProcess exited with code 0\nOutput:\n"}]);
        assert_eq!(of(items), (well, Some(0), ExitKnown::InText));
        assert_eq!(of(json!("Wall time: 1 s\nOutput:\nExit code: 3")), unknown(CallStatus::Unknown));
        let marked = "Command: ls\nWall time: 1 s\nProcess exited with code 4\nOutput:\n";
        assert_eq!(of(json!(marked)), (failed, Some(4), ExitKnown::InText));
        assert_eq!(of(json!("running\nExit code: 3\n")), unknown(CallStatus::Unknown));
        assert_eq!(of(json!("2 tests passed")), unknown(CallStatus::Unknown));
        assert_eq!(of(json!("exec command rejected by user")), unknown(CallStatus::Rejected));
        assert_eq!(of(json!("aborted by user after 3.1s")), unknown(CallStatus::Interrupted));
        let sandbox = "failed in sandbox LinuxSeccomp with execution error: denied, exit code: 2, stdout: , stderr: x";
        assert_eq!(of(json!(sandbox)), (failed, Some(2), ExitKnown::InText));
        assert_eq!(of(json!({"content": "no such tool", "success": false})), unknown(failed));
        assert_eq!(of(Value::Null), unknown(CallStatus::Unknown));
    }
}
