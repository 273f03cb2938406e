//! Text that would be run and that nobody could read: fetched, unresolved, or a script that is not at hand.

use coroner_model::effect::EffectKind;
use coroner_read::shell::{self, Carrier, Invocation, Part, RedirectKind, Stdin, Unknown, Word};

use super::{Plan, Planned, Target};

/// Text that would be run unread.
#[derive(Clone, Debug, PartialEq)]
pub struct Execution {
    /// The program that would read it.
    pub reader: String,
    /// How it is named: a file, or the commands that print it.
    pub text: String,
    pub source: Source,
}

/// Why the text could not be read.
#[derive(Clone, Debug, PartialEq)]
pub enum Source {
    /// It comes from another host by this command.
    Fetched(Vec<Word>),
    /// What it is depends on something that is not known.
    Unresolved,
    /// A script of this host that is not at hand.
    Script,
}

pub(super) fn plan(out: &mut Plan<'_>) {
    let call = out.call;
    if let Some(execution) = fed(call).or_else(|| named(call)) {
        out.push(EffectKind::UnknownExecution, Target::Execution(execution));
    }
}

/// What a search or pattern finds after files were brought from another host may be those files.
pub(super) fn follow_fetched(calls: &[Invocation], planned: &mut [Planned]) {
    for one in planned {
        let Target::Execution(execution) = &mut one.target else { continue };
        let Some(call) = calls.get(one.invocation).filter(|_| execution.source == Source::Script) else { continue };
        let file = call.argv.iter().skip(1).find(|w| !w.prefix().starts_with(['-', '+']));
        let found = file.is_some_and(|w| w.has_glob() || w.produced_by().is_some());
        let before = calls.get(..one.invocation).unwrap_or_default();
        if let Some(fetch) = before.iter().find_map(brought).filter(|_| found) {
            execution.source = Source::Fetched(fetch);
        }
    }
}

/// The command that fetches what a call lays down as files.
fn brought(call: &Invocation) -> Option<Vec<Word>> {
    let unpacks = matches!(call.program(), "tar" | "bsdtar" | "cpio" | "unzip" | "tee");
    if let (true, Stdin::Output(commands)) = (unpacks, &call.stdin) {
        return commands.iter().find(|argv| shell::fetches(argv)).cloned();
    }
    let text = |w: &&Word| w.as_literal().is_some();
    let written =
        call.redirects.iter().any(|r| r.kind == RedirectKind::Write && !r.target.prefix().starts_with("/dev/"));
    let saves = match call.program() {
        "curl" => {
            call.argv.iter().skip(1).filter(text).any(|w| {
                let word = w.prefix();
                let short = word.starts_with('-') && !word.starts_with("--") && word.contains(['o', 'O']);
                short && !word.ends_with("o/dev/null")
                    || word.starts_with("--output")
                    || word.starts_with("--remote-name")
            }) && !call.argv.iter().any(|w| w.as_literal() == Some("/dev/null"))
        }
        "wget" | "wget2" => !call.argv.iter().any(|w| w.prefix().ends_with("O-") || w.as_literal() == Some("-")),
        "aria2c" => true,
        _ => false,
    };
    (saves || written && shell::fetches(&call.argv)).then(|| call.argv.clone())
}

