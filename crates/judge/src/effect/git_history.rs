//! git commands that rewrite history, or let go of commits that nothing else names.

use coroner_model::effect::{Circumstance, EffectKind};
use coroner_read::shell::{Word, join};

use super::Plan;
use super::named::{Deciding, Named, literals, shown};
use super::options::{Options, Order};

/// Whether the verb was one of these.
pub(super) fn plan(out: &mut Plan<'_>, verb: &str, rest: &[Word], directory: &Word) {
    let options =
        Options::read(rest, &["--expire", "--expire-unreachable", "--onto", "-x", "--exec", "-s", "-m"], Order::Mixed);
    if options.has(&["--help"]) {
        return;
    }
    let words = literals(&options.operands);
    let first = words.first().copied().unwrap_or_default();
    let name = directory.show();
    let mut lost = |kind, what: String| {
        out.named(kind, Named::of(name.clone(), what).with(Circumstance::Irreversible));
    };
    let dry = options.has(&["-n", "--dry-run"]);
    match verb {
        "filter-branch" | "filter-repo" if !dry && !options.has(&["--analyze"]) => {
            lost(EffectKind::RewriteHistory, format!("rewrite every commit of the repository in {name}"));
        }
        "reflog" if first == "delete" && !dry => {
            lost(EffectKind::RewriteHistory, "forget where branches were before".into());
        }
        "reflog" if first == "expire" && !dry => {
            let now = options
                .values(&["--expire", "--expire-unreachable"])
                .any(|w| matches!(w.as_literal(), Some("now" | "all" | "0")));
            if now || options.has(&["--all"]) {
                lost(EffectKind::RewriteHistory, "forget where branches were before".into());
            }
        }
        "gc" if is_now(&options) => {
            lost(EffectKind::RewriteHistory, "delete every commit that no branch names".into());
        }
        "prune" if !dry => lost(EffectKind::RewriteHistory, "delete every commit that no branch names".into()),
        "update-ref" if options.has(&["-d"]) => {
            lost(EffectKind::RewriteHistory, format!("delete the reference {}", shown(&options.operands)));
        }
        "branch" => branch(out, rest, directory),
        "checkout" | "switch" => set_anew(out, rest, directory),
        "remote" if matches!(first, "rm" | "remove" | "set-url") => remote(out, first, &options, directory),
        "worktree" if first == "remove" && options.has(&["-f", "--force"]) => {
            for path in &options.operands[1..] {
                let what = format!("delete the worktree {} with its changes", path.show());
                let named = Named::of(path.show(), what)
                    .with(Circumstance::Irreversible)
                    .decided_by(Deciding::WorkTree { path: join(directory, path) });
                out.named(EffectKind::DiscardWork, named);
            }
        }
        "stash" if matches!(first, "drop" | "clear") => {
            let what = if first == "clear" { "delete everything that was stashed" } else { "delete stashed work" };
            let named = Named::of(name.clone(), what)
                .with(Circumstance::Irreversible)
                .decided_by(Deciding::Stash { directory: directory.clone() });
            out.named(EffectKind::DiscardWork, named);
        }
        "rebase" => rebase(out, &options, directory),
        "commit" => amend(out, rest, directory),
        "reset" => reset(out, &options, directory),
        _ => {}
    }
}

/// `gc --prune=now`; a plain `--prune` keeps two weeks.
fn is_now(options: &Options) -> bool {
    options.values(&["--prune"]).any(|w| matches!(w.as_literal(), Some("now" | "all" | "0")))
}

/// `branch -D`, `branch -d -f`: also where nobody has merged it.
fn branch(out: &mut Plan<'_>, rest: &[Word], directory: &Word) {
    let options = Options::read(rest, &["-u", "--set-upstream-to", "--sort", "--format"], Order::Mixed);
    let deletes = options.has(&["-d", "--delete"]);
    let renames = ["-m", "-M", "-c", "-C", "--move", "--copy"].iter().any(|o| options.has(&[o]));
    if options.has(&["-f", "--force"]) && !deletes && !renames {
        return moved(out, options.operands.first(), options.operands.get(1), directory);
    }
    let forced = options.has(&["-D"]) || deletes && options.has(&["-f", "--force"]);
    if !forced || options.has(&["-r", "--remotes"]) {
        return;
    }
    let branches = shown(&options.operands);
    let deciding = Deciding::Branches { directory: directory.clone(), names: options.operands.clone() };
    let named = Named::of(branches.clone(), format!("delete the branch {branches} whether or not it is merged"))
        .with(Circumstance::Irreversible)
        .decided_by(deciding);
    out.named(EffectKind::DiscardWork, named);
}

/// `checkout -B NAME`, `switch -C NAME`: a branch of that name is set elsewhere.
fn set_anew(out: &mut Plan<'_>, rest: &[Word], directory: &Word) {
    let forced = ["-B", "-C", "--force-create"];
    let valued = [forced.as_slice(), &["-b", "-c", "--create", "--orphan", "--conflict"]].concat();
    let options = Options::read(rest, &valued, Order::Mixed);
    moved(out, options.value(&forced), options.operands.first(), directory);
}

