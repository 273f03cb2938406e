//! Whatever lies under a folder that a person hands over, by content.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use coroner_read::transcript::{Format, format};
use ignore::{DirEntry, WalkBuilder};

use super::database::{self, Database};
use super::find::{found, is_open_code_tree, open_code_tree};
use super::{Form, Found, sort};
use crate::{shell_histories, test_files};

/// Bytes at the beginning of a file by which it is recognised.
const HEAD_BYTES_MAX: u64 = 64 * 1024;
/// The same where the first line is longer than that.
const LONG_HEAD_BYTES_MAX: u64 = 8 * 1024 * 1024;
/// Largest file of lines, in bytes.
const FILE_BYTES_MAX: u64 = 4 * 1024 * 1024 * 1024;
/// Entries of one walk.
const ENTRIES_MAX: usize = 500_000;
/// Levels of one walk.
const LEVELS_MAX: usize = 64;
/// Folders above a file by which its place is told.
const PLACE_LEVELS_MAX: usize = 3;
const ZSTD: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd];

/// Each file under a folder, or the one file, as a source: recognised, or skipped with the reason; oldest first.
///
/// The older tree of OpenCode is one source. Nothing that a symbolic link names is read.
/// A file that `is_known` from an earlier time is not opened.
pub fn find_under(folder: &Path, is_known: &dyn Fn(&Path) -> bool) -> Vec<Found> {
    let walk = WalkBuilder::new(folder)
        .standard_filters(false)
        .follow_links(false)
        .max_depth(Some(LEVELS_MAX))
        .filter_entry(|entry| !is_part_of_tree(entry))
        .build();
    let mut all = Vec::new();
    for (index, entry) in walk.enumerate() {
        if index >= ENTRIES_MAX {
            all.push(found(
                folder,
                folder,
                "",
                Form::Skipped("the rest of it: it holds more entries than are looked at"),
            ));
            break;
        }
        match entry {
            Ok(entry) => all.extend(of_entry(&entry, folder, is_known)),
            Err(error) => all.extend(unreadable(&error, folder)),
        }
    }
    sort(&mut all);
    all
}

fn is_part_of_tree(entry: &DirEntry) -> bool {
    let named = matches!(entry.file_name().to_str(), Some("session" | "message" | "part"));
    named && entry.file_type().is_some_and(|kind| kind.is_dir()) && entry.path().parent().is_some_and(is_open_code_tree)
}

fn of_entry(entry: &DirEntry, base: &Path, is_known: &dyn Fn(&Path) -> bool) -> Option<Found> {
    let path = entry.path();
    let kind = entry.file_type()?;
    if kind.is_dir() {
        return is_open_code_tree(path).then(|| open_code_tree(path, base));
    }
    // A link that was named itself is followed; one that was met is not.
    let is_named_link = entry.depth() == 0 && path.is_file();
    if kind.is_symlink() && !is_named_link {
        return Some(found(path, base, "", Form::Skipped("a symbolic link")));
    }
    if !kind.is_file() && !is_named_link {
        return Some(found(path, base, "", Form::Skipped("no regular file")));
    }
    let (agent, form) = if is_known(path) { ("", Form::Known) } else { recognise(path) };
    Some(found(path, base, agent, form))
}

fn unreadable(error: &ignore::Error, base: &Path) -> Option<Found> {
    let path = path_of(error).unwrap_or(base);
    Some(found(path, base, "", Form::Skipped("it cannot be read")))
}

fn path_of(error: &ignore::Error) -> Option<&Path> {
    match error {
        ignore::Error::WithPath { path, .. } => Some(path),
        ignore::Error::WithDepth { err, .. } | ignore::Error::WithLineNumber { err, .. } => path_of(err),
        _ => None,
    }
}

/// Whose transcript a file is, and how it is read.
fn recognise(path: &Path) -> (&'static str, Form) {
    let skipped = |why| ("", Form::Skipped(why));
    let Ok(head) = head(path) else { return skipped("it cannot be read") };
    if database::is_database(&head) {
        return of_database(path);
    }
    if belongs_to_database(path) {
        return skipped("a part of the database beside it");
    }
    let name = path.to_string_lossy();
    if head.starts_with(ZSTD) {
        if path.extension().is_some_and(|end| end == "zst") && path.with_extension("").is_file() {
            return skipped("the plain file beside it is read");
        }
        return match of_text(name.strip_suffix(".zst").unwrap_or(&name), &unpacked(&head)) {
            (agent, Form::File) => (agent, Form::Compressed),
            other => other,
        };
    }
    if std::fs::metadata(path).is_ok_and(|meta| meta.len() > FILE_BYTES_MAX) {
        return skipped("larger than what is read");
    }
    of_text(&name, &head)
}

