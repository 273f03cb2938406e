//! Asks and looks until the scene needs nothing more: the loop that every verb shares.

use std::collections::BTreeSet;

use coroner_collect::World;
use coroner_judge::scene::{Goal, Scene};
use coroner_model::{Answers, Probe};

pub use coroner_collect::live::project_root;

/// Rounds in which answers may lead to more questions.
pub const ROUNDS_MAX: usize = 4;

/// Looks at everything that a goal needs; `first` is asked in any case.
pub fn look(world: &World, goal: &Goal, first: Vec<Probe>) -> Answers {
    let mut answers = Answers::new();
    rounds(world, &mut answers, first, |answers| Scene::ask(goal, answers));
    answers
}

/// Asks `first`, then whatever `more` still wants, at most [`ROUNDS_MAX`] rounds; each probe once.
pub fn rounds(world: &World, answers: &mut Answers, first: Vec<Probe>, more: impl Fn(&Answers) -> Vec<Probe>) {
    let mut asked: BTreeSet<Probe> = answers.iter().map(|(probe, _)| probe.clone()).collect();
    let mut wanted = first;
    for _ in 0..ROUNDS_MAX {
        wanted.extend(more(answers));
        wanted.retain(|probe| asked.insert(probe.clone()));
        if wanted.is_empty() {
            return;
        }
        for (probe, answer) in world.answer_all(&wanted) {
            answers.insert(probe, answer);
        }
        wanted.clear();
    }
}
