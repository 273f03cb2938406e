//! What the name of a path says: made anew, temporary, kept, or what the host lives on.

use coroner_read::shell::Word;

use crate::effect::path::below;

/// Names of directories that tools make anew.
const ARTEFACTS: [&str; 24] = [
    "node_modules",
    "__pycache__",
    ".pytest_cache",
    ".mypy_cache",
    ".ruff_cache",
    ".tox",
    ".venv",
    "venv",
    ".cache",
    ".next",
    ".nuxt",
    ".turbo",
    ".parcel-cache",
    ".gradle",
    ".terraform",
    "target",
    "build",
    "dist",
    "out",
    "coverage",
    ".svelte-kit",
    ".eggs",
    "htmlcov",
    ".npm",
];

/// Directories directly under the root that a system cannot do without.
pub(in crate::guard) const SYSTEM: [&str; 20] = [
    "/",
    "/etc",
    "/usr",
    "/bin",
    "/sbin",
    "/lib",
    "/lib64",
    "/boot",
    "/var",
    "/home",
    "/root",
    "/opt",
    "/srv",
    "/dev",
    "/proc",
    "/sys",
    "/var/lib",
    "/var/lib/docker",
    "/usr/lib",
    "/usr/bin",
];

/// Files that hosts have: a choice that meets one of them meets what the host lives on.
pub(super) const SYSTEM_FILES: [&str; 14] = [
    "/etc/passwd",
    "/etc/fstab",
    "/etc/hosts",
    "/etc/ssh/sshd_config",
    "/etc/sysctl.conf",
    "/etc/nginx/nginx.conf",
    "/etc/systemd/system/ssh.service",
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/profile.d/bash_completion.sh",
    "/etc/docker/daemon.json",
    "/usr/bin/env",
    "/usr/lib/os-release",
    "/usr/lib/python3/dist-packages/apt/__init__.py",
    "/usr/lib/x86_64-linux-gnu/libc.so.6",
];

/// Whether a path is made anew by the tool that made it.
pub(in crate::guard) fn is_artefact(path: &str) -> bool {
    path.split('/').any(|name| ARTEFACTS.contains(&name) || name.ends_with(".pyc") || name.ends_with(".egg-info"))
}

/// Whether a path is meant to be lost: temporary, or made anew.
pub(in crate::guard) fn is_scratch(path: &str) -> bool {
    is_artefact(path)
        || ["/tmp", "/var/tmp", "/dev/shm"].iter().any(|top| below(path, top).is_some_and(|rest| !rest.is_empty()))
}

/// Whether the names of unknown parts say that what they stand for is meant to be lost.
pub(in crate::guard) fn is_named_temporary(path: &Word) -> bool {
    let shown = path.show().to_ascii_lowercase();
    let temporary = ["tmp", "temp", "cache", "build", "dist", "out", "work", "mktemp"].iter().any(|word| {
        shown.split(|c: char| !c.is_ascii_alphanumeric()).any(|part| {
            part.ends_with(word)
                || part.strip_prefix(word).is_some_and(|end| matches!(end, "dir" | "path" | "root" | "folder"))
        })
    });
    temporary || is_artefact(path.suffix())
}

/// Whether a name says that copies for a bad day lie there.
pub(super) fn is_named_backups(path: &str) -> bool {
    path.to_ascii_lowercase()
        .split('/')
        .any(|name| name.split(['-', '_', '.']).any(|word| matches!(word, "backup" | "backups" | "dumps")))
}

/// Whether a name says that somebody keeps something there.
pub(in crate::guard) fn looks_like_data(path: &str) -> bool {
    path.to_ascii_lowercase().split(['/', '-', '_', '.']).any(|word| {
        [
            "data",
            "db",
            "database",
            "databases",
            "postgres",
            "postgresql",
            "pgdata",
            "mysql",
            "mariadb",
            "redis",
            "mongo",
            "mongodb",
            "volumes",
            "volume",
            "backup",
            "backups",
            "dump",
            "dumps",
            "storage",
            "uploads",
            "minio",
            "clickhouse",
            "elasticsearch",
            "prometheus",
            "grafana",
            "rabbitmq",
            "influxdb",
            "sqlite",
        ]
        .contains(&word)
    })
}

/// Whether a path lies where hosts keep what they serve, and not what they fetch again.
pub(super) fn is_kept_place(path: &str) -> bool {
    let kept = ["/var/www", "/var/lib", "/var/spool", "/var/mail", "/data", "/export"];
    let fetched = ["apt", "dpkg", "cache", "caches", "tmp", "temp", "lists", "logs", "log"];
    kept.iter().any(|top| below(path, top).is_some_and(|rest| rest.len() > 1))
        && !path.split('/').any(|part| fetched.contains(&part.trim_start_matches('.')))
}

/// The directory that a path such as `/home/dev/*` empties.
pub(in crate::guard) fn emptied(path: &Word) -> Option<String> {
    let pattern = path.as_pattern()?;
    let (directory, last) = pattern.rsplit_once('/')?;
    (path.has_glob() && matches!(last, "*" | ".*" | "*.*") && !directory.contains('*')).then(|| directory.to_owned())
}

pub(super) fn is_scratch_inside(rest: &str) -> bool {
    is_artefact(rest) || rest.split('/').any(|name| matches!(name, "tmp" | "temp" | "cache"))
}

/// Whether a path holds what agents or Coroner recorded.
pub(super) fn is_record(path: &str) -> bool {
    let marks =
        ["/.claude", "/.claude/projects", "/.codex", "/.codex/sessions", "/.gemini", "/.coroner", "/share/coroner"];
    marks.iter().any(|mark| path.ends_with(mark) || path.contains(&format!("{mark}/")))
        && !["/commands", "/agents", "/skills", "/plugins", "/todos", "/shell-snapshots"]
            .iter()
            .any(|part| path.contains(part))
}
