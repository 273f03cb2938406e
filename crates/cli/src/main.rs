//! `coroner`: arguments in, report out, exit code.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "the terminal is this crate's face")]

mod args;
mod command;
mod context;
mod fail;
mod render;

use clap::Parser;

fn main() -> std::process::ExitCode {
    let args = args::Args::parse();
    match command::run(args) {
        Ok(exit) => exit.into(),
        Err(error) => {
            eprintln!("{}", fail::render(&error));
            fail::exit_of(&error).into()
        }
    }
}
