//! Puts Coroner in front of the hooks of a repository, and takes exactly that away again.
//!
//! A hook that is there keeps running behind Coroner: a shell script gets a marked block after
//! its first line; anything else is moved beside and called.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::write::{ActError, Existing, FileWrite, Plan};

/// Largest hook that is read as a script, in bytes.
const HOOK_BYTES_MAX: u64 = 1024 * 1024;
const BEGIN: &str = "# >>> coroner >>>";
const END: &str = "# <<< coroner <<<";
const MADE: &str = "# Made by coroner; `coroner undo` takes it away.";
/// What is added to the name of a hook that is called instead of read.
const NEXT: &str = ".coroner-next";

/// Where the hooks are installed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// A clone: commits, their messages, and pushes.
    Clone,
    /// A bare repository that others push to.
    Server,
}

impl Side {
    /// The hooks of this side.
    pub fn hooks(self) -> &'static [&'static str] {
        match self {
            Side::Clone => &["pre-commit", "commit-msg", "pre-push"],
            Side::Server => &["pre-receive"],
        }
    }
}

/// What will be changed in a folder of hooks: moves first, then files, then removals.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HookPlan {
    pub moves: Vec<(PathBuf, PathBuf)>,
    pub files: Plan,
    pub removals: Vec<PathBuf>,
}

impl HookPlan {
    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        *self == HookPlan::default()
    }

    /// One line for each change, for a person to read.
    pub fn lines(&self) -> Vec<String> {
        let moves = self.moves.iter().map(|(from, to)| format!("move {} to {}", from.display(), to.display()));
        let removals = self.removals.iter().map(|path| format!("remove {}", path.display()));
        moves.chain(self.files.lines()).chain(removals).collect()
    }

    /// Carries the plan out. What was done before an error stays done.
    pub fn apply(&self) -> Result<(), ActError> {
        let failed = |path: &Path| {
            let path = path.to_path_buf();
            move |because: io::Error| ActError::Write { path, because }
        };
        // Files that a removal goes with are removed first, so that a move back finds its place free.
        self.removals.iter().try_for_each(|path| fs::remove_file(path).map_err(failed(path)))?;
        self.moves.iter().try_for_each(|(from, to)| fs::rename(from, to).map_err(failed(from)))?;
        self.files.apply()
    }
}

/// What installing would change; nothing where everything is in place.
pub fn install(folder: &Path, program: &Path, side: Side) -> Result<HookPlan, ActError> {
    let mut plan = HookPlan::default();
    let shared = folder.ends_with(".husky/_");
    // What husky keeps in its own folder is written anew by it; the project's hooks lie above.
    let folder = if shared { folder.parent().unwrap_or(folder) } else { folder };
    for name in side.hooks() {
        let at = folder.join(name);
        let block = block(name, program, shared);
        let fresh = || format!("#!/bin/sh\n{MADE}\n{block}");
        let text = match read(&at)? {
            Found::Nothing => fresh(),
            Found::Script(text) if text.contains(MADE) => {
                let next = fs::symlink_metadata(folder.join(format!("{name}{NEXT}"))).is_ok();
                fresh() + &if next { call_next(name) } else { String::new() }
            }
            Found::Script(text) => with_block(without_block(&text).as_deref().unwrap_or(&text), &block),
            Found::Other => {
                plan.moves.push((at.clone(), folder.join(format!("{name}{NEXT}"))));
                fresh() + &call_next(name)
            }
        };
        if fs::read_to_string(&at).is_ok_and(|old| old == text) {
            plan.moves.retain(|(from, _)| *from != at);
            continue;
        }
        plan.files.writes.push(FileWrite { path: at, text, mode: 0o755, existing: Existing::Replace });
    }
    Ok(plan)
}

/// What taking the hooks away would change.
pub fn uninstall(folder: &Path, side: Side) -> Result<HookPlan, ActError> {
    let mut plan = HookPlan::default();
    let folder = if folder.ends_with(".husky/_") { folder.parent().unwrap_or(folder) } else { folder };
    for name in side.hooks() {
        let at = folder.join(name);
        let Found::Script(text) = read(&at)? else { continue };
        let Some(rest) = without_block(&text) else { continue };
        let next = folder.join(format!("{name}{NEXT}"));
        if !text.contains(MADE) {
            plan.files.writes.push(FileWrite { path: at, text: rest, mode: 0o755, existing: Existing::Replace });
            continue;
        }
        plan.removals.push(at.clone());
        if fs::symlink_metadata(&next).is_ok() {
            plan.moves.push((next, at));
        }
    }
    Ok(plan)
}

/// What lies at the place of a hook.
enum Found {
    Nothing,
    /// A script of a POSIX shell that git runs.
    Script(String),
    /// A link, a program, a script of another language, or one that git does not run.
    Other,
}

fn read(at: &Path) -> Result<Found, ActError> {
    let failed = |because| ActError::Write { path: at.to_path_buf(), because };
    let state = match fs::symlink_metadata(at) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Found::Nothing),
        other => other.map_err(failed)?,
    };
    let runs = state.is_file() && state.permissions().mode() & 0o111 != 0;
    // husky calls its hooks by `sh`, executable or not.
    let of_husky = at.parent().is_some_and(|folder| folder.ends_with(".husky")) && state.is_file();
    if !(runs || of_husky) || state.len() > HOOK_BYTES_MAX {
        return Ok(Found::Other);
    }
    let Ok(text) = fs::read_to_string(at) else { return Ok(Found::Other) };
    let first = text.lines().next().unwrap_or_default();
    let shell = ["sh", "bash", "dash", "zsh", "ksh"]
        .iter()
        .any(|shell| first.starts_with("#!") && first.split(['/', ' ']).any(|word| word == *shell));
    Ok(if shell || of_husky && !first.starts_with("#!") { Found::Script(text) } else { Found::Other })
}

