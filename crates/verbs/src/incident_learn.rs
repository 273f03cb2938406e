//! `incident learn`: drafts an anti-pattern from a proven cause, tests it, writes it.
//!
//! What is written has passed `pattern test`: an example that does not hold is left
//! out, and a draft with too few examples is not written at all.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use coroner_act::{ActError, Existing, FileWrite, Plan};
use coroner_collect::{Casefile, Limits, OpenError, World};
use coroner_judge::investigate::replay::Replay;
use coroner_judge::learn::{self, Block, Draft, Lesson};
use coroner_judge::pattern::{AntiPattern, Example, Library, Origin};
use coroner_model::effect::Effect;
use coroner_model::investigation::{Hypothesis, Status};
use coroner_model::permission::{Permission, PermissionAnswer, PermissionRequest, Strength};
use coroner_model::{IncidentId, PatternId};
use coroner_store::StoreError;
use serde::Serialize;

use crate::guard::Guard;
use crate::incident_draft::{self, DraftError};
use crate::investigate::{self, InvestigateError, InvestigateReport};
use crate::library::PROJECT_FOLDER;
use crate::pattern::test::{PatternProblem, test};
use crate::workspace::Workspace;

/// The schema of what was learned.
pub const LEARN_SCHEMA: &str = "coroner/learned/v1";
/// Rounds in which examples that do not hold are taken out.
const TRIALS_MAX: usize = 6;

/// What to learn from.
#[derive(Clone, Debug, Default)]
pub struct LearnRequest {
    /// A kept investigation, by its id or the first digits of it; empty: the newest.
    pub investigation: String,
    /// Which hypothesis; the first proven one where absent.
    pub rank: Option<u32>,
    /// Shows what would be written and writes nothing.
    pub dry_run: bool,
}

/// What was learned.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LearnReport {
    pub schema: String,
    pub pattern: PatternId,
    pub incident: IncidentId,
    pub path: PathBuf,
    pub text: String,
    /// Whether the file was written just now.
    pub written: bool,
    /// Examples that were tried and hold.
    pub tried: usize,
    /// The pattern that recognised it already.
    pub known: Option<PatternId>,
    /// What happens to the next attempt.
    pub outcome: Outcome,
}

/// What happens to the next attempt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// The guard denies the command.
    Denied { command: String },
    /// The guard has a person asked before the command.
    Asked { command: String },
    /// No command could be tied to it; the state is reported.
    Reported,
}

