//! Aider's histories: the chat in Markdown, one file for all runs, and the typed prompts.
//!
//! The only times are local and name no zone; they are read as UTC.

use coroner_model::entry::{About, Call, Change, Entry, Note, Operation, Origin, RawPlace, Said, ToolKind};
use coroner_model::session::Role;
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde_json::json;

use super::batch::Batch;
use super::{tool, whole};

/// How a run begins.
pub(super) const RUN: &str = "# aider chat started at ";

/// Reads `.aider.chat.history.md`; each run is a session of its own.
pub fn chat(stem: &str, text: &str) -> Batch {
    let mut chat = Chat { session: stem.to_owned(), ..Chat::default() };
    chat.batch.counts.lines = whole::lines(text);
    for (bare, raw) in lines(text) {
        chat.line(bare, raw);
    }
    chat.flush();
    chat.batch
}

/// Reads `.aider.input.history`: what a person typed, with its time.
pub fn input(stem: &str, text: &str) -> Batch {
    let mut batch = Batch::default();
    batch.counts.lines = whole::lines(text);
    let mut open: Option<Entry> = None;
    for (bare, raw) in lines(text) {
        if let Some(at) = stamp(bare) {
            open.take().into_iter().for_each(|entry| batch.add(entry));
            open = Some(Entry { session: stem.to_owned(), raw, at: Some(at), ..Entry::default() });
        } else if let (Some(typed), Some(entry)) = (bare.strip_prefix('+'), &mut open) {
            entry.raw.len = raw.offset + raw.len - entry.raw.offset;
            match entry.notes.first_mut() {
                Some(note) => note.text.extend(["\n", typed]),
                None => entry.notes.push(Note { origin: Origin::Typed, text: typed.to_owned() }),
            }
        } else if !bare.trim().is_empty() {
            open.take().into_iter().for_each(|entry| batch.add(entry));
            let entry = Entry { session: stem.to_owned(), raw, ..Entry::default() };
            batch.unknown(entry, "neither a time nor what was typed", bare);
        }
    }
    open.into_iter().for_each(|entry| batch.add(entry));
    batch
}

/// The time in a line `# 2026-06-09 14:01:00.5` of the prompts.
pub(super) fn stamp(line: &str) -> Option<Timestamp> {
    local_time(line.strip_prefix("# ")?)
}

/// A local time, read as UTC.
fn local_time(text: &str) -> Option<Timestamp> {
    let time: DateTime = text.trim().parse().ok()?;
    TimeZone::UTC.to_timestamp(time).ok()
}

/// The lines of a text without their ends, blank ones too.
fn lines(text: &str) -> impl Iterator<Item = (&str, RawPlace)> {
    let mut offset = 0;
    text.split_inclusive('\n').enumerate().map(move |(index, line)| {
        let bare = line.trim_end_matches(['\n', '\r']);
        let raw = RawPlace { offset, len: bare.len() as u64, line: index as u64 + 1 };
        offset += line.len() as u64;
        (bare, raw)
    })
}

/// What a stretch of lines is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Prompt,
    /// What Aider itself says.
    Output,
    /// What the model wrote.
    Prose,
}

#[derive(Default)]
struct Chat {
    session: String,
    batch: Batch,
    /// The stretch that is being read.
    open: Option<(Kind, RawPlace)>,
    text: Vec<String>,
    /// Whether the model's text is inside a fence.
    in_fence: bool,
    /// What the model proposed to change and Aider did not say yet that it did.
    proposed: Vec<Change>,
}

impl Chat {
    fn line(&mut self, line: &str, raw: RawPlace) {
        if let Some(started) = line.strip_prefix(RUN) {
            self.flush();
            self.run(started, raw);
        } else if line.trim().is_empty() {
            // A blank line ends a prompt; the model's text goes on after it.
            match self.open {
                Some((Kind::Prose, _)) => self.text.push(String::new()),
                _ => self.flush(),
            }
        } else {
            self.add(self.kind(line), line, raw);
        }
    }

