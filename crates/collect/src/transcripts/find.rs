//! Where each agent keeps its transcripts by itself.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use ignore::{DirEntry, WalkBuilder};
use jiff::Timestamp;

use super::{Form, Found, database, sort};

/// Entries of one walk.
const ENTRIES_MAX: usize = 200_000;
/// Levels below OpenCode's folder: `storage`, a kind, a session, a message.
const OPEN_CODE_LEVELS_MAX: usize = 4;
/// Levels of a folder that a person names.
const LEVELS_MAX: usize = 64;
/// Levels above a folder in which its repository is looked for.
const ANCESTORS_MAX: usize = 32;

/// The environment that says where agents keep things.
type Env = BTreeMap<String, String>;

/// A folder that an agent fills, and what in it is a transcript.
struct Place {
    agent: &'static str,
    /// Names are told from here.
    base: PathBuf,
    /// What is walked, below the base.
    below: &'static str,
    levels_max: usize,
    form: fn(&Path) -> Option<Form>,
}

/// Every transcript at an agent's own place, and Aider's histories in these folders; oldest first.
pub fn find(home: &Path, env: &Env, folders: &[PathBuf]) -> Vec<Found> {
    let mut found: Vec<Found> = places(home, env).iter().flat_map(walk).collect();
    found.extend(open_code(&open_code_folder(home, env)));
    found.extend(aider_in(folders));
    prefer_plain(&mut found);
    sort(&mut found);
    found.dedup_by(|a, b| a.path == b.path);
    found
}

/// The folders in which transcripts grow or come to be, as far as they are there.
pub fn folders(home: &Path, env: &Env) -> Vec<PathBuf> {
    let mut all: Vec<PathBuf> = Vec::new();
    for place in places(home, env) {
        let root = place.base.join(place.below);
        // Where it is not there yet, its coming is what changes.
        all.push(place.base);
        all.extend(walk_folders(&root, place.levels_max));
    }
    all.extend(walk_folders(&open_code_folder(home, env), OPEN_CODE_LEVELS_MAX));
    all.retain(|folder| folder.is_dir());
    all.sort();
    all.dedup();
    all
}

/// A file, or a folder with all that lie under it.
pub fn folders_under(path: &Path) -> Vec<PathBuf> {
    if path.is_dir() { walk_folders(path, LEVELS_MAX) } else { vec![path.to_owned()] }
}

fn walk_folders(root: &Path, levels_max: usize) -> Vec<PathBuf> {
    let levels = Some(levels_max);
    let walk = WalkBuilder::new(root).standard_filters(false).follow_links(false).max_depth(levels).build();
    let folders = walk.flatten().take(ENTRIES_MAX).filter(|entry| entry.file_type().is_some_and(|kind| kind.is_dir()));
    folders.map(DirEntry::into_path).collect()
}

/// The folder that a variable names, or the usual one.
fn folder(env: &Env, variable: &str, usual: PathBuf) -> PathBuf {
    env.get(variable).filter(|value| !value.is_empty()).map_or(usual, PathBuf::from)
}

/// Where Claude Code keeps its settings and transcripts.
pub(super) fn claude_folder(home: &Path, env: &Env) -> PathBuf {
    folder(env, "CLAUDE_CONFIG_DIR", home.join(".claude"))
}

/// The folder in which OpenCode keeps its database.
pub fn open_code_folder(home: &Path, env: &Env) -> PathBuf {
    let data = folder(env, "XDG_DATA_HOME", home.join(".local/share"));
    folder(env, "OPENCODE_DATA_DIR", data.join("opencode"))
}

fn places(home: &Path, env: &Env) -> Vec<Place> {
    let codex = folder(env, "CODEX_HOME", home.join(".codex"));
    let place = |agent, base, below, levels_max, form| Place { agent, base, below, levels_max, form };
    let mut places = vec![
        // Project, session, `subagents`, `workflows`, its id.
        place("claude", claude_folder(home, env).join("projects"), "", 7, claude as fn(&Path) -> Option<Form>),
        place("codex", codex.clone(), "sessions", 5, rollout),
        place("codex", codex, "archived_sessions", 5, rollout),
        place("gemini", home.join(".gemini/tmp"), "", 5, chat),
        place("cursor", home.join(".cursor/projects"), "", 5, agent_transcript),
        place("copilot", home.join(".copilot"), "session-state", 2, copilot),
        place("copilot", home.join(".copilot"), "history-session-state", 1, copilot),
    ];
    let config = folder(env, "XDG_CONFIG_HOME", home.join(".config"));
    let mut users = vec![config.join("Cursor/User"), home.join("Library/Application Support/Cursor/User")];
    users.extend(env.get("APPDATA").map(|data| Path::new(data).join("Cursor/User")));
    for user in users {
        places.push(place("cursor", user.clone(), "globalStorage", 1, editor));
        places.push(place("cursor", user, "workspaceStorage", 2, editor));
    }
    places
}

fn name_of(path: &Path) -> &str {
    path.file_name().and_then(|name| name.to_str()).unwrap_or("")
}

/// A transcript, or the note beside a subagent's that says what kind it is.
fn claude(path: &Path) -> Option<Form> {
    let name = name_of(path);
    (name.ends_with(".jsonl") || name.ends_with(".meta.json")).then_some(Form::File)
}

