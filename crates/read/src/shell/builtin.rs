//! The commands of the shell itself, as far as they change what follows.

#![allow(clippy::result_large_err, reason = "the world goes back to the caller, it is no error on its way up")]

use super::path;
use super::walk::Walker;
use super::word::{Unknown, Word};
use super::world::{Flow, Frame, Value, World};
use super::{Carrier, Stdin};

/// Most lines of known text that `read` is followed through.
const READ_LINES_MAX: usize = 8;

/// Whether a command takes assignments as arguments.
pub(crate) fn declares(name: &str) -> bool {
    matches!(name, "export" | "declare" | "local" | "typeset" | "readonly")
}

/// Follows a builtin; gives the world back where the name is none.
pub(crate) fn run(
    walker: &mut Walker<'_>,
    name: &str,
    argv: &[Word],
    mut world: World,
    frame: &Frame,
) -> Result<Flow, World> {
    let rest = &argv[1..];
    Ok(match name {
        "cd" | "chdir" => change_directory(walker, rest, world),
        "pushd" => {
            let before = world.cwd.clone();
            let mut flow = change_directory(walker, rest, world);
            flow.ok.iter_mut().for_each(|w| w.stack.push(before.clone()));
            flow
        }
        "popd" => {
            if let Some(back) = world.stack.pop() {
                world.previous = Some(std::mem::replace(&mut world.cwd, back));
            }
            Flow::ok(world)
        }
        "true" | ":" => Flow::ok(world),
        "false" => Flow { fail: vec![world], ..Flow::default() },
        "shopt" | "test" | "[" | "let" | "wait" | "jobs" | "ulimit" | "umask" | "hash" | "bind" | "break"
        | "continue" | "getopts" => Flow::either(world),
        "exit" | "logout" => Flow::default(),
        "return" => {
            match walker.returned.last_mut() {
                Some(worlds) => worlds.push(world),
                None => return Ok(Flow::either(world)),
            }
            Flow::default()
        }
        _ if declares(name) => Flow::either(world),
        "unset" => {
            for name in rest.iter().filter_map(Word::as_literal) {
                world.vars.remove(name);
                world.functions.remove(name);
            }
            Flow::ok(world)
        }
        "set" => {
            if let Some(at) = rest.iter().position(|w| w.as_literal() == Some("--")) {
                world.arguments.truncate(1);
                world.arguments.resize(1, Word::literal("bash"));
                world.arguments.extend(rest[at + 1..].iter().cloned());
            }
            Flow::ok(world)
        }
        "shift" => {
            let count = rest.first().and_then(Word::as_literal).and_then(|n| n.parse().ok()).unwrap_or(1usize);
            let end = (1 + count).min(world.arguments.len());
            world.arguments.drain(1.min(end)..end);
            Flow::ok(world)
        }
        "read" | "mapfile" | "readarray" => read(rest, name != "read", world, frame),
        "alias" => {
            for word in rest.iter().filter_map(Word::as_literal) {
                if let Some((name, text)) = word.split_once('=') {
                    world.aliases.insert(name.to_owned(), text.to_owned());
                }
            }
            Flow::ok(world)
        }
        "unalias" => {
            for name in rest.iter().filter_map(Word::as_literal) {
                world.aliases.remove(name);
            }
            Flow::ok(world)
        }
        "eval" => evaluate(walker, rest, world, frame),
        "trap" => trap(walker, rest, world, frame),
        "source" | "." => return source(walker, rest, world, frame),
        _ => return Err(world),
    })
}

fn change_directory(walker: &Walker<'_>, rest: &[Word], world: World) -> Flow {
    let operand = rest.iter().find(|w| !matches!(w.as_literal(), Some("-P" | "-L" | "-e" | "-@" | "--" | "-n")));
    let target = match operand {
        None => walker.variable("HOME", &world),
        Some(word) if word.as_literal() == Some("-") => {
            world.previous.clone().unwrap_or_else(|| Word::unknown(Unknown::Variable("OLDPWD".into())))
        }
        Some(word) => path::join(&world.cwd, word),
    };
    let mut failed = world.clone();
    failed.doubtful = true;
    let mut moved = world;
    moved.previous = Some(std::mem::replace(&mut moved.cwd, target));
    Flow { ok: vec![moved], fail: vec![failed], output: None }
}