    /// What a line is. Aider ends the lines of a prompt with two blanks; a model that prints
    /// a heading of the fourth level does not, so after its text only such a line is a prompt.
    fn kind(&self, line: &str) -> Kind {
        let is_in_prose = matches!(self.open, Some((Kind::Prose, _)));
        let is_heading = line.trim_end() == "####" || line.starts_with("#### ");
        let is_output = line.trim_end() == ">" || line.starts_with("> ");
        if is_heading && (line.ends_with("  ") || !is_in_prose) {
            Kind::Prompt
        } else if is_output && !(is_in_prose && self.in_fence) {
            Kind::Output
        } else {
            Kind::Prose
        }
    }

    fn add(&mut self, kind: Kind, line: &str, raw: RawPlace) {
        if self.open.is_none_or(|(open, _)| open != kind) {
            self.flush();
        }
        let (_, place) = self.open.get_or_insert((kind, raw));
        place.len = raw.offset + raw.len - place.offset;
        self.text.push(line.trim_end().to_owned());
        if kind == Kind::Prose && line.trim_start().starts_with("```") {
            self.in_fence = !self.in_fence;
        }
    }

    fn run(&mut self, started: &str, raw: RawPlace) {
        let at = local_time(started);
        self.session = format!("aider-{}", started.trim().replace(' ', "T"));
        self.proposed.clear();
        let about = About { started: at, ..About::default() };
        let entry = Entry { at, about: Some(Box::new(about)), ..self.entry(raw) };
        self.batch.add(entry);
    }

    fn entry(&self, raw: RawPlace) -> Entry {
        Entry { session: self.session.clone(), raw, ..Entry::default() }
    }

    /// Ends the stretch that is being read.
    fn flush(&mut self) {
        self.in_fence = false;
        let lines = std::mem::take(&mut self.text);
        let Some((kind, raw)) = self.open.take() else { return };
        let mut entry = self.entry(raw);
        match kind {
            Kind::Prompt => {
                let text: Vec<&str> = lines.iter().map(|line| line.get(4..).unwrap_or("").trim()).collect();
                entry.message = Some(said(Role::User, text.join("\n")));
            }
            Kind::Prose => {
                self.proposed.extend(edits(&lines));
                entry.message = Some(said(Role::Assistant, lines.join("\n").trim_end().to_owned()));
            }
            Kind::Output => {
                for line in &lines {
                    self.output(line.strip_prefix('>').unwrap_or(line).trim(), &mut entry);
                }
            }
        }
        self.batch.add(entry);
    }

    /// A line of Aider's own: something that it did, or a note.
    fn output(&mut self, line: &str, entry: &mut Entry) {
        if let Some(command) = line.strip_prefix("Running ") {
            entry.calls.push(tool::call(String::new(), "shell", json!({ "command": command })));
        } else if let Some(path) = line.strip_prefix("Applied edit to ") {
            entry.calls.push(self.edit(path));
        } else if let Some((hash, message)) = commit(line) {
            entry.calls.push(tool::call(String::new(), "commit", json!({ "hash": hash, "message": message })));
        } else if !line.is_empty() {
            match entry.notes.last_mut() {
                Some(note) => note.text.extend(["\n", line]),
                None => entry.notes.push(Note { origin: Origin::Injected, text: line.to_owned() }),
            }
        }
    }

    fn edit(&mut self, path: &str) -> Call {
        let mut changes: Vec<Change> = self.proposed.extract_if(.., |change| change.path == path).collect();
        if changes.is_empty() {
            changes.push(Change { path: path.to_owned(), operation: Operation::Edit, before: None, after: None });
        }
        Call {
            tool: "edit".to_owned(),
            kind: ToolKind::Edit,
            paths: vec![path.to_owned()],
            changes,
            raw_input: Some(json!({ "path": path })),
            ..Call::default()
        }
    }
}

fn said(role: Role, text: String) -> Said {
    Said { role, origin: Origin::Typed, text, thinking: None }
}

/// The hash and the message of a line `Commit 1a2b3c4 fix: the message`.
fn commit(line: &str) -> Option<(&str, &str)> {
    let (hash, message) = line.strip_prefix("Commit ")?.split_once(' ')?;
    (hash.len() >= 7 && hash.bytes().all(|b| b.is_ascii_hexdigit())).then_some((hash, message))
}

