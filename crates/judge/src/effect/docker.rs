//! `docker` and its relatives: containers restarted, made and removed, volumes removed.

use coroner_model::effect::EffectKind;
use coroner_read::shell::{Word, program_of};

use super::options::{Options, Order};
use super::{Place, Plan, Target, compose, repository};

/// Containers that a command names.
#[derive(Clone, Debug, PartialEq)]
pub struct Containers {
    pub names: Vec<Word>,
    /// Every container of the host, as `$(docker ps -q)` names them.
    pub all: bool,
    /// Also while it runs.
    pub forced: bool,
    pub place: Place,
}

/// Volumes that a command names.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Volumes {
    pub names: Vec<Word>,
    pub scope: VolumeScope,
    pub place: Place,
    /// Whether the containers that hold them are removed first, by the same text.
    pub after_removal: bool,
}

/// Which volumes go, besides those that are named.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum VolumeScope {
    #[default]
    Named,
    /// Without a name and used by no container.
    UnusedAnonymous,
    /// Used by no container.
    Unused,
    /// Without a name, of the containers that are removed with them.
    AnonymousOf,
    Every,
}

/// A container that would be made by hand.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RunSpec {
    pub name: Option<Word>,
    pub image: Option<Word>,
    pub detached: bool,
    /// `--rm`: it is gone when it ends.
    pub removed_after: bool,
    pub interactive: bool,
    /// `create`: made now, started later.
    pub created_only: bool,
    pub networks: Vec<Word>,
    pub labels: Vec<Word>,
    pub ports: Vec<Word>,
    pub env_files: Vec<Word>,
    pub volumes: Vec<Word>,
    pub command: Vec<Word>,
    pub place: Place,
    /// The words of the whole command, for the remedy.
    pub argv: Vec<Word>,
}

/// Options before the verb that take a value.
const GLOBAL: &[&str] = &[
    "-H",
    "--host",
    "-c",
    "--context",
    "--config",
    "-l",
    "--log-level",
    "--tlscacert",
    "--tlscert",
    "--tlskey",
    "--url",
    "--connection",
    "--root",
];

/// Options of `run` and `create` that take a value.
const RUN: &[&str] = &[
    "-e",
    "--env",
    "--env-file",
    "-u",
    "--user",
    "-w",
    "--workdir",
    "-v",
    "--volume",
    "--mount",
    "--name",
    "--network",
    "--net",
    "-p",
    "--publish",
    "--entrypoint",
    "-l",
    "--label",
    "--label-file",
    "-h",
    "--hostname",
    "-m",
    "--memory",
    "--memory-swap",
    "--memory-reservation",
    "--cpus",
    "--platform",
    "--restart",
    "--add-host",
    "--cap-add",
    "--cap-drop",
    "--device",
    "--dns",
    "--dns-search",
    "--expose",
    "--gpus",
    "--ip",
    "--ip6",
    "--ipc",
    "--log-driver",
    "--log-opt",
    "--pid",
    "--pids-limit",
    "--pull",
    "--runtime",
    "--security-opt",
    "--shm-size",
    "--stop-signal",
    "--stop-timeout",
    "--sysctl",
    "--tmpfs",
    "--ulimit",
    "--userns",
    "--volumes-from",
    "--volume-driver",
    "-a",
    "--attach",
    "--cidfile",
    "--cgroupns",
    "--cgroup-parent",
    "--cpu-shares",
    "-c",
    "--cpuset-cpus",
    "--group-add",
    "--health-cmd",
    "--health-interval",
    "--health-retries",
    "--health-timeout",
    "--health-start-period",
    "--link",
    "--mac-address",
    "--network-alias",
    "--net-alias",
    "--oom-score-adj",
    "--storage-opt",
    "--uts",
    "--domainname",
    "--annotation",
    "--detach-keys",
    "--blkio-weight",
    "--pod",
    "--secret",
    "--systemd",
    "--authfile",
    "--arch",
    "--os",
];

