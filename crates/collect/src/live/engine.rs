//! A client of the Docker Engine API that can only ask: every request is a GET.
//!
//! Answers are handed on as the engine wrote them, so that names and order of
//! fields are those that `docker inspect` prints.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use coroner_model::{CouldNotLook, Why};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::Inner;
use crate::casefile::obstacle;

/// Newest version of the API whose answers are understood.
const API_VERSION_MAX: (u32, u32) = (1, 53);
/// The socket where nothing else was chosen.
pub(super) const DEFAULT_HOST: &str = "unix:///var/run/docker.sock";
/// Milliseconds to connect.
const CONNECT_MS_MAX: u64 = 3_000;
/// Bytes of a file of the command-line tool.
const SETTINGS_BYTES_MAX: u64 = 1024 * 1024;

/// Which engine is asked, as the `docker` command would choose it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Context {
    pub name: String,
    pub description: String,
    pub endpoint: String,
    pub current: bool,
}

/// The contexts of the `docker` command, the default one first.
pub(super) fn contexts(inner: &Inner) -> Vec<Context> {
    let folder = settings_folder(inner);
    let chosen = current_name(inner, &folder);
    let default = inner.env("DOCKER_HOST").unwrap_or(DEFAULT_HOST);
    let mut all = vec![Context {
        name: "default".into(),
        description: "Current DOCKER_HOST based configuration".into(),
        endpoint: default.to_owned(),
        current: chosen == "default",
    }];
    let entries = std::fs::read_dir(folder.join("contexts/meta")).into_iter().flatten().flatten();
    let mut others: Vec<Context> =
        entries.filter_map(|entry| context_at(&entry.path().join("meta.json"), &chosen)).collect();
    others.sort_by(|a, b| a.name.cmp(&b.name));
    all.extend(others);
    all
}

fn settings_folder(inner: &Inner) -> PathBuf {
    inner.env("DOCKER_CONFIG").map_or_else(|| inner.settings.home.join(".docker"), PathBuf::from)
}

fn current_name(inner: &Inner, folder: &Path) -> String {
    if inner.env("DOCKER_HOST").is_some() {
        return "default".into();
    }
    let configured = || Some(json_at(&folder.join("config.json"))?["currentContext"].as_str()?.to_owned());
    inner
        .env("DOCKER_CONTEXT")
        .map(str::to_owned)
        .or_else(configured)
        .filter(|name| !name.is_empty())
        .unwrap_or_else(|| "default".into())
}

fn json_at(path: &Path) -> Option<Value> {
    let file = std::fs::File::open(path).ok()?;
    let (bytes, _) = crate::casefile::read_bounded(file, SETTINGS_BYTES_MAX).ok()?;
    serde_json::from_slice(&bytes).ok()
}

fn context_at(path: &Path, chosen: &str) -> Option<Context> {
    let value = json_at(path)?;
    let name = value["Name"].as_str()?.to_owned();
    Some(Context {
        current: name == chosen,
        description: value["Metadata"]["Description"].as_str().unwrap_or("").to_owned(),
        endpoint: value["Endpoints"]["docker"]["Host"].as_str().unwrap_or("").to_owned(),
        name,
    })
}

/// Name of the chosen context, which may not be there.
pub(super) fn chosen_name(inner: &Inner) -> String {
    current_name(inner, &settings_folder(inner))
}

/// The chosen context.
pub(super) fn current(inner: &Inner) -> Result<Context, CouldNotLook> {
    let folder = settings_folder(inner);
    let chosen = current_name(inner, &folder);
    contexts(inner).into_iter().find(|context| context.current).ok_or_else(|| {
        let file = format!(
            "{}/contexts/meta/{}",
            folder.display(),
            coroner_model::evidence::hex(&Sha256::digest(chosen.as_bytes()))
        );
        obstacle(
            Why::Absent,
            format!("the Docker context {chosen} is chosen, but {file} is not there; docker context use default"),
        )
    })
}

/// Every socket that an engine may listen on.
pub(super) fn sockets(inner: &Inner) -> BTreeSet<PathBuf> {
    let rootless = PathBuf::from(format!("/run/user/{}/docker.sock", rustix::process::getuid().as_raw()));
    let usual = [PathBuf::from("/var/run/docker.sock"), rootless];
    let mut all: BTreeSet<PathBuf> = usual.into_iter().filter(|path| path.exists()).collect();
    all.extend(
        contexts(inner).iter().filter_map(|context| context.endpoint.strip_prefix("unix://").map(PathBuf::from)),
    );
    all
}

/// A connection to one engine.
pub(super) struct Engine {
    client: reqwest::Client,
    base: String,
    endpoint: String,
}

impl Engine {
    /// Connects to the engine that the `docker` command would use, and agrees on a version.
    pub(super) async fn chosen(inner: &Inner) -> Result<Engine, CouldNotLook> {
        Engine::at(&current(inner)?.endpoint).await
    }

