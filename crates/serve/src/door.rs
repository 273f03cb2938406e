//! The door: who may ask, what may be asked, and what every answer carries.
//!
//! Listening on 127.0.0.1 is not enough: any page in the person's browser can send
//! requests there, and a name that resolves to 127.0.0.1 makes them same-origin.
//! So Host must be this machine's own name, and nothing may come from another origin.

use axum::extract::{Request, State};
use axum::http::header::{self, HeaderName, HeaderValue};
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::page;

/// Names by which this machine's own browser reaches it.
const OWN_NAMES: [&str; 3] = ["127.0.0.1", "localhost", "[::1]"];

/// What every answer carries: nothing from elsewhere, no inline script, no framing.
const HEADERS: [(HeaderName, &str); 8] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    ),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (HeaderName::from_static("permissions-policy"), "camera=(), geolocation=(), microphone=()"),
    (header::VARY, "Sec-Fetch-Site, Origin"),
];

/// Lets a request through, or says why not.
pub async fn guard(State(port): State<u16>, request: Request, next: Next) -> Response {
    let mut response = match refusal(&request, port) {
        Some(refused) => refused,
        None => next.run(request).await,
    };
    let headers = response.headers_mut();
    for (name, value) in HEADERS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    // A page shows the store of the moment; going back must not show an older one.
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-cache"));
    response
}

fn refusal(request: &Request, port: u16) -> Option<Response> {
    let headers = request.headers();
    if !is_own_host(headers, request.uri(), port) {
        return Some(page::refused("The Host of this request is not this machine.", None));
    }
    if !is_own_origin(headers, port) {
        // Following the link from our own page is a request of our own.
        let path = (*request.method() == Method::GET).then(|| request.uri().path().to_owned());
        return Some(page::refused("Another site asked for this page.", path));
    }
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        let allow = [(header::ALLOW, "GET, HEAD")];
        return Some(
            (StatusCode::METHOD_NOT_ALLOWED, allow, "Only GET and HEAD: the pages change nothing.\n").into_response(),
        );
    }
    None
}

/// Whether Host, given once, and the authority of an absolute target name this machine and port.
fn is_own_host(headers: &HeaderMap, uri: &Uri, port: u16) -> bool {
    let mut hosts = headers.get_all(header::HOST).iter();
    let (Some(host), None) = (hosts.next(), hosts.next()) else { return false };
    let own = |text: &str| is_own_authority(text, port);
    host.to_str().is_ok_and(own) && uri.authority().is_none_or(|a| own(a.as_str()))
}

/// Whether `name:port` is ours; the port may be left out only where it is 80.
fn is_own_authority(text: &str, port: u16) -> bool {
    let text = text.to_ascii_lowercase();
    OWN_NAMES.iter().any(|name| match text.strip_prefix(name) {
        Some("") => port == 80,
        Some(rest) => rest.strip_prefix(':') == Some(port.to_string().as_str()),
        None => false,
    })
}

/// Whether nothing says that another origin asks. A client that sends neither
/// header (curl, an old browser's typed address) is let through.
fn is_own_origin(headers: &HeaderMap, port: u16) -> bool {
    let own_origin = |value: &HeaderValue| {
        value.to_str().ok().and_then(|v| v.strip_prefix("http://")).is_some_and(|a| is_own_authority(a, port))
    };
    let own_site = |value: &HeaderValue| matches!(value.as_bytes(), b"same-origin" | b"none");
    headers.get_all(header::ORIGIN).iter().all(own_origin) && headers.get_all("sec-fetch-site").iter().all(own_site)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_names_need_the_own_port() {
        for own in ["127.0.0.1:8460", "localhost:8460", "LocalHost:8460", "[::1]:8460"] {
            assert!(is_own_authority(own, 8460), "{own}");
        }
        let foreign = [
            "127.0.0.1",
            "127.0.0.1:80",
            "localhost.evil.test:8460",
            "evil.test:8460",
            "127.0.0.1:84600",
            "127.0.0.1.evil.test:8460",
            "user@127.0.0.1:8460",
            "localhost:8460@evil.test",
            "127.0.0.1:08460",
            "",
        ];
        for host in foreign {
            assert!(!is_own_authority(host, 8460), "{host}");
        }
        assert!(is_own_authority("localhost", 80));
    }
}
