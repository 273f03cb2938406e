//! The small file that says what incidents touched: written when they change, read before a command.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use coroner_act::{ActError, Existing, FileWrite, Plan};
use coroner_model::Redactor;
use coroner_model::effect::Effect;
use coroner_model::incident::Incident;
use coroner_store::{DATABASE_NAME, Store};
use serde::{Deserialize, Serialize};

use super::{RECALL_CHARS_MAX, quoted};

/// The schema of the file.
const SCHEMA: &str = "coroner/touched/v1";
/// Largest file that is read, in bytes; the newest incidents come first.
const FILE_BYTES_MAX: u64 = 512 * 1024;
/// Most names of one incident.
const NAMES_MAX: usize = 200;
/// Shortest name that is taken from plain text, in bytes.
const NAME_BYTES_MIN: usize = 4;

/// What one incident touched.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Touched {
    id: String,
    date: String,
    title: String,
    lesson: String,
    /// Paths, hosts, services and databases, as they stand in the text, in small letters.
    names: BTreeSet<String>,
}

#[derive(Serialize, Deserialize)]
struct Opening {
    schema: String,
    /// BLAKE3 of everything behind this line.
    hash: String,
}

/// Where the file of a store is: beside its database.
fn place(database: &Path) -> PathBuf {
    database.with_extension("touched.jsonl")
}

/// The database of a store that is named by its folder or by the file.
pub(super) fn database(store: &Path) -> PathBuf {
    match store.extension().is_some_and(|e| e == "db") && !coroner_collect::place::is_directory(store) {
        true => store.to_path_buf(),
        false => store.join(DATABASE_NAME),
    }
}

/// Writes the file anew where it does not say what the store says.
pub fn refresh(store: &Store) -> Result<(), ActError> {
    let Ok(mut incidents) = store.incidents() else { return Ok(()) };
    incidents.sort_by(|a, b| b.date.cmp(&a.date).then_with(|| a.id.cmp(&b.id)));
    let mut body = String::new();
    for incident in &incidents {
        let Ok(line) = serde_json::to_string(&touched(incident)) else { continue };
        if body.len() + line.len() + 1 > usize::try_from(FILE_BYTES_MAX).unwrap_or(usize::MAX) - 256 {
            break;
        }
        body.push_str(&line);
        body.push('\n');
    }
    let opening = Opening { schema: SCHEMA.to_owned(), hash: blake3::hash(body.as_bytes()).to_hex().to_string() };
    let text = format!("{}\n{body}", serde_json::to_string(&opening).unwrap_or_default());
    let path = place(&store.path());
    if coroner_collect::own_files::text(&path, FILE_BYTES_MAX).as_deref() == Some(text.as_str()) {
        return Ok(());
    }
    Plan::of(FileWrite { path, text, mode: 0o600, existing: Existing::Replace }).apply()
}

fn touched(incident: &Incident) -> Touched {
    let parts = [&incident.what_happened, &incident.root_cause, &incident.data_lost, &incident.fix, &incident.lesson];
    let mut names = BTreeSet::new();
    for text in parts.into_iter().flatten().chain([&incident.title, &incident.body]) {
        names_in(text, &mut names);
    }
    // A title is about what it names.
    let words = incident.title.split(|c: char| !is_name(c)).filter(|w| w.len() >= NAME_BYTES_MIN && !is_general(w));
    names.extend(words.map(str::to_lowercase));
    Touched {
        id: incident.id.to_string(),
        date: incident.date.clone().unwrap_or_default().chars().take(10).collect(),
        title: incident.title.clone(),
        lesson: incident.lesson.clone().unwrap_or_default(),
        names: names.into_iter().take(NAMES_MAX).collect(),
    }
}

fn is_name(c: char) -> bool {
    c.is_alphanumeric() || "-_./".contains(c)
}

/// Adds what a text names: paths, what stands in backticks, hosts, and what is called a service.
fn names_in(text: &str, names: &mut BTreeSet<String>) {
    let in_code = text.split('`').enumerate().filter(|(i, _)| i % 2 == 1).map(|(_, code)| code);
    for word in in_code.flat_map(str::split_whitespace) {
        let word = word.trim_matches(|c: char| !is_name(c)).trim_end_matches('.');
        if word.len() >= NAME_BYTES_MIN - 1 && word.chars().all(is_name) && !is_general(word) {
            names.insert(word.to_lowercase());
        }
    }
    let words: Vec<&str> = text
        .split(|c: char| c.is_whitespace() || "()`'\",;:=".contains(c))
        .map(|w| w.trim_matches(|c: char| !is_name(c)).trim_end_matches(['.', '/']))
        .collect();
    for (at, word) in words.iter().enumerate() {
        let path = word.starts_with('/') && word.matches('/').count() >= 2;
        let host = word.matches('.').count() >= 2 && !word.contains('/') && word.chars().any(char::is_alphabetic);
        let compound = word.len() >= NAME_BYTES_MIN
            && word.contains(['-', '_'])
            && !word.starts_with(['-', '/'])
            && word.is_ascii();
        let called = |other: Option<&&str>| other.is_some_and(|o| is_kind(&o.to_lowercase()));
        let next_to_kind =
            called(words.get(at + 1)) || at.checked_sub(1).is_some_and(|before| called(words.get(before)));
        let plain = word.len() >= NAME_BYTES_MIN - 1 && word.chars().all(is_name) && !is_general(word) && next_to_kind;
        if path || host || compound || plain {
            names.insert(word.to_lowercase());
        }
    }
}

/// Words that say what a name is the name of.
fn is_kind(word: &str) -> bool {
    matches!(word, "service" | "container" | "volume" | "database" | "unit" | "host" | "mount" | "stack")
}

