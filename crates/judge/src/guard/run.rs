//! Containers made by hand beside a compose project: doubles of services, or out of the proxy's sight.

use coroner_model::effect::{Circumstance, Effect};
use coroner_model::probe::DockerTable;
use coroner_model::{Citation, Probe};
use coroner_read::docker::Container;
use coroner_read::shell::Word;

use super::tool::quote;
use super::view::{View, told};
use super::{Judged, Story};
use crate::effect::named::is_test_name;
use crate::effect::{Place, Planned, RunSpec, repository};

/// Images and names by which a reverse proxy is known.
const PROXIES: [&str; 9] =
    ["traefik", "caddy", "nginx-proxy", "nginxproxymanager", "haproxy", "envoyproxy", "swag", "nginx", "kong"];

/// A compose service that a container by hand would double.
struct Double {
    service: String,
    what: String,
    files: Vec<String>,
    directory: String,
    cited: Option<Citation>,
}

impl View<'_> {
    pub(super) fn run(&self, planned: &Planned, spec: &RunSpec) -> Vec<Judged> {
        let target = spec.name.as_ref().or(spec.image.as_ref()).map(Word::show).unwrap_or_default();
        let mut effect = Effect::new(planned.kind, target.clone(), &planned.program);
        if spec.detached {
            effect.add_circumstance(Circumstance::Detached);
        }
        // What ends with its command leaves nothing behind that a proxy would look for.
        if !spec.detached || spec.removed_after || spec.place != Place::Host {
            let upgrade = self.upgrade_by_hand(planned, spec).filter(|_| spec.place == Place::Host);
            return std::iter::once(told(effect)).chain(upgrade).collect();
        }
        let mut story = Story { would: format!("start {target} by hand, outside compose"), ..Story::default() };
        if let Some(double) = self.double(spec) {
            effect.add_circumstance(Circumstance::ResemblesService);
            story.lines.push(double.what);
            story.evidence.extend(double.cited);
            story.instead.push(self.compose_up(&double.service, &double.files, &double.directory));
            story.why = "A container by hand has neither the networks, nor the environment, nor the restart rule of its service.".into();
        }
        self.off_network(spec, &mut effect, &mut story);
        let mut all = vec![Judged { effect, story }];
        all.extend(self.upgrade_by_hand(planned, spec));
        all
    }

    fn compose_up(&self, service: &str, files: &[String], directory: &str) -> String {
        let at_home = directory.trim_end_matches('/') == self.case.request.cwd.trim_end_matches('/');
        let files = if at_home && files.len() <= 1 {
            String::new()
        } else {
            files.iter().map(|f| format!("-f {} ", quote(f))).collect()
        };
        format!("docker compose {files}up -d {}", quote(service))
    }

    /// The compose service that has the same name or image.
    fn double(&self, spec: &RunSpec) -> Option<Double> {
        let name = spec.name.as_ref().and_then(Word::as_literal);
        // A name of its own for a test, and nothing shared with anybody: a server to throw away.
        let thrown_away = name.is_some_and(is_test_name) && spec.ports.is_empty() && spec.volumes.is_empty();
        let shared_image = |i: &&str| !thrown_away || repository(i).contains('/');
        let image = spec.image.as_ref().and_then(Word::as_literal).filter(shared_image);
        for project in &self.scene.projects {
            for service in &project.services {
                let built = format!("{}-{}", project.name, service.name);
                let by_name = name.is_some_and(|n| {
                    n == service.name
                        || n == service.container_name
                        || n.trim_end_matches("-1") == built
                        || n == format!("{}_{}", project.name, service.name)
                });
                let own = if service.image.is_empty() { built.as_str() } else { service.image.as_str() };
                let by_image = image.is_some_and(|i| same_image(i, own));
                if by_name || by_image {
                    let how = if by_name { "name" } else { "image" };
                    return Some(Double {
                        service: service.name.clone(),
                        what: format!(
                            "same {how} as the service \"{}\" of the compose project {}",
                            service.name, project.name
                        ),
                        files: project.files.clone(),
                        directory: project.directory.clone(),
                        cited: service.at.clone(),
                    });
                }
            }
        }
        self.scene.containers.iter().filter(|c| c.service().is_some()).find_map(|container| {
            let by_name = name.is_some_and(|n| n == container.name || Some(n) == container.service());
            let by_image = image.is_some_and(|i| same_image(i, &container.image));
            (by_name || by_image).then(|| Double {
                service: container.component().to_owned(),
                what: format!(
                    "same {} as {}, a container of compose",
                    if by_name { "name" } else { "image" },
                    container.name
                ),
                files: container.config_files(),
                directory: container.working_directory().unwrap_or_default().to_owned(),
                cited: self.cite(container, "Config/Labels"),
            })
        })
    }

    /// A service of its own that the proxy would look for and not reach.
    fn off_network(&self, spec: &RunSpec, effect: &mut Effect, story: &mut Story) {
        let routed = spec.labels.iter().any(|l| {
            let label = l.show().to_ascii_lowercase();
            label.starts_with("traefik.") || label.starts_with("caddy")
        });
        let published = !spec.ports.is_empty();
        if !routed && !published {
            return;
        }
        let Some(proxy) = self.proxy() else { return };
        let has_project =
            !self.scene.projects.is_empty() || self.scene.containers.iter().any(|c| c.project().is_some());
        let networks: Vec<&String> = proxy.networks.keys().collect();
        let joined: Vec<String> = spec.networks.iter().map(Word::show).collect();
        let shares = joined.iter().any(|n| networks.contains(&n) || n == "host" || n.starts_with("container:"));
        if !has_project || shares || proxy.network_mode == "host" {
            return;
        }
        effect.add_circumstance(Circumstance::OffProxyNetwork);
        let own = if joined.is_empty() { "bridge".to_owned() } else { joined.join(", ") };
        let theirs = networks.iter().map(|n| n.as_str()).collect::<Vec<_>>().join(", ");
        story.lines.push(format!(
            "networks {own}; the proxy \"{}\" is in {theirs}: nothing in common, so 502",
            proxy.component()
        ));
        story.evidence.extend(self.cite(proxy, "NetworkSettings/Networks"));
        if story.instead.is_empty()
            && let Some(network) = networks.first()
        {
            let mut words: Vec<String> = spec.argv.iter().map(|w| quote(&w.show())).collect();
            let at = spec
                .argv
                .iter()
                .position(|w| matches!(w.as_literal(), Some("run" | "create")))
                .map_or(words.len(), |i| i + 1);
            words.insert(at, format!("--network {}", quote(network)));
            words.retain(|w| !w.starts_with("--network=") && !w.starts_with("--net="));
            story.instead.push(words.join(" "));
        }
    }

    fn proxy(&self) -> Option<&Container> {
        let known = |c: &&Container| {
            let image = repository(&c.image).rsplit('/').next().unwrap_or_default().to_ascii_lowercase();
            PROXIES.iter().any(|p| image == *p || c.component() == *p)
        };
        let routes = |c: &&Container| c.published.iter().any(|p| matches!(p.host_port, 80 | 443));
        let all = || self.scene.containers.iter().filter(known);
        all().find(routes).or_else(|| all().find(|c| !c.image.starts_with("nginx")))
    }

    pub(super) fn cite(&self, container: &Container, what: &str) -> Option<Citation> {
        let document = self.answers.document(&Probe::Docker(DockerTable::Inspect))?;
        let networks: Vec<&str> = container.networks.keys().map(String::as_str).collect();
        let text = format!("{}: image {}, networks {}", container.name, container.image, networks.join(", "));
        Some(document.cite_pointer(&format!("/{}/{what}", container.index), &text))
    }
}

/// Whether two images are one and the same program.
///
/// An own image is known by its repository. One that everybody uses, such as a
/// plain database, is a double only with the very tag of the service.
fn same_image(a: &str, b: &str) -> bool {
    fn short(image: &str) -> &str {
        let image = image.strip_prefix("docker.io/").unwrap_or(image);
        image.strip_prefix("library/").unwrap_or(image)
    }
    let (a, b) = (short(a), short(b));
    let everybodys = !repository(a).contains('/') && b.contains(':');
    !a.is_empty() && if everybodys { a == b } else { repository(a) == repository(b) }
}
