//! Files that keep watch: Coroner's own, the agents' settings that call it, and the hooks of git.

use coroner_model::effect::{Circumstance, EffectKind};
use coroner_read::shell::{Word, program_of};

use super::named::{Deciding, Named};
use super::{Extent, Hit, Invocation, Paths, Planned, Target};

/// Adds what an effect on paths means for those files.
pub(super) fn plan(call: &Invocation, planned: &mut Vec<Planned>) {
    let mut more = Vec::new();
    for one in planned.iter() {
        let paths = match &one.target {
            Target::Paths(paths) => paths,
            Target::Ownership(change) if one.kind == EffectKind::ChangeMode && stops(&change.to) => &change.paths,
            Target::Ownership(change) if one.kind == EffectKind::ChangeMode && is_vcs(&change.paths.path.show()) => {
                continue;
            }
            Target::Ownership(change) => {
                let coroner = is_coroners(&change.paths.path.show()) && one.kind == EffectKind::ChangeMode;
                if !coroner { continue } else { &change.paths }
            }
            _ => continue,
        };
        if let Some(named) = takes_histories(one.kind, paths) {
            let target = Target::Named(Box::new(named));
            let (program, invocation) = (one.program.clone(), one.invocation);
            more.push(Planned { kind: EffectKind::RewriteHistory, target, program, invocation });
        }
        if let Some((kind, named)) = of_path(call, one.kind, &paths.path, paths.extent) {
            let mut named = named;
            named.place = paths.place.clone();
            more.push(Planned {
                kind,
                target: Target::Named(Box::new(named)),
                program: one.program.clone(),
                invocation: one.invocation,
            });
        }
    }
    planned.extend(more);
}

fn of_path(call: &Invocation, kind: EffectKind, word: &Word, extent: Extent) -> Option<(EffectKind, Named)> {
    let path = word.show();
    let writes = kind == EffectKind::Overwrite;
    let lossy = matches!(kind, EffectKind::Delete | EffectKind::Move | EffectKind::Truncate | EffectKind::ChangeMode);
    if !writes && !lossy {
        return None;
    }
    let scratch = ["/tmp/", "/var/tmp/"].iter().any(|top| path.starts_with(top));
    if scratch {
        return None;
    }
    let would = |what: &str| format!("{} {path}, {what}", if writes { "write over" } else { "take away or disable" });
    let binary =
        path.ends_with("/coroner") && extent != Extent::Contents && !is_tree(call) && !path.contains("/target/");
    if is_coroners(&path) || binary || names_coroner(word) {
        let named = Named::of(path.clone(), would("with which Coroner keeps watch"));
        // A new file among the project's patterns adds to them.
        let fresh = writes && path.contains("/.coroner/") && call.program() != "sed";
        let named =
            if fresh { named.decided_by(Deciding::Exists { path }) } else { named.with(Circumstance::Everything) };
        return Some((EffectKind::EditGuard, named));
    }
    if is_settings(&path) {
        let words: Vec<String> = call.argv.iter().map(Word::show).collect();
        let about = words.iter().skip(1).any(|w| {
            let w = w.to_ascii_lowercase();
            !w.ends_with(&path.to_ascii_lowercase())
                && (w.contains("coroner") || w.contains("hooks") || w.contains("pretooluse"))
        });
        let named = Named::of(path.clone(), would("which calls Coroner before each tool"));
        let named = if about {
            named.with(Circumstance::Everything)
        } else {
            named.decided_by(Deciding::CallsCoroner { path })
        };
        return Some((EffectKind::EditGuard, named));
    }
    if lossy && is_hook(&path) {
        let named = Named::of(path.clone(), would("a hook of the repository")).with(Circumstance::Everything);
        return Some((EffectKind::BypassHook, named));
    }
    let whole = extent == Extent::Tree && matches!(kind, EffectKind::Delete | EffectKind::Move);
    if whole && is_vcs(&path) {
        let named = Named::of(path.clone(), would("the history of the repository")).with(Circumstance::Irreversible);
        return Some((EffectKind::RewriteHistory, named));
    }
    None
}

