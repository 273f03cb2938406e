//! What the session itself made: nobody else's work is lost when it goes again.

use std::collections::BTreeMap;

use coroner_model::effect::EffectKind;
use coroner_read::shell::{Invocation, Word, join};

use super::view::View;
use crate::effect::options::{Options, Order};
use crate::effect::path::below;
use crate::effect::{self, Place, Planned, Target};

impl View<'_> {
    /// Whether an earlier call of the session, or an earlier command of the same text, made the path.
    pub(super) fn was_made(&self, planned: &Planned, path: &str) -> bool {
        let within = |made: &String| below(path, made).is_some();
        let before = self.effects.script.invocations.iter().take(planned.invocation);
        let written = self.effects.planned.iter().filter(|p| p.invocation < planned.invocation);
        before.flat_map(makes).chain(written.filter_map(written_path)).any(|made| within(&made))
            || self.made.get_or_init(|| self.made_before()).iter().any(within)
    }

    fn made_before(&self) -> Vec<String> {
        let mut all = Vec::new();
        for deed in &self.past {
            if deed.whole {
                all.extend(deed.edits.iter().cloned());
            }
            if let Some(command) = &deed.command {
                let effects = effect::of_command(command, &deed.cwd, &BTreeMap::new());
                all.extend(effects.script.invocations.iter().flat_map(makes));
                all.extend(effects.planned.iter().filter_map(written_path));
            }
        }
        all
    }
}

/// A file that a command writes whole; what it only moved was there before.
fn written_path(planned: &Planned) -> Option<String> {
    match &planned.target {
        Target::Paths(paths)
            if planned.kind == EffectKind::Overwrite
                && paths.place == Place::Host
                && !matches!(planned.program.as_str(), "mv" | "sed" | "perl" | "ln") =>
        {
            paths.path.as_literal().map(str::to_owned)
        }
        _ => None,
    }
}

/// Files and directories that a command of this host makes.
fn makes(call: &Invocation) -> Vec<String> {
    if !call.is_local() {
        return Vec::new();
    }
    let words = call.argv.get(1..).unwrap_or_default();
    let options = Options::read(
        words,
        &["-m", "--mode", "-b", "--branch", "--depth", "-d", "-t", "-r", "--template", "--name", "-C"],
        Order::Mixed,
    );
    let operands = &options.operands;
    let first = operands.first().and_then(Word::as_literal).unwrap_or_default();
    let named: Vec<Word> = match (call.program(), first) {
        ("mkdir" | "touch" | "virtualenv", _) => operands.clone(),
        ("git", "clone") => cloned(operands).into_iter().collect(),
        ("git", "init") => operands.get(1).cloned().into_iter().collect(),
        ("git", "worktree") if operands.get(1).and_then(Word::as_literal) == Some("add") => {
            operands.get(2).cloned().into_iter().collect()
        }
        ("cargo" | "uv" | "poetry" | "rails", "new" | "init") => operands.get(1).cloned().into_iter().collect(),
        ("npm" | "pnpm" | "yarn" | "bun", "create" | "init") => operands.get(2).cloned().into_iter().collect(),
        ("npx" | "bunx", tool) if tool.starts_with("create-") => operands.get(1).cloned().into_iter().collect(),
        ("django-admin", "startproject") => operands.get(1).cloned().into_iter().collect(),
        ("unzip", _) => options.value(&["-d"]).cloned().into_iter().collect(),
        (program, _) if program.starts_with("python") && words.iter().any(|w| w.as_literal() == Some("venv")) => {
            words.last().cloned().into_iter().collect()
        }
        _ => Vec::new(),
    };
    let absolute = named.iter().filter_map(|word| join(&call.cwd, word).as_literal().map(str::to_owned));
    absolute.filter(|path| path.matches('/').count() > 1).collect()
}

/// Where a clone lies: as told, or named after its source.
fn cloned(operands: &[Word]) -> Option<Word> {
    if let Some(directory) = operands.get(2) {
        return Some(directory.clone());
    }
    let source = operands.get(1)?.as_literal()?.trim_end_matches('/');
    let name = source.rsplit(['/', ':']).next()?.trim_end_matches(".git");
    (!name.is_empty()).then(|| Word::literal(name))
}
