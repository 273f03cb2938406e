//! Searches files, the index, pushes and whole histories for secrets. Values never leave here:
//! a place holds the token that stands for one.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, mpsc};

use coroner_model::redact::{Level, secrets};
use coroner_model::secret::{SecretPlace, Standing};
use coroner_model::{CouldNotLook, Redactor, Why};
use gix::bstr::ByteSlice;
use gix::index::entry::Stage;
use gix::{ObjectId, oid};
use ignore::WalkBuilder;

use crate::git::objects::{Commit, Objects};

/// Bytes of one file or blob that are searched; the rest is left out and reported.
pub const FILE_BYTES_MAX: usize = 8 * 1024 * 1024;
/// Files of one walk.
pub const FILES_MAX: usize = 100_000;
/// Commits of one push.
pub const PUSH_COMMITS_MAX: usize = 50_000;
/// Commits of a history.
pub const HISTORY_COMMITS_MAX: usize = 1_000_000;
/// Places of one search.
pub const PLACES_MAX: usize = 10_000;
/// Bytes at the start by which a file is known as binary.
const BINARY_BYTES: usize = 8_000;
/// Threads that search texts.
const THREADS_MAX: usize = 4;
/// Texts that wait for a thread.
const WAITING_MAX: usize = 32;
/// What stands for the path of a commit's message.
const MESSAGE: &str = "(message)";
/// Comments that let a line stand, as gitleaks and Coroner write them.
const ALLOWING: [&str; 2] = ["gitleaks:allow", "coroner:allow"];

/// What a search found, and what it could not read.
#[derive(Clone, Debug, Default)]
pub struct Searched {
    /// In the order of path and line.
    pub places: Vec<SecretPlace>,
    /// Values that a remote already has, one place each: what is to be made dead.
    pub pushed: Vec<SecretPlace>,
    /// Files or blobs that were searched.
    pub files: usize,
    /// Commits that were searched.
    pub commits: usize,
    pub could_not_look: Vec<CouldNotLook>,
}

/// An update of one reference: what it was and what it becomes; `None` where there is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefUpdate {
    pub name: String,
    pub old: Option<String>,
    pub new: Option<String>,
}

/// Where a git command runs.
#[derive(Clone, Copy, Debug)]
pub struct GitPlace<'a> {
    pub cwd: &'a Path,
    /// The environment that git gives its hooks.
    pub env: &'a BTreeMap<String, String>,
}

/// One text to be searched.
struct Text {
    path: String,
    bytes: Vec<u8>,
    /// Index of its commit.
    commit: Option<usize>,
}

/// Searches named files, and the files below named directories that git would not ignore.
pub fn in_paths(paths: &[PathBuf], redactor: &Redactor) -> Searched {
    let mut out = Searched::default();
    let mut files: BTreeSet<PathBuf> = BTreeSet::new();
    for path in paths {
        if path.is_file() {
            files.insert(path.clone());
        } else {
            walk(path, &mut files, &mut out);
        }
    }
    let read = |path: PathBuf| -> Result<Text, CouldNotLook> {
        let failed = |error: std::io::Error| {
            let why = match error.kind() {
                std::io::ErrorKind::PermissionDenied => Why::Denied,
                std::io::ErrorKind::NotFound => Why::Absent,
                _ => Why::Unreadable,
            };
            could_not(&path.display().to_string(), why, &error.to_string())
        };
        let mut bytes = Vec::new();
        let limit = FILE_BYTES_MAX as u64 + 1;
        File::open(&path).and_then(|file| file.take(limit).read_to_end(&mut bytes)).map_err(failed)?;
        Ok(Text { path: path.display().to_string(), bytes, commit: None })
    };
    let found = search(files.into_iter().map(read), redactor, &mut out, |_| {});
    out.places = found.into_iter().map(|(_, place)| place).collect();
    finish(out)
}

