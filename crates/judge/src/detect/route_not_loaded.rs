//! Routes in files that a proxy does not read, or reads and drops.

use coroner_model::Citation;
use coroner_model::finding::Confidence;
use coroner_read::proxy_config::Kind;
use coroner_read::proxy_config::traefik::{self, Static};

use crate::detect::part::{self, Part};
use crate::detect::{declared, reason, within};
use crate::fact::{Fact, FactKind, Subject};
use crate::scene::{RouteFile, Scene};

/// Folders whose files show how it is done and are read by nobody.
const ASIDE: [&str; 12] = [
    "doc",
    "docs",
    "example",
    "examples",
    "sample",
    "samples",
    "template",
    "templates",
    "backup",
    "backups",
    "test",
    "tests",
];

/// Where a proxy reads its routes on the host.
struct Provider {
    proxy: String,
    told: Static,
    /// The folder or file, by its path on the host.
    root: String,
    is_file: bool,
    /// Directory of the project that declares it.
    project: String,
}

/// Finds it; a scene in order gives nothing.
pub fn detect(scene: &Scene) -> Vec<Fact> {
    let parts = part::parts(scene);
    let providers: Vec<Provider> = parts.iter().filter_map(|part| provider(scene, part)).collect();
    let mut facts = Vec::new();
    for provider in &providers {
        let read: Vec<(&String, &RouteFile)> =
            scene.route_files.iter().filter(|(path, _)| provider.reads(path)).collect();
        for (path, file) in &read {
            facts.extend(dropped(provider, path, file, &read));
        }
    }
    for (path, file) in &scene.route_files {
        facts.extend(unread(scene, path, file, &providers));
    }
    facts
}

impl Provider {
    fn reads(&self, path: &str) -> bool {
        let known = [".yml", ".yaml", ".toml"].iter().any(|end| path.ends_with(end));
        if self.is_file { path == self.root } else { known && within(path, &self.root) }
    }
}

/// The file provider of a proxy, where it is known which folder of the host it reads.
fn provider(scene: &Scene, part: &Part<'_>) -> Option<Provider> {
    let project = part.project?;
    if part.proxy_kind() != Some(Kind::Traefik) {
        return None;
    }
    let mounts = part.mounts();
    let host = |inside: &str| {
        let mount = mounts.iter().filter(|(_, to)| within(inside, to)).max_by_key(|(_, to)| to.len())?;
        Some(format!("{}{}", mount.0.trim_end_matches('/'), &inside[mount.1.trim_end_matches('/').len()..]))
    };
    let mut told = traefik::static_of_flags(part.words());
    if told == Static::default() {
        told = ["/etc/traefik/traefik.yml", "/etc/traefik/traefik.yaml", "/etc/traefik/traefik.toml", "/traefik.yml"]
            .iter()
            .filter_map(|inside| host(inside))
            .find_map(|path| scene.route_files.get(&path)?.told.clone())?;
    }
    let (inside, is_file) = match (&told.directory, &told.file) {
        (Some(directory), _) => (directory.trim_end_matches('/').to_owned(), false),
        (None, Some(file)) => (file.clone(), true),
        (None, None) => return None,
    };
    let root = host(&inside)?;
    Some(Provider { proxy: part.name().to_owned(), told, root, is_file, project: project.directory.clone() })
}

/// Routes that the proxy reads and does not serve.
fn dropped(provider: &Provider, path: &str, file: &RouteFile, read: &[(&String, &RouteFile)]) -> Vec<Fact> {
    if let Some((line, why)) = &file.dynamic.broken {
        let text = format!("{} cannot read {path}, line {line}: {why}", provider.proxy);
        return vec![fact("syntax", path, text, file.document.cite_line(*line), path)];
    }
    let all_read = read.iter().all(|(_, f)| f.dynamic.broken.is_none() && f.document.bytes_left_out == 0);
    let mut facts = Vec::new();
    for router in &file.dynamic.routers {
        let at = file.document.cite_line(router.line);
        let service = router.service.strip_suffix("@file").unwrap_or(&router.service);
        let templated = |text: &str| text.contains("{{");
        let defined = || read.iter().any(|(_, f)| f.dynamic.services.iter().any(|s| s == service || templated(s)));
        if all_read && !service.is_empty() && !service.contains('@') && !templated(service) && !defined() {
            let near = nearest(service, read.iter().flat_map(|(_, f)| &f.dynamic.services));
            let hint = near.map(|n| format!(" (there is {n})")).unwrap_or_default();
            let text = format!("router {} names the service {service}, which no file defines{hint}", router.name);
            facts.push(fact("undefined-service", &router.name, text, at.clone(), path));
        }
        let known = &provider.told.entry_points;
        let unknown = router
            .entry_points
            .iter()
            .find(|p| !known.is_empty() && !templated(p) && !known.contains(&p.to_ascii_lowercase()));
        if let Some(point) = unknown {
            let text = format!(
                "router {} asks for the entry point {point}, and {} has {}",
                router.name,
                provider.proxy,
                known.join(", ")
            );
            facts.push(fact("unknown-entrypoint", &router.name, text, at, path));
        }
    }
    facts
}

/// Routes in a file of the proxy's project that its provider does not look at.
fn unread(scene: &Scene, path: &str, file: &RouteFile, providers: &[Provider]) -> Option<Fact> {
    let router = file.dynamic.routers.first()?;
    let mine: Vec<&Provider> = providers.iter().filter(|p| within(path, &p.project)).collect();
    let provider = mine.first()?;
    let aside = path.rsplit('/').skip(1).any(|folder| ASIDE.contains(&folder.to_ascii_lowercase().as_str()));
    if aside || mine.iter().any(|p| p.reads(path)) {
        return None;
    }
    // A template beside what was made from it is read by whoever makes that.
    let rendered = path.rsplit_once('.').map(|(front, _)| front);
    if rendered.is_some_and(|front| scene.route_files.contains_key(front)) {
        return None;
    }
    let text = format!("{path} holds the router {}, and {} reads {} only", router.name, provider.proxy, provider.root);
    Some(fact("not-read", &router.name, text, file.document.cite_line(router.line), path))
}

fn fact(is: &'static str, component: &str, text: String, at: Citation, path: &str) -> Fact {
    let mut fact = declared(FactKind::RouteNotLoaded, is, component, text.clone(), &at);
    fact.because = vec![reason(text, [at])];
    fact.confidence = Confidence::Medium;
    fact.subjects = vec![Subject::Path(path.to_owned())];
    fact
}

/// The name that most likely was meant: one that holds the other.
fn nearest<'n>(name: &str, all: impl Iterator<Item = &'n String>) -> Option<&'n String> {
    all.filter(|n| !n.is_empty()).find(|n| name.contains(n.as_str()) || n.contains(name))
}
