//! `hook --git`: refuses a commit, a push or what a server is to accept when it brings a secret.
//!
//! git has no way to ask, so a failure of our own refuses as well.

use std::collections::BTreeMap;
use std::path::Path;

pub use coroner_act::{HookPlan, Side};
pub use coroner_collect::secrets::GitPlace;
use coroner_collect::secrets::{self, RefUpdate, Searched};
use coroner_model::action::Action;
use coroner_model::redact::Level;
use coroner_model::secret::{SecretPlace, Standing};
use coroner_model::{CouldNotLook, Redactor};
use coroner_store::Store;
use jiff::Timestamp;

use crate::action;
use crate::secret::{not_kept, told};
use crate::secret_allow::AllowList;

/// Largest list of updates that is read, in bytes.
pub const INPUT_BYTES_MAX: u64 = 16 * 1024 * 1024;
/// Places that are named one by one.
const SHOWN_MAX: usize = 20;

/// The hooks of git that look for secrets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GitHook {
    PreCommit,
    CommitMsg,
    PrePush,
    PreReceive,
    Update,
}

impl GitHook {
    /// Whether git says on standard input what is to be updated.
    pub fn reads_input(self) -> bool {
        matches!(self, GitHook::PrePush | GitHook::PreReceive)
    }
}

/// One call of a hook by git.
#[derive(Clone, Copy, Debug)]
pub struct GitHookRequest<'a> {
    pub hook: GitHook,
    /// What git gives the hook on its command line.
    pub args: &'a [String],
    pub input: &'a str,
    /// The message file of `commit-msg`, read by the caller.
    pub message: Option<&'a str>,
    pub cwd: &'a Path,
    pub env: &'a BTreeMap<String, String>,
    /// Where Coroner keeps its own things, and its store.
    pub home: &'a Path,
    pub store: &'a Path,
    pub now: Timestamp,
}

/// What git is told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GitHookReply {
    /// Lines for standard error.
    pub lines: Vec<String>,
    /// Whether git must not go on.
    pub refused: bool,
}

/// Answers one call.
pub fn answer(request: GitHookRequest<'_>) -> GitHookReply {
    let allowed = AllowList::of(request.home, request.cwd, request.now);
    match search(request, &Redactor::new(key(&request, &allowed))) {
        Ok(mut searched) => {
            allowed.apply(&mut searched.places);
            allowed.apply(&mut searched.pushed);
            searched.could_not_look.extend(allowed.notes.iter().cloned());
            let open = match searched.pushed.iter().any(|place| place.standing.refuses()) {
                true => opened(request, &allowed, &mut searched.could_not_look),
                false => Vec::new(),
            };
            reply(request.hook, &searched, &open)
        }
        Err(problem) => failed(&problem),
    }
}

fn search(request: GitHookRequest<'_>, redactor: &Redactor) -> Result<Searched, CouldNotLook> {
    let place = GitPlace { cwd: request.cwd, env: request.env };
    match request.hook {
        GitHook::PreCommit => secrets::staged(place, redactor),
        GitHook::CommitMsg => Ok(message(request.message.unwrap_or_default(), redactor)),
        GitHook::PrePush => secrets::pushed(place, &push_lines(request.input), redactor),
        GitHook::PreReceive => secrets::received(place, &receive_lines(request.input), redactor),
        GitHook::Update => secrets::received(place, &update_args(request.args), redactor),
    }
}

/// A key that is forgotten, unless values are compared with what the store knows.
fn key(request: &GitHookRequest<'_>, allowed: &AllowList) -> [u8; 32] {
    let kept = || Store::open_read_only(request.store).ok().map(|store| store.redaction_key());
    let kept = if allowed.compares_values() { kept() } else { None };
    kept.unwrap_or_else(|| coroner_store::fresh_key().unwrap_or_default())
}

/// Keeps an action for each value that is out already, and gives those that are open.
///
/// It is searched for once more: what is kept needs tokens under the store's key.
fn opened(request: GitHookRequest<'_>, allowed: &AllowList, problems: &mut Vec<CouldNotLook>) -> Vec<Action> {
    let kept = Store::open(request.store).and_then(|store| {
        let mut searched = search(request, &Redactor::new(store.redaction_key())).unwrap_or_default();
        allowed.apply(&mut searched.pushed);
        action::open(&store, &searched.pushed, request.cwd, request.now)
    });
    kept.unwrap_or_else(|error| {
        problems.push(not_kept(&error));
        Vec::new()
    })
}

fn failed(problem: &CouldNotLook) -> GitHookReply {
    let lines = vec![
        format!("coroner: could not look for secrets: {problem}"),
        "  hint: repair that, or have the person who keeps this repository look at it".to_owned(),
    ];
    GitHookReply { lines, refused: true }
}

