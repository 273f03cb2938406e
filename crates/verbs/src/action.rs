//! `incident action`: what is open after something went wrong. A secret that a remote has stays open
//! until its issuer says that the key is dead, or a person answers for it by name.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use coroner_collect::issuer::{self as sender, SecretValue};
use coroner_collect::own_files;
use coroner_collect::secrets::GitPlace;
use coroner_judge::issuer::{self, Issuer, KeyState};
use coroner_model::action::{ACTIONS_SCHEMA, Action, ActionKind, ActionList, ActionStatus};
use coroner_model::redact::rules_of_value;
use coroner_model::secret::SecretPlace;
use coroner_model::{CouldNotLook, Redactor};
use coroner_store::{Store, StoreError, hash_of};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The person's own settings of issuers, below Coroner's home: where an issuer is run by oneself.
pub const ISSUERS_FILE: &str = "issuers.toml";
/// Largest such file, in bytes.
const ISSUERS_BYTES_MAX: u64 = 64 * 1024;
/// Digits of an id.
const ID_DIGITS: usize = 8;

/// Why an action does not go on.
#[derive(Debug, thiserror::Error)]
pub enum ActionError {
    #[error("no action has the id {0}")]
    NoSuchAction(String),
    #[error("{0} is closed already")]
    Closed(String),
    #[error("no issuer of {rule} documents a request that says whether a key works")]
    NoProbe { rule: String },
    #[error("{file} cannot be used: {because}")]
    Issuers { file: PathBuf, because: String },
    #[error("{0} is no place of a value")]
    NoSource(String),
    #[error("the environment has no variable {0}")]
    NoVariable(String),
    #[error("cannot look at {0}")]
    Look(CouldNotLook),
    #[error("what stands there is not the value of this action")]
    OtherValue,
    #[error("the value stands there in pieces or encoded, and would be refused as it is")]
    NotPlain,
    #[error("an action is accepted by a person with a name")]
    NoName,
    #[error("cannot keep it")]
    Store(#[from] StoreError),
}

impl ActionError {
    /// What a person can do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            ActionError::NoSuchAction(_) | ActionError::Closed(_) => "`coroner incident action list` shows the ids",
            ActionError::NoProbe { .. } | ActionError::NotPlain => {
                "make the key dead where it was made, then `coroner incident action accept ID --by NAME`"
            }
            ActionError::Issuers { .. } => "write a table an issuer: [gitlab], then address = \"https://HOST\"",
            ActionError::NoSource(_) => "name it as env:NAME, file:PATH, file:PATH:LINE or commit",
            ActionError::NoVariable(_) | ActionError::Look(_) | ActionError::OtherValue => {
                "name where the value is: env:NAME, file:PATH:LINE, or commit for the commit that holds it"
            }
            ActionError::NoName => "say who: --by NAME",
            ActionError::Store(_) => "check that CORONER_HOME can be written",
        }
    }
}

/// Every action, in the order in which they were opened.
pub fn list(store: &Store) -> Result<ActionList, ActionError> {
    Ok(ActionList { schema: ACTIONS_SCHEMA.to_owned(), actions: store.actions()? })
}

/// The open action whose id begins so.
pub fn find(store: &Store, id: &str) -> Result<Action, ActionError> {
    let mut found = store.actions()?.into_iter().filter(|action| !id.is_empty() && action.id.starts_with(id));
    match (found.next(), found.next()) {
        (Some(action), None) if action.is_open() => Ok(action),
        (Some(action), None) => Err(ActionError::Closed(action.id)),
        _ => Err(ActionError::NoSuchAction(id.to_owned())),
    }
}

/// Opens an action for each value that has none; gives those of the values that are open.
///
/// A value whose action was closed stays closed: the key is dead, or a person has answered for it.
pub(crate) fn open(
    store: &Store,
    pushed: &[SecretPlace],
    repository: &Path,
    now: Timestamp,
) -> Result<Vec<Action>, StoreError> {
    let places: Vec<&SecretPlace> = pushed.iter().filter(|place| place.standing.refuses()).collect();
    if places.is_empty() {
        return Ok(Vec::new());
    }
    let known = store.actions()?;
    let of = |place: &SecretPlace| {
        let id = hash_of(&["pushed-secret", &place.token])[..ID_DIGITS].to_owned();
        known.iter().find(|action| action.id == id).cloned().unwrap_or_else(|| Action {
            id,
            kind: ActionKind::PushedSecret,
            place: place.clone(),
            repository: repository.display().to_string(),
            opened_at: now,
            status: ActionStatus::Open,
        })
    };
    let actions: Vec<Action> = places.into_iter().map(of).collect();
    let fresh: Vec<Action> = actions.iter().filter(|action| known.iter().all(|k| k.id != action.id)).cloned().collect();
    store.put_actions(&fresh, now)?;
    Ok(actions.into_iter().filter(Action::is_open).collect())
}

/// Where a person says that the value is; never on a command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ValueSource {
    Variable(String),
    /// A file, and the line (1-based) that counts.
    File(PathBuf, Option<u64>),
    /// The commit that the action names.
    Commit,
}

impl std::str::FromStr for ValueSource {
    type Err = ActionError;

    fn from_str(text: &str) -> Result<ValueSource, ActionError> {
        // What is no place may be the value itself, so it is not repeated.
        let unknown = || ActionError::NoSource("what was given".to_owned());
        match text.split_once(':') {
            None if text == "commit" => Ok(ValueSource::Commit),
            Some(("env", name)) if !name.is_empty() => Ok(ValueSource::Variable(name.to_owned())),
            Some(("file", path)) if !path.is_empty() => Ok(match path.rsplit_once(':') {
                Some((path, line)) if line.parse::<u64>().is_ok() => ValueSource::File(path.into(), line.parse().ok()),
                _ => ValueSource::File(path.into(), None),
            }),
            _ => Err(unknown()),
        }
    }
}

