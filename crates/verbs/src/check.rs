//! `check`: files and live state against the anti-patterns.

use coroner_collect::World;
use coroner_judge::pattern::Library;
use coroner_judge::scene::{Goal, Scene};
use coroner_judge::{check, fact};
use coroner_model::finding::{CHECK_SCHEMA, CheckReport};
use coroner_model::{Answers, Finding, Probe};

use crate::look;
use crate::secret;
use crate::workspace::Workspace;

/// What to check.
#[derive(Clone, Debug, Default)]
pub struct CheckRequest {
    /// Files and directories; empty: everything that can be seen.
    pub paths: Vec<String>,
}

/// Checks what can be seen and reports what is wrong, worst first.
pub fn check(ws: &Workspace, request: &CheckRequest) -> CheckReport {
    let mut report = check_world(&ws.world, &ws.patterns, request, &ws.cwd.display().to_string());
    if ws.world.is_live() {
        secret::add(ws, &request.paths, &mut report);
    }
    report.could_not_look.extend(ws.notes.iter().cloned());
    report.could_not_look.sort();
    report.could_not_look.dedup();
    report
}

/// The same without a store: a world and patterns are enough.
pub fn check_world(world: &World, patterns: &Library, request: &CheckRequest, cwd: &str) -> CheckReport {
    let base = match world.is_live() {
        true => cwd.to_owned(),
        false => world.root().unwrap_or_else(|| "/".to_owned()),
    };
    let paths: Vec<String> = request.paths.iter().map(|p| absolute(p, &base)).collect();
    let goal = if paths.is_empty() { Goal::Check } else { Goal::CheckPaths(paths.clone()) };
    let answers = look::look(world, &goal, Vec::new());
    let scene = Scene::read(&answers);
    let mut findings = check::judge(&fact::all(&scene), patterns);
    if !paths.is_empty() {
        findings.retain(|f| concerns(f, &paths));
    }
    let mut could_not_look = scene.could_not_look.clone();
    could_not_look.extend(world.notes().iter().cloned());
    could_not_look.sort();
    could_not_look.dedup();
    CheckReport {
        schema: CHECK_SCHEMA.to_owned(),
        findings,
        looked: looked(&answers),
        could_not_look,
        actions: Vec::new(),
    }
}

/// Whether a finding is about one of the named paths: by its place or by its evidence.
fn concerns(finding: &Finding, paths: &[String]) -> bool {
    let places =
        std::iter::once(finding.location.path.as_str()).chain(finding.evidence.iter().map(|e| e.locator.as_str()));
    let files: Vec<&str> = places.filter_map(|p| p.strip_prefix("files").filter(|p| p.starts_with('/'))).collect();
    let under = |place: &str, path: &str| {
        let rest = place.strip_prefix(path.trim_end_matches('/'));
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', ':']))
    };
    files.iter().any(|place| paths.iter().any(|path| under(place, path)))
}

fn absolute(path: &str, base: &str) -> String {
    let joined = if path.starts_with('/') { path.to_owned() } else { format!("{base}/{path}") };
    let mut parts: Vec<&str> = Vec::new();
    for part in joined.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            other => parts.push(other),
        }
    }
    format!("/{}", parts.join("/"))
}

/// What was read, one entry each; states of paths are counted.
fn looked(answers: &Answers) -> Vec<String> {
    let mut entries = Vec::new();
    let mut paths = 0usize;
    for (probe, _) in answers.iter().filter(|(_, answer)| answer.is_ok()) {
        match probe {
            Probe::Stat { .. } => paths += 1,
            Probe::Files { .. } | Probe::Secrets => {}
            Probe::File { path } => entries.push(path.clone()),
            other => entries.push(other.subject()),
        }
    }
    if paths > 0 {
        entries.push(format!("state of {paths} paths"));
    }
    entries.sort();
    entries
}
