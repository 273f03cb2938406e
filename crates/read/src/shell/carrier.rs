//! Takes carriers off a command: `sudo`, `env`, `timeout`, `bash -c`, `ssh`, …
//!
//! A carrier's own options are data here: which of them take a value, and how
//! many operands come before the carried command.

#![allow(clippy::result_large_err, reason = "the world goes back to the caller, it is no error on its way up")]

use super::walk::Walker;
use super::word::{Part, Unknown, Word};
use super::world::{Flow, Frame, World};
use super::{Carrier, Stdin, escape, git, inner, interpret, path, prefix, program_of, schedule, task};

/// Whether a program reads shell text.
pub fn is_shell(name: &str) -> bool {
    matches!(name, "sh" | "bash" | "zsh" | "dash" | "ksh" | "ash" | "mksh" | "fish" | "rbash" | "pwsh" | "powershell")
}

/// Follows what a command carries; gives the world back where it carries nothing.
pub(crate) fn unwrap(walker: &mut Walker<'_>, argv: &[Word], world: World, frame: &Frame) -> Result<Flow, World> {
    let name = program_of(argv);
    escape::follow(walker, argv, &world, frame);
    if let Some(rest) = escape::rest_behind(argv) {
        return Ok(walker.dispatch(rest, world, &frame.through(Carrier::Wrapped { program: name.to_owned() })));
    }
    let read = match name {
        _ if is_shell(name) => return shell(walker, argv, world, frame),
        "sudo" | "doas" => return as_other(walker, argv, world, frame),
        "su" | "runuser" => return switch_user(walker, argv, world, frame),
        "env" | "cross-env" | "cross-env-shell" => return environment(walker, argv, world, frame),
        "xargs" | "parallel" => return arguments(walker, argv, world, frame),
        "find" | "fd" | "fdfind" => return found(walker, argv, world, frame),
        "ssh" => return remote(walker, argv, world, frame),
        "vim" | "vi" | "nvim" | "ex" => return editor(walker, argv, world, frame),
        "docker" | "podman" | "nerdctl" | "docker-compose" | "podman-compose" | "kubectl" | "oc" => {
            return container(walker, argv, world, frame);
        }
        "rimraf" => {
            let operands = argv.iter().skip(1).filter(|w| !w.prefix().starts_with('-')).cloned();
            let words = ["rm", "-rf"].into_iter().map(Word::literal).chain(operands).collect();
            return Ok(walker.dispatch(words, world, &frame.through(Carrier::Wrapped { program: "rimraf".into() })));
        }
        "chroot" | "nsenter" => return inner::enter(walker, argv, world, frame),
        "git" => git::unwrap(walker, argv, world, frame),
        "crontab" | "at" | "batch" | "tmux" | "screen" => schedule::unwrap(walker, argv, world, frame),
        _ if interpret::is_interpreter(name) => interpret::unwrap(walker, argv, world, frame),
        _ => Err(world),
    };
    let read = read.or_else(|world| task::unwrap(walker, argv, world, frame));
    let read = read.or_else(|world| prefix::unwrap(walker, argv, world, frame));
    read.or_else(|world| run_file(walker, argv, world, frame))
}

/// A program given by a path may be a script that can be read.
fn run_file(walker: &mut Walker<'_>, argv: &[Word], world: World, frame: &Frame) -> Result<Flow, World> {
    let is_path = argv.first().and_then(Word::as_literal).is_some_and(|name| {
        let directory = name.rsplit_once('/').map_or("", |(directory, _)| directory);
        name.contains('/') && !directory.ends_with("/bin") && !directory.ends_with("/sbin") && directory != "/dev/fd"
    });
    if is_path && walker.script_file(argv, false, &world, frame) {
        return Ok(Flow::either(world));
    }
    Err(world)
}

/// Splits options (with their values) from what follows them.
pub(crate) fn split_options<'w>(words: &'w [Word], valued: &[&str]) -> (Vec<(&'w str, Option<&'w Word>)>, &'w [Word]) {
    let mut options = Vec::new();
    let mut at = 0;
    while let Some(word) = words.get(at) {
        let text = word.prefix();
        if text == "--" {
            return (options, &words[at + 1..]);
        }
        if !text.starts_with('-') || text == "-" {
            break;
        }
        at += 1;
        let separate = if text.starts_with("--") {
            valued.contains(&text)
        } else {
            // `-u root` and `-Eu root`, but not `-uroot`.
            let last = text.len() - text.chars().next_back().map_or(0, char::len_utf8);
            let valued_at = text.char_indices().skip(1).find(|(_, c)| valued.contains(&format!("-{c}").as_str()));
            valued_at.is_some_and(|(i, _)| i == last)
        };
        let value = if separate { words.get(at) } else { None };
        at += usize::from(separate);
        options.push((text, value));
    }
    (options, words.get(at..).unwrap_or_default())
}

