//! Places that hold what somebody made: where nothing of their state could be seen, a
//! delete of one cannot be judged, whatever the name of the command.

use coroner_model::Probe;
use coroner_model::effect::EffectKind;
use coroner_model::probe::{GitTable, HostTable, Why};
use coroner_read::df;

use super::delete::{is_artefact, is_named_temporary, is_scratch};
use super::view::{View, size};
use super::work;
use super::work::is_output;
use crate::effect::path::below;
use crate::effect::{Extent, Filter, Paths, Place, Planned};

/// Directories that programmers write into.
const WRITTEN: &[&str] = &[
    "src",
    "lib",
    "app",
    "apps",
    "packages",
    "crates",
    "pkg",
    "cmd",
    "internal",
    "tests",
    "test",
    "spec",
    "docs",
    "migrations",
    "scripts",
    "config",
    "components",
    "pages",
    "models",
    "controllers",
    "services",
    "api",
    "backend",
    "frontend",
    "server",
    "client",
    "web",
    "infra",
    "terraform",
    "notebooks",
];

/// Hidden directories of a home whose content nobody can make anew.
const KEPT_HIDDEN: &[&str] = &[
    ".ssh",
    ".gnupg",
    ".aws",
    ".azure",
    ".kube",
    ".config",
    ".docker",
    ".password-store",
    ".mozilla",
    ".thunderbird",
    ".local",
];

/// Directories of a home that an installer fills.
const INSTALLED: &[&str] = &[
    "go",
    "bin",
    "snap",
    "miniconda3",
    "anaconda3",
    "miniforge3",
    "flutter",
    "google-cloud-sdk",
    "tmp",
    "temp",
    "cache",
];

/// Tops under which a host keeps what it was set up with, and what its services keep.
const SET_UP: &[&str] = &[
    "/etc",
    "/boot",
    "/lib",
    "/lib64",
    "/usr/lib",
    "/usr/lib64",
    "/usr/bin",
    "/usr/sbin",
    "/bin",
    "/sbin",
    "/opt",
    "/srv",
    "/mnt",
    "/media",
    "/data",
    "/backup",
    "/backups",
    "/export",
    "/var/www",
    "/var/lib",
    "/var/spool",
    "/var/mail",
    "/var/log",
];

/// Of these, where whole applications lie side by side.
const APPLICATIONS: &[&str] = &["/opt", "/srv", "/var/www"];

/// Files without which nobody gets in, or the host does not start.
const VITAL: &[&str] = &[
    "/etc/passwd",
    "/etc/shadow",
    "/etc/group",
    "/etc/gshadow",
    "/etc/fstab",
    "/etc/hosts",
    "/etc/crypttab",
    "/etc/ssh/sshd_config",
];

/// Names below such places that are fetched or made again.
const FETCHED: &[&str] =
    &["apt", "dpkg", "cache", "caches", "tmp", "temp", "lists", "hostedtoolcache", "sites-enabled", "conf.d"];

