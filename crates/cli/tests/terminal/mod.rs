//! A program at a terminal of its own, by the `script` of util-linux.

use std::io::{Read, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

/// How long a program has for an answer.
pub const PATIENCE: Duration = Duration::from_secs(30);

pub struct Terminal {
    child: Child,
    input: ChildStdin,
    output: Receiver<Vec<u8>>,
    seen: String,
}

impl Terminal {
    /// Starts a line of shell; `None`, with a word, where a program that it needs is not installed.
    pub fn start(line: &str, needs: &[&str], settle: impl FnOnce(&mut Command)) -> Option<Terminal> {
        for needed in needs.iter().chain(&["script"]) {
            if !Command::new("sh").args(["-c", &format!("command -v {needed}")]).output().unwrap().status.success() {
                println!("skipped: {needed} is not installed");
                return None;
            }
        }
        let mut command = Command::new("script");
        command.args(["-qec", line, "/dev/null"]).env("TERM", "dumb").stdin(Stdio::piped()).stdout(Stdio::piped());
        settle(&mut command);
        let mut child = command.spawn().unwrap();
        let (mut pipe, (send, output)) = (child.stdout.take().unwrap(), channel());
        std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(count @ 1..) = pipe.read(&mut bytes) {
                if send.send(bytes[..count].to_vec()).is_err() {
                    return;
                }
            }
        });
        let input = child.stdin.take().unwrap();
        Some(Terminal { child, input, output, seen: String::new() })
    }

    /// Waits until a text appears; what came up to and with it.
    pub fn wait(&mut self, wanted: &str) -> String {
        let until = Instant::now() + PATIENCE;
        loop {
            if let Some(at) = self.seen.find(wanted) {
                let rest = self.seen.split_off(at + wanted.len());
                return std::mem::replace(&mut self.seen, rest);
            }
            let left = until.saturating_duration_since(Instant::now());
            match self.output.recv_timeout(left) {
                Ok(bytes) => self.seen.push_str(&String::from_utf8_lossy(&bytes)),
                Err(_) => panic!("`{wanted}` did not appear in: {}", self.seen),
            }
        }
    }

    pub fn send(&mut self, text: &str) {
        self.input.write_all(text.as_bytes()).unwrap();
        self.input.flush().unwrap();
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Starts a line, answers each question in turn, and gives its exit code and all that it said.
#[allow(dead_code, reason = "each test file uses a part of this one")]
pub fn answered(line: &str, answers: &[(&str, &str)], settle: impl FnOnce(&mut Command)) -> Option<(i32, String)> {
    let mut terminal = Terminal::start(line, &[], settle)?;
    let mut said = String::new();
    for (question, answer) in answers {
        said += &terminal.wait(question);
        terminal.send(&format!("{answer}\r"));
    }
    while let Ok(bytes) = terminal.output.recv_timeout(PATIENCE) {
        terminal.seen.push_str(&String::from_utf8_lossy(&bytes));
    }
    said += &terminal.seen;
    Some((terminal.child.wait().unwrap().code().unwrap(), said))
}
