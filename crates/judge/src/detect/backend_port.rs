//! A proxy reaches the service's network, but nothing answers on the port that it asks.

mod listening;

use coroner_model::finding::Confidence;

use crate::detect::part::{self, Part};
use crate::detect::reason;
use crate::detect::routing::{self, Reach, Route};
use crate::fact::{Fact, FactKind, Subject};
use crate::scene::Scene;
use listening::{Known, Port};

/// Finds it; a scene in order gives nothing.
pub fn detect(scene: &Scene) -> Vec<Fact> {
    let parts = part::parts(scene);
    let mut facts: Vec<Fact> = Vec::new();
    for route in routing::routes(scene, &parts) {
        let told = route.network.as_deref();
        let Some(proxy) =
            route.proxies.iter().find(|p| matches!(routing::reach(p, &route.backend, told), Reach::Shared(_)))
        else {
            continue;
        };
        let found = not_running(&route, proxy).or_else(|| wrong_port(scene, &route, proxy));
        if let Some(fact) = found
            && !facts.iter().any(|f| f.component == fact.component)
        {
            facts.push(fact);
        }
    }
    facts
}

/// The backend was made and does not run.
fn not_running(route: &Route, proxy: &Part) -> Option<Fact> {
    let container = route.backend.container?;
    let status = container.state.status.as_str();
    let down = matches!(status, "exited" | "dead" | "restarting" | "created");
    // Without a route in a file the proxy forgets a container that somebody stopped.
    let failed =
        container.state.exit_code.is_some_and(|c| c != 0) || status == "restarting" || container.state.oom_killed;
    if !down || !(route.by_name || failed) || !proxy.container.is_some_and(|c| c.is_running()) {
        return None;
    }
    let code = container.state.exit_code.map(|c| format!(", exit code {c}")).unwrap_or_default();
    let state = format!("{} is {status}{code}", route.backend.container_name());
    let because = vec![reason(state.clone(), route.backend.cite_state("/State", &state)), of_route(route, proxy)];
    let text = format!("{} routes to {}, which is {status}{code}", proxy.name(), route.backend.name());
    let remedy = format!(
        "Read why it ended (`docker logs --tail 50 {}`), then `{}`",
        container.name,
        route.backend.up_command()
    );
    let mut fact = base(route, "not-running", text, because, Confidence::High, remedy);
    fact.onset = container.state.finished_at;
    Some(fact)
}

fn wrong_port(scene: &Scene, route: &Route, proxy: &Part) -> Option<Fact> {
    let asked = route.port?;
    let backend = &route.backend;
    let ports = listening::ports(scene, backend);
    let seen: Vec<&Port> = ports.iter().filter(|p| p.known == Known::Seen).collect();
    let refused = listening::refused(scene, route, asked);
    if !seen.is_empty() {
        let open: Vec<&&Port> = seen.iter().filter(|p| p.number == asked).collect();
        if open.iter().any(|p| !p.loopback) {
            return None;
        }
        return Some(match open.first() {
            Some(port) => {
                let text = format!(
                    "{} listens on {asked} for itself only (127.0.0.1), so {} cannot reach it",
                    backend.name(),
                    proxy.name()
                );
                let because = vec![reason(text.clone(), [port.at.clone()]), of_route(route, proxy)];
                let remedy = format!(
                    "Let `{}` listen on 0.0.0.0:{asked} instead of 127.0.0.1, then `{}`",
                    backend.name(),
                    backend.up_command()
                );
                base(route, "not-listening", text, because, Confidence::High, remedy)
            }
            None => {
                wrong(route, proxy, asked, &seen, if backend.is_live() { Confidence::High } else { Confidence::Medium })
            }
        });
    }
    let stated: Vec<&Port> = ports.iter().filter(|p| p.known == Known::Stated).collect();
    let agrees = ports.iter().any(|p| p.number == asked);
    if !stated.is_empty() && !agrees {
        return Some(wrong(route, proxy, asked, &stated, Confidence::Medium));
    }
    let (line, at) = refused?;
    let declared: Vec<&Port> = ports.iter().filter(|p| p.number != asked).collect();
    if !declared.is_empty() && !agrees {
        let mut fact = wrong(route, proxy, asked, &declared, Confidence::High);
        fact.because.push(reason(line, [at]));
        return Some(fact);
    }
    let text =
        format!("nothing answers on port {asked} of {}: connections from {} are refused", backend.name(), proxy.name());
    let because = vec![reason(line, [at]), of_route(route, proxy)];
    let remedy = format!(
        "See on which port it listens (`docker exec {} netstat -ltn`), and give that port to the proxy",
        backend.container_name()
    );
    Some(base(route, "not-listening", text, because, Confidence::Medium, remedy))
}

