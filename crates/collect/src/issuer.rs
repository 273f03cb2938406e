//! One request to the issuer of a key, on a person's word. The value is held for as long as that
//! takes, goes into one header, and stands in no text that comes from here.

use std::path::Path;
use std::time::Duration;

use coroner_model::redact::secrets;
use coroner_model::secret::SecretPlace;
use coroner_model::{CouldNotLook, Redactor, Why};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, Url};

use crate::live::client;
use crate::secrets::{FILE_BYTES_MAX, GitPlace, blob_text};

/// Milliseconds for the whole request.
const REQUEST_MS_MAX: u64 = 15_000;
/// Bytes of an answer that are read.
const ANSWER_BYTES_MAX: usize = 256 * 1024;

/// A secret in memory. It cannot be printed.
pub struct SecretValue(String);

impl std::fmt::Debug for SecretValue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SecretValue")
    }
}

impl SecretValue {
    /// The value itself, for the headers of the request.
    pub fn exposed(&self) -> &str {
        &self.0
    }

    /// The value in a text whose token is the one that is wanted: the whole text, what a rule finds
    /// in it, or what stands behind the first `=` of a line.
    pub fn found_in(text: &str, token: &str, redactor: &Redactor) -> Option<SecretValue> {
        let ruled = secrets(text).into_iter().map(|secret| &text[secret.span]);
        let assigned = text.lines().filter_map(|line| line.split_once('=')).map(|(_, value)| value);
        let whole = [text].into_iter().chain(text.lines()).chain(assigned);
        let bare = whole.map(|value| value.trim().trim_matches(['"', '\'']));
        ruled.chain(bare).find(|value| redactor.token(value) == token).map(|value| SecretValue(value.to_owned()))
    }
}

/// The text of a file, or of one of its lines (1-based).
pub fn file_text(path: &Path, line: Option<u64>) -> Result<String, CouldNotLook> {
    let failed = |why, detail: String| CouldNotLook { what: path.display().to_string(), why, detail };
    let meta = std::fs::metadata(path).map_err(|error| failed(Why::Absent, error.to_string()))?;
    if !meta.is_file() || meta.len() > FILE_BYTES_MAX as u64 {
        return Err(failed(Why::TooMuch, format!("it is no file of at most {FILE_BYTES_MAX} bytes")));
    }
    let bytes = std::fs::read(path).map_err(|error| failed(Why::Unreadable, error.to_string()))?;
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let Some(number) = line else { return Ok(text) };
    let index = usize::try_from(number.saturating_sub(1)).unwrap_or(usize::MAX);
    let found = text.lines().nth(index).map(str::to_owned);
    found.ok_or_else(|| failed(Why::Absent, format!("it has no line {number}")))
}

/// The text of the file, or the message, that a place in a commit names.
pub fn commit_text(place: GitPlace<'_>, at: &SecretPlace) -> Result<String, CouldNotLook> {
    blob_text(place, at.commit.as_deref().unwrap_or_default(), &at.path)
}

/// What an issuer answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answered {
    pub status: u16,
    /// At most [`ANSWER_BYTES_MAX`] bytes; to be judged, not kept: it may tell whose key it is.
    pub body: String,
}

/// Sends one request and follows no redirect: the key goes to this host and no other.
pub fn ask(method: &str, address: &str, headers: &[(String, String)]) -> Result<Answered, CouldNotLook> {
    let failed = |why, detail: &str| CouldNotLook { what: host(address), why, detail: detail.to_owned() };
    let url = Url::parse(address).map_err(|_| failed(Why::Unsupported, "its address is no URL"))?;
    let method = Method::from_bytes(method.as_bytes()).map_err(|_| failed(Why::Unsupported, "no such method"))?;
    let mut sent = HeaderMap::new();
    for (name, value) in headers {
        let name = HeaderName::from_bytes(name.as_bytes());
        let (Ok(name), Ok(mut value)) = (name, HeaderValue::from_str(value)) else {
            return Err(failed(Why::Unsupported, "the value cannot stand in a header"));
        };
        value.set_sensitive(true);
        sent.insert(name, value);
    }
    let client = client(&url)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().enable_time().build();
    let runtime = runtime.map_err(|error| failed(Why::Unreadable, &error.to_string()))?;
    let request = client.request(method, url).headers(sent).timeout(Duration::from_millis(REQUEST_MS_MAX));
    let answered = runtime.block_on(async {
        let mut answer = request.send().await?;
        let status = answer.status().as_u16();
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await? {
            body.extend_from_slice(&chunk);
            if body.len() >= ANSWER_BYTES_MAX {
                body.truncate(ANSWER_BYTES_MAX);
                break;
            }
        }
        Ok::<Answered, reqwest::Error>(Answered { status, body: String::from_utf8_lossy(&body).into_owned() })
    });
    answered.map_err(|error| match error.is_timeout() {
        true => failed(Why::TimedOut, "it did not answer in time"),
        false => failed(Why::Unreadable, "it cannot be reached"),
    })
}

/// The host and port of an address.
pub fn host(address: &str) -> String {
    let url = Url::parse(address).ok();
    let host = url.as_ref().and_then(|url| Some((url.host_str()?.to_owned(), url.port())));
    match host {
        Some((host, Some(port))) => format!("{host}:{port}"),
        Some((host, None)) => host,
        None => "no host".to_owned(),
    }
}

/// The same path at another server; none where that is not encrypted and not this machine.
pub fn moved(address: &str, server: &str) -> Option<String> {
    let (mut to, from) = (Url::parse(server).ok()?, Url::parse(address).ok()?);
    let here = match to.host()? {
        url::Host::Ipv4(ip) => ip.is_loopback(),
        url::Host::Ipv6(ip) => ip.is_loopback(),
        url::Host::Domain(_) => false,
    };
    if to.scheme() != "https" && !(to.scheme() == "http" && here) {
        return None;
    }
    let above = to.path().trim_end_matches('/').to_owned();
    to.set_path(&format!("{above}{}", from.path()));
    to.set_query(from.query());
    Some(to.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_moved_to_a_named_server_only_where_the_line_is_safe() {
        let at = |server| moved("https://gitlab.com/api/v4/user", server);
        assert_eq!(at("https://git.example.org").unwrap(), "https://git.example.org/api/v4/user");
        assert_eq!(at("https://example.org/git/").unwrap(), "https://example.org/git/api/v4/user");
        assert_eq!(at("http://127.0.0.1:9000").unwrap(), "http://127.0.0.1:9000/api/v4/user");
        assert_eq!(at("http://git.example.org"), None);
        assert_eq!(at("http://localhost.example.org"), None);
    }

    #[test]
    fn a_value_is_known_by_its_token_and_never_printed() {
        let redactor = Redactor::new([7; 32]);
        let value = ["corr", "ect horse"].concat();
        let token = redactor.token(&value);
        for text in [format!("{value}\n"), format!("A=1\nexport PASS='{value}'\n")] {
            let found = SecretValue::found_in(&text, &token, &redactor).unwrap();
            assert!(found.exposed() == value && !format!("{found:?}").contains(&value));
        }
        assert!(SecretValue::found_in("PASS=other", &token, &redactor).is_none());
    }
}
