//! A shell's history: each command an entry of one session.
//!
//! Shells cut histories at their beginning and write them anew, so that neither the
//! length nor the place of a line says what is new: the commands that were read last do.

use std::path::Path;

use coroner_collect::source_file;
use coroner_model::entry::{About, Call, Entry, RawPlace, ToolKind};
use coroner_model::evidence::hex;
use coroner_model::source::{SourceCounts, SourceState};
use coroner_model::{ContentHash, Redactor};
use coroner_read::shell_history::{self, Shell, Typed};
use coroner_store::{Prepared, Provenance};
use serde::{Deserialize, Serialize};

use super::{Around, Beside, Reading};

/// Largest history, in bytes.
const FILE_BYTES_MAX: u64 = 64 << 20;
/// Commands that are remembered, to find the place in a history that was written anew.
const REMEMBERED_MAX: usize = 256;
/// So many commands in a row tell a place.
const MATCHED_MIN: usize = 3;

/// What is remembered of a history.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Remembered {
    /// Commands that were recorded so far.
    count: u64,
    /// Keyed hashes of the newest commands, in hex.
    last: Vec<String>,
}

pub(super) fn read(
    around: &Around<'_>,
    source: &Beside,
    path: &Path,
    known: Option<&SourceState>,
) -> Result<Reading, String> {
    let told = |error: std::io::Error| error.to_string();
    let mut reading = Reading::new(source, known);
    let stamp = source_file::stamp(path).map_err(told)?;
    if let Some(known) = known.filter(|known| known.stamp == stamp && known.form == source.form()) {
        return Ok(reading.unchanged(known));
    }
    let whole = source_file::whole(path, FILE_BYTES_MAX).map_err(told)?;
    reading.source.stamp = stamp;
    let Some(bytes) = whole else { return Ok(reading.skipped("larger than what is read")) };
    let shell = shell_of(path, &bytes);
    let typed = shell_history::read(shell, &bytes);
    let before: Remembered = serde_json::from_value(reading.source.reader.clone()).unwrap_or_default();
    let mut redactor = (*around.redactor()).clone();
    let digests: Vec<String> = typed.iter().map(|one| digest(&redactor, path, one, None)).collect();
    let is_new = news(&before.last, &digests);
    let offsets = line_offsets(&bytes);
    let from = Provenance { agent: "shell".to_owned(), path: source.name(), machine: around.request.machine.clone() };
    let mut count = before.count;
    let mut made = Vec::new();
    for (index, one) in typed.iter().enumerate().filter(|(index, _)| is_new[*index]) {
        let end = typed.get(index + 1).map(|next| next.line);
        let raw = place(&offsets, bytes.len(), one.line, end);
        // A time makes a command one of its kind; without one its number does.
        let number = one.at.is_none().then_some(count);
        let id = digest(&redactor, path, one, number.or(Some(0)));
        let mut entry = entry(shell, one, id, raw, &from.path);
        if made.is_empty() {
            let title = Some(format!("{} history", word(shell)));
            entry.about = Some(Box::new(About { title, ..About::default() }));
        }
        made.push((entry.redact(&mut redactor), raw));
        count += 1;
        reading.now.lines += one.command.lines().count() as u64;
    }
    for ((entry, replaced), raw) in made {
        // What was recognised later goes from earlier commands too.
        let (entry, more) = entry.without_learned(&redactor);
        let bytes = &bytes[raw.offset as usize..(raw.offset + raw.len) as usize];
        let hash = match replaced + more {
            0 => ContentHash::sha256(bytes),
            _ => ContentHash::hmac(redactor.hash_key(), bytes),
        };
        reading.redactions += replaced + more;
        reading.bytes += bytes.len() as u64;
        reading.entries.push(Prepared::new(&from, entry, hash).map_err(|error| error.to_string())?);
    }
    reading.now.tool_calls = count - before.count;
    let lines = bytes.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty()).count();
    reading.source.counts =
        SourceCounts { lines: lines as u64, tool_calls: typed.len() as u64, ..SourceCounts::default() };
    reading.source.agent = "shell".to_owned();
    reading.source.offset = bytes.len() as u64;
    let last = digests[digests.len().saturating_sub(REMEMBERED_MAX)..].to_vec();
    reading.source.reader = serde_json::to_value(Remembered { count, last }).map_err(|error| error.to_string())?;
    Ok(reading)
}

