//! Coroner's own files: anti-patterns of a project or person, bounded.

use std::path::Path;

/// Most files read from one folder.
pub const OWN_FILES_MAX: usize = 2_000;
/// Largest file read, in bytes.
pub const OWN_FILE_BYTES_MAX: u64 = 256 * 1024;

/// Path and text of each Markdown file of a folder, sorted; a missing folder holds none.
///
/// A file that cannot be read has its reason as text, so that its loader reports it.
pub fn markdown(folder: &Path) -> Vec<(String, String)> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut paths: Vec<_> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|e| e == "md"))
        .collect();
    paths.sort();
    paths.truncate(OWN_FILES_MAX);
    paths
        .into_iter()
        .map(|path| {
            let text = match std::fs::metadata(&path) {
                Ok(meta) if meta.len() > OWN_FILE_BYTES_MAX => format!("larger than {OWN_FILE_BYTES_MAX} bytes"),
                _ => std::fs::read_to_string(&path).unwrap_or_else(|error| format!("cannot be read: {error}")),
            };
            (path.display().to_string(), text)
        })
        .collect()
}

/// The text of one own file, such as a configuration; none where it is absent, too large or no text.
pub fn text(path: &Path, bytes_max: u64) -> Option<String> {
    let meta = std::fs::metadata(path).ok()?;
    (meta.is_file() && meta.len() <= bytes_max).then(|| std::fs::read_to_string(path).ok())?
}
