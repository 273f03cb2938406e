//! Asks the person at the terminal, never the standard input that a program may feed.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};

use rustix::termios::{InputModes, LocalModes, OptionalActions, SpecialCodeIndex, tcgetattr, tcsetattr};

use crate::fail::Failure;

/// Longest answer that is read, in bytes.
const ANSWER_BYTES_MAX: usize = 1024;

const CTRL_C: u8 = 3;

/// What a person answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    Yes,
    No,
    /// Nobody is at a terminal.
    Nobody,
}

/// Asks a question that is answered by yes or no; anything but a yes is a no.
pub fn ask(question: &str) -> Answer {
    let Ok(terminal) = File::options().read(true).write(true).open("/dev/tty") else { return Answer::Nobody };
    let Ok(before) = tcgetattr(&terminal) else { return Answer::Nobody };
    // A line editor may have left the terminal without lines and echo.
    let mut lines = before.clone();
    lines.local_modes |= LocalModes::ICANON | LocalModes::ECHO;
    // Ctrl-C is a no to this question, not the end of a shell's line editor.
    lines.local_modes &= !LocalModes::ISIG;
    lines.special_codes[SpecialCodeIndex::VEOL] = CTRL_C;
    lines.input_modes |= InputModes::ICRNL;
    let _ = tcsetattr(&terminal, OptionalActions::Now, &lines);
    let answer = put(&terminal, question);
    let _ = tcsetattr(&terminal, OptionalActions::Now, &before);
    answer.unwrap_or(Answer::Nobody)
}

fn put(mut terminal: &File, question: &str) -> std::io::Result<Answer> {
    write!(terminal, "{question} [y/N] ")?;
    terminal.flush()?;
    // The terminal gives one line at a time, whatever ended it.
    let mut bytes = [0; ANSWER_BYTES_MAX];
    let read = terminal.read(&mut bytes)?;
    let line = String::from_utf8_lossy(&bytes[..read]);
    Ok(match line.trim().to_ascii_lowercase().as_str() {
        "y" | "yes" => Answer::Yes,
        _ => Answer::No,
    })
}

/// Text that cannot move the cursor or colour what follows.
pub fn tame(text: &str) -> String {
    text.chars().map(|c| if c.is_control() && c != '\n' && c != '\t' { '?' } else { c }).collect()
}

/// The terminal that the process belongs to.
pub struct Terminal {
    file: File,
}

impl Terminal {
    /// Opens it; without one it is an error.
    pub fn open() -> anyhow::Result<Terminal> {
        let opened = File::options().read(true).write(true).open("/dev/tty");
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
        BufReader::new(self.file.try_clone()?.take(ANSWER_BYTES_MAX as u64)).read_line(&mut line)?;
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
