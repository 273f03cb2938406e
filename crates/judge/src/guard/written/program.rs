//! Commands that write files: redirections, `tee`, `sed -i`, `cp`, `mv`, `rm`, patches.

use coroner_read::shell::{self, Invocation, RedirectKind, Stdin, Word};

use super::{How, Write, patch, perl, sed};
use crate::effect::Effects;
use crate::effect::options::{Options, Order};

/// Options of `cp`, `mv` and `install` that take a value.
const COPY_VALUED: &[&str] =
    &["-t", "--target-directory", "-S", "--suffix", "-m", "--mode", "-o", "--owner", "-g", "--group"];

pub(super) fn plan(effects: &Effects) -> Vec<Write> {
    let mut out = Vec::new();
    let mut seen: Vec<&Invocation> = Vec::new();
    for call in effects.script.invocations.iter().filter(|call| call.is_local()) {
        // The same command stands once for each world in which it may run.
        let same = |other: &&&Invocation| {
            other.span == call.span
                && other.argv == call.argv
                && other.stdin == call.stdin
                && other.cwd == call.cwd
                && other.redirects == call.redirects
        };
        if seen.iter().rev().take(16).any(|other| same(&other)) {
            continue;
        }
        seen.push(call);
        of_redirects(call, &mut out);
        of_program(call, &mut out);
    }
    out
}

fn at(call: &Invocation, word: &Word) -> Option<String> {
    let path = shell::join(&call.cwd, word);
    path.as_literal().filter(|p| p.starts_with('/')).map(str::to_owned)
}

fn push(call: &Invocation, file: &Word, how: How, opening: Option<usize>, out: &mut Vec<Write>) {
    if let Some(path) = at(call, file).filter(|path| !path.starts_with("/dev/")) {
        out.push(Write { path, how, program: call.program().to_owned(), opening });
    }
}

fn of_redirects(call: &Invocation, out: &mut Vec<Write>) {
    for redirect in call.redirects.iter().filter(|r| r.stream == 1) {
        let append = match redirect.kind {
            RedirectKind::Write => false,
            RedirectKind::Append => true,
            RedirectKind::Read => continue,
        };
        let how = match output(call) {
            Printed::Text(text) if append => How::Append(text),
            Printed::Text(text) => How::Text(text),
            Printed::Files(from) => How::Copy { from, append },
            Printed::Filtered { from, filter } => How::Filtered { from, filter, append },
            Printed::Unknown => How::Unknown,
        };
        push(call, &redirect.target, how, Some(redirect.opening), out);
    }
}

/// What a command prints.
enum Printed {
    Text(String),
    Files(Vec<String>),
    Filtered { from: String, filter: Vec<Word> },
    Unknown,
}

fn output(call: &Invocation) -> Printed {
    if matches!(call.program(), ":" | "true") || call.argv.is_empty() {
        return Printed::Text(String::new());
    }
    if let Some(word) = shell::printed(call) {
        return word.as_literal().map_or(Printed::Unknown, |text| Printed::Text(text.to_owned()));
    }
    if call.program() == "cat" {
        let operands: Vec<&Word> = call.argv.iter().skip(1).collect();
        let plain = operands.iter().all(|w| !w.prefix().starts_with('-'));
        let files: Option<Vec<String>> = match (&call.stdin, operands.as_slice()) {
            (Stdin::File(file), []) => at(call, file).map(|path| vec![path]),
            (_, []) => None,
            _ => operands.iter().map(|word| at(call, word)).collect(),
        };
        if let Some(files) = files.filter(|_| plain) {
            return Printed::Files(files);
        }
    }
    if matches!(call.program(), "grep" | "egrep" | "fgrep" | "sed" | "gsed" | "head" | "tail" | "awk" | "cut" | "sort")
        && let Some((from, filter)) = filter(call)
    {
        return Printed::Filtered { from, filter };
    }
    Printed::Unknown
}

