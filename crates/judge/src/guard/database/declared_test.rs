//! A numbered database of a local server that the project's settings give to its tests.

use coroner_model::Probe;
use coroner_read::shell::Word;
use coroner_read::{dotenv, shell};

use super::super::view::View;
use super::{DOTENV, Whereabouts, of_url};
use crate::effect::database::Database;
use crate::effect::named::{is_loopback, is_test_name};

/// Env files that only tests read.
const OF_TESTS: [&str; 2] = [".env.test", ".env.testing"];

/// How a numbered database is named.
const NUMBERED: &str = "redis database ";

/// Files that may declare it; none where no number is given.
pub(super) fn files(database: &Database) -> Vec<String> {
    let numbered = database.name.as_ref().is_some_and(|name| name.prefix().starts_with(NUMBERED));
    let names = OF_TESTS.iter().chain(&DOTENV).filter(|_| numbered);
    let paths = names.map(|name| shell::join(&database.directory, &Word::literal(*name)));
    paths.filter_map(|path| path.as_literal().filter(|p| p.starts_with('/')).map(str::to_owned)).collect()
}

impl View<'_> {
    pub(super) fn is_declared_test(&self, database: &Database, place: &Whereabouts) -> bool {
        let Some(number) = place.name.as_deref().and_then(|name| name.strip_prefix(NUMBERED)) else { return false };
        if number == "0" || !place.host.as_deref().is_some_and(is_loopback) {
            return false;
        }
        files(database).iter().any(|path| {
            let Some(document) = self.answers.document(&Probe::File { path: path.clone() }) else { return false };
            let of_tests = OF_TESTS.iter().any(|name| path.ends_with(name));
            let values = dotenv::read(document.text.as_str(), &|_| None).values();
            values.iter().filter(|(name, _)| of_tests || is_test_name(name)).any(|(name, value)| {
                let (host, database) = of_url(value);
                let address = value.starts_with("redis")
                    && host.as_deref().is_some_and(is_loopback)
                    && database.as_deref() == Some(number);
                address || name.contains("REDIS") && name.ends_with("DB") && value == number
            })
        })
    }
}
