//! Tool calls of any agent: what a tool is for, and what its input names.

use coroner_model::entry::{Call, Change, Operation, ToolKind};
use serde_json::{Map, Value};

/// Keys under which agents give the text for a shell.
const COMMANDS: &[&str] = &["command", "cmd", "script"];
/// Keys under which agents give a path.
const PATHS: &[&str] = &[
    "file_path",
    "path",
    "filePath",
    "target_file",
    "absolute_path",
    "notebook_path",
    "dir_path",
    "directory",
    "relative_workspace_path",
    "file",
];
/// Keys under which agents give a working folder.
const FOLDERS: &[&str] = &["workdir", "working_directory", "cwd", "directory"];
const BEFORE: &[&str] = &["old_string", "old_str", "oldString", "old_text", "oldText"];
const AFTER: &[&str] = &["new_string", "new_str", "newString", "new_text", "newText"];
const WHOLE: &[&str] = &["content", "contents", "file_text", "code_edit"];
const PATCHES: &[&str] = &["patch", "patchText", "patch_text", "input"];

/// A call from its tool's name and input.
pub fn call(id: String, tool: &str, input: Value) -> Call {
    let kind = kind(tool);
    let raw_input = (!input.is_null()).then(|| input.clone());
    let mut call = Call { id, tool: tool.to_owned(), kind, raw_input, ..Call::default() };
    let mut fields = match input {
        Value::Object(fields) => fields,
        Value::Null => return call,
        Value::String(text) if kind == ToolKind::Edit => {
            call.changes = patch(&text);
            call.paths = call.changes.iter().map(|c| c.path.clone()).collect();
            if call.changes.is_empty() {
                call.input = Some(text);
            }
            return call;
        }
        Value::String(text) if kind == ToolKind::Shell => {
            call.command = Some(text);
            return call;
        }
        other => {
            call.input = Some(other.to_string());
            return call;
        }
    };
    if kind == ToolKind::Shell {
        call.command = COMMANDS.iter().find_map(|key| shell_text(fields.get(*key)?));
        if call.command.is_some() {
            COMMANDS.iter().for_each(|key| drop(fields.remove(*key)));
        }
        call.cwd = text(&fields, FOLDERS).map(str::to_owned);
    } else {
        call.paths = PATHS.iter().filter_map(|key| Some(fields.get(*key)?.as_str()?.to_owned())).collect();
        call.paths.dedup();
    }
    if matches!(kind, ToolKind::Write | ToolKind::Edit) {
        changes(&mut call, &mut fields);
        if !call.changes.is_empty() {
            PATHS.iter().for_each(|key| drop(fields.remove(*key)));
        }
    }
    if !fields.is_empty() {
        call.input = Some(Value::Object(fields).to_string());
    }
    call
}

/// What a tool is for, by its name.
pub fn kind(tool: &str) -> ToolKind {
    let name = tool.to_ascii_lowercase();
    if name.starts_with("mcp_") {
        return ToolKind::Mcp;
    }
    let is = |names: &[&str]| names.contains(&name.as_str());
    let has = |words: &[&str]| words.iter().any(|word| name.contains(word));
    if is(&["bash", "exec", "exec_command", "local_shell", "local_shell_call", "powershell", "write_stdin"])
        || has(&["shell", "terminal", "run_command", "execute_command"])
    {
        ToolKind::Shell
    } else if is(&["task", "agent", "spawn_agent", "subagent"]) {
        ToolKind::Agent
    } else if is(&["askuserquestion", "exitplanmode", "ask_user", "question"]) {
        ToolKind::Ask
    } else if has(&["todo", "plan", "memory"]) {
        ToolKind::Other
    } else if is(&["write", "create", "write_file", "create_file", "delete_file", "remove_file"]) {
        ToolKind::Write
    } else if has(&["edit", "patch", "replace"]) {
        ToolKind::Edit
    } else if has(&["web", "fetch", "browser"]) {
        ToolKind::Web
    } else if has(&["grep", "glob", "search", "find", "list", "ls"]) {
        ToolKind::Search
    } else if has(&["read", "view", "cat"]) {
        ToolKind::Read
    } else {
        ToolKind::Other
    }
}

