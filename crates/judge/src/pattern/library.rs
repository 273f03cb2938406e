//! The library: built-in anti-patterns and those of the project, by id.

use std::collections::BTreeMap;

use coroner_model::PatternId;

use crate::pattern::file::{AntiPattern, Origin, PatternError};

mod built_in {
    include!(concat!(env!("OUT_DIR"), "/antipatterns.rs"));
}

/// All anti-patterns in force. A project's own replaces a built-in one of the same id.
#[derive(Clone, Debug, Default)]
pub struct Library {
    patterns: BTreeMap<PatternId, AntiPattern>,
    /// Files that are no anti-patterns; the rest is used.
    pub errors: Vec<PatternError>,
}

impl Library {
    /// The patterns that are compiled in.
    pub fn built_in() -> Library {
        let mut library = Library::default();
        for (name, text) in built_in::FILES {
            library.add(text, name, Origin::BuiltIn);
        }
        library
    }

    /// Adds a file's text; errors are kept and reported, never fatal.
    pub fn add(&mut self, text: &str, path: &str, origin: Origin) {
        match AntiPattern::read(text, path, origin) {
            Ok(pattern) => {
                self.patterns.insert(pattern.id.clone(), pattern);
            }
            Err(errors) => self.errors.extend(errors),
        }
    }

    /// Notes a file that is left out, and why.
    pub fn refuse(&mut self, path: &str, reason: &str, hint: &str) {
        self.errors.push(PatternError {
            path: path.to_owned(),
            line: 1,
            column: 1,
            reason: reason.to_owned(),
            hint: hint.to_owned(),
        });
    }

    /// The pattern of that id.
    pub fn get(&self, id: &PatternId) -> Option<&AntiPattern> {
        self.patterns.get(id)
    }

    /// All patterns in the order of their ids.
    pub fn iter(&self) -> impl Iterator<Item = &AntiPattern> {
        self.patterns.values()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.patterns.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.patterns.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_built_in_file_loads() {
        let library = Library::built_in();
        assert_eq!(library.errors, Vec::new());
        assert!(!library.is_empty());
    }
}
