//! Whether each configured name server answers, asked with one small question.

use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::path::Path;
use std::time::{Duration, Instant};

use coroner_model::CouldNotLook;

use super::blocked;

/// Milliseconds that one server gets.
const ANSWER_MS_MAX: u64 = 1_000;
/// Servers that are asked; the C library uses three.
const SERVERS_MAX: usize = 3;
/// Name servers of the root zone: every resolver knows them, nobody learns anything.
const QUESTION: [u8; 17] = [0x0c, 0x07, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 1];

/// `nameserver name ms result` for each server of `/etc/resolv.conf`.
pub(super) fn ask_all() -> Result<String, CouldNotLook> {
    let path = Path::new("/etc/resolv.conf");
    let text = std::fs::read_to_string(path).map_err(|error| blocked(path, &error))?;
    let servers = text.lines().filter_map(|line| line.strip_prefix("nameserver")).map(str::trim).take(SERVERS_MAX);
    let mut out = String::from("nameserver\tname\tms\tresult\n");
    for server in servers {
        let begun = Instant::now();
        let result = ask(server);
        out.push_str(&format!("{server}\t.\t{}\t{result}\n", begun.elapsed().as_millis()));
    }
    Ok(out)
}

fn ask(server: &str) -> String {
    let Ok(address) = server.split('%').next().unwrap_or(server).parse::<IpAddr>() else { return "no address".into() };
    exchange(SocketAddr::new(address, 53)).unwrap_or_else(|error| match error.kind() {
        std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut => "timeout".into(),
        std::io::ErrorKind::ConnectionRefused => "refused".into(),
        _ => error.to_string(),
    })
}

fn exchange(server: SocketAddr) -> std::io::Result<String> {
    let any: SocketAddr = if server.is_ipv4() { ([0, 0, 0, 0], 0).into() } else { ([0u16; 8], 0).into() };
    let socket = UdpSocket::bind(any)?;
    socket.set_read_timeout(Some(Duration::from_millis(ANSWER_MS_MAX)))?;
    socket.connect(server)?;
    socket.send(&QUESTION)?;
    let mut answer = [0u8; 512];
    let got = socket.recv(&mut answer)?;
    let code = answer[..got].get(3).map(|flags| flags & 0x0f);
    Ok(match code {
        Some(0) => "NOERROR".into(),
        Some(2) => "SERVFAIL".into(),
        Some(3) => "NXDOMAIN".into(),
        Some(5) => "REFUSED".into(),
        Some(other) => format!("RCODE{other}"),
        None => "no DNS answer".into(),
    })
}
