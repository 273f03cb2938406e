//! One GET with its redirect chain, walked by hand so that every hop and cookie is kept.

use std::time::{Duration, Instant};

use coroner_model::{CouldNotLook, Redactor, Why};
use reqwest::header::{COOKIE, HeaderMap, LOCATION, SET_COOKIE};
use serde_json::{Value, json};
use url::Url;

use super::Inner;
use super::engine::innermost;
use crate::casefile::obstacle;
use crate::seen::Seen;

/// Milliseconds to connect to one hop.
const CONNECT_MS_MAX: u64 = 4_000;

/// TLS that trusts nobody: for plain HTTP where no certificate store is at hand.
pub(super) fn no_trust() -> rustls::ClientConfig {
    install_provider();
    rustls::ClientConfig::builder().with_root_certificates(rustls::RootCertStore::empty()).with_no_client_auth()
}

fn install_provider() {
    // A second call finds the provider in place, which is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
}

/// A client that follows no redirect and asks no proxy.
pub(crate) fn client(url: &Url) -> Result<reqwest::Client, CouldNotLook> {
    install_provider();
    let builder = || {
        reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(Duration::from_millis(CONNECT_MS_MAX))
            .user_agent(concat!("coroner/", env!("CARGO_PKG_VERSION")))
            .no_proxy()
    };
    let built = match url.scheme() {
        "http" => builder().tls_backend_preconfigured(no_trust()).build(),
        _ => builder().build(),
    };
    built.map_err(|error| obstacle(Why::Unreadable, format!("no HTTP client: {}", innermost(&error))))
}

/// Asks for a URL and follows its redirects; the answer has the shape of `http/<n>.json`.
///
/// A server that does not answer is an answer too: it stands in `error`.
pub(super) async fn get(inner: &Inner, url: &str, number: u64) -> Result<Seen, CouldNotLook> {
    let first = Url::parse(url).map_err(|error| obstacle(Why::Unreadable, format!("{url} is no URL: {error}")))?;
    if !matches!(first.scheme(), "http" | "https") {
        return Err(obstacle(Why::Unsupported, format!("{url} is neither http nor https")));
    }
    client(&first)?;
    let redactor = Redactor::new(inner.settings.redaction_key);
    let mut jar = Jar::default();
    let mut responses: Vec<Value> = Vec::new();
    let mut error = Value::Null;
    let mut next = Some(first.clone());
    // One hop's silence must not cost the chain before it.
    let until = Instant::now() + Duration::from_millis(inner.limits.probe_ms_max * 9 / 10);
    while let Some(at) = next.take() {
        if responses.len() > inner.limits.http_hops_max {
            error = json!(format!("more than {} redirects", inner.limits.http_hops_max));
            break;
        }
        let left = until.saturating_duration_since(Instant::now());
        match hop(inner, &at, &mut jar, &redactor, left).await {
            Ok((response, target)) => {
                responses.push(response);
                next = target;
            }
            Err(why) => error = json!(why),
        }
    }
    let exchange = json!({
        "at": inner.settings.now.to_string(),
        "request": { "method": "GET", "url": first.as_str(), "headers": [] },
        "responses": responses,
        "error": error,
    });
    let text = serde_json::to_string_pretty(&exchange).unwrap_or_default();
    Ok(Seen::text(format!("http/{number}.json"), text + "\n"))
}

/// One request and its answer, and where the answer points.
async fn hop(
    inner: &Inner,
    at: &Url,
    jar: &mut Jar,
    redactor: &Redactor,
    left: Duration,
) -> Result<(Value, Option<Url>), String> {
    let begun = Instant::now();
    let client = client(at).map_err(|why| why.detail)?;
    let sent = jar.header(at);
    let mut request = client.get(at.clone()).timeout(left);
    if !sent.is_empty() {
        request = request.header(
            COOKIE,
            sent.iter().map(|cookie| format!("{}={}", cookie.name, cookie.value)).collect::<Vec<_>>().join("; "),
        );
    }
    let mut answer = request.send().await.map_err(|error| failure(&error))?;
    let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
    let mut body = Vec::new();
    let mut left_out = 0u64;
    let mut broken = Value::Null;
    loop {
        match answer.chunk().await {
            Ok(Some(chunk)) => body.extend_from_slice(&chunk),
            Ok(None) => break,
            Err(error) => {
                broken = json!(failure(&error));
                break;
            }
        }
        if body.len() as u64 > inner.limits.http_body_bytes_max {
            let bytes_max = usize::try_from(inner.limits.http_body_bytes_max).unwrap_or(usize::MAX);
            left_out = (body.len() - bytes_max) as u64;
            body.truncate(bytes_max);
            break;
        }
    }
    jar.store(at, &headers);
    let target = redirect(at, status, &headers);
    let names =
        sent.iter().map(|cookie| json!(["cookie", format!("{}={}", cookie.name, redactor.token(&cookie.value))]));
    let response = json!({
        "url": at.as_str(),
        "status": status,
        "headers": header_pairs(&headers, redactor),
        "body": String::from_utf8_lossy(&body),
        "ms": u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX),
        "request_headers": names.collect::<Vec<_>>(),
        "body_bytes_left_out": left_out,
        "body_error": broken,
    });
    Ok((response, target))
}

/// What went wrong, in words that tell the layers apart.
fn failure(error: &reqwest::Error) -> String {
    let cause = innermost(error);
    match error {
        _ if error.is_timeout() => format!("timed out: {cause}"),
        _ if error.is_connect() => format!("cannot connect: {cause}"),
        _ => cause,
    }
}

