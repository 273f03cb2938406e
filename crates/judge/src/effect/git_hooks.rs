//! git commands that step around hooks: `--no-verify` in every spelling, another hooks path, plumbing.

use coroner_model::effect::EffectKind;
use coroner_read::shell::Word;

use super::Plan;
use super::named::{Named, literals};
use super::options::{Options, Order};

/// Options of `git commit` that take a value.
pub(super) const COMMIT: &[&str] = &[
    "-m",
    "--message",
    "-F",
    "--file",
    "-C",
    "--reuse-message",
    "-c",
    "--reedit-message",
    "-t",
    "--template",
    "--author",
    "--date",
    "--fixup",
    "--squash",
    "--cleanup",
    "--trailer",
    "--pathspec-from-file",
    "-S?",
    "-u?",
];

/// Variables that switch hooks off, and the values that leave them on.
const SWITCHES: &[(&str, &[&str])] = &[
    ("HUSKY", &["1", "2", "true"]),
    ("HUSKY_SKIP_HOOKS", &["0", "false", ""]),
    ("SKIP", &[""]),
    ("LEFTHOOK", &["1", "true"]),
    ("LEFTHOOK_EXCLUDE", &[""]),
    ("OVERCOMMIT_DISABLE", &["0", "false", ""]),
    ("SKIP_SIMPLE_GIT_HOOKS", &["0", "false", ""]),
    ("SKIP_GIT_HOOKS", &["0", "false", ""]),
    ("PRE_COMMIT_ALLOW_NO_CONFIG", &["0", "false", ""]),
];

pub(super) fn plan(out: &mut Plan<'_>, globals: &Options, verb: &str, rest: &[Word], directory: &Word) {
    let runs_hooks = matches!(
        verb,
        "commit" | "merge" | "push" | "am" | "rebase" | "cherry-pick" | "revert" | "pull" | "checkout" | "switch"
    );
    let mut why = None;
    if runs_hooks {
        why = no_verify(verb, rest);
        if why.is_none() && (sets_hooks_path(globals) || sets_hooks_path_by_env(out)) {
            why = Some("a hooks path of its own");
        }
        if why.is_none() && switched_off(out) {
            why = Some("a variable that switches them off");
        }
    } else if verb == "commit-tree" {
        why = Some("a commit by plumbing");
    } else if verb == "config" && config_disables(rest) {
        why = Some("another hooks path");
    }
    if let Some(why) = why {
        let named = Named::of(directory.show(), format!("step around the hooks of the repository, by {why}"));
        out.named(EffectKind::BypassHook, named);
    }
}

fn no_verify(verb: &str, rest: &[Word]) -> Option<&'static str> {
    let valued: &[&str] = match verb {
        "commit" => COMMIT,
        "push" => &["--repo", "--receive-pack", "--exec", "-o", "--push-option"],
        "merge" => &["-m", "-F", "--file", "-s", "--strategy", "-X", "--strategy-option", "--into-name", "-S?"],
        "am" => &["-p", "-C", "--directory", "--exclude", "--include", "--patch-format", "-S?"],
        _ => &["-s", "--strategy", "-X", "--strategy-option", "--onto", "-x", "--exec", "-S?", "-m", "--mainline"],
    };
    let options = Options::read(rest, valued, Order::Mixed);
    if options.has(&["--dry-run"]) || verb == "push" && options.has(&["-n"]) {
        return None;
    }
    // git takes any beginning of a long option that is no other's.
    let long = options.flags.iter().any(|(flag, value)| {
        value.is_none() && flag.len() >= "--no-v".len() && "--no-verify".starts_with(flag.as_str())
    });
    let verifies_later = options.flags.iter().rev().find(|(f, _)| f == "--verify" || f.starts_with("--no-v"));
    let on_again = verifies_later.is_some_and(|(f, _)| f == "--verify");
    let short = matches!(verb, "commit" | "am") && options.has(&["-n"]);
    ((long && !on_again) || short).then_some("--no-verify")
}

/// `-c core.hooksPath=…`, `--config-env=core.hooksPath=…`.
fn sets_hooks_path(globals: &Options) -> bool {
    globals.values(&["-c", "--config-env"]).any(|w| {
        let text = w.show().to_ascii_lowercase();
        text.split('=').next() == Some("core.hookspath")
    })
}

/// `GIT_CONFIG_KEY_0=core.hooksPath`.
fn sets_hooks_path_by_env(out: &Plan<'_>) -> bool {
    out.call.assignments.iter().any(|(name, value)| {
        let value = value.show().to_ascii_lowercase();
        name.starts_with("GIT_CONFIG_KEY_") && value == "core.hookspath"
            || name == "GIT_CONFIG_PARAMETERS" && value.contains("core.hookspath")
    })
}

fn switched_off(out: &Plan<'_>) -> bool {
    out.variables().any(|(name, value)| {
        SWITCHES.iter().any(|(switch, on)| *switch == name && !on.contains(&value.to_ascii_lowercase().as_str()))
    })
}

/// `git config core.hooksPath /dev/null`; a path of hooks is how a project installs its own.
fn config_disables(rest: &[Word]) -> bool {
    let options = Options::read(rest, &["-f", "--file", "--blob", "--type", "--default"], Order::Mixed);
    let asks =
        ["--get", "--get-all", "--list", "--get-regexp"].iter().any(|o| options.has(&[o])) || options.has(&["-l"]);
    let mut words = literals(&options.operands);
    let verb = words.first().copied().filter(|w| matches!(*w, "set" | "get" | "unset" | "list"));
    if verb.is_some() {
        words.remove(0);
    }
    let is_path = words.first().is_some_and(|w| w.eq_ignore_ascii_case("core.hookspath"));
    if asks || !is_path || matches!(verb, Some("get" | "list")) {
        return false;
    }
    if options.has(&["--unset"]) || options.has(&["--unset-all"]) || verb == Some("unset") {
        return true;
    }
    match options.operands.last().filter(|_| words.len() > 1) {
        Some(value) => !names_hooks(&value.show()),
        None => false,
    }
}

fn names_hooks(path: &str) -> bool {
    let temporary = ["/tmp/", "/dev/", "/var/tmp/"].iter().any(|top| path.starts_with(top));
    !temporary
        && path.split('/').any(|part| part.to_ascii_lowercase().contains("hook") || part == ".husky" || part == "_")
}
