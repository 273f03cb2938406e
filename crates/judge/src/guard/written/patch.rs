//! Patches: unified diffs for `git apply` and `patch`, and the form that agents write.

use coroner_read::shell::{self, Invocation, Stdin, Word};

use super::{How, Known, Write};
use crate::effect::options::{Options, Order};
use crate::guard::tool::absolute;

/// Most files of one patch.
const FILES_MAX: usize = 64;

/// What a patch does to one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FilePatch {
    pub hunks: Vec<PatchHunk>,
    /// The file is new.
    pub creates: bool,
    /// The file goes.
    pub deletes: bool,
}

/// Lines that are found, and those that take their place.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PatchHunk {
    /// 1-based line where it is expected; 0 where the patch does not say.
    pub line: usize,
    pub old: Vec<String>,
    pub new: Vec<String>,
}

/// How a diff is applied.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PatchOptions {
    /// Absolute directory that the names start from.
    pub directory: String,
    /// Parts of a name that are taken off; `None`: all but the last.
    pub strip: Option<usize>,
    pub reverse: bool,
    /// The one file that is meant, absolute.
    pub file: Option<String>,
}

impl FilePatch {
    pub(super) fn apply(&self, now: &Known, clean: &dyn Fn(&str) -> String) -> Known {
        if self.deletes {
            return Known::Absent;
        }
        let text = match now {
            Known::Text(text) => text.clone(),
            Known::Absent | Known::Opened if self.creates => String::new(),
            _ => return Known::Unknown,
        };
        let ends = text.is_empty() || text.ends_with('\n');
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        let mut shift = 0isize;
        for hunk in &self.hunks {
            let Some(at) = place(&lines, hunk, shift, clean) else { return Known::Unknown };
            lines.splice(at..at + hunk.old.len(), hunk.new.iter().cloned());
            shift += hunk.new.len() as isize - hunk.old.len() as isize;
        }
        let mut out = lines.join("\n");
        if ends && !lines.is_empty() {
            out.push('\n');
        }
        Known::Text(out)
    }
}

/// Where the old lines stand, as near as possible to where they are expected.
fn place(lines: &[String], hunk: &PatchHunk, shift: isize, clean: &dyn Fn(&str) -> String) -> Option<usize> {
    if hunk.old.is_empty() {
        return Some(if hunk.line == 0 { lines.len() } else { hunk.line.min(lines.len()) });
    }
    let expected = (hunk.line as isize - 1 + shift).max(0) as usize;
    let cleaned: Vec<String> = hunk.old.iter().map(|line| clean(line)).collect();
    let fits = |at: &usize| {
        hunk.old.iter().zip(&cleaned).enumerate().all(|(i, (raw, cleaned))| {
            let line = lines[at + i].trim_end_matches('\r');
            line == raw || line == cleaned
        })
    };
    (0..=lines.len().checked_sub(hunk.old.len())?).filter(fits).min_by_key(|at| at.abs_diff(expected))
}

/// `git apply`, `patch`, `apply_patch`.
pub(super) fn of_command(call: &Invocation) -> Vec<Write> {
    let words = call.argv.get(1..).unwrap_or_default();
    match call.program() {
        "git" => git(call, words),
        "patch" => patch(call, words),
        _ => {
            let given = words.first().and_then(Word::as_literal).or(match &call.stdin {
                Stdin::Text(text) => text.as_literal(),
                _ => None,
            });
            given.map(|text| of_text(text, &call.cwd.show(), call.program())).unwrap_or_default()
        }
    }
}

fn git(call: &Invocation, words: &[Word]) -> Vec<Write> {
    let global = Options::read(words, &["-C", "-c", "--git-dir", "--work-tree"], Order::First);
    if global.operands.first().and_then(Word::as_literal) != Some("apply") {
        return Vec::new();
    }
    let options =
        Options::read(&global.operands[1..], &["-p", "-C", "--directory", "--exclude", "--include"], Order::Mixed);
    let shows = ["--check", "--stat", "--numstat", "--summary", "--cached"];
    let writes = options.has(&["--apply"]) || !shows.iter().any(|flag| options.has(&[flag]));
    let mut directory = call.cwd.clone();
    for (_, value) in global.flags.iter().filter(|(name, _)| name == "-C") {
        directory = value.as_ref().map_or(directory.clone(), |to| shell::join(&directory, to));
    }
    let below = options.value(&["--directory"]).cloned();
    let base = below.map_or(directory.clone(), |below| shell::join(&directory, &below));
    let Some(base) = base.as_literal().filter(|_| writes) else { return Vec::new() };
    let how = PatchOptions {
        directory: base.to_owned(),
        strip: Some(options.value(&["-p"]).and_then(|w| w.as_literal()?.parse().ok()).unwrap_or(1)),
        reverse: options.has(&["-R", "--reverse"]),
        file: None,
    };
    let files: Vec<&Word> = options.operands.iter().filter(|w| w.as_literal() != Some("-")).collect();
    read_from(call, &directory, &files, how)
}

