//! Writes answers as a casefile: folder or archive, in one step, secrets out.

use std::collections::BTreeMap;
use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use coroner_model::{Answer, Answers, Document, Probe, Redactor, Why};
use thiserror::Error;

use super::meta::SCHEMA;
use super::{CasefileMeta, tree};
use crate::seen::redact;

/// Level of compression: small enough files, fast enough on a sick host.
const ZSTD_LEVEL: i32 = 6;

/// Why a casefile could not be written.
#[derive(Debug, Error)]
pub enum WriteError {
    /// Something lies there already.
    #[error("{path} is there already", path = path.display())]
    Exists { path: PathBuf },
    /// The disk or the rights did not allow it.
    #[error("cannot write casefile {path}: {error}", path = path.display())]
    Unwritable { path: PathBuf, error: io::Error },
}

impl WriteError {
    /// What a person can do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            WriteError::Exists { .. } => "choose another name, nothing is overwritten",
            WriteError::Unwritable { .. } => "check that the directory exists, is writable and has space",
        }
    }
}

/// What was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    pub path: PathBuf,
    pub files: usize,
    /// Bytes before compression.
    pub bytes: u64,
}

/// Writes answers as a casefile, with what they found not to exist.
///
/// An absent directory is the proof of many causes; documents alone cannot
/// carry it, since a path that does not exist has no row in a listing.
pub fn write_answers(
    answers: &Answers,
    redactor: &Redactor,
    to: &Path,
    meta: &CasefileMeta,
) -> Result<Written, WriteError> {
    let documents = answers.iter().filter_map(|(_, answer)| answer.as_ref().ok()).flatten();
    let mut files = gather(documents, redactor);
    let absent: Vec<String> = answers.iter().filter_map(|(probe, answer)| absent_path(probe, answer)).collect();
    if !absent.is_empty() {
        let known = files.remove(tree::PATH).unwrap_or_default();
        let rows = tree::absent_rows(absent.iter().map(|path| redactor.redact(path).as_str().to_owned()));
        files.insert(tree::PATH.into(), tree::merged(&[rows, known]));
    }
    let meta = CasefileMeta { sampled_tree: files.contains_key(tree::PATH), ..meta.clone() };
    write_files(files, to, &meta)
}

/// The path that an answer found not to exist.
fn absent_path(probe: &Probe, answer: &Answer) -> Option<String> {
    match (probe, answer) {
        (Probe::Stat { path }, Ok(documents)) => {
            let only_header =
                |document: &Document| document.path == tree::PATH && document.text.as_str().lines().count() == 1;
            documents.iter().all(only_header).then(|| path.clone())
        }
        (Probe::File { path }, Err(why)) if why.why == Why::Absent => Some(path.clone()),
        _ => None,
    }
    .filter(|path| path.starts_with('/'))
}

/// Writes documents as a casefile: an archive where the name ends in `.tar.zst`
/// or `.tar`, else a folder.
///
/// `redactor` must be the one that made the documents, after all was read: a
/// value that it came to know late is replaced here in the files read early.
pub fn write_casefile<'a>(
    documents: impl IntoIterator<Item = &'a Document>,
    redactor: &Redactor,
    to: &Path,
    meta: &CasefileMeta,
) -> Result<Written, WriteError> {
    write_files(gather(documents, redactor), to, meta)
}

fn write_files(mut files: BTreeMap<String, String>, to: &Path, meta: &CasefileMeta) -> Result<Written, WriteError> {
    if fs::symlink_metadata(to).is_ok() {
        return Err(WriteError::Exists { path: to.to_path_buf() });
    }
    let tables = files.remove("casefile.toml").unwrap_or_default();
    files.insert("casefile.toml".into(), head(meta, &tables));
    let bytes = files.values().map(|text| text.len() as u64).sum();
    let name = to.to_string_lossy();
    let done = if name.ends_with(".tar.zst") || name.ends_with(".tar") {
        write_archive(&files, to, meta, name.ends_with(".zst"))
    } else {
        write_folder(&files, to)
    };
    done.map_err(|error| WriteError::Unwritable { path: to.to_path_buf(), error })?;
    Ok(Written { path: to.to_path_buf(), files: files.len(), bytes })
}