/// Words that name nothing in particular.
fn is_general(word: &str) -> bool {
    let word = word.to_lowercase();
    is_kind(word.trim_end_matches('s'))
        || matches!(
            word.as_str(),
            "the"
                | "that"
                | "this"
                | "these"
                | "each"
                | "every"
                | "another"
                | "other"
                | "same"
                | "running"
                | "live"
                | "docker"
                | "compose"
                | "docker-compose"
                | "data"
                | "server"
                | "files"
                | "file"
                | "with"
                | "without"
                | "from"
                | "into"
                | "were"
                | "was"
                | "and"
                | "for"
                | "not"
                | "after"
                | "before"
                | "when"
                | "while"
                | "production"
                | "deploy"
                | "deployed"
                | "backup"
                | "backups"
                | "public"
                | "restart"
                | "restarted"
                | "deleted"
                | "lost"
                | "wiped"
                | "down"
                | "failed"
                | "broken"
                | "agent"
                | "disk"
                | "full"
                | "over"
                | "which"
                | "its"
                | "their"
                | "one"
                | "new"
                | "old"
                | "any"
                | "all"
                | "main"
                | "test"
                | "true"
                | "false"
                | "sudo"
                | "root"
                | "config"
                | "error"
                | "errors"
                | "code"
                | "command"
        )
}

/// The line of recall for targets that an incident touched, newest first; reads the file alone.
pub(super) fn touching(database: &Path, targets: &[&Effect]) -> Option<String> {
    let text = coroner_collect::own_files::text(&place(database), FILE_BYTES_MAX)?;
    let (opening, body) = text.split_once('\n')?;
    let opening: Opening = serde_json::from_str(opening).ok()?;
    // A file that was cut or changed says nothing.
    if opening.schema != SCHEMA || opening.hash != blake3::hash(body.as_bytes()).to_hex().as_str() {
        return None;
    }
    let wanted: Vec<String> = targets.iter().flat_map(|effect| names_of(&effect.target)).collect();
    let mut found: Option<(Touched, String)> = None;
    let mut more = 0;
    for touched in body.lines().filter_map(|line| serde_json::from_str::<Touched>(line).ok()) {
        let Some(name) = wanted.iter().find(|name| touches(&touched.names, name)) else { continue };
        match found {
            None => found = Some((touched, name.clone())),
            Some(_) => more += 1,
        }
    }
    let (touched, name) = found?;
    // What the store holds was redacted when it was kept.
    let redactor = Redactor::new([0; 32]);
    let others = if more > 0 { format!(" ({more} more)") } else { String::new() };
    let lesson = if touched.lesson.is_empty() {
        String::new()
    } else {
        format!(" Lesson, quoted: \"{}\"", touched.lesson.replace('"', "'"))
    };
    let date = if touched.date.is_empty() { "undated" } else { &touched.date };
    let line = format!(
        "Recall: incident {} ({date}) touched {name}{others}: {}.{lesson}",
        touched.id,
        touched.title.trim_end_matches('.')
    );
    let line = quoted(&line, RECALL_CHARS_MAX, &redactor);
    Some(
        line.replacen("quoted: '", "quoted: \"", 1).trim_end_matches('\'').to_owned()
            + if touched.lesson.is_empty() { "" } else { "\"" },
    )
}

/// Names by which a target may stand in a text.
fn names_of(target: &str) -> Vec<String> {
    let mut all = Vec::new();
    for word in target.split_whitespace() {
        let word = word.trim_end_matches('/').to_lowercase();
        if let Some(base) = word.strip_suffix("-1").or_else(|| word.strip_suffix(".service")) {
            all.push(base.to_owned());
        }
        all.push(word);
    }
    all.retain(|name| name.len() >= 2 && !is_general(name));
    all
}

/// Whether an incident named it; a path also where one holds the other, but no wider than two parts.
fn touches(names: &BTreeSet<String>, name: &str) -> bool {
    if !name.starts_with('/') {
        return names.contains(name);
    }
    let within =
        |inner: &str, outer: &str| inner == outer || inner.strip_prefix(outer).is_some_and(|r| r.starts_with('/'));
    let deep = |path: &str| path.matches('/').count() >= 2;
    names.iter().filter(|n| n.starts_with('/')).any(|n| (within(name, n) && deep(n)) || (within(n, name) && deep(name)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> Vec<String> {
        let mut names = BTreeSet::new();
        names_in(text, &mut names);
        names.into_iter().collect()
    }

    #[test]
    fn what_a_text_names_is_found_and_plain_words_are_not() {
        let found = names(
            "rsync --delete removed /opt/app/.docker-data; the api service and zen-postgres died, `redis` too. See app.example.org.",
        );
        for name in ["/opt/app/.docker-data", "api", "zen-postgres", "redis", "app.example.org"] {
            assert!(found.iter().any(|f| f == name), "{name} in {found:?}");
        }
        for word in ["removed", "the", "service", "died", "--delete", "see"] {
            assert!(!found.iter().any(|f| f == word), "{word} in {found:?}");
        }
    }

    #[test]
    fn a_target_is_met_by_name_or_by_place() {
        let names: BTreeSet<String> = ["/opt/app/.docker-data", "api", "traefik"].map(str::to_owned).into();
        for (target, met) in [
            ("api", true),
            ("api-1", true),
            ("/opt/app/.docker-data/pg", true),
            ("/opt/app", true),
            ("traefik.service", true),
            ("/opt", false),
            ("/opt/app2/x", false),
            ("apis", false),
            ("web", false),
        ] {
            assert_eq!(names_of(target).iter().any(|n| touches(&names, n)), met, "{target}");
        }
    }
}
