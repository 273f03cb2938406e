//! The command that runs inside a container, and what of the host it sees.

use super::carrier::split_options;
use super::walk::Walker;
use super::word::Word;
use super::world::{Flow, Frame, World};
use super::{Carrier, Mounted, path, program_of};

/// A command inside a container.
pub(crate) struct Inner {
    /// The container or service; empty for one that is made for this command.
    pub(crate) name: String,
    pub(crate) argv: Vec<Word>,
    pub(crate) workdir: Option<Word>,
    pub(crate) mounts: Vec<Mounted>,
    /// Variables that its options give it.
    pub(crate) variables: Vec<(String, Word)>,
    /// Whether the outer command makes a container, which is an effect of its own.
    pub(crate) starts_container: bool,
}

/// Options of `exec` and `run` that take a separate value.
const VALUED: &[&str] = &[
    "-e",
    "--env",
    "--env-file",
    "-u",
    "--user",
    "-w",
    "--workdir",
    "--detach-keys",
    "--index",
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
    "--cpus",
    "--platform",
    "--restart",
    "--add-host",
    "--cap-add",
    "--cap-drop",
    "--device",
    "--dns",
    "--expose",
    "--gpus",
    "--ip",
    "--ipc",
    "--log-driver",
    "--log-opt",
    "--pid",
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
    "-a",
    "--attach",
    "--cidfile",
    "--cgroupns",
    "--cpu-shares",
    "-c",
    "--cpuset-cpus",
    "--group-add",
    "--health-cmd",
    "--health-interval",
    "--health-retries",
    "--health-timeout",
    "--link",
    "--mac-address",
    "--network-alias",
    "--net-alias",
    "--oom-score-adj",
    "--storage-opt",
    "--uts",
    "--domainname",
];

/// Options before the verb that take a separate value.
const GLOBAL_VALUED: &[&str] = &[
    "-H",
    "--host",
    "-c",
    "--context",
    "--config",
    "-l",
    "--log-level",
    "-f",
    "--file",
    "-p",
    "--project-name",
    "--project-directory",
    "--profile",
    "--env-file",
    "--ansi",
    "--parallel",
    "-n",
    "--namespace",
];

/// Options of `kubectl` that take a separate value, before and after its verb.
const POD_VALUED: &[&str] = &[
    "-n",
    "--namespace",
    "--context",
    "--cluster",
    "--kubeconfig",
    "-s",
    "--server",
    "--user",
    "--as",
    "--as-group",
    "--token",
    "--request-timeout",
    "-c",
    "--container",
    "-f",
    "--filename",
    "--pod-running-timeout",
];

/// `kubectl exec POD -- command`: options may stand on both sides of the pod.
fn of_pod(words: &[Word]) -> Option<Inner> {
    let (_, rest) = after_options(words, POD_VALUED);
    let (verb, rest) = rest.split_first()?;
    if verb.as_literal() != Some("exec") {
        return None;
    }
    let (_, rest) = after_options(rest, POD_VALUED);
    let (target, rest) = rest.split_first()?;
    let command = match rest.iter().position(|w| w.as_literal() == Some("--")) {
        Some(at) => &rest[at + 1..],
        None => after_options(rest, POD_VALUED).1,
    };
    (!command.is_empty()).then(|| Inner {
        name: target.show(),
        argv: command.to_vec(),
        workdir: None,
        mounts: Vec::new(),
        variables: Vec::new(),
        starts_container: false,
    })
}

/// Finds the command that a container command runs inside, if it runs one.
pub(crate) fn of_container(argv: &[Word]) -> Option<Inner> {
    if matches!(program_of(argv), "kubectl" | "oc") {
        return of_pod(&argv[1..]);
    }
    let mut rest = after_options(&argv[1..], GLOBAL_VALUED).1;
    let mut by_compose = program_of(argv).ends_with("-compose");
    if rest.first()?.as_literal()? == "compose" {
        by_compose = true;
        rest = after_options(&rest[1..], GLOBAL_VALUED).1;
    }
    if rest.first()?.as_literal()? == "container" {
        rest = &rest[1..];
    }
    let verb = rest.first()?.as_literal()?;
    if !matches!(verb, "exec" | "run") {
        return None;
    }
    let (options, rest) = after_options(&rest[1..], VALUED);
    let (target, command) = rest.split_first()?;
    let value = |names: &[&str]| options.iter().rev().find(|(n, _)| names.contains(n)).map(|(_, v)| v.clone());
    let mut command = match command.first().and_then(Word::as_literal) {
        Some("--") => command[1..].to_vec(),
        _ => command.to_vec(),
    };
    if verb == "run"
        && let Some(entry) = value(&["--entrypoint"])
    {
        command.insert(0, entry);
    }
    if command.is_empty() || program_of(&command).starts_with('-') {
        return None;
    }
    let mounts = options.iter().filter_map(|(name, value)| mounted(name, value)).collect();
    // A run of a service has the service's environment and mounts, another what it borrows.
    let borrowed = || value(&["--volumes-from"]).map(|w| w.show()).filter(|name| !name.ends_with(":ro"));
    let name = match verb == "exec" || by_compose {
        true => target.show(),
        false => borrowed().map(|name| name.trim_end_matches(":rw").to_owned()).unwrap_or_default(),
    };
    let workdir = value(&["-w", "--workdir"]);
    let given = options.iter().filter(|(name, _)| matches!(*name, "-e" | "--env"));
    let variables = given.filter_map(|(_, word)| variable(word)).collect();
    Some(Inner { name, argv: command, workdir, mounts, variables, starts_container: verb == "run" })
}