impl View<'_> {
    /// Why a loss cannot be judged for want of state, if it cannot.
    pub(super) fn unseen_loss(&self, planned: &Planned, paths: &Paths) -> Option<String> {
        if paths.place != Place::Host || paths.narrowed {
            return None;
        }
        let shown = paths.path.show();
        let path = top_of(paths)?;
        if let Some(why) = self.vital(planned, paths, &path) {
            return Some(why);
        }
        if self.empties(planned) && self.standing(&path) == Standing::Unseen && self.exists(&path) != Some(false) {
            let made_again =
                is_output(&path) || is_artefact(&path) || is_scratch(&path) || self.was_made(planned, &path);
            return (!made_again).then(|| format!("whether git has a copy of {shown} could not be looked at"));
        }
        let gone = planned.kind == EffectKind::Delete && is_deep(paths);
        if !gone || is_artefact(&path) || is_scratch(&path) || self.exists(&path) == Some(false) {
            return None;
        }
        let unseen = || format!("what lies in {shown}, and whether there is a copy, could not be looked at");
        match self.standing(&path) {
            Standing::Seen => None,
            Standing::NoRepository => (self.is_ground(&path) && self.exists(&path) == Some(true))
                .then(|| format!("no repository keeps what lies in {shown}, and nobody counted it")),
            Standing::Elsewhere => (self.is_kept(&path) && !is_application(&path)).then(unseen),
            Standing::Unseen => (self.is_ground(&path) || self.is_kept(&path)).then(unseen),
        }
    }

    /// `: > file`, `> file`: nothing is written over it.
    fn empties(&self, planned: &Planned) -> bool {
        let Some(call) = self.effects.script.invocations.get(planned.invocation) else { return false };
        let silent = match call.argv.as_slice() {
            [] => true,
            [program] => matches!(program.as_literal(), Some(":" | "true")),
            [program, file] => program.as_literal() == Some("cat") && file.as_literal() == Some("/dev/null"),
            _ => false,
        };
        planned.kind == EffectKind::Overwrite && silent
    }

    /// What the same container keeps where data of servers lies, and of which nobody knows whether it is a volume.
    pub(super) fn unseen_inside(&self, planned: &Planned, paths: &Paths) -> Option<String> {
        let Place::Container { name, mounts } = &paths.place else { return None };
        let deep = planned.kind == EffectKind::Delete && is_deep(paths);
        if paths.is_unresolved() && paths.path.prefix().is_empty() {
            // What the container has mounted to write to is all that outlives it.
            let keeps = match self.scene.container(name).filter(|_| !name.is_empty()) {
                Some(container) => container.mounts.iter().any(|m| m.writable),
                None => !name.is_empty() || !mounts.is_empty(),
            };
            let shown = paths.path.show();
            return (deep && keeps && !is_named_temporary(&paths.path))
                .then(|| format!("what {name} keeps in {shown} could not be looked at"));
        }
        let path = top_of(paths)?;
        let known = name.is_empty() || self.knows_containers() && self.scene.container(name).is_some();
        let kept = super::delete::looks_like_data(&path) || below(&path, "/var/lib").is_some() || path == "/";
        (deep && !known && kept && !is_scratch(&path) && !is_artefact(&path))
            .then(|| format!("what {name} keeps in {path} could not be looked at"))
    }

    /// A filesystem of its own, emptied as a whole.
    pub(super) fn whole_filesystem(&self, planned: &Planned, paths: &Paths) -> Option<String> {
        let all = is_deep(paths) || paths.filter.is_none() && paths.path.has_glob();
        if planned.kind != EffectKind::Delete || paths.place != Place::Host || !all {
            return None;
        }
        let path = top_of(paths)?;
        let document = self.answers.document(&Probe::Host(HostTable::Df))?;
        let emptied = df::read(document).into_iter().find(|one| {
            // What lies in memory or in an image is not kept there.
            let kept = one.device.starts_with('/') && !one.device.starts_with("/dev/loop") || one.device.contains(':');
            kept && one.used > 0 && below(&one.mount, &path).is_some() && !is_scratch(&one.mount)
        })?;
        Some(format!(
            "{} is a filesystem of its own, and what its {} are is not known",
            emptied.mount,
            size(emptied.used)
        ))
    }

    /// Files that the host lives on, emptied, replaced or taken away as a whole.
    fn vital(&self, planned: &Planned, paths: &Paths, path: &str) -> Option<String> {
        let lossy = matches!(
            planned.kind,
            EffectKind::Delete | EffectKind::Truncate | EffectKind::Overwrite | EffectKind::Move
        );
        let edits = planned.kind == EffectKind::Overwrite && matches!(planned.program.as_str(), "sed" | "perl");
        if !lossy || edits || self.exists(path) == Some(false) {
            return None;
        }
        let key = path.ends_with("/.ssh/authorized_keys") || path.contains("/.ssh/id_") && !path.ends_with(".pub");
        let log = matches!(planned.kind, EffectKind::Truncate | EffectKind::Delete)
            && [
                "/var/log/syslog",
                "/var/log/messages",
                "/var/log/auth.log",
                "/var/log/secure",
                "/var/log/wtmp",
                "/var/log/audit",
            ]
            .iter()
            .any(|l| below(path, l).is_some());
        let jobs = paths.path.has_glob() && path.starts_with("/etc/cron");
        let program = planned.kind == EffectKind::Move
            && ["/bin", "/sbin", "/usr/bin", "/usr/sbin", "/lib", "/lib64", "/usr/lib", "/etc"].iter().any(|top| {
                path == *top || path.rsplit_once('/').is_some_and(|(above, name)| above == *top && is_base(name))
            });
        let state = planned.kind == EffectKind::Delete
            && paths.path.prefix().rsplit('/').next().is_some_and(|name| name.contains(".tfstate"))
            && !path.ends_with(".backup");
        let database = planned.kind == EffectKind::Delete
            && self.standing(path) == Standing::Unseen
            && path
                .rsplit_once('.')
                .is_some_and(|(_, end)| matches!(end, "db" | "sqlite" | "sqlite3" | "duckdb" | "mdb"))
            && !crate::effect::named::is_test_name(path)
            && !is_scratch(path);
        (VITAL.contains(&path) || key || log || jobs || program || state || database)
            .then(|| format!("what hangs on {path} could not be looked at"))
    }

    /// The working directory, or something above it.
    fn is_ground(&self, path: &str) -> bool {
        path.len() > 1 && below(&self.case.request.cwd, path).is_some()
    }

    fn is_kept(&self, path: &str) -> bool {
        let cwd = self.case.request.cwd.as_str();
        if let Some(rest) = below(path, cwd) {
            let names: Vec<&str> = rest.split('/').filter(|n| !n.is_empty()).collect();
            return names.first() == Some(&".git") || names.len() == 1 && WRITTEN.contains(&names[0]);
        }
        let home = self.case.request.env.get("HOME").map(String::as_str).filter(|h| h.len() > 1);
        let homes = home.into_iter().map(str::to_owned).chain(user_home(path)).chain(Some("/root".to_owned()));
        for home in homes {
            let Some(rest) = below(path, &home) else { continue };
            let first = rest.split('/').find(|n| !n.is_empty()).unwrap_or_default();
            let whole = rest.matches('/').count() <= 1;
            return match first.strip_prefix('.') {
                Some(_) => whole && KEPT_HIDDEN.contains(&first),
                None => !first.is_empty() && !INSTALLED.contains(&first),
            };
        }
        SET_UP.iter().any(|top| {
            let Some(rest) = below(path, top) else { return false };
            // A part of what an application was installed with is made anew with it.
            !APPLICATIONS.contains(top) || rest.matches('/').count() <= 1 && !self.knows_services()
        }) && !path.split('/').any(|name| FETCHED.contains(&name.trim_start_matches('.')))
    }

    fn standing(&self, path: &str) -> Standing {
        match self.answers.get(&work::git(path, GitTable::Status)) {
            Some(Ok(_))
                if self.top_of(path).is_some_and(|top| below(path, &top).is_some() || below(&top, path).is_some()) =>
            {
                Standing::Seen
            }
            Some(Ok(_)) => Standing::Elsewhere,
            Some(Err(why)) if why.why == Why::Absent => Standing::NoRepository,
            Some(Err(_)) => Standing::Unseen,
            // It was not asked where the path is known to be none.
            None => match self.answers.get(&Probe::Stat { path: path.to_owned() }) {
                Some(Ok(_)) => Standing::Seen,
                _ => Standing::Unseen,
            },
        }
    }
}

