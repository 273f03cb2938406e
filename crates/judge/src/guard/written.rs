//! What a command or an edit tool would leave in files, as far as it follows from its text.
//!
//! [`plan`] says which files would be written and how, [`outcome`] works the texts out from what
//! the files hold now. What cannot be known stays [`Outcome::Unknown`]: nothing is guessed, since a
//! finding on a text that nobody would write is a false alarm.

mod edits;
mod patch;
mod perl;
mod program;
pub(super) mod sed;

use std::collections::BTreeMap;

use coroner_model::permission::PermissionRequest;
use coroner_read::shell::{self, Word};

use crate::effect::Effects;

pub use edits::Edit;
pub use patch::{FilePatch, PatchHunk};
pub use sed::Sed;

/// Most writes of one request that are followed.
const WRITES_MAX: usize = 64;
/// Longest text of a file that is worked out, in bytes.
pub const TEXT_BYTES_MAX: usize = 1024 * 1024;

/// One file that would be written.
#[derive(Clone, Debug, PartialEq)]
pub struct Write {
    /// Absolute.
    pub path: String,
    pub how: How,
    /// The program or tool that does it.
    pub program: String,
    /// Equal for writes of one opening of the file, which follow each other in it.
    pub opening: Option<usize>,
}

/// How a file would be written.
#[derive(Clone, Debug, PartialEq)]
pub enum How {
    /// It would hold this text.
    Text(String),
    /// This text would stand behind what is there.
    Append(String),
    /// It would hold what other files hold.
    Copy {
        from: Vec<String>,
        append: bool,
    },
    /// It would hold what a filter leaves of another file.
    Filtered {
        from: String,
        filter: Vec<Word>,
        append: bool,
    },
    Sed(Sed),
    Edits(Vec<Edit>),
    Patch(FilePatch),
    /// A patch that lies in a file; `path` is where it would be applied from.
    PatchFile {
        file: String,
        options: patch::PatchOptions,
    },
    /// It is emptied so that something is written into it.
    Opened,
    /// It would be gone.
    Gone,
    /// What it would hold depends on something that is not known.
    Unknown,
}

/// What a file holds now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Now {
    Text(String),
    Absent,
    /// It could not be looked at.
    Unread,
}

/// What a file would hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    Text(String),
    Gone,
    Unknown,
}

/// The files that a request would write, in order.
pub fn plan(request: &PermissionRequest, effects: &Effects) -> Vec<Write> {
    let mut writes = match &request.command {
        Some(_) => program::plan(effects),
        None => match &request.tool {
            Some(tool) if !super::tool::is_shell(tool) => edits::plan(tool, &request.input, &request.cwd),
            _ => program::plan(effects),
        },
    };
    writes.truncate(WRITES_MAX);
    writes
}

/// Files that must be read before the outcome can be worked out, besides those that are written.
pub fn sources(writes: &[Write]) -> Vec<String> {
    let mut all: Vec<String> = writes
        .iter()
        .flat_map(|write| match &write.how {
            How::Copy { from, .. } => from.clone(),
            How::Filtered { from, .. } => vec![from.clone()],
            How::PatchFile { file, .. } => vec![file.clone()],
            _ => Vec::new(),
        })
        .collect();
    all.sort();
    all.dedup();
    all
}

/// Puts the files of a patch that is at hand in the place of the patch.
pub fn with_patches(writes: Vec<Write>, now: &dyn Fn(&str) -> Now) -> Vec<Write> {
    let mut out = Vec::new();
    for write in writes {
        match &write.how {
            How::PatchFile { file, options } => {
                if let Now::Text(text) = now(file) {
                    out.extend(patch::of_diff(&text, options, &write.program));
                }
            }
            _ => out.push(write),
        }
    }
    out.truncate(WRITES_MAX);
    out
}

