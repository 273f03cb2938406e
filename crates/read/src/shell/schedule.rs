//! What is run later or in another terminal: `crontab`, `at`, `tmux`, `screen`.

#![allow(clippy::result_large_err, reason = "the world goes back to the caller, it is no error on its way up")]

use super::carrier::split_options;
use super::walk::Walker;
use super::word::{Part, Word};
use super::world::{Flow, Frame, World};
use super::{Carrier, Stdin, path, prefix, program_of};

/// Follows what is scheduled or typed elsewhere; gives the world back where nothing is.
pub(crate) fn unwrap(walker: &mut Walker<'_>, argv: &[Word], world: World, frame: &Frame) -> Result<Flow, World> {
    let inside =
        Frame { conditional: true, ..frame.through(Carrier::Wrapped { program: program_of(argv).to_owned() }) };
    match program_of(argv) {
        "crontab" => {
            let (_, rest) = split_options(&argv[1..], &["-u"]);
            let text = rest.first().and_then(|file| text_of(walker, file, &world, frame));
            let text = text.or_else(|| rest.is_empty().then(|| given(&frame.stdin)).flatten());
            let Some(text) = text else { return Err(world) };
            table(walker, &text, false, &world, &inside);
            // That the table itself is replaced is an effect of its own.
            Err(world)
        }
        "at" | "batch" => {
            let (options, _) = split_options(&argv[1..], &["-f", "-q", "-t", "-c", "-d", "-r"]);
            let file = options.iter().find(|(name, _)| *name == "-f").and_then(|(_, file)| *file).cloned();
            let text = match file {
                Some(file) => text_of(walker, &file, &world, frame),
                None => given(&frame.stdin),
            };
            let Some(text) = text else { return Err(world) };
            walker.run_text(&text, program_of(argv), world.clone(), &Frame { stdin: Stdin::Inherited, ..inside });
            Ok(Flow::either(world))
        }
        "tmux" => tmux(walker, argv, world, &inside),
        "screen" => screen(walker, argv, world, &inside),
        _ => Err(world),
    }
}

fn given(stdin: &Stdin) -> Option<Word> {
    match stdin {
        Stdin::Text(text) => Some(text.clone()),
        _ => None,
    }
}

fn text_of(walker: &mut Walker<'_>, file: &Word, world: &World, frame: &Frame) -> Option<Word> {
    if matches!(file.as_literal(), Some("-" | "/dev/stdin")) {
        return given(&frame.stdin);
    }
    let full = path::join(&world.cwd, file);
    walker.file(full.as_literal()?, false).map(Word::literal)
}

/// Whether a file is a table of the cron daemon.
pub(crate) fn is_table(path: &str) -> bool {
    has_users(path) || path.starts_with("/var/spool/cron/")
}

/// Whether the lines of such a table name a user before the command.
pub(crate) fn has_users(path: &str) -> bool {
    path == "/etc/crontab" || path.starts_with("/etc/cron.d/")
}

/// Follows the commands of a cron table.
pub(crate) fn table(walker: &mut Walker<'_>, text: &Word, users: bool, world: &World, frame: &Frame) {
    for line in lines(text) {
        let Some(command) = command_of(&line, users) else { continue };
        let inside = Frame { redirects: Vec::new(), ..frame.clone() };
        walker.run_text(&command, "cron", world.clone(), &inside);
    }
}

/// The lines of a word; what is unknown stays in its line.
fn lines(text: &Word) -> Vec<Word> {
    let mut all = vec![Word::default()];
    for part in &text.parts {
        let pieces: Vec<&str> = match part {
            Part::Text(text) => text.split('\n').collect(),
            _ => Vec::new(),
        };
        if pieces.is_empty() {
            all.last_mut().iter_mut().for_each(|last| last.push(part.clone()));
        }
        for (i, piece) in pieces.iter().enumerate() {
            if i > 0 {
                all.push(Word::default());
            }
            all.last_mut().iter_mut().for_each(|last| last.push_text(piece));
        }
    }
    all
}

