//! Short forms of compose values: paths, ports, mounts, words.

use crate::compose::types::{Mount, Port};

/// Joins a relative path to a directory and resolves `.` and `..`; `~` stays as it is.
pub fn absolute(path: &str, directory: &str) -> String {
    if path.starts_with('~') || path.contains("://") || path.starts_with("${") {
        return path.to_owned();
    }
    let joined = if path.starts_with('/') { path.to_owned() } else { format!("{directory}/{path}") };
    let mut parts: Vec<&str> = Vec::new();
    for part in joined.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            other => parts.push(other),
        }
    }
    format!("/{}", parts.join("/"))
}

/// The directory that holds a path.
pub fn parent(path: &str) -> &str {
    match path.rsplit_once('/') {
        Some(("", _)) | None => "/",
        Some((directory, _)) => directory,
    }
}

/// Whether the source of a short mount is a path and no volume's name.
pub fn is_path(source: &str) -> bool {
    source.starts_with(['/', '.', '~'])
}

/// `source:destination[:mode]` in its parts; a destination alone is an anonymous volume.
pub fn mount(text: &str) -> Mount {
    let parts: Vec<&str> = text.split(':').collect();
    let (source, destination, mode) = match parts.as_slice() {
        [destination] => ("", *destination, ""),
        [source, destination] => (*source, *destination, ""),
        [source, destination, mode, ..] => (*source, *destination, *mode),
        [] => ("", "", ""),
    };
    Mount {
        kind: if is_path(source) { "bind" } else { "volume" }.to_owned(),
        source: source.to_owned(),
        destination: destination.trim_end_matches('/').to_owned(),
        read_only: mode.split(',').any(|m| m == "ro"),
    }
}

/// Longest range of ports that is expanded.
const PORT_RANGE_MAX: u16 = 1000;

/// `[[ip:]host:]container[/protocol]` with ranges.
pub fn ports(text: &str) -> Vec<Port> {
    let (text, protocol) = text.split_once('/').unwrap_or((text, "tcp"));
    let (front, container) = text.rsplit_once(':').unwrap_or(("", text));
    let (host_ip, host) = match front.rsplit_once(':') {
        Some((ip, host)) => (ip.trim_matches(['[', ']']), host),
        None if front.contains('.') => (front, ""),
        None => ("", front),
    };
    let containers = range(container);
    let hosts = range(host);
    containers
        .iter()
        .enumerate()
        .map(|(i, port)| Port {
            host_ip: host_ip.to_owned(),
            // One container port under a range of host ports: the engine picks one.
            host_port: if hosts.len() == containers.len() { hosts[i] } else { 0 },
            container_port: *port,
            protocol: protocol.to_owned(),
        })
        .collect()
}

/// A port or a range of ports; nothing where it is neither.
pub fn range(text: &str) -> Vec<u16> {
    let (from, to) = text.split_once('-').unwrap_or((text, text));
    match (from.trim().parse::<u16>(), to.trim().parse::<u16>()) {
        (Ok(from), Ok(to)) if from <= to && to - from < PORT_RANGE_MAX => (from..=to).collect(),
        _ => Vec::new(),
    }
}

/// Splits a command string into words by the quoting rules of a shell, without expanding anything.
pub fn split_words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            c if c.is_whitespace() => words.extend(word.take()),
            '\'' => word.get_or_insert_default().extend(chars.by_ref().take_while(|c| *c != '\'')),
            '"' => {
                let word = word.get_or_insert_default();
                while let Some(c) = chars.next() {
                    match c {
                        '"' => break,
                        '\\' => word.extend(chars.next()),
                        other => word.push(other),
                    }
                }
            }
            '\\' => word.get_or_insert_default().extend(chars.next()),
            other => word.get_or_insert_default().push(other),
        }
    }
    words.extend(word);
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_forms_are_taken_apart() {
        let p =
            |text| ports(text).iter().map(|p| (p.host_ip.clone(), p.host_port, p.container_port)).collect::<Vec<_>>();
        assert_eq!(p("3000"), [(String::new(), 0, 3000)]);
        assert_eq!(p("127.0.0.1:8001:80"), [("127.0.0.1".into(), 8001, 80)]);
        assert_eq!(p("[::1]:80:81/tcp"), [("::1".into(), 80, 81)]);
        assert_eq!(p("9090-9091:8080-8081").len(), 2);
        assert_eq!(p("127.0.0.1::80"), [("127.0.0.1".into(), 0, 80)]);
        assert_eq!(
            mount("./a:/b/:ro"),
            Mount { kind: "bind".into(), source: "./a".into(), destination: "/b".into(), read_only: true }
        );
        assert_eq!(mount("data:/b").kind, "volume");
        assert_eq!(absolute("../x/./y", "/opt/app"), "/opt/x/y");
        assert_eq!(split_words(r#"sh -c "a 'b' \"c\"" d\ e '' "#), ["sh", "-c", r#"a 'b' "c""#, "d e", ""]);
    }
}
