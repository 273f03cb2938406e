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
    ("PRE_COMMIT", &["1", "true"]),
    ("OVERCOMMIT_SKIP", &[""]),
    ("HUSKY_BYPASS", &["0", "false", ""]),
    ("GITHOOKS_DISABLE", &["0", "false", ""]),
    ("GIT_BYPASS_HOOKS", &["0", "false", ""]),
    ("CAPTAINHOOK_SKIP_HOOKS", &["0", "false", ""]),
    ("YORKIE_SKIP_HOOKS", &["0", "false", ""]),
];

/// Variables that name another file of settings for one command.
const OTHER_SETTINGS: &[&str] = &["GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM", "GIT_CONFIG"];

/// Most commands of an alias that are read.
const ALIAS_WORDS_MAX: usize = 64;

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
        if why.is_none() && takes_other_settings(out, globals) {
            why = Some("settings from another file");
        }
        if why.is_none() && switched_off(out) {
            why = Some("a variable that switches them off");
        }
    } else if matches!(verb, "commit-tree" | "fast-import") {
        why = Some("a commit by plumbing");
    } else if matches!(verb, "send-pack" | "http-push") {
        why = Some("a push by plumbing");
    } else if verb == "update-ref" && moves_branch(rest) {
        why = Some("a branch that is moved by plumbing");
    } else if verb == "config" {
        why = config_disables(rest).or_else(|| config_alias(rest));
    } else if matches!(verb, "rm" | "mv") && takes_hook(rest) {
        why = Some("taking a hook away");
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
    let switch = |flag: &str| flag == "-n" && matches!(verb, "commit" | "am");
    let last = options.flags.iter().rev().find(|(f, _)| f == "--verify" || switch(f));
    let short = last.is_some_and(|(f, _)| switch(f));
    ((long && !on_again) || short).then_some("--no-verify")
}

/// `-c core.hooksPath=…`, `--config-env=core.hooksPath=…`.
fn sets_hooks_path(globals: &Options) -> bool {
    globals.values(&["-c", "--config-env"]).any(|w| {
        let text = w.show().to_ascii_lowercase();
        // Without a value it is no path, and git stops.
        text.starts_with("core.hookspath=")
    })
}

/// `-c include.path=FILE`, `GIT_CONFIG_GLOBAL=FILE`: what is in the file can name another hooks path.
fn takes_other_settings(out: &Plan<'_>, globals: &Options) -> bool {
    let included = globals.values(&["-c", "--config-env"]).any(|w| is_include(&w.show().to_ascii_lowercase()));
    let by_env = |name: &str, value: &str| {
        name.starts_with("GIT_CONFIG_KEY_") && is_include(value)
            || name == "GIT_CONFIG_PARAMETERS" && value.contains("include")
    };
    let own = out.call.assignments.iter().any(|(name, value)| {
        by_env(name, &value.show().to_ascii_lowercase()) || OTHER_SETTINGS.contains(&name.as_str())
    });
    included || own
}

fn is_include(key: &str) -> bool {
    let key = key.split('=').next().unwrap_or_default();
    key == "include.path" || key.starts_with("includeif.") && key.ends_with(".path")
}

/// `git update-ref refs/heads/main ID`: a commit that no hook saw becomes a branch. What has a
/// name already was committed somehow, and deleting a branch is told as loss of work.
fn moves_branch(rest: &[Word]) -> bool {
    let options = Options::read(rest, &["-m"], Order::Mixed);
    let branch = options.operands.first().and_then(Word::as_literal).unwrap_or_default();
    let id = options.operands.get(1).is_some_and(|word| match word.as_literal() {
        Some(text) => text.len() >= 7 && text.bytes().all(|b| b.is_ascii_hexdigit()),
        None => true,
    });
    id && (branch == "HEAD" || branch.starts_with("refs/heads/")) && !options.has(&["-d"])
}

/// `git rm .husky/pre-commit`.
fn takes_hook(rest: &[Word]) -> bool {
    let options = Options::read(rest, &["--pathspec-from-file"], Order::Mixed);
    let dry = options.has(&["-n"]) || options.has(&["--dry-run"]);
    !dry && literals(&options.operands).iter().any(|path| super::guard_files::is_hook(&format!("/{path}")))
}

