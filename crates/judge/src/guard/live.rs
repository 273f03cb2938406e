//! Live data: what running and declared services have mounted to keep.

use coroner_model::probe::DockerTable;
use coroner_model::{Answers, Citation, Probe};
use coroner_read::docker::Container;
use coroner_read::{compose, docker};

use crate::effect::path::below;
use crate::scene::Scene;

/// One path of the host that a service keeps its data in.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct LivePath {
    pub(super) path: String,
    /// The service or container that uses it.
    pub(super) owner: String,
    pub(super) running: bool,
    /// The volume's name, where it is one.
    pub(super) volume: Option<String>,
    pub(super) cited: Option<Citation>,
}

/// A volume that a service uses or a project declares.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct LiveVolume {
    pub(super) name: String,
    pub(super) owner: String,
    /// The compose project that it belongs to; empty where it belongs to none.
    pub(super) project: String,
    pub(super) directory: String,
    /// Whether a container has it mounted now, which keeps `volume rm` from removing it.
    pub(super) in_use: bool,
    pub(super) anonymous: bool,
    pub(super) cited: Option<Citation>,
}

/// Every path that holds live data, each once, running services first.
pub(super) fn paths(scene: &Scene, answers: &Answers) -> Vec<LivePath> {
    let mut all: Vec<LivePath> = Vec::new();
    for container in &scene.containers {
        for mount in container.mounts.iter().filter(|m| m.writable && holds_data(container, m, scene)) {
            let named = (!mount.name.is_empty()).then(|| mount.name.clone());
            all.push(LivePath {
                path: clean(&mount.source),
                owner: container.component().to_owned(),
                running: container.is_running(),
                volume: named,
                cited: cite_mounts(container, answers, &mount.source),
            });
        }
    }
    for project in &scene.projects {
        for service in &project.services {
            for mount in service.volumes.iter().filter(|m| !m.read_only) {
                all.extend(declared(project, service, mount, scene));
            }
        }
    }
    all.sort_by(|a, b| (&a.path, !a.running, &a.owner).cmp(&(&b.path, !b.running, &b.owner)));
    all.dedup_by(|b, a| a.path == b.path);
    all
}

fn clean(path: &str) -> String {
    if path.len() > 1 { path.trim_end_matches('/').to_owned() } else { path.to_owned() }
}

fn declared(
    project: &compose::Project,
    service: &compose::Service,
    mount: &compose::Mount,
    scene: &Scene,
) -> Option<LivePath> {
    let (path, volume) = match mount.kind.as_str() {
        "bind" => {
            if is_code(
                &mount.source,
                &mount.destination,
                &project.directory,
                &service.build_context,
                &service.working_dir,
            ) {
                return None;
            }
            (mount.source.clone(), None)
        }
        "volume" => {
            let declaration = project.volumes.get(&mount.source)?;
            let found = scene.volumes.iter().find(|v| v.name == declaration.name).map(|v| v.mountpoint.clone());
            let path = Some(declaration.device.clone()).filter(|d| !d.is_empty()).or(found)?;
            (path, Some(declaration.name.clone()))
        }
        _ => return None,
    };
    if !path.starts_with('/') || is_of_the_system(&path) {
        return None;
    }
    Some(LivePath {
        path: clean(&path),
        owner: service.name.clone(),
        running: false,
        volume,
        cited: service.at.clone(),
    })
}

/// Whether a mount holds what the service keeps, not its code, sockets or time zone.
fn holds_data(container: &Container, mount: &docker::Mount, scene: &Scene) -> bool {
    match mount.kind.as_str() {
        "volume" => true,
        "bind" => {
            let directory = container.working_directory().unwrap_or_default();
            let project = scene.projects.iter().find(|p| p.directory == directory);
            let service =
                project.and_then(|p| p.services.iter().find(|s| Some(s.name.as_str()) == container.service()));
            let context = service.map_or("", |s| s.build_context.as_str());
            !is_of_the_system(&mount.source)
                && !is_code(&mount.source, &mount.destination, directory, context, &container.working_dir)
        }
        _ => false,
    }
}

fn is_of_the_system(path: &str) -> bool {
    let path = clean(path);
    let below_of = ["/proc", "/sys", "/dev", "/run", "/var/run", "/etc", "/usr", "/lib"];
    path == "/" || path.ends_with(".sock") || below_of.iter().any(|top| below(&path, top).is_some())
}

/// Source code that is mounted for development: the project itself, or the image's build context.
fn is_code(source: &str, destination: &str, project: &str, context: &str, working_dir: &str) -> bool {
    let source = clean(source);
    let holds_project = !project.is_empty() && below(&clean(project), &source).is_some();
    let is_context = !context.is_empty() && below(&clean(context), &source).is_some();
    let destination = clean(destination);
    let code_place = ["/app", "/code", "/workspace", "/usr/src/app", "/src"].contains(&destination.as_str());
    holds_project || is_context || (code_place && (working_dir.is_empty() || clean(working_dir) == destination))
}

fn cite_mounts(container: &Container, answers: &Answers, source: &str) -> Option<Citation> {
    let document = answers.document(&Probe::Docker(DockerTable::Inspect))?;
    let text = format!("{}: {source} is mounted, {}", container.name, container.state.status);
    Some(document.cite_pointer(&format!("/{}/Mounts", container.index), &text))
}

/// Every volume that a container uses or a project declares.
pub(super) fn volumes(scene: &Scene, answers: &Answers) -> Vec<LiveVolume> {
    let mut all: Vec<LiveVolume> = Vec::new();
    for container in &scene.containers {
        for mount in container.mounts.iter().filter(|m| m.kind == "volume") {
            all.push(LiveVolume {
                name: mount.name.clone(),
                owner: container.component().to_owned(),
                project: container.project().unwrap_or_default().to_owned(),
                directory: container.working_directory().unwrap_or_default().to_owned(),
                in_use: true,
                anonymous: is_anonymous(&mount.name),
                cited: cite_mounts(container, answers, &mount.name),
            });
        }
    }
    for project in &scene.projects {
        for (key, declaration) in project.volumes.iter().filter(|(_, d)| !d.external) {
            let user =
                project.services.iter().find(|s| s.volumes.iter().any(|m| m.kind == "volume" && m.source == *key));
            all.push(LiveVolume {
                name: declaration.name.clone(),
                owner: user.map_or_else(|| project.name.clone(), |s| s.name.clone()),
                project: project.name.clone(),
                directory: project.directory.clone(),
                in_use: false,
                anonymous: false,
                cited: user.and_then(|s| s.at.clone()),
            });
        }
    }
    all.sort_by(|a, b| (&a.name, !a.in_use).cmp(&(&b.name, !b.in_use)));
    all.dedup_by(|b, a| {
        let same = a.name == b.name;
        if same && a.project.is_empty() {
            a.project.clone_from(&b.project);
        }
        same
    });
    all
}

/// The engine names a volume without a name by 64 hex digits.
pub(super) fn is_anonymous(name: &str) -> bool {
    name.len() == 64 && name.bytes().all(|b| b.is_ascii_hexdigit())
}
