//! The only crate that looks at the world: answers probes, read-only.
//!
//! A [`World`] is a live host or a casefile. Both give the same thing: redacted
//! text at casefile paths, or why it could not be looked at.

pub mod casefile;
mod class;
pub mod git;
pub mod issuer;
pub mod limits;
pub mod live;
mod named_log;
pub mod own_files;
pub mod place;
pub mod script;
pub mod secrets;
mod seen;
pub mod shell_histories;
pub mod source_file;
pub mod test_files;
pub mod transcripts;
pub mod watch;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use coroner_model::{Answer, CouldNotLook, Probe, Redactor};
use jiff::Timestamp;

pub use casefile::{Casefile, CasefileMeta, OpenError, WriteError, Written, write_answers, write_casefile};
pub use limits::Limits;
pub use live::{Live, LiveSettings};

/// Whether the name of a file puts it into a class.
pub fn is_of_class(class: coroner_model::probe::FileClass, path: &str) -> bool {
    class::holds(class, path)
}

/// Threads that answer from a casefile.
const THREADS_MAX: usize = 4;

/// Where answers come from.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "there is one world in a process")]
pub enum World {
    /// The host as it is now.
    Live(Live),
    /// What was recorded, and nothing else.
    Casefile(Casefile),
}

impl World {
    /// Answers one probe.
    pub fn answer(&self, probe: &Probe) -> Answer {
        match self {
            World::Live(live) => live.answer(probe),
            World::Casefile(case) => case.answer(probe),
        }
    }

    /// Answers several probes at once; the answers come in the order of the probes.
    pub fn answer_all(&self, probes: &[Probe]) -> Vec<(Probe, Answer)> {
        match self {
            World::Live(live) => live.answer_all(probes),
            World::Casefile(case) => in_parallel(probes, |probe| case.answer(probe)),
        }
    }

    /// The redactor that every document went through, as it stands now.
    pub fn redactor(&self) -> Arc<Redactor> {
        match self {
            World::Live(live) => live.redactor(),
            World::Casefile(case) => case.redactor().clone(),
        }
    }

    /// Whether this is the host as it is now.
    pub fn is_live(&self) -> bool {
        matches!(self, World::Live(_))
    }

    /// The clock for "how old": now, or when the casefile was collected.
    pub fn clock(&self) -> Option<Timestamp> {
        match self {
            World::Live(live) => Some(live.now()),
            World::Casefile(case) => case.clock(),
        }
    }

    /// Name of the host; empty where unknown.
    pub fn host(&self) -> &str {
        match self {
            World::Live(live) => live.host(),
            World::Casefile(case) => &case.meta().host,
        }
    }

    /// The project root, where it is declared or plain to see.
    pub fn root(&self) -> Option<String> {
        match self {
            World::Live(live) => Some(live.root().display().to_string()),
            World::Casefile(case) => case.root(),
        }
    }

    /// What went wrong while the world was opened; a report lists it under *Could not look*.
    pub fn notes(&self) -> &[CouldNotLook] {
        match self {
            World::Live(_) => &[],
            World::Casefile(case) => case.notes(),
        }
    }
}

/// Answers probes on a few threads.
fn in_parallel(probes: &[Probe], answer: impl Fn(&Probe) -> Answer + Sync) -> Vec<(Probe, Answer)> {
    let next = AtomicUsize::new(0);
    let answers: Mutex<BTreeMap<usize, Answer>> = Mutex::default();
    std::thread::scope(|scope| {
        for _ in 0..probes.len().min(THREADS_MAX) {
            scope.spawn(|| {
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    let Some(probe) = probes.get(at) else { break };
                    let one = answer(probe);
                    if let Ok(mut all) = answers.lock() {
                        all.insert(at, one);
                    }
                }
            });
        }
    });
    let answers = answers.into_inner().unwrap_or_default();
    probes.iter().cloned().zip(answers.into_values()).collect()
}