fn patch(call: &Invocation, words: &[Word]) -> Vec<Write> {
    const VALUED: &[&str] = &[
        "-p",
        "--strip",
        "-i",
        "--input",
        "-d",
        "--directory",
        "-o",
        "--output",
        "-F",
        "--fuzz",
        "-r",
        "-B",
        "-Y",
        "-z",
        "-V",
        "-g",
    ];
    let options = Options::read(words, VALUED, Order::Mixed);
    if options.has(&["--dry-run"]) || options.has(&["-o", "--output"]) {
        return Vec::new();
    }
    let directory = options.value(&["-d", "--directory"]).map_or(call.cwd.clone(), |to| shell::join(&call.cwd, to));
    let Some(base) = directory.as_literal() else { return Vec::new() };
    let how = PatchOptions {
        directory: base.to_owned(),
        strip: options.value(&["-p", "--strip"]).and_then(|w| w.as_literal()?.parse().ok()),
        reverse: options.has(&["-R", "--reverse"]),
        file: options.operands.first().and_then(Word::as_literal).map(|file| absolute(base, file)),
    };
    let input: Vec<&Word> = options.value(&["-i", "--input"]).into_iter().chain(options.operands.get(1)).collect();
    read_from(call, &call.cwd, &input, how)
}

/// The writes of a diff in files, or in the standard input where there is none.
fn read_from(call: &Invocation, directory: &Word, files: &[&Word], options: PatchOptions) -> Vec<Write> {
    let of_file = |path: &Word| {
        let file = shell::join(directory, path).as_literal()?.to_owned();
        Some(Write {
            path: file.clone(),
            how: How::PatchFile { file, options: options.clone() },
            program: call.program().to_owned(),
            opening: None,
        })
    };
    match (&call.stdin, files) {
        (Stdin::Text(text), []) => {
            text.as_literal().map(|text| of_diff(text, &options, call.program())).unwrap_or_default()
        }
        (Stdin::File(file), []) => of_file(file).into_iter().collect(),
        (_, files) => files.iter().filter_map(|file| of_file(file)).collect(),
    }
}

/// The writes of a text in either form.
pub(super) fn of_text(text: &str, cwd: &str, program: &str) -> Vec<Write> {
    if text.contains("*** Begin Patch") {
        return of_agent(text, cwd, program);
    }
    let options = PatchOptions { directory: cwd.to_owned(), strip: Some(1), ..PatchOptions::default() };
    of_diff(text, &options, program)
}

/// The writes of a unified diff.
pub(super) fn of_diff(text: &str, options: &PatchOptions, program: &str) -> Vec<Write> {
    let mut out: Vec<Write> = Vec::new();
    let lines: Vec<&str> = text.lines().collect();
    let mut at = 0;
    while at < lines.len() && out.len() < FILES_MAX {
        let pair = lines[at].strip_prefix("--- ").zip(lines.get(at + 1).and_then(|line| line.strip_prefix("+++ ")));
        let Some((old, new)) = pair else {
            at += 1;
            continue;
        };
        at += 2;
        let (mut old, mut new) = (name(old), name(new));
        let mut hunks = Vec::new();
        while let Some(header) = lines.get(at).filter(|line| line.starts_with("@@ ")) {
            at += 1;
            let (mut hunk, lengths) = header_of(header);
            let (mut old_left, mut new_left) = lengths;
            while old_left > 0 || new_left > 0 {
                let Some(line) = lines.get(at) else { break };
                at += 1;
                match line.split_at_checked(1) {
                    Some(("-", rest)) => {
                        hunk.old.push(rest.to_owned());
                        old_left = old_left.saturating_sub(1);
                    }
                    Some(("+", rest)) => {
                        hunk.new.push(rest.to_owned());
                        new_left = new_left.saturating_sub(1);
                    }
                    Some(("\\", _)) => {}
                    other => {
                        let rest = other.map_or("", |(_, rest)| rest).to_owned();
                        hunk.old.push(rest.clone());
                        hunk.new.push(rest);
                        old_left = old_left.saturating_sub(1);
                        new_left = new_left.saturating_sub(1);
                    }
                }
            }
            if options.reverse {
                std::mem::swap(&mut hunk.old, &mut hunk.new);
            }
            hunks.push(hunk);
        }
        if options.reverse {
            std::mem::swap(&mut old, &mut new);
        }
        let (creates, deletes) = (old == "/dev/null", new == "/dev/null");
        let named = if deletes { old } else { new };
        let path = options.file.clone().or_else(|| Some(absolute(&options.directory, stripped(named, options.strip)?)));
        if let Some(path) = path {
            let how = How::Patch(FilePatch { hunks, creates, deletes });
            out.push(Write { path, how, program: program.to_owned(), opening: None });
        }
    }
    out
}

