//! What each branch holds that nothing else names: `git/refs.tsv`.
//!
//! `unpushed` is `git rev-list --count BRANCH --not --remotes`, `unmerged` the same against
//! every other branch, tag and remote-tracking branch.

use coroner_model::probe::GitTable;
use gix::bstr::ByteSlice;
use gix::refs::FullNameRef;

use crate::casefile::git_path;
use crate::limits::Limits;
use crate::seen::Seen;

/// Branches and tags that are listed.
const REFS_MAX: usize = 500;
/// Local branches whose commits are counted; the others have empty counts.
const COUNTED_MAX: usize = 50;

/// The columns of the table.
const HEADER: &str = "ref\tcommit\tupstream\tunpushed\tunmerged";

/// A name and the commit that it leads to.
struct Tip {
    name: String,
    id: gix::ObjectId,
}

/// Every branch, remote-tracking branch and tag, local branches with what only they hold.
pub(super) fn refs(repository: &gix::Repository, limits: &Limits) -> Result<Seen, gix::Error> {
    let (tips, cut) = tips(repository)?;
    let published: Vec<gix::ObjectId> =
        tips.iter().filter(|tip| tip.name.starts_with("refs/remotes/")).map(|tip| tip.id).collect();
    let mut out = format!("{HEADER}\n");
    let mut counted = 0;
    for tip in &tips {
        let local = tip.name.starts_with("refs/heads/") && counted < COUNTED_MAX;
        counted += usize::from(local);
        let count = |others: Vec<gix::ObjectId>| match local {
            true => only_in(repository, tip.id, others, limits).map_or_else(String::new, |n| n.to_string()),
            false => String::new(),
        };
        let others = tips.iter().filter(|other| other.name != tip.name).map(|other| other.id).collect();
        out.push_str(&format!(
            "{}\t{}\t{}\t{}\t{}\n",
            tip.name.replace(['\t', '\n'], "?"),
            tip.id,
            upstream(repository, &tip.name).unwrap_or_default(),
            count(published.clone()),
            count(others)
        ));
    }
    Ok(Seen { bytes_left_out: u64::from(cut), ..Seen::text(git_path(GitTable::Refs), out) })
}

fn tips(repository: &gix::Repository) -> Result<(Vec<Tip>, bool), gix::Error> {
    let mut tips = Vec::new();
    let mut cut = false;
    for reference in repository.references()?.all()? {
        let Ok(mut reference) = reference else { continue };
        let name = reference.name().as_bstr().to_str_lossy().into_owned();
        let kept = ["refs/heads/", "refs/remotes/", "refs/tags/"].iter().any(|top| name.starts_with(top));
        if !kept || name.ends_with("/HEAD") {
            continue;
        }
        let Ok(id) = reference.peel_to_id() else { continue };
        if !id.object().is_ok_and(|object| object.kind == gix::objs::Kind::Commit) {
            continue;
        }
        if tips.len() == REFS_MAX {
            cut = true;
            break;
        }
        tips.push(Tip { name, id: id.detach() });
    }
    Ok((tips, cut))
}

/// Commits that a tip leads to and the others do not, as far as they are counted.
pub(super) fn only_in(
    repository: &gix::Repository,
    tip: gix::ObjectId,
    others: Vec<gix::ObjectId>,
    limits: &Limits,
) -> Option<usize> {
    if others.contains(&tip) {
        return Some(0);
    }
    let walk = repository.rev_walk([tip]).with_hidden(others).all().ok()?;
    Some(walk.take(limits.commits_max).take_while(Result::is_ok).count())
}

/// The remote-tracking branch that a local branch follows, in short: `origin/main`.
pub(super) fn upstream(repository: &gix::Repository, branch: &str) -> Option<String> {
    let name: &FullNameRef = branch.try_into().ok()?;
    let tracking = repository.branch_remote_tracking_ref_name(name, gix::remote::Direction::Fetch)?.ok()?;
    Some(tracking.shorten().to_str_lossy().into_owned())
}
