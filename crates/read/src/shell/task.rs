//! Task runners: `make`, `npm run`, `just`, `poe`, `composer`, `task`: the commands behind a name.

#![allow(clippy::result_large_err, reason = "the world goes back to the caller, it is no error on its way up")]

use super::carrier::split_options;
use super::walk::Walker;
use super::word::Word;
use super::world::{Flow, Frame, World};
use super::{Carrier, Stdin, path, program_of};

mod just;
mod make;
mod manifest;

/// A task that was found: the texts that a shell is given, in their order.
pub(crate) type Texts = Vec<String>;

/// Most texts of one call that are followed.
const TEXTS_MAX: usize = 64;

/// How a runner was asked to do it.
struct Call {
    /// The directory that it works in.
    directory: Word,
    /// Whether the call does something of its own beside.
    also: bool,
}

/// Follows a task; gives the world back where the program runs none, or its file is not at hand.
pub(crate) fn unwrap(walker: &mut Walker<'_>, argv: &[Word], world: World, frame: &Frame) -> Result<Flow, World> {
    let read = match program_of(argv) {
        "make" | "gmake" => make::read,
        "just" => just::read,
        "npm" | "pnpm" | "yarn" | "bun" | "node" => manifest::package,
        "composer" => manifest::composer,
        "poe" | "pdm" => manifest::pyproject,
        "task" | "go-task" => manifest::taskfile,
        "deno" => manifest::deno,
        _ => return Err(world),
    };
    let Some((call, texts)) = read(walker, &argv[1..], &world, frame) else { return Err(world) };
    let name = program_of(argv).to_owned();
    let inside = Frame { stdin: Stdin::Inherited, ..frame.through(Carrier::Script { path: name.clone() }) };
    let there = World { cwd: call.directory.clone(), arguments: vec![Word::literal(name)], ..world.clone() };
    for text in texts.into_iter().take(TEXTS_MAX) {
        walker.text(&text, there.clone(), &inside);
    }
    if call.also { Err(world) } else { Ok(Flow::either(world)) }
}

/// The first of several files in a directory that is at hand; all of them are wanted.
fn first_file(walker: &mut Walker<'_>, directory: &Word, names: &[&str]) -> Option<String> {
    names.iter().find_map(|name| {
        let full = path::join(directory, &Word::literal(*name));
        walker.file(full.as_literal()?, false)
    })
}

/// The text of the file that was named, or of the standard input.
fn named_file(walker: &mut Walker<'_>, file: &Word, directory: &Word, frame: &Frame) -> Option<String> {
    if let Some(text) = super::carrier::printed(file, frame) {
        return text.as_literal().map(str::to_owned);
    }
    if file.as_literal() == Some("/dev/null") {
        return Some(String::new());
    }
    if file.as_literal() == Some("-") {
        return match &frame.stdin {
            Stdin::Text(text) => text.as_literal().map(str::to_owned),
            _ => None,
        };
    }
    walker.file(path::join(directory, file).as_literal()?, false)
}

/// Options, and everything else in order, options anywhere.
fn sorted<'w>(words: &'w [Word], valued: &[&str]) -> (Vec<(&'w str, Option<&'w Word>)>, Vec<&'w Word>) {
    let mut options = Vec::new();
    let mut operands = Vec::new();
    let mut rest = words;
    loop {
        let (more, tail) = split_options(rest, valued);
        options.extend(more);
        match tail.split_first() {
            Some((first, tail)) => {
                operands.push(first);
                rest = tail;
            }
            None => return (options, operands),
        }
    }
}

/// The value of an option, separate, attached or behind `=`.
fn value_of(options: &[(&str, Option<&Word>)], names: &[&str]) -> Option<Word> {
    options.iter().rev().find_map(|(option, value)| {
        names.iter().find_map(|name| {
            if option == name {
                return value.cloned();
            }
            let rest = option.strip_prefix(name)?;
            match rest.strip_prefix('=') {
                Some(value) => Some(Word::literal(value)),
                None => (!name.starts_with("--") && !rest.is_empty()).then(|| Word::literal(rest)),
            }
        })
    })
}
