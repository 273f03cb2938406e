//! What a container has mounted is gone, or another directory lies there now.
//!
//! A running process keeps the removed directory open and goes on for a while;
//! the host no longer has it, or has an empty new one of the same name.

use coroner_model::finding::{Confidence, Location};
use coroner_model::investigation::Reason;
use coroner_model::{Citation, Source};
use coroner_read::docker::{Container, Mount};
use jiff::Timestamp;

use crate::fact::{Fact, FactKind, Subject};
use crate::scene::{MountInode, PathState, Sample, Scene};

/// Finds it; a scene in order gives nothing.
pub fn detect(scene: &Scene) -> Vec<Fact> {
    scene
        .containers
        .iter()
        .filter(|container| matters(container))
        .flat_map(|container| container.mounts.iter().enumerate().map(move |(at, mount)| (container, at, mount)))
        .filter(|(_, _, mount)| is_data(mount))
        .filter_map(|(container, at, mount)| {
            let sampled = by_samples(scene, container, mount).or_else(|| remade_volume(scene, container, mount));
            let found = missing(scene, container, mount).or_else(|| gone_volume(scene, mount));
            let unseen = || unlisted(scene, container, mount).map(|reason| Sampled { is: "gone", reason, since: None });
            let half_seen = found.is_none() && sampled.is_none();
            let sampled = sampled.or_else(|| unseen().filter(|_| half_seen));
            let onset = sampled.as_ref().and_then(|s| s.since);
            let (is, mut reason) = match (found, sampled) {
                (Some((is, mut reason)), Some(sampled)) => {
                    reason.evidence.extend(sampled.reason.evidence);
                    (is, reason)
                }
                (Some(found), None) => found,
                (None, sampled) => sampled.map(|s| (s.is, s.reason))?,
            };
            reason.evidence.dedup();
            let mut fact = fact(scene, container, at, mount, is, reason);
            fact.onset = onset.or(fact.onset);
            if half_seen {
                fact.confidence = Confidence::Low;
            }
            Some(fact)
        })
        .collect()
}

/// A container that runs or failed; one that a person stopped may have lost its data on purpose.
fn matters(container: &Container) -> bool {
    match container.state.status.as_str() {
        "running" | "restarting" | "paused" | "dead" => true,
        "exited" => container.state.exit_code.is_some_and(|code| !matches!(code, 0 | 137 | 143)),
        "created" => !container.state.error.is_empty(),
        _ => false,
    }
}

/// Bind mounts and volumes that can hold data; sockets and kernel filesystems cannot.
fn is_data(mount: &Mount) -> bool {
    let kernel = ["/proc", "/sys", "/dev", "/run", "/var/run", "/etc/localtime"];
    let under = |root: &&str| mount.source == **root || mount.source.starts_with(&format!("{root}/"));
    matches!(mount.kind.as_str(), "bind" | "volume") && !mount.source.is_empty() && !kernel.iter().any(under)
}

/// How the source is missing, and what shows it.
fn missing(scene: &Scene, container: &Container, mount: &Mount) -> Option<(&'static str, Reason)> {
    let state = scene.paths.get(mount.source.trim_end_matches('/'));
    let inode = scene
        .mount_inodes
        .iter()
        .find(|i| names(container, &i.container) && (i.path == mount.source || i.path == mount.destination));
    if let Some(state) = state.filter(|s| !s.exists) {
        return Some(("gone", gone(scene, mount, state)));
    }
    let inode = inode?;
    match (inode.host, inode.inside) {
        (None, _) => Some(("gone", reason(format!("{} is not there any more", mount.source), inode.at.clone()))),
        (Some(host), Some(inside)) if host != inside && !is_file(state, mount) => {
            Some(("replaced", replaced(inode, host, inside)))
        }
        _ => None,
    }
}

/// A listing that has the directory above, changed since the container started, and nothing of the source.
///
/// It may not have looked into that directory, so this is half of a proof.
fn unlisted(scene: &Scene, container: &Container, mount: &Mount) -> Option<Reason> {
    let source = mount.source.trim_end_matches('/');
    let (above, _) = source.rsplit_once('/')?;
    let parent = scene.paths.get(above).filter(|p| p.exists && p.kind == Some('d'))?;
    let changed = parent.changed?;
    let since = container.state.started_at.or(container.created)?;
    let silent = scene.unlisted.contains(&mount.source) || scene.unlisted.contains(source);
    (silent && mount.kind == "bind" && changed > since && !is_file(None, mount)).then(|| {
        let text = format!("the listing has {above}, changed {changed}, and no {source} in it");
        Reason { text, evidence: parent.at.iter().cloned().collect(), count: None }
    })
}

/// The engine does not know the volume any more.
fn gone_volume(scene: &Scene, mount: &Mount) -> Option<(&'static str, Reason)> {
    let known = scene.volumes.iter().any(|v| v.name == mount.name);
    (mount.kind == "volume" && scene.volumes_known && !known && !mount.name.is_empty()).then(|| {
        let cited =
            Citation::new(Source::Docker, "docker/volumes.json".to_owned(), format!("no volume {}", mount.name));
        ("gone", reason(format!("the engine knows no volume {}", mount.name), cited))
    })
}

