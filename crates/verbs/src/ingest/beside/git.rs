//! Commits of the project's repository, each once.

use std::path::Path;

use coroner_collect::git::history::{self, Tips};
use coroner_model::Source;
use coroner_model::source::SourceState;

use super::{Around, Beside, Reading, Seen};

pub(super) fn read(
    around: &Around<'_>,
    source: &Beside,
    folder: &Path,
    known: Option<&SourceState>,
) -> Result<Reading, String> {
    let mut reading = Reading::new(source, known);
    let tips: Tips = serde_json::from_value(reading.source.reader.clone()).unwrap_or_default();
    let history = history::since(folder, &tips).map_err(|error| error.to_string())?;
    if let Some(known) = known.filter(|known| known.form == source.form() && history.tips == tips) {
        return Ok(reading.unchanged(known));
    }
    if history.is_cut {
        reading.note = "there are older commits than are read at once";
    }
    if !history.commits.is_empty() {
        let redactor = around.redactor();
        for commit in history.commits {
            let locator = format!("{}#/{}", source.name(), commit.id);
            let raw = commit.text.clone();
            let seen = Seen { source: Source::Git, locator, at: commit.at, text: commit.text, raw: raw.as_bytes() };
            reading.bytes += raw.len() as u64;
            reading.now.lines += 1;
            reading.show(&seen, &redactor, around.request);
        }
    }
    reading.source.counts += reading.now;
    reading.source.reader = serde_json::to_value(&history.tips).map_err(|error| error.to_string())?;
    Ok(reading)
}
