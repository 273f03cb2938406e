//! Pure reasoning: anti-patterns, simulators, effects against state, causes.
