//! What containers of a project logged since a moment.

use std::path::Path;

use coroner_model::CouldNotLook;
use serde::{Deserialize, Serialize};

use super::docker::{Frames, one};
use super::engine::Engine;
use super::{Live, files};

/// Lines of one container that are asked for at once, the newest.
pub const LINES_MAX: u64 = 20_000;
/// Bytes of them; the newest lines beyond are left for the next time.
pub const BYTES_MAX: usize = 8 * 1024 * 1024;
/// Containers that are listed.
const CONTAINERS_MAX: usize = 200;
/// The label by which compose names the folder of a project.
const FOLDER_LABEL: &str = "com.docker.compose.project.working_dir";

/// How far a container's log was read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Mark {
    /// Time of the last line, as the engine prints it; empty where none was read.
    pub at: String,
    /// How many lines of that very time were read.
    pub same: usize,
}

/// New lines of one container, each with its time before it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recent {
    pub lines: Vec<String>,
    pub mark: Mark,
    /// Whether more lines came since than are given.
    pub is_cut: bool,
}

impl Live {
    /// Names of the containers that compose started from the project's folder, or from one below it.
    pub fn project_containers(&self) -> Result<Vec<String>, CouldNotLook> {
        let root = files::project_root(&self.inner.settings.cwd);
        let mut names = self.blocking(async {
            let engine = Engine::chosen(&self.inner).await?;
            let filter = serde_json::json!({ "label": [FOLDER_LABEL] }).to_string();
            let listed = engine.json("/containers/json", &[("all", "1"), ("filters", &filter)]).await?;
            let own = |item: &&serde_json::Value| {
                item["Labels"][FOLDER_LABEL].as_str().is_some_and(|folder| Path::new(folder).starts_with(&root))
            };
            let name = |item: &serde_json::Value| Some(item["Names"][0].as_str()?.trim_start_matches('/').to_owned());
            Ok(listed.as_array().into_iter().flatten().filter(own).filter_map(name).collect::<Vec<_>>())
        })?;
        names.sort();
        names.truncate(CONTAINERS_MAX);
        Ok(names)
    }

    /// What a container logged after a mark.
    pub fn recent_log(&self, container: &str, mark: &Mark) -> Result<Recent, CouldNotLook> {
        let raw = self.blocking(async {
            let engine = Engine::chosen(&self.inner).await?;
            let container = one(&engine, container.trim_start_matches('/')).await?;
            let tail = LINES_MAX.to_string();
            let since = seconds(&mark.at);
            let mut query = vec![("stdout", "1"), ("stderr", "1"), ("timestamps", "1"), ("tail", tail.as_str())];
            query.extend(since.as_deref().map(|since| ("since", since)));
            let mut answer = engine.get(&format!("/containers/{}/logs", container.id), &query).await?;
            let mut frames = Frames::new(container.has_terminal);
            let mut raw = Vec::new();
            while let Some(chunk) = answer.chunk().await.map_err(|error| engine.failed(&error))? {
                frames.take(&chunk, |text| raw.extend_from_slice(text));
                if raw.len() > BYTES_MAX {
                    break;
                }
            }
            Ok(raw)
        })?;
        Ok(recent(&raw, mark))
    }

    /// Runs a question to the engine, within the time of a probe.
    fn blocking<T>(&self, ask: impl Future<Output = Result<T, CouldNotLook>>) -> Result<T, CouldNotLook> {
        let time = std::time::Duration::from_millis(self.inner.limits.probe_ms_max);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().enable_time().build();
        let runtime = runtime.map_err(|error| {
            crate::casefile::obstacle(coroner_model::Why::Unreadable, format!("no runtime: {error}"))
        })?;
        let answer = runtime.block_on(async { tokio::time::timeout(time, ask).await });
        runtime.shutdown_background();
        answer.unwrap_or_else(|_| Err(self.timed_out()))
    }

    /// The redactor after it learned the secrets of the project's own settings.
    pub fn project_redactor(&self) -> std::sync::Arc<coroner_model::Redactor> {
        self.inner.primed.call_once(|| self.prime());
        self.redactor()
    }
}

/// A time of RFC 3339 as the engine wants it: seconds since 1970, with nanoseconds.
fn seconds(at: &str) -> Option<String> {
    let at: jiff::Timestamp = at.parse().ok()?;
    Some(format!("{}.{:09}", at.as_second(), at.subsec_nanosecond()))
}

/// The whole lines after a mark. The engine gives those of the mark's own time again.
fn recent(raw: &[u8], mark: &Mark) -> Recent {
    let text = String::from_utf8_lossy(raw);
    let whole = text.rfind('\n').map_or("", |end| &text[..=end]);
    let mut is_cut = raw.len() > BYTES_MAX;
    let mut all: Vec<&str> = whole.lines().collect();
    is_cut |= all.len() as u64 >= LINES_MAX;
    let known = all.iter().take_while(|line| time(line) == mark.at && !mark.at.is_empty()).count().min(mark.same);
    all.drain(..known);
    let at = all.last().map_or(mark.at.as_str(), |line| time(line)).to_owned();
    let same_now = all.iter().rev().take_while(|line| time(line) == at).count();
    let same = if at == mark.at { mark.same + same_now } else { same_now };
    Recent { lines: all.into_iter().map(str::to_owned).collect(), mark: Mark { at, same }, is_cut }
}

fn time(line: &str) -> &str {
    line.split(' ').next().unwrap_or("")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_lines_after_the_mark_are_new_also_within_one_moment() {
        let text = "2026-01-01T00:00:00.5Z a\n2026-01-01T00:00:01.25Z b\n2026-01-01T00:00:01.25Z c\nhalf";
        let first = recent(text.as_bytes(), &Mark::default());
        assert_eq!(first.lines.len(), 3);
        assert_eq!(first.mark, Mark { at: "2026-01-01T00:00:01.25Z".into(), same: 2 });
        assert_eq!(seconds(&first.mark.at).unwrap(), "1767225601.250000000");
        let again = "2026-01-01T00:00:01.25Z b\n2026-01-01T00:00:01.25Z c\n2026-01-01T00:00:01.25Z d\n";
        let second = recent(again.as_bytes(), &first.mark);
        assert_eq!((second.lines.len(), second.mark.same), (1, 3));
        let third = recent(again.as_bytes(), &second.mark);
        assert_eq!((third.lines.len(), third.mark), (0, second.mark));
    }
}