/// The file that a filter reads, and the filter without it.
fn filter(call: &Invocation) -> Option<(String, Vec<Word>)> {
    if let Stdin::File(file) = &call.stdin {
        return Some((at(call, file)?, call.argv.clone()));
    }
    let (last, front) = call.argv.split_last().filter(|_| matches!(call.stdin, Stdin::Inherited))?;
    let operands = front.iter().skip(1).filter(|w| !w.prefix().starts_with('-')).count();
    (operands > 0 || front.len() > 1).then_some(())?;
    Some((at(call, last).filter(|_| !last.prefix().starts_with('-'))?, front.to_vec()))
}

fn of_program(call: &Invocation, out: &mut Vec<Write>) {
    let words = call.argv.get(1..).unwrap_or_default();
    match call.program() {
        "tee" => tee(call, words, out),
        "sed" | "gsed" => {
            if let Some((script, files)) = sed::in_place(words) {
                for file in files {
                    push(call, file, script.clone().map_or(How::Unknown, How::Sed), None, out);
                }
            }
        }
        "perl" => {
            if let Some((script, files)) = perl::in_place(words) {
                for file in files {
                    push(call, file, script.clone().map_or(How::Unknown, How::Sed), None, out);
                }
            }
        }
        "cp" | "mv" | "install" => copied(call, words, out),
        "rm" | "unlink" | "trash" => {
            let options = Options::read(words, &[], Order::Mixed);
            options.operands.iter().for_each(|file| push(call, file, How::Gone, None, out));
        }
        "truncate" => {
            let options = Options::read(words, &["-s", "--size", "-r", "--reference"], Order::Mixed);
            options.operands.iter().for_each(|file| push(call, file, How::Opened, None, out));
        }
        "dd" => {
            let to = words.iter().filter_map(|w| w.as_literal()?.strip_prefix("of="));
            to.for_each(|file| push(call, &Word::literal(file), How::Unknown, None, out));
        }
        "git" | "patch" | "apply_patch" | "applypatch" => out.extend(patch::of_command(call)),
        _ => {}
    }
}

fn tee(call: &Invocation, words: &[Word], out: &mut Vec<Write>) {
    let options = Options::read(words, &[], Order::Mixed);
    let append = options.has(&["-a", "--append"]);
    let how = match &call.stdin {
        Stdin::Text(word) => match word.as_literal() {
            Some(text) if append => How::Append(text.to_owned()),
            Some(text) => How::Text(text.to_owned()),
            None => How::Unknown,
        },
        Stdin::File(file) => at(call, file).map_or(How::Unknown, |from| How::Copy { from: vec![from], append }),
        Stdin::Output(_) | Stdin::Inherited => How::Unknown,
    };
    options.operands.iter().for_each(|file| push(call, file, how.clone(), None, out));
}

/// `cp FROM TO`, `mv FROM TO`, `cp FILES DIRECTORY`; which of the two a last word is, the state says.
fn copied(call: &Invocation, words: &[Word], out: &mut Vec<Write>) {
    let options = Options::read(words, COPY_VALUED, Order::Mixed);
    if options.has(&["-n", "--no-clobber"]) || options.has(&["-d", "--directory"]) && call.program() == "install" {
        return;
    }
    let (sources, target, inside) = match (options.value(&["-t", "--target-directory"]), options.operands.as_slice()) {
        (Some(directory), sources) => (sources, directory.clone(), true),
        (None, [sources @ .., target]) if !sources.is_empty() => (sources, target.clone(), sources.len() > 1),
        _ => return,
    };
    let slashed = target.suffix().ends_with('/') || matches!(target.as_literal(), Some("." | ".."));
    for source in sources {
        let Some(from) = at(call, source) else { continue };
        let how = How::Copy { from: vec![from.clone()], append: false };
        if !inside && !slashed {
            push(call, &target, how.clone(), None, out);
        }
        let name = from.trim_end_matches('/').rsplit('/').next().unwrap_or_default().to_owned();
        push(call, &shell::join(&target, &Word::literal(name)), how, None, out);
    }
    if call.program() == "mv" {
        sources.iter().for_each(|source| push(call, source, How::Gone, None, out));
    }
}