/// Shell text: a string, or the words of `bash -lc TEXT`.
fn shell_text(value: &Value) -> Option<String> {
    if let Some(text) = value.as_str() {
        return Some(text.to_owned());
    }
    let words: Vec<&str> = value.as_array()?.iter().filter_map(Value::as_str).collect();
    match words.as_slice() {
        [shell, flag, text]
            if flag.starts_with('-')
                && flag.ends_with('c')
                && ["sh", "bash", "zsh", "dash"].iter().any(|s| shell.ends_with(s)) =>
        {
            Some((*text).to_owned())
        }
        [] => None,
        words => Some(words.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" ")),
    }
}

/// A word as a shell reads it back.
fn quoted(word: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_./=:,+@%".contains(&b);
    if !word.is_empty() && word.bytes().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}

fn text<'f>(fields: &'f Map<String, Value>, keys: &[&str]) -> Option<&'f str> {
    keys.iter().find_map(|key| fields.get(*key).and_then(Value::as_str))
}

/// Takes the texts that go and come out of an input.
fn changes(call: &mut Call, fields: &mut Map<String, Value>) {
    if let Some(found) = text(fields, PATCHES).map(patch).filter(|found| !found.is_empty()) {
        PATCHES.iter().for_each(|key| drop(fields.remove(*key)));
        call.paths.extend(found.iter().map(|change| change.path.clone()));
        call.changes = found;
        return;
    }
    let Some(path) = call.paths.first().cloned() else { return };
    let name = call.tool.to_ascii_lowercase();
    if name.contains("delete") || name.contains("remove") {
        call.changes.push(Change { path, operation: Operation::Delete, before: None, after: None });
        return;
    }
    if let Some(Value::Array(edits)) = fields.remove("edits") {
        let parts = edits.into_iter().filter_map(|edit| if let Value::Object(f) = edit { Some(f) } else { None });
        call.changes = parts.map(|mut part| replacement(&path, &mut part)).collect();
        return;
    }
    if BEFORE.iter().any(|key| fields.contains_key(*key)) || AFTER.iter().any(|key| fields.contains_key(*key)) {
        call.changes.push(replacement(&path, fields));
    } else if let Some(after) = take(fields, WHOLE) {
        call.changes.push(Change { path, operation: Operation::Write, before: None, after: Some(after) });
    }
}

fn replacement(path: &str, fields: &mut Map<String, Value>) -> Change {
    let (before, after) = (take(fields, BEFORE), take(fields, AFTER));
    Change { path: path.to_owned(), operation: Operation::Edit, before, after }
}

fn take(fields: &mut Map<String, Value>, keys: &[&str]) -> Option<String> {
    keys.iter().find_map(|key| match fields.remove(*key)? {
        Value::String(text) => Some(text),
        _ => None,
    })
}

/// The changes of a patch in the form `*** Begin Patch`, or of a unified diff.
pub fn patch(text: &str) -> Vec<Change> {
    let mut found: Vec<Change> = Vec::new();
    let mut left = "";
    // In this form `--- x` is the line `-- x` that goes, not a header.
    let is_unified = !text.contains("*** Begin Patch");
    for line in text.lines() {
        let header = |word: &str| line.strip_prefix(word).map(|path| path.trim().to_owned());
        let begun = if let Some(path) = header("*** Add File:") {
            Some((path, Operation::Write))
        } else if let Some(path) = header("*** Update File:") {
            Some((path, Operation::Edit))
        } else if let Some(path) = header("*** Delete File:") {
            Some((path, Operation::Delete))
        } else if let (Some(path), Some(moved)) = (header("*** Move to:"), found.last_mut()) {
            moved.operation = Operation::Move;
            Some((path, Operation::Edit))
        } else if !is_unified {
            None
        } else if let Some(path) = line.strip_prefix("--- ") {
            left = path.split('\t').next().unwrap_or(path).trim();
            continue;
        } else if let Some(path) = line.strip_prefix("+++ ") {
            unified(left, path.split('\t').next().unwrap_or(path).trim())
        } else {
            None
        };
        if let Some((path, operation)) = begun {
            found.push(Change { path, operation, before: None, after: None });
        } else if let Some(change) = found.last_mut() {
            add_line(change, line);
        }
    }
    found
}

