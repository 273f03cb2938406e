//! Asks the person at the terminal, never the standard input that a program may feed.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};

use rustix::termios::{InputModes, LocalModes, OptionalActions};

/// Longest answer that is read, in bytes.
const ANSWER_BYTES_MAX: u64 = 256;

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
    let Ok(before) = rustix::termios::tcgetattr(&terminal) else { return Answer::Nobody };
    // A line editor may have left the terminal without lines and echo.
    let mut lines = before.clone();
    lines.local_modes |= LocalModes::ICANON | LocalModes::ECHO | LocalModes::ISIG;
    lines.input_modes |= InputModes::ICRNL;
    let _ = rustix::termios::tcsetattr(&terminal, OptionalActions::Now, &lines);
    let answer = put(&terminal, question);
    let _ = rustix::termios::tcsetattr(&terminal, OptionalActions::Now, &before);
    answer.unwrap_or(Answer::Nobody)
}

fn put(mut terminal: &File, question: &str) -> std::io::Result<Answer> {
    write!(terminal, "{question} [y/N] ")?;
    terminal.flush()?;
    let mut line = String::new();
    let read = BufReader::new(terminal.take(ANSWER_BYTES_MAX)).read_line(&mut line)?;
    if read == 0 {
        return Ok(Answer::No);
    }
    Ok(match line.trim().to_ascii_lowercase().as_str() {
        "y" | "yes" => Answer::Yes,
        _ => Answer::No,
    })
}

/// Text that cannot move the cursor or colour what follows.
pub fn tame(text: &str) -> String {
    text.chars().map(|c| if c.is_control() && c != '\n' && c != '\t' { '?' } else { c }).collect()
}
