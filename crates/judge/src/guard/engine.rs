//! Which engine a command would reach: one that does not answer, or one on another host.

use coroner_model::effect::{Circumstance, Effect, EffectKind, TargetClass};
use coroner_model::probe::DockerTable;
use coroner_model::{Citation, Document, Probe};
use coroner_read::tsv;
use serde_json::Value;

use super::view::View;
use super::{Judged, Story};
use crate::effect::named::{is_loopback, is_production_name};
use crate::effect::{Place, Planned, Target};

/// The engine that is chosen.
struct Chosen {
    name: String,
    endpoint: String,
    cited: Option<Citation>,
}

/// Whether an effect goes through the engine that the settings of this host choose.
pub(super) fn is_engines(planned: &Planned) -> bool {
    let place = match &planned.target {
        Target::Containers(containers) => &containers.place,
        Target::Compose(compose) => &compose.place,
        Target::Volumes(volumes) => &volumes.place,
        Target::Run(spec) => &spec.place,
        Target::Named(named) if planned.kind == EffectKind::Prune => &named.place,
        _ => return false,
    };
    *place == Place::Host && matches!(planned.program.as_str(), "docker" | "docker-compose")
}

pub(super) fn probes(out: &mut Vec<Probe>) {
    out.extend([Probe::Docker(DockerTable::Context), Probe::Docker(DockerTable::Sockets)]);
}

impl View<'_> {
    /// What is to be said of the engine, for the first effect that goes through it.
    pub(super) fn engine_elsewhere(&self) -> Option<Judged> {
        let planned = self.effects.planned.iter().find(|planned| is_engines(planned))?;
        let chosen = self.chosen_engine()?;
        let mut effect = Effect::new(planned.kind, format!("engine of {}", chosen.name), &planned.program);
        let mut story = Story { evidence: chosen.cited.clone().into_iter().collect(), ..Story::default() };
        story.lines.push(format!("{} is {}", chosen.name, chosen.endpoint));
        if let Some(socket) = chosen.endpoint.strip_prefix("unix://") {
            let rows = self.sockets();
            let (_, answers) = rows.iter().find(|(path, _)| path == socket)?;
            if answers == "yes" {
                return None;
            }
            effect.add_circumstance(Circumstance::SilentEngine);
            story.would = format!("ask an engine that does not answer ({})", chosen.endpoint);
            story.why = "Nothing would happen, or it would happen somewhere else than is meant.".into();
            if rows.iter().any(|(path, answers)| answers == "yes" && path.ends_with("/var/run/docker.sock")) {
                story.instead.push("docker context use default".into());
            }
            return Some(Judged { effect, story });
        }
        let host = chosen.endpoint.split_once("://")?.1.rsplit('@').next()?.split([':', '/']).next()?;
        if host.is_empty() || is_loopback(host) {
            return None;
        }
        effect.add_circumstance(Circumstance::RemoteEngine);
        if is_production_name(&chosen.name) || is_production_name(host) {
            effect.add_class(TargetClass::Production);
        }
        story.would = format!("reach the engine of another host, {host}");
        story.why = "What runs on this host says nothing of what this would touch.".into();
        story.preview = Some("docker context ls".into());
        Some(Judged { effect, story })
    }

    /// By `DOCKER_HOST`, which overrides every context, or by the chosen context.
    fn chosen_engine(&self) -> Option<Chosen> {
        let set = |name: &str| self.case.request.env.get(name).filter(|v| !v.is_empty()).cloned();
        if let Some(endpoint) = set("DOCKER_HOST") {
            return Some(Chosen { name: "DOCKER_HOST".into(), endpoint, cited: None });
        }
        let documents = self.answers.documents(&Probe::Docker(DockerTable::Context));
        let list = documents.iter().find(|d| d.path.ends_with(".json"))?;
        let shown = documents.iter().find(|d| d.path.ends_with("/context"));
        let name = set("DOCKER_CONTEXT").or_else(|| Some(shown?.text.as_str().trim().to_owned()));
        let contexts = contexts(list);
        let field =
            |context: &Value, name: &str| context.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let context = match &name {
            Some(name) => contexts.iter().find(|c| field(c, "Name") == *name)?,
            None => contexts.iter().find(|c| c.get("Current").and_then(Value::as_bool) == Some(true))?,
        };
        let name = format!("context {}", field(context, "Name"));
        Some(Chosen { endpoint: field(context, "DockerEndpoint"), cited: Some(list.cite_whole(&name)), name })
    }

    fn sockets(&self) -> Vec<(String, String)> {
        let documents = self.answers.documents(&Probe::Docker(DockerTable::Sockets));
        let rows = documents.iter().flat_map(|d| tsv::rows(d.text.as_str(), &["path", "answers"]));
        rows.filter_map(|row| Some((row.get("path")?.to_owned(), row.get("answers")?.to_owned()))).collect()
    }
}

/// `docker context ls --format json`: an array, or one object a line.
fn contexts(document: &Document) -> Vec<Value> {
    let text = document.text.as_str();
    match serde_json::from_str::<Value>(text) {
        Ok(Value::Array(all)) => all,
        Ok(one) => vec![one],
        Err(_) => text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect(),
    }
}
