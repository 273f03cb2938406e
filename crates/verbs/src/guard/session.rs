//! What the guard remembers of a session beyond its deeds: denials, and calls that a person let through.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use coroner_collect::World;
use coroner_judge::guard::{self, evasion};
use coroner_model::PatternId;
use coroner_model::journal::{Denial, JournalEntry, Lift};
use coroner_model::permission::{Permission, PermissionAnswer, PermissionFinding, PermissionRequest, Strength};
use coroner_store::journal::{self, Journal};
use coroner_store::person::Person;
use jiff::Timestamp;

use super::Guard;

/// Longest text of a denied call that is kept, in characters.
const SHOWN_CHARS_MAX: usize = 200;
/// Longest remedy that is kept, in characters.
const REMEDY_CHARS_MAX: usize = 600;
/// Most denials of one session that are kept in memory.
const DENIALS_MAX: usize = 200;
/// Most texts of definitions that later calls of a session are read with.
const DEFINITIONS_MAX: usize = 20;

/// The journals of the sessions that this process sees.
#[derive(Debug, Default)]
pub(super) struct Journals {
    denials: BTreeMap<String, Vec<Denial>>,
    /// Texts that define aliases, functions and variables.
    definitions: BTreeMap<String, Vec<String>>,
}

impl Journals {
    /// After a denial, what the session defined before is part of what it runs.
    pub(super) fn define(&mut self, request: &mut PermissionRequest) {
        let (Some(session), Some(command)) = (&request.session, &request.command) else { return };
        let known = self.definitions.entry(session.clone()).or_default();
        let prelude = known.join("\n");
        if known.len() < DEFINITIONS_MAX && defines(command) && evasion::is_definition(command) {
            known.push(command.clone());
        }
        if !prelude.is_empty() && self.denials.get(session).is_some_and(|d| !d.is_empty()) {
            request.command = Some(format!("{prelude}\n{command}"));
        }
    }
}

/// Whether a text may define something; cheap.
fn defines(command: &str) -> bool {
    command.len() < 4_096 && (command.contains('=') || command.contains("()") || command.contains("function "))
}

/// A hash over what would run, where, and in which session.
pub(super) fn call_hash(request: &PermissionRequest) -> String {
    let what = match (&request.command, &request.tool) {
        (Some(command), _) => command.trim().to_owned(),
        (None, tool) => format!("{}\n{}", tool.as_deref().unwrap_or_default(), request.input),
    };
    coroner_store::hash_of(&[&what, &request.cwd, request.session.as_deref().unwrap_or_default()])
}

/// Folder in which an administrator's lifts lie.
pub(super) fn system_folder() -> PathBuf {
    Path::new(guard::SYSTEM_FOLDER).join("overrides")
}

impl Guard {
    /// Where the journals of this run lie; a casefile is read and never written for.
    fn journal(&self, session: &str) -> Option<Journal> {
        let live = self.request.casefile.is_none() && self.world.get().is_none_or(World::is_live);
        let home = &self.request.home;
        (live && !home.as_os_str().is_empty()).then(|| Journal::of(home, session))
    }

    /// Weighs an answer by what was denied before, and keeps a new denial.
    pub(super) fn remember(&mut self, request: &PermissionRequest, answer: &mut PermissionAnswer) {
        let Some(session) = request.session.clone().filter(|s| !s.is_empty()) else { return };
        // A canary is no denial of anything.
        if session == crate::doctor::canary::SESSION {
            return;
        }
        if answer.effects.is_empty() && answer.permission != Permission::Deny {
            return;
        }
        let call = call_hash(request);
        let journal = self.journal(&session);
        let now = self.request.now;
        let entries = journal.as_ref().and_then(|j| j.read(now).ok()).unwrap_or_default();
        let mut denials = self.journals.denials.get(&session).cloned().unwrap_or_default();
        denials.extend(entries.iter().filter_map(|entry| match entry {
            JournalEntry::Denied(denial) if denial.session == session => Some(denial.clone()),
            _ => None,
        }));
        let used: Vec<&str> = entries
            .iter()
            .filter_map(|entry| match entry {
                JournalEntry::Used { id, .. } => Some(id.as_str()),
                _ => None,
            })
            .collect();
        // What a person let through is no longer forbidden.
        denials.retain(|denial| !used.iter().any(|id| id.split('-').next() == Some(denial.id.as_str())));
        evasion::weigh(request, &call, &denials, answer);
        if answer.permission != Permission::Deny {
            if let (Some(journal), Some(denial)) = (&journal, denials.iter().find(|d| d.call == call)) {
                // Without it the call that runs now would look as if its host had passed the denial over.
                let _ = journal.append(&JournalEntry::Allowed { id: denial.id.clone(), at: now });
            }
            return;
        }
        if let Some(journal) = &journal
            && let Some(lift) = self.lifted(&entries, &used, &call, &session, now)
            && journal.append(&JournalEntry::Used { id: lift.id.clone(), at: now }).is_ok()
        {
            return let_through(answer, &lift);
        }
        if denials.iter().any(|denial| denial.call == call) {
            return;
        }
        let denial = self.denial(request, answer, call);
        if let Some(journal) = &journal {
            // A journal that cannot be written leaves the denial in memory; it stands either way.
            let _ = journal.append(&JournalEntry::Denied(denial.clone()));
        }
        let known = self.journals.denials.entry(session).or_default();
        known.push(denial);
        let surplus = known.len().saturating_sub(DENIALS_MAX);
        known.drain(..surplus);
    }

