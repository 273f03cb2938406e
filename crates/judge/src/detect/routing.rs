//! Which proxy sends what to whom: by labels of the backends, or by the proxy's own files.

use coroner_model::Citation;
use coroner_read::proxy_config::Kind;

use crate::detect::part::{self, Part};
use crate::detect::reading::within;
use crate::scene::{DockerProvider, Scene, Upstream};

/// One way from proxies to a backend.
#[derive(Clone, Debug)]
pub(super) struct Route<'s> {
    /// The proxies that read the route; any of them may serve it.
    pub proxies: Vec<Part<'s>>,
    pub backend: Part<'s>,
    /// The port that the proxy asks.
    pub port: Option<u16>,
    /// Where the port is given.
    pub port_at: Option<Citation>,
    /// Where the route is given.
    pub at: Citation,
    /// Public names, in words; empty where unknown.
    pub name: String,
    /// The network that the proxy is told to use.
    pub network: Option<String>,
    /// The proxy's own file names the backend, so that the route stays when the backend is gone.
    pub by_name: bool,
}

/// Every route whose proxy and backend are both known.
pub(super) fn routes<'s>(scene: &'s Scene, parts: &[Part<'s>]) -> Vec<Route<'s>> {
    let mut all = by_labels(scene, parts);
    all.extend(scene.upstreams.iter().filter_map(|u| by_file(parts, u)));
    all
}

/// Which component sends requests to which, by every route that is known.
pub(crate) fn pairs(scene: &Scene) -> Vec<(String, String)> {
    let parts = part::parts(scene);
    let routes = routes(scene, &parts);
    let of_route = |r: &Route| {
        let backend = r.backend.name().to_owned();
        r.proxies.iter().map(|p| (p.name().to_owned(), backend.clone())).collect::<Vec<_>>()
    };
    routes.iter().flat_map(of_route).collect()
}

/// Whether a part acts as a proxy of a kind.
fn is_proxy(part: &Part, kind: Kind) -> bool {
    let is_kind = part.proxy_kind() == Some(kind);
    let told =
        kind == Kind::Traefik && part.words().iter().any(|w| w.to_ascii_lowercase().contains("--providers.docker"));
    is_kind || told
}

/// Proxies of a kind; those that run, where any does.
fn proxies<'s>(parts: &[Part<'s>], kind: Kind) -> Vec<Part<'s>> {
    let all: Vec<Part<'s>> = parts.iter().filter(|p| is_proxy(p, kind)).copied().collect();
    let running: Vec<Part<'s>> = all.iter().filter(|p| p.container.is_some_and(|c| c.is_running())).copied().collect();
    if running.is_empty() { all } else { running }
}

fn by_labels<'s>(scene: &Scene, parts: &[Part<'s>]) -> Vec<Route<'s>> {
    let mut found = Vec::new();
    for part in parts {
        for route in part.routes() {
            let asked: Vec<Part> = proxies(parts, route.kind)
                .into_iter()
                .filter(|p| route.enabled.unwrap_or_else(|| exposes_by_default(scene, p)))
                .filter(|p| p.is_live() == part.is_live() || p.shares_project(part))
                .collect();
            // A proxy that routes to itself shows its own pages.
            if asked.is_empty() || asked.iter().any(|p| p.is(part)) {
                continue;
            }
            let Some(at) = part.cite_label(&route.from) else { continue };
            found.push(Route {
                backend: *part,
                port: route.port,
                port_at: route.port_from.as_deref().and_then(|k| part.cite_label(k)),
                at,
                name: route.hosts.join(", "),
                network: route.network.or_else(|| default_network(scene, &asked)),
                proxies: asked,
                by_name: false,
            });
        }
    }
    found
}

/// Whether a proxy shows a container that does not ask for it.
fn exposes_by_default(scene: &Scene, proxy: &Part) -> bool {
    let told = docker_option(proxy, "exposedbydefault").map(|value| value.eq_ignore_ascii_case("true"));
    told.or_else(|| of_file(scene, proxy, |p| p.told.exposed_by_default)).unwrap_or(true)
}