fn walk(root: &Path, files: &mut BTreeSet<PathBuf>, out: &mut Searched) {
    let in_repository = root.ancestors().any(|directory| directory.join(".git").exists());
    let walker = WalkBuilder::new(root)
        .hidden(false)
        .parents(true)
        .git_global(false)
        .filter_entry(|entry| !matches!(entry.file_name().to_str(), Some(".git" | "node_modules" | ".venv")))
        .build();
    for entry in walker {
        let entry = match entry {
            Ok(entry) => entry,
            Err(error) => {
                out.could_not_look.push(could_not(&root.display().to_string(), Why::Unreadable, &error.to_string()));
                continue;
            }
        };
        // Outside of a repository an env file is where secrets belong.
        let keeps = !in_repository && entry.depth() > 0 && is_env_file(entry.path());
        if !entry.file_type().is_some_and(|kind| kind.is_file()) || keeps {
            continue;
        }
        if files.len() >= FILES_MAX {
            let detail = format!("more than {FILES_MAX} files");
            out.could_not_look.push(could_not(&root.display().to_string(), Why::TooMuch, &detail));
            return;
        }
        files.insert(entry.into_path());
    }
}

fn is_env_file(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let sample = ["example", "sample", "template", "dist"].iter().any(|word| name.contains(word));
    (name == ".env" || name.starts_with(".env.") || name.ends_with(".env")) && !sample
}

/// Searches what is staged and what the last commit does not hold.
pub fn staged(place: GitPlace<'_>, redactor: &Redactor) -> Result<Searched, CouldNotLook> {
    let objects = open(place)?;
    let at = index_path(place, &objects);
    let hash = objects.repository.object_hash();
    let unreadable = |error: String| could_not(&at.display().to_string(), Why::Unreadable, &error);
    let mut out = Searched::default();
    if !at.exists() {
        return Ok(out);
    }
    let index = gix::index::File::at(&at, hash, false, gix::index::decode::Options::default())
        .map_err(|error| unreadable(error.to_string()))?;
    let committed = committed(&objects);
    let staged: Vec<(ObjectId, String)> = index
        .entries()
        .iter()
        .filter(|entry| entry.stage() == Stage::Unconflicted && !entry.mode.is_submodule())
        .map(|entry| (entry.id, entry.path(&index).to_str_lossy().into_owned()))
        .filter(|(id, path)| committed.get(path) != Some(id))
        .collect();
    let kept: HashSet<&String> = index
        .entries()
        .iter()
        .map(|entry| entry.path(&index).to_str_lossy().into_owned())
        .filter_map(|path| committed.get_key_value(&path).map(|(path, _)| path))
        .collect();
    let fresh = staged.iter().map(|(id, path)| text_of(&objects, id, path, None)).collect::<Vec<_>>();
    let found = search(fresh.into_iter(), redactor, &mut out, |_| {});
    // What stood in the last commit, in the same file or in one that goes, is not new.
    let mut before: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let gone: Vec<ObjectId> = match found.is_empty() {
        true => Vec::new(),
        false => committed.iter().filter(|(path, _)| !kept.contains(path)).map(|(_, id)| *id).collect(),
    };
    let moved: BTreeSet<String> = gone.iter().flat_map(|id| tokens_of(&objects, id, redactor)).collect();
    for (_, place) in found {
        let known = before.entry(place.path.clone()).or_insert_with(|| {
            committed.get(&place.path).map(|id| tokens_of(&objects, id, redactor)).unwrap_or_default()
        });
        if !known.contains(&place.token) && !moved.contains(&place.token) {
            out.places.push(place);
        }
    }
    Ok(finish(out))
}

/// Searches the commits that a push would bring to where it goes.
pub fn pushed(place: GitPlace<'_>, updates: &[RefUpdate], redactor: &Redactor) -> Result<Searched, CouldNotLook> {
    let objects = open(place)?;
    let mut hidden = objects.references("refs/remotes/");
    hidden.extend(updates.iter().filter_map(|update| id_of(update.old.as_ref())));
    commits(&objects, updates, &hidden, redactor)
}

/// Searches the commits that a server is about to accept.
pub fn received(place: GitPlace<'_>, updates: &[RefUpdate], redactor: &Redactor) -> Result<Searched, CouldNotLook> {
    let objects = open(place)?;
    let hidden = objects.references("refs/");
    commits(&objects, updates, &hidden, redactor)
}

