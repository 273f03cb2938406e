//! Edit tools of the agents: what their inputs make of a file.

use serde_json::Value;

use super::{How, Known, Write, patch};
use crate::guard::tool::absolute;

/// One change of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Edit {
    /// The old text is replaced, once or everywhere.
    Replace { old: String, new: String, every: bool },
    /// Text goes in behind a line; 0: before the first.
    Insert { line: usize, text: String },
}

/// Names under which agents give a path.
const PATHS: &[&str] = &["file_path", "path", "filePath", "target_file", "absolute_path", "notebook_path"];

/// The files that a tool call would write.
pub(super) fn plan(tool: &str, input: &Value, cwd: &str) -> Vec<Write> {
    let name = tool.to_ascii_lowercase();
    if name.contains("patch")
        && let Some(text) = text(input, &["command", "input", "patch", "patchText", "patch_text"])
    {
        return patch::of_text(text, cwd, tool);
    }
    let Some(path) = text(input, PATHS).map(|path| absolute(cwd, path)) else { return Vec::new() };
    let write = |how| vec![Write { path: path.clone(), how, program: tool.to_owned(), opening: None }];
    // One tool of several commands.
    match text(input, &["command"]) {
        Some("view" | "undo_edit") => return Vec::new(),
        Some("create") => {
            return write(text(input, &["file_text", "content"]).map_or(How::Unknown, |t| How::Text(t.to_owned())));
        }
        Some("insert") => {
            let line = input.get("insert_line").and_then(Value::as_u64);
            let more = text(input, &["insert_text", "new_str", "text"]);
            return write(line.zip(more).map_or(How::Unknown, |(line, more)| {
                How::Edits(vec![Edit::Insert { line: line as usize, text: more.to_owned() }])
            }));
        }
        _ => {}
    }
    if ["delete_file", "remove_file"].contains(&name.as_str()) {
        return write(How::Gone);
    }
    let writes = ["write", "edit", "replace", "create"].iter().any(|word| name.contains(word));
    if !writes || name.contains("notebook") || name.starts_with("todo") {
        return Vec::new();
    }
    if let Some(all) = input.get("edits").and_then(Value::as_array) {
        let edits: Option<Vec<Edit>> = all.iter().map(replacement).collect();
        return write(edits.filter(|e| !e.is_empty()).map_or(How::Unknown, How::Edits));
    }
    if let Some(edit) = replacement(input) {
        return write(How::Edits(vec![edit]));
    }
    match text(input, &["content", "contents", "file_text", "text"]) {
        Some(whole) => write(How::Text(whole.to_owned())),
        None => write(How::Unknown),
    }
}

fn text<'v>(input: &'v Value, names: &[&str]) -> Option<&'v str> {
    names.iter().find_map(|name| input.get(name).and_then(Value::as_str))
}

fn replacement(input: &Value) -> Option<Edit> {
    let old = text(input, &["old_string", "old_str", "oldString", "old_text", "oldText"])?;
    let new = text(input, &["new_string", "new_str", "newString", "new_text", "newText"]).unwrap_or_default();
    let flag = |name: &str| input.get(name).and_then(Value::as_bool).unwrap_or(false);
    let expected = input.get("expected_replacements").and_then(Value::as_u64).unwrap_or(1);
    let every = flag("replace_all") || flag("replaceAll") || expected > 1;
    Some(Edit::Replace { old: old.to_owned(), new: new.to_owned(), every })
}

/// The text after all changes; one whose place is not found, or found twice, makes it unknown.
pub(super) fn apply(edits: &[Edit], now: &Known, clean: &dyn Fn(&str) -> String) -> Known {
    let mut text = match now {
        Known::Text(text) => text.clone(),
        Known::Absent | Known::Opened => String::new(),
        Known::Unknown => return Known::Unknown,
    };
    for edit in edits {
        match edit {
            Edit::Replace { old, new, .. } if old.is_empty() && text.is_empty() => text.clone_from(new),
            Edit::Replace { old, .. } if old.is_empty() => return Known::Unknown,
            Edit::Replace { old, new, every } => {
                let found = [old.clone(), clean(old)].into_iter().find(|old| text.contains(old.as_str()));
                let Some(old) = found else { return Known::Unknown };
                if !*every && text.matches(old.as_str()).count() > 1 {
                    return Known::Unknown;
                }
                text = text.replace(old.as_str(), new);
            }
            Edit::Insert { line, text: more } => {
                let mut lines: Vec<&str> = text.split_inclusive('\n').collect();
                if *line > lines.len() {
                    return Known::Unknown;
                }
                let ended = if more.ends_with('\n') { more.clone() } else { format!("{more}\n") };
                lines.insert(*line, &ended);
                text = lines.concat();
            }
        }
    }
    Known::Text(text)
}
