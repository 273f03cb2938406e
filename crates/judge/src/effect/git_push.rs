//! `git push`: which branches it overwrites or deletes on the other side.

use coroner_model::effect::EffectKind;
use coroner_read::shell::Word;

use super::Plan;
use super::named::{Deciding, Named};
use super::options::{Options, Order};

/// Branches that a push overwrites or deletes.
#[derive(Clone, Debug, PartialEq)]
pub struct Push {
    pub directory: Word,
    /// Names on the other side; empty: that of the current branch.
    pub branches: Vec<Word>,
    pub reach: Reach,
    pub care: Care,
}

/// How many branches are meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    Named,
    /// `--all`, `--mirror`, `--prune`.
    Every,
}

/// What keeps the push from taking others' work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Care {
    None,
    /// `--force-with-lease`: as long as nobody fetched in between.
    Lease,
    /// The branch goes as a whole.
    Deletes,
}

/// Branches that more than one person works on, by the names that are usual.
pub fn is_shared_branch(name: &str) -> bool {
    let name = name.strip_prefix("refs/heads/").unwrap_or(name);
    let first = name.split('/').next().unwrap_or(name);
    matches!(
        name,
        "main"
            | "master"
            | "trunk"
            | "develop"
            | "development"
            | "dev"
            | "release"
            | "production"
            | "prod"
            | "stable"
            | "staging"
            | "default"
            | "next"
            | "integration"
    ) || matches!(first, "release" | "releases" | "hotfix" | "support")
        || name.starts_with("release-")
        || name.starts_with("stable-")
}

/// The words of a push with what `-c` sets for its remote, as if it stood there.
pub(super) fn configured(globals: &Options, rest: &[Word]) -> Vec<Word> {
    let mut words = rest.to_vec();
    let bare = Options::read(rest, VALUED, Order::Mixed).operands.is_empty();
    for (key, value) in globals.values(&["-c"]).filter_map(|w| w.as_literal()?.split_once('=')) {
        let key = key.to_ascii_lowercase();
        let Some((remote, name)) = key.strip_prefix("remote.").and_then(|k| k.rsplit_once('.')) else { continue };
        match name {
            "mirror" if !matches!(value, "false" | "no" | "off" | "0") => words.push(Word::literal("--mirror")),
            "push" if bare => words.extend([Word::literal(remote), Word::literal(value)]),
            _ => {}
        }
    }
    words
}

const VALUED: &[&str] = &["--repo", "--receive-pack", "--exec", "-o", "--push-option"];

pub(super) fn plan(out: &mut Plan<'_>, rest: &[Word], directory: &Word) {
    let options = Options::read(rest, VALUED, Order::Mixed);
    if options.has(&["-n", "--dry-run"]) || options.has(&["-h", "--help"]) {
        return;
    }
    let refspecs = match options.value(&["--repo"]) {
        Some(_) => options.operands.as_slice(),
        None => options.operands.get(1..).unwrap_or_default(),
    };
    let every = options.has(&["--mirror"]) || options.has(&["--prune"]);
    let deletes = options.has(&["-d", "--delete"]);
    let forced = options.has(&["-f", "--force"]);
    let leased = options.has(&["--force-with-lease"]) || options.has(&["--force-if-includes"]);
    let all = options.has(&["--all", "--branches"]) || options.has(&["--branches"]);
    let mut push = |branches: Vec<Word>, reach, care| {
        let shown = super::named::shown(&branches);
        let what = match (care, reach) {
            (_, Reach::Every) => "overwrite or delete every branch on the other side".to_owned(),
            (Care::Deletes, _) => format!("delete {shown} on the other side"),
            _ if shown.is_empty() => "overwrite the published history of the current branch".to_owned(),
            _ => format!("overwrite the published history of {shown}"),
        };
        let target = if shown.is_empty() { directory.show() } else { shown };
        let push = Push { directory: directory.clone(), branches, reach, care };
        out.named(EffectKind::ForcePush, Named::of(target, what).decided_by(Deciding::Push(Box::new(push))));
    };
    if every {
        return push(Vec::new(), Reach::Every, Care::Deletes);
    }
    if deletes {
        return push(refspecs.to_vec(), Reach::Named, Care::Deletes);
    }
    let removed: Vec<Word> = refspecs.iter().filter(|r| is_removal(r)).map(destination).collect();
    if !removed.is_empty() {
        push(removed, Reach::Named, Care::Deletes);
    }
    let plus: Vec<Word> = refspecs.iter().filter(|r| r.prefix().starts_with('+')).map(destination).collect();
    let rest: Vec<Word> =
        refspecs.iter().filter(|r| !r.prefix().starts_with('+') && !is_removal(r)).map(destination).collect();
    if !plus.is_empty() {
        push(plus, Reach::Named, Care::None);
    }
    if forced || leased {
        let care = if forced { Care::None } else { Care::Lease };
        let only_others = rest.is_empty() && !refspecs.is_empty();
        if all {
            push(Vec::new(), Reach::Every, care);
        } else if !only_others {
            push(rest, Reach::Named, care);
        }
    }
}

/// `:branch` deletes it on the other side.
fn is_removal(refspec: &Word) -> bool {
    let text = refspec.prefix().trim_start_matches('+');
    text.starts_with(':') && (text.len() > 1 || refspec.parts.len() > 1)
}

/// The name on the other side.
fn destination(refspec: &Word) -> Word {
    let text = refspec.show();
    let text = text.trim_start_matches('+');
    let name = text.rsplit_once(':').map_or(text, |(_, to)| to);
    if refspec.is_unresolved() { refspec.clone() } else { Word::literal(name) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn branches_of_many_are_known_by_name() {
        assert!(is_shared_branch("main") && is_shared_branch("release/1.2") && is_shared_branch("refs/heads/master"));
        assert!(!is_shared_branch("feature/main-page") && !is_shared_branch("fix-master-key"));
    }
}