/// `git config alias.c 'commit --no-verify'`: the alias will, whenever it is used.
fn config_alias(rest: &[Word]) -> Option<&'static str> {
    let options = Options::read(rest, CONFIG, Order::Mixed);
    let mut words = literals(&options.operands);
    if matches!(words.first(), Some(&("set" | "add"))) {
        words.remove(0);
    }
    let (name, text) = (words.first()?, words.get(1)?);
    let alias = name.to_ascii_lowercase().starts_with("alias.");
    (alias && alias_bypasses(text)).then_some("an alias that skips them")
}

/// Whether what an alias stands for steps around hooks: words of git, or shell text behind `!`.
fn alias_bypasses(text: &str) -> bool {
    let git = |words: &[Word]| -> bool {
        let globals = Options::read(words, super::git::GLOBAL, Order::First);
        let Some((verb, rest)) = globals.operands.split_first() else { return false };
        let verb = verb.as_literal().unwrap_or_default();
        sets_hooks_path(&globals) || no_verify(verb, rest).is_some() || verb == "commit-tree"
    };
    match text.strip_prefix('!') {
        Some(shell) => {
            let effects = super::of_command(shell, "/", &std::collections::BTreeMap::new());
            effects.planned.iter().any(|planned| planned.kind == EffectKind::BypassHook)
        }
        None => {
            let words: Vec<Word> = text
                .split_whitespace()
                .take(ALIAS_WORDS_MAX)
                .map(|w| Word::literal(w.trim_matches(['"', '\''])))
                .collect();
            git(&words)
        }
    }
}

/// Tools that make commits and hand `--no-verify` on to git, and those that have a word of their own.
pub(super) fn of_tool(out: &mut Plan<'_>, argv: &[Word]) {
    let words: Vec<&str> = argv.iter().map(Word::prefix).take_while(|w| *w != "--").collect();
    let all: Vec<&str> = argv.iter().map(Word::prefix).collect();
    let Some((program, rest)) = words.split_first() else { return };
    let program = program.rsplit('/').next().unwrap_or_default();
    let has = |flag: &str| rest.contains(&flag);
    let skips = match program {
        "npm" | "pnpm" | "yarn" | "lerna" => {
            has("--no-commit-hooks") || has("--commit-hooks=false") || program == "lerna" && has("--no-verify")
        }
        "standard-version" | "commit-and-tag-version" => has("--no-verify") || has("-n"),
        "cz" | "git-cz" | "commitizen" | "gitmoji" | "hub" | "gt" | "git-commit" => {
            all.contains(&"--no-verify") || all.contains(&"-n")
        }
        _ => false,
    };
    if skips {
        let named = Named::of(out.call.cwd.show(), "step around the hooks of the repository, by an option of its own");
        out.named(EffectKind::BypassHook, named);
    }
}

/// Options of `git config` that take a value.
const CONFIG: &[&str] = &["-f", "--file", "--blob", "--type", "--default", "--value", "--comment"];

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
fn config_disables(rest: &[Word]) -> Option<&'static str> {
    let options = Options::read(rest, CONFIG, Order::Mixed);
    let asks =
        ["--get", "--get-all", "--list", "--get-regexp"].iter().any(|o| options.has(&[o])) || options.has(&["-l"]);
    let mut words = literals(&options.operands);
    let verbs = ["set", "get", "unset", "list", "remove-section", "rename-section", "edit"];
    let verb = words.first().copied().filter(|w| verbs.contains(w));
    if verb.is_some() {
        words.remove(0);
    }
    let key = words.first().map(|w| w.to_ascii_lowercase()).unwrap_or_default();
    if asks || matches!(verb, Some("get" | "list")) {
        return None;
    }
    let section = |flag: &str, word: &str| options.has(&[flag]) || verb == Some(word);
    let removes = section("--remove-section", "remove-section") || section("--rename-section", "rename-section");
    if removes && matches!(key.as_str(), "core" | "include") {
        return Some("taking the setting of their path away");
    }
    if is_include(&key) && words.len() > 1 {
        return Some("settings from another file");
    }
    if key != "core.hookspath" {
        return None;
    }
    if options.has(&["--unset"]) || options.has(&["--unset-all"]) || verb == Some("unset") {
        return Some("taking the setting of their path away");
    }
    let value = options.operands.last().filter(|_| words.len() > 1)?;
    (!names_hooks(&value.show())).then_some("another hooks path")
}

fn names_hooks(path: &str) -> bool {
    let temporary = ["/tmp/", "/dev/", "/var/tmp/"].iter().any(|top| path.starts_with(top));
    !temporary
        && path.split('/').any(|part| part.to_ascii_lowercase().contains("hook") || part == ".husky" || part == "_")
}
