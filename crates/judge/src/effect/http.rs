//! `curl`, `wget`, `http`: requests that change what they reach, and files that they write.

use coroner_model::effect::{Circumstance, EffectKind, TargetClass};
use coroner_read::shell::{RedirectKind, Word};

use super::named::{Deciding, Named, is_loopback, is_production_name};
use super::options::{Options, Order};
use super::sent::Sent;
use super::{Extent, Plan, growth};

/// Options of `curl` that take a value.
const CURL: &[&str] = &[
    "-X",
    "--request",
    "-d",
    "--data",
    "--data-raw",
    "--data-binary",
    "--data-urlencode",
    "--data-ascii",
    "--json",
    "-F",
    "--form",
    "--form-string",
    "-T",
    "--upload-file",
    "-H",
    "--header",
    "-o",
    "--output",
    "-u",
    "--user",
    "-b",
    "--cookie",
    "-c",
    "--cookie-jar",
    "-A",
    "--user-agent",
    "-e",
    "--referer",
    "-x",
    "--proxy",
    "-m",
    "--max-time",
    "--connect-timeout",
    "--retry",
    "--retry-delay",
    "--retry-max-time",
    "-w",
    "--write-out",
    "-E",
    "--cert",
    "--key",
    "--cacert",
    "--capath",
    "--resolve",
    "--connect-to",
    "--interface",
    "-K",
    "--config",
    "--url",
    "--limit-rate",
    "-r",
    "--range",
    "-D",
    "--dump-header",
    "--unix-socket",
    "--max-redirs",
    "-C",
    "--continue-at",
    "-z",
    "--oauth2-bearer",
    "--aws-sigv4",
    "-t",
    "-y",
    "-Y",
    "-U",
    "--proxy-user",
    "-P",
    "--ftp-port",
    "-Q",
    "--quote",
    "--output-dir",
    "--tls-max",
    "--ciphers",
    "--max-filesize",
    "--url-query",
    "--dns-servers",
    "--doh-url",
];

const WGET: &[&str] = &[
    "-O",
    "--output-document",
    "-o",
    "--output-file",
    "-a",
    "--append-output",
    "--method",
    "--post-data",
    "--post-file",
    "--body-data",
    "--body-file",
    "--header",
    "-U",
    "--user-agent",
    "-t",
    "--tries",
    "-T",
    "--timeout",
    "-P",
    "--directory-prefix",
    "-i",
    "--input-file",
    "--user",
    "--password",
    "-e",
    "--execute",
    "-l",
    "--level",
    "-A",
    "-R",
    "--load-cookies",
    "--save-cookies",
    "--referer",
    "--limit-rate",
    "-w",
    "--wait",
    "-Q",
    "--quota",
];

pub(super) fn plan(out: &mut Plan<'_>) {
    match out.call.program() {
        "curl" => curl(out),
        "wget" => wget(out),
        _ => httpie(out),
    }
}

fn curl(out: &mut Plan<'_>) {
    let options = Options::read(&out.call.argv[1..], CURL, Order::Mixed);
    let data: Vec<Word> = options
        .flags
        .iter()
        .filter(|(f, _)| {
            matches!(f.as_str(), "-d" | "--json" | "-F" | "--form" | "--form-string") || f.starts_with("--data")
        })
        .filter_map(|(_, v)| v.clone())
        .collect();
    let as_query = options.has(&["-G", "--get"]);
    let heads = options.has(&["-I", "--head"]);
    let uploads = options.value(&["-T", "--upload-file"]).is_some();
    let method = match options.value(&["-X", "--request"]) {
        Some(word) => word.show().to_ascii_uppercase(),
        None if heads => "HEAD".into(),
        None if uploads => "PUT".into(),
        None if !data.is_empty() && !as_query => "POST".into(),
        None => "GET".into(),
    };
    let body = data.iter().map(Word::show).collect::<Vec<_>>().join("&");
    let urls: Vec<Word> = options.operands.iter().chain(options.values(&["--url"])).cloned().collect();
    let headers: Vec<String> = options.values(&["-H", "--header"]).map(Word::show).collect();
    let retries = options.value(&["--retry"]).is_some_and(|n| n.as_literal() != Some("0"));
    let saved = options.value(&["-o", "--output"]).and_then(Word::as_literal).map(str::to_owned);
    for url in &urls {
        request(out, &method, url, &body);
        repeats(out, Sent::of(&method, url, &body, &headers), retries, saved.clone());
    }
    for file in options.values(&["-o", "--output"]).cloned().collect::<Vec<_>>() {
        written(out, &file, &urls);
    }
    if options.has(&["-O", "--remote-name"]) {
        download(out, &urls, options.value(&["--output-dir"]));
    }
}

