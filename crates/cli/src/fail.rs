//! Errors as a person reads them, and exit codes.

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
    out
}

/// The exit code of an error; an unforeseen one counts as wrong usage or configuration.
pub fn exit_of(error: &anyhow::Error) -> Exit {
    error.downcast_ref::<Failure>().map_or(Exit::Usage, |f| f.exit)
}