/// The network over which proxies reach containers that name none.
fn default_network(scene: &Scene, proxies: &[Part]) -> Option<String> {
    proxies
        .iter()
        .find_map(|p| docker_option(p, "network").or_else(|| of_file(scene, p, |p| p.told.network.clone())))
        .filter(|name| !name.is_empty())
}

/// An option of the docker provider, by flag or variable; a bare flag is `true`.
fn docker_option(proxy: &Part, name: &str) -> Option<String> {
    let flag = format!("--providers.docker.{name}");
    let by_flag = proxy.words().iter().find_map(|word| {
        let (key, value) = word.split_once('=').unwrap_or((word, "true"));
        key.eq_ignore_ascii_case(&flag).then(|| value.to_owned())
    });
    by_flag.or_else(|| proxy.variable_in_any_case(&format!("TRAEFIK_PROVIDERS_DOCKER_{name}")).map(|v| v.text))
}

/// What the static file of a proxy says of containers.
fn of_file<T>(scene: &Scene, proxy: &Part, pick: impl Fn(&DockerProvider) -> Option<T>) -> Option<T> {
    scene.docker_providers.iter().filter(|p| reads_file(proxy, &p.path)).find_map(pick)
}

fn by_file<'s>(parts: &[Part<'s>], upstream: &'s Upstream) -> Option<Route<'s>> {
    let of_kind = proxies(parts, upstream.kind);
    let told: Vec<Part> = of_kind.iter().filter(|p| reads_file(p, &upstream.path)).copied().collect();
    let proxies = if told.is_empty() && of_kind.len() == 1 { of_kind } else { told };
    let proxy = proxies.first()?;
    let mut answering: Vec<&Part> =
        parts.iter().filter(|p| p.answers_to(&upstream.host) && !proxies.iter().any(|q| q.is(p))).collect();
    // A container of the proxy's own project is meant even while it is down, before a namesake
    // elsewhere; what runs comes before what is only declared.
    answering.sort_by_key(|p| {
        let near = p.shares_project(proxy);
        (!(near && p.is_live()), !p.container.is_some_and(|c| c.is_running()), !near)
    });
    let backend = **answering.first()?;
    Some(Route {
        backend,
        port: upstream.port,
        port_at: Some(upstream.at.clone()),
        at: upstream.at.clone(),
        name: upstream.route.clone(),
        network: None,
        by_name: true,
        proxies,
    })
}

/// Whether a configuration file reaches a proxy: mounted, or in its build context.
fn reads_file(proxy: &Part, path: &str) -> bool {
    let live = proxy
        .container
        .is_some_and(|c| c.mounts.iter().any(|m| m.source != "/" && !m.source.is_empty() && within(path, &m.source)));
    let declared = proxy.service.is_some_and(|s| {
        s.volumes.iter().any(|v| v.kind == "bind" && v.source != "/" && within(path, &v.source))
            || (!s.build_context.is_empty() && within(path, &s.build_context))
    });
    live || declared
}

/// How a proxy stands to a backend.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Reach {
    /// They share these networks, or reach each other in another way.
    Shared(Vec<String>),
    /// They share none.
    Apart,
    /// They share one, but the proxy is told to use another that it is not in.
    WrongNetwork(String),
}

/// Whether a proxy reaches a backend; where half of it is unknown, it is taken to.
pub(super) fn reach(proxy: &Part, backend: &Part, told: Option<&str>) -> Reach {
    let open = [proxy, backend].iter().any(|p| p.is_on_host() || p.borrows_network());
    let (from, to) = (proxy.networks(), backend.networks());
    let isolated = backend.container.is_some_and(|c| c.is_running() && c.network_mode == "none");
    if open || from.is_empty() || (to.is_empty() && !isolated) {
        return Reach::Shared(Vec::new());
    }
    let shared: Vec<String> = from.iter().filter(|n| to.contains(n)).cloned().collect();
    if shared.is_empty() {
        return Reach::Apart;
    }
    if let Some(told) = told {
        let is_told = |name: &&String| name.as_str() == told || name.ends_with(&format!("_{told}"));
        let chosen = to.iter().find(is_told);
        if let Some(chosen) = chosen.filter(|c| !from.contains(c)) {
            return Reach::WrongNetwork(chosen.clone());
        }
    }
    Reach::Shared(shared)
}
