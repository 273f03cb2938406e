//! From a symptom to ranked causes: symptom, signature, confirming state, explaining change.
//!
//! `ask` says what must still be looked at, `judge` answers. The status of a cause
//! follows rules: a state check that holds on the path to the symptom confirms it,
//! a signature alone makes it likely, anything else stays open.

pub mod ask;
pub mod change;
pub mod coverage;
mod episode;
pub mod explain;
pub mod hypothesis;
pub mod logs;
pub mod lookalike;
pub mod recent;
pub mod replay;
pub mod route;
pub mod signature;
pub mod steps;
pub mod symptom;
pub mod timeline;
pub mod topology;
pub mod window;

use coroner_model::Answers;
use coroner_model::investigation::{INVESTIGATION_SCHEMA, Investigation};
use jiff::Timestamp;

use crate::fact::{self, Fact};
use crate::pattern::Library;
use crate::scene::Scene;

pub use ask::ask;

/// How much may be looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scope {
    /// Only the logs that were named.
    Logs,
    /// Everything that may explain the symptom.
    #[default]
    Everything,
}

/// What a person wants explained.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Request {
    /// A URL, a service, an error text, log lines, a time, or nothing; redacted.
    pub given: String,
    pub since: Option<Timestamp>,
    pub until: Option<Timestamp>,
    /// Logs named in the call; `-` is standard input.
    pub logs: Vec<String>,
    pub scope: Scope,
}

/// Everything that the parts of an investigation share.
pub struct Case<'a> {
    pub request: &'a Request,
    pub answers: &'a Answers,
    pub scene: &'a Scene,
    pub facts: &'a [Fact],
    pub library: &'a Library,
    pub logs: Vec<logs::Log<'a>>,
    /// Error lines of all logs, folded, first ones first.
    pub errors: Vec<logs::ErrorGroup>,
    pub topology: topology::Topology,
    pub acts: change::Acts<'a>,
}

/// A report, and the states of its proven causes as they can be replayed.
#[derive(Clone, Debug, PartialEq)]
pub struct Judged {
    pub report: Investigation,
    pub replays: Vec<replay::Replay>,
}

/// Judges the answers; the same answers give the same bytes.
pub fn judge(request: &Request, answers: &Answers, library: &Library) -> Judged {
    let scene = Scene::read(answers);
    let facts = fact::all(&scene);
    judge_scene(request, answers, &scene, &facts, library)
}

/// Judges a scene whose facts are known already.
pub fn judge_scene(request: &Request, answers: &Answers, scene: &Scene, facts: &[Fact], library: &Library) -> Judged {
    let logs = logs::of(answers, scene);
    let errors = logs::errors(&logs, request);
    let topology = topology::Topology::of(scene, &errors);
    let case = Case {
        request,
        answers,
        scene,
        facts,
        library,
        logs,
        errors,
        topology,
        acts: change::Acts::of(scene, answers),
    };
    let sightings = signature::scan(&case);
    let mut symptom = symptom::read(&case, &sightings, &case.errors);
    let (hypotheses, replays) = hypothesis::rank(&case, &mut symptom, &sightings);
    let timeline = timeline::merge(&case, &symptom, &hypotheses, &sightings, &case.errors);
    let steps = steps::done(&case, &symptom, &hypotheses, &sightings);
    let report = Investigation {
        schema: INVESTIGATION_SCHEMA.to_owned(),
        symptom: symptom.report,
        hypotheses,
        timeline,
        steps,
        coverage: coverage::of(&case),
        could_not_look: scene.could_not_look.clone(),
    };
    Judged { report, replays }
}

#[cfg(test)]
mod tests;
