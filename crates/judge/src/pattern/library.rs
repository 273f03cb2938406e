//! The library: built-in anti-patterns and those of the project, by id.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use coroner_model::PatternId;
use coroner_model::effect::EffectKind;

use crate::pattern::file::{self, AntiPattern, Origin, PatternError};

/// A file that is compiled in. A hook starts anew for each call and needs few of them, so
/// each is read only once it is asked for.
#[derive(Debug)]
struct BuiltIn {
    name: &'static str,
    text: &'static str,
    /// The kinds that its `[[when.effect]]` rows ask for.
    effects: &'static [EffectKind],
}

mod built_in {
    use super::{BuiltIn, EffectKind};
    include!(concat!(env!("OUT_DIR"), "/antipatterns.rs"));
}

/// An anti-pattern that was read, or a built-in one that is read when it is needed.
#[derive(Clone, Debug)]
enum Entry {
    Read(Box<AntiPattern>),
    BuiltIn { file: &'static BuiltIn, read: OnceLock<Option<Box<AntiPattern>>> },
}

impl Entry {
    /// The pattern; `None` for a built-in file that is none, which a test rules out.
    fn pattern(&self) -> Option<&AntiPattern> {
        match self {
            Entry::Read(pattern) => Some(pattern),
            Entry::BuiltIn { file, read } => read
                .get_or_init(|| AntiPattern::read(file.text, file.name, Origin::BuiltIn).ok().map(Box::new))
                .as_deref(),
        }
    }

    /// Whether a row may ask for one of these effects.
    fn may_concern(&self, kinds: &[EffectKind]) -> bool {
        match self {
            Entry::Read(_) => true,
            Entry::BuiltIn { file, .. } => file.effects.iter().any(|kind| kinds.contains(kind)),
        }
    }
}

/// All anti-patterns in force. A project's own replaces a built-in one of the same id.
#[derive(Clone, Debug, Default)]
pub struct Library {
    patterns: BTreeMap<PatternId, Entry>,
    /// Files that are no anti-patterns; the rest is used.
    pub errors: Vec<PatternError>,
}

impl Library {
    /// The patterns that are compiled in.
    pub fn built_in() -> Library {
        let entry = |file: &'static BuiltIn| {
            (PatternId::new(file::stem(file.name)), Entry::BuiltIn { file, read: OnceLock::new() })
        };
        Library { patterns: built_in::FILES.iter().map(entry).collect(), errors: Vec::new() }
    }

    /// Adds a file's text; errors are kept and reported, never fatal.
    pub fn add(&mut self, text: &str, path: &str, origin: Origin) {
        match AntiPattern::read(text, path, origin) {
            Ok(pattern) => {
                self.patterns.insert(pattern.id.clone(), Entry::Read(Box::new(pattern)));
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
        self.patterns.get(id)?.pattern()
    }

    /// All patterns in the order of their ids.
    pub fn iter(&self) -> impl Iterator<Item = &AntiPattern> {
        self.patterns.values().filter_map(Entry::pattern)
    }

    /// Those with a row that may ask for one of these effects, in the order of their ids.
    pub fn on_effects(&self, kinds: &[EffectKind]) -> impl Iterator<Item = &AntiPattern> {
        self.patterns.values().filter(|entry| entry.may_concern(kinds)).filter_map(Entry::pattern)
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
    fn every_built_in_file_is_a_pattern_under_its_own_id() {
        for file in built_in::FILES {
            // As somebody's own file its expressions are compiled too.
            let read = AntiPattern::read(file.text, file.name, Origin::File(file.name.to_owned()));
            assert_eq!(read.map(|p| p.id).map_err(|e| e[0].to_string()), Ok(PatternId::new(file::stem(file.name))));
        }
        assert_eq!(Library::built_in().iter().count(), built_in::FILES.len());
    }

    #[test]
    fn the_effects_beside_a_file_are_those_of_its_rows() {
        let library = Library::built_in();
        for pattern in library.iter().filter(|p| !p.header.when.effect.is_empty()) {
            for effect in crate::pattern::header::effect_kinds(&pattern.header) {
                assert!(library.on_effects(&[effect]).any(|p| p.id == pattern.id), "{}: {effect:?}", pattern.id);
            }
        }
        assert_eq!(library.on_effects(&[]).count(), 0);
    }
}
