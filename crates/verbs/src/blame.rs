//! `blame`: the commit, session, tool call and prompt behind a file or a line of it.

use std::path::{Path, PathBuf};

use coroner_collect::git::copy::WorkTree;
use coroner_collect::source_file;
use coroner_model::entry::{Call, Operation};
use coroner_model::{Redacted, Redactor};
use coroner_store::{RecordedEntry, Store, StoreError};
use jiff::Timestamp;
use serde::Serialize;

/// The schema of an answer.
pub const BLAME_SCHEMA: &str = "coroner/blame/v1";
/// Largest file whose line is looked up, in bytes.
const FILE_BYTES_MAX: u64 = 64 << 20;
/// Most calls that are named for a file.
const CALLS_COUNT_MAX: usize = 20;
/// Longest quotation of a prompt or command, in characters.
const QUOTE_CHARS_MAX: usize = 600;

/// Who changed a file, or a line of it.
#[derive(Clone, Debug, Serialize)]
pub struct BlameReport {
    pub schema: &'static str,
    pub path: String,
    pub line: Option<u32>,
    /// The line as it stands, redacted.
    pub text: Option<String>,
    pub commit: Option<Commit>,
    /// The newest first; for a line, those that wrote it come before those that only may have.
    pub calls: Vec<Caller>,
    pub could_not_look: Vec<String>,
}

/// The commit that brought the line.
#[derive(Clone, Debug, Serialize)]
pub struct Commit {
    pub id: String,
    pub author: String,
    pub at: Option<Timestamp>,
    pub subject: String,
}

/// A tool call behind a file.
#[derive(Clone, Debug, Serialize)]
pub struct Caller {
    /// `wrote-line`, `changed-file`, `deleted-file`, `moved-file` or `named-in-command`.
    pub what: &'static str,
    pub session: String,
    pub subagent: Option<String>,
    pub agent: String,
    pub tool: String,
    pub tool_call: String,
    pub at: Option<Timestamp>,
    pub status: Option<String>,
    pub exit_code: Option<i64>,
    pub command: Option<String>,
    /// What a person had asked for last.
    pub prompt: Option<String>,
    pub evidence_place: String,
}

/// Finds who changed a file, or its line.
pub fn blame(store: &Store, cwd: &Path, path: &Path, line: Option<u32>) -> Result<BlameReport, StoreError> {
    let absolute = absolute(cwd, path);
    let mut could_not_look = Vec::new();
    let raw_line = line.and_then(|number| match text_of(&absolute, number) {
        Ok(text) => Some(text),
        Err(why) => {
            could_not_look.push(format!("line {number} of {}: {why}", absolute.display()));
            None
        }
    });
    let redactor = Redactor::new(store.redaction_key());
    let text = raw_line.as_deref().map(|raw| redactor.redact(raw).as_str().to_owned());
    let work_tree = WorkTree::holding(&absolute);
    if work_tree.is_none() {
        could_not_look.push("git: the file lies in no work tree that can be read".to_owned());
    }
    let commit = line.zip(work_tree).and_then(|(line, tree)| tree.blame(&absolute, line)).map(|blamed| Commit {
        id: blamed.commit,
        author: redactor.redact(&blamed.author).as_str().to_owned(),
        at: blamed.at,
        subject: redactor.redact(&blamed.subject).as_str().to_owned(),
    });
    let mut calls = Vec::new();
    for (seq, recorded) in store.touching(&absolute.to_string_lossy())? {
        for call in &recorded.entry.calls {
            let Some(what) = what(call, &recorded, &absolute, text.as_deref()) else { continue };
            calls.push(caller(store, seq, &recorded, call, what)?);
        }
        let is_settled = line.is_some() && calls.iter().any(|call: &Caller| call.what == "wrote-line");
        if is_settled || calls.len() >= CALLS_COUNT_MAX {
            break;
        }
    }
    calls.sort_by_key(|call| call.what != "wrote-line");
    Ok(BlameReport {
        schema: BLAME_SCHEMA,
        path: absolute.to_string_lossy().into_owned(),
        line,
        text,
        commit,
        calls,
        could_not_look,
    })
}

/// What a call does to the file; `None` where it does not touch it.
fn what(call: &Call<Redacted>, recorded: &RecordedEntry, path: &Path, line: Option<&str>) -> Option<&'static str> {
    let cwd = call.cwd.as_ref().or(recorded.entry.about.as_ref().and_then(|about| about.cwd.as_ref()));
    let is_file = |named: &str| {
        let named = Path::new(named);
        match cwd {
            _ if named.is_absolute() => named == path,
            Some(cwd) => Path::new(cwd.as_str()).join(named) == path || path.ends_with(named),
            None => path.ends_with(named),
        }
    };
    let mut found = None;
    for change in call.changes.iter().filter(|change| is_file(change.path.as_str())) {
        let wrote = line.is_some_and(|line| {
            let line = line.trim();
            !line.is_empty()
                && change.after.as_ref().is_some_and(|after| after.as_str().lines().any(|one| one.trim() == line))
        });
        found = Some(match change.operation {
            _ if wrote => return Some("wrote-line"),
            Operation::Delete => "deleted-file",
            Operation::Move => "moved-file",
            Operation::Write | Operation::Edit => "changed-file",
        });
    }
    let command = call.command.as_ref().map(Redacted::as_str);
    let named = command.is_some_and(|command| {
        let words = command.split(|c: char| c.is_whitespace() || "'\"=<>|;&()".contains(c));
        words.filter(|word| !word.is_empty()).any(is_file)
    });
    found.or(named.then_some("named-in-command"))
}

fn caller(
    store: &Store,
    seq: u64,
    recorded: &RecordedEntry,
    call: &Call<Redacted>,
    what: &'static str,
) -> Result<Caller, StoreError> {
    let prompt = store.prompt_before(seq)?;
    let ended = store.ended(seq, &call.id)?;
    let (status, exit_code) = ended.map_or((None, None), |(status, code)| (Some(status), code));
    let quoted = |text: &Redacted| text.as_str().chars().take(QUOTE_CHARS_MAX).collect::<String>();
    Ok(Caller {
        what,
        session: recorded.entry.session.clone(),
        subagent: Some(recorded.entry.subagent.clone()).filter(|id| !id.is_empty()),
        agent: recorded.from.agent.clone(),
        tool: call.tool.clone(),
        tool_call: call.id.clone(),
        at: recorded.entry.at,
        status,
        exit_code,
        command: call.command.as_ref().map(quoted),
        prompt: prompt.and_then(|(_, prompt)| prompt.entry.message.map(|said| quoted(&said.text))),
        evidence_place: format!("{}:{}", recorded.from.path, recorded.entry.raw.line),
    })
}

fn absolute(cwd: &Path, path: &Path) -> PathBuf {
    let joined = cwd.join(path);
    joined.canonicalize().unwrap_or(joined)
}

fn text_of(path: &Path, line: u32) -> Result<String, String> {
    let bytes = source_file::whole(path, FILE_BYTES_MAX).map_err(|error| error.to_string())?;
    let bytes = bytes.ok_or("the file is too large")?;
    let text = String::from_utf8_lossy(&bytes);
    let index = (line as usize).checked_sub(1).ok_or("lines are counted from 1")?;
    text.lines().nth(index).map(str::to_owned).ok_or_else(|| format!("the file has {} lines", text.lines().count()))
}