fn is_assignment(word: &Word) -> Option<(String, Word)> {
    let (name, value) = word.prefix().split_once('=')?;
    let valid = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '.' || c == '-');
    if !valid || name.starts_with(|c: char| c.is_ascii_digit() || c == '-') {
        return None;
    }
    let mut rest = Word::literal(value);
    for part in word.parts.iter().skip(1) {
        rest.push(part.clone());
    }
    Some((name.to_owned(), rest))
}

fn take_assignments<'w>(words: &'w [Word], frame: &mut Frame) -> &'w [Word] {
    let mut rest = words;
    while let Some((assignment, tail)) = rest.split_first().and_then(|(w, tail)| Some((is_assignment(w)?, tail))) {
        frame.assignments.push(assignment);
        rest = tail;
    }
    rest
}

fn as_other(walker: &mut Walker<'_>, argv: &[Word], mut world: World, frame: &Frame) -> Result<Flow, World> {
    const VALUED: &[&str] = &[
        "-u",
        "--user",
        "-g",
        "--group",
        "-h",
        "--host",
        "-p",
        "--prompt",
        "-C",
        "--close-from",
        "-T",
        "--command-timeout",
        "-R",
        "--chroot",
        "-D",
        "--chdir",
        "-r",
        "--role",
        "-t",
        "--type",
        "-U",
        "--other-user",
    ];
    let (options, rest) = split_options(&argv[1..], VALUED);
    let value = |names: &[&str]| {
        options.iter().find_map(|(name, value)| {
            let exact = names.contains(name).then_some(*value).flatten().map(Word::show);
            exact.or_else(|| {
                names.iter().find_map(|n| name.strip_prefix(n)).map(|v| v.trim_start_matches('=').to_owned())
            })
        })
    };
    let user = value(&["--user", "-u"]).filter(|u| !u.is_empty()).unwrap_or_else(|| "root".to_owned());
    if let Some(directory) = value(&["--chdir", "-D"]).filter(|d| !d.is_empty()) {
        world.cwd = path::join(&world.cwd, &Word::literal(directory));
    }
    let mut inside = frame.through(Carrier::As { user });
    let rest = take_assignments(rest, &mut inside);
    if rest.is_empty() {
        // `echo … | sudo -s` feeds a shell.
        let shell = options.iter().any(|(name, _)| matches!(*name, "-s" | "-i" | "--shell" | "--login"));
        return if shell { fed(walker, &[Word::literal("bash")], world, &inside) } else { Err(world) };
    }
    Ok(walker.dispatch(rest.to_vec(), world, &inside))
}

fn switch_user(walker: &mut Walker<'_>, argv: &[Word], world: World, frame: &Frame) -> Result<Flow, World> {
    const VALUED: &[&str] = &["-c", "--command", "-g", "--group", "-G", "-s", "--shell", "-u", "--user", "-w"];
    let mut user = "root".to_owned();
    let mut text = None;
    let mut words = &argv[1..];
    // The user may stand between the options.
    while !words.is_empty() {
        let (options, rest) = split_options(words, VALUED);
        for (name, value) in options {
            match name {
                "-c" | "--command" | "-lc" => text = value.cloned().or(text),
                "-u" | "--user" => user = value.map(Word::show).unwrap_or_default(),
                _ => {}
            }
        }
        words = match rest.split_first() {
            Some((first, rest)) if first.as_literal() == Some("-") => rest,
            Some((first, rest))
                if text.is_none() && program_of(argv) == "su" || rest.first().is_some_and(|w| w.prefix() == "-c") =>
            {
                user = first.show();
                rest
            }
            _ => {
                words = rest;
                break;
            }
        };
    }
    let inside = frame.through(Carrier::As { user });
    match text {
        Some(text) => Ok(walker.run_text(&text, "su", world, &inside)),
        None if program_of(argv) == "runuser" && !words.is_empty() => {
            Ok(walker.dispatch(words.to_vec(), world, &inside))
        }
        None => fed(walker, argv, world, &inside),
    }
}

