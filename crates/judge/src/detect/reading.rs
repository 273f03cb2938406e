//! Whose source text is whose: which part runs the code that reads a variable.

use crate::detect::credential;
use crate::detect::part::Part;
use crate::scene::{Scene, SettingDefault};

/// The readings of each part, in the order of the parts.
pub(super) fn owned<'s>(scene: &'s Scene, parts: &[Part<'s>]) -> Vec<Vec<&'s SettingDefault>> {
    let mut all = vec![Vec::new(); parts.len()];
    for setting in &scene.settings {
        for index in owners(setting, parts) {
            all[index].push(setting);
        }
    }
    all
}

/// The parts that run a file: by its container, a mount, a build context, a folder of
/// the part's name, or as the only one of the project that runs code of its own.
fn owners(setting: &SettingDefault, parts: &[Part]) -> Vec<usize> {
    let path = setting.path.as_str();
    if let Some(container) = &setting.container {
        return which(parts, |p| p.container.is_some_and(|c| c.name == *container));
    }
    let mounted = which(parts, |p| p.has_mounted(path));
    if !mounted.is_empty() {
        return mounted;
    }
    let contexts: Vec<(usize, usize)> =
        parts.iter().enumerate().filter_map(|(i, p)| Some((i, depth_of_context(p, path)?))).collect();
    if let Some(deepest) = contexts.iter().map(|(_, depth)| *depth).max() {
        return contexts.into_iter().filter(|(_, depth)| *depth == deepest).map(|(i, _)| i).collect();
    }
    let in_project = |p: &Part| p.project.is_some_and(|project| within(path, &project.directory));
    let runs_own_code = |p: &Part| {
        let image = p.image();
        !credential::is_server_image(image) && p.proxy_kind().is_none()
    };
    let named = which(parts, |p| {
        in_project(p) && path.split('/').any(|folder| !folder.is_empty() && names(p).contains(&folder))
    });
    if !named.is_empty() {
        return named;
    }
    let only = which(parts, |p| in_project(p) && runs_own_code(p));
    if only.len() == 1 { only } else { Vec::new() }
}

fn which(parts: &[Part], keep: impl Fn(&Part) -> bool) -> Vec<usize> {
    parts.iter().enumerate().filter(|(_, p)| keep(p)).map(|(i, _)| i).collect()
}

/// The names that a folder of the part's code may have.
fn names<'p>(part: &'p Part) -> Vec<&'p str> {
    let image = part.image().rsplit('/').next().unwrap_or("");
    let image = image.split([':', '@']).next().unwrap_or("");
    [part.name(), image].into_iter().filter(|n| !n.is_empty()).collect()
}

/// How deep the build context lies that holds a path; a Dockerfile in a folder of its own narrows it.
fn depth_of_context(part: &Part, path: &str) -> Option<usize> {
    let service = part.service?;
    let context = service.build_context.as_str();
    if context.is_empty() || !within(path, context) {
        return None;
    }
    let narrowed = service.dockerfile.rsplit_once('/').map_or("", |(folder, _)| folder);
    if within(narrowed, context) && narrowed != context {
        return within(path, narrowed).then_some(narrowed.len());
    }
    Some(context.len())
}

/// Whether a path is a directory or lies below it.
pub(crate) fn within(path: &str, directory: &str) -> bool {
    let directory = directory.trim_end_matches('/');
    path == directory || path.strip_prefix(directory).is_some_and(|rest| rest.starts_with('/'))
}
