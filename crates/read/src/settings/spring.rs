//! Spring's property files: `${NAME:default}`, and keys that a variable of the same words replaces.

use crate::yaml::{self, Node, Value};

use super::Found;

/// Finds the defaults of a `.properties` or `application*.yml` text.
pub(super) fn read(text: &str, path: &str) -> Vec<Found> {
    let mut found = Vec::new();
    if path.ends_with(".properties") {
        let mut at = 0;
        for line in text.split_inclusive('\n') {
            let trimmed = line.trim();
            if !trimmed.starts_with(['#', '!'])
                && let Some((key, value)) = trimmed.split_once(['=', ':'])
            {
                property(key.trim(), value.trim(), at, &mut found);
            }
            at += line.len();
        }
        return found;
    }
    let offsets: Vec<usize> = std::iter::once(0).chain(text.match_indices('\n').map(|(i, _)| i + 1)).collect();
    for tree in yaml::documents(text).unwrap_or_default() {
        walk(&tree, &mut Vec::new(), &offsets, &mut found);
    }
    found
}

fn walk(node: &Node, keys: &mut Vec<String>, offsets: &[usize], found: &mut Vec<Found>) {
    match &node.value {
        Value::Map(entries) => {
            for entry in entries {
                keys.push(entry.key.clone());
                walk(&entry.value, keys, offsets, found);
                keys.pop();
            }
        }
        Value::Scalar { text, .. } => {
            let at = offsets.get((node.line as usize).saturating_sub(1)).copied().unwrap_or(0);
            property(&keys.join("."), text, at, found);
        }
        _ => {}
    }
}

/// One property: its placeholders, or itself as the default of the variable that replaces it.
fn property(key: &str, value: &str, at: usize, found: &mut Vec<Found>) {
    let mut rest = value;
    let mut any = false;
    while let Some(start) = rest.find("${") {
        let inner = &rest[start + 2..];
        let Some(end) = inner.find('}') else { break };
        let (name, default) = match inner[..end].split_once(':') {
            Some((name, default)) => (name, Some(default.to_owned())),
            None => (&inner[..end], None),
        };
        found.push(Found { variable: variable(name), default, at, ..Found::default() });
        any = true;
        rest = &inner[end + 1..];
    }
    if !any && key.contains('.') {
        found.push(Found { variable: variable(key), default: Some(value.to_owned()), at, ..Found::default() });
    }
}

/// The variable that Spring's relaxed binding looks up for a property.
fn variable(name: &str) -> String {
    name.trim().replace('.', "_").replace('-', "").to_ascii_uppercase()
}