fn wget(out: &mut Plan<'_>) {
    let options = Options::read(&out.call.argv[1..], WGET, Order::Mixed);
    if options.has(&["--spider"]) {
        return;
    }
    let posts = options.value(&["--post-data", "--post-file"]);
    let method = match options.value(&["--method"]) {
        Some(word) => word.show().to_ascii_uppercase(),
        None if posts.is_some() => "POST".into(),
        None => "GET".into(),
    };
    let body = posts.or(options.value(&["--body-data"])).map(Word::show).unwrap_or_default();
    let urls = options.operands.clone();
    let headers: Vec<String> = options.values(&["--header"]).map(Word::show).collect();
    let saved = options.value(&["-O", "--output-document"]).and_then(Word::as_literal).map(str::to_owned);
    for url in &urls {
        request(out, &method, url, &body);
        repeats(out, Sent::of(&method, url, &body, &headers), false, saved.clone());
    }
    match options.value(&["-O", "--output-document"]).cloned() {
        Some(file) => written(out, &file, &urls),
        None if method == "GET" => download(out, &urls, options.value(&["-P", "--directory-prefix"])),
        None => {}
    }
}

/// `http DELETE example.org/x`, `http example.org a=b`.
fn httpie(out: &mut Plan<'_>) {
    let valued = [
        "-a",
        "--auth",
        "-A",
        "--auth-type",
        "-o",
        "--output",
        "--session",
        "--timeout",
        "--verify",
        "--proxy",
        "--raw",
        "-p",
        "-s",
    ];
    let options = Options::read(&out.call.argv[1..], &valued, Order::Mixed);
    if options.has(&["--offline"]) {
        return;
    }
    let mut operands = options.operands.as_slice();
    let named = operands
        .first()
        .and_then(Word::as_literal)
        .filter(|w| !w.is_empty() && w.chars().all(|c| c.is_ascii_uppercase()));
    if named.is_some() {
        operands = &operands[1..];
    }
    let Some((url, items)) = operands.split_first() else { return };
    let sends = items.iter().any(|w| {
        let text = w.show();
        (text.contains('=') && !text.contains("==")) || text.contains(":=") || text.contains('@')
    }) || options.value(&["--raw"]).is_some();
    let method = named.unwrap_or(if sends { "POST" } else { "GET" }).to_owned();
    let url = url.clone();
    let items: Vec<String> = items.iter().map(Word::show).collect();
    let body = options.value(&["--raw"]).map_or_else(|| items.join("&"), Word::show);
    request(out, &method, &url, &items.join("&"));
    repeats(out, Sent::of(&method, &url, &body, &items), false, None);
}

/// Notes a request that must not be sent twice.
fn repeats(out: &mut Plan<'_>, sent: Option<Sent>, retries: bool, saved: Option<String>) {
    let Some(mut sent) = sent else { return };
    sent.retries = retries || out.call.repeated;
    sent.saved = saved.or_else(|| {
        let written = out.call.redirects.iter().find(|r| r.kind == RedirectKind::Write);
        written.and_then(|r| r.target.as_literal()).filter(|f| !f.starts_with("/dev/")).map(str::to_owned)
    });
    let named = Named::of(format!("POST {}", sent.url), "send the same request again")
        .decided_by(Deciding::Repeated(Box::new(sent)));
    out.named(EffectKind::RepeatMutation, named);
}

fn request(out: &mut Plan<'_>, method: &str, url: &Word, body: &str) {
    local(out, &url.show());
    if matches!(method, "GET" | "HEAD" | "OPTIONS" | "TRACE" | "PROPFIND") {
        return;
    }
    let text = url.show();
    let host = host_of(&text);
    let path = path_of(&text);
    let stores = is_store(&text);
    let here = is_loopback(&host) && !stores;
    let deletes = method == "DELETE" || path_destroys(&path) || (is_mutation_body(body) && mutation_deletes(body));
    let named = Named::of(format!("{method} {host}{path}"), format!("send {method} to {host}{path}"))
        .when(deletes && !here && !is_session(&path), Circumstance::Irreversible);
    let named = if is_production_name(&host) { named.of_class(TargetClass::Production) } else { named };
    out.named(EffectKind::HttpMutation, named);
}

