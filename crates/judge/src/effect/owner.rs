//! `chown`, `chgrp`, `chmod`: whose and how a tree becomes.

use coroner_model::effect::EffectKind;
use coroner_read::shell::Word;

use super::options::{Options, Order};
use super::path::{self, Extent, Paths};
use super::{Plan, Target};

/// A change of owner or mode.
#[derive(Clone, Debug, PartialEq)]
pub struct Ownership {
    pub paths: Paths,
    pub recursive: bool,
    /// `user:group`, the group of `chgrp` as `:group`, or the mode.
    pub to: String,
    /// Only what belongs to this owner is changed (`--from`).
    pub from: Option<String>,
}

pub(super) fn plan(out: &mut Plan<'_>) {
    let call = out.call;
    let options = Options::read(&call.argv[1..], &["--from", "--reference"], Order::Mixed);
    let recursive = options.has(&["-R", "--recursive"]);
    let kind = if call.program() == "chmod" { EffectKind::ChangeMode } else { EffectKind::ChangeOwner };
    let mut operands = options.operands.as_slice();
    let to = match options.value(&["--reference"]) {
        Some(file) => format!("as {}", file.show()),
        None => {
            // `chmod -x FILE`: the mode looks like an option.
            let mode = call.argv[1..].iter().find(|w| kind == EffectKind::ChangeMode && is_minus_mode(w));
            match (mode, operands.split_first()) {
                (Some(mode), _) => mode.show(),
                (None, Some((first, rest))) => {
                    operands = rest;
                    if call.program() == "chgrp" { format!(":{}", first.show()) } else { first.show() }
                }
                (None, None) => return,
            }
        }
    };
    let from = options.value(&["--from"]).map(Word::show);
    let extent = if recursive { Extent::Tree } else { Extent::Itself };
    for word in operands {
        for mut paths in path::of_word(word, &call.cwd, extent) {
            paths.place = out.place();
            let ownership = Ownership { paths, recursive, to: to.clone(), from: from.clone() };
            out.push(kind, Target::Ownership(ownership));
        }
    }
}

fn is_minus_mode(word: &Word) -> bool {
    let text = word.prefix();
    text.len() > 1 && text.starts_with('-') && text[1..].chars().all(|c| matches!(c, 'r' | 'w' | 'x' | 'X' | 's' | 't'))
}