fn commits(
    objects: &Objects,
    updates: &[RefUpdate],
    hidden: &[ObjectId],
    redactor: &Redactor,
) -> Result<Searched, CouldNotLook> {
    let tips: Vec<ObjectId> = updates.iter().filter_map(|update| id_of(update.new.as_ref())).collect();
    if let Some(id) = tips.iter().find(|id| objects.find(id).is_none()) {
        return Err(could_not(&format!("commit {id}"), Why::Absent, "the repository does not hold it"));
    }
    let (commits, cut) = objects.commits(&tips, hidden, PUSH_COMMITS_MAX);
    let mut out = Searched::default();
    if cut {
        let detail = format!("more than {PUSH_COMMITS_MAX} commits");
        out.could_not_look.push(could_not("the commits that go", Why::TooMuch, &detail));
    }
    let found = search_commits(objects, &commits, redactor, &mut out, &|_, _| {});
    // What a parent holds in the same file was there before.
    let going: HashSet<ObjectId> = commits.iter().map(|commit| commit.id).collect();
    let mut before: BTreeMap<(usize, String), Vec<SecretPlace>> = BTreeMap::new();
    for (commit, place) in found {
        let parents = || held_before(objects, &commits[commit], &place.path, redactor);
        let known = before.entry((commit, place.path.clone())).or_insert_with(parents);
        match known.iter().find(|old| old.token == place.token) {
            None => out.places.push(place),
            // A parent that does not go along is where the commits go already.
            Some(old) if !going.iter().any(|id| old.commit == Some(id.to_string())) => out.pushed.push(old.clone()),
            Some(_) => {}
        }
    }
    one_a_value(&mut out.pushed);
    Ok(finish(out))
}

/// What the parents of a commit hold at a path.
fn held_before(objects: &Objects, commit: &Commit, path: &str, redactor: &Redactor) -> Vec<SecretPlace> {
    let parents = commit.parents.iter().filter_map(|id| objects.commit(id));
    let held = parents.filter_map(|parent| {
        let blob = objects.blob_at(&parent.tree, path)?;
        let mut text = text_of(objects, &blob, path, None).ok()?;
        text.bytes.truncate(FILE_BYTES_MAX);
        let of_parent = |place| SecretPlace { commit: Some(parent.id.to_string()), ..place };
        Some(places_of(&text, redactor).into_iter().map(of_parent).collect::<Vec<_>>())
    });
    held.flatten().collect()
}

fn one_a_value(places: &mut Vec<SecretPlace>) {
    let mut told: HashSet<String> = HashSet::new();
    places.retain(|place| told.insert(place.token.clone()));
}

/// Searches every commit that a reference leads to; `progress` is told commits done and in all.
pub fn history(
    place: GitPlace<'_>,
    redactor: &Redactor,
    progress: &dyn Fn(usize, usize),
) -> Result<Searched, CouldNotLook> {
    let objects = open(place)?;
    let mut tips = objects.references("refs/");
    tips.extend(objects.repository.head_id().ok().map(|id| id.detach()));
    let (mut commits, cut) = objects.commits(&tips, &[], HISTORY_COMMITS_MAX);
    let (on_remotes, _) = objects.commits(&objects.references("refs/remotes/"), &[], HISTORY_COMMITS_MAX);
    let on_remotes: HashSet<ObjectId> = on_remotes.into_iter().map(|commit| commit.id).collect();
    // A text is searched once: it counts as a remote's where any commit of a remote holds it.
    commits.sort_by_key(|commit| !on_remotes.contains(&commit.id));
    let mut out = Searched::default();
    if cut {
        let detail = format!("more than {HISTORY_COMMITS_MAX} commits");
        out.could_not_look.push(could_not("the whole history", Why::TooMuch, &detail));
    }
    if objects.repository.is_shallow().unwrap_or(false) {
        let detail = "the clone is shallow; `git fetch --unshallow` brings the rest";
        out.could_not_look.push(could_not("the whole history", Why::Absent, detail));
    }
    let found = search_commits(&objects, &commits, redactor, &mut out, progress);
    let is_out = |number: usize| commits.get(number).is_some_and(|commit| on_remotes.contains(&commit.id));
    out.pushed = found.iter().filter(|(number, _)| is_out(*number)).map(|(_, place)| place.clone()).collect();
    one_a_value(&mut out.pushed);
    out.places = found.into_iter().map(|(_, place)| place).collect();
    // The oldest commit that brought a value into a file tells; later versions repeat it.
    let mut told: HashSet<(String, String)> = HashSet::new();
    out.places.retain(|place| told.insert((place.path.clone(), place.token.clone())));
    Ok(finish(out))
}

