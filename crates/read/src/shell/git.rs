//! What git runs for others: aliases, `bisect run`, `submodule foreach`, `rebase --exec`.

#![allow(clippy::result_large_err, reason = "the world goes back to the caller, it is no error on its way up")]

use super::Carrier;
use super::carrier::split_options;
use super::prefix::spaced;
use super::walk::Walker;
use super::word::Word;
use super::world::{Flow, Frame, World};

const GLOBAL: &[&str] = &["-C", "-c", "--git-dir", "--work-tree", "--namespace", "--exec-path", "--config-env"];

/// Follows what git carries; gives the world back where it carries nothing.
pub(crate) fn unwrap(walker: &mut Walker<'_>, argv: &[Word], mut world: World, frame: &Frame) -> Result<Flow, World> {
    let (options, rest) = split_options(&argv[1..], GLOBAL);
    let Some((verb, words)) = rest.split_first() else { return Err(world) };
    let verb = verb.as_literal().unwrap_or_default();
    let inside = frame.through(Carrier::Wrapped { program: "git".into() });
    for (_, value) in options.iter().filter(|(name, _)| *name == "-c") {
        let pair = value.and_then(Word::as_literal).and_then(|v| v.split_once('='));
        if let Some((name, text)) = pair {
            remember(&mut world, name, text);
        }
    }
    if let Some(text) = world.aliases.get(&key(verb)).cloned() {
        return Ok(alias(walker, &text, words, world, &inside));
    }
    match verb {
        "config" => {
            let operands: Vec<&str> =
                words.iter().filter_map(Word::as_literal).filter(|w| !w.starts_with('-') && *w != "set").collect();
            if let [name, text] = operands.as_slice() {
                remember(&mut world, name, text);
            }
            Err(world)
        }
        "bisect" if words.first().and_then(Word::as_literal) == Some("run") => {
            walker.dispatch(words[1..].to_vec(), world.clone(), &inside);
            Err(world)
        }
        "submodule" => {
            let each = words.iter().position(|w| w.as_literal() == Some("foreach"));
            let Some(at) = each else { return Err(world) };
            let (_, command) = split_options(&words[at + 1..], &[]);
            walker.run_text(&spaced(command), "git", world.clone(), &inside);
            Err(world)
        }
        "rebase" | "filter-branch" | "difftool" | "mergetool" => {
            for (name, value) in split_all(words) {
                let hooked = matches!(name, "-x" | "--exec") || (verb != "rebase" && name.ends_with("-filter"));
                if hooked || name == "--extcmd" {
                    walker.run_text(&value, "git", world.clone(), &inside);
                }
            }
            Err(world)
        }
        "commit" | "merge" | "push" | "pull" | "checkout" | "switch" | "am" => {
            for hook in HOOKS {
                if let Some(text) = walker.written_hook(&world.cwd, hook) {
                    walker.run_text(&Word::literal(text), "git", world.clone(), &inside);
                }
            }
            Err(world)
        }
        _ => Err(world),
    }
}

/// Hooks that a command of git may start.
const HOOKS: &[&str] = &[
    "pre-commit",
    "prepare-commit-msg",
    "commit-msg",
    "post-commit",
    "pre-push",
    "post-checkout",
    "post-merge",
    "pre-merge-commit",
    "post-applypatch",
];

/// Options with their values wherever they stand.
fn split_all(words: &[Word]) -> Vec<(&str, Word)> {
    let mut all = Vec::new();
    for (at, word) in words.iter().enumerate() {
        match word.prefix().split_once('=') {
            Some((name, value)) if name.starts_with('-') => {
                let mut whole = Word::literal(value);
                word.parts.iter().skip(1).for_each(|p| whole.push(p.clone()));
                all.push((name, whole));
            }
            _ if word.prefix().starts_with('-') => {
                all.extend(words.get(at + 1).map(|value| (word.prefix(), value.clone())));
            }
            _ => {}
        }
    }
    all
}

/// Under which name an alias of git is remembered among those of the shell.
fn key(verb: &str) -> String {
    format!("git {verb}")
}

fn remember(world: &mut World, name: &str, text: &str) {
    if let Some(verb) = name.strip_prefix("alias.") {
        world.aliases.insert(key(verb), text.to_owned());
    }
}

fn alias(walker: &mut Walker<'_>, text: &str, words: &[Word], world: World, frame: &Frame) -> Flow {
    let mut inside = world.clone();
    inside.aliases.retain(|name, _| !name.starts_with("git "));
    let rest = walker.as_text(words, &mut inside);
    let line = match text.strip_prefix('!') {
        Some(shell) => format!("{shell} {rest}"),
        None => format!("git {text} {rest}"),
    };
    walker.text(&line, inside, frame);
    Flow::either(world)
}
