//! Which command lines step around hooks, asked of the real git: a repository whose every hook
//! fails shows whether a line gets past them.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test panics where it fails"
)]

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use coroner_judge::effect;
use coroner_model::effect::EffectKind;

const HOOKS: [&str; 7] =
    ["pre-commit", "commit-msg", "pre-merge-commit", "pre-rebase", "applypatch-msg", "pre-applypatch", "pre-push"];

fn shell(at: &Path, line: &str) -> bool {
    let output = Command::new("sh")
        .args(["-c", line])
        .current_dir(at)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap())
        .env("HOME", at)
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .output()
        .unwrap();
    output.status.success()
}

/// A repository with a change that is staged, a branch to merge, a patch and a remote.
fn repository(at: &Path) {
    let made = shell(
        at,
        "git init -q -b main w && git init -q --bare s.git && cd w && git config user.name t && \
         git config user.email t@example.org && echo 1 > a && git add . && git commit -qm 1 && \
         git remote add origin ../s.git && git push -q origin main && git checkout -q -b side && echo s > s && \
         git add . && git commit -qm s && git format-patch -q -1 --stdout > ../p.patch && git checkout -q main && \
         echo m > m && git add . && git commit -qm m && printf '[core]\\nhooksPath=/nowhere\\n' > ../other.gitconfig",
    );
    assert!(made);
    for name in HOOKS {
        let hook = at.join("w/.git/hooks").join(name);
        std::fs::write(&hook, "#!/bin/sh\nexit 1\n").unwrap();
        std::fs::set_permissions(&hook, std::fs::Permissions::from_mode(0o755)).unwrap();
    }
}

/// Lines with a staged change, and lines on a clean tree.
const STAGED: &[&str] = &[
    "git commit -m x",
    "git commit -n -m x",
    "git commit --no-verify -m x",
    "git commit --no-verif -m x",
    "git commit --no-veri -m x",
    "git commit -nm x",
    "git commit -anm x",
    "git commit -qnm x",
    "git commit -m x -n --verify",
    "git commit --verify -n -m x",
    "git commit -m x --no-verify --verify",
    "git commit -m n",
    "git commit -mn",
    "git commit -m --no-verify",
    "git commit -C HEAD -n",
    "git -c core.hooksPath=/nowhere commit -m x",
    "git -c CORE.HOOKSPATH= commit -m x",
    "git -c core.hooksPath commit -m x",
    "git -c core.fsmonitor=false commit -m x",
    "git -c include.path=$PWD/../other.gitconfig commit -m x",
    "GIT_CONFIG_GLOBAL=../other.gitconfig git commit -m x",
    "GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=core.hooksPath GIT_CONFIG_VALUE_0=/nowhere git commit -m x",
    "GIT_CONFIG_PARAMETERS=\"'core.hooksPath=/nowhere'\" git commit -m x",
    "X=/nowhere git --config-env=core.hooksPath=X commit -m x",
    "git -c alias.z='commit -n' z -m x",
    "git -c alias.z='!git commit -n -m x' z",
    "git config alias.z 'commit -n'; git z -m x",
    "git config core.hooksPath /nowhere; git commit -m x",
    "GIT_DIR=.git git commit -m x",
    "git --no-verify commit -m x",
];
const CLEAN: &[&str] = &[
    "git merge --no-edit side",
    "git merge --no-edit -n side",
    "git merge --no-edit --no-verify side",
    "git am ../p.patch",
    "git am -n ../p.patch",
    "git am -3n ../p.patch",
    "git am --no-verify ../p.patch",
    "git rebase side",
    "git rebase -n side",
    "git rebase --no-verify side",
    "git push origin main",
    "git push -n origin main",
    "git push --no-verify origin main",
    "git push --no-verif origin main",
    "git pull --no-rebase --no-edit . side",
    "git pull --no-rebase --no-edit --no-verify . side",
    "git send-pack ../s.git main",
    "rm .git/hooks/pre-push; git push origin main",
    "chmod -x .git/hooks/pre-push; git push origin main",
    "mv .git/hooks .git/off; git push origin main",
    "printf '#!/bin/sh\\nexit 0\\n' > .git/hooks/pre-push; git push origin main",
    ": > .git/hooks/pre-push; git push origin main",
    "sed -i 's/exit 1/exit 0/' .git/hooks/pre-push; git push origin main",
    "ln -sf /bin/true .git/hooks/pre-push; git push origin main",
    "printf '[core]\\nhooksPath=/nowhere\\n' >> .git/config; git push origin main",
    "git update-ref refs/heads/main $(git rev-parse side)",
];

#[test]
fn the_model_and_git_agree_on_what_steps_around_hooks() {
    let mut wrong = Vec::new();
    let lines = STAGED.iter().map(|line| (line, true)).chain(CLEAN.iter().map(|line| (line, false)));
    for (line, staged) in lines {
        let folder = tempfile::tempdir().unwrap();
        repository(folder.path());
        let work = folder.path().join("w");
        assert!(!staged || shell(&work, "echo 2 > a && git add a"));
        let passed = shell(&work, line);
        let effects = effect::of_command(line, "/srv/w", &BTreeMap::new());
        let told = effects.planned.iter().any(|planned| planned.kind == EffectKind::BypassHook);
        if passed != told {
            wrong.push(format!("{line}: git {}, the model {}", says(passed), says(told)));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn says(passed: bool) -> &'static str {
    if passed { "lets it past its hooks" } else { "runs the hooks" }
}