/// A name without the time behind it.
fn name(text: &str) -> &str {
    text.split('\t').next().unwrap_or(text).trim()
}

fn stripped(name: &str, strip: Option<usize>) -> Option<&str> {
    let Some(count) = strip else { return name.rsplit('/').next() };
    (0..count).try_fold(name, |rest, _| rest.split_once('/').map(|(_, rest)| rest))
}

/// `@@ -12,3 +12,4 @@`: where it starts, and how many lines each side has.
fn header_of(header: &str) -> (PatchHunk, (usize, usize)) {
    let mut sides = header.split_whitespace().skip(1).take(2).map(|side| {
        let side = side.trim_start_matches(['-', '+']);
        let (line, count) = side.split_once(',').unwrap_or((side, "1"));
        (line.parse().unwrap_or(0), count.parse().unwrap_or(0))
    });
    let old: (usize, usize) = sides.next().unwrap_or_default();
    let new: (usize, usize) = sides.next().unwrap_or_default();
    (PatchHunk { line: old.0, ..PatchHunk::default() }, (old.1, new.1))
}

/// The writes of a patch between `*** Begin Patch` and `*** End Patch`.
fn of_agent(text: &str, cwd: &str, program: &str) -> Vec<Write> {
    let mut out: Vec<Write> = Vec::new();
    let mut current: Option<(String, FilePatch)> = None;
    let mut finish = |current: &mut Option<(String, FilePatch)>| {
        if let Some((path, patch)) = current.take() {
            let how = if patch.deletes { How::Gone } else { How::Patch(patch) };
            out.push(Write { path, how, program: program.to_owned(), opening: None });
        }
    };
    for line in text.lines() {
        let begins = |mark: &str| line.strip_prefix(mark).map(|path| absolute(cwd, path.trim()));
        let file = |creates, deletes| FilePatch { hunks: vec![PatchHunk::default()], creates, deletes };
        if let Some(path) = begins("*** Update File: ") {
            finish(&mut current);
            current = Some((path, file(false, false)));
        } else if let Some(path) = begins("*** Add File: ") {
            finish(&mut current);
            current = Some((path, file(true, false)));
        } else if let Some(path) = begins("*** Delete File: ") {
            finish(&mut current);
            current = Some((path, file(false, true)));
        } else if line.starts_with("*** End of File") {
        } else if line.starts_with("*** ") {
            // A move writes another file, and what is meant by anything else is not known.
            if !line.starts_with("*** Begin") {
                finish(&mut current);
            }
        } else if let Some((_, patch)) = &mut current {
            if line.starts_with("@@") {
                patch.hunks.push(PatchHunk::default());
                continue;
            }
            let Some(hunk) = patch.hunks.last_mut() else { continue };
            match line.split_at_checked(1) {
                Some(("-", rest)) => hunk.old.push(rest.to_owned()),
                Some(("+", rest)) => hunk.new.push(rest.to_owned()),
                other => {
                    let rest = other.map_or("", |(_, rest)| rest);
                    hunk.old.push(rest.to_owned());
                    hunk.new.push(rest.to_owned());
                }
            }
        }
    }
    finish(&mut current);
    for write in &mut out {
        if let How::Patch(patch) = &mut write.how {
            patch.hunks.retain(|hunk| !hunk.old.is_empty() || !hunk.new.is_empty());
        }
    }
    out
}