fn environment(walker: &mut Walker<'_>, argv: &[Word], mut world: World, frame: &Frame) -> Result<Flow, World> {
    const VALUED: &[&str] = &["-u", "--unset", "-C", "--chdir", "-S", "--split-string"];
    let (options, rest) = split_options(&argv[1..], VALUED);
    let mut inside = frame.through(Carrier::Wrapped { program: "env".into() });
    for (name, value) in &options {
        match (*name, value) {
            ("-C" | "--chdir", Some(directory)) => world.cwd = path::join(&world.cwd, directory),
            ("-S" | "--split-string", Some(text)) => {
                let mut line = walker.raw_text(text, &mut world);
                line.push(' ');
                line.push_str(&walker.as_text(rest, &mut world));
                return Ok(walker.text(&line, world, &inside));
            }
            _ => {}
        }
    }
    let rest = take_assignments(rest, &mut inside);
    if rest.is_empty() {
        return Err(world);
    }
    Ok(walker.dispatch(rest.to_vec(), world, &inside))
}

/// What the file behind a name such as `/dev/fd/63` or `/dev/stdin` holds.
pub(crate) fn printed(file: &Word, frame: &Frame) -> Option<Word> {
    if let Some(rest) = file.prefix().strip_prefix(PROCESS_FILE) {
        let mut text = Word::literal(rest);
        file.parts.iter().skip(1).for_each(|p| text.push(p.clone()));
        return Some(text);
    }
    if !matches!(file.as_literal(), Some("/dev/stdin" | "/dev/fd/0" | "/proc/self/fd/0")) {
        return None;
    }
    match &frame.stdin {
        Stdin::Text(text) => Some(text.clone()),
        Stdin::Output(commands) => Some(Word::unknown(Unknown::Output(commands.clone()))),
        Stdin::File(_) | Stdin::Inherited => None,
    }
}

/// How a file begins that stands for what a command prints.
pub(crate) const PROCESS_FILE: &str = "/dev/fd/63/";

/// Variables whose value is run by the programs that look at them.
const COMMAND_VARIABLES: &[&str] = &[
    "PROMPT_COMMAND",
    "PAGER",
    "GIT_PAGER",
    "MANPAGER",
    "EDITOR",
    "VISUAL",
    "GIT_EDITOR",
    "GIT_SEQUENCE_EDITOR",
    "GIT_SSH_COMMAND",
    "GIT_EXTERNAL_DIFF",
    "LESSOPEN",
];

/// Follows what assignments before a command make it run: an editor, a start-up file.
pub(crate) fn assigned(walker: &mut Walker<'_>, argv: &[Word], world: &World, frame: &Frame) {
    for (name, value) in frame.assignments.clone() {
        let inside = Frame { assignments: Vec::new(), ..frame.through(Carrier::Wrapped { program: name.clone() }) };
        if COMMAND_VARIABLES.contains(&name.as_str()) && value.prefix().contains(char::is_whitespace) {
            walker.run_text(&value, &name, world.clone(), &inside);
        }
        if matches!(name.as_str(), "BASH_ENV" | "ENV") && is_shell(program_of(argv)) {
            start_up(walker, &value, world, &inside);
        }
    }
}

/// A file that a shell reads before anything else.
fn start_up(walker: &mut Walker<'_>, file: &Word, world: &World, frame: &Frame) {
    match printed(file, frame) {
        Some(text) => drop(walker.run_text(&text, "bash", world.clone(), frame)),
        None => drop(walker.script_file(std::slice::from_ref(file), true, world, frame)),
    }
}

