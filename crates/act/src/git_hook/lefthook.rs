//! lefthook writes its hooks anew whenever its configuration changes, and puts others aside without
//! calling them. What it keeps and calls is `lefthook-local.yml`, the file for one's own additions.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::{HookPlan, Side, marked, quoted, without_block};
use crate::write::{ActError, Existing, FileWrite};

/// The file for one's own additions, at the top of the work tree.
const LOCAL: &str = "lefthook-local.yml";
/// Forms of that file to which nothing is added.
const OTHER_LOCALS: [&str; 4] =
    ["lefthook-local.yaml", "lefthook-local.toml", "lefthook-local.json", ".lefthook-local.yml"];
/// By which lefthook knows its own hooks.
const MARK: &str = "call_lefthook";

/// Whether a hook is one that lefthook wrote.
pub(super) fn wrote(at: &Path) -> bool {
    fs::read_to_string(at).is_ok_and(|text| text.contains(MARK))
}

/// Whether lefthook writes the hooks of a folder.
pub(super) fn writes(folder: &Path) -> bool {
    Side::Clone.hooks().iter().any(|name| wrote(&folder.join(name)))
}

/// Plans to have lefthook call Coroner; false where its local file says something of these hooks
/// already, or has another form: then Coroner goes into the hooks themselves.
pub(super) fn install(work: &Path, program: &Path, plan: &mut HookPlan) -> Result<bool, ActError> {
    let at = work.join(LOCAL);
    let failed = |because| ActError::Write { path: at.clone(), because };
    let held = match fs::read_to_string(&at) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(failed(error)),
    };
    let rest = without_block(&held).unwrap_or_else(|| held.clone());
    let taken = |line: &str| Side::Clone.hooks().iter().any(|name| top_key(line) == Some(name));
    if rest.lines().any(taken) || OTHER_LOCALS.iter().any(|name| work.join(name).exists()) {
        return Ok(false);
    }
    let gap = if rest.is_empty() || rest.ends_with('\n') { "" } else { "\n" };
    let text = format!("{rest}{gap}{}", marked(&commands(program)));
    if text != held {
        plan.files.writes.push(FileWrite { path: at, text, mode: 0o644, existing: Existing::Replace });
    }
    Ok(true)
}

/// Plans to take Coroner out of lefthook's local file.
pub(super) fn uninstall(work: &Path, plan: &mut HookPlan) {
    let at: PathBuf = work.join(LOCAL);
    match fs::read_to_string(&at).ok().and_then(|text| without_block(&text)) {
        Some(rest) if rest.trim().is_empty() => plan.removals.push(at),
        Some(text) => {
            plan.files.writes.push(FileWrite { path: at, text, mode: 0o644, existing: Existing::Replace });
        }
        None => {}
    }
}

/// The key that a line of YAML begins at the top of the document.
fn top_key(line: &str) -> Option<&str> {
    let (key, _) = line.split_once(':')?;
    (!key.starts_with([' ', '\t', '#', '-'])).then(|| key.trim().trim_matches(['"', '\'']))
}

fn commands(program: &Path) -> String {
    let one = |name: &&str| {
        let input = if *name == "pre-push" { "      use_stdin: true\n" } else { "" };
        format!(
            "{name}:\n  commands:\n    coroner:\n{input}      run: |\n        {} hook --git {name} -- {{0}}\n",
            quoted(program)
        )
    };
    Side::Clone.hooks().iter().map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_in_the_local_file_stays_and_comes_back() {
        let folder = tempfile::tempdir().unwrap();
        let (work, at) = (folder.path(), folder.path().join(LOCAL));
        let put = |text: &str| fs::write(&at, text).unwrap();
        let apply = |plan: HookPlan| plan.apply().unwrap();
        let install = || {
            let mut plan = HookPlan::default();
            (install(work, Path::new("/opt/it's/coroner"), &mut plan).unwrap(), plan)
        };
        put("output: false");
        let (through, plan) = install();
        assert!(through);
        apply(plan);
        assert!(install().1.is_empty(), "it is in place");
        let mut plan = HookPlan::default();
        uninstall(work, &mut plan);
        apply(plan);
        assert_eq!(fs::read_to_string(&at).unwrap(), "output: false\n");
        // The same key twice would be no YAML.
        put("'pre-push':\n  commands: {}\n");
        assert!(!install().0);
        put("commit-msg-later: 1\n# pre-push:\n");
        assert!(install().0);
    }
}