fn rollout(path: &Path) -> Option<Form> {
    let name = name_of(path);
    match name.rsplit_once('.')? {
        _ if !name.starts_with("rollout-") => None,
        (_, "jsonl" | "json") => Some(Form::File),
        (stem, "zst") if stem.ends_with(".jsonl") => Some(Form::Compressed),
        _ => None,
    }
}

fn chat(path: &Path) -> Option<Form> {
    let name = name_of(path);
    let in_chats = path.parent().is_some_and(|parent| parent.iter().any(|part| part == "chats"));
    (in_chats && (name.ends_with(".json") || name.ends_with(".jsonl"))).then_some(Form::File)
}

fn agent_transcript(path: &Path) -> Option<Form> {
    let name = name_of(path);
    let own = path.parent().is_some_and(|parent| parent.iter().any(|part| part == "agent-transcripts"));
    (own && (name.ends_with(".txt") || name.ends_with(".jsonl"))).then_some(Form::File)
}

fn copilot(path: &Path) -> Option<Form> {
    let parent = path.parent().map(name_of).unwrap_or("");
    match (parent, name_of(path)) {
        ("history-session-state", name) => name.ends_with(".json").then_some(Form::File),
        ("session-state", name) => name.ends_with(".jsonl").then_some(Form::File),
        (_, "events.jsonl") => Some(Form::File),
        _ => None,
    }
}

fn editor(path: &Path) -> Option<Form> {
    (name_of(path) == "state.vscdb").then_some(Form::CursorDatabase)
}

fn walk(place: &Place) -> Vec<Found> {
    let root = place.base.join(place.below);
    let levels = Some(place.levels_max);
    let walk = WalkBuilder::new(root).standard_filters(false).follow_links(false).max_depth(levels).build();
    let files = walk.flatten().take(ENTRIES_MAX).filter(|entry| entry.file_type().is_some_and(|kind| kind.is_file()));
    files
        .filter_map(|entry| {
            let form = (place.form)(entry.path())?;
            Some(found(entry.path(), &place.base, place.agent, form))
        })
        .collect()
}

/// A source with what the file system says of it.
pub(super) fn found(path: &Path, base: &Path, agent: &'static str, form: Form) -> Found {
    let below = path.strip_prefix(base).ok().filter(|below| !below.as_os_str().is_empty());
    let name = below.unwrap_or(Path::new(name_of(path))).to_string_lossy().into_owned();
    let mut found = Found { path: path.to_owned(), agent, form, size: 0, modified: None, name };
    measure(&mut found, path);
    if matches!(form, Form::OpenCodeDatabase | Form::CursorDatabase) {
        measure(&mut found, &database::beside(path, "-wal"));
    }
    found
}

/// Adds the length of a file, and its time where it is later.
pub(super) fn measure(found: &mut Found, path: &Path) {
    let Ok(meta) = std::fs::symlink_metadata(path) else { return };
    if meta.is_file() {
        found.size += meta.len();
    }
    found.modified = found.modified.max(meta.modified().ok().and_then(|at| Timestamp::try_from(at).ok()));
}

fn open_code(folder: &Path) -> Vec<Found> {
    let mut all = Vec::new();
    let database = folder.join("opencode.db");
    if database.is_file() {
        all.push(found(&database, folder, "opencode", Form::OpenCodeDatabase));
    }
    let storage = folder.join("storage");
    if is_open_code_tree(&storage) {
        all.push(open_code_tree(&storage, folder));
    }
    all
}

/// Whether a folder is the `storage` of OpenCode's older layout.
pub(super) fn is_open_code_tree(folder: &Path) -> bool {
    ["session", "message", "part"].iter().all(|name| folder.join(name).is_dir())
}

/// The tree as one source, as large and as new as its files.
pub(super) fn open_code_tree(storage: &Path, base: &Path) -> Found {
    let mut tree = found(storage, base, "opencode", Form::OpenCodeTree);
    tree.modified = None;
    for part in ["session", "message", "part"] {
        let walk = WalkBuilder::new(storage.join(part)).standard_filters(false).follow_links(false).build();
        let files = walk.flatten().take(ENTRIES_MAX);
        files
            .filter(|entry| entry.file_type().is_some_and(|kind| kind.is_file()))
            .for_each(|entry| measure(&mut tree, entry.path()));
    }
    tree
}

/// Aider's histories in these folders and in the repositories that they belong to.
pub fn aider_in(folders: &[PathBuf]) -> Vec<Found> {
    let mut all: Vec<Found> = Vec::new();
    for folder in folders {
        let above: Vec<&Path> = folder.ancestors().take(ANCESTORS_MAX).collect();
        let repository = above.iter().position(|folder| folder.join(".git").exists());
        for folder in &above[..=repository.unwrap_or(0).min(above.len().saturating_sub(1))] {
            for name in [".aider.chat.history.md", ".aider.input.history"] {
                let path = folder.join(name);
                if path.is_file() && !all.iter().any(|known| known.path == path) {
                    all.push(found(&path, folder, "aider", Form::File));
                }
            }
        }
    }
    sort(&mut all);
    all
}

/// Of a file and its compressed form the plain one is read.
fn prefer_plain(found: &mut Vec<Found>) {
    found.retain(|one| one.form != Form::Compressed || !one.path.with_extension("").is_file());
}
