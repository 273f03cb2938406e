//! Errors as a person reads them, and exit codes.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};

use coroner_model::Redactor;

/// How a run ends (DESIGN: 0 looked, nothing wrong · 1 found something · 2 wrong usage · 3 could not look).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    Clean,
    Found,
    Usage,
    CouldNotLook,
}

impl From<Exit> for std::process::ExitCode {
    fn from(exit: Exit) -> Self {
        std::process::ExitCode::from(match exit {
            Exit::Clean => 0,
            Exit::Found => 1,
            Exit::Usage => 2,
            Exit::CouldNotLook => 3,
        })
    }
}

/// An error with a hint, and how the run ends with it.
#[derive(Debug)]
pub struct Failure {
    pub what: String,
    pub because: Vec<String>,
    pub hint: String,
    pub exit: Exit,
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.what)
    }
}

impl std::error::Error for Failure {}

impl Failure {
    /// Wrong usage or configuration.
    pub fn usage(what: impl Into<String>, hint: impl Into<String>) -> anyhow::Error {
        Failure { what: what.into(), because: Vec::new(), hint: hint.into(), exit: Exit::Usage }.into()
    }

    /// Something named in the call could not be looked at.
    pub fn could_not_look(
        what: impl Into<String>,
        because: impl Into<String>,
        hint: impl Into<String>,
    ) -> anyhow::Error {
        Failure { what: what.into(), because: vec![because.into()], hint: hint.into(), exit: Exit::CouldNotLook }.into()
    }
}

/// `error: …`, `because: …`, `hint: …`.
pub fn render(error: &anyhow::Error) -> String {
    let mut out = format!("error: {error}");
    match error.downcast_ref::<Failure>() {
        Some(failure) => {
            for because in &failure.because {
                out.push_str(&format!("\n  because: {because}"));
            }
            if !failure.hint.is_empty() {
                out.push_str(&format!("\n  hint: {}", failure.hint));
            }
        }
        None => {
            for cause in error.chain().skip(1) {
                out.push_str(&format!("\n  because: {cause}"));
            }
        }
    }
    without_secrets(&out)
}

/// Takes secrets out of an error: what a person typed may be one, and terminals are recorded.
fn without_secrets(text: &str) -> String {
    let mut key = [0; 32];
    for part in key.chunks_mut(8) {
        part.copy_from_slice(&RandomState::new().build_hasher().finish().to_le_bytes());
    }
    Redactor::new(key).redact(text).to_string()
}

/// The exit code of an error; an unforeseen one counts as wrong usage or configuration.
pub fn exit_of(error: &anyhow::Error) -> Exit {
    error.downcast_ref::<Failure>().map_or(Exit::Usage, |f| f.exit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_does_not_repeat_a_secret() {
        let key = format!("ghp_{}", "a1B2".repeat(9));
        let shown =
            render(&Failure::usage(format!("no incident has the id {key}"), "`coroner incident list` shows the ids"));
        assert!(!shown.contains(&key) && shown.contains("hmac:") && shown.ends_with("shows the ids"), "{shown}");
    }
}
