//! Aliases of git that stand in its settings: `git c` is what `.git/config` or `~/.gitconfig` says.

use coroner_read::git_settings;
use coroner_read::shell::Word;

use super::Plan;

/// Directories upwards whose repository is looked for.
const ANCESTORS_MAX: usize = 5;
/// Files that are included, and included again.
const INCLUDES_MAX: usize = 4;

/// Commands of git itself: an alias of their names is ignored.
const OWN: &[&str] = &[
    "add",
    "am",
    "annotate",
    "apply",
    "archive",
    "bisect",
    "blame",
    "branch",
    "bundle",
    "cat-file",
    "check-attr",
    "check-ignore",
    "check-mailmap",
    "check-ref-format",
    "checkout",
    "checkout-index",
    "cherry",
    "cherry-pick",
    "citool",
    "clean",
    "clone",
    "column",
    "commit",
    "commit-graph",
    "commit-tree",
    "config",
    "count-objects",
    "credential",
    "daemon",
    "describe",
    "diff",
    "diff-files",
    "diff-index",
    "diff-tree",
    "difftool",
    "fast-export",
    "fast-import",
    "fetch",
    "fetch-pack",
    "filter-branch",
    "fmt-merge-msg",
    "for-each-ref",
    "format-patch",
    "fsck",
    "gc",
    "get-tar-commit-id",
    "grep",
    "gui",
    "hash-object",
    "help",
    "hook",
    "http-backend",
    "http-fetch",
    "http-push",
    "imap-send",
    "index-pack",
    "init",
    "instaweb",
    "interpret-trailers",
    "log",
    "ls-files",
    "ls-remote",
    "ls-tree",
    "mailinfo",
    "mailsplit",
    "maintenance",
    "merge",
    "merge-base",
    "merge-file",
    "merge-index",
    "merge-tree",
    "mergetool",
    "mktag",
    "mktree",
    "mv",
    "name-rev",
    "notes",
    "pack-objects",
    "pack-refs",
    "patch-id",
    "prune",
    "pull",
    "push",
    "quiltimport",
    "range-diff",
    "read-tree",
    "rebase",
    "receive-pack",
    "reflog",
    "remote",
    "repack",
    "replace",
    "request-pull",
    "rerere",
    "reset",
    "restore",
    "rev-list",
    "rev-parse",
    "revert",
    "rm",
    "send-email",
    "send-pack",
    "shortlog",
    "show",
    "show-branch",
    "show-ref",
    "sparse-checkout",
    "stage",
    "stash",
    "status",
    "stripspace",
    "submodule",
    "switch",
    "symbolic-ref",
    "tag",
    "unpack-objects",
    "update-index",
    "update-ref",
    "upload-pack",
    "var",
    "verify-commit",
    "verify-pack",
    "verify-tag",
    "version",
    "whatchanged",
    "worktree",
    "write-tree",
    // Widely installed beside git.
    "lfs",
    "flow",
    "filter-repo",
    "annex",
    "crypt",
    "secret",
    "svn",
    "p4",
    "cliff",
    "absorb",
    "town",
];

/// What a verb that is no command of git stands for; settings that are not at hand are asked for.
pub(super) fn standing(out: &mut Plan<'_>, verb: &Word, directory: &Word) -> Option<String> {
    let name = verb.as_literal().filter(|name| !name.is_empty() && !name.starts_with('-') && !OWN.contains(name))?;
    setting_of(out, directory, "alias", name)
}

/// What git's settings say where a directory lies: the person's, then the repository's, which wins.
pub(super) fn setting_of(out: &mut Plan<'_>, directory: &Word, section: &str, name: &str) -> Option<String> {
    let directory = directory.as_literal().filter(|d| d.starts_with('/'))?.to_owned();
    let mut files: Vec<String> = Vec::new();
    if let Some(home) = out.home {
        files.extend([format!("{home}/.config/git/config"), format!("{home}/.gitconfig")]);
    }
    let mut at = directory.as_str();
    let mut above = Vec::new();
    for _ in 0..ANCESTORS_MAX {
        above.push(format!("{}/.git/config", at.trim_end_matches('/')));
        at = match at.rsplit_once('/') {
            Some((parent, own)) if !own.is_empty() => parent,
            _ => break,
        };
    }
    // The repository's own settings are read last and win.
    files.extend(above.into_iter().rev());
    let mut found = None;
    for file in files {
        found = of_file(out, &file, (section, name), INCLUDES_MAX).or(found);
    }
    found
}

fn of_file(out: &mut Plan<'_>, file: &str, key: (&str, &str), includes: usize) -> Option<String> {
    let text = out.text_looked_up(file)?;
    let mut found = None;
    for setting in git_settings::read(&text) {
        if setting.is(key.0, key.1) {
            found = Some(setting.value);
        } else if includes > 0 && setting.names_file() {
            let home = out.home.unwrap_or_default();
            let folder = file.rsplit_once('/').map_or("", |(folder, _)| folder);
            let other = match setting.value.strip_prefix("~/") {
                Some(rest) => format!("{home}/{rest}"),
                None if setting.value.starts_with('/') => setting.value.clone(),
                None => format!("{folder}/{}", setting.value),
            };
            found = of_file(out, &other, key, includes - 1).or(found);
        }
    }
    found
}