/// Searches each blob and message that commits bring in, oldest first.
fn search_commits(
    objects: &Objects,
    commits: &[Commit],
    redactor: &Redactor,
    out: &mut Searched,
    progress: &dyn Fn(usize, usize),
) -> Vec<(usize, SecretPlace)> {
    out.commits = commits.len();
    let own: HashSet<ObjectId> = commits.iter().map(|commit| commit.id).collect();
    let mut seen: HashSet<ObjectId> = HashSet::new();
    for parent in commits.iter().flat_map(|commit| &commit.parents).filter(|id| !own.contains(*id)) {
        if let Some(commit) = objects.commit(parent) {
            objects.blobs(&commit.tree, &mut seen, &mut |_, _| {});
        }
    }
    let texts = commits.iter().enumerate().flat_map(|(number, commit)| {
        progress(number, commits.len());
        let mut blobs = Vec::new();
        objects.blobs(&commit.tree, &mut seen, &mut |id, path| blobs.push((id, path)));
        let message = Text { path: MESSAGE.into(), bytes: commit.message.clone(), commit: Some(number) };
        let files = blobs.into_iter().map(move |(id, path)| text_of(objects, &id, &path, Some(number)));
        files.chain([Ok(message)]).collect::<Vec<_>>()
    });
    let mut found: Vec<(usize, SecretPlace)> = search(texts, redactor, out, |_| {})
        .into_iter()
        .filter_map(|(commit, mut place)| {
            let number = commit?;
            let commit = commits.get(number)?;
            place.commit = Some(commit.id.to_string());
            place.date = Some(commit.date.clone()).filter(|date| !date.is_empty());
            Some((number, place))
        })
        .collect();
    found.sort();
    found
}

fn text_of(objects: &Objects, id: &oid, path: &str, commit: Option<usize>) -> Result<Text, CouldNotLook> {
    match objects.find(id) {
        Some((_, bytes)) => Ok(Text { path: path.to_owned(), bytes, commit }),
        None => Err(could_not(path, Why::Absent, &format!("the repository does not hold object {id}"))),
    }
}

/// Searches texts on a few threads; each place comes with the commit of its text.
fn search(
    texts: impl Iterator<Item = Result<Text, CouldNotLook>>,
    redactor: &Redactor,
    out: &mut Searched,
    done: impl Fn(usize),
) -> Vec<(Option<usize>, SecretPlace)> {
    let found: Mutex<Vec<(Option<usize>, SecretPlace)>> = Mutex::default();
    let (sender, receiver) = mpsc::sync_channel::<Text>(WAITING_MAX);
    let receiver = Mutex::new(receiver);
    let mut binary = 0usize;
    std::thread::scope(|scope| {
        for _ in 0..THREADS_MAX {
            scope.spawn(|| {
                while let Some(text) = receiver.lock().ok().and_then(|queue| queue.recv().ok()) {
                    let places = places_of(&text, redactor);
                    if let Ok(mut all) = found.lock() {
                        all.extend(places.into_iter().map(|place| (text.commit, place)));
                    }
                }
            });
        }
        for text in texts {
            let mut text = match text {
                Ok(text) => text,
                Err(problem) => {
                    out.could_not_look.push(problem);
                    continue;
                }
            };
            if is_binary(&text.bytes) {
                binary += 1;
                continue;
            }
            if text.bytes.len() > FILE_BYTES_MAX {
                let detail = format!("longer than {FILE_BYTES_MAX} bytes; the rest was left out");
                out.could_not_look.push(could_not(&text.path, Why::TooMuch, &detail));
                text.bytes.truncate(FILE_BYTES_MAX);
            }
            out.files += 1;
            done(out.files);
            if sender.send(text).is_err() {
                break;
            }
        }
        drop(sender);
    });
    if binary > 0 {
        out.could_not_look.push(could_not("binary files", Why::Unsupported, &format!("{binary} were not searched")));
    }
    let mut found = found.into_inner().unwrap_or_default();
    found.sort();
    if found.len() > PLACES_MAX {
        let detail = format!("more than {PLACES_MAX} places");
        out.could_not_look.push(could_not("all secrets", Why::TooMuch, &detail));
        found.truncate(PLACES_MAX);
    }
    found
}