/// Why nothing was learned.
#[derive(Debug, thiserror::Error)]
pub enum LearnError {
    #[error(transparent)]
    Investigation(#[from] InvestigateError),
    #[error(transparent)]
    Draft(#[from] DraftError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("investigation {id} proved nothing that could be learned")]
    NothingProven { id: String },
    #[error("the state behind the cause cannot be replayed")]
    Replay(#[from] OpenError),
    #[error("the anti-pattern cannot be written as TOML: {0}")]
    Toml(#[from] toml::ser::Error),
    #[error("the draft does not pass its own test: {}", problems.join("; "))]
    Untested { problems: Vec<String> },
    #[error(transparent)]
    Write(#[from] ActError),
}

impl LearnError {
    /// What a person can do about it.
    pub fn hint(&self) -> String {
        match self {
            LearnError::Investigation(error) => error.hint().to_owned(),
            LearnError::Draft(error) => error.hint().to_owned(),
            LearnError::Store(error) => error.hint().unwrap_or_default().to_owned(),
            LearnError::NothingProven { .. } => {
                "only a confirmed cause is learned from; investigate with a casefile or on the host itself".to_owned()
            }
            LearnError::Replay(error) => error.hint().to_owned(),
            LearnError::Toml(_) => "report this as a bug, with the casefile if you can".to_owned(),
            LearnError::Untested { .. } => "start from `coroner pattern new` and write it by hand".to_owned(),
            LearnError::Write(error) => error.hint().to_owned(),
        }
    }
}

/// Learns from an investigation.
pub fn learn(ws: &Workspace, request: &LearnRequest) -> Result<LearnReport, LearnError> {
    let report = investigate::kept(&ws.store, &request.investigation)?;
    let (hypothesis, replay) = proven(&report, request.rank)?;
    let incident = incident_draft::draft(ws, report.id.as_str())?.incident.id;
    let known = hypothesis.pattern.as_ref().and_then(|id| ws.patterns.get(id));
    if let Some(pattern) = known.filter(|p| p.header.incidents.contains(&incident)) {
        return learned_before(ws, pattern, incident, replay);
    }
    let effects = effects(replay)?;
    let lesson =
        Lesson { report: &report.investigation, hypothesis, replay, incident: &incident, known, effects: &effects };
    let nothing = || LearnError::NothingProven { id: report.id.to_string() };
    let draft = learn::draft(&lesson).ok_or_else(nothing)?;
    let incidents: BTreeSet<IncidentId> = ws.store.incidents()?.into_iter().map(|i| i.id).collect();
    let (draft, tried) = hold(draft, &ws.patterns, &incidents)?;
    let text = draft.text()?;
    let path = folder(ws).join(format!("{}.md", draft.id));
    let mut library = ws.patterns.clone();
    library.add(&text, &format!("{}.md", draft.id), Origin::File(path.display().to_string()));
    let id = PatternId::new(draft.id);
    let outcome = outcome(&library, &id, replay)?;
    let written = !request.dry_run && write(&path, &text)?;
    Ok(LearnReport {
        schema: LEARN_SCHEMA.to_owned(),
        pattern: id,
        incident,
        path,
        text,
        written,
        tried,
        known: known.map(|p| p.id.clone()),
        outcome,
    })
}

/// The report where the pattern that recognised the cause was itself learned from it.
fn learned_before(
    ws: &Workspace,
    pattern: &AntiPattern,
    incident: IncidentId,
    replay: &Replay,
) -> Result<LearnReport, LearnError> {
    let incidents = ws.store.incidents()?.into_iter().map(|i| i.id).collect();
    let path = match &pattern.origin {
        Origin::File(path) => PathBuf::from(path),
        Origin::BuiltIn => PathBuf::new(),
    };
    Ok(LearnReport {
        schema: LEARN_SCHEMA.to_owned(),
        pattern: pattern.id.clone(),
        incident,
        path,
        text: pattern.text.clone(),
        written: false,
        tried: test(&ws.patterns, Some(&pattern.id), &incidents).tried,
        known: None,
        outcome: outcome(&ws.patterns, &pattern.id, replay)?,
    })
}

/// The proven hypothesis that is asked for, with its state.
fn proven(report: &InvestigateReport, rank: Option<u32>) -> Result<(&Hypothesis, &Replay), LearnError> {
    let wanted = |h: &&Hypothesis| h.status == Status::Confirmed && rank.is_none_or(|r| r == h.rank);
    let found = report.investigation.hypotheses.iter().filter(wanted).find_map(|h| {
        let replay = report.replays.iter().find(|r| r.rank == h.rank)?;
        Some((h, replay))
    });
    found.ok_or_else(|| LearnError::NothingProven { id: report.id.to_string() })
}

/// The project's folder, else the person's own.
fn folder(ws: &Workspace) -> PathBuf {
    match &ws.project {
        Some(root) => root.join(PROJECT_FOLDER),
        None => ws.home.join("antipatterns"),
    }
}

/// Writes the file; the same text that is there already is no change.
fn write(path: &Path, text: &str) -> Result<bool, LearnError> {
    let plan = Plan::of(FileWrite {
        path: path.to_path_buf(),
        text: text.to_owned(),
        mode: 0o644,
        existing: Existing::Refuse,
    });
    match plan.apply() {
        Ok(()) => Ok(true),
        Err(ActError::Exists { .. }) if there(path, text) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Whether the same text is there already.
fn there(path: &Path, text: &str) -> bool {
    let folder = path.parent().unwrap_or(path);
    let name = path.display().to_string();
    coroner_collect::own_files::markdown(folder).iter().any(|(known, held)| *known == name && held == text)
}

/// The worlds in which the command is tried: the state cut from the evidence, then the
/// plain one that an `sh` block describes.
fn worlds(replay: &Replay) -> Result<Vec<(World, String)>, LearnError> {
    let cwd = if replay.cwd.is_empty() { "/".to_owned() } else { replay.cwd.clone() };
    let texts = replay.files.iter().map(|(path, text)| (path.as_str(), text.as_str()));
    let mut worlds = vec![(World::Casefile(Casefile::of_texts(texts, Limits::default())?), cwd.clone())];
    if !replay.live_data.is_empty() {
        let state = format!("# cwd: {cwd}   live-data: {}\ntrue\n", replay.live_data.join(", "));
        if let Ok(example) = Example::read("sh", &state, 1) {
            let texts = example.files.iter().map(|(path, text)| (path.as_str(), text.as_str()));
            worlds.push((World::Casefile(Casefile::of_texts(texts, Limits::default())?), cwd));
        }
    }
    Ok(worlds)
}

fn judge(world: World, patterns: &Library, command: &str, cwd: String) -> PermissionAnswer {
    let request = PermissionRequest { command: Some(command.to_owned()), cwd, ..PermissionRequest::default() };
    Guard::over(world, patterns.clone()).judge(request)
}

/// What the guard sees in the explaining command, in the first state that shows anything.
fn effects(replay: &Replay) -> Result<Vec<Effect>, LearnError> {
    let Some(command) = &replay.command else { return Ok(Vec::new()) };
    for (world, cwd) in worlds(replay)? {
        let seen = judge(world, &Library::default(), command, cwd).effects;
        if seen.iter().any(|e| !e.class.is_empty() || !e.circumstance.is_empty()) {
            return Ok(seen);
        }
    }
    Ok(Vec::new())
}

/// Takes out every example that does not hold, until the rest does.
fn hold(mut draft: Draft, patterns: &Library, incidents: &BTreeSet<IncidentId>) -> Result<(Draft, usize), LearnError> {
    let mut problems = Vec::new();
    for _ in 0..TRIALS_MAX {
        let text = draft.text()?;
        let mut library = patterns.clone();
        let path = format!("{}.md", draft.id);
        library.errors.clear();
        library.add(&text, &path, Origin::File(path.clone()));
        if let Some(error) = library.errors.first() {
            return Err(LearnError::Untested { problems: vec![error.to_string()] });
        }
        let report = test(&library, Some(&PatternId::new(draft.id.clone())), incidents);
        if report.problems.is_empty() {
            return Ok((draft, report.tried));
        }
        let changed = drop_failing(&mut draft, &text, &report.problems);
        problems = report.problems.into_iter().map(|p| p.text).collect();
        if !changed {
            break;
        }
    }
    Err(LearnError::Untested { problems })
}

/// Takes the failing lines out of the draft; whether there was anything to take out.
fn drop_failing(draft: &mut Draft, text: &str, problems: &[PatternProblem]) -> bool {
    let lines: Vec<&str> = text.lines().collect();
    let before = (draft.caught.len(), draft.passed.len(), draft.header.trace.len(), draft.do_instead.clone());
    for problem in problems {
        match (problem.line, lines.get(problem.line.wrapping_sub(1))) {
            (0, _) if problem.text.starts_with("its own remedy is stopped") => draft.quote_remedy(),
            (0, _) | (_, None) => {}
            (line, Some(failing)) => {
                let side = section(&lines, line);
                let blocks = if side == "## Caught" { &mut draft.caught } else { &mut draft.passed };
                remove(blocks, failing, &fenced(&lines, line));
            }
        }
    }
    before != (draft.caught.len(), draft.passed.len(), draft.header.trace.len(), draft.do_instead.clone())
}

/// The heading above a line.
fn section<'t>(lines: &[&'t str], line: usize) -> &'t str {
    lines[..line.min(lines.len())].iter().rev().find(|l| l.starts_with("## ")).copied().unwrap_or_default()
}

/// The fenced text around a line.
fn fenced(lines: &[&str], line: usize) -> String {
    let at = line.saturating_sub(1).min(lines.len());
    let from = lines[..at].iter().rposition(|l| l.starts_with("```")).map_or(0, |i| i + 1);
    let to = lines[at..].iter().position(|l| l.starts_with("```")).map_or(lines.len(), |i| at + i);
    lines[from..to].iter().map(|l| format!("{l}\n")).collect()
}

/// Removes the block that the failing line came from; commands of one state share a fence.
fn remove(blocks: &mut Vec<Block>, failing: &str, fence: &str) {
    let whole = blocks.iter().position(|b| b.text == fence);
    let at = whole.or_else(|| blocks.iter().position(|b| b.info == "sh" && b.text.trim_end().ends_with(failing)));
    if let Some(at) = at {
        blocks.remove(at);
    }
}

/// What the guard says to the same command while a pattern is in force.
fn outcome(library: &Library, id: &PatternId, replay: &Replay) -> Result<Outcome, LearnError> {
    let guards = library.get(id).is_some_and(|p| !p.header.when.effect.is_empty());
    let Some(command) = replay.command.as_ref().filter(|_| guards) else {
        return Ok(Outcome::Reported);
    };
    for (world, cwd) in worlds(replay)? {
        let answer = judge(world, library, command, cwd);
        let own = answer.findings.iter().find(|f| f.pattern == *id);
        match own.map(|f| f.permission) {
            Some(Strength::Deny) if answer.permission == Permission::Deny => {
                return Ok(Outcome::Denied { command: command.clone() });
            }
            Some(_) if answer.permission == Permission::Ask => return Ok(Outcome::Asked { command: command.clone() }),
            _ => {}
        }
    }
    Ok(Outcome::Reported)
}