fn reply(hook: GitHook, searched: &Searched, open: &[Action]) -> GitHookReply {
    let (refusing, standing): (Vec<&SecretPlace>, Vec<&SecretPlace>) =
        searched.places.iter().partition(|place| place.standing.refuses());
    let mut lines: Vec<String> = Vec::new();
    for place in refusing.iter().take(SHOWN_MAX) {
        lines.push(format!("coroner: {}", line(place)));
    }
    if refusing.len() > SHOWN_MAX {
        lines.push(format!("coroner: and {} more", refusing.len() - SHOWN_MAX));
    }
    for place in standing.iter().take(SHOWN_MAX) {
        let why = match (place.standing, &place.allowed) {
            (Standing::Allowed, Some(reason)) => format!("allowed by the project's list: {reason}"),
            (Standing::Allowed, None) => "allowed by a comment".to_owned(),
            _ => "no secret by itself".to_owned(),
        };
        lines.push(format!("coroner: note: {} ({why})", line(place)));
    }
    for action in open.iter().take(SHOWN_MAX) {
        lines.push(format!(
            "coroner: note: {}; it is out already, and open as action {}",
            line(&action.place),
            action.id
        ));
    }
    if !open.is_empty() {
        lines.push("  make those keys dead, then `coroner incident action probe ID --value-from PLACE`".to_owned());
    }
    lines.extend(told(&searched.could_not_look).into_iter().map(|line| format!("coroner: note: {line}")));
    if !refusing.is_empty() {
        lines.extend(remedy(hook).iter().map(|line| format!("  {line}")));
    }
    GitHookReply { lines, refused: !refusing.is_empty() }
}

fn line(place: &SecretPlace) -> String {
    let commit = place.commit.as_deref().map(|id| format!(" of commit {}", id.get(..12).unwrap_or(id)));
    format!(
        "{} in {}:{}:{}{} [{} {}]",
        place.description,
        place.path,
        place.line,
        place.column,
        commit.unwrap_or_default(),
        place.kind,
        place.token
    )
}

fn remedy(hook: GitHook) -> &'static [&'static str] {
    match hook {
        GitHook::PreCommit => &[
            "the commit was not made: keep the value in an env file that git ignores, and stage the file again",
            "a value that is no secret may stand beside a comment `coroner:allow`",
        ],
        GitHook::CommitMsg => &["the commit was not made: take the value out of the message"],
        GitHook::PrePush | GitHook::PreReceive | GitHook::Update => &[
            "nothing was pushed: take the value out of each commit named above, not only out of the last one",
            "if it ever was somewhere else, make a new key first",
        ],
    }
}

/// `<local ref> <local id> <remote ref> <remote id>`, one line an update.
fn push_lines(input: &str) -> Vec<RefUpdate> {
    let update = |line: &str| {
        let mut words = line.split_whitespace();
        let (_, new, name, old) = (words.next()?, words.next()?, words.next()?, words.next()?);
        Some(RefUpdate { name: name.to_owned(), old: Some(old.to_owned()), new: Some(new.to_owned()) })
    };
    input.lines().filter_map(update).collect()
}

/// `<old id> <new id> <ref>`, one line an update.
fn receive_lines(input: &str) -> Vec<RefUpdate> {
    let update = |line: &str| {
        let mut words = line.split_whitespace();
        let (old, new, name) = (words.next()?, words.next()?, words.next()?);
        Some(RefUpdate { name: name.to_owned(), old: Some(old.to_owned()), new: Some(new.to_owned()) })
    };
    input.lines().filter_map(update).collect()
}

/// `<ref> <old id> <new id>` on the command line.
fn update_args(args: &[String]) -> Vec<RefUpdate> {
    match args {
        [name, old, new, ..] => {
            vec![RefUpdate { name: name.clone(), old: Some(old.clone()), new: Some(new.clone()) }]
        }
        _ => Vec::new(),
    }
}

/// What installing the hooks of a repository would change, to be shown and applied.
pub fn install(place: GitPlace<'_>, program: &Path, side: Side) -> Result<HookPlan, InstallError> {
    Ok(coroner_act::git_hook::install(
        &secrets::hooks_folder(place)?,
        secrets::work_tree(place).as_deref(),
        program,
        side,
    )?)
}

/// What taking them away would change: that and nothing else.
pub fn uninstall(place: GitPlace<'_>, side: Side) -> Result<HookPlan, InstallError> {
    Ok(coroner_act::git_hook::uninstall(&secrets::hooks_folder(place)?, secrets::work_tree(place).as_deref(), side)?)
}

/// Why hooks could not be installed.
#[derive(Debug, thiserror::Error)]
pub enum InstallError {
    #[error("could not look at {0}")]
    Look(CouldNotLook),
    #[error("cannot change the hooks")]
    Act(#[from] coroner_act::ActError),
}

impl From<CouldNotLook> for InstallError {
    fn from(problem: CouldNotLook) -> InstallError {
        InstallError::Look(problem)
    }
}

/// Secrets in a message, up to the line below which git shows what it leaves out.
fn message(text: &str, redactor: &Redactor) -> Searched {
    let text = text.split("# ------------------------ >8 ------------------------").next().unwrap_or_default();
    let place = |secret: coroner_model::redact::Secret| {
        let start = text[..secret.span.start].rfind('\n').map_or(0, |at| at + 1);
        SecretPlace {
            path: "(message)".to_owned(),
            line: text[..secret.span.start].matches('\n').count() as u64 + 1,
            column: text[start..secret.span.start].chars().count() as u64 + 1,
            kind: secret.kind.to_owned(),
            description: secret.description.to_owned(),
            token: redactor.token(&text[secret.span]),
            standing: match secret.level {
                Level::Secret => Standing::Issued,
                Level::Generic => Standing::Named,
                Level::Identifier => Standing::Identifier,
            },
            ..SecretPlace::default()
        }
    };
    let places = coroner_model::redact::secrets(text).into_iter().map(place).collect();
    Searched { places, files: 1, ..Searched::default() }
}
