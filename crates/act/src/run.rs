//! Runs a command that a person typed and that was allowed, and writes down that it ran.

use std::ffi::OsString;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};

use rustix::process::{Pid, Signal};
use tokio::signal::unix::{Signal as Stream, SignalKind, signal};

use crate::undo::{DISK_PERCENT_MAX, disk_percent};

/// Most bytes of one session's record; then the next part begins.
const RECORD_BYTES_MAX: u64 = 8 * 1024 * 1024;
/// Most parts of one session.
const PARTS_MAX: usize = 100;
/// Records of sessions that are kept, newest first.
const RECORDS_MAX: usize = 1_000;
/// Exit code of a program that a signal ended, as shells count it.
const SIGNALLED: i32 = 128;

/// Where bash is.
const SHELLS: [&str; 3] = ["/bin/bash", "/usr/bin/bash", "/usr/local/bin/bash"];

/// What is run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Typed {
    /// A program and its arguments, as they are.
    Words(Vec<OsString>),
    /// Text for a shell.
    Text { shell: PathBuf, text: String },
}

/// Why it could not be run.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    #[error("{program} cannot be run: {because}")]
    Start { program: String, because: std::io::Error },
    #[error("signals cannot be passed on: {because}")]
    Signals { because: std::io::Error },
}

impl RunError {
    /// The exit code that a shell would give: 127 where there is no such program.
    pub fn exit_code(&self) -> i32 {
        match self {
            RunError::Start { because, .. } if because.kind() == std::io::ErrorKind::NotFound => 127,
            _ => 126,
        }
    }
}

/// Runs it with the caller's input, output and terminal; the exit code is the command's.
///
/// Signals that the caller gets go on to the command. What the terminal sends goes to both
/// by itself and is not sent twice.
pub fn run(typed: &Typed) -> Result<i32, RunError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|because| RunError::Signals { because })?;
    runtime.block_on(run_on(typed)).map(code)
}

fn code(status: ExitStatus) -> i32 {
    status.code().or_else(|| status.signal().map(|s| SIGNALLED + s)).unwrap_or(1)
}

async fn run_on(typed: &Typed) -> Result<ExitStatus, RunError> {
    let caught = |kind| signal(kind).map_err(|because| RunError::Signals { because });
    // Caught before the command starts, so that none of them ends this process alone.
    let mut interrupt = caught(SignalKind::interrupt())?;
    let mut quit = caught(SignalKind::quit())?;
    let mut terminate = caught(SignalKind::terminate())?;
    let mut hangup = caught(SignalKind::hangup())?;
    let mut first = caught(SignalKind::user_defined1())?;
    let mut second = caught(SignalKind::user_defined2())?;
    let (mut command, program) = command(typed);
    let mut child = command.spawn().map_err(|because| RunError::Start { program: program.clone(), because })?;
    let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    let mut ended = tokio::task::spawn_blocking(move || child.wait());
    loop {
        let sent = tokio::select! {
            status = &mut ended => {
                let status = status.map_err(std::io::Error::other).and_then(|status| status);
                return status.map_err(|because| RunError::Start { program, because });
            }
            () = next(&mut interrupt) => (!at_terminal()).then_some(Signal::INT),
            () = next(&mut quit) => (!at_terminal()).then_some(Signal::QUIT),
            () = next(&mut terminate) => Some(Signal::TERM),
            () = next(&mut hangup) => Some(Signal::HUP),
            () = next(&mut first) => Some(Signal::USR1),
            () = next(&mut second) => Some(Signal::USR2),
        };
        if let (Some(signal), Some(pid)) = (sent, pid) {
            // It may have ended in the meantime.
            let _ = rustix::process::kill_process(pid, signal);
        }
    }
}

async fn next(stream: &mut Stream) {
    if stream.recv().await.is_none() {
        std::future::pending::<()>().await;
    }
}

/// Whether this process is in the foreground of a terminal, which then signals the command as well.
fn at_terminal() -> bool {
    let Ok(terminal) = fs::File::open("/dev/tty") else { return false };
    rustix::termios::tcgetpgrp(&terminal).is_ok_and(|group| group == rustix::process::getpgrp())
}

fn command(typed: &Typed) -> (Command, String) {
    match typed {
        Typed::Words(words) => {
            let program = words.first().cloned().unwrap_or_default();
            let mut command = Command::new(&program);
            command.args(words.iter().skip(1));
            (command, program.to_string_lossy().into_owned())
        }
        Typed::Text { shell, text } => {
            let mut command = Command::new(shell);
            command.arg("-c").arg(text);
            (command, shell.display().to_string())
        }
    }
}

/// The shell that reads a text: bash where it is there, since that is what is judged.
pub fn shell() -> &'static Path {
    SHELLS.iter().map(Path::new).find(|path| path.exists()).unwrap_or(Path::new("/bin/sh"))
}

/// The process that this one was started by: lines typed into one shell belong together.
pub fn parent() -> u32 {
    rustix::process::getppid().map_or(0, |pid| pid.as_raw_nonzero().get().unsigned_abs())
}

/// Appends a line to the record of a session, which begins with `head`.
pub fn record(folder: &Path, session: &str, head: &str, line: &str) -> std::io::Result<()> {
    if !folder.is_dir() {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    if disk_percent(folder) >= DISK_PERCENT_MAX {
        return Err(std::io::Error::other(format!("the disk is {DISK_PERCENT_MAX} % full or more")));
    }
    let path = part(folder, session);
    let mut file = OpenOptions::new().append(true).create(true).mode(0o600).open(&path)?;
    let fresh = file.metadata()?.len() == 0;
    let text = if fresh { format!("{head}\n{line}\n") } else { format!("{line}\n") };
    // In one write, so that two commands at a time do not mix their lines.
    file.write_all(text.as_bytes())?;
    if fresh {
        drop_oldest(folder);
    }
    Ok(())
}

/// The file of a session that has room.
pub fn part(folder: &Path, session: &str) -> PathBuf {
    let named = |number: usize| match number {
        1 => folder.join(format!("{session}.jsonl")),
        number => folder.join(format!("{session}-{number}.jsonl")),
    };
    let has_room = |path: &PathBuf| fs::metadata(path).map_or(true, |meta| meta.len() < RECORD_BYTES_MAX);
    (1..PARTS_MAX).map(named).find(has_room).unwrap_or_else(|| named(PARTS_MAX))
}

fn drop_oldest(folder: &Path) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    let mut files: Vec<_> = entries
        .flatten()
        .filter(|e| e.path().extension().is_some_and(|ext| ext == "jsonl"))
        .filter_map(|e| Some((e.metadata().ok()?.modified().ok()?, e.path())))
        .collect();
    files.sort();
    for (_, path) in files.iter().rev().skip(RECORDS_MAX) {
        let _ = fs::remove_file(path);
    }
}
