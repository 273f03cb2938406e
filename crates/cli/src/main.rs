//! `coroner`: arguments in, report out, exit code.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "the terminal is this crate's face")]

mod args;
mod command;
mod context;
mod fail;
mod render;
mod terminal;

use clap::Parser;

fn main() -> std::process::ExitCode {
    end_quietly_when_nobody_reads();
    let args = args::Args::parse();
    match command::run(args) {
        Ok(exit) => exit.into(),
        Err(error) => {
            eprintln!("{}", fail::render(&error));
            fail::exit_of(&error).into()
        }
    }
}

/// `coroner … | head` ends like other tools do, instead of with a report of a crash.
fn end_quietly_when_nobody_reads() {
    let report = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if panic.payload_as_str().is_some_and(|text| text.contains("Broken pipe")) {
            std::process::exit(0);
        }
        report(panic);
    }));
}
