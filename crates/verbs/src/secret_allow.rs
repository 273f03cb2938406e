//! The list of secrets that a person allows in a project: it counts only while the file is trusted as it is.

use std::path::{Component, Path, PathBuf};

use coroner_model::secret::{SecretPlace, Standing};
use coroner_model::{CouldNotLook, Why};
use coroner_read::secret_allow::{self, Allow};
use coroner_store::trust;
use jiff::Timestamp;

use crate::library::project_root;

/// Largest configuration that is read, in bytes.
const CONFIG_BYTES_MAX: u64 = 256 * 1024;
/// Where the list stands, below the project.
const CONFIG: &str = ".coroner/coroner.toml";

/// What a project allows.
#[derive(Debug, Default)]
pub(crate) struct AllowList {
    root: PathBuf,
    entries: Vec<Allow>,
    /// Entries that do not count, and why.
    pub notes: Vec<CouldNotLook>,
}

impl AllowList {
    /// The list that counts now where one stands.
    pub fn of(home: &Path, cwd: &Path, now: Timestamp) -> AllowList {
        let Some(root) = project_root(cwd) else { return AllowList::default() };
        let path = root.join(CONFIG);
        let Some(text) = coroner_collect::own_files::text(&path, CONFIG_BYTES_MAX) else { return AllowList::default() };
        let shown = path.display().to_string();
        let note = |why, detail: String| CouldNotLook { what: format!("[secrets] allow in {shown}"), why, detail };
        let mut list = AllowList { root, ..AllowList::default() };
        let entries = match secret_allow::read(&text) {
            Ok(entries) => entries,
            Err(error) => {
                list.notes.push(note(Why::Unreadable, error));
                return list;
            }
        };
        if entries.is_empty() {
            return list;
        }
        if !trust::is_trusted(home, &shown, text.as_bytes()) {
            let detail =
                format!("nobody trusts the file as it is, so the list does not count; `coroner trust {CONFIG}`");
            list.notes.push(note(Why::Denied, detail));
            return list;
        }
        for entry in entries {
            match entry.problem().or_else(|| ended(&entry, now)) {
                Some(problem) => {
                    list.notes.push(note(Why::Unsupported, format!("the entry for {}: {problem}", entry.path)))
                }
                None => list.entries.push(entry),
            }
        }
        list
    }

    /// Whether values must be compared, so that their tokens have to be made under the store's key.
    pub fn compares_values(&self) -> bool {
        self.entries.iter().any(|entry| !entry.fingerprint.is_empty())
    }

    /// Marks the places that the list covers; they are still reported.
    pub fn apply(&self, places: &mut [SecretPlace]) {
        for place in places.iter_mut().filter(|place| place.standing.refuses()) {
            let own = Path::new(&place.path);
            let relative = own.strip_prefix(&self.root).unwrap_or(own).to_string_lossy().into_owned();
            if let Some(entry) = self.entries.iter().find(|e| e.covers(&relative, &place.kind, &place.token)) {
                place.standing = Standing::Allowed;
                place.allowed = Some(entry.reason.trim().to_owned());
            }
        }
    }
}

/// Why an entry does not count any more.
fn ended(entry: &Allow, now: Timestamp) -> Option<&'static str> {
    let today = now.to_zoned(jiff::tz::TimeZone::UTC).date();
    match entry.until.0.parse::<jiff::civil::Date>() {
        _ if entry.until.0.is_empty() => None,
        Ok(last) if today <= last => None,
        Ok(_) => Some("its time is over"),
        Err(_) => Some("its `until` is no day, as 2027-01-31 is"),
    }
}

/// Whether a file is a project's configuration.
pub(crate) fn is_config(path: &Path) -> bool {
    path.ends_with(CONFIG)
}

/// The path without `.` and `..`, and the text of a configuration.
pub(crate) fn config(path: &Path) -> Option<(String, String)> {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => drop(plain.pop()),
            other => plain.push(other),
        }
    }
    let text = coroner_collect::own_files::text(&plain, CONFIG_BYTES_MAX)?;
    Some((plain.display().to_string(), text))
}

/// What trusting a configuration would allow, one line each.
pub(crate) fn changes(text: &str) -> Vec<String> {
    let entries = match secret_allow::read(text) {
        Ok(entries) => entries,
        Err(error) => return vec![format!("it cannot be read: {error}")],
    };
    let line = |entry: &Allow| {
        let what = if entry.rule.is_empty() { &entry.fingerprint } else { &entry.rule };
        let until = if entry.until.0.is_empty() { String::new() } else { format!(", until {}", entry.until.0) };
        match entry.problem() {
            Some(problem) => format!("an entry for {} that does not count: {problem}", entry.path),
            None => format!("it lets {what} stand in {}{until}: {}", entry.path, entry.reason.trim()),
        }
    };
    match entries.as_slice() {
        [] => vec!["it allows no secret, so it needs no trust".to_owned()],
        entries => entries.iter().map(line).collect(),
    }
}
