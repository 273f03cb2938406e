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
    /// `[[secrets]]` tables or one `[secrets]`, whose other keys are others' business.
    #[serde(deserialize_with = "one_or_many")]
    pub secrets: Vec<SecretCopies>,
    pub urls: Urls,
    pub disk: Disk,
    pub undo: Undo,
}

/// A table, or several of them.
fn one_or_many<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Vec<SecretCopies>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Form {
        Many(Vec<SecretCopies>),
        One(SecretCopies),
    }
    Ok(match Form::deserialize(deserializer)? {
        Form::Many(many) => many,
        Form::One(one) => vec![one],
    })
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

/// Files that hold the same secrets and must not differ.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct SecretCopies {
    pub copies: Vec<String>,
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
    /// What is known to grow, beyond what is built in.
    pub needs: Vec<Need>,
}

/// How much space a thing comes to need.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Need {
    /// A word of its name: of a package, an image, a model or a file.
    #[serde(rename = "match")]
    pub name: String,
    pub bytes: Size,
}

/// A number of bytes, plain or as `500GB` and `2 TiB` have it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Size(pub u64);

impl<'de> Deserialize<'de> for Size {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Size, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Form {
            Number(u64),
            Text(String),
        }
        match Form::deserialize(deserializer)? {
            Form::Number(bytes) => Ok(Size(bytes)),
            Form::Text(text) => {
                bytes_of(&text).map(Size).ok_or_else(|| serde::de::Error::custom(format!("{text:?} is no size")))
            }
        }
    }
}

fn bytes_of(text: &str) -> Option<u64> {
    let text = text.trim();
    let at = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let number: f64 = text[..at].parse().ok()?;
    let unit = match text[at..].trim().to_ascii_lowercase().as_str() {
        "" | "b" => 1.0,
        "k" | "kb" => 1e3,
        "m" | "mb" => 1e6,
        "g" | "gb" => 1e9,
        "t" | "tb" => 1e12,
        "kib" => 1024.0,
        "mib" => 1024f64.powi(2),
        "gib" => 1024f64.powi(3),
        "tib" => 1024f64.powi(4),
        _ => return None,
    };
    Some((number * unit) as u64)
}

impl Default for Disk {
    fn default() -> Disk {
        Disk { warn_percent: 80, block_percent: 90, needs: Vec::new() }
    }
}

impl Config {
    /// Files that hold copies of the same secrets, group by group.
    pub fn secret_copies(&self) -> Vec<Vec<String>> {
        self.secrets.iter().map(|all| all.copies.clone()).filter(|copies| !copies.is_empty()).collect()
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
        assert_eq!(config.disk.needs, [Need { name: "x".into(), bytes: Size(1_000_000_000) }]);
        assert_eq!(
            (bytes_of("2 TiB"), bytes_of("1.5GB"), bytes_of("much")),
            (Some(1 << 41), Some(1_500_000_000), None)
        );
        assert_eq!(config.collected_at.unwrap().moment(), "2026-01-02T03:04:05Z".parse().ok());
        assert!(read("a = [").unwrap_err().starts_with("line 1"));
    }
}
