//! The commands of the shell itself, as far as they change what follows.

#![allow(clippy::result_large_err, reason = "the world goes back to the caller, it is no error on its way up")]

use super::carrier;
use super::path;
use super::walk::Walker;
use super::word::{Unknown, Word};
use super::world::{EXPORTED_MAX, Flow, Frame, Value, World};
use super::{Carrier, Stdin};

/// Most lines of known text that `read` is followed through.
const READ_LINES_MAX: usize = 8;

/// Whether a command takes assignments as arguments.
pub(crate) fn declares(name: &str) -> bool {
    matches!(name, "export" | "declare" | "local" | "typeset" | "readonly")
}

/// `export NAME …`: what follows is given the variable too; `-n` takes it back.
fn export(rest: &[Word], world: &mut World) {
    let back = rest.iter().any(|w| w.as_literal() == Some("-n"));
    for name in rest.iter().filter_map(Word::as_literal).filter(|w| !w.starts_with('-')) {
        // What a substitution printed holds its values with the names.
        let name = match name.split_once('=') {
            Some((name, value)) => {
                world.set(name, Word::literal(value));
                name
            }
            None => name,
        };
        if back {
            world.exported.remove(name);
        } else if world.exported.len() < EXPORTED_MAX {
            world.exported.insert(name.to_owned());
        }
    }
}

/// `set -a`, `set +a`, `set -o allexport` and `set +o allexport`.
fn switch_export(rest: &[Word], world: &mut World) {
    let words: Vec<&str> = rest.iter().filter_map(Word::as_literal).take_while(|w| *w != "--").collect();
    for (index, word) in words.iter().enumerate() {
        let on = word.starts_with('-');
        let cluster = (on || word.starts_with('+')) && word[1..].chars().all(|c| c.is_ascii_alphabetic());
        let by_name = cluster && word.ends_with('o') && words.get(index + 1) == Some(&"allexport");
        if cluster && (word.contains('a') || by_name) {
            world.exports_all = on;
        }
    }
}

