//! A filesystem is fuller than its limits: at 80 % a warning, at 90 % nothing may grow it.

use coroner_model::finding::{Confidence, Location};
use coroner_model::investigation::Reason;

use crate::fact::{Fact, FactKind, Subject};
use crate::scene::{Filesystem, Scene};

/// Whole percent used from which on a filesystem is reported.
pub const WARN_PERCENT: u8 = 80;
/// Whole percent used from which on nothing should grow it.
pub const BLOCK_PERCENT: u8 = 90;
/// Filesystems that are full by design, or hold no data.
const FULL_BY_DESIGN: [&str; 4] = ["/snap", "/proc", "/sys", "/dev"];

/// Finds it; a scene in order gives nothing.
pub fn detect(scene: &Scene) -> Vec<Fact> {
    scene.filesystems.iter().filter(|f| holds_data(f)).filter_map(fact).collect()
}

fn holds_data(filesystem: &Filesystem) -> bool {
    let under = |root: &&str| filesystem.mount == **root || filesystem.mount.starts_with(&format!("{root}/"));
    filesystem.bytes > 0 && !FULL_BY_DESIGN.iter().any(|root| under(&root))
}

fn fact(filesystem: &Filesystem) -> Option<Fact> {
    let used = filesystem.used_percent;
    let is = match used {
        BLOCK_PERCENT.. => "block",
        WARN_PERCENT.. => "warn",
        _ => return None,
    };
    let free_gb = filesystem.available / 1_000_000_000;
    let text = format!("{} is {used} % full, {free_gb} GB are free", filesystem.mount);
    let (path, line) = filesystem.at.locator.rsplit_once(':').unwrap_or((&filesystem.at.locator, "0"));
    Some(Fact {
        kind: FactKind::DiskUsage,
        is,
        component: filesystem.mount.clone(),
        affects: Vec::new(),
        because: vec![Reason { text: text.clone(), evidence: vec![filesystem.at.clone()], count: None }],
        text,
        against: Vec::new(),
        confidence: Confidence::High,
        location: Location { path: path.to_owned(), line: line.parse().unwrap_or(0), column: 0 },
        subjects: vec![Subject::Path(filesystem.mount.clone())],
        onset: None,
        ruled_out: Vec::new(),
        remedy: format!("Find what grows: `du -xh -d2 {} | sort -h | tail`. Rotate logs and prune images before data.", filesystem.mount),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use coroner_model::{Citation, Source};

    fn full(used_percent: u8, mount: &str) -> Scene {
        let at = Citation::new(Source::Host, "host/df.txt:2".into(), String::new());
        let filesystem = Filesystem { mount: mount.into(), bytes: 100, used: 1, available: 1, used_percent, at };
        Scene { filesystems: vec![filesystem], ..Scene::default() }
    }

    #[test]
    fn limits_hold_at_their_edges() {
        assert_eq!(detect(&full(79, "/")), Vec::new());
        assert_eq!(detect(&full(80, "/"))[0].is, "warn");
        assert_eq!(detect(&full(89, "/"))[0].is, "warn");
        assert_eq!(detect(&full(90, "/"))[0].is, "block");
        assert_eq!(detect(&full(100, "/snap/core/1")), Vec::new());
    }
}
