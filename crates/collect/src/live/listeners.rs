//! Listening sockets and who holds them, as `ss -H -ltnup` prints them.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;

use coroner_model::CouldNotLook;
use procfs::net::{TcpNetEntry, TcpState, UdpNetEntry, UdpState};
use procfs::process::FDTarget;

use super::blocked;

/// Every listener; the holder is left out where it may not be seen.
pub(super) fn listeners() -> Result<String, CouldNotLook> {
    let failed = |error: procfs::ProcError| blocked(Path::new("/proc/net"), &std::io::Error::other(error.to_string()));
    let owners = owners();
    let mut tcp: Vec<TcpNetEntry> = procfs::net::tcp().map_err(failed)?;
    tcp.extend(procfs::net::tcp6().unwrap_or_default());
    let mut udp: Vec<UdpNetEntry> = procfs::net::udp().map_err(failed)?;
    udp.extend(procfs::net::udp6().unwrap_or_default());
    let mut lines = Vec::new();
    for entry in udp.iter().filter(|entry| entry.state == UdpState::Close) {
        lines.push(line("udp", "UNCONN", entry.local_address, owners.get(&entry.inode)));
    }
    for entry in tcp.iter().filter(|entry| entry.state == TcpState::Listen) {
        lines.push(line("tcp", "LISTEN", entry.local_address, owners.get(&entry.inode)));
    }
    lines.dedup();
    Ok(lines.concat())
}

fn line(kind: &str, state: &str, at: SocketAddr, owner: Option<&Vec<String>>) -> String {
    let peer = if at.is_ipv4() { "0.0.0.0:*" } else { "[::]:*" };
    let owner = owner.map(|holders| format!(" users:({})", holders.join(","))).unwrap_or_default();
    format!("{kind} {state} 0 0 {at} {peer}{owner}\n")
}

/// Holders of sockets by inode, as far as they may be seen.
fn owners() -> BTreeMap<u64, Vec<String>> {
    let mut owners: BTreeMap<u64, Vec<String>> = BTreeMap::new();
    for process in procfs::process::all_processes().into_iter().flatten().flatten() {
        let Ok(descriptors) = process.fd() else { continue };
        let name = process.stat().map(|stat| stat.comm).unwrap_or_default();
        for descriptor in descriptors.flatten() {
            if let FDTarget::Socket(inode) = descriptor.target {
                owners.entry(inode).or_default().push(format!(
                    "(\"{name}\",pid={},fd={})",
                    process.pid(),
                    descriptor.fd
                ));
            }
        }
    }
    owners
}
