//! Which database the settings of a framework give to an environment of tests.
//!
//! `config/database.yml` and `config/test.exs` are programs; only what stands in them
//! plainly is followed: values, and variables with what is to hold in their absence.

use std::collections::BTreeMap;

use coroner_model::Probe;
use coroner_read::shell;
use coroner_read::shell::Word;

use super::super::view::View;
use super::{Whereabouts, chosen, of_url};
use crate::effect::database::{Database, Settings};
use crate::effect::named::is_test_name;

/// Keys that say where a database is.
const KEYS: [&str; 4] = ["url", "host", "hostname", "database"];

/// The settings, and the list of libraries that says whether env files are loaded.
pub(super) fn files(database: &Database) -> Vec<String> {
    let Some(environment) = environment_of(database) else { return Vec::new() };
    let names = match database.settings {
        Settings::None => Vec::new(),
        Settings::Sections => vec!["config/database.yml".to_owned(), "Gemfile".to_owned()],
        Settings::Files => vec![format!("config/{environment}.exs")],
    };
    let paths = names.into_iter().map(|name| shell::join(&database.directory, &Word::literal(name)));
    paths.filter_map(|path| path.as_literal().filter(|p| p.starts_with('/')).map(str::to_owned)).collect()
}

/// The environment of tests that is chosen, where no env file is named besides.
fn environment_of(database: &Database) -> Option<String> {
    let free = database.url.is_none() && database.env_files.is_empty() && database.settings != Settings::None;
    chosen(database).filter(|name| free && is_test_name(name))
}

impl View<'_> {
    /// Where the tests of a framework go; `None` where variables and env files alone decide.
    pub(super) fn by_settings(
        &self,
        database: &Database,
        stated: &dyn Fn(&str) -> Option<String>,
        files: &BTreeMap<String, String>,
    ) -> Option<Whereabouts> {
        let environment = environment_of(database)?;
        let paths = self::files(database);
        let text = |at: usize| {
            let path = paths.get(at)?.clone();
            self.answers.document(&Probe::File { path }).map(|document| document.text.as_str())
        };
        let sections = database.settings == Settings::Sections;
        let loads_env = sections && text(1).is_some_and(|gems| gems.contains("dotenv"));
        let variable = |name: &str| stated(name).or_else(|| files.get(name).cloned());
        let settings = text(0).map(|text| if sections { section(text, &environment) } else { values(text.lines()) });
        let mut place = Whereabouts::default();
        let mut urls: Vec<String> = Vec::new();
        for (key, value) in settings.unwrap_or_default() {
            let value = evaluated(&value, sections, &variable);
            match key {
                "url" => urls.push(value),
                "database" => place.name = Some(value),
                _ => place.host = Some(value),
            }
        }
        // Rails lays this variable over its settings.
        let over = sections
            .then(|| stated("DATABASE_URL").or_else(|| files.get("DATABASE_URL").filter(|_| loads_env).cloned()));
        for url in urls.into_iter().chain(over.flatten()).filter(|url| !url.is_empty()) {
            (place.host, place.name) = of_url(&url);
        }
        place.host = place.host.filter(|host| !host.is_empty()).or_else(|| Some("localhost".to_owned()));
        // A database of another name than a test's is none for the environment alone.
        if place.name.as_deref().is_none_or(is_test_name) {
            place.environment.push(environment);
        }
        Some(place)
    }
}

/// Values of one section of YAML; those that it inherits hold where it has none of its own.
fn section(text: &str, name: &str) -> Vec<(&'static str, String)> {
    let head = |line: &str| line.split('#').next().unwrap_or_default().trim_end().to_owned();
    let below = |starts: &dyn Fn(&str) -> bool| -> Vec<&str> {
        let mut lines = text.lines().skip_while(|line| !starts(&head(line)));
        lines.next();
        lines.take_while(|line| line.trim().is_empty() || line.starts_with([' ', '\t', '#'])).collect()
    };
    let own = below(&|line| line.split(':').next() == Some(name));
    let mut found = values(own.iter().copied());
    let inherited =
        own.iter().find_map(|line| line.trim().strip_prefix("<<:")).map(|alias| alias.trim().trim_start_matches('*'));
    if let Some(anchor) = inherited {
        let above = values(below(&|line| line.split('&').nth(1).map(str::trim) == Some(anchor)).into_iter());
        let new: Vec<_> = above.into_iter().filter(|(key, _)| found.iter().all(|(own, _)| own != key)).collect();
        found.extend(new);
    }
    found
}

