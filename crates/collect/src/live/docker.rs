//! Logs of containers, and files inside them.

use std::collections::VecDeque;
use std::time::Duration;

use coroner_model::{CouldNotLook, Why};
use serde_json::Value;
use tar::{Archive, EntryType};

use super::engine::Engine;
use super::{Inner, Raw};
use crate::casefile::{newlines, obstacle, read_bounded};
use crate::seen::Seen;

/// Lines of a log that the engine is asked for.
const LOG_LINES_MAX: u64 = 400_000;
/// Lines asked for where the engine was too slow with those.
const SLOW_LOG_LINES_MAX: u64 = 20_000;
/// Links followed inside a container.
const LINK_HOPS_MAX: usize = 5;
/// Bytes of an archive around one file: headers, long names, padding.
const ARCHIVE_BYTES_OVER: u64 = 64 * 1024;
/// The label by which compose names a service.
const SERVICE_LABEL: &str = "com.docker.compose.service";

/// A container by its name, id or service.
pub(super) struct Container {
    pub(super) id: String,
    name: String,
    /// A terminal's output comes without frames.
    pub(super) has_terminal: bool,
}

/// The log of a container, or the logs of all containers of a service.
pub(super) async fn log(inner: &Inner, asked: &str) -> Raw {
    let engine = Engine::chosen(inner).await?;
    let mut logs = Vec::new();
    for container in find(&engine, asked).await? {
        logs.push(log_of(inner, &engine, &container).await?);
    }
    Ok(logs)
}

/// The containers that go by a name: one by its own name or id, else all of a service.
async fn find(engine: &Engine, asked: &str) -> Result<Vec<Container>, CouldNotLook> {
    let asked = asked.trim_start_matches('/');
    let absent = match one(engine, asked).await {
        Err(why) if why.why == Why::Absent => why,
        other => return other.map(|container| vec![container]),
    };
    let filter = serde_json::json!({ "label": [format!("{SERVICE_LABEL}={asked}")] }).to_string();
    let listed = engine.json("/containers/json", &[("all", "1"), ("filters", &filter)]).await?;
    let mut found = Vec::new();
    for id in listed.as_array().into_iter().flatten().filter_map(|item| item["Id"].as_str()) {
        found.push(one(engine, id).await?);
    }
    found.sort_by(|a: &Container, b| a.name.cmp(&b.name));
    if found.is_empty() { Err(absent) } else { Ok(found) }
}

pub(super) async fn one(engine: &Engine, name: &str) -> Result<Container, CouldNotLook> {
    let name: String = url::form_urlencoded::byte_serialize(name.as_bytes()).collect();
    let value = engine.json(&format!("/containers/{name}/json"), &[]).await?;
    let word = |value: &Value| value.as_str().unwrap_or("").trim_start_matches('/').to_owned();
    Ok(Container {
        id: word(&value["Id"]),
        name: word(&value["Name"]),
        has_terminal: value["Config"]["Tty"].as_bool().unwrap_or(false),
    })
}

/// The end of a log: as many lines as the bound allows, or fewer where the engine is slow.
async fn log_of(inner: &Inner, engine: &Engine, container: &Container) -> Result<Seen, CouldNotLook> {
    let patience = Duration::from_millis(inner.limits.probe_ms_max / 2);
    match tokio::time::timeout(patience, last_lines(inner, engine, container, LOG_LINES_MAX)).await {
        Ok(seen) => seen,
        Err(_) => last_lines(inner, engine, container, SLOW_LOG_LINES_MAX).await,
    }
}

async fn last_lines(
    inner: &Inner,
    engine: &Engine,
    container: &Container,
    lines_max: u64,
) -> Result<Seen, CouldNotLook> {
    let lines = lines_max.to_string();
    let query = [("stdout", "1"), ("stderr", "1"), ("timestamps", "1"), ("tail", lines.as_str())];
    let mut answer = engine.get(&format!("/containers/{}/logs", container.id), &query).await?;
    let mut frames = Frames::new(container.has_terminal);
    let bytes_max = inner.limits.log_bytes_max;
    let mut end = End { pieces: VecDeque::new(), bytes: 0, bytes_max, left_out: 0, lines_out: 0 };
    while let Some(chunk) = answer.chunk().await.map_err(|error| engine.failed(&error))? {
        frames.take(&chunk, |text| end.push(text));
    }
    Ok(end.into_seen(format!("docker/logs/{}.log", container.name), lines_max))
}

/// Takes the engine's frames apart: eight bytes of header (stream, length), then text.
pub(super) struct Frames {
    has_terminal: bool,
    rest: Vec<u8>,
}

impl Frames {
    pub(super) fn new(has_terminal: bool) -> Frames {
        Frames { has_terminal, rest: Vec::new() }
    }

    pub(super) fn take(&mut self, chunk: &[u8], mut each: impl FnMut(&[u8])) {
        if self.has_terminal {
            return each(chunk);
        }
        self.rest.extend_from_slice(chunk);
        let mut at = 0;
        while let Some(header) = self.rest.get(at..at + 8) {
            let length = u32::from_be_bytes([header[4], header[5], header[6], header[7]]) as usize;
            let Some(text) = self.rest.get(at + 8..at + 8 + length) else { break };
            each(text);
            at += 8 + length;
        }
        self.rest.drain(..at);
    }
}

