//! A service runs with a default credential because the variable that should replace it does not reach it.
//!
//! Three truths are compared: the environment that the service has, the default that
//! its code or compose file then uses, and the password that the server was given. A
//! default that the server accepts is no fault of this kind.

mod starved;
mod where_else;

use coroner_model::finding::Confidence;
use coroner_model::{Citation, investigation::Reason};

use crate::detect::credential::{self, Credential, Sameness, Server};
use crate::detect::part::{self, Part, Value};
use crate::detect::{reading, reason, within};
use crate::fact::{Fact, FactKind, Subject};
use crate::scene::{Scene, SettingDefault};

/// Finds it; a scene in order gives nothing.
pub fn detect(scene: &Scene) -> Vec<Fact> {
    found(scene).into_iter().map(|f| f.fact).collect()
}

/// Who is sure to send a default password to whom: client and server by name.
pub(super) fn senders(scene: &Scene) -> Vec<(String, String)> {
    let sure = found(scene).into_iter().filter(|f| f.fact.confidence > Confidence::Low && !f.server.is_empty());
    sure.map(|f| (f.fact.component, f.server)).collect()
}

/// A fact with the server that it is about.
struct Found {
    fact: Fact,
    server: String,
}

fn found(scene: &Scene) -> Vec<Found> {
    let parts = part::parts(scene);
    let readings = reading::owned(scene, &parts);
    let mut all: Vec<Found> = Vec::new();
    for (part, readings) in parts.iter().zip(&readings) {
        if Server::of(*part).is_some() || part.environment_is_partial() {
            continue;
        }
        let case = Case { scene, parts: &parts, readings, part: *part };
        let mut found: Vec<Found> = Vec::new();
        let mut places: Vec<(&str, Option<&str>)> = Vec::new();
        for reading in readings {
            // Several names for one setting share its default.
            let place = (reading.at.locator.as_str(), reading.default.as_deref());
            if let Some(one) = case.of_code(reading).filter(|_| !places.contains(&place)) {
                places.push(place);
                found.push(one);
            }
        }
        found.extend(case.of_compose());
        if found.is_empty() {
            found.extend(starved::detect(&case).map(|fact| Found { fact, server: String::new() }));
        }
        for one in found {
            let same = |f: &Found| f.fact.component == one.fact.component && f.fact.subjects == one.fact.subjects;
            if !all.iter().any(same) {
                all.push(one);
            }
        }
    }
    all
}

/// What is judged together for one part.
struct Case<'c, 's> {
    scene: &'s Scene,
    parts: &'c [Part<'s>],
    readings: &'c [&'s SettingDefault],
    part: Part<'s>,
}

/// A default in use, before it is compared with its server.
struct Fallback<'s> {
    /// The variable that does not reach the service.
    variable: &'s str,
    credential: Credential,
    /// Where the default stands.
    at: Citation,
    /// Its line in words.
    says: String,
    path: String,
}

