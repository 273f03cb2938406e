//! The newest state of configured backup destinations.

use std::path::{Path, PathBuf};

use coroner_model::{CouldNotLook, Why};
use jiff::Timestamp;

use super::{Inner, files};
use crate::casefile::obstacle;
use crate::seen::Seen;

/// Files of one destination.
const FILES_MAX: usize = 1_000;

/// `destination path bytes mtime decodes sha256` for every `[[backups]]` of the configuration.
pub(super) fn listing(inner: &Inner) -> Result<Seen, CouldNotLook> {
    let root = files::project_root(&inner.settings.cwd);
    let text =
        files::config(inner)?.first().map(|seen| String::from_utf8_lossy(&seen.raw).into_owned()).unwrap_or_default();
    let table: toml::Table = toml::from_str(&text)
        .map_err(|error| obstacle(Why::Unreadable, format!("coroner.toml: {}", error.message())))?;
    let destinations = table.get("backups").and_then(|value| value.as_array()).cloned().unwrap_or_default();
    if destinations.is_empty() {
        return Err(obstacle(Why::Absent, "no [[backups]] are configured in .coroner/coroner.toml"));
    }
    let mut out = String::from("destination\tpath\tbytes\tmtime\tdecodes\tsha256\n");
    for destination in &destinations {
        let word = |key: &str| destination.get(key).and_then(|value| value.as_str()).unwrap_or("");
        let mut found = matching(&root.join(word("glob")));
        found.sort();
        for path in found.iter().take(FILES_MAX) {
            let Ok(meta) = std::fs::metadata(path) else { continue };
            let modified = meta.modified().ok().and_then(|at| Timestamp::try_from(at).ok()).unwrap_or_default();
            out.push_str(&format!("{}\t{}\t{}\t{modified}\tunknown\t\n", word("name"), path.display(), meta.len()));
        }
    }
    Ok(Seen::text("backups/listing.tsv", out))
}

/// Files that match a pattern with `*` and `?` in its parts.
fn matching(pattern: &Path) -> Vec<PathBuf> {
    let mut found = vec![PathBuf::new()];
    for part in pattern.components() {
        let part = part.as_os_str().to_string_lossy().into_owned();
        found = if part.contains(['*', '?']) {
            found.iter().flat_map(|directory| children(directory, &part)).collect()
        } else {
            found.into_iter().map(|directory| directory.join(&part)).collect()
        };
    }
    found.retain(|path| path.is_file());
    found
}

fn children(directory: &Path, pattern: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
    entries
        .filter(|entry| is_like(pattern.as_bytes(), entry.file_name().as_encoded_bytes()))
        .map(|entry| entry.path())
        .collect()
}

fn is_like(pattern: &[u8], name: &[u8]) -> bool {
    match (pattern.split_first(), name.split_first()) {
        (None, None) => true,
        (Some((b'*', rest)), _) => {
            is_like(rest, name) || name.split_first().is_some_and(|(_, tail)| is_like(pattern, tail))
        }
        (Some((b'?', rest)), Some((_, tail))) => is_like(rest, tail),
        (Some((wanted, rest)), Some((is, tail))) => wanted == is && is_like(rest, tail),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_names() {
        assert!(is_like(b"*.dump", b"shop_1.dump") && is_like(b"a?c*", b"abc") && is_like(b"*", b""));
        assert!(!is_like(b"*.dump", b"shop.dump.gz") && !is_like(b"a?c", b"ac"));
    }
}
