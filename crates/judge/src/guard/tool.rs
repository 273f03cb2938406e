//! What a tool call amounts to: a shell command, an edit of files, or neither.

use coroner_model::effect::{Circumstance, Effect, EffectKind};
use coroner_model::permission::PermissionRequest;
use serde_json::Value;

use super::{Judged, Story};

/// What a request is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Shell text.
    Command(String),
    /// Files that would be written, absolute; `whole` where all of them is replaced.
    Edits { paths: Vec<String>, whole: bool },
    /// Files whose text would be read, absolute.
    Reads { paths: Vec<String> },
    /// A tool of a server that takes something away there.
    Remote { tool: String, verb: String, target: String },
    /// A tool that neither runs nor writes.
    Harmless,
    /// No request at all, and why.
    Unreadable(String),
}

impl Action {
    /// The shell text that does the same; `None` where nothing is run or written.
    pub(crate) fn as_shell(&self) -> Option<String> {
        match self {
            Action::Command(command) => Some(command.clone()),
            Action::Edits { paths, whole } => {
                let writer = if *whole { "tee" } else { "sed -i -e s/a/b/" };
                let paths: Vec<String> = paths.iter().map(|p| quote(p)).collect();
                Some(format!("{writer} {} < /dev/null", paths.join(" ")))
            }
            Action::Reads { paths } => {
                let paths: Vec<String> = paths.iter().map(|p| quote(p)).collect();
                Some(format!("cat {}", paths.join(" ")))
            }
            // What it does lies outside of what a shell here could do.
            Action::Remote { .. } => Some(":".to_owned()),
            Action::Harmless | Action::Unreadable(_) => None,
        }
    }
}

/// Reads what a request is about.
pub fn action(request: &PermissionRequest) -> Action {
    if let Some(command) = &request.command {
        return Action::Command(command.clone());
    }
    let Some(tool) = &request.tool else {
        return Action::Unreadable("The request names neither a command nor a tool.".into());
    };
    if is_shell(tool) {
        return match command_of(&request.input) {
            Some(command) => Action::Command(command),
            None => Action::Unreadable(format!("The tool {tool} was called without a command that can be read.")),
        };
    }
    let named = named(&request.input, &request.cwd);
    let name = tool.to_ascii_lowercase();
    if !named.is_empty() && ["delete_file", "remove_file"].contains(&name.as_str()) {
        let words: Vec<String> = named.iter().map(|p| quote(p)).collect();
        return Action::Command(format!("rm {}", words.join(" ")));
    }
    let viewed = request.input.get("command").and_then(Value::as_str) == Some("view");
    if !named.is_empty() && (viewed || matches!(name.as_str(), "read" | "read_file" | "view" | "view_file")) {
        return Action::Reads { paths: named };
    }
    if let Some(foreign) = super::foreign::action(tool, &request.input, &request.cwd) {
        return foreign;
    }
    let paths = edited(tool, &request.input, &request.cwd);
    let whole = ["write", "create"].iter().any(|word| tool.to_ascii_lowercase().contains(word));
    if paths.is_empty() { Action::Harmless } else { Action::Edits { paths, whole } }
}

/// What is to be told of a tool that takes something away on its server.
pub(super) fn remote(tool: &str, verb: &str, target: &str) -> Judged {
    let mut effect = Effect::new(EffectKind::HttpMutation, format!("{verb} {target}").trim(), "mcp");
    effect.add_circumstance(Circumstance::Irreversible);
    let story = Story {
        would: format!("{verb} {} by the tool {tool}", if target.is_empty() { "something" } else { target }),
        why: "What a server deletes is not looked at from here, and nothing here can bring it back.".to_owned(),
        ..Story::default()
    };
    Judged { effect, story }
}

/// Whether a tool runs shell text; agents name it in their own ways.
pub(super) fn is_shell(tool: &str) -> bool {
    let name = tool.to_ascii_lowercase();
    matches!(
        name.as_str(),
        "bash"
            | "shell"
            | "local_shell"
            | "run_shell_command"
            | "exec_command"
            | "execute_command"
            | "terminal"
            | "run_terminal_cmd"
    )
}

/// The shell text of a tool's input: a string, or the words of a command.
pub fn command_of(input: &Value) -> Option<String> {
    let value = ["command", "cmd", "script"].iter().find_map(|key| input.get(key))?;
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Array(words) => {
            let words: Option<Vec<&str>> = words.iter().map(Value::as_str).collect();
            Some(words?.iter().map(|w| quote(w)).collect::<Vec<_>>().join(" "))
        }
        _ => None,
    }
}

/// A word as the shell would have to be given it.
pub fn quote(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:@%+,".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    quote_always(word)
}

/// The same with quotes around any word.
pub(crate) fn quote_always(word: &str) -> String {
    format!("'{}'", word.replace('\'', r"'\''"))
}

fn edited(tool: &str, input: &Value, cwd: &str) -> Vec<String> {
    let name = tool.to_ascii_lowercase();
    let writes = ["write", "edit", "patch", "replace", "create", "notebook"].iter().any(|word| name.contains(word));
    if !writes || name.starts_with("todo") {
        return Vec::new();
    }
    if name.contains("patch") {
        return patched(input, cwd);
    }
    named(input, cwd)
}

/// The files that a tool's input names.
fn named(input: &Value, cwd: &str) -> Vec<String> {
    ["file_path", "path", "filePath", "absolute_path", "notebook_path", "target_file"]
        .iter()
        .filter_map(|key| input.get(key).and_then(Value::as_str))
        .map(|path| absolute(cwd, path))
        .collect()
}

/// The files that a patch names, as Codex gives it.
fn patched(input: &Value, cwd: &str) -> Vec<String> {
    let text = ["command", "input", "patch", "patchText", "patch_text"]
        .iter()
        .find_map(|key| input.get(key).and_then(Value::as_str));
    let marks = ["*** Update File: ", "*** Add File: ", "*** Delete File: ", "*** Move to: "];
    let named = |line: &str| marks.iter().find_map(|mark| line.trim_end().strip_prefix(mark)).map(str::to_owned);
    text.unwrap_or_default().lines().filter_map(named).map(|path| absolute(cwd, &path)).collect()
}

/// A path made absolute without looking.
pub(crate) fn absolute(cwd: &str, path: &str) -> String {
    use coroner_read::shell::{Word, join};
    join(&Word::literal(cwd), &Word::literal(path)).show()
}
