//! `init`: looks at a project, writes its configuration, and wires the hooks.

mod merge;
mod project_file;
pub mod wire;

use std::path::{Path, PathBuf};

use coroner_act::undo::{self, Take, Wanted};
use coroner_act::{ActError, Existing, FileWrite, Plan};
use coroner_collect::World;
use coroner_collect::place::{self, Text};
use coroner_judge::found::{self, Found};
use coroner_judge::scene::Goal;
use coroner_model::{CouldNotLook, Why};
use coroner_read::config::{self, Config};
use jiff::Timestamp;
use serde::Serialize;

use crate::agents::Surroundings;
use crate::look;
use crate::workspace::Workspace;

/// The project's configuration below its root.
pub const FILE: &str = ".coroner/coroner.toml";
/// Largest configuration that is added to, in bytes.
const CONFIG_BYTES_MAX: u64 = 256 * 1024;

/// What would be written.
#[derive(Clone, Debug, Serialize)]
pub struct InitPlan {
    pub schema: String,
    pub root: PathBuf,
    pub path: PathBuf,
    #[serde(skip)]
    pub before: Option<String>,
    pub text: String,
    /// What differs from the file that is there; the whole file where none is.
    pub diff: String,
    /// One line each of what was seen.
    pub found: Vec<String>,
    /// What was seen and is not in a table that the file has already.
    pub not_written: Vec<String>,
    pub agents: Vec<String>,
    pub could_not_look: Vec<CouldNotLook>,
}

impl InitPlan {
    /// Whether the file is as it would be written.
    pub fn is_in_place(&self) -> bool {
        self.before.as_deref() == Some(self.text.as_str())
    }
}

/// Why no configuration is written.
#[derive(Debug, thiserror::Error)]
pub enum InitError {
    #[error("{path} cannot be read: {why}")]
    Unreadable { path: PathBuf, why: String },
    #[error("{path} was changed since it was looked at")]
    Changed { path: PathBuf },
    #[error("what was to be written does not read back: {0}")]
    ReadBack(String),
    #[error("the file before could not be kept")]
    Undo(#[from] undo::UndoError),
    #[error(transparent)]
    Act(#[from] ActError),
}

impl InitError {
    /// What a person can do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            InitError::Unreadable { .. } => "repair the file, or move it away",
            InitError::Changed { .. } => "run it again",
            InitError::ReadBack(_) => "a path with unusual signs may be the reason; write the file by hand",
            InitError::Undo(error) => error.hint(),
            InitError::Act(error) => error.hint(),
        }
    }
}

/// Looks at the project; changes nothing.
pub fn plan(ws: &Workspace) -> Result<InitPlan, InitError> {
    let root = root_of(&ws.world, &ws.cwd);
    let path = root.join(FILE);
    let before = match place::text(&path, CONFIG_BYTES_MAX) {
        Text::Absent => None,
        Text::Held(text) => Some(text),
        Text::Unreadable(why) => return Err(InitError::Unreadable { path, why }),
    };
    let known = match before.as_deref().map(config::read) {
        None => Config::default(),
        Some(Ok(known)) => known,
        Some(Err(why)) => return Err(InitError::Unreadable { path, why }),
    };
    let shown = root.display().to_string();
    let home = ws.env.get("HOME").map(String::as_str);
    let answers = look::look(&ws.world, &Goal::Check, found::ask(&shown, home));
    let found = found::found(&shown, &answers);
    let around = Surroundings { env: &ws.env, project: &root };
    let agents: Vec<String> = around.agents().into_iter().map(|agent| agent.name().to_owned()).collect();
    let written = project_file::write(&found, &agents, before.as_deref());
    read_back(&written.text, &known, &written.expected)?;
    let mut could_not_look = answers.could_not_look();
    could_not_look.retain(|why| why.why != Why::Absent);
    Ok(InitPlan {
        schema: "coroner/init/v1".to_owned(),
        root,
        diff: wire::diff(before.as_deref().unwrap_or_default(), &written.text),
        path,
        before,
        text: written.text,
        found: lines(&found),
        not_written: written.left,
        agents,
        could_not_look,
    })
}

fn root_of(world: &World, cwd: &Path) -> PathBuf {
    world.root().map(PathBuf::from).unwrap_or_else(|| cwd.to_path_buf())
}

/// What is read from the file must be what was meant, and what stood there before.
fn read_back(text: &str, known: &Config, expected: &Config) -> Result<(), InitError> {
    let read = config::read(text).map_err(InitError::ReadBack)?;
    let mut wanted = known.clone();
    let take = |wanted: &mut Config| {
        if known.protect.paths.is_empty() {
            wanted.protect.paths.clone_from(&expected.protect.paths);
        }
        wanted.backups.extend(expected.backups.iter().cloned());
        wanted.ownership.extend(expected.ownership.iter().cloned());
        wanted.secrets.extend(expected.secrets.iter().cloned());
        if known.urls.public.is_empty() {
            wanted.urls.public.clone_from(&expected.urls.public);
        }
    };
    take(&mut wanted);
    if read == wanted { Ok(()) } else { Err(InitError::ReadBack("its tables mean something else".to_owned())) }
}

fn lines(found: &Found) -> Vec<String> {
    let mut lines: Vec<String> =
        found.projects.iter().map(|(name, files)| format!("compose project {name}: {}", files.join(", "))).collect();
    lines.extend(found.data.iter().map(|(path, whose)| format!("{whose}: {path}")));
    lines.extend(found.backups.iter().map(|(_, glob)| format!("backups: {glob}")));
    lines.extend(found.secret_files.iter().map(|path| format!("secrets: {path}")));
    lines.extend(found.secret_copies.iter().map(|all| format!("the same secrets in {}", all.join(", "))));
    lines.extend(found.urls.iter().map(|url| format!("public address: {url}")));
    lines.extend(found.ownership.iter().map(|own| format!("{} belongs to {}", own.root, own.owner)));
    lines
}

/// Writes what was planned; the file that was there is kept for `coroner undo`, and its snapshot named.
pub fn apply(home: &Path, plan: &InitPlan, now: Timestamp) -> Result<Option<String>, InitError> {
    let here = match place::text(&plan.path, CONFIG_BYTES_MAX) {
        Text::Held(text) => Some(text),
        Text::Absent => None,
        Text::Unreadable(why) => return Err(InitError::Unreadable { path: plan.path.clone(), why }),
    };
    if here != plan.before {
        return Err(InitError::Changed { path: plan.path.clone() });
    }
    let mut kept = None;
    if plan.before.is_some() {
        let everything = |_: &Path, _: bool| Take::Keep;
        let wanted = [Wanted { root: plan.path.clone(), removes: false, takes: &everything }];
        let bounds = crate::undo::bounds(home, Path::new("/")).unwrap_or_default();
        let head = crate::undo::blank(now, "coroner init".to_owned());
        kept = undo::keep(&home.join(undo::FOLDER), head, &wanted, &[], &bounds)?.map(|head| head.id);
    }
    let existing = if plan.before.is_some() { Existing::Replace } else { Existing::Refuse };
    let mode = place::access(&plan.path).map_or(0o644, |access| access.mode);
    Plan::of(FileWrite { path: plan.path.clone(), text: plan.text.clone(), mode, existing }).apply()?;
    Ok(kept.filter(|id| !id.is_empty()))
}