/// `bash -c TEXT`, `bash FILE`, `bash < text`.
fn shell(walker: &mut Walker<'_>, argv: &[Word], world: World, frame: &Frame) -> Result<Flow, World> {
    let mut at = 1;
    let mut takes_text = false;
    while let Some(word) = argv.get(at) {
        let text = word.prefix();
        if text == "--" || text == "-" {
            at += 1;
            break;
        }
        if !(text.starts_with('-') || text.starts_with('+')) {
            break;
        }
        at += 1;
        if text.starts_with("--") {
            if matches!(text, "--rcfile" | "--init-file") {
                if let Some(file) = argv.get(at).cloned() {
                    start_up(walker, &file, &world, frame);
                }
                at += 1;
            }
        } else {
            takes_text |= text.starts_with('-') && text.contains('c');
            if text.starts_with('-') && text.contains('n') {
                // It only checks the syntax.
                return Err(world);
            }
            // `-o pipefail`, `-euo pipefail`, `-O extglob`.
            at += usize::from(text.ends_with('o') || text.ends_with('O'));
        }
        if text == "-s" {
            return fed(walker, argv, world, frame);
        }
    }
    let program = program_of(argv).to_owned();
    let rest = argv.get(at..).unwrap_or_default();
    match rest.first() {
        Some(text) if takes_text => {
            let mut inside = world.clone();
            inside.functions.clear();
            inside.aliases.clear();
            inside.arguments = match rest.get(1..) {
                Some([]) | None => vec![Word::literal(program.clone())],
                Some(words) => words.to_vec(),
            };
            let output = walker.run_text(text, &program, inside, frame).output;
            Ok(Flow { output, ..Flow::either(world) })
        }
        Some(file) if opened(file, &world).is_some() => {
            let inside = Frame { stdin: opened(file, &world).unwrap_or_default(), ..frame.clone() };
            let command = [Word::literal(program)];
            fed(walker, &command, world, &inside).or_else(|world| Ok(walker.emit(command.to_vec(), world, &inside)))
        }
        Some(file) => {
            if let Some(text) = printed(file, frame) {
                let inside = World { arguments: rest.to_vec(), ..world.clone() };
                walker.run_text(&text, &program, inside, frame);
                return Ok(Flow::either(world));
            }
            if walker.script_file(rest, true, &world, frame) { Ok(Flow::either(world)) } else { Err(world) }
        }
        None => fed(walker, argv, world, frame),
    }
}

/// What a descriptor that is named as a file was opened to: `/dev/fd/3`, `/proc/self/fd/3`.
fn opened(file: &Word, world: &World) -> Option<Stdin> {
    let path = file.as_literal()?;
    let number = path.strip_prefix("/dev/fd/").or_else(|| path.strip_prefix("/proc/self/fd/"))?;
    world.descriptors.get(&number.parse().ok()?).cloned()
}

/// A shell that reads its commands from the standard input.
fn fed(walker: &mut Walker<'_>, argv: &[Word], world: World, frame: &Frame) -> Result<Flow, World> {
    match &frame.stdin {
        Stdin::Text(text) => {
            let text = text.clone();
            let inside = Frame { stdin: Stdin::Inherited, ..frame.clone() };
            Ok(walker.run_text(&text, program_of(argv), world, &inside))
        }
        Stdin::File(file) => {
            let file = file.clone();
            if walker.script_file(&[file], true, &world, frame) { Ok(Flow::either(world)) } else { Err(world) }
        }
        Stdin::Output(commands) => {
            // `cat deploy.sh | bash` runs the file.
            let source =
                commands.first().filter(|argv| matches!(program_of(argv), "cat" | "tee") && commands.len() == 1);
            let file = source.and_then(|argv| argv.get(1)).cloned();
            match file {
                Some(file) if walker.script_file(std::slice::from_ref(&file), true, &world, frame) => {
                    Ok(Flow::either(world))
                }
                _ => Err(world),
            }
        }
        Stdin::Inherited => Err(world),
    }
}