/// The SEARCH/REPLACE blocks of a text; the path stands on the line before a block or before its fence.
fn edits(lines: &[String]) -> Vec<Change> {
    let is = |line: &str, mark: &str, word: &str| line.starts_with(mark) && line.ends_with(word);
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(search) = lines[from..].iter().position(|l| is(l, "<<<<<<<", "SEARCH")).map(|at| from + at) {
        let after =
            |start: usize, mark, word| lines[start..].iter().position(|l| is(l, mark, word)).map(|place| start + place);
        let middle = after(search, "=======", "");
        let Some((middle, end)) = middle.and_then(|m| Some((m, after(m, ">>>>>>>", "REPLACE")?))) else { break };
        let is_path = |line: &&String| !line.trim().is_empty() && !line.starts_with("```");
        if let Some(path) = lines[from..search].iter().rev().take(3).find(is_path) {
            let text = |part: &[String]| (!part.is_empty()).then(|| part.join("\n"));
            found.push(Change {
                path: path.trim_matches(|c: char| c.is_whitespace() || "`*#:".contains(c)).to_owned(),
                operation: Operation::Edit,
                before: text(&lines[search + 1..middle]),
                after: text(&lines[middle + 1..end]),
            });
        }
        from = end + 1;
    }
    found
}

/// Whether a text begins like a history of prompts.
pub(super) fn is_input(beginning: &str) -> bool {
    let mut lines = beginning.lines().filter(|line| !line.trim().is_empty());
    lines.next().is_some_and(|line| stamp(line).is_some()) && lines.next().is_some_and(|line| line.starts_with('+'))
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHAT: &str = "\n# aider chat started at 2026-06-09 14:01:00\n\n> Aider v0.86\n> Added src/a.py to the chat  \n\n#### fix the sum  \n#### and test it  \n\nI will.\n\n#### Plan\n\nsrc/a.py\n```python\n<<<<<<< SEARCH\na = 1\n=======\na = 2\n>>>>>>> REPLACE\n> not Aider\n```\n\n> Tokens: 3.2k sent\n\n> Applied edit to src/a.py  \n> Commit 1a2b3c4 fix: the sum  \n> Running pytest -q\n\n# aider chat started at 2026-06-10 08:00:00\n\n#### hello  \n\nHi.\n\n#### again  \n";

    #[test]
    fn a_chat_gives_prompts_answers_and_what_was_done() {
        let batch = chat(".aider.chat.history", CHAT);
        let said: Vec<_> = batch.entries.iter().filter_map(|e| e.message.as_ref()).collect();
        let roles: Vec<_> = said.iter().map(|s| s.role).collect();
        assert_eq!(roles, [Role::User, Role::Assistant, Role::User, Role::Assistant, Role::User]);
        assert_eq!((said[0].text.as_str(), said[4].text.as_str()), ("fix the sum\nand test it", "again"));
        assert!(said[1].text.contains("#### Plan") && said[1].text.contains("> not Aider"));
        let calls: Vec<&Call> = batch.entries.iter().flat_map(|e| &e.calls).collect();
        assert_eq!(calls.iter().map(|c| c.tool.as_str()).collect::<Vec<_>>(), ["edit", "commit", "shell"]);
        let change = &calls[0].changes[0];
        assert_eq!((change.before.as_deref(), change.after.as_deref()), (Some("a = 1"), Some("a = 2")));
        assert_eq!(calls[2].command.as_deref(), Some("pytest -q"));
        assert!(calls.iter().all(|call| call.result.is_none()));
        let started: Vec<_> = batch.entries.iter().filter_map(|e| e.about.as_ref()?.started).collect();
        assert_eq!(started[0].to_string(), "2026-06-09T14:01:00Z");
        assert_ne!(batch.entries.first().unwrap().session, batch.entries.last().unwrap().session);
    }

    #[test]
    fn typed_prompts_keep_their_times() {
        let text = "\n# 2026-06-09 14:01:05.120000\n+fix the sum\n+and test it\n\n# 2026-06-09 14:02:00\n+bye\n";
        assert!(is_input(text) && !is_input("# tidy up\ncd /srv\n"));
        let entries = input(".aider.input", text).entries;
        let got: Vec<_> = entries.iter().map(|e| (e.notes[0].text.as_str(), e.at.unwrap().to_string())).collect();
        assert_eq!(got[0], ("fix the sum\nand test it", "2026-06-09T14:01:05.12Z".to_owned()));
        assert_eq!(got[1].0, "bye");
    }
}
