//! A filesystem is fuller than its limits.

use coroner_model::finding::Confidence;

use crate::detect::part::location_of;
use crate::detect::reason;
use crate::fact::{Fact, FactKind, Subject};
use crate::scene::{Filesystem, Scene};

/// Devices that hold nothing that could be freed: images that are full by nature, and memory.
const NOT_DISKS: [&str; 9] = ["tmpfs", "devtmpfs", "udev", "overlay", "squashfs", "shm", "efivarfs", "none", "proc"];

/// Finds it; a scene in order gives nothing.
pub fn detect(scene: &Scene) -> Vec<Fact> {
    let limits = &scene.config.disk;
    let mut seen: Vec<&str> = Vec::new();
    let mut facts = Vec::new();
    for filesystem in &scene.filesystems {
        let device = filesystem.device.as_str();
        if is_full_by_design(filesystem) || (!device.is_empty() && seen.contains(&device)) {
            continue;
        }
        seen.push(device);
        let (is, limit) = match filesystem.used_percent {
            percent if percent >= limits.block_percent => ("block", limits.block_percent),
            percent if percent >= limits.warn_percent => ("warn", limits.warn_percent),
            _ => continue,
        };
        facts.push(fact(filesystem, is, limit));
    }
    facts
}

/// Whether it is an image that is full by nature, or memory.
fn is_full_by_design(filesystem: &Filesystem) -> bool {
    let under = |root: &&str| filesystem.mount == **root || filesystem.mount.starts_with(&format!("{root}/"));
    let image = filesystem.device.starts_with("/dev/loop") || NOT_DISKS.contains(&filesystem.device.as_str());
    image || ["/snap", "/proc", "/sys", "/dev"].iter().any(under)
}

fn fact(filesystem: &Filesystem, is: &'static str, limit: u8) -> Fact {
    let Filesystem { mount, used_percent, available, at, .. } = filesystem;
    let text = format!("{mount} is {used_percent} % full (limit {limit} %): {} left", in_words(*available));
    Fact {
        kind: FactKind::DiskUsage,
        is,
        component: mount.clone(),
        affects: Vec::new(),
        because: vec![reason(text.clone(), [at.clone()])],
        text,
        against: Vec::new(),
        confidence: Confidence::High,
        location: location_of(at),
        subjects: vec![Subject::Path(mount.clone())],
        onset: None,
        ruled_out: Vec::new(),
        remedy: format!(
            "See what fills it: `du -xh --max-depth=2 {mount}`, and `docker system df` for images and build cache"
        ),
    }
}

/// Bytes in a unit that reads well.
fn in_words(bytes: u64) -> String {
    let units = ["B", "kB", "MB", "GB", "TB"];
    let mut value = bytes as f64;
    let mut unit = 0;
    while value >= 1000.0 && unit + 1 < units.len() {
        value /= 1000.0;
        unit += 1;
    }
    if unit == 0 || value >= 10.0 {
        format!("{value:.0} {}", units[unit])
    } else {
        format!("{value:.1} {}", units[unit])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use coroner_model::{Citation, Source};

    fn full(used_percent: u8, device: &str, mount: &str) -> Scene {
        let at = Citation::new(Source::Host, "host/df.txt:2".into(), String::new());
        let filesystem = Filesystem {
            device: device.into(),
            mount: mount.into(),
            bytes: 100,
            used: 1,
            available: 1,
            used_percent,
            at,
        };
        Scene { filesystems: vec![filesystem], ..Scene::default() }
    }

    #[test]
    fn limits_hold_at_their_edges_and_can_be_moved() {
        assert_eq!(detect(&full(79, "/dev/sda1", "/")), Vec::new());
        assert_eq!(detect(&full(80, "/dev/sda1", "/"))[0].is, "warn");
        assert_eq!(detect(&full(89, "/dev/sda1", "/"))[0].is, "warn");
        assert_eq!(detect(&full(90, "/dev/sda1", "/"))[0].is, "block");
        assert_eq!(detect(&full(100, "/dev/loop3", "/snap/core/1")), Vec::new());
        assert_eq!(detect(&full(95, "tmpfs", "/run")), Vec::new());
        let mut scene = full(85, "/dev/sda1", "/");
        scene.config.disk.block_percent = 85;
        assert_eq!(detect(&scene)[0].is, "block");
    }
}
