//! Viper, Go's configuration library: defaults of keys, and the variables that replace them.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use regex::Regex;

use super::Found;
use super::text::literal;

/// `viper.SetDefault("db.url", …)`, on the package or on an instance.
static CALL: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r#"\.(SetDefault|BindEnv|SetEnvPrefix)\(\s*"([^"]+)"\s*(?:,\s*)?"#).ok());

/// Finds the defaults that a variable replaces; a text that binds none reads none.
pub(super) fn read(text: &str, found: &mut Vec<Found>) {
    if !text.contains("viper") {
        return;
    }
    let automatic = text.contains(".AutomaticEnv(");
    let mut prefix = String::new();
    let mut bound: BTreeMap<&str, Option<String>> = BTreeMap::new();
    let mut defaults: Vec<(&str, String, usize)> = Vec::new();
    for call in CALL.iter().flat_map(|r| r.captures_iter(text)) {
        let (Some(whole), Some(name), Some(key)) = (call.get(0), call.get(1), call.get(2)) else { continue };
        let next = literal(text, whole.end()).map(|(value, _)| value);
        match (name.as_str(), next) {
            ("SetEnvPrefix", _) => prefix = format!("{}_", key.as_str()),
            ("BindEnv", variable) => drop(bound.insert(key.as_str(), variable)),
            ("SetDefault", Some(value)) => defaults.push((key.as_str(), value, whole.start())),
            _ => {}
        }
    }
    for (key, value, at) in defaults {
        let own = || format!("{prefix}{key}").replace(['.', '-'], "_").to_ascii_uppercase();
        let variable = match bound.get(key) {
            Some(named) => named.clone().unwrap_or_else(own),
            None if automatic => own(),
            None => continue,
        };
        found.push(Found { variable, default: Some(value), at, when_empty: true, ..Found::default() });
    }
}
