//! `trust`: a person says that a project's file may weaken what is in force.

use std::path::{Path, PathBuf};

use coroner_judge::pattern::{AntiPattern, Origin};
use coroner_model::permission::Strength;
use coroner_store::StoreError;
use coroner_store::person::Person;
use coroner_store::trust::{self, Trusted};
use jiff::Timestamp;

use crate::library::{self, Library};
use crate::secret_allow;

/// What a person should see before trusting a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrustView {
    pub path: String,
    /// What it would change, one line each.
    pub changes: Vec<String>,
    pub trusted: bool,
    text: String,
}

/// Why a file is not trusted.
#[derive(Debug, thiserror::Error)]
pub enum TrustError {
    #[error("cannot read {path}")]
    Unreadable { path: PathBuf },
    #[error("this is not the passphrase")]
    WrongPassphrase,
    #[error("cannot keep it")]
    Store(#[from] StoreError),
}

impl TrustError {
    /// What a person can do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            TrustError::Unreadable { .. } => {
                "name .coroner/coroner.toml, or a Markdown file in the project's .coroner/antipatterns"
            }
            TrustError::WrongPassphrase => "try again",
            TrustError::Store(_) => "check that CORONER_HOME can be written",
        }
    }
}

/// What trusting a file would change.
pub fn view(home: &Path, cwd: &Path, path: &Path) -> Result<TrustView, TrustError> {
    let unreadable = || TrustError::Unreadable { path: path.to_path_buf() };
    let path = cwd.join(path);
    if secret_allow::is_config(&path) {
        let (path, text) = secret_allow::config(&path).ok_or_else(unreadable)?;
        let trusted = trust::is_trusted(home, &path, text.as_bytes());
        return Ok(TrustView { changes: secret_allow::changes(&text), path, trusted, text });
    }
    let folder = path.parent().ok_or_else(unreadable)?;
    // The project is the one that the file lies in, under the same name as when it is loaded.
    let all = coroner_collect::own_files::markdown(folder);
    let name = path.file_name().ok_or_else(unreadable)?;
    let (path, text) = all.into_iter().find(|(p, _)| Path::new(p).file_name() == Some(name)).ok_or_else(unreadable)?;
    let mut base = Library::built_in();
    for (path, text) in coroner_collect::own_files::markdown(&home.join("antipatterns")) {
        base.add(&text, &path, Origin::File(path.clone()));
    }
    let trusted = trust::is_trusted(home, &path, text.as_bytes());
    let changes = match AntiPattern::read(&text, &path, Origin::File(path.clone())) {
        Err(errors) => errors.iter().map(|error| format!("it cannot be read: {error}")).collect(),
        Ok(pattern) if library::replaces(&base, &path) => {
            let rows = |p: &AntiPattern| {
                let count = |s: Strength| p.header.when.effect.iter().filter(|row| row.permission == s).count();
                format!(
                    "{} rows deny, {} ask, {} note",
                    count(Strength::Deny),
                    count(Strength::Ask),
                    count(Strength::Note)
                )
            };
            let old = base.get(&pattern.id).map(&rows).unwrap_or_default();
            vec![
                format!("it takes the place of the pattern {}", pattern.id),
                format!("before: {old}"),
                format!("after: {}", rows(&pattern)),
            ]
        }
        Ok(_) => vec!["it adds a pattern and takes the place of none, so it needs no trust".to_owned()],
    };
    Ok(TrustView { path, changes, trusted, text })
}

/// Whether the person's passphrase is asked for.
pub fn needs_passphrase(home: &Path) -> Result<bool, TrustError> {
    Ok(Person::read(home)?.is_some())
}

/// Keeps that the file is trusted as it was shown.
pub fn keep(home: &Path, view: &TrustView, passphrase: Option<&str>, now: Timestamp) -> Result<(), TrustError> {
    let mut file = Trusted::of(&view.path, view.text.as_bytes(), now);
    if let Some(person) = Person::read(home)? {
        let signature = passphrase.and_then(|words| person.sign(words, &file.message()));
        file.signature = signature.ok_or(TrustError::WrongPassphrase)?;
    }
    Ok(trust::trust(home, &file)?)
}
