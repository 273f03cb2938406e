//! Commits that a name would no longer lead to: a reference of Coroner's holds them, so that no gc takes them.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use super::manifest::{Name, Ref};

/// A commit to be held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefWanted {
    pub repository: PathBuf,
    /// What leads to it: `refs/heads/NAME`, `refs/stash` or `HEAD`.
    pub name: String,
    pub commit: String,
    pub message: String,
}

/// Where references of snapshots are.
const NAMESPACE: &str = "refs/coroner/undo";

/// Holds a commit for a snapshot.
pub(super) fn hold(id: &str, number: usize, wanted: &RefWanted) -> Result<Ref, String> {
    let kept_as = format!("{NAMESPACE}/{id}/{number}");
    run(&wanted.repository, &["update-ref", &kept_as, &wanted.commit])?;
    Ok(Ref {
        repository: Name::from(wanted.repository.as_path()),
        name: wanted.name.clone(),
        commit: wanted.commit.clone(),
        kept_as,
        message: wanted.message.clone(),
    })
}

/// Lets go of a commit; a repository that is gone needs nothing.
pub(super) fn forget(kept: &Ref) {
    let _ = run(&kept.repository.path(), &["update-ref", "-d", &kept.kept_as]);
}

/// Where a reference leads now.
pub(super) fn commit_of(repository: &Path, name: &str) -> Option<String> {
    let found = run(repository, &["rev-parse", "--verify", "--quiet", "--end-of-options", name]).ok()?;
    Some(found.trim().to_owned())
}

/// The branch that is made for a commit that `HEAD` led to.
pub(super) fn branch_of_head(id: &str) -> String {
    format!("refs/heads/coroner-undo-{id}")
}

/// Makes the name lead to the commit again.
pub(super) fn bring_back(id: &str, kept: &Ref) -> Result<(), String> {
    let repository = kept.repository.path();
    match kept.name.as_str() {
        "refs/stash" => {
            let message = if kept.message.is_empty() { "restored by coroner undo" } else { &kept.message };
            run(&repository, &["stash", "store", "-m", message, &kept.commit])
        }
        "HEAD" => run(&repository, &["update-ref", &branch_of_head(id), &kept.commit]),
        name => run(&repository, &["update-ref", name, &kept.commit]),
    }
    .map(drop)
}

/// Runs git on references alone: no hook, no monitor, nothing that the repository names.
fn run(repository: &Path, arguments: &[&str]) -> Result<String, String> {
    let mut command = Command::new("git");
    for name in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_NAMESPACE", "GIT_PREFIX"] {
        command.env_remove(name);
    }
    let settings = ["core.hooksPath=/dev/null", "core.fsmonitor=false", "safe.directory=*", "gc.auto=0"];
    for setting in settings {
        command.args(["-c", setting]);
    }
    let Output { status, stdout, stderr } = command
        .arg("-C")
        .arg(repository)
        .args(arguments)
        .env("GIT_COMMITTER_NAME", "coroner")
        .env("GIT_COMMITTER_EMAIL", "coroner@localhost")
        .env("GIT_TERMINAL_PROMPT", "0")
        .stdin(Stdio::null())
        .output()
        .map_err(|e| format!("git: {e}"))?;
    match status.success() {
        true => Ok(String::from_utf8_lossy(&stdout).into_owned()),
        false => Err(format!("git {}: {}", arguments[0], String::from_utf8_lossy(&stderr).trim())),
    }
}