/// How git stands to a path.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Standing {
    Seen,
    NoRepository,
    /// Git was asked, and its repository is another one.
    Elsewhere,
    Unseen,
}

/// The path itself, or the directory of which everything is meant.
fn top_of(paths: &Paths) -> Option<String> {
    let trimmed = |path: &str| if path.len() > 1 { path.trim_end_matches('/').to_owned() } else { path.to_owned() };
    match paths.path.as_literal() {
        Some(path) => Some(trimmed(path)),
        None => super::delete::emptied(&paths.path).map(|path| if path.is_empty() { "/".to_owned() } else { path }),
    }
    .filter(|path| path.starts_with('/'))
}

/// Whether everything below is meant, and not what a filter chooses.
fn is_deep(paths: &Paths) -> bool {
    match &paths.filter {
        None => paths.extent != Extent::Itself,
        Some(Filter::Find(expression)) => expression.takes_any(),
        Some(_) => false,
    }
}

/// Programs and files that everything else starts from.
fn is_base(name: &str) -> bool {
    matches!(
        name,
        "bash"
            | "sh"
            | "dash"
            | "env"
            | "sudo"
            | "ssh"
            | "sshd"
            | "python3"
            | "perl"
            | "systemd"
            | "ssl"
            | "nginx"
            | "apt"
            | "docker"
            | "letsencrypt"
            | "postgresql"
            | "mysql"
    ) || name.starts_with("libc.so")
        || name.starts_with("ld-linux")
}

fn is_application(path: &str) -> bool {
    APPLICATIONS.iter().any(|top| below(path, top).is_some_and(|rest| !rest.is_empty()))
}

fn user_home(path: &str) -> Option<String> {
    let user = below(path, "/home")?.split('/').find(|n| !n.is_empty())?;
    Some(format!("/home/{user}"))
}