/// `find . -name .git -exec rm -rf {} +`: a choice that meets histories and little else.
fn takes_histories(kind: EffectKind, paths: &Paths) -> Option<Named> {
    let root = paths.path.as_literal().filter(|_| paths.filter.is_some() && kind == EffectKind::Delete)?;
    let below = |name: &str| format!("{}/{name}", root.trim_end_matches('/'));
    let meets =
        paths.hits(&below(".git"), &[]) == Some(Hit::Whole) && paths.hits(&below("some-other-name"), &[]).is_none();
    let mut named = Named::of(root, format!("delete the history of every repository below {root}"));
    named.place = paths.place.clone();
    meets.then(|| named.with(Circumstance::Irreversible))
}

/// Whether directories are meant: a checkout may bear the name as well.
fn is_tree(call: &Invocation) -> bool {
    call.argv.iter().skip(1).any(|w| {
        let text = w.prefix();
        text == "--recursive" || text.starts_with('-') && !text.starts_with("--") && text.contains(['r', 'R'])
    })
}

/// Whether a mode keeps a file from being run.
fn stops(mode: &str) -> bool {
    if !mode.is_empty() && mode.chars().all(|c| c.is_ascii_digit()) {
        let owner = mode.chars().rev().nth(2).and_then(|c| c.to_digit(8)).unwrap_or(0);
        return owner & 1 == 0;
    }
    mode.split(',').any(|part| {
        let (who, what) = part.split_once(['-', '=']).unwrap_or(("o", ""));
        let owner = who.is_empty() || who.contains(['u', 'a']);
        owner && (part.contains('-') && what.contains('x') || part.contains('=') && !what.contains('x'))
    })
}

fn is_vcs(path: &str) -> bool {
    path.trim_end_matches('/').ends_with("/.git") || path == ".git"
}

fn is_coroners(path: &str) -> bool {
    let path = path.trim_end_matches('/');
    path.split('/').any(|part| part == ".coroner") || path.ends_with("/bin/coroner") || path.ends_with("/share/coroner")
}

/// `rm "$(which coroner)"`.
fn names_coroner(word: &Word) -> bool {
    word.produced_by().is_some_and(|commands| {
        commands.first().is_some_and(|argv| {
            matches!(program_of(argv), "which" | "command" | "type" | "whereis")
                && argv.iter().any(|w| w.as_literal() == Some("coroner"))
        })
    })
}

/// Settings in which agents keep their hooks.
fn is_settings(path: &str) -> bool {
    [
        "/.claude/settings.json",
        "/.claude/settings.local.json",
        "/.codex/hooks.json",
        "/.codex/config.toml",
        "/.gemini/settings.json",
        "/.cursor/hooks.json",
        "/.github/copilot/hooks.json",
        "/.config/opencode/opencode.json",
    ]
    .iter()
    .any(|end| path.ends_with(end))
}

fn is_hook(path: &str) -> bool {
    let path = path.trim_end_matches('/');
    let samples = path.ends_with(".sample");
    let of_git = path.contains("/.git/hooks/") || path.ends_with("/.git/hooks");
    let of_husky = path.contains("/.husky/") || path.ends_with("/.husky");
    let of_config = path.ends_with("/.pre-commit-config.yaml") || path.ends_with("/lefthook.yml");
    (of_git || of_husky || of_config) && !samples
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modes_that_stop_a_hook() {
        for mode in ["-x", "a-x", "644", "0600", "u=rw", "ugo-x", "000"] {
            assert!(stops(mode), "{mode}");
        }
        for mode in ["+x", "755", "u=rwx", "o-w", "g-x"] {
            assert!(!stops(mode), "{mode}");
        }
    }
}
