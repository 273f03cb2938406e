//! Space and inodes of mounted file systems, as `df -P` prints them.

use std::collections::BTreeSet;
use std::path::Path;

use coroner_model::CouldNotLook;
use rustix::fs::statvfs;

use crate::live::blocked;

struct Mount {
    device: String,
    at: String,
}

/// `df -P -B1`.
pub(super) fn bytes() -> Result<String, CouldNotLook> {
    let mut out = String::from("Filesystem 1-blocks Used Available Capacity Mounted on\n");
    for (mount, stat) in mounted()? {
        let size = stat.f_blocks * stat.f_frsize;
        let used = (stat.f_blocks - stat.f_bfree) * stat.f_frsize;
        let available = stat.f_bavail * stat.f_frsize;
        out.push_str(&format!(
            "{} {size} {used} {available} {} {}\n",
            mount.device,
            percent(used, used + available),
            mount.at
        ));
    }
    Ok(out)
}

/// `df -P -i`.
pub(super) fn inodes() -> Result<String, CouldNotLook> {
    let mut out = String::from("Filesystem Inodes IUsed IFree IUse% Mounted on\n");
    for (mount, stat) in mounted()? {
        let used = stat.f_files.saturating_sub(stat.f_ffree);
        let share = percent(used, stat.f_files);
        out.push_str(&format!("{} {} {used} {} {share} {}\n", mount.device, stat.f_files, stat.f_ffree, mount.at));
    }
    Ok(out)
}

/// Mounts that have blocks, each device once, as `df` shows them.
fn mounted() -> Result<Vec<(Mount, rustix::fs::StatVfs)>, CouldNotLook> {
    let path = Path::new("/proc/self/mounts");
    let text = std::fs::read_to_string(path).map_err(|error| blocked(path, &error))?;
    let mut seen = BTreeSet::new();
    let mut mounts: Vec<Mount> = text.lines().filter_map(mount_of).collect();
    // Of several mounts of one device the shortest path speaks for it.
    mounts.sort_by_key(|mount| mount.at.len());
    mounts.retain(|mount| !mount.device.starts_with('/') || seen.insert(mount.device.clone()));
    mounts.sort_by(|a, b| a.at.cmp(&b.at));
    let stat = |mount: Mount| {
        let stat = statvfs(mount.at.as_str()).ok()?;
        (stat.f_blocks > 0).then_some((mount, stat))
    };
    Ok(mounts.into_iter().filter_map(stat).collect())
}

fn mount_of(line: &str) -> Option<Mount> {
    let mut fields = line.split(' ');
    Some(Mount { device: unescaped(fields.next()?), at: unescaped(fields.next()?) })
}

/// The kernel writes space, tab, newline and backslash as three octal digits.
fn unescaped(field: &str) -> String {
    field.replace("\\040", " ").replace("\\011", "\t").replace("\\012", "\n").replace("\\134", "\\")
}

/// Rounded up, as `df` does.
fn percent(used: u64, of: u64) -> String {
    match of {
        0 => "-".into(),
        of => format!("{}%", (u128::from(used) * 100).div_ceil(u128::from(of))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_round_up_as_df_does() {
        assert_eq!((percent(1, 1000).as_str(), percent(0, 10).as_str(), percent(0, 0).as_str()), ("1%", "0%", "-"));
        assert_eq!(unescaped("/mnt/my\\040disk"), "/mnt/my disk");
    }
}
