//! Asks the person at the terminal, and nobody else.
//!
//! Standard input is what an agent can fill; the terminal itself is opened instead, and without one
//! there is no answer.

use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Write};

use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};

use crate::fail::Failure;

/// Longest answer, in bytes.
const ANSWER_BYTES_MAX: u64 = 1024;

/// The terminal that the process belongs to.
pub struct Terminal {
    file: File,
}

impl Terminal {
    /// Opens it; without one it is an error.
    pub fn open() -> anyhow::Result<Terminal> {
        let opened = OpenOptions::new().read(true).write(true).open("/dev/tty");
        let file = opened.map_err(|_| {
            Failure::usage(
                "there is no terminal to ask on",
                "run it yourself in a terminal; nothing else is taken for an answer",
            )
        })?;
        Ok(Terminal { file })
    }

    /// Writes to it.
    pub fn say(&mut self, text: &str) -> anyhow::Result<()> {
        self.file.write_all(text.as_bytes())?;
        Ok(())
    }

    /// Asks for one line.
    pub fn ask(&mut self, question: &str) -> anyhow::Result<String> {
        self.say(question)?;
        let mut line = String::new();
        BufReader::new(std::io::Read::take(self.file.try_clone()?, ANSWER_BYTES_MAX)).read_line(&mut line)?;
        Ok(line.trim_end_matches(['\n', '\r']).to_owned())
    }

    /// Asks for one line that is not shown as it is typed.
    pub fn ask_hidden(&mut self, question: &str) -> anyhow::Result<String> {
        let shown = tcgetattr(&self.file)?;
        let mut hidden = shown.clone();
        hidden.local_modes -= LocalModes::ECHO;
        tcsetattr(&self.file, OptionalActions::Flush, &hidden)?;
        let answer = self.ask(question);
        // Whatever came of it, the person sees again what is typed.
        tcsetattr(&self.file, OptionalActions::Flush, &shown)?;
        self.say("\n")?;
        answer
    }
}
