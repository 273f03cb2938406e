//! A proxy routes to a service that it shares no network with.

use coroner_model::finding::Confidence;

use crate::detect::part::{self, Part};
use crate::detect::routing::{self, Reach, Route};
use crate::detect::{credential, listed, reason};
use crate::fact::{Fact, FactKind, Subject};
use crate::scene::Scene;

/// Finds it; a scene in order gives nothing.
pub fn detect(scene: &Scene) -> Vec<Fact> {
    let parts = part::parts(scene);
    let mut facts: Vec<Fact> = Vec::new();
    let mut routes = routing::routes(scene, &parts);
    routes.extend(strays(&parts, &routes));
    for route in &routes {
        let told = route.network.as_deref();
        let reaches: Vec<Reach> = route.proxies.iter().map(|p| routing::reach(p, &route.backend, told)).collect();
        if reaches.iter().any(|r| matches!(r, Reach::Shared(_))) {
            continue;
        }
        let (Some(proxy), Some(reach)) = (route.proxies.first(), reaches.first()) else { continue };
        if !facts.iter().any(|f| f.component == route.backend.name() && f.kind == FactKind::ProxyUnreachable) {
            facts.push(fact(route, proxy, reach, &parts));
        }
    }
    facts
}

/// Containers that stand in for a service of a project and were not made by compose.
fn strays<'s>(parts: &[Part<'s>], routes: &[Route<'s>]) -> Vec<Route<'s>> {
    let mut found = Vec::new();
    for route in routes {
        let backend = &route.backend;
        if backend.container.is_some_and(|c| c.is_running()) || backend.service.is_none() {
            continue;
        }
        let stray = parts.iter().find(|p| {
            p.container.is_some_and(|c| c.is_running() && c.project().is_none()) && stands_in(p, backend, parts)
        });
        if let Some(stray) = stray {
            found.push(Route { backend: *stray, ..route.clone() });
        }
    }
    found
}

/// Whether a container made by hand has the name of a service, or its image where no other service has it.
fn stands_in(stray: &Part, of: &Part, parts: &[Part]) -> bool {
    let (Some(container), Some(service)) = (stray.container, of.service) else { return false };
    let users = || parts.iter().filter(|p| p.service.is_some_and(|s| s.image == service.image)).count();
    let same_image = !service.image.is_empty()
        && service.image == container.image
        && !credential::is_server_image(&container.image)
        && users() == 1;
    has_name_of(stray, of) || same_image
}

/// Whether a container made by hand has a name that compose would give to a service.
fn has_name_of(stray: &Part, of: &Part) -> bool {
    let (Some(container), Some(service)) = (stray.container, of.service) else { return false };
    let project = of.project.map_or("", |p| p.name.as_str());
    let names = [
        service.name.clone(),
        service.container_name.clone(),
        format!("{project}-{}-1", service.name),
        format!("{project}_{}_1", service.name),
    ];
    names.contains(&container.name)
}

fn fact(route: &Route, proxy: &Part, reach: &Reach, parts: &[Part]) -> Fact {
    let backend = &route.backend;
    let (name, proxy_name) = (backend.name(), proxy.name());
    let live = backend.is_live() && proxy.is_live();
    let (from, to) = (proxy.networks(), backend.networks());
    let networks =
        |names: &[String]| if names.is_empty() { "no network".to_owned() } else { format!("{{{}}}", names.join(", ")) };
    let text = match reach {
        Reach::WrongNetwork(told) => {
            format!("{proxy_name} is told to reach {name} over network {told}, which {proxy_name} is not in")
        }
        _ => format!("{name} shares no network with {proxy_name}, which routes {} to it", route_words(route)),
    };
    let mut because = vec![
        reason(format!("{name} is in {}", networks(&to)), cite_networks(backend)),
        reason(format!("{proxy_name} is in {}", networks(&from)), cite_networks(proxy)),
        reason(format!("{proxy_name} routes {} to {name}", route_words(route)), [route.at.clone()]),
    ];
    let by_hand = backend.container.is_some_and(|c| c.project().is_none());
    if by_hand {
        because.push(reason(
            format!("container {} was not made by compose: it has no compose labels", backend.container_name()),
            backend.cite_state("/Config/Labels", "no com.docker.compose labels"),
        ));
    }
    let mut subjects = vec![Subject::Service(name.to_owned())];
    subjects.extend(backend.container.map(|c| Subject::Container(c.name.clone())));
    subjects.extend(backend.project.iter().flat_map(|p| p.files.iter().cloned()).map(Subject::Path));
    Fact {
        kind: FactKind::ProxyUnreachable,
        is: "no-shared-network",
        component: name.to_owned(),
        affects: Vec::new(),
        text,
        because,
        against: Vec::new(),
        confidence: if live { Confidence::High } else { Confidence::Medium },
        location: backend.location(),
        subjects,
        onset: backend.container.and_then(|c| c.created),
        ruled_out: vec![reason(format!("dead or wrong port behind {name}: no connection gets as far as a port"), None)],
        remedy: remedy(route, proxy, by_hand, parts),
    }
}

fn route_words(route: &Route) -> String {
    if route.name.is_empty() { "requests".to_owned() } else { route.name.clone() }
}

fn cite_networks(part: &Part) -> Option<coroner_model::Citation> {
    let names = part.networks();
    part.cite_state("/NetworkSettings/Networks", &listed(&names)).or_else(|| part.service.and_then(|s| s.at.clone()))
}

/// What brings them together, with real names.
fn remedy(route: &Route, proxy: &Part, by_hand: bool, parts: &[Part]) -> String {
    let backend = &route.backend;
    let network = proxy.networks().into_iter().next().unwrap_or_default();
    if by_hand {
        let container = backend.container_name();
        let named = parts.iter().find(|p| has_name_of(backend, p));
        let service = named.or_else(|| parts.iter().find(|p| stands_in(backend, p, parts)));
        return match service {
            Some(service) => format!(
                "Replace it by the service: `docker stop {container}`, `docker rename {container} {container}-by-hand`, then `{}`",
                service.up_command()
            ),
            None => format!(
                "Now: `docker network connect {network} {container}`. For good: make it a service of the compose file, with network `{network}`"
            ),
        };
    }
    let declared = match (backend.project, backend.service) {
        (Some(project), Some(service)) => project.network_names(service),
        _ => Vec::new(),
    };
    if backend.is_live() && declared.contains(&network) {
        return format!(
            "Its compose file already names network `{network}`, its container is older: `{}`",
            backend.up_command()
        );
    }
    let file = backend.project.and_then(|p| p.files.first()).cloned().unwrap_or_default();
    let key = backend
        .project
        .and_then(|p| p.networks.iter().find(|(_, n)| n.name == network).map(|(k, _)| k.clone()))
        .unwrap_or(network);
    format!("Add network `{key}` to service `{}` in `{file}`, then `{}`", backend.name(), backend.up_command())
}
