//! Which engine a command would reach: one that does not answer, or one on another host.

use coroner_model::effect::{Circumstance, Effect, EffectKind, TargetClass};
use coroner_model::probe::DockerTable;
use coroner_model::{Citation, Document, Probe};
use coroner_read::shell::{Invocation, Word};
use coroner_read::tsv;
use serde_json::Value;

use super::view::View;
use super::{Judged, Story};
use crate::effect::named::{is_loopback, is_production_name};
use crate::effect::{self, Place, Planned, Target};

/// The engine that is chosen.
struct Chosen {
    name: String,
    endpoint: String,
    cited: Option<Citation>,
}

/// Whether an effect goes through an engine of this host's settings or of the command's own words.
pub(super) fn is_engines(planned: &Planned) -> bool {
    let place = match &planned.target {
        Target::Containers(containers) => &containers.place,
        Target::Compose(compose) => &compose.place,
        Target::Volumes(volumes) => &volumes.place,
        Target::Run(spec) => &spec.place,
        Target::Named(named) if planned.kind == EffectKind::Prune => &named.place,
        _ => return false,
    };
    !matches!(place, Place::Container { .. }) && matches!(planned.program.as_str(), "docker" | "docker-compose")
}

pub(super) fn probes(out: &mut Vec<Probe>) {
    out.extend([Probe::Docker(DockerTable::Context), Probe::Docker(DockerTable::Sockets)]);
}

impl View<'_> {
    /// What is to be said of the engines, for the first effect that goes through one that is not meant.
    pub(super) fn engine_elsewhere(&self) -> Option<Judged> {
        self.effects.planned.iter().filter(|p| is_engines(p)).find_map(|planned| self.engine_of(planned))
    }

    fn engine_of(&self, planned: &Planned) -> Option<Judged> {
        let call = self.effects.script.invocations.get(planned.invocation).filter(|call| call.is_local())?;
        let chosen = self.chosen_engine(call, planned.invocation)?;
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

    /// By the command's options, then its variables, then `DOCKER_HOST`, which overrides every context.
    fn chosen_engine(&self, call: &Invocation, index: usize) -> Option<Chosen> {
        let option = |names: &[&str]| option_of(call, names);
        let own = |name: &str| call.assignments.iter().rev().find(|(n, _)| n == name).map(|(_, v)| v.show());
        let set = |name: &str| {
            own(name).or_else(|| self.case.request.env.get(name).cloned()).filter(|value| !value.is_empty())
        };
        let by_option = option(&["-c", "--context"]);
        if by_option.is_none()
            && let Some(endpoint) = option(&["-H", "--host"]).or_else(|| set("DOCKER_HOST"))
        {
            return Some(Chosen { name: "DOCKER_HOST".into(), endpoint, cited: None });
        }
        let documents = self.answers.documents(&Probe::Docker(DockerTable::Context));
        let list = documents.iter().find(|d| d.path.ends_with(".json"));
        let shown = documents.iter().find(|d| d.path.ends_with("/context"));
        let explicit = by_option.or_else(|| set("DOCKER_CONTEXT")).or_else(|| self.switched_to(index));
        let contexts = list.map(contexts).unwrap_or_default();
        let field =
            |context: &Value, name: &str| context.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let name = explicit.clone().or_else(|| Some(shown?.text.as_str().trim().to_owned()));
        let context = match &name {
            Some(name) => contexts.iter().find(|c| field(c, "Name") == *name),
            None => contexts.iter().find(|c| c.get("Current").and_then(Value::as_bool) == Some(true)),
        };
        match (context, explicit) {
            (Some(context), _) => {
                let name = format!("context {}", field(context, "Name"));
                let cited = list.map(|list| list.cite_whole(&name));
                Some(Chosen { endpoint: field(context, "DockerEndpoint"), cited, name })
            }
            // Where it leads is not known, and what it is called says enough.
            (None, Some(name)) if is_production_name(&name) => {
                let endpoint = format!("context://{name}");
                Some(Chosen { name: format!("context {name}"), endpoint, cited: None })
            }
            _ => None,
        }
    }

    /// The context that the session or this text chose last.
    fn switched_to(&self, index: usize) -> Option<String> {
        let chosen = |call: &Invocation| {
            let words: Vec<&str> = call.argv.iter().filter_map(Word::as_literal).collect();
            match words.as_slice() {
                ["docker", "context", "use", name, ..] => Some((*name).to_owned()),
                _ => None,
            }
        };
        let here = self.effects.script.invocations.iter().take(index).rev().find_map(chosen);
        here.or_else(|| {
            self.past.iter().rev().filter_map(|deed| deed.command.as_ref().map(|c| (c, &deed.cwd))).find_map(
                |(command, cwd)| {
                    let plain = command.contains("context");
                    let effects = plain.then(|| effect::of_command(command, cwd, &self.case.request.env))?;
                    effects.script.invocations.iter().rev().find_map(chosen)
                },
            )
        })
    }

    fn sockets(&self) -> Vec<(String, String)> {
        let documents = self.answers.documents(&Probe::Docker(DockerTable::Sockets));
        let rows = documents.iter().flat_map(|d| tsv::rows(d.text.as_str(), &["path", "answers"]));
        rows.filter_map(|row| Some((row.get("path")?.to_owned(), row.get("answers")?.to_owned()))).collect()
    }
}

/// The value of an option that stands before the verb.
fn option_of(call: &Invocation, names: &[&str]) -> Option<String> {
    let mut words = call.argv.iter().skip(1);
    while let Some(word) = words.next() {
        let text = word.prefix();
        if !text.starts_with('-') {
            return None;
        }
        if names.contains(&text) {
            return words.next().map(Word::show);
        }
        if let Some((name, _)) = text.split_once('=')
            && names.contains(&name)
        {
            return Some(word.show()[name.len() + 1..].to_owned());
        }
    }
    None
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