/// The end of a stream, within a bound.
struct End {
    pieces: VecDeque<Vec<u8>>,
    bytes: u64,
    bytes_max: u64,
    left_out: u64,
    lines_out: u64,
}

impl End {
    fn push(&mut self, text: &[u8]) {
        self.bytes += text.len() as u64;
        self.pieces.push_back(text.to_vec());
        while self.bytes > self.bytes_max {
            let Some(oldest) = self.pieces.pop_front() else { break };
            self.bytes -= oldest.len() as u64;
            self.left_out += oldest.len() as u64;
            self.lines_out += newlines(&oldest);
        }
    }

    fn into_seen(self, path: String, lines_max: u64) -> Seen {
        let raw: Vec<u8> = self.pieces.into_iter().flatten().collect();
        let asked_for_less = self.lines_out + newlines(&raw) >= lines_max;
        let bytes_left_out = self.left_out.max(u64::from(asked_for_less));
        Seen { path, raw, bytes_left_out, first_line: self.lines_out + 1 }
    }
}

/// One file as the container sees it, links followed inside.
pub(super) async fn file(inner: &Inner, asked: &str, path: &str) -> Result<Seen, CouldNotLook> {
    let engine = Engine::chosen(inner).await?;
    let container = one(&engine, asked.trim_start_matches('/')).await?;
    let mut at = path.to_owned();
    for _ in 0..LINK_HOPS_MAX {
        match entry(inner, &engine, &container, &at).await? {
            Entry::File { raw, left_out } => {
                let path = format!("docker/files/{}/{}", container.name, path.trim_start_matches('/'));
                return Ok(Seen { path, raw, bytes_left_out: left_out, first_line: 1 });
            }
            Entry::Link(target) if target.starts_with('/') => at = target,
            Entry::Link(target) => at = format!("{}/{target}", at.rsplit_once('/').map_or("", |(parent, _)| parent)),
        }
    }
    Err(obstacle(Why::Unreadable, format!("{path}: more than {LINK_HOPS_MAX} links")))
}

enum Entry {
    File { raw: Vec<u8>, left_out: u64 },
    Link(String),
}

async fn entry(inner: &Inner, engine: &Engine, container: &Container, path: &str) -> Result<Entry, CouldNotLook> {
    let mut answer = engine.get(&format!("/containers/{}/archive", container.id), &[("path", path)]).await?;
    let bytes_max = inner.limits.file_bytes_max;
    let mut bytes = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(|error| engine.failed(&error))? {
        bytes.extend_from_slice(&chunk);
        // The rest is left out; what is there begins with the file.
        if bytes.len() as u64 > bytes_max + ARCHIVE_BYTES_OVER {
            break;
        }
    }
    first_entry(&bytes, bytes_max).map_err(|error| obstacle(Why::Unreadable, format!("{path}: {error}")))
}

fn first_entry(bytes: &[u8], bytes_max: u64) -> std::io::Result<Entry> {
    let mut archive = Archive::new(bytes);
    let entry = archive.entries()?.next().ok_or_else(|| std::io::Error::other("the engine sent nothing"))??;
    match entry.header().entry_type() {
        EntryType::Regular => {
            let size = entry.size();
            let (raw, _) = read_bounded(entry, bytes_max.min(size))?;
            let left_out = size - raw.len() as u64;
            Ok(Entry::File { raw, left_out })
        }
        EntryType::Symlink => {
            let target = entry.link_name()?.map(|target| target.to_string_lossy().into_owned());
            target.map(Entry::Link).ok_or_else(|| std::io::Error::other("a link to nowhere"))
        }
        EntryType::Directory => Err(std::io::Error::from(std::io::ErrorKind::IsADirectory)),
        _ => Err(std::io::Error::other("neither file nor link")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(text: &str) -> Vec<u8> {
        let mut out = vec![1, 0, 0, 0];
        out.extend_from_slice(&(text.len() as u32).to_be_bytes());
        out.extend_from_slice(text.as_bytes());
        out
    }

    #[test]
    fn frames_cut_anywhere_come_out_whole() {
        let stream: Vec<u8> = [frame("one\n"), frame("two\n"), frame("")].concat();
        for cut in 0..stream.len() {
            let mut frames = Frames { has_terminal: false, rest: Vec::new() };
            let mut text = Vec::new();
            frames.take(&stream[..cut], |part| text.extend_from_slice(part));
            frames.take(&stream[cut..], |part| text.extend_from_slice(part));
            assert_eq!(text, b"one\ntwo\n", "cut at {cut}");
        }
    }

    #[test]
    fn the_end_keeps_its_line_numbers() {
        let mut end = End { pieces: VecDeque::new(), bytes: 0, bytes_max: 20, left_out: 0, lines_out: 0 };
        for n in 1..=10 {
            end.push(format!("line {n}\n").as_bytes());
        }
        let seen = end.into_seen("x".into(), 100);
        assert_eq!((seen.first_line, String::from_utf8(seen.raw).unwrap().as_str()), (9, "line 9\nline 10\n"));
        assert_eq!(seen.bytes_left_out, 56);
    }
}