pub(super) fn plan(out: &mut Plan<'_>) {
    let call = out.call;
    let globals = Options::read(&call.argv[1..], GLOBAL, Order::First);
    let Some((verb, rest)) = globals.operands.split_first() else { return };
    let rest = rest.to_vec();
    let host = globals.value(&["-H", "--host", "-c", "--context", "--url", "--connection"]).cloned();
    match verb.as_literal().unwrap_or_default() {
        "compose" => compose::plan(out, &rest),
        "container" => {
            if let Some((verb, rest)) = rest.split_first() {
                of_container(out, verb.as_literal().unwrap_or_default(), rest, host.as_ref());
            }
        }
        "volume" => of_volume(out, &rest, host.as_ref()),
        "image" => {
            if let Some((verb, rest)) = rest.split_first() {
                of_image(out, verb.as_literal().unwrap_or_default(), rest);
            }
        }
        "rmi" => of_image(out, "rm", &rest),
        "pull" | "build" | "buildx" => fetches(out, verb.as_literal().unwrap_or_default(), &rest, host.as_ref()),
        "stack" | "service" | "swarm" => of_swarm(out, verb.as_literal().unwrap_or_default(), &rest),
        "system" if matches!(rest.first().and_then(Word::as_literal), Some("prune" | "reset")) => {
            let options = Options::read(&rest[1..], &["--filter"], Order::Mixed);
            let resets = rest.first().and_then(Word::as_literal) == Some("reset");
            let all = options.has(&["-a", "--all"]);
            let some = options.value(&["--filter"]).is_some() && !options.has(&["--volumes"]);
            let everything = all && !some || resets;
            let named =
                super::Named::of("docker", "remove every container, image, network and volume that is not in use")
                    .when(everything, coroner_model::effect::Circumstance::Everything);
            out.named(EffectKind::Prune, named);
            if options.has(&["--volumes"]) {
                let scope = VolumeScope::UnusedAnonymous;
                let place = place(out, host.as_ref());
                out.push(EffectKind::RemoveVolume, Target::Volumes(Volumes { scope, place, ..Volumes::default() }));
            }
        }
        verb => of_container(out, verb, &rest, host.as_ref()),
    }
}

/// Where the engine is: another host's when the command or its environment says so.
fn place(out: &Plan<'_>, host: Option<&Word>) -> Place {
    let assigned =
        out.call.assignments.iter().find(|(name, _)| name == "DOCKER_HOST" || name == "DOCKER_CONTEXT").map(|(_, v)| v);
    match host.or(assigned) {
        Some(host) if !host.prefix().starts_with("unix:") && host.as_literal() != Some("default") => {
            Place::Remote { host: host.show() }
        }
        _ => out.place(),
    }
}

fn of_container(out: &mut Plan<'_>, verb: &str, rest: &[Word], host: Option<&Word>) {
    let place = place(out, host);
    match verb {
        "restart" | "start" => {
            let options =
                Options::read(rest, &["-t", "--time", "--timeout", "-s", "--signal", "--detach-keys"], Order::Mixed);
            let containers = containers(&options, place);
            out.push(EffectKind::RestartContainer, Target::Containers(containers));
        }
        "stop" | "kill" | "pause" => {
            let options = Options::read(rest, &["-t", "--time", "--timeout", "-s", "--signal"], Order::Mixed);
            out.push(EffectKind::StopService, Target::Containers(containers(&options, place)));
        }
        "rm" => {
            let options = Options::read(rest, &[], Order::Mixed);
            let gone = containers(&options, place.clone());
            if options.has(&["-v", "--volumes"]) {
                let volumes =
                    Volumes { names: gone.names.clone(), scope: VolumeScope::AnonymousOf, place, after_removal: true };
                out.push(EffectKind::RemoveVolume, Target::Volumes(volumes));
            }
            out.push(EffectKind::RemoveContainer, Target::Containers(gone));
        }
        "run" | "create" => {
            let options = Options::read(rest, RUN, Order::First);
            if place == Place::Host {
                grows(out, &options);
            }
            out.push(EffectKind::RunContainer, Target::Run(Box::new(run_spec(&options, verb, &out.call.argv, place))));
        }
        _ => {}
    }
}

/// `pull` and `build` fill the engine's disk.
fn fetches(out: &mut Plan<'_>, verb: &str, rest: &[Word], host: Option<&Word>) {
    if place(out, host) != Place::Host {
        return;
    }
    let options =
        Options::read(rest, &["-t", "--tag", "-f", "--file", "--platform", "--build-arg", "--target"], Order::Mixed);
    let name = match verb {
        "pull" => options.operands.first().map(Word::show).unwrap_or_default(),
        "buildx" if options.operands.first().and_then(Word::as_literal) != Some("build") => return,
        _ => options.value(&["-t", "--tag"]).map(Word::show).unwrap_or_else(|| "an image".to_owned()),
    };
    super::growth::image(out, EffectKind::Download, &name, Vec::new(), None);
}

