//! What reverse proxies are told: where a public name is sent, and on which port.

mod caddy;
mod haproxy;
mod labels;
mod nginx;
pub mod traefik;

use coroner_model::{Citation, Document};

pub use labels::{LabelRoute, VIRTUAL_HOST, of_labels};

/// First words of a command among which its program is looked for.
const PROGRAM_WORDS_MAX: usize = 3;

/// Which proxy a configuration is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    Traefik,
    Nginx,
    Caddy,
    HaProxy,
    /// `nginx-proxy`, which reads `VIRTUAL_HOST` of its neighbours.
    NginxProxy,
}

impl Kind {
    /// The word for it in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Traefik => "traefik",
            Kind::Nginx => "nginx",
            Kind::Caddy => "caddy",
            Kind::HaProxy => "haproxy",
            Kind::NginxProxy => "nginx-proxy",
        }
    }

    /// The proxy that runs: by the program of its command, else by its image.
    pub fn of<'a>(image: &str, words: impl IntoIterator<Item = &'a str>) -> Option<Kind> {
        // An entry point script hands over to the program that follows it.
        let mut programs = words.into_iter().take(PROGRAM_WORDS_MAX).flat_map(programs);
        let by_program = programs.find_map(|program| match program {
            "traefik" => Some(Kind::Traefik),
            "nginx" | "openresty" => Some(Kind::Nginx),
            "caddy" => Some(Kind::Caddy),
            "haproxy" => Some(Kind::HaProxy),
            _ => None,
        });
        match Kind::of_image(image) {
            Some(Kind::NginxProxy) => Some(Kind::NginxProxy),
            of_image => by_program.or(of_image),
        }
    }

    /// The proxy that an image reference names by its last part, its words taken apart.
    pub fn of_image(image: &str) -> Option<Kind> {
        let name = image.rsplit('/').next().unwrap_or(image);
        let name = name.split([':', '@']).next().unwrap_or(name).to_ascii_lowercase();
        let words: Vec<&str> = name.split(['-', '_', '.']).collect();
        let has = |word: &str| words.contains(&word);
        if has("nginx") && has("proxy") && !has("manager") {
            Some(Kind::NginxProxy)
        } else if has("traefik") {
            Some(Kind::Traefik)
        } else if has("caddy") {
            Some(Kind::Caddy)
        } else if has("haproxy") {
            Some(Kind::HaProxy)
        } else if has("nginx") || has("openresty") {
            Some(Kind::Nginx)
        } else {
            None
        }
    }
}

/// The programs that one word of a command names: itself, or those of a shell's text.
fn programs(word: &str) -> impl Iterator<Item = &str> {
    let commands = word.split([';', '&', '|', '\n']).map(str::trim);
    let first = commands.filter_map(|c| c.strip_prefix("exec ").unwrap_or(c).split_whitespace().next());
    first.map(|program| program.rsplit('/').next().unwrap_or(program))
}

/// `host:port` that a configuration file forwards to.
#[derive(Clone, Debug, PartialEq)]
pub struct Upstream {
    pub kind: Kind,
    /// Public host or path, where the file says so.
    pub route: String,
    pub host: String,
    pub port: Option<u16>,
    pub at: Citation,
}

/// The upstreams that a proxy's configuration file names; another file names none.
pub fn read(document: &Document) -> Vec<Upstream> {
    let path = document.path.to_ascii_lowercase();
    let name = path.rsplit('/').next().unwrap_or(&path);
    if name.ends_with(".yml") || name.ends_with(".yaml") || name.ends_with(".toml") {
        return traefik::read(document);
    }
    if name == "caddyfile" || name.ends_with(".caddyfile") {
        return caddy::read(document);
    }
    if name.ends_with(".cfg") {
        return haproxy::read(document);
    }
    nginx::read(document)
}

/// What a proxy is told of the containers that it finds by itself.
#[derive(Clone, Debug, PartialEq)]
pub struct DockerProvider {
    /// Whether a container without a word of its own is shown.
    pub exposed_by_default: Option<bool>,
    /// The network over which containers are reached that name none.
    pub network: Option<String>,
    /// Where the network is named.
    pub at: Option<Citation>,
}

/// What a static file says of the engine's containers; `None` where it does not speak of them.
pub fn docker_provider(document: &Document) -> Option<DockerProvider> {
    let path = document.path.to_ascii_lowercase();
    let may = [".yml", ".yaml", ".toml"].iter().any(|end| path.ends_with(end));
    may.then(|| traefik::docker_provider(document)).flatten()
}

/// Host and port of an address such as `http://api:8080/x`, `api:8080` or `api`.
fn address(text: &str) -> Option<(String, Option<u16>)> {
    let (scheme, rest) = text.split_once("://").unwrap_or(("", text));
    let authority = rest.split(['/', '?', ';']).next().unwrap_or(rest);
    let authority = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !host.contains(':') || host.ends_with(']') => (host, port.parse().ok()),
        _ => (authority, None),
    };
    let host = host.trim_matches(['[', ']']);
    let named = !host.is_empty() && !host.contains(['$', '{', '*', ' ']) && host != "unix";
    let default = match scheme {
        "http" | "h2c" => Some(80),
        "https" => Some(443),
        _ => None,
    };
    named.then(|| (host.to_owned(), port.or(default)))
}

#[cfg(test)]
mod tests;