/// The lines that call Coroner and hand on what git gives, also on standard input.
fn block(name: &str, program: &Path, shared: bool) -> String {
    let quoted = format!("'{}'", program.display().to_string().replace('\'', r"'\''"));
    // In a file that others get too, the program is looked up, and missing on their machines.
    let call = match shared {
        true => format!("! command -v coroner >/dev/null 2>&1 || coroner hook --git {name} -- \"$@\""),
        false => format!("{quoted} hook --git {name} -- \"$@\""),
    };
    let lines = match name {
        "pre-push" | "pre-receive" => format!(
            "coroner_input=$(cat)\nprintf '%s\\n' \"$coroner_input\" | {{ {call}; }} || exit 1\n\
             if [ -n \"$coroner_input\" ]; then\nexec <<CORONER_INPUT\n$coroner_input\nCORONER_INPUT\nelse exec </dev/null\nfi\n"
        ),
        _ => format!("{{ {call}; }} || exit 1\n"),
    };
    marked(&lines)
}

/// The lines that call the hook that was moved aside.
fn call_next(name: &str) -> String {
    format!(
        "{BEGIN}\nnext=\"$(dirname \"$0\")/{name}{NEXT}\"\nif [ -x \"$next\" ]; then exec \"$next\" \"$@\"; fi\n{END}\n"
    )
}

fn with_block(text: &str, block: &str) -> String {
    match text.split_once('\n') {
        Some((first, rest)) if first.starts_with("#!") => format!("{first}\n{block}{rest}"),
        _ if text.starts_with("#!") => format!("{text}\n{block}"),
        _ => format!("{block}{text}"),
    }
}

/// Lines between the marks by which they are found again.
pub fn marked(lines: &str) -> String {
    format!("{BEGIN}\n{lines}{END}\n")
}

/// The text without what Coroner put in; `None` where it put in nothing.
pub fn without_block(text: &str) -> Option<String> {
    let mut rest = text.to_owned();
    let mut any = false;
    while let (Some(begin), Some(end)) = (rest.find(BEGIN), rest.find(END)) {
        let end = end + END.len() + usize::from(rest[end + END.len()..].starts_with('\n'));
        if begin >= end {
            break;
        }
        rest.replace_range(begin..end, "");
        any = true;
    }
    any.then_some(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(at: &Path, text: &str, mode: u32) {
        fs::write(at, text).unwrap();
        fs::set_permissions(at, fs::Permissions::from_mode(mode)).unwrap();
    }

    fn state(folder: &Path) -> Vec<(PathBuf, Vec<u8>, u32)> {
        let mut all: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        all.sort();
        let mode = |path: &Path| fs::symlink_metadata(path).unwrap().permissions().mode();
        all.into_iter().map(|path| (path.clone(), fs::read(&path).unwrap_or_default(), mode(&path))).collect()
    }

    #[test]
    fn what_was_there_is_chained_and_comes_back() {
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path();
        put(&at.join("pre-commit"), "#!/usr/bin/env bash\necho mine\n", 0o755);
        put(&at.join("commit-msg"), "#!/usr/bin/env python3\nprint('mine')\n", 0o755);
        std::os::unix::fs::symlink("/bin/true", at.join("pre-push")).unwrap();
        let before = state(at);
        let plan = install(at, Path::new("/opt/it's/coroner"), Side::Clone).unwrap();
        assert_eq!(plan.lines().len(), 5, "{:?}", plan.lines());
        plan.apply().unwrap();
        let hook = fs::read_to_string(at.join("pre-commit")).unwrap();
        assert!(hook.starts_with("#!/usr/bin/env bash\n# >>> coroner") && hook.ends_with("echo mine\n"), "{hook}");
        assert!(at.join("commit-msg.coroner-next").exists() && at.join("pre-push.coroner-next").is_symlink());
        assert!(install(at, Path::new("/opt/it's/coroner"), Side::Clone).unwrap().is_empty(), "it is in place");
        uninstall(at, Side::Clone).unwrap().apply().unwrap();
        assert_eq!(state(at), before);
        assert!(uninstall(at, Side::Clone).unwrap().is_empty());
    }

    #[test]
    fn a_folder_without_hooks_is_empty_again_and_husky_keeps_its_own() {
        let folder = tempfile::tempdir().unwrap();
        let hooks = folder.path().join("hooks");
        install(&hooks, Path::new("/bin/coroner"), Side::Server).unwrap().apply().unwrap();
        assert!(hooks.join("pre-receive").exists());
        uninstall(&hooks, Side::Server).unwrap().apply().unwrap();
        assert!(state(&hooks).is_empty());
        let husky = folder.path().join(".husky");
        fs::create_dir_all(husky.join("_")).unwrap();
        put(&husky.join("pre-commit"), "npx lint-staged\n", 0o644);
        install(&husky.join("_"), Path::new("/bin/coroner"), Side::Clone).unwrap().apply().unwrap();
        let hook = fs::read_to_string(husky.join("pre-commit")).unwrap();
        assert!(hook.contains("command -v coroner") && hook.ends_with("npx lint-staged\n"), "{hook}");
    }
}