/// What samples over time show of a mount.
struct Sampled {
    is: &'static str,
    reason: Reason,
    since: Option<Timestamp>,
}

/// A sample shows the path gone, or with another inode, while the container stayed up.
fn by_samples(scene: &Scene, container: &Container, mount: &Mount) -> Option<Sampled> {
    let of_mount = |s: &'_ &crate::scene::Sample| names(container, &s.container);
    let mut all: Vec<_> = scene
        .samples
        .iter()
        .filter(of_mount)
        .filter_map(|s| Some((s, s.mounts.iter().find(|m| m.source == mount.source && !m.is_volume)?)))
        .collect();
    all.sort_by_key(|(s, _)| s.at);
    let (_, last) = all.last()?;
    let before = all.iter().rposition(|(_, m)| m.inode.is_some() && m.inode != last.inode)?;
    let (changed, _) = all[before + 1..].iter().find(|(_, m)| m.inode == last.inode)?;
    // A container that was started on the new directory holds no other.
    let started_on_it =
        last.inode.is_some() && container.state.started_at.is_some_and(|start| changed.at.is_some_and(|at| start > at));
    let emptied = all.last().is_some_and(|(now, _)| shrank(all[before].0, now) == Some(true));
    if (started_on_it && !emptied) || is_file(scene.paths.get(&mount.source), mount) {
        return None;
    }
    let is = if last.inode.is_none() { "gone" } else { "replaced" };
    let mut reason = reason(
        format!(
            "{} was there and then {}",
            mount.source,
            if is == "gone" { "was not" } else { "was another directory" }
        ),
        all[before].0.cited.clone(),
    );
    reason.evidence.push(changed.cited.clone());
    Some(Sampled { is, reason, since: changed.at })
}

/// Samples show that a volume was made anew while its container's name stayed: what it held is gone.
///
/// Where the samples count what is held, a count that came back speaks of a restored
/// backup, and one that was nothing before of a volume that had nothing to lose.
fn remade_volume(scene: &Scene, container: &Container, mount: &Mount) -> Option<Sampled> {
    let mut all: Vec<_> = scene
        .samples
        .iter()
        .filter(|s| names(container, &s.container))
        .filter_map(|s| {
            let made = s.mounts.iter().find(|m| m.is_volume && m.source == mount.name)?.created?;
            Some((s, made))
        })
        .collect();
    all.sort_by_key(|(s, _)| s.at);
    let (last, made) = *all.last().filter(|_| mount.kind == "volume")?;
    let before = all.iter().rposition(|(_, earlier)| *earlier < made)?;
    let known = all[before].0;
    if shrank(known, last) == Some(false) {
        return None;
    }
    let text =
        format!("volume {} of {} was removed, and one of the same name was made {made}", mount.name, all[before].1);
    let mut reason = reason(text, known.cited.clone());
    reason.evidence.push(last.cited.clone());
    Some(Sampled { is: "replaced", reason, since: Some(made) })
}

/// Whether nearly all of what a container held is gone; `None` where nothing was counted twice.
fn shrank(before: &Sample, after: &Sample) -> Option<bool> {
    /// What may be left of it.
    const LEFT_MAX: f64 = 0.1;
    let counted: Vec<(f64, f64)> =
        before.metrics.iter().filter_map(|(name, held)| Some((*held, *after.metrics.get(name)?))).collect();
    let lost = |(held, left): &(f64, f64)| *held > 0.0 && *left <= held * LEFT_MAX;
    (!counted.is_empty()).then(|| counted.iter().any(lost))
}

fn names(container: &Container, name: &str) -> bool {
    container.answers_to(name.trim_start_matches('/'))
}

/// A single mounted file is replaced by every editor; that is another failure.
fn is_file(state: Option<&PathState>, mount: &Mount) -> bool {
    match state.and_then(|s| s.kind) {
        Some(kind) => kind != 'd',
        None => mount.destination.rsplit('/').next().is_some_and(|name| name.trim_start_matches('.').contains('.')),
    }
}

fn gone(scene: &Scene, mount: &Mount, state: &PathState) -> Reason {
    let absent = Citation::new(Source::Host, "host/tree.tsv".to_owned(), format!("no entry for {}", mount.source));
    let mut because =
        reason(format!("{} does not exist on the host", mount.source), state.at.clone().unwrap_or(absent));
    because.evidence.extend(parent(scene, mount).and_then(|p| p.at.clone()));
    because
}

fn replaced(inode: &MountInode, host: u64, inside: u64) -> Reason {
    let text = format!("{} is inode {host} on the host, and inode {inside} in the container", inode.path);
    reason(text, inode.at.clone())
}

fn reason(text: String, evidence: Citation) -> Reason {
    Reason { text, evidence: vec![evidence], count: None }
}

