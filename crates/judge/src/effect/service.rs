//! `systemctl`, `service` and the like: units stopped, the engine restarted, the host halted.

use coroner_model::effect::{Circumstance, EffectKind};
use coroner_read::shell::Word;

use super::docker::Containers;
use super::named::{Deciding, Named};
use super::options::{Options, Order};
use super::{Plan, Target, halt};

pub(super) fn plan(out: &mut Plan<'_>) {
    let call = out.call;
    let valued = [
        "-H",
        "--host",
        "-M",
        "--machine",
        "-t",
        "--type",
        "-s",
        "--signal",
        "-n",
        "-o",
        "-p",
        "--kill-whom",
        "--root",
    ];
    let options = Options::read(&call.argv[1..], &valued, Order::Mixed);
    if options.has(&["--user"]) || options.has(&["--help"]) || options.has(&["--dry-run"]) {
        return;
    }
    let mut words: Vec<&str> = options.operands.iter().filter_map(Word::as_literal).collect();
    // `service NAME VERB` has them the other way round.
    if matches!(call.program(), "service" | "rc-service" | "invoke-rc.d") {
        words.reverse();
    }
    let Some((verb, units)) = words.split_first() else { return };
    let units: Vec<&str> = units.iter().map(|u| u.trim_end_matches(".service").trim_end_matches(".socket")).collect();
    match *verb {
        "restart" | "try-restart" | "force-reload" | "reload-or-restart" => restart(out, verb, &units),
        "stop" | "disable" | "mask" | "kill" => stop(out, verb, &units),
        "poweroff" | "reboot" | "halt" | "kexec" | "suspend" | "hibernate" | "rescue" | "emergency" | "soft-reboot" => {
            halt::push(out, verb);
        }
        "isolate" => halt::push(out, "isolate"),
        _ => {}
    }
}

fn restart(out: &mut Plan<'_>, verb: &str, units: &[&str]) {
    for unit in units.iter().filter(|u| carries_others(u)) {
        let named = Named::of(*unit, format!("{verb} {unit}, which logins and connections go through"))
            .with(Circumstance::WholeHost);
        out.named(EffectKind::StopService, named);
    }
    if units.iter().any(|u| is_engine(u)) {
        let containers = Containers { names: Vec::new(), all: true, forced: false, place: out.place() };
        out.push(EffectKind::RestartContainer, Target::Containers(containers));
        engine(out, "restart");
    }
}

fn stop(out: &mut Plan<'_>, verb: &str, units: &[&str]) {
    for unit in units {
        if is_engine(unit) {
            engine(out, verb);
            continue;
        }
        let named = Named::of(*unit, format!("{verb} {unit}"));
        out.named(EffectKind::StopService, named.when(is_vital(unit) || unit.contains('*'), Circumstance::WholeHost));
    }
}

fn engine(out: &mut Plan<'_>, verb: &str) {
    let named =
        Named::of("docker", format!("{verb} the engine that every container runs in")).decided_by(Deciding::Engine);
    out.named(EffectKind::StopService, named);
}

fn is_engine(unit: &str) -> bool {
    matches!(unit, "docker" | "containerd" | "podman" | "crio" | "kubelet" | "k3s" | "snap.docker.dockerd")
}

/// Units whose restart already cuts others off, or ends what they run.
fn carries_others(unit: &str) -> bool {
    matches!(
        unit,
        "ssh"
            | "sshd"
            | "networking"
            | "network"
            | "NetworkManager"
            | "systemd-networkd"
            | "systemd-logind"
            | "dbus"
            | "dbus-broker"
            | "tailscaled"
            | "display-manager"
            | "gdm"
    ) || ["wg-quick@", "user@", "session-"].iter().any(|start| unit.starts_with(start))
}

/// Units without which nobody reaches the host any more.
fn is_vital(unit: &str) -> bool {
    matches!(
        unit,
        "ssh"
            | "sshd"
            | "networking"
            | "network"
            | "NetworkManager"
            | "systemd-networkd"
            | "systemd-resolved"
            | "dbus"
            | "systemd-logind"
            | "systemd-journald"
            | "firewalld"
            | "ufw"
            | "nftables"
            | "fail2ban"
            | "wg-quick@wg0"
            | "tailscaled"
            | "network.target"
            | "multi-user.target"
            | "systemd-udevd"
    ) || carries_others(unit)
}
