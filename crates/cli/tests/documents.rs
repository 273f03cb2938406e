//! Holds the documents to the program: commands that they name exist, the shipped schema is the generated one.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test panics where it fails"
)]

use std::path::{Path, PathBuf};
use std::process::Command;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn coroner(arguments: &[&str]) -> std::process::Output {
    let home = tempfile::tempdir().unwrap();
    Command::new(env!("CARGO_BIN_EXE_coroner")).args(arguments).env("CORONER_HOME", home.path()).output().unwrap()
}

/// `coroner VERB [SUB]` in code blocks and code spans of a document.
fn named_commands(text: &str) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    for line in text.lines() {
        for (at, _) in line.match_indices("coroner ") {
            let before = line[..at].chars().next_back();
            if !matches!(before, None | Some('`' | ' ')) {
                continue;
            }
            let in_code = line.starts_with("$ ") || line[..at].ends_with('`') || line.starts_with("coroner ");
            if !in_code {
                continue;
            }
            let words = line[at + 8..]
                .split_whitespace()
                .map(|w| w.trim_matches(|c: char| !c.is_ascii_alphanumeric() && c != '-'));
            found.push(words.take_while(|w| !w.is_empty()).take(2).map(str::to_owned).collect());
        }
    }
    found
}

#[test]
fn every_command_that_a_document_names_is_there() {
    let mut seen = 0;
    for name in ["README.md", "CONTRIBUTING.md", "ARCHITECTURE.md"] {
        let text = std::fs::read_to_string(root().join(name)).unwrap();
        for command in named_commands(&text) {
            let Some(verb) = command.first().filter(|v| v.bytes().all(|b| b.is_ascii_lowercase())) else { continue };
            let help = coroner(&[verb, "--help"]);
            assert!(help.status.success(), "{name} names `coroner {verb}`, which is not there");
            let help = String::from_utf8_lossy(&help.stdout).into_owned();
            if let Some(sub) =
                command.get(1).filter(|s| help.contains("Commands:") && s.bytes().all(|b| b.is_ascii_lowercase()))
            {
                let listed = help.lines().any(|l| l.trim_start().split(' ').next() == Some(sub));
                assert!(listed, "{name} names `coroner {verb} {sub}`, which is not there");
            }
            seen += 1;
        }
    }
    assert!(seen > 5, "no commands were found in the documents");
}

#[test]
fn the_shipped_schema_is_the_generated_one() {
    let shipped = std::fs::read_to_string(root().join("docs/antipattern.schema.json")).unwrap();
    let generated = String::from_utf8(coroner(&["pattern", "explain", "--schema"]).stdout).unwrap();
    assert!(shipped == generated, "write it anew: coroner pattern explain --schema > docs/antipattern.schema.json");
}

#[test]
fn every_verb_has_help_with_an_example() {
    let overview = String::from_utf8(coroner(&["--help"]).stdout).unwrap();
    let verbs = overview.lines().skip_while(|l| !l.starts_with("Commands:")).skip(1).take_while(|l| !l.is_empty());
    // A line that goes on from the one above begins far to the right.
    let named = verbs.filter(|l| l.starts_with("  ") && !l.starts_with("   "));
    let names: Vec<&str> = named.filter_map(|l| l.split_whitespace().next()).filter(|v| *v != "help").collect();
    assert!(names.len() > 5);
    for verb in names {
        let help = String::from_utf8(coroner(&[verb, "--help"]).stdout).unwrap();
        assert!(
            help.contains("Example: coroner") || help.contains("Example:"),
            "`coroner {verb} --help` shows no example"
        );
    }
}
