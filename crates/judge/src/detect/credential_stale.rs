//! The variable reaches the service, but the server was set up with another credential and keeps it.
//!
//! Database images read their password variable only while they make an empty data
//! directory. A password that is changed later changes what clients send and what the
//! variable says, not what the server asks for.

use std::sync::LazyLock;

use coroner_model::finding::Confidence;
use coroner_model::{Citation, Source};
use coroner_read::docker::{Container, Mount};
use coroner_read::log;
use jiff::{SignedDuration, Timestamp};
use regex::Regex;

use crate::detect::credential::{self, Credential, Sameness, Server};
use crate::detect::part::{self, Part, Value};
use crate::detect::{credential_fallback, reason};
use crate::fact::{Fact, FactKind, Subject};
use crate::scene::Scene;

/// How shortly before its first container a volume is made.
const TOGETHER: SignedDuration = SignedDuration::from_secs(5);

/// Finds it; a scene in order gives nothing.
pub fn detect(scene: &Scene) -> Vec<Fact> {
    let parts = part::parts(scene);
    // A default that is sent explains each refusal: nothing is stale then.
    let senders = credential_fallback::senders(scene);
    let mut facts: Vec<Fact> = Vec::new();
    for part in parts.iter().filter(|p| credential::family_of_image(p.image()).is_none()) {
        for (name, value, credential) in credentials(part) {
            let Some(server) = server(&parts, part, &credential) else { continue };
            if senders.iter().any(|(from, to)| from == part.name() && to == server.part.name()) {
                continue;
            }
            let found = judge(scene, part, &name, &value, &credential, &server);
            if let Some(fact) = found
                && !facts.iter().any(|f| f.component == fact.component && f.is == fact.is)
            {
                facts.push(fact);
            }
        }
    }
    facts
}

/// The credentials that a part is given by its environment.
fn credentials(part: &Part) -> Vec<(String, Value, Credential)> {
    let mut all = Vec::new();
    for name in part.names() {
        let Some(value) = part.variable(name).filter(|v| v.settled) else { continue };
        if let Some(found) = credential::of_text(&value.text) {
            all.push((name.to_owned(), value, found));
        } else if credential::is_password_name(name)
            && credential::family_of_variable(name).is_some()
            && !value.text.is_empty()
        {
            let stem = name.rsplit_once('_').map_or("", |(s, _)| s);
            let host = ["HOST", "SERVER", "HOSTNAME"].iter().find_map(|end| part.variable(&format!("{stem}_{end}")));
            let user = part.variable(&format!("{stem}_USER")).map(|v| v.text).unwrap_or_default();
            if let Some(host) = host {
                let family = credential::family_of_variable(name).flatten();
                all.push((
                    name.to_owned(),
                    value.clone(),
                    Credential { family, user, password: value.text, host: host.text },
                ));
            }
        }
    }
    all
}

fn server<'s>(parts: &[Part<'s>], client: &Part, credential: &Credential) -> Option<Server<'s>> {
    let host = credential.host.split(':').next().unwrap_or_default();
    if credential::is_own_host(host) {
        return None;
    }
    parts
        .iter()
        .filter(|p| p.answers_to(host) && !p.is(client))
        .find(|p| p.shares_project(client))
        .and_then(|p| Server::serving(*p, credential))
}

fn judge(scene: &Scene, client: &Part, name: &str, value: &Value, sent: &Credential, server: &Server) -> Option<Fact> {
    if server.trusts_everyone() {
        return None;
    }
    let (server_name, told) = server.password_for(&sent.user).filter(|(_, v)| v.settled)?;
    let made_user = server.user();
    let is_other_role = made_user.as_deref().is_some_and(|u| !sent.user.is_empty() && u != sent.user);
    let refusal = refusal(scene, server, &sent.user);
    match credential::compare(&sent.password, &told.text) {
        // Another role has a password of its own that no variable tells.
        Sameness::Different if is_other_role => None,
        Sameness::Different => Some(differs(client, name, value, server, &server_name, &told, refusal)),
        Sameness::Same if !is_other_role => older_volume(scene, client, value, server, &told, refusal?),
        _ => None,
    }
}