/// The proxy asks another port than the one that is known.
fn wrong(route: &Route, proxy: &Part, asked: u16, known: &[&Port], confidence: Confidence) -> Fact {
    let backend = &route.backend;
    let mut numbers: Vec<u16> = known.iter().map(|p| p.number).collect();
    numbers.sort_unstable();
    numbers.dedup();
    let words: Vec<String> = numbers.iter().map(u16::to_string).collect();
    let right = super::listed(&words);
    let text = format!("{} asks {} on port {asked}, but {} on {right}", proxy.name(), backend.name(), known[0].says);
    let mut because: Vec<_> = known
        .iter()
        .map(|p| reason(format!("{} {} on {}", backend.name(), p.says, p.number), [p.at.clone()]))
        .collect();
    because.push(of_route(route, proxy));
    let place = route.port_at.as_ref().map(|at| part::location_of(at).path).unwrap_or_default();
    let file = place.strip_prefix("files").filter(|p| p.starts_with('/'));
    let file =
        file.map(str::to_owned).or_else(|| backend.project.and_then(|p| p.files.first().cloned())).unwrap_or_default();
    let remedy = format!("Change the port {asked} to {} in `{file}`, then `{}`", words[0], backend.up_command());
    let mut fact = base(route, "wrong-port", text, because, confidence, remedy);
    if let Some(at) = route.port_at.as_ref().filter(|at| at.locator.starts_with("files/")) {
        fact.location = part::location_of(at);
    }
    fact
}

fn of_route(route: &Route, proxy: &Part) -> coroner_model::investigation::Reason {
    let port = route.port.map(|p| format!(" on port {p}")).unwrap_or_default();
    let at = route.port_at.clone().unwrap_or_else(|| route.at.clone());
    reason(format!("{} is told to reach {}{port}", proxy.name(), route.backend.name()), [at])
}

fn base(
    route: &Route,
    is: &'static str,
    text: String,
    because: Vec<coroner_model::investigation::Reason>,
    confidence: Confidence,
    remedy: String,
) -> Fact {
    let backend = &route.backend;
    let mut subjects = vec![Subject::Service(backend.name().to_owned())];
    subjects.extend(backend.container.map(|c| Subject::Container(c.name.clone())));
    subjects.extend(backend.project.iter().flat_map(|p| p.files.iter().cloned()).map(Subject::Path));
    let shared = route.proxies.iter().find_map(|p| match routing::reach(p, backend, route.network.as_deref()) {
        Reach::Shared(names) if !names.is_empty() => Some(super::listed(&names)),
        _ => None,
    });
    let ruled_out = shared
        .map(|names| {
            reason(
                format!("outside the proxy's network: both are in {names}"),
                backend.cite_state("/NetworkSettings/Networks", &names),
            )
        })
        .into_iter()
        .collect();
    Fact {
        kind: FactKind::BackendPort,
        is,
        component: backend.name().to_owned(),
        affects: Vec::new(),
        text,
        because,
        against: Vec::new(),
        confidence,
        location: backend.location(),
        subjects,
        onset: backend.container.and_then(|c| c.created),
        ruled_out,
        remedy,
    }
}