fn is_binary(bytes: &[u8]) -> bool {
    bytes[..bytes.len().min(BINARY_BYTES)].contains(&0) && wide(bytes).is_none()
}

/// Text of two bytes a character, by its mark.
fn wide(bytes: &[u8]) -> Option<String> {
    let order: fn([u8; 2]) -> u16 = match bytes.get(..2)? {
        [0xff, 0xfe] => u16::from_le_bytes,
        [0xfe, 0xff] => u16::from_be_bytes,
        _ => return None,
    };
    let units: Vec<u16> = bytes[2..].chunks_exact(2).map(|pair| order([pair[0], pair[1]])).collect();
    Some(String::from_utf16_lossy(&units))
}

fn places_of(text: &Text, redactor: &Redactor) -> Vec<SecretPlace> {
    let plain = wide(&text.bytes).unwrap_or_else(|| String::from_utf8_lossy(&text.bytes).into_owned());
    let mut line = 1u64;
    let mut counted = 0;
    let mut places = Vec::new();
    for secret in secrets(&plain) {
        line += plain[counted..secret.span.start].bytes().filter(|b| *b == b'\n').count() as u64;
        counted = secret.span.start;
        let start = plain[..counted].rfind('\n').map_or(0, |at| at + 1);
        let end = plain[secret.span.end..].find('\n').map_or(plain.len(), |at| secret.span.end + at);
        let allowed = ALLOWING.iter().any(|word| plain[start..end].contains(word));
        places.push(SecretPlace {
            path: text.path.clone(),
            line,
            column: plain[start..counted].chars().count() as u64 + 1,
            kind: secret.kind.to_owned(),
            description: secret.description.to_owned(),
            token: redactor.token(&plain[secret.span.clone()]),
            commit: None,
            date: None,
            allowed: None,
            standing: match secret.level {
                _ if allowed => Standing::Allowed,
                Level::Secret => Standing::Issued,
                Level::Generic => Standing::Named,
                Level::Identifier => Standing::Identifier,
            },
        });
    }
    places
}

/// The text at a path of a commit, or its message; bounded as a search is.
pub(crate) fn blob_text(place: GitPlace<'_>, commit: &str, path: &str) -> Result<String, CouldNotLook> {
    let objects = open(place)?;
    let absent = || could_not(&format!("commit {commit}"), Why::Absent, "the repository does not hold it");
    let id = id_of(Some(&commit.to_owned())).ok_or_else(absent)?;
    let found = objects.commit(&id).ok_or_else(absent)?;
    if path == MESSAGE {
        return Ok(String::from_utf8_lossy(&found.message).into_owned());
    }
    let blob = objects.blob_at(&found.tree, path).ok_or_else(absent)?;
    let mut text = text_of(&objects, &blob, path, None)?;
    text.bytes.truncate(FILE_BYTES_MAX);
    Ok(wide(&text.bytes).unwrap_or_else(|| String::from_utf8_lossy(&text.bytes).into_owned()))
}

/// The tokens of the secrets in a blob.
fn tokens_of(objects: &Objects, id: &oid, redactor: &Redactor) -> BTreeSet<String> {
    let Ok(mut text) = text_of(objects, id, "", None) else { return BTreeSet::new() };
    text.bytes.truncate(FILE_BYTES_MAX);
    places_of(&text, redactor).into_iter().map(|place| place.token).collect()
}

