//! Caddyfile: site addresses and `reverse_proxy`.

use coroner_model::Document;

use super::{Kind, Upstream, address};

/// Reads the upstreams of a Caddyfile.
pub(super) fn read(document: &Document) -> Vec<Upstream> {
    let mut found = Vec::new();
    // Words that opened each block.
    let mut blocks: Vec<Vec<String>> = Vec::new();
    let mut site = String::new();
    for (index, raw) in document.text.as_str().lines().enumerate() {
        let line = raw.split(" #").next().unwrap_or(raw).trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let words: Vec<String> = line.split_whitespace().map(|w| w.trim_matches('"').to_owned()).collect();
        let opens = words.last().is_some_and(|w| w == "{");
        let words: Vec<String> = words.into_iter().filter(|w| w != "{").collect();
        let in_proxy = blocks.last().is_some_and(|b| b.first().is_some_and(|w| w == "reverse_proxy"));
        if words.first().is_some_and(|w| w == "}") {
            blocks.pop();
            continue;
        }
        let targets: &[String] = match words.first().map(String::as_str) {
            Some("reverse_proxy") => &words[1..],
            Some("to") if in_proxy => &words[1..],
            // A file of a single site may leave its braces out.
            Some(_) if blocks.is_empty() => {
                site = words[0].trim_end_matches(',').to_owned();
                &[]
            }
            _ => &[],
        };
        let route = site.split_once("://").map_or(site.as_str(), |(_, host)| host).to_owned();
        for target in targets.iter().filter(|t| !t.starts_with(['/', '@', '*'])) {
            let Some((host, port)) = address(target).filter(|(host, _)| !host.is_empty()) else { continue };
            found.push(Upstream {
                kind: Kind::Caddy,
                route: route.clone(),
                host,
                port: port.or(Some(80)),
                at: document.cite_line(document.first_line + index as u64),
            });
        }
        if opens {
            blocks.push(words);
        }
    }
    found
}
