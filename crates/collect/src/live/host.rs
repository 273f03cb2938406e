//! What the host says of itself, printed as the ordinary commands print it.

pub(super) mod accounts;
mod disk;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use coroner_model::probe::HostTable;
use coroner_model::{CouldNotLook, Why};

use super::{Inner, blocked, listeners, processes, resolver};
use crate::casefile::{host_paths, obstacle};
use crate::seen::Seen;

/// Reads one table.
pub(super) fn table(inner: &Inner, table: HostTable) -> Result<Seen, CouldNotLook> {
    let text = match table {
        HostTable::Df => disk::bytes()?,
        HostTable::DfInodes => disk::inodes()?,
        HostTable::OpenFiles => processes::open_files()?,
        HostTable::Listeners => listeners::listeners()?,
        HostTable::Ps => processes::list()?,
        HostTable::Dns => resolver::ask_all()?,
        HostTable::Whoami => format!("{}\n", accounts::Accounts::read().user(rustix::process::geteuid().as_raw())),
        HostTable::Id => accounts::id(),
        HostTable::Env => env_text(&inner.settings.env),
        HostTable::Date => inner.settings.now.strftime("%Y-%m-%dT%H:%M:%S+00:00\n").to_string(),
        HostTable::Virt => format!("{}\n", virtualization()),
        HostTable::Packages => packages()?,
        HostTable::Growth
        | HostTable::Annotations
        | HostTable::Du
        | HostTable::Units
        | HostTable::Journal
        | HostTable::Dmesg
        | HostTable::Versions => {
            return Err(obstacle(Why::Unsupported, "not looked at on a live host; a casefile can hold it"));
        }
    };
    Ok(Seen::text(host_paths(table).first().copied().unwrap_or_default(), text))
}

/// The environment as `env` prints it.
pub(super) fn env_text(env: &BTreeMap<String, String>) -> String {
    env.iter().map(|(name, value)| format!("{name}={value}\n")).collect()
}

/// What `systemd-detect-virt` would print.
fn virtualization() -> &'static str {
    let says = |path: &str| fs::read_to_string(path).unwrap_or_default().to_ascii_lowercase();
    if Path::new("/.dockerenv").exists() {
        return "docker";
    }
    if Path::new("/run/.containerenv").exists() {
        return "podman";
    }
    if says("/proc/sys/kernel/osrelease").contains("microsoft") {
        return "wsl";
    }
    let board = format!("{} {}", says("/sys/class/dmi/id/sys_vendor"), says("/sys/class/dmi/id/product_name"));
    let known = [
        ("amazon ec2", "amazon"),
        ("google", "google"),
        ("vmware", "vmware"),
        ("virtualbox", "oracle"),
        ("innotek", "oracle"),
    ];
    if let Some((_, name)) = known.iter().find(|(mark, _)| board.contains(mark)) {
        return name;
    }
    if board.contains("microsoft") && board.contains("virtual") {
        return "microsoft";
    }
    let guest = says("/proc/cpuinfo").lines().any(|line| line.starts_with("flags") && line.contains(" hypervisor"));
    match guest {
        true if board.contains("kvm") || board.contains("qemu") => "kvm",
        true => "vm-other",
        false => "none",
    }
}

/// Packages that dpkg or apk has installed: `name version`.
fn packages() -> Result<String, CouldNotLook> {
    let debian = Path::new("/var/lib/dpkg/status");
    let (path, name_key, version_key) = match debian.exists() {
        true => (debian, "Package: ", "Version: "),
        false => (Path::new("/lib/apk/db/installed"), "P:", "V:"),
    };
    let text = fs::read_to_string(path).map_err(|error| blocked(path, &error))?;
    let mut out = String::from("name\tversion\n");
    for stanza in text.split("\n\n") {
        let field = |key: &str| stanza.lines().find_map(|line| line.strip_prefix(key));
        let removed = field("Status: ").is_some_and(|status| !status.ends_with(" installed"));
        if let (Some(name), Some(version), false) = (field(name_key), field(version_key), removed) {
            out.push_str(&format!("{name}\t{version}\n"));
        }
    }
    Ok(out)
}
