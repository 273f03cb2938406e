//! The variables of a project and of its services, by compose's order of precedence.

use std::collections::BTreeMap;

use coroner_model::{Citation, Document};

use crate::compose::interpolate::Interpolated;
use crate::compose::load::Loader;
use crate::compose::types::Variable;
use crate::dotenv;
use crate::yaml::{Entry, Node, Value};

/// Reads the env files that interpolation uses: `--env-file`, or the project's `.env`.
pub(super) fn load_variables(loader: &mut Loader) {
    let (paths, required) = match &loader.request.env_files {
        Some(paths) => (paths.clone(), true),
        None => (vec![format!("{}/.env", loader.directory.trim_end_matches('/'))], false),
    };
    for path in paths {
        let Some(document) = loader.document(&path, required) else { continue };
        let found = read_env_file(loader, &path, document, false);
        loader.project.variables.extend(found);
        loader.project.env_files.push(path);
    }
}

/// The variables of one env file.
fn read_env_file(loader: &mut Loader, path: &str, document: &Document, raw: bool) -> BTreeMap<String, Variable> {
    let text = document.text.as_str();
    let read = if raw { dotenv::read_raw(text) } else { dotenv::read(text, &|name| loader.lookup(name)) };
    for issue in read.issues {
        loader.problem(path, issue.line, issue.reason);
    }
    read.assignments
        .into_iter()
        .filter(|a| !a.inherited || !a.value.is_empty())
        .map(|a| (a.name, variable(a.value, document.cite_line(a.line), Some(&a.met))))
        .collect()
}

/// A variable with what interpolation met when its value was made.
fn variable(value: String, at: Citation, met: Option<&Interpolated>) -> Variable {
    let mut unresolved: Vec<String> = Vec::new();
    let mut from = Vec::new();
    if let Some(met) = met {
        unresolved.extend(met.unset.iter().chain(&met.refused).cloned());
        from.extend(met.used.iter().chain(&met.unset).chain(&met.refused).chain(&met.defaulted).cloned());
    }
    from.sort();
    from.dedup();
    Variable { value, at, defaulted_from: met.and_then(|m| m.defaulted.first().cloned()), unresolved, from }
}

/// What a service's container would get.
#[derive(Default)]
pub(super) struct ServiceEnvironment {
    pub variables: BTreeMap<String, Variable>,
    pub passed_through: BTreeMap<String, Citation>,
    pub files: Vec<String>,
}

/// Reads `env_file` and `environment` of a service; the latter wins.
pub(super) fn of_service(loader: &mut Loader, service: &Node) -> ServiceEnvironment {
    let mut out = ServiceEnvironment::default();
    for item in service.get("env_file").map(Node::items).unwrap_or_default() {
        let path = item.text().or_else(|| item.get("path").and_then(Node::text));
        let Some(path) = path.map(str::to_owned) else { continue };
        let required = item.get("required").and_then(Node::text) != Some("false");
        out.files.push(path.clone());
        if let Some(document) = loader.document(&path, required) {
            let raw = item.get("format").and_then(Node::text) == Some("raw");
            out.variables.extend(read_env_file(loader, &path, document, raw));
        }
    }
    for entry in service.get("environment").map(Node::entries).unwrap_or_default() {
        let Some(at) = loader.cite(entry.value.file, entry.line) else { continue };
        match text_of(entry) {
            Some(value) => {
                let met = loader.met(entry.value.file, entry.value.line, &value);
                let made = variable(value, at, met);
                out.variables.insert(entry.key.clone(), made);
            }
            None => match loader.lookup(&entry.key) {
                Some(value) => {
                    let made = Variable { from: vec![entry.key.clone()], ..variable(value, at, None) };
                    out.variables.insert(entry.key.clone(), made);
                }
                // Without a value in the shell the variable is unset, even where an env file gives it.
                None => {
                    out.variables.remove(&entry.key);
                    out.passed_through.insert(entry.key.clone(), at);
                }
            },
        }
    }
    out
}

/// The text of a value; a plain decimal number is written the shortest way, as compose does.
fn text_of(entry: &Entry) -> Option<String> {
    match &entry.value.value {
        Value::Scalar { text, plain: true } if is_decimal(text) => {
            text.parse::<f64>().ok().map(|number| number.to_string())
        }
        Value::Scalar { text, .. } => Some(text.clone()),
        _ => None,
    }
}

fn is_decimal(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    digits.contains('.')
        && digits.len() < 16
        && digits.split('.').count() == 2
        && digits.split('.').all(|p| !p.is_empty() && p.bytes().all(|b| b.is_ascii_digit()))
}
