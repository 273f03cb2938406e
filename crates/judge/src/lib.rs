//! Pure reasoning: anti-patterns and their matchers, simulators, facts, causes.
//!
//! Nothing here looks at the world: it reads [`coroner_model::Answers`] and
//! either asks for more probes or judges. The same answers give the same bytes.

pub mod check;
pub mod detect;
pub mod effect;
pub mod fact;
pub mod found;
pub mod guard;
pub mod investigate;
pub mod issuer;
pub mod learn;
pub mod pattern;
pub mod postmortem;
pub mod scene;
pub mod simulate;