/// `eval` runs its words, joined, in this very shell.
fn evaluate(walker: &mut Walker<'_>, rest: &[Word], mut world: World, frame: &Frame) -> Flow {
    let mut text = String::new();
    for word in rest {
        text.push_str(&walker.raw_text(word, &mut world));
        text.push(' ');
    }
    walker.text(&text, world, &frame.through(Carrier::Shell { program: "eval".into() }))
}

/// A trap's text runs later, in the shell that set it.
fn trap(walker: &mut Walker<'_>, rest: &[Word], mut world: World, frame: &Frame) -> Flow {
    let action = rest.iter().find(|w| w.as_literal() != Some("--"));
    if let Some(action) = action.filter(|w| rest.len() > 1 && !matches!(w.as_literal(), Some("-" | "" | "-p" | "-l"))) {
        let text = walker.raw_text(action, &mut world);
        let later = Frame { conditional: true, ..frame.through(Carrier::Shell { program: "trap".into() }) };
        walker.text(&text, world.clone(), &later);
    }
    Flow::ok(world)
}

fn source(walker: &mut Walker<'_>, rest: &[Word], world: World, frame: &Frame) -> Result<Flow, World> {
    let Some(file) = rest.first() else { return Err(world) };
    let full = path::join(&world.cwd, file);
    let text = full.as_literal().and_then(|path| walker.context.files.get(path)).cloned();
    match (text, full.as_literal()) {
        (Some(text), Some(path)) => {
            let carrier = Carrier::Script { path: path.to_owned() };
            let flow = walker.text(&text, world, &frame.through(carrier));
            Ok(Flow { output: None, ..flow })
        }
        (None, Some(path)) => {
            walker.script.wanted.push(super::Wanted { path: path.to_owned(), shell: true });
            Ok(Flow::either(world))
        }
        _ => Ok(Flow::either(world)),
    }
}

/// `read` sets its variables to a line of the standard input.
fn read(rest: &[Word], whole: bool, world: World, frame: &Frame) -> Flow {
    let mut names: Vec<String> = Vec::new();
    let mut skip = false;
    for word in rest.iter().filter_map(Word::as_literal) {
        if std::mem::take(&mut skip) {
            continue;
        }
        match word.strip_prefix('-') {
            Some(options) => skip = options.ends_with(['d', 'n', 'N', 'p', 't', 'u', 'i', 'a', 'O']),
            None => names.push(word.to_owned()),
        }
    }
    // `-a NAME` takes its name as a value.
    if let Some(at) = rest.iter().position(|w| w.prefix().starts_with('-') && w.prefix().ends_with('a')) {
        names.extend(rest.get(at + 1).and_then(Word::as_literal).map(str::to_owned));
    }
    if names.is_empty() {
        names.push(if whole { "MAPFILE" } else { "REPLY" }.to_owned());
    }
    let values: Vec<Word> = match &frame.stdin {
        Stdin::Text(text) => match text.as_literal() {
            Some(text) => text.lines().take(READ_LINES_MAX).map(|line| Word::literal(line.trim())).collect(),
            None => vec![text.clone()],
        },
        Stdin::Output(commands) => vec![Word::unknown(Unknown::Output(commands.clone()))],
        Stdin::File(_) | Stdin::Inherited => vec![Word::unknown(Unknown::Variable(names[0].clone()))],
    };
    if whole {
        let mut world = world;
        let items = values.into_iter().enumerate().map(|(i, word)| (i.to_string(), word)).collect();
        world.vars.insert(names[0].clone(), Value::Array(items));
        return Flow::ok(world);
    }
    let mut flow = Flow { fail: vec![world.clone()], ..Flow::default() };
    for value in values {
        let mut line = world.clone();
        let fields: Vec<Word> = match value.as_literal() {
            Some(text) if names.len() > 1 => text.split_whitespace().map(Word::literal).collect(),
            _ => vec![value.clone(); names.len()],
        };
        for (i, name) in names.iter().enumerate() {
            line.set(name, fields.get(i).cloned().unwrap_or_default());
        }
        flow.ok.push(line);
    }
    flow
}
