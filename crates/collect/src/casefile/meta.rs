//! `casefile.toml`, and the redactor of a casefile.

use coroner_model::Redactor;
use jiff::Timestamp;

use super::shelf::Shelf;
use crate::limits::Limits;

/// Bytes of each file that go into the key.
const KEY_BYTES_MAX: u64 = 64 * 1024;
/// Names the use of the key, so that the same bytes give another key elsewhere.
const KEY_CONTEXT: &str = "coroner 2026 redaction of one casefile";
/// Schema that a casefile carries.
pub(super) const SCHEMA: &str = "coroner/casefile/v1";

/// The head of a casefile; the tables of `coroner.toml` beside it are read by whoever needs them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CasefileMeta {
    /// Name of the host; empty where unknown.
    pub host: String,
    /// When it was collected, as declared.
    pub collected_at: Option<Timestamp>,
    /// IANA name or offset; empty where unknown.
    pub timezone: String,
    /// The project root on the host, as declared.
    pub root: Option<String>,
    /// Whether its maker took the secrets out.
    pub redacted: bool,
    /// Whether `host/tree.tsv` holds only paths that were asked for. Then what is
    /// not there has the type `N`, and nothing follows from a path that is missing.
    pub sampled_tree: bool,
}

/// Reads `casefile.toml`; the second value says why it could not be parsed.
pub(super) fn read(shelf: &Shelf, limits: &Limits) -> (CasefileMeta, Option<String>) {
    let Ok(piece) = shelf.head("casefile.toml", limits.file_bytes_max) else { return (CasefileMeta::default(), None) };
    let text = String::from_utf8_lossy(&piece.bytes);
    let table = match toml::from_str::<toml::Table>(&text) {
        Ok(table) => table,
        Err(error) => return (CasefileMeta::default(), Some(format!("casefile.toml: {}", error.message()))),
    };
    let word = |key: &str| table.get(key).and_then(|value| value.as_str()).map(str::to_owned);
    let is = |key: &str| table.get(key).and_then(toml::Value::as_bool).unwrap_or(false);
    let collected =
        table.get("collected_at").map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned));
    let collected_at = collected.as_deref().and_then(|text| text.trim().parse().ok());
    let problem = match (&collected, collected_at) {
        (Some(text), None) => Some(format!("casefile.toml: collected_at {text} is no RFC 3339 time")),
        _ => None,
    };
    let meta = CasefileMeta {
        host: word("host").unwrap_or_default(),
        collected_at,
        timezone: word("timezone").unwrap_or_default(),
        root: word("root").map(|root| format!("/{}", root.trim_matches('/'))),
        redacted: is("redacted"),
        sampled_tree: is("sampled_tree"),
    };
    (meta, problem)
}

/// The redactor of a casefile: its key comes from the content, so that the same
/// casefile gives the same tokens on every run, and it has read everything once,
/// so that a value recognised in one file is replaced in every file.
pub(super) fn redactor(shelf: &Shelf, limits: &Limits) -> Redactor {
    let mut hasher = blake3::Hasher::new_derive_key(KEY_CONTEXT);
    let files = shelf.files_under("");
    for path in &files {
        let Ok(piece) = shelf.head(path, KEY_BYTES_MAX) else { continue };
        hasher.update(path.as_bytes());
        hasher.update(&[0]);
        hasher.update(&(piece.bytes.len() as u64 + piece.left_out).to_le_bytes());
        hasher.update(&piece.bytes);
    }
    let mut redactor = Redactor::new(*hasher.finalize().as_bytes());
    let mut left = limits.learn_bytes_max;
    let mut files = files;
    files.sort_by_key(|path| (learning_order(path), *path));
    for path in files {
        let bytes_max = left.min(limits.file_bytes_max);
        let Ok(piece) = shelf.head(path, bytes_max) else { continue };
        left -= piece.bytes.len() as u64;
        redactor.learn(&String::from_utf8_lossy(&piece.bytes));
    }
    redactor
}

/// Where secrets are named as such is read first, in case the bound is hit.
fn learning_order(path: &str) -> u8 {
    match path.split('/').next() {
        Some("files") => 0,
        Some("docker") if !path.starts_with("docker/logs/") => 1,
        Some("host" | "proxy" | "casefile.toml") => 2,
        Some("sessions" | "http" | "git") => 3,
        _ => 4,
    }
}