    /// Connects to an endpoint such as `unix:///var/run/docker.sock`.
    pub(super) async fn at(endpoint: &str) -> Result<Engine, CouldNotLook> {
        let builder = reqwest::Client::builder()
            .connect_timeout(Duration::from_millis(CONNECT_MS_MAX))
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .tls_backend_preconfigured(super::http::no_trust());
        let (builder, base) = if let Some(socket) = endpoint.strip_prefix("unix://") {
            reachable(Path::new(socket))?;
            (builder.unix_socket(socket), "http://docker".to_owned())
        } else if let Some(address) = endpoint.strip_prefix("tcp://").or_else(|| endpoint.strip_prefix("http://")) {
            (builder, format!("http://{}", address.trim_end_matches('/')))
        } else {
            return Err(obstacle(
                Why::Unsupported,
                format!("the Docker endpoint {endpoint} is neither a socket nor plain TCP"),
            ));
        };
        let client = builder.build().map_err(|error| obstacle(Why::Unreadable, error.to_string()))?;
        let mut engine = Engine { client, base, endpoint: endpoint.to_owned() };
        engine.agree().await?;
        Ok(engine)
    }

    /// Uses the newest version of the API that both sides know.
    async fn agree(&mut self) -> Result<(), CouldNotLook> {
        let version = self.json("/version", &[]).await?;
        let theirs = version["ApiVersion"].as_str().and_then(parse_version);
        if let Some((major, minor)) = theirs.map(|theirs| theirs.min(API_VERSION_MAX)) {
            self.base = format!("{}/v{major}.{minor}", self.base);
        }
        Ok(())
    }

    /// The whole answer as text.
    pub(super) async fn text(
        &self,
        path: &str,
        query: &[(&str, &str)],
        bytes_max: u64,
    ) -> Result<String, CouldNotLook> {
        let mut answer = self.get(path, query).await?;
        let mut bytes = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(|error| self.failed(&error))? {
            if (bytes.len() + chunk.len()) as u64 > bytes_max {
                return Err(obstacle(Why::TooMuch, format!("the engine's answer has more than {bytes_max} bytes")));
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// The whole answer as JSON.
    pub(super) async fn json(&self, path: &str, query: &[(&str, &str)]) -> Result<Value, CouldNotLook> {
        let text = self.text(path, query, JSON_BYTES_MAX).await?;
        serde_json::from_str(&text)
            .map_err(|error| obstacle(Why::Unreadable, format!("the engine's answer is no JSON: {error}")))
    }

    /// An answer to be read piece by piece. This is the only request there is.
    pub(super) async fn get(&self, path: &str, query: &[(&str, &str)]) -> Result<reqwest::Response, CouldNotLook> {
        let mut url = url::Url::parse(&format!("{}{path}", self.base))
            .map_err(|error| obstacle(Why::Unreadable, error.to_string()))?;
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        let answer = self.client.get(url).send().await.map_err(|error| self.failed(&error))?;
        let status = answer.status();
        if status.is_success() {
            return Ok(answer);
        }
        let why = match status.as_u16() {
            404 => Why::Absent,
            401 | 403 => Why::Denied,
            501 => Why::Unsupported,
            _ => Why::Unreadable,
        };
        let body = answer.text().await.unwrap_or_default();
        let said =
            serde_json::from_str::<Value>(&body).ok().and_then(|value| value["message"].as_str().map(str::to_owned));
        Err(obstacle(why, format!("the engine says: {}", said.unwrap_or_else(|| status.to_string()))))
    }

    pub(super) fn failed(&self, error: &reqwest::Error) -> CouldNotLook {
        let why = if error.is_timeout() { Why::TimedOut } else { Why::Unreadable };
        obstacle(why, format!("{} does not answer: {}", self.endpoint, innermost(error)))
    }
}

/// Bytes of one JSON answer of the engine.
const JSON_BYTES_MAX: u64 = 32 * 1024 * 1024;

/// Whether somebody listens on a socket, with the reason why not.
pub(super) fn reachable(socket: &Path) -> Result<(), CouldNotLook> {
    use std::io::ErrorKind;
    let hint = "run it as a user who may, or choose another endpoint with DOCKER_HOST or docker context use";
    match std::os::unix::net::UnixStream::connect(socket) {
        Ok(_) => Ok(()),
        Err(error) => Err(match error.kind() {
            ErrorKind::PermissionDenied => obstacle(
                Why::Denied,
                format!(
                    "permission denied on the Docker socket {}; add your user to the docker group",
                    socket.display()
                ),
            ),
            ErrorKind::NotFound => {
                obstacle(Why::Absent, format!("no Docker engine: {} is not there; {hint}", socket.display()))
            }
            ErrorKind::ConnectionRefused => {
                obstacle(Why::Absent, format!("no Docker engine listens on {}; {hint}", socket.display()))
            }
            _ => obstacle(Why::Unreadable, format!("{}: {error}", socket.display())),
        }),
    }
}

/// The last cause in a chain of errors, which is the one that says something.
pub(super) fn innermost(error: &dyn std::error::Error) -> String {
    let mut at = error;
    while let Some(source) = at.source() {
        at = source;
    }
    at.to_string()
}

fn parse_version(text: &str) -> Option<(u32, u32)> {
    let (major, minor) = text.split_once('.')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}
