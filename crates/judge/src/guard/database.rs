//! Whose database a command would reach: production, a test that is made anew, or nobody knows.
//!
//! What the command says comes first, then variables, then the env files that its
//! program would read. A production name anywhere makes it production.

mod declared_test;
mod settings;

use std::collections::BTreeMap;

use coroner_model::effect::{Effect, TargetClass};
use coroner_model::probe::HostTable;
use coroner_model::{Citation, Probe};
use coroner_read::shell::{Part, Unknown, Word};
use coroner_read::{dotenv, shell};

use super::Story;
use super::view::View;
use crate::effect::Place;
use crate::effect::database::{Chain, Database, ENVIRONMENTS, HOSTS, NAMES, URLS};
use crate::effect::named::{is_loopback, is_production_name, is_staging_name, is_test_name};

/// Env files that tools read by themselves, strongest last.
const DOTENV: [&str; 2] = [".env", ".env.local"];

/// What must be looked at; true where containers matter.
pub(super) fn probes(database: &Database, out: &mut Vec<Probe>) -> bool {
    out.extend([Probe::Backups, Probe::Host(HostTable::Date)]);
    if database.place == Place::Host {
        let named = settings::files(database).into_iter().chain(declared_test::files(database));
        out.extend(env_files(database).into_iter().chain(named).map(|path| Probe::File { path }));
    }
    matches!(&database.place, Place::Container { name, .. } if !name.is_empty())
}

fn env_files(database: &Database) -> Vec<String> {
    let own = || {
        let needs =
            database.reads_dotenv || variables_in(database.url.as_ref()).next().is_some() || database.url.is_none();
        DOTENV
            .iter()
            .filter(move |_| needs && database.file.is_none())
            .map(|name| shell::join(&database.directory, &Word::literal(*name)))
    };
    let of_environment = chosen(database).filter(|_| database.chain != Chain::None).into_iter().flat_map(|name| {
        [format!(".env.{name}"), format!(".env.{name}.local")]
            .map(|file| shell::join(&database.directory, &Word::literal(file)))
    });
    let all: Vec<Word> = own().chain(of_environment).chain(database.env_files.iter().cloned()).collect();
    all.iter().filter_map(|w| w.as_literal()).filter(|p| p.starts_with('/')).map(str::to_owned).collect()
}

/// The environment that the command itself chooses.
fn chosen(database: &Database) -> Option<String> {
    let assigned = || {
        let set = database.assignments.iter().rev().find(|(name, _)| ENVIRONMENTS.contains(&name.as_str()));
        set.and_then(|(_, value)| value.as_literal().map(str::to_owned))
    };
    database.environment.as_ref().and_then(|w| w.as_literal().map(str::to_owned)).or_else(assigned)
}

/// Names of the variables in a word that nothing in the text sets.
fn variables_in(word: Option<&Word>) -> impl Iterator<Item = &str> {
    word.into_iter().flat_map(|w| &w.parts).filter_map(|part| match part {
        Part::Unknown(Unknown::Variable(name)) => Some(name.as_str()),
        _ => None,
    })
}

/// Where a database is, as far as it is known.
#[derive(Debug, Default, PartialEq, Eq)]
struct Whereabouts {
    host: Option<String>,
    name: Option<String>,
    /// Words that name an environment: `production`, the name of an env file.
    environment: Vec<String>,
    /// The same where only an env file says so: it yields to a database that is plainly a test.
    settled: Vec<String>,
}