fn redirect(at: &Url, status: u16, headers: &HeaderMap) -> Option<Url> {
    if !matches!(status, 301 | 302 | 303 | 307 | 308) {
        return None;
    }
    let target = String::from_utf8_lossy(headers.get(LOCATION)?.as_bytes()).into_owned();
    at.join(&target).ok().filter(|url| matches!(url.scheme(), "http" | "https"))
}

/// Headers in their order; of a cookie everything but its value.
fn header_pairs(headers: &HeaderMap, redactor: &Redactor) -> Vec<Value> {
    headers
        .iter()
        .map(|(name, value)| {
            let text = String::from_utf8_lossy(value.as_bytes()).into_owned();
            let text = if name == SET_COOKIE { without_value(&text, redactor) } else { text };
            json!([name.as_str(), text])
        })
        .collect()
}

fn without_value(cookie: &str, redactor: &Redactor) -> String {
    let (pair, attributes) = cookie.split_once(';').map_or((cookie, ""), |(pair, rest)| (pair, rest));
    let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
    let token = if value.is_empty() { String::new() } else { redactor.token(value) };
    match attributes.is_empty() {
        true => format!("{name}={token}"),
        false => format!("{name}={token};{attributes}"),
    }
}

/// The cookies of one chain.
#[derive(Default)]
struct Jar {
    cookies: Vec<Cookie>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Cookie {
    name: String,
    value: String,
    domain: String,
    host_only: bool,
    path: String,
    secure: bool,
}

impl Jar {
    fn store(&mut self, at: &Url, headers: &HeaderMap) {
        for line in headers.get_all(SET_COOKIE) {
            let line = String::from_utf8_lossy(line.as_bytes()).into_owned();
            let Some((cookie, gone)) = parse(at, &line) else { continue };
            self.cookies
                .retain(|old| (&old.name, &old.domain, &old.path) != (&cookie.name, &cookie.domain, &cookie.path));
            if !gone {
                self.cookies.push(cookie);
            }
        }
    }

    fn header(&self, at: &Url) -> Vec<Cookie> {
        let host = at.host_str().unwrap_or("").to_ascii_lowercase();
        let sent = |cookie: &&Cookie| {
            let domain = if cookie.host_only { host == cookie.domain } else { is_under(&host, &cookie.domain) };
            domain && (!cookie.secure || at.scheme() == "https") && path_matches(at.path(), &cookie.path)
        };
        self.cookies.iter().filter(sent).cloned().collect()
    }
}

/// A cookie that a browser would keep, and whether it is being deleted.
fn parse(at: &Url, line: &str) -> Option<(Cookie, bool)> {
    let mut parts = line.split(';');
    let (name, value) = parts.next()?.split_once('=')?;
    let host = at.host_str()?.to_ascii_lowercase();
    let folder = at.path().rsplit_once('/').map_or("/", |(folder, _)| if folder.is_empty() { "/" } else { folder });
    let mut cookie = Cookie {
        name: name.trim().to_owned(),
        value: value.trim().to_owned(),
        domain: host.clone(),
        host_only: true,
        path: folder.to_owned(),
        secure: false,
    };
    let mut gone = false;
    for part in parts {
        let (key, value) = part.split_once('=').unwrap_or((part, ""));
        match (key.trim().to_ascii_lowercase().as_str(), value.trim()) {
            ("domain", domain) if !domain.is_empty() => {
                cookie.domain = domain.trim_start_matches('.').to_ascii_lowercase();
                cookie.host_only = false;
            }
            ("path", path) if path.starts_with('/') => cookie.path = path.to_owned(),
            ("secure", _) => cookie.secure = true,
            ("max-age", age) => gone = age.parse::<i64>().is_ok_and(|age| age <= 0),
            _ => {}
        }
    }
    is_under(&host, &cookie.domain).then_some((cookie, gone))
}

fn is_under(host: &str, domain: &str) -> bool {
    host == domain || host.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.'))
}

fn path_matches(path: &str, cookie: &str) -> bool {
    path == cookie || path.strip_prefix(cookie).is_some_and(|rest| cookie.ends_with('/') || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cookie(at: &str, line: &str) -> Option<Cookie> {
        parse(&Url::parse(at).unwrap(), line).map(|(cookie, _)| cookie)
    }

    #[test]
    fn cookies_go_where_a_browser_would_send_them() {
        let jar = |line: &str| Jar { cookies: cookie("https://shop.example/app/login", line).into_iter().collect() };
        let sent = |line: &str, to: &str| !jar(line).header(&Url::parse(to).unwrap()).is_empty();
        assert!(sent("s=1; Path=/", "https://shop.example/x"));
        assert!(sent("s=1", "https://shop.example/app/x"));
        assert!(!sent("s=1", "https://shop.example/other"));
        assert!(!sent("s=1; Path=/", "https://api.shop.example/"));
        assert!(sent("s=1; Path=/; Domain=.shop.example", "https://api.shop.example/"));
        assert!(!sent("s=1; Path=/; Secure", "http://shop.example/"));
        assert!(!sent("s=1; Path=/; Domain=other.example", "https://other.example/"));
    }

    #[test]
    fn the_value_of_a_cookie_is_not_kept() {
        let redactor = Redactor::new([7; 32]);
        let shown = without_value("sid=abcdef; Path=/; SameSite=Strict", &redactor);
        assert!(
            shown.starts_with("sid=hmac:") && shown.ends_with("; Path=/; SameSite=Strict") && !shown.contains("abcdef")
        );
    }
}
