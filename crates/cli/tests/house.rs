//! Keeps the house as ARCHITECTURE.md draws it: which crate may know which, and who looks at the world.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test panics where it fails"
)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use cargo_metadata::{DependencyKind, MetadataCommand};

/// The arrows of ARCHITECTURE.md: a crate may know these and no others.
const ARROWS: &[(&str, &[&str])] = &[
    ("coroner-model", &[]),
    ("coroner-read", &["coroner-model"]),
    ("coroner-judge", &["coroner-model", "coroner-read"]),
    ("coroner-collect", &["coroner-model", "coroner-read"]),
    ("coroner-store", &["coroner-model", "coroner-read"]),
    ("coroner-act", &["coroner-model"]),
    (
        "coroner-verbs",
        &["coroner-act", "coroner-collect", "coroner-judge", "coroner-model", "coroner-read", "coroner-store"],
    ),
    ("coroner-serve", &["coroner-model", "coroner-verbs"]),
    ("coroner", &["coroner-model", "coroner-serve", "coroner-verbs"]),
];

/// Crates that reason only: nothing in them may look at the world.
const PURE: &[&str] = &["model", "read", "judge"];

/// Names that look at the world, and why each is one.
const LOOKS: &[&str] = &[
    "std::fs",
    "std::net::Tcp",
    "std::net::Udp",
    "std::net::ToSocketAddrs",
    "std::process",
    "std::env",
    "std::io::stdin",
    "std::io::stdout",
    "std::os",
    "SystemTime",
    "Instant::now",
    "Timestamp::now",
    "Zoned::now",
    "TimeZone::system",
    "File::open",
    "Command::new",
    "TcpStream",
    "tokio",
];

#[test]
fn crates_know_only_those_below_them() {
    let metadata = MetadataCommand::new().no_deps().other_options(vec!["--offline".to_owned()]).exec().unwrap();
    let arrows: BTreeMap<&str, &[&str]> = ARROWS.iter().copied().collect();
    let mut seen = Vec::new();
    for package in metadata.workspace_packages() {
        let name = package.name.as_str();
        let allowed = arrows.get(name).unwrap_or_else(|| panic!("{name} is not in the house: ARCHITECTURE.md first"));
        for dependency in &package.dependencies {
            let inside = dependency.name.starts_with("coroner");
            if inside && dependency.kind == DependencyKind::Normal {
                assert!(allowed.contains(&dependency.name.as_str()), "{name} must not know {}", dependency.name);
            }
        }
        seen.push(name.to_owned());
    }
    assert_eq!(seen.len(), ARROWS.len(), "a crate of the house is missing: {seen:?}");
}

#[test]
fn reasoning_never_looks_at_the_world() {
    for name in PURE {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(name).join("src");
        let files = sources(&folder);
        assert!(!files.is_empty(), "no source in {}", folder.display());
        for file in files {
            let text = std::fs::read_to_string(&file).unwrap();
            let code = text.split("#[cfg(test)]").next().unwrap_or("");
            for (number, line) in code.lines().enumerate() {
                let line = line.split("//").next().unwrap_or("");
                for look in LOOKS {
                    assert!(!line.contains(look), "{}:{}: `{look}` in a pure crate", file.display(), number + 1);
                }
            }
        }
    }
}

#[test]
fn only_the_terminal_prints() {
    for name in ["model", "read", "judge", "collect", "store", "act", "verbs", "serve"] {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(name).join("src");
        for file in sources(&folder) {
            let text = std::fs::read_to_string(&file).unwrap();
            let code = text.split("#[cfg(test)]").next().unwrap_or("");
            for print in ["println!(", "eprintln!(", "print!(", "dbg!("] {
                assert!(
                    !code.lines().any(|l| !l.trim_start().starts_with("//") && l.contains(print)),
                    "{} prints",
                    file.display()
                );
            }
        }
    }
}

/// Rust files under a folder, those that hold only tests left out.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        let test = path.file_stem().is_some_and(|name| name == "tests");
        if path.is_dir() && !test {
            found.extend(sources(&path));
        } else if !test && path.extension().is_some_and(|e| e == "rs") {
            found.push(path);
        }
    }
    found
}