/// `xargs` and `parallel` put words of their input behind a command.
fn arguments(walker: &mut Walker<'_>, argv: &[Word], world: World, frame: &Frame) -> Result<Flow, World> {
    const VALUED: &[&str] = &[
        "-I",
        "-i",
        "-n",
        "-P",
        "-L",
        "-l",
        "-d",
        "-a",
        "-E",
        "-s",
        "-j",
        "-S",
        "-N",
        "--max-args",
        "--max-procs",
        "--max-lines",
        "--delimiter",
        "--arg-file",
        "--replace",
        "--max-chars",
        "--jobs",
        "--colsep",
    ];
    let (options, rest) = split_options(&argv[1..], VALUED);
    let program = program_of(argv).to_owned();
    let mut marker = (program == "parallel").then(|| "{}".to_owned());
    for (name, value) in &options {
        match *name {
            "-I" | "--replace" => marker = value.map(Word::show).or(Some("{}".to_owned())),
            "-i" => marker = Some("{}".to_owned()),
            _ if name.starts_with("-I") => marker = Some(name[2..].to_owned()),
            _ => {}
        }
    }
    let from_file = options.iter().find_map(|(name, value)| match *name {
        "-a" | "--arg-file" => value.cloned(),
        name => name.strip_prefix("--arg-file=").map(Word::literal),
    });
    let by_null = options.iter().any(|(name, _)| matches!(*name, "-0" | "--null") || name.starts_with("-0"));
    let by_line = !by_null
        && (marker.is_some() || options.iter().any(|(name, _)| name.starts_with("-d") || name.starts_with("-L")));
    let between = if by_null {
        Between::Nulls
    } else if by_line {
        Between::Lines
    } else {
        Between::Blanks
    };
    let (command, items) = match rest.iter().position(|w| w.as_literal() == Some(":::")) {
        Some(at) => (&rest[..at], rest[at + 1..].to_vec()),
        None => match from_file {
            Some(file) => (rest, items_of(&file_input(walker, &file, &world, frame), between)),
            None => (rest, items_of(&frame.stdin, between)),
        },
    };
    let own_texts = command.is_empty() || command.iter().all(|w| marker.as_deref() == w.as_literal());
    if own_texts && program == "parallel" {
        for item in items {
            walker.run_text(&item, "parallel", world.clone(), frame);
        }
        return Ok(Flow::either(world));
    }
    if command.is_empty() {
        return Err(world);
    }
    let mut inside = frame.through(Carrier::Arguments { program });
    inside.stdin = Stdin::Inherited;
    let marked = marker.filter(|m| command.iter().any(|w| w.show().contains(m.as_str())));
    match marked {
        Some(marker) => {
            for item in items {
                let words = command.iter().map(|w| fill(w, &marker, &item)).collect();
                walker.dispatch(words, world.clone(), &inside);
            }
        }
        None => {
            let words = command.iter().cloned().chain(items).collect();
            walker.dispatch(words, world.clone(), &inside);
        }
    }
    Ok(Flow::either(world))
}

/// Most words that are taken out of known input.
const ITEMS_MAX: usize = 64;

/// The input that a named file stands for.
fn file_input(walker: &mut Walker<'_>, file: &Word, world: &World, frame: &Frame) -> Stdin {
    if let Some(text) = printed(file, frame) {
        return Stdin::Text(text);
    }
    let full = path::join(&world.cwd, file);
    let text = full.as_literal().and_then(|path| walker.file(path, false));
    text.map_or(Stdin::Inherited, |text| Stdin::Text(Word::literal(text)))
}

/// What parts words of an input.
#[derive(Clone, Copy, PartialEq)]
enum Between {
    Nulls,
    Lines,
    Blanks,
}

fn items_of(stdin: &Stdin, between: Between) -> Vec<Word> {
    match stdin {
        Stdin::Text(text) => match text.as_literal() {
            Some(text) => text
                .trim_end_matches('\n')
                .split(|c: char| {
                    c == '\0'
                        || match between {
                            Between::Nulls => false,
                            Between::Lines => c == '\n',
                            Between::Blanks => c.is_whitespace(),
                        }
                })
                .filter(|w| !w.is_empty())
                .take(ITEMS_MAX)
                .map(Word::literal)
                .collect(),
            None => vec![super::produce::without_last_newlines(text)],
        },
        Stdin::Output(commands) => vec![Word::unknown(Unknown::Output(commands.clone()))],
        Stdin::File(_) | Stdin::Inherited => vec![Word::unknown(Unknown::Other)],
    }
}

/// Puts an item where a marker such as `{}` stands.
fn fill(word: &Word, marker: &str, item: &Word) -> Word {
    let mut out = Word::default();
    for part in &word.parts {
        let Part::Text(text) = part else {
            out.push(part.clone());
            continue;
        };
        for (i, piece) in text.split(marker).enumerate() {
            if i > 0 {
                out.extend(item.clone());
            }
            out.push_text(piece);
        }
    }
    out
}

/// `find … -exec COMMAND {} +`: the command gets what is found.
fn found(walker: &mut Walker<'_>, argv: &[Word], world: World, frame: &Frame) -> Result<Flow, World> {
    let is_exec = |w: &Word| matches!(w.as_literal(), Some("-exec" | "-execdir" | "-ok" | "-okdir" | "-x" | "-X"));
    let Some(at) = argv.iter().position(is_exec) else { return Err(world) };
    let length =
        argv[at + 1..].iter().position(|w| matches!(w.as_literal(), Some(";" | "+"))).unwrap_or(argv.len() - at - 1);
    // What is found is what `-print` would name at the place of `-exec`.
    let mut finds = argv[..at].to_vec();
    if program_of(argv) == "find" {
        finds.push(Word::literal("-print"));
    }
    let item = Word::unknown(Unknown::Output(vec![finds]));
    let template = &argv[at + 1..at + 1 + length];
    let mut command: Vec<Word> = template.iter().map(|w| fill(w, "{}", &item)).collect();
    if !template.iter().any(|w| w.show().contains("{}")) && program_of(argv) != "find" {
        command.push(item);
    }
    let inside = frame.through(Carrier::Arguments { program: program_of(argv).to_owned() });
    walker.dispatch(command, world.clone(), &inside);
    // What stands after it, another -exec or -delete, still counts.
    let mut rest = argv[..at].to_vec();
    rest.extend(argv.get(at + 2 + length..).unwrap_or_default().iter().cloned());
    Ok(walker.dispatch(rest, world, frame))
}

