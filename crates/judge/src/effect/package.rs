//! Package managers: what is installed, what goes, and upgrades of the whole system.

use coroner_model::effect::{Circumstance, EffectKind};
use coroner_read::shell::{Invocation, Stdin, Word};

use super::Plan;
use super::named::{Named, shown};
use super::options::{Options, Order};

const VALUED: &[&str] = &[
    "-t",
    "--target-release",
    "-o",
    "--option",
    "-c",
    "--config-file",
    "-r",
    "--requirement",
    "-i",
    "--index-url",
    "--extra-index-url",
    "-e",
    "--editable",
    "--target",
    "--prefix",
    "--root",
    "--version",
    "--git",
    "--path",
    "--branch",
    "--tag",
    "--features",
    "-F",
    "--registry",
    "--repo",
    "--channel",
    "--classic?",
    "-w",
    "--workspace",
    "-C",
    "--cwd",
    "--filter",
    "--constraint",
    "--python",
    "--platform",
];

pub(super) fn plan(out: &mut Plan<'_>) {
    let call = out.call;
    let program = call.program();
    let words = &call.argv[1..];
    if matches!(program, "dpkg" | "rpm" | "pacman") {
        return by_option(out, program, words);
    }
    if program == "do-release-upgrade" {
        return upgrade(out);
    }
    let mut options = Options::read(words, VALUED, Order::Mixed);
    if only_shows(program, &options) {
        return;
    }
    // `yarn npm publish`.
    if program == "yarn" && options.operands.first().and_then(Word::as_literal) == Some("npm") {
        options.operands.remove(0);
    }
    // `uv pip uninstall`.
    if program == "uv" && options.operands.first().and_then(Word::as_literal) == Some("pip") {
        options.operands.remove(0);
    }
    let Some((verb, packages)) = options.operands.split_first() else { return };
    let verb = verb.as_literal().unwrap_or_default();
    let takes_away = matches!(verb, "remove" | "purge" | "erase" | "del" | "uninstall" | "rm" | "delete");
    if takes_away && packages.iter().any(|w| w.as_literal() == Some("coroner")) {
        let named = Named::of("coroner", "remove Coroner itself").with(Circumstance::Everything);
        return out.named(EffectKind::EditGuard, named);
    }
    match verb {
        "install" | "i" | "ci" | "sync"
            if packages.is_empty()
                && matches!(program, "npm" | "pnpm" | "yarn" | "bun" | "pip" | "pip3" | "uv" | "poetry") =>
        {
            install(out, &[Word::literal("the packages of the project")]);
        }
        "install" | "add" | "i" | "reinstall" | "in" | "get" | "build-dep" => install(out, packages),
        "remove" | "uninstall" | "rm" | "del" if lists_installed(call, packages, &options) => {
            let named = Named::of("every package", "remove every package that is installed");
            out.named(EffectKind::Delete, named.with(Circumstance::Irreversible));
        }
        "purge" if is_system(program) => remove(out, packages, true),
        "remove" | "erase" | "del" | "uninstall" | "rm" | "delete" if is_system(program) => {
            let purges =
                options.has(&["--purge", "--zap"]) || options.has(&["--zap"]) || options.has(&["--delete-data"]);
            remove(out, packages, purges);
        }
        "autoremove" if options.has(&["--purge"]) => remove(out, packages, true),
        "autoremove" if is_system(program) && !packages.is_empty() => remove(out, packages, false),
        "dist-upgrade" | "full-upgrade" | "dup" | "distro-sync" | "system-upgrade" => upgrade(out),
        "publish"
            if matches!(program, "npm" | "pnpm" | "yarn" | "cargo" | "poetry" | "uv" | "bun")
                && !options.has(&["--dry-run", "-n"]) =>
        {
            publish(out);
        }
        "unpublish" | "yank" => publish(out),
        _ => {}
    }
}

/// `twine upload`, `gem push`.
pub(super) fn publishes(out: &mut Plan<'_>) {
    let verb = out.call.argv.get(1).and_then(Word::as_literal).unwrap_or_default();
    let test = shown(&out.call.argv).contains("test.pypi");
    let uploads = matches!(
        (out.call.program(), verb),
        ("twine", "upload") | ("gem", "push" | "yank") | ("hatch" | "flit" | "maturin", "publish")
    );
    if uploads && !test {
        publish(out);
    }
}

/// Tools that release every package of a project.
pub(super) fn releases(out: &mut Plan<'_>, argv: &[Word]) {
    let options = Options::read(&argv[1..], &["--tag", "--registry", "--branch", "-p", "--pat"], Order::Mixed);
    let shows = ["-h", "--help", "--dry-run", "--preview", "-d", "--version"].iter().any(|o| options.has(&[o]));
    let verb = options.operands.first().and_then(Word::as_literal).unwrap_or_default();
    let name = argv.first().map(|w| w.show().rsplit('/').next().unwrap_or_default().to_owned()).unwrap_or_default();
    let releases = matches!(name.as_str(), "np" | "semantic-release") || matches!(verb, "publish" | "unpublish");
    if releases && !shows {
        publish(out);
    }
}

fn is_system(program: &str) -> bool {
    matches!(
        program,
        "apt"
            | "apt-get"
            | "aptitude"
            | "dnf"
            | "yum"
            | "microdnf"
            | "zypper"
            | "apk"
            | "snap"
            | "flatpak"
            | "brew"
            | "nala"
    )
}

fn only_shows(program: &str, options: &Options) -> bool {
    let dry =
        ["--dry-run", "--simulate", "--just-print", "--no-act", "--recon", "--download-only", "--help", "--assumeno"];
    let short = matches!(program, "apt" | "apt-get" | "aptitude" | "nala") && options.has(&["-s", "-d"]);
    dry.iter().any(|o| options.has(&[o])) || short
}

