//! Reads `[secrets] allow` of `.coroner/coroner.toml`: secrets that a person says may stand where they stand.

use serde::Deserialize;

/// Most entries that are read.
pub const ENTRIES_MAX: usize = 1_000;

/// One entry of the list.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Allow {
    /// A file, or a folder with a slash at its end; relative to the project.
    pub path: String,
    /// The token of the value, such as `hmac:0123456789abcdef`.
    pub fingerprint: String,
    /// The rule that found it, such as `github-pat`.
    pub rule: String,
    pub reason: String,
    /// The last day on which the entry counts, as `2027-01-31`; empty: it does not end.
    pub until: Day,
}

/// A day given as text or as TOML's own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Day(pub String);

impl<'de> Deserialize<'de> for Day {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Day, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Form {
            Text(String),
            Toml(toml::value::Datetime),
        }
        Ok(match Form::deserialize(deserializer)? {
            Form::Text(text) => Day(text),
            Form::Toml(day) => Day(day.to_string()),
        })
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Document {
    secrets: Secrets,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Secrets {
    allow: Vec<Allow>,
}

/// The entries of a configuration; other tables are left alone. The error says what is wrong with it.
pub fn read(text: &str) -> Result<Vec<Allow>, String> {
    let document: Document = toml::from_str(text).map_err(|error| error.message().to_owned())?;
    let mut entries = document.secrets.allow;
    if entries.len() > ENTRIES_MAX {
        return Err(format!("more than {ENTRIES_MAX} entries in [secrets] allow"));
    }
    for entry in &mut entries {
        entry.until.0.truncate(10);
    }
    Ok(entries)
}

impl Allow {
    /// Why the entry cannot count; none where it can.
    pub fn problem(&self) -> Option<&'static str> {
        let path = self.path.trim();
        match self {
            _ if path.is_empty() || matches!(path, "/" | "./" | ".") => Some("it names no path"),
            _ if path.split('/').any(|part| part == "..") => Some("its path leaves the project"),
            _ if self.fingerprint.is_empty() == self.rule.is_empty() => Some("it needs either a fingerprint or a rule"),
            _ if self.reason.trim().is_empty() => Some("it gives no reason"),
            _ => None,
        }
    }

    /// Whether a place is meant: its path relative to the project, its rule and its token.
    pub fn covers(&self, path: &str, rule: &str, token: &str) -> bool {
        let own = self.path.trim().trim_start_matches("./");
        let at = match own.strip_suffix('/') {
            Some(folder) => path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/')),
            None => path == own,
        };
        at && (self.rule == rule || !self.fingerprint.is_empty() && self.fingerprint == token)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_read_beside_other_tables() {
        let text = "[disk]\nwarn_percent = 80\n[[secrets.allow]]\npath = 'fixtures/'\nrule = 'github-pat'\nreason = 'revoked'\nuntil = 2027-01-31\n";
        let entries = read(text).unwrap();
        assert_eq!(entries[0].until, Day("2027-01-31".into()));
        assert_eq!(entries[0].problem(), None);
        assert!(entries[0].covers("fixtures/a.txt", "github-pat", "hmac:1"));
        assert!(!entries[0].covers("fixtures2/a.txt", "github-pat", "hmac:1"));
        assert!(!entries[0].covers("fixtures/a.txt", "npm-token", "hmac:1"));
        assert!(read("[disk]\nwarn_percent = 80\n").unwrap().is_empty());
        assert!(read("[[secrets.allow]]\npaths = 'x'\n").is_err());
    }

    #[test]
    fn an_entry_without_reason_or_measure_does_not_count() {
        let good = Allow { path: "a".into(), rule: "r".into(), reason: "why".into(), ..Allow::default() };
        assert_eq!(good.problem(), None);
        for bad in [
            Allow { path: "/".into(), ..good.clone() },
            Allow { path: "../x".into(), ..good.clone() },
            Allow { rule: String::new(), ..good.clone() },
            Allow { fingerprint: "hmac:0".into(), ..good.clone() },
            Allow { reason: " ".into(), ..good.clone() },
        ] {
            assert!(bad.problem().is_some(), "{bad:?}");
        }
    }
}
