//! Reads `casefile.toml` and `.coroner/coroner.toml`: the tables that judging uses.

use jiff::Timestamp;
use serde::Deserialize;

/// What a casefile or a project says of itself. Tables that are not used yet are
/// left alone, so that one file serves every version.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Config {
    pub schema: String,
    pub host: String,
    /// The clock for "how old".
    pub collected_at: Option<Time>,
    pub timezone: String,
    /// The project root on the host.
    pub root: String,
    pub protect: Protect,
    pub backups: Vec<Backup>,
    pub ownership: Vec<Ownership>,
    pub urls: Urls,
    pub disk: Disk,
    pub undo: Undo,
}

/// What snapshots before a loss may cost; what is absent stays as it is built in.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Undo {
    pub enabled: Option<bool>,
    pub file_bytes_max: Option<u64>,
    pub snapshot_bytes_max: Option<u64>,
    pub area_bytes_max: Option<u64>,
    pub age_days_max: Option<u32>,
}

/// A time given as text or as TOML's own.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(untagged)]
pub enum Time {
    Text(String),
    Toml(toml::value::Datetime),
}

impl Time {
    /// The moment, where it names one.
    pub fn moment(&self) -> Option<Timestamp> {
        match self {
            Time::Text(text) => crate::tree::time(text),
            Time::Toml(value) => crate::tree::time(&value.to_string()),
        }
    }
}

/// Paths that must not be deleted, beyond what is found by itself.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Protect {
    pub paths: Vec<String>,
}

/// One destination of backups.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Backup {
    pub name: String,
    pub glob: String,
    pub max_age: String,
    pub min_ratio_to_previous: Option<f64>,
}

/// Who should own a tree, and what in it is another's on purpose.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Ownership {
    pub root: String,
    pub owner: String,
    pub exceptions: Vec<OwnershipException>,
}

/// A path below an ownership root with another owner or mode.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct OwnershipException {
    /// Relative to the root, or absolute.
    pub path: String,
    pub owner: String,
    pub mode: String,
}

/// Addresses that people use.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Urls {
    pub public: Vec<String>,
}

/// Limits of filesystems.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(default)]
pub struct Disk {
    pub warn_percent: u8,
    pub block_percent: u8,
}

impl Default for Disk {
    fn default() -> Disk {
        Disk { warn_percent: 80, block_percent: 90 }
    }
}

/// Reads the file; an error names its line.
pub fn read(text: &str) -> Result<Config, String> {
    toml::from_str(text).map_err(|e| {
        let line = e.span().map_or(1, |s| text[..s.start.min(text.len())].matches('\n').count() + 1);
        format!("line {line}: {}", e.message())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_of_a_casefile_are_read_and_others_left_alone() {
        let config = read(
            "schema = \"coroner/casefile/v1\"\ncollected_at = 2026-01-02T03:04:05Z\nroot = \"/project\"\n[protect]\npaths = [\"/a\"]\n[disk]\nwarn_percent = 70\n[[disk.needs]]\nmatch = \"x\"\nbytes = \"1GB\"\n[claims.tools]\nfrom = \"x\"\n",
        )
        .unwrap();
        assert_eq!(config.protect.paths, ["/a"]);
        assert_eq!((config.disk.warn_percent, config.disk.block_percent), (70, 90));
        assert_eq!(config.collected_at.unwrap().moment(), "2026-01-02T03:04:05Z".parse().ok());
        assert!(read("a = [").unwrap_err().starts_with("line 1"));
    }
}