/// `NAME=value`; a name alone passes on what the caller has.
fn variable(word: &Word) -> Option<(String, Word)> {
    let (name, value) = word.prefix().split_once('=')?;
    let mut whole = Word::literal(value);
    word.parts.iter().skip(1).for_each(|p| whole.push(p.clone()));
    Some((name.to_owned(), whole))
}

type Options<'w> = Vec<(&'w str, Word)>;

fn after_options<'w>(words: &'w [Word], valued: &[&str]) -> (Options<'w>, &'w [Word]) {
    let mut options = Vec::new();
    let mut at = 0;
    while let Some(word) = words.get(at) {
        let text = word.prefix();
        if !text.starts_with('-') || text == "--" {
            break;
        }
        at += 1;
        if let Some((name, value)) = text.split_once('=').filter(|_| text.starts_with("--")) {
            let mut whole = Word::literal(value);
            word.parts.iter().skip(1).for_each(|p| whole.push(p.clone()));
            options.push((name, whole));
        } else if valued.contains(&text) {
            options.push((text, words.get(at).cloned().unwrap_or_default()));
            at += 1;
        } else if let Some(short) =
            text.get(..2).filter(|s| text.len() > 2 && !text.starts_with("--") && valued.contains(s))
        {
            let mut whole = Word::literal(&text[2..]);
            word.parts.iter().skip(1).for_each(|p| whole.push(p.clone()));
            options.push((short, whole));
        } else {
            options.push((text, Word::default()));
        }
    }
    (options, words.get(at..).unwrap_or_default())
}

/// `-v HOST:INSIDE[:ro]` and `--mount type=bind,source=HOST,target=INSIDE`.
fn mounted(name: &str, value: &Word) -> Option<Mounted> {
    let text = value.as_pattern()?;
    let (source, target) = match name {
        "-v" | "--volume" => {
            let mut parts = text.split(':');
            let pair = (parts.next()?.to_owned(), parts.next()?.to_owned());
            if parts.any(|mode| mode.split(',').any(|m| m == "ro")) {
                return None;
            }
            pair
        }
        "--mount" => {
            let field = |names: &[&str]| {
                text.split(',')
                    .filter_map(|f| f.split_once('='))
                    .find(|(n, _)| names.contains(n))
                    .map(|(_, v)| v.to_owned())
            };
            if text.split(',').any(|f| matches!(f, "readonly" | "ro" | "readonly=true" | "ro=true")) {
                return None;
            }
            (field(&["source", "src"])?, field(&["target", "destination", "dst"])?)
        }
        _ => return None,
    };
    Some(Mounted { source, target })
}

/// `chroot DIR command`, `nsenter -t 1 command`: another view of the same host.
#[allow(clippy::result_large_err, reason = "the world goes back to the caller, it is no error on its way up")]
pub(crate) fn enter(walker: &mut Walker<'_>, argv: &[Word], world: World, frame: &Frame) -> Result<Flow, World> {
    if program_of(argv) == "nsenter" {
        let (options, rest) = split_options(&argv[1..], &["-t", "--target", "-S", "--setuid", "-G", "--setgid"]);
        if rest.is_empty() {
            return Err(world);
        }
        let mut inside = frame.through(Carrier::Wrapped { program: "nsenter".into() });
        let init = options.iter().any(|(name, value)| {
            *name == "--target=1" || *name == "-t1" || value.is_some_and(|v| v.as_literal() == Some("1"))
        });
        if init {
            // The first process of the host sees the host, also from within a container.
            inside.carriers.retain(|c| !matches!(c, Carrier::Container { .. }));
        }
        return Ok(walker.dispatch(rest.to_vec(), world, &inside));
    }
    let (_, rest) = split_options(&argv[1..], &["--userspec", "--groups"]);
    let Some((root, command)) = rest.split_first().filter(|(_, command)| !command.is_empty()) else {
        return Err(world);
    };
    let root = path::join(&world.cwd, root).show();
    let mut inside = frame.through(Carrier::Wrapped { program: "chroot".into() });
    let whole_host = frame.carriers.iter().any(|carrier| match carrier {
        Carrier::Container { mounts, .. } => mounts.iter().any(|m| m.source == "/" && m.target == root),
        _ => false,
    });
    let there = World { cwd: Word::literal("/"), ..world.clone() };
    if whole_host {
        inside.carriers.retain(|c| !matches!(c, Carrier::Container { .. }));
    } else if root != "/" {
        let mounts = vec![Mounted { source: root, target: "/".into() }];
        inside.carriers.push(Carrier::Container { name: String::new(), mounts });
    }
    walker.dispatch(command.to_vec(), there, &inside);
    Ok(Flow::either(world))
}
