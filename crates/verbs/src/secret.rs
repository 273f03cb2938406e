//! Secrets in files, in what is staged, and in whole histories, as findings.

use std::path::{Path, PathBuf};

use coroner_collect::secrets::{self, GitPlace, Searched};
use coroner_judge::check;
use coroner_judge::detect::secret_in_file;
use coroner_judge::pattern::Library;
use coroner_model::finding::{CHECK_SCHEMA, CheckReport};
use coroner_model::{CouldNotLook, Finding, Redactor, Why};
use coroner_store::StoreError;

use crate::action;
use crate::secret_allow::AllowList;
use crate::workspace::Workspace;

/// Where secrets are searched for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scope {
    /// Files as they lie there.
    #[default]
    Files,
    /// What the next commit would bring in.
    Staged,
    /// Every commit that a reference leads to.
    History,
}

/// Told commits done and in all.
pub type Progress<'a> = &'a dyn Fn(usize, usize);

/// Searches one scope and reports it alone.
pub fn search(ws: &Workspace, scope: Scope, paths: &[String], progress: Progress<'_>) -> CheckReport {
    let redactor = ws.world.redactor();
    let at = paths.first().map_or_else(|| ws.cwd.clone(), |path| ws.cwd.join(path));
    let place = GitPlace { cwd: &at, env: &ws.env };
    let (searched, what) = match scope {
        Scope::Files => (Ok(in_files(ws, paths, &redactor)), "files"),
        Scope::Staged => (secrets::staged(place, &redactor), "staged files"),
        Scope::History => (secrets::history(place, &redactor, progress), "commits"),
    };
    let mut report = CheckReport {
        schema: CHECK_SCHEMA.to_owned(),
        findings: Vec::new(),
        looked: Vec::new(),
        could_not_look: ws.notes.clone(),
        actions: Vec::new(),
    };
    match searched {
        Ok(mut searched) => {
            allow(ws, &mut searched);
            report.looked = looked(&searched, what);
            report.findings = findings(&searched, &ws.patterns);
            report.could_not_look.extend(searched.could_not_look);
            let repository = repository(&at).unwrap_or(at);
            match action::open(&ws.store, &searched.pushed, &repository, ws.now) {
                Ok(actions) => report.actions = actions,
                Err(error) => report.could_not_look.push(not_kept(&error)),
            }
        }
        Err(problem) => report.could_not_look.push(problem),
    }
    report
}

/// Adds what a search of files finds to a report on their state.
pub(crate) fn add(ws: &Workspace, paths: &[String], report: &mut CheckReport) {
    let redactor = ws.world.redactor();
    let mut searched = in_files(ws, paths, &redactor);
    allow(ws, &mut searched);
    report.looked.extend(looked(&searched, "files"));
    report.findings.extend(findings(&searched, &ws.patterns));
    report.findings.sort_by(|a, b| (a.severity, &a.location, &a.pattern).cmp(&(b.severity, &b.location, &b.pattern)));
    report.could_not_look.extend(searched.could_not_look);
}

/// Marks what the project's list allows; entries that do not count are told.
fn allow(ws: &Workspace, searched: &mut Searched) {
    let list = AllowList::of(&ws.home, &ws.cwd, ws.now);
    list.apply(&mut searched.places);
    list.apply(&mut searched.pushed);
    searched.could_not_look.extend(list.notes);
}

fn in_files(ws: &Workspace, paths: &[String], redactor: &Redactor) -> Searched {
    let named: Vec<PathBuf> = match paths {
        // Without a name, the files of the repository that one stands in.
        [] => repository(&ws.cwd).into_iter().collect(),
        paths => paths.iter().map(|path| ws.cwd.join(path).components().collect()).collect(),
    };
    secrets::in_paths(&named, redactor)
}

fn repository(cwd: &Path) -> Option<PathBuf> {
    cwd.ancestors().find(|at| at.join(".git").exists()).map(Path::to_path_buf)
}

fn findings(searched: &Searched, patterns: &Library) -> Vec<Finding> {
    check::judge(&secret_in_file::of(&searched.places), patterns)
}

fn looked(searched: &Searched, what: &str) -> Vec<String> {
    let commits = if searched.commits > 0 { format!(" of {} commits", searched.commits) } else { String::new() };
    match (searched.files, what) {
        (0, _) => Vec::new(),
        (files, "commits") => vec![format!("{files} texts{commits}, for secrets")],
        (files, what) => vec![format!("{files} {what}, for secrets")],
    }
}

/// Actions that are open and not written down.
pub(crate) fn not_kept(error: &StoreError) -> CouldNotLook {
    let detail = format!("it has no record: {error}");
    CouldNotLook { what: "the action for a pushed secret".to_owned(), why: Why::Unreadable, detail }
}

/// One line for each obstacle.
pub(crate) fn told(problems: &[CouldNotLook]) -> Vec<String> {
    problems.iter().map(|problem| format!("could not look at {problem}")).collect()
}
