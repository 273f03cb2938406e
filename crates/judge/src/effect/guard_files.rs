//! Files that keep watch: Coroner's own, the agents' settings that call it, and the hooks of git.

use coroner_model::effect::{Circumstance, EffectKind};
use coroner_read::shell::{self, RedirectKind, Stdin, Word, program_of};

use super::named::{Deciding, Named};
use super::{Extent, Hit, Invocation, Paths, Plan, Planned, Target};

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

/// Directories in which hooks of git lie.
const HOOK_DIRECTORIES: &[&str] = &["/.git/hooks", "/.husky", "/.githooks", "/.git-hooks", "/git-hooks", "/.lefthook"];
/// Files that say which hooks run.
const HOOK_SETTINGS: &[&str] = &[
    "/.pre-commit-config.yaml",
    "/.pre-commit-config.yml",
    "/lefthook.yml",
    "/lefthook.yaml",
    "/.lefthook.yml",
    "/.lefthook.yaml",
    "/.overcommit.yml",
];

pub(crate) fn is_hook(path: &str) -> bool {
    let path = path.trim_end_matches('/');
    let within = |directory: &&str| path.ends_with(*directory) || path.contains(&format!("{directory}/"));
    let of_module = path.contains("/.git/modules/") && path.contains("/hooks");
    let is = HOOK_DIRECTORIES.iter().any(within) || of_module || HOOK_SETTINGS.iter().any(|end| path.ends_with(end));
    is && !path.ends_with(".sample")
}

/// Hooks that are emptied or made to say yes, settings of git that name another hooks path, and
/// branches that are written by hand: what is written decides, so adding a hook stays silent.
pub(super) fn written(out: &mut Plan<'_>) {
    let call = out.call;
    let scratch = |path: &str| ["/tmp/", "/var/tmp/"].iter().any(|top| path.starts_with(top));
    let mut paths: Vec<String> = out
        .planned
        .iter()
        .filter(|planned| planned.kind == EffectKind::Overwrite)
        .filter_map(|planned| match &planned.target {
            Target::Paths(paths) => Some(paths.path.show()),
            _ => None,
        })
        .collect();
    let appended = call.redirects.iter().filter(|r| r.kind == RedirectKind::Append);
    paths.extend(appended.map(|r| shell::join(&call.cwd, &r.target).show()));
    for path in paths.into_iter().filter(|path| !scratch(path)) {
        let why = if is_hook(&path) && makes_hook_idle(call) {
            "write over a hook of the repository, so that it stops nothing"
        } else if is_git_settings(&path) && names_hooks_path(call) {
            "name another hooks path in the settings of git"
        } else if path.contains("/.git/refs/heads/") {
            "move a branch by hand, which runs no hook"
        } else {
            continue;
        };
        let named = Named::of(path.clone(), format!("{why}: {path}")).with(Circumstance::Everything);
        out.named(EffectKind::BypassHook, named);
    }
}

fn is_git_settings(path: &str) -> bool {
    path.ends_with("/.git/config") || path.ends_with("/.gitconfig") || path.ends_with("/.config/git/config")
}

/// What a command writes, as far as its words and its input say.
fn text_written(call: &Invocation) -> Option<String> {
    if let Stdin::Text(text) = &call.stdin {
        return Some(text.show());
    }
    let words = || call.argv[1..].iter().map(Word::show).collect::<Vec<_>>().join(" ");
    match call.program() {
        "echo" | "printf" => Some(words()),
        ":" | "true" | "" => Some(String::new()),
        "cat" if words() == "/dev/null" => Some(String::new()),
        _ => None,
    }
}

/// Whether a hook is left with nothing to do: emptied, or only comments and `exit 0`.
fn makes_hook_idle(call: &Invocation) -> bool {
    let words: Vec<String> = call.argv.iter().map(Word::show).collect();
    match call.program() {
        // Editing in place takes lines out or puts an early end in.
        "sed" | "perl" => words.iter().skip(1).any(|w| {
            let deletes = w.ends_with('d') && !w.contains('/') || w.ends_with("/d");
            w.contains("exit") || deletes || w.contains("s/^/#")
        }),
        "ln" | "cp" | "install" | "mv" => words.iter().skip(1).any(|w| {
            matches!(w.as_str(), "/dev/null" | "/bin/true" | "/usr/bin/true" | "/bin/false") || w.ends_with("/bin/true")
        }),
        "dd" => words.iter().any(|w| w == "if=/dev/null"),
        _ => text_written(call).is_some_and(|text| is_idle(&text)),
    }
}

/// Whether a script does nothing but succeed.
pub(crate) fn is_idle(text: &str) -> bool {
    let text = text.replace("\\n", "\n");
    let idle = |line: &str| {
        let line = line.trim().trim_start_matches("-e ").trim_matches(['"', '\'']).trim();
        line.is_empty()
            || line.starts_with('#')
            || line
                .split([';', '&'])
                .map(str::trim)
                .all(|c| matches!(c, "" | "exit" | "exit 0" | "true" | ":" | "exec true" | "return 0"))
    };
    text.lines().all(idle)
}

/// Whether what is written names a hooks path or takes in another file of settings.
fn names_hooks_path(call: &Invocation) -> bool {
    let words = call.argv.iter().map(Word::show).collect::<Vec<_>>().join(" ");
    let text = (words + &text_written(call).unwrap_or_default()).to_ascii_lowercase();
    text.contains("hookspath") || text.contains("[include")
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
