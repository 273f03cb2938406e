//! Brings services into one form and lays one file's tree over another's.

use crate::compose::short;
use crate::yaml::{Entry, Node, Value};

/// Lists of `NAME=value` that mean a mapping.
const ASSIGNMENT_LISTS: [&str; 6] = ["environment", "labels", "args", "annotations", "sysctls", "driver_opts"];
/// Lists of names that mean a mapping without values.
const NAME_LISTS: [&str; 2] = ["networks", "depends_on"];
/// Lists that a later file replaces as a whole.
const REPLACED_LISTS: [&str; 3] = ["command", "entrypoint", "test"];

/// Brings the short forms of a service into the long ones, so that merging is by key.
pub fn normalise(service: &mut Node) {
    let Value::Map(entries) = &mut service.value else { return };
    for entry in entries {
        let key = entry.key.as_str();
        if ASSIGNMENT_LISTS.contains(&key) {
            assignments_to_map(&mut entry.value);
        } else if NAME_LISTS.contains(&key) {
            names_to_map(&mut entry.value);
        } else if key == "env_file" && matches!(entry.value.value, Value::Scalar { .. }) {
            let one = std::mem::replace(&mut entry.value, Node::null(entry.line));
            entry.value = Node { line: one.line, file: one.file, tag: None, value: Value::List(vec![one]) };
        } else if key == "build" {
            match &mut entry.value.value {
                Value::Scalar { .. } => {
                    let context = std::mem::replace(&mut entry.value, Node::null(entry.line));
                    let (line, file) = (context.line, context.file);
                    let inner = Entry { key: "context".into(), line, value: context };
                    entry.value = Node { line, file, tag: None, value: Value::Map(vec![inner]) };
                }
                Value::Map(inner) => inner
                    .iter_mut()
                    .filter(|e| ASSIGNMENT_LISTS.contains(&e.key.as_str()))
                    .for_each(|e| assignments_to_map(&mut e.value)),
                _ => {}
            }
        }
    }
}

fn assignments_to_map(node: &mut Node) {
    let Value::List(items) = &node.value else { return };
    let mut entries: Vec<Entry> = Vec::new();
    for item in items {
        let Some(text) = item.text() else { continue };
        let (key, value) = match text.split_once('=') {
            Some((key, value)) => (key, Value::Scalar { text: value.to_owned(), plain: false }),
            None => (text, Value::Null),
        };
        entries.retain(|e| e.key != key);
        entries.push(Entry { key: key.to_owned(), line: item.line, value: Node { value, tag: None, ..item.clone() } });
    }
    node.value = Value::Map(entries);
}

fn names_to_map(node: &mut Node) {
    let names: Vec<Node> = match &node.value {
        Value::List(items) => items.clone(),
        Value::Scalar { .. } => vec![node.clone()],
        _ => return,
    };
    let entry = |n: &Node| {
        Some(Entry {
            key: n.text()?.to_owned(),
            line: n.line,
            value: Node { value: Value::Null, tag: None, ..n.clone() },
        })
    };
    node.value = Value::Map(names.iter().filter_map(entry).collect());
}

/// Makes the paths of a service absolute: they start from the directory of its own file.
pub fn make_absolute(service: &mut Node, directory: &str) {
    let Value::Map(entries) = &mut service.value else { return };
    for entry in entries {
        match (entry.key.as_str(), &mut entry.value.value) {
            ("env_file", Value::List(items)) => items.iter_mut().for_each(|item| match &mut item.value {
                Value::Map(inner) => make_path(inner, "path", directory),
                _ => make_text(item, directory),
            }),
            ("build", Value::Map(inner)) => make_path(inner, "context", directory),
            ("volumes", Value::List(items)) => items.iter_mut().for_each(|item| make_mount(item, directory)),
            ("extends", Value::Map(inner)) => make_path(inner, "file", directory),
            _ => {}
        }
    }
}

fn make_text(node: &mut Node, directory: &str) {
    if let Value::Scalar { text, .. } = &mut node.value {
        *text = short::absolute(text, directory);
    }
}

fn make_path(entries: &mut [Entry], key: &str, directory: &str) {
    entries.iter_mut().filter(|e| e.key == key).for_each(|e| make_text(&mut e.value, directory));
}

fn make_mount(node: &mut Node, directory: &str) {
    match &mut node.value {
        Value::Scalar { text, .. } => {
            if let Some((source, rest)) = text.split_once(':')
                && short::is_path(source)
            {
                *text = format!("{}:{rest}", short::absolute(source, directory));
            }
        }
        Value::Map(entries) => {
            let bind = entries.iter().any(|e| e.key == "type" && e.value.text() == Some("bind"));
            if bind {
                make_path(entries, "source", directory);
            }
        }
        _ => {}
    }
}

/// Lays `over` over `base`, by compose's rules for the key that holds them.
pub fn merge(base: Node, over: Node, key: &str) -> Node {
    match over.tag.as_deref() {
        Some("reset") => return Node { value: Value::Null, ..over },
        Some("override") => return over,
        _ => {}
    }
    match (base.value, over.value) {
        (Value::Map(below), Value::Map(above)) => {
            let value = Value::Map(merge_maps(below, above));
            Node { value, line: over.line, file: over.file, tag: None }
        }
        (Value::List(below), Value::List(above)) => {
            let value = Value::List(merge_lists(below, above, key));
            Node { value, line: over.line, file: over.file, tag: None }
        }
        (below @ (Value::Map(_) | Value::List(_)), Value::Null) => {
            Node { value: below, line: base.line, file: base.file, tag: None }
        }
        (_, value) => Node { value, line: over.line, file: over.file, tag: None },
    }
}

fn merge_maps(mut below: Vec<Entry>, above: Vec<Entry>) -> Vec<Entry> {
    for entry in above {
        match below.iter_mut().find(|e| e.key == entry.key) {
            Some(held) => {
                let old = std::mem::replace(&mut held.value, Node::null(0));
                held.value = merge(old, entry.value, &entry.key);
                held.line = entry.line;
            }
            None => below.push(entry),
        }
    }
    below
}

fn merge_lists(below: Vec<Node>, above: Vec<Node>, key: &str) -> Vec<Node> {
    if REPLACED_LISTS.contains(&key) {
        return above;
    }
    let mut merged = below;
    for item in above {
        match merged.iter_mut().find(|held| same_item(held, &item, key)) {
            Some(held) => *held = item,
            None => merged.push(item),
        }
    }
    merged
}

/// Whether two items of a list are the same thing: mounts by where they go, the rest by content.
fn same_item(a: &Node, b: &Node, key: &str) -> bool {
    if key == "volumes" {
        return destination(a) == destination(b);
    }
    match (&a.value, &b.value) {
        (Value::Scalar { text: a, .. }, Value::Scalar { text: b, .. }) => a == b,
        (Value::Map(a), Value::Map(b)) => {
            a.len() == b.len() && a.iter().all(|e| b.iter().any(|o| o.key == e.key && o.value.text() == e.value.text()))
        }
        _ => false,
    }
}

fn destination(node: &Node) -> Option<String> {
    match node.text() {
        Some(text) => Some(short::mount(text).destination),
        None => node.get("target").and_then(Node::text).map(|t| t.trim_end_matches('/').to_owned()),
    }
}
