//! The form of incidents in files: Markdown with a TOML header, or JSON.

use coroner_model::incident::IncidentList;

/// Why a file of ours could not be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FileError {
    #[error("{name}:{line}:{column}: {message}")]
    Malformed { name: String, line: usize, column: usize, message: String },
}

impl FileError {
    /// What a person can do about it.
    pub fn hint(&self) -> &'static str {
        "compare with the output of `coroner incident export`"
    }
}

/// Reads an export; `None` where the text is none.
pub fn read(_text: &str, _name: &str) -> Result<Option<IncidentList>, FileError> {
    Ok(None)
}
