//! A service that depends on a server whose password only the deployment knows, and gets it from nowhere.
//!
//! Without its code at hand this much is still certain: a password that comes from a
//! variable cannot stand in an image, so whoever talks to the server must be given it.

use coroner_model::finding::Confidence;

use super::Case;
use crate::detect::credential::{self, Server};
use crate::detect::part::{self, Part};
use crate::detect::reason;
use crate::fact::{Fact, FactKind, Subject};

/// Finds it for a service that is built here and configured by its environment.
pub(super) fn detect(case: &Case) -> Option<Fact> {
    let (project, service) = (case.part.project?, case.part.service?);
    let configured = !service.environment.is_empty() && service.env_files.is_empty() && service.secrets.is_empty();
    let files = service.volumes.iter().any(|v| v.kind == "bind" && !v.source.ends_with(".sock"));
    if service.build_context.is_empty() || !configured || files || !case.readings.is_empty() {
        return None;
    }
    let server = case
        .parts
        .iter()
        .filter(|p| p.project.is_some_and(|other| std::ptr::eq(other, project)))
        .filter(|p| p.service.is_some_and(|s| service.depends_on.contains(&s.name)))
        .find_map(|p| Server::of(*p).filter(|s| !s.trusts_everyone()))?;
    let (variable, _) = server.password_for("")?;
    let declared = server.part.service?.environment.get(&variable)?;
    let source = declared.from.first().filter(|_| declared.defaulted_from.is_none())?;
    if gives_anything(case, &server.part, source, &declared.value) {
        return None;
    }
    let (name, server_name) = (case.part.name(), server.part.name());
    let into = project.files.last().cloned().unwrap_or_default();
    Some(Fact {
        kind: FactKind::CredentialFallback,
        is: "absent",
        component: name.to_owned(),
        affects: Vec::new(),
        text: format!(
            "{name} depends on {server_name}, whose password comes from {source}, but nothing gives {name} a connection or a password"
        ),
        because: vec![
            reason(
                format!(
                    "none of the variables of {name} names {server_name} or its password, and it loads no env file and no secret"
                ),
                service.at.clone(),
            ),
            reason(
                format!("{server_name} takes its password from {source}, so no image can hold it"),
                [declared.at.clone()],
            ),
        ],
        against: Vec::new(),
        confidence: if case.part.is_live() { Confidence::Medium } else { Confidence::Low },
        location: service.at.as_ref().map(part::location_of).unwrap_or_default(),
        subjects: vec![Subject::Service(name.to_owned()), Subject::Path(into.clone())],
        onset: case.part.container.and_then(|c| c.created),
        ruled_out: Vec::new(),
        remedy: format!(
            "Give `{name}` the connection to `{server_name}` under `environment` in `{into}` (with `${{{source}}}` in place of the password), then `{}`",
            case.part.up_command()
        ),
    })
}

/// Whether anything that the service gets could be its way to the server.
fn gives_anything(case: &Case, server: &Part, source: &str, password: &str) -> bool {
    let Some(service) = case.part.service else { return true };
    let names_server = |text: &str| {
        text.split(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.')))
            .any(|word| !word.is_empty() && server.answers_to(word))
    };
    let of_service = service.environment.iter().any(|(name, value)| {
        credential::family_of_variable(name).is_some()
            || credential::of_text(&value.value).is_some()
            || value.from.iter().any(|f| f == source)
            || (!password.is_empty() && value.value.contains(password))
            || names_server(&value.value)
    });
    let handed = service
        .passed_through
        .keys()
        .any(|name| credential::family_of_variable(name).is_some() || credential::is_password_name(name));
    let in_command = service
        .command
        .iter()
        .chain(&service.entrypoint)
        .chain(service.build_args.values())
        .any(|w| names_server(w) || w.contains(password) && !password.is_empty());
    let live = case
        .part
        .container
        .is_some_and(|c| c.env.iter().any(|(n, v)| credential::family_of_variable(n).is_some() || names_server(v)));
    of_service || handed || in_command || live
}