fn differs(
    client: &Part,
    name: &str,
    value: &Value,
    server: &Server,
    server_name: &str,
    told: &Value,
    refusal: Option<Refusal>,
) -> Fact {
    let text = format!(
        "{} sends another password ({name}) than {} was given ({server_name})",
        client.name(),
        server.part.name()
    );
    let live = client.is_live() && server.part.is_live();
    let mut because = vec![
        reason(format!("{} is given {name}", client.name()), [value.at.clone()]),
        reason(format!("{} was given another password ({server_name})", server.part.name()), [told.at.clone()]),
    ];
    because.extend(refusal.map(|r| reason(r.text(server), [r.at])));
    let remedy = format!(
        "Give both the same value: `{name}` of `{}` and `{server_name}` of `{}`. The server keeps the password that its data directory was made with",
        client.name(),
        server.part.name()
    );
    base(
        client,
        server,
        "differs",
        text,
        because,
        if live { Confidence::High } else { Confidence::Medium },
        remedy,
        &[name, server_name],
    )
}

/// Both have the same password now, and the server still refuses it: its data is older than the change.
fn older_volume(
    scene: &Scene,
    client: &Part,
    value: &Value,
    server: &Server,
    told: &Value,
    refusal: Refusal,
) -> Option<Fact> {
    let container = server.part.container?;
    let created = container.created?;
    let (data, made, at) = data_made(scene, server, created)?;
    let text = format!(
        "{} keeps the password that {data} was made with: the configured one is newer than the data and is refused",
        server.part.name()
    );
    let because = vec![
        reason(
            format!("{data} was there {made}, the container was made {created}"),
            [at].into_iter().chain(server.part.cite_state("/Created", &format!("Created {created}"))),
        ),
        reason(
            format!("{} and {} are given the same password now", client.name(), server.part.name()),
            [value.at.clone(), told.at.clone()],
        ),
        reason(refusal.text(server), [refusal.at.clone()]),
    ];
    let user = refusal.user.clone().unwrap_or_else(|| "postgres".to_owned());
    let remedy = match server.family {
        Some(credential::Family::Postgres) => format!(
            "Give the role the configured password: `docker exec -it {} psql -U {user}`, then `\\password {user}`. Do not remove the volume: it holds the data",
            container.name
        ),
        _ => format!(
            "Set the password of `{user}` inside `{}` to the configured one; do not remove the volume: it holds the data",
            container.name
        ),
    };
    let mut fact = base(client, server, "older-volume", text, because, Confidence::High, remedy, &[]);
    // The fault lies with the server: any client would be refused.
    fact.component = server.part.name().to_owned();
    fact.affects = vec![client.name().to_owned()];
    fact.location = server.part.location();
    fact.onset = Some(created);
    fact.ruled_out
        .push(reason(format!("{} falls back to a default: it has the variable", client.name()), [value.at.clone()]));
    Some(fact)
}

/// Files that a server writes once, when it makes its data directory, below what is mounted.
const MARKERS: [&str; 5] = ["PG_VERSION", "pgdata/PG_VERSION", "data/PG_VERSION", "auto.cnf", "WiredTiger"];

/// Whether a path is one of the files that tell since when a data directory exists.
pub(crate) fn is_marker(path: &str) -> bool {
    MARKERS.iter().any(|marker| path.strip_suffix(marker).is_some_and(|rest| rest.ends_with('/')))
}

/// Whether a container is a database server: by its image, or by the password that it is given.
pub(crate) fn is_server(container: &Container) -> bool {
    let told = |(name, _): &(String, String)| {
        credential::is_password_name(name) && credential::family_of_variable(name).flatten().is_some()
    };
    credential::is_server_image(&container.image) || container.env.iter().any(told)
}

/// The files whose time tells since when a server's data exists; none for what is no server.
pub(crate) fn markers(container: &Container) -> Vec<String> {
    if !is_server(container) {
        return Vec::new();
    }
    let mounted = container.mounts.iter().filter(|m| m.writable && m.source.starts_with('/'));
    mounted.flat_map(|m| MARKERS.iter().map(move |marker| format!("{}/{marker}", m.source))).collect()
}

/// What holds the server's data, and since when at the latest, where that is before `created`.
fn data_made(scene: &Scene, server: &Server, created: Timestamp) -> Option<(String, Timestamp, Citation)> {
    let container = server.part.container?;
    let name = |mount: &Mount| match mount.kind.as_str() {
        "volume" => format!("volume {}", mount.name),
        _ => mount.source.clone(),
    };
    let by_file = container.mounts.iter().find_map(|mount| {
        let states = MARKERS.iter().filter_map(|marker| scene.paths.get(&format!("{}/{marker}", mount.source)));
        states.filter(|s| s.exists).find_map(|s| Some((name(mount), s.changed?, s.at.clone()?)))
    });
    // The engine's own time of a volume is the last change of its directory: it can be too
    // late, never too early.
    let by_volume = container.mounts.iter().filter(|m| m.kind == "volume").find_map(|mount| {
        let volume = scene.volumes.iter().find(|v| v.name == mount.name)?;
        let made = volume.created.filter(|made| made.checked_add(TOGETHER).is_ok_and(|until| until < created))?;
        let text = format!("{} created {made}", volume.name);
        let cited = Citation::new(Source::Docker, format!("docker/volumes.json#/{}", volume.index), text);
        Some((name(mount), made, cited))
    });
    let found = [by_file, by_volume, by_log(scene, container)].into_iter().flatten();
    found.filter(|(_, made, _)| *made < created).min_by_key(|(_, made, _)| *made)
}

