//! Pushes that may take others' work from the other side, in every spelling that git accepts.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test panics where it fails"
)]

use coroner_collect::{Casefile, Limits, World};
use coroner_judge::pattern::Library;
use coroner_model::permission::{Permission, PermissionRequest};
use coroner_verbs::guard::Guard;

fn permission(head: &str, text: &str) -> Permission {
    let status =
        format!("# branch.oid 1f2e\n# branch.head {head}\n# branch.upstream origin/{head}\n# branch.ab +1 -0\n");
    let world = World::Casefile(Casefile::of_texts([("git/status.txt", status.as_str())], Limits::default()).unwrap());
    let request = PermissionRequest { command: Some(text.into()), cwd: "/srv/app".into(), ..Default::default() };
    Guard::over(world, Library::built_in()).judge(request).permission
}

#[test]
fn a_push_over_a_shared_branch_is_stopped_in_every_spelling() {
    let mut passed = Vec::new();
    for text in [
        "git push --force origin main",
        "git push origin main -f",
        "git push -uf origin main",
        "git push --forc origin main",
        "git push origin +main",
        "git push origin +HEAD:main",
        "git push origin '+refs/heads/*:refs/heads/*'",
        "git push origin +HEAD:refs/heads/main",
        "git push --force-with-lease origin main",
        "git push --force-with-lease=main origin main",
        "git push --force-with-lease=main:1f2e origin HEAD:main",
        "git push --force-w origin main",
        "git push --force-with-lease --force-if-includes origin main",
        "git push --mirror",
        "git push --mirror origin",
        "git push --all --force",
        "git push --prune origin",
        "git push --delete origin main",
        "git push -d origin release/1.2",
        "git push --del origin main",
        "git push origin :main",
        "git push origin :refs/heads/main",
        "git -c push.default=current push --force origin main",
        "git -c alias.up='push --force' up origin main",
        "git -C /srv/app push -f origin master",
        "sudo git push -f origin main",
        "git -c remote.origin.mirror=true push",
        "git -c remote.origin.push=+refs/heads/main:refs/heads/main push",
        "git send-pack --force origin main",
        "git push --no-force-with-lease --force origin main",
    ] {
        if permission("feature/cart", text) == Permission::Allow {
            passed.push(text);
        }
    }
    for text in ["git push -f", "git push --force-with-lease", "git push --force origin HEAD", "git push origin +HEAD"]
    {
        if permission("main", text) == Permission::Allow {
            passed.push(text);
        }
    }
    assert!(passed.is_empty(), "{passed:#?}");
}

#[test]
fn a_push_that_takes_nothing_passes() {
    let mut stopped = Vec::new();
    for text in [
        "git push",
        "git push origin feature/cart",
        "git push -u origin HEAD",
        "git push --tags",
        "git push --follow-tags origin main",
        "git push -n --force origin main",
        "git push --dry-run --mirror",
        "git push --force-with-lease",
        "git push --force-with-lease origin feature/cart",
        "git push --no-force origin main",
        "git push -o ci.skip origin main",
        "git fetch --force origin main",
        "git push origin feature/cart:feature/cart",
        "git log --grep='push --force origin main'",
        "git commit -m 'no more push --force'",
    ] {
        if permission("feature/cart", text) != Permission::Allow {
            stopped.push(text);
        }
    }
    assert!(stopped.is_empty(), "{stopped:#?}");
}
