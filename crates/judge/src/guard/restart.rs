//! Restarts that would keep an environment that its files have left behind.

use coroner_model::Citation;
use coroner_model::effect::{Circumstance, Effect};
use coroner_read::docker::Container;

use super::past::Deed;
use super::tool::{absolute, quote};
use super::view::{View, told};
use super::{Judged, Story};
use crate::detect::env_drift;
use crate::effect::{self, ComposeTarget, Containers, Place, Planned};

/// A change that a restart would not bring into effect.
struct Pending {
    /// What changed, as a sentence.
    text: String,
    evidence: Vec<Citation>,
    /// The file that changed, where one did.
    file: Option<String>,
    remedy: Option<String>,
}

impl View<'_> {
    pub(super) fn restart_containers(&self, planned: &Planned, containers: &Containers) -> Vec<Judged> {
        let shown = || containers.names.iter().map(|w| w.show()).collect::<Vec<_>>().join(" ");
        if let Place::Remote { host } = &containers.place {
            return vec![told(Effect::new(planned.kind, format!("{host}:{}", shown()), &planned.program))];
        }
        let hit: Vec<&Container> = self.scene.containers.iter().filter(|c| containers.names(&names(c))).collect();
        if hit.is_empty() {
            let target = if containers.all { "every container".to_owned() } else { shown() };
            return vec![self.restart_unseen(planned, target)];
        }
        hit.into_iter().map(|container| self.restart(planned, container)).collect()
    }

    pub(super) fn restart_services(&self, planned: &Planned, compose: &ComposeTarget) -> Vec<Judged> {
        let in_project = |c: &&Container| {
            let project = compose.project.as_ref().and_then(|p| p.as_literal());
            let directory = compose.directory.as_literal();
            match (project, directory, c.working_directory()) {
                (Some(name), _, _) => c.project() == Some(name),
                (None, Some(at), Some(its)) => {
                    at.trim_end_matches('/') == its.trim_end_matches('/') || !compose.services.is_empty()
                }
                _ => true,
            }
        };
        let hit: Vec<&Container> = self
            .scene
            .containers
            .iter()
            .filter(|c| c.service().is_some_and(|s| compose.names(&[s])))
            .filter(in_project)
            .collect();
        if hit.is_empty() {
            let services: Vec<String> = compose.services.iter().map(|w| w.show()).collect();
            let target = if services.is_empty() { compose.directory.show() } else { services.join(" ") };
            return vec![self.restart_unseen(planned, target)];
        }
        hit.into_iter().map(|container| self.restart(planned, container)).collect()
    }

    fn restart(&self, planned: &Planned, container: &Container) -> Judged {
        let mut effect = Effect::new(planned.kind, container.name.clone(), &planned.program);
        let pending = self.changed_by_session(planned, Some(container)).or_else(|| self.drifted(container));
        let Some(pending) = pending else { return told(effect) };
        effect.add_circumstance(Circumstance::EnvChangePending);
        let story = self.tell_restart(&container.name, container.component(), pending, Some(container));
        Judged { effect, story }
    }

    /// A container of which nothing is known: only the session can say something.
    fn restart_unseen(&self, planned: &Planned, target: String) -> Judged {
        let mut effect = Effect::new(planned.kind, target.clone(), &planned.program);
        if self.knows_containers() {
            return told(effect);
        }
        let Some(pending) = self.changed_by_session(planned, None) else { return told(effect) };
        effect.add_circumstance(Circumstance::EnvChangePending);
        let story = self.tell_restart(&target, &target, pending, None);
        Judged { effect, story }
    }

    fn tell_restart(&self, name: &str, service: &str, pending: Pending, container: Option<&Container>) -> Story {
        let command = self.recreate(service, container, pending.file.as_deref());
        let mut instead = vec![command];
        instead.extend(pending.remedy.filter(|_| container.is_none()));
        Story {
            would: format!("restart {name} with the environment it was created with"),
            lines: vec![pending.text],
            why: "A restart keeps the container as it was made; only making it anew reads the files again.".into(),
            instead,
            preview: None,
            evidence: pending.evidence,
            undecided: None,
        }
    }

    /// What the engine shows: the container's environment is not that of its files.
    fn drifted(&self, container: &Container) -> Option<Pending> {
        let fact = env_drift::detect(&self.scene)
            .into_iter()
            .find(|f| f.component == container.component() || f.component == container.name)?;
        Some(Pending {
            text: fact.text.clone(),
            evidence: fact.because.iter().flat_map(|r| r.evidence.iter().cloned()).collect(),
            file: fact.location.path.strip_prefix("files").map(str::to_owned),
            remedy: Some(fact.remedy).filter(|r| !r.is_empty()),
        })
    }

    /// What the session shows: a file that the container is made from was edited, and it was not made anew since.
    fn changed_by_session(&self, planned: &Planned, container: Option<&Container>) -> Option<Pending> {
        let files = container.map(|c| self.files_of(c)).unwrap_or_default();
        let known = container.is_some_and(|c| c.service().is_some()) && !files.is_empty();
        if container.is_some() && !known {
            return None;
        }
        let relevant = |path: &str| if known { files.iter().any(|f| f == path) } else { makes_containers(path) };
        let mine = container.map(names).unwrap_or_default();
        let mut pending: Option<Pending> = None;
        for deed in &self.past {
            let (written, recreated) = done(deed, &mine, &relevant);
            if recreated {
                pending = None;
            }
            if let Some(path) = written {
                pending = Some(Pending {
                    text: format!("{path} was edited earlier ({})", deed.name),
                    evidence: deed.cited.iter().cloned().collect(),
                    file: Some(path),
                    remedy: None,
                });
            }
        }
        let earlier = self.edited_in_this_text(planned, &relevant, &mine);
        match earlier {
            Some(None) => None,
            Some(Some(path)) => Some(Pending {
                text: format!("{path} is edited by the same command, before the restart"),
                evidence: Vec::new(),
                file: Some(path),
                remedy: None,
            }),
            None => pending,
        }
    }

    /// Inside one text: `Some(path)` edited before, `Some(None)` made anew before, `None` neither.
    fn edited_in_this_text(
        &self,
        planned: &Planned,
        relevant: &dyn Fn(&str) -> bool,
        mine: &[&str],
    ) -> Option<Option<String>> {
        let mut last = None;
        for (index, call) in self.effects.script.invocations.iter().enumerate().take(planned.invocation) {
            if self.effects.planned.iter().any(|p| p.invocation == index && remade(p, mine)) {
                last = Some(None);
            }
            let one = effect::Effects {
                script: coroner_read::shell::Script { invocations: vec![call.clone()], ..Default::default() },
                planned: self.effects.planned.iter().filter(|p| p.invocation == index).cloned().collect(),
                ..Default::default()
            };
            if let Some(path) = written_paths(&one).into_iter().find(|p| relevant(p)) {
                last = Some(Some(path));
            }
        }
        last
    }

    /// Files that a container is made from, as far as they are known.
    fn files_of(&self, container: &Container) -> Vec<String> {
        let directory = container.working_directory().unwrap_or_default();
        let mut files: Vec<String> = container
            .config_files()
            .iter()
            .chain(&container.environment_files())
            .map(|f| absolute(directory, f))
            .collect();
        let project = self
            .scene
            .projects
            .iter()
            .find(|p| p.directory == directory || Some(p.name.as_str()) == container.project());
        if let Some(project) = project {
            files.extend(project.files.iter().cloned());
            let service = project.services.iter().find(|s| Some(s.name.as_str()) == container.service());
            files.extend(service.iter().flat_map(|s| s.env_files.iter().cloned()));
            // Files that interpolation reads: its variables stand in the compose file.
            files.extend(
                project
                    .variables
                    .values()
                    .filter_map(|v| v.at.locator.split(':').next()?.strip_prefix("files"))
                    .map(str::to_owned),
            );
        }
        if !directory.is_empty() {
            files.push(format!("{directory}/.env"));
            if project.is_none() {
                // What the service reads is not known: any env file beside its compose file may be it.
                files.extend(
                    self.past
                        .iter()
                        .flat_map(|d| d.edits.iter())
                        .filter(|p| makes_containers(p) && p.rsplit_once('/').is_some_and(|(d, _)| d == directory))
                        .cloned(),
                );
            }
        }
        files.sort();
        files.dedup();
        files
    }

    /// The command that makes a service anew, with the files that it was made from.
    fn recreate(&self, service: &str, container: Option<&Container>, changed: Option<&str>) -> String {
        let mut words = vec!["docker".to_owned(), "compose".to_owned()];
        let directory = container.and_then(|c| c.working_directory());
        if let Some(container) = container {
            let at_home =
                directory.is_some_and(|d| d.trim_end_matches('/') == self.case.request.cwd.trim_end_matches('/'));
            let default =
                container.config_files().len() <= 1 && container.config_files().iter().all(|f| is_default_file(f));
            if !at_home || !default {
                for file in container.config_files() {
                    words.extend(["-f".to_owned(), quote(&file)]);
                }
            }
        }
        let mut env_files: Vec<String> = container.map(|c| c.environment_files()).unwrap_or_default();
        if env_files.is_empty()
            && let Some(file) = changed.filter(|f| is_env_file(f) && !self.is_service_file(f) && !f.ends_with("/.env"))
        {
            env_files.push(file.to_owned());
        }
        for file in env_files {
            words.extend(["--env-file".to_owned(), quote(&file)]);
        }
        words.extend(["up".to_owned(), "-d".to_owned(), quote(service)]);
        words.join(" ")
    }

    /// Whether a service loads the file by itself (`env_file:`).
    fn is_service_file(&self, path: &str) -> bool {
        self.scene.projects.iter().any(|p| p.services.iter().any(|s| s.env_files.iter().any(|f| f == path)))
    }
}