    fn denial(&self, request: &PermissionRequest, answer: &PermissionAnswer, call: String) -> Denial {
        let command = match guard::action(request) {
            guard::Action::Command(command) => Some(command),
            _ => None,
        };
        let shown = command.unwrap_or_else(|| {
            let path = ["file_path", "path", "filePath"].iter().find_map(|k| request.input.get(k)?.as_str());
            format!("{} {}", request.tool.as_deref().unwrap_or_default(), path.unwrap_or_default())
        });
        let clean = |text: &str, chars: usize| -> String {
            let text = match self.world.get() {
                Some(world) => world.redactor().redact(text).as_str().to_owned(),
                None => coroner_model::Redactor::new([0; 32]).redact(text).as_str().to_owned(),
            };
            text.chars().take(chars).collect()
        };
        Denial {
            id: call[..6].to_owned(),
            at: self.request.now,
            session: request.session.clone().unwrap_or_default(),
            agent: request.agent.clone(),
            agent_id: request.agent_id.clone(),
            agent_type: request.agent_type.clone(),
            pattern: answer.pattern.clone().unwrap_or_default(),
            call,
            cwd: request.cwd.clone(),
            shown: clean(&shown, SHOWN_CHARS_MAX),
            remedy: clean(&answer.remedy, REMEDY_CHARS_MAX),
            effects: evasion::denied_effects(answer, self.library()),
        }
    }

    /// Writes down that a denied call ran all the same; whether it was one.
    pub(crate) fn has_run(&self, mut request: PermissionRequest) -> bool {
        let Some(session) = request.session.clone().filter(|s| !s.is_empty()) else { return false };
        let now = self.request.now;
        let Some(journal) = self.journal(&session) else { return false };
        let entries = journal.read(now).unwrap_or_default();
        let known = |denial: &Denial| {
            entries.iter().any(|entry| match entry {
                JournalEntry::Used { id, .. } => id.split('-').next() == Some(denial.id.as_str()),
                JournalEntry::Ran { id, .. } | JournalEntry::Allowed { id, .. } => *id == denial.id,
                _ => false,
            })
        };
        let denied = entries.iter().find_map(|entry| match entry {
            JournalEntry::Denied(denial) if !known(denial) && is_recent(denial.at, now) => {
                // The call itself may have changed the directory.
                request.cwd.clone_from(&denial.cwd);
                (call_hash(&request) == denial.call).then(|| denial.clone())
            }
            _ => None,
        });
        let Some(denial) = denied else { return false };
        let ran = JournalEntry::Ran { id: denial.id, at: now, shown: denial.shown };
        journal.append(&ran).is_ok()
    }

    /// A person's word for exactly this call that is fresh, unspent and proven.
    fn lifted(
        &self,
        entries: &[JournalEntry],
        used: &[&str],
        call: &str,
        session: &str,
        now: Timestamp,
    ) -> Option<Lift> {
        let person = Person::read(&self.request.home).ok().flatten();
        let signed = entries.iter().filter_map(|entry| match entry {
            JournalEntry::Lifted(lift) => Some(lift.clone()),
            _ => None,
        });
        let signed = signed.filter(|lift| person.as_ref().is_some_and(|p| p.signed(&lift.message(), &lift.signature)));
        signed
            .chain(journal::system_lifts(&system_folder()))
            .find(|lift| lift.holds(call, session, now) && !used.contains(&lift.id.as_str()))
    }
}

/// Longest time between a denial and the end of the call that it was to stop, in minutes.
const RAN_MINUTES_MAX: i64 = 15;

fn is_recent(denied: Timestamp, now: Timestamp) -> bool {
    now.duration_since(denied) <= jiff::SignedDuration::from_mins(RAN_MINUTES_MAX)
}

fn let_through(answer: &mut PermissionAnswer, lift: &Lift) {
    answer.permission = Permission::Allow;
    let reason = format!("A person let this call through once, at {}; the next one is judged anew.", lift.at);
    for finding in &mut answer.findings {
        finding.permission = Strength::Note;
    }
    answer.findings.push(PermissionFinding {
        pattern: answer.pattern.clone().unwrap_or_else(|| PatternId::new(evasion::PATTERN)),
        permission: Strength::Note,
        reason: reason.clone(),
    });
    answer.reason = reason;
}
