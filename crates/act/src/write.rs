//! Writes files as planned: whole or not at all, never over a file by accident.

use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// What to do when the file is there already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Existing {
    /// Leave it and report it.
    Refuse,
    /// Replace it in one step.
    Replace,
}

/// One file to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileWrite {
    pub path: PathBuf,
    pub text: String,
    /// Permission bits, such as `0o644`.
    pub mode: u32,
    pub existing: Existing,
}

/// What will be changed, to be shown before it is done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    pub writes: Vec<FileWrite>,
}

/// Why a plan was not carried out; what was done before stays done.
#[derive(Debug, thiserror::Error)]
pub enum ActError {
    #[error("{path} is there already")]
    Exists { path: PathBuf },
    #[error("cannot write {path}: {because}")]
    Write { path: PathBuf, because: std::io::Error },
}

impl ActError {
    /// What a person can do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            ActError::Exists { .. } => "choose another name, or move the file away first",
            ActError::Write { .. } => "check that the folder exists, is yours, and that its disk has room",
        }
    }
}

impl Plan {
    /// A plan of one file.
    pub fn of(write: FileWrite) -> Plan {
        Plan { writes: vec![write] }
    }

    /// One line for each change, for a person to read.
    pub fn lines(&self) -> Vec<String> {
        self.writes
            .iter()
            .map(|w| format!("write {} ({} bytes, mode {:04o})", w.path.display(), w.text.len(), w.mode))
            .collect()
    }

    /// Carries the plan out; each file appears whole or not at all.
    pub fn apply(&self) -> Result<(), ActError> {
        self.writes.iter().try_for_each(write)
    }
}

fn write(file: &FileWrite) -> Result<(), ActError> {
    let failed = |because| ActError::Write { path: file.path.clone(), because };
    let folder = file.path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder).map_err(failed)?;
    let mut draft = tempfile::NamedTempFile::new_in(folder).map_err(failed)?;
    draft.write_all(file.text.as_bytes()).map_err(failed)?;
    draft.as_file().set_permissions(std::fs::Permissions::from_mode(file.mode)).map_err(failed)?;
    draft.as_file().sync_all().map_err(failed)?;
    let kept = match file.existing {
        Existing::Replace => draft.persist(&file.path),
        Existing::Refuse => draft.persist_noclobber(&file.path),
    };
    match kept {
        Ok(_) => Ok(()),
        Err(e) if e.error.kind() == std::io::ErrorKind::AlreadyExists => {
            Err(ActError::Exists { path: file.path.clone() })
        }
        Err(e) => Err(failed(e.error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_written_once_and_never_over_another() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new/a.md");
        let file = FileWrite { path: path.clone(), text: "one".into(), mode: 0o600, existing: Existing::Refuse };
        Plan::of(file.clone()).apply().unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let again = Plan::of(FileWrite { text: "two".into(), ..file.clone() }).apply();
        assert!(matches!(again, Err(ActError::Exists { .. })));
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "one");
        Plan::of(FileWrite { text: "two".into(), existing: Existing::Replace, ..file }).apply().unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "two");
        assert_eq!(std::fs::read_dir(path.parent().unwrap()).unwrap().count(), 1, "no draft is left");
    }
}