fn unified(left: &str, right: &str) -> Option<(String, Operation)> {
    let bare = |path: &str| path.strip_prefix("a/").or_else(|| path.strip_prefix("b/")).unwrap_or(path).to_owned();
    match (left, right) {
        ("", "") => None,
        (left, "/dev/null") => Some((bare(left), Operation::Delete)),
        ("/dev/null", right) => Some((bare(right), Operation::Write)),
        (_, right) => Some((bare(right), Operation::Edit)),
    }
}

fn add_line(change: &mut Change, line: &str) {
    let side = match line.as_bytes().first() {
        Some(b'+') => &mut change.after,
        Some(b'-') => &mut change.before,
        _ => return,
    };
    let text = side.get_or_insert_default();
    text.push_str(&line[1..]);
    text.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn inputs_of_several_agents_give_commands_paths_and_changes() {
        let bash = call("1".into(), "Bash", json!({"command": "ls -l", "description": "look"}));
        assert_eq!((bash.command.as_deref(), bash.kind), (Some("ls -l"), ToolKind::Shell));
        assert_eq!(bash.input.as_deref(), Some(r#"{"description":"look"}"#));
        let shell = call("2".into(), "shell", json!({"command": ["bash", "-lc", "pytest -q"], "workdir": "/a"}));
        assert_eq!((shell.command.as_deref(), shell.cwd.as_deref()), (Some("pytest -q"), Some("/a")));
        let words = call("3".into(), "shell", json!({"command": ["git", "commit", "-m", "a b"]}));
        assert_eq!(words.command.as_deref(), Some("git commit -m 'a b'"));
        let edit = call("4".into(), "Edit", json!({"file_path": "/a/b.rs", "old_string": "x", "new_string": "y"}));
        let change = &edit.changes[0];
        assert_eq!(
            (change.path.as_str(), change.before.as_deref(), change.after.as_deref()),
            ("/a/b.rs", Some("x"), Some("y"))
        );
        let write = call("5".into(), "write_file", json!({"file_path": "c", "content": "text"}));
        assert_eq!((write.changes[0].operation, write.input), (Operation::Write, None));
    }

    #[test]
    fn a_patch_names_its_files_and_both_sides() {
        let text =
            "*** Begin Patch\n*** Update File: src/a.rs\n@@\n-old\n+new\n*** Delete File: b.txt\n*** End Patch\n";
        let found = call("1".into(), "apply_patch", Value::String(text.into())).changes;
        assert_eq!(found.len(), 2);
        assert_eq!((found[0].before.as_deref(), found[0].after.as_deref()), (Some("old\n"), Some("new\n")));
        assert_eq!((found[1].path.as_str(), found[1].operation), ("b.txt", Operation::Delete));
        let text = "*** Begin Patch\n*** Update File: a.sql\n*** Move to: b.sql\n@@\n--- old\n+++ new\n*** End Patch";
        let found: Vec<_> = patch(text).into_iter().map(|c| (c.path, c.operation, c.before)).collect();
        let removed = Some("-- old\n".to_owned());
        assert_eq!(found, [("a.sql".into(), Operation::Move, None), ("b.sql".to_owned(), Operation::Edit, removed)]);
        let found = patch("--- a/x.py\n+++ b/x.py\n@@ -1 +1 @@\n-a\n+b\n");
        assert_eq!((found[0].path.as_str(), found[0].operation), ("x.py", Operation::Edit));
    }
}