/// `key: value` pairs that say where a database is, one or more a line.
fn values<'t>(lines: impl Iterator<Item = &'t str>) -> Vec<(&'static str, String)> {
    let mut found = Vec::new();
    for line in lines.filter(|line| !line.trim_start().starts_with('#')) {
        for key in KEYS {
            let marked = format!("{key}:");
            for (at, _) in line.match_indices(&marked) {
                let starts = line[..at].ends_with([' ', '\t', ',', '[', '{']) || at == 0;
                let value = line[at + marked.len()..].trim();
                // `url: a, pool: 5` goes on with the next key.
                let value = value.split(", ").next().unwrap_or(value).trim_end_matches([',', ']', '}']);
                if starts && !value.is_empty() {
                    found.push((key, value.to_owned()));
                }
            }
        }
    }
    found
}

/// The text of a value, with what stands for a variable filled in.
fn evaluated(value: &str, template: bool, variable: &dyn Fn(&str) -> Option<String>) -> String {
    let (open, close) = if template { ("<%=", "%>") } else { ("#{", "}") };
    if !template && !value.starts_with('"') {
        return expression(value, variable);
    }
    let mut out = String::new();
    let mut rest = value;
    while let Some((before, after)) = rest.split_once(open) {
        let (inner, behind) = after.split_once(close).unwrap_or((after, ""));
        out.push_str(before);
        out.push_str(&expression(inner, variable));
        rest = behind;
    }
    out.push_str(rest);
    out.trim_matches(['"', '\'', ' ']).to_owned()
}

/// `ENV.fetch("NAME", "else")`, `System.get_env("NAME") || "else"`: the first that has a value.
fn expression(text: &str, variable: &dyn Fn(&str) -> Option<String>) -> String {
    let quoted: Vec<&str> = text.split(['"', '\'']).skip(1).step_by(2).collect();
    let is_name = |word: &&str| word.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_');
    let set = quoted.iter().filter(|word| is_name(word)).find_map(|name| variable(name).filter(|v| !v.is_empty()));
    set.or_else(|| quoted.iter().find(|word| !is_name(word)).map(|word| (*word).to_owned())).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const YAML: &str = "default: &default\n  adapter: postgresql\n  url: <%= ENV['DATABASE_URL'] %>\n\n\
        test:\n  <<: *default\n  database: shop_test<%= ENV['TEST_ENV_NUMBER'] %> # one a process\n\
        production:\n  database: shop\n";

    #[test]
    fn a_section_has_its_own_values_and_those_that_it_inherits() {
        let found = section(YAML, "test");
        assert_eq!(found.iter().map(|(key, _)| *key).collect::<Vec<_>>(), ["database", "url"]);
        let known = |name: &str| (name == "DATABASE_URL").then(|| "postgres://h/d".to_owned());
        assert_eq!(evaluated(&found[1].1, true, &known), "postgres://h/d");
        assert_eq!(section(YAML, "production"), [("database", "shop".to_owned())]);
    }

    #[test]
    fn an_expression_gives_what_is_set_or_what_holds_else() {
        let unset = |_: &str| None;
        let elixir = |text: &str| evaluated(text, false, &unset);
        assert_eq!(elixir("\"shop_test#{System.get_env(\"MIX_TEST_PARTITION\")}\""), "shop_test");
        assert_eq!(
            elixir("System.get_env(\"TEST_URL\") || \"ecto://localhost/shop_test\""),
            "ecto://localhost/shop_test"
        );
        assert_eq!(evaluated("<%= ENV.fetch('X', 'shop_test') %>", true, &unset), "shop_test");
        let found = values("config :shop, Shop.Repo, hostname: \"db\", database: \"shop_test\"".lines());
        assert_eq!(found, [("hostname", "\"db\"".to_owned()), ("database", "\"shop_test\"".to_owned())]);
    }
}
