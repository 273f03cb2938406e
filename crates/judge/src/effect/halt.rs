//! What halts or restarts the host, or takes it off the network.

use coroner_model::effect::{Circumstance, EffectKind};
use coroner_read::shell::Word;

use super::named::Named;
use super::options::{Options, Order};
use super::{Plan, Planned, Target};

pub(super) fn plan(out: &mut Plan<'_>) {
    let call = out.call;
    let options = Options::read(&call.argv[1..], &["-t"], Order::Mixed);
    if options.has(&["--help"]) || options.has(&["--show"]) {
        return;
    }
    let words: Vec<&str> = options.operands.iter().filter_map(Word::as_literal).collect();
    match call.program() {
        // `-c` takes a planned one back, `-k` only warns.
        "shutdown" if options.has(&["-c", "-k"]) => {}
        "reboot" | "poweroff" | "halt" if options.has(&["-w", "--wtmp-only"]) => {}
        "init" | "telinit" if !matches!(words.first(), Some(&("0" | "1" | "6" | "s" | "S"))) => {}
        "ip" if !cuts_network(&words) => {}
        "ifconfig" if words.last() != Some(&"down") => {}
        "nmcli"
            if !matches!(
                words.as_slice(),
                ["networking" | "n", "off", ..]
                    | ["device" | "dev" | "d", "disconnect" | "delete", ..]
                    | ["connection" | "con" | "c", "down" | "delete", ..]
                    | ["radio", ..]
            ) => {}
        program => push(out, program),
    }
}

/// Adds that the host goes, by this word.
pub(super) fn push(out: &mut Plan<'_>, verb: &str) {
    out.named(EffectKind::StopService, host(verb));
}

/// The host that this word takes out of service.
pub(super) fn host(verb: &str) -> Named {
    Named::of("this host", format!("take the whole host out of service ({verb})")).with(Circumstance::WholeHost)
}

/// A function that starts itself beside itself, by the invocation that does it.
pub(super) fn multiplying(invocation: usize) -> Planned {
    let what = "start a function that starts itself twice over, until the host can start nothing any more";
    let named = Named::of("this host", what.to_owned()).with(Circumstance::WholeHost);
    let target = Target::Named(Box::new(named));
    Planned { kind: EffectKind::KillProcess, target, program: "function".to_owned(), invocation }
}

/// `ip link set eth0 down`, `ip route flush`, `ip addr flush dev eth0`.
fn cuts_network(words: &[&str]) -> bool {
    let loopback = words.contains(&"lo");
    let made =
        words.iter().any(|w| ["veth", "docker", "br-", "dummy", "wg", "tun", "tap"].iter().any(|p| w.starts_with(p)));
    match words.first().copied().unwrap_or_default() {
        "link" | "l" => words.contains(&"down") && !loopback && !made,
        "route" | "r" | "ro" => {
            words.contains(&"flush")
                || (words.contains(&"del") || words.contains(&"delete")) && words.contains(&"default")
        }
        "addr" | "address" | "a" => words.contains(&"flush") && !loopback && !made,
        _ => false,
    }
}