/// A shell or interpreter that reads its program from what others print, or from a file.
fn fed(call: &Invocation) -> Option<Execution> {
    let program = call.program();
    let shell = shell::is_shell(program);
    let checks = |w: &Word| w.prefix().starts_with('-') && !w.prefix().starts_with("--") && w.prefix().contains('n');
    if shell && call.argv.get(1).is_some_and(checks) {
        // `bash -n` reads the syntax and runs nothing.
        return None;
    }
    if !shell && !shell::is_interpreter(program) {
        return None;
    }
    let reader = program.to_owned();
    let file = call.argv.iter().skip(1).find(|w| !w.prefix().starts_with(['-', '+']));
    let letters: &[char] = if shell { &['c'] } else { &['c', 'e', 'm', 'r'] };
    let inline = call.argv.iter().skip(1).take_while(|w| w.prefix().starts_with('-')).any(|w| {
        let text = w.prefix();
        (!text.starts_with("--") && text.contains(letters))
            || matches!(text, "--eval" | "--print" | "--version" | "--help")
    });
    // The program itself is what another command prints: `-c "$(curl …)"`, `<(curl …)`.
    let made = call.argv.iter().skip(1).find(|w| !w.prefix().starts_with('-') || w.is_unresolved());
    let printed_program = made.and_then(|w| {
        w.parts.iter().find_map(|part| match part {
            Part::Unknown(Unknown::Output(commands)) => Some(commands.as_slice()),
            _ => None,
        })
    });
    if let Some(source) = printed_program.and_then(source_of).filter(|s| *s != Source::Script) {
        let text = made.map(Word::show).unwrap_or_default();
        return Some(Execution { reader, text, source });
    }
    match (file, &call.stdin) {
        (Some(file), _) if shell && !inline && call.is_local() && !reads_stdin(call) => {
            let text = shell::join(&call.cwd, file).show();
            Some(Execution { reader, text, source: Source::Script })
        }
        (None, Stdin::Output(commands)) if !inline || reads_stdin(call) => printed(reader, commands, shell),
        (Some(_), Stdin::Output(commands)) if reads_stdin(call) => printed(reader, commands, shell),
        _ => None,
    }
}

/// `bash -s -- arguments`, `bash /dev/stdin`.
fn reads_stdin(call: &Invocation) -> bool {
    let first = call.argv.get(1).and_then(Word::as_literal);
    matches!(first, Some("-s" | "-" | "/dev/stdin")) || call.argv.iter().any(|w| w.as_literal() == Some("-s"))
}

fn printed(reader: String, commands: &[Vec<Word>], shell: bool) -> Option<Execution> {
    let text = commands.iter().map(|argv| shell::show_argv(argv)).collect::<Vec<_>>().join(" | ");
    let source = match source_of(commands) {
        Some(source) => source,
        // A shell runs each line; another interpreter is mostly given data.
        None if shell => Source::Unresolved,
        None => return None,
    };
    Some(Execution { reader, text, source })
}

/// Where what commands print comes from, if that makes it unreadable.
fn source_of(commands: &[Vec<Word>]) -> Option<Source> {
    if let Some(fetch) = commands.iter().find(|argv| shell::fetches(argv)) {
        return Some(Source::Fetched(fetch.clone()));
    }
    if commands.iter().any(|argv| shell::decodes(argv)) {
        return Some(Source::Unresolved);
    }
    let names_file = |argv: &Vec<Word>| argv.iter().skip(1).any(|w| !w.prefix().starts_with('-'));
    let cats = commands.len() == 1 && commands.iter().all(|argv| shell::program_of(argv) == "cat" && names_file(argv));
    cats.then_some(Source::Script)
}

/// A command whose very name is not known: `eval "$(curl …)"`, `bash -c "$X"`.
fn named(call: &Invocation) -> Option<Execution> {
    let Some(Part::Unknown(unknown)) = call.argv.first()?.parts.first() else { return None };
    let reader = call.carriers.iter().rev().find_map(|carrier| match carrier {
        Carrier::Shell { program } => Some(program.clone()),
        _ => None,
    });
    let scripted = call.carriers.iter().any(|c| matches!(c, Carrier::Script { .. } | Carrier::Function { .. }));
    let text = call.argv[0].show();
    match unknown {
        Unknown::Output(commands) => {
            let source = source_of(commands)?;
            Some(Execution { reader: reader.unwrap_or_else(|| "shell".into()), text, source })
        }
        Unknown::Variable(name) if !scripted && call.argv.len() == 1 && !is_parameter(name) => {
            Some(Execution { reader: reader?, text, source: Source::Unresolved })
        }
        _ => None,
    }
}

/// `$1`, `$@`: what a caller gives.
fn is_parameter(name: &str) -> bool {
    name.chars().all(|c| !c.is_ascii_alphabetic())
}