/// `vim -c ':!command'`: what an editor is told to run.
fn editor(walker: &mut Walker<'_>, argv: &[Word], world: World, frame: &Frame) -> Result<Flow, World> {
    let (options, _) = split_options(&argv[1..], &["-c", "--cmd", "-S", "-u", "-W", "-w"]);
    let commands = options.iter().filter(|(name, _)| name.ends_with('c') || *name == "--cmd").filter_map(|(_, v)| *v);
    let plus = argv[1..].iter().filter(|w| w.prefix().starts_with('+'));
    for word in commands.chain(plus).cloned().collect::<Vec<_>>() {
        let text = word.show();
        let text = text.trim_start_matches([':', '+', ' ', '%']);
        if let Some(command) = text.strip_prefix("silent ").unwrap_or(text).trim_start().strip_prefix('!') {
            walker.run_text(&Word::literal(command.trim_start_matches('!')), "vim", world.clone(), frame);
        }
    }
    Err(world)
}

/// `ssh HOST command`: another host's shell, of which nothing is known.
fn remote(walker: &mut Walker<'_>, argv: &[Word], mut world: World, frame: &Frame) -> Result<Flow, World> {
    const VALUED: &[&str] = &[
        "-b", "-c", "-D", "-E", "-e", "-F", "-I", "-i", "-J", "-L", "-l", "-m", "-O", "-o", "-p", "-Q", "-R", "-S",
        "-W", "-w", "-B",
    ];
    let (_, rest) = split_options(&argv[1..], VALUED);
    let Some((host, rest)) = rest.split_first() else { return Err(world) };
    // Options may follow the host as well.
    let (_, rest) = split_options(rest, VALUED);
    let name = host.show();
    let here = matches!(name.rsplit('@').next(), Some("localhost" | "127.0.0.1" | "::1"));
    let inside = match here {
        true => frame.through(Carrier::Wrapped { program: "ssh".into() }),
        false => frame.through(Carrier::Remote { host: name }),
    };
    let mut text = String::new();
    for word in rest {
        text.push_str(&walker.raw_text(word, &mut world));
        text.push(' ');
    }
    let mut there = World { cwd: walker.variable("HOME", &world), vars: world.vars.clone(), ..World::default() };
    if !here {
        there.cwd = Word::unknown(Unknown::Variable("HOME".into()));
    }
    there.vars.retain(|name, _| name.starts_with("__unknown_"));
    if text.is_empty() {
        return match fed(walker, &[Word::literal("sh")], there, &inside) {
            Ok(_) => Ok(Flow::either(world)),
            Err(_) => Err(world),
        };
    }
    walker.text(&text, there, &inside);
    Ok(Flow::either(world))
}

/// `docker exec NAME command`, `docker run … IMAGE command`, `kubectl exec POD -- command`.
fn container(walker: &mut Walker<'_>, argv: &[Word], world: World, frame: &Frame) -> Result<Flow, World> {
    let Some(inner) = super::inner::of_container(argv) else { return Err(world) };
    let there = World {
        cwd: inner.workdir.clone().unwrap_or_else(|| Word::literal("/")),
        vars: world.vars.clone(),
        ..World::default()
    };
    let mut mounts = inner.mounts;
    for mount in mounts.iter_mut().filter(|m| m.source.starts_with(['.', '/'])) {
        mount.source = path::join(&world.cwd, &Word::literal(mount.source.clone())).show();
    }
    let carrier = Carrier::Container { name: inner.name, mounts };
    let mut inside = frame.through(carrier);
    inside.assignments.extend(inner.variables);
    walker.dispatch(inner.argv, there, &inside);
    if inner.starts_container { Err(world) } else { Ok(Flow::either(world)) }
}