impl View<'_> {
    pub(super) fn database(&self, database: &Database, effect: &mut Effect, story: &mut Story) {
        let place = self.locate(database);
        if let Some(class) = self.class_of(database, &place) {
            effect.add_class(class);
        }
        story.evidence.extend(self.settings_of(database));
        let host = place.host.clone().unwrap_or_else(|| "an unknown host".to_owned());
        let name = place.name.clone().unwrap_or_else(|| "an unknown name".to_owned());
        if database.file.is_none() {
            story.lines.push(format!("database {name} on {host}"));
        }
        story
            .lines
            .extend(self.backups.newest(self.scene.now).filter(|_| !effect.class.contains(&TargetClass::Scratch)));
        story.why = match effect.class.as_slice() {
            classes if classes.contains(&TargetClass::Production) => {
                "This is production; nothing brings it back but a restored backup.".into()
            }
            classes if classes.contains(&TargetClass::LiveData) => "A running service keeps its data there.".into(),
            _ => "Which environment that is could not be told for sure.".into(),
        };
    }

    fn class_of(&self, database: &Database, place: &Whereabouts) -> Option<TargetClass> {
        let named: Vec<&str> =
            place.host.iter().chain(&place.name).chain(&place.environment).map(String::as_str).collect();
        let test = |names: &[&str]| names.iter().any(|n| is_test_name(n));
        let is_near = place.host.as_deref().is_some_and(is_loopback);
        let plainly_test = is_near && place.name.as_deref().is_some_and(is_test_name);
        let settled = place.settled.iter().map(String::as_str).filter(|_| !plainly_test);
        if named.iter().copied().chain(settled).any(is_production_name) {
            return Some(TargetClass::Production);
        }
        if self.is_declared_test(database, place) {
            return Some(TargetClass::Scratch);
        }
        if let Some(file) = &database.file {
            let file = file.show();
            let temporary =
                file.ends_with(":memory:") || ["/tmp/", "/var/tmp/", "/dev/shm/"].iter().any(|t| file.starts_with(t));
            let name = file.rsplit('/').next().unwrap_or_default();
            if self.live.iter().any(|l| crate::effect::path::below(&file, &l.path).is_some()) {
                return Some(TargetClass::LiveData);
            }
            return (temporary || is_test_name(name)).then_some(TargetClass::Scratch);
        }
        let own: Vec<&str> = place.name.iter().chain(&place.environment).map(String::as_str).collect();
        match &database.place {
            Place::Remote { host } if !is_loopback(host) => {
                let soft = is_test_name(host) || is_staging_name(host) || test(&own);
                return (!soft).then_some(TargetClass::Production);
            }
            Place::Container { name, .. } if !name.is_empty() => {
                if test(&own) || is_test_name(name) {
                    return Some(TargetClass::Scratch);
                }
                // A host with a dot is none of the project's own services.
                if place.host.as_deref().is_some_and(|host| host.contains('.') && !is_loopback(host)) {
                    return (!own.iter().any(|n| is_staging_name(n))).then_some(TargetClass::Production);
                }
                let live = self.live.iter().any(|l| l.running && self.is_container(name, &l.owner));
                return live.then_some(TargetClass::LiveData);
            }
            _ => {}
        }
        let host = place.host.as_deref();
        match host {
            Some(host) if is_loopback(host) => test(&own).then_some(TargetClass::Scratch),
            // A name without a dot is a service of compose, or an alias.
            Some(host) if !host.contains('.') && !host.contains(' ') => {
                (test(&own) || is_test_name(host)).then_some(TargetClass::Scratch)
            }
            Some(host) => {
                let soft =
                    is_test_name(host) || is_staging_name(host) || test(&own) || own.iter().any(|n| is_staging_name(n));
                (!soft).then_some(TargetClass::Production)
            }
            None => test(&own).then_some(TargetClass::Scratch),
        }
    }

    fn is_container(&self, name: &str, owner: &str) -> bool {
        owner == name || self.scene.container(name).is_some_and(|c| c.component() == owner)
    }

    fn locate(&self, database: &Database) -> Whereabouts {
        let files = self.variables_of(database);
        let lookup = |name: &str| {
            let assigned = database.assignments.iter().rev().find(|(n, _)| n == name).map(|(_, v)| v.show());
            assigned
                .or_else(|| self.case.request.env.get(name).cloned())
                .or_else(|| files.get(name).cloned())
                .filter(|v| !v.is_empty())
        };
        let resolve = |word: &Word| fill(word, &lookup);
        let mut place = Whereabouts::default();
        let stated = |name: &str| {
            let assigned = database.assignments.iter().rev().find(|(n, _)| n == name).map(|(_, v)| v.show());
            assigned.or_else(|| self.case.request.env.get(name).cloned()).filter(|v| !v.is_empty())
        };
        if let Some(place) = self.by_settings(database, &stated, &files) {
            return place;
        }
        let follows = ENVIRONMENTS.iter().filter(|_| uses_environment(database));
        place.environment.extend(follows.clone().filter_map(|n| stated(n)));
        place.settled.extend(follows.filter(|n| stated(n).is_none()).filter_map(|n| files.get(*n).cloned()));
        place.environment.extend(database.environment.as_ref().map(&resolve));
        place
            .environment
            .extend(database.env_files.iter().map(|w| w.show().rsplit('/').next().unwrap_or_default().to_owned()));
        let url = database.url.as_ref().map(&resolve).or_else(|| {
            let own = database.host.is_none() && database.name.is_none() && database.file.is_none();
            let names = if database.reads_dotenv { URLS } else { database.variables };
            own.then(|| names.iter().filter(|n| n.ends_with("URL") || n.ends_with("URI")).find_map(|n| lookup(n)))
                .flatten()
        });
        if let Some((host, name)) = url.as_deref().map(of_url) {
            place.host = host;
            place.name = name;
        }
        let variables = |names: &[&str]| names.iter().find_map(|n| lookup(n));
        let host = database.host.as_ref().map(&resolve);
        place.host =
            host.or(place.host).or_else(|| variables(HOSTS).filter(|_| database.variables != URLS || url.is_none()));
        place.name = database.name.as_ref().map(&resolve).or(place.name).or_else(|| variables(NAMES));
        // A client that is told no host takes the one of this host.
        if place.host.is_none() && !database.reads_dotenv && url.is_none() {
            place.host = Some("localhost".to_owned());
        }
        place
    }

    /// Lines of env files that say where the database is.
    fn settings_of(&self, database: &Database) -> Vec<Citation> {
        let own: Vec<&str> = variables_in(database.url.as_ref()).collect();
        let told = database.url.is_some() && own.is_empty() || database.host.is_some() || database.file.is_some();
        if told {
            return Vec::new();
        }
        let names = |name: &str| match own.is_empty() {
            true => [URLS, HOSTS, NAMES].iter().any(|all| all.contains(&name)),
            false => own.contains(&name),
        };
        let files = env_files(database);
        let documents = files.into_iter().filter_map(|path| self.answers.document(&Probe::File { path }));
        documents
            .flat_map(|document| {
                let text = dotenv::read(document.text.as_str(), &|_| None);
                let lines: Vec<u64> = text.assignments.iter().filter(|a| names(&a.name)).map(|a| a.line).collect();
                lines.into_iter().map(|line| document.cite_line(line)).collect::<Vec<_>>()
            })
            .collect()
    }

    fn variables_of(&self, database: &Database) -> BTreeMap<String, String> {
        let mut all = self.variables_of_container(&database.place);
        let own = chosen(database).filter(|_| database.chain == Chain::Replaces).and_then(|name| {
            let path = shell::join(&database.directory, &Word::literal(format!(".env.{name}")));
            path.as_literal().map(str::to_owned)
        });
        let replaced = own.is_some_and(|path| self.answers.document(&Probe::File { path }).is_some());
        for path in env_files(database) {
            if replaced && DOTENV.iter().any(|name| path.ends_with(&format!("/{name}"))) {
                continue;
            }
            if let Some(document) = self.answers.document(&Probe::File { path }) {
                all.extend(dotenv::read(document.text.as_str(), &|_| None).values());
            }
        }
        all
    }
}

