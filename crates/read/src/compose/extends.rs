//! Resolves `extends`: a service laid over another one, of the same or of another file.

use crate::compose::load::{Loader, services_mut};
use crate::compose::merge;
use crate::yaml::{Node, Value};

/// Longest chain of services that extend each other.
const CHAIN_MAX: usize = 10;

/// Resolves `extends` in every service of a tree.
pub(super) fn resolve_all(loader: &mut Loader, tree: &mut Node, path: &str) {
    let names: Vec<String> = tree
        .get("services")
        .map(Node::entries)
        .unwrap_or_default()
        .iter()
        .filter(|e| e.value.get("extends").is_some())
        .map(|e| e.key.clone())
        .collect();
    for name in names {
        let resolved = resolve(loader, tree, path, &name, 0);
        if let (Some(node), Some(entry)) = (resolved, services_mut(tree).iter_mut().find(|e| e.key == name)) {
            entry.value = node;
        }
    }
}

/// The service of that name with everything that it extends below it.
fn resolve(loader: &mut Loader, tree: &Node, path: &str, name: &str, depth: usize) -> Option<Node> {
    let mut own = tree.at(&["services", name])?.clone();
    let Some(extends) = take(&mut own, "extends") else { return Some(own) };
    if depth >= CHAIN_MAX {
        loader.problem(path, extends.line, format!("service `{name}` extends in a circle"));
        return Some(own);
    }
    let (file, of) = match (extends.text(), extends.get("service").and_then(Node::text)) {
        (Some(service), _) => (None, service.to_owned()),
        (_, Some(service)) => (extends.get("file").and_then(Node::text).map(str::to_owned), service.to_owned()),
        _ => return Some(own),
    };
    let base = match file.filter(|f| f != path) {
        Some(other) => {
            let other_tree = loader.tree(&other, false)?;
            resolve(loader, &other_tree, &other, &of, depth + 1)
        }
        None => resolve(loader, tree, path, &of, depth + 1),
    };
    match base {
        Some(base) => Some(merge::merge(base, own, name)),
        None => {
            loader.problem(path, extends.line, format!("service `{name}` extends `{of}`, which is not there"));
            Some(own)
        }
    }
}

fn take(node: &mut Node, key: &str) -> Option<Node> {
    let Value::Map(entries) = &mut node.value else { return None };
    let at = entries.iter().position(|e| e.key == key)?;
    Some(entries.remove(at).value)
}