/// State of the nearest directory above that is still there.
fn parent<'a>(scene: &'a Scene, mount: &Mount) -> Option<&'a PathState> {
    let mut at = mount.source.trim_end_matches('/');
    while let Some((above, _)) = at.rsplit_once('/') {
        if let Some(state) = scene.paths.get(above).filter(|s| s.exists) {
            return Some(state);
        }
        at = above;
    }
    None
}

/// When the entry left its directory: the directory changed then.
fn since(scene: &Scene, container: &Container, mount: &Mount) -> Option<Timestamp> {
    let changed = parent(scene, mount)?.changed?;
    container.state.started_at.is_none_or(|started| changed >= started).then_some(changed)
}

fn fact(scene: &Scene, container: &Container, at: usize, mount: &Mount, is: &'static str, missing: Reason) -> Fact {
    let component = container.component().to_owned();
    let pointer = container.locator(&format!("/Mounts/{at}"));
    let mounted = format!("{} mounted at {}", mount.source, mount.destination);
    let cited = Citation::new(Source::Docker, pointer.clone(), mounted);
    let state = if container.is_running() { "runs" } else { "failed" };
    let text = match (mount.kind.as_str(), is) {
        ("volume", "replaced") => format!(
            "volume {} was removed under container {}, which now has an empty one of that name at {}",
            mount.name, container.name, mount.destination
        ),
        (_, is) if mount.destination.is_empty() => format!(
            "{} {} under container {}, which has it mounted",
            mount.source,
            if is == "gone" { "was removed" } else { "was replaced by another directory" },
            container.name
        ),
        (_, is) => format!(
            "{} {} under container {}, which has it mounted at {}",
            mount.source,
            if is == "gone" { "was removed" } else { "was replaced by another directory" },
            container.name,
            mount.destination
        ),
    };
    let mut subjects = vec![Subject::Path(mount.source.clone()), Subject::Container(container.name.clone())];
    if mount.kind == "volume" {
        subjects.push(Subject::Volume(mount.name.clone()));
    }
    Fact {
        kind: FactKind::MountSourceMissing,
        is,
        text,
        because: vec![
            missing,
            reason(format!("{} {state} with {} mounted at {}", container.name, mount.source, mount.destination), cited),
        ],
        against: Vec::new(),
        affects: Vec::new(),
        confidence: Confidence::High,
        location: Location { path: pointer, line: 0, column: 0 },
        subjects,
        onset: since(scene, container, mount),
        ruled_out: Vec::new(),
        remedy: remedy(container, mount),
        component,
    }
}

fn remedy(container: &Container, mount: &Mount) -> String {
    let up = match container.service() {
        Some(service) => format!("`docker compose up -d {service}`"),
        None => format!("`docker start {}`", container.name),
    };
    let name = &container.name;
    format!(
        "While `{name}` still runs it may hold the files open: copy out what can be read (`docker cp {name}:{} ./rescued`) \
         before anything else. Then `docker stop {name}`, put the newest backup back at `{}` with its owner, and {up}.",
        mount.destination, mount.source
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn container(status: &str, exit: i64) -> Container {
        let text = format!(
            r#"[{{"Name":"/depot-1","Created":"2026-01-01T00:00:00Z","State":{{"Status":"{status}","ExitCode":{exit},
            "StartedAt":"2026-01-01T00:00:01Z"}},"Config":{{}},
            "Mounts":[{{"Type":"bind","Source":"/srv/depot/pg","Destination":"/data","RW":true}}]}}]"#
        );
        coroner_read::docker::containers(&text).unwrap().remove(0)
    }

    fn scene(status: &str, exit: i64, exists: bool) -> Scene {
        let state = PathState { exists, kind: Some('d'), ..PathState::default() };
        Scene {
            containers: vec![container(status, exit)],
            paths: [("/srv/depot/pg".to_owned(), state)].into(),
            ..Scene::default()
        }
    }

    #[test]
    fn a_removed_source_is_found_and_a_present_one_is_not() {
        assert_eq!(detect(&scene("running", 0, false))[0].is, "gone");
        assert_eq!(detect(&scene("exited", 1, false)).len(), 1);
        assert_eq!(detect(&scene("running", 0, true)), Vec::new());
        assert_eq!(detect(&scene("exited", 0, false)), Vec::new(), "stopped on purpose");
    }

    #[test]
    fn another_inode_is_a_replaced_directory() {
        let mut replaced = scene("running", 0, true);
        let at = Citation::new(Source::Docker, "docker/inodes.tsv:2".into(), String::new());
        let mut inode = MountInode {
            container: "depot-1".into(),
            path: "/srv/depot/pg".into(),
            host: Some(9),
            inside: Some(7),
            at,
        };
        replaced.mount_inodes.push(inode.clone());
        assert_eq!(detect(&replaced)[0].is, "replaced");
        inode.inside = Some(9);
        replaced.mount_inodes = vec![inode];
        assert_eq!(detect(&replaced), Vec::new());
    }
}
