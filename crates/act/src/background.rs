//! Starts a process of Coroner's own that outlives the one that starts it.

use std::io;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

/// Starts a program that nobody waits for: with no input or output of the caller's, so that whoever reads
/// the caller's output sees its end, and in a group of its own, so that no signal to the caller's reaches it.
pub fn start(program: &Path, words: &[&str]) -> io::Result<()> {
    let mut command = Command::new(program);
    command.args(words).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).process_group(0);
    command.spawn().map(drop)
}
