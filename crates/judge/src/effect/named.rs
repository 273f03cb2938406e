//! Things that a command knows by name only: a branch, a database, a disk, a unit, a cloud resource.

use coroner_model::effect::{Circumstance, TargetClass};
use coroner_read::shell::Word;

use super::database::Database;
use super::git_push::Push;
use super::growth::Growth;
use super::sent::Sent;
use super::{Place, Plan, Planned, Target};

/// One thing by its name, with what the command itself says of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Named {
    pub name: String,
    /// What would happen, as a sentence goes on after "this would".
    pub would: String,
    pub place: Place,
    pub class: Vec<TargetClass>,
    pub circumstance: Vec<Circumstance>,
    pub deciding: Deciding,
}

/// The state that decides how bad it is.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Deciding {
    /// The command alone says it.
    #[default]
    Nothing,
    /// Whose database it is.
    Database(Box<Database>),
    /// Which branch goes, and who else works on it.
    Push(Box<Push>),
    /// Whether the last commits of the directory's branch are published; how many are rewritten.
    Published { directory: Word, commits: u64 },
    /// Whether commits of the directory's branch are nowhere else.
    Unpushed { directory: Word },
    /// Whether anything is stashed in the directory, and where else it is.
    Stash { directory: Word },
    /// What only these branches of the directory's repository hold.
    Branches { directory: Word, names: Vec<Word> },
    /// What only this branch holds, when it is set elsewhere; `stays`: to where the work tree is.
    MovedBranch { directory: Word, name: Word, stays: bool },
    /// Whether the directory's branch has commits that this remote lacks.
    Remote { directory: Word, remote: Word },
    /// What is not committed in a work tree.
    WorkTree { path: Word },
    /// Whether a filesystem of the disk is mounted.
    Mounted { device: String },
    /// Whether a filesystem of the disk is mounted, without which no harm is done.
    InUse { device: String },
    /// Which services keep data on the filesystem of the disk, if it is mounted.
    Unmount { device: String },
    /// Whether this path, or what git ignores below it, is made to hold secrets.
    HoldsSecrets { path: String, directory: Word },
    /// Whether the path is there, and was not made just before.
    Absent { path: String },
    /// Whether who runs it came by the network, and may still come afterwards.
    Login { asks: bool },
    /// Whether the engine runs containers.
    Engine,
    /// Whether the file is there at all.
    Exists { path: String },
    /// Whether the file calls Coroner.
    CallsCoroner { path: String },
    /// Which service listens on a port of this host.
    Local { port: u16 },
    /// Whether the session sent the same request before.
    Repeated(Box<Sent>),
    /// How much the filesystem that would hold it has left.
    Space(Box<Growth>),
}

impl Named {
    pub(super) fn of(name: impl Into<String>, would: impl Into<String>) -> Named {
        Named {
            name: name.into(),
            would: would.into(),
            place: Place::Host,
            class: Vec::new(),
            circumstance: Vec::new(),
            deciding: Deciding::Nothing,
        }
    }

    pub(super) fn with(mut self, circumstance: Circumstance) -> Named {
        self.circumstance.push(circumstance);
        self
    }

    /// Adds a circumstance that holds only sometimes.
    pub(super) fn when(self, holds: bool, circumstance: Circumstance) -> Named {
        if holds { self.with(circumstance) } else { self }
    }

    pub(super) fn of_class(mut self, class: TargetClass) -> Named {
        self.class.push(class);
        self
    }

    pub(super) fn decided_by(mut self, deciding: Deciding) -> Named {
        self.deciding = deciding;
        self
    }
}

impl Plan<'_> {
    /// Adds an effect on a named thing, wherever the command runs.
    pub(super) fn named(&mut self, kind: coroner_model::effect::EffectKind, mut named: Named) {
        named.place = self.place();
        self.push(kind, Target::Named(Box::new(named)));
    }
}

/// The words of operands as a person reads them.
pub(crate) fn shown(words: &[Word]) -> String {
    words.iter().map(Word::show).collect::<Vec<_>>().join(" ")
}

/// Literal operands; an unknown one is an empty string, so that places stay.
pub(super) fn literals(words: &[Word]) -> Vec<&str> {
    words.iter().map(|w| w.as_literal().unwrap_or_default()).collect()
}

impl Planned {
    /// The named thing that it is about.
    pub fn named(&self) -> Option<&Named> {
        match &self.target {
            Target::Named(named) => Some(named),
            _ => None,
        }
    }
}

/// Parts of a name that its separators and digits at the end leave: `shop_prod2` has `shop` and `prod`.
pub fn name_parts(name: &str) -> impl Iterator<Item = String> + '_ {
    name.split(|c: char| !c.is_ascii_alphanumeric())
        .map(|part| part.trim_end_matches(|c: char| c.is_ascii_digit()).to_ascii_lowercase())
        .filter(|part| !part.is_empty())
}

/// Whether a name says that the thing is what users live on.
pub fn is_production_name(name: &str) -> bool {
    name_parts(name).any(|part| {
        matches!(
            part.as_str(),
            "prod" | "production" | "prd" | "produccion" | "produktion" | "live" | "proddb" | "prodsql" | "prodpg"
        )
    })
}

/// Whether a name says that the thing is made to be thrown away.
pub fn is_test_name(name: &str) -> bool {
    name_parts(name).any(|part| {
        matches!(
            part.as_str(),
            "test"
                | "tests"
                | "testing"
                | "testdb"
                | "unittest"
                | "pytest"
                | "tmp"
                | "temp"
                | "ci"
                | "e2e"
                | "spec"
                | "scratch"
                | "sandbox"
                | "throwaway"
                | "fixture"
                | "fixtures"
                | "playground"
        )
    })
}

/// Whether a name says that the thing is a step before production.
pub fn is_staging_name(name: &str) -> bool {
    name_parts(name).any(|part| {
        matches!(
            part.as_str(),
            "staging" | "stage" | "stg" | "dev" | "development" | "qa" | "uat" | "preview" | "demo" | "local"
        )
    })
}

/// Whether a host is this one, by its name.
pub fn is_loopback(host: &str) -> bool {
    let host = host.trim_matches(['[', ']']).to_ascii_lowercase();
    matches!(host.as_str(), "" | "localhost" | "::1" | "0.0.0.0" | "host.docker.internal" | "ip6-localhost")
        || host.starts_with("127.")
        || host.ends_with(".localhost")
        || host.starts_with('/')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_say_what_they_are() {
        for name in ["shop_production", "prod-db-1", "db.prod.example.org", "PROD2"] {
            assert!(is_production_name(name), "{name}");
        }
        for name in ["products", "reproduction", "shop", "delivery", "alive"] {
            assert!(!is_production_name(name), "{name}");
        }
        for name in ["shop_test", "test_shop", "ci-7", "e2e_orders"] {
            assert!(is_test_name(name), "{name}");
        }
        for name in ["contest", "latest", "shop_dev", "specials"] {
            assert!(!is_test_name(name), "{name}");
        }
        assert!(is_loopback("127.0.0.1") && is_loopback("/var/run/postgresql") && !is_loopback("10.0.0.4"));
    }
}
