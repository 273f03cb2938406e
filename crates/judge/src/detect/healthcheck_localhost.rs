//! A health check asks `localhost` with a BusyBox tool, which takes the IPv6 address first and alone.

use std::sync::OnceLock;

use coroner_model::Citation;
use coroner_model::finding::Confidence;
use coroner_read::compose::split_words;
use coroner_read::dockerfile::Dockerfile;

use crate::detect::part::{self, Part};
use crate::detect::{declared, reason};
use crate::effect::repository;
use crate::fact::{Fact, FactKind, Subject};
use crate::scene::Scene;

/// Images that hold BusyBox without saying so in their tag, and on which addresses their
/// servers listen unless told otherwise: servers in Go listen on both families.
const KNOWN: &str = include_str!("../../../../facts/busybox-images.tsv");

/// Finds it; a scene in order gives nothing.
pub fn detect(scene: &Scene) -> Vec<Fact> {
    let parts = part::parts(scene);
    let mut facts: Vec<Fact> = parts.iter().filter_map(|part| of_part(scene, part)).collect();
    let used: Vec<String> = parts.iter().filter_map(|p| dockerfile_of(scene, p)).map(|(path, _)| path).collect();
    for (path, (file, document)) in &scene.dockerfiles {
        let Some(check) = file.healthcheck().filter(|_| !used.contains(path)) else { continue };
        let component = path.rsplit('/').nth(1).unwrap_or(path);
        facts.extend(fact(component, file.image(), Some(file), &check.test, document.cite_line(check.line)));
    }
    facts
}

/// The check that a part has: of its compose file, of the engine, or of its Dockerfile.
fn of_part(scene: &Scene, part: &Part<'_>) -> Option<Fact> {
    // It works as it is, so its server listens on both.
    if part.container.is_some_and(|c| c.state.health == "healthy") {
        return None;
    }
    let built = dockerfile_of(scene, part);
    let file = built.as_ref().map(|(_, file)| *file);
    let image = file.map_or(part.image(), Dockerfile::image);
    let (test, at) = match (part.service, part.container) {
        (Some(service), _) if !service.healthcheck.is_empty() => (service.healthcheck.clone(), service.at.clone()?),
        (_, Some(container)) if !container.healthcheck.is_empty() => {
            (container.healthcheck.clone(), part.cite_state("/Config/Healthcheck", &container.healthcheck.join(" "))?)
        }
        _ => {
            let (path, file) = built.as_ref()?;
            let check = file.healthcheck()?;
            let (_, document) = scene.dockerfiles.get(path)?;
            (check.test.clone(), document.cite_line(check.line))
        }
    };
    let listens_on_both = |word: &str| word.contains("[::]") || word == "::" || word.ends_with("=::");
    let mut words = part.words().into_iter().map(str::to_owned).collect::<Vec<_>>();
    words.extend(part.names().into_iter().filter_map(|name| part.variable(name)).map(|v| v.text));
    if words.iter().any(|w| listens_on_both(w)) {
        return None;
    }
    let mut fact = fact(part.name(), image, file, &test, at)?;
    fact.subjects.extend(part.container.map(|c| Subject::Container(c.name.clone())));
    Some(fact)
}

/// The Dockerfile that a part is built from, where it was read.
fn dockerfile_of<'s>(scene: &'s Scene, part: &Part<'_>) -> Option<(String, &'s Dockerfile)> {
    let service = part.service.filter(|s| !s.build_context.is_empty())?;
    let path = if service.dockerfile.is_empty() {
        format!("{}/Dockerfile", service.build_context.trim_end_matches('/'))
    } else {
        service.dockerfile.clone()
    };
    let (file, _) = scene.dockerfiles.get(&path)?;
    Some((path, file))
}

fn fact(name: &str, image: &str, file: Option<&Dockerfile>, test: &[String], at: Citation) -> Option<Fact> {
    let tool = asks_localhost(test)?;
    if !holds_busybox(image)
        || known(image) == Some("both")
        || file.is_some_and(|file| replaces(file, tool) || listens(file))
    {
        return None;
    }
    let text = format!(
        "the health check of {name} asks localhost with the {tool} of BusyBox ({image}), which tries ::1 and nothing else"
    );
    let mut fact = declared(FactKind::HealthcheckLocalhost, "busybox", name, text.clone(), &at);
    fact.because = vec![reason(text, [at])];
    fact.confidence = Confidence::Medium;
    fact.subjects.push(Subject::Service(name.to_owned()));
    fact.remedy = "Ask `127.0.0.1` instead of `localhost` in the health check.".to_owned();
    Some(fact)
}

/// The tool of BusyBox that a check asks `localhost` with.
fn asks_localhost(test: &[String]) -> Option<&'static str> {
    let (form, words) = test.split_first()?;
    let texts: Vec<Vec<String>> = match form.as_str() {
        "CMD-SHELL" => commands(&words.join(" ")),
        "CMD" => match words {
            [shell, flag, text, ..]
                if shell.rsplit('/').next().is_some_and(|s| matches!(s, "sh" | "ash" | "bash"))
                    && flag.starts_with('-') =>
            {
                commands(text)
            }
            _ => vec![words.to_vec()],
        },
        _ => return None,
    };
    texts.iter().find_map(|argv| {
        let program = argv.iter().find(|w| *w != "busybox" && *w != "exec" && *w != "timeout")?;
        let tool = match program.rsplit('/').next()? {
            "wget" => "wget",
            "nc" => "nc",
            _ => return None,
        };
        argv.iter().any(|w| is_localhost(w)).then_some(tool)
    })
}

