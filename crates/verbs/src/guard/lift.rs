//! A person lets one denied call through, once.

use std::path::Path;

use coroner_model::journal::{Denial, JournalEntry, LIFT_SECONDS_MAX, Lift};
use coroner_store::StoreError;
use coroner_store::journal::{self, Journal};
use coroner_store::person::{PASSPHRASE_CHARS_MIN, Person};
use jiff::{SignedDuration, Timestamp};

use super::session::system_folder;

/// Why a call is not let through.
#[derive(Debug, thiserror::Error)]
pub enum LiftError {
    #[error("no denial has the id {0}")]
    NoSuchDenial(String),
    #[error("nobody has set a passphrase")]
    NoPassphrase,
    #[error("this is not the passphrase")]
    WrongPassphrase,
    #[error("a passphrase needs {PASSPHRASE_CHARS_MIN} characters")]
    TooShort,
    #[error("cannot keep it")]
    Store(#[from] StoreError),
}

impl LiftError {
    /// What a person can do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            LiftError::NoSuchDenial(_) => "list what was denied: coroner guard override",
            LiftError::NoPassphrase => {
                "set one first with `coroner guard passphrase`, or answer as the administrator (sudo)"
            }
            LiftError::WrongPassphrase => "try again; an administrator can answer instead",
            LiftError::TooShort => "choose a longer one",
            LiftError::Store(_) => "check that CORONER_HOME can be written",
        }
    }
}

/// How a person proves that it is not an agent who answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    /// The administrator, for another user's home.
    Administrator,
    Passphrase,
}

/// What proves it here.
pub fn proof(home: &Path) -> Result<Proof, LiftError> {
    if journal::is_administrator_for(home) {
        return Ok(Proof::Administrator);
    }
    match Person::read(home)? {
        Some(_) => Ok(Proof::Passphrase),
        None => Err(LiftError::NoPassphrase),
    }
}

/// Denials that still count, newest first.
pub fn denials(home: &Path, now: Timestamp) -> Result<Vec<Denial>, LiftError> {
    let mut all: Vec<Denial> = journal::all_entries(home, now)?
        .into_iter()
        .filter_map(|entry| match entry {
            JournalEntry::Denied(denial) => Some(denial),
            _ => None,
        })
        .collect();
    all.sort_by_key(|denial| std::cmp::Reverse(denial.at));
    Ok(all)
}

/// The denial of that id.
pub fn denial(home: &Path, id: &str, now: Timestamp) -> Result<Denial, LiftError> {
    denials(home, now)?.into_iter().find(|d| d.id == id).ok_or_else(|| LiftError::NoSuchDenial(id.to_owned()))
}

/// Lets the call of a denial through once, for at most a quarter of an hour.
pub fn lift(home: &Path, denial: &Denial, passphrase: Option<&str>, now: Timestamp) -> Result<Lift, LiftError> {
    let until = now.checked_add(SignedDuration::from_secs(LIFT_SECONDS_MAX)).unwrap_or(now);
    let mut lift = Lift {
        // One denial can be lifted more than once, each time anew.
        id: format!("{}-{}", denial.id, now.as_millisecond()),
        call: denial.call.clone(),
        session: denial.session.clone(),
        at: now,
        until,
        signature: String::new(),
    };
    match proof(home)? {
        Proof::Administrator => journal::leave_system_lift(&system_folder(), &lift)?,
        Proof::Passphrase => {
            let person = Person::read(home)?.ok_or(LiftError::NoPassphrase)?;
            let signature = passphrase.and_then(|words| person.sign(words, &lift.message()));
            lift.signature = signature.ok_or(LiftError::WrongPassphrase)?;
            Journal::of(home, &denial.session).append(&JournalEntry::Lifted(lift.clone()))?;
        }
    }
    Ok(lift)
}

/// Sets a passphrase; where there is one, only who knows it may change it.
pub fn set_passphrase(home: &Path, old: Option<&str>, new: &str) -> Result<(), LiftError> {
    if let Some(person) = Person::read(home)? {
        let known = old.and_then(|words| person.sign(words, "coroner/change/v1"));
        known.ok_or(LiftError::WrongPassphrase)?;
    }
    if new.chars().count() < PASSPHRASE_CHARS_MIN {
        return Err(LiftError::TooShort);
    }
    Person::set(home, new)?;
    Ok(())
}