fn of_text(name: &str, head: &[u8]) -> (&'static str, Form) {
    let text = String::from_utf8_lossy(head);
    let holds_json = || text.lines().any(|line| serde_json::from_str::<serde::de::IgnoredAny>(line).is_ok());
    // A file that a crash left may end in zeros; one without any record is none.
    let is_binary = head.contains(&0) && !holds_json();
    match format(name, &text) {
        _ if is_binary => ("", Form::Skipped("binary")),
        Format::Unknown(why) => ("", beside(Path::new(name), &text).unwrap_or(Form::Skipped(why))),
        Format::Lines(reader) => (reader.agent(), Form::File),
        Format::Whole(reader) => (reader.agent(), Form::File),
        Format::Commands => {
            let form = beside(Path::new(name), &text);
            ("", form.unwrap_or(Form::Skipped("a plain text, no transcript")))
        }
        Format::Meta => ("claude", Form::File),
    }
}

/// What else can be recorded, by its name, its place and its beginning.
fn beside(path: &Path, head: &str) -> Option<Form> {
    let folders: Vec<&str> =
        path.parent()?.components().rev().take(PLACE_LEVELS_MAX).filter_map(|part| part.as_os_str().to_str()).collect();
    let near: PathBuf = folders.iter().rev().collect();
    let first = head.lines().find(|line| !line.trim().is_empty()).unwrap_or("");
    if shell_histories::is_named_so(path) {
        Some(Form::ShellHistory)
    } else if folders.starts_with(&["logs", "docker"]) && path.extension().is_some_and(|end| end == "log") {
        Some(Form::ContainerLog)
    } else if first.starts_with('{') && first.contains("\"__REALTIME_TIMESTAMP\"") {
        Some(Form::Journal)
    } else if head.contains("<testsuite") || test_files::is_named_so(&near.join(path.file_name()?)) {
        Some(Form::TestResults)
    } else {
        None
    }
}

fn of_database(path: &Path) -> (&'static str, Form) {
    let Ok(database) = Database::open(path) else { return ("", Form::Skipped("a database that cannot be opened")) };
    if database.has(&["session", "message", "part"]) {
        ("opencode", Form::OpenCodeDatabase)
    } else if database.has(&["ItemTable"]) || database.has(&["cursorDiskKV"]) {
        ("cursor", Form::CursorDatabase)
    } else {
        ("", Form::Skipped("a database of no agent that is known"))
    }
}

fn belongs_to_database(path: &Path) -> bool {
    let name = path.to_string_lossy();
    let owner = ["-wal", "-shm", "-journal"].iter().find_map(|suffix| name.strip_suffix(suffix));
    owner.is_some_and(|owner| {
        let mut head = [0u8; 16];
        File::open(owner).and_then(|mut file| file.read_exact(&mut head)).is_ok() && database::is_database(&head)
    })
}

/// The beginning, whole first lines of it where they are not overlong.
fn head(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut file = File::open(path)?;
    let mut head = Vec::new();
    (&mut file).take(HEAD_BYTES_MAX).read_to_end(&mut head)?;
    let is_text = !head.contains(&b'\n') && !head.contains(&0);
    if is_text && head.len() as u64 == HEAD_BYTES_MAX {
        (&mut file).take(LONG_HEAD_BYTES_MAX - HEAD_BYTES_MAX).read_to_end(&mut head)?;
    }
    Ok(head)
}

/// What the beginning of a compressed file unpacks to, as far as it goes.
fn unpacked(head: &[u8]) -> Vec<u8> {
    let mut text = Vec::new();
    if let Ok(decoder) = zstd::Decoder::new(head) {
        // The beginning ends in the middle: an error at its end says nothing.
        let _ = decoder.take(LONG_HEAD_BYTES_MAX).read_to_end(&mut text);
    }
    text
}
