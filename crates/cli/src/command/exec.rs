//! `coroner exec`: the guard for people.

use std::ffi::OsString;
use std::io::Read;

use clap::{Args, ValueEnum};
use coroner_model::permission::{Permission, PermissionAnswer};
use coroner_verbs::exec::{self, Judged, Shell, Typed};
use coroner_verbs::guard::Guard;
use jiff::Timestamp;

use crate::args::{Format, Global};
use crate::command::guard::{plain, text};
use crate::context;
use crate::fail::{Exit, Failure};
use crate::render;
use crate::terminal::{self, Answer, tame};

/// Longest line that is judged, in bytes.
const LINE_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// Judges a command, runs it if it is allowed, and records it.
///
/// The command has the terminal, its exit code is the one of this call, and what it destroys is kept for
/// `coroner undo`. Where a person must know first, the question comes at the terminal; without one it is refused.
///
/// For every line typed into a shell: put `eval "$(coroner exec --shell bash)"` into ~/.bashrc, or
/// `eval "$(coroner exec --shell zsh)"` into ~/.zshrc. A line is then judged whole before it runs; if Coroner itself
/// fails, the line runs and that is said once.
///
/// Example: coroner exec -- rm -rf build
#[derive(Debug, Args)]
pub struct ExecArgs {
    /// Run this text in a shell.
    #[arg(short = 'c', value_name = "TEXT", conflicts_with = "command")]
    text: Option<String>,
    /// Only show the judgement.
    #[arg(long)]
    dry_run: bool,
    /// Print what belongs into the start file of a shell.
    #[arg(long, value_enum, value_name = "SHELL", conflicts_with_all = ["text", "command", "dry_run"])]
    shell: Option<ShellName>,
    /// Judge the line on standard input for a shell that will run it itself.
    #[arg(long, hide = true, conflicts_with_all = ["text", "command", "dry_run", "shell"])]
    line: bool,
    /// The command: its words, or one word that is a whole shell text.
    #[arg(last = true, value_name = "COMMAND")]
    command: Vec<OsString>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum ShellName {
    Bash,
    Zsh,
}

/// Runs `exec`; it ends the process itself with the exit code of the command.
pub fn run(global: &Global, args: ExecArgs) -> anyhow::Result<Exit> {
    if let Some(name) = args.shell {
        let shell = match name {
            ShellName::Bash => Shell::Bash,
            ShellName::Zsh => Shell::Zsh,
        };
        let binary = std::env::current_exe()?;
        print!("{}", exec::snippet(shell, &render::quoted(&binary.display().to_string())));
        return Ok(Exit::Clean);
    }
    let mut guard = Guard::open(context::request(global)?).map_err(|e| context::failed(&e))?;
    if args.line {
        return line(&mut guard);
    }
    let (typed, words) = typed(args.text, args.command)?;
    let judged = exec::judge(&mut guard, &words);
    if args.dry_run {
        match global.format {
            Format::Json => render::json(&judged.answer)?,
            _ => plain(&judged.answer),
        }
        return Ok(if judged.answer.permission == Permission::Allow { Exit::Clean } else { Exit::Found });
    }
    if !may_run(&judged.answer) {
        note(judged.record(&guard, None, Timestamp::now()));
        return Ok(Exit::Found);
    }
    if let Some(left) = judged.keep(&guard) {
        eprintln!("coroner: {}", tame(&left));
    }
    run_and_record(&guard, &judged, &typed)
}

fn run_and_record(guard: &Guard, judged: &Judged, typed: &Typed) -> anyhow::Result<Exit> {
    let code = match exec::run(typed) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("coroner: {}", tame(&error.to_string()));
            error.exit_code()
        }
    };
    note(judged.record(guard, Some(code), Timestamp::now()));
    match code {
        0 => Ok(Exit::Clean),
        code => std::process::exit(code),
    }
}

/// What is run, and the same as shell text for the guard.
fn typed(given: Option<String>, command: Vec<OsString>) -> anyhow::Result<(Typed, String)> {
    let in_shell = |text: String| (Typed::Text { shell: exec::shell().to_path_buf(), text: text.clone() }, text);
    if let Some(given) = given {
        return Ok(in_shell(given));
    }
    let words: Vec<String> = command.iter().map(|word| word.to_string_lossy().into_owned()).collect();
    match words.as_slice() {
        [] => {
            Err(Failure::usage("there is no command to run", "write it after two dashes: coroner exec -- rm -rf build"))
        }
        [whole] => Ok(in_shell(whole.clone())),
        words => Ok((Typed::Words(command), text(words))),
    }
}

/// Judges one line for a shell; 0 lets it run, 1 does not.
fn line(guard: &mut Guard) -> anyhow::Result<Exit> {
    let mut bytes = Vec::new();
    std::io::stdin().lock().take(LINE_BYTES_MAX).read_to_end(&mut bytes)?;
    let judged = exec::judge(guard, String::from_utf8_lossy(&bytes).trim_end_matches('\n'));
    if judged.answer.permission != Permission::Allow {
        // The line that was typed still stands before the cursor.
        eprintln!();
    }
    if !may_run(&judged.answer) {
        return Ok(Exit::Found);
    }
    if let Some(left) = judged.keep(guard) {
        eprintln!("\ncoroner: {}", tame(&left));
    }
    Ok(Exit::Clean)
}

/// Whether it may run; a person at the terminal is asked where that is what it takes.
fn may_run(answer: &PermissionAnswer) -> bool {
    let notes = answer.findings.iter().map(|f| &f.reason).chain(&answer.notes);
    match answer.permission {
        Permission::Allow => {
            for note in notes {
                eprintln!("coroner: {}", tame(note));
            }
            true
        }
        Permission::Deny => {
            eprintln!("coroner: refused. {}", tame(&answer.reason));
            false
        }
        Permission::Ask => {
            eprintln!("coroner: {}", tame(&answer.reason));
            answer.notes.iter().for_each(|note| eprintln!("{}", tame(note)));
            match terminal::ask("Run it all the same?") {
                Answer::Yes => true,
                Answer::No => {
                    eprintln!("coroner: not run.");
                    false
                }
                Answer::Nobody => {
                    eprintln!("coroner: not run: there is no terminal to ask at. Run it at one, and answer there.");
                    false
                }
            }
        }
    }
}

/// A record that could not be written is said, and stops nothing.
fn note(written: std::io::Result<()>) {
    if let Err(error) = written {
        eprintln!("coroner: this could not be recorded: {error}");
    }
}