impl View<'_> {
    /// What a container is given, by the engine or by its compose file.
    fn variables_of_container(&self, place: &Place) -> BTreeMap<String, String> {
        let Place::Container { name, .. } = place else { return BTreeMap::new() };
        if let Some(container) = self.scene.container(name).filter(|c| !c.env.is_empty()) {
            return container.env.iter().cloned().collect();
        }
        let service = self.scene.projects.iter().find_map(|project| project.service(name));
        let variables = service.map(|s| &s.environment).into_iter().flatten();
        variables.map(|(name, variable)| (name.clone(), variable.value.clone())).collect()
    }
}

/// A client of a database follows no environment of a framework.
fn uses_environment(database: &Database) -> bool {
    database.reads_dotenv || database.environment.is_some()
}

/// The text of a word with its variables filled in, as far as they are known.
fn fill(word: &Word, lookup: &dyn Fn(&str) -> Option<String>) -> String {
    word.parts.iter().fold(String::new(), |mut text, part| {
        match part {
            Part::Text(t) | Part::Glob(t) => text.push_str(t),
            Part::Unknown(Unknown::Variable(name)) => {
                text.push_str(&lookup(name).unwrap_or_else(|| format!("${name}")));
            }
            Part::Unknown(_) => text.push_str("$(…)"),
        }
        text
    })
}

/// Host and database of an address; an address of another kind has neither.
fn of_url(url: &str) -> (Option<String>, Option<String>) {
    let Some((scheme, rest)) = url.split_once("://") else {
        return (None, Some(url.to_owned()).filter(|u| !u.is_empty()));
    };
    let (before, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (authority, path) = before.split_once('/').unwrap_or((before, ""));
    if scheme.starts_with("sqlite") || scheme == "file" {
        return (Some("localhost".into()), Some(before.trim_start_matches('/').to_owned()));
    }
    let hosts = authority.rsplit_once('@').map_or(authority, |(_, hosts)| hosts);
    let first = hosts.split(',').next().unwrap_or(hosts);
    let host = match first.strip_prefix('[') {
        Some(inner) => inner.split(']').next().unwrap_or(inner),
        None => first.split(':').next().unwrap_or(first),
    };
    // `postgresql:///shop?host=/run` says it in the query.
    let by_query = query.split('&').find_map(|p| p.strip_prefix("host="));
    let host = if host.is_empty() { by_query.unwrap_or("localhost") } else { host };
    let name = path.split('/').next().unwrap_or(path);
    (Some(host.to_owned()), (!name.is_empty()).then(|| name.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_name_host_and_database() {
        let read = |url: &str| {
            let (host, name) = of_url(url);
            format!("{} {}", host.unwrap_or_default(), name.unwrap_or_default())
        };
        assert_eq!(
            read("postgres://app:hmac:00@db.prod.example.org:5432/shop?sslmode=require"),
            "db.prod.example.org shop"
        );
        assert_eq!(read("postgresql:///shop_test"), "localhost shop_test");
        assert_eq!(read("mongodb+srv://c0.example.net/orders"), "c0.example.net orders");
        assert_eq!(read("mysql://root@[::1]:3306/x"), "::1 x");
        assert_eq!(read("sqlite:///tmp/x.db"), "localhost tmp/x.db");
    }
}