/// PostgreSQL says at its start when the data was last in use.
static LAST_USED: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r"database system was (?:interrupted; last known up|shut down(?: in recovery)?) at (?P<at>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) (?:UTC|GMT)",
    )
    .ok()
});

fn by_log(scene: &Scene, container: &Container) -> Option<(String, Timestamp, Citation)> {
    let own = scene.logs.iter().filter(|l| l.component == container.component() || l.component == container.name);
    own.flat_map(|log| log.document.text.as_str().lines().enumerate().map(move |(i, raw)| (log, i, raw)))
        .filter_map(|(log, index, raw)| {
            let captures = LAST_USED.as_ref()?.captures(raw)?;
            let at: Timestamp = format!("{}Z", captures.name("at")?.as_str().replace(' ', "T")).parse().ok()?;
            let cited = log.document.cite_text_at(log.document.first_line + index as u64, raw);
            Some((format!("the data of {}", container.component()), at, cited))
        })
        .min_by_key(|(_, at, _)| *at)
}

/// A line in which a server refuses a password.
struct Refusal {
    user: Option<String>,
    count: usize,
    at: Citation,
}

impl Refusal {
    fn text(&self, server: &Server) -> String {
        let user = self.user.as_ref().map_or(String::new(), |u| format!(" of user \"{u}\""));
        let times = if self.count > 1 { format!(" {} times", self.count) } else { String::new() };
        format!("{} refuses the password{user}{times}", server.part.name())
    }
}

static REFUSES: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r#"(?i)password authentication failed for user "(?P<a>[^"]+)"|access denied for user '(?P<b>[^']+)'@|authentication failed|invalid username-password pair|login failed for user '(?P<c>[^']+)'"#).ok()
});

/// Refusals in the server's log since its container was made.
fn refusal(scene: &Scene, server: &Server, user: &str) -> Option<Refusal> {
    let container = server.part.container?;
    let mut found: Option<Refusal> = None;
    for entry in scene.logs.iter().filter(|l| l.component == container.component() || l.component == container.name) {
        for (index, raw) in entry.document.text.as_str().lines().enumerate() {
            let Some(captures) = REFUSES.as_ref().and_then(|r| r.captures(raw)) else { continue };
            let named = ["a", "b", "c"].iter().find_map(|n| captures.name(n)).map(|m| m.as_str().to_owned());
            if named.as_deref().is_some_and(|n| !user.is_empty() && n != user) {
                continue;
            }
            if log::line(raw, scene.now).at.is_some_and(|at| container.created.is_some_and(|made| at < made)) {
                continue;
            }
            let at = entry.document.cite_text_at(entry.document.first_line + index as u64, raw);
            match &mut found {
                Some(refusal) => refusal.count += 1,
                None => found = Some(Refusal { user: named, count: 1, at }),
            }
        }
    }
    found
}

#[expect(clippy::too_many_arguments, reason = "the two forms of the fact share all but these")]
fn base(
    client: &Part,
    server: &Server,
    is: &'static str,
    text: String,
    because: Vec<coroner_model::investigation::Reason>,
    confidence: Confidence,
    remedy: String,
    variables: &[&str],
) -> Fact {
    let mut subjects: Vec<Subject> = variables.iter().map(|v| Subject::Variable((*v).to_owned())).collect();
    for part in [client, &server.part] {
        subjects.push(Subject::Service(part.name().to_owned()));
        subjects.extend(part.container.map(|c| Subject::Container(c.name.clone())));
        subjects.extend(part.service.iter().flat_map(|s| s.env_files.iter().cloned()).map(Subject::Path));
        subjects
            .extend(part.project.iter().flat_map(|p| p.env_files.iter().chain(&p.files).cloned()).map(Subject::Path));
    }
    Fact {
        kind: FactKind::CredentialStale,
        is,
        component: client.name().to_owned(),
        affects: vec![server.part.name().to_owned()],
        text,
        because,
        against: Vec::new(),
        confidence,
        location: client.location(),
        subjects,
        onset: client.container.and_then(|c| c.created),
        ruled_out: Vec::new(),
        remedy,
    }
}