/// A request to a port of this host that is named.
fn local(out: &mut Plan<'_>, url: &str) {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or(rest);
    let port = authority.rsplit_once(':').and_then(|(_, port)| port.parse().ok());
    let host = host_of(url);
    let Some(port) = port.filter(|_| !host.is_empty() && is_loopback(&host)) else { return };
    let named = Named::of(format!("{host}:{port}"), format!("ask port {port}")).decided_by(Deciding::Local { port });
    out.named(EffectKind::HttpRequest, named);
}

/// The host of an address, without login and port.
pub(super) fn host_of(url: &str) -> String {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or(rest);
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    if let Some(inner) = host.strip_prefix('[') {
        return inner.split(']').next().unwrap_or(inner).to_owned();
    }
    host.split(':').next().unwrap_or(host).to_owned()
}

pub(super) fn path_of(url: &str) -> String {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let from = rest.find('/').unwrap_or(rest.len());
    rest[from..].split(['?', '#']).next().unwrap_or_default().to_owned()
}

/// Ports on which stores are managed by plain requests.
fn is_store(url: &str) -> bool {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or(rest);
    let port = authority.rsplit_once(':').map(|(_, p)| p).unwrap_or_default();
    let storing = [
        "9200", "9201", "8500", "2379", "6333", "5984", "8086", "8123", "7700", "8983", "8108", "15672", "9090", "8428",
    ];
    storing.contains(&port)
}

/// A path whose own words say that it destroys.
fn path_destroys(path: &str) -> bool {
    path.split('/').any(|part| {
        matches!(
            part.to_ascii_lowercase().as_str(),
            "_delete_by_query"
                | "delete"
                | "destroy"
                | "purge"
                | "wipe"
                | "truncate"
                | "drop"
                | "flush"
                | "delete_series"
                | "delete-all"
                | "deleteall"
                | "delete_all"
                | "factory-reset"
        )
    })
}

/// Ending a login is no loss.
fn is_session(path: &str) -> bool {
    path.split('/').any(|part| matches!(part, "session" | "sessions" | "logout" | "token"))
}

fn is_mutation_body(body: &str) -> bool {
    serde_json::from_str::<serde_json::Value>(body)
        .ok()
        .and_then(|v| Some(is_mutation(v.get("query")?.as_str()?)))
        .unwrap_or_else(|| is_mutation(body))
}

/// Whether a GraphQL text is a mutation.
pub(super) fn is_mutation(query: &str) -> bool {
    query.trim_start().starts_with("mutation")
}

/// Whether a field of a mutation deletes.
pub(super) fn mutation_deletes(query: &str) -> bool {
    query.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').any(|word| {
        // `volumeDelete` says it behind the noun.
        ["delete", "remove", "destroy", "purge", "archive"].iter().any(|verb| word.starts_with(verb))
            || ["Delete", "Remove", "Destroy", "Purge"].iter().any(|verb| word.ends_with(verb))
    })
}

fn written(out: &mut Plan<'_>, file: &Word, urls: &[Word]) {
    let nowhere = file.as_literal() == Some("-") || file.prefix().starts_with("/dev/");
    if !nowhere {
        out.paths(EffectKind::Overwrite, file, Extent::Itself, None);
        download(out, urls, Some(file));
    }
}

fn download(out: &mut Plan<'_>, urls: &[Word], to: Option<&Word>) {
    urls.iter().for_each(|url| growth::fetched(out, url, to));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_taken_apart() {
        assert_eq!(host_of("https://app:x@api.example.org:8443/v1?x=1"), "api.example.org");
        assert_eq!(host_of("[::1]:9200/orders"), "::1");
        assert_eq!(path_of("localhost:9200/orders/_delete_by_query?x"), "/orders/_delete_by_query");
        assert!(is_store("localhost:9200/orders") && !is_store("localhost:3000/orders"));
    }
}
