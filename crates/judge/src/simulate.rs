//! Small simulators of tools whose rules are too fine for a guess, each tested
//! against the real tool.

pub mod rsync;
