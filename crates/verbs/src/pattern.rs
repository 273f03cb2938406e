//! `pattern`: lists, shows, explains, starts and tests anti-patterns.

pub mod test;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use coroner_act::{ActError, Existing, FileWrite, Plan};
use coroner_judge::fact::FactKind;
use coroner_judge::pattern::header::{Header, name_of};
use coroner_judge::pattern::{AntiPattern, Library, Origin};
use coroner_model::{Category, IncidentId, PatternId, Severity};
use serde::Serialize;

use crate::library::{PROJECT_FOLDER, project_root};
use crate::workspace::{WorkspaceRequest, open_store_to_read};

/// One line of `pattern list`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PatternRow {
    pub id: PatternId,
    pub title: String,
    pub category: Category,
    pub severity: Severity,
    /// `built-in`, or the file's path.
    pub origin: String,
    pub incidents: usize,
}

/// Why a pattern verb cannot answer.
#[derive(Debug, thiserror::Error)]
pub enum PatternVerbError {
    #[error("there is no anti-pattern `{id}`")]
    Unknown { id: PatternId, nearest: Option<PatternId> },
    #[error("`{id}` is no good id")]
    BadId { id: String },
    #[error(transparent)]
    Write(#[from] ActError),
}

impl PatternVerbError {
    /// What a person can do about it.
    pub fn hint(&self) -> String {
        match self {
            PatternVerbError::Unknown { nearest: Some(nearest), .. } => format!("did you mean `{nearest}`?"),
            PatternVerbError::Unknown { .. } => "`coroner pattern list` shows all".to_owned(),
            PatternVerbError::Write(error) => error.hint().to_owned(),
            PatternVerbError::BadId { .. } => "use lower-case words with hyphens, such as `stale-backup`".to_owned(),
        }
    }
}

/// Every anti-pattern in force, in the order of their ids.
pub fn list(library: &Library) -> Vec<PatternRow> {
    library
        .iter()
        .map(|p| PatternRow {
            id: p.id.clone(),
            title: p.header.title.clone(),
            category: p.header.category,
            severity: p.header.severity,
            origin: match &p.origin {
                Origin::BuiltIn => "built-in".to_owned(),
                Origin::File(path) => path.clone(),
            },
            incidents: p.header.incidents.len(),
        })
        .collect()
}

/// The pattern of that id.
pub fn show<'a>(library: &'a Library, id: &PatternId) -> Result<&'a AntiPattern, PatternVerbError> {
    library.get(id).ok_or_else(|| PatternVerbError::Unknown { id: id.clone(), nearest: nearest(library, id) })
}

/// The id that shares most of its words with the one asked for.
fn nearest(library: &Library, id: &PatternId) -> Option<PatternId> {
    let words: Vec<&str> = id.as_str().split('-').collect();
    let shared = |p: &AntiPattern| p.id.as_str().split('-').filter(|w| words.contains(w)).count();
    library.iter().filter(|p| shared(p) > 0).max_by_key(|p| shared(p)).map(|p| p.id.clone())
}

/// JSON Schema of an anti-pattern's header.
pub fn schema() -> serde_json::Value {
    schemars::schema_for!(Header).to_value()
}

/// Text of a new anti-pattern to start from; it loads as it stands.
pub fn template(id: &str) -> Result<String, PatternVerbError> {
    let good = !id.is_empty()
        && id.split('-').all(|w| !w.is_empty() && w.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()));
    if !good {
        return Err(PatternVerbError::BadId { id: id.to_owned() });
    }
    Ok(include_str!("pattern/template.md").replace("{title}", &id.replace('-', " ")))
}

/// Writes the file to start from into the project's folder and returns its path.
pub fn create(id: &str, cwd: &Path) -> Result<PathBuf, PatternVerbError> {
    let text = template(id)?;
    let root = project_root(cwd).unwrap_or_else(|| cwd.to_path_buf());
    let path = root.join(PROJECT_FOLDER).join(format!("{id}.md"));
    Plan::of(FileWrite { path: path.clone(), text, mode: 0o644, existing: Existing::Refuse }).apply()?;
    Ok(path)
}

/// Incidents that a pattern may link to: the casebook's, and those in the store if there is one.
pub fn known_incidents(request: &WorkspaceRequest) -> BTreeSet<IncidentId> {
    let casebook = coroner_read::casebook::incidents().unwrap_or_default();
    let kept = open_store_to_read(request).ok().and_then(|store| store.incidents().ok()).unwrap_or_default();
    casebook.into_iter().chain(kept).map(|incident| incident.id).collect()
}

/// What rows can say, in words: facts with their forms, and the rules of statuses.
pub fn explain_vocabulary() -> String {
    let mut out = String::from(
        "Rows are OR, fields in a row are AND, a list in a field means any of them.\n\n\
         Facts, for [[when.compose]], [[when.env]], [[when.container]], [[when.host]] and [[confirm]]:\n",
    );
    for kind in FactKind::ALL {
        out.push_str(&format!("  {:<22} is: {}\n", name_of(kind), kind.words().join(", ")));
    }
    out.push_str(
        "\nHow a cause gets its status:\n  \
         confirmed  a fact that a [[confirm]] row names holds, on the way from the symptom\n  \
         likely     only a [[trace]] matched; the state could not be seen or was not asked for\n  \
         open       neither; it is listed, never presented as the cause\n\n\
         Effects, target classes and circumstances: `coroner pattern explain --schema`.\n",
    );
    out
}

/// One pattern in words: when it acts, how it is recognised, what proves it.
pub fn explain(library: &Library, id: &PatternId) -> Result<String, PatternVerbError> {
    let p = show(library, id)?;
    let mut out = format!("{} ({}, {})\n\n{}\n", p.header.title, p.header.severity, p.header.category, p.why);
    for row in &p.header.when.effect {
        out.push_str(&format!(
            "\nA command is answered with {} when it would {}",
            words(&row.permission),
            words(&row.kind)
        ));
        push_list(&mut out, " something that is ", &row.target);
        push_list(&mut out, ", unless it is ", &row.not_target);
        push_list(&mut out, ", where this holds: ", &row.circumstance);
        push_list(&mut out, ", unless this holds: ", &row.not_circumstance);
        out.push_str(".\n");
    }
    for (_, row) in p.header.when.fact_rows() {
        let forms = if row.is.is_empty() { String::new() } else { format!(" ({})", row.is.join(" or ")) };
        out.push_str(&format!("\n`check` reports it on the fact {}{forms}.\n", name_of(row.fact)));
    }
    for row in &p.header.trace {
        out.push_str(&format!("\nA log line speaks for it (likely) when it matches /{}/\n", row.matches));
    }
    for row in &p.header.confirm {
        let forms = if row.is.is_empty() { String::new() } else { format!(" ({})", row.is.join(" or ")) };
        out.push_str(&format!("\nIt is confirmed when the state shows {}{forms}.\n", name_of(row.probe)));
    }
    for row in &p.header.lookalike {
        out.push_str(&format!("\nIt can be mistaken for {}: {}\n", row.pattern, row.tells));
    }
    Ok(out)
}

fn push_list<T: Serialize>(out: &mut String, lead: &str, values: &[T]) {
    if !values.is_empty() {
        out.push_str(lead);
        out.push_str(&values.iter().map(words).collect::<Vec<_>>().join(" or "));
    }
}

/// The word or words by which a value stands in files.
fn words<T: Serialize>(value: &T) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::Array(all)) => all.iter().filter_map(|v| v.as_str()).collect::<Vec<_>>().join(" or "),
        Ok(serde_json::Value::String(one)) => one,
        _ => String::new(),
    }
}