fn committed(objects: &Objects) -> BTreeMap<String, ObjectId> {
    let mut files = BTreeMap::new();
    let Ok(tree) = objects.repository.head_tree_id() else { return files };
    // The same blob may lie at several paths, so the index of the tree is asked.
    if let Ok(index) = objects.repository.index_from_tree(&tree) {
        let entry = |entry: &gix::index::Entry| (entry.path(&index).to_str_lossy().into_owned(), entry.id);
        files.extend(index.entries().iter().map(entry));
    }
    files
}

fn id_of(text: Option<&String>) -> Option<ObjectId> {
    ObjectId::from_hex(text?.as_bytes()).ok().filter(|id| !id.is_null())
}

/// Opens the repository that git works on, or that holds the directory.
fn open(place: GitPlace<'_>) -> Result<Objects, CouldNotLook> {
    let below = |path: &str| place.cwd.join(path);
    let at = match place.env.get("GIT_DIR") {
        Some(directory) => below(directory),
        None => top(place.cwd)
            .ok_or_else(|| could_not(&place.cwd.display().to_string(), Why::Absent, "no git repository holds it"))?,
    };
    let more = ["GIT_OBJECT_DIRECTORY", "GIT_QUARANTINE_PATH"].iter().filter_map(|name| place.env.get(*name));
    let others = place.env.get("GIT_ALTERNATE_OBJECT_DIRECTORIES").map_or("", String::as_str);
    let more: Vec<PathBuf> =
        more.map(String::as_str).chain(others.split(':').filter(|path| !path.is_empty())).map(below).collect();
    Objects::open(&at, &more).map_err(|error| could_not(&at.display().to_string(), Why::Unreadable, &error))
}

/// The folder that git takes hooks from: `core.hooksPath`, also the person's, else the repository's.
pub fn hooks_folder(place: GitPlace<'_>) -> Result<PathBuf, CouldNotLook> {
    let at = top(place.cwd)
        .ok_or_else(|| could_not(&place.cwd.display().to_string(), Why::Absent, "no git repository holds it"))?;
    let options = gix::open::Options::default().lossy_config(true).strict_config(false);
    let repository = gix::open_opts(&at, options)
        .map_err(|error| could_not(&at.display().to_string(), Why::Unreadable, &error.to_string()))?;
    let configured = repository.config_snapshot().string("core.hooksPath").map(|path| path.to_str_lossy().into_owned());
    Ok(match configured.filter(|path| !path.is_empty()) {
        Some(path) => match (path.strip_prefix("~/"), place.env.get("HOME")) {
            (Some(rest), Some(home)) => Path::new(home).join(rest),
            _ => at.join(path),
        },
        None => repository.common_dir().join("hooks"),
    })
}

/// The work tree or bare repository that holds a directory.
fn top(cwd: &Path) -> Option<PathBuf> {
    let bare = |at: &&Path| at.join("HEAD").is_file() && at.join("objects").is_dir() && at.join("refs").is_dir();
    cwd.ancestors().find(|at| at.join(".git").exists() || bare(at)).map(Path::to_path_buf)
}

/// The top of the work tree that holds a directory; none for a bare repository.
pub fn work_tree(place: GitPlace<'_>) -> Option<PathBuf> {
    top(place.cwd).filter(|at| at.join(".git").exists())
}

/// The index that git works on: another one than the repository's for `commit -a` and `--only`.
fn index_path(place: GitPlace<'_>, objects: &Objects) -> PathBuf {
    match place.env.get("GIT_INDEX_FILE").filter(|path| !path.is_empty()) {
        Some(path) => place.cwd.join(path),
        None => objects.repository.git_dir().join("index"),
    }
}

fn could_not(what: &str, why: Why, detail: &str) -> CouldNotLook {
    CouldNotLook { what: what.to_owned(), why, detail: detail.to_owned() }
}

fn finish(mut out: Searched) -> Searched {
    out.places.sort();
    out.places.dedup();
    out.could_not_look.sort();
    out.could_not_look.dedup();
    out
}
