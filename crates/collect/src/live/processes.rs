//! Processes, and the files that they hold open for writing.

use std::path::Path;

use coroner_model::CouldNotLook;
use jiff::Timestamp;
use procfs::process::{FDTarget, Process};

use super::blocked;
use super::host::accounts::Accounts;

/// Characters of a command line.
const ARGS_CHARS_MAX: usize = 4_000;

fn all() -> Result<Vec<Process>, CouldNotLook> {
    let failed = |error: procfs::ProcError| blocked(Path::new("/proc"), &std::io::Error::other(error.to_string()));
    let mut processes: Vec<Process> = procfs::process::all_processes().map_err(failed)?.flatten().collect();
    processes.sort_by_key(Process::pid);
    Ok(processes)
}

/// `ps -eo pid,ppid,user,lstart,args`, times in UTC.
pub(super) fn list() -> Result<String, CouldNotLook> {
    let accounts = Accounts::read();
    let booted = procfs::boot_time_secs().unwrap_or(0);
    let tick = procfs::ticks_per_second().max(1);
    let mut out = String::from("PID PPID USER STARTED COMMAND\n");
    for process in all()? {
        let (Ok(stat), Ok(user)) = (process.stat(), process.uid()) else { continue };
        let started = i64::try_from(booted + stat.starttime / tick).unwrap_or(0);
        let started = Timestamp::from_second(started).unwrap_or_default().strftime("%a %b %e %H:%M:%S %Y");
        let args = process.cmdline().unwrap_or_default().join(" ");
        let args = if args.is_empty() { format!("[{}]", stat.comm) } else { args };
        let args: String = args.chars().take(ARGS_CHARS_MAX).map(|c| if c.is_control() { ' ' } else { c }).collect();
        out.push_str(&format!("{} {} {} {started} {args}\n", stat.pid, stat.ppid, accounts.user(user)));
    }
    Ok(out)
}

/// `pid command mode path` of regular files held open for writing.
pub(super) fn open_files() -> Result<String, CouldNotLook> {
    let mut out = String::from("pid\tcommand\tmode\tpath\n");
    for process in all()? {
        let Ok(descriptors) = process.fd() else { continue };
        let name = process.stat().map(|stat| stat.comm).unwrap_or_default();
        for descriptor in descriptors.flatten() {
            let FDTarget::Path(path) = &descriptor.target else { continue };
            let Some(mode) = write_mode(process.pid(), descriptor.fd) else { continue };
            if std::fs::metadata(format!("/proc/{}/fd/{}", process.pid(), descriptor.fd))
                .is_ok_and(|meta| meta.is_file())
            {
                out.push_str(&format!("{}\t{name}\t{mode}\t{}\n", process.pid(), path.display()));
            }
        }
    }
    Ok(out)
}

/// How a descriptor was opened, where it can be written to.
fn write_mode(pid: i32, descriptor: i32) -> Option<&'static str> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/fdinfo/{descriptor}")).ok()?;
    let flags = text.lines().find_map(|line| line.strip_prefix("flags:"))?.trim();
    let flags = u32::from_str_radix(flags, 8).ok()?;
    let appends = flags & rustix::fs::OFlags::APPEND.bits() != 0;
    match flags & 0o3 {
        1 if appends => Some("a"),
        1 => Some("w"),
        2 => Some("rw"),
        _ => None,
    }
}