impl<'s> Case<'_, 's> {
    /// A default in source text.
    fn of_code(&self, setting: &'s SettingDefault) -> Option<Found> {
        let default = setting.default.as_deref().filter(|d| !d.is_empty())?;
        if setting.development_only || self.reaches(setting, default) {
            return None;
        }
        let credential = self.credential(&setting.variable, default)?;
        let fallback = Fallback {
            variable: &setting.variable,
            says: format!("its code then uses user \"{}\" with a default password", credential.user),
            credential,
            at: setting.at.clone(),
            path: setting.path.clone(),
        };
        self.judge(&fallback)
    }

    /// Whether the variable reaches the part, so that the default is not used.
    fn reaches(&self, setting: &SettingDefault, default: &str) -> bool {
        // By the images' convention the value may stand in a file that a variable names.
        let file = format!("{}_FILE", setting.variable);
        if self.part.variable_in_any_case(&file).is_some_and(|v| !v.text.is_empty()) {
            return true;
        }
        let value = self.value(setting);
        let used_anyway = |value: &Value| {
            (value.text.is_empty() && setting.when_empty && self.is_known(value))
                || (setting.in_image && credential::compare(&value.text, default) == Sameness::Same)
        };
        match value {
            Some(value) if used_anyway(&value) => {}
            Some(_) => return true,
            // A variable that is handed through may come from the shell that runs compose.
            None if self.is_handed_through(&setting.variable) && !self.env_file_was_read() => return true,
            None => {}
        }
        // Another name for the same setting, read at the same place, counts as well.
        let others =
            self.readings.iter().filter(|r| r.at.locator == setting.at.locator && r.variable != setting.variable);
        others.into_iter().any(|other| self.value(other).is_some_and(|v| !v.text.is_empty()))
    }

    fn value(&self, setting: &SettingDefault) -> Option<Value> {
        if setting.any_case {
            self.part.variable_in_any_case(&setting.variable)
        } else {
            self.part.variable(&setting.variable)
        }
    }

    /// Whether the value is what the service really gets.
    fn is_known(&self, value: &Value) -> bool {
        value.settled || self.env_file_was_read()
    }

    fn env_file_was_read(&self) -> bool {
        self.part.project.is_some_and(|p| !p.env_files.is_empty())
    }

    fn is_handed_through(&self, name: &str) -> bool {
        !self.part.is_live() && self.part.service.is_some_and(|s| s.passed_through.contains_key(name))
    }

    /// Defaults in the compose file itself: `${NAME:-value}`.
    fn of_compose(&self) -> Vec<Found> {
        let Some(service) = self.part.service else { return Vec::new() };
        let defaulted =
            service.environment.iter().filter_map(|(name, v)| Some((name, v, v.defaulted_from.as_deref()?)));
        defaulted
            .filter(|(name, v, _)| match self.part.inspected() {
                Some(container) => {
                    container.variable(name).is_some_and(|live| credential::compare(live, &v.value) == Sameness::Same)
                }
                None => self.env_file_was_read(),
            })
            .filter_map(|(name, v, from)| {
                let credential = self.credential(name, &v.value)?;
                let path = v.at.locator.rsplit_once(':').map_or(v.at.locator.as_str(), |(p, _)| p);
                let path = path.strip_prefix("files").unwrap_or(path).to_owned();
                let says = format!("the compose file then gives {name} a default password");
                self.judge(&Fallback { variable: from, credential, at: v.at.clone(), says, path })
            })
            .collect()
    }

    /// The credential that a default is: a connection string, or the password of a database.
    fn credential(&self, variable: &str, default: &str) -> Option<Credential> {
        if let Some(found) = credential::of_text(default) {
            return Some(found);
        }
        let family = credential::family_of_variable(variable).filter(|_| credential::is_password_name(variable))?;
        let sibling = |ends: &[&str]| {
            let stem = variable.rsplit_once('_').map_or("", |(stem, _)| stem).to_ascii_uppercase();
            ends.iter().find_map(|end| {
                let name = if stem.is_empty() { (*end).to_owned() } else { format!("{stem}_{end}") };
                let given = self.part.variable_in_any_case(&name).map(|v| v.text).filter(|t| !t.is_empty());
                given.or_else(|| {
                    self.readings
                        .iter()
                        .find(|r| r.variable.eq_ignore_ascii_case(&name))
                        .and_then(|r| r.default.clone())
                })
            })
        };
        let host = sibling(&["HOST", "SERVER", "HOSTNAME", "ADDRESS"]).unwrap_or_else(|| self.only_server(family));
        let user = sibling(&["USER", "USERNAME"]).unwrap_or_default();
        (!host.is_empty()).then(|| Credential { family, user, password: default.to_owned(), host })
    }

    /// The name of the only server of a kind that the part could mean; empty where there are several or none.
    fn only_server(&self, family: Option<credential::Family>) -> String {
        let servers = self.parts.iter().filter(|p| p.shares_project(&self.part)).filter_map(|p| Server::of(*p));
        let of_kind: Vec<Server> = servers.filter(|s| family.is_none() || s.family == family).collect();
        match of_kind.as_slice() {
            [only] => only.part.name().to_owned(),
            _ => String::new(),
        }
    }

    /// The server that a host name leads to.
    fn server(&self, credential: &Credential) -> Option<Server<'s>> {
        let host = credential.host.as_str();
        if credential::is_own_host(host) {
            return None;
        }
        let mut answering: Vec<&Part<'s>> =
            self.parts.iter().filter(|p| p.answers_to(host) && !p.is(&self.part)).collect();
        answering.sort_by_key(|p| !p.shares_project(&self.part));
        let part = **answering.first()?;
        match credential.family {
            Some(_) => Server::serving(part, credential),
            None => Some(Server { part, family: credential::family_of_image(part.image()) }),
        }
    }

    /// Compares the default with what its server was given.
    fn judge(&self, fallback: &Fallback) -> Option<Found> {
        let server = self.server(&fallback.credential)?;
        if server.trusts_everyone() {
            return None;
        }
        let given = server.password_for(&fallback.credential.user);
        let sameness = match &given {
            Some((_, value)) if value.settled || server.part.is_live() => {
                credential::compare(&fallback.credential.password, &value.text)
            }
            Some(_) => Sameness::Unknown,
            None if server
                .part
                .names()
                .iter()
                .any(|n| n.ends_with("_FILE") && credential::words(n).contains(&"password".to_owned())) =>
            {
                Sameness::Unknown
            }
            None => return None,
        };
        let confidence = match sameness {
            Sameness::Same => return None,
            Sameness::Different if self.part.is_live() => Confidence::High,
            Sameness::Different => Confidence::Medium,
            Sameness::Unknown => Confidence::Low,
        };
        let dotenv = self.dotenv_files(fallback);
        // What the service itself loads from a mounted file reaches it.
        if dotenv.iter().any(|path| self.part.has_mounted(path)) {
            return None;
        }
        // What is built in with the code may reach it: only the failure itself would tell.
        let confidence = if dotenv.is_empty() { confidence } else { Confidence::Low };
        let place = where_else::search(self, fallback.variable);
        let fact = self.fact(fallback, &server, given.as_ref(), sameness, confidence, place);
        Some(Found { fact, server: server.part.name().to_owned() })
    }

    /// Env files that the code loads by itself and that give the variable: they lie beside it or
    /// above it, in the folder that the service is built from or has mounted.
    fn dotenv_files(&self, fallback: &Fallback) -> Vec<&'s str> {
        let loads = self.readings.iter().any(|r| r.loads_dotenv);
        let service = self.part.service.map_or("", |s| s.build_context.as_str());
        let files = self.scene.env_files.values().filter(|f| {
            let folder = f.path.rsplit_once('/').map_or("/", |(folder, _)| folder);
            let name = f.path.rsplit('/').next().unwrap_or_default();
            let inside = !service.is_empty() && within(&f.path, service) || self.part.has_mounted(&f.path);
            let gives = f.variables.iter().any(|(n, v, _)| n.eq_ignore_ascii_case(fallback.variable) && !v.is_empty());
            name.starts_with(".env")
                && !where_else::is_template(&f.path)
                && inside
                && gives
                && within(&fallback.path, folder)
        });
        files.map(|f| f.path.as_str()).filter(|_| loads).collect()
    }

    fn fact(
        &self,
        fallback: &Fallback,
        server: &Server,
        given: Option<&(String, Value)>,
        sameness: Sameness,
        confidence: Confidence,
        place: where_else::Place,
    ) -> Fact {
        let name = self.part.name();
        let variable = fallback.variable;
        let absent = format!("{name} has no {variable} in its environment");
        let mut because = vec![reason(
            absent,
            self.part.cite_environment(&format!("{} names, no {variable}", self.part.names().len())),
        )];
        because.extend(place.because.clone());
        because.push(reason(fallback.says.clone(), [fallback.at.clone()]));
        if let Some((server_variable, value)) = given {
            let text = match sameness {
                Sameness::Different => format!("{} was given another password ({server_variable})", server.part.name()),
                _ => format!(
                    "{} was given a password ({server_variable}) that cannot be compared here",
                    server.part.name()
                ),
            };
            because.push(reason(text, [value.at.clone()]));
        }
        let mut subjects = vec![Subject::Variable(variable.to_owned()), Subject::Service(name.to_owned())];
        subjects.extend(self.part.container.map(|c| Subject::Container(c.name.clone())));
        subjects.extend(self.paths().into_iter().map(Subject::Path));
        subjects.push(Subject::Path(fallback.path.clone()));
        Fact {
            kind: FactKind::CredentialFallback,
            is: place.is,
            component: name.to_owned(),
            affects: Vec::new(),
            text: format!(
                "{name} falls back to a default password for {}: {variable} {}",
                server.part.name(),
                place.words
            ),
            because,
            against: Vec::new(),
            confidence,
            location: self.location(fallback, &place),
            subjects,
            onset: self.part.container.and_then(|c| c.created),
            ruled_out: self.ruled_out(server, &place),
            remedy: place.remedy,
        }
    }

    /// Files whose change could have taken the variable away.
    fn paths(&self) -> Vec<String> {
        let mut paths: Vec<String> = self.part.service.map(|s| s.env_files.clone()).unwrap_or_default();
        paths.extend(self.part.project.iter().flat_map(|p| p.env_files.iter().chain(&p.files).cloned()));
        paths
    }

    fn location(&self, fallback: &Fallback, place: &where_else::Place) -> coroner_model::Location {
        match (&place.at, self.part.service.and_then(|s| s.at.as_ref())) {
            (Some(at), _) => part::location_of(at),
            (None, Some(at)) => part::location_of(at),
            (None, None) => part::location_of(&fallback.at),
        }
    }

    fn ruled_out(&self, server: &Server, place: &where_else::Place) -> Vec<Reason> {
        let mut out = Vec::new();
        let volume = server.part.container.and_then(|c| c.mounts.iter().find(|m| m.kind == "volume"));
        let made = volume
            .and_then(|m| self.scene.volumes.iter().find(|v| v.name == m.name))
            .and_then(|v| Some((v, v.created?)));
        let text = "password changed after the volume was made: the configured password is not even sent".to_owned();
        out.push(match made {
            Some((volume, at)) => reason(
                format!("{text} (volume {} is of {at})", volume.name),
                [Citation::new(
                    coroner_model::Source::Docker,
                    format!("docker/volumes.json#/{}", volume.index),
                    volume.name.clone(),
                )],
            ),
            None => reason(text, None),
        });
        if place.is == "absent" {
            let services = self.parts.len();
            let files = self.scene.env_files.len();
            out.push(reason(
                format!(
                    "variable misspelt or given to another service (searched {services} services, {files} env files)"
                ),
                None,
            ));
        }
        out
    }
}