/// A container of an image that is known to grow, where its data would lie.
fn grows(out: &mut Plan<'_>, options: &Options) {
    let Some(image) = options.operands.first().map(Word::show) else { return };
    let words: Vec<String> = out.call.argv.iter().map(Word::show).filter(|word| *word != image).collect();
    let mounted = options.values(&["-v", "--volume"]).find_map(|volume| {
        let source = volume.show().split(':').next().unwrap_or_default().to_owned();
        source.starts_with('/').then_some(source)
    });
    super::growth::image(out, EffectKind::FillDisk, &image, words, mounted);
}

/// Images can be fetched again; all of them at once is a host without service.
fn of_image(out: &mut Plan<'_>, verb: &str, rest: &[Word]) {
    if verb == "prune" {
        let options = Options::read(rest, &["--filter"], Order::Mixed);
        let every = options.has(&["-a", "--all"]) && options.value(&["--filter"]).is_none();
        let named = super::Named::of("images", "remove every image that no container uses")
            .when(every, coroner_model::effect::Circumstance::Everything);
        return out.named(EffectKind::Prune, named);
    }
    if !matches!(verb, "rm" | "remove") {
        return;
    }
    let options = Options::read(rest, &[], Order::Mixed);
    let every =
        options.operands.iter().any(|w| w.produced_by().is_some_and(lists_images)) || options.has(&["-a", "--all"]);
    let named = super::Named::of(super::named::shown(&options.operands), "remove every image of the host")
        .when(every, coroner_model::effect::Circumstance::Everything);
    out.named(EffectKind::Prune, named);
}

/// Services of a swarm that go, or the swarm itself.
fn of_swarm(out: &mut Plan<'_>, what: &str, rest: &[Word]) {
    let options = Options::read(rest, &[], Order::Mixed);
    let Some((verb, names)) = options.operands.split_first() else { return };
    let leaves = what == "swarm" && verb.as_literal() == Some("leave") && options.has(&["-f", "--force"]);
    let removes = what != "swarm" && matches!(verb.as_literal(), Some("rm" | "remove" | "down"));
    if leaves || removes {
        let name = super::named::shown(names);
        let named = super::Named::of(name.clone(), format!("remove every container of the {what} {name}"))
            .with(coroner_model::effect::Circumstance::InUse);
        out.named(EffectKind::RemoveContainer, named);
    }
}

fn lists_images(commands: &[Vec<Word>]) -> bool {
    let [source] = commands else { return false };
    let literal: Vec<&str> = source.iter().filter_map(Word::as_literal).collect();
    let lists = literal.contains(&"images") || literal.contains(&"image") && literal.contains(&"ls");
    let filtered =
        literal.iter().any(|w| matches!(*w, "-f" | "--filter") || w.starts_with("--filter=")) || literal.len() > 4;
    matches!(program_of(source), "docker" | "podman") && lists && !filtered
}

fn containers(options: &Options, place: Place) -> Containers {
    let listed = options.operands.iter().any(|w| w.produced_by().is_some_and(lists_all));
    let all = listed || options.has(&["-a", "--all"]) && options.operands.is_empty();
    let forced = options.has(&["-f", "--force"]);
    Containers { names: options.operands.clone(), all, forced, place }
}

/// Whether the commands print the ids of all containers: `docker ps -q` without a filter.
fn lists_all(commands: &[Vec<Word>]) -> bool {
    let [source] = commands else { return false };
    let literal: Vec<&str> = source.iter().filter_map(Word::as_literal).collect();
    let lists = literal.iter().any(|w| matches!(*w, "ps" | "ls" | "list"));
    let filtered =
        literal.iter().any(|w| matches!(*w, "-f" | "--filter" | "-n" | "--last" | "-l") || w.starts_with("--filter="));
    matches!(program_of(source), "docker" | "podman") && lists && !filtered
}