/// The commands of a shell text; good enough for a health check, which is one line.
fn commands(text: &str) -> Vec<Vec<String>> {
    text.split([';', '&', '|', '\n', '(', ')', '{', '}']).map(split_words).filter(|argv| !argv.is_empty()).collect()
}

fn is_localhost(word: &str) -> bool {
    let rest = word.split_once("://").map_or(word, |(_, rest)| rest);
    rest.strip_prefix("localhost").is_some_and(|end| end.is_empty() || end.starts_with([':', '/', '?']))
}

/// Whether the image holds the tools of BusyBox.
fn holds_busybox(image: &str) -> bool {
    let name = repository(image);
    let tag = image.strip_prefix(name).unwrap_or("").split('@').next().unwrap_or("").to_ascii_lowercase();
    let last = name.rsplit('/').next().unwrap_or(name);
    let says = |text: &str| {
        text.split(['-', '_', '.', ':']).any(|w| w.trim_end_matches(|c: char| c.is_ascii_digit()) == "alpine")
    };
    if says(&tag) || says(last) || last == "busybox" {
        return true;
    }
    // A variant that names another system stands on that.
    let other = ["ubuntu", "debian", "bookworm", "bullseye", "slim", "ubi", "distroless", "windows"];
    known(image).is_some() && !other.iter().any(|w| tag.contains(w))
}

/// On which addresses the server of a known image listens; `None` for any other image.
fn known(image: &str) -> Option<&'static str> {
    static ROWS: OnceLock<Vec<(&'static str, &'static str)>> = OnceLock::new();
    let rows = ROWS.get_or_init(|| {
        let row = |line: &'static str| line.split_once('\t').map(|(name, rest)| (name, rest.split('\t').next()));
        KNOWN.lines().skip(1).filter_map(row).filter_map(|(name, listens)| Some((name, listens?))).collect()
    });
    let name = repository(image);
    let plain = name.strip_prefix("docker.io/").unwrap_or(name);
    let plain = plain.strip_prefix("library/").unwrap_or(plain);
    rows.iter().find(|(one, _)| *one == plain).map(|(_, listens)| *listens)
}

/// Whether an image installs another program under the tool's name.
fn replaces(file: &Dockerfile, tool: &str) -> bool {
    let names: &[&str] = if tool == "wget" { &["wget"] } else { &["netcat-openbsd", "nmap-ncat", "ncat"] };
    file.chain().iter().flat_map(|stage| &stage.runs).any(|run| {
        run.contains("apk")
            && run
                .split(|c: char| c.is_whitespace() || c == ';')
                .any(|word| names.contains(&word.split('=').next().unwrap_or(word)))
    })
}

/// Whether its own settings make the server listen on IPv6 too.
fn listens(file: &Dockerfile) -> bool {
    file.chain().iter().any(|stage| {
        stage.environment.iter().any(|(_, value)| value == "::" || value.contains("[::]"))
            || stage.command.iter().any(|word| word.contains("[::]"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tool_of_busybox_and_localhost_is_both_it_takes() {
        let test = |words: &[&str]| asks_localhost(&words.iter().map(|w| (*w).to_owned()).collect::<Vec<_>>());
        assert_eq!(test(&["CMD", "wget", "-q", "--spider", "http://localhost:3000/"]), Some("wget"));
        assert_eq!(test(&["CMD-SHELL", "sleep 1; /usr/bin/wget -qO- localhost/health || exit 1"]), Some("wget"));
        assert_eq!(test(&["CMD", "sh", "-c", "nc -z localhost 3000"]), Some("nc"));
        for silent in [
            &["CMD", "curl", "-f", "http://localhost/"][..],
            &["CMD", "wget", "-q", "http://127.0.0.1/"],
            &["CMD", "wget", "-q", "http://web/?back=localhost"],
            &["CMD", "redis-cli", "-h", "localhost", "ping"],
            &["CMD", "wget", "http://localhost.example.org/"],
            &["NONE"],
        ] {
            assert_eq!(test(silent), None, "{silent:?}");
        }
    }

    #[test]
    fn a_server_that_listens_on_both_families_is_asked_by_either_name() {
        let test = ["CMD", "wget", "-q", "http://localhost:8080/"].map(str::to_owned);
        let at = Citation::new(coroner_model::Source::File, "files/srv/compose.yml:3".to_owned(), String::new());
        for (image, found) in
            [("prom/prometheus:v2.53.5", false), ("traefik:v3", false), ("n8nio/n8n:1", true), ("node:20-alpine", true)]
        {
            assert_eq!(fact("web", image, None, &test, at.clone()).is_some(), found, "{image}");
        }
    }

    #[test]
    fn images_say_what_they_stand_on() {
        for image in [
            "node:20-alpine",
            "nginx:1.27-alpine3.20",
            "alpine",
            "docker.io/library/busybox:1.36",
            "traefik:v3",
            "x/y-alpine:1",
        ] {
            assert!(holds_busybox(image), "{image}");
        }
        for image in ["node:20", "nginx:1.27", "grafana/grafana:11.0-ubuntu", "debian:12-slim", "me/alpineer:1", ""] {
            assert!(!holds_busybox(image), "{image}");
        }
    }
}