/// The text of each file. Parts of the tree become one table; of two answers at
/// the same path the longer one stays.
fn gather<'a>(documents: impl IntoIterator<Item = &'a Document>, redactor: &Redactor) -> BTreeMap<String, String> {
    let mut files: BTreeMap<String, String> = BTreeMap::new();
    let mut trees = Vec::new();
    for document in documents {
        let text = redact(redactor, &document.path, document.text.as_str());
        if document.path == tree::PATH {
            trees.push(text.as_str().to_owned());
            continue;
        }
        let Some(path) = casefile_path(document) else { continue };
        let kept = files.entry(path).or_default();
        if text.as_str().len() > kept.len() {
            *kept = text.as_str().to_owned();
        }
    }
    if !trees.is_empty() {
        files.insert(tree::PATH.into(), tree::merged(&trees));
    }
    files
}

/// Where a document lies in the casefile; `None` for what is no file.
fn casefile_path(document: &Document) -> Option<String> {
    let path = document.path.as_str();
    // The state of a copied file, which the copy tells itself.
    if path.is_empty() || path.ends_with('/') || document.first_line == 0 {
        return None;
    }
    if path == "-" {
        return Some("logs/stdin.log".into());
    }
    let parts: Vec<&str> = path.split('/').filter(|part| !matches!(*part, "" | "." | "..")).collect();
    match path.starts_with('/') || document.source() == coroner_model::Source::File && !is_inside(path) {
        true => Some(format!("logs/{}", parts.last()?)),
        false => Some(parts.join("/")),
    }
}

fn is_inside(path: &str) -> bool {
    path.starts_with("files/") || path == "casefile.toml"
}

/// `casefile.toml`: the head, and the tables that the source had.
fn head(meta: &CasefileMeta, tables: &str) -> String {
    let mut table: toml::Table = toml::from_str(tables).unwrap_or_default();
    table.insert("schema".into(), SCHEMA.into());
    table.insert("redacted".into(), true.into());
    if meta.sampled_tree {
        table.insert("sampled_tree".into(), true.into());
    }
    let mut word = |key: &str, value: &str| {
        if !value.is_empty() {
            table.insert(key.into(), value.into());
        }
    };
    word("host", &meta.host);
    word("timezone", &meta.timezone);
    word("root", meta.root.as_deref().unwrap_or(""));
    word("collected_at", &meta.collected_at.map(|at| at.to_string()).unwrap_or_default());
    toml::to_string(&table).unwrap_or_default()
}

/// A name beside the target, so that the last step is a rename on one file system.
fn beside(to: &Path) -> (PathBuf, String) {
    let parent = to.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let name = to.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    (parent.to_path_buf(), format!(".{name}."))
}

fn write_folder(files: &BTreeMap<String, String>, to: &Path) -> io::Result<()> {
    let (parent, prefix) = beside(to);
    let folder =
        tempfile::Builder::new().prefix(&prefix).permissions(Permissions::from_mode(0o700)).tempdir_in(parent)?;
    let mut private = DirBuilder::new();
    private.recursive(true).mode(0o700);
    for (path, text) in files {
        let at = folder.path().join(path);
        if let Some(directory) = at.parent() {
            private.create(directory)?;
        }
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&at)?;
        file.write_all(text.as_bytes())?;
    }
    fs::rename(folder.path(), to)?;
    // It has its name now and must not be removed with the guard.
    let _ = folder.keep();
    Ok(())
}

fn write_archive(files: &BTreeMap<String, String>, to: &Path, meta: &CasefileMeta, compressed: bool) -> io::Result<()> {
    let (parent, prefix) = beside(to);
    let mut file = tempfile::Builder::new().prefix(&prefix).tempfile_in(parent)?;
    let seconds = meta.collected_at.map_or(0, |at| u64::try_from(at.as_second()).unwrap_or(0));
    if compressed {
        let mut encoder = zstd::Encoder::new(file.as_file_mut(), ZSTD_LEVEL)?;
        append(files, &mut encoder, seconds)?;
        encoder.finish()?;
    } else {
        append(files, file.as_file_mut(), seconds)?;
    }
    file.as_file().sync_all()?;
    file.persist_noclobber(to).map(drop::<File>).map_err(|error| error.error)
}

fn append(files: &BTreeMap<String, String>, to: &mut impl Write, seconds: u64) -> io::Result<()> {
    let mut archive = tar::Builder::new(to);
    for (path, text) in files {
        let mut header = tar::Header::new_gnu();
        header.set_mode(0o600);
        header.set_size(text.len() as u64);
        header.set_mtime(seconds);
        archive.append_data(&mut header, path, text.as_bytes())?;
    }
    archive.finish()
}
