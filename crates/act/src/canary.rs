//! Runs a hook as its host would, with an event made for it, and brings its answer back.

use std::io::{Read, Write};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal};

/// Most bytes of an answer that are read.
const ANSWER_BYTES_MAX: u64 = 1024 * 1024;
/// Time between two looks whether it ended.
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// How a hook ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ran {
    /// Absent: a signal ended it, or its time was up.
    pub exit: Option<i32>,
    pub stdout: String,
    pub stderr: String,
    pub timed_out: bool,
}

/// What is run: a program with its arguments, or a text for `sh`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Line {
    Words(Vec<String>),
    Text(String),
}

/// Runs it with the event on standard input; it is ended when its time is up.
pub fn run(line: &Line, event: &str, cwd: &Path, time: Duration) -> std::io::Result<Ran> {
    let mut command = match line {
        Line::Words(words) => {
            let mut command = Command::new(words.first().map(String::as_str).unwrap_or_default());
            command.args(words.iter().skip(1));
            command
        }
        Line::Text(text) => {
            let mut command = Command::new("sh");
            command.arg("-c").arg(text);
            command
        }
    };
    command.current_dir(cwd).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    // A group of its own, so that what it started ends with it.
    let mut child = command.process_group(0).spawn()?;
    let group = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    let stdin = child.stdin.take();
    let event = event.to_owned();
    std::thread::spawn(move || {
        // A hook that does not read its event is judged by its answer.
        let _ = stdin.map(|mut stdin| stdin.write_all(event.as_bytes()));
    });
    let out = reader(child.stdout.take());
    let err = reader(child.stderr.take());
    let until = Instant::now() + time;
    let mut ran = Ran::default();
    loop {
        if let Some(status) = child.try_wait()? {
            ran.exit = status.code();
            break;
        }
        if Instant::now() >= until {
            ran.timed_out = true;
            if let Some(group) = group {
                let _ = rustix::process::kill_process_group(group, Signal::KILL);
            }
            child.wait()?;
            break;
        }
        std::thread::sleep(LOOK_EVERY);
    }
    let text =
        |receiver: std::sync::mpsc::Receiver<String>| receiver.recv_timeout(Duration::from_secs(1)).unwrap_or_default();
    (ran.stdout, ran.stderr) = (text(out), text(err));
    Ok(ran)
}

/// Reads a pipe on a thread of its own: somebody may hold it open after the program has ended.
fn reader(pipe: Option<impl Read + Send + 'static>) -> std::sync::mpsc::Receiver<String> {
    let (sender, receiver) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        let _ = pipe.map(|pipe| pipe.take(ANSWER_BYTES_MAX).read_to_end(&mut bytes));
        let _ = sender.send(String::from_utf8_lossy(&bytes).into_owned());
    });
    receiver
}

/// A file in a folder made for it; whoever looks afterwards knows whether anything was run.
pub fn set_out(folder: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(folder)?;
    std::fs::write(folder.join("alive"), "Nothing deletes this but `coroner doctor` itself.\n")
}

/// Whether the file is still there; then its folder goes.
pub fn take_in(folder: &Path) -> bool {
    let alive = folder.join("alive").is_file();
    let _ = std::fs::remove_dir_all(folder);
    // Its own parent goes as well, where nothing else lies in it.
    let _ = folder.parent().map(std::fs::remove_dir);
    alive
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_comes_back_and_a_hang_ends() {
        let text =
            |text: &str, ms| run(&Line::Text(text.into()), "in", Path::new("/"), Duration::from_millis(ms)).unwrap();
        let ran = text("cat; echo e >&2; exit 2", 5_000);
        assert_eq!((ran.exit, ran.stdout.as_str(), ran.stderr.as_str()), (Some(2), "in", "e\n"));
        let hung = text("sleep 60 & sleep 60", 50);
        assert!(hung.timed_out && hung.exit.is_none());
        assert!(run(&Line::Words(vec!["/no/such".into()]), "", Path::new("/"), Duration::from_secs(1)).is_err());
    }
}