/// By the text; a plain history of zsh looks like one of bash, so the name decides.
fn shell_of(path: &Path, bytes: &[u8]) -> Shell {
    let is_zsh = path.file_name().is_some_and(|name| name.to_string_lossy().contains("zsh"));
    match shell_history::shell(bytes) {
        Shell::Bash if is_zsh => Shell::Zsh,
        shell => shell,
    }
}

fn word(shell: Shell) -> &'static str {
    match shell {
        Shell::Bash => "bash",
        Shell::Zsh => "zsh",
        Shell::Fish => "fish",
    }
}

/// Stands for a command without giving it away.
fn digest(redactor: &Redactor, path: &Path, typed: &Typed, number: Option<u64>) -> String {
    let at = typed.at.map(|at| at.as_second());
    let told = format!("{}\0{at:?}\0{number:?}\0{}", path.display(), typed.command);
    hex(&blake3::keyed_hash(redactor.hash_key(), told.as_bytes()).as_bytes()[..8])
}

/// Which commands come after those that were read last.
fn news(last: &[String], now: &[String]) -> Vec<bool> {
    let mut best = (0, 0);
    for end in 1..=now.len() {
        let pairs = last.iter().rev().zip(now[..end].iter().rev());
        let matched = pairs.take_while(|(a, b)| a == b).count();
        // What was cut off at the beginning cannot match.
        let tells = matched >= MATCHED_MIN.min(last.len()) || matched == end;
        if tells && matched > 0 && matched >= best.0 {
            best = (matched, end);
        }
    }
    if best.0 > 0 {
        return (0..now.len()).map(|index| index >= best.1).collect();
    }
    // No place is left that is known: whatever was among the last ones is no news.
    let mut known: Vec<&String> = last.iter().collect();
    let mut is_new = |one: &String| match known.iter().position(|other| *other == one) {
        Some(at) => {
            known.swap_remove(at);
            false
        }
        None => true,
    };
    now.iter().map(&mut is_new).collect()
}

/// Where each line begins, in bytes.
fn line_offsets(bytes: &[u8]) -> Vec<usize> {
    let ends = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at + 1);
    std::iter::once(0).chain(ends).collect()
}

/// The bytes from a line to the line before `end`, both 1-based.
fn place(offsets: &[usize], size: usize, line: u64, end: Option<u64>) -> RawPlace {
    let at = |line: u64| offsets.get(line.saturating_sub(1) as usize).copied().unwrap_or(size);
    let (from, to) = (at(line), end.map_or(size, at));
    // The end of the last line is no part of it.
    RawPlace { offset: from as u64, len: to.saturating_sub(from + usize::from(to > from)) as u64, line }
}

fn entry(shell: Shell, typed: &Typed, id: String, raw: RawPlace, session: &str) -> Entry {
    let call = Call {
        id: id.clone(),
        tool: word(shell).to_owned(),
        kind: ToolKind::Shell,
        command: Some(typed.command.clone()),
        ..Call::default()
    };
    Entry { session: session.to_owned(), id, raw, at: typed.at, calls: vec![call], ..Entry::default() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn new_of(last: &str, now: &str) -> String {
        let all = |text: &str| text.chars().map(String::from).collect::<Vec<_>>();
        let is_new = news(&all(last), &all(now));
        now.chars().zip(is_new).filter(|(_, is_new)| *is_new).map(|(c, _)| c).collect()
    }

    #[test]
    fn what_comes_after_the_last_known_commands_is_new() {
        for (last, now, expected) in [
            ("", "abc", "abc"),
            ("abc", "abc", ""),
            ("abc", "abcab", "ab"),
            ("abcde", "cdexyz", "xyz"),
            ("abcdeabc", "abcabc", ""),
            ("a", "aa", ""),
            ("abcdef", "ef", ""),
            ("abcdef", "xyz", "xyz"),
            ("abcdef", "bxcyd", "xy"),
            ("abc", "", ""),
        ] {
            assert_eq!(new_of(last, now), expected, "{last} → {now}");
        }
    }
}
