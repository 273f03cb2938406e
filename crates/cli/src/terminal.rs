//! Asks the person at the terminal, never the standard input that a program may feed.

use std::fs::File;
use std::io::{Read, Write};

use rustix::termios::{InputModes, LocalModes, OptionalActions, SpecialCodeIndex};

/// Longest answer that is read, in bytes.
const ANSWER_BYTES_MAX: usize = 256;

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
    let Ok(before) = rustix::termios::tcgetattr(&terminal) else { return Answer::Nobody };
    // A line editor may have left the terminal without lines and echo.
    let mut lines = before.clone();
    lines.local_modes |= LocalModes::ICANON | LocalModes::ECHO;
    // Ctrl-C is a no to this question, not the end of a shell's line editor.
    lines.local_modes &= !LocalModes::ISIG;
    lines.special_codes[SpecialCodeIndex::VEOL] = CTRL_C;
    lines.input_modes |= InputModes::ICRNL;
    let _ = rustix::termios::tcsetattr(&terminal, OptionalActions::Now, &lines);
    let answer = put(&terminal, question);
    let _ = rustix::termios::tcsetattr(&terminal, OptionalActions::Now, &before);
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