/// The names under which commands speak of a container.
fn names(container: &Container) -> Vec<&str> {
    let mut all = vec![container.name.as_str(), container.id.as_str()];
    all.extend(container.id.get(..12));
    all.extend(container.service());
    all.retain(|n| !n.is_empty());
    all
}

/// The file that a deed wrote, and whether it made the container anew.
fn done(deed: &Deed, mine: &[&str], relevant: &dyn Fn(&str) -> bool) -> (Option<String>, bool) {
    if let Some(path) = deed.edits.iter().find(|p| relevant(p)) {
        return (Some(path.clone()), false);
    }
    let Some(command) = &deed.command else { return (None, false) };
    let effects = effect::of_command(command, &deed.cwd, &std::collections::BTreeMap::new());
    let written = written_paths(&effects).into_iter().find(|p| relevant(p));
    let recreated = effects.planned.iter().any(|p| remade(p, mine));
    (written, recreated)
}

fn remade(planned: &Planned, mine: &[&str]) -> bool {
    use coroner_model::effect::EffectKind;
    let anew = matches!(planned.kind, EffectKind::RecreateContainer | EffectKind::RemoveContainer);
    anew && (mine.is_empty() || planned.touches(mine))
}

/// Files of this host that commands write.
fn written_paths(effects: &effect::Effects) -> Vec<String> {
    use coroner_read::shell::{RedirectKind, join};
    let redirected = effects.script.invocations.iter().filter(|c| c.is_local()).flat_map(|call| {
        call.redirects
            .iter()
            .filter(|r| r.kind != RedirectKind::Read)
            .filter_map(|r| join(&call.cwd, &r.target).as_literal().map(str::to_owned))
    });
    let planned = effects.planned.iter().filter_map(|p| match &p.target {
        effect::Target::Paths(paths)
            if paths.place == Place::Host && p.kind != coroner_model::effect::EffectKind::Move =>
        {
            paths.path.as_literal().map(str::to_owned)
        }
        _ => None,
    });
    redirected.chain(planned).collect()
}

/// Whether containers are made from files of that name.
fn makes_containers(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path).to_ascii_lowercase();
    let compose = (name.contains("compose") && (name.ends_with(".yml") || name.ends_with(".yaml")))
        || name.starts_with("compose.");
    compose || is_env_file(path)
}

fn is_env_file(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path).to_ascii_lowercase();
    let sample = ["example", "sample", "template", "dist"].iter().any(|w| name.ends_with(w));
    !sample && (name.ends_with(".env") || name == ".env" || name.starts_with(".env.") || name.starts_with("env."))
}

fn is_default_file(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    coroner_read::compose::DEFAULT_FILES.contains(&name)
}
