//! Reads what docker says over time: `docker/samples.jsonl` and `docker/inodes.tsv`.

use std::collections::BTreeMap;

use coroner_model::{Citation, Document};
use jiff::Timestamp;
use serde_json::Value;

use crate::tsv;

/// One container at one moment.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    pub at: Option<Timestamp>,
    pub container: String,
    pub state: String,
    pub mounts: Vec<SampledMount>,
    /// Sizes of what it holds: keys, rows, …
    pub metrics: BTreeMap<String, f64>,
    pub cited: Citation,
}

/// One mount at one moment.
#[derive(Clone, Debug, PartialEq)]
pub struct SampledMount {
    /// Path on the host, or the volume's name.
    pub source: String,
    pub destination: String,
    /// `None`: nothing was there. Volumes have none either.
    pub inode: Option<u64>,
    pub is_volume: bool,
    /// When a volume was made.
    pub created: Option<Timestamp>,
}

/// The samples in the order of their lines; a line that is none is left out and counted.
pub fn read(document: &Document) -> (Vec<Sample>, usize) {
    let mut bad = 0;
    let mut all = Vec::new();
    for (index, line) in document.text.as_str().lines().enumerate().filter(|(_, l)| !l.trim().is_empty()) {
        match serde_json::from_str::<Value>(line) {
            Ok(value) => all.push(sample(&value, document.cite_text_at(document.first_line + index as u64, line))),
            Err(_) => bad += 1,
        }
    }
    (all, bad)
}

fn sample(value: &Value, cited: Citation) -> Sample {
    let text = |v: &Value, key: &str| v.get(key).and_then(Value::as_str).unwrap_or("").to_owned();
    let mount = |m: &Value| {
        let volume = text(m, "volume");
        let is_volume = !volume.is_empty();
        SampledMount {
            source: if is_volume { volume } else { text(m, "source") },
            destination: text(m, "destination"),
            inode: m.get("inode").and_then(Value::as_u64),
            is_volume,
            created: text(m, "created").parse().ok(),
        }
    };
    Sample {
        at: text(value, "at").parse().ok(),
        container: text(value, "container").trim_start_matches('/').to_owned(),
        state: text(value, "state"),
        mounts: value.get("mounts").and_then(Value::as_array).into_iter().flatten().map(mount).collect(),
        metrics: metrics(value),
        cited,
    }
}

fn metrics(value: &Value) -> BTreeMap<String, f64> {
    let all = value.get("metrics").and_then(Value::as_object).into_iter().flatten();
    all.filter_map(|(name, number)| Some((name.clone(), number.as_f64()?))).collect()
}

/// Inodes of one bind source, on the host and as its container sees it.
#[derive(Clone, Debug, PartialEq)]
pub struct MountInode {
    pub container: String,
    pub path: String,
    /// `None`: not there.
    pub host: Option<u64>,
    pub inside: Option<u64>,
    pub at: Citation,
}

/// The rows of `docker/inodes.tsv`.
pub fn inodes(document: &Document) -> Vec<MountInode> {
    tsv::rows(document.text.as_str(), &["container", "path", "host-inode", "container-inode"])
        .into_iter()
        .filter_map(|row| {
            Some(MountInode {
                container: row.get("container")?.trim_start_matches('/').to_owned(),
                path: row.get("path")?.to_owned(),
                host: row.number("host-inode"),
                inside: row.number("container-inode"),
                at: document.cite_text_at(document.first_line + row.line - 1, row.text),
            })
        })
        .collect()
}