/// The command behind the time fields of a line.
fn command_of(line: &Word, user: bool) -> Option<Word> {
    // What `crontab -l` printed before stands in front without a newline that is known.
    let first = line.parts.iter().position(|p| matches!(p, Part::Text(_)))?;
    let Part::Text(text) = &line.parts[first] else { return None };
    let text = text.trim_start();
    if text.starts_with('#') {
        return None;
    }
    let fields = if text.starts_with('@') { 1 } else { 5 } + usize::from(user);
    let mut rest = text;
    for _ in 0..fields {
        rest = rest.split_once([' ', '\t'])?.1.trim_start();
    }
    let timed = text.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '*' | '@' | '-'));
    let mut command = Word::literal(rest);
    line.parts[first + 1..].iter().for_each(|p| command.push(p.clone()));
    timed.then_some(command)
}

/// `tmux new-session … TEXT`, `tmux send-keys … TEXT Enter`, several of them joined by `;`.
fn tmux(walker: &mut Walker<'_>, argv: &[Word], world: World, frame: &Frame) -> Result<Flow, World> {
    const VALUED: &[&str] = &["-t", "-s", "-n", "-c", "-x", "-y", "-e", "-F", "-L", "-S", "-f", "-l", "-p", "-N", "-d"];
    let mut ran = false;
    for part in argv[1..].split(|w| matches!(w.as_literal(), Some(";" | "\\;"))) {
        let (_, rest) = split_options(part, &["-L", "-S", "-f", "-c"]);
        let Some((verb, words)) = rest.split_first() else { continue };
        let verb = verb.as_literal().unwrap_or_default();
        let flags: &[&str] = if verb.starts_with("send") || verb.starts_with("new-s") || verb == "new" {
            &["-t", "-s", "-n", "-c", "-x", "-y", "-e", "-F", "-N"]
        } else if verb.starts_with("run") {
            &["-t", "-d", "-c"]
        } else {
            VALUED
        };
        let (_, words) = split_options(words, flags);
        let text = match verb {
            "new-session" | "new" | "new-window" | "neww" | "split-window" | "splitw" | "respawn-pane" | "respawnp"
            | "respawn-window" | "run-shell" | "run" | "pipe-pane" | "display-popup" | "popup" => prefix::spaced(words),
            "send-keys" | "send" => typed(words),
            _ => continue,
        };
        if !text.parts.is_empty() {
            walker.run_text(&text, "tmux", world.clone(), frame);
            ran = true;
        }
    }
    if ran { Ok(Flow::either(world)) } else { Err(world) }
}

/// What keys type: the names of keys are none of it.
fn typed(words: &[Word]) -> Word {
    let mut out = Word::default();
    for word in words {
        match word.as_literal() {
            Some("Enter" | "C-m" | "KPEnter" | "C-j") => out.push_text("\n"),
            Some("Space") => out.push_text(" "),
            Some(key) if key.len() == 3 && (key.starts_with("C-") || key.starts_with("M-")) => out = Word::default(),
            _ => out.extend(word.clone()),
        }
    }
    out
}

/// `screen -dmS NAME COMMAND`, `screen -S NAME -X stuff TEXT`.
fn screen(walker: &mut Walker<'_>, argv: &[Word], world: World, frame: &Frame) -> Result<Flow, World> {
    const VALUED: &[&str] = &["-S", "-p", "-c", "-e", "-h", "-s", "-t", "-T"];
    let (options, rest) = split_options(&argv[1..], VALUED);
    let sends = options.iter().any(|(name, _)| *name == "-X");
    match rest.first().and_then(Word::as_literal) {
        Some("stuff") if sends => {
            let mut text = Word::default();
            for word in &rest[1..] {
                for part in &word.parts {
                    match part {
                        Part::Text(piece) => text.push_text(&piece.replace("\\n", "\n").replace("^M", "\n")),
                        other => text.push(other.clone()),
                    }
                }
            }
            Ok(walker.run_text(&text, "screen", world, frame))
        }
        Some("exec" | "screen") if sends => Ok(walker.dispatch(rest[1..].to_vec(), world, frame)),
        Some(_) if !sends => Ok(walker.dispatch(rest.to_vec(), world, frame)),
        _ => Err(world),
    }
}