/// One request to an issuer, ready to be shown before it is sent.
#[derive(Clone, Debug)]
pub struct IssuerProbe {
    pub action: Action,
    /// The host that the value goes to.
    pub host: String,
    pub method: &'static str,
    /// The address that is asked; the value does not stand in it.
    pub address: String,
    /// Where the issuer documents it.
    pub document: &'static str,
    issuer: &'static Issuer,
}

/// What the probe of an action would send, and where to. Nothing is sent.
pub fn plan(home: &Path, action: Action) -> Result<IssuerProbe, ActionError> {
    let no_probe = || ActionError::NoProbe { rule: action.place.kind.clone() };
    let issuer = issuer::of(&action.place.kind).ok_or_else(no_probe)?;
    let address = address(home, issuer)?;
    let host = sender::host(&address);
    Ok(IssuerProbe { host, method: issuer.method, address, document: issuer.document, issuer, action })
}

/// The issuer's address: its public one, or the server that the person runs.
fn address(home: &Path, issuer: &Issuer) -> Result<String, ActionError> {
    #[derive(Deserialize)]
    struct Own {
        address: String,
    }
    let file = home.join(ISSUERS_FILE);
    let Some(text) = own_files::text(&file, ISSUERS_BYTES_MAX) else { return Ok(issuer.address.to_owned()) };
    let unusable = |because: String| ActionError::Issuers { file: file.clone(), because };
    let own: BTreeMap<String, Own> = toml::from_str(&text).map_err(|error| unusable(error.message().to_owned()))?;
    let Some(own) = own.get(issuer.name) else { return Ok(issuer.address.to_owned()) };
    let unsafe_line = || unusable(format!("{} is neither encrypted nor this machine", own.address));
    sender::moved(issuer.address, &own.address).ok_or_else(unsafe_line)
}

/// What an action's value is read with.
#[derive(Clone, Copy, Debug)]
pub struct ValueRequest<'a> {
    pub source: &'a ValueSource,
    pub cwd: &'a Path,
    pub env: &'a BTreeMap<String, String>,
}

/// Reads the value where the person says that it is; another value than the action's is refused.
pub fn value(store: &Store, action: &Action, request: ValueRequest<'_>) -> Result<SecretValue, ActionError> {
    let text = match request.source {
        ValueSource::Variable(name) => {
            request.env.get(name).cloned().ok_or_else(|| ActionError::NoVariable(name.clone()))?
        }
        ValueSource::File(path, line) => {
            sender::file_text(&request.cwd.join(path), *line).map_err(ActionError::Look)?
        }
        ValueSource::Commit => {
            let place = GitPlace { cwd: Path::new(&action.repository), env: &BTreeMap::new() };
            sender::commit_text(place, &action.place).map_err(ActionError::Look)?
        }
    };
    let redactor = Redactor::new(store.redaction_key());
    let value = SecretValue::found_in(&text, &action.place.token, &redactor).ok_or(ActionError::OtherValue)?;
    // In another spelling the issuer would refuse it, and a living key would pass for a dead one.
    match rules_of_value(value.exposed()).contains(&action.place.kind.as_str()) {
        true => Ok(value),
        false => Err(ActionError::NotPlain),
    }
}

/// What came of a probe.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ProbeReport {
    /// The action as it stands now.
    pub action: Action,
    pub host: String,
    pub http_status: u16,
    /// `dead`, `alive` or `could-not-tell`.
    pub key: &'static str,
}

/// Sends the value to its issuer, once, and closes the action where the issuer says that the key is dead.
pub fn probe(
    store: &Store,
    probe: &IssuerProbe,
    value: SecretValue,
    now: Timestamp,
) -> Result<ProbeReport, ActionError> {
    let headers = probe.issuer.headers_for(value.exposed());
    let answered = sender::ask(probe.method, &probe.address, &headers).map_err(ActionError::Look)?;
    let state = probe.issuer.state(answered.status, &answered.body);
    let mut action = probe.action.clone();
    if state == KeyState::Dead {
        action.status = ActionStatus::Dead { host: probe.host.clone(), http_status: answered.status, at: now };
        store.put_actions(std::slice::from_ref(&action), now)?;
    }
    let key = match state {
        KeyState::Dead => "dead",
        KeyState::Alive => "alive",
        KeyState::CouldNotTell => "could-not-tell",
    };
    Ok(ProbeReport { action, host: probe.host.clone(), http_status: answered.status, key })
}

/// Closes an action on a person's word alone; it is shown as that.
pub fn accept(store: &Store, mut action: Action, by: &str, now: Timestamp) -> Result<Action, ActionError> {
    let by = by.trim();
    if by.is_empty() {
        return Err(ActionError::NoName);
    }
    action.status = ActionStatus::Accepted { by: by.to_owned(), at: now };
    store.put_actions(std::slice::from_ref(&action), now)?;
    Ok(action)
}

/// How many pushed secrets are open, in words; none where all are closed.
pub(crate) fn open_words(actions: &[Action]) -> Option<String> {
    match actions.iter().filter(|action| action.is_open()).count() {
        0 => None,
        1 => Some("1 pushed secret is still open".to_owned()),
        count => Some(format!("{count} pushed secrets are still open")),
    }
}