/// `pip freeze | xargs pip uninstall`: what goes is what the manager itself lists.
fn lists_installed(call: &Invocation, packages: &[Word], options: &Options) -> bool {
    let manager = call.program().trim_end_matches(|c: char| c.is_ascii_digit());
    let lists = || options.values(&["-r", "--requirement"]);
    let fed = lists().any(|w| matches!(w.as_literal(), Some("-" | "/dev/stdin" | "/dev/fd/0")));
    let fed = match &call.stdin {
        Stdin::Output(commands) if fed => Some(commands.as_slice()),
        _ => None,
    };
    let named = packages.iter().filter_map(Word::produced_by);
    let listed = lists().filter_map(|w| w.file_produced_by().or_else(|| w.produced_by()));
    named.chain(listed).chain(fed).filter_map(<[_]>::first).any(|source| {
        let lister = coroner_read::shell::program_of(source);
        let mut verbs = source.iter().skip(1).filter_map(Word::as_literal).filter(|w| !w.starts_with('-'));
        let verb = verbs.find(|w| *w != "pip");
        lister.trim_end_matches(|c: char| c.is_ascii_digit()) == manager
            && matches!(verb, Some("freeze" | "list" | "ls" | "leaves"))
    })
}

/// `dpkg -P`, `rpm -e`, `pacman -Rns`.
fn by_option(out: &mut Plan<'_>, program: &str, words: &[Word]) {
    let options = Options::read(words, &["--root", "--dbpath", "--admindir"], Order::Mixed);
    if options.has(&["--test", "--dry-run", "--simulate"]) || options.has(&["--print", "-p"]) {
        return;
    }
    let packages = options.operands.clone();
    match program {
        "dpkg" if options.has(&["-P", "--purge"]) => remove(out, &packages, true),
        "dpkg" if options.has(&["-r", "--remove"]) => remove(out, &packages, false),
        "rpm" if options.has(&["-e", "--erase"]) => remove(out, &packages, false),
        "pacman" if options.has(&["-R", "--remove"]) => remove(out, &packages, options.has(&["-n", "--nosave"])),
        "dpkg" if options.has(&["-i", "--install"]) => install(out, &packages),
        "rpm" if options.has(&["-i", "-U", "--install", "--upgrade"]) && !options.has(&["-q"]) => {
            install(out, &packages)
        }
        "pacman" if options.has(&["-S", "-U"]) && !options.has(&["-s", "-i"]) => install(out, &packages),
        _ => {}
    }
}

fn install(out: &mut Plan<'_>, packages: &[Word]) {
    for package in packages {
        let name = package.show();
        let named = Named::of(name.clone(), format!("install {name}"));
        out.named(EffectKind::Install, super::growth::sized(out, named, &name));
    }
}

fn remove(out: &mut Plan<'_>, packages: &[Word], purges: bool) {
    let names = shown(packages);
    let vital = packages.iter().any(|w| w.has_glob() || is_vital(&w.show()));
    let what = if purges { format!("remove {names} with its settings and data") } else { format!("remove {names}") };
    let named =
        Named::of(names, what).when(purges || vital, Circumstance::Irreversible).when(vital, Circumstance::WholeHost);
    out.named(EffectKind::Delete, named);
}

/// Packages whose absence stops the host or what it serves.
fn is_vital(package: &str) -> bool {
    let name = package.split(['=', ':', '/']).next().unwrap_or(package).trim_end_matches(['-', '+']);
    matches!(
        name,
        "sudo"
            | "systemd"
            | "systemd-sysv"
            | "libc6"
            | "glibc"
            | "dpkg"
            | "apt"
            | "bash"
            | "coreutils"
            | "docker.io"
            | "docker-ce"
            | "docker-ce-cli"
            | "docker"
            | "containerd"
            | "containerd.io"
            | "podman"
            | "network-manager"
            | "netplan.io"
            | "netbase"
            | "iproute2"
            | "udev"
            | "init"
            | "ufw"
            | "nginx"
            | "apache2"
            | "httpd"
            | "caddy"
            | "haproxy"
            | "traefik"
            | "openssl"
            | "libssl3"
            | "grub-pc"
            | "grub2"
            | "python3"
            | "kernel"
            | "linux"
            | "linux-lts"
            | "linux-zen"
            | "linux-hardened"
            | "linux-virt"
    ) || is_kernel(name)
        || [
            "openssh-server",
            "linux-image",
            "linux-generic",
            "postgresql",
            "mysql-server",
            "mariadb-server",
            "redis-server",
            "mongodb",
            "grub-efi",
        ]
        .iter()
        .any(|start| name.starts_with(start))
}

/// `kernel-core`, `kernel-default`; what programs are built against is none.
fn is_kernel(name: &str) -> bool {
    let part = name.strip_prefix("kernel-").and_then(|rest| rest.split('-').next());
    part.is_some_and(|part| !matches!(part, "headers" | "devel" | "doc" | "docs" | "tools" | "source" | "macros"))
}

fn upgrade(out: &mut Plan<'_>) {
    let named = Named::of("the whole system", "upgrade the whole system, removing packages where it must")
        .with(Circumstance::WholeHost);
    out.named(EffectKind::UpgradeMajor, named);
}

fn publish(out: &mut Plan<'_>) {
    let name = out.call.cwd.show();
    let named = Named::of(name, "publish a release, or take one back, for everyone").with(Circumstance::Irreversible);
    out.named(EffectKind::Publish, named);
}
