//! A service writes its log into a file of the engine that nothing bounds.

use coroner_model::finding::Confidence;
use coroner_read::compose::{Project, Service};

use crate::detect::{declared, reason};
use crate::fact::{Fact, FactKind, Subject};
use crate::scene::Scene;

/// Settings of the engine, where a bound for every log may stand.
pub const ENGINE_SETTINGS: &str = "/etc/docker/daemon.json";

/// Finds it; a scene in order gives nothing.
pub fn detect(scene: &Scene) -> Vec<Fact> {
    if scene.engine_bounds_logs == Some(true) {
        return Vec::new();
    }
    let services =
        |project: &'_ Project| project.services.iter().map(|s| (s.name.clone(), bound(s))).collect::<Vec<_>>();
    let mut facts = Vec::new();
    for project in &scene.projects {
        let bounds = services(project);
        for service in &project.services {
            let others = || bounds.iter().filter(|(name, _)| *name != service.name);
            let bounded = others().filter(|(_, b)| *b == Bound::Yes).count();
            let is = match bound(service) {
                Bound::Missing => "no-max-size",
                // Where most services of a project are bounded, one that is not was forgotten.
                Bound::Unsaid if bounded * 2 > others().count() => "left-out",
                _ => continue,
            };
            facts.extend(fact(project, service, is));
        }
    }
    facts
}

/// Whether what is found in a project may depend on the engine's own settings.
pub fn matters(project: &Project) -> bool {
    let any = |wanted: Bound| project.services.iter().any(|s| bound(s) == wanted);
    any(Bound::Missing) || any(Bound::Yes)
}

/// Whether a service's log had a bound and would have none.
pub fn loses_bound(was: &Service, is: &Service) -> bool {
    bound(was) == Bound::Yes && bound(is) == Bound::Unsaid
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Bound {
    Yes,
    /// A file driver is chosen, and no size for it.
    Missing,
    /// Nothing is said: the engine's default holds.
    Unsaid,
    /// A driver that keeps no file of its own, or bounds it by itself.
    Elsewhere,
}

fn bound(service: &Service) -> Bound {
    let size = service.logging_options.get("max-size").map(|text| text.trim());
    let file = matches!(service.logging_driver.as_str(), "json-file" | "");
    if !file {
        return Bound::Elsewhere;
    }
    match size {
        Some(text) if !text.is_empty() && !text.starts_with('-') && text != "0" => Bound::Yes,
        None if service.logging_driver.is_empty() && service.logging_options.is_empty() => Bound::Unsaid,
        _ => Bound::Missing,
    }
}

fn fact(project: &Project, service: &Service, is: &'static str) -> Option<Fact> {
    let at = service.at.clone()?;
    let text = match is {
        "left-out" => {
            format!("the log of {} has no bound, while the other services of {} have one", service.name, project.name)
        }
        _ => {
            format!("{} logs into a json-file without max-size, so its log grows until the disk is full", service.name)
        }
    };
    let mut fact = declared(FactKind::LogUnbounded, is, &service.name, text.clone(), &at);
    fact.because = vec![reason(text, [at])];
    fact.confidence = Confidence::Medium;
    fact.subjects = vec![Subject::Service(service.name.clone())];
    fact.remedy = "Give it `logging: {driver: json-file, options: {max-size: \"10m\", max-file: \"3\"}}`, or set `log-opts` for the whole engine.".to_owned();
    Some(fact)
}

/// Whether the engine's settings bound every log; `None` where the text is none.
pub fn engine_bounds(text: &str) -> Option<bool> {
    let settings: serde_json::Value = serde_json::from_str(text).ok()?;
    let driver = settings.get("log-driver").and_then(serde_json::Value::as_str).unwrap_or("json-file");
    let size = settings.get("log-opts").and_then(|o| o.get("max-size")).and_then(serde_json::Value::as_str);
    Some(driver == "local" || size.is_some_and(|s| !s.is_empty() && !s.starts_with('-')))
}