/// What each file would hold once everything is written.
///
/// `clean` takes secrets out of a text as it was done with the texts of `now`, so that a line that
/// is to be replaced is found though its secret is not readable.
pub fn outcome(
    writes: &[Write],
    now: &dyn Fn(&str) -> Now,
    clean: &dyn Fn(&str) -> String,
) -> BTreeMap<String, Outcome> {
    let mut files: BTreeMap<String, State> = BTreeMap::new();
    for write in writes {
        let current = files.get(&write.path).map_or_else(
            || State::of(now(&write.path)),
            |state| State { opening: state.opening, text: state.text.clone() },
        );
        let follows = write.opening.is_some() && current.opening == write.opening;
        let text = match &write.how {
            How::Text(text) if follows => current.text.then(text),
            How::Text(text) => Known::Text(text.clone()),
            How::Append(text) => current.text.then(text),
            How::Copy { from, append } => {
                let read = |path: &String| files.get(path).map_or_else(|| State::of(now(path)), Clone::clone).text;
                let whole = from.iter().map(read).try_fold(String::new(), |mut all, one| match one {
                    Known::Text(text) => {
                        all.push_str(&text);
                        Some(all)
                    }
                    _ => None,
                });
                match whole {
                    Some(text) if *append || follows => current.text.then(&text),
                    Some(text) => Known::Text(text),
                    None => Known::Unknown,
                }
            }
            How::Filtered { from, filter, append } => {
                let read = files.get(from).map_or_else(|| State::of(now(from)), Clone::clone).text;
                match read.map(|text| shell::filtered(filter, text)) {
                    // The shell empties the file before the filter reads it.
                    _ if from == &write.path && !*append => Known::Text(String::new()),
                    Known::Text(text) if *append || follows => current.text.then(&text),
                    other => other,
                }
            }
            How::Sed(script) => current.text.map(|text| script.apply(text)),
            How::Edits(all) => edits::apply(all, &current.text, clean),
            How::Patch(patch) => patch.apply(&current.text, clean),
            How::Opened => Known::Opened,
            How::Gone => Known::Absent,
            How::PatchFile { .. } | How::Unknown => Known::Unknown,
        };
        files.insert(write.path.clone(), State { opening: write.opening, text: text.bounded() });
    }
    files
        .into_iter()
        .map(|(path, state)| {
            let outcome = match state.text {
                Known::Text(text) => Outcome::Text(text),
                Known::Absent => Outcome::Gone,
                Known::Opened | Known::Unknown => Outcome::Unknown,
            };
            (path, outcome)
        })
        .collect()
}

#[derive(Clone, Debug)]
struct State {
    opening: Option<usize>,
    text: Known,
}

impl State {
    fn of(now: Now) -> State {
        let text = match now {
            Now::Text(text) => Known::Text(text),
            Now::Absent => Known::Absent,
            Now::Unread => Known::Unknown,
        };
        State { opening: None, text }
    }
}

/// What is known of a file's text while the writes are followed.
#[derive(Clone, Debug, PartialEq)]
enum Known {
    Text(String),
    Absent,
    /// Emptied; what it holds in the end is what is written into it.
    Opened,
    Unknown,
}

impl Known {
    fn then(&self, more: &str) -> Known {
        match self {
            Known::Text(text) => Known::Text(format!("{text}{more}")),
            Known::Absent | Known::Opened => Known::Text(more.to_owned()),
            Known::Unknown => Known::Unknown,
        }
    }

    fn map(&self, change: impl Fn(&str) -> Option<String>) -> Known {
        match self {
            Known::Text(text) => change(text).map_or(Known::Unknown, Known::Text),
            // A file that is not there stays away.
            Known::Absent => Known::Absent,
            Known::Opened | Known::Unknown => Known::Unknown,
        }
    }

    fn bounded(self) -> Known {
        match self {
            Known::Text(text) if text.len() > TEXT_BYTES_MAX => Known::Unknown,
            other => other,
        }
    }
}

#[cfg(test)]
mod tests;