/// `declare -p NAME`: shows a variable and changes none.
fn is_printed(rest: &[Word]) -> bool {
    rest.first().is_some_and(|w| w.prefix().starts_with('-') && w.prefix().contains('p'))
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
        // Without an assignment it prints what there is.
        _ if declares(name)
            && (rest.is_empty() || rest.iter().all(|w| w.prefix().starts_with('-')) || is_printed(rest)) =>
        {
            walker.emit(argv.to_vec(), world, frame)
        }
        _ if declares(name) => {
            // A reference stands for what it names now.
            if rest.iter().any(|w| w.as_literal() == Some("-n")) {
                for name in rest.iter().filter_map(Word::as_literal) {
                    let target = walker.variable(name, &world).as_literal().map(str::to_owned);
                    if let Some(target) = target.filter(|t| world.vars.contains_key(t)) {
                        let value = walker.variable(&target, &world);
                        world.set(name, value);
                    }
                }
            }
            if name == "export" || rest.iter().any(|w| w.as_literal() == Some("-x")) {
                export(rest, &mut world);
            }
            Flow::either(world)
        }
        "printf" if rest.first().and_then(Word::as_literal) == Some("-v") => {
            let text =
                super::produce::output(&[&argv[..1], rest.get(2..).unwrap_or_default()].concat(), &world, &frame.stdin);
            if let (Some(name), Some(text)) = (rest.get(1).and_then(Word::as_literal), text) {
                world.set(name, text);
            }
            Flow::ok(world)
        }
        "unset" => {
            for name in rest.iter().filter_map(Word::as_literal) {
                world.exported.remove(name);
                world.vars.remove(name);
                world.functions.remove(name);
            }
            Flow::ok(world)
        }
        "set" if rest.is_empty() => walker.emit(argv.to_vec(), world, frame),
        "set" => {
            if let Some(at) = rest.iter().position(|w| w.as_literal() == Some("--")) {
                world.arguments.truncate(1);
                world.arguments.resize(1, Word::literal("bash"));
                world.arguments.extend(rest[at + 1..].iter().cloned());
            }
            switch_export(rest, &mut world);
            Flow::ok(world)
        }
        "shift" => {
            let count = rest.first().and_then(Word::as_literal).and_then(|n| n.parse().ok()).unwrap_or(1usize);
            let end = (1 + count).min(world.arguments.len());
            world.arguments.drain(1.min(end)..end);
            Flow::ok(world)
        }
        "read" => read(rest, world, frame),
        "mapfile" | "readarray" => map_lines(rest, world, frame),
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

/// `source FILE` runs a text in this very shell: a file, or what a command prints.
fn source(walker: &mut Walker<'_>, rest: &[Word], world: World, frame: &Frame) -> Result<Flow, World> {
    let Some(file) = rest.first() else { return Err(world) };
    if let Some(text) = carrier::printed(file, frame) {
        let mut world = world;
        let text = walker.raw_text(&text, &mut world);
        return Ok(walker.text(&text, world, &frame.through(Carrier::Shell { program: "source".into() })));
    }
    let full = path::join(&world.cwd, file);
    let Some(path) = full.as_literal() else { return Ok(Flow::either(world)) };
    match walker.file(path, true) {
        Some(text) => {
            let carrier = Carrier::Script { path: path.to_owned() };
            let flow = walker.text(&text, world, &frame.through(carrier));
            Ok(Flow { output: None, ..flow })
        }
        None => Ok(Flow::either(world)),
    }
}

/// The variables that `read` or `mapfile` names, and the one that `-a` names.
fn names_of(rest: &[Word], valued: &[char]) -> (Vec<String>, Option<String>) {
    let mut names: Vec<String> = Vec::new();
    let mut array = None;
    let mut pending = None;
    for word in rest.iter().filter_map(Word::as_literal) {
        match (pending.take(), word.strip_prefix('-')) {
            (Some('a'), _) => array = Some(word.to_owned()),
            (Some(_), _) => {}
            (None, Some(options)) => pending = options.chars().last().filter(|c| valued.contains(c)),
            (None, None) => names.push(word.to_owned()),
        }
    }
    (names, array)
}

/// The lines of the standard input, as far as they are known.
fn lines_of(stdin: &Stdin, name: &str) -> Vec<Word> {
    match stdin {
        Stdin::Text(text) => match text.as_literal() {
            Some(text) => text.lines().take(READ_LINES_MAX).map(|line| Word::literal(line.trim())).collect(),
            None => vec![super::produce::without_last_newlines(text)],
        },
        Stdin::Output(commands) => vec![Word::unknown(Unknown::Output(commands.clone()))],
        Stdin::File(_) | Stdin::Inherited => vec![Word::unknown(Unknown::Variable(name.to_owned()))],
    }
}

fn array_of(words: impl IntoIterator<Item = Word>) -> Value {
    Value::Array(words.into_iter().enumerate().map(|(i, word)| (i.to_string(), word)).collect())
}

/// `mapfile` makes an array of the lines of the standard input.
fn map_lines(rest: &[Word], mut world: World, frame: &Frame) -> Flow {
    let (names, _) = names_of(rest, &['d', 'n', 'O', 's', 'u', 'C', 'c']);
    let name = names.first().cloned().unwrap_or_else(|| "MAPFILE".to_owned());
    let lines = array_of(lines_of(&frame.stdin, &name));
    world.vars.insert(name, lines);
    Flow::ok(world)
}

/// `read` sets its variables to a line of the standard input.
fn read(rest: &[Word], world: World, frame: &Frame) -> Flow {
    let (mut names, array) = names_of(rest, &['a', 'd', 'n', 'N', 'p', 't', 'u', 'i']);
    if names.is_empty() {
        names.push("REPLY".to_owned());
    }
    let mut flow = Flow { fail: vec![world.clone()], ..Flow::default() };
    for value in lines_of(&frame.stdin, array.as_ref().unwrap_or(&names[0])) {
        let mut line = world.clone();
        let split = |text: &str| text.split_whitespace().map(Word::literal).collect::<Vec<_>>();
        if let Some(array) = &array {
            let fields = value.as_literal().map_or_else(|| vec![value.clone()], split);
            line.vars.insert(array.clone(), array_of(fields));
            flow.ok.push(line);
            continue;
        }
        let mut fields = match value.as_literal() {
            Some(text) if names.len() > 1 => split(text),
            _ => vec![value.clone(); names.len()],
        };
        // The last variable takes the rest of the line.
        if fields.len() > names.len() {
            let rest: Vec<String> = fields.drain(names.len() - 1..).map(|w| w.show()).collect();
            fields.push(Word::literal(rest.join(" ")));
        }
        for (i, name) in names.iter().enumerate() {
            line.set(name, fields.get(i).cloned().unwrap_or_default());
        }
        flow.ok.push(line);
    }
    flow
}