fn run_spec(options: &Options, verb: &str, argv: &[Word], place: Place) -> RunSpec {
    let all = |names: &[&str]| options.values(names).cloned().collect::<Vec<_>>();
    RunSpec {
        name: options.value(&["--name"]).cloned(),
        image: options.operands.first().cloned(),
        detached: options.has(&["-d", "--detach"]) || verb == "create",
        removed_after: options.has(&["--rm"]),
        interactive: options.has(&["-i", "--interactive", "-t", "--tty"]),
        created_only: verb == "create",
        networks: all(&["--network", "--net"]),
        labels: all(&["-l", "--label"]),
        ports: if options.has(&["-P", "--publish-all"]) {
            vec![Word::literal("all")]
        } else {
            all(&["-p", "--publish"])
        },
        env_files: all(&["--env-file"]),
        volumes: all(&["-v", "--volume", "--mount"]),
        command: options.operands.get(1..).unwrap_or_default().to_vec(),
        place,
        argv: argv.to_vec(),
    }
}

fn of_volume(out: &mut Plan<'_>, rest: &[Word], host: Option<&Word>) {
    let place = place(out, host);
    let Some((verb, rest)) = rest.split_first() else { return };
    let options = Options::read(rest, &["--filter"], Order::Mixed);
    let volumes = match verb.as_literal() {
        Some("rm" | "remove") => {
            let every =
                options.operands.iter().any(|w| {
                    w.produced_by().is_some_and(|commands| commands.len() == 1 && lists_volumes(&commands[0]))
                }) || options.has(&["-a", "--all"]);
            let scope = if every { VolumeScope::Every } else { VolumeScope::Named };
            Volumes { names: options.operands, scope, place, after_removal: false }
        }
        Some("prune") => {
            let scope = if options.has(&["-a", "--all"]) || out.call.program() == "podman" {
                VolumeScope::Unused
            } else {
                VolumeScope::UnusedAnonymous
            };
            Volumes { scope, place, ..Volumes::default() }
        }
        _ => return,
    };
    out.push(EffectKind::RemoveVolume, Target::Volumes(volumes));
}

fn lists_volumes(argv: &[Word]) -> bool {
    let literal: Vec<&str> = argv.iter().filter_map(Word::as_literal).collect();
    literal.contains(&"volume") && literal.iter().any(|w| matches!(*w, "ls" | "list"))
}

impl Containers {
    /// Whether one of these names is named; a name of compose's making counts.
    pub fn names(&self, names: &[&str]) -> bool {
        self.all || self.names.iter().any(|word| names.iter().any(|name| named(word, name)))
    }
}

/// Whether a word names a container, also through `docker ps --filter name=…`.
fn named(word: &Word, name: &str) -> bool {
    if word.as_literal() == Some(name) {
        return true;
    }
    word.produced_by().is_some_and(|commands| {
        commands.iter().flatten().filter_map(Word::as_literal).any(|w| {
            let wanted = w.strip_prefix("--filter=").unwrap_or(w).strip_prefix("name=").unwrap_or(w);
            wanted == name || (w.contains("name=") && name.contains(wanted.trim_matches(['^', '$', '/'])))
        })
    })
}

impl Volumes {
    /// Whether a volume is named.
    pub fn names(&self, name: &str) -> bool {
        self.scope == VolumeScope::Every || self.names.iter().any(|word| word.as_literal() == Some(name))
    }
}

impl RunSpec {
    /// Whether it is given one of these names.
    pub fn is_named(&self, names: &[&str]) -> bool {
        let name = self.name.as_ref().and_then(Word::as_literal);
        names.iter().any(|n| name == Some(*n))
    }

    /// Whether it goes by one of these names, or its image does without its tag.
    pub fn answers_to(&self, names: &[&str]) -> bool {
        let name = self.name.as_ref().and_then(Word::as_literal);
        let image = self.image.as_ref().and_then(Word::as_literal).map(repository);
        names.iter().any(|n| name == Some(*n) || image == Some(repository(n)))
    }
}

/// Whether the call removes containers, so that their volumes become free.
pub(crate) fn removes_containers(argv: &[Word]) -> bool {
    let words: Vec<&str> = argv.iter().filter_map(Word::as_literal).collect();
    matches!(program_of(argv), "docker" | "podman" | "docker-compose" | "podman-compose")
        && (words.iter().any(|w| matches!(*w, "down" | "rm")) && !words.contains(&"volume") || words.contains(&"prune"))
}