fn moved(out: &mut Plan<'_>, name: Option<&Word>, onto: Option<&Word>, directory: &Word) {
    let Some(name) = name else { return };
    let stays = onto.is_none_or(|w| matches!(w.as_literal(), Some("HEAD" | "@")));
    let deciding = Deciding::MovedBranch { directory: directory.clone(), name: name.clone(), stays };
    let what = format!("set the branch {} elsewhere and let go of its commits", name.show());
    out.named(EffectKind::DiscardWork, Named::of(name.show(), what).decided_by(deciding));
}

/// A remote that goes, or leads elsewhere, takes with it where commits would have been pushed.
fn remote(out: &mut Plan<'_>, verb: &str, options: &Options, directory: &Word) {
    let Some(remote) = options.operands.get(1) else { return };
    let what = match verb {
        "set-url" => format!("point the remote {} elsewhere", remote.show()),
        _ => format!("forget the remote {} and every branch known of it", remote.show()),
    };
    let deciding = Deciding::Remote { directory: directory.clone(), remote: remote.clone() };
    out.named(EffectKind::DiscardWork, Named::of(remote.show(), what).decided_by(deciding));
}

/// `bfg`, `git-filter-repo`: programs of their own that rewrite every commit.
pub(super) fn rewriter(out: &mut Plan<'_>) {
    let call = out.call;
    let name = |w: &Word| w.show().rsplit('/').next().unwrap_or_default().to_ascii_lowercase();
    let is_archive = |w: &Word| name(w).starts_with("bfg") && name(w).ends_with(".jar");
    let words = match call.program() {
        "java" => {
            let Some(at) = call.argv.iter().position(is_archive) else { return };
            &call.argv[at + 1..]
        }
        _ => &call.argv[1..],
    };
    let shows = ["--help", "-h", "--version", "--dry-run", "--analyze"];
    let acts = words.iter().any(|w| w.prefix().starts_with('-'));
    if !acts || words.iter().any(|w| w.as_literal().is_some_and(|text| shows.contains(&text))) {
        return;
    }
    let directory = call.cwd.show();
    let what = format!("rewrite every commit of the repository in {directory}");
    out.named(EffectKind::RewriteHistory, Named::of(directory, what).with(Circumstance::Irreversible));
}

/// A rebase rewrites commits; that matters where they are published.
fn rebase(out: &mut Plan<'_>, options: &Options, directory: &Word) {
    let steers = ["--abort", "--continue", "--skip", "--quit", "--edit-todo", "--show-current-patch"];
    if steers.iter().any(|s| options.has(&[s])) {
        return;
    }
    let named = Named::of(directory.show(), "rewrite commits that are published");
    if options.has(&["--root"]) {
        return out.named(EffectKind::RewriteHistory, named.with(Circumstance::Irreversible));
    }
    // `HEAD~3` says how many commits are rewritten; another base says only which are new.
    let count = options.operands.first().and_then(Word::as_literal).and_then(commits_back).unwrap_or(0);
    let deciding = Deciding::Published { directory: directory.clone(), commits: count };
    out.named(EffectKind::RewriteHistory, named.decided_by(deciding));
}

/// `HEAD~3`, `HEAD^^`, `@~`.
fn commits_back(revision: &str) -> Option<u64> {
    let rest = revision.strip_prefix("HEAD").or_else(|| revision.strip_prefix('@'))?;
    let mut count = 0;
    let mut rest = rest;
    while let Some(c) = rest.chars().next() {
        rest = &rest[1..];
        let digits = rest.chars().take_while(char::is_ascii_digit).count();
        match c {
            '~' => count += rest[..digits].parse().unwrap_or(1),
            '^' => count += 1,
            _ => return None,
        }
        rest = &rest[digits..];
    }
    Some(count)
}

fn amend(out: &mut Plan<'_>, rest: &[Word], directory: &Word) {
    let options = Options::read(rest, super::git_hooks::COMMIT, Order::Mixed);
    if options.has(&["--amend"]) && !options.has(&["--dry-run"]) {
        let deciding = Deciding::Published { directory: directory.clone(), commits: 1 };
        let named = Named::of(directory.show(), "rewrite a commit that is published").decided_by(deciding);
        out.named(EffectKind::RewriteHistory, named);
    }
}

/// `reset --hard REVISION` lets go of commits, too.
fn reset(out: &mut Plan<'_>, options: &Options, directory: &Word) {
    let moves = options.operands.first().is_some_and(|w| !matches!(w.as_literal(), Some("HEAD" | "@")));
    if options.has(&["--hard"]) && moves {
        let what = format!("let go of commits that are only in {}", directory.show());
        let named = Named::of(directory.show(), what).decided_by(Deciding::Unpushed { directory: directory.clone() });
        out.named(EffectKind::DiscardWork, named);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn revisions_are_counted() {
        assert_eq!(commits_back("HEAD~3"), Some(3));
        assert_eq!(commits_back("HEAD^^"), Some(2));
        assert_eq!(commits_back("@~"), Some(1));
        assert_eq!(commits_back("origin/main"), None);
    }
}
