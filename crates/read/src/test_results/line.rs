//! The lines of an output without colours, each with its place in the text.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use super::pattern;

/// Escape sequences: colours, movements, titles.
static ESCAPE: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])"));

/// One line.
pub(super) struct Line<'t> {
    /// As a terminal shows it at last, without the end of the line.
    pub text: Cow<'t, str>,
    /// Bytes of the whole text.
    pub span: Range<usize>,
}

pub(super) fn lines(text: &str) -> Vec<Line<'_>> {
    let mut start = 0;
    let mut lines = Vec::new();
    for raw in text.split_inclusive('\n') {
        let bare = raw.trim_end_matches(['\n', '\r']);
        // What stands before a carriage return was written over.
        let shown = bare.rsplit('\r').next().unwrap_or(bare);
        lines.push(Line { text: plain(shown), span: start..start + bare.len() });
        start += raw.len();
    }
    lines
}

fn plain(line: &str) -> Cow<'_, str> {
    if line.contains('\x1b') { ESCAPE.replace_all(line, "") } else { Cow::Borrowed(line) }
}
