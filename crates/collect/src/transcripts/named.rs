//! The folders that transcripts name as the ones in which an agent worked.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Read;
use std::path::PathBuf;

use super::{Form, Found};

/// Bytes at the beginning of a transcript in which its folder must stand.
const HEAD_BYTES_MAX: u64 = 64 * 1024;
/// Most folders.
const FOLDERS_MAX: usize = 2_000;
const KEY: &str = "\"cwd\"";

/// Folders that are there and that the beginnings of these transcripts name.
pub fn folders_named(found: &[Found]) -> Vec<PathBuf> {
    let mut folders = BTreeSet::new();
    for one in found.iter().rev().filter(|one| one.form == Form::File && one.agent != "aider") {
        if folders.len() >= FOLDERS_MAX {
            break;
        }
        let mut head = Vec::new();
        let read = File::open(&one.path).and_then(|file| file.take(HEAD_BYTES_MAX).read_to_end(&mut head));
        if read.is_ok() {
            folders.extend(named(&String::from_utf8_lossy(&head)).map(PathBuf::from));
        }
    }
    folders.into_iter().filter(|folder| folder.is_absolute() && folder.is_dir()).take(FOLDERS_MAX).collect()
}

/// The values of `cwd` in a text that holds JSON, cut or not.
fn named(text: &str) -> impl Iterator<Item = String> {
    text.match_indices(KEY).filter_map(|(at, _)| {
        let value = text[at + KEY.len()..].trim_start().strip_prefix(':')?;
        serde_json::Deserializer::from_str(value).into_iter::<String>().next()?.ok()
    })
}
