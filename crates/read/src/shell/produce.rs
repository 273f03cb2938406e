//! What commands print, where it follows from their words alone.

use super::path;
use super::word::{Part, Word};
use super::world::World;
use super::{Stdin, program_of};

/// Whether a command never prints anything, whatever its arguments.
pub(crate) fn is_silent(argv: &[Word]) -> bool {
    matches!(program_of(argv), "true" | "false" | ":" | "test" | "[" | "sleep" | "exit" | "return" | "shift" | "wait")
}

/// The output of a command, or `None` where it depends on the world.
pub(crate) fn output(argv: &[Word], world: &World, stdin: &Stdin) -> Option<Word> {
    let rest = argv.get(1..)?;
    match program_of(argv) {
        "echo" => Some(echo(rest)),
        "printf" => printf(rest),
        "pwd" => Some(line(world.cwd.clone())),
        "dirname" => Some(line(directory(operand(rest)?))),
        "basename" => Some(line(base(operand(rest)?, rest.get(1))?)),
        "realpath" => Some(line(path::join(&world.cwd, operand(rest)?))),
        "readlink" if rest.first()?.as_literal()?.starts_with("-f") => Some(line(path::join(&world.cwd, rest.get(1)?))),
        "which" => Some(line(operand(rest)?.clone())),
        "command" | "type" if matches!(rest.first()?.as_literal()?, "-v" | "-p" | "-P") => {
            Some(line(rest.get(1)?.clone()))
        }
        "mktemp" => Some(line(Word::literal("/tmp/tmp.mktemp"))),
        "cat" => cat(rest, stdin),
        "tee" => text_of(stdin),
        // Without a command of its own it prints the words that it reads on one line.
        "xargs" if rest.iter().all(|w| w.prefix().starts_with('-') || w.as_literal() == Some("\\n")) => {
            let text = text_of(stdin)?;
            let words = crate::compose::split_words(text.as_literal()?);
            Some(line(Word::literal(words.join(" "))))
        }
        _ => {
            let text = text_of(stdin)?;
            super::decode::filtered(argv, text.as_literal()?).map(Word::literal)
        }
    }
}

fn text_of(stdin: &Stdin) -> Option<Word> {
    match stdin {
        Stdin::Text(text) => Some(text.clone()),
        _ => None,
    }
}

/// `cat` of its input, and of files that stand for what commands print.
fn cat(words: &[Word], stdin: &Stdin) -> Option<Word> {
    // `-s` and its like change nothing of a command.
    let files = || words.iter().filter(|w| w.as_literal() == Some("-") || !w.prefix().starts_with('-'));
    if files().next().is_none() {
        return text_of(stdin);
    }
    let mut out = Word::default();
    for word in files() {
        match word.prefix().strip_prefix(super::carrier::PROCESS_FILE) {
            Some(rest) => {
                out.push_text(rest);
                word.parts.iter().skip(1).for_each(|p| out.push(p.clone()));
                out.push_text("\n");
            }
            None if matches!(word.as_literal(), Some("-" | "/dev/stdin" | "/dev/fd/0" | "/proc/self/fd/0")) => {
                out.extend(text_of(stdin)?)
            }
            None => return None,
        }
    }
    Some(out)
}

/// The word without the newlines that a substitution takes off.
pub(crate) fn without_last_newlines(word: &Word) -> Word {
    let mut word = word.clone();
    if let Some(Part::Text(text)) = word.parts.last_mut() {
        text.truncate(text.trim_end_matches('\n').len());
        if text.is_empty() {
            word.parts.pop();
        }
    }
    word
}

fn line(mut word: Word) -> Word {
    word.push_text("\n");
    word
}

/// The first word that is no option.
fn operand(words: &[Word]) -> Option<&Word> {
    words.iter().find(|w| !w.prefix().starts_with('-'))
}

fn echo(words: &[Word]) -> Word {
    let is_option = |w: &&Word| matches!(w.as_literal(), Some("-n" | "-e" | "-E" | "-ne" | "-en"));
    let options: Vec<&Word> = words.iter().take_while(is_option).collect();
    let decodes = options.iter().any(|w| w.prefix().contains('e'));
    let silent = options.iter().any(|w| w.prefix().contains('n'));
    let mut out = Word::default();
    for (i, word) in words.iter().skip(options.len()).enumerate() {
        if i > 0 {
            out.push_text(" ");
        }
        for part in &word.parts {
            match part {
                Part::Text(text) if decodes => out.push_text(&super::expand::ansi(text)),
                other => out.push(other.clone()),
            }
        }
    }
    if silent { out } else { line(out) }
}

/// `printf` with `%s`, `%b` and `%q`, the format used again for further words.
fn printf(words: &[Word]) -> Option<Word> {
    let words = match words.first()?.as_literal() {
        Some("-v") => return Some(Word::default()),
        Some("--") => &words[1..],
        _ => words,
    };
    let format = super::expand::ansi(words.first()?.as_literal()?);
    let mut arguments = words[1..].iter();
    let mut out = Word::default();
    loop {
        let before = arguments.len();
        let mut rest = format.as_str();
        while let Some(at) = rest.find('%') {
            out.push_text(&rest[..at]);
            rest = &rest[at + 1..];
            match rest.chars().next()? {
                '%' => out.push_text("%"),
                's' | 'b' | 'q' | 'd' => out.extend(arguments.next().cloned().unwrap_or_default()),
                _ => return None,
            }
            rest = &rest[1..];
        }
        out.push_text(rest);
        if arguments.len() == 0 || arguments.len() == before {
            return Some(out);
        }
    }
}

fn directory(path: &Word) -> Word {
    let mut parts = path::components(path);
    let absolute = path.prefix().starts_with('/');
    if parts.len() <= 1 {
        return Word::literal(if absolute { "/" } else { "." });
    }
    parts.pop();
    let mut out = Word::default();
    for (i, part) in parts.into_iter().enumerate() {
        if absolute || i > 0 {
            out.push_text("/");
        }
        out.extend(part);
    }
    out
}

fn base(path: &Word, suffix: Option<&Word>) -> Option<Word> {
    let last = path::components(path).pop()?;
    let (Some(text), Some(suffix)) = (last.as_literal(), suffix.and_then(Word::as_literal)) else { return Some(last) };
    Some(Word::literal(text.strip_suffix(suffix).unwrap_or(text)))
}
